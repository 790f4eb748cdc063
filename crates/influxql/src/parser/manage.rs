//! Statements that manage databases, policies, users and the like.

use super::{ParseError, Parser, Result, at, unexpected};
use crate::ast::{
    AlterRetentionPolicy, CreateContinuousQuery, CreateDatabase, CreateRetentionPolicy,
    CreateSubscription, CreateUser, Destinations, Grant, Password, Privilege, Revoke, SetPassword,
    Statement,
};
use crate::duration::parse_duration;
use crate::keyword::Keyword as K;
use crate::lexer::{Kind, Token};

impl Parser<'_> {
    pub(super) fn create(&mut self) -> Result<Statement> {
        let words = [
            K::Continuous,
            K::Database,
            K::User,
            K::Retention,
            K::Subscription,
        ];
        match self.keyword(&words)? {
            K::Continuous => {
                self.expect_words(&[K::Query])?;
                self.create_continuous_query()
            }
            K::Database => self.create_database(),
            K::User => self.create_user(),
            K::Retention => {
                self.expect_words(&[K::Policy])?;
                self.create_retention_policy()
            }
            _ => self.create_subscription(),
        }
    }

    pub(super) fn drop(&mut self) -> Result<Statement> {
        let word = self.keyword(&[
            K::Continuous,
            K::Database,
            K::Measurement,
            K::Retention,
            K::Series,
            K::Shard,
            K::Subscription,
            K::User,
        ])?;
        match word {
            K::Continuous => {
                self.expect_words(&[K::Query])?;
                let (name, database) = self.name_on_database()?;
                Ok(Statement::DropContinuousQuery { name, database })
            }
            K::Database => Ok(Statement::DropDatabase {
                name: self.ident()?,
            }),
            K::Measurement => Ok(Statement::DropMeasurement {
                name: self.ident()?,
            }),
            K::Retention => {
                self.expect_words(&[K::Policy])?;
                let (name, database) = self.name_on_database()?;
                Ok(Statement::DropRetentionPolicy { name, database })
            }
            K::Series => self.drop_series(),
            K::Shard => Ok(Statement::DropShard { id: self.id()? }),
            K::Subscription => {
                let (name, database) = self.name_on_database()?;
                let policy = self.policy()?;
                Ok(Statement::DropSubscription {
                    name,
                    database,
                    policy,
                })
            }
            _ => Ok(Statement::DropUser {
                name: self.ident()?,
            }),
        }
    }

    /// `name ON database`
    fn name_on_database(&mut self) -> Result<(String, String)> {
        let name = self.ident()?;
        self.expect_words(&[K::On])?;
        Ok((name, self.ident()?))
    }

    /// `.policy`
    fn policy(&mut self) -> Result<String> {
        let token = self.scan();
        if token.kind != Kind::Dot {
            return Err(unexpected(&token, &["."]));
        }
        self.ident()
    }

    fn create_database(&mut self) -> Result<Statement> {
        let mut create = CreateDatabase {
            name: self.ident()?,
            duration: None,
            replication: None,
            shard_duration: None,
            policy: None,
        };
        if self.take_word(K::With) {
            self.keyword(&[K::Duration, K::Name, K::Replication, K::Shard])?;
            self.back();
            if self.take_word(K::Duration) {
                create.duration = Some(self.duration()?);
            }
            if self.take_word(K::Replication) {
                create.replication = Some(self.replication()?);
            }
            if self.take_word(K::Shard) {
                self.expect_words(&[K::Duration])?;
                create.shard_duration = Some(self.duration()?);
            }
            if self.take_word(K::Name) {
                create.policy = Some(self.ident()?);
            }
        }
        Ok(Statement::CreateDatabase(create))
    }

    fn create_retention_policy(&mut self) -> Result<Statement> {
        let (name, database) = self.name_on_database()?;
        self.expect_words(&[K::Duration])?;
        let duration = self.duration()?;
        self.expect_words(&[K::Replication])?;
        let replication = self.replication()?;
        let shard_duration = if self.take_word(K::Shard) {
            Some(self.shard_duration()?)
        } else {
            None
        };
        Ok(Statement::CreateRetentionPolicy(CreateRetentionPolicy {
            name,
            database,
            duration,
            replication,
            shard_duration,
            default: self.take_word(K::Default),
        }))
    }

    pub(super) fn alter(&mut self) -> Result<Statement> {
        self.expect_words(&[K::Retention, K::Policy])?;
        let name = if self.take_word(K::Default) {
            "default".to_owned()
        } else {
            self.ident()?
        };
        self.expect_words(&[K::On])?;
        let mut alter = AlterRetentionPolicy {
            name,
            database: self.ident()?,
            duration: None,
            replication: None,
            shard_duration: None,
            default: false,
        };
        let mut found = Vec::new();
        loop {
            let token = self.next();
            let word = match token.kind {
                Kind::Word(word @ (K::Duration | K::Replication | K::Shard | K::Default)) => word,
                _ if found.is_empty() => {
                    let expected = ["DURATION", "REPLICATION", "SHARD", "DEFAULT"];
                    return Err(unexpected(&token, &expected));
                }
                _ => {
                    self.back();
                    return Ok(Statement::AlterRetentionPolicy(alter));
                }
            };
            if found.contains(&word) {
                let message = format!("found duplicate {} option", word.as_str());
                return Err(at(&message, token.pos));
            }
            found.push(word);
            match word {
                K::Duration => alter.duration = Some(self.duration()?),
                K::Replication => alter.replication = Some(self.replication()?),
                K::Shard => alter.shard_duration = Some(self.shard_duration()?),
                _ => alter.default = true,
            }
        }
    }

    fn create_user(&mut self) -> Result<Statement> {
        let name = self.ident()?;
        self.expect_words(&[K::With, K::Password])?;
        let password = self.password()?;
        let admin = self.take_word(K::With);
        if admin {
            self.expect_words(&[K::All, K::Privileges])?;
        }
        Ok(Statement::CreateUser(CreateUser {
            name,
            password,
            admin,
        }))
    }

    pub(super) fn set_password(&mut self) -> Result<Statement> {
        self.expect_words(&[K::Password, K::For])?;
        let user = self.ident()?;
        self.expect(Kind::Eq)?;
        Ok(Statement::SetPassword(SetPassword {
            user,
            password: self.password()?,
        }))
    }

    /// A text that no error message may quote, though its closing quote be missing.
    fn password(&mut self) -> Result<Password> {
        let token = self.next();
        match token.kind {
            Kind::String => Ok(Password::new(token.text)),
            Kind::BadString | Kind::BadEscape => Err(unexpected(
                &Token {
                    text: "[REDACTED]".to_owned(),
                    ..token
                },
                &["string"],
            )),
            _ => Err(unexpected(&token, &["string"])),
        }
    }

    pub(super) fn grant(&mut self) -> Result<Statement> {
        let privilege = self.privilege()?;
        let token = self.next();
        match token.kind {
            Kind::Word(K::On) => {
                let database = self.ident()?;
                self.expect_words(&[K::To])?;
                let user = self.ident()?;
                Ok(Statement::Grant(Grant {
                    privilege,
                    database,
                    user,
                }))
            }
            Kind::Word(K::To) if privilege == Privilege::All => Ok(Statement::GrantAll {
                user: self.ident()?,
            }),
            _ if privilege == Privilege::All => Err(unexpected(&token, &["ON", "TO"])),
            _ => Err(unexpected(&token, &["ON"])),
        }
    }

    pub(super) fn revoke(&mut self) -> Result<Statement> {
        let privilege = self.privilege()?;
        let token = self.next();
        match token.kind {
            Kind::Word(K::On) => {
                let database = self.ident()?;
                self.expect_words(&[K::From])?;
                let user = self.ident()?;
                Ok(Statement::Revoke(Revoke {
                    privilege,
                    database,
                    user,
                }))
            }
            Kind::Word(K::From) if privilege == Privilege::All => Ok(Statement::RevokeAll {
                user: self.ident()?,
            }),
            _ if privilege == Privilege::All => Err(unexpected(&token, &["ON", "FROM"])),
            _ => Err(unexpected(&token, &["ON"])),
        }
    }

    fn privilege(&mut self) -> Result<Privilege> {
        let token = self.next();
        match token.kind {
            Kind::Word(K::Read) => Ok(Privilege::Read),
            Kind::Word(K::Write) => Ok(Privilege::Write),
            Kind::Word(K::All) => {
                self.take_word(K::Privileges);
                Ok(Privilege::All)
            }
            _ => Err(unexpected(&token, &["READ", "WRITE", "ALL [PRIVILEGES]"])),
        }
    }

    pub(super) fn kill(&mut self) -> Result<Statement> {
        self.expect_words(&[K::Query])?;
        Ok(Statement::KillQuery {
            id: self.id()?,
            host: self.on()?,
        })
    }

    fn create_subscription(&mut self) -> Result<Statement> {
        let (name, database) = self.name_on_database()?;
        let policy = self.policy()?;
        self.expect_words(&[K::Destinations])?;
        let mode = match self.keyword(&[K::All, K::Any])? {
            K::All => Destinations::All,
            _ => Destinations::Any,
        };
        let mut destinations = vec![self.string()?];
        while self.take(Kind::Comma) {
            destinations.push(self.string()?);
        }
        Ok(Statement::CreateSubscription(CreateSubscription {
            name,
            database,
            policy,
            mode,
            destinations,
        }))
    }

    fn create_continuous_query(&mut self) -> Result<Statement> {
        let (name, database) = self.name_on_database()?;
        let (mut every, mut resample_for) = (None, None);
        if self.take_word(K::Resample) {
            every = self.resample(K::Every)?;
            resample_for = self.resample(K::For)?;
            if every.is_none() && resample_for.is_none() {
                return Err(unexpected(&self.next(), &["EVERY", "FOR"]));
            }
        }
        self.expect_words(&[K::Begin, K::Select])?;
        let select = self.select_into()?;
        self.expect_words(&[K::End])?;
        Ok(Statement::CreateContinuousQuery(Box::new(
            CreateContinuousQuery {
                name,
                database,
                every,
                resample_for,
                select,
            },
        )))
    }

    fn resample(&mut self, word: K) -> Result<Option<i64>> {
        if !self.take_word(word) {
            return Ok(None);
        }
        let token = self.next();
        if token.kind != Kind::Duration {
            return Err(unexpected(&token, &["duration"]));
        }
        duration(&token).map(Some)
    }

    /// A duration; zero for `INF`.
    fn duration(&mut self) -> Result<i64> {
        let token = self.next();
        match token.kind {
            Kind::Word(K::Inf) => Ok(0),
            Kind::Duration => duration(&token),
            _ => Err(unexpected(&token, &["duration"])),
        }
    }

    /// `DURATION dur`, which cannot be endless.
    fn shard_duration(&mut self) -> Result<i64> {
        self.expect_words(&[K::Duration])?;
        let token = self.next();
        if token.kind == Kind::Word(K::Inf) {
            return Err(at("invalid duration INF for shard duration", token.pos));
        }
        self.back();
        self.duration()
    }

    fn replication(&mut self) -> Result<u32> {
        const MOST: i64 = 2_147_483_647;
        let token = self.integer()?;
        let copies: i64 = token
            .text
            .parse()
            .map_err(|_| out_of_range("Atoi", &token))?;
        match u32::try_from(copies) {
            Ok(copies @ 1..=0x7fff_ffff) => Ok(copies),
            _ => Err(at(
                &format!("invalid value {copies}: must be 1 <= n <= {MOST}"),
                token.pos,
            )),
        }
    }

    fn id(&mut self) -> Result<u64> {
        let token = self.integer()?;
        token
            .text
            .parse()
            .map_err(|_| out_of_range("ParseUint", &token))
    }

    fn integer(&mut self) -> Result<Token> {
        let token = self.next();
        if token.kind == Kind::Integer {
            Ok(token)
        } else {
            Err(unexpected(&token, &["integer"]))
        }
    }
}

fn duration(token: &Token) -> Result<i64> {
    parse_duration(&token.text).map_err(|error| at(&error.to_string(), token.pos))
}

fn out_of_range(function: &str, token: &Token) -> ParseError {
    let message = format!(
        "strconv.{function}: parsing \"{}\": value out of range",
        token.text
    );
    at(&message, token.pos)
}
