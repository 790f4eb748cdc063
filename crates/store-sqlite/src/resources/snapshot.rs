//! Everything but points and sessions at once, out of the database and back into it.

use influxd_model::{Bucket, BucketId, BucketKind, LabelId, OrgId, Organization, Status};
use influxd_store::columns::{
    label_key, name_key, organization_key, permissions_to_text, properties_to_text,
};
use influxd_store::{
    AuthorizationRecord, Result, SecretRecord, Snapshot, StoreError, UserRecord, Version,
};
use secrecy::{ExposeSecret, SecretSlice};
use sqlx::query_builder::Separated;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::authorizations::{authorization, stored_token, token_columns};
use super::{buckets, column, dbrps, labels, memberships, organizations, users};
use crate::chunks::{json_list, next_version};
use crate::error::{corrupt, store_error};

/// How many rows one statement inserts.
const BATCH: usize = 500;

/// Lets everything die that lives of some buckets.
const KILL: [&str; 5] = [
    "UPDATE fresh_chunks SET died = ?
     WHERE died IS NULL AND bucket_id IN (SELECT value FROM json_each(?))",
    "UPDATE chunks SET died = ?
     WHERE died IS NULL AND bucket_id IN (SELECT value FROM json_each(?))",
    "UPDATE tombstones SET died = ?
     WHERE died IS NULL AND bucket_id IN (SELECT value FROM json_each(?))",
    "UPDATE shard_windows SET died = ?
     WHERE died IS NULL AND bucket_id IN (SELECT value FROM json_each(?))",
    "UPDATE fields SET died = ?
     WHERE died IS NULL AND bucket_id IN (SELECT value FROM json_each(?))",
];

/// Reads it all; consistent within a transaction.
#[tracing::instrument(name = "db.snapshot.take", skip_all)]
pub(super) async fn take(conn: &mut SqliteConnection) -> Result<Snapshot> {
    Ok(Snapshot {
        organizations: read(
            conn,
            "SELECT id, name, description, created_at, updated_at FROM organizations ORDER BY id",
            organizations::organization,
        )
        .await?,
        users: read(
            conn,
            "SELECT u.id, u.name, u.active, u.oauth_id, p.hash
             FROM users u LEFT JOIN passwords p ON p.user_id = u.id ORDER BY u.id",
            |row| {
                Ok(UserRecord {
                    user: users::user(row)?,
                    password: column(row, "hash")?,
                })
            },
        )
        .await?,
        memberships: read(
            conn,
            "SELECT user_id, kind, thing_id, role FROM memberships
             ORDER BY user_id, kind, thing_id",
            memberships::membership,
        )
        .await?,
        buckets: read(
            conn,
            "SELECT id, org_id, name, kind, description, policy, retention, shard_duration,
                    created_at, updated_at
             FROM buckets ORDER BY id",
            buckets::bucket,
        )
        .await?,
        authorizations: read(
            conn,
            "SELECT id, v1_name, org_id, user_id, active, description, permissions, created_at,
                    updated_at, v1_password, token_digest, raw_token, escrow
             FROM authorizations ORDER BY id",
            |row| {
                Ok(AuthorizationRecord {
                    authorization: authorization(row)?,
                    token: stored_token(row)?,
                    escrow: column(row, "escrow")?,
                    password: column(row, "v1_password")?,
                })
            },
        )
        .await?,
        dbrps: read(
            conn,
            "SELECT id, org_id, bucket_id, database, policy, is_default FROM dbrps ORDER BY id",
            dbrps::dbrp,
        )
        .await?,
        labels: read(
            conn,
            "SELECT id, org_id, name, properties FROM labels ORDER BY id",
            labels::label,
        )
        .await?,
        bucket_labels: read(
            conn,
            "SELECT bucket_id, label_id FROM bucket_labels ORDER BY bucket_id, label_id",
            bucket_label,
        )
        .await?,
        secrets: read(
            conn,
            "SELECT org_id, key, value FROM secrets ORDER BY org_id, key",
            secret,
        )
        .await?,
    })
}

async fn read<T>(
    conn: &mut SqliteConnection,
    sql: &'static str,
    convert: impl Fn(&SqliteRow) -> Result<T>,
) -> Result<Vec<T>> {
    let rows = sqlx::query(sql).fetch_all(conn).await;
    rows.map_err(store_error)?.iter().map(convert).collect()
}

fn bucket_label(row: &SqliteRow) -> Result<(BucketId, LabelId)> {
    let zero = || corrupt("label", "an id of its place is zero");
    Ok((
        BucketId::from_column(column(row, "bucket_id")?).ok_or_else(zero)?,
        LabelId::from_column(column(row, "label_id")?).ok_or_else(zero)?,
    ))
}

pub(super) fn secret(row: &SqliteRow) -> Result<SecretRecord> {
    Ok(SecretRecord {
        org: OrgId::from_column(column(row, "org_id")?)
            .ok_or_else(|| corrupt("secret", "its organization's id is zero"))?,
        key: column(row, "key")?,
        value: SecretSlice::from(column::<Vec<u8>>(row, "value")?),
    })
}

/// Puts a snapshot in the place of everything but points.
#[tracing::instrument(name = "db.snapshot.restore", skip_all)]
pub(super) async fn restore(conn: &mut SqliteConnection, snapshot: &Snapshot) -> Result<()> {
    snapshot.check()?;
    let (version, _) = next_version(conn, 0).await?;
    for sql in [
        "DELETE FROM dbrps",
        "DELETE FROM memberships",
        "DELETE FROM bucket_labels",
        "DELETE FROM labels",
        "DELETE FROM secrets",
        "DELETE FROM passwords",
        "DELETE FROM users",
        "DELETE FROM authorizations",
        // Names may change places: no name is taken while they do.
        "UPDATE organizations SET name_key = CAST(id AS BLOB)",
        "UPDATE buckets SET name_key = CAST(id AS BLOB)",
    ] {
        run(conn, sql).await?;
    }
    put_organizations(conn, &snapshot.organizations).await?;
    put_buckets(conn, &snapshot.buckets, version).await?;
    let kept = json_list(snapshot.organizations.iter().map(|o| o.id.to_column()));
    sqlx::query("DELETE FROM organizations WHERE id NOT IN (SELECT value FROM json_each(?))")
        .bind(kept)
        .execute(&mut *conn)
        .await
        .map_err(contradiction)?;
    put_users(conn, snapshot).await?;
    put_authorizations(conn, &snapshot.authorizations).await?;
    put_the_rest(conn, snapshot).await
}

/// What a snapshot that passed its check cannot run into.
fn contradiction(error: sqlx::Error) -> StoreError {
    match store_error(error) {
        StoreError::Conflict(_) | StoreError::NotFound(_) => {
            corrupt("snapshot", "it contradicts itself")
        }
        other @ (StoreError::Corrupt { .. }
        | StoreError::Refused(_)
        | StoreError::Unusable(_)
        | StoreError::Unavailable(_)) => other,
    }
}

async fn run(conn: &mut SqliteConnection, sql: &'static str) -> Result<()> {
    sqlx::query(sql)
        .execute(conn)
        .await
        .map_err(contradiction)?;
    Ok(())
}

/// Inserts rows: `start`, a list of values, and `end`.
async fn insert<T: Sync>(
    conn: &mut SqliteConnection,
    (start, end): (&'static str, &'static str),
    all: &[T],
    values: impl Fn(&mut Separated<'_, Sqlite, &'static str>, &T) + Send + Sync,
) -> Result<()> {
    for batch in all.chunks(BATCH) {
        let mut query = QueryBuilder::new(start);
        query.push_values(batch, |mut row, one| values(&mut row, one));
        query.push(end);
        let insert = query.build().persistent(false).execute(&mut *conn).await;
        insert.map_err(contradiction)?;
    }
    Ok(())
}

async fn put_organizations(conn: &mut SqliteConnection, all: &[Organization]) -> Result<()> {
    let sql = (
        "INSERT INTO organizations (id, name, name_key, description, created_at, updated_at) ",
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
              description = excluded.description, created_at = excluded.created_at,
              updated_at = excluded.updated_at",
    );
    insert(conn, sql, all, |row, it| {
        row.push_bind(it.id.to_column())
            .push_bind(&it.name)
            .push_bind(organization_key(&it.name).to_vec())
            .push_bind(&it.description)
            .push_bind(it.created_at)
            .push_bind(it.updated_at);
    })
    .await
}

/// Those that are there keep their points, those that go are treated as deleted. Of those that
/// come back, what a deleted one of the same id has left dies, as if its removal were over; and
/// whoever remembers types of it has to ask again.
async fn put_buckets(conn: &mut SqliteConnection, all: &[Bucket], version: Version) -> Result<()> {
    let ids = json_list(all.iter().map(|b| b.id.to_column()));
    for sql in [
        "INSERT INTO deleted_buckets (id, version)
         SELECT id, ?2 FROM buckets WHERE id NOT IN (SELECT value FROM json_each(?1))",
        "DELETE FROM buckets WHERE id NOT IN (SELECT value FROM json_each(?1))",
    ] {
        let query = sqlx::query(sql).bind(&ids).bind(version);
        query.execute(&mut *conn).await.map_err(contradiction)?;
    }
    let back = sqlx::query(
        "DELETE FROM deleted_buckets WHERE id IN (SELECT value FROM json_each(?)) RETURNING id",
    )
    .bind(&ids)
    .fetch_all(&mut *conn)
    .await
    .map_err(store_error)?;
    if !back.is_empty() {
        let back: Vec<i64> = back
            .iter()
            .map(|row| column(row, "id"))
            .collect::<Result<_>>()?;
        let back = json_list(back);
        for sql in KILL {
            let query = sqlx::query(sql).bind(version).bind(&back);
            query.execute(&mut *conn).await.map_err(store_error)?;
        }
    }
    let sql = (
        "INSERT INTO buckets (id, org_id, name, name_key, kind, description, policy, retention,
                              shard_duration, created_at, updated_at, epoch) ",
        " ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id, name = excluded.name,
              name_key = excluded.name_key, kind = excluded.kind,
              description = excluded.description, policy = excluded.policy,
              retention = excluded.retention, shard_duration = excluded.shard_duration,
              created_at = excluded.created_at, updated_at = excluded.updated_at",
    );
    insert(conn, sql, all, |row, it| {
        row.push_bind(it.id.to_column())
            .push_bind(it.org.to_column())
            .push_bind(&it.name)
            .push_bind(name_key(&it.name).to_vec())
            .push_bind(i64::from(it.kind == BucketKind::System))
            .push_bind(&it.description)
            .push_bind(&it.policy)
            .push_bind(it.retention)
            .push_bind(it.shard_duration)
            .push_bind(it.created_at)
            .push_bind(it.updated_at)
            .push_bind(version);
    })
    .await
}

async fn put_users(conn: &mut SqliteConnection, snapshot: &Snapshot) -> Result<()> {
    let sql = (
        "INSERT INTO users (id, name, name_key, active, oauth_id) ",
        "",
    );
    insert(
        conn,
        sql,
        &snapshot.users,
        |row, UserRecord { user, .. }| {
            row.push_bind(user.id.to_column())
                .push_bind(&user.name)
                .push_bind(name_key(&user.name).to_vec())
                .push_bind(user.status == Status::Active)
                .push_bind(&user.oauth_id);
        },
    )
    .await?;
    let sql = ("INSERT INTO passwords (user_id, hash) ", "");
    let mut passwords = Vec::new();
    for it in &snapshot.users {
        passwords.extend(it.password.as_deref().map(|hash| (it.user.id, hash)));
    }
    insert(conn, sql, &passwords, |row, (user, hash)| {
        row.push_bind(user.to_column()).push_bind(*hash);
    })
    .await?;
    let sql = (
        "INSERT INTO memberships (user_id, kind, thing_id, role) ",
        "",
    );
    insert(conn, sql, &snapshot.memberships, |row, it| {
        let (kind, thing) = memberships::place(it.of);
        row.push_bind(it.user.to_column())
            .push_bind(kind)
            .push_bind(thing)
            .push_bind(memberships::number(it.role));
    })
    .await
}

async fn put_authorizations(
    conn: &mut SqliteConnection,
    all: &[AuthorizationRecord],
) -> Result<()> {
    let sql = (
        "INSERT INTO authorizations (id, v1_name, v1_name_key, org_id, user_id, active,
                                     description, permissions, created_at, updated_at,
                                     v1_password, token_digest, raw_token, raw_key, escrow) ",
        "",
    );
    insert(conn, sql, all, |row, record| {
        let it = &record.authorization;
        let (digest, raw, raw_key) = token_columns(record.token.as_ref());
        row.push_bind(it.id.to_column())
            .push_bind(&it.v1_name)
            .push_bind(it.v1_name.as_deref().map(|name| name_key(name).to_vec()))
            .push_bind(it.org.to_column())
            .push_bind(it.user.to_column())
            .push_bind(it.status == Status::Active)
            .push_bind(&it.description)
            .push_bind(permissions_to_text(&it.permissions))
            .push_bind(it.created_at)
            .push_bind(it.updated_at)
            .push_bind(&record.password)
            .push_bind(digest)
            .push_bind(raw)
            .push_bind(raw_key)
            .push_bind(&record.escrow);
    })
    .await
}

async fn put_the_rest(conn: &mut SqliteConnection, snapshot: &Snapshot) -> Result<()> {
    let sql = (
        "INSERT INTO dbrps (id, org_id, bucket_id, database, database_key, policy, policy_key,
                            is_default) ",
        "",
    );
    insert(conn, sql, &snapshot.dbrps, |row, it| {
        row.push_bind(it.id.to_column())
            .push_bind(it.org.to_column())
            .push_bind(it.bucket.to_column())
            .push_bind(&it.database)
            .push_bind(name_key(&it.database).to_vec())
            .push_bind(&it.policy)
            .push_bind(name_key(&it.policy).to_vec())
            .push_bind(it.is_default);
    })
    .await?;
    let sql = (
        "INSERT INTO labels (id, org_id, name, name_key, properties) ",
        "",
    );
    insert(conn, sql, &snapshot.labels, |row, it| {
        row.push_bind(it.id.to_column())
            .push_bind(it.org.to_column())
            .push_bind(&it.name)
            .push_bind(label_key(&it.name).to_vec())
            .push_bind(properties_to_text(&it.properties));
    })
    .await?;
    let sql = ("INSERT INTO bucket_labels (bucket_id, label_id) ", "");
    insert(
        conn,
        sql,
        &snapshot.bucket_labels,
        |row, (bucket, label)| {
            row.push_bind(bucket.to_column())
                .push_bind(label.to_column());
        },
    )
    .await?;
    let sql = ("INSERT INTO secrets (org_id, key, key_digest, value) ", "");
    insert(conn, sql, &snapshot.secrets, |row, it| {
        row.push_bind(it.org.to_column())
            .push_bind(&it.key)
            .push_bind(name_key(&it.key).to_vec())
            .push_bind(it.value.expose_secret());
    })
    .await
}
