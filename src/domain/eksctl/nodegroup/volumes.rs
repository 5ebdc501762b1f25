//! Disks of nodes besides the first.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One more disk of a nodegroup's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VolumeMapping {
    /// The device's name.
    #[serde(default)]
    #[schema(
        required = true,
        min_length = 1,
        max_length = 64,
        examples("/dev/xvdb")
    )]
    pub volume_name: String,
    /// Its size in GiB; 80 if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 16384, examples(80))]
    pub volume_size: Option<u32>,
    /// `gp3` (the default), `gp2`, `io1`, `io2`, `sc1` or `st1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 16, examples("gp3"))]
    pub volume_type: Option<String>,
    /// Whether it is encrypted; as EC2 has it by default if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub volume_encrypted: Option<bool>,
    /// The key it is encrypted with: an id, an alias or an ARN.
    #[serde(rename = "volumeKmsKeyID", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2048, examples("alias/nodes"))]
    pub volume_kms_key_id: Option<String>,
    /// Reads and writes a second.
    #[serde(rename = "volumeIOPS", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 100, maximum = 256_000, examples(3000))]
    pub volume_iops: Option<u32>,
    /// MiB a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 125, maximum = 2000, examples(125))]
    pub volume_throughput: Option<u32>,
    /// The snapshot that it begins with.
    #[serde(rename = "snapshotID", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("snap-0a1b2c3d4e5f60718"))]
    pub snapshot_id: Option<String>,
}
