//! What every step has at hand: the job, its lease, and EKS in the job's account.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Operations;
use super::failures::failure;
use super::reads::Reads;
use crate::aws::sessions::sts_name;
use crate::aws::{Access, CloudFormation, Clusters, Eks, SessionKey};
use crate::database::Share;
use crate::db::accounts::Account;
use crate::domain::{ErrorCode, JobKind, Region, Warning};
use crate::queue::lease::{LeaseLost, Note, Progress};
use crate::queue::verdict::Again;
use crate::queue::{ClaimedJob, Lease, Verdict, Wait};

/// The surroundings of one step.
pub(super) struct Context<'a> {
    pub(super) share: &'a Share,
    pub(super) reads: &'a Reads,
    pub(super) job: &'a ClaimedJob,
    pub(super) lease: &'a Lease,
    pub(super) kind: JobKind,
    pub(super) eks: Eks,
    /// EKS cluster.
    pub(super) cluster: &'a str,
    /// Divides AWS's times.
    pub(super) time_scale: f64,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        operations: &'a Operations,
        kind: JobKind,
        job: &'a ClaimedJob,
        lease: &'a Lease,
        account: &Account,
    ) -> Result<Self, Verdict> {
        let region = Region::parse(&job.region)
            .map_err(|error| Verdict::Fail(failure(ErrorCode::Internal, error.message())))?;
        let cluster = job.cluster_name.as_deref().unwrap_or_default();
        let access = access(kind);
        // Reads are many and change nothing: a caller's share a session, and no role is assumed for
        // each. It is named after the caller, as no job owns it.
        let (narrowed_to, session_name) = if access.is_read() {
            ("*", format!("read-{}", job.requested_by))
        } else {
            (cluster, format!("job-{}", job.job_id))
        };
        let session = SessionKey {
            account_id: account.account_id.clone(),
            role_arn: account.role_arn.clone(),
            external_id: account.external_id.clone(),
            region: job.region.clone(),
            partition: region.partition().as_str(),
            cluster: narrowed_to.to_owned(),
            access,
            roles: named_roles(kind, job),
            session_name: sts_name(&session_name),
            source_identity: sts_name(&job.requested_by),
        };
        let eks = operations.aws.eks(session, cluster.to_owned());
        let (share, time_scale) = (&operations.share, operations.time_scale);
        Ok(Self {
            share,
            reads: &operations.reads,
            job,
            lease,
            kind,
            eks,
            cluster,
            time_scale,
        })
    }

    /// The job's input.
    pub(super) fn input<T: DeserializeOwned>(&self) -> Result<T, Verdict> {
        T::deserialize(&self.job.input).map_err(|error| {
            let message = format!("the job's input can't be read: {error}");
            Verdict::Fail(failure(ErrorCode::Internal, message))
        })
    }

    /// What the step has to know; nothing at the first.
    pub(super) fn data<T: DeserializeOwned>(&self) -> Result<T, Verdict> {
        T::deserialize(&self.job.step_data).map_err(|error| {
            let message = format!("the job's progress can't be read: {error}");
            Verdict::Fail(failure(ErrorCode::Internal, message))
        })
    }

    /// The clusters of the region, their add-ons and nodegroups.
    pub(super) fn clusters(&self) -> Clusters {
        self.eks.caller().clusters()
    }

    /// The stacks of the region.
    pub(super) fn stacks(&self) -> CloudFormation {
        self.eks.caller().cloudformation()
    }

    /// The token of one of the changes that the job asks for: the same one never makes two.
    pub(super) fn client_request_token(&self, change: &str) -> String {
        let short = Sha256::digest(change)
            .iter()
            .take(8)
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        format!("{}-{short}", self.job.job_id)
    }

    /// Notes that AWS is about to be asked for a change. False when a cancel is waiting: then don't
    /// ask. Stops when the lease is lost, or the deadline has passed: nobody would follow.
    pub(super) async fn note_asking(
        &self,
        step: &str,
        data: &impl Serialize,
        note: Note,
    ) -> Result<bool, Verdict> {
        if self.job.last_look {
            return Err(Verdict::Fail(failure(
                ErrorCode::DeadlineExceeded,
                "the job's deadline has passed; look at the cluster, then retry the job",
            )));
        }
        let progress = Progress {
            step: step.to_owned(),
            step_data: json!(data),
            asked: true,
        };
        match self.lease.note(progress, note).await {
            Ok(noted) => Ok(!noted.stop),
            Err(lost) => Err(self.lease_lost(&lost)),
        }
    }

    /// Notes what has come of the job so far. Asks AWS for nothing.
    pub(super) async fn note(
        &self,
        step: &str,
        data: &impl Serialize,
        note: Note,
    ) -> Result<(), Verdict> {
        let progress = Progress {
            step: step.to_owned(),
            step_data: json!(data),
            asked: self.lease.progress().asked,
        };
        match self.lease.note(progress, note).await {
            Ok(_) => Ok(()),
            Err(lost) => Err(self.lease_lost(&lost)),
        }
    }

    /// Tells the caller something that keeps the job from nothing. `step` and its data have to say
    /// that it was told, lest it be told twice.
    pub(super) async fn tell(
        &self,
        (step, data): (&str, Value),
        warning: &Warning,
    ) -> Result<(), Verdict> {
        let note = Note {
            message: warning.message.clone(),
            warnings: vec![json!(warning)],
            ..Note::default()
        };
        self.note(step, &data, note).await
    }

    /// A wait before `step`.
    pub(super) fn wait(
        after: Duration,
        (step, data): (&str, Value),
        wait: Wait,
        message: impl Into<String>,
    ) -> Verdict {
        Verdict::Again(Box::new(Again {
            after,
            step: step.to_owned(),
            step_data: data,
            wait,
            message: message.into(),
            accepted: false,
        }))
    }

    /// The note could not be written. The verdict is, if the lease holds after all: then the same
    /// step again, for free, because it is no fault of the job.
    fn lease_lost(&self, lost: &LeaseLost) -> Verdict {
        tracing::warn!(error = %lost, "noting how far the step has come");
        let progress = self.lease.progress();
        let message = "Progress could not be written down; the job goes on by itself.";
        let step = (progress.step.as_str(), progress.step_data);
        Self::wait(Duration::from_secs(1), step, Wait::Retry, message)
    }

    /// A time of our own clock, kept from being divided by the scale.
    pub(super) fn unscaled(&self, time: Duration) -> Duration {
        time.mul_f64(self.time_scale)
    }

    /// A time of AWS's clock, as long as it takes here.
    pub(super) fn scaled(&self, time: Duration) -> Duration {
        time.div_f64(self.time_scale.max(0.001))
    }
}

/// The roles with names of the caller's own that the job makes or deletes.
fn named_roles(kind: JobKind, job: &ClaimedJob) -> Vec<String> {
    let found: Vec<&Value> = match kind {
        JobKind::CreateCluster => ["serviceAccounts", "podIdentities", "nodegroups"]
            .iter()
            .filter_map(|key| job.input.pointer(&format!("/spec/{key}")))
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(|one| {
                let of_workload = one.pointer("/role/new/name");
                of_workload.or_else(|| one.pointer("/role/instanceRoleName"))
            })
            .collect(),
        JobKind::DeleteCluster => {
            let kept = job.step_data.pointer("/work/roles");
            kept.and_then(Value::as_array)
                .into_iter()
                .flatten()
                .collect()
        }
        _ => Vec::new(),
    };
    let names = found.into_iter().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

const fn access(kind: JobKind) -> Access {
    match kind {
        JobKind::CreateFargateProfile => Access::CreateProfile,
        JobKind::DeleteFargateProfile => Access::DeleteProfile,
        JobKind::CreateCluster => Access::CreateCluster,
        JobKind::DeleteCluster => Access::DeleteCluster,
        JobKind::GetCluster
        | JobKind::ListClusters
        | JobKind::PlanClusterDeletion
        | JobKind::GetAccessEntry
        | JobKind::ListAccessEntries => Access::ReadClusters,
        JobKind::PutAccessEntry | JobKind::DeleteAccessEntry => Access::ManageAccess,
        _ => Access::Read,
    }
}
