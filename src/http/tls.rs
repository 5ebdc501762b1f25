//! TLS with a certificate from two PEM files, which may be replaced while the API runs.
//!
//! A handshake looks whether the files have changed since they were read. Files that can't be used
//! are told in the log once, and the certificate before them stays. What is in the files is never
//! told.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Why a certificate can't be used. It names the setting, not what is in the file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate's file.
    #[error("FLEET_TLS_CERTIFICATE can't be used: {0}")]
    Certificate(String),
    /// The key's file.
    #[error("FLEET_TLS_KEY can't be used: {0}")]
    Key(String),
    /// They are of no use together.
    #[error("FLEET_TLS_CERTIFICATE and FLEET_TLS_KEY don't go together: {0}")]
    Pair(String),
    /// The versions of TLS that we want.
    #[error("setting up TLS")]
    Setup(#[from] rustls::Error),
}

/// A certificate that was read and can be used; clones share it.
#[derive(Clone)]
pub struct Tls {
    config: ServerConfig,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}

impl Tls {
    /// Reads a certificate with its chain, and its private key.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = Files {
            certificate,
            key,
            provider: Arc::clone(&provider),
        };
        let read = files.read()?;
        let current = Mutex::new((files.stamps(), read));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Renewed { files, current }));
        Ok(Self { config })
    }

    pub(super) fn config(&self) -> ServerConfig {
        self.config.clone()
    }
}

/// When each file was changed last, and how long it is.
type Stamps = [Option<(SystemTime, u64)>; 2];

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
}

impl Files {
    fn stamps(&self) -> Stamps {
        [&self.certificate, &self.key].map(|path| {
            let facts = std::fs::metadata(path).ok()?;
            Some((facts.modified().ok()?, facts.len()))
        })
    }

    fn read(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let chain = chain(&self.certificate).map_err(TlsError::Certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| TlsError::Key(reason(&error, "a private key")))?;
        let pair = CertifiedKey::from_der(chain, key, &self.provider);
        pair.map(Arc::new)
            .map_err(|error| TlsError::Pair(error.to_string()))
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let what = "a certificate";
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let chain: Vec<_> = read.map_err(|error| reason(&error, what))?;
    if chain.is_empty() {
        return Err(reason(&pem::Error::NoItemsFound, what));
    }
    Ok(chain)
}

/// What is wrong with a file, without its lines.
fn reason(error: &pem::Error, what: &str) -> String {
    match error {
        pem::Error::Io(error) => format!("the file can't be read: {error}"),
        pem::Error::NoItemsFound => format!("the file does not hold {what} as PEM"),
        _ => "the file is not PEM".to_owned(),
    }
}

/// The certificate of now.
struct Renewed {
    files: Files,
    current: Mutex<(Stamps, Arc<CertifiedKey>)>,
}

impl fmt::Debug for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewed(..)")
    }
}

impl ResolvesServerCert for Renewed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let stamps = self.files.stamps();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != stamps {
            current.0 = stamps;
            match self.files.read() {
                Ok(read) => {
                    tracing::info!("the certificate was read anew");
                    current.1 = read;
                }
                Err(error) => tracing::warn!(%error, "the certificate of before stays"),
            }
        }
        Some(Arc::clone(&current.1))
    }
}
