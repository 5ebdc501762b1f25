//! The keys that an issuer publishes, as far as they verify what is accepted here.

use std::sync::Arc;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::token::Head;

/// The most keys that are read.
const MOST: usize = 100;

/// One public key and the one algorithm it is used with.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    pub algorithm: Algorithm,
    pub decoding: DecodingKey,
}

/// The keys of one answer.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Arc<Key>>);

/// Which key a token asks for.
#[derive(Debug)]
pub(super) enum Found {
    /// This one.
    Key(Arc<Key>),
    /// The key that it names can't have signed it, or it names none of several.
    Unfit,
    /// One that is not there.
    Unknown,
}

impl KeySet {
    /// The usable keys of a JWK set; what is of another kind is passed over (RFC 7517, 5).
    pub(super) fn of(document: &Value) -> Self {
        let list = document.get("keys").and_then(Value::as_array);
        let keys = list.into_iter().flatten().take(MOST).filter_map(Key::of);
        Self(keys.map(Arc::new).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key that a token's header names, if that fits the algorithm.
    pub(super) fn find(&self, head: &Head) -> Found {
        let Some(id) = &head.key_id else {
            return match self.0.as_slice() {
                [only] if only.algorithm == head.algorithm => Found::Key(Arc::clone(only)),
                _ => Found::Unfit,
            };
        };
        let named = self.0.iter().filter(|key| key.id.as_ref() == Some(id));
        let mut found = Found::Unknown;
        for key in named {
            if key.algorithm == head.algorithm {
                return Found::Key(Arc::clone(key));
            }
            found = Found::Unfit;
        }
        found
    }
}

impl Key {
    fn of(value: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        let (algorithm, name) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
            }
            _ => return None,
        };
        let common = &jwk.common;
        let verifies = |allowed: &Vec<_>| allowed.contains(&KeyOperations::Verify);
        let fits = common
            .key_algorithm
            .as_ref()
            .is_none_or(|given| *given == name)
            && common
                .public_key_use
                .as_ref()
                .is_none_or(|used| *used == PublicKeyUse::Signature)
            && common.key_operations.as_ref().is_none_or(verifies);
        if !fits {
            return None;
        }
        Some(Self {
            id: common.key_id.clone(),
            algorithm,
            decoding: DecodingKey::from_jwk(&jwk).ok()?,
        })
    }
}
