//! The models are whole, the simulator has an action for each of theirs, and refusals are AWS's sentences.

use super::super::action::Action;
use super::super::query::Form;
use super::super::wire::{Inbound, pairs};
use super::*;

fn refused(service: Service, fields: &str) -> (String, String) {
    let error = check_form(service, &Form(pairs(fields))).unwrap_err();
    (error.code, error.message)
}

fn eks(method: &str, path: &str, body: &str) -> Result<(), AwsError> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    check_rest(&Inbound {
        method: method.to_owned(),
        path: path.to_owned(),
        query: pairs(query),
        authorization: None,
        content_type: None,
        token: None,
        target: None,
        body: body.to_owned().into(),
    })
}

#[test]
fn every_model_is_read_and_every_reference_leads_to_a_shape() {
    for (service, model) in MODELS {
        assert!(!model.operations.is_empty(), "{service}");
        for shape in model.shapes.values() {
            let parts = [&shape.member, &shape.key, &shape.value];
            let parts = parts.into_iter().flatten().chain(shape.members.values());
            for member in parts {
                assert!(model.shape(&member.shape).is_some(), "{service} {member:?}");
            }
        }
        let inputs = model.operations.values();
        for input in inputs.filter_map(|operation| operation.input.as_deref()) {
            assert!(model.shape(input).is_some(), "{service} {input}");
        }
    }
}

/// A new action stands in `model/actions.txt` as well, from which the models are generated.
#[test]
fn the_models_and_the_simulator_know_the_same_actions() {
    let models = MODELS.iter();
    let mut modelled: Vec<&str> = models
        .flat_map(|(_, model)| model.operations.keys().map(String::as_str))
        .collect();
    modelled.sort_unstable();
    modelled.dedup();
    let mut known: Vec<&str> = Action::ALL
        .iter()
        .filter(|action| !action.is_step() && !action.name().starts_with("Kubernetes"))
        .map(|action| action.name())
        .collect();
    known.sort_unstable();
    assert_eq!(known, modelled);
}

#[test]
fn everything_wrong_is_told_at_once_in_the_words_of_the_query_protocol() {
    assert_eq!(
        refused(
            Service::Sts,
            "Action=AssumeRole&RoleArn=arn&DurationSeconds=1&Tags.member.1.Key=a"
        ),
        (
            "ValidationError".into(),
            "4 validation errors detected: Value null at 'roleSessionName' failed to satisfy \
             constraint: Member must not be null; Value '1' at 'durationSeconds' failed to satisfy \
             constraint: Member must have value greater than or equal to 900; Value 'arn' at 'roleArn' \
             failed to satisfy constraint: Member must have length greater than or equal to 20; Value \
             null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null"
                .into()
        )
    );
    let (_, message) = refused(
        Service::CloudFormation,
        "Action=CreateStack&StackName=a&Capabilities.member.1=ALL",
    );
    assert_eq!(
        message,
        "1 validation error detected: Value '[ALL]' at 'capabilities' failed to satisfy constraint: \
         Member must satisfy constraint: [Member must satisfy enum value set: [CAPABILITY_IAM, \
         CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]]"
    );
}

#[test]
fn what_can_not_be_read_is_malformed() {
    for fields in [
        "Action=CreateStack&StackName=a&TimeoutInMinutes=soon",
        "Action=CreateStack&StackName=a&DisableRollback=yes",
        "Action=CreateStack&StackName=a&Tags=b",
        "Action=CreateStack&StackName=a&Tags.member.x.Key=b",
        "Action=CreateStack&StackName.member.1=a",
        "Action=CreateStack&StackName=a&Tags.1.Key=b",
    ] {
        let (code, _) = refused(Service::CloudFormation, fields);
        assert_eq!(code, "MalformedInput", "{fields}");
    }
}

#[test]
fn ec2_has_codes_of_its_own() {
    for (fields, code, message) in [
        (
            "Action=DeleteNetworkInterface",
            "MissingParameter",
            "The request must contain the parameter networkInterfaceId",
        ),
        (
            "Action=DescribeVpcs&MaxResults=4",
            "InvalidParameterValue",
            "Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than or equal to 5.",
        ),
        (
            "Action=DescribeVpcs&Nonsense.1=4",
            "UnknownParameter",
            "The parameter Nonsense.1 is not recognized",
        ),
        (
            "Action=DescribeInstanceTypeOfferings&LocationType=moon",
            "InvalidParameterValue",
            "Value (moon) for parameter locationType is invalid.",
        ),
    ] {
        let refused = refused(Service::Ec2, fields);
        assert_eq!(refused, (code.to_owned(), message.to_owned()), "{fields}");
    }
    let known = "Action=DescribeVpcs&Filter.1.Name=vpc-id&Filter.1.Value.1=a&VpcId.1=b";
    assert_eq!(check_form(Service::Ec2, &Form(pairs(known))), Ok(()));
}

#[test]
fn eks_reads_members_from_path_query_and_body() {
    let code = |result: Result<(), AwsError>| result.unwrap_err().code;
    let profiles = "/clusters/a/fargate-profiles";
    let ok =
        r#"{"fargateProfileName": "b", "podExecutionRoleArn": "c", "subnets": null, "more": 1}"#;
    assert_eq!(eks("POST", profiles, ok), Ok(()));
    let error = eks("POST", profiles, r#"{"tags": {"": "x"}}"#).unwrap_err();
    assert_eq!(error.code, "InvalidParameterException");
    assert!(error.message.starts_with("3 validation errors detected: "));
    assert!(error.message.contains("Map keys must satisfy constraint"));
    for body in [
        "{",
        "[]",
        r#"{"subnets": "a"}"#,
        r#"{"subnets": [1]}"#,
        r#"{"tags": {"a": {}}}"#,
    ] {
        assert_eq!(
            code(eks("POST", profiles, body)),
            "SerializationException",
            "{body}"
        );
    }
    let list = |query: &str| eks("GET", &format!("{profiles}?{query}"), "");
    assert_eq!(list("maxResults=100"), Ok(()));
    assert_eq!(code(list("maxResults=101")), "InvalidParameterException");
    assert_eq!(code(list("maxResults=x")), "SerializationException");
    assert_eq!(
        code(eks("GET", "/clusters/", "")),
        "InvalidParameterException"
    );
    assert_eq!(code(eks("DELETE", "/tags/a", "")), "BadRequestException");
    assert_eq!(eks("DELETE", "/tags/a?tagKeys=b", ""), Ok(()));
}

#[test]
fn patterns_are_javas_and_hold_for_the_whole_text() {
    let name = |name: &str| {
        let fields = format!("Action=GetRole&RoleName={name}");
        check_form(Service::Iam, &Form(pairs(&fields)))
    };
    assert_eq!(name("a_b-c.d%2Be"), Ok(()));
    for bad in ["a/b", "a%0A", "%C3%A4"] {
        assert!(name(bad).is_err(), "{bad}");
    }
}
