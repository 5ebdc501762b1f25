//! IAM: the roles that stacks make, and OpenID Connect providers. It is one for all regions of an account.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

use super::access::authorize;
use super::arn::partition;
use super::caller::Caller;
use super::clock::wall;
use super::error::AwsError;
use super::forwarded::ServiceLinkedRole;
use super::query::{Form, Service, constraint, no_operation, required};
use super::roles::Role;
use super::tags;
use super::world::{Arrival, World};
use super::xml::Xml;

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
    /// The roles that services have made for themselves.
    pub service_linked: BTreeSet<ServiceLinkedRole>,
    providers: BTreeMap<String, Provider>,
}

impl Iam {
    /// The ARNs of the identity providers.
    pub(super) fn providers(&self) -> impl Iterator<Item = &str> {
        self.providers.keys().map(String::as_str)
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
        let made = self.iam(&caller.account).roles.get(name).cloned();
        let known = made.or_else(|| self.role(&format!("{prefix}/{name}")));
        let arn = known
            .as_ref()
            .map_or_else(|| format!("{prefix}/{name}"), |role| role.arn.clone());
        authorize(caller, "iam:GetRole", &arn)?;
        let role = known
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
    use super::*;

    #[test]
    fn documents_are_percent_encoded() {
        assert_eq!(encoded(r#"{"a":1}"#), "%7B%22a%22%3A1%7D");
    }
}
