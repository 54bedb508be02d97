//! Messages: exchanges and connections in; requests, responses, handshakes and closes as steps out.

use super::{Ends, Kind, Level, Picture, Scope, Step, Way, clipped};
use crate::connection::{Connection, Side};
use crate::exchange::{Exchange, Ports, Sink, Talk};
use crate::finding::Finding;
use crate::message::{Fate, Message};
use crate::time::{Mark, Time, duration};

/// Collects what a picture of messages shows.
#[derive(Debug)]
pub struct Messages {
    scope: Scope,
    steps: Vec<Step>,
    ends: Vec<Ends>,
    omitted: u64,
}

impl Messages {
    /// Nothing yet.
    pub fn new(scope: Scope) -> Self {
        Self { scope, steps: Vec::new(), ends: Vec::new(), omitted: 0 }
    }

    /// The picture; times are relative to `start`.
    pub fn finish(mut self, ports: &Ports, start: Time) -> Picture {
        self.keep_first();
        Picture::new(Level::Message, self.ends, self.steps, self.omitted, ports, start)
    }

    fn add(&mut self, step: Step) {
        self.steps.push(step);
        // Steps come in the order in which they are complete, so that which are the first is not certain at once.
        if self.steps.len() / 2 >= self.scope.limit.max(1) {
            self.keep_first();
        }
    }

    /// Forgets what is behind the limit.
    fn keep_first(&mut self) {
        let more = self.steps.len().saturating_sub(self.scope.limit);
        if more > 0 {
            self.steps.sort_by_key(Step::order);
            self.steps.truncate(self.scope.limit);
            self.omitted += more as u64;
            let last = self.steps.last().map_or(0, |step| step.first.frame);
            self.ends.retain(|ends| ends.first_frame <= last);
        }
    }

    fn message(&mut self, stream: u64, message: &Message, aside: String) {
        let head = &message.head;
        let way = if head.is_request() { Way::ToServer } else { Way::ToClient };
        let mut frames = vec![message.first.frame, message.last.frame];
        frames.dedup();
        let aside = match message.fate {
            Fate::Complete => aside,
            Fate::Lost(_) => "lost".to_owned(),
            Fate::Unfinished => "unfinished".to_owned(),
        };
        let kind = if head.is_request() { Kind::Request } else { Kind::Response(head.status().unwrap_or(0)) };
        let step = Step { frames, last: message.last, ..step(stream, way, kind, message.first, clipped(&head.start_line_text())) };
        self.add(Step { whole: message.fate == Fate::Complete, aside, ..step });
    }

    fn handshake(&mut self, connection: &Connection) {
        let handshake = &connection.handshake;
        let marks: Vec<Mark> = [handshake.syn, handshake.syn_ack, handshake.ack].into_iter().flatten().collect();
        let [first, .., last] = marks[..] else {
            match marks[..] {
                [] => self.note(connection, connection.first, "open before the capture began".to_owned()),
                // A SYN that nobody answered; a SYN-ACK is never alone.
                [only, ..] => self.first_segments(connection, only, only, "SYN, not answered"),
            }
            return;
        };
        let text = match (handshake.syn, handshake.ack) {
            (Some(_), Some(_)) => "SYN, SYN-ACK, ACK",
            (Some(_), None) => "SYN, SYN-ACK",
            (None, _) => "SYN-ACK, ACK",
        };
        self.first_segments(connection, first, last, text);
    }

    fn first_segments(&mut self, connection: &Connection, first: Mark, last: Mark, text: &str) {
        let handshake = &connection.handshake;
        let repeated = handshake.repeated_syns.iter().chain(&handshake.repeated_syn_acks).copied();
        let marks = [handshake.syn, handshake.syn_ack, handshake.ack].into_iter().flatten();
        let mut frames: Vec<u64> = marks.map(|mark| mark.frame).chain(repeated).collect();
        frames.sort_unstable();
        frames.dedup();
        let again = !handshake.repeated_syns.is_empty() || !handshake.repeated_syn_acks.is_empty();
        let aside = handshake.rtt().map_or(String::new(), duration);
        let step = step(connection.stream, Way::ToServer, Kind::Handshake, first, text.to_owned());
        self.add(Step { frames, last, again, aside, ..step });
    }

    /// What cannot be seen from arrows.
    fn remarks(&mut self, connection: &Connection, talk: &Talk) {
        let behind = connection.handshake.ack.unwrap_or(connection.first);
        if let Some(tls) = &talk.tls {
            let version = tls.version().map_or("TLS".to_owned(), |version| version.to_string());
            let name = tls.server_name.as_ref().map_or(String::new(), |name| format!(" to {}", clipped(name)));
            self.note(connection, behind, format!("{version}{name}: encrypted"));
        } else if talk.http2 {
            self.note(connection, behind, "HTTP/2: not decoded".to_owned());
        } else if talk.protocol.is_none() && connection.flows.0.iter().any(|flow| flow.payload_bytes > 0) {
            self.note(connection, behind, "no message that can be read".to_owned());
        }
        let flows = connection.flows.0;
        let again: u64 = flows.iter().map(|flow| flow.retransmissions).sum();
        let lost: u64 = flows.iter().map(|flow| flow.lost_bytes).sum();
        for (count, what) in [(again, "↻ segments sent again"), (lost, "bytes never captured")] {
            if count > 0 {
                self.note(connection, connection.last, format!("{what}: {count}"));
            }
        }
    }

    fn note(&mut self, connection: &Connection, mark: Mark, text: String) {
        self.add(Step { frames: Vec::new(), ..step(connection.stream, Way::ToServer, Kind::Note, mark, text) });
    }

    fn close(&mut self, connection: &Connection, client: Side) {
        let way = |side: Side| if side == client { Way::ToServer } else { Way::ToClient };
        for side in Side::BOTH {
            if let Some(mark) = connection.close.fins[side] {
                self.add(step(connection.stream, way(side), Kind::Fin, mark, "FIN".to_owned()));
            }
        }
        if let Some((side, mark)) = connection.close.rst {
            self.add(step(connection.stream, way(side), Kind::Rst, mark, "RST".to_owned()));
        }
    }
}

/// A step that one frame tells.
fn step(stream: u64, way: Way, kind: Kind, mark: Mark, text: String) -> Step {
    Step {
        stream,
        lanes: [0; 2],
        way,
        kind,
        again: false,
        whole: true,
        frames: vec![mark.frame],
        first: mark,
        last: mark,
        text,
        aside: String::new(),
    }
}

impl Sink for Messages {
    fn exchange(&mut self, exchange: Exchange) {
        if !self.scope.holds(exchange.stream) {
            return;
        }
        let time = exchange.response_time().map_or(String::new(), duration);
        for message in exchange.request.iter().chain(&exchange.interim) {
            self.message(exchange.stream, message, String::new());
        }
        if let Some(response) = &exchange.response {
            self.message(exchange.stream, response, time);
        }
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        if !self.scope.holds(connection.stream) {
            return;
        }
        self.ends.push(Ends::of(&connection, &talk));
        self.handshake(&connection);
        self.remarks(&connection, &talk);
        self.close(&connection, talk.client);
    }

    fn finding(&mut self, _: Finding) {}
}
