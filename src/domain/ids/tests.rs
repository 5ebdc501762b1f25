use super::*;
use proptest::prelude::*;

#[test]
fn an_account_id_is_twelve_digits() {
    assert!(AccountId::parse("000000000001").is_ok());
    for bad in [
        "",
        "12345678901",
        "1234567890123",
        "12345678901a",
        "１２３４５６７８９０１２",
    ] {
        assert!(AccountId::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(
        AccountId::parse("12x").unwrap_err().message(),
        r#"invalid AWS account id "12x": expected exactly 12 digits"#
    );
}

#[test]
fn regions_know_their_partition() {
    for (region, partition) in [
        ("eu-central-1", "aws"),
        ("ap-southeast-7", "aws"),
        ("us-east-1", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-west-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
    ] {
        assert_eq!(
            Region::parse(region).unwrap().partition().as_str(),
            partition
        );
    }
}

#[test]
fn newer_commercial_regions_are_opted_into() {
    for (region, opt_in) in [
        ("eu-central-1", false),
        ("ap-northeast-3", false),
        ("eu-central-2", true),
        ("ap-east-1", true),
        ("us-gov-west-1", false),
        ("eusc-de-east-1", false),
    ] {
        assert_eq!(
            Region::parse(region).unwrap().is_opt_in(),
            opt_in,
            "{region}"
        );
    }
}

#[test]
fn what_is_not_a_region_is_refused() {
    let long = format!("eu-{}-1", "a".repeat(40));
    for bad in [
        "",
        "eu",
        "eu-1",
        "eu-central",
        "EU-central-1",
        "eu-central-1a",
        "eu--1",
        "-",
        &long,
    ] {
        assert!(Region::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_cluster_name_follows_eks() {
    for good in ["a", "0", "prod-1", "A_b-c", &"x".repeat(100)] {
        assert!(ClusterName::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "-a", "_a", "a.b", "a/b", "é", &"x".repeat(101)] {
        assert!(ClusterName::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_profile_name_is_as_lenient_as_eks_but_fits_a_path() {
    for good in ["fp-default", "eks-managed", "über", "a.b", &"é".repeat(100)] {
        assert!(ProfileName::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "a b",
        "a/b",
        "a\nb",
        "a\u{7f}",
        ".",
        "..",
        &"x".repeat(101),
    ] {
        assert!(ProfileName::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_external_id_follows_sts() {
    for good in ["ab", "A_1+=,.@:/-", &"x".repeat(1224)] {
        assert!(ExternalId::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "a", "a b", "é!", &"x".repeat(1225)] {
        assert!(ExternalId::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn serde_checks_as_parse_does() {
    let id: AccountId = serde_json::from_str("\"111111111111\"").unwrap();
    assert_eq!(serde_json::to_string(&id).unwrap(), "\"111111111111\"");
    assert!(serde_json::from_str::<AccountId>("\"1\"").is_err());
    assert!(serde_json::from_str::<AccountId>("111111111111").is_err());
}

proptest! {
    #[test]
    fn every_name_reads_back_as_it_was_written(text in "\\PC{0,110}") {
        if let Ok(name) = ProfileName::parse(text.as_str()) {
            prop_assert_eq!(name.to_string(), text);
            prop_assert_eq!(name.as_str().parse::<ProfileName>().unwrap(), name);
        }
    }

    #[test]
    fn every_cluster_name_of_the_pattern_is_taken(text in "[0-9A-Za-z][A-Za-z0-9_-]{0,99}") {
        prop_assert!(ClusterName::parse(text).is_ok());
    }
}
