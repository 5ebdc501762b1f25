//! The clients of one session: all of them use its credentials and the connections of all sessions.

use std::sync::OnceLock;
use std::time::SystemTime;

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_eks::config::retry::RetryPartition;
use aws_sdk_eks::error::{ErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::credentials::SessionCredentials;
use super::endpoints::{self, Wanted};
use super::query::{self, Query};
use super::refusal::Refusal;
use super::sessions::SessionKey;
use super::signing::{self, Signer};

/// Made once a session: making one takes longer than a call's way through it.
pub(super) struct Clients {
    /// Nearly every session calls EKS.
    pub(super) eks: aws_sdk_eks::Client,
    cloudformation: OnceLock<aws_sdk_cloudformation::Client>,
    config: SdkConfig,
    retries: RetryPartition,
    credentials: Credentials,
    region: String,
    partition: &'static str,
}

impl Clients {
    /// The clients of a session with these credentials.
    pub(super) fn new(base: &SdkConfig, key: &SessionKey, credentials: Credentials) -> Self {
        let provider = SharedCredentialsProvider::new(SessionCredentials(credentials.clone()));
        let config = base
            .to_builder()
            .region(Region::new(key.region.clone()))
            .credentials_provider(provider)
            .build();
        // The SDK's own partition is the region, shared by all accounts.
        let retries = RetryPartition::custom(format!("{} {}", key.account_id, key.region)).build();
        let eks = aws_sdk_eks::config::Builder::from(&config)
            .retry_partition(retries.clone())
            .build();
        Self {
            eks: aws_sdk_eks::Client::from_conf(eks),
            cloudformation: OnceLock::new(),
            config,
            retries,
            credentials,
            region: key.region.clone(),
            partition: key.partition,
        }
    }

    /// CloudFormation.
    pub(super) fn cloudformation(&self) -> &aws_sdk_cloudformation::Client {
        self.cloudformation.get_or_init(|| {
            let config = aws_sdk_cloudformation::config::Builder::from(&self.config)
                .retry_partition(self.retries.clone())
                .build();
            aws_sdk_cloudformation::Client::from_conf(config)
        })
    }

    /// A call of a service whose SDK is not worth its build.
    pub(super) async fn query(
        &self,
        query: Query,
        now: SystemTime,
    ) -> Result<String, SdkError<ErrorMetadata, HttpResponse>> {
        let place = endpoints::of_query(query.service, &self.config, self.wanted())
            .map_err(SdkError::construction_failure)?;
        let signer = Signer {
            credentials: &self.credentials,
            region: &place.region,
            service: query.service.signing_name(),
            now,
        };
        query::send(&self.config, &place.url, &query, &signer).await
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted::of(&self.config, &self.region, self.partition)
    }

    /// See [`super::Caller::kubernetes_token`].
    pub(super) async fn kubernetes_token(
        &self,
        cluster: &str,
        now: SystemTime,
    ) -> Result<String, Refusal> {
        let url = endpoints::of_sts(&self.config, self.wanted())
            .await
            .map_err(|error| signing::unsigned(&error))?;
        let signer = Signer {
            credentials: &self.credentials,
            region: &self.region,
            service: "sts",
            now,
        };
        signing::kubernetes_token(&signer, &url, cluster)
    }
}
