//! Physical DBRP mappings: each database of an organization has exactly one default
//! (auth-and-resources 9.6).

use influxd_model::{Dbrp, DbrpId};

use super::Subject;
use super::fixtures::{assert_refused, bucket_id, dbrp, org_id};
use crate::{DbrpFilter, DbrpRepository, StoreError, Unique};

fn default(new: Dbrp) -> Dbrp {
    Dbrp {
        is_default: true,
        ..new
    }
}

/// The default mappings' ids of the database `db`.
async fn defaults(dbrps: &mut dyn DbrpRepository) -> Vec<u64> {
    let filter = DbrpFilter {
        database: Some("db".to_owned()),
        is_default: Some(true),
        ..DbrpFilter::default()
    };
    let found = dbrps.list(org_id(1), &filter).await.unwrap();
    found.iter().map(|d| d.id.get()).collect()
}

/// Whatever was asked for.
pub async fn the_first_mapping_of_a_database_is_its_default(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut dbrps = transaction.dbrps();
    let first = dbrp(11, 1, "db", "a");
    let stored = dbrps.insert(&first).await.unwrap();
    assert_eq!(stored, default(first.clone()));
    assert_eq!(dbrps.find(org_id(1), first.id).await.unwrap(), Some(stored));
    assert_eq!(dbrps.find(org_id(2), first.id).await.unwrap(), None);
    let second = dbrp(10, 1, "db", "b");
    assert_eq!(dbrps.insert(&second).await.unwrap(), second);
    assert!(
        dbrps
            .insert(&dbrp(12, 1, "DB", "a"))
            .await
            .unwrap()
            .is_default
    );
    assert_eq!(defaults(&mut *dbrps).await, [11]);
}

/// One at any time.
pub async fn a_new_default_takes_the_place_of_the_old(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut dbrps = transaction.dbrps();
    dbrps.insert(&dbrp(11, 1, "db", "a")).await.unwrap();
    let second = default(dbrp(12, 1, "db", "b"));
    assert_eq!(dbrps.insert(&second).await.unwrap(), second);
    assert_eq!(defaults(&mut *dbrps).await, [12]);
}

/// The default stays where it was.
pub async fn mapping_names_are_unique_and_conflicts_change_nothing(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut dbrps = transaction.dbrps();
    dbrps.insert(&dbrp(11, 1, "db", "a")).await.unwrap();
    dbrps.insert(&dbrp(12, 1, "db", "b")).await.unwrap();
    assert_refused!(
        dbrps.insert(&default(dbrp(13, 1, "db", "b"))).await,
        StoreError::Conflict(Unique::DbrpNames)
    );
    assert_refused!(
        dbrps.insert(&default(dbrp(12, 1, "db", "c"))).await,
        StoreError::Conflict(Unique::Id)
    );
    assert_refused!(
        dbrps.update(&default(dbrp(12, 1, "db", "a"))).await,
        StoreError::Conflict(Unique::DbrpNames)
    );
    assert_eq!(defaults(&mut *dbrps).await, [11]);
}

/// Towards a mapping, away from one, and not away from the only one.
pub async fn mapping_updates_move_the_default(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut dbrps = transaction.dbrps();
    dbrps.insert(&dbrp(11, 1, "db", "a")).await.unwrap();
    let alone = dbrps.update(&dbrp(11, 1, "db", "renamed")).await.unwrap();
    assert!(alone.is_default);
    assert_eq!(alone.policy, "renamed");
    dbrps.insert(&dbrp(12, 1, "db", "b")).await.unwrap();
    dbrps.insert(&dbrp(13, 1, "db", "c")).await.unwrap();
    assert!(
        dbrps
            .update(&default(dbrp(13, 1, "db", "c")))
            .await
            .unwrap()
            .is_default
    );
    assert_eq!(defaults(&mut *dbrps).await, [13]);
    let given_up = dbrps.update(&dbrp(13, 1, "db", "c")).await.unwrap();
    assert!(!given_up.is_default);
    assert_eq!(defaults(&mut *dbrps).await, [11]);
    dbrps.update(&dbrp(11, 1, "db", "a")).await.unwrap();
    assert_eq!(defaults(&mut *dbrps).await, [12]);
    assert_refused!(
        dbrps.update(&dbrp(99, 1, "db", "z")).await,
        StoreError::NotFound(_)
    );
}

/// To the first that is left.
pub async fn deleting_the_default_passes_it_on(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut dbrps = transaction.dbrps();
    for (id, policy) in [(13, "a"), (12, "b"), (11, "c")] {
        dbrps.insert(&dbrp(id, 1, "db", policy)).await.unwrap();
    }
    let mut delete = async |id: u64| {
        let gone = dbrps.delete(org_id(1), DbrpId::new(id).unwrap()).await;
        gone.unwrap();
        defaults(&mut *dbrps).await
    };
    assert_eq!(delete(13).await, [11]);
    assert_eq!(delete(12).await, [11]);
    assert_eq!(delete(11).await, [0; 0]);
    assert_refused!(
        dbrps.delete(org_id(1), DbrpId::new(11).unwrap()).await,
        StoreError::NotFound(_)
    );
}

/// By everything that a list can be asked for.
pub async fn mappings_are_filtered(subject: Subject) {
    subject.with_buckets(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut dbrps = transaction.dbrps();
    for new in [
        dbrp(13, 2, "db", "b"),
        dbrp(11, 1, "db", "a"),
        dbrp(12, 1, "x", "a"),
    ] {
        dbrps.insert(&new).await.unwrap();
    }
    let mut list = async |filter: DbrpFilter| -> Vec<u64> {
        let found = dbrps.list(org_id(1), &filter).await.unwrap();
        found.iter().map(|d| d.id.get()).collect()
    };
    let all = DbrpFilter::default;
    assert_eq!(list(all()).await, [11, 12, 13]);
    let id = DbrpId::new(12);
    assert_eq!(list(DbrpFilter { id, ..all() }).await, [12]);
    let bucket = Some(bucket_id(1));
    assert_eq!(list(DbrpFilter { bucket, ..all() }).await, [11, 12]);
    let database = Some("db".to_owned());
    let policy = Some("a".to_owned());
    let by_policy = DbrpFilter {
        policy: policy.clone(),
        ..all()
    };
    assert_eq!(list(by_policy).await, [11, 12]);
    let by_names = DbrpFilter {
        database,
        policy,
        is_default: Some(false),
        ..all()
    };
    assert_eq!(list(by_names).await, [11]);
    let is_default = Some(true);
    assert_eq!(
        list(DbrpFilter {
            is_default,
            ..all()
        })
        .await,
        [12, 13]
    );
}

/// Nothing points at what is not there.
pub async fn a_mapping_needs_its_bucket_and_organization(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut dbrps = transaction.dbrps();
    assert_refused!(
        dbrps.insert(&dbrp(11, 2, "db", "a")).await,
        StoreError::NotFound(_)
    );
    let orphan = Dbrp {
        org: org_id(2),
        ..dbrp(11, 1, "db", "a")
    };
    assert_refused!(dbrps.insert(&orphan).await, StoreError::NotFound(_));
    dbrps.insert(&dbrp(11, 1, "db", "a")).await.unwrap();
}

/// Two servers may race; one of them may lose, but there is one default in the end.
pub async fn concurrent_mappings_leave_one_default(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut tasks = Vec::new();
    for id in 0..12_u64 {
        let store = if id % 2 == 0 {
            subject.store.clone()
        } else {
            subject.other_store.clone()
        };
        tasks.push(tokio::spawn(async move {
            let mut new = dbrp(100 + id, 1, "db", &format!("p{id}"));
            new.is_default = id % 3 == 0;
            let mut transaction = store.begin().await?;
            transaction.dbrps().insert(&new).await?;
            transaction.commit().await?;
            if id % 4 == 0 {
                let mut transaction = store.begin().await?;
                transaction.dbrps().delete(new.org, new.id).await?;
                transaction.commit().await?;
            }
            Ok::<_, StoreError>(())
        }));
    }
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => done += 1,
            Err(StoreError::Unavailable(_) | StoreError::Conflict(_)) => {}
            Err(error) => panic!("a lost race is no {error:?}"),
        }
    }
    assert!(done > 0);
    let mut transaction = subject.store.begin_read().await.unwrap();
    let mut dbrps = transaction.dbrps();
    let all = dbrps.list(org_id(1), &DbrpFilter::default()).await.unwrap();
    assert_eq!(
        defaults(&mut *dbrps).await.len(),
        usize::from(!all.is_empty())
    );
}
