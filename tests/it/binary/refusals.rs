//! What the program does not start with, and how it says so.

use super::support::{Ended, Process, Stage};

/// Nothing listens there.
const NOWHERE: &str = "postgres://nobody:hunter2@127.0.0.1:9/nothing";

fn assert_says(ended: &Ended, code: i32, words: &[&str]) {
    let stderr = ended.stderr.join("\n");
    assert_eq!(ended.status.code(), Some(code), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word} is not in: {stderr}");
    }
    assert!(!stderr.contains("hunter2"), "a secret was echoed: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

async fn serve(variables: &[(&str, &str)]) -> Ended {
    Process::start(&["serve"], variables).ended().await
}

#[tokio::test]
async fn a_database_without_the_schema_is_refused_with_what_to_run() {
    let stage = Stage::new().await;
    for statement in ["drop schema public cascade", "create schema public"] {
        sqlx::query(statement)
            .execute(&stage.database.pool)
            .await
            .unwrap();
    }
    let variables = [
        ("DATABASE_URL", stage.url.as_str()),
        ("FLEET_LISTEN", "127.0.0.1:0"),
    ];
    assert_says(
        &serve(&variables).await,
        1,
        &["run `fargate-fleet migrate`"],
    );

    // Twice: the second time there is nothing to do.
    for _ in 0..2 {
        let migrated = stage.run(&["migrate"]).await;
        assert!(migrated.status.success(), "{:#?}", migrated.stderr);
    }
    let (_api, _) = stage.api().await;
}

#[tokio::test]
async fn an_api_that_nobody_could_call_is_refused_with_what_to_run() {
    let stage = Stage::new().await;
    let variables = [
        ("DATABASE_URL", stage.url.as_str()),
        ("FLEET_LISTEN", "127.0.0.1:0"),
        ("AWS_REGION", "us-east-1"),
    ];
    let of_no_use =
        "insert into api_tokens (token_id, name, token_sha256, role, expires_at, revoked_at)
        values
            (gen_random_uuid(), 'old', sha256('old'), 'admin', now() - interval '1 day', null),
            (gen_random_uuid(), 'revoked', sha256('revoked'), 'admin', null, now())";
    sqlx::query(of_no_use)
        .execute(&stage.database.pool)
        .await
        .unwrap();
    for role in ["all", "api"] {
        let refused = Process::start(&["serve", "--role", role], &variables);
        let words = ["there is no valid token", "fargate-fleet token create"];
        assert_says(&refused.ended().await, 1, &words);
    }

    // A worker is called by nobody; with a token the API starts.
    let (worker, _) = stage.worker("1").await;
    worker.die().await;
    stage.token("viewer", &[]).await;
    let mut api = Process::start(&["serve", "--role", "api"], &variables);
    api.logs(|line| line.contains("serving")).await;
}

#[tokio::test]
async fn a_schema_of_an_older_version_is_refused_too() {
    let stage = Stage::new().await;
    sqlx::query(
        "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)",
    )
    .execute(&stage.database.pool)
    .await
    .unwrap();
    let variables = [
        ("DATABASE_URL", stage.url.as_str()),
        ("FLEET_LISTEN", "127.0.0.1:0"),
    ];
    assert_says(
        &serve(&variables).await,
        1,
        &["run `fargate-fleet migrate`"],
    );
}

#[tokio::test]
async fn unusable_settings_end_with_2_and_the_names_of_all_of_them() {
    assert_says(&serve(&[]).await, 2, &["DATABASE_URL"]);
    let wrong = [
        ("DATABASE_URL", "mysql://nobody:hunter2@host/db"),
        ("FLEET_LISTEN", "everywhere"),
        ("FLEET_LEASE_SECONDS", "soon"),
        ("FLEET_LISTNE", "127.0.0.1:8080"),
        ("FLEET_PAGE_TOKEN_SECRET", "hunter2"),
    ];
    let names = wrong.map(|(name, _)| name);
    assert_says(&serve(&wrong).await, 2, &names);
    let migrate = Process::start(&["migrate"], &[]).ended().await;
    assert_says(&migrate, 2, &["DATABASE_URL"]);
    let unknown = Process::start(&["dance"], &[]).ended().await;
    assert_says(&unknown, 2, &["dance"]);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_told_without_its_password() {
    // `serve` waits for it: see `silence`.
    let migrate = Process::start(&["migrate"], &[("DATABASE_URL", NOWHERE)]);
    assert_says(&migrate.ended().await, 1, &["connecting to the database"]);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let stage = Stage::new().await;
    stage.token("viewer", &[]).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let variables = [
        ("DATABASE_URL", stage.url.as_str()),
        ("FLEET_LISTEN", &address),
    ];
    let listening = format!("listening on {address}");
    assert_says(&serve(&variables).await, 1, &[&listening]);
}
