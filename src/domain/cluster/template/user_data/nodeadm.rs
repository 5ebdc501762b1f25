//! Amazon Linux 2023: `NodeConfig`s, which `nodeadm` puts together.

use super::{Node, mime};
use crate::domain::decode::yaml_tree;
use serde_json::{Map, Value, json};

const CONFIG: &str = "application/node.eks.aws";

/// Scripts, then configs: with all that a node has to know (`whole`), or only with what goes beyond
/// that. None if there is nothing to tell.
pub(super) fn document(node: Node<'_>, whole: bool) -> Option<String> {
    let bootstrap = &node.nodegroup.bootstrap;
    let mut parts: Vec<(&str, String)> = Vec::new();
    let before = bootstrap.before.iter();
    parts.extend(before.map(|commands| (mime::SCRIPT, mime::script(commands))));
    // JSON is YAML, and needs no rules for quoting.
    let mut config = |config: Value| parts.push((CONFIG, config.to_string()));
    if whole {
        config(node_config(node));
    }
    if let Some(most) = bootstrap.max_pods {
        config(json!({
            "apiVersion": "node.eks.aws/v1alpha1",
            "kind": "NodeConfig",
            "spec": {"kubelet": {"config": {"maxPods": most}}},
        }));
    }
    if let Some(own) = bootstrap
        .instead
        .as_deref()
        .and_then(|text| yaml_tree(text).ok())
    {
        config(own);
    }
    (!parts.is_empty()).then(|| mime::document(&parts))
}

fn node_config(node: Node<'_>) -> Value {
    let (nodegroup, facts) = (node.nodegroup, node.facts);
    let dns = json!([node.cluster_dns()]);
    let mut kubelet: Map<String, Value> = nodegroup.bootstrap.kubelet.clone().unwrap_or_default();
    kubelet.entry("clusterDNS").or_insert(dns);
    let mut flags = vec![format!("--node-labels={}", node.labels())];
    if !nodegroup.taints.is_empty() {
        flags.push(format!("--register-with-taints={}", node.taints()));
    }
    json!({
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {
            "cluster": {
                "apiServerEndpoint": facts.endpoint,
                "certificateAuthority": facts.certificate_authority,
                "cidr": facts.service_cidr,
                "name": node.spec.name,
            },
            "kubelet": {"config": kubelet, "flags": flags},
        },
    })
}
