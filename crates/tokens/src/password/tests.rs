//! What an attempt costs, and who waits for whom.

use super::*;
use crate::OsRandomness;

fn passwords() -> Passwords {
    let config = PasswordConfig {
        at_once: 1,
        rules: PasswordRules::default(),
    };
    Passwords::new(Arc::new(OsRandomness), config).unwrap()
}

fn secret(text: &str) -> SecretSlice<u8> {
    SecretSlice::from(text.as_bytes().to_vec())
}

fn from(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

const HOLDER: Option<UserId> = UserId::new(1);

async fn tries(
    passwords: &Passwords,
    password: &str,
    stored: Option<&str>,
) -> Result<bool, PasswordError> {
    let password = secret(password);
    let attempt = Attempt {
        name: b"alice",
        password: &password,
        from: from(1),
    };
    let holder = Holder::User(HOLDER.unwrap());
    passwords
        .verify(attempt, stored.map(|hash| (holder, hash)))
        .await
}

#[tokio::test]
async fn a_failure_costs_one_hash_and_a_known_password_none() {
    let passwords = passwords();
    let hash = passwords.hash(&secret("correct horse")).await.unwrap();
    let imported = bcrypt::hash(b"short", 4).unwrap();
    let long = "x".repeat(73);
    for (password, stored, right, cost) in [
        ("correct horse", Some(&*hash), true, 1),
        ("correct horse", Some(&*hash), true, 0),
        ("wrong horse", Some(&*hash), false, 1),
        ("wrong horse", Some(&*hash), false, 1),
        ("correct horse", None, false, 1),
        ("", Some(&*hash), false, 1),
        ("", None, false, 1),
        (&*long, Some(&*hash), false, 1),
        ("short", Some(&*imported), true, 1),
        ("short", Some(&*imported), true, 0),
        ("shirt", Some(&*imported), false, 1),
    ] {
        let before = passwords.figures().hashes;
        assert_eq!(
            tries(&passwords, password, stored).await,
            Ok(right),
            "{password} {stored:?}"
        );
        assert_eq!(
            passwords.figures().hashes - before,
            cost,
            "{password} {stored:?}"
        );
    }
    // A new hash: the old password is unknown again.
    let hash = passwords.hash(&secret("another horse")).await.unwrap();
    assert_eq!(
        tries(&passwords, "correct horse", Some(&hash)).await,
        Ok(false)
    );
}

#[tokio::test]
async fn a_damaged_hash_is_an_error() {
    assert_eq!(
        tries(&passwords(), "x", Some("$argon2id$")).await,
        Err(PasswordError::Damaged)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_turned_away_and_a_stranger_still_gets_in() {
    let passwords = Arc::new(passwords());
    let hash = passwords.hash(&secret("correct horse")).await.unwrap();
    let crowd: Vec<_> = (0..queue::PLACES_EACH + 20)
        .map(|_| {
            let passwords = Arc::clone(&passwords);
            tokio::spawn(async move { tries(&passwords, "guess", None).await })
        })
        .collect();
    while passwords.figures().turned_away == 0 {
        tokio::task::yield_now().await;
    }
    let begun = passwords.figures().hashes;
    let attempt = Attempt {
        name: b"bob",
        password: &secret("correct horse"),
        from: from(2),
    };
    let holder = Holder::User(HOLDER.unwrap());
    assert_eq!(
        passwords.verify(attempt, Some((holder, &hash))).await,
        Ok(true)
    );
    let before_bob = passwords.figures().hashes - begun;
    assert!(before_bob <= 4, "{before_bob} of the crowd came first");

    let mut results = Vec::new();
    for one in crowd {
        results.push(one.await.unwrap());
    }
    let busy = results.iter().filter(|r| **r == Err(PasswordError::Busy));
    assert!((10..=20).contains(&busy.count()));
    assert!(results.iter().all(|r| *r != Ok(true)));
    assert_eq!(passwords.figures().waiting, 0);
}

#[tokio::test]
async fn who_gives_up_costs_no_hash() {
    let passwords = passwords();
    for _ in 0..6 {
        assert_eq!(tries(&passwords, "guess", None).await, Ok(false));
    }
    // By now the address has to wait before its next hash.
    let before = passwords.figures().hashes;
    let gone = tokio::time::timeout(Duration::from_millis(10), tries(&passwords, "guess", None));
    assert!(gone.await.is_err());
    while passwords.figures().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(passwords.figures().hashes, before);
}
