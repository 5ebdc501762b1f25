//! Which strings YAML 1.1, as Go's time parser reads it, takes for a date or a time.

/// Whether `text` is a date (`2001-1-2`) or a date and time with a zone, or with a space and none.
pub(super) fn is_time(text: &str) -> bool {
    let Some((day, rest)) = date(text) else {
        return false;
    };
    if !day {
        return false;
    }
    match rest.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => clock(&rest[1..]).is_some_and(is_zone),
        Some(b' ') => clock(&rest[1..]).is_some_and(str::is_empty),
        Some(_) => false,
    }
}

/// Reads year, month and day; whether that day exists, and what follows.
fn date(text: &str) -> Option<(bool, &str)> {
    let year = text
        .get(..4)
        .filter(|year| year.bytes().all(|b| b.is_ascii_digit()))?;
    let (month, rest) = number(text.get(4..)?.strip_prefix('-')?)?;
    let (day, rest) = number(rest.strip_prefix('-')?)?;
    let exists = chrono::NaiveDate::from_ymd_opt(year.parse().ok()?, month, day).is_some();
    Some((exists, rest))
}

/// Reads hour, minute, second and a fraction; gives what follows.
fn clock(text: &str) -> Option<&str> {
    let (hour, rest) = number(text)?;
    let (minute, rest) = number(rest.strip_prefix(':')?)?;
    let (second, rest) = number(rest.strip_prefix(':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.strip_prefix(['.', ',']).unwrap_or_default();
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    Some(if digits == 0 {
        rest
    } else {
        &fraction[digits..]
    })
}

/// `Z`, or a sign with hours and minutes of two digits each.
fn is_zone(text: &str) -> bool {
    let offset = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let two = |part: &str, max: u8| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            digits && part.parse::<u8>().is_ok_and(|n| n <= max)
        };
        Some(two(hours, 24) && two(minutes, 60))
    };
    text == "Z"
        || text
            .strip_prefix(['+', '-'])
            .and_then(offset)
            .unwrap_or(false)
}

/// Reads a number of one or two digits.
fn number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::is_time;

    #[test]
    fn go_takes_short_fields_fractions_and_zones() {
        for text in [
            "2001-01-01",
            "2001-1-2",
            "2000-02-29",
            "2001-12-14T21:59:43Z",
            "2001-12-14t1:2:3.123456789+02:00",
            "2001-12-14 21:59:43",
            "2001-12-14 21:59:43.10",
        ] {
            assert!(is_time(text), "{text}");
        }
    }

    #[test]
    fn what_go_does_not_take_stays_text() {
        for text in [
            "",
            "2001",
            "2001-1",
            "201-01-01",
            "2001-02-29",
            "2001-13-01",
            "2001-01-01T",
            "2001-12-14T21:59:43",
            "2001-12-14 21:59:43Z",
            "2001-12-14T24:00:00Z",
            "2001-12-14T21:59:43+2",
            "２００１-01-01",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
