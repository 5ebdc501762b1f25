//! The control plane's logs.

use crate::domain::cluster::spec::LoggingSpec;
use crate::domain::eksctl::ClusterCloudWatch;
use crate::domain::invalid::{Invalid, quoted};

/// What EKS logs, in its own order.
const TYPES: [&str; 5] = [
    "api",
    "audit",
    "authenticator",
    "controllerManager",
    "scheduler",
];

pub(super) fn of(input: Option<ClusterCloudWatch>, wrong: &mut Vec<Invalid>) -> LoggingSpec {
    let input = input
        .unwrap_or_default()
        .cluster_logging
        .unwrap_or_default();
    let asked = &input.enable_types;
    let at = "/cloudWatch/clusterLogging/enableTypes";
    if asked.len() > 10 {
        wrong.push(Invalid::new(at, "at most 10 entries"));
        return LoggingSpec::default();
    }
    let is_all = |text: &str| text == "*" || text == "all";
    for (i, text) in asked.iter().enumerate() {
        if !is_all(text) && !TYPES.contains(&text.as_str()) {
            let message = format!(
                "invalid log type {}: expected one of {}, or \"*\" for all",
                quoted(text),
                TYPES.join(", ")
            );
            wrong.push(Invalid::new(format!("{at}/{i}"), message));
        }
    }
    let all = asked.iter().any(|text| is_all(text));
    let wanted = TYPES
        .iter()
        .filter(|name| all || asked.iter().any(|text| text == *name));
    let types: Vec<String> = wanted.map(|name| (*name).to_owned()).collect();
    LoggingSpec { types }
}
