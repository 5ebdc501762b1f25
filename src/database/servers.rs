//! `DATABASE_URL`, with as many hosts as libpq takes: `postgres://user:password@a:5432,b:5433/db`.
//!
//! sqlx knows one host a URL, so each host gets a URL of its own and sqlx parses those.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// The servers of one database, at least one; its `Debug` shows no password.
#[derive(Clone)]
pub struct Servers {
    all: Vec<PgConnectOptions>,
    follow: bool,
}

/// Why a text is no URL of a database; `Display` is the rule that it breaks, and no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServersError {
    /// Not the URL of a Postgres.
    #[error(
        "must be postgres://user:password@host:port/database, or with several host:port, \
         separated by commas"
    )]
    Url,
    /// Several hosts, or several ports, as a parameter.
    #[error("must name several hosts before the database, separated by commas, not as parameters")]
    Parameter,
    /// Sessions that can't write are of no use here.
    #[error("may have target_session_attrs=read-write, or primary, but no other value of it")]
    SessionAttributes,
}

impl Servers {
    /// Where to begin.
    pub(super) fn first(&self) -> &PgConnectOptions {
        // Never empty: see `from_str`.
        &self.all[0]
    }

    pub(super) fn all(&self) -> &[PgConnectOptions] {
        &self.all
    }

    /// Whether it has to be found out, again and again, who is the primary.
    pub(super) fn follows(&self) -> bool {
        self.follow
    }
}

impl Default for Servers {
    /// One server, where libpq's own defaults say.
    fn default() -> Self {
        Self {
            all: vec![PgConnectOptions::new_without_pgpass()],
            follow: false,
        }
    }
}

impl FromStr for Servers {
    type Err = ServersError;

    fn from_str(url: &str) -> Result<Self, ServersError> {
        let (scheme, rest) = url.split_once("://").ok_or(ServersError::Url)?;
        if !["postgres", "postgresql"].contains(&scheme) {
            return Err(ServersError::Url);
        }
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, hosts) = authority
            .rfind('@')
            .map_or(("", authority), |at| authority.split_at(at + 1));
        let hosts: Vec<&str> = hosts.split(',').collect();
        let several = hosts.len() > 1;
        if several && hosts.contains(&"") {
            return Err(ServersError::Url);
        }
        let (tail, asked) = without_attributes(tail, several)?;
        let all = hosts
            .into_iter()
            .map(|host| PgConnectOptions::from_str(&format!("{scheme}://{user}{host}{tail}")))
            .collect::<Result<_, _>>()
            .map_err(|_| ServersError::Url)?;
        Ok(Self {
            all,
            follow: several || asked,
        })
    }
}

/// What follows the hosts, without `target_session_attrs`; and whether that was there.
fn without_attributes(tail: &str, several: bool) -> Result<(String, bool), ServersError> {
    let Some((path, query)) = tail.split_once('?') else {
        return Ok((tail.to_owned(), false));
    };
    let (mut kept, mut asked) = (Vec::new(), false);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            "target_session_attrs" if ["read-write", "primary"].contains(&value) => asked = true,
            "target_session_attrs" => return Err(ServersError::SessionAttributes),
            "host" | "hostaddr" | "port" if several || lists(value) => {
                return Err(ServersError::Parameter);
            }
            _ => kept.push(pair),
        }
    }
    Ok((format!("{path}?{}", kept.join("&")), asked))
}

fn lists(value: &str) -> bool {
    value.contains(',') || value.to_ascii_lowercase().contains("%2c")
}

/// Where a server is, for logs.
pub(super) fn place(server: &PgConnectOptions) -> String {
    match server.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", server.get_host(), server.get_port()),
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(place)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(url: &str) -> Servers {
        url.parse().unwrap()
    }

    #[test]
    fn several_hosts_share_everything_but_their_place() {
        let two = servers(
            "postgres://fleet:sword%40fish@db-a:5432,db-b:5433/jobs?target_session_attrs=read-write&sslmode=disable",
        );
        assert_eq!(format!("{two:?}"), r#"["db-a:5432", "db-b:5433"]"#);
        assert!(two.follows());
        for server in two.all() {
            assert_eq!(server.get_username(), "fleet");
            assert_eq!(server.get_database(), Some("jobs"));
            let mode = format!("{:?}", server.get_ssl_mode());
            assert_eq!(mode, "Disable");
        }
    }

    #[test]
    fn a_host_without_a_port_has_the_usual_one() {
        let three = servers("postgresql://fleet@[::1],db-b:6432,db-c/jobs");
        assert_eq!(
            format!("{three:?}"),
            r#"["[::1]:5432", "db-b:6432", "db-c:5432"]"#
        );
    }

    #[test]
    fn one_server_is_followed_only_when_that_is_asked_for() {
        assert!(!servers("postgres://fleet:swordfish@db/jobs").follows());
        assert!(servers("postgres://fleet@db/jobs?target_session_attrs=primary").follows());
    }

    #[test]
    fn what_names_no_primary_is_refused() {
        let refused = |url: &str| url.parse::<Servers>().unwrap_err();
        for url in [
            "mysql://root@db/fleet",
            "db-a,db-b",
            "postgres://fleet@db-a,,db-b/jobs",
            "postgres://fleet@db-a:5432,db-b:x/jobs",
        ] {
            assert_eq!(refused(url), ServersError::Url, "{url}");
        }
        for url in [
            "postgres://fleet@/jobs?host=db-a,db-b",
            "postgres://fleet@db-a,db-b/jobs?port=5433",
        ] {
            assert_eq!(refused(url), ServersError::Parameter, "{url}");
        }
        assert_eq!(
            refused("postgres://fleet@db-a,db-b/jobs?target_session_attrs=standby"),
            ServersError::SessionAttributes
        );
    }

    #[test]
    fn no_password_is_shown() {
        let shown = format!("{:?}", servers("postgres://fleet:swordfish@a,b/jobs"));
        assert!(!shown.contains("swordfish"), "{shown}");
    }
}
