//! What an unquoted word of YAML means, as eksctl's reader takes it: YAML 1.1, in which `yes`, `on` and
//! `0o17` are no texts.

use super::tree::whole;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

/// A scalar that was read.
#[derive(Debug, PartialEq)]
pub(super) enum Scalar {
    /// A value whose text, if one is wanted, is what was written.
    Plain(Value),
    /// A number that is written otherwise than it would be as a text, such as `1.30`.
    Odd(Number),
    /// `<<`, unquoted: as a key, it takes in what another object has.
    Merge,
}

/// Why a scalar can't be read.
pub(super) type Why = &'static str;

/// What a word without quotes and tag means.
pub(super) fn plain(word: &str) -> Result<Scalar, Why> {
    Ok(match word {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Plain(Value::Null),
        "<<" => Scalar::Merge,
        _ => match boolean(word) {
            Some(flag) => Scalar::Plain(Value::Bool(flag)),
            None if is_no_number(word) => {
                return Err("it is no finite number; put it in quotes if text is meant");
            }
            None => match number(word) {
                Some(number) if number.to_string() == word => Scalar::Plain(Value::Number(number)),
                Some(number) => Scalar::Odd(number),
                None => Scalar::Plain(Value::String(word.to_owned())),
            },
        },
    })
}

/// What a word means that carries a tag of YAML's own, such as `!!str`; `suffix` is what comes after `!!`.
pub(super) fn tagged(word: &str, suffix: &str, is_plain: bool) -> Result<Scalar, Why> {
    let wanted = match suffix {
        "binary" => return binary(word),
        "null" | "bool" | "int" | "float" if is_plain || suffix != "null" => plain(word)?,
        _ => return Ok(Scalar::Plain(Value::String(word.to_owned()))),
    };
    let fits = match (&wanted, suffix) {
        (Scalar::Plain(Value::Number(number)) | Scalar::Odd(number), "int") => !number.is_f64(),
        (Scalar::Plain(Value::Null), "null")
        | (Scalar::Plain(Value::Bool(_)), "bool")
        | (Scalar::Plain(Value::Number(_)) | Scalar::Odd(_), "float") => true,
        _ => false,
    };
    if fits {
        Ok(wanted)
    } else {
        Err("the value is not of the kind that its tag says; remove the tag")
    }
}

fn binary(word: &str) -> Result<Scalar, Why> {
    let packed: String = word.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(packed);
    let bytes = bytes.map_err(|_| "!!binary stands before what is not base64; mend it")?;
    let text = String::from_utf8(bytes);
    let text =
        text.map_err(|_| "!!binary holds what is no UTF-8 text; only texts are read here")?;
    Ok(Scalar::Plain(Value::String(text)))
}

fn boolean(word: &str) -> Option<bool> {
    match word {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(false)
        }
        _ => None,
    }
}

/// YAML has words for what JSON can't say.
fn is_no_number(word: &str) -> bool {
    let word = word.strip_prefix(['+', '-']).unwrap_or(word);
    matches!(word, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}

fn number(word: &str) -> Option<Number> {
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let bare = digits.replace('_', "");
    let negative = word.starts_with('-');
    if let Some(whole) = integer(&bare) {
        return signed(whole, negative);
    }
    if !is_decimal(&bare) {
        return None;
    }
    let value: f64 = bare.parse().ok()?;
    whole(if negative { -value } else { value })
}

/// Decimal, or by its prefix hexadecimal, octal or binary; a leading zero is octal too.
fn integer(bare: &str) -> Option<u64> {
    let lower = bare.to_ascii_lowercase();
    let radix = |digits: &str, radix| {
        let plain = digits.bytes().all(|digit| digit.is_ascii_alphanumeric());
        plain
            .then(|| u64::from_str_radix(digits, radix).ok())
            .flatten()
    };
    if let Some(digits) = lower.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = lower.strip_prefix("0b") {
        return radix(digits, 2);
    }
    if let Some(digits) = lower.strip_prefix("0o") {
        return radix(digits, 8);
    }
    match lower.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => radix(digits, 8),
        _ => radix(&lower, 10),
    }
}

fn signed(whole: u64, negative: bool) -> Option<Number> {
    if !negative {
        return Some(whole.into());
    }
    let whole = i64::try_from(i128::from(whole).checked_neg()?).ok()?;
    Some(whole.into())
}

/// Digits with at most one point, and perhaps an exponent.
fn is_decimal(bare: &str) -> bool {
    let (mantissa, exponent) = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (bare, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (front, back) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa =
        (digits(front) && (back.is_empty() || digits(back))) || (front.is_empty() && digits(back));
    mantissa
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_mean_what_eksctls_reader_takes_them_for() {
        for (word, expected) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("y", json!(true)),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("1.5", json!(1.5)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1.34.2", json!("1.34.2")),
            ("2026-11-27", json!("2026-11-27")),
            ("10.0.0.0/16", json!("10.0.0.0/16")),
            ("1:30", json!("1:30")),
            ("-", json!("-")),
            ("0x", json!("0x")),
            ("12m", json!("12m")),
            ("=", json!("=")),
        ] {
            assert_eq!(plain(word), Ok(Scalar::Plain(expected)), "{word}");
        }
    }

    #[test]
    fn a_number_that_is_written_otherwise_is_odd() {
        for (word, expected) in [
            ("1.30", json!(1.3)),
            ("0x1F", json!(31)),
            ("010", json!(8)),
            ("0o17", json!(15)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("+1", json!(1)),
            ("90.0", json!(90)),
            ("1e3", json!(1000)),
            ("012345678901", json!(12_345_678_901_u64)),
            (
                "-9223372036854775808.0",
                json!(-9_223_372_036_854_775_808.0),
            ),
        ] {
            let Ok(Scalar::Odd(number)) = plain(word) else {
                panic!("{word}: {:?}", plain(word));
            };
            assert_eq!(Value::Number(number), expected, "{word}");
        }
    }

    #[test]
    fn tags_say_what_is_meant() {
        let text = |word: &str| Ok(Scalar::Plain(json!(word)));
        assert_eq!(tagged("1.30", "str", true), text("1.30"));
        assert_eq!(tagged("2026-11-27", "timestamp", true), text("2026-11-27"));
        assert_eq!(tagged("3", "int", false), Ok(Scalar::Plain(json!(3))));
        assert_eq!(tagged("aGk=", "binary", true), text("hi"));
        assert!(tagged("a", "int", true).is_err());
        assert!(tagged("_", "binary", true).is_err());
        assert!(tagged("//8=", "binary", true).is_err());
    }

    #[test]
    fn what_json_can_not_say_is_refused() {
        for word in [".nan", "-.inf", "+.Inf"] {
            assert!(plain(word).is_err(), "{word}");
        }
        assert_eq!(plain("<<"), Ok(Scalar::Merge));
    }
}
