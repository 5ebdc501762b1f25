//! Shapes that attributes can't say.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{AdditionalProperties, Object, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

use crate::domain::account::{MAX_LABEL_VALUE, MAX_LABELS};

/// The most members of an object that is free in its form.
const MOST_MEMBERS: usize = 1_000;

/// An object whose members are each operation's own.
pub(in crate::http) fn anything() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("What was asked, in the operation's own words."))
        .max_properties(Some(MOST_MEMBERS))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
        .examples([serde_json::json!({"name": "fp-dev"})])
        .build()
}

/// The state of an account that may be asked for; `parked` is what the service finds out.
pub(in crate::http) fn wanted_state() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(64))
        .extensions(Some(
            Extensions::builder()
                .add(
                    "x-extensible-enum",
                    serde_json::json!(["active", "disabled"]),
                )
                .build(),
        ))
        .examples(["active"])
        .build()
}

/// Labels of an account.
pub(in crate::http) fn labels() -> Object {
    let value: RefOr<Schema> = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(MAX_LABEL_VALUE))
        .pattern(Some(r"^[^\x00-\x1F\x7F-\x9F]*$"))
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
