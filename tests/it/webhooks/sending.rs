//! How much at once, with which secrets, and by the loop of a worker.

use std::time::Duration;

use fargate_fleet::webhooks::{Pump, SenderOptions};
use serde_json::json;

use super::support::{
    Receiver, SILENCE, count, deliveries, end_leases, make_due, options, post, sender, sender_with,
    sql,
};
use crate::support::app::TestApp;

#[tokio::test]
async fn a_webhook_gets_so_many_at_once_and_no_more() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let (one, two) = (sender(&app), sender(&app));
    let webhook = app.create_webhook(&receiver.url()).await;
    for _ in 0..20 {
        post(&app, &webhook, "test").await;
    }
    let (first, second) = tokio::join!(one.claim(100), two.claim(100));
    let claimed = [first.unwrap(), second.unwrap()].concat();
    assert_eq!(claimed.len(), 8);
    assert!(one.claim(100).await.unwrap().is_empty());
    // Another webhook does not wait for this one.
    let other = app.create_webhook(&receiver.url()).await;
    post(&app, &other, "test").await;
    assert_eq!(two.claim(100).await.unwrap().len(), 1);
    let sent = one.send(&claimed[0]).await;
    assert!(one.settle(&claimed[0], &sent).await.unwrap());
    assert_eq!(two.claim(100).await.unwrap().len(), 1);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn for_a_day_both_secrets_sign() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let sender = sender(&app);
    let webhook = app.create_webhook(&receiver.url()).await;
    let rotated = post(&app, &webhook, "rotate-secret").await;
    let secret = |webhook: &serde_json::Value| webhook["secret"].as_str().unwrap().to_owned();
    let (old, new) = (secret(&webhook), secret(&rotated));
    assert_ne!(old, new);
    assert!(rotated["oldSecretUntil"].is_string());
    post(&app, &webhook, "test").await;
    assert_eq!(sender.round().await.unwrap(), 1);
    receiver.received()[0].assert_signed_by(&[&new, &old]);
    sql(&app.pool, "update webhooks set old_secret_until = now()").await;
    post(&app, &webhook, "test").await;
    assert_eq!(sender.round().await.unwrap(), 1);
    receiver.received()[1].assert_signed_by(&[&new]);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_secret_that_can_not_be_opened_sends_nothing() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let mut options = options();
    options.setup.secrets_key = Some(b"another key than the one of the API".to_vec());
    let sender = sender_with(&app, options);
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(receiver.count(), 0);
    let stands = deliveries(&app, &webhook).await.remove(0);
    assert_eq!(
        (&stands["state"], &stands["lastError"]),
        (&json!("pending"), &json!("reading the webhook's secret"))
    );
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn the_loop_of_a_worker_sends_what_comes_and_drains() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let options = SenderOptions {
        poll_interval: Duration::from_millis(10),
        ..options()
    };
    let pump = Pump::start(sender_with(&app, options));
    let webhook = app.create_webhook(&receiver.url()).await;
    for i in 0..12 {
        app.create_profile(&format!("fp-{i}")).await;
    }
    app.hands.finish_all().await;
    receiver.wait_for(12).await;
    pump.drain(Duration::from_secs(10)).await;
    // What was on its way when it was told to stop has been written.
    let told = deliveries(&app, &webhook).await;
    assert_eq!(told.len(), 12);
    assert!(
        told.iter().all(|one| one["state"] == "succeeded"),
        "{told:?}"
    );
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_drain_does_not_wait_for_a_receiver_that_hangs() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let options = SenderOptions {
        poll_interval: Duration::from_millis(10),
        timeout: Duration::from_mins(1),
        ..options()
    };
    let webhook = app.create_webhook(&receiver.url()).await;
    receiver.answers(&[SILENCE]);
    post(&app, &webhook, "test").await;
    let pump = Pump::start(sender_with(&app, options));
    receiver.wait_for(1).await;
    let drained = tokio::time::timeout(Duration::from_secs(20), pump.drain(Duration::ZERO));
    drained.await.expect("it ends");
    assert_eq!(sender(&app).round().await.unwrap(), 0, "its lease stands");
    end_leases(&app).await;
    make_due(&app).await;
    assert_eq!(sender(&app).round().await.unwrap(), 1);
    assert_eq!(deliveries(&app, &webhook).await[0]["state"], "succeeded");
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn deliveries_are_kept_for_a_month() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    let older = "update webhook_deliveries set created_at = now() - interval '31 days'";
    sql(&app.pool, older).await;
    post(&app, &webhook, "test").await;
    assert_eq!(sender(&app).sweep().await.unwrap(), 1);
    assert_eq!(count(&app.pool, "webhook_deliveries").await, 1);
    receiver.stop().await;
    app.end().await;
}
