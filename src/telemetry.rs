//! Log lines on standard error: a sentence to read and fields to query, as text or as JSON.
//!
//! Standard output stays free for what a command was asked to print.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::TryInitError;

use crate::config::{LogConfig, LogFormat};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("RUST_LOG is not a filter such as `info,fargate_fleet=debug`")]
    Filter(#[from] ParseError),
    /// The process logs already.
    #[error("logging was set up before")]
    AlreadySet(#[from] TryInitError),
}

/// The filter without what actix-http calls an error of its own: a stranger who sends what is no
/// request. [`crate::http`] tells that at debug. Who names `actix_http` sees all of it.
fn without_strangers(filter: &str) -> String {
    if filter.contains("actix_http") {
        return filter.to_owned();
    }
    format!("{filter},actix_http::h1::dispatcher=off")
}

/// Sets up logging for the whole process; to be called once, first thing.
///
/// # Errors
///
/// The filter is not one, or logging was set up before.
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    use std::io::IsTerminal as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(without_strangers(&config.filter))?)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => lines.with_target(false).finish().try_init()?,
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init()?,
    }
    Ok(())
}
