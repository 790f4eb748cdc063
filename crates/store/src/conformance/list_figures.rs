//! No law, but how long a look-up and a page of each list take among few and among many: run by
//! the examples `sqlite-figures` and `postgres-figures` of the store crates with the word `lists`.

use std::time::{Duration, Instant};

use influxd_model::{Authorization, BucketId, MemberOf, OrgId, Role, UserId};

use super::Subject;
use super::fixtures::{
    authorization, authorization_id, bucket, bucket_id, digest, forms, label, label_id, member,
    org_id, organization, session, user, user_id, v1_user,
};
use crate::{
    AuthorizationFilter, AuthorizationKind, BucketFilter, BucketList, LabelFilter, Page, Result,
};

/// How often each is measured; the median is printed.
const TIMES: u32 = 101;
/// Rows added in one transaction.
const BATCH: u64 = 2_000;
/// One organization has many buckets, one user many organizations; all others have few.
const BIG: u64 = 1;

/// An id like those that are given: anywhere, and always the same for one number.
fn anywhere(n: u64) -> u64 {
    (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

fn phc(n: u64) -> String {
    format!("$influxdb2-sha256${:044x}", anywhere(n))
}

/// Prints medians among 100 rows of everything, then among 100,000.
pub async fn print(subject: Subject) {
    subject.with_organizations(&[BIG]).await;
    subject.with_users(&[BIG]).await;
    let mut filled = 0;
    for rows in [100, 100_000] {
        let begun = Instant::now();
        while filled < rows {
            let end = rows.min(filled + BATCH);
            fill(&subject, filled, end).await.unwrap();
            filled = end;
        }
        println!("{rows} rows of everything, added in {:?}", begun.elapsed());
        settle(&subject, rows).await;
        measure(&subject, rows).await;
    }
}

/// Gives the database a minute to look at what has been added, as it has in practice.
async fn settle(subject: &Subject, rows: u64) {
    if rows > BATCH {
        subject.chunks.tidy().await.unwrap();
        subject.store.count_lists().await.unwrap();
        tokio::time::sleep(Duration::from_secs(70)).await;
    }
}

async fn fill(subject: &Subject, from: u64, to: u64) -> Result<()> {
    let mut transaction = subject.store.begin().await?;
    for n in from..to {
        let id = anywhere(n);
        let new = organization(id, &format!("organization {n}"));
        transaction.organizations().insert(&new).await?;
        let new = user(id, &format!("somebody {n}"));
        transaction.users().insert(&new).await?;
        let new = bucket(id, BIG, &format!("bucket {id:x}"));
        transaction.buckets().insert(&new).await?;
        let new = bucket(anywhere(n + (1 << 32)), id, "same");
        transaction.buckets().insert(&new).await?;
        for new in [
            member(BIG, MemberOf::Organization(org_id(id))),
            member(id, MemberOf::Organization(org_id(BIG))),
            member(id, MemberOf::Bucket(bucket_id(id))),
        ] {
            transaction.memberships().insert(&new).await?;
        }
        // Ten tokens to an owner and an organization.
        let owner = anywhere(n / 10);
        let new = Authorization {
            org: org_id(owner),
            user: user_id(owner),
            ..authorization(id)
        };
        let mut authorizations = transaction.authorizations();
        authorizations.insert(&new, Some(&digest(&phc(n)))).await?;
        if n % 10 == 0 {
            let named = v1_user(id - 1, &format!("v1 {n}"));
            authorizations.insert(&named, None).await?;
        }
        drop(authorizations);
        let new = session(id, 0, i64::MAX);
        transaction.sessions().insert(&new, &phc(n)).await?;
        let new = label(id, id, "a label");
        let mut labels = transaction.labels();
        labels.insert(&new).await?;
        labels.attach(bucket_id(id), label_id(id)).await?;
        drop(labels);
        transaction
            .secrets()
            .put(org_id(id), "key", b"value")
            .await?;
    }
    transaction.commit().await
}

/// Runs what is given in a reading transaction of its own, again and again.
macro_rules! time {
    ($subject:ident, $what:literal, |$transaction:ident, $n:ident| $run:expr) => {{
        let mut times = Vec::new();
        let mut found = 0;
        for $n in 0..u64::from(TIMES) {
            let begun = Instant::now();
            let mut $transaction = $subject.store.begin_read().await.unwrap();
            found = $run.unwrap().into_iter().count();
            drop($transaction);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        println!(
            "  {:<52} {:>3} found  median {:>9.1?}  slowest {:>9.1?}",
            $what,
            found,
            times[times.len() / 2],
            times[times.len() - 1]
        );
    }};
}

async fn measure(subject: &Subject, rows: u64) {
    let page = |offset, descending| Page {
        limit: 20,
        offset,
        descending,
    };
    let (first, back) = (page(0, false), page(0, true));
    let deep = page((rows - 30) as u32, false);
    // Another one each time, spread over all.
    let any = |n: u64| anywhere(n * 7919 % rows);
    let in_big = |after| BucketFilter {
        after,
        ..BucketFilter::of(org_id(BIG))
    };
    let everywhere = |after| BucketFilter {
        after,
        ..BucketFilter::default()
    };
    let same = BucketFilter {
        list: BucketList::OfName("same".to_owned()),
        ..BucketFilter::default()
    };
    let tokens = |org, user| AuthorizationFilter {
        kind: AuthorizationKind::ApiToken,
        org,
        user,
        living: true,
    };
    let big = UserId::new(BIG);

    time!(subject, "organizations", |t, _n| {
        t.organizations().list(None, first).await
    });
    time!(subject, "organizations of a user of all", |t, _n| {
        t.organizations().list(big, first).await
    });
    time!(subject, "the same, from the end", |t, _n| {
        t.organizations().list(big, back).await
    });
    time!(subject, "organization by name", |t, n| {
        let name = format!("organization {}", n * 7919 % rows);
        t.organizations().find_by_name(&name).await
    });
    time!(subject, "users", |t, _n| t.users().list(None, first).await);
    time!(subject, "users after one", |t, n| {
        t.users().list(UserId::new(any(n)), first).await
    });
    time!(subject, "users before one", |t, n| {
        t.users().list(UserId::new(any(n)), back).await
    });
    time!(subject, "buckets", |t, _n| {
        t.buckets().list(&everywhere(None), first).await
    });
    time!(subject, "buckets after one", |t, n| {
        let filter = everywhere(BucketId::new(any(n)));
        t.buckets().list(&filter, first).await
    });
    time!(subject, "buckets by name alone", |t, _n| {
        t.buckets().list(&same, first).await
    });
    time!(subject, "buckets of an organization", |t, _n| {
        t.buckets().list(&in_big(None), first).await
    });
    time!(subject, "the same, from the end", |t, _n| {
        t.buckets().list(&in_big(None), back).await
    });
    time!(subject, "buckets of an organization after one", |t, n| {
        let filter = in_big(BucketId::new(any(n)));
        t.buckets().list(&filter, first).await
    });
    time!(subject, "the same, backwards", |t, n| {
        let filter = in_big(BucketId::new(any(n)));
        t.buckets().list(&filter, back).await
    });
    time!(subject, "bucket by name", |t, n| {
        let name = format!("bucket {:x}", any(n));
        t.buckets().find_by_name(org_id(BIG), &name).await
    });
    time!(subject, "members of a bucket", |t, n| {
        let of = MemberOf::Bucket(bucket_id(any(n)));
        t.memberships().users(of, Role::Member).await
    });
    time!(subject, "memberships of a user", |t, n| {
        t.memberships().of_user(user_id(any(n))).await
    });
    time!(subject, "token by digest", |t, n| {
        let forms = forms("no raw token", &["none", &phc(n * 7919 % rows)]);
        t.authorizations().find_by_token(&forms).await
    });
    time!(subject, "token by id", |t, n| {
        let id = authorization_id(any(n));
        let kind = AuthorizationKind::ApiToken;
        t.authorizations().find(kind, id).await
    });
    time!(subject, "1.x user by name", |t, n| {
        let name = format!("v1 {}", n * 7919 % rows / 10 * 10);
        t.authorizations().find_v1_user(&name).await
    });
    time!(subject, "tokens of an organization", |t, n| {
        let filter = tokens(OrgId::new(anywhere(n * 7919 % rows / 10)), None);
        t.authorizations().list(&filter).await
    });
    time!(subject, "tokens of a user", |t, n| {
        let filter = tokens(None, UserId::new(anywhere(n * 7919 % rows / 10)));
        t.authorizations().list(&filter).await
    });
    time!(subject, "session", |t, n| {
        let digest = phc(n * 7919 % rows);
        t.sessions().find(&digest, 0).await
    });
    time!(subject, "labels of an organization", |t, n| {
        let filter = LabelFilter {
            org: OrgId::new(any(n)),
            name: None,
        };
        t.labels().list(&filter).await
    });
    time!(subject, "labels of 20 buckets", |t, n| {
        let ids: Vec<BucketId> = (0..20).map(|i| bucket_id(any(n * 20 + i))).collect();
        t.labels().of_buckets(&ids).await
    });
    time!(subject, "secrets of an organization", |t, n| {
        t.secrets().keys(org_id(any(n))).await
    });
    time!(subject, "buckets at the last offset", |t, _n| {
        t.buckets().list(&everywhere(None), deep).await
    });
    time!(
        subject,
        "buckets of an organization at the last",
        |t, _n| { t.buckets().list(&in_big(None), deep).await }
    );
    time!(subject, "the same, backwards", |t, _n| {
        let page = Page {
            descending: true,
            ..deep
        };
        t.buckets().list(&in_big(None), page).await
    });
    time!(subject, "half-way from the first after one", |t, _n| {
        let page = page(rows as u32 / 2, false);
        let filter = in_big(BucketId::new(anywhere(0)));
        t.buckets().list(&filter, page).await
    });
    println!("  what grows with all:");
    time!(subject, "counts", |_t, _n| {
        subject.store.counts().await.map(Some)
    });
}
