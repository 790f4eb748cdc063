//! The names of what authorizations mention.

use std::collections::HashMap;

use influxd_model::{AnyId, Authorization, BucketId, OrgId, Permission, ResourceType, UserId};
use influxd_store::{Result as StoreResult, Transaction};

/// The names of organizations, users and buckets, each looked up once per request.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// `None`: it is not there.
    known: HashMap<(ResourceType, AnyId), Option<String>>,
}

impl Names {
    /// Looks up everything that an authorization mentions.
    pub(crate) async fn learn(
        &mut self,
        transaction: &mut dyn Transaction,
        authorization: &Authorization,
    ) -> StoreResult<()> {
        let Authorization { org, user, .. } = *authorization;
        self.look_up(transaction, ResourceType::Orgs, org.into())
            .await?;
        self.look_up(transaction, ResourceType::Users, user.into())
            .await?;
        for Permission {
            resource, org, id, ..
        } in &authorization.permissions
        {
            if let Some(id) = id {
                self.look_up(transaction, *resource, *id).await?;
            }
            if let Some(org) = org {
                self.look_up(transaction, ResourceType::Orgs, (*org).into())
                    .await?;
            }
        }
        Ok(())
    }

    async fn look_up(
        &mut self,
        transaction: &mut dyn Transaction,
        resource: ResourceType,
        id: AnyId,
    ) -> StoreResult<()> {
        if self.known.contains_key(&(resource, id)) {
            return Ok(());
        }
        let name = match resource {
            ResourceType::Orgs => match OrgId::new(id.get()) {
                Some(id) => transaction.organizations().find(id).await?.map(|o| o.name),
                None => None,
            },
            ResourceType::Users => match UserId::new(id.get()) {
                Some(id) => transaction.users().find(id).await?.map(|u| u.name),
                None => None,
            },
            ResourceType::Buckets => match BucketId::new(id.get()) {
                Some(id) => transaction.buckets().find(id).await?.map(|b| b.name),
                None => None,
            },
            // Nothing else is shown by name.
            _ => return Ok(()),
        };
        self.known.insert((resource, id), name);
        Ok(())
    }

    /// The name of something, if it was looked up and is there.
    pub(crate) fn get(&self, resource: ResourceType, id: AnyId) -> Option<&str> {
        self.known.get(&(resource, id))?.as_deref()
    }

    /// Whether something was looked up and is not there.
    pub(crate) fn is_gone(&self, resource: ResourceType, id: AnyId) -> bool {
        matches!(self.known.get(&(resource, id)), Some(None))
    }

    /// What an authorization that was learnt cannot be without and is gone, in the words of the
    /// contract (auth-and-resources 5.4).
    pub(crate) fn missing(&self, authorization: &Authorization) -> Option<&'static str> {
        let Authorization { org, user, .. } = *authorization;
        if self.is_gone(ResourceType::Orgs, org.into()) {
            return Some("organization not found");
        }
        self.is_gone(ResourceType::Users, user.into())
            .then_some("user not found")
    }
}
