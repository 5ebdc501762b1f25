//! What the settings promise: defaults that work, all problems at once, no secret shown.

use std::time::Duration;

use super::{Environment, LogFormat, SETTINGS, settings_table};
use crate::database::Connections;

const URL: &str = "postgres://fleet:swordfish@db.internal:5432/fleet";

fn minimal() -> Environment {
    Environment::default().with("DATABASE_URL", URL)
}

#[test]
fn the_defaults_are_enough_with_a_database() {
    let config = minimal().serve().unwrap();
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.worker.slots, 64);
    assert_eq!(config.worker.lease, Duration::from_secs(30));
    assert_eq!(config.worker.poll_interval, Duration::from_secs(1));
    assert_eq!(config.worker.metrics_listen, None);
    assert_eq!(config.database.connections, Connections::of(10));
    assert_eq!(config.aws.time_scale, 1);
    assert!(!config.webhooks.allow_http && config.webhooks.allowed.is_empty());
    assert_eq!(config.shutdown_grace, Duration::from_secs(20));
    assert_eq!(minimal().log().unwrap().format, LogFormat::Text);
}

#[test]
fn an_empty_value_counts_as_absent() {
    let config = minimal()
        .with("FLEET_LISTEN", "")
        .with("FLEET_HTTP_WORKERS", "")
        .serve();
    assert_eq!(config.unwrap().http.workers, None);
}

#[test]
fn all_problems_are_told_at_once_and_no_value_is() {
    let error = Environment::default()
        .with("DATABASE_URL", "mysql://root:swordfish@db/fleet")
        .with("FLEET_LISTEN", "localhost")
        .with("FLEET_WORKER_SLOTS", "0")
        .with("FLEET_PAGE_TOKEN_SECRET", "swordfish")
        .with("FLEET_AWS_TIME_SCALE", "60")
        .with("FLEET_WEBHOOK_ALLOWED_CIDRS", "10.1.0.0/33")
        .with("FLEET_WEBHOOK_ALLOW_HTTP", "yes")
        .with("FLEET_WEBHOOK_SECRETS_KEY", "swordfish")
        .with("FLEET_LOG_FORMAT", "xml")
        .with("FLEET_LISTNE", "127.0.0.1:8080")
        .serve()
        .unwrap_err()
        .to_string();
    insta::assert_snapshot!(error, @r"
    the settings are not usable:
      FLEET_LISTNE does not exist: see docs/settings.md for those that do
      DATABASE_URL must be postgres://user:password@host:port/database, or with several host:port, separated by commas
      FLEET_PAGE_TOKEN_SECRET must have at least 32 characters
      FLEET_LISTEN must be an IP address and a port, such as 127.0.0.1:8080
      FLEET_WORKER_SLOTS must be a whole number from 1 to 10000
      FLEET_AWS_TIME_SCALE must be 1 without FLEET_AWS_ENDPOINT_URL: it is for simulators
      FLEET_WEBHOOK_ALLOW_HTTP must be true or false
      FLEET_WEBHOOK_ALLOWED_CIDRS must be networks separated by commas, such as 10.1.0.0/16,fd12::/32
      FLEET_WEBHOOK_SECRETS_KEY must have at least 32 characters
      FLEET_LOG_FORMAT must be text or json
    ");
}

#[test]
fn a_secret_is_not_shown_by_debug() {
    let shown = format!("{:?}", minimal().serve().unwrap());
    assert!(!shown.contains("swordfish"), "{shown}");
}

#[test]
fn the_time_scale_is_for_simulators() {
    let simulated = minimal()
        .with("FLEET_AWS_ENDPOINT_URL", "http://127.0.0.1:4580")
        .with("FLEET_AWS_TIME_SCALE", "60");
    assert_eq!(simulated.serve().unwrap().aws.time_scale, 60);
}

#[test]
fn an_issuer_brings_its_settings_with_it() {
    assert!(minimal().serve().unwrap().http.oidc.is_none());
    let full = minimal()
        .with("FLEET_OIDC_ISSUER", "https://id.example.com/")
        .with("FLEET_OIDC_AUDIENCE", "fleet")
        .with("FLEET_OIDC_ROLES", r#"{"fleet:write": "operator"}"#)
        .with("FLEET_OIDC_ACCOUNTS_CLAIM", "/team/accounts");
    let oidc = full.serve().unwrap().http.oidc.unwrap();
    assert_eq!(oidc.issuer.as_str(), "https://id.example.com/");
    assert!(oidc.accounts_claim.is_some());
}

#[test]
fn the_settings_of_an_issuer_are_checked_too() {
    let told = |environment: Environment| environment.serve().unwrap_err().to_string();
    let alone = minimal()
        .with("FLEET_OIDC_AUDIENCE", "fleet")
        .with("FLEET_OIDC_ROLE_CLAIM", "roles");
    insta::assert_snapshot!(told(alone), @r"
    the settings are not usable:
      FLEET_OIDC_AUDIENCE means nothing without FLEET_OIDC_ISSUER
      FLEET_OIDC_ROLE_CLAIM means nothing without FLEET_OIDC_ISSUER
    ");
    let wrong = minimal()
        .with("FLEET_OIDC_ISSUER", "http://swordfish.example.com")
        .with("FLEET_OIDC_ROLES", "swordfish=admin")
        .with("FLEET_OIDC_ACCOUNTS", "swordfish");
    insta::assert_snapshot!(told(wrong), @r#"
    the settings are not usable:
      FLEET_OIDC_AUDIENCE is required with FLEET_OIDC_ISSUER
      FLEET_OIDC_ACCOUNTS means nothing without FLEET_OIDC_ACCOUNTS_CLAIM
      FLEET_OIDC_ISSUER must be an https:// URL without query and fragment (http:// on this host alone), as the issuer's tokens name it
      FLEET_OIDC_ROLES must be a JSON object from values of the claim to roles, such as {"fleet-admins": "admin"}
      FLEET_OIDC_ACCOUNTS must be a JSON object from values of the claim to lists of account ids or "*", such as {"team-a": ["111111111111"]}
    "#);
}

#[test]
fn every_setting_is_ours_or_a_well_known_one() {
    let ours = |name: &str| name.starts_with("FLEET_");
    let known = ["DATABASE_URL", "RUST_LOG"];
    assert!(
        SETTINGS
            .iter()
            .all(|it| ours(it.name) || known.contains(&it.name))
    );
}

/// Rewrites a stale file, so that the remedy is to commit it.
#[test]
fn the_docs_hold_the_table_of_settings() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let table = settings_table();
    if written != table {
        std::fs::write(path, &table).unwrap();
    }
    assert_eq!(
        written, table,
        "docs/settings.md was stale and is rewritten: commit it"
    );
}
