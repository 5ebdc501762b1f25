//! Who may use the cluster.

use super::Shape::{Fields, Flag, List, Text};
use super::{Shape, TEXT_MAP, TEXTS};

pub(super) const ACCESS_CONFIG: Shape = Fields(&[
    ("accessEntries", List(&ACCESS_ENTRY)),
    ("authenticationMode", Text),
    ("bootstrapClusterCreatorAdminPermissions", Flag),
]);

pub(super) const ACCESS_ENTRY: Shape = Fields(&[
    ("accessPolicies", List(&ACCESS_POLICY)),
    ("kubernetesGroups", TEXTS),
    ("kubernetesUsername", Text),
    ("principalARN", Text),
    ("tags", TEXT_MAP),
    ("type", Text),
]);

pub(super) const ACCESS_POLICY: Shape =
    Fields(&[("accessScope", ACCESS_SCOPE), ("policyARN", Text)]);

pub(super) const ACCESS_SCOPE: Shape = Fields(&[("namespaces", TEXTS), ("type", Text)]);

pub(super) const IAM_IDENTITY_MAPPING: Shape = Fields(&[
    ("account", Text),
    ("arn", Text),
    ("groups", TEXTS),
    ("namespace", Text),
    ("noDuplicateARNs", Flag),
    ("serviceName", Text),
    ("username", Text),
]);

pub(super) const IDENTITY_PROVIDER: Shape = Fields(&[
    ("clientID", Text),
    ("groupsClaim", Text),
    ("groupsPrefix", Text),
    ("issuerURL", Text),
    ("name", Text),
    ("requiredClaims", TEXT_MAP),
    ("tags", TEXT_MAP),
    ("type", Text),
    ("usernameClaim", Text),
    ("usernamePrefix", Text),
]);
