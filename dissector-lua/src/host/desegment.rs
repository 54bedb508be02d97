//! Units of a protocol that span TCP segments: which bytes wait for others, and when a unit is whole.
//!
//! In: where a segment's bytes stand in their direction, and what a dissector has asked for. Out: whether a dissector is
//! to be called for them, and with which bytes. Left to others: the calls, and what is shown (`builtin::tcp`).
//!
//! It decides as Wireshark does, since what a dissector sees depends on it: a unit is known by its first byte; its end
//! is where the dissector said it would be; the first copy of a byte counts; and in a second pass every unit has the end
//! that the first pass found, so that a dissector is called for it once, when it is whole.

use std::collections::{BTreeMap, HashMap};

/// The longest unit; a longer one never becomes whole.
const MAX_UNIT: usize = 64 << 20;
/// Bytes of all units that are not whole; a unit that asks for more never becomes whole.
const MAX_WAITING: usize = 256 << 20;
/// Units that are remembered of one direction, if there is no second pass: segments sent again belong to them.
const MAX_RECENT: usize = 64;
/// Units that are remembered for a second pass; later ones are dissected as they come.
const MAX_UNITS: usize = 1 << 20;
/// Segments of one unit that are listed.
const MAX_LISTED: usize = 1 << 16;
/// A beginning that is longer than this is not kept to wait for the rest (Wireshark's limit, too).
const MAX_BEGINNING: u64 = 1 << 20;
/// "Until FIN" is an end this far away: no window reaches it (RFC 7323 §2.2).
const FAR: u64 = 1 << 30;

/// One direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Flow {
    /// The connection.
    pub stream: u64,
    /// Which of its ends sends: 0 or 1.
    pub side: u8,
}

/// How much more a dissector asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum More {
    /// So many bytes.
    Bytes(u32),
    /// Whatever the next segment brings.
    Segment,
    /// All that comes until the FIN.
    UntilFin,
}

impl More {
    /// What `pinfo.desegment_len` says; `None` is 0.
    pub fn of(desegment_len: u32) -> Option<Self> {
        match desegment_len {
            0 => None,
            0x0fff_ffff => Some(Self::Segment),
            0x0fff_fffe => Some(Self::UntilFin),
            len => Some(Self::Bytes(len)),
        }
    }

    /// Where a unit ends of which this much is missing at `stop`.
    fn end(self, stop: u64) -> u64 {
        match self {
            Self::Bytes(len) => stop + u64::from(len),
            Self::Segment => stop + 1,
            Self::UntilFin => stop + FAR,
        }
    }
}

/// Whose the bytes of a segment are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Nobody's yet: a dissector is to be called.
    Nobody,
    /// A known unit begins with the first of them and reaches behind the last.
    Beginning(u64),
    /// They continue the unit that begins there.
    Unit(u64),
}

/// A segment's part in a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The segment's frame.
    pub frame: u64,
    /// Where it begins in the unit.
    pub offset: u64,
    /// How many bytes it brings.
    pub len: u32,
    /// Whether some of them were there before.
    pub overlap: bool,
    /// … and differed.
    pub conflict: bool,
}

/// A unit of a protocol. Numbers count the bytes of its direction.
#[derive(Debug, Default)]
pub struct Unit {
    end: u64,
    first_frame: u64,
    whole_in: Option<u64>,
    /// It ends with the next segment, wherever that ends.
    takes_segment: bool,
    /// The last frame in which it was found to need more.
    extended_in: u64,
    /// It was whole in `whole_in`, but needed more, of which nothing has come.
    partial: bool,
    /// Its length, once the segment with its last byte has come.
    len: Option<u64>,
    given_up: bool,
    bytes: Vec<u8>,
    ahead: BTreeMap<u64, Vec<u8>>,
    ahead_len: usize,
    pieces: Vec<Piece>,
}

impl Unit {
    /// The frame that its first byte was seen in.
    pub fn first_frame(&self) -> u64 {
        self.first_frame
    }

    /// The frame in which it became whole.
    pub fn whole_in(&self) -> Option<u64> {
        self.whole_in
    }

    /// The same, unless it needed more all the same.
    pub fn shown_in(&self) -> Option<u64> {
        self.whole_in.filter(|_| !self.partial)
    }

    /// Its bytes so far; all of them, if it is whole.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Who brought them, in their order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    fn cost(&self) -> usize {
        self.bytes.len() + self.ahead_len
    }

    /// Puts bytes where they belong; those that are there already stay.
    fn put(&mut self, frame: u64, offset: u64, bytes: &[u8]) {
        let have = self.bytes.len() as u64;
        let mut piece = Piece { frame, offset, len: bytes.len() as u32, overlap: false, conflict: false };
        if offset <= have {
            let known = ((have - offset) as usize).min(bytes.len());
            if known > 0 {
                piece.overlap = true;
                piece.conflict = self.bytes[offset as usize..][..known] != bytes[..known];
            }
            self.bytes.extend_from_slice(&bytes[known..]);
            self.draw_near();
        } else {
            let kept = self.ahead.entry(offset).or_default();
            if kept.len() < bytes.len() {
                self.ahead_len += bytes.len() - kept.len();
                *kept = bytes.to_vec();
            }
        }
        if self.pieces.len() < MAX_LISTED {
            let at = self.pieces.partition_point(|other| other.offset <= offset);
            self.pieces.insert(at, piece);
        }
    }

    /// Takes what came too early and is next now.
    fn draw_near(&mut self) {
        while let Some(entry) = self.ahead.first_entry().filter(|entry| *entry.key() <= self.bytes.len() as u64) {
            let (offset, bytes) = entry.remove_entry();
            self.ahead_len -= bytes.len();
            let known = ((self.bytes.len() as u64 - offset) as usize).min(bytes.len());
            self.bytes.extend_from_slice(&bytes[known..]);
        }
    }

    /// Forgets the bytes, and what room they took.
    fn empty(&mut self) {
        self.bytes = Vec::new();
        self.ahead = BTreeMap::new();
        self.ahead_len = 0;
        self.pieces = Vec::new();
        self.len = None;
    }
}

/// One direction.
#[derive(Debug, Default)]
struct Direction {
    /// By their first byte.
    units: BTreeMap<u64, Unit>,
    /// The last sequence number, without its wrapping around.
    last: u64,
    until_fin: bool,
}

/// The units of all connections.
#[derive(Debug, Default)]
pub struct Desegment {
    flows: HashMap<Flow, Direction>,
    waiting: usize,
    units: usize,
    pass: Pass,
}

/// Which time the capture is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pass {
    /// The only one.
    #[default]
    Only,
    /// There will be another.
    First,
    /// What the first one found is known.
    Second,
}

impl Desegment {
    /// Begins a pass over the capture.
    pub fn begin(&mut self, pass: Pass) {
        self.pass = pass;
        self.waiting = 0;
        if pass == Pass::Second {
            for direction in self.flows.values_mut() {
                direction.last = 0;
                direction.units.values_mut().for_each(Unit::empty);
            }
        } else {
            self.units = 0;
            self.flows.clear();
        }
    }

    /// Where a sequence number stands in its direction: relative to the first one, and not wrapped around.
    pub fn position(&mut self, flow: Flow, relative_seq: u32) -> u64 {
        let direction = self.flows.entry(flow).or_default();
        let ahead = i64::from(relative_seq.wrapping_sub(direction.last as u32) as i32);
        let position = direction.last.saturating_add_signed(ahead);
        direction.last = direction.last.max(position);
        position
    }

    /// Whose the bytes from `from` to `to` are.
    pub fn owner(&self, flow: Flow, from: u64, to: u64) -> Owner {
        let last = self.flows.get(&flow).and_then(|direction| direction.units.range(..=from).next_back());
        match last {
            Some((&start, unit)) if start == from && to <= unit.end => Owner::Beginning(start),
            Some((&start, unit)) if from < unit.end => Owner::Unit(start),
            _ => Owner::Nobody,
        }
    }

    /// A unit.
    pub fn unit(&self, flow: Flow, start: u64) -> Option<&Unit> {
        self.flows.get(&flow)?.units.get(&start)
    }

    /// Whether a dissector waits for the FIN of this direction, and with which unit if the FIN stands at `at`.
    pub fn waits_for_fin(&self, flow: Flow, at: u64) -> Option<u64> {
        let direction = self.flows.get(&flow).filter(|direction| direction.until_fin)?;
        direction.units.range(..at).next_back().map(|(start, _)| *start)
    }

    /// In a second pass, keeps the first bytes of the units again that begin in a segment, whatever a dissector asks for
    /// now. `from` is where its bytes begin.
    pub fn repeat_beginnings(&mut self, flow: Flow, from: u64, bytes: &[u8], frame: u64) {
        if self.pass != Pass::Second {
            return;
        }
        let Some(direction) = self.flows.get_mut(&flow) else { return };
        let begun = direction.units.range_mut(from..from + bytes.len() as u64).filter(|(_, unit)| unit.first_frame == frame);
        for (start, unit) in begun {
            let bytes = &bytes[(start - from) as usize..];
            unit.put(frame, 0, bytes);
            self.waiting += bytes.len();
        }
    }

    /// A unit begins at `start` with the bytes that a segment still has; a dissector asked for more of them. In a second
    /// pass it is known already.
    pub fn begin_unit(&mut self, flow: Flow, start: u64, bytes: &[u8], frame: u64, more: More) {
        if self.pass == Pass::Second || self.units >= MAX_UNITS || bytes.len() as u64 > MAX_BEGINNING {
            return;
        }
        let Some(direction) = self.flows.get_mut(&flow) else { return };
        direction.until_fin |= more == More::UntilFin;
        if self.pass == Pass::Only && direction.units.len() >= MAX_RECENT {
            let oldest = direction.units.pop_first();
            self.waiting -= oldest.map_or(0, |(_, unit)| unit.cost());
            self.units -= 1;
        }
        let mut unit =
            Unit { end: more.end(start + bytes.len() as u64), first_frame: frame, takes_segment: more == More::Segment, ..Unit::default() };
        unit.put(frame, 0, bytes);
        self.waiting += bytes.len();
        match direction.units.insert(start, unit) {
            Some(before) => self.waiting -= before.cost(),
            None => self.units += 1,
        }
    }

    /// A segment continues a unit: how many of its bytes belong to it. The unit may be whole now.
    pub fn continue_unit(&mut self, flow: Flow, start: u64, from: u64, bytes: &[u8], frame: u64) -> usize {
        let (pass, room) = (self.pass, MAX_WAITING.saturating_sub(self.waiting));
        let Some(unit) = self.unit_mut(flow, start) else { return bytes.len() };
        let to = from + bytes.len() as u64;
        let last = to >= unit.end;
        // Any other segment is taken for the next, even one sent again that brings nothing new.
        if unit.takes_segment && pass != Pass::Second && unit.extended_in != frame {
            (unit.takes_segment, unit.end) = (false, to.max(unit.end));
        }
        let len = (to.min(unit.end) - from) as usize;
        if unit.partial && pass != Pass::Second {
            (unit.partial, unit.whole_in) = (false, None);
        }
        let done = unit.whole_in.is_some_and(|whole_in| whole_in < frame);
        if done {
            return len;
        }
        let before = unit.cost();
        unit.given_up |= before + len > MAX_UNIT || len > room;
        if !unit.given_up {
            unit.put(frame, from - start, &bytes[..len]);
        }
        if last {
            unit.len = Some(unit.end - start);
        }
        unit.note_whole(frame, pass);
        let grown = unit.cost() as isize - before as isize;
        self.waiting = self.waiting.saturating_add_signed(grown);
        len
    }

    /// The FIN ends a unit, with the last bytes before it. It is whole unless bytes are missing.
    pub fn end_unit(&mut self, flow: Flow, start: u64, from: u64, bytes: &[u8], frame: u64) {
        let pass = self.pass;
        let Some(unit) = self.unit_mut(flow, start) else { return };
        if unit.partial && pass != Pass::Second {
            (unit.partial, unit.whole_in) = (false, None);
        }
        if unit.whole_in.is_some_and(|whole_in| whole_in < frame) || from < start {
            return;
        }
        unit.put(frame, from - start, bytes);
        unit.len = Some(from + bytes.len() as u64 - start);
        unit.note_whole(frame, pass);
        self.waiting += bytes.len();
    }

    /// A unit that had become whole needs more: behind `stop`, where the segment's bytes for it end.
    ///
    /// `segment_stop` is where the segment itself ends.
    pub fn extend_unit(&mut self, flow: Flow, start: u64, stop: u64, segment_stop: u64, frame: u64, more: More) {
        let pass = self.pass;
        let Some(direction) = self.flows.get_mut(&flow).filter(|_| pass != Pass::Second) else { return };
        direction.until_fin |= more == More::UntilFin;
        let Some(unit) = direction.units.get_mut(&start) else { return };
        (unit.partial, unit.len, unit.extended_in) = (true, None, frame);
        unit.takes_segment = more == More::Segment;
        unit.end = match more {
            More::Bytes(_) => more.end(stop.max(unit.end)),
            More::Segment | More::UntilFin => more.end(segment_stop.max(unit.end)),
        };
    }

    /// A unit ended at `end` already: another one begins there.
    pub fn end_early(&mut self, flow: Flow, start: u64, end: u64) {
        let pass = self.pass;
        let Some(unit) = self.unit_mut(flow, start).filter(|_| pass != Pass::Second) else { return };
        unit.end = unit.end.min(end);
        for piece in &mut unit.pieces {
            let left = (unit.end - start).saturating_sub(piece.offset);
            piece.len = piece.len.min(left.min(u64::from(u32::MAX)) as u32);
        }
    }

    /// A unit has been dissected: its bytes are needed no more.
    pub fn dissected(&mut self, flow: Flow, start: u64) {
        let Some(unit) = self.unit_mut(flow, start) else { return };
        let cost = unit.cost();
        unit.empty();
        self.waiting -= cost;
    }

    /// Nothing more comes of a connection; a second pass still needs what is known of it.
    pub fn forget(&mut self, stream: u64) {
        if self.pass == Pass::First {
            return;
        }
        for side in [0, 1] {
            if let Some(direction) = self.flows.remove(&Flow { stream, side }) {
                self.units -= direction.units.len();
                self.waiting -= direction.units.values().map(Unit::cost).sum::<usize>();
            }
        }
    }

    fn unit_mut(&mut self, flow: Flow, start: u64) -> Option<&mut Unit> {
        self.flows.get_mut(&flow)?.units.get_mut(&start)
    }
}

impl Unit {
    /// Whether all of it is there now. In a second pass it becomes whole when it did in the first.
    fn note_whole(&mut self, frame: u64, pass: Pass) {
        let complete = self.len.is_some_and(|len| self.bytes.len() as u64 >= len) && !self.given_up;
        if complete && pass != Pass::Second {
            self.whole_in = Some(frame);
        }
    }
}
