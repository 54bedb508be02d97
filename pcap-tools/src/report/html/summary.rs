//! The beginning of the page: what the capture is, who talked, and what was odd.

use std::collections::BTreeMap;

use super::answers::{Piece, pieces};
use super::links::{FrameLink, Links};
use crate::exchange::{Exchange, Ports};
use crate::finding::Finding;
use crate::report::Findings;
use crate::report::programs::{Pair, Programs};
use crate::report::rows::{Count, Counts};
use crate::report::text::number;
use crate::report::text::words::plural;
use crate::summary::Capture;
use crate::time::duration;

/// Findings that are shown.
const MAX_FINDINGS: usize = 50;
/// Interfaces, and kinds of packets that are no TCP, that are named.
const TOP: usize = 10;

/// What the capture is.
pub(super) struct Summary {
    /// Names and values, and what there is to add.
    pub tiles: Vec<Tile>,
    /// Sentences about the file.
    pub facts: Vec<String>,
    pub filter: Option<String>,
    pub damage: Option<String>,
    pub pairs: Vec<Pair>,
    pub more_servers: u64,
    /// Statuses, and how many responses had each.
    pub statuses: Vec<(u16, u64)>,
}

/// A number to begin with.
pub(super) struct Tile {
    pub name: &'static str,
    pub value: String,
    pub more: String,
}

/// Something odd.
pub(super) struct FindingView {
    pub kind: &'static str,
    pub frame: Option<FrameLink>,
    pub stream: Option<u64>,
    /// The id of the connection's row.
    pub connection: Option<String>,
    pub message: Vec<Piece>,
}

impl Summary {
    pub fn new(capture: &Capture, programs: &Programs, ports: &Ports, counts: &Counts, exchanges: &[Exchange]) -> Self {
        let (pairs, more_servers) = programs.pairs(ports);
        let mut statuses = BTreeMap::new();
        for status in exchanges.iter().filter_map(|exchange| exchange.complete_response()?.head.status()) {
            *statuses.entry(status).or_default() += 1;
        }
        let tile = |name, value, more: &str| Tile { name, value, more: more.to_owned() };
        let mut tiles = vec![
            tile("Packets", number(capture.packets), &plural(capture.bytes, "byte", "bytes")),
            tile("Duration", capture.duration().map_or("unknown".to_owned(), duration), ""),
            tile("Connections", number(capture.connections), ""),
        ];
        for (name, count) in [("HTTP requests", counts.http), ("HTCPCP requests", counts.htcpcp)] {
            if count == Count::default() && name != "HTTP requests" {
                continue;
            }
            tiles.push(tile(name, number(count.requests), &plural(count.responses, "response", "responses")));
        }
        if counts.encrypted_connections > 0 {
            tiles.push(tile("Encrypted", number(counts.encrypted_connections), "connections: nothing in them can be counted"));
        }
        Self {
            tiles,
            facts: facts(capture),
            filter: capture
                .selection
                .as_ref()
                .map(|selection| format!("{} the filter {}", plural(selection.packets, "packet passes", "packets pass"), selection.filter)),
            damage: capture.damage.as_ref().map(ToString::to_string),
            pairs,
            more_servers,
            statuses: statuses.into_iter().collect(),
        }
    }
}

fn facts(capture: &Capture) -> Vec<String> {
    let mut facts = Vec::new();
    if capture.first_time.nanos().is_some() {
        facts.push(format!("Captured from {} to {}.", capture.first_time, capture.last_time));
    }
    let mut interfaces: Vec<String> = capture
        .interfaces
        .iter()
        .take(TOP)
        .map(|interface| match &interface.name {
            Some(name) => format!("{name} ({})", interface.link_type),
            None => interface.link_type.to_string(),
        })
        .collect();
    interfaces.dedup();
    let compression = capture.compression.map_or(String::new(), |compression| format!(", {compression}"));
    let interfaces = if interfaces.is_empty() { "no interface".to_owned() } else { interfaces.join(", ") };
    facts.push(format!("{}{compression}: {interfaces}.", capture.format));
    if !capture.others.is_empty() {
        let others = capture.others.iter().take(TOP);
        let others: Vec<String> =
            others.map(|(kind, others)| format!("{kind} {} (first: frame {})", number(others.packets), others.first_frame)).collect();
        facts.push(format!("Not TCP: {}.", others.join(", ")));
    }
    facts
}

/// The first findings.
pub(super) fn findings(findings: &mut Findings, links: &Links) -> Vec<FindingView> {
    let view = |finding: &Finding| FindingView {
        kind: finding.kind.name(),
        frame: finding.frame.map(|frame| links.row(frame)),
        stream: finding.stream,
        connection: finding.stream.and_then(|stream| links.connection(stream)),
        message: pieces(&finding.message, &[], links),
    };
    findings.in_order().iter().take(MAX_FINDINGS).map(view).collect()
}

/// How many there were of each kind.
pub(super) fn finding_counts(findings: &Findings) -> Vec<(&'static str, u64)> {
    findings.counts().iter().map(|(kind, count)| (kind.name(), *count)).collect()
}
