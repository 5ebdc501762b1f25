//! The 3.0.3 document, from the 3.1 one.
use serde_json::Value;
pub(super) fn convert(document: &Value) -> Value {
    document.clone()
}
