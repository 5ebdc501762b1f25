//! What is told, to whom, and that it is told once.

use fargate_fleet::webhooks::Sender;
use reqwest::Method;
use serde_json::json;

use super::support::{
    Received, Receiver, count, create_operation, deliveries, delivery, id, patch, post, read,
    sender,
};
use crate::support::app::{ACCOUNT, BASE, Send as _, TestApp};

#[tokio::test]
async fn the_end_of_a_job_is_told_once_and_signed() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let sender = sender(&app);
    let webhook = app.create_webhook(&receiver.url()).await;
    let job = app.create_profile("fp-told").await;
    assert_eq!(sender.round().await.unwrap(), 0, "it has not ended");
    app.hands.finish_all().await;
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(sender.round().await.unwrap(), 0);
    let told = receiver.only();
    assert_eq!(told.path, "/fleet?a=1");
    assert_eq!(told.headers["content-type"], "application/json");
    told.assert_signed_by(&[webhook["secret"].as_str().unwrap()]);
    let job = read(&app, &format!("/v1/jobs/{}", id(&job))).await;
    let body = told.json();
    assert_eq!(
        (&body["type"], &body["data"]),
        (&json!("job.succeeded"), &job)
    );
    assert_eq!(body["timestamp"].as_str().unwrap().len(), 27);
    let delivery = delivery(&app, &webhook).await;
    assert_eq!(told.id(), format!("msg_{}", id(&delivery).replace('-', "")));
    assert_eq!(delivery["state"], "succeeded");
    assert_eq!(delivery["jobId"], job["id"]);
    assert_eq!(
        (&delivery["attempts"], &delivery["lastStatus"]),
        (&json!(1), &json!(200))
    );
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn failures_and_cancels_are_told_too() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.create_webhook(&receiver.url()).await;
    app.create_profile("fp-fails").await;
    let behind = app.create_profile("fp-canceled").await;
    // One ends without ever being leased, the other by its worker.
    let cancel = format!("/v1/jobs/{}/cancel", id(&behind));
    app.operator(Method::POST, &cancel)
        .answer()
        .await
        .expect(200);
    let job = app.hands.claim_one().await;
    app.hands.fail(&job, "not_stabilized", "It broke.").await;
    assert_eq!(sender(&app).round().await.unwrap(), 2);
    let mut told: Vec<_> = receiver.received().iter().map(Received::json).collect();
    told.sort_by_key(|body| body["type"].to_string());
    assert_eq!(told[0]["type"], "job.canceled");
    assert_eq!(told[0]["data"]["id"], behind["id"]);
    assert_eq!(told[1]["type"], "job.failed");
    assert_eq!(told[1]["data"]["error"]["code"], "not_stabilized");
    assert_eq!(deliveries(&app, &webhook).await.len(), 2);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn an_operation_is_told_once_after_its_last_job() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let sender = sender(&app);
    let webhook = app.create_webhook(&receiver.url()).await;
    patch(
        &app,
        &webhook,
        json!({"eventTypes": ["operation.finished"]}),
    )
    .await;
    let operation = create_operation(&app).await;
    let first = app.hands.claim_one().await;
    app.hands.succeed(&first, json!({})).await;
    assert_eq!(sender.round().await.unwrap(), 0, "one job is left");
    let second = app.hands.claim_one().await;
    app.hands.fail(&second, "not_stabilized", "It broke.").await;
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(sender.round().await.unwrap(), 0);
    let told = receiver.only().json();
    assert_eq!(told["type"], "operation.finished");
    assert_eq!(told["data"]["id"], operation["id"]);
    assert_eq!(told["data"]["state"], "failed");
    assert_eq!(told["data"]["counts"]["succeeded"], 1);
    assert!(told["data"].get("jobs").is_none());
    let delivery = delivery(&app, &webhook).await;
    assert_eq!(delivery["operationId"], operation["id"]);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn an_operation_whose_jobs_end_together_is_told_once() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.create_webhook(&receiver.url()).await;
    create_operation(&app).await;
    app.hands.finish_all().await;
    // Two workers, each taking what the other leaves.
    let (one, two) = (sender(&app), sender(&app));
    let (first, second) = tokio::join!(one.fan_out(), two.fan_out());
    first.and(second).unwrap();
    let mut types: Vec<String> = deliveries(&app, &webhook)
        .await
        .iter()
        .map(|delivery| delivery["eventType"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    assert_eq!(
        types,
        ["job.succeeded", "job.succeeded", "operation.finished"]
    );
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn many_senders_make_one_delivery_a_job() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.create_webhook(&receiver.url()).await;
    for i in 0..20 {
        app.create_profile(&format!("fp-{i}")).await;
    }
    app.hands.finish_all().await;
    let senders: Vec<_> = (0..4).map(|_| sender(&app)).collect();
    let done = futures_util::future::join_all(senders.iter().map(Sender::fan_out)).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(deliveries(&app, &webhook).await.len(), 20);
    assert_eq!(count(&app.pool, "webhook_events").await, 0);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_crash_while_events_become_deliveries_loses_none() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    app.create_webhook(&receiver.url()).await;
    app.create_profile("fp-crash").await;
    app.hands.finish_all().await;
    let mut transaction = app.pool.begin().await.unwrap();
    let taken = fargate_fleet::db::webhook_events::take(&mut transaction, 10).await;
    assert_eq!(taken.unwrap().len(), 1);
    // Another sees nothing meanwhile, and waits for nobody.
    assert_eq!(sender(&app).round().await.unwrap(), 0);
    transaction.rollback().await.unwrap();
    assert_eq!(sender(&app).round().await.unwrap(), 1);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn nothing_is_written_while_nobody_wants_to_know() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    app.create_profile("fp-none").await;
    app.hands.finish_all().await;
    let webhook = app.create_webhook(&receiver.url()).await;
    patch(&app, &webhook, json!({"enabled": false})).await;
    app.create_profile("fp-disabled").await;
    app.hands.finish_all().await;
    assert_eq!(count(&app.pool, "webhook_events").await, 0);
    // A read is a job too, and changes nothing.
    patch(&app, &webhook, json!({"enabled": true})).await;
    let get = app.viewer(&format!("{BASE}/fp-none?waitSeconds=0"));
    get.answer().await.expect(202);
    app.hands.finish_all().await;
    assert_eq!(count(&app.pool, "webhook_events").await, 0);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_webhook_is_told_only_of_its_accounts_and_event_types() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let sender = sender(&app);
    let of_other = app.create_webhook(&receiver.url()).await;
    patch(&app, &of_other, json!({"accountIds": ["222222222222"]})).await;
    let of_failures = app.create_webhook(&receiver.url()).await;
    patch(&app, &of_failures, json!({"eventTypes": ["job.failed"]})).await;
    let of_mine = app.create_webhook(&receiver.url()).await;
    patch(
        &app,
        &of_mine,
        json!({"accountIds": [ACCOUNT, "222222222222"]}),
    )
    .await;
    app.create_profile("fp-x").await;
    app.hands.finish_all().await;
    sender.fan_out().await.unwrap();
    assert!(deliveries(&app, &of_other).await.is_empty());
    assert!(deliveries(&app, &of_failures).await.is_empty());
    delivery(&app, &of_mine).await;
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_ping_is_told_whatever_is_asked_for() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.create_webhook(&receiver.url()).await;
    let ping = post(&app, &webhook, "test").await;
    assert_eq!(
        (&ping["state"], &ping["attempts"]),
        (&json!("pending"), &json!(0))
    );
    assert_eq!(sender(&app).round().await.unwrap(), 1);
    let told = receiver.only().json();
    assert_eq!(told["type"], "webhook.ping");
    assert_eq!(told["data"]["webhookId"], webhook["id"]);
    let path = ping["links"]["self"].as_str().unwrap();
    assert_eq!(read(&app, path).await["state"], "succeeded");
    patch(&app, &webhook, json!({"enabled": false})).await;
    let test = format!("/v1/webhooks/{}/test", id(&webhook));
    let refused = app.admin(Method::POST, &test).answer().await;
    refused.problem(409, "conflict");
    receiver.stop().await;
    app.end().await;
}
