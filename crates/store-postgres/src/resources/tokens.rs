//! What is stored of API tokens.

use std::collections::BTreeMap;

use async_trait::async_trait;
use influxd_model::AuthorizationId;
use influxd_store::columns::{behind_prefix, digest_prefix};
use influxd_store::{
    AuthorizationFilter, AuthorizationKind, RawToken, Result, StoreError, StoredToken, TokenForm,
    TokenRepository,
};
use secrecy::SecretSlice;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, QueryBuilder};

use super::authorizations::{push_filter, token_columns};
use super::{column, guarded, must_change};
use crate::error::{corrupt, store_error};

pub(super) struct Tokens<'c>(pub(super) &'c mut PgConnection);

fn id(row: &PgRow) -> Result<AuthorizationId> {
    AuthorizationId::from_column(column(row, "id")?)
        .ok_or_else(|| corrupt("authorization", "its id is zero"))
}

fn raw_token(row: &PgRow) -> Result<(AuthorizationId, RawToken)> {
    let text = column::<&[u8]>(row, "raw_token")?.to_vec();
    Ok((id(row)?, RawToken::new(SecretSlice::from(text))))
}

/// The column behind which a list goes on.
fn behind(after: Option<AuthorizationId>) -> i64 {
    // No id is zero, whose column this is.
    after.map_or(i64::MIN, AuthorizationId::to_column)
}

#[async_trait]
impl TokenRepository for Tokens<'_> {
    #[tracing::instrument(name = "db.token.raw", skip_all)]
    async fn raw(
        &mut self,
        filter: &AuthorizationFilter,
    ) -> Result<Vec<(AuthorizationId, RawToken)>> {
        if filter.kind == AuthorizationKind::V1User {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::new(
            "SELECT id, raw_token FROM authorizations AS a WHERE raw_key IS NOT NULL",
        );
        push_filter(&mut query, filter);
        query.push(" ORDER BY id + 0");
        let rows = query.build().fetch_all(&mut *self.0).await;
        rows.map_err(store_error)?.iter().map(raw_token).collect()
    }

    #[tracing::instrument(name = "db.token.find_raw", skip_all)]
    async fn find_raw(&mut self, id: AuthorizationId) -> Result<Option<RawToken>> {
        let row = sqlx::query(
            "SELECT id, raw_token FROM authorizations WHERE id = $1 AND raw_key IS NOT NULL",
        )
        .bind(id.to_column())
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        let found = row.as_ref().map(raw_token).transpose()?;
        Ok(found.map(|(_, token)| token))
    }

    #[tracing::instrument(name = "db.token.unhashed", skip_all)]
    async fn unhashed(&mut self, limit: u32) -> Result<Vec<(AuthorizationId, RawToken)>> {
        let rows = sqlx::query(
            "SELECT id, raw_token FROM authorizations WHERE raw_key IS NOT NULL
             ORDER BY id + 0 LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0)
        .await
        .map_err(store_error)?;
        rows.iter().map(raw_token).collect()
    }

    #[tracing::instrument(name = "db.token.digests", skip_all)]
    async fn digests(
        &mut self,
        prefix: &str,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<(AuthorizationId, String)>> {
        // Along the ids, and not by the index of digests or through the whole table: every batch
        // would sort all that is left. The planner knows nothing of digests to decide that.
        let rows = sqlx::query(
            "SELECT id, token_digest FROM
               (SELECT id, token_digest FROM authorizations WHERE id > $2 ORDER BY id OFFSET 0) AS a
             WHERE left(token_digest, length($1)) = $1 LIMIT $3",
        )
        .bind(prefix)
        .bind(behind(after))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0)
        .await
        .map_err(store_error)?;
        rows.iter()
            .map(|row| Ok((id(row)?, column(row, "token_digest")?)))
            .collect()
    }

    #[tracing::instrument(name = "db.token.replace", skip_all)]
    async fn replace(&mut self, id: AuthorizationId, token: &StoredToken) -> Result<()> {
        let (digest, raw, raw_key) = token_columns(Some(token));
        let update = sqlx::query(
            "UPDATE authorizations SET token_digest = $1, raw_token = $2, raw_key = $3
             WHERE id = $4 AND v1_name_key IS NULL",
        )
        .bind(digest)
        .bind(raw)
        .bind(raw_key)
        .bind(id.to_column());
        let done = guarded(self.0, update).await?;
        must_change(&done, "authorization")
    }

    #[tracing::instrument(name = "db.token.replace_all", skip_all)]
    async fn replace_all(&mut self, tokens: &[(AuthorizationId, StoredToken)]) -> Result<()> {
        let (mut ids, mut digests) = (Vec::new(), Vec::new());
        let (mut raws, mut raw_keys) = (Vec::new(), Vec::new());
        for (id, token) in tokens {
            let (digest, raw, raw_key) = token_columns(Some(token));
            ids.push(id.to_column());
            digests.push(digest);
            raws.push(raw);
            raw_keys.push(raw_key);
        }
        let done = sqlx::query(
            "UPDATE authorizations AS a
             SET token_digest = new.digest, raw_token = new.raw, raw_key = new.raw_key
             FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[])
               AS new (id, digest, raw, raw_key)
             WHERE a.id = new.id AND a.v1_name_key IS NULL",
        )
        .bind(ids)
        .bind(digests)
        .bind(raws)
        .bind(raw_keys)
        .execute(&mut *self.0)
        .await
        .map_err(store_error)?;
        if done.rows_affected() != tokens.len() as u64 {
            return Err(StoreError::NotFound("authorization"));
        }
        Ok(())
    }

    #[tracing::instrument(name = "db.token.put_in_escrow", skip_all)]
    async fn put_in_escrow(&mut self, id: AuthorizationId, sealed: &[u8]) -> Result<()> {
        let sql = "UPDATE authorizations SET escrow = $1 WHERE id = $2 AND v1_name_key IS NULL";
        let put = sqlx::query(sql).bind(sealed).bind(id.to_column());
        let done = put.execute(&mut *self.0).await.map_err(store_error)?;
        must_change(&done, "authorization")
    }

    #[tracing::instrument(name = "db.token.in_escrow", skip_all)]
    async fn in_escrow(
        &mut self,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<(AuthorizationId, Vec<u8>)>> {
        let rows = sqlx::query(
            "SELECT id, escrow FROM authorizations WHERE escrow IS NOT NULL AND id + 0 > $1
             ORDER BY id + 0 LIMIT $2",
        )
        .bind(behind(after))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0)
        .await
        .map_err(store_error)?;
        rows.iter()
            .map(|row| Ok((id(row)?, column(row, "escrow")?)))
            .collect()
    }

    #[tracing::instrument(name = "db.token.forms", skip_all)]
    async fn forms(&mut self) -> Result<Vec<(TokenForm, u64)>> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM authorizations WHERE raw_key IS NOT NULL) AS raw,
                    (SELECT count(*) FROM authorizations
                     WHERE token_digest IS NULL AND raw_key IS NULL AND v1_name_key IS NULL)
                    AS missing",
        )
        .fetch_one(&mut *self.0)
        .await
        .map_err(store_error)?;
        let count = |name| Ok::<_, StoreError>(column::<i64>(&row, name)?.unsigned_abs());
        let mut forms = BTreeMap::from([
            (TokenForm::Raw, count("raw")?),
            (TokenForm::Missing, count("missing")?),
        ]);
        self.count_digests(&mut forms).await?;
        forms.retain(|_, count| *count > 0);
        Ok(forms.into_iter().collect())
    }
}

impl Tokens<'_> {
    /// Counts digests by their prefix: from one prefix to the next along the index of digests.
    async fn count_digests(&mut self, forms: &mut BTreeMap<TokenForm, u64>) -> Result<()> {
        let mut from = Some(String::new());
        while let Some(bound) = from {
            let first = sqlx::query(
                "SELECT token_digest FROM authorizations WHERE token_digest >= $1
                 ORDER BY token_digest LIMIT 1",
            )
            .bind(&bound)
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
            let Some(first) = first else {
                return Ok(());
            };
            let first: String = column(&first, "token_digest")?;
            let prefix = digest_prefix(&first);
            let end = behind_prefix(prefix);
            // Some among these may have a longer prefix: one that has more of these signs.
            let longer = format!("%{}", "$%".repeat(prefix.matches('$').count() + 1));
            let row = sqlx::query(
                "SELECT count(*) AS all_of_it,
                        count(*) FILTER (WHERE token_digest LIKE $3) AS longer
                 FROM authorizations WHERE token_digest >= $1 AND token_digest < $2",
            )
            .bind(prefix)
            .bind(&end)
            .bind(&longer)
            .fetch_one(&mut *self.0)
            .await
            .map_err(store_error)?;
            let others: i64 = column(&row, "longer")?;
            let these = column::<i64>(&row, "all_of_it")? - others;
            let form = TokenForm::Digest(prefix.to_owned());
            forms.insert(form, these.unsigned_abs());
            from = Some(end);
            if others > 0 {
                let row = sqlx::query(
                    "SELECT min(token_digest) AS next FROM authorizations
                     WHERE token_digest > $1 AND token_digest < $2 AND token_digest LIKE $3",
                )
                .bind(&first)
                .bind(&from)
                .bind(&longer)
                .fetch_one(&mut *self.0)
                .await
                .map_err(store_error)?;
                from = column::<Option<String>>(&row, "next")?.or(from);
            }
        }
        Ok(())
    }
}
