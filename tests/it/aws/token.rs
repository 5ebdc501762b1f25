//! The token by which a cluster's Kubernetes API knows a session.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use url::Url;

use super::support::{CLUSTER, REGION, Scripted};

#[tokio::test]
async fn a_token_is_a_presigned_call_that_names_the_cluster_and_lasts_a_minute() {
    let aws = Scripted::new(&[]);
    let caller = aws.caller().await;
    let token = caller.kubernetes_token(CLUSTER).await.unwrap();
    let encoded = token.strip_prefix("k8s-aws-v1.").unwrap();
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(encoded).unwrap();
    let url = Url::parse(std::str::from_utf8(&decoded).unwrap()).unwrap();
    let pairs: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("Action", "GetCallerIdentity"),
        ("Version", "2011-06-15"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Expires", "60"),
        ("X-Amz-SignedHeaders", "host;x-k8s-aws-id"),
        ("X-Amz-Security-Token", "token+/="),
    ] {
        assert_eq!(pairs[name], value, "{name}");
    }
    assert!(pairs["X-Amz-Credential"].ends_with(&format!("/{REGION}/sts/aws4_request")));
    assert_eq!(pairs["X-Amz-Signature"].len(), 64);
    assert!(
        aws.calls().is_empty(),
        "nobody is asked but STS for the session"
    );

    let other = caller.kubernetes_token("prod-2").await.unwrap();
    assert_ne!(other, token, "it is bound to the cluster");
}
