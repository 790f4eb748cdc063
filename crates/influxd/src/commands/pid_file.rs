//! The pid file (influxd-cli 4.8).

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A pid file that exists as long as this does.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes the process id. A file that exists is replaced only when `overwrite` says so.
    pub(super) fn write(path: &Path, overwrite: bool) -> Result<Self> {
        let failed = |why: String| format!("error writing PIDFile {:?}: {why}", path.display());
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            && let Err(e) = fs::create_dir_all(folder)
        {
            bail!(failed(format!("mkdir: {e}")));
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o644);
        let mut opened = options.open(path);
        if let Err(e) = &opened
            && e.kind() == ErrorKind::AlreadyExists
        {
            if !overwrite {
                bail!(failed(
                    "PID file exists (possible unclean shutdown or another instance already \
                     running)"
                        .to_owned()
                ));
            }
            let shown = path.display();
            tracing::warn!(pidFile = %shown, "PID file already exists, attempting to overwrite");
            options.create_new(false).create(true).truncate(true);
            opened = options.open(path);
        }
        let written = opened.and_then(|mut file| write!(file, "{}", std::process::id()));
        match written {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
            }),
            Err(e) => bail!(failed(e.to_string())),
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // It may have been removed by hand; then there is nothing left to do.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_the_process_id_and_goes_with_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/down/influxd.pid");
        let pid_file = PidFile::write(&path, false).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, std::process::id().to_string());
        drop(pid_file);
        assert!(!path.exists());
    }

    #[test]
    fn one_that_exists_is_replaced_only_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("influxd.pid");
        fs::write(&path, "99999999999999").unwrap();
        let error = PidFile::write(&path, false).unwrap_err().to_string();
        assert!(error.contains("PID file exists"), "{error}");
        let _pid_file = PidFile::write(&path, true).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, std::process::id().to_string());
    }

    #[test]
    fn a_path_that_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let path = folder.path().join("file/influxd.pid");
        let error = PidFile::write(&path, true).unwrap_err().to_string();
        assert!(error.contains("mkdir: "), "{error}");
    }
}
