//! The Kubernetes API of one cluster, as far as this service needs it.
//!
//! | file | what |
//! |---|---|
//! | `api` | calls: one object, lists page by page, patches, deletions |
//! | `deployment` | CoreDNS' Deployment: its pods' compute type, its rollout |
//! | `pods`, `nodes` | where pods run, and which nodes are Ready |
//! | `services`, `ingresses`, `exposed` | what has load balancers; deleting them |
//! | `namespaces`, `service_accounts`, `config_maps`, `emr` | what is made for those who work in it |
//! | `error` | what a failed call means |
//!
//! Promises: only `https://` with the cluster's own certificate authority, unless AWS is simulated;
//! no redirect, no proxy, and no answer of more than a few MiB; no call lasts longer than ten
//! seconds; tokens appear in no text.

mod api;
mod config_maps;
mod deployment;
mod emr;
mod error;
mod exposed;
mod ingresses;
mod meta;
mod namespaces;
mod nodes;
mod pods;
mod service_accounts;
mod services;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};

pub use config_maps::ConfigMap;
pub use deployment::{Deployment, Rollout};
pub use error::{KubernetesError, Trouble};
pub use exposed::Exposed;
pub use ingresses::Ingress;
pub use meta::Meta;
pub use nodes::Node;
pub use pods::Pod;
pub use service_accounts::WantedServiceAccount;
pub use services::Service;

/// What EKS reads from a pod to know where it shall run.
pub const COMPUTE_TYPE: &str = "eks.amazonaws.com/compute-type";
/// Its value for pods on Fargate.
pub const FARGATE: &str = "fargate";

/// A private cluster's address does not answer from elsewhere, it hangs.
const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(10);
/// In bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// How a cluster is reached.
#[derive(Clone)]
pub struct Access<'a> {
    /// The URL of its API.
    pub endpoint: &'a str,
    /// Who signs the URL's certificate: PEM in base64, as EKS gives it.
    pub certificate_authority: Option<&'a str>,
    /// Who asks, as the cluster wants it.
    pub token: &'a str,
    /// Whether `http://` will do: with simulators and tests only.
    pub plain_http: bool,
}

/// One cluster's API.
#[derive(Debug)]
pub struct Kubernetes {
    http: Client,
    base: Url,
    authorization: HeaderValue,
}

impl Kubernetes {
    /// Makes no call.
    pub fn new(access: &Access<'_>) -> Result<Self, KubernetesError> {
        let base = base(access)?;
        let mut http = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .user_agent(concat!("fargate-fleet/", env!("CARGO_PKG_VERSION")));
        if base.scheme() == "https" {
            http = http.tls_certs_only(authority(access.certificate_authority)?);
        }
        let unusable = || KubernetesError::setup("the cluster's token is not usable");
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {}", access.token)).map_err(|_| unusable())?;
        authorization.set_sensitive(true);
        Ok(Self {
            http: http
                .build()
                .map_err(|_| KubernetesError::setup("TLS could not be set up"))?,
            base,
            authorization,
        })
    }
}

fn base(access: &Access<'_>) -> Result<Url, KubernetesError> {
    let bad = || KubernetesError::setup("the cluster's address is not an https:// URL");
    let mut base = Url::parse(access.endpoint).map_err(|_| bad())?;
    if !(base.scheme() == "https" || base.scheme() == "http" && access.plain_http) {
        return Err(bad());
    }
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    Ok(base)
}

fn authority(text: Option<&str>) -> Result<Vec<Certificate>, KubernetesError> {
    let bad = || KubernetesError::setup("the cluster's certificate authority can't be read");
    let pem = STANDARD.decode(text.ok_or_else(bad)?).map_err(|_| bad())?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| bad())?;
    if certificates.is_empty() {
        return Err(bad());
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: Access<'static> = Access {
        endpoint: "https://1.eks.amazonaws.com",
        certificate_authority: None,
        token: "k8s-aws-v1.abc",
        plain_http: false,
    };

    fn refused(access: &Access<'_>) -> String {
        Kubernetes::new(access).unwrap_err().message
    }

    #[test]
    fn only_https_will_do_unless_aws_is_simulated() {
        for endpoint in ["http://127.0.0.1:1", "file:///etc/passwd", "1.eks", ""] {
            let access = Access { endpoint, ..HTTPS };
            assert!(refused(&access).contains("https://"), "{endpoint}");
        }
        let simulated = Access {
            endpoint: "http://127.0.0.1:1",
            plain_http: true,
            ..HTTPS
        };
        assert!(Kubernetes::new(&simulated).is_ok());
    }

    #[test]
    fn https_needs_an_authority_and_any_address_a_token_that_fits_a_header() {
        for authority in [None, Some("?"), Some("bm90IGEgUEVN")] {
            let access = Access {
                certificate_authority: authority,
                ..HTTPS
            };
            assert!(refused(&access).contains("authority"), "{authority:?}");
        }
        let split = Access {
            endpoint: "http://127.0.0.1:1",
            token: "a\nb",
            plain_http: true,
            ..HTTPS
        };
        assert!(refused(&split).contains("token"));
    }

    #[tokio::test]
    async fn an_address_where_nobody_listens_is_unreachable_and_the_token_stays_out_of_texts() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let kubernetes = Kubernetes::new(&Access {
            endpoint: &format!("http://{address}/"),
            plain_http: true,
            ..HTTPS
        })
        .unwrap();
        let error = kubernetes.coredns().await.unwrap_err();
        assert_eq!(error.trouble, Trouble::Unreachable, "{error}");
        assert!(!format!("{error:?} {kubernetes:?}").contains("abc"));
    }
}
