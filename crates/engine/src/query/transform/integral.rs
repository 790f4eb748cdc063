//! The area under the line through the points (InfluxQL 9.2).

use super::Setting;
use crate::query::points::{Point, Points};
use crate::query::scalar::Scalar;

/// Trapezoids between neighbours, cut at the end of the bucket that the earlier one lies in.
pub(super) fn integral<'a>(input: Points<'a>, unit: i64, setting: Setting<'_>) -> Points<'a> {
    let unit = unit as f64;
    let mut areas = Vec::new();
    let mut before: Option<(i64, f64)> = None;
    let mut sum = 0.0;
    let (mut start, mut end) = (setting.start, i64::MAX);
    // In descending order a bucket begins at its end.
    let window = |time: i64| match setting.interval {
        Some(interval) => {
            let (start, end) = interval.window(time);
            if setting.descending {
                (end, start)
            } else {
                (start, end)
            }
        }
        None => (setting.start, i64::MAX),
    };
    let outside = |time: i64, end: i64| {
        setting.interval.is_some()
            && if setting.descending {
                time <= end
            } else {
                time >= end
            }
    };
    let label = |start: i64, end: i64| match setting.interval {
        Some(_) if setting.descending => end,
        _ => start,
    };
    for point in input {
        let Some(value) = point.value.as_f64() else {
            continue;
        };
        let time = point.time;
        let Some((mut last_time, mut last)) = before.replace((time, value)) else {
            (start, end) = window(time);
            continue;
        };
        if last_time == time {
            continue;
        }
        if outside(time, end) {
            if last_time != end {
                let slope = (value - last) / (time - last_time) as f64;
                let edge = slope * (end - last_time) as f64 + last;
                sum += 0.5 * (edge + last) * ((end - last_time) as f64 / unit);
                (last_time, last) = (end, edge);
            }
            areas.push(Point::new(label(start, end), Scalar::Float(sum)));
            (start, end) = window(time);
            sum = 0.0;
        }
        sum += 0.5 * (value + last) * ((time - last_time) as f64 / unit);
    }
    // A last point at the very start of its bucket has no area there.
    if let Some((time, _)) = before
        && (setting.interval.is_none() || time != start)
    {
        areas.push(Point::new(label(start, end), Scalar::Float(sum)));
    }
    Box::new(areas.into_iter())
}
