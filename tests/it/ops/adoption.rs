//! What is there already: adopted when it is what was asked for, a conflict when it is not.

use std::collections::BTreeMap;
use std::time::Duration;

use fargate_fleet::sim::{AccountSettings, HealthIssue};
use serde_json::{Value, json};

use super::support::{ACCOUNT, CLUSTER, Fleet, REGION, create_input, settings};

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

/// A creation of `fp-dev` with these tags.
async fn create_tagged(fleet: &Fleet, tags: &Value) -> uuid::Uuid {
    let mut input = create_input(Some("fp-dev"), "dev");
    input["profile"]["tags"] = tags.clone();
    let kind = "create_fargate_profile";
    fleet.submit(kind, Some("fp-dev"), input).await
}

/// Puts `fp-dev` in place with these tags.
fn put_tagged(fleet: &Fleet, status: &str, tags: &[(&str, &str)]) {
    let mut there = Fleet::spec("fp-dev", "dev");
    let tags = tags.iter();
    there.tags = tags
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    fleet
        .sim
        .put_profile(ACCOUNT, REGION, CLUSTER, there, status);
}

async fn warnings(fleet: &Fleet, job: uuid::Uuid) -> Vec<Value> {
    let warnings = fleet.queue.column(job, "warnings").await;
    serde_json::from_str(&warnings).unwrap()
}

/// The tags of `fp-dev` as AWS tells them.
async fn tags(fleet: &Fleet) -> BTreeMap<String, String> {
    let read = fleet.get("fp-dev").await;
    fleet.run().await;
    fleet.profile_of(read).await.tags
}

/// A deletion for a tag's sake would end its pods.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_profile_that_differs_in_its_tags_alone_gets_them_where_it_stands() {
    for status in ["ACTIVE", "CREATING"] {
        let fleet = Fleet::new().await;
        put_tagged(&fleet, status, &[("cost-center", "1"), ("team", "blue")]);
        let asked = json!({"cost-center": "2", "new": "3"});
        let create = create_tagged(&fleet, &asked).await;
        fleet.run().await;
        fleet.assert_state(create, "succeeded").await;
        assert_eq!(fleet.calls("CreateFargateProfile", None), 0);
        assert_eq!(fleet.calls("TagResource", Some(200)), 1);
        assert_eq!(fleet.calls("UntagResource", None), 0);
        let warnings = warnings(&fleet, create).await;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0]["code"], "tags_updated");
        let message = warnings[0]["message"].as_str().unwrap();
        let told = "cost-center=2 (was 1), new=3 (new)";
        assert!(message.contains(told), "{message}");
        assert!(!message.contains("team"), "{message}");
        let told = fleet.profile_of(create).await.tags;
        let found = tags(&fleet).await;
        assert_eq!(found, told, "the answer and AWS");
        assert_eq!(
            json!(found),
            json!({"cost-center": "2", "new": "3", "team": "blue"}),
            "tags that are not asked for stay"
        );

        let again = create_tagged(&fleet, &asked).await;
        fleet.run().await;
        fleet.assert_state(again, "succeeded").await;
        assert_eq!(self::warnings(&fleet, again).await, Vec::<Value>::new());
        assert_eq!(fleet.calls("TagResource", None), 1);
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tags_that_the_role_may_not_set_are_denied_by_name_and_the_profile_is_there() {
    let fleet = Fleet::new().await;
    put_tagged(&fleet, "ACTIVE", &[("cost-center", "1")]);
    let denying = json!([
        {"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
        {"Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "eks:TagResource", "Resource": "*"}]},
    ]);
    let denying = AccountSettings {
        role_policy: Some(denying),
        ..settings(false)
    };
    fleet.sim.set_account(ACCOUNT, denying);
    let create = create_tagged(&fleet, &json!({"cost-center": "2"})).await;
    fleet.run().await;
    fleet.assert_failed(create, "aws_access_denied").await;
    let message = fleet.queue.column(create, "error->>'message'").await;
    for part in [
        "The missing permission is eks:TagResource",
        "Fargate profile fp-dev is there",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(warnings(&fleet, create).await, Vec::<Value>::new());
    assert_eq!(tags(&fleet).await["cost-center"], "1");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conflict_names_the_state_it_met_who_brought_it_there_and_the_way_out() {
    const OUTSIDE: &str = "asked for by somebody outside this service";
    for (status, namespace, code, parts) in [
        ("ACTIVE", "other", "conflict", &["ends its pods"][..]),
        (
            "CREATING",
            "other",
            "conflict",
            &[OUTSIDE, "choose another name"],
        ),
        (
            "CREATE_FAILED",
            "other",
            "conflict",
            &[OUTSIDE, "delete it, then ask again"],
        ),
        (
            "CREATE_FAILED",
            "dev",
            "not_stabilized",
            &[OUTSIDE, "it takes no pods", "delete the profile"],
        ),
        (
            "DELETE_FAILED",
            "dev",
            "conflict",
            &[OUTSIDE, "AWS gave no reason", "delete it again"],
        ),
    ] {
        let fleet = Fleet::new().await;
        fleet.sim.freeze();
        fleet.put("fp-dev", namespace, status);
        let create = fleet.create("fp-dev", "dev").await;
        fleet.run().await;
        fleet.assert_failed(create, code).await;
        let message = fleet.queue.column(create, "error->>'message'").await;
        let state = format!("Fargate profile fp-dev is in status {status}");
        for part in parts.iter().chain([&state.as_str()]) {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert_eq!(fleet.calls("CreateFargateProfile", None), 0);
        fleet.end().await;
    }
}

/// What a job of ours left is known by the job, with what AWS said of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_profile_that_our_own_job_could_not_delete_is_told_with_job_and_reason() {
    let fleet = Fleet::new().await;
    fleet.put("fp-dev", "dev", "ACTIVE");
    let issue = HealthIssue {
        code: "InternalFailure".to_owned(),
        message: "AWS could not.".to_owned(),
        resource_ids: Vec::new(),
    };
    fleet
        .sim
        .fail_next_delete(ACCOUNT, REGION, CLUSTER, Some("fp-dev"), vec![issue]);
    let delete = fleet.delete("fp-dev", true).await;
    fleet.run().await;
    fleet.assert_failed(delete, "not_stabilized").await;
    let create = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_failed(create, "conflict").await;
    let message = fleet.queue.column(create, "error->>'message'").await;
    let asker = format!("is in status DELETE_FAILED, asked for by job {delete} of tester");
    for part in [asker.as_str(), "InternalFailure: AWS could not."] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let issue = "error->'healthIssues'->0->>'code'";
    assert_eq!(fleet.queue.column(create, issue).await, "InternalFailure");
    fleet.end().await;
}

/// A deletion of ours that was not followed is known by its job.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_creation_behind_our_own_deletion_waits_and_names_its_job() {
    let fleet = Fleet::new().await;
    fleet.put("fp-dev", "production", "ACTIVE");
    fleet.sim.freeze();
    fleet.delete("fp-dev", false).await;
    let create = fleet.create("fp-dev", "dev").await;
    let worker = fleet.worker().await;
    let told = "select count(*) from jobs waits, jobs deletes
                where deletes.kind = 'delete_fargate_profile'
                  and waits.blocked_by like
                      '%is in status DELETING, asked for by job ' || deletes.job_id || ' of tester%'";
    fleet.queue.until(told, |count| count == 1).await;
    worker.crash().await;
    fleet.sim.thaw();
    fleet.run().await;
    fleet.assert_state(create, "succeeded").await;
    assert_eq!(fleet.profile_of(create).await.selectors[0].namespace, "dev");
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
