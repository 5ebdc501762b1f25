//! Secrets at rest: AES-256-GCM, bound to their webhook.
//!
//! The key comes from a setting, or from `service_secrets` when there is none: then it protects
//! what shows `webhooks` alone, such as an export of that table, and not a copy of the database.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::signature::Secret;
use crate::db::secrets;
use crate::rng::Rng;

/// Seals and opens the secrets of webhooks; cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<LessSafeKey>);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key can't be read.
    #[error("reading the key of the webhooks' secrets")]
    Database(#[from] sqlx::Error),
    /// The cipher refused.
    #[error("the secret was not sealed with this key")]
    Cipher,
}

impl Vault {
    /// A vault with the key that `configured` gives, or with the one kept in the database.
    pub async fn open(
        connection: &mut PgConnection,
        configured: Option<&[u8]>,
        rng: &Rng,
    ) -> Result<Self, VaultError> {
        if let Some(configured) = configured {
            return Self::new(configured);
        }
        let fresh = rng.bytes::<32>();
        let kept = secrets::get_or_create(connection, "webhook_secrets", &fresh).await?;
        Self::new(&kept)
    }

    /// A vault whose key is drawn from these bytes.
    pub fn new(material: &[u8]) -> Result<Self, VaultError> {
        let mut hash = Sha256::new();
        hash.update(b"fargate-fleet webhook secrets\0");
        hash.update(material);
        let key = UnboundKey::new(&AES_256_GCM, &hash.finalize());
        let key = key.map_err(|_| VaultError::Cipher)?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Seals a webhook's secret: nonce, ciphertext, tag.
    pub fn seal(&self, rng: &Rng, webhook: Uuid, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        let nonce = rng.bytes::<NONCE_LEN>();
        let mut sealed = secret.bytes().to_vec();
        let tag = self.0.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(webhook.as_bytes()),
            &mut sealed,
        );
        let tag = tag.map_err(|_| VaultError::Cipher)?;
        Ok([nonce.as_slice(), &sealed, tag.as_ref()].concat())
    }

    /// Opens what was sealed for this webhook.
    pub fn unseal(&self, webhook: Uuid, sealed: &[u8]) -> Result<Secret, VaultError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(VaultError::Cipher)?;
        let mut opened = sealed.to_vec();
        let secret = self.0.open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(webhook.as_bytes()),
            &mut opened,
        );
        let secret = secret.map_err(|_| VaultError::Cipher)?;
        Ok(Secret::of(secret.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_for_its_webhook_and_key() {
        let rng = Rng::seeded(1);
        let (vault, other) = (Vault::new(b"key").unwrap(), Vault::new(b"other").unwrap());
        let (webhook, secret) = (Uuid::from_u128(1), Secret::fresh(&rng));
        let sealed = vault.seal(&rng, webhook, &secret).unwrap();
        assert!(vault.unseal(webhook, &sealed).is_ok_and(|it| it == secret));
        assert!(vault.unseal(Uuid::from_u128(2), &sealed).is_err());
        assert!(other.unseal(webhook, &sealed).is_err());
        assert!(vault.unseal(webhook, &sealed[..10]).is_err());
        let plain = secret.bytes();
        assert!(
            !sealed
                .windows(8)
                .any(|part| plain.windows(8).any(|it| it == part))
        );
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let rng = Rng::seeded(2);
        let vault = Vault::new(b"key").unwrap();
        let webhook = Uuid::from_u128(1);
        let sealed = vault.seal(&rng, webhook, &Secret::fresh(&rng)).unwrap();
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 1;
            assert!(vault.unseal(webhook, &forged).is_err(), "{at}");
        }
    }
}
