//! The mathematical functions of InfluxQL 5.7.

use super::output::Value;
use super::scalar::number;

/// A mathematical function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Math {
    Abs,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Exp,
    Ln,
    Log2,
    Log10,
    Sqrt,
    Floor,
    Ceil,
    Round,
    Atan2,
    Pow,
    Log,
}

impl Math {
    /// The function of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "abs" => Self::Abs,
            "sin" => Self::Sin,
            "cos" => Self::Cos,
            "tan" => Self::Tan,
            "asin" => Self::Asin,
            "acos" => Self::Acos,
            "atan" => Self::Atan,
            "exp" => Self::Exp,
            "ln" => Self::Ln,
            "log2" => Self::Log2,
            "log10" => Self::Log10,
            "sqrt" => Self::Sqrt,
            "floor" => Self::Floor,
            "ceil" => Self::Ceil,
            "round" => Self::Round,
            "atan2" => Self::Atan2,
            "pow" => Self::Pow,
            "log" => Self::Log,
            _ => return None,
        })
    }

    /// Whether it gives back the type it takes.
    pub(super) const fn keeps_type(self) -> bool {
        matches!(self, Self::Abs | Self::Floor | Self::Ceil | Self::Round)
    }

    /// Its result; null for what is no number.
    pub(super) fn apply<'a>(self, args: &[Value<'a>]) -> Value<'a> {
        let Some(first) = args.first().copied() else {
            return Value::Null;
        };
        if self.keeps_type() {
            return match (self, first) {
                (Self::Abs, Value::Float(x)) => Value::Float(x.abs()),
                (Self::Abs, Value::Integer(x)) => Value::Integer(x.wrapping_abs()),
                (Self::Floor, Value::Float(x)) => Value::Float(x.floor()),
                (Self::Ceil, Value::Float(x)) => Value::Float(x.ceil()),
                (Self::Round, Value::Float(x)) => Value::Float(x.round()),
                (_, Value::Integer(_) | Value::Unsigned(_)) => first,
                _ => Value::Null,
            };
        }
        let Some(x) = number(first) else {
            return Value::Null;
        };
        let second = args.get(1).copied().and_then(number);
        Value::Float(match self {
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Log2 => log2(x),
            Self::Log10 => log2(x) * std::f64::consts::LOG10_2,
            Self::Sqrt => x.sqrt(),
            Self::Atan2 | Self::Pow | Self::Log => match second {
                None => return Value::Null,
                Some(y) if self == Self::Atan2 => x.atan2(y),
                Some(y) if self == Self::Pow => pow(x, y),
                Some(y) => x.ln() / y.ln(),
            },
            Self::Abs | Self::Floor | Self::Ceil | Self::Round => return Value::Null,
        })
    }
}

/// Exact for powers of two; else the logarithm of the fraction, scaled, plus the exponent, which
/// is how InfluxDB's last digits come about.
fn log2(x: f64) -> f64 {
    if !x.is_finite() || x <= 0.0 {
        return x.log2();
    }
    let (fraction, exponent) = split(x);
    if fraction.to_bits() == 0.5_f64.to_bits() {
        return f64::from(exponent - 1);
    }
    fraction.ln() * std::f64::consts::LOG2_E + f64::from(exponent)
}

/// A power by repeated squaring of the fraction, exponents apart: InfluxDB's last digits again.
pub(super) fn pow(x: f64, y: f64) -> f64 {
    let plain = !x.is_finite() || !y.is_finite() || x == 0.0 || y.abs() >= 4e9;
    if plain || y == 0.0 || y.abs().to_bits() == 0.5_f64.to_bits() || (x < 0.0 && y.fract() != 0.0)
    {
        return x.powf(y);
    }
    let mut whole = y.abs().trunc();
    let mut rest = y.abs().fract();
    let mut fraction = 1.0;
    if rest != 0.0 {
        if rest > 0.5 {
            rest -= 1.0;
            whole += 1.0;
        }
        fraction = (rest * x.ln()).exp();
    }
    let mut exponent = 0_i64;
    let (base, shift) = split(x.abs());
    let (mut base, mut shift) = (base.copysign(x), i64::from(shift));
    let mut left = whole as u64;
    while left != 0 {
        if shift.abs() > 1 << 12 {
            exponent += shift;
            break;
        }
        if left & 1 == 1 {
            fraction *= base;
            exponent += shift;
        }
        base *= base;
        shift *= 2;
        if base < 0.5 {
            base += base;
            shift -= 1;
        }
        left >>= 1;
    }
    if y < 0.0 {
        fraction = 1.0 / fraction;
        exponent = -exponent;
    }
    // In two steps, so that a result below the normal range is rounded once.
    let step = |exponent: i64| 2f64.powi(exponent.clamp(-4000, 4000) as i32);
    if exponent.abs() < 1000 {
        fraction * step(exponent)
    } else {
        fraction * step(exponent / 2) * step(exponent - exponent / 2)
    }
}

/// A positive finite number as a fraction in [0.5, 1) and a power of two.
fn split(x: f64) -> (f64, i32) {
    let (x, shift) = if x < f64::MIN_POSITIVE {
        (x * 2f64.powi(52), -52)
    } else {
        (x, 0)
    };
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022;
    (
        f64::from_bits((bits & !(0x7ff << 52)) | (1022 << 52)),
        exponent + shift,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_integers_where_nothing_changes() {
        assert_eq!(Math::Floor.apply(&[Value::Integer(-3)]), Value::Integer(-3));
        assert_eq!(Math::Abs.apply(&[Value::Integer(-3)]), Value::Integer(3));
        assert_eq!(
            Math::Abs.apply(&[Value::Integer(i64::MIN)]),
            Value::Integer(i64::MIN)
        );
        assert_eq!(Math::Round.apply(&[Value::Float(-2.5)]), Value::Float(-3.0));
    }

    #[test]
    fn logarithms_of_powers_are_exact() {
        assert_eq!(Math::Log2.apply(&[Value::Integer(8)]), Value::Float(3.0));
        assert_eq!(
            Math::Log2.apply(&[Value::Float(2f64.powi(-1060))]),
            Value::Float(-1060.0)
        );
        assert_eq!(Math::Log10.apply(&[Value::Integer(100)]), Value::Float(2.0));
    }

    #[test]
    fn powers_agree_with_plain_ones() {
        for (x, y) in [
            (2.0, 10.0),
            (2.0, -3.0),
            (-2.0, 3.0),
            (9.0, 0.5),
            (1.5, 2.5),
            (0.3, 7.0),
        ] {
            let (ours, plain): (f64, f64) = (pow(x, y), f64::powf(x, y));
            assert!(
                (ours - plain).abs() <= plain.abs() * 1e-14,
                "{x}^{y}: {ours} {plain}"
            );
        }
        assert!(pow(10.0, 400.0).is_infinite());
        assert!(pow(10.0, -400.0) < f64::MIN_POSITIVE);
        assert!(pow(-2.0, 0.5).is_nan());
    }

    #[test]
    fn what_is_no_number_gives_null() {
        assert_eq!(Math::Sin.apply(&[Value::String(b"x")]), Value::Null);
        assert_eq!(
            Math::Pow.apply(&[Value::Integer(2), Value::Null]),
            Value::Null
        );
    }
}
