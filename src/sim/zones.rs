//! The availability zones of a region. Those in which EKS makes no control planes are among them.

/// A zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Zone {
    /// Such as `eu-central-1a`.
    pub name: String,
    /// Such as `euc1-az1`.
    pub id: String,
}

impl Zone {
    /// Whether EKS makes no control planes there.
    pub(super) fn is_avoided(&self) -> bool {
        matches!(self.id.as_str(), "use1-az3" | "usw1-az2" | "cac1-az3")
    }
}

/// The zones of a region: three, but more or other ones in some.
pub(super) fn of(region: &str) -> Vec<Zone> {
    let letters: &[(char, u8)] = match region {
        "us-east-1" => &[('a', 1), ('b', 2), ('c', 4), ('d', 6), ('e', 3), ('f', 5)],
        "us-west-2" | "ca-central-1" => &[('a', 1), ('b', 2), ('c', 3), ('d', 4)],
        "ap-northeast-1" => &[('a', 4), ('c', 1), ('d', 2)],
        _ => &[('a', 1), ('b', 2), ('c', 3)],
    };
    let prefix = short(region);
    letters
        .iter()
        .map(|(letter, number)| Zone {
            name: format!("{region}{letter}"),
            id: format!("{prefix}-az{number}"),
        })
        .collect()
}

/// The local zones that accounts have opted in to.
pub(super) fn local(region: &str) -> Vec<Zone> {
    let zones: &[(&str, &str)] = match region {
        "us-west-2" => &[("lax-1a", "lax1-az1"), ("lax-1b", "lax1-az2")],
        "eu-central-1" => &[("ham-1a", "ham1-az1"), ("waw-1a", "waw1-az1")],
        _ => &[],
    };
    let prefix = short(region);
    let zones = zones.iter();
    zones
        .map(|(name, id)| Zone {
            name: format!("{region}-{name}"),
            id: format!("{prefix}-{id}"),
        })
        .collect()
}

/// The region as zone ids begin: `apne1` for `ap-northeast-1`.
fn short(region: &str) -> String {
    let mut parts = region.split('-');
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part {
            "northeast" => short.push_str("ne"),
            "northwest" => short.push_str("nw"),
            "southeast" => short.push_str("se"),
            "southwest" => short.push_str("sw"),
            number if number.bytes().all(|byte| byte.is_ascii_digit()) => short.push_str(number),
            word => short.extend(word.chars().next()),
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_aws() {
        for (region, first) in [
            ("eu-central-1", "euc1-az1"),
            ("us-east-1", "use1-az1"),
            ("ap-southeast-2", "apse2-az1"),
            ("us-gov-west-1", "usgw1-az1"),
            ("cn-northwest-1", "cnnw1-az1"),
        ] {
            assert_eq!(of(region)[0].id, first);
        }
    }

    #[test]
    fn some_zones_take_no_control_plane() {
        for (region, zones) in [("us-east-1", 5), ("us-west-1", 2), ("ca-central-1", 3)] {
            let usable = of(region).iter().filter(|zone| !zone.is_avoided()).count();
            assert_eq!(usable, zones, "{region}");
        }
    }
}
