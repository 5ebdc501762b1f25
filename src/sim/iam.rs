//! IAM: the roles that stacks make, and OpenID Connect providers. It is one for all regions of an account.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::access::authorize;
use super::arn::partition;
use super::caller::Caller;
use super::clock::wall;
use super::error::AwsError;
use super::forwarded::ServiceLinkedRole;
use super::query::{Form, Service, constraint, no_operation, required};
use super::tags;
use super::text::glob;
use super::world::{Arrival, World};
use super::xml::Xml;

/// The service that must be trusted by the roles of Fargate's pods.
const FARGATE: &str = "eks-fargate-pods.amazonaws.com";

/// The roles that are in every account.
const FIXED: [&str; 2] = [super::sts::FLEET_ROLE, "fargate-pod-execution"];

#[derive(Debug, Clone)]
pub(super) struct Role {
    pub arn: String,
    pub id: String,
    pub path: String,
    pub created_at: DateTime<Utc>,
    /// By the simulated clock: until IAM has spread it, nobody can use it.
    pub made_at: Duration,
    pub trust: Value,
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Provider {
    /// Without its scheme.
    url: String,
    clients: Vec<String>,
    thumbprints: Vec<String>,
    created_at: DateTime<Utc>,
    tags: BTreeMap<String, String>,
}

/// What an account has in IAM.
#[derive(Debug, Default)]
pub(super) struct Iam {
    /// By name.
    pub roles: BTreeMap<String, Role>,
    /// The ARNs of roles that were deleted.
    pub gone: BTreeSet<String>,
    /// The roles that services have made for themselves.
    pub service_linked: BTreeSet<ServiceLinkedRole>,
    providers: BTreeMap<String, Provider>,
}

/// What IAM has to say to a role that EKS Fargate is to use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It was not made here: it is judged by its name.
    Unknown,
    Gone,
    Yes,
    No,
}

impl Iam {
    /// The ARNs of the identity providers.
    pub(super) fn providers(&self) -> impl Iterator<Item = &str> {
        self.providers.keys().map(String::as_str)
    }

    /// Whether a role lets EKS Fargate run the pods of a profile; only from `spread` on.
    pub(super) fn trust(&self, role_arn: &str, profile_arn: &str, spread: Duration) -> Trust {
        if let Some(role) = self.roles.values().find(|role| role.arn == role_arn) {
            let trusts = role.made_at <= spread && trusts(&role.trust, profile_arn);
            return if trusts { Trust::Yes } else { Trust::No };
        }
        if self.gone.contains(role_arn) {
            return Trust::Gone;
        }
        Trust::Unknown
    }
}

/// Whether a trust policy lets EKS Fargate assume its role for a profile.
fn trusts(policy: &Value, profile_arn: &str) -> bool {
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    statements.iter().any(|statement| {
        let services = texts(statement.pointer("/Principal/Service"));
        let sources = ["ArnLike", "ArnEquals", "StringLike"]
            .into_iter()
            .flat_map(|operator| {
                texts(statement.pointer(&format!("/Condition/{operator}/aws:SourceArn")))
            });
        let sources: Vec<&str> = sources.collect();
        statement.get("Effect").and_then(Value::as_str) == Some("Allow")
            && services.contains(&FARGATE)
            && (sources.is_empty() || sources.iter().any(|source| glob(source, profile_arn)))
    })
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

impl World {
    /// Serves one call; the answer is what the result's element holds.
    pub(super) fn iam_call(&mut self, form: &Form, arrival: &Arrival) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        match form.action() {
            "GetRole" => self.get_role(form, caller),
            "CreateOpenIDConnectProvider" => self.create_provider(form, arrival),
            "GetOpenIDConnectProvider" => self.get_provider(form, caller),
            "ListOpenIDConnectProviders" => self.list_providers(caller),
            "DeleteOpenIDConnectProvider" => self.delete_provider(form, arrival),
            _ => Err(no_operation(form)),
        }
    }

    fn get_role(&mut self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        let name = required(form, "RoleName", "roleName")?;
        let prefix = format!(
            "arn:{}:iam::{}:role",
            partition(&caller.region),
            caller.account
        );
        let known = self.iam(&caller.account).roles.get(name).cloned();
        let arn = known
            .as_ref()
            .map_or_else(|| format!("{prefix}/{name}"), |role| role.arn.clone());
        authorize(caller, "iam:GetRole", &arn)?;
        let fixed = FIXED.contains(&name).then(|| Role {
            arn,
            id: format!("AROASIM{}", caller.account),
            path: "/".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            made_at: Duration::ZERO,
            trust: serde_json::json!({"Version": "2012-10-17", "Statement": []}),
            boundary: None,
            tags: BTreeMap::new(),
        });
        let role = known
            .or(fixed)
            .ok_or_else(|| no_entity(format!("The role with name {name} cannot be found.")))?;
        let mut xml = Xml::default();
        xml.within("Role", |x| {
            x.text("Path", &role.path)
                .text("RoleName", name)
                .text("RoleId", &role.id)
                .text("Arn", &role.arn)
                .text("CreateDate", date(role.created_at))
                .text("AssumeRolePolicyDocument", encoded(&role.trust.to_string()))
                .text("MaxSessionDuration", "3600")
                // Nobody has used it within the time that IAM looks back.
                .within("RoleLastUsed", |_| {});
            if let Some(boundary) = &role.boundary {
                x.within("PermissionsBoundary", |x| {
                    x.text("PermissionsBoundaryType", "Policy")
                        .text("PermissionsBoundaryArn", boundary);
                });
            }
            write_tags(x, &role.tags);
        });
        Ok(xml.finish())
    }

    fn create_provider(&mut self, form: &Form, arrival: &Arrival) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        let whole = required(form, "Url", "url")?;
        let url = whole.strip_prefix("https://").ok_or_else(|| {
            let why = "Invalid Open ID Connect Provider URL: it must begin with https://";
            AwsError::new(400, "InvalidInput", why)
        })?;
        let arn = provider_arn(caller, url);
        authorize(caller, "iam:CreateOpenIDConnectProvider", &arn)?;
        let tags = form.tags("Tags.member");
        tags::check(&BTreeMap::new(), &tags)
            .map_err(|why| AwsError::new(400, "InvalidInput", why))?;
        if !tags.is_empty() {
            authorize(caller, "iam:TagOpenIDConnectProvider", &arn)?;
        }
        let providers = &mut self.iam(&caller.account).providers;
        if providers.contains_key(&arn) {
            let why = format!("Provider with url {whole} already exists.");
            return Err(AwsError::new(409, "EntityAlreadyExists", why));
        }
        let owned = |list| form.texts(list).into_iter().map(str::to_owned).collect();
        let provider = Provider {
            url: url.to_owned(),
            clients: owned("ClientIDList.member"),
            thumbprints: owned("ThumbprintList.member"),
            created_at: wall(),
            tags: tags.clone(),
        };
        providers.insert(arn.clone(), provider);
        self.recorder.changed(arrival.seq);
        let mut xml = Xml::default();
        xml.text("OpenIDConnectProviderArn", arn);
        write_tags(&mut xml, &tags);
        Ok(xml.finish())
    }

    fn get_provider(&mut self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        let arn = provider_of(form)?;
        authorize(caller, "iam:GetOpenIDConnectProvider", arn)?;
        let provider = self
            .iam(&caller.account)
            .providers
            .get(arn)
            .ok_or_else(|| no_entity(format!("OpenIDConnect Provider not found for arn {arn}")))?;
        let entry = Service::Iam.entry();
        let mut xml = Xml::default();
        xml.text("Url", &provider.url)
            .texts("ClientIDList", entry, &provider.clients)
            .texts("ThumbprintList", entry, &provider.thumbprints)
            .text("CreateDate", date(provider.created_at));
        write_tags(&mut xml, &provider.tags);
        Ok(xml.finish())
    }

    fn list_providers(&mut self, caller: &Caller) -> Result<String, AwsError> {
        authorize(
            caller,
            "iam:ListOpenIDConnectProviders",
            &provider_arn(caller, "*"),
        )?;
        let arns = self.iam(&caller.account).providers.keys();
        let mut xml = Xml::default();
        xml.list(
            "OpenIDConnectProviderList",
            Service::Iam.entry(),
            arns,
            |x, arn| {
                x.text("Arn", arn);
            },
        );
        Ok(xml.finish())
    }

    /// Deleting one that isn't there succeeds as well.
    fn delete_provider(&mut self, form: &Form, arrival: &Arrival) -> Result<String, AwsError> {
        let arn = provider_of(form)?;
        authorize(&arrival.caller, "iam:DeleteOpenIDConnectProvider", arn)?;
        if self
            .iam(&arrival.caller.account)
            .providers
            .remove(arn)
            .is_some()
        {
            self.recorder.changed(arrival.seq);
        }
        Ok(String::new())
    }

    pub(super) fn iam(&mut self, account: &str) -> &mut Iam {
        self.iam.entry(account.to_owned()).or_default()
    }
}

fn provider_of(form: &Form) -> Result<&str, AwsError> {
    let member = "openIDConnectProviderArn";
    let arn = required(form, "OpenIDConnectProviderArn", member)?;
    if arn.len() < 20 {
        let rule = "Member must have length greater than or equal to 20";
        return Err(constraint(arn, member, rule));
    }
    Ok(arn)
}

fn provider_arn(caller: &Caller, url: &str) -> String {
    let (partition, account) = (partition(&caller.region), &caller.account);
    format!("arn:{partition}:iam::{account}:oidc-provider/{url}")
}

fn no_entity(why: String) -> AwsError {
    AwsError::new(404, "NoSuchEntity", why)
}

fn date(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// IAM answers policies percent-encoded.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn write_tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    if tags.is_empty() {
        return;
    }
    xml.list("Tags", Service::Iam.entry(), tags, |x, (key, value)| {
        x.text("Key", key).text("Value", value);
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROFILE: &str = "arn:aws:eks:eu-central-1:111111111111:fargateprofile/new/fp/1";

    fn policy(service: &str, source: &str) -> Value {
        json!({"Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": [service]},
            "Condition": {"ArnLike": {"aws:SourceArn": source}},
        }]})
    }

    #[test]
    fn a_role_trusts_fargate_for_the_profiles_it_names() {
        let mine = "arn:aws:eks:eu-central-1:111111111111:fargateprofile/new/*";
        assert!(trusts(&policy(FARGATE, mine), PROFILE));
        assert!(!trusts(
            &policy(FARGATE, &mine.replace("new", "old")),
            PROFILE
        ));
        assert!(!trusts(&policy("ec2.amazonaws.com", mine), PROFILE));
        let plain = json!({"Statement": {"Effect": "Allow", "Principal": {"Service": FARGATE}}});
        assert!(trusts(&plain, PROFILE));
    }

    #[test]
    fn a_role_is_trusted_once_it_has_spread() {
        let mut iam = Iam::default();
        let role = Role {
            arn: "arn:aws:iam::111111111111:role/r".into(),
            id: String::new(),
            path: "/".into(),
            created_at: DateTime::UNIX_EPOCH,
            made_at: Duration::from_secs(10),
            trust: policy(FARGATE, "*"),
            boundary: None,
            tags: BTreeMap::new(),
        };
        let arn = role.arn.clone();
        iam.roles.insert("r".into(), role);
        assert_eq!(iam.trust(&arn, PROFILE, Duration::from_secs(9)), Trust::No);
        assert_eq!(
            iam.trust(&arn, PROFILE, Duration::from_secs(10)),
            Trust::Yes
        );
        iam.roles.clear();
        assert_eq!(iam.trust(&arn, PROFILE, Duration::MAX), Trust::Unknown);
        iam.gone.insert(arn.clone());
        assert_eq!(iam.trust(&arn, PROFILE, Duration::MAX), Trust::Gone);
    }

    #[test]
    fn documents_are_percent_encoded() {
        assert_eq!(encoded(r#"{"a":1}"#), "%7B%22a%22%3A1%7D");
    }
}
