//! Whether the database answers, asked for `/readyz` once for all who ask at the same moment: however
//! many do, they take one connection.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::database::Share;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What asks, and the last answer with the time at which it was asked for.
pub(super) struct Readiness {
    share: Share,
    runtime: Handle,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    /// Asks on the runtime that the connections belong to.
    pub(super) fn new(share: Share, runtime: Handle) -> Self {
        Self {
            share,
            runtime,
            last: Mutex::default(),
        }
    }

    /// Whether the database answered after this was called.
    pub(super) async fn answers(&self) -> bool {
        let arrived = Instant::now();
        let mut last = self.last.lock().await;
        if let Some((asked, answered)) = *last
            && asked >= arrived
        {
            return answered;
        }
        let asked = Instant::now();
        let asking = tokio::time::timeout(PATIENCE, ask(self.share.clone()));
        let asking = self.runtime.spawn(asking);
        let answered = asking
            .await
            .is_ok_and(|answer| matches!(answer, Ok(Ok(()))));
        *last = Some((asked, answered));
        answered
    }
}

async fn ask(share: Share) -> Result<(), sqlx::Error> {
    let mut connection = share.connection().await?;
    sqlx::query!("select 1 as one")
        .fetch_one(&mut *connection)
        .await?;
    Ok(())
}
