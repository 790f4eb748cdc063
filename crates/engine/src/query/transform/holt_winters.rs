//! Forecast by triple exponential smoothing (InfluxQL 9.5).

use super::Setting;
use crate::query::math::pow;
use crate::query::points::{Point, Points};
use crate::query::scalar::Scalar;
use crate::query::{Env, Result};

/// The predicted values and, with `fit`, the fitted ones before them.
pub(super) fn forecast<'a>(
    input: Points<'a>,
    predicted: usize,
    season: usize,
    fit: bool,
    setting: Setting<'_>,
) -> Result<Points<'a>> {
    let env = setting.env;
    let nothing = || -> Result<Points<'a>> { Ok(Box::new(std::iter::empty())) };
    let Some(interval) = setting.interval.map(|interval| interval.every) else {
        return nothing();
    };
    let mut points = Vec::new();
    for point in input {
        if let Some(value) = point.value.as_f64() {
            env.hold(1)?;
            points.push((point.time, value));
        }
    }
    env.check()?;
    let season = if season >= 2 { season } else { 0 };
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return nothing();
    };
    if points.len() < 2 || points.len() < season || predicted == 0 {
        return nothing();
    }
    if rounded(last.0, interval) <= rounded(first.0, interval) {
        return nothing();
    }
    let reach = rounded(last.0, interval).saturating_sub(rounded(first.0, interval));
    env.hold(usize::try_from(reach / interval).unwrap_or(usize::MAX))?;
    env.hold(predicted)?;
    let parameters = season.saturating_add(6);
    env.hold(parameters.saturating_mul(parameters))?;
    let model = Model {
        values: slots(&points, interval),
        season,
    };
    let mut best = model.best(env)?;
    let forecast = model.forecast(predicted, &mut best);
    let (skip, start) = if fit {
        (0, first.0)
    } else {
        (model.values.len(), last.0 + interval)
    };
    let results: Vec<Point> = forecast[skip..]
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_nan())
        .map(|(at, value)| {
            let time = start.saturating_add(interval.saturating_mul(at as i64));
            Point::new(time, Scalar::Float(*value))
        })
        .collect();
    Ok(Box::new(results.into_iter()))
}

/// The nearest multiple of the interval; half way goes down.
const fn rounded(time: i64, interval: i64) -> i64 {
    let up = if time % interval > interval / 2 { 1 } else { 0 };
    (time / interval + up) * interval
}

/// The values one interval apart, NaN where there is none. What comes into a used slot is dropped.
fn slots(points: &[(i64, f64)], interval: i64) -> Vec<f64> {
    let mut values = vec![points[0].1];
    let mut at = rounded(points[0].0, interval);
    for (time, value) in &points[1..] {
        let time = rounded(*time, interval);
        if time <= at {
            continue;
        }
        at += interval;
        while at < time {
            values.push(f64::NAN);
            at += interval;
        }
        values.push(*value);
    }
    values
}

struct Model {
    values: Vec<f64>,
    /// How many values make a season; 0: none.
    season: usize,
}

impl Model {
    /// alpha, beta, gamma, phi still to be chosen, then level, trend and the season's factors.
    fn start(&self) -> Vec<f64> {
        let y = &self.values;
        let mut parameters = vec![0.0; 6];
        if self.season == 0 {
            parameters[4] = 0.5 * y[0];
            parameters[5] = if y[1].is_nan() {
                0.0
            } else {
                0.5 * (y[1] - y[0])
            };
            return parameters;
        }
        let m = self.season;
        let slots = m.min(y.len());
        for value in y[..slots].iter().filter(|value| !value.is_nan()) {
            parameters[4] += (1.0 / m as f64) * value;
        }
        for i in 0..m {
            if let Some(later) = y.get(m + i)
                && !y[i].is_nan()
                && !later.is_nan()
            {
                parameters[5] += 1.0 / (m * m) as f64 * (later - y[i]);
            }
        }
        let level = parameters[4];
        parameters.extend((0..m).map(|i| match y.get(i) {
            Some(value) if !value.is_nan() => value / level,
            _ => 0.0,
        }));
        parameters
    }

    /// The parameters with the least squared error among the results of sixteen searches.
    fn best(&self, env: &Env<'_>) -> Result<Vec<f64>> {
        const GUESSES: [f64; 2] = [0.3, 0.7];
        let mut start = self.start();
        let mut best: Option<(f64, Vec<f64>)> = None;
        for number in 0..16_usize {
            for (at, guess) in start.iter_mut().take(4).enumerate() {
                *guess = GUESSES[(number >> (3 - at)) & 1];
            }
            let (error, parameters) = minimize(env, |vector| self.error(vector), &start)?;
            if best.as_ref().is_none_or(|(least, _)| error < *least) {
                best = Some((error, parameters));
            }
        }
        Ok(best.map(|(_, parameters)| parameters).unwrap_or_default())
    }

    /// The fitted values and `count` more. Clamps the first four parameters, and the season's
    /// factors go on in the parameters themselves: the search depends on that.
    fn forecast(&self, count: usize, parameters: &mut [f64]) -> Vec<f64> {
        for parameter in &mut parameters[..4] {
            *parameter = parameter.clamp(0.0, 1.0);
        }
        let (fixed, ring) = parameters.split_at_mut(6);
        let &mut [alpha, beta, gamma, phi, mut level, mut trend] = fixed else {
            unreachable!("split at six")
        };
        let m = ring.len();
        let mut offset = m.saturating_sub(1);
        let mut damping = phi;
        let mut value = self.values[0];
        let total = self.values.len() + count;
        let mut forecast = Vec::with_capacity(total);
        forecast.push(value);
        for t in 1..total {
            let (then, now) = if m == 0 {
                (1.0, 1.0)
            } else {
                (
                    ring[(t + offset - m) % m],
                    ring[(t + offset - m + t % m) % m],
                )
            };
            let base = level + phi * trend;
            let next_level = alpha * (value / then) + (1.0 - alpha) * base;
            let next_trend = beta * (next_level - level) + (1.0 - beta) * phi * trend;
            let factor = gamma * (value / base) + (1.0 - gamma) * then;
            value = (next_level + damping * next_trend) * now;
            (level, trend) = (next_level, next_trend);
            damping += pow(phi, t as f64);
            if m > 0 {
                ring[(t + offset) % m] = factor;
                offset += 1;
            }
            forecast.push(value);
        }
        forecast
    }

    fn error(&self, parameters: &mut [f64]) -> f64 {
        let forecast = self.forecast(0, parameters);
        let mut sum = 0.0;
        for (value, fitted) in self.values.iter().zip(forecast) {
            if value.is_nan() {
                continue;
            }
            if fitted.is_nan() {
                return f64::INFINITY;
            }
            sum += (fitted - value) * (fitted - value);
        }
        sum
    }
}

/// Nelder and Mead's search from `start`: the least value, and where it is. The function may
/// change the vector that it is given.
fn minimize(
    env: &Env<'_>,
    mut value_of: impl FnMut(&mut [f64]) -> f64,
    start: &[f64],
) -> Result<(f64, Vec<f64>)> {
    const ITERATIONS: usize = 1000;
    const EPSILON: f64 = 1.0e-4;
    let n = start.len();
    let size = n as f64;
    let root = (size + 1.0).sqrt() - 1.0;
    let on_axis = (root + size) / (size * std::f64::consts::SQRT_2);
    let off_axis = root / (size * std::f64::consts::SQRT_2);
    let mut vertices: Vec<Vec<f64>> = vec![start.to_vec()];
    for axis in 0..n {
        let vertex = start.iter().enumerate().map(|(at, value)| {
            if at == axis {
                on_axis + value
            } else {
                off_axis + value
            }
        });
        vertices.push(vertex.collect());
    }
    let mut values: Vec<f64> = vertices.iter_mut().map(|vertex| value_of(vertex)).collect();
    for _ in 0..ITERATIONS {
        env.check()?;
        let (mut worst, mut best) = (0, 0);
        for at in 0..=n {
            if values[at] > values[worst] {
                worst = at;
            }
            if values[at] < values[best] {
                best = at;
            }
        }
        let mut second = best;
        for at in 0..=n {
            if values[at] > values[second] && values[at] < values[worst] {
                second = at;
            }
        }
        let centre: Vec<f64> = (0..n)
            .map(|axis| {
                let others = (0..=n).filter(|at| *at != worst);
                others.fold(0.0, |sum, at| sum + vertices[at][axis]) / size
            })
            .collect();
        let mut reflected: Vec<f64> = (0..n)
            .map(|i| centre[i] + (centre[i] - vertices[worst][i]))
            .collect();
        let at_reflected = value_of(&mut reflected);
        if at_reflected < values[second] && at_reflected >= values[best] {
            vertices[worst].clone_from(&reflected);
            values[worst] = at_reflected;
        }
        if at_reflected < values[best] {
            let mut expanded: Vec<f64> = (0..n)
                .map(|i| centre[i] + 2.0 * (reflected[i] - centre[i]))
                .collect();
            let at_expanded = value_of(&mut expanded);
            if at_expanded < at_reflected {
                vertices[worst] = expanded;
                values[worst] = at_expanded;
            } else {
                vertices[worst].clone_from(&reflected);
                values[worst] = at_reflected;
            }
        }
        if at_reflected >= values[second] {
            let mut contracted: Vec<f64> = if at_reflected < values[worst] {
                (0..n)
                    .map(|i| centre[i] + 0.5 * (reflected[i] - centre[i]))
                    .collect()
            } else {
                (0..n)
                    .map(|i| centre[i] - 0.5 * (centre[i] - vertices[worst][i]))
                    .collect()
            };
            let at_contracted = value_of(&mut contracted);
            if at_contracted < values[worst] {
                vertices[worst] = contracted;
                values[worst] = at_contracted;
            } else {
                let anchor = vertices[best].clone();
                for (at, vertex) in vertices.iter_mut().enumerate() {
                    if at != best {
                        for (axis, value) in vertex.iter_mut().enumerate() {
                            *value = anchor[axis] + (*value - anchor[axis]) / 2.0;
                        }
                    }
                }
                values[worst] = value_of(&mut vertices[worst]);
                values[second] = value_of(&mut vertices[second]);
            }
        }
        let mean = values.iter().sum::<f64>() / (size + 1.0);
        let spread: f64 = values
            .iter()
            .fold(0.0, |sum, v| sum + (v - mean) * (v - mean) / size);
        if spread.sqrt() < EPSILON {
            break;
        }
    }
    let mut best = 0;
    for at in 0..=n {
        if values[at] < values[best] {
            best = at;
        }
    }
    let parameters = vertices[best].clone();
    Ok((value_of(&mut vertices[best]), parameters))
}
