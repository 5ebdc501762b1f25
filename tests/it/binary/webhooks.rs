//! Webhooks of the program as it runs: the API makes them, a worker tells them.

use serde_json::json;
use tempfile::tempdir;

use super::support::{ACCOUNT, Caller, Process, Stage, profile, profiles};
use crate::webhooks::support::Receiver;
use crate::webhooks::trust::Authority;

#[tokio::test]
async fn a_worker_tells_a_receiver_with_a_certificate_of_our_own_authority() {
    let stage = Stage::new().await;
    let (authority, folder) = (Authority::new("ours"), tempdir().unwrap());
    let file = folder.path().join("ca.pem");
    authority.write(&file);
    let receiver = Receiver::start_tls(authority.server("127.0.0.1")).await;
    let networks = ("FLEET_WEBHOOK_ALLOWED_CIDRS", "127.0.0.1/32");
    let trusted = ("FLEET_WEBHOOK_CA_FILE", file.to_str().unwrap());

    let (_api, address) = stage.api_with(&[networks]).await;
    let admin = Caller::new(&address, &stage.token("admin", &[]).await);
    stage.register(&admin).await;
    let input = json!({"url": receiver.url(), "eventTypes": ["job.succeeded"]});
    let (status, webhook) = admin.post("/v1/webhooks", input).await;
    assert_eq!(status, 201, "{webhook}");
    let _worker = stage.worker_with("5", &[networks, trusted]).await;
    let (status, job) = admin.post(&profiles(ACCOUNT), profile("web")).await;
    assert_eq!(status, 202, "{job}");
    receiver.wait_for(1).await;
    let told = receiver.only();
    told.assert_signed_by(&[webhook["secret"].as_str().unwrap()]);
    assert_eq!(told.json()["type"], "job.succeeded");
    assert_eq!(told.json()["data"]["id"], job["id"]);
    receiver.stop().await;
    stage.end().await;
}

#[tokio::test]
async fn a_worker_does_not_start_with_authorities_that_can_not_be_read() {
    let stage = Stage::new().await;
    let variables = [
        ("DATABASE_URL", stage.url.as_str()),
        ("FLEET_WEBHOOK_CA_FILE", "/nonexistent/ca.pem"),
    ];
    let ended = Process::start(&["serve", "--role", "worker"], &variables)
        .ended()
        .await;
    let told = ended.stderr.join("\n");
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(
        told.contains("FLEET_WEBHOOK_CA_FILE can't be used"),
        "{told}"
    );
    stage.end().await;
}
