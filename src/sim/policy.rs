//! Session policies: read strictly, then asked whether they allow an action on a resource.
//!
//! Known: `Effect`, `Action`, `NotAction`, `Resource`, `NotResource`, with wildcards, and conditions of
//! the families String and Arn on the keys in [`Request::context`]. A condition that is not understood
//! is taken as unmet: an Allow that needs it doesn't apply.

use serde_json::{Map, Value};

use super::text::glob;

/// A policy document.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    allow: bool,
    action: Matcher,
    resource: Matcher,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Matcher {
    patterns: Vec<String>,
    negated: bool,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: String,
    key: String,
    values: Vec<String>,
}

/// What somebody wants to do.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub action: &'a str,
    pub resource: &'a str,
    /// Condition keys in lower case with the values they have.
    pub context: &'a [(&'a str, &'a [&'a str])],
}

/// What a policy says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed,
    NotAllowed,
    Denied,
}

impl Policy {
    /// Reads a document; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text)
            .map_err(|error| format!("Syntax errors in policy. ({error})"))?;
        let document = document
            .as_object()
            .ok_or("The policy is not in the valid JSON format.")?;
        known_keys(document, &["Version", "Id", "Statement"])?;
        if let Some(version) = document.get("Version")
            && !matches!(version.as_str(), Some("2012-10-17" | "2008-10-17"))
        {
            return Err("The policy must contain a valid version string".to_owned());
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => {
                statements.iter().map(statement).collect::<Result<_, _>>()?
            }
            Some(single @ Value::Object(_)) => vec![statement(single)?],
            _ => return Err("Missing required field Statement".to_owned()),
        };
        Ok(Self { statements })
    }

    /// Whether the request is allowed: by some Allow and no Deny.
    pub(super) fn decide(&self, request: &Request<'_>) -> Decision {
        let mut decision = Decision::NotAllowed;
        for statement in self
            .statements
            .iter()
            .filter(|statement| statement.applies(request))
        {
            if !statement.allow {
                return Decision::Denied;
            }
            decision = Decision::Allowed;
        }
        decision
    }
}

fn statement(value: &Value) -> Result<Statement, String> {
    let object = value.as_object().ok_or("A statement must be an object")?;
    known_keys(
        object,
        &[
            "Sid",
            "Effect",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ],
    )?;
    let allow = match object.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => {
            return Err(
                "Missing required field Effect, or it is neither Allow nor Deny".to_owned(),
            );
        }
    };
    let action = matcher(object, "Action")?;
    if let Some(bad) = action
        .patterns
        .iter()
        .find(|action| *action != "*" && !action.contains(':'))
    {
        return Err(format!(
            "Actions/Conditions must be prefaced by a vendor, and {bad} is not"
        ));
    }
    let resource = matcher(object, "Resource")?;
    if let Some(bad) = resource
        .patterns
        .iter()
        .find(|r| *r != "*" && !r.starts_with("arn:"))
    {
        return Err(format!("Resource {bad} must be in ARN format or \"*\"."));
    }
    let conditions = object
        .get("Condition")
        .map_or_else(|| Ok(Vec::new()), conditions)?;
    Ok(Statement {
        allow,
        action,
        resource,
        conditions,
    })
}

fn known_keys(object: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(format!(
            "Syntax errors in policy: {unknown} is not expected here"
        )),
        None => Ok(()),
    }
}

fn matcher(object: &Map<String, Value>, key: &str) -> Result<Matcher, String> {
    let negative = format!("Not{key}");
    let (value, negated) = match (object.get(key), object.get(&negative)) {
        (Some(value), None) => (value, false),
        (None, Some(value)) => (value, true),
        _ => {
            return Err(format!(
                "Policy statement must contain {key} or {negative}, and only one"
            ));
        }
    };
    let patterns = strings(value).ok_or_else(|| format!("{key} must hold strings"))?;
    if patterns.is_empty() {
        return Err(format!(
            "Policy statement must contain {}.",
            key.to_lowercase()
        ));
    }
    Ok(Matcher { patterns, negated })
}

fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

fn conditions(value: &Value) -> Result<Vec<Condition>, String> {
    let mut all = Vec::new();
    for (operator, keys) in value.as_object().ok_or("Condition must be an object")? {
        for (key, values) in keys
            .as_object()
            .ok_or("A condition operator must hold an object")?
        {
            all.push(Condition {
                operator: operator.clone(),
                key: key.to_lowercase(),
                values: strings(values).ok_or("Condition values must be strings")?,
            });
        }
    }
    Ok(all)
}

impl Statement {
    fn applies(&self, request: &Request<'_>) -> bool {
        let action = request.action.to_lowercase();
        let by_action = |pattern: &str| glob(&pattern.to_lowercase(), &action);
        self.action.matches(by_action)
            && self
                .resource
                .matches(|pattern| glob(pattern, request.resource))
            && self
                .conditions
                .iter()
                .all(|condition| condition.met(request.context))
    }
}

impl Matcher {
    fn matches(&self, one: impl Fn(&str) -> bool) -> bool {
        self.patterns.iter().any(|pattern| one(pattern)) != self.negated
    }
}

impl Condition {
    fn met(&self, context: &[(&str, &[&str])]) -> bool {
        let Some((_, actual)) = context.iter().find(|(key, _)| *key == self.key) else {
            return self.operator.ends_with("IfExists");
        };
        let any = |matches: fn(&str, &str) -> bool| {
            self.values
                .iter()
                .any(|wanted| actual.iter().any(|actual| matches(wanted, actual)))
        };
        match self.operator.trim_end_matches("IfExists") {
            "StringEquals" => any(|wanted, actual| wanted == actual),
            "StringEqualsIgnoreCase" => any(str::eq_ignore_ascii_case),
            "StringLike" | "ArnLike" | "ArnEquals" => any(glob),
            "StringNotEquals" => !any(|wanted, actual| wanted == actual),
            "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => !any(glob),
            _ => false,
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
