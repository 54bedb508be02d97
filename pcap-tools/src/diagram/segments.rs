//! Segments: frames in, a step for each TCP segment out.
//!
//! Relative numbers and remarks are those of the packet list, and so is what a filter lets through.

use std::collections::HashSet;

use super::{Ends, Kind, Level, Picture, Scope, Step, Way, clipped};
use crate::connection::{Connection, Context, Side};
use crate::exchange::{Exchange, Heard, Ports, Protocol, Seen, Sink, Talk};
use crate::filter::{Facts, Filter, Screen, Tcp};
use crate::finding::Finding;
use crate::time::{Mark, Time};

/// Collects what a picture of segments shows.
pub struct Segments {
    scope: Scope,
    screen: Screen<Option<Segment>>,
    segments: Vec<Segment>,
    ends: Vec<Ends>,
    /// Connections of which something is drawn.
    drawn: HashSet<u64>,
    /// ACKs that complete a handshake.
    handshakes: HashSet<u64>,
    omitted: u64,
}

/// A segment, before it is known which side the client is.
struct Segment {
    side: Side,
    step: Step,
}

impl Segments {
    /// Nothing yet; only frames that pass the filter will be taken.
    pub fn new(scope: Scope, filter: Filter) -> Self {
        let needs = filter.needs().of_a_diagram();
        Self {
            scope,
            screen: Screen::new(filter, needs, segment),
            segments: Vec::new(),
            ends: Vec::new(),
            drawn: HashSet::new(),
            handshakes: HashSet::new(),
            omitted: 0,
        }
    }

    /// The picture; times are relative to `start`.
    pub fn finish(mut self, ports: &Ports, start: Time) -> Picture {
        self.take_decided();
        self.ends.sort_by_key(|ends| ends.stream);
        let mut steps = Vec::with_capacity(self.segments.len());
        for Segment { side, mut step } in self.segments {
            let Ok(at) = self.ends.binary_search_by_key(&step.stream, |ends| ends.stream) else { continue };
            step.way = if side == self.ends[at].side { Way::ToServer } else { Way::ToClient };
            if step.kind == Kind::Ack && self.handshakes.contains(&step.first.frame) {
                step.kind = Kind::Handshake;
            }
            steps.push(step);
        }
        Picture::new(Level::Segment, self.ends, steps, self.omitted, ports, start)
    }

    fn take_decided(&mut self) {
        while let Some(decided) = self.screen.next() {
            let Some(Some(segment)) = decided.view.filter(|_| decided.stream.is_some_and(|stream| self.scope.holds(stream))) else {
                continue;
            };
            if self.segments.len() < self.scope.limit {
                self.drawn.insert(segment.step.stream);
                self.segments.push(segment);
            } else {
                self.omitted += 1;
            }
        }
    }
}

/// The step of a frame, if it is a TCP segment.
fn segment(facts: &Facts<'_>) -> Option<Segment> {
    let tcp = facts.segment.as_ref()?;
    let derived = &tcp.derived;
    let mark = Mark { frame: facts.number, time: facts.time };
    // Wireshark's word for a FIN sent again, as in a simultaneous close, too; but no data was lost.
    let is_said = |remark: &String| tcp.payload_len > 0 || !remark.ends_with("Retransmission");
    let mut asides: Vec<String> = derived.remarks().filter(is_said).collect();
    asides.extend(facts.messages.iter().map(|spoken| clipped(&spoken.message.head.start_line_text())));
    let step = Step {
        stream: derived.stream,
        lanes: [0; 2],
        way: Way::ToServer,
        kind: kind(tcp),
        again: derived.is_retransmission(),
        whole: true,
        frames: vec![facts.number],
        first: mark,
        last: mark,
        text: text(tcp),
        aside: asides.join(", "),
    };
    Some(Segment { side: derived.side, step })
}

fn kind(tcp: &Tcp<'_>) -> Kind {
    let flags = tcp.flags();
    if flags.syn() {
        Kind::Handshake
    } else if flags.rst() {
        Kind::Rst
    } else if flags.fin() {
        Kind::Fin
    } else if tcp.payload_len > 0 {
        Kind::Data
    } else {
        Kind::Ack
    }
}

/// Flags, and the numbers that say something.
fn text(tcp: &Tcp<'_>) -> String {
    let derived = &tcp.derived;
    let mut text = format!("{} seq={}", tcp.flag_names(), derived.seq);
    if tcp.flags().ack() {
        text += &format!(" ack={}", derived.ack);
    }
    if tcp.payload_len > 0 {
        text += &format!(" len={}", tcp.payload_len);
    }
    text
}

impl Sink for Segments {
    const WATCHES: bool = true;

    fn exchange(&mut self, exchange: Exchange) {
        self.screen.exchange(&exchange);
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.screen.closed(connection.stream);
        self.take_decided();
        // Frames of it may still be in line behind others.
        if self.scope.holds(connection.stream) && (self.segments.len() < self.scope.limit || self.drawn.contains(&connection.stream)) {
            self.handshakes.extend(connection.handshake.ack.map(|mark| mark.frame));
            self.ends.push(Ends::of(&connection, &talk));
        }
    }

    fn finding(&mut self, _: Finding) {}

    fn message(&mut self, heard: Heard<'_>) {
        self.screen.message(heard);
    }

    fn encrypted(&mut self, context: &Context, side: Side, bytes: &[u8], mark: Mark) {
        self.screen.encrypted(context, side, bytes, mark);
    }

    fn frame(&mut self, seen: Seen<'_>) {
        self.screen.frame(seen);
        self.take_decided();
    }

    fn body_limit(&self, protocol: Protocol) -> usize {
        self.screen.body_limit(protocol)
    }
}
