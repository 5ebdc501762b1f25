//! Which URLs may be told, and the addresses behind them.
//!
//! A URL is taken only in the one notation that every reader understands the same way: visible
//! ASCII, no user, and a host that is already written as a parser would write it.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use super::address::is_public;
use super::resolver::Resolver;

/// The longest URL.
pub const MAX_URL: usize = 2048;

/// Ports from 1024 on that browsers refuse too, because they speak something else.
const BAD_PORTS: [u16; 16] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6697, 10080,
];

/// Where events may be posted.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// `http` too: for development.
    pub allow_http: bool,
    /// Addresses that are allowed although they are not public.
    pub allowed: Vec<IpNet>,
    /// From names to addresses.
    pub resolver: Resolver,
}

/// Why a URL is not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a URL of the one notation.
    #[error("not a URL that can be told: {0}")]
    Notation(&'static str),
    /// Another scheme.
    #[error("must begin with https://")]
    Scheme,
    /// Another port.
    #[error("port {0} is not one that webhooks are sent to: use 443 or one from 1024 on")]
    Port(u16),
    /// The name has no addresses.
    #[error("the host's name can't be resolved to an address")]
    Unresolved,
    /// One of the addresses is not allowed.
    #[error("the host is, or resolves to, an address that is not public")]
    NotPublic,
}

impl Rules {
    /// Reads a URL, and checks everything that can be checked without asking anybody.
    pub fn parse(&self, text: &str) -> Result<Url, Refused> {
        let authority = self.authority(text)?;
        let url = Url::parse(text).map_err(|_| Refused::Notation("it does not parse"))?;
        let host = url.host().ok_or(Refused::Notation("it names no host"))?;
        let written = host.to_string();
        let (name, port) = split_port(authority);
        if name != written {
            return Err(Refused::Notation(
                "write the host in lower case, and an address as 192.0.2.1 or [2001:db8::1]",
            ));
        }
        if written.ends_with('.') || written.contains("..") {
            return Err(Refused::Notation("the host's name has an empty label"));
        }
        if port == Some("") || url.fragment().is_some() {
            return Err(Refused::Notation("it has an empty port or a fragment"));
        }
        let port = url.port_or_known_default().unwrap_or(0);
        let standard = if url.scheme() == "https" { 443 } else { 80 };
        if port != standard && (port < 1024 || BAD_PORTS.contains(&port)) {
            return Err(Refused::Port(port));
        }
        match host {
            Host::Ipv4(address) => self.check_address(address.into())?,
            Host::Ipv6(address) => self.check_address(address.into())?,
            Host::Domain(_) => {}
        }
        Ok(url)
    }

    /// The same, and resolves the host's name.
    pub async fn check(&self, text: &str) -> Result<Url, Refused> {
        let url = self.parse(text)?;
        if let Some(Host::Domain(name)) = url.host() {
            self.addresses(name).await?;
        }
        Ok(url)
    }

    /// The addresses of a name, when all of them are allowed.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Refused> {
        let found = self.resolver.resolve(name).await;
        let found = found.map_err(|_| Refused::Unresolved)?;
        if found.is_empty() {
            return Err(Refused::Unresolved);
        }
        for address in &found {
            self.check_address(*address)?;
        }
        Ok(found)
    }

    fn check_address(&self, address: IpAddr) -> Result<(), Refused> {
        if is_public(address) || self.allowed.iter().any(|net| net.contains(&address)) {
            Ok(())
        } else {
            Err(Refused::NotPublic)
        }
    }

    /// The part of the text between the scheme and the path.
    fn authority<'a>(&self, text: &'a str) -> Result<&'a str, Refused> {
        if text.len() > MAX_URL {
            return Err(Refused::Notation("it has more than 2048 characters"));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err(Refused::Notation(
                "it has characters other than visible ASCII, or a backslash",
            ));
        }
        let rest = match (text.strip_prefix("https://"), self.allow_http) {
            (Some(rest), _) => rest,
            (None, true) => text.strip_prefix("http://").ok_or(Refused::Scheme)?,
            (None, false) => return Err(Refused::Scheme),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err(Refused::Notation("it names no host"));
        }
        if authority.contains('@') {
            return Err(Refused::Notation("it holds a user or a password"));
        }
        Ok(authority)
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(rules: &Rules, text: &str) -> Option<Refused> {
        rules.parse(text).err()
    }

    #[test]
    fn usual_urls_are_taken() {
        let rules = Rules::default();
        for text in [
            "https://hooks.example.com",
            "https://hooks.example.com/fleet?team=payments",
            "https://hooks.example.com:8443/fleet",
            "https://8.8.8.8/",
            "https://[2606:4700:4700::1111]:443/x",
            "https://xn--bcher-kva.example/",
        ] {
            assert_eq!(refused(&rules, text), None, "{text}");
        }
    }

    #[test]
    fn ports_of_other_protocols_are_refused() {
        let rules = Rules {
            allow_http: true,
            ..Rules::default()
        };
        for port in [0, 1, 22, 25, 80, 587, 993, 2049, 6000, 6667, 10080] {
            let text = format!("https://hooks.example.com:{port}/");
            assert_eq!(refused(&rules, &text), Some(Refused::Port(port)));
        }
        assert_eq!(refused(&rules, "http://hooks.example.com:80/"), None);
        assert_eq!(
            refused(&rules, "http://hooks.example.com:443/"),
            Some(Refused::Port(443))
        );
    }

    #[test]
    fn http_is_for_development() {
        let text = "http://hooks.example.com/";
        assert_eq!(refused(&Rules::default(), text), Some(Refused::Scheme));
    }

    #[test]
    fn allowed_networks_are_exactly_those() {
        let rules = Rules {
            allowed: vec!["10.1.0.0/16".parse().unwrap()],
            ..Rules::default()
        };
        assert_eq!(refused(&rules, "https://10.1.2.3/"), None);
        for text in ["https://10.2.0.1/", "https://[::ffff:a01:203]/"] {
            assert_eq!(refused(&rules, text), Some(Refused::NotPublic), "{text}");
        }
    }

    #[tokio::test]
    async fn one_bad_address_refuses_the_name() {
        let rules = Rules {
            resolver: Resolver::new(|host| match host {
                "good.example.com" => vec!["8.8.8.8".parse().unwrap()],
                "mixed.example.com" => {
                    vec!["8.8.8.8".parse().unwrap(), "127.0.0.1".parse().unwrap()]
                }
                _ => Vec::new(),
            }),
            ..Rules::default()
        };
        let checked = async |host: &str| rules.check(&format!("https://{host}/")).await.err();
        assert_eq!(checked("good.example.com").await, None);
        assert_eq!(checked("mixed.example.com").await, Some(Refused::NotPublic));
        assert_eq!(checked("none.example.com").await, Some(Refused::Unresolved));
    }
}
