//! Technical analysis: averages and oscillators with a state (InfluxQL 9.6).

use crate::query::points::{Point, Points};
use crate::query::scalar::Scalar;

/// A function of technical analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum Technical {
    ExponentialMovingAverage,
    DoubleExponentialMovingAverage,
    TripleExponentialMovingAverage,
    RelativeStrengthIndex,
    TripleExponentialDerivative,
    KaufmansEfficiencyRatio,
    KaufmansAdaptiveMovingAverage,
    ChandeMomentumOscillator,
}

/// How an average begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum Warmup {
    /// With a growing window of the same kind.
    Exponential,
    /// With a plain mean.
    Simple,
    /// Not at all: `chande_momentum_oscillator` over plain sums.
    None,
}

impl Warmup {
    /// The kind with this name.
    pub(in crate::query) fn named(name: &str) -> Option<Self> {
        match name {
            "exponential" => Some(Self::Exponential),
            "simple" => Some(Self::Simple),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

impl Technical {
    /// The function of this name.
    pub(in crate::query) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "exponential_moving_average" => Self::ExponentialMovingAverage,
            "double_exponential_moving_average" => Self::DoubleExponentialMovingAverage,
            "triple_exponential_moving_average" => Self::TripleExponentialMovingAverage,
            "relative_strength_index" => Self::RelativeStrengthIndex,
            "triple_exponential_derivative" => Self::TripleExponentialDerivative,
            "kaufmans_efficiency_ratio" => Self::KaufmansEfficiencyRatio,
            "kaufmans_adaptive_moving_average" => Self::KaufmansAdaptiveMovingAverage,
            "chande_momentum_oscillator" => Self::ChandeMomentumOscillator,
            _ => return None,
        })
    }

    /// Its points: from the first one after the hold period on.
    pub(super) fn apply(
        self,
        input: Points<'_>,
        period: usize,
        hold: Option<usize>,
        warmup: Option<Warmup>,
    ) -> Points<'_> {
        let oscillator = self == Self::ChandeMomentumOscillator;
        let warmup = warmup.unwrap_or(if oscillator {
            Warmup::None
        } else {
            Warmup::Exponential
        });
        let mut machine = self.machine(period, warmup);
        let hold = hold.unwrap_or_else(|| self.warm_count(period, warmup));
        let finite = matches!(
            self,
            Self::TripleExponentialDerivative
                | Self::KaufmansEfficiencyRatio
                | Self::KaufmansAdaptiveMovingAverage
        );
        let mut seen = 0_usize;
        Box::new(input.filter_map(move |point| {
            let result = machine.add(point.value.as_f64()?);
            seen += 1;
            let emitted = seen > hold && !(finite && result.is_infinite());
            emitted.then(|| Point::new(point.time, Scalar::Float(result)))
        }))
    }

    /// How many values it takes before it says something.
    const fn warm_count(self, n: usize, warmup: Warmup) -> usize {
        let simple = matches!(warmup, Warmup::Simple);
        match self {
            Self::DoubleExponentialMovingAverage if simple => 2 * (n - 1),
            Self::TripleExponentialMovingAverage if simple => 3 * (n - 1),
            Self::TripleExponentialDerivative if simple => 3 * (n - 1) + 1,
            Self::ExponentialMovingAverage
            | Self::DoubleExponentialMovingAverage
            | Self::TripleExponentialMovingAverage => n - 1,
            Self::ChandeMomentumOscillator if matches!(warmup, Warmup::None) => n - 1,
            Self::RelativeStrengthIndex
            | Self::TripleExponentialDerivative
            | Self::KaufmansEfficiencyRatio
            | Self::KaufmansAdaptiveMovingAverage
            | Self::ChandeMomentumOscillator => n,
        }
    }

    fn machine(self, n: usize, warmup: Warmup) -> Machine {
        let average = || Average::new(n, warmup);
        let smoothed = || Average {
            alpha: 1.0 / n as f64,
            ..Average::new(n + 1, warmup)
        };
        match self {
            Self::ExponentialMovingAverage => Machine::Average(average()),
            Self::DoubleExponentialMovingAverage => Machine::Double([average(), average()]),
            Self::TripleExponentialMovingAverage => {
                Machine::Triple([average(), average(), average()])
            }
            Self::TripleExponentialDerivative => Machine::Rate {
                averages: [average(), average(), average()],
                last: 0.0,
            },
            Self::RelativeStrengthIndex => Machine::Strength {
                up: smoothed(),
                down: smoothed(),
                last: 0.0,
            },
            Self::KaufmansEfficiencyRatio => Machine::Efficiency(Efficiency::new(n)),
            Self::KaufmansAdaptiveMovingAverage => Machine::Adaptive {
                ratio: Efficiency::new(n),
                last: 0.0,
            },
            Self::ChandeMomentumOscillator if warmup == Warmup::None => Machine::Momentum {
                changes: Ring::new(n),
                last: None,
                up: 0.0,
                down: 0.0,
            },
            Self::ChandeMomentumOscillator => Machine::SmoothMomentum {
                up: smoothed(),
                down: smoothed(),
                last: 0.0,
            },
        }
    }
}

/// An exponential moving average.
struct Average {
    period: usize,
    alpha: f64,
    seen: usize,
    last: f64,
    warmup: Warmup,
}

impl Average {
    fn new(period: usize, warmup: Warmup) -> Self {
        Self {
            period,
            alpha: 2.0 / (period + 1) as f64,
            seen: 0,
            last: 0.0,
            warmup,
        }
    }

    fn add(&mut self, value: f64) -> f64 {
        let seen = self.seen as f64;
        self.last = if self.seen == 0 {
            value
        } else if self.seen >= self.period {
            (value - self.last) * self.alpha + self.last
        } else if self.warmup == Warmup::Simple {
            (self.last * seen + value) / (seen + 1.0)
        } else {
            (value - self.last) * (2.0 / (seen + 2.0)) + self.last
        };
        self.seen = (self.seen + 1).min(self.period);
        self.last
    }

    /// Whether what it says may be passed on to the next average.
    fn passes_on(&self) -> bool {
        self.seen >= self.period || self.warmup != Warmup::Simple
    }
}

/// The last few values, oldest first out.
struct Ring {
    values: std::collections::VecDeque<f64>,
    size: usize,
}

impl Ring {
    fn new(size: usize) -> Self {
        Self {
            values: std::collections::VecDeque::new(),
            size,
        }
    }

    /// Adds a value and gives the one that falls out.
    fn push(&mut self, value: f64) -> Option<f64> {
        self.values.push_back(value);
        (self.values.len() > self.size)
            .then(|| self.values.pop_front())
            .flatten()
    }
}

/// How straight the last values lead from the first to the last of them.
struct Efficiency {
    prices: Ring,
    changes: Ring,
    noise: f64,
    seen: usize,
}

impl Efficiency {
    fn new(period: usize) -> Self {
        Self {
            prices: Ring::new(period),
            changes: Ring::new(period),
            noise: 0.0,
            seen: 0,
        }
    }

    fn add(&mut self, value: f64) -> f64 {
        let last = self.prices.values.back().copied().unwrap_or(0.0);
        let change = (value - last).abs();
        if let Some(oldest) = self.changes.push(change) {
            self.noise -= oldest;
        }
        self.noise += change;
        let oldest = self.prices.push(value).unwrap_or(0.0);
        let signal = (value - oldest).abs();
        self.seen += 1;
        if signal == 0.0 || self.noise == 0.0 {
            0.0
        } else {
            signal / self.noise
        }
    }
}

enum Machine {
    Average(Average),
    Double([Average; 2]),
    Triple([Average; 3]),
    Rate {
        averages: [Average; 3],
        last: f64,
    },
    Strength {
        up: Average,
        down: Average,
        last: f64,
    },
    Efficiency(Efficiency),
    Adaptive {
        ratio: Efficiency,
        last: f64,
    },
    Momentum {
        changes: Ring,
        last: Option<f64>,
        up: f64,
        down: f64,
    },
    SmoothMomentum {
        up: Average,
        down: Average,
        last: f64,
    },
}

impl Machine {
    fn add(&mut self, value: f64) -> f64 {
        match self {
            Self::Average(average) => average.add(value),
            Self::Double([first, second]) => {
                let one = first.add(value);
                let two = if first.passes_on() {
                    second.add(one)
                } else {
                    one
                };
                2.0 * one - two
            }
            Self::Triple([first, second, third]) => {
                let one = first.add(value);
                let two = if first.passes_on() {
                    second.add(one)
                } else {
                    one
                };
                let three = if first.passes_on() && second.passes_on() {
                    third.add(two)
                } else {
                    two
                };
                3.0 * one - 3.0 * two + three
            }
            Self::Rate {
                averages: [first, second, third],
                last,
            } => {
                let mut current = first.add(value);
                if first.passes_on() {
                    current = second.add(current);
                    if second.passes_on() {
                        current = third.add(current);
                    }
                }
                let rate = (current / *last - 1.0) * 100.0;
                *last = current;
                rate
            }
            Self::Strength { up, down, last } => {
                let (rise, fall) = movement(last, value);
                let (up, down) = (up.add(rise), down.add(fall));
                100.0 - 100.0 / (1.0 + up / down)
            }
            Self::Efficiency(ratio) => ratio.add(value),
            Self::Adaptive { ratio, last } => {
                let warm = ratio.seen >= ratio.prices.size;
                let efficiency = ratio.add(value);
                // Between 2/31 and 2/3.
                let pace = efficiency * (56.0 / 93.0) + 2.0 / 31.0;
                let average = *last + pace * pace * (value - *last);
                *last = if warm { average } else { value };
                average
            }
            Self::Momentum {
                changes,
                last,
                up,
                down,
            } => {
                let change = last.map_or(0.0, |last| value - last);
                *last = Some(value);
                if let Some(oldest) = changes.push(change) {
                    if oldest > 0.0 {
                        *up -= oldest;
                    } else {
                        *down += oldest;
                    }
                }
                if change > 0.0 {
                    *up += change;
                } else {
                    *down -= change;
                }
                if *up == 0.0 && *down == 0.0 {
                    return 0.0;
                }
                100.0 * ((*up - *down) / (*up + *down))
            }
            Self::SmoothMomentum { up, down, last } => {
                let (rise, fall) = movement(last, value);
                let (up, down) = (up.add(rise), down.add(fall));
                100.0 * ((up - down) / (up + down))
            }
        }
    }
}

/// How far a value rises or falls against the last one, which it becomes.
fn movement(last: &mut f64, value: f64) -> (f64, f64) {
    let change = value - *last;
    *last = value;
    (change.max(0.0), (-change).max(0.0))
}

#[cfg(test)]
#[expect(
    clippy::unreadable_literal,
    reason = "results are written as they print"
)]
mod tests {
    use super::*;

    const VALUES: [f64; 6] = [1.0, 3.0, 2.0, 8.0, 4.0, 6.0];

    fn check(technical: Technical, period: usize, warmup: Option<Warmup>, expected: &[f64]) {
        let points: Vec<Point> = VALUES
            .iter()
            .enumerate()
            .map(|(at, value)| Point::new(at as i64, Scalar::Float(*value)))
            .collect();
        let results: Vec<f64> = technical
            .apply(Box::new(points.into_iter()), period, None, warmup)
            .map(|point| point.value.as_f64().unwrap())
            .collect();
        assert_eq!(results.len(), expected.len(), "{technical:?}: {results:?}");
        for (result, expected) in results.iter().zip(expected) {
            assert!(
                (result - expected).abs() < 1e-12,
                "{technical:?}: {results:?}"
            );
        }
    }

    #[test]
    fn the_worked_examples_come_out() {
        use Technical as T;
        check(
            T::ExponentialMovingAverage,
            3,
            None,
            &[
                2.1666666666666665,
                5.083333333333334,
                4.541666666666667,
                5.270833333333334,
            ],
        );
        check(
            T::DoubleExponentialMovingAverage,
            2,
            Some(Warmup::Simple),
            &[2.0, 7.333333333333334, 4.666666666666667, 5.851851851851851],
        );
        check(
            T::TripleExponentialMovingAverage,
            2,
            Some(Warmup::Simple),
            &[7.333333333333335, 4.222222222222222, 5.8024691358024665],
        );
        check(
            T::RelativeStrengthIndex,
            2,
            None,
            &[
                62.5,
                93.18181818181819,
                44.56521739130435,
                63.57142857142857,
            ],
        );
        check(
            T::TripleExponentialDerivative,
            2,
            Some(Warmup::Simple),
            &[26.666666666666682, 16.374269005847953],
        );
        check(
            T::KaufmansEfficiencyRatio,
            2,
            None,
            &[
                0.3333333333333333,
                0.7142857142857143,
                0.2,
                0.3333333333333333,
            ],
        );
        check(
            T::KaufmansAdaptiveMovingAverage,
            2,
            None,
            &[
                2.929651469020182,
                4.170125222234807,
                4.164306070223483,
                4.29344444151183,
            ],
        );
        check(
            T::ChandeMomentumOscillator,
            3,
            None,
            &[
                33.33333333333333,
                77.77777777777779,
                9.090909090909092,
                33.33333333333333,
            ],
        );
        check(
            T::ChandeMomentumOscillator,
            3,
            Some(Warmup::Exponential),
            &[81.25000000000001, 11.538461538461542, 31.343283582089555],
        );
    }
}
