//! Deletes one Fargate profile and follows it until it is gone.
//!
//! Steps:
//! - `start`: the profile is there; one that is being deleted already is adopted.
//! - `delete`: notes that AWS is being asked, then asks. From here on, "not found" means done.
//! - `follow`: looks until the profile is gone or `DELETE_FAILED`; left out with `wait=false`.
//! - `role`: deletes the stack of the profile's role, if nobody else uses it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::context::Context;
use super::coredns::coredns_left;
use super::database_trouble;
use super::failures::failure;
use super::following::Followed;
use super::pod_execution_role::removal::{Removing, RoleRemoval};
use super::profile_creation::Keep;
use super::profile_deletion::{Asking, Deletion, Kept, ProfileDeletion, is_being_deleted};
use super::refused;
use crate::aws::{Class, Refusal};
use crate::db::jobs;
use crate::domain::ErrorCode;
use crate::domain::job_input::{DeleteProfileInput, JobResult};
use crate::queue::Verdict;

/// What a step has to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Data<T: Default> {
    /// The profile's role, from when the profile was still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(flatten)]
    own: T,
}

/// What `role` has to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AtRole {
    /// What became of the profile, in a sentence.
    said: String,
    removing: Removing,
}

struct Job<'a> {
    context: &'a Context<'a>,
    /// The profile's.
    name: &'a str,
    role: Option<String>,
}

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let job = |role| {
        let name = context.job.profile_name.as_deref().unwrap_or_default();
        Job {
            context,
            name,
            role,
        }
    };
    match context.job.step.as_str() {
        "start" => job(None).start().await,
        "delete" => {
            let Data { role, own } = context.data()?;
            job(role).resume(own).await
        }
        "follow" => {
            let Data { role, own } = context.data()?;
            job(role).follow(own).await
        }
        "role" => {
            let Data { role, own } = context.data()?;
            job(role).remove_role(own).await
        }
        other => Err(Verdict::Fail(failure(
            ErrorCode::Internal,
            format!("a deletion has no step {other}"),
        ))),
    }
}

fn keep(role: Option<String>, kept: Kept) -> (&'static str, Value) {
    match kept {
        Kept::Asking(own) => ("delete", json!(Data { role, own })),
        Kept::Following(own) => ("follow", json!(Data { role, own })),
    }
}

impl Job<'_> {
    async fn start(mut self) -> Result<Verdict, Verdict> {
        let context = self.context;
        if context.job.cancel_requested {
            return Err(Verdict::Canceled);
        }
        let profile = match context.eks.profile(self.name).await {
            Ok(profile) => profile,
            Err(refusal) => return not_there(&self, refusal).await,
        };
        let going = is_being_deleted(&profile);
        self.role.clone_from(&profile.pod_execution_role_arn);
        if going {
            return self.stands(Deletion::Accepted(profile.arn)).await;
        }
        let asking = Asking::of(profile.arn.clone());
        if let Some(warning) = coredns_left(context, &profile).await? {
            let (step, data) = keep(self.role.clone(), Kept::Asking(asking.clone()));
            context.tell((step, data), &warning).await?;
        }
        self.ask(asking).await
    }

    /// `delete` was noted, and perhaps AWS was asked, before the worker died or the cluster was busy.
    async fn resume(&self, asking: Asking) -> Result<Verdict, Verdict> {
        if self.context.job.cancel_requested {
            return self.cancel().await;
        }
        self.ask(asking).await
    }

    /// A cancel, after AWS may have been asked: what it has begun is followed, else nothing was done.
    async fn cancel(&self) -> Result<Verdict, Verdict> {
        match self.context.eks.profile(self.name).await {
            Ok(profile) if is_being_deleted(&profile) => {
                self.stands(Deletion::Accepted(profile.arn)).await
            }
            Ok(_) => Err(Verdict::Canceled),
            Err(refusal) => {
                let keep = |kept| keep(self.role.clone(), kept);
                let stands = self.deletion(&keep).gone_or(refusal).await?;
                self.stands(stands).await
            }
        }
    }

    async fn ask(&self, asking: Asking) -> Result<Verdict, Verdict> {
        let keep = |kept| keep(self.role.clone(), kept);
        let deletion = self.deletion(&keep);
        if !deletion.note(&asking).await? {
            return self.cancel().await;
        }
        let stands = deletion.ask(asking).await?;
        self.stands(stands).await
    }

    /// Followed to its end, unless the caller does not care for it.
    async fn stands(&self, stands: Deletion) -> Result<Verdict, Verdict> {
        let DeleteProfileInput { wait } = self.context.input()?;
        let keep = |kept| keep(self.role.clone(), kept);
        let deletion = self.deletion(&keep);
        match stands {
            Deletion::Gone(said) => self.then_role(said).await,
            Deletion::Accepted(_) if !wait => self.then_role(deletion.under_way()).await,
            Deletion::Accepted(arn) => Ok(deletion.wait(Followed::from_now(self.context, arn))),
        }
    }

    async fn follow(&self, followed: Followed) -> Result<Verdict, Verdict> {
        let keep = |kept| keep(self.role.clone(), kept);
        let said = self.deletion(&keep).follow(followed).await?;
        self.then_role(said).await
    }

    fn deletion<'a>(&'a self, keep: Keep<'a, Kept>) -> ProfileDeletion<'a> {
        ProfileDeletion {
            context: self.context,
            name: self.name,
            keep,
        }
    }

    async fn then_role(&self, said: String) -> Result<Verdict, Verdict> {
        let removing = Removing::default();
        self.remove_role(AtRole { said, removing }).await
    }

    /// The profile is gone, or soon will be: its role may have become useless.
    async fn remove_role(&self, at: AtRole) -> Result<Verdict, Verdict> {
        let AtRole { said, removing } = at;
        let Some(role) = &self.role else {
            return Ok(done(said));
        };
        let DeleteProfileInput { wait } = self.context.input()?;
        let keep = |removing| {
            let (role, said) = (Some(role.clone()), said.clone());
            let own = AtRole { said, removing };
            ("role", json!(Data { role, own }))
        };
        let removal = RoleRemoval {
            context: self.context,
            role,
            wait,
            keep: &keep,
        };
        let more = removal.remove(removing).await?;
        Ok(done(format!("{said}{more}")))
    }
}

/// Nothing to delete at the first look: no error when another job did it while this one waited.
async fn not_there(job: &Job<'_>, refusal: Refusal) -> Result<Verdict, Verdict> {
    let context = job.context;
    let refusal = refused::told_apart(context, refusal).await;
    if refusal.class == Class::ProfileNotFound {
        let row = context.job;
        let deleted = async {
            let mut connection = context.share.connection().await?;
            jobs::deleted_meanwhile(&mut *connection, &row.account_id, row.job_id).await
        };
        match deleted.await {
            Ok(true) => {
                return Ok(done(format!(
                    "Fargate profile {} was deleted by another job while this one waited.",
                    job.name
                )));
            }
            Ok(false) => {}
            Err(error) => return Err(database_trouble(context.lease, &error)),
        }
    }
    Err(refused::verdict(context, refusal).await)
}

fn done(message: String) -> Verdict {
    Verdict::Done {
        result: json!(JobResult::default()),
        message,
    }
}
