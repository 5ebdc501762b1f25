//! Add-ons.

use super::*;

pub(super) const ADDON: Shape = Fields(&[
    ("attachPolicy", Refused(NOT_YET)),
    ("attachPolicyARNs", Refused(NOT_YET)),
    ("configurationValues", Text),
    ("name", Text),
    ("namespaceConfig", Refused(NOT_YET)),
    ("owners", Refused(NOT_YET)),
    ("permissionsBoundary", Refused(NOT_YET)),
    ("podIdentityAssociations", Refused(NOT_YET)),
    ("publishers", Refused(NOT_YET)),
    ("resolveConflicts", Text),
    ("serviceAccountRoleARN", Text),
    ("tags", TEXT_MAP),
    ("types", Refused(NOT_YET)),
    ("useDefaultPodIdentityAssociations", Refused(NOT_YET)),
    ("version", Text),
    ("wellKnownPolicies", Refused(NOT_YET)),
]);

pub(super) const ADDONS_CONFIG: Shape = Fields(&[
    ("autoApplyPodIdentityAssociations", Refused(NOT_YET)),
    ("disableDefaultAddons", Flag),
]);
