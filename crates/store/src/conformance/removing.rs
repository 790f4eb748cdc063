//! Removing what is dead, and the horizon that tells late followers (storage study 8.6, 8.7).

use influxd_model::FieldType::Float;
use influxd_model::{MAX_TIME, MIN_TIME};

use super::Subject;
use super::fixtures::{NOON, bucket_id, fresh, merged, piece, tombstone, want};
use crate::{Dead, Forget, PieceKey, Replacement};

/// The greatest death among what went.
pub async fn dead_rows_go_in_batches_and_raise_the_horizon(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let group = (0..5).map(|part| fresh(1, part, b"m")).collect();
    let old = subject.chunks.commit(group).await.unwrap();
    let mut deaths = Vec::new();
    for (_, id) in &old.chunks {
        let death = Replacement {
            fresh: vec![*id],
            ..Replacement::default()
        };
        deaths.push(
            subject
                .chunks
                .replace(death)
                .await
                .unwrap()
                .unwrap()
                .version,
        );
    }
    let remove = async |up_to, limit| {
        let removed = subject
            .chunks
            .remove_dead(Dead::Fresh, up_to, limit)
            .await
            .unwrap();
        (removed, subject.living().await.horizon)
    };
    assert_eq!(remove(deaths[0] - 1, 10).await, (0, 0));
    assert_eq!(remove(deaths[4], 2).await, (2, deaths[1]));
    assert_eq!(remove(deaths[2], 10).await, (1, deaths[2]));
    assert_eq!(remove(i64::MAX, 10).await, (2, deaths[4]));
    assert_eq!(remove(i64::MAX, 10).await, (0, deaths[4]));
    let ids: Vec<i64> = old.chunks.iter().map(|c| c.1).collect();
    assert!(subject.chunks.fresh_bodies(&ids).await.unwrap().is_empty());
}

/// Whatever the limit.
pub async fn living_and_younger_rows_stay(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let old = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m"), fresh(1, 1, b"m")])
        .await
        .unwrap();
    let death = Replacement {
        fresh: vec![old.chunks[0].1],
        ..Replacement::default()
    };
    let death = subject
        .chunks
        .replace(death)
        .await
        .unwrap()
        .unwrap()
        .version;
    for what in [Dead::Fresh, Dead::Chunks, Dead::Marks] {
        let removed = subject.chunks.remove_dead(what, death - 1, u32::MAX).await;
        assert_eq!(removed.unwrap(), 0);
    }
    assert_eq!(
        subject
            .chunks
            .remove_dead(Dead::Chunks, death, 10)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        subject
            .chunks
            .remove_dead(Dead::Fresh, death, u32::MAX)
            .await
            .unwrap(),
        1
    );
    assert_eq!(subject.living().await.fresh.len(), 1);
}

/// All of them, before or with its row.
pub async fn pieces_go_with_their_chunk(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let pieces = || {
        (0..5)
            .map(|n| piece(0, n, &vec![n as u8; 70_000]))
            .collect()
    };
    let kept = merged(1, 1, 1, pieces());
    let old = Replacement {
        new: vec![merged(1, 1, 1, pieces()), kept],
        ..Replacement::default()
    };
    let ids = subject.chunks.replace(old).await.unwrap().unwrap().ids;
    let death = Replacement {
        chunks: vec![ids[0]],
        ..Replacement::default()
    };
    let death = subject
        .chunks
        .replace(death)
        .await
        .unwrap()
        .unwrap()
        .version;
    let mut removed = 0;
    for _ in 0..10 {
        removed += subject
            .chunks
            .remove_dead(Dead::Chunks, death, 2)
            .await
            .unwrap();
    }
    assert_eq!(removed, 6);
    assert_eq!(subject.living().await.horizon, death);
    let keys: Vec<PieceKey> = ids
        .iter()
        .flat_map(|chunk| (0..5).map(|piece_no| (*chunk, piece_no)))
        .map(|(chunk, piece_no)| PieceKey {
            chunk,
            column_no: 0,
            piece_no,
        })
        .collect();
    let left = subject.chunks.pieces(&keys).await.unwrap();
    assert_eq!(left.len(), 5);
    assert!(left.iter().all(|(key, _)| key.chunk == ids[1]));
    assert_eq!(subject.chunks.heads(&ids).await.unwrap().len(), 1);
}

/// Tombstones, windows and field types alike.
pub async fn marks_go_when_dead(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let wants = || vec![want(NOON, "m", "a", Float), want(NOON, "m", "b", Float)];
    subject.chunks.agree(bucket_id(1), wants()).await.unwrap();
    let everything = tombstone(1, MIN_TIME, MAX_TIME, Forget::Everything);
    let buried = subject.chunks.bury(everything).await.unwrap();
    let retire = Replacement {
        tombstones: vec![subject.living().await.tombstones[0].id],
        ..Replacement::default()
    };
    let retired = subject
        .chunks
        .replace(retire)
        .await
        .unwrap()
        .unwrap()
        .version;
    subject.chunks.agree(bucket_id(1), wants()).await.unwrap();
    assert_eq!(
        subject
            .chunks
            .remove_dead(Dead::Marks, buried, 100)
            .await
            .unwrap(),
        3
    );
    assert_eq!(
        subject
            .chunks
            .remove_dead(Dead::Marks, retired, 100)
            .await
            .unwrap(),
        1
    );
    let living = subject.living().await;
    assert_eq!(living.horizon, retired);
    assert_eq!((living.fields.len(), living.windows.len()), (2, 1));
}

/// And lose nothing.
pub async fn tidying_and_measuring_work_any_time(subject: Subject) {
    subject.with_buckets(&[1]).await;
    subject.chunks.tidy().await.unwrap();
    let new = Replacement {
        new: vec![merged(
            1,
            1,
            1,
            (0..200).map(|n| piece(0, n, &[7; 65_536])).collect(),
        )],
        ..Replacement::default()
    };
    let ids = subject.chunks.replace(new).await.unwrap().unwrap().ids;
    subject.chunks.tidy().await.unwrap();
    assert_eq!(subject.chunks.heads(&ids).await.unwrap().len(), 1);
    let death = Replacement {
        chunks: ids,
        ..Replacement::default()
    };
    subject.chunks.replace(death).await.unwrap().unwrap();
    while subject
        .chunks
        .remove_dead(Dead::Chunks, i64::MAX, 1000)
        .await
        .unwrap()
        > 0
    {}
    subject.chunks.tidy().await.unwrap();
    let gauges = subject.chunks.gauges().await.unwrap();
    assert!(
        gauges
            .iter()
            .any(|(name, _, value)| name.ends_with("bytes") && *value > 0.0)
    );
    assert!(
        gauges
            .iter()
            .all(|(_, help, value)| !help.is_empty() && value.is_finite())
    );
    subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    assert!(subject.chunks.commits_in_flight() > 0);
}
