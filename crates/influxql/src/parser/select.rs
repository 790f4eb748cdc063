//! `SELECT`, and the clauses that other statements share with it.

use chrono_tz::Tz;

use super::expr::End;
use super::{Parser, Result, error, unexpected};
use crate::ast::{
    BinaryOp, Dimension, Expr, Field, Fill, Measurement, MeasurementName, Number, Order, Select,
    Source, Target,
};
use crate::keyword::Keyword;
use crate::lexer::{Kind, Pos};

/// How many levels of nesting a subquery counts for: its frames are large, and so is what runs it.
const SUBQUERY_LEVELS: usize = 4;

/// Whether a `SELECT` may or must have an `INTO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IntoRule {
    Allowed,
    Required,
}

impl Parser<'_> {
    /// A `SELECT` whose first word has been read.
    pub(super) fn select(&mut self) -> Result<Select> {
        self.select_with(IntoRule::Allowed)
    }

    /// The same, with an `INTO`.
    pub(super) fn select_into(&mut self) -> Result<Select> {
        self.select_with(IntoRule::Required)
    }

    fn select_with(&mut self, rule: IntoRule) -> Result<Select> {
        let fields = self.fields()?;
        let into = self.target(rule)?;
        self.expect(Kind::Word(Keyword::From))?;
        Ok(Select {
            fields,
            into,
            sources: self.sources()?,
            condition: self.condition()?,
            dimensions: self.dimensions()?,
            fill: self.fill()?,
            order: self.order()?,
            limit: self.count(Keyword::Limit)?,
            offset: self.count(Keyword::Offset)?,
            slimit: self.count(Keyword::Slimit)?,
            soffset: self.count(Keyword::Soffset)?,
            timezone: self.timezone()?,
        })
    }

    fn fields(&mut self) -> Result<Vec<Field>> {
        let mut fields = vec![self.field()?];
        while self.take(Kind::Comma) {
            fields.push(self.field()?);
        }
        Ok(fields)
    }

    fn field(&mut self) -> Result<Field> {
        let expr = if let Some(regex) = self.regex()? {
            Expr::Regex(regex)
        } else {
            let pos = self.next().pos;
            self.back();
            let expr = self.expr()?;
            check_operators(&expr, pos)?;
            expr
        };
        let alias = if self.take_word(Keyword::As) {
            Some(self.ident()?)
        } else {
            None
        };
        self.skip_whitespace();
        Ok(Field {
            expr,
            alias: alias.filter(|alias| !alias.is_empty()),
        })
    }

    fn target(&mut self, rule: IntoRule) -> Result<Option<Target>> {
        let token = self.next();
        if token.kind != Kind::Word(Keyword::Into) {
            if rule == IntoRule::Required {
                return Err(unexpected(&token, &["INTO"]));
            }
            self.back();
            return Ok(None);
        }
        let (mut segments, end) = self.segments()?;
        if end == End::Colon && segments.len() < 3 {
            self.expect(Kind::Colon)?;
            self.expect_words(&[Keyword::Measurement])?;
            segments.push(String::new());
        }
        let measurement = segments.pop().and_then(named);
        let policy = segments.pop().and_then(named);
        let database = segments.pop().and_then(named);
        Ok(Some(Target {
            database,
            policy,
            measurement,
        }))
    }

    fn sources(&mut self) -> Result<Vec<Source>> {
        let mut sources = vec![self.source()?];
        while self.take(Kind::Comma) {
            sources.push(self.source()?);
        }
        Ok(sources)
    }

    fn source(&mut self) -> Result<Source> {
        if let Some(regex) = self.regex()? {
            return Ok(Source::Measurement(Measurement {
                database: None,
                policy: None,
                name: MeasurementName::Regex(regex),
            }));
        }
        if !self.take(Kind::LeftParen) {
            return self.named_measurement().map(Source::Measurement);
        }
        self.expect_words(&[Keyword::Select])?;
        let select = self.deeper(SUBQUERY_LEVELS, |parser| {
            parser.select_with(IntoRule::Allowed)
        })?;
        self.expect(Kind::RightParen)?;
        Ok(Source::Subquery(Box::new(select)))
    }

    /// Measurements without subqueries, separated by commas.
    pub(super) fn measurements(&mut self) -> Result<Vec<Measurement>> {
        let mut measurements = vec![self.measurement()?];
        while self.take(Kind::Comma) {
            measurements.push(self.measurement()?);
        }
        Ok(measurements)
    }

    /// A measurement, or a pattern of measurements.
    pub(super) fn measurement(&mut self) -> Result<Measurement> {
        match self.regex()? {
            Some(regex) => Ok(Measurement {
                database: None,
                policy: None,
                name: MeasurementName::Regex(regex),
            }),
            None => self.named_measurement(),
        }
    }

    /// A measurement that begins with a name, which may be that of its database or policy.
    fn named_measurement(&mut self) -> Result<Measurement> {
        let (mut segments, end) = self.segments()?;
        let name = if segments.len() < 3 && end == End::Regex {
            MeasurementName::Regex(self.expect_regex()?)
        } else {
            if segments.len() < 3 {
                self.refuse_slash()?;
            }
            MeasurementName::Name(segments.pop().unwrap_or_default())
        };
        let policy = segments.pop().and_then(named);
        let database = segments.pop().and_then(named);
        Ok(Measurement {
            database,
            policy,
            name,
        })
    }

    /// A slash behind a name and white space can only be meant as a regular expression, and is none.
    fn refuse_slash(&mut self) -> Result<()> {
        if self.lexer.peek() == Some('/') && !self.lexer.at_comment() {
            let token = self.scan();
            if token.kind == Kind::Whitespace {
                return Err(unexpected(&token, &["regex"]));
            }
            self.back();
        }
        Ok(())
    }

    /// `WHERE`
    pub(super) fn condition(&mut self) -> Result<Option<Expr>> {
        if self.take_word(Keyword::Where) {
            self.expr().map(Some)
        } else {
            Ok(None)
        }
    }

    /// `GROUP BY`
    pub(super) fn dimensions(&mut self) -> Result<Vec<Dimension>> {
        if !self.take_word(Keyword::Group) {
            return Ok(Vec::new());
        }
        self.expect_words(&[Keyword::By])?;
        let mut dimensions = vec![self.dimension()?];
        while self.take(Kind::Comma) {
            dimensions.push(self.dimension()?);
        }
        Ok(dimensions)
    }

    fn dimension(&mut self) -> Result<Dimension> {
        if let Some(regex) = self.regex()? {
            return Ok(Expr::Regex(regex));
        }
        let expr = self.expr()?;
        self.skip_whitespace();
        Ok(expr)
    }

    fn fill(&mut self) -> Result<Fill> {
        if !self.at_function("fill") {
            return Ok(Fill::Null);
        }
        let Expr::Call(call) = self.expr()? else {
            return Err(error("fill must be a function call"));
        };
        let [argument] = call.args.as_slice() else {
            let message = "fill requires an argument, e.g.: 0, null, none, previous, linear";
            return Err(error(message));
        };
        match argument.to_string().as_str() {
            "null" => return Ok(Fill::Null),
            "none" => return Ok(Fill::None),
            "previous" => return Ok(Fill::Previous),
            "linear" => return Ok(Fill::Linear),
            _ => {}
        }
        match argument {
            Expr::Integer(value) => Ok(Fill::Number(Number::Integer(*value))),
            Expr::Number(value) => Ok(Fill::Number(Number::Float(*value))),
            _ => Err(error("expected number argument in fill()")),
        }
    }

    fn timezone(&mut self) -> Result<Option<Tz>> {
        if !self.at_function("tz") {
            return Ok(None);
        }
        let Expr::Call(call) = self.expr()? else {
            return Err(error("tz must be a function call"));
        };
        match call.args.as_slice() {
            // The server's own zone is UTC.
            [Expr::String(name)] if matches!(name.as_str(), "" | "UTC" | "Local") => {
                Ok(Some(Tz::UTC))
            }
            [Expr::String(name)] => match name.parse() {
                Ok(zone) => Ok(Some(zone)),
                Err(_) => Err(error(format!("unable to find time zone {name}"))),
            },
            [_] => Err(error("expected string argument in tz()")),
            _ => Err(error("tz requires exactly one argument")),
        }
    }

    /// Whether the word that comes next is `name`, in any case.
    fn at_function(&mut self, name: &str) -> bool {
        let token = self.next();
        self.back();
        token.kind == Kind::Ident && token.text.eq_ignore_ascii_case(name)
    }

    /// `ORDER BY`
    pub(super) fn order(&mut self) -> Result<Option<Order>> {
        if !self.take_word(Keyword::Order) {
            return Ok(None);
        }
        self.expect_words(&[Keyword::By])?;
        let token = self.next();
        let order = match token.kind {
            Kind::Word(Keyword::Asc) => Order::Ascending,
            Kind::Word(Keyword::Desc) => Order::Descending,
            Kind::Ident if token.text == "time" => self.direction(),
            Kind::Ident => return Err(only_time()),
            _ => return Err(unexpected(&token, &["identifier", "ASC", "DESC"])),
        };
        if !self.take(Kind::Comma) {
            return Ok(Some(order));
        }
        self.ident()?;
        Err(only_time())
    }

    fn direction(&mut self) -> Order {
        if self.take_word(Keyword::Desc) {
            return Order::Descending;
        }
        self.take_word(Keyword::Asc);
        Order::Ascending
    }

    /// A key word and a count. Zero is none; what is too large for an int64 is as large as can be.
    pub(super) fn count(&mut self, keyword: Keyword) -> Result<Option<u64>> {
        if !self.take_word(keyword) {
            return Ok(None);
        }
        let token = self.next();
        if token.kind != Kind::Integer {
            return Err(unexpected(&token, &["integer"]));
        }
        if token.text.starts_with('-') && token.text != "-0" {
            return Err(super::at(
                &format!("{} must be >= 0", keyword.as_str()),
                token.pos,
            ));
        }
        let count = token.text.parse::<i64>().map_or(i64::MAX, i64::abs);
        Ok(Some(count.unsigned_abs()).filter(|count| *count > 0))
    }
}

/// Comparisons and `AND`, `OR` are for `WHERE`.
fn check_operators(expr: &Expr, pos: Pos) -> Result<()> {
    match expr {
        Expr::Binary { op, .. } if op.is_comparison() || op.is_logical() => Err(invalid(*op, pos)),
        Expr::Binary { lhs, rhs, .. } => {
            check_operators(lhs, pos)?;
            check_operators(rhs, pos)
        }
        Expr::Paren(inner) => check_operators(inner, pos),
        Expr::Call(call) => call
            .args
            .iter()
            .try_for_each(|arg| check_operators(arg, pos)),
        _ => Ok(()),
    }
}

fn invalid(op: BinaryOp, pos: Pos) -> super::ParseError {
    error(format!(
        "invalid operator {} in SELECT clause at line {}, char {}; operator is intended for WHERE clause",
        op.symbol(),
        pos.line + 1,
        pos.char + 1
    ))
}

fn only_time() -> super::ParseError {
    error("only ORDER BY time supported at this time")
}

/// An empty segment is none: `db..name`.
fn named(segment: String) -> Option<String> {
    Some(segment).filter(|segment| !segment.is_empty())
}
