//! Reading points: a bucket at one moment, out of the catalogue and the contents of its chunks.

pub(crate) mod find;
mod living;
pub(crate) mod rows;
mod slices;
pub(crate) mod unite;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use influxd_model::{BucketId, FieldType, TimeRange};

use crate::catalogue::{BucketState, Catalogue, Follow, Window};
use crate::content::{Contents, Loader, MeasurementView};
use crate::index::{MeasurementIndex, SeriesId};
use crate::source::{Block, Few, ReadError, Slice, Snapshot};

/// A bucket at one moment. Its methods block.
///
/// Chunks that died are removed some minutes later. A query that still needs one goes on with a
/// newer catalogue, once; ids of series stay what they were.
#[derive(Debug)]
pub struct BucketSnapshot {
    contents: Arc<Contents>,
    follow: Follow,
    bucket: BucketId,
    moment: RwLock<Arc<Moment>>,
    /// Why a method that cannot say so failed: the next that can does.
    failure: Mutex<Option<ReadError>>,
}

/// A catalogue, and what was looked up by it.
#[derive(Debug)]
struct Moment {
    catalogue: Arc<Catalogue>,
    state: Arc<BucketState>,
    loader: Loader,
    views: Mutex<HashMap<Vec<u8>, Option<Arc<MeasurementView>>>>,
    /// It took the place of one whose chunks were gone.
    is_second: bool,
}

impl BucketSnapshot {
    /// A bucket as `catalogue` has it.
    pub fn new(
        contents: Arc<Contents>,
        follow: Follow,
        catalogue: Arc<Catalogue>,
        bucket: BucketId,
    ) -> Self {
        let moment = Moment::new(&contents, catalogue, bucket, false);
        Self {
            contents,
            follow,
            bucket,
            moment: RwLock::new(Arc::new(moment)),
            failure: Mutex::default(),
        }
    }

    fn moment(&self) -> Arc<Moment> {
        Arc::clone(&self.moment.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the present moment; if what it needs has moved, once more with the next one.
    fn ask<T>(&self, f: impl Fn(&Moment) -> Result<T, ReadError>) -> Result<T, ReadError> {
        if let Some(failure) = self.failure().take() {
            return Err(failure);
        }
        let moment = self.moment();
        match f(&moment) {
            Err(ReadError::Moved) if !moment.is_second => {
                let next = self.next_moment(&moment)?;
                f(&next)
            }
            result => result,
        }
    }

    /// The moment after one whose chunks were gone. Ids of series mean nothing in another
    /// history, so that this one ends.
    fn next_moment(&self, past: &Arc<Moment>) -> Result<Arc<Moment>, ReadError> {
        let follow = self.follow.now();
        let catalogue = past
            .loader
            .handle
            .block_on(follow)
            .map_err(|error| ReadError::Store(error.into()))?;
        if catalogue.history != past.catalogue.history {
            return Err(ReadError::Moved);
        }
        let mut moment = self.moment.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&moment, past) {
            let next = Moment::new(&self.contents, catalogue, self.bucket, true);
            *moment = Arc::new(next);
        }
        Ok(Arc::clone(&moment))
    }

    /// The same for methods that cannot fail: a failure is told by the next one that can.
    fn ask_surely<T>(&self, f: impl Fn(&Moment) -> Result<T, ReadError>) -> Option<T> {
        match self.ask(f) {
            Ok(answer) => Some(answer),
            Err(error) => {
                *self.failure() = Some(error);
                None
            }
        }
    }

    fn failure(&self) -> MutexGuard<'_, Option<ReadError>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view_of(
        &self,
        moment: &Moment,
        measurement: &[u8],
    ) -> Result<Option<Arc<MeasurementView>>, ReadError> {
        let mut views = moment.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = views.get(measurement) {
            return Ok(view.clone());
        }
        let view = self
            .contents
            .view(&moment.catalogue, self.bucket, measurement)?;
        views.insert(measurement.to_vec(), view.clone());
        Ok(view)
    }

    fn living_in(
        &self,
        moment: &Moment,
        measurement: &[u8],
        range: TimeRange,
    ) -> Result<Arc<[SeriesId]>, ReadError> {
        if range.is_empty() {
            return Ok(Arc::default());
        }
        match self.view_of(moment, measurement)? {
            Some(view) => {
                living::living(&view, &moment.loader, whole_windows(&moment.state, range))
            }
            None => Ok(Arc::default()),
        }
    }

    /// Whether the measurement has a series in the windows that overlap `range`.
    fn lives(
        &self,
        moment: &Moment,
        measurement: &[u8],
        range: TimeRange,
    ) -> Result<bool, ReadError> {
        let Some(of) = moment.state.measurements.get(measurement) else {
            return Ok(false);
        };
        // The catalogue alone knows it, unless a delete is pending.
        let whole = whole_windows(&moment.state, range);
        let untouched = of.chunks.iter().any(|chunk| {
            whole.covers(chunk.range) && moment.state.tombstones_of(chunk).next().is_none()
        });
        Ok(untouched || !self.living_in(moment, measurement, range)?.is_empty())
    }
}

/// `range`, widened to the windows that it overlaps; where there is none, up to the next ones. A
/// refused point makes its series known where there may be no window.
fn whole_windows(state: &BucketState, range: TimeRange) -> TimeRange {
    let gap_before = |time: i64| {
        let before = state.windows.range(..time).next_back();
        before.map_or(i64::MIN, |(_, window)| window.end)
    };
    let gap_after = |time: i64| {
        let after = time
            .checked_add(1)
            .and_then(|next| state.windows.range(next..).next());
        after.map_or(i64::MAX, |(start, _)| start - 1)
    };
    TimeRange {
        min: state
            .window(range.min)
            .map_or_else(|| gap_before(range.min), |w| w.start),
        max: state
            .window(range.max)
            .map_or_else(|| gap_after(range.max), |w| w.range().max),
    }
}

impl Moment {
    fn new(
        contents: &Contents,
        catalogue: Arc<Catalogue>,
        bucket: BucketId,
        is_second: bool,
    ) -> Self {
        let state = catalogue.buckets.get(&bucket).cloned().unwrap_or_default();
        let loader = contents.loader(&catalogue);
        Self {
            catalogue,
            state,
            loader,
            views: Mutex::default(),
            is_second,
        }
    }
}

impl Snapshot for BucketSnapshot {
    fn measurements(&self) -> Vec<Vec<u8>> {
        let names = self.ask_surely(|moment| {
            let mut names = Vec::new();
            for name in moment.state.measurements.keys() {
                if self.lives(
                    moment,
                    name,
                    TimeRange {
                        min: i64::MIN,
                        max: i64::MAX,
                    },
                )? {
                    names.push(name.to_vec());
                }
            }
            Ok(names)
        });
        names.unwrap_or_default()
    }

    fn index(&self, measurement: &[u8]) -> Option<Arc<MeasurementIndex>> {
        let index = self.ask_surely(|moment| {
            let view = self.view_of(moment, measurement)?;
            Ok(view.map(|view| Arc::clone(&view.index)))
        });
        // An index without series makes the caller ask on, and so hear of the failure.
        index.unwrap_or_else(|| Some(Arc::default()))
    }

    fn living(&self, measurement: &[u8], range: TimeRange) -> Result<Vec<SeriesId>, ReadError> {
        self.ask(|moment| Ok(self.living_in(moment, measurement, range)?.to_vec()))
    }

    fn fields(&self, measurement: &[u8], range: TimeRange) -> Vec<(Vec<u8>, FieldType)> {
        let fields = self.ask_surely(|moment| {
            let mut fields = BTreeSet::new();
            let Some(of) = moment.state.measurements.get(measurement) else {
                return Ok(fields);
            };
            for window in moment.state.windows_in(range) {
                let Some(living) = of.fields.get(&window.start) else {
                    continue;
                };
                if self.lives(moment, measurement, window.range())? {
                    fields.extend(living.iter().map(|(name, f)| (name.to_vec(), f.field_type)));
                }
            }
            Ok(fields)
        });
        fields.unwrap_or_default().into_iter().collect()
    }

    fn window_count(&self, measurement: &[u8], range: TimeRange) -> usize {
        let moment = self.moment();
        let Some(of) = moment.state.measurements.get(measurement) else {
            return 0;
        };
        let has_points = |window: &Window| {
            let within = window.range();
            of.chunks
                .iter()
                .any(|chunk| chunk.rows > 0 && chunk.range.overlaps(within))
        };
        moment.state.windows_in(range).filter(has_points).count()
    }

    fn slices(&self, measurement: &[u8], range: TimeRange, few: Option<Few>) -> Vec<Slice> {
        let moment = self.moment();
        match moment.state.measurements.get(measurement) {
            Some(of) => slices::slices(of, moment.state.windows_in(range), range, few),
            None => Vec::new(),
        }
    }

    fn read(
        &self,
        measurement: &[u8],
        series: &[SeriesId],
        fields: &[&[u8]],
        slice: Slice,
    ) -> Result<Vec<Block>, ReadError> {
        self.ask(|moment| match self.view_of(moment, measurement)? {
            Some(view) => rows::read(&view, &moment.loader, series, fields, slice),
            None => Ok(Vec::new()),
        })
    }
}
