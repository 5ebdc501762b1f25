//! Reads one variable after another and gathers what is wrong, instead of stopping at the first.
//!
//! A broken value yields a stand-in that nobody sees: `finish` then answers the problems.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

use super::problem::{ConfigError, Problem};
use super::settings;
use super::{
    AwsConfig, DatabaseConfig, HttpConfig, LogConfig, LogFormat, Secret, WebhookConfig,
    WorkerConfig,
};
use crate::database::{Connections, Servers};

/// What every one of our own variables begins with.
const PREFIX: &str = "FLEET_";
/// The shortest secret that cannot be guessed.
const SECRET_LENGTH: usize = 32;

pub(super) struct Reader<'a> {
    variables: &'a BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a BTreeMap<String, String>) -> Self {
        let mut reader = Self {
            variables,
            problems: Vec::new(),
        };
        let unknown =
            |name: &&String| name.starts_with(PREFIX) && settings::find(name.as_str()).is_none();
        for name in variables.keys().filter(unknown) {
            reader.problem(
                name,
                "does not exist: see docs/settings.md for those that do",
            );
        }
        reader
    }

    /// The value when there was no problem.
    pub(super) fn finish<T>(self, value: T) -> Result<T, ConfigError> {
        let problems = self.problems;
        if problems.is_empty() {
            Ok(value)
        } else {
            Err(ConfigError { problems })
        }
    }

    pub(super) fn database(&mut self) -> DatabaseConfig {
        const NAME: &str = "DATABASE_URL";
        let servers = match self.value(NAME).map(Servers::from_str) {
            Some(Ok(servers)) => servers,
            Some(Err(error)) => {
                self.problem(NAME, &error.to_string());
                Servers::default()
            }
            None => {
                self.problem(
                    NAME,
                    "is required: postgres://user:password@host:port/database",
                );
                Servers::default()
            }
        };
        DatabaseConfig {
            servers,
            connections: self.connections(),
        }
    }

    fn connections(&mut self) -> Connections {
        const CHANGES: &str = "FLEET_DATABASE_CHANGE_CONNECTIONS";
        const READS: &str = "FLEET_DATABASE_READ_CONNECTIONS";
        let total = self.number("FLEET_DATABASE_CONNECTIONS", 2..=1000);
        let mut of = |name| self.value(name).map(|_| self.number(name, 1..=900));
        let (changes, reads) = (of(CHANGES), of(READS));
        let callers = changes.unwrap_or(1) + reads.unwrap_or(1);
        // Beside them: LISTEN, the heartbeat, the queue's own.
        if (changes.is_some() || reads.is_some()) && callers + 3 > total {
            self.problem(
                if reads.is_some() { READS } else { CHANGES },
                &format!("must leave 3 of the {total} connections for the queue itself"),
            );
        }
        Connections {
            total,
            changes,
            reads,
        }
    }

    pub(super) fn webhooks(&mut self) -> WebhookConfig {
        const HTTP: &str = "FLEET_WEBHOOK_ALLOW_HTTP";
        const CIDRS: &str = "FLEET_WEBHOOK_ALLOWED_CIDRS";
        let allow_http = self.value(HTTP).map(str::parse::<bool>);
        if matches!(allow_http, Some(Err(_))) {
            self.problem(HTTP, "must be true or false");
        }
        let parts = self.value(CIDRS).unwrap_or_default().split(',');
        let parts = parts.map(str::trim).filter(|part| !part.is_empty());
        let allowed: Result<Vec<IpNet>, _> = parts.map(str::parse).collect();
        if allowed.is_err() {
            self.problem(
                CIDRS,
                "must be networks separated by commas, such as 10.1.0.0/16,fd12::/32",
            );
        }
        WebhookConfig {
            allow_http: allow_http.is_some_and(|allowed| allowed == Ok(true)),
            allowed: allowed.unwrap_or_default(),
            authorities: self.value("FLEET_WEBHOOK_CA_FILE").map(PathBuf::from),
            secrets_key: self.secret("FLEET_WEBHOOK_SECRETS_KEY"),
        }
    }

    /// A secret that can't be guessed.
    fn secret(&mut self, name: &str) -> Option<Secret> {
        let secret = self.value(name);
        if secret.is_some_and(|secret| secret.chars().count() < SECRET_LENGTH) {
            self.problem(
                name,
                &format!("must have at least {SECRET_LENGTH} characters"),
            );
        }
        secret.map(Secret::new)
    }

    pub(super) fn http(&mut self) -> HttpConfig {
        let secret = self.secret("FLEET_PAGE_TOKEN_SECRET");
        let workers = self.value("FLEET_HTTP_WORKERS").is_some();
        let workers = workers.then(|| self.count("FLEET_HTTP_WORKERS", 1..=1024));
        let listen = self.address("FLEET_LISTEN");
        HttpConfig {
            listen: listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            workers,
            page_token_secret: secret,
            oidc: self.oidc(),
            limits: self.limits(),
            tls: self.tls(),
            cors_origins: self.origins(),
        }
    }

    pub(super) fn worker(&mut self) -> WorkerConfig {
        WorkerConfig {
            slots: self.count("FLEET_WORKER_SLOTS", 1..=10_000),
            lease: self.seconds("FLEET_LEASE_SECONDS", 5..=3600),
            poll_interval: Duration::from_millis(
                self.number("FLEET_POLL_INTERVAL_MS", 10..=60_000).into(),
            ),
            read_history: Duration::from_mins(
                self.number("FLEET_READ_HISTORY_MINUTES", 5..=10_080).into(),
            ),
            metrics_listen: self.address("FLEET_METRICS_LISTEN"),
        }
    }

    pub(super) fn aws(&mut self) -> AwsConfig {
        const ENDPOINT: &str = "FLEET_AWS_ENDPOINT_URL";
        const SCALE: &str = "FLEET_AWS_TIME_SCALE";
        let endpoint_url = self.value(ENDPOINT);
        let is_http = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        if endpoint_url.is_some_and(|url| !is_http(url)) {
            self.problem(ENDPOINT, "must begin with http:// or https://");
        }
        let time_scale = self.number(SCALE, 1..=100_000);
        if time_scale > 1 && endpoint_url.is_none() {
            self.problem(
                SCALE,
                "must be 1 without FLEET_AWS_ENDPOINT_URL: it is for simulators",
            );
        }
        AwsConfig {
            time_scale,
            endpoint_url: endpoint_url.map(str::to_owned),
        }
    }

    pub(super) fn log(&mut self) -> LogConfig {
        let format = match self.value("FLEET_LOG_FORMAT") {
            Some("json") => LogFormat::Json,
            Some("text") => LogFormat::Text,
            _ => {
                self.problem("FLEET_LOG_FORMAT", "must be text or json");
                LogFormat::Text
            }
        };
        let filter = self.value("RUST_LOG").unwrap_or_default().to_owned();
        if EnvFilter::try_new(&filter).is_err() {
            self.problem(
                "RUST_LOG",
                "must be a filter such as info,fargate_fleet=debug",
            );
        }
        LogConfig { format, filter }
    }

    pub(super) fn seconds(&mut self, name: &str, allowed: RangeInclusive<u32>) -> Duration {
        Duration::from_secs(self.number(name, allowed).into())
    }

    pub(super) fn count(&mut self, name: &str, allowed: RangeInclusive<u32>) -> usize {
        usize::try_from(self.number(name, allowed)).unwrap_or(usize::MAX)
    }

    pub(super) fn number(&mut self, name: &str, allowed: RangeInclusive<u32>) -> u32 {
        let number = self.value(name).and_then(|value| value.parse().ok());
        if let Some(number) = number.filter(|number| allowed.contains(number)) {
            return number;
        }
        let (least, most) = (allowed.start(), allowed.end());
        self.problem(
            name,
            &format!("must be a whole number from {least} to {most}"),
        );
        *least
    }

    fn address(&mut self, name: &str) -> Option<SocketAddr> {
        let parsed = self.value(name)?.parse();
        if parsed.is_err() {
            self.problem(
                name,
                "must be an IP address and a port, such as 127.0.0.1:8080",
            );
        }
        parsed.ok()
    }

    /// What is set, else the default; an empty value counts as absent.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        let set = self.variables.get(name).map(String::as_str);
        let default = settings::find(name).map_or("", |setting| setting.default);
        set.filter(|value| !value.is_empty())
            .or(Some(default))
            .filter(|value| !value.is_empty())
    }

    /// Whether it is set to anything, be it the default.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.variables
            .get(name)
            .is_some_and(|value| !value.is_empty())
    }

    pub(super) fn problem(&mut self, name: &str, rule: &str) {
        self.problems.push(Problem {
            name: name.to_owned(),
            rule: rule.to_owned(),
        });
    }
}
