//! Taking request bodies apart: fields by name in any letter case, `null` as absent, and the
//! words for what has the wrong type.

use std::collections::BTreeMap;
use std::str::FromStr;

use influxd_model::IdError;

use super::{Json, JsonError, parse_first};

/// Why a body is not what an endpoint reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// No JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A value of a wrong type.
    #[error("json: cannot unmarshal {found} into Go {place} of type {expected}")]
    Type {
        /// What it is.
        found: String,
        /// Where it is: `struct field T.f`, or `value`.
        place: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A text that should be an id.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// The fields of a JSON object. Unknown ones are never looked at; of repeated ones the last counts.
#[derive(Debug)]
pub(crate) struct Fields {
    name: &'static str,
    members: Vec<(String, Json)>,
    null: Null,
}

/// What `null` says of a field that was given before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Null {
    /// Nothing.
    Leaves,
    /// That it is not given after all.
    Resets,
}

impl Fields {
    /// Reads the first JSON value of `body`; `name` is what error texts call it. `null` is an
    /// object without fields.
    pub(crate) fn read(body: &[u8], name: &'static str) -> Result<Self, DecodeError> {
        Self::of(parse_first(body)?, name, Null::Leaves)
    }

    /// The same of a change to something: there, and in the objects within it, a last `null` takes
    /// back what was given, where it would leave alone what something new is given.
    pub(crate) fn read_change(body: &[u8], name: &'static str) -> Result<Self, DecodeError> {
        Self::of(parse_first(body)?, name, Null::Resets)
    }

    /// The fields of a value.
    fn of(value: Json, name: &'static str, null: Null) -> Result<Self, DecodeError> {
        let members = match value {
            Json::Object(members) => members,
            Json::Null => Vec::new(),
            other => {
                return Err(DecodeError::Type {
                    found: other.kind().to_owned(),
                    place: "value".to_owned(),
                    expected: name,
                });
            }
        };
        Ok(Self {
            name,
            members,
            null,
        })
    }

    /// Where the value of a field is.
    fn find(&self, field: &str) -> Option<usize> {
        let at = self.members.iter().rposition(|(key, value)| {
            key.eq_ignore_ascii_case(field) && (self.null == Null::Resets || *value != Json::Null)
        })?;
        (self.members[at].1 != Json::Null).then_some(at)
    }

    fn take(&mut self, field: &str) -> Option<Json> {
        let at = self.find(field)?;
        Some(std::mem::replace(&mut self.members[at].1, Json::Null))
    }

    fn wrong(&self, field: &str, value: &Json, expected: &'static str) -> DecodeError {
        DecodeError::Type {
            found: match value {
                Json::Number(text) if expected == "int64" => format!("number {text}"),
                other => other.kind().to_owned(),
            },
            place: format!("struct field {}.{field}", self.name),
            expected,
        }
    }

    /// A text; `None` if absent or null.
    pub(crate) fn string(&mut self, field: &str) -> Result<Option<String>, DecodeError> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(field, &other, "string")),
        }
    }

    /// A truth value.
    pub(crate) fn boolean(&mut self, field: &str) -> Result<Option<bool>, DecodeError> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::Boolean(value)) => Ok(Some(value)),
            Some(other) => Err(self.wrong(field, &other, "bool")),
        }
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, field: &str) -> Result<Option<i64>, DecodeError> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::Number(text)) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(self.wrong(field, &Json::Number(text), "int64")),
            },
            Some(other) => Err(self.wrong(field, &other, "int64")),
        }
    }

    /// An id.
    pub(crate) fn id<T: FromStr<Err = IdError>>(
        &mut self,
        field: &str,
    ) -> Result<Option<T>, DecodeError> {
        match self.string(field)? {
            None => Ok(None),
            Some(text) => Ok(Some(text.parse()?)),
        }
    }

    /// An object, `name` being what error texts call it; one without fields if absent or null.
    pub(crate) fn object(&mut self, field: &str, name: &'static str) -> Result<Self, DecodeError> {
        Self::of(self.take(field).unwrap_or(Json::Null), name, self.null)
    }

    /// A list of objects, `name` being what error texts call one of them.
    pub(crate) fn objects(
        &mut self,
        field: &str,
        name: &'static str,
    ) -> Result<Option<Vec<Self>>, DecodeError> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::Array(items)) => items
                .into_iter()
                .map(|item| Self::of(item, name, self.null))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(other) => Err(self.wrong(field, &other, "[]object")),
        }
    }

    /// Whether a field is there, and not null.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.find(field).is_some()
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, field: &str) -> Result<Option<Vec<String>>, DecodeError> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::Array(items)) => items
                .into_iter()
                .map(|item| text(item).map_err(|other| self.wrong(field, &other, "string")))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(other) => Err(self.wrong(field, &other, "[]string")),
        }
    }

    /// An object of texts; its names keep their letters' case.
    pub(crate) fn named_texts(
        &mut self,
        field: &str,
    ) -> Result<Option<BTreeMap<String, String>>, DecodeError> {
        match self.take(field) {
            None => Ok(None),
            Some(Json::Object(members)) => members
                .into_iter()
                .map(|(name, value)| match text(value) {
                    Ok(value) => Ok((name, value)),
                    Err(other) => Err(self.wrong(field, &other, "string")),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(other) => Err(self.wrong(field, &other, "map[string]string")),
        }
    }
}

/// The object of texts that is the first JSON value of `body`; its names keep their letters' case.
pub(crate) fn read_texts(body: &[u8]) -> Result<BTreeMap<String, String>, DecodeError> {
    let wrong = |value: &Json, expected| DecodeError::Type {
        found: value.kind().to_owned(),
        place: "value".to_owned(),
        expected,
    };
    match parse_first(body)? {
        Json::Null => Ok(BTreeMap::new()),
        Json::Object(members) => members
            .into_iter()
            .map(|(name, value)| match text(value) {
                Ok(value) => Ok((name, value)),
                Err(other) => Err(wrong(&other, "string")),
            })
            .collect(),
        other => Err(wrong(&other, "map[string]string")),
    }
}

/// A text within a list or an object: there `null` is an empty one.
fn text(value: Json) -> Result<String, Json> {
    match value {
        Json::Null => Ok(String::new()),
        Json::String(text) => Ok(text),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use influxd_model::OrgId;

    use super::*;

    fn fields(body: &str) -> Fields {
        Fields::read(body.as_bytes(), "postBucketRequest").unwrap()
    }

    #[test]
    fn names_match_in_any_case_and_the_last_one_counts() {
        let mut body = fields(r#"{"Name": "a", "NAME": "b", "orgID": null, "foo": 1}"#);
        assert_eq!(body.string("name"), Ok(Some("b".to_owned())));
        assert_eq!(body.id::<OrgId>("orgID"), Ok(None));
        let mut body = fields(r#"{"NAME": "a", "name": null}"#);
        assert!(body.has("name"));
        assert_eq!(body.string("name"), Ok(Some("a".to_owned())));
        assert!(
            Fields::read(b"null", "x")
                .unwrap()
                .string("a")
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_last_null_takes_back_what_a_change_says() {
        let text = r#"{
            "name": "a", "Name": null, "description": null, "DESCRIPTION": "b",
            "rules": [{"every": 1, "every": null, "shard": null, "shard": 2}, null]
        }"#;
        let read_change =
            |text: &str| Fields::read_change(text.as_bytes(), "bucketUpdate").unwrap();
        let mut change = read_change(text);
        assert!(!change.has("name") && change.has("description"));
        assert_eq!(change.string("name"), Ok(None));
        assert_eq!(change.string("description"), Ok(Some("b".to_owned())));
        let mut rules = change.objects("rules", "rule").unwrap().unwrap();
        assert_eq!(rules[0].integer("every"), Ok(None));
        assert_eq!(rules[0].integer("shard"), Ok(Some(2)));
        assert_eq!(rules[1].integer("every"), Ok(None));
        // Something new keeps what it was given.
        let mut new = fields(text);
        assert_eq!(new.string("name"), Ok(Some("a".to_owned())));
        let mut rules = new.objects("rules", "rule").unwrap().unwrap();
        assert_eq!(rules[0].integer("every"), Ok(Some(1)));
        let mut change = read_change(r#"{"rules": [{}], "rules": null}"#);
        assert!(change.objects("rules", "rule").unwrap().is_none());
    }

    #[test]
    fn texts_come_in_lists_and_by_name() {
        let body = r#"{"keys": ["a", null], "named": {"K": "v", "n": null, "K": "w"}}"#;
        let mut body = fields(body);
        let keys = body.texts("keys").unwrap().unwrap();
        assert_eq!(keys, ["a", ""]);
        let named = body.named_texts("named").unwrap().unwrap();
        let expected = [("K", "w"), ("n", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(named, expected.into());
        assert_eq!(read_texts(b"null"), Ok(BTreeMap::new()));
        assert_eq!(
            read_texts(br#"{"a": 1}"#).unwrap_err().to_string(),
            "json: cannot unmarshal number into Go value of type string"
        );
        assert!(fields(r#"{"keys": [1]}"#).texts("keys").is_err());
        assert!(fields(r#"{"named": []}"#).named_texts("named").is_err());
    }

    #[test]
    fn wrong_types_are_named() {
        let message = fields(r#"{"name": 5}"#)
            .string("name")
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "json: cannot unmarshal number into Go struct field postBucketRequest.name of type string"
        );
        let message = fields(r#"{"everySeconds": 1.5}"#)
            .integer("everySeconds")
            .unwrap_err();
        assert_eq!(
            message.to_string(),
            "json: cannot unmarshal number 1.5 into Go struct field postBucketRequest.everySeconds of type int64"
        );
        let message = fields(r#"{"orgID": "abc"}"#)
            .id::<OrgId>("orgID")
            .unwrap_err();
        assert_eq!(message.to_string(), "id must have a length of 16 bytes");
    }
}
