//! Signing in and out, setting and changing passwords.

use influxd_model::{MemberOf, Permission, Role, Status, User};

use super::*;
use crate::testing::{FROM, World, basic, named, secret, token};
use crate::{Credential, Identity};

/// A caller with a token that may do this.
async fn caller(world: &World, owner: &User, permissions: Vec<Permission>) -> Arc<Caller> {
    let text = format!("token-{}", world.times_asked());
    world.api_token(owner, &text, permissions).await;
    world
        .resolve(Credential::Bearer(token(&text)))
        .await
        .unwrap()
}

async fn signs_in(world: &World, name: &str, password: &str) -> Result<SignedIn, SignInError> {
    world.accounts.sign_in(&named(name, password), FROM).await
}

async fn lives(world: &World, signed_in: &SignedIn) -> bool {
    let session = Credential::Session(signed_in.key.clone());
    world.resolve(session).await.is_ok()
}

#[tokio::test]
async fn only_name_and_password_of_a_user_sign_in() {
    let world = World::new().await;
    let alice = world.user("alice", Some("alice-password")).await;
    world.user("nothing", None).await;
    world.api_token(&alice, "token-of-alice", Vec::new()).await;
    let hash = world.hash("v1-password").await;
    world.v1_user(&alice, "grafana", Some(&hash)).await;
    for (name, password) in [
        ("alice", "Alice-password"),
        ("alice", ""),
        ("alice", "token-of-alice"),
        ("Alice", "alice-password"),
        ("nothing", ""),
        ("nothing", "alice-password"),
        ("grafana", "v1-password"),
        ("", ""),
    ] {
        let before = world.passwords.figures().hashes;
        let refused = signs_in(&world, name, password).await;
        assert!(matches!(refused, Err(SignInError::Wrong)), "{name}");
        let cost = world.passwords.figures().hashes - before;
        assert_eq!(cost, 1, "{name} {password}");
    }
    let signed_in = signs_in(&world, "alice", "alice-password").await.unwrap();
    assert_eq!(signed_in.session.user, alice.id);
    assert_eq!(signed_in.key.expose_text().unwrap().len(), 88);
    assert!(lives(&world, &signed_in).await);
    // Its key is no token, and its digest no key.
    for credential in [
        Credential::Bearer(signed_in.key.clone()),
        Credential::Session(token(&signed_in.key.session_digest())),
    ] {
        assert_eq!(world.outcome(credential).await.0, "unknown");
    }
    assert!(world.accounts.sign_out(&signed_in.key).await.unwrap());
    assert!(!lives(&world, &signed_in).await);
    assert!(!world.accounts.sign_out(&signed_in.key).await.unwrap());
}

#[tokio::test]
async fn an_inactive_user_signs_in_and_out() {
    let world = World::new().await;
    let alice = world.user("alice", Some("alice-password")).await;
    world.set_user_status(&alice, Status::Inactive).await;
    let signed_in = signs_in(&world, "alice", "alice-password").await.unwrap();
    assert!(!lives(&world, &signed_in).await);
    assert!(world.accounts.sign_out(&signed_in.key).await.unwrap());
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let world = World::new().await;
    let alice = world.user("alice", Some("alice-password")).await;
    let first = signs_in(&world, "alice", "alice-password").await.unwrap();
    let second = signs_in(&world, "alice", "alice-password").await.unwrap();
    let caller = world.resolve(Credential::Session(first.key.clone())).await;
    let caller = caller.unwrap();
    let change = async |old: &str, new: &str| {
        world
            .accounts
            .change_password(&caller, alice.id, &token(old), &secret(new), FROM)
            .await
    };
    let wrong = change("wrong-password", "another-password").await;
    assert!(matches!(wrong, Err(SetPasswordError::Wrong)));
    let short = change("alice-password", "short").await;
    assert!(matches!(short, Err(SetPasswordError::Rule(_))));
    let wrong = change("wrong-password", "short").await;
    assert!(matches!(wrong, Err(SetPasswordError::Wrong)), "{wrong:?}");
    assert!(lives(&world, &second).await);

    change("alice-password", "another-password").await.unwrap();
    assert!(lives(&world, &first).await);
    assert!(!lives(&world, &second).await);
    assert!(signs_in(&world, "alice", "alice-password").await.is_err());
    let third = signs_in(&world, "alice", "another-password").await.unwrap();

    // Set by the user's own session, the same.
    let third_password = secret("third-password");
    let set = world
        .accounts
        .set_password(&caller, alice.id, &third_password);
    set.await.unwrap();
    assert!(lives(&world, &first).await);
    assert!(!lives(&world, &third).await);
}

#[tokio::test]
async fn a_password_set_by_somebody_else_ends_all_sessions() {
    let world = World::new().await;
    let admin = world.user("admin", None).await;
    let alice = world.user("alice", Some("alice-password")).await;
    let signed_in = signs_in(&world, "alice", "alice-password").await.unwrap();
    let operator = caller(&world, &admin, Permission::operator()).await;
    let password = secret("another-password");
    let set = world.accounts.set_password(&operator, alice.id, &password);
    set.await.unwrap();
    assert!(!lives(&world, &signed_in).await);
}

#[tokio::test]
async fn nobody_sets_the_password_of_somebody_who_may_do_more() {
    let world = World::new().await;
    let first = world.user("first", Some("first-password")).await;
    world.is_now(&first, MemberOf::Instance, Role::Owner).await;
    let of = MemberOf::Organization(world.org);
    world.is_now(&first, of, Role::Owner).await;
    let bob = world.user("bob", None).await;
    world.is_now(&bob, of, Role::Member).await;
    world
        .api_token(&bob, "writer", vec![Permission::org_owner(world.org)[3]])
        .await;

    // What the UI calls all access: everything in the organization, and its owner.
    let mut all_access = Permission::org_owner(world.org);
    all_access.extend(Permission::me(first.id));
    all_access.extend(Permission::me(bob.id));
    let all_access = caller(&world, &first, all_access).await;
    let mut member = Permission::org_member(world.org);
    member.extend(Permission::me(bob.id));
    let member = caller(&world, &bob, member).await;
    let operator = caller(&world, &bob, Permission::operator()).await;

    let set = async |caller: &Caller, user: &User| {
        let password = secret("another-password");
        world
            .accounts
            .set_password(caller, user.id, &password)
            .await
    };
    let gains = |result| matches!(result, Err(SetPasswordError::Gain(GainError::NotHeld(_))));
    assert!(gains(set(&all_access, &first).await), "the instance");
    assert!(gains(set(&member, &bob).await), "a token of bob writes");
    // By now bob has an operator's token, too.
    assert!(gains(set(&all_access, &bob).await));
    set(&operator, &first).await.unwrap();
    set(&operator, &bob).await.unwrap();

    let nobody = User {
        id: influxd_model::UserId::new(77).unwrap(),
        ..bob.clone()
    };
    let no_user = set(&operator, &nobody).await;
    assert!(matches!(no_user, Err(SetPasswordError::NoUser)));
    let short = secret("short");
    let short = world.accounts.set_password(&operator, nobody.id, &short);
    assert!(matches!(short.await, Err(SetPasswordError::Rule(_))));
}

#[tokio::test]
async fn the_password_of_a_1x_user_takes_all_that_it_may_do() {
    let world = World::new().await;
    let alice = world.user("alice", None).await;
    let v1_user = world.v1_user(&alice, "grafana", None).await;
    let me = caller(&world, &alice, Permission::me(alice.id)).await;
    let operator = caller(&world, &alice, Permission::operator()).await;
    let set = async |caller: &Caller, password: &str| {
        world
            .accounts
            .set_v1_password(caller, &v1_user, &secret(password))
            .await
    };
    let gain = set(&me, "v1-password").await;
    assert!(matches!(gain, Err(SetPasswordError::Gain(_))));
    let short = set(&operator, "short").await;
    assert!(matches!(short, Err(SetPasswordError::Rule(_))));
    set(&operator, "v1-password").await.unwrap();
    let caller = world.resolve(basic("grafana", "v1-password")).await;
    let id = v1_user.id;
    let org = world.org;
    assert_eq!(caller.unwrap().identity, Identity::V1User { id, org });
}

#[test]
fn sessions_live_on_for_five_minutes_after_each_use() {
    let sessions = SessionConfig::default();
    assert_eq!(sessions.renewed(6 * MINUTE, 0), None);
    assert_eq!(sessions.renewed(5 * MINUTE, 0), None);
    let renewed = sessions.renewed(4 * MINUTE, 0).unwrap();
    assert_eq!(renewed, 5 * MINUTE + 10_000_000_000);
    // A second later nothing has to be written.
    assert_eq!(sessions.renewed(renewed, 1_000_000_000), None);
    let fixed = SessionConfig {
        renew: false,
        ..sessions
    };
    assert_eq!(fixed.renewed(1, 0), None);
}
