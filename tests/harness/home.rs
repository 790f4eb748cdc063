//! Where servers keep everything.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;

use influxd_store_postgres::scratch::ScratchCluster;
use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::server::{Server, influxd};

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it printed beside.
    pub stderr: String,
}

impl Ran {
    /// What a command that went well printed.
    #[track_caller]
    pub fn printed(self) -> String {
        assert!(self.status.success(), "{self:?}");
        self.stdout
    }

    /// The same, as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.printed();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text:?}"))
    }

    /// A command that failed and said why.
    #[track_caller]
    pub fn is_refused(self, texts: &[&str]) {
        assert!(!self.status.success(), "{self:?}");
        let said = format!("{}{}", self.stdout, self.stderr);
        for text in texts {
            assert!(said.contains(text), "{text:?} is not in {said}");
        }
    }
}

/// Where the servers of a test keep everything; gone when the test ends.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    store: HomeStore,
}

#[derive(Debug)]
enum HomeStore {
    Sqlite,
    Postgres {
        cluster: Arc<ScratchCluster>,
        url: String,
    },
}

impl Home {
    /// A folder with an SQLite file in it.
    pub fn sqlite() -> Self {
        Self {
            folder: new_folder(),
            store: HomeStore::Sqlite,
        }
    }

    /// A new database on the PostgreSQL cluster that the tests of this process share.
    pub async fn postgres() -> Self {
        Self::on_cluster(started(ScratchCluster::shared())).await
    }

    /// A new database on a PostgreSQL cluster of its own, to be stopped by the test.
    pub async fn postgres_alone() -> Self {
        Self::on_cluster(Arc::new(started(ScratchCluster::start()))).await
    }

    async fn on_cluster(cluster: Arc<ScratchCluster>) -> Self {
        let url = started(cluster.create_database().await);
        Self {
            folder: new_folder(),
            store: HomeStore::Postgres {
                cluster,
                url: url.expose_secret().to_owned(),
            },
        }
    }

    /// Two servers on one database, set up, and an operator at each.
    pub async fn with_two_servers(flags: &[&str]) -> (Self, [Server; 2], [Client; 2]) {
        let home = Self::postgres().await;
        let one = home.server_with(flags).await;
        let at_one = one.set_up().await;
        let other = home.server_with(flags).await;
        let at_other = other.operator();
        (home, [one, other], [at_one, at_other])
    }

    /// The folder that servers run in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// All folders whose files hold something of this home.
    pub fn all_folders(&self) -> Vec<PathBuf> {
        let own = self.folder().to_owned();
        match &self.store {
            HomeStore::Sqlite => vec![own],
            HomeStore::Postgres { .. } => {
                // PostgreSQL's log lies beside its data.
                let data = PathBuf::from(self.asks_database("SHOW data_directory"));
                vec![own, data.parent().map_or(data.clone(), Path::to_owned)]
            }
        }
    }

    /// Whether several servers can share it.
    pub const fn is_shared(&self) -> bool {
        matches!(self.store, HomeStore::Postgres { .. })
    }

    /// The PostgreSQL cluster below.
    ///
    /// # Panics
    /// If there is none.
    pub fn cluster(&self) -> &ScratchCluster {
        match &self.store {
            HomeStore::Postgres { cluster, .. } => cluster,
            HomeStore::Sqlite => panic!("this home is on SQLite"),
        }
    }

    /// What PostgreSQL itself answers to a statement, as `psql -At` prints it.
    pub fn asks_database(&self, sql: &str) -> String {
        let HomeStore::Postgres { url, .. } = &self.store else {
            panic!("this home is on SQLite");
        };
        let output = Command::new("psql")
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
            .output()
            .expect("psql runs; it is in Debian's package postgresql-client");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The flags that make a server use it.
    pub fn flags(&self) -> Vec<String> {
        let data = self.folder().join("data");
        let mut flags = vec![format!(
            "--sqlite-path={}",
            data.join("influxd.sqlite").display()
        )];
        if let HomeStore::Postgres { url, .. } = &self.store {
            flags.push(format!("--store-url={url}"));
        }
        flags
    }

    /// Starts a server.
    pub async fn server(&self) -> Server {
        self.server_with(&[]).await
    }

    /// Starts a server with further flags.
    pub async fn server_with(&self, flags: &[&str]) -> Server {
        Server::start(self, flags).await
    }

    /// Starts a server with further flags, and does not even wait until it listens.
    pub fn launches(&self, flags: &[&str]) -> Server {
        Server::launch(self, flags)
    }

    /// The binary, to be started in the folder of this home without any setting from outside.
    pub fn command(&self) -> Command {
        let mut command = Command::new(influxd());
        command
            .current_dir(self.folder())
            .env("HOME", self.folder())
            .stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("INFLUX") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a command of the binary on the store of this home to its end.
    pub fn runs(&self, arguments: &[&str]) -> Ran {
        let output = self.command().args(arguments).args(self.flags()).output();
        let output = output.expect("influxd starts");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Ran {
            status: output.status,
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Makes an operator token for a user of an organization, without a server.
    pub fn recovers_operator(&self, user: &str, org: &str, flags: &[&str]) -> Ran {
        let command = ["recovery", "auth", "create-operator"];
        let of_whom = ["--username", user, "--org", org];
        self.runs(&[&command[..], &of_whom, flags].concat())
    }
}

fn new_folder() -> TempDir {
    TempDir::with_prefix("influxd-test-").expect("a folder for a test")
}

/// What was started; a failure says what to do about it.
fn started<T>(result: std::io::Result<T>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}
