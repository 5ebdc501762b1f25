//! Sending again: when, how often, under which id, and when it stops.

use std::time::Duration;

use fargate_fleet::clock::Clock;
use serde_json::json;

use super::support::{
    Receiver, SILENCE, delivery, end_leases, id, make_due, options, patch, post, read, sender,
    sender_with, sql, time,
};
use crate::support::app::TestApp;

#[tokio::test]
async fn a_failure_is_sent_again_later_under_the_same_id() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let sender = sender(&app);
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    receiver.answers(&[500]);
    assert_eq!(sender.round().await.unwrap(), 1);
    let failed = delivery(&app, &webhook).await;
    assert_eq!(
        (
            &failed["state"],
            &failed["lastStatus"],
            &failed["lastError"]
        ),
        (&json!("pending"), &json!(500), &json!("answered 500"))
    );
    let pause = time(&failed["nextAttemptAt"]) - time(&failed["lastAttemptAt"]);
    assert!((4..=30).contains(&pause.num_seconds()), "{pause}");
    assert_eq!(sender.round().await.unwrap(), 0, "it is not due");
    let path = format!("/v1/webhooks/{}", id(&webhook));
    assert!(read(&app, &path).await["failingSince"].is_string());
    make_due(&app).await;
    assert_eq!(sender.round().await.unwrap(), 1);
    let told = receiver.received();
    assert_eq!((told.len(), told[0].id()), (2, told[1].id()));
    assert_eq!(told[0].body, told[1].body);
    let accepted = delivery(&app, &webhook).await;
    assert_eq!(
        (&accepted["state"], &accepted["attempts"]),
        (&json!("succeeded"), &json!(2))
    );
    assert!(accepted.get("lastError").is_none());
    assert!(read(&app, &path).await.get("failingSince").is_none());
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn after_ten_failures_over_three_days_it_is_given_up_and_can_be_replayed() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let sender = sender(&app);
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    receiver.answers(&[503; 10]);
    let mut hours = 0.0;
    for attempt in 1..=10 {
        make_due(&app).await;
        assert_eq!(sender.round().await.unwrap(), 1, "attempt {attempt}");
        let stands = delivery(&app, &webhook).await;
        assert_eq!(stands["attempts"], attempt);
        let state = if attempt < 10 { "pending" } else { "failed" };
        assert_eq!(stands["state"], state, "attempt {attempt}");
        if attempt < 10 {
            let pause = time(&stands["nextAttemptAt"]) - time(&stands["lastAttemptAt"]);
            hours += pause.as_seconds_f64() / 3600.0;
        }
    }
    assert!((60.0..92.0).contains(&hours), "{hours} hours");
    let given_up = delivery(&app, &webhook).await;
    let action = format!("deliveries/{}/replay", id(&given_up));
    assert_eq!(post(&app, &webhook, &action).await["state"], "pending");
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(delivery(&app, &webhook).await["state"], "succeeded");
    // What was accepted can be replayed too: the receiver may have lost it.
    post(&app, &webhook, &action).await;
    assert_eq!(sender.round().await.unwrap(), 1);
    let told = receiver.received();
    assert_eq!(told.len(), 12);
    assert!(told.iter().all(|one| one.id() == told[0].id()));
    receiver.stop().await;
    app.end().await;
}

/// Seconds from an attempt to the next one, after such an answer to attempt `attempt`.
async fn pause_after(status: u16, retry_after: &str, attempt: u16) -> i64 {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    receiver.answers(&vec![500; usize::from(attempt) - 1]);
    receiver.answers_with(status, &format!("Retry-After: {retry_after}\r\n"));
    for _ in 0..attempt {
        make_due(&app).await;
        assert_eq!(sender(&app).round().await.unwrap(), 1);
    }
    let stands = delivery(&app, &webhook).await;
    assert_eq!(stands["lastStatus"], status, "{stands}");
    let pause = time(&stands["nextAttemptAt"]) - time(&stands["lastAttemptAt"]);
    receiver.stop().await;
    app.end().await;
    pause.num_seconds()
}

#[tokio::test]
async fn a_receiver_that_says_when_is_not_told_sooner() {
    for status in [429, 503] {
        let pause = pause_after(status, "600", 1).await;
        assert!((599..=630).contains(&pause), "{status}: {pause}");
    }
    let date = Clock::system().now() + chrono::TimeDelta::minutes(20);
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let pause = pause_after(503, &date, 1).await;
    assert!((1190..=1230).contains(&pause), "{pause}");
}

#[tokio::test]
async fn a_receiver_can_not_put_a_delivery_off_for_good_nor_hurry_it() {
    let day = 24 * 3600;
    let pause = pause_after(429, "99999999999999999999", 1).await;
    assert!((day - 1..=day + 30).contains(&pause), "{pause}");
    // The second pause is about five minutes, whatever it asks for.
    let pause = pause_after(429, "1", 2).await;
    assert!((239..=390).contains(&pause), "{pause}");
    // Other answers say nothing by it.
    let pause = pause_after(500, "600", 1).await;
    assert!((4..=30).contains(&pause), "{pause}");
    let pause = pause_after(429, "soon", 1).await;
    assert!((4..=30).contains(&pause), "{pause}");
}

#[tokio::test]
async fn gone_disables_the_webhook_until_a_person_enables_it() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let sender = sender(&app);
    let webhook = app.create_webhook(&receiver.url()).await;
    let ping = post(&app, &webhook, "test").await;
    receiver.answers(&[410]);
    assert_eq!(sender.round().await.unwrap(), 1);
    let path = format!("/v1/webhooks/{}", id(&webhook));
    let disabled = read(&app, &path).await;
    assert_eq!(disabled["enabled"], false);
    assert!(disabled["disabledReason"].as_str().unwrap().contains("410"));
    let ended = read(&app, ping["links"]["self"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "failed");
    app.create_profile("fp-untold").await;
    app.hands.finish_all().await;
    assert_eq!(sender.round().await.unwrap(), 0);
    let enabled = patch(&app, &webhook, json!({"enabled": true})).await;
    assert!(enabled.get("disabledReason").is_none() && enabled.get("failingSince").is_none());
    post(&app, &webhook, &format!("deliveries/{}/replay", id(&ping))).await;
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(receiver.count(), 2);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn failing_for_days_disables_the_webhook() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let sender = sender(&app);
    let webhook = app.create_webhook(&receiver.url()).await;
    let path = format!("/v1/webhooks/{}", id(&webhook));
    receiver.answers(&[500, 500, 500]);
    post(&app, &webhook, "test").await;
    sender.round().await.unwrap();
    for (age, enabled) in [("4 days", true), ("5 days 1 minute", false)] {
        let since = format!("update webhooks set failing_since = now() - interval '{age}'");
        sql(&app.pool, &since).await;
        make_due(&app).await;
        assert_eq!(sender.round().await.unwrap(), 1);
        assert_eq!(read(&app, &path).await["enabled"], enabled, "{age}");
    }
    let reason = read(&app, &path).await["disabledReason"].to_string();
    assert!(reason.contains("has failed"), "{reason}");
    make_due(&app).await;
    assert_eq!(sender.round().await.unwrap(), 0, "nothing is sent any more");
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_crash_between_sending_and_writing_sends_again_under_the_same_id() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let (dies, lives) = (sender(&app), sender(&app));
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    let claimed = dies.claim(10).await.unwrap();
    let sent = dies.send(&claimed[0]).await;
    assert_eq!(sent.as_ref().unwrap().status, 200);
    assert_eq!(lives.round().await.unwrap(), 0, "it is leased");
    end_leases(&app).await;
    assert_eq!(lives.round().await.unwrap(), 1);
    let told = receiver.received();
    assert_eq!((told.len(), told[0].id()), (2, told[1].id()));
    // The dead one comes back: its word counts no more.
    assert!(!dies.settle(&claimed[0], &sent).await.unwrap());
    let stands = delivery(&app, &webhook).await;
    assert_eq!(
        (&stands["state"], &stands["attempts"]),
        (&json!("succeeded"), &json!(2))
    );
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_replay_while_it_is_sent_is_not_undone_by_that_sending() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let sender = sender(&app);
    let webhook = app.create_webhook(&receiver.url()).await;
    let ping = post(&app, &webhook, "test").await;
    let claimed = sender.claim(10).await.unwrap();
    let sent = sender.send(&claimed[0]).await;
    post(&app, &webhook, &format!("deliveries/{}/replay", id(&ping))).await;
    assert!(!sender.settle(&claimed[0], &sent).await.unwrap());
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(receiver.count(), 2);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn redirects_are_not_followed_and_silence_is_a_failure() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let options = fargate_fleet::webhooks::SenderOptions {
        timeout: Duration::from_millis(300),
        ..options()
    };
    let sender = sender_with(&app, options);
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    let mut sent = 0;
    for (answer, told) in [
        (301, "a redirect, which is not followed"),
        (307, "a redirect, which is not followed"),
        (404, "answered 404"),
        (SILENCE, "no answer in time"),
    ] {
        receiver.answers(&[answer]);
        make_due(&app).await;
        assert_eq!(sender.round().await.unwrap(), 1);
        sent += 1;
        assert_eq!(receiver.count(), sent, "{answer}");
        let stands = delivery(&app, &webhook).await;
        assert_eq!(stands["state"], "pending", "{answer}");
        assert_eq!(stands["lastError"], told, "{answer}");
    }
    receiver.stop().await;
    make_due(&app).await;
    assert_eq!(sender.round().await.unwrap(), 1);
    let unreachable = delivery(&app, &webhook).await;
    assert_eq!(unreachable["lastError"], "no connection, or no TLS on it");
    assert!(unreachable.get("lastStatus").is_none());
    app.end().await;
}
