//! Ethernet II (IEEE 802.3 §3.1.1) and VLAN tags (IEEE 802.1Q §9.3).

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::{FieldId, Kind};
use super::super::packet::Address;
use super::super::tree::{NodeId, ROOT};
use super::super::value::Value;
use super::field::{bit, field, hex, protocol};
use super::pen::Pen;
use super::{call_data, header, show_exception, u16_at};

const LOCAL: &str = "Locally administered address (this is NOT the factory default)";
const GLOBAL: &str = "Globally unique address (factory default)";
const GROUP: &str = "Group address (multicast/broadcast)";
const INDIVIDUAL: &str = "Individual address (unicast)";

protocol! {
    /// Fields of Ethernet.
    Fields = "Ethernet", "Ethernet", "eth";
    destination = field(Kind::Ether, "eth.dst", "Destination");
    destination_resolved = field(Kind::String, "eth.dst_resolved", "Destination (resolved)");
    destination_local = bit("eth.dst.lg", "LG bit", 24, 0x02_0000).words(LOCAL, GLOBAL);
    destination_group = bit("eth.dst.ig", "IG bit", 24, 0x01_0000).words(GROUP, INDIVIDUAL);
    source = field(Kind::Ether, "eth.src", "Source");
    source_resolved = field(Kind::String, "eth.src_resolved", "Source (resolved)");
    source_local = bit("eth.src.lg", "LG bit", 24, 0x02_0000).words(LOCAL, GLOBAL);
    source_group = bit("eth.src.ig", "IG bit", 24, 0x01_0000).words(GROUP, INDIVIDUAL);
    address = field(Kind::Ether, "eth.addr", "Address");
    address_resolved = field(Kind::String, "eth.addr_resolved", "Address (resolved)");
    local = bit("eth.lg", "LG bit", 24, 0x02_0000).words(LOCAL, GLOBAL);
    group = bit("eth.ig", "IG bit", 24, 0x01_0000).words(GROUP, INDIVIDUAL);
    kind = hex(Kind::Uint16, "eth.type", "Type").named(&ETHERTYPES);
    len = field(Kind::Uint16, "eth.len", "Length");
    padding = field(Kind::Bytes, "eth.padding", "Padding");
    trailer = field(Kind::Bytes, "eth.trailer", "Trailer");
}

protocol! {
    /// Fields of a VLAN tag.
    VlanFields = "802.1Q Virtual LAN", "VLAN", "vlan";
    priority = field(Kind::Uint16, "vlan.priority", "Priority").bits(0xe000).named(&PRIORITIES);
    eligible = bit("vlan.dei", "DEI", 16, 0x1000).words("Eligible", "Ineligible");
    id = field(Kind::Uint16, "vlan.id", "ID").bits(0x0fff);
    kind = hex(Kind::Uint16, "vlan.etype", "Type").named(&ETHERTYPES);
    len = field(Kind::Uint16, "vlan.len", "Length");
}

/// IEEE 802's protocol numbers, as Wireshark names them.
pub(super) const ETHERTYPES: [(u64, &str); 8] = [
    (0x0800, "IPv4"),
    (0x0806, "ARP"),
    (0x8100, "802.1Q Virtual LAN"),
    (0x86dd, "IPv6"),
    (0x88a8, "802.1ad Provider Bridge (Q-in-Q)"),
    (0x88cc, "802.1 Link Layer Discovery Protocol (LLDP)"),
    (0x9100, "QinQ: old 802.1QinQ VLAN tag"),
    (0x9200, "QinQ: old 802.1QinQ VLAN tag"),
];

/// IEEE 802.1Q, table I-2.
const PRIORITIES: [(u64, &str); 8] = [
    (0, "Best Effort (default)"),
    (1, "Background"),
    (2, "Excellent Effort"),
    (3, "Critical Applications"),
    (4, "Video, < 100ms latency and jitter"),
    (5, "Voice, < 10ms latency and jitter"),
    (6, "Internetwork Control"),
    (7, "Network Control"),
];

/// The shortest frame without its checksum; what is shorter is filled up.
const MIN_LEN: u32 = 60;

/// A frame of Ethernet.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let bytes = header::<14>(core, tvb)?;
    let [destination, source] = [0, 6].map(|at| <[u8; 6]>::try_from(&bytes[at..at + 6]).expect("six bytes"));
    let kind = u16_at(&bytes, 12);
    {
        let packet = &mut *core.packet.borrow_mut();
        (packet.link_source, packet.link_destination) = (Address::Ether(source), Address::Ether(destination));
        (packet.source, packet.destination) = (packet.link_source, packet.link_destination);
    }
    let item = {
        let fields = &core.builtin().eth;
        let pen = &mut Pen::new(core, tvb);
        let item = pen.put(node, fields.item, 0, 14, Value::Place);
        let version = if kind >= 0x600 { "Ethernet II" } else { "IEEE 802.3 Ethernet" };
        pen.label(item, format_args!("{version}, Src: {}, Dst: {}", Address::Ether(source), Address::Ether(destination)));
        let parts = [fields.destination, fields.destination_resolved, fields.destination_local, fields.destination_group];
        address(pen, fields, item, (0, destination), parts);
        let parts = [fields.source, fields.source_resolved, fields.source_local, fields.source_group];
        address(pen, fields, item, (6, source), parts);
        pen.number(item, if kind >= 0x600 { fields.kind } else { fields.len }, 12, 2, kind);
        item
    };
    core.try_heuristic("eth", tvb.from(14), ROOT)?;
    let carried = tvb.from(14);
    let taken =
        if kind < 0x600 { call_data(core, carried.part(0, kind.into())).map(|_| u32::from(kind)) } else { ethertype(core, kind, carried) };
    match taken {
        Ok(taken) => trail(core, carried, taken, item),
        // It is told where Ethernet hands on.
        Err(exception) => show_exception(core, carried, &exception),
    }
    Ok(tvb.len as usize)
}

/// What an EtherType says; how many bytes belong to it.
pub(super) fn ethertype(core: &Core, kind: u16, tvb: Tvb) -> Result<u32, Exception> {
    let protocol = core.builtin().ethertype;
    core.packet.borrow_mut().layers.push(protocol);
    match core.try_uint("ethertype", kind.into(), tvb, ROOT)? {
        0 => {
            call_data(core, tvb)?;
            Ok(tvb.reported_len)
        }
        taken => Ok(taken as u32),
    }
}

fn address(pen: &mut Pen<'_>, fields: &Fields, parent: NodeId, (at, bytes): (u32, [u8; 6]), parts: [FieldId; 4]) {
    let [whole, resolved, local, group] = parts;
    let (is_local, is_group) = (u64::from(bytes[0] >> 1 & 1), u64::from(bytes[0] & 1));
    let value = Value::Ether(bytes);
    let item = pen.put(parent, whole, at, 6, value);
    hide(pen, item, resolved, at, bytes);
    pen.number(item, local, at, 3, is_local);
    pen.number(item, group, at, 3, is_group);
    let same = pen.put(item, fields.address, at, 6, value);
    pen.hidden(same);
    hide(pen, item, fields.address_resolved, at, bytes);
    for (field, value) in [(fields.local, is_local), (fields.group, is_group)] {
        let same = pen.number(item, field, at, 3, value);
        pen.hidden(same);
    }
}

/// Names are not looked up: what is resolved is the address itself.
fn hide(pen: &mut Pen<'_>, parent: NodeId, field: FieldId, at: u32, bytes: [u8; 6]) {
    if pen.is_wanted(field) {
        let item = pen.text(parent, field, at, 6, &Address::Ether(bytes).to_string());
        pen.hidden(item);
    }
}

/// What stands behind the packet: padding of short frames, or something else.
fn trail(core: &Core, carried: Tvb, taken: u32, item: NodeId) {
    let rest = carried.from(taken);
    if rest.len == 0 || taken >= carried.reported_len {
        return;
    }
    let fields = &core.builtin().eth;
    let zeros = core.buffers.borrow().bytes(rest).iter().all(|byte| *byte == 0);
    let short = carried.reported_len + 14 <= MIN_LEN;
    let mut pen = Pen::new(core, rest);
    pen.put(item, if zeros && short { fields.padding } else { fields.trailer }, 0, rest.len, Value::Place);
}

/// A VLAN tag, from its control information on.
pub(super) fn dissect_vlan(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let bytes = header::<4>(core, tvb)?;
    let (control, kind) = (u16_at(&bytes, 0), u16_at(&bytes, 2));
    {
        let fields = &core.builtin().vlan;
        let pen = &mut Pen::new(core, tvb);
        let item = pen.put(node, fields.item, 0, 4, Value::Place);
        let (priority, eligible, id) = (control >> 13, control >> 12 & 1, control & 0xfff);
        pen.label(item, format_args!("802.1Q Virtual LAN, PRI: {priority}, DEI: {eligible}, ID: {id}"));
        pen.number(item, fields.priority, 0, 2, priority);
        pen.number(item, fields.eligible, 0, 2, eligible);
        pen.number(item, fields.id, 0, 2, id);
        pen.number(item, if kind >= 0x600 { fields.kind } else { fields.len }, 2, 2, kind);
    }
    let carried = tvb.from(4);
    if kind < 0x600 {
        call_data(core, carried.part(0, kind.into()))?;
        return Ok(4 + usize::from(kind));
    }
    Ok(4 + ethertype(core, kind, carried)? as usize)
}
