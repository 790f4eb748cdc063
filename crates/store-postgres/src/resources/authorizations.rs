//! API tokens, found by what is stored of them, and 1.x users, found by name.

use async_trait::async_trait;
use influxd_model::{Authorization, AuthorizationId, OrgId, Status, UserId};
use influxd_store::columns::{
    OtherForm, name_key, other_form, permissions_from_text, permissions_to_text, refuse_nul,
    refuse_wrong_kind,
};
use influxd_store::{
    AuthorizationFilter, AuthorizationKind, AuthorizationRepository, RawToken, Result, StoreError,
    StoredToken, TokenForms, Unique,
};
use secrecy::{ExposeSecret, SecretSlice};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::{column, guarded, must_change, users};
use crate::error::{corrupt, store_error};

pub(super) struct Authorizations<'c>(pub(super) &'c mut PgConnection);

pub(super) fn authorization(row: &PgRow) -> Result<Authorization> {
    let zero = || corrupt("authorization", "an id of it is zero");
    Ok(Authorization {
        id: AuthorizationId::from_column(column(row, "id")?).ok_or_else(zero)?,
        v1_name: column(row, "v1_name")?,
        org: OrgId::from_column(column(row, "org_id")?).ok_or_else(zero)?,
        user: UserId::from_column(column(row, "user_id")?).ok_or_else(zero)?,
        status: users::status(column(row, "active")?),
        description: column(row, "description")?,
        permissions: permissions_from_text(column(row, "permissions")?)?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
    })
}

/// What is stored of a token.
pub(super) fn stored_token(row: &PgRow) -> Result<Option<StoredToken>> {
    if let Some(raw) = column::<Option<&[u8]>>(row, "raw_token")? {
        let raw = RawToken::new(SecretSlice::from(raw.to_vec()));
        return Ok(Some(StoredToken::Raw(raw)));
    }
    let digest = column::<Option<String>>(row, "token_digest")?;
    Ok(digest.map(StoredToken::Digest))
}

/// A token in its columns: the digest, or the raw token with its key.
pub(super) fn token_columns(
    token: Option<&StoredToken>,
) -> (Option<&str>, Option<&[u8]>, Option<&[u8]>) {
    match token {
        None => (None, None, None),
        Some(StoredToken::Digest(digest)) => (Some(digest), None, None),
        Some(StoredToken::Raw(raw)) => (None, Some(raw.text().expose_secret()), Some(raw.key())),
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, v1_name, org_id, user_id, active, description, permissions,
                    created_at, updated_at, v1_password, token_digest, raw_token
             FROM authorizations ",
            $rest
        )
    };
}

/// Whether those of a kind have a name.
fn named(kind: AuthorizationKind) -> bool {
    match kind {
        AuthorizationKind::ApiToken => false,
        AuthorizationKind::V1User => true,
    }
}

/// The conditions of a filter but the kind, on `authorizations AS a`.
pub(super) fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &AuthorizationFilter) {
    if let Some(org) = filter.org {
        query.push(" AND org_id = ").push_bind(org.to_column());
    }
    if let Some(user) = filter.user {
        query.push(" AND user_id = ").push_bind(user.to_column());
    }
    if filter.living {
        query.push(
            " AND EXISTS (SELECT 1 FROM organizations o WHERE o.id = a.org_id)
              AND EXISTS (SELECT 1 FROM users u WHERE u.id = a.user_id)",
        );
    }
}

impl Authorizations<'_> {
    /// `Conflict` if a token is stored in the other form of one that is to be added.
    async fn must_be_new(&mut self, other: &OtherForm) -> Result<()> {
        let query = match other {
            OtherForm::Digest(digest) => {
                sqlx::query("SELECT 1 FROM authorizations WHERE token_digest = $1").bind(digest)
            }
            OtherForm::RawKey(key) => {
                sqlx::query("SELECT 1 FROM authorizations WHERE raw_key = $1").bind(key.as_slice())
            }
        };
        let row = query.fetch_optional(&mut *self.0).await;
        if row.map_err(store_error)?.is_some() {
            return Err(StoreError::Conflict(Unique::Token));
        }
        Ok(())
    }
}

#[async_trait]
impl AuthorizationRepository for Authorizations<'_> {
    #[tracing::instrument(name = "db.authorization.find", skip_all)]
    async fn find(
        &mut self,
        kind: AuthorizationKind,
        id: AuthorizationId,
    ) -> Result<Option<Authorization>> {
        let row = sqlx::query(select!("WHERE id = $1 AND (v1_name_key IS NOT NULL) = $2"))
            .bind(id.to_column())
            .bind(named(kind))
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
        row.as_ref().map(authorization).transpose()
    }

    #[tracing::instrument(name = "db.authorization.find_by_token", skip_all)]
    async fn find_by_token(
        &mut self,
        forms: &TokenForms,
    ) -> Result<Option<(Authorization, StoredToken)>> {
        let row = sqlx::query(select!(
            "WHERE raw_key = $1 OR token_digest = ANY($2)
             ORDER BY array_position($2, token_digest) NULLS FIRST LIMIT 1"
        ))
        .bind(forms.raw_key.as_slice())
        .bind(&forms.digests)
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let token = stored_token(&row)?;
        let token = token.ok_or_else(|| corrupt("authorization", "its token is missing"))?;
        Ok(Some((authorization(&row)?, token)))
    }

    #[tracing::instrument(name = "db.authorization.find_v1_user", skip_all)]
    async fn find_v1_user(
        &mut self,
        name: &str,
    ) -> Result<Option<(Authorization, Option<String>)>> {
        let row = sqlx::query(select!("WHERE v1_name_key = $1"))
            .bind(name_key(name).to_vec())
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
        match row {
            Some(row) => Ok(Some((authorization(&row)?, column(&row, "v1_password")?))),
            None => Ok(None),
        }
    }

    #[tracing::instrument(name = "db.authorization.list", skip_all)]
    async fn list(&mut self, filter: &AuthorizationFilter) -> Result<Vec<Authorization>> {
        let mut query = QueryBuilder::new(select!("AS a WHERE v1_name_key IS "));
        query.push(if named(filter.kind) {
            "NOT NULL"
        } else {
            "NULL"
        });
        push_filter(&mut query, filter);
        query.push(" ORDER BY id");
        let rows = query.build().fetch_all(&mut *self.0).await;
        rows.map_err(store_error)?
            .iter()
            .map(authorization)
            .collect()
    }

    #[tracing::instrument(name = "db.authorization.insert", skip_all)]
    async fn insert(&mut self, new: &Authorization, token: Option<&StoredToken>) -> Result<()> {
        refuse_nul(&[&new.description, new.v1_name.as_deref().unwrap_or_default()])?;
        refuse_wrong_kind(new, token)?;
        if let Some(other) = token.and_then(other_form) {
            self.must_be_new(&other).await?;
        }
        let (digest, raw, raw_key) = token_columns(token);
        users::keep(self.0, new.user).await?;
        let insert = sqlx::query(
            "INSERT INTO authorizations (id, v1_name, v1_name_key, org_id, user_id, active,
                                         description, permissions, created_at, updated_at,
                                         token_digest, raw_token, raw_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(new.id.to_column())
        .bind(&new.v1_name)
        .bind(new.v1_name.as_deref().map(|name| name_key(name).to_vec()))
        .bind(new.org.to_column())
        .bind(new.user.to_column())
        .bind(new.status == Status::Active)
        .bind(&new.description)
        .bind(permissions_to_text(&new.permissions))
        .bind(new.created_at)
        .bind(new.updated_at)
        .bind(digest)
        .bind(raw)
        .bind(raw_key);
        guarded(self.0, insert).await?;
        Ok(())
    }

    #[tracing::instrument(name = "db.authorization.update", skip_all)]
    async fn update(&mut self, changed: &Authorization) -> Result<()> {
        refuse_nul(&[&changed.description])?;
        let done = sqlx::query(
            "UPDATE authorizations SET active = $1, description = $2, updated_at = $3
             WHERE id = $4 AND (v1_name_key IS NOT NULL) = $5",
        )
        .bind(changed.status == Status::Active)
        .bind(&changed.description)
        .bind(changed.updated_at)
        .bind(changed.id.to_column())
        .bind(changed.v1_name.is_some())
        .execute(&mut *self.0)
        .await
        .map_err(store_error)?;
        must_change(&done, "authorization")
    }

    #[tracing::instrument(name = "db.authorization.set_password", skip_all)]
    async fn set_password(&mut self, id: AuthorizationId, hash: &str) -> Result<()> {
        let done = sqlx::query(
            "UPDATE authorizations SET v1_password = $1
             WHERE id = $2 AND v1_name_key IS NOT NULL",
        )
        .bind(hash)
        .bind(id.to_column())
        .execute(&mut *self.0)
        .await
        .map_err(store_error)?;
        must_change(&done, "authorization")
    }

    #[tracing::instrument(name = "db.authorization.delete", skip_all)]
    async fn delete(&mut self, kind: AuthorizationKind, id: AuthorizationId) -> Result<()> {
        let sql = "DELETE FROM authorizations WHERE id = $1 AND (v1_name_key IS NOT NULL) = $2";
        let done = sqlx::query(sql)
            .bind(id.to_column())
            .bind(named(kind))
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        must_change(&done, "authorization")
    }
}
