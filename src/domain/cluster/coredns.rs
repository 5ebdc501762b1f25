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

/// The settings of the add-on that put its pods onto Fargate, merged into those that are there.
#[must_use]
pub fn on_fargate(settings: Option<&serde_json::Value>) -> serde_json::Value {
    let there = settings.and_then(serde_json::Value::as_object);
    let mut merged = there.cloned().unwrap_or_default();
    merged.insert("computeType".to_owned(), "Fargate".into());
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
    }
}
