//! The named sets of permissions (auth-and-resources 4.5).

use super::{Action, Permission, ResourceType};
use crate::{BucketId, MemberOf, Membership, OrgId, Role, UserId};

impl Permission {
    /// The operator's set: reading and writing of every type but `instance`, in order.
    pub fn operator() -> Vec<Self> {
        everything()
            .flat_map(|t| both(|action| Self::on_type(action, t)))
            .collect()
    }

    /// What the owner of an organization holds: reading and writing of everything in it.
    pub fn org_owner(org: OrgId) -> Vec<Self> {
        everything()
            .flat_map(|t| both(|action| in_org(action, t, org)))
            .collect()
    }

    /// What a member of an organization holds: reading of everything in it.
    pub fn org_member(org: OrgId) -> Vec<Self> {
        everything().map(|t| in_org(Action::Read, t, org)).collect()
    }

    /// What a member of a bucket holds.
    pub fn bucket_member(bucket: BucketId) -> Vec<Self> {
        let id = Some(bucket.into());
        vec![Self {
            id,
            ..Self::on_type(Action::Read, ResourceType::Buckets)
        }]
    }

    /// What every session holds of its own user.
    pub fn me(user: UserId) -> Vec<Self> {
        let id = Some(user.into());
        both(|action| Self {
            id,
            ..Self::on_type(action, ResourceType::Users)
        })
        .to_vec()
    }

    /// What the owner of the instance holds: everything.
    pub fn instance() -> Vec<Self> {
        both(|action| Self::on_type(action, ResourceType::Instance)).to_vec()
    }

    /// What being `role` of something gives; nothing for the pairs that the contract does not name.
    pub fn of_role(of: MemberOf, role: Role) -> Vec<Self> {
        match (of, role) {
            (MemberOf::Instance, Role::Owner) => Self::instance(),
            (MemberOf::Organization(org), Role::Owner) => Self::org_owner(org),
            (MemberOf::Organization(org), Role::Member) => Self::org_member(org),
            (MemberOf::Bucket(bucket), Role::Member) => Self::bucket_member(bucket),
            (MemberOf::Bucket(_), Role::Owner) | (MemberOf::Instance, Role::Member) => Vec::new(),
        }
    }

    /// What a user holds by what they are to organizations, buckets and the instance, and as
    /// themselves: a session's permissions without those of tokens (4.6, a and c).
    pub fn of_user(user: UserId, memberships: &[Membership]) -> Vec<Self> {
        let mut all: Vec<Self> = memberships
            .iter()
            .flat_map(|m| Self::of_role(m.of, m.role))
            .collect();
        all.extend(Self::me(user));
        all
    }
}

/// The 22 types other than `instance`, in canonical order.
fn everything() -> impl Iterator<Item = ResourceType> {
    ResourceType::ALL
        .iter()
        .copied()
        .filter(|t| *t != ResourceType::Instance)
}

fn both(permission: impl Fn(Action) -> Permission) -> [Permission; 2] {
    [permission(Action::Read), permission(Action::Write)]
}

/// On everything of a type in an organization; organizations themselves go by id.
fn in_org(action: Action, resource: ResourceType, org: OrgId) -> Permission {
    let (scope, id) = match resource {
        ResourceType::Orgs => (None, Some(org.into())),
        _ => (Some(org), None),
    };
    Permission {
        action,
        resource,
        org: scope,
        id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(permissions: &[Permission]) -> Vec<String> {
        permissions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_operator_holds_44_permissions_in_order() {
        let all = texts(&Permission::operator());
        assert_eq!(all.len(), 44);
        assert_eq!(all[..2], ["read:authorizations", "write:authorizations"]);
        assert_eq!(all[43], "write:replications");
    }

    #[test]
    fn owners_and_members_hold_what_is_in_their_organization() {
        let org = OrgId::new(10).unwrap();
        let owner = texts(&Permission::org_owner(org));
        assert_eq!(owner.len(), 44);
        assert_eq!(owner[0], "read:orgs/000000000000000a/authorizations");
        assert_eq!(
            owner[6..8],
            ["read:orgs/000000000000000a", "write:orgs/000000000000000a"]
        );
        assert_eq!(owner[15], "write:orgs/000000000000000a/users");
        let member = texts(&Permission::org_member(org));
        assert_eq!(member.len(), 22);
        assert!(
            member
                .iter()
                .all(|p| p.starts_with("read:") && owner.contains(p))
        );
    }

    #[test]
    fn a_user_holds_what_they_are_and_themselves() {
        let user = UserId::new(1).unwrap();
        let is = |of, role| Membership { user, of, role };
        let bucket = BucketId::new(2).unwrap();
        let cases: [(&[Membership], &[&str]); 4] = [
            (&[], &[]),
            (&[is(MemberOf::Bucket(bucket), Role::Owner)], &[]),
            (
                &[is(MemberOf::Bucket(bucket), Role::Member)],
                &["read:buckets/0000000000000002"],
            ),
            (
                &[is(MemberOf::Instance, Role::Owner)],
                &["read:instance", "write:instance"],
            ),
        ];
        for (memberships, expected) in cases {
            let mut expected = expected.to_vec();
            expected.extend([
                "read:users/0000000000000001",
                "write:users/0000000000000001",
            ]);
            assert_eq!(texts(&Permission::of_user(user, memberships)), expected);
        }
    }
}
