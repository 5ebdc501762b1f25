//! Creates one Fargate profile and follows it to ACTIVE.
//!
//! Steps:
//! - `start`: the cluster takes changes; the name is free, or the profile there is the one asked
//!   for (adopted), or the job fails; warnings.
//! - `role`: left out when the job came with one: finds the pod execution role, or makes it.
//! - `create`: notes that AWS is being asked, then asks, with a token made from the job's id.
//! - `follow`: looks until ACTIVE or `CREATE_FAILED`.
//! - `coredns`: left out unless a profile catches CoreDNS: moves it onto Fargate.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::asked_by::{Change, asked_by};
use super::context::Context;
use super::coredns::{CoreDns, Moving, is_caught};
use super::failures::failure;
use super::following::Followed;
use super::list_fargate_profiles::describe;
use super::pod_execution_role::{Making, RoleCreation};
use super::profile_creation::{self, Asking, ProfileCreation, health_warnings};
use super::refused;
use crate::domain::job_input::{CreateProfileInput, JobResult};
use crate::domain::{ErrorCode, FargateProfile, RoleArn, generated_name, profile_warnings};
use crate::queue::Verdict;
use crate::queue::lease::Note;

/// What every step keeps, beside its own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Known {
    /// Of a job that came without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<RoleArn>,
    /// The profile, or one that was there before it, catches CoreDNS.
    catches_coredns: bool,
    /// The caller was told of the profile's health issues.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    told_health: bool,
}

/// What a step has to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept<T: Default> {
    #[serde(flatten)]
    known: Known,
    #[serde(flatten)]
    own: T,
}

/// What `role` has to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AtRole {
    asking: Asking,
    making: Making,
}

/// What `coredns` has to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AtCoreDns {
    profile: FargateProfile,
    moving: Moving,
}

/// How the creation goes on, once the role is known.
enum Go {
    /// With a profile of that name, which is there already.
    With(FargateProfile, Asking),
    /// Asks, after this note.
    Ask(Asking, Note),
    /// A cancel came after AWS may have been asked.
    Stop(Asking),
    /// AWS has accepted.
    Follow(Followed),
}

struct Creation<'a> {
    context: &'a Context<'a>,
    input: &'a CreateProfileInput,
}

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let input: CreateProfileInput = context.input()?;
    let input = &input;
    let creation = Creation { context, input };
    match context.job.step.as_str() {
        "start" => creation.start().await,
        "role" => creation.find_role(context.data()?).await,
        "create" => creation.resume(context.data()?).await,
        "follow" => {
            let Kept { known, own } = context.data()?;
            creation.go(known, Go::Follow(own)).await
        }
        "coredns" => {
            let Kept { known, own } = context.data()?;
            creation.move_coredns(known, own).await
        }
        other => Err(Verdict::Fail(failure(
            ErrorCode::Internal,
            format!("a creation has no step {other}"),
        ))),
    }
}

fn keep(known: &Known, kept: profile_creation::Kept) -> (&'static str, Value) {
    let known = known.clone();
    match kept {
        profile_creation::Kept::Asking(own) => {
            // Nothing was asked yet when the name was found taken at the very first look.
            let first = own.name.is_empty();
            let step = if first { "start" } else { "create" };
            (step, json!(Kept { known, own }))
        }
        profile_creation::Kept::Following(own) => ("follow", json!(Kept { known, own })),
    }
}

fn done(profile: FargateProfile) -> Verdict {
    let message = format!("Fargate profile {} is ACTIVE.", profile.name);
    Verdict::Done {
        result: json!(JobResult {
            profile: Some(profile),
            ..JobResult::default()
        }),
        message,
    }
}

impl Creation<'_> {
    async fn start(&self) -> Result<Verdict, Verdict> {
        let context = self.context;
        if context.job.cancel_requested {
            return Err(Verdict::Canceled);
        }
        let Kept::<Asking> { own: asking, .. } = context.data()?;
        let mut known = Known {
            catches_coredns: is_caught(&self.input.profile, &[]),
            ..Known::default()
        };
        if let Some(words) = refused::still_deleting(context).await? {
            return Err(wait_for_cluster(context, &known, &asking, &words));
        }
        cluster_takes_changes(context).await?;
        let names = match context.eks.profile_names().await {
            Ok(names) => names,
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        };
        let name = free_name(context, self.input, &names)?;
        if names.contains(&name)
            && let Some(existing) = profile_creation::existing(context, &name).await?
        {
            // Whoever names no role takes any.
            known.role = existing.pod_execution_role_arn.as_deref().and_then(role);
            return self.go(known, Go::With(existing, asking)).await;
        }
        let existing = match describe(context, names).await {
            Ok(existing) => existing,
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        };
        known.catches_coredns = is_caught(&self.input.profile, &existing);
        let note = Note {
            profile_name: Some(name.clone()),
            warnings: self.warnings(&existing),
            ..asking_to_create(&name)
        };
        let asking = asking.named(name);
        if self.input.pod_execution_role_arn.is_some() {
            return self.go(known, Go::Ask(asking, note)).await;
        }
        self.begin_role(known, asking, note).await
    }

    /// What the caller should know about the profile beside those that are there.
    fn warnings(&self, existing: &[FargateProfile]) -> Vec<Value> {
        let new = &self.input.profile;
        let alone = profile_warnings(new, &[]);
        // Those that the profile earns by itself were told when the job was made.
        profile_warnings(new, existing)
            .into_iter()
            .filter(|warning| !alone.contains(warning))
            .map(|warning| json!(warning))
            .collect()
    }

    async fn begin_role(
        &self,
        known: Known,
        asking: Asking,
        note: Note,
    ) -> Result<Verdict, Verdict> {
        let making = Making::default();
        let own = AtRole { asking, making };
        let kept = Kept { known, own };
        let note = Note {
            message: "Looking for the cluster's pod execution role.".to_owned(),
            ..note
        };
        self.context.note("role", &kept, note).await?;
        self.find_role(kept).await
    }

    async fn find_role(&self, kept: Kept<AtRole>) -> Result<Verdict, Verdict> {
        let (context, known) = (self.context, kept.known);
        let AtRole { asking, making } = kept.own;
        if is_canceled(context) {
            return Err(Verdict::Canceled);
        }
        let keep = |making| {
            let asking = asking.clone();
            let own = AtRole { asking, making };
            let known = known.clone();
            ("role", json!(Kept { known, own }))
        };
        let creation = RoleCreation {
            context,
            permissions_boundary: self.input.role_permissions_boundary.as_deref(),
            keep: &keep,
        };
        let role = Some(creation.role(making).await?);
        let note = asking_to_create(&asking.name);
        let known = Known {
            role,
            ..known.clone()
        };
        self.go(known, Go::Ask(asking.clone(), note)).await
    }

    /// `create` was noted, and perhaps AWS was asked, before the worker died or the cluster was busy.
    async fn resume(&self, kept: Kept<Asking>) -> Result<Verdict, Verdict> {
        let (context, Kept { known, own }) = (self.context, kept);
        if is_canceled(context) {
            return self.go(known, Go::Stop(own)).await;
        }
        if own.tagging.is_some()
            && let Some(existing) = profile_creation::existing(context, &own.name).await?
        {
            return self.go(known, Go::With(existing, own)).await;
        }
        if let Some(words) = refused::still_deleting(context).await? {
            return Err(wait_for_cluster(context, &known, &own, &words));
        }
        let note = asking_to_create(&own.name);
        self.go(known, Go::Ask(own, note)).await
    }

    /// From here on the role is known.
    async fn go(&self, known: Known, go: Go) -> Result<Verdict, Verdict> {
        let context = self.context;
        let given = self.input.pod_execution_role_arn.as_ref();
        let Some(role) = given.or(known.role.as_ref()) else {
            let message = "the job does not know the profile's pod execution role";
            return Err(Verdict::Fail(failure(ErrorCode::Internal, message)));
        };
        let keep = |kept| keep(&known, kept);
        let creation = ProfileCreation {
            context,
            spec: &self.input.profile,
            role,
            client_request_token: context.job.job_id.to_string(),
            keep: &keep,
        };
        let profile = match go {
            Go::With(existing, asking) => creation.compare(existing, &asking).await,
            Go::Ask(asking, note) => {
                // At the second try, AWS may have been asked at the first.
                let first = context.job.step != "create";
                match creation.note(&asking, note).await? {
                    true => creation.ask(asking).await,
                    false if first => Err(Verdict::Canceled),
                    false => cancel(&creation, &asking).await,
                }
            }
            Go::Stop(asking) => cancel(&creation, &asking).await,
            Go::Follow(followed) => {
                let name = context.job.profile_name.as_deref();
                creation.follow(name.unwrap_or_default(), followed).await
            }
        }?;
        let known = self.tell_health(known, &profile).await?;
        if !known.catches_coredns {
            return Ok(done(profile));
        }
        let moving = Moving::default();
        let own = AtCoreDns { profile, moving };
        self.move_coredns(known, own).await
    }

    /// Tells, once, what is wrong with the profile although it is ACTIVE.
    async fn tell_health(&self, known: Known, profile: &FargateProfile) -> Result<Known, Verdict> {
        let warnings = health_warnings(profile);
        if warnings.is_empty() || known.told_health {
            return Ok(known);
        }
        let known = Known {
            told_health: true,
            ..known
        };
        let own = Followed::from_now(self.context, profile.arn.clone());
        let kept = Kept {
            known: known.clone(),
            own,
        };
        let note = Note {
            message: format!("Fargate profile {} is ACTIVE.", profile.name),
            profile_name: Some(profile.name.clone()),
            warnings,
        };
        self.context.note("follow", &kept, note).await?;
        Ok(known)
    }

    async fn move_coredns(&self, known: Known, own: AtCoreDns) -> Result<Verdict, Verdict> {
        let AtCoreDns { profile, moving } = own;
        let keep = |moving| {
            let (known, profile) = (known.clone(), profile.clone());
            let own = AtCoreDns { profile, moving };
            ("coredns", json!(Kept { known, own }))
        };
        let coredns = CoreDns {
            context: self.context,
            new_profile: is_caught(&self.input.profile, &[]),
            keep: &keep,
        };
        coredns.onto_fargate(moving).await?;
        Ok(done(profile))
    }
}

/// What AWS has accepted, such as a role, is followed to its end.
fn is_canceled(context: &Context<'_>) -> bool {
    context.job.cancel_requested && !context.job.accepted
}

fn role(arn: &str) -> Option<RoleArn> {
    RoleArn::parse(arn).ok()
}

fn wait_for_cluster(context: &Context<'_>, known: &Known, asking: &Asking, words: &str) -> Verdict {
    let keep = |kept| keep(known, kept);
    profile_creation::wait_for_cluster(context, asking, words, &keep)
}

fn asking_to_create(name: &str) -> Note {
    Note {
        message: format!("Asking AWS to create Fargate profile {name}."),
        ..Note::default()
    }
}

/// eksctl's rule: UPDATING and ACTIVE pass.
async fn cluster_takes_changes(context: &Context<'_>) -> Result<(), Verdict> {
    let status = match context.eks.cluster_status().await {
        Ok(status) => status,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let (change, way_out) = match status.as_str() {
        "CREATING" => (Change::Creation, "ask again when it is ACTIVE"),
        "FAILED" => (
            Change::Creation,
            "AWS could not make it: delete the cluster, and create it anew",
        ),
        "DELETING" => (Change::Deletion, "its Fargate profiles go with it"),
        _ => return Ok(()),
    };
    let who = asked_by(context, None, change).await?;
    let cluster = context.cluster;
    Err(Verdict::Fail(failure(
        ErrorCode::Conflict,
        format!(
            "cluster {cluster} is in status {status}, {who}; it takes no Fargate profiles in that \
             state: {way_out}"
        ),
    )))
}

/// The name asked for; or the first of the job's generated names that nobody has.
fn free_name(
    context: &Context<'_>,
    input: &CreateProfileInput,
    taken: &[String],
) -> Result<String, Verdict> {
    const TRIES: u32 = 100;
    if let Some(name) = input
        .profile
        .name
        .as_ref()
        .filter(|_| !input.name_generated)
    {
        return Ok(name.to_string());
    }
    (0..TRIES)
        .map(|n| generated_name(context.job.job_id.as_bytes(), n).to_string())
        .find(|name| !taken.contains(name))
        .ok_or_else(|| {
            Verdict::Fail(failure(
                ErrorCode::Conflict,
                "no generated name is free on the cluster",
            ))
        })
}

/// A cancel, after AWS may have been asked: what it has begun is followed, else nothing was done.
async fn cancel(
    creation: &ProfileCreation<'_>,
    asking: &Asking,
) -> Result<FargateProfile, Verdict> {
    match creation.existing(&asking.name).await? {
        Some(existing) if creation.is_wanted(&existing) => creation.compare(existing, asking).await,
        _ => Err(Verdict::Canceled),
    }
}
