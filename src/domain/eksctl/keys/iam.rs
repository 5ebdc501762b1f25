//! Roles: the `iam` of a config.

use super::Shape::{Fields, Flag, Free, Ignored, List, Text};
use super::{OF_AWS, Shape, TEXT_MAP, TEXTS};

pub(super) const CLUSTER_IAM: Shape = Fields(&[
    ("fargatePodExecutionRoleARN", Text),
    ("fargatePodExecutionRolePermissionsBoundary", Text),
    ("podIdentityAssociations", List(&POD_IDENTITY_ASSOCIATION)),
    ("serviceAccounts", List(&SERVICE_ACCOUNT)),
    ("serviceRoleARN", Text),
    ("serviceRolePermissionsBoundary", Text),
    ("vpcResourceControllerPolicy", Flag),
    ("withOIDC", Flag),
]);

pub(super) const SERVICE_ACCOUNT: Shape = Fields(&[
    ("attachPolicy", Free),
    ("attachPolicyARNs", TEXTS),
    ("attachRoleARN", Text),
    ("metadata", SERVICE_ACCOUNT_META),
    ("permissionsBoundary", Text),
    ("roleName", Text),
    ("roleOnly", Flag),
    ("status", Ignored(OF_AWS)),
    ("subjectPattern", Text),
    ("tags", TEXT_MAP),
    ("wellKnownPolicies", WELL_KNOWN_POLICIES),
]);

pub(super) const SERVICE_ACCOUNT_META: Shape = Fields(&[
    ("annotations", TEXT_MAP),
    ("labels", TEXT_MAP),
    ("name", Text),
    ("namespace", Text),
]);

pub(super) const POD_IDENTITY_ASSOCIATION: Shape = Fields(&[
    ("createServiceAccount", Flag),
    ("disableSessionTags", Flag),
    ("namespace", Text),
    ("permissionPolicy", Free),
    ("permissionPolicyARNs", TEXTS),
    ("permissionPolicyName", Text),
    ("permissionsBoundaryARN", Text),
    ("policy", Text),
    ("roleARN", Text),
    ("roleName", Text),
    ("serviceAccountName", Text),
    ("tags", TEXT_MAP),
    ("targetRoleARN", Text),
    ("wellKnownPolicies", WELL_KNOWN_POLICIES),
]);

pub(super) const WELL_KNOWN_POLICIES: Shape = Fields(&[
    ("autoScaler", Flag),
    ("awsLoadBalancerController", Flag),
    ("certManager", Flag),
    ("ebsCSIController", Flag),
    ("efsCSIController", Flag),
    ("externalDNS", Flag),
    ("imageBuilder", Flag),
]);
