//! The AWS operations that the simulator knows, and how a request line becomes one.

use super::text::percent_decode;

/// An operation of EKS or STS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Action {
    CreateFargateProfile,
    DescribeFargateProfile,
    ListFargateProfiles,
    DeleteFargateProfile,
    DescribeCluster,
    ListClusters,
    TagResource,
    UntagResource,
    ListTagsForResource,
    AssumeRole,
    GetCallerIdentity,
}

impl Action {
    pub(super) const ALL: [Self; 11] = [
        Self::CreateFargateProfile,
        Self::DescribeFargateProfile,
        Self::ListFargateProfiles,
        Self::DeleteFargateProfile,
        Self::DescribeCluster,
        Self::ListClusters,
        Self::TagResource,
        Self::UntagResource,
        Self::ListTagsForResource,
        Self::AssumeRole,
        Self::GetCallerIdentity,
    ];

    /// AWS's name for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CreateFargateProfile => "CreateFargateProfile",
            Self::DescribeFargateProfile => "DescribeFargateProfile",
            Self::ListFargateProfiles => "ListFargateProfiles",
            Self::DeleteFargateProfile => "DeleteFargateProfile",
            Self::DescribeCluster => "DescribeCluster",
            Self::ListClusters => "ListClusters",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::ListTagsForResource => "ListTagsForResource",
            Self::AssumeRole => "AssumeRole",
            Self::GetCallerIdentity => "GetCallerIdentity",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    pub(super) fn is_mutation(self) -> bool {
        matches!(
            self,
            Self::CreateFargateProfile
                | Self::DeleteFargateProfile
                | Self::TagResource
                | Self::UntagResource
        )
    }
}

/// An EKS request line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub action: Action,
    pub cluster: Option<String>,
    pub profile: Option<String>,
    /// The resource of a tagging call.
    pub resource: Option<String>,
}

impl Target {
    /// Reads method and (still encoded) path; `None` when EKS has no such operation.
    pub(super) fn parse(method: &str, path: &str) -> Option<Self> {
        if let Some(resource) = path.strip_prefix("/tags/") {
            let action = match method {
                "POST" => Action::TagResource,
                "DELETE" => Action::UntagResource,
                "GET" => Action::ListTagsForResource,
                _ => return None,
            };
            let resource = percent_decode(resource)?;
            return Some(Self {
                action,
                cluster: None,
                profile: None,
                resource: Some(resource),
            });
        }
        let segments: Vec<String> = path
            .strip_prefix('/')?
            .split('/')
            .map(percent_decode)
            .collect::<Option<_>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (action, cluster, profile) = match (method, segments.as_slice()) {
            ("GET", ["clusters"]) => (Action::ListClusters, None, None),
            ("GET", ["clusters", c]) => (Action::DescribeCluster, Some(c), None),
            ("GET", ["clusters", c, "fargate-profiles"]) => {
                (Action::ListFargateProfiles, Some(c), None)
            }
            ("POST", ["clusters", c, "fargate-profiles"]) => {
                (Action::CreateFargateProfile, Some(c), None)
            }
            ("GET", ["clusters", c, "fargate-profiles", p]) => {
                (Action::DescribeFargateProfile, Some(c), Some(p))
            }
            ("DELETE", ["clusters", c, "fargate-profiles", p]) => {
                (Action::DeleteFargateProfile, Some(c), Some(p))
            }
            _ => return None,
        };
        let owned = |part: Option<&&str>| part.map(|part| (*part).to_owned());
        Some(Self {
            action,
            cluster: owned(cluster),
            profile: owned(profile),
            resource: None,
        })
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
        assert_eq!(action("POST", "/clusters"), None);
        assert_eq!(action("PUT", "/clusters/a"), None);
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
        for action in Action::ALL {
            assert_eq!(Action::parse(action.name()), Some(action));
        }
        assert_eq!(Action::parse("Nonsense"), None);
    }
}
