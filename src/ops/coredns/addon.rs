//! `CoreDNS` as a managed add-on.

use serde_json::Value;

use super::{CoreDns, Moving, Reason, Standing, by_hand};
use crate::aws::Class;
use crate::aws::clusters::{AddonInput, ResolveConflicts};
use crate::domain::Addon;
use crate::domain::cluster::coredns;
use crate::domain::decode::{json_tree, yaml_tree};
use crate::queue::{Verdict, Wait};

impl CoreDns<'_> {
    pub(super) async fn addon(&self, addon: &Addon, moving: &Moving) -> Result<Standing, Verdict> {
        let status = addon.status.as_deref().unwrap_or("UNKNOWN");
        if matches!(status, "CREATING" | "UPDATING" | "DELETING") {
            return self.addon_later(moving, status);
        }
        let settings = match settings(addon) {
            Ok(settings) => settings,
            Err(error) => {
                let by_hand = by_hand::addon(self.context, None);
                let why = format!("the add-on's configuration values can't be read: {error}");
                return Ok(Standing::Stays(Reason { why, by_hand }));
            }
        };
        let there = is_on_fargate(settings.as_ref());
        match status {
            "ACTIVE" if there => Ok(Standing::Done),
            // Nobody was asked for anything: how it fares is not this job's affair.
            _ if there && !moving.asked => Ok(Standing::Done),
            _ if moving.asked && status.ends_with("_FAILED") => {
                let by_hand = by_hand::addon(self.context, settings.as_ref());
                let why = format!("the add-on is {status} ({})", ailment(addon));
                Ok(Standing::Stays(Reason { why, by_hand }))
            }
            _ if there => self.addon_later(moving, &format!("{status} ({})", ailment(addon))),
            _ => self.update_addon(settings.as_ref(), moving).await,
        }
    }

    /// Asks for the change, after noting so.
    async fn update_addon(
        &self,
        settings: Option<&Value>,
        moving: &Moving,
    ) -> Result<Standing, Verdict> {
        let context = self.context;
        let asked = Moving {
            asked: true,
            ..moving.clone()
        };
        self.note(&asked).await?;
        let change = AddonInput {
            name: coredns::NAME.to_owned(),
            version: None,
            configuration_values: Some(coredns::on_fargate(settings).to_string()),
            service_account_role_arn: None,
            // What people have changed of its objects stays as it is.
            resolve_conflicts: Some(ResolveConflicts::Preserve),
            tags: std::collections::BTreeMap::new(),
            client_request_token: context.client_request_token("coredns"),
        };
        match self
            .context
            .clusters()
            .update_addon(context.cluster, change)
            .await
        {
            Ok(()) => self.addon_later(&asked, "UPDATING"),
            Err(refusal) if refusal.class == Class::ClusterBusy => {
                let wait = Wait::ClusterBusy(refusal.message.clone());
                let by_hand = by_hand::addon(context, settings);
                self.later(moving, (wait, refusal.message), by_hand)
            }
            // Deleted just now: the next look finds the Deployment, or nothing.
            Err(refusal) if refusal.class == Class::NotFound => self.addon_later(moving, "gone"),
            Err(refusal) => {
                self.refused(refusal, by_hand::addon(context, settings))
                    .await
            }
        }
    }

    fn addon_later(&self, moving: &Moving, status: &str) -> Result<Standing, Verdict> {
        let what = format!("the add-on is {status}");
        self.later(
            moving,
            (Wait::Poll, what),
            by_hand::addon_status(self.context),
        )
    }
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

fn is_on_fargate(settings: Option<&Value>) -> bool {
    let compute_type = settings.and_then(|settings| settings["computeType"].as_str());
    compute_type.is_some_and(|kind| kind.eq_ignore_ascii_case("fargate"))
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
            assert_eq!(is_on_fargate(settings.as_ref()), yes, "{text}");
        }
    }
}
