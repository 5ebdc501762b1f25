//! What add-ons need of IAM: looked up where the roles that are made depend on it.

use std::collections::BTreeMap;

use super::Creating;
use super::preflight::{answered, needed, refuse, unchecked};
use crate::aws::offers::OfferedAddon;
use crate::domain::Invalid;
use crate::domain::cluster::addon_access::{AddonNeeds, VPC_CNI};
use crate::domain::cluster::spec::AddonSpec;
use crate::domain::warnings::Warning;
use crate::queue::Verdict;

/// Whether the roles of an add-on depend on what EKS says of it.
fn depends(creating: &Creating<'_>, addon: &AddonSpec) -> bool {
    let known = addon.late || addon.name == VPC_CNI;
    known && (addon.has_own_roles() || addon.recommended_roles || creating.spec.with_oidc)
}

/// Notes the needs of an add-on, of which EKS offers these versions and this one was chosen.
pub(super) async fn look(
    creating: &Creating<'_>,
    (addon, offered, chosen): (&AddonSpec, &[OfferedAddon], Option<&str>),
    found: &mut BTreeMap<String, AddonNeeds>,
    warnings: &mut Vec<Warning>,
) -> Result<(), Verdict> {
    let asked = chosen.or(addon.version.as_deref());
    let version = match asked {
        Some(version) => offered.iter().find(|one| one.version == version),
        None => offered.iter().find(|one| one.is_default),
    };
    let Some(version) = version.filter(|_| depends(creating, addon)) else {
        return Ok(());
    };
    let mut needs = AddonNeeds {
        iam: version.requires_iam,
        ..AddonNeeds::default()
    };
    let by_pod_identity = addon.recommended_roles || !addon.pod_identities.is_empty();
    if needs.iam && by_pod_identity {
        needs.pod_identities = recommended(creating, (addon, &version.version), warnings).await?;
        if needs.pod_identities.is_empty() && !addon.pod_identities.is_empty() {
            let message = format!(
                "the add-on {} does not support pod identity associations; use serviceAccountRoleARN, \
                 attachPolicyARNs, attachPolicy or wellKnownPolicies, with iam.withOIDC",
                addon.name
            );
            return Err(refuse(&[Invalid::new("/addons", message)]));
        }
    }
    if !needs.iam && addon.has_own_roles() {
        let message = format!(
            "EKS says that add-on {} calls nothing of AWS, so no roles are made for it",
            addon.name
        );
        warnings.push(Warning::new("addon_role_ignored", message));
    }
    found.insert(addon.name.clone(), needs);
    Ok(())
}

/// What EKS recommends; without the answer, the caller's own associations are taken as they are.
async fn recommended(
    creating: &Creating<'_>,
    (addon, version): (&AddonSpec, &str),
    warnings: &mut Vec<Warning>,
) -> Result<Vec<crate::domain::cluster::addon_access::RecommendedRole>, Verdict> {
    const RIGHT: &str = "eks:DescribeAddonConfiguration";
    let clusters = creating.stage.context.clusters();
    let answer = clusters.recommended_roles(&addon.name, version).await;
    match answered(creating, answer).await? {
        Ok(roles) => Ok(roles),
        Err(refusal) if addon.pod_identities.is_empty() => {
            let advice = format!(
                "name the roles of add-on {}, or let the role {RIGHT}",
                addon.name
            );
            Err(needed(creating, refusal, &advice).await)
        }
        Err(refusal) => {
            let what = format!("whether add-on {} supports EKS Pod Identity", addon.name);
            warnings.push(unchecked(&what, RIGHT, &refusal));
            let own = addon.pod_identities.iter();
            let own = own.map(
                |one| crate::domain::cluster::addon_access::RecommendedRole {
                    service_account: one.service_account.clone(),
                    ..Default::default()
                },
            );
            Ok(own.collect())
        }
    }
}
