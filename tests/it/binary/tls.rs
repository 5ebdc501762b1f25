//! TLS: served, renewed without a restart, and refused at start when the files are of no use.

use std::path::{Path, PathBuf};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client};
use tempfile::TempDir;

use super::support::{BOUND, Process, Stage, until};

/// A certificate for the local host and its key, as files.
struct Files {
    directory: TempDir,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn certificate(&self) -> PathBuf {
        self.path("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.path("key.pem")
    }

    /// Writes a new pair, and answers with the certificate.
    fn renew(&self) -> String {
        let hosts = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(hosts).unwrap();
        std::fs::write(self.certificate(), cert.pem()).unwrap();
        std::fs::write(self.key(), signing_key.serialize_pem()).unwrap();
        cert.pem()
    }
}

/// A client that trusts this certificate and no other.
fn trusting(certificate: &str) -> Client {
    let root = Certificate::from_pem(certificate.as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([root])
        .timeout(BOUND)
        .build()
        .unwrap()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn the_api_speaks_tls_and_takes_a_new_certificate_without_a_restart() {
    let stage = Stage::new().await;
    let files = Files::new();
    let first = files.renew();
    let (certificate, key) = (text(&files.certificate()), text(&files.key()));
    let variables = [
        ("FLEET_TLS_CERTIFICATE", certificate.as_str()),
        ("FLEET_TLS_KEY", key.as_str()),
    ];
    let (mut api, address) = stage.api_with(&variables).await;
    let url = format!("https://{address}/readyz");
    let answer = trusting(&first).get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let promise = &answer.headers()["strict-transport-security"];
    assert_eq!(promise, "max-age=31536000");
    let plain = Client::new().get(format!("http://{address}/readyz"));
    let plain = plain.timeout(BOUND).send().await;
    assert!(plain.is_err(), "{plain:?}");

    // Half a pair changes nothing, and is told.
    std::fs::write(files.key(), "not a key").unwrap();
    assert!(trusting(&first).get(&url).send().await.is_ok());
    let told = api.logs(|line| line.contains("of before stays")).await;
    assert!(told.contains("FLEET_TLS_KEY"), "{told}");
    assert!(!told.contains("not a key"), "{told}");

    let second = files.renew();
    until("the new certificate is served", || async {
        trusting(&second).get(&url).send().await.is_ok()
    })
    .await;
    assert!(trusting(&first).get(&url).send().await.is_err());
}

#[tokio::test]
async fn files_of_no_use_are_refused_by_the_name_of_their_setting() {
    let stage = Stage::new().await;
    let files = Files::new();
    files.renew();
    let good = (files.certificate(), files.key());
    let other = Files::new();
    other.renew();
    let nonsense = files.path("nonsense.pem");
    let pem = "-----BEGIN PRIVATE KEY-----\nc3dvcmRmaXNo hunter2\n-----END PRIVATE KEY-----\n";
    std::fs::write(&nonsense, pem).unwrap();
    let absent = files.path("absent.pem");
    for (certificate, key, words) in [
        (
            &absent,
            &good.1,
            "FLEET_TLS_CERTIFICATE can't be used: the file can't be read",
        ),
        (
            &good.1,
            &good.1,
            "FLEET_TLS_CERTIFICATE can't be used: the file does not hold",
        ),
        (
            &good.0,
            &absent,
            "FLEET_TLS_KEY can't be used: the file can't be read",
        ),
        (
            &good.0,
            &good.0,
            "FLEET_TLS_KEY can't be used: the file does not hold",
        ),
        (&good.0, &nonsense, "FLEET_TLS_"),
        (
            &good.0,
            &other.key(),
            "FLEET_TLS_CERTIFICATE and FLEET_TLS_KEY don't go together",
        ),
    ] {
        let variables = [
            ("DATABASE_URL", stage.url.as_str()),
            ("FLEET_LISTEN", "127.0.0.1:0"),
            ("FLEET_TLS_CERTIFICATE", &text(certificate)),
            ("FLEET_TLS_KEY", &text(key)),
        ];
        let ended = Process::start(&["serve", "--role", "api"], &variables);
        let ended = ended.ended().await;
        let told = ended.stderr.join("\n");
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(told.contains(words), "{words}: {told}");
        for content in ["hunter2", "c3dvcmRmaXNo", "BEGIN"] {
            assert!(!told.contains(content), "{told}");
        }
    }
}
