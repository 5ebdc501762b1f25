//! `CoreDNS` as a managed add-on.

use serde_json::Value;

use super::{CoreDns, MOVE, Moving, Reason, SETTLE, Standing, by_hand};
use crate::aws::clusters::{AddonInput, ResolveConflicts};
use crate::aws::{Class, Refusal};
use crate::domain::Addon;
use crate::domain::cluster::coredns;
use crate::domain::decode::{json_tree, yaml_tree};
use crate::ops::following::Pace;
use crate::ops::refused;
use crate::queue::{Verdict, Wait};

impl CoreDns<'_> {
    pub(super) async fn addon(&self, addon: &Addon, moving: &Moving) -> Result<Standing, Verdict> {
        let status = addon.status.as_deref().unwrap_or("UNKNOWN");
        if matches!(status, "CREATING" | "UPDATING" | "DELETING") {
            return self.addon_later(moving, &SETTLE, status);
        }
        let settings = match settings(addon) {
            Ok(settings) => settings,
            Err(error) => {
                let by_hand = by_hand::addon(self.context, None);
                let why = format!("the add-on's configuration values can't be read: {error}");
                return Ok(Standing::Stays(Reason { why, by_hand }));
            }
        };
        let settings = settings.as_ref();
        let there = coredns::compute_type(settings).is_some_and(coredns::is_fargate);
        let mark = moving.restart.as_deref();
        let restarted =
            mark.is_none() || moving.accepted || coredns::restart_mark(settings) == mark;
        match status {
            "ACTIVE" if there => Ok(Standing::Done),
            // Nobody was asked for anything: how it fares is not this job's affair.
            _ if there && !moving.asked && !self.new_profile => Ok(Standing::Done),
            _ if there && !(moving.asked && restarted) => {
                self.restart_addon(settings, moving).await
            }
            // What had failed before this job asked for anything does not count.
            _ if moving.accepted && status.ends_with("_FAILED") => {
                let by_hand = by_hand::addon(self.context, settings);
                let why = format!("the add-on is {status} ({})", ailment(addon));
                Ok(Standing::Stays(Reason { why, by_hand }))
            }
            _ if there => {
                let what = format!("{status} ({})", ailment(addon));
                self.addon_later(moving, &MOVE, &what)
            }
            _ => self.update_addon(settings, moving).await,
        }
    }

    /// Puts it onto Fargate.
    async fn update_addon(
        &self,
        settings: Option<&Value>,
        moving: &Moving,
    ) -> Result<Standing, Verdict> {
        let asked = Moving {
            asked: true,
            ..moving.clone()
        };
        let values = coredns::on_fargate(settings);
        match self.ask_addon("coredns", values, (moving, &asked)).await? {
            Asked::Accepted => self.addon_later(&asked.accepted(), &SETTLE, "UPDATING"),
            Asked::Stands(standing) => Ok(standing),
            Asked::Refused(refusal) => {
                let by_hand = by_hand::addon(self.context, settings);
                self.refused(refusal, by_hand).await
            }
        }
    }

    /// Makes its pods anew: by a setting of the add-on, which needs no way to the cluster's API; where
    /// this version of the add-on does not have it, as kubectl does.
    async fn restart_addon(
        &self,
        settings: Option<&Value>,
        moving: &Moving,
    ) -> Result<Standing, Verdict> {
        let restart = self.restart(moving);
        let values = coredns::restarted(settings, &restart);
        let token = format!("coredns {restart}");
        let asked = Moving {
            asked: true,
            restart: Some(restart),
            ..moving.clone()
        };
        match self.ask_addon(&token, values, (moving, &asked)).await? {
            Asked::Accepted => self.addon_later(&asked.accepted(), &SETTLE, "UPDATING"),
            Asked::Stands(standing) => Ok(standing),
            Asked::Refused(refusal) if refused::passes(refusal.class) => {
                Err(refused::verdict(self.context, refusal).await)
            }
            Asked::Refused(_) => self.restart_deployment(&asked).await,
        }
    }

    /// Asks for a change, after noting so.
    async fn ask_addon(
        &self,
        token: &str,
        values: Value,
        (before, asked): (&Moving, &Moving),
    ) -> Result<Asked, Verdict> {
        let context = self.context;
        self.note(asked).await?;
        let change = AddonInput {
            name: coredns::NAME.to_owned(),
            version: None,
            configuration_values: Some(values.to_string()),
            service_account_role_arn: None,
            pod_identities: Vec::new(),
            namespace: None,
            // What people have changed of its objects stays as it is.
            resolve_conflicts: Some(ResolveConflicts::Preserve),
            tags: std::collections::BTreeMap::new(),
            client_request_token: context.client_request_token(token),
        };
        let clusters = context.clusters();
        match clusters.update_addon(context.cluster, change).await {
            Ok(()) => Ok(Asked::Accepted),
            Err(refusal) if refusal.class == Class::ClusterBusy => {
                let wait = Wait::ClusterBusy(refusal.message.clone());
                let by_hand = by_hand::addon(context, None);
                let later = self.later(before, &SETTLE, (wait, refusal.message), by_hand);
                later.map(Asked::Stands)
            }
            // Deleted just now: the next look finds the Deployment, or nothing.
            Err(refusal) if refusal.class == Class::NotFound => {
                self.addon_later(before, &SETTLE, "gone").map(Asked::Stands)
            }
            Err(refusal) => Ok(Asked::Refused(refusal)),
        }
    }

    pub(super) fn addon_later(
        &self,
        moving: &Moving,
        pace: &Pace,
        status: &str,
    ) -> Result<Standing, Verdict> {
        let what = format!("the add-on is {status}");
        let by_hand = by_hand::addon_status(self.context);
        self.later(moving, pace, (Wait::Poll, what), by_hand)
    }
}

/// What came of asking.
enum Asked {
    Accepted,
    Stands(Standing),
    Refused(Refusal),
}

/// The add-on's configuration, which EKS takes as JSON and as YAML.
fn settings(addon: &Addon) -> Result<Option<Value>, String> {
    let text = addon.configuration_values.as_deref().unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = json_tree(text.as_bytes()).or_else(|_| yaml_tree(text));
    let read = read.map_err(|errors| {
        let first = errors.into_iter().next();
        first.map_or_else(String::new, |error| error.message)
    })?;
    match read {
        Value::Object(_) => Ok(Some(read)),
        Value::Null => Ok(None),
        _ => Err("they are no object".to_owned()),
    }
}

fn ailment(addon: &Addon) -> String {
    let issues = addon.health_issues.iter();
    let told: Vec<String> = issues
        .map(|issue| format!("{}: {}", issue.code, issue.message.trim_end_matches('.')))
        .collect();
    if told.is_empty() {
        "AWS gave no reason".to_owned()
    } else {
        told.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Option<Value>, String> {
        settings(&Addon {
            configuration_values: Some(text.to_owned()),
            ..Addon::default()
        })
    }

    #[test]
    fn configuration_values_are_json_or_yaml() {
        let there = json!({ "replicaCount": 3, "corefile": ".:53 {\n}\n" });
        let json = r#"{"replicaCount": 3, "corefile": ".:53 {\n}\n"}"#;
        let yaml = "replicaCount: 3\ncorefile: |\n  .:53 {\n  }\n";
        for text in [json, yaml] {
            assert_eq!(read(text), Ok(Some(there.clone())), "{text}");
        }
        for empty in ["", " \n", "{}"] {
            let read = read(empty).unwrap().unwrap_or_else(|| json!({}));
            assert_eq!(read, json!({}), "{empty:?}");
        }
        for bad in ["[1]", "a: [", "3"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fargate_is_known_in_either_case() {
        for (yes, text) in [
            (true, "computeType: Fargate"),
            (true, r#"{"computeType": "fargate"}"#),
            (false, "computeType: ec2"),
            (false, "replicaCount: 2"),
        ] {
            let settings = read(text).unwrap();
            let there = coredns::compute_type(settings.as_ref());
            assert_eq!(there.is_some_and(coredns::is_fargate), yes, "{text}");
        }
    }
}
