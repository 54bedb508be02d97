//! `RFC.md` says where each requirement is met, and is right.

use std::fs;
use std::path::Path;

#[test]
fn every_row_names_a_place_and_a_test_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let tests = ["src/pot.rs", "src/route.rs", "tests/routes.rs", "tests/browser.rs"].map(read).concat();
    let table = read("RFC.md");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").collect())
        .filter(|cells: &Vec<&str>| cells[0].starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    assert_eq!(rows.len(), 12);
    for (index, row) in rows.iter().enumerate() {
        let [number, section, _, place, test] = row[..] else { panic!("a row has five cells: {row:?}") };
        // The pot's table ends with 44.
        assert_eq!(number, (45 + index).to_string(), "rows are numbered");
        assert!(section == "lab" || section.starts_with("RFC ") && section.contains('§'), "{row:?}");
        let ["", file, " ", item, ""] = place.split('`').collect::<Vec<_>>()[..] else { panic!("a place is a file and an item: {row:?}") };
        let source = read(file.strip_prefix("webapp/").expect("a file of this crate"));
        assert!(source.contains(&format!("fn {item}(")) || source.contains(&format!("struct {item} ")), "{item} is not defined in {file}");
        let test = test.trim_matches('`');
        assert!(tests.contains(&format!("fn {test}() ")), "there is no test {test}");
    }
}
