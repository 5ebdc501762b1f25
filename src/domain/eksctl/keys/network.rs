//! The network: `vpc` and what goes with it.

use super::Shape::{Fields, Flag, Ignored, Map, Text};
use super::{OF_AWS, Shape, TEXTS};

pub(super) const CLUSTER_VPC: Shape = Fields(&[
    ("autoAllocateIPv6", Flag),
    ("cidr", Text),
    ("clusterEndpoints", CLUSTER_ENDPOINTS),
    ("controlPlaneEgressMode", Text),
    ("controlPlaneOnPrivateSubnets", Flag),
    ("controlPlaneSecurityGroupIDs", TEXTS),
    ("controlPlaneSubnetIDs", TEXTS),
    ("extraCIDRs", TEXTS),
    ("extraIPv6CIDRs", TEXTS),
    ("hostnameType", Text),
    ("id", Text),
    ("ipv6Cidr", Text),
    ("ipv6Pool", Text),
    ("manageSharedNodeSecurityGroupRules", Flag),
    ("nat", CLUSTER_NAT),
    ("publicAccessCIDRs", TEXTS),
    ("securityGroup", Text),
    ("sharedNodeSecurityGroup", Text),
    ("subnets", CLUSTER_SUBNETS),
]);

pub(super) const CLUSTER_ENDPOINTS: Shape =
    Fields(&[("privateAccess", Flag), ("publicAccess", Flag)]);

pub(super) const CLUSTER_NAT: Shape = Fields(&[("gateway", Text)]);

pub(super) const CLUSTER_SUBNETS: Shape = Fields(&[
    ("private", Map(&AZ_SUBNET_SPEC)),
    ("public", Map(&AZ_SUBNET_SPEC)),
]);

pub(super) const AZ_SUBNET_SPEC: Shape = Fields(&[("az", Text), ("cidr", Text), ("id", Text)]);

pub(super) const PRIVATE_CLUSTER: Shape = Fields(&[
    ("additionalEndpointServices", TEXTS),
    ("enabled", Flag),
    ("skipEndpointCreation", Flag),
]);

pub(super) const KUBERNETES_NETWORK_CONFIG: Shape = Fields(&[
    ("ipFamily", Text),
    ("serviceIPv4CIDR", Text),
    ("serviceIPv6CIDR", Ignored(OF_AWS)),
]);
