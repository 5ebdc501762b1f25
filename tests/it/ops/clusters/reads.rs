//! Clusters are read one by one and all together.

use serde_json::Value;

use crate::ops::support::{ACCOUNT, CLUSTER, Fleet, REGION};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_is_read_and_all_are_listed() {
    let fleet = Fleet::new().await;
    for n in 0..120 {
        fleet.sim.add_cluster(ACCOUNT, REGION, &format!("c-{n:03}"));
    }
    let (get, list) = (
        fleet.get_cluster(CLUSTER).await,
        fleet.list_clusters().await,
    );
    fleet.run().await;
    fleet.assert_state(get, "succeeded").await;
    fleet.assert_state(list, "succeeded").await;
    assert_eq!(
        fleet.queue.column(get, "result->'cluster'->>'name'").await,
        CLUSTER
    );
    let clusters = fleet.queue.column(list, "result->'clusters'").await;
    let clusters: Value = serde_json::from_str(&clusters).unwrap();
    let names = clusters.as_array().unwrap();
    let names: Vec<&str> = names
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert!(
        names.contains(&CLUSTER) && names.contains(&"c-119"),
        "{names:?}"
    );
    assert!(clusters[0]["status"].is_string(), "{clusters}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_that_is_not_there_is_not_found() {
    let fleet = Fleet::new().await;
    let get = fleet.get_cluster("nobody").await;
    fleet.run().await;
    fleet.assert_failed(get, "not_found").await;
    assert_eq!(
        fleet.queue.column(get, "error->>'resource'").await,
        "cluster"
    );
    fleet.end().await;
}
