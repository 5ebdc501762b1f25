//! The members of a request out of the fields of a form: `Tags.member.1.Key`, in EC2 `Filter.1.Value.1`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::error::AwsError;
use super::super::query::{Form, Service};
use super::shape::{Kind, Member, ServiceModel, Shape};
use super::words;

/// Fields that every call may have besides its members.
const OF_EVERY_CALL: [&str; 2] = ["Action", "Version"];
const OF_SIGNATURES: &str = "X-Amz-";

/// Reads the members by their shapes. A field that can't be read is refused before any constraint is
/// looked at; EC2 alone refuses fields that it doesn't know.
pub(super) fn members(
    service: Service,
    model: &ServiceModel,
    input: &str,
    form: &Form,
) -> Result<Value, AwsError> {
    let reader = Reader {
        service,
        model,
        fields: &form.0,
    };
    let Some(shape) = model.shape(input) else {
        return Ok(Value::Null);
    };
    if service == Service::Ec2 {
        reader.refuse_unknown(shape)?;
    }
    reader.structure("", shape)
}

struct Reader<'a> {
    service: Service,
    model: &'a ServiceModel,
    fields: &'a [(String, String)],
}

impl Reader<'_> {
    fn refuse_unknown(&self, shape: &Shape) -> Result<(), AwsError> {
        let members = shape.members.iter();
        let known: Vec<String> = members
            .map(|(name, member)| self.wire_name(name, member))
            .collect();
        let unknown = self.fields.iter().map(|(field, _)| field).find(|field| {
            let first = field.split('.').next().unwrap_or_default();
            !OF_EVERY_CALL.contains(&first)
                && !first.starts_with(OF_SIGNATURES)
                && !known.iter().any(|name| name == first)
        });
        unknown.map_or(Ok(()), |field| {
            let why = format!("The parameter {field} is not recognized");
            Err(AwsError::new(400, "UnknownParameter", why))
        })
    }

    /// What a member is called in a request.
    fn wire_name(&self, name: &str, member: &Member) -> String {
        let named = member.location_name.as_deref().unwrap_or(name);
        if self.service != Service::Ec2 {
            return named.to_owned();
        }
        if let Some(name) = &member.query_name {
            return name.clone();
        }
        let mut letters = named.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect()
    }

    fn structure(&self, at: &str, shape: &Shape) -> Result<Value, AwsError> {
        let mut read = Map::new();
        for (name, member) in &shape.members {
            let wire = self.wire_name(name, member);
            let at = if at.is_empty() {
                wire
            } else {
                format!("{at}.{wire}")
            };
            if let Some(value) = self.value(&at, member)? {
                read.insert(name.clone(), value);
            }
        }
        Ok(Value::Object(read))
    }

    /// What stands at a name, if anything does.
    fn value(&self, at: &str, member: &Member) -> Result<Option<Value>, AwsError> {
        let Some(shape) = self.model.shape(&member.shape) else {
            return Ok(None);
        };
        let own = self.fields.iter().find(|(field, _)| field == at);
        let own = own.map(|(_, text)| text.as_str());
        let below = self.has_below(at);
        match shape.kind {
            Kind::Structure | Kind::Map => match own {
                Some(text) if !text.is_empty() => Err(words::unreadable(self.service, at, text)),
                _ if below || own.is_some() => self.structure(at, shape).map(Some),
                _ => Ok(None),
            },
            Kind::List => match own {
                Some(text) if !text.is_empty() => Err(words::unreadable(self.service, at, text)),
                _ if below || own.is_some() => self.list(at, member, shape).map(Some),
                _ => Ok(None),
            },
            _ if below => Err(words::nested(self.service, at)),
            kind => own.map(|text| self.scalar(at, kind, text)).transpose(),
        }
    }

    fn list(&self, at: &str, member: &Member, shape: &Shape) -> Result<Value, AwsError> {
        let Some(entry) = &shape.member else {
            return Ok(Value::Null);
        };
        let flat = self.service == Service::Ec2 || shape.flattened || member.flattened;
        let base = if flat {
            at.to_owned()
        } else {
            format!(
                "{at}.{}",
                entry.location_name.as_deref().unwrap_or("member")
            )
        };
        let mut entries: BTreeMap<u32, Value> = BTreeMap::new();
        for (field, text) in self.fields {
            let Some(rest) = below(field, at) else {
                continue;
            };
            let numbered = below(field, &base).map(|rest| rest.split('.').next());
            let number = numbered.flatten().and_then(|number| number.parse().ok());
            let number: u32 = number
                .ok_or_else(|| words::unreadable(self.service, at, &format!("{rest}={text}")))?;
            if !entries.contains_key(&number)
                && let Some(value) = self.value(&format!("{base}.{number}"), entry)?
            {
                entries.insert(number, value);
            }
        }
        Ok(entries.into_values().collect())
    }

    fn scalar(&self, at: &str, kind: Kind, text: &str) -> Result<Value, AwsError> {
        let unreadable = || words::unreadable(self.service, at, text);
        match kind {
            Kind::Integer | Kind::Long => {
                let number: i64 = text.parse().map_err(|_| unreadable())?;
                Ok(Value::from(number))
            }
            Kind::Boolean => match text {
                "true" => Ok(Value::from(true)),
                "false" => Ok(Value::from(false)),
                _ => Err(unreadable()),
            },
            _ => Ok(Value::from(text)),
        }
    }

    fn has_below(&self, at: &str) -> bool {
        self.fields
            .iter()
            .any(|(field, _)| below(field, at).is_some())
    }
}

/// What follows a name and its point in a field.
fn below<'a>(field: &'a str, at: &str) -> Option<&'a str> {
    field.strip_prefix(at)?.strip_prefix('.')
}
