//! What the role of an account may do, where a test has said so, and what was asked of it.
//!
//! A role without policies of ours may do everything. Permissions boundaries and the policies of
//! organizations can be played by a `Deny`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use super::policy::{Decision, Policy, Request};

/// Rights that are remembered; a test that needs more looks in between.
const MOST_CHECKED: usize = 20_000;

/// A right that the simulator looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedRight {
    /// `service:Action`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// Whether the role's policies allow it.
    pub allowed: bool,
}

/// The policies of a role.
#[derive(Debug)]
pub(super) struct RolePolicy {
    policies: Vec<Policy>,
    checked: Mutex<BTreeMap<(String, String), bool>>,
}

impl RolePolicy {
    /// Reads one policy document, or a list of them. `None` is an empty list: everything is allowed.
    pub(super) fn parse(documents: &Value) -> Result<Option<Self>, String> {
        let documents = match documents {
            Value::Array(documents) => documents.as_slice(),
            one => std::slice::from_ref(one),
        };
        let policies = documents.iter();
        let policies: Vec<Policy> = policies
            .map(|document| Policy::parse(&document.to_string()))
            .collect::<Result<_, _>>()?;
        Ok((!policies.is_empty()).then(|| Self {
            policies,
            checked: Mutex::default(),
        }))
    }

    /// Whether some policy allows the request and none denies it.
    pub(super) fn decide(&self, request: &Request<'_>) -> Decision {
        let mut decision = Decision::NotAllowed;
        for policy in &self.policies {
            match policy.decide(request) {
                Decision::Denied => {
                    decision = Decision::Denied;
                    break;
                }
                Decision::Allowed => decision = Decision::Allowed,
                Decision::NotAllowed => {}
            }
        }
        let right = (request.action.to_owned(), request.resource.to_owned());
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.len() < MOST_CHECKED {
            checked.insert(right, decision == Decision::Allowed);
        }
        decision
    }

    /// Every right that was looked for since the policies were set, in order.
    pub(super) fn checked(&self) -> Vec<CheckedRight> {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let checked = checked.iter();
        checked
            .map(|((action, resource), allowed)| CheckedRight {
                action: action.clone(),
                resource: resource.clone(),
                allowed: *allowed,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(effect: &str, action: &str) -> Value {
        json!({"Version": "2012-10-17",
            "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})
    }

    fn asks(role: &RolePolicy, action: &str) -> Decision {
        role.decide(&Request {
            action,
            resource: "*",
            context: &[],
        })
    }

    #[test]
    fn one_policy_allows_what_no_other_denies() {
        let documents = json!([
            document("Allow", "eks:*"),
            document("Allow", "ec2:Describe*"),
            document("Deny", "eks:Delete*"),
        ]);
        let role = RolePolicy::parse(&documents).unwrap().unwrap();
        assert_eq!(asks(&role, "eks:ListClusters"), Decision::Allowed);
        assert_eq!(asks(&role, "ec2:DescribeSubnets"), Decision::Allowed);
        assert_eq!(asks(&role, "eks:DeleteCluster"), Decision::Denied);
        assert_eq!(asks(&role, "iam:PassRole"), Decision::NotAllowed);
        let checked: Vec<(String, bool)> = role
            .checked()
            .into_iter()
            .map(|right| (right.action, right.allowed))
            .collect();
        let expected = [
            ("ec2:DescribeSubnets", true),
            ("eks:DeleteCluster", false),
            ("eks:ListClusters", true),
            ("iam:PassRole", false),
        ];
        assert_eq!(
            checked,
            expected.map(|(action, allowed)| (action.to_owned(), allowed))
        );
    }

    #[test]
    fn an_empty_list_lifts_the_policies_and_a_wrong_document_is_refused() {
        assert!(RolePolicy::parse(&json!([])).unwrap().is_none());
        assert!(
            RolePolicy::parse(&document("Allow", "*"))
                .unwrap()
                .is_some()
        );
        assert!(RolePolicy::parse(&json!({"Statement": 1})).is_err());
        assert!(RolePolicy::parse(&Value::Null).is_err());
    }
}
