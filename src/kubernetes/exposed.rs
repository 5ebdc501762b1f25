//! What has AWS make load balancers: Services of type `LoadBalancer`, and Ingresses of the AWS load
//! balancer controller. Their controllers take these down when the objects are deleted, as long as
//! they run.

use super::error::{KubernetesError, Trouble};
use super::{Kubernetes, Meta};

/// One such object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// `service` or `ingress`.
    pub kind: &'static str,
    /// Its metadata.
    pub meta: Meta,
}

impl std::fmt::Display for Exposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.meta.namespace, self.meta.name)
    }
}

impl Kubernetes {
    /// Everything in the cluster that has a load balancer, or will get one.
    pub async fn exposed(&self) -> Result<Vec<Exposed>, KubernetesError> {
        let services = self.services().await?.into_iter();
        let services = services.filter(super::Service::is_load_balanced);
        let ingresses = match self.ingresses().await {
            // An API without Ingresses.
            Err(error) if error.trouble == Trouble::NotFound => Vec::new(),
            listed => listed?,
        };
        let ingresses = ingresses.into_iter().filter(super::Ingress::is_of_aws);
        let services = services.map(|one| exposed("service", one.meta));
        let ingresses = ingresses.map(|one| exposed("ingress", one.meta));
        Ok(services.chain(ingresses).collect())
    }

    /// Asks for one to be deleted. One that is gone is no error.
    pub async fn delete_exposed(&self, one: &Exposed) -> Result<(), KubernetesError> {
        let deleted = match one.kind {
            "service" => self.delete_service(&one.meta).await,
            _ => self.delete_ingress(&one.meta).await,
        };
        deleted.map(drop)
    }
}

const fn exposed(kind: &'static str, meta: Meta) -> Exposed {
    Exposed { kind, meta }
}
