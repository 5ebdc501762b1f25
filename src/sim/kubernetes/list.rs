//! Lists: which objects, by labels and fields, and page by page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::request::Resource;
use super::status::Status;

/// One demand of a selector.
enum Demand {
    Is(String, String),
    IsNot(String, String),
    There(String),
    Missing(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

/// What a list is asked for.
pub(super) struct Selection {
    labels: Vec<Demand>,
    fields: Vec<Demand>,
    limit: Option<usize>,
    after: Option<String>,
}

impl Selection {
    pub(super) fn parse(query: &[(String, String)]) -> Result<Self, Status> {
        let value = |name: &str| {
            let found = query.iter().find(|(key, _)| key == name);
            found
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())
        };
        let limit = value("limit").map(|text| {
            let why = || Status::bad_request(format!("limit: invalid value {text:?}"));
            text.parse().map_err(|_| why())
        });
        let after = value("continue").map(|token| {
            let key = URL_SAFE_NO_PAD.decode(token).ok();
            let key = key.and_then(|key| String::from_utf8(key).ok());
            key.ok_or_else(|| Status::bad_request("continue key is not valid"))
        });
        Ok(Self {
            labels: demands(value("labelSelector").unwrap_or_default())?,
            fields: demands(value("fieldSelector").unwrap_or_default())?,
            limit: limit.transpose()?.filter(|limit| *limit > 0),
            after: after.transpose()?,
        })
    }

    /// The objects, which are in order, as a list.
    pub(super) fn list(
        &self,
        resource: &Resource,
        objects: Vec<Value>,
        version: u64,
    ) -> Result<Value, Status> {
        for demand in &self.fields {
            let field = demand.key();
            if !known_field(resource, field) {
                return Err(Status::bad_request(format!(
                    "field label not supported: {field}"
                )));
            }
        }
        let mut chosen: Vec<Value> = objects.into_iter().filter(|one| self.takes(one)).collect();
        if let Some(after) = &self.after {
            chosen.retain(|one| key(one) > *after);
        }
        let mut metadata = json!({ "resourceVersion": version.to_string() });
        if let Some(limit) = self.limit.filter(|limit| *limit < chosen.len()) {
            metadata["remainingItemCount"] = json!(chosen.len() - limit);
            chosen.truncate(limit);
            let last = chosen.last().map(key).unwrap_or_default();
            metadata["continue"] = json!(URL_SAFE_NO_PAD.encode(last));
        }
        Ok(json!({
            "kind": format!("{}List", resource.kind),
            "apiVersion": resource.api_version(),
            "metadata": metadata,
            "items": chosen,
        }))
    }

    fn takes(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        let by_label = |demand: &Demand| demand.holds(|key| labels[key].as_str());
        let by_field = |demand: &Demand| {
            demand.holds(|key| {
                let pointer = format!("/{}", key.replace('.', "/"));
                object
                    .pointer(&pointer)
                    .and_then(Value::as_str)
                    .or(Some(""))
            })
        };
        self.labels.iter().all(by_label) && self.fields.iter().all(by_field)
    }
}

/// What lists are ordered by.
pub(super) fn key(object: &Value) -> String {
    let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    format!("{}/{}", part("namespace"), part("name"))
}

fn known_field(resource: &Resource, field: &str) -> bool {
    match field {
        "metadata.name" | "metadata.namespace" => true,
        "spec.nodeName" | "status.phase" | "spec.schedulerName" | "status.podIP" => {
            resource.plural == "pods"
        }
        "reason" | "type" | "involvedObject.name" | "involvedObject.kind" => {
            resource.plural == "events"
        }
        "spec.type" => resource.plural == "services",
        _ => false,
    }
}

impl Demand {
    fn key(&self) -> &str {
        match self {
            Self::Is(key, _)
            | Self::IsNot(key, _)
            | Self::There(key)
            | Self::Missing(key)
            | Self::In(key, _)
            | Self::NotIn(key, _) => key,
        }
    }

    fn holds<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        let found = value(self.key());
        match self {
            Self::Is(_, wanted) => found == Some(wanted.as_str()),
            Self::IsNot(_, other) => found != Some(other.as_str()),
            Self::There(_) => found.is_some(),
            Self::Missing(_) => found.is_none(),
            Self::In(_, any) => found.is_some_and(|found| any.iter().any(|one| one == found)),
            Self::NotIn(_, any) => !found.is_some_and(|found| any.iter().any(|one| one == found)),
        }
    }
}

/// Commas within brackets belong to their demand.
fn demands(text: &str) -> Result<Vec<Demand>, Status> {
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    let parts = parts.iter().map(|part| part.trim());
    parts.filter(|part| !part.is_empty()).map(demand).collect()
}

fn demand(part: &str) -> Result<Demand, Status> {
    let pair = |key: &str, value: &str| (key.trim().to_owned(), value.trim().to_owned());
    let set = |text: &str| text.split(',').map(|one| one.trim().to_owned()).collect();
    if let Some((head, rest)) = part.split_once('(') {
        let values = rest.strip_suffix(')').map(set);
        let mut words = head.split_whitespace();
        return match (words.next(), words.next(), values) {
            (Some(key), Some("in"), Some(values)) => Ok(Demand::In(key.to_owned(), values)),
            (Some(key), Some("notin"), Some(values)) => Ok(Demand::NotIn(key.to_owned(), values)),
            _ => Err(unparsable(part)),
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        let (key, value) = pair(key, value);
        return Ok(Demand::IsNot(key, value));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        let (key, value) = pair(key, value);
        return Ok(Demand::Is(key, value));
    }
    if part.contains(char::is_whitespace) {
        return Err(unparsable(part));
    }
    Ok(part.strip_prefix('!').map_or_else(
        || Demand::There(part.to_owned()),
        |key| Demand::Missing(key.to_owned()),
    ))
}

fn unparsable(part: &str) -> Status {
    Status::bad_request(format!("unable to parse requirement: {part}"))
}

#[cfg(test)]
mod tests {
    use super::super::request::PODS;
    use super::*;

    fn pod(name: &str, app: &str, phase: &str) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "x", "labels": {"app": app}},
            "status": {"phase": phase},
        })
    }

    fn listed(query: &[(&str, &str)]) -> Result<Value, Status> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let query: Vec<(String, String)> = query.iter().map(owned).collect();
        let pods = vec![
            pod("a", "web", "Running"),
            pod("b", "db", "Pending"),
            pod("c", "web", "Pending"),
        ];
        Selection::parse(&query)?.list(&PODS, pods, 7)
    }

    fn names(query: &[(&str, &str)]) -> String {
        let list = listed(query).unwrap();
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .filter_map(|one| one["metadata"]["name"].as_str())
            .collect()
    }

    #[test]
    fn labels_and_fields_select() {
        for (labels, fields, expected) in [
            ("", "", "abc"),
            ("app=web", "", "ac"),
            ("app==web", "status.phase!=Running", "c"),
            ("app!=web", "", "b"),
            ("app in (web, db)", "metadata.name=b", "b"),
            ("app notin (web)", "", "b"),
            ("app,!tier", "", "abc"),
            ("tier", "", ""),
            ("app=web,app in (web)", "", "ac"),
        ] {
            let query = [("labelSelector", labels), ("fieldSelector", fields)];
            assert_eq!(names(&query), expected, "{labels} {fields}");
        }
        for bad in [
            ("labelSelector", "app within (x)"),
            ("fieldSelector", "spec.color=x"),
            ("limit", "x"),
            ("continue", "?"),
        ] {
            assert_eq!(listed(&[bad]).unwrap_err().code, 400, "{bad:?}");
        }
    }

    #[test]
    fn pages_follow_each_other() {
        let first = listed(&[("limit", "2")]).unwrap();
        assert_eq!(first["metadata"]["remainingItemCount"], 1);
        let next = first["metadata"]["continue"].as_str().unwrap();
        assert_eq!(names(&[("limit", "2"), ("continue", next)]), "c");
        let last = listed(&[("limit", "2"), ("continue", next)]).unwrap();
        assert!(last["metadata"]["continue"].is_null());
    }
}
