//! Agreeing shard windows and field types (storage study 8.3 and 8.5).

use influxd_model::FieldType::{Boolean, Float, Integer, String, Unsigned};
use influxd_model::{FieldType, MAX_TIME, MIN_TIME};

use super::Subject;
use super::fixtures::{HOUR, NOON, assert_refused, bucket, bucket_id, want};
use crate::windows::window_contains;
use crate::{Agreed, FieldWant, StoreError, shard_window};

fn type_of(agreed: &Agreed, time: i64, name: &str) -> FieldType {
    let window = agreed
        .windows
        .iter()
        .find(|w| window_contains(w.start, w.end, time))
        .unwrap();
    let field = agreed
        .fields
        .iter()
        .find(|f| f.window_start == window.start && f.name == name.as_bytes())
        .unwrap();
    field.field_type
}

fn assert_disjoint(mut windows: Vec<(i64, i64)>) {
    windows.sort_unstable();
    assert!(
        windows.iter().all(|(start, end)| start < end),
        "{windows:?}"
    );
    assert!(windows.windows(2).all(|w| w[0].1 <= w[1].0), "{windows:?}");
}

/// Also for a server that comes later, and whoever it is.
pub async fn the_first_type_counts_for_all(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let first = vec![want(NOON, "m", "a", Float), want(NOON, "m", "b", String)];
    let agreed = subject.chunks.agree(bucket_id(1), first).await.unwrap();
    assert_eq!(agreed.epoch, 0);
    assert_eq!(agreed.windows.len(), 1);
    let window = &agreed.windows[0];
    assert_eq!((window.start, window.end), shard_window(NOON, HOUR));
    assert_eq!(window.died, None);
    assert!(window.version > 0);
    let second = vec![
        want(NOON + 1, "m", "a", Integer),
        want(NOON, "m", "b", Boolean),
        want(NOON, "m", "c", Unsigned),
        want(NOON, "n", "a", Integer),
    ];
    let agreed = subject
        .other_chunks
        .agree(bucket_id(1), second)
        .await
        .unwrap();
    assert_eq!(agreed.windows.len(), 1);
    assert_eq!(agreed.fields.len(), 4);
    let types: Vec<_> = agreed
        .fields
        .iter()
        .map(|f| (f.measurement.as_slice(), f.name.as_slice(), f.field_type))
        .collect();
    for expected in [
        (&b"m"[..], &b"a"[..], Float),
        (b"m", b"b", String),
        (b"m", b"c", Unsigned),
        (b"n", b"a", Integer),
    ] {
        assert!(types.contains(&expected), "{expected:?} in {types:?}");
    }
    assert!(
        agreed
            .fields
            .iter()
            .all(|f| f.version > 0 && f.died.is_none())
    );
    let nothing = subject
        .chunks
        .agree(bucket_id(1), Vec::new())
        .await
        .unwrap();
    assert!(nothing.windows.is_empty() && nothing.fields.is_empty());
}

/// A float this week, a string next week.
pub async fn types_may_differ_between_windows(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let wants = vec![
        want(NOON, "m", "a", Float),
        want(NOON + HOUR, "m", "a", String),
    ];
    let agreed = subject.chunks.agree(bucket_id(1), wants).await.unwrap();
    assert_eq!(agreed.windows.len(), 2);
    assert_eq!(type_of(&agreed, NOON, "a"), Float);
    assert_eq!(type_of(&agreed, NOON + HOUR, "a"), String);
}

/// As the first line of a body does.
pub async fn of_two_types_in_one_call_the_first_counts(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let wants = vec![
        want(NOON + 2, "m", "a", String),
        want(NOON, "m", "a", Float),
        want(NOON + 1, "m", "a", Integer),
    ];
    let agreed = subject.chunks.agree(bucket_id(1), wants).await.unwrap();
    assert_eq!(agreed.fields.len(), 1);
    assert_eq!(type_of(&agreed, NOON, "a"), String);
}

/// When the duration has changed.
pub async fn windows_are_cut_at_their_neighbours(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let (day_start, day_end) = shard_window(NOON, 24 * HOUR);
    let early = vec![
        want(day_start + 2 * HOUR, "m", "a", Float),
        want(day_start + 5 * HOUR, "m", "a", Float),
    ];
    subject.chunks.agree(bucket_id(1), early).await.unwrap();

    let mut transaction = subject.store.begin().await.unwrap();
    let mut longer = bucket(1, 1, "bucket 1");
    longer.shard_duration = 24 * HOUR;
    transaction.buckets().update(&longer).await.unwrap();
    transaction.commit().await.unwrap();

    let late = [
        day_start,
        day_start + 3 * HOUR,
        day_end - 1,
        day_start + 2 * HOUR + 1,
    ];
    let wants = late.iter().map(|t| want(*t, "m", "a", String)).collect();
    let agreed = subject.chunks.agree(bucket_id(1), wants).await.unwrap();
    let windows: Vec<_> = agreed.windows.iter().map(|w| (w.start, w.end)).collect();
    assert_eq!(
        windows,
        [
            (day_start, day_start + 2 * HOUR),
            (day_start + 2 * HOUR, day_start + 3 * HOUR),
            (day_start + 3 * HOUR, day_start + 5 * HOUR),
            (day_start + 6 * HOUR, day_end),
        ]
    );
    assert_eq!(type_of(&agreed, day_start + 2 * HOUR + 1, "a"), Float);
    assert_eq!(type_of(&agreed, day_start, "a"), String);
}

/// Each new one has the duration that the bucket has when it is added.
pub async fn windows_follow_the_bucket_s_present_duration(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut longer = bucket(1, 1, "bucket 1");
    longer.shard_duration = 7 * 24 * HOUR;
    transaction.buckets().update(&longer).await.unwrap();
    transaction.commit().await.unwrap();
    let wants = vec![want(NOON, "m", "a", Float)];
    let agreed = subject.chunks.agree(bucket_id(1), wants).await.unwrap();
    let window = &agreed.windows[0];
    assert_eq!(
        (window.start, window.end),
        shard_window(NOON, 7 * 24 * HOUR)
    );
}

/// Both of them, and beyond where points can be.
pub async fn the_ends_of_time_have_windows(subject: Subject) {
    subject.with_buckets(&[1]).await;
    for times in [[MIN_TIME, MAX_TIME], [i64::MIN, i64::MAX]] {
        let wants: Vec<FieldWant> = times.iter().map(|t| want(*t, "m", "a", Float)).collect();
        let agreed = subject.chunks.agree(bucket_id(1), wants).await.unwrap();
        assert_eq!(agreed.windows.len(), 2, "{:?}", agreed.windows);
        for time in times {
            assert_eq!(type_of(&agreed, time, "a"), Float);
        }
    }
    let all = subject.living().await.windows;
    assert_eq!(all.len(), 2);
}

/// Be it that it never was, or that it is deleted.
pub async fn agreeing_needs_the_bucket(subject: Subject) {
    subject.with_buckets(&[1]).await;
    subject.without_bucket(1).await;
    for id in [1, 2] {
        let wants = vec![want(NOON, "m", "a", Float)];
        assert_refused!(
            subject.chunks.agree(bucket_id(id), wants).await,
            StoreError::NotFound(_)
        );
    }
}

/// Whoever is first, both answers are the same.
pub async fn two_servers_agree_on_one_type(subject: Subject) {
    subject.with_buckets(&[1]).await;
    for round in 0..20 {
        let names: Vec<_> = (0..5).map(|n| format!("f{round}.{n}")).collect();
        let wants = |field_type, backwards: bool| {
            let mut all: Vec<_> = names
                .iter()
                .map(|n| want(NOON, "m", n, field_type))
                .collect();
            if backwards {
                all.reverse();
            }
            all
        };
        let one = subject.chunks.agree(bucket_id(1), wants(Float, false));
        let two = subject
            .other_chunks
            .agree(bucket_id(1), wants(String, true));
        let (one, two) = tokio::join!(one, two);
        let (one, two) = (one.unwrap(), two.unwrap());
        for name in &names {
            assert_eq!(type_of(&one, NOON, name), type_of(&two, NOON, name));
        }
    }
    assert_eq!(subject.living().await.fields.len(), 100);
}

/// Even when each has another idea of how long they are.
pub async fn two_servers_agree_on_windows_without_overlap(subject: Subject) {
    subject.with_buckets(&[1]).await;
    for round in 0..10_i64 {
        let times = |shift: i64| -> Vec<FieldWant> {
            (0..4)
                .map(|n| NOON + (round * 7 + n * 3 + shift) * HOUR / 2)
                .map(|t| want(t, "m", "a", Float))
                .collect()
        };
        let mut longer = bucket(1, 1, "bucket 1");
        longer.shard_duration = HOUR * (1 + round % 3);
        let change = async {
            let mut transaction = subject.store.begin().await?;
            transaction.buckets().update(&longer).await?;
            transaction.commit().await
        };
        let one = subject.chunks.agree(bucket_id(1), times(0));
        let two = subject.other_chunks.agree(bucket_id(1), times(1));
        let (one, two, change) = tokio::join!(one, two, change);
        match change {
            Ok(()) | Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        for (agreed, shift) in [(one.unwrap(), 0), (two.unwrap(), 1)] {
            for want in times(shift) {
                assert_eq!(type_of(&agreed, want.time, "a"), Float);
            }
        }
    }
    let windows = subject.living().await.windows;
    assert_disjoint(windows.iter().map(|w| (w.start, w.end)).collect());
}

/// A wide table is agreed in one go.
pub async fn many_fields_can_be_agreed_at_once(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let wants: Vec<FieldWant> = (0..2_000)
        .map(|n| {
            let mut new = want(NOON + n % 3 * HOUR, "m", "", Integer);
            new.name = [&[0, 0xff][..], n.to_string().as_bytes()].concat();
            new
        })
        .collect();
    for _ in 0..2 {
        let agreed = subject
            .chunks
            .agree(bucket_id(1), wants.clone())
            .await
            .unwrap();
        assert_eq!(agreed.windows.len(), 3);
        assert_eq!(agreed.fields.len(), 2_000);
    }
    let living = subject.living().await;
    assert_eq!(living.fields.len(), 2_000);
    assert!(living.fields.iter().any(|f| f.name == b"\0\xff1999"));
}
