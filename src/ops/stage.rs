//! A stage of a long job: one of its steps, which looks first and then acts, until all that it has
//! to do is done.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::context::Context;
use super::following::{Followed, Pace, look_later};
use super::refused::{self, Since};
use crate::queue::lease::Note;
use crate::queue::verdict::Again;
use crate::queue::{Verdict, Wait};

/// What the job has to know from one step to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Kept<W> {
    /// How far it has come.
    pub(super) work: W,
    /// What this stage waits for, and since when.
    pub(super) followed: Option<Followed>,
    busy: Since,
    /// Its warnings are written down.
    warned: bool,
}

/// One stage, at work.
pub(super) struct Stage<'a, W> {
    pub(super) context: &'a Context<'a>,
    /// Its name, as callers see it.
    pub(super) step: &'static str,
    pub(super) kept: Kept<W>,
}

impl<W: Clone + Serialize> Stage<'_, W> {
    /// Notes that AWS is being asked for a change. A cancel is honoured as long as the job has asked
    /// for nothing.
    pub(super) async fn note(&self, message: impl Into<String>) -> Result<(), Verdict> {
        let before = self.context.lease.progress().asked;
        if self.asking(message.into()).await? || before {
            Ok(())
        } else {
            Err(Verdict::Canceled)
        }
    }

    /// The same, where a look has just told that nothing came of it if the job has asked before.
    pub(super) async fn note_first(&self, message: impl Into<String>) -> Result<(), Verdict> {
        if self.asking(message.into()).await? {
            Ok(())
        } else {
            Err(Verdict::Canceled)
        }
    }

    async fn asking(&self, message: String) -> Result<bool, Verdict> {
        let note = Note {
            message,
            ..Note::default()
        };
        let context = self.context;
        context.note_asking(self.step, &self.kept, note).await
    }

    /// Writes warnings down, once.
    pub(super) async fn warn(
        &mut self,
        message: &str,
        warnings: Vec<Value>,
    ) -> Result<(), Verdict> {
        if self.kept.warned {
            return Ok(());
        }
        self.kept.warned = true;
        let note = Note {
            message: message.to_owned(),
            warnings,
            ..Note::default()
        };
        self.context.note(self.step, &self.kept, note).await
    }

    /// Looks again later at what AWS is at.
    pub(super) fn later(&self, pace: &Pace, message: impl Into<String>) -> Verdict {
        let followed = self.kept.followed.clone();
        let followed = followed.unwrap_or_else(|| Followed::from_now(self.context, None));
        let keep = |followed| self.following(followed);
        look_later(self.context, pace, followed, (message.into(), keep))
    }

    /// Looks again after a while, whatever was waited for before.
    pub(super) fn park(&self, after: Duration, wait: Wait, message: String) -> Verdict {
        Verdict::Again(Box::new(Again {
            after,
            step: self.step.to_owned(),
            step_data: json!(self.kept),
            wait,
            message,
            accepted: self.context.job.asked || self.context.lease.progress().asked,
        }))
    }

    /// The same stage, which follows this.
    pub(super) fn following(&self, followed: Followed) -> (&'static str, Value) {
        let kept = Kept {
            followed: Some(followed),
            ..self.kept.clone()
        };
        (self.step, json!(kept))
    }

    /// The cluster, or a stack, is at work on another change.
    pub(super) fn busy(&self, words: &str) -> Verdict {
        refused::busy(self.context, self.kept.busy, words, |busy| {
            let kept = self.kept.clone();
            (self.step, json!(Kept { busy, ..kept }))
        })
    }

    /// This stage is done: goes on with another.
    pub(super) fn then(&self, step: &'static str, message: String) -> Verdict {
        let kept = Kept {
            work: self.kept.work.clone(),
            followed: None,
            busy: Since::default(),
            warned: false,
        };
        Verdict::Again(Box::new(Again {
            after: Duration::ZERO,
            step: step.to_owned(),
            step_data: json!(kept),
            wait: Wait::Poll,
            message,
            accepted: self.context.job.asked || self.context.lease.progress().asked,
        }))
    }
}
