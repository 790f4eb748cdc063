//! What the other crates speak of: ids, resources, permissions, field types, time.
//!
//! Pure: no I/O, no async, no clock of its own beyond [`SystemClock`].

mod field;

pub use field::FieldType;
