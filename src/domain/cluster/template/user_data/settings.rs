//! Bottlerocket: settings in TOML.

use super::super::{launch, toml};
use super::Node;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// All that a node has to know.
pub(super) fn own(node: Node<'_>) -> String {
    let mut settings = given(node);
    let labels = launch::labels(node.spec, node.nodegroup);
    set(&mut settings, &["kubernetes", "node-labels"], json!(labels));
    let mut taints: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for taint in &node.nodegroup.taints {
        let values = taints.entry(&taint.key).or_default();
        values.push(format!("{}:{}", taint.value, taint.effect));
    }
    if !taints.is_empty() {
        set(&mut settings, &["kubernetes", "node-taints"], json!(taints));
    }
    if let Some(address) = &node.nodegroup.bootstrap.cluster_dns {
        set(
            &mut settings,
            &["kubernetes", "cluster-dns-ip"],
            json!(address),
        );
    }
    text(settings)
}

/// What EKS, which tells nodes of labels and taints itself, is told beyond that.
pub(super) fn managed(node: Node<'_>) -> String {
    text(given(node))
}

/// The caller's settings, and those by which a node finds its cluster.
fn given(node: Node<'_>) -> Map<String, Value> {
    let bootstrap = &node.nodegroup.bootstrap;
    let mut settings = bootstrap.bottlerocket.clone().unwrap_or_default();
    for (key, value) in [
        ("api-server", json!(node.facts.endpoint)),
        (
            "cluster-certificate",
            json!(node.facts.certificate_authority),
        ),
        ("cluster-name", json!(node.spec.name)),
    ] {
        set(&mut settings, &["kubernetes", key], value);
    }
    if let Some(most) = bootstrap.max_pods {
        set(&mut settings, &["kubernetes", "max-pods"], json!(most));
    }
    if let Some(enabled) = bootstrap.admin_container {
        let path = ["host-containers", "admin", "enabled"];
        set(&mut settings, &path, json!(enabled));
    }
    settings
}

/// Puts a value where there is none yet.
fn set(of: &mut Map<String, Value>, path: &[&str], value: Value) {
    let [name, rest @ ..] = path else { return };
    if rest.is_empty() {
        of.entry(*name).or_insert(value);
    } else if let Value::Object(inner) = of.entry(*name).or_insert_with(|| json!({})) {
        set(inner, rest, value);
    }
}

fn text(settings: Map<String, Value>) -> String {
    let mut tree = Map::new();
    tree.insert("settings".to_owned(), Value::Object(settings));
    toml::tables(&tree)
}
