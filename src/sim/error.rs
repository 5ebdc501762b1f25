//! An error as AWS answers it: HTTP status, code, message, and the members that EKS's model adds.

use serde_json::{Map, Value};

/// What a refused call is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AwsError {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl AwsError {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterException", message)
    }

    pub(super) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidRequestException", message)
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::new(400, "ResourceLimitExceededException", message)
    }

    pub(super) fn in_use(message: impl Into<String>) -> Self {
        Self::new(409, "ResourceInUseException", message)
    }

    pub(super) fn no_cluster(name: &str) -> Self {
        Self::new(
            404,
            "ResourceNotFoundException",
            format!("No cluster found for name: {name}."),
        )
    }

    pub(super) fn no_profile(name: &str) -> Self {
        Self::new(
            404,
            "ResourceNotFoundException",
            format!("No Fargate Profile found with name: {name}"),
        )
    }

    pub(super) fn throttled() -> Self {
        Self::new(429, "TooManyRequestsException", "Rate exceeded")
    }

    pub(super) fn expired() -> Self {
        Self::new(
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )
    }

    /// The error that a fault asks for; what it leaves out follows from the rest.
    pub(super) fn injected(status: Option<u16>, code: Option<&str>, message: Option<&str>) -> Self {
        let status = status.unwrap_or_else(|| code.map_or(500, usual_status));
        let code = code.unwrap_or_else(|| usual_code(status));
        Self::new(status, code, message.unwrap_or("Injected by the simulator"))
    }

    /// EKS's body: the message, and the names where the model has them for this code.
    pub(super) fn body(&self, names: &Names) -> Value {
        let mut body = Map::new();
        body.insert("message".to_owned(), Value::from(self.message.clone()));
        let of_everything = matches!(
            self.code.as_str(),
            "InvalidParameterException" | "ResourceNotFoundException"
        );
        let of_addons = of_everything
            || matches!(
                self.code.as_str(),
                "ClientException"
                    | "InvalidRequestException"
                    | "ResourceInUseException"
                    | "ServerException"
            );
        let of_nodegroups = of_addons
            || matches!(
                self.code.as_str(),
                "ResourceLimitExceededException" | "UnsupportedAvailabilityZoneException"
            );
        for (carried, member, name) in [
            (of_nodegroups, "clusterName", &names.cluster),
            (of_nodegroups, "nodegroupName", &names.nodegroup),
            (of_addons, "addonName", &names.addon),
            (of_everything, "fargateProfileName", &names.profile),
        ] {
            if let (true, Some(name)) = (carried, name) {
                body.insert(member.to_owned(), Value::from(name.as_str()));
            }
        }
        Value::Object(body)
    }
}

/// What a call of EKS is about.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub cluster: Option<String>,
    pub profile: Option<String>,
    pub addon: Option<String>,
    pub nodegroup: Option<String>,
}

fn usual_status(code: &str) -> u16 {
    match code {
        "AccessDeniedException"
        | "AccessDenied"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "UnrecognizedClientException"
        | "InvalidSignatureException" => 403,
        "ResourceNotFoundException" | "NotFoundException" => 404,
        "ResourceInUseException" => 409,
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" => 429,
        "ServerException" | "InternalFailure" | "InternalServerError" => 500,
        "ServiceUnavailableException" | "ServiceUnavailable" => 503,
        _ => 400,
    }
}

fn usual_code(status: u16) -> &'static str {
    match status {
        400 => "InvalidRequestException",
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        409 => "ResourceInUseException",
        429 => "TooManyRequestsException",
        503 => "ServiceUnavailableException",
        401..=499 => "ClientException",
        _ => "ServerException",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_carry_the_names_that_the_model_has() {
        let names = Names {
            cluster: Some("c".into()),
            profile: Some("p".into()),
            addon: Some("a".into()),
            nodegroup: None,
        };
        let body = |error: AwsError| error.body(&names).to_string();
        assert_eq!(
            body(AwsError::no_profile("p")),
            r#"{"addonName":"a","clusterName":"c","fargateProfileName":"p","message":"No Fargate Profile found with name: p"}"#
        );
        assert_eq!(
            body(AwsError::in_use("busy")),
            r#"{"addonName":"a","clusterName":"c","message":"busy"}"#
        );
        assert_eq!(
            body(AwsError::throttled()),
            r#"{"message":"Rate exceeded"}"#
        );
    }

    #[test]
    fn injected_errors_fill_in_what_was_left_out() {
        let error = AwsError::injected(Some(429), None, None);
        assert_eq!(
            (error.status, error.code.as_str()),
            (429, "TooManyRequestsException")
        );
        let error = AwsError::injected(None, Some("ResourceInUseException"), Some("busy"));
        assert_eq!((error.status, error.message.as_str()), (409, "busy"));
    }
}
