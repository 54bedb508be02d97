//! `RFC.md` says where each requirement is met, and is right.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::workspace;

/// The cells of the rows whose first cell is a number.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with("| ") && line[2..].starts_with(|first: char| first.is_ascii_digit()))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn in_backticks(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_row_names_a_place_and_a_test_that_exist() {
    let table = include_str!("../RFC.md");
    let tests = include_str!("requirements.rs");
    let mut named = BTreeSet::new();
    for (index, row) in rows(table).iter().enumerate() {
        let [number, section, _, place, test] = row[..] else { panic!("a row has five cells: {row:?}") };
        assert_eq!(number, (index + 1).to_string(), "rows are numbered");
        assert!(section == "lab" || section.starts_with("RFC ") && section.contains('§'), "{row:?}");

        let [file, item] = in_backticks(place)[..] else { panic!("a place is a file and an item: {row:?}") };
        let source = fs::read_to_string(workspace().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let defined = ["fn ", "enum ", "struct ", "    "].iter().any(|keyword| {
            let at = |end: &str| source.contains(&format!("{keyword}{item}{end}"));
            at("(") || at(" {") || at("<") || at(",")
        });
        assert!(defined, "{item} is not defined in {file}");

        let [test] = in_backticks(test)[..] else { panic!("a row names one test: {row:?}") };
        assert!(test.starts_with(&format!("r{:02}_", index + 1)), "{test}");
        assert!(tests.contains(&format!("#[test]\nfn {test}() {{")), "there is no test {test}");
        assert!(named.insert(test), "{test} stands there twice");
    }
    let all = tests.matches("#[test]").count();
    assert_eq!((named.len(), all), (44, 44), "every test stands in the table");
}
