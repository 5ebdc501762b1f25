"""The members that AWS gives in every answer, a line for each shape of an answer.

The models say of answers only what may be in them. What is always in them is known from the examples of
the API references, the recorded answers among the AWS CLI's examples (`awscli/examples`), and what SDKs
and tools rely on without asking. A member is not here when some state of the thing has it not: the
endpoint of a cluster that is being made, the reason of a status that needs none.
"""

ALWAYS = {}


def always(service, **shapes):
    for shape, members in shapes.items():
        ALWAYS[f"{service}.{shape}"] = members.split()


always(
    "eks",
    CreateFargateProfileResponse="fargateProfile",
    DescribeFargateProfileResponse="fargateProfile",
    DeleteFargateProfileResponse="fargateProfile",
    ListFargateProfilesResponse="fargateProfileNames",
    FargateProfile="""fargateProfileName fargateProfileArn clusterName createdAt podExecutionRoleArn
        subnets selectors status tags""",
    FargateProfileSelector="namespace",
    FargateProfileHealth="issues",
    FargateProfileIssue="code message",
    DescribeClusterResponse="cluster",
    DeleteClusterResponse="cluster",
    ListClustersResponse="clusters",
    Cluster="""name arn createdAt version roleArn resourcesVpcConfig kubernetesNetworkConfig logging
        status certificateAuthority platformVersion tags health accessConfig upgradePolicy
        deletionProtection""",
    VpcConfigResponse="""subnetIds securityGroupIds vpcId endpointPublicAccess endpointPrivateAccess
        publicAccessCidrs""",
    KubernetesNetworkConfigResponse="serviceIpv4Cidr ipFamily",
    Identity="oidc",
    OIDC="issuer",
    # Empty while the cluster is being made.
    Certificate="",
    ClusterHealth="issues",
    ClusterIssue="code message",
    AccessConfigResponse="authenticationMode",
    Logging="clusterLogging",
    LogSetup="types enabled",
    UpgradePolicyResponse="supportType",
    ZonalShiftConfigResponse="enabled",
    ElasticLoadBalancing="enabled",
    ComputeConfigResponse="enabled",
    StorageConfigResponse="blockStorage",
    BlockStorage="enabled",
    EncryptionConfig="resources provider",
    Provider="keyArn",
    RemoteNetworkConfigResponse="",
    RemoteNodeNetwork="cidrs",
    RemotePodNetwork="cidrs",
    UpdateClusterConfigResponse="update",
    UpdateAddonResponse="update",
    DescribeUpdateResponse="update",
    ListUpdatesResponse="updateIds",
    Update="id status type params createdAt errors",
    UpdateParam="type value",
    ErrorDetail="errorCode errorMessage",
    DescribeClusterVersionsResponse="clusterVersions",
    ClusterVersionInformation="""clusterVersion clusterType defaultPlatformVersion defaultVersion
        releaseDate endOfStandardSupportDate endOfExtendedSupportDate status versionStatus
        kubernetesPatchVersion""",
    CreateAddonResponse="addon",
    DescribeAddonResponse="addon",
    DeleteAddonResponse="addon",
    ListAddonsResponse="addons",
    Addon="addonName clusterName status addonVersion health addonArn createdAt modifiedAt tags",
    AddonHealth="issues",
    AddonIssue="code message",
    AddonNamespaceConfigResponse="namespace",
    DescribeAddonVersionsResponse="addons",
    AddonInfo="addonName type addonVersions publisher owner",
    AddonVersionInfo="addonVersion architecture compatibilities requiresConfiguration",
    Compatibility="clusterVersion platformVersions defaultVersion",
    MarketplaceInformation="",
    DescribeNodegroupResponse="nodegroup",
    DeleteNodegroupResponse="nodegroup",
    ListNodegroupsResponse="nodegroups",
    Nodegroup="""nodegroupName nodegroupArn clusterName version releaseVersion createdAt modifiedAt
        status capacityType scalingConfig instanceTypes subnets amiType nodeRole health updateConfig
        tags""",
    NodegroupScalingConfig="minSize maxSize desiredSize",
    NodegroupResources="autoScalingGroups",
    AutoScalingGroup="name",
    NodegroupHealth="issues",
    Issue="code message",
    NodegroupUpdateConfig="",
    LaunchTemplateSpecification="",
    NodeRepairConfig="",
    Taint="key effect",
    RemoteAccessConfig="",
    DescribeCapabilityResponse="capability",
    DeleteCapabilityResponse="capability",
    ListCapabilitiesResponse="capabilities",
    Capability="""capabilityName arn clusterName type roleArn status version tags health createdAt
        modifiedAt deletePropagationPolicy""",
    CapabilitySummary="capabilityName arn type status version createdAt modifiedAt",
    CapabilityHealth="issues",
    CapabilityConfigurationResponse="",
    ArgoCdConfigResponse="namespace awsIdc rbacRoleMappings serverUrl",
    ArgoCdAwsIdcConfigResponse="idcInstanceArn idcRegion",
    ArgoCdNetworkAccessConfigResponse="vpceIds",
    ArgoCdRoleMapping="role identities",
    SsoIdentity="id type",
    CreateAccessEntryResponse="accessEntry",
    DescribeAccessEntryResponse="accessEntry",
    UpdateAccessEntryResponse="accessEntry",
    ListAccessEntriesResponse="accessEntries",
    DeleteAccessEntryResponse="",
    AccessEntry="""clusterName principalArn kubernetesGroups accessEntryArn createdAt modifiedAt tags
        username type""",
    AssociateAccessPolicyResponse="clusterName principalArn associatedAccessPolicy",
    DisassociateAccessPolicyResponse="",
    ListAssociatedAccessPoliciesResponse="clusterName principalArn associatedAccessPolicies",
    AssociatedAccessPolicy="policyArn accessScope associatedAt modifiedAt",
    ListAccessPoliciesResponse="accessPolicies",
    AccessPolicy="name arn",
    AccessScope="type namespaces",
    CreatePodIdentityAssociationResponse="association",
    DescribePodIdentityAssociationResponse="association",
    UpdatePodIdentityAssociationResponse="association",
    DeletePodIdentityAssociationResponse="association",
    ListPodIdentityAssociationsResponse="associations",
    PodIdentityAssociation="""clusterName namespace serviceAccount roleArn associationArn associationId
        tags createdAt modifiedAt""",
    PodIdentityAssociationSummary="""clusterName namespace serviceAccount associationArn
        associationId""",
    AssociateIdentityProviderConfigResponse="update tags",
    DescribeIdentityProviderConfigResponse="identityProviderConfig",
    DisassociateIdentityProviderConfigResponse="update",
    ListIdentityProviderConfigsResponse="identityProviderConfigs",
    IdentityProviderConfig="type name",
    IdentityProviderConfigResponse="oidc",
    OidcIdentityProviderConfig="""identityProviderConfigName identityProviderConfigArn clusterName
        issuerUrl clientId tags status""",
    DescribeAddonConfigurationResponse="addonName addonVersion configurationSchema",
    AddonPodIdentityConfiguration="serviceAccount recommendedManagedPolicies",
    AddonPodIdentityAssociations="serviceAccount roleArn",
    TagResourceResponse="",
    UntagResourceResponse="",
    ListTagsForResourceResponse="tags",
)

always(
    "sts",
    # PackedPolicySize comes with a policy or tags alone, SourceIdentity when it was given.
    AssumeRoleResponse="Credentials AssumedRoleUser",
    Credentials="AccessKeyId SecretAccessKey SessionToken Expiration",
    AssumedRoleUser="AssumedRoleId Arn",
    GetCallerIdentityResponse="UserId Account Arn",
)

always(
    "cloudformation",
    CreateStackOutput="StackId",
    UpdateTerminationProtectionOutput="StackId",
    DescribeStacksOutput="Stacks",
    Stack="""StackId StackName CreationTime RollbackConfiguration StackStatus DisableRollback
        NotificationARNs Tags EnableTerminationProtection DriftInformation""",
    RollbackConfiguration="",
    StackDriftInformation="StackDriftStatus",
    Output="OutputKey OutputValue",
    Parameter="ParameterKey ParameterValue",
    Tag="Key Value",
    DescribeStackEventsOutput="StackEvents",
    StackEvent="""StackId EventId StackName LogicalResourceId PhysicalResourceId ResourceType Timestamp
        ResourceStatus""",
    DescribeStackResourcesOutput="StackResources",
    StackResource="""StackName StackId LogicalResourceId ResourceType Timestamp ResourceStatus
        DriftInformation""",
    StackResourceDriftInformation="StackResourceDriftStatus",
    ListStacksOutput="StackSummaries",
    StackSummary="StackId StackName CreationTime StackStatus DriftInformation",
    StackDriftInformationSummary="StackDriftStatus",
    ListImportsOutput="Imports",
)

always(
    "iam",
    GetRoleResponse="Role",
    Role="Path RoleName RoleId Arn CreateDate AssumeRolePolicyDocument MaxSessionDuration RoleLastUsed",
    RoleLastUsed="",
    AttachedPermissionsBoundary="PermissionsBoundaryType PermissionsBoundaryArn",
    Tag="Key Value",
    CreateOpenIDConnectProviderResponse="OpenIDConnectProviderArn",
    GetOpenIDConnectProviderResponse="Url ClientIDList ThumbprintList CreateDate",
    ListOpenIDConnectProvidersResponse="OpenIDConnectProviderList",
    OpenIDConnectProviderListEntry="Arn",
)

always(
    "ec2",
    DescribeAvailabilityZonesResult="AvailabilityZones",
    AvailabilityZone="""State OptInStatus Messages RegionName ZoneName ZoneId GroupName
        NetworkBorderGroup ZoneType""",
    AvailabilityZoneMessage="Message",
    DescribeInstanceTypeOfferingsResult="InstanceTypeOfferings",
    InstanceTypeOffering="InstanceType LocationType Location",
    DescribeInstanceTypesResult="InstanceTypes",
    InstanceTypeInfo="""InstanceType CurrentGeneration FreeTierEligible SupportedUsageClasses
        SupportedRootDeviceTypes SupportedVirtualizationTypes BareMetal ProcessorInfo VCpuInfo
        MemoryInfo NetworkInfo""",
    ProcessorInfo="SupportedArchitectures",
    VCpuInfo="DefaultVCpus",
    MemoryInfo="SizeInMiB",
    GpuInfo="Gpus",
    GpuDeviceInfo="Count",
    NeuronInfo="NeuronDevices",
    NeuronDeviceInfo="Count",
    NetworkInfo="MaximumNetworkCards DefaultNetworkCardIndex EfaSupported",
    DescribeImagesResult="Images",
    Image="""ImageId ImageLocation State OwnerId CreationDate Public Architecture ImageType Name
        RootDeviceType RootDeviceName VirtualizationType Hypervisor BlockDeviceMappings""",
    BlockDeviceMapping="DeviceName Ebs",
    EbsBlockDevice="VolumeSize Encrypted",
    DescribeKeyPairsResult="KeyPairs",
    KeyPairInfo="KeyPairId KeyFingerprint KeyName KeyType CreateTime Tags",
    DescribeLaunchTemplateVersionsResult="LaunchTemplateVersions",
    LaunchTemplateVersion="""LaunchTemplateId LaunchTemplateName VersionNumber CreateTime CreatedBy
        DefaultVersion LaunchTemplateData""",
    ResponseLaunchTemplateData="",
    LaunchTemplateIamInstanceProfileSpecification="",
    DescribeSubnetsResult="Subnets",
    Subnet="""AvailabilityZone AvailabilityZoneId AvailableIpAddressCount CidrBlock DefaultForAz
        MapPublicIpOnLaunch MapCustomerOwnedIpOnLaunch State SubnetId VpcId OwnerId
        AssignIpv6AddressOnCreation Ipv6CidrBlockAssociationSet SubnetArn EnableDns64 Ipv6Native
        PrivateDnsNameOptionsOnLaunch""",
    PrivateDnsNameOptionsOnLaunch="""HostnameType EnableResourceNameDnsARecord
        EnableResourceNameDnsAAAARecord""",
    SubnetIpv6CidrBlockAssociation="AssociationId Ipv6CidrBlock Ipv6CidrBlockState",
    SubnetCidrBlockState="State",
    Tag="Key Value",
    DescribeRouteTablesResult="RouteTables",
    RouteTable="Associations PropagatingVgws RouteTableId Routes Tags VpcId OwnerId",
    RouteTableAssociation="Main RouteTableAssociationId RouteTableId AssociationState",
    RouteTableAssociationState="State",
    DescribeVpcEndpointServicesResult="ServiceNames ServiceDetails",
    ServiceDetail="""ServiceName ServiceId ServiceType AvailabilityZones Owner BaseEndpointDnsNames
        VpcEndpointPolicySupported AcceptanceRequired ManagesVpcEndpoints Tags""",
    ServiceTypeDetail="ServiceType",
    DescribeVpcsResult="Vpcs",
    Vpc="CidrBlock DhcpOptionsId State VpcId OwnerId InstanceTenancy CidrBlockAssociationSet IsDefault",
    VpcCidrBlockAssociation="AssociationId CidrBlock CidrBlockState",
    VpcCidrBlockState="State",
    DescribeNetworkInterfacesResult="NetworkInterfaces",
    NetworkInterface="""Status MacAddress SourceDestCheck VpcId Description NetworkInterfaceId
        PrivateIpAddresses RequesterManaged AvailabilityZone Ipv6Addresses Groups SubnetId OwnerId
        TagSet PrivateIpAddress InterfaceType""",
    NetworkInterfacePrivateIpAddress="Primary PrivateIpAddress",
    NetworkInterfaceAttachment="Status AttachmentId DeviceIndex DeleteOnTermination",
    GroupIdentifier="GroupId GroupName",
    DeleteNetworkInterfaceResult="",
    DescribeSecurityGroupsResult="SecurityGroups",
    SecurityGroup="Description GroupName IpPermissions OwnerId GroupId IpPermissionsEgress VpcId",
    IpPermission="IpProtocol UserIdGroupPairs IpRanges Ipv6Ranges PrefixListIds",
    IpRange="CidrIp",
    UserIdGroupPair="GroupId UserId",
    DeleteSecurityGroupResult="Return GroupId",
)

always(
    "elb",
    DescribeAccessPointsOutput="LoadBalancerDescriptions",
    LoadBalancerDescription="""LoadBalancerName DNSName CanonicalHostedZoneNameID ListenerDescriptions
        Policies BackendServerDescriptions AvailabilityZones Subnets VPCId Instances HealthCheck
        SourceSecurityGroup SecurityGroups CreatedTime Scheme""",
    ListenerDescription="Listener PolicyNames",
    Listener="Protocol LoadBalancerPort InstanceProtocol InstancePort",
    Policies="AppCookieStickinessPolicies LBCookieStickinessPolicies OtherPolicies",
    HealthCheck="Target Interval Timeout UnhealthyThreshold HealthyThreshold",
    SourceSecurityGroup="OwnerAlias GroupName",
    DescribeTagsOutput="TagDescriptions",
    TagDescription="LoadBalancerName Tags",
    Tag="Key Value",
)

always(
    "elbv2",
    DescribeLoadBalancersOutput="LoadBalancers",
    LoadBalancer="""LoadBalancerArn DNSName CanonicalHostedZoneId CreatedTime LoadBalancerName Scheme
        VpcId State Type AvailabilityZones IpAddressType""",
    LoadBalancerState="Code",
    AvailabilityZone="ZoneName SubnetId LoadBalancerAddresses",
    LoadBalancerAddress="",
    DescribeTagsOutput="TagDescriptions",
    TagDescription="ResourceArn Tags",
    Tag="Key Value",
)

always(
    "logs",
    DescribeLogGroupsResponse="logGroups",
    LogGroup="logGroupName creationTime metricFilterCount arn storedBytes logGroupClass logGroupArn",
)
