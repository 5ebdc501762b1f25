//! How long the control plane's logs are kept.

use serde_json::json;

use super::Creating;
use crate::domain::warnings::Warning;
use crate::queue::Verdict;

/// This service has no rights on logs: it says what to run.
pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let days = creating.spec.logging.retention_days.unwrap_or_default();
    let group = format!("/aws/eks/{}/cluster", creating.name());
    let region = &creating.spec.region;
    let warning = Warning::new(
        "log_retention_not_set",
        format!(
            "the control plane's logs are kept for ever until someone runs: aws logs \
             put-retention-policy --region {region} --log-group-name {group} \
             --retention-in-days {days}"
        ),
    );
    let message = "The retention of the control plane's logs is left to be set by hand.";
    creating.stage.warn(message, vec![json!(warning)]).await?;
    Ok(message.to_owned())
}
