//! Roles that workloads act under: given ones, and those that stacks of their own make.

use crate::domain::macros::open_enum;
use serde::{Deserialize, Serialize};
use serde_json::Value;

open_enum! {
    /// A policy for what many clusters run. In the order in which eksctl adds them.
    WellKnownPolicy as "well-known policy" {
        /// Pushing images to ECR.
        ImageBuilder => "imageBuilder",
        /// The cluster autoscaler.
        AutoScaler => "autoScaler",
        /// The AWS load balancer controller.
        AwsLoadBalancerController => "awsLoadBalancerController",
        /// external-dns.
        ExternalDns => "externalDNS",
        /// cert-manager.
        CertManager => "certManager",
        /// The controller of the EBS CSI driver.
        EbsCsiController => "ebsCSIController",
        /// The controller of the EFS CSI driver.
        EfsCsiController => "efsCSIController",
    }
}

/// A role that is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewRole {
    /// Its name; `CloudFormation` makes one up if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// ARNs of its policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policy_arns: Vec<String>,
    /// Policies for what many clusters run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub well_known: Vec<WellKnownPolicy>,
    /// A policy of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<NamedPolicy>,
    /// Its permissions boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<String>,
}

/// A policy that is written out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedPolicy {
    /// Its name.
    pub name: String,
    /// Its document, an object.
    pub document: Value,
}

/// Where a workload's role comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RoleSource {
    /// It exists: its ARN.
    Given(String),
    /// A stack makes it.
    New(NewRole),
}

impl RoleSource {
    /// The role, if it is made.
    #[must_use]
    pub const fn made(&self) -> Option<&NewRole> {
        match self {
            Self::Given(_) => None,
            Self::New(role) => Some(role),
        }
    }

    pub(super) fn bound_by(&mut self, boundary: Option<&str>) {
        if let Self::New(role) = self {
            role.bound_by(boundary);
        }
    }
}

impl NewRole {
    /// Gives it a permissions boundary, unless it has one.
    pub(super) fn bound_by(&mut self, boundary: Option<&str>) {
        let given = self.permissions_boundary.take();
        self.permissions_boundary = given.or_else(|| boundary.map(str::to_owned));
    }
}
