//! Where an installed server's programs are. Debian keeps them off PATH, so PATH is only the start.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::error::StartError;

/// Where Debian and Ubuntu keep one directory a major version.
const DEBIAN_VERSIONS: &str = "/usr/lib/postgresql";
/// Where the other usual packages put the programs: Homebrew, Fedora, Alpine, the Mac app.
const OTHER_PLACES: &[&str] = &[
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/usr/pgsql/bin",
    "/usr/libexec/postgresql",
    "/Applications/Postgres.app/Contents/Versions/latest/bin",
];
/// Where Homebrew keeps a versioned formula's programs.
const HOMEBREW_FORMULAE: &[&str] = &["/opt/homebrew/opt", "/usr/local/opt"];

/// The directory that holds `initdb` and `postgres`: the one named, else the first that does of
/// PATH, `pg_config --bindir`, Debian's (newest first) and Homebrew's.
///
/// # Errors
///
/// The one named does not hold them, or none does.
pub async fn find(named: Option<&Path>) -> Result<PathBuf, StartError> {
    if let Some(directory) = named {
        return holding_server(directory)
            .ok_or_else(|| StartError::NotInDirectory(directory.to_owned()));
    }
    // The shell looks along PATH, so that this module need not read the environment.
    let on_path = answer_of("/bin/sh", &["-c", "command -v initdb"]).await;
    let of_pg_config = answer_of("pg_config", &["--bindir"]).await;
    on_path
        .as_deref()
        .and_then(|initdb| holding_server(initdb.canonicalize().ok()?.parent()?))
        .or_else(|| holding_server(of_pg_config.as_deref()?))
        .or_else(|| {
            installed_places()
                .iter()
                .find_map(|place| holding_server(place))
        })
        .ok_or(StartError::NotInstalled)
}

fn holding_server(directory: &Path) -> Option<PathBuf> {
    let complete = ["initdb", "postgres"]
        .iter()
        .all(|name| directory.join(name).is_file());
    complete.then(|| directory.canonicalize().ok()).flatten()
}

/// The one line that a command prints, as a path; `None` when it fails or is not there.
async fn answer_of(program: &str, arguments: &[&str]) -> Option<PathBuf> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let output = command.output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.trim();
    (output.status.success() && !line.is_empty()).then(|| PathBuf::from(line))
}

fn installed_places() -> Vec<PathBuf> {
    let debian = newest_first(Path::new(DEBIAN_VERSIONS), "");
    let others = OTHER_PLACES.iter().map(PathBuf::from);
    let formulae = HOMEBREW_FORMULAE
        .iter()
        .flat_map(|parent| newest_first(Path::new(parent), "postgresql@"));
    debian.into_iter().chain(others).chain(formulae).collect()
}

/// The `bin` directories of `<parent>/<prefix><major version>`, the highest version first.
fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let major = name
                .to_str()?
                .strip_prefix(prefix)?
                .split('.')
                .next()?
                .parse()
                .ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    versions.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first_by_number() {
        let parent = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "17", "not-a-version"] {
            std::fs::create_dir(parent.path().join(version)).unwrap();
        }
        let found = newest_first(parent.path(), "");
        let expected = ["17", "15", "9.6"].map(|version| parent.path().join(version).join("bin"));
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn a_named_directory_without_the_programs_is_refused() {
        let empty = tempfile::tempdir().unwrap();
        let error = find(Some(empty.path())).await.unwrap_err();
        assert!(error.to_string().contains("FLEET_POSTGRES_BIN"), "{error}");
    }
}
