//! `demo`: everything in one process on embedded parts; nothing is left behind.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use fargate_fleet::aws::AwsOptions;
use fargate_fleet::clock::Clock;
use fargate_fleet::config::Environment;
use fargate_fleet::database::{Connections, Halves, Servers};
use fargate_fleet::db::account_changes::{self, NewAccount};
use fargate_fleet::db::tokens::{self, NewToken};
use fargate_fleet::domain::Role;
use fargate_fleet::domain::account::minted_external_id;
use fargate_fleet::http::ApiOptions;
use fargate_fleet::queue::WorkerOptions;
use fargate_fleet::rng::Rng;
use fargate_fleet::service::{MIGRATIONS, Service, ServiceOptions};
use fargate_fleet::shutdown::Shutdown;
use fargate_fleet::sim::{AccountSettings, FleetShape, SimAccount, SimOptions, Simulator};
use fargate_fleet::throwaway_postgres::{Options, ThrowawayPostgres};
use fargate_fleet::webhooks::{Rules, SenderOptions, Setup};
use ipnet::IpNet;
use sqlx::PgConnection;
use tokio_util::task::TaskTracker;

/// How long what is under way may take when the demo ends.
/// To the database, in all.
const CONNECTIONS: u32 = 40;
const GRACE: Duration = Duration::from_secs(2);

/// What `demo` takes.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Address and port of the API
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The admin token to accept; without it a random one is made
    #[arg(long, value_parser = usable_token)]
    token: Option<String>,
    /// Divides AWS's waiting times
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
    /// Accounts x regions x clusters
    #[arg(long, default_value = "3x2x2")]
    fleet: FleetShape,
}

impl Demo {
    /// Runs until SIGINT or SIGTERM.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let shutdown = Shutdown::new();
        shutdown.watch_signals().context("watching for signals")?;
        let parts = (Clock::system(), Rng::from_os());
        let options = Options {
            binaries: environment.postgres_binaries(),
            ..Options::default()
        };
        let postgres = tokio::select! {
            started = ThrowawayPostgres::start(options) => started?,
            () = shutdown.token().cancelled_owned() => return Ok(()),
        };
        let ended = self.run_on(&postgres, parts, &shutdown).await;
        postgres.stop().await;
        ended
    }

    async fn run_on(
        &self,
        postgres: &ThrowawayPostgres,
        (clock, rng): (Clock, Rng),
        shutdown: &Shutdown,
    ) -> anyhow::Result<()> {
        let servers: Servers = postgres.url().parse()?;
        let sizes = Connections::of(CONNECTIONS).divided(Halves::Both);
        let shares = servers.shares(sizes, &TaskTracker::new()).await;
        let mut connection = shares.engine.connection().await?;
        MIGRATIONS
            .run(&mut *connection)
            .await
            .context("making the tables")?;
        let simulator = self.simulator().await?;
        let accounts = self.fleet.accounts();
        register(&mut connection, &rng, &simulator, &accounts).await?;
        let token = self.admin_token(&mut connection, &clock, &rng).await?;
        drop(connection);
        let service = Service::start(shares, (clock, rng), self.options(&simulator)).await?;
        let address = service.api_address().unwrap_or(self.listen);
        until_ready(address, &accounts).await?;
        println!("{}", self.greeting(address, &simulator.endpoint(), &token));
        shutdown.token().cancelled().await;
        tokio::select! {
            () = service.drain(GRACE) => {}
            () = shutdown.hurried() => {}
        }
        simulator.stop().await;
        Ok(())
    }

    async fn simulator(&self) -> anyhow::Result<Simulator> {
        let options = SimOptions {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            speed: f64::from(self.speed),
            fleet: self.fleet,
            require_external_id: true,
            ..SimOptions::default()
        };
        Simulator::start(options)
            .await
            .context("starting the simulated AWS")
    }

    async fn admin_token(
        &self,
        connection: &mut PgConnection,
        clock: &Clock,
        rng: &Rng,
    ) -> anyhow::Result<String> {
        let new = NewToken {
            name: "demo-admin".to_owned(),
            role: Role::Admin,
            account_ids: None,
            expires_at: None,
            may_act_for: true,
            created_by: None,
        };
        if let Some(token) = &self.token {
            tokens::create_with_secret(connection, clock, token, new)
                .await
                .context("keeping the token")?;
            return Ok(token.clone());
        }
        let (_, token) = tokens::create(connection, clock, rng, new)
            .await
            .context("making a token")?;
        Ok(token)
    }

    fn options(&self, simulator: &Simulator) -> ServiceOptions {
        let time_scale = f64::from(self.speed);
        let webhooks = webhooks();
        ServiceOptions {
            api: Some(ApiOptions {
                listen: self.listen,
                time_scale,
                grace: GRACE,
                webhooks: webhooks.clone(),
                ..ApiOptions::default()
            }),
            worker: Some(WorkerOptions {
                time_scale,
                host: "demo".to_owned(),
                ..WorkerOptions::default()
            }),
            worker_health: None,
            has_issuer: false,
            aws: AwsOptions {
                endpoint_url: Some(simulator.endpoint()),
                static_credentials: Some(("demo".to_owned(), "demo".to_owned())),
                time_scale,
                ..AwsOptions::default()
            },
            webhooks: SenderOptions {
                setup: webhooks,
                ..SenderOptions::default()
            },
        }
    }

    /// What a newcomer needs: addresses, the token, and lines to paste.
    fn greeting(&self, address: SocketAddr, aws: &str, token: &str) -> String {
        let account = format!("http://{address}/v1/accounts/111111111111");
        let profiles = format!("{account}/regions/eu-central-1/clusters/prod-1/fargate-profiles");
        let bearer = "-H \"Authorization: Bearer $TOKEN\"";
        format!(
            "\nfargate-fleet demo is ready on http://{address}\n\
            \n  API document   http://{address}/docs\
            \n  simulated AWS  {aws} ({} times as fast; faults under /_sim)\
            \n  admin token    {token}\n\
            \nTry, in another terminal:\n\
            \n  export TOKEN={token}\
            \n  curl -sS {bearer} '{profiles}?waitSeconds=30' \\\
            \n    -H 'Content-Type: application/json' -d '{{\"name\": \"fp-dev\", \"selectors\": [{{\"namespace\": \"dev\"}}]}}'\
            \n  curl -sS {bearer} '{profiles}?output=table'\
            \n  curl -sS {bearer} '{account}/fargate-profiles' \\\
            \n    -H 'Content-Type: application/yaml' --data-binary @tests/data/fargate-example-cluster.yaml\
            \n  curl -sS {bearer} -X DELETE '{profiles}/fp-dev?waitSeconds=30'\n\
            \nCtrl-C ends it and leaves nothing behind.",
            self.speed
        )
    }
}

/// Receivers on this machine may be told, so that webhooks can be tried.
fn webhooks() -> Setup {
    let loopback = [
        IpNet::new_assert(Ipv4Addr::LOCALHOST.into(), 8),
        IpNet::new_assert(Ipv6Addr::LOCALHOST.into(), 128),
    ];
    Setup {
        rules: Rules {
            allow_http: true,
            allowed: loopback.to_vec(),
            ..Rules::default()
        },
        secrets_key: None,
    }
}

/// Registers the simulated accounts, and tells the simulator whom their roles trust.
async fn register(
    connection: &mut PgConnection,
    rng: &Rng,
    simulator: &Simulator,
    accounts: &[SimAccount],
) -> anyhow::Result<()> {
    for account in accounts {
        let external_id = String::from(minted_external_id(rng.bytes()));
        simulator.control().set_account(
            &account.account_id,
            AccountSettings {
                external_id: Some(external_id.clone()),
                ..AccountSettings::default()
            },
        );
        let new = NewAccount {
            cluster_admin_arns: Vec::new(),
            permissions_boundary_arn: None,
            account_id: account.account_id.clone(),
            name: account.name.clone(),
            role_arn: account.role_arn.clone(),
            external_id,
            pod_execution_role_arn: Some(account.pod_execution_role_arn.clone()),
            regions: account.regions.clone(),
            labels: std::iter::once(("env".to_owned(), "demo".to_owned())).collect(),
        };
        account_changes::insert(&mut *connection, &new)
            .await
            .context("registering an account")?;
    }
    Ok(())
}

/// A demo that can't be used shall not say that it is ready.
async fn until_ready(address: SocketAddr, accounts: &[SimAccount]) -> anyhow::Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let ask = async {
        loop {
            let mut stream = tokio::net::TcpStream::connect(address).await?;
            let request = "GET /readyz HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            if answer.starts_with(b"HTTP/1.1 200") {
                return Ok::<(), std::io::Error>(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), ask)
        .await
        .with_context(|| format!("with {} accounts, not ready in 15 s", accounts.len()))?
        .context("asking /readyz")
}

fn usable_token(text: &str) -> Result<String, &'static str> {
    let fine = (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fine {
        Ok(text.to_owned())
    } else {
        Err("1 to 256 visible characters without spaces")
    }
}
