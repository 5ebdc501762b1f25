//! Ingresses, whose load balancers a controller in the cluster makes.

use serde_json::Value;

use super::Kubernetes;
use super::api::Place;
use super::error::KubernetesError;
use super::meta::Meta;
use super::services::hosts;

const INGRESSES: Place<'static> = Place::all("apis/networking.k8s.io/v1", "ingresses");
/// The annotation that named a class before there was a field for it.
const CLASS: &str = "kubernetes.io/ingress.class";
/// What the AWS load balancer controller keeps an Ingress by, alone or in a group.
const FINALIZERS: [&str; 2] = ["ingress.k8s.aws/resources", "group.ingress.k8s.aws/"];

/// An Ingress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingress {
    /// Its metadata.
    pub meta: Meta,
    /// Which controller sees to it: `alb` is AWS's own.
    pub class: Option<String>,
    /// The host names of its load balancer.
    pub hosts: Vec<String>,
}

impl Ingress {
    fn read(object: &Value) -> Self {
        let meta = Meta::read(object);
        let class = object
            .pointer("/spec/ingressClassName")
            .and_then(Value::as_str);
        let class = class
            .map(str::to_owned)
            .or_else(|| meta.annotations.get(CLASS).cloned());
        Self {
            class,
            hosts: hosts(object),
            meta,
        }
    }

    /// Whether the AWS load balancer controller has a load balancer for it, or is about to make one.
    #[must_use]
    pub fn is_of_aws(&self) -> bool {
        let kept = self.meta.finalizers.iter();
        let mut kept = kept.map(|name| FINALIZERS.iter().any(|own| name.starts_with(own)));
        self.class.as_deref() == Some("alb") || kept.any(|own| own)
    }
}

impl Kubernetes {
    /// The Ingresses of all namespaces.
    pub async fn ingresses(&self) -> Result<Vec<Ingress>, KubernetesError> {
        let found = self.list("listing Ingresses", INGRESSES, "").await?;
        Ok(found.iter().map(Ingress::read).collect())
    }

    /// Asks for an Ingress to be deleted; it goes when its controller lets it. False when it is not
    /// there any more.
    pub async fn delete_ingress(&self, ingress: &Meta) -> Result<bool, KubernetesError> {
        let place = INGRESSES.within(Some(&ingress.namespace));
        let what = (place, ingress.name.as_str());
        self.delete("deleting an Ingress", what, &ingress.uid).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_controller_is_known_by_class_annotation_or_finalizer() {
        let of_aws = |object: Value| Ingress::read(&object).is_of_aws();
        assert!(of_aws(json!({"spec": {"ingressClassName": "alb"}})));
        assert!(of_aws(json!({"metadata": {"annotations": {CLASS: "alb"}}})));
        for name in ["ingress.k8s.aws/resources", "group.ingress.k8s.aws/shared"] {
            assert!(of_aws(json!({"metadata": {"finalizers": [name]}})));
        }
        assert!(!of_aws(json!({"spec": {"ingressClassName": "nginx"}})));
        assert!(!of_aws(json!({})));
    }
}
