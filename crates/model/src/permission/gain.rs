//! Nobody gains: who hands something over holds it (auth-and-resources 4.9).
//!
//! A permission names things by id, and may name them under an organization that they do not
//! belong to. So whether somebody holds what a permission gives is decided by what a real request
//! for that very thing would have to hold: under its own organization, users and organizations by
//! id alone. What exists, and where it belongs, is looked up beforehand ([`Objects`]).

use std::collections::HashMap;

use super::{Permission, ResourceType, allows};
use crate::{AnyId, OrgId};

/// Where something that a permission names is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// It exists, and belongs to no organization: a user, or an organization itself.
    Instance,
    /// It exists in this organization.
    In(OrgId),
    /// There is no such thing.
    Gone,
}

/// What was found of the things that permissions name by id, and of the organizations that they
/// name.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    homes: HashMap<(ResourceType, AnyId), Home>,
}

impl Objects {
    /// The types whose things are looked up: of the others this server has none.
    pub const LOOKED_UP: [ResourceType; 5] = [
        ResourceType::Authorizations,
        ResourceType::Buckets,
        ResourceType::Labels,
        ResourceType::Orgs,
        ResourceType::Users,
    ];

    /// The things that have to be looked up to judge `permissions`, each once.
    pub fn named_in(permissions: &[Permission]) -> Vec<(ResourceType, AnyId)> {
        let mut named: Vec<_> = permissions
            .iter()
            .flat_map(|p| {
                let thing = p.id.filter(|_| Self::LOOKED_UP.contains(&p.resource));
                let org = p.org.map(|org| (ResourceType::Orgs, AnyId::from(org)));
                [thing.map(|id| (p.resource, id)), org]
            })
            .flatten()
            .collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    /// Notes what was found.
    pub fn note(&mut self, resource: ResourceType, id: AnyId, home: Home) {
        self.homes.insert((resource, id), home);
    }

    /// What is known of a thing; of those that nobody looked up: nothing.
    fn home(&self, resource: ResourceType, id: AnyId) -> Option<Home> {
        self.homes.get(&(resource, id)).copied()
    }

    /// Whether what a permission is about is gone: the thing itself or, where it names none that
    /// is known, the organization that it is limited to.
    fn is_gone(&self, permission: &Permission) -> bool {
        let thing = permission
            .id
            .and_then(|id| self.home(permission.resource, id));
        let org = || self.home(ResourceType::Orgs, permission.org?.into());
        thing.or_else(org) == Some(Home::Gone)
    }

    /// Whether somebody who holds `held` could make every request that `permission` lets through.
    fn allow(&self, held: &[Permission], permission: &Permission) -> bool {
        let under = |org| Permission { org, ..*permission };
        let type_wide = || Permission::on_type(permission.action, permission.resource);
        let Some(id) = permission.id else {
            return allows(held, permission);
        };
        match self.home(permission.resource, id) {
            // It may come to be anything: only who may do it to all things holds it.
            Some(Home::Gone) => allows(held, &type_wide()),
            Some(Home::In(org)) => allows(held, &under(Some(org))),
            // By id alone; lists of an organization's members ask for it under its own name.
            Some(Home::Instance) => {
                let own_name =
                    OrgId::new(id.get()).filter(|_| permission.resource == ResourceType::Orgs);
                allows(held, &under(None))
                    && own_name.is_none_or(|org| allows(held, &under(Some(org))))
            }
            // Nobody knows where it is: under no organization's name it may be anywhere.
            None if permission.org.is_none() => allows(held, &type_wide()),
            None => allows(held, permission),
        }
    }

    /// Whether nobody looked for the thing that a permission names.
    fn is_unknown(&self, permission: &Permission) -> bool {
        let thing = permission.id;
        thing.is_some_and(|id| self.home(permission.resource, id).is_none())
    }
}

/// The first permission of the operator's set that `held` does not allow; `None`: all are held, be
/// it as the instance's owner.
pub fn missing_for_operator(held: &[Permission]) -> Option<Permission> {
    Permission::operator()
        .into_iter()
        .find(|p| !allows(held, p))
}

/// The first of `permissions` that somebody who holds `held` may not put into a new authorization
/// (auth-and-resources 5.2, step 8); `None`: all may be granted.
///
/// What a permission names by id and does not exist is held type-wide only: ids can be foretold,
/// and a grant must not wait for one.
pub fn first_not_granted(
    held: &[Permission],
    permissions: &[Permission],
    objects: &Objects,
) -> Option<Permission> {
    permissions
        .iter()
        .find(|p| {
            let is_same = objects.is_unknown(p) && held.contains(p);
            !is_same && !objects.allow(held, p)
        })
        .copied()
}

/// The first of `given`, which is what a password or a role gives, that somebody who holds `held`
/// does not hold (auth-and-resources 4.9); `None`: they gain nothing by it.
///
/// What is gone gives nothing. Whoever holds the operator's set holds `instance`.
pub fn first_not_given(
    held: &[Permission],
    given: &[Permission],
    objects: &Objects,
) -> Option<Permission> {
    given
        .iter()
        .find(|p| {
            let holds = || {
                // Held to the letter it is nothing new, whatever it is worth.
                held.contains(p)
                    || objects.allow(held, p)
                    || p.resource == ResourceType::Instance && missing_for_operator(held).is_none()
            };
            !objects.is_gone(p) && !holds()
        })
        .copied()
}
