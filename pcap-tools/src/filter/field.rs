//! Fields: their names, as Wireshark has them, with their types and where their values stand.
//!
//! The table says what a field is; the readers beside this file (`frame`, `network`, `segment`, `heard`, `record`)
//! know how to get at what is no plain piece of a header.
//! Source: Wireshark's display filter reference, for the meaning of each name; `dissector-lua/FIELDS.md` for `htcpcp`.

use super::parser::Fields;
use super::value::Type;
use super::value::Type::{Bool, Bytes, Duration, Ether, Frame, Ipv4, Ipv6, Presence, Protocol, Signed, Text, Time, Unsigned};
use crate::spelling;

/// A field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub name: &'static str,
    pub kind: Type,
    pub source: Source,
}

/// A header that fields stand in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layer {
    Eth,
    Vlan,
    Null,
    Ip,
    Ipv6,
    Udp,
    Tcp,
}

/// Where a field's values come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// Bits of a header: where its bytes begin (one place for each value), how many they are, and which bits count.
    Bits(Layer, &'static [u8], u8, u64),
    /// Bytes of a header, which the type turns into an address or leaves as they are.
    Piece(Layer, &'static [u8], u8),
    /// A whole layer.
    Layer(Layer),
    /// What the record or the capture's clock says of a frame.
    Record(Record),
    /// What is no plain piece of a network header.
    Network(Network),
    /// What is no plain piece of a TCP header.
    Segment(Segment),
    /// Options of a TCP header.
    Option(TcpOption),
    /// What Wireshark's analysis of sequence numbers says.
    Analysis(Analysis),
    /// A message of HTTP.
    Http(Said),
    /// A message of HTCPCP.
    Htcpcp(Said),
    /// Records of TLS.
    Tls(Tls),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Record {
    Whole,
    Number,
    Len,
    CapLen,
    Time,
    TimeEpoch,
    TimeRelative,
    TimeDelta,
    TimeDeltaDisplayed,
    Protocols,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Network {
    EthType,
    EthLen,
    NullFamily,
    IpHeaderLen,
    FragmentOffset,
    IpSource,
    IpDestination,
    IpEither,
    Ipv6Source,
    Ipv6Destination,
    Ipv6Either,
    Ipv6Extension(u8),
    Ipv6FragmentOffset,
    Ipv6FragmentMore,
    Ipv6FragmentId,
    Arp,
    Icmp,
    Icmpv6,
    UdpPayload,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Segment {
    Stream,
    Len,
    Seq,
    NextSeq,
    Ack,
    HeaderLen,
    FlagsText,
    WindowSize,
    WindowScale,
    Payload,
    TimeRelative,
    TimeDelta,
    Options,
    Completeness,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TcpOption {
    /// Kinds of all options.
    Kind,
    /// Lengths of those that have one.
    Len,
    /// Whether one of this kind is there.
    Is(u8),
    /// A number in the options of this kind: its place behind kind and length, and its length in bytes.
    Number(u8, u8, u8),
    /// Two to the power of the window scale.
    ScaleMultiplier,
    /// Left or right edges of SACK blocks.
    SackEdges(SackEdge),
    SackCount,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SackEdge {
    Left,
    Right,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Analysis {
    /// Anything of it.
    Flags,
    Retransmission,
    FastRetransmission,
    SpuriousRetransmission,
    OutOfOrder,
    LostSegment,
    AckLostSegment,
    WindowUpdate,
    WindowFull,
    KeepAlive,
    KeepAliveAck,
    ZeroWindow,
    ZeroWindowProbe,
    ZeroWindowProbeAck,
    DuplicateAck,
    DuplicateAckNumber,
    DuplicateAckFrame,
    InitialRtt,
}

/// What a message says; `Header` and those after it are of one of the two protocols only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    Message,
    Request,
    Response,
    RequestLines,
    ResponseLines,
    Method,
    Uri,
    RequestVersion,
    ResponseVersion,
    Code,
    CodeDescription,
    Phrase,
    /// The values of a header field.
    Header(&'static str),
    ContentLength,
    UnknownHeader,
    FileData,
    RequestIn,
    ResponseIn,
    Time,
    UriPath,
    UriQuery,
    UriParameter,
    FullUri,
    ResponseFor,
    CookiePair,
    Scheme,
    SchemeLanguage,
    Host,
    Pot,
    Variety,
    Addition,
    Command,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tls {
    Protocol,
    Record,
    ContentType,
    RecordVersion,
    RecordLength,
    Handshake,
    HandshakeType,
    HandshakeLength,
    HandshakeVersion,
    CipherSuite,
    ExtensionType,
    ServerName,
    Alpn,
    SupportedVersion,
    ApplicationData,
    ChangeCipherSpec,
    Alert,
    AlertLevel,
    AlertDescription,
}

const fn field(name: &'static str, kind: Type, source: Source) -> Field {
    Field { name, kind, source }
}

const fn bits(name: &'static str, kind: Type, layer: Layer, at: &'static [u8], len: u8, mask: u64) -> Field {
    field(name, kind, Source::Bits(layer, at, len, mask))
}

const fn network(name: &'static str, kind: Type, what: Network) -> Field {
    field(name, kind, Source::Network(what))
}

const fn segment(name: &'static str, kind: Type, what: Segment) -> Field {
    field(name, kind, Source::Segment(what))
}

const fn option(name: &'static str, kind: Type, what: TcpOption) -> Field {
    field(name, kind, Source::Option(what))
}

const fn analysis(name: &'static str, kind: Type, what: Analysis) -> Field {
    field(name, kind, Source::Analysis(what))
}

const fn http(name: &'static str, kind: Type, what: Said) -> Field {
    field(name, kind, Source::Http(what))
}

const fn http_header(name: &'static str, header: &'static str) -> Field {
    field(name, Text, Source::Http(Said::Header(header)))
}

const fn htcpcp(name: &'static str, kind: Type, what: Said) -> Field {
    field(name, kind, Source::Htcpcp(what))
}

const fn htcpcp_header(name: &'static str, header: &'static str) -> Field {
    field(name, Text, Source::Htcpcp(Said::Header(header)))
}

const fn tls(name: &'static str, kind: Type, what: Tls) -> Field {
    field(name, kind, Source::Tls(what))
}

const U8: u64 = 0xff;
const U16: u64 = 0xffff;
const U32: u64 = 0xffff_ffff;
const ETH: Layer = Layer::Eth;
const IP: Layer = Layer::Ip;
const IPV6: Layer = Layer::Ipv6;
const TCP: Layer = Layer::Tcp;

/// All fields.
pub(super) const FIELDS: &[Field] = &[
    field("frame", Protocol, Source::Record(Record::Whole)),
    field("frame.number", Unsigned(32), Source::Record(Record::Number)),
    field("frame.len", Unsigned(32), Source::Record(Record::Len)),
    field("frame.cap_len", Unsigned(32), Source::Record(Record::CapLen)),
    field("frame.time", Time, Source::Record(Record::Time)),
    field("frame.time_epoch", Duration, Source::Record(Record::TimeEpoch)),
    field("frame.time_relative", Duration, Source::Record(Record::TimeRelative)),
    field("frame.time_delta", Duration, Source::Record(Record::TimeDelta)),
    field("frame.time_delta_displayed", Duration, Source::Record(Record::TimeDeltaDisplayed)),
    field("frame.protocols", Text, Source::Record(Record::Protocols)),
    //
    field("eth", Protocol, Source::Layer(ETH)),
    field("eth.dst", Ether, Source::Piece(ETH, &[0], 6)),
    field("eth.src", Ether, Source::Piece(ETH, &[6], 6)),
    field("eth.addr", Ether, Source::Piece(ETH, &[0, 6], 6)),
    bits("eth.dst.ig", Bool, ETH, &[0], 1, 1),
    bits("eth.src.ig", Bool, ETH, &[6], 1, 1),
    bits("eth.ig", Bool, ETH, &[0, 6], 1, 1),
    bits("eth.dst.lg", Bool, ETH, &[0], 1, 2),
    bits("eth.src.lg", Bool, ETH, &[6], 1, 2),
    bits("eth.lg", Bool, ETH, &[0, 6], 1, 2),
    network("eth.type", Unsigned(16), Network::EthType),
    network("eth.len", Unsigned(16), Network::EthLen),
    field("vlan", Protocol, Source::Layer(Layer::Vlan)),
    bits("vlan.priority", Unsigned(16), Layer::Vlan, &[0], 2, 0xe000),
    bits("vlan.dei", Bool, Layer::Vlan, &[0], 2, 0x1000),
    bits("vlan.id", Unsigned(16), Layer::Vlan, &[0], 2, 0x0fff),
    bits("vlan.etype", Unsigned(16), Layer::Vlan, &[2], 2, U16),
    field("null", Protocol, Source::Layer(Layer::Null)),
    network("null.family", Unsigned(32), Network::NullFamily),
    network("arp", Presence, Network::Arp),
    //
    field("ip", Protocol, Source::Layer(IP)),
    bits("ip.version", Unsigned(8), IP, &[0], 1, 0xf0),
    network("ip.hdr_len", Unsigned(8), Network::IpHeaderLen),
    bits("ip.dsfield", Unsigned(8), IP, &[1], 1, U8),
    bits("ip.dsfield.dscp", Unsigned(8), IP, &[1], 1, 0xfc),
    bits("ip.dsfield.ecn", Unsigned(8), IP, &[1], 1, 0x03),
    bits("ip.len", Unsigned(16), IP, &[2], 2, U16),
    bits("ip.id", Unsigned(16), IP, &[4], 2, U16),
    bits("ip.flags", Unsigned(8), IP, &[6], 1, 0xe0),
    bits("ip.flags.rb", Bool, IP, &[6], 1, 0x80),
    bits("ip.flags.df", Bool, IP, &[6], 1, 0x40),
    bits("ip.flags.mf", Bool, IP, &[6], 1, 0x20),
    network("ip.frag_offset", Unsigned(16), Network::FragmentOffset),
    bits("ip.ttl", Unsigned(8), IP, &[8], 1, U8),
    bits("ip.proto", Unsigned(8), IP, &[9], 1, U8),
    bits("ip.checksum", Unsigned(16), IP, &[10], 2, U16),
    field("ip.src", Ipv4, Source::Piece(IP, &[12], 4)),
    field("ip.dst", Ipv4, Source::Piece(IP, &[16], 4)),
    field("ip.addr", Ipv4, Source::Piece(IP, &[12, 16], 4)),
    network("ip.src_host", Text, Network::IpSource),
    network("ip.dst_host", Text, Network::IpDestination),
    network("ip.host", Text, Network::IpEither),
    network("icmp", Presence, Network::Icmp),
    //
    field("ipv6", Protocol, Source::Layer(IPV6)),
    bits("ipv6.version", Unsigned(8), IPV6, &[0], 1, 0xf0),
    bits("ipv6.tclass", Unsigned(32), IPV6, &[0], 4, 0x0ff0_0000),
    bits("ipv6.tclass.dscp", Unsigned(32), IPV6, &[0], 4, 0x0fc0_0000),
    bits("ipv6.tclass.ecn", Unsigned(32), IPV6, &[0], 4, 0x0030_0000),
    bits("ipv6.flow", Unsigned(24), IPV6, &[0], 4, 0x000f_ffff),
    bits("ipv6.plen", Unsigned(16), IPV6, &[4], 2, U16),
    bits("ipv6.nxt", Unsigned(8), IPV6, &[6], 1, U8),
    bits("ipv6.hlim", Unsigned(8), IPV6, &[7], 1, U8),
    field("ipv6.src", Ipv6, Source::Piece(IPV6, &[8], 16)),
    field("ipv6.dst", Ipv6, Source::Piece(IPV6, &[24], 16)),
    field("ipv6.addr", Ipv6, Source::Piece(IPV6, &[8, 24], 16)),
    network("ipv6.src_host", Text, Network::Ipv6Source),
    network("ipv6.dst_host", Text, Network::Ipv6Destination),
    network("ipv6.host", Text, Network::Ipv6Either),
    network("ipv6.hopopts", Presence, Network::Ipv6Extension(0)),
    network("ipv6.routing", Presence, Network::Ipv6Extension(43)),
    network("ipv6.fraghdr", Presence, Network::Ipv6Extension(44)),
    network("ipv6.dstopts", Presence, Network::Ipv6Extension(60)),
    network("ipv6.fraghdr.offset", Unsigned(16), Network::Ipv6FragmentOffset),
    network("ipv6.fraghdr.more", Bool, Network::Ipv6FragmentMore),
    network("ipv6.fraghdr.ident", Unsigned(32), Network::Ipv6FragmentId),
    network("icmpv6", Presence, Network::Icmpv6),
    //
    field("udp", Protocol, Source::Layer(Layer::Udp)),
    bits("udp.srcport", Unsigned(16), Layer::Udp, &[0], 2, U16),
    bits("udp.dstport", Unsigned(16), Layer::Udp, &[2], 2, U16),
    bits("udp.port", Unsigned(16), Layer::Udp, &[0, 2], 2, U16),
    bits("udp.length", Unsigned(16), Layer::Udp, &[4], 2, U16),
    network("udp.payload", Bytes, Network::UdpPayload),
    //
    field("tcp", Protocol, Source::Layer(TCP)),
    bits("tcp.srcport", Unsigned(16), TCP, &[0], 2, U16),
    bits("tcp.dstport", Unsigned(16), TCP, &[2], 2, U16),
    bits("tcp.port", Unsigned(16), TCP, &[0, 2], 2, U16),
    segment("tcp.stream", Unsigned(32), Segment::Stream),
    segment("tcp.completeness", Unsigned(8), Segment::Completeness),
    segment("tcp.len", Unsigned(32), Segment::Len),
    segment("tcp.seq", Unsigned(32), Segment::Seq),
    bits("tcp.seq_raw", Unsigned(32), TCP, &[4], 4, U32),
    segment("tcp.nxtseq", Unsigned(32), Segment::NextSeq),
    segment("tcp.ack", Unsigned(32), Segment::Ack),
    bits("tcp.ack_raw", Unsigned(32), TCP, &[8], 4, U32),
    segment("tcp.hdr_len", Unsigned(8), Segment::HeaderLen),
    bits("tcp.flags", Unsigned(16), TCP, &[12], 2, 0x0fff),
    bits("tcp.flags.res", Bool, TCP, &[12], 2, 0x0e00),
    bits("tcp.flags.ae", Bool, TCP, &[12], 2, 0x0100),
    bits("tcp.flags.cwr", Bool, TCP, &[12], 2, 0x0080),
    bits("tcp.flags.ece", Bool, TCP, &[12], 2, 0x0040),
    bits("tcp.flags.urg", Bool, TCP, &[12], 2, 0x0020),
    bits("tcp.flags.ack", Bool, TCP, &[12], 2, 0x0010),
    bits("tcp.flags.push", Bool, TCP, &[12], 2, 0x0008),
    bits("tcp.flags.reset", Bool, TCP, &[12], 2, 0x0004),
    bits("tcp.flags.syn", Bool, TCP, &[12], 2, 0x0002),
    bits("tcp.flags.fin", Bool, TCP, &[12], 2, 0x0001),
    segment("tcp.flags.str", Text, Segment::FlagsText),
    bits("tcp.window_size_value", Unsigned(16), TCP, &[14], 2, U16),
    segment("tcp.window_size", Unsigned(32), Segment::WindowSize),
    segment("tcp.window_size_scalefactor", Signed(32), Segment::WindowScale),
    bits("tcp.checksum", Unsigned(16), TCP, &[16], 2, U16),
    bits("tcp.urgent_pointer", Unsigned(16), TCP, &[18], 2, U16),
    segment("tcp.payload", Bytes, Segment::Payload),
    segment("tcp.time_relative", Duration, Segment::TimeRelative),
    segment("tcp.time_delta", Duration, Segment::TimeDelta),
    segment("tcp.options", Bytes, Segment::Options),
    option("tcp.option_kind", Unsigned(8), TcpOption::Kind),
    option("tcp.option_len", Unsigned(8), TcpOption::Len),
    option("tcp.options.eol", Presence, TcpOption::Is(0)),
    option("tcp.options.nop", Presence, TcpOption::Is(1)),
    option("tcp.options.mss", Presence, TcpOption::Is(2)),
    option("tcp.options.mss_val", Unsigned(16), TcpOption::Number(2, 0, 2)),
    option("tcp.options.wscale", Presence, TcpOption::Is(3)),
    option("tcp.options.wscale.shift", Unsigned(8), TcpOption::Number(3, 0, 1)),
    option("tcp.options.wscale.multiplier", Unsigned(16), TcpOption::ScaleMultiplier),
    option("tcp.options.sack_perm", Presence, TcpOption::Is(4)),
    option("tcp.options.sack", Presence, TcpOption::Is(5)),
    option("tcp.options.sack_le", Unsigned(32), TcpOption::SackEdges(SackEdge::Left)),
    option("tcp.options.sack_re", Unsigned(32), TcpOption::SackEdges(SackEdge::Right)),
    option("tcp.options.sack.count", Unsigned(8), TcpOption::SackCount),
    option("tcp.options.timestamp", Presence, TcpOption::Is(8)),
    option("tcp.options.timestamp.tsval", Unsigned(32), TcpOption::Number(8, 0, 4)),
    option("tcp.options.timestamp.tsecr", Unsigned(32), TcpOption::Number(8, 4, 4)),
    analysis("tcp.analysis.flags", Presence, Analysis::Flags),
    analysis("tcp.analysis.retransmission", Presence, Analysis::Retransmission),
    analysis("tcp.analysis.fast_retransmission", Presence, Analysis::FastRetransmission),
    analysis("tcp.analysis.spurious_retransmission", Presence, Analysis::SpuriousRetransmission),
    analysis("tcp.analysis.out_of_order", Presence, Analysis::OutOfOrder),
    analysis("tcp.analysis.lost_segment", Presence, Analysis::LostSegment),
    analysis("tcp.analysis.ack_lost_segment", Presence, Analysis::AckLostSegment),
    analysis("tcp.analysis.window_update", Presence, Analysis::WindowUpdate),
    analysis("tcp.analysis.window_full", Presence, Analysis::WindowFull),
    analysis("tcp.analysis.keep_alive", Presence, Analysis::KeepAlive),
    analysis("tcp.analysis.keep_alive_ack", Presence, Analysis::KeepAliveAck),
    analysis("tcp.analysis.zero_window", Presence, Analysis::ZeroWindow),
    analysis("tcp.analysis.zero_window_probe", Presence, Analysis::ZeroWindowProbe),
    analysis("tcp.analysis.zero_window_probe_ack", Presence, Analysis::ZeroWindowProbeAck),
    analysis("tcp.analysis.duplicate_ack", Presence, Analysis::DuplicateAck),
    analysis("tcp.analysis.duplicate_ack_num", Unsigned(32), Analysis::DuplicateAckNumber),
    analysis("tcp.analysis.duplicate_ack_frame", Frame, Analysis::DuplicateAckFrame),
    analysis("tcp.analysis.initial_rtt", Duration, Analysis::InitialRtt),
    //
    http("http", Protocol, Said::Message),
    http("http.request", Bool, Said::Request),
    http("http.response", Bool, Said::Response),
    http("http.request.line", Text, Said::RequestLines),
    http("http.response.line", Text, Said::ResponseLines),
    http("http.request.method", Text, Said::Method),
    http("http.request.uri", Text, Said::Uri),
    http("http.request.uri.path", Text, Said::UriPath),
    http("http.request.uri.query", Text, Said::UriQuery),
    http("http.request.uri.query.parameter", Text, Said::UriParameter),
    http("http.request.full_uri", Text, Said::FullUri),
    http("http.request.version", Text, Said::RequestVersion),
    http("http.response.version", Text, Said::ResponseVersion),
    http("http.response.code", Unsigned(16), Said::Code),
    http("http.response.code.desc", Text, Said::CodeDescription),
    http("http.response.phrase", Text, Said::Phrase),
    http("http.response_for.uri", Text, Said::ResponseFor),
    http("http.request_in", Frame, Said::RequestIn),
    http("http.response_in", Frame, Said::ResponseIn),
    http("http.time", Duration, Said::Time),
    http("http.file_data", Text, Said::FileData),
    http("http.content_length", Unsigned(64), Said::ContentLength),
    http("http.cookie_pair", Text, Said::CookiePair),
    http_header("http.accept", "Accept"),
    http_header("http.accept_encoding", "Accept-Encoding"),
    http_header("http.accept_language", "Accept-Language"),
    http_header("http.authorization", "Authorization"),
    http_header("http.cache_control", "Cache-Control"),
    http_header("http.connection", "Connection"),
    http_header("http.content_encoding", "Content-Encoding"),
    http_header("http.content_length_header", "Content-Length"),
    http_header("http.content_type", "Content-Type"),
    http_header("http.cookie", "Cookie"),
    http_header("http.date", "Date"),
    http_header("http.host", "Host"),
    http_header("http.http2_settings", "HTTP2-Settings"),
    http_header("http.last_modified", "Last-Modified"),
    http_header("http.location", "Location"),
    http_header("http.proxy_authenticate", "Proxy-Authenticate"),
    http_header("http.proxy_authorization", "Proxy-Authorization"),
    http_header("http.referer", "Referer"),
    http_header("http.sec_websocket_accept", "Sec-WebSocket-Accept"),
    http_header("http.sec_websocket_extensions", "Sec-WebSocket-Extensions"),
    http_header("http.sec_websocket_key", "Sec-WebSocket-Key"),
    http_header("http.sec_websocket_protocol", "Sec-WebSocket-Protocol"),
    http_header("http.sec_websocket_version", "Sec-WebSocket-Version"),
    http_header("http.server", "Server"),
    http_header("http.set_cookie", "Set-Cookie"),
    http_header("http.transfer_encoding", "Transfer-Encoding"),
    http_header("http.upgrade", "Upgrade"),
    http_header("http.user_agent", "User-Agent"),
    http_header("http.www_authenticate", "WWW-Authenticate"),
    http_header("http.x_forwarded_for", "X-Forwarded-For"),
    //
    htcpcp("htcpcp", Protocol, Said::Message),
    htcpcp("htcpcp.request", Bool, Said::Request),
    htcpcp("htcpcp.response", Bool, Said::Response),
    htcpcp("htcpcp.request.line", Text, Said::RequestLines),
    htcpcp("htcpcp.response.line", Text, Said::ResponseLines),
    htcpcp("htcpcp.request.method", Text, Said::Method),
    htcpcp("htcpcp.request.uri", Text, Said::Uri),
    htcpcp("htcpcp.request.uri.scheme", Text, Said::Scheme),
    htcpcp("htcpcp.request.uri.scheme.language", Text, Said::SchemeLanguage),
    htcpcp("htcpcp.request.uri.host", Text, Said::Host),
    htcpcp("htcpcp.request.uri.pot", Text, Said::Pot),
    htcpcp("htcpcp.request.uri.variety", Text, Said::Variety),
    htcpcp("htcpcp.request.version", Text, Said::RequestVersion),
    htcpcp("htcpcp.response.version", Text, Said::ResponseVersion),
    htcpcp("htcpcp.response.code", Unsigned(16), Said::Code),
    htcpcp("htcpcp.response.code.desc", Text, Said::CodeDescription),
    htcpcp("htcpcp.response.phrase", Text, Said::Phrase),
    htcpcp("htcpcp.request_in", Frame, Said::RequestIn),
    htcpcp("htcpcp.response_in", Frame, Said::ResponseIn),
    htcpcp("htcpcp.time", Duration, Said::Time),
    htcpcp("htcpcp.file_data", Bytes, Said::FileData),
    htcpcp("htcpcp.command", Text, Said::Command),
    htcpcp("htcpcp.addition", Text, Said::Addition),
    htcpcp("htcpcp.content_length", Unsigned(64), Said::ContentLength),
    htcpcp("htcpcp.unknown_header", Text, Said::UnknownHeader),
    htcpcp_header("htcpcp.accept_additions", "Accept-Additions"),
    htcpcp_header("htcpcp.alternates", "Alternates"),
    htcpcp_header("htcpcp.connection", "Connection"),
    htcpcp_header("htcpcp.content_length_header", "Content-Length"),
    htcpcp_header("htcpcp.content_type", "Content-Type"),
    htcpcp_header("htcpcp.date", "Date"),
    htcpcp_header("htcpcp.safe", "Safe"),
    htcpcp_header("htcpcp.server", "Server"),
    htcpcp_header("htcpcp.transfer_encoding", "Transfer-Encoding"),
    htcpcp_header("htcpcp.use_pot", "Use-Pot"),
    //
    tls("tls", Presence, Tls::Protocol),
    tls("tls.record", Presence, Tls::Record),
    tls("tls.record.content_type", Unsigned(8), Tls::ContentType),
    tls("tls.record.version", Unsigned(16), Tls::RecordVersion),
    tls("tls.record.length", Unsigned(16), Tls::RecordLength),
    tls("tls.handshake", Presence, Tls::Handshake),
    tls("tls.handshake.type", Unsigned(8), Tls::HandshakeType),
    tls("tls.handshake.length", Unsigned(24), Tls::HandshakeLength),
    tls("tls.handshake.version", Unsigned(16), Tls::HandshakeVersion),
    tls("tls.handshake.ciphersuite", Unsigned(16), Tls::CipherSuite),
    tls("tls.handshake.extension.type", Unsigned(16), Tls::ExtensionType),
    tls("tls.handshake.extensions_server_name", Text, Tls::ServerName),
    tls("tls.handshake.extensions_alpn_str", Text, Tls::Alpn),
    tls("tls.handshake.extensions.supported_version", Unsigned(16), Tls::SupportedVersion),
    tls("tls.app_data", Presence, Tls::ApplicationData),
    tls("tls.change_cipher_spec", Presence, Tls::ChangeCipherSpec),
    tls("tls.alert_message", Presence, Tls::Alert),
    tls("tls.alert_message.level", Unsigned(8), Tls::AlertLevel),
    tls("tls.alert_message.desc", Unsigned(8), Tls::AlertDescription),
];

/// The table, as filters see it.
pub(super) struct Table;

impl Fields for Table {
    type Field = &'static Field;

    fn find(&self, name: &str) -> Option<(&'static Field, Type)> {
        FIELDS.iter().find(|field| field.name == name).map(|field| (field, field.kind))
    }

    fn unknown(&self, name: &str) -> String {
        unknown(name, FIELDS.iter().map(|field| field.name))
    }
}

/// Says that there is no field of that name, with the one of these that is most like it.
pub(super) fn unknown<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let hint = nearest(name, names).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    format!("\"{name}\" is no field that is known here{hint}")
}

/// The name that is most like this one, if one is like it; fields have small letters.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    spelling::nearest(&name.to_ascii_lowercase(), names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
        names.sort_unstable();
        assert!(names.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn the_nearest_name_is_found() {
        for (typed, meant) in [
            ("tcp.prot", Some("tcp.port")),
            ("http.request.methd", Some("http.request.method")),
            ("htcpcp.repsonse.code", Some("htcpcp.response.code")),
            ("TCP.PORT", Some("tcp.port")),
            ("nothing.like.it", None),
        ] {
            assert_eq!(nearest(typed, FIELDS.iter().map(|field| field.name)), meant, "{typed}");
        }
    }
}
