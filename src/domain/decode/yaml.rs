//! One YAML document, as eksctl's reader takes it, from the events of the parser to a tree.
//!
//! What comes out is bounded by what is read: aliases and merges count for what they stand for, and
//! nothing here calls itself. A document that can't be read costs no more than one that can.
//!
//! eksctl reads the first of several documents and never looks at the rest; here a second one that
//! holds something is an error, since nobody would know what became of it.

use super::scalar::{self, Scalar};
use super::typed::{self, Texts};
use super::yaml_words;
use crate::domain::invalid::{Invalid, pointer_token, quoted};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// The most values, with those that aliases stand for.
const MAX_NODES: usize = 25_000;
const MAX_DEPTH: usize = 32;
const MAX_ALIASES: usize = 500;
const MAX_ANCHORS: usize = 100;
/// Namespace of YAML's own tags.
const CORE: &str = "tag:yaml.org,2002:";

/// A document that was read.
pub struct YamlDocument<'t> {
    text: &'t str,
    /// Numbers that are written otherwise than they would be as texts, by their pointers.
    odd: BTreeMap<String, String>,
}

/// Reads one document: what is needed to go on with it, and its tree.
pub fn document(text: &str) -> Result<(YamlDocument<'_>, Value), Vec<Invalid>> {
    super::check_size(text.len())?;
    let mut composer = Composer::default();
    let tree = composer.compose(text).map_err(|wrong| vec![wrong])?;
    let odd = composer.odd;
    Ok((YamlDocument { text, odd }, tree))
}

impl YamlDocument<'_> {
    /// Turns the tree, of which parts may have been taken out, into a type. Numbers and flags are
    /// texts where texts are wanted.
    pub fn typed<T: DeserializeOwned>(&self, tree: Value) -> Result<T, Vec<Invalid>> {
        super::check_texts(&tree)?;
        typed::read(tree, Texts::Lenient(&self.odd)).map_err(|wrong| vec![wrong])
    }

    /// The same errors, which say in which line and column. Reads the text once more.
    #[must_use]
    pub fn placed(&self, mut wrong: Vec<Invalid>) -> Vec<Invalid> {
        let mut composer = Composer {
            places: Some(BTreeMap::new()),
            ..Composer::default()
        };
        if let Some(places) = &mut composer.places {
            for one in &wrong {
                let mut pointer = one.pointer.as_str();
                // What is missing is looked for where it should be.
                while let Some((parent, _)) = pointer.rsplit_once('/') {
                    places.insert(pointer.to_owned(), None);
                    pointer = parent;
                }
            }
        }
        // It was read before.
        let _ = composer.compose(self.text);
        let places = composer.places.unwrap_or_default();
        for one in &mut wrong {
            let mut pointer = one.pointer.as_str();
            let found = loop {
                if let Some(Some(place)) = places.get(pointer) {
                    break Some(*place);
                }
                match pointer.rsplit_once('/') {
                    Some((parent, _)) => pointer = parent,
                    None => break None,
                }
            };
            if let Some(Place { line, column }) = found {
                let _ = write!(one.message, " (line {line}, column {column})");
            }
        }
        wrong
    }
}

#[derive(Clone, Copy)]
struct Place {
    line: usize,
    column: usize,
}

impl Place {
    fn of(span: Span) -> Self {
        Self {
            line: span.start.line(),
            column: span.start.col() + 1,
        }
    }

    fn invalid(self, pointer: &str, words: &str) -> Invalid {
        let Self { line, column } = self;
        let message = format!("not valid YAML at line {line}, column {column}: {words}");
        Invalid::new(pointer, message)
    }
}

#[derive(Default)]
struct Composer {
    open: Vec<Open>,
    nodes: usize,
    aliases: usize,
    anchors: HashMap<usize, Anchored>,
    /// Of the value that is being read.
    pointer: String,
    odd: BTreeMap<String, String>,
    /// Where values stand, of those that are asked for.
    places: Option<BTreeMap<String, Option<Place>>>,
}

/// A list or an object that has begun.
struct Open {
    anchor: usize,
    /// The length of its pointer.
    pointer: usize,
    /// How many values there were before it.
    nodes: usize,
    holds: Holds,
}

enum Holds {
    List(Vec<Value>),
    Object {
        fields: Map<String, Value>,
        key: Option<Key>,
        /// What `<<` takes in, in the order of the text.
        merged: Vec<Value>,
    },
}

enum Key {
    Field(String),
    Merge,
}

struct Anchored {
    value: Value,
    nodes: usize,
    pointer: String,
    is_merge: bool,
}

/// A value that is complete.
struct Complete {
    value: Value,
    anchor: usize,
    nodes: usize,
    is_merge: bool,
}

impl Composer {
    fn compose(&mut self, text: &str) -> Result<Value, Invalid> {
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.flow_nesting_limit = 2 * MAX_DEPTH;
        options.block_nesting_limit = 2 * MAX_DEPTH;
        let mut root = Value::Null;
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| {
                let (line, column) = (error.marker().line(), error.marker().col() + 1);
                let place = Place { line, column };
                place.invalid("", &yaml_words::sentence(error.kind()))
            })?;
            if let Event::DocumentStart(..) = event {
                documents += 1;
            }
            let empty = matches!(
                &event,
                Event::Scalar(word, ScalarStyle::Plain, 0, None) if word.is_empty() || word == "~"
            );
            if documents > 1 && is_value(&event) && !empty {
                let words = "a second document begins here, of which eksctl would read nothing; send each \
                             document in a request of its own";
                return Err(Place::of(span).invalid("", words));
            }
            if let Some(value) = self.take(event, span)?
                && documents <= 1
            {
                root = value;
            }
        }
        Ok(root)
    }

    /// Takes an event; the value of the document, when that is complete.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<Option<Value>, Invalid> {
        let place = Place::of(span);
        match event {
            Event::Scalar(word, style, anchor, tag) => {
                self.begin(place)?;
                let is_plain = style == ScalarStyle::Plain;
                let (value, is_merge) = self.scalar(&word, is_plain, tag.as_deref(), place)?;
                let complete = Complete {
                    value,
                    anchor,
                    nodes: 1,
                    is_merge,
                };
                self.complete(complete, place)
            }
            Event::SequenceStart(_, anchor, _) => self.open(anchor, Holds::List(Vec::new()), place),
            Event::MappingStart(_, anchor, _) => {
                let holds = Holds::Object {
                    fields: Map::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.open(anchor, holds, place)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place),
            Event::Alias(anchor) => self.alias(anchor, place),
            _ => Ok(None),
        }
    }

    /// A value begins here.
    fn begin(&mut self, place: Place) -> Result<(), Invalid> {
        self.count(1, place)?;
        if let Some(Open {
            holds: Holds::List(items),
            ..
        }) = self.open.last()
        {
            let at = items.len();
            let _ = write!(self.pointer, "/{at}");
        }
        if let Some(places) = &mut self.places
            && let Some(wanted) = places.get_mut(&self.pointer)
            && wanted.is_none()
        {
            *wanted = Some(place);
        }
        Ok(())
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Invalid> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let words = format!(
            "the document has more than {MAX_NODES} values, counting what aliases stand for; send less at \
             once"
        );
        Err(place.invalid("", &words))
    }

    fn open(
        &mut self,
        anchor: usize,
        holds: Holds,
        place: Place,
    ) -> Result<Option<Value>, Invalid> {
        if self.expects_key() {
            let words = "the name of a field has to be a text, not a list or an object";
            return Err(place.invalid(&self.pointer, words));
        }
        self.begin(place)?;
        if self.open.len() >= MAX_DEPTH {
            let words = format!("nested deeper than {MAX_DEPTH} lists and objects");
            return Err(place.invalid("", &words));
        }
        self.open.push(Open {
            anchor,
            pointer: self.pointer.len(),
            nodes: self.nodes,
            holds,
        });
        Ok(None)
    }

    fn expects_key(&self) -> bool {
        let open = self.open.last().map(|open| &open.holds);
        matches!(open, Some(Holds::Object { key: None, .. }))
    }

    fn close(&mut self, place: Place) -> Result<Option<Value>, Invalid> {
        let Some(open) = self.open.pop() else {
            return Ok(None);
        };
        self.pointer.truncate(open.pointer);
        let value = match open.holds {
            Holds::List(items) => Value::Array(items),
            Holds::Object { fields, merged, .. } => Value::Object(with_merged(fields, merged)),
        };
        let complete = Complete {
            value,
            anchor: open.anchor,
            nodes: self.nodes - open.nodes + 1,
            is_merge: false,
        };
        self.complete(complete, place)
    }

    fn scalar(
        &mut self,
        word: &str,
        is_plain: bool,
        tag: Option<&Tag>,
        place: Place,
    ) -> Result<(Value, bool), Invalid> {
        let read = match tag {
            Some(tag) => match tag.suffix_in_namespace(CORE) {
                Some(suffix) => scalar::tagged(word, &suffix, is_plain),
                None => Ok(Scalar::Plain(Value::String(word.to_owned()))),
            },
            None if is_plain => scalar::plain(word),
            None => Ok(Scalar::Plain(Value::String(word.to_owned()))),
        };
        match read {
            Ok(Scalar::Plain(value)) => Ok((value, false)),
            Ok(Scalar::Merge) if self.expects_key() => Ok((Value::String(word.to_owned()), true)),
            Ok(Scalar::Merge) => Ok((Value::String(word.to_owned()), false)),
            Ok(Scalar::Odd(_)) if self.expects_key() => Ok((Value::String(word.to_owned()), false)),
            Ok(Scalar::Odd(number)) => {
                self.odd.insert(self.pointer.clone(), word.to_owned());
                Ok((Value::Number(number), false))
            }
            Err(words) => Err(place.invalid(&self.pointer, words)),
        }
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<Option<Value>, Invalid> {
        self.begin(place)?;
        self.aliases += 1;
        let Some(anchored) = self.anchors.get(&anchor) else {
            let words = "the alias stands inside of what it stands for; write the value out";
            return Err(place.invalid(&self.pointer, words));
        };
        if self.aliases > MAX_ALIASES {
            let words = format!("more than {MAX_ALIASES} aliases; write the values out");
            return Err(place.invalid("", &words));
        }
        let more = anchored.nodes;
        let from = anchored.pointer.clone();
        self.count(more, place)?;
        self.copy_odd(&from);
        let anchored = self.anchors.get(&anchor);
        let complete = Complete {
            value: anchored.map(|one| one.value.clone()).unwrap_or_default(),
            anchor: 0,
            nodes: more,
            is_merge: anchored.is_some_and(|one| one.is_merge),
        };
        self.complete(complete, place)
    }

    /// What is odd in what an alias stands for is odd in its place too.
    fn copy_odd(&mut self, from: &str) {
        let below = |pointer: &&String| {
            pointer
                .strip_prefix(from)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found = self.odd.range(from.to_owned()..);
        let found = found.take_while(|(pointer, _)| pointer.starts_with(from));
        let copies: Vec<(String, String)> = found
            .filter(|(pointer, _)| below(pointer))
            .map(|(pointer, word)| {
                let rest = pointer.strip_prefix(from).unwrap_or_default();
                (format!("{}{rest}", self.pointer), word.clone())
            })
            .collect();
        self.odd.extend(copies);
    }

    /// Puts a value where it belongs.
    fn complete(&mut self, done: Complete, place: Place) -> Result<Option<Value>, Invalid> {
        if done.anchor != 0 {
            self.keep(&done, place)?;
        }
        let Some(open) = self.open.last_mut() else {
            return Ok(Some(done.value));
        };
        match &mut open.holds {
            Holds::List(items) => {
                items.push(done.value);
                self.pointer.truncate(open.pointer);
            }
            Holds::Object {
                fields,
                key,
                merged,
            } => match key.take() {
                None => return self.key(done, place).map(|()| None),
                Some(Key::Field(name)) => {
                    fields.insert(name, done.value);
                    self.pointer.truncate(open.pointer);
                }
                Some(Key::Merge) => {
                    if !is_mergeable(&done.value) {
                        let words =
                            "<< takes in an object, or a list of objects: by aliases, most often";
                        return Err(place.invalid(&self.pointer, words));
                    }
                    merged.push(done.value);
                    self.pointer.truncate(open.pointer);
                }
            },
        }
        Ok(None)
    }

    /// Keeps the value of an anchor for its aliases.
    fn keep(&mut self, done: &Complete, place: Place) -> Result<(), Invalid> {
        if self.anchors.len() >= MAX_ANCHORS {
            let words = format!("more than {MAX_ANCHORS} anchors; write the values out");
            return Err(place.invalid("", &words));
        }
        self.count(done.nodes, place)?;
        let anchored = Anchored {
            value: done.value.clone(),
            nodes: done.nodes,
            pointer: self.pointer.clone(),
            is_merge: done.is_merge,
        };
        self.anchors.insert(done.anchor, anchored);
        Ok(())
    }

    /// The name of a field.
    fn key(&mut self, done: Complete, place: Place) -> Result<(), Invalid> {
        let pointer = self.pointer.clone();
        let Some(Open {
            holds: Holds::Object { fields, key, .. },
            ..
        }) = self.open.last_mut()
        else {
            return Ok(());
        };
        if done.is_merge {
            *key = Some(Key::Merge);
            self.pointer.push_str("/<<");
            return Ok(());
        }
        let name = match done.value {
            Value::String(name) => name,
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let words = "the name of a field has to be a text; put it in quotes";
                return Err(place.invalid(&pointer, words));
            }
        };
        self.pointer.push('/');
        self.pointer.push_str(&pointer_token(&name));
        if fields.contains_key(&name) {
            let words = format!(
                "the field {} stands twice in one object: keep one",
                quoted(&name)
            );
            return Err(place.invalid(&self.pointer, &words));
        }
        if let Some(places) = &mut self.places
            && let Some(wanted) = places.get_mut(&self.pointer)
        {
            *wanted = Some(place);
        }
        *key = Some(Key::Field(name));
        Ok(())
    }
}

fn is_value(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_)
    )
}

fn is_mergeable(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().all(Value::is_object),
        _ => false,
    }
}

/// The fields with what is merged into them: a field of the object's own counts before one that is
/// merged, an earlier merged one before a later.
fn with_merged(mut fields: Map<String, Value>, merged: Vec<Value>) -> Map<String, Value> {
    let objects = merged.into_iter().flat_map(|one| match one {
        Value::Array(items) => items,
        one => vec![one],
    });
    for object in objects {
        if let Value::Object(more) = object {
            for (key, value) in more {
                fields.entry(key).or_insert(value);
            }
        }
    }
    fields
}
