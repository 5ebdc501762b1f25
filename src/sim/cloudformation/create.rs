//! `CreateStack`: what is refused before a stack is there, and the stack as it begins.

use std::collections::{BTreeMap, BTreeSet};

use super::stack::{OnFailure, Parameter, Stack, Stage};
use super::template::Template;
use super::{eval, id_alone, rights, stack_arn};
use crate::sim::access::authorize;
use crate::sim::caller::Caller;
use crate::sim::clock::{fresh_id, wall};
use crate::sim::error::AwsError;
use crate::sim::query::{Form, constraint, required, validation};
use crate::sim::tags;
use crate::sim::world::{Arrival, World};

/// The largest template that can come with the request itself.
const LARGEST_TEMPLATE: usize = 51_200;

/// The type of a parameter that is looked up in the parameter store.
const FROM_STORE: &str = "AWS::SSM::Parameter::Value<";

impl World {
    pub(super) fn create_stack(
        &mut self,
        form: &Form,
        arrival: &Arrival,
    ) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        let name = required(form, "StackName", "stackName")?;
        check_name(name)?;
        authorize(
            caller,
            "cloudformation:CreateStack",
            &stack_arn(caller, name, "*"),
        )?;
        let token = form.filled("ClientRequestToken").map(str::to_owned);
        if let Some(there) = self.stacks.find(&caller.account, &caller.region, name) {
            if token.is_some() && there.created_with == token {
                return Ok(id_alone(&there.id));
            }
            let why = format!("Stack [{name}] already exists");
            return Err(AwsError::new(400, "AlreadyExistsException", why));
        }
        authorize_settings(form, caller, name)?;
        let mut stack = new_stack(form, caller, name, token)?;
        let now = self.clock.now();
        (stack.at, stack.seen_at) = (now, now);
        stack.set_status("CREATE_IN_PROGRESS", Some("User Initiated".to_owned()));
        self.run(&mut stack, now);
        let answer = id_alone(&stack.id);
        self.stacks
            .entry(&caller.account, &caller.region)
            .push(stack);
        self.recorder.changed(arrival.seq);
        Ok(answer)
    }
}

/// What tags and protection take besides the right to make the stack.
fn authorize_settings(form: &Form, caller: &Caller, name: &str) -> Result<(), AwsError> {
    let arn = stack_arn(caller, name, "*");
    if !form.tags("Tags.member").is_empty() {
        authorize(caller, "cloudformation:TagResource", &arn)?;
    }
    if form.is_true("EnableTerminationProtection") {
        authorize(caller, "cloudformation:UpdateTerminationProtection", &arn)?;
    }
    Ok(())
}

fn new_stack(
    form: &Form,
    caller: &Caller,
    name: &str,
    token: Option<String>,
) -> Result<Stack, AwsError> {
    if form.get("TemplateURL").is_some() {
        return Err(validation(
            "The simulator reads TemplateBody, not TemplateURL",
        ));
    }
    let body = required(form, "TemplateBody", "templateBody")?;
    if body.len() > LARGEST_TEMPLATE {
        let rule = "Member must have length less than or equal to 51200";
        return Err(constraint(body, "templateBody", rule));
    }
    let template = Template::parse(body).map_err(validation)?;
    let parameters = parameters(form, &template)?;
    for looked_up in parameters.iter().filter(|one| one.resolved.is_some()) {
        rights::to_look_up(caller, &looked_up.value).map_err(validation)?;
    }
    let capabilities: Vec<String> = form
        .texts("Capabilities.member")
        .into_iter()
        .map(str::to_owned)
        .collect();
    if let Some(needed) = template.capability() {
        let has = |capability: &str| capabilities.iter().any(|one| one == capability);
        if !has(needed) && !has("CAPABILITY_NAMED_IAM") {
            let why = format!("Requires capabilities : [{needed}]");
            return Err(AwsError::new(400, "InsufficientCapabilitiesException", why));
        }
    }
    let tags = form.tags("Tags.member");
    tags::check(&BTreeMap::new(), &tags).map_err(validation)?;
    let now = wall();
    Ok(Stack {
        id: stack_arn(caller, name, &fresh_id().to_string()),
        name: name.to_owned(),
        created_at: now,
        deleted_at: None,
        status: "CREATE_IN_PROGRESS",
        reason: None,
        stage: Stage::Creating,
        caller: caller.clone(),
        template,
        parameters,
        tags,
        capabilities,
        on_failure: on_failure(form)?,
        protected: form.is_true("EnableTerminationProtection"),
        created_with: token.clone(),
        token,
        retained: BTreeSet::new(),
        resources: BTreeMap::new(),
        outputs: Vec::new(),
        imported: BTreeSet::new(),
        events: Vec::new(),
        at: std::time::Duration::ZERO,
        seen_at: std::time::Duration::ZERO,
    })
}

fn on_failure(form: &Form) -> Result<OnFailure, AwsError> {
    let disabled = form.is_true("DisableRollback");
    let asked = form.filled("OnFailure");
    if disabled && asked.is_some() {
        return Err(validation(
            "Either DisableRollback or OnFailure can be specified, not both.",
        ));
    }
    match asked {
        Some("DELETE") => Ok(OnFailure::Delete),
        Some("DO_NOTHING") => Ok(OnFailure::DoNothing),
        Some("ROLLBACK") => Ok(OnFailure::Rollback),
        Some(other) => {
            let rule = "Member must satisfy enum value set: [ROLLBACK, DELETE, DO_NOTHING]";
            Err(constraint(other, "onFailure", rule))
        }
        None if disabled => Ok(OnFailure::DoNothing),
        None => Ok(OnFailure::Rollback),
    }
}

/// The parameters' values: those of the request, then the defaults.
fn parameters(form: &Form, template: &Template) -> Result<Vec<Parameter>, AwsError> {
    let given: BTreeMap<&str, &str> = form
        .structures("Parameters.member")
        .into_iter()
        .filter_map(|one| {
            let value = one.get("ParameterValue").copied().unwrap_or_default();
            Some((*one.get("ParameterKey")?, value))
        })
        .collect();
    let listed = |names: Vec<&str>| names.join(", ");
    let unknown = |name: &&&str| !template.parameters.contains_key(**name);
    let unknown: Vec<&str> = given.keys().filter(unknown).copied().collect();
    if !unknown.is_empty() {
        let names = listed(unknown);
        return Err(validation(format!(
            "Parameters: [{names}] do not exist in the template"
        )));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (key, declared) in &template.parameters {
        let given = given.get(key.as_str()).map(|value| (*value).to_owned());
        let Some(value) = given.or_else(|| declared.default.clone()) else {
            missing.push(key.as_str());
            continue;
        };
        let looked_up = declared
            .kind
            .starts_with(FROM_STORE)
            .then(|| eval::image(&value));
        found.push(Parameter {
            key: key.clone(),
            resolved: looked_up.transpose().map_err(validation)?,
            value,
        });
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let names = listed(missing);
    Err(validation(format!(
        "Parameters: [{names}] must have values"
    )))
}

fn check_name(name: &str) -> Result<(), AwsError> {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if begins && fits && name.len() <= 128 {
        return Ok(());
    }
    let rule = if name.len() > 128 {
        "Member must have length less than or equal to 128"
    } else {
        "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    };
    Err(constraint(name, "stackName", rule))
}
