//! What is set of the control plane of a cluster that a stack makes: held to EKS's rules, and as
//! `DescribeCluster` answers it.

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::names::handler;
use super::properties::{flag, strings, text};
use super::stack::Stack;
use crate::sim::world::World;

/// Members of `DescribeCluster`'s answer.
pub(super) type Members = Vec<(&'static str, Value)>;

impl World {
    /// What is set, as it is described; the error says what EKS does not take.
    pub(super) fn control_plane(
        &mut self,
        stack: &Stack,
        properties: &Value,
        vpc: &Value,
    ) -> Result<Members, String> {
        let refused = |why: String| handler("InvalidRequest", &why);
        let mut members = auto_mode(properties).map_err(refused)?;
        members.extend(encryption(stack, properties).map_err(refused)?);
        let network = self.kubernetes_network(stack, properties, vpc);
        members.push(("kubernetesNetworkConfig", network.map_err(refused)?));
        members.extend(remote(properties).map_err(refused)?);
        let renamed = [
            ("UpgradePolicy", "upgradePolicy"),
            ("ZonalShiftConfig", "zonalShiftConfig"),
            ("ControlPlaneScalingConfig", "controlPlaneScalingConfig"),
            ("KubeApiServerConfig", "kubeApiServerConfig"),
            ("KubeSchedulerConfig", "kubeSchedulerConfig"),
            ("KubeControllerManagerConfig", "kubeControllerManagerConfig"),
        ];
        let given = renamed
            .into_iter()
            .filter_map(|(from, to)| Some((to, camel(properties.get(from)?))));
        members.extend(given);
        Ok(members)
    }

    /// The addresses of services: private, outside of the VPC; IPv6 ones need IPv6 subnets.
    fn kubernetes_network(
        &mut self,
        stack: &Stack,
        properties: &Value,
        vpc: &Value,
    ) -> Result<Value, String> {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let config = member(properties, "KubernetesNetworkConfig");
        let family = text(&config, "IpFamily").unwrap_or_else(|| "ipv4".to_owned());
        let cidr = text(&config, "ServiceIpv4Cidr");
        let network = self.network(account, region);
        let id = vpc["vpcId"].as_str().unwrap_or_default();
        let mut described = json!({ "ipFamily": family });
        if family == "ipv6" {
            if cidr.is_some() {
                return Err("ServiceIpv4Cidr can't be specified for an IPv6 cluster".to_owned());
            }
            if !network.ipv6_blocks.contains_key(id) {
                return Err(
                    "The subnets must have both IPv4 and IPv6 CIDR blocks for an IPv6 cluster"
                        .to_owned(),
                );
            }
            described["serviceIpv6Cidr"] = json!("fd30:1c53:5f8a::/108");
        } else {
            let cidr = cidr.unwrap_or_else(|| "10.100.0.0/16".to_owned());
            let around = network.vpcs.get(id).map(|vpc| vpc.cidr);
            check_services(&cidr, around)?;
            described["serviceIpv4Cidr"] = json!(cidr);
        }
        let balancing = member(&config, "ElasticLoadBalancing");
        described["elasticLoadBalancing"] = json!({"enabled": flag(&balancing, "Enabled", false)});
        Ok(described)
    }
}

fn check_services(cidr: &str, vpc: Option<Ipv4Net>) -> Result<(), String> {
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
    let private = private
        .iter()
        .filter_map(|text| text.parse::<Ipv4Net>().ok());
    let net = cidr.parse::<Ipv4Net>().ok().filter(|net| {
        (12..=24).contains(&net.prefix_len())
            && private.into_iter().any(|private| private.contains(net))
    });
    let Some(net) = net else {
        return Err(format!(
            "The service IPv4 CIDR {cidr} must be a block between /24 and /12 within 10.0.0.0/8, \
             172.16.0.0/12 or 192.168.0.0/16"
        ));
    };
    match vpc {
        Some(vpc) if vpc.contains(&net) || net.contains(&vpc) => Err(format!(
            "The service IPv4 CIDR {cidr} overlaps with the CIDR block {vpc} of the VPC"
        )),
        _ => Ok(()),
    }
}

/// EKS takes its three parts together alone, and a role where there are node pools.
fn auto_mode(properties: &Value) -> Result<Members, String> {
    let compute = member(properties, "ComputeConfig");
    let storage = member(properties, "StorageConfig");
    let balancing = member(properties, "KubernetesNetworkConfig");
    let parts = [
        flag(&compute, "Enabled", false),
        flag(&member(&storage, "BlockStorage"), "Enabled", false),
        flag(
            &member(&balancing, "ElasticLoadBalancing"),
            "Enabled",
            false,
        ),
    ];
    if parts.iter().any(|on| *on != parts[0]) {
        return Err(
            "For EKS Auto Mode, please ensure that all required configs, including computeConfig, \
             kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled."
                .to_owned(),
        );
    }
    let enabled = parts[0];
    if enabled && flag(properties, "BootstrapSelfManagedAddons", true) {
        return Err(
            "bootstrapSelfManagedAddons must be false when EKS Auto Mode is enabled".to_owned(),
        );
    }
    let pools = strings(&compute, "NodePools");
    let role = text(&compute, "NodeRoleArn");
    if let Some(unknown) = pools
        .iter()
        .find(|pool| !["general-purpose", "system"].contains(&pool.as_str()))
    {
        return Err(format!("Invalid node pool: {unknown}"));
    }
    if pools.is_empty() != role.is_none() {
        return Err(
            "When Compute Config nodeRoleArn is not null or empty, nodePool value(s) must be provided, \
             and the other way round."
                .to_owned(),
        );
    }
    if !enabled {
        return Ok(Vec::new());
    }
    let mut described = json!({"enabled": true, "nodePools": pools});
    if let Some(role) = role {
        described["nodeRoleArn"] = json!(role);
    }
    Ok(vec![
        ("computeConfig", described),
        ("storageConfig", json!({"blockStorage": {"enabled": true}})),
    ])
}

/// The key is of the cluster's region.
fn encryption(stack: &Stack, properties: &Value) -> Result<Members, String> {
    let configs = properties.get("EncryptionConfig").and_then(Value::as_array);
    let Some(config) = configs.and_then(|configs| configs.first()) else {
        return Ok(Vec::new());
    };
    let key = text(&member(config, "Provider"), "KeyArn").unwrap_or_default();
    let region = &stack.caller.region;
    if !key.contains(&format!(":kms:{region}:")) {
        return Err(format!(
            "The keyArn in encryptionConfig provider {key} is invalid"
        ));
    }
    let described = json!([{"resources": ["secrets"], "provider": {"keyArn": key}}]);
    Ok(vec![("encryptionConfig", described)])
}

fn remote(properties: &Value) -> Result<Members, String> {
    let Some(config) = properties.get("RemoteNetworkConfig") else {
        return Ok(Vec::new());
    };
    let access = member(properties, "AccessConfig");
    let mode = text(&access, "AuthenticationMode").unwrap_or_else(|| "CONFIG_MAP".to_owned());
    if mode == "CONFIG_MAP" {
        return Err(
            "Hybrid nodes need the authentication mode API or API_AND_CONFIG_MAP".to_owned(),
        );
    }
    Ok(vec![("remoteNetworkConfig", camel(config))])
}

fn member(value: &Value, name: &str) -> Value {
    value.get(name).cloned().unwrap_or_default()
}

/// The same with names as EKS's API spells them: `EventTtl` is `eventTtl`.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, inner)| {
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_ascii_lowercase());
                let name: String = first.into_iter().chain(letters).collect();
                (name, camel(inner))
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => items.iter().map(camel).collect(),
        other => other.clone(),
    }
}
