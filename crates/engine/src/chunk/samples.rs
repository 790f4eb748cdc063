//! Data for the tests of both formats.

use influxd_model::FieldType;

use super::{Bitmap, Column, Strings, Value, Values};

/// Numbers that look random, the same ones every time.
#[derive(Debug, Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// Any 64 bits (splitmix64).
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }
}

/// What the values of a column are like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Floats with two decimals, near each other.
    Decimals,
    /// Any bits as float, so NaN with payloads and subnormals too.
    AnyFloats,
    /// Decimals, but now and then -0.0, NaN or an infinity.
    OddFloats,
    /// A random walk of integers.
    Integers,
    /// Integers at both ends of the range.
    Extremes,
    /// Unsigned integers, small and at both ends.
    Unsigned,
    /// True or false.
    Booleans,
    /// A few words.
    Words,
    /// Nearly all different, of any bytes.
    Texts,
}

impl Kind {
    pub(super) const ALL: [Self; 9] = [
        Self::Decimals,
        Self::AnyFloats,
        Self::OddFloats,
        Self::Integers,
        Self::Extremes,
        Self::Unsigned,
        Self::Booleans,
        Self::Words,
        Self::Texts,
    ];

    /// A column of so many rows, of which about `share` of 100 have a value, in stretches.
    pub(super) fn column(self, rows: usize, share: usize, dice: &mut Dice) -> Column {
        const ODD: [f64; 6] = [-0.0, f64::NAN, f64::INFINITY, f64::MIN, 5e-324, 0.1];
        let mut walk = 0_i64;
        let mut values = match self {
            Self::Decimals => Values::Float(
                (0..rows)
                    .map(|_| {
                        walk += dice.below(400) as i64 - 200;
                        walk as f64 / 100.0
                    })
                    .collect(),
            ),
            Self::AnyFloats => {
                Values::Float((0..rows).map(|_| f64::from_bits(dice.bits())).collect())
            }
            Self::OddFloats => Values::Float(
                (0..rows)
                    .map(|_| match dice.below(20) {
                        at @ 0..6 => ODD[at],
                        at => at as f64 / 10.0,
                    })
                    .collect(),
            ),
            Self::Integers => Values::Integer(
                (0..rows)
                    .map(|_| {
                        walk += dice.below(20) as i64 - 10;
                        walk
                    })
                    .collect(),
            ),
            Self::Extremes => Values::Integer(
                (0..rows)
                    .map(|_| {
                        [i64::MIN, i64::MAX, -1, 0, i64::MIN + 1, dice.bits() as i64][dice.below(6)]
                    })
                    .collect(),
            ),
            Self::Unsigned => Values::Unsigned(
                (0..rows)
                    .map(|_| [0, 7, u64::MAX, 1 << 63, dice.bits()][dice.below(5)])
                    .collect(),
            ),
            Self::Booleans => Values::Boolean((0..rows).map(|_| dice.below(3) == 0).collect()),
            Self::Words => Values::String(
                (0..rows)
                    .map(|_| ["ok", "", "late", "l\u{f6}st"][dice.below(4)])
                    .collect(),
            ),
            Self::Texts => Values::String(
                (0..rows)
                    .map(|_| dice.bits().to_le_bytes()[dice.below(8)..].to_vec())
                    .collect::<Strings>(),
            ),
        };
        if share >= 100 {
            return values.into();
        }
        let mut present = Bitmap::new();
        while present.len() < rows {
            let stretch = (1 + dice.below(50)).min(rows - present.len());
            let even = dice.below(3) == 0;
            for _ in 0..stretch {
                present.push(if even {
                    share >= 50
                } else {
                    dice.below(100) < share
                });
            }
        }
        values = with_defaults(&values, &present);
        Column {
            values,
            present: Some(present),
        }
    }
}

/// The values with the type's default where there is none.
fn with_defaults(values: &Values, present: &Bitmap) -> Values {
    let mut column = Column::new(values.field_type());
    for (row, bit) in present.iter().enumerate() {
        if bit {
            column.push(values.get(row));
        } else {
            column.push_absent();
        }
    }
    column.values
}

/// That two columns hold the same rows, to the bit.
#[track_caller]
pub(super) fn assert_same(left: &Column, right: &Column) {
    assert_eq!(left.field_type(), right.field_type());
    assert_eq!(left.len(), right.len());
    for row in 0..left.len() {
        match (left.get(row), right.get(row)) {
            (Some(Value::Float(a)), Some(Value::Float(b))) => {
                assert_eq!(a.to_bits(), b.to_bits(), "row {row}");
            }
            (a, b) => assert_eq!(a, b, "row {row}"),
        }
        if !left.is_present(row) && left.field_type() != FieldType::Float {
            assert_eq!(
                left.values.get(row),
                right.values.get(row),
                "default in row {row}"
            );
        }
    }
}
