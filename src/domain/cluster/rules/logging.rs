//! The control plane's logs.

use crate::domain::cluster::spec::LoggingSpec;
use crate::domain::eksctl::{ClusterCloudWatch, ClusterCloudWatchLogging};
use crate::domain::invalid::{Invalid, quoted};

/// What EKS logs, in its own order.
const TYPES: [&str; 5] = [
    "api",
    "audit",
    "authenticator",
    "controllerManager",
    "scheduler",
];

/// How many days CloudWatch Logs can keep logs.
const RETENTION: [u16; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
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
    let retention_days = retention(&input, wrong);
    let all = asked.iter().any(|text| is_all(text));
    let wanted = TYPES
        .iter()
        .filter(|name| all || asked.iter().any(|text| text == *name));
    let types: Vec<String> = wanted.map(|name| (*name).to_owned()).collect();
    LoggingSpec {
        types,
        retention_days,
    }
}

/// eksctl's words, and its values and those that AWS has besides.
fn retention(input: &ClusterCloudWatchLogging, wrong: &mut Vec<Invalid>) -> Option<u16> {
    let at = "/cloudWatch/clusterLogging/logRetentionInDays";
    let days = input.log_retention_in_days.filter(|days| *days != 0)?;
    if input.enable_types.is_empty() {
        let message =
            "cannot set cloudWatch.clusterLogging.logRetentionInDays without enabling log types";
        wrong.push(Invalid::new(at, message));
    }
    let known = RETENTION
        .into_iter()
        .find(|known| u32::from(*known) == days);
    if known.is_none() {
        let values = RETENTION.map(|known| known.to_string()).join(", ");
        let message =
            format!("invalid value {days} for logRetentionInDays; supported values are {values}");
        wrong.push(Invalid::new(at, message));
    }
    known
}
