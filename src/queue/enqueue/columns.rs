//! Submissions turned on their side: one array a column, as UNNEST takes them.

use uuid::Uuid;

use super::NewJob;
use super::packed::{Packed, Texts};

/// The columns of the submissions, one array a column.
#[derive(Default)]
pub(super) struct Units<'a> {
    pub(super) no: Vec<i32>,
    pub(super) subject_id: Vec<Uuid>,
    pub(super) account_id: Vec<String>,
    pub(super) requested_by: Vec<String>,
    pub(super) caller: Vec<String>,
    pub(super) key: Vec<Option<String>>,
    pub(super) sha256: Vec<Option<Vec<u8>>>,
    pub(super) traceparent: Vec<Option<String>>,
    pub(super) audit_action: Vec<Option<String>>,
    pub(super) audit_resource: Vec<Option<String>>,
    pub(super) request_id: Vec<Option<String>>,
    pub(super) detail: Vec<Option<&'a str>>,
    pub(super) operation_action: Vec<Option<String>>,
    pub(super) operation_region: Vec<Option<String>>,
    pub(super) operation_cluster: Vec<Option<String>>,
    pub(super) job_count: Vec<i32>,
    pub(super) actor: Vec<Option<String>>,
    pub(super) on_behalf_of: Vec<Option<String>>,
    pub(super) callback_webhook_id: Vec<Option<Uuid>>,
    pub(super) callback_run: Vec<Option<String>>,
    pub(super) share: Vec<Option<Vec<u8>>>,
    pub(super) share_lane: Vec<Option<String>>,
}

/// The columns of their jobs.
#[derive(Default)]
pub(super) struct Jobs<'a> {
    pub(super) unit_no: Vec<i32>,
    pub(super) job_id: Vec<Uuid>,
    pub(super) kind: Vec<String>,
    pub(super) region: Vec<String>,
    pub(super) cluster_name: Vec<Option<String>>,
    pub(super) profile_name: Vec<Option<String>>,
    pub(super) retry_of: Vec<Option<Uuid>>,
    pub(super) lane: Vec<Option<String>>,
    pub(super) input: Vec<&'a str>,
    pub(super) message: Vec<String>,
    pub(super) warnings: Vec<&'a str>,
    pub(super) deadline_ms: Vec<i64>,
}

impl<'a> Units<'a> {
    pub(super) fn push(&mut self, no: i32, packed: &'a Packed) {
        let item = &packed.submission;
        self.no.push(no);
        self.subject_id.push(item.subject_id);
        self.account_id.push(item.account_id.clone());
        self.requested_by.push(item.requested_by.clone());
        self.caller.push(item.caller.clone());
        self.key
            .push(item.idempotency.as_ref().map(|key| key.key.clone()));
        self.sha256.push(
            item.idempotency
                .as_ref()
                .map(|key| key.request_sha256.clone()),
        );
        self.traceparent.push(item.traceparent.clone());
        self.audit_action
            .push(item.audit.as_ref().map(|audit| audit.action.to_owned()));
        self.audit_resource
            .push(item.audit.as_ref().map(|audit| audit.resource.clone()));
        self.request_id
            .push(item.audit.as_ref().map(|audit| audit.request_id.clone()));
        self.detail.push(packed.detail.as_deref());
        self.operation_action
            .push(item.operation.as_ref().map(|o| o.action.to_owned()));
        self.operation_region
            .push(item.operation.as_ref().map(|o| o.region.clone()));
        self.operation_cluster
            .push(item.operation.as_ref().map(|o| o.cluster_name.clone()));
        self.job_count
            .push(i32::try_from(item.jobs.len()).unwrap_or(i32::MAX));
        let audit = item.audit.as_ref();
        self.actor.push(audit.map(|audit| audit.actor.clone()));
        self.on_behalf_of
            .push(audit.and_then(|audit| audit.on_behalf_of.clone()));
        let callback = item.callback.as_ref();
        self.callback_webhook_id
            .push(callback.map(|callback| callback.webhook_id));
        self.callback_run
            .push(callback.map(|callback| callback.run.clone()));
        let share = item.share.as_ref();
        self.share.push(share.map(|share| share.sha256.clone()));
        self.share_lane.push(share.map(|share| share.lane.clone()));
    }
}

impl<'a> Jobs<'a> {
    pub(super) fn push(&mut self, unit_no: i32, job: &NewJob, texts: &'a Texts) {
        self.unit_no.push(unit_no);
        self.job_id.push(job.job_id);
        self.kind.push(job.kind.to_owned());
        self.region.push(job.region.clone());
        self.cluster_name.push(job.cluster_name.clone());
        self.profile_name.push(job.profile_name.clone());
        self.retry_of.push(job.retry_of);
        self.lane.push(job.lane.clone());
        self.input.push(&texts.input);
        self.message.push(job.message.clone());
        self.warnings.push(&texts.warnings);
        self.deadline_ms
            .push(i64::try_from(job.deadline_after.as_millis()).unwrap_or(i64::MAX));
    }
}
