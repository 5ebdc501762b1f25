//! How many items a list page holds.

use super::invalid::ParseError;

/// A page size between 1 and 1000; larger wishes are lowered, none means 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The most items on one page.
    pub const MAX: u16 = 1000;
    /// The largest wish that is lowered: beyond it JSON readers no longer agree on the number.
    pub const MAX_WISH: i64 = 9_007_199_254_740_991;
    /// What a caller gets who does not say.
    pub const DEFAULT: Self = Self(50);

    /// Takes the caller's wish.
    pub fn parse(wish: Option<i64>) -> Result<Self, ParseError> {
        match wish {
            None => Ok(Self::DEFAULT),
            Some(n) if !(1..=Self::MAX_WISH).contains(&n) => {
                let expected = "a whole number of at least 1";
                Err(ParseError::new("page size", &n.to_string(), expected))
            }
            Some(n) => Ok(Self(u16::try_from(n).unwrap_or(Self::MAX).min(Self::MAX))),
        }
    }

    /// This size, or that one if it is smaller.
    #[must_use]
    pub fn at_most(self, most: u16) -> Self {
        Self(self.0.min(most).max(1))
    }

    /// The number of items.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_wishes_are_lowered_and_small_ones_refused() {
        let get = |wish| PageSize::parse(wish).map(PageSize::get);
        assert_eq!(get(None), Ok(50));
        assert_eq!(get(Some(1)), Ok(1));
        assert_eq!(get(Some(1000)), Ok(1000));
        assert_eq!(get(Some(1001)), Ok(1000));
        assert_eq!(get(Some(PageSize::MAX_WISH)), Ok(1000));
        assert!(get(Some(PageSize::MAX_WISH + 1)).is_err());
        assert!(get(Some(0)).is_err());
        assert!(get(Some(-1)).is_err());
    }
}
