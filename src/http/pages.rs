//! One page of a list: how much, from where, and the token of the next.

use std::str::FromStr;

use super::auth::Needs;
use super::extract::Call;
use super::on_behalf;
use super::page_token::PageKey;
use super::problem::Problem;
use super::query::PageWish;
use crate::db::walk::Looked;
use crate::domain::{ErrorCode, PageSize};

/// Parameters that do not make another list of it.
const NOT_BOUND: [&str; 3] = ["pageSize", "pageToken", on_behalf::PARAMETER];

/// A page that was asked for; `T` is what the list is ordered by.
pub(super) struct Page<T> {
    size: PageSize,
    /// The last item of the page before.
    pub after: Option<T>,
    key: PageKey,
    scope: String,
}

impl<T: FromStr> Page<T> {
    pub(super) async fn of<R: Needs>(
        call: &Call<R>,
        size: Option<PageWish>,
        token: Option<&str>,
    ) -> Result<Self, Problem> {
        let key = call.state.page_key().await?;
        let scope = scope(call.raw_path(), call.raw_query());
        let after = token.map(|token| {
            let cursor = key.open(&scope, token)?;
            cursor.parse().map_err(|_| {
                Problem::new(
                    ErrorCode::Internal,
                    "A page token of ours could not be read back.",
                )
            })
        });
        Ok(Self {
            size: size
                .map_or(PageSize::DEFAULT, |wish| wish.0)
                .at_most(call.state.options.limits.page_size),
            after: after.transpose()?,
            key,
            scope,
        })
    }

    /// One more than the page holds, to see whether there is another.
    pub(super) fn limit(&self) -> i64 {
        i64::from(self.size.get()) + 1
    }

    /// The items of this page, and the token of the next if there is one.
    pub(super) fn cut<I>(
        &self,
        mut items: Vec<I>,
        cursor: impl Fn(&I) -> String,
    ) -> (Vec<I>, Option<String>) {
        let size = usize::from(self.size.get());
        if items.len() <= size {
            return (items, None);
        }
        items.truncate(size);
        let last = items.last().map(cursor);
        let token = last.map(|cursor| self.key.seal(&self.scope, &cursor));
        (items, token)
    }

    /// The same of a walk, which may have ended before the page was full.
    pub(super) fn cut_looked<I>(
        &self,
        looked: Looked<I, T>,
        cursor: impl Fn(&I) -> String,
    ) -> (Vec<I>, Option<String>)
    where
        T: ToString,
    {
        let (items, token) = self.cut(looked.items, cursor);
        let reached = || looked.reached.map(|key| key.to_string());
        let token = token.or_else(|| Some(self.key.seal(&self.scope, &reached()?)));
        (items, token)
    }
}

/// The list and its filters, whatever their order.
fn scope(path: &str, query: &str) -> String {
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .filter(|(name, _)| !NOT_BOUND.contains(&name.as_str()))
        .collect();
    pairs.sort();
    let filters = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{path}?{filters}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_the_list_and_its_filters() {
        let one = scope("/v1/jobs", "state=failed&pageSize=2&kind=a");
        assert_eq!(one, scope("/v1/jobs", "kind=a&pageToken=x&state=failed"));
        assert_ne!(one, scope("/v1/jobs", "kind=a"));
        assert_ne!(one, scope("/v1/accounts", "kind=a&state=failed"));
    }
}
