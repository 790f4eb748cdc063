//! Who serves a database can be seen by others on it.

use std::time::Duration;

use influxd_store::Store;
use influxd_store_postgres::scratch::ScratchCluster;
use influxd_store_postgres::{PostgresOptions, PostgresStore};
use secrecy::ExposeSecret;

#[tokio::test]
async fn servers_name_themselves() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let tool = PostgresOptions::new(url.clone());
    let tool = PostgresStore::open(tool).await.unwrap();
    assert_eq!(tool.servers().await.unwrap(), [""; 0]);
    let separator = if url.expose_secret().contains('?') {
        "&"
    } else {
        "?"
    };
    let named = format!("{}{separator}application_name=points", url.expose_secret());
    let mut servers = Vec::new();
    for (url, who) in [(url, "process 1 at :1"), (named.into(), "process 2 at :2")] {
        let options = PostgresOptions {
            server: Some(who.to_owned()),
            ..PostgresOptions::new(url)
        };
        servers.push(PostgresStore::open(options).await.unwrap());
    }
    let found = tool.servers().await.unwrap();
    let begin = |n: usize, text: &str| found[n].starts_with(text);
    assert!(
        found.len() == 2 && begin(0, "process 1 at :1") && begin(1, "process 2 at :2"),
        "{found:?}"
    );
    for server in servers {
        server.close().await;
    }
    // PostgreSQL takes its time to notice.
    for _ in 0..100 {
        if tool.servers().await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{:?}", tool.servers().await);
}
