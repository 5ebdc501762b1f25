use crate::domain::cluster::{ClusterDeletionPlan, ClusterPlan};
use crate::domain::eksctl::{FargatePart, Part};
use crate::domain::{
    AccountName, AccountState, ClusterConfig, Difference, ErrorCode, FargateProfile, Invalid,
    JobError, JobKind, ProfileInput, RoleArn, Warning,
};
use serde_json::Value;
use utoipa::{PartialSchema, ToSchema};

/// Every schema that `T` brings along, by name.
fn schemas<T: ToSchema>() -> Vec<(String, Value)> {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    let json = |(name, schema)| (name, serde_json::to_value(schema).unwrap());
    found.into_iter().map(json).collect()
}

fn check(at: &str, schema: &Value) {
    for key in ["oneOf", "anyOf", "allOf"] {
        assert!(schema.get(key).is_none(), "{at}: {schema}");
    }
    match schema.get("type") {
        Some(Value::String(kind)) if kind == "string" => {
            let bounded = schema.get("maxLength").is_some();
            assert!(bounded, "{at} has no maxLength: {schema}");
        }
        Some(Value::String(kind)) if kind == "array" => {
            assert!(
                schema.get("maxItems").is_some(),
                "{at} has no maxItems: {schema}"
            );
            check(&format!("{at}/items"), &schema["items"]);
        }
        Some(Value::String(_)) => {}
        Some(other) => assert!(other.is_null(), "{at} has the types {other}"),
        None => assert!(schema.get("$ref").is_some(), "{at}: {schema}"),
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        check(&format!("{at}/{name}"), property);
    }
    if let Some(value) = schema
        .get("additionalProperties")
        .filter(|value| value.is_object())
    {
        check(&format!("{at}/*"), value);
    }
}

#[test]
fn schemas_are_flat_bounded_and_without_null() {
    let all = [
        schemas::<FargateProfile>(),
        schemas::<ProfileInput>(),
        schemas::<ClusterConfig>(),
        schemas::<ClusterPlan>(),
        schemas::<ClusterDeletionPlan>(),
        schemas::<JobError>(),
        schemas::<Difference>(),
        schemas::<Warning>(),
        schemas::<Invalid>(),
        schemas::<JobKind>(),
        schemas::<ErrorCode>(),
        schemas::<AccountState>(),
        schemas::<AccountName>(),
        schemas::<RoleArn>(),
    ];
    for (name, schema) in all.into_iter().flatten() {
        check(&name, &schema);
    }
}

#[test]
fn what_a_caller_must_send_is_required() {
    let schema = serde_json::to_value(ProfileInput::schema()).unwrap();
    assert_eq!(schema["required"], serde_json::json!(["selectors"]));
    assert_eq!(schema["additionalProperties"], false);
    let schema = serde_json::to_value(FargateProfile::schema()).unwrap();
    assert_eq!(schema["required"], serde_json::json!(["name", "selectors"]));
}

#[test]
fn examples_read_as_what_they_show() {
    let example = |schema: Value| schema["examples"][0].clone();
    let input = example(serde_json::to_value(ProfileInput::schema()).unwrap());
    let input: ProfileInput = serde_json::from_value(input).unwrap();
    assert!(input.validate(crate::domain::Naming::Required).is_ok());
    let config = example(serde_json::to_value(ClusterConfig::schema()).unwrap());
    let config = ClusterConfig::from_json(&config.to_string(), Part::Fargate).unwrap();
    assert!(FargatePart::of(config).is_ok());
    let profile = example(serde_json::to_value(FargateProfile::schema()).unwrap());
    assert!(serde_json::from_value::<FargateProfile>(profile).is_ok());
}
