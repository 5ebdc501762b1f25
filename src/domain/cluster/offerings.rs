//! Which zones offer the instance types of a cluster's nodegroups.

use super::spec::{ClusterSpec, NodegroupSpec};
use crate::domain::invalid::Invalid;
use crate::domain::warnings::Warning;
use std::collections::BTreeSet;

/// Pairs of instance type and zone; `None` where AWS does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offerings(Option<BTreeSet<(String, String)>>);

impl Offerings {
    /// Of (instance type, zone).
    #[must_use]
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(Some(pairs.into_iter().collect()))
    }

    /// Nobody knows: then every zone will do.
    #[must_use]
    pub const fn unknown() -> Self {
        Self(None)
    }

    /// Whether a zone offers a type.
    #[must_use]
    pub fn has(&self, instance_type: &str, zone: &str) -> bool {
        let known = self.0.as_ref();
        known.is_none_or(|pairs| pairs.contains(&(instance_type.to_owned(), zone.to_owned())))
    }

    /// Whether a zone offers all of these types.
    pub(super) fn has_all(&self, instance_types: &[&str], zone: &str) -> bool {
        instance_types.iter().all(|one| self.has(one, zone))
    }
}

/// The instance types of the nodegroups, each once.
#[must_use]
pub fn instance_types(spec: &ClusterSpec) -> Vec<&str> {
    let types = spec.nodegroups.iter();
    let types: BTreeSet<&str> = types.flat_map(NodegroupSpec::types).collect();
    types.into_iter().collect()
}

/// The zones in which a nodegroup's nodes can be: those it names, or all of the cluster.
fn zones_of<'a>(nodegroup: &'a NodegroupSpec, zones: &'a [String]) -> &'a [String] {
    match nodegroup.place.named_zones() {
        [] => zones,
        named => named,
    }
}

/// The nodegroups with an instance type that none of their zones offers.
pub fn check(
    spec: &ClusterSpec,
    zones: &[String],
    offerings: &Offerings,
) -> Result<(), Vec<Invalid>> {
    let mut wrong = Vec::new();
    for nodegroup in &spec.nodegroups {
        let zones = zones_of(nodegroup, zones);
        for one in nodegroup.types() {
            if zones.iter().any(|zone| offerings.has(one, zone)) {
                continue;
            }
            let message = format!(
                "nodegroup {}: none of the zones {} offers instances of type {one}; choose another \
                 type, or other zones",
                nodegroup.name,
                zones.join(", "),
            );
            wrong.push(Invalid::new(format!("/{}", nodegroup.kind.list()), message));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// The nodegroups that can't have nodes of every type in every zone.
#[must_use]
pub fn warnings(spec: &ClusterSpec, zones: &[String], offerings: &Offerings) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for nodegroup in &spec.nodegroups {
        for one in nodegroup.types() {
            let without: Vec<&str> = zones_of(nodegroup, zones)
                .iter()
                .map(String::as_str)
                .filter(|zone| !offerings.has(one, zone))
                .collect();
            if without.is_empty() {
                continue;
            }
            let message = format!(
                "zone {} offers no instances of type {one}: nodegroup {} gets its nodes in the other zones",
                without.join(", "),
                nodegroup.name
            );
            warnings.push(Warning::new("instance_type_not_everywhere", message));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cluster::samples;
    use serde_json::json;

    fn spec() -> ClusterSpec {
        samples::spec(&json!({
            "metadata": {"name": "c", "region": "eu-central-1"},
            "nodeGroups": [{"name": "a", "instanceType": "m5.large"}],
            "managedNodeGroups": [
                {"name": "b", "instanceType": "g5.xlarge"}, {"name": "c", "instanceType": "m5.large"},
            ],
        }))
    }

    fn offerings() -> Offerings {
        let pairs = [("m5.large", "x"), ("m5.large", "y"), ("g5.xlarge", "x")];
        Offerings::of(pairs.map(|(one, zone)| (one.to_owned(), zone.to_owned())))
    }

    #[test]
    fn a_type_that_no_zone_offers_is_refused_and_one_that_some_offer_is_a_warning() {
        assert_eq!(instance_types(&spec()), ["g5.xlarge", "m5.large"]);
        let zones = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        assert_eq!(check(&spec(), &zones(&["x", "y"]), &offerings()), Ok(()));
        let wrong = check(&spec(), &zones(&["y"]), &offerings()).unwrap_err();
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].pointer, "/managedNodeGroups");
        assert!(
            wrong[0]
                .message
                .starts_with("nodegroup b: none of the zones y")
        );
        let told = warnings(&spec(), &zones(&["x", "y"]), &offerings());
        assert_eq!(told.len(), 1);
        assert!(
            told[0]
                .message
                .starts_with("zone y offers no instances of type g5.xlarge")
        );
        assert_eq!(
            check(&spec(), &zones(&["z"]), &Offerings::unknown()),
            Ok(())
        );
        assert!(warnings(&spec(), &zones(&["z"]), &Offerings::unknown()).is_empty());
    }
}
