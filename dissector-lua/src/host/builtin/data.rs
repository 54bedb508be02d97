//! Bytes that no dissector has taken.

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::Kind;
use super::super::tree::NodeId;
use super::super::value::Value;
use super::field::{field, protocol};
use super::pen::Pen;

protocol! {
    /// Fields of unknown bytes.
    Fields = "Data", "Data", "data";
    data = field(Kind::Bytes, "data.data", "Data");
    len = field(Kind::Uint32, "data.len", "Length");
}

/// Shows the bytes.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    if tvb.len == 0 {
        return Ok(0);
    }
    let fields = &core.builtin().data;
    let pen = &mut Pen::new(core, tvb);
    let item = pen.put(node, fields.item, 0, tvb.len, Value::Place);
    pen.label(item, format_args!("Data ({} byte{})", tvb.len, if tvb.len == 1 { "" } else { "s" }));
    pen.put(item, fields.data, 0, tvb.len, Value::Place);
    let len = pen.number(item, fields.len, 0, 0, tvb.len);
    pen.generated(len);
    Ok(tvb.len as usize)
}
