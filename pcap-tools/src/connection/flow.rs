//! One direction of a connection in sequence space: where it stands, what it holds back, what was odd.
//!
//! Offsets count bytes from the first one of the direction and never wrap; sequence numbers do.

use super::{Chunk, Gap};
use crate::packet::{Segment, SeqNumber};
use crate::pieces::Pieces;
use crate::time::{Mark, Time};

/// Wireshark's threshold between a reordered segment and one sent again, where the round-trip time is
/// unknown: 3 ms.
const REORDERING_NANOS: i64 = 3_000_000;
/// An acknowledgment further ahead than the largest window (2^30, RFC 7323 §2.2) is not believed.
const MAX_AHEAD: i64 = 1 << 30;

/// What was counted in one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct FlowStats {
    /// Frames.
    pub packets: u64,
    /// Their lengths on the wire, in bytes, link layer included.
    pub bytes: u64,
    /// Payload, each byte once, in bytes.
    pub payload_bytes: u64,
    /// Segments with payload of which every byte had been captured before, or that fill a gap too late to
    /// be merely reordered. A FIN sent again counts for nothing: no data was lost.
    pub retransmissions: u64,
    /// Segments that fill a gap in less than the round-trip time (3 ms where it is unknown).
    pub out_of_order: u64,
    /// Gaps that nothing ever filled: each stands for one or more segments.
    pub lost_segments: u64,
    /// Bytes in these gaps.
    pub lost_bytes: u64,
    /// Segments that announce a window of zero.
    pub zero_windows: u64,
    /// Segments that only provoke an answer (RFC 9293 §3.8.4).
    pub keep_alives: u64,
}

/// Bytes that wait for earlier ones.
pub(super) struct Held {
    bytes: Vec<u8>,
    cut: u32,
    mark: Mark,
    ack: Option<SeqNumber>,
}

#[derive(Clone, Copy)]
pub(super) struct Fin {
    offset: i64,
    pub mark: Mark,
    pub ack: Option<SeqNumber>,
}

#[derive(Default)]
pub(super) struct Flow {
    pub stats: FlowStats,
    /// Sequence number of the SYN.
    pub isn: Option<SeqNumber>,
    /// Sequence number of offset 0, once a segment was seen.
    pub start: Option<SeqNumber>,
    /// The next byte to be delivered.
    next: SeqNumber,
    /// Its offset.
    offset: i64,
    /// Behind the last byte that was captured, and when that was.
    high: i64,
    high_time: Option<Time>,
    /// Behind the last byte that the other end has acknowledged.
    acked: i64,
    pub fin: Option<Fin>,
    /// Nothing more will be delivered.
    pub ended: bool,
    held: Option<Box<Pieces<Held>>>,
}

impl Flow {
    /// Begins at this sequence number, unless it has begun.
    pub fn begin(&mut self, seq: SeqNumber) {
        if self.start.is_none() {
            self.start = Some(seq);
            self.next = seq;
        }
    }

    /// Offset of a sequence number; negative before the first byte.
    pub fn offset_of(&self, seq: SeqNumber) -> i64 {
        self.offset + seq.distance(self.next)
    }

    /// Memory that is held back, about, in bytes.
    pub fn cost(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.cost())
    }

    /// Whether bytes are held back.
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Takes note that the other end has received everything before `ack`.
    pub fn acknowledge(&mut self, ack: SeqNumber) {
        if self.start.is_some() {
            let offset = self.offset_of(ack);
            if offset > self.acked && offset - self.offset < MAX_AHEAD {
                self.acked = offset;
            }
        }
    }

    /// Whether `ack` covers bytes that are still to be delivered.
    pub fn is_behind(&self, ack: SeqNumber) -> bool {
        let ahead = ack.distance(self.next);
        self.start.is_some() && !self.ended && (1..MAX_AHEAD).contains(&ahead) && !(ahead == 1 && self.may_begin_early())
    }

    /// Whether all that was seen may be a keep-alive, which leaves the start one byte early.
    fn may_begin_early(&self) -> bool {
        self.isn.is_none() && self.high == 0 && self.held.is_none()
    }

    /// Counts a segment without payload: is it a keep-alive?
    pub fn empty(&mut self, seq: SeqNumber) {
        if self.high > 0 && self.offset_of(seq) == self.high - 1 {
            self.stats.keep_alives += 1;
        }
    }

    /// Takes a segment's payload. Returns it as a chunk if it can be delivered now, that is if it is next
    /// and `open` says that its turn has come; otherwise what is new of it is held back.
    pub fn accept<'a>(&mut self, seq: SeqNumber, segment: &Segment<'a>, rtt: Option<i64>, open: bool) -> Option<Chunk<'a>> {
        let len = i64::from(segment.payload_len);
        let mut at = self.offset_of(seq);
        if at == 1 && self.may_begin_early() {
            self.start = Some(seq);
            self.next = seq;
            at = 0;
        }
        let end = at + len;
        if len == 1 && at == self.high - 1 {
            self.stats.keep_alives += 1;
            return None;
        }
        if at == self.offset && self.held.is_none() && open && !self.ended {
            self.advance_high(end, segment.mark.time);
            return Some(Chunk {
                bytes: segment.payload,
                cut: segment.payload_len - segment.payload.len() as u32,
                mark: segment.mark,
                offset: at as u64,
                acked: None,
            });
        }
        self.hold(at, end, segment, rtt);
        None
    }

    /// Keeps what is new, and tells repetition from reordering.
    fn hold(&mut self, at: i64, end: i64, segment: &Segment<'_>, rtt: Option<i64>) {
        let start = at.max(self.offset);
        let fresh = if start < end { self.held.get_or_insert_default().missing(start as u64..end as u64) } else { Vec::new() };
        if at < self.high {
            let late = self
                .high_time
                .and_then(|high| segment.mark.time.since(high))
                .is_some_and(|waited| waited >= rtt.unwrap_or(REORDERING_NANOS));
            if fresh.is_empty() || late {
                self.stats.retransmissions += 1;
            } else {
                self.stats.out_of_order += 1;
            }
        }
        if self.ended {
            self.held = None;
            return;
        }
        self.advance_high(end, segment.mark.time);
        for range in fresh {
            let from = ((range.start as i64 - at) as usize).min(segment.payload.len());
            let to = ((range.end as i64 - at) as usize).min(segment.payload.len());
            let held = Held {
                bytes: segment.payload[from..to].to_vec(),
                cut: (range.end - range.start) as u32 - (to - from) as u32,
                mark: segment.mark,
                ack: segment.flags.ack().then_some(segment.ack),
            };
            self.held.get_or_insert_default().insert(range, held);
        }
        self.drop_empty();
    }

    fn advance_high(&mut self, end: i64, time: Time) {
        if end > self.high {
            self.high = end;
            self.high_time = Some(time);
        }
    }

    /// Takes note that a chunk was delivered.
    pub fn delivered(&mut self, len: u64) {
        self.stats.payload_bytes += len;
        self.step(len);
    }

    fn step(&mut self, len: u64) {
        self.offset += len as i64;
        self.next = self.next.plus(len as u32);
    }

    /// The acknowledgment of the held piece that is next, if one is.
    pub fn ready(&self) -> Option<Option<SeqNumber>> {
        let (at, held) = self.held.as_ref()?.first()?;
        (at as i64 == self.offset).then_some(held.ack)
    }

    /// Takes the held piece that is next.
    pub fn take_ready(&mut self) -> Option<(Vec<u8>, Chunk<'static>, Option<SeqNumber>)> {
        let (at, held) = self.held.as_mut()?.pop_first()?;
        self.drop_empty();
        let chunk = Chunk { bytes: &[], cut: held.cut, mark: held.mark, offset: at, acked: None };
        Some((held.bytes, chunk, held.ack))
    }

    fn drop_empty(&mut self) {
        if self.held.as_ref().is_some_and(|held| held.is_empty()) {
            self.held = None;
        }
    }

    /// Notes the FIN, which stands behind the payload of its segment.
    pub fn finish_at(&mut self, seq: SeqNumber, segment: &Segment<'_>) {
        let offset = self.offset_of(seq) + i64::from(segment.payload_len);
        if self.fin.is_none() && offset >= self.offset {
            self.fin = Some(Fin { offset, mark: segment.mark, ack: segment.flags.ack().then_some(segment.ack) });
        }
    }

    /// Whether this direction has sent a FIN that a segment of the other end does not acknowledge.
    pub fn lacks_fin(&self, other: &Segment<'_>) -> bool {
        self.fin.is_some_and(|fin| !other.flags.ack() || self.offset_of(other.ack) <= fin.offset)
    }

    /// The FIN, if everything before it was delivered.
    pub fn fin_ready(&self) -> Option<Fin> {
        self.fin.filter(|fin| fin.offset <= self.offset && !self.ended && self.held.is_none())
    }

    /// Takes note that the FIN was delivered; it occupies one sequence number (RFC 9293 §3.4).
    pub fn fin_delivered(&mut self) {
        self.ended = true;
        self.step(1);
    }

    /// Length of the gap that the next held piece, or the FIN, waits for; 0 if there is none.
    pub fn gap(&self) -> u64 {
        let next = match (&self.held, &self.fin) {
            (Some(held), _) => held.first().map(|(at, _)| at as i64),
            (None, Some(fin)) if !self.ended => Some(fin.offset),
            _ => None,
        };
        next.map_or(0, |next| (next - self.offset).max(0) as u64)
    }

    /// Whether the other end has acknowledged all of a gap: it will not be sent again.
    pub fn gap_is_acked(&self) -> bool {
        self.acked >= self.offset + self.gap() as i64
    }

    /// Whether the other end has acknowledged all that was delivered.
    pub fn is_acknowledged(&self) -> bool {
        self.acked >= self.offset
    }

    /// Bytes behind everything captured that the other end has acknowledged all the same.
    ///
    /// A single one is taken for the FIN, which the capture may have missed.
    pub fn lost_tail(&self) -> u64 {
        match self.acked - self.offset {
            lost @ 2.. if !self.ended && self.held.is_none() && self.fin.is_none() => lost as u64,
            _ => 0,
        }
    }

    /// Steps over bytes that were never captured; `last` is the frame that shows a lost tail.
    pub fn skip(&mut self, len: u64, last: Mark) -> Gap {
        let held = self.held.as_ref().and_then(|held| held.first()).map(|(_, held)| held.mark);
        let mark = held.or(self.fin.map(|fin| fin.mark)).unwrap_or(last);
        let gap = Gap { offset: self.offset as u64, len, mark };
        self.stats.lost_segments += 1;
        self.stats.lost_bytes += len;
        self.step(len);
        gap
    }
}
