//! Arranging states directly, past all rules of EKS: what the controls do to the world.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::addon::Addon;
use super::arn;
use super::clock::{fresh_id, wall};
use super::cluster::Cluster;
use super::control::{AccountSettings, ClusterSettings, ProfileSpec};
use super::nodegroup::Nodegroup;
use super::profile::{Phase, Profile, ProfileView};
use super::rights::RolePolicy;
use super::selector::Selector;
use super::world::World;

/// Account, region, cluster.
pub(super) type Place<'a> = (&'a str, &'a str, &'a str);

impl World {
    /// The error says what is wrong with a policy; nothing is changed then.
    pub(super) fn set_account(
        &mut self,
        account_id: &str,
        new: AccountSettings,
    ) -> Result<(), String> {
        let policy = new
            .role_policy
            .as_ref()
            .map(RolePolicy::parse)
            .transpose()?;
        let settings = &mut self.accounts.entry(account_id).settings;
        if let Some(id) = new.external_id {
            settings.external_id = (!id.is_empty()).then_some(id);
        }
        settings.throttle = new.throttle;
        settings.deny_assume_role = new.deny_assume_role;
        if let Some(roles) = new.roles {
            settings.roles = roles;
        }
        if let Some(policy) = policy {
            settings.role_policy = policy.map(Arc::new);
        }
        Ok(())
    }

    pub(super) fn set_cluster(&mut self, (account, region, name): Place<'_>, new: ClusterSettings) {
        self.accounts.add_cluster(account, region, name);
        let private = self.private_subnets((account, region), name);
        let cluster = self.accounts.add_cluster(account, region, name);
        if let Some(status) = new.status {
            cluster.status = status;
        }
        if let Some(endpoint) = new.kubernetes_endpoint {
            cluster.details().set_endpoint(&endpoint);
        }
        if let Some(data) = new.certificate_authority {
            cluster.details().set_certificate(&data);
        }
        if let Some(limit) = new.max_joining_nodes {
            cluster.details().max_joining = Some(limit);
        }
        if let Some(nodes) = new.nodes {
            cluster.details().other_nodes = nodes;
        }
        if let Some(protected) = new.deletion_protection {
            cluster.details().set_protected(protected);
        }
        let cluster_arn = cluster.arn.clone();
        let id = || fresh_id().to_string();
        if let Some(names) = new.addons {
            let addon = |name: String| {
                let addon = Addon::settled(arn::addon(&cluster_arn, &name, &id()), &name);
                (name, addon)
            };
            cluster.details().addons = names.into_iter().map(addon).collect();
        }
        if let Some(names) = new.nodegroups {
            let base = cluster_arn.replacen(":cluster/", ":nodegroup/", 1);
            let described = usual_nodegroup(&cluster.view(), &private);
            let nodegroup = |name: String| {
                let nodegroup = Nodegroup {
                    arn: format!("{base}/{name}/{}", id()),
                    created_at: wall(),
                    status: "ACTIVE",
                    tags: BTreeMap::new(),
                    described: described.clone(),
                    until: None,
                    active_from: Some(Duration::ZERO),
                };
                (name, nodegroup)
            };
            cluster.details().nodegroups = names.into_iter().map(nodegroup).collect();
        }
    }

    /// Whether there was one.
    pub(super) fn vanish_profile(
        &mut self,
        (account, region, cluster): Place<'_>,
        name: &str,
    ) -> bool {
        let cluster = self.accounts.cluster(account, region, cluster);
        cluster.is_some_and(|cluster| cluster.profiles.remove(name).is_some())
    }

    pub(super) fn put_profile(
        &mut self,
        (account, region, cluster): Place<'_>,
        spec: ProfileSpec,
        status: &str,
    ) {
        let now = self.clock.now();
        let phase = match status {
            "CREATING" => Phase::Creating {
                until: now + self.clock.scale(self.options.create_time),
                issues: vec![],
            },
            "DELETING" => Phase::Deleting {
                until: now + self.clock.scale(self.options.delete_time),
                issues: vec![],
            },
            "ACTIVE" => Phase::Active,
            "CREATE_FAILED" => Phase::CreateFailed { issues: vec![] },
            "DELETE_FAILED" => Phase::DeleteFailed { issues: vec![] },
            other => Phase::Pinned(other.to_owned()),
        };
        self.accounts.add_cluster(account, region, cluster);
        let subnets = if spec.subnets.is_empty() {
            self.private_subnets((account, region), cluster)
        } else {
            spec.subnets
        };
        let cluster = self.accounts.add_cluster(account, region, cluster);
        let profile = Profile {
            arn: arn::profile(&cluster.arn, &spec.name, &fresh_id().to_string()),
            created_at: wall(),
            role_arn: Some(spec.pod_execution_role_arn)
                .filter(|arn| !arn.is_empty())
                .unwrap_or_else(|| {
                    format!(
                        "arn:{}:iam::{account}:role/fargate-pod-execution",
                        arn::partition(region)
                    )
                }),
            subnets,
            selectors: if spec.selectors.is_empty() {
                vec![Selector {
                    namespace: "default".to_owned(),
                    ..Selector::default()
                }]
            } else {
                spec.selectors
            },
            tags: spec.tags,
            origin: None,
            active_since: std::time::Duration::ZERO,
            phase,
        };
        cluster.profiles.insert(spec.name, profile);
    }

    /// The cluster as it is now.
    pub(super) fn look_at_cluster(
        &mut self,
        (account, region, cluster): Place<'_>,
    ) -> Option<&mut Cluster> {
        let (now, settle) = (self.clock.now(), self.clock.scale(self.options.settle_time));
        let cluster = self.accounts.cluster(account, region, cluster)?;
        cluster.settle(now, settle);
        Some(cluster)
    }

    pub(super) fn look_at_profile(
        &mut self,
        (account, region, cluster): Place<'_>,
        name: &str,
    ) -> Option<ProfileView> {
        let cluster = self.look_at_cluster((account, region, cluster))?;
        cluster
            .profiles
            .get(name)
            .map(|profile| profile.view(&cluster.name, name))
    }
}

/// What a nodegroup is when nothing is said of it.
fn usual_nodegroup(view: &Value, subnets: &[String]) -> Value {
    let role = view["roleArn"].as_str().unwrap_or_default();
    json!({
        "version": view["version"],
        "nodeRole": role.replace("-ServiceRole", "-NodeInstanceRole"),
        "subnets": subnets,
        "amiType": "AL2023_x86_64_STANDARD",
        "instanceTypes": ["m5.large"],
        "labels": {},
        "scalingConfig": {"minSize": 2, "maxSize": 2, "desiredSize": 2},
    })
}
