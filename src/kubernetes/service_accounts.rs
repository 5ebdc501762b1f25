//! `ServiceAccounts`, as far as their labels and annotations go.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Kubernetes;
use super::api::Place;
use super::error::KubernetesError;
use super::meta::Meta;
use super::namespaces::there_is_fine;

const ACCOUNTS: Place<'static> = Place::all("api/v1", "serviceaccounts");
/// By which eksctl knows those that it may delete.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "eksctl");

/// A `ServiceAccount` that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedServiceAccount {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Labels that it shall have among others.
    pub labels: BTreeMap<String, String>,
    /// Annotations that it shall have among others.
    pub annotations: BTreeMap<String, String>,
}

impl WantedServiceAccount {
    fn all_labels(&self) -> BTreeMap<String, String> {
        let (key, value) = MANAGED_BY;
        let mut labels = self.labels.clone();
        labels.insert(key.to_owned(), value.to_owned());
        labels
    }

    fn is_met_by(&self, there: &Meta) -> bool {
        let has = |all: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>| {
            wanted
                .iter()
                .all(|(key, value)| all.get(key) == Some(value))
        };
        has(&there.labels, &self.all_labels()) && has(&there.annotations, &self.annotations)
    }

    fn metadata(&self) -> Value {
        json!({"labels": self.all_labels(), "annotations": self.annotations})
    }
}

impl Kubernetes {
    /// Whether a `ServiceAccount` is not there as it is wanted.
    pub async fn lacks(&self, wanted: &WantedServiceAccount) -> Result<bool, KubernetesError> {
        let there = self.service_account(wanted).await?;
        Ok(!there.is_some_and(|there| wanted.is_met_by(&there)))
    }

    /// Makes it with its namespace, or gives it what it lacks; other labels and annotations stay.
    pub async fn make_service_account(
        &self,
        wanted: &WantedServiceAccount,
    ) -> Result<(), KubernetesError> {
        let place = ACCOUNTS.within(Some(&wanted.namespace));
        let metadata = wanted.metadata();
        if self.service_account(wanted).await?.is_some() {
            let patch = json!({ "metadata": metadata });
            let what = (place, wanted.name.as_str());
            let patched = self.patch("changing a ServiceAccount", what, &patch).await;
            return patched.map(drop);
        }
        self.ensure_namespace(&wanted.namespace).await?;
        let mut new = json!({"apiVersion": "v1", "kind": "ServiceAccount"});
        new["metadata"] = metadata;
        new["metadata"]["name"] = json!(wanted.name);
        there_is_fine(self.create("making a ServiceAccount", place, &new).await)
    }

    async fn service_account(
        &self,
        wanted: &WantedServiceAccount,
    ) -> Result<Option<Meta>, KubernetesError> {
        let place = ACCOUNTS.within(Some(&wanted.namespace));
        let found = self
            .object("reading a ServiceAccount", place, &wanted.name)
            .await?;
        Ok(found.as_ref().map(Meta::read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_labels_and_annotations_do_not_matter() {
        let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pairs = pairs.iter();
            pairs
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        let wanted = WantedServiceAccount {
            annotations: pairs(&[("role", "a")]),
            ..WantedServiceAccount::default()
        };
        let mut there = Meta {
            labels: pairs(&[MANAGED_BY, ("x", "y")]),
            annotations: pairs(&[("role", "a"), ("x", "y")]),
            ..Meta::default()
        };
        assert!(wanted.is_met_by(&there));
        there.annotations.insert("role".to_owned(), "b".to_owned());
        assert!(!wanted.is_met_by(&there));
    }
}
