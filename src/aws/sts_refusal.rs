//! Whose fault it is that a role could not be assumed, by STS's code, and what mends it.
//!
//! Only what STS says of the role is held against the role: `AccessDenied` and its like. The rest is
//! the region's, the worker's, ours, or nobody's.

use super::refusal::Class;
use super::sessions::SessionKey;
use crate::domain::Region;

/// What is said of the worker's own credentials, before the reason.
pub(super) const OWN_CREDENTIALS: &str = "the worker's own AWS credentials can't be used";

/// What a refusal of STS means to a session.
pub(super) fn class_of(code: &str, status: u16, key: &SessionKey) -> Class {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded" => Class::Throttled,
        _ if status == 429 => Class::Throttled,
        // Without a code it was not STS that spoke, but a proxy or a connection that closed.
        "" | "IDPCommunicationError" => Class::Unavailable,
        "RegionDisabledException" => Class::RegionDisabled,
        // STS of a region that the worker's account has not enabled does not know its keys.
        "InvalidClientTokenId" | "UnrecognizedClientException" if is_opt_in(key) => {
            Class::RegionDisabled
        }
        // The worker's own credentials, or its clock: no fault of the account.
        "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "OptInRequired"
        | "RequestExpired"
        | "RequestInTheFuture"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Class::WorkerCredentials,
        // What we ask is ours: policy, names, duration.
        "PackedPolicyTooLarge"
        | "PackedPolicyTooLargeException"
        | "MalformedPolicyDocument"
        | "MalformedPolicyDocumentException"
        | "ValidationError"
        | "InvalidParameterValue"
        | "InvalidAction" => Class::OurFault,
        _ if status == 408 || status >= 500 => Class::Unavailable,
        _ if matches!(status, 401 | 403 | 404) => Class::AssumeRoleFailed,
        _ => Class::OurFault,
    }
}

/// What a refusal says: STS's words, and what mends it where that is not the role.
pub(super) fn message(class: Class, code: &str, words: &str, key: &SessionKey) -> String {
    let (account, region) = (&key.account_id, &key.region);
    let words = words.trim_end_matches(['.', ' ']);
    match class {
        Class::RegionDisabled if code == "RegionDisabledException" => format!(
            "region {region} is not enabled in account {account}: enable it there, or take it out of \
             the account's regions; then retry the job. STS says: {words}"
        ),
        Class::RegionDisabled => format!(
            "STS in {region} does not know the worker's credentials: the region has to be opted into, \
             so enable it in the worker's own account, or have the worker's credentials come from a \
             regional endpoint of STS (docs/accounts.md); then retry the job. STS says: {words}"
        ),
        Class::OurFault => format!(
            "the session that this service asks of STS is refused for what it asks, not for the \
             account; report it. STS says: {code}: {words}"
        ),
        Class::Unavailable => format!("STS in {region} does not answer as it should: {words}"),
        Class::WorkerCredentials => format!("{OWN_CREDENTIALS}: {code}: {words}"),
        _ => words.to_owned(),
    }
}

fn is_opt_in(key: &SessionKey) -> bool {
    Region::parse(key.region.as_str()).is_ok_and(|region| region.is_opt_in())
}

/// From how many percent of its space on a session's policy is worth a warning.
const WARN_FROM: i32 = 80;

/// Puts on record how much of STS's space the policy and the tags of a session use, in percent.
pub(super) fn log_packed_size(percent: Option<i32>, key: &SessionKey) {
    let Some(packed_policy_size) = percent else {
        return;
    };
    let (account, region, access) = (&key.account_id, &key.region, key.access);
    if packed_policy_size >= WARN_FROM {
        tracing::warn!(
            packed_policy_size,
            account.id = %account,
            region = %region,
            ?access,
            "the session's policy and tags nearly fill the space that STS has for them; if the \
             worker's credentials carry session tags (EKS Pod Identity), turn these off"
        );
    } else {
        tracing::debug!(
            packed_policy_size,
            account.id = %account,
            region = %region,
            ?access,
            "a role was assumed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::Access;
    use super::*;

    fn key(region: &str) -> SessionKey {
        SessionKey {
            account_id: "111111111111".to_owned(),
            role_arn: "arn:aws:iam::111111111111:role/fargate-fleet".to_owned(),
            external_id: "external".to_owned(),
            region: region.to_owned(),
            partition: "aws",
            cluster: "prod-1".to_owned(),
            access: Access::Read,
            roles: Vec::new(),
            session_name: "read-me".to_owned(),
            source_identity: "me".to_owned(),
        }
    }

    /// Status and code of STS, in a region that is always there.
    const SEEN: &[(u16, &str, Class)] = &[
        (403, "AccessDenied", Class::AssumeRoleFailed),
        (403, "AccessDeniedException", Class::AssumeRoleFailed),
        (403, "SomethingNew", Class::AssumeRoleFailed),
        (400, "SomethingNew", Class::OurFault),
        (403, "RegionDisabledException", Class::RegionDisabled),
        (400, "PackedPolicyTooLarge", Class::OurFault),
        (400, "MalformedPolicyDocument", Class::OurFault),
        (400, "ValidationError", Class::OurFault),
        (403, "InvalidClientTokenId", Class::WorkerCredentials),
        (403, "ExpiredToken", Class::WorkerCredentials),
        (403, "SignatureDoesNotMatch", Class::WorkerCredentials),
        (403, "UnrecognizedClientException", Class::WorkerCredentials),
        (403, "MissingAuthenticationToken", Class::WorkerCredentials),
        (400, "Throttling", Class::Throttled),
        (429, "", Class::Throttled),
        (403, "", Class::Unavailable),
        (408, "", Class::Unavailable),
        (400, "IDPCommunicationError", Class::Unavailable),
        (503, "ServiceUnavailable", Class::Unavailable),
        (500, "InternalFailure", Class::Unavailable),
    ];

    #[test]
    fn only_what_sts_says_of_the_role_is_held_against_it() {
        for (status, code, class) in SEEN {
            let found = class_of(code, *status, &key("eu-central-1"));
            assert_eq!(found, *class, "{status} {code}");
        }
    }

    #[test]
    fn a_region_that_is_opted_into_may_not_know_the_worker() {
        let key = key("eu-central-2");
        let class = class_of("InvalidClientTokenId", 403, &key);
        assert_eq!(class, Class::RegionDisabled);
        let words = "The security token included in the request is invalid.";
        let told = message(class, "InvalidClientTokenId", words, &key);
        assert!(
            told.contains("enable it in the worker's own account"),
            "{told}"
        );
        assert!(told.ends_with("STS says: The security token included in the request is invalid"));
        assert_eq!(
            class_of("ExpiredToken", 403, &key),
            Class::WorkerCredentials
        );
    }

    #[test]
    fn a_disabled_region_is_named_with_its_account() {
        let key = key("eu-central-2");
        let words = "STS is not activated in this region for account:111111111111.";
        let told = message(
            Class::RegionDisabled,
            "RegionDisabledException",
            words,
            &key,
        );
        let expected = "region eu-central-2 is not enabled in account 111111111111: ";
        assert!(told.starts_with(expected), "{told}");
    }

    #[test]
    fn a_policy_that_is_too_large_is_ours() {
        let words = "Packed policy consumes 105% of allotted space, please use smaller policy.";
        let told = message(
            Class::OurFault,
            "PackedPolicyTooLarge",
            words,
            &key("eu-west-1"),
        );
        assert!(
            told.contains("report it") && told.contains("105%"),
            "{told}"
        );
    }
}
