//! The types of resources that stacks can hold: how long each takes, what it needs to be allowed,
//! and what can be asked of it.

/// One type.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sim) struct Kind {
    pub name: &'static str,
    /// What whoever creates or deletes the stack must be allowed.
    pub create: &'static str,
    pub delete: &'static str,
    /// How long it takes at AWS.
    pub create_seconds: u64,
    pub delete_seconds: u64,
    pub id: Id,
    /// What `Fn::GetAtt` knows.
    pub attributes: &'static [&'static str],
}

/// How physical ids look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Id {
    /// The prefix and 16 hexadecimal digits.
    Hex(&'static str),
    /// The value of this property; the stack's name, the logical id and something random without it.
    Named(&'static str),
}

impl Kind {
    pub(in crate::sim) fn find(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    pub(in crate::sim) fn is_iam(&self) -> bool {
        self.name.starts_with("AWS::IAM::")
    }

    /// The property by which a template names it, so that it takes `CAPABILITY_NAMED_IAM`.
    pub(in crate::sim) fn name_property(&self) -> Option<&'static str> {
        match self.id {
            Id::Named(property) if !property.is_empty() => Some(property),
            _ => None,
        }
    }
}

const fn kind(
    name: &'static str,
    (create, delete): (&'static str, &'static str),
    (create_seconds, delete_seconds): (u64, u64),
    id: Id,
    attributes: &'static [&'static str],
) -> Kind {
    Kind {
        name,
        create,
        delete,
        create_seconds,
        delete_seconds,
        id,
        attributes,
    }
}

pub(super) const KINDS: &[Kind] = &[
    kind(
        "AWS::EC2::VPC",
        ("ec2:CreateVpc", "ec2:DeleteVpc"),
        (12, 3),
        Id::Hex("vpc-0"),
        &[
            "VpcId",
            "CidrBlock",
            "DefaultSecurityGroup",
            "Ipv6CidrBlocks",
        ],
    ),
    kind(
        "AWS::EC2::VPCCidrBlock",
        ("ec2:AssociateVpcCidrBlock", "ec2:DisassociateVpcCidrBlock"),
        (10, 5),
        Id::Hex("vpc-cidr-assoc-0"),
        &["Id", "Ipv6CidrBlock"],
    ),
    kind(
        "AWS::EC2::SubnetCidrBlock",
        (
            "ec2:AssociateSubnetCidrBlock",
            "ec2:DisassociateSubnetCidrBlock",
        ),
        (5, 5),
        Id::Hex("subnet-cidr-assoc-0"),
        &["Id"],
    ),
    kind(
        "AWS::EC2::VPCEndpoint",
        ("ec2:CreateVpcEndpoint", "ec2:DeleteVpcEndpoints"),
        (120, 120),
        Id::Hex("vpce-0"),
        &["Id"],
    ),
    kind(
        "AWS::EC2::EgressOnlyInternetGateway",
        (
            "ec2:CreateEgressOnlyInternetGateway",
            "ec2:DeleteEgressOnlyInternetGateway",
        ),
        (10, 3),
        Id::Hex("eigw-0"),
        &["Id"],
    ),
    kind(
        "AWS::EC2::TransitGatewayAttachment",
        (
            "ec2:CreateTransitGatewayVpcAttachment",
            "ec2:DeleteTransitGatewayVpcAttachment",
        ),
        (60, 60),
        Id::Hex("tgw-attach-0"),
        &["Id"],
    ),
    kind(
        "AWS::EC2::Subnet",
        ("ec2:CreateSubnet", "ec2:DeleteSubnet"),
        (5, 3),
        Id::Hex("subnet-0"),
        &["SubnetId", "AvailabilityZone", "VpcId", "CidrBlock"],
    ),
    kind(
        "AWS::EC2::InternetGateway",
        ("ec2:CreateInternetGateway", "ec2:DeleteInternetGateway"),
        (15, 3),
        Id::Hex("igw-0"),
        &["InternetGatewayId"],
    ),
    kind(
        "AWS::EC2::VPCGatewayAttachment",
        ("ec2:AttachInternetGateway", "ec2:DetachInternetGateway"),
        (15, 3),
        Id::Named(""),
        &[],
    ),
    kind(
        "AWS::EC2::EIP",
        ("ec2:AllocateAddress", "ec2:ReleaseAddress"),
        (15, 3),
        Id::Named(""),
        &["AllocationId", "PublicIp"],
    ),
    kind(
        "AWS::EC2::NatGateway",
        ("ec2:CreateNatGateway", "ec2:DeleteNatGateway"),
        (100, 60),
        Id::Hex("nat-0"),
        &["NatGatewayId"],
    ),
    kind(
        "AWS::EC2::RouteTable",
        ("ec2:CreateRouteTable", "ec2:DeleteRouteTable"),
        (10, 3),
        Id::Hex("rtb-0"),
        &["RouteTableId"],
    ),
    kind(
        "AWS::EC2::Route",
        ("ec2:CreateRoute", "ec2:DeleteRoute"),
        (3, 3),
        Id::Named(""),
        &[],
    ),
    kind(
        "AWS::EC2::SubnetRouteTableAssociation",
        ("ec2:AssociateRouteTable", "ec2:DisassociateRouteTable"),
        (3, 3),
        Id::Hex("rtbassoc-0"),
        &["Id"],
    ),
    kind(
        "AWS::EC2::SecurityGroup",
        ("ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup"),
        (6, 3),
        Id::Hex("sg-0"),
        &["GroupId", "Id", "VpcId"],
    ),
    kind(
        "AWS::EC2::SecurityGroupIngress",
        (
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupIngress",
        ),
        (3, 3),
        Id::Hex("sgr-0"),
        &["Id"],
    ),
    kind(
        "AWS::EC2::SecurityGroupEgress",
        (
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupEgress",
        ),
        (3, 3),
        Id::Hex("sgr-0"),
        &["Id"],
    ),
    kind(
        "AWS::EC2::LaunchTemplate",
        ("ec2:CreateLaunchTemplate", "ec2:DeleteLaunchTemplate"),
        (5, 3),
        Id::Hex("lt-0"),
        &[
            "LaunchTemplateId",
            "LatestVersionNumber",
            "DefaultVersionNumber",
        ],
    ),
    kind(
        "AWS::EC2::KeyPair",
        ("ec2:ImportKeyPair", "ec2:DeleteKeyPair"),
        (3, 3),
        Id::Named("KeyName"),
        &["KeyPairId", "KeyFingerprint"],
    ),
    kind(
        "AWS::EC2::PlacementGroup",
        ("ec2:CreatePlacementGroup", "ec2:DeletePlacementGroup"),
        (3, 3),
        Id::Named(""),
        &["GroupName"],
    ),
    kind(
        "AWS::IAM::Role",
        ("iam:CreateRole", "iam:DeleteRole"),
        (25, 3),
        Id::Named("RoleName"),
        &["Arn", "RoleId"],
    ),
    kind(
        "AWS::IAM::Policy",
        ("iam:PutRolePolicy", "iam:DeleteRolePolicy"),
        (10, 3),
        Id::Named(""),
        &["Id"],
    ),
    kind(
        "AWS::IAM::ManagedPolicy",
        ("iam:CreatePolicy", "iam:DeletePolicy"),
        (10, 3),
        Id::Named("ManagedPolicyName"),
        &["PolicyArn"],
    ),
    kind(
        "AWS::IAM::InstanceProfile",
        ("iam:CreateInstanceProfile", "iam:DeleteInstanceProfile"),
        (60, 3),
        Id::Named("InstanceProfileName"),
        &["Arn"],
    ),
    kind(
        "AWS::EKS::Cluster",
        ("eks:CreateCluster", "eks:DeleteCluster"),
        (640, 150),
        Id::Named("Name"),
        &[
            "Arn",
            "CertificateAuthorityData",
            "ClusterSecurityGroupId",
            "Endpoint",
            "Id",
            "OpenIdConnectIssuerUrl",
        ],
    ),
    kind(
        "AWS::EKS::Nodegroup",
        ("eks:CreateNodegroup", "eks:DeleteNodegroup"),
        (150, 120),
        Id::Named(""),
        &["Arn", "ClusterName", "Id", "NodegroupName"],
    ),
    kind(
        "AWS::EKS::Addon",
        ("eks:CreateAddon", "eks:DeleteAddon"),
        (40, 20),
        Id::Named(""),
        &["Arn"],
    ),
    kind(
        "AWS::EKS::Capability",
        ("eks:CreateCapability", "eks:DeleteCapability"),
        (120, 300),
        Id::Named(""),
        &["Arn", "Version"],
    ),
    kind(
        "AWS::EKS::AccessEntry",
        ("eks:CreateAccessEntry", "eks:DeleteAccessEntry"),
        (5, 5),
        Id::Named(""),
        &["AccessEntryArn"],
    ),
    kind(
        "AWS::AutoScaling::AutoScalingGroup",
        (
            "autoscaling:CreateAutoScalingGroup",
            "autoscaling:DeleteAutoScalingGroup",
        ),
        (120, 120),
        Id::Named("AutoScalingGroupName"),
        &["AutoScalingGroupARN"],
    ),
    kind(
        "AWS::CloudFormation::WaitConditionHandle",
        ("cloudformation:CreateStack", "cloudformation:DeleteStack"),
        (1, 1),
        Id::Named(""),
        &[],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_once_by_their_names() {
        for kind in KINDS {
            assert_eq!(Kind::find(kind.name), Some(kind));
            assert!(kind.create.contains(':') && kind.delete.contains(':'));
        }
        assert_eq!(Kind::find("AWS::S3::Bucket"), None);
    }
}
