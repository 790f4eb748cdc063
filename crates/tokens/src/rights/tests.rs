//! Grants and gifts against a real store.

use influxd_model::{Action, Bucket, BucketKind, Status, User};

use super::*;
use crate::testing::World;
use crate::{Identity, OsRandomness};

/// Two organizations, `acme` and `other`, with a bucket each, and a user.
struct Two {
    world: World,
    other: OrgId,
    own_bucket: BucketId,
    foreign_bucket: BucketId,
    user: User,
}

async fn two() -> Two {
    let world = World::new().await;
    let other = world.other_org().await;
    let own_bucket = bucket(&world, world.org).await;
    let foreign_bucket = bucket(&world, other).await;
    let user = world.user("alice", None).await;
    Two {
        world,
        other,
        own_bucket,
        foreign_bucket,
        user,
    }
}

async fn bucket(world: &World, org: OrgId) -> BucketId {
    use crate::Randomness as _;
    let id = BucketId::new(OsRandomness.number() | 1).unwrap();
    let bucket = Bucket {
        id,
        org,
        name: "b".to_owned(),
        kind: BucketKind::User,
        description: String::new(),
        policy: String::new(),
        retention: None,
        shard_duration: 3_600_000_000_000,
        created_at: 0,
        updated_at: 0,
    };
    let mut transaction = world.begin().await;
    transaction.buckets().insert(&bucket).await.unwrap();
    transaction.commit().await.unwrap();
    id
}

impl Two {
    fn holder(&self, permissions: Vec<Permission>) -> Caller {
        Caller {
            user: self.user.clone(),
            identity: Identity::ApiToken {
                id: AuthorizationId::new(1).unwrap(),
                org: self.world.org,
            },
            permissions,
        }
    }

    /// What stands in the way of granting; empty: nothing.
    async fn granting(&self, held: Vec<Permission>, wanted: Permission) -> String {
        let mut transaction = self.world.begin().await;
        let caller = self.holder(held);
        match check_grant(&mut *transaction, &caller, &[wanted]).await {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }
}

fn on(resource: ResourceType, org: Option<OrgId>, id: Option<AnyId>) -> Permission {
    Permission {
        action: Action::Write,
        resource,
        org,
        id,
    }
}

#[tokio::test]
async fn an_id_is_judged_by_its_own_organization() {
    use ResourceType::{Authorizations, Buckets, Orgs, Users};
    let two = two().await;
    let acme = Some(two.world.org);
    let owner = || Permission::org_owner(two.world.org);
    let own = Some(two.own_bucket.into());
    let foreign = Some(two.foreign_bucket.into());
    let user = Some(two.user.id.into());
    let other = Some(two.other.into());
    let authorization = two.world.api_token(&two.user, "t", Vec::new()).await;
    let authorization = Some(authorization.id.into());
    let nobody = AnyId::new(77);
    for (wanted, allowed) in [
        (on(Buckets, acme, None), true),
        (on(Buckets, acme, own), true),
        (on(Buckets, None, own), true),
        (on(Buckets, acme, foreign), false),
        (on(Buckets, None, foreign), false),
        (on(Buckets, Some(two.other), foreign), false),
        (on(Buckets, acme, nobody), false),
        (on(Authorizations, acme, authorization), true),
        (on(Users, acme, None), true),
        (on(Users, acme, user), false),
        (on(Users, None, user), false),
        (on(Users, acme, nobody), false),
        (on(Orgs, None, acme.map(AnyId::from)), true),
        (on(Orgs, acme, other), false),
        (on(Orgs, None, other), false),
        (on(Orgs, acme, None), false),
        (on(ResourceType::Labels, acme, nobody), false),
        (on(ResourceType::Tasks, acme, nobody), true),
        (on(ResourceType::Instance, None, None), false),
    ] {
        let refused = two.granting(owner(), wanted).await;
        assert_eq!(refused.is_empty(), allowed, "{wanted}: {refused}");
        if !allowed {
            let text = format!("permission {wanted} is not allowed: {wanted} is unauthorized");
            assert_eq!(refused, text);
        }
        let by_operator = two.granting(Permission::operator(), wanted).await;
        let is_instance = wanted.resource == ResourceType::Instance;
        assert_eq!(by_operator.is_empty(), !is_instance, "{wanted}");
        let by_first_user = two.granting(Permission::instance(), wanted).await;
        assert_eq!(by_first_user, "", "{wanted}");
    }
}

#[tokio::test]
async fn the_first_permission_not_held_is_named() {
    let two = two().await;
    let caller = two.holder(Permission::org_member(two.world.org));
    let wanted = Permission::org_owner(two.world.org);
    let mut transaction = two.world.begin().await;
    let refused = check_grant(&mut *transaction, &caller, &wanted).await;
    let Err(GainError::NotHeld(first)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(first, wanted[1]);
}

#[tokio::test]
async fn a_role_takes_what_it_gives() {
    let two = two().await;
    let org = MemberOf::Organization(two.world.org);
    let bucket = MemberOf::Bucket(two.own_bucket);
    let write_org = vec![on(ResourceType::Orgs, None, Some(two.world.org.into()))];
    let cases = [
        (write_org.clone(), org, Role::Member, false),
        (
            Permission::org_member(two.world.org),
            org,
            Role::Member,
            true,
        ),
        (
            Permission::org_member(two.world.org),
            org,
            Role::Owner,
            false,
        ),
        (Permission::org_owner(two.world.org), org, Role::Owner, true),
        (write_org, bucket, Role::Member, false),
        (Vec::new(), bucket, Role::Owner, true),
        (
            Permission::org_member(two.world.org),
            bucket,
            Role::Member,
            true,
        ),
        (
            Permission::org_member(two.other),
            bucket,
            Role::Member,
            false,
        ),
    ];
    let mut transaction = two.world.begin().await;
    for (held, of, role, allowed) in cases {
        let caller = two.holder(held);
        let result = check_gain_role(&mut *transaction, &caller, of, role).await;
        assert_eq!(result.is_ok(), allowed, "{role:?} of {of:?}");
    }
}

#[tokio::test]
async fn what_is_gone_is_nothing_to_gain() {
    let two = two().await;
    let gone = AnyId::new(77);
    let dead = vec![
        on(ResourceType::Buckets, Some(two.world.org), gone),
        on(ResourceType::Buckets, OrgId::new(78), None),
        on(ResourceType::Users, None, gone),
    ];
    let authorization = two.world.api_token(&two.user, "dead", dead.clone()).await;
    let caller = two.holder(Permission::me(two.user.id));
    let mut transaction = two.world.begin().await;
    check_gain_authorization(&mut *transaction, &caller, &authorization)
        .await
        .unwrap();
    check_gain_user(&mut *transaction, &caller, two.user.id, true)
        .await
        .unwrap();
    drop(transaction);
    // A user under the name of an organization that is gone is still there.
    let alive = vec![on(
        ResourceType::Users,
        OrgId::new(78),
        Some(two.user.id.into()),
    )];
    let authorization = two.world.api_token(&two.user, "alive", alive).await;
    let mut transaction = two.world.begin().await;
    let nobody = two.holder(Vec::new());
    let result = check_gain_authorization(&mut *transaction, &nobody, &authorization).await;
    assert!(result.is_err());
}

#[tokio::test]
async fn a_status_takes_no_tokens() {
    let two = two().await;
    two.world.set_user_status(&two.user, Status::Active).await;
    two.world
        .api_token(&two.user, "t", Permission::operator())
        .await;
    let caller = two.holder(Permission::me(two.user.id));
    let mut transaction = two.world.begin().await;
    for (with_tokens, allowed) in [(false, true), (true, false)] {
        let user = two.user.id;
        let result = check_gain_user(&mut *transaction, &caller, user, with_tokens).await;
        assert_eq!(result.is_ok(), allowed);
    }
}
