//! The process between us and the server: it outlives us by just long enough to clean up.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::error::StartError;
use super::os_user::{self, OsUser};

const SCRIPT: &str = include_str!("supervisor.sh");
/// Longer than the script's own bounds, so that it is the script that decides.
const STOP_WITHIN: Duration = Duration::from_secs(20);
/// A socket's path may have 103 bytes on macOS; `/.s.PGSQL.65535.lock` is the longest ending.
const LONGEST_SOCKET_DIRECTORY: usize = 83;
/// How many of the log's last lines an error shows.
const LOG_LINES: usize = 20;

/// A supervisor and the directory it will remove.
#[derive(Debug)]
pub(super) struct Supervisor {
    /// Its standard input is the pipe whose closing ends everything.
    child: Child,
    directory: PathBuf,
}

impl Supervisor {
    /// Makes the directory and starts the supervisor, which runs `initdb` and then the server.
    pub(super) fn spawn(
        (binaries, parent): (&Path, Option<&Path>),
        password: &str,
        server_arguments: Vec<String>,
    ) -> Result<Self, StartError> {
        let user = os_user::for_server()?;
        let directory =
            prepare_directory(parent, password, user).map_err(|source| StartError::Io {
                doing: "preparing a directory",
                source,
            })?;
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT, "fargate-fleet-postgres"])
            .args([directory.path(), binaries])
            .args(server_arguments)
            .args(["-c".to_owned(), socket_setting(directory.path())])
            // Neither PG* variables nor our credentials reach the server.
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C"), ("TZ", "UTC")])
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A terminal's Ctrl-C goes to its foreground group, which this leaves.
            .process_group(0);
        if let Some(OsUser { uid, gid }) = user {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
        let child = command.spawn().map_err(|source| StartError::Io {
            doing: "starting the supervisor",
            source,
        })?;
        Ok(Self {
            child,
            directory: directory.keep(),
        })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// True once `initdb` has failed or the server has ended.
    pub(super) fn server_has_ended(&self) -> bool {
        self.directory.join("ended").exists()
    }

    /// The last lines of what `initdb` or the server wrote.
    pub(super) fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Closes the pipe and waits until the supervisor has cleaned up.
    pub(super) async fn stop(mut self) {
        drop(self.child.stdin.take());
        let ended = tokio::time::timeout(STOP_WITHIN, self.child.wait()).await;
        if !matches!(ended, Ok(Ok(_))) {
            tracing::warn!(
                directory = %self.directory.display(),
                "the throw-away PostgreSQL server did not end in time; its supervisor goes on trying",
            );
        }
    }
}

/// A fresh directory with the password for `initdb`, both for the server's user alone.
fn prepare_directory(
    parent: Option<&Path>,
    password: &str,
    user: Option<OsUser>,
) -> io::Result<TempDir> {
    let parent = parent.map_or_else(|| parent_directory(user), Path::to_path_buf);
    let directory = tempfile::Builder::new()
        .prefix("fargate-fleet-postgres-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)?;
    let password_file = directory.path().join("password");
    let mut open = std::fs::OpenOptions::new();
    let mut file = open
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&password_file)?;
    io::Write::write_all(&mut file, password.as_bytes())?;
    // Also proves that the mode is what we asked for under any umask.
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(directory.path().join("data"))?;
    if let Some(OsUser { uid, gid }) = user {
        for path in [
            password_file.as_path(),
            &directory.path().join("data"),
            directory.path(),
        ] {
            chown(path, Some(uid.as_raw()), Some(gid.as_raw()))?;
        }
    }
    Ok(directory)
}

/// The system's temporary directory, unless another user could not make and remove things there.
fn parent_directory(user: Option<OsUser>) -> PathBuf {
    let usual = std::env::temp_dir();
    let open_to_all = |path: &Path| {
        path.metadata()
            .is_ok_and(|metadata| metadata.permissions().mode() & 0o007 == 0o007)
    };
    if user.is_some() && !open_to_all(&usual) {
        PathBuf::from("/tmp")
    } else {
        usual
    }
}

/// The socket goes in the directory too, or nowhere when its path would be too long for one.
fn socket_setting(directory: &Path) -> String {
    let path = directory.display().to_string();
    let fits = path.len() <= LONGEST_SOCKET_DIRECTORY && !path.contains([',', '"', '\'', ' ']);
    format!(
        "unix_socket_directories={}",
        if fits { path.as_str() } else { "" }
    )
}
