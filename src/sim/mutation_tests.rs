//! One mutation a cluster, repeated creations, and the exact words of each refusal.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::sim::profile::Profile;

const LATER: Duration = Duration::from_secs(100);

fn new(name: &str, origin: Option<(&str, &str)>) -> NewProfile {
    NewProfile {
        name: name.into(),
        role_arn: String::new(),
        subnets: vec![],
        selectors: vec![],
        tags: BTreeMap::new(),
        origin: origin.map(|(token, whole)| (token.into(), whole.into())),
    }
}

fn cluster(profiles: &[(&str, Phase)]) -> Cluster {
    let mut cluster = Cluster::new("111111111111", "eu-central-1", "prod-1");
    for (name, phase) in profiles {
        let profile = Profile {
            arn: String::new(),
            created_at: chrono::DateTime::UNIX_EPOCH,
            role_arn: String::new(),
            subnets: vec![],
            selectors: vec![],
            tags: BTreeMap::new(),
            origin: Some((format!("token-{name}"), "whole".into())),
            active_since: Duration::ZERO,
            phase: phase.clone(),
        };
        cluster.profiles.insert((*name).to_owned(), profile);
    }
    cluster
}

fn creating() -> Phase {
    Phase::Creating {
        until: LATER,
        issues: vec![],
    }
}

fn deleting() -> Phase {
    Phase::Deleting {
        until: LATER,
        issues: vec![],
    }
}

fn message<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> (u16, String, bool) {
    let refusal = refused.unwrap_err();
    (
        refusal.error.status,
        refusal.error.message,
        refusal.overlap.is_some(),
    )
}

#[test]
fn a_second_creation_waits_for_the_first() {
    let (status, text, overlap) = message(admit_create(
        &cluster(&[("a", creating())]),
        &new("b", None),
        10,
    ));
    assert_eq!((status, overlap), (409, true));
    assert_eq!(
        text,
        "Cannot create Fargate Profile b because cluster prod-1 currently has Fargate profile a in status CREATING"
    );
}

#[test]
fn an_existing_name_is_in_use_and_no_overlap() {
    let (status, text, overlap) = message(admit_create(
        &cluster(&[("a", creating())]),
        &new("a", None),
        10,
    ));
    assert_eq!((status, overlap), (409, false));
    assert_eq!(
        text,
        "A Fargate Profile already exists with this name in this cluster."
    );
}

#[test]
fn an_update_blocks_both_in_its_own_words() {
    let mut cluster = cluster(&[("a", Phase::Active)]);
    cluster.start_update(LATER);
    let (_, create, _) = message(admit_create(&cluster, &new("b", None), 10));
    assert!(
        create.starts_with(
            "Cannot create Fargate Profile b because cluster prod-1 currently has update "
        ) && create.ends_with(" in progress"),
        "{create}"
    );
    let (_, delete, overlap) = message(admit_delete(&cluster, "a"));
    assert_eq!(
        delete,
        "Cannot Delete Fargate Profile a because cluster prod-1 currently has an update in progress"
    );
    assert!(overlap);
}

#[test]
fn a_repeated_creation_answers_the_same_profile_even_while_others_wait() {
    let cluster = cluster(&[("a", creating())]);
    let again = admit_create(&cluster, &new("a", Some(("token-a", "whole"))), 10);
    assert_eq!(again, Ok(Admission::Replay("a".into())));
    let other = admit_create(&cluster, &new("a", Some(("token-a", "other"))), 10).unwrap_err();
    assert_eq!(other.error.code, "InvalidParameterException");
}

#[test]
fn a_deletion_waits_for_others_and_is_refused_twice() {
    let cluster = cluster(&[("a", deleting()), ("b", Phase::Active)]);
    assert_eq!(
        message(admit_delete(&cluster, "b")).1,
        "Cannot Delete Fargate Profile b because cluster prod-1 currently has Fargate profile a in status DELETING"
    );
    let (status, text, overlap) = message(admit_delete(&cluster, "a"));
    assert_eq!((status, overlap), (400, false));
    assert_eq!(text, "Fargate Profile is currently not in Active State.");
    let (status, text, _) = message(admit_delete(&cluster, "c"));
    assert_eq!(
        (status, text.as_str()),
        (404, "No Fargate Profile found with name: c")
    );
}

#[test]
fn failed_profiles_can_be_deleted_and_block_nothing() {
    let failed = || Phase::CreateFailed { issues: vec![] };
    let cluster = cluster(&[
        ("a", failed()),
        ("b", Phase::DeleteFailed { issues: vec![] }),
    ]);
    assert_eq!(admit_delete(&cluster, "a"), Ok(()));
    assert_eq!(admit_delete(&cluster, "b"), Ok(()));
    assert_eq!(
        admit_create(&cluster, &new("c", None), 10),
        Ok(Admission::New)
    );
}

#[test]
fn quota_and_cluster_status_refuse_creations() {
    let full = cluster(&[("a", Phase::Active)]);
    let refusal = admit_create(&full, &new("b", None), 1).unwrap_err();
    assert_eq!(refusal.error.code, "ResourceLimitExceededException");
    let mut broken = cluster(&[]);
    broken.status = "CREATING".into();
    let refusal = admit_create(&broken, &new("b", None), 10).unwrap_err();
    assert_eq!(refusal.error.code, "InvalidRequestException");
    broken.status = "UPDATING".into();
    assert_eq!(
        admit_create(&broken, &new("b", None), 10),
        Ok(Admission::New)
    );
}
