//! File descriptors: a connection of the API takes one, so the limit on them bounds the connections.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What the process opens besides connections of the API and of the database: files, AWS, webhooks.
const OTHERS: u64 = 512;
/// Fewer connections than this are of no use.
const FEWEST: u64 = 64;

/// There is no room for even a few connections.
#[derive(Debug, thiserror::Error)]
#[error(
    "a process may open {limit} files here, and at least {needed} are needed: raise the limit \
     (`ulimit -n`, `LimitNOFILE=` of systemd, `--ulimit nofile=` of Docker)"
)]
pub struct TooFewFiles {
    limit: u64,
    needed: u64,
}

/// Raises the limit as far as is needed and allowed. Tells how many of the wanted connections there is
/// room for, beside those to the database.
pub fn make_room(connections: usize, of_database: u32) -> Result<usize, TooFewFiles> {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX);
    let others = OTHERS + u64::from(of_database);
    let limit = raised(wanted.saturating_add(others));
    let room = room(limit, wanted, others)?;
    if room < wanted {
        tracing::warn!(
            limit,
            connections = room,
            "a process may open {limit} files here, which is too few for the {wanted} connections of \
             FLEET_MAX_CONNECTIONS: {room} are taken at once. Raise the limit (`ulimit -n`, \
             `LimitNOFILE=` of systemd, `--ulimit nofile=` of Docker) or lower FLEET_MAX_CONNECTIONS"
        );
    }
    Ok(usize::try_from(room).unwrap_or(connections))
}

fn room(limit: u64, wanted: u64, others: u64) -> Result<u64, TooFewFiles> {
    let room = limit.saturating_sub(others).min(wanted);
    if room >= FEWEST.min(wanted) {
        return Ok(room);
    }
    Err(TooFewFiles {
        limit,
        needed: others + FEWEST.min(wanted),
    })
}

/// The limit as it is after it was raised.
fn raised(needed: u64) -> u64 {
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => {
            tracing::warn!(%error, "asking for the limit on open files");
            return u64::MAX;
        }
    };
    let wished = needed.min(hard);
    if soft >= wished {
        return soft;
    }
    match setrlimit(Resource::RLIMIT_NOFILE, wished, hard) {
        Ok(()) => wished,
        Err(error) => {
            tracing::warn!(%error, "raising the limit on open files");
            soft
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_into_the_limit() {
        assert_eq!(room(1_048_576, 20_000, 522).unwrap(), 20_000);
        assert_eq!(room(1_024, 20_000, 522).unwrap(), 502);
        let told = room(580, 20_000, 522).unwrap_err().to_string();
        assert!(
            told.contains("580 files") && told.contains("586 are needed"),
            "{told}"
        );
        assert!(told.contains("ulimit -n"), "{told}");
        // A worker has none.
        assert_eq!(room(1_024, 0, 522).unwrap(), 0);
    }
}
