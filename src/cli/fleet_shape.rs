//! The size of a simulated fleet, written `3x2x2`: accounts x regions x clusters.

use std::str::FromStr;

/// Accounts, regions in each, clusters in each of those; none is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FleetShape {
    /// How many accounts.
    pub(crate) accounts: u16,
    /// How many regions in each account.
    pub(crate) regions: u16,
    /// How many clusters in each region of an account.
    pub(crate) clusters: u16,
}

impl FromStr for FleetShape {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<u16>> = text
            .split('x')
            .map(|part| {
                part.parse()
                    .ok()
                    .filter(|number| (1..=10_000).contains(number))
            })
            .collect();
        match numbers.as_deref() {
            Some(&[accounts, regions, clusters]) => Ok(Self {
                accounts,
                regions,
                clusters,
            }),
            _ => Err("accounts x regions x clusters, each from 1 to 10000, such as 3x2x2"),
        }
    }
}
