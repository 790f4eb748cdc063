//! What both databases keep in their columns in the same form: keys of names, permissions,
//! properties; and what neither keeps.
//!
//! Made here and not by the databases, so that no locale, collation or limit of an index decides
//! what is equal (auth-and-resources 9.10).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use influxd_model::{Action, AnyId, Authorization, OrgId, Permission, ResourceType};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Result, StoreError, StoredToken};

/// The key that makes a name unique: SHA-256 of its bytes.
pub fn name_key(name: &str) -> [u8; 32] {
    Sha256::digest(name.as_bytes()).into()
}

/// The key that makes an organization's name unique: that of the name without surrounding white
/// space (Unicode's).
pub fn organization_key(name: &str) -> [u8; 32] {
    name_key(name.trim())
}

/// The key that makes a label's name unique in its organization: that of the name without
/// surrounding white space and in small letters (Unicode's).
pub fn label_key(name: &str) -> [u8; 32] {
    label_filter_key(name.trim())
}

/// The [`label_key`] of the labels that a filter means: no label's name has white space around it,
/// so a filter that has some finds none.
pub fn label_filter_key(name: &str) -> [u8; 32] {
    // Letter by letter, as 2.x does: of words nothing is known here.
    let small = |letter: char| match letter {
        '\u{130}' => 'i',
        other => other.to_lowercase().next().unwrap_or(other),
    };
    name_key(&name.chars().map(small).collect::<String>())
}

/// [`StoreError::Refused`] if one of these texts holds U+0000, which PostgreSQL cannot keep: so no
/// store does.
pub fn refuse_nul(texts: &[&str]) -> Result<()> {
    if texts.iter().any(|text| text.contains('\0')) {
        return Err(StoreError::Refused("a text must not hold U+0000".into()));
    }
    Ok(())
}

/// [`StoreError::Refused`] unless an API token comes with what is stored of it and a 1.x user
/// without.
pub fn refuse_wrong_kind(new: &Authorization, token: Option<&StoredToken>) -> Result<()> {
    if new.v1_name.is_some() == token.is_some() {
        let text = "an API token has a token or its digest, a 1.x user has a name";
        return Err(StoreError::Refused(text.into()));
    }
    Ok(())
}

/// What the digests of SHA-256 begin with (auth-and-resources 6.2).
const SHA256: &str = "$influxdb2-sha256$";

/// A token in the other of the two forms that are made of its SHA-256: so that a token that is
/// stored raw is not added once more as a digest, nor the other way round. Other digests cannot be
/// compared with anything.
pub enum OtherForm {
    /// The digest, PHC text.
    Digest(String),
    /// See [`RawToken::key`](crate::RawToken::key).
    RawKey([u8; 32]),
}

/// The other form of a token, if it has one.
pub fn other_form(token: &StoredToken) -> Option<OtherForm> {
    match token {
        StoredToken::Raw(raw) => {
            let digest = format!("{SHA256}{}", URL_SAFE.encode(raw.key()));
            Some(OtherForm::Digest(digest))
        }
        StoredToken::Digest(digest) => {
            let key = URL_SAFE.decode(digest.strip_prefix(SHA256)?).ok()?;
            Some(OtherForm::RawKey(key.try_into().ok()?))
        }
    }
}

/// Digests (PHC text) by what they begin with, up to the last `$`.
pub fn digest_prefix(digest: &str) -> &str {
    digest.rfind('$').map_or("", |end| &digest[..=end])
}

/// The digests of a prefix are among those from the prefix on and before this text, byte for byte.
pub fn behind_prefix(prefix: &str) -> String {
    match prefix.strip_suffix('$') {
        Some(begin) => format!("{begin}%"),
        None => "\u{10ffff}".to_owned(),
    }
}

/// The key of a field of a measurement: 16 bytes of SHA-256, with the measurement's length in
/// front so that no two pairs run into each other.
pub fn field_key(measurement: &[u8], name: &[u8]) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update((measurement.len() as u64).to_be_bytes());
    hash.update(measurement);
    hash.update(name);
    let digest: [u8; 32] = hash.finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

/// A permission as it is stored.
#[derive(Serialize, Deserialize)]
struct PermissionColumn {
    action: String,
    #[serde(rename = "type")]
    resource: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

/// Permissions as the JSON text that is stored, in their order.
pub fn permissions_to_text(permissions: &[Permission]) -> String {
    let rows: Vec<PermissionColumn> = permissions
        .iter()
        .map(|p| PermissionColumn {
            action: p.action.name().to_owned(),
            resource: p.resource.name().to_owned(),
            org: p.org.map(|id| id.to_string()),
            id: p.id.map(|id| id.to_string()),
        })
        .collect();
    serde_json::to_string(&rows).expect("strings always serialize")
}

/// The permissions in a stored text; [`StoreError::Corrupt`] if it holds something else.
pub fn permissions_from_text(text: &str) -> Result<Vec<Permission>> {
    let damaged = || StoreError::Corrupt {
        what: "authorization",
        detail: "its permissions cannot be read".to_owned(),
    };
    let rows: Vec<PermissionColumn> = serde_json::from_str(text).map_err(|_| damaged())?;
    rows.into_iter()
        .map(|row| {
            Ok(Permission {
                action: row.action.parse::<Action>().map_err(|_| damaged())?,
                resource: row
                    .resource
                    .parse::<ResourceType>()
                    .map_err(|_| damaged())?,
                org: match row.org {
                    Some(id) => Some(id.parse::<OrgId>().map_err(|_| damaged())?),
                    None => None,
                },
                id: match row.id {
                    Some(id) => Some(id.parse::<AnyId>().map_err(|_| damaged())?),
                    None => None,
                },
            })
        })
        .collect()
}

/// Properties as the JSON text that is stored.
pub fn properties_to_text(properties: &BTreeMap<String, String>) -> String {
    serde_json::to_string(properties).expect("strings always serialize")
}

/// The properties in a stored text; [`StoreError::Corrupt`] if it holds something else.
pub fn properties_from_text(text: &str) -> Result<BTreeMap<String, String>> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt {
        what: "label",
        detail: "its properties cannot be read".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use secrecy::SecretSlice;

    use super::*;
    use crate::RawToken;

    #[test]
    fn permissions_survive_being_stored() {
        let mut all = Permission::operator();
        all.push(Permission {
            action: Action::Read,
            resource: ResourceType::Buckets,
            org: OrgId::new(u64::MAX),
            id: AnyId::new(1),
        });
        assert_eq!(
            permissions_from_text(&permissions_to_text(&all)).unwrap(),
            all
        );
        assert!(permissions_from_text("[{\"action\":\"eat\",\"type\":\"orgs\"}]").is_err());
        assert!(permissions_from_text("7").is_err());
    }

    #[test]
    fn organizations_are_compared_trimmed() {
        assert_eq!(organization_key(" \u{2003}a b\t"), organization_key("a b"));
        assert_ne!(organization_key("a"), organization_key("A"));
    }

    #[test]
    fn labels_are_compared_trimmed_and_in_small_letters() {
        assert_eq!(label_key(" GR\u{dc}N\t"), label_key("gr\u{fc}n"));
        assert_ne!(label_key("green"), label_key("gr een"));
        assert_eq!(label_filter_key("GR\u{dc}N"), label_key("gr\u{fc}n"));
        assert_ne!(label_filter_key(" green"), label_key(" green"));
        assert_eq!(label_key("\u{391}\u{3a3}"), label_key("\u{3b1}\u{3c3}"));
        assert_eq!(label_key("\u{130}x"), label_key("ix"));
    }

    #[test]
    fn a_token_s_sha256_is_both_its_key_and_its_digest() {
        let raw = RawToken::new(SecretSlice::from(b"my-token".to_vec()));
        let digest = "$influxdb2-sha256$_s5Q0ih_ckWupYGbdfle6L7ClaFPjvHnox8X8drp30Q=";
        match other_form(&StoredToken::Raw(raw.clone())) {
            Some(OtherForm::Digest(made)) => assert_eq!(made, digest),
            _ => panic!("a raw token has a digest"),
        }
        match other_form(&StoredToken::Digest(digest.to_owned())) {
            Some(OtherForm::RawKey(key)) => assert_eq!(&key, raw.key()),
            _ => panic!("a digest of SHA-256 is a key"),
        }
        for other in [
            "$influxdb2-sha512$_s5Q0ih_",
            "$influxdb2-sha256$_s5Q",
            "",
            "$",
        ] {
            assert!(other_form(&StoredToken::Digest(other.to_owned())).is_none());
        }
    }

    #[test]
    fn digests_have_prefixes() {
        assert_eq!(digest_prefix("$a$b$c="), "$a$b$");
        assert_eq!(digest_prefix("no digest"), "");
        let end = behind_prefix("$a$b$");
        assert!("$a$b$zz" < end.as_str() && end.as_str() < "$a$b-");
    }

    #[test]
    fn no_text_holds_nul() {
        assert!(refuse_nul(&["a", "\u{1}\u{ffff}", ""]).is_ok());
        assert!(refuse_nul(&["a", "b\0"]).is_err());
    }

    #[test]
    fn properties_survive_being_stored() {
        let all = [("color", "ff0000"), ("\0\"", "\u{1d11e}")];
        let all = all.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        assert_eq!(
            properties_from_text(&properties_to_text(&all)).unwrap(),
            all
        );
        assert!(properties_from_text("[]").is_err());
    }

    #[test]
    fn field_keys_know_where_the_measurement_ends() {
        assert_ne!(field_key(b"ab", b"c"), field_key(b"a", b"bc"));
    }
}
