//! No law, but how fast: hashing tokens that are stored raw, and scrubbing. Run by the examples
//! `sqlite-hashing` and `postgres-hashing` of the store crates.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Subject;
use super::fixtures::{authorization, digest, forms, fresh};
use super::traces::{fill, hash};
use crate::AuthorizationKind::ApiToken;

/// Hashes so many tokens, in batches of different sizes, and scrubs while points are committed;
/// prints a line each.
pub async fn print(subject: Subject, count: u64, batch: u32) {
    subject.with_buckets(&[5]).await;
    let store = &*subject.store;
    fill(store, count).await;
    store.scrub(true).await.unwrap();
    let (began, used) = (Instant::now(), processor_time());
    hash(store, batch).await;
    println!(
        "{count} raw tokens to digests in batches of {batch}: {:.2?} (processor: {:.2?})",
        began.elapsed(),
        processor_time() - used
    );
    let (began, used) = (Instant::now(), processor_time());
    store.scrub(false).await.unwrap();
    println!(
        "scrub after that: {:.2?} (processor: {:.2?})",
        began.elapsed(),
        processor_time() - used
    );

    let mut reader = store.begin_read().await.unwrap();
    let mut tokens = reader.tokens();
    let began = Instant::now();
    let found = tokens.forms().await.unwrap();
    println!("forms ({found:?}): {:.2?}", began.elapsed());
    let began = Instant::now();
    assert!(tokens.unhashed(100).await.unwrap().is_empty());
    println!("unhashed, none left: {:.2?}", began.elapsed());
    let (began, mut after, mut walked) = (Instant::now(), None, 0);
    loop {
        let found = tokens.digests("$influxdb2-sha256$", after, 1_000).await;
        let found = found.unwrap();
        let Some((last, _)) = found.last() else {
            break;
        };
        (after, walked) = (Some(*last), walked + found.len());
    }
    println!("digests, all {walked} by 1,000: {:.2?}", began.elapsed());
    drop(tokens);
    let mut authorizations = reader.authorizations();
    let unknown = forms("t", &["$influxdb2-sha256$a", "$influxdb2-sha512$b"]);
    let began = Instant::now();
    for _ in 0..1_000 {
        let found = authorizations.find_by_token(&unknown).await.unwrap();
        assert_eq!(found, None);
    }
    println!(
        "find_by_token, three forms: {:.2?}",
        began.elapsed() / 1_000
    );
    drop(authorizations);
    drop(reader);
    let began = Instant::now();
    for _ in 0..1_000 {
        store.scrub(false).await.unwrap();
    }
    println!("scrub, nothing to do: {:.2?}", began.elapsed() / 1_000);

    let over = Arc::new(AtomicBool::new(false));
    let (chunks, ended) = (Arc::clone(&subject.other_chunks), Arc::clone(&over));
    let commits = tokio::spawn(async move {
        let (mut longest, mut count) = (Duration::ZERO, 0);
        while !ended.load(Ordering::Relaxed) {
            let began = Instant::now();
            chunks.commit(vec![fresh(5, 0, b"m")]).await.unwrap();
            longest = longest.max(began.elapsed());
            count += 1;
        }
        (longest, count)
    });
    let (other, ended) = (Arc::clone(&subject.other_store), Arc::clone(&over));
    let lookups = tokio::spawn(async move {
        let (mut longest, mut count) = (Duration::ZERO, 0);
        while !ended.load(Ordering::Relaxed) {
            let began = Instant::now();
            let mut reader = other.begin_read().await.unwrap();
            let mut authorizations = reader.authorizations();
            authorizations
                .find_by_token(&forms("t", &[]))
                .await
                .unwrap();
            longest = longest.max(began.elapsed());
            count += 1;
        }
        (longest, count)
    });
    let mut took = Duration::ZERO;
    for _ in 0..3 {
        let mut transaction = store.begin().await.unwrap();
        let new = authorization(count + 1);
        let mut authorizations = transaction.authorizations();
        let token = digest("$influxdb2-sha256$new");
        authorizations.insert(&new, Some(&token)).await.unwrap();
        authorizations.delete(ApiToken, new.id).await.unwrap();
        drop(authorizations);
        transaction.commit().await.unwrap();
        let began = Instant::now();
        assert!(store.scrub(false).await.unwrap().ran);
        took = took.max(began.elapsed());
    }
    over.store(true, Ordering::Relaxed);
    let (slowest_commit, commits) = commits.await.unwrap();
    let (slowest_lookup, lookups) = lookups.await.unwrap();
    println!(
        "scrub after one removal: {took:.2?}; meanwhile {commits} commits of points (slowest \
         {slowest_commit:.2?}), {lookups} look-ups (slowest {slowest_lookup:.2?})"
    );
}

/// What this process has used of processors so far, the server of the database not included: on a
/// busy machine a better measure than time.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the program's name, which may hold anything: hundredths of seconds, twice.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let hundredths = fields.split_whitespace().skip(11).take(2);
    hundredths
        .map(|n| Duration::from_millis(10 * n.parse::<u64>().unwrap()))
        .sum()
}
