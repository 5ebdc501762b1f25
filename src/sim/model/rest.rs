//! EKS's requests: the action that a request line is for, and its members out of path, query and body.

use serde_json::{Map, Value};

use super::super::error::AwsError;
use super::super::text::percent_decode;
use super::super::wire::Inbound;
use super::shape::{Kind, Location, Member, ServiceModel, Shape};
use super::{EKS, LOGS, check, words};

/// A request line that is one of EKS's.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sim) struct Route {
    pub action: &'static str,
    /// The members that stand in the path, by their names in the model; an empty one is there, too.
    pub members: Vec<(&'static str, String)>,
}

/// Finds the action of a method and a (still encoded) path. Where two paths fit, the one with fewer
/// members in it is meant.
pub(in crate::sim) fn route(method: &str, path: &str) -> Option<Route> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let operations = EKS.operations.iter();
    let fitting = operations.filter_map(|(action, operation)| {
        let places: Vec<&str> = operation.uri.strip_prefix('/')?.split('/').collect();
        let same = operation.method == method && places.len() == segments.len();
        let input = EKS.shape(operation.input.as_deref()?)?;
        let members = same.then(|| fit(input, &places, &segments)).flatten()?;
        Some(Route { action, members })
    });
    fitting.min_by_key(|route| route.members.len())
}

fn fit(
    input: &'static Shape,
    places: &[&str],
    segments: &[&str],
) -> Option<Vec<(&'static str, String)>> {
    let mut members = Vec::new();
    for (place, segment) in places.iter().zip(segments) {
        let decoded = percent_decode(segment)?;
        let label = place
            .strip_prefix('{')
            .and_then(|label| label.strip_suffix('}'));
        match label {
            Some(label) => members.push((labelled(input, label)?, decoded)),
            None if *place == decoded => {}
            None => return None,
        }
    }
    Some(members)
}

/// The member that stands at a place of the path.
fn labelled(input: &'static Shape, label: &str) -> Option<&'static str> {
    let mut members = input.members.iter();
    let found = members.find(|(name, member)| {
        member.location == Some(Location::Uri) && wire_name(name, member) == label
    });
    found.map(|(name, _)| name.as_str())
}

fn wire_name<'a>(name: &'a str, member: &'a Member) -> &'a str {
    member.location_name.as_deref().unwrap_or(name)
}

/// Holds a call of EKS to its model.
pub(in crate::sim) fn check_rest(inbound: &Inbound) -> Result<(), AwsError> {
    let Some(route) = route(&inbound.method, &inbound.path) else {
        return Ok(());
    };
    let model: &ServiceModel = &EKS;
    let operation = model.operations.get(route.action);
    let Some(input) = operation.and_then(|operation| operation.input.as_deref()) else {
        return Ok(());
    };
    let Some(shape) = model.shape(input) else {
        return Ok(());
    };
    let mut members = in_body(model, shape, &inbound.body)?;
    for (name, value) in route.members {
        if !value.is_empty() {
            members.insert(name.to_owned(), Value::from(value));
        }
    }
    in_query(model, shape, &inbound.query, &mut members)?;
    let broken = check::check(model, input, &Value::Object(members));
    if broken.is_empty() {
        return Ok(());
    }
    let tags = matches!(
        route.action,
        "TagResource" | "UntagResource" | "ListTagsForResource"
    );
    let code = if tags {
        "BadRequestException"
    } else {
        "InvalidParameterException"
    };
    Err(words::of_eks(code, &broken))
}

/// Holds a call of CloudWatch Logs to its model; its members.
pub(in crate::sim) fn check_json(
    action: &str,
    body: &[u8],
) -> Result<Map<String, Value>, AwsError> {
    let model: &ServiceModel = &LOGS;
    let operation = model.operations.get(action);
    let input = operation.and_then(|operation| operation.input.as_deref());
    let Some((input, shape)) = input.and_then(|name| Some((name, model.shape(name)?))) else {
        return Ok(Map::new());
    };
    let members = in_body(model, shape, body)?;
    let broken = check::check(model, input, &Value::Object(members.clone()));
    if broken.is_empty() {
        return Ok(members);
    }
    Err(words::of_eks("InvalidParameterException", &broken))
}

/// The members of the body that are known, each of its type.
fn in_body(
    model: &ServiceModel,
    shape: &Shape,
    body: &[u8],
) -> Result<Map<String, Value>, AwsError> {
    let known = |(_, member): &(&String, &Member)| member.location.is_none();
    let mut expected = shape.members.iter().filter(known).peekable();
    if body.is_empty() || expected.peek().is_none() {
        return Ok(Map::new());
    }
    let mut given = match serde_json::from_slice(body) {
        Ok(Value::Object(given)) => given,
        Ok(_) => return Err(unserializable("Expected a structure")),
        Err(_) => return Err(unserializable("The body is not JSON")),
    };
    let mut members = Map::new();
    for (name, member) in expected {
        if let Some(value) = given.remove(wire_name(name, member)) {
            check_type(model, &member.shape, &value)?;
            members.insert(name.clone(), value);
        }
    }
    Ok(members)
}

fn in_query(
    model: &ServiceModel,
    shape: &Shape,
    query: &[(String, String)],
    members: &mut Map<String, Value>,
) -> Result<(), AwsError> {
    for (name, member) in &shape.members {
        if member.location != Some(Location::Querystring) {
            continue;
        }
        let wire = wire_name(name, member);
        let values: Vec<&str> = query
            .iter()
            .filter(|(key, _)| key == wire)
            .map(|(_, value)| value.as_str())
            .collect();
        let Some(first) = values.first() else {
            continue;
        };
        let value = match model.shape(&member.shape).map(|shape| shape.kind) {
            Some(Kind::List) => Value::from(values),
            Some(Kind::Integer | Kind::Long) => first
                .parse::<i64>()
                .map(Value::from)
                .map_err(|_| unserializable("STRING_VALUE can not be converted to an Integer"))?,
            Some(Kind::Boolean) => first
                .parse::<bool>()
                .map(Value::from)
                .map_err(|_| unserializable("STRING_VALUE can not be converted to a Boolean"))?,
            _ => Value::from(*first),
        };
        members.insert(name.clone(), value);
    }
    Ok(())
}

/// Whether every part of a value is of its type.
fn check_type(model: &ServiceModel, shape: &str, value: &Value) -> Result<(), AwsError> {
    let Some(shape) = model.shape(shape) else {
        return Ok(());
    };
    match (shape.kind, value) {
        (Kind::Other, _)
        | (_, Value::Null)
        | (Kind::String, Value::String(_))
        | (Kind::Boolean, Value::Bool(_)) => Ok(()),
        (Kind::Integer | Kind::Long, Value::Number(number)) if number.is_i64() => Ok(()),
        (Kind::Structure, Value::Object(members)) => {
            for (name, member) in &shape.members {
                if let Some(value) = members.get(wire_name(name, member)) {
                    check_type(model, &member.shape, value)?;
                }
            }
            Ok(())
        }
        (Kind::List, Value::Array(entries)) => {
            let entry = shape.member.as_ref().map_or("", |entry| &entry.shape);
            let mut entries = entries.iter();
            entries.try_for_each(|one| check_type(model, entry, one))
        }
        (Kind::Map, Value::Object(entries)) => {
            let of_value = shape.value.as_ref().map_or("", |value| &value.shape);
            let mut values = entries.values();
            values.try_for_each(|one| check_type(model, of_value, one))
        }
        (kind, value) => Err(unserializable(&mismatch(kind, value))),
    }
}

/// AWS's words for a value of another type.
fn mismatch(kind: Kind, value: &Value) -> String {
    let token = match value {
        Value::Object(_) => {
            return "Start of structure or map found where not expected.".to_owned();
        }
        Value::Array(_) => return "Start of list found where not expected".to_owned(),
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
    };
    match kind {
        Kind::Structure => "Expected null".to_owned(),
        Kind::List => "Expected list or null".to_owned(),
        Kind::Map => "Expected map or null".to_owned(),
        Kind::String => format!("{token} can not be converted to a String"),
        Kind::Boolean => format!("{token} can not be converted to a Boolean"),
        _ => format!("{token} can not be converted to an Integer"),
    }
}

fn unserializable(why: &str) -> AwsError {
    AwsError::new(400, "SerializationException", why)
}
