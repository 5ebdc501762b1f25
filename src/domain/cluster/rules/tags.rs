//! AWS tags, of which a stack and everything in it take fifty at most.

use crate::domain::invalid::{Invalid, pointer_token};
use crate::domain::profile_rules::check_tags;
use std::collections::BTreeMap;

/// The most tags of the caller's own; the rest of AWS's fifty are the stacks' own.
pub(super) const MAX_TAGS: usize = 40;

/// The most bytes of all tags together: they come three times in a nodegroup's template.
pub(super) const MAX_BYTES: usize = 8192;

/// Looks at the `tags` of the object at `at`.
pub(super) fn check(tags: &BTreeMap<String, String>, at: &str, wrong: &mut Vec<Invalid>) {
    let mut found = Vec::new();
    // It takes AWS's characters alone: braces would have CloudFormation look up parameters and secrets.
    check_tags(tags, &mut found);
    wrong.extend(found.into_iter().map(|invalid| invalid.under(at)));
    if (MAX_TAGS + 1..=50).contains(&tags.len()) {
        let message = format!("at most {MAX_TAGS} tags; AWS's other ten are the stacks' own");
        wrong.push(Invalid::new(format!("{at}/tags"), message));
    }
    if bytes(tags.iter()) > MAX_BYTES {
        let message = format!("at most {MAX_BYTES} bytes of keys and values together");
        wrong.push(Invalid::new(format!("{at}/tags"), message));
    }
    for key in tags.keys().filter(|key| is_reserved(key)) {
        let message = "this tag is one of those by which eksctl and this service know what they \
                       created: choose another key";
        let pointer = format!("{at}/tags/{}", pointer_token(key));
        wrong.push(Invalid::new(pointer, message));
    }
}

fn is_reserved(key: &str) -> bool {
    let own = [
        "Name",
        "kubernetes.io/role/elb",
        "kubernetes.io/role/internal-elb",
    ];
    let prefixes = [
        "alpha.eksctl.io/",
        "eksctl.cluster.k8s.io/",
        "eksctl.io/",
        "kubernetes.io/cluster/",
    ];
    own.contains(&key) || prefixes.iter().any(|prefix| key.starts_with(prefix))
}

/// How long keys and values are together, in bytes.
pub(super) fn bytes<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> usize {
    pairs.map(|(key, value)| key.len() + value.len()).sum()
}
