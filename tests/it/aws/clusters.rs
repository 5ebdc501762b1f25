//! Clusters and add-ons, as EKS words them.

use std::collections::BTreeMap;

use fargate_fleet::aws::Class;
use fargate_fleet::aws::clusters::{AddonInput, ResolveConflicts};
use serde_json::{Value, json};

use super::support::{CLUSTER, Scripted};

fn coredns() -> AddonInput {
    AddonInput {
        name: "coredns".to_owned(),
        version: None,
        configuration_values: Some(r#"{"computeType":"Fargate"}"#.to_owned()),
        service_account_role_arn: None,
        pod_identities: Vec::new(),
        namespace: None,
        resolve_conflicts: Some(ResolveConflicts::Preserve),
        tags: BTreeMap::new(),
        client_request_token: "job-1-coredns".to_owned(),
    }
}

#[tokio::test]
async fn a_cluster_is_shown_with_all_that_later_steps_need() {
    let cluster = json!({ "cluster": {
        "name": CLUSTER,
        "arn": "arn:aws:eks:eu-central-1:111111111111:cluster/prod-1",
        "createdAt": 1_767_225_600.123_456,
        "version": "1.34",
        "endpoint": "https://1.eks.amazonaws.com",
        "resourcesVpcConfig": {
            "subnetIds": ["subnet-1"],
            "securityGroupIds": ["sg-1"],
            "clusterSecurityGroupId": "sg-2",
            "vpcId": "vpc-1",
            "endpointPublicAccess": false,
            "endpointPrivateAccess": true,
        },
        "kubernetesNetworkConfig": { "serviceIpv4Cidr": "10.100.0.0/16", "ipFamily": "ipv4" },
        "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" },
        "identity": { "oidc": { "issuer": "https://oidc.eks/id/1" } },
        "status": "BEING_PAINTED",
        "certificateAuthority": { "data": "UEVN" },
        "tags": { "team": "platform" },
        "health": { "issues": [{ "code": "Ec2SubnetNotFound", "message": "gone" }] },
    }});
    let aws = Scripted::new(&[(200, &cluster.to_string())]);
    let clusters = aws.caller().await.clusters();
    let view = clusters.cluster(CLUSTER).await.unwrap().unwrap();
    aws.calls();
    insta::assert_json_snapshot!(view);
}

#[tokio::test]
async fn an_addon_is_asked_for_with_its_values_and_token() {
    let addon = json!({ "addon": { "addonName": "coredns", "status": "CREATING" } }).to_string();
    let update = json!({ "update": { "id": "1" } }).to_string();
    let aws = Scripted::new(&[(200, &addon), (200, &update), (200, &addon)]);
    let clusters = aws.caller().await.clusters();
    clusters.create_addon(CLUSTER, coredns()).await.unwrap();
    clusters.update_addon(CLUSTER, coredns()).await.unwrap();
    let found = clusters.addon(CLUSTER, "coredns").await.unwrap().unwrap();
    assert_eq!(found.status.as_deref(), Some("CREATING"));

    let calls = aws.calls();
    assert_eq!(calls[0].path, "/clusters/prod-1/addons");
    assert_eq!(calls[1].path, "/clusters/prod-1/addons/coredns/update");
    for call in &calls[..2] {
        let sent: Value = serde_json::from_str(&call.body).unwrap();
        assert_eq!(sent["configurationValues"], r#"{"computeType":"Fargate"}"#);
        assert_eq!(sent["resolveConflicts"], "PRESERVE");
        assert_eq!(sent["clientRequestToken"], "job-1-coredns");
        assert_eq!(sent.get("tags"), None);
    }
}

#[tokio::test]
async fn what_is_not_there_is_none_unless_the_cluster_is_what_is_missing() {
    let refusal =
        |message: &str| json!({ "__type": "ResourceNotFoundException", "message": message });
    let addon = refusal("No addon: coredns found in cluster: prod-1").to_string();
    let cluster = refusal("No cluster found for name: prod-1.").to_string();
    let aws = Scripted::new(&[(404, &addon), (404, &cluster), (404, &cluster)]);
    let clusters = aws.caller().await.clusters();
    assert_eq!(clusters.addon(CLUSTER, "coredns").await.unwrap(), None);
    let gone = clusters.addon(CLUSTER, "coredns").await.unwrap_err();
    assert_eq!(gone.class, Class::ClusterNotFound);
    assert_eq!(clusters.cluster(CLUSTER).await.unwrap(), None);
    aws.calls();
}

#[tokio::test]
async fn names_are_listed_over_all_pages() {
    let page =
        |key: &str, name: &str, next: Value| json!({ key: [name], "nextToken": next }).to_string();
    let aws = Scripted::new(&[
        (200, &page("clusters", "a", json!("more"))),
        (200, &page("clusters", "b", Value::Null)),
        (200, &page("addons", "coredns", Value::Null)),
        (200, &page("nodegroups", "ng-1", json!(""))),
    ]);
    let clusters = aws.caller().await.clusters();
    assert_eq!(clusters.cluster_names().await.unwrap(), ["a", "b"]);
    assert_eq!(clusters.addon_names(CLUSTER).await.unwrap(), ["coredns"]);
    assert_eq!(clusters.nodegroup_names(CLUSTER).await.unwrap(), ["ng-1"]);
    assert_eq!(aws.calls().len(), 4);
}
