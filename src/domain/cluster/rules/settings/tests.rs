use crate::domain::cluster::{ClusterSpec, samples};
use crate::domain::eksctl::{ClusterConfig, Part};
use serde_json::{Value, json};

fn with(parts: &Value) -> Value {
    let mut config = json!({"metadata": {"name": "c", "region": "eu-central-1"}});
    let parts = parts.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(parts);
    config
}

fn sound(parts: &Value) -> ClusterSpec {
    samples::spec(&with(parts))
}

/// Where something is wrong.
fn places(parts: &Value) -> Vec<String> {
    let config = ClusterConfig::from_json(&with(parts).to_string(), Part::Whole);
    let told = config.and_then(|config| ClusterSpec::of(config, false));
    let told = told.map(drop).unwrap_err();
    told.into_iter().map(|invalid| invalid.pointer).collect()
}

fn codes(spec: &ClusterSpec) -> Vec<String> {
    let warnings = spec.warnings().into_iter().map(|warning| warning.code);
    let ours = warnings.filter(|code| code != "only_the_fleet_can_use_it");
    ours.filter(|code| code != "nothing_to_run_on").collect()
}

#[test]
fn settings_of_the_control_plane_are_eks_own() {
    let wrong = json!({
        "upgradePolicy": {"supportType": "extended"},
        "controlPlaneScalingConfig": {"tier": "xl"},
        "secretsEncryption": {"keyARN": "arn:aws:kms:eu-central-1:<account>:key/<key>"},
        "kubeAPIServerConfig": {
            "eventTTL": "1h30m", "serviceNodePortRange": {"minPort": 0, "maxPort": 70000}
        },
        "kubeSchedulerConfig": {"nodeResourcesFit": {"scoringStrategy": {
            "type": "Random", "resources": [{"name": "", "weight": 101}]
        }}},
        "kubeControllerManagerConfig": {"horizontalPodAutoscalerControllerConfig": {
            "horizontalPodAutoscalerSyncPeriod": "0s"
        }},
    });
    let scoring = "/kubeSchedulerConfig/nodeResourcesFit/scoringStrategy";
    assert_eq!(
        places(&wrong),
        [
            "/upgradePolicy/supportType",
            "/controlPlaneScalingConfig/tier",
            "/secretsEncryption/keyARN",
            "/kubeAPIServerConfig/eventTTL",
            "/kubeAPIServerConfig/serviceNodePortRange/minPort",
            "/kubeAPIServerConfig/serviceNodePortRange/maxPort",
            &format!("{scoring}/type"),
            &format!("{scoring}/resources/0/name"),
            &format!("{scoring}/resources/0/weight"),
            "/kubeControllerManagerConfig/horizontalPodAutoscalerControllerConfig/\
             horizontalPodAutoscalerSyncPeriod",
        ]
    );
    let key = |arn: &str| json!({"secretsEncryption": {"keyARN": arn}});
    for arn in [
        "arn:aws:kms:eu-west-1:1234:key/a",
        "arn:aws:kms:eu-central-1:1234:grant/a",
        "arn:aws:iam::1234:key/a",
        "",
    ] {
        assert_eq!(places(&key(arn)), ["/secretsEncryption/keyARN"], "{arn}");
    }
    sound(&key("arn:aws:kms:eu-central-1:1234:alias/secrets"));
    let ports = json!({"serviceNodePortRange": {"minPort": 3, "maxPort": 2}});
    assert_eq!(
        places(&json!({ "kubeAPIServerConfig": ports })),
        ["/kubeAPIServerConfig/serviceNodePortRange"]
    );
}

#[test]
fn auto_mode_goes_without_nodegroups_and_their_add_ons() {
    let auto = |config: Value| json!({ "autoModeConfig": config });
    let spec = sound(&auto(json!({"enabled": true})));
    let addons: Vec<&str> = spec.addons.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(addons, ["metrics-server"]);
    assert_eq!(codes(&spec), Vec::<String>::new());
    assert!(spec.control_plane.has_node_pools() && spec.makes_node_role());
    let boundary = "arn:aws:iam::111111111111:policy/boundary";
    let bounded = spec.with_default_boundary(Some(boundary));
    let made = bounded.control_plane.auto_mode.unwrap();
    assert_eq!(made.permissions_boundary.as_deref(), Some(boundary));
    let role = "arn:aws:iam::1234:role/a";
    for (config, place) in [
        (
            json!({"enabled": true, "nodePools": ["gpu"]}),
            "nodePools/0",
        ),
        (
            json!({"enabled": true, "nodePools": ["system", "system"]}),
            "nodePools/1",
        ),
        (
            json!({"enabled": true, "nodePools": [], "nodeRoleARN": role}),
            "nodeRoleARN",
        ),
        (
            json!({"enabled": true, "nodeRoleARN": role, "permissionsBoundaryARN": boundary}),
            "permissionsBoundaryARN",
        ),
        (json!({"enabled": true, "nodeRoleARN": "a"}), "nodeRoleARN"),
        (json!({"nodeRoleARN": role}), "nodeRoleARN"),
        (
            json!({"enabled": false, "nodePools": ["system"]}),
            "nodePools",
        ),
    ] {
        let expected = format!("/autoModeConfig/{place}");
        assert_eq!(places(&auto(config)), [expected]);
    }
    let mut more = auto(json!({"enabled": true}));
    more["addons"] = json!([{"name": "coredns"}]);
    more["managedNodeGroups"] = json!([{"name": "m"}]);
    assert_eq!(places(&more), ["/addons/0/name", "/managedNodeGroups"]);
    let profile = json!([{"name": "p", "selectors": [{"namespace": "x"}]}]);
    more = auto(json!({"enabled": true}));
    more["addons"] = json!([{"name": "coredns"}]);
    more["fargateProfiles"] = profile;
    sound(&more);
}

#[test]
fn kubernetes_addresses_are_private_and_apart_from_the_vpc() {
    let cidr = |text: &str| json!({"kubernetesNetworkConfig": {"serviceIPv4CIDR": text}});
    sound(&cidr("10.100.0.0/16"));
    for text in [
        "192.168.0.0/20",
        "8.8.0.0/16",
        "10.0.0.0/8",
        "10.100.0.1/16",
        "10.1.1.0/25",
        "x",
    ] {
        let place = "/kubernetesNetworkConfig/serviceIPv4CIDR";
        assert_eq!(places(&cidr(text)), [place], "{text}");
    }
    let family = |text: &str, more: Value| {
        let mut parts = json!({"kubernetesNetworkConfig": {"ipFamily": text}});
        let more = more.as_object().unwrap().clone();
        parts.as_object_mut().unwrap().extend(more);
        parts
    };
    let place = "/kubernetesNetworkConfig/ipFamily";
    assert_eq!(places(&family("IPv5", json!({}))), [place]);
    assert_eq!(places(&family("ipv6", json!({}))), [place]);
    let addons = json!([{"name": "vpc-cni"}, {"name": "coredns"}]);
    assert_eq!(
        places(&family("IPv6", json!({ "addons": addons }))),
        [place]
    );
    let good = json!({"addons": addons, "iam": {"withOIDC": true}});
    assert!(sound(&family("IPv6", good)).control_plane.ipv6);
    sound(&family(
        "IPv6",
        json!({"autoModeConfig": {"enabled": true}}),
    ));
    let vpc = json!({
        "nat": {"gateway": "Single"}, "autoAllocateIPv6": true, "ipv6Cidr": "2001:db8::/56"
    });
    let wrong = family(
        "IPv6",
        json!({"vpc": vpc, "autoModeConfig": {"enabled": true}}),
    );
    assert_eq!(
        places(&wrong),
        ["/vpc/autoAllocateIPv6", "/vpc/nat/gateway", "/vpc/ipv6Cidr"]
    );
}

#[test]
fn a_private_cluster_is_private_in_all_its_parts() {
    let spec = sound(&json!({
        "privateCluster": {"enabled": true, "additionalEndpointServices": ["autoscaling"]},
        "cloudWatch": {"clusterLogging": {"enableTypes": ["api"]}},
        "fargateProfiles": [{"name": "p", "selectors": [{"namespace": "x"}]}],
    }));
    let services = &spec.private.as_ref().unwrap().services;
    let expected = [
        "ec2",
        "ecr.api",
        "ecr.dkr",
        "s3",
        "sts",
        "autoscaling",
        "logs",
    ];
    assert_eq!(*services, expected);
    assert!(spec.endpoint.public && spec.endpoint.private);
    assert_eq!(codes(&spec), Vec::<String>::new());
    let wrong = json!({
        "privateCluster": {
            "enabled": true, "skipEndpointCreation": true,
            "additionalEndpointServices": ["logs", "logs", "s3"]
        },
        "localZones": ["eu-central-1-ham-1a"],
        "vpc": {
            "clusterEndpoints": {"publicAccess": true},
            "subnets": {"public": {
                "eu-central-1a": {"id": "subnet-1"}, "eu-central-1b": {"id": "subnet-2"}
            }}
        },
        "nodeGroups": [{"name": "a", "privateNetworking": false}],
    });
    assert_eq!(
        places(&wrong),
        [
            "/localZones",
            "/privateCluster/additionalEndpointServices/1",
            "/privateCluster/additionalEndpointServices/2",
            "/privateCluster/additionalEndpointServices",
            "/vpc/clusterEndpoints",
            "/localZones",
            "/vpc/subnets/private",
            "/nodeGroups/0/privateNetworking",
        ]
    );
    let skipped = sound(&json!({
        "privateCluster": {"enabled": true, "skipEndpointCreation": true}
    }));
    assert_eq!(codes(&skipped), ["no_vpc_endpoints"]);
    let off = sound(&json!({"privateCluster": {"enabled": false}}));
    assert_eq!(off.private, None);
}

#[test]
fn remote_networks_are_private_and_nobody_elses() {
    let remote = |config: Value| json!({ "remoteNetworkConfig": config });
    let nodes = |cidr: &str| json!([{"cidrs": [cidr]}]);
    let spec = sound(&remote(json!({
        "remoteNodeNetworks": nodes("10.80.0.0/24"), "iam": {"provider": "ssm"}
    })));
    assert_eq!(codes(&spec), ["no_way_to_remote_networks"]);
    assert!(spec.makes_node_role());
    for (config, place) in [
        (json!({}), "remoteNodeNetworks"),
        (json!({"remoteNodeNetworks": []}), "remoteNodeNetworks"),
        (
            json!({"remoteNodeNetworks": nodes("192.168.1.0/24")}),
            "remoteNodeNetworks/0/cidrs/0",
        ),
        (
            json!({"remoteNodeNetworks": nodes("8.8.8.0/24")}),
            "remoteNodeNetworks/0/cidrs/0",
        ),
        (
            json!({"remoteNodeNetworks": [{"cidrs": []}]}),
            "remoteNodeNetworks/0/cidrs",
        ),
        (
            json!({"remoteNodeNetworks": nodes("10.8.0.0/24"), "vpcGatewayID": "igw-1"}),
            "vpcGatewayID",
        ),
        (
            json!({"remoteNodeNetworks": nodes("10.8.0.0/24"), "iam": {"provider": "IRA"}}),
            "iam/provider",
        ),
        (
            json!({"remoteNodeNetworks": nodes("10.8.0.0/24"), "iam": {"roleARN": "x"}}),
            "iam/roleARN",
        ),
    ] {
        let expected = format!("/remoteNetworkConfig/{place}");
        assert_eq!(places(&remote(config)), [expected]);
    }
    let mut by_map = remote(json!({"remoteNodeNetworks": nodes("10.8.0.0/24")}));
    by_map["accessConfig"] = json!({"authenticationMode": "CONFIG_MAP"});
    assert_eq!(places(&by_map), ["/accessConfig/authenticationMode"]);
    let role =
        json!({"provider": "IRA", "roleARN": "arn:aws:iam::1234:role/a", "caBundleCert": "x"});
    sound(&remote(
        json!({"remoteNodeNetworks": nodes("10.8.0.0/24"), "iam": role}),
    ));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn settings_of_the_vpc_go_together() {
    let vpc = |config: Value| json!({ "vpc": config });
    let subnets = json!({"private": {
        "eu-central-1a": {"id": "subnet-1"}, "eu-central-1b": {"id": "subnet-2"}
    }});
    for (config, place) in [
        (json!({"hostnameType": "x"}), "hostnameType"),
        (
            json!({"hostnameType": "ip-name", "subnets": subnets}),
            "hostnameType",
        ),
        (
            json!({"autoAllocateIPv6": true, "subnets": subnets}),
            "autoAllocateIPv6",
        ),
        (
            json!({"controlPlaneEgressMode": "x"}),
            "controlPlaneEgressMode",
        ),
        (
            json!({"controlPlaneSecurityGroupIDs": ["x-1"]}),
            "controlPlaneSecurityGroupIDs/0",
        ),
        (
            json!({"controlPlaneSecurityGroupIDs": ["sg-1"], "securityGroup": "sg-2"}),
            "controlPlaneSecurityGroupIDs",
        ),
        (
            json!({"sharedNodeSecurityGroup": "x"}),
            "sharedNodeSecurityGroup",
        ),
        (
            json!({"manageSharedNodeSecurityGroupRules": false}),
            "manageSharedNodeSecurityGroupRules",
        ),
        (
            json!({"controlPlaneSubnetIDs": ["subnet-1"]}),
            "controlPlaneSubnetIDs",
        ),
        (
            json!({"controlPlaneSubnetIDs": ["subnet-1", "subnet-1"]}),
            "controlPlaneSubnetIDs/1",
        ),
        (
            json!({
                "controlPlaneSubnetIDs": ["subnet-1", "subnet-2"],
                "controlPlaneOnPrivateSubnets": true
            }),
            "controlPlaneOnPrivateSubnets",
        ),
        (json!({"extraCIDRs": ["10.0.0.1/8"]}), "extraCIDRs/0"),
        (
            json!({"extraIPv6CIDRs": ["2001:db8::/32"]}),
            "extraIPv6CIDRs",
        ),
        (
            json!({"ipv6Cidr": "2001:db8::/56", "ipv6Pool": "ipv6pool-ec2-1"}),
            "ipv6Cidr",
        ),
        (
            json!({"id": "vpc-1", "subnets": {"private": {"a": {}, "b": {"id": "subnet-1"}}}}),
            "subnets/private/a",
        ),
        (
            json!({"subnets": {"private": {
                "a": {"az": "eu-central-1a"}, "b": {"id": "subnet-1"}
            }}}),
            "subnets/private/a",
        ),
    ] {
        let expected = format!("/vpc/{place}");
        assert_eq!(places(&vpc(config)), [expected]);
    }
    let own = sound(&vpc(
        json!({"controlPlaneSubnetIDs": ["subnet-1", "subnet-2"]}),
    ));
    assert_eq!(codes(&own), ["parts_of_another_vpc"]);
    let extra = json!({"extraCIDRs": ["10.0.0.0/8"], "securityGroup": "sg-1", "subnets": subnets});
    assert_eq!(codes(&sound(&vpc(extra))), ["extra_cidrs_not_used"]);
}

#[test]
fn local_zones_are_of_the_region_and_few() {
    let zones = |zones: Value| json!({ "localZones": zones });
    sound(&zones(json!([
        "eu-central-1-ham-1a",
        "eu-central-1-waw-1a"
    ])));
    let wrong = json!([
        "us-west-2-lax-1a",
        "eu-central-1a",
        "eu-central-1-ham-1a",
        "eu-central-1-ham-1a"
    ]);
    assert_eq!(
        places(&zones(wrong)),
        ["/localZones/0", "/localZones/1", "/localZones/3"]
    );
    let many: Vec<String> = (1..7).map(|i| format!("eu-central-1-ham-{i}a")).collect();
    assert_eq!(places(&zones(json!(many))), ["/localZones"]);
    let mut highly = zones(json!(["eu-central-1-ham-1a"]));
    highly["vpc"] = json!({"nat": {"gateway": "HighlyAvailable"}});
    assert_eq!(places(&highly), ["/vpc/nat/gateway"]);
}
