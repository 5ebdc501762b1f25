//! The policies that a role gets, as several sections name them.

use crate::domain::schema;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::ObjectBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Array, Object, Type};

/// What the ARN of a policy looks like.
pub(super) const POLICY_ARN: &str = "^arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::([0-9]{1,12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$";
/// What the ARN of a role looks like.
pub(super) const ROLE_ARN: &str =
    "^arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::[0-9]{1,12}:role/[A-Za-z0-9_+=,.@/-]+$";

/// Policies for what many clusters run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WellKnownPolicies {
    /// Pushing images to ECR, for builds.
    #[schema(nullable = false)]
    pub image_builder: Option<bool>,
    /// The cluster autoscaler.
    #[schema(nullable = false)]
    pub auto_scaler: Option<bool>,
    /// The AWS load balancer controller.
    #[schema(nullable = false)]
    pub aws_load_balancer_controller: Option<bool>,
    /// external-dns.
    #[serde(rename = "externalDNS")]
    #[schema(nullable = false)]
    pub external_dns: Option<bool>,
    /// cert-manager.
    #[schema(nullable = false)]
    pub cert_manager: Option<bool>,
    /// The controller of the EBS CSI driver.
    #[serde(rename = "ebsCSIController")]
    #[schema(nullable = false)]
    pub ebs_csi_controller: Option<bool>,
    /// The controller of the EFS CSI driver.
    #[serde(rename = "efsCSIController")]
    #[schema(nullable = false)]
    pub efs_csi_controller: Option<bool>,
}

/// ARNs of policies that a role gets.
pub(super) fn policy_arns() -> Array {
    schema::text_list(
        "ARNs of IAM policies that the role gets.",
        20,
        schema::text(2048, POLICY_ARN),
        json!(["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]),
    )
}

/// The ARN of a role that exists.
pub(super) fn role_arn() -> Object {
    arn(
        "The ARN of an IAM role that exists.",
        ROLE_ARN,
        "arn:aws:iam::111111111111:role/app",
    )
}

/// The ARN of a permissions boundary.
pub(super) fn boundary() -> Object {
    arn(
        "The permissions boundary of the role that is created; without it, the account's.",
        POLICY_ARN,
        "arn:aws:iam::111111111111:policy/boundary",
    )
}

fn arn(about: &str, pattern: &str, example: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .max_length(Some(2048))
        .pattern(Some(pattern))
        .examples([json!(example)])
        .build()
}

/// A policy written out.
pub(super) fn policy_document() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("An IAM policy that the role gets, written out."))
        .max_properties(Some(3))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .examples([json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]
        })])
        .build()
}
