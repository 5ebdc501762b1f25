mod capabilities;
mod workloads;

use super::*;
use crate::domain::cluster::ClusterPlan;
use crate::domain::cluster::spec::{
    AuthenticationMode, GivenSubnet, NatMode, NetworkSpec, NodegroupKind,
};
use crate::domain::cluster::template::MAX_BYTES;
use crate::domain::decode::yaml_tree;
use crate::domain::eksctl::Part;
use serde_json::{Value, json};

fn read(config: &Value) -> Result<ClusterConfig, Vec<Invalid>> {
    ClusterConfig::from_json(&config.to_string(), Part::Whole)
}

/// A config with `parts` beside a sound `metadata`.
fn with(parts: Value) -> Value {
    let mut config = json!({"metadata": {"name": "c", "region": "eu-central-1"}});
    let Value::Object(parts) = parts else {
        panic!("{parts}")
    };
    config.as_object_mut().unwrap().extend(parts);
    config
}

fn sound(parts: Value) -> ClusterSpec {
    ClusterSpec::of(read(&with(parts)).unwrap(), false).unwrap()
}

fn told(config: &Value, fargate: bool) -> Vec<Invalid> {
    read(config)
        .and_then(|c| ClusterSpec::of(c, fargate))
        .unwrap_err()
}

/// Where something is wrong.
fn places(parts: Value) -> Vec<String> {
    let told = told(&with(parts), false);
    told.into_iter().map(|invalid| invalid.pointer).collect()
}

fn profile(name: &str) -> Value {
    json!({"name": name, "selectors": [{"namespace": "x"}]})
}

#[test]
fn the_short_form_is_a_cluster_with_the_default_profile() {
    let spec = ClusterSpec::of(read(&with(json!({}))).unwrap(), true).unwrap();
    assert_eq!(spec.version, "1.34");
    assert_eq!(
        spec.network,
        NetworkSpec::Own {
            cidr: "192.168.0.0/16".to_owned(),
            nat: NatMode::Single,
            zones: vec![]
        }
    );
    assert!(spec.endpoint.public && !spec.endpoint.private);
    assert_eq!(spec.access.mode, AuthenticationMode::ApiAndConfigMap);
    assert!(spec.access.creator_admin && spec.makes_role() && spec.coredns_on_fargate());
    let profile = serde_json::to_value(&spec.fargate_profiles).unwrap();
    assert_eq!(
        profile,
        json!([{"name": "fp-default",
                "selectors": [{"namespace": "default"}, {"namespace": "kube-system"}]}])
    );
    let codes: Vec<String> = spec.warnings().into_iter().map(|w| w.code).collect();
    assert_eq!(codes, ["only_the_fleet_can_use_it"]);
}

#[test]
fn the_guides_file_works_as_it_stands() {
    let text = include_str!("../../../../tests/data/fargate-cluster.yaml");
    let config = ClusterConfig::from_yaml(text, Part::Whole).unwrap();
    let spec = ClusterSpec::of(config, false).unwrap();
    assert_eq!(spec.name.as_str(), "fargate-cluster");
    assert_eq!(spec.fargate_profiles.len(), 2);
    let nodegroup = &spec.nodegroups[0];
    assert_eq!(nodegroup.kind, NodegroupKind::SelfManaged);
    assert_eq!(nodegroup.instance_type, "m5.large");
    assert_eq!(
        (nodegroup.desired, nodegroup.min, nodegroup.max),
        (Some(1), 1, 1)
    );
    assert_eq!(nodegroup.volume_gib, 80);
}

#[test]
fn a_spec_travels_as_json() {
    let subnet = |id: &str| json!({"id": id});
    let spec = sound(json!({
        "vpc": {"subnets": {
            "private": {"eu-central-1a": subnet("subnet-1"), "mine": subnet("subnet-2")}
        }},
        "addons": [{"name": "coredns", "configurationValues": "replicaCount: 3"}],
        "fargateProfiles": [profile("p")],
        "managedNodeGroups": [{"name": "m", "privateNetworking": true}]
    }));
    let json = serde_json::to_value(&spec).unwrap();
    assert_eq!(serde_json::from_value::<ClusterSpec>(json).unwrap(), spec);
    let NetworkSpec::Existing { private, .. } = &spec.network else {
        panic!("{:?}", spec.network)
    };
    let zones: Vec<Option<&str>> = private
        .iter()
        .map(|s: &GivenSubnet| s.zone.as_deref())
        .collect();
    assert_eq!(zones, [Some("eu-central-1a"), None]);
    assert_eq!(spec.network.subnet_ids(), ["subnet-1", "subnet-2"]);
    assert_eq!(
        spec.addons[2].configuration,
        Some(json!({"replicaCount": 3}))
    );
}

#[test]
fn every_key_that_is_known_can_be_used() {
    let text = include_str!("every_key.yaml");
    let config = ClusterConfig::from_yaml(text, Part::Whole).unwrap();
    let spec = ClusterSpec::of(config, false).unwrap();
    assert_eq!(spec.logging.types.len(), 5);
    assert_eq!(spec.nodegroups.len(), 2);
    assert_eq!(spec.nodegroups[1].labels["node.kubernetes.io/tier"], "web");
    assert!(spec.with_oidc && !spec.makes_role());
    assert_eq!(spec.role_stacks().len(), 8);
    assert_eq!(spec.capabilities.len(), 3);
    assert_eq!(spec.logging.retention_days, Some(1096));
    let role = RoleArn::parse("arn:aws:iam::111111111111:role/other").unwrap();
    assert_eq!(spec.clone().with_default_role(Some(role)), spec);
}

/// Something wrong in every part.
fn all_wrong() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Cluster",
        "metadata": {
            "name": "a_b", "region": "Mars", "version": "1.3",
            "tags": {"aws:x": "", "alpha.eksctl.io/cluster-name": "y"}
        },
        "iam": {
            "fargatePodExecutionRoleARN": "pods",
            "fargatePodExecutionRolePermissionsBoundary": "boundary"
        },
        "vpc": {
            "cidr": "10.0.0.0/8", "id": "vpc-1", "nat": {"gateway": "Many"},
            "clusterEndpoints": {"publicAccess": false},
            "publicAccessCIDRs": ["10.0.0.1/8"]
        },
        "availabilityZones": ["x"],
        "cloudWatch": {"clusterLogging": {"enableTypes": ["etcd"]}},
        "accessConfig": {"authenticationMode": "NONE"},
        "addons": [{
            "name": "A", "version": "newest", "configurationValues": "[]",
            "resolveConflicts": "preserve", "serviceAccountRoleARN": "r"
        }],
        "fargateProfiles": [{"name": "eks-x", "selectors": [{"namespace": "x"}]}],
        "nodeGroups": [{
            "name": "-", "instanceType": "big", "desiredCapacity": 5, "minSize": 6, "maxSize": 4,
            "volumeSize": 8, "labels": {"kubernetes.io/role": "x", "a b": "c d"}
        }]
    })
}

#[test]
fn errors_of_all_parts_are_told_at_once() {
    let pointers: Vec<String> = told(&all_wrong(), false)
        .into_iter()
        .map(|w| w.pointer)
        .collect();
    assert_eq!(
        pointers,
        [
            "/apiVersion",
            "/kind",
            "/metadata/name",
            "/metadata/region",
            "/metadata/version",
            "/metadata/tags/aws:x",
            "/metadata/tags/alpha.eksctl.io~1cluster-name",
            "/iam/fargatePodExecutionRoleARN",
            "/iam/fargatePodExecutionRolePermissionsBoundary",
            "/vpc/clusterEndpoints",
            "/vpc/publicAccessCIDRs/0",
            "/vpc/publicAccessCIDRs",
            "/vpc/nat/gateway",
            "/vpc/cidr",
            "/vpc/id",
            "/availabilityZones",
            "/cloudWatch/clusterLogging/enableTypes/0",
            "/accessConfig/authenticationMode",
            "/addons/0/name",
            "/addons/0/version",
            "/addons/0/serviceAccountRoleARN",
            "/addons/0/resolveConflicts",
            "/addons/0/configurationValues",
            "/fargateProfiles/0/name",
            "/nodeGroups/0/name",
            "/nodeGroups/0/minSize",
            "/nodeGroups/0/instanceType",
            "/nodeGroups/0/volumeSize",
            "/nodeGroups/0/labels/a b",
            "/nodeGroups/0/labels/a b",
            "/nodeGroups/0/labels/kubernetes.io~1role",
        ]
    );
}

#[test]
fn keys_of_eksctl_that_are_not_acted_on_are_refused_by_name() {
    let config = with(json!({
        "outpost": {},
        "accessConfig": {"accessEntries": [{"principal": "x"}]},
        "nodeGroups": [{"name": "a", "outpostARN": "arn:aws:outposts:x"}]
    }));
    let wrong = read(&config).unwrap_err();
    let pointers: Vec<&str> = wrong.iter().map(|w| w.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/accessConfig/accessEntries/0/principal",
            "/nodeGroups/0/outpostARN",
            "/outpost"
        ]
    );
    assert!(
        wrong[2]
            .message
            .starts_with("\"outpost\" is not supported here")
    );
}

#[test]
fn a_value_of_another_type_is_pointed_at() {
    let wrong = ClusterConfig::from_yaml(
        "metadata: {name: c, region: eu-central-1, version: 1.30}\nvpc:\niam: {}\n",
        Part::Whole,
    );
    let wrong = wrong.unwrap_err();
    assert_eq!(wrong[0].pointer, "/metadata/version");
    assert_eq!(
        wrong[0].message,
        "1.30 without quotes is the number 1.3: put it in quotes, \"1.30\" (line 1, column 43)"
    );
    assert_eq!(read(&json!({})).unwrap_err()[0].pointer, "/metadata");
    let negative = with(json!({"nodeGroups": [{"name": "a", "minSize": -1}]}));
    assert_eq!(
        read(&negative).unwrap_err()[0].pointer,
        "/nodeGroups/0/minSize"
    );
}

#[test]
fn fargate_brings_the_default_profile_or_none() {
    let config = with(json!({"fargateProfiles": [profile("p")]}));
    let wrong = told(&config, true);
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0].pointer, "/fargateProfiles");
    assert!(sound(json!({})).fargate_profiles.is_empty());
    let codes: Vec<String> = sound(json!({}))
        .warnings()
        .into_iter()
        .map(|w| w.code)
        .collect();
    assert_eq!(codes, ["only_the_fleet_can_use_it", "nothing_to_run_on"]);
}

#[test]
fn subnets_that_exist_must_serve_all_that_is_asked_for() {
    let subnet = |id: &str| json!({"id": id});
    let two = json!({"eu-central-1a": subnet("subnet-1"), "eu-central-1b": subnet("subnet-2")});
    let public = json!({"subnets": {"public": two}});
    assert_eq!(
        places(json!({
            "vpc": public,
            "fargateProfiles": [profile("p")],
            "nodeGroups": [{"name": "a", "privateNetworking": true}]
        })),
        ["/vpc/subnets/private", "/vpc/subnets/private"]
    );
    let private = json!({"subnets": {"private": two}});
    assert_eq!(
        places(json!({"vpc": private, "managedNodeGroups": [{"name": "a"}]})),
        ["/vpc/subnets/public"]
    );
    assert_eq!(
        places(json!({
            "vpc": {
                "nat": {"gateway": "Single"}, "cidr": "10.0.0.0/16",
                "subnets": {"private": {
                    "eu-central-1a": {"id": "subnet-1", "cidr": "10.1.0.0/24"},
                    "b": {"id": "subnet-1", "az": "us-east-1a", "cidr": "x"}
                }}
            },
            "availabilityZones": ["eu-central-1a", "eu-central-1b"]
        })),
        [
            "/vpc/nat/gateway",
            "/availabilityZones",
            "/vpc/subnets/private/b/cidr",
            "/vpc/subnets/private/b/az",
            "/vpc/subnets/private/eu-central-1a/id",
            "/vpc/subnets",
        ]
    );
    let one_zone = json!({
        "a": {"id": "subnet-1", "az": "eu-central-1a"},
        "eu-central-1a": subnet("subnet-2")
    });
    assert_eq!(
        places(json!({"vpc": {"subnets": {"private": one_zone}}})),
        ["/vpc/subnets"]
    );
}

#[test]
fn what_a_network_of_its_own_can_not_have_is_refused() {
    let mut with_subnets = profile("p");
    with_subnets["subnets"] = json!(["subnet-1"]);
    assert_eq!(
        places(json!({"fargateProfiles": [with_subnets]})),
        ["/fargateProfiles/0/subnets"]
    );
    assert_eq!(
        places(json!({"availabilityZones": ["eu-central-1a", "eu-central-1a", "eu-west-1b"]})),
        ["/availabilityZones/1", "/availabilityZones/2"]
    );
    assert_eq!(
        places(json!({"availabilityZones": ["eu-central-1a"]})),
        ["/availabilityZones"]
    );
}

#[test]
fn the_config_map_alone_suits_managed_nodes_only() {
    let access = |extra: Value| {
        let mut config = json!({"accessConfig": {"authenticationMode": "CONFIG_MAP"}});
        config
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        config
    };
    assert_eq!(
        places(access(json!({"nodeGroups": [{"name": "a"}]}))),
        ["/accessConfig/authenticationMode"]
    );
    assert!(
        sound(access(json!({"managedNodeGroups": [{"name": "a"}]})))
            .access
            .creator_admin
    );
    let nobody = json!({"accessConfig": {
        "authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": false
    }});
    assert_eq!(
        places(nobody),
        ["/accessConfig/bootstrapClusterCreatorAdminPermissions"]
    );
}

#[test]
fn sizes_of_nodegroups_fill_each_other_in() {
    let sizes = |nodegroup: Value| {
        let mut nodegroup = nodegroup;
        nodegroup["name"] = json!("a");
        let spec = sound(json!({"nodeGroups": [nodegroup]}));
        let nodegroup = &spec.nodegroups[0];
        (nodegroup.desired, nodegroup.min, nodegroup.max)
    };
    assert_eq!(sizes(json!({})), (None, 2, 2));
    assert_eq!(sizes(json!({"desiredCapacity": 3})), (Some(3), 3, 3));
    assert_eq!(sizes(json!({"desiredCapacity": 0})), (Some(0), 0, 1));
    assert_eq!(sizes(json!({"minSize": 5})), (None, 5, 5));
    assert_eq!(sizes(json!({"maxSize": 1})), (None, 1, 1));
    assert_eq!(
        sizes(json!({"desiredCapacity": 2, "minSize": 1, "maxSize": 4})),
        (Some(2), 1, 4)
    );
    let wrong =
        json!({"nodeGroups": [{"name": "a", "desiredCapacity": 9, "minSize": 1, "maxSize": 4}]});
    assert_eq!(places(wrong), ["/nodeGroups/0/desiredCapacity"]);
}

#[test]
fn names_of_nodegroups_occur_once_and_fit_into_their_stacks() {
    assert_eq!(
        places(json!({"nodeGroups": [{"name": "a"}], "managedNodeGroups": [{"name": "a"}]})),
        ["/managedNodeGroups/0/name"]
    );
    let long = json!({
        "metadata": {"name": "c".repeat(100), "region": "eu-central-1"},
        "nodeGroups": [{"name": "ten-letter"}, {"name": "more-than-ten"}]
    });
    let wrong = told(&long, false);
    assert_eq!(wrong[0].pointer, "/nodeGroups/1/name");
    assert!(wrong[0].message.contains("longer than the 128 characters"));
    assert_eq!(wrong.len(), 1);
}

#[test]
fn everything_is_bounded() {
    let many =
        |n: usize| -> Vec<Value> { (0..n).map(|i| json!({"name": format!("a{i}")})).collect() };
    assert_eq!(places(json!({"nodeGroups": many(51)})), ["/nodeGroups"]);
    assert_eq!(places(json!({"addons": many(51)})), ["/addons"]);
    let tags: serde_json::Map<_, _> = (0..41).map(|i| (format!("k{i}"), json!("v"))).collect();
    let config = json!({"metadata": {"name": "c", "region": "eu-central-1", "tags": tags}});
    assert_eq!(told(&config, false)[0].pointer, "/metadata/tags");
    let long = |letter: char, count: usize| -> Value {
        let pair = |i| (format!("{letter}{i}"), json!("v".repeat(250)));
        (0..count)
            .map(pair)
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let config = json!({
        "metadata": {"name": "c", "region": "eu-central-1", "tags": long('a', 20)},
        "nodeGroups": [
            {"name": "a", "tags": long('b', 20)},
            {"name": "b", "tags": long('a', 20)},
            {"name": "c", "tags": long('b', 35)}
        ]
    });
    let wrong: Vec<String> = told(&config, false)
        .into_iter()
        .map(|w| w.pointer)
        .collect();
    assert_eq!(
        wrong,
        [
            "/nodeGroups/0/tags",
            "/nodeGroups/2/tags",
            "/nodeGroups/2/tags"
        ]
    );
    let zones: Vec<String> = (b'a'..=b'i')
        .map(|c| format!("eu-central-1{}", char::from(c)))
        .collect();
    assert_eq!(
        places(json!({"availabilityZones": zones})),
        ["/availabilityZones"]
    );
    let nodes = json!({"nodeGroups": [{"name": "a", "maxSize": 1001}]});
    assert_eq!(places(nodes), ["/nodeGroups/0/maxSize"]);
    let values = "a: ".to_owned() + &"x".repeat(17_000);
    let addon = json!({"addons": [{"name": "coredns", "configurationValues": values}]});
    assert_eq!(places(addon), ["/addons/0/configurationValues"]);
}

#[test]
fn what_is_likely_not_meant_is_a_warning() {
    let codes = |parts: Value| -> Vec<String> {
        let told = sound(parts).warnings().into_iter().map(|w| w.code);
        told.filter(|code| code != "only_the_fleet_can_use_it")
            .collect()
    };
    let profiles = json!([profile("a"), profile("b")]);
    assert_eq!(
        codes(json!({
            "fargateProfiles": profiles,
            "vpc": {
                "nat": {"gateway": "Disable"},
                "clusterEndpoints": {"publicAccess": false, "privateAccess": true}
            },
            "accessConfig": {"bootstrapClusterCreatorAdminPermissions": false}
        })),
        [
            "no_nat_gateway",
            "private_endpoint",
            "no_creator_admin",
            "profile_unreachable"
        ]
    );
    assert_eq!(
        codes(json!({
            "fargateProfiles": [profile("a")],
            "vpc": {"publicAccessCIDRs": ["203.0.113.0/24"]}
        })),
        ["endpoint_unreachable"]
    );
}

#[test]
fn the_example_of_the_document_is_sound() {
    let schema = <ClusterConfig as utoipa::PartialSchema>::schema();
    let example = serde_json::to_value(schema).unwrap()["examples"][0].clone();
    assert!(ClusterSpec::of(read(&example).unwrap(), false).is_ok());
}

/// `CloudFormation` looks up what stands in double braces, with the rights of the fleet's role.
#[test]
fn nothing_of_a_callers_makes_cloudformation_look_up_secrets() {
    let braces = "{{resolve:secretsmanager:x}}";
    let config = json!({
        "metadata": {"name": "c", "region": "eu-central-1", "tags": {"a": braces, "b": "ü 1"}},
        "iam": {
            "fargatePodExecutionRoleARN": format!("arn:aws:iam::111111111111:role/{braces}/pods"),
            "fargatePodExecutionRolePermissionsBoundary":
                format!("arn:aws:iam::111111111111:policy/{braces}")
        },
        "vpc": {"id": format!("vpc-{braces}"), "subnets": {"private": {
            "eu-central-1a": {"id": format!("subnet-{braces}")}, "eu-central-1b": {"id": "subnet-2"}
        }}},
        "nodeGroups": [{
            "name": braces, "instanceType": format!("m5.{braces}"), "privateNetworking": true,
            "labels": {"a": braces}, "tags": {"a": braces}
        }]
    });
    let pointers: Vec<String> = told(&config, false)
        .into_iter()
        .map(|w| w.pointer)
        .collect();
    assert_eq!(
        pointers,
        [
            "/metadata/tags/a",
            "/iam/fargatePodExecutionRoleARN",
            "/iam/fargatePodExecutionRolePermissionsBoundary",
            "/vpc/id",
            "/vpc/subnets/private/eu-central-1a/id",
            "/nodeGroups/0/name",
            "/nodeGroups/0/instanceType",
            "/nodeGroups/0/labels/a",
            "/nodeGroups/0/tags/a",
        ]
    );
}

/// The places of all values of a document, objects and lists included.
fn all_places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                let key = crate::domain::invalid::pointer_token(key);
                all_places(inner, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(elements) => {
            for (i, inner) in elements.iter().enumerate() {
                all_places(inner, &format!("{at}/{i}"), found);
            }
        }
        _ => {}
    }
}

/// Puts something odd in each place of a config that uses every key: it is refused at a place that
/// is there, or it still gives templates that can be sent.
#[test]
fn whatever_stands_anywhere_is_refused_at_its_place_or_works() {
    let (refused, taken) = odd_values_in(include_str!("every_key.yaml"));
    assert!(refused > 700 && taken > 50, "{refused} {taken}");
    let (refused, taken) = odd_values_in(include_str!("every_nodegroup.yaml"));
    assert!(refused > 2_000 && taken > 200, "{refused} {taken}");
    for settings in [
        include_str!("settings_ipv4.yaml"),
        include_str!("settings_ipv6.yaml"),
    ] {
        let (refused, taken) = odd_values_in(settings);
        assert!(refused > 200 && taken > 10, "{refused} {taken}");
    }
}

/// How many odd values were refused, and how many taken.
fn odd_values_in(sound: &str) -> (usize, usize) {
    let sound = &yaml_tree(sound).unwrap();
    ClusterSpec::of(read(sound).unwrap(), false).unwrap();
    let mut places = Vec::new();
    all_places(sound, "", &mut places);
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(4_294_967_296_u64),
        json!(1.5),
        json!(""),
        json!(" "),
        json!("é/~\u{7f}"),
        json!("x".repeat(300)),
        json!("10.0.0.0/33"),
        json!("{{resolve:ssm:x}}"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"é/~": "x"}),
    ];
    let (mut refused, mut taken) = (0, 0);
    for place in &places {
        for value in &odd {
            let mut config = sound.clone();
            *config.pointer_mut(place).unwrap() = value.clone();
            match read(&config).and_then(|config| ClusterSpec::of(config, false)) {
                Ok(spec) => {
                    taken += 1;
                    for stack in ClusterPlan::assumed(&spec).unwrap().stacks {
                        let text = stack.template.to_string();
                        assert!(text.len() <= MAX_BYTES, "{place} {value}");
                        assert!(!text.contains("{{resolve:ssm:x"), "{place} {value}");
                    }
                }
                Err(wrong) => {
                    refused += 1;
                    assert!(!wrong.is_empty(), "{place} {value}");
                    for invalid in wrong {
                        let parent = invalid.pointer.rsplit_once('/').map_or("", |(at, _)| at);
                        let there = config.pointer(&invalid.pointer).or(config.pointer(parent));
                        assert!(there.is_some(), "{place} {value}: {invalid}");
                        assert!(invalid.message.len() < 1000, "{invalid}");
                    }
                }
            }
        }
    }
    assert_eq!(refused + taken, places.len() * odd.len());
    (refused, taken)
}

const ADMINS: &str = "arn:aws:iam::111111111111:role/platform-admins";

#[test]
fn access_entries_are_taken_with_all_their_fields_and_each_principal_once() {
    let entry = |principal: &str| json!({"principalARN": principal, "kubernetesGroups": ["a"]});
    let access = |parts: Value| json!({"accessConfig": parts});
    let spec = sound(access(json!({"accessEntries": [entry(ADMINS)]})));
    assert_eq!(spec.access.entries[0].principal_arn.as_str(), ADMINS);
    assert!(
        spec.warnings()
            .iter()
            .all(|w| w.code != "only_the_fleet_can_use_it")
    );
    let twice = json!({"accessEntries": [entry(ADMINS), entry(ADMINS)]});
    assert_eq!(
        places(access(twice)),
        ["/accessConfig/accessEntries/1/principalARN"]
    );
    let by_map = json!({"accessEntries": [entry(ADMINS)], "authenticationMode": "CONFIG_MAP"});
    assert_eq!(places(access(by_map)), ["/accessConfig/authenticationMode"]);
    let wrong = json!({"accessEntries": [{"type": "NODE"}, entry("me")]});
    assert_eq!(
        places(access(wrong)),
        [
            "/accessConfig/accessEntries/0/principalARN",
            "/accessConfig/accessEntries/0/type",
            "/accessConfig/accessEntries/1/principalARN"
        ]
    );
    let many: Vec<Value> = (0..101).map(|i| entry(&format!("{ADMINS}{i}"))).collect();
    assert_eq!(
        places(access(json!({"accessEntries": many}))),
        ["/accessConfig/accessEntries"]
    );
}

#[test]
fn an_older_versions_cluster_is_written_as_that_version_wrote_it() {
    let spec = serde_json::to_value(sound(json!({"nodeGroups": [{"name": "n"}]}))).unwrap();
    assert_eq!(
        spec["access"],
        json!({"mode": "API_AND_CONFIG_MAP", "creatorAdmin": true})
    );
    let settings = ["vpc", "private", "controlPlane"];
    for absent in ["serviceRole", "serviceRolePermissionsBoundary"]
        .into_iter()
        .chain(settings)
    {
        assert_eq!(spec.get(absent), None, "{absent}");
    }
    assert_eq!(spec["nodegroups"][0].get("rolePermissionsBoundary"), None);
}

#[test]
fn an_account_gives_admins_and_a_boundary_where_the_config_has_none() {
    let admin = |arn: &str| crate::domain::PrincipalArn::parse(arn).unwrap();
    let own = "arn:aws:iam::111111111111:policy/own";
    let spec = sound(json!({
        "accessConfig": {"accessEntries": [{"principalARN": ADMINS, "kubernetesGroups": ["a"]}]},
        "iam": {"serviceRolePermissionsBoundary": own},
        "fargateProfiles": [profile("p")],
        "managedNodeGroups": [{"name": "m"}],
    }));
    let other = "arn:aws:iam::222222222222:user/x";
    let spec = spec.with_cluster_admins(vec![admin(ADMINS), admin(other)]);
    let entries = &spec.access.entries;
    assert_eq!(entries.len(), 2);
    assert!(!entries[0].is_cluster_admin() && entries[1].is_cluster_admin());
    let boundary = "arn:aws:iam::111111111111:policy/boundary";
    let spec = spec.with_default_boundary(Some(boundary));
    assert_eq!(spec.service_role_permissions_boundary.as_deref(), Some(own));
    assert_eq!(spec.role_permissions_boundary.as_deref(), Some(boundary));
    let of_nodes = spec.nodegroups[0].role_permissions_boundary.as_deref();
    assert_eq!(of_nodes, Some(boundary));
    let given = sound(json!({"iam": {
        "serviceRoleARN": "arn:aws:iam::111111111111:role/control-plane",
        "fargatePodExecutionRoleARN": "arn:aws:iam::111111111111:role/pods"
    }}));
    let bounded = given.clone().with_default_boundary(Some(boundary));
    assert_eq!(bounded, given, "no role is created");
    let by_map = sound(json!({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}));
    let with = by_map.clone().with_cluster_admins(vec![admin(ADMINS)]);
    assert_eq!(with, by_map);
}
