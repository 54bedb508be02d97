//! Golden files: what a dissector should show and what it shows in, where they differ out.

use std::fmt::Write;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::{line, write_to};
use crate::report::text::Colour;

/// Lines shown around a difference.
const CONTEXT: usize = 3;
/// Places that are shown; more are counted.
const MAX_PLACES: usize = 50;
/// After so long, a difference need not be the smallest.
const PATIENCE: Duration = Duration::from_secs(2);

/// What stands before and behind the number of a frame, in the lines of each format that have one.
const NUMBERS: [(&str, char); 3] = [("Frame ", ':'), ("<field name=\"num\" pos=\"0\" show=\"", '"'), ("\"frame.number\": \"", '"')];

/// Where two texts differ, for a person; `None` where they do not.
///
/// A line that was expected begins with `-`, one that was not with `+`; each place tells its frame.
pub fn difference(expected: &str, seen: &str, colour: Colour) -> Option<String> {
    if expected == seen {
        return None;
    }
    let paint = |code: &'static str| if colour == Colour::On { code } else { "" };
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(expected, seen);
    let lines: Vec<&str> = seen.lines().collect();
    let mut out = String::new();
    let places = diff.grouped_ops(CONTEXT);
    for place in places.iter().take(MAX_PLACES) {
        let begin = place.first().map_or(0, |op| op.new_range().start);
        let end = place.last().map_or(0, |op| op.new_range().end);
        let changed = place.iter().find(|op| op.tag() != similar::DiffTag::Equal).map_or(begin, |op| op.new_range().start);
        let frame = lines[..(changed + 1).min(lines.len())].iter().rev().find_map(|line| frame_of(line));
        let frame = frame.map_or(String::new(), |frame| format!("frame {frame}, "));
        let (on, off) = (paint("\x1b[36m"), paint("\x1b[0m"));
        write_to(&mut out, format_args!("{on}@@ {frame}lines {}-{end} @@{off}\n", begin + 1));
        for change in place.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, on) = match change.tag() {
                ChangeTag::Delete => ('-', paint("\x1b[31m")),
                ChangeTag::Insert => ('+', paint("\x1b[32m")),
                ChangeTag::Equal => (' ', ""),
            };
            let off = if on.is_empty() { "" } else { "\x1b[0m" };
            let text = change.value().trim_end_matches('\n');
            write_to(&mut out, format_args!("{on}{sign}{}{off}\n", line(text)));
            if change.missing_newline() {
                out.push_str("\\ no end of line\n");
            }
        }
    }
    if places.len() > MAX_PLACES {
        writeln!(out, "… and {} more places", places.len() - MAX_PLACES).expect("a string takes everything");
    }
    Some(out)
}

/// The number of the frame that a line begins to tell of.
fn frame_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let number = |(before, behind): &(&str, char)| Some(line.strip_prefix(before)?.split_once(*behind)?.0);
    NUMBERS.iter().find_map(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, seen: &str, difference_: Option<&str>) {
        assert_eq!(difference(expected, seen, Colour::Off).as_deref(), difference_);
    }

    #[test]
    fn the_same_is_no_difference() {
        check("a\n", "a\n", None);
        check("", "", None);
    }

    #[test]
    fn a_difference_tells_its_frame() {
        let golden = "Frame 9: 143 bytes\nTCP\nCoffee\n    Method: GET\n\nFrame 14: 204 bytes\nTCP\nCoffee\n    Status: 200\n\n";
        let seen = golden.replace("200", "418");
        let shown = "@@ frame 14, lines 6-10 @@\n Frame 14: 204 bytes\n TCP\n Coffee\n-    Status: 200\n+    Status: 418\n \n";
        check(golden, &seen, Some(shown));
        check("", "Frame 1: 2 bytes\n", Some("@@ frame 1, lines 1-1 @@\n+Frame 1: 2 bytes\n"));
        check("Frame 1: 2 bytes\n", "", Some("@@ lines 1-0 @@\n-Frame 1: 2 bytes\n"));
    }

    #[test]
    fn an_end_of_line_that_is_missing_is_told() {
        check("a", "a\n", Some("@@ lines 1-1 @@\n-a\n\\ no end of line\n+a\n"));
    }
}
