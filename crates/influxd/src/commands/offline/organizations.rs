//! `recovery org`

use anyhow::{Result, bail};
use influxd_model::Organization;
use influxd_store::{Page, StoreError, Unique};
use influxd_tokens::{MAX_NAME, system_buckets};

use super::{Desk, table};

/// All organizations.
pub(super) async fn list(desk: &Desk) -> Result<String> {
    let mut transaction = desk.read().await?;
    let all = transaction.organizations().list(None, Page::ALL).await?;
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|org| vec![org.id.to_string(), table::cell(&org.name)])
        .collect();
    Ok(table::lines(&["ID", "Name"], &rows))
}

/// Makes one with its system buckets and without an owner; shows all.
pub(super) async fn create(desk: &Desk, name: &str) -> Result<String> {
    if name.trim().is_empty() {
        bail!("org name is empty");
    }
    if name.len() > MAX_NAME {
        bail!("key too large");
    }
    let now = desk.clock.now();
    let organization = Organization {
        id: desk.ids.org(),
        name: name.to_owned(),
        description: String::new(),
        created_at: now,
        updated_at: now,
    };
    let mut transaction = desk.begin().await?;
    match transaction.organizations().insert(&organization).await {
        Err(StoreError::Conflict(Unique::OrganizationName)) => {
            bail!("organization with name {name} already exists");
        }
        result => result?,
    }
    for bucket in system_buckets(&desk.ids, organization.id, now) {
        transaction.buckets().insert(&bucket).await?;
    }
    transaction.commit().await?;
    list(desk).await
}
