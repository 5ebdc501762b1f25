//! An entry of `nodeGroups` or `managedNodeGroups`.

use crate::domain::schema;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

/// The most nodes of one nodegroup.
pub const MAX_NODES: u32 = 1000;

/// A nodegroup of a cluster to create. Its nodes run Amazon Linux 2023.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClusterNodeGroup)]
pub struct NodeGroup {
    /// The nodegroup's name.
    #[schema(
        min_length = 1,
        max_length = 63,
        pattern = "^[0-9A-Za-z][A-Za-z0-9-]*$",
        examples("ng-1")
    )]
    pub name: String,
    /// The EC2 instance type; m5.large if it is absent.
    #[schema(nullable = false, max_length = 32, examples("m5.large"))]
    pub instance_type: Option<String>,
    /// How many nodes to begin with.
    #[schema(nullable = false, minimum = 0, maximum = 1000, examples(2))]
    pub desired_capacity: Option<u32>,
    /// The fewest nodes; `desiredCapacity`, or 2, if it is absent.
    #[schema(nullable = false, minimum = 0, maximum = 1000, examples(1))]
    pub min_size: Option<u32>,
    /// The most nodes; `desiredCapacity`, or `minSize`, if it is absent.
    #[schema(nullable = false, minimum = 1, maximum = 1000, examples(4))]
    pub max_size: Option<u32>,
    /// The size of a node's disk in GiB; 80 if it is absent.
    #[schema(nullable = false, minimum = 20, maximum = 16384, examples(80))]
    pub volume_size: Option<u32>,
    /// Whether its nodes are in private subnets.
    #[schema(nullable = false)]
    pub private_networking: Option<bool>,
    /// The role of its nodes.
    #[schema(nullable = false)]
    pub iam: Option<NodeGroupIam>,
    /// Kubernetes labels of its nodes.
    #[serde(default)]
    #[schema(schema_with = labels)]
    pub labels: BTreeMap<String, String>,
    /// AWS tags of its nodes.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}

/// The `iam` of a nodegroup of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NodeGroupIAM)]
pub struct NodeGroupIam {
    /// The permissions boundary of the role of its nodes, which is created; without it, the
    /// account's.
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub instance_role_permissions_boundary: Option<String>,
}

fn labels() -> Object {
    let about = "Kubernetes labels of the nodes.";
    let example = serde_json::json!({"tier": "web"});
    schema::text_map(about, 50, schema::text(63, ""), example)
}
