//! What has AWS make load balancers: Services of type `LoadBalancer`, and Ingresses of the AWS Load
//! Balancer Controller. Their controllers take these down when the objects are deleted, as long as
//! they run.

use reqwest::header::{ACCEPT, AUTHORIZATION};
use reqwest::{Method, Url};
use serde_json::Value;

use super::error::{KubernetesError, Trouble};
use super::{Kubernetes, body};

const SERVICES: (&str, &str, &str) = ("listing Services", "api/v1", "services");
const INGRESSES: (&str, &str, &str) = (
    "listing Ingresses",
    "apis/networking.k8s.io/v1",
    "ingresses",
);
/// Entries of a page, and pages of a list.
const PAGE: &str = "500";
const MOST_PAGES: usize = 40;

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
}

impl std::fmt::Display for Exposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Kubernetes {
    /// Everything in the cluster that has a load balancer, or will get one.
    pub async fn exposed(&self) -> Result<Vec<Exposed>, KubernetesError> {
        let services = self.listed(SERVICES).await?;
        let ingresses = match self.listed(INGRESSES).await {
            // An API without Ingresses.
            Err(error) if error.trouble == Trouble::NotFound => Vec::new(),
            listed => listed?,
        };
        let services = services.iter().filter(|one| is_balanced(one));
        let ingresses = ingresses.iter().filter(|one| is_of_the_controller(one));
        let services = services.map(|one| read("service", one));
        Ok(services
            .chain(ingresses.map(|one| read("ingress", one)))
            .collect())
    }

    /// Asks for one to be deleted. One that is gone is no error.
    pub async fn delete_exposed(&self, one: &Exposed) -> Result<(), KubernetesError> {
        let (action, (_, api, plural)) = match one.kind {
            "service" => ("deleting a Service", SERVICES),
            _ => ("deleting an Ingress", INGRESSES),
        };
        let (namespace, name) = (&one.namespace, &one.name);
        let path = format!("{api}/namespaces/{namespace}/{plural}/{name}");
        let url = self.at(&path);
        match self.send(action, Method::DELETE, url).await {
            Err(error) if error.trouble == Trouble::NotFound => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    async fn listed(
        &self,
        (action, api, plural): (&'static str, &str, &str),
    ) -> Result<Vec<Value>, KubernetesError> {
        let mut found = Vec::new();
        let mut next = String::new();
        for _ in 0..MOST_PAGES {
            let mut url = self.at(&format!("{api}/{plural}"));
            url.query_pairs_mut().append_pair("limit", PAGE);
            if !next.is_empty() {
                url.query_pairs_mut().append_pair("continue", &next);
            }
            let page = self.send(action, Method::GET, url).await?;
            let items = page["items"].as_array().cloned();
            found.extend(items.unwrap_or_default());
            let more = page.pointer("/metadata/continue").and_then(Value::as_str);
            more.unwrap_or_default().clone_into(&mut next);
            if next.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    async fn send(
        &self,
        action: &'static str,
        method: Method,
        url: Url,
    ) -> Result<Value, KubernetesError> {
        let request = self
            .http
            .request(method, url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, self.authorization.clone());
        let answer = request.send().await;
        let answer = answer.map_err(|error| KubernetesError::unanswered(action, &error))?;
        let status = answer.status();
        let body = body(action, answer).await?;
        if !status.is_success() {
            return Err(KubernetesError::refused(action, status, &body));
        }
        let broken = || KubernetesError::broken(action, "its answer is not JSON");
        serde_json::from_slice(&body).map_err(|_| broken())
    }
}

fn is_balanced(service: &Value) -> bool {
    service["spec"]["type"] == "LoadBalancer"
}

/// By its class, as eksctl knows it, or by the mark that the controller leaves on what it manages.
fn is_of_the_controller(ingress: &Value) -> bool {
    let metadata = &ingress["metadata"];
    let finalizers = metadata["finalizers"].as_array().into_iter().flatten();
    let mut finalizers = finalizers.filter_map(Value::as_str);
    metadata["annotations"]["kubernetes.io/ingress.class"] == "alb"
        || ingress["spec"]["ingressClassName"] == "alb"
        || finalizers.any(|one| one.contains("ingress.k8s.aws"))
}

fn read(kind: &'static str, object: &Value) -> Exposed {
    let metadata = &object["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let points = object.pointer("/status/loadBalancer/ingress");
    let points = points.and_then(Value::as_array).into_iter().flatten();
    Exposed {
        kind,
        namespace: text(&metadata["namespace"]),
        name: text(&metadata["name"]),
        hosts: points
            .filter_map(|point| point["hostname"].as_str().map(str::to_owned))
            .collect(),
        deleting: !metadata["deletionTimestamp"].is_null(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_aws_makes_load_balancers_for_counts() {
        let service = |kind: &str| json!({"spec": {"type": kind}});
        assert!(is_balanced(&service("LoadBalancer")));
        assert!(!is_balanced(&service("ClusterIP")));
        let ingress = |metadata: Value, class: &str| {
            is_of_the_controller(
                &json!({"metadata": metadata, "spec": {"ingressClassName": class}}),
            )
        };
        assert!(ingress(json!({}), "alb"));
        assert!(!ingress(json!({}), "nginx"));
        let annotated = json!({"annotations": {"kubernetes.io/ingress.class": "alb"}});
        assert!(ingress(annotated, ""));
        let managed = json!({"finalizers": ["group.ingress.k8s.aws/web"]});
        assert!(ingress(managed, "edge"));
    }

    #[test]
    fn an_object_is_read_with_its_hosts_and_whether_it_goes() {
        let object = json!({
            "metadata": {"namespace": "web", "name": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z"},
            "status": {"loadBalancer": {"ingress": [{"hostname": "a1.elb.amazonaws.com"}]}},
        });
        let read = read("service", &object);
        assert_eq!(read.to_string(), "web/shop");
        assert_eq!(read.hosts, ["a1.elb.amazonaws.com"]);
        assert!(read.deleting);
    }
}
