//! The tables of the page: a row for each connection and for each exchange, with what unfolds below it.

use super::chains::number_of;
use super::links::{FrameLink, Links, connection_id, exchange_id};
use super::waterfall::phases;
use crate::connection::{CloseKind, Connection, Side};
use crate::exchange::{Exchange, Ports, Program, Protocol, Talk};
use crate::lab::Chain;
use crate::message::{Fate, Message, text};
use crate::packet::Endpoint;
use crate::report::text::lines::{ConnectionLine, ExchangeLine};
use crate::report::text::number;
use crate::report::text::words::plural;
use crate::time::{Time, duration};
use crate::waterfall::Bar;

/// Bytes of a head that are shown.
const MAX_HEAD: usize = 8 << 10;
/// Bytes of a body that are shown.
const MAX_BODY: usize = 1 << 10;
/// Exchanges that a connection's row lists.
const MAX_LISTED: usize = 100;

/// A connection.
pub(super) struct ConnectionView {
    pub id: String,
    pub stream: u64,
    pub client: String,
    pub server: String,
    pub protocol: &'static str,
    pub handshake: Vec<FrameLink>,
    pub rtt: String,
    pub packets: String,
    pub bytes: String,
    pub closed: String,
    pub is_broken_off: bool,
    pub begins: String,
    pub lasted: String,
    /// What each end sent, in words.
    pub flows: [String; 2],
    pub remarks: Vec<String>,
    /// Numbers of its exchanges, and the ids of their rows.
    pub exchanges: Vec<(usize, String)>,
    pub more_exchanges: usize,
    pub closing: Vec<FrameLink>,
}

/// An exchange.
pub(super) struct ExchangeView {
    pub id: String,
    /// From 1.
    pub number: usize,
    pub stream: u64,
    /// The id of the connection's row.
    pub connection: Option<String>,
    pub protocol: &'static str,
    pub method: String,
    pub target: String,
    pub response: String,
    pub status: Option<u16>,
    pub size: String,
    pub time: String,
    pub begins: String,
    pub frames: Vec<FrameLink>,
    /// In words.
    pub phases: String,
    pub chain: Option<usize>,
    pub messages: Vec<MessageView>,
}

/// A message.
pub(super) struct MessageView {
    pub name: &'static str,
    pub frames: Vec<FrameLink>,
    /// Why it is not complete; empty if it is.
    pub fate: &'static str,
    /// Its lines, as captured.
    pub head: Vec<String>,
    /// Bytes of the head that are not shown.
    pub more: usize,
    pub body: Option<Vec<String>>,
    pub body_bytes: String,
}

/// The rows of connections.
pub(super) fn connections(connections: &[(&Connection, &Talk)], ports: &Ports, links: &Links, start: Time) -> Vec<ConnectionView> {
    connections.iter().map(|(connection, talk)| self::connection(connection, talk, ports, links, start)).collect()
}

fn connection(connection: &Connection, talk: &Talk, ports: &Ports, links: &Links, start: Time) -> ConnectionView {
    let line = ConnectionLine::new(connection, talk);
    let programs = Program::of(ports, line.server.port);
    let name = |at: usize, end: Endpoint| match programs {
        Some(programs) => format!("{} {end}", programs[at].as_str()),
        None => end.to_string(),
    };
    let handshake = [line.handshake.syn, line.handshake.syn_ack, line.handshake.ack].into_iter().flatten();
    let listed = links.exchanges_of(line.stream);
    ConnectionView {
        id: connection_id(line.stream),
        stream: line.stream,
        client: name(0, line.client),
        server: name(1, line.server),
        protocol: talk.protocol.map_or("–", Protocol::as_str),
        handshake: handshake.map(|mark| links.arrow(mark.frame)).collect(),
        rtt: line.rtt.map_or("–".to_owned(), duration),
        packets: number(line.packets),
        bytes: number(line.bytes),
        is_broken_off: connection.close.kind() == CloseKind::Rst,
        closed: closed(connection, talk),
        begins: since(connection.first.time, start),
        lasted: since(connection.last.time, connection.first.time),
        flows: [("client", talk.client), ("server", talk.client.other())].map(|(name, side)| {
            let flow = connection.flows[side];
            format!(
                "From the {name}: {}, {}, {} of them payload",
                plural(flow.packets, "packet", "packets"),
                plural(flow.bytes, "byte", "bytes"),
                number(flow.payload_bytes)
            )
        }),
        remarks: line.remarks,
        exchanges: listed.iter().take(MAX_LISTED).map(|&at| (at + 1, exchange_id(at))).collect(),
        more_exchanges: listed.len().saturating_sub(MAX_LISTED),
        closing: connection.close.frames().into_iter().map(|frame| links.arrow(frame)).collect(),
    }
}

/// Who ended it.
fn closed(connection: &Connection, talk: &Talk) -> String {
    let name = |side: Side| if side == talk.client { "client" } else { "server" };
    let rst = if connection.close.kind() == CloseKind::Rst { ", by RST" } else { "" };
    connection.close.first_by().map_or("still open".to_owned(), |side| format!("{}{rst}", name(side)))
}

/// The rows of exchanges.
pub(super) fn exchanges(exchanges: &[Exchange], bars: &[Bar], chains: &[Chain<'_>], links: &Links, start: Time) -> Vec<ExchangeView> {
    let rows = exchanges.iter().zip(bars).enumerate();
    rows.map(|(at, (exchange, bar))| self::exchange(at, exchange, bar, chains, links, start)).collect()
}

fn exchange(at: usize, exchange: &Exchange, bar: &Bar, chains: &[Chain<'_>], links: &Links, start: Time) -> ExchangeView {
    let line = ExchangeLine::new(exchange);
    let first = exchange.request.iter().chain(&exchange.interim).chain(&exchange.response).min_by_key(|message| message.first.frame);
    let (method, target) = match line.request.split_once(' ') {
        Some((method, target)) if exchange.request.is_some() => (method.to_owned(), target.to_owned()),
        _ => (String::new(), line.request),
    };
    let named = [("Request", exchange.request.as_ref())]
        .into_iter()
        .chain(exchange.interim.iter().map(|interim| ("Interim response", Some(interim))))
        .chain([("Response", exchange.response.as_ref())]);
    let messages: Vec<MessageView> = named.filter_map(|(name, message)| Some(self::message(name, message?, links))).collect();
    let mut frames: Vec<u64> =
        exchange.request.iter().chain(&exchange.response).flat_map(|message| [message.first.frame, message.last.frame]).collect();
    frames.dedup();
    ExchangeView {
        id: exchange_id(at),
        number: at + 1,
        stream: exchange.stream,
        connection: links.connection(exchange.stream),
        protocol: exchange.protocol.as_str(),
        method,
        target,
        response: line.response,
        status: line.status,
        size: exchange.response.as_ref().map_or("–".to_owned(), |response| number(response.body_bytes)),
        time: line.time.map_or("–".to_owned(), duration),
        begins: first.map_or("–".to_owned(), |message| since(message.first.time, start)),
        frames: frames.into_iter().map(|frame| links.arrow(frame)).collect(),
        phases: phases(bar),
        chain: number_of(chains, exchange),
        messages,
    }
}

fn since(time: Time, start: Time) -> String {
    time.since(start).map_or("–".to_owned(), duration)
}

fn message(name: &'static str, message: &Message, links: &Links) -> MessageView {
    let mut frames = vec![message.first.frame, message.last.frame];
    frames.dedup();
    let head = message.head.bytes().trim_ascii_end();
    let shown = &head[..head.len().min(MAX_HEAD)];
    let body = &message.body[..message.body.len().min(MAX_BODY)];
    MessageView {
        name,
        frames: frames.into_iter().map(|frame| links.arrow(frame)).collect(),
        fate: match message.fate {
            Fate::Complete => "",
            Fate::Lost(_) => "lost: not all of it was captured",
            Fate::Unfinished => "unfinished",
        },
        head: lines(shown),
        more: head.len() - shown.len(),
        body: (!body.is_empty()).then(|| lines(body)),
        body_bytes: number(message.body_bytes),
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    bytes.split(|&byte| byte == b'\n').map(|line| text(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()).collect()
}
