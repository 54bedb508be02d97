//! Dissectors in the style of public ones, and what tshark 4.0 and 4.4 make of captures with them: trees, columns and text.
//!
//! In: the scripts beside this file and the captures of `cases`. Out: the golden files in `golden/4.0` and `golden/4.4`.
//! Left to others: what a host of Wireshark's Lua API makes of the same.
//!
//! `BLESS=1 cargo test -p dissector-lua --test dissectors` writes the golden files anew, from what the two tsharks print.

mod cases;
#[path = "../judge/golden.rs"]
mod golden;
#[path = "../judge/mod.rs"]
mod judge;
#[path = "../judge/kept.rs"]
mod kept;

use std::path::{Path, PathBuf};

use cases::{CASES, Case};
use judge::Judge;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dissectors")
}

/// What a case shows in one tshark: trees and printed lines; then the columns.
fn shown(judge: &Judge, case: &Case) -> String {
    let folder = judge.folder();
    let script = format!("{}.lua", case.script);
    std::fs::copy(self::folder().join(&script), folder.path().join(&script)).expect("the script is copied");
    std::fs::write(folder.path().join("a.pcapng"), (case.capture)()).expect("a capture is written");
    let script = format!("lua_script:{script}");
    let run = |output: &[&str]| {
        let output = judge.run(folder.path(), &[&["-n", "-r", "a.pcapng", "-X", &script], case.arguments, output].concat());
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let [trees, errors] = run(&["-T", "pdml"]);
    let [columns, _] = run(&["-T", "fields", "-e", "frame.number", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info"]);
    let columns: String =
        columns.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())).map(|line| format!("{line}\n")).collect();
    format!("{}columns:\n{columns}", kept::kept(&trees, &errors))
}

#[test]
fn tshark_shows_what_the_golden_files_say() {
    let cases: Vec<_> = CASES.iter().map(|case| (case.name, case)).collect();
    golden::check(&folder(), &cases, shown);
}

#[test]
fn every_script_has_a_case() {
    for entry in std::fs::read_dir(folder()).expect("the folder of the scripts") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name in ASCII");
        let Some(script) = name.strip_suffix(".lua") else { continue };
        assert!(CASES.iter().any(|case| case.script == script), "{name} has no case");
    }
}
