//! A template: read, checked as far as CloudFormation does before it creates anything, and its
//! resources put into the order of their references. JSON alone; no conditions, no transforms.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::kind::Kind;

/// The pseudo parameters.
const PSEUDO: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

const SECTIONS: [&str; 7] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Resources",
    "Outputs",
];

const OF_A_RESOURCE: [&str; 8] = [
    "Type",
    "Properties",
    "DependsOn",
    "Metadata",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "UpdatePolicy",
    "CreationPolicy",
];

const FUNCTIONS: [&str; 10] = [
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
];

#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Template {
    pub description: Option<String>,
    pub parameters: BTreeMap<String, Declared>,
    pub mappings: Value,
    pub resources: BTreeMap<String, Resource>,
    pub outputs: Vec<Output>,
}

/// A parameter as the template declares it.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Declared {
    pub kind: String,
    pub default: Option<String>,
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Resource {
    pub kind: &'static Kind,
    pub properties: Value,
    /// Those that it refers to or waits for.
    pub needs: BTreeSet<String>,
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Output {
    pub key: String,
    pub value: Value,
    pub description: Option<String>,
    pub export: Option<Value>,
}

/// Something that a template refers to, and the attribute of it if it asks for one.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    to: String,
    attribute: Option<String>,
}

impl Template {
    /// Reads a template; the error is CloudFormation's sentence.
    pub(in crate::sim) fn parse(text: &str) -> Result<Self, String> {
        if !text.trim_start().starts_with('{') {
            return Err(
                "Template format error: the simulator reads templates in JSON, not in YAML"
                    .to_owned(),
            );
        }
        let whole: Value = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("Template format error: JSON not well-formed. (line {line}, column {column})")
        })?;
        let whole = object(&whole, "the template")?;
        let unknown: Vec<&str> = unknown(whole, &SECTIONS);
        if !unknown.is_empty() {
            return Err(format!(
                "Invalid template property or properties [{}]",
                unknown.join(", ")
            ));
        }
        check_limits(whole)?;
        let mut template = Self {
            description: text_of(whole, "Description"),
            parameters: section(whole, "Parameters")?
                .iter()
                .map(|(name, value)| declared(name, value))
                .collect::<Result<_, _>>()?,
            mappings: whole.get("Mappings").cloned().unwrap_or_default(),
            resources: section(whole, "Resources")?
                .iter()
                .map(|(name, value)| resource(name, value))
                .collect::<Result<_, _>>()?,
            outputs: section(whole, "Outputs")?
                .iter()
                .map(|(key, value)| output(key, value))
                .collect::<Result<_, _>>()?,
        };
        if template.resources.is_empty() {
            return Err(
                "Template format error: At least one Resources member must be defined.".to_owned(),
            );
        }
        template.connect()?;
        template.check_order()?;
        Ok(template)
    }

    /// Whether it makes identities, and whether it gives some of them names of its own.
    pub(in crate::sim) fn capability(&self) -> Option<&'static str> {
        let mut needed = None;
        for resource in self.resources.values().filter(|one| one.kind.is_iam()) {
            let property = resource.kind.name_property();
            if property.is_some_and(|property| resource.properties.get(property).is_some()) {
                return Some("CAPABILITY_NAMED_IAM");
            }
            needed = Some("CAPABILITY_IAM");
        }
        needed
    }

    /// Checks every reference and notes what each resource needs.
    fn connect(&mut self) -> Result<(), String> {
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, resource) in &self.resources {
            let mut found = Vec::new();
            references(&resource.properties, &mut found)?;
            found.extend(resource.needs.iter().map(|to| Reference {
                to: to.clone(),
                attribute: None,
            }));
            let mine = needs.entry(name.clone()).or_default();
            for reference in found {
                if self.check(&reference, "Resources", name)? {
                    mine.insert(reference.to);
                }
            }
        }
        for output in &self.outputs {
            let mut found = Vec::new();
            references(&output.value, &mut found)?;
            references(output.export.as_ref().unwrap_or(&Value::Null), &mut found)?;
            for reference in found {
                self.check(&reference, "Outputs", &output.key)?;
            }
        }
        for (name, resource) in &mut self.resources {
            resource.needs = needs.remove(name).unwrap_or_default();
        }
        Ok(())
    }

    /// Whether the reference is one to a resource.
    fn check(&self, reference: &Reference, section: &str, at: &str) -> Result<bool, String> {
        let Reference { to, attribute } = reference;
        let Some(resource) = self.resources.get(to) else {
            if attribute.is_some() {
                return Err(format!(
                    "Template error: instance of Fn::GetAtt references undefined resource {to}"
                ));
            }
            if self.parameters.contains_key(to) || PSEUDO.contains(&to.as_str()) {
                return Ok(false);
            }
            return Err(format!(
                "Template format error: Unresolved resource dependencies [{to}] in the {section} block of the template"
            ));
        };
        if to == at && section == "Resources" {
            return Err(format!("Circular dependency between resources: [{to}]"));
        }
        match attribute {
            Some(attribute) if !resource.kind.attributes.contains(&attribute.as_str()) => {
                Err(format!(
                    "Template error: resource {to} does not support attribute type {attribute} in Fn::GetAtt"
                ))
            }
            _ => Ok(true),
        }
    }

    fn check_order(&self) -> Result<(), String> {
        let mut left: BTreeSet<&str> = self.resources.keys().map(String::as_str).collect();
        loop {
            let before = left.len();
            let free: Vec<&str> = left
                .iter()
                .copied()
                .filter(|name| {
                    let needs = self.resources.get(*name).map(|one| &one.needs);
                    needs.is_none_or(|needs| needs.iter().all(|to| !left.contains(to.as_str())))
                })
                .collect();
            left.retain(|name| !free.contains(name));
            if left.is_empty() {
                return Ok(());
            }
            if left.len() == before {
                let names: Vec<&str> = left.into_iter().collect();
                return Err(format!(
                    "Circular dependency between resources: [{}]",
                    names.join(", ")
                ));
            }
        }
    }
}

/// How many of each a template may have.
const LIMITS: [(&str, usize); 4] = [
    ("Mappings", 200),
    ("Outputs", 200),
    ("Parameters", 200),
    ("Resources", 500),
];
const MAX_DESCRIPTION: usize = 1024;

fn check_limits(whole: &Map<String, Value>) -> Result<(), String> {
    let version = whole.get("AWSTemplateFormatVersion");
    if version.is_some_and(|version| version != "2010-09-09") {
        return Err(
            "Template format error: unsupported value for AWSTemplateFormatVersion.".to_owned(),
        );
    }
    let described = whole.get("Description");
    if described.is_some_and(|text| {
        text.as_str()
            .is_none_or(|text| text.len() > MAX_DESCRIPTION)
    }) {
        return Err(format!(
            "Template format error: 'Description' length is greater than {MAX_DESCRIPTION}."
        ));
    }
    for (section, limit) in LIMITS {
        let count = whole
            .get(section)
            .and_then(Value::as_object)
            .map_or(0, Map::len);
        if count > limit {
            return Err(format!(
                "Template format error: Number of {section}, {count}, is greater than maximum \
                 allowed, {limit}"
            ));
        }
    }
    Ok(())
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("Template format error: {what} must be an object"))
}

fn section(whole: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, String> {
    whole
        .get(name)
        .map_or_else(|| Ok(Map::new()), |value| object(value, name).cloned())
}

fn unknown<'a>(object: &'a Map<String, Value>, known: &[&str]) -> Vec<&'a str> {
    object
        .keys()
        .map(String::as_str)
        .filter(|key| !known.contains(key))
        .collect()
}

fn text_of(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn declared(name: &str, value: &Value) -> Result<(String, Declared), String> {
    let value = object(value, &format!("Parameters.{name}"))?;
    let kind = text_of(value, "Type").ok_or_else(|| {
        format!("Template format error: Every Parameters object must contain a Type member: {name}")
    })?;
    let default = value.get("Default").map(|default| match default {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    Ok((name.to_owned(), Declared { kind, default }))
}

fn resource(name: &str, value: &Value) -> Result<(String, Resource), String> {
    let value = object(value, &format!("Resources.{name}"))?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(format!(
            "Template format error: Resource name {name} is non alphanumeric."
        ));
    }
    if let Some(unknown) = unknown(value, &OF_A_RESOURCE).first() {
        return Err(format!("Invalid template resource property '{unknown}'"));
    }
    let kind = text_of(value, "Type").ok_or_else(|| {
        format!(
            "Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        )
    })?;
    let kind = Kind::find(&kind)
        .ok_or_else(|| format!("Template format error: Unrecognized resource types: [{kind}]"))?;
    let needs = match value.get("DependsOn") {
        None => BTreeSet::new(),
        Some(Value::String(one)) => BTreeSet::from([one.clone()]),
        Some(Value::Array(several)) => several
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(_) => {
            return Err(format!(
                "Template format error: DependsOn of {name} must be a text or a list of texts"
            ));
        }
    };
    let properties = value.get("Properties").cloned().unwrap_or_default();
    let resource = Resource {
        kind,
        properties,
        needs,
    };
    Ok((name.to_owned(), resource))
}

fn output(key: &str, value: &Value) -> Result<Output, String> {
    let object = object(value, &format!("Outputs.{key}"))?;
    let value = object.get("Value").cloned().ok_or_else(|| {
        format!(
            "Template format error: Output {key} is malformed. The Value field of every Outputs member must be specified"
        )
    })?;
    Ok(Output {
        key: key.to_owned(),
        value,
        description: text_of(object, "Description"),
        export: object
            .get("Export")
            .and_then(|export| export.get("Name"))
            .cloned(),
    })
}

/// A function and its argument, when the value is a call of one.
pub(super) fn call(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let (name, argument) = object.iter().next()?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

/// The parts of `Fn::GetAtt`'s argument: `["A", "B"]` or `"A.B"`.
pub(super) fn attribute(argument: &Value) -> Result<(String, String), String> {
    let parts = match argument {
        Value::String(text) => text.split_once('.').map(|(to, of)| (to.into(), of.into())),
        Value::Array(items) => match items.as_slice() {
            [Value::String(to), Value::String(of)] => Some((to.clone(), of.clone())),
            _ => None,
        },
        _ => None,
    };
    parts.ok_or_else(|| {
        "Template error: every Fn::GetAtt object requires two non-empty parameters, \
         the resource name and the resource attribute"
            .to_owned()
    })
}

/// A text with variables, and those that are its own.
type Substitution<'a> = (&'a str, Option<&'a Map<String, Value>>);

/// The parts of `Fn::Sub`'s argument.
pub(super) fn substitution(argument: &Value) -> Result<Substitution<'_>, String> {
    let parts = match argument {
        Value::String(text) => Some((text.as_str(), None)),
        Value::Array(items) => match items.as_slice() {
            [Value::String(text), Value::Object(own)] => Some((text.as_str(), Some(own))),
            _ => None,
        },
        _ => None,
    };
    parts.ok_or_else(|| {
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. \
         Specify a string as first argument, and an optional second argument to specify a mapping of \
         values to replace in the string"
            .to_owned()
    })
}

/// A piece of `Fn::Sub`'s text.
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// What stands in `${}`.
    Variable(&'a str),
    /// What stands in `${!}`.
    Literal(&'a str),
}

pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, behind)) = after.split_once('}') else {
            break;
        };
        pieces.push(Piece::Text(before));
        pieces.push(match inside.strip_prefix('!') {
            Some(literal) => Piece::Literal(literal),
            None => Piece::Variable(inside.trim()),
        });
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Collects everything that a value refers to.
fn references(value: &Value, found: &mut Vec<Reference>) -> Result<(), String> {
    match (value, call(value)) {
        (_, Some(("Ref", Value::String(to)))) => found.push(Reference {
            to: to.clone(),
            attribute: None,
        }),
        (_, Some(("Fn::GetAtt", argument))) => {
            let (to, of) = attribute(argument)?;
            found.push(Reference {
                to,
                attribute: Some(of),
            });
        }
        (_, Some(("Fn::Sub", argument))) => {
            let (text, own) = substitution(argument)?;
            for piece in pieces(text) {
                let Piece::Variable(name) = piece else {
                    continue;
                };
                if own.is_some_and(|own| own.contains_key(name)) {
                    continue;
                }
                let (to, of) = name
                    .split_once('.')
                    .map_or((name, None), |(to, of)| (to, Some(of)));
                found.push(Reference {
                    to: to.to_owned(),
                    attribute: of.map(str::to_owned),
                });
            }
            for value in own.into_iter().flat_map(Map::values) {
                references(value, found)?;
            }
        }
        (_, Some((name, _))) if name != "Ref" && !FUNCTIONS.contains(&name) => {
            return Err(format!(
                "Template format error: the simulator does not evaluate {name}"
            ));
        }
        (Value::Array(items), _) => {
            for item in items {
                references(item, found)?;
            }
        }
        (Value::Object(members), _) => {
            for member in members.values() {
                references(member, found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
