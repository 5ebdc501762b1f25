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

/// One subnet that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = AZSubnetSpec)]
pub struct AzSubnetSpec {
    /// Its id.
    #[schema(
        nullable = false,
        max_length = 64,
        pattern = "^subnet-[0-9A-Za-z-]+$",
        required = true,
        examples("subnet-0a1b2c3d4e5f60718")
    )]
    pub id: Option<String>,
    /// Its zone, if its key is a name of its own.
    #[schema(nullable = false, max_length = 40, examples("eu-central-1a"))]
    pub az: Option<String>,
    /// Its addresses; compared with what AWS says.
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
