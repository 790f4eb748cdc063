//! One bucket as the ingest knows it: its series keys, its measurements, what was agreed.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use influxd_line_protocol::{LineError, SeriesKey};
use influxd_store::{Agreed, Version};

use super::keys::{Keys, Target};
use super::table::Table;
use crate::catalogue::Window;

/// A bucket's keys, measurements and agreements. Made when a body first names the bucket,
/// dropped when its keys take too much memory; nothing in it is needed to stay.
#[derive(Debug, Default)]
pub(super) struct BucketTables {
    pub(super) keys: Keys,
    pub(super) tables: Vec<Table>,
    by_measurement: HashMap<Box<[u8]>, u32, RandomState>,
    windows: BTreeMap<i64, Window>,
    latest_window: Option<Window>,
    /// The epoch that windows and types stem from.
    epoch: Version,
    /// The epoch that the group's rows stem from, once it has any.
    pub(super) group_epoch: Option<Version>,
    /// The tables that the group's bodies touched, some of them several times.
    pub(super) group_tables: Vec<u32>,
}

impl BucketTables {
    /// The table and series that a key means which was never seen; learns it.
    pub(super) fn learn(&mut self, raw: &[u8]) -> Result<Target, LineError> {
        let key = SeriesKey::parse(raw)?;
        let table = match self.by_measurement.get(key.measurement()) {
            Some(table) => *table,
            None => {
                let number = self.tables.len() as u32;
                self.tables.push(Table::new(key.measurement()));
                self.by_measurement.insert(key.measurement().into(), number);
                number
            }
        };
        let series = self.tables[table as usize].series(&key.to_tags_bytes());
        let target = Target { table, series };
        self.keys.insert(raw, target);
        Ok(target)
    }

    /// The agreed window that contains `time`.
    pub(super) fn window(&mut self, time: i64) -> Option<Window> {
        if let Some(latest) = self.latest_window {
            if latest.range().contains(time) {
                return Some(latest);
            }
        }
        let (_, window) = self.windows.range(..=time).next_back()?;
        if !window.range().contains(time) {
            return None;
        }
        self.latest_window = Some(*window);
        Some(*window)
    }

    /// Takes in what was agreed with the other servers.
    pub(super) fn agree(&mut self, agreed: &Agreed) {
        if agreed.epoch != self.epoch {
            self.forget_agreed();
            self.epoch = agreed.epoch;
        }
        for row in &agreed.windows {
            self.windows.insert(
                row.start,
                Window {
                    start: row.start,
                    end: row.end,
                },
            );
        }
        for row in &agreed.fields {
            if let Some(table) = self.by_measurement.get(row.measurement.as_slice()) {
                let table = &mut self.tables[*table as usize];
                table.agree(row.window_start, &row.name, row.field_type);
            }
        }
    }

    /// Forgets all agreements: they may be out of date.
    pub(super) fn forget_agreed(&mut self) {
        self.windows.clear();
        self.latest_window = None;
        for table in &mut self.tables {
            table.forget_agreed();
        }
    }

    /// The epoch to commit rows under that are added now.
    pub(super) fn epoch(&self) -> Version {
        self.epoch
    }

    /// Bytes that it takes up, about, without the rows of the group.
    pub(super) fn bytes(&self) -> usize {
        self.keys.bytes() + self.tables.iter().map(Table::bytes).sum::<usize>()
    }
}
