//! Intrinsic functions: what a value of a template comes to once the resources it needs are there.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::template::{Piece, attribute, call, pieces, substitution};
use crate::sim::arn::partition;

/// What values are worked out from.
pub(in crate::sim) struct Scope<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub stack_name: &'a str,
    pub stack_id: &'a str,
    pub mappings: &'a Value,
    /// Parameters by name.
    pub parameters: BTreeMap<&'a str, &'a str>,
    /// Physical id and attributes of each resource that is there.
    pub resources: BTreeMap<&'a str, (&'a str, &'a BTreeMap<String, String>)>,
    /// The names of the region's zones.
    pub zones: Vec<String>,
    /// What other stacks export.
    pub exports: BTreeMap<String, String>,
    /// Which of these were used.
    pub imported: RefCell<BTreeSet<String>>,
}

impl Scope<'_> {
    /// The value without functions. Members that come to `AWS::NoValue` are left out.
    pub(in crate::sim) fn value(&self, value: &Value) -> Result<Value, String> {
        if let Some((name, argument)) = call(value) {
            return self.call(name, argument);
        }
        Ok(match value {
            Value::Array(items) => items
                .iter()
                .map(|item| self.value(item))
                .filter(|item| !matches!(item, Ok(Value::Null)))
                .collect::<Result<_, _>>()?,
            Value::Object(members) => {
                let mut kept = Map::new();
                for (key, member) in members {
                    let member = self.value(member)?;
                    if !member.is_null() {
                        kept.insert(key.clone(), member);
                    }
                }
                Value::Object(kept)
            }
            Value::String(text) => Value::String(resolved(text)?),
            other => other.clone(),
        })
    }

    /// The value as a text.
    pub(in crate::sim) fn text(&self, value: &Value) -> Result<String, String> {
        match self.value(value)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            other => Err(format!("Template error: {other} is no text")),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Value, String> {
        Ok(match name {
            "Ref" => return self.reference(argument.as_str().unwrap_or_default()),
            "Fn::GetAtt" => {
                let (to, of) = attribute(argument)?;
                Value::String(self.attribute(&to, &of)?)
            }
            "Fn::Sub" => Value::String(self.substitute(argument)?),
            "Fn::Join" => {
                let [delimiter, list] = arguments(name, argument)?;
                let delimiter = self.text(delimiter)?;
                Value::String(self.texts(list)?.join(&delimiter))
            }
            "Fn::Split" => {
                let [delimiter, text] = arguments(name, argument)?;
                let (delimiter, text) = (self.text(delimiter)?, self.text(text)?);
                text.split(delimiter.as_str()).map(Value::from).collect()
            }
            "Fn::Select" => {
                let [index, list] = arguments(name, argument)?;
                let index: usize = self.text(index)?.parse().unwrap_or(usize::MAX);
                let picked = self.texts(list)?.into_iter().nth(index);
                Value::String(picked.ok_or_else(|| {
                    "Template error: Fn::Select cannot select nonexistent value at that index"
                        .to_owned()
                })?)
            }
            "Fn::ImportValue" => Value::String(self.import(&self.text(argument)?)?),
            "Fn::FindInMap" => {
                let [map, first, second] = arguments(name, argument)?;
                let (map, first, second) = (self.text(map)?, self.text(first)?, self.text(second)?);
                let found = self
                    .mappings
                    .get(&map)
                    .and_then(|map| map.get(&first)?.get(&second));
                found.cloned().ok_or_else(|| {
                    format!("Template error: Unable to get mapping for {map}::{first}::{second}")
                })?
            }
            "Fn::Cidr" => {
                let [block, count, bits] = arguments(name, argument)?;
                let (block, count) = (self.text(block)?, self.text(count)?);
                networks(&block, &count, &self.text(bits)?)?
            }
            "Fn::GetAZs" => self
                .zones
                .iter()
                .map(|zone| Value::from(zone.as_str()))
                .collect(),
            // Nobody looks into it: user data alone is written so.
            "Fn::Base64" => Value::String(self.text(argument)?),
            other => return Err(format!("Template error: unknown function {other}")),
        })
    }

    fn reference(&self, to: &str) -> Result<Value, String> {
        let text = match to {
            "AWS::NoValue" => return Ok(Value::Null),
            "AWS::NotificationARNs" => return Ok(Value::Array(Vec::new())),
            "AWS::AccountId" => self.account,
            "AWS::Partition" => partition(self.region),
            "AWS::Region" => self.region,
            "AWS::StackId" => self.stack_id,
            "AWS::StackName" => self.stack_name,
            "AWS::URLSuffix" if self.region.starts_with("cn-") => "amazonaws.com.cn",
            "AWS::URLSuffix" => "amazonaws.com",
            _ => match (self.parameters.get(to), self.resources.get(to)) {
                (Some(value), _) => value,
                (_, Some((id, _))) => id,
                _ => return Err(format!("Unresolved resource dependency {to}")),
            },
        };
        Ok(Value::from(text))
    }

    fn attribute(&self, to: &str, of: &str) -> Result<String, String> {
        let found = self
            .resources
            .get(to)
            .and_then(|(_, attributes)| attributes.get(of));
        found
            .cloned()
            .ok_or_else(|| format!("Attribute: {of} was not found for resource: {to}"))
    }

    fn substitute(&self, argument: &Value) -> Result<String, String> {
        let (text, own) = substitution(argument)?;
        let mut whole = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Literal(name) => whole.extend(["${", name, "}"]),
                Piece::Variable(name) => {
                    let value = match (own.and_then(|own| own.get(name)), name.split_once('.')) {
                        (Some(value), _) => self.text(value)?,
                        (None, Some((to, of))) => self.attribute(to, of)?,
                        (None, None) => self.text(&self.reference(name)?)?,
                    };
                    whole.push_str(&value);
                }
            }
        }
        resolved(&whole)
    }

    fn import(&self, name: &str) -> Result<String, String> {
        let value = self
            .exports
            .get(name)
            .ok_or_else(|| format!("No export named {name} found."))?;
        self.imported.borrow_mut().insert(name.to_owned());
        Ok(value.clone())
    }

    fn texts(&self, list: &Value) -> Result<Vec<String>, String> {
        match self.value(list)? {
            Value::Array(items) => items.iter().map(|item| self.text(item)).collect(),
            Value::String(text) => Ok(text.split(',').map(str::to_owned).collect()),
            _ => Err("Template error: a list is needed here".to_owned()),
        }
    }
}

/// The first networks of a block that leave so many bits to hosts.
fn networks(block: &str, count: &str, bits: &str) -> Result<Value, String> {
    let wrong =
        || format!("Template error: Fn::Cidr cannot cut {block} into {count} of {bits} bits");
    let net: IpNet = block.parse().map_err(|_| wrong())?;
    let count: usize = count.parse().map_err(|_| wrong())?;
    let bits: u8 = bits.parse().map_err(|_| wrong())?;
    let prefix = net.max_prefix_len().checked_sub(bits).ok_or_else(wrong)?;
    let all = net.subnets(prefix).map_err(|_| wrong())?;
    let cut: Vec<Value> = all.take(count).map(|one| one.to_string().into()).collect();
    if cut.len() == count {
        Ok(cut.into())
    } else {
        Err(wrong())
    }
}

/// The arguments of a function that takes so many.
fn arguments<'a, const N: usize>(
    name: &str,
    argument: &'a Value,
) -> Result<[&'a Value; N], String> {
    let items: Vec<&Value> = argument.as_array().into_iter().flatten().collect();
    items
        .try_into()
        .map_err(|_| format!("Template error: every {name} object requires {N} parameters"))
}

/// Resolves `{{resolve:ssm:…}}`.
fn resolved(text: &str) -> Result<String, String> {
    let Some((before, rest)) = text.split_once("{{resolve:ssm:") else {
        return Ok(text.to_owned());
    };
    let Some((name, behind)) = rest.split_once("}}") else {
        return Ok(text.to_owned());
    };
    Ok(format!("{before}{}{}", image(name)?, resolved(behind)?))
}

/// The image in a public parameter of AWS's.
pub(in crate::sim) fn image(parameter: &str) -> Result<String, String> {
    use sha2::Digest as _;
    if !parameter.starts_with("/aws/service/") {
        return Err(format!(
            "Unable to fetch parameters [{parameter}] from parameter store for this account."
        ));
    }
    let digest = sha2::Sha256::digest(parameter.as_bytes());
    let number = digest.first_chunk().copied().map_or(0, u64::from_be_bytes);
    Ok(format!("ami-0{number:016x}"))
}

#[cfg(test)]
#[path = "eval_tests.rs"]
mod tests;
