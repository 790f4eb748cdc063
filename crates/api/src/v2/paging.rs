//! Paging parameters of lists (auth-and-resources 1.9).

use influxd_model::{AnyId, IdError};
use influxd_store::Page;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::query_string::{Query, parse_bool, push_encoded};

/// How the paging parameters are described.
pub(crate) struct Described {
    pub(crate) limit: (&'static str, &'static str),
    pub(crate) offset: (&'static str, &'static str),
    pub(crate) after: (&'static str, &'static str),
    pub(crate) descending: (&'static str, &'static str),
}

pub(crate) const PAGE: Described = Described {
    limit: ("limit", "at most so many, 1 to 100; 20 if not given"),
    offset: ("offset", "after leaving out so many"),
    after: ("after", "only those behind the one with this id"),
    descending: ("descending", "backwards, if true"),
};

/// The paging parameters of a request, as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) limit: u32,
    /// As given: a negative one acts as 0, but is shown.
    pub(crate) offset: i64,
    pub(crate) after: Option<AnyId>,
    pub(crate) descending: bool,
    /// Shown in links, and otherwise ignored.
    pub(crate) sort_by: Option<String>,
}

impl Paging {
    pub(crate) fn read(query: Query<'_>) -> Result<Self, ApiError> {
        let limit = match query.get("limit") {
            None => 20,
            Some(text) => {
                let limit: i64 = text
                    .parse()
                    .map_err(|_| ApiError::invalid("limit is invalid"))?;
                u32::try_from(limit)
                    .ok()
                    .filter(|limit| (1..=100).contains(limit))
                    .ok_or(ApiError::invalid("limit must be between 1 and 100"))?
            }
        };
        let offset = match query.get("offset") {
            None => 0,
            Some(text) => text
                .parse()
                .map_err(|_| ApiError::invalid("offset is invalid"))?,
        };
        let after =
            match query.get("after") {
                None => None,
                Some(text) => Some(text.parse().map_err(|error: IdError| {
                    ApiError::invalid(format!("decoding after: {error}"))
                })?),
            };
        let descending = match query.get("descending") {
            None => false,
            Some(text) => parse_bool(&text).ok_or(ApiError::invalid("descending is invalid"))?,
        };
        let sort_by = query.get("sortBy").map(std::borrow::Cow::into_owned);
        Ok(Self {
            limit,
            offset,
            after,
            descending,
            sort_by,
        })
    }

    /// Where this page, the one before and the one behind are. `filters` is what else was asked
    /// for, `shown` how many there are in this answer.
    pub(crate) fn links(
        &self,
        path: &str,
        filters: &[(&'static str, Option<String>)],
        shown: usize,
    ) -> PageLinks {
        let limit = i64::from(self.limit);
        let at = |offset| self.link(path, filters, offset);
        PageLinks {
            prev: (self.offset > 0).then(|| at((self.offset - limit).max(0))),
            own: at(self.offset),
            next: (shown as i64 >= limit).then(|| at(self.offset.saturating_add(limit))),
        }
    }

    /// A path with its parameters, sorted by name.
    fn link(&self, path: &str, filters: &[(&'static str, Option<String>)], offset: i64) -> String {
        let mut parameters = vec![
            ("after", self.after.map(|id| id.to_string())),
            ("descending", Some(self.descending.to_string())),
            ("limit", Some(self.limit.to_string())),
            ("offset", Some(offset.to_string())),
            ("sortBy", self.sort_by.clone()),
        ];
        parameters.extend_from_slice(filters);
        parameters.sort_unstable_by_key(|(name, _)| *name);
        link(path, &parameters)
    }

    /// What the store is asked for.
    pub(crate) fn page(&self) -> Page {
        Page {
            limit: self.limit,
            offset: u32::try_from(self.offset.max(0)).unwrap_or(u32::MAX),
            descending: self.descending,
        }
    }
}

/// Where the pages of a list are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageLinks {
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<String>,
    #[serde(rename = "self")]
    own: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Where a list is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SelfLink {
    #[serde(rename = "self")]
    pub(crate) own: String,
}

/// A path with those of the parameters that there are, in their order.
pub(crate) fn link(path: &str, parameters: &[(&'static str, Option<String>)]) -> String {
    let mut link = path.to_owned();
    let mut separator = '?';
    for (name, value) in parameters {
        if let Some(value) = value {
            link.push(separator);
            link.push_str(name);
            link.push('=');
            push_encoded(value, &mut link);
            separator = '&';
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: &str) {
        let shown = match Paging::read(Query::new(query)) {
            Ok(p) => format!("{} {} {}", p.limit, p.offset, p.descending),
            Err(error) => error.message().into_owned(),
        };
        assert_eq!(shown, expected, "{query}");
    }

    #[test]
    fn links_carry_what_was_asked_sorted_by_name() {
        let query = Query::new("limit=2&offset=3&sortBy=x&descending=1");
        let paging = Paging::read(query).unwrap();
        let filters = [
            ("org", Some("my org".to_owned())),
            ("bucket", Some("b".to_owned())),
            ("id", None),
        ];
        let links = paging.links("/api/v2/buckets", &filters, 2);
        let link = |offset| {
            format!(
                "/api/v2/buckets?bucket=b&descending=true&limit=2&offset={offset}&org=my+org&sortBy=x"
            )
        };
        assert_eq!(links.prev, Some(link(1)));
        assert_eq!(links.own, link(3));
        assert_eq!(links.next, Some(link(5)));
        let query = Query::new("offset=-1");
        let links = Paging::read(query).unwrap().links("/a", &[], 3);
        assert_eq!(links.own, "/a?descending=false&limit=20&offset=-1");
        assert_eq!((links.prev, links.next), (None, None));
    }

    #[test]
    fn parameters_are_checked_as_the_contract_says() {
        check("", "20 0 false");
        check("limit=&offset=", "20 0 false");
        check("limit=100&offset=-1&descending=T", "100 -1 true");
        check("limit=x", "limit is invalid");
        check("limit=0", "limit must be between 1 and 100");
        check("limit=101", "limit must be between 1 and 100");
        check("limit=-1", "limit must be between 1 and 100");
        check("offset=x", "offset is invalid");
        check(
            "after=x",
            "decoding after: id must have a length of 16 bytes",
        );
        check("after=zzzzzzzzzzzzzzzz", "decoding after: invalid ID");
        check("descending=yes", "descending is invalid");
    }
}
