//! Whose the things are that a config names by ARN. What a role, its policies and its boundary are has
//! to be the account's own, or AWS's; where AWS lets other accounts in, they stay.
//!
//! | keys | must be of |
//! |---|---|
//! | roles that AWS is handed (`PassRole`), instance profiles | the account and its partition |
//! | policies and boundaries | the account or AWS, the partition |
//! | target groups | the account, the region |
//! | KMS keys, groups of capacity reservations | the region: other accounts may share them |
//! | `attachRoleARN`, `targetRoleARN`, identity mappings | the partition: roles of other accounts may trust |
//!
//! Access entries have rules of their own ([`crate::domain::access_entry`]).

use serde_json::Value;

use crate::domain::ids::Region;
use crate::domain::invalid::{Invalid, pointer_token, quoted};

/// An ARN, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedArn {
    at: String,
    rule: Rule,
    arn: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Role,
    Policy,
    OfAccountAndRegion,
    OfRegion,
    OfPartition,
}

impl Rule {
    fn of(key: &str) -> Option<Self> {
        Some(match key {
            "serviceRoleARN"
            | "fargatePodExecutionRoleARN"
            | "podExecutionRoleARN"
            | "serviceAccountRoleARN"
            | "roleARN"
            | "roleArn"
            | "instanceRoleARN"
            | "instanceProfileARN"
            | "nodeRoleARN" => Self::Role,
            "permissionsBoundary"
            | "permissionsBoundaryARN"
            | "serviceRolePermissionsBoundary"
            | "fargatePodExecutionRolePermissionsBoundary"
            | "instanceRolePermissionsBoundary"
            | "attachPolicyARNs"
            | "permissionPolicyARNs" => Self::Policy,
            "targetGroupARNs" => Self::OfAccountAndRegion,
            "keyARN" | "volumeKmsKeyID" | "capacityReservationResourceGroupARN" => Self::OfRegion,
            "attachRoleARN" | "targetRoleARN" | "arn" => Self::OfPartition,
            _ => return None,
        })
    }
}

/// Keys below which all is the caller's own.
const FREE: [&str; 10] = [
    "accessEntries",
    "annotations",
    "attachPolicy",
    "configurationValues",
    "kubeletExtraConfig",
    "labels",
    "metadata",
    "permissionPolicy",
    "tags",
    "taints",
];

/// Every ARN of a document that has an owner to be looked at.
pub(super) fn named(tree: &Value) -> Vec<NamedArn> {
    let mut found = Vec::new();
    collect(tree, "", None, &mut found);
    found
}

fn collect(value: &Value, at: &str, rule: Option<Rule>, found: &mut Vec<NamedArn>) {
    match (value, rule) {
        (Value::Object(fields), _) => {
            for (key, value) in fields {
                if !FREE.contains(&key.as_str()) {
                    let at = format!("{at}/{}", pointer_token(key));
                    collect(value, &at, Rule::of(key), found);
                }
            }
        }
        (Value::Array(items), _) => {
            for (i, item) in items.iter().enumerate() {
                collect(item, &format!("{at}/{i}"), rule, found);
            }
        }
        (Value::String(arn), Some(rule)) if arn.starts_with("arn:") => found.push(NamedArn {
            at: at.to_owned(),
            rule,
            arn: arn.clone(),
        }),
        _ => {}
    }
}

/// Those that can't be used in this account and region.
#[must_use]
pub fn misplaced(named: &[NamedArn], account_id: &str, region: &Region) -> Vec<Invalid> {
    let told = named.iter().filter_map(|named| {
        let message = named.trouble(account_id, region)?;
        Some(Invalid::new(named.at.as_str(), message))
    });
    told.collect()
}

impl NamedArn {
    fn trouble(&self, account_id: &str, region: &Region) -> Option<String> {
        let arn = &self.arn;
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let &["arn", partition, _, place, owner, _] = parts.as_slice() else {
            return Some(format!(
                "invalid ARN {}: expected arn:<partition>:<service>:<region>:<account>:<what>",
                quoted(arn)
            ));
        };
        let local = owner == account_id;
        let of_region = place == region.as_str();
        let own = region.partition().as_str();
        if partition != own {
            let what = self.what();
            return Some(format!(
                "the {what} {arn} is in partition {partition}, and region {region} in {own}"
            ));
        }
        match self.rule {
            Rule::Role | Rule::OfAccountAndRegion if !local => Some(format!(
                "the {} {arn} is of account {owner}, not of {account_id}",
                self.what()
            )),
            Rule::Policy if !local && owner != "aws" => Some(format!(
                "the policy {arn} is of account {owner}: IAM takes those of {account_id} and of AWS \
                 only"
            )),
            Rule::OfRegion | Rule::OfAccountAndRegion if !of_region => Some(format!(
                "the {} {arn} is of region {place}, not of {region}",
                self.what()
            )),
            _ => None,
        }
    }

    fn what(&self) -> &'static str {
        let resource = self.arn.splitn(6, ':').nth(5).unwrap_or_default();
        match resource.split(['/', ':']).next().unwrap_or_default() {
            "role" => "role",
            "user" => "user",
            "policy" => "policy",
            "instance-profile" => "instance profile",
            "key" | "alias" => "key",
            "targetgroup" => "target group",
            "group" => "group",
            _ => "resource",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointers(config: &Value) -> Vec<String> {
        let region = Region::parse("eu-central-1").unwrap();
        let wrong = misplaced(&named(config), "111111111111", &region);
        wrong.into_iter().map(|wrong| wrong.pointer).collect()
    }

    #[test]
    fn what_another_account_owns_is_told_at_every_key() {
        let role = "arn:aws:iam::222222222222:role/theirs";
        let policy = "arn:aws:iam::222222222222:policy/theirs";
        let group = "arn:aws:elasticloadbalancing:eu-central-1:222222222222:targetgroup/a/b";
        let config = json!({
            "iam": {
                "serviceRoleARN": role,
                "serviceRolePermissionsBoundary": policy,
                "serviceAccounts": [{"attachPolicyARNs": [policy], "permissionsBoundary": policy}],
                "podIdentityAssociations": [{"roleARN": role, "permissionPolicyARNs": [policy]}],
            },
            "addons": [{"serviceAccountRoleARN": role, "podIdentityAssociations": [{"roleARN": role}]}],
            "autoModeConfig": {"nodeRoleARN": role, "permissionsBoundaryARN": policy},
            "remoteNetworkConfig": {"iam": {"roleARN": role}},
            "managedNodeGroups": [{"iam": {"instanceRoleARN": role, "attachPolicyARNs": [policy]}}],
            "nodeGroups": [{
                "targetGroupARNs": [group],
                "iam": {"instanceProfileARN": "arn:aws:iam::222222222222:instance-profile/x"}
            }],
        });
        assert_eq!(pointers(&config).len(), 15, "{:?}", pointers(&config));
    }

    #[test]
    fn what_aws_shares_stays() {
        let role = "arn:aws:iam::222222222222:role/theirs";
        let config = json!({
            "iam": {
                "serviceRoleARN": "arn:aws:iam::111111111111:role/ours",
                "serviceAccounts": [{
                    "attachRoleARN": role,
                    "attachPolicyARNs": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
                    "attachPolicy": {"roleARN": role},
                }],
                "podIdentityAssociations": [{"targetRoleARN": role}],
            },
            "iamIdentityMappings": [{"arn": role}],
            "secretsEncryption": {"keyARN": "arn:aws:kms:eu-central-1:222222222222:key/a"},
            "nodeGroups": [{"volumeKmsKeyID": "alias/ours", "tags": {"roleARN": role}}],
        });
        assert_eq!(pointers(&config), [""; 0]);
    }

    #[test]
    fn another_partition_or_region_is_told() {
        let config = json!({
            "iam": {"serviceAccounts": [{"attachRoleARN": "arn:aws-cn:iam::222222222222:role/x"}]},
            "secretsEncryption": {"keyARN": "arn:aws:kms:us-east-1:111111111111:key/a"},
        });
        let told = pointers(&config);
        assert_eq!(
            told,
            [
                "/iam/serviceAccounts/0/attachRoleARN",
                "/secretsEncryption/keyARN"
            ]
        );
    }
}
