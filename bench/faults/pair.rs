//! A primary and its synchronous standby, by streaming replication; the standby can be promoted.
//!
//! The primary is a throw-away server with default durability. The standby is a copy of it in a
//! directory of its own, and ends with the harness too, however that ends.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fargate_fleet::config::Environment;
use fargate_fleet::throwaway_postgres::{
    Options, OsUser, ThrowawayPostgres, find_programs, os_user,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Standard input is a pipe: when its other end closes, the server is stopped.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -s QUIT "$server"; } &
wait "$server"
"#;
const CONNECTIONS: u16 = 200;
/// How long the standby may take to be one.
const IN_STEP_WITHIN: Duration = Duration::from_secs(30);

/// Both servers; those of the old primary's sessions that wait for the standby are answered when
/// it has their commit on disk.
pub struct Pair {
    primary: ThrowawayPostgres,
    standby: Standby,
}

struct Standby {
    /// First, so that a drop ends it before its directory goes.
    server: Child,
    programs: PathBuf,
    user: Option<OsUser>,
    port: u16,
    directory: TempDir,
}

impl Pair {
    /// Starts both; returns when a commit on the primary waits for the standby.
    pub async fn start() -> anyhow::Result<Self> {
        let binaries = Environment::read().postgres_binaries();
        let programs = find_programs(binaries.as_deref()).await?;
        let options = Options {
            binaries,
            durable: true,
            max_connections: CONNECTIONS,
            shared_buffers_mib: 128,
            parent: None,
        };
        let primary = ThrowawayPostgres::start(options).await?;
        let url = primary.admin_url();
        let standby = Standby::of(&url, programs).await?;
        let mut admin = PgConnection::connect(&url).await?;
        admin
            .execute("alter system set synchronous_standby_names = '*'")
            .await?;
        admin.execute("select pg_reload_conf()").await?;
        tokio::time::timeout(IN_STEP_WITHIN, in_step(&mut admin))
            .await
            .context("the standby did not catch up in time")??;
        admin.close().await?;
        Ok(Self { primary, standby })
    }

    /// The port of the first primary.
    pub fn port(&self) -> u16 {
        self.primary.port()
    }

    /// The URL with both hosts, the first primary's by way of this port: never log it.
    pub fn url(&self, port: u16) -> String {
        let first = format!("127.0.0.1:{}", self.primary.port());
        let both = format!("127.0.0.1:{port},127.0.0.1:{}", self.standby.port);
        let url = self.primary.url().replace(&first, &both);
        format!("{url}&target_session_attrs=read-write")
    }

    /// The standby alone.
    pub fn standby(&self) -> anyhow::Result<PgConnectOptions> {
        let options: PgConnectOptions = self.primary.url().parse()?;
        Ok(options.port(self.standby.port))
    }

    /// Stops the primary as a crash would: nothing is said to anyone, nothing is flushed.
    pub fn kill_primary(&self) -> anyhow::Result<()> {
        let file = self.primary.directory().join("data/postmaster.pid");
        let text = std::fs::read_to_string(file)?;
        let id: i32 = text
            .lines()
            .next()
            .context("a process id")?
            .trim()
            .parse()?;
        Ok(kill(Pid::from_raw(id), Signal::SIGQUIT)?)
    }

    /// Makes the standby the primary; returns when it is.
    pub async fn promote(&self) -> anyhow::Result<()> {
        let standby = &self.standby;
        let mut command = standby.command("pg_ctl");
        command
            .args(["promote", "--wait", "-D"])
            .arg(standby.data());
        done(command, "pg_ctl promote").await
    }

    /// Ends both.
    pub async fn stop(mut self) {
        drop(self.standby.server.stdin.take());
        let ended = self.standby.server.wait();
        let _ = tokio::time::timeout(Duration::from_secs(10), ended).await;
        self.primary.stop().await;
    }
}

impl Standby {
    /// Copies the primary and starts the copy.
    async fn of(primary: &str, programs: PathBuf) -> anyhow::Result<Self> {
        let (user, port) = (os_user()?, free_port()?);
        let directory = tempfile::Builder::new()
            .prefix("fargate-fleet-standby-")
            .tempdir()?;
        own(directory.path(), user)?;
        let data = directory.path().join("data");
        let mut copy = as_user(programs.join("pg_basebackup"), user, directory.path());
        copy.args(["--write-recovery-conf", "--wal-method=stream"])
            .args(["--checkpoint=fast", "--no-sync", "--dbname", primary, "-D"])
            .arg(&data);
        done(copy, "pg_basebackup").await?;
        let log = std::fs::File::create(directory.path().join("log"))?;
        let settings = [
            format!("port={port}"),
            format!("max_connections={CONNECTIONS}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            // Once it is the primary nobody is there to wait for.
            "synchronous_standby_names=".to_owned(),
        ];
        let server = as_user("/bin/sh", user, directory.path())
            .args(["-c", SCRIPT, "fargate-fleet-standby"])
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::piped())
            .stderr(log)
            // A terminal's Ctrl-C goes to its foreground group, which this leaves.
            .process_group(0)
            .spawn()
            .context("starting the standby")?;
        Ok(Self {
            server,
            programs,
            user,
            port,
            directory,
        })
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        as_user(
            self.programs.join(program),
            self.user,
            self.directory.path(),
        )
    }
}

/// Returns when the standby is one that commits wait for.
async fn in_step(admin: &mut PgConnection) -> Result<(), sqlx::Error> {
    let query = "select count(*) from pg_stat_replication where sync_state = 'sync'";
    loop {
        let in_step: i64 = sqlx::query_scalar(query).fetch_one(&mut *admin).await?;
        if in_step > 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A command as the server's user, with none of our environment.
fn as_user(program: impl AsRef<OsStr>, user: Option<OsUser>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C"), ("TZ", "UTC")])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if let Some(OsUser { uid, gid }) = user {
        command.uid(uid.as_raw()).gid(gid.as_raw());
    }
    command
}

async fn done(mut command: Command, what: &str) -> anyhow::Result<()> {
    let ended = command.stderr(Stdio::piped()).output().await;
    let ended = ended.with_context(|| format!("running {what}"))?;
    let told = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{what} failed:\n{told}");
    Ok(())
}

fn own(path: &Path, user: Option<OsUser>) -> std::io::Result<()> {
    match user {
        Some(OsUser { uid, gid }) => chown(path, Some(uid.as_raw()), Some(gid.as_raw())),
        None => Ok(()),
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
