use super::*;
use serde_json::json;

fn wrong(mut tree: Value) -> Vec<Invalid> {
    wrong_keys(&mut tree)
}

#[test]
fn every_wrong_key_is_told_at_once_with_its_place() {
    let tree = json!({
        "metadata": {"name": "c", "region": "eu-central-1", "annotation": {}},
        "outpost": {"controlPlaneOutpostARN": "x"},
        "iam": {"serviceAccount": []},
        "nodeGroups": [{"name": "a"}, {"name": "b", "outpostARN": "x"}],
        "vpc": {"subnets": {"private": {"a/b": {"idd": "x"}}}},
        "fargateProfiles": [{"name": "p", "selectors": [{"namspace": "x"}]}]
    });
    let pointers: Vec<String> = wrong(tree).into_iter().map(|w| w.pointer).collect();
    assert_eq!(
        pointers,
        [
            "/fargateProfiles/0/selectors/0/namspace",
            "/iam/serviceAccount",
            "/metadata/annotation",
            "/nodeGroups/1/outpostARN",
            "/outpost",
            "/vpc/subnets/private/a~1b/idd",
        ]
    );
    let message = &wrong(json!({"vpc": {"ipFamily": 4}}))[0].message;
    assert!(
        message.starts_with("unknown field \"ipFamily\"") && message.contains("nat"),
        "{message}"
    );
}

#[test]
fn a_list_never_stands_for_an_object() {
    for tree in [
        json!({"vpc": []}),
        json!({"nodeGroups": [["ng"]]}),
        json!({"metadata": {"tags": ["a"]}}),
    ] {
        let message = &wrong(tree.clone())[0].message;
        assert_eq!(message, "expected an object with named fields", "{tree}");
    }
    assert_eq!(wrong(json!({"addons": {}}))[0].message, "expected a list");
    assert_eq!(wrong(json!([]))[0].pointer, "");
}

#[test]
fn a_key_that_no_cluster_can_be_created_with_is_refused_with_the_reason() {
    let wrong = wrong(json!({"karpenter": {"version": "1"}, "gitops": {}}));
    let told: Vec<&str> = wrong.iter().map(|w| w.pointer.as_str()).collect();
    assert_eq!(told, ["/gitops", "/karpenter"]);
    assert!(wrong[0].message.contains("flux"), "{}", wrong[0].message);
    assert!(wrong[1].message.contains("Helm"), "{}", wrong[1].message);
}

#[test]
fn what_aws_alone_sets_is_taken_out() {
    let profile = json!({"name": "a", "status": "ACTIVE", "arn": 1, "createdAt": []});
    let mut tree = json!({"fargateProfiles": [profile]});
    assert_eq!(wrong_keys(&mut tree), []);
    assert_eq!(tree, json!({"fargateProfiles": [{"name": "a"}]}));
}

#[test]
fn a_key_with_nothing_after_it_is_absent() {
    let mut tree = json!({"iam": null, "vpc": {"nat": null}, "addons": [{"tags": null}]});
    drop_nulls(&mut tree);
    assert_eq!(tree, json!({"vpc": {}, "addons": [{}]}));
}
