//! Namespaces.

use serde_json::json;

use super::Kubernetes;
use super::api::Place;
use super::error::{KubernetesError, Trouble};

const NAMESPACES: Place<'static> = Place::all("api/v1", "namespaces");

impl Kubernetes {
    /// Makes a namespace, unless it is there.
    pub(super) async fn ensure_namespace(&self, name: &str) -> Result<(), KubernetesError> {
        let there = self.object("reading a namespace", NAMESPACES, name).await?;
        if there.is_some() {
            return Ok(());
        }
        let new = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        there_is_fine(self.create("making a namespace", NAMESPACES, &new).await)
    }
}

/// What somebody else has made meanwhile is as good.
pub(super) fn there_is_fine<T>(made: Result<T, KubernetesError>) -> Result<(), KubernetesError> {
    match made {
        Err(error) if error.trouble != Trouble::Conflict => Err(error),
        _ => Ok(()),
    }
}
