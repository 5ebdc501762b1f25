//! Page tokens: where a list goes on, signed so that nobody can make one up.
//!
//! A token is bound to the list and its filters, and carries no authority: what the caller may see
//! is applied again on every page.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::problem::Problem;
use crate::domain::{ErrorCode, Invalid};

const MAC_BYTES: usize = 32;

/// The key that signs page tokens.
#[derive(Clone)]
pub(super) struct PageKey(Vec<u8>);

impl PageKey {
    pub(super) fn new(key: Vec<u8>) -> Self {
        Self(key)
    }

    /// A token that goes on after `cursor` in the list `scope`.
    pub(super) fn seal(&self, scope: &str, cursor: &str) -> String {
        let mut token = self.signer(scope, cursor).finalize().into_bytes().to_vec();
        token.extend_from_slice(cursor.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    /// The cursor of a token that was sealed for this list.
    pub(super) fn open(&self, scope: &str, token: &str) -> Result<String, Problem> {
        self.opened(scope, token).ok_or_else(refused)
    }

    fn opened(&self, scope: &str, token: &str) -> Option<String> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mac, cursor) = bytes.split_at_checked(MAC_BYTES)?;
        let cursor = std::str::from_utf8(cursor).ok()?;
        self.signer(scope, cursor).verify_slice(mac).ok()?;
        Some(cursor.to_owned())
    }

    fn signer(&self, scope: &str, cursor: &str) -> Hmac<Sha256> {
        let mut signer = match Hmac::<Sha256>::new_from_slice(&self.0) {
            Ok(signer) => signer,
            // HMAC takes keys of any length.
            Err(_) => Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()),
        };
        signer.update(&(scope.len() as u64).to_be_bytes());
        signer.update(scope.as_bytes());
        signer.update(cursor.as_bytes());
        signer
    }
}

fn refused() -> Problem {
    let message = "not a page token of this list with these filters: begin again without it";
    let mut problem = Problem::new(
        ErrorCode::InvalidRequest,
        format!("/query/pageToken: {message}"),
    );
    problem.errors = vec![Invalid::new("/query/pageToken", message)];
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_for_its_list_and_key() {
        let key = PageKey::new(b"secret".to_vec());
        let token = key.seal("/v1/jobs?state=failed", "cursor");
        assert_eq!(key.open("/v1/jobs?state=failed", &token).unwrap(), "cursor");
        assert!(key.open("/v1/jobs", &token).is_err());
        assert!(
            PageKey::new(b"other".to_vec())
                .open("/v1/jobs?state=failed", &token)
                .is_err()
        );
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let key = PageKey::new(b"secret".to_vec());
        let token = key.seal("list", "cursor");
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(key.open("list", &forged).is_err(), "{at}");
        }
        for bad in ["", "x", "====", "\u{e9}"] {
            assert!(key.open("list", bad).is_err(), "{bad}");
        }
    }
}
