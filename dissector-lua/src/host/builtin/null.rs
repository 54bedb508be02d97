//! BSD loopback: an address family before the packet, in either byte order, since captures travel between hosts.

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::Kind;
use super::super::tree::{NodeId, ROOT};
use super::super::value::Value;
use super::field::{field, protocol};
use super::pen::Pen;
use super::{call_data, header};

protocol! {
    /// Fields of BSD loopback.
    Fields = "Null/Loopback", "Null", "null";
    family = field(Kind::Uint32, "null.family", "Family").named(&[(2, "IP"), (10, "IPv6"), (23, "IPv6"), (24, "IPv6"), (28, "IPv6"), (30, "IPv6")]);
}

/// In the byte order of the capturing host: a family is small, so the order shows.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let little = u32::from_le_bytes(header(core, tvb)?);
    family(core, tvb, node, if little > 0xffff { little.swap_bytes() } else { little })
}

/// In network byte order.
pub(super) fn dissect_loop(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let family_number = u32::from_be_bytes(header(core, tvb)?);
    family(core, tvb, node, family_number)
}

fn family(core: &Core, tvb: Tvb, node: NodeId, family: u32) -> Result<usize, Exception> {
    {
        let fields = &core.builtin().null;
        let pen = &mut Pen::new(core, tvb);
        let item = pen.put(node, fields.item, 0, 4, Value::Place);
        pen.number(item, fields.family, 0, 4, family);
    }
    match core.try_uint("null.type", family, tvb.from(4), ROOT)? {
        0 => call_data(core, tvb.from(4))?,
        taken => taken,
    };
    Ok(tvb.len as usize)
}
