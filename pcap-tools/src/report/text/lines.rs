//! What the text shows of one connection or exchange: plain words, ready to be laid out.

use super::TOP;
use super::words::{plural, printable};
use crate::connection::{Connection, Handshake, Side};
use crate::exchange::{Exchange, Protocol, Talk};
use crate::message::{Fate, Message, text};
use crate::packet::Endpoint;

/// Characters of a request target or reason phrase that are shown; JSON has all of them.
const MAX_CELL: usize = 500;

/// What is shown of a connection.
pub(in crate::report) struct ConnectionLine {
    pub stream: u64,
    pub client: Endpoint,
    pub server: Endpoint,
    pub handshake: Handshake,
    pub rtt: Option<i64>,
    pub packets: u64,
    pub bytes: u64,
    pub last_frame: u64,
    pub closed: String,
    pub remarks: Vec<String>,
}

/// What is shown of an exchange.
pub(in crate::report) struct ExchangeLine {
    pub first_frame: u64,
    pub stream: u64,
    pub protocol: Protocol,
    pub request_frames: String,
    pub request: String,
    pub response_frames: String,
    pub response: String,
    pub status: Option<u16>,
    pub time: Option<i64>,
}

impl ConnectionLine {
    pub fn new(connection: &Connection, talk: &Talk) -> Self {
        let (client, server) = (talk.client, talk.client.other());
        Self {
            stream: connection.stream,
            client: connection.ends[client],
            server: connection.ends[server],
            handshake: connection.handshake.clone(),
            rtt: connection.handshake.rtt(),
            packets: connection.flows.0.iter().map(|flow| flow.packets).sum(),
            bytes: connection.flows.0.iter().map(|flow| flow.bytes).sum(),
            last_frame: connection.last.frame,
            closed: closed(connection, client),
            remarks: remarks(connection, talk),
        }
    }
}

/// How a connection ended: by whom, and the frames of both FINs, or of the RST.
fn closed(connection: &Connection, client: Side) -> String {
    let close = &connection.close;
    let name = |side: Side| if side == client { "client" } else { "server" };
    let mut fins: Vec<(u64, Side)> = Side::BOTH.into_iter().filter_map(|side| Some((close.fins[side]?.frame, side))).collect();
    fins.sort_unstable();
    let fins = match fins[..] {
        [] => None,
        [(frame, side)] => Some(format!("{} {frame}", name(side))),
        [(first, side), (second, _), ..] => Some(format!("{} {first},{second}", name(side))),
    };
    let rst = close.rst.filter(|_| close.aborted).map(|(side, mark)| format!("RST {} {}", name(side), mark.frame));
    match (fins, rst) {
        (None, None) => "still open".to_owned(),
        (fins, rst) => fins.into_iter().chain(rst).collect::<Vec<_>>().join(", "),
    }
}

/// What deserves a remark about a connection.
fn remarks(connection: &Connection, talk: &Talk) -> Vec<String> {
    let handshake = &connection.handshake;
    let mut remarks = Vec::new();
    match (&handshake.syn, &handshake.syn_ack, &handshake.ack) {
        (None, None, _) => remarks.push("began before the capture: no handshake captured".to_owned()),
        (Some(_), None, _) => remarks.push("SYN was not answered by a SYN-ACK".to_owned()),
        (None, Some(_), _) => remarks.push("its SYN was not captured".to_owned()),
        (_, Some(_), None) => remarks.push("the ACK that completes the handshake was not captured".to_owned()),
        _ => {}
    }
    for (what, frames) in [("SYN", &handshake.repeated_syns), ("SYN-ACK", &handshake.repeated_syn_acks)] {
        if !frames.is_empty() {
            let list: Vec<String> = frames.iter().map(u64::to_string).collect();
            remarks.push(format!("{what} sent again in {} {}", if frames.len() == 1 { "frame" } else { "frames" }, list.join(", ")));
        }
    }
    for (side, name) in [(talk.client, "client"), (talk.client.other(), "server")] {
        let stats = connection.flows[side];
        for (count, one, many) in [
            (stats.retransmissions, "retransmission", "retransmissions"),
            (stats.out_of_order, "segment out of order", "segments out of order"),
            (stats.zero_windows, "zero window", "zero windows"),
            (stats.keep_alives, "keep-alive", "keep-alives"),
        ] {
            if count > 0 {
                remarks.push(format!("{} from the {name}", plural(count, one, many)));
            }
        }
        if stats.lost_segments > 0 {
            remarks.push(format!(
                "{} from the {name} never captured ({})",
                plural(stats.lost_bytes, "byte", "bytes"),
                plural(stats.lost_segments, "gap", "gaps")
            ));
        }
    }
    if let Some(tls) = &talk.tls {
        let version = tls.version().map_or("TLS".to_owned(), |version| version.to_string());
        let name = tls.server_name.as_ref().map_or(String::new(), |name| format!(" to {}", printable(name)));
        remarks.push(format!("{version}{name}: encrypted, requests and responses cannot be read or counted"));
    }
    if talk.http2 {
        remarks.push("HTTP/2: not decoded".to_owned());
    }
    remarks
}

impl ExchangeLine {
    pub fn new(exchange: &Exchange) -> Self {
        let request = exchange.request.as_ref();
        let response = exchange.response.as_ref();
        let fate = |message: &Message| match message.fate {
            Fate::Complete => "",
            Fate::Lost(_) => " (lost)",
            Fate::Unfinished => " (unfinished)",
        };
        let interim: Vec<String> =
            exchange.interim.iter().take(TOP).filter_map(|interim| interim.head.status()).map(|status| format!("{status}, ")).collect();
        Self {
            first_frame: exchange.first_frame(),
            stream: exchange.stream,
            protocol: exchange.protocol,
            request_frames: request.map_or(String::new(), frames),
            request: match request {
                Some(request) => {
                    format!("{} {}{}", clipped(&text(request.head.method())), clipped(&text(request.head.target())), fate(request))
                }
                None => "(not captured)".to_owned(),
            },
            response_frames: response.map_or(String::new(), frames),
            response: match response {
                Some(response) => {
                    let status = response.head.status().map_or(String::new(), |status| status.to_string());
                    let reason = clipped(&text(response.head.reason()));
                    format!("{}{status}{}{reason}{}", interim.concat(), if reason.is_empty() { "" } else { " " }, fate(response))
                }
                None => format!("{}no response", interim.concat()),
            },
            status: exchange.complete_response().and_then(|response| response.head.status()),
            time: exchange.response_time(),
        }
    }
}

/// What a cell shows of a text out of a capture.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => printable(&text[..end]) + "…",
        None => printable(text),
    }
}

/// First and completing frame.
fn frames(message: &Message) -> String {
    let (first, last) = (message.first.frame, message.last.frame);
    if first == last { first.to_string() } else { format!("{first}–{last}") }
}
