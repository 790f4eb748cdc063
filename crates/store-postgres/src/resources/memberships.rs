//! Owners and members.

use async_trait::async_trait;
use influxd_model::{BucketId, MemberOf, Membership, OrgId, Role, User, UserId};
use influxd_store::{MembershipRepository, Result};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::{column, guarded, users};
use crate::error::{corrupt, store_error};

pub(super) struct Memberships<'c>(pub(super) &'c mut PgConnection);

/// The columns `kind` and `thing_id`.
pub(super) fn place(of: MemberOf) -> (i16, i64) {
    match of {
        MemberOf::Instance => (0, 0),
        MemberOf::Organization(org) => (1, org.to_column()),
        MemberOf::Bucket(bucket) => (2, bucket.to_column()),
    }
}

/// The column `role`.
pub(super) fn number(role: Role) -> i16 {
    match role {
        Role::Owner => 0,
        Role::Member => 1,
    }
}

pub(super) fn membership(row: &PgRow) -> Result<Membership> {
    let damaged = || {
        corrupt(
            "membership",
            "it is of no known kind, or an id of it is zero",
        )
    };
    let thing = column(row, "thing_id")?;
    let of = match column::<i16>(row, "kind")? {
        0 => Some(MemberOf::Instance),
        1 => OrgId::from_column(thing).map(MemberOf::Organization),
        2 => BucketId::from_column(thing).map(MemberOf::Bucket),
        _ => None,
    };
    let role = match column::<i16>(row, "role")? {
        0 => Role::Owner,
        1 => Role::Member,
        _ => return Err(damaged()),
    };
    Ok(Membership {
        user: UserId::from_column(column(row, "user_id")?).ok_or_else(damaged)?,
        of: of.ok_or_else(damaged)?,
        role,
    })
}

#[async_trait]
impl MembershipRepository for Memberships<'_> {
    #[tracing::instrument(name = "db.membership.of_user", skip_all)]
    async fn of_user(&mut self, user: UserId) -> Result<Vec<Membership>> {
        let rows = sqlx::query(
            "SELECT user_id, kind, thing_id, role FROM memberships WHERE user_id = $1
             ORDER BY kind, thing_id",
        )
        .bind(user.to_column())
        .fetch_all(&mut *self.0)
        .await
        .map_err(store_error)?;
        rows.iter().map(membership).collect()
    }

    #[tracing::instrument(name = "db.membership.users", skip_all)]
    async fn users(&mut self, of: MemberOf, role: Role) -> Result<Vec<User>> {
        let (kind, thing) = place(of);
        let rows = sqlx::query(
            "SELECT u.id, u.name, u.active, u.oauth_id
             FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.kind = $1 AND m.thing_id = $2 AND m.role = $3 ORDER BY u.id",
        )
        .bind(kind)
        .bind(thing)
        .bind(number(role))
        .fetch_all(&mut *self.0)
        .await
        .map_err(store_error)?;
        rows.iter().map(users::user).collect()
    }

    #[tracing::instrument(name = "db.membership.insert", skip_all)]
    async fn insert(&mut self, new: &Membership) -> Result<()> {
        let (kind, thing) = place(new.of);
        let insert = sqlx::query(
            "INSERT INTO memberships (user_id, kind, thing_id, role) VALUES ($1, $2, $3, $4)",
        )
        .bind(new.user.to_column())
        .bind(kind)
        .bind(thing)
        .bind(number(new.role));
        guarded(self.0, insert).await?;
        Ok(())
    }

    #[tracing::instrument(name = "db.membership.delete", skip_all)]
    async fn delete(&mut self, user: UserId, of: MemberOf) -> Result<bool> {
        let (kind, thing) = place(of);
        let sql = "DELETE FROM memberships WHERE user_id = $1 AND kind = $2 AND thing_id = $3";
        let done = sqlx::query(sql)
            .bind(user.to_column())
            .bind(kind)
            .bind(thing)
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        Ok(done.rows_affected() > 0)
    }
}
