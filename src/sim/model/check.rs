//! Values held to their shapes. Everything that is wrong is found at once, as AWS tells it at once.

use serde_json::Value;

use super::shape::{Kind, Member, ServiceModel, Shape};

/// Something that a request does not satisfy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// The member, with the numbers of list entries from 1: `tags.1.member.key`.
    pub path: String,
    /// What stands there; none when nothing does.
    pub value: Option<String>,
    /// AWS's sentence.
    pub rule: String,
    pub kind: Rule,
}

/// What sort of constraint it is, for services that have words of their own for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Required,
    AtLeast(i64),
    AtMost(i64),
    Other,
}

/// What a request of this shape breaks.
pub(super) fn check(model: &ServiceModel, shape: &str, members: &Value) -> Vec<Broken> {
    let mut check = Check {
        model,
        broken: Vec::new(),
    };
    check.value("", shape, members);
    check.broken
}

struct Check<'a> {
    model: &'a ServiceModel,
    broken: Vec<Broken>,
}

impl Check<'_> {
    fn value(&mut self, path: &str, shape: &str, value: &Value) {
        let Some(shape) = self.model.shape(shape) else {
            return;
        };
        for (rule, kind) in own_rules(shape, value) {
            self.broken.push(Broken {
                path: path.to_owned(),
                value: Some(shown(value)),
                rule,
                kind,
            });
        }
        match shape.kind {
            Kind::Structure => self.structure(path, shape, value),
            Kind::List => self.list(path, shape, value),
            Kind::Map => self.map(path, shape, value),
            _ => {}
        }
    }

    fn structure(&mut self, path: &str, shape: &Shape, value: &Value) {
        let at = |member: &str| {
            if path.is_empty() {
                member.to_owned()
            } else {
                format!("{path}.{member}")
            }
        };
        let there = |member: &str| value.get(member).filter(|value| !value.is_null());
        for member in &shape.required {
            if there(member).is_none() {
                self.broken.push(Broken {
                    path: at(member),
                    value: None,
                    rule: "Member must not be null".to_owned(),
                    kind: Rule::Required,
                });
            }
        }
        for (name, member) in &shape.members {
            if let Some(value) = there(name) {
                self.value(&at(name), &member.shape, value);
            }
        }
    }

    fn list(&mut self, path: &str, shape: &Shape, value: &Value) {
        let (Some(entry), Some(entries)) = (&shape.member, value.as_array()) else {
            return;
        };
        let texts = entries.iter();
        if self.of_scalars(path, "Member", entry, value, texts) {
            return;
        }
        for (number, one) in entries.iter().enumerate() {
            let at = format!("{path}.{}.member", number + 1);
            self.value(&at, &entry.shape, one);
        }
    }

    fn map(&mut self, path: &str, shape: &Shape, value: &Value) {
        let (Some(key), Some(of_value), Some(entries)) =
            (&shape.key, &shape.value, value.as_object())
        else {
            return;
        };
        let keys: Vec<Value> = entries
            .keys()
            .map(|key| Value::from(key.as_str()))
            .collect();
        self.of_scalars(path, "Map keys", key, value, keys.iter());
        if self.of_scalars(path, "Map value", of_value, value, entries.values()) {
            return;
        }
        for (key, one) in entries {
            self.value(&format!("{path}.{key}.member"), &of_value.shape, one);
        }
    }

    /// What texts and numbers in a list or map break is told of the whole. Whether they are such.
    fn of_scalars<'a>(
        &mut self,
        path: &str,
        which: &str,
        member: &Member,
        whole: &Value,
        values: impl Iterator<Item = &'a Value>,
    ) -> bool {
        let Some(shape) = self.model.shape(&member.shape) else {
            return true;
        };
        if matches!(shape.kind, Kind::Structure | Kind::List | Kind::Map) {
            return false;
        }
        let mut rules: Vec<String> = values
            .flat_map(|value| own_rules(shape, value))
            .map(|(rule, _)| rule)
            .collect();
        rules.sort_unstable();
        rules.dedup();
        if !rules.is_empty() {
            self.broken.push(Broken {
                path: path.to_owned(),
                value: Some(shown(whole)),
                rule: format!("{which} must satisfy constraint: [{}]", rules.join(", ")),
                kind: Rule::Other,
            });
        }
        true
    }
}

/// What a value itself breaks, its parts aside.
fn own_rules(shape: &Shape, value: &Value) -> Vec<(String, Rule)> {
    let mut rules = Vec::new();
    let (measure, what) = match (value, shape.kind) {
        (Value::String(text), _) => (length(text.chars().count()), "length"),
        (Value::Array(entries), _) => (length(entries.len()), "length"),
        (Value::Object(entries), Kind::Map) => (length(entries.len()), "length"),
        (Value::Number(number), _) => (number.as_i64().unwrap_or(i64::MAX), "value"),
        _ => return rules,
    };
    if let Some(min) = shape.min.filter(|min| measure < *min) {
        let rule = format!("Member must have {what} greater than or equal to {min}");
        rules.push((rule, Rule::AtLeast(min)));
    }
    if let Some(max) = shape.max.filter(|max| measure > *max) {
        let rule = format!("Member must have {what} less than or equal to {max}");
        rules.push((rule, Rule::AtMost(max)));
    }
    let Value::String(text) = value else {
        return rules;
    };
    if let Some(pattern) = shape.pattern.as_ref().filter(|one| !one.matches(text)) {
        let text = &pattern.text;
        let rule = format!("Member must satisfy regular expression pattern: {text}");
        rules.push((rule, Rule::Other));
    }
    if !shape.values.is_empty() && !shape.values.contains(text) {
        let values = shape.values.join(", ");
        let rule = format!("Member must satisfy enum value set: [{values}]");
        rules.push((rule, Rule::Other));
    }
    rules
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// A value as AWS's sentences show it, cut where it is long.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 100;
    let whole = match value {
        Value::String(text) => text.clone(),
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(shown).collect();
            format!("[{}]", entries.join(", "))
        }
        Value::Object(entries) => {
            let pairs = entries
                .iter()
                .map(|(key, value)| format!("{key}={}", shown(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    };
    whole.chars().take(LONGEST).collect()
}
