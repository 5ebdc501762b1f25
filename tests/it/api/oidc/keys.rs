//! Where the keys come from, and how often they are asked for.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{EC, ED, RSA, Stage, with};
use crate::support::app::Send as _;
use crate::support::issuer::{Mood, Signer};

const GAP: Duration = Duration::from_secs(30);

/// Tokens that nothing remembers.
fn fresh(stage: &Stage, signer: &Signer, number: usize) -> String {
    signer.token(&with(&stage.claims(), "jti", json!(number)))
}

#[tokio::test]
async fn a_new_key_is_found_by_asking_once_and_an_old_one_is_forgotten() {
    let stage = Stage::with(Mood::Well, vec![RSA.jwk()]).await;
    stage
        .get(&fresh(&stage, &RSA, 1))
        .answer()
        .await
        .expect(200);
    assert_eq!(stage.issuer.asked(), (1, 1));
    stage.issuer.publish(vec![EC.jwk()]);
    // Too soon after the last time: nobody asks.
    let early = stage.get(&fresh(&stage, &EC, 2)).answer().await;
    early.problem(401, "unauthenticated");
    assert_eq!(stage.issuer.asked(), (1, 1));
    stage.hand.advance(GAP);
    stage.get(&fresh(&stage, &EC, 3)).answer().await.expect(200);
    assert_eq!(stage.issuer.asked(), (2, 2));
    let old = stage.get(&fresh(&stage, &RSA, 4)).answer().await;
    old.problem(401, "unauthenticated");
    assert_eq!(stage.issuer.asked(), (2, 2));
    stage.end().await;
}

#[tokio::test]
async fn fifty_unknown_keys_at_once_ask_once() {
    let stage = Stage::new().await;
    stage.get(&fresh(&stage, &ED, 0)).answer().await.expect(200);
    let storm = async || {
        let tokens: Vec<String> = (0..50)
            .map(|number| {
                let head = json!({"alg": "RS256", "kid": format!("unknown-{number}")});
                RSA.token_with(&head, &stage.claims())
            })
            .collect();
        let answers = join_all(tokens.iter().map(|token| stage.get(token).answer())).await;
        for answer in answers {
            answer.problem(401, "unauthenticated");
        }
    };
    storm().await;
    assert_eq!(stage.issuer.asked(), (1, 1));
    stage.hand.advance(GAP);
    storm().await;
    assert_eq!(stage.issuer.asked(), (2, 2));
    storm().await;
    assert_eq!(stage.issuer.asked(), (2, 2));
    stage.end().await;
}

#[tokio::test]
async fn keys_once_read_go_on_working_while_the_issuer_is_down() {
    let stage = Stage::new().await;
    stage
        .get(&fresh(&stage, &RSA, 0))
        .answer()
        .await
        .expect(200);
    for mood in [Mood::Down, Mood::Empty, Mood::Other, Mood::Garbage] {
        stage.issuer.set_mood(mood);
        stage.hand.advance(GAP);
        let unknown = json!({"alg": "RS256", "kid": "unknown"});
        let unknown = RSA.token_with(&unknown, &stage.claims());
        let refused = stage.get(&unknown).answer().await;
        refused.problem(401, "unauthenticated");
        for (number, signer) in [&*RSA, &*EC, &*ED].into_iter().enumerate() {
            let token = fresh(&stage, signer, number + 1);
            let answer = stage.get(&token).answer().await;
            assert_eq!(answer.status, 200, "{mood:?}: {}", answer.text);
        }
    }
    assert_eq!(stage.issuer.asked(), (5, 2));
    stage.end().await;
}

#[tokio::test]
async fn keys_that_have_grown_old_are_read_again_while_they_serve() {
    let stage = Stage::with(Mood::Well, vec![RSA.jwk()]).await;
    stage
        .get(&fresh(&stage, &RSA, 0))
        .answer()
        .await
        .expect(200);
    stage.issuer.publish(vec![EC.jwk()]);
    stage.hand.advance(Duration::from_mins(10));
    let lasting = |number: usize| {
        let claims = with(&stage.claims(), "exp", json!(super::NOW + 3_600));
        RSA.token(&with(&claims, "jti", json!(number)))
    };
    stage.get(&lasting(1)).answer().await.expect(200);
    let taken_back = async {
        for number in 2.. {
            let answer = stage.get(&lasting(number)).answer().await;
            if answer.status == 401 {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), taken_back).await;
    waited.expect("a key that was taken back stops counting");
    assert_eq!(stage.issuer.asked(), (2, 2));
    stage.end().await;
}

#[tokio::test]
async fn an_issuer_that_gives_no_keys_leaves_the_apis_own_tokens_alone() {
    let stage = Stage::with(Mood::Down, vec![RSA.jwk()]).await;
    let own = || stage.app.viewer("/v1/accounts").answer();
    let moods = [
        Mood::Down,
        Mood::Redirects,
        Mood::Other,
        Mood::Unsafe,
        Mood::Large,
        Mood::Garbage,
        Mood::Empty,
    ];
    for (number, mood) in moods.into_iter().enumerate() {
        stage.issuer.set_mood(mood);
        let token = fresh(&stage, &RSA, number);
        let answer = stage.get(&token).answer().await;
        assert_eq!(
            answer.header("retry-after"),
            "2",
            "{mood:?}: {}",
            answer.text
        );
        let problem = answer.problem(503, "deadline_exceeded");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("keys could not be read"),
            "{mood:?}: {detail}"
        );
        own().await.expect(200);
        stage.hand.advance(GAP);
    }
    // The first reading was at the start, whatever the mood was by then.
    assert_eq!(stage.issuer.asked(), (moods.len(), 1));
    stage.issuer.set_mood(Mood::Well);
    stage.hand.advance(GAP);
    stage
        .get(&fresh(&stage, &RSA, 100))
        .answer()
        .await
        .expect(200);
    stage.end().await;
}

#[tokio::test]
async fn without_an_issuer_no_signed_token_counts() {
    let app = crate::support::app::TestApp::start().await;
    let token = RSA.token(&json!({"iss": "https://id.example.com", "sub": "x"}));
    let request = app.request(Method::GET, "/v1/accounts").bearer_auth(token);
    let refused = request.answer().await;
    refused.problem(401, "unauthenticated");
    app.end().await;
}
