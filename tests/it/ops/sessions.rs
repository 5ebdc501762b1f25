//! Who shares a session, and for how long.

use fargate_fleet::domain::job_input::ReadInput;
use serde_json::json;
use uuid::Uuid;

use super::support::{ACCOUNT, CLUSTER, Fleet, OTHER_ACCOUNT};

async fn list(fleet: &Fleet, caller: &str, account: &str, cluster: &str) -> Uuid {
    let what = (None, json!(ReadInput {}));
    let kind = "list_fargate_profiles";
    fleet.submit_as(caller, account, cluster, kind, what).await
}

/// The sessions that STS gave, by name, in order.
fn sessions(fleet: &Fleet) -> Vec<String> {
    let calls = fleet.sim.record().calls;
    calls
        .into_iter()
        .filter(|call| call.action == "AssumeRole")
        .filter_map(|call| call.session_name)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reads_of_a_caller_share_a_session_however_many_come_at_once() {
    let fleet = Fleet::new().await;
    fleet.put("fp-dev", "dev", "ACTIVE");
    for n in 0..20 {
        let cluster = if n % 2 == 0 { CLUSTER } else { "dev-1" };
        list(&fleet, "tester", ACCOUNT, cluster).await;
        fleet.get("fp-dev").await;
    }
    fleet.run().await;
    assert_eq!(sessions(&fleet), ["read-tester"]);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_and_accounts_have_sessions_of_their_own() {
    let fleet = Fleet::new().await;
    for caller in ["ann", "bob", "ann"] {
        for account in [ACCOUNT, OTHER_ACCOUNT] {
            list(&fleet, caller, account, CLUSTER).await;
        }
    }
    fleet.run().await;
    let mut given = sessions(&fleet);
    given.sort_unstable();
    assert_eq!(given, ["read-ann", "read-ann", "read-bob", "read-bob"]);
    for call in fleet.sim.record().calls {
        let session = call.session_name.unwrap_or_default();
        let identity = call.source_identity.unwrap_or_default();
        assert_eq!(session, format!("read-{identity}"), "{}", call.action);
    }
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shared_session_that_aws_took_back_is_replaced() {
    let fleet = Fleet::new().await;
    let worker = fleet.worker().await;
    let first = fleet.list().await;
    fleet.queue.until_idle().await;
    fleet.sim.expire_sessions();
    let second = fleet.list().await;
    fleet.queue.until_idle().await;
    worker
        .drain(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    for job in [first, second] {
        fleet.assert_state(job, "succeeded").await;
    }
    assert_eq!(sessions(&fleet).len(), 2);
    fleet.end().await;
}
