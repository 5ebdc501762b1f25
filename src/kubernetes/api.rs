//! Calls to a cluster's API: one object, lists page by page, creations, patches, deletions.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, Response, Url};
use serde_json::{Value, json};

use super::error::{KubernetesError, Trouble};
use super::{Kubernetes, LARGEST};

/// Objects in one page of a list.
const PAGE: &str = "100";
/// A cluster with more objects of one kind is not read to the end.
const MOST_OBJECTS: usize = 5_000;
const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON: &str = "application/json";

/// A kind of object, and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// `api/v1` or `apis/apps/v1`.
    group: &'static str,
    plural: &'static str,
    /// None for all namespaces, and for what has none.
    namespace: Option<&'a str>,
}

impl<'a> Place<'a> {
    pub(super) const fn all(group: &'static str, plural: &'static str) -> Self {
        Self {
            group,
            plural,
            namespace: None,
        }
    }

    pub(super) const fn within(self, namespace: Option<&'a str>) -> Self {
        Self { namespace, ..self }
    }
}

/// One request.
struct Request<'a> {
    method: Method,
    url: Url,
    body: Option<(&'static str, &'a Value)>,
}

impl Kubernetes {
    /// One object; none when it is not there.
    pub(super) async fn object(
        &self,
        action: &'static str,
        place: Place<'_>,
        name: &str,
    ) -> Result<Option<Value>, KubernetesError> {
        let request = Request {
            method: Method::GET,
            url: self.url(place, Some(name)),
            body: None,
        };
        absent_is_none(self.call(action, request).await)
    }

    /// All objects of a place that have these labels (`a=b,c`), over all pages.
    pub(super) async fn list(
        &self,
        action: &'static str,
        place: Place<'_>,
        labels: &str,
    ) -> Result<Vec<Value>, KubernetesError> {
        let mut objects = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut url = self.url(place, None);
            url.query_pairs_mut().append_pair("limit", PAGE);
            for (name, value) in [
                ("labelSelector", Some(labels)),
                ("continue", next.as_deref()),
            ] {
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    url.query_pairs_mut().append_pair(name, value);
                }
            }
            let request = Request {
                method: Method::GET,
                url,
                body: None,
            };
            let mut page = self.call(action, request).await?;
            let Value::Array(items) = page["items"].take() else {
                return Err(KubernetesError::broken(action, "its answer is no list"));
            };
            objects.extend(items);
            if objects.len() > MOST_OBJECTS {
                let why = "the cluster has more than 5,000 of them";
                return Err(KubernetesError::broken(action, why));
            }
            let token = page.pointer("/metadata/continue").and_then(Value::as_str);
            match token.filter(|token| !token.is_empty()) {
                Some(token) => next = Some(token.to_owned()),
                None => return Ok(objects),
            }
        }
    }

    /// Makes an object; one of its name is a conflict.
    pub(super) async fn create(
        &self,
        action: &'static str,
        place: Place<'_>,
        object: &Value,
    ) -> Result<Value, KubernetesError> {
        let mut url = self.url(place, None);
        url.query_pairs_mut()
            .append_pair("fieldManager", "fargate-fleet");
        let request = Request {
            method: Method::POST,
            url,
            body: Some((JSON, object)),
        };
        self.call(action, request).await
    }

    /// Merges a patch into an object.
    pub(super) async fn patch(
        &self,
        action: &'static str,
        (place, name): (Place<'_>, &str),
        patch: &Value,
    ) -> Result<Value, KubernetesError> {
        let mut url = self.url(place, Some(name));
        url.query_pairs_mut()
            .append_pair("fieldManager", "fargate-fleet");
        let request = Request {
            method: Method::PATCH,
            url,
            body: Some((MERGE_PATCH, patch)),
        };
        self.call(action, request).await
    }

    /// Asks for an object to be deleted: false when it is not there, or another has its name.
    pub(super) async fn delete(
        &self,
        action: &'static str,
        (place, name): (Place<'_>, &str),
        uid: &str,
    ) -> Result<bool, KubernetesError> {
        let options = json!({
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": { "uid": uid },
        });
        let request = Request {
            method: Method::DELETE,
            url: self.url(place, Some(name)),
            body: Some((JSON, &options)),
        };
        match self.call(action, request).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.trouble, Trouble::NotFound | Trouble::Conflict) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn url(&self, place: Place<'_>, name: Option<&str>) -> Url {
        let mut url = self.base.clone();
        // A base has a path: its scheme is http or https.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(place.group.split('/'));
            if let Some(namespace) = place.namespace {
                segments.extend(["namespaces", namespace]);
            }
            segments.push(place.plural).extend(name);
        }
        url
    }

    async fn call(
        &self,
        action: &'static str,
        request: Request<'_>,
    ) -> Result<Value, KubernetesError> {
        let mut call = self
            .http
            .request(request.method, request.url)
            .header(ACCEPT, JSON)
            .header(AUTHORIZATION, self.authorization.clone());
        if let Some((content_type, body)) = request.body {
            call = call
                .header(CONTENT_TYPE, content_type)
                .body(body.to_string());
        }
        let answer = call.send().await;
        let answer = answer.map_err(|error| KubernetesError::unanswered(action, &error))?;
        let status = answer.status();
        let body = body(action, answer).await?;
        if status.is_success() {
            let broken = || KubernetesError::broken(action, "its answer is not JSON");
            serde_json::from_slice(&body).map_err(|_| broken())
        } else {
            Err(KubernetesError::refused(action, status, &body))
        }
    }
}

fn absent_is_none<T>(answer: Result<T, KubernetesError>) -> Result<Option<T>, KubernetesError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.trouble == Trouble::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn body(action: &'static str, mut answer: Response) -> Result<Vec<u8>, KubernetesError> {
    let mut body = Vec::new();
    let failed = |error| KubernetesError::unanswered(action, &error);
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(KubernetesError::broken(action, "its answer is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::super::Access;
    use super::*;

    #[test]
    fn names_stay_within_their_segment() {
        let kubernetes = Kubernetes::new(&Access {
            endpoint: "http://127.0.0.1:1/_kubernetes/1/r/c",
            certificate_authority: None,
            token: "t",
            plain_http: true,
        })
        .unwrap();
        let path = |place: Place<'_>, name: Option<&str>| {
            let url = kubernetes.url(place, name);
            assert!(url.query().is_none());
            url.path().to_owned()
        };
        let services = Place::all("api/v1", "services");
        let base = "/_kubernetes/1/r/c/api/v1";
        assert_eq!(path(services, None), format!("{base}/services"));
        assert_eq!(
            path(services.within(Some("x")), Some("a/../b?c")),
            format!("{base}/namespaces/x/services/a%2F..%2Fb%3Fc")
        );
    }
}
