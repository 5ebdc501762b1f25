//! eksctl's JSON: Go's `MarshalIndent` with four spaces and its HTML-safe escapes.

use super::shape::Shown;
use crate::domain::FargateProfile;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// An array of profiles in the order given; no newline at the end.
#[must_use]
pub fn eksctl_json(profiles: &[FargateProfile]) -> String {
    let shown: Vec<Shown<'_>> = profiles.iter().map(Shown::of).collect();
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, GoFormatter::new());
    if shown.serialize(&mut serializer).is_err() {
        // Texts and maps of texts into memory: there is nothing to fail.
        return String::new();
    }
    String::from_utf8(out).unwrap_or_default()
}

/// serde's pretty printer with Go's escapes of `<`, `>`, `&`, U+2028 and U+2029.
struct GoFormatter(PrettyFormatter<'static>);

impl GoFormatter {
    fn new() -> Self {
        Self(PrettyFormatter::with_indent(b"    "))
    }
}

impl Formatter for GoFormatter {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(w, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(w, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        w: &mut W,
        text: &str,
    ) -> io::Result<()> {
        let mut rest = text;
        while let Some((i, c)) = rest.char_indices().find(|(_, c)| go_escapes(*c)) {
            w.write_all(&rest.as_bytes()[..i])?;
            write!(w, "\\u{:04x}", u32::from(c))?;
            rest = &rest[i + c.len_utf8()..];
        }
        w.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, w: &mut W, c: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(w, c)
    }
}

fn go_escapes(c: char) -> bool {
    matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples;

    #[test]
    fn no_profiles_is_an_empty_array_without_a_newline() {
        assert_eq!(eksctl_json(&[]), "[]");
    }

    #[test]
    fn keys_keep_eksctls_order_and_empty_fields_are_left_out() {
        let expected = r#"[
    {
        "name": "fp-test",
        "podExecutionRoleARN": "arn:aws:iam::123:role/root",
        "selectors": [
            {
                "namespace": "kube-system",
                "labels": {
                    "app": "my-app",
                    "env": "test"
                }
            },
            {
                "namespace": "default"
            }
        ],
        "tags": {
            "app": "my-app",
            "env": "test"
        },
        "status": "ACTIVE"
    },
    {
        "name": "fp-prod",
        "podExecutionRoleARN": "arn:aws:iam::123:role/root",
        "selectors": [
            {
                "namespace": "prod",
                "labels": {
                    "env": "prod"
                }
            }
        ],
        "subnets": [
            "subnet-prod",
            "subnet-d34dc0w"
        ],
        "status": "ACTIVE"
    }
]"#;
        assert_eq!(eksctl_json(&samples::two()), expected);
    }

    #[test]
    fn a_profile_of_a_name_alone_still_shows_selectors_and_status() {
        let bare = FargateProfile {
            name: "x".to_owned(),
            ..FargateProfile::default()
        };
        let expected = r#"[
    {
        "name": "x",
        "selectors": [],
        "status": ""
    }
]"#;
        assert_eq!(eksctl_json(&[bare]), expected);
    }

    #[test]
    fn go_escapes_what_html_could_read() {
        let odd = FargateProfile {
            name: "a<b>&\u{2028}\"é\n".to_owned(),
            ..FargateProfile::default()
        };
        let shown = eksctl_json(&[odd]);
        assert!(
            shown.contains(r#""name": "a\u003cb\u003e\u0026\u2028\"é\n""#),
            "{shown}"
        );
    }
}
