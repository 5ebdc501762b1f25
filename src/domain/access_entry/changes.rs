//! From an access entry that is there to the one that is wanted.

use super::{AccessEntry, AccessEntrySpec, AccessEntryType, AccessPolicy};
use std::collections::{BTreeMap, BTreeSet};

/// What has to be asked for; nothing of it where the entry is as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The groups and, if it differs, the name in Kubernetes.
    pub names: Option<(Vec<String>, Option<String>)>,
    /// Tags that are missing or have another value.
    pub tag: BTreeMap<String, String>,
    /// The keys of tags that are not wanted.
    pub untag: Vec<String>,
    /// Policies that are missing or have another scope.
    pub associate: Vec<AccessPolicy>,
    /// The ARNs of policies that are not wanted.
    pub disassociate: Vec<String>,
}

impl AccessEntrySpec {
    /// Whether an entry that is there can be changed into this one: it is of the same type.
    #[must_use]
    pub fn is_type_of(&self, there: &AccessEntry) -> bool {
        there.kind.as_deref().unwrap_or("STANDARD") == self.kind.as_str()
    }

    /// What an entry of the same type has to be changed in.
    #[must_use]
    pub fn changes(&self, there: &AccessEntry) -> Changes {
        let missing = |(key, value): &(&String, &String)| there.tags.get(*key) != Some(*value);
        let tag = self.tags.iter().filter(missing);
        // AWS's own can't be taken away.
        let foreign = |key: &&String| !self.tags.contains_key(*key) && !key.starts_with("aws:");
        let untag = there.tags.keys().filter(foreign);
        let lacks =
            |policy: &&AccessPolicy| !there.access_policies.iter().any(|one| same(one, policy));
        let associate = self.access_policies.iter().filter(lacks);
        let unwanted = |one: &&AccessPolicy| {
            let mut wanted = self.access_policies.iter();
            wanted.all(|policy| policy.policy_arn != one.policy_arn)
        };
        let disassociate = there.access_policies.iter().filter(unwanted);
        Changes {
            names: self.names(there),
            tag: tag
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            untag: untag.cloned().collect(),
            associate: associate.cloned().collect(),
            disassociate: disassociate.map(|one| one.policy_arn.clone()).collect(),
        }
    }

    fn names(&self, there: &AccessEntry) -> Option<(Vec<String>, Option<String>)> {
        // Those of nodes are EKS's own.
        if self.kind != AccessEntryType::Standard {
            return None;
        }
        let given = self.kubernetes_username.clone();
        let username = given.or_else(|| self.principal_arn.username());
        let username = username.filter(|name| there.kubernetes_username.as_ref() != Some(name));
        let groups = set(&self.kubernetes_groups) != set(&there.kubernetes_groups);
        (groups || username.is_some()).then(|| (self.kubernetes_groups.clone(), username))
    }
}

fn same(one: &AccessPolicy, other: &AccessPolicy) -> bool {
    let (here, there) = (&one.access_scope, &other.access_scope);
    one.policy_arn == other.policy_arn
        && here.kind == there.kind
        && set(&here.namespaces) == set(&there.namespaces)
}

fn set(texts: &[String]) -> BTreeSet<&str> {
    texts.iter().map(String::as_str).collect()
}
