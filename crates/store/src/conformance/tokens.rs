//! What is stored of API tokens: raw or as digests, and the ways from one to the other
//! (auth-and-resources 6).

use influxd_model::Authorization;
use secrecy::ExposeSecret;

use super::Subject;
use super::fixtures::{
    assert_refused, authorization, authorization_id, digest, forms, org_id, raw, user_id, v1_user,
};
use crate::{
    AuthorizationFilter, AuthorizationKind, RawToken, StoreError, StoredToken, TokenForm, Unique,
};

const ALL: AuthorizationFilter = AuthorizationFilter {
    kind: AuthorizationKind::ApiToken,
    org: None,
    user: None,
    living: false,
};

fn ids<T>(found: &[(influxd_model::AuthorizationId, T)]) -> Vec<u64> {
    found.iter().map(|(id, _)| id.get()).collect()
}

fn text(token: &RawToken) -> &[u8] {
    token.text().expose_secret()
}

/// And before any digest. Its text comes back byte for byte.
pub async fn raw_tokens_are_found_by_their_key(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    for (id, token) in [
        (1, raw("one")),
        (2, digest("$x$two")),
        (3, raw("$x$two")),
        (4, raw("\0\u{e9} four")),
    ] {
        let new = authorization(id);
        authorizations.insert(&new, Some(&token)).await.unwrap();
    }
    let found = authorizations
        .find_by_token(&forms("one", &["$x$two"]))
        .await;
    let (found, token) = found.unwrap().unwrap();
    assert_eq!((found, &token), (authorization(1), &raw("one")));
    let StoredToken::Raw(token) = token else {
        panic!("it is stored raw");
    };
    assert_eq!(text(&token), b"one");
    // A digest that is presented is no token; nor is a token a digest.
    let found = authorizations
        .find_by_token(&forms("$x$two", &["$x$y"]))
        .await;
    assert_eq!(found.unwrap(), Some((authorization(3), raw("$x$two"))));
    let found = authorizations.find_by_token(&forms("none", &["one"])).await;
    assert_eq!(found.unwrap(), None);
    let found = authorizations
        .find_by_token(&forms("\0\u{e9} four", &[]))
        .await;
    assert_eq!(
        found.unwrap(),
        Some((authorization(4), raw("\0\u{e9} four")))
    );
}

/// As far as a store can tell: a digest of SHA-256 and a raw token can be compared.
pub async fn a_token_is_stored_once_in_whatever_form(subject: Subject) {
    let sha256 = "$influxdb2-sha256$_s5Q0ih_ckWupYGbdfle6L7ClaFPjvHnox8X8drp30Q=";
    for stored in [raw("my-token"), digest(sha256)] {
        let mut transaction = subject.store.begin().await.unwrap();
        let mut authorizations = transaction.authorizations();
        let new = authorization(1);
        authorizations.insert(&new, Some(&stored)).await.unwrap();
        for again in [raw("my-token"), digest(sha256)] {
            assert_refused!(
                authorizations.insert(&authorization(2), Some(&again)).await,
                StoreError::Conflict(Unique::Token)
            );
        }
        for other in [raw("my-token "), digest("$influxdb2-sha256$AAAA")] {
            let id = 3 + u64::from(other == raw("my-token "));
            let new = authorization(id);
            authorizations.insert(&new, Some(&other)).await.unwrap();
        }
    }
}

/// Those of the authorizations that a list shows.
pub async fn raw_tokens_are_listed_as_authorizations_are(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    subject.with_users(&[7, 8]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    // Organization 3 does not exist.
    for (id, org, user) in [(u64::MAX, 1, 7), (2, 1, 8), (3, 2, 7), (4, 3, 7), (5, 1, 7)] {
        let new = Authorization {
            org: org_id(org),
            user: user_id(user),
            ..authorization(id)
        };
        let token = match id {
            5 => digest("d"),
            _ => raw(&format!("token {id}")),
        };
        authorizations.insert(&new, Some(&token)).await.unwrap();
    }
    let named = v1_user(6, "ada");
    authorizations.insert(&named, None).await.unwrap();
    drop(authorizations);
    let mut tokens = transaction.tokens();
    let all = tokens.raw(&ALL).await.unwrap();
    assert_eq!(ids(&all), [2, 3, 4, u64::MAX]);
    assert_eq!(text(&all[1].1), b"token 3");
    let mut list = async |org, user, living| {
        let filter = AuthorizationFilter {
            org: influxd_model::OrgId::new(org),
            user: influxd_model::UserId::new(user),
            living,
            ..ALL
        };
        ids(&tokens.raw(&filter).await.unwrap())
    };
    assert_eq!(list(0, 0, true).await, [2, 3, u64::MAX]);
    assert_eq!(list(1, 0, false).await, [2, u64::MAX]);
    assert_eq!(list(0, 7, false).await, [3, 4, u64::MAX]);
    assert_eq!(list(2, 7, true).await, [3]);
    assert_eq!(list(3, 0, true).await, [0; 0]);
    let named = AuthorizationFilter {
        kind: AuthorizationKind::V1User,
        ..ALL
    };
    assert!(tokens.raw(&named).await.unwrap().is_empty());
}

/// A batch at a time, until none is left.
pub async fn what_is_not_hashed_is_found_in_order(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    for id in [9, 4, u64::MAX, 6, 2] {
        let token = match id {
            4 => digest("d"),
            _ => raw(&format!("token {id}")),
        };
        let mut authorizations = transaction.authorizations();
        let new = authorization(id);
        authorizations.insert(&new, Some(&token)).await.unwrap();
    }
    for (limit, expected) in [(2, &[2, 6][..]), (3, &[9, u64::MAX]), (1, &[])] {
        let mut tokens = transaction.tokens();
        let found = tokens.unhashed(limit).await.unwrap();
        assert_eq!(ids(&found), expected);
        for (id, token) in found {
            assert_eq!(
                text(&token),
                format!("token {id}", id = id.get()).as_bytes()
            );
            let hashed = digest(&format!("digest {}", id.get()));
            tokens.replace(id, &hashed).await.unwrap();
        }
    }
}

/// Either way, and what it was before means nothing any more.
pub async fn tokens_change_their_form(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    for (id, token) in [(1, raw("one")), (2, digest("$x$two")), (3, raw("three"))] {
        let new = authorization(id);
        authorizations.insert(&new, Some(&token)).await.unwrap();
    }
    let named = v1_user(4, "ada");
    authorizations.insert(&named, None).await.unwrap();
    drop(authorizations);
    let mut tokens = transaction.tokens();
    // Taken, and nothing has changed.
    for taken in [digest("$x$two"), raw("three")] {
        let replace = tokens.replace(authorization_id(1), &taken).await;
        assert_refused!(replace, StoreError::Conflict(Unique::Token));
    }
    for missing in [4, 5] {
        let replace = tokens
            .replace(authorization_id(missing), &digest("n"))
            .await;
        assert_refused!(replace, StoreError::NotFound(_));
    }
    for (id, token) in [(1, digest("$x$one")), (2, raw("two")), (3, raw("again"))] {
        let id = authorization_id(id);
        tokens.replace(id, &token).await.unwrap();
    }
    drop(tokens);
    let mut authorizations = transaction.authorizations();
    for gone in [
        forms("one", &["$x$two"]),
        forms("three", &[]),
        forms("none", &["n"]),
    ] {
        assert_eq!(authorizations.find_by_token(&gone).await.unwrap(), None);
    }
    for (id, there, token) in [
        (1, forms("one", &["$x$one"]), digest("$x$one")),
        (2, forms("two", &["$x$two"]), raw("two")),
        (3, forms("again", &[]), raw("again")),
    ] {
        let found = authorizations.find_by_token(&there).await.unwrap();
        assert_eq!(found, Some((authorization(id), token)));
    }
}

/// More than one statement takes.
pub async fn many_tokens_change_their_form_at_once(subject: Subject) {
    const MANY: u64 = 1_203;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut hashed = Vec::new();
    for id in 1..=MANY {
        let token = raw(&format!("token {id}"));
        let mut authorizations = transaction.authorizations();
        let new = authorization(id);
        authorizations.insert(&new, Some(&token)).await.unwrap();
        hashed.push((authorization_id(id), digest(&format!("$x${id}"))));
    }
    let mut tokens = transaction.tokens();
    tokens.replace_all(&[]).await.unwrap();
    tokens.replace_all(&hashed).await.unwrap();
    assert_eq!(
        tokens.forms().await.unwrap(),
        [(TokenForm::Digest("$x$".to_owned()), MANY)]
    );
    let back = [
        (authorization_id(7), raw("seven")),
        (authorization_id(8), digest("$y$eight")),
    ];
    tokens.replace_all(&back).await.unwrap();
    assert_eq!(ids(&tokens.unhashed(9).await.unwrap()), [7]);
    let missing = [
        (authorization_id(9), raw("nine")),
        (authorization_id(MANY + 1), raw("none")),
    ];
    assert_refused!(tokens.replace_all(&missing).await, StoreError::NotFound(_));
}

/// By what they begin with, a batch after the other.
pub async fn digests_are_listed_by_prefix(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    for (id, token) in [
        (9, digest("$x$nine")),
        (2, digest("$x$two")),
        (3, digest("$xx$three")),
        (4, digest("$X$four")),
        (5, raw("$x$five")),
        (u64::MAX, digest("$x$last")),
        (7, digest("$x%")),
    ] {
        let new = authorization(id);
        authorizations.insert(&new, Some(&token)).await.unwrap();
    }
    drop(authorizations);
    let mut tokens = transaction.tokens();
    let mut list = async |prefix, after, limit| {
        let after = influxd_model::AuthorizationId::new(after);
        let found = tokens.digests(prefix, after, limit).await.unwrap();
        found
            .into_iter()
            .map(|(id, digest)| (id.get(), digest))
            .collect::<Vec<_>>()
    };
    let two = (2, "$x$two".to_owned());
    let nine = (9, "$x$nine".to_owned());
    let last = (u64::MAX, "$x$last".to_owned());
    assert_eq!(list("$x$", 0, 2).await, [two, nine.clone()]);
    assert_eq!(list("$x$", 2, 9).await, [nine, last]);
    assert_eq!(list("$x$", u64::MAX, 9).await, []);
    assert_eq!(list("$none$", 0, 9).await, []);
}

/// One for each API token; it goes with it.
pub async fn copies_are_kept_in_escrow(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    for id in [1, 2, u64::MAX] {
        let token = raw(&format!("token {id}"));
        let new = authorization(id);
        authorizations.insert(&new, Some(&token)).await.unwrap();
    }
    let named = v1_user(3, "ada");
    authorizations.insert(&named, None).await.unwrap();
    drop(authorizations);
    let mut tokens = transaction.tokens();
    for missing in [3, 4] {
        let put = tokens.put_in_escrow(authorization_id(missing), b"x").await;
        assert_refused!(put, StoreError::NotFound(_));
    }
    for (id, sealed) in [(1, "first"), (1, "\0one"), (u64::MAX, "last"), (2, "two")] {
        let put = tokens.put_in_escrow(authorization_id(id), sealed.as_bytes());
        put.await.unwrap();
    }
    let hashed = digest("digest");
    tokens.replace(authorization_id(1), &hashed).await.unwrap();
    let first = tokens.in_escrow(None, 2).await.unwrap();
    let one = (authorization_id(1), b"\0one".to_vec());
    let two = (authorization_id(2), b"two".to_vec());
    assert_eq!(first, [one, two]);
    let rest = tokens.in_escrow(Some(authorization_id(2)), 2).await;
    assert_eq!(ids(&rest.unwrap()), [u64::MAX]);
    drop(tokens);
    let mut authorizations = transaction.authorizations();
    let delete = authorizations.delete(AuthorizationKind::ApiToken, authorization_id(1));
    delete.await.unwrap();
    drop(authorizations);
    let left = transaction.tokens().in_escrow(None, 9).await.unwrap();
    assert_eq!(ids(&left), [2, u64::MAX]);
}

/// Each form of digest for itself, whatever the text.
pub async fn forms_are_counted(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    assert_eq!(transaction.tokens().forms().await.unwrap(), []);
    let mut authorizations = transaction.authorizations();
    let all = [
        raw("one"),
        raw("two"),
        digest("$sha256$-"),
        digest("$sha256$_"),
        digest("$sha256$zzz="),
        digest("$sha512$0"),
        digest("$hmac$k1$0"),
        digest("$hmac$k1$1"),
        digest("$hmac$k2$0"),
        digest("$hmac$zzz"),
        digest("$hmac$0"),
        digest("$"),
        digest("no digest"),
        digest("none\u{1f600}"),
    ];
    for (id, token) in (1..).zip(&all) {
        let new = authorization(id);
        authorizations.insert(&new, Some(token)).await.unwrap();
    }
    let named = v1_user(99, "ada");
    authorizations.insert(&named, None).await.unwrap();
    drop(authorizations);
    let found = transaction.tokens().forms().await.unwrap();
    let digests = |prefix: &str, count| (TokenForm::Digest(prefix.to_owned()), count);
    let expected = [
        (TokenForm::Raw, 2),
        digests("", 2),
        digests("$", 1),
        digests("$hmac$", 2),
        digests("$hmac$k1$", 2),
        digests("$hmac$k2$", 1),
        digests("$sha256$", 3),
        digests("$sha512$", 1),
    ];
    assert_eq!(found, expected);
}
