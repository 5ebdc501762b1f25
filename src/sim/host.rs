//! What every simulated cluster knows of the simulator that it lives in.

use std::net::SocketAddr;
use std::time::Duration;

/// Where the simulator listens, and how fast it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Host {
    /// `http://127.0.0.1:4580`; none in tests without a listener.
    pub url: Option<String>,
    /// How many times faster than AWS; 0 counts as 1.
    speed: f64,
}

impl Host {
    pub(super) fn new(speed: f64) -> Self {
        Self { url: None, speed }
    }

    /// An address that stands for every one of this machine is shown as loopback: clients connect to it.
    pub(super) fn listening(mut self, address: SocketAddr) -> Self {
        let mut reached = address;
        if address.ip().is_unspecified() {
            reached.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        self.url = Some(format!("http://{reached}"));
        self
    }

    /// How long something takes here that takes `aws` at AWS.
    pub(super) fn scale(&self, aws: Duration) -> Duration {
        if self.speed > 0.0 {
            aws.div_f64(self.speed)
        } else {
            aws
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_every_interface_is_reached_by_loopback() {
        let url = |address: &str| Host::new(1.0).listening(address.parse().unwrap()).url;
        assert_eq!(
            url("0.0.0.0:4580").as_deref(),
            Some("http://127.0.0.1:4580")
        );
        assert_eq!(url("[::]:4580").as_deref(), Some("http://[::1]:4580"));
        assert_eq!(url("10.0.0.1:80").as_deref(), Some("http://10.0.0.1:80"));
    }
}
