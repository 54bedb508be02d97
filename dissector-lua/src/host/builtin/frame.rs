//! The frame itself: its record in the capture. Whatever goes wrong further up ends here.

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::{Base, Field, Kind};
use super::super::tree::{NodeId, Place, ROOT};
use super::super::value::Value;
use super::field::{field, protocol};
use super::pen::Pen;

protocol! {
    /// Fields of a frame's record.
    Fields = "Frame", "Frame", "frame";
    section_number = field(Kind::Uint32, "frame.section_number", "Section number");
    interface_id = field(Kind::Uint32, "frame.interface_id", "Interface id");
    interface_name = field(Kind::String, "frame.interface_name", "Interface name");
    encapsulation = field(Kind::Uint32, "frame.encap_type", "Encapsulation type");
    time = field(Kind::AbsoluteTime, "frame.time", "Arrival Time");
    time_utc = Field { base: Base::Utc, ..field(Kind::AbsoluteTime, "frame.time_utc", "UTC Arrival Time") };
    // Wireshark 4.4 has an absolute time here; as a number of seconds both versions write it alike.
    time_epoch = field(Kind::RelativeTime, "frame.time_epoch", "Epoch Arrival Time");
    offset_shift = field(Kind::RelativeTime, "frame.offset_shift", "Time shift for this packet");
    time_delta = field(Kind::RelativeTime, "frame.time_delta", "Time delta from previous captured frame");
    time_delta_displayed = field(Kind::RelativeTime, "frame.time_delta_displayed", "Time delta from previous displayed frame");
    time_relative = field(Kind::RelativeTime, "frame.time_relative", "Time since reference or first frame");
    number = field(Kind::Uint32, "frame.number", "Frame Number");
    len = field(Kind::Uint32, "frame.len", "Frame Length");
    captured_len = field(Kind::Uint32, "frame.cap_len", "Capture Length");
    marked = field(Kind::Boolean, "frame.marked", "Frame is marked");
    ignored = field(Kind::Boolean, "frame.ignored", "Frame is ignored");
    protocols = field(Kind::String, "frame.protocols", "Protocols in frame");
}

/// Wireshark's number and name for a link type of the pcap format.
fn encapsulation(link_type: u16) -> (u32, &'static str) {
    match link_type {
        0 => (15, "NULL/Loopback"),
        1 => (1, "Ethernet"),
        12 | 14 | 101 => (7, "Raw IP"),
        108 => (174, "OpenBSD loopback"),
        113 => (25, "Linux cooked-mode capture v1"),
        228 => (129, "Raw IPv4"),
        229 => (130, "Raw IPv6"),
        276 => (210, "Linux cooked-mode capture v2"),
        _ => (0, "Unknown"),
    }
}

/// What a record of the capture holds.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    core.queue_tap("frame");
    let protocols = record(core, tvb, node);
    if let Err(exception) = packet(core, tvb) {
        show_exception(core, tvb, &exception);
    }
    let post = core.tables.borrow().post.clone();
    for handle in post {
        if let Err(exception) = core.call(handle, tvb, ROOT) {
            show_exception(core, tvb, &exception);
        }
    }
    if let Some(item) = protocols {
        let names = {
            let (registry, packet) = (core.registry.borrow(), core.packet.borrow());
            let names: Vec<_> = packet.layers.iter().skip(1).map(|id| &*registry.protocol(*id).abbreviation).collect();
            names.join(":")
        };
        let tree = &mut *core.tree.borrow_mut();
        tree.node_mut(item).value = tree.text_value(&names);
    }
    Ok(tvb.len as usize)
}

/// The record; the item for the names of the protocols, which are not known yet.
fn record(core: &Core, tvb: Tvb, node: NodeId) -> Option<NodeId> {
    let fields = &core.builtin().frame;
    let facts = core.state.facts.get();
    let packet = core.packet.borrow();
    let pen = &mut Pen::new(core, tvb);
    let item = pen.put(node, fields.item, 0, tvb.len, Value::Place);
    if pen.is_visible() {
        let bits = |bytes: u32| u64::from(bytes) * 8;
        let (sent, kept) = (packet.wire_len, packet.captured_len);
        let plural = |count: u32| if count == 1 { "byte" } else { "bytes" };
        let mut label = format!("Frame {}: {sent} {} on wire ({} bits)", packet.number, plural(sent), bits(sent));
        label += &format!(", {kept} {} captured ({} bits)", plural(kept), bits(kept));
        if let Some(id) = facts.interface {
            label += &format!(" on interface {}, id {id}", packet.interface_name.as_deref().unwrap_or("unknown"));
        }
        pen.label(item, format_args!("{label}"));
    }
    if let Some(id) = facts.interface {
        pen.number(item, fields.section_number, 0, 0, 1_u64);
        let name = packet.interface_name.as_deref().unwrap_or("unknown");
        let interface = pen.number(item, fields.interface_id, 0, 0, id);
        pen.label(interface, format_args!("Interface id: {id} ({name})"));
        pen.text(interface, fields.interface_name, 0, 0, name);
    }
    let (number, name) = encapsulation(facts.link_type);
    let encapsulated = pen.number(item, fields.encapsulation, 0, 0, number);
    pen.label(encapsulated, format_args!("Encapsulation type: {name} ({number})"));
    if let Some(time) = packet.time {
        let value = Value::Time { secs: time.div_euclid(1_000_000_000), nanos: time.rem_euclid(1_000_000_000) as i32 };
        pen.put(item, fields.time, 0, 0, value);
        pen.put(item, fields.time_utc, 0, 0, value);
        let epoch = pen.duration(item, fields.time_epoch, time);
        pen.label(epoch, format_args!("Epoch Arrival Time: {}.{:09}", time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000)));
        let shift = pen.duration(item, fields.offset_shift, 0);
        pen.generated(shift);
    }
    for (field, nanos) in [
        (fields.time_delta, packet.delta_time),
        (fields.time_delta_displayed, packet.displayed_delta_time),
        (fields.time_relative, packet.relative_time),
    ] {
        if let Some(nanos) = nanos {
            let item = pen.duration(item, field, nanos);
            pen.generated(item);
        }
    }
    pen.number(item, fields.number, 0, 0, packet.number);
    for (field, name, len) in [(fields.len, "Frame", packet.wire_len), (fields.captured_len, "Capture", packet.captured_len)] {
        let item = pen.number(item, field, 0, 0, len);
        pen.label(item, format_args!("{name} Length: {len} byte{} ({} bits)", if len == 1 { "" } else { "s" }, u64::from(len) * 8));
    }
    for field in [fields.marked, fields.ignored] {
        let item = pen.number(item, field, 0, 0, 0_u64);
        pen.generated(item);
    }
    pen.is_wanted(fields.protocols).then(|| {
        let names = pen.text(item, fields.protocols, 0, 0, "");
        pen.generated(names);
        names
    })
}

/// The packet that the record holds.
fn packet(core: &Core, tvb: Tvb) -> Result<usize, Exception> {
    let (encapsulation, _) = encapsulation(core.state.facts.get().link_type);
    match encapsulation {
        // Bare IP tells its version itself.
        7 | 129 | 130 => {
            let version = core.buffers.borrow().bytes(tvb).first().map_or(0, |first| first >> 4);
            match version {
                4 => core.call_named("ip", tvb, ROOT),
                6 => core.call_named("ipv6", tvb, ROOT),
                _ => super::call_data(core, tvb),
            }
        }
        _ => match core.try_uint("wtap_encap", encapsulation, tvb, ROOT)? {
            0 => super::call_data(core, tvb),
            taken => Ok(taken),
        },
    }
}

/// Says in the tree and in the Info column that a dissector could not go on.
pub(crate) fn show_exception(core: &Core, tvb: Tvb, exception: &Exception) {
    let name = {
        let (registry, packet) = (core.registry.borrow(), core.packet.borrow());
        packet.current.map_or(String::new(), |id| registry.protocol(id).short_name.to_string())
    };
    let (label, info) = match exception {
        Exception::Cut => (format!("[Packet size limited during capture: {name} truncated]"), "[Packet size limited during capture]"),
        Exception::Malformed => (format!("[Malformed Packet: {name}]"), "[Malformed Packet]"),
        Exception::Fragment => (format!("[Unreassembled Packet: {name}]"), "[Unreassembled Packet]"),
        Exception::Bug(what) => (format!("[Dissector bug, protocol {name}: {what}]"), "[Dissector bug]"),
    };
    core.packet.borrow_mut().columns.info.append(info);
    if *exception == Exception::Malformed {
        core.add_malformed(&label, Place { len: 0, ..tvb.into() });
        return;
    }
    let mut pen = Pen::new(core, tvb);
    pen.line(ROOT, 0, 0, &label);
}
