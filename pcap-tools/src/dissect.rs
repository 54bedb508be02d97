//! Dissection: a capture in, the tree of every frame out, made by built-in dissectors and those in Lua.
//!
//! What only a connection can tell (streams, relative numbers, what was sent again) comes from the tracking and the
//! sequence analysis that filters use, too; [`Host`] dissects. In two passes every frame is dissected twice, so that the
//! second time is told what the first has found: for that the capture is opened twice.
//!
//! ```
//! use dissector_lua::host::{Host, Options, Shown};
//! use pcap_tools::{capture::Reader, craft, dissect::{self, Displayed, Passes}};
//!
//! let mut talk = craft::Conversation::new("127.0.0.1:55433".parse()?, "127.0.0.1:5031".parse()?);
//! talk.handshake().client(b"GET / HTTP/1.1\r\n\r\n");
//! let file = craft::capture(&talk.packets());
//! let mut host = Host::new(&Options::default())?;
//! host.show_trees(Shown::Whole);
//! let mut protocols = 0;
//! dissect::run(|| Reader::new(std::io::Cursor::new(file.clone())), &mut host, Passes::One, |host| {
//!     host.look(|view| protocols += view.protocols().count());
//!     Ok(Displayed::Yes)
//! })?;
//! assert_eq!(protocols, 4 * 4 + 1, "frame, null, ip and tcp of each, and the request as data");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;

use dissector_lua::host::Host;
use dissector_lua::host::desegment::Pass;
use dissector_lua::host::frame::{Datagram, Fragment, Frame, Remarks, Segment};

use crate::capture::{self, Content, Damage, OpenError, Reader};
use crate::connection::{Chunk, Connection, Consumer, Context, End, Gap, Place, Side, Tracker};
use crate::filter::analysis::{Derived, Sequences};
use crate::finding::Finding;
use crate::packet::{Decoder, Packet};
use crate::time::Time;

/// Odd things about the file that are kept.
const MAX_FINDINGS: usize = 1000;

/// How often a capture is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passes {
    /// Once.
    One,
    /// Twice, as `tshark -2` does: the second time shows.
    Two,
}

/// Whether a frame is shown to anybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Displayed {
    /// It is: `frame.time_delta_displayed` of the next counts from it.
    Yes,
    /// It is not.
    No,
}

/// What was odd about the file itself.
#[derive(Debug, Default)]
pub struct Reading {
    /// Findings, in their order; at most 1,000.
    pub findings: Vec<Finding>,
    /// Why it could not be read to its end.
    pub damage: Option<Damage>,
}

/// Why a capture was not dissected to its end.
#[derive(Debug)]
pub enum Error {
    /// It could not be opened.
    Open(OpenError),
    /// What was found could not be handed on.
    Output(io::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(_) => f.write_str("the capture cannot be opened"),
            Self::Output(_) => f.write_str("the output cannot be written"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open(error) => Some(error),
            Self::Output(error) => Some(error),
        }
    }
}

/// Dissects every frame of a capture; `each` looks at the host behind each frame that is shown.
///
/// `open` is called once for each pass. Errors: the capture cannot be opened, or `each` fails, which ends it all.
pub fn run(
    mut open: impl FnMut() -> Result<Reader, OpenError>,
    host: &mut Host,
    passes: Passes,
    mut each: impl FnMut(&mut Host) -> io::Result<Displayed>,
) -> Result<Reading, Error> {
    let mut reader = open().map_err(Error::Open)?;
    host.begin();
    if passes == Passes::Two {
        host.begin_pass(Pass::First);
        Run::new(reader, host).finish(|_| Ok(Displayed::Yes)).map_err(Error::Output)?;
        reader = open().map_err(Error::Open)?;
        host.begin_pass(Pass::Second);
    } else {
        host.begin_pass(Pass::Only);
    }
    Run::new(reader, host).finish(&mut each).map_err(Error::Output)
}

/// One pass over a capture.
struct Run<'a> {
    reader: Reader,
    host: &'a mut Host,
    decoder: Decoder,
    tracker: Tracker<Nobody>,
    sequences: Sequences,
    first: Option<Time>,
    previous: Time,
    displayed: Time,
    fragments: Vec<Fragment>,
    closed: Vec<u64>,
}

impl<'a> Run<'a> {
    fn new(reader: Reader, host: &'a mut Host) -> Self {
        Self {
            reader,
            host,
            decoder: Decoder::default(),
            tracker: Tracker::default(),
            sequences: Sequences::default(),
            first: None,
            previous: Time::UNKNOWN,
            displayed: Time::UNKNOWN,
            fragments: Vec::new(),
            closed: Vec::new(),
        }
    }

    fn finish(mut self, mut each: impl FnMut(&mut Host) -> io::Result<Displayed>) -> io::Result<Reading> {
        let mut reading = Reading::default();
        loop {
            let frame = match self.reader.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(damage) => {
                    reading.damage = Some(damage);
                    break;
                }
            };
            let time = frame.time;
            let segment = match self.decoder.decode(&frame) {
                Packet::Tcp(segment) => {
                    let place = self.tracker.push(&segment, &mut self.closed);
                    let bases = self.tracker.bases(place);
                    let derived = self.sequences.add(&segment, place, bases);
                    Some(facts(&derived, place, time))
                }
                Packet::Other(_) => None,
            };
            let first = *self.first.get_or_insert(time);
            let datagram = self.decoder.datagram(frame.number).map(|(bytes, parts)| {
                self.fragments.clear();
                self.fragments.extend(parts.iter().map(|part| Fragment {
                    frame: part.frame as u32,
                    offset: part.offset as u32,
                    len: part.len as u32,
                }));
                Datagram { bytes, fragments: &self.fragments }
            });
            let since = |earlier: Time| if earlier == Time::UNKNOWN { time.nanos().map(|_| 0) } else { time.since(earlier) };
            self.host.dissect(&Frame {
                relative_time: time.since(first),
                delta_time: since(self.previous),
                displayed_delta_time: since(self.displayed),
                segment,
                datagram,
                ..record(&frame)
            });
            self.previous = time;
            if each(self.host)? == Displayed::Yes {
                self.displayed = time;
            }
            self.closed.drain(..).for_each(|stream| self.host.forget(stream));
            if reading.findings.len() < MAX_FINDINGS {
                reading.findings.extend(self.reader.take_findings());
            }
        }
        reading.findings.extend(self.reader.take_findings());
        Ok(reading)
    }
}

/// What a frame's record says.
fn record<'a>(frame: &capture::Frame<'a>) -> Frame<'a> {
    Frame {
        number: frame.number as u32,
        time: frame.time.nanos(),
        captured: frame.data,
        wire_len: frame.original_len,
        link_type: match frame.content {
            Content::Packet(link_type) => link_type.0,
            // Of no packet, so of no type that anybody knows.
            Content::Record(_) | Content::UnknownInterface => u16::MAX,
        },
        interface: frame.interface.map(|(id, _)| id),
        interface_name: frame.interface.and_then(|(_, interface)| interface.name.as_deref()),
        ..Frame::default()
    }
}

/// What a segment's connection says.
fn facts(derived: &Derived, place: Place, time: Time) -> Segment {
    Segment {
        stream: place.stream as u32,
        side: place.side as u8,
        server_port: derived.server_port,
        relative_sequence: derived.seq,
        next_sequence: derived.next_seq,
        relative_acknowledgment: derived.ack,
        other_base: derived.other_base,
        window: derived.window,
        scale_factor: derived.scale_factor,
        completeness: derived.completeness,
        relative_time: time.since(derived.first),
        delta_time: time.since(derived.previous),
        initial_rtt: derived.initial_rtt,
        remarks: Remarks(derived.flags.bits()),
        duplicate_ack: derived.duplicate.map(|(number, frame)| (number, frame as u32)),
    }
}

/// Reads no bytes: dissectors get them in the order of the capture. Notes the connections that have ended.
#[derive(Default)]
struct Nobody;

impl Consumer<Vec<u64>> for Nobody {
    fn chunk(&mut self, _: &Context, _: Side, _: Chunk<'_>, _: &mut Vec<u64>) {}
    fn gap(&mut self, _: &Context, _: Side, _: Gap, _: &mut Vec<u64>) {}
    fn end(&mut self, _: &Context, _: Side, _: End, _: &mut Vec<u64>) {}
    fn closed(&mut self, connection: Connection, closed: &mut Vec<u64>) {
        closed.push(connection.stream);
    }
}
