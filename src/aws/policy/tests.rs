use super::Access::{
    CreateCluster, CreateProfile, DeleteCluster, DeleteProfile, ManageAccess, Read, ReadClusters,
};
use super::*;

const PLACE: (&str, &str, &str) = ("aws", "111111111111", "eu-west-1");
const GROUP: &str =
    "autoscaling:autoScalingGroup:1:autoScalingGroupName/eksctl-prod-nodegroup-ng-1-NodeGroup-1";
const INSTANCE_PROFILE: &str =
    "iam:instance-profile/eksctl-prod-nodegroup-ng-1-NodeInstanceProfile-1";
const ISSUER: &str = "iam:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/1";
const PROFILE: &str = "eks:fargateprofile/prod/fp/1";
const ROLE: &str = "iam:role/eksctl-prod-fargate-FargatePodExecutionRole-1";
const ENTRY: &str = "eks:access-entry/prod/role/111111111111/admin/1";
const SERVICE_ROLE: &str =
    "iam:role/aws-service-role/eks-fargate.amazonaws.com/AWSServiceRoleForAmazonEKSForFargate";
const STACK: &str = "cloudformation:stack/eksctl-prod-fargate/1";

/// What the steps of each kind do, and to what.
const NEEDED: &[(Access, &str, &str)] = &[
    (Read, "eks:DescribeFargateProfile", PROFILE),
    (
        CreateProfile,
        "eks:CreateFargateProfile",
        "eks:cluster/prod",
    ),
    (CreateProfile, "eks:UpdateAddon", "eks:addon/prod/coredns/1"),
    (
        CreateProfile,
        "eks:DescribeAddon",
        "eks:addon/prod/coredns/1",
    ),
    (CreateProfile, "cloudformation:CreateStack", STACK),
    (CreateProfile, "cloudformation:DescribeStacks", STACK),
    (CreateProfile, "iam:CreateRole", ROLE),
    (CreateProfile, "iam:AttachRolePolicy", ROLE),
    (CreateProfile, "iam:PassRole", "iam:role/given"),
    (CreateProfile, "iam:GetRole", SERVICE_ROLE),
    (CreateProfile, "iam:CreateServiceLinkedRole", SERVICE_ROLE),
    (CreateProfile, "ec2:DescribeSubnets", "*"),
    (CreateProfile, "ec2:DescribeRouteTables", "*"),
    (
        CreateProfile,
        "cloudformation:UpdateTerminationProtection",
        STACK,
    ),
    (DeleteProfile, "eks:DeleteFargateProfile", PROFILE),
    (
        DeleteProfile,
        "cloudformation:UpdateTerminationProtection",
        STACK,
    ),
    (DeleteProfile, "cloudformation:DeleteStack", STACK),
    (DeleteProfile, "iam:DeleteRole", ROLE),
    (DeleteProfile, "iam:DetachRolePolicy", ROLE),
    (ReadClusters, "eks:ListClusters", "*"),
    (ReadClusters, "iam:GetOpenIDConnectProvider", ISSUER),
    (
        ReadClusters,
        "eks:DescribeNodegroup",
        "eks:nodegroup/prod/ng-1/1",
    ),
    (ReadClusters, "cloudformation:DescribeStacks", STACK),
    (CreateCluster, "eks:CreateCluster", "eks:cluster/prod"),
    (CreateCluster, "eks:CreateNodegroup", "eks:cluster/prod"),
    (
        CreateCluster,
        "eks:DescribeNodegroup",
        "eks:nodegroup/prod/ng-1/1",
    ),
    (CreateCluster, "eks:CreateAddon", "eks:cluster/prod"),
    (CreateCluster, "ec2:DescribeAvailabilityZones", "*"),
    (CreateCluster, "ec2:CreateVpc", "ec2:vpc/v"),
    (CreateCluster, "ec2:ModifySubnetAttribute", "ec2:subnet/s"),
    (CreateCluster, "ec2:CreateNatGateway", "ec2:natgateway/n"),
    (CreateCluster, "ec2:AllocateAddress", "ec2:elastic-ip/e"),
    (
        CreateCluster,
        "ec2:AssociateRouteTable",
        "ec2:route-table/r",
    ),
    (
        CreateCluster,
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:security-group/g",
    ),
    (
        CreateCluster,
        "ec2:CreateLaunchTemplate",
        "ec2:launch-template/l",
    ),
    (
        CreateCluster,
        "ec2:RunInstances",
        "arn:aws:ec2:eu-west-1::image/ami-1",
    ),
    (CreateCluster, "autoscaling:CreateAutoScalingGroup", GROUP),
    (
        CreateCluster,
        "iam:AddRoleToInstanceProfile",
        INSTANCE_PROFILE,
    ),
    (CreateCluster, "iam:CreateOpenIDConnectProvider", ISSUER),
    (CreateCluster, "iam:TagOpenIDConnectProvider", ISSUER),
    (
        CreateCluster,
        "ssm:GetParameters",
        "arn:aws:ssm:eu-west-1::parameter/aws/service/eks/x",
    ),
    (CreateCluster, "eks:CreateAccessEntry", "eks:cluster/prod"),
    (CreateCluster, "eks:AssociateAccessPolicy", ENTRY),
    (CreateCluster, "eks:DescribeClusterVersions", "*"),
    (CreateCluster, "eks:DescribeAddonVersions", "*"),
    (CreateCluster, "eks:DescribeAddonConfiguration", "*"),
    (
        CreateCluster,
        "eks:CreatePodIdentityAssociation",
        "eks:cluster/prod",
    ),
    (
        CreateCluster,
        "eks:DescribePodIdentityAssociation",
        "eks:podidentityassociation/prod/a-1",
    ),
    (
        CreateCluster,
        "eks:AssociateIdentityProviderConfig",
        "eks:cluster/prod",
    ),
    (CreateCluster, "iam:PutRolePolicy", ROLE),
    (
        CreateCluster,
        "logs:PutRetentionPolicy",
        "logs:log-group:/aws/eks/prod/cluster:*",
    ),
    (CreateCluster, "eks:CreateCapability", "eks:cluster/prod"),
    (
        CreateCluster,
        "eks:DescribeCapability",
        "eks:capability/prod/ack/ack-capability/1",
    ),
    (CreateCluster, "ec2:DescribeInstanceTypeOfferings", "*"),
    (
        CreateCluster,
        "cloudformation:UpdateTerminationProtection",
        STACK,
    ),
    (CreateCluster, "iam:GetRole", SERVICE_ROLE),
    (CreateCluster, "iam:CreateServiceLinkedRole", SERVICE_ROLE),
    (
        CreateCluster,
        "iam:ListAttachedRolePolicies",
        "iam:role/given-service",
    ),
    (DeleteCluster, "eks:DeleteCluster", "eks:cluster/prod"),
    (DeleteCluster, "eks:UpdateClusterConfig", "eks:cluster/prod"),
    (
        DeleteCluster,
        "cloudformation:UpdateTerminationProtection",
        STACK,
    ),
    (
        DeleteCluster,
        "elasticloadbalancing:DescribeLoadBalancers",
        "*",
    ),
    (
        DeleteCluster,
        "ec2:DeleteNetworkInterface",
        "ec2:network-interface/eni-1",
    ),
    (
        DeleteCluster,
        "ec2:DeleteSecurityGroup",
        "ec2:security-group/sg-1",
    ),
    (
        DeleteCluster,
        "eks:DeleteNodegroup",
        "eks:nodegroup/prod/ng-1/1",
    ),
    (DeleteCluster, "eks:ListCapabilities", "eks:cluster/prod"),
    (
        DeleteCluster,
        "eks:DeleteCapability",
        "eks:capability/prod/ack/ack-capability/1",
    ),
    (DeleteCluster, "cloudformation:DeleteStack", STACK),
    (DeleteCluster, "cloudformation:ListStacks", "*"),
    (DeleteCluster, "cloudformation:ListImports", "*"),
    (DeleteCluster, "ec2:DeleteRouteTable", "ec2:route-table/r"),
    (
        DeleteCluster,
        "ec2:RevokeSecurityGroupIngress",
        "ec2:security-group/g",
    ),
    (DeleteCluster, "autoscaling:DeleteAutoScalingGroup", GROUP),
    (DeleteCluster, "iam:DeleteRole", ROLE),
    (
        DeleteCluster,
        "iam:RemoveRoleFromInstanceProfile",
        INSTANCE_PROFILE,
    ),
    (DeleteCluster, "iam:DeleteOpenIDConnectProvider", ISSUER),
    (ManageAccess, "eks:DescribeCluster", "eks:cluster/prod"),
    (ManageAccess, "eks:CreateAccessEntry", "eks:cluster/prod"),
    (ManageAccess, "eks:ListAccessEntries", "eks:cluster/prod"),
    (ManageAccess, "eks:DescribeAccessEntry", ENTRY),
    (ManageAccess, "eks:UpdateAccessEntry", ENTRY),
    (ManageAccess, "eks:DeleteAccessEntry", ENTRY),
    (ManageAccess, "eks:AssociateAccessPolicy", ENTRY),
    (ManageAccess, "eks:DisassociateAccessPolicy", ENTRY),
    (ManageAccess, "eks:ListAssociatedAccessPolicies", ENTRY),
    (ManageAccess, "eks:TagResource", ENTRY),
    (ManageAccess, "eks:UntagResource", ENTRY),
];

/// What no kind may do on cluster prod in eu-west-1.
const FORBIDDEN: &[(&str, &str)] = &[
    ("eks:DescribeCluster", "eks:cluster/other"),
    ("eks:DeleteCluster", "eks:cluster/other"),
    ("eks:DeleteFargateProfile", "eks:fargateprofile/other/fp/1"),
    ("eks:UpdateAddon", "eks:addon/other/coredns/1"),
    (
        "cloudformation:CreateStack",
        "cloudformation:stack/eksctl-other-cluster/1",
    ),
    (
        "cloudformation:DeleteStack",
        "cloudformation:stack/something/1",
    ),
    ("iam:CreateRole", "iam:role/admin"),
    (
        "iam:AttachRolePolicy",
        "iam:role/eksctl-other-cluster-ServiceRole-1",
    ),
    ("iam:DeleteRole", "iam:role/admin"),
    ("iam:CreateUser", "iam:user/somebody"),
    (
        "eks:DeleteAccessEntry",
        "eks:access-entry/other/role/111111111111/admin/1",
    ),
    (
        "cloudformation:UpdateTerminationProtection",
        "cloudformation:stack/eksctl-other-cluster/1",
    ),
    ("iam:AttachRolePolicy", SERVICE_ROLE),
    ("ec2:DeleteVpc", "arn:aws:ec2:us-east-1:111111111111:vpc/v"),
    ("ec2:TerminateInstances", "ec2:instance/i"),
    (
        "logs:PutRetentionPolicy",
        "logs:log-group:/aws/eks/other/cluster:*",
    ),
    (
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:loadbalancer/net/a/1",
    ),
];

/// `iam:role/x` in full.
fn arn(short: &str) -> String {
    let (_, account_id, region) = PLACE;
    match short.split_once(':') {
        None | Some(("arn", _)) => short.to_owned(),
        Some(("iam", rest)) => format!("arn:aws:iam::{account_id}:{rest}"),
        Some((service, rest)) => format!("arn:aws:{service}:{region}:{account_id}:{rest}"),
    }
}

/// Whether a policy has a statement for it.
fn allows(policy: &str, action: &str, resource: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let any = |patterns: &Value, text: &str| {
        let one = std::slice::from_ref(patterns);
        let patterns = patterns.as_array().map_or(one, Vec::as_slice);
        patterns
            .iter()
            .map(|pattern| pattern.as_str().unwrap())
            .any(|pattern| matches(pattern, text))
    };
    let statements = policy["Statement"].as_array().unwrap().iter();
    statements
        .filter(|statement| any(&statement["Action"], action))
        .any(|statement| any(&statement["Resource"], resource))
}

/// `*` is any number of any characters, as in IAM.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    text.strip_prefix(head).is_some_and(|tail| {
        (0..=tail.len())
            .filter(|at| tail.is_char_boundary(*at))
            .any(|at| matches(rest, &tail[at..]))
    })
}

/// The longest names of regions, by partition.
const LONGEST_REGIONS: [(&str, &str); 8] = [
    ("aws", "ap-northeast-3"),
    ("aws-cn", "cn-northwest-1"),
    ("aws-us-gov", "us-gov-west-1"),
    ("aws-eusc", "eusc-de-east-1"),
    ("aws-iso", "us-iso-east-1"),
    ("aws-iso-b", "us-isob-east-1"),
    ("aws-iso-e", "eu-isoe-west-1"),
    ("aws-iso-f", "us-isof-south-1"),
];

#[test]
fn the_longest_policies_leave_a_tenth_of_aws_bound_free() {
    let cluster = "c".repeat(100);
    for (partition, region) in LONGEST_REGIONS {
        for access in Access::ALL {
            let place = (partition, "123456789012", region);
            let length = session_policy(access, place, (&cluster, &[])).len();
            assert!(
                length * 10 <= LONGEST_POLICY * 9,
                "{access:?} {partition}: {length}"
            );
        }
    }
}

#[test]
fn reads_cannot_write() {
    for access in Access::ALL.into_iter().filter(|access| access.is_read()) {
        let policy = session_policy(access, PLACE, ("prod", &[]));
        let policy = policy.replace("\"iam:Get", "");
        for word in [
            "Create",
            "Delete",
            "Update",
            "\"iam:",
            "Associate",
            "\"eks:*\"",
        ] {
            assert!(!policy.contains(word), "{access:?} may {word}");
        }
    }
}

#[test]
fn each_kind_may_do_what_its_steps_do() {
    for (access, action, resource) in NEEDED {
        let policy = session_policy(*access, PLACE, ("prod", &[]));
        assert!(
            allows(&policy, action, &arn(resource)),
            "{access:?} {action} {resource}"
        );
    }
}

#[test]
fn no_kind_may_touch_another_cluster_or_other_roles() {
    for access in Access::ALL {
        let policy = session_policy(access, PLACE, ("prod", &[]));
        for (action, resource) in FORBIDDEN {
            assert!(
                !allows(&policy, action, &arn(resource)),
                "{access:?} {action} {resource}"
            );
        }
    }
}

#[test]
fn deletions_make_nothing() {
    for access in [Access::DeleteProfile, Access::DeleteCluster] {
        let policy = session_policy(access, PLACE, ("prod", &[]));
        assert!(!policy.contains("Create") && !policy.contains("PassRole"));
    }
}

#[test]
fn the_roles_of_a_long_named_clusters_stacks_are_among_its_own() {
    // CloudFormation's name of the role of stack eksctl-<28 characters>-fargate.
    let cluster = "fargate-example-cluster-emea";
    let role = arn("iam:role/eksctl-fargate-example-cluste-FargatePodExecutionRole-1AB2CD3EF4GH");
    let policy = session_policy(Access::CreateProfile, PLACE, (cluster, &[]));
    assert!(allows(&policy, "iam:CreateRole", &role));
}

#[test]
fn the_role_that_the_documentation_asks_for_can_do_all_of_it() {
    let page = include_str!("../../../docs/accounts.md");
    let blocks = page.split("```json\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let policies: Vec<&str> = blocks
        .filter(|block| block.contains("\"Sid\"") && block.contains("\"Resource\""))
        .collect();
    assert_eq!(policies.len(), 2, "the role's own, and that for clusters");
    for (access, action, resource) in NEEDED {
        let resource = resource
            .replace("role/given-service", "role/eks-cluster-service")
            .replace("role/given", "role/fargate-pod-execution");
        let granted = policies
            .iter()
            .any(|policy| allows(policy, action, &arn(&resource)));
        assert!(granted, "{access:?}: {action} on {resource}");
    }
}

#[test]
fn roles_with_names_of_their_own_are_those_that_are_named() {
    let named = ["app".to_owned()];
    for access in [CreateCluster, DeleteCluster] {
        let policy = session_policy(access, PLACE, ("prod", &named));
        let may = |role: &str| allows(&policy, "iam:DeleteRole", &arn(role));
        assert!(may("iam:role/app") && !may("iam:role/admin"), "{access:?}");
    }
    let many: Vec<String> = (0..100).map(|i| format!("{i:a<64}")).collect();
    let policy = session_policy(CreateCluster, PLACE, ("prod", &many));
    assert!(policy.len() <= LONGEST_POLICY);
    assert!(allows(&policy, "iam:CreateRole", &arn("iam:role/x")));
}
