//! The steps that create a cluster, in eksctl's order.

use crate::domain::macros::open_enum;

open_enum! {
    /// A step of a cluster's creation.
    ClusterStep as "step of a cluster's creation" {
        /// Versions, instance types and zones are looked up; nothing is made.
        Preflight => "preflight",
        /// The stack of the network, the roles and the control plane.
        ClusterStack => "cluster_stack",
        /// The access entries: who may use the cluster.
        AccessEntries => "access_entries",
        /// The add-ons that come before any node and profile: vpc-cni, kube-proxy.
        AddOns => "add_ons",
        /// Waiting until the Kubernetes API can be used.
        ControlPlaneReady => "control_plane_ready",
        /// IAM trusts the cluster's OIDC issuer.
        Oidc => "oidc",
        /// Kubernetes `ServiceAccount`s with roles by that issuer.
        ServiceAccounts => "service_accounts",
        /// The add-on vpc-cni, which was there before, gets its role.
        VpcCniRole => "vpc_cni_role",
        /// How long the logs of the control plane are kept.
        LogRetention => "log_retention",
        /// The Fargate profiles, one after the other.
        FargateProfiles => "fargate_profiles",
        /// The add-on coredns, made to run on Fargate where a profile catches it.
        CoreDns => "coredns",
        /// The OIDC issuer whose tokens the cluster takes.
        IdentityProviders => "identity_providers",
        /// The `ConfigMap` `aws-auth`.
        IdentityMappings => "iam_identity_mappings",
        /// The nodegroups' stacks.
        Nodegroups => "nodegroups",
        /// metrics-server, and the add-ons that need nodes or pods to run on.
        LateAddOns => "metrics_server",
        /// Waiting for the add-ons, where none of them comes late.
        AddOnsReady => "add_ons_ready",
        /// Kubernetes `ServiceAccount`s with roles by EKS Pod Identity.
        PodIdentities => "pod_identities",
        /// EKS capabilities, and their roles.
        Capabilities => "capabilities",
        /// The Kubernetes API of a private cluster is closed to the internet.
        EndpointAccess => "endpoint_access",
    }
}
