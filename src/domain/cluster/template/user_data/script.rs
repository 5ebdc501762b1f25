//! Amazon Linux 2 and Ubuntu: scripts that call `/etc/eks/bootstrap.sh`.
//!
//! Commands of callers' own may source the helper and use its variables, as they may with eksctl: so
//! its path and their names are eksctl's.

use super::{Node, mime};
use serde_json::{Value, json};
use std::fmt::Write as _;

const SETTINGS: &str = "/etc/eksctl/kubelet.env";
const KUBELET: &str = "/etc/eksctl/kubelet-extra.json";
const SCRIPTS: &str = "/var/lib/cloud/scripts/eksctl";
const HELPER: &str = include_str!("bootstrap_helper.sh");
const AMAZON_LINUX_2: &str = include_str!("bootstrap_al2.sh");
const UBUNTU: &str = include_str!("bootstrap_ubuntu.sh");

/// Files, and what is run in which order.
pub(super) fn cloud_config(node: Node<'_>) -> String {
    let nodegroup = node.nodegroup;
    let shell = |commands: &String| json!(["/bin/bash", "-c", commands]);
    let mut run: Vec<Value> = nodegroup.bootstrap.before.iter().map(shell).collect();
    let kubelet = nodegroup.bootstrap.kubelet.clone().unwrap_or_default();
    let mut files = vec![
        file(KUBELET, "0644", &Value::Object(kubelet).to_string()),
        file(SETTINGS, "0644", &settings(node)),
        file(&format!("{SCRIPTS}/bootstrap.helper.sh"), "0755", HELPER),
    ];
    if let Some(own) = &nodegroup.bootstrap.instead {
        run.push(shell(own));
    } else {
        let (name, script) = if nodegroup.image.family.is_ubuntu() {
            ("bootstrap.ubuntu.sh", UBUNTU)
        } else {
            ("bootstrap.al2.sh", AMAZON_LINUX_2)
        };
        let path = format!("{SCRIPTS}/{name}");
        files.push(file(&path, "0755", script));
        run.push(json!([path]));
    }
    // JSON is YAML, and needs no rules for quoting.
    let config = json!({"runcmd": run, "write_files": files});
    format!("#cloud-config\n{config}")
}

fn file(path: &str, permissions: &str, content: &str) -> Value {
    json!({"content": content, "owner": "root:root", "path": path, "permissions": permissions})
}

/// `NAME=value`, one a line.
fn settings(node: Node<'_>) -> String {
    let (nodegroup, facts) = (node.nodegroup, node.facts);
    let most = nodegroup.bootstrap.max_pods;
    let pairs = [
        ("API_SERVER_URL", facts.endpoint.clone()),
        ("B64_CLUSTER_CA", facts.certificate_authority.clone()),
        ("CLUSTER_DNS", node.cluster_dns()),
        ("CLUSTER_NAME", node.spec.name.to_string()),
        ("CONTAINER_RUNTIME", "containerd".to_owned()),
        (
            "MAX_PODS",
            most.map(|most| most.to_string()).unwrap_or_default(),
        ),
        ("NODE_LABELS", node.labels()),
        ("NODE_TAINTS", node.taints()),
    ];
    let lines = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    lines.fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name}={value}");
        text
    })
}

/// What a managed nodegroup of Amazon Linux 2 runs before EKS makes its nodes join; or in place of
/// that, with an image of the caller's own.
pub(super) fn before_eks(node: Node<'_>) -> Option<String> {
    let bootstrap = &node.nodegroup.bootstrap;
    let mut scripts = bootstrap.before.clone();
    scripts.extend(bootstrap.instead.clone());
    if let Some(most) = bootstrap.max_pods.filter(|_| bootstrap.instead.is_none()) {
        // EKS calls bootstrap.sh later, with arguments of its own.
        scripts.push(format!(
            "set -e\nsed -i 's/KUBELET_EXTRA_ARGS=$2/KUBELET_EXTRA_ARGS=\"$2 --max-pods={most}\"/' \
             /etc/eks/bootstrap.sh"
        ));
    }
    let parts = scripts
        .iter()
        .map(|commands| (mime::SCRIPT, mime::script(commands)));
    let parts: Vec<(&str, String)> = parts.collect();
    (!parts.is_empty()).then(|| mime::document(&parts))
}
