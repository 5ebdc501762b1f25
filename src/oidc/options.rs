//! Which issuer is trusted, whom its tokens must be for, and what its claims mean here.

use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

use super::mapping::{AccountMap, ClaimName, RoleMap};

/// All that decides over a token besides the issuer's keys.
#[derive(Clone, Debug)]
pub struct OidcOptions {
    /// Who must have made it.
    pub issuer: Issuer,
    /// Whom it must be for.
    pub audience: Audience,
    /// Where its role stands.
    pub role_claim: ClaimName,
    /// What the values there mean.
    pub roles: RoleMap,
    /// Where its accounts stand; without it every caller sees all of them.
    pub accounts_claim: Option<ClaimName>,
    /// What the values there mean, besides account ids and `*`.
    pub accounts: AccountMap,
    /// Where the caller's name stands.
    pub name_claim: ClaimName,
}

/// An issuer: the text that `iss` must equal, and the address that its keys are found by.
#[derive(Clone, Debug)]
pub struct Issuer {
    text: String,
    discovery: Url,
}

impl Issuer {
    /// What `iss` must be, byte by byte.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where its document is.
    pub(super) fn discovery(&self) -> &Url {
        &self.discovery
    }
}

impl FromStr for Issuer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "must be an https:// URL without query and fragment (http:// on this host alone), as the issuer's tokens name it";
        let url = Url::parse(text).map_err(|_| RULE)?;
        let plain = url.query().is_none() && url.fragment().is_none();
        if !plain || !is_safe(&url) {
            return Err(RULE);
        }
        let base = text.strip_suffix('/').unwrap_or(text);
        let discovery = Url::parse(&format!("{base}/.well-known/openid-configuration"));
        Ok(Self {
            text: text.to_owned(),
            discovery: discovery.map_err(|_| RULE)?,
        })
    }
}

/// Whether what comes from there comes from whom it names: HTTPS, or this host itself.
pub(super) fn is_safe(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let anonymous = url.username().is_empty() && url.password().is_none();
    let local = || {
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    };
    let scheme = url.scheme();
    anonymous && !host.is_empty() && (scheme == "https" || (scheme == "http" && local()))
}

/// Whom tokens must be for.
#[derive(Clone, Debug)]
pub struct Audience(String);

impl Audience {
    /// The text that `aud` must be or hold.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Audience {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err("must not be blank");
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_reached_safely_and_kept_as_written() {
        for (text, discovery) in [
            (
                "https://id.example.com",
                "https://id.example.com/.well-known/openid-configuration",
            ),
            (
                "https://id.example.com/realms/a/",
                "https://id.example.com/realms/a/.well-known/openid-configuration",
            ),
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/.well-known/openid-configuration",
            ),
            (
                "http://[::1]/x",
                "http://[::1]/x/.well-known/openid-configuration",
            ),
        ] {
            let issuer: Issuer = text.parse().unwrap();
            assert_eq!(issuer.as_str(), text);
            assert_eq!(issuer.discovery().as_str(), discovery);
        }
        for bad in [
            "",
            "id.example.com",
            "http://id.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "https://id.example.com?x=1",
            "https://id.example.com#x",
            "https://user:password@id.example.com",
            "ftp://id.example.com",
            "file:///etc/passwd",
        ] {
            assert!(bad.parse::<Issuer>().is_err(), "{bad}");
        }
    }
}
