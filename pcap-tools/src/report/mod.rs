//! Reports: exchanges and connections in; text, JSON, JSON lines, CSV, HAR or a page for a browser out.
//!
//! Only this room knows output formats. [`rows`] says what is reported, its siblings how it is written.

pub mod answers;
pub mod csv;
pub mod diagram;
pub mod dissect;
pub mod follow;
pub mod grades;
pub mod har;
pub mod html;
pub mod json;
pub mod packets;
mod programs;
pub mod quiz;
pub mod rows;
pub mod text;

use crate::connection::Connection;
use crate::exchange::{Exchange, Sink, Talk};
use crate::finding::{Finding, Kind};
use std::collections::BTreeMap;

/// Findings of one kind that are kept; more are counted.
const MAX_FINDINGS: u64 = 1000;

/// Keeps everything: for libraries and tests, not for captures of any size.
#[derive(Debug, Default)]
pub struct Collect {
    /// In the order in which they ended.
    pub connections: Vec<(Connection, Talk)>,
    /// In the order in which they were complete.
    pub exchanges: Vec<Exchange>,
    /// In the order in which they were noticed.
    pub findings: Vec<Finding>,
}

impl Sink for Collect {
    fn exchange(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.connections.push((connection, talk));
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// Findings, of each kind so many, and how many there were.
#[derive(Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    counts: BTreeMap<Kind, u64>,
}

impl Findings {
    /// Takes one.
    pub fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.kind).or_insert(0);
        *count += 1;
        if *count <= MAX_FINDINGS {
            self.kept.push(finding);
        }
    }

    /// Those that were kept, by frame.
    pub fn in_order(&mut self) -> &[Finding] {
        self.kept.sort_by_key(|finding| (finding.frame, finding.stream, finding.kind));
        &self.kept
    }

    /// How many there were of each kind.
    pub fn counts(&self) -> &BTreeMap<Kind, u64> {
        &self.counts
    }
}
