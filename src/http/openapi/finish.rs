//! What all operations have in common.
pub(super) fn finish(_document: &mut serde_json::Value) {}
