//! What claims mean here: where they stand, which role their values give, and which accounts.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{AccountId, Role};

/// What stands for all accounts.
const ALL: &str = "*";

/// Where a claim stands: its name, or a JSON pointer into the claims, such as
/// `/realm_access/roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimName(String);

impl ClaimName {
    /// The texts that stand there: one text, or a list of them.
    pub(super) fn texts<'a>(&self, claims: &'a Value) -> Vec<&'a str> {
        match self.value(claims) {
            Some(Value::String(text)) if self.is_spaced() => text.split_whitespace().collect(),
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn value<'a>(&self, claims: &'a Value) -> Option<&'a Value> {
        if self.0.starts_with('/') {
            claims.pointer(&self.0)
        } else {
            claims.get(&self.0)
        }
    }

    /// RFC 8693: a scope is a list with spaces between.
    fn is_spaced(&self) -> bool {
        matches!(self.0.as_str(), "scope" | "scp")
    }
}

impl FromStr for ClaimName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err("must be a claim's name, or a JSON pointer such as /realm_access/roles");
        }
        Ok(Self(text.to_owned()))
    }
}

/// Which role a value gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleMap(BTreeMap<String, Role>);

impl RoleMap {
    /// The highest role that one of these values gives.
    pub(super) fn highest(&self, values: &[&str]) -> Option<Role> {
        values
            .iter()
            .filter_map(|value| self.0.get(*value))
            .max()
            .copied()
    }
}

impl Default for RoleMap {
    /// Roles by their own names.
    fn default() -> Self {
        let roles = [Role::Viewer, Role::Operator, Role::Admin];
        Self(roles.map(|role| (role.as_str().to_owned(), role)).into())
    }
}

impl FromStr for RoleMap {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "must be a JSON object from values of the claim to roles, such as {\"fleet-admins\": \"admin\"}";
        let given: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| RULE)?;
        let mut roles = BTreeMap::new();
        for (value, role) in given {
            roles.insert(value, role.parse::<Role>().map_err(|_| RULE)?);
        }
        if roles.is_empty() {
            return Err(RULE);
        }
        Ok(Self(roles))
    }
}

/// Which accounts a value gives, besides account ids and `*`, which mean themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountMap(BTreeMap<String, Accounts>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Accounts {
    All,
    These(Vec<AccountId>),
}

/// As it is written in the setting.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Star(String),
    List(Vec<AccountId>),
}

impl AccountMap {
    /// The accounts that these values give together; `None` is all of them.
    pub(super) fn together(&self, values: &[&str]) -> Option<Vec<String>> {
        let mut ids = Vec::new();
        for value in values {
            match self.0.get(*value) {
                Some(Accounts::All) => return None,
                Some(Accounts::These(these)) => ids.extend(these.iter().map(ToString::to_string)),
                None if *value == ALL => return None,
                None => ids.extend(AccountId::parse(*value).ok().map(|id| id.to_string())),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }
}

impl FromStr for AccountMap {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "must be a JSON object from values of the claim to lists of account ids or \"*\", such as {\"team-a\": [\"111111111111\"]}";
        let given: BTreeMap<String, Written> = serde_json::from_str(text).map_err(|_| RULE)?;
        let accounts = given.into_iter().map(|(value, written)| match written {
            Written::Star(star) if star == ALL => Ok((value, Accounts::All)),
            Written::List(ids) if !ids.is_empty() => Ok((value, Accounts::These(ids))),
            _ => Err(RULE),
        });
        accounts.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claim(name: &str) -> ClaimName {
        name.parse().unwrap()
    }

    #[test]
    fn a_claim_is_found_by_its_name_or_by_a_pointer() {
        let claims = json!({
            "roles": ["a", 1, "b"],
            "one": "a b",
            "scope": "openid fleet:admin",
            "https://example.com/roles": ["c"],
            "realm_access": {"roles": ["d"]},
            "odd": {"a": 1},
        });
        for (name, texts) in [
            ("roles", vec!["a", "b"]),
            ("one", vec!["a b"]),
            ("scope", vec!["openid", "fleet:admin"]),
            ("https://example.com/roles", vec!["c"]),
            ("/realm_access/roles", vec!["d"]),
            ("realm_access", vec![]),
            ("odd", vec![]),
            ("nothing", vec![]),
            ("/nothing/at/all", vec![]),
        ] {
            assert_eq!(claim(name).texts(&claims), texts, "{name}");
        }
    }

    #[test]
    fn the_highest_role_counts_and_unknown_values_do_not() {
        let roles: RoleMap = r#"{"ops": "operator", "CN=a,DC=b": "admin", "all": "viewer"}"#
            .parse()
            .unwrap();
        assert_eq!(roles.highest(&["all", "ops", "x"]), Some(Role::Operator));
        assert_eq!(roles.highest(&["CN=a,DC=b"]), Some(Role::Admin));
        assert_eq!(roles.highest(&["admin", "Ops", ""]), None);
        assert_eq!(RoleMap::default().highest(&["admin"]), Some(Role::Admin));
        for bad in ["", "{}", "[]", "admin", r#"{"a": "root"}"#, r#"{"a": 1}"#] {
            assert!(bad.parse::<RoleMap>().is_err(), "{bad}");
        }
    }

    #[test]
    fn accounts_are_gathered_and_a_star_is_all() {
        let accounts: AccountMap = r#"{"a": ["111111111111", "222222222222"], "platform": "*"}"#
            .parse()
            .unwrap();
        let together = |values: &[&str]| accounts.together(values);
        assert_eq!(together(&["platform", "a"]), None);
        assert_eq!(together(&["*"]), None);
        assert_eq!(
            together(&["a", "333333333333", "111111111111", "x", "1"]).unwrap(),
            ["111111111111", "222222222222", "333333333333"]
        );
        assert_eq!(together(&["b"]).unwrap(), Vec::<String>::new());
        for bad in [
            "",
            "[]",
            r#"{"a": "all"}"#,
            r#"{"a": []}"#,
            r#"{"a": ["1"]}"#,
        ] {
            assert!(bad.parse::<AccountMap>().is_err(), "{bad}");
        }
    }
}
