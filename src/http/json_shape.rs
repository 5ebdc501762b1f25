//! How deep a JSON document nests and how many elements it lists, found before it is read into
//! anything: no document may cost more than its bytes deserve.
//!
//! Looks at brackets, commas and quotes alone; whether it is JSON at all, its reader finds out.

use super::problem::Problem;
use crate::limits::Limits;

/// Refuses a document that is too deep, or has too long a list or object: 422.
pub(super) fn check(document: &[u8], limits: &Limits) -> Result<(), Problem> {
    let mut bytes = document.iter();
    // The commas seen so far, in each array or object that is open.
    let mut open: Vec<usize> = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_text(&mut bytes),
            b'[' | b'{' if open.len() == limits.json_depth => return Err(too_deep(limits)),
            b'[' | b'{' => open.push(0),
            b']' | b'}' => {
                open.pop();
            }
            b',' => {
                let Some(commas) = open.last_mut() else {
                    continue;
                };
                *commas += 1;
                if *commas >= limits.json_items {
                    return Err(too_long(limits));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn skip_text(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

fn too_deep(limits: &Limits) -> Problem {
    let most = limits.json_depth;
    Problem::invalid_field("", format!("the document nests deeper than {most} levels"))
}

fn too_long(limits: &Limits) -> Problem {
    let most = limits.json_items;
    let message = format!("a list or object of the document has more than {most} elements");
    Problem::invalid_field("", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(document: &str) -> Option<String> {
        let limits = Limits {
            json_depth: 3,
            json_items: 3,
            ..Limits::default()
        };
        check(document.as_bytes(), &limits)
            .err()
            .map(|problem| problem.detail)
    }

    #[test]
    fn depth_and_length_are_bounded() {
        for fine in [
            "",
            "7",
            r#"[[[1, 2, 3]], {"a": [], "b": {}}]"#,
            r#"{"a": "[[[[[,,,,,\"[[[[", "b": 1}"#,
            "]]]]][[[",
        ] {
            assert_eq!(told(fine), None, "{fine}");
        }
        let deep = told(r#"[[{"a": [1]}]]"#).unwrap();
        assert!(deep.contains("deeper than 3"), "{deep}");
        for long in ["[1,2,3,4]", r#"[[], {"a":1,"b":2,"c":3,"d":4}]"#] {
            let told = told(long).unwrap();
            assert!(told.contains("more than 3"), "{told}");
        }
    }
}
