//! `iamIdentityMappings` and `identityProviders`.

use super::kubernetes_names::wrong_namespace;
use super::roles::filled;
use super::tags;
use crate::domain::cluster::spec::identity::{IdentityMapping, IdentityProviderSpec};
use crate::domain::cluster::spec::{AccessSpec, AuthenticationMode};
use crate::domain::eksctl::arn::wrong_principal;
use crate::domain::eksctl::identity as input;
use crate::domain::invalid::{Invalid, pointer_token, quoted};
use std::collections::BTreeMap;

const MAPPINGS: &str = "/iamIdentityMappings";
const PROVIDERS: &str = "/identityProviders";
const MAX_MAPPINGS: usize = 100;
const MAX_GROUPS: usize = 100;
const MAX_NAME: usize = 256;
const EMR: &str = "emr-containers";

/// What must not be asked of `aws-auth` is told at the authentication mode.
pub(super) fn mappings(
    inputs: Vec<input::IdentityMapping>,
    access: &AccessSpec,
    wrong: &mut Vec<Invalid>,
) -> Vec<IdentityMapping> {
    if !inputs.is_empty() && access.mode == AuthenticationMode::Api {
        let message = "with authenticationMode API the cluster does not read the ConfigMap aws-auth: \
                       use accessConfig.accessEntries, or API_AND_CONFIG_MAP";
        wrong.push(Invalid::new(MAPPINGS, message));
    }
    if inputs.len() > MAX_MAPPINGS {
        let message = format!("at most {MAX_MAPPINGS} mappings");
        wrong.push(Invalid::new(MAPPINGS, message));
        return Vec::new();
    }
    let mut mappings: Vec<IdentityMapping> = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("{MAPPINGS}/{i}");
        let Some(mapping) = mapping(input, &at, wrong) else {
            continue;
        };
        if let IdentityMapping::Principal { arn, once, .. } = &mapping {
            let before = mappings.iter().any(|other| arn_of(other) == Some(arn));
            if before && *once {
                let message = format!(
                    "another mapping is of {} too, and noDuplicateARNs forbids that",
                    quoted(arn)
                );
                wrong.push(Invalid::new(format!("{at}/arn"), message));
            }
        }
        if !mappings.contains(&mapping) {
            mappings.push(mapping);
        }
    }
    mappings
}

fn arn_of(mapping: &IdentityMapping) -> Option<&String> {
    match mapping {
        IdentityMapping::Principal { arn, .. } => Some(arn),
        _ => None,
    }
}

/// What kind of mapping it is; none when something that does not go together was told.
fn mapping(
    input: input::IdentityMapping,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> Option<IdentityMapping> {
    let (arn, username) = (filled(input.arn), filled(input.username));
    let (service, namespace) = (filled(input.service_name), filled(input.namespace));
    let of_principal = arn.is_some() || username.is_some() || !input.groups.is_empty();
    if let Some(account) = filled(input.account) {
        if of_principal || service.is_some() || namespace.is_some() {
            let message = "account cannot be configured with any other options";
            wrong.push(Invalid::new(format!("{at}/account"), message));
            return None;
        }
        return of_account(account, at, wrong);
    }
    match (service, namespace) {
        (Some(_), _) if of_principal => {
            let message = "cannot use arn, username, and groups with serviceName";
            wrong.push(Invalid::new(format!("{at}/serviceName"), message));
            None
        }
        (Some(service), namespace) => of_service(&service, namespace, at, wrong),
        (None, Some(_)) => {
            let message = "serviceName is required when using namespace";
            wrong.push(Invalid::new(format!("{at}/namespace"), message));
            None
        }
        (None, None) => {
            let once = input.no_duplicate_arns.unwrap_or_default();
            of_arn(
                arn.unwrap_or_default(),
                (username, input.groups, once),
                at,
                wrong,
            )
        }
    }
}

fn of_account(account: String, at: &str, wrong: &mut Vec<Invalid>) -> Option<IdentityMapping> {
    let fine = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    if !fine {
        let message = format!("invalid account {}: expected 12 digits", quoted(&account));
        wrong.push(Invalid::new(format!("{at}/account"), message));
    }
    fine.then_some(IdentityMapping::Account(account))
}

fn of_service(
    service: &str,
    namespace: Option<String>,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> Option<IdentityMapping> {
    if service != EMR {
        let message = format!("invalid service name {}: expected {EMR}", quoted(service));
        wrong.push(Invalid::new(format!("{at}/serviceName"), message));
    }
    let Some(namespace) = namespace else {
        let message = "namespace is required when using serviceName";
        wrong.push(Invalid::new(format!("{at}/serviceName"), message));
        return None;
    };
    let bad = wrong_namespace(&format!("{at}/namespace"), &namespace);
    let fine = bad.is_none() && service == EMR;
    wrong.extend(bad);
    fine.then_some(IdentityMapping::EmrContainers { namespace })
}

fn of_arn(
    arn: String,
    (username, groups, once): (Option<String>, Vec<String>, bool),
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> Option<IdentityMapping> {
    let before = wrong.len();
    if arn.is_empty() {
        let message = "one of arn, account and serviceName must be set";
        wrong.push(Invalid::new(at, message));
    } else {
        wrong.extend(wrong_principal(&format!("{at}/arn"), &arn));
        if username.is_none() && groups.is_empty() {
            let message = "neither username nor groups are set: one of them must be";
            wrong.push(Invalid::new(at, message));
        }
    }
    if let Some(name) = &username {
        wrong.extend(wrong_text(&format!("{at}/username"), name));
    }
    if groups.len() > MAX_GROUPS {
        let message = format!("at most {MAX_GROUPS} groups");
        wrong.push(Invalid::new(format!("{at}/groups"), message));
    } else {
        for (i, group) in groups.iter().enumerate() {
            wrong.extend(wrong_text(&format!("{at}/groups/{i}"), group));
        }
    }
    (wrong.len() == before).then_some(IdentityMapping::Principal {
        arn,
        username,
        groups,
        once,
    })
}

fn wrong_text(at: &str, text: &str) -> Option<Invalid> {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    let fine = (1..=MAX_NAME).contains(&text.len()) && !text.contains(odd);
    let message = format!(
        "invalid name {}: expected 1 to {MAX_NAME} characters without whitespace",
        quoted(text)
    );
    (!fine).then(|| Invalid::new(at, message))
}

pub(super) fn providers(
    inputs: Vec<input::IdentityProvider>,
    wrong: &mut Vec<Invalid>,
) -> Vec<IdentityProviderSpec> {
    if inputs.len() > 1 {
        let message = "EKS takes one identity provider a cluster: leave one";
        wrong.push(Invalid::new(PROVIDERS, message));
        return Vec::new();
    }
    let inputs = inputs.into_iter().enumerate();
    inputs
        .map(|(i, input)| provider(input, &format!("{PROVIDERS}/{i}"), wrong))
        .collect()
}

fn provider(
    input: input::IdentityProvider,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> IdentityProviderSpec {
    let kind = input.kind.unwrap_or_default();
    if kind != "oidc" {
        let message = format!("invalid type {}: expected oidc", quoted(&kind));
        wrong.push(Invalid::new(format!("{at}/type"), message));
    }
    tags::check(&input.tags, at, wrong);
    check_claims(
        &input.required_claims,
        &format!("{at}/requiredClaims"),
        wrong,
    );
    let issuer_url = input.issuer_url.unwrap_or_default();
    wrong.extend(wrong_url(&format!("{at}/issuerURL"), &issuer_url));
    let mut text = |key: &str, value: Option<String>| {
        let value = filled(value);
        let told = value
            .as_deref()
            .and_then(|value| wrong_text(&format!("{at}/{key}"), value));
        wrong.extend(told);
        value
    };
    let spec = IdentityProviderSpec {
        name: text("name", input.name).unwrap_or_default(),
        client_id: text("clientID", input.client_id).unwrap_or_default(),
        username_claim: text("usernameClaim", input.username_claim),
        username_prefix: text("usernamePrefix", input.username_prefix),
        groups_claim: text("groupsClaim", input.groups_claim),
        groups_prefix: text("groupsPrefix", input.groups_prefix),
        issuer_url,
        required_claims: input.required_claims,
        tags: input.tags,
    };
    for (key, value) in [("name", &spec.name), ("clientID", &spec.client_id)] {
        if value.is_empty() {
            wrong.push(Invalid::new(
                format!("{at}/{key}"),
                format!("{key} must be set"),
            ));
        }
    }
    spec
}

/// EKS asks the issuer from the internet.
fn wrong_url(at: &str, url: &str) -> Option<Invalid> {
    let host = url.strip_prefix("https://").unwrap_or_default();
    let fine = !host.is_empty()
        && !host.starts_with('/')
        && url.len() <= 2048
        && !url.contains(['?', '#'])
        && url.bytes().all(|b| b.is_ascii_graphic());
    let message = format!(
        "invalid URL of an issuer {}: expected https:// and a host, without ? and #",
        quoted(url)
    );
    (!fine).then(|| Invalid::new(at, message))
}

fn check_claims(claims: &BTreeMap<String, String>, at: &str, wrong: &mut Vec<Invalid>) {
    const MAX: usize = 50;
    if claims.len() > MAX {
        wrong.push(Invalid::new(at, format!("at most {MAX} claims")));
        return;
    }
    for (key, value) in claims {
        if !(1..=63).contains(&key.len()) || !(1..=253).contains(&value.len()) {
            let message = "a claim has 1 to 63 characters, and its value 1 to 253";
            wrong.push(Invalid::new(
                format!("{at}/{}", pointer_token(key)),
                message,
            ));
        }
    }
}
