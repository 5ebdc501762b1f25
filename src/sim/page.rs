//! Pages of a list: opaque tokens, and pages that are now and then shorter than asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::AwsError;

const LARGEST_PAGE: usize = 100;

/// What a client asks of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageRequest {
    pub max_results: Option<usize>,
    pub next_token: Option<String>,
}

/// Where the next page begins. The scope binds a token to the list it came from.
#[derive(Serialize, Deserialize)]
struct Token {
    scope: String,
    after: String,
    page: usize,
}

impl PageRequest {
    /// Reads `maxResults` and `nextToken`.
    pub(super) fn parse(query: &[(String, String)]) -> Result<Self, AwsError> {
        let value = |name: &str| {
            query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let max_results = value("maxResults")
            .map(|text| {
                text.parse()
                    .ok()
                    .filter(|max| (1..=LARGEST_PAGE).contains(max))
                    .ok_or_else(|| {
                        AwsError::invalid_parameter(format!(
                            "maxResults must be a number from 1 to {LARGEST_PAGE}"
                        ))
                    })
            })
            .transpose()?;
        Ok(Self {
            max_results,
            next_token: value("nextToken").map(str::to_owned),
        })
    }

    /// Cuts the page out of names in ascending order. Every second page is one shorter than asked.
    pub(super) fn cut<'a>(
        &self,
        scope: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<(Vec<String>, Option<String>), AwsError> {
        let (after, page) = match &self.next_token {
            Some(token) => open(token, scope)?,
            None => (String::new(), 1),
        };
        let asked = self.max_results.unwrap_or(LARGEST_PAGE);
        let size = if page % 2 == 0 {
            (asked - 1).max(1)
        } else {
            asked
        };
        let mut rest = names.filter(|name| *name > after.as_str());
        let items: Vec<String> = rest.by_ref().take(size).map(str::to_owned).collect();
        let more = rest.next().is_some();
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| seal(scope, last, page + 1));
        Ok((items, next))
    }
}

fn seal(scope: &str, after: &str, page: usize) -> String {
    let token = Token {
        scope: scope.to_owned(),
        after: after.to_owned(),
        page,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
}

fn open(text: &str, scope: &str) -> Result<(String, usize), AwsError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Token>(&bytes).ok())
        .filter(|token| token.scope == scope)
        .map(|token| (token.after, token.page))
        .ok_or_else(|| AwsError::invalid_parameter("The nextToken is not valid for this list"))
}

/// A page of an answer, with the token of the next one if there is one.
pub(super) fn with_next(mut page: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        page["nextToken"] = Value::from(next);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(count: usize, max_results: usize) -> Vec<usize> {
        let names: Vec<String> = (0..count).map(|i| format!("p{i:03}")).collect();
        let mut request = PageRequest {
            max_results: Some(max_results),
            next_token: None,
        };
        let (mut sizes, mut seen) = (Vec::new(), Vec::new());
        loop {
            let (items, next) = request.cut("s", names.iter().map(String::as_str)).unwrap();
            sizes.push(items.len());
            seen.extend(items);
            match next {
                Some(token) => request.next_token = Some(token),
                None => break,
            }
        }
        assert_eq!(seen, names);
        sizes
    }

    #[test]
    fn pages_hold_every_name_once_and_every_second_one_is_short() {
        assert_eq!(pages(10, 4), [4, 3, 3]);
        assert_eq!(pages(4, 2), [2, 1, 1]);
        assert_eq!(pages(3, 1), [1, 1, 1]);
        assert_eq!(pages(4, 4), [4]);
        assert_eq!(pages(0, 4), [0]);
    }

    #[test]
    fn tokens_of_other_lists_and_nonsense_are_refused() {
        let other = seal("other", "a", 2);
        for token in [other.as_str(), "nonsense", ""] {
            let request = PageRequest {
                max_results: None,
                next_token: Some(token.to_owned()),
            };
            let error = request.cut("s", std::iter::empty()).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException");
        }
    }

    #[test]
    fn page_sizes_have_bounds() {
        let parse = |max: &str| PageRequest::parse(&[("maxResults".into(), max.into())]);
        assert_eq!(parse("100").unwrap().max_results, Some(100));
        for bad in ["0", "101", "-1", "x", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
