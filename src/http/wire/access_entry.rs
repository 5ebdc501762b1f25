//! Access entries as callers see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::AccessEntry;

/// All access entries of a cluster, in AWS's order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct AccessEntryList {
    /// The access entries.
    #[schema(max_items = 1000)]
    pub items: Vec<AccessEntry>,
}
