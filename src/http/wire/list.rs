//! Pages of lists.

use serde::Serialize;
use utoipa::ToSchema;

use super::account::Account;
use super::job::Job;
use super::operation::Operation;
use crate::domain::FargateProfile;

/// One page of jobs, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct JobList {
    /// The jobs of this page.
    #[schema(max_items = 1000)]
    pub items: Vec<Job>,
    /// Send it as `pageToken` to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1024)]
    pub next_page_token: Option<String>,
}

/// One page of operations, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct OperationList {
    /// The operations of this page.
    #[schema(max_items = 1000)]
    pub items: Vec<Operation>,
    /// Send it as `pageToken` to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1024)]
    pub next_page_token: Option<String>,
}

/// One page of accounts, in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct AccountList {
    /// The accounts of this page.
    #[schema(max_items = 1000)]
    pub items: Vec<Account>,
    /// Send it as `pageToken` to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1024)]
    pub next_page_token: Option<String>,
}

/// All Fargate profiles of a cluster, in AWS's order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct FargateProfileList {
    /// The profiles.
    #[schema(max_items = 1000)]
    pub items: Vec<FargateProfile>,
}
