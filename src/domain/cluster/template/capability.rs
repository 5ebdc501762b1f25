//! The stack of an EKS capability.

use super::draft::Draft;
use crate::domain::cluster::spec::ClusterSpec;
use crate::domain::cluster::spec::capability::{ArgoCdSpec, CapabilitySpec};
use serde_json::{Value, json};

const ID: &str = "Capability";

pub(super) fn template(spec: &ClusterSpec, capability: &CapabilitySpec, role_arn: &str) -> Value {
    let mut draft = Draft::default();
    let mut properties = json!({
        "CapabilityName": capability.name,
        "ClusterName": spec.name,
        "DeletePropagationPolicy": capability.delete_propagation_policy,
        "RoleArn": role_arn,
        "Type": capability.kind.as_str(),
    });
    if let Some(argo_cd) = &capability.argo_cd {
        properties["Configuration"] = json!({"ArgoCd": configuration(argo_cd)});
    }
    draft.add(ID, "AWS::EKS::Capability", properties);
    draft.finish_alone(&format!("EKS capability {}", capability.name))
}

fn configuration(argo_cd: &ArgoCdSpec) -> Value {
    let mut instance = json!({"IdcInstanceArn": argo_cd.instance});
    if let Some(region) = &argo_cd.instance_region {
        instance["IdcRegion"] = json!(region);
    }
    let mut configuration = json!({"AwsIdc": instance});
    if let Some(namespace) = &argo_cd.namespace {
        configuration["Namespace"] = json!(namespace);
    }
    if !argo_cd.vpc_endpoints.is_empty() {
        configuration["NetworkAccess"] = json!({"VpceIds": argo_cd.vpc_endpoints});
    }
    let mappings = argo_cd.roles.iter().map(|(role, identities)| {
        let identities = identities.iter();
        let identities = identities.map(|(id, kind)| json!({"Id": id, "Type": kind}));
        json!({"Identities": identities.collect::<Vec<_>>(), "Role": role})
    });
    let mappings: Vec<Value> = mappings.collect();
    if !mappings.is_empty() {
        configuration["RbacRoleMappings"] = Value::Array(mappings);
    }
    configuration
}
