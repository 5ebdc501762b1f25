//! What must hold between the fields of an account.

use std::collections::BTreeMap;

use crate::domain::account::{check_labels, check_regions};
use crate::domain::{AccountId, Invalid, Region, RoleArn};

/// The fields of an account that must fit together.
pub(super) struct Fields<'a> {
    pub account_id: &'a AccountId,
    pub regions: &'a [Region],
    pub labels: &'a BTreeMap<String, String>,
    pub role_arn: Option<&'a RoleArn>,
    pub pod_execution_role_arn: Option<&'a RoleArn>,
}

/// Everything that is wrong.
pub(super) fn check(fields: &Fields<'_>) -> Result<(), Vec<Invalid>> {
    let mut wrong = Vec::new();
    wrong.extend(check_regions(fields.regions).err().unwrap_or_default());
    wrong.extend(check_labels(fields.labels).err().unwrap_or_default());
    let roles = [
        ("/roleArn", fields.role_arn),
        ("/podExecutionRoleARN", fields.pod_execution_role_arn),
    ];
    for (pointer, role) in roles {
        let Some(role) = role else { continue };
        if role.account() != *fields.account_id {
            let message = format!(
                "the role {role} is of account {}, not of {}",
                role.account(),
                fields.account_id
            );
            wrong.push(Invalid::new(pointer, message));
        } else if let Some(region) = fields.regions.first()
            && region.partition() != role.partition()
        {
            let message = format!(
                "the role {role} is in partition {}, and region {region} in {}",
                role.partition(),
                region.partition()
            );
            wrong.push(Invalid::new(pointer, message));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
