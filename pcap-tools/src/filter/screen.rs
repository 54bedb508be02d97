//! Screening: frames and messages of a capture in, decisions in the order of the frames out.
//!
//! Most frames are decided when they are read. A frame waits where something may still be found out about it: bytes
//! of its connection are held back, its message's end is not certain, or the filter asks for a request's answer.
//! Then its bytes are kept, and the frames behind it wait with their decisions.

use std::collections::{HashMap, HashSet, VecDeque};

use super::analysis::{Derived, Sequences};
use super::facts::{Envelope, Facts, Tcp};
use super::record::{Tally, TlsRecord};
use super::spoken::Spoken;
use super::{Filter, Needs};
use crate::capture::Content;
use crate::connection::{Connection, Context, Side};
use crate::exchange::{Exchange, Heard, Protocol, Seen, Sink, Talk};
use crate::finding::Finding;
use crate::packet::{Other, Packet};
use crate::time::{Mark, Time};

/// So many frames wait at the most; then the oldest is decided by what is known.
const MAX_WAITING: usize = 1 << 16;
/// … and so many bytes are kept of them.
const MAX_KEPT: usize = 64 << 20;
/// Findings that wait for the end of a connection.
const MAX_FINDINGS: usize = 1000;
/// Bytes of each body that filters can look into.
const MAX_BODY: usize = 1 << 20;
/// … and so many that the command of a BREW takes.
const MAX_COMMAND: usize = 64;

/// Times that a frame's own is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Of the first frame.
    pub first: Time,
    /// Of the frame before.
    pub previous: Time,
    /// Of the last frame that passed, if one did.
    pub displayed: Option<Time>,
}

/// What becomes of a frame: `V` is what a view keeps of one that passes.
#[derive(Debug)]
pub(crate) struct Decided<V> {
    pub number: u64,
    pub stream: Option<u64>,
    pub len: u32,
    /// `None` if it does not pass.
    pub view: Option<V>,
}

/// A frame in line.
enum Waiting<V> {
    Decided(Decided<V>),
    Undecided(Box<Kept>),
}

/// What is kept of a frame that is not decided yet.
struct Kept {
    number: u64,
    time: Time,
    original_len: u32,
    content: Content,
    clock: Clock,
    other: Option<Other>,
    derived: Option<Derived>,
    payload_len: u32,
    data: Vec<u8>,
    /// The bytes of a TCP segment, and how many of the last ones are payload.
    segment: Vec<u8>,
    captured_payload_len: usize,
    messages: Vec<Spoken>,
    records: Vec<TlsRecord>,
}

impl Kept {
    fn facts(&self) -> Facts<'_> {
        let envelope = Envelope {
            number: self.number,
            time: self.time,
            original_len: self.original_len,
            data: &self.data,
            content: self.content,
            clock: self.clock,
        };
        let payload = &self.segment[self.segment.len() - self.captured_payload_len..];
        let tcp = self.derived.map(|derived| Tcp { bytes: &self.segment, payload, payload_len: self.payload_len, derived });
        Facts::new(envelope, self.other, tcp, &self.messages, &self.records)
    }

    fn cost(&self) -> usize {
        self.data.len() + self.segment.len()
    }
}

/// Decides frames by a filter; what is shown of a frame that passes is told by `view`.
pub(crate) struct Screen<V> {
    filter: Filter,
    needs: Needs,
    view: fn(&Facts<'_>) -> V,
    sequences: Sequences,
    tally: Tally,
    /// What was completed since the last frame.
    messages: Vec<Spoken>,
    records: Vec<TlsRecord>,
    clock: Option<Clock>,
    waiting: VecDeque<Waiting<V>>,
    /// Undecided frames by connection.
    unsettled: HashMap<u64, Vec<u64>>,
    /// Requests whose answers are asked for and have not come, by connection.
    unanswered: HashMap<u64, u64>,
    kept: usize,
}

impl<V> Screen<V> {
    pub fn new(filter: Filter, needs: Needs, view: fn(&Facts<'_>) -> V) -> Self {
        Self {
            filter,
            needs,
            view,
            sequences: Sequences::default(),
            tally: Tally::default(),
            messages: Vec::new(),
            records: Vec::new(),
            clock: None,
            waiting: VecDeque::new(),
            unsettled: HashMap::new(),
            unanswered: HashMap::new(),
            kept: 0,
        }
    }

    /// Bytes of each body that are asked for.
    pub fn body_limit(&self, protocol: Protocol) -> usize {
        match (self.needs.bodies, self.needs.commands) {
            (true, _) => MAX_BODY,
            (false, true) if protocol == Protocol::Htcpcp => MAX_COMMAND,
            _ => 0,
        }
    }

    /// Takes note of a message that is complete, usually in the frame at hand.
    pub fn message(&mut self, heard: Heard<'_>) {
        if self.needs.messages {
            if self.needs.answers && heard.message.head.is_request() {
                *self.unanswered.entry(heard.stream).or_default() += 1;
            }
            let request = heard.request.filter(|_| self.needs.requests);
            self.messages.push(Spoken::new(Heard { request, ..heard }));
        }
    }

    /// Takes note of bytes of TLS.
    pub fn encrypted(&mut self, context: &Context, side: Side, bytes: &[u8], mark: Mark) {
        if self.needs.tls {
            self.records.extend(self.tally.push(context.stream, side, bytes, mark));
        }
    }

    /// Takes note of an exchange: a request's answer has come, or never will.
    pub fn exchange(&mut self, exchange: &Exchange) {
        let Some(request) = exchange.complete_request().filter(|_| self.needs.answers) else { return };
        if let Some(unanswered) = self.unanswered.get_mut(&exchange.stream) {
            *unanswered = unanswered.saturating_sub(1);
        }
        let answer = exchange.complete_response().map(|response| response.last.frame);
        let is_it = |spoken: &&mut Spoken| {
            spoken.message.head.is_request() && spoken.message.offset == request.offset && spoken.stream == exchange.stream
        };
        // Not in line yet, if the answer was complete before the request.
        let spoken = if self.place(request.last.frame).is_none() {
            self.messages.iter_mut().find(is_it)
        } else {
            self.undecided(request.last.frame).and_then(|kept| kept.messages.iter_mut().find(is_it))
        };
        if let Some(spoken) = spoken {
            spoken.answered_in = answer;
        }
    }

    /// Takes the next frame.
    pub fn frame(&mut self, seen: Seen<'_>) {
        let frame = seen.frame;
        let clock = self.clock.get_or_insert(Clock { first: frame.time, previous: frame.time, displayed: None });
        let clock = std::mem::replace(clock, Clock { previous: frame.time, ..*clock });
        self.file_late(frame.number);
        let envelope = Envelope {
            number: frame.number,
            time: frame.time,
            original_len: frame.original_len,
            data: frame.data,
            content: frame.content,
            clock,
        };
        let (other, tcp) = match (seen.packet, seen.place) {
            (Packet::Tcp(segment), Some(place)) => {
                let derived =
                    if self.needs.sequences { self.sequences.add(segment, place, seen.bases) } else { Derived::without_history(place) };
                (None, Some(Tcp { bytes: segment.bytes, payload: segment.payload, payload_len: segment.payload_len, derived }))
            }
            (Packet::Other(other), _) => (Some(*other), None),
            (Packet::Tcp(_), None) => (None, None),
        };
        let stream = seen.place.map(|place| place.stream);
        let messages = std::mem::take(&mut self.messages);
        let records = std::mem::take(&mut self.records);
        let listens = self.needs.messages || self.needs.tls;
        let settled = !listens || seen.settled && stream.is_none_or(|stream| self.unanswered.get(&stream).is_none_or(|count| *count == 0));
        if settled || tcp.is_none() {
            let facts = Facts::new(envelope, other, tcp, &messages, &records);
            let passes = self.filter.accepts(&facts);
            if passes && let Some(clock) = &mut self.clock {
                clock.displayed = Some(frame.time);
            }
            let view = passes.then(|| (self.view)(&facts));
            self.waiting.push_back(Waiting::Decided(Decided { number: frame.number, stream, len: frame.original_len, view }));
            if let Some(stream) = stream.filter(|_| !self.unsettled.is_empty()) {
                self.settle(stream);
            }
        } else {
            self.keep(envelope, tcp, messages, records);
        }
        if (self.waiting.len() > MAX_WAITING || self.kept > MAX_KEPT)
            && let Some(Waiting::Undecided(oldest)) = self.waiting.front()
        {
            self.decide(oldest.number);
        }
    }

    /// Messages whose completing frame has passed go to that frame, if it is still undecided.
    fn file_late(&mut self, now: u64) {
        let mut at = 0;
        while at < self.messages.len() {
            if self.messages[at].message.last.frame == now {
                at += 1;
                continue;
            }
            let spoken = self.messages.remove(at);
            if let Some(kept) = self.undecided(spoken.message.last.frame) {
                kept.messages.push(spoken);
            }
        }
        let mut at = 0;
        while at < self.records.len() {
            if self.records[at].mark.frame == now {
                at += 1;
                continue;
            }
            let record = self.records.remove(at);
            if let Some(kept) = self.undecided(record.mark.frame) {
                kept.records.push(record);
            }
        }
    }

    fn keep(&mut self, envelope: Envelope<'_>, tcp: Option<Tcp<'_>>, messages: Vec<Spoken>, records: Vec<TlsRecord>) {
        let Envelope { number, time, original_len, data, content, clock } = envelope;
        let kept = Kept {
            number,
            time,
            original_len,
            content,
            clock,
            other: None,
            derived: tcp.map(|tcp| tcp.derived),
            payload_len: tcp.map_or(0, |tcp| tcp.payload_len),
            data: data.to_vec(),
            segment: tcp.map_or(Vec::new(), |tcp| tcp.bytes.to_vec()),
            captured_payload_len: tcp.map_or(0, |tcp| tcp.payload.len()),
            messages,
            records,
        };
        self.kept += kept.cost();
        if let Some(tcp) = tcp {
            self.unsettled.entry(tcp.derived.stream).or_default().push(number);
        }
        self.waiting.push_back(Waiting::Undecided(Box::new(kept)));
    }

    /// The place in line of a frame.
    fn place(&self, number: u64) -> Option<usize> {
        let first = match self.waiting.front()? {
            Waiting::Decided(decided) => decided.number,
            Waiting::Undecided(kept) => kept.number,
        };
        usize::try_from(number.checked_sub(first)?).ok().filter(|place| *place < self.waiting.len())
    }

    fn undecided(&mut self, number: u64) -> Option<&mut Kept> {
        let place = self.place(number)?;
        match &mut self.waiting[place] {
            Waiting::Undecided(kept) => Some(kept),
            Waiting::Decided(_) => None,
        }
    }

    /// Decides the frames of a connection of which all is known.
    fn settle(&mut self, stream: u64) {
        for number in self.unsettled.remove(&stream).unwrap_or_default() {
            self.decide(number);
        }
    }

    /// Decides a frame by what is known of it.
    fn decide(&mut self, number: u64) {
        let Some(place) = self.place(number) else { return };
        let Waiting::Undecided(kept) = &self.waiting[place] else { return };
        self.kept -= kept.cost();
        let facts = kept.facts();
        let view = self.filter.accepts(&facts).then(|| (self.view)(&facts));
        let stream = kept.derived.map(|derived| derived.stream);
        let len = kept.original_len;
        self.waiting[place] = Waiting::Decided(Decided { number, stream, len, view });
    }

    /// A connection has ended.
    pub fn closed(&mut self, stream: u64) {
        self.unanswered.remove(&stream);
        self.tally.forget(stream);
        // Connections end before the next frame is looked at, so that whatever is told is told of earlier ones.
        self.file_late(Mark::NONE.frame);
        self.settle(stream);
    }

    /// The frames that are decided, in order.
    pub fn next(&mut self) -> Option<Decided<V>> {
        match self.waiting.front()? {
            Waiting::Undecided(_) => None,
            Waiting::Decided(_) => match self.waiting.pop_front() {
                Some(Waiting::Decided(decided)) => Some(decided),
                _ => None,
            },
        }
    }
}

/// Hands on what a filter selects: connections with a frame that passes, and exchanges with a message that begins or
/// is complete in one.
///
/// Numbers of a connection are those of the whole connection, whichever of its frames pass.
pub struct Select<S> {
    sink: S,
    screen: Screen<()>,
    /// Which frames passed: a bit each.
    passed: Vec<u64>,
    /// Connections that had a frame that passed.
    streams: HashSet<u64>,
    /// The last frame that is decided.
    decided: u64,
    /// What was odd on connections that have not ended.
    findings: HashMap<u64, Vec<Finding>>,
    /// Results whose frames are not all decided, in order.
    held: VecDeque<Held>,
    selection: Selection,
}

/// What a filter let through of a capture.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Selection {
    /// The filter, as it was written.
    pub filter: String,
    /// Frames that passed.
    pub packets: u64,
    /// Their lengths on the wire, in bytes.
    pub bytes: u64,
}

enum Held {
    Exchange(Box<Exchange>),
    Connection(Box<(Connection, Talk)>),
    /// One that belongs to no connection.
    Finding(Finding),
}

impl Held {
    /// The last frame that has to be decided before it can be.
    fn last_frame(&self) -> u64 {
        match self {
            Self::Exchange(exchange) => frames_of(exchange).max().unwrap_or(0),
            Self::Connection(ended) => ended.0.last.frame,
            Self::Finding(finding) => finding.frame.unwrap_or(0),
        }
    }
}

/// The frames that an exchange's messages begin and are complete in.
fn frames_of(exchange: &Exchange) -> impl Iterator<Item = u64> {
    exchange.request.iter().chain(&exchange.interim).chain(&exchange.response).flat_map(|message| [message.first.frame, message.last.frame])
}

impl<S: Sink> Select<S> {
    /// What passes goes to `sink`.
    pub fn new(filter: Filter, sink: S) -> Self {
        let needs = filter.needs();
        let selection = Selection { filter: filter.as_str().to_owned(), packets: 0, bytes: 0 };
        Self {
            sink,
            screen: Screen::new(filter, needs, |_| ()),
            passed: Vec::new(),
            streams: HashSet::new(),
            decided: 0,
            findings: HashMap::new(),
            held: VecDeque::new(),
            selection,
        }
    }

    /// When the capture has ended: what passed, and the sink.
    pub fn finish(mut self) -> (Selection, S) {
        self.hand_on();
        (self.selection, self.sink)
    }

    fn has_passed(&self, frame: u64) -> bool {
        self.passed.get(frame as usize / 64).is_some_and(|bits| bits >> (frame % 64) & 1 != 0)
    }

    fn hold(&mut self, held: Held) {
        self.held.push_back(held);
        self.hand_on();
    }

    /// Takes decisions, and hands on what they decide.
    fn hand_on(&mut self) {
        while let Some(decided) = self.screen.next() {
            self.decided = decided.number;
            if decided.view.is_some() {
                self.selection.packets += 1;
                self.selection.bytes += u64::from(decided.len);
                let word = decided.number as usize / 64;
                if self.passed.len() <= word {
                    self.passed.resize(word + 1, 0);
                }
                self.passed[word] |= 1 << (decided.number % 64);
                self.streams.extend(decided.stream);
            }
        }
        while self.held.front().is_some_and(|held| held.last_frame() <= self.decided)
            && let Some(held) = self.held.pop_front()
        {
            match held {
                Held::Exchange(exchange) => {
                    if frames_of(&exchange).any(|frame| self.has_passed(frame)) {
                        self.sink.exchange(*exchange);
                    }
                }
                Held::Connection(ended) => {
                    let (connection, talk) = *ended;
                    let findings = self.findings.remove(&connection.stream).unwrap_or_default();
                    if self.streams.remove(&connection.stream) {
                        findings.into_iter().for_each(|finding| self.sink.finding(finding));
                        self.sink.connection(connection, talk);
                    }
                }
                Held::Finding(finding) => {
                    if finding.frame.is_none_or(|frame| self.has_passed(frame)) {
                        self.sink.finding(finding);
                    }
                }
            }
        }
    }
}

impl<S: Sink> Sink for Select<S> {
    const WATCHES: bool = true;

    fn exchange(&mut self, exchange: Exchange) {
        self.screen.exchange(&exchange);
        self.hold(Held::Exchange(Box::new(exchange)));
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.screen.closed(connection.stream);
        self.hold(Held::Connection(Box::new((connection, talk))));
    }

    fn finding(&mut self, finding: Finding) {
        let Some(stream) = finding.stream else { return self.hold(Held::Finding(finding)) };
        let findings = self.findings.entry(stream).or_default();
        if findings.len() < MAX_FINDINGS {
            findings.push(finding);
        }
    }

    fn message(&mut self, heard: Heard<'_>) {
        self.screen.message(heard);
    }

    fn encrypted(&mut self, context: &Context, side: Side, bytes: &[u8], mark: Mark) {
        self.screen.encrypted(context, side, bytes, mark);
    }

    fn frame(&mut self, seen: Seen<'_>) {
        self.screen.frame(seen);
        self.hand_on();
    }

    fn body_limit(&self, protocol: Protocol) -> usize {
        self.screen.body_limit(protocol).max(self.sink.body_limit(protocol))
    }

    fn idle(&mut self) {
        self.sink.idle();
    }

    fn is_closed(&self) -> bool {
        self.sink.is_closed()
    }
}
