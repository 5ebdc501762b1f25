//! The nouns of the service: ids, selectors, profiles, cluster configs, jobs, errors.
//!
//! Pure: no I/O, no async, no ambient time or randomness. Everything from outside is parsed here
//! into types that cannot be wrong, and every other module builds on those.

pub mod access_entry;
pub mod account;
pub mod cluster;
pub mod cluster_view;
pub mod decode;
pub mod eksctl;
pub mod error;
mod iam_name;
pub mod ids;
pub mod invalid;
pub mod job;
pub mod job_input;
mod macros;
pub mod page;
mod pod_names;
pub mod profile;
pub mod profile_diff;
pub mod profile_name;
pub mod profile_rules;
pub mod role;
pub mod role_arn;
mod schema;
pub mod selector;
pub mod token;
pub mod warnings;
pub mod webhook;
mod wildcard;

pub use access_entry::{AccessEntry, AccessEntryInput, AccessEntrySpec, PrincipalArn};
pub use account::{AccountName, AccountState};
pub use cluster_view::{Addon, ClusterView, Nodegroup};
pub use eksctl::{ClusterConfig, FargatePart};
pub use error::{ErrorCode, JobError};
pub use ids::{AccountId, ClusterName, ExternalId, Partition, ProfileName, Region};
pub use invalid::{Invalid, ParseError};
pub use job::{JobKind, JobState, WaitingReason};
pub use page::PageSize;
pub use profile::{FargateProfile, HealthIssue, Naming, ProfileInput, ProfileSpec, SelectorInput};
pub use profile_diff::Difference;
pub use profile_name::{default_profile, generated_name};
pub use role::Role;
pub use role_arn::{RoleArn, role_arn_default};
pub use selector::Selector;
pub use token::{ActorKind, AuditOutcome, Credential, Person, TokenName};
pub use warnings::{Warning, profile_warnings};
pub use webhook::{DeliveryState, WebhookEventType, WebhookFormat};
