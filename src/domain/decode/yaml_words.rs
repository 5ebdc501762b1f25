//! The parser's kinds of errors, in sentences of ours that say what to do.

use serde_saphyr::granit_parser::ErrorKind;

/// What is wrong, and what to do.
pub(super) fn sentence(kind: &ErrorKind) -> String {
    let own = own(kind).or_else(|| of_structure(kind));
    let own = own
        .or_else(|| of_quotes(kind))
        .or_else(|| of_rarities(kind));
    own.unwrap_or_else(|| {
        "the text can't be read as YAML from here on; check the lines before".to_owned()
    })
}

/// Those that tell something of the text.
fn own(kind: &ErrorKind) -> Option<String> {
    use ErrorKind as E;
    Some(match kind {
        E::UnexpectedCharacter { character } => format!(
            "the character {character:?} can't stand here; put the text in quotes if it belongs to one"
        ),
        E::MismatchedFlowCollectionEnd { open, close } => {
            format!(
                "what begins with {open} ends with {close}: close each bracket with its own kind"
            )
        }
        E::UnclosedFlowCollection { open } => {
            let missing = if *open == '[' { ']' } else { '}' };
            format!("what begins with {open} is not closed: a {missing} is missing")
        }
        E::InputByteLimitExceeded { limit } | E::DirectiveByteLimitExceeded { limit } => {
            format!("longer than the {limit} bytes that are read of it")
        }
        E::TooManyReservedDirectiveParams { limit } => {
            format!("a line that begins with % has more than {limit} words; remove the line")
        }
        _ => return None,
    })
}

#[expect(clippy::too_many_lines, reason = "a line for each kind of error")]
fn of_structure(kind: &ErrorKind) -> Option<String> {
    use ErrorKind as E;
    let words = match kind {
        E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::UnexpectedEofBlockSequence
        | E::UnexpectedEofBlockMapping
        | E::UnexpectedEof
        | E::ExpectedNodeContent => {
            "a value should stand here; remove what stands in its place, or send the rest of the document"
        }
        E::ExpectedBlockMappingKey => {
            "a field should begin here; indent the fields of one object alike, and write name: value"
        }
        E::ExpectedBlockSequenceEntry => {
            "an element of the list should begin here with -; indent the elements alike"
        }
        E::ExpectedFlowMappingSeparator => {
            "between the fields in { } comes a comma, after the last one a }"
        }
        E::ExpectedFlowSequenceSeparator => {
            "between the elements in [ ] comes a comma, after the last one a ]"
        }
        E::ExpectedDocumentStart => {
            "something stands after the end of the document; check the indentation of this line"
        }
        E::SimpleKeyExpected | E::InvalidSimpleKey => {
            "a colon is missing after the name of a field; the name and its colon stand in one line"
        }
        E::InvalidIndentation => {
            "the indentation fits none of the lines before; indent the fields of one object alike"
        }
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart => {
            "a tab stands where YAML indents with spaces: put spaces in its place"
        }
        E::TabInPlainScalar => {
            "a tab stands where a line goes on: indent with spaces, or put the text in quotes"
        }
        E::MappingKeyNotAllowed | E::MappingValueNotAllowed => {
            "no field can begin here; check the indentation, and put a text that holds a colon in quotes"
        }
        E::InvalidColonPlacement
        | E::FlowMappingValueAdjacentCollection
        | E::InvalidMappingValueWhitespace => {
            "the colon stands in the wrong place; put a blank after it, and a text that holds one in quotes"
        }
        E::BlockEntryInFlowCollection => {
            "a - stands within [ ] or { }, whose elements have commas between"
        }
        E::BlockSequenceEntryNotAllowed | E::InvalidBlockEntryWhitespace => {
            "no element of a list can begin here; begin it in a line of its own, with - and a blank"
        }
        E::MisplacedFlowCollectionEnd => "a bracket is closed that was not opened: remove it",
        E::RecursionLimitExceeded => {
            "nested deeper than lists and objects may be here; flatten the document"
        }
        E::UnexpectedEndOfPlainScalar
        | E::PlainScalarStartsWithDashFlowIndicator
        | E::InvalidFlowScalarIndent => {
            "the text can't stand here as it is; put it in quotes, and indent it more than its field"
        }
        E::CommentInterceptedScalar => {
            "a comment stands within a text; put it before or after, or the text in quotes"
        }
        E::CommentNotSeparated => {
            "a blank is missing before the # of a comment; put a text that holds # in quotes"
        }
        E::ExpectedWhitespace => "a blank is missing here",
        _ => return None,
    };
    Some(words.to_owned())
}

fn of_quotes(kind: &ErrorKind) -> Option<String> {
    use ErrorKind as E;
    let words = match kind {
        E::UnclosedQuotedScalar => "a text in quotes is not closed: its quote is missing",
        E::DocumentIndicatorInQuotedScalar => {
            "a line of a text in quotes begins with --- or ...; indent it, or close the quotes"
        }
        E::InvalidQuotedScalarIndent => {
            "a text in quotes goes on in a line that is indented too little"
        }
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            "something stands after the closing quote; put all of the text between the quotes"
        }
        E::UnknownQuotedScalarEscape => {
            "a backslash in double quotes stands before a character that needs none; write \\\\ for the \
             backslash itself, or use single quotes"
        }
        E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => {
            "an escape such as \\u00e9 is no character; write the character itself"
        }
        E::ZeroBlockScalarIndent | E::InvalidBlockScalarHeader => {
            "after | or > comes at most one of + and -, and a digit from 1 to 9"
        }
        E::InvalidBlockScalarIndent => {
            "a line of the text below | or > is indented less than its first"
        }
        _ => return None,
    };
    Some(words.to_owned())
}

fn of_rarities(kind: &ErrorKind) -> Option<String> {
    use ErrorKind as E;
    let words = match kind {
        E::UnknownAnchor => {
            "an alias (*) has no anchor (&) of its name before it; define that first"
        }
        E::AnchorCountOverflow => "too many anchors; write the values out",
        E::MissingAnchorOrAliasName => {
            "after & and * comes a name; put a text that begins so in quotes"
        }
        E::DuplicateVersionDirective => "a second line with %YAML; keep one",
        E::UnsupportedYamlMajorVersion => {
            "YAML of another version than 1; remove the line with %YAML"
        }
        E::DuplicateTagDirective => "a second line with %TAG for one handle; keep one",
        E::MissingDocumentEndBeforeDirective
        | E::DirectiveDisallowed
        | E::InvalidDirectiveTerminator
        | E::MissingYamlVersionSeparator
        | E::MissingDirectiveName
        | E::InvalidDirectiveName
        | E::YamlVersionTooLong
        | E::MissingYamlVersion
        | E::InvalidTagDirectiveTerminator
        | E::ExpectedTagDirectiveBang => {
            "a line that begins with % is for YAML's reader; remove it, or put the text in quotes"
        }
        E::UndeclaredTagHandle
        | E::ExpectedTagBang
        | E::InvalidGlobalTagCharacter
        | E::InvalidTagTerminator
        | E::MissingTagUri
        | E::UnclosedVerbatimTag
        | E::InvalidTagEscape
        | E::InvalidTagUtf8LeadingByte
        | E::InvalidTagUtf8TrailingByte
        | E::InvalidTagUtf8 => "a tag (!) can't be read; remove it, or put the text in quotes",
        E::InvalidDocumentEnd => "after ... comes nothing in its line",
        E::BomInsideDocument => {
            "a byte order mark stands within the document; save the file without it"
        }
        E::InputIo { .. }
        | E::InputDecoding { .. }
        | E::ExpectedStreamStart
        | E::MissingIncludeResolver
        | E::MultipleDocumentsUnsupported
        | E::InputOffsetsWithoutSlice
        | E::InputSlicingUnavailable => {
            "the document can't be read; save it as UTF-8 and send it again"
        }
        _ => return None,
    };
    Some(words.to_owned())
}
