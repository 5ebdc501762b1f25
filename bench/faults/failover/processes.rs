//! The program's processes of a failover run: one API, two workers, the simulated AWS.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fargate_fleet::sim::FleetShape;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::faults::pair::free_port;

const PROGRAM: &str = env!("CARGO_BIN_EXE_fargate-fleet");
const READY_WITHIN: Duration = Duration::from_secs(30);

/// All of them; killed when this is dropped.
pub struct Processes {
    pub api: String,
    pub aws: String,
    logs: TempDir,
    children: Vec<Child>,
}

impl Processes {
    /// Starts them on the database of this URL; returns when all are ready.
    pub async fn start(database: &str, fleet: FleetShape, speed: u32) -> anyhow::Result<Self> {
        let address = || free_port().map(|port| format!("127.0.0.1:{port}"));
        let (api, aws) = (address()?, address()?);
        let mut processes = Self {
            api: format!("http://{api}"),
            aws: format!("http://{aws}"),
            logs: tempfile::Builder::new()
                .prefix("fargate-fleet-logs-")
                .tempdir()?,
            children: Vec::new(),
        };
        let (fleet, speed) = (fleet.to_string(), speed.to_string());
        let sim = [
            "sim", "--listen", &aws, "--fleet", &fleet, "--speed", &speed,
        ];
        processes.spawn("simulator", &sim, &[])?;
        let endpoint = processes.aws.clone();
        let common = [
            ("DATABASE_URL", database),
            ("FLEET_AWS_ENDPOINT_URL", &endpoint),
            ("FLEET_AWS_TIME_SCALE", &speed),
            ("FLEET_MAX_REQUESTS_PER_MINUTE", "1000000000"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "any"),
            ("AWS_SECRET_ACCESS_KEY", "any"),
        ];
        let mut ready = vec![format!("{}/_sim/record", processes.aws)];
        for (name, role, listen, address) in [
            ("api", "api", "FLEET_LISTEN", api),
            ("worker-1", "worker", "FLEET_METRICS_LISTEN", address()?),
            ("worker-2", "worker", "FLEET_METRICS_LISTEN", address()?),
        ] {
            let variables = [&common[..], &[(listen, address.as_str())]].concat();
            processes.spawn(name, &["serve", "--role", role], &variables)?;
            ready.push(format!("http://{address}/readyz"));
        }
        for url in ready {
            until_it_answers(&url).await?;
        }
        Ok(processes)
    }

    /// Takes all accounts into the fleet.
    pub async fn register(&self, token: &str, fleet: FleetShape) -> anyhow::Result<()> {
        for account in fleet.accounts() {
            let body = json!({
                "accountId": account.account_id,
                "name": account.name,
                "regions": account.regions,
                "podExecutionRoleARN": account.pod_execution_role_arn,
            });
            let request = Client::new().post(format!("{}/v1/accounts", self.api));
            let answer = request.bearer_auth(token).json(&body).send().await?;
            ensure!(answer.status() == 201, "{}", answer.text().await?);
        }
        Ok(())
    }

    /// What the simulator has on record.
    pub async fn record(&self) -> anyhow::Result<Value> {
        let record = reqwest::get(format!("{}/_sim/record", self.aws)).await?;
        Ok(record.json().await?)
    }

    /// Kills them; the logs of a run that failed are kept, and where, it says.
    pub async fn stop(mut self, failed: bool) -> anyhow::Result<Option<PathBuf>> {
        for child in &mut self.children {
            child.kill().await?;
        }
        Ok(failed.then(|| self.logs.keep()))
    }

    fn spawn(
        &mut self,
        name: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        let log = File::create(self.logs.path().join(format!("{name}.log")))?;
        let child = Command::new(PROGRAM)
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {PROGRAM}"))?;
        self.children.push(child);
        Ok(())
    }
}

async fn until_it_answers(url: &str) -> anyhow::Result<()> {
    let answers = async {
        while !reqwest::get(url).await.is_ok_and(|it| it.status() == 200) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(READY_WITHIN, answers)
        .await
        .with_context(|| format!("{url} did not answer in {READY_WITHIN:?}"))
}
