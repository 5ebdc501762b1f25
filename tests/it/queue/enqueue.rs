//! What a submission leaves behind, however many come at once.

use fargate_fleet::queue::Submitted;
use fargate_fleet::queue::enqueue::NewOperation;
use futures_util::future::join_all;
use serde_json::json;

use super::support::{ACCOUNT, Queue, key, new_job};

async fn count(queue: &Queue, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql)
        .fetch_one(queue.pool())
        .await
        .expect("a count")
}

#[tokio::test]
async fn job_audit_row_and_key_commit_together() {
    let queue = Queue::new().await;
    let mut submission = queue.one(ACCOUNT, None, json!({"a": 1}));
    submission.idempotency = Some(key("k", "request"));
    assert_eq!(
        queue.enqueuer.submit(submission).await.unwrap(),
        Submitted::Accepted
    );
    assert_eq!(count(&queue, "select count(*) from jobs").await, 1);
    assert_eq!(count(&queue, "select count(*) from audit_events").await, 1);
    assert_eq!(
        count(&queue, "select count(*) from idempotency_keys").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_submissions_with_one_key_make_one_job() {
    let queue = Queue::new().await;
    let submissions = (0..100).map(|_| {
        let mut submission = queue.one(ACCOUNT, Some("lane"), json!({}));
        submission.idempotency = Some(key("same", "request"));
        queue.enqueuer.submit(submission)
    });
    let answers: Vec<Submitted> = join_all(submissions)
        .await
        .into_iter()
        .map(|answer| answer.unwrap())
        .collect();
    let accepted = answers
        .iter()
        .filter(|answer| **answer == Submitted::Accepted)
        .count();
    assert_eq!(accepted, 1);
    let made: String = sqlx::query_scalar("select job_id::text from jobs")
        .fetch_one(queue.pool())
        .await
        .expect("one job");
    let replayed = Submitted::Replayed(made);
    assert_eq!(
        answers.iter().filter(|answer| **answer == replayed).count(),
        99
    );
    assert_eq!(count(&queue, "select count(*) from audit_events").await, 1);
    assert_eq!(count(&queue, "select sum(pending) from lanes").await, 1);
}

#[tokio::test]
async fn a_key_of_another_request_or_caller_is_told_apart() {
    let queue = Queue::new().await;
    let submit = async |request: &str, caller: &str| {
        let mut submission = queue.one(ACCOUNT, None, json!({}));
        submission.idempotency = Some(key("k", request));
        caller.clone_into(&mut submission.caller);
        queue.enqueuer.submit(submission).await.unwrap()
    };
    assert_eq!(submit("one", "ann").await, Submitted::Accepted);
    assert_eq!(submit("two", "ann").await, Submitted::KeyReused);
    assert_eq!(submit("two", "bob").await, Submitted::Accepted);
    assert!(matches!(submit("one", "ann").await, Submitted::Replayed(_)));
}

#[tokio::test]
async fn a_key_is_free_again_after_a_day() {
    let queue = Queue::new().await;
    for _ in 0..2 {
        let mut submission = queue.one(ACCOUNT, None, json!({}));
        submission.idempotency = Some(key("k", "request"));
        assert_eq!(
            queue.enqueuer.submit(submission).await.unwrap(),
            Submitted::Accepted
        );
        sqlx::query("update idempotency_keys set created_at = now() - interval '25 hours'")
            .execute(queue.pool())
            .await
            .expect("a day passes");
    }
    assert_eq!(count(&queue, "select count(*) from jobs").await, 2);
}

#[tokio::test]
async fn nothing_is_queued_for_an_account_that_is_not_there() {
    let queue = Queue::new().await;
    let submission = queue.one("999999999999", Some("lane"), json!({}));
    assert_eq!(
        queue.enqueuer.submit(submission).await.unwrap(),
        Submitted::UnknownAccount
    );
    assert_eq!(count(&queue, "select count(*) from jobs").await, 0);
    assert_eq!(count(&queue, "select count(*) from lanes").await, 0);
    assert_eq!(count(&queue, "select count(*) from audit_events").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_postgres_refuses_fails_alone_and_not_with_its_batch() {
    let queue = Queue::new().await;
    let submissions = (0..50).map(|n| {
        // Postgres keeps no zero character in a text.
        let input = if n == 25 { json!("\u{0}") } else { json!(n) };
        queue.enqueuer.submit(queue.one(ACCOUNT, None, input))
    });
    let answers = join_all(submissions).await;
    let refused: Vec<usize> = (0..answers.len())
        .filter(|n| answers[*n].is_err())
        .collect();
    assert_eq!(refused, [25]);
    assert_eq!(count(&queue, "select count(*) from jobs").await, 49);
}

#[tokio::test]
async fn an_operation_brings_its_jobs_in_order() {
    let queue = Queue::new().await;
    let mut submission = queue.one(ACCOUNT, None, json!({}));
    submission.subject_id = queue.clock.uuid();
    submission.operation = Some(NewOperation {
        action: "create_fargate_profiles",
        region: "eu-central-1".to_owned(),
        cluster_name: "prod".to_owned(),
    });
    submission.jobs = (0..500)
        .map(|n| new_job(queue.clock.uuid(), Some("lane"), json!({ "n": n })))
        .collect();
    let operation_id = submission.subject_id;
    assert_eq!(
        queue.enqueuer.submit(submission).await.unwrap(),
        Submitted::Accepted
    );
    let order: Vec<i64> = sqlx::query_scalar(
        "select (input->>'n')::bigint from jobs where operation_id = $1 order by seq",
    )
    .bind(operation_id)
    .fetch_all(queue.pool())
    .await
    .expect("the jobs");
    assert_eq!(order, (0..500).collect::<Vec<_>>());
    assert_eq!(
        count(&queue, "select count(*) from jobs where phase = 'ready'").await,
        1
    );
    assert_eq!(
        count(&queue, "select job_count::bigint from operations").await,
        500
    );
}
