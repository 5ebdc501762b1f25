//! A durable Postgres that a harness may stop as a crash would, and start again: same data, same
//! port, same password. It ends with the harness, however that ends.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use fargate_fleet::config::Environment;
use fargate_fleet::rng::Rng;
use fargate_fleet::throwaway_postgres::{OsUser, find_programs, os_user};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Standard input is a pipe: when its other end closes, the server is stopped `immediate`.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -s QUIT "$server"; } &
wait "$server"
"#;
/// Recovery after a crash included.
const READY_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(20);
const SUPERUSER: &str = "fleet";

/// One server: its data directory, its port, and its process while it runs.
pub struct Server {
    /// First, so that a drop ends it before its directory goes.
    running: Option<Child>,
    programs: PathBuf,
    user: Option<OsUser>,
    directory: TempDir,
    port: u16,
    password: String,
    settings: Vec<String>,
}

impl Server {
    /// Makes an empty cluster with these settings (`name=value`) beside Postgres' defaults, and
    /// leaves it stopped.
    pub async fn make(settings: &[&str]) -> anyhow::Result<Self> {
        let programs = find_programs(Environment::read().postgres_binaries().as_deref()).await?;
        let server = Self {
            running: None,
            programs,
            user: os_user()?,
            directory: tempfile::Builder::new()
                .prefix("fargate-fleet-server-")
                .tempdir()?,
            port: free_port()?,
            password: format!("{:032x}", u128::from_be_bytes(Rng::from_os().bytes())),
            settings: settings.iter().map(|&setting| setting.into()).collect(),
        };
        server.own(server.directory.path())?;
        server.initdb().await?;
        Ok(server)
    }

    /// Starts it, and returns when it answers.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        ensure!(self.running.is_none(), "the server runs already");
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log())?;
        let mut command = self.command("/bin/sh");
        command
            .args(["-c", SCRIPT, "fargate-fleet-server"])
            .arg(self.programs.join("postgres"))
            .arg("-D")
            .arg(self.data())
            .args(self.arguments())
            .stdin(Stdio::piped())
            .stderr(log)
            // A terminal's Ctrl-C goes to its foreground group, which this leaves.
            .process_group(0);
        self.running = Some(command.spawn().context("starting Postgres")?);
        self.until_it_answers().await
    }

    /// Stops it as a crash would: nothing is flushed, and the next start recovers from the log.
    pub async fn stop_immediate(&mut self) -> anyhow::Result<()> {
        let mut child = self.running.take().context("the server does not run")?;
        drop(child.stdin.take());
        let ended = tokio::time::timeout(STOP_WITHIN, child.wait()).await;
        ended.context("Postgres did not stop in time")??;
        Ok(())
    }

    /// Stops it for good, if it runs.
    pub async fn end(&mut self) {
        if self.running.is_some()
            && let Err(error) = self.stop_immediate().await
        {
            eprintln!("{error:#}");
        }
    }

    /// The URL of a database on it, for the superuser: never log it.
    pub fn url(&self, database: &str) -> String {
        let Self { port, password, .. } = self;
        format!("postgres://{SUPERUSER}:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    /// Makes an empty database.
    pub async fn create_database(&self, name: &str) -> anyhow::Result<()> {
        let mut admin = PgConnection::connect(&self.url("postgres")).await?;
        let create = format!("create database {name}");
        admin.execute(AssertSqlSafe(create)).await?;
        Ok(admin.close().await?)
    }

    async fn initdb(&self) -> anyhow::Result<()> {
        let password = self.directory.path().join("password");
        std::fs::write(&password, &self.password)?;
        self.own(&password)?;
        let made = self
            .command(self.programs.join("initdb"))
            .arg("-D")
            .arg(self.data())
            .args(["-U", SUPERUSER, "-E", "UTF8", "--locale=C"])
            .args(["--no-sync", "--no-instructions", "--auth=scram-sha-256"])
            .arg(format!("--pwfile={}", password.display()))
            .stdin(Stdio::null())
            .output()
            .await
            .context("running initdb")?;
        std::fs::remove_file(password)?;
        let told = String::from_utf8_lossy(&made.stderr);
        ensure!(made.status.success(), "initdb failed:\n{told}");
        Ok(())
    }

    /// A command as the server's user, with none of our environment.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C"), ("TZ", "UTC")])
            .current_dir(self.directory.path())
            .stdout(Stdio::null());
        if let Some(OsUser { uid, gid }) = self.user {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
        command
    }

    fn arguments(&self) -> Vec<String> {
        let own = [
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
        ];
        let all = own.into_iter().chain(self.settings.iter().cloned());
        all.flat_map(|setting| ["-c".to_owned(), setting]).collect()
    }

    async fn until_it_answers(&mut self) -> anyhow::Result<()> {
        let url = self.url("postgres");
        let deadline = tokio::time::Instant::now() + READY_WITHIN;
        while tokio::time::Instant::now() < deadline {
            if let Ok(connection) = PgConnection::connect(&url).await {
                return Ok(connection.close().await?);
            }
            let ended = self.running.as_mut().map(Child::try_wait).transpose()?;
            if ended.flatten().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(20)..].join("\n");
        bail!("Postgres did not come up; its log ends with:\n{tail}")
    }

    fn own(&self, path: &Path) -> std::io::Result<()> {
        match self.user {
            Some(OsUser { uid, gid }) => chown(path, Some(uid.as_raw()), Some(gid.as_raw())),
            None => Ok(()),
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Ours, not the server's: it is opened before the process changes its user.
    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
