//! The stacks of EKS capabilities, and of their roles, as eksctl makes and names them.

use super::names;
use super::role_stack::{RoleStack, Trust};
use super::spec::ClusterSpec;
use super::spec::capability::CapabilitySpec;
use super::template;
use serde_json::Value;
use std::collections::BTreeMap;

/// The stack of a capability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapabilityStack {
    /// Its name.
    pub name: String,
    /// Its template.
    pub template: Value,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl ClusterSpec {
    /// The stack of a capability that acts under a role.
    #[must_use]
    pub fn capability_stack(&self, capability: &CapabilitySpec, role_arn: &str) -> CapabilityStack {
        let purpose = (names::CAPABILITY_TAG, capability.name.as_str());
        CapabilityStack {
            name: names::capability_stack(&self.name, &capability.name),
            template: template::capability(self, capability, role_arn),
            tags: self.role_tags(&capability.tags, &[purpose]),
        }
    }

    /// The stack of a capability's role, if one is made.
    #[must_use]
    pub fn capability_role_stack(&self, capability: &CapabilitySpec) -> Option<RoleStack> {
        let role = capability.role.made()?;
        let name = &capability.name;
        Some(RoleStack {
            name: names::capability_role_stack(&self.name, name),
            description: format!("IAM role for capability {name}"),
            role: role.clone(),
            trust: Trust::Capability,
            tags: self.role_tags(&capability.tags, &[(names::CAPABILITY_ROLE_TAG, name)]),
        })
    }

    /// Stands for the ARN of a role that is not made yet.
    #[must_use]
    pub fn assumed_role(&self, capability: &CapabilitySpec) -> String {
        let partition = self.region.partition();
        format!(
            "arn:{partition}:iam::000000000000:role/ROLE-OF-{}",
            capability.name
        )
    }
}
