//! A portal's run, told by real processes, one of which is killed on the way.

use serde_json::json;

use crate::binary::support::{ACCOUNT, Caller, Stage, profile, profiles, until};
use crate::webhooks::portals::{Port, SECRET};

/// Receivers on this machine; both halves must agree on it.
const HERE: [(&str, &str); 2] = [
    ("FLEET_WEBHOOK_ALLOW_HTTP", "true"),
    ("FLEET_WEBHOOK_ALLOWED_CIDRS", "127.0.0.1/32"),
];

#[tokio::test]
async fn a_run_is_told_although_the_worker_of_its_job_is_killed() {
    let (stage, port) = (Stage::new().await, Port::start(&["r_one"]).await);
    let (_api, address) = stage.api_with(&HERE).await;
    let admin = Caller::new(&address, &stage.token("admin", &[]).await);
    stage.register(&admin).await;
    let webhook = json!({
        "url": port.url(), "format": "port", "clientId": "an-id", "secret": SECRET,
        "eventTypes": ["job.succeeded", "job.failed", "job.canceled", "operation.finished"],
    });
    let (status, webhook) = admin.post("/v1/webhooks", webhook).await;
    assert_eq!(status, 201, "{webhook}");
    let id = webhook["id"].as_str().unwrap();

    let (first, _) = stage.worker_with("5", &HERE).await;
    stage.sim.freeze();
    let path = format!("{}?callback={id}&callbackRun=r_one", profiles(ACCOUNT));
    let (status, job) = admin.post(&path, profile("web")).await;
    assert_eq!(status, 202, "{job}");
    stage.called("CreateFargateProfile", Some(200)).await;
    first.die().await;

    let (_second, _) = stage.worker_with("5", &HERE).await;
    stage.sim.thaw();
    until("the run is told", || async { port.run("r_one").is_some() }).await;
    let told = port.run("r_one").unwrap();
    assert_eq!(
        (&told["status"], &told["externalRunId"]),
        (&json!("SUCCESS"), &job["id"])
    );
    let deliveries = format!("/v1/webhooks/{id}/deliveries");
    until("that is written", || async {
        admin.get(&deliveries).await.1["items"][0]["state"] == "succeeded"
    })
    .await;
    port.receiver.stop().await;
    stage.end().await;
}
