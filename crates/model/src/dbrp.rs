//! How a 1.x database and retention policy become a bucket (data-endpoints 3).

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::{Bucket, BucketId, Dbrp, DbrpId};

/// A mapping as a caller sees it, physical or virtual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The id of a physical mapping; a virtual one goes by its bucket's.
    pub id: Option<DbrpId>,
    /// The 1.x database.
    pub database: String,
    /// The 1.x retention policy.
    pub policy: String,
    /// The bucket.
    pub bucket: BucketId,
    /// Whether it serves requests that name no policy.
    pub is_default: bool,
}

/// The mapping that a bucket's name implies: `db/rp` cut at the first slash, else the name with
/// the policy `autogen` as its default.
pub fn virtual_mapping(bucket: &Bucket) -> Mapping {
    let (database, policy, is_default) = match bucket.name.split_once('/') {
        Some((database, policy)) => (database, policy, false),
        None => (bucket.name.as_str(), "autogen", true),
    };
    Mapping {
        id: None,
        database: database.to_owned(),
        policy: policy.to_owned(),
        bucket: bucket.id,
        is_default,
    }
}

/// All mappings of an organization: the physical ones in id order, then the virtual ones of
/// `buckets` in the order of their names. A virtual one is left out where one before it has the
/// same database and policy, and is no default where one before it is.
///
/// Pass only what the caller may see: mappings and buckets that it cannot read do not exist,
/// except that a physical default hides a virtual one whether it can be read or not; those are
/// taken out of the result by the caller afterwards (see [`visible`]).
pub fn blend(physical: &[Dbrp], buckets: &[Bucket]) -> Vec<Mapping> {
    let mut all: Vec<Mapping> = physical
        .iter()
        .map(|d| Mapping {
            id: Some(d.id),
            database: d.database.clone(),
            policy: d.policy.clone(),
            bucket: d.bucket,
            is_default: d.is_default,
        })
        .collect();
    let mut names: Vec<&Bucket> = buckets.iter().collect();
    names.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    for bucket in names {
        let mut mapping = virtual_mapping(bucket);
        let same_database = |m: &&Mapping| m.database == mapping.database;
        if all
            .iter()
            .filter(same_database)
            .any(|m| m.policy == mapping.policy)
        {
            continue;
        }
        if all.iter().filter(same_database).any(|m| m.is_default) {
            mapping.is_default = false;
        }
        all.push(mapping);
    }
    all
}

/// Those of `mappings` whose bucket passes `readable`.
pub fn visible(mappings: Vec<Mapping>, readable: impl Fn(BucketId) -> bool) -> Vec<Mapping> {
    mappings
        .into_iter()
        .filter(|m| readable(m.bucket))
        .collect()
}

/// The mapping that a request for `database` and `policy` means; an empty or absent policy asks
/// for the database's default.
pub fn look_up<'a>(
    mappings: &'a [Mapping],
    database: &str,
    policy: Option<&str>,
) -> Option<&'a Mapping> {
    let policy = policy.filter(|p| !p.is_empty());
    mappings.iter().find(|m| {
        m.database == database && policy.map_or(m.is_default, |policy| m.policy == policy)
    })
}

/// Whether a text can name a database or policy of a physical mapping (auth-and-resources 9.6):
/// printable characters other than slash and backslash, not empty, not `.` or `..`.
pub fn is_valid_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name
            .chars()
            .any(|c| c == '/' || c == '\\' || !is_printable(c))
}

/// Letters, marks, numbers, punctuation, symbols and the ASCII blank.
fn is_printable(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    let group = c.general_category_group();
    c == ' ' || matches!(group, Letter | Mark | Number | Punctuation | Symbol)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BucketKind, OrgId};

    fn bucket(id: u64, name: &str) -> Bucket {
        Bucket {
            id: BucketId::new(id).unwrap(),
            org: OrgId::new(1).unwrap(),
            name: name.to_owned(),
            kind: BucketKind::User,
            description: String::new(),
            policy: String::new(),
            retention: None,
            shard_duration: 0,
            created_at: 0,
            updated_at: 0,
        }
    }

    fn physical(id: u64, bucket: u64, database: &str, policy: &str, is_default: bool) -> Dbrp {
        Dbrp {
            id: DbrpId::new(id).unwrap(),
            org: OrgId::new(1).unwrap(),
            bucket: BucketId::new(bucket).unwrap(),
            database: database.to_owned(),
            policy: policy.to_owned(),
            is_default,
        }
    }

    #[test]
    fn a_bucket_is_a_database_with_the_policy_autogen() {
        let all = blend(&[], &[bucket(2, "b"), bucket(1, "a/r/x")]);
        assert_eq!(
            (all[0].database.as_str(), all[0].policy.as_str()),
            ("a", "r/x")
        );
        assert!(!all[0].is_default);
        assert_eq!(look_up(&all, "b", None).unwrap().bucket.get(), 2);
        assert_eq!(look_up(&all, "a", Some("r/x")).unwrap().bucket.get(), 1);
        assert_eq!(look_up(&all, "a", Some("")), None);
    }

    #[test]
    fn a_physical_mapping_shadows_and_takes_the_default() {
        let all = blend(&[physical(9, 3, "b", "long", true)], &[bucket(2, "b")]);
        assert_eq!(look_up(&all, "b", None).unwrap().bucket.get(), 3);
        assert!(!all[1].is_default);
        let all = blend(&[physical(9, 3, "b", "autogen", true)], &[bucket(2, "b")]);
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn names_are_printable_and_have_no_slashes() {
        for good in ["a", "a b", "ü", "a\"b", "...", "☃️", "a\u{e0100}"] {
            assert!(is_valid_name(good), "{good}");
        }
        for bad in [
            "", ".", "..", "a/b", "a\\b", "a\tb", "a\u{a0}b", "\u{378}", "\u{600}", "\u{ad}",
            "\u{e000}",
        ] {
            assert!(!is_valid_name(bad), "{bad:?}");
        }
    }
}
