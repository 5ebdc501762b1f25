use super::*;

/// Section by section, what AWS was seen to say.
const SEEN: &[(u16, &str, &str, Class)] = &[
    (
        409,
        "ResourceInUseException",
        "A Fargate Profile already exists with this name in this cluster.",
        Class::AlreadyExists,
    ),
    (
        409,
        "ResourceInUseException",
        "Cannot create Fargate Profile a because cluster c currently has Fargate profile b in status CREATING",
        Class::ClusterBusy,
    ),
    (
        409,
        "ResourceInUseException",
        "Cannot Delete Fargate Profile a because cluster c currently has Fargate profile b in status DELETING",
        Class::ClusterBusy,
    ),
    (
        409,
        "ResourceInUseException",
        "Cannot create Fargate Profile a because cluster c currently has update 1-2 in progress",
        Class::ClusterBusy,
    ),
    (
        409,
        "ResourceInUseException",
        "Cannot Delete Fargate Profile a because cluster c currently has an update in progress",
        Class::ClusterBusy,
    ),
    (
        400,
        "InvalidRequestException",
        "Fargate Profile is currently not in Active State.",
        Class::NotActive,
    ),
    (
        400,
        "InvalidParameterException",
        "Subnet subnet-1 provided in Fargate Profile is not a private subnet",
        Class::NotPrivateSubnet,
    ),
    (
        400,
        "InvalidParameterException",
        "Misconfigured PodExecutionRole Trust Policy; Please add the eks-fargate-pods.amazonaws.com Service Principal",
        Class::RoleNotUsable,
    ),
    (
        400,
        "InvalidParameterException",
        "Fargate Profile creation for the Availability Zone use1-az3 for Subnet subnet-1 is not supported",
        Class::UnsupportedZone,
    ),
    (
        400,
        "InvalidParameterException",
        "something else",
        Class::InvalidParameter,
    ),
    (
        400,
        "ResourceLimitExceededException",
        "You've reached your limit",
        Class::LimitExceeded,
    ),
    (
        404,
        "ResourceNotFoundException",
        "No Fargate Profile found with name: x",
        Class::ProfileNotFound,
    ),
    (
        404,
        "ResourceNotFoundException",
        "No cluster found for name: c.",
        Class::ClusterNotFound,
    ),
    (404, "ResourceNotFoundException", "gone", Class::NotFound),
    (
        403,
        "AccessDeniedException",
        "User: x is not authorized",
        Class::AccessDenied,
    ),
    (
        403,
        "ExpiredTokenException",
        "The security token is expired",
        Class::SessionExpired,
    ),
    (
        429,
        "TooManyRequestsException",
        "Too Many Requests",
        Class::Throttled,
    ),
    (
        400,
        "ThrottlingException",
        "Rate exceeded",
        Class::Throttled,
    ),
    (500, "ServerException", "oops", Class::Unavailable),
    (503, "", "", Class::Unavailable),
    (429, "", "", Class::Throttled),
    (408, "", "", Class::Unavailable),
    (400, "", "", Class::Unavailable),
    (408, "RequestTimeoutException", "slow", Class::Unavailable),
    (400, "SomethingNew", "no", Class::InvalidParameter),
];

/// A right that is missing, in exceptions that mean something else.
const DENIED: &[(u16, &str, &str)] = &[
    (
        400,
        "InvalidRequestException",
        "Failed to validate if SLR: AWSServiceRoleForAmazonEKSForFargate already exists due to missing permissions for 'iam:GetRole'",
    ),
    (
        400,
        "InvalidRequestException",
        "Missing permissions for `ec2:DescribeSubnets`",
    ),
    (
        400,
        "InvalidParameterException",
        "You do not have permission to pass the role x",
    ),
    (
        409,
        "ResourceInUseException",
        "x already exists due to missing permissions for 'iam:GetRole'",
    ),
    (
        400,
        "ClientException",
        "User: x is not authorized to perform: iam:CreateServiceLinkedRole",
    ),
    (
        400,
        "ValidationError",
        "User: x is not authorized to perform: cloudformation:UpdateTerminationProtection",
    ),
    (403, "UnauthorizedOperation", ""),
    (400, "AuthorizationError", "Not authorized"),
];

/// What the services behind the steps of a cluster say.
const OF_CLUSTERS: &[(u16, &str, &str, Class)] = &[
    (
        400,
        "ValidationError",
        "Stack [eksctl-c-cluster] cannot be deleted while TerminationProtection is enabled",
        Class::Protected,
    ),
    (
        400,
        "InvalidRequestException",
        "Cluster c cannot be deleted because deletion protection is enabled",
        Class::Protected,
    ),
    (
        409,
        "ResourceInUseException",
        "Cluster has nodegroups attached",
        Class::NotEmpty,
    ),
    (
        409,
        "ResourceInUseException",
        "Cluster has Fargate Profiles in ACTIVE/CREATING state",
        Class::NotEmpty,
    ),
    (
        409,
        "ResourceInUseException",
        "Cluster already exists with name: prod-1",
        Class::AlreadyExists,
    ),
    (
        409,
        "ResourceInUseException",
        "Addon already exists.",
        Class::AlreadyExists,
    ),
    (
        404,
        "ResourceNotFoundException",
        "No addon: coredns found in cluster: prod-1",
        Class::NotFound,
    ),
    (
        404,
        "ResourceNotFoundException",
        "No node group found for name: ng-1.",
        Class::NotFound,
    ),
    (
        400,
        "AlreadyExistsException",
        "Stack [eksctl-prod-1-cluster] already exists",
        Class::AlreadyExists,
    ),
    (
        400,
        "TokenAlreadyExistsException",
        "A client request token already exists",
        Class::AlreadyExists,
    ),
    (
        404,
        "OperationInProgressException",
        "Another operation is in progress",
        Class::ClusterBusy,
    ),
    (
        400,
        "InsufficientCapabilitiesException",
        "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        Class::InvalidParameter,
    ),
    (
        400,
        "LimitExceededException",
        "Limit for stack has been exceeded",
        Class::LimitExceeded,
    ),
    (
        400,
        "ValidationError",
        "Stack with id eksctl-prod-1-cluster does not exist",
        Class::NotFound,
    ),
    (
        400,
        "ValidationError",
        "Stack [eksctl-prod-1-cluster] cannot be deleted while in status UPDATE_IN_PROGRESS",
        Class::ClusterBusy,
    ),
    (
        400,
        "ValidationError",
        "Template format error: unsupported structure.",
        Class::InvalidParameter,
    ),
    (400, "Throttling", "Rate exceeded", Class::Throttled),
    (
        400,
        "InvalidSubnetID.NotFound",
        "The subnet ID 'subnet-1' does not exist",
        Class::NotFound,
    ),
    (
        503,
        "RequestLimitExceeded",
        "Request limit exceeded.",
        Class::Throttled,
    ),
    (
        403,
        "UnauthorizedOperation",
        "You are not authorized to perform this operation.",
        Class::AccessDenied,
    ),
    (
        401,
        "AuthFailure",
        "AWS was not able to validate the provided access credentials",
        Class::SessionExpired,
    ),
    (
        409,
        "EntityAlreadyExists",
        "Provider with url https://oidc.eks already exists.",
        Class::AlreadyExists,
    ),
    (
        404,
        "NoSuchEntity",
        "OpenIDConnect Provider not found for arn",
        Class::NotFound,
    ),
    (
        409,
        "LimitExceeded",
        "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100",
        Class::LimitExceeded,
    ),
    (
        409,
        "ConcurrentModification",
        "multiple requests were submitted simultaneously",
        Class::ClusterBusy,
    ),
];

#[test]
fn every_refusal_seen_has_its_class() {
    for (status, code, message, class) in SEEN.iter().chain(OF_CLUSTERS) {
        assert_eq!(
            class_of(*status, code, message),
            *class,
            "{code}: {message}"
        );
    }
}

#[test]
fn a_missing_right_is_one_in_whatever_exception() {
    for (status, code, message) in DENIED {
        let class = class_of(*status, code, message);
        assert_eq!(class, Class::AccessDenied, "{code}: {message}");
    }
    // What is down may say anything.
    let class = class_of(503, "ServiceUnavailable", "access denied by a proxy");
    assert_eq!(class, Class::Unavailable);
}

#[test]
fn only_a_missing_answer_may_hide_an_applied_change() {
    assert!(Class::Unavailable.may_be_applied());
    assert!(!Class::ClusterBusy.may_be_applied());
}
