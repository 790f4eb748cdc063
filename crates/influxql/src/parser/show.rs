//! `SHOW`, `EXPLAIN`, `DELETE` and `DROP SERIES`: what asks about series or removes them.

use super::{Parser, Result, at, unexpected};
use crate::ast::{
    Cardinality, CardinalityKind, Delete, DropSeries, Explain, Expr, Measurement, Name,
    ShowFieldKeys, ShowMeasurements, ShowSeries, ShowTagKeys, ShowTagValues, Statement, WithKey,
};
use crate::keyword::Keyword as K;
use crate::lexer::{Kind, Pos};

impl Parser<'_> {
    pub(super) fn show(&mut self) -> Result<Statement> {
        let word = self.keyword(&[
            K::Continuous,
            K::Databases,
            K::Diagnostics,
            K::Field,
            K::Grants,
            K::Measurement,
            K::Measurements,
            K::Queries,
            K::Retention,
            K::Series,
            K::Shard,
            K::Shards,
            K::Stats,
            K::Subscriptions,
            K::Tag,
            K::Users,
        ])?;
        match word {
            K::Continuous => {
                self.expect_words(&[K::Queries])?;
                Ok(Statement::ShowContinuousQueries)
            }
            K::Databases => Ok(Statement::ShowDatabases),
            K::Diagnostics => Ok(Statement::ShowDiagnostics {
                module: self.module()?,
            }),
            K::Field => match self.keyword(&[K::Key, K::Keys])? {
                K::Key => self.exact_cardinality(CardinalityKind::FieldKey),
                _ => self.show_field_keys(),
            },
            K::Grants => {
                self.expect_words(&[K::For])?;
                Ok(Statement::ShowGrants {
                    user: self.ident()?,
                })
            }
            K::Measurement => self.exact_cardinality(CardinalityKind::Measurement),
            K::Measurements => self.show_measurements(),
            K::Queries => Ok(Statement::ShowQueries),
            K::Retention => {
                self.expect_words(&[K::Policies])?;
                Ok(Statement::ShowRetentionPolicies {
                    database: self.on()?,
                })
            }
            K::Series => self.show_series(),
            K::Shard => {
                self.expect_words(&[K::Groups])?;
                Ok(Statement::ShowShardGroups)
            }
            K::Shards => Ok(Statement::ShowShards),
            K::Stats => Ok(Statement::ShowStats {
                module: self.module()?,
            }),
            K::Subscriptions => Ok(Statement::ShowSubscriptions),
            K::Tag => match self.keyword(&[K::Key, K::Keys, K::Values])? {
                K::Key => self.exact_cardinality(CardinalityKind::TagKey),
                K::Keys => self.show_tag_keys(),
                _ => self.show_tag_values(),
            },
            _ => Ok(Statement::ShowUsers),
        }
    }

    fn module(&mut self) -> Result<Option<String>> {
        if self.take_word(K::For) {
            self.string().map(Some)
        } else {
            Ok(None)
        }
    }

    /// `ON name`
    pub(super) fn on(&mut self) -> Result<Option<String>> {
        if self.take_word(K::On) {
            self.ident().map(Some)
        } else {
            Ok(None)
        }
    }

    /// `FROM measurements`
    fn from(&mut self) -> Result<Vec<Measurement>> {
        if self.take_word(K::From) {
            self.measurements()
        } else {
            Ok(Vec::new())
        }
    }

    fn show_measurements(&mut self) -> Result<Statement> {
        let (mut database, mut policy) = (None, None);
        if self.take_word(K::On) {
            let token = self.next();
            database = Some(name_or_any(&token)?);
            if self.scan().kind == Kind::Dot {
                let token = self.scan();
                policy = Some(name_or_any(&token)?);
            } else {
                self.back();
            }
        }
        let mut with = None;
        if self.take_word(K::With) {
            self.expect_words(&[K::Measurement])?;
            let token = self.next();
            if !matches!(token.kind, Kind::Eq | Kind::EqRegex) {
                return Err(unexpected(&token, &["=", "=~"]));
            }
            with = Some(self.measurement()?);
        }
        Ok(Statement::ShowMeasurements(ShowMeasurements {
            database,
            policy,
            with,
            condition: self.condition()?,
            order: self.order()?,
            limit: self.count(K::Limit)?,
            offset: self.count(K::Offset)?,
        }))
    }

    fn show_series(&mut self) -> Result<Statement> {
        let exact = self.take_word(K::Exact);
        if self.take_word(K::Cardinality) {
            return self.cardinality(CardinalityKind::Series, exact);
        }
        Ok(Statement::ShowSeries(ShowSeries {
            database: self.on()?,
            sources: self.from()?,
            condition: self.condition()?,
            order: self.order()?,
            limit: self.count(K::Limit)?,
            offset: self.count(K::Offset)?,
        }))
    }

    fn show_tag_keys(&mut self) -> Result<Statement> {
        let database = self.on()?;
        let sources = self.from()?;
        let with_key = if self.take_word(K::With) {
            self.back();
            Some(self.with_key()?)
        } else {
            None
        };
        Ok(Statement::ShowTagKeys(ShowTagKeys {
            database,
            sources,
            with_key,
            condition: self.condition()?,
            order: self.order()?,
            limit: self.count(K::Limit)?,
            offset: self.count(K::Offset)?,
            slimit: self.count(K::Slimit)?,
            soffset: self.count(K::Soffset)?,
        }))
    }

    fn show_tag_values(&mut self) -> Result<Statement> {
        let exact = self.take_word(K::Exact);
        if self.take_word(K::Cardinality) {
            return self.cardinality(CardinalityKind::TagValues, exact);
        }
        Ok(Statement::ShowTagValues(ShowTagValues {
            database: self.on()?,
            sources: self.from()?,
            with_key: self.with_key()?,
            condition: self.condition()?,
            order: self.order()?,
            limit: self.count(K::Limit)?,
            offset: self.count(K::Offset)?,
        }))
    }

    fn show_field_keys(&mut self) -> Result<Statement> {
        Ok(Statement::ShowFieldKeys(ShowFieldKeys {
            database: self.on()?,
            sources: self.from()?,
            order: self.order()?,
            limit: self.count(K::Limit)?,
            offset: self.count(K::Offset)?,
        }))
    }

    fn exact_cardinality(&mut self, kind: CardinalityKind) -> Result<Statement> {
        let exact = self.keyword(&[K::Exact, K::Cardinality])? == K::Exact;
        if exact {
            self.expect_words(&[K::Cardinality])?;
        }
        self.cardinality(kind, exact)
    }

    fn cardinality(&mut self, kind: CardinalityKind, exact: bool) -> Result<Statement> {
        let database = self.on()?;
        let sources = self.from()?;
        let with_key = match kind {
            CardinalityKind::TagValues => Some(self.with_key()?),
            _ => None,
        };
        Ok(Statement::ShowCardinality(Cardinality {
            kind,
            exact,
            database,
            sources,
            with_key,
            condition: self.condition()?,
            dimensions: self.dimensions()?,
            limit: self.count(K::Limit)?,
            offset: self.count(K::Offset)?,
        }))
    }

    fn with_key(&mut self) -> Result<WithKey> {
        self.expect_words(&[K::With, K::Key])?;
        let token = self.next();
        match token.kind {
            Kind::Word(K::In) => {
                self.expect(Kind::LeftParen)?;
                let keys = self.idents()?;
                self.expect(Kind::RightParen)?;
                Ok(WithKey::In(keys))
            }
            Kind::Eq => self.ident().map(WithKey::Eq),
            Kind::Neq => self.ident().map(WithKey::Neq),
            Kind::EqRegex => self.expect_regex().map(WithKey::EqRegex),
            Kind::NeqRegex => self.expect_regex().map(WithKey::NeqRegex),
            _ => Err(unexpected(&token, &["IN", "=", "=~"])),
        }
    }

    pub(super) fn explain(&mut self) -> Result<Statement> {
        let analyze = self.take_word(K::Analyze);
        let verbose = self.take_word(K::Verbose);
        self.expect_words(&[K::Select])?;
        let select = Box::new(self.select()?);
        Ok(Statement::Explain(Explain {
            analyze,
            verbose,
            select,
        }))
    }

    pub(super) fn delete(&mut self) -> Result<Statement> {
        let (sources, condition) = self.what_to_remove()?;
        if sources.iter().any(|source| source.database.is_some()) {
            return Err(at("database not supported", Pos::default()));
        }
        Ok(Statement::Delete(Delete { sources, condition }))
    }

    pub(super) fn drop_series(&mut self) -> Result<Statement> {
        let (sources, condition) = self.what_to_remove()?;
        if sources.iter().any(|source| source.policy.is_some()) {
            return Err(at("retention policy not supported", Pos::default()));
        }
        if sources.iter().any(|source| source.database.is_some()) {
            return Err(at("database not supported", Pos::default()));
        }
        Ok(Statement::DropSeries(DropSeries { sources, condition }))
    }

    /// `FROM` or `WHERE` or both.
    fn what_to_remove(&mut self) -> Result<(Vec<Measurement>, Option<Expr>)> {
        let token = self.next();
        self.back();
        if !matches!(token.kind, Kind::Word(K::From | K::Where)) {
            return Err(unexpected(&token, &["FROM", "WHERE"]));
        }
        Ok((self.from()?, self.condition()?))
    }
}

fn name_or_any(token: &crate::lexer::Token) -> Result<Name> {
    match token.kind {
        Kind::Ident => Ok(Name::Exact(token.text.clone())),
        Kind::Mul => Ok(Name::Any),
        _ => Err(unexpected(token, &["identifier or *"])),
    }
}
