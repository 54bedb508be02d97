//! Answers to the lab's questions, as text, Markdown or JSON.

use std::io::{self, Write};

use super::text::{Colour, Style, fill, printable};
use crate::lab::Answer;

/// Pieces of evidence that are shown to a person.
const MAX_SHOWN: usize = 60;

/// Writes them for a terminal.
pub fn text(path: &str, answers: &[Answer], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (bold, dim, off) = if style.colour == Colour::On { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    writeln!(out, "{bold}{}{off}", printable(path))?;
    let fill = |text: &str, first: &str, rest: &str| fill(text, first, rest, style);
    for answer in answers {
        writeln!(out, "\n{bold}{}{off}\n", fill(&format!("{}  {}", answer.task, answer.question), "", "     "))?;
        writeln!(out, "{}", fill(&answer.answer, "  ", "  "))?;
        if !answer.evidence.is_empty() {
            writeln!(out)?;
        }
        for evidence in answer.evidence.iter().take(MAX_SHOWN) {
            writeln!(out, "{}", fill(&evidence.text, "  · ", "    "))?;
        }
        if let Some(more) = more(answer) {
            writeln!(out, "{}", fill(&more, "  · ", "    "))?;
        }
        writeln!(out, "\n{dim}{}{off}", fill(&format!("filter: {}", answer.filter), "  ", "    "))?;
    }
    Ok(())
}

/// Writes them as Markdown.
pub fn markdown(path: &str, answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}", escaped(path))?;
    for answer in answers {
        writeln!(out, "\n## {} {}\n\n{}\n", answer.task, escaped(answer.question), escaped(&answer.answer))?;
        for evidence in answer.evidence.iter().take(MAX_SHOWN) {
            writeln!(out, "- {}", escaped(&evidence.text))?;
        }
        if let Some(more) = more(answer) {
            writeln!(out, "- {more}")?;
        }
        if !answer.evidence.is_empty() {
            writeln!(out)?;
        }
        writeln!(out, "Display filter: `{}`", printable(&answer.filter))?;
    }
    Ok(())
}

/// Writes them as an array, one answer on each line.
pub fn json(answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    for (at, answer) in answers.iter().enumerate() {
        out.write_all(if at == 0 { b"[\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, answer)?;
    }
    out.write_all(if answers.is_empty() { b"[]\n" } else { b"\n]\n" })
}

fn more(answer: &Answer) -> Option<String> {
    let more = answer.evidence.len().saturating_sub(MAX_SHOWN) + answer.more_evidence;
    (more > 0).then(|| format!("… and {more} more (--format json has all of them in its facts)"))
}

/// Text in which nothing but code spans is Markdown: those are the quotes, in backticks.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let mut quoted = false;
    for char in printable(text).chars() {
        quoted ^= char == '`';
        if !quoted && matches!(char, '*' | '_' | '<' | '>' | '[' | ']' | '|' | '#') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}
