//! A process of the real program: killed without farewell, started again, its log kept in a file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use tokio::process::{Child, Command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_fargate-fleet");

/// One process and what it takes to start it again; killed when it is dropped.
pub struct Process {
    pub name: String,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts the program with nothing in its environment but these variables; what it prints
    /// goes to `<logs>/<name>.log`.
    pub fn start(
        name: &str,
        arguments: &[&str],
        variables: Vec<(&'static str, String)>,
        logs: &Path,
    ) -> anyhow::Result<Self> {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        let log = logs.join(format!("{name}.log"));
        let child = spawn(&arguments, &variables, &log)?;
        Ok(Self {
            name: name.to_owned(),
            arguments,
            variables,
            log,
            child,
        })
    }

    /// Its id at the moment.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// `kill -9`, and a fresh start right after.
    pub async fn kill_and_restart(&mut self) -> anyhow::Result<()> {
        self.kill().await?;
        self.child = spawn(&self.arguments, &self.variables, &self.log)?;
        Ok(())
    }

    /// `kill -9`.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("killing a process")
    }

    /// Starts it again if it has ended by itself; true if it had.
    pub fn revive(&mut self) -> anyhow::Result<bool> {
        let ended = self.child.try_wait()?.is_some();
        if ended {
            self.child = spawn(&self.arguments, &self.variables, &self.log)?;
        }
        Ok(ended)
    }
}

fn spawn(
    arguments: &[String],
    variables: &[(&'static str, String)],
    log: &Path,
) -> anyhow::Result<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    Command::new(PROGRAM)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("RUST_BACKTRACE", "1")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {PROGRAM}"))
}
