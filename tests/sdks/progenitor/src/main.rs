//! Creates a profile, waits for it, reads it and deletes it, through the generated client.

use std::collections::HashMap;
use std::env;

use anyhow::{Context as _, Result, bail, ensure};
use futures::TryStreamExt as _;
use reqwest::header::{AUTHORIZATION, HeaderMap};

#[allow(clippy::all, reason = "generated")]
mod sdk {
    progenitor::generate_api!(
        spec = "../../../openapi/openapi-3.0.json",
        interface = Builder
    );
}

use sdk::types::{Job, Problem, ProfileInput, ProfileInputName, SelectorInput, WebhookInput};
use sdk::{ByteStream, Client, Error};

const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-central-1";
const CLUSTER: &str = "prod-1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = env::var("DEMO_URL")?;
    let name = env::var("SDK_PROFILE")?;
    let token = format!("Bearer {}", env::var("DEMO_TOKEN")?);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, token.parse()?)]);
    // Longer than the 30 s that `wait` asks the service to hold an answer.
    let http = reqwest::Client::builder()
        .default_headers(headers)
        .timeout(std::time::Duration::from_mins(1))
        .build()?;
    let client = Client::new_with_client(&url, http);

    let me = client.get_whoami().send().await?;
    ensure!(me.role.as_str() == "admin", "{me:?}");
    profile(&client, &name).await?;
    webhook(&client, &url).await
}

async fn profile(client: &Client, name: &str) -> Result<()> {
    let labels = HashMap::from([("made-by".to_owned(), "sdk".parse()?)]);
    let selector: SelectorInput = SelectorInput::builder()
        .namespace(name)
        .labels(labels)
        .try_into()?;
    let wanted: ProfileInputName = name.parse()?;
    let body = ProfileInput::builder()
        .name(wanted)
        .selectors(vec![selector]);
    let made = client
        .create_fargate_profile()
        .account_id(ACCOUNT)
        .region(REGION)
        .cluster_name(CLUSTER)
        .idempotency_key(format!("create-{name}"))
        .body(body)
        .send()
        .await?;
    let made = wait(client, made.into_inner()).await?;
    let status = made.profile.and_then(|profile| profile.status);
    ensure!(status.as_deref().map(String::as_str) == Some("ACTIVE"));

    let read = client
        .get_fargate_profile()
        .account_id(ACCOUNT)
        .region(REGION)
        .cluster_name(CLUSTER)
        .profile_name(name);
    let found = read.clone().send().await?;
    ensure!(found.selectors[0].labels["made-by"].as_str() == "sdk");
    let listed = client
        .list_fargate_profiles()
        .account_id(ACCOUNT)
        .region(REGION)
        .cluster_name(CLUSTER)
        .send()
        .await?;
    ensure!(listed.items.iter().any(|item| item.name.as_str() == name));

    let gone = client
        .delete_fargate_profile()
        .account_id(ACCOUNT)
        .region(REGION)
        .cluster_name(CLUSTER)
        .profile_name(name)
        .send()
        .await?;
    wait(client, gone.into_inner()).await?;
    is_missing(read.send().await.err()).await
}

async fn wait(client: &Client, mut job: Job) -> Result<Job> {
    while job.finished_at.is_none() {
        let asked = client.get_job().job_id(job.id).wait_seconds(30);
        job = asked.send().await?.into_inner();
    }
    ensure!(job.state.as_str() == "succeeded", "{job:?}");
    Ok(job)
}

async fn webhook(client: &Client, url: &str) -> Result<()> {
    let body = WebhookInput::builder()
        .url(format!("{url}/receiver"))
        .event_types(vec!["job.succeeded".parse()?])
        .enabled(false);
    let made = client.create_webhook().body(body).send().await?;
    let read = client.get_webhook().webhook_id(made.id);
    ensure!(read.clone().send().await?.url == made.url);
    client.delete_webhook().webhook_id(made.id).send().await?;
    is_missing(read.send().await.err()).await
}

/// The generator types bodies of `application/json` alone: it hands a problem over as bytes.
async fn is_missing(error: Option<Error<ByteStream>>) -> Result<()> {
    let Error::ErrorResponse(answer) = error.context("it is still there")? else {
        bail!("not an answer");
    };
    ensure!(answer.status() == 404, "{}", answer.status());
    let chunks: Vec<_> = answer.into_inner().into_inner().try_collect().await?;
    let problem: Problem = serde_json::from_slice(&chunks.concat())?;
    ensure!(problem.code.as_str() == "not_found", "{problem:?}");
    Ok(())
}
