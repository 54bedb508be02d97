//! IPv6 (RFC 8200 §3) and its extension headers (§4).

use std::net::Ipv6Addr;

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::Kind;
use super::super::packet::Address;
use super::super::tree::NodeId;
use super::super::value::Value;
use super::field::{bit, field, frame_number, hex, protocol};
use super::ip::{CONGESTION, PROTOCOLS, SERVICES, carry, carry_fragment, note_addresses, services_in_short};
use super::pen::Pen;
use super::{beyond, header, u16_at, u32_at};

protocol! {
    /// Fields of IPv6.
    Fields = "Internet Protocol Version 6", "IPv6", "ipv6";
    version = field(Kind::Uint8, "ipv6.version", "Version");
    class = hex(Kind::Uint32, "ipv6.tclass", "Traffic Class").bits(0x0ff0_0000);
    service = field(Kind::Uint32, "ipv6.tclass.dscp", "Differentiated Services Codepoint").bits(0x0fc0_0000).named(&SERVICES);
    congestion = field(Kind::Uint32, "ipv6.tclass.ecn", "Explicit Congestion Notification").bits(0x0030_0000).named(&CONGESTION);
    flow = hex(Kind::Uint24, "ipv6.flow", "Flow Label").bits(0x0f_ffff);
    payload_len = field(Kind::Uint16, "ipv6.plen", "Payload Length");
    next = field(Kind::Uint8, "ipv6.nxt", "Next Header").named(&PROTOCOLS);
    hop_limit = field(Kind::Uint8, "ipv6.hlim", "Hop Limit");
    source = field(Kind::Ipv6, "ipv6.src", "Source Address");
    address = field(Kind::Ipv6, "ipv6.addr", "Source or Destination Address");
    source_host = field(Kind::String, "ipv6.src_host", "Source Host");
    host = field(Kind::String, "ipv6.host", "Source or Destination Host");
    destination = field(Kind::Ipv6, "ipv6.dst", "Destination Address");
    destination_host = field(Kind::String, "ipv6.dst_host", "Destination Host");
    hop_by_hop = field(Kind::None, "ipv6.hopopts", "IPv6 Hop-by-Hop Option");
    routing = field(Kind::None, "ipv6.routing", "Routing Header for IPv6");
    destination_options = field(Kind::None, "ipv6.dstopts", "Destination Options for IPv6");
    extension_next = field(Kind::Uint8, "ipv6.opt.nxt", "Next Header").named(&PROTOCOLS);
    extension_len = field(Kind::Uint8, "ipv6.opt.length", "Length");
    fragments = field(Kind::None, "ipv6.fragments", "IPv6 Fragments");
    fragment = frame_number("ipv6.fragment", "IPv6 Fragment");
    fragment_count = field(Kind::Uint32, "ipv6.fragment.count", "Fragment count");
    reassembled_len = field(Kind::Uint32, "ipv6.reassembled.length", "Reassembled IPv6 length");
    reassembled = field(Kind::Bytes, "ipv6.reassembled.data", "Reassembled IPv6 data");
}

protocol! {
    /// Fields of the fragment header.
    FragmentFields = "Fragment Header for IPv6", "IPv6 Fragment", "ipv6.fraghdr";
    next = field(Kind::Uint8, "ipv6.fraghdr.nxt", "Next header").named(&PROTOCOLS);
    reserved = hex(Kind::Uint8, "ipv6.fraghdr.reserved_octet", "Reserved octet");
    offset = field(Kind::Uint16, "ipv6.fraghdr.offset", "Offset").bits(0xfff8);
    reserved_bits = field(Kind::Uint16, "ipv6.fraghdr.reserved_bits", "Reserved bits").bits(0x0006);
    more = bit("ipv6.fraghdr.more", "More Fragments", 16, 0x0001).words("Yes", "No");
    id = hex(Kind::Uint32, "ipv6.fraghdr.ident", "Identification");
}

/// So many extension headers are followed.
const MAX_EXTENSIONS: usize = 64;

/// A packet of IPv6.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let bytes = header::<40>(core, tvb)?;
    let source = Address::Ipv6(bytes[8..24].try_into().expect("sixteen bytes"));
    let destination = Address::Ipv6(bytes[24..40].try_into().expect("sixteen bytes"));
    // 0 is what segmentation offload and jumbograms leave.
    let total = match u32::from(u16_at(&bytes, 4)) {
        0 => tvb.reported_len,
        len => (40 + len).min(tvb.reported_len),
    };
    note_addresses(core, source, destination, bytes[6]);
    let item = show(core, tvb, node, &bytes);
    let mut rest = tvb.part(0, total).from(40);
    let mut next = bytes[6];
    for _ in 0..MAX_EXTENSIONS {
        match next {
            0 | 43 | 60 => {
                let [following, len] = header::<2>(core, rest)?;
                let len = (u32::from(len) + 1) * 8;
                show_extension(core, rest, item, next, [following, (len / 8 - 1) as u8]);
                if rest.len < len {
                    return Err(beyond(rest, len as usize));
                }
                (next, rest) = (following, rest.from(len));
            }
            44 => {
                let bytes = header::<8>(core, rest)?;
                show_fragment_header(core, rest, item, &bytes);
                (next, rest) = (bytes[0], rest.from(8));
                if u16_at(&bytes, 2) & 0xfff9 != 0 {
                    let fields = &core.builtin().ipv6;
                    let shown = [fields.fragments, fields.fragment, fields.fragment_count, fields.reassembled_len, fields.reassembled];
                    core.packet.borrow_mut().ip_protocol = next.into();
                    carry_fragment(core, item, shown, "IPv6", next, rest)?;
                    return Ok(total as usize);
                }
            }
            _ => break,
        }
    }
    core.packet.borrow_mut().ip_protocol = next.into();
    if next != 59 {
        carry(core, next, rest)?;
    }
    Ok(total as usize)
}

fn show(core: &Core, tvb: Tvb, node: NodeId, bytes: &[u8; 40]) -> NodeId {
    let fields = &core.builtin().ipv6;
    let pen = &mut Pen::new(core, tvb);
    let address = |at: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[at..at + 16]).expect("sixteen bytes"));
    let item = pen.put(node, fields.item, 0, 40, Value::Place);
    pen.label(item, format_args!("Internet Protocol Version 6, Src: {}, Dst: {}", address(8), address(24)));
    let first = u32_at(bytes, 0);
    let class = (first >> 20) as u8;
    let version = pen.number(item, fields.version, 0, 1, bytes[0] >> 4);
    pen.label(version, format_args!("{:04b} .... = Version: {}", bytes[0] >> 4, bytes[0] >> 4));
    let classes = pen.number(item, fields.class, 0, 4, class);
    if pen.is_visible() {
        let short = services_in_short(class);
        let label = format!(".... {:04b} {:04b} .... .... .... .... .... = Traffic Class: 0x{class:02x} {short}", class >> 4, class & 15);
        pen.label(classes, format_args!("{label}"));
    }
    pen.number(classes, fields.service, 0, 4, class >> 2);
    pen.number(classes, fields.congestion, 0, 4, class & 3);
    pen.number(item, fields.flow, 1, 3, first & 0x000f_ffff);
    pen.number(item, fields.payload_len, 4, 2, u16_at(bytes, 4));
    pen.number(item, fields.next, 6, 1, bytes[6]);
    pen.number(item, fields.hop_limit, 7, 1, bytes[7]);
    for (at, field, host) in [(8, fields.source, fields.source_host), (24, fields.destination, fields.destination_host)] {
        let value = Value::Ipv6(bytes[at..at + 16].try_into().expect("sixteen bytes"));
        let at = at as u32;
        pen.put(item, field, at, 16, value);
        let same = pen.put(item, fields.address, at, 16, value);
        pen.hidden(same);
        for field in [host, fields.host] {
            if pen.is_wanted(field) {
                let same = pen.text(item, field, at, 16, &address(at as usize).to_string());
                pen.hidden(same);
            }
        }
    }
    item
}

fn show_extension(core: &Core, tvb: Tvb, parent: NodeId, kind: u8, bytes: [u8; 2]) {
    let fields = &core.builtin().ipv6;
    let field = match kind {
        0 => fields.hop_by_hop,
        43 => fields.routing,
        _ => fields.destination_options,
    };
    let pen = &mut Pen::new(core, tvb);
    let len = (u32::from(bytes[1]) + 1) * 8;
    let item = pen.put(parent, field, 0, len, Value::None);
    pen.number(item, fields.extension_next, 0, 1, bytes[0]);
    let shown = pen.number(item, fields.extension_len, 1, 1, bytes[1]);
    pen.label(shown, format_args!("Length: {} ({len} bytes)", bytes[1]));
}

fn show_fragment_header(core: &Core, tvb: Tvb, parent: NodeId, bytes: &[u8; 8]) {
    let fields = &core.builtin().fragment_header;
    let pen = &mut Pen::new(core, tvb);
    let item = pen.put(parent, fields.item, 0, 8, Value::Place);
    let place = u16_at(bytes, 2);
    pen.number(item, fields.next, 0, 1, bytes[0]);
    pen.number(item, fields.reserved, 1, 1, bytes[1]);
    let offset = pen.number(item, fields.offset, 2, 2, place >> 3);
    let bits = format!("{:013b}", place >> 3);
    let (a, b, c, d) = (&bits[..4], &bits[4..8], &bits[8..12], &bits[12..]);
    pen.label(offset, format_args!("{a} {b} {c} {d}... = Offset: {} ({} bytes)", place >> 3, place & 0xfff8));
    pen.number(item, fields.reserved_bits, 2, 2, place >> 1 & 3);
    pen.number(item, fields.more, 2, 2, place & 1);
    pen.number(item, fields.id, 4, 4, u32_at(bytes, 4));
}
