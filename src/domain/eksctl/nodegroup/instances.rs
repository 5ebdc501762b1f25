//! Which instances, and on what terms.

use crate::domain::schema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object};

/// By what instance types are looked up when the cluster is created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceSelector {
    /// How many virtual processors, exactly.
    #[serde(rename = "vCPUs", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 4096, examples(2))]
    pub vcpus: Option<u32>,
    /// How much memory, exactly: `4`, `4GiB` or `4096MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 32, examples("4GiB"))]
    pub memory: Option<String>,
    /// How many GPUs, exactly; 0 for types without.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 64, examples(0))]
    pub gpus: Option<u32>,
    /// How many Neuron devices, exactly; 0 for types without.
    #[serde(rename = "neuron_devices", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 64, examples(0))]
    pub neuron_devices: Option<u32>,
    /// `x86_64` (the default), `amd64` or `arm64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 16, examples("x86_64"))]
    pub cpu_architecture: Option<String>,
    /// A regular expression that types must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 512, examples(r"^m[3-5]\."))]
    pub allow: Option<String>,
    /// A regular expression that types must not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 512, examples(r"^m[1-2]\."))]
    pub deny: Option<String>,
}

impl InstanceSelector {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// On-demand and spot instances of one or more types.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeGroupInstancesDistribution {
    /// The types that will do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = types)]
    pub instance_types: Vec<String>,
    /// The most dollars an hour for a spot instance; the on-demand price if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, nullable = false, minimum = 0, maximum = 10_000, examples(0.017))]
    pub max_price: Option<Number>,
    /// How many instances are on-demand before any is spot; 0 if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1000, examples(0))]
    pub on_demand_base_capacity: Option<u32>,
    /// How many of a hundred of the others are on-demand; 100 if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 100, examples(50))]
    pub on_demand_percentage_above_base_capacity: Option<u32>,
    /// How many spot pools are used, with the strategy `lowest-price`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 20, examples(2))]
    pub spot_instance_pools: Option<u32>,
    /// `lowest-price`, `diversified`, `capacity-optimized`, `capacity-optimized-prioritized` or
    /// `price-capacity-optimized`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("capacity-optimized"))]
    pub spot_allocation_strategy: Option<String>,
    /// Whether a spot instance that is at risk is replaced before it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub capacity_rebalance: Option<bool>,
}

/// A launch template that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LaunchTemplate {
    /// Its id.
    #[schema(
        max_length = 64,
        pattern = "^lt-[0-9A-Za-z-]+$",
        examples("lt-0a1b2c3d4e5f60718")
    )]
    pub id: String,
    /// Its version, a number; the default version if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 10, pattern = "^[0-9]+$", examples("3"))]
    pub version: Option<String>,
}

/// A placement group that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placement {
    /// Its name.
    #[schema(min_length = 1, max_length = 255, examples("close-together"))]
    pub group_name: String,
}

/// Which reserved capacity is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CapacityReservation {
    /// `open` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 16, examples("open"))]
    pub capacity_reservation_preference: Option<String>,
    /// Capacity that is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub capacity_reservation_target: Option<CapacityReservationTarget>,
}

/// Reserved capacity, by its id or that of a group: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CapacityReservationTarget {
    /// A reservation.
    #[serde(
        rename = "capacityReservationID",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, max_length = 64, examples("cr-0a1b2c3d4e5f60718"))]
    pub capacity_reservation_id: Option<String>,
    /// A resource group of reservations.
    #[serde(
        rename = "capacityReservationResourceGroupARN",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("arn:aws:resource-groups:eu-central-1:111111111111:group/reserved")
    )]
    pub capacity_reservation_resource_group_arn: Option<String>,
}

/// On what market instances are bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceMarketOptions {
    /// `capacity-block`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 32, examples("capacity-block"))]
    pub market_type: Option<String>,
}

/// Settings of Bottlerocket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeGroupBottlerocket {
    /// Whether the admin container runs, by which one can log in; true with SSH.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub enable_admin_container: Option<bool>,
    /// Settings, as Bottlerocket's API has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = settings)]
    pub settings: Option<Map<String, Value>>,
}

pub(super) fn types() -> Array {
    let about = "EC2 instance types.";
    schema::text_list(
        about,
        40,
        schema::text(32, ""),
        json!(["m5.large", "m5a.large"]),
    )
}

fn settings() -> Object {
    super::free(
        "Settings, as Bottlerocket's API has them.",
        json!({"motd": "Hello"}),
    )
}
