//! Line protocol: bytes to points, exactly as `InfluxDB` reads them (data-endpoints 10).
//!
//! [`parse()`] walks over the body of a write request and tells a [`Sink`] what it finds: the raw
//! key of a line, its fields, its time. It makes no points of its own, keeps nothing, allocates
//! nothing for a line that is in order (but for a string with escapes), reads no clock and knows no
//! store. What depends on what is stored already (types, retention, a field named `time`, strings
//! over 1 MiB) is the engine's to judge (data-endpoints 4.4).
//!
//! The sink may *guess*: say which key, and which field names, it thinks come next. A right guess
//! costs one comparison of bytes and saves the search for the end of the name and the look-up.
//!
//! ```
//! use influxd_line_protocol::{FieldValue, LineError, Precision, SeriesKey, Sink, parse};
//!
//! #[derive(Default)]
//! struct Printer(Vec<String>);
//!
//! impl Sink for Printer {
//!     fn begin(&mut self, raw_key: &[u8]) -> Result<(), LineError> {
//!         self.0.push(SeriesKey::parse(raw_key)?.to_string());
//!         Ok(())
//!     }
//!     fn field(&mut self, _position: usize, raw_name: &[u8], value: FieldValue<'_>) {
//!         self.0.push(format!("{} is {value:?}", String::from_utf8_lossy(raw_name)));
//!     }
//!     fn end(&mut self, timestamp: Option<i64>) {
//!         self.0.push(format!("at {timestamp:?}"));
//!     }
//! }
//!
//! let mut printer = Printer::default();
//! let points = parse(b"room,floor=1,a=b temp=21.5,ok=t 60\n", Precision::Second, &mut printer);
//! assert_eq!(points, Ok(1));
//! assert_eq!(
//!     printer.0,
//!     ["room,a=b,floor=1", "temp is Float(21.5)", "ok is Boolean(true)", "at Some(60000000000)"],
//! );
//!
//! let errors = parse(b"m\nm f=1\nm f=x", Precision::Second, &mut printer).unwrap_err();
//! assert_eq!(
//!     errors.to_string(),
//!     "unable to parse 'm': missing fields\nunable to parse 'm f=x': invalid boolean",
//! );
//! ```

mod digits;
mod error;
mod escape;
mod fields;
mod key;
mod line;
mod lossy;
mod parse;
mod timestamp;
mod value;

pub use error::{KeyError, LineError, ParseErrors};
pub use escape::{escape_string, unescape_field_name};
pub use key::{MAX_KEY_LENGTH, SeriesKey, Tags, parse_tags};
pub use lossy::Lossy;
pub use parse::{Sink, parse};
pub use timestamp::{MAX_TIME, MIN_TIME, Precision};
pub use value::FieldValue;
