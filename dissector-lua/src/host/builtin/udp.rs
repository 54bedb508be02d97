//! UDP (RFC 768).

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::Kind;
use super::super::packet::{Conversation, PortType};
use super::super::tree::{NodeId, ROOT};
use super::super::value::Value;
use super::field::{field, hex, protocol};
use super::pen::Pen;
use super::{call_data, call_of_conversation, header, u16_at};

protocol! {
    /// Fields of UDP.
    Fields = "User Datagram Protocol", "UDP", "udp";
    source = field(Kind::Uint16, "udp.srcport", "Source Port");
    destination = field(Kind::Uint16, "udp.dstport", "Destination Port");
    port = field(Kind::Uint16, "udp.port", "Source or Destination Port");
    len = field(Kind::Uint16, "udp.length", "Length");
    checksum = hex(Kind::Uint16, "udp.checksum", "Checksum");
    checksum_status = field(Kind::Uint8, "udp.checksum.status", "Checksum Status").named(&[(0, "Bad"), (1, "Good"), (2, "Unverified"), (3, "Not present")]);
    stream = field(Kind::Uint32, "udp.stream", "Stream index");
    payload = field(Kind::Bytes, "udp.payload", "Payload");
}

/// A datagram.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let bytes = header::<8>(core, tvb)?;
    let [source, destination, len, checksum] = [0, 2, 4, 6].map(|at| u16_at(&bytes, at));
    {
        let packet = &mut *core.packet.borrow_mut();
        (packet.source_port, packet.destination_port, packet.port_type) = (source.into(), destination.into(), PortType::Udp);
        packet.columns.protocol.set("UDP");
        packet.columns.info.set(&format!("{source} → {destination} Len={}", u32::from(len).saturating_sub(8)));
    }
    let stream = stream(core);
    core.packet.borrow_mut().conversation = Some(Conversation::Udp(stream));
    let datagram = if len == 0 { tvb } else { tvb.part(0, len.into()) };
    let payload = datagram.from(8);
    {
        let fields = &core.builtin().udp;
        let pen = &mut Pen::new(core, tvb);
        let item = pen.put(node, fields.item, 0, 8, Value::Place);
        pen.label(item, format_args!("User Datagram Protocol, Src Port: {source}, Dst Port: {destination}"));
        pen.number(item, fields.source, 0, 2, source);
        pen.number(item, fields.destination, 2, 2, destination);
        for (at, port) in [(0, source), (2, destination)] {
            let same = pen.number(item, fields.port, at, 2, port);
            pen.hidden(same);
        }
        pen.number(item, fields.len, 4, 2, len);
        let sum = pen.number(item, fields.checksum, 6, 2, checksum);
        let (told, status) = if checksum == 0 { ("[zero-value ignored]", 3_u64) } else { ("[unverified]", 2) };
        let said = if checksum == 0 { "Not present" } else { "Unverified" };
        pen.label(sum, format_args!("Checksum: 0x{checksum:04x} {told}"));
        let status = pen.number(item, fields.checksum_status, 6, 0, status);
        pen.label(status, format_args!("Checksum Status: {said}"));
        pen.generated(status);
        let stream = pen.number(item, fields.stream, 8, 0, stream);
        pen.generated(stream);
        if payload.len > 0 {
            let data = pen.put(item, fields.payload, 8, payload.len, Value::Place);
            pen.label(data, format_args!("UDP payload ({} byte{})", payload.len, if payload.len == 1 { "" } else { "s" }));
        }
    }
    if len != 0 && len < 8 {
        return Err(Exception::Malformed);
    }
    core.queue_tap("udp");
    if payload.reported_len > 0 {
        hand_on(core, payload, source, destination)?;
    }
    Ok(tvb.len as usize)
}

/// The number of the conversation that the current packet belongs to, whatever its direction.
fn stream(core: &Core) -> u32 {
    let packet = core.packet.borrow();
    let (source, destination) = ((packet.source, packet.source_port), (packet.destination, packet.destination_port));
    let mut streams = core.state.streams.borrow_mut();
    let next = streams.len() as u32;
    match streams.get(&[destination, source]) {
        Some(known) => *known,
        None => *streams.entry([source, destination]).or_insert(next),
    }
}

/// The dissector that a script set for the conversation; then by port, the lower first; then by heuristics.
fn hand_on(core: &Core, payload: Tvb, source: u16, destination: u16) -> Result<(), Exception> {
    if call_of_conversation(core, payload)? {
        return Ok(());
    }
    for port in [source.min(destination), source.max(destination)] {
        if port != 0 && core.try_uint("udp.port", port.into(), payload, ROOT)? > 0 {
            return Ok(());
        }
    }
    if !core.try_heuristic("udp", payload, ROOT)? {
        call_data(core, payload)?;
    }
    Ok(())
}
