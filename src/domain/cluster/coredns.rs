//! Whether `CoreDNS` has to move onto Fargate.

use crate::domain::selector::Selector;

/// The namespace of the `CoreDNS` Deployment.
pub const NAMESPACE: &str = "kube-system";
/// The name of the `CoreDNS` Deployment, and of the EKS add-on.
pub const NAME: &str = "coredns";
/// The annotation on the Deployment's pod template that says where its pods run.
pub const COMPUTE_TYPE: &str = "eks.amazonaws.com/compute-type";

/// Whether a selector catches the pods of `CoreDNS`: namespace `kube-system`, labels
/// `eks.amazonaws.com/component=coredns` and `k8s-app=kube-dns`, wildcards included.
#[must_use]
pub fn catches(selector: &Selector) -> bool {
    selector.catches_coredns()
}

/// The add-on's setting of the same meaning.
const SETTING: &str = "computeType";
/// The add-on's setting that annotates its pods: a change of it makes them anew.
const POD_ANNOTATIONS: &str = "podAnnotations";
/// What `kubectl rollout restart` sets to make pods anew.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// Where the add-on's settings say that its pods run, if they do.
#[must_use]
pub fn compute_type(settings: Option<&serde_json::Value>) -> Option<&str> {
    settings?.get(SETTING)?.as_str()
}

/// Whether that is Fargate.
#[must_use]
pub const fn is_fargate(compute_type: &str) -> bool {
    compute_type.eq_ignore_ascii_case("fargate")
}

/// The settings with which the add-on is made for Fargate; a compute type that is there stays.
#[must_use]
pub fn made_for_fargate(settings: Option<&serde_json::Value>) -> serde_json::Value {
    match settings {
        Some(settings) if compute_type(Some(settings)).is_some() => settings.clone(),
        other => on_fargate(other),
    }
}

/// The mark of the latest time that its pods were made anew by [`restarted`].
#[must_use]
pub fn restart_mark(settings: Option<&serde_json::Value>) -> Option<&str> {
    settings?.get(POD_ANNOTATIONS)?.get(RESTARTED_AT)?.as_str()
}

/// The same settings, with pods that were made anew at a time.
#[must_use]
pub fn restarted(settings: Option<&serde_json::Value>, at: &str) -> serde_json::Value {
    let there = settings.and_then(serde_json::Value::as_object);
    let mut merged = there.cloned().unwrap_or_default();
    let annotations = merged.get(POD_ANNOTATIONS);
    let annotations = annotations.and_then(serde_json::Value::as_object);
    let mut annotations = annotations.cloned().unwrap_or_default();
    annotations.insert(RESTARTED_AT.to_owned(), at.into());
    merged.insert(POD_ANNOTATIONS.to_owned(), annotations.into());
    merged.into()
}

/// The settings of the add-on that put its pods onto Fargate, merged into those that are there.
#[must_use]
pub fn on_fargate(settings: Option<&serde_json::Value>) -> serde_json::Value {
    let there = settings.and_then(serde_json::Value::as_object);
    let mut merged = there.cloned().unwrap_or_default();
    merged.insert(SETTING.to_owned(), "Fargate".into());
    merged.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wildcards_and_labels_are_recognised() {
        let selector =
            |json: serde_json::Value| -> Selector { serde_json::from_value(json).unwrap() };
        for (caught, json) in [
            (true, json!({"namespace": "kube-system"})),
            (true, json!({"namespace": "kube-*"})),
            (
                true,
                json!({"namespace": "*", "labels": {"k8s-app": "kube-dns"}}),
            ),
            (
                true,
                json!({"namespace": "kube-syste?", "labels": {"*/component": "core*"}}),
            ),
            (false, json!({"namespace": "default"})),
            (
                false,
                json!({"namespace": "kube-system", "labels": {"k8s-app": "metrics-server"}}),
            ),
        ] {
            assert_eq!(catches(&selector(json.clone())), caught, "{json}");
        }
    }

    #[test]
    fn other_settings_of_the_add_on_are_kept() {
        assert_eq!(on_fargate(None), json!({"computeType": "Fargate"}));
        let there = json!({"replicaCount": 3, "computeType": "ec2"});
        assert_eq!(
            on_fargate(Some(&there)),
            json!({"replicaCount": 3, "computeType": "Fargate"})
        );
        assert_eq!(made_for_fargate(Some(&there)), there);
        let plain = json!({"replicaCount": 3});
        let made = json!({"replicaCount": 3, "computeType": "Fargate"});
        assert_eq!(made_for_fargate(Some(&plain)), made);
        assert_eq!(made_for_fargate(None), json!({"computeType": "Fargate"}));
        let there = json!({"replicaCount": 3, "podAnnotations": {"a": "b"}});
        let annotations = json!({"a": "b", "kubectl.kubernetes.io/restartedAt": "now"});
        assert_eq!(
            restarted(Some(&there), "now"),
            json!({"replicaCount": 3, "podAnnotations": annotations})
        );
    }
}
