//! Labels and taints of nodes.

use super::super::tags;
use super::MAX_LABELS;
use crate::domain::eksctl::nodegroup::NodeGroupTaint;
use crate::domain::eksctl::nodegroup::taints::{is_domain, is_label_word};
use crate::domain::invalid::{Invalid, pointer_token, quoted};
use std::collections::{BTreeMap, BTreeSet};

const MAX_TAINTS: usize = 50;

/// Looks at the `taints` of the nodegroup at `at`.
pub(super) fn check_taints(taints: &[NodeGroupTaint], at: &str, wrong: &mut Vec<Invalid>) {
    if taints.len() > MAX_TAINTS {
        let message = format!("EKS takes at most {MAX_TAINTS} taints");
        wrong.push(Invalid::new(format!("{at}/taints"), message));
        return;
    }
    let mut taken = BTreeSet::new();
    for (i, taint) in taints.iter().enumerate() {
        let at = format!("{at}/taints/{i}");
        let told = taint.wrong().into_iter();
        wrong.extend(told.map(|(key, message)| Invalid::new(format!("{at}/{key}"), message)));
        if !taken.insert((&taint.key, &taint.effect)) {
            let message = "another taint has the same key and effect";
            wrong.push(Invalid::new(at, message));
        }
    }
}

/// Looks at the `labels` of the nodegroup at `at`.
pub(super) fn check_labels(labels: &BTreeMap<String, String>, at: &str, wrong: &mut Vec<Invalid>) {
    if labels.len() > MAX_LABELS {
        let message = format!("at most {MAX_LABELS} labels");
        wrong.push(Invalid::new(format!("{at}/labels"), message));
        return;
    }
    if tags::bytes(labels.iter()) > tags::MAX_BYTES {
        let message = format!(
            "at most {} bytes of keys and values together, as nodes get no more user data",
            tags::MAX_BYTES
        );
        wrong.push(Invalid::new(format!("{at}/labels"), message));
    }
    for (key, value) in labels {
        let pointer = format!("{at}/labels/{}", pointer_token(key));
        if let Some(message) = wrong_key(key) {
            wrong.push(Invalid::new(pointer.as_str(), message));
        }
        if !value.is_empty() && !is_label_word(value) {
            let message = format!(
                "invalid label value {}: expected at most 63 letters, digits, -, _ or ., the first \
                 and last a letter or digit",
                quoted(value)
            );
            wrong.push(Invalid::new(pointer, message));
        }
    }
}

fn wrong_key(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if !is_label_word(name) || prefix.is_some_and(|prefix| !is_domain(prefix)) {
        return Some(format!(
            "invalid label key {}: expected at most 63 letters, digits, -, _ or ., after a domain \
             and / if need be",
            quoted(key)
        ));
    }
    let prefix = prefix.unwrap_or_default();
    let under = |domain: &str| {
        prefix == domain
            || prefix
                .strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    let kubernetes = under("kubernetes.io") || under("k8s.io");
    let allowed = under("kubelet.kubernetes.io") || under("node.kubernetes.io");
    if kubernetes && !allowed {
        return Some(format!(
            "nodes may not label themselves with {}: under kubernetes.io and k8s.io only \
             node.kubernetes.io/ and kubelet.kubernetes.io/ are allowed",
            quoted(key)
        ));
    }
    under("alpha.eksctl.io").then(|| "this label is set by the creation itself".to_owned())
}
