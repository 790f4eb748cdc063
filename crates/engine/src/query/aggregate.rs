//! Folding blocks into one state for each group, reduction and bucket.

use influxd_model::TimeRange;

use super::call::Leaf;
use super::group::Group;
use super::input::Input;
use super::reduce::{Reduction, State, fold};
use super::scalar::Scalar;
use super::scan::{Batch, Scan, Slot};
use super::window::Interval;
use super::{Env, Result};
use crate::source::{Few, Slice};

/// A bucket of one reduction of a group.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// Its first instant; 0 without `GROUP BY time()`.
    pub(super) start: i64,
    /// What is known of its values.
    pub(super) state: State,
}

/// The buckets of each reduction of a group, ascending.
pub(super) type Buckets = Vec<Vec<Bucket>>;

/// What to fold.
pub(super) struct Job<'a> {
    pub(super) env: &'a Env<'a>,
    pub(super) inputs: &'a [(Input, Scan)],
    pub(super) leaves: &'a [Leaf],
    pub(super) interval: Option<Interval>,
}

impl Job<'_> {
    /// Reads everything that the groups need, once.
    pub(super) fn run(&self, groups: &[Group]) -> Result<Vec<Buckets>> {
        let mut states: Vec<Buckets> = groups
            .iter()
            .map(|_| vec![Vec::new(); self.leaves.len()])
            .collect();
        let range = TimeRange {
            min: self
                .leaves
                .iter()
                .map(|leaf| leaf.range.min)
                .min()
                .unwrap_or(0),
            max: self
                .leaves
                .iter()
                .map(|leaf| leaf.range.max)
                .max()
                .unwrap_or(-1),
        };
        for (number, (input, scan)) in self.inputs.iter().enumerate() {
            let mut owner = vec![u32::MAX; input.series_count()];
            let mut series = Vec::new();
            for (at, group) in groups.iter().enumerate() {
                for member in group.members.iter().filter(|member| member.input == number) {
                    member
                        .series
                        .iter()
                        .for_each(|id| owner[*id as usize] = at as u32);
                    series.extend_from_slice(&member.series);
                }
            }
            if series.is_empty() {
                continue;
            }
            if let Some(descending) = self.edge() {
                self.run_edge(input, scan, range, descending, &owner, series, &mut states)?;
                continue;
            }
            for slice in input.slices(range, None) {
                let batches = scan.read(self.env, input, &series, slice)?;
                let of = |batch: &Batch| owner[batch.series as usize] as usize;
                if input.is_derived() {
                    // What a subquery gives is one sequence of rows, whatever series it came in.
                    for batches in batches.chunk_by(|a, b| of(a) == of(b)) {
                        if let Some(batch) = Batch::merge(batches) {
                            self.fold(input, scan, &batch, slice, &mut states[of(&batch)])?;
                        }
                    }
                    continue;
                }
                for batch in batches {
                    self.fold(input, scan, &batch, slice, &mut states[of(&batch)])?;
                }
            }
        }
        Ok(states)
    }

    /// Whether only the first or only the last values are wanted, and then whether the last.
    fn edge(&self) -> Option<bool> {
        if self.interval.is_some() {
            return None;
        }
        let all = |wanted: Reduction| self.leaves.iter().all(|leaf| leaf.reduction == wanted);
        match () {
            () if all(Reduction::Last) => Some(true),
            () if all(Reduction::First) => Some(false),
            () => None,
        }
    }

    /// Reads slices from one end and forgets a group's series once all its values were found.
    #[expect(
        clippy::too_many_arguments,
        reason = "one caller, which has them all at hand"
    )]
    fn run_edge(
        &self,
        input: &Input,
        scan: &Scan,
        range: TimeRange,
        descending: bool,
        owner: &[u32],
        mut series: Vec<u32>,
        states: &mut [Buckets],
    ) -> Result<()> {
        let few = Few {
            rows: series.len(),
            descending,
        };
        let mut slices = input.slices(range, Some(few));
        if descending {
            slices.reverse();
        }
        for slice in slices {
            if series.is_empty() {
                break;
            }
            for batch in scan.read(self.env, input, &series, slice)? {
                let group = owner[batch.series as usize] as usize;
                self.fold(input, scan, &batch, slice, &mut states[group])?;
            }
            series.retain(|id| {
                states[owner[*id as usize] as usize]
                    .iter()
                    .any(Vec::is_empty)
            });
        }
        Ok(())
    }

    fn fold(
        &self,
        input: &Input,
        scan: &Scan,
        batch: &Batch,
        slice: Slice,
        states: &mut Buckets,
    ) -> Result<()> {
        for (leaf, buckets) in self.leaves.iter().zip(states) {
            let Slot::Column(at) = scan.slots[leaf.column] else {
                continue;
            };
            let Some(column) = &batch.columns[at] else {
                continue;
            };
            let times = &batch.times;
            let from = times.partition_point(|time| *time < leaf.range.min);
            let to = times.partition_point(|time| *time <= leaf.range.max);
            let aux = |row: usize| -> Vec<Scalar> {
                leaf.aux
                    .iter()
                    .map(|reference| Scalar::from(batch.cell(input, &scan.slots[*reference], row)))
                    .collect()
            };
            let window = slice.window_start;
            let Some(interval) = self.interval.filter(|_| leaf.in_buckets()) else {
                if from < to
                    && let Some(state) =
                        fold(&leaf.reduction, column, times, from..to, window, &aux)
                {
                    self.account(&state)?;
                    let mut hint = 0;
                    put(buckets, &mut hint, 0, &leaf.reduction, state);
                }
                continue;
            };
            let mut row = from;
            let mut hint = 0;
            while row < to {
                let (start, end) = interval.window(times[row]);
                let next = row + gallop(&times[row..to], end);
                if let Some(state) = fold(&leaf.reduction, column, times, row..next, window, &aux) {
                    self.account(&state)?;
                    if put(buckets, &mut hint, start, &leaf.reduction, state) {
                        self.env.hold(1)?;
                    }
                }
                row = next;
            }
        }
        Ok(())
    }

    fn account(&self, state: &State) -> Result<()> {
        match state {
            State::Points(points) => self.env.hold(points.len()),
            State::Numbers(numbers) => self.env.hold(numbers.len()),
            State::Tally(tallies) => self.env.hold(tallies.len()),
            State::Count(_)
            | State::Sum { .. }
            | State::Mean { .. }
            | State::Pick(_)
            | State::Range { .. } => Ok(()),
        }
    }
}

/// How many of the ascending times lie before `end`; at least one. Quick where it is few.
fn gallop(times: &[i64], end: i64) -> usize {
    let mut step = 1;
    while step < times.len() && times[step] < end {
        step *= 2;
    }
    let from = step / 2;
    let to = (step + 1).min(times.len());
    (from + times[from..to].partition_point(|time| *time < end)).max(1)
}

/// Merges a state into its bucket, or adds the bucket: then the answer is `true`. `hint` is where
/// the bucket before it was.
fn put(
    buckets: &mut Vec<Bucket>,
    hint: &mut usize,
    start: i64,
    reduction: &Reduction,
    state: State,
) -> bool {
    let at = match buckets.get(*hint) {
        Some(bucket) if bucket.start == start => *hint,
        _ if buckets.last().is_none_or(|last| last.start < start) => buckets.len(),
        _ => buckets.partition_point(|bucket| bucket.start < start),
    };
    *hint = at + 1;
    match buckets.get_mut(at) {
        Some(bucket) if bucket.start == start => {
            bucket.state.merge(reduction, state);
            false
        }
        _ => {
            buckets.insert(at, Bucket { start, state });
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn galloping_finds_the_end_of_a_bucket() {
        let times: Vec<i64> = (0..100).collect();
        for end in 1..110 {
            assert_eq!(gallop(&times, end), (end as usize).min(100), "{end}");
        }
        assert_eq!(gallop(&[5], 5), 1);
    }

    #[test]
    fn buckets_stay_sorted_whatever_order_they_come_in() {
        let mut buckets = Vec::new();
        for start in [10, 30, 20, 10, 5, 40] {
            let mut hint = 0;
            put(
                &mut buckets,
                &mut hint,
                start,
                &Reduction::Count,
                State::Count(1),
            );
        }
        let starts: Vec<i64> = buckets.iter().map(|bucket| bucket.start).collect();
        assert_eq!(starts, [5, 10, 20, 30, 40]);
        assert!(matches!(buckets[1].state, State::Count(2)));
    }
}
