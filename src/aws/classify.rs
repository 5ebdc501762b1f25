//! From SDK errors to [`Refusal`]s.
//!
//! By code and message: `ResourceInUseException` and others are not modelled on the Fargate calls,
//! so they arrive as unhandled, and one code means several things.

use aws_sdk_eks::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eks::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::denied;
use super::refusal::{Class, Refusal};

/// Classifies a failed call of any service.
pub(super) fn refusal<E>(action: &'static str, error: &SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    let request_id = error.request_id().map(str::to_owned);
    let SdkError::ServiceError(service) = error else {
        return Refusal {
            action,
            class: match error {
                // What can't be written down as a request is a fault of ours.
                SdkError::ConstructionFailure(_) => Class::OurFault,
                _ => Class::Unavailable,
            },
            code: None,
            message: transport_message(error),
            request_id,
        };
    };
    let status = service.raw().status().as_u16();
    let code = service.err().code().map(str::to_owned);
    let message = service.err().message().map_or_else(
        || format!("AWS answered {status} without a reason"),
        str::to_owned,
    );
    let class = class_of(status, code.as_deref().unwrap_or_default(), &message);
    let message = match class {
        Class::AccessDenied => denied::with_remedy(&message, Some(action)),
        _ => message,
    };
    Refusal {
        action,
        class,
        code,
        message,
        request_id,
    }
}

fn transport_message<E>(error: &SdkError<E, HttpResponse>) -> String {
    match error {
        SdkError::TimeoutError(_) => "AWS did not answer in time".to_owned(),
        SdkError::ResponseError(_) => "AWS's answer could not be read".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            "AWS could not be reached in time".to_owned()
        }
        SdkError::DispatchFailure(_) => "the connection to AWS failed".to_owned(),
        _ => "the call to AWS could not be made".to_owned(),
    }
}

/// A right that is missing is one in whatever exception; the words of those that pass don't count.
fn class_of(status: u16, code: &str, message: &str) -> Class {
    match by_code(status, code, message) {
        passes @ (Class::Unavailable | Class::Throttled | Class::SessionExpired) => passes,
        _ if denied::is_denial(message) => Class::AccessDenied,
        class => class,
    }
}

fn by_code(status: u16, code: &str, message: &str) -> Class {
    match code {
        "ResourceInUseException" if is_same_name(message) => Class::AlreadyExists,
        "ResourceInUseException" if is_not_empty(message) => Class::NotEmpty,
        "ResourceInUseException" | "OperationInProgressException" | "ConcurrentModification" => {
            Class::ClusterBusy
        }
        // A token that has been used says that the change has been asked for before.
        "AlreadyExistsException" | "TokenAlreadyExistsException" | "EntityAlreadyExists" => {
            Class::AlreadyExists
        }
        // CloudFormation's one code for nearly everything.
        "ValidationError" if has(message, "terminationprotection") => Class::Protected,
        "ValidationError" if has(message, "does not exist") => Class::NotFound,
        "ValidationError" if has(message, "_in_progress") => Class::ClusterBusy,
        "NoSuchEntity" | "StackNotFoundException" | "LoadBalancerNotFound" => Class::NotFound,
        _ if code.ends_with(".NotFound") => Class::NotFound,
        "ResourceNotFoundException" if has(message, "no fargate profile found") => {
            Class::ProfileNotFound
        }
        "ResourceNotFoundException" if has(message, "no cluster found") => Class::ClusterNotFound,
        "ResourceNotFoundException" => Class::NotFound,
        "InvalidRequestException"
            if has(message, "not currently in active") || has(message, "not in active state") =>
        {
            Class::NotActive
        }
        "InvalidRequestException" if has(message, "deletion protection") => Class::Protected,
        "InvalidParameterException" | "InvalidRequestException" => invalid(message),
        "ResourceLimitExceededException" | "LimitExceededException" | "LimitExceeded" => {
            Class::LimitExceeded
        }
        "UnsupportedAvailabilityZoneException" => Class::UnsupportedZone,
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => Class::AccessDenied,
        "ExpiredTokenException"
        | "ExpiredToken"
        | "RequestExpired"
        | "UnrecognizedClientException"
        | "AuthFailure"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch" => Class::SessionExpired,
        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded" => Class::Throttled,
        // A 4xx without a code is not EKS's own word, but that of something between it and us: a
        // proxy, or a server that closes an idle connection (408) just as a request comes in.
        "" if is_nobodys_word(status) => Class::Unavailable,
        _ => by_status(status),
    }
}

const fn is_nobodys_word(status: u16) -> bool {
    matches!(status, 400..=499) && !matches!(status, 401 | 403 | 404 | 409 | 429)
}

fn invalid(message: &str) -> Class {
    if has(message, "trust policy") {
        Class::RoleNotUsable
    } else if has(message, "not a private subnet") {
        Class::NotPrivateSubnet
    } else if has(message, "availability zone") && has(message, "not supported") {
        Class::UnsupportedZone
    } else {
        Class::InvalidParameter
    }
}

const fn by_status(status: u16) -> Class {
    match status {
        401 | 403 => Class::AccessDenied,
        404 => Class::NotFound,
        409 => Class::ClusterBusy,
        429 => Class::Throttled,
        408 => Class::Unavailable,
        400..=499 => Class::InvalidParameter,
        _ => Class::Unavailable,
    }
}

/// `A Fargate Profile already exists with this name in this cluster.`
fn is_same_name(message: &str) -> bool {
    has(message, "already exists")
}

/// `Cluster has nodegroups attached`, `Cluster has Fargate Profiles in ACTIVE/CREATING state`.
fn is_not_empty(message: &str) -> bool {
    [
        "has nodegroups attached",
        "has fargate profiles",
        "has capabilities attached",
    ]
    .iter()
    .any(|words| has(message, words))
}

/// Wording drifts in case and punctuation: a pattern, not the sentence.
fn has(message: &str, pattern: &str) -> bool {
    message.to_ascii_lowercase().contains(pattern)
}

#[cfg(test)]
mod tests;
