//! An add-on of a cluster and its life. Whether it is healthy is worked out when somebody looks.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::catalog;
use super::clock::{Clock, epoch_seconds, wall};
use super::text::glob;

/// The minor version of clusters that are there from the start.
const NEWEST_DEFAULT: u32 = 34;

/// The labels of the pods of those add-ons that need a place to run on: the others follow the nodes.
const PODS: [(&str, &[(&str, &str)]); 5] = [
    ("aws-ebs-csi-driver", &[("app", "ebs-csi-controller")]),
    ("aws-efs-csi-driver", &[("app", "efs-csi-controller")]),
    (
        "coredns",
        &[
            ("eks.amazonaws.com/component", "coredns"),
            ("k8s-app", "kube-dns"),
        ],
    ),
    (
        "metrics-server",
        &[
            ("app.kubernetes.io/instance", "metrics-server"),
            ("app.kubernetes.io/name", "metrics-server"),
        ],
    ),
    ("snapshot-controller", &[("app", "snapshot-controller")]),
];

/// How long EKS waits for an add-on's pods before it calls it degraded.
const GIVES_UP: Duration = Duration::from_mins(15);

/// Where an add-on is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Ends no earlier than then, and when its pods run; else when EKS gives up on them.
    Creating {
        until: Duration,
        gives_up: Duration,
    },
    Settled,
    Updating(Duration),
    Deleting(Duration),
}

/// An update that was asked for.
#[derive(Debug, Clone)]
pub(super) struct Update {
    pub id: String,
    pub created_at: DateTime<Utc>,
    pub until: Duration,
    pub params: Value,
}

#[derive(Debug, Clone)]
pub(super) struct Addon {
    pub arn: String,
    pub created_at: DateTime<Utc>,
    pub modified_at: DateTime<Utc>,
    pub version: String,
    pub role_arn: Option<String>,
    pub configuration: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// The ARNs of its pod identity associations.
    pub identities: Vec<String>,
    /// In place of its own.
    pub namespace: Option<String>,
    pub stage: Stage,
    /// Since when its pods are there. A profile that turned active later does not catch them.
    pub pods_since: Duration,
    /// The token it was created with.
    pub token: Option<String>,
    /// Newest last.
    pub updates: Vec<Update>,
}

impl Addon {
    /// One that is there, as in a cluster that has been in use.
    pub(super) fn settled(arn: String, name: &str) -> Self {
        let now = wall();
        Self {
            arn,
            created_at: now,
            modified_at: now,
            version: catalog::offer("", name)
                .and_then(|offer| offer.default_version(NEWEST_DEFAULT))
                .unwrap_or("v1.0.0-eksbuild.1")
                .to_owned(),
            role_arn: None,
            configuration: None,
            tags: BTreeMap::new(),
            identities: Vec::new(),
            namespace: None,
            stage: Stage::Settled,
            pods_since: Duration::ZERO,
            token: None,
            updates: Vec::new(),
        }
    }

    /// Begins its creation, which takes so long where its pods can run.
    pub(super) fn begin(&mut self, now: Duration, takes: Duration, clock: &Clock) {
        self.stage = Stage::Creating {
            until: now + takes,
            gives_up: now + clock.scale(GIVES_UP).max(takes),
        };
        self.pods_since = now;
    }

    /// Makes its pods anew, as a rollout does.
    pub(super) fn roll_out(&mut self, now: Duration) {
        self.pods_since = now;
    }

    pub(super) fn is_being_created(&self) -> bool {
        matches!(self.stage, Stage::Creating { .. })
    }

    /// Brings it up to `now`; `false` when it is gone.
    pub(super) fn settle(&mut self, now: Duration, can_run: bool) -> bool {
        match self.stage {
            Stage::Creating { until, gives_up } if until <= now && (can_run || gives_up <= now) => {
                self.stage = Stage::Settled;
            }
            Stage::Updating(until) if until <= now => self.stage = Stage::Settled,
            Stage::Deleting(until) if until <= now => return false,
            _ => {}
        }
        true
    }

    pub(super) fn status(&self, can_run: bool) -> &'static str {
        match self.stage {
            Stage::Creating { .. } => "CREATING",
            Stage::Updating(_) => "UPDATING",
            Stage::Deleting(_) => "DELETING",
            Stage::Settled if can_run => "ACTIVE",
            Stage::Settled => "DEGRADED",
        }
    }

    /// Whether its configuration asks for Fargate.
    pub(super) fn wants_fargate(&self) -> bool {
        let configuration = self.configuration.as_deref().unwrap_or("{}");
        serde_saphyr::from_str::<Value>(configuration).is_ok_and(|value| {
            let kind = value.get("computeType").and_then(Value::as_str);
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case("fargate"))
        })
    }

    pub(super) fn view(&self, cluster: &str, name: &str, can_run: bool) -> Value {
        let status = self.status(can_run);
        let mut issues = Vec::new();
        if status == "DEGRADED" {
            issues.push(json!({
                "code": "InsufficientNumberOfReplicas",
                "message": "The add-on is unhealthy because it doesn't have the desired number of replicas.",
            }));
        }
        let mut view = json!({
            "addonName": name,
            "clusterName": cluster,
            "status": status,
            "addonVersion": self.version,
            "health": {"issues": issues},
            "addonArn": self.arn,
            "createdAt": epoch_seconds(self.created_at),
            "modifiedAt": epoch_seconds(self.modified_at),
            "tags": self.tags,
            "owner": "aws",
        });
        if let Some(role) = &self.role_arn {
            view["serviceAccountRoleArn"] = Value::from(role.as_str());
        }
        if !self.identities.is_empty() {
            view["podIdentityAssociations"] = Value::from(self.identities.clone());
        }
        if let Some(namespace) = &self.namespace {
            view["namespaceConfig"] = json!({ "namespace": namespace });
        }
        if let Some(configuration) = &self.configuration {
            view["configurationValues"] = Value::from(configuration.as_str());
        }
        view
    }
}

impl Update {
    pub(super) fn view(&self, now: Duration) -> Value {
        json!({
            "id": self.id,
            "status": if self.until <= now { "Successful" } else { "InProgress" },
            "type": "AddonUpdate",
            "params": self.params,
            "createdAt": epoch_seconds(self.created_at),
            "errors": [],
        })
    }
}

/// The labels of an add-on's pods, when these need a place to run on.
pub(super) fn pod_labels(name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    PODS.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, labels)| *labels)
}

/// Whether a selector catches pods with these labels in `kube-system`.
pub(super) fn catches(selector: &super::selector::Selector, labels: &[(&str, &str)]) -> bool {
    glob(&selector.namespace, "kube-system")
        && selector
            .labels
            .iter()
            .all(|(key, value)| labels.iter().any(|(k, v)| glob(key, k) && glob(value, v)))
}

/// What is wrong with configuration values, in EKS's words.
pub(super) fn check_configuration(name: &str, text: &str) -> Result<(), String> {
    let refused =
        |why: String| format!("ConfigurationValue provided in request is not supported: {why}");
    // JSON is YAML, too.
    let value: Value = serde_saphyr::from_str(text)
        .map_err(|error| refused(format!("it is neither JSON nor YAML: {error}")))?;
    let members = value
        .as_object()
        .ok_or_else(|| refused("it is no object".to_owned()))?;
    let known = catalog::schema(name);
    let unknown = members
        .keys()
        .find(|key| known.is_some_and(|known| !known.contains(&key.as_str())));
    match unknown {
        Some(key) => Err(refused(format!(
            "Json schema validation failed with error: [$.{key}: is not defined in the schema and \
             the schema does not allow additional properties]"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::selector::Selector;

    #[test]
    fn selectors_catch_by_namespace_and_all_their_labels() {
        let labels = pod_labels("coredns").unwrap();
        let selector = |namespace: &str, pairs: &[(&str, &str)]| Selector {
            namespace: namespace.into(),
            labels: pairs
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
        };
        assert!(catches(&selector("kube-system", &[]), labels));
        assert!(catches(
            &selector("kube-*", &[("k8s-app", "kube-?ns")]),
            labels
        ));
        assert!(!catches(&selector("default", &[]), labels));
        assert!(!catches(&selector("*", &[("k8s-app", "other")]), labels));
        assert!(pod_labels("vpc-cni").is_none());
    }

    #[test]
    fn the_configuration_of_coredns_has_a_schema() {
        assert_eq!(
            check_configuration("coredns", r#"{"computeType": "Fargate"}"#),
            Ok(())
        );
        assert_eq!(check_configuration("vpc-cni", r#"{"env": {}}"#), Ok(()));
        assert_eq!(check_configuration("coredns", "replicaCount: 3"), Ok(()));
        for bad in ["{", "[]", r#"{"computetype": "Fargate"}"#] {
            assert!(check_configuration("coredns", bad).is_err(), "{bad}");
        }
        let bad = check_configuration("vpc-cni", r#"{"replicas": 1}"#);
        assert!(bad.unwrap_err().contains("$.replicas"));
    }
}
