//! eksctl's YAML: what sigs.k8s.io/yaml (go-yaml v2) writes.
//!
//! The emitter is a port of libyaml, as go-yaml's is: two spaces, sequences not indented inside
//! mappings, lines folded at 80 columns where a string has spaces to fold at.

use super::natural;
use super::shape::Shown;
use super::yaml_scalar;
use crate::domain::{FargateProfile, Selector};
use libyaml_safer::{Emitter, Encoding, Event, MappingStyle, Result, ScalarStyle, SequenceStyle};
use std::collections::BTreeMap;

/// A sequence of profiles in the order given; keys alphabetical.
#[must_use]
pub fn yaml(profiles: &[FargateProfile]) -> String {
    let mut bytes = Vec::new();
    let mut emitter = Emitter::new();
    emitter.set_output_string(&mut bytes);
    emitter.set_unicode(true);
    let written = Writer { emitter }.document(profiles);
    // Into memory, with well-formed events: there is nothing to fail.
    if written.is_err() {
        return String::new();
    }
    as_go_yaml_ends(String::from_utf8(bytes).unwrap_or_default())
}

/// The two places where go-yaml's emitter and libyaml's differ: go-yaml never writes the end mark
/// `...` (libyaml does after an open-ended block), and it escapes characters past U+FFFF. Those
/// stand only inside double quotes, see `yaml_scalar::style`.
fn as_go_yaml_ends(mut text: String) -> String {
    if text.ends_with("\n...\n") {
        text.truncate(text.len() - "...\n".len());
    }
    if !text.contains(yaml_scalar::past_basic_plane) {
        return text;
    }
    let escaped = |c: char| {
        if yaml_scalar::past_basic_plane(c) {
            format!("\\U{:08X}", u32::from(c))
        } else {
            c.to_string()
        }
    };
    text.chars().map(escaped).collect()
}

struct Writer<'w> {
    emitter: Emitter<'w>,
}

impl Writer<'_> {
    fn document(mut self, profiles: &[FargateProfile]) -> Result<()> {
        self.emitter.emit(Event::stream_start(Encoding::Utf8))?;
        self.emitter.emit(Event::document_start(None, &[], true))?;
        self.sequence(profiles, |writer, profile| {
            writer.profile(&Shown::of(profile))
        })?;
        self.emitter.emit(Event::document_end(true))?;
        self.emitter.emit(Event::stream_end())?;
        self.emitter.flush()
    }

    fn profile(&mut self, profile: &Shown<'_>) -> Result<()> {
        self.mapping(|writer| {
            writer.pair("name", profile.name)?;
            if !profile.pod_execution_role_arn.is_empty() {
                writer.pair("podExecutionRoleARN", profile.pod_execution_role_arn)?;
            }
            writer.text("selectors")?;
            writer.sequence(profile.selectors, Self::selector)?;
            writer.pair("status", profile.status)?;
            if !profile.subnets.is_empty() {
                writer.text("subnets")?;
                writer.sequence(profile.subnets, |writer, subnet| writer.text(subnet))?;
            }
            writer.texts("tags", profile.tags)
        })
    }

    fn selector(&mut self, selector: &Selector) -> Result<()> {
        self.mapping(|writer| {
            writer.texts("labels", &selector.labels)?;
            writer.pair("namespace", &selector.namespace)
        })
    }

    /// A map of texts under a key; nothing at all when it is empty.
    fn texts(&mut self, key: &str, map: &BTreeMap<String, String>) -> Result<()> {
        if map.is_empty() {
            return Ok(());
        }
        self.text(key)?;
        self.mapping(|writer| {
            natural::sorted(map)
                .into_iter()
                .try_for_each(|(key, value)| {
                    writer.scalar(key, yaml_scalar::key_style(key))?;
                    writer.text(value)
                })
        })
    }

    fn mapping(&mut self, content: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.emitter
            .emit(Event::mapping_start(None, None, true, MappingStyle::Block))?;
        content(self)?;
        self.emitter.emit(Event::mapping_end())
    }

    fn sequence<T>(
        &mut self,
        items: &[T],
        mut item: impl FnMut(&mut Self, &T) -> Result<()>,
    ) -> Result<()> {
        self.emitter.emit(Event::sequence_start(
            None,
            None,
            true,
            SequenceStyle::Block,
        ))?;
        items.iter().try_for_each(|one| item(self, one))?;
        self.emitter.emit(Event::sequence_end())
    }

    fn pair(&mut self, key: &str, value: &str) -> Result<()> {
        self.text(key)?;
        self.text(value)
    }

    fn text(&mut self, text: &str) -> Result<()> {
        self.scalar(text, yaml_scalar::style(text))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle) -> Result<()> {
        self.emitter
            .emit(Event::scalar(None, None, text, true, true, style))
    }
}

#[cfg(test)]
mod tests;
