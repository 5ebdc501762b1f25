//! The `privateCluster` of a config.

use crate::domain::schema;
use serde::Deserialize;
use utoipa::ToSchema;

/// A cluster without a way to or from the internet: private subnets alone, AWS's services through
/// VPC endpoints, and a Kubernetes API that is reached from inside the VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivateCluster {
    /// Whether the cluster is private.
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
    /// Whether the VPC endpoints are there already, or somebody else makes them.
    #[schema(nullable = false)]
    pub skip_endpoint_creation: Option<bool>,
    /// VPC endpoints besides those for EC2, ECR, S3 and STS.
    #[serde(default)]
    #[schema(schema_with = endpoint_services)]
    pub additional_endpoint_services: Vec<String>,
}

fn endpoint_services() -> utoipa::openapi::schema::Array {
    let about = "VPC endpoints besides those for EC2, ECR, S3 and STS: any of autoscaling, \
                 cloudformation, logs.";
    let example = serde_json::json!(["logs"]);
    schema::text_list(about, 3, schema::text(32, ""), example)
}
