//! A proxy that does what Backstage's proxy-backend does with the settings in
//! docs/portals/backstage/app-config.yaml: it drops headers both ways, adds its own, takes only some
//! methods, and cuts off its prefix.
//!
//! The lists are those of `safeForwardHeaders` in plugins/proxy-backend/src/service/router.ts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, redirect};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the proxy lets through, both ways.
pub const SAFE: [&str; 11] = [
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
    "host",
    "accept",
    "accept-language",
    "user-agent",
];

/// Where Backstage's backend has it.
pub const PREFIX: &str = "/api/proxy";

/// A running proxy.
pub struct Proxy {
    pub addr: SocketAddr,
    settings: Arc<Settings>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

struct Settings {
    target: String,
    route: String,
    methods: BTreeSet<String>,
    headers: BTreeMap<String, String>,
    http: reqwest::Client,
    dropped: Mutex<BTreeSet<String>>,
}

impl Proxy {
    /// One in front of `target`, with the settings of this route and this token in the environment.
    pub async fn start(config: &Value, route: &str, target: &str, token: &str) -> Self {
        let endpoint = &config["proxy"]["endpoints"][route];
        let headers = endpoint["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, value)| {
            let value = value.as_str().unwrap();
            (
                name.to_ascii_lowercase(),
                value.replace("${FARGATE_FLEET_TOKEN}", token),
            )
        });
        let methods = endpoint["allowedMethods"].as_array().unwrap().iter();
        let settings = Settings {
            target: target.to_owned(),
            route: route.to_owned(),
            methods: methods.map(|m| m.as_str().unwrap().to_owned()).collect(),
            headers: headers.collect(),
            http: reqwest::Client::builder()
                .redirect(redirect::Policy::none())
                .build()
                .unwrap(),
            dropped: Mutex::default(),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Self {
            addr: listener.local_addr().unwrap(),
            settings: Arc::new(settings),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        let accepting = accept(
            listener,
            Arc::clone(&proxy.settings),
            proxy.tracker.clone(),
            proxy.stop.clone(),
        );
        proxy.tracker.spawn(accepting);
        proxy
    }

    /// The names of all headers that were dropped, both ways.
    pub fn dropped(&self) -> BTreeSet<String> {
        self.settings.dropped.lock().unwrap().clone()
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

async fn accept(
    listener: TcpListener,
    settings: Arc<Settings>,
    tracker: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            stream = listener.accept() => {
                let (settings, stop) = (Arc::clone(&settings), stop.clone());
                let serving = async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = serve(stream.unwrap().0, &settings) => {}
                    }
                };
                tracker.spawn(serving);
            }
        }
    }
}

struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

async fn serve(mut stream: TcpStream, settings: &Settings) {
    let mut bytes = Vec::new();
    let request = loop {
        if let Some(request) = parsed(&bytes) {
            break request;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let (status, headers, body) = settings.forward(request).await;
    let mut head = format!("HTTP/1.1 {status} Proxied\r\nConnection: close\r\n");
    for (name, value) in &headers {
        if name != "content-length" {
            let value = value.to_str().unwrap();
            head.extend([name.as_str(), ": ", value, "\r\n"]);
        }
    }
    head.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n"]);
    // The caller may have gone.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
}

impl Settings {
    async fn forward(&self, request: Request) -> (u16, HeaderMap, Vec<u8>) {
        let path = request.path.strip_prefix(PREFIX);
        let path = path.and_then(|path| path.strip_prefix(&self.route));
        let Some(path) = path.filter(|_| self.methods.contains(&request.method)) else {
            return (404, HeaderMap::new(), Vec::new());
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            if SAFE.contains(&name.as_str()) {
                headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            } else {
                self.drop(name);
            }
        }
        // `changeOrigin`, and the client's own.
        headers.remove("host");
        headers.remove("content-length");
        for (name, value) in &self.headers {
            headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        let method = Method::from_bytes(request.method.as_bytes()).unwrap();
        let sending = self.http.request(method, format!("{}{path}", self.target));
        let answer = sending
            .headers(headers)
            .body(request.body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let mut headers = answer.headers().clone();
        for name in answer.headers().keys() {
            if !SAFE.contains(&name.as_str()) {
                self.drop(name.as_str());
                headers.remove(name);
            }
        }
        (status, headers, answer.bytes().await.unwrap().to_vec())
    }

    fn drop(&self, name: &str) {
        self.dropped.lock().unwrap().insert(name.to_owned());
    }
}

/// The request, when all of it has come.
fn parsed(bytes: &[u8]) -> Option<Request> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    Some(Request {
        method: first.next()?,
        path: first.next()?,
        body: bytes.get(end + 4..end + 4 + length)?.to_vec(),
        headers,
    })
}
