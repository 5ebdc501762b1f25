//! EKS's operations on what it offers: the versions of Kubernetes and of add-ons.

use serde_json::{Value, json};

use super::access::authorize;
use super::caller::Caller;
use super::catalog::{self, Offer, Release};
use super::error::AwsError;
use super::page::{PageRequest, with_next};

/// A version of Kubernetes: its name, its support, and when that ends.
struct Kubernetes {
    version: &'static str,
    patch: &'static str,
    support: Support,
    released: &'static str,
    standard_until: &'static str,
    extended_until: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Support {
    Standard,
    Extended,
    None,
}

impl Support {
    const fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD_SUPPORT",
            Self::Extended => "EXTENDED_SUPPORT",
            Self::None => "UNSUPPORTED",
        }
    }

    /// As the older member has it.
    const fn old_name(self) -> &'static str {
        match self {
            Self::Standard => "standard-support",
            Self::Extended => "extended-support",
            Self::None => "unsupported",
        }
    }
}

/// What one gets without naming a version.
const DEFAULT: &str = "1.34";

/// Newest first, as EKS lists them.
const VERSIONS: [Kubernetes; 8] = [
    known(
        "1.35",
        "1.35.0",
        Support::Standard,
        ["2026-01-27", "2027-03-27", "2028-03-27"],
    ),
    known(
        "1.34",
        "1.34.1",
        Support::Standard,
        ["2025-10-02", "2026-12-02", "2027-12-02"],
    ),
    known(
        "1.33",
        "1.33.5",
        Support::Extended,
        ["2025-05-29", "2026-07-29", "2027-07-29"],
    ),
    known(
        "1.32",
        "1.32.9",
        Support::Extended,
        ["2025-01-23", "2026-03-23", "2027-03-23"],
    ),
    known(
        "1.31",
        "1.31.13",
        Support::Extended,
        ["2024-09-26", "2025-11-26", "2026-11-26"],
    ),
    known(
        "1.30",
        "1.30.14",
        Support::None,
        ["2024-05-23", "2025-07-23", "2026-07-23"],
    ),
    known(
        "1.29",
        "1.29.15",
        Support::None,
        ["2024-01-23", "2025-03-23", "2026-03-23"],
    ),
    known(
        "1.28",
        "1.28.15",
        Support::None,
        ["2023-09-26", "2024-11-26", "2025-11-26"],
    ),
];

const fn known(
    version: &'static str,
    patch: &'static str,
    support: Support,
    [released, standard_until, extended_until]: [&'static str; 3],
) -> Kubernetes {
    Kubernetes {
        version,
        patch,
        support,
        released,
        standard_until,
        extended_until,
    }
}

/// Whether EKS makes clusters of this version.
pub(super) fn is_supported(version: &str) -> bool {
    let mut known = VERSIONS.iter();
    known.any(|one| one.version == version && one.support != Support::None)
}

/// Whether a version is past its standard support.
pub(super) fn is_in_extended_support(version: &str) -> bool {
    let mut known = VERSIONS.iter();
    known.any(|one| one.version == version && one.support == Support::Extended)
}

/// `DescribeClusterVersions`.
pub(super) fn describe_cluster_versions(
    caller: &Caller,
    query: &[(String, String)],
) -> Result<Value, AwsError> {
    authorize(caller, "eks:DescribeClusterVersions", "*")?;
    let all = values(query, "clusterVersions");
    let one = |name: &str| values(query, name).first().copied();
    let is = |name: &str| one(name) == Some("true");
    let support = one("versionStatus").or(one("status"));
    if let Some(wrong) = support.filter(|text| !VERSIONS.iter().any(|one| names(one, text))) {
        let why = format!("Invalid version status: {wrong}");
        return Err(AwsError::invalid_parameter(why));
    }
    let wanted = VERSIONS.iter().filter(|known| {
        let hidden = known.support == Support::None
            && !is("includeAll")
            && support.is_none()
            && all.is_empty();
        let named = all.is_empty() || all.contains(&known.version);
        let default = !is("defaultOnly") || known.version == DEFAULT;
        let supported = support.is_none_or(|text| names(known, text));
        !hidden && named && default && supported
    });
    let request = PageRequest::parse(query)?;
    let names: Vec<&str> = wanted.map(|known| known.version).collect();
    let (page, next) = request.cut("cluster-versions", names.iter().rev().copied())?;
    let shown = page.iter().rev().filter_map(|name| {
        let known = VERSIONS.iter().find(|known| known.version == *name)?;
        Some(view(known))
    });
    let shown: Vec<Value> = shown.collect();
    Ok(with_next(json!({ "clusterVersions": shown }), next))
}

fn names(known: &Kubernetes, text: &str) -> bool {
    text == known.support.name() || text == known.support.old_name()
}

fn view(known: &Kubernetes) -> Value {
    json!({
        "clusterVersion": known.version,
        "clusterType": "eks",
        "defaultPlatformVersion": "eks.9",
        "defaultVersion": known.version == DEFAULT,
        "releaseDate": day(known.released),
        "endOfStandardSupportDate": day(known.standard_until),
        "endOfExtendedSupportDate": day(known.extended_until),
        "status": known.support.old_name(),
        "versionStatus": known.support.name(),
        "kubernetesPatchVersion": known.patch,
    })
}

/// A day as seconds since the epoch.
fn day(text: &str) -> i64 {
    let day: Option<chrono::NaiveDate> = text.parse().ok();
    let midnight = day.and_then(|day| day.and_hms_opt(0, 0, 0));
    midnight.map_or(0, |midnight| midnight.and_utc().timestamp())
}

/// `DescribeAddonVersions`. What fits nothing is an empty list.
pub(super) fn describe_addon_versions(
    caller: &Caller,
    query: &[(String, String)],
) -> Result<Value, AwsError> {
    authorize(caller, "eks:DescribeAddonVersions", "*")?;
    let one = |name: &str| values(query, name).first().copied();
    let (addon, kubernetes) = (one("addonName"), one("kubernetesVersion"));
    let minor = match kubernetes.map(catalog::minor) {
        Some(None) => {
            let why = "The Kubernetes version is not valid";
            return Err(AwsError::invalid_parameter(why));
        }
        minor => minor.flatten(),
    };
    let (owners, kinds) = (values(query, "owners"), values(query, "types"));
    let region = &caller.region;
    let offers: Vec<Offer> = catalog::offers(region)
        .filter(|offer| addon.is_none_or(|name| name == offer.name))
        .filter(|offer| kinds.is_empty() || kinds.contains(&offer.kind))
        .filter(|_| owners.is_empty() || owners.contains(&"aws"))
        .filter(|offer| fitting(offer, minor).next().is_some())
        .collect();
    let scope = format!("addon-versions/{region}");
    let request = PageRequest::parse(query)?;
    let (page, next) = request.cut(&scope, offers.iter().map(|offer| offer.name))?;
    let shown: Vec<Value> = offers
        .iter()
        .filter(|offer| page.iter().any(|name| name == offer.name))
        .map(|offer| offered(offer, minor))
        .collect();
    Ok(with_next(json!({ "addons": shown }), next))
}

fn fitting(offer: &Offer, minor: Option<u32>) -> impl Iterator<Item = &Release> {
    let releases = offer.releases.iter();
    releases.filter(move |one| minor.is_none_or(|minor| one.fits.contains(&minor)))
}

fn offered(offer: &Offer, minor: Option<u32>) -> Value {
    let versions = fitting(offer, minor).map(|release| {
        let fits = release.fits.clone().rev();
        let fits = fits.filter(|one| minor.is_none_or(|minor| minor == *one));
        let compatibilities: Vec<Value> = fits
            .map(|minor| {
                json!({
                    "clusterVersion": format!("1.{minor}"),
                    "platformVersions": ["*"],
                    "defaultVersion": release.default_for.contains(&minor),
                })
            })
            .collect();
        json!({
            "addonVersion": release.version,
            "architecture": ["amd64", "arm64"],
            "computeTypes": ["ec2", "fargate"],
            "compatibilities": compatibilities,
            "requiresConfiguration": false,
            "requiresIamPermissions": offer.needs_iam,
        })
    });
    let versions: Vec<Value> = versions.collect();
    json!({
        "addonName": offer.name,
        "type": offer.kind,
        "addonVersions": versions,
        "publisher": "eks",
        "owner": "aws",
        "defaultNamespace": "kube-system",
    })
}

fn values<'a>(query: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let named = query.iter().filter(|(key, _)| key == name);
    named.map(|(_, value)| value.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(region: &str) -> Caller {
        Caller {
            account: "111111111111".into(),
            region: region.into(),
            service: "eks".into(),
            session: None,
            role: None,
        }
    }

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs.map(|(k, v)| ((*k).into(), (*v).into())).collect()
    }

    fn versions(pairs: &[(&str, &str)]) -> Vec<String> {
        let answer = describe_cluster_versions(&caller("eu-central-1"), &query(pairs)).unwrap();
        let shown = answer["clusterVersions"].as_array().unwrap().iter();
        shown
            .map(|one| one["clusterVersion"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn unsupported_versions_show_only_when_asked_for() {
        assert_eq!(versions(&[]), ["1.35", "1.34", "1.33", "1.32", "1.31"]);
        assert_eq!(versions(&[("includeAll", "true")]).len(), VERSIONS.len());
        assert_eq!(versions(&[("defaultOnly", "true")]), ["1.34"]);
        assert_eq!(
            versions(&[("versionStatus", "STANDARD_SUPPORT")]),
            ["1.35", "1.34"]
        );
        assert_eq!(versions(&[("clusterVersions", "1.29")]), ["1.29"]);
        assert!(is_supported("1.31") && !is_supported("1.30") && !is_supported("1.99"));
        let wrong = query(&[("status", "old")]);
        assert!(describe_cluster_versions(&caller("eu-central-1"), &wrong).is_err());
    }

    #[test]
    fn the_versions_of_an_add_on_are_those_that_fit() {
        let asked = query(&[("addonName", "coredns"), ("kubernetesVersion", "1.32")]);
        let answer = describe_addon_versions(&caller("eu-central-1"), &asked).unwrap();
        let shown = answer["addons"][0]["addonVersions"].as_array().unwrap();
        let names: Vec<&str> = shown
            .iter()
            .map(|one| one["addonVersion"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "v1.11.4-eksbuild.24",
                "v1.11.4-eksbuild.2",
                "v1.11.3-eksbuild.1"
            ]
        );
        assert_eq!(shown[1]["compatibilities"][0]["defaultVersion"], true);
        for nothing in [
            query(&[("addonName", "nonsense")]),
            query(&[("addonName", "coredns"), ("kubernetesVersion", "1.99")]),
        ] {
            let answer = describe_addon_versions(&caller("eu-central-1"), &nothing).unwrap();
            assert_eq!(answer["addons"], json!([]));
        }
        let asked = query(&[("addonName", "metrics-server")]);
        let answer = describe_addon_versions(&caller("cn-north-1"), &asked).unwrap();
        assert_eq!(answer["addons"], json!([]));
    }
}
