//! The roles of workloads and add-ons, `aws-auth` and identity providers.

use super::{places, read, sound, told, with};
use crate::domain::cluster::spec::role::RoleSource;
use crate::domain::eksctl::{ClusterConfig, Part};
use serde_json::{Value, json};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const GIVEN: &str = "arn:aws:iam::111111111111:role/given";

fn iam(parts: &Value) -> Vec<String> {
    let mut iam = json!({"withOIDC": true});
    iam.as_object_mut()
        .unwrap()
        .extend(parts.as_object().unwrap().clone());
    places(json!({"iam": iam, "addons": [{"name": "eks-pod-identity-agent"}]}))
}

fn addon(parts: Value) -> Vec<String> {
    let mut addon = json!({"name": "aws-ebs-csi-driver"});
    let Value::Object(parts) = parts else {
        panic!("{parts}")
    };
    addon.as_object_mut().unwrap().extend(parts);
    places(json!({"addons": [addon, {"name": "eks-pod-identity-agent"}]}))
}

#[test]
fn what_is_wrong_with_service_accounts_is_told_at_once() {
    let told = iam(&json!({"serviceAccounts": [
        {"metadata": {"name": "no-role"}},
        {"metadata": {"name": "A", "namespace": "a.b", "labels": {"a b": "c d"},
                      "annotations": {"-": "x", "eks.amazonaws.com/role-arn": GIVEN}},
         "attachPolicyARNs": ["ReadOnlyAccess"], "roleName": "a b",
         "attachPolicy": {"Statements": []}, "permissionsBoundary": "p",
         "subjectPattern": "A*", "tags": {"aws:x": "y"}},
        {"metadata": {"name": "both"}, "attachRoleARN": GIVEN, "attachPolicyARNs": [READ_ONLY]},
        {"metadata": {"name": "twice"}, "attachRoleARN": GIVEN},
        {"metadata": {"name": "twice", "namespace": "default"}, "attachRoleARN": "given"},
    ]}));
    let expected = [
        "0",
        "1/attachPolicy",
        "1/attachPolicy",
        "1/attachPolicyARNs/0",
        "1/metadata/annotations/-",
        "1/metadata/annotations/eks.amazonaws.com~1role-arn",
        "1/metadata/labels/a b",
        "1/metadata/labels/a b",
        "1/metadata/name",
        "1/metadata/namespace",
        "1/permissionsBoundary",
        "1/roleName",
        "1/subjectPattern",
        "1/tags/aws:x",
        "2/attachRoleARN",
        "4/attachRoleARN",
        "4/metadata/name",
    ];
    assert_eq!(below(told, "/iam/serviceAccounts/"), expected);
    let without = json!({"iam": {"serviceAccounts": [
        {"metadata": {"name": "a"}, "attachRoleARN": GIVEN}
    ]}});
    assert_eq!(
        places(without),
        ["/iam/serviceAccounts"],
        "no issuer to trust"
    );
}

/// All of them lie below this one.
fn below(mut places: Vec<String>, prefix: &str) -> Vec<String> {
    places.sort_unstable();
    let places = places.into_iter();
    places
        .map(|place| place.strip_prefix(prefix).unwrap_or(&place).to_owned())
        .collect()
}

#[test]
fn what_is_wrong_with_pod_identity_associations_is_told_at_once() {
    let told = iam(&json!({"podIdentityAssociations": [
        {},
        {"namespace": "a", "serviceAccountName": "b", "roleARN": GIVEN,
         "permissionPolicyARNs": [READ_ONLY], "permissionPolicyName": "p",
         "targetRoleARN": "t", "policy": "{}"},
        {"namespace": "a", "serviceAccountName": "b", "permissionPolicyARNs": [READ_ONLY, READ_ONLY],
         "permissionsBoundaryARN": "p"},
    ]}));
    let expected = [
        "0",
        "0/namespace",
        "0/serviceAccountName",
        "1/permissionPolicyName",
        "1/policy",
        "1/policy",
        "1/roleARN",
        "1/targetRoleARN",
        "2/permissionPolicyARNs/1",
        "2/permissionsBoundaryARN",
        "2/serviceAccountName",
    ];
    assert_eq!(below(told, "/iam/podIdentityAssociations/"), expected);
    let without = json!({"iam": {"podIdentityAssociations": [
        {"namespace": "a", "serviceAccountName": "b", "roleARN": GIVEN}
    ]}});
    assert_eq!(
        places(without),
        ["/iam/podIdentityAssociations"],
        "no agent"
    );
}

#[test]
fn an_addon_has_one_way_to_its_roles() {
    let identities = json!([{
        "namespace": "kube-system", "serviceAccountName": "s", "roleARN": GIVEN
    }]);
    let two = addon(json!({"serviceAccountRoleARN": GIVEN, "attachPolicyARNs": [READ_ONLY]}));
    assert_eq!(two, ["/addons/0"]);
    let both =
        addon(json!({"podIdentityAssociations": identities, "attachPolicyARNs": [READ_ONLY]}));
    assert_eq!(both, ["/addons/0/podIdentityAssociations"]);
    let recommended = json!({
        "podIdentityAssociations": identities, "useDefaultPodIdentityAssociations": true
    });
    let place = ["/addons/0/useDefaultPodIdentityAssociations"];
    assert_eq!(addon(recommended), place);
    let of_addon = addon(json!({"podIdentityAssociations": [{
        "namespace": "kube-system", "serviceAccountName": "s", "roleARN": GIVEN,
        "createServiceAccount": true, "targetRoleARN": GIVEN, "tags": {"a": "b"},
    }]}));
    let expected = ["createServiceAccount", "tags", "targetRoleARN"];
    assert_eq!(
        below(of_addon, "/addons/0/podIdentityAssociations/0/"),
        expected
    );
    let odd = addon(json!({
        "namespaceConfig": {"namespace": "A"}, "permissionsBoundary": "b",
        "wellKnownPolicies": {"ebsCSIController": true}
    }));
    let expected = ["namespaceConfig/namespace", "permissionsBoundary"];
    assert_eq!(below(odd, "/addons/0/"), expected);
    let no_agent = json!({"addonsConfig": {"autoApplyPodIdentityAssociations": true}});
    assert_eq!(places(no_agent), ["/addons"]);
}

#[test]
fn what_is_wrong_with_identities_is_told_at_once() {
    let told = places(json!({
        "iamIdentityMappings": [
            {},
            {"arn": "x", "username": "a b"},
            {"arn": GIVEN, "username": "x", "account": "111111111111"},
            {"account": "1"},
            {"serviceName": "emr-containers"},
            {"serviceName": "emr", "namespace": "x"},
            {"namespace": "x"},
            {"arn": GIVEN, "username": "a"},
            {"arn": GIVEN, "username": "b", "noDuplicateARNs": true},
            {"arn": GIVEN},
        ],
        "identityProviders": [{"type": "saml", "issuerURL": "http://x", "requiredClaims": {"": ""}}],
    }));
    let expected = [
        "/iamIdentityMappings/0",
        "/iamIdentityMappings/1/arn",
        "/iamIdentityMappings/1/username",
        "/iamIdentityMappings/2/account",
        "/iamIdentityMappings/3/account",
        "/iamIdentityMappings/4/serviceName",
        "/iamIdentityMappings/5/serviceName",
        "/iamIdentityMappings/6/namespace",
        "/iamIdentityMappings/8/arn",
        "/iamIdentityMappings/9",
        "/identityProviders/0/clientID",
        "/identityProviders/0/issuerURL",
        "/identityProviders/0/name",
        "/identityProviders/0/requiredClaims/",
        "/identityProviders/0/type",
    ];
    assert_eq!(below(told, "-"), expected);
    let unread = json!({
        "accessConfig": {"authenticationMode": "API"},
        "iamIdentityMappings": [{"arn": GIVEN, "username": "a"}],
    });
    assert_eq!(places(unread), ["/iamIdentityMappings"]);
}

#[test]
fn a_policy_that_a_template_would_read_is_refused() {
    for document in [
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": {"Ref": "X"}, "Resource": "*"}]}),
        json!({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": {"Fn::Sub": "x"}}]}),
        json!({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "{{resolve:ssm:x}}"}]}),
        json!({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "x".repeat(11_000)}]}),
        json!([]),
    ] {
        let account = json!({"metadata": {"name": "a"}, "attachPolicy": document});
        let config = with(json!({"iam": {"withOIDC": true, "serviceAccounts": [account]}}));
        let told = read(&config).map_or_else(|told| told, |_| told_of(&config));
        let at = "/iam/serviceAccounts/0/attachPolicy";
        assert!(
            told.iter().all(|one| one.pointer.starts_with(at)),
            "{told:?}"
        );
    }
}

fn told_of(config: &Value) -> Vec<crate::domain::invalid::Invalid> {
    told(config, false)
}

#[test]
fn roles_that_are_made_get_the_accounts_boundary() {
    let spec = sound(json!({
        "iam": {
            "withOIDC": true,
            "serviceAccounts": [{"metadata": {"name": "a"}, "attachPolicyARNs": [READ_ONLY]}],
            "podIdentityAssociations": [
                {"namespace": "b", "serviceAccountName": "c", "permissionPolicyARNs": [READ_ONLY]}
            ],
        },
        "addons": [
            {"name": "eks-pod-identity-agent"},
            {"name": "aws-efs-csi-driver", "wellKnownPolicies": {"efsCSIController": true},
             "permissionsBoundary": "arn:aws:iam::111111111111:policy/own"},
        ],
    }));
    let boundary = "arn:aws:iam::111111111111:policy/boundary";
    let stacks = spec.with_default_boundary(Some(boundary)).role_stacks();
    let boundaries: Vec<Option<&str>> = stacks
        .iter()
        .map(|stack| stack.role.permissions_boundary.as_deref())
        .collect();
    let own = Some("arn:aws:iam::111111111111:policy/own");
    assert_eq!(boundaries, [Some(boundary), own, Some(boundary)]);
}

/// Examples of eksctl's own, and of its guide.
#[test]
fn eksctls_examples_are_read_as_eksctl_reads_them() {
    let text = r#"
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: cluster-13, region: us-west-2}
iam:
  withOIDC: true
  serviceAccounts:
  - metadata:
      name: s3-reader
      labels: {aws-usage: "application"}
    attachPolicyARNs:
    - "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    - "arn:aws:iam::aws:policy/AmazonElastiCacheFullAccess"
    tags: {Owner: "John Doe"}
  - metadata: {name: cache-access, namespace: backend-apps}
    attachPolicyARNs: ["arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"]
  - metadata: {name: autoscaler-service, namespace: kube-system}
    attachPolicy:
      Version: "2012-10-17"
      Statement:
      - Effect: Allow
        Action: ["autoscaling:DescribeAutoScalingGroups"]
        Resource: '*'
"#;
    let config = ClusterConfig::from_yaml(text, Part::Whole).unwrap();
    let spec = super::ClusterSpec::of(config, false).unwrap();
    let names: Vec<String> = spec.role_stacks().into_iter().map(|one| one.name).collect();
    assert_eq!(
        names,
        [
            "eksctl-cluster-13-addon-iamserviceaccount-default-s3-reader",
            "eksctl-cluster-13-addon-iamserviceaccount-backend-apps-cache-access",
            "eksctl-cluster-13-addon-iamserviceaccount-kube-system-autoscaler-service",
        ]
    );
    let accounts = &spec.service_accounts;
    assert!(matches!(accounts[0].role, RoleSource::New(_)));
    assert_eq!(accounts[0].labels["aws-usage"], "application");
}
