//! `audit verify`, and the service under a role that can't change the trail.

use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::support::{ACCOUNT, Caller, Ended, Stage, profile, profiles, until};

async fn verify(stage: &Stage, more: &[&str]) -> Ended {
    stage.run(&[&["audit", "verify"], more].concat()).await
}

/// Waits until the running service has sealed everything; what `audit verify` printed.
async fn all_sealed(stage: &Stage) -> Vec<String> {
    until("all rows are sealed", || async {
        let left: i64 = sqlx::query_scalar(
            "select (select count(*) from audit_events) - (select count(*) from audit_seals)",
        )
        .fetch_one(&stage.database.pool)
        .await
        .unwrap();
        left == 0
    })
    .await;
    let found = verify(stage, &[]).await;
    assert!(found.status.success(), "{:#?}", found.stderr);
    found.stdout
}

#[tokio::test]
async fn verify_counts_what_is_sound_and_names_the_first_break() {
    let stage = Stage::new().await;
    let token = stage.token("admin", &[]).await;
    // Nobody has sealed it yet.
    let found = verify(&stage, &[]).await;
    assert!(found.status.success(), "{:#?}", found.stderr);
    assert_eq!(
        found.stdout[0],
        "0 audit rows are sealed and sound, 1 wait for their seal"
    );

    let (_api, address) = stage.api().await;
    stage.register(&Caller::new(&address, &token)).await;
    let printed = all_sealed(&stage).await;
    assert_eq!(
        printed[0],
        "3 audit rows are sealed and sound, 0 wait for their seal"
    );
    let head = printed[1]
        .strip_prefix("head ")
        .expect("its head")
        .to_owned();
    assert!(verify(&stage, &["--head", &head]).await.status.success());

    sqlx::raw_sql(
        "alter table audit_events disable trigger user;
        update audit_events set actor = 'somebody else' where event_seq = 2",
    )
    .execute(&stage.database.pool)
    .await
    .unwrap();
    let found = verify(&stage, &[]).await;
    assert_eq!(found.status.code(), Some(1), "{:#?}", found.stdout);
    let told = found.stderr.concat();
    let expected = "audit event 2 was changed after it was sealed (seal 2)";
    assert!(
        told.contains(expected) && told.contains("after 1 sound rows"),
        "{told}"
    );
    stage.end().await;
}

/// The statements for the service's role, as the page tells them.
fn documented_grants() -> String {
    let page = include_str!("../../../docs/operations.md");
    let blocks = page.split("```sql\n").skip(1);
    let mut blocks = blocks.filter_map(|block| block.split("```").next());
    let grants = blocks.find(|block| block.contains("create role fleet_service"));
    grants.expect("the statements").replace('…', "secret")
}

#[tokio::test]
async fn the_service_works_under_a_role_that_cannot_change_the_trail() {
    let mut stage = Stage::new().await;
    let admin = stage.token("admin", &[]).await;
    sqlx::raw_sql(AssertSqlSafe(documented_grants()))
        .execute(&stage.database.pool)
        .await
        .unwrap();
    let (_, place) = stage.url.split_once('@').expect("a URL with a user");
    stage.url = format!("postgres://fleet_service:secret@{place}");

    let (service, address) = stage.both("5").await;
    let caller = Caller::new(&address, &admin);
    stage.register(&caller).await;
    let (status, job) = caller.post(&profiles(ACCOUNT), profile("web")).await;
    assert_eq!(status, 202, "{job}");
    assert_eq!(caller.followed(&job).await["state"], "succeeded");
    let body = json!({"name": "short", "role": "viewer"});
    let (status, made) = caller.post("/v1/tokens", body).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap();
    let revoked = stage.run(&["token", "revoke", id]).await;
    assert!(revoked.status.success(), "{:#?}", revoked.stderr);
    let short = Caller::new(&address, made["secret"].as_str().unwrap());
    until("the token is refused", || async {
        short.call(Method::GET, "/v1/whoami", None).await.0 == 401
    })
    .await;
    let printed = all_sealed(&stage).await;
    assert_eq!(
        printed[0],
        "6 audit rows are sealed and sound, 0 wait for their seal"
    );

    let mut connection = PgConnection::connect(&stage.url).await.unwrap();
    for (table, column) in [("audit_events", "actor"), ("audit_seals", "sealed_at")] {
        for change in [
            format!("update {table} set {column} = {column}"),
            format!("delete from {table}"),
            format!("truncate {table}"),
            format!("alter table {table} disable trigger user"),
            format!("drop table {table}"),
            format!("drop trigger {table}_append_only on {table}"),
        ] {
            let refused = sqlx::raw_sql(AssertSqlSafe(change.clone()))
                .execute(&mut connection)
                .await;
            let refused = refused.expect_err(&change);
            let refused = refused.as_database_error().expect(&change);
            let code = refused.code();
            assert_eq!(code.as_deref(), Some("42501"), "{change}");
        }
    }
    drop(service);
    stage.end().await;
}

#[tokio::test]
async fn the_person_behind_a_request_is_told_to_aws() {
    let stage = Stage::new().await;
    let admin = stage.token("admin", &[]).await;
    let portal = stage.token("operator", &["--on-behalf-of"]).await;
    let (service, address) = stage.both("5").await;
    stage.register(&Caller::new(&address, &admin)).await;
    let portal = Caller::new(&address, &portal);
    let path = format!("{}?onBehalfOf=user:default/ann", profiles(ACCOUNT));
    let (status, job) = portal.post(&path, profile("web")).await;
    assert_eq!(status, 202, "{job}");
    let job = portal.followed(&job).await;
    assert_eq!(
        (&job["state"], &job["requestedBy"]),
        (&json!("succeeded"), &json!("user:default/ann"))
    );
    let calls = stage.sim.record().calls;
    let assumed = calls
        .iter()
        .find(|call| call.action == "AssumeRole")
        .expect("a session");
    // As near as AWS's letters come to it.
    assert_eq!(assumed.source_identity.as_deref(), Some("user-default-ann"));
    let created = calls
        .iter()
        .find(|call| call.action == "CreateFargateProfile")
        .expect("a call");
    assert_eq!(created.source_identity, assumed.source_identity);
    drop(service);
    stage.end().await;
}
