//! Session policies: what one kind of job may do, whatever the role allows.
//!
//! CloudFormation makes and deletes the resources of a stack with the rights of who asked for the
//! stack, so that the policies of such jobs hold the rights of what their templates contain.
//!
//! Policies are short: AWS takes 2,048 characters, and packs them into a space of its own measure. So
//! actions are named by what they are done to (`ec2:*NatGateway`), and the actions of several services
//! share a statement with the resources of all of them. That grants nothing more: an action of one
//! service never applies to a resource of another. An action that may be done to more resources of
//! its service than others (`iam:PassRole`) has a statement of its own.

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
    /// Describe and list clusters, with all that belongs to them, and what stands in their networks.
    ReadClusters,
    /// Create a cluster with its network, roles, nodegroups and profiles.
    CreateCluster,
    /// Delete a cluster with all that was made for it.
    DeleteCluster,
    /// Create, change and delete the access entries of a cluster, and read them.
    ManageAccess,
}

impl Access {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::CreateProfile,
        Self::DeleteProfile,
        Self::ReadClusters,
        Self::CreateCluster,
        Self::DeleteCluster,
        Self::ManageAccess,
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
const MAKE_NETWORK: [&str; 14] = [
    "ec2:*Address",
    "ec2:*InternetG*",
    "ec2:*KeyPair",
    "ec2:*LaunchT*",
    "ec2:*NatG*",
    "ec2:*PlacementG*",
    "ec2:*Route",
    "ec2:*RouteTable",
    "ec2:*SecurityG*",
    "ec2:*Subnet*",
    "ec2:*Tags",
    "ec2:*Vpc*",
    "ec2:*VpnG*",
    "ec2:RunInstances",
];

/// The deletion of such a network, and of what a cluster left in it.
const DELETE_NETWORK: [&str; 16] = [
    "ec2:Delete*InternetGateway",
    "ec2:DeleteKeyPair",
    "ec2:DeleteLaunchTemplate",
    "ec2:DeleteNatGateway",
    "ec2:DeleteNetworkInterface",
    "ec2:DeletePlacementGroup",
    "ec2:DeleteRoute*",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSubnet",
    "ec2:DeleteTags",
    "ec2:DeleteTransitGatewayVpc*",
    "ec2:DeleteVpc*",
    "ec2:Detach*Gateway",
    "ec2:Disassociate*",
    "ec2:ReleaseAddress",
    "ec2:RevokeSecurityGroup*",
];

/// The policy of a session that works on one cluster.
#[must_use]
pub fn session_policy(
    access: Access,
    (partition, account_id, region): (&str, &str, &str),
    (cluster, roles): (&str, &[String]),
) -> String {
    let arns = Arns {
        partition,
        account_id,
        region,
        cluster,
        roles,
    };
    let policy = policy_of(access, &arns);
    if policy.len() <= LONGEST_POLICY {
        return policy;
    }
    // Many names are too long for it: then the account's role alone bounds them.
    let any = ["*".to_owned()];
    policy_of(
        access,
        &Arns {
            roles: &any,
            ..arns
        },
    )
}

fn policy_of(access: Access, arns: &Arns<'_>) -> String {
    let statements = match access {
        Access::Read => vec![allow(&READ, &arns.profiles())],
        Access::CreateProfile => create_profile(arns),
        Access::DeleteProfile => delete_profile(arns),
        Access::ReadClusters => read_clusters(arns),
        Access::CreateCluster => create_cluster(arns),
        Access::DeleteCluster => delete_cluster(arns),
        Access::ManageAccess => manage_access(arns),
    };
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn create_profile(arns: &Arns<'_>) -> Vec<Value> {
    let actions = [
        "cloudformation:*",
        "eks:CreateFargateProfile",
        "eks:DescribeAddon",
        "eks:TagResource",
        "eks:UpdateAddon",
        "iam:*Role",
        "iam:*RoleP*",
    ];
    let [cluster, profiles] = arns.profiles();
    let coredns = arns.regional("eks", &format!("addon/{}/coredns/*", arns.cluster));
    let resources = [
        cluster,
        profiles,
        coredns,
        arns.stack("*"),
        arns.stack_role(),
    ];
    vec![
        allow(&[&READ, actions.as_slice()].concat(), &resources),
        // EKS looks for the subnets, and at their routes, with the rights of the caller.
        allow(&["ec2:DescribeRouteTables", "ec2:DescribeSubnets"], &any()),
        // EKS checks that the caller may hand the role to the pods, and looks at its own role.
        allow(&["iam:GetRole", "iam:PassRole"], &[arns.iam("role/*")]),
        allow(
            &["iam:CreateServiceLinkedRole"],
            &[arns.iam("role/aws-service-role/eks*")],
        ),
    ]
}

fn delete_profile(arns: &Arns<'_>) -> Vec<Value> {
    let actions = [
        "cloudformation:DeleteStack",
        "cloudformation:Describe*",
        "cloudformation:UpdateTerminationProtection",
        "eks:DeleteFargateProfile",
        "iam:DeleteRole*",
        "iam:DetachRolePolicy",
        "iam:GetRole*",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
    ];
    let [cluster, profiles] = arns.profiles();
    let resources = [cluster, profiles, arns.stack("*"), arns.stack_role()];
    vec![allow(&[&READ, actions.as_slice()].concat(), &resources)]
}

fn read_clusters(arns: &Arns<'_>) -> Vec<Value> {
    let [cluster, parts] = arns.whole_cluster();
    vec![
        allow(
            &[
                "cloudformation:Describe*",
                "eks:Describe*",
                "eks:List*",
                "iam:GetOpenIDConnectProvider",
            ],
            &[cluster, parts, arns.stack("*"), arns.oidc_provider()],
        ),
        allow(
            &[
                "autoscaling:Describe*",
                "cloudformation:List*",
                "ec2:Describe*",
                "eks:Describe*Versions",
                "eks:ListClusters",
                "elasticloadbalancing:Describe*",
            ],
            &any(),
        ),
    ]
}

fn create_cluster(arns: &Arns<'_>) -> Vec<Value> {
    let actions = [
        "autoscaling:*",
        "cloudformation:*",
        "eks:*",
        "iam:*InstanceP*",
        "iam:*OpenID*",
        "iam:*Role",
        "iam:*RoleP*",
        // The key for Secrets.
        "kms:CreateGrant",
        "kms:DescribeKey",
        "logs:PutRet*",
        // The images of nodes.
        "ssm:GetParameter*",
    ];
    let [cluster, parts] = arns.whole_cluster();
    let resources = [
        cluster,
        parts,
        arns.stack("*"),
        arns.groups(),
        arns.stack_role(),
        arns.stack_instance_profile(),
        arns.oidc_provider(),
        arns.ec2(),
        arns.keys(),
        arns.logs(),
        arns.node_images(),
    ];
    vec![
        allow(
            &[actions.as_slice(), MAKE_NETWORK.as_slice()].concat(),
            &arns.with_named_roles(&resources),
        ),
        // These know no resource, or none that has a name beforehand.
        allow(
            &[
                "autoscaling:Describe*",
                "cloudformation:ListStacks",
                "ec2:Describe*",
                "eks:CreateCluster",
                "eks:Describe*Versions",
                "eks:DescribeAddonC*",
            ],
            &any(),
        ),
        // Given roles, and those of AWS's services.
        allow(
            &[
                "iam:CreateServiceLinkedRole",
                "iam:GetRole",
                "iam:ListAttachedRolePolicies",
                "iam:PassRole",
            ],
            &[arns.iam("role/*")],
        ),
    ]
}

fn delete_cluster(arns: &Arns<'_>) -> Vec<Value> {
    let actions = [
        "autoscaling:Delete*",
        "autoscaling:Update*",
        "cloudformation:DeleteStack",
        "cloudformation:Describe*",
        "cloudformation:UpdateTerminationProtection",
        "eks:Delete*",
        "eks:Describe*",
        "eks:Disassociate*",
        "eks:List*",
        "eks:UpdateClusterConfig",
        "iam:Delete*",
        "iam:Detach*",
        "iam:Get*",
        "iam:List*",
        "iam:Remove*",
    ];
    let [cluster, parts] = arns.whole_cluster();
    let resources = [
        cluster,
        parts,
        arns.stack("*"),
        arns.groups(),
        arns.stack_role(),
        arns.stack_instance_profile(),
        arns.oidc_provider(),
        arns.ec2(),
    ];
    vec![
        allow(
            &[actions.as_slice(), DELETE_NETWORK.as_slice()].concat(),
            &arns.with_named_roles(&resources),
        ),
        allow(
            &[
                "autoscaling:Describe*",
                "cloudformation:List*",
                "ec2:Describe*",
                "elasticloadbalancing:Describe*",
            ],
            &any(),
        ),
    ]
}

fn manage_access(arns: &Arns<'_>) -> Vec<Value> {
    let [cluster, _] = arns.profiles();
    let entries = arns.regional("eks", &format!("access-entry/{}/*", arns.cluster));
    vec![allow(
        &[
            "eks:*AccessEntr*",
            "eks:*AccessPolic*",
            "eks:DescribeCluster",
            "eks:TagResource",
            "eks:UntagResource",
        ],
        &[cluster, entries],
    )]
}

/// The names of one cluster's things.
struct Arns<'a> {
    partition: &'a str,
    account_id: &'a str,
    region: &'a str,
    cluster: &'a str,
    /// Roles with names of their own.
    roles: &'a [String],
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

    /// What the names of the stacks' roles begin with.
    fn role_names(&self) -> String {
        format!("{}*", generated_role_prefix(self.cluster))
    }

    fn stack_role(&self) -> String {
        self.iam(&format!("role/{}", self.role_names()))
    }

    fn with_named_roles(&self, resources: &[String]) -> Vec<String> {
        let named = self
            .roles
            .iter()
            .map(|name| self.iam(&format!("role/{name}")));
        resources.iter().cloned().chain(named).collect()
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

    /// The KMS keys of the region, in whatever account.
    fn keys(&self) -> String {
        format!("arn:{}:kms:{}:*:key/*", self.partition, self.region)
    }

    /// The log groups of control planes whose names begin as the cluster's does: a long name does not fit.
    fn logs(&self) -> String {
        const KEPT: usize = 20;
        let name: String = format!("{}/", self.cluster).chars().take(KEPT).collect();
        format!("arn:{}:logs:*:*:*:/aws/eks/{name}*", self.partition)
    }

    fn node_images(&self) -> String {
        format!("arn:{}:ssm:*::parameter/aws/service/*", self.partition)
    }
}

/// What the names of the roles of a cluster's stacks begin with, unless their templates name them.
/// `CloudFormation` shortens the stack's name in them, to 24 characters at worst.
#[must_use]
pub fn generated_role_prefix(cluster: &str) -> String {
    const KEPT: usize = 24;
    format!("eksctl-{cluster}-").chars().take(KEPT).collect()
}

fn any() -> [String; 1] {
    ["*".to_owned()]
}

fn allow(actions: &[&str], resources: &[String]) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

#[cfg(test)]
mod tests;
