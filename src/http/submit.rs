//! From a request to its jobs: the submission, and what must hold before there is one.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::Needs;
use super::extract::{Call, no_account};
use super::idempotency::{self, Key};
use super::problem::Problem;
use super::queued::just_queued;
use super::state::State;
use super::wait::Patience;
use crate::db::accounts::Account;
use crate::db::audit::detail_by;
use crate::db::jobs::JobRow;
use crate::domain::{AccountId, ErrorCode, Region};
use crate::queue::enqueue::{Audit, NewCallback, NewJob, NewOperation, ReadShare};
use crate::queue::{Submission, Submitted};

/// How long a mutation may wait and run.
pub(super) const MUTATION_DEADLINE: Duration = Duration::from_hours(24);
/// How long a read may wait and run.
pub(super) const READ_DEADLINE: Duration = Duration::from_mins(2);

/// What a request asks for.
pub(super) struct Work {
    pub account_id: String,
    /// The id of the job, or of the operation.
    pub subject_id: Uuid,
    /// For changes: the API operation, the path of the thing changed, what was asked.
    pub audit: Option<(&'static str, String, Value)>,
    pub operation: Option<NewOperation>,
    pub jobs: Vec<NewJob>,
}

/// What was made, by this request or by an earlier one with the same key.
#[derive(Debug)]
pub(super) struct Made {
    pub subject_id: Uuid,
    pub replayed: bool,
    /// A single job as it was queued.
    row: Option<Box<JobRow>>,
}

impl<R: Needs> Call<R> {
    /// Submits the work in an account, unless an earlier request with the same key did: then that
    /// one's work is answered with, whatever has changed since.
    pub(super) async fn once(
        &self,
        key: Option<Key>,
        account: &AccountId,
        work: impl AsyncFn(&Account) -> Result<Work, Problem>,
    ) -> Result<Made, Problem> {
        let with_known = async { work(&*self.known_account(account).await?).await };
        if let Ok(work) = with_known.await {
            return self.submit(work, key).await;
        }
        if let Some(subject) = self.replayed(key.as_ref()).await? {
            return replayed(&subject);
        }
        // The account may have been mended a moment ago.
        let work = work(&*self.account(account).await?).await?;
        self.submit(work, key).await
    }

    /// Commits the jobs, their audit row and the idempotency key together.
    pub(super) async fn submit(&self, work: Work, key: Option<Key>) -> Result<Made, Problem> {
        Box::pin(self.submit_as(work, key, None)).await
    }

    /// Commits a live read, unless another one may be shared: then it is that one's job.
    pub(super) async fn submit_read(&self, work: Work, share: ReadShare) -> Result<Made, Problem> {
        Box::pin(self.submit_as(work, None, Some(share))).await
    }

    async fn submit_as(
        &self,
        work: Work,
        key: Option<Key>,
        share: Option<ReadShare>,
    ) -> Result<Made, Problem> {
        let (subject_id, account_id) = (work.subject_id, work.account_id.clone());
        let callback = match self.callback(&work).await {
            Ok(callback) => callback,
            Err(problem) => return self.replayed_or(key.as_ref(), problem).await,
        };
        if !self.has_room(&account_id, work.jobs.len()).await? {
            return self.replayed_or(key.as_ref(), self.full(&account_id)).await;
        }
        let job = match work.jobs.as_slice() {
            [job] if work.operation.is_none() => Some(job.clone()),
            _ => None,
        };
        let reused = share
            .as_ref()
            .map_or(idempotency::reused as fn() -> _, |_| lost);
        let audit = work
            .audit
            .map(|change| self.audited(change, callback.as_ref()));
        let submission = Submission {
            subject_id,
            account_id: work.account_id,
            requested_by: self.caller.asker().to_owned(),
            caller: self.caller.key_owner(),
            idempotency: key.map(|key| key.key),
            traceparent: self.facts.traceparent.clone(),
            audit,
            operation: work.operation,
            callback,
            share,
            jobs: work.jobs,
        };
        match self.state.submit(&self.caller, submission).await? {
            (Submitted::Accepted, placed) => {
                let by = self.caller.asker().to_owned();
                let row = job.zip(placed).map(|(job, placed)| {
                    let row = just_queued(account_id, by, job, placed);
                    Box::new(row)
                });
                Ok(Made {
                    subject_id,
                    replayed: false,
                    row,
                })
            }
            (Submitted::Replayed(subject), _) => replayed(&subject),
            (Submitted::KeyReused, _) => Err(reused()),
            (Submitted::UnknownAccount, _) => {
                self.state.known.forget_account(&account_id).await;
                Err(no_account(&account_id))
            }
        }
    }

    /// What an earlier request with the same key made; without one, the problem.
    async fn replayed_or(&self, key: Option<&Key>, problem: Problem) -> Result<Made, Problem> {
        match self.replayed(key).await? {
            Some(subject) => replayed(&subject),
            None => Err(problem),
        }
    }

    fn audited(
        &self,
        (action, resource, mut detail): (&'static str, String, Value),
        callback: Option<&NewCallback>,
    ) -> Audit {
        if let Some(NewCallback { webhook_id, run }) = callback {
            detail["callback"] = json!({"webhookId": webhook_id, "run": run});
        }
        Audit {
            actor: self.caller.name.clone(),
            on_behalf_of: self.caller.on_behalf_of.clone(),
            action,
            resource,
            request_id: self.facts.request_id.clone(),
            detail: detail_by(self.caller.kind(), self.caller.token_id(), detail),
        }
    }

    /// The job that was made, after the caller's wait for its end.
    pub(super) async fn made(&self, made: Made, patience: &Patience) -> Result<JobRow, Problem> {
        match made.row {
            Some(row) if patience.seconds == 0 => Ok(*row),
            _ => {
                let (id, seconds) = (made.subject_id, patience.seconds);
                self.state.job_within(&self.caller, id, seconds).await
            }
        }
    }
}

/// The read that was to be shared is not there, as after a crash.
fn lost() -> Problem {
    Problem::unavailable("The read to be shared is gone: repeat the request.")
}

/// What an earlier request with the same key made.
fn replayed(subject: &str) -> Result<Made, Problem> {
    let subject_id = Uuid::parse_str(subject).map_err(|_| idempotency::reused())?;
    Ok(Made {
        subject_id,
        replayed: true,
        row: None,
    })
}

/// Refuses work in an account that is disabled, or in a region it does not list.
pub(super) fn check_place(account: &Account, region: &Region, at: &str) -> Result<(), Problem> {
    let id = &account.account_id;
    if account.state == "disabled" {
        let detail = format!(
            "Account {id} is disabled: an administrator can set its state to active with \
             PATCH /v1/accounts/{id}."
        );
        return Err(Problem::new(ErrorCode::Conflict, detail));
    }
    if account
        .regions
        .iter()
        .any(|listed| listed == region.as_str())
    {
        return Ok(());
    }
    let message = format!(
        "account {id} does not list region {region}, only {}: add it with PATCH /v1/accounts/{id}, \
         or use another",
        account.regions.join(", ")
    );
    Err(Problem::invalid_field(at, message))
}

/// Refuses live reads at once while the account's role is known to be broken.
pub(super) fn check_not_parked(account: &Account, state: &State) -> Result<(), Problem> {
    let Some(probe_at) = account.probe_at.filter(|at| *at > state.clock.now()) else {
        return Ok(());
    };
    let reason = account
        .parked_reason
        .as_deref()
        .unwrap_or("no reason was kept");
    let detail = format!(
        "The role {} of account {} can't be assumed ({reason}). It is tried again at {}: mend the \
         role's trust policy, or set the account active to try at once.",
        account.role_arn,
        account.account_id,
        probe_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    );
    let seconds = (probe_at - state.clock.now()).num_seconds().max(1);
    let problem = Problem::new(ErrorCode::AwsAssumeRoleFailed, detail);
    Err(problem.retry_after(u32::try_from(seconds).unwrap_or(600)))
}
