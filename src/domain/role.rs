//! What a caller of the API may do.

use super::macros::open_enum;

open_enum! {
    /// A caller's role; each includes the ones before it.
    Role as "role" {
        /// Reads everything it may see.
        Viewer => "viewer",
        /// Also changes profiles, and cancels and retries jobs.
        Operator => "operator",
        /// Also registers, edits and deletes accounts, and makes and revokes tokens.
        Admin => "admin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_includes_the_ones_before_it() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
    }
}
