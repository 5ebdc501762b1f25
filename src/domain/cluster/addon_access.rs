//! By which roles an add-on calls AWS: as its caller says, else as EKS and eksctl recommend.

use super::spec::role::{NamedPolicy, NewRole, RoleSource, WellKnownPolicy};
use super::spec::workload::AddonPodIdentity;
use super::spec::{AddonSpec, ClusterSpec};
use crate::domain::ids::Partition;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The add-on that pods get their network from.
pub const VPC_CNI: &str = "vpc-cni";
/// The add-on without which no role reaches a pod by EKS Pod Identity.
pub const POD_IDENTITY_AGENT: &str = "eks-pod-identity-agent";

/// What EKS says that an add-on needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AddonNeeds {
    /// Whether it calls AWS.
    pub iam: bool,
    /// Roles that its service accounts are recommended to have by EKS Pod Identity; none where the
    /// add-on does not know it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pod_identities: Vec<RecommendedRole>,
}

/// A role that is recommended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecommendedRole {
    /// Whose it is.
    pub service_account: String,
    /// Its policies.
    pub policy_arns: Vec<String>,
}

/// What of a cluster decides about the roles of its add-ons.
#[derive(Clone, Copy)]
struct Place {
    with_oidc: bool,
    ipv6: bool,
    partition: Partition,
}

impl AddonSpec {
    /// Whether it shall call AWS by a role of its own, whatever EKS says that it needs.
    #[must_use]
    pub const fn asks_for_roles(&self) -> bool {
        self.service_account_role.is_some()
            || self.role.is_some()
            || !self.pod_identities.is_empty()
    }

    /// Whether roles are made for it, or associated with it, as its caller says.
    #[must_use]
    pub const fn has_own_roles(&self) -> bool {
        self.role.is_some() || !self.pod_identities.is_empty()
    }

    /// Whether no role is of any use to it: kube-proxy, coredns, eks-pod-identity-agent.
    #[must_use]
    pub fn never_calls_aws(&self) -> bool {
        !self.late && self.name != VPC_CNI
    }

    /// The same add-on with the roles that it gets in the end. Without an answer of EKS's, it needs what
    /// its caller says.
    fn with_access(mut self, needs: Option<&AddonNeeds>, place: Place) -> Self {
        let with_oidc = place.with_oidc;
        if needs.is_some_and(|needs| !needs.iam) || self.never_calls_aws() {
            self.role = None;
            self.pod_identities.clear();
            return self;
        }
        let recommended = needs.map_or(&[] as &[_], |needs| needs.pod_identities.as_slice());
        if self.asks_for_roles() {
            self.role = self.role.filter(|_| with_oidc);
        } else if self.recommended_roles && (!recommended.is_empty() || needs.is_none()) {
            let boundary = self.permissions_boundary.as_deref();
            let identities = recommended.iter().map(|one| identity(one, boundary));
            self.pod_identities = identities.collect();
        } else if with_oidc {
            self.role = irsa(&self.name, place).map(|role| NewRole {
                permissions_boundary: self.permissions_boundary.clone(),
                ..role
            });
        }
        self
    }
}

fn identity(recommended: &RecommendedRole, boundary: Option<&str>) -> AddonPodIdentity {
    let role = NewRole {
        policy_arns: recommended.policy_arns.clone(),
        permissions_boundary: boundary.map(str::to_owned),
        ..NewRole::default()
    };
    AddonPodIdentity {
        namespace: None,
        service_account: recommended.service_account.clone(),
        role: RoleSource::New(role),
    }
}

/// The role by the cluster's OIDC issuer that eksctl gives an add-on unasked.
fn irsa(addon: &str, place: Place) -> Option<NewRole> {
    let partition = place.partition;
    let well_known = |policy| NewRole {
        well_known: vec![policy],
        ..NewRole::default()
    };
    match addon {
        VPC_CNI if place.ipv6 => Some(NewRole {
            policy: Some(own_policy(None, for_ipv6(partition))),
            ..NewRole::default()
        }),
        VPC_CNI => Some(NewRole {
            policy_arns: vec![format!(
                "arn:{partition}:iam::aws:policy/AmazonEKS_CNI_Policy"
            )],
            ..NewRole::default()
        }),
        "aws-ebs-csi-driver" => Some(well_known(WellKnownPolicy::EbsCsiController)),
        "aws-efs-csi-driver" => Some(well_known(WellKnownPolicy::EfsCsiController)),
        _ => None,
    }
}

/// What vpc-cni does where pods have IPv6 addresses; AWS has no policy of its own for it.
fn for_ipv6(partition: Partition) -> serde_json::Value {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "ec2:AssignIpv6Addresses",
                    "ec2:DescribeInstances",
                    "ec2:DescribeTags",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeInstanceTypes",
                ],
                "Resource": "*",
            },
            {
                "Effect": "Allow",
                "Action": ["ec2:CreateTags"],
                "Resource": format!("arn:{partition}:ec2:*:*:network-interface/*"),
            },
        ],
    })
}

impl ClusterSpec {
    /// The same cluster, whose add-ons have the roles that they get in the end.
    #[must_use]
    pub fn with_addon_access(mut self, needs: &BTreeMap<String, AddonNeeds>) -> Self {
        let place = Place {
            with_oidc: self.with_oidc,
            ipv6: self.control_plane.ipv6,
            partition: self.region.partition(),
        };
        let addons = std::mem::take(&mut self.addons).into_iter();
        self.addons = addons
            .map(|addon| {
                let needs = needs.get(&addon.name);
                addon.with_access(needs, place)
            })
            .collect();
        self
    }

    /// The add-on vpc-cni, if it gets its role once IAM trusts the cluster's issuer: it is made before.
    #[must_use]
    pub fn vpc_cni_with_role(&self) -> Option<(&AddonSpec, &NewRole)> {
        let addon = self.addons.iter().find(|addon| addon.name == VPC_CNI)?;
        Some((addon, addon.role.as_ref()?))
    }
}

/// A policy that a caller wrote, by the name that eksctl gives it.
#[must_use]
pub fn own_policy(name: Option<String>, document: serde_json::Value) -> NamedPolicy {
    NamedPolicy {
        name: name.unwrap_or_else(|| "Policy1".to_owned()),
        document,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cluster::samples;
    use serde_json::{Value, json};

    const CNI: &str = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy";

    fn cluster(parts: &Value) -> ClusterSpec {
        let mut config = json!({"metadata": {"name": "c", "region": "eu-central-1"}});
        config
            .as_object_mut()
            .unwrap()
            .extend(parts.as_object().unwrap().clone());
        samples::spec(&config)
    }

    fn needs(iam: bool, accounts: &[&str]) -> BTreeMap<String, AddonNeeds> {
        let recommended = |account: &&str| RecommendedRole {
            service_account: (*account).to_owned(),
            policy_arns: vec![CNI.to_owned()],
        };
        let needs = AddonNeeds {
            iam,
            pod_identities: accounts.iter().map(recommended).collect(),
        };
        [(VPC_CNI.to_owned(), needs)].into()
    }

    fn cni(spec: ClusterSpec, needs: &BTreeMap<String, AddonNeeds>) -> AddonSpec {
        let spec = spec.with_addon_access(needs);
        spec.addons
            .into_iter()
            .find(|one| one.name == VPC_CNI)
            .unwrap()
    }

    #[test]
    fn with_the_issuer_trusted_the_cni_gets_a_role_of_its_own() {
        let with = cluster(&json!({"iam": {"withOIDC": true}}));
        for needs in [
            BTreeMap::new(),
            needs(true, &[]),
            needs(true, &["aws-node"]),
        ] {
            let role = cni(with.clone(), &needs).role.unwrap();
            assert_eq!(role.policy_arns, [CNI]);
        }
        assert_eq!(cni(with, &needs(false, &[])).role, None);
        assert_eq!(cni(cluster(&json!({})), &needs(true, &[])).role, None);
    }

    #[test]
    fn recommended_roles_come_before_those_by_the_issuer() {
        let agent = json!([{"name": "eks-pod-identity-agent"}]);
        let auto = cluster(&json!({
            "iam": {"withOIDC": true},
            "addons": agent,
            "addonsConfig": {"autoApplyPodIdentityAssociations": true},
        }));
        let found = cni(auto.clone(), &needs(true, &["aws-node"]));
        assert_eq!(found.role, None);
        assert_eq!(found.pod_identities[0].service_account, "aws-node");
        // An add-on that does not know EKS Pod Identity.
        let found = cni(auto, &needs(true, &[]));
        assert!(found.role.is_some() && found.pod_identities.is_empty());
    }

    #[test]
    fn what_the_caller_says_counts() {
        let given = "arn:aws:iam::111111111111:role/cni";
        let own = json!([{"name": "vpc-cni", "serviceAccountRoleARN": given}]);
        let spec = cluster(&json!({"iam": {"withOIDC": true}, "addons": own}));
        assert_eq!(cni(spec, &needs(true, &["aws-node"])).role, None);
        let policies = json!([{"name": "vpc-cni", "attachPolicyARNs": [CNI]}]);
        let without = cluster(&json!({"addons": policies}));
        assert_eq!(cni(without, &needs(true, &[])).role, None);
    }
}
