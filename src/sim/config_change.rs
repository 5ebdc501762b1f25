//! What a change of a cluster's configuration comes to: one kind of change a call, from what the
//! cluster is like now to what it is like then. Looks at nothing but the two.

use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};

use super::lookups::is_in_extended_support;

/// A change that EKS takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ConfigChange {
    /// As `DescribeUpdate` calls it.
    pub kind: &'static str,
    /// Names and values, as `DescribeUpdate` shows them.
    pub params: Vec<(&'static str, String)>,
    /// The members of `DescribeCluster`'s answer that it changes, as they are then.
    pub described: Map<String, Value>,
}

/// The members of a request by the kind of change that they are.
const KINDS: [(&str, &str); 10] = [
    ("accessConfig", "AccessConfigUpdate"),
    ("computeConfig", "AutoModeUpdate"),
    (
        "controlPlaneScalingConfig",
        "ControlPlaneScalingConfigUpdate",
    ),
    ("deletionProtection", "DeletionProtectionUpdate"),
    ("kubernetesNetworkConfig", "AutoModeUpdate"),
    ("logging", "LoggingUpdate"),
    ("remoteNetworkConfig", "RemoteNetworkConfigUpdate"),
    ("storageConfig", "AutoModeUpdate"),
    ("upgradePolicy", "UpgradePolicyUpdate"),
    ("zonalShiftConfig", "ZonalShiftConfigUpdate"),
];

const LOG_TYPES: [&str; 5] = [
    "api",
    "audit",
    "authenticator",
    "controllerManager",
    "scheduler",
];
const MAX_CIDRS: usize = 40;

/// Who may reach a cluster goes this way, and only forwards.
const MODES: [&str; 3] = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"];

/// From what `DescribeCluster` answers now and the request; the error is EKS's sentence.
pub(super) fn change(now: &Value, request: &Value) -> Result<ConfigChange, String> {
    let change = match kind_of(request)? {
        "EndpointAccessUpdate" => endpoints(now, &request["resourcesVpcConfig"])?,
        "VpcConfigUpdate" => network(now, &request["resourcesVpcConfig"])?,
        "LoggingUpdate" => logging(now, &request["logging"])?,
        "AccessConfigUpdate" => mode(now, &request["accessConfig"])?,
        "UpgradePolicyUpdate" => upgrade_policy(now, &request["upgradePolicy"])?,
        "AutoModeUpdate" => auto_mode(now, request)?,
        "ZonalShiftConfigUpdate" => plain(
            now,
            "ZonalShiftConfigUpdate",
            "ZonalShiftConfig",
            ("zonalShiftConfig", &request["zonalShiftConfig"]),
        )?,
        "RemoteNetworkConfigUpdate" => plain(
            now,
            "RemoteNetworkConfigUpdate",
            "RemoteNetworkConfig",
            ("remoteNetworkConfig", &request["remoteNetworkConfig"]),
        )?,
        "ControlPlaneScalingConfigUpdate" => plain(
            now,
            "ControlPlaneScalingConfigUpdate",
            "UpdatedTier",
            (
                "controlPlaneScalingConfig",
                &request["controlPlaneScalingConfig"],
            ),
        )?,
        _ => plain(
            now,
            "DeletionProtectionUpdate",
            "DeletionProtection",
            ("deletionProtection", &request["deletionProtection"]),
        )?,
    };
    Ok(change)
}

/// The one kind of change that is asked for.
fn kind_of(request: &Value) -> Result<&'static str, String> {
    let given = |member: &str| !request[member].is_null();
    let mut kinds: Vec<&str> = KINDS
        .iter()
        .filter(|(member, _)| given(member))
        .map(|(_, kind)| *kind)
        .collect();
    let vpc = &request["resourcesVpcConfig"];
    if vpc["subnetIds"].is_array() || vpc["securityGroupIds"].is_array() {
        kinds.push("VpcConfigUpdate");
    }
    let endpoints = [
        "endpointPublicAccess",
        "endpointPrivateAccess",
        "publicAccessCidrs",
    ];
    if endpoints.iter().any(|member| !vpc[*member].is_null()) {
        kinds.push("EndpointAccessUpdate");
    }
    kinds.sort_unstable();
    kinds.dedup();
    match kinds.as_slice() {
        [one] => Ok(one),
        [] => Err("No changes were requested".to_owned()),
        _ => Err("Only one type of update can be allowed".to_owned()),
    }
}

fn same(what: &str) -> String {
    format!("Cluster is already at the desired configuration with {what}")
}

fn flag(value: &Value, otherwise: &Value) -> bool {
    value
        .as_bool()
        .or_else(|| otherwise.as_bool())
        .unwrap_or(false)
}

fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

fn described(member: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(member.to_owned(), value)])
}

fn endpoints(now: &Value, asked: &Value) -> Result<ConfigChange, String> {
    let before = &now["resourcesVpcConfig"];
    let at = |member: &str| flag(&asked[member], &before[member]);
    let (private, public) = (at("endpointPrivateAccess"), at("endpointPublicAccess"));
    if !private && !public {
        return Err("Private and public endpoint access cannot both be disabled".to_owned());
    }
    let given = texts(&asked["publicAccessCidrs"]);
    check_cidrs(&given)?;
    let cidrs = if given.is_empty() {
        texts(&before["publicAccessCidrs"])
    } else {
        given
    };
    let after = json!({
        "endpointPrivateAccess": private,
        "endpointPublicAccess": public,
        "publicAccessCidrs": cidrs,
    });
    let mut config = before.clone();
    for (member, value) in after.as_object().into_iter().flatten() {
        config[member] = value.clone();
    }
    if config == *before {
        return Err(same(&format!(
            "endpointPrivateAccess: {private} , endpointPublicAccess: {public}, and Public Endpoint \
             Restrictions: [{}]",
            cidrs.join(", ")
        )));
    }
    Ok(ConfigChange {
        kind: "EndpointAccessUpdate",
        params: vec![
            ("EndpointPublicAccess", public.to_string()),
            ("EndpointPrivateAccess", private.to_string()),
            ("PublicAccessCidrs", json!(cidrs).to_string()),
        ],
        described: described("resourcesVpcConfig", config),
    })
}

fn check_cidrs(cidrs: &[&str]) -> Result<(), String> {
    let parsed = |cidr: &&&str| cidr.parse::<Ipv4Net>().is_ok_and(|net| net == net.trunc());
    let wrong: Vec<&str> = cidrs.iter().filter(|one| !parsed(one)).copied().collect();
    if !wrong.is_empty() {
        return Err(format!(
            "The following CIDRs are invalid in publicAccessCidrs: [{}]",
            wrong.join(", ")
        ));
    }
    let reserved = |cidr: &&&str| {
        let net = cidr.parse::<Ipv4Net>();
        net.is_ok_and(|net| net.addr().is_private() || net.addr().is_loopback())
    };
    let wrong: Vec<&str> = cidrs.iter().filter(reserved).copied().collect();
    if !wrong.is_empty() {
        return Err(format!(
            "The following CIDRs are not allowed in publicAccessCidrs: [{}]",
            wrong.join(", ")
        ));
    }
    if cidrs.len() > MAX_CIDRS {
        return Err(format!(
            "The number of CIDRs in publicAccessCidrs exceeds the limit of {MAX_CIDRS}"
        ));
    }
    Ok(())
}

/// Whether the subnets and groups are there is checked by whoever knows the network.
fn network(now: &Value, asked: &Value) -> Result<ConfigChange, String> {
    let before = &now["resourcesVpcConfig"];
    let (mut config, mut params) = (before.clone(), Vec::new());
    for (member, name) in [
        ("subnetIds", "Subnets"),
        ("securityGroupIds", "SecurityGroups"),
    ] {
        if asked[member].is_array() {
            config[member] = asked[member].clone();
            params.push((name, asked[member].to_string()));
        }
    }
    if config == *before {
        return Err(same("the given subnets and security groups"));
    }
    Ok(ConfigChange {
        kind: "VpcConfigUpdate",
        params,
        described: described("resourcesVpcConfig", config),
    })
}

fn logging(now: &Value, asked: &Value) -> Result<ConfigChange, String> {
    let before = enabled_logs(&now["logging"]);
    let mut after = before.clone();
    let setups = asked["clusterLogging"].as_array().into_iter().flatten();
    for setup in setups {
        for name in texts(&setup["types"]) {
            if !LOG_TYPES.contains(&name) {
                return Err(format!("Invalid log type: {name}"));
            }
            after.retain(|one| one != name);
            if setup["enabled"] == Value::Bool(true) {
                after.push(name.to_owned());
            }
        }
    }
    after.sort_unstable();
    if after == before {
        return Err("No changes needed for the logging config provided".to_owned());
    }
    let view = logs_view(&after);
    Ok(ConfigChange {
        kind: "LoggingUpdate",
        params: vec![("ClusterLogging", view.to_string())],
        described: described("logging", view),
    })
}

/// The types of logs that are on, in order.
fn enabled_logs(logging: &Value) -> Vec<String> {
    let setups = logging["clusterLogging"].as_array().into_iter().flatten();
    let on = setups.filter(|setup| setup["enabled"] == Value::Bool(true));
    let mut on: Vec<String> = on
        .flat_map(|setup| texts(&setup["types"]))
        .map(str::to_owned)
        .collect();
    on.sort_unstable();
    on
}

/// As `DescribeCluster` shows them.
pub(super) fn logs_view(enabled: &[String]) -> Value {
    let is_on = |name: &&str| enabled.iter().any(|one| one == name);
    let (on, off): (Vec<&str>, Vec<&str>) = LOG_TYPES.into_iter().partition(is_on);
    let setup = |types: Vec<&str>, enabled: bool| {
        (!types.is_empty()).then(|| json!({"types": types, "enabled": enabled}))
    };
    let setups: Vec<Value> = [setup(on, true), setup(off, false)]
        .into_iter()
        .flatten()
        .collect();
    json!({ "clusterLogging": setups })
}

fn mode(now: &Value, asked: &Value) -> Result<ConfigChange, String> {
    let before = now["accessConfig"]["authenticationMode"]
        .as_str()
        .unwrap_or(MODES[0]);
    let after = asked["authenticationMode"].as_str().unwrap_or(before);
    if before == after {
        return Err(same(&format!("authenticationMode: {after}")));
    }
    let place = |mode: &str| MODES.iter().position(|known| *known == mode);
    let next = place(before).map(|place| place + 1);
    if place(after).is_none() || place(after) != next {
        return Err(format!(
            "Unsupported authentication mode update from {before} to {after}"
        ));
    }
    let mut config = now["accessConfig"].clone();
    config["authenticationMode"] = json!(after);
    Ok(ConfigChange {
        kind: "AccessConfigUpdate",
        params: vec![("AuthenticationMode", json!(after).to_string())],
        described: described("accessConfig", config),
    })
}

fn upgrade_policy(now: &Value, asked: &Value) -> Result<ConfigChange, String> {
    let version = now["version"].as_str().unwrap_or_default();
    if asked["supportType"] == "STANDARD" && is_in_extended_support(version) {
        return Err(format!(
            "The upgrade policy cannot be changed to STANDARD as Kubernetes version {version} is in \
             extended support"
        ));
    }
    let member = ("upgradePolicy", asked);
    plain(now, "UpgradePolicyUpdate", "UpgradePolicy", member)
}

/// Nodes, storage and load balancing of EKS Auto Mode go together.
fn auto_mode(now: &Value, request: &Value) -> Result<ConfigChange, String> {
    let compute = &request["computeConfig"];
    let network = &request["kubernetesNetworkConfig"];
    if !network["serviceIpv4Cidr"].is_null() || !network["ipFamily"].is_null() {
        return Err("serviceIpv4Cidr and ipFamily cannot be changed".to_owned());
    }
    let flags = [
        compute["enabled"].as_bool(),
        network["elasticLoadBalancing"]["enabled"].as_bool(),
        request["storageConfig"]["blockStorage"]["enabled"].as_bool(),
    ];
    let on = match flags {
        [Some(true), Some(true), Some(true)] => true,
        [Some(false), Some(false), Some(false)] => false,
        _ => {
            return Err(
                "For EKS Auto Mode, please ensure that all required configs, including computeConfig, \
                 kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled."
                    .to_owned(),
            );
        }
    };
    let pools = texts(&compute["nodePools"]);
    let role = compute["nodeRoleArn"].as_str().unwrap_or_default();
    let known = ["general-purpose", "system"];
    if let Some(unknown) = pools.iter().find(|pool| !known.contains(pool)) {
        return Err(format!("Invalid node pool: {unknown}"));
    }
    if role.is_empty() != pools.is_empty() {
        return Err(if pools.is_empty() {
            "When Compute Config nodeRoleArn is not null or empty, nodePool value(s) must be provided."
        } else {
            "When Compute Config nodePools are provided, nodeRoleArn must be provided."
        }
        .to_owned());
    }
    let mut network = now["kubernetesNetworkConfig"].clone();
    network["elasticLoadBalancing"] = json!({ "enabled": on });
    let after = [
        ("computeConfig", compute.clone()),
        ("kubernetesNetworkConfig", network),
        ("storageConfig", request["storageConfig"].clone()),
    ];
    if after.iter().all(|(member, value)| now[*member] == *value) {
        return Err(same(&format!("computeConfig: {on}")));
    }
    let names = ["ComputeConfig", "KubernetesNetworkConfig", "StorageConfig"];
    let params = names
        .into_iter()
        .zip(&after)
        .map(|(name, (member, _))| (name, request[*member].to_string()));
    Ok(ConfigChange {
        kind: "AutoModeUpdate",
        params: params.collect(),
        described: after
            .into_iter()
            .map(|(member, value)| (member.to_owned(), value))
            .collect(),
    })
}

/// One member that becomes what is asked for.
fn plain(
    now: &Value,
    kind: &'static str,
    param: &'static str,
    (member, asked): (&str, &Value),
) -> Result<ConfigChange, String> {
    if now[member] == *asked {
        return Err(same(&format!("{member}: {asked}")));
    }
    Ok(ConfigChange {
        kind,
        params: vec![(param, asked.to_string())],
        described: described(member, asked.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Value {
        json!({
            "version": "1.34",
            "resourcesVpcConfig": {
                "subnetIds": ["a", "b"], "securityGroupIds": [],
                "endpointPublicAccess": true, "endpointPrivateAccess": false,
                "publicAccessCidrs": ["0.0.0.0/0"],
            },
            "accessConfig": {"authenticationMode": "CONFIG_MAP"},
            "logging": logs_view(&["api".to_owned()]),
            "kubernetesNetworkConfig": {"ipFamily": "ipv4"},
            "deletionProtection": false,
            "upgradePolicy": {"supportType": "EXTENDED"},
        })
    }

    fn taken(request: &Value) -> ConfigChange {
        change(&now(), request).unwrap_or_else(|why| ConfigChange {
            kind: "refused",
            params: vec![("", why)],
            described: Map::new(),
        })
    }

    fn auto(on: bool) -> Value {
        json!({
            "computeConfig": {"enabled": on},
            "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": on}},
            "storageConfig": {"blockStorage": {"enabled": on}},
        })
    }

    #[test]
    fn every_kind_of_change_has_its_type() {
        for (request, kind) in [
            (
                json!({"deletionProtection": true}),
                "DeletionProtectionUpdate",
            ),
            (
                json!({"resourcesVpcConfig": {"endpointPrivateAccess": true}}),
                "EndpointAccessUpdate",
            ),
            (
                json!({"resourcesVpcConfig": {"subnetIds": ["a", "c"]}}),
                "VpcConfigUpdate",
            ),
            (
                json!({"logging": {"clusterLogging": [{"types": ["audit"], "enabled": true}]}}),
                "LoggingUpdate",
            ),
            (
                json!({"accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"}}),
                "AccessConfigUpdate",
            ),
            (
                json!({"upgradePolicy": {"supportType": "STANDARD"}}),
                "UpgradePolicyUpdate",
            ),
            (
                json!({"zonalShiftConfig": {"enabled": true}}),
                "ZonalShiftConfigUpdate",
            ),
            (auto(true), "AutoModeUpdate"),
        ] {
            assert_eq!(taken(&request).kind, kind, "{request}");
        }
        let one = json!({"resourcesVpcConfig": {"publicAccessCidrs": ["203.0.113.0/24"]}});
        let after = &taken(&one).described["resourcesVpcConfig"];
        assert_eq!(after["publicAccessCidrs"], json!(["203.0.113.0/24"]));
        assert_eq!(after["subnetIds"], json!(["a", "b"]));
    }

    #[test]
    fn what_eks_refuses_is_refused() {
        for (request, words) in [
            (json!({}), "No changes"),
            (
                json!({"deletionProtection": true, "zonalShiftConfig": {"enabled": true}}),
                "Only one type of update can be allowed",
            ),
            (
                json!({"resourcesVpcConfig": {"endpointPrivateAccess": true, "subnetIds": ["a", "c"]}}),
                "Only one type of update can be allowed",
            ),
            (
                json!({"deletionProtection": false}),
                "already at the desired configuration",
            ),
            (
                json!({"resourcesVpcConfig": {"endpointPublicAccess": true}}),
                "with endpointPrivateAccess: false , endpointPublicAccess: true, and Public Endpoint \
                 Restrictions: [0.0.0.0/0]",
            ),
            (
                json!({"resourcesVpcConfig": {"endpointPublicAccess": false}}),
                "cannot both be disabled",
            ),
            (
                json!({"resourcesVpcConfig": {"publicAccessCidrs": ["x"]}}),
                "invalid in publicAccessCidrs: [x]",
            ),
            (
                json!({"resourcesVpcConfig": {"publicAccessCidrs": ["10.0.0.0/8"]}}),
                "not allowed in publicAccessCidrs: [10.0.0.0/8]",
            ),
            (
                json!({"accessConfig": {"authenticationMode": "API"}}),
                "Unsupported authentication mode update from CONFIG_MAP to API",
            ),
            (
                json!({"logging": {"clusterLogging": [{"types": ["api"], "enabled": true}]}}),
                "No changes needed for the logging config provided",
            ),
            (
                json!({"computeConfig": {"enabled": true}}),
                "fully enabled or fully disabled",
            ),
        ] {
            let refused = taken(&request);
            assert_eq!(refused.kind, "refused", "{request}");
            assert!(refused.params[0].1.contains(words), "{refused:?}");
        }
    }

    #[test]
    fn auto_mode_takes_a_role_and_pools_together() {
        let mut request = auto(true);
        request["computeConfig"]["nodeRoleArn"] = json!("arn:aws:iam::111111111111:role/n");
        assert_eq!(taken(&request).kind, "refused");
        request["computeConfig"]["nodePools"] = json!(["system"]);
        assert_eq!(taken(&request).kind, "AutoModeUpdate");
        request["computeConfig"]["nodePools"] = json!(["mine"]);
        assert_eq!(taken(&request).kind, "refused");
    }
}
