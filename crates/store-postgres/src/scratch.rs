//! A throw-away PostgreSQL cluster for tests, behind the cargo feature `scratch`.
//!
//! One cluster serves all tests of a process ([`ScratchCluster::shared`]), one database each test.
//! It is as durable as a real one, listens on 127.0.0.1 only, and trusts whoever connects. A shell
//! that waits for the end of its standard input stops it and removes its files: so nothing is
//! left, however the test process ends.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;
use sqlx::{ConnectOptions, Connection, Executor};

use crate::connection::connect_options;

/// The name that the cluster knows its owner by.
const USER: &str = "influxd";

/// A PostgreSQL cluster that lives as long as this.
#[derive(Debug)]
pub struct ScratchCluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    databases: AtomicU64,
    /// The shell that ends it all; taken by `drop`.
    guardian: Option<(Child, ChildStdin)>,
}

/// Never dropped: the guardian ends it with the process.
static SHARED: Mutex<Option<Arc<ScratchCluster>>> = Mutex::new(None);

impl ScratchCluster {
    /// The cluster of this process, started when first asked for. It ends with the process.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn shared() -> io::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = &*shared {
            return Ok(Arc::clone(cluster));
        }
        let cluster = Arc::new(Self::start()?);
        *shared = Some(Arc::clone(&cluster));
        Ok(cluster)
    }

    /// Makes and starts a cluster.
    ///
    /// # Errors
    ///
    /// Says which Debian package to install when PostgreSQL is missing; else what failed.
    pub fn start() -> io::Result<Self> {
        let programs = find_programs()?;
        let folder = tempfile::Builder::new()
            .prefix("influxd-postgres-")
            .tempdir()?
            .keep();
        if let Some((user, group)) = stand_in() {
            std::os::unix::fs::chown(&folder, Some(user), Some(group))?;
        }
        let mut cluster = Self {
            programs,
            folder,
            port: free_port()?,
            databases: AtomicU64::new(0),
            guardian: None,
        };
        cluster.guardian = Some(cluster.guard()?);
        let data = cluster.data();
        run(cluster
            .unprivileged("initdb")
            .arg("--pgdata")
            .arg(&data)
            .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8"])
            .args(["--locale", "C.UTF-8", "--no-sync"]))?;
        cluster.start_again()?;
        Ok(cluster)
    }

    /// The URL of a database of the cluster.
    pub fn url(&self, database: &str) -> SecretString {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port).into()
    }

    /// Makes an empty database; returns its URL.
    ///
    /// # Errors
    ///
    /// What PostgreSQL says.
    pub async fn create_database(&self) -> io::Result<SecretString> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("scratch_{number}");
        // A copy of template0 lets nobody wait who copies it at the same time.
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
        let attempt = async {
            let options = connect_options(&self.url("postgres"), None).map_err(io::Error::other)?;
            let mut conn = options.connect().await.map_err(io::Error::other)?;
            let create = conn.execute(sqlx::AssertSqlSafe(sql)).await;
            create.map_err(io::Error::other)?;
            conn.close().await.map_err(io::Error::other)
        };
        attempt.await?;
        Ok(self.url(&name))
    }

    /// Stops it as a crash does: connections are cut, nothing is written any more.
    ///
    /// # Errors
    ///
    /// What `pg_ctl` says.
    pub fn stop_immediate(&self) -> io::Result<()> {
        run(self.control().args(["--mode", "immediate", "stop"]))
    }

    /// Starts it again after [`Self::stop_immediate`].
    ///
    /// # Errors
    ///
    /// What `pg_ctl` says.
    pub fn start_again(&self) -> io::Result<()> {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
             -c max_connections=300 -c shared_buffers=64MB -c logging_collector=off",
            self.port
        );
        run(self
            .control()
            .arg("--log")
            .arg(self.folder.join("log"))
            .args(["--options", &options, "start"]))
    }

    /// The folder with all its files.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn control(&self) -> Command {
        let mut command = self.unprivileged("pg_ctl");
        command.arg("--pgdata").arg(self.data());
        command.args(["--wait", "--silent", "--timeout", "60"]);
        command
    }

    /// One of PostgreSQL's programs, run by a user who may.
    fn unprivileged(&self, program: &str) -> Command {
        let mut command = as_unprivileged(self.programs.join(program).as_os_str());
        command.current_dir(&self.folder);
        command
    }

    /// Starts the shell that outlives this process, if only by a moment.
    fn guard(&self) -> io::Result<(Child, ChildStdin)> {
        let script = r#"trap "" INT TERM HUP
            while read -r _; do :; done
            "$1/pg_ctl" --pgdata "$2/data" --mode immediate --silent stop
            rm -rf "$2""#;
        let mut command = as_unprivileged("sh".as_ref());
        let mut child = command
            .args(["-c", script, "guardian"])
            .arg(&self.programs)
            .arg(&self.folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let stdin = child.stdin.take();
        let stdin = stdin.ok_or_else(|| io::Error::other("the shell has no input"))?;
        Ok((child, stdin))
    }
}

impl Drop for ScratchCluster {
    fn drop(&mut self) {
        if let Some((mut child, stdin)) = self.guardian.take() {
            drop(stdin);
            // Best effort: the folder is a temporary one in any case.
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A command that runs as an ordinary user.
fn as_unprivileged(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = stand_in() {
        command.uid(user).gid(group);
    }
    command
}

/// Who runs PostgreSQL when we are root, whom it refuses: user and group.
fn stand_in() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let find = |name| {
        let line = users.lines().find(|l| l.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(|n| n.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    find("postgres").or_else(|| find("nobody"))
}

/// The folder with PostgreSQL's server programs: on the path, or the newest of Debian's.
fn find_programs() -> io::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| has_programs(folder));
    if let Some(folder) = on_path {
        return Ok(folder);
    }
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, folder)| has_programs(folder))
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, folder)| folder);
    newest.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "these tests need PostgreSQL's server programs (initdb, pg_ctl): \
             install the Debian package `postgresql`",
        )
    })
}

fn has_programs(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|p| folder.join(p).is_file())
}

/// A port that nobody listens on at the moment.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Runs a command to its end; what it wrote to standard error is in the error.
fn run(command: &mut Command) -> io::Result<()> {
    // A file and not a pipe: the server inherits it, and would keep a pipe open.
    let errors = tempfile::tempfile()?;
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors.try_clone()?)
        .status()?;
    if status.success() {
        return Ok(());
    }
    let mut errors = errors;
    let mut text = String::new();
    io::Seek::rewind(&mut errors)?;
    io::Read::read_to_string(&mut errors, &mut text)?;
    let program = command.get_program().display();
    Err(io::Error::other(format!(
        "{program} failed ({status}): {text}"
    )))
}
