//! What is there already: adopted when it is what was asked for, a conflict when it is not.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::{ACCOUNT, CLUSTER, Fleet, REGION, create_input};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_identical_profile_is_adopted_whatever_its_state() {
    for status in ["ACTIVE", "CREATING"] {
        let fleet = Fleet::new().await;
        fleet.put("fp-dev", "dev", status);
        let create = fleet.create("fp-dev", "dev").await;
        fleet.run().await;
        fleet.assert_state(create, "succeeded").await;
        assert_eq!(fleet.calls("CreateFargateProfile", None), 0);
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_different_profile_of_the_same_name_is_a_conflict_that_says_how() {
    let fleet = Fleet::new().await;
    fleet.put("fp-dev", "production", "ACTIVE");
    let create = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_failed(create, "conflict").await;
    let message = fleet.queue.column(create, "message").await;
    assert!(
        message.contains("selectors") && message.contains("production"),
        "{message}"
    );
    fleet.end().await;
}

/// As eksctl does, which skips a profile that is there; a deletion for a tag's sake would end its pods.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_profile_that_differs_in_its_tags_alone_is_adopted_with_a_warning() {
    for status in ["ACTIVE", "CREATING"] {
        let fleet = Fleet::new().await;
        let mut there = Fleet::spec("fp-dev", "dev");
        there.tags = BTreeMap::from([("cost-center".to_owned(), "1".to_owned())]);
        fleet
            .sim
            .put_profile(ACCOUNT, REGION, CLUSTER, there, status);
        let mut input = create_input(Some("fp-dev"), "dev");
        input["profile"]["tags"] = json!({"cost-center": "2"});
        let create = fleet
            .submit("create_fargate_profile", Some("fp-dev"), input)
            .await;
        fleet.run().await;
        fleet.assert_state(create, "succeeded").await;
        assert_eq!(fleet.calls("CreateFargateProfile", None), 0);
        let warnings = fleet.queue.column(create, "warnings").await;
        let warnings: Vec<Value> = serde_json::from_str(&warnings).unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0]["code"], "tags_differ");
        let message = warnings[0]["message"].as_str().unwrap();
        assert!(
            message.contains("wanted cost-center=2, found cost-center=1"),
            "{message}"
        );
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_that_is_being_deleted_is_waited_for() {
    let fleet = Fleet::new().await;
    fleet.put("fp-dev", "production", "DELETING");
    let create = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_state(create, "succeeded").await;
    assert_eq!(fleet.queue.column(create, "attempt").await, "0");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn someone_elses_deletion_is_adopted() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    fleet.put("fp-dev", "dev", "DELETING");
    let delete = fleet.delete("fp-dev", true).await;
    let worker = fleet.worker().await;
    fleet.until_called("DescribeFargateProfile", 0).await;
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_state(delete, "succeeded").await;
    assert_eq!(fleet.calls("DeleteFargateProfile", None), 0);
    assert_eq!(fleet.status("fp-dev"), None);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_that_begins_between_look_and_call_is_adopted_too() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    fleet.put("fp-dev", "dev", "DELETING");
    // The first look sees what was a moment ago.
    let mut stale = super::support::fault("DescribeFargateProfile");
    stale.set_status = Some("ACTIVE".to_owned());
    fleet.sim.add_faults(vec![stale]);
    let delete = fleet.delete("fp-dev", true).await;
    let worker = fleet.worker().await;
    fleet.until_called("DeleteFargateProfile", 0).await;
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_state(delete, "succeeded").await;
    assert_eq!(
        fleet.calls("DeleteFargateProfile", Some(400)),
        1,
        "not in Active State"
    );
    fleet.queue.database.assert_settled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_profile_that_never_was_is_not_found_and_one_that_vanished_is_deleted() {
    let fleet = Fleet::new().await;
    let never = fleet.delete("fp-none", true).await;
    fleet.run().await;
    fleet.assert_failed(never, "not_found").await;
    assert_eq!(
        fleet.queue.column(never, "error->>'resource'").await,
        "profile"
    );

    fleet.put("fp-dev", "dev", "ACTIVE");
    fleet.sim.freeze();
    let delete = fleet.delete("fp-dev", true).await;
    let worker = fleet.worker().await;
    fleet
        .sim
        .wait_for(|call| call.action == "DeleteFargateProfile")
        .await;
    fleet.sim.vanish_profile(ACCOUNT, REGION, CLUSTER, "fp-dev");
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_state(delete, "succeeded").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vanished_cluster_is_told_apart_from_a_vanished_profile() {
    let fleet = Fleet::new().await;
    fleet.sim.remove_cluster(ACCOUNT, REGION, CLUSTER);
    let jobs = [
        fleet.create("fp-a", "a").await,
        fleet.get("fp-a").await,
        fleet.delete("fp-a", true).await,
    ];
    fleet.run().await;
    for job in jobs {
        fleet.assert_failed(job, "not_found").await;
        assert_eq!(
            fleet.queue.column(job, "error->>'resource'").await,
            "cluster"
        );
    }
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn not_found_in_unknown_words_is_looked_into() {
    let fleet = Fleet::new().await;
    let mut unclear = super::support::fault("DescribeFargateProfile");
    unclear.status = Some(404);
    unclear.code = Some("ResourceNotFoundException".to_owned());
    unclear.message = Some("Not here.".to_owned());
    fleet.sim.add_faults(vec![unclear]);
    let get = fleet.get("fp-a").await;
    fleet.run().await;
    fleet.assert_failed(get, "not_found").await;
    assert_eq!(
        fleet.queue.column(get, "error->>'resource'").await,
        "profile"
    );
    assert_eq!(fleet.calls("DescribeCluster", Some(200)), 1);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_creation_whose_profile_someone_deletes_says_so() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    let create = fleet.create("fp-dev", "dev").await;
    let worker = fleet.worker().await;
    fleet
        .sim
        .wait_for(|call| call.action == "CreateFargateProfile")
        .await;
    fleet
        .queue
        .until("select count(*) from jobs where accepted", |count| {
            count == 1
        })
        .await;
    fleet.sim.vanish_profile(ACCOUNT, REGION, CLUSTER, "fp-dev");
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_failed(create, "not_found").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_deletion_waits_for_the_first_and_finds_its_work_done() {
    let fleet = Fleet::new().await;
    fleet.put("fp-dev", "dev", "ACTIVE");
    let jobs = [
        fleet.delete("fp-dev", true).await,
        fleet.delete("fp-dev", true).await,
    ];
    fleet.run().await;
    for job in jobs {
        fleet.assert_state(job, "succeeded").await;
    }
    assert_eq!(fleet.calls("DeleteFargateProfile", None), 1);
    let third = fleet.delete("fp-dev", true).await;
    fleet.run().await;
    fleet.assert_failed(third, "not_found").await;
    fleet.end().await;
}
