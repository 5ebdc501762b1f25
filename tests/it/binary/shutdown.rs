//! SIGTERM: what is under way is finished or handed back, within the grace.

use std::time::{Duration, Instant};

use fargate_fleet::sim::Fault;
use nix::sys::signal::Signal;

use super::support::{ACCOUNT, BOUND, Caller, Process, Stage, profile, profiles, until};

/// Beside the grace: closing connections, and a busy machine.
const SLACK: Duration = Duration::from_secs(10);

async fn terminated(process: Process) -> Duration {
    let began = Instant::now();
    process.signal(Signal::SIGTERM);
    let ended = process.ended().await;
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.stderr);
    began.elapsed()
}

#[tokio::test]
async fn a_worker_hands_back_what_it_cannot_finish_within_the_grace() {
    let stage = Stage::new().await;
    let (api, address) = stage.api().await;
    let admin = Caller::new(&address, &stage.token("admin", &[]).await);
    stage.register(&admin).await;
    let (worker, _) = stage.worker("1").await;

    // A step that takes longer than the grace.
    stage.sim.add_faults(vec![Fault {
        action: "DescribeCluster".to_owned(),
        delay_ms: Some(60_000),
        ..Fault::default()
    }]);
    let (status, job) = admin.post(&profiles(ACCOUNT), profile("web")).await;
    assert_eq!(status, 202, "{job}");
    stage.called("DescribeCluster", None).await;
    assert_eq!(stage.leased().await, 1);
    let took = terminated(worker).await;
    assert!(took < Duration::from_secs(1) + SLACK, "it took {took:?}");
    assert_eq!(stage.leased().await, 0, "the lease was handed back");
    let workers: i64 = sqlx::query_scalar("select count(*) from workers")
        .fetch_one(&stage.database.pool)
        .await
        .unwrap();
    assert_eq!(workers, 0, "it has deregistered");

    // The next one needs no lease to run out.
    let (next, _) = stage.worker("5").await;
    let job = admin.followed(&job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    let took = terminated(next).await;
    assert!(took < Duration::from_secs(5) + SLACK, "it took {took:?}");
    let took = terminated(api).await;
    assert!(took < SLACK, "an idle API took {took:?}");
    stage.end().await;
}

#[tokio::test]
async fn an_api_answers_what_waits_before_it_ends() {
    let stage = Stage::new().await;
    let (api, address) = stage.api().await;
    let admin = Caller::new(&address, &stage.token("admin", &[]).await);
    stage.register(&admin).await;

    // Nobody works on it, so the answer is held until the end.
    let path = format!("{}?waitSeconds=60", profiles(ACCOUNT));
    let held = async { admin.post(&path, profile("web")).await };
    let ends = async {
        until("the job is durable", || async {
            let jobs = "select count(*) from jobs";
            let count: i64 = sqlx::query_scalar(jobs)
                .fetch_one(&stage.database.pool)
                .await
                .unwrap();
            count == 1
        })
        .await;
        terminated(api).await
    };
    let ((status, answer), took) = tokio::join!(held, ends);
    assert!(took < BOUND / 2, "it took {took:?}");
    assert_eq!(status, 202, "{answer}");
    assert_eq!(answer["state"], "queued", "{answer}");

    let (_worker, _) = stage.worker("5").await;
    let (_api, address) = stage.api().await;
    let admin = Caller::new(&address, &stage.token("admin", &[]).await);
    assert_eq!(admin.followed(&answer).await["state"], "succeeded");
    stage.end().await;
}

#[tokio::test]
async fn a_worker_tells_its_health_on_its_own_port() {
    let stage = Stage::new().await;
    let (worker, address) = stage.worker("5").await;
    let caller = Caller::new(&address, "");
    for path in ["/livez", "/readyz"] {
        let (status, health) = caller.get(path).await;
        assert_eq!((status, health["status"].as_str()), (200, Some("ok")));
    }
    terminated(worker).await;
    assert!(!caller.is_ready().await);
}
