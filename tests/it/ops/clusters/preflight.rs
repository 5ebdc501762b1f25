//! What is looked up before a cluster is made: refused before anything is touched, or resolved and
//! kept. And add-ons that nobody asked for.

use fargate_fleet::aws::Access;
use fargate_fleet::domain::Warning;
use fargate_fleet::domain::cluster::ClusterSpec;
use fargate_fleet::sim::{ClusterSettings, Fault};
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{NEW, fargate, spec};
use crate::ops::support::{ACCOUNT, Fleet, REGION, fault};

impl Fleet {
    pub async fn warnings_of(&self, job: Uuid) -> Vec<Warning> {
        let warnings = self.queue.column(job, "warnings").await;
        serde_json::from_str(&warnings).unwrap()
    }

    async fn addon_version(&self, name: &str) -> String {
        let clusters = self.caller(Access::ReadClusters, "*").await.clusters();
        let addon = clusters.addon(NEW, name).await.unwrap().unwrap();
        addon.version.unwrap()
    }

    /// Fails, with nothing begun, and says why.
    pub async fn refused_creation(&self, spec: &ClusterSpec) -> String {
        let job = self.create_cluster(spec).await;
        self.run().await;
        self.assert_failed(job, "invalid_parameter").await;
        assert!(self.begun().is_empty(), "{:?}", self.begun());
        self.queue.column(job, "message").await
    }
}

fn denied(action: &str) -> Fault {
    Fault {
        times: Some(1_000),
        status: Some(403),
        code: Some("AccessDeniedException".to_owned()),
        message: Some("User: x is not authorized".to_owned()),
        ..fault(action)
    }
}

fn of(more: &Value) -> ClusterSpec {
    let mut config = json!({"metadata": {"name": NEW, "region": REGION}});
    let members = more.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(members);
    spec(&config, false)
}

fn of_version(version: &str) -> ClusterSpec {
    let metadata = json!({"name": NEW, "region": REGION, "version": version});
    spec(&json!({ "metadata": metadata }), true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_aws_does_not_offer_is_refused_with_what_it_does_before_anything_is_made() {
    let fleet = Fleet::new().await;
    for (version, part) in [("1.29", "no longer supported"), ("1.77", "not offered")] {
        let why = fleet.refused_creation(&of_version(version)).await;
        assert!(why.contains(part), "{why}");
        assert!(
            why.ends_with("choose one of 1.35, 1.34, 1.33, 1.32, 1.31"),
            "{why}"
        );
    }
    for (more, part) in [
        (
            json!({"addons": [{"name": "vpc-cni", "version": "v9"}]}),
            "EKS has no version v9 of add-on vpc-cni for Kubernetes 1.34; it has v1.20.4-eksbuild.1",
        ),
        (
            json!({"addons": [{"name": "kube-proxy", "version": "v1.33.3-eksbuild.9"}]}),
            "EKS has no version v1.33.3-eksbuild.9 of add-on kube-proxy",
        ),
        (
            json!({"addons": [{"name": "nonsense"}]}),
            "EKS has no add-on nonsense for Kubernetes 1.34 here",
        ),
        (
            json!({"nodeGroups": [{"name": "ng", "instanceType": "x9.large"}]}),
            "nodegroup ng: none of the zones eu-central-1a, eu-central-1b, eu-central-1c offers \
             instances of type x9.large",
        ),
        (
            json!({
                "availabilityZones": ["eu-central-1b", "eu-central-1c"],
                "managedNodeGroups": [{"name": "ng", "instanceType": "trn1.2xlarge"}],
            }),
            "/managedNodeGroups: nodegroup ng: none of the zones",
        ),
    ] {
        let why = fleet.refused_creation(&of(&more)).await;
        assert!(why.contains(part), "{why}");
    }
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn latest_and_beginnings_of_versions_are_resolved_and_a_retry_keeps_the_cluster() {
    let fleet = Fleet::new().await;
    let config = json!({
        "metadata": {"name": NEW, "region": REGION, "version": "latest"},
        "addons": [
            {"name": "vpc-cni", "version": "latest"},
            {"name": "coredns", "version": "1.13"},
            {"name": "eks-pod-identity-agent", "version": "v1.3.8"},
        ],
    });
    fleet.sim.add_faults(vec![Fault {
        resource: Some("eks-pod-identity-agent".to_owned()),
        status: Some(400),
        code: Some("InvalidParameterException".to_owned()),
        message: Some("not today".to_owned()),
        ..fault("CreateAddon")
    }]);
    let first = fleet.create_cluster(&spec(&config, true)).await;
    fleet.run().await;
    fleet.assert_failed(first, "invalid_parameter").await;
    let second = fleet.create_cluster(&spec(&config, true)).await;
    fleet.run().await;
    fleet.assert_state(second, "succeeded").await;
    let version = fleet.queue.column(second, "result->'cluster'->>'version'");
    assert_eq!(version.await, "1.35");
    for (name, version) in [
        ("vpc-cni", "v1.20.4-eksbuild.1"),
        ("coredns", "v1.13.2-eksbuild.1"),
        ("eks-pod-identity-agent", "v1.3.8-eksbuild.2"),
        ("kube-proxy", "v1.35.0-eksbuild.2"),
    ] {
        assert_eq!(fleet.addon_version(name).await, version, "{name}");
    }
    let stacks = fleet.begun();
    let stacks = stacks.iter().filter(|call| call.starts_with("CreateStack"));
    assert_eq!(stacks.count(), 1);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lookups_that_the_role_may_not_make_are_warnings_unless_their_answer_is_needed() {
    let fleet = Fleet::new().await;
    let lookups = [
        "DescribeClusterVersions",
        "DescribeAddonVersions",
        "DescribeInstanceTypeOfferings",
    ];
    fleet.sim.add_faults(lookups.map(denied).into());
    let nodes = json!({"managedNodeGroups": [{"name": "ng"}]});
    let job = fleet.create_cluster(&of(&nodes)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let warnings = fleet.warnings_of(job).await;
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for (warning, lookup) in warnings.iter().zip(lookups) {
        assert_eq!(warning.code, "not_checked");
        assert!(warning.message.contains(lookup), "{warning:?}");
    }
    let begun = fleet.begun().len();
    let addons = json!({"addons": [{"name": "vpc-cni", "version": "1.20"}]});
    let unclear = [
        (of_version("latest"), "name a version"),
        (of(&addons), "whole versions"),
    ];
    for (mut spec, advice) in unclear {
        spec.name = fargate_fleet::domain::ClusterName::parse("new-2").unwrap();
        let job = fleet.create_cluster(&spec).await;
        fleet.run().await;
        fleet.assert_failed(job, "aws_access_denied").await;
        let message = fleet.queue.column(job, "message").await;
        assert!(message.contains(advice), "{message}");
    }
    assert_eq!(fleet.begun().len(), begun);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn zones_without_a_nodegroups_instances_are_avoided() {
    let fleet = Fleet::new().await;
    let nodes = json!({"managedNodeGroups": [{"name": "ng", "instanceType": "g5.xlarge"}]});
    let job = fleet.create_cluster(&of(&nodes)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let subnets = fleet
        .queue
        .column(job, "result->'cluster'->'subnetIds'")
        .await;
    let subnets: Vec<String> = serde_json::from_str(&subnets).unwrap();
    let ec2 = fleet.caller(Access::CreateCluster, NEW).await.ec2();
    let found = ec2.subnets(&subnets).await.unwrap();
    let mut zones: Vec<String> = found.into_iter().map(|subnet| subnet.zone).collect();
    zones.sort_unstable();
    zones.dedup();
    assert_eq!(zones, ["eu-central-1a", "eu-central-1b"]);
    assert_eq!(fleet.queue.column(job, "warnings").await, "[]");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_default_add_on_that_aws_refuses_is_a_warning_and_one_that_was_asked_for_a_failure() {
    let fleet = Fleet::new().await;
    let refused = |name: &str| Fault {
        times: Some(1_000),
        resource: Some(name.to_owned()),
        status: Some(400),
        code: Some("InvalidParameterException".to_owned()),
        message: Some(format!("Addon {name} specified is not supported")),
        ..fault("CreateAddon")
    };
    for name in ["metrics-server", "kube-proxy", "coredns"] {
        fleet.sim.clear_faults();
        fleet.sim.add_faults(vec![refused(name)]);
        let mut spec = fargate(NEW);
        spec.name = fargate_fleet::domain::ClusterName::parse(format!("no-{name}")).unwrap();
        let job = fleet.create_cluster(&spec).await;
        fleet.run().await;
        fleet.assert_state(job, "succeeded").await;
        let warnings = fleet.warnings_of(job).await;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0].code, "addon_not_created");
        assert!(warnings[0].message.contains("specified is not supported"));
        assert_eq!(
            fleet.calls_of(job, "CreateAddon"),
            4,
            "each is asked for once"
        );
    }
    fleet.sim.clear_faults();
    fleet.sim.add_faults(vec![refused("metrics-server")]);
    let job = fleet
        .create_cluster(&of(&json!({"addons": [{"name": "metrics-server"}]})))
        .await;
    fleet.run().await;
    fleet.assert_failed(job, "invalid_parameter").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_nodegroup_whose_stack_is_refused_leaves_the_others_followed() {
    let fleet = Fleet::new().await;
    fleet.sim.add_faults(vec![Fault {
        stack: Some("eksctl-new-1-nodegroup-ng-2".to_owned()),
        status: Some(400),
        code: Some("ValidationError".to_owned()),
        message: Some("Template error: not today".to_owned()),
        ..fault("CreateStack")
    }]);
    let nodes =
        json!({"managedNodeGroups": [{"name": "ng-1"}, {"name": "ng-2"}, {"name": "ng-3"}]});
    let job = fleet.create_cluster(&of(&nodes)).await;
    fleet.run().await;
    fleet.assert_state(job, "failed").await;
    let message = fleet.queue.column(job, "message").await;
    assert!(message.contains("not today"), "{message}");
    assert!(
        message.contains("stack eksctl-new-1-nodegroup-ng-1"),
        "{message}"
    );
    let clusters = fleet.caller(Access::ReadClusters, "*").await.clusters();
    let first = clusters.nodegroup(NEW, "ng-1").await.unwrap().unwrap();
    assert_eq!(first.status.as_deref(), Some("ACTIVE"), "it was followed");
    assert!(clusters.nodegroup(NEW, "ng-3").await.unwrap().is_none());
    let again = fleet.create_cluster(&of(&nodes)).await;
    fleet.run().await;
    fleet.assert_state(again, "succeeded").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn settings_that_keep_coredns_off_fargate_are_left_as_they_are() {
    let fleet = Fleet::new().await;
    let config = json!({
        "metadata": {"name": NEW, "region": REGION},
        "addons": [{"name": "coredns", "configurationValues": "computeType: ec2\nreplicaCount: 3"}],
        "managedNodeGroups": [{"name": "ng"}],
        "fargateProfiles": [{"name": "fp", "selectors": [{"namespace": "kube-system"}]}],
    });
    let job = fleet.create_cluster(&spec(&config, false)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let clusters = fleet.caller(Access::ReadClusters, "*").await.clusters();
    let addon = clusters.addon(NEW, "coredns").await.unwrap().unwrap();
    let settings: Value = serde_json::from_str(&addon.configuration_values.unwrap()).unwrap();
    assert_eq!(settings, json!({"computeType": "ec2", "replicaCount": 3}));
    assert_eq!(fleet.calls_of(job, "UpdateAddon"), 0);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_the_add_ons_that_are_named_where_the_defaults_are_disabled() {
    let fleet = Fleet::new().await;
    let config = json!({
        "metadata": {"name": NEW, "region": REGION},
        "addonsConfig": {"disableDefaultAddons": true},
        "addons": [{"name": "coredns", "configurationValues": "replicaCount: 3"}],
    });
    let job = fleet.create_cluster(&spec(&config, true)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let expected = [
        "CreateStack eksctl-new-1-cluster",
        "CreateFargateProfile fp-default",
        "CreateAddon coredns",
    ];
    assert_eq!(fleet.begun(), expected);
    let clusters = fleet.caller(Access::ReadClusters, "*").await.clusters();
    let addon = clusters.addon(NEW, "coredns").await.unwrap().unwrap();
    let settings: Value = serde_json::from_str(&addon.configuration_values.unwrap()).unwrap();
    assert_eq!(
        settings,
        json!({"computeType": "Fargate", "replicaCount": 3})
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_profile_with_health_issues_is_a_warning_of_the_cluster() {
    let fleet = Fleet::new().await;
    fleet.sim.add_faults(vec![Fault {
        times: Some(1_000),
        health: vec![fargate_fleet::sim::HealthIssue {
            code: "PodExecutionRoleAlreadyInUse".to_owned(),
            message: "look at the role".to_owned(),
            resource_ids: vec!["role/x".to_owned()],
        }],
        ..fault("DescribeFargateProfile")
    }]);
    let job = fleet.create_cluster(&fargate(NEW)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let warnings = fleet.warnings_of(job).await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0].code, "profile_health");
    assert!(warnings[0].message.ends_with("look at the role (role/x)"));
    let single = fleet.create("fp-x", "x").await;
    fleet.run().await;
    let warnings = fleet.warnings_of(single).await;
    let codes: Vec<&str> = warnings.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["profile_health"]);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_add_on_that_a_retry_finds_creating_without_a_place_is_waited_out_and_updated() {
    let fleet = Fleet::new().await;
    // As an earlier version of this service left it: CoreDNS before the profiles, not for Fargate.
    fleet.sim.set_cluster(
        ACCOUNT,
        REGION,
        NEW,
        ClusterSettings {
            nodes: Some(false),
            addons: Some(vec![]),
            ..ClusterSettings::default()
        },
    );
    let clusters = fleet.caller(Access::CreateCluster, NEW).await.clusters();
    let new = fargate_fleet::aws::clusters::AddonInput {
        name: "coredns".to_owned(),
        version: None,
        configuration_values: None,
        service_account_role_arn: None,
        pod_identities: Vec::new(),
        namespace: None,
        resolve_conflicts: None,
        tags: std::collections::BTreeMap::new(),
        client_request_token: "by-hand".to_owned(),
    };
    clusters.create_addon(NEW, new).await.unwrap();
    let mut input = crate::ops::support::create_input(Some("fp-dns"), "kube-system");
    input["profile"]["selectors"] = json!([{"namespace": "kube-system"}]);
    let what = (Some("fp-dns"), input);
    let job = fleet
        .submit_to(ACCOUNT, NEW, "create_fargate_profile", what)
        .await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.warnings_of(job).await, []);
    let addon = clusters.addon(NEW, "coredns").await.unwrap().unwrap();
    assert_eq!(addon.status.as_deref(), Some("ACTIVE"));
    let updates = fleet.calls_of(job, "UpdateAddon");
    assert_eq!(updates, 1, "not while it was CREATING");
    fleet.end().await;
}
