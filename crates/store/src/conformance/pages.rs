//! A page that is far behind has what a walk there would find, whatever has come and gone since its
//! list was counted.

use influxd_model::{MemberOf, UserId};

use super::Subject;
use super::fixtures::{bucket, bucket_id, member, org_id, organization, user, user_id};
use crate::{BucketFilter, BucketList, Page, Store, Transaction};

/// One organization has many buckets, one user is in many organizations.
const BIG: u64 = 1;
/// Rows of the lists: some more than are looked for without marks.
const ROWS: u64 = 1_400;

/// An id like those that are given: anywhere, in both halves, and always the same for one number.
fn anywhere(n: u64) -> u64 {
    (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

/// Names of three kinds: short ones, long ones that begin alike, and ones that are not ASCII.
fn name(n: u64) -> String {
    match n % 3 {
        0 => format!("{:x}", anywhere(n)),
        1 => format!("{}{:x}", "long ".repeat(120), anywhere(n)),
        _ => format!("\u{fc}{:x}", anywhere(n)),
    }
}

async fn add(transaction: &mut dyn Transaction, n: u64) {
    let id = anywhere(n);
    let new = organization(id, &format!("organization {n}"));
    transaction.organizations().insert(&new).await.unwrap();
    let new = user(id, &format!("somebody {n}"));
    transaction.users().insert(&new).await.unwrap();
    let mut buckets = transaction.buckets();
    let new = bucket(id, BIG, &name(n));
    buckets.insert(&new).await.unwrap();
    let new = bucket(anywhere(n + (1 << 32)), id, "same");
    buckets.insert(&new).await.unwrap();
    drop(buckets);
    let new = member(BIG, MemberOf::Organization(org_id(id)));
    transaction.memberships().insert(&new).await.unwrap();
}

async fn remove(transaction: &mut dyn Transaction, n: u64) {
    let id = anywhere(n);
    transaction
        .organizations()
        .delete(org_id(id))
        .await
        .unwrap();
    transaction.users().delete(user_id(id)).await.unwrap();
    transaction.buckets().delete(bucket_id(id)).await.unwrap();
}

async fn rename(transaction: &mut dyn Transaction, n: u64, round: u64) {
    let new = bucket(anywhere(n), BIG, &name(n + (round + 1) * 1_000_000));
    transaction.buckets().update(&new).await.unwrap();
}

/// Which list, and behind which bucket or user.
#[derive(Debug, Clone, Default)]
struct Which {
    /// Of this user; 0, which no user is, is all.
    organizations_of: Option<u64>,
    users: bool,
    buckets_of: Option<u64>,
    name: Option<&'static str>,
    after: Option<u64>,
}

impl Which {
    async fn page(&self, transaction: &mut dyn Transaction, page: Page) -> Vec<u64> {
        if self.users {
            let after = self.after.and_then(UserId::new);
            let found = transaction.users().list(after, page).await.unwrap();
            return found.iter().map(|it| it.id.get()).collect();
        }
        if let Some(user) = self.organizations_of {
            let user = UserId::new(user);
            let found = transaction.organizations().list(user, page).await;
            return found.unwrap().iter().map(|it| it.id.get()).collect();
        }
        let list = match (self.buckets_of, self.name) {
            (Some(org), _) => BucketList::OfOrganization(org_id(org)),
            (None, Some(name)) => BucketList::OfName(name.to_owned()),
            (None, None) => BucketList::All,
        };
        let after = self.after.map(bucket_id);
        let filter = BucketFilter { list, after };
        let found = transaction.buckets().list(&filter, page).await.unwrap();
        found.iter().map(|it| it.id.get()).collect()
    }
}

/// Compares pages of all lists with slices of the whole, in both directions, also behind a row.
async fn compare(store: &dyn Store, living: &[u64], when: &str) {
    let lists = [
        Which {
            users: true,
            ..Which::default()
        },
        Which {
            organizations_of: Some(0),
            ..Which::default()
        },
        Which {
            organizations_of: Some(BIG),
            ..Which::default()
        },
        Which {
            organizations_of: Some(7),
            ..Which::default()
        },
        Which::default(),
        Which {
            name: Some("same"),
            ..Which::default()
        },
        Which {
            name: Some("other"),
            ..Which::default()
        },
        Which {
            buckets_of: Some(BIG),
            ..Which::default()
        },
        Which {
            buckets_of: Some(anywhere(living[0])),
            ..Which::default()
        },
        Which {
            buckets_of: Some(u64::MAX),
            ..Which::default()
        },
        Which {
            buckets_of: Some(2),
            ..Which::default()
        },
    ];
    let mut transaction = store.begin_read().await.unwrap();
    for list in lists {
        let mut behind = vec![list.clone()];
        if list.organizations_of.is_none() {
            for after in [
                anywhere(living[0]),
                anywhere(living[1]),
                anywhere(living[2]),
                12,
            ] {
                behind.push(Which {
                    after: Some(after),
                    ..list.clone()
                });
            }
        }
        for list in behind {
            for descending in [false, true] {
                let everything = Page {
                    descending,
                    ..Page::ALL
                };
                let all = list.page(&mut *transaction, everything).await;
                let count = u32::try_from(all.len()).unwrap();
                for (offset, limit) in [
                    (999, 3),
                    (1_000, 700),
                    (1_237, u32::MAX),
                    (count.saturating_sub(2).max(1_000), 20),
                    (count.max(1_000), 20),
                    (u32::MAX, 1),
                ] {
                    let page = Page {
                        limit,
                        offset,
                        descending,
                    };
                    let found = list.page(&mut *transaction, page).await;
                    let right = all.iter().skip(offset as usize).take(limit as usize);
                    let right: Vec<u64> = right.copied().collect();
                    assert_eq!(found, right, "{when}: {page:?} of {count} of {list:?}");
                }
            }
        }
    }
}

/// Before anything was counted, after it, with changes since, and counted again.
pub async fn pages_far_behind_are_the_right_ones(subject: Subject) {
    subject.with_organizations(&[BIG]).await;
    subject.with_users(&[BIG]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    for n in 0..ROWS {
        add(&mut *transaction, n).await;
    }
    // Small lists, before and behind the big ones.
    for (org, id) in [(2, 2), (u64::MAX, 3)] {
        let new = organization(org, &format!("small {org}"));
        transaction.organizations().insert(&new).await.unwrap();
        let new = bucket(id, org, "small");
        transaction.buckets().insert(&new).await.unwrap();
    }
    transaction.commit().await.unwrap();
    let mut living: Vec<u64> = (0..ROWS).collect();
    compare(&*subject.store, &living, "never counted").await;
    subject.store.count_lists().await.unwrap();
    compare(&*subject.store, &living, "counted").await;
    for round in 0..2_u64 {
        let mut transaction = subject.store.begin().await.unwrap();
        for n in (round..ROWS).step_by(11) {
            remove(&mut *transaction, n).await;
            living.retain(|it| *it != n);
        }
        for n in living.iter().skip(3).step_by(13) {
            rename(&mut *transaction, *n, round).await;
        }
        for n in 0..100 {
            let n = (round + 1) * 10_000 + n;
            add(&mut *transaction, n).await;
        }
        transaction.commit().await.unwrap();
        compare(&*subject.store, &living, "changed since").await;
        subject.store.count_lists().await.unwrap();
        compare(&*subject.other_store, &living, "counted again").await;
    }
    // What is rolled back counts for nothing.
    let mut transaction = subject.store.begin().await.unwrap();
    for n in living.iter().skip(100).step_by(7) {
        remove(&mut *transaction, *n).await;
    }
    drop(transaction);
    compare(&*subject.store, &living, "rolled back").await;
    let mut transaction = subject.store.begin().await.unwrap();
    let snapshot = transaction.snapshot().await.unwrap();
    drop(transaction);
    let mut transaction = subject.store.begin().await.unwrap();
    transaction.restore(&snapshot).await.unwrap();
    transaction.commit().await.unwrap();
    compare(&*subject.store, &living, "restored").await;
    subject.other_store.count_lists().await.unwrap();
    compare(&*subject.store, &living, "restored and counted").await;
}
