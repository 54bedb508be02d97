//! The waterfall: exchanges and their connections' handshakes in, what each exchange was doing when out.
//!
//! Bars stand in the order of the exchanges, and in [`Panel`]s: as many neighbours as can share a scale of time. Pauses in
//! which no exchange does anything are folded. How it is drawn is left to [`report`](crate::report).
//!
//! ```
//! use pcap_tools::{capture::Reader, craft, exchange::Ports, report::Collect, summary, waterfall::{self, Phase}};
//!
//! let mut talk = craft::Conversation::new("127.0.0.1:55433".parse()?, "127.0.0.1:5031".parse()?);
//! talk.handshake().client("GET / HTTP/1.1\r\n\r\n").server("HTTP/1.1 204 No Content\r\n\r\n");
//! let reader = Reader::new(std::io::Cursor::new(craft::capture(&talk.packets())))?;
//! let (_, found) = summary::run(reader, Ports::default(), Collect::default());
//! let bars = waterfall::bars(&found.exchanges, |_| Some(&found.connections[0].0.handshake));
//! assert_eq!(bars[0].phases[Phase::Connect as usize].unwrap().len(), 2_000_000);
//! assert_eq!(bars[0].phases[Phase::Wait as usize].unwrap().len(), 1_000_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::HashSet;
use std::ops::Range;

use crate::connection::Handshake;
use crate::exchange::Exchange;
use crate::time::Time;

/// A longer time in which no exchange does anything is a pause, in nanoseconds.
pub const PAUSE: i64 = 250_000_000;
/// Bars that share a scale at the most.
const MAX_BARS: usize = 200;
/// About so many panels are made of a capture with many pauses.
const PANELS: usize = 24;
/// What pauses take of a panel's width: each, and all together.
const FOLD_WIDTH: f64 = 0.03;
const FOLDS_WIDTH: f64 = 0.3;

/// What an exchange is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// The handshake of its connection, whose first exchange it is: SYN to ACK.
    Connect,
    /// The request: its first frame to the one that completed it.
    Send,
    /// From the request's completion to the response's first frame.
    Wait,
    /// The response: its first frame to the one that completed it.
    Receive,
}

impl Phase {
    /// All, in their order in time.
    pub const ALL: [Phase; 4] = [Phase::Connect, Phase::Send, Phase::Wait, Phase::Receive];

    /// As people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Send => "send",
            Self::Wait => "wait",
            Self::Receive => "receive",
        }
    }
}

/// Nanoseconds since the Unix epoch, from one time to a later one or the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// When it begins.
    pub from: i64,
    /// When it ends.
    pub to: i64,
}

impl Span {
    /// `None` if a time is unknown, or the clock went back.
    fn between(from: Time, to: Time) -> Option<Self> {
        let (from, to) = (from.nanos()?, to.nanos()?);
        (from <= to).then_some(Self { from, to })
    }

    /// In nanoseconds.
    pub fn len(self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    /// Whether it takes no time.
    pub fn is_empty(self) -> bool {
        self.from == self.to
    }
}

/// When an exchange did what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bar {
    /// By [`Phase`]; `None` where it is not known, or did not happen.
    pub phases: [Option<Span>; 4],
}

impl Bar {
    fn new(exchange: &Exchange, handshake: Option<&Handshake>) -> Self {
        let (request, response) = (exchange.request.as_ref(), exchange.complete_response());
        let connect = handshake.and_then(|handshake| {
            handshake.syn_ack?;
            Span::between(handshake.syn?.time, handshake.ack?.time)
        });
        let send = request.and_then(|request| Span::between(request.first.time, request.last.time));
        let wait =
            exchange.complete_request().zip(response).and_then(|(request, response)| Span::between(request.last.time, response.first.time));
        let receive = response.and_then(|response| Span::between(response.first.time, response.last.time));
        Self { phases: [connect, send, wait, receive] }
    }

    /// From the beginning of its first phase to the end of its last one.
    pub fn span(&self) -> Option<Span> {
        let spans = || self.phases.iter().flatten();
        Some(Span { from: spans().map(|span| span.from).min()?, to: spans().map(|span| span.to).max()? })
    }
}

/// A bar for each exchange; `handshake` finds that of a stream.
pub fn bars<'a>(exchanges: &'a [Exchange], handshake: impl Fn(u64) -> Option<&'a Handshake>) -> Vec<Bar> {
    let mut begun = HashSet::new();
    let mut bar = |exchange: &Exchange| {
        let is_first = begun.insert(exchange.stream);
        Bar::new(exchange, handshake(exchange.stream).filter(|_| is_first))
    };
    exchanges.iter().map(&mut bar).collect()
}

/// Bars that share a scale of time.
#[derive(Clone, PartialEq, Debug)]
pub struct Panel {
    /// Which bars, by their places.
    pub bars: Range<usize>,
    /// The times between pauses; none if no time is known.
    pub bursts: Vec<Burst>,
}

/// A time without a pause.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Burst {
    /// When it was.
    pub span: Span,
    /// Where it stands: parts of the panel's width.
    pub left: f64,
    /// How wide it is: a part of the panel's width.
    pub width: f64,
}

impl Panel {
    /// Panels of all bars. A new one begins behind a pause or, where there is none for long, anywhere.
    pub fn of(bars: &[Bar]) -> Vec<Self> {
        let enough = bars.len().div_ceil(PANELS);
        let mut panels = Vec::new();
        let (mut first, mut end) = (0, i64::MIN);
        for (at, bar) in bars.iter().enumerate() {
            let Some(span) = bar.span() else { continue };
            let is_behind_a_pause = end != i64::MIN && span.from.saturating_sub(end) > PAUSE;
            if at - first >= MAX_BARS || is_behind_a_pause && at - first >= enough {
                panels.push(Self::new(first..at, bars));
                first = at;
            }
            end = end.max(span.to);
        }
        if first < bars.len() {
            panels.push(Self::new(first..bars.len(), bars));
        }
        panels
    }

    fn new(range: Range<usize>, bars: &[Bar]) -> Self {
        let mut spans: Vec<Span> = bars[range.clone()].iter().filter_map(Bar::span).collect();
        spans.sort_unstable_by_key(|span| span.from);
        let mut bursts: Vec<Burst> = Vec::new();
        for span in spans {
            match bursts.last_mut() {
                Some(burst) if span.from.saturating_sub(burst.span.to) <= PAUSE => burst.span.to = burst.span.to.max(span.to),
                _ => bursts.push(Burst { span, left: 0.0, width: 0.0 }),
            }
        }
        let folds = bursts.len().saturating_sub(1) as f64;
        let fold = if folds > 0.0 { FOLD_WIDTH.min(FOLDS_WIDTH / folds) } else { 0.0 };
        // Bursts that take no time are given a nanosecond each, so that they share the width.
        let weight = |burst: &Burst| burst.span.len().max(1) as f64;
        let total: f64 = bursts.iter().map(weight).sum();
        let mut left = 0.0;
        for burst in &mut bursts {
            burst.left = left;
            burst.width = weight(burst) / total * (1.0 - folds * fold);
            left += burst.width + fold;
        }
        Self { bars: range, bursts }
    }

    /// The part of the panel's width that lies before a time of one of its bars.
    pub fn place(&self, nanos: i64) -> f64 {
        let at = self.bursts.partition_point(|burst| burst.span.from <= nanos).saturating_sub(1);
        self.bursts.get(at).map_or(0.0, |burst| {
            let part = nanos.saturating_sub(burst.span.from) as f64 / burst.span.len().max(1) as f64;
            burst.left + burst.width * part.clamp(0.0, 1.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    /// Bars that do nothing but wait.
    fn waits(spans: &[(i64, i64)]) -> Vec<Bar> {
        spans.iter().map(|&(from, to)| Bar { phases: [None, None, Some(Span { from, to }), None] }).collect()
    }

    /// First bars of the panels.
    #[track_caller]
    fn check(spans: &[(i64, i64)], expected: &[usize]) {
        let panels = Panel::of(&waits(spans));
        assert_eq!(panels.iter().map(|panel| panel.bars.start).collect::<Vec<_>>(), expected);
        assert_eq!(panels.iter().map(|panel| panel.bars.len()).sum::<usize>(), spans.len());
    }

    #[test]
    fn a_pause_begins_a_panel() {
        check(&[], &[]);
        check(&[(0, 10), (PAUSE, 2 * PAUSE), (4 * PAUSE, 5 * PAUSE)], &[0, 2]);
        // While another exchange waits, there is no pause.
        check(&[(0, 9 * SECOND), (SECOND, 2 * SECOND), (8 * SECOND, 9 * SECOND)], &[0]);
    }

    #[test]
    fn many_pauses_are_folded_and_many_bars_parted() {
        let polls: Vec<(i64, i64)> = (0..240).map(|at| (at * SECOND, at * SECOND + SECOND / 10)).collect();
        let panels = Panel::of(&waits(&polls));
        assert_eq!((panels.len(), panels[0].bars.clone(), panels[0].bursts.len()), (24, 0..10, 10));
        check(&[(0, SECOND); 450], &[0, 200, 400]);
    }

    #[test]
    fn places_keep_their_order_and_pauses_their_width() {
        let spans = [(0, SECOND), (SECOND, 3 * SECOND), (60 * SECOND, 61 * SECOND)];
        let panel = Panel::new(0..3, &waits(&spans));
        let places = [0, SECOND, 3 * SECOND, 60 * SECOND, 61 * SECOND].map(|nanos| (panel.place(nanos) * 1000.0).round() / 1000.0);
        assert_eq!(places, [0.0, 0.243, 0.728, 0.758, 1.0]);
    }

    #[test]
    fn a_moment_and_no_time_at_all() {
        let panel = Panel::new(0..1, &waits(&[(5, 5)]));
        assert_eq!(panel.place(5), 0.0);
        let timeless = Bar { phases: [None; 4] };
        assert_eq!(Panel::of(&[timeless]), [Panel { bars: 0..1, bursts: Vec::new() }]);
    }
}
