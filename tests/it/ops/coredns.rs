//! CoreDNS moved onto Fargate: as an add-on, and as a Deployment.

use fargate_fleet::aws::Access;
use fargate_fleet::aws::clusters::AddonInput;
use fargate_fleet::domain::Warning;
use fargate_fleet::sim::{ClusterSettings, Fault};
use serde_json::{Value, json};
use uuid::Uuid;

use super::kubernetes::{Kubernetes, Manner};
use super::support::{ACCOUNT, CLUSTER, Fleet, REGION, create_input, fault};

impl Fleet {
    /// The configuration of the cluster's add-on CoreDNS.
    pub async fn coredns_settings(&self) -> Value {
        let clusters = self.caller(Access::ReadClusters, "*").await.clusters();
        let addon = clusters.addon(CLUSTER, "coredns").await.unwrap().unwrap();
        let text = addon.configuration_values.unwrap_or("null".to_owned());
        serde_json::from_str(&text).unwrap()
    }

    /// Configures the add-on, as a person does.
    async fn configure_coredns(&self, values: &str) {
        let clusters = self.caller(Access::CreateProfile, CLUSTER).await.clusters();
        let change = AddonInput {
            name: "coredns".to_owned(),
            version: None,
            configuration_values: Some(values.to_owned()),
            service_account_role_arn: None,
            pod_identities: Vec::new(),
            namespace: None,
            resolve_conflicts: None,
            tags: std::collections::BTreeMap::new(),
            client_request_token: "by-hand".to_owned(),
        };
        clusters.update_addon(CLUSTER, change).await.unwrap();
        self.sim.advance(std::time::Duration::from_mins(5));
    }

    /// CoreDNS for Fargate on a cluster without nodes, from before there is a profile.
    pub async fn configure_old_coredns(&self) {
        let settings = ClusterSettings {
            nodes: Some(false),
            ..ClusterSettings::default()
        };
        self.sim.set_cluster(ACCOUNT, REGION, CLUSTER, settings);
        self.configure_coredns(r#"{"computeType": "Fargate", "replicaCount": 3}"#)
            .await;
    }

    async fn coredns_status(&self) -> String {
        let clusters = self.caller(Access::ReadClusters, "*").await.clusters();
        let addon = clusters.addon(CLUSTER, "coredns").await.unwrap().unwrap();
        addon.status.unwrap()
    }

    /// Takes the add-on away, and lets the cluster's API be somewhere.
    fn without_addon(&self, endpoint: String) {
        let settings = ClusterSettings {
            addons: Some(vec![]),
            kubernetes_endpoint: Some(endpoint),
            ..ClusterSettings::default()
        };
        self.sim.set_cluster(ACCOUNT, REGION, CLUSTER, settings);
    }

    /// What the job did: calls of an action under its own session.
    pub fn calls_of(&self, job: Uuid, action: &str) -> usize {
        let session = format!("job-{job}");
        let calls = self.sim.record().calls;
        calls
            .iter()
            .filter(|call| call.session_name.as_deref() == Some(&session) && call.action == action)
            .count()
    }

    /// The job's warnings, which a succeeded job with its profile has.
    async fn warned(&self, job: Uuid) -> Vec<Warning> {
        self.assert_state(job, "succeeded").await;
        let profile = self.profile_of(job).await;
        assert_eq!(profile.status.as_deref(), Some("ACTIVE"));
        let warnings = self.queue.column(job, "warnings").await;
        serde_json::from_str(&warnings).unwrap()
    }

    /// The one warning there is: that CoreDNS stays, because of this, and what to run.
    async fn assert_stays(&self, job: Uuid, because: &str, by_hand: &str) {
        let warnings = self.warned(job).await;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let Warning { code, message } = &warnings[0];
        assert_eq!(code, "coredns_not_on_fargate");
        assert!(message.contains(because), "{message}");
        assert!(message.contains(by_hand), "{message}");
    }
}

async fn created(fleet: &Fleet, selector: Value) -> Uuid {
    let mut input = create_input(Some("fp-dns"), "x");
    input["profile"]["selectors"] = json!([selector]);
    let kind = "create_fargate_profile";
    let job = fleet.submit(kind, Some("fp-dns"), input).await;
    fleet.run().await;
    job
}

async fn of_kube_system(fleet: &Fleet) -> Uuid {
    created(fleet, json!({"namespace": "kube-system"})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_add_ons_configuration_is_merged_be_it_json_or_yaml() {
    for values in [
        r#"{"replicaCount": 3, "computeType": "ec2"}"#,
        "replicaCount: 3\n",
    ] {
        let fleet = Fleet::new().await;
        fleet.configure_coredns(values).await;
        let job = of_kube_system(&fleet).await;
        assert_eq!(fleet.warned(job).await, []);
        let expected = json!({"computeType": "Fargate", "replicaCount": 3});
        assert_eq!(fleet.coredns_settings().await, expected, "{values}");
        assert_eq!(fleet.calls_of(job, "UpdateAddon"), 1);
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_add_on_is_waited_for() {
    let fleet = Fleet::new().await;
    let job = of_kube_system(&fleet).await;
    assert_eq!(fleet.warned(job).await, []);
    assert!(
        fleet.calls_of(job, "DescribeAddon") >= 2,
        "before and after"
    );
    let sql = format!(
        "select count(*) from job_events where job_id = '{job}' and message like 'Waits for CoreDNS%'"
    );
    let told: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(fleet.queue.pool())
        .await
        .unwrap();
    assert!(told >= 1);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_add_on_that_is_on_fargate_already_is_left_alone() {
    let fleet = Fleet::new().await;
    fleet.configure_coredns("computeType: fargate").await;
    let job = of_kube_system(&fleet).await;
    assert_eq!(fleet.warned(job).await, []);
    assert_eq!(fleet.calls_of(job, "DescribeAddon"), 1);
    assert_eq!(fleet.calls_of(job, "UpdateAddon"), 0);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wildcards_and_labels_catch_it_and_other_selectors_make_no_call() {
    for (caught, selector) in [
        (true, json!({"namespace": "kube-*"})),
        (
            true,
            json!({"namespace": "*", "labels": {"k8s-app": "kube-dns"}}),
        ),
        (false, json!({"namespace": "default"})),
        (
            false,
            json!({"namespace": "kube-system", "labels": {"k8s-app": "metrics-server"}}),
        ),
    ] {
        let fleet = Fleet::new().await;
        let job = created(&fleet, selector.clone()).await;
        fleet.assert_state(job, "succeeded").await;
        let expected = usize::from(caught);
        assert_eq!(fleet.calls_of(job, "UpdateAddon"), expected, "{selector}");
        let looked = fleet.calls_of(job, "DescribeAddon") > 0;
        assert_eq!(looked, caught, "{selector}");
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_profile_that_was_there_before_catches_it_too_unless_it_goes() {
    for (status, moved) in [("ACTIVE", 1), ("DELETE_FAILED", 0)] {
        let fleet = Fleet::new().await;
        fleet.put("fp-old", "kube-system", status);
        let job = fleet.create("fp-dev", "dev").await;
        fleet.run().await;
        fleet.assert_state(job, "succeeded").await;
        assert_eq!(fleet.calls_of(job, "UpdateAddon"), moved, "{status}");
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_aws_refuses_is_a_warning_with_the_command() {
    for (action, by_hand) in [
        (
            "DescribeAddon",
            "aws eks update-addon --region eu-central-1",
        ),
        (
            "UpdateAddon",
            r#"--cluster-name prod-1 --addon-name coredns --resolve-conflicts PRESERVE --configuration-values '{"computeType":"Fargate"}'"#,
        ),
    ] {
        let fleet = Fleet::new().await;
        let denied = Fault {
            status: Some(403),
            code: Some("AccessDeniedException".to_owned()),
            message: Some("User: x is not authorized".to_owned()),
            ..fault(action)
        };
        fleet.sim.add_faults(vec![denied]);
        let job = of_kube_system(&fleet).await;
        let because = format!("AWS refused {action}: User: x is not authorized");
        fleet.assert_stays(job, &because, by_hand).await;
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_add_on_that_does_not_get_there_in_time_is_a_warning() {
    let mut fleet = Fleet::new().await;
    // Half an hour of AWS becomes a third of a second of ours.
    fleet.patience = 6_000.0;
    let stuck = Fault {
        skip: Some(1),
        times: Some(1_000),
        set_status: Some("DEGRADED".to_owned()),
        ..fault("DescribeAddon")
    };
    let added = fleet.sim.try_add_faults(vec![stuck]);
    assert_eq!(added, Ok(()));
    let job = of_kube_system(&fleet).await;
    let because = "it has not come to its end in 30 minutes: the add-on is DEGRADED";
    fleet
        .assert_stays(job, because, "aws eks describe-addon")
        .await;
    fleet.end().await;
}

/// The add-on refuses to have its pods annotated, as old versions do.
fn no_annotations() -> Fault {
    Fault {
        times: Some(1_000),
        status: Some(400),
        code: Some("InvalidParameterException".to_owned()),
        message: Some("ConfigurationValue provided in request is not supported".to_owned()),
        ..fault("UpdateAddon")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pods_that_are_older_than_the_profile_are_made_anew() {
    let fleet = Fleet::new().await;
    fleet.configure_old_coredns().await;
    assert_eq!(fleet.coredns_status().await, "DEGRADED");
    let job = of_kube_system(&fleet).await;
    assert_eq!(fleet.warned(job).await, []);
    assert_eq!(fleet.coredns_status().await, "ACTIVE");
    let settings = fleet.coredns_settings().await;
    assert_eq!(settings["computeType"], "Fargate");
    assert_eq!(settings["replicaCount"], 3);
    let mark = &settings["podAnnotations"]["kubectl.kubernetes.io/restartedAt"];
    assert!(mark.is_string(), "{settings}");
    assert_eq!(fleet.calls_of(job, "UpdateAddon"), 1);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_unwell_add_on_of_others_is_left_alone_by_profiles_that_do_not_catch_it() {
    let fleet = Fleet::new().await;
    fleet.put("fp-old", "kube-system", "ACTIVE");
    fleet.configure_old_coredns().await;
    let unwell = Fault {
        times: Some(1_000),
        set_status: Some("DEGRADED".to_owned()),
        ..fault("DescribeAddon")
    };
    fleet.sim.add_faults(vec![unwell]);
    let job = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.calls_of(job, "UpdateAddon"), 0);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_the_add_on_has_no_annotations_the_deployment_is_restarted() {
    let fleet = Fleet::new().await;
    fleet.configure_old_coredns().await;
    let kubernetes = Kubernetes::start(Manner::RollsOut, Some("fargate")).await;
    let settings = ClusterSettings {
        kubernetes_endpoint: Some(kubernetes.endpoint()),
        ..ClusterSettings::default()
    };
    fleet.sim.set_cluster(ACCOUNT, REGION, CLUSTER, settings);
    // This cluster's API is not the simulator's, which so sees no new pods.
    let well = Fault {
        skip: Some(1),
        times: Some(1_000),
        set_status: Some("ACTIVE".to_owned()),
        ..fault("DescribeAddon")
    };
    fleet.sim.add_faults(vec![no_annotations(), well]);
    let job = of_kube_system(&fleet).await;
    assert_eq!(fleet.warned(job).await, []);
    assert_eq!(kubernetes.patches(), 1);
    assert!(kubernetes.restarted_at().is_some());
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn old_pods_that_nobody_here_can_make_anew_are_a_warning_with_the_command() {
    let fleet = Fleet::new().await;
    fleet.configure_old_coredns().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = ClusterSettings {
        kubernetes_endpoint: Some(format!("http://{}", free.local_addr().unwrap())),
        ..ClusterSettings::default()
    };
    drop(free);
    fleet.sim.set_cluster(ACCOUNT, REGION, CLUSTER, settings);
    fleet.sim.add_faults(vec![no_annotations()]);
    let job = of_kube_system(&fleet).await;
    let by_hand = "kubectl -n kube-system rollout restart deployment/coredns";
    fleet
        .assert_stays(job, "its pods are older than the profile", by_hand)
        .await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rollout_that_does_not_make_it_well_is_a_warning() {
    let mut fleet = Fleet::new().await;
    fleet.configure_old_coredns().await;
    fleet.patience = 6_000.0;
    let unwell = Fault {
        times: Some(10_000),
        set_status: Some("DEGRADED".to_owned()),
        ..fault("DescribeAddon")
    };
    fleet.sim.add_faults(vec![unwell]);
    let job = of_kube_system(&fleet).await;
    assert_eq!(fleet.calls_of(job, "UpdateAddon"), 1);
    fleet
        .assert_stays(job, "the add-on is DEGRADED", "aws eks describe-addon")
        .await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deleting_the_last_profile_that_catches_coredns_warns() {
    for (other, warned) in [("kube-*", false), ("default", true)] {
        let fleet = Fleet::new().await;
        fleet.put("fp-dns", "kube-system", "ACTIVE");
        fleet.put("fp-other", other, "ACTIVE");
        let job = fleet.delete("fp-dns", true).await;
        fleet.run().await;
        fleet.assert_state(job, "succeeded").await;
        let warnings = fleet.queue.column(job, "warnings").await;
        assert_eq!(
            warnings.contains("coredns_not_caught"),
            warned,
            "{warnings}"
        );
        let plain = fleet.delete("fp-other", true).await;
        fleet.run().await;
        let warnings = fleet.queue.column(plain, "warnings").await;
        assert_eq!(
            warnings.contains("coredns_not_caught"),
            !warned,
            "{warnings}"
        );
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_add_on_the_deployment_is_patched_and_waited_for() {
    let fleet = Fleet::new().await;
    let kubernetes = Kubernetes::start(Manner::RollsOut, Some("ec2")).await;
    fleet.without_addon(kubernetes.endpoint());
    let job = of_kube_system(&fleet).await;
    assert_eq!(fleet.warned(job).await, []);
    assert_eq!(kubernetes.compute_type(), "fargate");
    assert_eq!(kubernetes.patches(), 1);
    let tokens = kubernetes.tokens();
    assert!(tokens.len() >= 3, "read, patched, and looked at again");
    for token in tokens {
        assert!(token.starts_with("Bearer k8s-aws-v1."), "{token}");
    }
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deployment_that_is_on_fargate_already_is_not_patched() {
    let fleet = Fleet::new().await;
    let kubernetes = Kubernetes::start(Manner::Hangs, Some("fargate")).await;
    fleet.without_addon(kubernetes.endpoint());
    let job = of_kube_system(&fleet).await;
    assert_eq!(fleet.warned(job).await, []);
    assert_eq!(kubernetes.patches(), 0);
    assert_eq!(kubernetes.tokens().len(), 1);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_missing_or_forbidden_deployment_is_a_warning() {
    for (manner, compute_type, because, by_hand) in [
        (
            Manner::RollsOut,
            None,
            "neither the add-on coredns nor a Deployment coredns",
            "aws eks create-addon",
        ),
        (
            Manner::Forbids,
            Some("ec2"),
            "is forbidden (the account's role needs an access entry",
            "kubectl -n kube-system patch deployment coredns",
        ),
    ] {
        let fleet = Fleet::new().await;
        let kubernetes = Kubernetes::start(manner, compute_type).await;
        fleet.without_addon(kubernetes.endpoint());
        let job = of_kube_system(&fleet).await;
        fleet.assert_stays(job, because, by_hand).await;
        assert_eq!(kubernetes.patches(), 0);
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_endpoint_that_nobody_answers_is_a_warning() {
    let fleet = Fleet::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    fleet.without_addon(endpoint);
    let job = of_kube_system(&fleet).await;
    let by_hand = "aws eks update-kubeconfig --region eu-central-1 --name prod-1 && kubectl";
    fleet.assert_stays(job, "does not answer", by_hand).await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pods_that_never_run_on_fargate_are_a_warning() {
    let mut fleet = Fleet::new().await;
    fleet.patience = 6_000.0;
    let kubernetes = Kubernetes::start(Manner::Hangs, Some("ec2")).await;
    fleet.without_addon(kubernetes.endpoint());
    let job = of_kube_system(&fleet).await;
    assert_eq!(kubernetes.compute_type(), "fargate");
    let by_hand = "kubectl -n kube-system rollout status deployment/coredns";
    fleet.assert_stays(job, "in 30 minutes", by_hand).await;
    fleet.end().await;
}
