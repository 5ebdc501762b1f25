//! IAM: the identity provider by which pods of a cluster assume roles.
//!
//! Needs no thumbprint of the issuer: IAM trusts EKS' own certificates.

use std::collections::BTreeMap;

use super::caller::{Caller, Service};
use super::query::{Query, QueryService, text_of};
use super::refusal::{Class, Refusal};

/// Whom the tokens of pods are for.
const AUDIENCE: &str = "sts.amazonaws.com";

/// The identity providers of an account, seen through one session by one step of a job.
pub struct Iam {
    caller: Caller,
}

impl Iam {
    pub(super) const fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// The ARN that a provider for this issuer has, whether it is there or not.
    #[must_use]
    pub fn oidc_provider_arn(&self, issuer: &str) -> String {
        let session = self.caller.session();
        let (partition, account) = (session.partition, &session.account_id);
        let issuer = issuer.strip_prefix("https://").unwrap_or(issuer);
        format!("arn:{partition}:iam::{account}:oidc-provider/{issuer}")
    }

    /// Makes a provider for a cluster's issuer, and answers its ARN. One that is there already is
    /// refused as existing.
    pub async fn create_oidc_provider(
        &self,
        issuer: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<String, Refusal> {
        const ACTION: &str = "CreateOpenIDConnectProvider";
        let mut parameters = vec![
            ("Url".to_owned(), issuer.to_owned()),
            ("ClientIDList.member.1".to_owned(), AUDIENCE.to_owned()),
        ];
        for (at, (key, value)) in tags.iter().enumerate() {
            let tag = format!("Tags.member.{}", at + 1);
            parameters.push((format!("{tag}.Key"), key.clone()));
            parameters.push((format!("{tag}.Value"), value.clone()));
        }
        let text = self.mutate(ACTION, parameters).await?;
        text_of(ACTION, &text, "OpenIDConnectProviderArn")
    }

    /// Whether the account has this provider.
    pub async fn has_oidc_provider(&self, arn: &str) -> Result<bool, Refusal> {
        const ACTION: &str = "GetOpenIDConnectProvider";
        let query = Query::new(QueryService::Iam, ACTION, of(arn));
        match self.caller.query_read(Service::Iam, ACTION, query).await {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.class == Class::NotFound => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// Deletes a provider. One that is gone already is no error.
    pub async fn delete_oidc_provider(&self, arn: &str) -> Result<(), Refusal> {
        match self.mutate("DeleteOpenIDConnectProvider", of(arn)).await {
            Err(refusal) if refusal.class != Class::NotFound => Err(refusal),
            _ => Ok(()),
        }
    }

    async fn mutate(
        &self,
        action: &'static str,
        parameters: impl IntoIterator<Item = (String, String)>,
    ) -> Result<String, Refusal> {
        let query = Query::new(QueryService::Iam, action, parameters);
        self.caller.query_mutate(Service::Iam, action, query).await
    }
}

fn of(arn: &str) -> [(String, String); 1] {
    [("OpenIDConnectProviderArn".to_owned(), arn.to_owned())]
}
