//! A [`Snapshot`] as bytes: what a backup of the metadata is.
//!
//! The bytes are the line `influxd-rs metadata 1`, a JSON document, and behind its newline the
//! SHA-256 of all before, as hex digits. A damaged or foreign file is refused before anything of it
//! is believed. Digests stay digests; tokens that are stored raw are in it raw.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use influxd_model::{
    Authorization, AuthorizationId, Bucket, BucketId, BucketKind, Dbrp, Label, MemberOf,
    Membership, OrgId, Organization, Permission, Role, Status, User,
};
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::columns::{permissions_from_text, permissions_to_text};
use crate::{AuthorizationRecord, RawToken, SecretRecord, Snapshot, StoredToken, UserRecord};

/// What an archive begins with; the number is that of the format.
const MAGIC: &[u8] = b"influxd-rs metadata 1\n";
/// What archives of all formats begin with.
const NAME: &[u8] = b"influxd-rs metadata ";
const DIGITS: usize = 64;

/// Why bytes are no archive that can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Not made by this server.
    #[error("this is no backup of the metadata made by influxd-rs")]
    Foreign,
    /// Made by a newer server.
    #[error("this backup was made by a newer server; restore it with that one")]
    Newer,
    /// Something was changed or is missing.
    #[error("this backup is damaged or incomplete")]
    Damaged,
}

#[derive(Serialize, Deserialize)]
struct Document {
    organizations: Vec<OrganizationRow>,
    users: Vec<UserRow>,
    memberships: Vec<MembershipRow>,
    buckets: Vec<BucketRow>,
    /// The different sets of permissions: there are few, and an operator's takes 2 kB.
    permission_sets: Vec<String>,
    authorizations: Vec<AuthorizationRow>,
    dbrps: Vec<DbrpRow>,
    labels: Vec<LabelRow>,
    bucket_labels: Vec<(String, String)>,
    secrets: Vec<SecretRow>,
}

#[derive(Serialize, Deserialize)]
struct OrganizationRow {
    id: String,
    name: String,
    description: String,
    created_at: i64,
    updated_at: i64,
}

#[derive(Serialize, Deserialize)]
struct UserRow {
    id: String,
    name: String,
    status: String,
    oauth_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct MembershipRow {
    user: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct BucketRow {
    id: String,
    organization: String,
    name: String,
    is_system: bool,
    description: String,
    policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<i64>,
    shard_duration: i64,
    created_at: i64,
    updated_at: i64,
}

#[derive(Serialize, Deserialize)]
struct AuthorizationRow {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    v1_name: Option<String>,
    organization: String,
    user: String,
    status: String,
    description: String,
    /// Which of the sets.
    permissions: usize,
    created_at: i64,
    updated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escrow: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct DbrpRow {
    id: String,
    organization: String,
    bucket: String,
    database: String,
    policy: String,
    is_default: bool,
}

#[derive(Serialize, Deserialize)]
struct LabelRow {
    id: String,
    organization: String,
    name: String,
    properties: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct SecretRow {
    organization: String,
    key: String,
    value: String,
}

/// The bytes of a snapshot. They hold whatever credentials the store holds, in the form in which
/// it holds them: wiped when dropped.
pub fn encode(snapshot: &Snapshot) -> SecretSlice<u8> {
    let mut sets = PermissionSets::default();
    let authorizations = snapshot.authorizations.iter();
    let authorizations = authorizations.map(|it| AuthorizationRow::new(it, &mut sets));
    let authorizations = authorizations.collect();
    let document = Document {
        organizations: snapshot.organizations.iter().map(Into::into).collect(),
        users: snapshot.users.iter().map(Into::into).collect(),
        memberships: snapshot.memberships.iter().map(Into::into).collect(),
        buckets: snapshot.buckets.iter().map(Into::into).collect(),
        authorizations,
        permission_sets: sets.texts,
        dbrps: snapshot.dbrps.iter().map(Into::into).collect(),
        labels: snapshot.labels.iter().map(Into::into).collect(),
        bucket_labels: snapshot
            .bucket_labels
            .iter()
            .map(|(bucket, label)| (bucket.to_string(), label.to_string()))
            .collect(),
        secrets: snapshot.secrets.iter().map(Into::into).collect(),
    };
    let mut bytes = MAGIC.to_vec();
    serde_json::to_writer(&mut bytes, &document).expect("texts and numbers always serialize");
    bytes.push(b'\n');
    let digest = hex(&Sha256::digest(&bytes));
    bytes.extend_from_slice(digest.as_bytes());
    SecretSlice::from(bytes)
}

/// The snapshot that [`encode`] made these bytes of.
pub fn decode(bytes: &[u8]) -> Result<Snapshot, ArchiveError> {
    if !bytes.starts_with(NAME) {
        return Err(ArchiveError::Foreign);
    }
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(ArchiveError::Newer);
    };
    let end = bytes
        .len()
        .checked_sub(DIGITS)
        .ok_or(ArchiveError::Damaged)?;
    let (sealed, digest) = bytes.split_at(end);
    if hex(&Sha256::digest(sealed)).as_bytes() != digest {
        return Err(ArchiveError::Damaged);
    }
    let text = rest
        .get(..rest.len() - DIGITS)
        .ok_or(ArchiveError::Damaged)?;
    let document: Document = serde_json::from_slice(text).map_err(|_| ArchiveError::Damaged)?;
    let sets = document.permission_sets.iter().map(|text| {
        let set = permissions_from_text(text);
        set.map_err(|_| ArchiveError::Damaged)
    });
    let sets: Vec<_> = sets.collect::<Result<_, _>>()?;
    Ok(Snapshot {
        organizations: all(document.organizations)?,
        users: all(document.users)?,
        memberships: all(document.memberships)?,
        buckets: all(document.buckets)?,
        authorizations: document
            .authorizations
            .into_iter()
            .map(|row| authorization(row, &sets))
            .collect::<Result<_, _>>()?,
        dbrps: all(document.dbrps)?,
        labels: all(document.labels)?,
        bucket_labels: document
            .bucket_labels
            .iter()
            .map(|(bucket, label)| Ok((id(bucket)?, id(label)?)))
            .collect::<Result<_, ArchiveError>>()?,
        secrets: all(document.secrets)?,
    })
}

fn all<R, T: TryFrom<R, Error = ArchiveError>>(rows: Vec<R>) -> Result<Vec<T>, ArchiveError> {
    rows.into_iter().map(T::try_from).collect()
}

fn id<T: FromStr>(text: &str) -> Result<T, ArchiveError> {
    text.parse().map_err(|_| ArchiveError::Damaged)
}

fn status(text: &str) -> Result<Status, ArchiveError> {
    Status::from_name(text).ok_or(ArchiveError::Damaged)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, ArchiveError> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(ArchiveError::Damaged);
    }
    digits
        .chunks_exact(2)
        .map(|pair| {
            let digit = |b: u8| char::from(b).to_digit(16).ok_or(ArchiveError::Damaged);
            Ok((digit(pair[0])? << 4 | digit(pair[1])?) as u8)
        })
        .collect()
}

fn secret(text: String) -> Result<SecretSlice<u8>, ArchiveError> {
    let bytes = unhex(&text)?;
    // The text goes with its bytes wiped, too.
    drop(SecretSlice::from(text.into_bytes()));
    Ok(SecretSlice::from(bytes))
}

impl From<&Organization> for OrganizationRow {
    fn from(it: &Organization) -> Self {
        Self {
            id: it.id.to_string(),
            name: it.name.clone(),
            description: it.description.clone(),
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

impl TryFrom<OrganizationRow> for Organization {
    type Error = ArchiveError;

    fn try_from(row: OrganizationRow) -> Result<Self, ArchiveError> {
        Ok(Self {
            id: id(&row.id)?,
            name: row.name,
            description: row.description,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<&UserRecord> for UserRow {
    fn from(it: &UserRecord) -> Self {
        Self {
            id: it.user.id.to_string(),
            name: it.user.name.clone(),
            status: it.user.status.name().to_owned(),
            oauth_id: it.user.oauth_id.clone(),
            password: it.password.clone(),
        }
    }
}

impl TryFrom<UserRow> for UserRecord {
    type Error = ArchiveError;

    fn try_from(row: UserRow) -> Result<Self, ArchiveError> {
        let user = User {
            id: id(&row.id)?,
            name: row.name,
            status: status(&row.status)?,
            oauth_id: row.oauth_id,
        };
        let password = row.password;
        Ok(Self { user, password })
    }
}

impl From<&Membership> for MembershipRow {
    fn from(it: &Membership) -> Self {
        let (organization, bucket) = match it.of {
            MemberOf::Instance => (None, None),
            MemberOf::Organization(org) => (Some(org.to_string()), None),
            MemberOf::Bucket(bucket) => (None, Some(bucket.to_string())),
        };
        Self {
            user: it.user.to_string(),
            role: it.role.name().to_owned(),
            organization,
            bucket,
        }
    }
}

impl TryFrom<MembershipRow> for Membership {
    type Error = ArchiveError;

    fn try_from(row: MembershipRow) -> Result<Self, ArchiveError> {
        Ok(Self {
            user: id(&row.user)?,
            of: match (row.organization, row.bucket) {
                (None, None) => MemberOf::Instance,
                (Some(org), None) => MemberOf::Organization(id::<OrgId>(&org)?),
                (None, Some(bucket)) => MemberOf::Bucket(id::<BucketId>(&bucket)?),
                (Some(_), Some(_)) => return Err(ArchiveError::Damaged),
            },
            role: [Role::Owner, Role::Member]
                .into_iter()
                .find(|role| role.name() == row.role)
                .ok_or(ArchiveError::Damaged)?,
        })
    }
}

impl From<&Bucket> for BucketRow {
    fn from(it: &Bucket) -> Self {
        Self {
            id: it.id.to_string(),
            organization: it.org.to_string(),
            name: it.name.clone(),
            is_system: it.is_system(),
            description: it.description.clone(),
            policy: it.policy.clone(),
            retention: it.retention,
            shard_duration: it.shard_duration,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

impl TryFrom<BucketRow> for Bucket {
    type Error = ArchiveError;

    fn try_from(row: BucketRow) -> Result<Self, ArchiveError> {
        Ok(Self {
            id: id(&row.id)?,
            org: id(&row.organization)?,
            name: row.name,
            kind: if row.is_system {
                BucketKind::System
            } else {
                BucketKind::User
            },
            description: row.description,
            policy: row.policy,
            retention: row.retention,
            shard_duration: row.shard_duration,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Numbers the different sets of permissions.
#[derive(Default)]
struct PermissionSets {
    texts: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl PermissionSets {
    fn number(&mut self, permissions: &[Permission]) -> usize {
        let text = permissions_to_text(permissions);
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        self.texts.push(text.clone());
        self.numbers.insert(text, self.texts.len() - 1);
        self.texts.len() - 1
    }
}

impl AuthorizationRow {
    fn new(it: &AuthorizationRecord, sets: &mut PermissionSets) -> Self {
        let (digest, raw) = match &it.token {
            None => (None, None),
            Some(StoredToken::Digest(digest)) => (Some(digest.clone()), None),
            Some(StoredToken::Raw(raw)) => (None, Some(hex(raw.text().expose_secret()))),
        };
        let authorization = &it.authorization;
        Self {
            id: authorization.id.to_string(),
            v1_name: authorization.v1_name.clone(),
            organization: authorization.org.to_string(),
            user: authorization.user.to_string(),
            status: authorization.status.name().to_owned(),
            description: authorization.description.clone(),
            permissions: sets.number(&authorization.permissions),
            created_at: authorization.created_at,
            updated_at: authorization.updated_at,
            digest,
            raw,
            escrow: it.escrow.as_deref().map(hex),
            password: it.password.clone(),
        }
    }
}

fn authorization(
    row: AuthorizationRow,
    sets: &[Vec<Permission>],
) -> Result<AuthorizationRecord, ArchiveError> {
    let permissions = sets.get(row.permissions).ok_or(ArchiveError::Damaged)?;
    Ok(AuthorizationRecord {
        authorization: Authorization {
            id: id::<AuthorizationId>(&row.id)?,
            v1_name: row.v1_name,
            org: id(&row.organization)?,
            user: id(&row.user)?,
            status: status(&row.status)?,
            description: row.description,
            permissions: permissions.clone(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        },
        token: match (row.digest, row.raw) {
            (None, None) => None,
            (Some(digest), None) => Some(StoredToken::Digest(digest)),
            (None, Some(raw)) => Some(StoredToken::Raw(RawToken::new(secret(raw)?))),
            (Some(_), Some(_)) => return Err(ArchiveError::Damaged),
        },
        escrow: row.escrow.as_deref().map(unhex).transpose()?,
        password: row.password,
    })
}

impl From<&Dbrp> for DbrpRow {
    fn from(it: &Dbrp) -> Self {
        Self {
            id: it.id.to_string(),
            organization: it.org.to_string(),
            bucket: it.bucket.to_string(),
            database: it.database.clone(),
            policy: it.policy.clone(),
            is_default: it.is_default,
        }
    }
}

impl TryFrom<DbrpRow> for Dbrp {
    type Error = ArchiveError;

    fn try_from(row: DbrpRow) -> Result<Self, ArchiveError> {
        Ok(Self {
            id: id(&row.id)?,
            org: id(&row.organization)?,
            bucket: id(&row.bucket)?,
            database: row.database,
            policy: row.policy,
            is_default: row.is_default,
        })
    }
}

impl From<&Label> for LabelRow {
    fn from(it: &Label) -> Self {
        Self {
            id: it.id.to_string(),
            organization: it.org.to_string(),
            name: it.name.clone(),
            properties: it.properties.clone(),
        }
    }
}

impl TryFrom<LabelRow> for Label {
    type Error = ArchiveError;

    fn try_from(row: LabelRow) -> Result<Self, ArchiveError> {
        Ok(Self {
            id: id(&row.id)?,
            org: id(&row.organization)?,
            name: row.name,
            properties: row.properties,
        })
    }
}

impl From<&SecretRecord> for SecretRow {
    fn from(it: &SecretRecord) -> Self {
        Self {
            organization: it.org.to_string(),
            key: it.key.clone(),
            value: hex(it.value.expose_secret()),
        }
    }
}

impl TryFrom<SecretRow> for SecretRecord {
    type Error = ArchiveError;

    fn try_from(row: SecretRow) -> Result<Self, ArchiveError> {
        Ok(Self {
            org: id(&row.organization)?,
            key: row.key,
            value: secret(row.value)?,
        })
    }
}

#[cfg(test)]
mod tests;
