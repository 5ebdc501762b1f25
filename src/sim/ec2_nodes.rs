//! EC2: what nodes are made of: instance types, images, key pairs, launch templates.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::authorize;
use super::arn::partition;
use super::caller::Caller;
use super::ec2::{filters, wanted, write_tags};
use super::error::AwsError;
use super::offerings;
use super::query::Form;
use super::world::{Arrival, World};
use super::xml::Xml;

const ENTRY: &str = "item";
/// The image that is always there.
const FIXED_IMAGE: &str = "ami-0cccccccccccccc01";
/// The key pair that is always there.
const FIXED_KEY: &str = "existing";
const CREATED: &str = "2026-01-01T00:00:00.000Z";

/// Key pairs and launch templates of a region: those that are always there, and those of stacks.
#[derive(Debug, Clone)]
pub(super) struct Stock {
    /// The ids of key pairs, by name.
    pub key_pairs: BTreeMap<String, String>,
    /// What launch templates say, by id.
    pub templates: BTreeMap<String, Value>,
}

impl Default for Stock {
    /// With key pair `existing` and launch template `lt-0cccccccccccccc01`, which says `m5.large`.
    fn default() -> Self {
        let pair = (FIXED_KEY.to_owned(), "key-0cccccccccccccc01".to_owned());
        let template = (
            "lt-0cccccccccccccc01".to_owned(),
            json!({"InstanceType": "m5.large"}),
        );
        Self {
            key_pairs: [pair].into(),
            templates: [template].into(),
        }
    }
}

impl Stock {
    /// The key pairs that stacks made.
    pub(super) fn made_key_pairs(&self) -> impl Iterator<Item = &String> {
        self.key_pairs.keys().filter(|name| *name != FIXED_KEY)
    }
}

impl World {
    /// Serves one call, if it is about nodes; the answer is what follows the request's id.
    pub(super) fn stock_call(
        &mut self,
        form: &Form,
        arrival: &Arrival,
    ) -> Option<Result<String, AwsError>> {
        let caller = &arrival.caller;
        let action = form.action();
        let serve: fn(&Stock, &Form, &Caller) -> Result<String, AwsError> = match action {
            "DescribeInstanceTypes" => |_, form, _| describe_types(form),
            "DescribeImages" => |_, form, caller| describe_images(form, caller),
            "DescribeKeyPairs" => describe_key_pairs,
            "DescribeLaunchTemplateVersions" => describe_versions,
            _ => return None,
        };
        let (region, account) = (&caller.region, &caller.account);
        let any = format!("arn:{}:ec2:{region}:{account}:*", partition(region));
        if let Err(error) = authorize(caller, &format!("ec2:{action}"), &any) {
            return Some(Err(error));
        }
        Some(serve(&self.network(account, region).stock, form, caller))
    }
}

/// What an instance type has, as far as its name says.
struct Hardware {
    name: String,
    arm: bool,
    vcpus: u32,
    memory_mib: u64,
    gpus: u32,
    neuron_devices: u32,
    cards: u32,
    efa: bool,
}

impl Hardware {
    fn of(name: &str) -> Self {
        let (family, size) = name.split_once('.').unwrap_or((name, "large"));
        let vcpus = vcpus(family, size);
        let (gpus, neuron_devices) = devices(family, vcpus);
        let cards = match (family, size) {
            ("p5", "48xlarge") => 32,
            ("trn1", "32xlarge") => 8,
            ("p4d", _) => 4,
            _ => 1,
        };
        Self {
            name: name.to_owned(),
            arm: offerings::is_arm(name),
            vcpus,
            memory_mib: memory_mib(family, size, vcpus),
            gpus,
            neuron_devices,
            cards,
            efa: cards > 1 || (family.starts_with('g') && vcpus >= 32),
        }
    }
}

fn vcpus(family: &str, size: &str) -> u32 {
    match size {
        "nano" | "micro" | "small" if family == "t2" => 1,
        "medium" if family.ends_with('g') || family == "a1" => 1,
        "xlarge" => 4,
        "metal" => 96,
        _ => size
            .strip_suffix("xlarge")
            .and_then(|times| times.parse().ok())
            .map_or(2, |n: u32| 4 * n),
    }
}

/// By the size of burstable types, and by the processors of others.
fn memory_mib(family: &str, size: &str, vcpus: u32) -> u64 {
    if family.starts_with('t') && !family.starts_with("trn") {
        return match size {
            "nano" => 512,
            "micro" => 1_024,
            "small" => 2_048,
            "medium" => 4_096,
            "large" => 8_192,
            "xlarge" => 16_384,
            _ => 32_768,
        };
    }
    let gib = match family.as_bytes().first() {
        Some(b'c' | b'a') => 2,
        Some(b'r') => 8,
        Some(b'p') => 12,
        _ => 4,
    };
    u64::from(vcpus) * gib * 1_024
}

/// GPUs, and Neuron devices.
fn devices(family: &str, vcpus: u32) -> (u32, u32) {
    match family {
        "g4dn" | "g5" => (
            if vcpus >= 96 {
                8
            } else {
                1.max(vcpus / 48 * 4)
            },
            0,
        ),
        "p4d" => (8, 0),
        "p5" => (if vcpus > 64 { 8 } else { 1 }, 0),
        "inf2" | "trn1" => (0, 1.max(vcpus / 8)),
        _ => (0, 0),
    }
}

fn describe_types(form: &Form) -> Result<String, AwsError> {
    let (names, filters) = (form.texts("InstanceType"), filters(form));
    let unknown: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !offerings::exists(name))
        .collect();
    if !unknown.is_empty() {
        let why = format!(
            "The following supplied instance types do not exist: [{}]",
            unknown.join(", ")
        );
        return Err(AwsError::new(400, "InvalidInstanceType", why));
    }
    let mut found = Vec::new();
    for name in offerings::all() {
        let one = Hardware::of(&name);
        let (vcpus, memory) = (one.vcpus.to_string(), one.memory_mib.to_string());
        let facts = [
            ("instance-type", name.as_str()),
            ("processor-info.supported-architecture", architecture(&one)),
            ("vcpu-info.default-vcpus", &vcpus),
            ("memory-info.size-in-mib", &memory),
        ];
        let asked = names.is_empty() || names.contains(&name.as_str());
        if asked && wanted(&filters, &facts, &BTreeMap::new())? {
            found.push(one);
        }
    }
    let (shown, next) = page(form, found);
    let mut xml = Xml::default();
    xml.list("instanceTypeSet", ENTRY, shown, |x, one| {
        write_type(x, &one);
    });
    xml.maybe("nextToken", next);
    Ok(xml.finish())
}

fn architecture(one: &Hardware) -> &'static str {
    if one.arm { "arm64" } else { "x86_64" }
}

/// So many as are asked for, and the token of the rest.
fn page<T>(form: &Form, all: Vec<T>) -> (Vec<T>, Option<String>) {
    let number = |name: &str| {
        form.filled(name)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let (from, most) = (
        number("NextToken").unwrap_or_default(),
        number("MaxResults").unwrap_or(100),
    );
    let rest = all.len() > from + most;
    let shown = all.into_iter().skip(from).take(most).collect();
    (shown, rest.then(|| (from + most).to_string()))
}

fn write_type(xml: &mut Xml, one: &Hardware) {
    let flag = |is: bool| if is { "true" } else { "false" };
    xml.text("instanceType", &one.name)
        .text("currentGeneration", "true")
        .text("freeTierEligible", "false")
        .texts("supportedUsageClasses", ENTRY, ["on-demand", "spot"])
        .texts("supportedRootDeviceTypes", ENTRY, ["ebs"])
        .texts("supportedVirtualizationTypes", ENTRY, ["hvm"])
        .text(
            "bareMetal",
            flag(
                one.name
                    .rsplit_once('.')
                    .is_some_and(|(_, size)| size == "metal"),
            ),
        )
        .within("processorInfo", |x| {
            x.texts("supportedArchitectures", ENTRY, [architecture(one)]);
        })
        .within("vCpuInfo", |x| {
            x.text("defaultVCpus", one.vcpus.to_string());
        })
        .within("memoryInfo", |x| {
            x.text("sizeInMiB", one.memory_mib.to_string());
        });
    if one.gpus > 0 {
        xml.within("gpuInfo", |x| {
            x.list("gpus", ENTRY, [one.gpus], |x, count| {
                x.text("count", count.to_string());
            });
        });
    }
    if one.neuron_devices > 0 {
        xml.within("neuronInfo", |x| {
            x.list("neuronDevices", ENTRY, [one.neuron_devices], |x, count| {
                x.text("count", count.to_string());
            });
        });
    }
    xml.within("networkInfo", |x| {
        x.text("maximumNetworkCards", one.cards.to_string())
            .text("defaultNetworkCardIndex", "0")
            .text("efaSupported", flag(one.efa));
    });
}

fn describe_images(form: &Form, caller: &Caller) -> Result<String, AwsError> {
    let ids = form.texts("ImageId");
    for id in &ids {
        let digits = id.strip_prefix("ami-").unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let why = format!("Invalid id: \"{id}\"");
            return Err(AwsError::new(400, "InvalidAMIID.Malformed", why));
        }
        if *id != FIXED_IMAGE {
            let why = format!("The image id '[{id}]' does not exist");
            return Err(AwsError::new(400, "InvalidAMIID.NotFound", why));
        }
    }
    let facts = [("image-id", FIXED_IMAGE), ("state", "available")];
    let asked = wanted(&filters(form), &facts, &BTreeMap::new())?;
    let mut xml = Xml::default();
    let found = asked.then_some(FIXED_IMAGE);
    xml.list("imagesSet", ENTRY, found, |x, id| {
        x.text("imageId", id)
            .text("imageLocation", "amazon/existing")
            .text("imageState", "available")
            .text("imageOwnerId", &caller.account)
            .text("creationDate", CREATED)
            .text("isPublic", "false")
            .text("architecture", "x86_64")
            .text("imageType", "machine")
            .text("name", "existing")
            .text("rootDeviceType", "ebs")
            .text("rootDeviceName", "/dev/sda1")
            .text("virtualizationType", "hvm")
            .text("hypervisor", "xen")
            .list("blockDeviceMapping", ENTRY, ["/dev/sda1"], |x, device| {
                x.text("deviceName", device).within("ebs", |x| {
                    x.text("volumeSize", "20").text("encrypted", "false");
                });
            });
    });
    Ok(xml.finish())
}

fn describe_key_pairs(stock: &Stock, form: &Form, _: &Caller) -> Result<String, AwsError> {
    let names = form.texts("KeyName");
    if let Some(unknown) = names
        .iter()
        .find(|name| !stock.key_pairs.contains_key(**name))
    {
        let why = format!("The key pair '{unknown}' does not exist");
        return Err(AwsError::new(400, "InvalidKeyPair.NotFound", why));
    }
    let mut found = Vec::new();
    for (name, id) in &stock.key_pairs {
        let facts = [("key-name", name.as_str()), ("key-pair-id", id.as_str())];
        let asked = names.is_empty() || names.contains(&name.as_str());
        if asked && wanted(&filters(form), &facts, &BTreeMap::new())? {
            found.push((name, id));
        }
    }
    let mut xml = Xml::default();
    xml.list("keySet", ENTRY, found, |x, (name, id)| {
        x.text("keyPairId", id)
            .text(
                "keyFingerprint",
                "1f:51:ae:28:bf:89:e9:d8:1f:25:5d:37:2d:7d:b8:ca",
            )
            .text("keyName", name)
            .text("keyType", "rsa")
            .text("createTime", CREATED);
        write_tags(x, &BTreeMap::new());
    });
    Ok(xml.finish())
}

fn describe_versions(stock: &Stock, form: &Form, caller: &Caller) -> Result<String, AwsError> {
    let id = form.filled("LaunchTemplateId").unwrap_or_default();
    let Some(data) = stock.templates.get(id) else {
        let why = format!("The specified launch template, with template ID {id}, does not exist.");
        return Err(AwsError::new(400, "InvalidLaunchTemplateId.NotFound", why));
    };
    let versions = form.texts("LaunchTemplateVersion");
    if let Some(unknown) = versions
        .iter()
        .find(|one| !["$Default", "$Latest", "1"].contains(*one))
    {
        let why = format!(
            "Could not find the specified version {unknown} for the launch template with ID {id}."
        );
        return Err(AwsError::new(
            400,
            "InvalidLaunchTemplateId.VersionNotFound",
            why,
        ));
    }
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let mut xml = Xml::default();
    xml.list("launchTemplateVersionSet", ENTRY, [id], |x, id| {
        x.text("launchTemplateId", id)
            .text("launchTemplateName", id)
            .text("versionNumber", "1")
            .text("createTime", CREATED)
            .text(
                "createdBy",
                format!(
                    "arn:{}:iam::{}:root",
                    partition(&caller.region),
                    caller.account
                ),
            )
            .text("defaultVersion", "true")
            .within("launchTemplateData", |x| {
                x.maybe("imageId", text("ImageId"))
                    .maybe("instanceType", text("InstanceType"))
                    .maybe("keyName", text("KeyName"))
                    .maybe("userData", text("UserData"));
                let profile = data
                    .pointer("/IamInstanceProfile/Arn")
                    .and_then(Value::as_str);
                if let Some(arn) = profile {
                    x.within("iamInstanceProfile", |x| {
                        x.text("arn", arn);
                    });
                }
            });
    });
    Ok(xml.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_what_their_names_say() {
        for (name, vcpus, gib, gpus, cards) in [
            ("m5.large", 2, 8, 0, 1),
            ("c7g.medium", 1, 2, 0, 1),
            ("t3.medium", 2, 4, 0, 1),
            ("r5.2xlarge", 8, 64, 0, 1),
            ("g5.xlarge", 4, 16, 1, 1),
            ("p5.48xlarge", 192, 2304, 8, 32),
        ] {
            let one = Hardware::of(name);
            let found = (one.vcpus, one.memory_mib / 1024, one.gpus, one.cards);
            assert_eq!(found, (vcpus, gib, gpus, cards), "{name}");
        }
        assert!(Hardware::of("p4d.24xlarge").efa && !Hardware::of("m5.large").efa);
    }
}
