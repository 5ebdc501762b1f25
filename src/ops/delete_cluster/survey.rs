//! Everything of a cluster that its deletion will touch, and that can refuse it: read before the
//! first change.

use super::balancers::{self, Said};
use super::capabilities;
use super::network::Network;
use crate::aws::Class;
use crate::aws::cloudformation::Stack;
use crate::aws::policy::generated_role_prefix;
use crate::domain::cluster::names;
use crate::domain::{ClusterName, ClusterView};
use crate::kubernetes::KubernetesError;
use crate::ops::cluster_api;
use crate::ops::context::Context;
use crate::ops::refused;
use crate::ops::stack_deletion::stack;
use crate::queue::Verdict;

/// What was found.
pub(super) struct Survey {
    /// None when only stacks of it are left.
    pub(super) cluster: Option<ClusterView>,
    /// The cluster's own stack; none of a cluster that is not eksctl's or ours.
    pub(super) stack: Option<Stack>,
    /// A stack of the cluster's name that does not hold the cluster.
    pub(super) stale: Option<Stack>,
    /// Its other stacks: the role of its pods, nodegroups, service accounts, add-ons.
    pub(super) others: Vec<Stack>,
    pub(super) profiles: Vec<String>,
    pub(super) nodegroups: Vec<String>,
    pub(super) capabilities: Vec<String>,
    /// IAM's trust in the cluster's issuer: its ARN.
    pub(super) provider: Option<String>,
    /// Its Services and Ingresses that have load balancers; or why it does not say.
    pub(super) exposed: Said,
    /// What is in its network.
    pub(super) network: Network,
    /// Other stacks that use what the cluster's stack exports, and which of that.
    pub(super) importers: Vec<(String, String)>,
}

impl Survey {
    /// Looks at everything. None when there is neither the cluster nor a stack of it.
    pub(super) async fn take(
        context: &Context<'_>,
        name: &ClusterName,
    ) -> Result<Option<Self>, Verdict> {
        let cluster = cluster(context).await?;
        let found = stack(context, &names::cluster_stack(name)).await?;
        let found = found.filter(|stack| names::are_of(&stack.tags, name.as_str()));
        let (own, stale) = match found {
            Some(stack) if cluster.as_ref().is_none_or(|one| holds(&stack, one)) => {
                (Some(stack), None)
            }
            other => (None, other),
        };
        if cluster.is_none() && own.is_none() {
            return Ok(None);
        }
        let mut survey = Self {
            cluster,
            stack: own,
            stale,
            others: others(context, name).await?,
            profiles: Vec::new(),
            nodegroups: Vec::new(),
            capabilities: Vec::new(),
            provider: None,
            exposed: Ok(Vec::new()),
            network: Network::default(),
            importers: Vec::new(),
        };
        if survey.cluster.is_some() {
            survey.look_inside(context).await?;
        }
        survey.look_around(context).await?;
        survey.look_for_importers(context).await?;
        Ok(Some(survey))
    }

    async fn look_inside(&mut self, context: &Context<'_>) -> Result<(), Verdict> {
        self.profiles = match context.eks.profile_names().await {
            Ok(names) => names,
            Err(refusal) if is_gone(refusal.class) => Vec::new(),
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        };
        self.nodegroups = match context.clusters().nodegroup_names(context.cluster).await {
            Ok(names) => names,
            Err(refusal) if is_gone(refusal.class) => Vec::new(),
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        };
        self.capabilities = capabilities::names(context).await?;
        let issuer = self
            .cluster
            .as_ref()
            .and_then(|one| one.oidc_issuer.as_ref());
        if let Some(issuer) = issuer {
            let iam = context.eks.caller().iam();
            let arn = iam.oidc_provider_arn(issuer);
            match iam.has_oidc_provider(&arn).await {
                Ok(there) => self.provider = there.then_some(arn),
                Err(refusal) => return Err(refused::verdict(context, refusal).await),
            }
        }
        Ok(())
    }

    /// Its network, and what in the cluster has load balancers there.
    async fn look_around(&mut self, context: &Context<'_>) -> Result<(), Verdict> {
        let stacks = (self.stack.as_ref(), self.others.as_slice());
        match Network::look(context, self.cluster.as_ref(), stacks).await {
            Ok(network) => self.network = network,
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        }
        if let Some(cluster) = &self.cluster {
            self.exposed = balancers::exposed(context, cluster).await?;
        }
        Ok(())
    }

    /// A stack is not deleted while others use what it exports.
    async fn look_for_importers(&mut self, context: &Context<'_>) -> Result<(), Verdict> {
        let exports = self.stack.iter().flat_map(|stack| &stack.exports);
        for export in exports {
            let importers = match context.stacks().importers(export).await {
                Ok(importers) => importers.into_iter(),
                Err(refusal) => return Err(refused::verdict(context, refusal).await),
            };
            // Its own go before it.
            let own = |name: &String| self.others.iter().any(|stack| stack.name == *name);
            let others = importers.filter(|name| !own(name));
            let others: Vec<_> = others.map(|name| (name, export.clone())).collect();
            self.importers.extend(others);
        }
        Ok(())
    }

    /// Every stack that goes with the cluster, its own last.
    pub(super) fn stacks(&self) -> impl Iterator<Item = &Stack> {
        self.others.iter().chain(&self.stack)
    }

    /// Whether EKS refuses to delete the cluster: it protects those that are active.
    pub(super) fn is_protected(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| {
            let moot = ["CREATING", "FAILED", "DELETING"];
            let status = cluster.status.as_deref().unwrap_or_default();
            cluster.deletion_protection == Some(true) && !moot.contains(&status)
        })
    }

    /// Why the cluster does not answer just now, if it has load balancers that only it can take down.
    pub(super) fn outage(&self) -> Option<&KubernetesError> {
        let error = self.exposed.as_ref().err()?;
        let passes = cluster_api::is_outage(self.cluster.as_ref()?, error);
        (passes && !self.network.balancers.is_empty()).then_some(error)
    }

    /// A stack that CloudFormation is changing, and does not delete meanwhile.
    pub(super) fn busy(&self) -> Option<String> {
        let mut stacks = self.stacks();
        let busy = stacks.find(|stack| is_updating(&stack.status))?;
        Some(format!("stack {} is in {}", busy.name, busy.status))
    }

    /// The roles of the stacks that `CloudFormation` has not named after these: a session of the job is for
    /// the others alone, unless it is told of them.
    pub(super) async fn named_roles(&self, context: &Context<'_>) -> Result<Vec<String>, Verdict> {
        let prefix = generated_role_prefix(context.cluster);
        let mut roles = Vec::new();
        for stack in &self.others {
            let resources = match context.stacks().resources(&stack.id).await {
                Ok(resources) => resources,
                Err(refusal) if is_gone(refusal.class) => continue,
                Err(refusal) => return Err(refused::verdict(context, refusal).await),
            };
            let named = resources
                .into_iter()
                .filter(|one| one.resource_type == "AWS::IAM::Role")
                .map(|one| one.id)
                .filter(|name| !name.is_empty() && !name.starts_with(&prefix));
            roles.extend(named);
        }
        Ok(roles)
    }

    /// Whether the termination protection of the stacks may be lifted: asked by setting what is set
    /// already, which changes nothing.
    pub(super) async fn may_lift(&self, context: &Context<'_>) -> Result<(), Verdict> {
        let protected = self.stacks().filter(|stack| stack.protected);
        for stack in protected.filter(|stack| stack.status != "DELETE_IN_PROGRESS") {
            match context.stacks().protect_stack(&stack.id, true).await {
                Ok(()) => {}
                Err(refusal) if is_gone(refusal.class) => {}
                Err(refusal) => return Err(refused::verdict(context, refusal).await),
            }
        }
        Ok(())
    }
}

/// The cluster, if it is there.
pub(super) async fn cluster(context: &Context<'_>) -> Result<Option<ClusterView>, Verdict> {
    match context.clusters().cluster(context.cluster).await {
        Ok(cluster) => Ok(cluster),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// All but the one of the cluster's own name.
async fn others(context: &Context<'_>, name: &ClusterName) -> Result<Vec<Stack>, Verdict> {
    let listed = match context.stacks().stacks_of(name.as_str()).await {
        Ok(listed) => listed,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let own = names::cluster_stack(name);
    let mut found = Vec::new();
    for summary in listed.into_iter().filter(|one| one.name != own) {
        let stack = stack(context, &summary.id).await?;
        found.extend(stack.filter(|stack| names::are_of(&stack.tags, name.as_str())));
    }
    Ok(found)
}

/// Whether it is that cluster's stack, and not what is left of an older one.
fn holds(stack: &Stack, cluster: &ClusterView) -> bool {
    match stack.status.as_str() {
        // It was rolled back, and holds nothing.
        "ROLLBACK_COMPLETE" => false,
        status if status.ends_with("_FAILED") => names::are_of(&cluster.tags, &cluster.name),
        _ => true,
    }
}

fn is_updating(status: &str) -> bool {
    let changes = ["UPDATE_", "IMPORT_"];
    changes.iter().any(|change| status.starts_with(change)) && status.ends_with("_IN_PROGRESS")
}

const fn is_gone(class: Class) -> bool {
    matches!(class, Class::ClusterNotFound | Class::NotFound)
}
