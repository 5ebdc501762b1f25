//! A cluster as `DescribeCluster` answers it, and the network of one that no stack made.

use serde_json::{Value, json};

use super::Cluster;
use crate::sim::arn;
use crate::sim::clock::epoch_seconds;
use crate::sim::config_change::logs_view;

impl Cluster {
    /// The VPC, the public and the private subnets of a cluster that no stack made: others have their own.
    pub(in crate::sim) fn built_in_network(&self) -> Option<(String, Vec<String>, Vec<String>)> {
        let own = self.details.as_ref();
        let made = own.is_some_and(|own| own.described.contains_key("resourcesVpcConfig"));
        (!made).then(|| {
            let id = self.fingerprint();
            let subnets = |kind: char| (1..=3).map(|n| format!("subnet-0{id}{kind}{n}")).collect();
            (format!("vpc-0{id}c1"), subnets('a'), subnets('b'))
        })
    }

    /// 14 hexadecimal digits that follow from the ARN.
    fn fingerprint(&self) -> String {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(self.arn.as_bytes());
        let number = digest.first_chunk().copied().map_or(0, u64::from_be_bytes);
        format!("{:014x}", number >> 8)
    }

    /// As `DescribeCluster` answers it.
    pub(in crate::sim) fn view(&self) -> Value {
        let id = self.fingerprint();
        let parts = arn::Arn::parse(&self.arn);
        let (partition, region, account) = parts.map_or(("aws", "", ""), |arn| {
            (arn.partition, arn.region, arn.account)
        });
        let network = self.built_in_network();
        let (vpc, public, private) = network.unwrap_or_default();
        let subnets = [public, private].concat();
        let updating = self.status == "ACTIVE" && self.update.is_some();
        let oidc = format!(
            "https://oidc.eks.{region}.amazonaws.com/id/{}",
            id.to_uppercase()
        );
        let mut view = json!({
            "name": self.name,
            "arn": self.arn,
            "createdAt": epoch_seconds(self.created_at),
            "version": "1.34",
            "endpoint": self.endpoint(&id, (account, region)),
            "roleArn": format!("arn:{partition}:iam::{account}:role/eksctl-{}-cluster-ServiceRole", self.name),
            "resourcesVpcConfig": {
                "subnetIds": subnets,
                "securityGroupIds": [format!("sg-0{id}d1")],
                "clusterSecurityGroupId": format!("sg-0{id}d2"),
                "vpcId": vpc,
                "endpointPublicAccess": true,
                "endpointPrivateAccess": false,
                "publicAccessCidrs": ["0.0.0.0/0"],
            },
            "kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.100.0.0/16", "ipFamily": "ipv4"},
            "logging": logs_view(&[]),
            "upgradePolicy": {"supportType": "EXTENDED"},
            "identity": {"oidc": {"issuer": oidc}},
            "status": if updating { "UPDATING" } else { self.status.as_str() },
            "certificateAuthority": {"data": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="},
            "platformVersion": "eks.9",
            "tags": self.tags,
            "health": {"issues": []},
            "deletionProtection": false,
            "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        });
        if let (Some(details), Some(view)) = (&self.details, view.as_object_mut()) {
            view.extend(details.described.clone());
            if matches!(self.status.as_str(), "CREATING" | "FAILED") {
                for late in ["endpoint", "identity"] {
                    view.remove(late);
                }
                view.insert("certificateAuthority".to_owned(), json!({}));
            }
        }
        view
    }

    /// On the simulator's own address; of AWS's shape where there is none.
    fn endpoint(&self, id: &str, (account, region): (&str, &str)) -> String {
        if let Some(url) = &self.host.url {
            return format!("{url}/_kubernetes/{account}/{region}/{}", self.name);
        }
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        format!(
            "https://{}.gr7.{region}.eks.amazonaws.com{suffix}",
            id.to_uppercase()
        )
    }
}
