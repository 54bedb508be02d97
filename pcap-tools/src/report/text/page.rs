//! The page: lines and numbers in, aligned tables and folded paragraphs out.

use std::cmp::Reverse;
use std::fmt::Write as _;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::lines::{ConnectionLine, ExchangeLine};
use super::words::{number, plural, printable};
use super::{Colour, Style, TOP, Totals};
use crate::connection::Handshake;
use crate::exchange::{Ports, Program, Protocol};
use crate::packet::Endpoint;
use crate::report::Findings;
use crate::report::programs::Programs;
use crate::report::rows::Counts;
use crate::summary::Capture;
use crate::time::duration;

/// From this width on, less important columns are shown too.
const WIDE: u16 = 100;
/// Findings that are shown.
const MAX_FINDINGS: usize = 20;

/// The page as it grows.
pub(super) struct Page {
    pub style: Style,
    pub text: String,
}

impl Page {
    fn heading(&mut self, heading: &str) {
        let (on, off) = if self.style.colour == Colour::On { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(self.text, "\n{on}{heading}{off}");
    }

    /// A paragraph, folded to the width.
    fn line(&mut self, line: &str) {
        let options = textwrap::Options::new(usize::from(self.style.width)).subsequent_indent("  ");
        self.text.push_str(&textwrap::fill(line, options));
        self.text.push('\n');
    }

    pub fn capture(&mut self, path: &str, capture: &Capture) {
        let (on, off) = if self.style.colour == Colour::On { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(self.text, "{on}{}{off}", printable(path));
        let mut line = format!("{}, {}", plural(capture.packets, "packet", "packets"), plural(capture.bytes, "byte", "bytes"));
        if let Some(nanos) = capture.duration() {
            let _ = write!(line, ", {} from {}", duration(nanos), capture.first_time);
        }
        self.line(&line);
        let mut kinds: Vec<String> = capture
            .interfaces
            .iter()
            .take(TOP)
            .map(|interface| match &interface.name {
                Some(name) => format!("{} ({})", printable(name), interface.link_type),
                None => interface.link_type.to_string(),
            })
            .collect();
        kinds.dedup();
        if capture.interfaces.len() > TOP {
            kinds.push(format!("… {} interfaces", capture.interfaces.len()));
        }
        let compression = capture.compression.map_or(String::new(), |compression| format!(", {compression}"));
        self.line(&format!(
            "{}{compression}: {}",
            capture.format,
            if kinds.is_empty() { "no interface".to_owned() } else { kinds.join(", ") }
        ));
        if let Some(selection) = &capture.selection {
            let packets = plural(selection.packets, "packet passes", "packets pass");
            self.line(&format!("{packets} the filter {}; below is what they belong to", printable(&selection.filter)));
        }
    }

    pub fn programs(&mut self, programs: &Programs, ports: &Ports) {
        let (pairs, more) = programs.pairs(ports);
        if pairs.is_empty() {
            return;
        }
        self.heading("Programs");
        let mut table = self.table(&["Client", "Its ports", "Server", "Connections", "Exchanges"], &[3, 4]);
        for pair in pairs {
            table.add_row(vec![
                Cell::new(pair.client),
                Cell::new(pair.client_ports),
                Cell::new(pair.server),
                right(number(pair.connections)),
                right(pair.exchanges),
            ]);
        }
        self.put(&table);
        if more > 0 {
            self.line(&format!("… and {} more", plural(more, "server", "servers")));
        }
    }

    pub fn connections(&mut self, heading: &str, lines: &[ConnectionLine], ports: &Ports) {
        if lines.is_empty() {
            return;
        }
        self.heading(heading);
        // On one host, as in the lab, addresses say nothing.
        let one_host = lines.iter().all(|line| line.client.ip == line.server.ip && line.client.ip == lines[0].client.ip);
        let wide = self.style.width >= WIDE;
        let mut columns = vec!["#", "Client → server", "Handshake", "RTT", "Bytes", "Closed by"];
        if wide {
            columns.insert(4, "Packets");
        }
        // Long numbers need places to fold at.
        let separator = if lines.iter().any(|line| line.last_frame > 9_999) { ", " } else { "," };
        let mut table = self.table(&columns, if wide { &[0, 3, 4, 5] } else { &[0, 3, 4] });
        let mut widest = 0;
        for line in lines {
            let programs = Program::of(ports, line.server.port);
            let end = |at: usize, end: Endpoint| match programs {
                Some(programs) if one_host => format!("{}:{}", programs[at].as_str(), end.port),
                _ if one_host => format!(":{}", end.port),
                _ => end.to_string(),
            };
            let mark = |mark: Option<crate::time::Mark>| mark.map_or("–".to_owned(), |mark| mark.frame.to_string());
            let handshake = match &line.handshake {
                Handshake { syn: None, syn_ack: None, .. } => "not captured".to_owned(),
                handshake => [handshake.syn, handshake.syn_ack, handshake.ack].map(mark).join(separator),
            };
            let closed = Cell::new(&line.closed);
            let (client, server) = (end(0, line.client), end(1, line.server));
            widest = widest.max(client.len()).max(server.len());
            let mut cells = vec![
                right(line.stream.to_string()),
                Cell::new(format!("{client} → {server}")),
                Cell::new(handshake),
                right(line.rtt.map_or(String::new(), duration)),
                right(number(line.bytes)),
                if line.closed.contains("RST") { closed.fg(Color::Red) } else { closed },
            ];
            if wide {
                cells.insert(4, right(number(line.packets)));
            }
            table.add_row(cells);
        }
        // Addresses fold between the two, not inside of one.
        let ends = (widest as u16 + " → ".len() as u16).min(self.style.width / 2);
        if let Some(column) = table.column_mut(1).filter(|_| !one_host) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(ends)));
        }
        self.put(&table);
        for line in lines.iter().filter(|line| !line.remarks.is_empty()) {
            self.line(&format!("#{}: {}", line.stream, line.remarks.join("; ")));
        }
    }

    pub fn many_connections(&mut self, totals: &mut Totals, ports: &Ports) {
        self.heading("Connections");
        self.line(&plural(totals.connections, "connection", "connections"));
        let [whole, half, none] = totals.handshakes;
        let mut handshakes = vec![format!("{} complete", number(whole))];
        for (count, what) in [(half, "half"), (none, "not captured")] {
            if count > 0 {
                handshakes.push(format!("{} {what}", number(count)));
            }
        }
        self.line(&format!("handshakes: {}", handshakes.join(", ")));
        if let Some(rtt) = totals.rtt.describe() {
            self.line(&format!("round-trip time: {rtt}"));
        }
        let closes: Vec<String> = totals.closes.iter().map(|(word, count)| format!("{} {word}", number(*count))).collect();
        self.line(&format!("closed: {}", closes.join(", ")));
        let troubles: Vec<String> = [
            (totals.retransmissions, "retransmission", "retransmissions"),
            (totals.out_of_order, "segment out of order", "segments out of order"),
            (totals.lost_segments, "gap", "gaps"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| plural(count, one, many))
        .collect();
        if !troubles.is_empty() {
            self.line(&troubles.join(", "));
        }
        self.connections("Largest connections", &std::mem::take(&mut totals.largest).into_lines(), ports);
        if totals.connection_failures > 0 {
            let mut failed = std::mem::take(&mut totals.failed_connections);
            failed.sort_by_key(|line| line.stream);
            let heading = format!("Failed connections ({} of {})", failed.len(), number(totals.connection_failures));
            self.connections(&heading, &failed, ports);
        }
    }

    pub fn exchanges(&mut self, heading: &str, lines: &[ExchangeLine]) {
        if lines.is_empty() {
            return;
        }
        self.heading(heading);
        let mut table = self.table(&["#", "", "Frames", "Request", "Frames", "Response", "Time"], &[0, 6]);
        for line in lines {
            let response = Cell::new(&line.response);
            let protocol = Cell::new(line.protocol.as_str());
            table.add_row(vec![
                right(line.stream.to_string()),
                if line.protocol == Protocol::Htcpcp { protocol.fg(Color::Magenta) } else { protocol.fg(Color::Blue) },
                Cell::new(&line.request_frames),
                Cell::new(&line.request),
                Cell::new(&line.response_frames),
                response.fg(match line.status {
                    Some(100..300) => Color::Green,
                    Some(300..400) => Color::Cyan,
                    Some(400..500) => Color::Yellow,
                    _ => Color::Red,
                }),
                right(line.time.map_or(String::new(), duration)),
            ]);
        }
        self.put(&table);
    }

    pub fn many_exchanges(&mut self, totals: &mut Totals) {
        self.heading("Exchanges");
        self.line(&plural(totals.exchanges, "exchange", "exchanges"));
        let statuses: Vec<String> = totals.statuses.iter().map(|(status, count)| format!("{status}: {}", number(*count))).collect();
        self.line(&format!("statuses: {}", statuses.join(", ")));
        for (count, what) in [(totals.unanswered, "without a complete response"), (totals.unrequested, "without a complete request")] {
            if count > 0 {
                self.line(&format!("{} {what}", number(count)));
            }
        }
        if let Some(time) = totals.response_time.describe() {
            self.line(&format!("response time: {time}"));
        }
        self.exchanges("Slowest exchanges", &std::mem::take(&mut totals.slowest).into_lines());
        if totals.failures > 0 {
            let mut failed = std::mem::take(&mut totals.failed).into_lines();
            failed.sort_by_key(|line| line.first_frame);
            let heading = format!("Failed exchanges ({} of {})", failed.len(), number(totals.failures));
            self.exchanges(&heading, &failed);
        }
    }

    pub fn counts(&mut self, counts: &Counts) {
        self.heading("Messages");
        for (name, count) in [("HTTP", counts.http), ("HTCPCP", counts.htcpcp)] {
            if name == "HTTP" || count.requests + count.responses > 0 {
                let hidden = match counts.encrypted_connections {
                    many if name != "HTTP" || many == 0 => String::new(),
                    1 => "; 1 connection is encrypted: its messages cannot be counted".to_owned(),
                    many => format!("; {} connections are encrypted: their messages cannot be counted", number(many)),
                };
                self.line(&format!(
                    "{name}: {}, {}{hidden}",
                    plural(count.requests, "request", "requests"),
                    plural(count.responses, "response", "responses")
                ));
            }
        }
    }

    pub fn others(&mut self, capture: &Capture) {
        if capture.others.is_empty() {
            return;
        }
        let mut others: Vec<_> = capture.others.iter().collect();
        others.sort_by_key(|(_, other)| Reverse(other.packets));
        let mut list: Vec<String> = others
            .iter()
            .take(TOP)
            .map(|(kind, other)| format!("{kind} {} (first: frame {})", number(other.packets), other.first_frame))
            .collect();
        if others.len() > TOP {
            list.push(format!("{} more kinds", others.len() - TOP));
        }
        self.line(&format!("Not TCP: {}", list.join(", ")));
    }

    pub fn findings(&mut self, findings: &mut Findings) {
        let total: u64 = findings.counts().values().sum();
        if total == 0 {
            return;
        }
        self.heading("Findings");
        if total > MAX_FINDINGS as u64 {
            let counts: Vec<String> = findings.counts().iter().map(|(kind, count)| format!("{} {}", kind.name(), number(*count))).collect();
            self.line(&counts.join(", "));
        }
        for finding in findings.in_order().iter().take(MAX_FINDINGS) {
            let frame = finding.frame.map_or(String::new(), |frame| format!("frame {frame}"));
            let stream = finding.stream.map_or(String::new(), |stream| format!("#{stream}"));
            let place = [frame, stream].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            self.line(&format!("{place}: {}", printable(&finding.message)));
        }
        if total > MAX_FINDINGS as u64 {
            self.line(&format!("… and {} more (--format json lists them)", number(total - MAX_FINDINGS as u64)));
        }
    }

    pub fn damage(&mut self, path: &str, capture: &Capture) {
        if let Some(damage) = &capture.damage {
            self.heading("Damage");
            self.line(&format!("{}: {}", printable(path), printable(&damage.to_string())));
            self.line("Everything before that place was read and is reported above.");
        }
    }

    fn table(&self, columns: &[&str], numbers: &[usize]) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(self.style.width);
        let header = columns.iter().enumerate().map(|(at, name)| {
            let cell = if numbers.contains(&at) { right((*name).to_owned()) } else { Cell::new(name) };
            cell.add_attribute(Attribute::Dim)
        });
        table.set_header(header.collect::<Vec<_>>());
        if self.style.colour == Colour::On {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        if let Some(last) = table.column_mut(columns.len() - 1) {
            last.set_padding((0, 0));
        }
        table
    }

    fn put(&mut self, table: &Table) {
        for line in table.lines() {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
