//! The document itself, its `metadata`, logs and Fargate profiles.

use super::Shape::{Fields, Ignored, List, Refused, Text, Whole};
use super::{
    ANNOTATIONS, FOR_UPDATES, GITOPS, KARPENTER, OF_AWS, OUTPOSTS, Shape, TEXT_MAP, TEXTS, access,
    addons, capabilities, control_plane, iam, network, nodegroups,
};

pub(super) const CLUSTER_CONFIG: Shape = Fields(&[
    ("accessConfig", access::ACCESS_CONFIG),
    ("addons", List(&addons::ADDON)),
    ("addonsConfig", addons::ADDONS_CONFIG),
    ("apiVersion", Text),
    ("autoModeConfig", control_plane::AUTO_MODE_CONFIG),
    ("availabilityZones", TEXTS),
    ("capabilities", List(&capabilities::CAPABILITY)),
    ("cloudWatch", CLUSTER_CLOUD_WATCH),
    (
        "controlPlaneScalingConfig",
        control_plane::CONTROL_PLANE_SCALING_CONFIG,
    ),
    ("fargateProfiles", List(&FARGATE_PROFILE)),
    ("gitops", Refused(GITOPS)),
    ("iam", iam::CLUSTER_IAM),
    ("iamIdentityMappings", List(&access::IAM_IDENTITY_MAPPING)),
    ("identityProviders", List(&access::IDENTITY_PROVIDER)),
    ("karpenter", Refused(KARPENTER)),
    ("kind", Text),
    ("kubeAPIServerConfig", control_plane::KUBE_API_SERVER_CONFIG),
    (
        "kubeControllerManagerConfig",
        control_plane::KUBE_CONTROLLER_MANAGER_CONFIG,
    ),
    ("kubeSchedulerConfig", control_plane::KUBE_SCHEDULER_CONFIG),
    (
        "kubernetesNetworkConfig",
        network::KUBERNETES_NETWORK_CONFIG,
    ),
    ("localZones", TEXTS),
    ("managedNodeGroups", List(&nodegroups::MANAGED_NODE_GROUP)),
    ("metadata", CLUSTER_META),
    ("nodeGroups", List(&nodegroups::NODE_GROUP)),
    ("outpost", Refused(OUTPOSTS)),
    ("privateCluster", network::PRIVATE_CLUSTER),
    ("remoteNetworkConfig", control_plane::REMOTE_NETWORK_CONFIG),
    ("secretsEncryption", control_plane::SECRETS_ENCRYPTION),
    ("upgradePolicy", control_plane::UPGRADE_POLICY),
    ("vpc", network::CLUSTER_VPC),
    ("zonalShiftConfig", control_plane::ZONAL_SHIFT_CONFIG),
]);

pub(super) const CLUSTER_META: Shape = Fields(&[
    ("annotations", Ignored(ANNOTATIONS)),
    ("forceUpdateVersion", Ignored(FOR_UPDATES)),
    ("name", Text),
    ("region", Text),
    ("rollbackConfig", Ignored(FOR_UPDATES)),
    ("tags", TEXT_MAP),
    ("version", Text),
]);

pub(super) const CLUSTER_CLOUD_WATCH: Shape =
    Fields(&[("clusterLogging", CLUSTER_CLOUD_WATCH_LOGGING)]);

pub(super) const CLUSTER_CLOUD_WATCH_LOGGING: Shape =
    Fields(&[("enableTypes", TEXTS), ("logRetentionInDays", Whole)]);

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
