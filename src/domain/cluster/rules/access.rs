//! Who may use the cluster.

use crate::domain::access_entry::{AccessEntryInput, AccessEntrySpec, MAX_ENTRIES};
use crate::domain::cluster::spec::{AccessSpec, AuthenticationMode, NodegroupKind, NodegroupSpec};
use crate::domain::eksctl::AccessConfig;
use crate::domain::eksctl::checks::keep;
use crate::domain::invalid::Invalid;
use std::str::FromStr;

pub(super) fn of(input: AccessConfig, wrong: &mut Vec<Invalid>) -> AccessSpec {
    let mode = input.authentication_mode.as_deref();
    let mode = mode.map_or(Ok(AuthenticationMode::ApiAndConfigMap), FromStr::from_str);
    let mode = keep(wrong, "/accessConfig/authenticationMode", mode);
    AccessSpec {
        mode: mode.unwrap_or(AuthenticationMode::ApiAndConfigMap),
        creator_admin: input
            .bootstrap_cluster_creator_admin_permissions
            .unwrap_or(true),
        entries: entries(input.access_entries, wrong),
    }
}

fn entries(inputs: Vec<AccessEntryInput>, wrong: &mut Vec<Invalid>) -> Vec<AccessEntrySpec> {
    const AT: &str = "/accessConfig/accessEntries";
    if inputs.len() > MAX_ENTRIES {
        let message = format!("at most {MAX_ENTRIES} access entries");
        wrong.push(Invalid::new(AT, message));
        return Vec::new();
    }
    let mut entries: Vec<AccessEntrySpec> = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("{AT}/{i}");
        match input.validate(None) {
            Ok(entry) => {
                let principal = &entry.principal_arn;
                if entries.iter().any(|one| one.principal_arn == *principal) {
                    let message = format!("another access entry is of {principal} too");
                    wrong.push(Invalid::new(format!("{at}/principalARN"), message));
                }
                entries.push(entry);
            }
            Err(errors) => wrong.extend(errors.into_iter().map(|error| error.under(&at))),
        }
    }
    entries
}

/// What the authentication mode does not go with.
pub(super) fn check_use(
    access: &AccessSpec,
    nodegroups: &[NodegroupSpec],
    wrong: &mut Vec<Invalid>,
) {
    const AT: &str = "/accessConfig/authenticationMode";
    if access.mode != AuthenticationMode::ConfigMap {
        return;
    }
    if !access.entries.is_empty() {
        let message = "accessConfig.authenticationMode must be set to either API_AND_CONFIG_MAP or \
                       API to use access entries";
        wrong.push(Invalid::new(AT, message));
    }
    if !access.creator_admin {
        let message = "with authenticationMode CONFIG_MAP nobody could use the cluster: set this \
                       to true, or authenticationMode to API_AND_CONFIG_MAP";
        let at = "/accessConfig/bootstrapClusterCreatorAdminPermissions";
        wrong.push(Invalid::new(at, message));
    }
    if nodegroups
        .iter()
        .any(|ng| ng.kind == NodegroupKind::SelfManaged)
    {
        let message = "nodes of nodeGroups join by an access entry, which needs API_AND_CONFIG_MAP \
                       or API here; or use managedNodeGroups";
        wrong.push(Invalid::new(AT, message));
    }
}
