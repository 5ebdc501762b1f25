//! Processes that never outlive their test, what they print, and what they answer.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use fargate_fleet::clock::Clock;
use fargate_fleet::db::tokens::{self, NewToken};
use fargate_fleet::domain::Role;
use fargate_fleet::sim::{AccountSettings, SimControl, SimOptions, Simulator};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::support::database::Database;

pub const ACCOUNT: &str = "111111111111";
pub const OTHER_ACCOUNT: &str = "222222222222";
/// How much faster AWS is here.
pub const SPEED: u32 = 1_000;
/// Bounds only catch a mistake: what they wait for takes a small part of them.
pub const BOUND: Duration = Duration::from_mins(1);

/// A running `fargate-fleet`; killed when it is dropped.
pub struct Process {
    child: Child,
    stdout: watch::Receiver<Vec<String>>,
    stderr: watch::Receiver<Vec<String>>,
}

/// How a process ended, and all that it printed.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
}

impl Process {
    /// Starts the program with these arguments and nothing in its environment but these variables.
    pub fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fargate-fleet"))
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("RUST_BACKTRACE", "1")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let stdout = lines_of(child.stdout.take().expect("a pipe"));
        let stderr = lines_of(child.stderr.take().expect("a pipe"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// The first line on standard output that `wanted` takes, now or soon.
    pub async fn says(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let found = first(&mut self.stdout, &wanted).await;
        found.unwrap_or_else(|| panic!("never said so; {}", self.told()))
    }

    /// The first line on standard error that `wanted` takes, now or soon.
    pub async fn logs(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let found = first(&mut self.stderr, &wanted).await;
        found.unwrap_or_else(|| panic!("never logged so; {}", self.told()))
    }

    /// Standard output so far.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.borrow().clone()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let id = self.child.id().expect("it is running");
        kill(Pid::from_raw(id.try_into().expect("a process id")), signal).expect("it is ours");
    }

    /// Waits until it has ended by itself, or by what it was sent.
    pub async fn ended(mut self) -> Ended {
        let waited = tokio::time::timeout(BOUND, self.child.wait()).await;
        let Ok(status) = waited else {
            panic!("it does not end; {}", self.told());
        };
        // The readers end at the end of the pipes.
        for lines in [&mut self.stdout, &mut self.stderr] {
            let end = async { while lines.changed().await.is_ok() {} };
            let read = tokio::time::timeout(BOUND, end).await;
            read.expect("its pipes are closed with it");
        }
        Ended {
            status: status.expect("its status"),
            stdout: self.stdout.borrow().clone(),
            stderr: self.stderr.borrow().clone(),
        }
    }

    /// `kill -9`: no farewell.
    pub async fn die(self) {
        self.signal(Signal::SIGKILL);
        assert_eq!(self.ended().await.status.code(), None);
    }

    fn told(&self) -> String {
        let (stdout, stderr) = (self.stdout.borrow(), self.stderr.borrow());
        format!("stdout: {stdout:#?}, stderr: {stderr:#?}")
    }
}

fn lines_of(pipe: impl AsyncRead + Send + Unpin + 'static) -> watch::Receiver<Vec<String>> {
    let (sender, receiver) = watch::channel(Vec::new());
    let read = async move {
        let mut lines = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            sender.send_modify(|known| known.push(line));
        }
    };
    // Ends with its pipe, or with the test's runtime.
    TaskTracker::new().spawn(read);
    receiver
}

async fn first(
    lines: &mut watch::Receiver<Vec<String>>,
    wanted: &impl Fn(&str) -> bool,
) -> Option<String> {
    let find = |known: &Vec<String>| known.iter().find(|line| wanted(line)).cloned();
    let seen = lines.wait_for(|known| find(known).is_some());
    let seen = tokio::time::timeout(BOUND, seen).await.ok()?.ok()?;
    find(&seen)
}

/// Waits, for a bounded time, until the condition holds.
pub async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(BOUND, wait).await;
    assert!(waited.is_ok(), "in {BOUND:?} it did not come true: {what}");
}

async fn ready(address: &str) {
    let caller = Caller::new(address, "");
    until("it is ready", || async { caller.is_ready().await }).await;
}

/// A port that was free a moment ago, for a listener that does not tell its own.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

/// A caller of an API.
pub struct Caller {
    base: String,
    token: String,
    client: Client,
}

impl Caller {
    pub fn new(address: &str, token: &str) -> Self {
        Self {
            base: format!("http://{address}"),
            token: token.to_owned(),
            client: Client::new(),
        }
    }

    /// The status and the JSON of an answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}{path}", self.base);
        let mut request = self
            .client
            .request(method, url)
            .bearer_auth(&self.token)
            .timeout(BOUND);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("JSON"))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Follows a job to its end.
    pub async fn followed(&self, job: &Value) -> Value {
        let path = format!("/v1/jobs/{}?waitSeconds=50", job["id"].as_str().unwrap());
        let (status, job) = self.get(&path).await;
        assert_eq!(status, 200, "{job}");
        assert!(job["finishedAt"].is_string(), "it has not ended: {job}");
        job
    }
}

/// The path of a cluster's profiles.
pub fn profiles(account: &str) -> String {
    format!("/v1/accounts/{account}/regions/eu-central-1/clusters/prod-1/fargate-profiles")
}

pub fn profile(name: &str) -> Value {
    json!({"name": name, "selectors": [{"namespace": "web"}]})
}

/// A database, a simulated AWS, and the processes that a test starts on them.
pub struct Stage {
    pub database: Database,
    pub url: String,
    simulator: Simulator,
    pub sim: SimControl,
    /// The roles of the tokens made.
    roles: Mutex<Vec<String>>,
}

impl Stage {
    pub async fn new() -> Self {
        let database = Database::new().await;
        let options = SimOptions {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            speed: f64::from(SPEED),
            require_external_id: true,
            ..SimOptions::default()
        };
        let simulator = Simulator::start(options).await.expect("the simulated AWS");
        Self {
            url: database.url(),
            sim: simulator.control(),
            database,
            simulator,
            roles: Mutex::default(),
        }
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        let variables = [("DATABASE_URL", self.url.as_str())];
        Process::start(arguments, &variables).ended().await
    }

    /// A token, made as an administrator makes it.
    pub async fn token(&self, role: &str, more: &[&str]) -> String {
        let name = self.fresh_name(role);
        let arguments = ["token", "create", "--name", &name, "--role", role];
        let made = self.run(&[&arguments, more].concat()).await;
        assert!(made.status.success(), "{:#?}", made.stderr);
        assert_eq!(made.stdout.len(), 1, "{:#?}", made.stdout);
        made.stdout[0].clone()
    }

    /// Living tokens have names of their own; the first one of a role is called as the role.
    fn fresh_name(&self, role: &str) -> String {
        let mut roles = self.roles.lock().unwrap();
        let before = roles.iter().filter(|made| *made == role).count();
        roles.push(role.to_owned());
        match before {
            0 => role.to_owned(),
            before => format!("{role}-{before}"),
        }
    }

    /// Makes sure that there is a token: without one no API starts.
    async fn somebody(&self) {
        let new = NewToken {
            name: format!("somebody-{}", Clock::system().uuid()),
            role: Role::Viewer,
            account_ids: None,
            expires_at: None,
            may_act_for: false,
            created_by: None,
        };
        let (pool, clock) = (&self.database.pool, Clock::system());
        let mut connection = pool.acquire().await.expect("a connection");
        tokens::create_with_secret(&mut connection, &clock, "fleet_of_somebody", new)
            .await
            .expect("a token");
    }

    /// The API alone, without anything of AWS's in its environment; and where it listens.
    pub async fn api(&self) -> (Process, String) {
        self.api_with(&[]).await
    }

    /// The same with these variables as well.
    pub async fn api_with(&self, more: &[(&str, &str)]) -> (Process, String) {
        self.somebody().await;
        let variables = [
            ("DATABASE_URL", self.url.as_str()),
            ("FLEET_LISTEN", "127.0.0.1:0"),
            ("FLEET_LOG_FORMAT", "json"),
        ];
        let variables = [&variables, more].concat();
        let mut api = Process::start(&["serve", "--role", "api"], &variables);
        let line = api.logs(|line| line.contains(r#""serving""#)).await;
        let line: Value = serde_json::from_str(&line).expect("a line of JSON");
        let address = line["address"].as_str().expect("its address").to_owned();
        (api, address)
    }

    /// A worker that has registered; and where it tells its health.
    pub async fn worker(&self, grace_seconds: &str) -> (Process, String) {
        self.worker_with(grace_seconds, &[]).await
    }

    /// The same with these variables as well.
    pub async fn worker_with(
        &self,
        grace_seconds: &str,
        more: &[(&str, &str)],
    ) -> (Process, String) {
        let health = free_address().to_string();
        let own = [
            ("FLEET_METRICS_LISTEN", health.as_str()),
            ("FLEET_LEASE_SECONDS", "5"),
        ];
        let worker = self.start("worker", grace_seconds, &[&own, more].concat());
        ready(&health).await;
        (worker, health)
    }

    /// Both halves in one process, ready for requests; and where it listens. Its leases last longer
    /// than any test, unless it hands them back.
    pub async fn both(&self, grace_seconds: &str) -> (Process, String) {
        self.somebody().await;
        let address = free_address().to_string();
        let more = [
            ("FLEET_LISTEN", address.as_str()),
            ("FLEET_LEASE_SECONDS", "300"),
        ];
        let process = self.start("all", grace_seconds, &more);
        ready(&address).await;
        (process, address)
    }

    fn start(&self, role: &str, grace_seconds: &str, more: &[(&str, &str)]) -> Process {
        let (endpoint, scale) = (self.simulator.endpoint(), SPEED.to_string());
        let variables = [
            ("DATABASE_URL", self.url.as_str()),
            ("FLEET_POLL_INTERVAL_MS", "100"),
            ("FLEET_SHUTDOWN_GRACE_SECONDS", grace_seconds),
            ("FLEET_AWS_ENDPOINT_URL", endpoint.as_str()),
            ("FLEET_AWS_TIME_SCALE", scale.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
        ];
        Process::start(&["serve", "--role", role], &[&variables, more].concat())
    }

    /// Registers both accounts and lets their roles trust the fleet.
    pub async fn register(&self, admin: &Caller) {
        for account in [ACCOUNT, OTHER_ACCOUNT] {
            let input = json!({
                "accountId": account,
                "name": account,
                "regions": ["eu-central-1"],
                "podExecutionRoleARN": format!("arn:aws:iam::{account}:role/fargate-pod-execution"),
            });
            let (status, registered) = admin.post("/v1/accounts", input).await;
            assert_eq!(status, 201, "{registered}");
            let external_id = registered["externalId"].as_str().map(str::to_owned);
            let settings = AccountSettings {
                external_id,
                ..AccountSettings::default()
            };
            self.sim.set_account(account, settings);
        }
    }

    /// How many jobs are leased to a worker.
    pub async fn leased(&self) -> i64 {
        sqlx::query_scalar("select count(*) from jobs where phase = 'leased'")
            .fetch_one(&self.database.pool)
            .await
            .expect("a count")
    }

    /// Waits until AWS was called so; `answered` says with which status, if with any.
    pub async fn called(&self, action: &str, answered: Option<u16>) {
        let call = self
            .sim
            .wait_for(|call| call.action == action && call.status == answered);
        let waited = tokio::time::timeout(BOUND, call).await;
        assert!(
            waited.is_ok(),
            "{action} never came: {:#?}",
            self.sim.record()
        );
    }

    /// Ends a test: nothing may be left, and nothing may have overlapped.
    pub async fn end(self) {
        self.database.assert_settled().await;
        let overlaps = self.sim.record().overlaps;
        assert!(overlaps.is_empty(), "mutations overlapped: {overlaps:?}");
        self.simulator.stop().await;
    }
}

impl Caller {
    /// Whether `/readyz` answers 200; a refused connection is a no.
    pub async fn is_ready(&self) -> bool {
        let url = format!("{}/readyz", self.base);
        let answer = self.client.get(url).timeout(BOUND).send().await;
        answer.is_ok_and(|answer| answer.status().as_u16() == 200)
    }
}
