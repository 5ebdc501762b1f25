//! Nodes after their nodegroups' stacks: a stack is complete with no node joined. They are looked for
//! in the cluster's Kubernetes API, as eksctl does. The cluster is there in any case: what does not
//! come is a warning.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Creating;
use crate::domain::ClusterView;
use crate::domain::cluster::spec::{NodegroupKind, NodegroupSpec};
use crate::domain::warnings::Warning;
use crate::kubernetes::{KubernetesError, Node};
use crate::ops::cluster_api::{self, Next};
use crate::ops::following::Pace;
use crate::ops::patience::Waited;
use crate::ops::refused;
use crate::queue::backoff::Backoff;
use crate::queue::{Verdict, Wait};

/// eksctl waits as long for its nodes.
const NODES: Pace = Pace {
    delays: Backoff::millis(&[5_000, 10_000, 15_000, 15_000, 20_000, 30_000]),
    longest: Duration::from_mins(25),
};

/// What has to be known from one look to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Looking {
    waited: Waited,
    /// For an API that refuses.
    trouble: Waited,
    /// All are Ready, or the caller was told why not.
    done: bool,
}

/// A nodegroup with fewer Ready nodes than it shall have.
struct Short<'a> {
    nodegroup: &'a NodegroupSpec,
    ready: usize,
    /// What nodes that have joined and are not Ready say.
    words: Vec<String>,
}

/// What a look has brought.
enum Seen<'a> {
    Nodes(Vec<Short<'a>>),
    /// The API does not answer; it may later.
    Nothing(String),
    /// The API refuses, for now.
    Later(Duration, Waited, String),
    /// There is no point in looking again.
    Never(String),
}

/// `Ok` when all nodes are Ready, or the caller was told why not.
pub(super) async fn follow(creating: &mut Creating<'_>) -> Result<(), Verdict> {
    let looking = creating.stage.kept.work.nodes.clone();
    let none = creating.spec.nodegroups.iter().all(|one| wanted(one) == 0);
    if none || looking.done {
        return Ok(());
    }
    let words = match look(creating, &looking).await? {
        Seen::Nodes(short) if short.is_empty() => {
            let issues = health_issues(creating).await?;
            return tell(creating, "All nodes are Ready.", issues).await;
        }
        Seen::Nodes(short) => short
            .iter()
            .map(Short::words)
            .collect::<Vec<_>>()
            .join("; "),
        Seen::Nothing(why) => why,
        Seen::Later(after, trouble, why) => {
            creating.stage.kept.work.nodes.trouble = trouble;
            let message = format!("Waits for nodes: {why}.");
            return Err(creating.stage.park(after, Wait::Retry, message));
        }
        Seen::Never(why) => {
            let warnings = vec![unchecked(creating, &why)];
            return tell(creating, "Nodes were not looked for.", warnings).await;
        }
    };
    let context = creating.stage.context;
    let Some((after, waited)) = looking.waited.again(context, &NODES) else {
        let mut warnings = vec![late(&words)];
        warnings.extend(health_issues(creating).await?);
        return tell(creating, "Nodes are not waited for any longer.", warnings).await;
    };
    creating.stage.kept.work.nodes.waited = waited;
    let message = format!("Waits for nodes: {words}.");
    Err(creating.stage.park(after, Wait::Poll, message))
}

/// How many nodes a nodegroup begins with.
fn wanted(nodegroup: &NodegroupSpec) -> usize {
    usize::try_from(nodegroup.desired.unwrap_or(nodegroup.min)).unwrap_or(usize::MAX)
}

/// One look at the cluster's nodes.
async fn look<'a>(creating: &Creating<'a>, looking: &Looking) -> Result<Seen<'a>, Verdict> {
    let context = creating.stage.context;
    let cluster = creating.cluster().await?;
    let kubernetes = match cluster_api::open(context, &cluster).await? {
        Ok(kubernetes) => kubernetes,
        Err(error) => return Ok(Seen::Never(error.to_string())),
    };
    match kubernetes.nodes("").await {
        Ok(nodes) => {
            let all = creating.spec.nodegroups.iter();
            let short = all.filter_map(|nodegroup| Short::of(nodegroup, &nodes));
            Ok(Seen::Nodes(short.collect()))
        }
        Err(error) => Ok(trouble(creating, &cluster, &error, looking)),
    }
}

/// An API that is down is waited for as long as the nodes are.
fn trouble<'a>(
    creating: &Creating<'a>,
    cluster: &ClusterView,
    error: &KubernetesError,
    looking: &Looking,
) -> Seen<'a> {
    if cluster_api::is_outage(cluster, error) {
        return Seen::Nothing(error.to_string());
    }
    let keep = (looking.trouble, "read nodes");
    match cluster_api::after(creating.stage.context, cluster, error, keep) {
        Next::Again(after, waited) => Seen::Later(after, waited, error.to_string()),
        Next::Never(why) => Seen::Never(why),
    }
}

impl<'a> Short<'a> {
    /// None when enough are Ready.
    fn of(nodegroup: &'a NodegroupSpec, nodes: &[Node]) -> Option<Self> {
        let label = match nodegroup.kind {
            NodegroupKind::SelfManaged => "alpha.eksctl.io/nodegroup-name",
            NodegroupKind::Managed => "eks.amazonaws.com/nodegroup",
        };
        let own = nodes
            .iter()
            .filter(|node| node.meta.labels.get(label) == Some(&nodegroup.name));
        let (ready, others): (Vec<&Node>, Vec<&Node>) = own.partition(|node| node.ready);
        let words = others.iter().filter_map(|node| {
            let why = node.not_ready.as_deref()?;
            Some(format!("{}: {}", node.meta.name, why.trim_end_matches('.')))
        });
        (ready.len() < wanted(nodegroup)).then(|| Self {
            nodegroup,
            ready: ready.len(),
            words: words.take(3).collect(),
        })
    }

    fn words(&self) -> String {
        let (name, ready, wanted) = (&self.nodegroup.name, self.ready, wanted(self.nodegroup));
        let words = self.words.join(", ");
        let why = if words.is_empty() {
            words
        } else {
            format!(" ({words})")
        };
        format!("{ready} of {wanted} nodes of nodegroup {name} are Ready{why}")
    }
}

/// What EKS says ails the managed nodegroups, one warning each.
async fn health_issues(creating: &Creating<'_>) -> Result<Vec<Value>, Verdict> {
    let context = creating.stage.context;
    let mut warnings = Vec::new();
    let managed = creating.spec.nodegroups.iter();
    for one in managed.filter(|one| one.kind == NodegroupKind::Managed) {
        let found = match context
            .clusters()
            .nodegroup(creating.name(), &one.name)
            .await
        {
            Ok(found) => found,
            Err(refusal) if refused::passes(refusal.class) => {
                return Err(refused::verdict(context, refusal).await);
            }
            Err(refusal) => {
                tracing::warn!(%refusal, nodegroup.name = one.name, "the health of a nodegroup");
                continue;
            }
        };
        let issues = found.map(|found| found.health_issues).unwrap_or_default();
        let told: Vec<String> = issues
            .iter()
            .map(|issue| format!("{}: {}", issue.code, issue.message.trim_end_matches('.')))
            .collect();
        if !told.is_empty() {
            let message = format!("EKS says of nodegroup {}: {}", one.name, told.join("; "));
            warnings.push(json!(Warning::new("nodegroup_health", message)));
        }
    }
    Ok(warnings)
}

fn late(words: &str) -> Value {
    let minutes = NODES.longest.as_secs() / 60;
    let message =
        format!("after {minutes} minutes {words}; the cluster is there without the others");
    json!(Warning::new("nodes_not_ready", message))
}

fn unchecked(creating: &Creating<'_>, why: &str) -> Value {
    let all = creating.spec.nodegroups.iter();
    let counts: Vec<String> = all
        .map(|one| format!("{} of nodegroup {}", wanted(one), one.name))
        .collect();
    let (region, name) = (&creating.stage.context.job.region, creating.name());
    let message = format!(
        "the nodes were not looked for ({}): {why}. By hand: aws eks update-kubeconfig --region {region} \
         --name {name} && kubectl get nodes",
        counts.join(", ")
    );
    json!(Warning::new("nodes_not_checked", message))
}

/// Writes warnings down, if there are any, so that they are told once.
async fn tell(
    creating: &mut Creating<'_>,
    message: &str,
    warnings: Vec<Value>,
) -> Result<(), Verdict> {
    creating.stage.kept.work.nodes.done = true;
    if warnings.is_empty() {
        return Ok(());
    }
    creating.stage.warn(message, warnings).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Meta;

    fn node(label: &str, name: &str, ready: bool) -> Node {
        Node {
            meta: Meta {
                name: "ip-1".to_owned(),
                labels: [(label.to_owned(), name.to_owned())].into(),
                ..Meta::default()
            },
            ready,
            not_ready: (!ready).then(|| "no network.".to_owned()),
        }
    }

    #[test]
    fn nodes_count_for_their_nodegroup_when_they_are_ready() {
        let nodegroup = json!({
            "kind": "self_managed", "name": "ng-1", "instanceType": "m5.large", "desired": 2,
            "min": 1, "max": 2, "volumeGib": 80, "privateNetworking": false, "labels": {}, "tags": {},
        });
        let mut nodegroup: NodegroupSpec = serde_json::from_value(nodegroup).unwrap();
        let own = "alpha.eksctl.io/nodegroup-name";
        let mut nodes = vec![
            node(own, "ng-1", true),
            node(own, "ng-1", false),
            node(own, "ng-2", true),
            node("eks.amazonaws.com/nodegroup", "ng-1", true),
        ];
        let words = |nodes: &[Node]| Short::of(&nodegroup, nodes).map(|short| short.words());
        let expected = "1 of 2 nodes of nodegroup ng-1 are Ready (ip-1: no network)";
        assert_eq!(words(&nodes).as_deref(), Some(expected));
        nodes.push(node(own, "ng-1", true));
        assert_eq!(words(&nodes), None);
        nodegroup.kind = NodegroupKind::Managed;
        let short = Short::of(&nodegroup, &nodes).map(|short| short.ready);
        assert_eq!(short, Some(1));
    }
}
