//! Organizations (auth-and-resources 9.1, 9.10).

use influxd_model::{MemberOf, Organization};

use super::Subject;
use super::fixtures::{
    assert_refused, bucket, bucket_id, dbrp, org_id, organization, owner, user, user_id,
};
use crate::{BucketFilter, DbrpFilter, Page, StoreError, Unique};

/// By id, and by a name that is trimmed on both sides of the comparison.
pub async fn organizations_are_found_by_id_and_trimmed_name(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut organizations = transaction.organizations();
    assert!(organizations.is_empty().await.unwrap());
    let new = organization(u64::MAX, "\u{a0} ac me\t");
    organizations.insert(&new).await.unwrap();
    assert!(!organizations.is_empty().await.unwrap());
    for name in ["ac me", " ac me", "ac me\u{2003}"] {
        let found = organizations.find_by_name(name).await.unwrap();
        assert_eq!(found, Some(new.clone()), "{name:?}");
    }
    assert_eq!(organizations.find_by_name("Ac me").await.unwrap(), None);
    assert_eq!(organizations.find(new.id).await.unwrap(), Some(new));
    assert_eq!(organizations.find(org_id(1)).await.unwrap(), None);
}

/// Trimmed, byte for byte.
pub async fn organization_names_are_unique_trimmed(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut organizations = transaction.organizations();
    organizations
        .insert(&organization(1, "acme"))
        .await
        .unwrap();
    assert_refused!(
        organizations.insert(&organization(2, " acme ")).await,
        StoreError::Conflict(Unique::OrganizationName)
    );
    organizations
        .insert(&organization(3, "Acme"))
        .await
        .unwrap();
}

/// Name, description and time of change.
pub async fn organizations_can_be_changed(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut organizations = transaction.organizations();
    let before = organizations.find(org_id(1)).await.unwrap().unwrap();
    let after = Organization {
        name: " renamed\u{a0}".to_owned(),
        description: String::new(),
        updated_at: -7,
        ..before
    };
    organizations.update(&after).await.unwrap();
    let found = organizations.find_by_name("renamed").await.unwrap();
    assert_eq!(found, Some(after.clone()));
    assert_eq!(organizations.find_by_name("org 1").await.unwrap(), None);
    assert_refused!(
        organizations.update(&organization(2, "renamed ")).await,
        StoreError::Conflict(Unique::OrganizationName)
    );
    organizations.update(&after).await.unwrap();
    assert_refused!(
        organizations.update(&organization(3, "none")).await,
        StoreError::NotFound("organization")
    );
}

/// Ids above `i64::MAX` come last.
pub async fn organization_lists_are_in_unsigned_order_and_paged(subject: Subject) {
    let ids = [u64::MAX, 1, 1 << 63, (1 << 63) - 1];
    subject.with_organizations(&ids).await;
    let mut transaction = subject.store.begin_read().await.unwrap();
    let mut organizations = transaction.organizations();
    let mut list = async |page| -> Vec<u64> {
        let found = organizations.list(None, page).await.unwrap();
        found.iter().map(|o| o.id.get()).collect()
    };
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    assert_eq!(list(Page::ALL).await, sorted);
    let page = Page {
        limit: 2,
        offset: 1,
        descending: false,
    };
    assert_eq!(list(page).await, sorted[1..3]);
    let page = Page {
        limit: 1,
        offset: 0,
        descending: true,
    };
    assert_eq!(list(page).await, [u64::MAX]);
}

/// With their mappings, and the mappings of the organization to buckets of others.
pub async fn deleting_an_organization_takes_its_buckets_and_mappings(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    for (id, org) in [(10, 1), (11, 1), (20, 2)] {
        let new = bucket(id, org, &format!("b{id}"));
        transaction.buckets().insert(&new).await.unwrap();
    }
    let mut foreign = dbrp(101, 10, "db", "first");
    foreign.org = org_id(2);
    transaction.dbrps().insert(&foreign).await.unwrap();
    let mut heir = dbrp(102, 20, "db", "second");
    heir.org = org_id(2);
    transaction.dbrps().insert(&heir).await.unwrap();
    transaction
        .dbrps()
        .insert(&dbrp(103, 20, "db", "of the dead"))
        .await
        .unwrap();
    transaction.users().insert(&user(7, "ada")).await.unwrap();
    let owned = owner(7, MemberOf::Organization(org_id(1)));
    transaction.memberships().insert(&owned).await.unwrap();
    transaction.commit().await.unwrap();

    let mut transaction = subject.store.begin().await.unwrap();
    transaction.organizations().delete(org_id(1)).await.unwrap();
    transaction.commit().await.unwrap();

    let mut transaction = subject.store.begin_read().await.unwrap();
    assert_eq!(
        transaction.organizations().find(org_id(1)).await.unwrap(),
        None
    );
    let left = transaction
        .buckets()
        .list(&BucketFilter::default(), Page::ALL)
        .await;
    let left: Vec<_> = left.unwrap().iter().map(|b| b.id).collect();
    assert_eq!(left, [bucket_id(20)]);
    let mine = transaction
        .dbrps()
        .list(org_id(1), &DbrpFilter::default())
        .await;
    assert_eq!(mine.unwrap(), []);
    let others = transaction
        .dbrps()
        .list(org_id(2), &DbrpFilter::default())
        .await
        .unwrap();
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].id, heir.id);
    assert!(others[0].is_default);
    assert!(
        transaction
            .users()
            .find(user_id(7))
            .await
            .unwrap()
            .is_some()
    );
}

/// Changing what is not there is an error.
pub async fn deleting_a_missing_organization_says_so(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    assert_refused!(
        transaction.organizations().delete(org_id(1)).await,
        StoreError::NotFound(_)
    );
}

/// Up to 32768 bytes, which no index of PostgreSQL takes; equal ones still conflict.
pub async fn names_may_be_long_and_of_any_script(subject: Subject) {
    let long: String = "\u{1d11e}\u{5d0}\u{6f22}a"
        .chars()
        .cycle()
        .take(32_768 / 10 * 4)
        .collect();
    let mut random = String::new();
    let mut state = 1_u32;
    while random.len() < 32_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random.push(char::from(b'!' + (state >> 24) as u8 % 90));
    }
    let mut transaction = subject.store.begin().await.unwrap();
    for (id, name) in [(1, long), (2, random)] {
        let new = organization(id, &name);
        transaction.organizations().insert(&new).await.unwrap();
        assert_refused!(
            transaction
                .organizations()
                .insert(&organization(9, &name))
                .await,
            StoreError::Conflict(Unique::OrganizationName)
        );
        transaction.users().insert(&user(id, &name)).await.unwrap();
        transaction
            .buckets()
            .insert(&bucket(id, id, &name))
            .await
            .unwrap();
        let mut mapping = dbrp(id, id, &name, &name);
        mapping.org = org_id(id);
        transaction.dbrps().insert(&mapping).await.unwrap();
        let found = transaction
            .organizations()
            .find_by_name(&name)
            .await
            .unwrap();
        assert_eq!(found, Some(new));
        let found = transaction
            .buckets()
            .find_by_name(org_id(id), &name)
            .await
            .unwrap();
        assert_eq!(found.unwrap().name, name);
    }
    transaction.commit().await.unwrap();
}
