//! OpenAPI shapes that attributes can't say: bounded maps and lists of bounded strings.

use utoipa::openapi::schema::{AdditionalProperties, Array, ArrayBuilder, Object, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

fn text(max_length: usize) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(max_length))
        .build()
}

fn text_map(about: &str, pairs: usize, value: usize, example: serde_json::Value) -> Object {
    let value: RefOr<Schema> = text(value).into();
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(about))
        .max_properties(Some(pairs))
        .additional_properties(Some(AdditionalProperties::RefOr(value)))
        .examples([example])
        .build()
}

fn text_list(about: &str, items: usize, length: usize, example: serde_json::Value) -> Array {
    ArrayBuilder::new()
        .description(Some(about))
        .max_items(Some(items))
        .items(text(length))
        .examples([example])
        .build()
}

/// Labels of a selector.
pub(super) fn labels() -> Object {
    let about = "Labels that the pod must carry, all of them; keys up to 317 characters, \
                 wildcards `*` and `?`.";
    text_map(about, 100, 63, serde_json::json!({"env": "dev"}))
}

/// Tags of an AWS resource.
pub(super) fn tags() -> Object {
    let about = "AWS tags; keys of 1 to 128 characters, without the prefix `aws:`.";
    text_map(about, 50, 256, serde_json::json!({"team": "payments"}))
}

/// Subnet ids.
pub(super) fn subnets() -> Array {
    let about = "Private subnets of the cluster's VPC. Without them EKS picks the cluster's.";
    text_list(
        about,
        100,
        64,
        serde_json::json!(["subnet-0a1b2c3d4e5f60718"]),
    )
}

/// Ids of ailing AWS resources.
pub(super) fn resource_ids() -> Array {
    text_list(
        "The AWS resources concerned.",
        100,
        2048,
        serde_json::json!(["subnet-0a1b2c3d"]),
    )
}

/// Annotations of a cluster.
pub(super) fn annotations() -> Object {
    let about = "Annotations of the cluster.";
    text_map(about, 100, 4096, serde_json::json!({"owner": "payments"}))
}

#[cfg(test)]
mod tests;
