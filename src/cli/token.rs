//! `token`: makes an API token, which is the way to the first one; lists and revokes them.

use anyhow::{Context as _, bail};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use clap::{Args, Subcommand, ValueEnum};
use fargate_fleet::clock::Clock;
use fargate_fleet::config::Environment;
use fargate_fleet::database::Share;
use fargate_fleet::db::audit::{self, AuditEvent};
use fargate_fleet::db::descendants::{self, Descendants, Scope};
use fargate_fleet::db::tokens::{self, CreateError, NewToken, TokenFilter, TokenRow};
use fargate_fleet::domain::{ActorKind, Role, TokenName};
use fargate_fleet::rng::Rng;
use serde_json::json;
use sqlx::PgConnection;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

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
    /// Print the tokens, newest first, one a line with tabs between
    List(ListTokens),
    /// End a token's life, at once and in every process
    Revoke(RevokeToken),
}

/// A token to make.
#[derive(Debug, Args)]
pub(crate) struct CreateToken {
    /// Who or what will use it
    #[arg(long)]
    name: TokenName,
    /// What it may do
    #[arg(long, value_enum)]
    role: TokenRole,
    /// The accounts it may do it on, separated by commas; without it all of them
    #[arg(long, value_delimiter = ',', value_parser = account_id)]
    accounts: Vec<String>,
    /// After how many days it ends; without it never
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
    expires_in_days: Option<u32>,
    /// It may name the person behind a request, with X-On-Behalf-Of
    #[arg(long)]
    on_behalf_of: bool,
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

/// Which tokens to print.
#[derive(Debug, Args)]
pub(crate) struct ListTokens {
    /// Those too that were revoked
    #[arg(long)]
    all: bool,
}

/// The token to end.
#[derive(Debug, Args)]
pub(crate) struct RevokeToken {
    /// Its id, as `token list` prints it
    id: Uuid,
    /// Revoke with it all tokens that it made, those that they made and so on, and disable the webhooks
    /// that any of them made
    #[arg(long)]
    descendants: bool,
    /// Change nothing; print what would end with --descendants
    #[arg(long)]
    dry_run: bool,
}

impl Token {
    /// Does what the subcommand says.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let database = environment.database()?;
        let following = TaskTracker::new();
        let share = database.servers.share(2, &following).await;
        match self.command {
            TokenCommand::Create(create) => create.run(&share).await,
            TokenCommand::List(list) => list.run(&share).await,
            TokenCommand::Revoke(revoke) => revoke.run(&share).await,
        }?;
        share.close().await;
        Ok(())
    }
}

impl CreateToken {
    async fn run(self, share: &Share) -> anyhow::Result<()> {
        let (clock, rng) = (Clock::system(), Rng::from_os());
        let days = self
            .expires_in_days
            .map(|days| Duration::days(i64::from(days)));
        let new = NewToken {
            name: self.name.into(),
            role: self.role.into(),
            account_ids: (!self.accounts.is_empty()).then_some(self.accounts),
            expires_at: days.map(|days| clock.now() + days),
            may_act_for: self.on_behalf_of,
            created_by: None,
        };
        let mut transaction = share.begin().await.context("asking the database")?;
        let made = tokens::create(&mut transaction, &clock, &rng, new).await;
        let (row, token) = match made {
            Err(CreateError::NameTaken(holder)) => bail!(
                "the token {} goes by the name {:?} and lives: choose another name, or revoke it first",
                holder.token_id,
                holder.name
            ),
            made => made.context("keeping the token")?,
        };
        record(&mut transaction, &[event("token create", &row)]).await?;
        transaction.commit().await.context("keeping the token")?;
        // Shown once: only its hash is kept.
        println!("{token}");
        Ok(())
    }
}

impl ListTokens {
    async fn run(self, share: &Share) -> anyhow::Result<()> {
        const PAGE: i64 = 1_000;
        println!("ID\tNAME\tROLE\tACCOUNTS\tON_BEHALF_OF\tEXPIRES\tLAST_USED\tREVOKED");
        let mut filter = TokenFilter {
            revoked_too: self.all,
            limit: PAGE,
            ..TokenFilter::default()
        };
        loop {
            let page = async {
                let mut connection = share.connection().await?;
                tokens::list(&mut *connection, &filter).await
            };
            let page: Result<_, sqlx::Error> = page.await;
            let page = page.context("reading the tokens")?;
            for row in &page {
                println!("{}", line(row));
            }
            match page.last() {
                Some(last) => filter.before = Some(last.token_id),
                None => return Ok(()),
            }
        }
    }
}

impl RevokeToken {
    async fn run(self, share: &Share) -> anyhow::Result<()> {
        let mut transaction = share.begin().await.context("asking the database")?;
        let found = tokens::find(&mut **transaction, None, self.id).await;
        let Some(row) = found.context("reading the token")? else {
            bail!(
                "there is no token {}: `token list` prints their ids",
                self.id
            );
        };
        let scope = Scope {
            root: row.token_id,
            visible: None,
        };
        if self.dry_run {
            let living = descendants::living(&mut transaction, scope).await;
            print(
                ("would revoke", "would disable"),
                &living.context("reading its descendants")?,
            );
            return Ok(());
        }
        let revoked = tokens::revoke(&mut **transaction, row.token_id).await;
        if revoked.context("revoking the token")? {
            let event = event("token revoke", &row);
            record(&mut transaction, &[event]).await?;
        } else if !self.descendants {
            bail!("token {} was revoked before", self.id);
        }
        let ended = if self.descendants {
            let ended = descendants::end(&mut transaction, scope).await;
            let ended = ended.context("revoking its descendants")?;
            record(&mut transaction, &ended_events(scope.root, &ended)).await?;
            ended
        } else {
            Descendants::default()
        };
        transaction.commit().await.context("revoking the token")?;
        println!("revoked {} ({})", row.token_id, row.name);
        print(("revoked", "disabled"), &ended);
        Ok(())
    }
}

/// What ended with a token, one a line.
fn print((revoked, disabled): (&str, &str), ended: &Descendants) {
    for row in &ended.tokens {
        println!("{revoked} {} ({})", row.token_id, row.name);
    }
    for row in &ended.webhooks {
        println!("{disabled} webhook {}", row.webhook_id);
    }
}

/// A change that is made here, by whoever holds `DATABASE_URL`.
fn event(action: &'static str, row: &TokenRow) -> AuditEvent {
    AuditEvent {
        actor: "command line".to_owned(),
        actor_kind: ActorKind::CommandLine,
        actor_id: None,
        on_behalf_of: None,
        action,
        account_id: None,
        resource: format!("/v1/tokens/{}", row.token_id),
        subject_id: Some(row.token_id),
        request_id: None,
        detail: row.audit_detail(),
    }
}

fn ended_events(root: Uuid, ended: &Descendants) -> Vec<AuditEvent> {
    let tokens = ended.tokens.iter().map(|row| {
        let mut event = event("token revoke", row);
        event.detail["revokedWith"] = json!(root);
        event
    });
    let webhooks = ended.webhooks.iter().map(|row| AuditEvent {
        resource: format!("/v1/webhooks/{}", row.webhook_id),
        subject_id: Some(row.webhook_id),
        account_id: None,
        actor: "command line".to_owned(),
        actor_kind: ActorKind::CommandLine,
        actor_id: None,
        on_behalf_of: None,
        action: "token revoke",
        request_id: None,
        detail: json!({"enabled": false, "revokedWith": root}),
    });
    tokens.chain(webhooks).collect()
}

async fn record(connection: &mut PgConnection, events: &[AuditEvent]) -> anyhow::Result<()> {
    audit::record_all(connection, events)
        .await
        .context("recording the change")
}

fn line(row: &TokenRow) -> String {
    let time = |at: Option<DateTime<Utc>>| {
        at.map_or_else(
            || "-".to_owned(),
            |at| at.to_rfc3339_opts(SecondsFormat::Secs, true),
        )
    };
    let accounts = row.account_ids.as_ref();
    [
        row.token_id.to_string(),
        row.name.clone(),
        row.role.clone(),
        accounts.map_or_else(|| "all".to_owned(), |ids| ids.join(",")),
        if row.may_act_for { "yes" } else { "no" }.to_owned(),
        time(row.expires_at),
        time(row.last_used_at),
        time(row.revoked_at),
    ]
    .join("\t")
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
