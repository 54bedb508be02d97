//! The tree as text (`tshark -V`): an item on each line, deeper ones further to the right.

use std::collections::HashSet;

use dissector_lua::host::View;
use dissector_lua::host::field::Severity;
use dissector_lua::host::item::Item;

use super::{Format, is_data, make_line, name, write_to};
use crate::report::text::Colour;

/// Bytes on a line of a hex dump.
const DUMPED: usize = 16;

/// How much of the protocols is shown.
#[derive(Debug)]
pub enum Extent {
    /// All of all.
    Whole,
    /// Only the first line of protocols other than these (`tshark -O`).
    Opened(HashSet<String>),
    /// Nothing of other protocols, but the frame's first line and what went wrong.
    Only(HashSet<String>),
}

/// The tree as text.
#[derive(Debug)]
pub struct Tree {
    extent: Extent,
    colour: Colour,
}

impl Tree {
    /// So much of it.
    pub fn new(extent: Extent, colour: Colour) -> Self {
        Self { extent, colour }
    }

    fn item(&self, item: Item<'_>, depth: usize, out: &mut String) {
        if item.node().hidden {
            return;
        }
        (0..depth).for_each(|_| out.push_str("    "));
        let colour = self.colour_of(item, depth);
        out.push_str(colour);
        let start = out.len();
        item.push_label(out);
        make_line(start, out);
        out.push_str(if colour.is_empty() { "\n" } else { "\x1b[0m\n" });
        let opened = match &self.extent {
            Extent::Opened(names) | Extent::Only(names) => depth > 0 || names.contains(name(item)),
            Extent::Whole => true,
        };
        if !opened {
            return;
        }
        if is_data(item) {
            dump(item.place(), out);
        }
        item.children().for_each(|child| self.item(child, depth + 1, out));
    }

    /// Whether anything of a protocol is shown; lines of text and Wireshark's own protocols tell what went wrong.
    fn shows(&self, item: Item<'_>) -> bool {
        let name = name(item);
        match &self.extent {
            Extent::Whole | Extent::Opened(_) => true,
            Extent::Only(names) => names.contains(name) || name.is_empty() || name == "frame" || name.starts_with("_ws."),
        }
    }

    fn colour_of(&self, item: Item<'_>, depth: usize) -> &'static str {
        let node = item.node();
        match (self.colour, node.expert.and(node.severity)) {
            (Colour::Off, _) => "",
            (Colour::On, Some(Severity::Error)) => "\x1b[31m",
            (Colour::On, Some(Severity::Warning)) => "\x1b[33m",
            (Colour::On, Some(Severity::Note)) => "\x1b[36m",
            (Colour::On, Some(Severity::Chat | Severity::Comment)) => "\x1b[34m",
            (Colour::On, None) if depth == 0 => "\x1b[1m",
            (Colour::On, None) if node.generated => "\x1b[2m",
            (Colour::On, None) => "",
        }
    }
}

impl Format for Tree {
    fn frame(&mut self, view: View<'_>, out: &mut String) {
        view.protocols().filter(|item| self.shows(*item)).for_each(|item| self.item(item, 0, out));
        out.push('\n');
    }
}

/// Bytes in hexadecimal and as text, behind an empty line.
fn dump(bytes: &[u8], out: &mut String) {
    out.push('\n');
    for (row, bytes) in bytes.chunks(DUMPED).enumerate() {
        let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = bytes.iter().map(|&byte| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' }).collect();
        write_to(out, format_args!("{:04x}  {:<47}   {text}\n", row * DUMPED, digits.join(" ")));
    }
}
