//! `ConfigMaps`.

use std::collections::BTreeMap;

use serde_json::json;

use super::Kubernetes;
use super::api::Place;
use super::error::KubernetesError;
use super::meta::texts;

const MAPS: Place<'static> = Place::all("api/v1", "configmaps");

/// A `ConfigMap`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigMap {
    /// Tells it from what others make of it.
    pub version: String,
    /// Its texts, by key.
    pub data: BTreeMap<String, String>,
}

impl Kubernetes {
    /// A `ConfigMap`, by namespace and name; none when it is not there.
    pub async fn config_map(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<ConfigMap>, KubernetesError> {
        let place = MAPS.within(Some(namespace));
        let found = self.object("reading a ConfigMap", place, name).await?;
        Ok(found.map(|found| ConfigMap {
            version: found
                .pointer("/metadata/resourceVersion")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            data: texts(&found["data"]),
        }))
    }

    /// Makes a `ConfigMap`, or changes the one that was seen at this version: another one is a conflict.
    pub async fn put_config_map(
        &self,
        (namespace, name): (&str, &str),
        version: Option<&str>,
        data: &BTreeMap<String, String>,
    ) -> Result<(), KubernetesError> {
        let place = MAPS.within(Some(namespace));
        let Some(version) = version else {
            let new = json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": namespace},
                "data": data,
            });
            return self
                .create("making a ConfigMap", place, &new)
                .await
                .map(drop);
        };
        let patch = json!({"metadata": {"resourceVersion": version}, "data": data});
        let patched = self
            .patch("changing a ConfigMap", (place, name), &patch)
            .await;
        patched.map(drop)
    }
}
