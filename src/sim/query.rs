//! AWS's Query protocol: forms in, XML out. STS, CloudFormation, IAM and EC2 speak it, EC2 in a flavour of its own.

use std::collections::BTreeMap;

use super::clock::fresh_id;
use super::error::AwsError;
use super::wire::{Inbound, pairs};
use super::xml::Xml;

/// A service that speaks the Query protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Sts,
    CloudFormation,
    Iam,
    Ec2,
    /// Elastic Load Balancing of classic load balancers.
    Elb,
    /// That of network and application load balancers.
    ElbV2,
}

impl Service {
    /// The service whose API has this version; STS when it is nobody's.
    pub(super) fn of_version(version: &str) -> Self {
        [
            Self::CloudFormation,
            Self::Iam,
            Self::Ec2,
            Self::Elb,
            Self::ElbV2,
        ]
        .into_iter()
        .find(|service| service.version() == version)
        .unwrap_or(Self::Sts)
    }

    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Sts => "2011-06-15",
            Self::CloudFormation => "2010-05-15",
            Self::Iam => "2010-05-08",
            Self::Ec2 => "2016-11-15",
            Self::Elb => "2012-06-01",
            Self::ElbV2 => "2015-12-01",
        }
    }

    /// The name in policies and signatures.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::CloudFormation => "cloudformation",
            Self::Iam => "iam",
            Self::Ec2 => "ec2",
            Self::Elb | Self::ElbV2 => "elasticloadbalancing",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::CloudFormation => "http://cloudformation.amazonaws.com/doc/2010-05-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Self::Elb => "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/",
            Self::ElbV2 => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
        }
    }

    /// What entries of lists are called.
    pub(super) fn entry(self) -> &'static str {
        if self == Self::Ec2 { "item" } else { "member" }
    }
}

/// The fields of a request.
#[derive(Debug)]
pub(super) struct Form(pub Vec<(String, String)>);

impl Form {
    pub(super) fn read(inbound: &Inbound) -> Self {
        let posted = || {
            std::str::from_utf8(&inbound.body)
                .map(pairs)
                .unwrap_or_default()
        };
        Self(if inbound.method == "POST" {
            posted()
        } else {
            inbound.query.clone()
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value, when there is one that isn't empty.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    pub(super) fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    /// The structures of a list in their order: `Tags.member.1.Key` is the field `Key` of the first
    /// one in `Tags.member`. A list of texts has them in the field with an empty name.
    pub(super) fn structures(&self, list: &str) -> Vec<BTreeMap<&str, &str>> {
        let mut found: BTreeMap<u32, BTreeMap<&str, &str>> = BTreeMap::new();
        for (key, value) in &self.0 {
            let Some(rest) = key
                .strip_prefix(list)
                .and_then(|rest| rest.strip_prefix('.'))
            else {
                continue;
            };
            let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                found.entry(number).or_default().insert(field, value);
            }
        }
        found.into_values().collect()
    }

    /// The texts of a list.
    pub(super) fn texts(&self, list: &str) -> Vec<&str> {
        let structures = self.structures(list);
        structures
            .iter()
            .filter_map(|one| one.get("").copied())
            .collect()
    }

    /// The tags in a list of structures.
    pub(super) fn tags(&self, list: &str) -> BTreeMap<String, String> {
        let structures = self.structures(list);
        let pair = |tag: &BTreeMap<&str, &str>| {
            let value = tag.get("Value").copied().unwrap_or_default();
            Some(((*tag.get("Key")?).to_owned(), value.to_owned()))
        };
        structures.iter().filter_map(pair).collect()
    }
}

/// The whole answer to a call that succeeded.
pub(super) fn document(service: Service, action: &str, body: &str) -> String {
    let (id, namespace) = (fresh_id(), service.namespace());
    if service == Service::Ec2 {
        return format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{action}Response xmlns=\"{namespace}\">\
             <requestId>{id}</requestId>{body}</{action}Response>"
        );
    }
    let result = if body.is_empty() {
        String::new()
    } else {
        format!("<{action}Result>{body}</{action}Result>")
    };
    format!(
        "<{action}Response xmlns=\"{namespace}\">{result}\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// The whole answer to a call that was refused.
pub(super) fn refusal(service: Service, error: &AwsError) -> (u16, String) {
    let (status, code) = named(service, error);
    let mut xml = Xml::default();
    let id = fresh_id().to_string();
    if service == Service::Ec2 {
        xml.within("Response", |response| {
            response.within("Errors", |errors| {
                errors.within("Error", |one| {
                    one.text("Code", code).text("Message", &error.message);
                });
            });
            response.text("RequestID", id);
        });
        return (
            status,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}",
                xml.finish()
            ),
        );
    }
    let kind = if status >= 500 { "Receiver" } else { "Sender" };
    xml.within("Error", |one| {
        one.text("Type", kind)
            .text("Code", code)
            .text("Message", &error.message);
    });
    xml.text("RequestId", id);
    let document = format!(
        "<ErrorResponse xmlns=\"{}\">{}</ErrorResponse>",
        service.namespace(),
        xml.finish()
    );
    (status, document)
}

/// These services name some errors otherwise than EKS does, and EC2 otherwise than the others.
fn named(service: Service, error: &AwsError) -> (u16, &str) {
    let (status, code) = (error.status, error.code.as_str());
    if service == Service::Ec2 {
        return match code {
            "ExpiredTokenException" => (400, "RequestExpired"),
            "UnrecognizedClientException" | "MissingAuthenticationTokenException" => {
                (401, "AuthFailure")
            }
            "AccessDeniedException" => (403, "UnauthorizedOperation"),
            "TooManyRequestsException" => (503, "RequestLimitExceeded"),
            "ServerException" => (status, "InternalError"),
            "ServiceUnavailableException" => (status, "Unavailable"),
            other => (status, other),
        };
    }
    match code {
        "ExpiredTokenException" => (status, "ExpiredToken"),
        "UnrecognizedClientException" => (status, "InvalidClientTokenId"),
        "MissingAuthenticationTokenException" => (status, "MissingAuthenticationToken"),
        "IncompleteSignatureException" => (status, "IncompleteSignature"),
        "AccessDeniedException" => (status, "AccessDenied"),
        "TooManyRequestsException" if service == Service::Sts => (status, "Throttling"),
        "TooManyRequestsException" => (400, "Throttling"),
        "ServerException" => (status, "InternalFailure"),
        "ServiceUnavailableException" => (status, "ServiceUnavailable"),
        other => (status, other),
    }
}

/// What a call without a known operation is answered.
pub(super) fn no_operation(form: &Form) -> AwsError {
    let (action, version) = (form.action(), form.get("Version").unwrap_or_default());
    if action.is_empty() {
        return AwsError::new(400, "MissingAction", "The request has no Action");
    }
    AwsError::new(
        400,
        "InvalidAction",
        format!("Could not find operation {action} for version {version}"),
    )
}

/// A `ValidationError`, as all but EC2 have it.
pub(super) fn validation(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "ValidationError", message)
}

/// A `ValidationError` about one member of a request.
pub(super) fn constraint(value: &str, member: &str, rule: &str) -> AwsError {
    let value: String = value.chars().take(100).collect();
    validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
    ))
}

/// The value of a field that must be there; `member` is its name in AWS's sentence.
pub(super) fn required<'a>(form: &'a Form, field: &str, member: &str) -> Result<&'a str, AwsError> {
    form.filled(field).ok_or_else(|| {
        validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Form(fields.iter().map(owned).collect())
    }

    #[test]
    fn sts_answers_with_its_own_names_and_escapes_them() {
        let error = AwsError::new(403, "AccessDeniedException", "<no>");
        let (status, body) = refusal(Service::Sts, &error);
        assert!(body.contains("<Code>AccessDenied</Code><Message>&lt;no&gt;</Message>"));
        assert_eq!(status, 403);
    }

    #[test]
    fn ec2_has_names_and_a_shape_of_its_own() {
        let (status, body) = refusal(Service::Ec2, &AwsError::throttled());
        assert_eq!(status, 503);
        assert!(body.contains("<Errors><Error><Code>RequestLimitExceeded</Code>"));
        assert!(document(Service::Ec2, "DescribeVpcs", "<a/>").contains("</requestId><a/></Desc"));
    }

    #[test]
    fn lists_are_read_in_the_order_of_their_numbers() {
        let form = form(&[
            ("Tags.member.10.Key", "b"),
            ("Tags.member.2.Key", "a"),
            ("Tags.member.2.Value", "1"),
            ("Tags.member", ""),
            ("Names.member.2", "y"),
            ("Names.member.1", "x"),
        ]);
        assert_eq!(form.texts("Names.member"), ["x", "y"]);
        assert_eq!(form.structures("Tags.member")[0]["Value"], "1");
        assert_eq!(form.tags("Tags.member")["b"], "");
    }

    #[test]
    fn the_version_tells_the_service() {
        assert_eq!(Service::of_version("2010-05-15"), Service::CloudFormation);
        assert_eq!(Service::of_version("1999-01-01"), Service::Sts);
    }
}
