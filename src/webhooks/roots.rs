//! Certificate authorities of one's own, trusted beside those of the system.

use std::path::Path;

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

/// The authorities of a PEM file; none of them unless one is read. Clones are cheap enough.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<Certificate>);

/// Why a file can't be used. It names the setting, not what is in the file.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// There is no such file, or no reading it.
    #[error("FLEET_WEBHOOK_CA_FILE can't be used: the file can't be read: {0}")]
    Unreadable(std::io::Error),
    /// It is something else.
    #[error("FLEET_WEBHOOK_CA_FILE can't be used: the file does not hold certificates as PEM")]
    NotPem,
    /// One of them is of no use.
    #[error("FLEET_WEBHOOK_CA_FILE can't be used: certificate {0} is not one of an authority")]
    Unusable(usize),
}

impl Roots {
    /// Reads and checks a file of one or more certificates.
    pub fn load(path: &Path) -> Result<Self, RootsError> {
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
        let read: Vec<CertificateDer<'static>> = read.map_err(|error| match error {
            pem::Error::Io(error) => RootsError::Unreadable(error),
            _ => RootsError::NotPem,
        })?;
        if read.is_empty() {
            return Err(RootsError::NotPem);
        }
        let mut store = RootCertStore::empty();
        let mut roots = Vec::with_capacity(read.len());
        for (place, der) in (1..).zip(read) {
            let unusable = || RootsError::Unusable(place);
            roots.push(Certificate::from_der(&der).map_err(|_| unusable())?);
            store.add(der).map_err(|_| unusable())?;
        }
        Ok(Self(roots))
    }

    pub(super) fn certificates(&self) -> Vec<Certificate> {
        self.0.clone()
    }
}
