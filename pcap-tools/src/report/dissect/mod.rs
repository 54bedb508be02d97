//! Dissected frames: what a host shows of them in; text, fields, JSON or PDML out, as tshark writes them.
//!
//! A format writes its beginning, then a frame at a time, then its end, so that nothing is kept of a frame. All of it is
//! UTF-8 and without control characters, whatever a dissector made.

pub mod fields;
pub mod golden;
pub mod json;
pub mod pdml;
pub mod tree;

use std::borrow::Cow;
use std::fmt::Write;

use dissector_lua::host::field::Kind;
use dissector_lua::host::item::Item;
use dissector_lua::host::{View, has_control};

/// A format.
pub trait Format {
    /// What stands before the first frame.
    fn begin(&self, _out: &mut String) {}

    /// Writes a frame.
    fn frame(&mut self, view: View<'_>, out: &mut String);

    /// What has to stand behind the last frame; wherever a run ends, this makes its output whole.
    fn end(&self) -> &'static str {
        ""
    }
}

/// A text on one line: control characters are shown as C writes them.
fn line(text: &str) -> Cow<'_, str> {
    if !has_control(text) {
        return Cow::Borrowed(text);
    }
    let mut line = text.to_owned();
    make_line(0, &mut line);
    Cow::Owned(line)
}

/// Makes what stands in `out` from `start` on one line.
fn make_line(start: usize, out: &mut String) {
    if has_control(&out[start..]) {
        let text = out.split_off(start);
        text.chars().for_each(|char| push_visible(char, out));
    }
}

/// Writes a character, or what C writes for it if it is a control character.
fn push_visible(char: char, out: &mut String) {
    let name = match char {
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        char if char.is_ascii_control() => return write_to(out, format_args!("\\x{:02X}", u32::from(char))),
        char if char.is_control() => return write_to(out, format_args!("\\u{:04X}", u32::from(char))),
        char => return out.push(char),
    };
    out.extend(['\\', name]);
}

/// Bytes in hexadecimal digits; there are many, so without Rust's formatting.
fn push_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])));
}

fn write_to(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes everything");
}

/// What filters call an item; a line of text has no such name.
fn name<'a>(item: Item<'a>) -> &'a str {
    item.field().map_or("", |field| &field.abbreviation)
}

/// Bytes that nobody dissected, which tshark shows in ways of their own.
fn is_data(item: Item<'_>) -> bool {
    item.field().is_some_and(|field| field.kind == Kind::Protocol && &*field.abbreviation == "data")
}
