//! IPv4 (RFC 791 §3.1), and what both versions of IP have in common.

use std::net::Ipv4Addr;

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::{Base, Field, FieldId, Kind};
use super::super::frame::Fragment;
use super::super::packet::Address;
use super::super::tree::{NodeId, ROOT};
use super::super::value::Value;
use super::field::{bit, field, frame_number, hex, protocol};
use super::pen::Pen;
use super::{beyond, call_data, header, u16_at};

protocol! {
    /// Fields of IPv4.
    Fields = "Internet Protocol Version 4", "IPv4", "ip";
    version = field(Kind::Uint8, "ip.version", "Version");
    header_len = field(Kind::Uint8, "ip.hdr_len", "Header Length");
    services = hex(Kind::Uint8, "ip.dsfield", "Differentiated Services Field");
    service = field(Kind::Uint8, "ip.dsfield.dscp", "Differentiated Services Codepoint").bits(0xfc).named(&SERVICES);
    congestion = field(Kind::Uint8, "ip.dsfield.ecn", "Explicit Congestion Notification").bits(0x03).named(&CONGESTION);
    len = field(Kind::Uint16, "ip.len", "Total Length");
    id = Field { base: Base::HexDec, ..field(Kind::Uint16, "ip.id", "Identification") };
    flags = hex(Kind::Uint8, "ip.flags", "Flags").bits(0xe0);
    reserved = bit("ip.flags.rb", "Reserved bit", 8, 0x80).words("Set", "Not set");
    dont_fragment = bit("ip.flags.df", "Don't fragment", 8, 0x40).words("Set", "Not set");
    more_fragments = bit("ip.flags.mf", "More fragments", 8, 0x20).words("Set", "Not set");
    fragment_offset = field(Kind::Uint16, "ip.frag_offset", "Fragment Offset").bits(0x1fff);
    ttl = field(Kind::Uint8, "ip.ttl", "Time to Live");
    carried = field(Kind::Uint8, "ip.proto", "Protocol").named(&PROTOCOLS);
    checksum = hex(Kind::Uint16, "ip.checksum", "Header Checksum");
    checksum_status = field(Kind::Uint8, "ip.checksum.status", "Header checksum status").named(&[(0, "Bad"), (1, "Good"), (2, "Unverified")]);
    source = field(Kind::Ipv4, "ip.src", "Source Address");
    address = field(Kind::Ipv4, "ip.addr", "Source or Destination Address");
    source_host = field(Kind::String, "ip.src_host", "Source Host");
    host = field(Kind::String, "ip.host", "Source or Destination Host");
    destination = field(Kind::Ipv4, "ip.dst", "Destination Address");
    destination_host = field(Kind::String, "ip.dst_host", "Destination Host");
    options = field(Kind::Bytes, "ip.options", "Options");
    fragments = field(Kind::None, "ip.fragments", "IPv4 Fragments");
    fragment = frame_number("ip.fragment", "IPv4 Fragment");
    fragment_count = field(Kind::Uint32, "ip.fragment.count", "Fragment count");
    reassembled_len = field(Kind::Uint32, "ip.reassembled.length", "Reassembled IPv4 length");
    reassembled = field(Kind::Bytes, "ip.reassembled.data", "Reassembled IPv4 data");
}

/// RFC 2474 §3 and its successors.
pub(super) const SERVICES: [(u64, &str); 23] = [
    (0, "Default"),
    (1, "Lower Effort"),
    (8, "Class Selector 1"),
    (10, "Assured Forwarding 11"),
    (12, "Assured Forwarding 12"),
    (14, "Assured Forwarding 13"),
    (16, "Class Selector 2"),
    (18, "Assured Forwarding 21"),
    (20, "Assured Forwarding 22"),
    (22, "Assured Forwarding 23"),
    (24, "Class Selector 3"),
    (26, "Assured Forwarding 31"),
    (28, "Assured Forwarding 32"),
    (30, "Assured Forwarding 33"),
    (32, "Class Selector 4"),
    (34, "Assured Forwarding 41"),
    (36, "Assured Forwarding 42"),
    (38, "Assured Forwarding 43"),
    (40, "Class Selector 5"),
    (44, "VOICE-ADMIT"),
    (46, "Expedited Forwarding"),
    (48, "Class Selector 6"),
    (56, "Class Selector 7"),
];

/// RFC 3168 §5.
pub(super) const CONGESTION: [(u64, &str); 4] = [
    (0, "Not ECN-Capable Transport"),
    (1, "ECN-Capable Transport codepoint '01'"),
    (2, "ECN-Capable Transport codepoint '10'"),
    (3, "Congestion Experienced"),
];

/// IANA's protocol numbers, as Wireshark names them.
pub(super) const PROTOCOLS: [(u64, &str); 20] = [
    (0, "IPv6 Hop-by-Hop Option"),
    (1, "ICMP"),
    (2, "IGMP"),
    (4, "IPIP"),
    (6, "TCP"),
    (8, "EGP"),
    (17, "UDP"),
    (41, "IPv6"),
    (43, "Routing Header for IPv6"),
    (44, "Fragment Header for IPv6"),
    (47, "Generic Routing Encapsulation"),
    (50, "Encap Security Payload"),
    (51, "Authentication Header"),
    (58, "ICMPv6"),
    (59, "No Next Header for IPv6"),
    (60, "Destination Options for IPv6"),
    (89, "OSPF IGP"),
    (103, "PIM"),
    (112, "VRRP"),
    (132, "SCTP"),
];

/// `(DSCP: CS0, ECN: Not-ECT)`.
pub(super) fn services_in_short(services: u8) -> String {
    let congestion = ["Not-ECT", "ECT(1)", "ECT(0)", "CE"][usize::from(services & 3)];
    let service = match services >> 2 {
        service @ (0 | 8 | 16 | 24 | 32 | 40 | 48 | 56) => format!("CS{}", service / 8),
        service @ (10..=38) if service % 2 == 0 => format!("AF{}{}", service / 8, service % 8 / 2),
        1 => "LE".to_owned(),
        44 => "VOICE-ADMIT".to_owned(),
        46 => "EF PHB".to_owned(),
        _ => "Unknown".to_owned(),
    };
    format!("(DSCP: {service}, ECN: {congestion})")
}

/// A packet of IPv4.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let bytes = header::<20>(core, tvb)?;
    let header_len = u32::from(bytes[0] & 15) * 4;
    if header_len < 20 {
        return Err(Exception::Malformed);
    }
    // 0 is what segmentation offload leaves.
    let total = match u32::from(u16_at(&bytes, 2)) {
        0 => tvb.reported_len,
        total => total.clamp(header_len, tvb.reported_len.max(header_len)),
    };
    let source = Address::Ipv4(bytes[12..16].try_into().expect("four bytes"));
    let destination = Address::Ipv4(bytes[16..20].try_into().expect("four bytes"));
    note_addresses(core, source, destination, bytes[9]);
    let item = show(core, tvb, node, &bytes, header_len);
    if tvb.len < header_len {
        return Err(beyond(tvb, header_len as usize));
    }
    let whole = tvb.part(0, total);
    let payload = whole.from(header_len);
    let fragment = u16_at(&bytes, 6) & 0x3fff;
    if fragment == 0 {
        carry(core, bytes[9], payload)?;
    } else {
        let fields = &core.builtin().ip;
        let shown = [fields.fragments, fields.fragment, fields.fragment_count, fields.reassembled_len, fields.reassembled];
        carry_fragment(core, item, shown, "IPv4", bytes[9], payload)?;
    }
    Ok(total as usize)
}

/// Tells everybody who talks.
pub(super) fn note_addresses(core: &Core, source: Address, destination: Address, protocol: u8) {
    let packet = &mut *core.packet.borrow_mut();
    (packet.network_source, packet.network_destination) = (source, destination);
    (packet.source, packet.destination) = (source, destination);
    packet.ip_protocol = protocol.into();
}

fn show(core: &Core, tvb: Tvb, node: NodeId, bytes: &[u8; 20], header_len: u32) -> NodeId {
    let fields = &core.builtin().ip;
    let pen = &mut Pen::new(core, tvb);
    let address = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
    let item = pen.put(node, fields.item, 0, header_len, Value::Place);
    pen.label(item, format_args!("Internet Protocol Version 4, Src: {}, Dst: {}", address(12), address(16)));
    let version = pen.number(item, fields.version, 0, 1, bytes[0] >> 4);
    pen.label(version, format_args!("{:04b} .... = Version: {}", bytes[0] >> 4, bytes[0] >> 4));
    let len = pen.number(item, fields.header_len, 0, 1, header_len);
    pen.label(len, format_args!(".... {:04b} = Header Length: {header_len} bytes ({})", bytes[0] & 15, bytes[0] & 15));
    let services = pen.number(item, fields.services, 1, 1, bytes[1]);
    if pen.is_visible() {
        let short = services_in_short(bytes[1]);
        pen.label(services, format_args!("Differentiated Services Field: 0x{:02x} {short}", bytes[1]));
    }
    pen.number(services, fields.service, 1, 1, bytes[1] >> 2);
    pen.number(services, fields.congestion, 1, 1, bytes[1] & 3);
    pen.number(item, fields.len, 2, 2, u16_at(bytes, 2));
    pen.number(item, fields.id, 4, 2, u16_at(bytes, 4));
    let bits = bytes[6] >> 5;
    let flags = pen.number(item, fields.flags, 6, 1, bits);
    if pen.is_visible() {
        let mut label = format!("{bits:03b}. .... = Flags: 0x{bits:x}");
        for (bit, name) in [(4, ", Reserved bit"), (2, ", Don't fragment"), (1, ", More fragments")] {
            if bits & bit != 0 {
                label += name;
            }
        }
        pen.label(flags, format_args!("{label}"));
    }
    for (field, bit) in [(fields.reserved, 4), (fields.dont_fragment, 2), (fields.more_fragments, 1)] {
        pen.number(flags, field, 6, 1, u64::from(bits & bit != 0));
    }
    let offset = u16_at(bytes, 6) & 0x1fff;
    let fragment = pen.number(item, fields.fragment_offset, 6, 2, offset * 8);
    let shown = format!("{offset:013b}");
    pen.label(
        fragment,
        format_args!("...{} {} {} {} = Fragment Offset: {}", &shown[..1], &shown[1..5], &shown[5..9], &shown[9..], offset * 8),
    );
    pen.number(item, fields.ttl, 8, 1, bytes[8]);
    pen.number(item, fields.carried, 9, 1, bytes[9]);
    let checksum = pen.number(item, fields.checksum, 10, 2, u16_at(bytes, 10));
    pen.label(checksum, format_args!("Header Checksum: 0x{:04x} [validation disabled]", u16_at(bytes, 10)));
    let status = pen.number(item, fields.checksum_status, 10, 0, 2_u64);
    pen.label(status, format_args!("Header checksum status: Unverified"));
    pen.generated(status);
    for (at, field, host) in [(12, fields.source, fields.source_host), (16, fields.destination, fields.destination_host)] {
        let value = Value::Ipv4(bytes[at..at + 4].try_into().expect("four bytes"));
        let at = at as u32;
        pen.put(item, field, at, 4, value);
        let same = pen.put(item, fields.address, at, 4, value);
        pen.hidden(same);
        for field in [host, fields.host] {
            if pen.is_wanted(field) {
                let same = pen.text(item, field, at, 4, &address(at as usize).to_string());
                pen.hidden(same);
            }
        }
    }
    if header_len > 20 {
        let options = pen.put(item, fields.options, 20, header_len - 20, Value::Place);
        pen.label(options, format_args!("Options: ({} bytes)", header_len - 20));
    }
    item
}

/// Hands a whole packet's payload on.
pub(super) fn carry(core: &Core, protocol: u8, payload: Tvb) -> Result<(), Exception> {
    if core.try_uint("ip.proto", protocol.into(), payload, ROOT)? == 0 {
        call_data(core, payload)?;
    }
    Ok(())
}

/// A fragment: if it makes its packet whole, that is handed on, with the list of all fragments below `item`.
///
/// `shown`: the fields of the list, one fragment, their count, the packet's length, and the packet.
pub(super) fn carry_fragment(
    core: &Core,
    item: NodeId,
    shown: [FieldId; 5],
    version: &str,
    protocol: u8,
    payload: Tvb,
) -> Result<(), Exception> {
    let mut facts = core.state.facts.get();
    let whole = if std::mem::take(&mut facts.datagram) {
        core.state.facts.set(facts);
        let (bytes, fragments) = &*core.state.datagram.borrow();
        let whole = core.buffers.borrow_mut().add(&format!("Reassembled {version}"), bytes, bytes.len() as u32);
        if let Some(tvb) = whole {
            list_fragments(core, tvb, item, shown, version, fragments);
        }
        whole
    } else {
        None
    };
    match whole {
        Some(tvb) => carry(core, protocol, tvb),
        None => {
            core.packet.borrow_mut().fragmented = true;
            call_data(core, payload).map(drop)
        }
    }
}

fn list_fragments(core: &Core, tvb: Tvb, item: NodeId, shown: [FieldId; 5], version: &str, fragments: &[Fragment]) {
    let pen = &mut Pen::new(core, tvb);
    let [list, one, count, len, data] = shown;
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    let all = pen.put(item, list, 0, tvb.len, Value::None);
    if pen.is_visible() {
        let parts: Vec<_> = fragments.iter().map(|fragment| format!("#{}({})", fragment.frame, fragment.len)).collect();
        let number = fragments.len();
        let parts = parts.join(", ");
        pen.label(all, format_args!("{number} {version} Fragment{} ({} bytes): {parts}", plural(number as u64), tvb.len));
    }
    for fragment in fragments {
        let Fragment { frame, offset, len } = *fragment;
        let part = pen.put(all, one, offset, len, Value::Unsigned(frame.into()));
        let last = (offset + len).saturating_sub(1);
        pen.label(part, format_args!("Frame: {frame}, payload: {offset}-{last} ({len} byte{})", plural(len.into())));
    }
    pen.number(all, count, 0, 0, fragments.len() as u64);
    pen.number(all, len, 0, 0, tvb.len);
    pen.put(all, data, 0, tvb.len, Value::Place);
}
