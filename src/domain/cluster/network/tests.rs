use super::*;
use crate::domain::cluster::samples;

fn cut(cidr: &str, count: u8) -> Vec<ZoneBlocks> {
    let zones: Vec<String> = (0..count)
        .map(|i| format!("eu-central-1{}", char::from(b'a' + i)))
        .collect();
    blocks(cidr, &zones, &[]).unwrap()
}

fn block(zone: &str, public: &str, private: &str) -> ZoneBlocks {
    ZoneBlocks {
        zone: zone.to_owned(),
        public: public.to_owned(),
        private: private.to_owned(),
    }
}

#[test]
fn a_vpc_is_cut_as_eksctl_cuts_it() {
    assert_eq!(
        cut(DEFAULT_CIDR, 3),
        [
            block("eu-central-1a", "192.168.0.0/19", "192.168.96.0/19"),
            block("eu-central-1b", "192.168.32.0/19", "192.168.128.0/19"),
            block("eu-central-1c", "192.168.64.0/19", "192.168.160.0/19"),
        ]
    );
    assert_eq!(cut(DEFAULT_CIDR, 2)[1].private, "192.168.96.0/19");
    let five = cut("10.1.0.0/16", 5);
    assert_eq!(
        five[4],
        block("eu-central-1e", "10.1.64.0/20", "10.1.144.0/20")
    );
    assert_eq!(cut("10.0.0.0/24", 8)[7].private, "10.0.0.240/28");
}

#[test]
fn no_two_blocks_overlap() {
    for count in 2..=8 {
        let zones = cut("10.0.0.0/20", count);
        let nets: BTreeSet<&String> = zones
            .iter()
            .flat_map(|zone| [&zone.public, &zone.private])
            .collect();
        assert_eq!(nets.len(), usize::from(count) * 2);
    }
}

#[test]
fn what_is_no_network_is_refused_with_what_would_be() {
    let wrong = |cidr: &str| vpc_net(cidr).unwrap_err();
    for cidr in ["", "10.0.0.0", "10.0.0.0/15", "10.0.0.0/25", "fd00::/56"] {
        assert!(wrong(cidr).ends_with("such as 192.168.0.0/16"), "{cidr}");
    }
    assert_eq!(wrong("10.0.0.1/16"), "did you mean 10.0.0.0/16?");
}

fn described(id: &str, vpc: &str, zone: &str) -> DescribedSubnet {
    DescribedSubnet {
        id: id.to_owned(),
        vpc_id: vpc.to_owned(),
        zone: zone.to_owned(),
        cidr: "10.0.0.0/24".to_owned(),
    }
}

fn given(id: &str, zone: Option<&str>) -> GivenSubnet {
    GivenSubnet {
        name: Some(format!("name of {id}")),
        id: id.to_owned(),
        zone: zone.map(str::to_owned),
        cidr: None,
    }
}

#[test]
fn subnets_that_exist_give_their_vpc() {
    let aws = [
        described("s-1", "v-1", "z-a"),
        described("s-2", "v-1", "z-b"),
    ];
    let private = [given("s-1", Some("z-a")), given("s-2", None)];
    let plan = existing(None, &[], &private, &aws).unwrap();
    let expected = NetworkPlan::Existing {
        vpc_id: "v-1".to_owned(),
        public: vec![],
        private: vec!["s-1".to_owned(), "s-2".to_owned()],
        subnets: [("s-1", "z-a"), ("s-2", "z-b")]
            .map(|(id, zone)| KnownSubnet {
                name: format!("name of {id}"),
                id: id.to_owned(),
                zone: zone.to_owned(),
            })
            .into(),
        route_tables: vec![],
        endpoints: vec![],
    };
    assert_eq!(plan, expected);
    assert!(existing(Some("v-1"), &[], &private, &aws).is_ok());
    assert!(existing(Some("v-2"), &[], &private, &aws).is_err());
}

#[test]
fn subnets_must_be_there_of_one_vpc_and_in_two_zones() {
    let aws = [
        described("s-1", "v-1", "z-a"),
        described("s-2", "v-2", "z-b"),
        described("s-3", "v-1", "z-a"),
    ];
    let told = |ids: &[&str], zone: Option<&str>| {
        let private: Vec<GivenSubnet> = ids.iter().map(|id| given(id, zone)).collect();
        let wrong = existing(None, &[], &private, &aws).unwrap_err();
        wrong.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&["s-9", "s-1"], None)[0],
        "/vpc/subnets/private: the account has no subnet s-9 here"
    );
    assert!(told(&["s-1", "s-2"], None)[0].contains("these are of v-1, v-2"));
    assert!(told(&["s-1", "s-3"], None)[0].ends_with("at least two zones"));
    assert!(told(&["s-1"], Some("z-c"))[0].contains("not z-c, but z-a"));
}

#[test]
fn a_cluster_gets_the_network_that_it_asks_for() {
    let metadata = serde_json::json!({"name": "c", "region": "eu-central-1"});
    let zone = |letter: &str| AvailableZone {
        name: format!("eu-central-1{letter}"),
        id: format!("euc1-az{letter}"),
    };
    let zones = ["c", "a", "b"].map(zone);
    let own = samples::spec(&serde_json::json!({"metadata": metadata}));
    let unknown = Offerings::unknown();
    let plan = NetworkPlan::of(&own, (&zones, &unknown), &[], b"job").unwrap();
    assert_eq!(
        plan.zones(),
        ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    );
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(serde_json::from_value::<NetworkPlan>(json).unwrap(), plan);
    assert!(NetworkPlan::of(&own, (&[], &unknown), &[], b"job").is_err());

    let existing = samples::spec(&serde_json::json!({
        "metadata": metadata,
        "vpc": {"subnets": {"private": {"a": {"id": "subnet-1"}, "b": {"id": "subnet-2"}}}}
    }));
    let aws = [
        described("subnet-1", "v-1", "eu-central-1a"),
        described("subnet-2", "v-1", "eu-central-1b"),
    ];
    let plan = NetworkPlan::of(&existing, (&[], &unknown), &aws, b"job").unwrap();
    assert!(matches!(&plan, NetworkPlan::Existing { vpc_id, .. } if vpc_id == "v-1"));
    assert_eq!(plan.zones(), ["eu-central-1a", "eu-central-1b"]);
    assert!(NetworkPlan::of(&existing, (&zones, &unknown), &[], b"job").is_err());
}

#[test]
fn a_subnet_without_an_id_is_found_by_its_addresses_or_its_zone() {
    let aws = |id: &str, zone: &str, cidr: &str| DescribedSubnet {
        cidr: cidr.to_owned(),
        ..described(id, "v-1", zone)
    };
    let aws = [
        aws("s-1", "z-a", "10.0.0.0/24"),
        aws("s-2", "z-b", "10.0.1.0/24"),
        aws("s-3", "z-c", "10.0.2.0/24"),
        aws("s-4", "z-c", "10.0.3.0/24"),
        DescribedSubnet {
            cidr: "10.0.0.0/24".to_owned(),
            ..described("s-9", "v-9", "z-a")
        },
    ];
    let sought = |zone: Option<&str>, cidr: Option<&str>| GivenSubnet {
        id: String::new(),
        cidr: cidr.map(str::to_owned),
        ..given("mine", zone)
    };
    let found = |second: GivenSubnet| {
        let private = [sought(None, Some("10.0.0.0/24")), second];
        let plan = existing(Some("v-1"), &[], &private, &aws)?;
        let NetworkPlan::Existing { private, .. } = plan else {
            panic!("{plan:?}")
        };
        Ok::<_, Vec<Invalid>>(private)
    };
    assert_eq!(found(sought(Some("z-b"), None)).unwrap(), ["s-1", "s-2"]);
    let by_both = sought(Some("z-c"), Some("10.0.3.0/24"));
    assert_eq!(found(by_both).unwrap(), ["s-1", "s-4"]);
    let told = |second| found(second).unwrap_err()[0].message.clone();
    assert!(told(sought(Some("z-c"), None)).contains("such as s-3, s-4"));
    assert!(told(sought(Some("z-x"), None)).contains("no subnet that fits"));
    let elsewhere = sought(Some("z-c"), Some("10.0.1.0/24"));
    assert!(told(elsewhere).contains("not z-c, but z-b"));
    assert!(told(sought(Some("z-a"), None)).contains("s-1 is listed twice"));
}

#[test]
fn local_zones_have_the_blocks_after_those_of_the_others() {
    let names = |zones: &[&str]| {
        zones
            .iter()
            .map(|zone| (*zone).to_owned())
            .collect::<Vec<_>>()
    };
    let (zones, local) = (
        names(&["z-a", "z-b", "z-c"]),
        names(&["z-lax-1a", "z-lax-1b"]),
    );
    let plan = NetworkPlan::cut("192.168.0.0/16", NatMode::Single, (&zones, &local)).unwrap();
    let NetworkPlan::Own {
        zones, local_zones, ..
    } = &plan
    else {
        panic!("{plan:?}")
    };
    assert_eq!((zones.len(), local_zones.len()), (3, 2));
    assert_eq!(zones[0].private, "192.168.80.0/20");
    assert_eq!(local_zones[0].public, "192.168.48.0/20");
    assert_eq!(local_zones[1].private, "192.168.144.0/20");
    assert_eq!(plan.zones(), ["z-a", "z-b", "z-c"]);
}
