//! The packet list: a line for each frame that a filter lets through, as Wireshark's columns have it.
//!
//! Lines are written in the order of the frames, as soon as all is known of them.

use std::fmt::Write as _;
use std::io::{self, Write};

use htcpcp::Command;
use serde::Serialize;

use super::rows::Micros;
use super::text::{Colour, printable};
use crate::connection::{Connection, Context, Side};
use crate::exchange::{Exchange, Heard, Protocol, Seen, Sink, Talk};
use crate::filter::{Facts, Filter, Screen, Spoken, Tcp, options};
use crate::finding::Finding;
use crate::message::text;
use crate::packet::Other;
use crate::time::{Mark, duration};

/// Characters of a line's information that the text shows; JSON and CSV have all of them.
const MAX_INFO: usize = 300;

/// How the list is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Columns for a person.
    Text(Colour),
    /// An array of objects, one on each line.
    Json,
    /// A header and a line for each frame.
    Csv,
}

/// A frame.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Row {
    number: u64,
    time: Option<String>,
    relative_time_us: Option<Micros>,
    stream: Option<u64>,
    source: Option<String>,
    destination: Option<String>,
    protocol: String,
    length: u32,
    info: String,
}

/// Writes the list.
pub struct List<'a> {
    screen: Screen<Row>,
    format: Format,
    out: &'a mut dyn Write,
    rows: u64,
    error: Option<io::Error>,
}

impl<'a> List<'a> {
    /// Writes the frames that pass to `out`.
    pub fn new(filter: Filter, format: Format, out: &'a mut dyn Write) -> Self {
        let needs = filter.needs().of_a_list();
        Self { screen: Screen::new(filter, needs, row), format, out, rows: 0, error: None }
    }

    /// Writes what is left, when the capture has ended; returns how many frames passed.
    pub fn finish(mut self) -> io::Result<u64> {
        self.write_decided();
        if let Some(error) = self.error {
            return Err(error);
        }
        match self.format {
            Format::Json if self.rows == 0 => self.out.write_all(b"[]\n")?,
            Format::Json => self.out.write_all(b"\n]\n")?,
            Format::Csv if self.rows == 0 => self.out.write_all(CSV_HEADER.as_bytes())?,
            Format::Csv | Format::Text(_) => {}
        }
        Ok(self.rows)
    }

    fn write_decided(&mut self) {
        while let Some(decided) = self.screen.next() {
            if let Some(row) = decided.view
                && self.error.is_none()
            {
                self.error = self.write(&row).err();
                self.rows += 1;
            }
        }
    }

    fn write(&mut self, row: &Row) -> io::Result<()> {
        match self.format {
            Format::Text(colour) => {
                if self.rows == 0 {
                    writeln!(self.out, "  No.       Time  Source           Destination      Protocol  Length  Info")?;
                }
                self.out.write_all(line(row, colour).as_bytes())
            }
            Format::Json => {
                self.out.write_all(if self.rows == 0 { b"[\n" } else { b",\n" })?;
                serde_json::to_writer(&mut *self.out, row).map_err(io::Error::from)
            }
            Format::Csv => {
                let mut writer = csv::WriterBuilder::new().has_headers(self.rows == 0).from_writer(Vec::new());
                writer.serialize(row)?;
                self.out.write_all(&writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?)
            }
        }
    }
}

const CSV_HEADER: &str = "number,time,relative_time_us,stream,source,destination,protocol,length,info\n";

impl Sink for List<'_> {
    const WATCHES: bool = true;

    fn exchange(&mut self, exchange: Exchange) {
        self.screen.exchange(&exchange);
    }

    fn connection(&mut self, connection: Connection, _: Talk) {
        self.screen.closed(connection.stream);
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
        self.write_decided();
    }

    fn body_limit(&self, protocol: Protocol) -> usize {
        self.screen.body_limit(protocol)
    }

    fn idle(&mut self) {
        if self.error.is_none() {
            self.error = self.out.flush().err();
        }
    }

    fn is_closed(&self) -> bool {
        self.error.is_some()
    }
}

/// A line of text; the columns grow where an address needs it, as tshark's do.
fn line(row: &Row, colour: Colour) -> String {
    let unknown = || "–".to_owned();
    let time = row.relative_time_us.map_or_else(unknown, |Micros(nanos)| {
        let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
        let digits = if nanos.is_multiple_of(1000) {
            format!("{:06}", nanos % 1_000_000_000 / 1000)
        } else {
            format!("{:09}", nanos % 1_000_000_000)
        };
        format!("{sign}{}.{digits}", nanos / 1_000_000_000)
    });
    let info = match row.info.char_indices().nth(MAX_INFO) {
        Some((end, _)) => printable(&row.info[..end]) + "…",
        None => printable(&row.info),
    };
    let (on, off) = match (colour, row.protocol.as_str()) {
        (Colour::On, "HTTP") => ("\x1b[34m", "\x1b[0m"),
        (Colour::On, "HTCPCP") => ("\x1b[35m", "\x1b[0m"),
        (Colour::On, "TLS") => ("\x1b[36m", "\x1b[0m"),
        _ => ("", ""),
    };
    let end = |end: &Option<String>| end.clone().unwrap_or_else(unknown);
    format!(
        "{:>5} {time:>10}  {:<15}  {:<15}  {on}{:<8}{off}  {:>6}  {info}\n",
        row.number,
        end(&row.source),
        end(&row.destination),
        row.protocol,
        row.length
    )
}

fn row(facts: &Facts<'_>) -> Row {
    let [source, destination] = facts.ends().map_or([None, None], |ends| ends.map(Some));
    let (protocol, info) = if !facts.messages.is_empty() {
        let coffee = facts.messages.iter().any(|spoken| !spoken.is_http());
        let info = facts.messages.iter().map(message_info).collect::<Vec<_>>().join("; ");
        ((if coffee { Protocol::Htcpcp } else { Protocol::Http }).as_str().to_owned(), info)
    } else if !facts.records.is_empty() {
        let info = facts.records.iter().map(|record| record.describe()).collect::<Vec<_>>().join(", ");
        (Protocol::Tls.as_str().to_owned(), info)
    } else if let Some(tcp) = &facts.segment {
        ("TCP".to_owned(), segment_info(tcp))
    } else {
        facts.other.map_or_else(Default::default, other_info)
    };
    Row {
        number: facts.number,
        time: facts.time.nanos().map(|_| facts.time.to_string()),
        relative_time_us: Micros::from_nanos(facts.time.since(facts.clock.first)),
        stream: facts.segment.map(|tcp| tcp.derived.stream),
        source,
        destination,
        protocol,
        length: facts.original_len,
        info,
    }
}

fn message_info(spoken: &Spoken) -> String {
    let head = &spoken.message.head;
    if spoken.is_http() {
        let content = head.field("Content-Type").filter(|_| !head.is_request()).map(text);
        let content = content.and_then(|content| content.split(';').next().map(|kind| format!("  ({})", kind.trim())));
        return format!("{}{}", head.start_line_text(), content.unwrap_or_default());
    }
    if head.is_request() {
        let additions: Vec<_> = head.field("Accept-Additions").into_iter().flat_map(htcpcp::parse_accept_additions).collect();
        let names: Vec<_> = additions.iter().map(|addition| text(addition.name)).collect();
        let with = if names.is_empty() { String::new() } else { format!(" with {}", names.join(", ")) };
        let command = Command::parse(&spoken.message.body).map_or(String::new(), |command| format!(": {}", command.as_str()));
        return format!("{} {}{with}{command}", text(head.method()), text(head.target()));
    }
    let mut info = format!("{} {}", head.status().unwrap_or(0), text(head.reason()));
    if let Some((_, asked)) = &spoken.request {
        let _ = write!(info, " to {} {}", text(asked.method()), text(asked.target()));
        if let Some(nanos) = spoken.time() {
            let _ = write!(info, " after {}", duration(nanos));
        }
    }
    info
}

fn segment_info(tcp: &Tcp<'_>) -> String {
    let header = tcp.header();
    let port = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let flags = tcp.flags();
    let derived = &tcp.derived;
    let mut info: String = derived.remarks().map(|remark| format!("[TCP {remark}] ")).collect();
    let _ = write!(info, "{} → {} [{}] Seq={}", port(0), port(2), tcp.flag_names(), derived.seq);
    if flags.ack() {
        let _ = write!(info, " Ack={}", derived.ack);
    }
    let _ = write!(info, " Win={} Len={}", derived.window, tcp.payload_len);
    for (kind, content) in options(header) {
        let number = |at: usize, len: usize| {
            content.get(at..at + len).map_or(0, |bytes| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)))
        };
        let _ = match kind {
            2 => write!(info, " MSS={}", number(0, 2)),
            3 => write!(info, " WS={}", 1_u32 << number(0, 1).min(14)),
            4 => write!(info, " SACK_PERM"),
            8 => write!(info, " TSval={} TSecr={}", number(0, 4), number(4, 4)),
            _ => Ok(()),
        };
    }
    info
}

/// What a frame is that is no TCP segment: its protocol and a word about it.
fn other_info(other: Other) -> (String, String) {
    let name = other.to_string();
    (name.split_whitespace().next().unwrap_or_default().to_owned(), name)
}
