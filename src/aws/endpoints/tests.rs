use aws_config::BehaviorVersion;

use super::*;
use crate::domain::Region;

/// Service, region, FIPS, dual stack, URL, region of the signature; what botocore resolves.
const HOSTS: &str = include_str!("../../../tests/data/endpoints.tsv");

struct Line<'a> {
    service: &'a str,
    region: Region,
    fips: bool,
    dual_stack: bool,
    url: &'a str,
    signs_for: &'a str,
}

fn lines() -> impl Iterator<Item = Line<'static>> {
    HOSTS.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [service, region, fips, dual_stack, url, signs_for] = cells.as_slice() else {
            panic!("{line}")
        };
        Line {
            service,
            region: Region::parse(*region).unwrap(),
            fips: *fips == "fips",
            dual_stack: *dual_stack == "dual",
            url,
            signs_for,
        }
    })
}

#[tokio::test]
async fn every_region_is_where_botocore_says_with_fips_and_dual_stack() {
    let mut compared = 0;
    for line in lines() {
        let wanted = Wanted {
            region: line.region.as_str(),
            partition: line.region.partition().as_str(),
            fips: line.fips,
            dual_stack: line.dual_stack,
        };
        let resolved = match line.service {
            "ec2" => by_rules(QueryService::Ec2, wanted),
            "logs" => by_rules(QueryService::Logs, wanted),
            "iam" => by_rules(QueryService::Iam, wanted),
            "elasticloadbalancing" => by_rules(QueryService::ElbV2, wanted),
            "sts" => of_sts(&SdkConfig::builder().build(), wanted)
                .await
                .map(|url| ServicePlace {
                    url,
                    region: line.region.as_str().to_owned(),
                })
                .map_err(|error| error.to_string()),
            other => panic!("{other}"),
        };
        if line.url == "-" {
            assert!(resolved.is_err(), "{} {wanted:?}", line.service);
        } else {
            let expected = ServicePlace {
                url: line.url.to_owned(),
                region: line.signs_for.to_owned(),
            };
            assert_eq!(resolved, Ok(expected), "{} {wanted:?}", line.service);
        }
        compared += 1;
    }
    assert!(compared > 700, "{compared}");
}

fn config(url: Option<&str>) -> SdkConfig {
    let mut config = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
    config.set_use_fips(Some(true));
    config.set_endpoint_url(url.map(str::to_owned));
    config.build()
}

#[test]
fn the_configuration_says_fips_and_an_address_goes_first() {
    let fips = config(None);
    let wanted = Wanted::of(&fips, "eu-west-1", "aws");
    let place = of_query(QueryService::Ec2, &fips, wanted).unwrap();
    assert_eq!(place.url, "https://ec2-fips.eu-west-1.amazonaws.com");
    let simulated = config(Some("http://127.0.0.1:1"));
    let place = of_query(QueryService::Iam, &simulated, wanted).unwrap();
    assert_eq!(place.url, "http://127.0.0.1:1");
    assert_eq!(place.region, "us-east-1");
}

/// As the SDK's loader reads it of the environment or of a profile.
#[derive(Debug)]
struct Loaded(&'static str);

impl aws_types::service_config::LoadServiceConfig for Loaded {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.service_id() == self.0).then(|| "https://vpce-1.example".to_owned())
    }
}

#[tokio::test]
async fn an_address_of_one_service_is_for_that_service_alone() {
    for (own, other) in [("EC2", "IAM"), ("IAM", "EC2"), ("STS", "EC2")] {
        let config = SdkConfig::builder().service_config(Loaded(own)).build();
        assert_eq!(configured(&config, own).unwrap(), "https://vpce-1.example");
        assert_eq!(configured(&config, other), None);
    }
}

#[test]
fn what_no_partition_has_is_an_error() {
    let wanted = Wanted {
        region: "eu-west-1",
        partition: "mars",
        fips: false,
        dual_stack: false,
    };
    let error = by_rules(QueryService::Ec2, wanted).unwrap_err();
    assert_eq!(error, "no partition is named mars");
}
