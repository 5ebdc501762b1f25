//! eksctl's table: what Go's `text/tabwriter` makes of it, with tab stops of 8.

use crate::domain::FargateProfile;
use std::collections::BTreeMap;

const COLUMNS: [&str; 7] = [
    "NAME",
    "SELECTOR_NAMESPACE",
    "SELECTOR_LABELS",
    "POD_EXECUTION_ROLE_ARN",
    "SUBNETS",
    "TAGS",
    "STATUS",
];
const EMPTY: &str = "<none>";
const TAB: usize = 8;
const PADDING: usize = 1;

type Row = [String; COLUMNS.len()];

/// One row a selector, sorted by all cells.
#[must_use]
pub fn table(profiles: &[FargateProfile]) -> String {
    if profiles.is_empty() {
        return "No fargateprofiles found\n".to_owned();
    }
    let mut rows: Vec<Row> = profiles.iter().flat_map(rows_of).collect();
    rows.sort();
    rows.insert(0, COLUMNS.map(str::to_owned));
    aligned(&rows)
}

fn rows_of(profile: &FargateProfile) -> impl Iterator<Item = Row> {
    profile.selectors.iter().map(|selector| {
        [
            profile.name.clone(),
            selector.namespace.clone(),
            pairs(&selector.labels),
            or_none(profile.pod_execution_role_arn.clone().unwrap_or_default()),
            or_none(profile.subnets.join(",")),
            pairs(&profile.tags),
            profile.status.clone().unwrap_or_default(),
        ]
    })
}

fn pairs(map: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    or_none(pairs.join(","))
}

fn or_none(text: String) -> String {
    if text.is_empty() {
        EMPTY.to_owned()
    } else {
        text
    }
}

/// Pads every cell but a row's last with tabs, up to the first stop past the widest cell.
fn aligned(rows: &[Row]) -> String {
    let width = |column: usize| {
        let widest = rows
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0);
        (widest + PADDING).next_multiple_of(TAB)
    };
    let widths: [usize; COLUMNS.len()] = std::array::from_fn(width);
    let mut out = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if column + 1 < row.len() {
                let missing = widths[column] - cell.chars().count();
                out.push_str(&"\t".repeat(missing.div_ceil(TAB)));
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples;

    #[test]
    fn no_profiles_is_a_sentence() {
        assert_eq!(table(&[]), "No fargateprofiles found\n");
    }

    #[test]
    fn two_profiles_look_as_eksctl_prints_them() {
        let expected = "\
NAME\tSELECTOR_NAMESPACE\tSELECTOR_LABELS\t\tPOD_EXECUTION_ROLE_ARN\t\tSUBNETS\t\t\t\tTAGS\t\t\tSTATUS
fp-prod\tprod\t\t\tenv=prod\t\tarn:aws:iam::123:role/root\tsubnet-prod,subnet-d34dc0w\t<none>\t\t\tACTIVE
fp-test\tdefault\t\t\t<none>\t\t\tarn:aws:iam::123:role/root\t<none>\t\t\t\tapp=my-app,env=test\tACTIVE
fp-test\tkube-system\t\tapp=my-app,env=test\tarn:aws:iam::123:role/root\t<none>\t\t\t\tapp=my-app,env=test\tACTIVE
";
        assert_eq!(table(&samples::two()), expected);
    }

    #[test]
    fn a_cell_that_fills_its_tab_stop_moves_the_next_one_on() {
        let mut profile = samples::two().remove(1);
        profile.name = "12345678".to_owned();
        let shown = table(std::slice::from_ref(&profile));
        assert!(shown.starts_with("NAME\t\tSELECTOR"), "{shown}");
        assert!(shown.contains("\n12345678\tprod"), "{shown}");
    }

    #[test]
    fn widths_count_characters_and_not_bytes() {
        let mut profile = samples::two().remove(1);
        profile.name = "é".repeat(7);
        let shown = table(std::slice::from_ref(&profile));
        assert!(shown.starts_with("NAME\tSELECTOR"), "{shown}");
    }
}
