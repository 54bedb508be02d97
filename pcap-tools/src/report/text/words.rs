//! Words and numbers for a person.

use super::Style;

/// Text in which nothing makes a terminal act: control characters and those that turn its direction are
/// written as escapes.
pub fn printable(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns(c) {
            printable.extend(c.escape_default());
        } else {
            printable.push(c);
        }
    }
    printable
}

/// Lines of text that fit the width, the first one behind `first`, the others behind `rest`.
pub fn fill(text: &str, first: &str, rest: &str, style: Style) -> String {
    let options = textwrap::Options::new(usize::from(style.width)).initial_indent(first).subsequent_indent(rest);
    // Names of header fields are not torn apart.
    let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&printable(text), options)
}

/// With thousands separated.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(in crate::report) fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}
