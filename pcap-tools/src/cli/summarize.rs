//! `pcap-tools summarize`: what happened in each capture.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use pcap_tools::capture::{Progress, Reader};
use pcap_tools::exchange::Ports;
use pcap_tools::report::csv::{Header, Rows, Table};
use pcap_tools::report::json::{Document, Lines, Total};
use pcap_tools::report::rows::Counts;
use pcap_tools::report::text::{Colour, Report, RowLimit, Style};
use pcap_tools::report::{json, text};
use pcap_tools::summary::{self, Capture};

/// Columns of a page where no terminal tells.
const WIDTH: u16 = 80;
/// A file below this is read before a progress bar could be looked at.
const LONG: u64 = 64 << 20;

/// Say what happened in captures
///
/// For each capture: which programs talked, each connection's handshake with its frames and round-trip
/// time, the ports, every HTTP and HTCPCP request with its response and how long it took, and what was
/// odd. Frame and stream numbers are Wireshark's.
///
/// Reads pcapng and pcap, also compressed by gzip or zstd.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools summarize homepage_coffee.pcapng
  pcap-tools summarize --format json day.pcapng.gz | jq '.exchanges[] | select(.response.status >= 400)'
  dumpcap -i lo -w - | pcap-tools summarize --format jsonl -
  pcap-tools summarize --format csv --table handshakes *.pcapng > handshakes.csv
  pcap-tools summarize --http-port 8000 --pot-port 6030 mine.pcapng

Exit status: 0 done; 1 done, but a capture was damaged or cut short; 2 not done.")]
pub struct Args {
    /// Captures; - is standard input, which may be still being written
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Which table is written as CSV
    #[arg(long, value_enum, default_value_t = Table::Exchanges)]
    table: Table,

    /// Show every row of a large capture, too (text)
    #[arg(long)]
    all: bool,

    /// A port of the web app; may be repeated
    #[arg(long, value_name = "PORT", default_values_t = [htcpcp::WEBAPP_PORT])]
    http_port: Vec<u16>,

    /// A port of the coffee pot; may be repeated
    #[arg(long, value_name = "PORT", default_values_t = [htcpcp::POT_PORT])]
    pot_port: Vec<u16>,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// For people; large captures are summarised
    Text,
    /// One document a capture, on one line
    Json,
    /// A line for each connection and exchange, as soon as it is complete
    Jsonl,
    /// One table, see --table
    Csv,
}

/// Summarises each capture, then all.
pub fn run(args: Args) -> io::Result<u8> {
    let mut out = BufWriter::new(io::stdout());
    let ports = Ports { http: args.http_port.clone(), pot: args.pot_port.clone() };
    let mut total = Total::default();
    let mut code = super::DONE;
    for (at, path) in args.files.iter().enumerate() {
        let reader = match Reader::open(path) {
            Ok(reader) => reader,
            Err(error) => {
                super::complain(&CannotRead { path: path.clone(), error });
                total.unreadable += 1;
                code = super::NOT_DONE;
                continue;
            }
        };
        let bar = Bar::show(&reader, args.format);
        let (capture, counts) = one(&args, ports.clone(), reader, path, at, &mut out)?;
        drop(bar);
        if let Some(damage) = &capture.damage {
            out.flush()?;
            super::say(&format!("{}: {damage}", path.display()));
            code = code.max(super::DAMAGED);
        }
        total.add(&capture, &counts);
    }
    if args.files.len() > 1 {
        write_total(args.format, &total, &mut out)?;
    }
    out.flush()?;
    Ok(code)
}

/// Summarises one capture.
fn one(args: &Args, ports: Ports, reader: Reader, path: &Path, at: usize, out: &mut impl Write) -> io::Result<(Capture, Counts)> {
    let name = path.to_string_lossy();
    Ok(match args.format {
        Format::Text => {
            let style = Style {
                width: width(),
                colour: if io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
                    Colour::On
                } else {
                    Colour::Off
                },
                rows: if args.all { RowLimit::All } else { RowLimit::Summarise },
            };
            let (capture, report) = summary::run(reader, ports.clone(), Report::new(ports, style));
            if at > 0 {
                writeln!(out)?;
            }
            let counts = report.write(&name, &capture, out)?;
            (capture, counts)
        }
        Format::Json => {
            let (capture, document) = summary::run(reader, ports.clone(), Document::new(ports));
            let counts = document.write(&name, &capture, out)?;
            (capture, counts)
        }
        Format::Jsonl => {
            let (capture, lines) = summary::run(reader, ports.clone(), Lines::new(ports, out));
            if let Some(error) = lines.error {
                return Err(error);
            }
            (capture, lines.counts)
        }
        Format::Csv => {
            let (capture, rows) = summary::run(reader, ports.clone(), Rows::new(args.table, &name, ports));
            let counts = rows.write(if at == 0 { Header::Written } else { Header::Left }, out)?;
            (capture, counts)
        }
    })
}

/// The total over several captures; tables and lines are added up by whoever reads them.
fn write_total(format: Format, total: &Total, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Json => json::line(out, total),
        Format::Text => {
            let [packets, connections] = [total.packets, total.connections].map(text::number);
            writeln!(out, "\nTotal of {} captures: {packets} packets, {connections} connections", total.captures)?;
            for (name, count) in [("HTTP", total.counts.http), ("HTCPCP", total.counts.htcpcp)] {
                writeln!(out, "{name}: {} requests, {} responses", text::number(count.requests), text::number(count.responses))?;
            }
            if total.counts.encrypted_connections > 0 {
                writeln!(out, "{} connections are encrypted and cannot be counted", text::number(total.counts.encrypted_connections))?;
            }
            for (count, what) in [(total.damaged, "damaged or cut short"), (total.unreadable, "not read")] {
                if count > 0 {
                    writeln!(out, "{count} {what}")?;
                }
            }
            Ok(())
        }
        Format::Jsonl | Format::Csv => Ok(()),
    }
}

/// Columns to fill: the terminal's, or what `COLUMNS` says, or 80.
fn width() -> u16 {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|&columns| columns > 0);
    let terminal = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    terminal.or(columns).unwrap_or(WIDTH).max(40)
}

#[derive(Debug)]
struct CannotRead {
    path: PathBuf,
    error: pcap_tools::capture::OpenError,
}

impl std::fmt::Display for CannotRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.path.display(), self.error)
    }
}

impl std::error::Error for CannotRead {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.error)
    }
}

/// A progress bar, drawn by a thread of its own until it is dropped.
struct Bar {
    done: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Bar {
    /// Shows a bar for a long file, if standard error is a terminal and standard output is not being read
    /// there line by line.
    fn show(reader: &Reader, format: Format) -> Option<Self> {
        let (total, progress) = reader.progress()?;
        let streams = format == Format::Jsonl && io::stdout().is_terminal();
        if total < LONG || !io::stderr().is_terminal() || streams {
            return None;
        }
        let done = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let done = Arc::clone(&done);
            move || draw(total, &progress, &done)
        });
        Some(Self { done, thread: Some(thread) })
    }
}

fn draw(total: u64, progress: &Progress, done: &AtomicBool) {
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes}, {eta} left");
    let bar = ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    // What is done before anybody has looked needs no bar.
    std::thread::park_timeout(Duration::from_millis(500));
    while !done.load(Ordering::Relaxed) {
        bar.set_position(progress.bytes());
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A bar that failed to draw is no reason to fail.
            let _ = thread.join();
        }
    }
}
