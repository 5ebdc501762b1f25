//! What hostile callers try, by class, one a line: each is refused, changes nothing, and the service
//! goes on answering. `docs/reliability.md` has their numbers, which are counted here.

mod authorisation;
mod confused_deputy;
mod documents;
mod http;
mod storms;

/// The class, and how many there are of it.
fn counts() -> [(&'static str, usize); 6] {
    [
        ("authorisation", authorisation::ATTACKS.len()),
        ("SSRF", ssrf()),
        ("confused deputy", confused_deputy::count()),
        ("HTTP", http::ATTACKS.len() + http::PIPELINES.len()),
        ("documents", documents::attacks().len()),
        ("storms", storms::STORMS.len()),
    ]
}

/// URLs that a webhook must not be sent to, tried by `webhooks::targets`.
fn ssrf() -> usize {
    let lines = include_str!("../data/webhook_urls_refused.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .count()
}

#[test]
fn the_page_has_the_numbers_of_attacks() {
    let page = include_str!("../../docs/reliability.md");
    for (class, count) in counts() {
        let row = format!("| {class} | {count} |");
        assert!(page.contains(&row), "docs/reliability.md lacks {row:?}");
    }
}
