//! A Kubernetes API with one Deployment, which does what a test says. Cases that kmock, which was not
//! written here, can't be brought to; what it can is tested in `tests/doubles`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// What the cluster does when CoreDNS is patched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Its new pods run at the second look.
    RollsOut,
    /// Its new pods never run.
    Hangs,
    /// The caller is refused.
    Forbids,
}

pub struct Kubernetes {
    pub addr: SocketAddr,
    state: Arc<Mutex<State>>,
    _stop: DropGuard,
}

struct State {
    manner: Manner,
    coredns: Option<Value>,
    patches: Vec<Value>,
    tokens: Vec<String>,
}

impl Kubernetes {
    /// With CoreDNS on these nodes, if it is there at all.
    pub async fn start(manner: Manner, compute_type: Option<&str>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let coredns = compute_type.map(|compute_type| {
            let annotations = json!({ "eks.amazonaws.com/compute-type": compute_type });
            json!({
                "metadata": { "generation": 1 },
                "spec": {
                    "replicas": 2,
                    "template": { "metadata": { "annotations": annotations } },
                },
                "status": {
                    "observedGeneration": 1,
                    "replicas": 2,
                    "updatedReplicas": 2,
                    "availableReplicas": 2,
                },
            })
        });
        let state = Arc::new(Mutex::new(State {
            manner,
            coredns,
            patches: Vec::new(),
            tokens: Vec::new(),
        }));
        let stop = CancellationToken::new();
        let kubernetes = Self {
            addr: listener.local_addr().unwrap(),
            state: Arc::clone(&state),
            _stop: stop.clone().drop_guard(),
        };
        TaskTracker::new().spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    stream = listener.accept() => serve(stream.unwrap().0, &state).await,
                }
            }
        });
        kubernetes
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The annotation of CoreDNS' pods.
    pub fn compute_type(&self) -> String {
        let state = self.state.lock().unwrap();
        let coredns = state.coredns.as_ref().unwrap();
        let annotations = &coredns["spec"]["template"]["metadata"]["annotations"];
        let compute_type = annotations["eks.amazonaws.com/compute-type"].as_str();
        compute_type.unwrap().to_owned()
    }

    /// The mark of the latest restart of CoreDNS.
    pub fn restarted_at(&self) -> Option<String> {
        let state = self.state.lock().unwrap();
        let annotations = &state.coredns.as_ref()?["spec"]["template"]["metadata"]["annotations"];
        let mark = annotations["kubectl.kubernetes.io/restartedAt"].as_str();
        mark.map(str::to_owned)
    }

    pub fn patches(&self) -> usize {
        self.state.lock().unwrap().patches.len()
    }

    /// The `Authorization` of every call.
    pub fn tokens(&self) -> Vec<String> {
        self.state.lock().unwrap().tokens.clone()
    }
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some((head, body)) = read(&mut stream).await else {
        return;
    };
    let (status, answer) = state.lock().unwrap().answer(&head, &body);
    let answer = answer.to_string();
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{answer}",
        answer.len()
    );
    // Whoever asked may have gone.
    let _ = stream.write_all(text.as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let length = name.eq_ignore_ascii_case("content-length");
                length.then(|| value.parse::<usize>().unwrap())
            });
            let rest = &bytes[end + 4..];
            if rest.len() >= length.unwrap_or(0) {
                return Some((head, rest.to_vec()));
            }
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(read) if read > 0 => bytes.extend(&more[..read]),
            _ => return None,
        }
    }
}

impl State {
    fn answer(&mut self, head: &str, body: &[u8]) -> (u16, Value) {
        let token = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("authorization")
                .then(|| value.to_owned())
        });
        self.tokens.push(token.unwrap_or_default());
        let refused = |code: u16, words: &str| (code, json!({"kind": "Status", "message": words}));
        if self.manner == Manner::Forbids {
            return refused(403, "deployments.apps \"coredns\" is forbidden");
        }
        let Some(coredns) = &mut self.coredns else {
            return refused(404, "deployments.apps \"coredns\" not found");
        };
        if head.starts_with("PATCH") {
            let patch: Value = serde_json::from_slice(body).unwrap();
            merge(coredns, &patch);
            coredns["metadata"]["generation"] = json!(2);
            self.patches.push(patch);
            return (200, coredns.clone());
        }
        let answer = coredns.clone();
        if self.manner == Manner::RollsOut {
            coredns["status"]["observedGeneration"] = coredns["metadata"]["generation"].clone();
        }
        (200, answer)
    }
}

/// RFC 7396, as far as objects go.
fn merge(into: &mut Value, patch: &Value) {
    match patch.as_object() {
        Some(members) => {
            for (key, value) in members {
                merge(&mut into[key.as_str()], value);
            }
        }
        None => into.clone_from(patch),
    }
}
