//! What webhooks are told, and how a telling stands.

use super::macros::open_enum;

open_enum! {
    /// What an event tells; jobs are told of when they change something, not when they read.
    WebhookEventType as "webhook event type" {
        /// A job has ended as asked.
        JobSucceeded => "job.succeeded",
        /// A job has ended with an error.
        JobFailed => "job.failed",
        /// A job has ended before AWS had accepted anything.
        JobCanceled => "job.canceled",
        /// All jobs of an operation have ended.
        OperationFinished => "operation.finished",
        /// Asked for by a person, to try a webhook; sent whatever the webhook is told of.
        WebhookPing => "webhook.ping",
    }
}

open_enum! {
    /// How a delivery stands.
    DeliveryState as "delivery state" {
        /// To be sent, for the first time or again.
        Pending => "pending",
        /// Answered with 2xx.
        Succeeded => "succeeded",
        /// Given up; it can be replayed.
        Failed => "failed",
    }
}

open_enum! {
    /// Whom a webhook tells, and so how.
    WebhookFormat as "webhook format" {
        /// Any receiver, by Standard Webhooks 1.0.
        Standard => "standard",
        /// Runs of Port's actions, by Port's API.
        Port => "port",
        /// Callbacks of Cortex's workflows, by Cortex's API.
        Cortex => "cortex",
    }
}
