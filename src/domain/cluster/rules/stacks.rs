//! The stacks of a cluster have names of their own, which `CloudFormation` takes.

use crate::domain::cluster::names;
use crate::domain::cluster::spec::ClusterSpec;
use crate::domain::invalid::{Invalid, quoted};
use std::collections::BTreeSet;

pub(super) fn check(spec: &ClusterSpec, wrong: &mut Vec<Invalid>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut roles: BTreeSet<&str> = BTreeSet::new();
    for (at, stack) in role_stacks(spec) {
        if !names::is_stack_name(&stack) {
            let message = format!(
                "its stack would be named {}, and CloudFormation takes at most {} letters, digits \
                 and -: choose shorter names without .",
                quoted(&stack),
                names::MAX_STACK_NAME
            );
            wrong.push(Invalid::new(at.as_str(), message));
        }
        if !seen.insert(stack.clone()) {
            let message = format!(
                "its stack would be named {}, as that of another one: rename one of the two",
                quoted(&stack)
            );
            wrong.push(Invalid::new(at, message));
        }
    }
    let accounts = spec.service_accounts.iter().map(|one| &one.role);
    let identities = spec.pod_identities.iter().map(|one| &one.role);
    let of_accounts = (0..).map(|i| format!("/iam/serviceAccounts/{i}/roleName"));
    let of_identities = (0..).map(|i| format!("/iam/podIdentityAssociations/{i}/roleName"));
    let all = of_accounts
        .zip(accounts)
        .chain(of_identities.zip(identities));
    for (at, role) in all {
        let name = role.made().and_then(|role| role.name.as_deref());
        if name.is_some_and(|name| !roles.insert(name)) {
            let message = "another role of this file has this name too";
            wrong.push(Invalid::new(at, message));
        }
    }
}

/// Where they come from, and their names.
fn role_stacks(spec: &ClusterSpec) -> Vec<(String, String)> {
    let accounts = spec.service_accounts.iter().enumerate();
    let accounts = accounts.filter_map(|(i, one)| {
        let stack = spec.service_account_stack(one)?;
        Some((format!("/iam/serviceAccounts/{i}"), stack.name))
    });
    let identities = spec.pod_identities.iter().enumerate();
    let identities = identities.filter_map(|(i, one)| {
        let stack = spec.pod_identity_stack(one)?;
        Some((format!("/iam/podIdentityAssociations/{i}"), stack.name))
    });
    let addons = spec
        .addons
        .iter()
        .flat_map(|addon| spec.addon_stacks(addon));
    let addons = addons.map(|stack| ("/addons".to_owned(), stack.name));
    let capabilities = spec.capabilities.iter().enumerate();
    let capabilities = capabilities.flat_map(|(i, one)| {
        let role = spec.capability_role_stack(one).map(|stack| stack.name);
        let own = names::capability_stack(&spec.name, &one.name);
        let stacks = role.into_iter().chain([own]);
        stacks.map(move |stack| (format!("/capabilities/{i}"), stack))
    });
    let others = accounts.chain(identities).chain(addons);
    others.chain(capabilities).collect()
}
