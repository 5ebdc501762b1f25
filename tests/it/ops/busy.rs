//! A busy cluster is waited for, for free, up to half an hour.

use std::time::Duration;

use super::support::{ACCOUNT, CLUSTER, Fleet, REGION, SPEED};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_update_of_the_cluster_delays_changes_and_costs_no_attempt() {
    let fleet = Fleet::new().await;
    fleet.put("fp-old", "old", "ACTIVE");
    // The update must not be over before the first change is tried.
    fleet.sim.freeze();
    fleet
        .sim
        .start_cluster_update(ACCOUNT, REGION, CLUSTER, Duration::from_mins(5));
    let create = fleet.create("fp-dev", "dev").await;
    let delete = fleet.delete("fp-old", true).await;
    let refused = fleet
        .sim
        .wait_for(|call| call.action == "CreateFargateProfile" && call.status == Some(409));
    let worker = fleet.worker().await;
    let refused = tokio::time::timeout(Duration::from_mins(1), refused).await;
    assert!(refused.is_ok(), "AWS never said no");
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    for job in [create, delete] {
        fleet.assert_state(job, "succeeded").await;
        assert_eq!(fleet.queue.column(job, "attempt").await, "0");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_wait_is_told_in_awss_own_words() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    fleet.put("fp-other", "other", "CREATING");
    let create = fleet.create("fp-dev", "dev").await;
    let worker = fleet.worker().await;
    let busy = "select count(*) from jobs where waiting_reason = 'cluster_busy'";
    fleet.queue.until(busy, |count| count == 1).await;
    worker.crash().await;
    let message = fleet.queue.column(create, "message").await;
    assert!(message.contains("fp-other in status CREATING"), "{message}");
    fleet.sim.thaw();
    fleet.run().await;
    fleet.assert_state(create, "succeeded").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_half_an_hour_the_job_gives_up() {
    let mut fleet = Fleet::new().await;
    fleet.patience = SPEED;
    fleet.put("fp-dev", "dev", "ACTIVE");
    fleet
        .sim
        .start_cluster_update(ACCOUNT, REGION, CLUSTER, Duration::from_hours(2));
    let delete = fleet.delete("fp-dev", true).await;
    fleet.run().await;
    fleet.assert_failed(delete, "deadline_exceeded").await;
    let message = fleet.queue.column(delete, "message").await;
    assert!(message.contains("update in progress"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_window_after_active_in_which_eks_still_says_busy_is_waited_out() {
    let fleet = Fleet::with(|options| options.settle_time = Duration::from_mins(10)).await;
    let create = fleet.create("fp-dev", "dev").await;
    let delete = fleet.delete("fp-dev", true).await;
    fleet.run().await;
    fleet.assert_state(create, "succeeded").await;
    fleet.assert_state(delete, "succeeded").await;
    assert_eq!(fleet.queue.column(delete, "attempt").await, "0");
    assert!(fleet.calls("DeleteFargateProfile", Some(409)) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_canceled_wait_ends_without_a_change() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    fleet.put("fp-other", "other", "CREATING");
    let create = fleet.create("fp-dev", "dev").await;
    let worker = fleet.worker().await;
    let busy = "select count(*) from jobs where waiting_reason = 'cluster_busy'";
    fleet.queue.until(busy, |count| count == 1).await;
    let mut transaction = fleet.queue.pool().begin().await.unwrap();
    fargate_fleet::queue::cancel::cancel(&mut transaction, ACCOUNT, create)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_state(create, "canceled").await;
    assert_eq!(fleet.status("fp-dev"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_that_takes_no_profiles_refuses() {
    for status in ["CREATING", "DELETING", "FAILED"] {
        let fleet = Fleet::new().await;
        fleet
            .sim
            .set_cluster_status(ACCOUNT, REGION, CLUSTER, status);
        let create = fleet.create("fp-dev", "dev").await;
        fleet.run().await;
        fleet.assert_failed(create, "conflict").await;
        let message = fleet.queue.column(create, "message").await;
        assert!(message.contains(status), "{message}");
        fleet.end().await;
    }
    let fleet = Fleet::new().await;
    fleet
        .sim
        .set_cluster_status(ACCOUNT, REGION, CLUSTER, "UPDATING");
    let create = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_state(create, "succeeded").await;
    fleet.end().await;
}
