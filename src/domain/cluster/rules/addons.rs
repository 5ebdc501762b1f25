//! Add-ons: the four that every cluster gets, and the caller's own.

use super::{addon_roles, tags};
use crate::domain::cluster::addon_version;
use crate::domain::cluster::spec::AddonSpec;
use crate::domain::decode::yaml_tree;
use crate::domain::eksctl::Addon;
use crate::domain::eksctl::checks::keep;
use crate::domain::ids::Region;
use crate::domain::invalid::{Invalid, quoted};
use crate::domain::role_arn::RoleArn;
use serde_json::Value;
use std::collections::BTreeSet;

const MAX_ADDONS: usize = 50;
const MAX_CONFIGURATION: usize = 16_384;

/// Those that every cluster gets before it has nodes.
const EARLY: [&str; 3] = ["vpc-cni", "kube-proxy", "coredns"];
/// Another that eksctl creates before nodes, if it is asked for.
const EARLY_IF_ASKED: &str = "eks-pod-identity-agent";
/// The one that every cluster gets at the end.
const LATE: &str = "metrics-server";

/// All add-ons in the order in which they are created. The defaults are left out if they are
/// disabled, and where AWS has none.
pub(super) fn of(
    inputs: Vec<Addon>,
    (disabled, region): (bool, Option<&Region>),
    wrong: &mut Vec<Invalid>,
) -> Vec<AddonSpec> {
    if inputs.len() > MAX_ADDONS {
        let message = format!("at most {MAX_ADDONS} add-ons");
        wrong.push(Invalid::new("/addons", message));
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut asked = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("/addons/{i}");
        if !names.insert(input.name.clone()) {
            let message = format!("another add-on of this file is {} too", quoted(&input.name));
            wrong.push(Invalid::new(format!("{at}/name"), message));
        }
        asked.push(one(input, &at, wrong));
    }
    let defaults = EARLY.iter().chain([&LATE]).filter(|_| !disabled);
    let has_late = region.is_none_or(has_metrics_server);
    for name in defaults.filter(|name| has_late || **name != LATE) {
        if !names.contains(*name) {
            asked.push(by_default(name));
        }
    }
    // Stable: the caller's own keep their order.
    asked.sort_by_key(|addon| {
        let early = EARLY.iter().position(|name| *name == addon.name);
        (addon.late, early.unwrap_or(EARLY.len()), addon.name == LATE)
    });
    asked
}

/// AWS has no add-on metrics-server in China, in `GovCloud` and in isolated regions.
fn has_metrics_server(region: &Region) -> bool {
    let region = region.as_str();
    let apart = ["cn-", "us-gov-"]
        .iter()
        .any(|begin| region.starts_with(begin));
    !apart && !region.contains("-iso")
}

fn by_default(name: &str) -> AddonSpec {
    AddonSpec {
        name: name.to_owned(),
        version: None,
        configuration: None,
        overwrite: false,
        service_account_role: None,
        role: None,
        pod_identities: Vec::new(),
        recommended_roles: false,
        permissions_boundary: None,
        namespace: None,
        tags: std::collections::BTreeMap::new(),
        late: name == LATE,
        by_default: true,
    }
}

fn one(mut input: Addon, at: &str, wrong: &mut Vec<Invalid>) -> AddonSpec {
    check_name(&input.name, at, wrong);
    let roles = addon_roles::of(&mut input, at, wrong);
    if let Some(version) = &input.version {
        check_version(version, at, wrong);
    }
    let role = input
        .service_account_role_arn
        .map(RoleArn::parse)
        .transpose();
    let role = keep(wrong, &format!("{at}/serviceAccountRoleARN"), role);
    let overwrite = match input.resolve_conflicts.as_deref() {
        None | Some("none") => false,
        Some("overwrite") => true,
        Some(other) => {
            let message = format!("expected none or overwrite, found {}", quoted(other));
            wrong.push(Invalid::new(format!("{at}/resolveConflicts"), message));
            false
        }
    };
    tags::check(&input.tags, at, wrong);
    let values = input.configuration_values;
    AddonSpec {
        configuration: values.and_then(|text| configuration(&text, at, wrong)),
        late: !EARLY.contains(&input.name.as_str()) && input.name != EARLY_IF_ASKED,
        by_default: false,
        name: input.name,
        version: input.version,
        overwrite,
        service_account_role: role.flatten(),
        role: roles.role,
        pod_identities: roles.pod_identities,
        recommended_roles: roles.recommended,
        permissions_boundary: roles.permissions_boundary,
        namespace: roles.namespace,
        tags: input.tags,
    }
}

fn check_name(name: &str, at: &str, wrong: &mut Vec<Invalid>) {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
        let message = format!(
            "invalid add-on {}: expected the name of an EKS add-on, such as vpc-cni",
            quoted(name)
        );
        wrong.push(Invalid::new(format!("{at}/name"), message));
    }
}

fn check_version(version: &str, at: &str, wrong: &mut Vec<Invalid>) {
    if !addon_version::is_asked(version) {
        let message = format!(
            "invalid add-on version {}: expected one such as v1.20.1-eksbuild.1, the beginning of \
             one such as v1.20, or latest; leave it out for EKS's default",
            quoted(version)
        );
        wrong.push(Invalid::new(format!("{at}/version"), message));
    }
}

fn configuration(text: &str, at: &str, wrong: &mut Vec<Invalid>) -> Option<Value> {
    let pointer = format!("{at}/configurationValues");
    if text.len() > MAX_CONFIGURATION {
        let message = format!("at most {MAX_CONFIGURATION} bytes");
        wrong.push(Invalid::new(pointer, message));
        return None;
    }
    // JSON is YAML.
    match yaml_tree(text) {
        Ok(tree) if tree.is_object() => Some(tree),
        Ok(_) => {
            let message = "expected an object of settings, as JSON or YAML";
            wrong.push(Invalid::new(pointer, message));
            None
        }
        Err(errors) => {
            let told = errors.into_iter().map(|error| error.message);
            wrong.extend(told.map(|message| Invalid::new(pointer.as_str(), message)));
            None
        }
    }
}
