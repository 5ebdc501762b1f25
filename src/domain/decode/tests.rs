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
        "unknown field \"nmae\"; did you mean name? known here: name, podExecutionRoleARN, \
         permissionsBoundary, selectors, subnets, tags, status, arn, clusterName, createdAt, \
         healthIssues"
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
        "expected text, not true; put it in quotes if text is meant"
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
    assert_eq!(error.pointer, "/tags");
    let words = ": the field \"a\" stands twice in one object: keep one";
    assert!(error.message.ends_with(words), "{error}");
    let error = yaml_tree("tags:\n  a: 1\n  a: 2\n").unwrap_err().remove(0);
    assert_eq!(error.pointer, "/tags/a");
    let message = format!("not valid YAML at line 3, column 3{words}");
    assert_eq!(error.message, message);
}

#[test]
fn broken_text_says_where() {
    let error = json_error("{\"a\": }");
    assert!(
        error
            .message
            .starts_with("not valid JSON at line 1, column 7: a value should")
    );
    assert_eq!(error.pointer, "/a");
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
    let error = yaml_error("a: 1\n---\nb: 2\n");
    assert!(
        error.starts_with("not valid YAML at line 3, column 1: a second document"),
        "{error}"
    );
    for text in [
        "---\na: 1\n",
        "# note\n---\na: 1\n...\n",
        "a: 1\n---\n",
        "a: 1\n---\n# nothing\n",
        "\u{feff}a: 1\r\n",
        "%YAML 1.1\n---\na: 1\n",
    ] {
        assert_eq!(
            yaml_tree(text).unwrap(),
            serde_json::json!({"a": 1}),
            "{text:?}"
        );
    }
    assert_eq!(yaml_tree("").unwrap(), serde_json::Value::Null);
}

/// What the tree is of, and what it holds.
#[test]
fn yaml_is_read_as_eksctl_reads_it() {
    for (text, tree) in [
        (
            "{a: [1, 'x'], b: {c: }}",
            serde_json::json!({"a": [1, "x"], "b": {"c": null}}),
        ),
        (
            "a: !!str 1.30\nb: !Ref x",
            serde_json::json!({"a": "1.30", "b": "x"}),
        ),
        ("a: !!binary aGk=", serde_json::json!({"a": "hi"})),
        (
            "a: |\n  x\n  y\nb: >-\n  x\n  y",
            serde_json::json!({"a": "x\ny\n", "b": "x y"}),
        ),
        (
            "on: x\n1: w\n1.30: z",
            serde_json::json!({"true": "x", "1": "w", "1.30": "z"}),
        ),
        ("? a\n: b", serde_json::json!({"a": "b"})),
        ("&k a: 1\nb: *k", serde_json::json!({"a": 1, "b": "a"})),
    ] {
        assert_eq!(yaml_tree(text).unwrap(), tree, "{text}");
    }
}

#[test]
fn merges_take_in_what_an_object_does_not_have_itself() {
    let base = "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\n";
    for (own, merged) in [
        ("{<<: *base}", serde_json::json!({"a": 1, "b": 2})),
        ("{<<: *base, a: 9}", serde_json::json!({"a": 9, "b": 2})),
        ("{a: 9, <<: *base}", serde_json::json!({"a": 9, "b": 2})),
        (
            "{<<: [*base, *more]}",
            serde_json::json!({"a": 1, "b": 2, "c": 4}),
        ),
        (
            "{<<: [*more, *base]}",
            serde_json::json!({"a": 1, "b": 3, "c": 4}),
        ),
        ("{'<<': x}", serde_json::json!({"<<": "x"})),
    ] {
        let tree = yaml_tree(&format!("{base}own: {own}\n")).unwrap();
        assert_eq!(tree["own"], merged, "{own}");
    }
    let error = yaml_error("a: {<<: 1}");
    assert!(
        error.contains("line 1, column 9: << takes in an object"),
        "{error}"
    );
}

#[test]
fn what_can_not_be_composed_is_said_with_its_place() {
    let anchors: Vec<String> = (0..101).map(|i| format!("a{i}: &a{i} x\n")).collect();
    let anchors = anchors.concat();
    let aliases = format!("a: &a x\nb: [{}]", "*a,".repeat(501));
    let deep = format!("{}1{}", "[".repeat(33), "]".repeat(33));
    for (text, place, words) in [
        ("a: .nan", "line 1, column 4", "no finite number"),
        ("a: !!int x", "line 1, column 10", "remove the tag"),
        ("a: !!binary '*'", "line 1, column 13", "base64"),
        ("? [a]\n: b", "line 1, column 3", "has to be a text"),
        ("~: b", "line 1, column 1", "has to be a text"),
        ("a: {{ x }}", "line 1, column 5", "has to be a text"),
        (
            "a: &a [*a]",
            "line 1, column 8",
            "inside of what it stands for",
        ),
        (&anchors, "line 101, ", "more than 100 anchors"),
        (&aliases, "line 2, ", "more than 500 aliases"),
        (&deep, "line 1, column 33", "nested deeper than 32"),
    ] {
        let error = yaml_error(text);
        assert!(
            error.contains(place) && error.contains(words),
            "{text:.20}: {error}"
        );
    }
}

#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    #[serde(default)]
    text: Option<String>,
    #[serde(default, deserialize_with = "unique_text_map")]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    list: Vec<String>,
    #[serde(default)]
    count: Option<u8>,
    #[serde(default)]
    flag: Option<bool>,
}

fn sample(text: &str) -> Result<Sample, Invalid> {
    let (document, tree) = document(text).unwrap();
    let read = document.typed(tree);
    read.map_err(|wrong| document.placed(wrong).remove(0))
}

#[test]
fn numbers_and_flags_are_texts_where_texts_are_wanted() {
    let read = sample("text: 1.34\ntags: {a: 1, b: yes, c: -0.5}\nlist: [12, x]\n").unwrap();
    let expected =
        r#"{"text": "1.34", "tags": {"a": "1", "b": "true", "c": "-0.5"}, "list": ["12", "x"]}"#;
    assert_eq!(read, json(expected.as_bytes()).unwrap());
    let json_error = json::<Sample>(br#"{"text": 1.34}"#).unwrap_err().remove(0);
    assert_eq!(
        json_error.message,
        "expected text, not the number 1.34; put it in quotes if text is meant"
    );
}

#[test]
fn a_number_that_would_become_another_text_has_to_be_put_in_quotes() {
    for (text, pointer, words) in [
        (
            "text: 1.30",
            "/text",
            "1.30 without quotes is the number 1.3: put it in quotes, \"1.30\" (line 1, column 1)",
        ),
        (
            "tags:\n  zip: 01234",
            "/tags/zip",
            "01234 without quotes is the number 668: put it in quotes, \"01234\" (line 2, column 3)",
        ),
        (
            "list: [a, 1e3]",
            "/list/1",
            "1e3 without quotes is the number 1000: put it in quotes, \"1e3\" (line 1, column 11)",
        ),
        (
            "list: [&v 1.30, x]\ntags: {b: *v}",
            "/list/0",
            "1.30 without quotes is the number 1.3: put it in quotes, \"1.30\" (line 1, column 11)",
        ),
        (
            "count: &v 1.0\ntags: {b: *v}",
            "/tags/b",
            "1.0 without quotes is the number 1: put it in quotes, \"1.0\" (line 2, column 8)",
        ),
    ] {
        let wrong = sample(text).unwrap_err();
        assert_eq!(
            (wrong.pointer.as_str(), wrong.message.as_str()),
            (pointer, words),
            "{text}"
        );
    }
    assert_eq!(sample("count: 1.0").unwrap().count, Some(1));
}

#[test]
fn what_does_not_fit_says_what_is_wanted_and_where_it_stands() {
    for (text, pointer, words) in [
        (
            "a: 1\ntxet: x",
            "/a",
            "unknown field \"a\"; known here: text, tags, list, count, flag (line 1, column 1)",
        ),
        (
            "txet: x",
            "/txet",
            "unknown field \"txet\"; did you mean text? known here: text, tags, list, count, flag (line 1, column 1)",
        ),
        (
            "text:\n- x",
            "/text",
            "expected text, not a list (line 1, column 1)",
        ),
        (
            "list: x",
            "/list",
            "expected a list, not the text \"x\"; a list has its elements in [ ], or each after a - (line 1, column 1)",
        ),
        (
            "count: '3'",
            "/count",
            "expected a whole number from 0 to 255, not the text \"3\"; write it without quotes (line 1, column 1)",
        ),
        (
            "count: 300",
            "/count",
            "expected a whole number from 0 to 255, not the number 300 (line 1, column 1)",
        ),
        (
            "flag: 'true'",
            "/flag",
            "expected true or false, not the text \"true\"; write it without quotes (line 1, column 1)",
        ),
        (
            "tags: [a]",
            "/tags",
            "expected an object with named fields (line 1, column 1)",
        ),
        (
            "list: [{a: b}]",
            "/list/0",
            "expected text, not an object (line 1, column 8)",
        ),
    ] {
        let wrong = sample(text).unwrap_err();
        assert_eq!(
            (wrong.pointer.as_str(), wrong.message.as_str()),
            (pointer, words),
            "{text}"
        );
    }
}

#[test]
fn aliases_work_in_moderation() {
    let tree = yaml_tree("a: &x {k: v}\nb: *x\n").unwrap();
    assert_eq!(tree, serde_json::json!({"a": {"k": "v"}, "b": {"k": "v"}}));
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
