//! EKS capabilities.

use super::kubernetes_names::wrong_namespace;
use super::references::check_id;
use super::roles::{RoleInput, filled};
use super::tags;
use crate::domain::access_entry;
use crate::domain::cluster::spec::capability::{ArgoCdSpec, CapabilitySpec, CapabilityType};
use crate::domain::cluster::spec::role::RoleSource;
use crate::domain::cluster::spec::{AccessSpec, AuthenticationMode};
use crate::domain::eksctl::arn::wrong_role;
use crate::domain::eksctl::capability::{
    ArgoCdConfiguration, Capability, CapabilityConfiguration, SsoIdentity,
};
use crate::domain::ids::Region;
use crate::domain::invalid::{Invalid, quoted};
use std::collections::BTreeSet;

const AT: &str = "/capabilities";
/// One of each type, as long as there are no more types; told apart from longer lists of mistakes.
const MAX: usize = 10;
const MAX_NAME: usize = 100;
const MAX_ENDPOINTS: usize = 10;
const MAX_MAPPINGS: usize = 20;
const MAX_IDENTITIES: usize = 100;
const MAX_ID: usize = 128;
const MAX_ARN: usize = 2048;

/// What AWS has for the deletion of a capability.
const RETAIN: &str = "RETAIN";

pub(super) fn of(
    inputs: Vec<Capability>,
    region: Option<&Region>,
    wrong: &mut Vec<Invalid>,
) -> Vec<CapabilitySpec> {
    if inputs.len() > MAX {
        wrong.push(Invalid::new(AT, format!("at most {MAX} capabilities")));
        return Vec::new();
    }
    let (mut names, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    let mut capabilities = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("{AT}/{i}");
        let Some(capability) = one(input, (&at, region), wrong) else {
            continue;
        };
        if !names.insert(capability.name.clone()) {
            let message = format!("{} is listed twice", quoted(&capability.name));
            wrong.push(Invalid::new(format!("{at}/name"), message));
        }
        if !kinds.insert(capability.kind) {
            let message = format!(
                "EKS takes one capability of each type, and another one is of type {} too",
                capability.kind
            );
            wrong.push(Invalid::new(format!("{at}/type"), message));
        }
        capabilities.push(capability);
    }
    capabilities
}

/// Capabilities act by access entries of their roles.
pub(super) fn check_use(
    capabilities: &[CapabilitySpec],
    access: &AccessSpec,
    wrong: &mut Vec<Invalid>,
) {
    if !capabilities.is_empty() && access.mode == AuthenticationMode::ConfigMap {
        let message = "capabilities act in a cluster by access entries: set authenticationMode to \
                       API_AND_CONFIG_MAP or API";
        wrong.push(Invalid::new("/accessConfig/authenticationMode", message));
    }
}

/// None where its type is not known.
fn one(
    input: Capability,
    (at, region): (&str, Option<&Region>),
    wrong: &mut Vec<Invalid>,
) -> Option<CapabilitySpec> {
    let name = input.name.unwrap_or_default();
    wrong.extend(wrong_name(&format!("{at}/name"), &name));
    let kind = kind(input.kind, at, wrong);
    tags::check(&input.tags, at, wrong);
    let mut found = Vec::new();
    let access_policies = access_entry::policies(input.access_policies, &mut found);
    if let Some(region) = region {
        found.extend(access_entry::misplaced_policies(
            &access_policies,
            region.partition(),
        ));
    }
    wrong.extend(found.into_iter().map(|error| error.under(at)));
    let role = RoleInput {
        keys: ["attachPolicyARNs", "attachPolicy", "permissionsBoundary"],
        policy_arns: input.attach_policy_arns,
        document: input.attach_policy,
        document_name: None,
        well_known: None,
        name: None,
        boundary: filled(input.permissions_boundary),
    };
    let role = source(role, filled(input.role_arn), at, wrong);
    let policy = filled(input.delete_propagation_policy).unwrap_or_else(|| RETAIN.to_owned());
    if policy != RETAIN {
        let message = format!(
            "invalid deletePropagationPolicy {}: AWS has {RETAIN} alone",
            quoted(&policy)
        );
        wrong.push(Invalid::new(
            format!("{at}/deletePropagationPolicy"),
            message,
        ));
    }
    let kind = kind?;
    Some(CapabilitySpec {
        argo_cd: configuration(kind, input.configuration, at, wrong),
        name,
        kind,
        role,
        delete_propagation_policy: policy,
        access_policies,
        tags: input.tags,
    })
}

fn wrong_name(at: &str, name: &str) -> Option<Invalid> {
    if name.is_empty() {
        return Some(Invalid::new(at, "capability name is required"));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    let begins = name.as_bytes()[0].is_ascii_alphanumeric();
    let fine = begins && name.len() <= MAX_NAME && name.bytes().all(allowed);
    let message = format!(
        "invalid name of a capability {}: expected 1 to {MAX_NAME} letters, digits, - or _, the first \
         a letter or digit",
        quoted(name)
    );
    (!fine).then(|| Invalid::new(at, message))
}

fn kind(given: Option<String>, at: &str, wrong: &mut Vec<Invalid>) -> Option<CapabilityType> {
    let at = format!("{at}/type");
    let Some(given) = filled(given) else {
        wrong.push(Invalid::new(at, "capability type is required"));
        return None;
    };
    let kind = given.parse().ok();
    if kind.is_none() {
        let message = format!(
            "invalid type of a capability {}: expected ACK, KRO or ARGOCD",
            quoted(&given)
        );
        wrong.push(Invalid::new(at, message));
    }
    kind
}

/// A role that is given or made; never both.
fn source(
    role: RoleInput,
    given: Option<String>,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> RoleSource {
    let Some(arn) = given else {
        return RoleSource::New(role.check(at, wrong));
    };
    let at = format!("{at}/roleArn");
    wrong.extend(wrong_role(&at, &arn));
    if arn.matches('/').count() > 1 {
        let message = "CloudFormation takes no role with a path for a capability";
        wrong.push(Invalid::new(at.as_str(), message));
    }
    if role.has_policies() || role.boundary.is_some() {
        let message = "roleArn names a role that exists, which is not changed here: remove roleArn, or \
                       attachPolicyARNs, attachPolicy and permissionsBoundary";
        wrong.push(Invalid::new(at, message));
    }
    RoleSource::Given(arn)
}

fn configuration(
    kind: CapabilityType,
    given: Option<CapabilityConfiguration>,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> Option<ArgoCdSpec> {
    let at = format!("{at}/configuration");
    if kind != CapabilityType::ArgoCd {
        if given.is_some() {
            let message = format!("configuration is of Argo CD alone: remove it from type {kind}");
            wrong.push(Invalid::new(at, message));
        }
        return None;
    }
    let Some(given) = given else {
        let message = "configuration is required for ARGOCD capability";
        wrong.push(Invalid::new(at, message));
        return None;
    };
    let Some(given) = given.argocd else {
        let message = "argocd configuration is required for ARGOCD capability";
        wrong.push(Invalid::new(at, message));
        return None;
    };
    Some(argo_cd(given, &format!("{at}/argocd"), wrong))
}

fn argo_cd(given: ArgoCdConfiguration, at: &str, wrong: &mut Vec<Invalid>) -> ArgoCdSpec {
    let namespace = filled(given.namespace);
    wrong.extend(
        namespace
            .as_deref()
            .and_then(|name| wrong_namespace(&format!("{at}/namespace"), name)),
    );
    let endpoints = given.network_access.unwrap_or_default().vpce_ids;
    let here = format!("{at}/networkAccess/vpceIds");
    if endpoints.len() > MAX_ENDPOINTS {
        let message = format!("at most {MAX_ENDPOINTS} VPC endpoints");
        wrong.push(Invalid::new(here.as_str(), message));
    }
    for (i, id) in endpoints.iter().take(MAX_ENDPOINTS).enumerate() {
        check_id(id, "vpce-", &format!("{here}/{i}"), wrong);
    }
    if given.aws_idc.is_none() {
        let message = "awsIdc configuration is required for ARGOCD capability";
        wrong.push(Invalid::new(at, message));
    }
    let named = given.aws_idc.is_some();
    let idc = given.aws_idc.unwrap_or_default();
    let instance = idc.idc_instance_arn;
    if named && !is_instance(&instance) {
        let message = format!(
            "invalid instance of IAM Identity Center {}: expected arn:<partition>:sso:::instance/<id>",
            quoted(&instance)
        );
        wrong.push(Invalid::new(format!("{at}/awsIdc/idcInstanceArn"), message));
    }
    let instance_region = filled(idc.idc_region);
    if let Some(region) = &instance_region
        && let Err(error) = Region::parse(region.as_str())
    {
        let message = error.message().to_owned();
        wrong.push(Invalid::new(format!("{at}/awsIdc/idcRegion"), message));
    }
    let mappings = given.rbac_role_mappings;
    let here = format!("{at}/rbacRoleMappings");
    if mappings.len() > MAX_MAPPINGS {
        let message = format!("at most {MAX_MAPPINGS} mappings");
        wrong.push(Invalid::new(here.as_str(), message));
    }
    let mappings = mappings.into_iter().take(MAX_MAPPINGS).enumerate();
    let roles = mappings.map(|(i, mapping)| {
        let at = format!("{here}/{i}");
        one_of(
            &format!("{at}/role"),
            &mapping.role,
            &["ADMIN", "EDITOR", "VIEWER"],
            wrong,
        );
        (mapping.role, identities(mapping.identities, &at, wrong))
    });
    ArgoCdSpec {
        roles: roles.collect(),
        namespace,
        vpc_endpoints: endpoints,
        instance,
        instance_region,
    }
}

fn identities(
    given: Vec<SsoIdentity>,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> Vec<(String, String)> {
    let at = format!("{at}/identities");
    if given.is_empty() || given.len() > MAX_IDENTITIES {
        let message = format!("expected 1 to {MAX_IDENTITIES} identities");
        wrong.push(Invalid::new(at, message));
        return Vec::new();
    }
    let given = given.into_iter().enumerate();
    let checked = given.map(|(i, identity)| {
        let at = format!("{at}/{i}");
        let id = &identity.id;
        if !(1..=MAX_ID).contains(&id.len())
            || !id.bytes().all(|b| b.is_ascii_graphic())
            || id.contains("{{")
        {
            let message = format!(
                "invalid id {}: expected 1 to {MAX_ID} characters without whitespace",
                quoted(id)
            );
            wrong.push(Invalid::new(format!("{at}/id"), message));
        }
        one_of(
            &format!("{at}/type"),
            &identity.kind,
            &["SSO_USER", "SSO_GROUP"],
            wrong,
        );
        (identity.id, identity.kind)
    });
    checked.collect()
}

/// Its form alone: whether there is one, AWS tells.
fn is_instance(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "sso", "", "", instance] = parts.as_slice() else {
        return false;
    };
    let id = instance.strip_prefix("instance/").unwrap_or_default();
    partition.starts_with("aws")
        && (1..=MAX_ARN).contains(&arn.len())
        && !id.is_empty()
        && !id.contains("{{")
        && !id.chars().any(char::is_control)
}

fn one_of(at: &str, given: &str, allowed: &[&str], wrong: &mut Vec<Invalid>) {
    if !allowed.contains(&given) {
        let message = format!(
            "invalid value {}: expected one of {}",
            quoted(given),
            allowed.join(", ")
        );
        wrong.push(Invalid::new(at, message));
    }
}
