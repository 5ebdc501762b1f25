//! Which operating-system user runs the server: us, unless we are root, whom Postgres refuses.

use nix::unistd::{Gid, Uid, User};

use super::error::StartError;

/// The unprivileged user whom a root process gives the server to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OsUser {
    /// Its user id.
    pub uid: Uid,
    /// Its primary group; a process started with `CommandExt::uid` has no supplementary groups.
    pub gid: Gid,
}

/// `None` when we may run the server ourselves; else `postgres`, else `nobody`.
///
/// # Errors
///
/// We are root, and there is neither.
pub fn for_server() -> Result<Option<OsUser>, StartError> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    ["postgres", "nobody"]
        .into_iter()
        .filter_map(|name| User::from_name(name).ok().flatten())
        .find(|user| !user.uid.is_root())
        .map(|user| {
            Some(OsUser {
                uid: user.uid,
                gid: user.gid,
            })
        })
        .ok_or(StartError::NoUser)
}
