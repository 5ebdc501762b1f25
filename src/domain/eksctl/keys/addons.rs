//! Add-ons.

use super::Shape::{Fields, Flag, Free, Ignored, List, Text};
use super::{Shape, TEXT_MAP, TEXTS, iam};

const FOR_LISTS: &str = "eksctl lists add-ons by it, and creates none by it";

pub(super) const ADDON: Shape = Fields(&[
    ("attachPolicy", Free),
    ("attachPolicyARNs", TEXTS),
    ("configurationValues", Text),
    ("name", Text),
    ("namespaceConfig", ADDON_NAMESPACE_CONFIG),
    ("owners", Ignored(FOR_LISTS)),
    ("permissionsBoundary", Text),
    (
        "podIdentityAssociations",
        List(&iam::POD_IDENTITY_ASSOCIATION),
    ),
    ("publishers", Ignored(FOR_LISTS)),
    ("resolveConflicts", Text),
    ("serviceAccountRoleARN", Text),
    ("tags", TEXT_MAP),
    ("types", Ignored(FOR_LISTS)),
    ("useDefaultPodIdentityAssociations", Flag),
    ("version", Text),
    ("wellKnownPolicies", iam::WELL_KNOWN_POLICIES),
]);

pub(super) const ADDONS_CONFIG: Shape = Fields(&[
    ("autoApplyPodIdentityAssociations", Flag),
    ("disableDefaultAddons", Flag),
]);

pub(super) const ADDON_NAMESPACE_CONFIG: Shape = Fields(&[("namespace", Text)]);
