//! What a self-managed node of Amazon Linux 2023 has to know to join its cluster.

use super::{ClusterFacts, launch};
use crate::domain::cluster::spec::{ClusterSpec, NodegroupSpec};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const BOUNDARY: &str = "node-config";

/// The user data: one `NodeConfig` in a MIME document, in Base64.
pub(super) fn encoded(
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> String {
    let config = node_config(spec, nodegroup, facts);
    let lines = [
        "MIME-Version: 1.0",
        &format!("Content-Type: multipart/mixed; boundary={BOUNDARY}"),
        "",
        &format!("--{BOUNDARY}"),
        "Content-Type: application/node.eks.aws",
        "",
        // JSON is YAML, and needs no rules for quoting.
        &config.to_string(),
        &format!("--{BOUNDARY}--"),
        "",
    ];
    STANDARD.encode(lines.join("\r\n"))
}

fn node_config(spec: &ClusterSpec, nodegroup: &NodegroupSpec, facts: &ClusterFacts) -> Value {
    let labels = launch::labels(spec, nodegroup);
    let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    json!({
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {
            "cluster": {
                "apiServerEndpoint": facts.endpoint,
                "certificateAuthority": facts.certificate_authority,
                "cidr": facts.service_cidr,
                "name": spec.name,
            },
            "kubelet": {
                "config": {"clusterDNS": [facts.cluster_dns()]},
                "flags": [format!("--node-labels={}", labels.join(","))],
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cluster::samples;

    #[test]
    fn a_node_is_told_its_cluster_and_its_labels() {
        let spec = samples::guide();
        let text = encoded(&spec, &spec.nodegroups[0], &ClusterFacts::placeholder());
        let text = String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
        let (head, body) = text.split_once("application/node.eks.aws\r\n\r\n").unwrap();
        assert!(head.starts_with("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="));
        let (config, end) = body.split_once("\r\n").unwrap();
        assert_eq!(end, "--node-config--\r\n");
        let config: Value = serde_json::from_str(config).unwrap();
        assert_eq!(config["spec"]["cluster"]["name"], "fargate-cluster");
        assert_eq!(
            config["spec"]["kubelet"]["flags"][0],
            "--node-labels=alpha.eksctl.io/cluster-name=fargate-cluster,\
             alpha.eksctl.io/nodegroup-name=ng-1"
        );
        assert_eq!(
            config["spec"]["kubelet"]["config"]["clusterDNS"][0],
            "10.100.0.10"
        );
    }
}
