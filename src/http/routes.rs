//! Every route, on one screen. A test holds this table against the published document.
//!
//! | route | operation | role |
//! |---|---|---|
//! | POST /v1/accounts | registerAccount | admin |
//! | GET /v1/accounts | listAccounts | viewer |
//! | GET /v1/accounts/{accountId} | getAccount | viewer |
//! | PATCH /v1/accounts/{accountId} | updateAccount | admin |
//! | DELETE /v1/accounts/{accountId} | deleteAccount | admin |
//! | POST /v1/accounts/{accountId}/fargate-profiles | createFargateProfilesFromClusterConfig | operator |
//! | POST /v1/accounts/{accountId}/clusters | createCluster | operator |
//! | GET {clusters} | listClusters | viewer |
//! | GET {clusters}/{clusterName} | getCluster | viewer |
//! | GET {clusters}/{clusterName}/kubeconfig | getKubeconfig | viewer |
//! | DELETE {clusters}/{clusterName} | deleteCluster | operator |
//! | GET {clusters}/{clusterName}/access-entries | listAccessEntries | viewer |
//! | GET {clusters}/{clusterName}/access-entries/{principalArn} | getAccessEntry | viewer |
//! | PUT {clusters}/{clusterName}/access-entries/{principalArn} | putAccessEntry | operator |
//! | DELETE {clusters}/{clusterName}/access-entries/{principalArn} | deleteAccessEntry | operator |
//! | POST {base} | createFargateProfile | operator |
//! | GET {base} | listFargateProfiles | viewer |
//! | GET {base}/{profileName} | getFargateProfile | viewer |
//! | DELETE {base}/{profileName} | deleteFargateProfile | operator |
//! | GET /v1/jobs | listJobs | viewer |
//! | GET /v1/jobs/{jobId} | getJob | viewer |
//! | GET /v1/jobs/{jobId}/events | streamJobEvents | viewer |
//! | POST /v1/jobs/{jobId}/cancel | cancelJob | operator |
//! | POST /v1/jobs/{jobId}/retry | retryJob | operator |
//! | GET /v1/operations | listOperations | viewer |
//! | GET /v1/operations/{operationId} | getOperation | viewer |
//! | GET /v1/whoami | getWhoami | viewer |
//! | POST /v1/tokens | createToken | admin |
//! | GET /v1/tokens | listTokens | admin |
//! | GET /v1/tokens/{tokenId} | getToken | admin |
//! | DELETE /v1/tokens/{tokenId} | revokeToken | admin |
//! | GET /v1/audit-events | listAuditEvents | viewer |
//! | POST /v1/webhooks | createWebhook | admin |
//! | GET /v1/webhooks | listWebhooks | admin |
//! | GET /v1/webhooks/{webhookId} | getWebhook | admin |
//! | PATCH /v1/webhooks/{webhookId} | updateWebhook | admin |
//! | DELETE /v1/webhooks/{webhookId} | deleteWebhook | admin |
//! | POST /v1/webhooks/{webhookId}/rotate-secret | rotateWebhookSecret | admin |
//! | POST /v1/webhooks/{webhookId}/test | testWebhook | admin |
//! | GET /v1/webhooks/{webhookId}/deliveries | listWebhookDeliveries | admin |
//! | GET /v1/webhooks/{webhookId}/deliveries/{deliveryId} | getWebhookDelivery | admin |
//! | POST /v1/webhooks/{webhookId}/deliveries/{deliveryId}/replay | replayWebhookDelivery | admin |
//! | GET /livez | getLiveness | none |
//! | GET /readyz | getReadiness | none |
//!
//! `{clusters}` is `/v1/accounts/{accountId}/regions/{region}/clusters`, and `{base}` is
//! `{clusters}/{clusterName}/fargate-profiles`.

use utoipa_actix_web::service_config::ServiceConfig;

use super::fargate_profiles::{create, delete, read};
use super::{
    access_entries, accounts, audit_events, cluster_configs, clusters, health, job_events, jobs,
    operations, tokens, webhooks, whoami,
};

/// Registers every route, in the server and in the document.
pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(accounts::register::register_account)
        .service(accounts::list::list_accounts)
        .service(accounts::get_account)
        .service(accounts::update::update_account)
        .service(accounts::delete::delete_account)
        .service(cluster_configs::create_fargate_profiles_from_cluster_config)
        .service(clusters::create::create_cluster)
        .service(clusters::read::list_clusters)
        .service(clusters::read::get_cluster)
        .service(clusters::kubeconfig::get_kubeconfig)
        .service(clusters::delete::delete_cluster)
        .service(access_entries::read::list_access_entries)
        .service(access_entries::read::get_access_entry)
        .service(access_entries::put::put_access_entry)
        .service(access_entries::delete::delete_access_entry)
        .service(create::create_fargate_profile)
        .service(read::list_fargate_profiles)
        .service(read::get_fargate_profile)
        .service(delete::delete_fargate_profile)
        .service(jobs::list::list_jobs)
        .service(jobs::get_job)
        .service(job_events::stream_job_events)
        .service(jobs::cancel::cancel_job)
        .service(jobs::retry::retry_job)
        .service(operations::list_operations)
        .service(operations::get_operation)
        .service(whoami::get_whoami)
        .service(tokens::create::create_token)
        .service(tokens::list::list_tokens)
        .service(tokens::get_token)
        .service(tokens::revoke::revoke_token)
        .service(audit_events::list_audit_events)
        .service(webhooks::create::create_webhook)
        .service(webhooks::list::list_webhooks)
        .service(webhooks::get_webhook)
        .service(webhooks::update::update_webhook)
        .service(webhooks::delete::delete_webhook)
        .service(webhooks::rotate::rotate_webhook_secret)
        .service(webhooks::ping::test_webhook)
        .service(webhooks::deliveries::list_webhook_deliveries)
        .service(webhooks::deliveries::get_webhook_delivery)
        .service(webhooks::replay::replay_webhook_delivery)
        .service(health::livez)
        .service(health::readyz);
}
