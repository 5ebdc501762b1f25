//! Who asked AWS for the change that something is met in, as far as our jobs tell.

use super::context::Context;
use super::database_trouble;
use crate::db::jobs::Place;
use crate::db::last_change::{Changed, LOOKED_BACK, last_change};
use crate::domain::JobKind;
use crate::queue::Verdict;

/// A change of a profile or a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Creation,
    Deletion,
}

/// Who asked for the change of a profile of the job's cluster; without a profile, of the cluster. Half
/// a sentence: "asked for by job ... of ...".
pub(super) async fn asked_by(
    context: &Context<'_>,
    profile_name: Option<&str>,
    change: Change,
) -> Result<String, Verdict> {
    let job = context.job;
    let place = Place {
        account_id: job.account_id.clone(),
        region: job.region.clone(),
        cluster_name: context.cluster.to_owned(),
    };
    let (of_profile, of_cluster) = match change {
        Change::Creation => (JobKind::CreateFargateProfile, JobKind::CreateCluster),
        Change::Deletion => (JobKind::DeleteFargateProfile, JobKind::DeleteCluster),
    };
    let changed = Changed {
        place: &place,
        profile_name,
        profile_kind: of_profile.as_str(),
        cluster_kind: of_cluster.as_str(),
        except: job.job_id,
    };
    let found = async {
        let mut connection = context.share.connection().await?;
        last_change(&mut *connection, &changed, job.claimed_at).await
    };
    match found.await {
        Ok(Some(asker)) => Ok(format!(
            "asked for by job {} of {}",
            asker.job_id, asker.requested_by
        )),
        Ok(None) => Ok(format!(
            "asked for by somebody outside this service: no job of the last {} days did",
            LOOKED_BACK.num_days()
        )),
        Err(error) => Err(database_trouble(context.lease, &error)),
    }
}
