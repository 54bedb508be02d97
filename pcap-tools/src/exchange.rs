//! Exchanges: messages of both directions in, requests paired with their responses out.
//!
//! HTTP answers in the order in which it was asked (RFC 9112 §9.3). Where the capture has gaps, the
//! acknowledgment numbers tell what was received before a request was sent, so that no response is paired
//! with a request that was sent after it.
//!
//! ```
//! use pcap_tools::exchange::{Conversation, Exchange, Exchanges, Ports, Sink, Talk};
//! use pcap_tools::connection::{Connection, Tracker};
//! use pcap_tools::{capture::Reader, craft, finding::Finding, packet::{Decoder, Packet}};
//!
//! /// Prints each exchange.
//! #[derive(Default)]
//! struct Print(Vec<String>);
//!
//! impl Sink for Print {
//!     fn exchange(&mut self, exchange: Exchange) {
//!         let (request, response) = (exchange.request.unwrap(), exchange.response.unwrap());
//!         self.0.push(format!("{} -> {:?}", request.head.start_line_text(), response.head.status()));
//!     }
//!     fn connection(&mut self, _: Connection, _: Talk) {}
//!     fn finding(&mut self, _: Finding) {}
//! }
//!
//! let mut talk = craft::Conversation::new("127.0.0.1:55434".parse()?, "127.0.0.1:5030".parse()?);
//! talk.handshake().client(b"GET coffee://ducky HTTP/1.1\r\n\r\n").server(b"HTCPCP/1.1 200 OK\r\n\r\n{}").close(craft::Side::Server);
//! let mut reader = Reader::new(std::io::Cursor::new(craft::capture(&talk.packets())))?;
//! let (mut decoder, mut tracker) = (Decoder::default(), Tracker::<Conversation>::default());
//! let mut out = Exchanges::new(Ports::default(), Print::default());
//! while let Some(frame) = reader.next_frame()? {
//!     if let Packet::Tcp(segment) = decoder.decode(&frame) {
//!         tracker.push(&segment, &mut out);
//!     }
//! }
//! tracker.finish(&mut out);
//! assert_eq!(out.sink.0, ["GET coffee://ducky HTTP/1.1 -> Some(200)"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::VecDeque;

use htcpcp::{Method, Sniff};

use crate::capture::Frame;
use crate::connection::{Chunk, Connection, Consumer, Context, End, EndKind, Gap, Pair, Place, Side};
use crate::finding::{Finding, Kind};
use crate::message::tls::{self, HelloReader, Tls};
use crate::message::{Begin, ContentLength, Event, Fate, Framing, Head, Input, Lengths, Message, Parsed, Parser, Role, TransferEncoding};
use crate::packet::{Endpoint, Packet, SeqNumber};
use crate::time::Mark;

/// So many requests may wait for their responses on one connection; older ones count as unanswered.
const MAX_WAITING: usize = 1000;
/// … and so many on all connections together.
const MAX_WAITING_ON_ALL: usize = 100_000;
/// Interim responses that are kept of one exchange.
const MAX_INTERIM: usize = 100;

/// Bytes of a start line that a finding quotes.
const MAX_LINE_SHOWN: usize = 200;

/// Which ports belong to whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ports {
    /// The web app's.
    pub http: Vec<u16>,
    /// The coffee pot's.
    pub pot: Vec<u16>,
}

impl Default for Ports {
    fn default() -> Self {
        Self { http: vec![htcpcp::WEBAPP_PORT], pot: vec![htcpcp::POT_PORT] }
    }
}

impl Ports {
    /// Ports of other servers that speak HTTP or TLS, to tell a server where no SYN does.
    const WELL_KNOWN: [u16; 6] = [80, 443, 3128, 8000, 8080, 8443];

    /// The client as far as ports tell: the other end of a server's port, or else the first sender.
    pub(crate) fn client_of(&self, ends: &Pair<Endpoint>) -> Side {
        let [one, two] = ends.0.map(|end| (self.rank(end.port), std::cmp::Reverse(end.port)));
        if one > two { Side::Two } else { Side::One }
    }

    /// How surely a port is a server's.
    fn rank(&self, port: u16) -> u8 {
        if self.pot.contains(&port) || self.http.contains(&port) { 2 } else { u8::from(Self::WELL_KNOWN.contains(&port)) }
    }
}

/// What a program is in the lab, told by the ports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
pub enum Program {
    /// Client of the web app.
    #[serde(rename = "browser")]
    Browser,
    /// Server on the web app's port, client on the pot's.
    #[serde(rename = "web app")]
    WebApp,
    /// Server on the pot's port.
    #[serde(rename = "pot")]
    Pot,
}

impl Program {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::WebApp => "web app",
            Self::Pot => "pot",
        }
    }

    /// The programs at both ends of a connection to this port.
    pub fn of(ports: &Ports, server_port: u16) -> Option<[Self; 2]> {
        if ports.pot.contains(&server_port) {
            Some([Self::WebApp, Self::Pot])
        } else {
            ports.http.contains(&server_port).then_some([Self::Browser, Self::WebApp])
        }
    }
}

/// What an exchange or a connection speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.x.
    Http,
    /// The Hyper Text Coffee Pot Control Protocol.
    Htcpcp,
    /// TLS: encrypted.
    Tls,
}

impl Protocol {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Htcpcp => "HTCPCP",
            Self::Tls => "TLS",
        }
    }
}

/// A request, what was said in between, and its response; at least one of the two is complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// The connection, as Wireshark's `tcp.stream`.
    pub stream: u64,
    /// HTTP or HTCPCP.
    pub protocol: Protocol,
    /// `None` if none was captured. See [`Message::fate`] before counting it.
    pub request: Option<Message>,
    /// Responses with a status of 1xx, 101 aside.
    pub interim: Vec<Message>,
    /// `None` if none was captured. See [`Message::fate`] before counting it.
    pub response: Option<Message>,
}

impl Exchange {
    /// The request, if all of it was captured.
    pub fn complete_request(&self) -> Option<&Message> {
        self.request.as_ref().filter(|message| message.fate == Fate::Complete)
    }

    /// The response, if all of it was captured.
    pub fn complete_response(&self) -> Option<&Message> {
        self.response.as_ref().filter(|message| message.fate == Fate::Complete)
    }

    /// From the frame that completed the request to the one that completed the response, in nanoseconds;
    /// `None` if the response was complete first.
    pub fn response_time(&self) -> Option<i64> {
        self.complete_response()?.last.time.since(self.complete_request()?.last.time).filter(|&nanos| nanos >= 0)
    }

    /// The frame with which it begins: its place in the order of the capture.
    pub fn first_frame(&self) -> u64 {
        let messages = self.request.iter().chain(&self.interim).chain(&self.response);
        messages.map(|message| message.first.frame).min().unwrap_or(0)
    }
}

/// What was said on a connection, beside what TCP shows of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Talk {
    /// The client: by SYN, by who asks, or by ports.
    pub client: Side,
    /// What is spoken; `None` if nothing that is read here.
    pub protocol: Option<Protocol>,
    /// How many exchanges were reported.
    pub exchanges: u64,
    /// What the hellos say, where TLS is spoken.
    pub tls: Option<Tls>,
    /// The connection begins with the preface of HTTP/2 (RFC 9113 §3.4), which is not decoded.
    pub http2: bool,
}

/// A message that is complete, before its exchange is.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// The connection, as Wireshark's `tcp.stream`.
    pub stream: u64,
    /// HTTP or HTCPCP, as far as the request and the ports tell.
    pub protocol: Protocol,
    /// The message.
    pub message: &'a Message,
    /// What a response answers, where that is known.
    pub request: Option<&'a Message>,
}

/// A frame that was read.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The frame.
    pub frame: &'a Frame<'a>,
    /// What it holds.
    pub packet: &'a Packet<'a>,
    /// Its connection, if it is a TCP segment.
    pub place: Option<Place>,
    /// The sequence numbers that the connection began with.
    pub bases: Pair<Option<SeqNumber>>,
    /// Whether all is known of the connection's frames so far.
    pub settled: bool,
}

/// Takes results as they become complete.
pub trait Sink {
    /// An exchange is complete, or never will be.
    fn exchange(&mut self, exchange: Exchange);
    /// A connection has ended, and all its exchanges were reported.
    fn connection(&mut self, connection: Connection, talk: Talk);
    /// Something was odd.
    fn finding(&mut self, finding: Finding);
    /// Whether it looks at single messages and frames as they come: then it is told of them by the next three.
    const WATCHES: bool = false;
    /// A message is complete.
    fn message(&mut self, _: Heard<'_>) {}
    /// Bytes of TLS, in order.
    fn encrypted(&mut self, _: &Context, _: Side, _: &[u8], _: Mark) {}
    /// A frame was read, and everything is told that it has completed.
    fn frame(&mut self, _: Seen<'_>) {}
    /// Bytes of each body of that protocol that are asked for.
    fn body_limit(&self, _: Protocol) -> usize {
        0
    }
    /// A live input has nothing more at the moment: what was reported can be shown.
    fn idle(&mut self) {}
    /// Whether nobody takes results any more: reading on is in vain.
    fn is_closed(&self) -> bool {
        false
    }
}

/// Where conversations put their results.
#[derive(Debug)]
pub struct Exchanges<S> {
    /// Which ports belong to whom.
    pub ports: Ports,
    /// Takes the results.
    pub sink: S,
    /// Requests that wait for their responses, on all connections.
    waiting: usize,
}

impl<S> Exchanges<S> {
    /// Results go into `sink`.
    pub fn new(ports: Ports, sink: S) -> Self {
        Self { ports, sink, waiting: 0 }
    }
}

/// A request that waits for its response.
#[derive(Debug)]
struct Asked {
    request: Message,
    /// Whether its body is still coming.
    open: bool,
    coffee: bool,
    /// Bytes of the server's direction that the client had received when it began to ask.
    acked: Option<i64>,
    interim: Vec<Message>,
    /// The response, where it came before the request was complete.
    response: Option<Message>,
}

/// What one connection says: reads its bytes, pairs its messages.
#[derive(Debug, Default)]
pub struct Conversation {
    client: Option<Side>,
    parsers: Pair<Parser>,
    /// Boxed: mostly there is one, and the queue should not make room for four of their size.
    waiting: VecDeque<Box<Asked>>,
    /// The response whose body is coming.
    answering: Option<Message>,
    /// Interim responses to a request that was not captured.
    orphans: Vec<Message>,
    /// Something is missing: order alone does not tell which response answers which request.
    inexact: bool,
    tls: Option<Box<(Tls, Pair<HelloReader>)>>,
    /// First bytes of each direction that may yet turn out to be TLS.
    undecided: Pair<Vec<u8>>,
    http2: bool,
    exchanges: u64,
    spoke: Option<Protocol>,
}

/// Where an event happens.
struct Here<'a, S> {
    context: &'a Context,
    side: Side,
    out: &'a mut Exchanges<S>,
}

impl<S: Sink> Here<'_, S> {
    /// Whether that end is on the pot's port.
    fn is_pot(&self, side: Side) -> bool {
        self.out.ports.pot.contains(&self.context.ends[side].port)
    }

    /// Whether a response from here is a pot's: by its version or, from the pot's port, by its content.
    fn is_pots(&self, response: &Message) -> bool {
        response.head.protocol() != htcpcp::Protocol::Http
            || self.is_pot(self.side) && response.head.field("Content-Type").is_some_and(htcpcp::is_coffee_content_type)
    }

    fn finding(&mut self, kind: Kind, mark: Mark, offset: u64, message: String) {
        let frame = (mark != Mark::NONE).then_some(mark.frame);
        self.out.sink.finding(Finding { kind, frame, stream: Some(self.context.stream), offset: Some(offset), message });
    }
}

impl<S: Sink> Consumer<Exchanges<S>> for Conversation {
    fn chunk(&mut self, context: &Context, side: Side, chunk: Chunk<'_>, out: &mut Exchanges<S>) {
        let mut place = Here { context, side, out };
        if let Some(tls) = &mut self.tls {
            let (tls, hellos) = &mut **tls;
            hellos[side].push(chunk.bytes, tls);
            if S::WATCHES {
                out.sink.encrypted(context, side, chunk.bytes, chunk.mark);
            }
            return;
        }
        self.assign_roles(context.client);
        let mut input = Input::new(chunk);
        loop {
            let more_expected = self.waiting.len() > 1;
            match self.parsers[side].next(&mut input, more_expected) {
                Some(event) => self.event(&mut place, event),
                None => break,
            }
        }
        if !self.speaks_http() && self.is_tls(&mut place, &chunk) {
            return;
        }
        if let Some(event) = self.parsers[side].cut(&input) {
            self.event(&mut place, event);
        }
    }

    fn gap(&mut self, context: &Context, side: Side, gap: Gap, out: &mut Exchanges<S>) {
        let mut place = Here { context, side, out };
        if let Some(tls) = &mut self.tls {
            tls.1[side].finish();
        }
        let (from, len) = (context.ends[side], gap.len);
        place.finding(Kind::Gap, gap.mark, gap.offset, format!("{len} bytes from {from} were never captured"));
        match self.parsers[side].gap(gap.len) {
            Some(event) => self.event(&mut place, event),
            // A gap inside of a body whose end will be recognised leaves the order of messages as it is.
            None => self.inexact |= !self.parsers[side].in_body(),
        }
    }

    fn end(&mut self, context: &Context, side: Side, end: End, out: &mut Exchanges<S>) {
        let mut place = Here { context, side, out };
        if let Some(event) = self.parsers[side].end(end) {
            match event {
                Event::Lost { why, body_bytes, begin } => self.lost(&mut place, why, body_bytes, begin, Some(end)),
                event => self.event(&mut place, event),
            }
        }
    }

    fn is_settled(&self) -> bool {
        !self.parsers.0.iter().any(Parser::may_be_complete)
    }

    fn closed(&mut self, connection: Connection, out: &mut Exchanges<S>) {
        let context = Context { stream: connection.stream, ends: connection.ends, client: connection.client };
        let client = self.client_of(&connection, &out.ports);
        let mut place = Here { context: &context, side: client, out };
        while let Some(asked) = self.waiting.pop_front() {
            self.report(&mut place, asked);
        }
        let talk = Talk {
            client,
            protocol: if self.tls.is_some() { Some(Protocol::Tls) } else { self.spoke },
            exchanges: self.exchanges,
            tls: self.tls.take().map(|tls| tls.0),
            http2: self.http2,
        };
        out.sink.connection(connection, talk);
    }
}

impl Conversation {
    fn assign_roles(&mut self, client: Option<Side>) {
        if let Some(client) = client.or(self.client)
            && self.parsers[client].role.is_none()
        {
            self.client = Some(client);
            self.parsers[client].role = Some(Role::Request);
            self.parsers[client.other()].role = Some(Role::Response);
        }
    }

    /// By SYN, by who asks, by ports, or the first sender.
    fn client_of(&self, connection: &Connection, ports: &Ports) -> Side {
        if let Some(client) = connection.client.or(self.client) {
            return client;
        }
        ports.client_of(&connection.ends)
    }

    /// Whether a message was found in either direction.
    fn speaks_http(&self) -> bool {
        self.parsers.0.iter().any(Parser::found)
    }

    /// Whether the connection begins (or, captured from the middle, goes on) as TLS.
    fn is_tls<S: Sink>(&mut self, place: &mut Here<'_, S>, chunk: &Chunk<'_>) -> bool {
        let side = place.side;
        let held = &mut self.undecided[side];
        let joined;
        let bytes = if held.is_empty() {
            chunk.bytes
        } else {
            joined = [held, chunk.bytes].concat();
            &joined
        };
        let verdict = tls::sniff(bytes);
        match verdict {
            Sniff::Yes => {
                let mut tls = Box::<(Tls, Pair<HelloReader>)>::default();
                tls.1[side].push(bytes, &mut tls.0);
                if S::WATCHES {
                    place.out.sink.encrypted(place.context, side, bytes, chunk.mark);
                }
                self.tls = Some(tls);
                Side::BOTH.into_iter().for_each(|side| self.parsers[side].stop());
            }
            Sniff::More => self.undecided[side] = bytes.to_vec(),
            Sniff::No => self.undecided[side].clear(),
        }
        verdict == Sniff::Yes
    }

    fn event<S: Sink>(&mut self, place: &mut Here<'_, S>, event: Event) {
        match event {
            Event::Head { begin, parsed } => {
                let framing = self.head(place, begin, parsed);
                if let Some(event) = self.parsers[place.side].frame(framing) {
                    self.event(place, event);
                }
                if framing == Framing::Tunnel {
                    Side::BOTH.into_iter().for_each(|side| self.parsers[side].stop());
                }
            }
            Event::Complete { body_bytes, mark } => self.complete(place, body_bytes, mark),
            Event::Lost { why, body_bytes, begin } => {
                // Where the lost message ended is unknown, unless a gap lies within a known length.
                self.inexact |= !self.parsers[place.side].in_step();
                self.lost(place, why, body_bytes, begin, None);
            }
            Event::Stray { mark, offset } => {
                // Without a SYN, they may be the tail of a message that began before the capture.
                if self.parsers[place.side].found() || place.context.client.is_some() && self.speaks_http() {
                    place.finding(Kind::ExcessData, mark, offset, "bytes that belong to no message".to_owned());
                    self.inexact = true;
                }
            }
        }
    }

    /// Files the head of a message, and says how its body ends.
    fn head<S: Sink>(&mut self, place: &mut Here<'_, S>, begin: Begin, parsed: Parsed) -> Framing {
        let Parsed { head, lengths, oddities } = parsed;
        if head.major_version() > 1 {
            self.http2 = true;
            return Framing::Tunnel;
        }
        let message = Message {
            head,
            first: begin.mark,
            last: begin.mark,
            body_bytes: 0,
            body: Box::default(),
            offset: begin.offset,
            fate: Fate::Unfinished,
            oddities,
        };
        if message.head.is_request() {
            self.client.get_or_insert(place.side);
            self.assign_roles(self.client);
            self.request_head(place, begin, message, lengths)
        } else {
            self.client.get_or_insert(place.side.other());
            self.assign_roles(self.client);
            self.response_head(place, begin, message, lengths)
        }
    }

    fn request_head<S: Sink>(&mut self, place: &mut Here<'_, S>, begin: Begin, request: Message, lengths: Lengths) -> Framing {
        let head = &request.head;
        let to_pot = place.is_pot(place.side.other());
        let method = Method::from_bytes(head.method());
        let coffee = htcpcp::has_coffee_scheme(head.target())
            || head.protocol() != htcpcp::Protocol::Http
            || to_pot && (lengths.coffee_content || method.is_some_and(Method::is_coffee_only));
        let cut = request.oddities.iter().any(|kind| kind == Kind::CutHead);
        let framing = match (lengths.transfer_encoding, lengths.content_length) {
            _ if cut => Framing::Unknown,
            (TransferEncoding::Chunked, _) => Framing::Chunked,
            (TransferEncoding::Other, _) | (_, ContentLength::Bad) => Framing::Unknown,
            (_, ContentLength::Bytes(bytes)) => Framing::Length(bytes),
            (_, ContentLength::Absent) if coffee && matches!(method, Some(Method::Brew | Method::Post)) => Framing::Legacy,
            (_, ContentLength::Absent) => Framing::Length(0),
        };
        self.keep_body(place, if coffee { Protocol::Htcpcp } else { Protocol::Http });
        if (self.waiting.len() >= MAX_WAITING || place.out.waiting >= MAX_WAITING_ON_ALL)
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.report(place, oldest);
        }
        place.out.waiting += 1;
        self.waiting.push_back(Box::new(Asked { request, open: true, coffee, acked: begin.acked, interim: Vec::new(), response: None }));
        framing
    }

    fn response_head<S: Sink>(&mut self, place: &mut Here<'_, S>, begin: Begin, response: Message, lengths: Lengths) -> Framing {
        // An answer settles that a BREW's body is not coming.
        let client = place.side.other();
        if let Some(event) = self.parsers[client].settle() {
            self.event(&mut Here { context: place.context, side: client, out: place.out }, event);
        }
        if self.inexact {
            self.skip_unanswered(place, begin.offset as i64);
        }
        let asked = if self.front_fits(begin.offset) { self.waiting.front() } else { None };
        let method = asked.map(|asked| asked.request.head.method());
        let status = response.head.status().unwrap_or(0);
        let coffee = asked.is_some_and(|asked| asked.coffee)
            || response.head.protocol() != htcpcp::Protocol::Http
            || lengths.coffee_content && place.is_pot(place.side);
        let cut = response.oddities.iter().any(|kind| kind == Kind::CutHead);
        let framing = match (lengths.transfer_encoding, lengths.content_length) {
            _ if status == 101 || method == Some(b"CONNECT") && (200..300).contains(&status) => Framing::Tunnel,
            _ if method == Some(b"HEAD") || matches!(status, 100..=199 | 204 | 304) => Framing::Length(0),
            _ if cut => Framing::Unknown,
            (TransferEncoding::Chunked, _) => Framing::Chunked,
            (TransferEncoding::Absent, ContentLength::Bytes(bytes)) => Framing::Length(bytes),
            _ if coffee => Framing::UntilCloseCoffee,
            _ => Framing::UntilClose,
        };
        self.keep_body(place, if coffee { Protocol::Htcpcp } else { Protocol::Http });
        self.answering = Some(response);
        framing
    }

    /// Keeps as much of the body at hand as is asked for.
    fn keep_body<S: Sink>(&mut self, place: &Here<'_, S>, protocol: Protocol) {
        let limit = place.out.sink.body_limit(protocol);
        if limit > 0 || self.parsers[place.side].keep > 0 {
            self.parsers[place.side].keep = limit;
        }
    }

    /// Gives up requests whose responses must have been lost, since the client had received more of the
    /// server's bytes when it sent the next one; `offset` is where the response at hand begins.
    fn skip_unanswered<S: Sink>(&mut self, place: &mut Here<'_, S>, offset: i64) {
        while let [Some(first), Some(second)] = [self.waiting.front(), self.waiting.get(1)].map(|asked| asked.and_then(|asked| asked.acked))
        {
            if !(first < second && second <= offset) {
                break;
            }
            let Some(asked) = self.waiting.pop_front() else { break };
            self.report(place, asked);
        }
    }

    /// Whether the request that waits longest can have caused a response that begins at `offset`.
    fn front_fits(&self, offset: u64) -> bool {
        match self.waiting.front() {
            Some(asked) => !self.inexact || asked.acked.is_none_or(|acked| acked <= offset as i64),
            None => false,
        }
    }

    fn complete<S: Sink>(&mut self, place: &mut Here<'_, S>, body_bytes: u64, mark: Mark) {
        let body = self.parsers[place.side].take_body();
        let finish = |message: &mut Message| {
            message.last = mark;
            message.body = body;
            message.body_bytes = body_bytes;
            message.fate = Fate::Complete;
        };
        if self.client == Some(place.side) {
            if let Some(asked) = self.waiting.back_mut().filter(|asked| asked.open) {
                asked.open = false;
                finish(&mut asked.request);
                if S::WATCHES {
                    let protocol = if asked.coffee { Protocol::Htcpcp } else { Protocol::Http };
                    let heard = Heard { stream: place.context.stream, protocol, message: &asked.request, request: None };
                    place.out.sink.message(heard);
                }
                self.report_early(place);
            }
        } else if let Some(mut response) = self.answering.take() {
            finish(&mut response);
            if S::WATCHES {
                self.tell_response(place, &response);
            }
            self.answered(place, response);
        }
    }

    fn tell_response<S: Sink>(&self, place: &mut Here<'_, S>, response: &Message) {
        let asked = if self.front_fits(response.offset) { self.waiting.front() } else { None };
        let coffee = asked.is_some_and(|asked| asked.coffee) || place.is_pots(response);
        let protocol = if coffee { Protocol::Htcpcp } else { Protocol::Http };
        let request = asked.map(|asked| &asked.request);
        place.out.sink.message(Heard { stream: place.context.stream, protocol, message: response, request });
    }

    /// The message at hand is not complete and never will be.
    fn lost<S: Sink>(&mut self, place: &mut Here<'_, S>, why: Kind, body_bytes: u64, begin: Begin, end: Option<End>) {
        let fate = if why == Kind::UnfinishedMessage { Fate::Unfinished } else { Fate::Lost(why) };
        let message = if self.client == Some(place.side) {
            self.waiting.back_mut().filter(|asked| asked.open).map(|asked| {
                asked.open = false;
                &mut asked.request
            })
        } else {
            self.answering.as_mut()
        };
        let what = match &message {
            Some(message) => format!("`{}`", short_line(&message.head)),
            None => "a message without a whole head".to_owned(),
        };
        let kind = if matches!(why, Kind::Gap | Kind::CutHead) { Kind::LostMessage } else { why };
        let sentence = match (why, end.map(|end| end.kind)) {
            (Kind::UnfinishedMessage, Some(EndKind::Fin)) => {
                format!("{what} was not finished when its sender closed the connection ({body_bytes} bytes of body came)")
            }
            (Kind::UnfinishedMessage, Some(EndKind::Rst)) => {
                format!("{what} was not finished when the connection was reset ({body_bytes} bytes of body came)")
            }
            (Kind::UnfinishedMessage, _) => format!("{what} was not finished when the capture ended ({body_bytes} bytes of body came)"),
            (Kind::Gap, _) => format!("{what} was hit by bytes that were never captured"),
            (Kind::BadChunk, _) => format!("{what} breaks the chunked framing after {body_bytes} bytes of body"),
            (Kind::LongHead, _) => format!("{what} is longer than what is kept of a head"),
            _ => format!("{what} was cut by the snap length"),
        };
        if let Some(message) = message {
            message.body_bytes = body_bytes;
            message.fate = fate;
        }
        place.finding(kind, begin.mark, begin.offset, sentence);
        if self.client == Some(place.side) {
            self.report_early(place);
        } else if let Some(response) = self.answering.take() {
            self.answered(place, response);
        }
    }

    /// A response has come to its end, one way or the other.
    fn answered<S: Sink>(&mut self, place: &mut Here<'_, S>, response: Message) {
        let interim = matches!(response.head.status(), Some(100 | 102..=199));
        if !self.front_fits(response.offset) {
            if interim {
                if self.orphans.len() < MAX_INTERIM {
                    self.orphans.push(response);
                }
            } else {
                let interim = std::mem::take(&mut self.orphans);
                self.emit(place, None, interim, Some(response), false);
            }
            return;
        }
        let Some(asked) = self.waiting.front_mut() else { return };
        if interim {
            if asked.interim.len() < MAX_INTERIM {
                asked.interim.push(response);
            }
            return;
        }
        asked.response = Some(response);
        self.report_early(place);
    }

    /// Reports the oldest request if it and its response are there.
    fn report_early<S: Sink>(&mut self, place: &mut Here<'_, S>) {
        if self.waiting.front().is_some_and(|asked| asked.response.is_some() && !asked.open)
            && let Some(asked) = self.waiting.pop_front()
        {
            self.report(place, asked);
        }
    }

    fn report<S: Sink>(&mut self, place: &mut Here<'_, S>, asked: Box<Asked>) {
        place.out.waiting -= 1;
        let Asked { request, interim, response, coffee, .. } = *asked;
        self.emit(place, Some(request), interim, response, coffee);
    }

    fn emit<S: Sink>(
        &mut self,
        place: &mut Here<'_, S>,
        request: Option<Message>,
        interim: Vec<Message>,
        response: Option<Message>,
        coffee: bool,
    ) {
        let coffee = coffee
            || response.as_ref().is_some_and(|response| {
                let server = self.client.map_or(place.side, Side::other);
                Here { context: place.context, side: server, out: place.out }.is_pots(response)
            });
        let protocol = if coffee { Protocol::Htcpcp } else { Protocol::Http };
        let exchange = Exchange { stream: place.context.stream, protocol, request, interim, response };
        for message in exchange.request.iter().chain(&exchange.interim).chain(&exchange.response) {
            for kind in message.oddities.iter() {
                place.finding(kind, message.first, message.offset, format!("`{}` {}", short_line(&message.head), describe(kind)));
            }
        }
        if exchange.complete_request().is_none() && exchange.complete_response().is_none() {
            return;
        }
        match (&exchange.request, &exchange.response) {
            (Some(request), None) => {
                let line = short_line(&request.head);
                place.finding(Kind::UnansweredRequest, request.last, request.offset, format!("`{line}` was not answered"));
            }
            (None, Some(response)) => {
                let line = short_line(&response.head);
                place.finding(
                    Kind::UnrequestedResponse,
                    response.first,
                    response.offset,
                    format!("`{line}` answers no request that was captured"),
                );
            }
            _ => {}
        }
        self.spoke = self.spoke.max(Some(protocol));
        self.exchanges += 1;
        place.out.sink.exchange(exchange);
    }
}

/// A start line for a finding: thousands of findings are kept, and a line may have 64 KB.
fn short_line(head: &Head) -> String {
    let line = head.start_line();
    if line.len() <= MAX_LINE_SHOWN {
        return head.start_line_text().into_owned();
    }
    String::from_utf8_lossy(&line[..MAX_LINE_SHOWN]).into_owned() + "…"
}

/// What a kind of oddity means, behind a start line.
fn describe(kind: Kind) -> &'static str {
    match kind {
        Kind::BareLf => "ends lines by a bare line feed",
        Kind::LeadingCrlf => "comes after empty lines",
        Kind::OddSpace => "has spaces where the grammar has none or one",
        Kind::MissingReason => "has no reason phrase",
        Kind::ObsText => "has bytes above 127 in its head",
        Kind::ObsFold => "continues a header field on the next line",
        Kind::ControlByte => "has control bytes in its start line",
        Kind::BadHeader => "has a line in its head that is no header field",
        Kind::BadContentLength => "has a Content-Length that is no number, or several that differ",
        Kind::LengthConflict => "has both Transfer-Encoding and Content-Length",
        Kind::BadTransferEncoding => "has a Transfer-Encoding that does not end in chunked",
        Kind::CutHead => "has a head of which the snap length kept only the beginning: where its body ends is unknown",
        _ => "is odd",
    }
}
