//! The fleet that the simulator begins with: which accounts, regions and clusters exist.

use std::fmt;
use std::str::FromStr;

/// Accounts of a small fleet; larger ones count on from [`FIRST_COUNTED_ACCOUNT`].
const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];
const FIRST_COUNTED_ACCOUNT: u64 = 100_000_000_001;

/// Regions in the order in which fleets take them. The guide's region is not among them.
const REGIONS: [&str; 14] = [
    "eu-central-1",
    "us-east-1",
    "eu-west-1",
    "us-west-2",
    "ap-southeast-1",
    "us-east-2",
    "eu-north-1",
    "ca-central-1",
    "sa-east-1",
    "eu-west-2",
    "ap-southeast-2",
    "eu-west-3",
    "ap-south-1",
    "us-west-1",
];

/// Where the guide's config file expects its cluster: always in the first account.
const GUIDE_REGION: &str = "ap-northeast-1";
const GUIDE_CLUSTER: &str = "fargate-example-cluster";

const LARGEST_SIDE: u32 = 999;
const LARGEST_FLEET: u32 = 20_000;

/// How many accounts, regions in each, and clusters in each of these: written `3x2x2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetShape {
    /// Accounts, 1..=999.
    pub accounts: u32,
    /// Regions in every account, 1..=999.
    pub regions: u32,
    /// Clusters in every region, 1..=999.
    pub clusters: u32,
}

/// Why a text is no [`FleetShape`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FleetShapeError {
    /// Not three numbers.
    #[error("a fleet is written accounts x regions x clusters, such as 3x2x2, not `{0}`")]
    Malformed(String),
    /// A number out of its bounds.
    #[error(
        "a fleet has 1 to 999 accounts, regions and clusters each, and at most 20000 clusters in all; `{0}` has not"
    )]
    OutOfBounds(FleetShape),
}

/// One account of the fleet, as somebody who registers it needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimAccount {
    /// 12 digits.
    pub account_id: String,
    /// A name for people.
    pub name: String,
    /// The role to assume: `arn:aws:iam::<id>:role/fargate-fleet`.
    pub role_arn: String,
    /// The pod execution role: `arn:aws:iam::<id>:role/fargate-pod-execution`.
    pub pod_execution_role_arn: String,
    /// The regions in use.
    pub regions: Vec<String>,
    /// (region, name) of each cluster.
    pub clusters: Vec<(String, String)>,
}

impl FleetShape {
    /// The accounts of this fleet with all that is in them.
    #[must_use]
    pub fn accounts(&self) -> Vec<SimAccount> {
        (0..self.accounts)
            .map(|index| self.account(index))
            .collect()
    }

    fn account(&self, index: u32) -> SimAccount {
        let account_id = account_id(index);
        let mut regions: Vec<String> = (0..self.regions).map(region).collect();
        let mut clusters: Vec<(String, String)> = regions
            .iter()
            .flat_map(|region| (0..self.clusters).map(|i| (region.clone(), cluster_name(i))))
            .collect();
        if index == 0 {
            regions.push(GUIDE_REGION.to_owned());
            clusters.push((GUIDE_REGION.to_owned(), GUIDE_CLUSTER.to_owned()));
        }
        SimAccount {
            name: format!("demo-{}", index + 1),
            role_arn: format!("arn:aws:iam::{account_id}:role/{}", super::sts::FLEET_ROLE),
            pod_execution_role_arn: format!("arn:aws:iam::{account_id}:role/fargate-pod-execution"),
            account_id,
            regions,
            clusters,
        }
    }

    fn bounded(self) -> Result<Self, FleetShapeError> {
        let sides = [self.accounts, self.regions, self.clusters];
        let fits = sides.iter().all(|side| (1..=LARGEST_SIDE).contains(side))
            && sides.iter().product::<u32>() <= LARGEST_FLEET;
        if fits {
            Ok(self)
        } else {
            Err(FleetShapeError::OutOfBounds(self))
        }
    }
}

fn account_id(index: u32) -> String {
    let small = usize::try_from(index)
        .ok()
        .and_then(|index| ACCOUNTS.get(index));
    small.map_or_else(
        || (FIRST_COUNTED_ACCOUNT + u64::from(index) - ACCOUNTS.len() as u64).to_string(),
        |id| (*id).to_owned(),
    )
}

fn region(index: u32) -> String {
    let known = usize::try_from(index)
        .ok()
        .and_then(|index| REGIONS.get(index));
    known.map_or_else(|| format!("eu-west-{index}"), |name| (*name).to_owned())
}

fn cluster_name(index: u32) -> String {
    let stage = if index.is_multiple_of(2) {
        "prod"
    } else {
        "dev"
    };
    format!("{stage}-{}", index / 2 + 1)
}

impl Default for FleetShape {
    fn default() -> Self {
        Self {
            accounts: 3,
            regions: 2,
            clusters: 2,
        }
    }
}

impl fmt::Display for FleetShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.accounts, self.regions, self.clusters)
    }
}

impl FromStr for FleetShape {
    type Err = FleetShapeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || FleetShapeError::Malformed(text.chars().take(40).collect());
        let sides: Vec<u32> = text
            .split('x')
            .map(|side| side.trim().parse().map_err(|_| malformed()))
            .collect::<Result<_, _>>()?;
        let &[accounts, regions, clusters] = sides.as_slice() else {
            return Err(malformed());
        };
        let shape = Self {
            accounts,
            regions,
            clusters,
        };
        if sides.iter().any(|side| *side > LARGEST_SIDE) {
            return Err(FleetShapeError::OutOfBounds(shape));
        }
        shape.bounded()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_fleet_is_the_documented_one() {
        let fleet = FleetShape::default().accounts();
        let ids: Vec<_> = fleet
            .iter()
            .map(|account| account.account_id.as_str())
            .collect();
        assert_eq!(ids, ACCOUNTS);
        assert_eq!(fleet[1].regions, ["eu-central-1", "us-east-1"]);
        assert_eq!(fleet[1].clusters.len(), 4);
        assert_eq!(
            fleet[1].clusters[1],
            ("eu-central-1".into(), "dev-1".into())
        );
        assert_eq!(fleet[0].clusters.len(), 5);
        assert_eq!(
            fleet[0].clusters[4],
            ("ap-northeast-1".into(), "fargate-example-cluster".into())
        );
        assert_eq!(
            fleet[0].role_arn,
            "arn:aws:iam::111111111111:role/fargate-fleet"
        );
    }

    #[test]
    fn larger_fleets_count_on() {
        let shape: FleetShape = "5x1x4".parse().unwrap();
        let fleet = shape.accounts();
        assert_eq!(fleet[3].account_id, "100000000001");
        assert_eq!(fleet[4].account_id, "100000000002");
        let names: Vec<_> = fleet[4]
            .clusters
            .iter()
            .map(|(_, name)| name.as_str())
            .collect();
        assert_eq!(names, ["prod-1", "dev-1", "prod-2", "dev-2"]);
    }

    #[test]
    fn ids_and_regions_of_the_largest_fleets_are_distinct() {
        let accounts: std::collections::BTreeSet<_> = (0..999).map(account_id).collect();
        let regions: std::collections::BTreeSet<_> = (0..999).map(region).collect();
        assert_eq!((accounts.len(), regions.len()), (999, 999));
        assert!(!regions.contains(GUIDE_REGION));
    }

    #[test]
    fn shapes_are_read_written_and_bounded() {
        assert_eq!(
            "10x2x5".parse::<FleetShape>().unwrap().to_string(),
            "10x2x5"
        );
        for bad in [
            "",
            "3",
            "3x2",
            "3x2x2x1",
            "axbxc",
            "-1x1x1",
            "0x1x1",
            "1000x1x1",
            "999x999x1",
        ] {
            assert!(bad.parse::<FleetShape>().is_err(), "{bad}");
        }
    }
}
