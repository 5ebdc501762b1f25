//! What the document says of deliveries is what receivers are sent.

use std::collections::BTreeSet;

use fargate_fleet::domain::WebhookEventType;
use fargate_fleet::http;
use serde_json::{Value, json};

use super::support::{Receiver, create_operation, patch, post, sender};
use crate::support::app::TestApp;

fn document() -> Value {
    serde_json::from_str(&http::openapi_json()).unwrap()
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().map_or(schema, |reference| {
        let found = document.pointer(reference.trim_start_matches('#'));
        found.unwrap_or_else(|| panic!("{reference} leads nowhere"))
    })
}

/// Fails unless a value has all that a schema requires, and nothing that it does not name.
fn assert_fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolved(document, schema);
    match schema["type"].as_str() {
        Some("object") => {
            let fields = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                assert!(fields.contains_key(name), "{at} lacks {name}");
            }
            for (name, field) in fields {
                let inner = [&schema["properties"][name], &schema["additionalProperties"]];
                let inner = inner.into_iter().find(|inner| inner.is_object());
                let inner = inner.unwrap_or_else(|| panic!("{at}/{name} is not described"));
                assert_fits(document, inner, field, &format!("{at}/{name}"));
            }
        }
        Some("array") => {
            for item in value.as_array().unwrap_or_else(|| panic!("{at}: {value}")) {
                assert_fits(document, &schema["items"], item, at);
            }
        }
        Some("string") => {
            let length = value.as_str().map(|text| text.chars().count() as u64);
            assert!(length <= schema["maxLength"].as_u64(), "{at}: {value}");
            assert!(length.is_some(), "{at}: {value}");
        }
        Some("integer") => {
            let number = value.as_i64().unwrap_or_else(|| panic!("{at}: {value}"));
            let bounds = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
            assert!(
                Some(number) >= bounds.0 && Some(number) <= bounds.1,
                "{at}: {value}"
            );
        }
        Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
        other => panic!("{at} is of the type {other:?}"),
    }
}

#[test]
fn every_event_type_is_described_once() {
    let document = document();
    let described = document["webhooks"].as_object().unwrap();
    let all: BTreeSet<&str> = WebhookEventType::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(
        described
            .keys()
            .map(String::as_str)
            .collect::<BTreeSet<_>>(),
        all
    );
    let mut ids = BTreeSet::new();
    let paths = document["paths"].as_object().unwrap().values();
    for item in paths.chain(described.values()) {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{id} is taken");
        }
    }
    for (event_type, item) in described {
        let schema = &item["post"]["requestBody"]["content"]["application/json"]["schema"];
        let types = &resolved(&document, schema)["properties"]["type"]["x-extensible-enum"];
        assert!(
            types.as_array().unwrap().contains(&json!(event_type)),
            "{event_type}: {types}"
        );
        for example in resolved(&document, schema)["examples"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert_fits(&document, schema, example, event_type);
        }
    }
    let older: Value = serde_json::from_str(&http::openapi_3_0_json()).unwrap();
    assert!(older.get("webhooks").is_none());
    assert!(older["components"]["schemas"]["JobWebhookEvent"].is_object());
    assert!(
        older["components"]["parameters"]
            .get("webhook-id")
            .is_none()
    );
}

#[tokio::test]
async fn what_is_sent_is_what_is_described() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.create_webhook(&receiver.url()).await;
    let types = json!({"eventTypes": ["job.succeeded", "job.failed", "operation.finished"]});
    patch(&app, &webhook, types).await;
    create_operation(&app).await;
    let first = app.hands.claim_one().await;
    app.hands.succeed(&first, json!({})).await;
    let second = app.hands.claim_one().await;
    app.hands.fail(&second, "not_stabilized", "It broke.").await;
    post(&app, &webhook, "test").await;
    assert_eq!(sender(&app).round().await.unwrap(), 4);
    let document = document();
    let mut told = BTreeSet::new();
    for one in receiver.received() {
        let body = one.json();
        let event_type = body["type"].as_str().unwrap().to_owned();
        let post = &document["webhooks"][&event_type]["post"];
        let schema = &post["requestBody"]["content"]["application/json"]["schema"];
        assert_fits(&document, schema, &body, &event_type);
        for parameter in post["parameters"].as_array().unwrap() {
            let parameter = resolved(&document, parameter);
            let sent = &one.headers[parameter["name"].as_str().unwrap()];
            let number = parameter["schema"]["type"] == "integer";
            let value = if number {
                json!(sent.parse::<i64>().unwrap())
            } else {
                json!(sent)
            };
            assert_fits(&document, &parameter["schema"], &value, &event_type);
        }
        told.insert(event_type);
    }
    let expected = [
        "job.failed",
        "job.succeeded",
        "operation.finished",
        "webhook.ping",
    ];
    assert_eq!(told, expected.map(str::to_owned).into());
    receiver.stop().await;
    app.end().await;
}
