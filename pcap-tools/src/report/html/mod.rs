//! The report: a summary of a capture in, one HTML page out that needs nothing else.
//!
//! The page asks nobody for anything: its style and its script stand in it, and its policy allows these two by their
//! hashes and nothing beside them. Whatever comes out of the capture passes an escaper, since every template does. Without the
//! script all can be read; it sorts, searches and unfolds.
//!
//! Frames are linked to what they belong to, connections to their exchanges, both to the waterfall and the diagram. Rows
//! beyond a limit are left out, and the page says so.

mod answers;
mod chains;
mod diagram;
mod links;
mod summary;
mod tables;
mod waterfall;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Findings;
use super::programs::Programs;
use super::rows::Counts;
use super::text::printable;
use crate::connection::Connection;
use crate::exchange::{Exchange, Ports, Protocol, Sink, Talk};
use crate::finding::Finding;
use crate::lab::{Detail, Lab, Tasks};
use crate::summary::Capture;
use crate::waterfall::bars;
use answers::Piece;
use links::Links;

/// Connections and exchanges that the page has rows for: what a browser opens without being waited for.
const MAX_ROWS: usize = 10_000;

/// A page with no more rows than this in a table is laid out at once, and printed with all heads.
const SHORT: usize = 100;

const STYLE: &str = include_str!("../../../assets/report.css");
const SCRIPT: &str = include_str!("../../../assets/report.js");

/// What stands between a text and the page: it comes out as the characters that it is made of.
///
/// Markup becomes character references; control characters, and those that turn the direction of a text, become escapes that
/// can be seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Escaper;

impl askama::filters::Escaper for Escaper {
    fn write_escaped_str<W: fmt::Write>(&self, out: W, text: &str) -> fmt::Result {
        askama::filters::Html.write_escaped_str(out, &printable(text))
    }
}

/// Collects what the page shows.
#[derive(Debug)]
pub struct Page {
    ports: Ports,
    lab: Lab,
    programs: Programs,
    counts: Counts,
    findings: Findings,
}

impl Page {
    /// An empty page.
    pub fn new(ports: Ports) -> Self {
        Self {
            lab: Lab::new(ports.clone()),
            ports,
            programs: Programs::default(),
            counts: Counts::default(),
            findings: Findings::default(),
        }
    }

    /// Writes it.
    pub fn write(mut self, path: &str, capture: &Capture, out: &mut dyn Write) -> io::Result<()> {
        let notebook = self.lab.into_notebook(Detail::Page);
        let exchanges = &notebook.exchanges()[..notebook.exchanges().len().min(MAX_ROWS)];
        let connections: Vec<(&Connection, &Talk)> = notebook.connections().take(MAX_ROWS).collect();
        let handshakes: HashMap<u64, _> = connections.iter().map(|(connection, _)| (connection.stream, &connection.handshake)).collect();
        let bars = bars(exchanges, |stream| handshakes.get(&stream).copied());
        let diagram = diagram::Diagram::new(exchanges, &connections, &self.ports, capture.first_time)?;
        let links = Links::new(exchanges, &connections, diagram.anchors());
        let chains = notebook.chains();
        let view = View {
            policy: policy(),
            style: STYLE,
            diagram_style: super::diagram::STYLE,
            script: SCRIPT,
            title: match Path::new(path).file_name() {
                _ if path == "-" => "standard input".into(),
                Some(name) => name.to_string_lossy(),
                None => path.into(),
            },
            path,
            is_short: exchanges.len().max(connections.len()) <= SHORT,
            summary: summary::Summary::new(capture, &self.programs, &self.ports, &self.counts, notebook.exchanges()),
            findings: summary::findings(&mut self.findings, &links),
            finding_counts: summary::finding_counts(&self.findings),
            answers: answers::answers(notebook.answers(Tasks::All), &links),
            panels: waterfall::panels(exchanges, &bars, capture.first_time),
            chains: chains::chains(&chains, exchanges, &links),
            more_chains: chains.len().saturating_sub(chains::MAX_CHAINS),
            diagram,
            connections: tables::connections(&connections, &self.ports, &links, capture.first_time),
            exchanges: tables::exchanges(exchanges, &bars, &chains, &links, capture.first_time),
            more_connections: notebook.connections().len() - connections.len(),
            more_exchanges: notebook.exchanges().len() - exchanges.len(),
        };
        view.write_into(out)
    }
}

impl Sink for Page {
    fn exchange(&mut self, exchange: Exchange) {
        self.counts.add(&exchange);
        self.lab.exchange(exchange);
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.counts.add_connection(&talk);
        self.programs.add(&connection, &talk);
        self.lab.connection(connection, talk);
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.add(finding);
    }

    fn body_limit(&self, protocol: Protocol) -> usize {
        self.lab.body_limit(protocol)
    }
}

/// The Content Security Policy of the page: its own style and script by their hashes, its icon, and nothing else.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {} {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(super::diagram::STYLE),
        hash(SCRIPT)
    )
}

/// The whole page.
#[derive(Template)]
#[template(path = "report/page.html", whitespace = "minimize")]
struct View<'a> {
    policy: String,
    style: &'static str,
    diagram_style: &'static str,
    script: &'static str,
    title: Cow<'a, str>,
    path: &'a str,
    /// Whether it has few rows.
    is_short: bool,
    summary: summary::Summary,
    findings: Vec<summary::FindingView>,
    finding_counts: Vec<(&'static str, u64)>,
    answers: Vec<answers::AnswerView>,
    panels: Vec<waterfall::PanelView>,
    chains: Vec<chains::ChainView>,
    more_chains: usize,
    diagram: diagram::Diagram,
    connections: Vec<tables::ConnectionView>,
    exchanges: Vec<tables::ExchangeView>,
    more_connections: usize,
    more_exchanges: usize,
}
