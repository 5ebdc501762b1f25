//! The layout of `src/`, checked against the source: which module may name which.
//!
//! `http` and `ops` -> `db`, `queue`, `aws`, `kubernetes` -> `domain`; `service.rs`, `cli` and
//! `main.rs` put the parts together and may name all. What is checked is code without its comments and texts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each module of the crate, and the modules that it may name besides itself.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &[]),
    ("kubernetes", &[]),
    ("limits", &[]),
    ("open_files", &[]),
    ("rng", &[]),
    ("database", &[]),
    ("config", &["database", "limits", "oidc"]),
    ("shutdown", &[]),
    ("throwaway_postgres", &[]),
    ("sim", &[]),
    ("telemetry", &["config"]),
    ("format", &["domain"]),
    ("db", &["clock", "domain", "rng"]),
    ("oidc", &["clock", "domain"]),
    ("queue", &["clock", "database", "rng"]),
    // Of the queue, how it bounds its statements.
    ("audit", &["database", "queue"]),
    // Of the queue, its pure rules alone: see `aws_takes_nothing_of_the_queue_but_its_pure_rules`.
    ("aws", &["clock", "domain", "queue", "rng"]),
    (
        "ops",
        &["aws", "database", "db", "domain", "kubernetes", "queue"],
    ),
    ("webhooks", &["clock", "database", "db", "domain", "rng"]),
    (
        "http",
        &[
            "clock", "database", "db", "domain", "format", "limits", "oidc", "queue", "rng",
            "webhooks",
        ],
    ),
    (
        "service",
        &[
            "audit", "aws", "clock", "database", "db", "http", "ops", "queue", "rng", "webhooks",
        ],
    ),
];

/// Who puts the parts together: they may name every module.
const ASSEMBLERS: &[&str] = &["cli", "main", "lib"];

/// What only some modules may use, wherever it stands in the code.
const RESERVED: &[(&[&str], &[&str])] = &[
    (
        &[
            "aws_config",
            "aws_credential_types",
            "aws_sdk_",
            "aws_sigv4",
            "aws_smithy_",
            "aws_types",
        ],
        &["aws"],
    ),
    (&["actix_web"], &["http", "sim"]),
    (&["jsonwebtoken"], &["oidc"]),
    // A pool hands out as many connections as are asked for: only shares are taken from it.
    (&["PgPool", "PoolConnection"], &["database"]),
    (&["utoipa_actix_web", "utoipa_swagger_ui"], &["http"]),
    (
        &["env::var", "env::vars", "env::var_os", "env::vars_os"],
        &["config"],
    ),
];

/// The source of one module, without comments and texts.
type Modules = BTreeMap<String, Vec<(PathBuf, String)>>;

fn modules() -> Modules {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = Modules::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("src/ can be read") {
            let path = entry.expect("an entry of src/").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).expect("it is in src/");
                let first = inside.iter().next().expect("a name");
                let module = Path::new(first).with_extension("");
                let text = std::fs::read_to_string(&path).expect("the file can be read");
                modules
                    .entry(module.display().to_string())
                    .or_default()
                    .push((inside.to_owned(), bare(&text)));
            }
        }
    }
    modules
}

/// Code without its comments and without what stands between quotes.
fn bare(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(length) = raw_text(rest, code.chars().next_back()) {
            length
        } else if c == '"' {
            quoted(rest)
        } else if ["'\"'", "'\\\"'"]
            .iter()
            .any(|quote| rest.starts_with(quote))
        {
            rest[1..].find('\'').map_or(1, |end| end + 2)
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[skipped..];
    }
    code
}

/// The length of the raw text that begins here, if one does.
fn raw_text(rest: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let behind = rest.strip_prefix('r')?;
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    behind[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let begin = 1 + hashes + 1;
    Some(
        rest[begin..]
            .find(&end)
            .map_or(rest.len(), |at| begin + at + end.len()),
    )
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The identifiers that stand behind `crate::`, also in a group: `crate::{clock, rng::Rng}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in ["crate::", "fargate_fleet::"] {
        for (at, _) in code.match_indices(path) {
            let whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let behind = &code[at + path.len()..];
            // `$crate` of a macro is the crate too; `pub(in crate::x)` names no dependency.
            if whole && !code[..at].ends_with("pub(in ") {
                names.extend(heads(behind));
            }
        }
    }
    names
}

/// The identifiers that stand behind enough `super::` to have left the module.
fn above(path: &Path, code: &str) -> BTreeSet<String> {
    let file = path.with_extension("");
    // The tests of a file, kept in a file beside it, are a module inside the file's.
    let inside = usize::from(file.to_string_lossy().ends_with("_tests"));
    let chain = "super::".repeat(file.iter().count() + inside);
    code.match_indices(&chain)
        .flat_map(|(at, _)| heads(&code[at + chain.len()..]))
        .collect()
}

fn heads(behind: &str) -> Vec<String> {
    let identifier = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let Some(group) = behind.strip_prefix('{') else {
        return vec![identifier(behind)];
    };
    let (mut depth, mut heads, mut begin) = (0_u32, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begin = true,
            c if begin && (c.is_alphanumeric() || c == '_') => {
                heads.push(identifier(&group[at..]));
                begin = false;
            }
            _ => {}
        }
    }
    heads
}

/// Whether the code uses it: as a whole word, or, when it ends with `_`, as the beginning of one.
fn uses(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let ends = word.ends_with('_') || !code[at + word.len()..].starts_with(part);
        ends && !code[..at].ends_with(part)
    })
}

#[test]
fn every_module_has_a_rule_and_every_rule_has_a_module() {
    let there: BTreeSet<String> = modules().into_keys().collect();
    let known: BTreeSet<String> = MAY_NAME
        .iter()
        .map(|(module, _)| (*module).to_owned())
        .chain(ASSEMBLERS.iter().map(|module| (*module).to_owned()))
        .collect();
    assert_eq!(there, known);
}

#[test]
fn modules_name_only_those_below_them() {
    let modules = modules();
    let mut wrong = Vec::new();
    for (module, may) in MAY_NAME {
        for (path, code) in &modules[*module] {
            for name in named(code).into_iter().chain(above(path, code)) {
                let known = modules.contains_key(&name);
                if known && name != *module && !may.contains(&name.as_str()) {
                    wrong.push(format!("{} names crate::{name}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_arrow_that_is_allowed_is_there() {
    let modules = modules();
    for (module, may) in MAY_NAME {
        let names: BTreeSet<String> = modules[*module]
            .iter()
            .flat_map(|(_, code)| named(code))
            .collect();
        for name in *may {
            assert!(
                names.contains(*name),
                "{module} may name {name} and does not: take the rule away"
            );
        }
    }
}

/// Budgets and lists of delays: no job, no database.
#[test]
fn aws_takes_nothing_of_the_queue_but_its_pure_rules() {
    let mut used = 0;
    for (path, code) in &modules()["aws"] {
        for (at, _) in code.match_indices("crate::queue") {
            let rest = &code[at..];
            let pure = ["crate::queue::budget::", "crate::queue::backoff::"];
            let pure = pure.iter().any(|module| rest.starts_with(module));
            assert!(pure, "{}", path.display());
            used += 1;
        }
    }
    assert!(used > 0, "then it need not be allowed at all");
}

#[test]
fn what_is_reserved_is_used_by_those_alone_who_may() {
    let modules = modules();
    let mut wrong = Vec::new();
    for (words, owners) in RESERVED {
        let used_by = |module: &str| {
            modules[module]
                .iter()
                .any(|(_, code)| words.iter().any(|word| uses(code, word)))
        };
        for owner in *owners {
            assert!(used_by(owner), "{owner} may use {words:?} and does not");
        }
        for (module, files) in &modules {
            for (path, code) in files.iter().filter(|_| !owners.contains(&module.as_str())) {
                let found = words.iter().filter(|word| uses(code, word));
                wrong.extend(found.map(|word| format!("{} uses {word}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_checks_see_what_they_shall_see() {
    let code = bare(
        "use crate::{clock::Clock, db::{a, b}, queue}; // crate::http\n\
         let a = \"crate::ops \\\" crate::aws\"; let b = r#\"crate::sim \"\"#; crate::rng::x();\n\
         pub(in crate::http) fn f() { let c = '\"'; crate::format::g(); my_crate::telemetry(); }",
    );
    let seen: Vec<String> = named(&code).into_iter().collect();
    assert_eq!(seen, ["clock", "db", "format", "queue", "rng"]);
    let left = above(
        Path::new("ops/context.rs"),
        "use super::super::{http::Api, db};",
    );
    assert_eq!(left.into_iter().collect::<Vec<_>>(), ["db", "http"]);
    let stays = above(
        Path::new("ops/context.rs"),
        "use super::following::CREATION;",
    );
    assert!(stays.is_empty());
    assert!(uses("use aws_sdk_eks::Client;", "aws_sdk_"));
    assert!(uses("std::env::var(name)", "env::var"));
    assert!(!uses("std::env::vars(name)", "env::var"));
    assert!(!uses("use utoipa_actix_web::x;", "actix_web"));
}
