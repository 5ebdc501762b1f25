//! The grid of `CloudFormation` templates that `tests/cfn/lint` has looked at by a linter that was
//! not written here, and `tests/cfn/deploy` deploys on moto.

use std::collections::BTreeMap;
use std::path::Path;

use fargate_fleet::domain::ClusterConfig;
use fargate_fleet::domain::cluster::template::{self, ClusterFacts, MAX_BYTES};
use fargate_fleet::domain::cluster::{ClusterPlan, ClusterSpec, NetworkPlan};
use fargate_fleet::domain::eksctl::Part;
use serde_json::{Value, json};

/// A region of each partition.
const REGIONS: [&str; 3] = ["eu-central-1", "cn-north-1", "us-gov-west-1"];

fn spec(region: &str, parts: Value) -> ClusterSpec {
    let mut config = json!({
        "metadata": {"name": "grid", "region": region, "tags": {"team": "payments"}}
    });
    let Value::Object(parts) = parts else {
        panic!("{parts}")
    };
    config.as_object_mut().unwrap().extend(parts);
    let config = ClusterConfig::from_json(&config.to_string(), Part::Whole).unwrap();
    ClusterSpec::of(config, false).unwrap()
}

fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        _ if region.starts_with("us-gov") => "aws-us-gov",
        _ => "aws",
    }
}

fn profile() -> Value {
    json!({"name": "fp-default", "selectors": [{"namespace": "default"}]})
}

/// A name for the file of each template, which begins with its region.
type Grid = BTreeMap<String, Value>;

fn add_plan(grid: &mut Grid, name: &str, spec: &ClusterSpec) {
    let plan = ClusterPlan::assumed(spec).unwrap();
    for stack in plan.stacks {
        let kind = stack.name.trim_start_matches("eksctl-grid-");
        let file = format!("{}.{name}.{kind}", spec.region);
        let earlier = grid.insert(file, stack.template);
        assert!(earlier.is_none(), "{name} {kind}");
    }
}

/// Zones and NAT gateways, with and without a role that is given.
fn add_own_networks(grid: &mut Grid, region: &str) {
    for count in 2..=5_u8 {
        let zones: Vec<String> = (0..count)
            .map(|i| format!("{region}{}", char::from(b'a' + i)))
            .collect();
        for nat in ["Single", "HighlyAvailable", "Disable"] {
            for given in [false, true] {
                let role = format!("arn:{}:iam::111111111111:role/pods", partition(region));
                let iam = if given {
                    json!({"fargatePodExecutionRoleARN": role, "withOIDC": true})
                } else {
                    json!({})
                };
                let parts = json!({
                    "availabilityZones": zones,
                    "vpc": {"nat": {"gateway": nat}},
                    "iam": iam,
                    "fargateProfiles": [profile()],
                });
                let role = if given { "role-given" } else { "role-made" };
                let name = format!("{count}-zones-{nat}-{role}");
                add_plan(grid, &name, &spec(region, parts));
            }
        }
    }
}

fn add_existing_networks(grid: &mut Grid, region: &str) {
    let subnet = |id: &str, zone: &str| json!({"id": id, "az": format!("{region}{zone}")});
    let private = json!({
        "p1": subnet("subnet-0a1b2c3d4e5f60711", "a"),
        "p2": subnet("subnet-0a1b2c3d4e5f60712", "b"),
    });
    let public = json!({
        "q1": subnet("subnet-0a1b2c3d4e5f60721", "a"),
        "q2": subnet("subnet-0a1b2c3d4e5f60722", "b"),
    });
    for (name, subnets) in [
        ("both", json!({"private": private, "public": public})),
        ("private", json!({"private": private})),
    ] {
        let parts = json!({
            "vpc": {"id": "vpc-0a1b2c3d4e5f60700", "subnets": subnets},
            "fargateProfiles": [profile()],
            "managedNodeGroups": [{"name": "m", "privateNetworking": true}],
            "nodeGroups": [{"name": "s", "privateNetworking": true}],
        });
        add_plan(grid, &format!("existing-{name}"), &spec(region, parts));
    }
}

fn add_settings(grid: &mut Grid, region: &str) {
    let boundary = format!("arn:{}:iam::111111111111:policy/b", partition(region));
    let role = json!({
        "serviceRolePermissionsBoundary": boundary,
        "fargatePodExecutionRolePermissionsBoundary": boundary,
    });
    let parts = json!({
        "iam": role,
        "fargateProfiles": [profile()],
        "cloudWatch": {"clusterLogging": {"enableTypes": ["*"]}},
        "accessConfig": {
            "authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false
        },
        "vpc": {
            "cidr": "10.0.0.0/20",
            "clusterEndpoints": {"publicAccess": true, "privateAccess": true},
            "publicAccessCIDRs": ["203.0.113.0/24", "198.51.100.7/32"]
        },
    });
    let service_role = format!("arn:{}:iam::111111111111:role/cp", partition(region));
    let given = json!({
        "iam": {"serviceRoleARN": service_role},
        "fargateProfiles": [profile()],
    });
    add_plan(grid, "service-role-given", &spec(region, given));
    add_plan(grid, "settings", &spec(region, parts.clone()));
    let spec = spec(region, parts);
    for (name, boundary) in [("bare", None), ("boundary", Some(boundary.as_str()))] {
        let template = template::fargate_role(&spec.name, boundary);
        grid.insert(format!("{region}.{name}.fargate"), template);
    }
}

/// A key of each section that the control plane and the network have settings in.
fn add_control_planes(grid: &mut Grid, region: &str) {
    let partition = partition(region);
    let arn = |service: &str, rest: &str| format!("arn:{partition}:{service}:{rest}");
    let key = arn("kms", &format!("{region}:111111111111:key/0a1b2c3d"));
    let zones = [format!("{region}a"), format!("{region}b")];
    let components = json!({
        "secretsEncryption": {"keyARN": key},
        "upgradePolicy": {"supportType": "STANDARD"},
        "zonalShiftConfig": {"enabled": true},
        "controlPlaneScalingConfig": {"tier": "tier-xl"},
        "kubernetesNetworkConfig": {"serviceIPv4CIDR": "10.100.0.0/16"},
        "kubeAPIServerConfig": {
            "eventTTL": "30m", "serviceNodePortRange": {"minPort": 30000, "maxPort": 32767}
        },
        "kubeSchedulerConfig": {"nodeResourcesFit": {"scoringStrategy": {
            "type": "MostAllocated", "resources": [{"name": "cpu", "weight": 2}]
        }}},
        "kubeControllerManagerConfig": {"horizontalPodAutoscalerControllerConfig": {
            "horizontalPodAutoscalerSyncPeriod": "15s"
        }},
        "vpc": {"controlPlaneEgressMode": "CUSTOMER_ROUTED"},
    });
    add_plan(grid, "components", &spec(region, components));
    let role = arn("iam", ":111111111111:role/nodes");
    for (name, config) in [
        ("auto-mode", json!({"enabled": true})),
        ("auto-mode-bare", json!({"enabled": true, "nodePools": []})),
        (
            "auto-mode-role",
            json!({"enabled": true, "nodeRoleARN": role}),
        ),
    ] {
        add_plan(
            grid,
            name,
            &spec(region, json!({ "autoModeConfig": config })),
        );
    }
    let nodes = json!([{"cidrs": ["10.80.0.0/24", "10.80.1.0/24"]}]);
    let pods = json!([{"cidrs": ["10.81.0.0/16"]}]);
    for (name, gateway) in [
        ("none", None),
        ("tgw", Some("tgw-0a1b2c3d4e5f60718")),
        ("vgw", Some("vgw-0a1b2c3d4e5f60718")),
    ] {
        let mut remote = json!({"remoteNodeNetworks": nodes, "remotePodNetworks": pods});
        if let Some(gateway) = gateway {
            remote["vpcGatewayID"] = json!(gateway);
        }
        let parts = json!({"availabilityZones": zones, "remoteNetworkConfig": remote});
        add_plan(grid, &format!("hybrid-{name}"), &spec(region, parts));
    }
}

/// Networks that are not of the usual form.
fn add_networks(grid: &mut Grid, region: &str) {
    let existing = json!({"private": {
        "a": {"id": "subnet-0a1b2c3d4e5f60711", "az": format!("{region}a")},
        "b": {"id": "subnet-0a1b2c3d4e5f60712", "az": format!("{region}b")},
    }});
    let vpc = "vpc-0a1b2c3d4e5f60700";
    let private = json!({"enabled": true, "additionalEndpointServices": ["logs", "autoscaling", "cloudformation"]});
    let group = "sg-0a1b2c3d4e5f60711";
    for (name, parts) in [
        (
            "private",
            json!({"privateCluster": private, "fargateProfiles": [profile()]}),
        ),
        (
            "private-existing",
            json!({
                "privateCluster": {"enabled": true, "skipEndpointCreation": true},
                "vpc": {"id": vpc, "subnets": existing},
            }),
        ),
        (
            "given-parts",
            json!({"vpc": {
                "id": vpc, "subnets": existing, "securityGroup": group,
                "sharedNodeSecurityGroup": group, "controlPlaneOnPrivateSubnets": true,
            }}),
        ),
        (
            "dual-stack",
            json!({
                "localZones": [format!("{region}-ham-1a")],
                "vpc": {
                    "autoAllocateIPv6": true, "hostnameType": "resource-name",
                    "extraCIDRs": ["172.31.0.0/16"],
                },
            }),
        ),
    ] {
        add_plan(grid, name, &spec(region, parts));
    }
    if partition(region) != "aws-cn" {
        let block = json!({
            "ipv6Cidr": "2001:db8:1234:1a00::/56", "ipv6Pool": "ipv6pool-ec2-0a1b2c3d4e5f60718",
            "extraIPv6CIDRs": ["2001:db8::/32"],
        });
        for (name, vpc) in [("ipv6", json!({})), ("ipv6-block", block)] {
            let parts = json!({
                "vpc": vpc,
                "kubernetesNetworkConfig": {"ipFamily": "IPv6"},
                "addons": [{"name": "coredns"}],
            });
            add_plan(grid, name, &spec(region, parts.clone()));
            let mut parts = parts;
            parts["privateCluster"] = json!({"enabled": true});
            add_plan(grid, &format!("{name}-private"), &spec(region, parts));
        }
    }
}

fn add_nodegroups(grid: &mut Grid, region: &str) {
    for (i, instance) in ["m5.large", "m7g.large", "g4dn.xlarge"].iter().enumerate() {
        for (j, private) in [false, true].into_iter().enumerate() {
            let nodegroup = |name: &str| {
                json!({
                    "name": format!("{name}{i}{j}"), "instanceType": instance, "minSize": 1,
                    "desiredCapacity": 2, "maxSize": 4, "volumeSize": 100,
                    "privateNetworking": private,
                    "labels": {"tier": "web", "example.com/a": "b.c"},
                    "tags": {"team": "nodes"},
                })
            };
            let parts = json!({
                "managedNodeGroups": [nodegroup("managed")], "nodeGroups": [nodegroup("own")]
            });
            let boundary = format!("arn:{}:iam::111111111111:policy/b", partition(region));
            let spec =
                spec(region, parts).with_default_boundary(private.then_some(boundary.as_str()));
            for nodegroup in &spec.nodegroups {
                let facts = ClusterFacts::placeholder();
                let template = template::nodegroup(&spec, nodegroup, &facts);
                grid.insert(format!("{region}.{}.nodegroup", nodegroup.name), template);
            }
        }
    }
}

/// The role of a workload of each kind, with every policy that can be asked for by name.
fn add_roles(grid: &mut Grid, region: &str) {
    let partition = partition(region);
    let boundary = format!("arn:{partition}:iam::111111111111:policy/b");
    let managed = format!("arn:{partition}:iam::aws:policy/ReadOnlyAccess");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": "*"}
    ]});
    let known = json!({
        "imageBuilder": true, "autoScaler": true, "awsLoadBalancerController": true,
        "externalDNS": true, "certManager": true, "ebsCSIController": true,
        "efsCSIController": true
    });
    let parts = json!({
        "iam": {
            "withOIDC": true,
            "serviceAccounts": [
                {"metadata": {"name": "own"}, "attachPolicy": policy,
                 "attachPolicyARNs": [managed], "permissionsBoundary": boundary,
                 "roleName": "own-role"},
                {"metadata": {"name": "known"}, "wellKnownPolicies": known,
                 "subjectPattern": "known-*"},
            ],
            "podIdentityAssociations": [
                {"namespace": "shop", "serviceAccountName": "writer", "permissionPolicy": policy,
                 "permissionPolicyName": "Queues", "wellKnownPolicies": known},
            ],
        },
        "addons": [
            {"name": "eks-pod-identity-agent"},
            {"name": "aws-ebs-csi-driver"},
            {"name": "aws-efs-csi-driver", "podIdentityAssociations": [
                {"namespace": "kube-system", "serviceAccountName": "efs-csi-controller-sa",
                 "permissionPolicyARNs": [managed]}
            ]},
        ],
    });
    let spec = spec(region, parts).with_addon_access(&BTreeMap::new());
    for stack in spec.role_stacks() {
        let template = template::role(&stack, &ClusterFacts::placeholder());
        let kind = stack.name.trim_start_matches("eksctl-grid-");
        grid.insert(format!("{region}.roles.{kind}"), template);
    }
}

/// A capability of each type, and the roles of those that have none.
fn add_capabilities(grid: &mut Grid, region: &str) {
    let partition = partition(region);
    let managed = format!("arn:{partition}:iam::aws:policy/ReadOnlyAccess");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": "*"}
    ]});
    let parts = json!({"capabilities": [
        {"name": "ack", "type": "ACK", "attachPolicyARNs": [managed], "attachPolicy": policy,
         "permissionsBoundary": format!("arn:{partition}:iam::111111111111:policy/b")},
        {"name": "kro", "type": "KRO", "roleArn": format!("arn:{partition}:iam::111111111111:role/kro")},
        {"name": "argo_cd", "type": "ARGOCD", "configuration": {"argocd": {
            "namespace": "gitops",
            "networkAccess": {"vpceIds": ["vpce-0a1b2c3d4e5f60718"]},
            "awsIdc": {
                "idcInstanceArn": format!("arn:{partition}:sso:::instance/ssoins-1234567890abcdef"),
                "idcRegion": region,
            },
            "rbacRoleMappings": [{"role": "ADMIN", "identities": [
                {"id": "38414300-1041-708a-01af-abc123defabc", "type": "SSO_USER"}
            ]}],
        }}},
    ]});
    add_plan(grid, "capabilities", &spec(region, parts));
}

/// Nodes in a local zone, in subnets of either kind.
fn add_local_zones(grid: &mut Grid, region: &str) {
    let zone = format!("{region}-ham-1a");
    let parts = json!({
        "localZones": [zone],
        "nodeGroups": [
            {"name": "local", "localZones": [zone]},
            {"name": "private", "localZones": [zone], "privateNetworking": true},
        ],
    });
    add_plan(grid, "local-zones", &spec(region, parts));
}

/// Every key of nodegroups.
fn add_nodegroup_keys(grid: &mut Grid, region: &str) {
    let text = include_str!("../../src/domain/cluster/rules/every_nodegroup.yaml");
    let mut text = text
        .replace("eu-central-1", region)
        .replace("arn:aws:", &format!("arn:{}:", partition(region)))
        .replace("name: every-nodegroup", "name: grid");
    for (short, whole) in [
        ("sg-1]", "sg-0a1b2c3d4e5f60711]"),
        ("sg-2]", "sg-0a1b2c3d4e5f60712]"),
        ("lt-1,", "lt-0a1b2c3d4e5f60713,"),
        ("ami-1\n", "ami-0a1b2c3d4e5f60714\n"),
        ("snap-1", "snap-0a1b2c3d4e5f60715"),
        ("cr-1}", "cr-0a1b2c3d4e5f60716}"),
    ] {
        assert!(text.contains(short), "{short}");
        text = text.replace(short, whole);
    }
    let config = ClusterConfig::from_yaml(&text, Part::Whole).unwrap();
    let mut spec = ClusterSpec::of(config, false).unwrap();
    for nodegroup in &mut spec.nodegroups {
        if nodegroup.is_selected() {
            nodegroup.instance_types = vec!["m7g.medium".to_owned()];
        }
    }
    add_plan(grid, "every-key", &spec);
}

/// The largest template there is: eight zones, a NAT gateway in each.
fn add_largest(grid: &mut Grid, region: &str) {
    let zones: Vec<String> = ('a'..='h')
        .map(|letter| format!("{region}{letter}"))
        .collect();
    let tags: BTreeMap<String, String> = (0..40)
        .map(|i| (format!("{i:x<128}"), "v".repeat(76)))
        .collect();
    let mut config = json!({
        "metadata": {"name": "c".repeat(100), "region": region, "tags": tags},
        "availabilityZones": zones,
        "vpc": {"nat": {"gateway": "HighlyAvailable"}},
        "fargateProfiles": [profile()],
    });
    let labels: BTreeMap<String, String> = (0..50)
        .map(|i| (format!("{}.example/{i}", "x".repeat(63)), "v".repeat(63)))
        .collect();
    config["nodeGroups"] = json!([{"name": "ng", "labels": labels}]);
    let config = ClusterConfig::from_json(&config.to_string(), Part::Whole).unwrap();
    let boundary = format!("arn:aws:iam::111111111111:policy/{}", "b/".repeat(1_000));
    let spec = ClusterSpec::of(config, false).unwrap();
    let spec = spec.with_default_boundary(Some(&boundary));
    let facts = ClusterFacts {
        certificate_authority: "x".repeat(1500),
        ..ClusterFacts::placeholder()
    };
    let network = NetworkPlan::in_zones(
        "10.0.0.0/16",
        fargate_fleet::domain::cluster::spec::NatMode::HighlyAvailable,
        &zones,
    );
    let plan = ClusterPlan::of(&spec, &network.unwrap(), &facts);
    for (i, stack) in plan.stacks.into_iter().enumerate() {
        grid.insert(format!("{region}.largest.{i}"), stack.template);
    }
}

#[test]
fn the_grid_of_templates_is_written_and_fits_into_requests() {
    let mut grid = Grid::new();
    for region in REGIONS {
        add_own_networks(&mut grid, region);
        add_existing_networks(&mut grid, region);
        add_settings(&mut grid, region);
        add_nodegroups(&mut grid, region);
        add_control_planes(&mut grid, region);
        add_networks(&mut grid, region);
        add_roles(&mut grid, region);
        add_capabilities(&mut grid, region);
        add_local_zones(&mut grid, region);
        add_nodegroup_keys(&mut grid, region);
    }
    add_largest(&mut grid, REGIONS[0]);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("templates");
    if directory.exists() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    std::fs::create_dir_all(&directory).unwrap();
    for (name, template) in &grid {
        let text = template.to_string();
        assert!(text.len() <= MAX_BYTES, "{name} has {} bytes", text.len());
        std::fs::write(directory.join(format!("{name}.json")), text).unwrap();
    }
    // IPv6 is not to be had in one of the regions.
    let ipv6 = 2 * 4;
    assert_eq!(
        grid.len(),
        3 * (4 * 3 * 2 + 4 * 3 + 2 * 3 + 4 + 3 * 2 * 2 + 11 + 6 + 9 + 14) + ipv6 + 2
    );
}
