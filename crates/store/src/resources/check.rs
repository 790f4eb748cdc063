//! Whether a [`Snapshot`] can be: the rules that the repositories keep one row at a time.

use std::collections::HashSet;
use std::hash::Hash;

use influxd_model::{MemberOf, normalize_shard_duration};

use super::{AuthorizationRecord, Snapshot, StoredToken};
use crate::columns::{OtherForm, label_key, other_form};
use crate::{Result, StoreError};

fn damaged(detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt {
        what: "snapshot",
        detail: detail.into(),
    }
}

/// The set of what has to be different from each other.
fn unique<T: Eq + Hash>(what: &str, all: impl IntoIterator<Item = T>) -> Result<HashSet<T>> {
    let mut seen = HashSet::new();
    for one in all {
        if !seen.insert(one) {
            return Err(damaged(format!("{what} is in it twice")));
        }
    }
    Ok(seen)
}

/// That everything is among what it refers to.
fn known<'a, T: Eq + Hash + 'a>(
    what: &str,
    all: impl IntoIterator<Item = &'a T>,
    among: &HashSet<T>,
) -> Result<()> {
    if all.into_iter().all(|one| among.contains(one)) {
        Ok(())
    } else {
        Err(damaged(format!("{what} is missing")))
    }
}

impl Snapshot {
    /// [`StoreError::Corrupt`] if it contradicts itself: an id or name twice, a reference to
    /// nothing, a token that means two authorizations, a name that is none, a duration that no bucket
    /// can have. Says nothing of what is in it but ids.
    pub fn check(&self) -> Result<()> {
        self.check_text()?;
        self.check_bounds()?;
        let organizations = unique(
            "an organization's id",
            self.organizations.iter().map(|o| o.id),
        )?;
        let names = self.organizations.iter().map(|o| o.name.trim());
        unique("an organization's name", names)?;
        let users = unique("a user's id", self.users.iter().map(|u| u.user.id))?;
        unique("a user's name", self.users.iter().map(|u| &u.user.name))?;
        let buckets = unique("a bucket's id", self.buckets.iter().map(|b| b.id))?;
        unique(
            "a bucket's name",
            self.buckets.iter().map(|b| (b.org, &b.name)),
        )?;
        let labels = unique("a label's id", self.labels.iter().map(|l| l.id))?;
        let names = self.labels.iter().map(|l| (l.org, label_key(&l.name)));
        unique("a label's name", names)?;
        unique("a label on a bucket", &self.bucket_labels)?;
        unique(
            "a user's role",
            self.memberships.iter().map(|m| (m.user, m.of)),
        )?;
        unique("a secret", self.secrets.iter().map(|s| (s.org, &s.key)))?;

        let owners = self.buckets.iter().map(|b| &b.org);
        let owners = owners.chain(self.labels.iter().map(|l| &l.org));
        let owners = owners.chain(self.secrets.iter().map(|s| &s.org));
        let owners = owners.chain(self.dbrps.iter().map(|d| &d.org));
        known("an organization", owners, &organizations)?;
        let bearing = self.bucket_labels.iter().map(|(bucket, _)| bucket);
        known(
            "a bucket",
            bearing.chain(self.dbrps.iter().map(|d| &d.bucket)),
            &buckets,
        )?;
        known(
            "a label",
            self.bucket_labels.iter().map(|(_, label)| label),
            &labels,
        )?;
        known("a user", self.memberships.iter().map(|m| &m.user), &users)?;
        for membership in &self.memberships {
            match &membership.of {
                MemberOf::Instance => {}
                MemberOf::Organization(org) => known("an organization", [org], &organizations)?,
                MemberOf::Bucket(bucket) => known("a bucket", [bucket], &buckets)?,
            }
        }
        self.check_mappings()?;
        self.check_authorizations()
    }

    fn check_text(&self) -> Result<()> {
        let mut texts: Vec<&str> = Vec::new();
        for it in &self.organizations {
            texts.extend([it.name.as_str(), &it.description]);
        }
        for it in &self.users {
            texts.extend([it.user.name.as_str(), &it.user.oauth_id]);
        }
        for it in &self.buckets {
            texts.extend([it.name.as_str(), &it.description, &it.policy]);
        }
        for it in &self.authorizations {
            texts.push(&it.authorization.description);
            texts.extend(it.authorization.v1_name.as_deref());
        }
        for it in &self.dbrps {
            texts.extend([it.database.as_str(), &it.policy]);
        }
        texts.extend(self.labels.iter().map(|it| it.name.as_str()));
        texts.extend(self.secrets.iter().map(|it| it.key.as_str()));
        if texts.iter().any(|text| text.contains('\0')) {
            return Err(damaged("a text holds U+0000"));
        }
        Ok(())
    }

    /// Names and durations with which the server could not work; every route refuses them, too
    /// (auth-and-resources 9.1, 9.4 and 9.5).
    fn check_bounds(&self) -> Result<()> {
        let mut organizations = self.organizations.iter();
        if let Some(it) = organizations.find(|it| it.name.trim().is_empty()) {
            return Err(damaged(format!("organization {} has no name", it.id)));
        }
        let mut users = self.users.iter().map(|record| &record.user);
        if let Some(it) = users.find(|it| it.name.is_empty()) {
            return Err(damaged(format!("user {} has no name", it.id)));
        }
        for bucket in &self.buckets {
            let (id, shard) = (bucket.id, bucket.shard_duration);
            if shard != normalize_shard_duration(shard, bucket.retention) {
                return Err(damaged(format!(
                    "the shard duration of bucket {id} is too short"
                )));
            }
            // A shard window has an hour at least, and so has this.
            if bucket.retention.is_some_and(|retention| retention < shard) {
                return Err(damaged(format!(
                    "the retention of bucket {id} is too short"
                )));
            }
        }
        Ok(())
    }

    fn check_mappings(&self) -> Result<()> {
        unique("a mapping's id", self.dbrps.iter().map(|d| d.id))?;
        let names = self.dbrps.iter().map(|d| (d.org, &d.database, &d.policy));
        unique("a mapping", names)?;
        let defaults = self.dbrps.iter().filter(|d| d.is_default);
        let defaults = unique("a default", defaults.map(|d| (d.org, &d.database)))?;
        let databases: Vec<_> = self.dbrps.iter().map(|d| (d.org, &d.database)).collect();
        known("a default", &databases, &defaults)
    }

    fn check_authorizations(&self) -> Result<()> {
        let all = &self.authorizations;
        unique(
            "an authorization's id",
            all.iter().map(|a| a.authorization.id),
        )?;
        let names = all
            .iter()
            .filter_map(|a| a.authorization.v1_name.as_deref());
        unique("a 1.x user's name", names)?;
        unique("a token", all.iter().filter_map(digest_of_token))?;
        for one in all {
            let named = one.authorization.v1_name.is_some();
            if named && (one.token.is_some() || one.escrow.is_some()) {
                return Err(damaged("a 1.x user has a token"));
            }
            if !named && one.password.is_some() {
                return Err(damaged("a token has a password"));
            }
        }
        Ok(())
    }
}

/// What two forms of one token have in common, where they can be compared.
fn digest_of_token(record: &AuthorizationRecord) -> Option<String> {
    let token = record.token.as_ref()?;
    match (token, other_form(token)) {
        (StoredToken::Raw(_), Some(OtherForm::Digest(digest))) => Some(digest),
        (StoredToken::Digest(digest), _) => Some(digest.clone()),
        (StoredToken::Raw(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use influxd_model::{Bucket, BucketId, BucketKind, OrgId, Organization, Status, User, UserId};

    use super::*;
    use crate::UserRecord;

    const HOUR: i64 = 3_600_000_000_000;

    fn snapshot() -> Snapshot {
        let org = OrgId::new(1).unwrap();
        Snapshot {
            organizations: vec![Organization {
                id: org,
                name: "o".to_owned(),
                description: String::new(),
                created_at: 0,
                updated_at: 0,
            }],
            users: vec![UserRecord {
                user: User {
                    id: UserId::new(2).unwrap(),
                    name: "u".to_owned(),
                    status: Status::Active,
                    oauth_id: String::new(),
                },
                password: None,
            }],
            buckets: vec![Bucket {
                id: BucketId::new(3).unwrap(),
                org,
                name: String::new(),
                kind: BucketKind::User,
                description: String::new(),
                policy: String::new(),
                retention: None,
                shard_duration: HOUR,
                created_at: 0,
                updated_at: 0,
            }],
            ..Snapshot::default()
        }
    }

    #[test]
    fn nobody_is_without_a_name() {
        let named = |org: &str, user: &str| {
            let mut snapshot = snapshot();
            org.clone_into(&mut snapshot.organizations[0].name);
            user.clone_into(&mut snapshot.users[0].user.name);
            snapshot.check()
        };
        assert!(named(" o ", " ").is_ok());
        for (org, user) in [("", "u"), (" \u{a0}", "u"), ("o", "")] {
            let refused = named(org, user);
            assert!(
                matches!(refused, Err(StoreError::Corrupt { .. })),
                "{org:?} {user:?}"
            );
        }
    }

    #[test]
    fn a_bucket_keeps_points_for_an_hour_and_a_shard_window_at_least() {
        let lasts = |retention, shard_duration, kind| {
            let mut snapshot = snapshot();
            snapshot.buckets[0].retention = retention;
            snapshot.buckets[0].shard_duration = shard_duration;
            snapshot.buckets[0].kind = kind;
            snapshot.check()
        };
        for kind in [BucketKind::User, BucketKind::System] {
            for (retention, shard_duration) in [
                (None, HOUR),
                (None, i64::MAX),
                (Some(HOUR), HOUR),
                (Some(72 * HOUR), 24 * HOUR),
                (Some(72 * HOUR), 72 * HOUR),
            ] {
                assert!(
                    lasts(retention, shard_duration, kind).is_ok(),
                    "{retention:?}"
                );
            }
            for (retention, shard_duration) in [
                (None, HOUR - 1),
                (None, 0),
                (None, i64::MIN),
                (Some(0), HOUR),
                (Some(-1), HOUR),
                (Some(HOUR - 1), HOUR),
                (Some(72 * HOUR), 72 * HOUR + 1),
            ] {
                let refused = lasts(retention, shard_duration, kind);
                assert!(
                    matches!(refused, Err(StoreError::Corrupt { .. })),
                    "{retention:?} {shard_duration}"
                );
            }
        }
    }
}
