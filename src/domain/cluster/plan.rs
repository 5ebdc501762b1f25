//! What creating a cluster will do, told before AWS is asked anything: the steps in their order,
//! and the templates.

mod workloads;

use super::kubernetes_version;
use super::names;
use super::network::{KnownSubnet, NetworkPlan, assumed_zones_of};
use super::offerings;
use super::placing::{self, NodeNetwork};
use super::resolved::ResolvedVersions;
use super::spec::{ClusterSpec, GivenSubnet, NetworkSpec, NodegroupSpec};
use super::step::ClusterStep;
use super::template::{self, ClusterFacts};
use super::vpc_endpoints::VpcEndpoint;
use crate::domain::invalid::Invalid;
use crate::domain::profile::ProfileSpec;
use crate::domain::schema;
use crate::domain::warnings::Warning;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::ObjectBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Object, Type};

/// What creating a cluster will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPlan {
    /// The cluster's name.
    #[schema(max_length = 100, examples("prod-2"))]
    pub cluster_name: String,
    /// The cluster's region.
    #[schema(max_length = 32, examples("eu-central-1"))]
    pub region: String,
    /// The steps, in their order.
    #[schema(max_items = 500)]
    pub steps: Vec<PlanStep>,
    /// The stacks that will be created, in their order.
    #[schema(max_items = 500)]
    pub stacks: Vec<PlanStack>,
    /// What the templates take for granted because AWS was not asked: zones, subnets, what EKS
    /// will say of the cluster. Empty if there is nothing of the kind.
    #[schema(schema_with = assumptions)]
    pub assumptions: Vec<String>,
    /// What is allowed but likely not meant.
    #[schema(max_items = 1000)]
    pub warnings: Vec<Warning>,
}

/// One step of a creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStep {
    /// The step.
    pub name: ClusterStep,
    /// What it does.
    #[schema(max_length = 4096)]
    pub description: String,
    /// The stack that it creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 128, examples("eksctl-prod-2-cluster"))]
    pub stack_name: Option<String>,
}

/// One stack of a creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStack {
    /// The stack's name.
    #[schema(max_length = 128, examples("eksctl-prod-2-cluster"))]
    pub name: String,
    /// Its `CloudFormation` template.
    #[schema(schema_with = template_schema)]
    pub template: Value,
    /// Its tags, which everything in it gets too.
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}

fn assumptions() -> utoipa::openapi::schema::Array {
    let about = "What the templates take for granted because AWS was not asked.";
    let example = serde_json::json!(["the zones are eu-central-1a, eu-central-1b, eu-central-1c"]);
    schema::text_list(about, 20, schema::text(8192, ""), example)
}

fn template_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("A CloudFormation template."))
        .max_properties(Some(20))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .examples([serde_json::json!({"AWSTemplateFormatVersion": "2010-09-09"})])
        .build()
}

impl ClusterPlan {
    /// The plan of a cluster whose network is not known yet: zones that were not asked for are
    /// assumed.
    pub fn assumed(spec: &ClusterSpec) -> Result<Self, Vec<Invalid>> {
        let spec = &spec.clone().with_addon_access(&BTreeMap::new());
        let (network, assumptions) = assumed_network(spec)?;
        let shown = spec.clone().with_versions(&ResolvedVersions {
            kubernetes: (spec.version == kubernetes_version::LATEST)
                .then(|| kubernetes_version::DEFAULT.to_owned()),
            ..ResolvedVersions::default()
        });
        let facts = ClusterFacts {
            network: NodeNetwork::planned(&spec.network, &network),
            ..ClusterFacts::placeholder()
        };
        let mut plan = Self::of(&shown, &network, &facts);
        plan.steps = steps(spec);
        if shown.version != spec.version {
            let said = format!(
                "{} stands for the newest Kubernetes version that EKS offers, which is looked up when \
                 the cluster is created",
                shown.version
            );
            plan.assumptions.push(said);
        }
        plan.assumptions.extend(assumptions);
        if spec.nodegroups.iter().any(is_self_managed) {
            let said = "the user data of nodeGroups holds stand-ins for the cluster's endpoint, \
                        certificate and service addresses, which are known when it is there";
            plan.assumptions.push(said.to_owned());
        }
        plan.assumptions.extend(looked_up(spec, &facts));
        plan.assumptions.extend(workloads::assumptions(spec));
        Ok(plan)
    }

    /// The plan of a cluster on a known network.
    #[must_use]
    pub fn of(spec: &ClusterSpec, network: &NetworkPlan, facts: &ClusterFacts) -> Self {
        let mut stacks = vec![PlanStack {
            name: names::cluster_stack(&spec.name),
            template: template::cluster(spec, network),
            tags: names::cluster_stack_tags(spec),
        }];
        stacks.extend(spec.nodegroups.iter().map(|nodegroup| PlanStack {
            name: spec.nodegroup_stack(nodegroup),
            template: template::nodegroup(spec, nodegroup, facts),
            tags: names::nodegroup_stack_tags(spec, nodegroup),
        }));
        stacks.extend(workloads::stacks(spec, facts));
        stacks.extend(workloads::capability_stacks(spec));
        Self {
            cluster_name: spec.name.to_string(),
            region: spec.region.to_string(),
            steps: steps(spec),
            stacks,
            assumptions: Vec::new(),
            warnings: spec.warnings(),
        }
    }
}

/// What the templates of nodegroups take for granted.
fn looked_up(spec: &ClusterSpec, facts: &ClusterFacts) -> Vec<String> {
    let mut said = Vec::new();
    let mut say = |about: &str, names: Vec<&str>| {
        if !names.is_empty() {
            said.push(format!("{about}: nodegroups {}", names.join(", ")));
        }
    };
    let named = |fits: &dyn Fn(&NodegroupSpec) -> bool| -> Vec<&str> {
        let fitting = spec.nodegroups.iter().filter(|one| fits(one));
        fitting.map(|one| one.name.as_str()).collect()
    };
    say(
        "TYPES-OF-THE-SELECTOR stands for the instance types that are looked up when the cluster is created",
        named(&NodegroupSpec::is_selected),
    );
    say(
        "the launch template is there, names the instance type and no image",
        named(&|one| one.launch_template.is_some()),
    );
    say(
        "the instances have one network card; how many is looked up when the cluster is created",
        named(&|one| one.hardware.efa.is_some()),
    );
    say(
        "the first disk of the image is named as those of its family are; its name is looked up when the \
         cluster is created",
        named(&|one| one.image.id.is_some() && one.volume.name.is_none()),
    );
    say(
        "SUBNET-OF-... stands for subnets that are looked up when the cluster is created",
        named(&|one| !placing::missing(one, &facts.network).is_empty()),
    );
    said
}

fn is_self_managed(nodegroup: &NodegroupSpec) -> bool {
    nodegroup.kind == super::spec::NodegroupKind::SelfManaged
}

fn assumed_network(spec: &ClusterSpec) -> Result<(NetworkPlan, Vec<String>), Vec<Invalid>> {
    let local = spec.vpc.local_zones.as_slice();
    let (network, mut said) = match &spec.network {
        NetworkSpec::Own { cidr, nat, zones } if zones.is_empty() => {
            let zones = assumed_zones_of(spec);
            let said = format!(
                "the zones are {}; those that the account has are looked up, and chosen, when the \
                 cluster is created",
                zones.join(", ")
            );
            (NetworkPlan::cut(cidr, *nat, (&zones, local))?, vec![said])
        }
        NetworkSpec::Own { cidr, nat, zones } => {
            let mut zones = zones.clone();
            zones.sort_unstable();
            (NetworkPlan::cut(cidr, *nat, (&zones, local))?, Vec::new())
        }
        NetworkSpec::Existing {
            vpc_id,
            public,
            private,
            ..
        } => assumed_subnets(vpc_id.as_deref(), public, private),
    };
    let services = spec.private.iter().flat_map(|private| &private.services);
    let endpoints: Vec<VpcEndpoint> = services
        .map(|service| VpcEndpoint::of(service, &spec.region))
        .collect();
    if endpoints.is_empty() {
        return Ok((network, said));
    }
    said.push("AWS offers the VPC endpoints in all of these zones".to_owned());
    let exists = matches!(spec.network, NetworkSpec::Existing { .. });
    let tables = exists.then(|| "ROUTE-TABLE-OF-THE-PRIVATE-SUBNETS".to_owned());
    Ok((
        network.with_endpoints(endpoints, tables.into_iter().collect()),
        said,
    ))
}

fn assumed_subnets(
    vpc_id: Option<&str>,
    public: &[GivenSubnet],
    private: &[GivenSubnet],
) -> (NetworkPlan, Vec<String>) {
    let said = match vpc_id {
        Some(_) => "the subnets are there, in this VPC and in at least two zones",
        None => {
            "the subnets are there, in one VPC (vpc-0 stands for its id) and in at least two zones"
        }
    };
    let mut said = vec![said.to_owned()];
    let name = |subnet: &GivenSubnet| subnet.name.clone().unwrap_or_default();
    let stand_in = |subnet: &GivenSubnet| format!("SUBNET-{}", name(subnet));
    let id = |subnet: &GivenSubnet| {
        let id = Some(subnet.id.clone()).filter(|id| !id.is_empty());
        id.unwrap_or_else(|| stand_in(subnet))
    };
    let found: Vec<String> = private
        .iter()
        .chain(public)
        .filter(|subnet| subnet.id.is_empty())
        .map(stand_in)
        .collect();
    if !found.is_empty() {
        let shown = found.iter().take(5).map(String::as_str);
        let shown = shown.collect::<Vec<_>>().join(", ");
        said.push(format!(
            "{shown} stand for ids of subnets that are looked up, by their cidr or az, when the \
             cluster is created"
        ));
    }
    let known = |subnet: &GivenSubnet| KnownSubnet {
        name: name(subnet),
        id: id(subnet),
        zone: subnet.zone.clone().unwrap_or_default(),
    };
    let network = NetworkPlan::Existing {
        vpc_id: vpc_id.unwrap_or("vpc-0").to_owned(),
        public: public.iter().map(id).collect(),
        private: private.iter().map(id).collect(),
        subnets: private.iter().chain(public).map(known).collect(),
        route_tables: Vec::new(),
        endpoints: Vec::new(),
    };
    (network, said)
}

/// The steps of a cluster's creation, in eksctl's order; those with nothing to do are left out.
#[must_use]
pub fn steps(spec: &ClusterSpec) -> Vec<PlanStep> {
    let mut steps = control_plane_steps(spec);
    steps.extend(workload_steps(spec));
    if spec.private.is_some() {
        let description = "close the Kubernetes API to the internet and wait until EKS has done so";
        steps.push(step(ClusterStep::EndpointAccess, description.to_owned()));
    }
    steps
}

/// Up to a control plane that can be used.
fn control_plane_steps(spec: &ClusterSpec) -> Vec<PlanStep> {
    let mut steps = vec![
        step(ClusterStep::Preflight, preflight(spec)),
        stack_step(
            ClusterStep::ClusterStack,
            "create the network, the roles and the control plane".to_owned(),
            names::cluster_stack(&spec.name),
        ),
    ];
    if !spec.access.entries.is_empty() {
        let description = format!("let in, by access entries, {}", principals_of(spec));
        steps.push(step(ClusterStep::AccessEntries, description));
    }
    if spec.early_addons().next().is_some() {
        let roles = workloads::with_roles(spec, spec.early_addons());
        let description = format!(
            "create the add-ons {}{roles}",
            names_of(spec.early_addons())
        );
        steps.push(step(ClusterStep::AddOns, description));
    }
    steps.push(step(
        ClusterStep::ControlPlaneReady,
        "wait until the control plane is active".to_owned(),
    ));
    if spec.with_oidc {
        let description = "let IAM trust the cluster's OIDC issuer".to_owned();
        steps.push(step(ClusterStep::Oidc, description));
    }
    steps.extend(workloads::service_accounts(spec));
    steps.extend(workloads::vpc_cni_role(spec));
    if let Some(days) = spec.logging.retention_days {
        let description =
            format!("let CloudWatch keep the logs of the control plane for {days} days");
        steps.push(step(ClusterStep::LogRetention, description));
    }
    steps
}

/// What runs on it.
fn workload_steps(spec: &ClusterSpec) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    for profile in &spec.fargate_profiles {
        let description = format!(
            "create the Fargate profile {} and wait until it is active",
            profile_name(profile)
        );
        steps.push(step(ClusterStep::FargateProfiles, description));
    }
    if spec.coredns().is_some() {
        let description = if spec.coredns_goes_to_fargate() {
            "create the add-on coredns on Fargate and wait until it runs"
        } else {
            "create the add-on coredns"
        };
        steps.push(step(ClusterStep::CoreDns, description.to_owned()));
    }
    steps.extend(workloads::identities(spec));
    for nodegroup in &spec.nodegroups {
        let kind = if is_self_managed(nodegroup) {
            "self-managed"
        } else {
            "managed"
        };
        let description = format!("create the {kind} nodegroup {}", nodegroup.name);
        let stack = spec.nodegroup_stack(nodegroup);
        steps.push(stack_step(ClusterStep::Nodegroups, description, stack));
    }
    if spec.late_addons().next().is_some() {
        let roles = workloads::with_roles(spec, spec.late_addons());
        let description = format!("create the add-ons {}{roles}", names_of(spec.late_addons()));
        steps.push(step(ClusterStep::LateAddOns, description));
    } else if !spec.addons.is_empty() {
        let description = "wait until the add-ons are active".to_owned();
        steps.push(step(ClusterStep::AddOnsReady, description));
    }
    steps.extend(workloads::pod_identities(spec));
    steps.extend(workloads::capabilities(spec));
    steps
}

/// What is looked up before anything is made.
fn preflight(spec: &ClusterSpec) -> String {
    let mut checked = vec![format!("Kubernetes {}", spec.version)];
    let addons = spec.addons.iter().map(|addon| match &addon.version {
        Some(version) => format!("{} {version}", addon.name),
        None => addon.name.clone(),
    });
    let addons: Vec<String> = addons.collect();
    if !addons.is_empty() {
        checked.push(format!("the add-ons {}", addons.join(", ")));
    }
    let types = offerings::instance_types(spec);
    if !types.is_empty() {
        checked.push(format!("the instance types {}", types.join(", ")));
    }
    let selected = spec.nodegroups.iter().filter(|one| one.is_selected());
    let selected: Vec<&str> = selected.map(|one| one.name.as_str()).collect();
    if !selected.is_empty() {
        checked.push(format!(
            "instance types for the selectors of the nodegroups {}",
            selected.join(", ")
        ));
    }
    format!("check that AWS offers {}", checked.join("; "))
}

fn step(name: ClusterStep, description: String) -> PlanStep {
    PlanStep {
        name,
        description,
        stack_name: None,
    }
}

fn stack_step(name: ClusterStep, description: String, stack: String) -> PlanStep {
    PlanStep {
        name,
        description,
        stack_name: Some(stack),
    }
}

fn names_of<'a>(addons: impl Iterator<Item = &'a super::spec::AddonSpec>) -> String {
    let names: Vec<&str> = addons.map(|addon| addon.name.as_str()).collect();
    names.join(", ")
}

/// The first principals of the access entries, by what tells them apart.
fn principals_of(spec: &ClusterSpec) -> String {
    const TOLD: usize = 5;
    let entries = &spec.access.entries;
    let told = entries.iter().take(TOLD);
    let told: Vec<&str> = told.map(|entry| entry.principal_arn.as_str()).collect();
    let told = told.join(", ");
    match entries.len().saturating_sub(TOLD) {
        0 => told,
        more => {
            let told: String = told.chars().take(2_048).collect();
            format!("{told} and {more} more")
        }
    }
}

fn profile_name(profile: &ProfileSpec) -> &str {
    profile.name.as_ref().map_or("", |name| name.as_str())
}

#[cfg(test)]
mod tests;
