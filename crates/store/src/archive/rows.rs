//! The rows of an archive's document, and what they say: ids and bytes are texts there.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use influxd_model::{
    Authorization, AuthorizationId, Bucket, BucketId, BucketKind, Dbrp, Label, MemberOf,
    Membership, OrgId, Organization, Permission, Role, Status, User,
};
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};

use super::{ArchiveError, hex};
use crate::columns::permissions_to_text;
use crate::{AuthorizationRecord, RawToken, SecretRecord, StoredToken, UserRecord};

#[derive(Serialize, Deserialize)]
pub(super) struct OrganizationRow {
    id: String,
    name: String,
    description: String,
    created_at: i64,
    updated_at: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct UserRow {
    id: String,
    name: String,
    status: String,
    oauth_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct MembershipRow {
    user: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BucketRow {
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
pub(super) struct AuthorizationRow {
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
pub(super) struct DbrpRow {
    id: String,
    organization: String,
    bucket: String,
    database: String,
    policy: String,
    is_default: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct LabelRow {
    id: String,
    organization: String,
    name: String,
    properties: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SecretRow {
    organization: String,
    key: String,
    value: String,
}

pub(super) fn id<T: FromStr>(text: &str) -> Result<T, ArchiveError> {
    text.parse().map_err(|_| ArchiveError::Damaged)
}

fn status(text: &str) -> Result<Status, ArchiveError> {
    Status::from_name(text).ok_or(ArchiveError::Damaged)
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
pub(super) struct PermissionSets {
    pub(super) texts: Vec<String>,
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
    pub(super) fn new(it: &AuthorizationRecord, sets: &mut PermissionSets) -> Self {
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

pub(super) fn authorization(
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
