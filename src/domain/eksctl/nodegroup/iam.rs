//! The role of nodes.

use crate::domain::schema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object};

/// The role of a nodegroup's nodes: one that exists, or what is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NodeGroupIAM)]
pub struct NodeGroupIam {
    /// A role that exists.
    #[serde(rename = "instanceRoleARN", skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("arn:aws:iam::111111111111:role/nodes")
    )]
    pub instance_role_arn: Option<String>,
    /// An instance profile that exists (`nodeGroups`).
    #[serde(rename = "instanceProfileARN", skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("arn:aws:iam::111111111111:instance-profile/nodes")
    )]
    pub instance_profile_arn: Option<String>,
    /// What the role that is made is called; CloudFormation chooses if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("prod-2-nodes"))]
    pub instance_role_name: Option<String>,
    /// The permissions boundary of the role of its nodes, which is created; without it, the
    /// account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub instance_role_permissions_boundary: Option<String>,
    /// Policies of the role that is made, in place of those that nodes need.
    #[serde(
        default,
        rename = "attachPolicyARNs",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schema(schema_with = policies)]
    pub attach_policy_arns: Vec<String>,
    /// One more policy of the role that is made: its document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = document)]
    pub attach_policy: Option<Map<String, Value>>,
    /// Policies for what runs on the nodes.
    #[serde(default, skip_serializing_if = "is_none_asked")]
    #[schema(nullable = false)]
    pub with_addon_policies: Option<NodeGroupIamAddonPolicies>,
}

#[expect(clippy::ref_option, reason = "serde hands it on so")]
fn is_none_asked(policies: &Option<NodeGroupIamAddonPolicies>) -> bool {
    policies.is_none()
}

/// Policies for what runs on the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NodeGroupIAMAddonPolicies)]
pub struct NodeGroupIamAddonPolicies {
    /// To push images to ECR, and not only pull them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub image_builder: Option<bool>,
    /// For the cluster autoscaler.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub auto_scaler: Option<bool>,
    /// For external-dns: all hosted zones of Route 53.
    #[serde(rename = "externalDNS", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub external_dns: Option<bool>,
    /// For cert-manager: DNS01 challenges in Route 53.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cert_manager: Option<bool>,
    /// For App Mesh.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub app_mesh: Option<bool>,
    /// For App Mesh's preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub app_mesh_preview: Option<bool>,
    /// For the EBS CSI driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ebs: Option<bool>,
    /// For the `FSx` for Lustre CSI driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fsx: Option<bool>,
    /// For the EFS CSI driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub efs: Option<bool>,
    /// For the AWS load balancer controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub aws_load_balancer_controller: Option<bool>,
    /// The former name of `awsLoadBalancerController`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub alb_ingress: Option<bool>,
    /// For X-Ray's daemon.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub x_ray: Option<bool>,
    /// For the `CloudWatch` agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cloud_watch: Option<bool>,
}

impl NodeGroupIamAddonPolicies {
    /// Each by its key, and whether it is asked for.
    #[must_use]
    pub fn all(&self) -> [(&'static str, bool); 13] {
        [
            ("imageBuilder", self.image_builder),
            ("autoScaler", self.auto_scaler),
            ("externalDNS", self.external_dns),
            ("certManager", self.cert_manager),
            ("appMesh", self.app_mesh),
            ("appMeshPreview", self.app_mesh_preview),
            ("ebs", self.ebs),
            ("fsx", self.fsx),
            ("efs", self.efs),
            (
                "awsLoadBalancerController",
                self.aws_load_balancer_controller,
            ),
            ("albIngress", self.alb_ingress),
            ("xRay", self.x_ray),
            ("cloudWatch", self.cloud_watch),
        ]
        .map(|(key, asked)| (key, asked.unwrap_or_default()))
    }
}

fn policies() -> Array {
    let about = "ARNs of policies, in place of those that nodes need: name those too.";
    let example = json!(["arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"]);
    schema::text_list(about, 20, schema::text(2048, ""), example)
}

fn document() -> Object {
    let about = "The document of a policy.";
    let statement = json!({"Effect": "Allow", "Action": ["s3:Get*"], "Resource": "*"});
    super::free(
        about,
        json!({"Version": "2012-10-17", "Statement": [statement]}),
    )
}
