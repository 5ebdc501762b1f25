//! The `ConfigMap` `aws-auth`: who else is known in the cluster, besides by access entries.

use super::Creating;
use super::in_cluster::{self, What, quoted};
use crate::domain::ErrorCode;
use crate::domain::cluster::aws_auth::{self, AwsAuth};
use crate::domain::cluster::spec::identity::IdentityMapping;
use crate::kubernetes::{Kubernetes, KubernetesError};
use crate::ops::failures::failure;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let what = What {
        subject: "the mappings of the ConfigMap aws-auth",
        code: "identity_mappings_not_made",
        needs: "change ConfigMaps in namespace kube-system",
        by_hand: by_hand(creating)?,
    };
    if let Some((cluster, kubernetes)) = in_cluster::open(creating, &what).await? {
        match bring_about(creating, &kubernetes).await? {
            Ok(()) => in_cluster::done(creating),
            Err(error) => in_cluster::trouble(creating, &cluster, &error, &what).await?,
        }
    }
    Ok("The ConfigMap aws-auth was seen to.".to_owned())
}

fn wanted(creating: &Creating<'_>) -> (String, String) {
    let session = creating.stage.context.eks.caller().session();
    (session.partition.to_owned(), session.account_id.clone())
}

async fn bring_about(
    creating: &Creating<'_>,
    kubernetes: &Kubernetes,
) -> Result<Result<(), KubernetesError>, Verdict> {
    for mapping in &creating.spec.identity_mappings {
        if let IdentityMapping::EmrContainers { namespace } = mapping {
            let message = format!("Asking the cluster to let EMR work in namespace {namespace}.");
            creating.stage.note(message).await?;
            if let Err(error) = kubernetes.let_emr_in(namespace).await {
                return Ok(Err(error));
            }
        }
    }
    let there = match kubernetes
        .config_map(aws_auth::NAMESPACE, aws_auth::NAME)
        .await
    {
        Ok(there) => there,
        Err(error) => return Ok(Err(error)),
    };
    let before = there
        .as_ref()
        .map(|map| map.data.clone())
        .unwrap_or_default();
    let after = merged(creating, before.clone())?;
    if after == before {
        return Ok(Ok(()));
    }
    creating
        .stage
        .note("Asking the cluster to change ConfigMap aws-auth.")
        .await?;
    let place = (aws_auth::NAMESPACE, aws_auth::NAME);
    let version = there.as_ref().map(|map| map.version.as_str());
    Ok(kubernetes.put_config_map(place, version, &after).await)
}

fn merged(creating: &Creating<'_>, data: AwsAuth) -> Result<AwsAuth, Verdict> {
    let (partition, account) = wanted(creating);
    let mappings = &creating.spec.identity_mappings;
    aws_auth::with(data, mappings, (&partition, &account)).map_err(|why| {
        let message =
            format!("the ConfigMap aws-auth of the cluster can't take the mappings: {why}");
        Verdict::Fail(failure(ErrorCode::Conflict, message))
    })
}

/// The whole map, as if there were none.
fn by_hand(creating: &Creating<'_>) -> Result<String, Verdict> {
    let data = merged(creating, AwsAuth::new())?;
    let literals = data
        .iter()
        .map(|(key, text)| format!("--from-literal={}", quoted(&format!("{key}={text}"))));
    Ok(format!(
        "kubectl -n kube-system create configmap aws-auth {}",
        literals.collect::<Vec<_>>().join(" ")
    ))
}
