//! A document of several parts, as cloud-init takes it.

const BOUNDARY: &str = "node-config";
/// A script for the shell.
pub(super) const SCRIPT: &str = "text/x-shellscript; charset=\"us-ascii\"";

/// Parts by their types, one after the other.
pub(super) fn document(parts: &[(&str, String)]) -> String {
    let mut boundary = BOUNDARY.to_owned();
    while parts
        .iter()
        .any(|(_, text)| text.contains(&format!("--{boundary}")))
    {
        boundary.push('-');
    }
    let mut lines = vec![
        "MIME-Version: 1.0".to_owned(),
        format!("Content-Type: multipart/mixed; boundary={boundary}"),
        String::new(),
    ];
    for (kind, text) in parts {
        let head = [
            format!("--{boundary}"),
            format!("Content-Type: {kind}"),
            String::new(),
        ];
        lines.extend(head);
        lines.push(text.clone());
    }
    lines.push(format!("--{boundary}--"));
    lines.push(String::new());
    lines.join("\r\n")
}

/// A script with a first line that says what runs it.
pub(super) fn script(commands: &str) -> String {
    if commands.starts_with("#!") {
        commands.to_owned()
    } else {
        format!("#!/bin/bash\n{commands}")
    }
}
