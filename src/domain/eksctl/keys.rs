//! Every key of eksctl's `ClusterConfig`, where it may stand, and what is done with it when a
//! cluster is created.
//!
//! A document is held to this table before it becomes a type, so that every wrong key is told at
//! once and none is passed over in silence. The table of `docs/cluster-config.md` is made from it.
//!
//! | file | keys |
//! |---|---|
//! | `access` | `accessConfig` |
//! | `addons` | `addons`, `addonsConfig` |
//! | `capabilities` | `capabilities` |
//! | `config` | the document itself, `metadata`, `cloudWatch`, `fargateProfiles` |
//! | `control_plane` | its settings, `autoModeConfig`, `remoteNetworkConfig` |
//! | `iam` | `iam` |
//! | `network` | `vpc`, `kubernetesNetworkConfig`, `privateCluster` |
//! | `nodegroups` | `nodeGroups`, `managedNodeGroups` |
//! | `table` | the page's table |

mod access;
mod addons;
mod capabilities;
mod config;
mod control_plane;
mod iam;
mod network;
mod nodegroups;
#[cfg(test)]
mod table;

use crate::domain::decode::unknown_field;
use crate::domain::invalid::{Invalid, pointer_token, quoted};
use Shape::{Fields, Flag, Free, Ignored, List, Map, Number, Refused, Text, Whole};
use serde_json::Value;

/// What may stand at a place.
enum Shape {
    /// A text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// Whatever JSON can say.
    Free,
    /// An object with these keys.
    Fields(&'static [(&'static str, Shape)]),
    /// An object with keys of the caller's own.
    Map(&'static Shape),
    /// A list of these.
    List(&'static Shape),
    /// A key of eksctl's that is taken and nothing done with, and why.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the reason is for the page's table")
    )]
    Ignored(&'static str),
    /// A key of eksctl's that no cluster can be created with here, and why.
    Refused(&'static str),
}

const TEXTS: Shape = List(&Text);
const TEXT_MAP: Shape = Map(&Text);

const OF_AWS: &str = "AWS sets it: what was printed can be sent back";
const ANNOTATIONS: &str = "eksctl does nothing with it either";
const OUTPOSTS: &str = "AWS has no Fargate on Outposts; create such clusters with eksctl";
const KARPENTER: &str = "it is a Helm chart in the cluster, which is installed after the cluster is there, with \
     Helm; on Fargate, give its namespace a profile";
const GITOPS: &str =
    "eksctl runs Flux's own program for it; run flux bootstrap once the cluster is there";
const FOR_UPDATES: &str = "it is for later updates of the Kubernetes version";
const ROLES_ANYWHERE: &str =
    "it is for a trust anchor of IAM Roles Anywhere, which is not made here";

/// The most wrong keys that are told.
const MAX_TOLD: usize = 100;

/// What of a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it: a cluster is to be created.
    Whole,
    /// Cluster, region, profiles and their role, as `eksctl create fargateprofile -f` reads.
    Fargate,
}

/// The keys of the document that its Fargate part has.
const FARGATE: [&str; 5] = ["apiVersion", "fargateProfiles", "iam", "kind", "metadata"];
/// The same of its `iam`.
const FARGATE_IAM: [&str; 2] = [
    "fargatePodExecutionRoleARN",
    "fargatePodExecutionRolePermissionsBoundary",
];
/// The same of its `metadata`.
const FARGATE_METADATA: [&str; 2] = ["name", "region"];

/// Keys of older files, which eksctl no longer knows.
const FORMER: [&str; 1] = ["git"];

/// Takes a key with nothing after it for an absent one, as YAML readers do.
pub(super) fn drop_nulls(tree: &mut Value) {
    match tree {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Takes out what does not belong to the Fargate part; which sections these were.
pub(super) fn keep_fargate_part(tree: &mut Value) -> Vec<String> {
    let mut passed_over = taken_out(tree, "", &config::CLUSTER_CONFIG, &FARGATE);
    if let Some(iam) = tree.get_mut("iam") {
        passed_over.extend(taken_out(iam, "iam.", &iam::CLUSTER_IAM, &FARGATE_IAM));
    }
    if let Some(metadata) = tree.get_mut("metadata") {
        taken_out(metadata, "", &config::CLUSTER_META, &FARGATE_METADATA);
    }
    passed_over
}

/// Takes the keys out of a section that eksctl knows, but for `kept`; those that were there.
fn taken_out(section: &mut Value, prefix: &str, known: &Shape, kept: &[&str]) -> Vec<String> {
    let (Fields(known), Value::Object(section)) = (known, section) else {
        return Vec::new();
    };
    let known = known.iter().map(|(key, _)| *key).chain(FORMER);
    let others = known.filter(|key| !kept.contains(key));
    let present = others.filter(|key| section.remove(*key).is_some());
    present.map(|key| format!("{prefix}{key}")).collect()
}

/// Every key that has no business where it stands, and every list in place of an object. Takes out
/// the keys that are ignored.
pub(super) fn wrong_keys(tree: &mut Value) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    look(&config::CLUSTER_CONFIG, tree, "", &mut wrong);
    wrong.truncate(MAX_TOLD);
    wrong
}

fn look(shape: &Shape, value: &mut Value, at: &str, wrong: &mut Vec<Invalid>) {
    match (shape, value) {
        (Text | Flag | Whole | Number | Free | Ignored(_), _) => {}
        (Fields(known), Value::Object(fields)) => look_at_fields(known, fields, at, wrong),
        (Map(shape), Value::Object(fields)) => {
            for (key, inner) in fields {
                look(shape, inner, &format!("{at}/{}", pointer_token(key)), wrong);
            }
        }
        (List(shape), Value::Array(elements)) => {
            for (i, inner) in elements.iter_mut().enumerate() {
                look(shape, inner, &format!("{at}/{i}"), wrong);
            }
        }
        (Refused(why), _) => {
            let key = at.rsplit('/').next().unwrap_or_default();
            let message = format!(
                "{} is not supported here when a cluster is created: {why}: remove it",
                quoted(key)
            );
            wrong.push(Invalid::new(at, message));
        }
        (List(_), _) => wrong.push(Invalid::new(at, "expected a list")),
        (Fields(_) | Map(_), _) => {
            wrong.push(Invalid::new(at, "expected an object with named fields"));
        }
    }
}

fn look_at_fields(
    known: &[(&str, Shape)],
    fields: &mut serde_json::Map<String, Value>,
    at: &str,
    wrong: &mut Vec<Invalid>,
) {
    let shape_of = |key: &str| known.iter().find(|(name, _)| *name == key);
    fields.retain(|key, _| !matches!(shape_of(key), Some((_, Ignored(_)))));
    for (key, inner) in fields {
        let here = format!("{at}/{}", pointer_token(key));
        match shape_of(key) {
            Some((_, shape)) => look(shape, inner, &here, wrong),
            None => wrong.push(Invalid::new(here, unknown(key, known))),
        }
    }
}

fn unknown(key: &str, known: &[(&str, Shape)]) -> String {
    let known = known
        .iter()
        .filter(|(_, shape)| !matches!(shape, Refused(_) | Ignored(_)));
    let known: Vec<&str> = known.map(|(name, _)| *name).collect();
    unknown_field(key, &known)
}

#[cfg(test)]
mod tests;
