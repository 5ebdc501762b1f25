//! The main job: create, read, delete, with everything that AWS gets to see of it.

use std::time::Duration;

use serde_json::Value;

use super::support::{ACCOUNT, CLUSTER, Fleet, OTHER_ACCOUNT, ROLE, create_input};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_profile_is_created_read_listed_and_deleted() {
    let fleet = Fleet::new().await;
    let create = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_state(create, "succeeded").await;
    let created = fleet.profile_of(create).await;
    assert_eq!(created.status.as_deref(), Some("ACTIVE"));
    assert_eq!(created.pod_execution_role_arn.as_deref(), Some(ROLE));
    assert!(
        !created.subnets.is_empty(),
        "EKS picked the cluster's private subnets"
    );

    let (get, list) = (fleet.get("fp-dev").await, fleet.list().await);
    fleet.run().await;
    assert_eq!(fleet.profile_of(get).await, created);
    let listed: Value =
        serde_json::from_str(&fleet.queue.column(list, "result->'profiles'").await).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);

    let delete = fleet.delete("fp-dev", true).await;
    fleet.run().await;
    fleet.assert_state(delete, "succeeded").await;
    assert_eq!(fleet.status("fp-dev"), None);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_call_names_its_caller_and_every_change_its_job() {
    let fleet = Fleet::new().await;
    let create = fleet.create("fp-dev", "dev").await;
    fleet.list().await;
    fleet.run().await;
    let names = [format!("job-{create}"), "read-tester".to_owned()];
    for call in fleet.sim.record().calls {
        let session = call.session_name.unwrap_or_default();
        assert!(names.contains(&session), "{}: {session}", call.action);
        assert_eq!(
            call.source_identity.as_deref(),
            Some("tester"),
            "{}",
            call.action
        );
        assert_eq!(call.account_id, ACCOUNT);
    }
    assert_eq!(
        fleet.calls("AssumeRole", Some(200)),
        2,
        "one session a job that changes something, kept for its steps, and one for reads"
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_is_kept_between_the_steps_of_a_job_and_forgotten_at_its_end() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    let create = fleet.create("fp-dev", "dev").await;
    let aws = fleet.aws().await;
    let worker = fleet.worker_on(aws.clone());
    let accepted = "select count(*) from jobs where accepted";
    fleet.queue.until(accepted, |n| n == 1).await;
    assert_eq!(aws.sessions_kept().await, 1);
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    fleet.assert_state(create, "succeeded").await;
    assert_eq!(aws.sessions_kept().await, 0);
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_without_wait_ends_when_aws_has_accepted() {
    let fleet = Fleet::new().await;
    fleet.put("fp-dev", "dev", "ACTIVE");
    fleet.sim.freeze();
    let delete = fleet.delete("fp-dev", false).await;
    fleet.run().await;
    fleet.assert_state(delete, "succeeded").await;
    assert_eq!(fleet.status("fp-dev").as_deref(), Some("DELETING"));
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_on_one_cluster_never_overlap_and_clusters_do_not_wait_for_each_other() {
    let fleet = Fleet::new().await;
    let mut jobs = Vec::new();
    for n in 0..4 {
        let name = format!("fp-{n}");
        jobs.push(fleet.create(&name, &name).await);
        let elsewhere = create_input(Some(&name), &name);
        let kind = "create_fargate_profile";
        jobs.push(
            fleet
                .submit_to(ACCOUNT, "dev-1", kind, (Some(&name), elsewhere))
                .await,
        );
    }
    for n in 0..4 {
        jobs.push(fleet.delete(&format!("fp-{n}"), true).await);
    }
    fleet.run().await;
    for job in jobs {
        fleet.assert_state(job, "succeeded").await;
    }
    assert_eq!(fleet.calls("CreateFargateProfile", Some(200)), 8);
    assert_eq!(fleet.calls("DeleteFargateProfile", Some(200)), 4);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accounts_are_kept_apart() {
    let fleet = Fleet::new().await;
    let mut input = create_input(Some("fp-dev"), "dev");
    input["podExecutionRoleArn"] = Value::String(format!(
        "arn:aws:iam::{OTHER_ACCOUNT}:role/fargate-pod-execution"
    ));
    let kind = "create_fargate_profile";
    let job = fleet
        .submit_to(OTHER_ACCOUNT, CLUSTER, kind, (Some("fp-dev"), input))
        .await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.status("fp-dev"), None, "nothing in the first account");
    let there = fleet
        .sim
        .profile(OTHER_ACCOUNT, super::support::REGION, CLUSTER, "fp-dev");
    assert!(there.is_some());
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_generated_name_is_free_on_the_cluster() {
    let fleet = Fleet::new().await;
    let job = fleet.create_unnamed("dev").await;
    let first = fargate_fleet::domain::generated_name(job.as_bytes(), 0);
    let second = fargate_fleet::domain::generated_name(job.as_bytes(), 1);
    // Someone has that name, and even for the same selectors.
    fleet.put(first.as_str(), "dev", "ACTIVE");
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(
        fleet.queue.column(job, "profile_name").await,
        second.as_str()
    );
    assert_eq!(fleet.status(second.as_str()).as_deref(), Some("ACTIVE"));
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_exists_already_earns_warnings_before_aws_is_asked() {
    let fleet = Fleet::new().await;
    fleet.put("a-first", "dev", "ACTIVE");
    let job = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let warnings = fleet.queue.column(job, "warnings").await;
    assert!(warnings.contains("profile_unreachable"), "{warnings}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_listing_follows_every_page_and_skips_what_vanishes_on_the_way() {
    let fleet = Fleet::with(|options| options.profiles_per_cluster = 1_000).await;
    for n in 0..230 {
        fleet.put(&format!("fp-{n:03}"), "dev", "ACTIVE");
    }
    let mut gone = super::support::fault("DescribeFargateProfile");
    gone.profile = Some("fp-100".to_owned());
    gone.status = Some(404);
    gone.code = Some("ResourceNotFoundException".to_owned());
    gone.message = Some("No Fargate Profile found with name: fp-100".to_owned());
    fleet.sim.add_faults(vec![gone]);
    let list = fleet.list().await;
    fleet.run().await;
    fleet.assert_state(list, "succeeded").await;
    assert_eq!(
        fleet
            .queue
            .column(list, "jsonb_array_length(result->'profiles')")
            .await,
        "229"
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_follows_a_deletion_without_wait_does_not_run_into_it() {
    let fleet = Fleet::new().await;
    fleet.put("fp-a", "a", "ACTIVE");
    fleet.put("fp-b", "b", "ACTIVE");
    let jobs = [
        fleet.delete("fp-a", false).await,
        fleet.delete("fp-b", false).await,
        fleet.create("fp-c", "c").await,
    ];
    fleet.run().await;
    for job in jobs {
        fleet.assert_state(job, "succeeded").await;
        assert_eq!(fleet.queue.column(job, "attempt").await, "0");
    }
    fleet.end().await;
}
