//! Space-time diagrams: a [`Picture`] in; SVG, text or mermaid out.

mod mermaid;
mod svg;
mod text;

use textwrap::core::display_width;

use super::text::printable;
use crate::diagram::{Kind, Level, Picture, Step};

pub use mermaid::mermaid;
pub use svg::{STYLE, svg};
pub use text::text;

/// Frames that are listed of a step.
const MAX_FRAMES: usize = 4;
/// Columns in which the beginning of an aside says something.
const LEAST_ASIDE: usize = 10;

/// What a step is, in a word.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Note => "note",
        Kind::Handshake => "handshake",
        Kind::Request => "request",
        Kind::Response(_) => "response",
        Kind::Data => "data",
        Kind::Ack => "ack",
        Kind::Fin => "fin",
        Kind::Rst => "rst",
    }
}

/// What stands in front of a step's words: its connection, and whether it was sent again.
fn tag(step: &Step) -> String {
    format!("#{}{}", step.stream, if step.again { " ↻" } else { "" })
}

/// Frames of a step: of a message from first to last.
fn frames(step: &Step) -> String {
    let separator = if matches!(step.kind, Kind::Request | Kind::Response(_)) { "–" } else { "," };
    let more = if step.frames.len() > MAX_FRAMES { ",…" } else { "" };
    let shown: Vec<String> = step.frames.iter().take(MAX_FRAMES).map(u64::to_string).collect();
    shown.join(separator) + more
}

/// Seconds since the beginning; empty where the time is not known.
fn seconds(picture: &Picture, step: &Step) -> String {
    step.first.time.since(picture.start).map_or(String::new(), |nanos| format!("{:.6}", nanos as f64 / 1e9))
}

/// A long wait.
fn wait(nanos: i64) -> String {
    match nanos.unsigned_abs() {
        0..1_000_000_000 => format!("{} ms", nanos / 1_000_000),
        1_000_000_000..60_000_000_000 => format!("{:.2} s", nanos as f64 / 1e9),
        _ => format!("{} min {} s", nanos / 60_000_000_000, nanos / 1_000_000_000 % 60),
    }
}

/// What was left out, if something was.
fn omission(picture: &Picture) -> Option<String> {
    let what = match picture.level {
        Level::Message => "steps",
        Level::Segment => "segments",
    };
    (picture.omitted > 0).then(|| format!("… and {} more {what}, which are not shown", super::text::number(picture.omitted)))
}

/// The beginning of a text, in so many columns at the most, harmless for a terminal.
fn cut(text: &str, columns: usize) -> String {
    let text = printable(text);
    // Marks that combine take no column: there are not to be any number of them.
    if display_width(&text) <= columns && text.chars().count() <= 2 * columns {
        return text;
    }
    let mut shown = String::new();
    let mut left = columns.saturating_sub(1);
    for (count, char) in text.chars().enumerate() {
        let width = display_width(char.encode_utf8(&mut [0; 4]));
        if width > left || count >= 2 * columns {
            break;
        }
        left -= width;
        shown.push(char);
    }
    if columns > 0 {
        shown.push('…');
    }
    shown
}

/// A step's text and aside in so many columns, one between them: first the text, and of a request its version last.
fn words(step: &Step, columns: usize) -> [String; 2] {
    let width = |text: &str| display_width(&printable(text));
    let mut text = &*step.text;
    if step.kind == Kind::Request && width(text) > columns {
        text = text.rsplit_once(' ').map_or(text, |(asked, _)| asked);
    }
    [cut(text, columns), beginning(&step.aside, columns.saturating_sub(width(text) + 1))]
}

/// As many of an aside's remarks as fit; of a single one the beginning, unless that cuts a number in two.
fn beginning(aside: &str, columns: usize) -> String {
    if display_width(&printable(aside)) <= columns {
        return cut(aside, columns);
    }
    if let Some((before, _)) = aside.rsplit_once(", ") {
        return beginning(before, columns);
    }
    let shown = cut(aside, columns);
    let number = shown.trim_end_matches('…').ends_with(|char: char| char.is_ascii_digit());
    if columns > LEAST_ASIDE && !number { shown } else { String::new() }
}
