//! Text for a person: one screen of an ordinary capture, a summary of a large one.
//!
//! Fits a width, colours only when told to, and shows nothing out of a capture that a terminal would obey.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::Findings;
use super::rows::{Counts, Program};
use crate::connection::{CloseKind, Connection, Handshake, Side};
use crate::exchange::{Exchange, Ports, Protocol, Sink, Talk};
use crate::finding::Finding;
use crate::message::{Fate, Message, text};
use crate::packet::Endpoint;
use crate::summary::Capture;

/// A capture with more connections or exchanges than this is summarised.
const MAX_ROWS: usize = 100;
/// From this width on, less important columns are shown too.
const WIDE: u16 = 100;
/// Rows of each list in a summary.
const TOP: usize = 10;
/// Findings that are shown.
const MAX_FINDINGS: usize = 20;
/// Characters of a request target or reason phrase that are shown; JSON has all of them.
const MAX_CELL: usize = 500;
/// Client ports that are shown of a pair of programs.
const MAX_PORTS: usize = 8;
/// Servers that are told apart, and clients of each.
const MAX_SERVERS: usize = 1000;
const MAX_CLIENTS: usize = 1000;

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

/// What is shown of a connection.
struct ConnectionLine {
    stream: u64,
    client: Endpoint,
    server: Endpoint,
    handshake: Handshake,
    rtt: Option<i64>,
    packets: u64,
    bytes: u64,
    last_frame: u64,
    closed: String,
    remarks: Vec<String>,
}

/// What is shown of an exchange.
struct ExchangeLine {
    first_frame: u64,
    stream: u64,
    protocol: Protocol,
    request_frames: String,
    request: String,
    response_frames: String,
    response: String,
    status: Option<u16>,
    time: Option<i64>,
}

/// Who talked to a server.
#[derive(Default)]
struct Clients {
    connections: u64,
    addresses: BTreeSet<IpAddr>,
    ports: Vec<u16>,
    exchanges: u64,
    encrypted: u64,
}

/// Size first, then the earlier; reversed, so that a heap shows the least.
type Rank = Reverse<(i64, Reverse<u64>)>;

/// The largest of many, by a number.
struct Largest<T> {
    heap: BinaryHeap<(Rank, usize)>,
    lines: Vec<T>,
}

impl<T> Default for Largest<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), lines: Vec::new() }
    }
}

impl<T> Largest<T> {
    /// Takes a line if it is among the largest; `order` breaks ties in favour of the earlier.
    fn offer(&mut self, size: i64, order: u64, line: impl FnOnce() -> T) {
        let rank = Reverse((size, Reverse(order)));
        if self.lines.len() < TOP {
            self.heap.push((rank, self.lines.len()));
            self.lines.push(line());
        } else if let Some(mut least) = self.heap.peek_mut()
            && rank < least.0
        {
            self.lines[least.1] = line();
            least.0 = rank;
        }
    }

    /// The lines, largest first.
    fn into_lines(self) -> Vec<T> {
        let mut lines: Vec<Option<T>> = self.lines.into_iter().map(Some).collect();
        self.heap.into_sorted_vec().into_iter().filter_map(|(_, at)| lines[at].take()).collect()
    }
}

/// Minimum, mean and maximum of durations in nanoseconds.
#[derive(Default)]
struct Spread {
    count: u64,
    sum: i128,
    least: i64,
    most: i64,
}

impl Spread {
    fn add(&mut self, nanos: i64) {
        self.least = if self.count == 0 { nanos } else { self.least.min(nanos) };
        self.most = if self.count == 0 { nanos } else { self.most.max(nanos) };
        self.count += 1;
        self.sum += i128::from(nanos);
    }

    fn describe(&self) -> Option<String> {
        (self.count > 0).then(|| {
            let mean = (self.sum / i128::from(self.count)) as i64;
            format!("{} to {}, mean {}", duration(self.least), duration(self.most), duration(mean))
        })
    }
}

/// Collects what the text shows.
pub struct Report {
    ports: Ports,
    style: Style,
    connections: Vec<ConnectionLine>,
    exchanges: Vec<ExchangeLine>,
    servers: BTreeMap<Endpoint, Clients>,
    other_servers: u64,
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
            servers: BTreeMap::new(),
            other_servers: 0,
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
        page.programs(&self.servers, self.other_servers, &self.ports);
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
        let (client, server) = (connection.ends[talk.client], connection.ends[talk.client.other()]);
        if self.servers.len() >= MAX_SERVERS && !self.servers.contains_key(&server) {
            self.other_servers += 1;
        } else {
            let clients = self.servers.entry(server).or_default();
            clients.connections += 1;
            clients.exchanges += talk.exchanges;
            clients.encrypted += u64::from(talk.protocol == Some(Protocol::Tls));
            if clients.addresses.len() < MAX_CLIENTS {
                clients.addresses.insert(client.ip);
            }
            if clients.ports.len() <= MAX_PORTS && !clients.ports.contains(&client.port) {
                clients.ports.push(client.port);
            }
        }
        if keeps {
            self.connections.push(ConnectionLine::new(&connection, &talk));
        }
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.add(finding);
    }
}

impl ConnectionLine {
    fn new(connection: &Connection, talk: &Talk) -> Self {
        let (client, server) = (talk.client, talk.client.other());
        Self {
            stream: connection.stream,
            client: connection.ends[client],
            server: connection.ends[server],
            handshake: connection.handshake.clone(),
            rtt: connection.handshake.rtt(),
            packets: connection.flows.0.iter().map(|flow| flow.packets).sum(),
            bytes: connection.flows.0.iter().map(|flow| flow.bytes).sum(),
            last_frame: connection.last.frame,
            closed: closed(connection, client),
            remarks: remarks(connection, talk),
        }
    }
}

/// How a connection ended: by whom, and the frames of both FINs, or of the RST.
fn closed(connection: &Connection, client: Side) -> String {
    let close = &connection.close;
    let name = |side: Side| if side == client { "client" } else { "server" };
    let mut fins: Vec<(u64, Side)> = Side::BOTH.into_iter().filter_map(|side| Some((close.fins[side]?.frame, side))).collect();
    fins.sort_unstable();
    let fins = match fins[..] {
        [] => None,
        [(frame, side)] => Some(format!("{} {frame}", name(side))),
        [(first, side), (second, _), ..] => Some(format!("{} {first},{second}", name(side))),
    };
    let rst = close.rst.filter(|_| close.aborted).map(|(side, mark)| format!("RST {} {}", name(side), mark.frame));
    match (fins, rst) {
        (None, None) => "still open".to_owned(),
        (fins, rst) => fins.into_iter().chain(rst).collect::<Vec<_>>().join(", "),
    }
}

/// What deserves a remark about a connection.
fn remarks(connection: &Connection, talk: &Talk) -> Vec<String> {
    let handshake = &connection.handshake;
    let mut remarks = Vec::new();
    match (&handshake.syn, &handshake.syn_ack, &handshake.ack) {
        (None, None, _) => remarks.push("began before the capture: no handshake captured".to_owned()),
        (Some(_), None, _) => remarks.push("SYN was not answered by a SYN-ACK".to_owned()),
        (None, Some(_), _) => remarks.push("its SYN was not captured".to_owned()),
        (_, Some(_), None) => remarks.push("the ACK that completes the handshake was not captured".to_owned()),
        _ => {}
    }
    for (what, frames) in [("SYN", &handshake.repeated_syns), ("SYN-ACK", &handshake.repeated_syn_acks)] {
        if !frames.is_empty() {
            let list: Vec<String> = frames.iter().map(u64::to_string).collect();
            remarks.push(format!("{what} sent again in {} {}", if frames.len() == 1 { "frame" } else { "frames" }, list.join(", ")));
        }
    }
    for (side, name) in [(talk.client, "client"), (talk.client.other(), "server")] {
        let stats = connection.flows[side];
        for (count, one, many) in [
            (stats.retransmissions, "retransmission", "retransmissions"),
            (stats.out_of_order, "segment out of order", "segments out of order"),
            (stats.zero_windows, "zero window", "zero windows"),
            (stats.keep_alives, "keep-alive", "keep-alives"),
        ] {
            if count > 0 {
                remarks.push(format!("{} from the {name}", plural(count, one, many)));
            }
        }
        if stats.lost_segments > 0 {
            remarks.push(format!(
                "{} from the {name} never captured ({})",
                plural(stats.lost_bytes, "byte", "bytes"),
                plural(stats.lost_segments, "gap", "gaps")
            ));
        }
    }
    if let Some(tls) = &talk.tls {
        let version = tls.version().map_or("TLS".to_owned(), |version| version.to_string());
        let name = tls.server_name.as_ref().map_or(String::new(), |name| format!(" to {}", printable(name)));
        remarks.push(format!("{version}{name}: encrypted, requests and responses cannot be read or counted"));
    }
    if talk.http2 {
        remarks.push("HTTP/2: not decoded".to_owned());
    }
    remarks
}

impl ExchangeLine {
    fn new(exchange: &Exchange) -> Self {
        let request = exchange.request.as_ref();
        let response = exchange.response.as_ref();
        let fate = |message: &Message| match message.fate {
            Fate::Complete => "",
            Fate::Lost(_) => " (lost)",
            Fate::Unfinished => " (unfinished)",
        };
        let interim: Vec<String> =
            exchange.interim.iter().take(TOP).filter_map(|interim| interim.head.status()).map(|status| format!("{status}, ")).collect();
        Self {
            first_frame: exchange.first_frame(),
            stream: exchange.stream,
            protocol: exchange.protocol,
            request_frames: request.map_or(String::new(), frames),
            request: match request {
                Some(request) => {
                    format!("{} {}{}", clipped(&text(request.head.method())), clipped(&text(request.head.target())), fate(request))
                }
                None => "(not captured)".to_owned(),
            },
            response_frames: response.map_or(String::new(), frames),
            response: match response {
                Some(response) => {
                    let status = response.head.status().map_or(String::new(), |status| status.to_string());
                    let reason = clipped(&text(response.head.reason()));
                    format!("{}{status}{}{reason}{}", interim.concat(), if reason.is_empty() { "" } else { " " }, fate(response))
                }
                None => format!("{}no response", interim.concat()),
            },
            status: exchange.complete_response().and_then(|response| response.head.status()),
            time: exchange.response_time(),
        }
    }
}

/// What a cell shows of a text out of a capture.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => printable(&text[..end]) + "…",
        None => printable(text),
    }
}

/// First and completing frame.
fn frames(message: &Message) -> String {
    let (first, last) = (message.first.frame, message.last.frame);
    if first == last { first.to_string() } else { format!("{first}–{last}") }
}

/// The page as it grows.
struct Page {
    style: Style,
    text: String,
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

    fn capture(&mut self, path: &str, capture: &Capture) {
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
    }

    fn programs(&mut self, servers: &BTreeMap<Endpoint, Clients>, others: u64, ports: &Ports) {
        if servers.is_empty() {
            return;
        }
        let mut rows: Vec<_> = servers.iter().collect();
        // The lab's programs in the order of their chain, then whoever talked most.
        let place = |server: &Endpoint| Program::of(ports, server.port).map_or(usize::MAX, |programs| programs[0] as usize);
        rows.sort_by_key(|(server, clients)| (place(server), Reverse(clients.connections), **server));
        self.heading("Programs");
        let mut table = self.table(&["Client", "Its ports", "Server", "Connections", "Exchanges"], &[3, 4]);
        for (server, clients) in rows.iter().take(TOP) {
            let name = |at: usize, address: String| match Program::of(ports, server.port) {
                Some(programs) => format!("{} {address}", programs[at].as_str()),
                None => address,
            };
            let client = match clients.addresses.len() {
                0 | 1 => clients.addresses.iter().map(IpAddr::to_string).collect(),
                MAX_CLIENTS.. => format!("{}+ addresses", number(MAX_CLIENTS as u64)),
                many => format!("{many} addresses"),
            };
            let mut shown: Vec<u16> = clients.ports.iter().copied().take(MAX_PORTS).collect();
            shown.sort_unstable();
            let mut list = shown.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            if clients.ports.len() > MAX_PORTS {
                list.push_str(", …");
            }
            // Ports of a crowd tell nothing.
            if clients.addresses.len() > 2 {
                list.clear();
            }
            let exchanges = if clients.encrypted > 0 { "encrypted".to_owned() } else { number(clients.exchanges) };
            table.add_row(vec![
                Cell::new(name(0, client)),
                Cell::new(list),
                Cell::new(name(1, server.to_string())),
                right(number(clients.connections)),
                right(exchanges),
            ]);
        }
        self.put(&table);
        let more = rows.len().saturating_sub(TOP) as u64 + others;
        if more > 0 {
            self.line(&format!("… and {} more", plural(more, "server", "servers")));
        }
    }

    fn connections(&mut self, heading: &str, lines: &[ConnectionLine], ports: &Ports) {
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

    fn many_connections(&mut self, totals: &mut Totals, ports: &Ports) {
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

    fn exchanges(&mut self, heading: &str, lines: &[ExchangeLine]) {
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

    fn many_exchanges(&mut self, totals: &mut Totals) {
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

    fn counts(&mut self, counts: &Counts) {
        self.heading("Messages");
        for (name, count) in [("HTTP", counts.http), ("HTCPCP", counts.htcpcp)] {
            if name == "HTTP" || count.requests + count.responses > 0 {
                let hidden = if name == "HTTP" && counts.tls.encrypted_connections > 0 {
                    format!(
                        "; {} encrypted: what they carry cannot be counted",
                        plural(counts.tls.encrypted_connections, "connection is", "connections are")
                    )
                } else {
                    String::new()
                };
                self.line(&format!(
                    "{name}: {}, {}{hidden}",
                    plural(count.requests, "request", "requests"),
                    plural(count.responses, "response", "responses")
                ));
            }
        }
    }

    fn others(&mut self, capture: &Capture) {
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

    fn findings(&mut self, findings: &mut Findings) {
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

    fn damage(&mut self, path: &str, capture: &Capture) {
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

fn close_word(kind: CloseKind) -> &'static str {
    match kind {
        CloseKind::Fin => "by FIN",
        CloseKind::Rst => "by RST",
        CloseKind::Open => "still open",
    }
}

/// Text in which nothing makes a terminal act: control characters and those that turn its direction are
/// written as escapes.
pub fn printable(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns(c) {
            printable.extend(c.escape_default());
        } else {
            printable.push(c);
        }
    }
    printable
}

/// With thousands separated.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// A duration with the unit that suits it.
pub fn duration(nanos: i64) -> String {
    let micros = nanos as f64 / 1000.0;
    match nanos.unsigned_abs() {
        0..1_000_000 if nanos % 1000 == 0 => format!("{} µs", nanos / 1000),
        0..1_000_000 => format!("{micros:.3} µs"),
        1_000_000..1_000_000_000 => format!("{:.3} ms", micros / 1000.0),
        _ => format!("{:.3} s", micros / 1_000_000.0),
    }
}
