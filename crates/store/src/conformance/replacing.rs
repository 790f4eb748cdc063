//! Old chunks for new ones (storage study 8.7).

use super::Subject;
use super::fixtures::{fresh, merged, piece, tombstone};
use crate::{Forget, PieceKey, Replacement};

/// In one transaction, with heads and pieces.
pub async fn new_chunks_take_the_place_of_old_ones(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let group = vec![fresh(1, 0, b"m"), fresh(1, 1, b"m"), fresh(1, 2, b"m")];
    let old = subject.chunks.commit(group).await.unwrap();
    let by_part = |part| old.chunks.iter().find(|c| c.0 == part).unwrap().1;
    let mut second = merged(1, old.version, old.version, vec![piece(3, 1, &[0, 255])]);
    second.head = vec![0; 3000];
    let replaced = subject
        .chunks
        .replace(Replacement {
            fresh: vec![by_part(0), by_part(2)],
            new: vec![
                merged(1, 1, old.version, vec![piece(0, 0, b"t"), piece(1, 0, b"")]),
                second,
            ],
            ..Replacement::default()
        })
        .await
        .unwrap()
        .unwrap();
    assert!(replaced.version > old.version);
    assert_eq!(replaced.ids.len(), 2);
    let living = subject.living().await;
    assert_eq!(living.fresh.len(), 1);
    assert_eq!(living.fresh[0].id, by_part(1));
    assert_eq!(living.chunks.len(), 2);
    let first = living
        .chunks
        .iter()
        .find(|c| c.id == replaced.ids[0])
        .unwrap();
    assert_eq!((first.oldest, first.newest), (1, old.version));
    assert_eq!(first.bytes, 7);

    for chunks in [&subject.chunks, &subject.other_chunks] {
        let mut heads = chunks.heads(&replaced.ids).await.unwrap();
        heads.sort_unstable();
        assert_eq!(
            heads,
            [
                (replaced.ids[0], b"a head".to_vec()),
                (replaced.ids[1], vec![0; 3000])
            ]
        );
        let key = |chunk, column_no, piece_no| PieceKey {
            chunk,
            column_no,
            piece_no,
        };
        let keys = [
            key(replaced.ids[0], 1, 0),
            key(replaced.ids[1], 3, 1),
            key(replaced.ids[1], 3, 2),
            key(replaced.ids[0], 0, 0),
            key(-1, 0, 0),
        ];
        let mut pieces = chunks.pieces(&keys).await.unwrap();
        pieces.sort_unstable();
        assert_eq!(
            pieces,
            [
                (keys[3], b"t".to_vec()),
                (keys[0], Vec::new()),
                (keys[1], vec![0, 255])
            ]
        );
    }
}

/// Else nothing changes at all.
pub async fn a_replacement_needs_every_old_chunk_alive(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let old = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m"), fresh(1, 1, b"m")])
        .await
        .unwrap();
    let (one, two) = (old.chunks[0].1, old.chunks[1].1);
    let death = Replacement {
        fresh: vec![one],
        ..Replacement::default()
    };
    subject.chunks.replace(death).await.unwrap().unwrap();
    for attempt in [
        Replacement {
            fresh: vec![two, one],
            new: vec![merged(1, 1, 1, vec![piece(0, 0, b"t")])],
            ..Replacement::default()
        },
        Replacement {
            fresh: vec![two],
            chunks: vec![4711],
            ..Replacement::default()
        },
        Replacement {
            fresh: vec![two],
            tombstones: vec![4711],
            ..Replacement::default()
        },
    ] {
        let refused = subject.chunks.replace(attempt).await.unwrap();
        assert!(refused.is_none());
    }
    let living = subject.living().await;
    assert_eq!(living.fresh.len(), 1);
    assert_eq!(living.fresh[0].id, two);
    assert!(living.chunks.is_empty());
}

/// When a delete covers all of it; to name it twice is to name it.
pub async fn a_chunk_may_be_replaced_by_nothing(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let old = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    let id = old.chunks[0].1;
    let death = Replacement {
        fresh: vec![id, id],
        ..Replacement::default()
    };
    let replaced = subject.chunks.replace(death).await.unwrap().unwrap();
    assert!(replaced.ids.is_empty());
    assert!(subject.living().await.fresh.is_empty());
    // Dead, but still there for those who read.
    assert_eq!(subject.chunks.fresh_bodies(&[id]).await.unwrap().len(), 1);
}

/// 64 KiB and more, by the hundred.
pub async fn large_pieces_survive_in_any_number(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let content = |column: i32, number: i32| -> Vec<u8> {
        let size = [65_536, 1, 65_537, 300_000][(number % 4) as usize];
        (0..size)
            .map(|i| (i * 31 + column * 7 + number) as u8)
            .collect()
    };
    let mut pieces = Vec::new();
    for column in 0..4 {
        for number in 0..37 {
            pieces.push(piece(column, number, &content(column, number)));
        }
    }
    let bytes: usize = 6 + pieces.iter().map(|p| p.data.len()).sum::<usize>();
    let replaced = subject
        .chunks
        .replace(Replacement {
            new: vec![merged(1, 1, 1, pieces)],
            ..Replacement::default()
        })
        .await
        .unwrap()
        .unwrap();
    let keys: Vec<PieceKey> = (0..4)
        .flat_map(|column_no| (0..37).map(move |piece_no| (column_no, piece_no)))
        .map(|(column_no, piece_no)| PieceKey {
            chunk: replaced.ids[0],
            column_no,
            piece_no,
        })
        .collect();
    let read = subject.chunks.pieces(&keys).await.unwrap();
    assert_eq!(read.len(), keys.len());
    for (key, data) in read {
        assert!(data == content(key.column_no, key.piece_no), "{key:?}");
    }
    assert_eq!(subject.living().await.chunks[0].bytes, bytes as i64);
}

/// Two servers merge the same chunks: points must not double.
pub async fn only_one_of_two_replacements_wins(subject: Subject) {
    subject.with_buckets(&[1]).await;
    for _ in 0..10 {
        let old = subject
            .chunks
            .commit(vec![fresh(1, 0, b"m"), fresh(1, 1, b"m")])
            .await
            .unwrap();
        let mut ids: Vec<i64> = old.chunks.iter().map(|c| c.1).collect();
        let attempt = |ids: Vec<i64>| Replacement {
            fresh: ids,
            new: vec![merged(1, old.version, old.version, vec![piece(0, 0, b"t")])],
            ..Replacement::default()
        };
        let one = subject.chunks.replace(attempt(ids.clone()));
        ids.reverse();
        let two = subject.other_chunks.replace(attempt(ids));
        let (one, two) = tokio::join!(one, two);
        let wins = [one, two].into_iter().filter(|r| matches!(r, Ok(Some(_))));
        assert_eq!(wins.count(), 1);
    }
    let living = subject.living().await;
    assert_eq!((living.fresh.len(), living.chunks.len()), (0, 10));
}

/// Once nothing is left for them to hide.
pub async fn tombstones_can_be_retired(subject: Subject) {
    subject.with_buckets(&[1]).await;
    subject
        .chunks
        .bury(tombstone(1, 0, 1, Forget::Nothing))
        .await
        .unwrap();
    let id = subject.living().await.tombstones[0].id;
    let retire = || Replacement {
        tombstones: vec![id],
        ..Replacement::default()
    };
    assert!(subject.chunks.replace(retire()).await.unwrap().is_some());
    assert!(subject.chunks.replace(retire()).await.unwrap().is_none());
    assert!(subject.living().await.tombstones.is_empty());
}
