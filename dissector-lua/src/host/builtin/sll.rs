//! Linux "cooked" captures, both versions (tcpdump.org, LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2).

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::Kind;
use super::super::packet::Address;
use super::super::tree::NodeId;
use super::super::value::Value;
use super::field::{field, hex, protocol};
use super::pen::Pen;
use super::{eth, header, u16_at, u32_at};

const PACKET_TYPES: [(u64, &str); 5] =
    [(0, "Unicast to us"), (1, "Broadcast"), (2, "Multicast"), (3, "Unicast to another host"), (4, "Sent by us")];

protocol! {
    /// Fields of cooked captures.
    Fields = "Linux cooked-mode capture", "SLL", "sll";
    packet_type = field(Kind::Uint16, "sll.pkttype", "Packet type").named(&PACKET_TYPES);
    hardware_type = field(Kind::Uint16, "sll.hatype", "Link-layer address type").named(&[(1, "Ethernet"), (772, "Loopback")]);
    address_len = field(Kind::Uint16, "sll.halen", "Link-layer address length");
    source = field(Kind::Ether, "sll.src.eth", "Source");
    source_other = field(Kind::Bytes, "sll.src.other", "Source");
    unused = field(Kind::Bytes, "sll.unused", "Unused");
    protocol_type = hex(Kind::Uint16, "sll.etype", "Protocol").named(&eth::ETHERTYPES);
    interface = field(Kind::Int32, "sll.ifindex", "Interface index");
}

struct Header {
    version: u8,
    len: u32,
    packet_type: (u32, u32, u16),
    hardware_type: (u32, u16),
    address_len: (u32, u32, u16),
    address: u32,
    protocol: (u32, u16),
    interface: Option<u32>,
}

/// The first version.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let bytes = header::<16>(core, tvb)?;
    let header = Header {
        version: 1,
        len: 16,
        packet_type: (0, 2, u16_at(&bytes, 0)),
        hardware_type: (2, u16_at(&bytes, 2)),
        address_len: (4, 2, u16_at(&bytes, 4)),
        address: 6,
        protocol: (14, u16_at(&bytes, 14)),
        interface: None,
    };
    show(core, tvb, node, &header, &bytes)
}

/// The second version.
pub(super) fn dissect_second(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let bytes = header::<20>(core, tvb)?;
    let header = Header {
        version: 2,
        len: 20,
        packet_type: (10, 1, bytes[10].into()),
        hardware_type: (8, u16_at(&bytes, 8)),
        address_len: (11, 1, bytes[11].into()),
        address: 12,
        protocol: (0, u16_at(&bytes, 0)),
        interface: Some(u32_at(&bytes, 4)),
    };
    show(core, tvb, node, &header, &bytes)
}

fn show(core: &Core, tvb: Tvb, node: NodeId, header: &Header, bytes: &[u8]) -> Result<usize, Exception> {
    let address: [u8; 6] = bytes[header.address as usize..][..6].try_into().expect("both headers have eight bytes there");
    let (at, len, address_len) = header.address_len;
    if address_len == 6 {
        let packet = &mut *core.packet.borrow_mut();
        packet.link_source = Address::Ether(address);
        packet.source = packet.link_source;
    }
    {
        let fields = &core.builtin().sll;
        let pen = &mut Pen::new(core, tvb);
        let item = pen.put(node, fields.item, 0, header.len, Value::Place);
        pen.label(item, format_args!("Linux cooked capture v{}", header.version));
        let write_protocol = |pen: &mut Pen<'_>| pen.number(item, fields.protocol_type, header.protocol.0, 2, header.protocol.1);
        if let Some(index) = header.interface {
            write_protocol(pen);
            pen.put(item, fields.interface, 4, 4, Value::Signed(i64::from(index as i32)));
            pen.number(item, fields.hardware_type, header.hardware_type.0, 2, header.hardware_type.1);
        }
        pen.number(item, fields.packet_type, header.packet_type.0, header.packet_type.1, header.packet_type.2);
        if header.interface.is_none() {
            pen.number(item, fields.hardware_type, header.hardware_type.0, 2, header.hardware_type.1);
        }
        pen.number(item, fields.address_len, at, len, address_len);
        match address_len {
            0 => {}
            6 => drop(pen.put(item, fields.source, header.address, 6, Value::Ether(address))),
            len => drop(pen.put(item, fields.source_other, header.address, u32::from(len.min(8)), Value::Place)),
        }
        if address_len < 8 {
            pen.put(item, fields.unused, header.address + u32::from(address_len), 8 - u32::from(address_len), Value::Place);
        }
        if header.interface.is_none() {
            write_protocol(pen);
        }
    }
    eth::ethertype(core, header.protocol.1, tvb.from(header.len))?;
    Ok(tvb.len as usize)
}
