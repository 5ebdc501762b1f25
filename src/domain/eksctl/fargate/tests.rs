use super::*;
use crate::domain::eksctl::Part;

fn yaml(text: &str) -> Result<ClusterConfig, Vec<Invalid>> {
    ClusterConfig::from_yaml(text, Part::Fargate)
}

const HEAD: &str = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\n\
                    metadata:\n  name: c\n  region: eu-central-1\n";

fn errors(body: &str) -> Vec<Invalid> {
    let read = yaml(&format!("{HEAD}{body}"));
    read.and_then(FargatePart::of).unwrap_err()
}

fn error(body: &str) -> Invalid {
    let mut errors = errors(body);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

#[test]
fn the_guides_fargate_example_works_as_it_stands() {
    let text = include_str!("../../../../tests/data/fargate-example-cluster.yaml");
    let config = FargatePart::of(yaml(text).unwrap()).unwrap();
    assert_eq!(config.cluster.as_str(), "fargate-example-cluster");
    assert_eq!(config.region.as_str(), "ap-northeast-1");
    assert_eq!(config.role, None);
    let shown: Vec<String> = config
        .profiles
        .iter()
        .map(|profile| {
            let selectors: Vec<String> =
                profile.selectors.iter().map(ToString::to_string).collect();
            format!(
                "{}: {}",
                profile.name.as_ref().unwrap(),
                selectors.join(" ")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "fp-default: default kube-system",
            "fp-dev: dev{checks=passed,env=dev}"
        ]
    );
}

#[test]
fn of_the_file_that_a_cluster_was_made_from_the_fargate_part_is_taken() {
    let text = include_str!("../../../../tests/data/fargate-cluster.yaml");
    let config = FargatePart::of(yaml(text).unwrap()).unwrap();
    assert_eq!(config.passed_over, ["nodeGroups"]);
    assert!(!config.profiles.is_empty());
    let warning = config.warning().unwrap();
    assert_eq!(
        warning.message,
        "only the Fargate part of the file was acted on; nothing was done with: nodeGroups"
    );
}

#[test]
fn every_section_that_is_passed_over_is_named() {
    let profiles = "fargateProfiles:\n- {name: a, selectors: [{namespace: x}], status: ACTIVE}\n";
    let text = format!(
        "{HEAD}vpc: {{}}\naddons: []\niam: {{withOIDC: true, serviceAccounts: null}}\n{profiles}"
    );
    let config = yaml(&text).unwrap();
    assert_eq!(config.passed_over, ["addons", "vpc", "iam.withOIDC"]);
    let plain = yaml(&format!("{HEAD}{profiles}")).unwrap();
    assert_eq!(FargatePart::of(plain).unwrap().warning(), None);
}

#[test]
fn an_unknown_key_is_pointed_at() {
    assert_eq!(error("fargateProfile: []\n").pointer, "/fargateProfile");
    let deep = error("fargateProfiles:\n- name: a\n  selectors:\n  - namspace: x\n");
    assert_eq!(deep.pointer, "/fargateProfiles/0/selectors/0/namspace");
    assert!(
        deep.message.starts_with("unknown field \"namspace\""),
        "{deep}"
    );
}

#[test]
fn the_errors_of_a_profile_are_eksctls_under_its_place() {
    let body = "fargateProfiles:\n- name: a\n  selectors: [{namespace: x}]\n\
                - name: b\n  selectors:\n  - labels: {k: v}\n- selectors: [{namespace: z}]\n";
    let told: Vec<String> = errors(body).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "/fargateProfiles/1/selectors/0/namespace: invalid Fargate profile \"b\": invalid \
             profile selector at index #0: empty namespace",
            "/fargateProfiles/2/name: invalid Fargate profile: empty name",
        ]
    );
}

#[test]
fn a_name_may_occur_once() {
    let body = "fargateProfiles:\n- {name: a, selectors: [{namespace: x}]}\n\
                - {name: a, selectors: [{namespace: z}]}\n";
    assert_eq!(error(body).pointer, "/fargateProfiles/1/name");
}

#[test]
fn a_file_without_profiles_has_nothing_to_do() {
    for body in ["", "fargateProfiles:\n", "fargateProfiles: []\n"] {
        assert_eq!(
            error(body),
            Invalid::new(
                "/fargateProfiles",
                "fargateProfiles is missing or empty, so there is nothing to do"
            )
        );
    }
}

/// As eksctl's reader has them.
#[test]
fn label_values_may_be_numbers_and_flags_that_mean_what_they_say() {
    let body = |value: &str| {
        format!(
            "fargateProfiles:\n- name: a\n  selectors:\n  - namespace: x\n    labels: {{k: {value}}}\n"
        )
    };
    for (value, read) in [
        ("true", "true"),
        ("1", "1"),
        ("1.5", "1.5"),
        ("yes", "true"),
    ] {
        let config = yaml(&format!("{HEAD}{}", body(value))).and_then(FargatePart::of);
        let config = config.unwrap();
        assert_eq!(config.profiles[0].selectors[0].labels["k"], read, "{value}");
    }
    let told = error(&body("1.10"));
    assert_eq!(told.pointer, "/fargateProfiles/0/selectors/0/labels/k");
    let message =
        "1.10 without quotes is the number 1.1: put it in quotes, \"1.10\" (line 10, column 14)";
    assert_eq!(told.message, message);
}

#[test]
fn the_head_is_checked() {
    let text = "apiVersion: eksctl.io/v1\nkind: Cluster\nmetadata: {name: '', region: Mars}\n\
                iam: {fargatePodExecutionRoleARN: x}\n\
                fargateProfiles: [{name: a, selectors: [{namespace: x}]}]\n";
    let told = FargatePart::of(yaml(text).unwrap()).unwrap_err();
    let pointers: Vec<&str> = told.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/apiVersion",
            "/kind",
            "/metadata/name",
            "/metadata/region",
            "/iam/fargatePodExecutionRoleARN"
        ]
    );
    assert_eq!(
        told[0].message,
        r#"expected "eksctl.io/v1alpha5", found "eksctl.io/v1""#
    );
    assert!(
        yaml("- a\n").unwrap_err()[0]
            .message
            .starts_with("expected a Cl")
    );
}

#[test]
fn json_reads_as_yaml_does() {
    let text = r#"{"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
        "metadata": {"name": "c", "region": "eu-central-1"},
        "iam": {"fargatePodExecutionRoleARN": "arn:aws:iam::111111111111:role/pods"},
        "fargateProfiles": [{"name": "a", "selectors": [{"namespace": "x"}]}]}"#;
    let from_json = ClusterConfig::from_json(text, Part::Fargate).unwrap();
    assert_eq!(from_json, yaml(text).unwrap());
    let valid = FargatePart::of(from_json).unwrap();
    assert_eq!(valid.role.unwrap().role_name(), "pods");
}

#[test]
fn a_hundred_profiles_are_the_most() {
    let profile = |i: usize| format!("- {{name: p{i}, selectors: [{{namespace: x}}]}}\n");
    let file = |n: usize| -> String { (0..n).map(profile).collect() };
    let read = |n| yaml(&format!("{HEAD}fargateProfiles:\n{}", file(n)));
    assert!(read(100).and_then(FargatePart::of).is_ok());
    assert!(read(101).and_then(FargatePart::of).is_err());
}
