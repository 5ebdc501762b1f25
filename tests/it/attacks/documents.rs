//! Bodies that are larger, deeper or other than they look.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::Method;

use crate::support::app::{ACCOUNT, BASE, Send as _, TestApp};

/// A body as it is sent.
pub struct Document {
    name: &'static str,
    media_type: &'static str,
    encoding: &'static str,
    body: Vec<u8>,
    /// What it may be answered with.
    statuses: &'static [u16],
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const REFUSED: &[u16] = &[400, 422];

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflated(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn yaml(name: &'static str, body: impl Into<Vec<u8>>) -> Document {
    Document {
        name,
        media_type: YAML,
        encoding: "",
        body: body.into(),
        statuses: REFUSED,
    }
}

fn json(name: &'static str, body: impl Into<Vec<u8>>) -> Document {
    Document {
        media_type: JSON,
        ..yaml(name, body)
    }
}

fn encoded(
    name: &'static str,
    encoding: &'static str,
    body: Vec<u8>,
    statuses: &'static [u16],
) -> Document {
    Document {
        encoding,
        statuses,
        ..json(name, body)
    }
}

const FINE: &str = r#"{"metadata": {"name": "c", "region": "eu-central-1"}, "fargateProfiles": [{"name": "a", "selectors": [{"namespace": "a"}]}], "node": 1}"#;

pub fn attacks() -> Vec<Document> {
    let doubling: Vec<String> = (1..30)
        .map(|i| format!("a{i}: &a{i} [*a{0}, *a{0}]\n", i - 1))
        .collect();
    let doubling = doubling.concat();
    let zeros = vec![b' '; 64 << 20];
    let twice = packed(&packed(FINE.as_bytes()));
    vec![
        json("nothing", ""),
        json("not JSON", "{"),
        json("two documents", "{}{}"),
        json("a comment", "{/**/}"),
        json("a list", "[]"),
        json("a text", "\"x\""),
        json("null", "null"),
        json("deep", "[".repeat(100_000)),
        json("deep objects", "{\"a\":".repeat(30_000)),
        json(
            "a key twice",
            r#"{"metadata":{"name":"a","name":"b","region":"eu-central-1"}}"#,
        ),
        json("not UTF-8", vec![b'"', 0xff, b'"']),
        json(
            "a lone surrogate",
            r#"{"metadata":{"name":"\ud800","region":"eu-central-1"}}"#,
        ),
        json("a huge number", r#"{"fargateProfiles":1e999}"#),
        json("many items", format!("[{}0]", "0,".repeat(100_000))),
        json("a prototype", r#"{"__proto__":{"admin":true}}"#),
        yaml("aliases that double", format!("a0: &a0 [x]\n{doubling}")),
        yaml("an alias of itself", "metadata: &a {name: *a}\n"),
        yaml("merge keys", "a: &a {b: c}\nmetadata: {<<: *a}\n"),
        yaml(
            "a tag of Python",
            "metadata: !!python/object/apply:os.system [id]\n",
        ),
        yaml("a binary", "metadata: !!binary aGVsbG8=\n"),
        yaml(
            "two documents",
            "metadata: {name: a}\n---\nmetadata: {name: b}\n",
        ),
        yaml("deep", "[".repeat(50_000)),
        yaml(
            "a look-up",
            "metadata: {name: \"{{resolve:ssm:x}}\", region: eu-central-1}\n",
        ),
        yaml("a control character", "metadata: {name: \"a\x01\"}\n"),
        encoded("a gzip bomb", "gzip", packed(&zeros), &[413]),
        encoded("a deflate bomb", "deflate", deflated(&zeros), &[413]),
        encoded("gzip that is none", "gzip", FINE.into(), &[400]),
        encoded(
            "half a gzip",
            "gzip",
            packed(FINE.as_bytes())[..20].to_vec(),
            &[400],
        ),
        encoded("gzip in gzip", "gzip, gzip", twice, &[415]),
        encoded("Brotli", "br", FINE.into(), &[415]),
        encoded("zstd", "zstd", FINE.into(), &[415]),
        encoded("an unknown encoding", "x-none", FINE.into(), &[415]),
    ]
}

#[tokio::test]
async fn no_document_does_more_than_be_refused() {
    let app = TestApp::start().await;
    for document in attacks() {
        for path in [
            format!("/v1/accounts/{ACCOUNT}/clusters"),
            format!("/v1/accounts/{ACCOUNT}/fargate-profiles"),
        ] {
            let mut post = app
                .operator(Method::POST, &path)
                .header("Content-Type", document.media_type)
                .body(document.body.clone());
            if !document.encoding.is_empty() {
                post = post.header("Content-Encoding", document.encoding);
            }
            let answer = post.answer().await;
            let name = document.name;
            assert!(
                document.statuses.contains(&answer.status),
                "{name}: {answer:?}"
            );
            assert_eq!(
                answer.header("content-type"),
                "application/problem+json",
                "{name}"
            );
            if answer.status == 415 {
                assert_eq!(answer.header("accept-encoding"), "gzip, deflate");
            }
        }
    }
    let jobs: i64 = sqlx::query_scalar("select count(*) from jobs")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(jobs, 0);
    app.end().await;
}

#[tokio::test]
async fn a_packed_body_is_read_and_is_the_same_request_as_its_unpacked_twin() {
    let app = TestApp::start().await;
    let body = br#"{"name": "fp-packed", "selectors": [{"namespace": "a"}]}"#;
    let mut ids = Vec::new();
    for (encoding, body) in [
        ("gzip", packed(body)),
        ("x-gzip", packed(body)),
        ("deflate", deflated(body)),
        ("identity", body.to_vec()),
    ] {
        let post = app
            .operator(Method::POST, BASE)
            .header("Content-Type", JSON)
            .header("Content-Encoding", encoding)
            .header("Idempotency-Key", "packed")
            .body(body);
        ids.push(post.answer().await.expect(202).json()["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    app.end().await;
}
