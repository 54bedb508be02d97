//! PDML (`tshark -T pdml`): the tree as XML, with the elements and attributes that readers of PDML expect.
//!
//! Source: doc/README.xml-output of Wireshark. XML 1.0 has no control characters: they are shown as `\x1b`, which is what
//! tshark does, too; tabs and ends of lines are references, so that a reader gets them back.

use dissector_lua::host::View;
use dissector_lua::host::field::{Field, Kind};
use dissector_lua::host::item::Item;
use dissector_lua::host::packet::Packet;
use dissector_lua::host::value::Value;

use super::{Format, is_data, line, name, push_hex, write_to};

/// Trees as PDML.
#[derive(Debug)]
pub struct Pdml {
    capture: String,
}

impl Pdml {
    /// `capture` is the name of the file, for the head.
    pub fn new(capture: &str) -> Self {
        Self { capture: capture.to_owned() }
    }
}

impl Format for Pdml {
    fn begin(&self, out: &mut String) {
        out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<?xml-stylesheet type=\"text/xsl\" href=\"pdml2html.xsl\"?>\n");
        out.push_str("<pdml version=\"0\" creator=\"pcap-tools/");
        out.push_str(env!("CARGO_PKG_VERSION"));
        attribute("\" capture_file", &self.capture, out);
        out.push_str("\">\n");
    }

    fn frame(&mut self, view: View<'_>, out: &mut String) {
        out.push_str("<packet>\n");
        general(view.packet, out);
        for item in view.protocols() {
            if item.field().is_some_and(|field| field.kind == Kind::Protocol) && !is_data(item) {
                element(item, None, 1, out);
            } else {
                // Only protocols may stand here.
                out.push_str("  <proto name=\"fake-field-wrapper\">\n");
                element(item, None, 2, out);
                out.push_str("  </proto>\n");
            }
        }
        out.push_str("</packet>\n\n\n");
    }

    fn end(&self) -> &'static str {
        "</pdml>\n"
    }
}

/// What is known of a frame before any of it is dissected.
fn general(packet: &Packet, out: &mut String) {
    let size = packet.wire_len;
    write_to(out, format_args!("  <proto name=\"geninfo\" pos=\"0\" showname=\"General information\" size=\"{size}\">\n"));
    let mut field = |name: &str, show: &str, label: &str, value: &str| {
        write_to(
            out,
            format_args!("    <field name=\"{name}\" pos=\"0\" show=\"{show}\" showname=\"{label}\" value=\"{value}\" size=\"{size}\"/>\n"),
        );
    };
    field("num", &packet.number.to_string(), "Number", &format!("{:x}", packet.number));
    field("len", &size.to_string(), "Frame Length", &format!("{size:x}"));
    field("caplen", &packet.captured_len.to_string(), "Captured Length", &format!("{:x}", packet.captured_len));
    let stamp = packet.time.and_then(|nanos| jiff::Timestamp::from_nanosecond(i128::from(nanos)).ok());
    let (show, value) = stamp.map_or_else(Default::default, |stamp| {
        let nanos = stamp.as_nanosecond();
        let seconds = format!("{}.{:09}", nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
        (stamp.strftime("%b %e, %Y %H:%M:%S.%9f UTC").to_string(), seconds)
    });
    field("timestamp", &show, "Captured Time", &value);
    out.push_str("  </proto>\n");
}

/// An item with what hangs on it; `above` is where the item begins on which it hangs.
fn element(item: Item<'_>, above: Option<u32>, depth: usize, out: &mut String) {
    (0..depth).for_each(|_| out.push_str("  "));
    let place = item.node().place;
    let tag = match item.field() {
        _ if is_data(item) => {
            out.push_str("<field name=\"data\" value=\"");
            push_hex(item.place(), out);
            "field"
        }
        None => {
            attribute("<field name=\"\" show", &line(&item.plain_label()), out);
            write_to(out, format_args!("\" size=\"{}\" pos=\"{}", place.len, position(place.offset, above)));
            if place.len > 0 {
                out.push_str("\" value=\"");
                push_hex(item.place(), out);
            }
            "field"
        }
        Some(field) => {
            // The protocol of expert infos is written as a field.
            let tag = if field.kind == Kind::Protocol && name(item) != "_ws.expert" { "proto" } else { "field" };
            write_to(out, format_args!("<{tag}"));
            attribute(" name", name(item), out);
            attribute("\" showname", &line(&item.plain_label()), out);
            if item.node().hidden {
                out.push_str("\" hide=\"yes");
            }
            write_to(out, format_args!("\" size=\"{}\" pos=\"{}", place.len, position(place.offset, above)));
            values(item, field, out);
            tag
        }
    };
    if item.children().next().is_none() && !is_data(item) {
        out.push_str("\"/>\n");
        return;
    }
    out.push_str("\">\n");
    item.children().for_each(|child| element(child, Some(place.offset), depth + 1, out));
    (0..depth).for_each(|_| out.push_str("  "));
    write_to(out, format_args!("</{tag}>\n"));
}

/// Bytes of another source are counted from where the item begins on which they hang.
fn position(offset: u32, above: Option<u32>) -> u32 {
    above.filter(|above| offset < *above).map_or(offset, |above| above + offset)
}

fn values(item: Item<'_>, field: &Field, out: &mut String) {
    match field.kind {
        Kind::Protocol => return,
        Kind::None => return out.push_str("\" show=\"\" value=\""),
        _ => attribute("\" show", &item.show(), out),
    }
    if item.node().place.len == 0 {
        return;
    }
    out.push_str("\" value=\"");
    let number = match item.value() {
        Value::Unsigned(number) => number,
        Value::Signed(number) if matches!(field.kind, Kind::Int40 | Kind::Int48 | Kind::Int56 | Kind::Int64) => number as u64,
        Value::Signed(number) => u64::from(number as u32),
        _ => 0,
    };
    if field.mask != 0 {
        write_to(out, format_args!("{number:X}\" unmaskedvalue=\""));
    }
    push_hex(item.place(), out);
}

/// An attribute whose last quote is left to what comes next.
fn attribute(name: &str, value: &str, out: &mut String) {
    out.push_str(name);
    out.push_str("=\"");
    let mut rest = value;
    // Most of it stands for itself; what XML has not among the other characters begins with 0xef.
    while let Some(at) = rest.bytes().position(|byte| byte < b' ' || matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'' | 0x7f | 0xef)) {
        out.push_str(&rest[..at]);
        let char = rest[at..].chars().next().expect("a character was found");
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            '\t' | '\n' | '\r' => write_to(out, format_args!("&#x{:X};", u32::from(char))),
            char if char.is_ascii_control() => write_to(out, format_args!("\\x{:x}", u32::from(char))),
            '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            char => out.push(char),
        }
        rest = &rest[at + char.len_utf8()..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &str) {
        let mut out = String::new();
        attribute("a", value, &mut out);
        assert_eq!(out, format!("a=\"{expected}"));
    }

    #[test]
    fn values_are_well_formed_xml() {
        check("a < b && \"c\" > 'd'", "a &lt; b &amp;&amp; &quot;c&quot; &gt; &#x27;d&#x27;");
        check("line\r\n\ttab", "line&#xD;&#xA;&#x9;tab");
        check("\u{1}\u{1b}[31m\u{7f}", "\\x1\\x1b[31m\\x7f");
        check("\u{ffff}é😀", "\u{fffd}é😀");
    }
}
