//! Which zones a cluster's own VPC spans.

use super::offerings::Offerings;
use crate::domain::ids::Region;
use crate::domain::invalid::Invalid;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The fewest zones that EKS takes.
pub const MIN_ZONES: usize = 2;
/// The most zones: each has two subnets, and a VPC is cut into sixteen at most.
pub const MAX_ZONES: usize = 8;

/// Zones, by id, in which EKS has no room for a control plane.
const AVOIDED: [&str; 3] = ["use1-az3", "usw1-az2", "cac1-az3"];

/// A zone that the account can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AvailableZone {
    /// Its name in this account, such as `us-east-1a`.
    pub name: String,
    /// Its id, which is the same in every account, such as `use1-az1`.
    pub id: String,
}

/// How many zones are chosen in a region.
#[must_use]
pub fn wanted(region: &Region) -> usize {
    if region.as_str() == "us-east-1" { 2 } else { 3 }
}

/// The zones of a cluster, sorted: those asked for, or else as many as are wanted.
///
/// The choice is spread over the zones by `seed` (the job's id), and is the same each time for the
/// same seed and the same zones, in whatever order they come. Zones that do not offer all of the
/// instance types are not chosen.
pub fn choose(
    region: &Region,
    asked: &[String],
    available: &[AvailableZone],
    (instance_types, offerings): (&[&str], &Offerings),
    seed: &[u8],
) -> Result<Vec<String>, Vec<Invalid>> {
    if asked.is_empty() {
        let usable = available.iter().filter(|zone| !is_avoided(zone));
        let usable: Vec<&str> = usable.map(|zone| zone.name.as_str()).collect();
        return chosen(region, &usable, (instance_types, offerings), seed);
    }
    let wrong: Vec<Invalid> = asked
        .iter()
        .enumerate()
        .filter_map(|(i, zone)| {
            let message = unusable(zone, available)?;
            Some(Invalid::new(format!("/availabilityZones/{i}"), message))
        })
        .collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut zones = asked.to_vec();
    zones.sort_unstable();
    Ok(zones)
}

fn chosen(
    region: &Region,
    usable: &[&str],
    (instance_types, offerings): (&[&str], &Offerings),
    seed: &[u8],
) -> Result<Vec<String>, Vec<Invalid>> {
    let offering = usable.iter().copied();
    let mut names: Vec<&str> = offering
        .filter(|zone| offerings.has_all(instance_types, zone))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < MIN_ZONES && usable.len() >= MIN_ZONES {
        let message = format!(
            "only {} of the zones {} offer instances of all the types {}; {MIN_ZONES} are needed: \
             choose other types, or name the zones, of which one has to offer each type",
            names.len(),
            usable.join(", "),
            instance_types.join(", ")
        );
        return Err(vec![Invalid::new("/availabilityZones", message)]);
    }
    if names.len() < MIN_ZONES {
        let message = format!(
            "{region} has {} zones that EKS can use in this account; {MIN_ZONES} are needed",
            names.len()
        );
        return Err(vec![Invalid::new("/availabilityZones", message)]);
    }
    names.sort_by_cached_key(|name| rank(seed, name));
    names.truncate(wanted(region));
    names.sort_unstable();
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// Zones that must be among them, and others of those chosen: as many as there were, or as there must
/// be. Sorted.
#[must_use]
pub(super) fn including(chosen: Vec<String>, required: &[String]) -> Vec<String> {
    let count = chosen.len().max(required.len());
    let mut zones = required.to_vec();
    let others = chosen.into_iter().filter(|zone| !required.contains(zone));
    zones.extend(others);
    zones.truncate(count);
    zones.sort_unstable();
    zones
}

fn rank(seed: &[u8], zone: &str) -> Vec<u8> {
    let digest = Sha256::new()
        .chain_update(b"cluster-zone\0")
        .chain_update(zone)
        .chain_update(b"\0")
        .chain_update(seed);
    digest.finalize().to_vec()
}

fn unusable(zone: &str, available: &[AvailableZone]) -> Option<String> {
    let Some(found) = available.iter().find(|found| found.name == zone) else {
        let names: Vec<&str> = available.iter().map(|zone| zone.name.as_str()).collect();
        return Some(format!(
            "the account has no zone {zone:?}; it has {}",
            names.join(", ")
        ));
    };
    is_avoided(found).then(|| {
        format!(
            "EKS takes no clusters in {zone} ({}); choose another zone",
            found.id
        )
    })
}

/// Which of the local zones that are asked for the account has not.
#[must_use]
pub fn missing_local(asked: &[String], available: &[AvailableZone]) -> Vec<Invalid> {
    let names: Vec<&str> = available.iter().map(|zone| zone.name.as_str()).collect();
    let missing = asked.iter().enumerate();
    let missing = missing.filter(|(_, zone)| !names.contains(&zone.as_str()));
    missing
        .map(|(i, zone)| {
            let has = if names.is_empty() {
                "it has none here".to_owned()
            } else {
                format!("it has {}", names.join(", "))
            };
            let message =
                format!("the account has no local zone {zone}, or has not opted in to it; {has}");
            Invalid::new(format!("/localZones/{i}"), message)
        })
        .collect()
}

fn is_avoided(zone: &AvailableZone) -> bool {
    AVOIDED.contains(&zone.id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Where nobody asks for instances.
    fn choose(
        region: &Region,
        asked: &[String],
        available: &[AvailableZone],
        seed: &[u8],
    ) -> Result<Vec<String>, Vec<Invalid>> {
        super::choose(region, asked, available, (&[], &Offerings::unknown()), seed)
    }

    #[test]
    fn zones_without_the_instance_types_are_not_chosen() {
        let available = zones("eu-west-1", "euw1", 3);
        let offered = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            Offerings::of(pairs.map(|(one, zone)| ((*one).to_owned(), (*zone).to_owned())))
        };
        let some = offered(&[
            ("m5.large", "eu-west-1a"),
            ("m5.large", "eu-west-1b"),
            ("m5.large", "eu-west-1c"),
            ("g5.xlarge", "eu-west-1a"),
            ("g5.xlarge", "eu-west-1c"),
        ]);
        let at = |types: &[&str], offerings: &Offerings| {
            super::choose(
                &region("eu-west-1"),
                &[],
                &available,
                (types, offerings),
                b"s",
            )
        };
        assert_eq!(at(&["m5.large"], &some).unwrap().len(), 3);
        let both = at(&["g5.xlarge", "m5.large"], &some).unwrap();
        assert_eq!(both, ["eu-west-1a", "eu-west-1c"]);
        let one = offered(&[("p5.48xlarge", "eu-west-1a")]);
        let wrong = at(&["p5.48xlarge"], &one).unwrap_err();
        assert!(
            wrong[0].message.starts_with("only 1 of the zones"),
            "{wrong:?}"
        );
    }

    fn region(text: &str) -> Region {
        Region::parse(text).unwrap()
    }

    /// `us-east-1a` to `f`, with ids `use1-az1` to `6`.
    fn zones(region: &str, id: &str, count: u8) -> Vec<AvailableZone> {
        let zone = |i: u8| AvailableZone {
            name: format!("{region}{}", char::from(b'a' + i)),
            id: format!("{id}-az{}", i + 1),
        };
        (0..count).map(zone).collect()
    }

    #[test]
    fn three_zones_are_chosen_but_two_in_us_east_1() {
        let choice = choose(
            &region("eu-west-1"),
            &[],
            &zones("eu-west-1", "euw1", 3),
            b"s",
        );
        assert_eq!(choice.unwrap(), ["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
        let choice = choose(
            &region("us-east-1"),
            &[],
            &zones("us-east-1", "use1", 6),
            b"s",
        );
        assert_eq!(choice.unwrap().len(), 2);
        // Two are enough where there are no more.
        let choice = choose(
            &region("us-west-1"),
            &[],
            &zones("us-west-1", "usw1", 3),
            b"s",
        );
        assert_eq!(choice.unwrap(), ["us-west-1a", "us-west-1c"]);
    }

    #[test]
    fn the_same_seed_chooses_the_same_zones_and_seeds_spread() {
        let mut available = zones("us-east-1", "use1", 6);
        let at = |available: &[AvailableZone], seed: &[u8]| {
            choose(&region("us-east-1"), &[], available, seed).unwrap()
        };
        let before = at(&available, b"job-1");
        available.reverse();
        assert_eq!(at(&available, b"job-1"), before);
        let all: BTreeSet<String> = (0..50_u8).flat_map(|i| at(&available, &[i])).collect();
        let expected = [
            "us-east-1a",
            "us-east-1b",
            "us-east-1d",
            "us-east-1e",
            "us-east-1f",
        ];
        assert_eq!(all.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn zones_that_were_asked_for_must_be_there_and_usable() {
        let available = zones("us-east-1", "use1", 3);
        let asked = ["us-east-1c", "us-east-1x", "us-east-1a"].map(str::to_owned);
        let wrong = choose(&region("us-east-1"), &asked, &available, b"").unwrap_err();
        let told: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "/availabilityZones/0: EKS takes no clusters in us-east-1c (use1-az3); choose \
                 another zone",
                "/availabilityZones/1: the account has no zone \"us-east-1x\"; it has us-east-1a, \
                 us-east-1b, us-east-1c",
            ]
        );
        let asked = ["us-east-1b", "us-east-1a"].map(str::to_owned);
        let zones = choose(&region("us-east-1"), &asked, &available, b"").unwrap();
        assert_eq!(zones, ["us-east-1a", "us-east-1b"]);
    }

    #[test]
    fn one_zone_is_too_few() {
        let wrong = choose(
            &region("us-east-1"),
            &[],
            &zones("us-east-1", "use1", 1),
            b"",
        );
        assert_eq!(wrong.unwrap_err()[0].pointer, "/availabilityZones");
    }
}
