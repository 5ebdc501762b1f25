//! Settings of the control plane, Auto Mode and hybrid nodes.

use super::Shape::{Fields, Flag, Ignored, List, Text, Whole};
use super::{ROLES_ANYWHERE, Shape, TEXTS};

pub(super) const SECRETS_ENCRYPTION: Shape = Fields(&[("keyARN", Text)]);

pub(super) const UPGRADE_POLICY: Shape = Fields(&[("supportType", Text)]);

pub(super) const ZONAL_SHIFT_CONFIG: Shape = Fields(&[("enabled", Flag)]);

pub(super) const AUTO_MODE_CONFIG: Shape = Fields(&[
    ("enabled", Flag),
    ("nodePools", TEXTS),
    ("nodeRoleARN", Text),
    ("permissionsBoundaryARN", Text),
]);

pub(super) const CONTROL_PLANE_SCALING_CONFIG: Shape = Fields(&[("tier", Text)]);

pub(super) const REMOTE_NETWORK_CONFIG: Shape = Fields(&[
    ("iam", REMOTE_NODES_IAM),
    ("remoteNodeNetworks", List(&REMOTE_NETWORK)),
    ("remotePodNetworks", List(&REMOTE_NETWORK)),
    ("vpcGatewayID", Text),
]);

pub(super) const REMOTE_NODES_IAM: Shape = Fields(&[
    ("caBundleCert", Ignored(ROLES_ANYWHERE)),
    ("provider", Text),
    ("roleARN", Text),
]);

pub(super) const REMOTE_NETWORK: Shape = Fields(&[("cidrs", TEXTS)]);

pub(super) const KUBE_API_SERVER_CONFIG: Shape = Fields(&[
    ("eventTTL", Text),
    ("serviceNodePortRange", SERVICE_NODE_PORT_RANGE),
]);

pub(super) const SERVICE_NODE_PORT_RANGE: Shape = Fields(&[("maxPort", Whole), ("minPort", Whole)]);

pub(super) const KUBE_CONTROLLER_MANAGER_CONFIG: Shape = Fields(&[(
    "horizontalPodAutoscalerControllerConfig",
    HORIZONTAL_POD_AUTOSCALER_CONTROLLER_CONFIG,
)]);

pub(super) const HORIZONTAL_POD_AUTOSCALER_CONTROLLER_CONFIG: Shape =
    Fields(&[("horizontalPodAutoscalerSyncPeriod", Text)]);

pub(super) const KUBE_SCHEDULER_CONFIG: Shape =
    Fields(&[("nodeResourcesFit", NODE_RESOURCES_FIT_CONFIG)]);

pub(super) const NODE_RESOURCES_FIT_CONFIG: Shape =
    Fields(&[("scoringStrategy", SCORING_STRATEGY)]);

pub(super) const SCORING_STRATEGY: Shape =
    Fields(&[("resources", List(&RESOURCE_WEIGHT)), ("type", Text)]);

pub(super) const RESOURCE_WEIGHT: Shape = Fields(&[("name", Text), ("weight", Whole)]);
