//! OpenAPI shapes that attributes can't say: bounded maps and lists of bounded strings.

use utoipa::openapi::schema::{AdditionalProperties, Array, ArrayBuilder, Object, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

/// Neither whitespace nor control characters.
const VISIBLE: &str = r"^[^\s\x00-\x1F\x7F-\x9F]*$";
const SUBNET: &str = "^subnet-[0-9A-Za-z-]+$";
const ANY: &str = "";

pub(super) fn text(max_length: usize, pattern: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(max_length))
        .pattern((!pattern.is_empty()).then_some(pattern))
        .build()
}

pub(super) fn text_map(
    about: &str,
    pairs: usize,
    value: Object,
    example: serde_json::Value,
) -> Object {
    let value: RefOr<Schema> = value.into();
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(about))
        .max_properties(Some(pairs))
        .additional_properties(Some(AdditionalProperties::RefOr(value)))
        .examples([example])
        .build()
}

pub(super) fn text_list(
    about: &str,
    items: usize,
    item: Object,
    example: serde_json::Value,
) -> Array {
    ArrayBuilder::new()
        .description(Some(about))
        .max_items(Some(items))
        .items(item)
        .examples([example])
        .build()
}

/// Labels of a selector, as AWS has them.
pub(super) fn labels() -> Object {
    selector_labels(ANY)
}

/// Labels of a selector, as a caller may write them.
pub(super) fn new_labels() -> Object {
    selector_labels(VISIBLE)
}

fn selector_labels(pattern: &str) -> Object {
    let about = "Labels that the pod must carry, all of them; keys up to 127 characters, \
                 wildcards `*` and `?`.";
    text_map(
        about,
        100,
        text(63, pattern),
        serde_json::json!({"env": "dev"}),
    )
}

/// Tags of an AWS resource.
pub(super) fn tags() -> Object {
    let about = "AWS tags; keys of 1 to 128 characters, without the prefix `aws:`.";
    text_map(
        about,
        50,
        text(256, ANY),
        serde_json::json!({"team": "payments"}),
    )
}

/// Subnet ids, as AWS has them.
pub(super) fn subnets() -> Array {
    subnet_ids(ANY)
}

/// Subnet ids, as a caller may write them.
pub(super) fn new_subnets() -> Array {
    subnet_ids(SUBNET)
}

fn subnet_ids(pattern: &str) -> Array {
    let about = "Private subnets of the cluster's VPC. Without them EKS picks the cluster's.";
    text_list(
        about,
        100,
        text(64, pattern),
        serde_json::json!(["subnet-0a1b2c3d4e5f60718"]),
    )
}

/// Ids of ailing AWS resources.
pub(super) fn resource_ids() -> Array {
    text_list(
        "The AWS resources concerned.",
        100,
        text(2048, ANY),
        serde_json::json!(["subnet-0a1b2c3d"]),
    )
}

/// Annotations of a cluster.
pub(super) fn annotations() -> Object {
    let about = "Annotations of the cluster.";
    text_map(
        about,
        100,
        text(4096, ANY),
        serde_json::json!({"owner": "payments"}),
    )
}

#[cfg(test)]
mod tests;
