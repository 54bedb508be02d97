//! What is known of one frame: its record, its headers, its place in its connection, the messages that it completed.
//!
//! Fields that are pieces of headers are read here; messages and TLS records by `spoken` and `record`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{Ipv6ExtensionSlice, LaxIpSlice};

use super::analysis::Derived;
use super::evaluate;
use super::field::{Field, Layer, Network, Record, SackEdge, Segment, Source, TcpOption};
use super::record::TlsRecord;
use super::screen::Clock;
use super::spoken::Spoken;
use super::value::{Type, Value};
use crate::capture::{Content, LinkType};
use crate::packet::{self, Other};
use crate::time::Time;

/// Bytes of Ethernet before the EtherType.
const ADDRESSES_LEN: usize = 12;

/// What is known of a frame.
pub(crate) struct Facts<'a> {
    pub number: u64,
    pub time: Time,
    pub original_len: u32,
    pub data: &'a [u8],
    pub link_type: Option<LinkType>,
    pub clock: Clock,
    /// Why it is no TCP segment.
    pub other: Option<Other>,
    pub segment: Option<Tcp<'a>>,
    pub messages: &'a [Spoken],
    pub records: &'a [TlsRecord],
    link: &'a [u8],
    ip: &'a [u8],
}

impl evaluate::Facts<&'static Field> for Facts<'_> {
    fn each(&self, field: &'static Field, visit: &mut dyn FnMut(Value<'_>)) {
        self.each(field, visit);
    }
}

/// What is known of a TCP segment.
#[derive(Clone, Copy)]
pub(crate) struct Tcp<'a> {
    /// As far as it was captured, header first.
    pub bytes: &'a [u8],
    pub payload: &'a [u8],
    /// On the wire.
    pub payload_len: u32,
    pub derived: Derived,
}

/// What a frame's record says.
#[derive(Clone, Copy)]
pub(crate) struct Envelope<'a> {
    pub number: u64,
    pub time: Time,
    pub original_len: u32,
    pub data: &'a [u8],
    pub content: Content,
    pub clock: Clock,
}

impl<'a> Facts<'a> {
    pub fn new(
        envelope: Envelope<'a>,
        other: Option<Other>,
        segment: Option<Tcp<'a>>,
        messages: &'a [Spoken],
        records: &'a [TlsRecord],
    ) -> Self {
        let Envelope { number, time, original_len, data, content, clock } = envelope;
        let link_type = match content {
            Content::Packet(link_type) => Some(link_type),
            Content::Record(_) | Content::UnknownInterface => None,
        };
        let ip = link_type.and_then(|link_type| packet::ip_packet(link_type, data).ok());
        let link = match ip {
            Some(ip) => &data[..data.len() - ip.len()],
            None => data,
        };
        Self { number, time, original_len, data, link_type, clock, other, segment, messages, records, link, ip: ip.unwrap_or_default() }
    }

    /// Shows every value of a field.
    fn each(&self, field: &Field, visit: &mut dyn FnMut(Value<'_>)) {
        match field.source {
            Source::Bits(layer, places, len, mask) => {
                let Some(bytes) = self.layer(layer) else { return };
                for &at in places {
                    if let Some(bytes) = bytes.get(usize::from(at)..usize::from(at + len)) {
                        let value = bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
                        visit(Value::Number(i128::from((value & mask) >> mask.trailing_zeros())));
                    }
                }
            }
            Source::Piece(layer, places, len) => {
                let Some(bytes) = self.layer(layer) else { return };
                for &at in places {
                    if let Some(bytes) = bytes.get(usize::from(at)..usize::from(at + len)) {
                        visit(piece(field.kind, bytes));
                    }
                }
            }
            Source::Layer(layer) => {
                if let Some(bytes) = self.layer(layer) {
                    visit(Value::Bytes(bytes));
                }
            }
            Source::Record(Record::Protocols) => visit(Value::Bytes(self.protocols().as_bytes())),
            Source::Record(record) => {
                if let Some(value) = self.record(record) {
                    visit(value);
                }
            }
            Source::Network(network) => self.network(network, visit),
            Source::Segment(segment) => {
                if let Some(tcp) = &self.segment {
                    tcp.segment(segment, self.time, visit);
                }
            }
            Source::Option(option) => {
                if let Some(tcp) = &self.segment {
                    tcp.option(option, visit);
                }
            }
            Source::Analysis(analysis) => {
                if let Some(value) = self.segment.as_ref().and_then(|tcp| tcp.derived.analysis(analysis)) {
                    visit(value);
                }
            }
            Source::Http(said) => self.messages.iter().filter(|spoken| spoken.is_http()).for_each(|spoken| spoken.each(said, visit)),
            Source::Htcpcp(said) => self.messages.iter().filter(|spoken| !spoken.is_http()).for_each(|spoken| spoken.each(said, visit)),
            Source::Tls(tls) => self.records.iter().for_each(|record| record.each(tls, visit)),
        }
    }

    /// The bytes of a layer from its header on, if the frame has it.
    fn layer(&self, layer: Layer) -> Option<&'a [u8]> {
        match layer {
            Layer::Eth => (self.link_type == Some(LinkType::ETHERNET)).then_some(self.data),
            Layer::Null => matches!(self.link_type, Some(LinkType::NULL | LinkType::LOOP)).then_some(self.data),
            Layer::Vlan => {
                let tagged = self.link_type == Some(LinkType::ETHERNET)
                    && matches!(self.link.get(ADDRESSES_LEN..ADDRESSES_LEN + 2), Some([0x81, 0] | [0x88, 0xa8] | [0x91 | 0x92, 0]));
                if tagged { self.data.get(ADDRESSES_LEN + 2..) } else { None }
            }
            Layer::Ip => (self.ip.len() >= 20 && self.ip[0] >> 4 == 4).then_some(self.ip),
            Layer::Ipv6 => (self.ip.len() >= 40 && self.ip[0] >> 4 == 6).then_some(self.ip),
            Layer::Udp => {
                let header_len = self.layer(Layer::Ip).map_or(40, |ip| usize::from(ip[0] & 15) * 4);
                (self.other == Some(Other::Udp)).then(|| self.ip.get(header_len..)).flatten()
            }
            Layer::Tcp => self.segment.map(|tcp| tcp.bytes),
        }
    }

    fn record(&self, record: Record) -> Option<Value<'a>> {
        let nanos = |nanos: Option<i64>| nanos.map(|nanos| Value::Number(i128::from(nanos)));
        match record {
            Record::Whole => Some(Value::Bytes(self.data)),
            Record::Number => Some(Value::Number(i128::from(self.number))),
            Record::Len => Some(Value::Number(i128::from(self.original_len))),
            Record::CapLen => Some(Value::Number(self.data.len() as i128)),
            Record::Protocols => None,
            Record::Time | Record::TimeEpoch => nanos(self.time.nanos()),
            Record::TimeRelative => nanos(self.time.since(self.clock.first)),
            Record::TimeDelta => nanos(self.time.since(self.clock.previous)),
            Record::TimeDeltaDisplayed => nanos(self.time.since(self.clock.displayed.unwrap_or(self.time))),
        }
    }

    /// The names of the protocols, outermost first; what the body of a message is, is not told.
    fn protocols(&self) -> String {
        let tags = if self.layer(Layer::Vlan).is_some() { self.link.len().saturating_sub(ADDRESSES_LEN + 2) / 4 } else { 0 };
        let mut names = match self.link_type {
            Some(LinkType::ETHERNET) => vec!["eth", "ethertype"],
            Some(LinkType::NULL | LinkType::LOOP) => vec!["null"],
            Some(LinkType::LINUX_SLL | LinkType::LINUX_SLL2) => vec!["sll", "ethertype"],
            Some(_) => vec!["raw"],
            None => Vec::new(),
        };
        (0..tags).for_each(|_| names.extend(["vlan", "ethertype"]));
        names.extend(self.layer(Layer::Ip).map(|_| "ip"));
        names.extend(self.layer(Layer::Ipv6).map(|_| "ipv6"));
        names.extend(self.segment.as_ref().map(|_| "tcp"));
        names.extend(match self.other {
            Some(Other::Udp) => Some("udp"),
            Some(Other::Icmp) => Some("icmp"),
            Some(Other::Icmpv6) => Some("icmpv6"),
            Some(Other::Arp) => Some("arp"),
            _ => None,
        });
        names.extend(self.messages.iter().map(|spoken| if spoken.is_http() { "http" } else { "htcpcp" }));
        names.extend((!self.records.is_empty()).then_some("tls"));
        names.join(":")
    }

    fn network(&self, network: Network, visit: &mut dyn FnMut(Value<'_>)) {
        let is = |other: Other| self.other == Some(other);
        let ip = self.layer(Layer::Ip);
        let ipv6 = self.layer(Layer::Ipv6);
        match network {
            Network::EthType | Network::EthLen => {
                let place = self.layer(Layer::Eth).and_then(|eth| eth.get(ADDRESSES_LEN..ADDRESSES_LEN + 2));
                let Some(&[high, low]) = place else { return };
                let number = u16::from_be_bytes([high, low]);
                // Below it is a length (IEEE 802.3 §3.2.6).
                if (number >= 0x600) == (network == Network::EthType) {
                    visit(Value::Number(i128::from(number)));
                }
            }
            Network::NullFamily => {
                if let Some(family) = self.layer(Layer::Null).and_then(|null| null.first_chunk()) {
                    let little = u32::from_le_bytes(*family);
                    visit(Value::Number(i128::from(if little > 0xffff { little.swap_bytes() } else { little })));
                }
            }
            Network::IpHeaderLen => ip.into_iter().for_each(|ip| visit(Value::Number(i128::from(ip[0] & 15) * 4))),
            Network::FragmentOffset => {
                ip.into_iter().for_each(|ip| visit(Value::Number(i128::from(u16::from_be_bytes([ip[6], ip[7]]) & 0x1fff) * 8)));
            }
            Network::IpSource => ip.into_iter().for_each(|ip| host(ip, 12, 4, visit)),
            Network::IpDestination => ip.into_iter().for_each(|ip| host(ip, 16, 4, visit)),
            Network::IpEither => ip.into_iter().for_each(|ip| [12, 16].into_iter().for_each(|at| host(ip, at, 4, visit))),
            Network::Ipv6Source => ipv6.into_iter().for_each(|ip| host(ip, 8, 16, visit)),
            Network::Ipv6Destination => ipv6.into_iter().for_each(|ip| host(ip, 24, 16, visit)),
            Network::Ipv6Either => ipv6.into_iter().for_each(|ip| [8, 24].into_iter().for_each(|at| host(ip, at, 16, visit))),
            Network::Ipv6Extension(number) => each_extension(ipv6, |kind, _| {
                if kind == number {
                    visit(Value::Present);
                }
            }),
            Network::Ipv6FragmentOffset => each_fragment(ipv6, |offset, _, _| visit(Value::Number(i128::from(offset)))),
            Network::Ipv6FragmentMore => each_fragment(ipv6, |_, more, _| visit(Value::Number(i128::from(more)))),
            Network::Ipv6FragmentId => each_fragment(ipv6, |_, _, id| visit(Value::Number(i128::from(id)))),
            Network::Arp if is(Other::Arp) => visit(Value::Present),
            Network::Icmp if is(Other::Icmp) => visit(Value::Present),
            Network::Icmpv6 if is(Other::Icmpv6) => visit(Value::Present),
            Network::Arp | Network::Icmp | Network::Icmpv6 => {}
            Network::UdpPayload => {
                if let Some(payload) = self.layer(Layer::Udp).and_then(|udp| udp.get(8..)).filter(|payload| !payload.is_empty()) {
                    visit(Value::Bytes(payload));
                }
            }
        }
    }

    /// Sender and receiver as a packet list shows them: by IP, or else by Ethernet.
    pub fn ends(&self) -> Option<[String; 2]> {
        if let Some(ip) = self.layer(Layer::Ip) {
            let address = |at: usize| address(&ip[at..at + 4]).map(|address| address.to_string());
            return Some([address(12)?, address(16)?]);
        }
        if let Some(ip) = self.layer(Layer::Ipv6) {
            let address = |at: usize| address(&ip[at..at + 16]).map(|address| address.to_string());
            return Some([address(8)?, address(24)?]);
        }
        let eth = self.layer(Layer::Eth)?;
        let ether = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
        Some([ether(eth.get(6..12)?), ether(eth.get(..6)?)])
    }
}

fn piece(kind: Type, bytes: &[u8]) -> Value<'_> {
    match address(bytes) {
        Some(IpAddr::V4(address)) if kind == Type::Ipv4 => Value::Ipv4(address),
        Some(IpAddr::V6(address)) if kind == Type::Ipv6 => Value::Ipv6(address),
        _ => Value::Bytes(bytes),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk().map(|bytes: &[u8; 4]| Ipv4Addr::from(*bytes).into()),
        16 => bytes.first_chunk().map(|bytes: &[u8; 16]| Ipv6Addr::from(*bytes).into()),
        _ => None,
    }
}

/// An address as text: names are not looked up.
fn host(ip: &[u8], at: usize, len: usize, visit: &mut dyn FnMut(Value<'_>)) {
    if let Some(address) = address(&ip[at..at + len]) {
        visit(Value::Bytes(address.to_string().as_bytes()));
    }
}

/// The extension headers of IPv6 (RFC 8200 §4), by number.
fn each_extension(ipv6: Option<&[u8]>, mut visit: impl FnMut(u8, &Ipv6ExtensionSlice<'_>)) {
    let Some(Ok((LaxIpSlice::Ipv6(ip), _))) = ipv6.map(LaxIpSlice::from_slice) else { return };
    let mut number = ip.header().next_header();
    for extension in ip.extensions().clone() {
        visit(number.0, &extension);
        number = match &extension {
            Ipv6ExtensionSlice::HopByHop(header) | Ipv6ExtensionSlice::Routing(header) | Ipv6ExtensionSlice::DestinationOptions(header) => {
                header.next_header()
            }
            Ipv6ExtensionSlice::Fragment(header) => header.next_header(),
            Ipv6ExtensionSlice::Authentication(header) => header.next_header(),
        };
    }
}

/// Offset in bytes, whether more follow, and identification of the fragment header.
fn each_fragment(ipv6: Option<&[u8]>, mut visit: impl FnMut(u16, bool, u32)) {
    each_extension(ipv6, |_, extension| {
        if let Ipv6ExtensionSlice::Fragment(header) = extension {
            visit(header.fragment_offset().byte_offset(), header.more_fragments(), header.identification());
        }
    });
}

impl Tcp<'_> {
    /// Options included; at least 20 bytes.
    pub fn header(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - self.payload.len()]
    }

    pub fn flags(&self) -> packet::Flags {
        packet::Flags(self.header()[13])
    }

    /// The flags that are set, as Wireshark lists them.
    pub fn flag_names(&self) -> String {
        // In the order of the bits.
        const NAMES: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
        let header = self.header();
        let bits = u16::from_be_bytes([header[12], header[13]]);
        let names: Vec<&str> = (0..).zip(NAMES).filter(|(bit, _)| bits & 1 << bit != 0).map(|(_, name)| name).collect();
        names.join(", ")
    }

    fn segment(&self, segment: Segment, time: Time, visit: &mut dyn FnMut(Value<'_>)) {
        let derived = &self.derived;
        let number = match segment {
            Segment::Stream => i128::from(derived.stream),
            Segment::Len => i128::from(self.payload_len),
            Segment::Seq => i128::from(derived.seq),
            Segment::NextSeq => i128::from(derived.next_seq),
            Segment::Ack => i128::from(derived.ack),
            Segment::HeaderLen => i128::from(self.bytes[12] >> 4) * 4,
            Segment::FlagsText => return visit(Value::Bytes(self.flags_text().as_bytes())),
            Segment::WindowSize => i128::from(derived.window),
            Segment::WindowScale => match derived.scale_factor {
                Some(factor) => i128::from(factor),
                None => return,
            },
            Segment::Payload if self.payload.is_empty() => return,
            Segment::Payload => return visit(Value::Bytes(self.payload)),
            Segment::TimeRelative | Segment::TimeDelta => {
                let since = if segment == Segment::TimeDelta { derived.previous } else { derived.first };
                match time.since(since) {
                    Some(nanos) => i128::from(nanos),
                    None => return,
                }
            }
            Segment::Options if self.header().len() <= 20 => return,
            Segment::Options => return visit(Value::Bytes(&self.header()[20..])),
            Segment::Completeness => i128::from(derived.completeness),
        };
        visit(Value::Number(number));
    }

    /// The flags as a line of letters, most significant first.
    fn flags_text(&self) -> String {
        let flags = u16::from_be_bytes([self.bytes[12], self.bytes[13]]) & 0x0fff;
        (0..12)
            .map(|bit| if flags & 0x800 >> bit != 0 { ['R', 'R', 'R', 'A', 'C', 'E', 'U', 'A', 'P', 'R', 'S', 'F'][bit] } else { '·' })
            .collect()
    }

    fn option(&self, option: TcpOption, visit: &mut dyn FnMut(Value<'_>)) {
        let u32_at = |bytes: &[u8]| bytes.first_chunk().map(|bytes| i128::from(u32::from_be_bytes(*bytes)));
        for (kind, content) in options(self.header()) {
            match option {
                TcpOption::Kind => visit(Value::Number(i128::from(kind))),
                TcpOption::Len if kind > 1 => visit(Value::Number(content.len() as i128 + 2)),
                TcpOption::Is(wanted) if wanted == kind => visit(Value::Present),
                TcpOption::Number(wanted, at, len) if wanted == kind => {
                    if let Some(bytes) = content.get(usize::from(at)..usize::from(at + len)) {
                        visit(Value::Number(bytes.iter().fold(0, |value, byte| value << 8 | i128::from(*byte))));
                    }
                }
                TcpOption::ScaleMultiplier if kind == 3 => {
                    if let [shift, ..] = content {
                        visit(Value::Number(1 << (*shift).min(14)));
                    }
                }
                TcpOption::SackEdges(edge) if kind == 5 => {
                    for block in content.chunks_exact(8) {
                        let at = if edge == SackEdge::Left { 0 } else { 4 };
                        // Relative, as the numbers beside it are.
                        if let Some(number) = u32_at(&block[at..]) {
                            visit(Value::Number(i128::from((number as u32).wrapping_sub(self.derived.other_base))));
                        }
                    }
                }
                TcpOption::SackCount if kind == 5 => visit(Value::Number((content.len() / 8) as i128)),
                _ => {}
            }
        }
    }
}

/// Kind and content of each option (RFC 9293 §3.2).
pub(crate) fn options(header: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = header.get(20..).unwrap_or_default();
    std::iter::from_fn(move || match *rest {
        [] => None,
        [0, ..] => {
            rest = &[];
            Some((0, &[][..]))
        }
        [1, ref behind @ ..] => {
            rest = behind;
            Some((1, &[][..]))
        }
        [kind, len, ..] if len >= 2 && usize::from(len) <= rest.len() => {
            let content = &rest[2..usize::from(len)];
            rest = &rest[usize::from(len)..];
            Some((kind, content))
        }
        _ => None,
    })
}
