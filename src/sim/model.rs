//! AWS's own models of what it may be asked: which members a request has, and what each must satisfy.
//!
//! One place holds every call to it, after the signature and before the action itself. `model/*.json` is
//! the part of botocore's models that describes the requests of the actions in `model/actions.txt`;
//! `tests/aws-models/generate` writes it, and `tests/aws-models/run` proves by requests over the wire
//! that each of its constraints is kept. What AWS refuses beyond its models is the actions' own affair.
//!
//! | file | what |
//! |---|---|
//! | `shape` | the models as they are read |
//! | `rest` | EKS: an action by its request line, its members out of path, query and body; CloudWatch Logs, whose members are all in the body |
//! | `form` | the members out of the fields of the Query protocol and of EC2's |
//! | `check` | values held to their shapes |
//! | `words` | what a service says to a request that breaks its model |

mod check;
mod form;
mod rest;
mod shape;
mod words;

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::error::AwsError;
use super::query::{Form, Service, no_operation};
use shape::ServiceModel;

pub(super) use rest::{check_json, check_rest, route};

/// Declares a model that is read when it is first used.
macro_rules! models {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(static $name: LazyLock<ServiceModel> = LazyLock::new(|| {
            serde_json::from_str(include_str!(concat!("model/", $file, ".json"))).unwrap_or_default()
        });)+

        /// Each model by the name that botocore has for its service.
        static MODELS: &[(&str, &LazyLock<ServiceModel>)] = &[$(($file, &$name)),+];
    };
}

models! {
    EKS = "eks",
    STS = "sts",
    CLOUDFORMATION = "cloudformation",
    IAM = "iam",
    EC2 = "ec2",
    ELB = "elb",
    ELB_V2 = "elbv2",
    LOGS = "logs",
}

fn of(service: Service) -> &'static ServiceModel {
    match service {
        Service::Sts => &STS,
        Service::CloudFormation => &CLOUDFORMATION,
        Service::Iam => &IAM,
        Service::Ec2 => &EC2,
        Service::Elb => &ELB,
        Service::ElbV2 => &ELB_V2,
    }
}

/// Holds a call of the Query protocol to its service's model.
pub(super) fn check_form(service: Service, form: &Form) -> Result<(), AwsError> {
    let model = of(service);
    let operation = model.operations.get(form.action());
    let operation = operation.ok_or_else(|| no_operation(form))?;
    let Some(input) = &operation.input else {
        return Ok(());
    };
    let members = form::members(service, model, input, form)?;
    let broken = check::check(model, input, &members);
    if broken.is_empty() {
        return Ok(());
    }
    Err(words::refusal(service, &broken))
}

/// The actions that are served, of each service: `{actions: [{service, action}]}`.
pub(super) fn actions() -> Value {
    let services = MODELS.iter();
    let actions: Vec<Value> = services
        .flat_map(|(service, model)| {
            let names = model.operations.keys();
            names.map(move |action| json!({"service": service, "action": action}))
        })
        .collect();
    json!({ "actions": actions })
}

#[cfg(test)]
#[path = "model/tests.rs"]
mod tests;
