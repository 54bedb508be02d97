//! IP packets, whole and in fragments.
//!
//! In: addresses and a payload. Out: packets with right lengths and checksums.
//! Left to others: the payload (`tcp`), the link layer (`link`). A test that wants a wrong packet edits the bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

const IPV4_HEADER_LEN: usize = 20;
const IPV6_HEADER_LEN: usize = 40;
const FRAGMENT_HEADER_LEN: usize = 8;
const TTL: u8 = 64;
const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;

/// An IPv6 extension header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// Hop-by-Hop Options (0) with these option bytes; `PadN` fills up the header.
    HopByHop(Vec<u8>),
    /// Destination Options (60) with these option bytes; `PadN` fills up the header.
    DestinationOptions(Vec<u8>),
    /// Routing (43) of the experimental type 253 with no segments left, which every node passes over.
    ///
    /// Source: RFC 4727 §3.4, RFC 8200 §4.4.
    Routing,
}

/// A packet of either version, without options or extension headers. Panics if the addresses are of two versions.
///
/// IPv4 has "don't fragment" set and identification 0 (an atomic datagram, RFC 6864 §4.1); the hop limit is 64.
pub fn ip(src: IpAddr, dst: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => ipv4_with_options(src, dst, protocol, &[], payload),
        (IpAddr::V6(src), IpAddr::V6(dst)) => ipv6_with_extension_headers(src, dst, &[], protocol, payload),
        _ => panic!("a packet from {src} to {dst} would be of two IP versions"),
    }
}

/// An IPv4 packet with `options`, at most 40 bytes, filled up to a multiple of 4 with End of Option List.
///
/// Source: RFC 791 §3.1.
pub fn ipv4_with_options(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let header_len = IPV4_HEADER_LEN + options.len().next_multiple_of(4);
    assert!(header_len <= 60, "{} bytes of IPv4 options", options.len());
    let mut packet = Vec::with_capacity(header_len + payload.len());
    packet.extend([0x40 | (header_len / 4) as u8, 0]);
    packet.extend(u16_len(header_len + payload.len()));
    packet.extend([0, 0]);
    packet.extend(DONT_FRAGMENT.to_be_bytes());
    packet.extend([TTL, protocol, 0, 0]);
    packet.extend(src.octets());
    packet.extend(dst.octets());
    packet.extend_from_slice(options);
    packet.resize(header_len, 0);
    set_ipv4_checksum(&mut packet);
    packet.extend_from_slice(payload);
    packet
}

/// An IPv6 packet with extension headers in the order given.
///
/// Source: RFC 8200 §3, §4.
pub fn ipv6_with_extension_headers(src: Ipv6Addr, dst: Ipv6Addr, extensions: &[Extension], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (index, extension) in extensions.iter().enumerate() {
        let next = extensions.get(index + 1).map_or(protocol, Extension::number);
        body.extend(extension.header(next));
    }
    let first = extensions.first().map_or(protocol, Extension::number);
    let mut packet = Vec::with_capacity(IPV6_HEADER_LEN + body.len() + payload.len());
    packet.extend([0x60, 0, 0, 0]);
    packet.extend(u16_len(body.len() + payload.len()));
    packet.extend([first, TTL]);
    packet.extend(src.octets());
    packet.extend(dst.octets());
    packet.extend(body);
    packet.extend_from_slice(payload);
    packet
}

impl Extension {
    fn number(&self) -> u8 {
        match self {
            Self::HopByHop(_) => HOP_BY_HOP,
            Self::DestinationOptions(_) => DESTINATION_OPTIONS,
            Self::Routing => ROUTING,
        }
    }

    /// The header's bytes: next header, length in units of 8 bytes beyond the first, content.
    fn header(&self, next: u8) -> Vec<u8> {
        let content = match self {
            Self::HopByHop(options) | Self::DestinationOptions(options) => padded_options(options),
            Self::Routing => vec![253, 0, 0, 0, 0, 0],
        };
        let units = (content.len() + 2) / 8 - 1;
        [&[next, units as u8], &content[..]].concat()
    }
}

/// Options and `PadN`, so that they fill 8-byte units together with the two bytes before them. RFC 8200 §4.2.
fn padded_options(options: &[u8]) -> Vec<u8> {
    let mut bytes = options.to_vec();
    let gap_len = (options.len() + 2).wrapping_neg() % 8;
    match gap_len {
        0 => {}
        1 => bytes.push(0),
        _ => {
            bytes.extend([1, gap_len as u8 - 2]);
            bytes.resize(options.len() + gap_len, 0);
        }
    }
    bytes
}

/// Splits an IPv4 packet into fragments of at most `mtu` bytes, header included.
///
/// The first fragment has all options, the others only those marked to be copied. A packet that fits comes back
/// as one fragment. Panics if `mtu` leaves no room for 8 bytes of payload.
/// Source: RFC 791 §3.2.
pub fn ipv4_fragments(packet: &[u8], mtu: usize, identification: u16) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(usize::from(packet[0] & 0x0F) * 4);
    let step_len = (mtu.saturating_sub(header.len())) / 8 * 8;
    assert!(step_len > 0, "no payload fits into fragments of {mtu} bytes");
    let later_header = [&header[..IPV4_HEADER_LEN], &copied_options(header)].concat();
    let mut fragments = Vec::new();
    for (index, piece) in payload.chunks(step_len).enumerate() {
        let offset_len = index * step_len;
        let mut fragment = if index == 0 { header.to_vec() } else { later_header.clone() };
        let more = if offset_len + piece.len() < payload.len() { MORE_FRAGMENTS } else { 0 };
        fragment[0] = 0x40 | (fragment.len() / 4) as u8;
        let total_len = u16_len(fragment.len() + piece.len());
        fragment[2..4].copy_from_slice(&total_len);
        fragment[4..6].copy_from_slice(&identification.to_be_bytes());
        fragment[6..8].copy_from_slice(&((offset_len / 8) as u16 | more).to_be_bytes());
        set_ipv4_checksum(&mut fragment);
        fragment.extend_from_slice(piece);
        fragments.push(fragment);
    }
    fragments
}

/// The options whose "copied" bit is set, filled up to a multiple of 4. RFC 791 §3.1.
fn copied_options(header: &[u8]) -> Vec<u8> {
    let mut rest = &header[IPV4_HEADER_LEN..];
    let mut copied = Vec::new();
    while let [kind, tail @ ..] = rest {
        let len = match (kind, tail) {
            (0, _) => break,
            (1, _) => 1,
            (_, [len, ..]) => usize::from(*len).clamp(2, rest.len()),
            (_, []) => break,
        };
        let (option, after) = rest.split_at(len);
        if kind & 0x80 != 0 {
            copied.extend_from_slice(option);
        }
        rest = after;
    }
    copied.resize(copied.len().next_multiple_of(4), 0);
    copied
}

/// Splits an IPv6 packet into fragments of at most `mtu` bytes, headers included.
///
/// A packet that fits comes back as one fragment with a Fragment header of its own (an atomic fragment, RFC 6946).
/// Panics if `mtu` leaves no room for 8 bytes of payload.
/// Source: RFC 8200 §4.5.
pub fn ipv6_fragments(packet: &[u8], mtu: usize, identification: u32) -> Vec<Vec<u8>> {
    let (unfragmentable_len, next_header_at) = unfragmentable(packet);
    let (before, payload) = packet.split_at(unfragmentable_len);
    let step_len = mtu.saturating_sub(before.len() + FRAGMENT_HEADER_LEN) / 8 * 8;
    assert!(step_len > 0, "no payload fits into fragments of {mtu} bytes");
    let mut fragments = Vec::new();
    for (index, piece) in payload.chunks(step_len).enumerate() {
        let offset_len = index * step_len;
        let more = u16::from(offset_len + piece.len() < payload.len());
        let mut fragment = before.to_vec();
        let protocol = std::mem::replace(&mut fragment[next_header_at], FRAGMENT);
        fragment.extend([protocol, 0]);
        fragment.extend((offset_len as u16 | more).to_be_bytes());
        fragment.extend(identification.to_be_bytes());
        fragment.extend_from_slice(piece);
        let payload_len = u16_len(fragment.len() - IPV6_HEADER_LEN);
        fragment[4..6].copy_from_slice(&payload_len);
        fragments.push(fragment);
    }
    fragments
}

/// Length of the part that every fragment repeats (up to the last header that routers read), and where that part
/// names the header after it.
fn unfragmentable(packet: &[u8]) -> (usize, usize) {
    let mut found = (IPV6_HEADER_LEN, 6);
    let mut at = IPV6_HEADER_LEN;
    let mut number = packet[6];
    while let HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS = number {
        let end = at + (usize::from(packet[at + 1]) + 1) * 8;
        if number != DESTINATION_OPTIONS {
            found = (end, at);
        }
        number = packet[at];
        at = end;
    }
    found
}

/// The internet checksum of `bytes`: 0 if they contain a right checksum.
///
/// Source: RFC 1071 §1.
pub fn checksum(bytes: &[u8]) -> u16 {
    finish(sum(bytes))
}

/// The checksum of a TCP or UDP segment, its pseudo-header included. Panics if the addresses are of two versions.
///
/// Source: RFC 9293 §3.1, RFC 8200 §8.1.
pub fn transport_checksum(src: IpAddr, dst: IpAddr, protocol: u8, segment: &[u8]) -> u16 {
    let addresses = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        (IpAddr::V6(src), IpAddr::V6(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        _ => panic!("a segment from {src} to {dst} would be of two IP versions"),
    };
    let len = (segment.len() as u32).to_be_bytes();
    finish(addresses + sum(&len) + sum(&[0, protocol]) + sum(segment))
}

/// Sums 4 bytes at a time in the machine's own order, which compilers turn into wide additions;
/// the order is put right at the end (RFC 1071 §2 (B)).
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let total: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    total + u64::from(u32::from_ne_bytes(last))
}

fn finish(mut sum: u64) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16).to_be()
}

fn set_ipv4_checksum(header: &mut [u8]) {
    header[10..12].fill(0);
    let checksum = checksum(header);
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
}

/// A length field. Panics if the packet is too large for IP.
fn u16_len(len: usize) -> [u8; 2] {
    assert!(len <= 0xFFFF, "{len} bytes do not fit into an IP packet");
    (len as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const B4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
    const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1);
    const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 2);

    fn check(bytes: &[u8], expected: u16) {
        assert_eq!(checksum(bytes), expected, "{bytes:02x?}");
    }

    /// 100 bytes, no two equal.
    fn payload() -> Vec<u8> {
        (0..100).collect()
    }

    #[test]
    fn checksums() {
        // The example of RFC 1071 §3, whose sum is ddf2.
        check(&[0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7], !0xDDF2);
        check(&[0x12, 0x34, 0x56], !(0x1234 + 0x5600));
        check(&[], 0xFFFF);
        check(&ip(A4.into(), B4.into(), 6, &[])[..20], 0);
        check(&ipv4_with_options(A4, B4, 6, &[7, 7, 4, 0, 0, 0, 0], &[1])[..28], 0);
    }

    #[test]
    fn ipv4_header_fields() {
        let packet = ipv4_with_options(A4, B4, 17, &[1, 1, 1], b"pay");
        assert_eq!(packet[..10], [0x46, 0, 0, 27, 0, 0, 0x40, 0, 64, 17]);
        assert_eq!(packet[12..], [192, 0, 2, 1, 192, 0, 2, 2, 1, 1, 1, 0, b'p', b'a', b'y']);
    }

    #[test]
    fn ipv6_header_fields() {
        let packet = ip(A6.into(), B6.into(), 6, b"pay");
        assert_eq!(packet[..8], [0x60, 0, 0, 0, 0, 3, 6, 64]);
        assert_eq!(packet[40..], *b"pay");
    }

    #[test]
    fn extension_headers_are_chained_and_padded() {
        let extensions = [
            Extension::HopByHop(vec![]),
            Extension::Routing,
            Extension::DestinationOptions(vec![0x1E, 3, 1, 2, 3]),
            Extension::DestinationOptions(vec![0x1E, 5, 1, 2, 3, 4, 5]),
        ];
        let packet = ipv6_with_extension_headers(A6, B6, &extensions, 6, b"pay");
        assert_eq!(packet[4..8], [0, 43, 0, 64]);
        let expected = [
            [43, 0, 1, 4, 0, 0, 0, 0],
            [60, 0, 253, 0, 0, 0, 0, 0],
            [60, 0, 0x1E, 3, 1, 2, 3, 0],
            [6, 1, 0x1E, 5, 1, 2, 3, 4],
            [5, 1, 5, 0, 0, 0, 0, 0],
        ];
        assert_eq!(packet[40..], [expected.as_flattened(), b"pay"].concat());
    }

    #[test]
    fn ipv4_fragments_cover_the_payload() {
        let options = [7, 3, 4, 0x94, 4, 0, 0];
        let whole = ipv4_with_options(A4, B4, 6, &options, &payload());
        let fragments = ipv4_fragments(&whole, 70, 0xBEEF);
        let seen: Vec<_> = fragments
            .iter()
            .map(|fragment| {
                let header_len = usize::from(fragment[0] & 15) * 4;
                check(&fragment[..header_len], 0);
                assert_eq!(fragment[4..6], [0xBE, 0xEF]);
                assert_eq!(usize::from(fragment[3]), fragment.len());
                (header_len, fragment[6], fragment[7], fragment.len() - header_len)
            })
            .collect();
        assert_eq!(seen, [(28, 0x20, 0, 40), (24, 0x20, 5, 40), (24, 0, 10, 20)]);
        assert_eq!(fragments[1][20..24], [0x94, 4, 0, 0]);
        let payloads = fragments.iter().zip(&seen).map(|(fragment, seen)| &fragment[seen.0..]);
        assert_eq!(payloads.collect::<Vec<_>>().concat(), payload());
    }

    #[test]
    fn ipv6_fragments_cover_the_payload() {
        let extensions = [Extension::HopByHop(vec![]), Extension::DestinationOptions(vec![])];
        let whole = ipv6_with_extension_headers(A6, B6, &extensions, 6, &payload());
        let fragments = ipv6_fragments(&whole, 100, 0x0102_0304);
        let seen: Vec<_> = fragments
            .iter()
            .map(|fragment| {
                assert_eq!(usize::from(fragment[5]), fragment.len() - 40);
                assert_eq!((fragment[6], fragment[40]), (HOP_BY_HOP, FRAGMENT));
                assert_eq!((fragment[48], &fragment[52..56]), (DESTINATION_OPTIONS, &[1, 2, 3, 4][..]));
                (fragment[50], fragment[51])
            })
            .collect();
        assert_eq!(seen, [(0, 1), (0, 41), (0, 80)]);
        let payloads = fragments.iter().map(|fragment| &fragment[56..]);
        assert_eq!(payloads.collect::<Vec<_>>().concat(), whole[48..]);
    }

    #[test]
    fn a_packet_that_fits_is_one_fragment() {
        let v4 = ip(A4.into(), B4.into(), 6, &payload());
        assert_eq!(ipv4_fragments(&v4, 1500, 1)[0][6..8], [0, 0]);
        let v6 = ip(A6.into(), B6.into(), 6, &payload());
        assert_eq!(ipv6_fragments(&v6, 1500, 1)[0].len(), v6.len() + 8);
    }
}
