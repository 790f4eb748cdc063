//! The file and the connections to it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use influxd_store::{Result, StoreError};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::error::SqliteFailure;

/// How long a statement waits for a lock that another process holds.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How every connection is opened (storage study 8.1). The order in which sqlx sends the settings
/// matters: page size and vacuum mode before the journal mode, which writes the first page.
pub(crate) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .page_size(4096)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", "0")
        .pragma("cache_size", "-16384")
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Makes the file, with its folder, where they are missing, and takes away what others may do to
/// it. SQLite gives its log and its index the mode of the file. Returns where it is, whatever links
/// lead there: what lies beside it has to be found by everybody.
pub(crate) fn prepare_file(path: &Path) -> Result<PathBuf> {
    let attempt = || -> io::Result<PathBuf> {
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        private_file(path)?;
        let path = path.canonicalize()?;
        for suffix in ["-wal", "-shm"] {
            let beside = beside(&path, suffix);
            if beside.exists() {
                make_private(&beside)?;
            }
        }
        Ok(path)
    };
    attempt().map_err(|error| {
        let text = format!("cannot open the database file {}: {error}", path.display());
        StoreError::Unavailable(Box::new(SqliteFailure(text)))
    })
}

/// The path with something appended to its last part.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    make_private(path)?;
    Ok(file)
}

fn make_private(path: &Path) -> io::Result<()> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o177 != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// How often, and how far apart, a lock is tried for again.
const LOCK_ATTEMPTS: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// What is written in the lock file, if somebody serves `path`.
pub(crate) fn server_of(path: &Path) -> io::Result<Option<String>> {
    let lock = beside(path, ".lock");
    let mut file = match File::open(lock) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            Ok(Some(text.trim().to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Locks the file beside `path` that stands for serving it. The lock goes with the returned file,
/// and with the process.
pub(crate) fn lock_for_serving(path: &Path) -> Result<File> {
    let file = private_file(&beside(path, ".lock")).map_err(|error| {
        let text = format!("cannot open the lock file of {}: {error}", path.display());
        StoreError::Unavailable(Box::new(SqliteFailure(text)))
    })?;
    let mut locked = file.try_lock();
    for _ in 0..LOCK_ATTEMPTS {
        if !matches!(locked, Err(TryLockError::WouldBlock)) {
            break;
        }
        // Maybe somebody only looks.
        std::thread::sleep(LOCK_PAUSE);
        locked = file.try_lock();
    }
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Unusable(format!(
            "another server is using {}: stop it, or give this one a file of its own \
             (or use PostgreSQL, which any number of servers can share)",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => {
            let text = format!("cannot lock the file of {}: {error}", path.display());
            Err(StoreError::Unavailable(Box::new(SqliteFailure(text))))
        }
    }
}
