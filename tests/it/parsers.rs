//! No word of a parser's own reaches a caller: every kind of error of the YAML and the JSON reader, made by
//! a document each, and said in our words with line and column.
//!
//! The kinds are read from the sources of the libraries, so that a new one fails here until it has a
//! document, or a reason why no document makes it.

use std::collections::BTreeSet;
use std::process::Command;

use fargate_fleet::domain::decode::{json_tree, yaml_tree};
use serde_json::Value;
use serde_saphyr::granit_parser::{Options, Parser};

/// Kinds of the YAML parser, and documents that make them.
const YAML: &[(&str, &str)] = &[
    ("BlockEntryInFlowCollection", "[- a]"),
    ("BlockSequenceEntryNotAllowed", "a: - b"),
    ("BomInsideDocument", "a: 1\n\u{feff}b: 2"),
    ("CommentInterceptedScalar", "a: b # c\n d"),
    ("CommentNotSeparated", "\"a\"#b"),
    ("DocumentIndicatorInQuotedScalar", "\"a\n--- b\""),
    ("DuplicateTagDirective", "%TAG ! x\n%TAG ! y\n---\na"),
    ("DuplicateVersionDirective", "%YAML 1.2\n%YAML 1.2\n---\na"),
    ("ExpectedBlockMappingKey", "a: [b]c"),
    ("ExpectedBlockSequenceEntry", "- \"a\"\n \"b\": c"),
    ("ExpectedDocumentStart", "&a ,"),
    ("ExpectedFlowMappingSeparator", "{a: [b]c}"),
    ("ExpectedFlowSequenceSeparator", "[{a: b} c]"),
    ("ExpectedTagBang", "%TAG\n---\na"),
    ("ExpectedTagDirectiveBang", "%TAG !a z\n---\na"),
    ("FlowMappingValueAdjacentCollection", "[a:[]]"),
    ("InvalidBlockEntryWhitespace", "- \t- a"),
    ("InvalidBlockScalarHeader", "a: |x\n b"),
    ("InvalidBlockScalarIndent", "a: |2\n b"),
    ("InvalidColonPlacement", "[a\n: b]"),
    ("InvalidDirectiveTerminator", "%TAG ! a b\n---\na"),
    ("InvalidDocumentEnd", "a: 1\n... b"),
    ("InvalidGlobalTagCharacter", "%TAG !\n---\na"),
    ("InvalidLowSurrogate", "a: \"\\ud800\\u0041\""),
    ("InvalidLowSurrogateHexEscape", "a: \"\\ud800\\uzzzz\""),
    ("InvalidQuotedScalarHexEscape", "a: \"\\xzz\""),
    (
        "InvalidTagDirectiveTerminator",
        "%TAG !e! tag:example.com^suffix\n---\na",
    ),
    ("InvalidTagEscape", "a: !a% c"),
    ("InvalidTagTerminator", "a: !{ z"),
    ("InvalidTagUtf8", "a: !%c0%80 c"),
    ("InvalidTagUtf8LeadingByte", "a: !%ff z"),
    ("InvalidTagUtf8TrailingByte", "a: !%c3%28 z"),
    ("InvalidTrailingDoubleQuotedScalar", "\"a\nb\": c"),
    ("InvalidTrailingSingleQuotedScalar", "a: 'b'c"),
    ("InvalidUnicodeEscape", "a: \"\\U00110000\""),
    ("MappingKeyNotAllowed", "a: ? b"),
    ("MappingValueNotAllowed", "a\nb: c"),
    ("MismatchedFlowCollectionEnd", "[a}"),
    ("MisplacedFlowCollectionEnd", "]"),
    ("MissingAnchorOrAliasName", "a: &"),
    ("MissingDirectiveName", "%\n---\na"),
    (
        "MissingDocumentEndBeforeDirective",
        "[a]\n%YAML 1.2\n---\nb",
    ),
    ("MissingLowSurrogate", "a: \"\\ud800\""),
    ("MissingTagUri", "a: !! c"),
    ("MissingYamlVersion", "%YAML\n---\na"),
    ("MissingYamlVersionSeparator", "%YAML 1\n---\na"),
    ("PlainScalarStartsWithDashFlowIndicator", "[-]"),
    ("SimpleKeyExpected", "- a\nb"),
    ("TabAtBlockScalarStart", "a: |\n\tb"),
    ("TabInBlockIndentation", "-\n\ta"),
    ("TabInPlainScalar", "a: b\n\tc"),
    ("TabNotAllowed", "?\n\tfoo"),
    (
        "TooManyReservedDirectiveParams",
        "%x a b c d e f g h i j k l m n o p q r s t\n---\na",
    ),
    ("UnclosedFlowCollection", "[a, b"),
    ("UnclosedQuotedScalar", "'a"),
    ("UnclosedVerbatimTag", "a: !<x z"),
    ("UndeclaredTagHandle", "a: !x!y z"),
    ("UnexpectedCharacter", "a: @b"),
    ("UnexpectedEofBlockMapping", "? ,"),
    ("UnexpectedEofBlockSequence", "- ,"),
    ("UnexpectedEofImplicitFlowMapping", "{,}"),
    ("UnknownAnchor", "a: *b"),
    ("UnknownQuotedScalarEscape", "a: \"\\q\""),
    ("UnpairedLowSurrogate", "a: \"\\udc00\""),
    ("UnsupportedYamlMajorVersion", "%YAML 2.0\n---\na"),
    ("YamlVersionTooLong", "%YAML 11111111111111.1\n---\na"),
    ("ZeroBlockScalarIndent", "a: |0\n b"),
];

/// Those whose documents are long: kind, beginning, what comes how often, end.
const LONG_YAML: [(&str, &str, &str, usize, &str); 2] = [
    ("RecursionLimitExceeded", "", "[", 80, ""),
    ("DirectiveByteLimitExceeded", "%x ", "a", 1_100, "\n---\na"),
];

const STRICT: &str =
    "only when indentation is held to YAML's letter, which eksctl's reader does not";
const INPUTS: &str = "only of texts that are read in pieces or decoded by the parser";
const SEVERAL: &str = "only of documents that include others";
const UNSEEN: &str = "the parser's check of itself: no document was found that makes it";

/// Kinds that no document makes here, and why.
const NO_YAML: &[(&str, &str)] = &[
    (
        "AnchorCountOverflow",
        "takes more anchors than a document of the largest size can hold",
    ),
    ("Custom", SEVERAL),
    ("DirectiveDisallowed", "lines with % are allowed"),
    ("ExpectedNodeContent", UNSEEN),
    ("ExpectedStreamStart", UNSEEN),
    ("ExpectedWhitespace", UNSEEN),
    ("InputByteLimitExceeded", INPUTS),
    ("InputDecoding", INPUTS),
    ("InputIo", INPUTS),
    ("InputOffsetsWithoutSlice", INPUTS),
    ("InputSlicingUnavailable", INPUTS),
    ("InvalidDirectiveName", UNSEEN),
    ("InvalidFlowScalarIndent", UNSEEN),
    ("InvalidIndentation", STRICT),
    ("InvalidMappingValueWhitespace", UNSEEN),
    ("InvalidQuotedScalarIndent", STRICT),
    ("InvalidSimpleKey", UNSEEN),
    ("MissingIncludeResolver", SEVERAL),
    ("MultipleDocumentsUnsupported", SEVERAL),
    ("TabInIndentation", STRICT),
    ("TooManyComments", "comments are not asked for"),
    ("UnexpectedEndOfPlainScalar", UNSEEN),
    ("UnexpectedEof", UNSEEN),
    ("UnexpectedEofFlowMapping", UNSEEN),
    ("UnexpectedEofFlowSequence", UNSEEN),
];

/// Kinds of the JSON reader, its words for them, and documents that make them.
const JSON: &[(&str, &str, &str)] = &[
    ("EofWhileParsingList", "EOF while parsing a list", "[1"),
    (
        "EofWhileParsingObject",
        "EOF while parsing an object",
        "{\"a\": 1",
    ),
    ("EofWhileParsingString", "EOF while parsing a string", "\"a"),
    ("EofWhileParsingValue", "EOF while parsing a value", ""),
    ("ExpectedColon", "expected `:`", "{\"a\" 1}"),
    ("ExpectedListCommaOrEnd", "expected `,` or `]`", "[1 2]"),
    (
        "ExpectedObjectCommaOrEnd",
        "expected `,` or `}`",
        "{\"a\": 1 \"b\": 2}",
    ),
    ("ExpectedSomeIdent", "expected ident", "[tru]"),
    ("ExpectedSomeValue", "expected value", "[x]"),
    ("InvalidEscape", "invalid escape", "[\"\\q\"]"),
    ("InvalidNumber", "invalid number", "[1.]"),
    ("NumberOutOfRange", "number out of range", "[1e999]"),
    (
        "ControlCharacterWhileParsingString",
        "control character",
        "[\"a\nb\"]",
    ),
    ("KeyMustBeAString", "key must be a string", "{a: 1}"),
    (
        "LoneLeadingSurrogateInHexEscape",
        "lone leading surrogate in hex escape",
        "[\"\\udc00\"]",
    ),
    ("TrailingComma", "trailing comma", "[1,]"),
    ("TrailingCharacters", "trailing characters", "{} {}"),
    (
        "UnexpectedEndOfHexEscape",
        "unexpected end of hex escape",
        "[\"\\ud800x\"]",
    ),
];

/// Kinds that no document makes here, and why.
const NO_JSON: &[(&str, &str)] = &[
    (
        "Message",
        "what a type says: never of a tree, but for a field that stands twice",
    ),
    ("Io", "only of texts that are read in pieces"),
    ("ExpectedDoubleQuote", "only where keys are read as numbers"),
    ("ExpectedNumericKey", "only where keys are read as numbers"),
    ("FloatKeyMustBeFinite", "only where JSON is written"),
];

/// The text of a library's source file, as cargo has it.
fn source(library: &str, file: &str) -> String {
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let packages = told["packages"].as_array().unwrap().iter();
    let mut found = packages.filter(|package| package["name"] == library);
    let package = found.next().expect("the library is a dependency");
    assert_eq!(found.next(), None, "two versions of {library}");
    let manifest = std::path::Path::new(package["manifest_path"].as_str().unwrap());
    std::fs::read_to_string(manifest.with_file_name(file)).expect("its source is there")
}

/// The names of an enum's variants.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let head = format!("enum {name} {{");
    let (_, body) = source.split_once(&head).expect("the enum is there");
    let (body, _) = body.split_once("\n}").expect("it ends");
    let names = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = names.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    names
        .map(|line| {
            line.chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect()
        })
        .collect()
}

fn expected<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    names.map(str::to_owned).collect()
}

/// The kind of error that the parser itself meets, by name, and its words.
fn yaml_kind(text: &str) -> (String, String) {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = 64;
    options.block_nesting_limit = 64;
    let mut events = Parser::new_from_str_with_options(text, options);
    let error = events
        .find_map(Result::err)
        .unwrap_or_else(|| panic!("{text:?} is sound"));
    let kind = format!("{:?}", error.kind());
    let name = kind
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    (name, error.kind().to_string())
}

/// Holds a message to what callers are promised.
fn check(message: &str, format: &str, theirs: &str) {
    let place = format!("not valid {format} at line ");
    let rest = message
        .strip_prefix(&place)
        .unwrap_or_else(|| panic!("{message}"));
    let (line, rest) = rest
        .split_once(", column ")
        .unwrap_or_else(|| panic!("{message}"));
    let (column, words) = rest.split_once(": ").unwrap_or_else(|| panic!("{message}"));
    let number = |text: &str| {
        text.parse::<usize>()
            .unwrap_or_else(|_| panic!("{message}"))
    };
    assert!(number(line) >= 1, "{message}");
    number(column);
    assert!(
        !words.contains(theirs),
        "the library's own words: {message}"
    );
    for word in [
        "::",
        "EOF",
        "flow",
        "scalar",
        "surrogate",
        "recursion",
        "ident",
        "while parsing",
    ] {
        assert!(!words.contains(word), "{word}: {message}");
    }
    assert!(words.len() > 15 && words.len() < 300, "{message}");
}

#[test]
fn every_kind_of_yaml_error_is_said_in_our_words() {
    let kinds = variants(&source("granit-parser", "src/error.rs"), "ErrorKind");
    let long = LONG_YAML.map(|(kind, first, unit, times, last)| {
        (kind, format!("{first}{}{last}", unit.repeat(times)))
    });
    let made = YAML.iter().map(|(kind, text)| (*kind, (*text).to_owned()));
    let made: Vec<(&str, String)> = made.chain(long).collect();
    let told = made.iter().map(|(kind, _)| *kind);
    let listed = expected(told.chain(NO_YAML.iter().map(|(kind, _)| *kind)));
    assert_eq!(listed, kinds, "every kind has its document or its reason");
    for (kind, text) in &made {
        let (met, theirs) = yaml_kind(text);
        assert_eq!(met, *kind, "{text:?}");
        let ours = yaml_tree(text).unwrap_err().remove(0);
        check(&ours.message, "YAML", &theirs);
        let generic = "can't be read as YAML from here on";
        assert!(
            !ours.message.contains(generic),
            "{kind} has no words of its own"
        );
    }
    println!("{} kinds made, {} can't be", made.len(), NO_YAML.len());
}

#[test]
fn every_kind_of_json_error_is_said_in_our_words() {
    let kinds = variants(&source("serde_json", "src/error.rs"), "ErrorCode");
    let short = JSON
        .iter()
        .map(|(kind, theirs, text)| (*kind, *theirs, text.as_bytes().to_vec()));
    let mut made: Vec<(&str, &str, Vec<u8>)> = short.collect();
    let no_utf8 = b"[\"\xff\"]".to_vec();
    made.push((
        "InvalidUnicodeCodePoint",
        "invalid unicode code point",
        no_utf8,
    ));
    let deep = b"[".repeat(200);
    made.push(("RecursionLimitExceeded", "recursion limit exceeded", deep));
    let told = made.iter().map(|(kind, ..)| *kind);
    let listed = expected(told.chain(NO_JSON.iter().map(|(kind, _)| *kind)));
    assert_eq!(listed, kinds, "every kind has its document or its reason");
    for (kind, theirs, text) in &made {
        let met = serde_json::from_slice::<Value>(text)
            .unwrap_err()
            .to_string();
        assert!(met.starts_with(theirs), "{kind}: {met}");
        let ours = json_tree(text).unwrap_err().remove(0);
        check(&ours.message, "JSON", theirs);
        let generic = "can't be read as JSON from here on";
        assert!(
            !ours.message.contains(generic),
            "{kind} has no words of its own"
        );
    }
    println!("{} kinds made, {} can't be", made.len(), NO_JSON.len());
}
