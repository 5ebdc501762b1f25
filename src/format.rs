//! How profiles are shown: eksctl's table, YAML and JSON, byte for byte.
//!
//! Pure functions over the wire shape of a profile; may use `domain` and nothing else.

mod json;
mod natural;
#[cfg(test)]
mod samples;
mod shape;
mod table;
mod yaml;
mod yaml_scalar;
mod yaml_time;

pub use json::eksctl_json;
pub use table::table;
pub use yaml::yaml;

use crate::domain::ParseError;
use std::str::FromStr;

/// A way to show profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// This API's own JSON.
    #[default]
    Json,
    /// eksctl's JSON: an array.
    EksctlJson,
    /// eksctl's YAML.
    Yaml,
    /// eksctl's table.
    Table,
}

impl OutputFormat {
    /// The format as the `output` parameter spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::EksctlJson => "eksctl-json",
            Self::Yaml => "yaml",
            Self::Table => "table",
        }
    }

    /// The media type of an answer in this format.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::EksctlJson => "application/json",
            Self::Yaml => "application/yaml",
            Self::Table => "text/plain; charset=utf-8",
        }
    }
}

impl FromStr for OutputFormat {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let all = [Self::Json, Self::EksctlJson, Self::Yaml, Self::Table];
        let expected = "json, eksctl-json, yaml or table";
        let known = all.into_iter().find(|format| format.as_str() == text);
        known.ok_or_else(|| ParseError::new("output format", text, expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_read_back_and_others_are_named() {
        for format in ["json", "eksctl-json", "yaml", "table"] {
            assert_eq!(format.parse::<OutputFormat>().unwrap().as_str(), format);
        }
        assert_eq!(
            "xml".parse::<OutputFormat>().unwrap_err().message(),
            "invalid output format \"xml\": expected json, eksctl-json, yaml or table"
        );
    }
}
