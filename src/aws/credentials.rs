//! The SDK's door to a session we made: fixed credentials, known to be valid now.

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};

/// The credentials of one session.
#[derive(Debug, Clone)]
pub(super) struct SessionCredentials(pub(super) Credentials);

impl ProvideCredentials for SessionCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Ok(self.0.clone()))
    }
}
