//! Text by its lines, as bodies of messages are shown.

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::tree::NodeId;
use super::super::value::Value;
use super::field::protocol;
use super::pen::Pen;

protocol! {
    /// Text has no fields.
    Fields = "Line-based text data", "Line-based text data", "data-text-lines";
}

/// Shows the lines, each with its end.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let fields = &core.builtin().text_lines;
    let buffers = core.buffers.borrow();
    let bytes = buffers.bytes(tvb);
    let pen = &mut Pen::new(core, tvb);
    let item = pen.put(node, fields.item, 0, tvb.len, Value::Place);
    if pen.is_visible() {
        let subject = core.packet.borrow().match_string.clone();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
        let of = if subject.is_empty() { String::new() } else { format!(": {subject}") };
        pen.label(item, format_args!("Line-based text data{of} ({lines} lines)"));
        let mut at = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text: String = String::from_utf8_lossy(line)
                .chars()
                .map(|char| char.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""))
                .collect();
            pen.line(item, at, line.len() as u32, &text);
            at += line.len() as u32;
        }
    }
    Ok(tvb.len as usize)
}
