//! The table of `docs/cluster-config.md`: key by key what is supported, what is not, and why.

use super::Shape::{Fields, Ignored, List, Map, Refused};
use super::{Shape, config};

const PAGE: &str = "docs/cluster-config.md";
const BEGIN: &str = "<!-- keys: made from src/domain/eksctl/keys -->\n";
const END: &str = "<!-- end of keys -->\n";

/// Every key by its path, with what is done with it.
fn rows(shape: &Shape, path: &str, table: &mut Vec<(String, String)>) {
    match shape {
        Fields(keys) => {
            for (key, shape) in *keys {
                let path = if path.is_empty() {
                    (*key).to_owned()
                } else {
                    format!("{path}.{key}")
                };
                rows(shape, &path, table);
            }
        }
        List(inner) if matches!(inner, Fields(_)) => rows(inner, &format!("{path}[]"), table),
        Map(inner) if matches!(inner, Fields(_)) => rows(inner, &format!("{path}.*"), table),
        Refused(why) => table.push((path.to_owned(), format!("refused: {why}"))),
        Ignored(why) => table.push((path.to_owned(), format!("taken, ignored: {why}"))),
        _ => table.push((path.to_owned(), "supported".to_owned())),
    }
}

/// The table; keys of one section that have the same said of them share a row.
fn table() -> String {
    let mut keys = Vec::new();
    rows(&config::CLUSTER_CONFIG, "", &mut keys);
    let mut shared: Vec<(String, String, Vec<String>)> = Vec::new();
    for (path, said) in keys {
        let (section, key) = path.rsplit_once('.').unwrap_or(("", &path));
        let alike = shared
            .iter_mut()
            .find(|(other, saying, _)| other == section && *saying == said);
        match alike {
            Some((_, _, keys)) => keys.push(format!("`{key}`")),
            None => shared.push((section.to_owned(), said, vec![format!("`{key}`")])),
        }
    }
    let line = |(section, said, keys): (String, String, Vec<String>)| {
        let section = if section.is_empty() {
            String::new()
        } else {
            format!("`{section}`")
        };
        format!("| {section} | {} | {said} |\n", keys.join(", "))
    };
    let rows: String = shared.into_iter().map(line).collect();
    format!("| section | keys | |\n|---|---|---|\n{rows}")
}

/// Set `UPDATE_DOCS=1` to write the page's table anew.
#[test]
fn the_pages_table_is_what_the_code_takes() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let made = table();
    if option_env!("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    } else {
        assert!(
            written == made,
            "{PAGE} is behind the code: run UPDATE_DOCS=1 cargo test --lib the_pages_table"
        );
    }
}

#[test]
fn a_reason_goes_on_after_a_colon_and_has_no_stop() {
    let mut keys = Vec::new();
    rows(&config::CLUSTER_CONFIG, "", &mut keys);
    assert!(keys.len() > 100, "{}", keys.len());
    for (path, said) in keys {
        assert!(
            !said.ends_with('.') && !said.contains('|'),
            "{path}: {said}"
        );
    }
}
