//! The values of one field in memory, one slot per row.

use std::ops::Range;

use influxd_model::FieldType;

pub use super::bitmap::Bitmap;
pub use super::strings::Strings;

/// Values of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// IEEE 754 doubles.
    Float(Vec<f64>),
    /// Signed integers.
    Integer(Vec<i64>),
    /// Unsigned integers.
    Unsigned(Vec<u64>),
    /// True or false.
    Boolean(Vec<bool>),
    /// Bytes, mostly UTF-8.
    String(Strings),
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// An IEEE 754 double.
    Float(f64),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// True or false.
    Boolean(bool),
    /// Bytes, mostly UTF-8.
    String(&'a [u8]),
}

/// The values of a field, row by row.
///
/// `values` has a slot for every row: the type's default (0, false, empty) where the row has no
/// value. `present`, if there is one, is exactly as long.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The values.
    pub values: Values,
    /// Which rows have a value; `None`: all.
    pub present: Option<Bitmap>,
}

/// Runs the same code on whichever vector the values are.
macro_rules! each {
    ($values:expr, $v:ident => $body:expr, $s:ident => $strings:expr) => {
        match $values {
            Values::Float($v) => $body,
            Values::Integer($v) => $body,
            Values::Unsigned($v) => $body,
            Values::Boolean($v) => $body,
            Values::String($s) => $strings,
        }
    };
}

impl Values {
    /// No values.
    pub const fn new(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Float => Self::Float(Vec::new()),
            FieldType::Integer => Self::Integer(Vec::new()),
            FieldType::Unsigned => Self::Unsigned(Vec::new()),
            FieldType::Boolean => Self::Boolean(Vec::new()),
            FieldType::String => Self::String(Strings::new()),
        }
    }

    /// Their type.
    pub const fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::Boolean(_) => FieldType::Boolean,
            Self::String(_) => FieldType::String,
        }
    }

    /// How many.
    pub const fn len(&self) -> usize {
        each!(self, v => v.len(), s => s.len())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`, which must be below [`Self::len`].
    ///
    /// # Panics
    /// If it is not.
    #[inline]
    pub fn get(&self, index: usize) -> Value<'_> {
        match self {
            Self::Float(v) => Value::Float(v[index]),
            Self::Integer(v) => Value::Integer(v[index]),
            Self::Unsigned(v) => Value::Unsigned(v[index]),
            Self::Boolean(v) => Value::Boolean(v[index]),
            Self::String(v) => Value::String(v.get(index)),
        }
    }

    /// Makes room for `count` more.
    pub fn reserve(&mut self, count: usize) {
        each!(self, v => v.reserve(count), _s => {});
    }

    fn push_defaults(&mut self, count: usize) {
        each!(self, v => v.resize(v.len() + count, Default::default()), s => s.push_empty(count));
    }

    fn truncate(&mut self, len: usize) {
        each!(self, v => v.truncate(len), s => s.truncate(len));
    }

    /// Adds a range of others of the same type.
    fn extend_range(&mut self, other: &Self, range: Range<usize>) {
        match (self, other) {
            (Self::Float(to), Self::Float(from)) => to.extend_from_slice(&from[range]),
            (Self::Integer(to), Self::Integer(from)) => to.extend_from_slice(&from[range]),
            (Self::Unsigned(to), Self::Unsigned(from)) => to.extend_from_slice(&from[range]),
            (Self::Boolean(to), Self::Boolean(from)) => to.extend_from_slice(&from[range]),
            (Self::String(to), Self::String(from)) => to.extend_range(from, range),
            (to, from) => mismatch(to.field_type(), from.field_type()),
        }
    }

    fn gather(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy>(from: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| from[row as usize]).collect()
        }
        match self {
            Self::Float(v) => Self::Float(pick(v, rows)),
            Self::Integer(v) => Self::Integer(pick(v, rows)),
            Self::Unsigned(v) => Self::Unsigned(pick(v, rows)),
            Self::Boolean(v) => Self::Boolean(pick(v, rows)),
            Self::String(v) => {
                let bytes = rows.iter().map(|&row| v.len_at(row as usize)).sum();
                let mut strings = Strings::with_capacity(rows.len(), bytes);
                strings.extend(rows.iter().map(|&row| v.get(row as usize)));
                Self::String(strings)
            }
        }
    }
}

impl Value<'_> {
    /// Its type.
    pub const fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::Boolean(_) => FieldType::Boolean,
            Self::String(_) => FieldType::String,
        }
    }
}

/// Types are agreed before values meet; a value of another type is a defect of the caller.
#[cold]
fn mismatch(column: FieldType, other: FieldType) -> ! {
    panic!("a column of type {column} takes no {other}")
}

impl From<Values> for Column {
    /// A column in which every row has a value.
    fn from(values: Values) -> Self {
        Self {
            values,
            present: None,
        }
    }
}

impl Column {
    /// A column without rows.
    pub const fn new(field_type: FieldType) -> Self {
        Self {
            values: Values::new(field_type),
            present: None,
        }
    }

    /// A column in which none of the `rows` has a value.
    pub fn absent(field_type: FieldType, rows: usize) -> Self {
        let mut column = Self::new(field_type);
        column.push_absent_many(rows);
        column
    }

    /// Its type.
    pub const fn field_type(&self) -> FieldType {
        self.values.field_type()
    }

    /// How many rows.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no row.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether a row has a value.
    #[inline]
    pub fn is_present(&self, row: usize) -> bool {
        self.present.as_ref().is_none_or(|present| present.get(row))
    }

    /// How many rows have a value.
    pub fn count_present(&self) -> usize {
        self.present.as_ref().map_or(self.len(), Bitmap::count_ones)
    }

    /// The value of a row.
    ///
    /// # Panics
    /// If `row` is not below [`Self::len`].
    #[inline]
    pub fn get(&self, row: usize) -> Option<Value<'_>> {
        self.is_present(row).then(|| self.values.get(row))
    }

    /// Makes room for `rows` more.
    pub fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
    }

    /// Adds a row with a value.
    ///
    /// # Panics
    /// If the value is of another type.
    #[inline]
    pub fn push(&mut self, value: Value<'_>) {
        match (&mut self.values, value) {
            (Values::Float(v), Value::Float(x)) => v.push(x),
            (Values::Integer(v), Value::Integer(x)) => v.push(x),
            (Values::Unsigned(v), Value::Unsigned(x)) => v.push(x),
            (Values::Boolean(v), Value::Boolean(x)) => v.push(x),
            (Values::String(v), Value::String(x)) => v.push(x),
            (v, x) => mismatch(v.field_type(), x.field_type()),
        }
        if let Some(present) = &mut self.present {
            present.push(true);
        }
    }

    /// Adds a row without a value.
    #[inline]
    pub fn push_absent(&mut self) {
        self.push_absent_many(1);
    }

    /// Adds rows without a value.
    pub fn push_absent_many(&mut self, rows: usize) {
        if rows > 0 {
            self.some_present().push_many(false, rows);
            self.values.push_defaults(rows);
        }
    }

    /// Adds rows without a value until there are `rows`; none if there are as many already.
    pub fn pad_to(&mut self, rows: usize) {
        self.push_absent_many(rows.saturating_sub(self.len()));
    }

    /// The bitmap of rows with a value, made if all had one so far.
    fn some_present(&mut self) -> &mut Bitmap {
        let rows = self.values.len();
        self.present
            .get_or_insert_with(|| Bitmap::filled(true, rows))
    }

    /// Says which of the rows whose values were just added have one.
    pub(super) fn extend_present(&mut self, added: &Bitmap) {
        let rows = self.values.len() - added.len();
        self.present
            .get_or_insert_with(|| Bitmap::filled(true, rows))
            .extend_range(added, 0..added.len());
    }

    /// Adds a row of another column, value or not.
    ///
    /// # Panics
    /// If the other column is of another type or has no such row.
    #[inline]
    pub fn push_from(&mut self, other: &Self, row: usize) {
        match other.get(row) {
            Some(value) => self.push(value),
            None => self.push_absent(),
        }
    }

    /// Adds all rows of another column.
    ///
    /// # Panics
    /// If it is of another type.
    pub fn append(&mut self, other: &Self) {
        self.append_range(other, 0..other.len());
    }

    /// Adds some rows of another column.
    ///
    /// # Panics
    /// If it is of another type or has not all these rows.
    pub fn append_range(&mut self, other: &Self, range: Range<usize>) {
        match &other.present {
            Some(present) => self.some_present().extend_range(present, range.clone()),
            None => {
                if let Some(present) = &mut self.present {
                    present.push_many(true, range.len());
                }
            }
        }
        self.values.extend_range(&other.values, range);
    }

    /// Shortens it to `rows`; does nothing if it has no more.
    pub fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        if let Some(present) = &mut self.present {
            present.truncate(rows);
        }
    }

    /// A copy of some rows.
    ///
    /// # Panics
    /// If the range is not within the column.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut column = Self::new(self.field_type());
        column.append_range(self, range);
        column
    }

    /// The rows at these places, in this order.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Self {
        let present = self.present.as_ref();
        Self {
            values: self.values.gather(rows),
            present: present.map(|bits| rows.iter().map(|&row| bits.get(row as usize)).collect()),
        }
    }

    /// The rows in these ranges, in this order.
    ///
    /// # Panics
    /// If a range is not within the column.
    #[must_use]
    pub fn gather_ranges(&self, ranges: &[Range<usize>]) -> Self {
        let mut column = Self::new(self.field_type());
        column.reserve(ranges.iter().map(Range::len).sum());
        for range in ranges {
            column.append_range(self, range.clone());
        }
        column
    }

    /// Forgets the bitmap if every row has a value after all.
    pub fn simplify(&mut self) {
        if self.present.as_ref().is_some_and(Bitmap::all) {
            self.present = None;
        }
    }

    /// About how many bytes it takes in memory.
    pub fn heap_bytes(&self) -> usize {
        each!(&self.values, v => size_of_val(v.as_slice()), s => s.heap_bytes())
            + self.present.as_ref().map_or(0, Bitmap::heap_bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(field_type: FieldType, rows: &[Option<u8>]) -> Column {
        let mut column = Column::new(field_type);
        for row in rows {
            match row {
                None => column.push_absent(),
                Some(byte) => column.push(match field_type {
                    FieldType::Float => Value::Float(f64::from(*byte)),
                    FieldType::Integer => Value::Integer(i64::from(*byte)),
                    FieldType::Unsigned => Value::Unsigned(u64::from(*byte)),
                    FieldType::Boolean => Value::Boolean(*byte > 0),
                    FieldType::String => Value::String(std::slice::from_ref(byte)),
                }),
            }
        }
        column
    }

    fn check(field_type: FieldType, rows: &[Option<u8>], more: &[Option<u8>], picks: &[usize]) {
        let (a, b) = (column(field_type, rows), column(field_type, more));
        let whole = column(field_type, &[rows, more].concat());
        let mut appended = a.clone();
        appended.append(&b);
        // A bitmap that says "all" and no bitmap mean the same.
        let same = |left: &Column, right: &Column| {
            assert_eq!(left.values, right.values);
            assert!((0..left.len()).all(|row| left.is_present(row) == right.is_present(row)));
            assert_eq!(left.count_present(), right.count_present());
        };
        same(&appended, &whole);
        let mut one_by_one = a.clone();
        (0..b.len()).for_each(|row| one_by_one.push_from(&b, row));
        same(&one_by_one, &whole);
        let mut cut = whole.clone();
        cut.truncate(a.len());
        same(&cut, &a);
        same(&whole.slice(a.len()..whole.len()), &b);
        same(
            &whole.gather_ranges(&[a.len()..whole.len(), 0..a.len()]),
            &{
                let mut swapped = b.clone();
                swapped.append(&a);
                swapped
            },
        );
        if !whole.is_empty() {
            let picks: Vec<u32> = picks.iter().map(|at| (at % whole.len()) as u32).collect();
            let gathered = whole.gather(&picks);
            for (row, &from) in picks.iter().enumerate() {
                assert_eq!(gathered.get(row), whole.get(from as usize));
            }
        }
        let mut simple = whole.clone();
        simple.simplify();
        same(&simple, &whole);
        assert_eq!(
            simple.present.is_none(),
            simple.count_present() == simple.len()
        );
    }

    proptest! {
        #[test]
        fn rows_move_between_columns(
            rows in prop::collection::vec(any::<Option<u8>>(), 0..150),
            more in prop::collection::vec(any::<Option<u8>>(), 0..150),
            picks in prop::collection::vec(any::<usize>(), 0..50),
        ) {
            for field_type in FieldType::ALL {
                check(field_type, &rows, &more, &picks);
            }
        }
    }

    #[test]
    fn a_late_column_is_padded() {
        let mut column = Column::absent(FieldType::Integer, 3);
        column.push(Value::Integer(7));
        column.pad_to(6);
        column.pad_to(2);
        assert_eq!(column.len(), 6);
        assert_eq!(column.values, Values::Integer(vec![0, 0, 0, 7, 0, 0]));
        assert_eq!(
            (column.get(3), column.get(4)),
            (Some(Value::Integer(7)), None)
        );
    }
}
