//! The document itself, its `metadata`, logs and Fargate profiles.

use super::*;

pub(super) const CLUSTER_CONFIG: Shape = Fields(&[
    ("accessConfig", access::ACCESS_CONFIG),
    ("addons", List(&addons::ADDON)),
    ("addonsConfig", addons::ADDONS_CONFIG),
    ("apiVersion", Text),
    ("autoModeConfig", Refused(NOT_YET)),
    ("availabilityZones", TEXTS),
    ("capabilities", Refused(CAPABILITIES)),
    ("cloudWatch", CLUSTER_CLOUD_WATCH),
    ("controlPlaneScalingConfig", Refused(NOT_YET)),
    ("fargateProfiles", List(&FARGATE_PROFILE)),
    ("gitops", Refused(GITOPS)),
    ("iam", iam::CLUSTER_IAM),
    ("iamIdentityMappings", Refused(NOT_YET)),
    ("identityProviders", Refused(NOT_YET)),
    ("karpenter", Refused(KARPENTER)),
    ("kind", Text),
    ("kubeAPIServerConfig", Refused(NOT_YET)),
    ("kubeControllerManagerConfig", Refused(NOT_YET)),
    ("kubeSchedulerConfig", Refused(NOT_YET)),
    ("kubernetesNetworkConfig", Refused(NOT_YET)),
    ("localZones", Refused(NOT_YET)),
    ("managedNodeGroups", List(&nodegroups::MANAGED_NODE_GROUP)),
    ("metadata", CLUSTER_META),
    ("nodeGroups", List(&nodegroups::NODE_GROUP)),
    ("outpost", Refused(OUTPOSTS)),
    ("privateCluster", Refused(NOT_YET)),
    ("remoteNetworkConfig", Refused(NOT_YET)),
    ("secretsEncryption", Refused(NOT_YET)),
    ("upgradePolicy", Refused(NOT_YET)),
    ("vpc", network::CLUSTER_VPC),
    ("zonalShiftConfig", Refused(NOT_YET)),
]);

pub(super) const CLUSTER_META: Shape = Fields(&[
    ("annotations", Ignored(ANNOTATIONS)),
    ("forceUpdateVersion", Refused(NOT_YET)),
    ("name", Text),
    ("region", Text),
    ("rollbackConfig", Refused(NOT_YET)),
    ("tags", TEXT_MAP),
    ("version", Text),
]);

pub(super) const CLUSTER_CLOUD_WATCH: Shape =
    Fields(&[("clusterLogging", CLUSTER_CLOUD_WATCH_LOGGING)]);

pub(super) const CLUSTER_CLOUD_WATCH_LOGGING: Shape = Fields(&[
    ("enableTypes", TEXTS),
    ("logRetentionInDays", Refused(NOT_YET)),
]);

pub(super) const FARGATE_PROFILE: Shape = Fields(&[
    ("arn", Ignored(OF_AWS)),
    ("clusterName", Ignored(OF_AWS)),
    ("createdAt", Ignored(OF_AWS)),
    ("healthIssues", Ignored(OF_AWS)),
    ("name", Text),
    ("permissionsBoundary", Text),
    ("podExecutionRoleARN", Text),
    ("selectors", List(&FARGATE_PROFILE_SELECTOR)),
    ("status", Ignored(OF_AWS)),
    ("subnets", TEXTS),
    ("tags", TEXT_MAP),
]);

pub(super) const FARGATE_PROFILE_SELECTOR: Shape =
    Fields(&[("labels", TEXT_MAP), ("namespace", Text)]);
