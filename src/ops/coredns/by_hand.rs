//! What a person runs to do the same.

use serde_json::{Value, json};

use crate::domain::cluster::coredns;
use crate::kubernetes::{COMPUTE_TYPE, FARGATE};
use crate::ops::context::Context;

/// Sets the add-on's configuration; what is set already is kept if it is known.
pub(super) fn addon(context: &Context<'_>, settings: Option<&Value>) -> String {
    const LONGEST: usize = 1_000;
    let values = coredns::on_fargate(settings).to_string();
    let values = if values.len() > LONGEST {
        // All else is as the add-on has it now, and too long for a sentence.
        "file://values.json".to_owned()
    } else {
        quoted(&values)
    };
    format!(
        "{} --resolve-conflicts PRESERVE --configuration-values {values}",
        eks(context, "update-addon")
    )
}

/// Shows how far the add-on has come.
pub(super) fn addon_status(context: &Context<'_>) -> String {
    eks(context, "describe-addon")
}

/// Installs it, as an add-on.
pub(super) fn install(context: &Context<'_>) -> String {
    let values = quoted(&coredns::on_fargate(None).to_string());
    format!(
        "{} --configuration-values {values}",
        eks(context, "create-addon")
    )
}

/// Sets the annotation, from where the cluster can be reached.
pub(super) fn annotation(context: &Context<'_>) -> String {
    let annotations = json!({ COMPUTE_TYPE: FARGATE });
    let patch = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
    format!(
        "{} && kubectl -n {} patch deployment {} --type merge -p {}",
        kubeconfig(context),
        coredns::NAMESPACE,
        coredns::NAME,
        quoted(&patch.to_string())
    )
}

/// Makes its pods anew, from where the cluster can be reached.
pub(super) fn restart(context: &Context<'_>) -> String {
    let (namespace, name) = (coredns::NAMESPACE, coredns::NAME);
    let kubeconfig = kubeconfig(context);
    format!("{kubeconfig} && kubectl -n {namespace} rollout restart deployment/{name}")
}

/// Shows how far the Deployment has come.
pub(super) fn rollout(context: &Context<'_>) -> String {
    let (namespace, name) = (coredns::NAMESPACE, coredns::NAME);
    let kubeconfig = kubeconfig(context);
    format!("{kubeconfig} && kubectl -n {namespace} rollout status deployment/{name}")
}

fn eks(context: &Context<'_>, command: &str) -> String {
    let (region, cluster, name) = (&context.job.region, context.cluster, coredns::NAME);
    format!("aws eks {command} --region {region} --cluster-name {cluster} --addon-name {name}")
}

fn kubeconfig(context: &Context<'_>) -> String {
    let (region, cluster) = (&context.job.region, context.cluster);
    format!("aws eks update-kubeconfig --region {region} --name {cluster}")
}

/// One word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_one_word() {
        assert_eq!(quoted(r#"{"a":"it's"}"#), r#"'{"a":"it'\''s"}'"#);
    }
}
