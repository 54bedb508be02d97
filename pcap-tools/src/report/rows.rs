//! What is reported of connections and exchanges: plain data with the names that scripts rely on.
//!
//! The shapes are those of `schema: "pcap-tools/summary/1"`, documented in the README. Unknown is null,
//! never zero. Keys carry their units.

use serde::{Serialize, Serializer};

use crate::connection::{CloseKind, Connection, FlowStats, Side};
pub use crate::exchange::Program;
use crate::exchange::{Exchange, Ports, Protocol, Talk};
use crate::message::{Fate, Message, text};
use crate::packet::Endpoint;

/// A duration in microseconds: a whole number where it is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Micros(pub i64);

impl Micros {
    /// From nanoseconds.
    pub fn from_nanos(nanos: Option<i64>) -> Option<Self> {
        nanos.map(Self)
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 { serializer.serialize_i64(self.0 / 1000) } else { serializer.serialize_f64(self.0 as f64 / 1000.0) }
    }
}

/// One end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Who began it.
    Client,
    /// The other.
    Server,
}

/// Handshake of a connection; what was not captured is null.
#[derive(Debug, Serialize)]
pub struct Handshake {
    /// Frame of the first SYN.
    pub syn: Option<u64>,
    /// Frame of the first SYN-ACK.
    pub syn_ack: Option<u64>,
    /// Frame of the ACK that completes it.
    pub ack: Option<u64>,
    /// Whether all three were captured.
    pub complete: bool,
    /// From the SYN to the ACK.
    pub rtt_us: Option<Micros>,
}

/// How a connection ended.
#[derive(Debug, Serialize)]
pub struct Close {
    /// `fin`, `rst` or `open`.
    pub kind: CloseKind,
    /// Who sent the RST, or else the first FIN.
    pub first_by: Option<End>,
    /// Frames of the FINs and the RST, in order.
    pub frames: Vec<u64>,
}

/// What the hellos of TLS say.
#[derive(Debug, Serialize)]
pub struct Tls<'a> {
    /// Chosen by the server or, where that was not captured, the highest offered.
    pub version: Option<String>,
    /// `server_name` of the ClientHello.
    pub server_name: Option<&'a str>,
    /// Protocols that the client offered.
    pub alpn: &'a [String],
    /// Always true: what it carries cannot be read or counted.
    pub encrypted: bool,
}

/// A connection.
#[derive(Debug, Serialize)]
pub struct ConnectionRow<'a> {
    /// As Wireshark's `tcp.stream`.
    pub stream: u64,
    /// Address and port.
    pub client: Endpoint,
    /// Address and port.
    pub server: Endpoint,
    /// The program at the client's end, where the ports tell.
    pub client_program: Option<Program>,
    /// The program at the server's end, where the ports tell.
    pub server_program: Option<Program>,
    /// What is spoken.
    pub protocol: Option<Protocol>,
    /// Its beginning.
    pub handshake: Handshake,
    /// Frames of further SYNs.
    pub repeated_syns: &'a [u64],
    /// Frames of further SYN-ACKs.
    pub repeated_syn_acks: &'a [u64],
    /// Its end.
    pub close: Close,
    /// Frame of the client's first FIN.
    pub client_fin: Option<u64>,
    /// Frame of the server's first FIN.
    pub server_fin: Option<u64>,
    /// Frame of the first RST.
    pub rst: Option<u64>,
    /// Frames in both directions.
    pub packets: u64,
    /// Their lengths on the wire.
    pub bytes: u64,
    /// Its first frame.
    pub first_frame: u64,
    /// Its last frame.
    pub last_frame: u64,
    /// Time of the first frame.
    pub first_time: Option<String>,
    /// From the first to the last frame.
    pub duration_us: Option<Micros>,
    /// What the client sent.
    pub from_client: FlowStats,
    /// What the server sent.
    pub from_server: FlowStats,
    /// Exchanges on it.
    pub exchanges: u64,
    /// Where TLS is spoken.
    pub tls: Option<Tls<'a>>,
    /// Whether it speaks HTTP/2, which is not decoded.
    pub http2: bool,
}

impl<'a> ConnectionRow<'a> {
    /// The row of a connection.
    pub fn new(connection: &'a Connection, talk: &'a Talk, ports: &Ports) -> Self {
        let Connection { stream, ends, handshake, close, flows, first, last, .. } = connection;
        let (client, server) = (talk.client, talk.client.other());
        let programs = Program::of(ports, ends[server].port);
        let frame = |mark: Option<crate::time::Mark>| mark.map(|mark| mark.frame);
        Self {
            stream: *stream,
            client: ends[client],
            server: ends[server],
            client_program: programs.map(|programs| programs[0]),
            server_program: programs.map(|programs| programs[1]),
            protocol: talk.protocol,
            handshake: Handshake {
                syn: frame(handshake.syn),
                syn_ack: frame(handshake.syn_ack),
                ack: frame(handshake.ack),
                complete: handshake.complete(),
                rtt_us: Micros::from_nanos(handshake.rtt()),
            },
            repeated_syns: &handshake.repeated_syns,
            repeated_syn_acks: &handshake.repeated_syn_acks,
            close: Close { kind: close.kind(), first_by: close.first_by().map(|side| end_of(side, client)), frames: close.frames() },
            client_fin: frame(close.fins[client]),
            server_fin: frame(close.fins[server]),
            rst: frame(close.rst.map(|(_, mark)| mark)),
            packets: flows.0.iter().map(|flow| flow.packets).sum(),
            bytes: flows.0.iter().map(|flow| flow.bytes).sum(),
            first_frame: first.frame,
            last_frame: last.frame,
            first_time: first.time.nanos().map(|_| first.time.to_string()),
            duration_us: Micros::from_nanos(last.time.since(first.time)),
            from_client: flows[client],
            from_server: flows[server],
            exchanges: talk.exchanges,
            tls: talk.tls.as_ref().map(|tls| Tls {
                version: tls.version().map(|version| version.to_string()),
                server_name: tls.server_name.as_deref(),
                alpn: &tls.protocols,
                encrypted: true,
            }),
            http2: talk.http2,
        }
    }
}

/// Which end a side is.
fn end_of(side: Side, client: Side) -> End {
    if side == client { End::Client } else { End::Server }
}

/// A request.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    /// Such as `GET`.
    pub method: std::borrow::Cow<'a, str>,
    /// As sent.
    pub target: std::borrow::Cow<'a, str>,
    /// What every message has.
    #[serde(flatten)]
    pub message: MessageRow<'a>,
}

/// A response.
#[derive(Debug, Serialize)]
pub struct Response<'a> {
    /// Three digits.
    pub status: Option<u16>,
    /// As sent.
    pub reason: std::borrow::Cow<'a, str>,
    /// What every message has.
    #[serde(flatten)]
    pub message: MessageRow<'a>,
}

/// What requests and responses have in common.
#[derive(Debug, Serialize)]
pub struct MessageRow<'a> {
    /// Such as `HTTP/1.1`.
    pub version: std::borrow::Cow<'a, str>,
    /// The frame of its first byte.
    pub first_frame: u64,
    /// The frame that completed it; null where none did.
    pub frame: Option<u64>,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// Without chunk framing; of an incomplete message, those that came.
    pub body_bytes: u64,
    /// Why it is not complete; absent where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<&'static str>,
}

impl<'a> MessageRow<'a> {
    fn new(message: &'a Message) -> Self {
        let head = &message.head;
        Self {
            version: text(head.version()),
            first_frame: message.first.frame,
            frame: (message.fate == Fate::Complete).then_some(message.last.frame),
            headers: head.fields().iter().map(|(name, value)| (text(name).into_owned(), text(value).into_owned())).collect(),
            body_bytes: message.body_bytes,
            incomplete: match message.fate {
                Fate::Complete => None,
                Fate::Lost(kind) => Some(kind.name()),
                Fate::Unfinished => Some("unfinished"),
            },
        }
    }
}

impl<'a> Request<'a> {
    fn new(message: &'a Message) -> Self {
        Self { method: text(message.head.method()), target: text(message.head.target()), message: MessageRow::new(message) }
    }
}

impl<'a> Response<'a> {
    fn new(message: &'a Message) -> Self {
        Self { status: message.head.status(), reason: text(message.head.reason()), message: MessageRow::new(message) }
    }
}

/// An exchange.
#[derive(Debug, Serialize)]
pub struct ExchangeRow<'a> {
    /// The connection.
    pub stream: u64,
    /// `http` or `htcpcp`.
    pub protocol: Protocol,
    /// Null where none was captured as a whole.
    pub request: Option<Request<'a>>,
    /// Responses with a status of 1xx.
    pub interim: Vec<Response<'a>>,
    /// Null where none was captured as a whole.
    pub response: Option<Response<'a>>,
    /// What was captured of a request that is not complete; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_request: Option<Request<'a>>,
    /// What was captured of a response that is not complete; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_response: Option<Response<'a>>,
    /// From the frame that completed the request to the one that completed the response.
    pub response_time_us: Option<Micros>,
}

impl<'a> ExchangeRow<'a> {
    /// The row of an exchange.
    pub fn new(exchange: &'a Exchange) -> Self {
        let partial = |message: &&Message| message.fate != Fate::Complete;
        Self {
            stream: exchange.stream,
            protocol: exchange.protocol,
            request: exchange.complete_request().map(Request::new),
            interim: exchange.interim.iter().map(Response::new).collect(),
            response: exchange.complete_response().map(Response::new),
            partial_request: exchange.request.as_ref().filter(partial).map(Request::new),
            partial_response: exchange.response.as_ref().filter(partial).map(Response::new),
            response_time_us: Micros::from_nanos(exchange.response_time()),
        }
    }
}

/// How many complete messages a protocol had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Count {
    /// Requests.
    pub requests: u64,
    /// Responses, interim ones aside.
    pub responses: u64,
}

/// How many complete messages there were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// HTTP.
    pub http: Count,
    /// HTCPCP.
    pub htcpcp: Count,
    /// TLS connections: what they carry cannot be counted.
    #[serde(skip)]
    pub encrypted_connections: u64,
}

impl Counts {
    /// Counts an exchange.
    pub fn add(&mut self, exchange: &Exchange) {
        let count = match exchange.protocol {
            Protocol::Htcpcp => &mut self.htcpcp,
            Protocol::Http | Protocol::Tls => &mut self.http,
        };
        count.requests += u64::from(exchange.complete_request().is_some());
        count.responses += u64::from(exchange.complete_response().is_some());
    }

    /// Counts a connection.
    pub fn add_connection(&mut self, talk: &Talk) {
        self.encrypted_connections += u64::from(talk.protocol == Some(Protocol::Tls));
    }

    /// Adds those of another capture.
    pub fn merge(&mut self, other: &Counts) {
        for (mine, theirs) in [(&mut self.http, other.http), (&mut self.htcpcp, other.htcpcp)] {
            mine.requests += theirs.requests;
            mine.responses += theirs.responses;
        }
        self.encrypted_connections += other.encrypted_connections;
    }
}
