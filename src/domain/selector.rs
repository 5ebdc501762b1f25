//! Selectors: which pods a Fargate profile takes.

use super::wildcard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The labels that CoreDNS pods carry on EKS.
const COREDNS_LABELS: [(&str, &str); 2] = [
    ("eks.amazonaws.com/component", "coredns"),
    ("k8s-app", "kube-dns"),
];

/// A namespace, and labels that a pod in it must all carry. `*` and `?` are wildcards in each.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub struct Selector {
    /// The Kubernetes namespace.
    #[schema(max_length = 253, examples("kube-system"))]
    pub namespace: String,
    /// Labels that the pod must carry, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(schema_with = super::schema::labels)]
    pub labels: BTreeMap<String, String>,
}

impl Selector {
    /// A selector of everything in a namespace.
    pub fn of_namespace(namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            labels: BTreeMap::new(),
        }
    }

    /// Whether a pod in `namespace` that carries `labels` is taken.
    #[must_use]
    pub fn matches(&self, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
        let pod_has = |key: &str, value: &str| {
            labels
                .iter()
                .any(|(k, v)| wildcard::matches(key, k) && wildcard::matches(value, v))
        };
        wildcard::matches(&self.namespace, namespace)
            && self.labels.iter().all(|(key, value)| pod_has(key, value))
    }

    /// Whether the pods of CoreDNS are taken.
    #[must_use]
    pub fn catches_coredns(&self) -> bool {
        let labels = COREDNS_LABELS.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.matches("kube-system", &BTreeMap::from(labels))
    }

    /// Whether every pod that `other` takes is taken by this one too. Errs towards no.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let implied = |(key, value): (&String, &String)| {
            other
                .labels
                .iter()
                .any(|(k, v)| wildcard::covers(key, k) && wildcard::covers(value, v))
        };
        wildcard::covers(&self.namespace, &other.namespace) && self.labels.iter().all(implied)
    }

    /// Whether one pod could be taken by both. Errs towards yes where wildcards stand in keys.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let possible = |(key, value): (&String, &String)| {
            other
                .labels
                .get(key)
                .is_none_or(|theirs| has_wildcard(key) || wildcard::overlap(value, theirs))
        };
        wildcard::overlap(&self.namespace, &other.namespace) && self.labels.iter().all(possible)
    }
}

impl std::fmt::Display for Selector {
    /// `namespace` or `namespace{k=v,k=v}`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.namespace)?;
        for (i, (key, value)) in self.labels.iter().enumerate() {
            let open = if i == 0 { '{' } else { ',' };
            write!(f, "{open}{key}={value}")?;
        }
        if self.labels.is_empty() {
            Ok(())
        } else {
            f.write_str("}")
        }
    }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn selector(namespace: &str, pairs: &[(&str, &str)]) -> Selector {
        Selector {
            namespace: namespace.to_owned(),
            labels: labels(pairs),
        }
    }

    #[test]
    fn a_selector_needs_its_namespace_and_all_its_labels() {
        let s = selector("dev", &[("env", "dev"), ("checks", "passed")]);
        let pod = labels(&[("env", "dev"), ("checks", "passed"), ("more", "x")]);
        assert!(s.matches("dev", &pod));
        assert!(!s.matches("dev2", &pod));
        assert!(!s.matches("dev", &labels(&[("env", "dev")])));
        assert!(selector("dev", &[]).matches("dev", &labels(&[])));
    }

    #[test]
    fn wildcards_work_in_namespace_keys_and_values() {
        let s = selector("team-*", &[("*/tier", "front?")]);
        assert!(s.matches("team-a", &labels(&[("example.com/tier", "front1")])));
        assert!(!s.matches("team-a", &labels(&[("example.com/tier", "front")])));
        // Key and value must be of one label.
        assert!(!s.matches(
            "team-a",
            &labels(&[("x/tier", "back"), ("other", "front1")])
        ));
    }

    #[test]
    fn coredns_is_recognised_through_labels_and_wildcards() {
        for (namespace, pairs) in [
            ("kube-system", &[][..]),
            ("kube-*", &[]),
            ("*", &[]),
            ("kube-system", &[("k8s-app", "kube-dns")]),
            ("kube-system", &[("eks.amazonaws.com/component", "coredns")]),
            ("kube-system", &[("k8s-*", "kube-???")]),
        ] {
            assert!(
                selector(namespace, pairs).catches_coredns(),
                "{namespace} {pairs:?}"
            );
        }
        assert!(!selector("default", &[]).catches_coredns());
        assert!(!selector("kube-system", &[("k8s-app", "metrics-server")]).catches_coredns());
    }

    #[test]
    fn covering_and_overlapping_are_told_apart() {
        let all = selector("*", &[]);
        let dev = selector("dev", &[("env", "dev")]);
        let prod = selector("dev", &[("env", "prod")]);
        assert!(all.covers(&dev) && !dev.covers(&all));
        assert!(all.overlaps(&dev) && dev.overlaps(&all));
        assert!(!dev.overlaps(&prod));
        assert!(dev.overlaps(&selector("dev", &[("tier", "x")])));
        assert!(!dev.overlaps(&selector("qa", &[])));
    }

    #[test]
    fn a_selector_reads_as_namespace_and_labels() {
        assert_eq!(selector("a", &[]).to_string(), "a");
        assert_eq!(
            selector("a", &[("k", "v"), ("b", "w")]).to_string(),
            "a{b=w,k=v}"
        );
    }
}
