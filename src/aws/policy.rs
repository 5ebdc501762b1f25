//! Session policies: what one kind of job may do, whatever the role allows.
//!
//! CloudFormation makes and deletes the resources of a stack with the rights of who asked for the
//! stack, so that the policies of such jobs hold the rights of what their templates contain. Actions
//! are named by what they are done to (`ec2:*NatGateway`) where the bound on policies asks for it.

use serde_json::{Value, json};

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Describe and list the profiles of a cluster.
    Read,
    /// Create profiles, with the stack of their role and with CoreDNS made to run on them, and read.
    CreateProfile,
    /// Delete profiles, and the stack of their role, and read.
    DeleteProfile,
    /// Describe and list clusters, with all that belongs to them.
    ReadClusters,
    /// Create a cluster with its network, roles, nodegroups and profiles.
    CreateCluster,
    /// Delete a cluster with all that was made for it.
    DeleteCluster,
}

impl Access {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::CreateProfile,
        Self::DeleteProfile,
        Self::ReadClusters,
        Self::CreateCluster,
        Self::DeleteCluster,
    ];

    /// Whether it changes nothing.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read | Self::ReadClusters)
    }
}

/// AWS's bound on a session policy, in characters.
pub const LONGEST_POLICY: usize = 2_048;

const READ: [&str; 3] = [
    "eks:DescribeCluster",
    "eks:DescribeFargateProfile",
    "eks:ListFargateProfiles",
];

/// A network with its gateways and security groups, and what nodes start from.
const MAKE_NETWORK: [&str; 12] = [
    "ec2:*Address",
    "ec2:*InternetGateway",
    "ec2:*LaunchTemplate*",
    "ec2:*NatGateway",
    "ec2:*Route",
    "ec2:*RouteTable",
    "ec2:*SecurityGroup*",
    "ec2:*Subnet*",
    "ec2:*Tags",
    "ec2:*Vpc",
    "ec2:ModifyVpcAttribute",
    "ec2:RunInstances",
];

/// The same, taken down.
const DELETE_NETWORK: [&str; 12] = [
    "ec2:DeleteInternetGateway",
    "ec2:DeleteLaunchTemplate",
    "ec2:DeleteNatGateway",
    "ec2:DeleteRoute*",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSubnet",
    "ec2:DeleteTags",
    "ec2:DeleteVpc",
    "ec2:DetachInternetGateway",
    "ec2:Disassociate*",
    "ec2:ReleaseAddress",
    "ec2:RevokeSecurityGroup*",
];

/// The policy of a session that works on one cluster.
#[must_use]
pub fn session_policy(
    access: Access,
    (partition, account_id, region): (&str, &str, &str),
    cluster: &str,
) -> String {
    let arns = Arns {
        partition,
        account_id,
        region,
        cluster,
    };
    let statements = match access {
        Access::Read => vec![allow(&READ, &arns.profiles())],
        Access::CreateProfile => create_profile(&arns),
        Access::DeleteProfile => delete_profile(&arns),
        Access::ReadClusters => read_clusters(&arns),
        Access::CreateCluster => create_cluster(&arns),
        Access::DeleteCluster => delete_cluster(&arns),
    };
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn create_profile(arns: &Arns<'_>) -> Vec<Value> {
    let addons = [
        arns.regional("eks", &format!("cluster/{}", arns.cluster)),
        arns.regional("eks", &format!("addon/{}/coredns/*", arns.cluster)),
    ];
    vec![
        allow(&READ, &arns.profiles()),
        allow(
            &["eks:CreateFargateProfile", "eks:TagResource"],
            &arns.profiles(),
        ),
        allow(&["eks:DescribeAddon", "eks:UpdateAddon"], &addons),
        // EKS checks that the caller may hand the role to the pods.
        allow(&["iam:GetRole", "iam:PassRole"], &[arns.iam("role/*")]),
        allow(
            &["iam:CreateServiceLinkedRole"],
            &[arns.iam("role/aws-service-role/eks-fargate.amazonaws.com/*")],
        ),
        allow(
            &["cloudformation:*Stack*", "cloudformation:TagResource"],
            &[arns.stack("*")],
        ),
        allow(&["iam:*Role", "iam:*RolePolic*"], &[arns.stack_role()]),
    ]
}

fn delete_profile(arns: &Arns<'_>) -> Vec<Value> {
    vec![
        allow(&READ, &arns.profiles()),
        allow(&["eks:DeleteFargateProfile"], &arns.profiles()),
        allow(
            &["cloudformation:Describe*", "cloudformation:DeleteStack"],
            &[arns.stack("*")],
        ),
        allow(
            &[
                "iam:DeleteRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:GetRole",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
            ],
            &[arns.stack_role()],
        ),
    ]
}

fn read_clusters(arns: &Arns<'_>) -> Vec<Value> {
    vec![
        allow(&["eks:Describe*", "eks:List*"], &arns.whole_cluster()),
        allow(&["cloudformation:Describe*"], &[arns.stack("*")]),
        allow(&["cloudformation:ListStacks", "eks:ListClusters"], &any()),
    ]
}

fn create_cluster(arns: &Arns<'_>) -> Vec<Value> {
    vec![
        allow(&["eks:*"], &arns.whole_cluster()),
        // These know no resource, or none that has a name beforehand.
        allow(
            &[
                "autoscaling:Describe*",
                "cloudformation:ListStacks",
                "ec2:Describe*",
                "eks:CreateCluster",
            ],
            &any(),
        ),
        allow(
            &["cloudformation:*Stack*", "cloudformation:TagResource"],
            &[arns.stack("*")],
        ),
        allow(&MAKE_NETWORK, &[arns.ec2()]),
        allow(&["autoscaling:*"], &[arns.groups()]),
        allow(
            &["iam:*InstanceProfile", "iam:*Role", "iam:*RolePolic*"],
            &[arns.stack_role(), arns.stack_instance_profile()],
        ),
        allow(&["iam:GetRole", "iam:PassRole"], &[arns.iam("role/*")]),
        allow(
            &["iam:CreateServiceLinkedRole"],
            &[arns.iam("role/aws-service-role/*")],
        ),
        allow(&["iam:*OpenIDConnectProvider"], &[arns.oidc_provider()]),
        // The images of nodes.
        allow(&["ssm:GetParameter*"], &[arns.node_images()]),
    ]
}

fn delete_cluster(arns: &Arns<'_>) -> Vec<Value> {
    vec![
        allow(
            &[
                "eks:Delete*",
                "eks:Describe*",
                "eks:Disassociate*",
                "eks:List*",
            ],
            &arns.whole_cluster(),
        ),
        allow(
            &[
                "autoscaling:Describe*",
                "cloudformation:ListStacks",
                "ec2:Describe*",
            ],
            &any(),
        ),
        allow(
            &["cloudformation:Describe*", "cloudformation:DeleteStack"],
            &[arns.stack("*")],
        ),
        allow(&DELETE_NETWORK, &[arns.ec2()]),
        allow(
            &[
                "autoscaling:DeleteAutoScalingGroup",
                "autoscaling:UpdateAutoScalingGroup",
            ],
            &[arns.groups()],
        ),
        allow(
            &[
                "iam:Delete*",
                "iam:Detach*",
                "iam:Get*",
                "iam:List*",
                "iam:Remove*",
            ],
            &[arns.stack_role(), arns.stack_instance_profile()],
        ),
        allow(
            &[
                "iam:DeleteOpenIDConnectProvider",
                "iam:GetOpenIDConnectProvider",
            ],
            &[arns.oidc_provider()],
        ),
    ]
}

/// The names of one cluster's things.
struct Arns<'a> {
    partition: &'a str,
    account_id: &'a str,
    region: &'a str,
    cluster: &'a str,
}

impl Arns<'_> {
    fn regional(&self, service: &str, name: &str) -> String {
        let (partition, region, account_id) = (self.partition, self.region, self.account_id);
        format!("arn:{partition}:{service}:{region}:{account_id}:{name}")
    }

    fn iam(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:{name}", self.partition, self.account_id)
    }

    fn profiles(&self) -> [String; 2] {
        let cluster = self.cluster;
        [
            self.regional("eks", &format!("cluster/{cluster}")),
            self.regional("eks", &format!("fargateprofile/{cluster}/*")),
        ]
    }

    /// Profiles, add-ons, nodegroups, access entries and the like too.
    fn whole_cluster(&self) -> [String; 2] {
        let cluster = self.cluster;
        [
            self.regional("eks", &format!("cluster/{cluster}")),
            self.regional("eks", &format!("*/{cluster}/*")),
        ]
    }

    fn stack(&self, rest: &str) -> String {
        let name = format!("stack/eksctl-{}-{rest}", self.cluster);
        self.regional("cloudformation", &name)
    }

    /// What the names of the stacks' roles begin with. CloudFormation shortens the stack's name in
    /// them, to 24 characters at worst.
    fn role_names(&self) -> String {
        const KEPT: usize = 24;
        let names = format!("eksctl-{}-", self.cluster);
        names.chars().take(KEPT).chain(['*']).collect()
    }

    fn stack_role(&self) -> String {
        self.iam(&format!("role/{}", self.role_names()))
    }

    fn stack_instance_profile(&self) -> String {
        self.iam(&format!("instance-profile/{}", self.role_names()))
    }

    /// The autoscaling groups of the nodegroups' stacks.
    fn groups(&self) -> String {
        let name = format!("*:autoScalingGroupName/{}", self.role_names());
        self.regional("autoscaling", &format!("autoScalingGroup:{name}"))
    }

    /// The networks and instances of the region, and the public images.
    fn ec2(&self) -> String {
        format!("arn:{}:ec2:{}:*", self.partition, self.region)
    }

    fn oidc_provider(&self) -> String {
        self.iam(&format!("oidc-provider/oidc.eks.{}.*", self.region))
    }

    fn node_images(&self) -> String {
        let (partition, region) = (self.partition, self.region);
        format!("arn:{partition}:ssm:{region}::parameter/aws/service/*")
    }
}

fn any() -> [String; 1] {
    ["*".to_owned()]
}

fn allow(actions: &[&str], resources: &[String]) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

#[cfg(test)]
mod tests;
