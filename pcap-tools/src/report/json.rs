//! JSON: one document a capture, or one line for each connection and exchange as it ends.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::value::RawValue;

use super::Findings;
use super::rows::{ConnectionRow, Counts, ExchangeRow, Micros};
use crate::capture::Damage;
use crate::connection::Connection;
use crate::exchange::{Exchange, Ports, Sink, Talk};
use crate::filter::Selection;
use crate::finding::Finding;
use crate::summary::Capture;

/// Name and version of the document; the version changes when a name changes or goes.
pub const SCHEMA: &str = "pcap-tools/summary/1";
/// The same of the total over several captures.
pub const TOTAL_SCHEMA: &str = "pcap-tools/total/1";

/// Collects the rows of a document, already written out: the smallest form that keeps everything.
pub struct Document {
    ports: Ports,
    connections: Vec<(u64, Box<RawValue>)>,
    exchanges: Vec<(u64, Box<RawValue>)>,
    counts: Counts,
    findings: Findings,
}

impl Document {
    /// An empty document.
    pub fn new(ports: Ports) -> Self {
        Self { ports, connections: Vec::new(), exchanges: Vec::new(), counts: Counts::default(), findings: Findings::default() }
    }

    /// Writes the document on one line.
    pub fn write(mut self, path: &str, capture: &Capture, out: &mut dyn Write) -> io::Result<Counts> {
        self.connections.sort_by_key(|(stream, _)| *stream);
        self.exchanges.sort_by_key(|(frame, _)| *frame);
        #[derive(Serialize)]
        struct Whole<'a> {
            schema: &'static str,
            capture: CaptureRow<'a>,
            connections: Vec<&'a RawValue>,
            exchanges: Vec<&'a RawValue>,
            counts: Counts,
            encrypted_connections: u64,
            findings: &'a [Finding],
            finding_counts: std::collections::BTreeMap<&'static str, u64>,
        }
        let finding_counts = self.findings.counts().iter().map(|(kind, count)| (kind.name(), *count)).collect();
        let whole = Whole {
            schema: SCHEMA,
            capture: CaptureRow::new(path, capture),
            connections: self.connections.iter().map(|(_, row)| &**row).collect(),
            exchanges: self.exchanges.iter().map(|(_, row)| &**row).collect(),
            counts: self.counts,
            encrypted_connections: self.counts.encrypted_connections,
            findings: self.findings.in_order(),
            finding_counts,
        };
        line(out, &whole)?;
        Ok(self.counts)
    }
}

impl Sink for Document {
    fn exchange(&mut self, exchange: Exchange) {
        self.counts.add(&exchange);
        let row = serde_json::value::to_raw_value(&ExchangeRow::new(&exchange)).expect("rows are plain data");
        self.exchanges.push((exchange.first_frame(), row));
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.counts.add_connection(&talk);
        let row = serde_json::value::to_raw_value(&ConnectionRow::new(&connection, &talk, &self.ports)).expect("rows are plain data");
        self.connections.push((connection.stream, row));
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.add(finding);
    }
}

/// What a capture says of itself.
#[derive(Serialize)]
struct CaptureRow<'a> {
    path: &'a str,
    format: &'static str,
    compression: Option<&'static str>,
    packets: u64,
    bytes: u64,
    first_time: Option<String>,
    last_time: Option<String>,
    duration_us: Option<Micros>,
    interfaces: Vec<InterfaceRow<'a>>,
    connections: u64,
    other_packets: Vec<OtherRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selection: Option<&'a Selection>,
    damage: Option<&'a Damage>,
}

#[derive(Serialize)]
struct InterfaceRow<'a> {
    name: Option<&'a str>,
    link_type: String,
    snap_len: Option<u32>,
}

#[derive(Serialize)]
struct OtherRow {
    kind: String,
    packets: u64,
    first_frame: u64,
}

impl<'a> CaptureRow<'a> {
    fn new(path: &'a str, capture: &'a Capture) -> Self {
        let time = |time: crate::time::Time| time.nanos().map(|_| time.to_string());
        Self {
            path,
            format: capture.format,
            compression: capture.compression,
            packets: capture.packets,
            bytes: capture.bytes,
            first_time: time(capture.first_time),
            last_time: time(capture.last_time),
            duration_us: Micros::from_nanos(capture.duration()),
            interfaces: capture
                .interfaces
                .iter()
                .map(|interface| InterfaceRow {
                    name: interface.name.as_deref(),
                    link_type: interface.link_type.to_string(),
                    snap_len: interface.snap_len,
                })
                .collect(),
            connections: capture.connections,
            other_packets: capture
                .others
                .iter()
                .map(|(kind, others)| OtherRow { kind: kind.to_string(), packets: others.packets, first_frame: others.first_frame })
                .collect(),
            selection: capture.selection.as_ref(),
            damage: capture.damage.as_ref(),
        }
    }
}

/// The total over several captures.
#[derive(Debug, Default, Serialize)]
pub struct Total {
    schema: &'static str,
    /// Captures that were read, damaged ones too.
    pub captures: u64,
    /// Captures that could not be read at all.
    pub unreadable: u64,
    /// Captures that could not be read to their end.
    pub damaged: u64,
    /// Frames.
    pub packets: u64,
    /// Their lengths on the wire.
    pub bytes: u64,
    /// TCP connections.
    pub connections: u64,
    /// Complete messages.
    pub counts: Counts,
    /// Connections of which nothing can be counted.
    pub encrypted_connections: u64,
}

impl Total {
    /// Adds a capture.
    pub fn add(&mut self, capture: &Capture, counts: &Counts) {
        self.schema = TOTAL_SCHEMA;
        self.captures += 1;
        self.damaged += u64::from(capture.damage.is_some());
        self.packets += capture.packets;
        self.bytes += capture.bytes;
        self.connections += capture.connections;
        self.counts.merge(counts);
        self.encrypted_connections = self.counts.encrypted_connections;
    }
}

/// Writes a value on one line.
pub fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Writes a line for each connection and exchange when it ends.
pub struct Lines<'a> {
    ports: Ports,
    out: &'a mut dyn Write,
    /// What was found on connections that have not ended yet.
    findings: std::collections::HashMap<u64, Vec<Finding>>,
    /// Complete messages.
    pub counts: Counts,
    /// The first failure to write.
    pub error: Option<io::Error>,
}

/// Findings that a connection's line lists.
const MAX_FINDINGS_A_LINE: usize = 10;

impl<'a> Lines<'a> {
    /// Writes to `out`.
    pub fn new(ports: Ports, out: &'a mut dyn Write) -> Self {
        Self { ports, out, findings: Default::default(), counts: Counts::default(), error: None }
    }

    fn line(&mut self, value: &impl Serialize) {
        if self.error.is_none() {
            self.error = line(self.out, value).err();
        }
    }
}

/// A row that says what it is.
#[derive(Serialize)]
struct Typed<R> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    row: R,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<Finding>>,
}

impl Sink for Lines<'_> {
    fn exchange(&mut self, exchange: Exchange) {
        self.counts.add(&exchange);
        self.line(&Typed { kind: "exchange", row: ExchangeRow::new(&exchange), findings: None });
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.counts.add_connection(&talk);
        let findings = Some(self.findings.remove(&connection.stream).unwrap_or_default());
        let row = ConnectionRow::new(&connection, &talk, &self.ports.clone());
        self.line(&Typed { kind: "connection", row, findings });
    }

    fn finding(&mut self, finding: Finding) {
        if let Some(stream) = finding.stream {
            let findings = self.findings.entry(stream).or_default();
            if findings.len() < MAX_FINDINGS_A_LINE {
                findings.push(finding);
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.error.is_some()
    }

    fn idle(&mut self) {
        if self.error.is_none() {
            self.error = self.out.flush().err();
        }
    }
}
