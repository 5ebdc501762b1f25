//! `demo`: ready in seconds, usable with what it prints, and gone without a trace.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fargate_fleet::config::Environment;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::support::{BOUND, Caller, Process, free_address, until};

/// How long a newcomer may have to wait.
const READY_WITHIN: Duration = Duration::from_secs(15);
const READY_LINE: &str = "fargate-fleet demo is ready on http://";

/// A demo whose temporary files have a directory of their own.
struct Demo {
    process: Process,
    directory: TempDir,
    address: String,
}

impl Demo {
    async fn start(arguments: &[&str]) -> Self {
        let directory = open_directory();
        let temporary = directory.path().display().to_string();
        let binaries = Environment::read().postgres_binaries();
        let binaries = binaries.map(|path| path.display().to_string());
        let mut variables = vec![("TMPDIR", temporary.as_str())];
        variables.extend(
            binaries
                .iter()
                .map(|path| ("FLEET_POSTGRES_BIN", path.as_str())),
        );

        let mut process = Process::start(&[&["demo"], arguments].concat(), &variables);
        let line = process.says(|line| line.starts_with(READY_LINE)).await;
        let address = line.trim_start_matches(READY_LINE).to_owned();
        // The last line: from here on everything was printed.
        process.says(|line| line.starts_with("Ctrl-C")).await;
        Self {
            process,
            directory,
            address,
        }
    }

    /// What was printed behind this.
    fn printed(&self, before: &str) -> Option<String> {
        let lines = self.process.stdout();
        lines
            .iter()
            .find_map(|line| line.strip_prefix(before))
            .map(str::to_owned)
    }

    fn postgres(&self) -> Postgres {
        let cluster = files_in(self.directory.path())
            .into_iter()
            .find(|path| path.join("data/postmaster.pid").exists())
            .expect("a Postgres in the demo's temporary directory");
        let file = std::fs::read_to_string(cluster.join("data/postmaster.pid")).unwrap();
        Postgres {
            server: Pid::from_raw(file.lines().next().unwrap().trim().parse().unwrap()),
            parent: self.directory.path().to_owned(),
        }
    }
}

/// A directory for temporary files, open to the user whom root gives the server to.
fn open_directory() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::Builder::new()
        .prefix("fleet-demo-")
        .tempdir()
        .expect("a directory");
    // Set afterwards, whatever the umask is.
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(directory.path(), open).expect("its mode");
    directory
}

/// The server of a demo, to be looked for when the demo is gone.
struct Postgres {
    server: Pid,
    parent: PathBuf,
}

impl Postgres {
    fn is_gone(&self) -> bool {
        kill(self.server, None) == Err(Errno::ESRCH)
            && self.files().is_empty()
            && processes_that_name(&self.parent).is_empty()
    }

    fn files(&self) -> Vec<PathBuf> {
        files_in(&self.parent)
    }
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("the directory");
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect()
}

/// Processes whose arguments name the directory; none where there is no /proc to ask.
fn processes_that_name(directory: &Path) -> Vec<String> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(Result::ok)
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .map(|arguments| String::from_utf8_lossy(&arguments).replace('\0', " "))
        .filter(|arguments| arguments.contains(&directory.display().to_string()))
        .collect()
}

#[tokio::test]
async fn a_demo_is_ready_in_seconds_and_its_token_opens_the_fleet() {
    let began = Instant::now();
    let demo = Demo::start(&["--listen", "127.0.0.1:0"]).await;
    let token = demo.printed("  export TOKEN=").expect("a token");
    assert_eq!(demo.printed("  admin token    "), Some(token.clone()));
    let lines = demo.process.stdout();
    let curls = lines.iter().filter(|line| line.starts_with("  curl -sS "));
    assert_eq!(curls.count(), 4, "{lines:#?}");

    let caller = Caller::new(&demo.address, &token);
    assert!(caller.is_ready().await);
    let took = began.elapsed();
    assert!(took < READY_WITHIN, "ready after {took:?}");

    let (status, accounts) = caller.get("/v1/accounts").await;
    assert_eq!(status, 200, "{accounts}");
    let accounts = accounts["items"].as_array().expect("a list");
    assert_eq!(accounts.len(), 3, "{accounts:#?}");
    for account in accounts {
        let id = account["accountId"].as_str().expect("an id");
        for region in ["eu-central-1", "us-east-1"] {
            assert!(account["regions"].to_string().contains(region), "{account}");
            let cluster = format!("/v1/accounts/{id}/regions/{region}/clusters/prod-1");
            let (status, listed) = caller.get(&format!("{cluster}/fargate-profiles")).await;
            assert_eq!(status, 200, "{listed}");
        }
    }

    let postgres = demo.postgres();
    assert!(!postgres.is_gone());
    demo.process.signal(Signal::SIGINT);
    let ended = demo.process.ended().await;
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.stderr);
    assert!(postgres.is_gone(), "left: {:?}", postgres.files());
}

#[tokio::test]
async fn a_demo_that_is_killed_leaves_nothing() {
    let (address, token) = (free_address().to_string(), "my-own-demo-token");
    let demo = Demo::start(&["--listen", &address, "--token", token]).await;
    assert_eq!(demo.address, address);
    let (status, accounts) = Caller::new(&address, token).get("/v1/accounts").await;
    assert_eq!(status, 200, "{accounts}");
    let (status, _) = Caller::new(&address, "another").get("/v1/accounts").await;
    assert_eq!(status, 401);

    let postgres = demo.postgres();
    assert!(!postgres.is_gone());
    demo.process.die().await;
    until(&format!("nothing is left after {BOUND:?}"), || async {
        postgres.is_gone()
    })
    .await;
}

#[tokio::test]
async fn a_demo_that_finds_its_port_taken_says_so_and_leaves_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = open_directory();
    let temporary = directory.path().display().to_string();
    let variables = [("TMPDIR", temporary.as_str())];
    let ended = Process::start(&["demo", "--listen", &address], &variables)
        .ended()
        .await;
    assert_eq!(ended.status.code(), Some(1));
    let stderr = ended.stderr.join("\n");
    assert!(
        stderr.contains(&format!("listening on {address}")),
        "{stderr}"
    );
    assert_eq!(files_in(directory.path()), Vec::<PathBuf>::new());
    assert_eq!(processes_that_name(directory.path()), Vec::<String>::new());
}
