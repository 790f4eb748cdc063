//! Texts that no store keeps (auth-and-resources 9.10).

use super::Subject;
use super::fixtures::{
    assert_refused, authorization, bucket, dbrp, digest, label, org_id, organization, user, v1_user,
};
use crate::StoreError;

/// One database cannot keep U+0000 in a text, so none does; and says so without ending what was
/// begun.
pub async fn texts_with_nul_are_refused(subject: Subject) {
    subject.with_buckets(&[5]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let bad = "a\0b";
    let mut described = organization(2, "fine");
    described.description = bad.to_owned();
    let mut known = user(2, "fine");
    known.oauth_id = bad.to_owned();
    let mut token = authorization(2);
    token.description = bad.to_owned();
    let mut policy = bucket(6, 1, "fine");
    policy.policy = bad.to_owned();
    macro_rules! refuses {
        ($($repository:ident.$method:ident($($argument:expr),*);)*) => {$(
            assert_refused!(
                transaction.$repository().$method($($argument),*).await,
                StoreError::Refused(_)
            );
        )*};
    }
    refuses! {
        organizations.insert(&organization(2, bad));
        organizations.insert(&described);
        organizations.update(&organization(1, bad));
        users.insert(&user(2, bad));
        users.insert(&known);
        users.update(&user(2, bad));
        buckets.insert(&bucket(6, 1, bad));
        buckets.insert(&policy);
        buckets.update(&bucket(5, 1, bad));
        authorizations.insert(&token, Some(&digest("d")));
        authorizations.insert(&v1_user(2, bad), None);
        authorizations.update(&token);
        dbrps.insert(&dbrp(7, 5, bad, "p"));
        dbrps.insert(&dbrp(7, 5, "d", bad));
        dbrps.update(&dbrp(7, 5, "d", bad));
        labels.insert(&label(7, 1, bad));
        labels.update(&label(7, 1, bad));
        secrets.put(org_id(1), bad, b"value");
    }
    // To look for one is to find nothing.
    let found = transaction.organizations().find_by_name(bad).await;
    assert_eq!(found.unwrap(), None);
    assert_eq!(transaction.users().find_by_name(bad).await.unwrap(), None);
    let found = transaction.authorizations().find_v1_user(bad).await;
    assert_eq!(found.unwrap(), None);
    assert!(!transaction.secrets().delete(org_id(1), bad).await.unwrap());
    transaction.users().insert(&user(2, "fine")).await.unwrap();
    transaction.commit().await.unwrap();
}
