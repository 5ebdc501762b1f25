//! `token create`: makes an API token, which is the way to the first one.

use anyhow::Context as _;
use chrono::Duration;
use clap::{Args, Subcommand, ValueEnum};
use fargate_fleet::clock::Clock;
use fargate_fleet::config::Environment;
use fargate_fleet::db::tokens::{self, NewToken};
use fargate_fleet::domain::Role;
use fargate_fleet::rng::Rng;
use tokio_util::task::TaskTracker;

/// What `token` takes.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print it, once
    Create(CreateToken),
}

/// A token to make.
#[derive(Debug, Args)]
pub(crate) struct CreateToken {
    /// Who or what will use it
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: String,
    /// What it may do
    #[arg(long, value_enum)]
    role: TokenRole,
    /// The accounts it may do it on, separated by commas; without it all of them
    #[arg(long, value_delimiter = ',', value_parser = account_id)]
    accounts: Vec<String>,
    /// After how many days it ends; without it never
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
    expires_in_days: Option<u32>,
}

/// What a token may do, each including those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenRole {
    /// Look
    Viewer,
    /// Change profiles and clusters
    Operator,
    /// Manage accounts and tokens too
    Admin,
}

impl Token {
    /// Does what the subcommand says.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self.command {
            TokenCommand::Create(create) => create.run(environment).await,
        }
    }
}

impl CreateToken {
    async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let database = environment.database()?;
        let following = TaskTracker::new();
        let pool = database.servers.pool(2, &following).await;
        let (clock, rng) = (Clock::system(), Rng::from_os());
        let days = self
            .expires_in_days
            .map(|days| Duration::days(i64::from(days)));
        let new = NewToken {
            name: self.name,
            role: self.role.into(),
            account_ids: (!self.accounts.is_empty()).then_some(self.accounts),
            expires_at: days.map(|days| clock.now() + days),
        };
        let (_, token) = tokens::create(&pool, &clock, &rng, new)
            .await
            .context("keeping the token")?;
        // Shown once: only its hash is kept.
        println!("{token}");
        pool.close().await;
        Ok(())
    }
}

impl From<TokenRole> for Role {
    fn from(role: TokenRole) -> Self {
        match role {
            TokenRole::Viewer => Self::Viewer,
            TokenRole::Operator => Self::Operator,
            TokenRole::Admin => Self::Admin,
        }
    }
}

fn account_id(text: &str) -> Result<String, &'static str> {
    let valid = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if valid {
        Ok(text.to_owned())
    } else {
        Err("an AWS account id has 12 digits")
    }
}
