//! Instance types by what they have, as eksctl's `instanceSelector` picks them.

use crate::domain::eksctl::nodegroup::InstanceSelector;
use regex::Regex;

/// The most types of one nodegroup.
const MAX_TYPES: usize = 40;
const MAX_PATTERN: usize = 512;
const ARCHITECTURES: [&str; 3] = ["x86_64", "amd64", "arm64"];

/// What EC2 says of an instance type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceFacts {
    /// Its name.
    pub name: String,
    /// The architectures of its processor.
    pub architectures: Vec<String>,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory.
    pub memory_mib: u64,
    /// GPUs.
    pub gpus: u32,
    /// Inferentia and Trainium devices.
    pub neuron_devices: u32,
    /// Network cards.
    pub network_cards: u32,
    /// Whether they can be elastic fabric adapters.
    pub efa: bool,
}

fn architecture(selector: &InstanceSelector) -> &'static str {
    match selector.cpu_architecture.as_deref() {
        Some("arm64") => "arm64",
        _ => "x86_64",
    }
}

/// How much memory a text means: a number, and MiB, GiB (the default) or TiB.
#[must_use]
pub fn memory_mib(text: &str) -> Option<u64> {
    const MAX_GIB: f64 = 100_000.0;
    let text = text.trim().to_ascii_lowercase();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let mib = match unit.trim() {
        "m" | "mb" | "mi" | "mib" => number,
        "" | "g" | "gb" | "gi" | "gib" => number * 1024.0,
        "t" | "tb" | "ti" | "tib" => number * 1024.0 * 1024.0,
        _ => return None,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "looked at just before"
    )]
    let whole = (1.0..=MAX_GIB * 1024.0)
        .contains(&mib)
        .then(|| mib.round() as u64);
    whole
}

/// What is wrong with a selector, by key.
pub(super) fn wrong(selector: &InstanceSelector) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if selector
        .memory
        .as_deref()
        .is_some_and(|text| memory_mib(text).is_none())
    {
        let message = "expected an amount of memory, such as 4GiB or 512MiB";
        wrong.push(("memory", message.to_owned()));
    }
    let architecture = selector.cpu_architecture.as_deref();
    if architecture.is_some_and(|one| !ARCHITECTURES.contains(&one)) {
        let message = format!("expected one of {}", ARCHITECTURES.join(", "));
        wrong.push(("cpuArchitecture", message));
    }
    for (key, pattern) in [("allow", &selector.allow), ("deny", &selector.deny)] {
        let Some(pattern) = pattern else { continue };
        if pattern.len() > MAX_PATTERN || Regex::new(pattern).is_err() {
            let message =
                format!("expected a regular expression of at most {MAX_PATTERN} characters");
            wrong.push((key, message));
        }
    }
    let devices = [
        ("gpus", selector.gpus),
        ("neuron_devices", selector.neuron_devices),
    ];
    for (key, count) in devices {
        if count.is_some_and(|count| count > 64) {
            wrong.push((key, "expected 0 to 64".to_owned()));
        }
    }
    if selector.vcpus.is_some_and(|count| count > 4096) {
        wrong.push(("vCPUs", "expected 0 to 4096".to_owned()));
    }
    wrong
}

/// By what EC2 is asked for types, so that it does not list them all.
#[must_use]
pub fn filters(selector: &InstanceSelector) -> Vec<(&'static str, String)> {
    let architecture = architecture(selector).to_owned();
    let mut filters = vec![("processor-info.supported-architecture", architecture)];
    let vcpus = selector.vcpus.filter(|count| *count > 0);
    filters.extend(vcpus.map(|count| ("vcpu-info.default-vcpus", count.to_string())));
    let memory = selector.memory.as_deref().and_then(memory_mib);
    filters.extend(memory.map(|mib| ("memory-info.size-in-mib", mib.to_string())));
    filters
}

/// The types that may fit, before it is known where they are offered.
#[must_use]
pub fn candidates<'a>(selector: &InstanceSelector, types: &'a [InstanceFacts]) -> Vec<&'a str> {
    let fitting = types.iter().filter(|one| fits(selector, one));
    fitting.map(|one| one.name.as_str()).collect()
}

/// The types that fit and that all zones offer, smaller ones first.
pub fn choose(
    selector: &InstanceSelector,
    types: &[InstanceFacts],
    offered: impl Fn(&str) -> bool,
) -> Result<Vec<String>, String> {
    let pattern = |text: &Option<String>| text.as_deref().and_then(|text| Regex::new(text).ok());
    let (allow, deny) = (pattern(&selector.allow), pattern(&selector.deny));
    let mut fitting: Vec<&InstanceFacts> = types
        .iter()
        .filter(|one| fits(selector, one))
        .filter(|one| allow.as_ref().is_none_or(|allow| allow.is_match(&one.name)))
        .filter(|one| deny.as_ref().is_none_or(|deny| !deny.is_match(&one.name)))
        .filter(|one| offered(&one.name))
        .collect();
    fitting.sort_by(|a, b| (a.vcpus, a.memory_mib, &a.name).cmp(&(b.vcpus, b.memory_mib, &b.name)));
    fitting.dedup_by(|a, b| a.name == b.name);
    if fitting.is_empty() {
        return Err("no instance type fits that all its zones offer: ask for less".to_owned());
    }
    if fitting.len() > MAX_TYPES {
        return Err(format!(
            "{} instance types fit, and a nodegroup takes {MAX_TYPES}: ask for more",
            fitting.len()
        ));
    }
    Ok(fitting.into_iter().map(|one| one.name.clone()).collect())
}

fn fits(selector: &InstanceSelector, one: &InstanceFacts) -> bool {
    let memory = selector.memory.as_deref().and_then(memory_mib);
    let vcpus = selector.vcpus.filter(|count| *count > 0);
    one.architectures
        .iter()
        .any(|arch| arch == architecture(selector))
        && vcpus.is_none_or(|count| count == one.vcpus)
        && memory.is_none_or(|memory| memory == one.memory_mib)
        && selector.gpus.is_none_or(|count| count == one.gpus)
        && selector
            .neuron_devices
            .is_none_or(|count| count == one.neuron_devices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str, vcpus: u32, gib: u64, gpus: u32) -> InstanceFacts {
        InstanceFacts {
            name: name.to_owned(),
            architectures: vec!["x86_64".to_owned()],
            vcpus,
            memory_mib: gib * 1024,
            gpus,
            ..InstanceFacts::default()
        }
    }

    #[test]
    fn memory_is_read_as_eksctl_reads_it() {
        for (text, mib) in [
            ("4", Some(4096)),
            ("2GiB", Some(2048)),
            ("512 mb", Some(512)),
            ("0.5", Some(512)),
            ("1TiB", Some(1_048_576)),
            ("", None),
            ("4 apples", None),
            ("0", None),
        ] {
            assert_eq!(memory_mib(text), mib, "{text}");
        }
    }

    #[test]
    fn types_fit_exactly_and_are_offered_everywhere() {
        let all = [
            facts("m5.large", 2, 8, 0),
            facts("c5.large", 2, 4, 0),
            facts("t3.medium", 2, 4, 0),
            facts("g9.large", 2, 4, 1),
            facts("c4.large", 2, 4, 0),
        ];
        let selector = InstanceSelector {
            vcpus: Some(2),
            memory: Some("4".to_owned()),
            gpus: Some(0),
            ..InstanceSelector::default()
        };
        let chosen = choose(&selector, &all, |name| name != "c4.large").unwrap();
        assert_eq!(chosen, ["c5.large", "t3.medium"]);
        let deny = InstanceSelector {
            deny: Some("^t".to_owned()),
            ..selector.clone()
        };
        assert_eq!(
            choose(&deny, &all, |_| true).unwrap(),
            ["c4.large", "c5.large"]
        );
        let none = InstanceSelector {
            allow: Some("^x".to_owned()),
            ..selector
        };
        assert!(choose(&none, &all, |_| true).is_err());
    }

    #[test]
    fn what_can_not_be_read_is_told_by_key() {
        let selector = InstanceSelector {
            memory: Some("much".to_owned()),
            cpu_architecture: Some("mips".to_owned()),
            allow: Some("(".to_owned()),
            gpus: Some(65),
            ..InstanceSelector::default()
        };
        let keys: Vec<&str> = wrong(&selector).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["memory", "cpuArchitecture", "allow", "gpus"]);
    }
}
