"""Rules that the service keeps and its document can't say: the only failures that are let pass.

Schemas are flat and the same in OpenAPI 3.0 and 3.1, and patterns are those that every generator
takes (no lookahead). What is beyond that is said in descriptions, and here, each with the status,
the field that the problem points to and its message: a valid request that is refused for any other
reason fails the run.
"""

import re

FILE = "createFargateProfilesFromClusterConfig"
PROFILES = f"{FILE}|createFargateProfile"
ACCOUNTS = "registerAccount|updateAccount"
WEBHOOKS = "createWebhook|updateWebhook"
CHANGES = f"{PROFILES}|deleteFargateProfile|retryJob|createCluster|deleteCluster|putAccessEntry|deleteAccessEntry"
LISTS = "list[A-Z][A-Za-z]*"
# Of the body, or of one of its profiles.
AT = "(/fargateProfiles/[0-9]+)?"

# Of operations, with a status: what the problem points to, its message.
REFUSALS = [
    # A page token is signed, and belongs to the list with its filters.
    (LISTS, 400, "/query/pageToken", "^not a page token of this list"),
    # A callback is two parameters, or none, and names what an administrator has made.
    (CHANGES, 422, "/query/callback", "^name the webhook of the portal|^no enabled webhook of a portal|^expected a UUID"),
    (CHANGES, 422, "/query/callbackRun", "^name the run that is to be told|^expected the id of a run"),
    # Only a portal's webhook has credentials, and it needs them, and a base as the portal's API has.
    (WEBHOOKS, 422, "/secret", "^only a portal's webhook|^a portal's webhook needs|^another URL takes"),
    (WEBHOOKS, 422, "/clientId", "^only a webhook of Port|^Port's credentials are"),
    (WEBHOOKS, 422, "/url", "^Port's URL has no path"),
    (WEBHOOKS, 422, "/eventTypes", "^a portal's run waits for its end"),
    # Each filter has its bound, and all together have one.
    (LISTS, 414, "", "^The path and query have [0-9]+ bytes, at most 8192 are read"),
    # A list in a query is one text, with commas: what is in it has its own rules.
    (LISTS, 422, "/query/(state|kind|accountId|region|clusterName|profileName|operationId|action|actor|outcome|requestedBy)",
     "^invalid |^expected (1 to 100 values|an id)"),
    # The header and its twin name one person.
    (".*", 422, "/query/onBehalfOf", "^not the person that X-On-Behalf-Of names"),
    # A token ends once, and in time.
    ("createToken", 422, "/expiresInDays", "^given beside expiresAt"),
    ("createToken", 422, "/expiresAt", "^expected a time in the next 3650 days"),
    # `uniqueItems` would make sets of lists in generated clients.
    (f"{PROFILES}|{ACCOUNTS}", 422, f"{AT}/(regions|subnets)/[0-9]+", "is listed twice$"),
    # `propertyNames`, which bounds keys, is not in OpenAPI 3.0.
    (ACCOUNTS, 422, "/labels/.*", "^a label's key has 1 to 63 printable characters"),
    (PROFILES, 422, f"{AT}/selectors/[0-9]+/labels/.*", "^invalid label key"),
    (PROFILES, 422, f"{AT}/tags/.*", "^a tag's key (has 1 to 128 characters|must not start with)"),
    # A pattern of all letters would not be portable.
    (PROFILES, 422, f"{AT}/tags/.*", "^a tag holds letters, digits, spaces"),
    (f"{PROFILES}|{ACCOUNTS}", 422, f"{AT}(/selectors/[0-9]+)?/(labels|tags)",
     "^a text may not hold the character U\\+0000"),
    # A path of IAM has 512 characters at most; a pattern can't count what repeats. Texts this long are
    # cut in the message.
    (".*", 422, ".*(roleArn|[rR]oleARN|principalArn|principalARN|clusterAdminARNs/[0-9]+)",
     r'^invalid (role|principal) ARN "[^"]{100}"\.\.\.: expected'),
    # The partitions and paths of IAM; braces, which CloudFormation would look up.
    (f"{PROFILES}|{ACCOUNTS}", 422, f"({AT}/permissionsBoundary|/permissionsBoundaryARN|/iam/fargatePodExecutionRolePermissionsBoundary)", "^invalid policy ARN"),
    # A role is of the account, and in the partition of its regions.
    (f"{PROFILES}|{ACCOUNTS}", 422, f"{AT}/(podExecutionRoleARN|roleArn)",
     "^the role .* is (of account|in partition)"),
    (ACCOUNTS, 422, "/regions/[0-9]+", "is in partition"),
    # A region is one of the account's.
    (f"{PROFILES}|listFargateProfiles|getFargateProfile|deleteFargateProfile", 422,
     "/path/region|/metadata/region", "^account [0-9]{12} does not list region"),
    # A pattern would need a lookahead.
    (PROFILES, 422, f"{AT}/name", "name should NOT start with"),
    # What a cluster is made of has rules from field to field (docs/cluster-config.md): a role that is
    # made or given, a VPC of its own or one that exists, sizes, zones of the region. The tests of
    # `domain::cluster` hold them one by one. The document has its keys from the code that reads them.
    ("createCluster", 422, "/(?!query/|path/|header)[A-Za-z]+(/.*)?", ""),
    # Of region and account, as above.
    ("listClusters|getCluster|getKubeconfig|deleteCluster", 422, "/path/region", "^account [0-9]{12} does not list region"),
    ("listAccessEntries|getAccessEntry|putAccessEntry|deleteAccessEntry", 422, "/path/region",
     "^account [0-9]{12} does not list region"),
    # What goes with which type of entry, names that EKS keeps to itself, the partition of the region;
    # the tests of `domain::access_entry` hold them one by one.
    ("putAccessEntry", 422, "/(principalARN|type|kubernetesGroups|kubernetesUsername|accessPolicies|tags)(/.*)?", ""),
    # Whose they are, and each once.
    (ACCOUNTS, 422, "/(clusterAdminARNs/[0-9]+|permissionsBoundaryARN)",
     "is listed twice$|partition|service-linked|can't bound"),
    ("createFargateProfile", 422, "/permissionsBoundary", "can't bound|is for a role that is created"),
    (FILE, 422, "/fargateProfiles/[0-9]+/permissionsBoundary", "^in a config the boundary|is for a role"),
    ("getKubeconfig", 422, "/query/roleArn", "^the role .* is (of account|in partition)"),
    # A plan is a read, and nobody is told of reads.
    ("createCluster|deleteCluster", 422, "/query/callback", "^reads are answered, and not told"),
    # A cluster's name is asked for twice.
    ("deleteCluster", 422, "/query/confirm", "^not the name of the cluster in the path"),
    # A profile has one schema; in a file it needs a name, and one of its own.
    # Both endpoints that take a file share its schema; only a new cluster can do without these.
    (FILE, 422, "/metadata/name", "^the field name is missing"),
    (FILE, 422, "/(apiVersion|kind)", "^the field (apiVersion|kind) is missing"),
    (FILE, 422, "/fargateProfiles", "^fargateProfiles is missing or empty"),
    (FILE, 422, "/fargateProfiles/[0-9]+/name", "empty name$|^another profile of this file is named"),
]


def may_refuse(operation, status, problem):
    """Whether everything that a valid request was refused for is among those above."""
    errors = problem.get("errors") or [{"pointer": "", "message": problem.get("detail", "")}]
    return all(is_known(operation, status, error) for error in errors)


def is_known(operation, status, error):
    return any(
        status == known
        and re.fullmatch(operations, operation)
        and re.fullmatch(pointer, error["pointer"], re.DOTALL)
        and re.search(message, error["message"], re.DOTALL)
        for operations, known, pointer, message in REFUSALS
    )
