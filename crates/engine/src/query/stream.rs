//! The rows of a group out of the states of its buckets.

use std::iter::Peekable;

use influxd_influxql::ast::{Fill, Number};
use influxd_model::{FieldType, MIN_TIME, TimeRange};

use super::aggregate::Buckets;
use super::call::{Leaf, Node};
use super::fill::{Filled, as_cell, plain};
use super::output::Value;
use super::points::{Point, Points};
use super::reduce::finish;
use super::scalar::Scalar;
use super::sink::Emitter;
use super::transform::Setting;
use super::window::Interval;
use super::{Env, Result};

/// How the calls of a query become rows.
pub(super) struct Stream<'a> {
    pub(super) env: &'a Env<'a>,
    pub(super) nodes: &'a [Node],
    pub(super) leaves: &'a [Leaf],
    pub(super) interval: Option<Interval>,
    pub(super) descending: bool,
    /// The range of the query, as wide as its rows.
    pub(super) range: TimeRange,
    /// Whether rows begin with the first bucket that has points.
    pub(super) open: bool,
    /// Whether the only call is a selector: its points keep their own times.
    pub(super) own_time: bool,
    pub(super) fill: Fill,
}

/// The time of an aggregate's row without `GROUP BY time()` (InfluxQL 6.4).
pub(super) const fn row_time(range: TimeRange) -> i64 {
    if range.min == MIN_TIME { 0 } else { range.min }
}

impl Stream<'_> {
    /// Writes the rows of a group.
    pub(super) fn run(&self, buckets: Buckets, emitter: &mut Emitter<'_>) -> Result<()> {
        let mut buckets: Vec<Option<Vec<super::aggregate::Bucket>>> =
            buckets.into_iter().map(Some).collect();
        let mut streams: Vec<Peekable<Points<'_>>> = self
            .nodes
            .iter()
            .map(|node| Ok(self.points(node, &mut buckets)?.peekable()))
            .collect::<Result<_>>()?;
        let mut row: Vec<Point> = vec![Point::default(); streams.len()];
        let mut count = 0_u32;
        loop {
            let times = streams
                .iter_mut()
                .filter_map(|stream| Some(stream.peek()?.time));
            let next = if self.descending {
                times.max()
            } else {
                times.min()
            };
            let Some(time) = next else {
                // They end early, too, when nobody takes the rows any more.
                return self.env.check();
            };
            for ((stream, cell), node) in streams.iter_mut().zip(&mut row).zip(self.nodes) {
                *cell = match stream.next_if(|point| point.time == time) {
                    Some(point) => point,
                    None => Point::new(time, self.missing(node)),
                };
            }
            let values = self.nodes.len();
            emitter.row(time, &|slot| match slot.checked_sub(values) {
                None => row[slot].value.value(),
                Some(at) => row[0].aux.get(at).map_or(Value::Null, Scalar::value),
            })?;
            if emitter.is_done() {
                return Ok(());
            }
            count += 1;
            if count.is_multiple_of(4096) {
                self.env.check()?;
            }
        }
    }

    /// The cell of a column in a row that other columns made.
    fn missing(&self, node: &Node) -> Scalar {
        let Fill::Number(number) = self.fill else {
            return Scalar::Null;
        };
        match node {
            Node::Leaf { cells, .. } => as_cell(number, *cells),
            Node::Transform(..) => as_cell(number, FieldType::Float),
        }
    }

    fn points<'s>(
        &'s self,
        node: &'s Node,
        buckets: &mut Vec<Option<Vec<super::aggregate::Bucket>>>,
    ) -> Result<Points<'s>> {
        match node {
            Node::Transform(transform, inner) => {
                let input = self.points(inner, buckets)?;
                transform.apply(
                    input,
                    Setting {
                        env: self.env,
                        interval: self.interval,
                        descending: self.descending,
                        start: row_time(self.range),
                    },
                )
            }
            Node::Leaf {
                leaf: number,
                fill,
                cells,
            } => {
                let leaf = &self.leaves[*number];
                let states = buckets[*number].take().unwrap_or_default();
                let reduction = &leaf.reduction;
                let in_buckets = self.interval.is_some() && leaf.in_buckets();
                let start = row_time(leaf.range);
                let points = move |bucket: super::aggregate::Bucket| {
                    let start = if in_buckets { bucket.start } else { start };
                    let own_time = self.own_time && self.interval.is_none();
                    let mut points = finish(self.env, reduction, bucket.state, start, own_time);
                    if self.descending {
                        points.reverse();
                    }
                    points
                };
                let points: Points<'s> = if self.descending {
                    Box::new(states.into_iter().rev().flat_map(points))
                } else {
                    Box::new(states.into_iter().flat_map(points))
                };
                let points: Points<'s> = match self.interval {
                    Some(interval) if *fill != Fill::None => Box::new(Filled::new(
                        points,
                        *fill,
                        *cells,
                        leaf.aux.len(),
                        interval,
                        if self.open {
                            TimeRange {
                                min: MIN_TIME,
                                ..leaf.range
                            }
                        } else {
                            leaf.range
                        },
                        self.descending,
                    )),
                    _ => points,
                };
                Ok(Box::new(while_wanted(self.env, points)))
            }
        }
    }
}

/// The same points, until the statement is stopped: what reads them may not come to a row for long.
fn while_wanted<'a>(env: &'a Env<'a>, points: Points<'a>) -> impl Iterator<Item = Point> + 'a {
    let mut count = 0_u32;
    points.take_while(move |_| {
        count = count.wrapping_add(1);
        !count.is_multiple_of(4096) || env.check().is_ok()
    })
}

/// What a missing cell of a raw row becomes.
#[derive(Debug, Clone)]
pub(super) enum RawFill {
    Null,
    Number(Scalar),
    Previous,
}

impl RawFill {
    /// The fill of a raw query; those that need calls count as none.
    pub(super) fn new(fill: Fill) -> Self {
        match fill {
            Fill::Number(number) => Self::Number(number_cell(number)),
            Fill::Previous => Self::Previous,
            Fill::Null | Fill::None | Fill::Linear => Self::Null,
        }
    }
}

const fn number_cell(number: Number) -> Scalar {
    plain(number)
}
