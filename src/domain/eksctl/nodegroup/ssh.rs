//! Who can log in to nodes.

use super::groups::groups;
use serde::Deserialize;
use utoipa::ToSchema;

/// Who can log in to a nodegroup's nodes. At most one of the three keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NodeGroupSSH)]
pub struct NodeGroupSsh {
    /// Whether port 22 is open; true with a key.
    #[schema(nullable = false)]
    pub allow: Option<bool>,
    /// A public key, as in `~/.ssh/id_ed25519.pub`.
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("ssh-ed25519 AAAA... someone")
    )]
    pub public_key: Option<String>,
    /// The name of an EC2 key pair that exists.
    #[schema(nullable = false, max_length = 255, examples("dev"))]
    pub public_key_name: Option<String>,
    /// A file on eksctl's machine, which is out of reach here: nodes get no key.
    #[schema(nullable = false, max_length = 1024, examples("~/.ssh/id_rsa.pub"))]
    pub public_key_path: Option<String>,
    /// Port 22 is open to these security groups alone.
    #[serde(default)]
    #[schema(schema_with = groups)]
    pub source_security_group_ids: Vec<String>,
    /// True, or absent: EKS's images have the SSM agent.
    #[schema(nullable = false)]
    pub enable_ssm: Option<bool>,
}
