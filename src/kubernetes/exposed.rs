//! What has AWS make load balancers: Services of type `LoadBalancer`, and Ingresses of the AWS Load
//! Balancer Controller. Their controllers take these down when the objects are deleted, as long as
//! they run.

use super::Kubernetes;
use super::error::{KubernetesError, Trouble};
use super::ingresses::Ingress;
use super::meta::Meta;
use super::services::Service;

/// One such object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// `service` or `ingress`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
    /// The host names of its load balancers, as far as they are made.
    pub hosts: Vec<String>,
    /// Whether it was asked to be deleted, and waits for its controller.
    pub deleting: bool,
    /// Tells it from a later one of its name.
    uid: String,
}

impl std::fmt::Display for Exposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Exposed {
    fn of(kind: &'static str, meta: Meta, hosts: Vec<String>) -> Self {
        Self {
            kind,
            namespace: meta.namespace,
            name: meta.name,
            hosts,
            deleting: meta.deleting,
            uid: meta.uid,
        }
    }

    fn meta(&self) -> Meta {
        Meta {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            ..Meta::default()
        }
    }
}

impl Kubernetes {
    /// Everything in the cluster that has a load balancer, or will get one.
    pub async fn exposed(&self) -> Result<Vec<Exposed>, KubernetesError> {
        let services = self.services().await?.into_iter();
        let ingresses = match self.ingresses().await {
            // An API without Ingresses.
            Err(error) if error.trouble == Trouble::NotFound => Vec::new(),
            listed => listed?,
        };
        let services = services.filter(Service::is_load_balanced);
        let ingresses = ingresses.into_iter().filter(Ingress::is_of_aws);
        let services = services.map(|one| Exposed::of("service", one.meta, one.hosts));
        Ok(services
            .chain(ingresses.map(|one| Exposed::of("ingress", one.meta, one.hosts)))
            .collect())
    }

    /// Asks for one to be deleted. One that is gone is no error, and a later one of its name stays.
    pub async fn delete_exposed(&self, one: &Exposed) -> Result<(), KubernetesError> {
        let meta = one.meta();
        let deleted = match one.kind {
            "service" => self.delete_service(&meta).await,
            _ => self.delete_ingress(&meta).await,
        };
        deleted.map(drop)
    }
}
