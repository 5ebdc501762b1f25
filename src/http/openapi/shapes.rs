//! Shapes that attributes can't say.

use utoipa::openapi::schema::{AdditionalProperties, Object, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

use crate::domain::account::{MAX_LABEL_VALUE, MAX_LABELS};

/// Labels of an account.
pub(in crate::http) fn labels() -> Object {
    let value: RefOr<Schema> = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(MAX_LABEL_VALUE))
        .build()
        .into();
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Labels, free to use; keys of 1 to 63 characters."))
        .max_properties(Some(MAX_LABELS))
        .additional_properties(Some(AdditionalProperties::RefOr(value)))
        .examples([serde_json::json!({"team": "payments"})])
        .build()
}
