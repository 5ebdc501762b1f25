//! From what was found to the steps of the deletion, and to what stands in its way.

use super::survey::Survey;
use super::{
    BALANCERS, CAPABILITIES, CAPABILITY_STACKS, CLUSTER, NETWORK, NODEGROUP_STACKS, NODEGROUPS,
    OIDC, PROFILES, PROTECTION, ROLE, ROLE_STACKS,
};
use crate::aws::cloudformation::Stack;
use crate::domain::cluster::{AwsResource, ClusterDeletionPlan, DeletionStep, Obstacle, names};
use crate::domain::job_input::DeleteClusterInput;
use crate::domain::{ClusterName, ErrorCode, Warning};
use crate::ops::context::Context;

pub(super) fn of(
    survey: &Survey,
    context: &Context<'_>,
    input: DeleteClusterInput,
) -> ClusterDeletionPlan {
    let name = context.cluster;
    ClusterDeletionPlan {
        cluster_name: name.to_owned(),
        region: context.job.region.clone(),
        owned: survey.stack.is_some(),
        protected: survey.is_protected(),
        steps: steps(survey, name),
        obstacles: obstacles(survey, context, input),
        warnings: warnings(survey, name),
    }
}

/// The steps that have something to do.
fn steps(survey: &Survey, name: &str) -> Vec<DeletionStep> {
    let all = inside(survey, name).into_iter().chain(around(survey));
    all.filter(|step| !step.resources.is_empty()).collect()
}

fn step(name: &str, description: &str, resources: Vec<AwsResource>) -> DeletionStep {
    DeletionStep {
        name: name.to_owned(),
        description: description.to_owned(),
        resources,
    }
}

/// What runs in the cluster.
fn inside(survey: &Survey, name: &str) -> [DeletionStep; 9] {
    let role = ClusterName::parse(name).map(|name| names::fargate_role_stack(&name));
    let is_role = |stack: &&Stack| Ok(&stack.name) == role.as_ref();
    let (roles, others): (Vec<&Stack>, Vec<&Stack>) = survey.others.iter().partition(is_role);
    let of_nodegroup = |stack: &&Stack| names::is_of_nodegroup(&stack.tags);
    let (nodegroups, others): (Vec<&Stack>, Vec<&Stack>) =
        others.into_iter().partition(of_nodegroup);
    let of_capability = |stack: &&Stack| names::is_of_capability(&stack.tags);
    let (capabilities, others): (Vec<&Stack>, Vec<&Stack>) =
        others.into_iter().partition(of_capability);
    let of_stacks = |stacks: Vec<&Stack>| stacks.into_iter().map(of_stack).collect();
    let protected = survey.cluster.iter().filter(|_| survey.is_protected());
    [
        step(
            PROTECTION,
            "turn off EKS's deletion protection, and wait until EKS has done so",
            protected
                .map(|one| AwsResource::new("cluster", &one.name))
                .collect(),
        ),
        step(
            CAPABILITY_STACKS,
            "delete the stacks of EKS capabilities; what these made in the cluster and in AWS stays",
            of_stacks(capabilities),
        ),
        step(
            CAPABILITIES,
            "delete the EKS capabilities that no stack holds",
            named("capability", &loose_capabilities(survey)),
        ),
        step(
            BALANCERS,
            "delete the Services and Ingresses that have load balancers, and wait until these are gone",
            balanced(survey),
        ),
        step(
            PROFILES,
            "delete the Fargate profiles, one after the other",
            named("fargate_profile", &survey.profiles),
        ),
        step(
            ROLE,
            "delete the stack of the pod execution role",
            of_stacks(roles),
        ),
        step(
            NODEGROUP_STACKS,
            "delete the stacks of nodegroups",
            of_stacks(nodegroups),
        ),
        step(
            NODEGROUPS,
            "delete the managed nodegroups that no stack holds",
            named("nodegroup", &loose_nodegroups(survey)),
        ),
        step(
            ROLE_STACKS,
            "delete the stacks of the roles of service accounts, add-ons and capabilities",
            of_stacks(others),
        ),
    ]
}

/// What it stands on.
fn around(survey: &Survey) -> [DeletionStep; 3] {
    let provider = survey.provider.iter().filter(|_| survey.stack.is_some());
    let cluster = survey.cluster.iter();
    let cluster = cluster.map(|one| AwsResource::new("cluster", &one.name));
    [
        step(
            OIDC,
            "end IAM's trust in the cluster's OIDC issuer",
            provider
                .map(|arn| AwsResource::new("oidc_provider", arn))
                .collect(),
        ),
        step(
            NETWORK,
            "delete the network interfaces and security groups that the cluster left",
            left(survey),
        ),
        step(
            CLUSTER,
            if survey.stack.is_some() {
                "delete the cluster's stack: the control plane, the roles and the network"
            } else {
                "delete the control plane; its network and roles are not this cluster's, and stay"
            },
            survey.stack.iter().map(of_stack).chain(cluster).collect(),
        ),
    ]
}

/// What has load balancers, and these.
fn balanced(survey: &Survey) -> Vec<AwsResource> {
    let exposed = survey.exposed.iter().flatten();
    let exposed = exposed.map(|one| AwsResource::new(one.kind, one.to_string()));
    exposed.chain(load_balancers(survey)).collect()
}

fn load_balancers(survey: &Survey) -> impl Iterator<Item = AwsResource> {
    let all = survey.network.balancers.iter();
    all.map(|one| {
        AwsResource::new("load_balancer", &one.name).of(format!("{} load balancer", one.kind))
    })
}

/// What is left already of a network that goes with the cluster.
fn left(survey: &Survey) -> Vec<AwsResource> {
    let network = &survey.network;
    if !network.ours {
        return Vec::new();
    }
    let interfaces = network.left();
    let interfaces = interfaces
        .map(|one| AwsResource::new("network_interface", &one.id).of(one.description.clone()));
    let groups = network.balancer_groups();
    let groups = groups.map(|one| AwsResource::new("security_group", &one.id).of(one.name.clone()));
    interfaces.chain(groups).collect()
}

fn of_stack(stack: &Stack) -> AwsResource {
    AwsResource {
        protected: Some(stack.protected),
        ..AwsResource::new("stack", &stack.name)
    }
}

fn named(kind: &str, names: &[String]) -> Vec<AwsResource> {
    let names = names.iter();
    names.map(|name| AwsResource::new(kind, name)).collect()
}

/// Those that go with no stack.
fn loose_nodegroups(survey: &Survey) -> Vec<String> {
    let held = |name: &&String| {
        let mut stacks = survey.others.iter();
        stacks.any(|stack| stack.tags.get(names::NODEGROUP_TAG) == Some(*name))
    };
    let names = survey.nodegroups.iter();
    names.filter(|name| !held(name)).cloned().collect()
}

/// The same of capabilities.
fn loose_capabilities(survey: &Survey) -> Vec<String> {
    let held = |name: &&String| {
        let mut stacks = survey.others.iter();
        stacks.any(|stack| stack.tags.get(names::CAPABILITY_TAG) == Some(*name))
    };
    let names = survey.capabilities.iter();
    names.filter(|name| !held(name)).cloned().collect()
}

fn obstacles(survey: &Survey, context: &Context<'_>, input: DeleteClusterInput) -> Vec<Obstacle> {
    let (name, region) = (context.cluster, &context.job.region);
    let cluster = || vec![AwsResource::new("cluster", name)];
    let mut found = Vec::new();
    if survey.stack.is_none() && !input.unowned {
        found.push(Obstacle {
            code: ErrorCode::Conflict,
            message: format!(
                "cluster {name} has no stack eksctl-{name}-cluster, so neither eksctl nor this service \
                 made it; with unowned=true its Fargate profiles, nodegroups, the stacks that were \
                 made for it later and its control plane are deleted, and the rest is left"
            ),
            resources: cluster(),
        });
    }
    if survey.is_protected() && !input.lift_protection {
        found.push(Obstacle {
            code: ErrorCode::Protected,
            message: format!(
                "cluster {name} has EKS's deletion protection, so nothing was deleted; delete it with \
                 liftProtection=true, or turn the protection off first: aws eks \
                 update-cluster-config --region {region} --name {name} --no-deletion-protection"
            ),
            resources: cluster(),
        });
    }
    found.extend(of_importers(survey));
    found.extend(of_others(survey));
    found.extend(of_balancers(survey));
    found
}

/// Stacks that use what the cluster's stack exports.
fn of_importers(survey: &Survey) -> Option<Obstacle> {
    let stacks = survey.importers.iter();
    let stacks = stacks
        .map(|(name, export)| AwsResource::new("stack", name).of(format!("imports {export}")));
    let stacks: Vec<AwsResource> = stacks.collect();
    (!stacks.is_empty()).then(|| Obstacle {
        code: ErrorCode::Conflict,
        message: format!(
            "other stacks use what the cluster's stack exports, and keep it from being deleted, so \
             nothing was deleted: {}; delete these first",
            listed(&stacks)
        ),
        resources: stacks,
    })
}

/// What somebody else has in a network that goes with the cluster: AWS would refuse to delete the
/// network when the cluster is gone already.
fn of_others(survey: &Survey) -> Option<Obstacle> {
    let foreign = &survey.network.foreign;
    (!foreign.is_empty()).then(|| Obstacle {
        code: ErrorCode::Conflict,
        message: format!(
            "the network of the cluster's stack holds what is not the cluster's, and could not be \
             deleted with it, so nothing was deleted: {}; delete it or move it first",
            listed(foreign)
        ),
        resources: foreign.clone(),
    })
}

/// Load balancers that only the cluster's own controllers can take down, in a cluster that does not
/// answer.
fn of_balancers(survey: &Survey) -> Option<Obstacle> {
    let error = survey.exposed.as_ref().err()?;
    let balancers: Vec<AwsResource> = load_balancers(survey).collect();
    (!balancers.is_empty()).then(|| Obstacle {
        code: ErrorCode::Conflict,
        message: format!(
            "the cluster has load balancers, and its Services and Ingresses could not be looked at \
             ({error}), so nothing was deleted: {}; delete these by hand, or let the fleet's role \
             reach the cluster's API",
            listed(&balancers)
        ),
        resources: balancers,
    })
}

fn listed(resources: &[AwsResource]) -> String {
    const TOLD: usize = 20;
    let told = resources.iter().take(TOLD).map(ToString::to_string);
    let told = told.collect::<Vec<_>>().join(", ");
    match resources.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

fn warnings(survey: &Survey, name: &str) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(words) = survey.busy() {
        let message = format!("{words}: the deletion waits for it before it begins");
        warnings.push(Warning::new("stack_busy", message));
    }
    if let Some(stale) = &survey.stale {
        let message = format!(
            "stack {} ({}) does not hold cluster {name}: it is left of an older one, and stays. To \
             delete it: aws cloudformation delete-stack --stack-name {}",
            stale.name, stale.status, stale.id
        );
        warnings.push(Warning::new("left_behind", message));
    }
    if let Some(provider) = survey.provider.as_ref().filter(|_| survey.stack.is_none()) {
        let message = format!(
            "the identity provider {provider} was not made with cluster {name}, and stays. To delete \
             it: aws iam delete-open-id-connect-provider --open-id-connect-provider-arn {provider}"
        );
        warnings.push(Warning::new("left_behind", message));
    }
    if let (Err(error), true) = (&survey.exposed, survey.network.balancers.is_empty()) {
        let message = format!(
            "the Services and Ingresses of cluster {name} could not be looked at ({error}); no load \
             balancer of the cluster is in its network"
        );
        warnings.push(Warning::new("kubernetes_unreachable", message));
    }
    warnings
}
