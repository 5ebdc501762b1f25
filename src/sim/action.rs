//! The AWS operations that the simulator knows, and how a request line becomes one.

use super::model;

/// Names each operation once: the variant is AWS's name.
macro_rules! actions {
    ($($name:ident),+ $(,)?) => {
        /// An operation of AWS, or a step of CloudFormation that faults know by a name of ours.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum Action { $($name),+ }

        impl Action {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name),+];

            /// AWS's name for it.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            pub(super) fn parse(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

actions! {
    // EKS
    CreateFargateProfile,
    DescribeFargateProfile,
    ListFargateProfiles,
    DeleteFargateProfile,
    DescribeCluster,
    ListClusters,
    DeleteCluster,
    UpdateClusterConfig,
    CreateAddon,
    DescribeAddon,
    UpdateAddon,
    ListAddons,
    DeleteAddon,
    DescribeAddonVersions,
    DescribeClusterVersions,
    DescribeUpdate,
    ListUpdates,
    DescribeNodegroup,
    ListNodegroups,
    DeleteNodegroup,
    DescribeCapability,
    ListCapabilities,
    DeleteCapability,
    CreateAccessEntry,
    DescribeAccessEntry,
    ListAccessEntries,
    UpdateAccessEntry,
    DeleteAccessEntry,
    AssociateAccessPolicy,
    DisassociateAccessPolicy,
    ListAssociatedAccessPolicies,
    ListAccessPolicies,
    DescribeAddonConfiguration,
    CreatePodIdentityAssociation,
    DescribePodIdentityAssociation,
    ListPodIdentityAssociations,
    UpdatePodIdentityAssociation,
    DeletePodIdentityAssociation,
    AssociateIdentityProviderConfig,
    DescribeIdentityProviderConfig,
    ListIdentityProviderConfigs,
    DisassociateIdentityProviderConfig,
    TagResource,
    UntagResource,
    ListTagsForResource,
    // The Kubernetes API of clusters; the first stands for all of them in faults
    Kubernetes,
    KubernetesGet,
    KubernetesList,
    KubernetesCreate,
    KubernetesPatch,
    KubernetesUpdate,
    KubernetesDelete,
    // STS
    AssumeRole,
    GetCallerIdentity,
    // CloudFormation, and the two steps of its stacks
    CreateStack,
    DescribeStacks,
    DescribeStackEvents,
    DescribeStackResources,
    ListStacks,
    ListImports,
    DeleteStack,
    UpdateTerminationProtection,
    CreateResource,
    DeleteResource,
    // IAM
    GetRole,
    CreateOpenIDConnectProvider,
    GetOpenIDConnectProvider,
    ListOpenIDConnectProviders,
    DeleteOpenIDConnectProvider,
    // EC2
    DescribeAvailabilityZones,
    DescribeInstanceTypeOfferings,
    DescribeInstanceTypes,
    DescribeImages,
    DescribeKeyPairs,
    DescribeLaunchTemplateVersions,
    DescribeSubnets,
    DescribeVpcs,
    DescribeRouteTables,
    DescribeVpcEndpointServices,
    DescribeNetworkInterfaces,
    DeleteNetworkInterface,
    DescribeSecurityGroups,
    DeleteSecurityGroup,
    // Elastic Load Balancing
    DescribeLoadBalancers,
    DescribeTags,
    // CloudWatch Logs
    DescribeLogGroups,
    PutRetentionPolicy,
}

impl Action {
    pub(super) fn is_mutation(self) -> bool {
        let name = self.name();
        [
            "Associate",
            "Create",
            "Delete",
            "Disassociate",
            "Put",
            "Tag",
            "Untag",
            "Update",
        ]
        .into_iter()
        .any(|verb| name.starts_with(verb))
    }

    /// Whether it is no call, but something that CloudFormation does to a resource.
    pub(super) fn is_step(self) -> bool {
        matches!(self, Self::CreateResource | Self::DeleteResource)
    }
}

/// An EKS request line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub action: Action,
    pub cluster: Option<String>,
    pub profile: Option<String>,
    /// The resource of a tagging call, or an add-on, nodegroup, update or principal.
    pub resource: Option<String>,
    /// The access policy of that principal.
    pub policy: Option<String>,
}

impl Target {
    /// Reads method and (still encoded) path; `None` when EKS has no such operation.
    pub(super) fn parse(method: &str, path: &str) -> Option<Self> {
        let route = model::route(method, path)?;
        let mut target = Self {
            action: Action::parse(route.action)?,
            cluster: None,
            profile: None,
            resource: None,
            policy: None,
        };
        for (member, value) in route.members {
            let place = match member {
                "name" | "clusterName" => &mut target.cluster,
                "fargateProfileName" => &mut target.profile,
                "policyArn" => &mut target.policy,
                _ => &mut target.resource,
            };
            *place = Some(value);
        }
        Some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines_are_those_of_the_service_model() {
        let action = |method, path| Target::parse(method, path).map(|target| target.action);
        assert_eq!(action("GET", "/clusters"), Some(Action::ListClusters));
        assert_eq!(action("GET", "/clusters/a"), Some(Action::DescribeCluster));
        assert_eq!(
            action("POST", "/clusters/a/fargate-profiles"),
            Some(Action::CreateFargateProfile)
        );
        assert_eq!(
            action("DELETE", "/clusters/a/fargate-profiles/b"),
            Some(Action::DeleteFargateProfile)
        );
        assert_eq!(
            action("GET", "/addons/supported-versions"),
            Some(Action::DescribeAddonVersions)
        );
        assert_eq!(
            action("GET", "/cluster-versions"),
            Some(Action::DescribeClusterVersions)
        );
        assert_eq!(action("POST", "/clusters"), None);
        assert_eq!(action("PUT", "/clusters/a"), None);
        assert_eq!(action("PUT", "/clusters/a/addons/b"), None);
        assert_eq!(action("GET", "/clusters/%zz"), None);
    }

    #[test]
    fn tagged_resources_are_decoded_whole() {
        let target = Target::parse("GET", "/tags/arn%3Aaws%3Aeks%3Ar%3A1%3Acluster%2Fa").unwrap();
        assert_eq!(
            target.resource.as_deref(),
            Some("arn:aws:eks:r:1:cluster/a")
        );
    }

    #[test]
    fn names_are_read_back() {
        for &action in Action::ALL {
            assert_eq!(Action::parse(action.name()), Some(action));
        }
        assert_eq!(Action::parse("Nonsense"), None);
    }
}
