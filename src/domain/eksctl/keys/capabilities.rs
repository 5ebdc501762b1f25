//! EKS capabilities.

use super::Shape::{Fields, Free, List, Text};
use super::{Shape, TEXT_MAP, TEXTS, access};

pub(super) const CAPABILITY: Shape = Fields(&[
    ("accessPolicies", List(&access::ACCESS_POLICY)),
    ("attachPolicy", Free),
    ("attachPolicyARNs", TEXTS),
    ("configuration", CAPABILITY_CONFIGURATION),
    ("deletePropagationPolicy", Text),
    ("name", Text),
    ("permissionsBoundary", Text),
    ("roleArn", Text),
    ("tags", TEXT_MAP),
    ("type", Text),
]);

pub(super) const CAPABILITY_CONFIGURATION: Shape = Fields(&[("argocd", ARGO_CD_CONFIGURATION)]);

pub(super) const ARGO_CD_CONFIGURATION: Shape = Fields(&[
    ("awsIdc", ARGO_CD_AWS_IDC),
    ("namespace", Text),
    ("networkAccess", ARGO_CD_NETWORK_ACCESS),
    ("rbacRoleMappings", List(&ARGO_CD_ROLE_MAPPING)),
]);

pub(super) const ARGO_CD_AWS_IDC: Shape = Fields(&[("idcInstanceArn", Text), ("idcRegion", Text)]);

pub(super) const ARGO_CD_NETWORK_ACCESS: Shape = Fields(&[("vpceIds", TEXTS)]);

pub(super) const ARGO_CD_ROLE_MAPPING: Shape =
    Fields(&[("identities", List(&SSO_IDENTITY)), ("role", Text)]);

pub(super) const SSO_IDENTITY: Shape = Fields(&[("id", Text), ("type", Text)]);
