//! How a process ends: everything is told, everything is waited for, for a bounded time.
//!
//! Tasks live here, so that none is cut off in the middle of a step; a task watches
//! [`Shutdown::token`] and ends at its next safe point. A second signal cuts the wait short.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The shared wish to end and the tasks that must have ended first; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    requested: CancellationToken,
    hurried: CancellationToken,
    tasks: TaskTracker,
    signal_watch: TaskTracker,
}

/// How a drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every task has ended.
    Completely,
    /// Time ran out, or a second signal came.
    TasksLeft(usize),
}

impl Shutdown {
    /// Nothing requested, nothing running.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a task watches: cancelled when the process should end.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.requested.clone()
    }

    /// Asks everything to end.
    pub fn request(&self) {
        self.requested.cancel();
    }

    /// Runs a task that [`Shutdown::drain`] waits for.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// From now on SIGINT and SIGTERM request the shutdown, and a second one hurries it.
    ///
    /// # Errors
    ///
    /// The handlers cannot be installed.
    pub fn watch_signals(&self) -> std::io::Result<()> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        self.signal_watch
            .spawn(self.clone().obey(interrupt, terminate));
        Ok(())
    }

    async fn obey(self, mut interrupt: Signal, mut terminate: Signal) {
        log_signal(
            next_of(&mut interrupt, &mut terminate).await,
            "finishing what is under way",
        );
        self.requested.cancel();
        log_signal(
            next_of(&mut interrupt, &mut terminate).await,
            "ending at once",
        );
        self.hurried.cancel();
    }

    /// Resolves when a second signal says that there is no time.
    pub async fn hurried(&self) {
        self.hurried.cancelled().await;
    }

    /// Requests the shutdown and waits until every task has ended, at most `grace`.
    pub async fn drain(&self, grace: Duration) -> Drained {
        self.requested.cancel();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => return Drained::Completely,
            () = tokio::time::sleep(grace) => {}
            () = self.hurried.cancelled() => {}
        }
        match self.tasks.len() {
            0 => Drained::Completely,
            left => Drained::TasksLeft(left),
        }
    }
}

fn log_signal(name: &str, reaction: &str) {
    tracing::info!(signal = name, "{reaction}");
}

async fn next_of(interrupt: &mut Signal, terminate: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn drain_waits_for_a_task_that_finishes_its_step() {
        let shutdown = Shutdown::new();
        let token = shutdown.token();
        let task = shutdown.spawn(async move {
            token.cancelled().await;
            tokio::task::yield_now().await;
            "finished"
        });
        assert_eq!(
            shutdown.drain(Duration::from_secs(5)).await,
            Drained::Completely
        );
        assert_eq!(task.await.unwrap(), "finished");
    }

    #[tokio::test]
    async fn drain_gives_up_after_its_grace_and_counts_what_is_left() {
        let shutdown = Shutdown::new();
        shutdown.spawn(std::future::pending::<()>());
        assert_eq!(shutdown.drain(Duration::ZERO).await, Drained::TasksLeft(1));
    }

    #[tokio::test]
    async fn a_second_signal_cuts_the_wait_short() {
        let shutdown = Shutdown::new();
        shutdown.spawn(std::future::pending::<()>());
        shutdown.hurried.cancel();
        assert_eq!(
            shutdown.drain(Duration::from_hours(1)).await,
            Drained::TasksLeft(1)
        );
    }
}
