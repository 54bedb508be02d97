//! Quizzes as GIFT, which Moodle and others import, or as a page with the key at its end.

use std::io::{self, Write};

use super::text::{Style, fill, printable};
use crate::lab::quiz::{Answer, Question};

/// Writes questions in GIFT, each behind an empty line.
///
/// Every line begins with words of ours, and all text is `[plain]`: so nothing that a capture says becomes a comment, a
/// command, a weight, a format or HTML.
/// Source: <https://docs.moodle.org/en/GIFT_format>, and Moodle's reader of it.
pub fn gift(path: &str, questions: &[Question], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "// Questions about {}", printable(path))?;
    for question in questions {
        writeln!(out, "\n::{}::[plain]{} {{", escaped(&question.title), escaped(&question.text))?;
        match &question.answer {
            Answer::Number { value, tolerance } => writeln!(out, "\t#{value}:{tolerance}")?,
            Answer::Word(word) => writeln!(out, "\t={}", piece(word))?,
            Answer::Claim(claim) => writeln!(out, "\t{}", if *claim { "TRUE" } else { "FALSE" })?,
            Answer::Choice { options, right } => {
                for (at, option) in options.iter().enumerate() {
                    writeln!(out, "\t{}{}", if at == *right { '=' } else { '~' }, piece(option))?;
                }
            }
            Answer::Matching(pairs) => {
                for (left, right) in pairs {
                    writeln!(out, "\t={} -> {}", piece(left), piece(right))?;
                }
            }
        }
        writeln!(out, "\t####{}\n}}", escaped(&feedback(question)))?;
    }
    Ok(())
}

/// Why an answer is right, and where to see it.
fn feedback(question: &Question) -> String {
    let Question { why, frames, filter, .. } = question;
    let list: Vec<String> = frames.iter().map(u64::to_string).collect();
    let shown = match frames.len() {
        0 => String::new(),
        1 => format!(" See frame {}.", list[0]),
        _ => format!(" See frames {}.", list.join(", ")),
    };
    format!("{why}{shown} Display filter: {filter}")
}

/// An answer; in brackets it would begin like a format, in per cent signs like a weight.
fn piece(text: &str) -> String {
    // There is no escape for the arrow of matching questions.
    let escaped = escaped(text).replace("->", "- >");
    if escaped.starts_with(['[', '%']) { format!("[plain]{escaped}") } else { escaped }
}

/// Text without control characters, in which nothing is GIFT.
fn escaped(text: &str) -> String {
    // While Moodle reads, `&&058;` stands for an escaped colon; one of ours would become a colon, too.
    let text = printable(text).replace("&&0", "& &0");
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '\\' | '~' | '=' | '#' | '{' | '}' | ':') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

/// Writes questions as a page, and behind them the key.
pub fn text(path: &str, questions: &[Question], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let style = Style { width: style.width.min(80), ..style };
    writeln!(out, "Questions about {}\n", printable(path))?;
    writeln!(out, "{}", fill("Frames and TCP streams have Wireshark's numbers (frame.number, tcp.stream).", "", "", style))?;
    for (number, question) in (1..).zip(questions) {
        let indent = "    ";
        let ask = match question.answer {
            Answer::Claim(_) => format!("True or false? {}", question.text),
            _ => question.text.clone(),
        };
        writeln!(out, "\n{}", fill(&ask, &format!("{number:>2}. "), indent, style))?;
        match &question.answer {
            Answer::Number { .. } | Answer::Word(_) => writeln!(out, "\n    ____________________")?,
            Answer::Claim(_) => writeln!(out, "\n    [ ] true   [ ] false")?,
            Answer::Choice { options, .. } => {
                writeln!(out)?;
                for (letter, option) in ('a'..).zip(options) {
                    writeln!(out, "{}", fill(option, &format!("    {letter}) "), "       ", style))?;
                }
            }
            Answer::Matching(pairs) => {
                writeln!(out)?;
                for (left, _) in pairs {
                    writeln!(out, "{}", fill(left, "    ________  ", "              ", style))?;
                }
                let mut answers: Vec<&str> = pairs.iter().map(|(_, right)| right.as_str()).collect();
                answers.sort_by_key(|answer| (answer.parse::<u64>().ok(), *answer));
                answers.dedup();
                writeln!(out, "{}", fill(&format!("Choose from: {}", answers.join(", ")), "\n    ", indent, style))?;
            }
        }
    }
    writeln!(out, "\nKey\n")?;
    for (number, question) in (1..).zip(questions) {
        writeln!(out, "{}", fill(&right(question), &format!("{number:>2}. "), "    ", style))?;
        writeln!(out, "{}", fill(&format!("{}: {}", question.task(), feedback(question)), "    ", "    ", style))?;
    }
    Ok(())
}

/// The right answer for a person.
fn right(question: &Question) -> String {
    match &question.answer {
        Answer::Number { value, tolerance: 0 } => value.to_string(),
        Answer::Number { value, tolerance } => format!("{value} ± {tolerance}"),
        Answer::Word(word) => word.clone(),
        Answer::Claim(claim) => claim.to_string(),
        Answer::Choice { options, right } => format!("{}) {}", char::from(b'a' + *right as u8), options[*right]),
        Answer::Matching(pairs) => pairs.iter().map(|(left, right)| format!("{left} → {right}")).collect::<Vec<_>>().join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_quoted_is_gift() {
        for (text, expected) in [
            ("~=#{}:\\", "\\~\\=\\#\\{\\}\\:\\\\"),
            ("a\nb", "a\\\\nb"),
            ("[html]<b>", "[plain][html]<b>"),
            ("%50%x", "[plain]%50%x"),
            ("//x", "//x"),
            ("a->b", "a- >b"),
            ("&&058;", "& &058;"),
            ("\u{202e}x", "\\\\u\\{202e\\}x"),
        ] {
            assert_eq!(piece(text), expected, "{text}");
        }
    }
}
