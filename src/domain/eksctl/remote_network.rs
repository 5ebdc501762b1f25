//! The `remoteNetworkConfig` of a config: hybrid nodes.

use crate::domain::schema;
use serde::Deserialize;
use utoipa::ToSchema;

/// Networks outside of AWS whose machines join the cluster as hybrid nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoteNetworkConfig {
    /// How the nodes get credentials.
    #[schema(nullable = false)]
    pub iam: Option<RemoteNodesIam>,
    /// The transit gateway (`tgw-`) or virtual private gateway (`vgw-`) that leads to these networks;
    /// routes through it are made in a VPC of the cluster's own.
    #[serde(rename = "vpcGatewayID")]
    #[schema(nullable = false, max_length = 64, examples("tgw-0a1b2c3d4e5f60718"))]
    pub vpc_gateway_id: Option<String>,
    /// The network of the nodes; exactly one.
    #[serde(default)]
    #[schema(max_items = 1)]
    pub remote_node_networks: Vec<RemoteNetwork>,
    /// The network of the pods on them; one at most.
    #[serde(default)]
    #[schema(max_items = 1)]
    pub remote_pod_networks: Vec<RemoteNetwork>,
}

/// How hybrid nodes get credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RemoteNodesIAM)]
pub struct RemoteNodesIam {
    /// `SSM` (Systems Manager, the default) or `IRA` (IAM Roles Anywhere, with `roleARN`).
    #[schema(nullable = false, max_length = 32, examples("SSM"))]
    pub provider: Option<String>,
    /// The role of the nodes, if it exists; one is created otherwise.
    #[serde(rename = "roleARN")]
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("arn:aws:iam::111111111111:role/hybrid-nodes")
    )]
    pub role_arn: Option<String>,
}

/// A network outside of AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoteNetwork {
    /// Its addresses: private ones, from /8 to /32.
    #[serde(default)]
    #[schema(schema_with = cidrs)]
    pub cidrs: Vec<String>,
}

fn cidrs() -> utoipa::openapi::schema::Array {
    let about = "Its addresses: private ones, from /8 to /32.";
    let example = serde_json::json!(["10.80.0.0/16"]);
    schema::text_list(about, 15, schema::text(18, ""), example)
}
