//! `token create`: the way to the first token, and to all others from a shell.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{ACCOUNT, Caller, OTHER_ACCOUNT, Stage, profile, profiles, until};

#[tokio::test]
async fn a_token_is_printed_once_and_may_do_what_its_role_may() {
    let stage = Stage::new().await;
    let (_api, address) = stage.api().await;
    let caller = |token: &str| Caller::new(&address, token);
    let token = stage.token("admin", &[]).await;
    assert!(token.starts_with("fleet_"), "{token}");
    let kept: String =
        sqlx::query_scalar("select to_json(api_tokens)::text from api_tokens where name = 'admin'")
            .fetch_one(&stage.database.pool)
            .await
            .unwrap();
    assert!(!kept.contains(&token), "it is kept as it is: {kept}");
    let admin = caller(&token);
    stage.register(&admin).await;

    let viewer = caller(&stage.token("viewer", &[]).await);
    let operator = caller(&stage.token("operator", &[]).await);
    for anyone in [&viewer, &operator, &admin] {
        assert_eq!(anyone.get("/v1/accounts").await.0, 200);
    }
    let create = || profile("web");
    assert_eq!(viewer.post(&profiles(ACCOUNT), create()).await.0, 403);
    assert_eq!(operator.post(&profiles(ACCOUNT), create()).await.0, 202);
    let account = format!("/v1/accounts/{OTHER_ACCOUNT}");
    let delete = |who: Caller| {
        let account = account.clone();
        async move { who.call(Method::DELETE, &account, None).await }
    };
    let (status, problem) = delete(operator).await;
    assert_eq!(status, 403, "{problem}");
    assert_eq!(problem["code"], "permission_denied", "{problem}");
    let forged = caller(&format!("{token}x"));
    let (status, problem) = forged.get("/v1/accounts").await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (401, Some("unauthenticated"))
    );
}

#[tokio::test]
async fn a_token_of_some_accounts_sees_no_others() {
    let stage = Stage::new().await;
    let (_api, address) = stage.api().await;
    let admin = Caller::new(&address, &stage.token("admin", &[]).await);
    stage.register(&admin).await;
    let token = stage.token("operator", &["--accounts", ACCOUNT]).await;
    let operator = Caller::new(&address, &token);

    let (status, accounts) = operator.get("/v1/accounts").await;
    assert_eq!(status, 200, "{accounts}");
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1, "{accounts}");
    assert_eq!(
        operator.get(&format!("/v1/accounts/{ACCOUNT}")).await.0,
        200
    );
    let other = format!("/v1/accounts/{OTHER_ACCOUNT}");
    let (status, problem) = operator.get(&other).await;
    assert_eq!(
        (status, problem["resource"].as_str()),
        (404, Some("account"))
    );
    let path = profiles(OTHER_ACCOUNT);
    assert_eq!(operator.post(&path, profile("web")).await.0, 404);
    assert_eq!(
        operator.post(&profiles(ACCOUNT), profile("web")).await.0,
        202
    );
}

#[tokio::test]
async fn tokens_are_listed_and_revoked_from_a_shell() {
    let stage = Stage::new().await;
    let (_api, address) = stage.api().await;
    let more = [
        "--accounts",
        ACCOUNT,
        "--expires-in-days",
        "30",
        "--on-behalf-of",
    ];
    let token = stage.token("operator", &more).await;
    stage.token("viewer", &[]).await;
    let caller = Caller::new(&address, &token);
    assert_eq!(caller.get("/v1/whoami").await.1["mayActFor"], true);

    let list = async |more: &[&str]| {
        let listed = stage.run(&[&["token", "list"], more].concat()).await;
        assert!(listed.status.success(), "{:#?}", listed.stderr);
        let lines = listed.stdout.into_iter();
        lines
            .map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let lines = list(&[]).await;
    assert_eq!(lines[0][0], "ID");
    assert_eq!(lines[1][1..6], ["viewer", "viewer", "all", "no", "-"]);
    assert_eq!(lines[2][1..5], ["operator", "operator", ACCOUNT, "yes"]);
    // And the one that the API needed for its start.
    assert_eq!((lines.len(), lines[2][7].as_str()), (4, "-"));

    let id = lines[2][0].as_str();
    let revoked = stage.run(&["token", "revoke", id]).await;
    assert_eq!(revoked.stdout, [format!("revoked {id} (operator)")]);
    until("the running API refuses it", || async {
        caller.get("/v1/whoami").await.0 == 401
    })
    .await;
    assert_eq!(list(&[]).await.len(), 3);
    assert_ne!(list(&["--all"]).await[2][7], "-");

    let again = stage.run(&["token", "revoke", id]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(
        again.stderr.concat().contains("revoked before"),
        "{:?}",
        again.stderr
    );
    let unknown = stage
        .run(&["token", "revoke", &id.replace(&id[..8], "00000000")])
        .await;
    assert_eq!(unknown.status.code(), Some(1));
    let trail: Vec<(String, String)> =
        sqlx::query_as("select actor, action from audit_events order by event_seq")
            .fetch_all(&stage.database.pool)
            .await
            .unwrap();
    let actions = ["token create", "token create", "token revoke"];
    let expected = actions.map(|action| ("command line".to_owned(), action.to_owned()));
    assert_eq!(trail, expected);
}

#[tokio::test]
async fn the_trail_keeps_what_a_token_of_a_shell_may_do() {
    let stage = Stage::new().await;
    let more = ["--accounts", ACCOUNT, "--expires-in-days", "30"];
    stage.token("operator", &more).await;
    let listed = stage.run(&["token", "list"]).await.stdout;
    let id = listed[1].split('\t').next().unwrap();
    let revoked = stage.run(&["token", "revoke", id]).await;
    assert!(revoked.status.success(), "{:#?}", revoked.stderr);
    let kept: Vec<Value> = sqlx::query_scalar("select detail from audit_events order by event_seq")
        .fetch_all(&stage.database.pool)
        .await
        .unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0], kept[1]);
    let expires_at = kept[0]["expiresAt"].as_str().unwrap();
    let row = json!({
        "actorKind": "command_line", "name": "operator", "role": "operator",
        "mayActFor": false, "accountIds": [ACCOUNT], "expiresAt": expires_at,
    });
    assert_eq!(kept[0], row);
    let same: bool = sqlx::query_scalar("select expires_at = $1::timestamptz from api_tokens")
        .bind(expires_at)
        .fetch_one(&stage.database.pool)
        .await
        .unwrap();
    assert!(same, "{expires_at}");
}
