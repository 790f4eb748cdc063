//! A [`Snapshot`] as bytes: what a backup of the metadata is.
//!
//! The bytes are the line `influxd-rs metadata 1`, a JSON document, and behind its newline the
//! SHA-256 of all before, as hex digits. A damaged or foreign file is refused before anything of it
//! is believed. Digests stay digests; tokens that are stored raw are in it raw.

mod rows;

use secrecy::SecretSlice;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use self::rows::{
    AuthorizationRow, BucketRow, DbrpRow, LabelRow, MembershipRow, OrganizationRow, PermissionSets,
    SecretRow, UserRow, authorization, id,
};
use crate::Snapshot;
use crate::columns::permissions_from_text;

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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
