//! What the black-box tests need: homes for servers, server processes, and clients of them.
//!
//! A [`Home`] is where servers keep everything: a folder with an SQLite file, or a PostgreSQL
//! database. A [`Server`] is a real `influxd` process on a home, the binary that stands beside
//! the test's own in the target folder. A [`Client`] writes and asks over HTTP with a token.
//!
//! A story runs on both stores: [`on_both_stores!`] makes two tests of it.

mod answer;
mod client;
mod home;
mod people;
mod search;
mod server;

pub use answer::{Answer, number};
pub use client::{Client, Credential, Person, SESSION_COOKIE};
pub use home::{Home, Ran};
pub use people::{Issued, Permission, all_access};
pub use search::{Search, files_below};
pub use server::{Server, Stopped, influxd};

/// The token that the harness sets servers up with.
pub const OPERATOR_TOKEN: &str = "operator-token-for-tests-9d2f6c1e4b8a7035";
/// The organization that it sets up.
pub const ORG: &str = "acme";
/// The bucket that it sets up.
pub const BUCKET: &str = "climate";

/// Makes of each story (an `async fn(Home)`) one test on SQLite and one on PostgreSQL.
#[macro_export]
macro_rules! on_both_stores {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    super::$story($crate::Home::sqlite()).await;
                }
            )+
        }
        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    super::$story($crate::Home::postgres().await).await;
                }
            )+
        }
    };
}
