//! Transformations: what a call makes of a sequence of points (InfluxQL 9.2, 9.4 to 9.6).

mod holt_winters;
mod integral;
mod simple;
mod technical;

use super::points::Points;
use super::window::Interval;
use super::{Env, Result};

pub(super) use technical::{Technical, Warmup};

/// A transformation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Transform {
    Derivative {
        unit: i64,
        non_negative: bool,
    },
    Difference {
        non_negative: bool,
    },
    Elapsed {
        unit: i64,
    },
    CumulativeSum,
    MovingAverage(usize),
    Integral {
        unit: i64,
    },
    HoltWinters {
        predicted: usize,
        season: usize,
        fit: bool,
    },
    Technical {
        technical: Technical,
        period: usize,
        hold: Option<usize>,
        warmup: Option<Warmup>,
    },
}

/// What a transformation has to know of the query.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) env: &'a Env<'a>,
    pub(super) interval: Option<Interval>,
    pub(super) descending: bool,
    /// The time of an aggregate's row without `GROUP BY time()`.
    pub(super) start: i64,
}

impl Transform {
    /// Whether it reads one bucket before the first (InfluxQL 9.4).
    pub(super) const fn reads_one_more(&self) -> bool {
        match self {
            Self::Derivative { .. }
            | Self::Difference { .. }
            | Self::Elapsed { .. }
            | Self::MovingAverage(_)
            | Self::Technical { .. } => true,
            Self::CumulativeSum | Self::Integral { .. } | Self::HoltWinters { .. } => false,
        }
    }

    /// The points that come out; those without a value are skipped on the way in.
    pub(super) fn apply<'a>(&self, input: Points<'a>, setting: Setting<'_>) -> Result<Points<'a>> {
        let input: Points<'a> = Box::new(input.filter(|point| !point.value.is_null()));
        Ok(match self {
            Self::Derivative { unit, non_negative } => {
                simple::derivative(input, *unit, *non_negative, setting.descending)
            }
            Self::Difference { non_negative } => simple::difference(input, *non_negative),
            Self::Elapsed { unit } => simple::elapsed(input, *unit),
            Self::CumulativeSum => simple::cumulative_sum(input),
            Self::MovingAverage(count) => simple::moving_average(input, *count),
            Self::Integral { unit } => integral::integral(input, *unit, setting),
            Self::HoltWinters {
                predicted,
                season,
                fit,
            } => holt_winters::forecast(input, *predicted, *season, *fit, setting)?,
            Self::Technical {
                technical,
                period,
                hold,
                warmup,
            } => technical.apply(input, *period, *hold, *warmup),
        })
    }
}
