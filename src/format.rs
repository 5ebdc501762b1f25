//! How profiles are shown: eksctl's table, YAML and JSON, byte for byte.
//!
//! Pure functions over the wire shape of a profile; may use `domain` and nothing else.

pub mod json;
pub mod table;
pub mod yaml;
mod yaml_scalar;

pub use json::eksctl_json;
pub use table::table;
pub use yaml::yaml;
