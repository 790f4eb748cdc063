//! InfluxQL: from text to a checked statement. Pure: no I/O, no clock, no schema.
//!
//! A query goes through three steps, each of them a function of its arguments alone:
//!
//! 1. [`parse_query`] turns text (and bound [`Params`]) into [`ast::Statement`]s. Its errors are the
//!    parse failures of InfluxQL 2.1, answered as HTTP 400 behind `failed to parse query: `.
//! 2. [`condition::split_condition`] takes the time comparisons out of a `WHERE` clause (InfluxQL 8.1, 8.2).
//! 3. [`check::check_select`] finds what is wrong with a `SELECT` before any data is read
//!    (InfluxQL 10), and says what the executor wants to know: the kind of query, the interval, the
//!    columns and their names.
//!
//! What depends on a schema is the executor's: it expands wildcards, asks [`check::Kind::of`] and
//! [`check::column_names`] about the expanded list, and types expressions.
//!
//! Texts come from outside: depth, the height of trees and the size of patterns are bounded, no text
//! makes anything here panic, and passwords do not show in what is printed.
//!
//! ```
//! use influxd_influxql::{ast::Statement, parse_query};
//!
//! let statements = parse_query("SELECT mean(usage) FROM cpu WHERE host = 'a'", None).unwrap();
//! let Statement::Select(select) = &statements[0] else { panic!() };
//! assert_eq!(select.to_string(), "SELECT mean(usage) FROM cpu WHERE host = 'a'");
//!
//! let error = parse_query("SELECT usage cpu", None).unwrap_err();
//! assert_eq!(error.to_string(), "found cpu, expected FROM at line 1, char 14");
//! ```

pub mod ast;
pub mod check;
pub mod condition;
mod duration;
mod fold;
pub mod function;
mod keyword;
mod lexer;
mod params;
mod parser;
pub mod regex;
pub mod time;

pub use params::{ParamValue, Params, ParamsError};
pub use parser::{ParseError, parse_query};
