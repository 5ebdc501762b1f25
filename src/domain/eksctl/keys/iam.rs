//! Roles: the `iam` of a config.

use super::*;

pub(super) const CLUSTER_IAM: Shape = Fields(&[
    ("fargatePodExecutionRoleARN", Text),
    ("fargatePodExecutionRolePermissionsBoundary", Text),
    ("podIdentityAssociations", Refused(NOT_YET)),
    ("serviceAccounts", Refused(NOT_YET)),
    ("serviceRoleARN", Text),
    ("serviceRolePermissionsBoundary", Text),
    ("vpcResourceControllerPolicy", Refused(NOT_YET)),
    ("withOIDC", Flag),
]);
