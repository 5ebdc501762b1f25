//! Clusters as callers see them.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;
use utoipa::openapi::{Object, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::job::Job;
use crate::domain::ClusterView;
use crate::domain::cluster::{ClusterDeletionPlan, ClusterPlan};

/// All clusters of an account in a region, in AWS's order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct ClusterList {
    /// The clusters.
    #[schema(max_items = 1000)]
    pub items: Vec<ClusterView>,
}

/// In the document: a [`Job`] or a [`ClusterPlan`], said without a union, which generators stumble
/// over.
pub(in crate::http) struct ClusterCreation;

const ABOUT: &str = "The job that creates the cluster; with `validateOnly=true` the plan instead, \
which has no `id`: `steps`, `stacks`, `assumptions` and `warnings`.";

/// In the document: a [`Job`] or a [`ClusterDeletionPlan`].
pub(in crate::http) struct ClusterDeletion;

const ABOUT_DELETION: &str = "The job that deletes the cluster; with `validateOnly=true` the plan \
instead, which has no `id`: `owned`, `protected`, `steps`, `obstacles` and `warnings`.";

impl PartialSchema for ClusterCreation {
    fn schema() -> RefOr<Schema> {
        job_or::<ClusterPlan>(ABOUT, example("create_cluster", "create"))
    }
}

impl PartialSchema for ClusterDeletion {
    fn schema() -> RefOr<Schema> {
        job_or::<ClusterDeletionPlan>(ABOUT_DELETION, example("delete_cluster", "delete"))
    }
}

impl ToSchema for ClusterDeletion {
    fn name() -> Cow<'static, str> {
        "ClusterDeletion".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Job::schemas(schemas);
        ClusterDeletionPlan::schemas(schemas);
    }
}

/// A job with the members of a plan; required is what both have.
fn job_or<T: PartialSchema>(about: &str, example: serde_json::Value) -> RefOr<Schema> {
    let (mut both, plan) = (object::<Job>(), object::<T>());
    both.required.retain(|name| plan.required.contains(name));
    for (name, property) in plan.properties {
        both.properties.entry(name).or_insert(property);
    }
    both.description = Some(about.to_owned());
    both.examples = vec![example];
    both.into()
}

impl ToSchema for ClusterCreation {
    fn name() -> Cow<'static, str> {
        "ClusterCreation".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Job::schemas(schemas);
        ClusterPlan::schemas(schemas);
    }
}

fn example(kind: &str, verb: &str) -> serde_json::Value {
    let own = "/v1/jobs/0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f";
    json!({
        "id": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
        "kind": kind,
        "state": "queued",
        "accountId": "111111111111",
        "region": "eu-central-1",
        "clusterName": "prod-2",
        "message": format!("Queued: {verb} cluster prod-2 (eu-central-1)."),
        "step": "start",
        "pollCount": 0,
        "attempts": 0,
        "warnings": [],
        "requestedBy": "payments-ci",
        "createdAt": "2026-01-02T03:04:05Z",
        "deadlineAt": "2026-01-03T03:04:05Z",
        "retryAfterSeconds": 2,
        "links": {
            "self": own,
            "events": format!("{own}/events"),
            "cancel": format!("{own}/cancel"),
            "target": "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-2"
        }
    })
}

fn object<T: PartialSchema>() -> Object {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object,
        _ => Object::new(),
    }
}
