//! Who may use a cluster: access entries made with it, put, read and deleted later.

use fargate_fleet::aws::{Access, SessionKey};
use fargate_fleet::domain::cluster::ClusterSpec;
use fargate_fleet::domain::job_input::{PrincipalInput, PutAccessEntryInput, ReadInput};
use fargate_fleet::domain::{AccessEntryInput, PrincipalArn, decode};
use fargate_fleet::sim::{AccountSettings, Fault};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clusters::support::{NEW, spec};
use super::support::{ACCOUNT, CLUSTER, EXTERNAL_ID, Fleet, REGION, fault, settings};

pub const ADMINS: &str = "arn:aws:iam::111111111111:role/team/platform-admins";
const DEVELOPERS: &str = "arn:aws:iam::111111111111:role/developers";
const FLEET: &str = "arn:aws:iam::111111111111:role/fargate-fleet";
const VIEW: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";
const EDIT: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy";
const INVALID: &str = "The specified principalArn is invalid: invalid principal.";

/// An entry of admins, as `accessConfig.accessEntries` has it.
pub fn admins() -> Value {
    json!({
        "principalARN": ADMINS,
        "accessPolicies": [{
            "policyARN": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            "accessScope": {"type": "cluster"}
        }],
    })
}

fn scoped(policy: &str, namespaces: &[&str]) -> Value {
    json!({"policyARN": policy, "accessScope": {"type": "namespace", "namespaces": namespaces}})
}

fn cluster(entries: &Value) -> ClusterSpec {
    let config = json!({
        "metadata": {"name": NEW, "region": REGION},
        "accessConfig": {"accessEntries": entries},
        "fargateProfiles": [{"name": "fp-a", "selectors": [{"namespace": "a"}]}],
    });
    spec(&config, false)
}

impl Fleet {
    pub async fn put_entry(&self, entry: &Value) -> Uuid {
        let entry: AccessEntryInput = decode::typed(entry.clone()).unwrap();
        let entry = entry.validate(None).unwrap();
        let input = json!(PutAccessEntryInput { entry });
        self.submit("put_access_entry", None, input).await
    }

    pub async fn delete_entry(&self, principal: &str) -> Uuid {
        self.about_entry("delete_access_entry", principal).await
    }

    async fn about_entry(&self, kind: &'static str, principal: &str) -> Uuid {
        let principal_arn = PrincipalArn::parse(principal).unwrap();
        let input = json!(PrincipalInput { principal_arn });
        self.submit(kind, None, input).await
    }

    async fn result(&self, job: Uuid, member: &str) -> Value {
        self.assert_state(job, "succeeded").await;
        let text = self.queue.column(job, &format!("result->'{member}'")).await;
        serde_json::from_str(&text).unwrap()
    }

    /// The entry of a principal, as a job reads it.
    async fn entry(&self, principal: &str) -> Value {
        let job = self.about_entry("get_access_entry", principal).await;
        self.run().await;
        self.result(job, "accessEntry").await
    }
}

fn refusal(action: &str, code: &str, message: &str, times: u32) -> Fault {
    Fault {
        status: Some(400),
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        times: Some(times),
        ..fault(action)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_entries_of_a_cluster_are_made_right_after_its_stack() {
    let fleet = Fleet::new().await;
    let developers = json!({
        "principalARN": DEVELOPERS,
        "kubernetesGroups": ["developers"],
        "kubernetesUsername": "dev:{{SessionName}}",
        "accessPolicies": [scoped(VIEW, &["a", "b"]), scoped(EDIT, &["a"])],
        "tags": {"team": "blue"},
    });
    let job = fleet
        .create_cluster(&cluster(&json!([admins(), developers])))
        .await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let begun = fleet.begun();
    let of_admins = format!("AssociateAccessPolicy {ADMINS}");
    let of_developers = format!("AssociateAccessPolicy {DEVELOPERS}");
    let expected = [
        "CreateStack eksctl-new-1-cluster",
        "CreateAccessEntry",
        &of_admins,
        "CreateAccessEntry",
        &of_developers,
        &of_developers,
    ];
    assert_eq!(begun[..6], expected, "{begun:#?}");
    assert!(begun[6].starts_with("CreateAddon"), "{begun:#?}");
    let input = json!(ReadInput {});
    let list = fleet
        .submit_to(ACCOUNT, NEW, "list_access_entries", (None, input))
        .await;
    fleet.run().await;
    let entries = fleet.result(list, "accessEntries").await;
    let entries: Vec<&Value> = entries.as_array().unwrap().iter().collect();
    let of = |principal: &str| {
        let found = entries.iter().find(|one| one["principalARN"] == principal);
        found.unwrap_or_else(|| panic!("{principal}: {entries:#?}"))
    };
    let made = of(DEVELOPERS);
    assert_eq!(made["kubernetesGroups"], developers["kubernetesGroups"]);
    assert_eq!(made["kubernetesUsername"], "dev:{{SessionName}}");
    assert_eq!(made["tags"], developers["tags"]);
    assert_eq!(
        made["accessPolicies"],
        json!([scoped(EDIT, &["a"]), scoped(VIEW, &["a", "b"])])
    );
    assert!(
        made["arn"]
            .as_str()
            .unwrap()
            .contains(":access-entry/new-1/role/")
    );
    assert!(made["createdAt"].is_string() && made["modifiedAt"].is_string());
    let admin = of(ADMINS);
    assert_eq!(admin["type"], "STANDARD");
    assert_eq!(admin["accessPolicies"], admins()["accessPolicies"]);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_that_iam_is_still_spreading_is_waited_for() {
    let fleet = Fleet::new().await;
    let (code, gone) = (
        "InvalidParameterException",
        "The specified principalArn could not be found.",
    );
    fleet.sim.add_faults(vec![
        refusal("CreateAccessEntry", code, INVALID, 2),
        Fault {
            status: Some(404),
            ..refusal(
                "AssociateAccessPolicy",
                "ResourceNotFoundException",
                gone,
                1,
            )
        },
    ]);
    let job = fleet.put_entry(&admins()).await;
    fleet.run().await;
    let entry = fleet.result(job, "accessEntry").await;
    assert_eq!(entry["accessPolicies"], admins()["accessPolicies"]);
    assert_eq!(fleet.queue.column(job, "attempt").await, "0");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_principal_that_is_not_there_fails_and_a_mended_config_goes_on_with_the_cluster() {
    let fleet = Fleet::new().await;
    let typo = json!([{"principalARN": "arn:aws:iam::111111111111:role/platfrom-admins"}]);
    let job = fleet.create_cluster(&cluster(&typo)).await;
    fleet.run().await;
    fleet.assert_failed(job, "invalid_parameter").await;
    let message = fleet.queue.column(job, "message").await;
    for part in [
        INVALID.trim_end_matches('.'),
        "there is no",
        "platfrom-admins",
        "left behind",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let mended = fleet.create_cluster(&cluster(&json!([admins()]))).await;
    fleet.run().await;
    fleet.assert_state(mended, "succeeded").await;
    let stacks = fleet.begun();
    let stacks = stacks.iter().filter(|one| one.starts_with("CreateStack"));
    assert_eq!(stacks.count(), 1, "the stack was taken over");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_entry_becomes_exactly_what_is_put() {
    let fleet = Fleet::new().await;
    let first = json!({
        "principalARN": DEVELOPERS,
        "kubernetesGroups": ["a"],
        "kubernetesUsername": "dev:{{SessionName}}",
        "accessPolicies": [scoped(VIEW, &["a"]), scoped(EDIT, &["a"])],
        "tags": {"team": "blue", "old": "x"},
    });
    let second = json!({
        "principalARN": DEVELOPERS,
        "kubernetesGroups": ["b"],
        "accessPolicies": [scoped(VIEW, &["b"])],
        "tags": {"team": "red"},
    });
    for wanted in [&first, &second] {
        let job = fleet.put_entry(wanted).await;
        fleet.run().await;
        let entry = fleet.result(job, "accessEntry").await;
        for member in ["kubernetesGroups", "accessPolicies", "tags"] {
            let mut found = entry[member].clone();
            if let Some(list) = found.as_array_mut() {
                list.sort_by_key(|one| std::cmp::Reverse(one.to_string()));
            }
            assert_eq!(found, wanted[member], "{member}");
        }
        assert_eq!(fleet.entry(DEVELOPERS).await, entry);
    }
    let entry = fleet.entry(DEVELOPERS).await;
    let name = "arn:aws:sts::111111111111:assumed-role/developers/{{SessionName}}";
    assert_eq!(entry["kubernetesUsername"], name, "EKS's own name again");
    let before = fleet.begun().len();
    let again = fleet.put_entry(&second).await;
    fleet.run().await;
    fleet.assert_state(again, "succeeded").await;
    assert_eq!(fleet.begun().len(), before, "nothing was to be changed");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_type_can_not_be_changed_and_the_deletion_of_nodes_warns() {
    let fleet = Fleet::new().await;
    let nodes = json!({"principalARN": DEVELOPERS, "type": "EC2_LINUX"});
    let put = fleet.put_entry(&nodes).await;
    let changed = fleet.put_entry(&json!({"principalARN": DEVELOPERS})).await;
    fleet.run().await;
    fleet.assert_state(put, "succeeded").await;
    fleet.assert_failed(changed, "immutable_field").await;
    let message = fleet.queue.column(changed, "message").await;
    assert!(
        message.contains("EC2_LINUX") && message.contains("delete it first"),
        "{message}"
    );
    let gone = fleet.delete_entry(DEVELOPERS).await;
    let twice = fleet.delete_entry(DEVELOPERS).await;
    fleet.run().await;
    fleet.assert_state(gone, "succeeded").await;
    let warnings = fleet.queue.column(gone, "warnings").await;
    assert!(warnings.contains("node_access_entry_deleted"), "{warnings}");
    fleet.assert_failed(twice, "not_found").await;
    let resource = fleet.queue.column(twice, "error->>'resource'").await;
    assert_eq!(resource, "access_entry");
    let put = fleet.put_entry(&json!({"principalARN": DEVELOPERS})).await;
    fleet.run().await;
    fleet.assert_state(put, "succeeded").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_fleets_own_entry_is_left_alone() {
    let fleet = Fleet::new().await;
    let put = fleet.put_entry(&json!({"principalARN": FLEET})).await;
    let deletion = fleet.delete_entry(FLEET).await;
    fleet.run().await;
    for job in [put, deletion] {
        fleet.assert_failed(job, "conflict").await;
    }
    assert!(fleet.begun().is_empty());
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_eks_refuses_is_told_with_the_way_out() {
    let fleet = Fleet::new().await;
    let unknown = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewerPolicy";
    let entry = json!({
        "principalARN": DEVELOPERS, "accessPolicies": [scoped(unknown, &["a"])]
    });
    let job = fleet.put_entry(&entry).await;
    fleet.run().await;
    fleet.assert_failed(job, "invalid_parameter").await;
    let message = fleet.queue.column(job, "message").await;
    assert!(
        message.contains("policyArn could not be found; see in aws eks list"),
        "{message}"
    );
    let mode = "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to \
                perform this operation.";
    let code = "InvalidRequestException";
    fleet
        .sim
        .add_faults(vec![refusal("CreateAccessEntry", code, mode, 1)]);
    let job = fleet.put_entry(&admins()).await;
    fleet.run().await;
    fleet.assert_failed(job, "invalid_parameter").await;
    let message = fleet.queue.column(job, "message").await;
    assert!(message.contains("aws-auth"), "{message}");
    let nobody = fleet.about_entry("get_access_entry", ADMINS).await;
    fleet.run().await;
    fleet.assert_failed(nobody, "not_found").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_of_access_waits_in_the_clusters_lane_and_can_be_canceled() {
    let fleet = Fleet::new().await;
    let profile = fleet.create("fp-new", "new").await;
    let put = fleet.put_entry(&admins()).await;
    let phase = fleet.queue.column(put, "phase").await;
    assert_eq!(phase, "blocked");
    fleet.cancel(put).await;
    fleet.run().await;
    fleet.assert_state(profile, "succeeded").await;
    fleet.assert_state(put, "canceled").await;
    assert_eq!(fleet.calls("CreateAccessEntry", None), 0, "{CLUSTER}");
    fleet.end().await;
}

/// What the Kubernetes API of the new cluster answers a role of people.
async fn listing_of_pods(fleet: &Fleet, role_arn: &str) -> u16 {
    let session = SessionKey {
        account_id: ACCOUNT.to_owned(),
        role_arn: role_arn.to_owned(),
        external_id: EXTERNAL_ID.to_owned(),
        region: REGION.to_owned(),
        partition: "aws",
        cluster: NEW.to_owned(),
        access: Access::ReadClusters,
        roles: Vec::new(),
        session_name: "somebody".to_owned(),
        source_identity: "tester".to_owned(),
    };
    let caller = fleet.aws().await.caller(session);
    let token = caller.kubernetes_token(NEW).await.unwrap();
    let api = format!("{}/_kubernetes/{ACCOUNT}/{REGION}/{NEW}", fleet.endpoint());
    let pods = reqwest::Client::new().get(format!("{api}/api/v1/pods"));
    let answer = pods.bearer_auth(token).send().await.unwrap();
    answer.status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_listed_principal_uses_the_cluster_and_others_do_not() {
    let fleet = Fleet::new().await;
    let roles = ["team/platform-admins", "developers", "strangers"];
    fleet.sim.set_account(
        ACCOUNT,
        AccountSettings {
            roles: Some(roles.map(str::to_owned).into()),
            ..settings(false)
        },
    );
    let reader = json!({"principalARN": DEVELOPERS, "accessPolicies": [scoped(VIEW, &["a"])]});
    fleet
        .have_cluster(&cluster(&json!([admins(), reader])))
        .await;
    let stranger = "arn:aws:iam::111111111111:role/strangers";
    let seen = [
        (ADMINS, 200),
        (FLEET, 200),
        (DEVELOPERS, 403),
        (stranger, 401),
    ];
    for (role, status) in seen {
        assert_eq!(listing_of_pods(&fleet, role).await, status, "{role}");
    }
    fleet.end().await;
}
