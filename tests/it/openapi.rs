//! The published documents: committed as generated, and flat.

use std::path::Path;

use fargate_fleet::http;
use serde_json::Value;

fn committed_is_generated(name: &str, generated: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = std::fs::read_to_string(root.join("openapi").join(name)).unwrap_or_default();
    if committed != generated {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&fresh, generated).unwrap();
        panic!(
            "openapi/{name} is not what the code says: cp {} openapi/",
            fresh.display()
        );
    }
}

#[test]
fn the_committed_3_1_document_is_the_generated_one() {
    committed_is_generated("openapi.json", &http::openapi_json());
}

#[test]
fn the_committed_3_0_document_is_the_generated_one() {
    committed_is_generated("openapi-3.0.json", &http::openapi_3_0_json());
}
