//! The VPC endpoints by which a private cluster reaches AWS's services.

use crate::domain::ids::{Partition, Region};
use serde::{Deserialize, Serialize};

/// The services that every private cluster needs.
pub const REQUIRED: [&str; 5] = ["ec2", "ecr.api", "ecr.dkr", S3, "sts"];
/// Those that can be asked for.
pub const OPTIONAL: [&str; 3] = ["autoscaling", "cloudformation", LOGS];
/// `CloudWatch` Logs.
pub const LOGS: &str = "logs";
/// The one that is reached by routes, not by network interfaces.
const S3: &str = "s3";

/// An endpoint to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VpcEndpoint {
    /// The service as eksctl calls it, such as `ecr.api`.
    pub service: String,
    /// The service as AWS calls it, such as `com.amazonaws.eu-central-1.ecr.api`.
    pub service_name: String,
    /// The zones in which AWS offers it; empty where AWS was not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
}

impl VpcEndpoint {
    /// The endpoint of a service in a region.
    #[must_use]
    pub fn of(service: &str, region: &Region) -> Self {
        Self {
            service: service.to_owned(),
            service_name: format!("{}.{region}.{service}", prefix(service, region)),
            zones: Vec::new(),
        }
    }

    /// Whether it is reached by routes.
    #[must_use]
    pub fn is_gateway(&self) -> bool {
        self.service == S3
    }

    /// Whether AWS offers it in a zone.
    #[must_use]
    pub fn is_in(&self, zone: &str) -> bool {
        self.zones.is_empty() || self.zones.iter().any(|one| one == zone)
    }

    /// Its logical id, as eksctl forms it: `ecr.api` is `VPCEndpointECRAPI`.
    #[must_use]
    pub fn logical_id(&self) -> String {
        format!(
            "VPCEndpoint{}",
            self.service.replace('.', "").to_uppercase()
        )
    }
}

/// What the name of a service begins with, where some services of a partition have names of its own.
fn prefix(service: &str, region: &Region) -> &'static str {
    const USUAL: &str = "com.amazonaws";
    let china = ["ec2", "ecr.api", "ecr.dkr", "sts", "cloudformation"];
    let isolated = ["ec2", "ecr.api", "ecr.dkr", "autoscaling"];
    match region.partition() {
        Partition::AwsCn if china.contains(&service) => "cn.com.amazonaws",
        Partition::AwsIso if isolated.contains(&service) => "gov.ic.c2s",
        Partition::AwsIsoB if isolated.contains(&service) => "gov.sgov.sc2s",
        Partition::AwsIsoE if service.starts_with("ecr.") => "uk.adc-e.cloud",
        Partition::AwsIsoF if service.starts_with("ecr.") => "gov.ic.hci.csp",
        _ => USUAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_named_by_the_region_and_its_partition() {
        let name = |service: &str, region: &str| {
            let region = Region::parse(region).unwrap();
            VpcEndpoint::of(service, &region).service_name
        };
        assert_eq!(
            name("ecr.api", "eu-central-1"),
            "com.amazonaws.eu-central-1.ecr.api"
        );
        assert_eq!(
            name("ecr.api", "cn-north-1"),
            "cn.com.amazonaws.cn-north-1.ecr.api"
        );
        assert_eq!(name("s3", "cn-north-1"), "com.amazonaws.cn-north-1.s3");
        let region = Region::parse("us-west-2").unwrap();
        let endpoint = VpcEndpoint::of("ecr.dkr", &region);
        assert_eq!(endpoint.logical_id(), "VPCEndpointECRDKR");
        assert!(endpoint.is_in("us-west-2a") && !endpoint.is_gateway());
    }
}
