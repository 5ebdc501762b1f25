//! Services, and the load balancers that some of them have.

use serde_json::Value;

use super::Kubernetes;
use super::api::Place;
use super::error::KubernetesError;
use super::meta::Meta;

const SERVICES: Place<'static> = Place::all("api/v1", "services");

/// A Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its metadata.
    pub meta: Meta,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    pub kind: String,
    /// Who makes the load balancer, where it is not the cluster itself.
    pub load_balancer_class: Option<String>,
    /// The host names of its load balancer.
    pub hosts: Vec<String>,
}

impl Service {
    fn read(object: &Value) -> Self {
        let spec = &object["spec"];
        Self {
            meta: Meta::read(object),
            kind: spec["type"].as_str().unwrap_or("ClusterIP").to_owned(),
            load_balancer_class: spec["loadBalancerClass"].as_str().map(str::to_owned),
            hosts: hosts(object),
        }
    }

    /// Whether AWS has a load balancer for it, or is about to make one.
    #[must_use]
    pub fn is_load_balanced(&self) -> bool {
        self.kind == "LoadBalancer"
    }
}

/// The host names that the status of a Service or Ingress gives its load balancer.
pub(super) fn hosts(object: &Value) -> Vec<String> {
    let points = object.pointer("/status/loadBalancer/ingress");
    let points = points.and_then(Value::as_array).into_iter().flatten();
    points
        .filter_map(|point| point["hostname"].as_str().or(point["ip"].as_str()))
        .map(str::to_owned)
        .collect()
}

impl Kubernetes {
    /// The Services of all namespaces.
    pub async fn services(&self) -> Result<Vec<Service>, KubernetesError> {
        let found = self.list("listing Services", SERVICES, "").await?;
        Ok(found.iter().map(Service::read).collect())
    }

    /// Asks for a Service to be deleted; it goes when its load balancer is gone. False when it is not
    /// there any more.
    pub async fn delete_service(&self, service: &Meta) -> Result<bool, KubernetesError> {
        let place = SERVICES.within(Some(&service.namespace));
        let what = (place, service.name.as_str());
        self.delete("deleting a Service", what, &service.uid).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_has_a_load_balancer_by_its_type() {
        let service = |kind: &str| {
            Service::read(&json!({
                "metadata": {"name": "web", "namespace": "dev", "uid": "1", "finalizers": ["f"]},
                "spec": {"type": kind, "loadBalancerClass": "service.k8s.aws/nlb"},
                "status": {"loadBalancer": {"ingress": [{"hostname": "a.elb"}, {"ip": "1.2.3.4"}]}},
            }))
        };
        let balanced = service("LoadBalancer");
        assert!(balanced.is_load_balanced());
        assert_eq!(balanced.hosts, ["a.elb", "1.2.3.4"]);
        assert_eq!(balanced.meta.finalizers, ["f"]);
        assert_eq!(
            balanced.load_balancer_class.as_deref(),
            Some("service.k8s.aws/nlb")
        );
        assert!(!service("NodePort").is_load_balanced());
        assert!(!Service::read(&json!({})).is_load_balanced());
    }
}
