//! Packets: frames in, TCP segments out.
//!
//! Link layer, IPv4 and IPv6 with their fragments, TCP header. Connections are left to
//! [`connection`](crate::connection). The common packet (IPv4 without options or fragments) is read
//! directly; everything else in IP goes through `etherparse`, which a test holds against the direct way.
//!
//! ```
//! use pcap_tools::{capture::Reader, craft, packet::{Decoder, Packet}};
//!
//! let mut talk = craft::Conversation::new("127.0.0.1:55433".parse()?, "127.0.0.1:5031".parse()?);
//! talk.handshake().client(b"GET / HTTP/1.1\r\n\r\n");
//! let mut reader = Reader::new(std::io::Cursor::new(craft::capture(&talk.packets())))?;
//! let mut decoder = Decoder::default();
//! let mut payloads = Vec::new();
//! while let Some(frame) = reader.next_frame()? {
//!     if let Packet::Tcp(segment) = decoder.decode(&frame) {
//!         payloads.push(segment.payload.len());
//!     }
//! }
//! assert_eq!(payloads, [0, 0, 0, 18]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod fragment;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use etherparse::{LaxIpSlice, ip_number};

use crate::capture::{Content, Frame, LinkType};
use crate::time::Mark;
use fragment::{Fragment, Fragments};

/// TCP header flags (RFC 9293 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flags(pub u8);

impl Flags {
    const FIN: u8 = 1;
    const SYN: u8 = 2;
    const RST: u8 = 4;
    const ACK: u8 = 16;

    /// No more data from the sender.
    pub fn fin(self) -> bool {
        self.0 & Self::FIN != 0
    }

    /// Synchronize sequence numbers.
    pub fn syn(self) -> bool {
        self.0 & Self::SYN != 0
    }

    /// Reset the connection.
    pub fn rst(self) -> bool {
        self.0 & Self::RST != 0
    }

    /// The acknowledgment field is significant.
    pub fn ack(self) -> bool {
        self.0 & Self::ACK != 0
    }
}

/// A TCP sequence number: arithmetic wraps (RFC 9293 §3.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// Signed distance from `other` to `self`, in bytes.
    pub fn distance(self, other: SeqNumber) -> i64 {
        i64::from(self.0.wrapping_sub(other.0) as i32)
    }

    /// The number `count` bytes further on.
    pub fn plus(self, count: u32) -> SeqNumber {
        SeqNumber(self.0.wrapping_add(count))
    }
}

/// One end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
pub struct Endpoint {
    /// IP address.
    pub ip: IpAddr,
    /// TCP port.
    pub port: u16,
}

/// `ip:port`, IPv6 in brackets.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::net::SocketAddr::new(self.ip, self.port).fmt(f)
    }
}

/// A TCP segment (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The frame that brought it; of a fragmented packet, the last one.
    pub mark: Mark,
    /// Length of that frame on the wire, in bytes.
    pub frame_len: u32,
    /// Sender.
    pub source: Endpoint,
    /// Receiver.
    pub destination: Endpoint,
    /// Sequence number of the first byte (or of the SYN).
    pub seq: SeqNumber,
    /// Acknowledgment number; meaningless without the ACK flag.
    pub ack: SeqNumber,
    /// Flags.
    pub flags: Flags,
    /// Window field, unscaled.
    pub window: u16,
    /// The whole segment as captured: its header with options, then the payload.
    pub bytes: &'a [u8],
    /// Payload that was captured.
    pub payload: &'a [u8],
    /// Payload on the wire, in bytes: more than `payload` where the snap length cut the frame.
    pub payload_len: u32,
}

impl<'a> Segment<'a> {
    /// The header as far as it was captured, options included; at least 20 bytes.
    pub fn header(&self) -> &'a [u8] {
        &self.bytes[..self.bytes.len() - self.payload.len()]
    }
}

/// What a frame held that is no TCP segment; ordered for counting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Other {
    /// UDP.
    Udp,
    /// ICMP for IPv4.
    Icmp,
    /// ICMP for IPv6.
    Icmpv6,
    /// Address resolution.
    Arp,
    /// Another protocol above IP, by number.
    Ip(u8),
    /// Another protocol above the link layer, by EtherType.
    EtherType(u16),
    /// A fragment of a packet that is not whole yet.
    Fragment,
    /// Cut or malformed below TCP's payload.
    Unreadable,
    /// A link type that is not decoded.
    LinkType(LinkType),
    /// A numbered record that holds no packet, by block type.
    Record(u32),
    /// A packet of an interface that the capture does not describe.
    UnknownInterface,
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp => f.write_str("UDP"),
            Self::Icmp => f.write_str("ICMP"),
            Self::Icmpv6 => f.write_str("ICMPv6"),
            Self::Arp => f.write_str("ARP"),
            Self::Ip(number) => match etherparse::IpNumber(*number).keyword_str() {
                Some(name) => write!(f, "IP protocol {number} ({name})"),
                None => write!(f, "IP protocol {number}"),
            },
            Self::EtherType(number) if *number < 0x600 => f.write_str("IEEE 802.3 (LLC)"),
            Self::EtherType(number) => write!(f, "EtherType {number:#06x}"),
            Self::Fragment => f.write_str("IP fragments"),
            Self::Unreadable => f.write_str("cut or malformed"),
            Self::LinkType(link_type) => write!(f, "link type {link_type}"),
            Self::Record(0x0bad | 0x4000_0bad) => f.write_str("custom blocks"),
            Self::Record(9) => f.write_str("systemd journal entries"),
            Self::Record(number) => write!(f, "records of block type {number:#x}"),
            Self::UnknownInterface => f.write_str("packets of an undescribed interface"),
        }
    }
}

/// What a frame held.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// Something else.
    Other(Other),
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// Reads frames; keeps the fragments of packets that are not whole yet.
#[derive(Default, Debug)]
pub struct Decoder {
    fragments: Fragments,
}

impl Decoder {
    /// What `frame` holds; a packet whose last fragment it brings counts as held.
    ///
    /// Errors: none; what cannot be read is an [`Other`].
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Packet<'a> {
        match self.try_decode(frame) {
            Ok(segment) => Packet::Tcp(segment),
            Err(other) => Packet::Other(other),
        }
    }

    /// What IP carries, if it is a packet that this frame, which was the last, made whole, and its fragments in order.
    pub(crate) fn datagram(&self, frame: u64) -> Option<(&[u8], &[fragment::Part])> {
        self.fragments.whole_in(frame)
    }

    /// Packets whose fragments never became whole, since the last call.
    pub fn take_lost_fragments(&mut self) -> Vec<Mark> {
        self.fragments.take_lost()
    }

    /// At the end of the capture: no further fragment will come.
    pub fn finish(&mut self) {
        self.fragments.give_up();
    }

    fn try_decode<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Segment<'a>, Other> {
        let link_type = match frame.content {
            Content::Packet(link_type) => link_type,
            Content::Record(block_type) => return Err(Other::Record(block_type)),
            Content::UnknownInterface => return Err(Other::UnknownInterface),
        };
        let ip = ip_packet(link_type, frame.data)?;
        let beyond = (frame.original_len as usize).saturating_sub(frame.data.len());
        let lower = Lower { mark: Mark { frame: frame.number, time: frame.time }, frame_len: frame.original_len };
        match plain_ipv4(ip, beyond) {
            Some(packet) => lower.segment(packet),
            None => self.any_ip(lower, ip, beyond),
        }
    }

    /// Everything in IP that is not plain: options, extension headers, fragments, IPv6.
    fn any_ip<'a>(&'a mut self, lower: Lower, bytes: &'a [u8], beyond: usize) -> Result<Segment<'a>, Other> {
        let (packet, fragment) = any_ip(bytes, beyond)?;
        let Some(fragment) = fragment else { return lower.segment(packet) };
        if packet.payload.len() < packet.payload_len {
            return Err(Other::Unreadable);
        }
        match self.fragments.add(fragment, packet, lower.mark) {
            Some(whole) => lower.segment(whole),
            None => Err(Other::Fragment),
        }
    }
}

/// What the layers below IP say.
#[derive(Clone, Copy)]
struct Lower {
    mark: Mark,
    frame_len: u32,
}

/// What IP says of its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct IpPacket<'a> {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    payload: &'a [u8],
    /// On the wire, in bytes.
    payload_len: usize,
}

impl Lower {
    /// The TCP segment in an IP packet.
    fn segment<'a>(self, ip: IpPacket<'a>) -> Result<Segment<'a>, Other> {
        match ip.protocol {
            6 => {}
            17 => return Err(Other::Udp),
            1 => return Err(Other::Icmp),
            58 => return Err(Other::Icmpv6),
            other => return Err(Other::Ip(other)),
        }
        let Some(header) = ip.payload.first_chunk::<20>() else {
            return Err(Other::Unreadable);
        };
        let header_len = usize::from(header[12] >> 4) * 4;
        if header_len < header.len() {
            return Err(Other::Unreadable);
        }
        let u16_at = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let u32_at = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        Ok(Segment {
            mark: self.mark,
            frame_len: self.frame_len,
            source: Endpoint { ip: ip.source, port: u16_at(0) },
            destination: Endpoint { ip: ip.destination, port: u16_at(2) },
            seq: SeqNumber(u32_at(4)),
            ack: SeqNumber(u32_at(8)),
            flags: Flags(header[13]),
            window: u16_at(14),
            bytes: ip.payload,
            payload: ip.payload.get(header_len..).unwrap_or_default(),
            payload_len: ip.payload_len.saturating_sub(header_len) as u32,
        })
    }
}

/// IPv4 without options and fragments, whose length is plausible (RFC 791 §3.1); `None` for anything else.
///
/// `beyond`: how many bytes of the packet the capture did not keep.
fn plain_ipv4(bytes: &[u8], beyond: usize) -> Option<IpPacket<'_>> {
    const LEN: usize = 20;
    let header = bytes.first_chunk::<LEN>()?;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff;
    if header[0] != 0x45 || fragment != 0 || header[9] == ip_number::AUTH.0 || total < LEN || total > bytes.len() + beyond {
        return None;
    }
    let address = |at: usize| IpAddr::V4(Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]));
    Some(IpPacket {
        source: address(12),
        destination: address(16),
        protocol: header[9],
        payload: &bytes[LEN..total.min(bytes.len())],
        payload_len: total - LEN,
    })
}

/// Any IP packet, and its place if it is a fragment.
///
/// `beyond`: how many bytes of the packet the capture did not keep.
fn any_ip(bytes: &[u8], beyond: usize) -> Result<(IpPacket<'_>, Option<Fragment>), Other> {
    let (ip, _) = LaxIpSlice::from_slice(bytes).map_err(|_| Other::Unreadable)?;
    let payload = ip.payload();
    let header_len = payload.payload.as_ptr() as usize - bytes.as_ptr() as usize;
    let claimed = match &ip {
        LaxIpSlice::Ipv4(ip) => usize::from(ip.header().total_len()),
        LaxIpSlice::Ipv6(ip) => match usize::from(ip.header().payload_length()) {
            0 => 0,
            len => len + etherparse::Ipv6Header::LEN,
        },
    };
    // 0 is what segmentation offload leaves; etherparse has taken the whole slice then.
    let total = if claimed == 0 { bytes.len() + beyond } else { claimed.min(bytes.len() + beyond) };
    let packet = IpPacket {
        source: ip.source_addr(),
        destination: ip.destination_addr(),
        protocol: payload.ip_number.0,
        payload: payload.payload,
        payload_len: total.saturating_sub(header_len).max(payload.payload.len()),
    };
    let fragment = if payload.fragmented { Some(Fragment::of(&ip).ok_or(Other::Unreadable)?) } else { None };
    Ok((packet, fragment))
}

/// The IP packet in a frame: the rest of it behind the link layer. Every frame passes here.
#[inline(always)]
pub(crate) fn ip_packet(link_type: LinkType, data: &[u8]) -> Result<&[u8], Other> {
    match link_type {
        LinkType::ETHERNET => ether_type(data, 12),
        LinkType::NULL | LinkType::LOOP => family(data),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 | LinkType(12 | 14) => Ok(data),
        LinkType::LINUX_SLL => ether_type(data, 14),
        LinkType::LINUX_SLL2 => match data.first_chunk() {
            Some(&[high, low]) => tagged(u16::from_be_bytes([high, low]), data.get(20..).unwrap_or_default()),
            None => Err(Other::Unreadable),
        },
        other => Err(Other::LinkType(other)),
    }
}

/// An EtherType at `at`, and what follows it.
fn ether_type(data: &[u8], at: usize) -> Result<&[u8], Other> {
    match data.get(at..) {
        Some([high, low, rest @ ..]) => tagged(u16::from_be_bytes([*high, *low]), rest),
        _ => Err(Other::Unreadable),
    }
}

/// Steps over VLAN tags (IEEE 802.1Q, 802.1ad and its predecessors).
fn tagged(mut ether_type: u16, mut rest: &[u8]) -> Result<&[u8], Other> {
    loop {
        match (ether_type, rest) {
            (ETHERTYPE_IPV4 | ETHERTYPE_IPV6, rest) => return Ok(rest),
            (0x8100 | 0x88a8 | 0x9100 | 0x9200, [_, _, high, low, inner @ ..]) => {
                ether_type = u16::from_be_bytes([*high, *low]);
                rest = inner;
            }
            (ETHERTYPE_ARP, _) => return Err(Other::Arp),
            (other, _) => return Err(Other::EtherType(other)),
        }
    }
}

/// BSD loopback: an address family in either byte order, since captures travel between hosts.
///
/// IPv6 is 10 on Linux, 23 on Windows, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
fn family(data: &[u8]) -> Result<&[u8], Other> {
    let Some((family, rest)) = data.split_first_chunk::<4>() else {
        return Err(Other::Unreadable);
    };
    let little = u32::from_le_bytes(*family);
    match if little > 0xffff { little.swap_bytes() } else { little } {
        2 | 10 | 23 | 24 | 28 | 30 => Ok(rest),
        other => Err(Other::EtherType(other as u16)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{self, Random};

    /// What is read directly is what etherparse reads.
    fn check(bytes: &[u8], beyond: usize) {
        if let Some(plain) = plain_ipv4(bytes, beyond) {
            let (any, fragment) = any_ip(bytes, beyond).expect("etherparse reads it too");
            assert_eq!((plain, fragment.is_none()), (any, true), "{bytes:02x?} and {beyond} bytes beyond");
        }
    }

    #[test]
    fn the_direct_way_agrees_with_etherparse() {
        let mut random = Random::new(791);
        let mut plain = 0;
        for _ in 0..20_000 {
            let payload = vec![7; random.below(60)];
            let protocol = [6, 6, 6, 17, 1, 51, 4][random.below(7)];
            let mut packet = craft::ip("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap(), protocol, &payload);
            packet.resize(packet.len() + random.below(8), 0); // what Ethernet pads short frames with
            let captured = random.below(packet.len() + 1);
            let beyond = if random.below(2) == 0 { packet.len() - captured } else { 0 };
            packet.truncate(captured);
            for _ in 0..random.below(3) {
                if let Some(byte) = packet.get_mut(random.below(24)) {
                    *byte = random.number() as u8;
                }
            }
            plain += u32::from(plain_ipv4(&packet, beyond).is_some());
            check(&packet, beyond);
        }
        assert!(plain > 2_000, "{plain} packets were plain");
    }
}
