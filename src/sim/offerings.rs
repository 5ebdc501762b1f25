//! Which instance types there are, and in which zones. A sample of the real list.

use super::zones::Zone;

/// Families with their sizes. The first letters of a size list say where it ends.
const FAMILIES: &[(&str, &[&str])] = &[
    (
        "a1",
        &["medium", "large", "xlarge", "2xlarge", "4xlarge", "metal"],
    ),
    ("c4", &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"]),
    ("c5", NITRO),
    ("c6i", NITRO),
    ("c6g", GRAVITON),
    ("c7g", GRAVITON),
    ("c7i", NITRO),
    (
        "g4dn",
        &[
            "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "metal",
        ],
    ),
    (
        "g5",
        &[
            "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
            "48xlarge",
        ],
    ),
    ("inf2", &["xlarge", "8xlarge", "24xlarge", "48xlarge"]),
    (
        "m4",
        &[
            "large", "xlarge", "2xlarge", "4xlarge", "10xlarge", "16xlarge",
        ],
    ),
    ("m5", NITRO),
    ("m5a", NITRO),
    ("m6a", NITRO),
    ("m6g", GRAVITON),
    ("m6i", NITRO),
    ("m7g", GRAVITON),
    ("m7i", NITRO),
    (
        "m7i-flex",
        &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"],
    ),
    ("p4d", &["24xlarge"]),
    ("p5", &["4xlarge", "48xlarge"]),
    ("r5", NITRO),
    ("r6g", GRAVITON),
    ("r6i", NITRO),
    ("r7g", GRAVITON),
    ("t2", BURST),
    ("t3", BURST),
    ("t3a", BURST),
    ("t4g", BURST),
    ("trn1", &["2xlarge", "32xlarge"]),
];

const BURST: &[&str] = &[
    "nano", "micro", "small", "medium", "large", "xlarge", "2xlarge",
];
const NITRO: &[&str] = &[
    "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "metal",
];
const GRAVITON: &[&str] = &[
    "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "metal",
];

/// Families with AWS's own processors.
const ARM: [&str; 8] = ["a1", "c6g", "c7g", "m6g", "m7g", "r6g", "r7g", "t4g"];

/// Families that stand in two zones of a region.
const IN_TWO_ZONES: [&str; 4] = ["a1", "g4dn", "g5", "p4d"];
/// Families that stand in one zone, of these regions.
const RARE: [&str; 3] = ["inf2", "p5", "trn1"];
const WITH_RARE: [&str; 3] = ["us-east-1", "us-east-2", "us-west-2"];
/// What the oldest zone of us-east-1 has.
const OLD: [&str; 7] = ["c4", "c5", "m4", "m5", "r5", "t2", "t3"];

/// What local zones have.
const LOCAL: [&str; 4] = ["c5", "m5", "r5", "t3"];

/// Whether there is such a type at all.
pub(super) fn exists(instance_type: &str) -> bool {
    all().any(|known| known == instance_type)
}

/// Whether a type has one of AWS's own processors.
pub(super) fn is_arm(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    ARM.contains(&family)
}

/// Every type, by name.
pub(super) fn all() -> impl Iterator<Item = String> {
    let named = |(family, sizes): &(&'static str, &'static [&'static str])| {
        let family = *family;
        sizes.iter().map(move |size| format!("{family}.{size}"))
    };
    FAMILIES.iter().flat_map(named)
}

/// Whether a zone, the `nth` of its region or a local one, offers a type that there is.
pub(super) fn is_offered(
    instance_type: &str,
    region: &str,
    zone: &Zone,
    nth: Option<usize>,
) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    let Some(nth) = nth else {
        return LOCAL.contains(&family);
    };
    if zone.id == "use1-az3" {
        return OLD.contains(&family);
    }
    if RARE.contains(&family) {
        return WITH_RARE.contains(&region) && nth == 0;
    }
    nth < 2 || !IN_TWO_ZONES.contains(&family)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::zones;

    fn zones_with(instance_type: &str, region: &str) -> Vec<String> {
        assert!(exists(instance_type), "{instance_type}");
        let zones = zones::of(region).into_iter().enumerate();
        zones
            .filter(|(nth, zone)| is_offered(instance_type, region, zone, Some(*nth)))
            .map(|(_, zone)| zone.name)
            .collect()
    }

    #[test]
    fn some_types_are_not_in_every_zone_and_some_nowhere() {
        assert_eq!(zones_with("m5.large", "eu-central-1").len(), 3);
        assert_eq!(
            zones_with("g5.xlarge", "eu-central-1"),
            ["eu-central-1a", "eu-central-1b"]
        );
        assert!(zones_with("trn1.2xlarge", "eu-central-1").is_empty());
        assert_eq!(zones_with("p5.48xlarge", "us-west-2"), ["us-west-2a"]);
        assert!(!zones_with("m7g.large", "us-east-1").contains(&"us-east-1e".to_owned()));
        assert!(!exists("m5.huge") && !exists("x9.large"));
    }
}
