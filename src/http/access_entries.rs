//! Access entries of one cluster, live: every request becomes a job.

pub(super) mod delete;
pub(super) mod put;
pub(super) mod read;

use serde::Deserialize;

use super::problem::Problem;
use super::wire::paths;
use crate::db::accounts::Account;
use crate::domain::{AccountId, ClusterName, ErrorCode, PrincipalArn, Region};

/// The entry in a path. The ARN may hold slashes as they are: some proxies decode `%2F`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryPath {
    account_id: AccountId,
    region: Region,
    cluster_name: ClusterName,
    principal_arn: PrincipalArn,
}

impl EntryPath {
    /// The path by which it is known, however it was written.
    fn resource(&self) -> String {
        paths::access_entry(
            (self.account_id.as_str(), self.region.as_str()),
            self.cluster_name.as_str(),
            self.principal_arn.as_str(),
        )
    }

    /// Refuses changes that would shut the fleet out of the cluster.
    fn not_of_the_fleet(&self, account: &Account) -> Result<(), Problem> {
        if account.role_arn != self.principal_arn.as_str() {
            return Ok(());
        }
        let detail = format!(
            "{} is the role by which the fleet itself works in account {}. Its access entry is left \
             alone, lest the fleet be shut out of the cluster: let others in by entries of their own.",
            self.principal_arn, account.account_id
        );
        Err(Problem::new(ErrorCode::Conflict, detail))
    }
}
