//! What does not count: every one of these is refused, for its own reason, and tells nothing.

use std::sync::LazyLock;

use aws_lc_rs::signature::{RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{EC, ED, NOW, RSA, Stage, with, without};
use crate::support::app::Send as _;
use crate::support::issuer::{Mood, Signer, encoded, signed};

/// Keys that the issuer publishes for something else.
static ENCRYPTION: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa-enc"));
static OTHER_ALGORITHM: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa-384"));
static WRAPPING: LazyLock<Signer> = LazyLock::new(|| Signer::ec("ec-wrap"));
/// A key that the issuer never had, under the id of one that it has.
static THIEF: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa-1"));
const SHARED_SECRET: &[u8] = b"a secret that the issuer shares with somebody";

/// A bad token: what is wrong, the token, and a part of what its sender is told.
type Bad = (&'static str, String, &'static str);

const MALFORMED: &str = "not a JWT signed with RS256, ES256 or EdDSA";
const SIGNATURE: &str = "signature is not of a key";
const ISSUER: &str = "another identity provider";
const AUDIENCE: &str = "another audience";
const EXPIRED: &str = "has expired, or does not say when";
const NOT_YET: &str = "not valid yet";
const SUBJECT: &str = "has no subject";
const ROLE: &str = "no role here";
const ACCOUNTS: &str = "no account here";
const UNKNOWN: &str = "unknown, expired or revoked";

fn hs256(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    move |message| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(message);
        mac.finalize().into_bytes().to_vec()
    }
}

/// Another algorithm than the three, and keys used for what they are not for.
#[expect(clippy::too_many_lines, reason = "a table")]
fn algorithms(good: &Value) -> Vec<Bad> {
    let head = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid, "typ": "JWT"});
    let none = |alg: &str| signed(&head(alg, "rsa-1"), good, |_| Vec::new());
    let public = RSA.public_bytes();
    let pem = format!(
        "-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n",
        encoded(&public)
    );
    let rsa =
        |alg: &str, encoding| signed(&head(alg, "rsa-1"), good, |m| RSA.sign_rsa(encoding, m));
    let by = |signer: &Signer, alg: &str, kid: &str| signer.token_with(&head(alg, kid), good);
    let hs = |kid: &str, secret: &[u8]| signed(&head("HS256", kid), good, hs256(secret));
    vec![
        ("no algorithm, no signature", none("none"), MALFORMED),
        ("the same in other letters", none("nOnE"), MALFORMED),
        (
            "none, with a signature",
            by(&RSA, "none", "rsa-1"),
            MALFORMED,
        ),
        (
            "no alg",
            RSA.token_with(&json!({"kid": "rsa-1"}), good),
            MALFORMED,
        ),
        ("HS256 with the public key", hs("rsa-1", &public), MALFORMED),
        (
            "HS256 with the key in PEM",
            hs("rsa-1", pem.as_bytes()),
            MALFORMED,
        ),
        ("HS256 with an empty secret", hs("rsa-1", b""), MALFORMED),
        (
            "HS256 with a published secret",
            hs("oct-1", SHARED_SECRET),
            MALFORMED,
        ),
        (
            "RS256 under that secret's id",
            by(&RSA, "RS256", "oct-1"),
            SIGNATURE,
        ),
        ("RS384", rsa("RS384", &RSA_PKCS1_SHA384), MALFORMED),
        ("RS512", rsa("RS512", &RSA_PKCS1_SHA512), MALFORMED),
        ("PS256", rsa("PS256", &RSA_PSS_SHA256), MALFORMED),
        (
            "PS256 that says RS256",
            rsa("RS256", &RSA_PSS_SHA256),
            SIGNATURE,
        ),
        ("ES256K", by(&EC, "ES256K", "ec-1"), MALFORMED),
        (
            "RS256 under the id of an ES256 key",
            by(&RSA, "RS256", "ec-1"),
            SIGNATURE,
        ),
        (
            "ES256 under the id of an RS256 key",
            by(&EC, "ES256", "rsa-1"),
            SIGNATURE,
        ),
        (
            "EdDSA under the id of an ES256 key",
            by(&ED, "EdDSA", "ec-1"),
            SIGNATURE,
        ),
        ("ES256 that says EdDSA", by(&EC, "EdDSA", "ec-1"), SIGNATURE),
        ("a key for encryption", ENCRYPTION.token(good), SIGNATURE),
        ("a key for RS384", OTHER_ALGORITHM.token(good), SIGNATURE),
        ("a key for wrapping keys", WRAPPING.token(good), SIGNATURE),
    ]
}

/// Keys that the token itself brings, or names wrongly.
#[expect(clippy::too_many_lines, reason = "a table")]
fn key_ids(good: &Value, url: &str) -> Vec<Bad> {
    let head = |more: Value| {
        let mut head = json!({"alg": "RS256", "typ": "JWT"});
        for (name, value) in more.as_object().unwrap() {
            head[name] = value.clone();
        }
        head
    };
    let thief = |more: Value| THIEF.token_with(&head(more), good);
    let jku = format!("{url}/elsewhere/keys");
    vec![
        ("an unknown key", thief(json!({"kid": "rsa-2"})), SIGNATURE),
        (
            "a known id, another key",
            thief(json!({"kid": "rsa-1"})),
            SIGNATURE,
        ),
        (
            "no id among several keys",
            RSA.token_with(&head(json!({})), good),
            SIGNATURE,
        ),
        (
            "an empty id",
            RSA.token_with(&head(json!({"kid": ""})), good),
            SIGNATURE,
        ),
        (
            "an id that is a number",
            RSA.token_with(&head(json!({"kid": 1})), good),
            MALFORMED,
        ),
        (
            "an id that is a path",
            thief(json!({"kid": "../../dev/null"})),
            SIGNATURE,
        ),
        (
            "jku, known id",
            thief(json!({"kid": "rsa-1", "jku": jku})),
            SIGNATURE,
        ),
        (
            "jku, unknown id",
            thief(json!({"kid": "rsa-2", "jku": jku})),
            SIGNATURE,
        ),
        ("x5u", thief(json!({"kid": "rsa-2", "x5u": jku})), SIGNATURE),
        (
            "jwk, known id",
            thief(json!({"kid": "rsa-1", "jwk": THIEF.jwk()})),
            SIGNATURE,
        ),
        ("jwk, no id", thief(json!({"jwk": THIEF.jwk()})), SIGNATURE),
        (
            "x5c",
            thief(json!({"kid": "rsa-1", "x5c": [encoded(THIEF.public_bytes())]})),
            SIGNATURE,
        ),
        (
            "crit",
            RSA.token_with(&head(json!({"kid": "rsa-1", "crit": ["exp"]})), good),
            MALFORMED,
        ),
        (
            "crit with b64",
            RSA.token_with(
                &head(json!({"kid": "rsa-1", "crit": ["b64"], "b64": false})),
                good,
            ),
            MALFORMED,
        ),
        (
            "a logout token",
            RSA.token_with(&head(json!({"kid": "rsa-1", "typ": "logout+jwt"})), good),
            MALFORMED,
        ),
        (
            "a proof of possession",
            RSA.token_with(&head(json!({"kid": "rsa-1", "typ": "dpop+jwt"})), good),
            MALFORMED,
        ),
    ]
}

/// Signatures and parts that were touched.
#[expect(clippy::too_many_lines, reason = "a table")]
fn shapes(good: &Value) -> Vec<Bad> {
    let token = RSA.token(good);
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts.as_slice() else {
        panic!("three parts")
    };
    let more = encoded(with(good, "sub", json!("somebody else")).to_string());
    let other = EC.token(good);
    let other = other.rsplit('.').next().unwrap();
    let ec_head = encoded(EC.head().to_string());
    let cut = &signature[..signature.len() - 2];
    let text = |payload: &str| {
        let message = format!("{head}.{}", encoded(payload));
        format!("{message}.{}", encoded(RSA.sign(message.as_bytes())))
    };
    let twice = good.to_string().replacen('{', r#"{"exp":9999999999,"#, 1);
    vec![
        (
            "another payload",
            format!("{head}.{more}.{signature}"),
            SIGNATURE,
        ),
        (
            "another signature",
            format!("{head}.{body}.{other}"),
            SIGNATURE,
        ),
        (
            "a signature cut short",
            format!("{head}.{body}.{cut}"),
            SIGNATURE,
        ),
        ("a signature with a tail", format!("{token}AAAA"), SIGNATURE),
        ("no signature", format!("{head}.{body}."), SIGNATURE),
        (
            "a signature that is no base64",
            format!("{head}.{body}.!!!!"),
            MALFORMED,
        ),
        (
            "ES256 of zeros",
            format!("{ec_head}.{body}.{}", encoded([0; 64])),
            SIGNATURE,
        ),
        (
            "base64 with padding",
            format!("{head}=.{body}.{signature}"),
            MALFORMED,
        ),
        ("two parts", format!("{head}.{body}"), MALFORMED),
        ("four parts", format!("{token}.{signature}"), MALFORMED),
        (
            "five parts, as JWE has",
            format!("{head}.AA.AA.AA.AA"),
            MALFORMED,
        ),
        ("dots alone", "..".to_owned(), MALFORMED),
        ("one dot", ".".to_owned(), MALFORMED),
        ("no base64", "!!.??.**".to_owned(), MALFORMED),
        ("base64 of anything", "AAAA.BBBB.CCCC".to_owned(), MALFORMED),
        (
            "a header that is no object",
            format!("{}.{body}.{signature}", encoded("[]")),
            MALFORMED,
        ),
        (
            "a header that is no JSON",
            format!("{}.{body}.{signature}", encoded("{")),
            MALFORMED,
        ),
        ("a payload that is no JSON", text("{"), MALFORMED),
        ("a payload that is a list", text("[]"), MALFORMED),
        ("a payload that is a token", text(&token), MALFORMED),
        ("a claim twice", text(&twice), MALFORMED),
        (
            "too long",
            RSA.token(&with(good, "x", json!("x".repeat(8192)))),
            MALFORMED,
        ),
        ("no dots at all", token.replace('.', ""), UNKNOWN),
        (
            "one of the API's that is none",
            format!("fleet_{token}"),
            UNKNOWN,
        ),
    ]
}

/// Well signed, and not for here, for now or for anything.
#[expect(clippy::too_many_lines, reason = "a table")]
fn claims(good: &Value, url: &str) -> Vec<Bad> {
    let set = |name: &str, value: Value| RSA.token(&with(good, name, value));
    let unset = |name: &str| RSA.token(&without(good, name));
    vec![
        ("another audience", set("aud", json!("another")), AUDIENCE),
        ("no audience", unset("aud"), AUDIENCE),
        (
            "audiences without us",
            set("aud", json!(["a", "b"])),
            AUDIENCE,
        ),
        (
            "an empty list of audiences",
            set("aud", json!([])),
            AUDIENCE,
        ),
        (
            "an audience that begins like us",
            set("aud", json!("fargate-fleet-x")),
            AUDIENCE,
        ),
        (
            "an audience in capitals",
            set("aud", json!("FARGATE-FLEET")),
            AUDIENCE,
        ),
        (
            "an audience that is a number",
            set("aud", json!(1)),
            AUDIENCE,
        ),
        (
            "another issuer",
            set("iss", json!("https://id.example.com")),
            ISSUER,
        ),
        ("no issuer", unset("iss"), ISSUER),
        (
            "an issuer with a slash more",
            set("iss", json!(format!("{url}/"))),
            ISSUER,
        ),
        (
            "two issuers",
            set("iss", json!([url, "https://id.example.com"])),
            ISSUER,
        ),
        ("expired", set("exp", json!(NOW - 60)), EXPIRED),
        ("without end", unset("exp"), EXPIRED),
        (
            "an end that is a text",
            set("exp", json!("9999999999")),
            EXPIRED,
        ),
        ("an end that is nothing", set("exp", Value::Null), EXPIRED),
        ("an end beyond all time", set("exp", json!(1e300)), EXPIRED),
        ("not yet", set("nbf", json!(NOW + 61)), NOT_YET),
        (
            "a beginning that is a text",
            set("nbf", json!("0")),
            NOT_YET,
        ),
        ("no subject", unset("sub"), SUBJECT),
        ("an empty subject", set("sub", json!("")), SUBJECT),
        ("no role", unset("roles"), ROLE),
        ("an unknown role", set("roles", json!(["root"])), ROLE),
        (
            "a role's name that is not mapped",
            set("roles", json!("admin")),
            ROLE,
        ),
        (
            "roles in an object",
            set("roles", json!({"fleet-admins": true})),
            ROLE,
        ),
        ("no accounts", unset("accounts"), ACCOUNTS),
        (
            "an empty list of accounts",
            set("accounts", json!([])),
            ACCOUNTS,
        ),
        (
            "an unknown team",
            set("accounts", json!(["team-b"])),
            ACCOUNTS,
        ),
        (
            "accounts that are numbers",
            set("accounts", json!([111_111_111_111_u64])),
            ACCOUNTS,
        ),
    ]
}

#[tokio::test]
async fn no_bad_token_counts() {
    let mut keys = [&*RSA, &*EC, &*ED].map(Signer::jwk).to_vec();
    keys.push(with(&ENCRYPTION.jwk(), "use", json!("enc")));
    keys.push(with(&OTHER_ALGORITHM.jwk(), "alg", json!("RS384")));
    keys.push(with(&WRAPPING.jwk(), "key_ops", json!(["deriveKey"])));
    keys.push(json!({"kty": "oct", "kid": "oct-1", "k": encoded(SHARED_SECRET)}));
    keys.push(json!({"kty": "new", "kid": "new-1"}));
    let stage = Stage::with(Mood::Well, keys).await;
    let good = stage.claims();
    for signer in [&*RSA, &*EC, &*ED] {
        stage.get(&signer.token(&good)).answer().await.expect(200);
    }
    let table = [
        algorithms(&good),
        key_ids(&good, &stage.issuer.url),
        shapes(&good),
        claims(&good, &stage.issuer.url),
    ]
    .concat();
    assert_eq!(table.len(), 89);
    let mut wrong = Vec::new();
    for (name, token, told) in &table {
        let answer = stage.get(token).answer().await;
        let challenge = r#"Bearer realm="fargate-fleet", error="invalid_token""#;
        if answer.status != 401 || answer.header("www-authenticate") != challenge {
            wrong.push(format!("{name}: {answer:?}"));
            continue;
        }
        for secret in [token.as_str(), "rsa-1", &stage.issuer.url] {
            assert!(!answer.text.contains(secret) || token.len() < 4, "{name}");
        }
        let problem = answer.problem(401, "unauthenticated");
        let detail = problem["detail"].as_str().unwrap();
        if !detail.contains(told) {
            wrong.push(format!("{name}: {detail}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Not one of them made the service ask, there or anywhere.
    assert_eq!(stage.issuer.asked(), (1, 1));
    stage.end().await;
}

#[tokio::test]
async fn without_a_token_the_challenge_names_no_error() {
    let stage = Stage::new().await;
    let path = "/v1/accounts";
    let none = || stage.app.request(reqwest::Method::GET, path);
    for request in [
        none(),
        none().header("Authorization", "Basic YTpi"),
        none().header("Authorization", "Bearer "),
    ] {
        let answer = request.answer().await;
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, r#"Bearer realm="fargate-fleet""#);
        answer.problem(401, "unauthenticated");
    }
    stage.end().await;
}
