//! What a simulator can be told when it starts.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::fleet::FleetShape;

/// How a simulator behaves. Durations are AWS's own: they are divided by `speed`.
#[derive(Debug, Clone)]
pub struct SimOptions {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// How many times faster than AWS.
    pub speed: f64,
    /// The accounts, regions and clusters that exist at the start.
    pub fleet: FleetShape,
    /// From the creation of a profile to its `ACTIVE`.
    pub create_time: Duration,
    /// From the deletion of a profile until it is gone.
    pub delete_time: Duration,
    /// How long after `ACTIVE` the cluster still refuses mutations as if being updated.
    pub settle_time: Duration,
    /// How long after its creation a role is not known to EKS.
    pub iam_propagation: Duration,
    /// Whether `AssumeRole` demands an external id even where none was set (any is taken then).
    pub require_external_id: bool,
    /// Quota: profiles in a cluster.
    pub profiles_per_cluster: usize,
    /// Quota: selectors in a profile.
    pub selectors_per_profile: usize,
    /// Quota: label pairs in a selector.
    pub labels_per_selector: usize,
    /// Reads a second in an (account, region), also the burst.
    pub reads_per_second: u32,
    /// Mutations a second in an (account, region), also the burst.
    pub mutations_per_second: u32,
    /// The `endpoint` of clusters that stacks make; the simulator's own Kubernetes API when absent.
    pub kubernetes_endpoint: Option<String>,
    /// The `certificateAuthority.data` of these: base64.
    pub certificate_authority: Option<String>,
    /// No more nodes of each nodegroup than this join, in clusters that stacks make.
    pub max_joining_nodes: Option<u32>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4580)),
            speed: 60.0,
            fleet: FleetShape::default(),
            create_time: Duration::from_mins(2),
            delete_time: Duration::from_mins(4),
            settle_time: Duration::from_secs(30),
            iam_propagation: Duration::from_secs(10),
            require_external_id: false,
            profiles_per_cluster: 10,
            selectors_per_profile: 5,
            labels_per_selector: 5,
            reads_per_second: 200,
            mutations_per_second: 200,
            kubernetes_endpoint: None,
            certificate_authority: None,
            max_joining_nodes: None,
        }
    }
}

impl SimOptions {
    /// Refuses a speed that no clock can keep.
    pub(super) fn check(&self) -> io::Result<()> {
        if (0.001..=1_000_000.0).contains(&self.speed) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "the speed must lie between 0.001 and 1000000, and {} does not",
                self.speed
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_speeds_are_refused() {
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(
                SimOptions {
                    speed,
                    ..SimOptions::default()
                }
                .check()
                .is_err(),
                "{speed}"
            );
        }
        assert!(SimOptions::default().check().is_ok());
    }
}
