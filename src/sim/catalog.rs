//! The add-ons that EKS offers: versions, for which Kubernetes versions, and what each can be
//! configured by. A sample of the real list.

use std::ops::RangeInclusive;

/// One version of an add-on. The ranges are of Kubernetes' minor versions.
#[derive(Debug, Clone)]
pub(super) struct Release {
    pub version: &'static str,
    /// Where it can be installed.
    pub fits: RangeInclusive<u32>,
    /// Where it is what one gets without naming a version; an empty range for nowhere.
    pub default_for: RangeInclusive<u32>,
}

/// An add-on, its newest version first.
pub(super) struct Offer {
    pub name: &'static str,
    pub kind: &'static str,
    pub needs_iam: bool,
    pub releases: Vec<Release>,
}

const NOWHERE: (u32, u32) = (1, 0);

/// Version, first and last minor version that it fits, first and last for which it is the default.
type Row = (&'static str, (u32, u32), (u32, u32));

/// Name, kind, whether it asks AWS for something, versions.
const OFFERS: &[(&str, &str, bool, &[Row])] = &[
    (
        "amazon-cloudwatch-observability",
        "observability",
        true,
        &[("v4.3.1-eksbuild.1", (28, 35), (28, 35))],
    ),
    (
        "aws-ebs-csi-driver",
        "storage",
        true,
        &[
            ("v1.53.0-eksbuild.1", (30, 35), NOWHERE),
            ("v1.48.0-eksbuild.2", (28, 35), (28, 35)),
            ("v1.44.0-eksbuild.1", (28, 34), NOWHERE),
        ],
    ),
    (
        "aws-efs-csi-driver",
        "storage",
        true,
        &[("v2.1.11-eksbuild.1", (28, 35), (28, 35))],
    ),
    (
        "cert-manager",
        "security",
        false,
        &[("v1.18.2-eksbuild.2", (28, 35), (28, 35))],
    ),
    (
        "coredns",
        "networking",
        false,
        &[
            ("v1.13.2-eksbuild.1", (34, 35), NOWHERE),
            ("v1.13.1-eksbuild.1", (34, 35), (35, 35)),
            ("v1.12.4-eksbuild.1", (33, 35), NOWHERE),
            ("v1.12.3-eksbuild.1", (33, 34), (34, 34)),
            ("v1.12.1-eksbuild.2", (33, 34), (33, 33)),
            ("v1.11.4-eksbuild.24", (29, 33), NOWHERE),
            ("v1.11.4-eksbuild.2", (29, 33), (31, 32)),
            ("v1.11.3-eksbuild.1", (28, 32), (28, 30)),
        ],
    ),
    (
        "eks-node-monitoring-agent",
        "observability",
        false,
        &[("v1.4.0-eksbuild.2", (28, 35), (28, 35))],
    ),
    (
        "eks-pod-identity-agent",
        "security",
        false,
        &[
            ("v1.3.9-eksbuild.3", (30, 35), NOWHERE),
            ("v1.3.8-eksbuild.2", (28, 35), (28, 35)),
            ("v1.3.4-eksbuild.1", (28, 34), NOWHERE),
        ],
    ),
    (
        "external-dns",
        "networking",
        true,
        &[("v0.18.0-eksbuild.2", (28, 35), (28, 35))],
    ),
    (
        "kube-proxy",
        "networking",
        false,
        &[
            ("v1.35.0-eksbuild.2", (35, 35), (35, 35)),
            ("v1.34.1-eksbuild.2", (34, 34), NOWHERE),
            ("v1.34.0-eksbuild.2", (34, 34), (34, 34)),
            ("v1.33.3-eksbuild.4", (33, 34), (33, 33)),
            ("v1.32.6-eksbuild.6", (32, 33), (32, 32)),
            ("v1.31.10-eksbuild.6", (31, 32), (31, 31)),
            ("v1.30.14-eksbuild.2", (30, 31), (30, 30)),
            ("v1.29.15-eksbuild.2", (28, 30), (28, 29)),
        ],
    ),
    (
        "kube-state-metrics",
        "observability",
        false,
        &[("v2.17.0-eksbuild.1", (28, 35), (28, 35))],
    ),
    (
        "metrics-server",
        "observability",
        false,
        &[
            ("v0.8.0-eksbuild.3", (31, 35), NOWHERE),
            ("v0.8.0-eksbuild.2", (28, 35), (28, 35)),
            ("v0.7.2-eksbuild.4", (28, 33), NOWHERE),
        ],
    ),
    (
        "prometheus-node-exporter",
        "observability",
        false,
        &[("v1.9.1-eksbuild.4", (28, 35), (28, 35))],
    ),
    (
        "snapshot-controller",
        "storage",
        false,
        &[("v8.3.0-eksbuild.1", (28, 35), (28, 35))],
    ),
    (
        "vpc-cni",
        "networking",
        true,
        &[
            ("v1.20.4-eksbuild.1", (31, 35), NOWHERE),
            ("v1.20.1-eksbuild.3", (28, 35), (28, 35)),
            ("v1.19.6-eksbuild.7", (28, 34), NOWHERE),
            ("v1.19.2-eksbuild.1", (28, 33), NOWHERE),
        ],
    ),
];

/// What an add-on can be configured by; the others take anything.
const SCHEMAS: [(&str, &[&str]); 6] = [
    (
        "aws-ebs-csi-driver",
        &[
            "additionalDaemonSets",
            "controller",
            "defaultStorageClass",
            "enableFIPS",
            "fips",
            "node",
            "nodeComponentOnly",
            "sidecars",
            "storageClasses",
            "volumeSnapshotClasses",
        ],
    ),
    (
        "coredns",
        &[
            "affinity",
            "autoScaling",
            "computeType",
            "corefile",
            "livenessProbe",
            "nodeSelector",
            "podAnnotations",
            "podDisruptionBudget",
            "podLabels",
            "replicaCount",
            "resources",
            "tolerations",
            "topologySpreadConstraints",
        ],
    ),
    (
        "eks-pod-identity-agent",
        &[
            "additionalArgs",
            "affinity",
            "agent",
            "env",
            "nodeSelector",
            "podAnnotations",
            "podLabels",
            "priorityClassName",
            "resources",
            "tolerations",
            "updateStrategy",
        ],
    ),
    (
        "kube-proxy",
        &[
            "ipvs",
            "mode",
            "podAnnotations",
            "podLabels",
            "resources",
            "tolerations",
        ],
    ),
    (
        "metrics-server",
        &[
            "addonResizer",
            "affinity",
            "args",
            "nodeSelector",
            "podAnnotations",
            "podDisruptionBudget",
            "podLabels",
            "replicas",
            "resources",
            "tolerations",
            "topologySpreadConstraints",
            "updateStrategy",
        ],
    ),
    (
        "vpc-cni",
        &[
            "affinity",
            "branchENICooldown",
            "enableNetworkPolicy",
            "enableWindowsIpam",
            "enableWindowsPrefixDelegation",
            "eniConfig",
            "env",
            "init",
            "livenessProbeTimeoutSeconds",
            "minimumWindowsIPTarget",
            "nodeAgent",
            "nodeSelector",
            "originalMatchLabels",
            "podAnnotations",
            "podLabels",
            "readinessProbeTimeoutSeconds",
            "resources",
            "tolerations",
            "warmWindowsIPTarget",
            "warmWindowsPrefixTarget",
        ],
    ),
];

/// The add-ons of a region, by name.
pub(super) fn offers(region: &str) -> impl Iterator<Item = Offer> {
    let apart = ["cn-", "us-gov-"]
        .iter()
        .any(|begin| region.starts_with(begin));
    let everywhere = !apart && !region.contains("-iso");
    OFFERS
        .iter()
        .filter(move |(name, ..)| everywhere || *name != "metrics-server")
        .map(|(name, kind, needs_iam, rows)| Offer {
            name,
            kind,
            needs_iam: *needs_iam,
            releases: rows
                .iter()
                .map(|(version, fits, default_for)| Release {
                    version,
                    fits: fits.0..=fits.1,
                    default_for: default_for.0..=default_for.1,
                })
                .collect(),
        })
}

/// One of them.
pub(super) fn offer(region: &str, name: &str) -> Option<Offer> {
    offers(region).find(|offer| offer.name == name)
}

/// What an add-on can be configured by; `None` for anything.
pub(super) fn schema(name: &str) -> Option<&'static [&'static str]> {
    let found = SCHEMAS.iter().find(|(known, _)| *known == name);
    found.map(|(_, keys)| *keys)
}

/// The minor version of `1.34`.
pub(super) fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("1.")?.parse().ok()
}

impl Offer {
    /// What one gets without naming a version.
    pub(super) fn default_version(&self, minor: u32) -> Option<&'static str> {
        let found = self
            .releases
            .iter()
            .find(|one| one.default_for.contains(&minor));
        found.map(|one| one.version)
    }

    /// Whether this version can be installed there.
    pub(super) fn has(&self, version: &str, minor: u32) -> bool {
        let mut found = self.releases.iter();
        found.any(|one| one.version == version && one.fits.contains(&minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_add_on_has_one_default_for_every_version_and_it_fits() {
        for offer in offers("eu-central-1") {
            for minor in 28..=35 {
                let default = offer.default_version(minor);
                assert!(default.is_some_and(|version| offer.has(version, minor)));
                let defaults = offer.releases.iter();
                let defaults = defaults.filter(|one| one.default_for.contains(&minor));
                assert_eq!(defaults.count(), 1, "{} for 1.{minor}", offer.name);
            }
        }
    }

    #[test]
    fn metrics_server_is_not_offered_in_china_and_to_governments() {
        for (region, there) in [
            ("eu-central-1", true),
            ("cn-north-1", false),
            ("us-gov-west-1", false),
            ("us-iso-east-1", false),
        ] {
            assert_eq!(offer(region, "metrics-server").is_some(), there, "{region}");
            assert!(offer(region, "coredns").is_some());
        }
    }
}
