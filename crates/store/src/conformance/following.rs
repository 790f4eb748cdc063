//! Following what all servers commit (storage study 8.6).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use influxd_model::FieldType::Float;
use influxd_model::{MAX_TIME, MIN_TIME};

use super::Subject;
use super::fixtures::{NOON, bucket_id, fresh, merged, piece, poll_past, tombstone, want};
use crate::{Forget, NewFreshChunk, Replacement};

/// Of all kinds, of one snapshot.
pub async fn a_first_poll_returns_what_lives(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut follower = subject.chunks.follower().await.unwrap();
    let nothing = follower.poll(0).await.unwrap();
    assert!(nothing.low > 0);
    assert_eq!(nothing.horizon, 0);
    assert!(nothing.fresh.is_empty() && nothing.chunks.is_empty());
    assert_eq!(nothing.epochs.len(), 1);
    assert_eq!(
        (nothing.epochs[0].bucket, nothing.epochs[0].epoch),
        (bucket_id(1), 0)
    );

    let wants = vec![want(NOON, "m", "a", Float)];
    let agreed = subject.chunks.agree(bucket_id(1), wants).await.unwrap();
    let old = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    let replaced = subject
        .chunks
        .replace(Replacement {
            fresh: vec![old.chunks[0].1],
            new: vec![merged(
                1,
                old.version,
                old.version,
                vec![piece(0, 0, b"times")],
            )],
            ..Replacement::default()
        })
        .await
        .unwrap()
        .unwrap();
    let buried = subject
        .chunks
        .bury(tombstone(1, 0, 1, Forget::Nothing))
        .await
        .unwrap();

    let mut follower = subject.other_chunks.follower().await.unwrap();
    let living = poll_past(&mut *follower, 0, buried).await;
    assert_eq!(living.fresh.len(), 1);
    assert_eq!(living.chunks.len(), 1);
    let chunk = &living.chunks[0];
    assert_eq!(
        (chunk.id, chunk.version),
        (replaced.ids[0], replaced.version)
    );
    assert_eq!((chunk.oldest, chunk.newest), (old.version, old.version));
    assert_eq!((chunk.level, chunk.died), (1, None));
    assert_eq!(chunk.measurement, b"m");
    assert_eq!(chunk.bytes, 6 + 5);
    assert_eq!(living.tombstones.len(), 1);
    assert_eq!(living.windows, agreed.windows);
    assert_eq!(living.fields, agreed.fields);
}

/// And nothing older.
pub async fn later_polls_return_what_changed(subject: Subject) {
    subject.with_buckets(&[1]).await;
    subject
        .chunks
        .commit(vec![fresh(1, 0, b"old")])
        .await
        .unwrap();
    let wants = vec![want(NOON, "old", "a", Float)];
    let agreed = subject.chunks.agree(bucket_id(1), wants).await.unwrap();
    let mut follower = subject.chunks.follower().await.unwrap();
    let first = poll_past(&mut *follower, 0, agreed.fields[0].version).await;

    let wants = vec![want(NOON, "new", "a", Float)];
    subject
        .other_chunks
        .agree(bucket_id(1), wants)
        .await
        .unwrap();
    let committed = subject
        .other_chunks
        .commit(vec![fresh(1, 0, b"new")])
        .await
        .unwrap();
    let second = poll_past(&mut *follower, first.low, committed.version).await;
    let news: Vec<_> = second
        .fresh
        .iter()
        .filter(|r| r.version >= first.low)
        .collect();
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].measurement, b"new");
    assert!(second.fresh.iter().all(|r| r.measurement == b"new"));
    assert_eq!(second.fields.len(), 1);
    assert_eq!(second.fields[0].measurement, b"new");
    assert!(second.windows.is_empty());
}

/// Of every kind of row.
pub async fn deaths_are_followed(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let wants = vec![want(NOON, "m", "a", Float)];
    subject.chunks.agree(bucket_id(1), wants).await.unwrap();
    let one = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    let two = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    let first = subject
        .chunks
        .replace(Replacement {
            fresh: vec![one.chunks[0].1],
            new: vec![merged(1, one.version, one.version, Vec::new())],
            ..Replacement::default()
        })
        .await
        .unwrap()
        .unwrap();
    let buried = subject
        .chunks
        .bury(tombstone(1, 0, 1, Forget::Nothing))
        .await
        .unwrap();
    let mut follower = subject.chunks.follower().await.unwrap();
    let before = poll_past(&mut *follower, 0, buried).await;
    assert_eq!(before.tombstones.len(), 1);

    let second = subject
        .other_chunks
        .replace(Replacement {
            fresh: vec![two.chunks[0].1],
            chunks: first.ids.clone(),
            tombstones: vec![before.tombstones[0].id],
            new: Vec::new(),
        })
        .await
        .unwrap()
        .unwrap();
    let everything = tombstone(1, MIN_TIME, MAX_TIME, Forget::Everything);
    let third = subject.other_chunks.bury(everything).await.unwrap();
    let after = follower.poll(before.low).await.unwrap();
    assert_eq!(after.fresh.len(), 1);
    assert_eq!(
        (after.fresh[0].id, after.fresh[0].died),
        (two.chunks[0].1, Some(second.version))
    );
    assert_eq!(after.chunks.len(), 1);
    assert_eq!(
        (after.chunks[0].id, after.chunks[0].died),
        (first.ids[0], Some(second.version))
    );
    let retired = after.tombstones.iter().find(|t| t.died.is_some()).unwrap();
    assert_eq!(retired.died, Some(second.version));
    assert_eq!(after.windows.len(), 1);
    assert_eq!(after.windows[0].died, Some(third));
    assert_eq!(after.fields.len(), 1);
    assert_eq!(after.fields[0].died, Some(third));

    // Who starts now never hears of them.
    let late = subject.living().await;
    assert!(late.fresh.is_empty() && late.chunks.is_empty());
    assert!(late.windows.is_empty() && late.fields.is_empty());
    assert_eq!(late.tombstones.len(), 1);
}

/// So that a server knows that its types are stale.
pub async fn epochs_are_followed(subject: Subject) {
    subject.with_buckets(&[1, 2]).await;
    let wants = vec![want(NOON, "m", "a", Float)];
    let agreed = subject.chunks.agree(bucket_id(1), wants).await.unwrap();
    let mut follower = subject.chunks.follower().await.unwrap();
    let first = poll_past(&mut *follower, 0, agreed.fields[0].version).await;
    assert_eq!(first.epochs.len(), 2);
    let everything = tombstone(1, MIN_TIME, MAX_TIME, Forget::Everything);
    let version = subject.other_chunks.bury(everything).await.unwrap();
    let second = poll_past(&mut *follower, first.low, version).await;
    assert_eq!(second.epochs.len(), 1);
    assert_eq!(
        (second.epochs[0].bucket, second.epochs[0].epoch),
        (bucket_id(1), version)
    );
    let third = follower.poll(second.low).await.unwrap();
    assert!(third.epochs.is_empty());
}

/// As long as nothing happens.
pub async fn low_never_falls_and_an_idle_poll_is_empty(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut follower = subject.chunks.follower().await.unwrap();
    let mut low = follower.poll(0).await.unwrap().low;
    for part in 0..3 {
        let committed = subject
            .chunks
            .commit(vec![fresh(1, part, b"m")])
            .await
            .unwrap();
        let soon = follower.poll(low).await.unwrap();
        assert!(soon.low >= low);
        assert!(soon.fresh.iter().any(|r| r.version == committed.version));
        let busy = poll_past(&mut *follower, low, committed.version).await;
        assert!(busy.low > low);
        let idle = follower.poll(busy.low).await.unwrap();
        assert!(idle.low >= busy.low);
        assert!(idle.fresh.is_empty());
        low = idle.low;
    }
}

/// Several committers on two servers, some slow, and a follower that polls as fast as it can.
pub async fn nothing_is_ever_missed(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut follower = subject.chunks.follower().await.unwrap();
    let follow = {
        let stop = Arc::clone(&stop);
        tokio::spawn(async move {
            let (mut low, mut seen) = (0, HashSet::new());
            loop {
                // Looked at before polling: whatever was committed by then is in this poll.
                let last = stop.load(Ordering::SeqCst);
                let followed = follower.poll(low).await.unwrap();
                assert!(followed.low >= low);
                seen.extend(followed.fresh.iter().map(|r| r.id));
                low = followed.low;
                if last {
                    return seen;
                }
            }
        })
    };
    let mut writers = Vec::new();
    for writer in 0..6 {
        let chunks = if writer % 2 == 0 {
            Arc::clone(&subject.chunks)
        } else {
            Arc::clone(&subject.other_chunks)
        };
        writers.push(tokio::spawn(async move {
            let mut ids = Vec::new();
            for round in 0..40 {
                let group: Vec<NewFreshChunk> = (0..=(writer + round) % 3)
                    .map(|part| NewFreshChunk {
                        // Some transactions take longer than others.
                        body: vec![7; if round % 7 == 0 { 300_000 } else { 10 }],
                        ..fresh(1, part, b"m")
                    })
                    .collect();
                let committed = chunks.commit(group).await.unwrap();
                ids.extend(committed.chunks.iter().map(|c| c.1));
            }
            ids
        }));
    }
    let mut written = HashSet::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    stop.store(true, Ordering::SeqCst);
    let seen = follow.await.unwrap();
    assert_eq!(seen, written);
}

/// No poll sees a merged chunk beside its parents, or neither of them.
pub async fn a_death_and_its_heir_come_together(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut follower = subject.other_chunks.follower().await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let first = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    let follow = {
        let stop = Arc::clone(&stop);
        tokio::spawn(async move {
            let (mut low, mut living) = (0, HashSet::new());
            while !stop.load(Ordering::SeqCst) {
                let followed = follower.poll(low).await.unwrap();
                for row in &followed.fresh {
                    if row.died.is_none() {
                        living.insert((0, row.id));
                    } else {
                        living.remove(&(0, row.id));
                    }
                }
                for row in &followed.chunks {
                    if row.died.is_none() {
                        living.insert((1, row.id));
                    } else {
                        living.remove(&(1, row.id));
                    }
                }
                assert_eq!(living.len(), 1);
                low = followed.low;
            }
        })
    };
    let mut old = Replacement {
        fresh: vec![first.chunks[0].1],
        ..Replacement::default()
    };
    for _ in 0..60 {
        old.new = vec![merged(
            1,
            first.version,
            first.version,
            vec![piece(0, 0, b"p")],
        )];
        let replaced = subject.chunks.replace(old).await.unwrap().unwrap();
        old = Replacement {
            chunks: replaced.ids,
            ..Replacement::default()
        };
    }
    stop.store(true, Ordering::SeqCst);
    follow.await.unwrap();
}
