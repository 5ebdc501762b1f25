//! A cluster whose every field has been checked and every default filled in: the input of a job.

pub mod capability;
mod control_plane;
pub mod identity;
pub mod nodegroup;
pub mod role;
mod vpc;
pub mod workload;

pub use nodegroup::{NodegroupKind, NodegroupSpec};

use super::coredns;
use super::names;
use crate::domain::access_entry::{AccessEntrySpec, PrincipalArn};
use crate::domain::eksctl::ClusterConfig;
use crate::domain::ids::{ClusterName, Region};
use crate::domain::invalid::Invalid;
use crate::domain::macros::open_enum;
use crate::domain::profile::ProfileSpec;
use crate::domain::role_arn::RoleArn;
use crate::domain::warnings::Warning;
use capability::CapabilitySpec;
use identity::{IdentityMapping, IdentityProviderSpec};
use role::NewRole;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use workload::{AddonPodIdentity, PodIdentitySpec, ServiceAccountSpec};

pub use control_plane::{AutoModeSpec, ControlPlaneSpec, RemoteNetworkSpec};
pub use vpc::{PrivateSpec, VpcSpec};

/// A cluster that can be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSpec {
    /// Its name.
    pub name: ClusterName,
    /// Its region.
    pub region: Region,
    /// Its Kubernetes version, such as 1.34; or `latest`, before AWS was asked.
    pub version: String,
    /// AWS tags of everything that is created.
    pub tags: BTreeMap<String, String>,
    /// The network that is wanted.
    pub network: NetworkSpec,
    /// What is set of the network beyond its addresses and subnets.
    #[serde(default, skip_serializing_if = "is_default")]
    pub vpc: VpcSpec,
    /// What makes the cluster private, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<PrivateSpec>,
    /// What is set of the control plane.
    #[serde(default, skip_serializing_if = "is_default")]
    pub control_plane: ControlPlaneSpec,
    /// Where the Kubernetes API can be reached from.
    pub endpoint: EndpointSpec,
    /// The control plane's logs.
    pub logging: LoggingSpec,
    /// How callers of Kubernetes are known.
    pub access: AccessSpec,
    /// Whether IAM shall trust the cluster's OIDC issuer.
    pub with_oidc: bool,
    /// The role that the control plane acts under, if it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_role: Option<RoleArn>,
    /// The permissions boundary of that role, if it is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_role_permissions_boundary: Option<String>,
    /// Whether that role goes without the policy by which pods get security groups of their own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_pod_security_groups: bool,
    /// The role of profiles that name none, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_execution_role: Option<RoleArn>,
    /// The permissions boundary of a pod execution role that is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_permissions_boundary: Option<String>,
    /// All add-ons, in the order in which they are created.
    pub addons: Vec<AddonSpec>,
    /// The Fargate profiles, in the order in which they are created; all have names.
    pub fargate_profiles: Vec<ProfileSpec>,
    /// The nodegroups, self-managed ones first.
    pub nodegroups: Vec<NodegroupSpec>,
    /// `ServiceAccount`s with roles by the cluster's OIDC issuer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_accounts: Vec<ServiceAccountSpec>,
    /// `ServiceAccount`s with roles by EKS Pod Identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pod_identities: Vec<PodIdentitySpec>,
    /// What the `ConfigMap` `aws-auth` gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity_mappings: Vec<IdentityMapping>,
    /// OIDC issuers whose tokens the cluster takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity_providers: Vec<IdentityProviderSpec>,
    /// EKS capabilities, at most one of each type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<CapabilitySpec>,
}

/// The network that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum NetworkSpec {
    /// A VPC of the cluster's own.
    Own {
        /// Its addresses.
        cidr: String,
        /// How private subnets reach the internet.
        nat: NatMode,
        /// The zones asked for; empty leaves the choice to us.
        zones: Vec<String>,
    },
    /// Subnets that exist.
    Existing {
        /// The VPC, if it was named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vpc_id: Option<String>,
        /// The addresses of the VPC, if they were named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cidr: Option<String>,
        /// Subnets with a route to an internet gateway.
        public: Vec<GivenSubnet>,
        /// Subnets without one.
        private: Vec<GivenSubnet>,
    },
}

/// A subnet that exists, and what the caller says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GivenSubnet {
    /// Its id; if it is empty, the subnet is found in the VPC by its addresses and zone.
    pub id: String,
    /// What it is called in the config: a zone, or a name of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Its addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
}

open_enum! {
    /// How private subnets reach the internet.
    NatMode as "NAT gateway mode" {
        /// One gateway, in the first zone.
        Single => "Single",
        /// One gateway a zone.
        HighlyAvailable => "HighlyAvailable",
        /// Not at all.
        Disable => "Disable",
    }
}

open_enum! {
    /// How callers of Kubernetes are known.
    AuthenticationMode as "authentication mode" {
        /// By access entries and by the `aws-auth` map.
        ApiAndConfigMap => "API_AND_CONFIG_MAP",
        /// By access entries.
        Api => "API",
        /// By the `aws-auth` map.
        ConfigMap => "CONFIG_MAP",
    }
}

/// Where the Kubernetes API can be reached from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSpec {
    /// From the internet.
    pub public: bool,
    /// From inside the VPC.
    pub private: bool,
    /// The addresses that may reach the public endpoint; empty is all.
    pub public_cidrs: Vec<String>,
}

/// The control plane's logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggingSpec {
    /// The types that are kept, in EKS's order.
    pub types: Vec<String>,
    /// How many days they are kept; for ever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u16>,
}

/// How callers of Kubernetes are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessSpec {
    /// The mode.
    pub mode: AuthenticationMode,
    /// Whether the creating role administers the cluster.
    pub creator_admin: bool,
    /// Access entries, none of the same principal twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<AccessEntrySpec>,
}

/// An add-on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own, and a field of queued jobs"
)]
pub struct AddonSpec {
    /// Its name.
    pub name: String,
    /// Its version; EKS's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its settings, an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Value>,
    /// Whether differing settings in the cluster are overwritten.
    pub overwrite: bool,
    /// The role of its service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_role: Option<RoleArn>,
    /// The same, by the cluster's OIDC issuer, if it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<NewRole>,
    /// The roles of its service accounts by EKS Pod Identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pod_identities: Vec<AddonPodIdentity>,
    /// Whether its service accounts get the roles that EKS recommends, unless it has others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recommended_roles: bool,
    /// The permissions boundary of roles that are made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<String>,
    /// Its namespace, in place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its AWS tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Whether it comes after profiles and nodegroups, because it needs something to run on.
    pub late: bool,
    /// Whether nobody has asked for it: then nothing that keeps it from coming up fails the job.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_default: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl ClusterSpec {
    /// Checks everything; all that is wrong is told at once. `fargate` asks for eksctl's default
    /// profile, as `eksctl create cluster --fargate` does.
    pub fn of(config: ClusterConfig, fargate: bool) -> Result<Self, Vec<Invalid>> {
        super::rules::check(config, fargate)
    }

    /// The same cluster with a role for profiles that name none, unless the config has one:
    /// the account's default.
    #[must_use]
    pub fn with_default_role(mut self, role: Option<RoleArn>) -> Self {
        self.pod_execution_role = self.pod_execution_role.or(role);
        self
    }

    /// The same cluster with these principals as its admins, unless it has an entry of theirs: the
    /// account's. None are possible where access entries are not.
    #[must_use]
    pub fn with_cluster_admins(mut self, admins: Vec<PrincipalArn>) -> Self {
        if self.access.mode == AuthenticationMode::ConfigMap {
            return self;
        }
        let partition = self.region.partition();
        for admin in admins {
            let mut entries = self.access.entries.iter();
            if entries.all(|entry| entry.principal_arn != admin) {
                let entry = AccessEntrySpec::cluster_admin(admin, partition);
                self.access.entries.push(entry);
            }
        }
        self
    }

    /// The same cluster with a permissions boundary for every role that is created, unless the config
    /// names one: the account's.
    #[must_use]
    pub fn with_default_boundary(mut self, boundary: Option<&str>) -> Self {
        let or_default = |given: Option<String>| given.or_else(|| boundary.map(str::to_owned));
        if self.service_role.is_none() {
            let given = self.service_role_permissions_boundary.take();
            self.service_role_permissions_boundary = or_default(given);
        }
        if self.makes_role() {
            self.role_permissions_boundary = or_default(self.role_permissions_boundary.take());
        }
        if let Some(auto) = self
            .control_plane
            .auto_mode
            .as_mut()
            .filter(|auto| auto.makes_role())
        {
            auto.permissions_boundary = or_default(auto.permissions_boundary.take());
        }
        let made = self.nodegroups.iter_mut().filter(|one| one.makes_role());
        for nodegroup in made {
            let given = nodegroup.role_permissions_boundary.take();
            nodegroup.role_permissions_boundary = or_default(given);
        }
        self.bind_workloads(boundary);
        self
    }

    /// Gives a permissions boundary to the roles of workloads that are made and have none.
    fn bind_workloads(&mut self, boundary: Option<&str>) {
        for account in &mut self.service_accounts {
            account.role.bound_by(boundary);
        }
        for identity in &mut self.pod_identities {
            identity.role.bound_by(boundary);
        }
        for capability in &mut self.capabilities {
            capability.role.bound_by(boundary);
        }
        for addon in &mut self.addons {
            if let Some(role) = &mut addon.role {
                role.bound_by(boundary);
            }
            for identity in &mut addon.pod_identities {
                identity.role.bound_by(boundary);
            }
            if addon.recommended_roles || self.with_oidc {
                let given = addon.permissions_boundary.take();
                addon.permissions_boundary = given.or_else(|| boundary.map(str::to_owned));
            }
        }
    }

    /// Whether the cluster's stack has to make a pod execution role.
    #[must_use]
    pub fn makes_role(&self) -> bool {
        let without = |profile: &ProfileSpec| profile.pod_execution_role_arn.is_none();
        self.pod_execution_role.is_none() && self.fargate_profiles.iter().any(without)
    }

    /// Whether the cluster's stack has to make a role of nodes that are in no nodegroup: those of
    /// Auto Mode, or hybrid ones.
    #[must_use]
    pub fn makes_node_role(&self) -> bool {
        let auto = self.control_plane.auto_mode.as_ref();
        let remote = self.control_plane.remote.as_ref();
        auto.is_some_and(AutoModeSpec::makes_role) || remote.is_some_and(|one| one.role.is_none())
    }

    /// Whether a profile catches `CoreDNS`.
    #[must_use]
    pub fn coredns_on_fargate(&self) -> bool {
        let mut selectors = self.fargate_profiles.iter().flat_map(|p| &p.selectors);
        selectors.any(coredns::catches)
    }

    /// Whether its `CoreDNS` is to run on Fargate: a profile catches it, and its settings, if they
    /// say where it runs, say so too.
    #[must_use]
    pub fn coredns_goes_to_fargate(&self) -> bool {
        let settings = self
            .coredns()
            .and_then(|addon| addon.configuration.as_ref());
        self.coredns_on_fargate() && coredns::compute_type(settings).is_none_or(coredns::is_fargate)
    }

    /// The add-ons that come before any node and profile.
    pub fn early_addons(&self) -> impl Iterator<Item = &AddonSpec> {
        let early = self.addons.iter().filter(|addon| !addon.late);
        early.filter(|addon| addon.name != coredns::NAME)
    }

    /// `CoreDNS`, which comes after the Fargate profiles: its pods are caught only by profiles that
    /// are there before them.
    #[must_use]
    pub fn coredns(&self) -> Option<&AddonSpec> {
        self.addons.iter().find(|addon| addon.name == coredns::NAME)
    }

    /// The add-ons that come last.
    pub fn late_addons(&self) -> impl Iterator<Item = &AddonSpec> {
        self.addons.iter().filter(|addon| addon.late)
    }

    /// The name of a nodegroup's stack.
    #[must_use]
    pub fn nodegroup_stack(&self, nodegroup: &NodegroupSpec) -> String {
        names::nodegroup_stack(&self.name, &nodegroup.name)
    }

    /// What is allowed but likely not meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        super::warnings::of(self)
    }
}
