//! The network: `vpc` and what goes with it.

use super::*;

pub(super) const CLUSTER_VPC: Shape = Fields(&[
    ("autoAllocateIPv6", Refused(NOT_YET)),
    ("cidr", Text),
    ("clusterEndpoints", CLUSTER_ENDPOINTS),
    ("controlPlaneEgressMode", Refused(NOT_YET)),
    ("controlPlaneOnPrivateSubnets", Refused(NOT_YET)),
    ("controlPlaneSecurityGroupIDs", Refused(NOT_YET)),
    ("controlPlaneSubnetIDs", Refused(NOT_YET)),
    ("extraCIDRs", Refused(NOT_YET)),
    ("extraIPv6CIDRs", Refused(NOT_YET)),
    ("hostnameType", Refused(NOT_YET)),
    ("id", Text),
    ("ipv6Cidr", Refused(NOT_YET)),
    ("ipv6Pool", Refused(NOT_YET)),
    ("manageSharedNodeSecurityGroupRules", Refused(NOT_YET)),
    ("nat", CLUSTER_NAT),
    ("publicAccessCIDRs", TEXTS),
    ("securityGroup", Refused(NOT_YET)),
    ("sharedNodeSecurityGroup", Refused(NOT_YET)),
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
