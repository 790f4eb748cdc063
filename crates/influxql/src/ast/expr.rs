//! Expressions: field lists, conditions, dimensions and arguments.

use crate::regex::Regex;

/// An expression. Literals carry their value, not their spelling.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// Two operands and what joins them.
    Binary {
        /// The operator between the operands.
        op: BinaryOp,
        /// The left operand.
        lhs: Box<Expr>,
        /// The right operand.
        rhs: Box<Expr>,
    },
    /// An expression in parentheses.
    Paren(Box<Expr>),
    /// A function call.
    Call(Call),
    /// A column.
    VarRef(VarRef),
    /// `*`, `*::field` or `*::tag`.
    Wildcard(Wildcard),
    /// `/pattern/`.
    Regex(Regex),
    /// `DISTINCT name`, the form without parentheses.
    Distinct(String),
    /// An integer within int64.
    Integer(i64),
    /// An integer above int64.
    Unsigned(u64),
    /// A number with a decimal point.
    Number(f64),
    /// A text in single quotes.
    String(String),
    /// A duration, in nanoseconds.
    Duration(i64),
    /// `true` or `false`.
    Boolean(bool),
    /// An instant, in nanoseconds since the epoch. The parser makes none: they come from folding.
    Time(i64),
    /// No value at all. The parser makes none.
    Nil,
    /// A list of names, as in `WITH KEY IN (a, b)`.
    List(Vec<String>),
}

/// A function call, its name in lower case.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function's name, in lower case.
    pub name: String,
    /// What stands between the parentheses.
    pub args: Vec<Expr>,
}

/// A column, perhaps with a cast.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarRef {
    /// The name; dotted segments are joined with a dot.
    pub name: String,
    /// What follows `::`, or the type that was found for the column.
    pub hint: Option<TypeHint>,
}

/// What follows `::` behind a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TypeHint {
    /// `::float`
    Float,
    /// `::integer`
    Integer,
    /// `::unsigned`
    Unsigned,
    /// `::string`
    String,
    /// `::boolean`
    Boolean,
    /// `::field`: any field type.
    Field,
    /// `::tag`
    Tag,
}

/// Which columns a wildcard stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wildcard {
    /// `*`
    All,
    /// `*::field`
    Fields,
    /// `*::tag`
    Tags,
}

/// The operators of InfluxQL 1.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `=`
    Eq,
    /// `!=` or `<>`
    Neq,
    /// `=~`
    EqRegex,
    /// `!~`
    NeqRegex,
    /// `<`
    Lt,
    /// `<=`
    Lte,
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// `AND`
    And,
    /// `OR`
    Or,
}

impl BinaryOp {
    /// How tightly the operator binds, from 1 (`OR`) to 5 (`*`).
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq
            | Self::Neq
            | Self::EqRegex
            | Self::NeqRegex
            | Self::Lt
            | Self::Lte
            | Self::Gt
            | Self::Gte => 3,
            Self::Add | Self::Sub | Self::BitOr | Self::BitXor => 4,
            Self::Mul | Self::Div | Self::Mod | Self::BitAnd => 5,
        }
    }

    /// The operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::Eq => "=",
            Self::Neq => "!=",
            Self::EqRegex => "=~",
            Self::NeqRegex => "!~",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::And => "AND",
            Self::Or => "OR",
        }
    }

    /// Whether it is `AND` or `OR`.
    pub const fn is_logical(self) -> bool {
        matches!(self, Self::And | Self::Or)
    }

    /// Whether it compares two values and gives a boolean.
    pub const fn is_comparison(self) -> bool {
        self.precedence() == 3
    }

    /// Whether its right side has to be a regular expression.
    pub const fn is_regex(self) -> bool {
        matches!(self, Self::EqRegex | Self::NeqRegex)
    }
}

impl TypeHint {
    /// The word after `::`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Field => "field",
            Self::Tag => "tag",
        }
    }
}

impl VarRef {
    /// A column without a cast.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            hint: None,
        }
    }
}

impl Expr {
    /// A column without a cast.
    pub fn var(name: impl Into<String>) -> Self {
        Self::VarRef(VarRef::new(name))
    }

    /// Two expressions joined by an operator.
    pub fn binary(op: BinaryOp, lhs: Self, rhs: Self) -> Self {
        Self::Binary {
            op,
            lhs: Box::new(lhs),
            rhs: Box::new(rhs),
        }
    }

    /// Calls `visit` with this expression and all below it: parents before children, left to right.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        match self {
            Self::Binary { lhs, rhs, .. } => {
                lhs.walk(visit);
                rhs.walk(visit);
            }
            Self::Paren(inner) => inner.walk(visit),
            Self::Call(call) => call.args.iter().for_each(|arg| arg.walk(visit)),
            Self::VarRef(_)
            | Self::Wildcard(_)
            | Self::Regex(_)
            | Self::Distinct(_)
            | Self::Integer(_)
            | Self::Unsigned(_)
            | Self::Number(_)
            | Self::String(_)
            | Self::Duration(_)
            | Self::Boolean(_)
            | Self::Time(_)
            | Self::Nil
            | Self::List(_) => {}
        }
    }

    /// Whether there is a call in this expression.
    pub fn has_call(&self) -> bool {
        let mut found = false;
        self.walk(&mut |expr| found |= matches!(expr, Self::Call(_)));
        found
    }

    /// The expression inside any number of parentheses.
    pub fn unparen(&self) -> &Self {
        let mut expr = self;
        while let Self::Paren(inner) = expr {
            expr = inner;
        }
        expr
    }

    /// Whether it is a literal of any kind (a wildcard and a column are none).
    pub const fn is_literal(&self) -> bool {
        match self {
            Self::Integer(_)
            | Self::Unsigned(_)
            | Self::Number(_)
            | Self::String(_)
            | Self::Duration(_)
            | Self::Boolean(_)
            | Self::Time(_)
            | Self::Nil
            | Self::Regex(_)
            | Self::List(_) => true,
            Self::Binary { .. }
            | Self::Paren(_)
            | Self::Call(_)
            | Self::VarRef(_)
            | Self::Wildcard(_)
            | Self::Distinct(_) => false,
        }
    }

    /// The name of the node's kind in error messages, such as `*influxql.StringLiteral`. Clients
    /// match on these (InfluxQL 13, point 5).
    pub const fn kind_name(&self) -> &'static str {
        match self {
            Self::Binary { .. } => "*influxql.BinaryExpr",
            Self::Paren(_) => "*influxql.ParenExpr",
            Self::Call(_) => "*influxql.Call",
            Self::VarRef(_) => "*influxql.VarRef",
            Self::Wildcard(_) => "*influxql.Wildcard",
            Self::Regex(_) => "*influxql.RegexLiteral",
            Self::Distinct(_) => "*influxql.Distinct",
            Self::Integer(_) => "*influxql.IntegerLiteral",
            Self::Unsigned(_) => "*influxql.UnsignedLiteral",
            Self::Number(_) => "*influxql.NumberLiteral",
            Self::String(_) => "*influxql.StringLiteral",
            Self::Duration(_) => "*influxql.DurationLiteral",
            Self::Boolean(_) => "*influxql.BooleanLiteral",
            Self::Time(_) => "*influxql.TimeLiteral",
            Self::Nil => "*influxql.nilLiteral",
            Self::List(_) => "*influxql.ListLiteral",
        }
    }
}
