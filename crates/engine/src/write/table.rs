//! The rows of one measurement in the present group, as columns that are still growing.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::mem;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use influxd_line_protocol::unescape_field_name;
use influxd_model::FieldType;

use crate::chunk::{Column, Value};

const NONE: u32 = u32::MAX;

/// A field of a measurement.
#[derive(Debug)]
struct Field {
    /// As it was written first: what the next line is compared with.
    raw: Box<[u8]>,
    /// Its name.
    name: Box<[u8]>,
    /// Called `time`: taken out of points.
    is_time: bool,
    /// The column of each type in the present group.
    columns: [u32; 5],
}

/// A column of the present group.
#[derive(Debug)]
pub(super) struct GroupColumn {
    /// The field's name.
    pub(super) name: Box<[u8]>,
    field: u32,
    /// At most as long as the group has rows; what is missing at its end is absent.
    pub(super) column: Column,
}

/// The rows of one measurement in a group.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The canonical tags of the series, in first-seen order. Some may have no row.
    pub(super) series: Vec<Box<[u8]>>,
    /// Series and time of the points that were refused for their fields: they make their series
    /// known all the same.
    pub(super) known: Vec<(u32, i64)>,
    /// For each row the series, as a place in `series`.
    pub(super) row_series: Vec<u32>,
    /// For each row the time.
    pub(super) times: Vec<i64>,
    /// The columns.
    pub(super) columns: Vec<GroupColumn>,
}

/// A field of the line being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineField {
    /// Its number in the table.
    pub(super) field: u32,
    /// The type that the line gives it.
    pub(super) field_type: FieldType,
}

/// A measurement: its series and fields, the types agreed for it, and its rows in the group.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name.
    pub(super) measurement: Box<[u8]>,
    series: Vec<Series>,
    by_tags: HashTable<u32>,
    hasher: RandomState,
    fields: Vec<Field>,
    by_name: HashMap<Box<[u8]>, u32, RandomState>,
    /// The field that came at this place of a line the last time.
    order: Vec<u32>,
    /// By window start, then field number: the type agreed with all servers.
    agreed: HashMap<i64, Vec<Option<FieldType>>, RandomState>,
    /// The fields of a line that was found to agree with its window, and that window.
    checked: (i64, Vec<LineField>),
    /// The fields of the line being read, without `time`.
    pub(super) line: Vec<LineField>,
    /// Whether the line has a field called `time`.
    pub(super) line_has_time: bool,
    /// A string of the line that is too long: field and bytes.
    pub(super) line_too_long: Option<(u32, usize)>,
    rows: Rows,
    /// Counts groups, from 1.
    group: u32,
    /// The body that touched it last, to note where each body began.
    pub(super) touched_by: u64,
}

#[derive(Debug)]
struct Series {
    tags: Box<[u8]>,
    /// Its place among the series of the group with number `group`.
    in_group: u32,
    group: u32,
}

/// How a line's fields compare with what is agreed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// All agreed.
    Fits,
    /// This field was never agreed in the window.
    Unknown,
    /// This field has another type there.
    Conflict {
        /// The field.
        field: LineField,
        /// The agreed type.
        agreed: FieldType,
    },
}

impl Table {
    pub(super) fn new(measurement: &[u8]) -> Self {
        Self {
            measurement: measurement.into(),
            series: Vec::new(),
            by_tags: HashTable::new(),
            hasher: RandomState::default(),
            fields: Vec::new(),
            by_name: HashMap::default(),
            order: Vec::new(),
            agreed: HashMap::default(),
            checked: (0, Vec::new()),
            line: Vec::new(),
            line_has_time: false,
            line_too_long: None,
            rows: Rows::default(),
            group: 1,
            touched_by: 0,
        }
    }

    /// The number of the series with these canonical tags.
    pub(super) fn series(&mut self, tags: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(tags);
        if let Some(found) = self
            .by_tags
            .find(hash, |i| *self.series[*i as usize].tags == *tags)
        {
            return *found;
        }
        let number = self.series.len() as u32;
        self.series.push(Series {
            tags: tags.into(),
            in_group: 0,
            group: 0,
        });
        let (series, hasher) = (&self.series, &self.hasher);
        self.by_tags.insert_unique(hash, number, |i| {
            hasher.hash_one(&*series[*i as usize].tags)
        });
        number
    }

    /// The canonical tags of a series.
    pub(super) fn tags(&self, series: u32) -> &[u8] {
        &self.series[series as usize].tags
    }

    /// The raw name of the field that is expected at this place of a line.
    pub(super) fn expected_field(&self, position: usize) -> &[u8] {
        match self.order.get(position) {
            Some(field) => &self.fields[*field as usize].raw,
            None => &[],
        }
    }

    /// The number of the field that was expected at this place.
    pub(super) fn field_at(&self, position: usize) -> u32 {
        self.order[position]
    }

    /// The number of a field by its raw name, which is expected at this place from now on.
    pub(super) fn field_named(&mut self, position: usize, raw: &[u8]) -> u32 {
        let name = unescape_field_name(raw);
        let number = match self.by_name.get(&*name) {
            Some(number) => *number,
            None => {
                let number = self.fields.len() as u32;
                let is_time = *name == *b"time";
                let field = Field {
                    raw: raw.into(),
                    name: (*name).into(),
                    is_time,
                    columns: [NONE; 5],
                };
                self.by_name.insert(field.name.clone(), number);
                self.fields.push(field);
                number
            }
        };
        if position < self.order.len() {
            self.order[position] = number;
        } else if position == self.order.len() {
            self.order.push(number);
        }
        number
    }

    /// The name of a field.
    pub(super) fn name(&self, field: u32) -> &[u8] {
        &self.fields[field as usize].name
    }

    /// Begins a line.
    pub(super) fn begin_line(&mut self) {
        self.line.clear();
        self.line_has_time = false;
        self.line_too_long = None;
    }

    /// Adds a value to the line. The last value of a field wins.
    pub(super) fn push(&mut self, number: u32, value: Value<'_>) {
        let row = self.rows.times.len();
        let field = &mut self.fields[number as usize];
        if field.is_time {
            self.line_has_time = true;
            return;
        }
        let field_type = value.field_type();
        let column = &mut field.columns[field_type as usize];
        if *column == NONE {
            *column = self.rows.columns.len() as u32;
            self.rows.columns.push(GroupColumn {
                name: field.name.clone(),
                field: number,
                column: Column::absent(field_type, 0),
            });
        }
        let column = &mut self.rows.columns[*column as usize].column;
        if column.len() == row {
            column.push(value);
        } else if column.len() < row {
            column.pad_to(row);
            column.push(value);
        } else {
            column.truncate(row);
            column.push(value);
            self.line.retain(|f| f.field != number);
        }
        self.line.push(LineField {
            field: number,
            field_type,
        });
    }

    /// Takes earlier values of fields that the line names twice, with two types, out again.
    pub(super) fn settle_line(&mut self) {
        if self.line.len() < 2 {
            return;
        }
        let mut kept: Vec<LineField> = Vec::new();
        let row = self.rows.times.len();
        // Lines repeat no field as a rule: compare with the line before first.
        if self.line == self.checked.1 {
            return;
        }
        for at in 0..self.line.len() {
            let this = self.line[at];
            if self.line[at + 1..]
                .iter()
                .any(|later| later.field == this.field)
            {
                let column = self.fields[this.field as usize].columns[this.field_type as usize];
                self.rows.columns[column as usize].column.truncate(row);
            } else {
                kept.push(this);
            }
        }
        if kept.len() < self.line.len() {
            self.line = kept;
        }
    }

    /// Compares the line's fields with what is agreed for the window that starts at `window`.
    pub(super) fn check(&mut self, window: i64) -> Check {
        if self.checked.0 == window && self.checked.1 == self.line {
            return Check::Fits;
        }
        let Some(agreed) = self.agreed.get(&window) else {
            return Check::Unknown;
        };
        let mut unknown = false;
        for field in &self.line {
            match agreed.get(field.field as usize).copied().flatten() {
                None => unknown = true,
                Some(agreed) if agreed != field.field_type => {
                    return Check::Conflict {
                        field: *field,
                        agreed,
                    };
                }
                Some(_) => {}
            }
        }
        if unknown {
            return Check::Unknown;
        }
        self.checked.0 = window;
        self.checked.1.clone_from(&self.line);
        Check::Fits
    }

    /// Takes in an agreed type.
    pub(super) fn agree(&mut self, window: i64, name: &[u8], field_type: FieldType) {
        let Some(number) = self.by_name.get(name) else {
            return;
        };
        let types = self.agreed.entry(window).or_default();
        if types.len() <= *number as usize {
            types.resize(*number as usize + 1, None);
        }
        types[*number as usize] = Some(field_type);
    }

    /// Forgets all agreed types.
    pub(super) fn forget_agreed(&mut self) {
        self.agreed.clear();
        self.checked.1.clear();
    }

    /// The line becomes a row.
    pub(super) fn end_row(&mut self, series: u32, time: i64) {
        let in_group = self.in_group(series);
        self.rows.row_series.push(in_group);
        self.rows.times.push(time);
    }

    /// The line is taken out again.
    pub(super) fn drop_line(&mut self) {
        let row = self.rows.times.len();
        for field in &self.line {
            let column = self.fields[field.field as usize].columns[field.field_type as usize];
            self.rows.columns[column as usize].column.truncate(row);
        }
    }

    /// The series is known from now on, although the point at `time` was refused.
    pub(super) fn make_known(&mut self, series: u32, time: i64) {
        let in_group = self.in_group(series);
        self.rows.known.push((in_group, time));
    }

    fn in_group(&mut self, series: u32) -> u32 {
        let series = &mut self.series[series as usize];
        if series.group != self.group {
            series.group = self.group;
            series.in_group = self.rows.series.len() as u32;
            self.rows.series.push(series.tags.clone());
        }
        series.in_group
    }

    /// Rows and refused points so far: where a body begins.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.rows.times.len(), self.rows.known.len())
    }

    /// Takes everything behind a mark out again.
    pub(super) fn undo(&mut self, (rows, known): (usize, usize)) {
        self.rows.row_series.truncate(rows);
        self.rows.times.truncate(rows);
        self.rows.known.truncate(known);
        for column in &mut self.rows.columns {
            if column.column.len() > rows {
                column.column.truncate(rows);
            }
        }
    }

    /// Whether the group has anything of this measurement.
    pub(super) fn has_rows(&self) -> bool {
        !self.rows.times.is_empty() || !self.rows.known.is_empty()
    }

    /// Hands the group's rows over, and begins the next group.
    pub(super) fn take_rows(&mut self) -> Rows {
        for column in &self.rows.columns {
            self.fields[column.field as usize].columns = [NONE; 5];
        }
        self.group = self.group.wrapping_add(1).max(1);
        mem::take(&mut self.rows)
    }

    /// Bytes that series and fields take up, about.
    pub(super) fn bytes(&self) -> usize {
        let keys: usize = self.series.len() * (size_of::<Series>() + 5);
        let tags = self.series.last().map_or(0, |s| s.tags.len()) * self.series.len();
        keys + tags + self.fields.len() * (size_of::<Field>() + 64) + self.agreed.len() * 64
    }
}
