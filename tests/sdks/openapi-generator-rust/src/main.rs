//! Creates a profile, waits for it, reads it and deletes it, through the generated client.

use std::collections::HashMap;
use std::env;

use anyhow::{Result, bail, ensure};
use fargate_fleet_client::apis::configuration::Configuration;
use fargate_fleet_client::apis::fargate_profiles_api as profiles;
use fargate_fleet_client::apis::{Error, access_api, jobs_api, webhooks_api};
use fargate_fleet_client::models::{Job, Problem, ProfileInput, SelectorInput, WebhookInput};

const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-central-1";
const CLUSTER: &str = "prod-1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let configuration = Configuration {
        base_path: env::var("DEMO_URL")?,
        bearer_access_token: Some(env::var("DEMO_TOKEN")?),
        ..Configuration::default()
    };
    let me = access_api::get_whoami(&configuration, None, None).await?;
    ensure!(me.role == "admin", "{me:?}");
    profile(&configuration, &env::var("SDK_PROFILE")?).await?;
    webhook(&configuration).await
}

async fn profile(configuration: &Configuration, name: &str) -> Result<()> {
    let labels = HashMap::from([("made-by".to_owned(), "sdk".to_owned())]);
    let selector = SelectorInput {
        labels: Some(labels.clone()),
        ..SelectorInput::new(name.to_owned())
    };
    let body = ProfileInput {
        name: Some(name.to_owned()),
        ..ProfileInput::new(vec![selector])
    };
    let key = format!("create-{name}");
    let made = profiles::create_fargate_profile(
        configuration,
        ACCOUNT,
        REGION,
        CLUSTER,
        body,
        None,
        None,
        None,
        None,
        None,
        None,
        Some(&key),
        None,
    )
    .await?;
    let made = wait(configuration, made).await?;
    let status = made.profile.and_then(|profile| profile.status);
    ensure!(status.as_deref() == Some("ACTIVE"), "{status:?}");

    let found = read(configuration, name).await?;
    ensure!(found.selectors[0].labels == Some(labels), "{found:?}");
    let listed = profiles::list_fargate_profiles(
        configuration,
        ACCOUNT,
        REGION,
        CLUSTER,
        None,
        None,
        None,
        None,
        None,
    )
    .await?;
    ensure!(listed.items.iter().any(|item| item.name == name));

    let gone = profiles::delete_fargate_profile(
        configuration,
        ACCOUNT,
        REGION,
        CLUSTER,
        name,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
    )
    .await?;
    wait(configuration, gone).await?;
    is_missing(read(configuration, name).await)
}

async fn read(
    configuration: &Configuration,
    name: &str,
) -> Result<fargate_fleet_client::models::FargateProfile, Error<profiles::GetFargateProfileError>> {
    profiles::get_fargate_profile(
        configuration,
        ACCOUNT,
        REGION,
        CLUSTER,
        name,
        None,
        None,
        None,
        None,
        None,
    )
    .await
}

async fn wait(configuration: &Configuration, mut job: Job) -> Result<Job> {
    while job.finished_at.is_none() {
        let id = job.id.to_string();
        job = jobs_api::get_job(configuration, &id, Some(30), None, None, None, None).await?;
    }
    ensure!(job.state == "succeeded", "{job:?}");
    Ok(job)
}

async fn webhook(configuration: &Configuration) -> Result<()> {
    let url = format!("{}/receiver", configuration.base_path);
    let input = WebhookInput {
        enabled: Some(false),
        ..WebhookInput::new(vec!["job.succeeded".to_owned()], url)
    };
    let made = webhooks_api::create_webhook(configuration, input, None, None, None, None).await?;
    let id = made.id.to_string();
    let found = webhooks_api::get_webhook(configuration, &id, None, None, None).await?;
    ensure!(found.url == made.url, "{found:?}");
    webhooks_api::delete_webhook(configuration, &id, None, None, None, None, None).await?;
    is_missing(webhooks_api::get_webhook(configuration, &id, None, None, None).await)
}

/// The generator's enum of problems names the first status whatever it was: `status` and `content`
/// say which.
fn is_missing<T, E>(answer: Result<T, Error<E>>) -> Result<()> {
    let Err(Error::ResponseError(answer)) = answer else {
        bail!("it is still there");
    };
    ensure!(answer.status == 404 && answer.entity.is_some());
    let problem: Problem = serde_json::from_str(&answer.content)?;
    ensure!(problem.code == "not_found", "{problem:?}");
    Ok(())
}
