//! Secrets of organizations (auth-and-resources 9.3, 9.10).

use influxd_model::OrgId;
use secrecy::ExposeSecret;

use super::Subject;
use super::fixtures::{assert_refused, org_id};
use crate::StoreError;

/// In the order of their bytes, in each organization for itself.
pub async fn secret_keys_are_listed(subject: Subject) {
    subject.with_organizations(&[1, 1 << 63]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut secrets = transaction.secrets();
    let long = "k".repeat(32_768);
    for (org, key) in [(1, "\u{e9}"), (1, "Z"), (1, ""), (1, "a"), (1 << 63, &long)] {
        secrets.put(org_id(org), key, b"value").await.unwrap();
    }
    let keys = secrets.keys(org_id(1)).await.unwrap();
    assert_eq!(keys, ["", "Z", "a", "\u{e9}"]);
    assert_eq!(secrets.keys(org_id(1 << 63)).await.unwrap(), [long]);
    assert_eq!(secrets.keys(org_id(3)).await.unwrap(), [""; 0]);
}

/// Setting one again replaces it; its value is any bytes.
pub async fn secrets_can_be_replaced_and_deleted(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut secrets = transaction.secrets();
    for value in [&b""[..], &[0, 255, 7], &[9; 100_000]] {
        secrets.put(org_id(1), "key", value).await.unwrap();
        assert_eq!(secrets.keys(org_id(1)).await.unwrap(), ["key"]);
    }
    assert!(!secrets.delete(org_id(1), "Key").await.unwrap());
    assert!(!secrets.delete(org_id(2), "key").await.unwrap());
    assert!(secrets.delete(org_id(1), "key").await.unwrap());
    assert!(!secrets.delete(org_id(1), "key").await.unwrap());
    assert_eq!(secrets.keys(org_id(1)).await.unwrap(), [""; 0]);
}

/// And go with it.
pub async fn secrets_belong_to_an_organization(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut secrets = transaction.secrets();
    assert_refused!(
        secrets.put(org_id(3), "key", b"value").await,
        StoreError::NotFound("organization")
    );
    secrets.put(org_id(1), "key", b"value").await.unwrap();
    secrets.put(org_id(2), "key", b"value").await.unwrap();
    drop(secrets);
    transaction.organizations().delete(org_id(1)).await.unwrap();
    let mut secrets = transaction.secrets();
    assert_eq!(secrets.keys(org_id(1)).await.unwrap(), [""; 0]);
    assert_eq!(secrets.keys(org_id(2)).await.unwrap(), ["key"]);
}

/// What is stored of each, some at a time, and can be put in another form.
pub async fn stored_secrets_are_found_and_replaced(subject: Subject) {
    subject.with_organizations(&[1, 1 << 63]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut secrets = transaction.secrets();
    assert_eq!(secrets.stored(None, 9).await.unwrap().len(), 0);
    let all = [(1, ""), (1, "b"), (1, "a"), (1 << 63, "a")];
    for (org, key) in all {
        let value = format!("\0{org}/{key}");
        secrets
            .put(org_id(org), key, value.as_bytes())
            .await
            .unwrap();
    }
    let mut found = Vec::new();
    let mut after: Option<(OrgId, String)> = None;
    loop {
        let behind = after.as_ref().map(|(org, key)| (*org, key.as_str()));
        let batch = secrets.stored(behind, 2).await.unwrap();
        let Some(last) = batch.last() else { break };
        assert!(batch.len() <= 2);
        after = Some((last.org, last.key.clone()));
        found.extend(batch);
    }
    assert_eq!(found.len(), all.len());
    for (org, key) in all {
        let secret = found.iter().find(|s| s.org == org_id(org) && s.key == key);
        let value = format!("\0{org}/{key}");
        assert!(secret.unwrap().value.expose_secret() == value.as_bytes());
    }

    let (first, other) = (org_id(1), org_id(1 << 63));
    assert!(secrets.replace(other, "a", b"new").await.unwrap());
    assert!(!secrets.replace(other, "b", b"new").await.unwrap());
    assert_eq!(secrets.keys(other).await.unwrap(), ["a"]);
    let stored = secrets.stored(None, 9).await.unwrap();
    for secret in stored {
        let is_new = secret.value.expose_secret() == b"new";
        assert_eq!(is_new, secret.org != first, "{secret:?}");
    }
}
