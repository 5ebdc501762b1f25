//! The second half of B13: a backlog of creations, by the real program against the simulated AWS.

use std::time::Duration;

use anyhow::ensure;
use fargate_fleet::sim::{FleetShape, SimOptions};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Method;
use serde_json::json;

use super::ours;
use crate::ground::Ground;
use crate::site::{Plan, Site, profiles};

/// Behind each other on each cluster.
const PROFILES: usize = 4;
const LEFT: &str = "select count(*) from job_rows where phase <> 'finished'";

/// Statements a job, of a worker that finds 4,000 creations on 1,000 clusters in 50 accounts.
pub async fn statements(ground: &Ground) -> anyhow::Result<f64> {
    let plan = Plan {
        roles: &["api"],
        variables: vec![("FLEET_WORKER_SLOTS", "256".to_owned())],
        fleet: FleetShape {
            accounts: 50,
            regions: 2,
            clusters: 10,
        },
        aws: SimOptions {
            speed: 60.0,
            ..SimOptions::default()
        },
    };
    let mut site = Site::open(ground, "real", plan).await?;
    let counted = drained(&mut site).await;
    site.close().await?;
    counted
}

async fn drained(site: &mut Site) -> anyhow::Result<f64> {
    let jobs = enqueue(site).await?;
    let before = ours::statements(&site.pool).await?;
    site.add("worker").await?;
    let mut asked = 0.0;
    while site.count(LEFT).await? > 0 {
        asked += 1.0;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let all = ours::statements(&site.pool).await? - before;
    let failed = site
        .count("select count(*) from job_rows where state <> 'succeeded'")
        .await?;
    ensure!(failed == 0, "{failed} of {jobs} jobs did not succeed");
    Ok((f64::from(i32::try_from(all)?) - asked) / f64::from(u32::try_from(jobs)?))
}

async fn enqueue(site: &Site) -> anyhow::Result<usize> {
    let mut requests = Vec::new();
    for account in &site.accounts {
        for (region, cluster) in &account.clusters {
            for number in 0..PROFILES {
                let path = profiles(&account.account_id, region, cluster);
                requests.push((path, format!("fp-{number}")));
            }
        }
    }
    let jobs = requests.len();
    stream::iter(requests)
        .map(|(path, name)| async move {
            let profile = json!({"name": name, "selectors": [{"namespace": name}]});
            let (status, answer) = site.caller.call(Method::POST, &path, Some(profile)).await?;
            ensure!(status == 202, "{status}: {answer}");
            Ok(())
        })
        .buffer_unordered(32)
        .try_collect::<()>()
        .await?;
    Ok(jobs)
}
