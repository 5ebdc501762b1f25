//! The style in which go-yaml v2 writes a string.
//!
//! A string that would read back as something else (a number, a boolean, null, a time) is quoted.
//! Whether a plain style is possible at all is the emitter's business.

use super::yaml_time;
use libyaml_safer::ScalarStyle;

/// Words that YAML 1.1 reads as booleans, null or special floats.
const WORDS: [&str; 38] = [
    "", "~", "null", "Null", "NULL", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on",
    "On", "ON", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", ".nan",
    ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf",
];

/// The style to ask the emitter for.
pub(super) fn style(text: &str) -> ScalarStyle {
    if text.contains(past_basic_plane) {
        ScalarStyle::DoubleQuoted
    } else if text.contains('\n') {
        ScalarStyle::Literal
    } else if reads_as_something_else(text) {
        ScalarStyle::DoubleQuoted
    } else {
        ScalarStyle::Plain
    }
}

/// The style of a key that people chose. go-yaml writes `<<` plain, which reads back as a merge, so
/// that eksctl can't read what it wrote: quoted, it is a key like any other.
pub(super) fn key_style(key: &str) -> ScalarStyle {
    if key == "<<" {
        ScalarStyle::DoubleQuoted
    } else {
        style(key)
    }
}

/// Characters that go-yaml escapes and libyaml does not.
pub(super) fn past_basic_plane(c: char) -> bool {
    u32::from(c) > 0xFFFF
}

fn reads_as_something_else(text: &str) -> bool {
    if WORDS.contains(&text) || text == "-.INF" {
        return true;
    }
    match text.as_bytes().first() {
        Some(b'.') => underscores_part_digits(text) && is_float(&text.replace('_', "")),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            let plain = text.replace('_', "");
            yaml_time::is_time(text) || is_float(&plain) || is_integer(&plain) || is_base_60(text)
        }
        _ => false,
    }
}

fn underscores_part_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit_at = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let parts = |i: usize| i > 0 && digit_at(i - 1) && digit_at(i + 1);
    text.match_indices('_').all(|(i, _)| parts(i))
}

/// A decimal number, whole or not, that a 64-bit float can hold.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent_fits
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A hexadecimal, octal or binary number of Go's that fits 64 bits.
fn is_integer(text: &str) -> bool {
    let signed = text.starts_with(['+', '-']);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some(rest) = unsigned.strip_prefix('0') else {
        return false;
    };
    let (radix, digits) = match rest.as_bytes().first() {
        Some(b'x' | b'X') => (16, &rest[1..]),
        Some(b'o' | b'O') => (8, &rest[1..]),
        Some(b'b' | b'B') => (2, &rest[1..]),
        _ => (8, rest),
    };
    if !signed && rest.starts_with('b') && digits.starts_with(['+', '-']) {
        // go-yaml reads a sign after `0b` too.
        return i64::from_str_radix(digits, 2).is_ok();
    }
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return false;
    }
    match u64::from_str_radix(digits, radix) {
        Ok(number) if text.starts_with('-') => number <= 1 << 63,
        Ok(number) if signed => i64::try_from(number).is_ok(),
        Ok(_) => true,
        Err(_) => false,
    }
}

/// YAML 1.1's sexagesimal numbers, such as `12:30:45`: no one reads them, but go-yaml quotes them.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = number.split(':');
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let sixtieth =
        |part: &&str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && !rest.is_empty()
        && rest.iter().all(sixtieth)
        && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_as_another_type_is_double_quoted() {
        for text in [
            "",
            "~",
            "null",
            "true",
            "True",
            "yes",
            "no",
            "on",
            "off",
            "y",
            "N",
            "1",
            "-1",
            "+5",
            "1_000",
            "0x1f",
            "0o17",
            "017",
            "08",
            "0b101",
            "-0b1",
            "1.5",
            ".5",
            "1.",
            "1e3",
            "1.5E-3",
            ".inf",
            "-.INF",
            ".NaN",
            "2001-01-01",
            "2001-1-2",
            "2001-12-14T21:59:43Z",
            "2001-12-14 21:59:43.1",
            "12:30",
            "190:20:30.15",
            "18446744073709551615",
            "99999999999999999999",
        ] {
            assert_eq!(style(text), ScalarStyle::DoubleQuoted, "{text}");
        }
    }

    #[test]
    fn what_stays_a_string_stays_plain() {
        for text in [
            "a",
            "yES",
            "nulL",
            "1a",
            "1.2.3",
            "v1",
            "-",
            "+",
            ".",
            "..",
            "0x",
            "0xg",
            "0b2",
            "0o8",
            "1e",
            "1e999",
            "0xffffffffffffffffff",
            "-0x8000000000000001",
            "2001-13-01",
            "2001-02-29",
            "2001-01",
            "12:60",
            "12:",
            "<<",
            "_1",
            "arn:aws:iam::1:role/x",
            "subnet-1",
        ] {
            assert_eq!(style(text), ScalarStyle::Plain, "{text}");
        }
        assert_eq!(style("a\nb"), ScalarStyle::Literal);
    }
}
