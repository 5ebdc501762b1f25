//! Jobs of a demo whose cluster has its Kubernetes API at kmock.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fargate_fleet::kubernetes::{COMPUTE_TYPE, FARGATE};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::kubernetes::Cluster;

const PLACE: &str = "accounts/111111111111/regions/eu-central-1/clusters/prod-1";
/// What the tokens of all who are let in begin with: those of jobs, and the test's own.
const TOKENS: &str = "k8s-aws-v1.";

/// A demo, with the AWS that it simulates.
struct Demo {
    process: Child,
    api: String,
    aws: String,
    token: String,
    http: Client,
}

impl Demo {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_fargate-fleet"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut after = |words: &str| {
            let found = lines.find_map(|line| {
                let line = line.unwrap();
                let (_, rest) = line.split_once(words)?;
                Some(rest.split_whitespace().next().unwrap().to_owned())
            });
            found.expect("the demo says so")
        };
        Self {
            api: after("is ready on "),
            aws: after("simulated AWS "),
            token: after("admin token "),
            process,
            http: Client::new(),
        }
    }

    /// Lets the cluster have its API at kmock, and no add-on.
    async fn reach(&self, cluster: &Cluster) {
        let settings = json!({
            "addons": [],
            "kubernetesEndpoint": cluster.endpoint(),
            "certificateAuthority": cluster.authority,
        });
        let url = format!("{}/_sim/{PLACE}", self.aws);
        answer(self.http.put(url).json(&settings)).await;
    }

    /// Asks for a profile that catches CoreDNS; the job.
    async fn create(&self) -> Value {
        let body = json!({ "name": "fp-dns", "selectors": [{ "namespace": "kube-system" }] });
        let url = format!("{}/v1/{PLACE}/fargate-profiles", self.api);
        let request = self.http.post(url).bearer_auth(&self.token);
        answer(request.json(&body)).await
    }

    /// The job's end.
    async fn ended(&self, job: &Value) -> Value {
        let id = job["id"].as_str().unwrap();
        let url = format!("{}/v1/jobs/{id}?waitSeconds=60", self.api);
        answer(self.http.get(url).bearer_auth(&self.token)).await
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It ends its Postgres, too.
        let process = Pid::from_raw(self.process.id().try_into().unwrap());
        let _ = kill(process, Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

async fn answer(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

fn compute_type(deployment: &Value) -> Option<&str> {
    deployment["spec"]["template"]["metadata"]["annotations"][COMPUTE_TYPE].as_str()
}

#[tokio::test]
async fn a_profile_that_catches_coredns_moves_it_onto_fargate() {
    let cluster = Cluster::knowing(TOKENS);
    cluster.install(json!({ COMPUTE_TYPE: "ec2" })).await;
    let demo = Demo::start();
    demo.reach(&cluster).await;
    let job = demo.create().await;
    // kmock has no controller: the test is one, once the job has patched.
    let patched = async {
        while compute_type(&cluster.deployment().await) != Some(FARGATE) {
            tokio::task::yield_now().await;
        }
    };
    let patched = tokio::time::timeout(Duration::from_secs(30), patched).await;
    patched.expect("the job patches");
    let status = json!({
        "observedGeneration": 9,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
    });
    cluster.progress(json!({ "status": status })).await;
    let ended = demo.ended(&job).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(ended["warnings"], json!([]), "{ended}");
}

#[tokio::test]
async fn a_cluster_that_knows_nobody_leaves_a_warning() {
    let cluster = Cluster::knowing("another");
    let demo = Demo::start();
    demo.reach(&cluster).await;
    let job = demo.create().await;
    let ended = demo.ended(&job).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let warning = &ended["warnings"][0];
    assert_eq!(warning["code"], "coredns_not_on_fargate");
    let message = warning["message"].as_str().unwrap();
    assert!(message.contains("Unauthorized"), "{message}");
    assert!(
        message.contains("kubectl -n kube-system patch"),
        "{message}"
    );
}
