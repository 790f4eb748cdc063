//! Every form of credential, in every state.

use std::sync::atomic::Ordering;
use std::time::Instant;

use influxd_model::{MemberOf, Permission, Role, Status};

use super::*;
use crate::cache::TIME_TO_LIVE;
use crate::testing::{FROM, World, basic, named, token};
use crate::{Keyring, PasswordRules, SignInError};

const MINUTE: i64 = 60_000_000_000;

/// Alice owns a token with a colon in it, a 1.x user with a password and one without.
struct Alices {
    world: World,
    alice: User,
    plain: Authorization,
    colon: Authorization,
    v1: Authorization,
    bare: Authorization,
}

async fn alices() -> Alices {
    let world = World::new().await;
    let alice = world.user("alice", Some("alice-password")).await;
    let plain = world.api_token(&alice, "plain", Permission::operator());
    let plain = plain.await;
    let colon = world.api_token(&alice, "a:b", Vec::new()).await;
    let hash = world.hash("v1-password").await;
    let v1 = world.v1_user(&alice, "grafana", Some(&hash)).await;
    let bare = world.v1_user(&alice, "bare", None).await;
    Alices {
        world,
        alice,
        plain,
        colon,
        v1,
        bare,
    }
}

#[tokio::test]
async fn every_form_is_looked_up_in_the_order_of_the_contract() {
    let a = alices().await;
    let id = |authorization: &Authorization| authorization.id.to_string();
    let (plain, colon, v1) = (id(&a.plain), id(&a.colon), id(&a.v1));
    let unknown = "unknown".to_owned();
    let wrong = "wrong_password".to_owned();
    let header = |text: &str| Credential::Token(token(text));
    let bearer = |text: &str| Credential::Bearer(token(text));
    let url = |name: &str, secret: &str| Credential::Url(named(name, secret));
    let digest = Keyring::default().digest(&token("plain")).to_phc();
    for (credential, expected, hashes) in [
        (bearer("plain"), &plain, 0),
        (bearer("a:b"), &colon, 0),
        (bearer("x:plain"), &unknown, 0),
        (bearer("grafana:v1-password"), &unknown, 0),
        (bearer(&digest), &unknown, 0),
        (header("plain"), &plain, 0),
        (header("a:b"), &colon, 0),
        (header("x:plain"), &plain, 0),
        (header(":plain"), &plain, 0),
        (header("grafana:plain"), &plain, 0),
        (header("grafana:v1-password"), &v1, 1),
        (header("grafana:v1-password"), &v1, 0),
        (header("grafana:wrong"), &wrong, 1),
        (header("bare:wrong"), &unknown, 1),
        (header("nobody:wrong"), &unknown, 1),
        (header("grafana:"), &wrong, 1),
        (header(":wrong"), &unknown, 0),
        (header("wrong"), &unknown, 0),
        (header("grafana"), &unknown, 0),
        (header(&digest), &unknown, 0),
        (basic("grafana", "v1-password"), &v1, 0),
        (basic("grafana", "wrong"), &wrong, 1),
        (basic("grafana", "plain"), &wrong, 1),
        (basic("grafana", ""), &wrong, 1),
        (basic("bare", "plain"), &plain, 0),
        (basic("bare", "wrong"), &unknown, 1),
        (basic("bare", ""), &unknown, 1),
        (basic("nobody", "plain"), &plain, 0),
        (basic("nobody", "wrong"), &unknown, 1),
        (basic("plain", ""), &unknown, 1),
        (basic("", "plain"), &plain, 0),
        (basic("", "wrong"), &unknown, 0),
        (basic("alice", "alice-password"), &unknown, 1),
        (basic("no\0body", "plain"), &plain, 0),
        (url("grafana", "v1-password"), &v1, 0),
        (url("grafana", "plain"), &wrong, 1),
        (url("x", "plain"), &plain, 0),
        (Credential::Session(token("plain")), &unknown, 0),
        (Credential::Session(token("alice-password")), &unknown, 0),
    ] {
        let shown = format!("{credential:?}");
        a.world.resolver.forget();
        let (outcome, cost) = a.world.outcome(credential).await;
        assert_eq!((&outcome, cost), (expected, hashes), "{shown}");
    }
}

#[tokio::test]
async fn names_and_secrets_are_bytes() {
    let a = alices().await;
    let named = NamedSecret {
        name: vec![0xff, 0xfe],
        secret: token("plain"),
    };
    let (outcome, hashes) = a.world.outcome(Credential::Basic(named)).await;
    assert_eq!((outcome, hashes), (a.plain.id.to_string(), 0));
}

#[tokio::test]
async fn what_is_switched_off_is_refused_the_user_first() {
    let a = alices().await;
    let forms = || {
        [
            Credential::Bearer(token("plain")),
            basic("grafana", "v1-password"),
        ]
    };
    let outcomes = async || {
        a.world.resolver.forget();
        let mut outcomes = Vec::new();
        for form in forms() {
            outcomes.push(a.world.outcome(form).await.0);
        }
        outcomes
    };
    assert_eq!(
        outcomes().await,
        [a.plain.id.to_string(), a.v1.id.to_string()]
    );
    for authorization in [&a.plain, &a.v1] {
        a.world.set_status(authorization, Status::Inactive).await;
    }
    assert_eq!(outcomes().await, ["token_inactive", "v1_user_inactive"]);
    a.world.set_user_status(&a.alice, Status::Inactive).await;
    assert_eq!(outcomes().await, ["user_inactive", "user_inactive"]);
    a.world.delete_user(&a.alice).await;
    assert_eq!(outcomes().await, ["user_missing", "user_missing"]);
    // Wrong ones stay wrong, whatever state the owner is in.
    let (outcome, hashes) = a.world.outcome(basic("grafana", "wrong")).await;
    assert_eq!((outcome.as_str(), hashes), ("wrong_password", 1));
}

#[tokio::test]
async fn a_token_acts_with_its_own_permissions_for_its_owner() {
    let a = alices().await;
    let caller = a.world.resolve(basic("bare", "plain")).await.unwrap();
    assert_eq!(caller.user, a.alice);
    assert_eq!(caller.permissions, Permission::operator());
    let (id, org) = (a.plain.id, a.world.org);
    assert_eq!(caller.identity, Identity::ApiToken { id, org });
    let caller = a.world.resolve(basic("grafana", "v1-password")).await;
    let (id, org) = (a.v1.id, a.world.org);
    assert_eq!(caller.unwrap().identity, Identity::V1User { id, org });
    assert_eq!(a.bare.v1_name.as_deref(), Some("bare"));
}

#[tokio::test]
async fn a_caller_is_remembered_for_a_moment_and_forgotten_at_once_when_told() {
    let a = alices().await;
    let credential = || Credential::Token(token("x:plain"));
    assert!(!a.world.is_cached(&credential()));
    a.world.resolve(credential()).await.unwrap();
    let asked = a.world.times_asked();
    assert!(a.world.is_cached(&credential()));
    // Other forms of the same token are looked up for themselves.
    assert!(!a.world.is_cached(&Credential::Bearer(token("x:plain"))));
    assert!(!a.world.is_cached(&basic("x", "plain")));
    assert_eq!(a.world.times_asked(), asked);
    a.world.clock.pass(TIME_TO_LIVE);
    assert!(!a.world.is_cached(&credential()));

    a.world.resolve(credential()).await.unwrap();
    a.world.resolver.forget();
    assert!(!a.world.is_cached(&credential()));

    // One that is found to be bad is forgotten, too.
    a.world.resolve(credential()).await.unwrap();
    a.world.set_status(&a.plain, Status::Inactive).await;
    assert!(a.world.is_cached(&credential()));
    assert!(a.world.resolve(credential()).await.is_err());
    assert!(!a.world.is_cached(&credential()));
}

#[tokio::test]
async fn a_changed_password_is_a_new_one() {
    let a = alices().await;
    let old = || basic("grafana", "v1-password");
    assert_eq!(a.world.outcome(old()).await.1, 1);
    let operator = a.world.resolve(Credential::Bearer(token("plain"))).await;
    let new = crate::testing::secret("another-password");
    a.world
        .accounts
        .set_v1_password(&operator.unwrap(), &a.v1, &new)
        .await
        .unwrap();
    assert!(!a.world.is_cached(&old()));
    let (outcome, hashes) = a.world.outcome(old()).await;
    assert_eq!((outcome.as_str(), hashes), ("wrong_password", 1));
    let (outcome, hashes) = a.world.outcome(basic("grafana", "another-password")).await;
    assert_eq!((outcome, hashes), (a.v1.id.to_string(), 1));
}

#[tokio::test]
async fn imported_passwords_verify_whatever_their_length() {
    let a = alices().await;
    let hash = bcrypt::hash("short", 4).unwrap();
    let imported = a.world.v1_user(&a.alice, "old", Some(&hash)).await;
    let right = a.world.outcome(basic("old", "short")).await;
    assert_eq!(right, (imported.id.to_string(), 1));
    let (wrong, _) = a.world.outcome(basic("old", "shirt")).await;
    assert_eq!(wrong, "wrong_password");
}

#[tokio::test]
async fn a_password_that_became_too_weak_is_refused() {
    let strong = PasswordRules { strong: true };
    let world = World::with(strong, SessionConfig::default()).await;
    let alice = world.user("alice", Some("weak-password")).await;
    let hash = world.hash("weak-password").await;
    world.v1_user(&alice, "grafana", Some(&hash)).await;
    let weak = || basic("grafana", "weak-password");
    assert_eq!(world.outcome(weak()).await, ("weak_password".to_owned(), 1));
    assert_eq!(world.outcome(weak()).await, ("weak_password".to_owned(), 0));
    assert_eq!(
        world.outcome(basic("grafana", "")).await.0,
        "wrong_password"
    );

    let signed_in = world
        .accounts
        .sign_in(&named("alice", "weak-password"), FROM)
        .await;
    let Err(SignInError::ChangeRequired(rule)) = signed_in else {
        panic!("{signed_in:?}");
    };
    assert!(rule.to_string().starts_with("passwords must contain"));
}

#[tokio::test]
async fn a_store_that_cannot_be_asked_is_not_the_clients_fault() {
    let a = alices().await;
    a.world.store.is_off.store(true, Ordering::Relaxed);
    for credential in [
        Credential::Bearer(token("plain")),
        Credential::Session(token("plain")),
        basic("grafana", "wrong"),
    ] {
        assert_eq!(a.world.outcome(credential).await, ("store".to_owned(), 0));
    }
}

#[tokio::test]
async fn a_session_holds_what_its_user_is_and_all_their_tokens() {
    let a = alices().await;
    let world = &a.world;
    let bob = world.user("bob", Some("bob-password")).await;
    let of = MemberOf::Organization(world.org);
    world.is_now(&bob, of, Role::Member).await;
    let token_of_bob = world
        .api_token(&bob, "bobs", vec![Permission::operator()[3]])
        .await;
    world.set_status(&token_of_bob, Status::Inactive).await;
    let session = async |name: &str, password: &str| {
        let signed_in = world.accounts.sign_in(&named(name, password), FROM).await;
        world
            .resolve(Credential::Session(signed_in.unwrap().key))
            .await
            .unwrap()
    };
    let caller = session("bob", "bob-password").await;
    let mut expected = Permission::org_member(world.org);
    expected.extend(Permission::me(bob.id));
    expected.push(Permission::operator()[3]);
    assert_eq!(caller.permissions, expected);
    assert_eq!(caller.authorization(), None);

    // The owner of the instance holds everything as it is.
    world
        .is_now(&a.alice, MemberOf::Instance, Role::Owner)
        .await;
    let caller = session("alice", "alice-password").await;
    assert_eq!(caller.missing_for_operator(), None);
    assert_eq!(caller.permissions.len(), 4);
}

#[tokio::test]
async fn a_session_ends_when_it_is_over_and_lives_on_when_it_is_used() {
    for renew in [true, false] {
        let sessions = SessionConfig { minutes: 2, renew };
        let world = World::with(PasswordRules::default(), sessions).await;
        world.user("alice", Some("alice-password")).await;
        let named = named("alice", "alice-password");
        let signed_in = world.accounts.sign_in(&named, FROM).await.unwrap();
        let session = || Credential::Session(signed_in.key.clone());
        assert_eq!(signed_in.session.expires_at - world.clock.now(), 2 * MINUTE);
        world.clock.pass(2 * MINUTE - 1);
        assert_eq!(world.outcome(session()).await.0, "session of alice");
        world.clock.pass(1);
        let lives = world.is_cached(&session());
        assert_eq!(lives, renew, "what is cached ends as well");
        world.clock.pass(4 * MINUTE);
        let expected = if renew { "session of alice" } else { "unknown" };
        assert_eq!(world.outcome(session()).await.0, expected);
        world.clock.pass(5 * MINUTE + MINUTE / 6);
        assert_eq!(world.outcome(session()).await.0, "unknown");
        assert!(!world.accounts.sign_out(&signed_in.key).await.unwrap());
    }
}

#[tokio::test]
async fn a_long_session_is_not_written_at_every_use() {
    let a = alices().await;
    let named = named("alice", "alice-password");
    let signed_in = a.world.accounts.sign_in(&named, FROM).await.unwrap();
    let before = a.world.times_asked();
    for _ in 0..5 {
        let session = Credential::Session(signed_in.key.clone());
        a.world.resolve(session).await.unwrap();
    }
    assert_eq!(a.world.times_asked() - before, 5, "one reading each");
}

#[tokio::test]
async fn a_session_of_a_switched_off_user_sleeps() {
    let a = alices().await;
    let named = named("alice", "alice-password");
    a.world.set_user_status(&a.alice, Status::Inactive).await;
    let signed_in = a.world.accounts.sign_in(&named, FROM).await.unwrap();
    let outcome = async || {
        a.world.resolver.forget();
        let session = Credential::Session(signed_in.key.clone());
        a.world.outcome(session).await.0
    };
    assert_eq!(outcome().await, "user_inactive");
    a.world.set_user_status(&a.alice, Status::Active).await;
    assert_eq!(outcome().await, "session of alice");
    a.world.delete_user(&a.alice).await;
    assert_eq!(outcome().await, "user_missing");
}

/// Known and unknown names cost the same. The count of hashes is exact; of the times, taken in
/// turns, the shortest are compared: whatever else the machine does only makes some longer.
#[tokio::test]
async fn known_and_unknown_names_cost_the_same() {
    let a = alices().await;
    let hash = a.world.hash("v1-password").await;
    let mut times: [Vec<u128>; 3] = Default::default();
    for round in 0..15 {
        // Every name is tried once, so that no back-off comes into it.
        let known = format!("known-{round}");
        a.world.v1_user(&a.alice, &known, Some(&hash)).await;
        let bare = format!("bare-{round}");
        a.world.v1_user(&a.alice, &bare, None).await;
        let nobody = format!("nobody-{round}");
        for (name, times) in [known, bare, nobody].iter().zip(&mut times) {
            let start = Instant::now();
            let (_, hashes) = a.world.outcome(basic(name, "wrong")).await;
            times.push(start.elapsed().as_micros());
            assert_eq!(hashes, 1, "{name}");
        }
    }
    let shortest = times.map(|times| times.into_iter().min().unwrap());
    let (least, most) = (
        shortest.iter().min().copied().unwrap(),
        shortest.iter().max().copied().unwrap(),
    );
    assert!(most * 10 <= least * 13, "{shortest:?} microseconds");
}
