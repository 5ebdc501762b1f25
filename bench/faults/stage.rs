//! What the harnesses with real processes stand on: a durable Postgres, the simulated AWS as a
//! process of its own, and the settings with which the program's halves are started on them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fargate_fleet::clock::Clock;
use fargate_fleet::db::tokens::{self, NewToken};
use fargate_fleet::domain::Role;
use fargate_fleet::rng::Rng;
use fargate_fleet::service::MIGRATIONS;
use fargate_fleet::sim::{FleetShape, SimAccount};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tempfile::TempDir;

use super::caller::Caller;
use super::process::Process;
use super::server::{Server, free_port};

const DATABASE: &str = "fleet";
/// How long a process may take to answer for the first time.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Everything but the processes under test.
pub struct Stage {
    pub server: Server,
    pub pool: PgPool,
    pub simulator: Process,
    pub sim_url: String,
    /// Where the API listens, whichever process it is.
    pub api_url: String,
    pub token: String,
    pub accounts: Vec<SimAccount>,
    speed: u32,
    listen: String,
    logs: TempDir,
}

impl Stage {
    /// Starts Postgres and the simulator, with AWS's times divided by `speed`.
    pub async fn set(fleet: FleetShape, speed: u32) -> anyhow::Result<Self> {
        let mut server = Server::make(&["shared_buffers=256MB"]).await?;
        server.start().await?;
        server.create_database(DATABASE).await?;
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy(&server.url(DATABASE))?;
        MIGRATIONS.run(&pool).await?;
        let token = admin_token(&pool).await?;

        let logs = tempfile::Builder::new()
            .prefix("fargate-fleet-logs-")
            .tempdir()?;
        let sim_listen = format!("127.0.0.1:{}", free_port()?);
        let (shape, pace) = (fleet.to_string(), speed.to_string());
        let arguments = [
            "sim",
            "--listen",
            &sim_listen,
            "--fleet",
            &shape,
            "--speed",
            &pace,
        ];
        let simulator = Process::start("simulator", &arguments, Vec::new(), logs.path())?;
        let sim_url = format!("http://{sim_listen}");
        until_it_answers(&format!("{sim_url}/_sim/record")).await?;

        let listen = format!("127.0.0.1:{}", free_port()?);
        Ok(Self {
            server,
            pool,
            simulator,
            sim_url,
            api_url: format!("http://{listen}"),
            token,
            accounts: fleet.accounts(),
            speed,
            listen,
            logs,
        })
    }

    /// The clusters of the fleet's first region, as the paths of their profiles.
    pub fn clusters(&self) -> Vec<String> {
        let of_account = |account: &SimAccount| {
            let (id, region) = (account.account_id.clone(), account.regions[0].clone());
            let clusters = account.clusters.clone().into_iter();
            let clusters = clusters.filter(move |(place, _)| *place == region);
            clusters.map(move |(region, cluster)| profiles(&id, &region, &cluster))
        };
        self.accounts.iter().flat_map(of_account).collect()
    }

    /// Lets AWS take its time over every change: it is made at once and answered later, so that
    /// who dies meanwhile does not know.
    pub async fn answer_changes_after(&self, milliseconds: u64) -> anyhow::Result<()> {
        let fault = |action: &str| json!({"action": action, "delayAfterMs": milliseconds, "times": u32::MAX});
        let faults = [fault("CreateFargateProfile"), fault("DeleteFargateProfile")];
        let request = reqwest::Client::new().post(format!("{}/_sim/faults", self.sim_url));
        let answer = request.json(&faults).send().await?;
        ensure!(answer.status().is_success(), "{}", answer.text().await?);
        Ok(())
    }

    /// Starts `serve` with this role: `api`, `worker` or `all`.
    pub fn serve(&self, name: &str, role: &str) -> anyhow::Result<Process> {
        self.serve_with(name, role, &[])
    }

    /// The same, with more settings.
    pub fn serve_with(
        &self,
        name: &str,
        role: &str,
        more: &[(&'static str, &str)],
    ) -> anyhow::Result<Process> {
        let mut variables = vec![
            ("DATABASE_URL", self.server.url(DATABASE)),
            ("FLEET_LEASE_SECONDS", "5".to_owned()),
            ("FLEET_MAX_REQUESTS_PER_MINUTE", "1000000000".to_owned()),
            ("FLEET_POLL_INTERVAL_MS", "200".to_owned()),
            ("FLEET_AWS_ENDPOINT_URL", self.sim_url.clone()),
            ("FLEET_AWS_TIME_SCALE", self.speed.to_string()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "any".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "any".to_owned()),
        ];
        let more = more.iter().map(|&(name, value)| (name, value.to_owned()));
        variables.extend(more);
        if role != "worker" {
            variables.push(("FLEET_LISTEN", self.listen.clone()));
        }
        Process::start(
            name,
            &["serve", "--role", role],
            variables,
            self.logs.path(),
        )
    }

    /// Waits for the API, then takes all accounts into the fleet.
    pub async fn register(&self, caller: &Caller) -> anyhow::Result<()> {
        until_it_answers(&format!("{}/readyz", self.api_url)).await?;
        for account in &self.accounts {
            let body = json!({
                "accountId": account.account_id,
                "name": account.name,
                "regions": account.regions,
                "podExecutionRoleARN": account.pod_execution_role_arn,
            });
            let answer = caller
                .once(Method::POST, "/v1/accounts", Some(&body))
                .await?;
            ensure!(answer.status == StatusCode::CREATED, "{}", answer.body);
        }
        Ok(())
    }

    /// Ends Postgres and the simulator; where the logs are, if they are to be kept.
    pub async fn end(mut self, keep_logs: bool) -> anyhow::Result<Option<PathBuf>> {
        self.pool.close().await;
        self.simulator.kill().await?;
        self.server.end().await;
        Ok(keep_logs.then(|| self.logs.keep()))
    }
}

/// The path of a cluster's profiles.
pub fn profiles(account: &str, region: &str, cluster: &str) -> String {
    format!("/v1/accounts/{account}/regions/{region}/clusters/{cluster}/fargate-profiles")
}

async fn admin_token(pool: &PgPool) -> anyhow::Result<String> {
    let new = NewToken {
        name: "harness".to_owned(),
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
    Ok(token)
}

async fn until_it_answers(url: &str) -> anyhow::Result<()> {
    let ask = async {
        while !reqwest::get(url)
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(READY_WITHIN, ask)
        .await
        .with_context(|| format!("{url} did not answer in time"))
}
