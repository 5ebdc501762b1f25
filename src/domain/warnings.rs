//! What is allowed but likely not meant: told before AWS is called, never refused.

use super::pod_names;
use super::profile::{FargateProfile, ProfileSpec};
use super::selector::Selector;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// AWS's default quota of profiles in a cluster.
pub const PROFILE_QUOTA: usize = 10;
/// AWS's default quota of selectors in a profile.
pub const SELECTOR_QUOTA: usize = 5;
/// AWS's default quota of label pairs in a selector.
pub const LABEL_QUOTA: usize = 5;

/// Something to look at before it surprises. Codes are stable and open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// A stable name for the kind of warning.
    #[schema(max_length = 64, examples("selector_overlap"))]
    pub code: String,
    /// One sentence for a person.
    #[schema(max_length = 4096)]
    pub message: String,
}

impl Warning {
    /// A warning with a code of this service.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// What to say about creating `new` in a cluster that holds `existing`. A profile of the same
/// name is the new one itself and is left out.
#[must_use]
pub fn profile_warnings(new: &ProfileSpec, existing: &[FargateProfile]) -> Vec<Warning> {
    let name = new.name.as_ref().map_or("", |name| name.as_str());
    let others: Vec<&FargateProfile> = existing
        .iter()
        .filter(|profile| name.is_empty() || profile.name != name)
        .collect();
    let mut warnings = quota_warnings(new, others.len());
    warnings.extend(pod_names::warnings(&new.selectors));
    if let Some(role) = new
        .pod_execution_role_arn
        .as_ref()
        .filter(|role| role.has_path())
    {
        let message = format!(
            "the role {role} has a path; Fargate accepts pod execution roles only without one"
        );
        warnings.push(Warning::new("role_path", message));
    }
    for other in others {
        warnings.extend(rivalry(name, &new.selectors, other));
    }
    warnings
}

fn quota_warnings(new: &ProfileSpec, others: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let unless = "unless AWS has raised it for this account";
    if others >= PROFILE_QUOTA {
        let message = format!(
            "the cluster has {others} Fargate profiles already; the quota is {PROFILE_QUOTA} {unless}"
        );
        warnings.push(Warning::new("profile_quota", message));
    }
    let selectors = new.selectors.len();
    if selectors > SELECTOR_QUOTA {
        let message =
            format!("{selectors} selectors in one profile; the quota is {SELECTOR_QUOTA} {unless}");
        warnings.push(Warning::new("selector_quota", message));
    }
    for (i, selector) in new.selectors.iter().enumerate() {
        let labels = selector.labels.len();
        if labels > LABEL_QUOTA {
            let message = format!(
                "selector #{i} has {labels} label pairs; the quota is {LABEL_QUOTA} {unless}"
            );
            warnings.push(Warning::new("label_quota", message));
        }
    }
    warnings
}

/// At most one warning a pair of profiles: the gravest.
///
/// A pod that fits several profiles goes to the alphanumerically first name. With a name that is
/// yet to be generated the order is unknown, so only the overlap is told.
fn rivalry(name: &str, selectors: &[Selector], other: &FargateProfile) -> Option<Warning> {
    let theirs = &other.selectors;
    let label = |name: &str| {
        if name.is_empty() {
            "the new profile".to_owned()
        } else {
            format!("{name:?}")
        }
    };
    let (new, old) = (label(name), label(&other.name));
    if !name.is_empty() && other.name.as_str() < name && all_covered(selectors, theirs) {
        let message = format!(
            "{new} will never get a pod that does not pin it: {old} takes all its pods, being \
             first in alphanumeric order"
        );
        return Some(Warning::new("profile_unreachable", message));
    }
    if !name.is_empty() && name < other.name.as_str() && all_covered(theirs, selectors) {
        let message = format!(
            "{old} will get no new pod that does not pin it: {new} takes all its pods, being \
             first in alphanumeric order"
        );
        return Some(Warning::new("profile_unreachable", message));
    }
    let mut pairs = selectors
        .iter()
        .flat_map(|mine| theirs.iter().map(move |their| (mine, their)));
    let (mine, their) = pairs.find(|(mine, their)| mine.overlaps(their))?;
    let message = format!(
        "selector {mine} of {new} overlaps {their} of {old}; a pod that fits both goes to the \
         profile whose name is first in alphanumeric order"
    );
    Some(Warning::new("selector_overlap", message))
}

fn all_covered(inner: &[Selector], outer: &[Selector]) -> bool {
    !inner.is_empty() && inner.iter().all(|i| outer.iter().any(|o| o.covers(i)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(json: serde_json::Value) -> ProfileSpec {
        serde_json::from_value(json).unwrap()
    }

    fn profile(name: &str, namespaces: &[&str]) -> FargateProfile {
        FargateProfile {
            name: name.to_owned(),
            selectors: namespaces
                .iter()
                .map(|ns| Selector::of_namespace(*ns))
                .collect(),
            ..FargateProfile::default()
        }
    }

    fn codes(new: &ProfileSpec, existing: &[FargateProfile]) -> Vec<String> {
        profile_warnings(new, existing)
            .into_iter()
            .map(|warning| warning.code)
            .collect()
    }

    #[test]
    fn quotas_warn_only_past_their_default() {
        let at = |selectors: usize, labels: usize| {
            let labels: serde_json::Map<_, _> =
                (0..labels).map(|i| (format!("k{i}"), json!("v"))).collect();
            let selector = |i: usize| json!({"namespace": format!("ns{i}"), "labels": labels});
            spec(
                json!({"name": "fp", "selectors": (0..selectors).map(selector).collect::<Vec<_>>()}),
            )
        };
        let many: Vec<_> = (0..10)
            .map(|i| profile(&format!("p{i}"), &["other"]))
            .collect();
        assert!(codes(&at(5, 5), &many[..9]).is_empty());
        assert_eq!(codes(&at(6, 5), &[]), ["selector_quota"]);
        assert_eq!(codes(&at(1, 6), &[]), ["label_quota"]);
        assert_eq!(codes(&at(1, 1), &many), ["profile_quota"]);
    }

    #[test]
    fn the_profile_itself_is_no_rival() {
        let new = spec(json!({"name": "fp", "selectors": [{"namespace": "a"}]}));
        assert!(codes(&new, &[profile("fp", &["a"])]).is_empty());
    }

    #[test]
    fn an_earlier_name_that_takes_everything_makes_a_profile_unreachable() {
        let new = spec(json!({"name": "fp-b", "selectors": [{"namespace": "dev"}]}));
        assert_eq!(
            codes(&new, &[profile("fp-a", &["d*"])]),
            ["profile_unreachable"]
        );
        assert_eq!(
            codes(&new, &[profile("fp-c", &["dev"])]),
            ["profile_unreachable"]
        );
        assert_eq!(
            codes(&new, &[profile("fp-c", &["d*"])]),
            ["selector_overlap"]
        );
        assert!(codes(&new, &[profile("fp-a", &["prod"])]).is_empty());
        let warning = &profile_warnings(&new, &[profile("fp-a", &["*"])])[0];
        assert!(
            warning.message.starts_with("\"fp-b\" will never get a pod"),
            "{warning:?}"
        );
    }

    #[test]
    fn without_a_name_only_the_overlap_is_known() {
        let new = spec(json!({"selectors": [{"namespace": "dev"}]}));
        assert_eq!(
            codes(&new, &[profile("fp-a", &["*"])]),
            ["selector_overlap"]
        );
    }

    #[test]
    fn a_role_with_a_path_is_told() {
        let new = spec(json!({
            "selectors": [{"namespace": "a"}],
            "podExecutionRoleARN": "arn:aws:iam::111111111111:role/team/pods"
        }));
        assert_eq!(codes(&new, &[]), ["role_path"]);
    }
}
