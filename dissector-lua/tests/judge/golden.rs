//! Golden files of what both versions of tshark show.

use std::path::Path;

use crate::judge::{Judge, judges};

/// Compares what is shown of each of these with `golden/4.0/NAME.txt` and `golden/4.4/NAME.txt`; with BLESS=1, writes them.
///
/// ONLY=NAME takes one of them.
#[track_caller]
pub fn check<T>(folder: &Path, cases: &[(&str, &T)], shown: impl Fn(&Judge, &T) -> String) {
    assert!(!cases.is_empty(), "there are cases");
    let bless = std::env::var_os("BLESS").is_some();
    let only = std::env::var("ONLY").ok();
    let mut different = Vec::new();
    for judge in judges() {
        for (name, case) in cases.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)) {
            let seen = shown(&judge, case);
            let path = folder.join("golden").join(judge.version()).join(name).with_extension("txt");
            if bless {
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
                std::fs::write(&path, &seen).expect("a golden file is written");
            } else if let Some(difference) = first_difference(&std::fs::read_to_string(&path).unwrap_or_default(), &seen) {
                different.push(format!("{name} in {}: {difference}", judge.version()));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The first line in which two texts differ.
fn first_difference(expected: &str, seen: &str) -> Option<String> {
    let (mut expected, mut seen) = (expected.lines(), seen.lines());
    for line in 1.. {
        match (expected.next(), seen.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => return Some(format!("line {line}\n  expected {}\n  seen     {}", a.unwrap_or("nothing"), b.unwrap_or("nothing"))),
        }
    }
    None
}
