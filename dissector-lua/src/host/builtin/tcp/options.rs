//! TCP's options (RFC 9293 §3.2, RFC 7323, RFC 2018).

use std::fmt::Write;

use super::super::super::field::FieldId;
use super::super::super::frame::Segment;
use super::super::super::tree::NodeId;
use super::super::super::value::Value;
use super::super::pen::Pen;
use super::super::{u16_at, u32_at};
use super::Fields;

/// IANA's option kinds, as Wireshark names them.
pub(super) const NAMES: [(u64, &str); 7] = [
    (0, "End of Option List"),
    (1, "No-Operation"),
    (2, "Maximum Segment Size"),
    (3, "Window Scale"),
    (4, "SACK Permitted"),
    (5, "SACK"),
    (8, "Time Stamp Option"),
];

/// Where each option begins behind the header's 20 bytes, with its kind and all of its bytes.
fn options(bytes: &[u8]) -> impl Iterator<Item = (usize, u8, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        let len = match *rest {
            [] => return None,
            [0 | 1, ..] => 1,
            [_, len, ..] if len >= 2 && usize::from(len) <= rest.len() => usize::from(len),
            _ => return None,
        };
        at += len;
        Some((at - len, rest[0], &rest[..len]))
    })
}

/// What the Info column says of them.
pub(super) fn in_short(bytes: &[u8], info: &mut String) {
    for (_, kind, option) in options(bytes) {
        let written = match (kind, option.len()) {
            (2, 4) => write!(info, " MSS={}", u16_at(option, 2)),
            (3, 3) => write!(info, " WS={}", 1_u32 << option[2].min(14)),
            (4, 2) => write!(info, " SACK_PERM"),
            (8, 10) => write!(info, " TSval={} TSecr={}", u32_at(option, 2), u32_at(option, 6)),
            _ => Ok(()),
        };
        written.expect("a string takes everything");
    }
}

/// What an option is called in the list of all.
fn name(kind: u8) -> &'static str {
    match kind {
        0 => "End of Option List (EOL)",
        1 => "No-Operation (NOP)",
        2 => "Maximum segment size",
        3 => "Window scale",
        4 => "SACK permitted",
        5 => "SACK",
        8 => "Timestamps",
        _ => "Unknown",
    }
}

pub(super) fn show(pen: &mut Pen<'_>, fields: &Fields, item: NodeId, bytes: &[u8], segment: Option<&Segment>) {
    let all = pen.put(item, fields.options, 20, bytes.len() as u32, Value::Place);
    if pen.is_visible() {
        let names: String = options(bytes).map(|(_, kind, _)| format!(", {}", name(kind))).collect();
        pen.label(all, format_args!("Options: ({} bytes){names}", bytes.len()));
    }
    for (at, kind, option) in options(bytes) {
        let (at, len) = (at as u32 + 20, option.len() as u32);
        let field = match kind {
            0 => fields.end_of_options,
            1 => fields.no_operation,
            2 => fields.segment_size,
            3 => fields.scale,
            4 => fields.sack_permitted,
            5 => fields.sack,
            8 => fields.timestamps,
            _ => fields.unknown_option,
        };
        let one = pen.put(all, field, at, len, Value::Place);
        if pen.is_visible() {
            let told = told(kind, option, segment);
            pen.label(one, format_args!("TCP Option - {}{told}", name(kind)));
        }
        pen.number(one, fields.option_kind, at, 1, kind);
        if kind < 2 {
            continue;
        }
        pen.number(one, fields.option_len, at + 1, 1, len);
        show_content(pen, fields, one, at, kind, option, segment);
    }
}

/// What stands behind an option's name.
fn told(kind: u8, option: &[u8], segment: Option<&Segment>) -> String {
    match (kind, option.len()) {
        (2, 4) => format!(": {} bytes", u16_at(option, 2)),
        (3, 3) => format!(": {} (multiply by {})", option[2], 1_u32 << option[2].min(14)),
        (5, _) => edges(option, segment).map(|(_, left, right)| format!(" {left}-{right}")).collect(),
        (8, 10) => format!(": TSval {}, TSecr {}", u32_at(option, 2), u32_at(option, 6)),
        _ => String::new(),
    }
}

/// The blocks of a SACK: where each stands, and its edges as the other direction counts.
fn edges<'a>(option: &'a [u8], segment: Option<&Segment>) -> impl Iterator<Item = (u32, u32, u32)> + 'a {
    let base = segment.map_or(0, |segment| segment.other_base);
    let blocks = option[2..].chunks_exact(8).enumerate();
    blocks.map(move |(index, block)| {
        let edge = |at| u32_at(block, at).wrapping_sub(base);
        (index as u32 * 8 + 2, edge(0), edge(4))
    })
}

fn show_content(pen: &mut Pen<'_>, fields: &Fields, one: NodeId, at: u32, kind: u8, option: &[u8], segment: Option<&Segment>) {
    let mut number = |field: FieldId, from: u32, len: u32, value: u32| pen.number(one, field, at + from, len, value);
    match (kind, option.len()) {
        (2, 4) => drop(number(fields.segment_size_value, 2, 2, u16_at(option, 2).into())),
        (3, 3) => {
            number(fields.scale_shift, 2, 1, option[2].into());
            let multiplier = number(fields.scale_multiplier, 2, 1, 1 << option[2].min(14));
            pen.generated(multiplier);
        }
        (5, _) => {
            for (from, left, right) in edges(option, segment) {
                for (field, from, edge, side) in [(fields.sack_left, from, left, "left"), (fields.sack_right, from + 4, right, "right")] {
                    let item = pen.number(one, field, at + from, 4, edge);
                    pen.label(item, format_args!("{side} edge = {edge} (relative)"));
                }
            }
            let count = pen.number(one, fields.sack_count, at, 0, (option.len() as u64 - 2) / 8);
            pen.generated(count);
        }
        (8, 10) => {
            number(fields.timestamp, 2, 4, u32_at(option, 2));
            number(fields.timestamp_echo, 6, 4, u32_at(option, 6));
        }
        _ => {}
    }
}
