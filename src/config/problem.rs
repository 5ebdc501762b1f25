//! What is wrong with the settings, for the person who has to mend them.

use std::fmt;

/// One variable and the rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable.
    pub name: String,
    /// What it must be, or that it does not exist.
    pub rule: String,
}

/// Every problem found; never empty, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The problems, by variable.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are not usable:")?;
        for Problem { name, rule } in &self.problems {
            write!(f, "\n  {name} {rule}")?;
        }
        Ok(())
    }
}
