//! From the claims of a token to a caller: whose it is, its role, its accounts and its name.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::options::OidcOptions;
use super::refusal::Refusal;
use crate::domain::Role;

/// The longest name, in characters.
const LONGEST_NAME: usize = 128;

/// Who sent a token, and what that caller may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The same for all tokens of one subject, and for no other; 48 characters.
    pub owner: String,
    /// What jobs and the audit trail call it: 1 to 128 printable characters.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// On which accounts; `None` is all of them.
    pub account_ids: Option<Vec<String>>,
    /// When the token stops counting.
    pub expires_at: DateTime<Utc>,
}

/// What verified claims say.
pub(super) fn of_claims(
    claims: &Value,
    expires_at: DateTime<Utc>,
    options: &OidcOptions,
) -> Result<Identity, Refusal> {
    let subject = claims.get("sub").and_then(Value::as_str);
    let subject = subject.filter(|subject| !subject.trim().is_empty());
    let subject = subject.ok_or(Refusal::Subject)?;
    let role = options.roles.highest(&options.role_claim.texts(claims));
    let account_ids = match &options.accounts_claim {
        None => None,
        Some(claim) => options.accounts.together(&claim.texts(claims)),
    };
    if account_ids.as_ref().is_some_and(Vec::is_empty) {
        return Err(Refusal::Accounts);
    }
    let named = options.name_claim.texts(claims);
    let named = named.first().map(|name| printable(name));
    Ok(Identity {
        owner: owner(options.issuer.as_str(), subject),
        name: named
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| printable(subject)),
        role: role.ok_or(Refusal::Role)?,
        account_ids,
        expires_at,
    })
}

/// A subject is unique at its issuer alone. The issuer's length keeps the two texts apart.
fn owner(issuer: &str, subject: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((issuer.len() as u64).to_be_bytes());
    hash.update(issuer);
    hash.update(subject);
    format!("oidc:{}", BASE64_URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// Without what could break a line or hide in it.
fn printable(text: &str) -> String {
    let visible = |c: char| if is_plain(c) { c } else { '?' };
    let name: String = text
        .trim()
        .chars()
        .take(LONGEST_NAME)
        .map(visible)
        .collect();
    name.trim().to_owned()
}

/// Letters, digits and signs of any script; no controls, and nothing that turns or hides text.
fn is_plain(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn options(accounts_claim: Option<&str>) -> OidcOptions {
        OidcOptions {
            issuer: "https://id.example.com".parse().unwrap(),
            audience: "fleet".parse().unwrap(),
            role_claim: "roles".parse().unwrap(),
            roles: super::super::RoleMap::default(),
            accounts_claim: accounts_claim.map(|claim| claim.parse().unwrap()),
            accounts: super::super::AccountMap::default(),
            name_claim: "email".parse().unwrap(),
        }
    }

    fn of(claims: &Value, accounts_claim: Option<&str>) -> Result<Identity, Refusal> {
        of_claims(claims, DateTime::UNIX_EPOCH, &options(accounts_claim))
    }

    #[test]
    fn a_subject_has_one_owner_and_two_subjects_have_two() {
        let claims = |sub: &str, role: &str| json!({"sub": sub, "roles": role});
        let first = of(&claims("a", "viewer"), None).unwrap();
        assert_eq!(of(&claims("a", "admin"), None).unwrap().owner, first.owner);
        assert_ne!(of(&claims("b", "viewer"), None).unwrap().owner, first.owner);
        assert_eq!(first.owner.len(), 48);
        assert_ne!(owner("https://a", "b"), owner("https://", "ab"));
    }

    #[test]
    fn a_name_is_short_and_printable_and_else_the_subject() {
        let name = |email: Value| {
            let claims = json!({"sub": "s-1", "roles": ["viewer"], "email": email});
            of(&claims, None).unwrap().name
        };
        assert_eq!(
            name(json!("Zoë O'Neill <z@example.com>")),
            "Zoë O'Neill <z@example.com>"
        );
        assert_eq!(name(json!(" a\r\nb\u{202e}c\u{0}\u{200b} ")), "a??b?c??");
        assert_eq!(name(json!("x".repeat(4000))), "x".repeat(128));
        for none in [json!(null), json!(""), json!("  "), json!(1), json!({})] {
            assert_eq!(name(none.clone()), "s-1", "{none}");
        }
    }

    #[test]
    fn what_is_not_granted_is_refused() {
        let all = json!({"sub": "s", "roles": ["viewer"], "accounts": ["111111111111"]});
        assert_eq!(of(&all, None).unwrap().account_ids, None);
        let one = of(&all, Some("accounts")).unwrap().account_ids.unwrap();
        assert_eq!(one, ["111111111111"]);
        for (claims, refusal) in [
            (json!({"roles": "viewer"}), Refusal::Subject),
            (json!({"sub": "", "roles": "viewer"}), Refusal::Subject),
            (json!({"sub": 1, "roles": "viewer"}), Refusal::Subject),
            (json!({"sub": "s", "accounts": "*"}), Refusal::Role),
            (
                json!({"sub": "s", "roles": "root", "accounts": "*"}),
                Refusal::Role,
            ),
            (json!({"sub": "s", "roles": "viewer"}), Refusal::Accounts),
            (
                json!({"sub": "s", "roles": "viewer", "accounts": []}),
                Refusal::Accounts,
            ),
        ] {
            assert_eq!(of(&claims, Some("accounts")), Err(refusal), "{claims}");
        }
    }
}
