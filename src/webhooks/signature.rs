//! Signatures of Standard Webhooks 1.0: `v1,` and the base64 of an HMAC-SHA256 over id, time and
//! body.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::rng::Rng;

/// What a secret's text begins with.
pub const PREFIX: &str = "whsec_";

/// The key of a webhook's signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A new one, of 256 bits.
    #[must_use]
    pub fn fresh(rng: &Rng) -> Self {
        Self(rng.bytes::<32>().to_vec())
    }

    /// One of these bytes.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Reads `whsec_...`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// The text that its owner is shown, once.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut signing = hmac::Context::with_key(&key);
        signing.update(format!("{id}.{timestamp}.").as_bytes());
        signing.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(signing.sign().as_ref()))
    }
}

/// The header `webhook-signature`: one signature a secret, the newest first.
#[must_use]
pub fn signatures(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let each: Vec<String> = secrets
        .iter()
        .map(|secret| secret.sign(id, timestamp, body))
        .collect();
    each.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the specification's own libraries.
    const VECTORS: [(&str, &str, i64, &str, &str); 2] = [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
    ];

    #[test]
    fn the_vectors_of_the_specification_hold() {
        for (text, id, timestamp, body, signature) in VECTORS {
            let secret = Secret::parse(text).unwrap();
            assert_eq!(secret.text(), text);
            let signed = signatures(&[secret], id, timestamp, body.as_bytes());
            assert_eq!(signed, signature);
        }
    }

    #[test]
    fn every_part_is_signed() {
        let secrets = [Secret::of(vec![7; 32])];
        let one = signatures(&secrets, "id", 1, b"body");
        for other in [
            signatures(&secrets, "id2", 1, b"body"),
            signatures(&secrets, "id", 2, b"body"),
            signatures(&secrets, "id", 1, b"body2"),
            signatures(&[Secret::of(vec![8; 32])], "id", 1, b"body"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn two_secrets_sign_one_after_the_other() {
        let (new, old) = (Secret::of(vec![1; 32]), Secret::of(vec![2; 32]));
        let both = signatures(&[new.clone(), old.clone()], "id", 1, b"");
        let each = [
            signatures(&[new], "id", 1, b""),
            signatures(&[old], "id", 1, b""),
        ];
        assert_eq!(both, each.join(" "));
    }

    #[test]
    fn a_secret_is_of_256_bits_and_reads_back() {
        let secret = Secret::fresh(&Rng::seeded(1));
        assert_eq!(secret.bytes().len(), 32);
        assert!(Secret::parse(&secret.text()) == Some(secret));
        for bad in ["", "whsec_", "whsec_*", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(Secret::parse(bad).is_none(), "{bad}");
        }
    }
}
