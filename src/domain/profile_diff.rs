//! Is what is there what was asked for? The question behind "already exists": adopt or conflict.

use super::profile::{FargateProfile, ProfileSpec};
use super::role_arn::RoleArn;
use super::selector::Selector;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// One field in which a profile differs from what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The field: `podExecutionRoleARN`, `selectors`, `subnets` or `tags`.
    #[schema(max_length = 64, examples("selectors"))]
    pub field: String,
    /// What was asked for, as text.
    #[schema(max_length = 65536, examples("dev{env=dev}"))]
    pub wanted: String,
    /// What is there, as text.
    #[schema(max_length = 65536, examples("dev"))]
    pub found: String,
}

impl Difference {
    fn new(field: &str, wanted: String, found: String) -> Self {
        Self {
            field: field.to_owned(),
            wanted,
            found,
        }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: wanted {}, found {}",
            self.field, self.wanted, self.found
        )
    }
}

impl ProfileSpec {
    /// How `existing` differs from this profile run under `role`; empty means the same.
    ///
    /// Selectors and subnets are sets. Subnets count only if some were asked for, since EKS fills
    /// them in. Every tag asked for must be there; further tags never count, as AWS (`aws:`),
    /// eksctl (`alpha.eksctl.io/`) and tagging automation add theirs to any profile.
    #[must_use]
    pub fn same_as(&self, existing: &FargateProfile, role: &RoleArn) -> Vec<Difference> {
        [
            self.role_difference(existing, role),
            self.selector_difference(existing),
            self.subnet_difference(existing),
            self.tag_difference(existing),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn role_difference(&self, existing: &FargateProfile, role: &RoleArn) -> Option<Difference> {
        let wanted = self
            .pod_execution_role_arn
            .as_ref()
            .unwrap_or(role)
            .as_str();
        let found = existing
            .pod_execution_role_arn
            .as_deref()
            .unwrap_or("<none>");
        (wanted != found)
            .then(|| Difference::new("podExecutionRoleARN", wanted.to_owned(), found.to_owned()))
    }

    fn selector_difference(&self, existing: &FargateProfile) -> Option<Difference> {
        let wanted: BTreeSet<&Selector> = self.selectors.iter().collect();
        let found: BTreeSet<&Selector> = existing.selectors.iter().collect();
        (wanted != found).then(|| Difference::new("selectors", joined(wanted), joined(found)))
    }

    fn subnet_difference(&self, existing: &FargateProfile) -> Option<Difference> {
        let wanted: BTreeSet<&String> = self.subnets.iter().collect();
        let found: BTreeSet<&String> = existing.subnets.iter().collect();
        (!wanted.is_empty() && wanted != found)
            .then(|| Difference::new("subnets", joined(wanted), joined(found)))
    }

    fn tag_difference(&self, existing: &FargateProfile) -> Option<Difference> {
        let differing = self
            .tags
            .iter()
            .filter(|(k, v)| existing.tags.get(*k) != Some(*v));
        let keys: BTreeSet<&String> = differing.map(|(key, _)| key).collect();
        let pairs = |tags: &std::collections::BTreeMap<String, String>| {
            joined(
                tags.iter()
                    .filter(|(k, _)| keys.contains(k))
                    .map(|(k, v)| format!("{k}={v}")),
            )
        };
        (!keys.is_empty())
            .then(|| Difference::new("tags", pairs(&self.tags), pairs(&existing.tags)))
    }
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        "<none>".to_owned()
    } else {
        items.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> RoleArn {
        RoleArn::parse("arn:aws:iam::111111111111:role/pods").unwrap()
    }

    fn spec(json: serde_json::Value) -> ProfileSpec {
        serde_json::from_value(json).unwrap()
    }

    fn found() -> FargateProfile {
        serde_json::from_value(serde_json::json!({
            "name": "fp",
            "podExecutionRoleARN": role().as_str(),
            "selectors": [{"namespace": "b"}, {"namespace": "a", "labels": {"k": "v"}}],
            "subnets": ["subnet-2", "subnet-1"],
            "tags": {"team": "x", "aws:cloudformation:stack-name": "s", "cost": "1"},
            "status": "ACTIVE"
        }))
        .unwrap()
    }

    #[test]
    fn order_filled_in_subnets_and_foreign_tags_are_no_difference() {
        let same = spec(serde_json::json!({
            "selectors": [{"namespace": "a", "labels": {"k": "v"}}, {"namespace": "b"}],
            "tags": {"team": "x"}
        }));
        assert_eq!(same.same_as(&found(), &role()), []);
        let named = spec(serde_json::json!({
            "podExecutionRoleARN": role().as_str(),
            "selectors": [{"namespace": "a", "labels": {"k": "v"}}, {"namespace": "b"}],
            "subnets": ["subnet-1", "subnet-2"]
        }));
        assert_eq!(named.same_as(&found(), &role()), []);
    }

    #[test]
    fn every_real_difference_is_named_with_both_values() {
        let other = spec(serde_json::json!({
            "podExecutionRoleARN": "arn:aws:iam::111111111111:role/other",
            "selectors": [{"namespace": "a"}],
            "subnets": ["subnet-1"],
            "tags": {"team": "y", "new": "1"}
        }));
        let texts: Vec<String> = other
            .same_as(&found(), &role())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            texts,
            [
                "podExecutionRoleARN: wanted arn:aws:iam::111111111111:role/other, \
                 found arn:aws:iam::111111111111:role/pods",
                "selectors: wanted a, found a{k=v}, b",
                "subnets: wanted subnet-1, found subnet-1, subnet-2",
                "tags: wanted new=1, team=y, found team=x",
            ]
        );
    }
}
