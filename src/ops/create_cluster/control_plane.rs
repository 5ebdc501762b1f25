//! The control plane is ready when EKS says so and its Kubernetes API has an address.

use super::{Creating, SETTLING};
use crate::domain::ErrorCode;
use crate::ops::failures::failure;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let cluster = creating.cluster().await?;
    let name = creating.name();
    let status = cluster.status.unwrap_or_default();
    match status.as_str() {
        "ACTIVE" | "UPDATING" if cluster.endpoint.is_some() => {
            Ok(format!("The control plane of cluster {name} is ready."))
        }
        "FAILED" | "DELETING" => Err(Verdict::Fail(failure(
            ErrorCode::NotStabilized,
            format!("the control plane of cluster {name} is {status}"),
        ))),
        _ => {
            let message = format!("Waits for the control plane of cluster {name}.");
            Err(creating.stage.later(&SETTLING, message))
        }
    }
}
