//! Sequence analysis: the segments of each connection in, what Wireshark would remark about each out.
//!
//! Relative numbers, scaled windows, and the conditions by which Wireshark calls a segment a retransmission, a
//! duplicate acknowledgment and so on. [`connection`](crate::connection) counts what really happened; this is for
//! filters and packet lists, which have to say what Wireshark says, a FIN that was sent again included.
//! Source: the Wireshark User's Guide, §7.5 "Analysis".

use super::facts::options;
use super::field::Analysis;
use super::value::Value;
use crate::connection::{Pair, Place, Side};
use crate::packet::{Segment, SeqNumber};
use crate::time::Time;

/// A segment that comes this soon after the last acknowledgment may be a fast retransmission: 20 ms.
const FAST_NANOS: i64 = 20_000_000;
/// Reordering is not expected to take longer, where the round-trip time is unknown: 3 ms.
const REORDERING_NANOS: i64 = 3_000_000;

/// What is remarked about a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Flags(u16);

macro_rules! flags {
    ($($name:ident = $bit:literal, $field:ident, $text:literal;)+) => {
        impl Flags {
            $(const $name: Self = Self(1 << $bit);)+

            /// In the order of Wireshark's Info column.
            fn texts(self) -> impl Iterator<Item = &'static str> {
                [$((Self::$name, $text),)+].into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, text)| text)
            }

            fn of(analysis: Analysis) -> Option<Self> {
                match analysis {
                    $(Analysis::$field => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

flags! {
    RETRANSMISSION = 1, Retransmission, "Retransmission";
    FAST_RETRANSMISSION = 2, FastRetransmission, "Fast Retransmission";
    SPURIOUS_RETRANSMISSION = 3, SpuriousRetransmission, "Spurious Retransmission";
    OUT_OF_ORDER = 4, OutOfOrder, "Out-Of-Order";
    LOST_SEGMENT = 5, LostSegment, "Previous segment not captured";
    ACK_LOST_SEGMENT = 6, AckLostSegment, "ACKed unseen segment";
    WINDOW_UPDATE = 7, WindowUpdate, "Window Update";
    WINDOW_FULL = 8, WindowFull, "Window Full";
    KEEP_ALIVE = 9, KeepAlive, "Keep-Alive";
    KEEP_ALIVE_ACK = 10, KeepAliveAck, "Keep-Alive ACK";
    DUPLICATE_ACK = 11, DuplicateAck, "Dup ACK";
    ZERO_WINDOW_PROBE = 12, ZeroWindowProbe, "ZeroWindowProbe";
    ZERO_WINDOW = 13, ZeroWindow, "ZeroWindow";
    ZERO_WINDOW_PROBE_ACK = 14, ZeroWindowProbeAck, "ZeroWindowProbeAck";
}

impl Flags {
    /// As bits, the first of the list above being bit 1.
    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    fn add(&mut self, flag: Self) {
        self.0 |= flag.0;
    }
}

/// What a segment's connection adds to what its header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Derived {
    /// As Wireshark's `tcp.stream`.
    pub stream: u64,
    /// The sender.
    pub side: Side,
    /// From the beginning of the direction, the SYN being 0.
    pub seq: u32,
    /// Behind the segment, in the same numbers.
    pub next_seq: u32,
    /// In the numbers of the other direction.
    pub ack: u32,
    /// What the other direction begins with.
    pub other_base: u32,
    /// Scaled where the scale is known.
    pub window: u32,
    /// What it is multiplied by; -1 unknown, -2 not at all, `None` for a SYN.
    pub scale_factor: Option<i32>,
    /// The connection's first frame.
    pub first: Time,
    /// The connection's frame before this one.
    pub previous: Time,
    /// What of a conversation was seen before this segment: 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST.
    pub completeness: u8,
    /// What is remarked.
    pub flags: Flags,
    /// Which repetition of which frame's acknowledgment.
    pub duplicate: Option<(u32, u64)>,
    /// The server's port, where a SYN or SYN-ACK has told it.
    pub server_port: Option<u16>,
    /// From SYN to ACK, in nanoseconds, once known; of a segment that is remarked on, carries data or acknowledges
    /// something new.
    pub initial_rtt: Option<i64>,
}

impl Derived {
    /// Of a segment about whose connection nothing else is asked.
    pub fn without_history(place: Place) -> Self {
        Self {
            stream: place.stream,
            side: place.side,
            seq: 0,
            next_seq: 0,
            ack: 0,
            other_base: 0,
            window: 0,
            scale_factor: None,
            first: Time::UNKNOWN,
            previous: Time::UNKNOWN,
            completeness: 0,
            flags: Flags::default(),
            duplicate: None,
            server_port: None,
            initial_rtt: None,
        }
    }

    /// What Wireshark's Info column remarks, without the `TCP` in front.
    pub(crate) fn remarks(&self) -> impl Iterator<Item = String> {
        self.flags.texts().map(|text| match self.duplicate {
            Some((number, frame)) if text == "Dup ACK" => format!("{text} {frame}#{number}"),
            _ => text.to_owned(),
        })
    }

    /// Whether Wireshark takes it for a retransmission, fast and spurious ones included.
    pub(crate) fn is_retransmission(&self) -> bool {
        let kinds = [Flags::RETRANSMISSION, Flags::FAST_RETRANSMISSION, Flags::SPURIOUS_RETRANSMISSION];
        kinds.into_iter().any(|kind| self.flags.has(kind))
    }

    pub(super) fn analysis(&self, analysis: Analysis) -> Option<Value<'static>> {
        match analysis {
            Analysis::Flags => (self.flags != Flags::default()).then_some(Value::Present),
            Analysis::DuplicateAckNumber => self.duplicate.map(|(number, _)| Value::Number(i128::from(number))),
            Analysis::DuplicateAckFrame => self.duplicate.map(|(_, frame)| Value::Number(i128::from(frame))),
            Analysis::InitialRtt => self.initial_rtt.map(|nanos| Value::Number(i128::from(nanos))),
            Analysis::Retransmission => self.is_retransmission().then_some(Value::Present),
            other => Flags::of(other).filter(|flag| self.flags.has(*flag)).map(|_| Value::Present),
        }
    }
}

/// One direction, as far as it was seen.
#[derive(Clone, Copy, Debug)]
struct Direction {
    /// Behind the last segment, once one was seen.
    next: Option<SeqNumber>,
    next_time: Time,
    /// A segment before the last ones was not captured, so that nobody knows what is in flight.
    gap: bool,
    /// Behind all that was sent without a gap before it.
    contiguous: Option<SeqNumber>,
    ack: Option<SeqNumber>,
    ack_time: Time,
    window: u16,
    /// The shift that its SYN announced.
    scale: Option<u8>,
    syn_seen: bool,
    duplicates: u32,
    /// The last frame that did not merely repeat an acknowledgment.
    fresh_ack: u64,
    flags: Flags,
}

impl Direction {
    const NEW: Self = Self {
        next: None,
        next_time: Time::UNKNOWN,
        gap: false,
        contiguous: None,
        ack: None,
        ack_time: Time::UNKNOWN,
        window: 0,
        scale: None,
        syn_seen: false,
        duplicates: 0,
        fresh_ack: 0,
        flags: Flags(0),
    };
}

/// What is remembered of one connection.
#[derive(Clone, Copy, Debug)]
struct Sequence {
    stream: u64,
    first: Time,
    last: Time,
    /// The last SYN, and who sent it.
    syn: Option<(Side, Time)>,
    syn_ack: bool,
    server_port: Option<u16>,
    initial_rtt: Option<i64>,
    completeness: u8,
    directions: Pair<Direction>,
}

/// What is remembered of all connections: as many as the tracker remembers.
#[derive(Default, Debug)]
pub(crate) struct Sequences {
    slots: Vec<Option<Sequence>>,
}

impl Sequences {
    /// Takes the next segment of a connection.
    pub fn add(&mut self, segment: &Segment<'_>, place: Place, bases: Pair<Option<SeqNumber>>) -> Derived {
        let slot = place.slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, None);
        }
        let known = &mut self.slots[slot];
        let time = segment.mark.time;
        if known.is_none_or(|known| known.stream != place.stream) {
            *known = Some(Sequence {
                stream: place.stream,
                first: time,
                last: time,
                syn: None,
                syn_ack: false,
                server_port: None,
                initial_rtt: None,
                completeness: 0,
                directions: Pair([Direction::NEW; 2]),
            });
        }
        let sequence = known.as_mut().expect("it was just made");
        sequence.add(segment, place.side, bases)
    }
}

impl Sequence {
    fn add(&mut self, segment: &Segment<'_>, side: Side, bases: Pair<Option<SeqNumber>>) -> Derived {
        let (flags, mark) = (segment.flags, segment.mark);
        let relative = |number: SeqNumber, side: Side| bases[side].map_or(0, |base| number.0.wrapping_sub(base.0));
        let seq = relative(segment.seq, side);
        let consumed = segment.payload_len + u32::from(flags.syn()) + u32::from(flags.fin());
        let previous = std::mem::replace(&mut self.last, mark.time);
        self.note_handshake(segment, side);
        if flags.syn() {
            let scale = options(segment.header()).find(|(kind, _)| *kind == 3).and_then(|(_, content)| content.first().copied());
            let direction = &mut self.directions[side];
            direction.syn_seen = true;
            direction.scale = scale.map(|shift| shift.min(14));
        }
        let completeness = self.completeness;
        self.complete(segment);
        let acknowledged = self.directions[side].ack;
        let (remarks, duplicate) = self.remark(segment, side);
        let acknowledges = flags.ack() && acknowledged.is_none_or(|before| segment.ack.distance(before) > 0);
        let in_flight = segment.payload_len > 0 && !self.directions[side].gap;
        let analysed = acknowledges || in_flight || remarks != Flags::default();
        let scale_factor = self.scale_factor(side);
        Derived {
            stream: self.stream,
            side,
            seq,
            next_seq: seq.wrapping_add(consumed),
            ack: if flags.ack() { relative(segment.ack, side.other()) } else { segment.ack.0 },
            other_base: bases[side.other()].map_or(0, |base| base.0),
            window: match scale_factor {
                factor @ 1.. if !flags.syn() => u32::from(segment.window) * factor as u32,
                _ => u32::from(segment.window),
            },
            scale_factor: (!flags.syn()).then_some(scale_factor),
            first: self.first,
            previous,
            completeness,
            flags: remarks,
            duplicate,
            server_port: self.server_port,
            initial_rtt: self.initial_rtt.filter(|_| analysed),
        }
    }

    /// The round-trip time of the handshake, from the SYN that was answered, with the ACK that ends it.
    fn note_handshake(&mut self, segment: &Segment<'_>, side: Side) {
        let (flags, time) = (segment.flags, segment.mark.time);
        if flags.syn() {
            let server = if flags.ack() { segment.source } else { segment.destination };
            self.server_port = Some(server.port);
        }
        match (flags.syn(), flags.ack(), self.syn) {
            (true, false, known) if known.is_none_or(|(client, _)| client == side) => self.syn = Some((side, time)),
            (true, true, _) => self.syn_ack = true,
            (false, true, Some((client, syn))) if client == side && self.syn_ack && !flags.rst() => {
                self.initial_rtt = self.initial_rtt.or(time.since(syn));
            }
            _ => {}
        }
    }

    fn complete(&mut self, segment: &Segment<'_>) {
        let flags = segment.flags;
        let seen = match (flags.syn(), flags.ack()) {
            (true, false) => 1,
            (true, true) => 2,
            (false, true) => 4,
            (false, false) => 0,
        };
        let more = [(segment.payload_len > 0, 8), (flags.fin(), 16), (flags.rst(), 32)];
        self.completeness |= more.into_iter().filter(|(there, _)| *there).fold(seen, |bits, (_, bit)| bits | bit);
    }

    /// What the window of this direction is multiplied by; -1 unknown, -2 not at all (RFC 7323 §2.2).
    fn scale_factor(&self, side: Side) -> i32 {
        let (mine, theirs) = (&self.directions[side], &self.directions[side.other()]);
        match (mine.scale, theirs.scale) {
            (Some(shift), Some(_)) => 1 << shift,
            _ if mine.syn_seen && theirs.syn_seen => -2,
            _ => -1,
        }
    }

    /// The conditions of the User's Guide, one after the other.
    fn remark(&mut self, segment: &Segment<'_>, side: Side) -> (Flags, Option<(u32, u64)>) {
        let (tcp, mark) = (segment.flags, segment.mark);
        let (seq, len, window) = (segment.seq, segment.payload_len, segment.window);
        let ack = segment.ack;
        let plain = !tcp.syn() && !tcp.fin() && !tcp.rst();
        let (mine, theirs) = (self.directions[side], self.directions[side.other()]);
        let at_next = mine.next == Some(seq);
        let same_ack = mine.ack == Some(ack);
        let mut flags = Flags::default();
        let mut duplicate = None;
        if len == 1 && at_next && theirs.window == 0 && theirs.ack.is_some() {
            flags.add(Flags::ZERO_WINDOW_PROBE);
        } else {
            if window == 0 && plain {
                flags.add(Flags::ZERO_WINDOW);
            }
            if mine.next.is_some_and(|next| seq.distance(next) > 0) && !tcp.rst() {
                flags.add(Flags::LOST_SEGMENT);
            }
            if len <= 1 && mine.next.is_some_and(|next| seq.distance(next) == -1) && plain {
                flags.add(Flags::KEEP_ALIVE);
            }
            let repeats = len == 0 && at_next && same_ack && plain;
            if repeats && window != 0 && window != mine.window {
                flags.add(Flags::WINDOW_UPDATE);
            }
            if len > 0 && plain && self.fills_window(seq.plus(len), side) {
                flags.add(Flags::WINDOW_FULL);
            }
            let probe_acked = len == 0 && at_next && plain && window == 0 && mine.window == 0 && theirs.flags.has(Flags::ZERO_WINDOW_PROBE);
            if repeats && window != 0 && window == mine.window && theirs.flags.has(Flags::KEEP_ALIVE) {
                flags.add(Flags::KEEP_ALIVE_ACK);
            } else if probe_acked && mine.ack.is_some_and(|last| (0..=1).contains(&ack.distance(last))) {
                flags.add(Flags::ZERO_WINDOW_PROBE_ACK);
            } else if repeats && window != 0 && window == mine.window {
                flags.add(Flags::DUPLICATE_ACK);
                self.directions[side].duplicates += 1;
                duplicate = Some((self.directions[side].duplicates, mine.fresh_ack));
            }
        }
        if !flags.has(Flags::DUPLICATE_ACK) {
            let direction = &mut self.directions[side];
            (direction.duplicates, direction.fresh_ack) = (0, mark.frame);
        }
        if tcp.ack()
            && let Some(contiguous) = theirs.contiguous
            && ack.distance(contiguous) > 0
        {
            flags.add(Flags::ACK_LOST_SEGMENT);
            self.directions[side.other()].contiguous = theirs.next;
        }
        if (len > 0 || tcp.syn() || tcp.fin()) && !flags.has(Flags::KEEP_ALIVE) {
            self.repetition(segment, side, &mut flags);
        }
        self.advance(segment, side, flags);
        (flags, duplicate)
    }

    /// Whether bytes up to `end` fill the window that the other end has announced.
    fn fills_window(&self, end: SeqNumber, side: Side) -> bool {
        let theirs = &self.directions[side.other()];
        let shift = match self.scale_factor(side.other()) {
            -1 => return false,
            factor => factor.max(1).trailing_zeros(),
        };
        theirs.ack.is_some_and(|ack| ack.plus(u32::from(theirs.window) << shift) == end)
    }

    /// A segment with something to say whose place was passed before.
    fn repetition(&self, segment: &Segment<'_>, side: Side, flags: &mut Flags) {
        let (mine, theirs) = (&self.directions[side], &self.directions[side.other()]);
        let Some(next) = mine.next.filter(|next| segment.seq.distance(*next) < 0) else { return };
        // One old byte before new ones is what answers to a probe bring: not a repetition.
        if segment.payload_len > 1 && next.distance(segment.seq) == 1 {
            return;
        }
        let end = segment.seq.plus(segment.payload_len + u32::from(segment.flags.syn()) + u32::from(segment.flags.fin()));
        let time = segment.mark.time;
        let since = |earlier: Time| time.since(earlier);
        if segment.payload_len > 0 && theirs.ack.is_some_and(|ack| segment.seq.plus(segment.payload_len).distance(ack) <= 0) {
            flags.add(Flags::SPURIOUS_RETRANSMISSION);
        } else if theirs.duplicates >= 2
            && theirs.ack == Some(segment.seq)
            && since(theirs.ack_time).is_some_and(|waited| waited < FAST_NANOS)
        {
            flags.add(Flags::FAST_RETRANSMISSION);
        } else if next != end && since(mine.next_time).is_some_and(|waited| waited < self.initial_rtt.unwrap_or(REORDERING_NANOS)) {
            flags.add(Flags::OUT_OF_ORDER);
        } else {
            flags.add(Flags::RETRANSMISSION);
        }
    }

    fn advance(&mut self, segment: &Segment<'_>, side: Side, flags: Flags) {
        let consumed = segment.payload_len + u32::from(segment.flags.syn()) + u32::from(segment.flags.fin());
        let end = segment.seq.plus(consumed);
        let direction = &mut self.directions[side];
        let ahead = |known: Option<SeqNumber>| known.is_none_or(|known| end.distance(known) > 0);
        if !flags.has(Flags::ZERO_WINDOW_PROBE) {
            if direction.contiguous.is_none_or(|contiguous| segment.seq.distance(contiguous) <= 0) && ahead(direction.contiguous) {
                direction.contiguous = Some(end);
            }
            if ahead(direction.next) {
                direction.next = Some(end);
                direction.next_time = segment.mark.time;
            }
        }
        direction.gap |= flags.has(Flags::LOST_SEGMENT);
        if segment.flags.ack() {
            direction.ack = Some(segment.ack);
            direction.ack_time = segment.mark.time;
        }
        direction.window = segment.window;
        direction.flags = flags;
        if segment.flags.ack() {
            self.directions[side.other()].gap = false;
        }
    }
}
