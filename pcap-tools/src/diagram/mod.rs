//! Space-time diagrams: connections, messages and segments in; lanes, and what happens between them, out.
//!
//! A lane is a program, also where all programs share one address. Time goes downwards: each step has a row, in the
//! order of the capture, and a long wait between two rows is folded. How a picture is drawn is left to
//! [`report`](crate::report::diagram).
//!
//! [`Messages`] collects messages, and the handshake and close of each connection; [`Segments`] collects every TCP
//! segment. Both are sinks.
//!
//! ```
//! use pcap_tools::{capture::Reader, craft, diagram::{Messages, Row, Scope}, exchange::Ports, report, summary};
//!
//! let mut talk = craft::Conversation::new("127.0.0.1:55434".parse()?, "127.0.0.1:5030".parse()?);
//! talk.handshake().client("GET coffee://ducky HTTP/1.1\r\n\r\n").server("HTCPCP/1.1 200 OK\r\n\r\n{}").close(craft::Side::Server);
//! let reader = Reader::new(std::io::Cursor::new(craft::capture(&talk.packets())))?;
//! let (capture, found) = summary::run(reader, Ports::default(), Messages::new(Scope::default()));
//! let picture = found.finish(&Ports::default(), capture.first_time);
//! assert_eq!(picture.lanes.iter().map(|lane| &*lane.name).collect::<Vec<_>>(), ["web app", "pot"]);
//! assert!(matches!(&picture.rows[1], Row::Step(step) if step.text == "GET coffee://ducky HTTP/1.1" && step.frames == [4]));
//! let mut svg = Vec::new();
//! report::diagram::svg(&picture, "", &mut svg)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod lanes;
mod messages;
mod segments;

use std::collections::HashSet;

use crate::connection::{CloseKind, Connection, Side};
use crate::exchange::{Ports, Talk};
use crate::packet::Endpoint;
use crate::time::{Mark, Time};

pub use messages::Messages;
pub use segments::Segments;

/// A wait so many times as long as the usual one between two rows is folded, …
const FOLD_FACTOR: i64 = 10;
/// … but none that is shorter than the first of these, and always one that is longer than the second; in nanoseconds.
const FOLDS: [i64; 2] = [20_000_000, 1_000_000_000];
/// Characters that are kept of a text out of the capture.
const MAX_TEXT: usize = 400;

/// How much of a capture is collected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// Only these connections; none of them means all.
    pub streams: Vec<u64>,
    /// So many steps at the most, the first ones: what bounds the memory, and the picture.
    pub limit: usize,
}

impl Default for Scope {
    fn default() -> Self {
        Self { streams: Vec::new(), limit: usize::MAX }
    }
}

impl Scope {
    fn holds(&self, stream: u64) -> bool {
        self.streams.is_empty() || self.streams.contains(&stream)
    }
}

/// What an arrow stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// A message; handshakes and closes beside them.
    Message,
    /// A TCP segment.
    Segment,
}

/// A picture, before anybody has drawn it.
///
/// Shape: `rows` from top to bottom; steps name lanes by their place in `lanes`. Texts are as the capture has them:
/// whoever draws escapes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// What an arrow stands for.
    pub level: Level,
    /// From left to right: the lab's programs in the order of their chain, then others.
    pub lanes: Vec<Lane>,
    /// By stream.
    pub links: Vec<Link>,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Steps that are not in it, being behind the limit.
    pub omitted: u64,
    /// What times are relative to: the capture's first frame.
    pub start: Time,
}

/// A program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// What it is: `browser`, `web app`, `pot`; of others the address, and of a server the port. No two are the same.
    pub name: String,
    /// Where it is: addresses, and the ports that it serves.
    pub place: String,
}

/// A connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// As Wireshark's `tcp.stream`.
    pub stream: u64,
    /// Who began it.
    pub client: Endpoint,
    /// The other end.
    pub server: Endpoint,
    /// Lanes of client and server.
    pub lanes: [usize; 2],
    /// No SYN was captured.
    pub began_before: bool,
    /// Neither FIN nor RST was captured.
    pub still_open: bool,
}

/// What takes a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// Something happens.
    Step(Step),
    /// For so many nanoseconds nothing did.
    Fold(i64),
}

/// Which way something goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// From client to server.
    ToServer,
    /// From server to client.
    ToClient,
}

/// What a step is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// No arrow: a word about the connection.
    Note,
    /// A handshake as a whole, or one of its segments.
    Handshake,
    /// A request.
    Request,
    /// A response, by its status; 0 where it has none.
    Response(u16),
    /// A segment with payload.
    Data,
    /// A segment without payload.
    Ack,
    /// No more data from the sender.
    Fin,
    /// The connection is broken off.
    Rst,
}

/// Something that happens between two lanes.
///
/// Time: from `first` to `last`. Only one time of a segment is known, that of the capture, so that both are the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The connection, as Wireshark's `tcp.stream`.
    pub stream: u64,
    /// Lanes of sender and receiver.
    pub lanes: [usize; 2],
    /// The same, by role.
    pub way: Way,
    /// What it is.
    pub kind: Kind,
    /// Whether it was sent before: a retransmission, or a SYN or FIN once more.
    pub again: bool,
    /// Whether all of it was captured; of a message only the beginning may have been.
    pub whole: bool,
    /// The frames to look at, in order: of a message the first and, if it is another one, the completing one.
    pub frames: Vec<u64>,
    /// Where it begins.
    pub first: Mark,
    /// Where it is complete.
    pub last: Mark,
    /// What it says: a start line; flags and numbers.
    pub text: String,
    /// What there is to remark beside it; may be empty.
    pub aside: String,
}

impl Step {
    /// How long it took, in nanoseconds; `None` where that is not known.
    pub fn took(&self) -> Option<i64> {
        self.last.time.since(self.first.time).filter(|&nanos| nanos > 0)
    }

    /// In the order of the capture; what one frame brings in the order of TCP.
    fn order(&self) -> (u64, u64, Kind) {
        (self.first.frame, self.last.frame, self.kind)
    }
}

impl Picture {
    /// The steps, from top to bottom.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.rows.iter().filter_map(|row| match row {
            Row::Step(step) => Some(step),
            Row::Fold(_) => None,
        })
    }

    /// The connection of a step.
    pub fn link(&self, stream: u64) -> Option<&Link> {
        self.links.binary_search_by_key(&stream, |link| link.stream).ok().map(|at| &self.links[at])
    }

    /// The picture of some of the steps: only the lanes and connections that they need.
    pub fn only(&self, wanted: impl Fn(&Step) -> bool) -> Self {
        let steps: Vec<Step> = self.steps().filter(|step| wanted(step)).cloned().collect();
        let mut streams: Vec<u64> = steps.iter().map(|step| step.stream).collect();
        streams.sort_unstable();
        let mut links: Vec<Link> = self.links.iter().filter(|link| streams.binary_search(&link.stream).is_ok()).cloned().collect();
        let needed: Vec<usize> = (0..self.lanes.len()).filter(|lane| links.iter().any(|link| link.lanes.contains(lane))).collect();
        let place = |lane: usize| needed.iter().position(|&needed| needed == lane).unwrap_or(0);
        links.iter_mut().for_each(|link| link.lanes = link.lanes.map(place));
        let steps = steps.into_iter().map(|step| Step { lanes: step.lanes.map(place), ..step }).collect();
        let lanes = needed.iter().map(|&lane| self.lanes[lane].clone()).collect();
        Self { lanes, links, rows: folded(steps), ..*self }
    }

    /// Puts together what was collected; the first step of each connection names its ports.
    fn new(level: Level, mut ends: Vec<Ends>, mut steps: Vec<Step>, omitted: u64, ports: &Ports, start: Time) -> Self {
        let mut streams: Vec<u64> = steps.iter().map(|step| step.stream).collect();
        streams.sort_unstable();
        ends.retain(|ends| streams.binary_search(&ends.stream).is_ok());
        ends.sort_by_key(|ends| ends.stream);
        let (lanes, links) = lanes::cast(&ends, ports);
        let mut picture = Self { level, lanes, links, rows: Vec::new(), omitted, start };
        steps.retain_mut(|step| {
            let Some(link) = picture.link(step.stream) else { return false };
            let [client, server] = link.lanes;
            step.lanes = if step.way == Way::ToServer { [client, server] } else { [server, client] };
            true
        });
        steps.sort_by_key(Step::order);
        let mut told = HashSet::new();
        for step in steps.iter_mut().filter(|step| told.insert(step.stream)) {
            let ports = picture.link(step.stream).map(|link| format!("port {} → {}", link.client.port, link.server.port));
            let asides: Vec<String> =
                [std::mem::take(&mut step.aside)].into_iter().filter(|aside| !aside.is_empty()).chain(ports).collect();
            step.aside = asides.join(", ");
        }
        picture.rows = folded(steps);
        picture
    }
}

/// Rows for the steps, and for the long waits between them.
fn folded(steps: Vec<Step>) -> Vec<Row> {
    // When the last thing before each step happened, also the end of a message that began earlier.
    let mut waits = Vec::with_capacity(steps.len());
    let mut ends: Vec<Mark> = steps.iter().map(|step| step.last).collect();
    ends.sort_by_key(|mark| mark.frame);
    let mut ends = ends.into_iter().peekable();
    let mut before = Time::UNKNOWN;
    for step in &steps {
        while let Some(end) = ends.next_if(|end| end.frame < step.first.frame) {
            before = later(before, end.time);
        }
        waits.push(step.first.time.since(before));
        before = later(before, step.first.time);
    }
    let mut usual: Vec<i64> = waits.iter().copied().flatten().filter(|&nanos| nanos > 0).collect();
    usual.sort_unstable();
    let middle = usual.get(usual.len().saturating_sub(1) / 2).map_or(0, |nanos| nanos.saturating_mul(FOLD_FACTOR));
    let long = middle.clamp(FOLDS[0], FOLDS[1]);
    let fold = |wait: Option<i64>| wait.filter(|&nanos| nanos >= long).map(Row::Fold);
    steps.into_iter().zip(waits).flat_map(|(step, wait)| fold(wait).into_iter().chain([Row::Step(step)])).collect()
}

fn later(one: Time, two: Time) -> Time {
    if two.since(one).is_none_or(|nanos| nanos > 0) && two != Time::UNKNOWN { two } else { one }
}

/// What a picture needs to know of a connection.
#[derive(Clone, Copy, Debug)]
struct Ends {
    stream: u64,
    /// Which side the client is.
    side: Side,
    client: Endpoint,
    server: Endpoint,
    first_frame: u64,
    began_before: bool,
    still_open: bool,
}

impl Ends {
    fn of(connection: &Connection, talk: &Talk) -> Self {
        Self {
            stream: connection.stream,
            side: talk.client,
            client: connection.ends[talk.client],
            server: connection.ends[talk.client.other()],
            first_frame: connection.first.frame,
            began_before: connection.client.is_none(),
            still_open: connection.close.kind() == CloseKind::Open,
        }
    }
}

/// The beginning of a text out of the capture.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => text[..end].to_owned() + "…",
        None => text.to_owned(),
    }
}
