//! The role that the control plane acts under: one that exists, or the boundary of one that is made.

use crate::domain::eksctl::ClusterIam;
use crate::domain::eksctl::checks::keep;
use crate::domain::eksctl::checks::wrong_policy_arn;
use crate::domain::invalid::Invalid;
use crate::domain::role_arn::RoleArn;

pub(super) fn of(iam: &ClusterIam, wrong: &mut Vec<Invalid>) -> (Option<RoleArn>, Option<String>) {
    const AT: &str = "/iam/serviceRoleARN";
    const BOUNDARY_AT: &str = "/iam/serviceRolePermissionsBoundary";
    let role = iam.service_role_arn.clone().map(RoleArn::parse);
    let role = keep(wrong, AT, role.transpose()).flatten();
    // CloudFormation would look up what stands in such braces.
    if role.as_ref().is_some_and(|arn| arn.as_str().contains("{{")) {
        wrong.push(Invalid::new(AT, "the path of the role must not hold {{"));
    }
    let boundary = iam.service_role_permissions_boundary.clone();
    let given = boundary.as_deref();
    wrong.extend(given.and_then(|arn| wrong_policy_arn(BOUNDARY_AT, arn)));
    if boundary.is_some() && iam.service_role_arn.is_some() {
        let message = "a permissions boundary is for a role that is created, and serviceRoleARN \
                       names one that exists: remove one of the two";
        wrong.push(Invalid::new(BOUNDARY_AT, message));
    }
    (role, boundary)
}
