//! What must hold between the fields of an account.

use std::collections::BTreeMap;

use crate::domain::account::{check_labels, check_regions, wrong_boundary, wrong_cluster_admins};
use crate::domain::{AccountId, Invalid, PrincipalArn, Region, RoleArn};

/// The fields of an account that must fit together.
pub(super) struct Fields<'a> {
    pub account_id: &'a AccountId,
    pub regions: &'a [Region],
    pub labels: &'a BTreeMap<String, String>,
    pub role_arn: Option<&'a RoleArn>,
    pub pod_execution_role_arn: Option<&'a RoleArn>,
    pub cluster_admins: &'a [PrincipalArn],
    pub permissions_boundary: Option<&'a str>,
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
    if let Some(region) = fields.regions.first() {
        let partition = region.partition();
        wrong.extend(wrong_cluster_admins(fields.cluster_admins, partition));
        let (at, id) = ("/permissionsBoundaryARN", fields.account_id.as_str());
        let boundary = fields.permissions_boundary;
        wrong.extend(boundary.and_then(|arn| wrong_boundary(at, arn, id, partition)));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
