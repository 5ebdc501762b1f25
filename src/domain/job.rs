//! What a job is for, where it stands, and what it waits for. The job's row lives in `db`.

use super::macros::open_enum;

open_enum! {
    /// What a job does.
    JobKind as "job kind" {
        /// Creates one Fargate profile and follows it to ACTIVE.
        CreateFargateProfile => "create_fargate_profile",
        /// Reads one Fargate profile.
        GetFargateProfile => "get_fargate_profile",
        /// Reads all Fargate profiles of a cluster.
        ListFargateProfiles => "list_fargate_profiles",
        /// Deletes one Fargate profile and follows it until it is gone.
        DeleteFargateProfile => "delete_fargate_profile",
        /// Creates a changed profile under a new name, then deletes the old one.
        ReplaceFargateProfile => "replace_fargate_profile",
        /// Changes a profile's tags in place.
        TagFargateProfile => "tag_fargate_profile",
        /// Creates a cluster.
        CreateCluster => "create_cluster",
        /// Reads one cluster.
        GetCluster => "get_cluster",
        /// Reads the clusters of an account and region.
        ListClusters => "list_clusters",
        /// Deletes a cluster and everything of Fargate in it.
        DeleteCluster => "delete_cluster",
        /// Says what deleting a cluster would do, and what stands in its way.
        PlanClusterDeletion => "plan_cluster_deletion",
        /// Makes an access entry of a cluster, or changes one.
        PutAccessEntry => "put_access_entry",
        /// Reads one access entry.
        GetAccessEntry => "get_access_entry",
        /// Reads all access entries of a cluster.
        ListAccessEntries => "list_access_entries",
        /// Deletes an access entry.
        DeleteAccessEntry => "delete_access_entry",
        /// Proves that the account's role can do what the fleet needs.
        VerifyAccount => "verify_account",
        /// Finds the clusters and profiles of an account.
        DiscoverAccount => "discover_account",
    }
}

impl JobKind {
    /// Whether the job changes a cluster, and so needs the cluster's lane.
    #[must_use]
    pub const fn is_mutation(self) -> bool {
        matches!(
            self,
            Self::CreateFargateProfile
                | Self::DeleteFargateProfile
                | Self::ReplaceFargateProfile
                | Self::TagFargateProfile
                | Self::CreateCluster
                | Self::DeleteCluster
                | Self::PutAccessEntry
                | Self::DeleteAccessEntry
        )
    }
}

open_enum! {
    /// Where a job stands.
    JobState as "job state" {
        /// Durable, and not begun.
        Queued => "queued",
        /// A worker is taking a step.
        Running => "running",
        /// Between steps; holds no worker.
        Waiting => "waiting",
        /// A cancel was asked for and is being honoured.
        Canceling => "canceling",
        /// Ended as asked.
        Succeeded => "succeeded",
        /// Ended with an error.
        Failed => "failed",
        /// Ended before AWS had accepted anything.
        Canceled => "canceled",
    }
}

impl JobState {
    /// Whether the job has ended; a job never leaves such a state.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

open_enum! {
    /// What a waiting job waits for. Only `retry` has used up an attempt.
    WaitingReason as "waiting reason" {
        /// Another job of the same cluster is ahead.
        Lane => "lane",
        /// AWS says that the cluster is busy with a change.
        ClusterBusy => "cluster_busy",
        /// AWS is at work on this job's own change.
        Poll => "poll",
        /// The account's call budget is used up.
        Throttled => "throttled",
        /// The account is parked: its role can't be assumed.
        AccountParked => "account_parked",
        /// A step failed and will be tried again.
        Retry => "retry",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_reads_back_from_its_text() {
        for kind in JobKind::ALL {
            assert_eq!(kind.as_str().parse::<JobKind>().as_ref(), Ok(kind));
        }
        for state in JobState::ALL {
            assert_eq!(state.to_string().parse::<JobState>().as_ref(), Ok(state));
        }
        assert_eq!(
            serde_json::to_string(&WaitingReason::ClusterBusy).unwrap(),
            "\"cluster_busy\""
        );
        assert_eq!(
            serde_json::from_str::<JobState>("\"canceling\"").unwrap(),
            JobState::Canceling
        );
    }

    #[test]
    fn an_unknown_value_is_named_with_the_known_ones() {
        assert_eq!(
            "done".parse::<JobState>().unwrap_err().message(),
            "invalid job state \"done\": expected one of queued running waiting canceling \
             succeeded failed canceled"
        );
    }

    #[test]
    fn eight_kinds_change_a_cluster_and_three_states_are_final() {
        assert_eq!(JobKind::ALL.len(), 17);
        assert_eq!(
            JobKind::ALL
                .iter()
                .filter(|kind| kind.is_mutation())
                .count(),
            8
        );
        assert_eq!(
            JobState::ALL
                .iter()
                .filter(|state| state.is_terminal())
                .count(),
            3
        );
    }

    #[test]
    fn the_schema_is_an_open_string() {
        let schema = serde_json::to_value(<JobState as utoipa::PartialSchema>::schema()).unwrap();
        assert_eq!(schema["type"], "string");
        assert!(schema.get("enum").is_none(), "{schema}");
        assert_eq!(schema["x-extensible-enum"][0], "queued");
        assert_eq!(schema["maxLength"], 64);
    }
}
