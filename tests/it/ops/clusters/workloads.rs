//! Clusters whose workloads act under roles, and that know people by other means than access entries.

use fargate_fleet::domain::cluster::ClusterSpec;
use fargate_fleet::domain::job_input::DeleteClusterInput;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::{NEW, spec};
use crate::ops::support::{ACCOUNT, Fleet, REGION, fault};

const S3: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

/// Roles by the cluster's issuer and by EKS Pod Identity, of the cluster's own and of add-ons; mappings and
/// an identity provider.
pub fn workloads(name: &str) -> ClusterSpec {
    spec(&config(name), false)
}

fn config(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "region": REGION, "tags": {"team": "blue"}},
        "iam": {
            "withOIDC": true,
            "serviceAccounts": [{
                "metadata": {"name": "s3-reader", "namespace": "backend", "labels": {"tier": "web"}},
                "attachPolicyARNs": [S3],
                "wellKnownPolicies": {"externalDNS": true},
            }],
            "podIdentityAssociations": [{
                "namespace": "dev",
                "serviceAccountName": "cache",
                "createServiceAccount": true,
                "permissionPolicyARNs": [S3],
                "tags": {"part": "cache"},
            }],
        },
        "addons": [
            {"name": "eks-pod-identity-agent"},
            {"name": "aws-ebs-csi-driver", "useDefaultPodIdentityAssociations": true},
        ],
        "iamIdentityMappings": [
            {"arn": format!("arn:aws:iam::{ACCOUNT}:role/viewers"), "groups": ["viewers"]},
            {"serviceName": "emr-containers", "namespace": "emr"},
        ],
        "identityProviders": [{
            "name": "login", "type": "oidc", "issuerURL": "https://login.example.com", "clientID": "kube",
        }],
        "managedNodeGroups": [{"name": "ng-1", "instanceType": "m5.large"}],
    })
}

/// What creating that cluster begins at AWS and in it, in this order.
pub const WORKLOADS_CREATION: [&str; 23] = [
    "CreateStack eksctl-new-1-cluster",
    "CreateAddon vpc-cni",
    "CreateAddon kube-proxy",
    "CreateAddon eks-pod-identity-agent",
    "CreateOpenIDConnectProvider",
    "CreateStack eksctl-new-1-addon-iamserviceaccount-backend-s3-reader",
    "KubernetesCreate namespaces",
    "KubernetesCreate serviceaccounts/backend",
    "CreateStack eksctl-new-1-addon-vpc-cni",
    "UpdateAddon vpc-cni",
    "CreateAddon coredns",
    "AssociateIdentityProviderConfig",
    "KubernetesCreate namespaces",
    "KubernetesCreate roles/emr",
    "KubernetesCreate rolebindings/emr",
    "KubernetesCreate configmaps/kube-system",
    "CreateStack eksctl-new-1-nodegroup-ng-1",
    "CreateStack eksctl-new-1-addon-aws-ebs-csi-driver-podidentityrole-ebs-csi-controller-sa",
    "CreateAddon aws-ebs-csi-driver",
    "CreateAddon metrics-server",
    "CreateStack eksctl-new-1-podidentityrole-dev-cache",
    "KubernetesCreate namespaces",
    "KubernetesCreate serviceaccounts/dev",
];

impl Fleet {
    async fn object(&self, path: &str) -> Value {
        let (status, object) = self.kubectl(NEW, Method::GET, path, &Value::Null).await;
        assert!(status.is_success(), "{path}: {object}");
        object
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workloads_get_their_roles_and_nothing_of_it_is_left() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let job = fleet.create_cluster(&workloads(NEW)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let mut expected = WORKLOADS_CREATION.to_vec();
    expected.push("CreatePodIdentityAssociation");
    let begun = fleet.begun();
    let begun = begun.iter().map(|call| call.split(" https:").next());
    assert_eq!(begun.collect::<Option<Vec<_>>>().unwrap(), expected);
    assert_eq!(fleet.queue.column(job, "warnings").await, "[]");

    let account = "api/v1/namespaces/backend/serviceaccounts/s3-reader";
    let account = fleet.object(account).await;
    let role = &account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"];
    let generated = format!("arn:aws:iam::{ACCOUNT}:role/eksctl-new-1-addon-iams");
    assert!(role.as_str().unwrap().starts_with(&generated), "{role}");
    let labels = &account["metadata"]["labels"];
    assert_eq!(labels["tier"], "web");
    assert_eq!(labels["app.kubernetes.io/managed-by"], "eksctl");
    let map = fleet
        .object("api/v1/namespaces/kube-system/configmaps/aws-auth")
        .await;
    let roles = map["data"]["mapRoles"].as_str().unwrap();
    assert!(
        roles.contains("role/viewers") && roles.contains("emr-containers"),
        "{roles}"
    );
    let role = "apis/rbac.authorization.k8s.io/v1/namespaces/emr/roles/emr-containers";
    assert_eq!(
        fleet.object(role).await["rules"].as_array().unwrap().len(),
        9
    );

    let plan = fleet
        .deletion_plan(NEW, DeleteClusterInput::default())
        .await;
    let stacks = plan.steps.iter().find(|step| step.name == "role_stacks");
    let stacks: Vec<&str> = stacks
        .unwrap()
        .resources
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(stacks.len(), 4, "{stacks:?}");
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn roles_can_have_names_of_their_own_and_given_ones_are_used() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let given = format!("arn:aws:iam::{ACCOUNT}:role/fargate-pod-execution");
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    });
    let config = json!({
        "metadata": {"name": NEW, "region": REGION},
        "addonsConfig": {"disableDefaultAddons": true},
        "iam": {"withOIDC": true, "serviceAccounts": [
            {"metadata": {"name": "named"}, "attachPolicy": policy, "roleName": "named-role",
             "subjectPattern": "named-*", "roleOnly": true},
            {"metadata": {"name": "given"}, "attachRoleARN": given},
        ]},
    });
    fleet.have_cluster(&spec(&config, false)).await;
    let parts = fleet.sim.inventory();
    assert!(
        parts.contains(&format!("{ACCOUNT}/role/named-role")),
        "{parts:#?}"
    );
    let account = fleet
        .object("api/v1/namespaces/default/serviceaccounts/given")
        .await;
    let annotations = &account["metadata"]["annotations"];
    assert_eq!(annotations["eks.amazonaws.com/role-arn"], given.as_str());
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kubernetes_api_that_forbids_is_a_warning_with_what_to_run() {
    let fleet = Fleet::new().await;
    let mut config = config(NEW);
    config["accessConfig"] = json!({"bootstrapClusterCreatorAdminPermissions": false});
    let job = fleet.create_cluster(&spec(&config, false)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let warnings = fleet.queue.column(job, "warnings").await;
    for word in [
        "service_accounts_not_made",
        "identity_mappings_not_made",
        "kubectl -n backend create serviceaccount s3-reader",
        "create configmap aws-auth",
    ] {
        assert!(warnings.contains(word), "{word}: {warnings}");
    }
    assert_eq!(fleet.calls("CreatePodIdentityAssociation", Some(200)), 1);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_that_can_not_be_made_fails_the_job_and_a_retry_goes_on() {
    let fleet = Fleet::new().await;
    fleet
        .sim
        .add_faults(vec![super::support::broken("Role1", "no more roles")]);
    let job = fleet.create_cluster(&workloads(NEW)).await;
    fleet.run().await;
    fleet.assert_failed(job, "not_stabilized").await;
    let message = fleet.queue.column(job, "error->>'message'").await;
    assert!(message.contains("no more roles"), "{message}");
    assert!(
        message.contains("retry the job to go on from there"),
        "{message}"
    );
    fleet.have_cluster(&workloads(NEW)).await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_association_of_another_role_is_a_conflict() {
    let fleet = Fleet::new().await;
    let given = |role: &str| {
        spec(
            &json!({
                "metadata": {"name": NEW, "region": REGION},
                "addons": [{"name": "eks-pod-identity-agent"}],
                "iam": {"podIdentityAssociations": [{
                    "namespace": "dev", "serviceAccountName": "app",
                    "roleARN": format!("arn:aws:iam::{ACCOUNT}:role/{role}"),
                }]},
            }),
            false,
        )
    };
    let pods = fargate_fleet::sim::RoleSpec {
        services: vec!["pods.eks.amazonaws.com".to_owned()],
        ..Default::default()
    };
    fleet.sim.put_role(ACCOUNT, "pods", pods);
    fleet.sim.add_faults(vec![fargate_fleet::sim::Fault {
        status: Some(400),
        code: Some("InvalidParameterException".to_owned()),
        message: Some("Trust policy of the role is not valid".to_owned()),
        times: Some(2),
        ..fault("CreatePodIdentityAssociation")
    }]);
    fleet.have_cluster(&given("pods")).await;
    assert_eq!(fleet.calls("CreatePodIdentityAssociation", Some(400)), 2);
    fleet.end().await;
}
