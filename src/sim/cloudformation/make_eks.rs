//! Clusters, nodegroups, add-ons and access entries that stacks make.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::effects::Answer;
use super::kind::Kind;
use super::names::{handler, missing, owned, random_hex, tags_of};
use super::properties::{flag, list_tags, map_tags, number, strings, text};
use super::stack::{Made, Stack};
use crate::sim::access::authorize;
use crate::sim::access_entry::{NewEntry, check_policy, namespaces};
use crate::sim::access_policies::Association;
use crate::sim::addon::{Addon, check_configuration};
use crate::sim::addons;
use crate::sim::arn;
use crate::sim::capabilities::{Capability, NewCapability};
use crate::sim::clock::{fresh_id, wall};
use crate::sim::cluster::Cluster;
use crate::sim::config_change::logs_view;
use crate::sim::details::Details;
use crate::sim::error::AwsError;
use crate::sim::kubernetes::{Kube, principal};
use crate::sim::lookups::is_supported;
use crate::sim::nodegroup::Nodegroup;
use crate::sim::offerings::exists;
use crate::sim::world::World;
use crate::sim::zones;

impl World {
    #[expect(clippy::too_many_lines, reason = "a check for each rule of EKS")]
    pub(super) fn make_cluster(
        &mut self,
        stack: &Stack,
        logical: &str,
        physical: &str,
        properties: &Value,
    ) -> Answer {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let name = text(properties, "Name").unwrap_or_else(|| physical.to_owned());
        let role = text(properties, "RoleArn").ok_or_else(|| missing("RoleArn"))?;
        authorize(&stack.caller, "iam:PassRole", &role)
            .map_err(|error| handler("AccessDenied", &error.message))?;
        self.check_service_role(&role)?;
        if text(properties, "Version").is_some_and(|version| !is_supported(&version)) {
            return Err(handler("InvalidRequest", "unsupported Kubernetes version"));
        }
        let vpc = self.cluster_network(stack, &name, properties)?;
        if self.accounts.cluster(account, region, &name).is_some() {
            let why = format!("Cluster already exists with name: {name}");
            return Err(handler("AlreadyExists", &why));
        }
        let settings = self.control_plane(stack, properties, &vpc)?;
        let pools = settings.iter().find(|(name, _)| *name == "computeConfig");
        let pools = pools.and_then(|(_, compute)| compute["nodePools"].as_array());
        let mut members = described(stack, properties, &role, vpc);
        members.extend(
            settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        let mut details = Details {
            // Auto Mode starts nodes as pods need them.
            other_nodes: pools.is_some_and(|pools| !pools.is_empty()),
            nodes_ready: pools.is_some_and(|pools| !pools.is_empty()),
            described: members,
            kube: Kube::new(wall()),
            max_joining: self.options.max_joining_nodes,
            ..Details::default()
        };
        if let Some(endpoint) = &self.options.kubernetes_endpoint {
            details.set_endpoint(endpoint);
        }
        if let Some(data) = &self.options.certificate_authority {
            details.set_certificate(data);
        }
        let cluster = self.accounts.add_cluster(account, region, &name);
        cluster.tags = tags_of(stack, logical, &list_tags(properties));
        cluster.set_details(details);
        cluster.let_in_creator(stack, properties);
        if flag(properties, "BootstrapSelfManagedAddons", true) {
            cluster.with_kube(stack.at, |kube, ground| {
                kube.install("coredns", None, ground);
            });
        }
        let view = cluster.view();
        "CREATING".clone_into(&mut cluster.status);
        self.attach_cluster((account, region), &name, &view);
        let at = |pointer: &str| {
            let value = view.pointer(pointer).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let attributes = [
            ("Arn", at("/arn")),
            ("CertificateAuthorityData", at("/certificateAuthority/data")),
            (
                "ClusterSecurityGroupId",
                at("/resourcesVpcConfig/clusterSecurityGroupId"),
            ),
            ("Endpoint", at("/endpoint")),
            ("Id", fresh_id().to_string()),
            ("OpenIdConnectIssuerUrl", at("/identity/oidc/issuer")),
        ];
        Ok((name, owned(attributes)))
    }

    /// Whether EKS can have a role.
    fn check_service_role(&self, role: &str) -> Result<(), String> {
        let there = self.role(role);
        if there.is_some_and(|there| there.trusts("eks.amazonaws.com", "")) {
            return Ok(());
        }
        let why = format!(
            "Role with arn: {role}, could not be assumed because it does not exist or the trusted \
             entity is not correct"
        );
        Err(handler("InvalidRequest", &why))
    }

    /// The `resourcesVpcConfig` of a new cluster.
    fn cluster_network(
        &mut self,
        stack: &Stack,
        name: &str,
        properties: &Value,
    ) -> Result<Value, String> {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let config = properties
            .get("ResourcesVpcConfig")
            .cloned()
            .unwrap_or_default();
        let subnets = strings(&config, "SubnetIds");
        let known = zones::of(region);
        let network = self.network(account, region);
        let (mut used, mut vpc) = (BTreeSet::new(), None);
        for id in &subnets {
            let subnet = network.subnets.get(id).ok_or_else(|| {
                handler(
                    "InvalidRequest",
                    &format!("The subnet ID '{id}' does not exist"),
                )
            })?;
            if known
                .iter()
                .any(|zone| zone.name == subnet.zone && zone.is_avoided())
            {
                let zone = &subnet.zone;
                let why = format!(
                    "Cannot create cluster '{name}' because EKS does not support creating control \
                     plane instances in {zone}, the targeted availability zone. Retry cluster \
                     creation using control plane subnets that span at least two other availability zones"
                );
                return Err(handler("InvalidRequest", &why));
            }
            used.insert(subnet.zone.clone());
            vpc = Some(subnet.vpc.clone());
        }
        if used.len() < 2 {
            let why = "Subnets specified must be in at least two different AZs";
            return Err(handler("InvalidRequest", why));
        }
        let cidrs = strings(&config, "PublicAccessCidrs");
        let groups = strings(&config, "SecurityGroupIds");
        for id in &groups {
            let group = network.attached.groups.get(id);
            if group.is_none_or(|group| Some(&group.vpc_id) != vpc.as_ref()) {
                let why =
                    format!("The security group '{id}' does not exist in the VPC of the subnets");
                return Err(handler("InvalidRequest", &why));
            }
        }
        let all = || vec!["0.0.0.0/0".to_owned()];
        Ok(json!({
            "subnetIds": subnets,
            "securityGroupIds": groups,
            "clusterSecurityGroupId": format!("sg-0{}", random_hex()),
            "vpcId": vpc,
            "endpointPublicAccess": flag(&config, "EndpointPublicAccess", true),
            "endpointPrivateAccess": flag(&config, "EndpointPrivateAccess", false),
            "publicAccessCidrs": if cidrs.is_empty() { all() } else { cidrs },
            "controlPlaneEgressMode": text(&config, "ControlPlaneEgressMode")
                .unwrap_or_else(|| "AWS_MANAGED".to_owned()),
        }))
    }

    pub(super) fn make_nodegroup(
        &mut self,
        stack: &Stack,
        physical: &str,
        properties: &Value,
    ) -> Answer {
        let cluster_name = text(properties, "ClusterName").ok_or_else(|| missing("ClusterName"))?;
        let name = text(properties, "NodegroupName").unwrap_or_else(|| physical.to_owned());
        let role = text(properties, "NodeRole").ok_or_else(|| missing("NodeRole"))?;
        authorize(&stack.caller, "iam:PassRole", &role)
            .map_err(|error| handler("AccessDenied", &error.message))?;
        let mut described = json!({
            "nodeRole": role,
            "subnets": strings(properties, "Subnets"),
            "amiType": text(properties, "AmiType").unwrap_or_else(|| "AL2023_x86_64_STANDARD".to_owned()),
            "instanceTypes": strings(properties, "InstanceTypes"),
            "labels": properties.get("Labels").cloned().unwrap_or_else(|| json!({})),
            "scalingConfig": {
                "minSize": number(properties, "/ScalingConfig/MinSize").unwrap_or(1),
                "maxSize": number(properties, "/ScalingConfig/MaxSize").unwrap_or(2),
                "desiredSize": number(properties, "/ScalingConfig/DesiredSize").unwrap_or(2),
            },
        });
        if let Some(template) = properties.get("LaunchTemplate") {
            let version = text(template, "Version").unwrap_or_else(|| "1".to_owned());
            described["launchTemplate"] = json!({"id": text(template, "Id"), "version": version});
        }
        self.active_cluster(stack, &cluster_name)?;
        self.check_nodegroup(stack, &cluster_name, properties)?;
        let cluster = self.active_cluster(stack, &cluster_name)?;
        let arn = format!(
            "{}/{name}/{}",
            cluster.arn.replacen(":cluster/", ":nodegroup/", 1),
            fresh_id()
        );
        let attributes = [
            ("Arn", arn.clone()),
            ("ClusterName", cluster_name.clone()),
            ("Id", format!("{cluster_name}/{name}")),
            ("NodegroupName", name.clone()),
        ];
        described["version"] = cluster.view()["version"].clone();
        let details = cluster.details();
        if details.nodegroups.contains_key(&name) {
            let why = format!(
                "NodeGroup already exists with name {name} and cluster name {cluster_name}"
            );
            return Err(handler("AlreadyExists", &why));
        }
        let nodegroup = Nodegroup {
            arn,
            created_at: wall(),
            status: "CREATING",
            tags: tags_of(stack, "ManagedNodeGroup", &map_tags(properties)),
            described,
            until: None,
            active_from: None,
        };
        details.nodegroups.insert(name.clone(), nodegroup);
        Ok((format!("{cluster_name}/{name}"), owned(attributes)))
    }

    pub(super) fn make_addon(&mut self, stack: &Stack, kind: &Kind, properties: &Value) -> Answer {
        let cluster_name = text(properties, "ClusterName").ok_or_else(|| missing("ClusterName"))?;
        let name = text(properties, "AddonName").ok_or_else(|| missing("AddonName"))?;
        let clock = self.clock.clone();
        let takes = clock.scale(Duration::from_secs(kind.create_seconds));
        let version = text(properties, "AddonVersion");
        let configuration = text(properties, "ConfigurationValues");
        let region = stack.caller.region.clone();
        let cluster = self.active_cluster(stack, &cluster_name)?;
        let refused = |why: String| handler("InvalidRequest", &why);
        let place = (region.as_str(), cluster.minor_version());
        let version = addons::version_of(place, &name, version.as_deref()).map_err(refused)?;
        if let Some(text) = configuration.as_deref().filter(|text| !text.is_empty()) {
            check_configuration(&name, text).map_err(refused)?;
        }
        let arn = arn::addon(&cluster.arn, &name, &fresh_id().to_string());
        let details = cluster.details();
        if details.addons.contains_key(&name) {
            return Err(handler("AlreadyExists", "Addon already exists."));
        }
        let mut addon = Addon::settled(arn.clone(), &name);
        addon.begin(stack.at, takes, &clock);
        addon.version = version;
        addon.configuration = configuration;
        addon.role_arn = text(properties, "ServiceAccountRoleArn");
        details.addons.insert(name.clone(), addon);
        Ok((format!("{cluster_name}|{name}"), owned([("Arn", arn)])))
    }

    pub(super) fn make_access_entry(&mut self, stack: &Stack, properties: &Value) -> Answer {
        let cluster_name = text(properties, "ClusterName").ok_or_else(|| missing("ClusterName"))?;
        let principal = text(properties, "PrincipalArn").ok_or_else(|| missing("PrincipalArn"))?;
        let refused = |error: AwsError| handler("InvalidRequest", &error.message);
        let partition = arn::partition(&stack.caller.region);
        let mut new = NewEntry {
            principal: principal.clone(),
            kind: text(properties, "Type").unwrap_or_else(|| "STANDARD".to_owned()),
            groups: strings(properties, "KubernetesGroups"),
            username: text(properties, "Username"),
            tags: list_tags(properties),
        };
        new.check(&stack.caller.account, partition)
            .map_err(refused)?;
        self.check_principal_exists(&principal).map_err(refused)?;
        // AWS's own among them no caller could give.
        new.tags = tags_of(stack, "AccessEntry", &new.tags);
        let policies = properties.get("AccessPolicies").and_then(Value::as_array);
        let policies = policies.into_iter().flatten();
        let policies: Result<Vec<Association>, AwsError> = policies
            .map(|one| policy_of(one, partition, &new.kind))
            .collect();
        let policies = policies.map_err(refused)?;
        let cluster = self.active_cluster(stack, &cluster_name)?;
        cluster.takes_entries().map_err(refused)?;
        let arn = cluster.add_entry(&new).ok_or_else(|| {
            let why = "The specified access entry resource is already in use on this cluster.";
            handler("AlreadyExists", why)
        })?;
        for policy in policies {
            cluster.add_policy(&principal, policy);
        }
        let attributes = owned([("AccessEntryArn", arn)]);
        Ok((format!("{principal}|{cluster_name}"), attributes))
    }

    pub(super) fn make_capability(
        &mut self,
        stack: &Stack,
        logical: &str,
        properties: &Value,
    ) -> Answer {
        let needed = |name: &str| text(properties, name).ok_or_else(|| missing(name));
        let cluster_name = needed("ClusterName")?;
        let new = NewCapability {
            name: needed("CapabilityName")?,
            kind: needed("Type")?,
            role_arn: needed("RoleArn")?,
            configuration: properties.get("Configuration").cloned(),
            tags: tags_of(stack, logical, &list_tags(properties)),
        };
        let role = &new.role_arn;
        authorize(&stack.caller, "iam:PassRole", role)
            .map_err(|error| handler("AccessDenied", &error.message))?;
        if !self.is_for_capabilities(role) {
            let why = format!(
                "Role with arn: {role}, could not be assumed because it does not exist or the trusted \
                 entity is not correct"
            );
            return Err(handler("InvalidRequest", &why));
        }
        let cluster = self.active_cluster(stack, &cluster_name)?;
        let arn = cluster.add_capability(&new).map_err(|error| {
            let code = if error.status == 409 {
                "AlreadyExists"
            } else {
                "InvalidRequest"
            };
            handler(code, &error.message)
        })?;
        let attributes = [("Arn", arn.clone()), ("Version", "1.0.0".to_owned())];
        Ok((arn, owned(attributes)))
    }

    pub(super) fn with_capability(
        &mut self,
        stack: &Stack,
        made: &Made,
        change: impl FnOnce(&mut Capability),
    ) {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let property = |name| text(&made.properties, name).unwrap_or_default();
        let cluster = self
            .accounts
            .cluster(account, region, &property("ClusterName"));
        let capabilities = cluster.map(|cluster| &mut cluster.details().capabilities);
        let name = property("CapabilityName");
        if let Some(one) = capabilities.and_then(|all| all.get_mut(&name)) {
            change(one);
        }
    }

    fn active_cluster(&mut self, stack: &Stack, name: &str) -> Result<&mut Cluster, String> {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let cluster = self
            .accounts
            .cluster(account, region, name)
            .ok_or_else(|| handler("NotFound", &format!("No cluster found for name: {name}.")))?;
        if cluster.status == "ACTIVE" {
            return Ok(cluster);
        }
        let why = format!("Cluster '{name}' is not in ACTIVE status");
        Err(handler("InvalidRequest", &why))
    }

    pub(super) fn with_nodegroup(
        &mut self,
        stack: &Stack,
        made: &Made,
        change: impl FnOnce(&mut Nodegroup),
    ) {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let attribute = |name: &str| made.attributes.get(name).map_or("", String::as_str);
        let cluster = self
            .accounts
            .cluster(account, region, attribute("ClusterName"));
        let nodegroups = cluster.map(|cluster| &mut cluster.details().nodegroups);
        if let Some(one) = nodegroups.and_then(|all| all.get_mut(attribute("NodegroupName"))) {
            change(one);
        }
    }
}

/// An access policy of an entry that a stack makes.
fn policy_of(properties: &Value, partition: &str, kind: &str) -> Result<Association, AwsError> {
    let arn = text(properties, "PolicyArn").unwrap_or_default();
    check_policy(&arn, partition, kind)?;
    let scope = properties.get("AccessScope").cloned().unwrap_or_default();
    let scope_kind = text(&scope, "Type").unwrap_or_default();
    Ok(Association {
        policy_arn: arn,
        namespaces: namespaces(&scope_kind, strings(&scope, "Namespaces"))?,
        associated_at: wall(),
    })
}

impl Cluster {
    /// Whoever makes a cluster may do everything in it, unless told otherwise.
    fn let_in_creator(&mut self, stack: &Stack, properties: &Value) {
        let access = properties.get("AccessConfig").cloned().unwrap_or_default();
        if !flag(&access, "BootstrapClusterCreatorAdminPermissions", true) {
            return;
        }
        let session = stack.caller.session.as_deref();
        let creator = session.map_or_else(|| stack.caller.arn(), principal);
        if text(&access, "AuthenticationMode").is_none_or(|mode| mode == "CONFIG_MAP") {
            self.details().admins.insert(creator);
            return;
        }
        self.add_access_entry(&creator, "STANDARD");
        let policy = Association::of_creator(arn::partition(&stack.caller.region));
        self.add_policy(&creator, policy);
    }
}

/// Refuses instance types that there are not, in EC2's words.
pub(super) fn check_types(types: &[String]) -> Result<(), String> {
    let unknown: Vec<&str> = types
        .iter()
        .map(String::as_str)
        .filter(|one| !exists(one))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let why = format!(
        "The following supplied instance types do not exist: [{}]",
        unknown.join(", ")
    );
    Err(handler("InvalidRequest", &why))
}

/// What `DescribeCluster` answers of a cluster that a stack makes.
fn described(stack: &Stack, properties: &Value, role: &str, vpc: Value) -> BTreeMap<String, Value> {
    let region = &stack.caller.region;
    let id = format!("{}{}", random_hex(), random_hex()).to_uppercase();
    let enabled: Vec<String> = properties
        .pointer("/Logging/ClusterLogging/EnabledTypes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| text(one, "Type"))
        .collect();
    let access = properties.get("AccessConfig").cloned().unwrap_or_default();
    let mode = text(&access, "AuthenticationMode").unwrap_or_else(|| "CONFIG_MAP".to_owned());
    let admin = flag(&access, "BootstrapClusterCreatorAdminPermissions", true);
    let version = text(properties, "Version").unwrap_or_else(|| "1.34".to_owned());
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    let members = [
        ("version", json!(version)),
        (
            "deletionProtection",
            json!(flag(properties, "DeletionProtection", false)),
        ),
        ("roleArn", json!(role)),
        ("resourcesVpcConfig", vpc),
        ("logging", logs_view(&enabled)),
        (
            "accessConfig",
            json!({"authenticationMode": mode, "bootstrapClusterCreatorAdminPermissions": admin}),
        ),
        (
            "identity",
            json!({"oidc": {"issuer": format!("https://oidc.eks.{region}.amazonaws.com{suffix}/id/{id}")}}),
        ),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into()
}
