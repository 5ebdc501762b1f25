//! The `vpc` of a cluster to create.

use crate::domain::schema;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::openapi::schema::{AdditionalProperties, Array, Schema, Type};
use utoipa::openapi::{ObjectBuilder, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// The most subnets of one kind.
pub const MAX_SUBNETS: usize = 50;

/// The network of a cluster to create: a VPC of its own, or subnets that exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClusterVPC)]
pub struct ClusterVpc {
    /// The VPC that holds the given subnets.
    #[schema(nullable = false, max_length = 64, examples("vpc-0a1b2c3d4e5f60718"))]
    pub id: Option<String>,
    /// The addresses of the VPC; 192.168.0.0/16 if it is absent.
    #[schema(nullable = false, max_length = 18, examples("192.168.0.0/16"))]
    pub cidr: Option<String>,
    /// An IPv6 block of `ipv6Pool` for an IPv6 cluster; AWS gives one if it is absent.
    #[schema(nullable = false, max_length = 43, examples("2001:db8:1234:1a00::/56"))]
    pub ipv6_cidr: Option<String>,
    /// The pool of the account's own IPv6 addresses that `ipv6Cidr` is of.
    #[schema(
        nullable = false,
        max_length = 64,
        examples("ipv6pool-ec2-0a1b2c3d4e5f60718")
    )]
    pub ipv6_pool: Option<String>,
    /// Whether the VPC of an IPv4 cluster gets IPv6 addresses too.
    #[serde(rename = "autoAllocateIPv6")]
    #[schema(nullable = false)]
    pub auto_allocate_ipv6: Option<bool>,
    /// How hosts in the VPC's subnets are named: `ip-name` or `resource-name`.
    #[schema(nullable = false, max_length = 32, examples("resource-name"))]
    pub hostname_type: Option<String>,
    /// The security group of the control plane, if it exists.
    #[schema(nullable = false, max_length = 64, examples("sg-0a1b2c3d4e5f60718"))]
    pub security_group: Option<String>,
    /// The security group that all nodes share, if it exists.
    #[schema(nullable = false, max_length = 64, examples("sg-0a1b2c3d4e5f60718"))]
    pub shared_node_security_group: Option<String>,
    /// Whether the security groups of the nodes and of the cluster get rules that let one reach the
    /// other; true if it is absent. It can be false only with `sharedNodeSecurityGroup`.
    #[schema(nullable = false)]
    pub manage_shared_node_security_group_rules: Option<bool>,
    /// Other networks that may reach the control plane from inside the VPC.
    #[serde(default, rename = "extraCIDRs")]
    #[schema(schema_with = extra_cidrs)]
    pub extra_cidrs: Vec<String>,
    /// The same for IPv6 networks and clusters.
    #[serde(default, rename = "extraIPv6CIDRs")]
    #[schema(schema_with = extra_cidrs)]
    pub extra_ipv6_cidrs: Vec<String>,
    /// The subnets of the control plane, if it shall not be in all of the cluster's.
    #[serde(default, rename = "controlPlaneSubnetIDs")]
    #[schema(schema_with = control_plane_subnets)]
    pub control_plane_subnet_ids: Vec<String>,
    /// The security groups of the control plane, if they exist.
    #[serde(default, rename = "controlPlaneSecurityGroupIDs")]
    #[schema(schema_with = control_plane_groups)]
    pub control_plane_security_group_ids: Vec<String>,
    /// Whether the control plane is in the private subnets alone.
    #[schema(nullable = false)]
    pub control_plane_on_private_subnets: Option<bool>,
    /// Which way the control plane's own traffic goes: `AWS_MANAGED` (the default),
    /// `CUSTOMER_ROUTED` (through the VPC) or `CUSTOMER_ISOLATED`.
    #[schema(nullable = false, max_length = 32, examples("CUSTOMER_ROUTED"))]
    pub control_plane_egress_mode: Option<String>,
    /// How private subnets reach the internet.
    #[schema(nullable = false)]
    pub nat: Option<ClusterNat>,
    /// Subnets that exist; without them a VPC is created.
    #[schema(nullable = false)]
    pub subnets: Option<ClusterSubnets>,
    /// Where the Kubernetes API can be reached from.
    #[schema(nullable = false)]
    pub cluster_endpoints: Option<ClusterEndpoints>,
    /// Which addresses may reach the public endpoint; all if it is absent.
    #[serde(default, rename = "publicAccessCIDRs")]
    #[schema(schema_with = cidrs)]
    pub public_access_cidrs: Vec<String>,
}

/// The `nat` of a VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClusterNAT)]
pub struct ClusterNat {
    /// `Single` (the default), `HighlyAvailable` (one a zone) or `Disable`.
    #[schema(nullable = false, max_length = 32, examples("Single"))]
    pub gateway: Option<String>,
}

/// The `clusterEndpoints` of a VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterEndpoints {
    /// From the internet; true if it is absent.
    #[schema(nullable = false)]
    pub public_access: Option<bool>,
    /// From inside the VPC; false if it is absent.
    #[schema(nullable = false)]
    pub private_access: Option<bool>,
}

/// Subnets that exist, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSubnets {
    /// Subnets without a route to an internet gateway, by zone or by a name of their own.
    #[serde(default)]
    pub private: SubnetMap,
    /// Subnets with a route to an internet gateway, by zone or by a name of their own.
    #[serde(default)]
    pub public: SubnetMap,
}

/// One subnet that exists: by its id; or, in the VPC with `vpc.id`, by its addresses or its zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = AZSubnetSpec)]
pub struct AzSubnetSpec {
    /// Its id.
    #[schema(
        nullable = false,
        max_length = 64,
        pattern = "^subnet-[0-9A-Za-z-]+$",
        examples("subnet-0a1b2c3d4e5f60718")
    )]
    pub id: Option<String>,
    /// Its zone, if its key is a name of its own.
    #[schema(nullable = false, max_length = 40, examples("eu-central-1a"))]
    pub az: Option<String>,
    /// Its addresses; compared with what AWS says, or what it is found by.
    #[schema(nullable = false, max_length = 18, examples("192.168.0.0/19"))]
    pub cidr: Option<String>,
}

/// Subnets by zone, or by a name of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SubnetMap(pub BTreeMap<String, AzSubnetSpec>);

impl PartialSchema for SubnetMap {
    fn schema() -> RefOr<Schema> {
        let subnet = Ref::from_schema_name(AzSubnetSpec::name());
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Subnets by zone, or by a name of their own."))
            .max_properties(Some(MAX_SUBNETS))
            .additional_properties(Some(AdditionalProperties::RefOr(RefOr::Ref(subnet))))
            .build()
            .into()
    }
}

impl ToSchema for SubnetMap {
    fn name() -> std::borrow::Cow<'static, str> {
        "AZSubnetMapping".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((AzSubnetSpec::name().into_owned(), AzSubnetSpec::schema()));
    }
}

fn cidrs() -> Array {
    let about = "Which addresses may reach the public endpoint; all if it is absent.";
    let example = serde_json::json!(["203.0.113.0/24"]);
    schema::text_list(about, 40, schema::text(18, ""), example)
}

fn extra_cidrs() -> Array {
    let about = "Other networks that may reach the control plane from inside the VPC.";
    let example = serde_json::json!(["172.31.0.0/16"]);
    schema::text_list(about, 40, schema::text(43, ""), example)
}

fn control_plane_subnets() -> Array {
    let about = "The subnets of the control plane, in at least two zones.";
    let example = serde_json::json!(["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"]);
    let pattern = "^subnet-[0-9A-Za-z-]+$";
    schema::text_list(about, MAX_SUBNETS, schema::text(64, pattern), example)
}

fn control_plane_groups() -> Array {
    let about = "The security groups of the control plane, five at most.";
    let example = serde_json::json!(["sg-0a1b2c3d4e5f60718"]);
    schema::text_list(about, 5, schema::text(64, "^sg-[0-9A-Za-z-]+$"), example)
}
