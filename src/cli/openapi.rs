//! `openapi`: prints the document that the API serves.

use std::io::Write as _;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use fargate_fleet::http;

/// What `openapi` takes.
#[derive(Debug, Args)]
pub(crate) struct Openapi {
    /// Which version of the `OpenAPI` specification to write it in
    #[arg(long, value_enum, default_value_t = Version::V31)]
    version: Version,
}

/// The versions of the specification that are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Version {
    /// For tools that know no other
    #[value(name = "3.0")]
    V30,
    /// The full document
    #[value(name = "3.1")]
    V31,
}

impl Openapi {
    /// Prints the document to standard output.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let document = match self.version {
            Version::V30 => http::openapi_3_0_json(),
            Version::V31 => http::openapi_json(),
        };
        std::io::stdout()
            .write_all(document.as_bytes())
            .context("writing the document")
    }
}
