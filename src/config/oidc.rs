//! The settings of an OIDC issuer: all of them hang on the issuer's own.

use std::str::FromStr;

use super::reader::Reader;
use crate::oidc::OidcOptions;

const ISSUER: &str = "FLEET_OIDC_ISSUER";
const AUDIENCE: &str = "FLEET_OIDC_AUDIENCE";
const ROLE_CLAIM: &str = "FLEET_OIDC_ROLE_CLAIM";
const ROLES: &str = "FLEET_OIDC_ROLES";
const ACCOUNTS_CLAIM: &str = "FLEET_OIDC_ACCOUNTS_CLAIM";
const ACCOUNTS: &str = "FLEET_OIDC_ACCOUNTS";
const NAME_CLAIM: &str = "FLEET_OIDC_NAME_CLAIM";

impl Reader<'_> {
    /// The issuer whose tokens count, if there is one.
    pub(super) fn oidc(&mut self) -> Option<OidcOptions> {
        if self.value(ISSUER).is_none() {
            let others = [
                AUDIENCE,
                ROLE_CLAIM,
                ROLES,
                ACCOUNTS_CLAIM,
                ACCOUNTS,
                NAME_CLAIM,
            ];
            for name in others {
                if self.is_set(name) {
                    self.problem(name, "means nothing without FLEET_OIDC_ISSUER");
                }
            }
            return None;
        }
        if self.value(AUDIENCE).is_none() {
            self.problem(AUDIENCE, "is required with FLEET_OIDC_ISSUER");
        }
        if self.is_set(ACCOUNTS) && !self.is_set(ACCOUNTS_CLAIM) {
            self.problem(ACCOUNTS, "means nothing without FLEET_OIDC_ACCOUNTS_CLAIM");
        }
        let (issuer, audience) = (self.parsed(ISSUER), self.parsed(AUDIENCE));
        let (role_claim, name_claim) = (self.parsed(ROLE_CLAIM), self.parsed(NAME_CLAIM));
        let (roles, accounts) = (self.parsed(ROLES), self.parsed(ACCOUNTS));
        let accounts_claim = self.parsed(ACCOUNTS_CLAIM);
        // What is missing by now has been told.
        Some(OidcOptions {
            issuer: issuer?,
            audience: audience?,
            role_claim: role_claim?,
            roles: roles.unwrap_or_default(),
            accounts_claim,
            accounts: accounts.unwrap_or_default(),
            name_claim: name_claim?,
        })
    }

    fn parsed<T: FromStr<Err = &'static str>>(&mut self, name: &str) -> Option<T> {
        match self.value(name)?.parse() {
            Ok(value) => Some(value),
            Err(rule) => {
                self.problem(name, rule);
                None
            }
        }
    }
}
