//! Links: from what an answer holds to the operations that go on from there.
//!
//! They follow from the schema of the answer, so that a new route which answers with a job is
//! linked like all others.

use serde_json::{Map, Value, json};

/// From every answer of a schema to an operation.
struct Link {
    /// The schema of the answer.
    answer: &'static str,
    /// Only answers to this operation; all when empty.
    only: &'static str,
    /// The operation that goes on.
    to: &'static str,
    /// Its parameters, and where their values are.
    parameters: &'static [(&'static str, &'static str)],
}

const JOB: &[(&str, &str)] = &[("jobId", "$response.body#/id")];
const FIRST_JOB: &[(&str, &str)] = &[("jobId", "$response.body#/items/0/id")];
const JOB_OF_OPERATION: &[(&str, &str)] = &[("jobId", "$response.body#/jobs/0/id")];
const OPERATION: &[(&str, &str)] = &[("operationId", "$response.body#/id")];
const FIRST_OPERATION: &[(&str, &str)] = &[("operationId", "$response.body#/items/0/id")];
const ACCOUNT: &[(&str, &str)] = &[("accountId", "$response.body#/accountId")];
const FIRST_ACCOUNT: &[(&str, &str)] = &[("accountId", "$response.body#/items/0/accountId")];
const TOKEN: &[(&str, &str)] = &[("tokenId", "$response.body#/id")];
const FIRST_TOKEN: &[(&str, &str)] = &[("tokenId", "$response.body#/items/0/id")];
const WEBHOOK: &[(&str, &str)] = &[("webhookId", "$response.body#/id")];
const FIRST_WEBHOOK: &[(&str, &str)] = &[("webhookId", "$response.body#/items/0/id")];
const DELIVERY: &[(&str, &str)] = &[
    ("webhookId", "$response.body#/webhookId"),
    ("deliveryId", "$response.body#/id"),
];
const FIRST_DELIVERY: &[(&str, &str)] = &[
    ("webhookId", "$request.path.webhookId"),
    ("deliveryId", "$response.body#/items/0/id"),
];
const PROFILE: &[(&str, &str)] = &[
    ("accountId", "$request.path.accountId"),
    ("region", "$request.path.region"),
    ("clusterName", "$request.path.clusterName"),
    ("profileName", "$response.body#/profileName"),
];
const FIRST_PROFILE: &[(&str, &str)] = &[
    ("accountId", "$request.path.accountId"),
    ("region", "$request.path.region"),
    ("clusterName", "$request.path.clusterName"),
    ("profileName", "$response.body#/items/0/name"),
];

const NEW_CLUSTER: &[(&str, &str)] = &[
    ("accountId", "$request.path.accountId"),
    ("region", "$response.body#/region"),
    ("clusterName", "$response.body#/clusterName"),
];
const NEW_CLUSTER_CONFIRMED: &[(&str, &str)] = &[
    ("accountId", "$request.path.accountId"),
    ("region", "$response.body#/region"),
    ("clusterName", "$response.body#/clusterName"),
    ("confirm", "$response.body#/clusterName"),
];
const FIRST_CLUSTER: &[(&str, &str)] = &[
    ("accountId", "$request.path.accountId"),
    ("region", "$request.path.region"),
    ("clusterName", "$response.body#/items/0/name"),
];

const ENTRY: &[(&str, &str)] = &[
    ("accountId", "$request.path.accountId"),
    ("region", "$request.path.region"),
    ("clusterName", "$request.path.clusterName"),
    ("principalArn", "$request.path.principalArn"),
];
const FIRST_ENTRY: &[(&str, &str)] = &[
    ("accountId", "$request.path.accountId"),
    ("region", "$request.path.region"),
    ("clusterName", "$request.path.clusterName"),
    ("principalArn", "$response.body#/items/0/principalARN"),
];

const LINKS: [Link; 44] = [
    all("Job", "getJob", JOB),
    all("Job", "streamJobEvents", JOB),
    all("Job", "cancelJob", JOB),
    all("Job", "retryJob", JOB),
    of("createFargateProfile", "Job", "getFargateProfile", PROFILE),
    of(
        "createFargateProfile",
        "Job",
        "deleteFargateProfile",
        PROFILE,
    ),
    of("putAccessEntry", "Job", "getAccessEntry", ENTRY),
    of("putAccessEntry", "Job", "deleteAccessEntry", ENTRY),
    all("AccessEntryList", "getAccessEntry", FIRST_ENTRY),
    all("AccessEntryList", "deleteAccessEntry", FIRST_ENTRY),
    all("JobList", "getJob", FIRST_JOB),
    all("JobList", "streamJobEvents", FIRST_JOB),
    all("Operation", "getOperation", OPERATION),
    all("Operation", "getJob", JOB_OF_OPERATION),
    all("OperationList", "getOperation", FIRST_OPERATION),
    all("Account", "getAccount", ACCOUNT),
    all("Account", "updateAccount", ACCOUNT),
    all("Account", "deleteAccount", ACCOUNT),
    all("AccountList", "getAccount", FIRST_ACCOUNT),
    all("FargateProfileList", "getFargateProfile", FIRST_PROFILE),
    all("FargateProfileList", "deleteFargateProfile", FIRST_PROFILE),
    all("Token", "getToken", TOKEN),
    all("Token", "revokeToken", TOKEN),
    all("TokenList", "getToken", FIRST_TOKEN),
    all("Webhook", "getWebhook", WEBHOOK),
    all("Webhook", "updateWebhook", WEBHOOK),
    all("Webhook", "deleteWebhook", WEBHOOK),
    all("Webhook", "rotateWebhookSecret", WEBHOOK),
    all("Webhook", "testWebhook", WEBHOOK),
    all("Webhook", "listWebhookDeliveries", WEBHOOK),
    all("WebhookList", "getWebhook", FIRST_WEBHOOK),
    all("WebhookDelivery", "getWebhookDelivery", DELIVERY),
    all("WebhookDelivery", "replayWebhookDelivery", DELIVERY),
    all("WebhookDeliveryList", "getWebhookDelivery", FIRST_DELIVERY),
    all("ClusterCreation", "getJob", JOB),
    all("ClusterCreation", "streamJobEvents", JOB),
    all("ClusterCreation", "cancelJob", JOB),
    all("ClusterCreation", "retryJob", JOB),
    all("ClusterCreation", "getCluster", NEW_CLUSTER),
    all("ClusterCreation", "getKubeconfig", NEW_CLUSTER),
    all("ClusterCreation", "deleteCluster", NEW_CLUSTER_CONFIRMED),
    all("ClusterList", "getCluster", FIRST_CLUSTER),
    all("ClusterList", "getKubeconfig", FIRST_CLUSTER),
    all("ClusterList", "listFargateProfiles", FIRST_CLUSTER),
];

const fn all(
    answer: &'static str,
    to: &'static str,
    parameters: &'static [(&'static str, &'static str)],
) -> Link {
    of("", answer, to, parameters)
}

const fn of(
    only: &'static str,
    answer: &'static str,
    to: &'static str,
    parameters: &'static [(&'static str, &'static str)],
) -> Link {
    Link {
        answer,
        only,
        to,
        parameters,
    }
}

impl Link {
    /// Its name among the components.
    fn name(&self) -> String {
        format!("{}Of{}", self.to, self.answer)
    }

    fn component(&self) -> Value {
        let parameters: Map<String, Value> = self
            .parameters
            .iter()
            .map(|(name, from)| ((*name).to_owned(), json!(from)))
            .collect();
        json!({"operationId": self.to, "parameters": parameters})
    }

    fn fits(&self, operation: &str, answer: &str) -> bool {
        let asked = self.only.is_empty() || self.only == operation;
        asked && self.answer == answer && self.to != operation
    }
}

/// Adds the links to every good answer, and their definitions to the components.
pub(super) fn link(document: &mut Value) {
    let components: Map<String, Value> = LINKS
        .iter()
        .map(|link| (link.name(), link.component()))
        .collect();
    document["components"]["links"] = Value::Object(components);
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten());
    for (_, operation) in operations {
        let id = operation.get("operationId").and_then(Value::as_str);
        let id = id.unwrap_or_default().to_owned();
        let responses = operation
            .get_mut("responses")
            .and_then(Value::as_object_mut);
        for (_, response) in responses.into_iter().flatten() {
            let links = links_of(&id, response);
            if !links.is_empty() {
                response["links"] = Value::Object(links);
            }
        }
    }
}

fn links_of(operation: &str, response: &Value) -> Map<String, Value> {
    let schema = response.pointer("/content/application~1json/schema/$ref");
    let schema = schema.and_then(Value::as_str).unwrap_or_default();
    let answer = schema.rsplit('/').next().unwrap_or_default();
    LINKS
        .iter()
        .filter(|link| link.fits(operation, answer))
        .map(|link| {
            let reference = format!("#/components/links/{}", link.name());
            (link.to.to_owned(), json!({"$ref": reference}))
        })
        .collect()
}
