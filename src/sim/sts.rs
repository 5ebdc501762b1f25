//! STS: `AssumeRole` and `GetCallerIdentity` over the AWS Query protocol.
//!
//! The role [`FLEET_ROLE`] of accounts that exist can be assumed, and the roles that a test has added
//! to an account, by whoever has no session. Session tags, managed session
//! policies and MFA are taken and ignored.

use std::time::Duration;

use super::access::authorize;
use super::arn::Arn;
use super::caller::{Caller, MANAGEMENT_ACCOUNT};
use super::error::AwsError;
use super::model;
use super::policy::Policy;
use super::query::{Form, Service, no_operation, required, validation};
use super::record::Call;
use super::session::{NewSession, Session};
use super::text::xml;
use super::world::World;

/// The role that exists in every account of the fleet.
pub(super) const FLEET_ROLE: &str = "fargate-fleet";

const VERSION: &str = "2011-06-15";
const LARGEST_POLICY: usize = 2_048;
const LONGEST_CHAINED: u64 = 3_600;

impl Form {
    /// What the record has of such a call: for `AssumeRole` the account and session it asks for.
    pub(super) fn describe_role(&self, call: &mut Call) {
        if call.action == "AssumeRole" {
            if let Some(arn) = self.get("RoleArn").and_then(Arn::parse) {
                arn.account.clone_into(&mut call.account_id);
            }
            call.session_name = self.get("RoleSessionName").map(str::to_owned);
            call.source_identity = self.get("SourceIdentity").map(str::to_owned);
        }
    }
}

impl World {
    /// Serves one call; the answer is what the result's element holds.
    pub(super) fn sts(&mut self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        let action = form.action();
        if form.get("Version") != Some(VERSION) {
            return Err(no_operation(form));
        }
        model::check_form(Service::Sts, form)?;
        match action {
            "AssumeRole" => self.assume_role(form, caller),
            "GetCallerIdentity" => Ok(identity(caller)),
            _ => Err(no_operation(form)),
        }
    }

    fn assume_role(&mut self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        let role_arn = required(form, "RoleArn", "roleArn")?;
        let arn = Arn::parse(role_arn)
            .filter(|arn| arn.role().is_some())
            .ok_or_else(|| validation(format!("{role_arn} is invalid")))?;
        let name = required(form, "RoleSessionName", "roleSessionName")?;
        let source_identity = form.get("SourceIdentity");
        let lasts = duration(form, caller)?;
        let policy = form.get("Policy").map(session_policy).transpose()?;
        authorize(caller, "sts:AssumeRole", role_arn).map_err(|error| AwsError {
            code: "AccessDenied".to_owned(),
            ..error
        })?;
        let of_people = caller.session.is_none() && self.is_of_people(&arn);
        (of_people || self.trusts(&arn, form.get("ExternalId")))
            .then_some(())
            .ok_or_else(|| denied(caller, role_arn))?;
        let session = self.sessions.issue(NewSession {
            account: arn.account.to_owned(),
            partition: arn.partition.to_owned(),
            role: arn.role().unwrap_or(FLEET_ROLE).to_owned(),
            name: name.to_owned(),
            source_identity: source_identity.map(str::to_owned),
            policy,
            lasts,
        });
        Ok(assumed(&session, form.get("Policy").map(str::len)))
    }

    /// Whether it is one of the roles that a test has added.
    fn is_of_people(&self, role: &Arn<'_>) -> bool {
        let account = self.accounts.get(role.account);
        let roles = account.map(|account| account.settings.roles.as_slice());
        let mut roles = roles.unwrap_or_default().iter();
        roles.any(|known| Some(known.as_str()) == role.role())
    }

    /// Whether the role is there and trusts a caller with this external id.
    fn trusts(&self, role: &Arn<'_>, external_id: Option<&str>) -> bool {
        let Some(account) = self.accounts.get(role.account) else {
            return false;
        };
        if role.role() != Some(FLEET_ROLE) || account.settings.deny_assume_role {
            return false;
        }
        match &account.settings.external_id {
            Some(demanded) => external_id == Some(demanded),
            None => external_id.is_some() || !self.options.require_external_id,
        }
    }
}

fn duration(form: &Form, caller: &Caller) -> Result<Duration, AwsError> {
    let Some(seconds) = form
        .get("DurationSeconds")
        .and_then(|text| text.parse().ok())
    else {
        return Ok(Duration::from_hours(1));
    };
    if caller.session.is_some() && seconds > LONGEST_CHAINED {
        return Err(validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    Ok(Duration::from_secs(seconds))
}

fn session_policy(text: &str) -> Result<Policy, AwsError> {
    if text.chars().count() > LARGEST_POLICY {
        let percent = packed(text.len());
        return Err(AwsError::new(
            400,
            "PackedPolicyTooLarge",
            format!(
                "Packed policy consumes {percent}% of allotted space, please use smaller policy."
            ),
        ));
    }
    Policy::parse(text).map_err(|why| AwsError::new(400, "MalformedPolicyDocument", why))
}

fn packed(length: usize) -> usize {
    (length * 100).div_ceil(LARGEST_POLICY)
}

fn denied(caller: &Caller, role_arn: &str) -> AwsError {
    let who = caller.arn();
    AwsError::new(
        403,
        "AccessDenied",
        format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"),
    )
}

fn assumed(session: &Session, policy_length: Option<usize>) -> String {
    let optional = |name: &str, value: Option<String>| {
        value
            .map(|value| format!("<{name}>{}</{name}>", xml(&value)))
            .unwrap_or_default()
    };
    format!(
        "<AssumedRoleUser><AssumedRoleId>{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>{}{}",
        xml(&session.user_id()),
        xml(&session.arn()),
        session.access_key_id,
        session.secret,
        session.token,
        session.expiration(),
        optional(
            "PackedPolicySize",
            policy_length.map(|length| packed(length).to_string())
        ),
        optional("SourceIdentity", session.about.source_identity.clone()),
    )
}

fn identity(caller: &Caller) -> String {
    let (user, account) = caller.session.as_ref().map_or_else(
        || {
            (
                "AIDASIMMANAGEMENT000".to_owned(),
                MANAGEMENT_ACCOUNT.to_owned(),
            )
        },
        |session| (session.user_id(), session.about.account.clone()),
    );
    let arn = xml(&caller.arn());
    format!(
        "<Arn>{arn}</Arn><UserId>{}</UserId><Account>{account}</Account>",
        xml(&user)
    )
}

#[cfg(test)]
#[path = "sts_tests.rs"]
mod tests;
