//! Nodegroups, self-managed and managed.

use super::Shape::{Fields, Flag, Free, Ignored, List, Number, Refused, Text, Whole};
use super::{OUTPOSTS, Shape, TEXT_MAP, TEXTS};

const UPDATES: &str =
    "eksctl does nothing with it either: EKS renews the nodes of managedNodeGroups alone";
const GROUP_OF_EKS: &str = "the autoscaling group is EKS's, which suspends what it has to; suspend others once \
     the nodegroup is there, or use nodeGroups";
const TAGS_OF_EKS: &str = "the cluster autoscaler reads labels and taints of managed nodegroups from EKS \
     (eks:DescribeNodegroup), and needs no tags";
const RACKS: &str = "it is for racks of Outposts, on which there is no Fargate";
const PROFILE_OF_EKS: &str =
    "EKS makes the instance profile of managed nodegroups; give instanceRoleARN";
const GROUPS_OF_NODES: &str = "nodes of managed nodegroups are in the cluster's own group; add others with \
     attachIDs";

pub(super) const NODE_GROUP: Shape = Fields(&[
    ("additionalVolumes", List(&VOLUME_MAPPING)),
    ("ami", Text),
    ("amiFamily", Text),
    ("asgMetricsCollection", List(&METRICS_COLLECTION)),
    ("asgSuspendProcesses", TEXTS),
    ("availabilityZones", TEXTS),
    ("bottlerocket", NODE_GROUP_BOTTLEROCKET),
    ("capacityReservation", CAPACITY_RESERVATION),
    ("classicLoadBalancerNames", TEXTS),
    ("clusterDNS", Text),
    ("containerRuntime", Text),
    ("cpuCredits", Text),
    ("desiredCapacity", Whole),
    ("disableIMDSv1", Flag),
    ("disablePodIMDS", Flag),
    ("ebsOptimized", Flag),
    ("efaEnabled", Flag),
    ("enableDetailedMonitoring", Flag),
    ("enclaveEnabled", Flag),
    ("iam", NODE_GROUP_IAM),
    ("instanceMarketOptions", INSTANCE_MARKET_OPTIONS),
    ("instanceName", Text),
    ("instancePrefix", Text),
    ("instanceSelector", INSTANCE_SELECTOR),
    ("instanceType", Text),
    ("instancesDistribution", NODE_GROUP_INSTANCES_DISTRIBUTION),
    ("kubeletExtraConfig", Free),
    ("labels", TEXT_MAP),
    ("localZones", TEXTS),
    ("maxInstanceLifetime", Whole),
    ("maxPodsPerNode", Whole),
    ("maxSize", Whole),
    ("minSize", Whole),
    ("name", Text),
    ("outpostARN", Refused(OUTPOSTS)),
    ("overrideBootstrapCommand", Text),
    ("placement", PLACEMENT),
    ("preBootstrapCommands", TEXTS),
    ("privateNetworking", Flag),
    ("propagateASGTags", Flag),
    ("securityGroups", NODE_GROUP_S_GS),
    ("ssh", NODE_GROUP_SSH),
    ("subnets", TEXTS),
    ("tags", TEXT_MAP),
    ("taints", Free),
    ("targetGroupARNs", TEXTS),
    ("updateConfig", Ignored(UPDATES)),
    ("volumeEncrypted", Flag),
    ("volumeIOPS", Whole),
    ("volumeKmsKeyID", Text),
    ("volumeName", Text),
    ("volumeSize", Whole),
    ("volumeThroughput", Whole),
    ("volumeType", Text),
]);

pub(super) const MANAGED_NODE_GROUP: Shape = Fields(&[
    ("additionalVolumes", List(&VOLUME_MAPPING)),
    ("ami", Text),
    ("amiFamily", Text),
    ("asgSuspendProcesses", Refused(GROUP_OF_EKS)),
    ("availabilityZones", TEXTS),
    ("bottlerocket", NODE_GROUP_BOTTLEROCKET),
    ("capacityReservation", CAPACITY_RESERVATION),
    ("desiredCapacity", Whole),
    ("disableIMDSv1", Flag),
    ("disablePodIMDS", Flag),
    ("ebsOptimized", Flag),
    ("efaEnabled", Flag),
    ("enableDetailedMonitoring", Flag),
    ("iam", MANAGED_NODE_GROUP_IAM),
    ("instanceMarketOptions", INSTANCE_MARKET_OPTIONS),
    ("instanceName", Text),
    ("instancePrefix", Text),
    ("instanceSelector", INSTANCE_SELECTOR),
    ("instanceType", Text),
    ("instanceTypes", TEXTS),
    ("labels", TEXT_MAP),
    ("launchTemplate", LAUNCH_TEMPLATE),
    ("maxPodsPerNode", Whole),
    ("maxSize", Whole),
    ("minSize", Whole),
    ("name", Text),
    ("nodeRepairConfig", NODE_GROUP_NODE_REPAIR_CONFIG),
    ("outpostARN", Refused(OUTPOSTS)),
    ("overrideBootstrapCommand", Text),
    ("placement", PLACEMENT),
    ("preBootstrapCommands", TEXTS),
    ("privateNetworking", Flag),
    ("propagateASGTags", Refused(TAGS_OF_EKS)),
    ("releaseVersion", Text),
    ("securityGroups", MANAGED_NODE_GROUP_S_GS),
    ("spot", Flag),
    ("ssh", NODE_GROUP_SSH),
    ("subnets", TEXTS),
    ("tags", TEXT_MAP),
    ("taints", List(&NODE_GROUP_TAINT)),
    ("updateConfig", NODE_GROUP_UPDATE_CONFIG),
    ("volumeEncrypted", Flag),
    ("volumeIOPS", Whole),
    ("volumeKmsKeyID", Text),
    ("volumeName", Text),
    ("volumeSize", Whole),
    ("volumeThroughput", Whole),
    ("volumeType", Text),
]);

const NODE_GROUP_IAM: Shape = Fields(&[
    ("attachPolicy", Free),
    ("attachPolicyARNs", TEXTS),
    ("instanceProfileARN", Text),
    ("instanceRoleARN", Text),
    ("instanceRoleName", Text),
    ("instanceRolePermissionsBoundary", Text),
    ("withAddonPolicies", NODE_GROUP_IAM_ADDON_POLICIES),
]);

const MANAGED_NODE_GROUP_IAM: Shape = Fields(&[
    ("attachPolicy", Free),
    ("attachPolicyARNs", TEXTS),
    ("instanceProfileARN", Refused(PROFILE_OF_EKS)),
    ("instanceRoleARN", Text),
    ("instanceRoleName", Text),
    ("instanceRolePermissionsBoundary", Text),
    ("withAddonPolicies", NODE_GROUP_IAM_ADDON_POLICIES),
]);

const NODE_GROUP_IAM_ADDON_POLICIES: Shape = Fields(&[
    ("albIngress", Flag),
    ("appMesh", Flag),
    ("appMeshPreview", Flag),
    ("autoScaler", Flag),
    ("awsLoadBalancerController", Flag),
    ("certManager", Flag),
    ("cloudWatch", Flag),
    ("ebs", Flag),
    ("efs", Flag),
    ("externalDNS", Flag),
    ("fsx", Flag),
    ("imageBuilder", Flag),
    ("xRay", Flag),
]);

const NODE_GROUP_SSH: Shape = Fields(&[
    ("allow", Flag),
    ("enableSsm", Flag),
    ("publicKey", Text),
    ("publicKeyName", Text),
    ("publicKeyPath", Text),
    ("sourceSecurityGroupIds", TEXTS),
]);

const NODE_GROUP_S_GS: Shape = Fields(&[
    ("attachIDs", TEXTS),
    ("withLocal", Flag),
    ("withShared", Flag),
]);

const MANAGED_NODE_GROUP_S_GS: Shape = Fields(&[
    ("attachIDs", TEXTS),
    ("withLocal", Refused(GROUPS_OF_NODES)),
    ("withShared", Refused(GROUPS_OF_NODES)),
]);

const NODE_GROUP_TAINT: Shape = Fields(&[("effect", Text), ("key", Text), ("value", Text)]);

const NODE_GROUP_UPDATE_CONFIG: Shape = Fields(&[
    ("maxUnavailable", Whole),
    ("maxUnavailablePercentage", Whole),
]);

const NODE_GROUP_NODE_REPAIR_CONFIG: Shape = Fields(&[
    ("enabled", Flag),
    ("maxParallelNodesRepairedCount", Whole),
    ("maxParallelNodesRepairedPercentage", Whole),
    ("maxUnhealthyNodeThresholdCount", Whole),
    ("maxUnhealthyNodeThresholdPercentage", Whole),
    (
        "nodeRepairConfigOverrides",
        List(&NODE_REPAIR_CONFIG_OVERRIDE),
    ),
]);

const NODE_REPAIR_CONFIG_OVERRIDE: Shape = Fields(&[
    ("minRepairWaitTimeMins", Whole),
    ("nodeMonitoringCondition", Text),
    ("nodeUnhealthyReason", Text),
    ("repairAction", Text),
]);

const NODE_GROUP_INSTANCES_DISTRIBUTION: Shape = Fields(&[
    ("capacityRebalance", Flag),
    ("instanceTypes", TEXTS),
    ("maxPrice", Number),
    ("onDemandBaseCapacity", Whole),
    ("onDemandPercentageAboveBaseCapacity", Whole),
    ("spotAllocationStrategy", Text),
    ("spotInstancePools", Whole),
]);

const NODE_GROUP_BOTTLEROCKET: Shape =
    Fields(&[("enableAdminContainer", Flag), ("settings", Free)]);

const LAUNCH_TEMPLATE: Shape = Fields(&[("id", Text), ("version", Text)]);

const INSTANCE_SELECTOR: Shape = Fields(&[
    ("allow", Text),
    ("cpuArchitecture", Text),
    ("deny", Text),
    ("gpus", Whole),
    ("memory", Text),
    ("neuron_devices", Whole),
    ("vCPUs", Whole),
]);

const INSTANCE_MARKET_OPTIONS: Shape = Fields(&[("marketType", Text)]);

const METRICS_COLLECTION: Shape = Fields(&[("granularity", Text), ("metrics", TEXTS)]);

const VOLUME_MAPPING: Shape = Fields(&[
    ("snapshotID", Text),
    ("volumeEncrypted", Flag),
    ("volumeIOPS", Whole),
    ("volumeKmsKeyID", Text),
    ("volumeName", Text),
    ("volumeSize", Whole),
    ("volumeThroughput", Whole),
    ("volumeType", Text),
]);

const PLACEMENT: Shape = Fields(&[("groupName", Text), ("spreadLevel", Refused(RACKS))]);

const CAPACITY_RESERVATION: Shape = Fields(&[
    ("capacityReservationPreference", Text),
    ("capacityReservationTarget", CAPACITY_RESERVATION_TARGET),
]);

const CAPACITY_RESERVATION_TARGET: Shape = Fields(&[
    ("capacityReservationID", Text),
    ("capacityReservationResourceGroupARN", Text),
]);
