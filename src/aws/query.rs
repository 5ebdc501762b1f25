//! AWS's query protocol, for the few calls of services whose SDK costs minutes of build: a signed
//! form goes out by the SDK's own machinery, XML comes back. CloudWatch Logs takes JSON, and answers it.
//!
//! It keeps what the SDK's clients keep: the connections of all sessions, their timeouts, one try.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_eks::error::{ErrorMetadata, SdkError};
use aws_sigv4::http_request::SigningSettings;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use roxmltree::{Document, Node};
use serde_json::Value;

use super::convert::unanswered;
use super::refusal::Refusal;
use super::signing::Signer;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/x-amz-json-1.1";
/// Which action a request in JSON is for.
const TARGET: &str = "x-amz-target";

/// A service that is called this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueryService {
    Ec2,
    Iam,
    /// Elastic Load Balancing of classic load balancers.
    Elb,
    /// That of network and application load balancers.
    ElbV2,
    /// CloudWatch Logs.
    Logs,
}

impl QueryService {
    pub(super) const fn signing_name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Elb | Self::ElbV2 => "elasticloadbalancing",
            Self::Logs => "logs",
        }
    }

    const fn version(self) -> &'static str {
        match self {
            Self::Ec2 => "2016-11-15",
            Self::Iam => "2010-05-08",
            Self::Elb => "2012-06-01",
            Self::ElbV2 => "2015-12-01",
            Self::Logs => "2014-03-28",
        }
    }

    /// Its name in the SDKs' settings.
    pub(super) const fn service_id(self) -> &'static str {
        match self {
            Self::Ec2 => "EC2",
            Self::Iam => "IAM",
            Self::Elb => "Elastic Load Balancing",
            Self::ElbV2 => "Elastic Load Balancing v2",
            Self::Logs => "CloudWatch Logs",
        }
    }
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) service: QueryService,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Query {
    /// A call with its parameters.
    pub(super) fn new(
        service: QueryService,
        action: &'static str,
        parameters: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", service.version())
            .extend_pairs(parameters)
            .finish();
        Self {
            service,
            headers: vec![("content-type", FORM.to_owned())],
            body: form,
        }
    }

    /// A call of CloudWatch Logs.
    pub(super) fn of_logs(action: &'static str, members: &Value) -> Self {
        let target = format!("Logs_20140328.{action}");
        Self {
            service: QueryService::Logs,
            headers: vec![("content-type", JSON.to_owned()), (TARGET, target)],
            body: members.to_string(),
        }
    }
}

/// Sends a call and answers the text of what comes back.
pub(super) async fn send(
    config: &SdkConfig,
    url: &str,
    query: &Query,
    signer: &Signer<'_>,
) -> Result<String, SdkError<ErrorMetadata, HttpResponse>> {
    let url = format!("{}/", url.trim_end_matches('/'));
    let request = signed(&url, query, signer).map_err(SdkError::construction_failure)?;
    let timeouts = config.timeout_config().cloned();
    let mut operation = Operation::builder()
        .service_name(query.service.signing_name())
        .operation_name("query")
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url.trim_end_matches('/'))
        .timeout_config(timeouts.unwrap_or_else(TimeoutConfig::disabled))
        .no_auth()
        .no_retry();
    if let Some(client) = config.http_client() {
        operation = operation.http_client(client);
    }
    operation
        .serializer(|request: HttpRequest| Ok(request))
        .deserializer(answer)
        .build()
        .invoke(request)
        .await
}

fn signed(url: &str, query: &Query, signer: &Signer<'_>) -> Result<HttpRequest, BoxError> {
    let headers = query.headers.iter();
    let headers: Vec<(&str, &str)> = headers.map(|(name, text)| (*name, text.as_str())).collect();
    let body = query.body.as_bytes();
    let added = signer.sign(("POST", url), &headers, body, SigningSettings::default())?;
    let mut request = HttpRequest::new(SdkBody::from(query.body.as_str()));
    request.set_method("POST")?;
    request.set_uri("/")?;
    for (name, text) in &query.headers {
        request.headers_mut().try_insert(*name, text.clone())?;
    }
    for (name, value) in added.headers() {
        request
            .headers_mut()
            .try_insert(name.to_owned(), value.to_owned())?;
    }
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<String, OrchestratorError<ErrorMetadata>> {
    let text = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    if response.status().is_success() {
        Ok(text.into_owned())
    } else {
        Err(OrchestratorError::operation(error(&text)))
    }
}

/// EC2 says `Response/Errors/Error`, IAM `ErrorResponse/Error`, Logs has members of JSON; what is neither
/// has no code.
fn error(text: &str) -> ErrorMetadata {
    let mut error = ErrorMetadata::builder();
    if let Ok(Value::Object(members)) = serde_json::from_str(text) {
        let member = |name: &str| members.get(name).and_then(Value::as_str);
        if let Some(code) = member("__type") {
            // A namespace may come before it.
            error = error.code(code.rsplit('#').next().unwrap_or(code));
        }
        if let Some(message) = member("message").or_else(|| member("Message")) {
            error = error.message(message);
        }
    } else if let Ok(document) = Document::parse(text)
        && let Some(node) = document.descendants().find(|node| is(*node, "Error"))
    {
        if let Some(code) = child(node, "Code") {
            error = error.code(code);
        }
        if let Some(message) = child(node, "Message") {
            error = error.message(message);
        }
    }
    error.build()
}

/// Reads an answer: `list` is the element that holds the items, `item` each of them. Namespaces,
/// which carry the API's version, don't count.
pub(super) fn items<T>(
    action: &'static str,
    text: &str,
    (list, item): (&str, &str),
    read: impl Fn(Node<'_, '_>) -> T,
) -> Result<Vec<T>, Refusal> {
    let document = Document::parse(text).map_err(|_| unanswered(action))?;
    let list = document
        .descendants()
        .find(|node| is(*node, list))
        .ok_or_else(|| unanswered(action))?;
    let items = list.children().filter(|node| is(*node, item));
    Ok(items.map(read).collect())
}

/// One page of a list: its items, and the token of the next page.
pub(super) fn page<T>(
    action: &'static str,
    text: &str,
    (list, item): (&str, &str),
    token: &str,
    read: impl Fn(Node<'_, '_>) -> T,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    let found = items(action, text, (list, item), read)?;
    let next = text_of(action, text, token).ok();
    Ok((found, next.filter(|token| !token.is_empty())))
}

/// The entries of a list inside an element, which may not be there.
pub(super) fn items_of<'a, 'input>(
    node: Node<'a, 'input>,
    list: &str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    let list = node.children().find(|node| is(*node, list));
    let items = list.into_iter().flat_map(|list| list.children());
    items.filter(Node::is_element)
}

/// The text of a child of a child.
pub(super) fn within(node: Node<'_, '_>, outer: &str, inner: &str) -> Option<String> {
    let outer = node.children().find(|node| is(*node, outer))?;
    child(outer, inner)
}

/// The text of one element of an answer.
pub(super) fn text_of(action: &'static str, text: &str, name: &str) -> Result<String, Refusal> {
    let document = Document::parse(text).map_err(|_| unanswered(action))?;
    let found = document.descendants().find(|node| is(*node, name));
    let text = found.and_then(|node| node.text()).map(str::to_owned);
    text.ok_or_else(|| unanswered(action))
}

/// The text of a child.
pub(super) fn child(node: Node<'_, '_>, name: &str) -> Option<String> {
    let found = node.children().find(|node| is(*node, name));
    found.and_then(|node| node.text()).map(str::to_owned)
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_read_of_xml_and_of_json() {
        let xml = "<Response><Errors><Error><Code>A</Code><Message>b</Message></Error></Errors></Response>";
        for (text, code, message) in [
            (xml, Some("A"), Some("b")),
            (r#"{"__type":"A","message":"b"}"#, Some("A"), Some("b")),
            (
                r#"{"__type":"com.amazonaws#A","Message":"b"}"#,
                Some("A"),
                Some("b"),
            ),
            ("Bad Gateway", None, None),
        ] {
            let error = error(text);
            assert_eq!((error.code(), error.message()), (code, message), "{text}");
        }
    }

    #[test]
    fn calls_of_logs_name_their_action_in_a_header() {
        let query = Query::of_logs("PutRetentionPolicy", &json!({"retentionInDays": 7}));
        let target = (TARGET, "Logs_20140328.PutRetentionPolicy".to_owned());
        assert_eq!(query.headers[1], target);
        assert_eq!(query.body, r#"{"retentionInDays":7}"#);
    }
}
