use crate::domain::cluster::{ClusterPlan, ClusterSpec, samples};
use crate::domain::eksctl::{ClusterConfig, Part};
use crate::domain::invalid::Invalid;
use serde_json::{Value, json};

fn config(list: &str, mut nodegroup: Value) -> Value {
    nodegroup["name"] = json!("n");
    let mut config =
        json!({"metadata": {"name": "c", "region": "eu-central-1", "version": "1.34"}});
    config[list] = json!([nodegroup]);
    config
}

/// What is wrong with a nodegroup, by key.
fn wrong(list: &str, nodegroup: Value) -> Vec<String> {
    let text = config(list, nodegroup).to_string();
    let told = ClusterConfig::from_json(&text, Part::Whole);
    let told = told.and_then(|config| ClusterSpec::of(config, false));
    let prefix = format!("/{list}/0/");
    let key = |invalid: Invalid| invalid.pointer.replacen(&prefix, "", 1);
    told.unwrap_err().into_iter().map(key).collect()
}

fn own(nodegroup: Value) -> Vec<String> {
    wrong("nodeGroups", nodegroup)
}

fn managed(nodegroup: Value) -> Vec<String> {
    wrong("managedNodeGroups", nodegroup)
}

fn codes(list: &str, nodegroup: Value) -> Vec<String> {
    let spec = samples::spec(&config(list, nodegroup));
    let codes = spec.warnings().into_iter().map(|warning| warning.code);
    codes
        .filter(|code| code != "only_the_fleet_can_use_it")
        .collect()
}

#[test]
fn a_role_that_exists_goes_with_nothing_that_is_made() {
    let role = "arn:aws:iam::123:role/nodes";
    let iam = json!({
        "instanceRoleARN": role, "instanceRoleName": "x", "attachPolicyARNs": ["arn:aws:iam::aws:policy/A"],
        "withAddonPolicies": {"ebs": true}
    });
    let expected = [
        "iam/instanceRoleName",
        "iam/attachPolicyARNs",
        "iam/withAddonPolicies",
    ];
    assert_eq!(own(json!({"iam": iam})), expected);
    assert_eq!(managed(json!({"iam": iam})), expected);
    let profile = "arn:aws:iam::123:instance-profile/nodes";
    let alone = json!({"iam": {"instanceProfileARN": profile}});
    assert_eq!(own(alone.clone()), ["iam/instanceProfileARN"]);
    assert_eq!(managed(alone), ["iam/instanceProfileARN"]);
    let both = json!({"iam": {"instanceProfileARN": profile, "instanceRoleARN": role}});
    assert_eq!(codes("nodeGroups", both), [""; 0]);
    let hidden = json!({"disablePodIMDS": true, "iam": {"withAddonPolicies": {"ebs": true}}});
    assert_eq!(own(hidden), ["iam/withAddonPolicies/ebs"]);
    let document = json!({"iam": {"attachPolicy": {"Action": "*"}}});
    assert_eq!(own(document), ["iam/attachPolicy"]);
}

#[test]
fn instances_are_named_once_and_only_where_they_can_be() {
    for (nodegroup, expected) in [
        (json!({"instanceType": "mixed"}), "instanceType"),
        (
            json!({"instancesDistribution": {}}),
            "instancesDistribution/instanceTypes",
        ),
        (
            json!({"instanceType": "m5.large", "instancesDistribution": {"instanceTypes": ["m5.large"]}}),
            "instanceType",
        ),
        (
            json!({"instancesDistribution": {
                "instanceTypes": ["m5.large"], "spotInstancePools": 2, "spotAllocationStrategy": "diversified"
            }}),
            "instancesDistribution/spotInstancePools",
        ),
        (
            json!({"instancesDistribution": {"instanceTypes": ["m5.large", "m5.large"]}}),
            "instancesDistribution/instanceTypes/1",
        ),
        (json!({"cpuCredits": "unlimited"}), "cpuCredits"),
        (
            json!({"instanceMarketOptions": {"marketType": "capacity-block"}}),
            "instanceMarketOptions",
        ),
        (
            json!({"instanceSelector": {"memory": "much"}}),
            "instanceSelector/memory",
        ),
        (
            json!({"capacityReservation": {"capacityReservationTarget": {}}}),
            "capacityReservation/capacityReservationTarget",
        ),
        (
            json!({"efaEnabled": true, "availabilityZones": ["eu-central-1a", "eu-central-1b"]}),
            "efaEnabled",
        ),
        (
            json!({"availabilityZones": ["us-east-1a"]}),
            "availabilityZones/0",
        ),
        (json!({"subnets": ["subnet-1"]}), "subnets/0"),
        (json!({"instanceTypes": ["m5.large"]}), "instanceTypes"),
        (json!({"spot": true}), "spot"),
    ] {
        assert_eq!(own(nodegroup.clone()), [expected], "{nodegroup}");
    }
    let both = json!({"instanceType": "m5.large", "instanceTypes": ["m5.large"]});
    assert_eq!(managed(both), ["instanceType"]);
    assert_eq!(
        managed(json!({"propagateASGTags": true})),
        ["propagateASGTags"]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn images_know_what_they_can_be_told_and_run_on() {
    for (nodegroup, expected) in [
        (json!({"amiFamily": "BeOS"}), "amiFamily"),
        (
            json!({"amiFamily": "Bottlerocket", "preBootstrapCommands": ["x"]}),
            "preBootstrapCommands",
        ),
        (
            json!({"amiFamily": "Ubuntu2404", "bottlerocket": {}}),
            "bottlerocket",
        ),
        (
            json!({"amiFamily": "WindowsServer2022CoreContainer", "instanceType": "m7g.large"}),
            "amiFamily",
        ),
        (json!({"ami": "ami-1"}), "amiFamily"),
        (
            json!({"ami": "image", "amiFamily": "AmazonLinux2023"}),
            "ami",
        ),
        (
            json!({"overrideBootstrapCommand": "/etc/eks/bootstrap.sh c"}),
            "overrideBootstrapCommand",
        ),
        (json!({"containerRuntime": "dockerd"}), "containerRuntime"),
        (
            json!({"kubeletExtraConfig": {"kind": "x"}}),
            "kubeletExtraConfig/kind",
        ),
        (json!({"clusterDNS": "here"}), "clusterDNS"),
        (
            json!({"preBootstrapCommands": ["x".repeat(12_000)]}),
            "preBootstrapCommands",
        ),
        (
            json!({"amiFamily": "Bottlerocket", "bottlerocket": {"settings": {"kubernetes": {"max-pods": 1}}}}),
            "bottlerocket/settings/kubernetes/max-pods",
        ),
    ] {
        assert_eq!(own(nodegroup.clone()), [expected], "{nodegroup}");
    }
    let scripted = json!({"amiFamily": "Ubuntu2404", "ami": "ami-1"});
    assert_eq!(managed(scripted.clone()), ["overrideBootstrapCommand"]);
    assert_eq!(codes("nodeGroups", scripted), [""; 0]);
    let old = json!({"amiFamily": "AmazonLinux2"});
    assert_eq!(codes("nodeGroups", old), ["no_such_image"]);
    let windows = json!({"amiFamily": "WindowsServer2022CoreContainer"});
    assert_eq!(
        codes("managedNodeGroups", windows.clone()),
        ["no_linux_nodes"]
    );
    let spec = samples::spec(&config("nodeGroups", windows));
    let cni = spec
        .addons
        .iter()
        .find(|addon| addon.name == "vpc-cni")
        .unwrap();
    assert_eq!(
        cni.configuration,
        Some(json!({"enableWindowsIpam": "true"}))
    );
    let own_image = json!({"ami": "ami-1", "amiFamily": "AmazonLinux2023", "maxPodsPerNode": 3});
    assert_eq!(managed(own_image), ["maxPodsPerNode"]);
}

#[test]
fn disks_are_what_ebs_makes() {
    for (nodegroup, expected) in [
        (json!({"volumeType": "gp4"}), "volumeType"),
        (
            json!({"volumeType": "gp2", "volumeIOPS": 3000}),
            "volumeIOPS",
        ),
        (json!({"volumeType": "io1", "volumeIOPS": 50}), "volumeIOPS"),
        (
            json!({"volumeType": "io1", "volumeThroughput": 200}),
            "volumeThroughput",
        ),
        (json!({"volumeKmsKeyID": "k"}), "volumeKmsKeyID"),
        (
            json!({"volumeType": "st1", "volumeSize": 500}),
            "volumeType",
        ),
        (json!({"volumeSize": 19}), "volumeSize"),
        (
            json!({"additionalVolumes": [{"volumeSize": 5}]}),
            "additionalVolumes/0/volumeName",
        ),
        (
            json!({"additionalVolumes": [{"volumeName": "/dev/b", "volumeType": "sc1", "volumeSize": 100}]}),
            "additionalVolumes/0/volumeSize",
        ),
    ] {
        assert_eq!(own(nodegroup.clone()), [expected], "{nodegroup}");
    }
}

#[test]
fn a_key_in_a_file_elsewhere_is_a_warning_and_two_keys_are_wrong() {
    let file = json!({"ssh": {"publicKeyPath": "~/.ssh/id_rsa.pub"}});
    assert_eq!(codes("nodeGroups", file), ["no_ssh_key"]);
    assert_eq!(
        codes("managedNodeGroups", json!({"ssh": {"allow": true}})),
        ["no_ssh_key"]
    );
    assert_eq!(
        codes("nodeGroups", json!({"ssh": {"enableSsm": true}})),
        [""; 0]
    );
    let two = json!({"ssh": {"publicKeyName": "a", "publicKeyPath": "b"}});
    assert_eq!(own(two), ["ssh"]);
    assert_eq!(
        own(json!({"ssh": {"publicKey": "ssh-dss AAAA"}})),
        ["ssh/publicKey"]
    );
    assert_eq!(own(json!({"ssh": {"enableSsm": false}})), ["ssh/enableSsm"]);
}

#[test]
fn what_renews_and_repairs_nodes_says_each_thing_once() {
    for (nodegroup, expected) in [
        (json!({"updateConfig": {}}), "updateConfig"),
        (
            json!({"updateConfig": {"maxUnavailable": 9}}),
            "updateConfig/maxUnavailable",
        ),
        (
            json!({"nodeRepairConfig": {
                "maxUnhealthyNodeThresholdCount": 1, "maxUnhealthyNodeThresholdPercentage": 1
            }}),
            "nodeRepairConfig/maxUnhealthyNodeThresholdCount",
        ),
        (
            json!({"nodeRepairConfig": {"nodeRepairConfigOverrides": [{
                "nodeMonitoringCondition": "a", "nodeUnhealthyReason": "b", "minRepairWaitTimeMins": 1,
                "repairAction": "Pray"
            }]}}),
            "nodeRepairConfig/nodeRepairConfigOverrides/0/repairAction",
        ),
        (
            json!({"launchTemplate": {"id": "lt-1"}, "volumeSize": 50}),
            "volumeSize",
        ),
        (
            json!({"launchTemplate": {"id": "lt-1", "version": "0"}}),
            "launchTemplate/version",
        ),
        (
            json!({"securityGroups": {"withShared": true}}),
            "securityGroups/withShared",
        ),
    ] {
        assert_eq!(managed(nodegroup.clone()), [expected], "{nodegroup}");
    }
    for (nodegroup, expected) in [
        (json!({"maxInstanceLifetime": 60}), "maxInstanceLifetime"),
        (
            json!({"asgSuspendProcesses": ["Sleep"]}),
            "asgSuspendProcesses/0",
        ),
        (json!({"targetGroupARNs": ["web"]}), "targetGroupARNs/0"),
        (
            json!({"taints": [{"key": "a", "effect": "Never"}]}),
            "taints/0/effect",
        ),
        (json!({"taints": {"a": "b:Never"}}), "taints"),
        (json!({"taints": {}}), "taints"),
    ] {
        assert_eq!(own(nodegroup.clone()), [expected], "{nodegroup}");
    }
    let long: serde_json::Map<String, Value> = (0..31)
        .map(|i| (format!("label-{i}"), json!("x")))
        .collect();
    assert_eq!(
        own(json!({"labels": long, "propagateASGTags": true})),
        ["propagateASGTags"]
    );
}

#[test]
fn a_nodegroup_that_names_zones_has_them_among_those_that_are_chosen() {
    let zones = json!(["eu-central-1c", "eu-central-1d"]);
    let spec = samples::spec(&config("nodeGroups", json!({"availabilityZones": zones})));
    let plan = ClusterPlan::assumed(&spec).unwrap();
    let assumed = plan.assumptions.join(" ");
    let zones = "eu-central-1a, eu-central-1c, eu-central-1d";
    assert!(assumed.contains(zones), "{assumed}");
    let group = &plan.stacks[1].template["Resources"]["NodeGroup"]["Properties"];
    let subnet = &group["VPCZoneIdentifier"][0]["Fn::Select"];
    assert_eq!(subnet[0], "1");
    assert_eq!(subnet[1]["Fn::Split"][0], ",");
}
