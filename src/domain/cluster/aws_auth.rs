//! The `ConfigMap` `aws-auth`: lists, as YAML texts, of who is known in a cluster.

use super::spec::identity::IdentityMapping;
use crate::domain::decode::yaml_tree;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where it is.
pub const NAMESPACE: &str = "kube-system";
/// Its name.
pub const NAME: &str = "aws-auth";

const ROLES: &str = "mapRoles";
const USERS: &str = "mapUsers";
const ACCOUNTS: &str = "mapAccounts";
/// The role by which EMR on EKS works, and the user that it is.
const EMR: (&str, &str) = ("AWSServiceRoleForAmazonEMRContainers", "emr-containers");

/// The map's texts by key.
pub type AwsAuth = BTreeMap<String, String>;

/// The map with these mappings besides those that it has; the error says in words why that can't be.
pub fn with(
    mut data: AwsAuth,
    mappings: &[IdentityMapping],
    (partition, account): (&str, &str),
) -> Result<AwsAuth, String> {
    for mapping in mappings {
        let (key, item, once) = match mapping {
            IdentityMapping::Account(account) => (ACCOUNTS, json!(account), false),
            IdentityMapping::EmrContainers { .. } => {
                let (role, user) = EMR;
                let arn = format!("arn:{partition}:iam::{account}:role/{role}");
                (ROLES, json!({"rolearn": arn, "username": user}), false)
            }
            IdentityMapping::Principal {
                arn,
                username,
                groups,
                once,
            } => {
                let (key, field) = if arn.contains(":user/") {
                    (USERS, "userarn")
                } else {
                    (ROLES, "rolearn")
                };
                (
                    key,
                    principal((field, arn), username.as_ref(), groups),
                    *once,
                )
            }
        };
        add(&mut data, (key, item), once)?;
    }
    Ok(data)
}

fn principal((field, arn): (&str, &str), username: Option<&String>, groups: &[String]) -> Value {
    let mut item = json!({ field: arn });
    if let Some(username) = username {
        item["username"] = json!(username);
    }
    if !groups.is_empty() {
        item["groups"] = json!(groups);
    }
    item
}

/// Adds an item to a list, unless it is there.
fn add(data: &mut AwsAuth, (key, item): (&str, Value), once: bool) -> Result<(), String> {
    let mut items = items(data, key)?;
    if items.contains(&item) {
        return Ok(());
    }
    let arn = |item: &Value| item.get("rolearn").or(item.get("userarn")).cloned();
    if once && items.iter().any(|other| arn(other) == arn(&item)) {
        let arn = arn(&item).unwrap_or_default();
        return Err(format!(
            "it maps {arn} already, to something else, and noDuplicateARNs forbids a second entry"
        ));
    }
    items.push(item);
    let text =
        serde_saphyr::to_string(&items).map_err(|_| format!("{key} can't be written as YAML"))?;
    data.insert(key.to_owned(), text);
    Ok(())
}

fn items(data: &AwsAuth, key: &str) -> Result<Vec<Value>, String> {
    let Some(text) = data.get(key).filter(|text| !text.trim().is_empty()) else {
        return Ok(Vec::new());
    };
    match yaml_tree(text) {
        Ok(Value::Array(items)) => Ok(items),
        Ok(Value::Null) => Ok(Vec::new()),
        Ok(_) => Err(format!("{key} is no list")),
        Err(wrong) => {
            let why = wrong.into_iter().next().map(|wrong| wrong.message);
            Err(format!("{key}: {}", why.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: (&str, &str) = ("aws", "111111111111");

    fn admins(once: bool) -> IdentityMapping {
        IdentityMapping::Principal {
            arn: "arn:aws:iam::111111111111:role/admins".to_owned(),
            username: Some("admin".to_owned()),
            groups: vec!["system:masters".to_owned()],
            once,
        }
    }

    fn read(data: &AwsAuth, key: &str) -> Value {
        yaml_tree(&data[key]).unwrap()
    }

    #[test]
    fn what_is_there_stays_and_what_is_new_comes_after_it() {
        let nodes = "- rolearn: arn:aws:iam::111111111111:role/nodes\n  username: system:node:{{EC2PrivateDNSName}}\n";
        let before: AwsAuth = [(ROLES.to_owned(), nodes.to_owned())].into();
        let user = IdentityMapping::Principal {
            arn: "arn:aws:iam::111111111111:user/me".to_owned(),
            username: Some("me".to_owned()),
            groups: Vec::new(),
            once: true,
        };
        let account = IdentityMapping::Account("000000000000".to_owned());
        let emr = IdentityMapping::EmrContainers {
            namespace: "emr".to_owned(),
        };
        let all = [admins(true), user, account, emr];
        let after = with(before, &all, PLACE).unwrap();
        let roles = read(&after, ROLES);
        assert_eq!(roles[0]["username"], "system:node:{{EC2PrivateDNSName}}");
        assert_eq!(roles[1]["groups"], json!(["system:masters"]));
        assert_eq!(
            roles[2]["rolearn"],
            "arn:aws:iam::111111111111:role/AWSServiceRoleForAmazonEMRContainers"
        );
        assert_eq!(
            read(&after, USERS)[0]["userarn"],
            "arn:aws:iam::111111111111:user/me"
        );
        // A number would be no account.
        assert_eq!(read(&after, ACCOUNTS), json!(["000000000000"]));
        assert_eq!(with(after.clone(), &all, PLACE).unwrap(), after);
    }

    #[test]
    fn a_second_entry_of_an_arn_is_for_the_caller_to_allow() {
        let before = with(AwsAuth::new(), &[admins(false)], PLACE).unwrap();
        let other = |once| IdentityMapping::Principal {
            arn: "arn:aws:iam::111111111111:role/admins".to_owned(),
            username: Some("other".to_owned()),
            groups: Vec::new(),
            once,
        };
        let why = with(before.clone(), &[other(true)], PLACE).unwrap_err();
        assert!(why.contains("noDuplicateARNs"), "{why}");
        let both = with(before, &[other(false)], PLACE).unwrap();
        assert_eq!(read(&both, ROLES).as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_map_that_can_not_be_read_is_left_alone() {
        for text in ["a: b", "- a: [", "x"] {
            let data: AwsAuth = [(ROLES.to_owned(), text.to_owned())].into();
            assert!(with(data, &[admins(false)], PLACE).is_err(), "{text}");
        }
        let empty: AwsAuth = [(ROLES.to_owned(), "\n".to_owned())].into();
        assert!(with(empty, &[admins(false)], PLACE).is_ok());
    }
}
