//! Connections: TCP segments in, ordered bytes and a summary of each connection out.
//!
//! Handshake, close, loss and repetition are told here; what the bytes mean is left to a [`Consumer`].
//! Bytes are delivered in order and in causal order: a segment whose acknowledgment covers bytes of the
//! other direction waits for these, so that a capture that swapped two frames still shows a request before
//! its response.
//!
//! ```
//! use pcap_tools::connection::{Chunk, Connection, Consumer, Context, End, Gap, Side, Tracker};
//! use pcap_tools::{capture::Reader, craft, packet::{Decoder, Packet}};
//!
//! /// Collects what the client sends.
//! #[derive(Default)]
//! struct Collect(Vec<u8>);
//!
//! impl Consumer<Vec<String>> for Collect {
//!     fn chunk(&mut self, context: &Context, side: Side, chunk: Chunk<'_>, _: &mut Vec<String>) {
//!         if context.client == Some(side) {
//!             self.0.extend(chunk.bytes);
//!         }
//!     }
//!     fn gap(&mut self, _: &Context, _: Side, _: Gap, _: &mut Vec<String>) {}
//!     fn end(&mut self, _: &Context, _: Side, _: End, _: &mut Vec<String>) {}
//!     fn closed(&mut self, connection: Connection, out: &mut Vec<String>) {
//!         out.push(format!("{}: {}", connection.stream, String::from_utf8_lossy(&self.0)));
//!     }
//! }
//!
//! let mut talk = craft::Conversation::new("127.0.0.1:55433".parse()?, "127.0.0.1:5031".parse()?);
//! talk.handshake().client(b"GET / ").client(b"HTTP/1.1\r\n\r\n");
//! talk.segments.swap(3, 4); // the capture has the second part first
//! let mut reader = Reader::new(std::io::Cursor::new(craft::capture(&talk.packets())))?;
//! let (mut decoder, mut tracker, mut out) = (Decoder::default(), Tracker::<Collect>::default(), Vec::new());
//! while let Some(frame) = reader.next_frame()? {
//!     if let Packet::Tcp(segment) = decoder.decode(&frame) {
//!         tracker.push(&segment, &mut out);
//!     }
//! }
//! tracker.finish(&mut out);
//! assert_eq!(out, ["0: GET / HTTP/1.1\r\n\r\n"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod flow;
mod live;
mod table;

use crate::packet::{Endpoint, Segment, SeqNumber};
use crate::time::{Mark, Time};
use live::{Phase, Slot};
use table::Table;

pub use flow::FlowStats;

/// A closed connection waits this long for stragglers before it is summarised, in nanoseconds.
const LINGER: i64 = 3_000_000_000;
/// … and so many of them wait at the most.
const MAX_LINGERING: usize = 1 << 14;
/// Of those whose FINs are acknowledged, fewer wait: nothing is expected of them, and what was touched
/// lately is summarised sooner.
const MAX_SETTLED: usize = 256;
/// So many summarised connections are remembered, so that a late segment does not count as a new one.
const MAX_RETIRED: usize = 1 << 14;

/// One of the two ends of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// The sender of the first frame that was captured.
    One,
    /// The other.
    Two,
}

impl Side {
    /// Both, in order.
    pub const BOTH: [Side; 2] = [Side::One, Side::Two];

    /// The opposite end.
    pub fn other(self) -> Side {
        match self {
            Side::One => Side::Two,
            Side::Two => Side::One,
        }
    }
}

/// A pair of values, one for each end (for what it sent).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pair<T>(pub [T; 2]);

impl<T> std::ops::Index<Side> for Pair<T> {
    type Output = T;

    fn index(&self, side: Side) -> &T {
        &self.0[side as usize]
    }
}

impl<T> std::ops::IndexMut<Side> for Pair<T> {
    fn index_mut(&mut self, side: Side) -> &mut T {
        &mut self.0[side as usize]
    }
}

/// The three-way handshake as captured (RFC 9293 §3.5); what was not captured is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Handshake {
    /// The first SYN.
    pub syn: Option<Mark>,
    /// The first SYN-ACK.
    pub syn_ack: Option<Mark>,
    /// The first segment of the client that acknowledges the SYN-ACK; it may carry data.
    pub ack: Option<Mark>,
    /// Frames of SYNs sent again, at most [`Handshake::MAX_REPEATED`].
    pub repeated_syns: Vec<u64>,
    /// Frames of SYN-ACKs sent again, at most [`Handshake::MAX_REPEATED`].
    pub repeated_syn_acks: Vec<u64>,
}

impl Handshake {
    /// How many repetitions are listed.
    pub const MAX_REPEATED: usize = 100;

    /// Whether all three were captured.
    pub fn complete(&self) -> bool {
        self.syn.is_some() && self.syn_ack.is_some() && self.ack.is_some()
    }

    /// From the first SYN to the ACK: Wireshark's initial round-trip time, in nanoseconds.
    pub fn rtt(&self) -> Option<i64> {
        self.syn_ack?;
        self.ack?.time.since(self.syn?.time)
    }
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseKind {
    /// At least one end sent FIN, and nobody RST.
    Fin,
    /// An end sent RST before both had sent FIN.
    Rst,
    /// Neither was captured.
    Open,
}

/// FIN and RST as captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Close {
    /// The first FIN of each end.
    pub fins: Pair<Option<Mark>>,
    /// The first RST, and who sent it.
    pub rst: Option<(Side, Mark)>,
    /// Whether the RST came before both FINs.
    pub aborted: bool,
    /// Whether the second FIN does not acknowledge the first.
    pub crossed: bool,
}

impl Close {
    /// How the connection ended.
    pub fn kind(&self) -> CloseKind {
        match self.fins.0 {
            _ if self.aborted => CloseKind::Rst,
            [None, None] => CloseKind::Open,
            _ => CloseKind::Fin,
        }
    }

    /// Who ended it: the sender of the RST, or else of the first FIN.
    pub fn first_by(&self) -> Option<Side> {
        match (self.kind(), self.fins.0) {
            (CloseKind::Open, _) => None,
            (CloseKind::Rst, _) => self.rst.map(|(side, _)| side),
            (CloseKind::Fin, [Some(one), Some(two)]) if two.frame < one.frame => Some(Side::Two),
            (CloseKind::Fin, [one, _]) => Some(if one.is_some() { Side::One } else { Side::Two }),
        }
    }

    /// Whether each end sent its FIN before it had received the other's (RFC 9293 §3.6, case 3).
    pub fn is_simultaneous(&self) -> bool {
        self.crossed
    }

    /// Frames of the first FIN of each end and of the RST that aborted, in order.
    pub fn frames(&self) -> Vec<u64> {
        let rst = self.rst.filter(|_| self.aborted).map(|(_, mark)| mark);
        let mut frames: Vec<u64> = self.fins.0.into_iter().chain([rst]).flatten().map(|mark| mark.frame).collect();
        frames.sort_unstable();
        frames
    }
}

/// A connection, summarised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// As Wireshark's `tcp.stream`, from 0.
    pub stream: u64,
    /// Who talks.
    pub ends: Pair<Endpoint>,
    /// The client, where a SYN or SYN-ACK tells.
    pub client: Option<Side>,
    /// Its beginning.
    pub handshake: Handshake,
    /// Its end.
    pub close: Close,
    /// What each end sent.
    pub flows: Pair<FlowStats>,
    /// Its first frame.
    pub first: Mark,
    /// Its last frame.
    pub last: Mark,
}

/// What a consumer needs to know of its connection.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// As Wireshark's `tcp.stream`.
    pub stream: u64,
    /// Who talks.
    pub ends: Pair<Endpoint>,
    /// The client, where a SYN or SYN-ACK tells.
    pub client: Option<Side>,
}

/// Ordered bytes of one direction, in the piece in which they were sent.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// What was captured.
    pub bytes: &'a [u8],
    /// How many more bytes of the segment were sent and then cut off by the snap length.
    pub cut: u32,
    /// The frame that brought them.
    pub mark: Mark,
    /// Bytes of this direction before them.
    pub offset: u64,
    /// Bytes of the other direction that the sender had received; `None` without ACK.
    pub acked: Option<i64>,
}

/// Bytes that were sent but never captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Bytes of the direction before it.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// The frame that shows it: the first one behind it.
    pub mark: Mark,
}

/// Why a direction brings nothing more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndKind {
    /// Its sender has finished.
    Fin,
    /// One end has reset the connection.
    Rst,
    /// The capture shows nothing more of it.
    Unseen,
}

/// The end of a direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// Why.
    pub kind: EndKind,
    /// The frame with the FIN or RST; the connection's last frame if neither was seen.
    pub mark: Mark,
}

/// What reads a connection's bytes. `O` is where it puts what it finds.
pub trait Consumer<O>: Default {
    /// The next bytes of a direction.
    fn chunk(&mut self, context: &Context, side: Side, chunk: Chunk<'_>, out: &mut O);
    /// Bytes of a direction were never captured; what follows comes after them.
    fn gap(&mut self, context: &Context, side: Side, gap: Gap, out: &mut O);
    /// Nothing more comes in this direction.
    fn end(&mut self, context: &Context, side: Side, end: End, out: &mut O);
    /// Whether no message is at hand that may turn out to have been complete in a frame that has passed.
    fn is_settled(&self) -> bool {
        true
    }
    /// Both directions have ended, and this is the summary.
    fn closed(&mut self, connection: Connection, out: &mut O);
}

/// Where a segment belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The connection, as Wireshark's `tcp.stream`.
    pub stream: u64,
    /// The tracker's memory of the connection; another connection may have it once this one is forgotten.
    pub slot: u32,
    /// The sender.
    pub side: Side,
}

/// Assigns segments to connections.
///
/// Memory grows with the open connections and with what they hold back, within limits.
pub struct Tracker<C> {
    table: Table,
    slots: Vec<Slot<C>>,
    free: Vec<u32>,
    streams: u64,
    /// Closed, and waiting for stragglers: slot and stream.
    lingering: std::collections::VecDeque<(u32, u64, Time)>,
    /// Those of them of which nothing is expected any more.
    settled: std::collections::VecDeque<(u32, u64)>,
    /// Summarised, and remembered: slot and stream.
    retired: std::collections::VecDeque<(u32, u64)>,
    /// Bytes that all connections hold back.
    held: usize,
}

impl<C> Default for Tracker<C> {
    fn default() -> Self {
        Self {
            table: Table::default(),
            slots: Vec::new(),
            free: Vec::new(),
            streams: 0,
            lingering: Default::default(),
            settled: Default::default(),
            retired: Default::default(),
            held: 0,
        }
    }
}

impl<C> Tracker<C> {
    /// How many connections began so far.
    pub fn streams(&self) -> u64 {
        self.streams
    }

    /// Takes the next segment of the capture; returns where it belongs.
    pub fn push<O>(&mut self, segment: &Segment<'_>, out: &mut O) -> Place
    where
        C: Consumer<O>,
    {
        self.retire_lingering(segment.mark.time, out);
        let (index, side) = self.find(segment, out);
        let slot = &mut self.slots[index as usize];
        let stream = slot.stream;
        let begun_anew = slot.is_begun_anew(segment);
        slot.note_base(side, segment);
        if let Some(live) = &mut slot.live {
            if begun_anew {
                live.reopen();
            }
            let before = live.held();
            let phase = live.phase();
            live.push(side, segment, self.held, out);
            self.held = self.held + live.held() - before;
            let reached = live.phase();
            if phase == Phase::Open && reached != Phase::Open {
                self.lingering.push_back((index, stream, segment.mark.time));
            }
            if phase != Phase::Settled && reached == Phase::Settled {
                self.settled.push_back((index, stream));
            }
        }
        Place { stream, slot: index, side }
    }

    /// Whether all is known of the connection's frames so far: nothing is held back, and no message is at hand that
    /// may turn out to have been complete in a frame that has passed.
    pub fn is_settled<O>(&self, place: Place) -> bool
    where
        C: Consumer<O>,
    {
        let slot = &self.slots[place.slot as usize];
        slot.stream != place.stream || slot.live.as_ref().is_none_or(|live| live.is_settled::<O>())
    }

    /// The sequence numbers that both directions of a connection began with, where a segment has told them: of the
    /// SYN or, where none was captured, before the first byte.
    pub fn bases(&self, place: Place) -> Pair<Option<SeqNumber>> {
        self.slots[place.slot as usize].base
    }

    /// Summarises what is closed, without waiting for stragglers: a live input has nothing more just now.
    pub fn idle<O>(&mut self, out: &mut O)
    where
        C: Consumer<O>,
    {
        while let Some((index, stream, _)) = self.lingering.pop_front() {
            self.retire_closed(index, stream, out);
        }
        self.settled.clear();
    }

    /// Summarises every connection that is left: the capture has ended.
    pub fn finish<O>(&mut self, out: &mut O)
    where
        C: Consumer<O>,
    {
        let mut left: Vec<(u64, u32)> =
            (0..).zip(&self.slots).filter(|(_, slot)| slot.live.is_some()).map(|(index, slot)| (slot.stream, index)).collect();
        left.sort_unstable();
        for (stream, index) in left {
            self.retire(index, stream, out);
        }
        self.lingering.clear();
    }

    /// The slot of a segment's connection, begun if there is none, and the sender's side.
    fn find<O>(&mut self, segment: &Segment<'_>, out: &mut O) -> (u32, Side)
    where
        C: Consumer<O>,
    {
        let key = table::Key::of(segment);
        if let Some(index) = self.table.get(&key) {
            let slot = &self.slots[index as usize];
            let side = if slot.ends.0[0] == segment.source { Side::One } else { Side::Two };
            // Both ends may be the same (a socket connected to itself): then every frame is the first end's.
            if !slot.is_new_connection(side, segment) {
                return (index, side);
            }
            let stream = slot.stream;
            self.retire(index, stream, out);
        }
        let slot = Slot::new(self.streams, segment);
        self.streams += 1;
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 connections are open")
            }
        };
        self.table.insert(key, index);
        (index, Side::One)
    }

    fn retire_lingering<O>(&mut self, now: Time, out: &mut O)
    where
        C: Consumer<O>,
    {
        while let Some(&(index, stream, closed)) = self.lingering.front() {
            if self.lingering.len() <= MAX_LINGERING && now.since(closed).is_none_or(|waited| waited < LINGER) {
                break;
            }
            self.lingering.pop_front();
            self.retire_closed(index, stream, out);
        }
        while self.settled.len() > MAX_SETTLED
            && let Some((index, stream)) = self.settled.pop_front()
        {
            self.retire_closed(index, stream, out);
        }
    }

    /// Summarises a connection that waited for stragglers, unless it began anew.
    fn retire_closed<O>(&mut self, index: u32, stream: u64, out: &mut O)
    where
        C: Consumer<O>,
    {
        let slot = &self.slots[index as usize];
        if slot.stream == stream && slot.live.as_ref().is_some_and(|live| live.is_closed()) {
            self.retire(index, stream, out);
        }
    }

    /// Summarises a connection, if its slot still is that connection's.
    fn retire<O>(&mut self, index: u32, stream: u64, out: &mut O)
    where
        C: Consumer<O>,
    {
        let slot = &mut self.slots[index as usize];
        if slot.stream != stream {
            return;
        }
        let Some(live) = slot.live.take() else { return };
        self.held -= live.held();
        live.finish(out);
        self.retired.push_back((index, stream));
        if self.retired.len() > MAX_RETIRED {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((index, stream)) = self.retired.pop_front()
            && self.slots[index as usize].stream == stream
        {
            let key = table::Key::between(&self.slots[index as usize].ends);
            // The tuple may have been taken over by a later connection.
            if self.table.get(&key) == Some(index) {
                self.table.remove(&key);
            }
            self.free.push(index);
        }
    }
}
