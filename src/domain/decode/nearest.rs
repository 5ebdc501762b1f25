//! Which of the known words a misspelt one is nearest to.

/// The known word that is meant, if one is near enough: the same but for case and dashes, or with a
/// quarter of its letters changed, left out, put in or swapped with their neighbours.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    const LONGEST: usize = 64;
    if word.chars().count() > LONGEST {
        return None;
    }
    let plain = plain(word);
    let distances = known
        .iter()
        .map(|one| (distance(&plain, &self::plain(one)), *one));
    let (distance, one) = distances.min_by_key(|(distance, _)| *distance)?;
    let allowed = (plain.len() / 4).max(1);
    (distance <= allowed).then_some(one)
}

fn plain(word: &str) -> Vec<char> {
    let letters = word.chars().filter(|c| !matches!(c, '-' | '_' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

/// How many letters have to be changed, left out, put in or swapped.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut rows: [Vec<usize>; 3] = [Vec::new(), Vec::new(), (0..=to.len()).collect()];
    for (i, a) in from.iter().enumerate() {
        rows.rotate_left(1);
        rows[2] = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let change = rows[1][j] + usize::from(a != b);
            let mut least = change.min(rows[1][j + 1] + 1).min(rows[2][j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(rows[0][j - 1] + 1);
            }
            rows[2].push(least);
        }
    }
    rows[2][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_is_known_again_and_a_strange_one_is_not() {
        let known = [
            "name",
            "podExecutionRoleARN",
            "selectors",
            "subnets",
            "tags",
        ];
        for (word, meant) in [
            ("nmae", Some("name")),
            ("podExecutionRoleArn", Some("podExecutionRoleARN")),
            ("pod_execution_role_arn", Some("podExecutionRoleARN")),
            ("selector", Some("selectors")),
            ("Subnets", Some("subnets")),
            ("tag", Some("tags")),
            ("arn", None),
            ("replicas", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), meant, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
