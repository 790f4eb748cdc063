//! Owners and members.

use async_trait::async_trait;
use influxd_model::{BucketId, MemberOf, Membership, OrgId, Role, User, UserId};
use influxd_store::{MembershipRepository, Result};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{BUCKET, ORGANIZATION, USER, column, must_exist, users};
use crate::error::{corrupt, store_error};

pub(super) struct Memberships<'c>(pub(super) &'c mut SqliteConnection);

/// The columns `kind` and `thing_id`.
pub(super) fn place(of: MemberOf) -> (i64, i64) {
    match of {
        MemberOf::Instance => (0, 0),
        MemberOf::Organization(org) => (1, org.to_column()),
        MemberOf::Bucket(bucket) => (2, bucket.to_column()),
    }
}

/// The column `role`.
pub(super) fn number(role: Role) -> i64 {
    match role {
        Role::Owner => 0,
        Role::Member => 1,
    }
}

pub(super) fn membership(row: &SqliteRow) -> Result<Membership> {
    let damaged = || {
        corrupt(
            "membership",
            "it is of no known kind, or an id of it is zero",
        )
    };
    let thing = column(row, "thing_id")?;
    let of = match column::<i64>(row, "kind")? {
        0 => Some(MemberOf::Instance),
        1 => OrgId::from_column(thing).map(MemberOf::Organization),
        2 => BucketId::from_column(thing).map(MemberOf::Bucket),
        _ => None,
    };
    let role = match column::<i64>(row, "role")? {
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
            "SELECT user_id, kind, thing_id, role FROM memberships WHERE user_id = ?
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
             WHERE m.kind = ? AND m.thing_id = ? AND m.role = ? ORDER BY u.id",
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
        let user = new.user.to_column();
        must_exist(self.0, USER, user).await?;
        match new.of {
            MemberOf::Instance => {}
            MemberOf::Organization(_) => {
                must_exist(self.0, ORGANIZATION, thing).await?;
            }
            MemberOf::Bucket(_) => {
                must_exist(self.0, BUCKET, thing).await?;
            }
        }
        let insert = sqlx::query(
            "INSERT INTO memberships (user_id, kind, thing_id, role) VALUES (?, ?, ?, ?)",
        )
        .bind(user)
        .bind(kind)
        .bind(thing)
        .bind(number(new.role));
        insert.execute(&mut *self.0).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.membership.delete", skip_all)]
    async fn delete(&mut self, user: UserId, of: MemberOf) -> Result<bool> {
        let (kind, thing) = place(of);
        let sql = "DELETE FROM memberships WHERE user_id = ? AND kind = ? AND thing_id = ?";
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
