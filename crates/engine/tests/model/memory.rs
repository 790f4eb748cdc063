//! A chunk store in memory: no more than the port asks for.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use influxd_model::BucketId;
use influxd_store::{
    Agreed, ChunkRow, ChunkStore, Claim, Committed, Dead, EpochRow, FieldRow, FieldWant, Followed,
    Follower, Forget, FreshRow, NewFreshChunk, NewTombstone, PieceKey, Replaced, Replacement,
    Result, TombstoneRow, Version, WindowRow, shard_window,
};

/// All rows, dead ones too.
#[derive(Debug, Default)]
struct Rows {
    version: Version,
    horizon: Version,
    next_id: i64,
    fresh: BTreeMap<i64, (FreshRow, Vec<u8>)>,
    chunks: BTreeMap<i64, (ChunkRow, Vec<u8>)>,
    pieces: BTreeMap<PieceKey, Vec<u8>>,
    tombstones: BTreeMap<i64, TombstoneRow>,
    windows: Vec<WindowRow>,
    fields: Vec<FieldRow>,
    epochs: BTreeMap<BucketId, Version>,
    claims: HashSet<i64>,
}

/// The store. All its buckets exist and have the same shard duration.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    rows: Arc<Mutex<Rows>>,
    shard_duration: i64,
}

impl MemoryStore {
    pub fn new(shard_duration: i64) -> Arc<Self> {
        let rows = Rows {
            horizon: -1,
            ..Rows::default()
        };
        Arc::new(Self {
            rows: Arc::new(Mutex::new(rows)),
            shard_duration,
        })
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap()
    }
}

impl Rows {
    fn begin(&mut self) -> Version {
        self.version += 1;
        self.version
    }

    fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    fn window(&self, bucket: BucketId, time: i64) -> Option<WindowRow> {
        let contains = |w: &&WindowRow| {
            w.bucket == bucket
                && w.died.is_none()
                && w.start <= time
                && (time < w.end || w.end == i64::MAX)
        };
        self.windows.iter().find(contains).cloned()
    }
}

#[derive(Debug)]
struct Held(Arc<Mutex<Rows>>, i64);

impl Claim for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().unwrap().claims.remove(&self.1);
    }
}

struct Following(Arc<Mutex<Rows>>);

#[async_trait]
impl Follower for Following {
    async fn poll(&mut self, since: Version) -> Result<Followed> {
        let rows = self.0.lock().unwrap();
        let news = |version: Version, died: Option<Version>| {
            let is_new = version >= since || died.is_some_and(|died| died >= since);
            is_new && (since > 0 || died.is_none())
        };
        Ok(Followed {
            low: rows.version + 1,
            horizon: rows.horizon,
            fresh: (rows.fresh.values().map(|(row, _)| row))
                .filter(|row| news(row.version, row.died))
                .cloned()
                .collect(),
            chunks: (rows.chunks.values().map(|(row, _)| row))
                .filter(|row| news(row.version, row.died))
                .cloned()
                .collect(),
            tombstones: (rows.tombstones.values())
                .filter(|row| news(row.version, row.died))
                .cloned()
                .collect(),
            windows: (rows.windows.iter())
                .filter(|row| news(row.version, row.died))
                .cloned()
                .collect(),
            fields: (rows.fields.iter())
                .filter(|row| news(row.version, row.died))
                .cloned()
                .collect(),
            epochs: (rows.epochs.iter())
                .filter(|(_, epoch)| **epoch >= since)
                .map(|(bucket, epoch)| EpochRow {
                    bucket: *bucket,
                    epoch: *epoch,
                })
                .collect(),
        })
    }
}

#[async_trait]
impl ChunkStore for MemoryStore {
    fn commits_in_flight(&self) -> usize {
        1
    }

    async fn commit(&self, chunks: Vec<NewFreshChunk>) -> Result<Committed> {
        let mut rows = self.rows();
        let version = rows.begin();
        let mut written = Vec::new();
        for new in chunks {
            if rows.epochs.get(&new.bucket).copied().unwrap_or(0) != new.epoch {
                continue;
            }
            let id = rows.id();
            written.push((new.part, id));
            let row = FreshRow {
                id,
                version,
                part: new.part,
                died: None,
                bucket: new.bucket,
                measurement: new.measurement,
                min_time: new.min_time,
                max_time: new.max_time,
                row_count: new.row_count,
                body_bytes: new.body.len() as i64,
            };
            rows.fresh.insert(id, (row, new.body));
        }
        Ok(Committed {
            version,
            chunks: written,
        })
    }

    async fn agree(&self, bucket: BucketId, wants: Vec<FieldWant>) -> Result<Agreed> {
        let mut rows = self.rows();
        let version = rows.begin();
        let (mut windows, mut fields) = (Vec::new(), Vec::new());
        for want in wants {
            let window = rows.window(bucket, want.time).unwrap_or_else(|| {
                let (start, end) = shard_window(want.time, self.shard_duration);
                let row = WindowRow {
                    bucket,
                    start,
                    end,
                    version,
                    died: None,
                };
                rows.windows.push(row.clone());
                row
            });
            let is_it = |field: &&FieldRow| {
                field.died.is_none()
                    && (field.bucket, field.window_start) == (bucket, window.start)
                    && (&field.measurement, &field.name) == (&want.measurement, &want.name)
            };
            let field = rows.fields.iter().find(is_it).cloned().unwrap_or_else(|| {
                let row = FieldRow {
                    bucket,
                    window_start: window.start,
                    measurement: want.measurement,
                    name: want.name,
                    field_type: want.field_type,
                    version,
                    died: None,
                };
                rows.fields.push(row.clone());
                row
            });
            windows.push(window);
            fields.push(field);
        }
        let epoch = rows.epochs.get(&bucket).copied().unwrap_or(0);
        Ok(Agreed {
            epoch,
            windows,
            fields,
        })
    }

    async fn bury(&self, new: NewTombstone) -> Result<Version> {
        let mut rows = self.rows();
        let version = rows.begin();
        let id = rows.id();
        let covered: HashSet<i64> = (rows.windows.iter())
            .filter(|w| {
                let last = if w.end == i64::MAX {
                    i64::MAX - 1
                } else {
                    w.end - 1
                };
                new.min_time <= w.start.max(i64::MIN + 2) && last <= new.max_time
            })
            .map(|w| w.start)
            .collect();
        let mut forgotten = false;
        for field in rows.fields.iter_mut().filter(|f| f.bucket == new.bucket) {
            let named = match &new.forget {
                Forget::Nothing => false,
                Forget::Everything => true,
                Forget::Measurements(names) => names.contains(&field.measurement),
            };
            if named && field.died.is_none() && covered.contains(&field.window_start) {
                field.died = Some(version);
                forgotten = true;
            }
        }
        if matches!(new.forget, Forget::Everything) {
            let of_bucket = rows.windows.iter_mut().filter(|w| w.bucket == new.bucket);
            for window in of_bucket.filter(|w| w.died.is_none() && covered.contains(&w.start)) {
                window.died = Some(version);
                forgotten = true;
            }
        }
        if forgotten {
            rows.epochs.insert(new.bucket, version);
        }
        let row = TombstoneRow {
            id,
            version,
            died: None,
            bucket: new.bucket,
            measurement: new.measurement,
            min_time: new.min_time,
            max_time: new.max_time,
            predicate: new.predicate,
        };
        rows.tombstones.insert(id, row);
        Ok(version)
    }

    async fn follower(&self) -> Result<Box<dyn Follower>> {
        Ok(Box::new(Following(Arc::clone(&self.rows))))
    }

    async fn fresh_bodies(&self, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
        let rows = self.rows();
        Ok(ids
            .iter()
            .filter_map(|id| Some((*id, rows.fresh.get(id)?.1.clone())))
            .collect())
    }

    async fn heads(&self, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
        let rows = self.rows();
        Ok(ids
            .iter()
            .filter_map(|id| Some((*id, rows.chunks.get(id)?.1.clone())))
            .collect())
    }

    async fn pieces(&self, keys: &[PieceKey]) -> Result<Vec<(PieceKey, Vec<u8>)>> {
        let rows = self.rows();
        Ok(keys
            .iter()
            .filter_map(|key| Some((*key, rows.pieces.get(key)?.clone())))
            .collect())
    }

    async fn claim(&self, key: i64) -> Result<Option<Box<dyn Claim>>> {
        let is_free = self.rows().claims.insert(key);
        Ok(is_free.then(|| Box::new(Held(Arc::clone(&self.rows), key)) as Box<dyn Claim>))
    }

    async fn replace(&self, replacement: Replacement) -> Result<Option<Replaced>> {
        let mut rows = self.rows();
        let lives = |died: Option<Option<Version>>| died == Some(None);
        let hit = replacement
            .fresh
            .iter()
            .all(|id| lives(rows.fresh.get(id).map(|c| c.0.died)))
            && replacement
                .chunks
                .iter()
                .all(|id| lives(rows.chunks.get(id).map(|c| c.0.died)))
            && replacement
                .tombstones
                .iter()
                .all(|id| lives(rows.tombstones.get(id).map(|t| t.died)));
        if !hit {
            return Ok(None);
        }
        let version = rows.begin();
        for id in &replacement.fresh {
            rows.fresh.get_mut(id).unwrap().0.died = Some(version);
        }
        for id in &replacement.chunks {
            rows.chunks.get_mut(id).unwrap().0.died = Some(version);
        }
        for id in &replacement.tombstones {
            rows.tombstones.get_mut(id).unwrap().died = Some(version);
        }
        let mut ids = Vec::new();
        for new in replacement.new {
            let id = rows.id();
            ids.push(id);
            let pieces = new
                .pieces
                .iter()
                .map(|piece| piece.data.len())
                .sum::<usize>();
            for piece in new.pieces {
                let (column_no, piece_no) = (piece.column_no, piece.piece_no);
                rows.pieces.insert(
                    PieceKey {
                        chunk: id,
                        column_no,
                        piece_no,
                    },
                    piece.data,
                );
            }
            let row = ChunkRow {
                id,
                version,
                oldest: new.oldest,
                newest: new.newest,
                died: None,
                level: new.level,
                bucket: new.bucket,
                measurement: new.measurement,
                window_start: new.window_start,
                min_time: new.min_time,
                max_time: new.max_time,
                row_count: new.row_count,
                bytes: (new.head.len() + pieces) as i64,
            };
            rows.chunks.insert(id, (row, new.head));
        }
        Ok(Some(Replaced { version, ids }))
    }

    async fn retire_deleted_buckets(&self, _: u32) -> Result<u64> {
        Ok(0)
    }

    async fn remove_dead(&self, what: Dead, up_to: Version, _: u32) -> Result<u64> {
        let mut rows = self.rows();
        let goes = |died: Option<Version>| died.is_some_and(|died| died <= up_to);
        let mut deaths = Vec::new();
        match what {
            Dead::Fresh => rows
                .fresh
                .retain(|_, (row, _)| keep(row.died, goes, &mut deaths)),
            Dead::Chunks => {
                rows.chunks
                    .retain(|_, (row, _)| keep(row.died, goes, &mut deaths));
                let left: HashSet<i64> = rows.chunks.keys().copied().collect();
                rows.pieces.retain(|key, _| left.contains(&key.chunk));
            }
            Dead::Marks => {
                rows.tombstones
                    .retain(|_, row| keep(row.died, goes, &mut deaths));
                rows.windows.retain(|row| keep(row.died, goes, &mut deaths));
                rows.fields.retain(|row| keep(row.died, goes, &mut deaths));
            }
        }
        rows.horizon = deaths.iter().copied().fold(rows.horizon, Version::max);
        Ok(deaths.len() as u64)
    }

    async fn tidy(&self) -> Result<()> {
        Ok(())
    }

    async fn gauges(&self) -> Result<Vec<(&'static str, &'static str, f64)>> {
        Ok(Vec::new())
    }
}

fn keep(
    died: Option<Version>,
    goes: impl Fn(Option<Version>) -> bool,
    deaths: &mut Vec<Version>,
) -> bool {
    let gone = goes(died);
    deaths.extend(died.filter(|_| gone));
    !gone
}
