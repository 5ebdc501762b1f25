//! The OIDC issuers whose tokens a cluster takes.

use std::collections::HashMap;

use aws_sdk_eks::types;

use super::caller::Service;
use super::clusters::Clusters;
use super::convert::unanswered;
use super::eks::tags;
use super::refusal::{Class, Refusal};
use crate::domain::cluster::spec::identity::IdentityProviderSpec;

/// The only type that there is.
const OIDC: &str = "oidc";

/// A provider that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityProviderView {
    /// `CREATING`, `ACTIVE` or `DELETING`; unknown ones pass through.
    pub status: String,
    /// The URL of the issuer.
    pub issuer_url: String,
    /// Whom the tokens are for.
    pub client_id: String,
}

impl Clusters {
    /// One provider; none when the cluster has none of that name.
    pub async fn identity_provider(
        &self,
        cluster: &str,
        name: &str,
    ) -> Result<Option<IdentityProviderView>, Refusal> {
        const ACTION: &str = "DescribeIdentityProviderConfig";
        let which = types::IdentityProviderConfig::builder()
            .r#type(OIDC)
            .name(name)
            .build()
            .map_err(|error| unwritable(ACTION, &error))?;
        let answer = self
            .caller()
            .read(Service::Eks, ACTION, |aws| {
                aws.eks
                    .describe_identity_provider_config()
                    .cluster_name(cluster)
                    .identity_provider_config(which.clone())
                    .send()
            })
            .await;
        match answer {
            Ok(answer) => {
                let found = answer.identity_provider_config.and_then(|one| one.oidc);
                let found = found.ok_or_else(|| unanswered(ACTION))?;
                let status = found.status.map(|status| status.as_str().to_owned());
                Ok(Some(IdentityProviderView {
                    status: status.unwrap_or_default(),
                    issuer_url: found.issuer_url.unwrap_or_default(),
                    client_id: found.client_id.unwrap_or_default(),
                }))
            }
            Err(refusal) if refusal.class == Class::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Asks for a provider; answers the id of the update of the cluster.
    pub async fn associate_identity_provider(
        &self,
        cluster: &str,
        new: &IdentityProviderSpec,
        client_request_token: String,
    ) -> Result<String, Refusal> {
        const ACTION: &str = "AssociateIdentityProviderConfig";
        let claims: HashMap<String, String> = new.required_claims.clone().into_iter().collect();
        let oidc = types::OidcIdentityProviderConfigRequest::builder()
            .identity_provider_config_name(&new.name)
            .issuer_url(&new.issuer_url)
            .client_id(&new.client_id)
            .set_username_claim(new.username_claim.clone())
            .set_username_prefix(new.username_prefix.clone())
            .set_groups_claim(new.groups_claim.clone())
            .set_groups_prefix(new.groups_prefix.clone())
            .set_required_claims((!claims.is_empty()).then_some(claims))
            .build()
            .map_err(|error| unwritable(ACTION, &error))?;
        let answer = self
            .caller()
            .mutate(Service::Eks, ACTION, |aws| {
                aws.eks
                    .associate_identity_provider_config()
                    .cluster_name(cluster)
                    .oidc(oidc)
                    .set_tags(tags(new.tags.clone()))
                    .client_request_token(client_request_token)
                    .send()
            })
            .await?;
        let id = answer.update.and_then(|update| update.id);
        id.ok_or_else(|| unanswered(ACTION))
    }
}

/// What can't be written down as a request is a fault of ours.
fn unwritable(action: &'static str, error: &dyn std::error::Error) -> Refusal {
    Refusal {
        action,
        class: Class::OurFault,
        code: None,
        message: error.to_string(),
        request_id: None,
    }
}
