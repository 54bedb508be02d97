//! The diagram as a sequence diagram of mermaid's.
//!
//! Everything that is not plainly a letter, a digit or harmless is written as an entity of mermaid's (`#59;`), so that no
//! text out of the capture is a word of its language or markup.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{cut, frames, omission, tag, wait};
use crate::diagram::{Kind, Picture, Row, Step};

/// Columns of a label.
const LABEL: usize = 72;

/// Writes it.
pub fn mermaid(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "sequenceDiagram")?;
    for (lane, number) in picture.lanes.iter().zip(0..) {
        writeln!(out, "    participant L{number} as {} ({})", escaped(&lane.name), escaped(&lane.place))?;
    }
    let across = match picture.lanes.len() {
        0 => return Ok(()),
        1 => "L0".to_owned(),
        lanes => format!("L0,L{}", lanes - 1),
    };
    for row in &picture.rows {
        match row {
            Row::Fold(nanos) => writeln!(out, "    Note over {across}: {} later", escaped(&wait(*nanos)))?,
            Row::Step(step) => {
                let [from, to] = step.lanes;
                let words = label(step);
                match step.kind {
                    Kind::Note => writeln!(out, "    Note over L{},L{}: {words}", from.min(to), from.max(to))?,
                    _ => writeln!(out, "    L{from}{}L{to}: {words}", arrow(step))?,
                }
            }
        }
    }
    match omission(picture) {
        Some(omission) => writeln!(out, "    Note over {across}: {}", escaped(&omission)),
        None => Ok(()),
    }
}

/// Solid for what is said, dotted for what TCP needs, an open head for what was sent again, a cross for what breaks off.
fn arrow(step: &Step) -> &'static str {
    match step.kind {
        _ if step.again => "--)",
        _ if !step.whole => "--x",
        Kind::Request | Kind::Response(_) | Kind::Data | Kind::Note => "->>",
        Kind::Handshake | Kind::Ack | Kind::Fin => "-->>",
        Kind::Rst => "-x",
    }
}

fn label(step: &Step) -> String {
    let mut label = String::new();
    if !step.frames.is_empty() {
        let _ = write!(label, "{} · ", frames(step));
    }
    let _ = write!(label, "{} {}", tag(step), cut(&step.text, LABEL));
    if !step.aside.is_empty() {
        let _ = write!(label, " · {}", cut(&step.aside, LABEL));
    }
    escaped(&label)
}

/// Text for any place in which mermaid has text.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        if char.is_alphanumeric() || matches!(char, ' ' | '/' | '.' | ',' | '-' | '–' | '·' | '_' | '(' | ')' | '…' | '↻' | '⋮') {
            escaped.push(char);
        } else {
            let _ = write!(escaped, "#{};", u32::from(char));
        }
    }
    // Alone, it ends a block.
    if escaped.trim().eq_ignore_ascii_case("end") { format!("({})", escaped.trim()) } else { escaped }
}
