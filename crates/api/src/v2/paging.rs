//! Paging parameters of lists (auth-and-resources 1.9).

use influxd_model::{AnyId, IdError};
use influxd_store::Page;

use crate::error::ApiError;
use crate::query_string::{Query, parse_bool};

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

    /// What the store is asked for.
    pub(crate) fn page(&self) -> Page {
        Page {
            limit: self.limit,
            offset: u32::try_from(self.offset.max(0)).unwrap_or(u32::MAX),
            descending: self.descending,
        }
    }
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
