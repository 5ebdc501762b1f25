//! The roles of add-ons by EKS Pod Identity: what `DescribeAddonConfiguration` recommends, and what
//! `CreateAddon` makes of them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::access::authorize;
use super::caller::Caller;
use super::catalog;
use super::error::AwsError;
use super::world::World;

/// The service accounts of add-ons, and the policies that they are recommended to have.
const RECOMMENDED: [(&str, &[(&str, &str)]); 5] = [
    (
        "amazon-cloudwatch-observability",
        &[("cloudwatch-agent", "CloudWatchAgentServerPolicy")],
    ),
    (
        "aws-ebs-csi-driver",
        &[(
            "ebs-csi-controller-sa",
            "service-role/AmazonEBSCSIDriverPolicy",
        )],
    ),
    (
        "aws-efs-csi-driver",
        &[(
            "efs-csi-controller-sa",
            "service-role/AmazonEFSCSIDriverPolicy",
        )],
    ),
    (
        "external-dns",
        &[("external-dns", "AmazonRoute53FullAccess")],
    ),
    ("vpc-cni", &[("aws-node", "AmazonEKS_CNI_Policy")]),
];

/// A role of an add-on's service account, as it is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AskedRole {
    service_account: String,
    role_arn: String,
}

/// Where an add-on shall be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct AskedNamespace {
    pub namespace: Option<String>,
}

fn recommended(addon: &str) -> &'static [(&'static str, &'static str)] {
    let found = RECOMMENDED.iter().find(|(name, _)| *name == addon);
    found.map_or(&[], |(_, roles)| *roles)
}

/// `DescribeAddonConfiguration`.
pub(super) fn describe_addon_configuration(
    caller: &Caller,
    query: &[(String, String)],
) -> Result<Value, AwsError> {
    authorize(caller, "eks:DescribeAddonConfiguration", "*")?;
    let value = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let (name, version) = (value("addonName"), value("addonVersion"));
    let offer = catalog::offer(&caller.region, name);
    let known = offer.is_some_and(|offer| offer.releases.iter().any(|one| one.version == version));
    if !known {
        let why = format!("No addon: {name} found with version: {version}");
        return Err(AwsError::new(404, "ResourceNotFoundException", why));
    }
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-06/schema#",
        "type": "object",
    });
    if let Some(keys) = catalog::schema(name) {
        let properties = keys.iter().map(|key| ((*key).to_owned(), json!({})));
        schema["properties"] = Value::Object(properties.collect());
        schema["additionalProperties"] = json!(false);
    }
    let partition = super::arn::partition(&caller.region);
    let roles = recommended(name).iter().map(|(account, policy)| {
        json!({
            "serviceAccount": account,
            "recommendedManagedPolicies": [format!("arn:{partition}:iam::aws:policy/{policy}")],
        })
    });
    let roles: Vec<Value> = roles.collect();
    let mut answer = json!({
        "addonName": name,
        "addonVersion": version,
        "configurationSchema": schema.to_string(),
    });
    if !roles.is_empty() {
        answer["podIdentityConfiguration"] = json!(roles);
    }
    Ok(answer)
}

impl World {
    /// Refuses roles that an add-on can't have.
    pub(super) fn check_addon_roles(
        &mut self,
        caller: &Caller,
        addon: &str,
        roles: &[AskedRole],
    ) -> Result<(), AwsError> {
        for role in roles {
            let known = recommended(addon);
            if !known
                .iter()
                .any(|(account, _)| *account == role.service_account)
            {
                return Err(AwsError::invalid_parameter(format!(
                    "Service account {} is not supported by pod identity associations of addon {addon}",
                    role.service_account
                )));
            }
            self.check_pod_role(caller, &role.role_arn)?;
        }
        Ok(())
    }

    /// Associates the service accounts of a new add-on with their roles; the ARNs of the associations.
    pub(super) fn associate_addon_roles(
        &mut self,
        caller: &Caller,
        (cluster, owner): (&str, &str),
        (namespace, roles): (&str, &[AskedRole]),
    ) -> Result<Vec<String>, AwsError> {
        let there = self.settled(caller, cluster)?;
        let mut arns = Vec::new();
        for role in roles {
            let place = (namespace, role.service_account.as_str());
            match there.associate_addon(owner, place, &role.role_arn) {
                Ok(arn) => arns.push(arn),
                Err(error) => {
                    there.dissociate_addon(owner);
                    return Err(error);
                }
            }
        }
        Ok(arns)
    }
}
