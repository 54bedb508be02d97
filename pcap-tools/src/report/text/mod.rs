//! Text for a person: one screen of an ordinary capture, a summary of a large one.
//!
//! Fits a width, colours only when told to, and shows nothing out of a capture that a terminal would obey.

pub(super) mod lines;
mod page;
mod tally;
pub(super) mod words;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Findings;
use super::programs::Programs;
use super::rows::Counts;
use crate::connection::{CloseKind, Connection};
use crate::exchange::{Exchange, Ports, Sink, Talk};
use crate::finding::Finding;
use crate::summary::Capture;
use lines::{ConnectionLine, ExchangeLine};
use page::Page;
use tally::{Largest, Spread};

pub use words::{fill, number, printable};

/// A capture with more connections or exchanges than this is summarised.
const MAX_ROWS: usize = 100;
/// Rows of each list in a summary.
const TOP: usize = 10;

/// How text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal.
    pub width: u16,
    /// Whether colours are wanted.
    pub colour: Colour,
    /// Whether a large capture is shown row by row.
    pub rows: RowLimit,
}

/// Whether colours are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// On a terminal.
    On,
    /// In a pipe, or where `NO_COLOR` is set.
    Off,
}

/// How many rows are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowLimit {
    /// Large captures are summarised.
    Summarise,
    /// Every row.
    All,
}

/// Collects what the text shows.
pub struct Report {
    ports: Ports,
    style: Style,
    connections: Vec<ConnectionLine>,
    exchanges: Vec<ExchangeLine>,
    programs: Programs,
    counts: Counts,
    findings: Findings,
    totals: Totals,
}

/// What a summary of many tells.
#[derive(Default)]
struct Totals {
    connections: u64,
    handshakes: [u64; 3],
    closes: BTreeMap<&'static str, u64>,
    rtt: Spread,
    retransmissions: u64,
    out_of_order: u64,
    lost_segments: u64,
    exchanges: u64,
    statuses: BTreeMap<u16, u64>,
    response_time: Spread,
    unanswered: u64,
    unrequested: u64,
    slowest: Largest<ExchangeLine>,
    largest: Largest<ConnectionLine>,
    failed: Largest<ExchangeLine>,
    failures: u64,
    failed_connections: Vec<ConnectionLine>,
    connection_failures: u64,
}

impl Report {
    /// An empty report.
    pub fn new(ports: Ports, style: Style) -> Self {
        Self {
            ports,
            style,
            connections: Vec::new(),
            exchanges: Vec::new(),
            programs: Programs::default(),
            counts: Counts::default(),
            findings: Findings::default(),
            totals: Totals::default(),
        }
    }

    /// Whether a list with so many rows behind it takes another one.
    fn keeps(&self, rows: u64) -> bool {
        self.style.rows == RowLimit::All || rows < MAX_ROWS as u64
    }

    /// Writes the report.
    pub fn write(mut self, path: &str, capture: &Capture, out: &mut dyn Write) -> io::Result<Counts> {
        let mut page = Page { style: self.style, text: String::new() };
        page.capture(path, capture);
        page.programs(&self.programs, &self.ports);
        if self.keeps(self.totals.connections.saturating_sub(1)) {
            self.connections.sort_by_key(|line| line.stream);
            page.connections("Connections", &self.connections, &self.ports);
        } else {
            page.many_connections(&mut self.totals, &self.ports);
        }
        if self.keeps(self.totals.exchanges.saturating_sub(1)) {
            self.exchanges.sort_by_key(|line| line.first_frame);
            page.exchanges("Exchanges", &self.exchanges);
        } else {
            page.many_exchanges(&mut self.totals);
        }
        page.counts(&self.counts);
        page.others(capture);
        page.findings(&mut self.findings);
        page.damage(path, capture);
        out.write_all(page.text.as_bytes())?;
        Ok(self.counts)
    }
}

impl Sink for Report {
    fn exchange(&mut self, exchange: Exchange) {
        self.counts.add(&exchange);
        let keeps = self.keeps(self.totals.exchanges);
        let totals = &mut self.totals;
        totals.exchanges += 1;
        let status = exchange.complete_response().and_then(|response| response.head.status());
        let order = exchange.first_frame();
        let time = exchange.response_time();
        match status {
            Some(status) => *totals.statuses.entry(status).or_default() += 1,
            None => totals.unanswered += 1,
        }
        totals.unrequested += u64::from(exchange.complete_request().is_none());
        if let Some(time) = time {
            totals.response_time.add(time);
            totals.slowest.offer(time, order, || ExchangeLine::new(&exchange));
        }
        // No response, or one that blames the server, is worse than one that blames the client.
        let severity = match status {
            Some(..400) => 0,
            Some(..500) => 1,
            _ => 2,
        };
        if severity > 0 {
            totals.failures += 1;
            totals.failed.offer(severity, order, || ExchangeLine::new(&exchange));
        }
        if keeps {
            self.exchanges.push(ExchangeLine::new(&exchange));
        }
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.counts.add_connection(&talk);
        let keeps = self.keeps(self.totals.connections);
        let totals = &mut self.totals;
        totals.connections += 1;
        let bytes: u64 = connection.flows.0.iter().map(|flow| flow.bytes).sum();
        for flow in connection.flows.0 {
            totals.retransmissions += flow.retransmissions;
            totals.out_of_order += flow.out_of_order;
            totals.lost_segments += flow.lost_segments;
        }
        let handshake = &connection.handshake;
        let half = handshake.syn.is_some() || handshake.syn_ack.is_some();
        totals.handshakes[if handshake.complete() { 0 } else { 2 - usize::from(half) }] += 1;
        if let Some(rtt) = handshake.rtt() {
            totals.rtt.add(rtt);
        }
        let kind = connection.close.kind();
        *totals.closes.entry(close_word(kind)).or_default() += 1;
        totals.largest.offer(bytes as i64, connection.stream, || ConnectionLine::new(&connection, &talk));
        if kind == CloseKind::Rst || half && !handshake.complete() {
            totals.connection_failures += 1;
            if totals.failed_connections.len() < TOP {
                totals.failed_connections.push(ConnectionLine::new(&connection, &talk));
            }
        }
        self.programs.add(&connection, &talk);
        if keeps {
            self.connections.push(ConnectionLine::new(&connection, &talk));
        }
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.add(finding);
    }
}

fn close_word(kind: CloseKind) -> &'static str {
    match kind {
        CloseKind::Fin => "by FIN",
        CloseKind::Rst => "by RST",
        CloseKind::Open => "still open",
    }
}
