//! The control plane's logs.

use crate::domain::cluster::config::NewClusterCloudWatch;
use crate::domain::cluster::spec::LoggingSpec;
use crate::domain::invalid::{Invalid, quoted};

/// What EKS logs, in its own order.
const TYPES: [&str; 5] = [
    "api",
    "audit",
    "authenticator",
    "controllerManager",
    "scheduler",
];

/// For how many days `CloudWatch` keeps logs.
const RETENTIONS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

pub(super) fn of(input: Option<NewClusterCloudWatch>, wrong: &mut Vec<Invalid>) -> LoggingSpec {
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
    let retention_days = input.log_retention_in_days;
    let at = "/cloudWatch/clusterLogging/logRetentionInDays";
    if retention_days.is_some_and(|days| !RETENTIONS.contains(&days)) {
        let days = RETENTIONS.map(|days| days.to_string()).join(", ");
        let message = format!("CloudWatch keeps logs for one of {days} days");
        wrong.push(Invalid::new(at, message));
    }
    if retention_days.is_some() && asked.is_empty() {
        let message = "no logs are enabled, so there is nothing to keep: name them in enableTypes";
        wrong.push(Invalid::new(at, message));
    }
    LoggingSpec {
        types,
        retention_days,
    }
}
