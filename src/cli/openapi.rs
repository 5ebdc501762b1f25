//! `openapi`: prints the document that the API serves.

use clap::{Args, ValueEnum};

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
        let _ = self.version;
        Err(anyhow::anyhow!("`openapi` is not wired up yet"))
    }
}
