//! The paths of things, as links name them.

use uuid::Uuid;

use super::super::query::segment;

pub(in crate::http) fn account(account_id: &str) -> String {
    format!("/v1/accounts/{account_id}")
}

pub(in crate::http) fn job(job_id: Uuid) -> String {
    format!("/v1/jobs/{job_id}")
}

pub(in crate::http) fn token(token_id: Uuid) -> String {
    format!("/v1/tokens/{token_id}")
}

pub(in crate::http) fn operation(operation_id: Uuid) -> String {
    format!("/v1/operations/{operation_id}")
}

pub(in crate::http) fn webhook(webhook_id: Uuid) -> String {
    format!("/v1/webhooks/{webhook_id}")
}

pub(in crate::http) fn delivery(webhook_id: Uuid, delivery_id: Uuid) -> String {
    format!("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}")
}

/// An account's clusters in a region.
pub(in crate::http) fn clusters(account_id: &str, region: &str) -> String {
    format!("/v1/accounts/{account_id}/regions/{region}/clusters")
}

/// One of them.
pub(in crate::http) fn cluster(account_id: &str, region: &str, cluster: &str) -> String {
    format!("{}/{}", clusters(account_id, region), segment(cluster))
}

/// A cluster's access entry of a principal.
pub(in crate::http) fn access_entry(
    (account_id, region): (&str, &str),
    cluster_name: &str,
    principal: &str,
) -> String {
    let entries = access_entries(account_id, region, cluster_name);
    format!("{entries}/{}", segment(principal))
}

/// A cluster's access entries.
pub(in crate::http) fn access_entries(account_id: &str, region: &str, name: &str) -> String {
    format!("{}/access-entries", cluster(account_id, region, name))
}

/// A cluster's profiles.
pub(in crate::http) fn profiles(account_id: &str, region: &str, name: &str) -> String {
    format!("{}/fargate-profiles", cluster(account_id, region, name))
}

/// One of a cluster's profiles.
pub(in crate::http) fn profile(base: &str, name: &str) -> String {
    format!("{base}/{}", segment(name))
}
