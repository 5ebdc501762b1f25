//! The policies that `docs/accounts.md` asks for, held in both directions: every operation works under
//! a role that has them and nothing else, and nothing in them is there for nobody.
//!
//! A new operation gets a line in [`EVERYTHING`], or becomes part of one.

use std::pin::Pin;

use fargate_fleet::domain::job_input::DeleteClusterInput;
use fargate_fleet::sim::{AccountSettings, CheckedRight, Fault, InterfaceSpec, RoleSpec};
use serde_json::{Value, json};

use super::access_entries::{ADMINS, admins};
use super::clusters::capabilities::with_capabilities;
use super::clusters::nodegroups::every_kind;
use super::clusters::support::{NEW, full, spec};
use super::clusters::workloads::workloads;
use super::support::{ACCOUNT, Fleet, REGION, create_input, fault, roleless_input, settings};

/// Each runs its jobs to their end, and asserts that they ended well.
type Operation = for<'a> fn(&'a Fleet) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

const EVERYTHING: &[(&str, Operation)] = &[
    ("a profile with the account's role", |fleet| {
        Box::pin(profile(fleet))
    }),
    ("tags of a profile that is there", |fleet| {
        Box::pin(tags(fleet))
    }),
    ("reads", |fleet| Box::pin(reads(fleet))),
    ("a profile with a role of its stack", |fleet| {
        Box::pin(role_stack(fleet))
    }),
    ("CoreDNS onto Fargate", |fleet| Box::pin(coredns(fleet))),
    ("access entries", |fleet| Box::pin(access_entries(fleet))),
    ("a cluster with a given role", |fleet| {
        Box::pin(given_role(fleet))
    }),
    ("a cluster of everything", |fleet| Box::pin(cluster(fleet))),
    ("clusters with settings of their own", |fleet| {
        Box::pin(settings_of_clusters(fleet))
    }),
    ("a cluster with nodegroups of every kind", |fleet| {
        Box::pin(nodegroups(fleet))
    }),
    ("a cluster whose workloads act under roles", |fleet| {
        Box::pin(roles_of_workloads(fleet))
    }),
    ("a cluster with capabilities and logs", |fleet| {
        Box::pin(capabilities(fleet))
    }),
];

/// The policies of the page, as the account's administrator would take them over.
fn documented() -> Vec<Value> {
    let page = include_str!("../../../docs/accounts.md");
    let blocks = page.split("```json\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let policies: Vec<Value> = blocks
        .map(|block| serde_json::from_str(block).unwrap())
        .filter(|policy: &Value| policy.pointer("/Statement/0/Sid").is_some())
        .collect();
    assert_eq!(policies.len(), 2, "the role's own, and that for clusters");
    policies
}

fn under(policies: &[Value]) -> AccountSettings {
    AccountSettings {
        role_policy: Some(json!(policies)),
        ..settings(false)
    }
}

async fn profile(fleet: &Fleet) {
    let created = fleet.create("fp-right", "right").await;
    fleet.run().await;
    fleet.assert_state(created, "succeeded").await;
    let deleted = fleet.delete("fp-right", true).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
}

async fn tags(fleet: &Fleet) {
    fleet.put("fp-tagged", "tagged", "ACTIVE");
    let mut input = create_input(Some("fp-tagged"), "tagged");
    input["profile"]["tags"] = json!({"cost-center": "2"});
    let kind = "create_fargate_profile";
    let tagged = fleet.submit(kind, Some("fp-tagged"), input).await;
    fleet.run().await;
    fleet.assert_state(tagged, "succeeded").await;
    assert_eq!(fleet.calls("TagResource", Some(200)), 1);
}

async fn reads(fleet: &Fleet) {
    fleet.put("fp-there", "there", "ACTIVE");
    let jobs = [
        fleet.get("fp-there").await,
        fleet.list().await,
        fleet.get_cluster("prod-1").await,
        fleet.list_clusters().await,
    ];
    fleet.run().await;
    for job in jobs {
        fleet.assert_state(job, "succeeded").await;
    }
}

async fn role_stack(fleet: &Fleet) {
    let input = roleless_input("fp-roleless", "roleless");
    let kind = "create_fargate_profile";
    let created = fleet.submit(kind, Some("fp-roleless"), input).await;
    fleet.run().await;
    fleet.assert_state(created, "succeeded").await;
    let deleted = fleet.delete("fp-roleless", true).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
}

async fn coredns(fleet: &Fleet) {
    let created = fleet.create("fp-system", "kube-system").await;
    fleet.run().await;
    fleet.assert_state(created, "succeeded").await;
    assert_eq!(fleet.calls("UpdateAddon", Some(200)), 1);
}

async fn access_entries(fleet: &Fleet) {
    let put = fleet.put_entry(&admins()).await;
    fleet.run().await;
    fleet.assert_state(put, "succeeded").await;
    let deleted = fleet.delete_entry(ADMINS).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
}

async fn given_role(fleet: &Fleet) {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/eks-cluster-service");
    let services = vec!["eks.amazonaws.com".to_owned()];
    let service_role = RoleSpec {
        services,
        ..RoleSpec::default()
    };
    fleet
        .sim
        .put_role(ACCOUNT, "eks-cluster-service", service_role);
    let config = json!({
        "metadata": {"name": "given-1", "region": REGION},
        "iam": {"serviceRoleARN": role},
        "accessConfig": {"accessEntries": [admins()]},
        "fargateProfiles": [{"name": "fp-a", "selectors": [{"namespace": "a"}]}],
    });
    fleet.have_cluster(&spec(&config, false)).await;
    let deleted = fleet.delete_cluster("given-1", false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
}

async fn cluster(fleet: &Fleet) {
    fleet.have_cluster(&full(NEW)).await;
    let read = fleet.get_cluster(NEW).await;
    fleet.run().await;
    fleet.assert_state(read, "succeeded").await;
    // What the CNI forgets is in the network's way.
    let leaked = InterfaceSpec {
        cluster: Some(NEW.to_owned()),
        description: "aws-K8S-i-0123456789abcdef0".to_owned(),
        tags: [("cluster.k8s.amazonaws.com/name".to_owned(), NEW.to_owned())].into(),
        ..InterfaceSpec::default()
    };
    fleet
        .sim
        .put_interface(ACCOUNT, REGION, "eni-0123456789abcdef0", leaked);
    let plan = fleet
        .deletion_plan(NEW, DeleteClusterInput::default())
        .await;
    assert_eq!(plan.obstacles, []);
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
}

/// A private cluster with a key for its Secrets, and hybrid nodes behind gateways of both kinds.
async fn settings_of_clusters(fleet: &Fleet) {
    let key = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d");
    let remote = |gateway: &str| {
        let nodes = json!([{"cidrs": ["10.80.0.0/24"]}]);
        json!({"remoteNetworkConfig": {"vpcGatewayID": gateway, "remoteNodeNetworks": nodes}})
    };
    for mut parts in [
        json!({
            "privateCluster": {"enabled": true},
            "secretsEncryption": {"keyARN": key},
            "vpc": {"autoAllocateIPv6": true},
        }),
        remote("tgw-0a1b2c3d"),
        remote("vgw-0a1b2c3d"),
    ] {
        parts["metadata"] = json!({"name": "set", "region": REGION});
        let made = fleet.create_cluster(&spec(&parts, true)).await;
        fleet.run().await;
        fleet.assert_state(made, "succeeded").await;
        let deleted = fleet.delete_cluster("set", false).await;
        fleet.run().await;
        fleet.assert_state(deleted, "succeeded").await;
    }
}

async fn nodegroups(fleet: &Fleet) {
    fleet.have_cluster(&every_kind()).await;
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
}

async fn roles_of_workloads(fleet: &Fleet) {
    fleet.have_cluster(&workloads(NEW)).await;
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
}

/// One that a stack makes, and one that was made without one.
async fn capabilities(fleet: &Fleet) {
    fleet.have_cluster(&with_capabilities(NEW)).await;
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
}

/// `*` is any number of any characters, as in IAM.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    text.strip_prefix(head).is_some_and(|tail| {
        (0..=tail.len())
            .filter(|at| tail.is_char_boundary(*at))
            .any(|at| matches(rest, &tail[at..]))
    })
}

fn texts(value: &Value) -> Vec<&str> {
    let one = std::slice::from_ref(value);
    let all = value.as_array().map_or(one, Vec::as_slice);
    all.iter().map(|text| text.as_str().unwrap()).collect()
}

/// What stands in the policies, and no check ever came to.
fn unused(policies: &[Value], checked: &[CheckedRight]) -> (usize, Vec<String>) {
    let statements = policies
        .iter()
        .flat_map(|policy| policy["Statement"].as_array().unwrap());
    let (mut patterns, mut unused) = (0, Vec::new());
    for statement in statements {
        let (actions, resources) = (texts(&statement["Action"]), texts(&statement["Resource"]));
        let sid = statement["Sid"].as_str().unwrap();
        let any = |actions: &[&str], resources: &[&str]| {
            checked.iter().any(|right| {
                right.allowed
                    && actions.iter().any(|one| matches(one, &right.action))
                    && resources.iter().any(|one| matches(one, &right.resource))
            })
        };
        for action in &actions {
            patterns += 1;
            if !any(&[action], &resources) {
                unused.push(format!("{sid}: {action}"));
            }
        }
        for resource in &resources {
            patterns += 1;
            if !any(&actions, &[resource]) {
                unused.push(format!("{sid}: {resource}"));
            }
        }
    }
    (patterns, unused)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_works_under_the_documented_policies_and_uses_all_of_them() {
    let fleet = Fleet::new().await;
    let policies = documented();
    fleet.sim.set_account(ACCOUNT, under(&policies));
    for (name, operation) in EVERYTHING {
        operation(&fleet).await;
        let checked = fleet.sim.checked_rights(ACCOUNT);
        let refused: Vec<_> = checked.iter().filter(|right| !right.allowed).collect();
        assert!(refused.is_empty(), "{name}: {refused:#?}");
    }
    let checked = fleet.sim.checked_rights(ACCOUNT);
    let (patterns, unused) = unused(&policies, &checked);
    println!(
        "{} rights checked, {patterns} patterns documented",
        checked.len()
    );
    assert_eq!(unused, Vec::<String>::new(), "what nobody asked for");
    assert!(
        checked.len() > 200 && patterns > 60,
        "{} rights, {patterns} patterns",
        checked.len()
    );
    fleet.end().await;
}

/// Denies one action, beside a policy that allows all.
fn without(action: &str) -> AccountSettings {
    under(&[
        json!({"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}),
        json!({"Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]}),
    ])
}

/// A right that EKS uses for the caller, and what AWS says without it.
const FORWARDED: [(&str, &str); 6] = [
    (
        "eks:CreateFargateProfile",
        "with an explicit deny in an identity-based policy",
    ),
    (
        "iam:PassRole",
        "with an explicit deny in an identity-based policy",
    ),
    (
        "iam:GetRole",
        "due to missing permissions for 'iam:GetRole'",
    ),
    (
        "iam:CreateServiceLinkedRole",
        "AWSServiceRoleForAmazonEKSForFargate",
    ),
    (
        "ec2:DescribeSubnets",
        "Missing permissions for `ec2:DescribeSubnets`",
    ),
    (
        "ec2:DescribeRouteTables",
        "Missing permissions for `ec2:DescribeRouteTables`",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_is_named_with_what_mends_it() {
    let fleet = Fleet::new().await;
    for (at, (action, words)) in FORWARDED.iter().enumerate() {
        fleet.sim.set_account(ACCOUNT, without(action));
        let job = fleet.create(&format!("fp-{at}"), "denied").await;
        fleet.run().await;
        fleet.assert_failed(job, "aws_access_denied").await;
        let message = fleet.queue.column(job, "error->>'message'").await;
        assert!(message.contains(words), "{message}");
        let remedy = format!("The missing permission is {action}: ");
        assert!(message.contains(&remedy), "{message}");
        assert!(message.contains("docs/accounts.md"), "{message}");
    }
    let everything = AccountSettings {
        role_policy: Some(json!([])),
        ..settings(false)
    };
    fleet.sim.set_account(ACCOUNT, everything);
    profile(&fleet).await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_lacks_a_right_fails_as_denied_and_not_as_unstable() {
    let fleet = Fleet::new().await;
    fleet
        .sim
        .set_account(ACCOUNT, without("iam:AttachRolePolicy"));
    let input = roleless_input("fp-roleless", "roleless");
    let kind = "create_fargate_profile";
    let profile = fleet.submit(kind, Some("fp-roleless"), input).await;
    let cluster = fleet.create_cluster(&full(NEW)).await;
    fleet.run().await;
    for job in [profile, cluster] {
        fleet.assert_failed(job, "aws_access_denied").await;
        let message = fleet.queue.column(job, "error->>'message'").await;
        assert!(
            message.contains("CloudFormation could not make"),
            "{message}"
        );
        let remedy =
            "The missing permission is iam:AttachRolePolicy: a policy of the account's role";
        assert!(message.contains(remedy), "{message}");
    }
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_service_does_not_find_keeps_its_words() {
    let fleet = Fleet::new().await;
    let words = "The security group 'sg-1' does not exist";
    fleet.sim.add_faults(vec![Fault {
        status: Some(400),
        code: Some("InvalidGroup.NotFound".to_owned()),
        message: Some(words.to_owned()),
        ..fault("DescribeAvailabilityZones")
    }]);
    let job = fleet.create_cluster(&full(NEW)).await;
    fleet.run().await;
    fleet.assert_failed(job, "not_found").await;
    let message = fleet.queue.column(job, "error->>'message'").await;
    assert_eq!(message, words);
    fleet.end().await;
}
