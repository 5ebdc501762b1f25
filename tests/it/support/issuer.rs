//! An OpenID Connect issuer in a test's hand: real HTTP, keys made for the run, and moods.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

/// A key pair with its id.
pub struct Signer {
    pub id: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    pub fn rsa(id: &str) -> Self {
        Self::new(
            id,
            Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        )
    }

    pub fn ec(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self::new(id, Pair::Ec(pair.unwrap()))
    }

    pub fn ed(id: &str) -> Self {
        Self::new(id, Pair::Ed(Ed25519KeyPair::generate().unwrap()))
    }

    fn new(id: &str, pair: Pair) -> Self {
        let id = id.to_owned();
        Self { id, pair }
    }

    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        }
    }

    /// The public half, as a set of keys holds it.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "n": encoded(public.n), "e": encoded(public.e)})
            }
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y)})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key())})
            }
        };
        jwk["kid"] = json!(self.id);
        jwk
    }

    /// The public half, as DER or as its plain bytes.
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(_) => self.sign_rsa(&RSA_PKCS1_SHA256, message),
            Pair::Ec(pair) => pair.sign(&rng, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// With another padding or hash than RS256 has.
    pub fn sign_rsa(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let Pair::Rsa(pair) = &self.pair else {
            panic!("not an RSA key")
        };
        let mut signature = vec![0; pair.public_modulus_len()];
        let signed = pair.sign(encoding, &SystemRandom::new(), message, &mut signature);
        signed.unwrap();
        signature
    }

    /// The header that tokens of this key carry.
    pub fn head(&self) -> Value {
        json!({"alg": self.algorithm(), "kid": self.id, "typ": "JWT"})
    }

    /// A token of these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&self.head(), claims)
    }

    /// The same with another header.
    pub fn token_with(&self, head: &Value, claims: &Value) -> String {
        signed(head, claims, |message| self.sign(message))
    }
}

/// A token of these parts, whatever signs it.
pub fn signed(head: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let parts = [head, claims].map(|part| encoded(part.to_string()));
    let message = parts.join(".");
    let signature = sign(message.as_bytes());
    format!("{message}.{}", encoded(signature))
}

pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// How the issuer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// 503.
    Down,
    /// To where the right document is.
    Redirects,
    /// The document names another issuer.
    Other,
    /// The document names keys at an address without TLS on another host.
    Unsafe,
    /// Answers without end, as far as anyone reads.
    Large,
    /// What is no JSON.
    Garbage,
    /// A set of keys with none in it.
    Empty,
}

/// A running issuer.
pub struct Issuer {
    pub url: String,
    shared: Arc<Shared>,
    server: ServerHandle,
    tasks: TaskTracker,
}

struct Shared {
    url: Mutex<String>,
    mood: Mutex<Mood>,
    keys: Mutex<Vec<Value>>,
    documents: AtomicUsize,
    key_sets: AtomicUsize,
    strays: AtomicUsize,
}

impl Issuer {
    /// One that publishes these keys.
    pub fn start(mood: Mood, keys: Vec<Value>) -> Self {
        let shared = Arc::new(Shared {
            url: Mutex::default(),
            mood: Mutex::new(mood),
            keys: Mutex::new(keys),
            documents: AtomicUsize::new(0),
            key_sets: AtomicUsize::new(0),
            strays: AtomicUsize::new(0),
        });
        let data = Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/.well-known/openid-configuration", web::get().to(document))
                .route("/keys", web::get().to(key_set))
                .default_service(web::to(stray))
        })
        .disable_signals()
        .workers(1)
        .bind(("127.0.0.1", 0))
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        shared.url.lock().unwrap().clone_from(&url);
        let server = server.run();
        let handle = server.handle();
        let tasks = TaskTracker::new();
        tasks.spawn(server);
        Self {
            url,
            shared,
            server: handle,
            tasks,
        }
    }

    pub fn set_mood(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    pub fn publish(&self, keys: Vec<Value>) {
        *self.shared.keys.lock().unwrap() = keys;
    }

    /// How often its document and its keys were asked for.
    pub fn asked(&self) -> (usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (count(&self.shared.documents), count(&self.shared.key_sets))
    }

    /// How often anything else was.
    pub fn strays(&self) -> usize {
        self.shared.strays.load(Ordering::SeqCst)
    }

    pub async fn stop(self) {
        self.server.stop(false).await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Shared {
    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    fn right_document(&self) -> Value {
        let url = self.url.lock().unwrap().clone();
        json!({"issuer": url, "jwks_uri": format!("{url}/keys"), "response_types_supported": []})
    }
}

async fn document(shared: Data<Shared>) -> HttpResponse {
    shared.documents.fetch_add(1, Ordering::SeqCst);
    let mut document = shared.right_document();
    match shared.mood() {
        Mood::Down => return HttpResponse::ServiceUnavailable().finish(),
        Mood::Redirects => {
            let mut answer = HttpResponse::Found();
            return answer.insert_header(("Location", "/elsewhere")).finish();
        }
        Mood::Garbage => return HttpResponse::Ok().body("<html>"),
        Mood::Large => document["padding"] = json!("x".repeat(64 * 1024)),
        Mood::Other => document["issuer"] = json!("https://id.example.com"),
        Mood::Unsafe => document["jwks_uri"] = json!("http://192.0.2.1/keys"),
        Mood::Well | Mood::Empty => {}
    }
    HttpResponse::Ok().json(document)
}

async fn key_set(shared: Data<Shared>) -> HttpResponse {
    shared.key_sets.fetch_add(1, Ordering::SeqCst);
    let mut keys = shared.keys.lock().unwrap().clone();
    if shared.mood() == Mood::Empty {
        keys.clear();
    }
    HttpResponse::Ok().json(json!({"keys": keys}))
}

/// Where nobody has business; what is there would even be right.
async fn stray(shared: Data<Shared>) -> HttpResponse {
    shared.strays.fetch_add(1, Ordering::SeqCst);
    HttpResponse::Ok().json(shared.right_document())
}
