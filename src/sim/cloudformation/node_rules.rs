//! What EKS refuses of a managed nodegroup beyond its schema: subnets, types, sizes, labels, its role.

use serde_json::Value;

use super::make_eks::check_types;
use super::names::handler;
use super::properties::{number, strings, text};
use super::stack::Stack;
use crate::sim::offerings::is_arm;
use crate::sim::world::World;

/// The service that nodes' roles must trust.
const EC2: &str = "ec2.amazonaws.com";

/// What the keys of labels must not begin with.
const RESERVED: [&str; 3] = ["kubernetes.io/", "k8s.io/", "eks.amazonaws.com/"];

impl World {
    /// What EKS says to a nodegroup that a stack is to make.
    pub(super) fn check_nodegroup(
        &mut self,
        stack: &Stack,
        cluster: &str,
        properties: &Value,
    ) -> Result<(), String> {
        let refused = |why: String| handler("InvalidRequest", &why);
        let role = text(properties, "NodeRole").unwrap_or_default();
        self.check_node_role(&role).map_err(refused)?;
        let types = strings(properties, "InstanceTypes");
        check_types(&types)?;
        check_architecture(properties, &types).map_err(refused)?;
        check_sizes(properties).map_err(refused)?;
        check_labels(properties).map_err(refused)?;
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let (vpc, _) = self.subnets_of_cluster((account, region), cluster);
        let network = self.network(account, region);
        for id in strings(properties, "Subnets") {
            let there = network.subnets.get(&id);
            let there = there.ok_or_else(|| format!("The subnet ID '{id}' does not exist"));
            if there.map_err(refused)?.vpc != vpc {
                return Err(refused(format!(
                    "Subnet {id} must belong to the VPC {vpc} of the cluster"
                )));
            }
        }
        Ok(())
    }

    /// Whether nodes can have a role.
    fn check_node_role(&self, role: &str) -> Result<(), String> {
        let Some(there) = self.role(role) else {
            let name = role.rsplit('/').next().unwrap_or(role);
            return Err(format!("The role with name {name} cannot be found."));
        };
        if there.trusts(EC2, "") {
            return Ok(());
        }
        Err(format!(
            "Following required service principals [{EC2}] were not found in the trust relationships \
             of nodeRole {role}"
        ))
    }
}

/// Images are for one architecture, and so are instance types.
fn check_architecture(properties: &Value, types: &[String]) -> Result<(), String> {
    let Some(ami) = text(properties, "AmiType").filter(|ami| ami != "CUSTOM") else {
        return Ok(());
    };
    let arm = ami.contains("ARM_64");
    let wrong: Vec<&str> = types
        .iter()
        .map(String::as_str)
        .filter(|one| is_arm(one) != arm)
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let wrong = wrong.join(", ");
    Err(format!(
        "[{wrong}] is not a valid instance type for requested amiType {ami}"
    ))
}

fn check_sizes(properties: &Value) -> Result<(), String> {
    let size = |name: &str| number(properties, &format!("/ScalingConfig/{name}"));
    let (min, desired, max) = (size("MinSize"), size("DesiredSize"), size("MaxSize"));
    if let (Some(min), Some(desired)) = (min, desired)
        && min > desired
    {
        return Err(format!(
            "Minimum capacity {min} can't be greater than desired size {desired}"
        ));
    }
    if let (Some(desired), Some(max)) = (desired, max)
        && desired > max
    {
        return Err(format!(
            "desired capacity {desired} can't be greater than max size {max}"
        ));
    }
    if max == Some(0) {
        return Err("Maximum capacity must be at least 1".to_owned());
    }
    Ok(())
}

fn check_labels(properties: &Value) -> Result<(), String> {
    let labels = properties.get("Labels").and_then(Value::as_object);
    let mut keys = labels.into_iter().flatten().map(|(key, _)| key);
    let reserved = |key: &String| RESERVED.iter().any(|begin| key.starts_with(begin));
    if keys.any(reserved) {
        let listed = RESERVED.join(", ");
        return Err(format!("Label cannot contain reserved prefixes [{listed}]"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_of_the_images_architecture() {
        for (ami, kind, fits) in [
            ("AL2023_x86_64_STANDARD", "m5.large", true),
            ("AL2023_x86_64_STANDARD", "t4g.large", false),
            ("BOTTLEROCKET_ARM_64", "t4g.large", true),
            ("BOTTLEROCKET_ARM_64", "m5.large", false),
            ("CUSTOM", "t4g.large", true),
        ] {
            let checked = check_architecture(&json!({ "AmiType": ami }), &[kind.to_owned()]);
            assert_eq!(checked.is_ok(), fits, "{ami} {kind}");
        }
    }

    #[test]
    fn sizes_rise_and_labels_are_the_accounts_own() {
        let sizes = |min: i64, desired: i64, max: i64| {
            check_sizes(
                &json!({"ScalingConfig": {"MinSize": min, "DesiredSize": desired, "MaxSize": max}}),
            )
        };
        assert_eq!(sizes(0, 0, 1), Ok(()));
        assert!(sizes(2, 1, 3).is_err() && sizes(1, 4, 3).is_err() && sizes(0, 0, 0).is_err());
        assert_eq!(
            check_labels(&json!({"Labels": {"alpha.eksctl.io/x": "1"}})),
            Ok(())
        );
        assert!(check_labels(&json!({"Labels": {"eks.amazonaws.com/x": "1"}})).is_err());
    }
}
