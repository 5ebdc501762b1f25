//! Who may assume which role, and with what.

use super::*;
use crate::sim::caller::Caller;
use crate::sim::options::SimOptions;

const ROLE: &str = "arn:aws:iam::222222222222:role/fargate-fleet";

fn management() -> Caller {
    Caller {
        account: "111111111111".into(),
        region: "us-east-1".into(),
        service: "sts".into(),
        session: None,
        role: None,
    }
}

fn assume(world: &mut World, more: &[(&str, &str)]) -> Result<String, AwsError> {
    let mut fields = vec![("Action", "AssumeRole"), ("Version", "2011-06-15")];
    for default in [("RoleArn", ROLE), ("RoleSessionName", "job-1")] {
        if !more.iter().any(|(key, _)| *key == default.0) {
            fields.push(default);
        }
    }
    fields.extend(more);
    let form = Form(
        fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
    );
    world.sts(&form, &management())
}

fn code(world: &mut World, more: &[(&str, &str)]) -> String {
    assume(world, more).unwrap_err().code
}

#[test]
fn any_external_id_will_do_until_one_is_set() {
    let mut world = World::new(SimOptions::default());
    assert!(assume(&mut world, &[]).is_ok());
    assert!(assume(&mut world, &[("ExternalId", "any")]).is_ok());
    world.accounts.entry("222222222222").settings.external_id = Some("secret".into());
    assert!(assume(&mut world, &[("ExternalId", "secret")]).is_ok());
    assert_eq!(code(&mut world, &[("ExternalId", "wrong")]), "AccessDenied");
    let error = assume(&mut world, &[]).unwrap_err();
    assert_eq!(error.status, 403);
    assert_eq!(
        error.message,
        format!(
            "User: arn:aws:iam::000000000000:user/management is not authorized to perform: \
             sts:AssumeRole on resource: {ROLE}"
        )
    );
}

#[test]
fn only_the_fleet_role_of_accounts_that_exist_can_be_assumed() {
    let mut world = World::new(SimOptions::default());
    for role in [
        "arn:aws:iam::222222222222:role/admin",
        "arn:aws:iam::987654321098:role/fargate-fleet",
    ] {
        assert_eq!(
            code(&mut world, &[("RoleArn", role)]),
            "AccessDenied",
            "{role}"
        );
    }
    assert_eq!(
        code(&mut world, &[("RoleArn", "not-an-arn-at-all-no")]),
        "ValidationError"
    );
    world
        .accounts
        .entry("222222222222")
        .settings
        .deny_assume_role = true;
    assert_eq!(code(&mut world, &[]), "AccessDenied");
}

#[test]
fn an_external_id_can_be_demanded_of_everybody() {
    let mut world = World::new(SimOptions {
        require_external_id: true,
        ..SimOptions::default()
    });
    assert_eq!(code(&mut world, &[]), "AccessDenied");
    assert!(assume(&mut world, &[("ExternalId", "any")]).is_ok());
}

#[test]
fn fields_have_their_limits() {
    let mut world = World::new(SimOptions::default());
    for (field, value) in [
        ("RoleSessionName", "a"),
        ("RoleSessionName", "no spaces"),
        ("RoleSessionName", &"a".repeat(65)),
        ("SourceIdentity", "a:b"),
        ("ExternalId", "x"),
        ("DurationSeconds", "899"),
        ("DurationSeconds", "43201"),
    ] {
        assert_eq!(
            code(&mut world, &[(field, value)]),
            "ValidationError",
            "{field} {value}"
        );
    }
    assert_eq!(
        code(&mut world, &[("DurationSeconds", "soon")]),
        "MalformedInput"
    );
    let longest = "a".repeat(256);
    assert!(assume(&mut world, &[("SourceIdentity", &longest)]).is_ok());
    assert_eq!(
        code(&mut world, &[("Policy", "{")]),
        "MalformedPolicyDocument"
    );
    let large = format!("{{\"Statement\": \"{}\"}}", "x".repeat(2_048));
    assert_eq!(
        code(&mut world, &[("Policy", &large)]),
        "PackedPolicyTooLarge"
    );
}

#[test]
fn other_actions_and_versions_are_unknown() {
    let mut world = World::new(SimOptions::default());
    for form in [
        vec![("Action".to_owned(), "GetSessionToken".to_owned())],
        vec![("Action".to_owned(), "AssumeRole".to_owned())],
    ] {
        assert_eq!(
            world.sts(&Form(form), &management()).unwrap_err().code,
            "InvalidAction"
        );
    }
    assert_eq!(
        world.sts(&Form(vec![]), &management()).unwrap_err().code,
        "MissingAction"
    );
}
