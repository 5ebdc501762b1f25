//! What jobs do: one operation a file, each a step machine whose every step may run twice.
//!
//! An operation reads its input, takes one step at AWS and answers with a verdict. Before it asks
//! AWS for a change it notes so under its lease; what AWS accepted is followed to its end.

mod access_entry;
mod asked_by;
mod cluster_api;
mod context;
mod coredns;
mod create_cluster;
mod create_fargate_profile;
mod delete_access_entry;
mod delete_cluster;
mod delete_fargate_profile;
mod failures;
mod following;
mod get_access_entry;
mod get_cluster;
mod get_fargate_profile;
mod list_access_entries;
mod list_clusters;
mod list_fargate_profiles;
mod patience;
mod pod_execution_role;
mod profile_creation;
mod profile_deletion;
mod profile_state;
mod profile_tags;
mod put_access_entry;
mod reads;
mod refused;
mod stack_creation;
mod stack_deletion;
mod stage;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::aws::Aws;
use crate::database::Share;
use crate::db::breaker;
use crate::domain::{ErrorCode, JobKind};
use crate::queue::worker::Trouble;
use crate::queue::{ClaimedJob, Failure, Handler, Lease, Verdict, Wait};

use context::Context;
use failures::failure;
use reads::Reads;

/// The handler of all kinds of jobs.
#[derive(Clone)]
pub struct Operations {
    share: Share,
    reads: Arc<Reads>,
    aws: Aws,
    time_scale: f64,
}

impl Operations {
    /// `time_scale` divides the times that AWS is given: for simulators, whose clock runs faster.
    #[must_use]
    pub fn new(share: Share, aws: Aws, time_scale: f64) -> Self {
        Self {
            reads: Arc::new(Reads::new(&share)),
            share,
            aws,
            time_scale,
        }
    }

    async fn role_worked(&self, account_id: &str) -> Result<(), sqlx::Error> {
        let mut connection = self.share.connection().await?;
        breaker::role_worked(&mut *connection, account_id).await
    }

    async fn step(&self, job: &ClaimedJob, lease: &Lease) -> Result<Verdict, Verdict> {
        let kind = JobKind::from_str(&job.kind).map_err(|_| not_for_this_worker(job))?;
        let context = self.context(kind, job, lease).await?;
        let verdict = match kind {
            JobKind::CreateFargateProfile => create_fargate_profile::step(&context).await,
            JobKind::DeleteFargateProfile => delete_fargate_profile::step(&context).await,
            JobKind::GetFargateProfile => get_fargate_profile::step(&context).await,
            JobKind::ListFargateProfiles => list_fargate_profiles::step(&context).await,
            JobKind::CreateCluster => create_cluster::step(&context).await,
            JobKind::DeleteCluster => delete_cluster::step(&context).await,
            JobKind::PlanClusterDeletion => delete_cluster::plan(&context).await,
            JobKind::GetCluster => get_cluster::step(&context).await,
            JobKind::ListClusters => list_clusters::step(&context).await,
            JobKind::PutAccessEntry => put_access_entry::step(&context).await,
            JobKind::GetAccessEntry => get_access_entry::step(&context).await,
            JobKind::ListAccessEntries => list_access_entries::step(&context).await,
            JobKind::DeleteAccessEntry => delete_access_entry::step(&context).await,
            _ => Err(not_for_this_worker(job)),
        }
        .unwrap_or_else(|verdict| verdict);
        if !matches!(verdict, Verdict::Again(_) | Verdict::Retry(_)) {
            context.eks.close().await;
        }
        Ok(verdict)
    }

    /// The account, and a session in it.
    async fn context<'a>(
        &'a self,
        kind: JobKind,
        job: &'a ClaimedJob,
        lease: &'a Lease,
    ) -> Result<Context<'a>, Verdict> {
        let account = self
            .reads
            .account(&job.account_id)
            .await
            .map_err(|error| database_trouble(lease, &error))?
            .ok_or_else(|| {
                Verdict::Fail(failure(
                    ErrorCode::NotFound,
                    format!("account {} is no longer registered", job.account_id),
                ))
            })?;
        let context = Context::new(self, kind, job, lease, &account)?;
        // A cached session proves nothing about the role as it is now.
        let parked = account.state == "parked";
        match context.eks.open(parked).await {
            Ok(true) if account.role_failures > 0 || parked => {
                self.role_worked(&account.account_id)
                    .await
                    .map_err(|error| database_trouble(lease, &error))?;
            }
            Ok(_) => {}
            Err(refusal) => return Err(refused::verdict(&context, refusal).await),
        }
        Ok(context)
    }
}

/// While an upgrade is under way, an API may know more than a worker: another one takes the job.
fn not_for_this_worker(job: &ClaimedJob) -> Verdict {
    let message = format!(
        "A worker that does not know jobs of kind {} left this one to another; upgrade the workers.",
        job.kind
    );
    let step = (job.step.as_str(), job.step_data.clone());
    Context::wait(Duration::from_secs(5), step, Wait::Retry, message)
}

/// Our own trouble is no fault of the job: the same step again, for free.
fn database_trouble(lease: &Lease, error: &dyn std::error::Error) -> Verdict {
    tracing::warn!(%error, "reading what the step has to know");
    let progress = lease.progress();
    let message = "The database could not be read; the job goes on by itself.";
    let step = (progress.step.as_str(), progress.step_data);
    Context::wait(Duration::from_secs(1), step, Wait::Retry, message)
}

impl Handler for Operations {
    async fn run(&self, job: &ClaimedJob, lease: &Lease) -> Verdict {
        // Boxed: the SDK's futures are deep.
        Box::pin(self.step(job, lease))
            .await
            .unwrap_or_else(|verdict| verdict)
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        match trouble {
            Trouble::TimedOut => failure(ErrorCode::AwsUnavailable, "the step took too long"),
            Trouble::Panicked => failure(
                ErrorCode::Internal,
                "the step failed for a reason that is ours; the worker's log says more",
            ),
            Trouble::Unwritable => failure(
                ErrorCode::Internal,
                "what the step has to say can't be kept in the database; look at the cluster",
            ),
            Trouble::DeadlineExceeded => failure(
                ErrorCode::DeadlineExceeded,
                "the job's deadline has passed; look at the cluster, then retry the job",
            ),
        }
    }
}
