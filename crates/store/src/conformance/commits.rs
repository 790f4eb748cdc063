//! Commits of level 0 chunks (storage study 8.5).

use super::Subject;
use super::fixtures::{NOON, fresh, poll_past};
use crate::NewFreshChunk;

/// With every column as it was.
pub async fn chunks_survive_being_committed(subject: Subject) {
    subject.with_buckets(&[1, u64::MAX]).await;
    let group = vec![fresh(1, 0, b"m"), fresh(u64::MAX, 1, b"n")];
    let committed = subject.chunks.commit(group.clone()).await.unwrap();
    assert!(committed.version > 0);
    let mut parts: Vec<i32> = committed.chunks.iter().map(|c| c.0).collect();
    parts.sort_unstable();
    assert_eq!(parts, [0, 1]);
    let living = subject.living().await;
    assert_eq!(living.fresh.len(), 2);
    for (part, id) in &committed.chunks {
        let row = living.fresh.iter().find(|r| r.id == *id).unwrap();
        let new = &group[usize::try_from(*part).unwrap()];
        assert_eq!(row.part, *part);
        assert_eq!(row.version, committed.version);
        assert_eq!(row.died, None);
        assert_eq!(row.bucket, new.bucket);
        assert_eq!(row.measurement, new.measurement);
        assert_eq!((row.min_time, row.max_time), (new.min_time, new.max_time));
        assert_eq!(row.row_count, new.row_count);
        assert_eq!(row.body_bytes, new.body.len() as i64);
        for chunks in [&subject.chunks, &subject.other_chunks] {
            let bodies = chunks.fresh_bodies(&[*id]).await.unwrap();
            assert_eq!(bodies, [(*id, new.body.clone())]);
        }
    }
    let empty = subject.chunks.commit(Vec::new()).await.unwrap();
    assert!(empty.chunks.is_empty());
}

/// NUL, bytes that are no UTF-8, nothing at all, and 64 KiB; both ends of i64.
pub async fn names_are_any_bytes_and_times_any_number(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let names = [
        Vec::new(),
        vec![0],
        vec![0xff, 0xfe, 0],
        every_byte.clone(),
        every_byte.repeat(256),
    ];
    let group: Vec<NewFreshChunk> = (0..)
        .zip(&names)
        .map(|(part, name)| NewFreshChunk {
            min_time: i64::MIN,
            max_time: i64::MAX,
            row_count: i64::MAX,
            body: name.clone(),
            ..fresh(1, part, name)
        })
        .collect();
    let committed = subject.chunks.commit(group).await.unwrap();
    let living = subject.living().await;
    for (part, id) in &committed.chunks {
        let name = &names[usize::try_from(*part).unwrap()];
        let row = living.fresh.iter().find(|r| r.id == *id).unwrap();
        assert_eq!(&row.measurement, name);
        assert_eq!((row.min_time, row.max_time), (i64::MIN, i64::MAX));
        assert_eq!(row.row_count, i64::MAX);
        let bodies = subject.chunks.fresh_bodies(&[*id]).await.unwrap();
        assert_eq!(&bodies[0].1, name);
    }
    assert_eq!(living.fresh.len(), names.len());
}

/// The rest of its group is written.
pub async fn a_chunk_of_another_epoch_is_refused_alone(subject: Subject) {
    subject.with_buckets(&[1, 2]).await;
    let stale = NewFreshChunk {
        epoch: 7,
        ..fresh(1, 4, b"m")
    };
    let group = vec![fresh(1, 3, b"m"), stale, fresh(2, 5, b"m")];
    let committed = subject.chunks.commit(group).await.unwrap();
    let mut parts: Vec<i32> = committed.chunks.iter().map(|c| c.0).collect();
    parts.sort_unstable();
    assert_eq!(parts, [3, 5]);
    assert_eq!(subject.living().await.fresh.len(), 2);
}

/// Be it that it never was, or that it is deleted.
pub async fn a_chunk_of_a_missing_bucket_is_refused(subject: Subject) {
    subject.with_buckets(&[1]).await;
    subject.without_bucket(1).await;
    let group = vec![fresh(1, 0, b"m"), fresh(2, 1, b"m")];
    let committed = subject.chunks.commit(group).await.unwrap();
    assert!(committed.chunks.is_empty());
    assert!(subject.living().await.fresh.is_empty());
}

/// However many chunks, of whatever size.
pub async fn large_groups_are_one_transaction(subject: Subject) {
    subject.with_buckets(&[1]).await;
    for count in [1, 15, 16, 17, 32, 33, 100] {
        let group: Vec<NewFreshChunk> = (0..count)
            .map(|part| NewFreshChunk {
                body: vec![part as u8; 1 + 700 * part as usize],
                min_time: NOON + i64::from(part),
                ..fresh(1, part, b"m")
            })
            .collect();
        let committed = subject.chunks.commit(group).await.unwrap();
        let mut parts: Vec<i32> = committed.chunks.iter().map(|c| c.0).collect();
        parts.sort_unstable();
        assert_eq!(parts, (0..count).collect::<Vec<_>>());
        let ids: Vec<i64> = committed.chunks.iter().map(|c| c.1).collect();
        let bodies = subject.chunks.fresh_bodies(&ids).await.unwrap();
        assert_eq!(bodies.len(), ids.len());
        for (part, id) in &committed.chunks {
            let (_, body) = bodies.iter().find(|b| b.0 == *id).unwrap();
            assert_eq!(body.len(), 1 + 700 * *part as usize);
            assert!(body.iter().all(|b| *b == *part as u8));
        }
        let living = subject.living().await;
        let of_this = living
            .fresh
            .iter()
            .filter(|r| r.version == committed.version);
        assert_eq!(of_this.count(), ids.len());
    }
}

/// No error: who asks follows again.
pub async fn bodies_that_are_gone_are_left_out(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let committed = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    let id = committed.chunks[0].1;
    let bodies = subject
        .chunks
        .fresh_bodies(&[id, id + 1, -5, i64::MAX])
        .await;
    assert_eq!(bodies.unwrap().len(), 1);
    assert!(subject.chunks.fresh_bodies(&[]).await.unwrap().is_empty());
    assert!(subject.chunks.heads(&[1]).await.unwrap().is_empty());
    assert!(subject.chunks.heads(&[]).await.unwrap().is_empty());
    assert!(subject.chunks.pieces(&[]).await.unwrap().is_empty());
}

/// On whichever server: what was acknowledged before is smaller.
pub async fn versions_grow_from_commit_to_commit(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut last = 0;
    for i in 0..6 {
        let chunks = if i % 2 == 0 {
            &subject.chunks
        } else {
            &subject.other_chunks
        };
        let committed = chunks.commit(vec![fresh(1, 0, b"m")]).await.unwrap();
        assert!(committed.version > last);
        last = committed.version;
    }
    let mut follower = subject.chunks.follower().await.unwrap();
    poll_past(&mut *follower, 0, last).await;
}
