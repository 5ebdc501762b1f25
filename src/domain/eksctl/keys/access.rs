//! Who may use the cluster.

use super::*;

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
