//! How an item of the tree is shown: its label, and its value as filters and fields write it.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::View;
use super::field::{Base, Field, Kind, Strings};
use super::lua::general;
use super::text;
use super::tree::{Node, NodeId};
use super::value::Value;

/// Wireshark's limit of a label in bytes (`ITEM_LABEL_LENGTH`), with the NUL at its end.
const MAX_LABEL: usize = 240;

/// An item with all that it takes to show it.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    view: View<'a>,
    id: NodeId,
}

impl<'a> Item<'a> {
    pub(super) fn new(view: View<'a>, id: NodeId) -> Self {
        Self { view, id }
    }

    /// Which it is in the tree.
    pub fn id(self) -> NodeId {
        self.id
    }

    /// What the tree says of it.
    pub fn node(self) -> &'a Node {
        self.view.tree.node(self.id)
    }

    /// Its field; none is a line of text.
    pub fn field(self) -> Option<&'a Field> {
        self.node().field.map(|field| self.view.registry.field(field))
    }

    /// Its value.
    pub fn value(self) -> Value {
        self.node().value
    }

    /// Its value's text, if it is text.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.node().value {
            Value::Text(span) => Some(self.view.tree.kept_text(span)),
            _ => None,
        }
    }

    /// Its value's bytes, if it is bytes.
    pub fn bytes(self) -> Option<&'a [u8]> {
        match self.node().value {
            Value::Bytes(span) => Some(self.view.tree.kept(span)),
            Value::Place => Some(self.place()),
            _ => None,
        }
    }

    /// The bytes where it stands.
    pub fn place(self) -> &'a [u8] {
        let place = self.node().place;
        self.view.buffers.place(place.source, place.offset, place.len)
    }

    /// What hangs on it, in its order.
    pub fn children(self) -> impl Iterator<Item = Self> {
        self.view.tree.children(self.id).map(move |id| Self { id, ..self })
    }

    /// The line of the tree, brackets of generated items included (`tshark -V`).
    pub fn label(self) -> String {
        let mut label = String::new();
        self.push_label(&mut label);
        label
    }

    /// Writes [`Item::label`].
    pub fn push_label(self, out: &mut String) {
        let generated = self.node().generated;
        if generated {
            out.push('[');
        }
        self.push_plain_label(out);
        if generated {
            out.push(']');
        }
    }

    /// The line without brackets (PDML's `showname`).
    pub fn plain_label(self) -> String {
        let mut label = String::new();
        self.push_plain_label(&mut label);
        label
    }

    /// Writes [`Item::plain_label`].
    pub fn push_plain_label(self, out: &mut String) {
        let start = out.len();
        match (self.node().label, self.field()) {
            (Some(span), _) => out.push_str(&self.view.tree.kept_text(span)),
            (None, Some(field)) => self.push_made_label(field, out),
            (None, None) => (),
        }
        if out.len() - start >= MAX_LABEL {
            shorten(start, out);
        }
    }

    /// Writes the label that field and value make.
    fn push_made_label(self, field: &Field, out: &mut String) {
        if matches!(field.kind, Kind::None | Kind::Protocol) {
            return out.push_str(&field.name);
        }
        if field.mask != 0 {
            match self.value() {
                Value::Unsigned(bits) => push_bit_pattern(field, bits, out),
                Value::Signed(bits) => push_bit_pattern(field, bits as u64, out),
                _ => (),
            }
        }
        out.push_str(&field.name);
        out.push_str(": ");
        self.push_described(field, out);
    }

    /// Writes the value in words and numbers, as a label ends.
    fn push_described(self, field: &Field, out: &mut String) {
        match self.value() {
            Value::None => (),
            Value::Unsigned(number) if field.kind == Kind::Boolean => out.push_str(match (&field.strings, number != 0) {
                (Strings::TrueFalse(words), true) => &words.0,
                (Strings::TrueFalse(words), false) => &words.1,
                (_, true) => "True",
                (_, false) => "False",
            }),
            Value::Unsigned(number) if field.kind == Kind::Char => push_character(field, number, out),
            Value::Unsigned(number) => push_integer(field, number, i128::from(number), out),
            Value::Signed(number) => push_integer(field, number as u64, i128::from(number), out),
            Value::Text(span) => push_escaped(&self.view.tree.kept_text(span), out),
            Value::Bytes(_) | Value::Place => match (field.kind, self.bytes().unwrap_or_default()) {
                (Kind::Oid, bytes) => {
                    let numbers = oid(bytes, "", true);
                    let root = match numbers.split('.').next() {
                        Some("0") => "itu-t",
                        Some("1") => "iso",
                        _ => "joint-iso-itu-t",
                    };
                    push(out, format_args!("{numbers} ({root}{})", numbers.get(1..).unwrap_or_default()));
                }
                (Kind::RelOid, bytes) => {
                    let numbers = oid(bytes, ".", false);
                    push(out, format_args!("{numbers} ({numbers})"));
                }
                (Kind::SystemId, bytes) => push_system_id(bytes, out),
                (_, []) => out.push_str("<MISSING>"),
                (_, bytes) => {
                    out.push_str(&text::hex(bytes, separator(field.base), if separator(field.base).is_some() { 24 } else { 36 }));
                }
            },
            Value::Time { .. } => {
                self.push_shown(field, out);
                if field.kind == Kind::RelativeTime {
                    out.push_str(" seconds");
                }
            }
            Value::Eui64(_) => {
                self.push_shown(field, out);
                out.push_str(" (");
                self.push_shown(field, out);
                out.push(')');
            }
            Value::Float(_) | Value::Ipv4(_) | Value::Ipv6(_) | Value::Ether(_) | Value::Guid(_) => self.push_shown(field, out),
        }
    }

    /// The value as `tshark -T fields` and PDML's `show` write it.
    pub fn show(self) -> String {
        let mut show = String::new();
        self.push_show(&mut show);
        show
    }

    /// Writes [`Item::show`].
    pub fn push_show(self, out: &mut String) {
        if let Some(field) = self.field() {
            self.push_shown(field, out);
        }
    }

    fn push_shown(self, field: &Field, out: &mut String) {
        match self.value() {
            Value::None => (),
            Value::Unsigned(number) => match field.kind {
                Kind::Boolean if cfg!(feature = "lua54") => out.push_str(if number != 0 { "True" } else { "False" }),
                Kind::Boolean => out.push(if number != 0 { '1' } else { '0' }),
                Kind::Char => push_letter(number, field.base, out),
                _ => match field.base {
                    Base::Hex | Base::HexDec => push_hexadecimal(number, width(field.kind), out),
                    _ => push(out, format_args!("{number}")),
                },
            },
            Value::Signed(number) => push(out, format_args!("{number}")),
            Value::Float(number) => out.push_str(&general(number, if field.kind == Kind::Float { 6 } else { 15 })),
            Value::Text(span) => out.push_str(&self.view.tree.kept_text(span)),
            Value::Bytes(_) | Value::Place => match (field.kind, self.bytes().unwrap_or_default()) {
                (Kind::Oid, bytes) => out.push_str(&oid(bytes, "", true)),
                (Kind::RelOid, bytes) => out.push_str(&oid(bytes, ".", false)),
                (Kind::SystemId, bytes) => push_system_id(bytes, out),
                (_, bytes) => {
                    let separator = separator(field.base).filter(|separator| *separator != ' ').unwrap_or(':');
                    out.push_str(&text::hex(bytes, Some(separator), usize::MAX));
                }
            },
            Value::Time { secs, nanos } if field.kind == Kind::RelativeTime => {
                let sign = if secs < 0 || nanos < 0 { "-" } else { "" };
                push(out, format_args!("{sign}{}.{:09}", secs.unsigned_abs(), nanos.unsigned_abs()));
            }
            Value::Time { secs, nanos } => match field.base {
                Base::DoyUtc => out.push_str(&text::day_of_year(secs, nanos)),
                Base::Unix => push(out, format_args!("{secs}.{nanos:09}")),
                // NTP's zero, which is no time.
                Base::NtpUtc if secs == 0 && nanos == 0 => out.push_str("NULL"),
                _ => out.push_str(&text::date(secs, nanos)),
            },
            Value::Ipv4(bytes) => push(out, format_args!("{}", Ipv4Addr::from(bytes))),
            Value::Ipv6(bytes) => push(out, format_args!("{}", Ipv6Addr::from(bytes))),
            Value::Ether(bytes) => out.push_str(&text::hex(&bytes, Some(':'), 6)),
            Value::Eui64(bytes) => out.push_str(&text::hex(&bytes, Some(':'), 8)),
            Value::Guid(bytes) => {
                let digits = text::hex(&bytes, None, 16);
                let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
                out.push_str(&parts.join("-"));
            }
        }
    }
}

/// Writes into a string, which takes everything.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes everything");
}

/// Makes of a label from `start` on, which is too long, its beginning behind a sign of that.
fn shorten(start: usize, out: &mut String) {
    const SIGN: &str = "[…] ";
    // Wireshark puts the sign behind the name of the field, if the label begins with one.
    let mut len = start + MAX_LABEL - 1 - SIGN.len();
    while !out.is_char_boundary(len) {
        len -= 1;
    }
    out.truncate(len);
    out.insert_str(start, SIGN);
}

/// Writes text on one line: control characters in C's way.
fn push_escaped(text: &str, out: &mut String) {
    if !text::has_control(text) {
        return out.push_str(text);
    }
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            char if char.is_control() && cfg!(feature = "lua54") => push(out, format_args!("\\x{:02X}", u32::from(char))),
            char if char.is_control() => push(out, format_args!("\\{:03o}", u32::from(char))),
            char => out.push(char),
        }
    }
}

/// Writes `.... 0101 = `: the bits of a field among those of what it stands in.
fn push_bit_pattern(field: &Field, value: u64, out: &mut String) {
    let width = match field.kind {
        Kind::Boolean => field.width,
        kind => width(kind),
    }
    .clamp(1, 64);
    let bits = value << field.mask.trailing_zeros();
    for at in (0..width).rev() {
        out.push(match field.mask >> at & 1 {
            0 => '.',
            _ if bits >> at & 1 == 1 => '1',
            _ => '0',
        });
        if at > 0 && at % 4 == 0 {
            out.push(' ');
        }
    }
    out.push_str(" = ");
}

/// The bits of a type of whole numbers.
fn width(kind: Kind) -> u32 {
    match kind {
        Kind::Char | Kind::Uint8 | Kind::Int8 => 8,
        Kind::Uint16 | Kind::Int16 => 16,
        Kind::Uint24 | Kind::Int24 => 24,
        Kind::Uint40 | Kind::Int40 => 40,
        Kind::Uint48 | Kind::Int48 => 48,
        Kind::Uint56 | Kind::Int56 => 56,
        Kind::Uint64 | Kind::Int64 => 64,
        _ => 32,
    }
}

/// Writes a number with all hexadecimal digits of so many bits.
fn push_hexadecimal(number: u64, bits: u32, out: &mut String) {
    push(out, format_args!("{number:#0width$x}", width = bits.div_ceil(4) as usize + 2));
}

/// Writes what is left of a field behind its mask in hexadecimal.
fn push_masked(field: &Field, number: u64, out: &mut String) {
    let bits = if field.mask == 0 { width(field.kind) } else { 64 - field.mask.leading_zeros() - field.mask.trailing_zeros() };
    let number = if bits < 64 { number & ((1 << bits) - 1) } else { number };
    push_hexadecimal(number, bits, out);
}

/// Writes a whole number in its base.
fn push_number(field: &Field, bits: u64, decimal: i128, out: &mut String) {
    match field.base {
        Base::Hex => push_masked(field, bits, out),
        Base::Oct if bits == 0 => out.push('0'),
        Base::Oct => push(out, format_args!("0{bits:o}")),
        Base::DecHex => {
            push(out, format_args!("{decimal} ("));
            push_masked(field, bits, out);
            out.push(')');
        }
        Base::HexDec => {
            push_masked(field, bits, out);
            push(out, format_args!(" ({decimal})"));
        }
        Base::Oui => push(out, format_args!("{:02x}:{:02x}:{:02x}", bits >> 16 & 0xff, bits >> 8 & 0xff, bits & 0xff)),
        _ if field.kind == Kind::IpxNet => push(out, format_args!("{bits:#010x}")),
        _ => push(out, format_args!("{decimal}")),
    }
}

/// Writes a whole number in its base, with what it means.
fn push_integer(field: &Field, bits: u64, decimal: i128, out: &mut String) {
    let word = match &field.strings {
        Strings::Values(values) => {
            values.iter().find(|(value, _)| same_number(field.kind, *value, bits)).map_or("Unknown", |(_, word)| word)
        }
        Strings::Ranges(ranges) => ranges.iter().find(|(from, to, _)| (*from..=*to).contains(&bits)).map_or("Unknown", |(.., word)| word),
        Strings::Unit(unit) => {
            push_number(field, bits, decimal, out);
            return out.push_str(if bits == 1 { &unit.0 } else { &unit.1 });
        }
        _ => return push_number(field, bits, decimal, out),
    };
    out.push_str(word);
    out.push_str(" (");
    // Of two bases, a value with a name shows the first.
    match field.base {
        Base::DecHex => push(out, format_args!("{decimal}")),
        Base::HexDec => push_masked(field, bits, out),
        _ => push_number(field, bits, decimal, out),
    }
    out.push(')');
}

/// Keys of value strings have 32 bits, unless the field has 64.
fn same_number(kind: Kind, key: u64, bits: u64) -> bool {
    if width(kind) > 32 { key == bits } else { key as u32 == bits as u32 }
}

/// Writes a character as C does.
fn push_letter(number: u64, base: Base, out: &mut String) {
    match number {
        7 => out.push_str("'\\a'"),
        8 => out.push_str("'\\b'"),
        9 => out.push_str("'\\t'"),
        10 => out.push_str("'\\n'"),
        11 => out.push_str("'\\v'"),
        12 => out.push_str("'\\f'"),
        13 => out.push_str("'\\r'"),
        0x27 => out.push_str("'\\''"),
        0x5c => out.push_str("'\\\\'"),
        0x20..=0x7e => out.extend(['\'', char::from(number as u8), '\'']),
        _ if base == Base::Hex => push(out, format_args!("'\\x{number:02x}'")),
        _ => push(out, format_args!("'\\{number:03o}'")),
    }
}

fn push_character(field: &Field, number: u64, out: &mut String) {
    let Strings::Values(values) = &field.strings else { return push_letter(number, field.base, out) };
    out.push_str(values.iter().find(|(value, _)| *value == number).map_or("Unknown", |(_, word)| word));
    out.push_str(" (");
    push_letter(number, field.base, out);
    out.push(')');
}

fn separator(base: Base) -> Option<char> {
    match base {
        Base::Dot => Some('.'),
        Base::Dash => Some('-'),
        Base::Colon => Some(':'),
        Base::Space => Some(' '),
        _ => None,
    }
}

/// The numbers of an object identifier; the first byte holds two of an absolute one.
fn oid(bytes: &[u8], before: &str, absolute: bool) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number = 0_u64;
    for byte in bytes {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if absolute && numbers.is_empty() {
            let first = (number / 40).min(2);
            numbers.push(first);
            number -= first * 40;
        }
        numbers.push(number);
        number = 0;
    }
    let text: Vec<String> = numbers.iter().map(u64::to_string).collect();
    format!("{before}{}", text.join("."))
}

/// Writes `0123.4567.89ab`, and what is behind six bytes by dots of its own.
fn push_system_id(bytes: &[u8], out: &mut String) {
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % 2 == 0 {
            out.push('.');
        }
        push(out, format_args!("{byte:02x}"));
    }
}
