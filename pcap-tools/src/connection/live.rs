//! A connection that is being followed: its two flows, its handshake and close, and its consumer.

use super::flow::Flow;
use super::{Chunk, Connection, Consumer, Context, End, EndKind, Pair, Side};
use crate::packet::{Endpoint, Segment, SeqNumber};
use crate::time::Mark;

/// What one direction may hold back, in bytes: the largest window that is common.
const MAX_HELD: usize = 8 << 20;
/// … and what it may while all connections together hold more than [`MAX_HELD_BY_ALL`].
const MAX_HELD_IN_NEED: usize = 64 << 10;
const MAX_HELD_BY_ALL: usize = 64 << 20;
/// A gap that the receiver has acknowledged is declared lost after this many frames of the connection
/// and this time: what is left is a capture that reorders, and it never reorders as widely.
const PATIENCE_FRAMES: u64 = 64;
const PATIENCE_NANOS: i64 = 3_000_000_000;

/// The place of a connection in the tracker; of one that is summarised, only what tells it from a new one.
pub(super) struct Slot<C> {
    pub stream: u64,
    pub ends: Pair<Endpoint>,
    pub live: Option<Box<Live<C>>>,
    /// The sequence number that each direction began with.
    pub base: Pair<Option<SeqNumber>>,
}

impl<C> Slot<C> {
    pub fn new(stream: u64, segment: &Segment<'_>) -> Self {
        let ends = Pair([segment.source, segment.destination]);
        Self { stream, ends, live: Some(Box::new(Live::new(stream, ends, segment.mark))), base: Default::default() }
    }

    /// Whether a segment begins another connection on the same addresses and ports: as in tshark 4.0, a SYN (no
    /// SYN-ACK) whose number is not the one that this direction began with.
    pub fn is_new_connection(&self, side: Side, segment: &Segment<'_>) -> bool {
        segment.flags.syn() && !segment.flags.ack() && self.base[side].is_some_and(|base| base != segment.seq)
    }

    /// Whether a SYN begins a closed connection anew on which nothing was said: it is sent again after the RST
    /// that recovers from a half-open connection (RFC 9293 §3.5.1).
    pub fn is_begun_anew(&self, segment: &Segment<'_>) -> bool {
        segment.flags.syn() && self.live.as_ref().is_some_and(|live| live.is_closed() && live.is_silent())
    }

    /// Keeps what the directions began with: the number of the SYN or, where none was captured, the one before the
    /// first segment, or before what the other end acknowledges first.
    pub fn note_base(&mut self, side: Side, segment: &Segment<'_>) {
        const BEFORE: u32 = u32::MAX;
        let syn = segment.flags.syn();
        self.base[side].get_or_insert(if syn { segment.seq } else { segment.seq.plus(BEFORE) });
        if syn && segment.flags.ack() {
            self.base[side] = Some(segment.seq);
        }
        if segment.flags.ack() {
            self.base[side.other()].get_or_insert(segment.ack.plus(BEFORE));
        }
    }
}

/// How far the end of a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// At least one end may still send.
    Open,
    /// Both have sent FIN.
    Closed,
    /// Both FINs are acknowledged, or one end has sent RST: nothing is expected any more.
    Settled,
}

/// Since when something is held back.
#[derive(Clone, Copy)]
struct Stall {
    packets: u64,
    mark: Mark,
}

/// A connection that is being followed.
pub(super) struct Live<C> {
    connection: Connection,
    flows: Pair<Flow>,
    /// Made when it is first told something: most connections of a SYN flood never say anything.
    consumer: Option<Box<C>>,
    stall: Option<Stall>,
    /// Causal order was given up: the capture lacks what it waits for.
    ungated: bool,
}

impl<C> Live<C> {
    pub fn new(stream: u64, ends: Pair<Endpoint>, first: Mark) -> Self {
        let connection = Connection {
            stream,
            ends,
            client: None,
            handshake: Default::default(),
            close: Default::default(),
            flows: Default::default(),
            first,
            last: first,
        };
        Self { connection, flows: Default::default(), consumer: None, stall: None, ungated: false }
    }

    /// Begins anew, as if it had not been closed; nothing was said on it.
    pub fn reopen(&mut self) {
        self.connection.close = Default::default();
        let stats = Side::BOTH.map(|side| self.flows[side].stats);
        self.flows = Default::default();
        Side::BOTH.into_iter().zip(stats).for_each(|(side, stats)| self.flows[side].stats = stats);
        self.consumer = None;
        (self.stall, self.ungated) = (None, false);
    }

    /// Whether no payload was captured.
    pub fn is_silent(&self) -> bool {
        self.flows.0.iter().all(|flow| flow.stats.payload_bytes == 0 && !flow.holds())
    }

    /// Whether nothing is held back, here or by the consumer.
    pub fn is_settled<O>(&self) -> bool
    where
        C: Consumer<O>,
    {
        !self.flows.0.iter().any(Flow::holds) && self.consumer.as_ref().is_none_or(|consumer| consumer.is_settled())
    }

    /// Bytes that are held back.
    pub fn held(&self) -> usize {
        self.flows.0.iter().map(Flow::cost).sum()
    }

    /// Whether nothing but stragglers can follow.
    pub fn is_closed(&self) -> bool {
        self.phase() != Phase::Open
    }

    /// How far its end has come.
    pub fn phase(&self) -> Phase {
        if self.connection.close.rst.is_some() {
            Phase::Settled
        } else if !self.flows.0.iter().all(|flow| flow.ended) {
            Phase::Open
        } else if self.flows.0.iter().all(Flow::is_acknowledged) {
            Phase::Settled
        } else {
            Phase::Closed
        }
    }

    fn context(&self) -> Context {
        Context { stream: self.connection.stream, ends: self.connection.ends, client: self.connection.client }
    }

    fn packets(&self) -> u64 {
        self.flows.0.iter().map(|flow| flow.stats.packets).sum()
    }

    /// Takes a segment of this connection; `held_by_all` is what all connections hold back.
    pub fn push<O>(&mut self, side: Side, segment: &Segment<'_>, held_by_all: usize, out: &mut O)
    where
        C: Consumer<O>,
    {
        self.connection.last = segment.mark;
        let flags = segment.flags;
        // The SYN stands before the payload (RFC 9293 §3.4).
        let seq = if flags.syn() { segment.seq.plus(1) } else { segment.seq };
        self.flows[side].stats.packets += 1;
        self.flows[side].stats.bytes += u64::from(segment.frame_len);
        if flags.syn() {
            self.synchronize(side, segment);
        }
        if flags.ack() {
            self.flows[side.other()].acknowledge(segment.ack);
            self.complete_handshake(side, segment);
        }
        if flags.rst() {
            self.reset(side, segment.mark, out);
            return;
        }
        self.flows[side].begin(seq);
        if segment.window == 0 && !flags.syn() && !flags.fin() {
            self.flows[side].stats.zero_windows += 1;
        }
        if segment.payload_len > 0 {
            self.payload(side, seq, segment, out);
        } else if !flags.syn() && !flags.fin() {
            self.flows[side].empty(seq);
        }
        if flags.fin() {
            if self.connection.close.fins[side].is_none() {
                self.connection.close.fins[side] = Some(segment.mark);
                self.connection.close.crossed |= self.flows[side.other()].lacks_fin(segment);
            }
            self.flows[side].finish_at(seq, segment);
            self.deliver_held(out);
        } else if self.flows.0.iter().any(|flow| flow.holds() || flow.fin.is_some() && !flow.ended) {
            self.deliver_held(out);
            self.watch_stall(segment.mark, held_by_all, out);
        } else {
            self.stall = None;
        }
    }

    fn synchronize(&mut self, side: Side, segment: &Segment<'_>) {
        let flow = &mut self.flows[side];
        flow.isn.get_or_insert(segment.seq);
        flow.begin(segment.seq.plus(1));
        let handshake = &mut self.connection.handshake;
        let (first, repeated) = if segment.flags.ack() {
            (&mut handshake.syn_ack, &mut handshake.repeated_syn_acks)
        } else {
            (&mut handshake.syn, &mut handshake.repeated_syns)
        };
        if first.is_none() {
            *first = Some(segment.mark);
        } else if repeated.len() < super::Handshake::MAX_REPEATED {
            repeated.push(segment.mark.frame);
        }
        let client = if segment.flags.ack() { side.other() } else { side };
        self.connection.client.get_or_insert(client);
    }

    fn complete_handshake(&mut self, side: Side, segment: &Segment<'_>) {
        let handshake = &mut self.connection.handshake;
        if handshake.ack.is_none()
            && handshake.syn_ack.is_some()
            && self.connection.client == Some(side)
            && !segment.flags.syn()
            && !segment.flags.rst()
            && self.flows[side.other()].isn.is_some_and(|isn| segment.ack.distance(isn) >= 1)
        {
            handshake.ack = Some(segment.mark);
        }
    }

    /// An RST ends both directions, unless they hold something back that may still become whole.
    fn reset<O>(&mut self, side: Side, mark: Mark, out: &mut O)
    where
        C: Consumer<O>,
    {
        let close = &mut self.connection.close;
        if close.rst.is_none() {
            close.aborted = close.fins.0.iter().any(Option::is_none);
            close.rst = Some((side, mark));
        }
        let context = self.context();
        for side in [side, side.other()] {
            let flow = &mut self.flows[side];
            if !flow.ended && !flow.holds() {
                flow.ended = true;
                self.consumer.get_or_insert_default().end(&context, side, End { kind: EndKind::Rst, mark }, out);
            }
        }
    }

    fn payload<O>(&mut self, side: Side, seq: SeqNumber, segment: &Segment<'_>, out: &mut O)
    where
        C: Consumer<O>,
    {
        let ack = segment.flags.ack().then_some(segment.ack);
        let open = self.is_open(side, ack);
        let rtt = self.connection.handshake.rtt().filter(|&rtt| rtt > 0);
        if let Some(chunk) = self.flows[side].accept(seq, segment, rtt, open) {
            self.deliver(side, chunk, ack, out);
        }
    }

    /// Whether everything that the sender had received was delivered before.
    fn is_open(&self, side: Side, ack: Option<SeqNumber>) -> bool {
        self.ungated || ack.is_none_or(|ack| !self.flows[side.other()].is_behind(ack))
    }

    fn deliver<O>(&mut self, side: Side, chunk: Chunk<'_>, ack: Option<SeqNumber>, out: &mut O)
    where
        C: Consumer<O>,
    {
        let context = self.context();
        let other = &self.flows[side.other()];
        let acked = ack.filter(|_| other.start.is_some()).map(|ack| other.offset_of(ack));
        self.flows[side].delivered(chunk.bytes.len() as u64 + u64::from(chunk.cut));
        self.consumer.get_or_insert_default().chunk(&context, side, Chunk { acked, ..chunk }, out);
    }

    /// Delivers what was held back and has become next, in both directions.
    fn deliver_held<O>(&mut self, out: &mut O)
    where
        C: Consumer<O>,
    {
        while self.deliver_one(Side::One, out) || self.deliver_one(Side::Two, out) {}
    }

    fn deliver_one<O>(&mut self, side: Side, out: &mut O) -> bool
    where
        C: Consumer<O>,
    {
        if let Some(ack) = self.flows[side].ready() {
            if !self.is_open(side, ack) {
                return false;
            }
            let Some((bytes, chunk, ack)) = self.flows[side].take_ready() else { return false };
            self.deliver(side, Chunk { bytes: &bytes, ..chunk }, ack, out);
            return true;
        }
        match self.flows[side].fin_ready() {
            Some(fin) if self.is_open(side, fin.ack) => {
                self.flows[side].fin_delivered();
                let context = self.context();
                self.consumer.get_or_insert_default().end(&context, side, End { kind: EndKind::Fin, mark: fin.mark }, out);
                true
            }
            _ => false,
        }
    }

    /// Gives up waiting where that was long enough, or costs too much.
    fn watch_stall<O>(&mut self, mark: Mark, held_by_all: usize, out: &mut O)
    where
        C: Consumer<O>,
    {
        if !self.flows.0.iter().any(|flow| flow.holds() || flow.gap() > 0) {
            self.stall = None;
            return;
        }
        let packets = self.packets();
        let stall = *self.stall.get_or_insert(Stall { packets, mark });
        let patient =
            packets - stall.packets < PATIENCE_FRAMES || mark.time.since(stall.mark.time).is_none_or(|waited| waited < PATIENCE_NANOS);
        let limit = if held_by_all > MAX_HELD_BY_ALL { MAX_HELD_IN_NEED } else { MAX_HELD };
        let costly = self.flows.0.iter().any(|flow| flow.cost() > limit);
        if costly || !patient && self.is_hopeless() {
            self.give_up_one(out);
            self.deliver_held(out);
            self.stall = Some(Stall { packets, mark });
        }
    }

    /// Whether what is waited for was received long ago, and so was not captured.
    fn is_hopeless(&self) -> bool {
        self.flows.0.iter().all(|flow| flow.gap_is_acked())
    }

    /// Steps over the gap of the direction that holds most, or gives up causal order if there is no gap.
    /// Returns false if nothing is waited for.
    fn give_up_one<O>(&mut self, out: &mut O) -> bool
    where
        C: Consumer<O>,
    {
        let [one, two] = Side::BOTH.map(|side| (self.flows[side].gap(), self.flows[side].cost()));
        let side = match (one, two) {
            ((0, _), (0, _)) => {
                let waits = !self.ungated && self.flows.0.iter().any(|flow| flow.holds() || flow.fin_ready().is_some());
                self.ungated |= waits;
                return waits;
            }
            ((0, _), _) => Side::Two,
            (_, (0, _)) => Side::One,
            ((_, one), (_, two)) => {
                if two > one {
                    Side::Two
                } else {
                    Side::One
                }
            }
        };
        self.skip(side, self.flows[side].gap(), out);
        true
    }

    fn skip<O>(&mut self, side: Side, len: u64, out: &mut O)
    where
        C: Consumer<O>,
    {
        let gap = self.flows[side].skip(len, self.connection.last);
        let context = self.context();
        self.consumer.get_or_insert_default().gap(&context, side, gap, out);
    }

    /// Delivers whatever is left, and summarises.
    pub fn finish<O>(mut self: Box<Self>, out: &mut O)
    where
        C: Consumer<O>,
    {
        self.deliver_held(out);
        while self.give_up_one(out) {
            self.deliver_held(out);
        }
        let end = match self.connection.close.rst {
            Some((_, mark)) => End { kind: EndKind::Rst, mark },
            None => End { kind: EndKind::Unseen, mark: self.connection.last },
        };
        let context = self.context();
        for side in self.connection.client.map_or(Side::BOTH, |client| [client, client.other()]) {
            match self.flows[side].lost_tail() {
                0 => {}
                len => self.skip(side, len, out),
            }
            if !self.flows[side].ended {
                self.consumer.get_or_insert_default().end(&context, side, end, out);
            }
        }
        self.connection.flows = Pair(Side::BOTH.map(|side| self.flows[side].stats));
        self.consumer.unwrap_or_default().closed(self.connection, out);
    }
}
