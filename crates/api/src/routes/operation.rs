//! What an operation of the API is: where it is, who answers it, and how it is described.
//!
//! Routing, the layout of errors, the answers to wrong methods and the `OpenAPI` description are
//! all made of these.

use actix_web::Route;
use actix_web::http::Method;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::error::Family;

/// The operations below one path, and the style in which everything there is answered.
#[derive(Debug)]
pub(crate) struct Group {
    /// What their paths begin with.
    pub(crate) root: &'static str,
    /// How bodies are laid out, and how unknown paths and methods are answered.
    pub(crate) style: Style,
    /// The operations, those of one path side by side.
    pub(crate) operations: &'static [Operation],
}

/// The manners of a group's router (auth-and-resources 1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Indented bodies; a plain page for unknown paths; 405 without a word; a slash at the end is
    /// ignored.
    Pretty,
    /// Bodies on one line; errors in JSON, with the list of methods; a slash at the end redirects.
    Compact,
    /// Indented bodies; errors in JSON, an empty list of methods; a slash at the end is ignored.
    Embedded,
}

impl Style {
    /// How bodies are laid out.
    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Pretty | Self::Embedded => Family::Pretty,
            Self::Compact => Family::Compact,
        }
    }
}

/// The methods that operations have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Delete,
    Get,
    Patch,
    Post,
    Put,
}

impl Verb {
    /// As the framework has it.
    pub(crate) const fn method(self) -> Method {
        match self {
            Self::Delete => Method::DELETE,
            Self::Get => Method::GET,
            Self::Patch => Method::PATCH,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
        }
    }
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its method.
    pub(crate) verb: Verb,
    /// Its path, with `{name}` for parts that vary.
    pub(crate) path: &'static str,
    /// What answers it; the method is added where it is mounted.
    pub(crate) route: fn() -> Route,
    /// Its id in the description.
    pub(crate) id: &'static str,
    /// What it does, in a line.
    pub(crate) summary: &'static str,
    /// The parameters of its query: name, and what it means.
    pub(crate) query: &'static [(&'static str, &'static str)],
    /// What its body is.
    pub(crate) body: Option<Content>,
    /// How it answers when all is well.
    pub(crate) answers: &'static [Answer],
    /// The statuses of its errors, beside those that every operation may answer with.
    pub(crate) errors: &'static [u16],
    /// Whether every method is answered alike; the description has one of them.
    pub(crate) any_method: bool,
    /// Whether the last part of its path is an id for every method that has no operation there.
    pub(crate) is_id: bool,
}

/// A body of a request or an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    /// Its media type.
    pub(crate) media: &'static str,
    /// Its shape; `None`: any text.
    pub(crate) schema: Option<SchemaOf>,
}

/// The shape of a JSON document: its name, itself, and those that it refers to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SchemaOf {
    /// Its name in the description.
    pub(crate) name: fn() -> String,
    /// Itself.
    pub(crate) schema: fn() -> RefOr<Schema>,
    /// What it refers to, added to a list.
    pub(crate) others: fn(&mut Vec<(String, RefOr<Schema>)>),
}

/// A status, and the body that comes with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The body, if there is one.
    pub(crate) content: Option<Content>,
}

impl Content {
    /// A JSON document.
    pub(crate) const fn json<T: ToSchema>() -> Self {
        Self {
            media: "application/json",
            schema: Some(SchemaOf {
                name: name_of::<T>,
                schema: <T as PartialSchema>::schema,
                others: <T as ToSchema>::schemas,
            }),
        }
    }

    /// A text.
    pub(crate) const fn text(media: &'static str) -> Self {
        Self {
            media,
            schema: None,
        }
    }
}

/// A JSON object of whatever shape.
#[derive(Debug)]
struct AnyObject;

impl PartialSchema for AnyObject {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Object).into()
    }
}

impl ToSchema for AnyObject {}

fn name_of<T: ToSchema>() -> String {
    T::name().into_owned()
}

impl Answer {
    /// A JSON document.
    pub(crate) const fn json<T: ToSchema>(status: u16) -> Self {
        Self {
            status,
            content: Some(Content::json::<T>()),
        }
    }

    /// A JSON object of whatever shape.
    pub(crate) const fn object(status: u16) -> Self {
        Self::json::<AnyObject>(status)
    }

    /// No body.
    pub(crate) const fn empty(status: u16) -> Self {
        Self {
            status,
            content: None,
        }
    }

    /// A text.
    pub(crate) const fn text(status: u16, media: &'static str) -> Self {
        Self {
            status,
            content: Some(Content::text(media)),
        }
    }
}

impl Operation {
    /// An operation without parameters or body, answering as `answers` say.
    pub(crate) const fn new(
        (verb, path): (Verb, &'static str),
        route: fn() -> Route,
        (id, summary): (&'static str, &'static str),
        answers: &'static [Answer],
    ) -> Self {
        Self {
            verb,
            path,
            route,
            id,
            summary,
            query: &[],
            body: None,
            answers,
            errors: &[],
            any_method: false,
            is_id: false,
        }
    }

    /// With these parameters in the query.
    pub(crate) const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    /// With a JSON document of this shape as its body.
    pub(crate) const fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(Content::json::<T>());
        self
    }

    /// With another body.
    pub(crate) const fn takes_content(mut self, content: Content) -> Self {
        self.body = Some(content);
        self
    }

    /// For every method.
    pub(crate) const fn for_any_method(mut self) -> Self {
        self.any_method = true;
        self
    }

    /// At a path whose last part is taken for an id where the method has no operation there.
    pub(crate) const fn or_id(mut self) -> Self {
        self.is_id = true;
        self
    }

    /// With these statuses for errors of its own.
    pub(crate) const fn errors(mut self, errors: &'static [u16]) -> Self {
        self.errors = errors;
        self
    }
}
