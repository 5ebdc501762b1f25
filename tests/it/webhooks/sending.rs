//! How much at once, with which secrets, and by the loop of a worker.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use fargate_fleet::db::webhook_deliveries::{Claimed, UnderWay};
use fargate_fleet::webhooks::{Pump, SenderOptions};
use serde_json::json;

use super::support::{
    Receiver, SILENCE, count, deliveries, end_leases, make_due, options, patch, post, sender,
    sender_with, sql,
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

/// So many pings for a new webhook of these accounts, which may have failed before.
async fn pinged(app: &TestApp, url: &str, account: &str, pings: usize, failing: bool) {
    let webhook = app.create_webhook(url).await;
    patch(app, &webhook, json!({"accountIds": [account]})).await;
    for _ in 0..pings {
        post(app, &webhook, "test").await;
    }
    if failing {
        let id = super::support::id(&webhook);
        sql(
            &app.pool,
            &format!("update webhooks set failing_since = now() where webhook_id = '{id}'"),
        )
        .await;
    }
}

/// How many of each owner, and of those the failing.
fn by_owner(claimed: &[Claimed]) -> BTreeMap<&str, (usize, usize)> {
    let mut owners: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for one in claimed {
        let held = owners.entry(&one.owner).or_default();
        held.0 += 1;
        held.1 += usize::from(one.failing);
    }
    owners
}

#[tokio::test]
async fn owners_have_shares_and_dead_receivers_hold_up_nobody_else() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let (one, two) = ("111111111111", "222222222222");
    let options = || SenderOptions {
        in_all: 32,
        ..options()
    };
    let sender = sender_with(&app, options());
    // The first owner has a dozen dead receivers and five that live, the other one of each.
    for _ in 0..12 {
        pinged(&app, &receiver.url(), one, 3, true).await;
    }
    for _ in 0..5 {
        pinged(&app, &receiver.url(), one, 8, false).await;
    }
    pinged(&app, &receiver.url(), two, 3, true).await;
    pinged(&app, &receiver.url(), two, 4, false).await;
    let claimed = sender.claim(8).await.unwrap();
    assert_eq!(
        by_owner(&claimed),
        BTreeMap::from([(one, (4, 2)), (two, (4, 1))])
    );
    end_leases(&app).await;
    // Half of the slots for an owner, a sixteenth for its receivers that fail.
    let claimed = sender.claim(32).await.unwrap();
    assert_eq!(
        by_owner(&claimed),
        BTreeMap::from([(one, (16, 2)), (two, (5, 1))])
    );
    // What is under way counts.
    end_leases(&app).await;
    let under_way = |all, failing| HashMap::from([(one.to_owned(), UnderWay { all, failing })]);
    let claimed = sender.claim_beside(20, under_way(12, 2)).await.unwrap();
    assert_eq!(
        by_owner(&claimed),
        BTreeMap::from([(one, (4, 0)), (two, (5, 1))])
    );
    end_leases(&app).await;
    let claimed = sender.claim_beside(20, under_way(16, 2)).await.unwrap();
    assert_eq!(by_owner(&claimed), BTreeMap::from([(two, (5, 1))]));
    end_leases(&app).await;
    // Those that fail have a quarter of all slots, whoever owns them.
    let failing = HashMap::from([("333333333333".to_owned(), UnderWay { all: 8, failing: 8 })]);
    let claimed = sender.claim_beside(20, failing).await.unwrap();
    assert_eq!(
        by_owner(&claimed),
        BTreeMap::from([(one, (16, 0)), (two, (4, 0))])
    );
    receiver.stop().await;
    app.end().await;
}
