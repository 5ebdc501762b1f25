//! A running fleet: the real program as one process or several, on a database of the ground's, with
//! the simulated AWS in this process.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fargate_fleet::clock::Clock;
use fargate_fleet::db::tokens::{self, NewToken};
use fargate_fleet::domain::Role;
use fargate_fleet::rng::Rng;
use fargate_fleet::sim::{FleetShape, SimAccount, SimControl, SimOptions, Simulator};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio_util::task::TaskTracker;

use crate::ground::Ground;

const PROGRAM: &str = env!("CARGO_BIN_EXE_fargate-fleet");
/// Bounds only catch a mistake.
const BOUND: Duration = Duration::from_mins(5);

/// What to put up.
pub struct Plan {
    /// The role of each process: `all`, `api` or `worker`. One of them answers HTTP.
    pub roles: &'static [&'static str],
    /// What is beyond the usual in their environment.
    pub variables: Vec<(&'static str, String)>,
    /// The accounts, which are all registered.
    pub fleet: FleetShape,
    /// Of the simulated AWS; the service's pauses between two looks are divided by its speed.
    pub aws: SimOptions,
}

/// What stands; stopped by [`Site::close`], and its processes with it whatever happens.
pub struct Site {
    pub pool: PgPool,
    pub sim: SimControl,
    pub accounts: Vec<SimAccount>,
    pub caller: Caller,
    simulator: Simulator,
    variables: Vec<(&'static str, String)>,
    processes: Vec<Child>,
}

impl Site {
    /// Puts it up on a new database of that name.
    pub async fn open(ground: &Ground, database: &str, plan: Plan) -> anyhow::Result<Self> {
        let pool = ground.ours(database).await?;
        let accounts = plan.fleet.accounts();
        let simulator = Simulator::start(SimOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            fleet: plan.fleet,
            // AWS's own waits are no work of ours.
            settle_time: Duration::ZERO,
            iam_propagation: Duration::ZERO,
            ..plan.aws.clone()
        })
        .await?;
        let mut variables = vec![
            ("DATABASE_URL", ground.url(database)),
            ("FLEET_LISTEN", "127.0.0.1:0".to_owned()),
            ("FLEET_LOG_FORMAT", "json".to_owned()),
            // One token makes all the requests of a benchmark.
            ("FLEET_MAX_REQUESTS_PER_MINUTE", "1000000000".to_owned()),
            ("FLEET_MAX_CONCURRENT_REQUESTS", "1000000".to_owned()),
            ("FLEET_MAX_UNFINISHED_JOBS", "1000000000".to_owned()),
            ("FLEET_AWS_ENDPOINT_URL", simulator.endpoint()),
            ("FLEET_AWS_TIME_SCALE", plan.aws.speed.to_string()),
            ("AWS_ACCESS_KEY_ID", "any".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "any".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("RUST_LOG", "warn,fargate_fleet::cli::serve=info".to_owned()),
        ];
        variables.extend(plan.variables);
        let new = NewToken {
            name: "bench".to_owned(),
            role: Role::Admin,
            account_ids: None,
            expires_at: None,
            may_act_for: false,
            created_by: None,
        };
        let (_, token) = tokens::create(
            &mut *pool.acquire().await?,
            &Clock::system(),
            &Rng::from_os(),
            new,
        )
        .await?;
        let (mut processes, mut address) = (Vec::new(), None);
        for role in plan.roles {
            let (process, listens_on) = serve(role, &variables).await?;
            processes.push(process);
            address = address.or(listens_on);
        }
        let caller = Caller::new(&address.context("one process answers HTTP")?, token);
        let site = Self {
            pool,
            sim: simulator.control(),
            accounts,
            caller,
            simulator,
            variables,
            processes,
        };
        site.register().await?;
        Ok(site)
    }

    async fn register(&self) -> anyhow::Result<()> {
        for account in &self.accounts {
            let body = json!({
                "accountId": account.account_id,
                "name": account.name,
                "regions": account.regions,
                "podExecutionRoleARN": account.pod_execution_role_arn,
            });
            let (status, answer) = self
                .caller
                .call(Method::POST, "/v1/accounts", Some(body))
                .await?;
            ensure!(status == 201, "registering an account: {status} {answer}");
        }
        Ok(())
    }

    /// One more process.
    pub async fn add(&mut self, role: &str) -> anyhow::Result<()> {
        let (process, _) = serve(role, &self.variables).await?;
        self.processes.push(process);
        Ok(())
    }

    /// Where the simulated AWS listens.
    pub fn endpoint(&self) -> String {
        self.simulator.endpoint()
    }

    /// A count, now.
    pub async fn count(&self, sql: &'static str) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }

    /// Waits until a count is right.
    pub async fn until(
        &self,
        sql: &'static str,
        right: impl Fn(i64) -> bool,
    ) -> anyhow::Result<()> {
        let wait = async {
            loop {
                if right(self.count(sql).await?) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(BOUND, wait)
            .await
            .with_context(|| format!("it did not come true: {sql}"))?
    }

    /// The most memory that the processes have held, in MiB.
    pub fn resident_mib(&self) -> anyhow::Result<f64> {
        let mut kib = 0.0;
        for process in &self.processes {
            let id = process.id().context("it runs")?;
            let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = line.and_then(|line| line.split_whitespace().next());
            kib += peak.context("a peak")?.parse::<f64>()?;
        }
        Ok(kib / 1_024.0)
    }

    /// The processor time that the processes have used.
    pub fn processor_seconds(&self) -> anyhow::Result<f64> {
        const TICKS_A_SECOND: f64 = 100.0;
        let mut ticks = 0.0;
        for process in &self.processes {
            let id = process.id().context("it runs")?;
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
            let (_, fields) = stat.rsplit_once(')').context("a name in parentheses")?;
            let fields: Vec<&str> = fields.split_whitespace().collect();
            for field in &fields[11..13] {
                ticks += field.parse::<f64>()?;
            }
        }
        Ok(ticks / TICKS_A_SECOND)
    }

    /// Ends the processes and the simulated AWS.
    pub async fn close(mut self) -> anyhow::Result<()> {
        for process in &mut self.processes {
            process.kill().await?;
        }
        self.pool.close().await;
        self.simulator.stop().await;
        Ok(())
    }
}

/// Starts a process; it and, where it answers HTTP, its address, as soon as it serves.
async fn serve(
    role: &str,
    variables: &[(&'static str, String)],
) -> anyhow::Result<(Child, Option<String>)> {
    let mut process = Command::new(PROGRAM)
        .args(["serve", "--role", role])
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {PROGRAM}"))?;
    let stderr = process.stderr.take().context("a pipe")?;
    let address = tokio::time::timeout(BOUND, address_of(stderr)).await??;
    Ok((process, address))
}

async fn address_of(stderr: ChildStderr) -> anyhow::Result<Option<String>> {
    let mut lines = BufReader::new(stderr).lines();
    loop {
        let line = lines.next_line().await?.context("it ended at its start")?;
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        if said["message"] != "serving" {
            eprintln!("{line}");
            continue;
        }
        // A pipe that nobody reads would stop the process; warnings of a run are not of interest.
        TaskTracker::new().spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        return Ok(said["address"].as_str().map(str::to_owned));
    }
}

/// A caller of the API; clones share their connections.
#[derive(Clone)]
pub struct Caller {
    base: String,
    token: String,
    client: reqwest::Client,
}

impl Caller {
    fn new(address: &str, token: String) -> Self {
        Self {
            base: format!("http://{address}"),
            token,
            client: reqwest::Client::new(),
        }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// The token, as in `Authorization`.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The status and the JSON of an answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let url = format!("{}{path}", self.base);
        let mut request = self
            .client
            .request(method, url)
            .bearer_auth(&self.token)
            .timeout(BOUND);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.unwrap_or_default()))
    }
}

/// The path of a cluster's profiles.
pub fn profiles(account: &str, region: &str, cluster: &str) -> String {
    format!("/v1/accounts/{account}/regions/{region}/clusters/{cluster}/fargate-profiles")
}
