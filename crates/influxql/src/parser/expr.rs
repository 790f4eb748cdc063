//! Expressions.

use super::{ParseError, Parser, Result, at, compile, error, too_deep, unexpected};
use crate::ast::{BinaryOp, Call, Expr, TypeHint, VarRef, Wildcard, quote_segments};
use crate::duration::parse_duration;
use crate::keyword::Keyword;
use crate::lexer::{Kind, Pos, Token};

/// How high the tree of an expression may get: whoever walks it calls himself once per level.
const MAX_HEIGHT: usize = 400;

/// An expression and how high its tree is.
struct Tall {
    expr: Expr,
    height: usize,
}

/// How a dotted name ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With its last segment.
    Segment,
    /// With a dot, and a slash behind it.
    Regex,
    /// With a dot, and a colon behind it.
    Colon,
}

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.tall_expr().map(|tall| tall.expr)
    }

    fn tall_expr(&mut self) -> Result<Tall> {
        self.deeper(1, Self::operands)
    }

    fn operands(&mut self) -> Result<Tall> {
        let mut pending = Pending {
            operands: vec![self.unary()?],
            operators: Vec::new(),
        };
        loop {
            let Some(op) = operator(self.next().kind) else {
                self.back();
                return pending.finish();
            };
            pending.reduce_before(op)?;
            pending.operators.push(op);
            pending.operands.push(if op.is_regex() {
                Tall {
                    expr: Expr::Regex(self.expect_regex()?),
                    height: 1,
                }
            } else {
                self.unary()?
            });
        }
    }

    fn unary(&mut self) -> Result<Tall> {
        let token = self.next();
        let expr = match token.kind {
            Kind::LeftParen => {
                let inner = self.tall_expr()?;
                self.expect(Kind::RightParen)?;
                return Tall::new(Expr::Paren(Box::new(inner.expr)), inner.height);
            }
            Kind::Ident => return self.call_or_column(&token),
            Kind::Word(Keyword::Distinct) => return self.distinct(),
            Kind::Add | Kind::Sub => return self.signed(token.kind == Kind::Sub),
            Kind::String => Expr::String(token.text),
            Kind::Number => Expr::Number(
                token
                    .text
                    .parse()
                    .map_err(|_| at("unable to parse number", token.pos))?,
            ),
            Kind::Integer => integer(&token.text, token.pos)?,
            Kind::Word(Keyword::True) => Expr::Boolean(true),
            Kind::Word(Keyword::False) => Expr::Boolean(false),
            Kind::Duration => Expr::Duration(parse_duration(&token.text)?),
            Kind::Mul => Expr::Wildcard(self.wildcard()?),
            Kind::Regex => Expr::Regex(compile(&token)?),
            Kind::BoundParam => return Err(unbound(&token)),
            _ => {
                return Err(unexpected(
                    &token,
                    &["identifier", "string", "number", "bool"],
                ));
            }
        };
        Tall::new(expr, 0)
    }

    fn call_or_column(&mut self, name: &Token) -> Result<Tall> {
        if self.scan().kind == Kind::LeftParen {
            return self.call(&name.text);
        }
        self.back();
        self.back();
        Tall::new(Expr::VarRef(self.column()?), 0)
    }

    /// A name and perhaps a cast.
    fn column(&mut self) -> Result<VarRef> {
        let (segments, _) = self.segments()?;
        let name = segments.join(".");
        if self.scan().kind != Kind::DoubleColon {
            self.back();
            return Ok(VarRef { name, hint: None });
        }
        let token = self.scan();
        let hint = match token.kind {
            Kind::Word(Keyword::Field) => TypeHint::Field,
            Kind::Word(Keyword::Tag) => TypeHint::Tag,
            Kind::Ident => match token.text.to_ascii_lowercase().as_str() {
                "float" => TypeHint::Float,
                "integer" => TypeHint::Integer,
                "unsigned" => TypeHint::Unsigned,
                "string" => TypeHint::String,
                "boolean" => TypeHint::Boolean,
                _ => {
                    let expected = [
                        "float", "integer", "unsigned", "string", "boolean", "field", "tag",
                    ];
                    return Err(unexpected(&token, &expected));
                }
            },
            _ => {
                let expected = ["float", "integer", "string", "boolean", "field", "tag"];
                return Err(unexpected(&token, &expected));
            }
        };
        Ok(VarRef {
            name,
            hint: Some(hint),
        })
    }

    /// Names joined by dots, and how they end.
    pub(super) fn segments(&mut self) -> Result<(Vec<String>, End)> {
        let mut segments = vec![self.ident()?];
        let mut end = End::Segment;
        loop {
            if self.scan().kind != Kind::Dot {
                self.back();
                break;
            }
            match self.lexer.peek() {
                Some('/') => {
                    end = End::Regex;
                    break;
                }
                Some(':') => {
                    end = End::Colon;
                    break;
                }
                Some('.') => segments.push(String::new()),
                _ => segments.push(self.ident()?),
            }
        }
        if segments.len() > 3 {
            let name = quote_segments(&segments);
            return Err(at(&format!("too many segments in {name}"), Pos::default()));
        }
        Ok((segments, end))
    }

    /// The arguments of a call, its parenthesis being read.
    fn call(&mut self, name: &str) -> Result<Tall> {
        let mut args = Vec::new();
        let mut height = 0;
        let mut first = true;
        while first || self.take(Kind::Comma) {
            if let Some(regex) = self.regex()? {
                args.push(Expr::Regex(regex));
            } else {
                if first {
                    if self.scan().kind == Kind::RightParen {
                        break;
                    }
                    self.back();
                }
                let arg = self.tall_expr()?;
                height = height.max(arg.height);
                args.push(arg.expr);
            }
            first = false;
        }
        if !args.is_empty() {
            let token = self.scan();
            if token.kind != Kind::RightParen {
                return Err(unexpected(&token, &[")"]));
            }
        }
        Tall::new(
            Expr::Call(Call {
                name: name.to_lowercase(),
                args,
            }),
            height,
        )
    }

    fn distinct(&mut self) -> Result<Tall> {
        let token = self.scan();
        match token.kind {
            Kind::LeftParen => self.call("distinct"),
            Kind::Whitespace => Tall::new(Expr::Distinct(self.ident()?), 0),
            _ => Err(unexpected(&token, &["(", "identifier"])),
        }
    }

    fn wildcard(&mut self) -> Result<Wildcard> {
        if self.scan().kind != Kind::DoubleColon {
            self.back();
            return Ok(Wildcard::All);
        }
        let token = self.scan();
        match token.kind {
            Kind::Word(Keyword::Field) => Ok(Wildcard::Fields),
            Kind::Word(Keyword::Tag) => Ok(Wildcard::Tags),
            _ => Err(unexpected(&token, &["field", "tag"])),
        }
    }

    /// What follows a sign. A literal takes the sign, anything else is multiplied by it.
    fn signed(&mut self, negative: bool) -> Result<Tall> {
        let token = self.next();
        let allowed = matches!(
            token.kind,
            Kind::Number | Kind::Integer | Kind::Duration | Kind::LeftParen | Kind::Ident
        );
        if !allowed {
            return Err(unexpected(
                &token,
                &["identifier", "number", "duration", "("],
            ));
        }
        self.back();
        let operand = self.unary()?;
        let expr = match operand.expr {
            Expr::Number(value) => Expr::Number(if negative { -value } else { value }),
            Expr::Integer(value) => Expr::Integer(if negative {
                value.wrapping_neg()
            } else {
                value
            }),
            Expr::Duration(value) => Expr::Duration(if negative {
                value.wrapping_neg()
            } else {
                value
            }),
            Expr::Unsigned(value) if negative && value == i64::MIN.unsigned_abs() => {
                Expr::Integer(i64::MIN)
            }
            Expr::Unsigned(value) if negative => {
                return Err(error(format!("constant -{value} underflows int64")));
            }
            Expr::Unsigned(value) => Expr::Unsigned(value),
            other => {
                let sign = Expr::Integer(if negative { -1 } else { 1 });
                return Tall::new(Expr::binary(BinaryOp::Mul, sign, other), operand.height);
            }
        };
        Tall::new(expr, 0)
    }
}

impl Tall {
    /// An expression that is one higher than the highest below it.
    fn new(expr: Expr, below: usize) -> Result<Self> {
        if below >= MAX_HEIGHT {
            return Err(too_deep());
        }
        Ok(Self {
            expr,
            height: below + 1,
        })
    }

    fn joined(op: BinaryOp, lhs: Self, rhs: Self) -> Result<Self> {
        let below = lhs.height.max(rhs.height);
        Self::new(Expr::binary(op, lhs.expr, rhs.expr), below)
    }
}

/// Operands that wait for an operator that binds less tightly.
struct Pending {
    operands: Vec<Tall>,
    operators: Vec<BinaryOp>,
}

impl Pending {
    /// Joins what binds more tightly than `op`, or as tightly and stands to its left. Chains of one
    /// logical operator stay as they are: they are joined all at once.
    fn reduce_before(&mut self, op: BinaryOp) -> Result<()> {
        while let Some(top) = self.operators.last() {
            let same = top.precedence() == op.precedence();
            if top.precedence() < op.precedence() || (same && op.is_logical()) {
                break;
            }
            self.reduce()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Tall> {
        while !self.operators.is_empty() {
            self.reduce()?;
        }
        Ok(self.pop())
    }

    fn reduce(&mut self) -> Result<()> {
        let Some(op) = self.operators.pop() else {
            return Ok(());
        };
        if !op.is_logical() {
            let rhs = self.pop();
            let lhs = self.pop();
            self.operands.push(Tall::joined(op, lhs, rhs)?);
            return Ok(());
        }
        let mut count = 2;
        while self.operators.last() == Some(&op) {
            self.operators.pop();
            count += 1;
        }
        let chain = self.operands.split_off(self.operands.len() - count);
        self.operands.push(balanced(op, chain)?);
        Ok(())
    }

    fn pop(&mut self) -> Tall {
        self.operands
            .pop()
            .expect("an operator stands between two operands")
    }
}

/// `a OR b OR c OR d` as `(a OR b) OR (c OR d)`, which means and prints the same: dashboards send
/// chains of thousands, and the tree must not get as high as that.
fn balanced(op: BinaryOp, mut chain: Vec<Tall>) -> Result<Tall> {
    while chain.len() > 1 {
        let mut pairs = Vec::with_capacity(chain.len().div_ceil(2));
        let mut rest = chain.into_iter();
        while let Some(lhs) = rest.next() {
            pairs.push(match rest.next() {
                Some(rhs) => Tall::joined(op, lhs, rhs)?,
                None => lhs,
            });
        }
        chain = pairs;
    }
    Ok(chain.pop().expect("a chain has operands"))
}

fn integer(text: &str, pos: Pos) -> Result<Expr> {
    let signed = text.parse().map(Expr::Integer);
    signed
        .or_else(|_| text.parse().map(Expr::Unsigned))
        .map_err(|_| at("unable to parse integer", pos))
}

/// A parameter that nothing was bound to, or nothing that fits.
fn unbound(token: &Token) -> ParseError {
    match token.text.strip_prefix('$').unwrap_or(&token.text) {
        "" => error("empty bound parameter"),
        name => error(format!("missing parameter: {name}")),
    }
}

fn operator(kind: Kind) -> Option<BinaryOp> {
    Some(match kind {
        Kind::Add => BinaryOp::Add,
        Kind::Sub => BinaryOp::Sub,
        Kind::Mul => BinaryOp::Mul,
        Kind::Div => BinaryOp::Div,
        Kind::Mod => BinaryOp::Mod,
        Kind::BitAnd => BinaryOp::BitAnd,
        Kind::BitOr => BinaryOp::BitOr,
        Kind::BitXor => BinaryOp::BitXor,
        Kind::Eq => BinaryOp::Eq,
        Kind::Neq => BinaryOp::Neq,
        Kind::EqRegex => BinaryOp::EqRegex,
        Kind::NeqRegex => BinaryOp::NeqRegex,
        Kind::Lt => BinaryOp::Lt,
        Kind::Lte => BinaryOp::Lte,
        Kind::Gt => BinaryOp::Gt,
        Kind::Gte => BinaryOp::Gte,
        Kind::Word(Keyword::And) => BinaryOp::And,
        Kind::Word(Keyword::Or) => BinaryOp::Or,
        _ => return None,
    })
}
