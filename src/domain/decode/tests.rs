use super::*;
use crate::domain::ProfileInput;

fn json_error(text: &str) -> Invalid {
    json::<ProfileInput>(text.as_bytes()).unwrap_err().remove(0)
}

fn yaml_error(text: &str) -> String {
    yaml_tree(text).unwrap_err().remove(0).message
}

#[test]
fn an_unknown_field_is_pointed_at_wherever_it_is() {
    let top = json_error(r#"{"nmae": "fp"}"#);
    assert_eq!(top.pointer, "/nmae");
    assert_eq!(
        top.message,
        "unknown field \"nmae\"; known here: name, podExecutionRoleARN, permissionsBoundary, \
         selectors, subnets, tags, status"
    );
    let deep = json_error(r#"{"selectors": [{"namespace": "a"}, {"labls": {}}]}"#);
    assert_eq!(deep.pointer, "/selectors/1/labls");
}

#[test]
fn a_wrong_type_is_pointed_at() {
    let error = json_error(r#"{"selectors": [{"namespace": "a", "labels": {"x/y": true}}]}"#);
    assert_eq!(error.pointer, "/selectors/0/labels/x~1y");
    assert_eq!(
        error.message,
        "invalid type: boolean `true`, expected a string; put it in quotes if text is meant"
    );
}

#[test]
fn a_whole_number_may_be_written_with_a_point() {
    let tree = json_tree(b"[90.0, 9e1, -0.0, 0.5, 1e300]").unwrap();
    let whole = |i: usize| tree[i].as_i64();
    assert_eq!(
        (whole(0), whole(1), whole(2)),
        (Some(90), Some(90), Some(0))
    );
    assert_eq!((whole(3), whole(4)), (None, None));
}

#[test]
fn duplicate_keys_are_errors_in_both_languages() {
    let error = json_error(r#"{"tags": {"a": "1", "a": "2"}}"#);
    assert!(error.message.contains("duplicate key \"a\""), "{error}");
    let error = yaml_error("tags:\n  a: 1\n  a: 2\n");
    assert!(
        error.contains("line 3") && error.contains("duplicate"),
        "{error}"
    );
}

#[test]
fn broken_text_says_where() {
    assert!(json_error("{\"a\": }").message.contains("line 1 column 7"));
    assert!(yaml_error("a: [1,\nb: 2").starts_with("not valid YAML at line "));
}

#[test]
fn bombs_cost_nothing() {
    let level = |i: usize| {
        let refs = vec![format!("*a{}", i - 1); 10].join(",");
        format!("a{i}: &a{i} [{refs}]\n")
    };
    let bomb: String = (1..12).map(level).collect();
    let bomb = format!("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n{bomb}");
    assert!(yaml_tree(&bomb).is_err());
    assert!(yaml_tree(&"[".repeat(100_000)).is_err());
    assert!(yaml_tree(&format!("a: {}", "x".repeat(300_000))).is_err());
    assert!(json_tree("[".repeat(100_000).as_bytes()).is_err());
    assert!(yaml_tree(&"- {a: b}\n".repeat(20_000)).is_err());
}

#[test]
fn several_documents_are_refused() {
    assert!(yaml_tree("a: 1\n---\nb: 2\n").is_err());
    assert!(yaml_tree("---\na: 1\n").is_ok());
    assert!(yaml_tree("# note\n---\na: 1\n...\n").is_ok());
}

#[test]
fn aliases_work_in_moderation() {
    let tree = yaml_tree("a: &x {k: v}\nb: *x\n").unwrap();
    assert_eq!(tree, serde_json::json!({"a": {"k": "v"}, "b": {"k": "v"}}));
}

#[test]
fn unquoted_words_of_yaml_1_1_are_no_strings() {
    let tree = yaml_tree("a: true\nb: 1\nc: 1.5\nd: ~\ne: yes\nf: 'yes'\n").unwrap();
    assert_eq!(
        tree,
        serde_json::json!({"a": true, "b": 1, "c": 1.5, "d": null, "e": true, "f": "yes"})
    );
}

#[test]
fn a_list_never_stands_for_an_object() {
    for (text, pointer) in [
        (r#"["fp", null, [["dev"]]]"#, ""),
        ("null", ""),
        (r#"{"selectors": [["dev"]]}"#, "/selectors/0"),
        (
            r#"{"selectors": [{"namespace": "a", "labels": []}]}"#,
            "/selectors/0/labels",
        ),
        (r#"{"tags": ["a"]}"#, "/tags"),
    ] {
        let wrong = json::<crate::domain::ProfileInput>(text.as_bytes()).unwrap_err();
        assert_eq!(wrong[0].pointer, pointer, "{text}");
        assert_eq!(
            wrong[0].message, "expected an object with named fields",
            "{text}"
        );
    }
}

#[test]
fn what_no_database_keeps_is_refused() {
    let text = r#"{"selectors": [{"namespace": "a"}], "tags": {"k": "a\u0000b"}}"#;
    let wrong = json::<crate::domain::ProfileInput>(text.as_bytes()).unwrap_err();
    assert_eq!(wrong[0].pointer, "/tags/k");
}
