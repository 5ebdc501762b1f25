//! Checks that more than one reader of a `ClusterConfig` makes.

use crate::domain::iam_name::is_named;
use crate::domain::ids::Partition;
use crate::domain::invalid::{Invalid, ParseError, quoted};
use crate::domain::profile::{Naming, ProfileInput, ProfileSpec};
use crate::domain::role_arn::RoleArn;

/// The longest name of a policy.
const MAX_POLICY_NAME: usize = 128;
use std::collections::BTreeSet;

/// The most profiles in one file.
pub const MAX_PROFILES: usize = 100;

const API_VERSION: &str = "eksctl.io/v1alpha5";
const KIND: &str = "ClusterConfig";

/// What is wrong with the two fields that say what the document is.
pub(in crate::domain) fn wrong_head(api_version: Option<&str>, kind: Option<&str>) -> Vec<Invalid> {
    let fixed = [
        ("/apiVersion", api_version, API_VERSION),
        ("/kind", kind, KIND),
    ];
    let given = fixed
        .into_iter()
        .filter_map(|(pointer, found, wanted)| Some((pointer, found?, wanted)));
    let differing = given.filter(|(_, found, wanted)| found != wanted);
    let told = differing.map(|(pointer, found, wanted)| {
        Invalid::new(
            pointer,
            format!("expected {wanted:?}, found {}", quoted(found)),
        )
    });
    told.collect()
}

/// The profiles of a file, each checked, each with a name that occurs once.
pub(in crate::domain) fn valid_profiles(
    inputs: Vec<ProfileInput>,
    wrong: &mut Vec<Invalid>,
) -> Vec<ProfileSpec> {
    if inputs.len() > MAX_PROFILES {
        let message = format!("at most {MAX_PROFILES} profiles in one file");
        wrong.push(Invalid::new("/fargateProfiles", message));
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut profiles = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("/fargateProfiles/{i}");
        let name = input.name.clone().unwrap_or_default();
        if !name.is_empty() && !names.insert(name.clone()) {
            let message = format!(
                "another profile of this file is named {} too",
                quoted(&name)
            );
            wrong.push(Invalid::new(format!("{at}/name"), message));
        }
        if input.permissions_boundary.is_some() {
            let message = "in a config the boundary of the role is \
                           iam.fargatePodExecutionRolePermissionsBoundary";
            wrong.push(Invalid::new(format!("{at}/permissionsBoundary"), message));
        }
        match input.validate(Naming::Required) {
            Ok(profile) => profiles.push(profile),
            Err(errors) => wrong.extend(errors.into_iter().map(|error| error.under(&at))),
        }
    }
    profiles
}

/// The value, or a note of what is wrong with it.
pub(in crate::domain) fn keep<T>(
    wrong: &mut Vec<Invalid>,
    pointer: &str,
    parsed: Result<T, ParseError>,
) -> Option<T> {
    parsed
        .map_err(|error| wrong.push(Invalid::new(pointer, error.message())))
        .ok()
}

/// What is wrong with the ARN of a policy.
pub(in crate::domain) fn wrong_policy_arn(at: &str, arn: &str) -> Option<Invalid> {
    let message = format!(
        "invalid policy ARN {}: expected arn:<partition>:iam::<account or aws>:policy/<name>",
        quoted(arn)
    );
    (!is_policy_arn(arn)).then(|| Invalid::new(at, message))
}

fn is_policy_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, policy] = parts.as_slice() else {
        return false;
    };
    let owner =
        *account == "aws" || (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()));
    let name = policy.strip_prefix("policy/").unwrap_or_default();
    Partition::of_arn(partition).is_some()
        && owner
        && text.len() <= RoleArn::MAX_LENGTH
        && !name.contains(['{', '}'])
        && is_named(name, MAX_POLICY_NAME)
}
