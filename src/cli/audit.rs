//! `audit verify`: whether the audit trail is what was written.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use fargate_fleet::audit::chain::Head;
use fargate_fleet::audit::verify::verify;
use fargate_fleet::config::Environment;
use tokio_util::task::TaskTracker;

/// What `audit` takes.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Check every sealed row, say how many are sound, and fail at the first that is not
    Verify(VerifyAudit),
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct VerifyAudit {
    /// A head that was printed before and kept elsewhere: the chain must still lead through it
    #[arg(long)]
    head: Option<Head>,
}

impl Audit {
    /// Does what the subcommand says.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self.command {
            AuditCommand::Verify(verify) => verify.run(environment).await,
        }
    }
}

impl VerifyAudit {
    async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let database = environment.database()?;
        let following = TaskTracker::new();
        let share = database.servers.share(2, &following).await;
        let mut connection = share
            .connection()
            .await
            .context("connecting to the database")?;
        let sound = verify(&mut connection, self.head).await?;
        println!(
            "{} audit rows are sealed and sound, {} wait for their seal",
            sound.rows, sound.unsealed
        );
        println!("head {}", sound.head);
        drop(connection);
        share.close().await;
        Ok(())
    }
}
