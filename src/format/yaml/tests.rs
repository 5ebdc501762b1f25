use super::*;
use crate::format::samples;
use proptest::prelude::*;

fn with_tag(key: &str, value: &str) -> FargateProfile {
    FargateProfile {
        name: "fp".to_owned(),
        tags: BTreeMap::from([(key.to_owned(), value.to_owned())]),
        ..FargateProfile::default()
    }
}

/// The line in which a tag of this value is written.
fn written(value: &str) -> String {
    let text = yaml(&[with_tag("k", value)]);
    let (_, line) = text.split_once("  tags:\n    ").unwrap();
    line.trim_end_matches('\n').to_owned()
}

#[test]
fn no_profiles_is_an_empty_sequence() {
    assert_eq!(yaml(&[]), "[]\n");
}

#[test]
fn keys_are_alphabetical_and_sequences_are_not_indented() {
    let expected = "\
- name: fp-test
  podExecutionRoleARN: arn:aws:iam::123:role/root
  selectors:
  - labels:
      app: my-app
      env: test
    namespace: kube-system
  - namespace: default
  status: ACTIVE
  tags:
    app: my-app
    env: test
- name: fp-prod
  podExecutionRoleARN: arn:aws:iam::123:role/root
  selectors:
  - labels:
      env: prod
    namespace: prod
  status: ACTIVE
  subnets:
  - subnet-prod
  - subnet-d34dc0w
";
    assert_eq!(yaml(&samples::two()), expected);
}

// Every expectation below is what Go's sigs.k8s.io/yaml wrote for the same profile.
#[test]
fn strings_are_quoted_as_go_yaml_quotes_them() {
    for (value, line) in [
        ("plain", "k: plain"),
        ("", "k: \"\""),
        ("true", "k: \"true\""),
        ("yes", "k: \"yes\""),
        ("1", "k: \"1\""),
        ("0x1f", "k: \"0x1f\""),
        ("2001-01-01", "k: \"2001-01-01\""),
        ("12:30", "k: \"12:30\""),
        ("*x", "k: '*x'"),
        ("- a", "k: '- a'"),
        ("a: b", "k: 'a: b'"),
        ("a #b", "k: 'a #b'"),
        ("it's", "k: it's"),
        ("'q'", "k: '''q'''"),
        ("trail ", "k: 'trail '"),
        ("a\tb", "k: \"a\\tb\""),
        ("team-*", "k: team-*"),
        ("<<", "k: <<"),
        ("日本", "k: 日本"),
        ("😀", "k: \"\\U0001F600\""),
        ("a\nb", "k: |-\n      a\n      b"),
        ("a\n", "k: |\n      a"),
    ] {
        assert_eq!(written(value), line, "{value:?}");
    }
}

#[test]
fn an_open_ended_block_at_the_end_gets_no_end_mark() {
    assert!(!yaml(&[with_tag("k", "a\n\n")]).contains("..."));
}

#[test]
fn long_text_is_folded_at_80_columns() {
    let line = written(&"word ".repeat(30));
    assert!(
        line.lines().count() == 2 && line.lines().all(|line| line.len() < 100),
        "{line}"
    );
}

#[test]
fn numbers_in_keys_sort_by_value() {
    let mut profile = with_tag("a10", "x");
    profile.tags.insert("a2".to_owned(), "y".to_owned());
    assert!(yaml(&[profile]).ends_with("tags:\n    a2: \"y\"\n    a10: x\n"));
}

#[test]
fn a_tag_named_as_the_merge_key_reads_back() {
    let mut profile = with_tag("<<", "x");
    profile.status = Some("ACTIVE".to_owned());
    let text = yaml(std::slice::from_ref(&profile));
    assert!(text.contains("    \"<<\": x\n"), "{text}");
    let back: Vec<FargateProfile> = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(back, vec![profile]);
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(
        name in "[ -~]{0,20}",
        key in "[ -~é日]{1,20}",
        value in "[ -~\n\té日😀]{0,40}",
    ) {
        let mut profile = with_tag(&key, &value);
        profile.name = name;
        profile.status = Some("ACTIVE".to_owned());
        let text = yaml(std::slice::from_ref(&profile));
        let back: Vec<FargateProfile> = serde_saphyr::from_str(&text).unwrap();
        prop_assert_eq!(back, vec![profile], "{}", text);
    }
}
