//! Live reads: a job that the request waits for, and its failure as a problem.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{self, Manner};
use super::auth::{Needs, Viewer};
use super::extract::Call;
use super::fargate_profiles::create::to_json;
use super::problem::Problem;
use super::query::WaitSeconds;
use super::state::State;
use super::submit::{self, READ_DEADLINE, Work};
use super::wait::Patience;
use crate::db::accounts::Account;
use crate::db::jobs::JobRow;
use crate::domain::job_input::ReadInput;
use crate::domain::{AccountId, ClusterName, JobKind, ProfileName, Region};
use crate::queue::enqueue::{NewJob, ReadShare};

/// How long a live read is held unless told otherwise.
const DEFAULT_WAIT: u8 = 20;

/// What is read.
pub(super) struct Read<'a> {
    pub kind: JobKind,
    pub account_id: &'a AccountId,
    pub region: &'a Region,
    pub cluster_name: Option<&'a ClusterName>,
    pub profile_name: Option<&'a ProfileName>,
    /// In the words that follow "Queued: read".
    pub what: String,
}

/// How a read came out within the wait.
pub(super) enum Outcome {
    /// It succeeded.
    Done(Box<JobRow>),
    /// It goes on; the answer holds its job.
    Later(HttpResponse),
}

/// Reads in an account that the caller may see.
pub(super) async fn read(
    call: &Call<Viewer>,
    account: &Account,
    read: Read<'_>,
    wait: Option<WaitSeconds>,
) -> Result<Outcome, Problem> {
    let input = to_json(&ReadInput {})?;
    read_with(call, account, read, (input, wait)).await
}

/// The same, of a read that takes more than the job's columns, with its job's input.
pub(super) async fn read_with<R: Needs>(
    call: &Call<R>,
    account: &Account,
    read: Read<'_>,
    (input, wait): (Value, Option<WaitSeconds>),
) -> Result<Outcome, Problem> {
    if check(&call.state, account, read.region).is_err() {
        // It may have been mended a moment ago.
        let account = call.account(read.account_id).await?;
        check(&call.state, &account, read.region)?;
    }
    let share = share(call, account, &read, &input);
    let work = work(call, &read, input);
    let patience = Patience::of(wait, call.headers(), DEFAULT_WAIT);
    let job_id = work.subject_id;
    call.take_read(&work.account_id, job_id).await?;
    let account_id = work.account_id.clone();
    let made = (job_id, call.submit_read(work, share));
    let job = call
        .state
        .new_job_within(&call.caller, made, patience.seconds)
        .await;
    // It is over, another one is shared, or nothing was made.
    let over = |job: &JobRow| job.finished_at.is_some() || job.job_id != job_id;
    if job.as_ref().map_or(true, over) {
        call.give_read_back(&account_id, job_id);
    }
    let job = job?;
    match job.state.as_str() {
        "succeeded" => Ok(Outcome::Done(Box::new(job))),
        "failed" | "canceled" => Err(Problem::of_job(&job)),
        _ => Ok(Outcome::Later(answer::job(
            &call.state,
            job,
            &Manner::of(false, &patience),
        ))),
    }
}

/// What is read, and with whose rights: the same for those who may share one job.
fn share<R: Needs>(call: &Call<R>, account: &Account, read: &Read<'_>, input: &Value) -> ReadShare {
    let mut visible = call.caller.visible();
    if let Some(visible) = &mut visible {
        visible.sort_unstable();
    }
    let cluster = read.cluster_name.map_or("", ClusterName::as_str);
    let what = json!([
        call.caller.role().as_str(),
        visible,
        account.account_id,
        // Another role or external id of the account may read something else.
        account.version,
        account.state,
        read.kind.as_str(),
        read.region.as_str(),
        cluster,
        read.profile_name.map(ProfileName::as_str),
        input,
    ]);
    ReadShare {
        sha256: Sha256::digest(what.to_string()).to_vec(),
        lane: format!("{}/{cluster}", read.region),
    }
}

fn check(state: &State, account: &Account, region: &Region) -> Result<(), Problem> {
    submit::check_place(account, region, "/path/region")?;
    submit::check_not_parked(account, state)
}

fn work<R: Needs>(call: &Call<R>, read: &Read<'_>, input: Value) -> Work {
    let job_id = call.state.clock.uuid();
    let job = NewJob {
        job_id,
        kind: read.kind.as_str(),
        region: read.region.to_string(),
        cluster_name: read.cluster_name.map(ToString::to_string),
        profile_name: read.profile_name.map(ToString::to_string),
        retry_of: None,
        lane: None,
        input,
        message: format!("Queued: read {}.", read.what),
        warnings: json!([]),
        deadline_after: READ_DEADLINE,
    };
    Work {
        account_id: read.account_id.to_string(),
        subject_id: job_id,
        audit: None,
        operation: None,
        jobs: vec![job],
    }
}
