//! Clusters, live: every request becomes a job, but for a plan.

mod account_defaults;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod kubeconfig;
pub(super) mod read;

use serde::Deserialize;

use crate::domain::{AccountId, Region};

/// The region in a path.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegionPath {
    account_id: AccountId,
    region: Region,
}
