//! Key words: names that need quotes (InfluxQL 1.2).

macro_rules! keywords {
    ($($variant:ident $text:literal)*) => {
        /// A key word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Keyword {
            $($variant,)*
        }

        impl Keyword {
            const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in upper case, as error messages show it.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

// In alphabetic order: `Keyword::find` searches by halves.
keywords! {
    All "ALL" Alter "ALTER" Analyze "ANALYZE" And "AND" Any "ANY" As "AS" Asc "ASC" Begin "BEGIN" By "BY"
    Cardinality "CARDINALITY" Continuous "CONTINUOUS" Create "CREATE" Database "DATABASE" Databases "DATABASES"
    Default "DEFAULT" Delete "DELETE" Desc "DESC" Destinations "DESTINATIONS" Diagnostics "DIAGNOSTICS"
    Distinct "DISTINCT" Drop "DROP" Duration "DURATION" End "END" Every "EVERY" Exact "EXACT" Explain "EXPLAIN"
    False "FALSE" Field "FIELD" For "FOR" From "FROM" Grant "GRANT" Grants "GRANTS" Group "GROUP" Groups "GROUPS"
    In "IN" Inf "INF" Insert "INSERT" Into "INTO" Key "KEY" Keys "KEYS" Kill "KILL" Limit "LIMIT"
    Measurement "MEASUREMENT" Measurements "MEASUREMENTS" Name "NAME" Offset "OFFSET" On "ON" Or "OR" Order "ORDER"
    Password "PASSWORD" Policies "POLICIES" Policy "POLICY" Privileges "PRIVILEGES" Queries "QUERIES" Query "QUERY"
    Read "READ" Replication "REPLICATION" Resample "RESAMPLE" Retention "RETENTION" Revoke "REVOKE"
    Select "SELECT" Series "SERIES" Set "SET" Shard "SHARD" Shards "SHARDS" Show "SHOW" Slimit "SLIMIT"
    Soffset "SOFFSET" Stats "STATS" Subscription "SUBSCRIPTION" Subscriptions "SUBSCRIPTIONS" Tag "TAG" To "TO"
    True "TRUE" User "USER" Users "USERS" Values "VALUES" Verbose "VERBOSE" Where "WHERE" With "WITH" Write "WRITE"
}

impl Keyword {
    /// The key word that is spelled so, in any case.
    pub(crate) fn find(word: &str) -> Option<Self> {
        let upper = |byte: &u8| byte.to_ascii_uppercase();
        Self::ALL
            .binary_search_by(|keyword| {
                keyword
                    .as_str()
                    .bytes()
                    .cmp(word.as_bytes().iter().map(upper))
            })
            .ok()
            .map(|index| Self::ALL[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_word_is_found_in_any_case() {
        for keyword in Keyword::ALL {
            assert_eq!(Keyword::find(keyword.as_str()), Some(*keyword));
            assert_eq!(
                Keyword::find(&keyword.as_str().to_lowercase()),
                Some(*keyword)
            );
        }
        assert_eq!(Keyword::find("time"), None);
        assert_eq!(Keyword::find(""), None);
    }
}
