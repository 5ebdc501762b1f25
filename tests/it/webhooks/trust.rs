//! Receivers that speak TLS, with certificates of an authority that only some trust.

use std::path::Path;
use std::sync::Arc;

use fargate_fleet::webhooks::{Roots, SenderOptions};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio_rustls::TlsAcceptor;

use super::support::{Receiver, delivery, make_due, options, post, sender_with};
use crate::support::app::TestApp;

/// A certificate authority that no system trusts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.as_ref().pem()
    }

    /// The same as a file.
    pub fn write(&self, path: &Path) {
        std::fs::write(path, self.pem()).unwrap();
    }

    /// The serving side of TLS, with a certificate for `host`.
    pub fn server(&self, host: &str) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    fn trusted(&self) -> SenderOptions {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        self.write(&path);
        SenderOptions {
            roots: Roots::load(&path).unwrap(),
            ..options()
        }
    }
}

#[tokio::test]
async fn a_receiver_is_told_only_when_its_certificate_is_trusted() {
    let authority = Authority::new("ours");
    let receiver = Receiver::start_tls(authority.server("127.0.0.1")).await;
    let app = TestApp::start().await;
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    for others in [options(), Authority::new("theirs").trusted()] {
        make_due(&app).await;
        assert_eq!(sender_with(&app, others).round().await.unwrap(), 1);
        let refused = delivery(&app, &webhook).await;
        let reason = "the receiver's certificate is not trusted: it is of an unknown authority";
        assert_eq!(
            (&refused["state"], &refused["lastError"]),
            (&json!("pending"), &json!(reason))
        );
        assert!(refused.get("lastStatus").is_none(), "{refused}");
    }
    assert_eq!(receiver.count(), 0);
    make_due(&app).await;
    let sender = sender_with(&app, authority.trusted());
    assert_eq!(sender.round().await.unwrap(), 1);
    receiver
        .only()
        .assert_signed_by(&[webhook["secret"].as_str().unwrap()]);
    assert_eq!(delivery(&app, &webhook).await["state"], "succeeded");
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_certificate_of_another_host_is_not_trusted() {
    let authority = Authority::new("ours");
    let receiver = Receiver::start_tls(authority.server("hooks.example.com")).await;
    let app = TestApp::start().await;
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    let sender = sender_with(&app, authority.trusted());
    assert_eq!(sender.round().await.unwrap(), 1);
    let refused = delivery(&app, &webhook).await;
    assert_eq!(
        refused["lastError"],
        "the receiver's certificate is not trusted: it is for another host"
    );
    assert_eq!(receiver.count(), 0);
    receiver.stop().await;
    app.end().await;
}

#[test]
fn a_file_without_authorities_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let told = || Roots::load(&path).unwrap_err().to_string();
    assert!(told().contains("can't be read"), "{}", told());
    let nonsense = "-----BEGIN CERTIFICATE-----\nc3dvcmRmaXNo\n-----END CERTIFICATE-----\n";
    let authority = Authority::new("ours").pem();
    for (content, words) in [
        (String::new(), "does not hold certificates"),
        ("swordfish".to_owned(), "does not hold certificates"),
        (nonsense.to_owned(), "certificate 1 is not"),
        (format!("{authority}{nonsense}"), "certificate 2 is not"),
    ] {
        std::fs::write(&path, content).unwrap();
        assert!(told().contains(words), "{words}: {}", told());
        assert!(!told().contains("swordfish"));
    }
    std::fs::write(
        &path,
        format!("{authority}{}", Authority::new("ours").pem()),
    )
    .unwrap();
    assert!(Roots::load(&path).is_ok());
}
