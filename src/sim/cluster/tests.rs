//! One change of a cluster at a time, and what becomes of its profiles.

use super::*;
use crate::sim::profile::Phase;

const SECOND: Duration = Duration::from_secs(1);

fn cluster_with(phase: Phase) -> Cluster {
    let mut cluster = Cluster::new("111111111111", "eu-central-1", "prod-1");
    let profile = Profile {
        arn: String::new(),
        created_at: DateTime::UNIX_EPOCH,
        role_arn: String::new(),
        subnets: vec![],
        selectors: vec![],
        tags: BTreeMap::new(),
        origin: None,
        active_since: Duration::ZERO,
        phase,
    };
    cluster.profiles.insert("a".into(), profile);
    cluster
}

#[test]
fn a_profile_in_motion_blocks_the_others_but_not_itself() {
    let cluster = cluster_with(Phase::Creating {
        until: SECOND,
        issues: vec![],
    });
    let blocker = cluster.blocker(None).unwrap();
    assert_eq!(
        blocker,
        Blocker::Profile {
            name: "a".into(),
            status: "CREATING".into()
        }
    );
    assert_eq!(blocker.record_name(), "a");
    assert_eq!(cluster.blocker(Some("a")), None);
}

#[test]
fn the_settle_window_counts_from_the_activation() {
    let mut cluster = cluster_with(Phase::Creating {
        until: SECOND,
        issues: vec![],
    });
    cluster.settle(SECOND * 2, SECOND * 3);
    assert!(matches!(
        cluster.blocker(None),
        Some(Blocker::Settling { .. })
    ));
    assert_eq!(cluster.view()["status"], "ACTIVE");
    cluster.settle(SECOND * 4, SECOND * 3);
    assert_eq!(cluster.blocker(None), None);
}

#[test]
fn an_update_shows_and_blocks_until_it_ends() {
    let mut cluster = cluster_with(Phase::Active);
    cluster.start_update(SECOND);
    assert_eq!(cluster.view()["status"], "UPDATING");
    assert!(
        cluster
            .blocker(None)
            .unwrap()
            .record_name()
            .starts_with("update:")
    );
    cluster.settle(SECOND, Duration::ZERO);
    assert_eq!(cluster.blocker(None), None);
    assert_eq!(cluster.view()["status"], "ACTIVE");
}

#[test]
fn a_deleted_profile_leaves_when_its_time_has_come() {
    let mut cluster = cluster_with(Phase::Deleting {
        until: SECOND,
        issues: vec![],
    });
    cluster.settle(SECOND, Duration::ZERO);
    assert!(cluster.profiles.is_empty());
}
