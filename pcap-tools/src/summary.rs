//! A whole capture in one pass: a reader and a sink in, results into the sink and the capture's own facts out.
//!
//! ```
//! use pcap_tools::{capture::Reader, craft, exchange::Ports, report::Collect, summary};
//!
//! let mut talk = craft::Conversation::new("127.0.0.1:55433".parse()?, "127.0.0.1:5031".parse()?);
//! talk.handshake().client(b"GET / HTTP/1.1\r\n\r\n").server(b"HTTP/1.1 204 No Content\r\n\r\n");
//! let reader = Reader::new(std::io::Cursor::new(craft::capture(&talk.packets())))?;
//! let (capture, found) = summary::run(reader, Ports::default(), Collect::default());
//! assert_eq!((capture.packets, found.connections.len(), found.exchanges.len()), (5, 1, 1));
//! assert_eq!(found.exchanges[0].response.as_ref().unwrap().last.frame, 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use crate::capture::{Damage, Interface, Next, Reader};
use crate::connection::Tracker;
use crate::exchange::{Conversation, Exchanges, Ports, Seen, Sink};
use crate::filter::Selection;
use crate::finding::{Finding, Kind};
use crate::packet::{Decoder, Other, Packet};
use crate::time::Time;

/// After so many frames, what needs no haste is looked at.
const NOW_AND_THEN: u64 = 1024;

/// What a capture says of itself, and what in it is no TCP.
#[derive(Clone, PartialEq, Debug)]
pub struct Capture {
    /// `pcapng` or `pcap`.
    pub format: &'static str,
    /// `gzip` or `zstd`, where it is compressed.
    pub compression: Option<&'static str>,
    /// Frames.
    pub packets: u64,
    /// Their lengths on the wire, in bytes.
    pub bytes: u64,
    /// The earliest time of a frame.
    pub first_time: Time,
    /// The latest.
    pub last_time: Time,
    /// The interfaces of all sections, in order.
    pub interfaces: Vec<Interface>,
    /// TCP connections.
    pub connections: u64,
    /// Frames that are no TCP segment, by what they are.
    pub others: BTreeMap<Other, Others>,
    /// What a filter let through, where there is one.
    pub selection: Option<Selection>,
    /// Why it could not be read to its end.
    pub damage: Option<Damage>,
}

/// Frames of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Others {
    /// How many.
    pub packets: u64,
    /// The first of them.
    pub first_frame: u64,
}

/// Reads a capture to its end; returns what it says of itself, and the sink.
///
/// Errors: none; damage is part of the result.
pub fn run<S: Sink>(mut reader: Reader, ports: Ports, sink: S) -> (Capture, S) {
    let mut decoder = Decoder::default();
    let mut tracker = Tracker::<Conversation>::default();
    let mut out = Exchanges::new(ports, sink);
    let mut totals = Totals::default();
    let damage = loop {
        match reader.poll_frame() {
            Ok(Next::Frame(frame)) => {
                let number = frame.number;
                totals.add(frame.original_len, frame.time);
                let packet = decoder.decode(&frame);
                let place = match &packet {
                    Packet::Tcp(segment) => Some(tracker.push(segment, &mut out)),
                    Packet::Other(other) => {
                        totals.other(*other, frame.number);
                        None
                    }
                };
                if S::WATCHES {
                    let bases = place.map_or_else(Default::default, |place| tracker.bases(place));
                    let settled = place.is_none_or(|place| tracker.is_settled::<Exchanges<S>>(place));
                    out.sink.frame(Seen { frame: &frame, packet: &packet, place, bases, settled });
                }
                if number % NOW_AND_THEN == 0 {
                    report_reading(&mut reader, &mut decoder, &mut out.sink);
                    if out.sink.is_closed() {
                        break None;
                    }
                }
            }
            Ok(Next::Waiting) => {
                tracker.idle(&mut out);
                out.sink.idle();
                if out.sink.is_closed() {
                    break None;
                }
            }
            Ok(Next::End) => break None,
            Err(damage) => break Some(damage),
        }
    };
    decoder.finish();
    tracker.finish(&mut out);
    report_reading(&mut reader, &mut decoder, &mut out.sink);
    let capture = Capture {
        format: reader.format(),
        compression: reader.compression(),
        packets: reader.frames(),
        bytes: totals.bytes,
        first_time: totals.first,
        last_time: totals.last,
        interfaces: reader.into_interfaces(),
        connections: tracker.streams(),
        others: totals.others,
        selection: None,
        damage,
    };
    (capture, out.sink)
}

/// Hands on what was odd in the file and below TCP; while it is read, since there may be any number.
fn report_reading(reader: &mut Reader, decoder: &mut Decoder, sink: &mut impl Sink) {
    for finding in reader.take_findings() {
        sink.finding(finding);
    }
    for mark in decoder.take_lost_fragments() {
        let message = "fragments of an IP packet that never became whole, or were captured twice".to_owned();
        sink.finding(Finding { kind: Kind::Fragment, frame: Some(mark.frame), stream: None, offset: None, message });
    }
}

struct Totals {
    bytes: u64,
    first: Time,
    last: Time,
    others: BTreeMap<Other, Others>,
}

impl Default for Totals {
    fn default() -> Self {
        Self { bytes: 0, first: Time::UNKNOWN, last: Time::UNKNOWN, others: BTreeMap::new() }
    }
}

impl Totals {
    fn add(&mut self, len: u32, time: Time) {
        self.bytes += u64::from(len);
        if time == Time::UNKNOWN {
            return;
        }
        if time.since(self.first).is_none_or(|after| after < 0) {
            self.first = time;
        }
        if time.since(self.last).is_none_or(|after| after > 0) {
            self.last = time;
        }
    }

    fn other(&mut self, other: Other, frame: u64) {
        self.others.entry(other).or_insert(Others { packets: 0, first_frame: frame }).packets += 1;
    }
}

impl Capture {
    /// From the first to the last frame, in nanoseconds.
    pub fn duration(&self) -> Option<i64> {
        self.last_time.since(self.first_time)
    }
}
