//! The settings of `limits`, TLS and the origins of web pages.

use std::path::PathBuf;

use super::TlsConfig;
use super::reader::Reader;
use crate::limits::Limits;

impl Reader<'_> {
    pub(super) fn limits(&mut self) -> Limits {
        let page_size = self.number("FLEET_MAX_PAGE_SIZE", 1..=1_000);
        Limits {
            body_bytes: self.count("FLEET_MAX_BODY_BYTES", 1_024..=262_144),
            header_bytes: self.count("FLEET_MAX_HEADER_BYTES", 1_024..=65_536),
            headers: self.count("FLEET_MAX_HEADERS", 8..=96),
            uri_bytes: self.count("FLEET_MAX_URI_BYTES", 256..=32_768),
            json_depth: self.count("FLEET_MAX_JSON_DEPTH", 4..=100),
            json_items: self.count("FLEET_MAX_JSON_ITEMS", 10..=100_000),
            page_size: u16::try_from(page_size).unwrap_or(u16::MAX),
            list_rows: self.number("FLEET_MAX_LIST_ROWS", 100..=1_000_000),
            requests_per_minute: self.number("FLEET_MAX_REQUESTS_PER_MINUTE", 0..=1_000_000_000),
            concurrent_requests: self.number("FLEET_MAX_CONCURRENT_REQUESTS", 0..=1_000_000),
            unfinished_jobs: self.number("FLEET_MAX_UNFINISHED_JOBS", 0..=1_000_000_000),
            unfinished_reads: self.number("FLEET_MAX_UNFINISHED_READS", 0..=1_000_000),
            connections: self.count("FLEET_MAX_CONNECTIONS", 64..=1_000_000),
            head_timeout: self.seconds("FLEET_HEAD_TIMEOUT_SECONDS", 1..=300),
            body_timeout: self.seconds("FLEET_BODY_TIMEOUT_SECONDS", 1..=300),
            keep_alive: self.seconds("FLEET_KEEP_ALIVE_SECONDS", 1..=3_600),
        }
    }

    /// Both files or neither; whether they can be used is found out when they are read.
    pub(super) fn tls(&mut self) -> Option<TlsConfig> {
        const NAMES: [&str; 2] = ["FLEET_TLS_CERTIFICATE", "FLEET_TLS_KEY"];
        let [certificate, key] = NAMES.map(|name| self.value(name).map(PathBuf::from));
        match (certificate, key) {
            (Some(certificate), Some(key)) => return Some(TlsConfig { certificate, key }),
            (Some(_), None) => self.problem(NAMES[1], "is required with FLEET_TLS_CERTIFICATE"),
            (None, Some(_)) => self.problem(NAMES[0], "is required with FLEET_TLS_KEY"),
            (None, None) => {}
        }
        None
    }

    pub(super) fn origins(&mut self) -> Vec<String> {
        const NAME: &str = "FLEET_CORS_ORIGINS";
        let list = self.value(NAME).unwrap_or_default().split(',');
        let origins: Vec<String> = list
            .map(|origin| origin.trim().to_owned())
            .filter(|origin| !origin.is_empty())
            .collect();
        if origins.iter().any(|origin| origin.contains('*')) {
            let rule = "must name each origin: * is refused, because the pages of every site could \
                        then read what a token opens";
            self.problem(NAME, rule);
        } else if !origins.iter().all(|origin| is_origin(origin)) {
            let rule = "must be origins as browsers send them, separated by commas, such as \
                        https://portal.example.com: a scheme, a host and perhaps a port, no path";
            self.problem(NAME, rule);
        }
        origins
    }
}

/// `https://host` or `http://host`, with or without a port.
fn is_origin(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return false;
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let of_host = |byte: u8| match byte {
        b':' => inner.is_some(),
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => true,
        _ => false,
    };
    let name = inner.unwrap_or(host);
    let sound = !name.is_empty() && name.bytes().all(of_host);
    sound && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn serve(name: &str, value: &str) -> Result<crate::config::ServeConfig, String> {
        Environment::default()
            .with("DATABASE_URL", "postgres://fleet@db/fleet")
            .with(name, value)
            .serve()
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_limits() {
        let config = serve("FLEET_LISTEN", "").unwrap();
        assert_eq!(config.http.limits, Limits::default());
        assert!(config.http.cors_origins.is_empty());
        assert!(config.http.tls.is_none());
    }

    #[test]
    fn origins_are_exact() {
        let good = "https://portal.example.com, http://localhost:3000,https://[::1]:8443";
        let config = serve("FLEET_CORS_ORIGINS", good).unwrap();
        assert_eq!(config.http.cors_origins.len(), 3);
        for any in ["*", "https://*.example.com", "https://a.example, *"] {
            let told = serve("FLEET_CORS_ORIGINS", any).unwrap_err();
            assert!(told.contains("* is refused"), "{told}");
        }
        for bad in [
            "null",
            "portal.example.com",
            "https://",
            "https://portal.example.com/",
            "https://Portal.example.com",
            "https://me@portal.example.com",
            "https://portal.example.com:0",
            "https://portal.example.com:https",
            "ftp://portal.example.com",
        ] {
            let told = serve("FLEET_CORS_ORIGINS", bad).unwrap_err();
            assert!(told.contains("FLEET_CORS_ORIGINS must be origins"), "{bad}");
        }
    }

    #[test]
    fn a_certificate_and_its_key_come_together() {
        let told = serve("FLEET_TLS_CERTIFICATE", "/tls/cert.pem").unwrap_err();
        assert!(told.contains("FLEET_TLS_KEY is required"), "{told}");
        let told = serve("FLEET_TLS_KEY", "/tls/key.pem").unwrap_err();
        assert!(told.contains("FLEET_TLS_CERTIFICATE is required"), "{told}");
    }
}
