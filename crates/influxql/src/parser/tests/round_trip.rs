//! What is printed is read as the same thing, and nothing makes the parser fall over.

use proptest::prelude::*;

use crate::ast::{
    BinaryOp, Call, Expr, Field, Fill, Number, Order, Select, Source, Statement, VarRef,
};
use crate::ast::{Measurement, MeasurementName, TypeHint, Wildcard};
use crate::parse_query;
use crate::regex::Regex;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,6}",
        "\\PC{1,6}",
        Just("select".to_owned()),
        Just("a\"b\\\n".to_owned())
    ]
}

fn word() -> impl Strategy<Value = String> {
    "f_[a-z0-9_]{1,5}"
}

fn pattern() -> impl Strategy<Value = Regex> {
    "[a-z^$./]{0,6}".prop_map(|pattern| Regex::new(&pattern).expect("a pattern without operators"))
}

fn literal() -> impl Strategy<Value = Expr> {
    prop_oneof![
        any::<i64>().prop_map(Expr::Integer),
        (1 << 63..=u64::MAX).prop_map(Expr::Unsigned),
        any::<i32>().prop_map(|number| Expr::Number(f64::from(number) + 0.5)),
        "\\PC{0,6}".prop_map(Expr::String),
        (1..i64::MAX).prop_map(Expr::Duration),
        any::<bool>().prop_map(Expr::Boolean),
    ]
}

fn column() -> impl Strategy<Value = Expr> {
    let hint = prop_oneof![
        Just(TypeHint::Float),
        Just(TypeHint::Tag),
        Just(TypeHint::Field)
    ];
    (name(), proptest::option::of(hint))
        .prop_map(|(name, hint)| Expr::VarRef(VarRef { name, hint }))
}

fn operand() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        literal(),
        column(),
        name().prop_map(Expr::Distinct),
        prop_oneof![
            Just(Wildcard::All),
            Just(Wildcard::Fields),
            Just(Wildcard::Tags)
        ]
        .prop_map(Expr::Wildcard),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let arg = prop_oneof![inner.clone(), pattern().prop_map(Expr::Regex)];
        prop_oneof![
            (word(), proptest::collection::vec(arg, 0..3))
                .prop_map(|(name, args)| Expr::Call(Call { name, args })),
            (arithmetic(), inner.clone(), inner)
                .prop_map(|(op, lhs, rhs)| Expr::Paren(Box::new(Expr::binary(op, lhs, rhs)))),
        ]
    })
}

fn arithmetic() -> impl Strategy<Value = BinaryOp> {
    proptest::sample::select(vec![
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Mod,
        BinaryOp::BitAnd,
        BinaryOp::BitOr,
        BinaryOp::BitXor,
    ])
}

fn condition() -> impl Strategy<Value = Expr> {
    let comparison = prop_oneof![
        (
            proptest::sample::select(vec![
                BinaryOp::Eq,
                BinaryOp::Neq,
                BinaryOp::Lt,
                BinaryOp::Gte
            ]),
            operand(),
            operand()
        )
            .prop_map(|(op, lhs, rhs)| Expr::binary(op, lhs, rhs)),
        (
            proptest::sample::select(vec![BinaryOp::EqRegex, BinaryOp::NeqRegex]),
            column(),
            pattern()
        )
            .prop_map(|(op, lhs, regex)| Expr::binary(op, lhs, Expr::Regex(regex))),
    ];
    comparison.prop_recursive(3, 12, 2, |inner| {
        let logical = proptest::sample::select(vec![BinaryOp::And, BinaryOp::Or]);
        (logical, inner.clone(), inner)
            .prop_map(|(op, lhs, rhs)| Expr::Paren(Box::new(Expr::binary(op, lhs, rhs))))
    })
}

fn measurement() -> impl Strategy<Value = Measurement> {
    let name = prop_oneof![
        name().prop_map(MeasurementName::Name),
        pattern().prop_map(MeasurementName::Regex),
    ];
    (
        proptest::option::of(self::name()),
        proptest::option::of(self::name()),
        name,
    )
        .prop_map(|(database, policy, name)| Measurement {
            database,
            policy,
            name,
        })
}

fn select() -> impl Strategy<Value = Select> {
    let field =
        (operand(), proptest::option::of(name())).prop_map(|(expr, alias)| Field { expr, alias });
    let fill = prop_oneof![
        Just(Fill::Null),
        Just(Fill::None),
        Just(Fill::Previous),
        Just(Fill::Linear),
        any::<i64>().prop_map(|number| Fill::Number(Number::Integer(number))),
        Just(Fill::Number(Number::Float(-0.25))),
    ];
    let order = proptest::option::of(prop_oneof![Just(Order::Ascending), Just(Order::Descending)]);
    let counts = proptest::array::uniform4(proptest::option::of(1..1_000_000u64));
    let source = measurement().prop_map(Source::Measurement);
    let parts = (
        proptest::collection::vec(field, 1..3),
        proptest::collection::vec(source, 1..3),
        proptest::option::of(condition()),
        proptest::collection::vec(operand(), 0..3),
        fill,
        order,
        counts,
    );
    let plain = parts.prop_map(
        |(fields, sources, condition, dimensions, fill, order, counts)| {
            let [limit, offset, slimit, soffset] = counts;
            Select {
                fields,
                into: None,
                sources,
                condition,
                dimensions,
                fill,
                order,
                limit,
                offset,
                slimit,
                soffset,
                timezone: order.map(|_| chrono_tz::Tz::Asia__Tokyo),
            }
        },
    );
    plain.prop_recursive(2, 4, 2, |inner| {
        (inner.clone(), inner).prop_map(|(mut outer, inner)| {
            outer.sources.push(Source::Subquery(Box::new(inner)));
            outer
        })
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same(select in select()) {
        let statement = Statement::Select(Box::new(select));
        let text = statement.to_string();
        let read = parse_query(&text, None);
        prop_assert_eq!(read, Ok(vec![statement]), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = parse_query(&text, None);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse_query(&String::from_utf8_lossy(&bytes), None);
    }

    #[test]
    fn any_words_are_read_or_refused(words in proptest::collection::vec(
        proptest::sample::select(vec![
            "SELECT", "u", "FROM", "cpu", "WHERE", "=", "=~", "/a/", "/", "'x'", "\"y\"", "(", ")", ",", ".", "..",
            ":", "::", "::tag", "GROUP", "BY", "time", "1h", "5", "1.5", "*", "-", "+", "AND", "OR", "fill", "LIMIT",
            "SHOW", "TAG", "VALUES", "WITH", "KEY", "IN", "DISTINCT", "$p", "$", ";", "/*", "*/", "--", "\n", "\r\n",
            "DELETE", "INTO", ":MEASUREMENT", "ORDER", "DESC", "tz", "SERIES", "CARDINALITY", "ON", "é", "\\",
            "CREATE", "DATABASE", "DURATION", "INF", "ALTER", "RETENTION", "POLICY", "GRANT", "ALL", "TO", " ",
        ]), 0..24), spaced: bool) {
        let text = words.join(if spaced { " " } else { "" });
        if let Ok(statements) = parse_query(&text, None) {
            // What was read can be printed, and is then read again.
            let printed: Vec<_> = statements.iter().map(ToString::to_string).collect();
            let again = parse_query(&printed.join("; "), None);
            prop_assert!(again.is_ok(), "{} -> {:?}: {:?}", text, printed, again);
        }
    }
}
