//! `pcap-tools summarize`: what happened in each capture.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use pcap_tools::capture::Reader;
use pcap_tools::exchange::{Ports, Sink};
use pcap_tools::filter::Select;
use pcap_tools::report::csv::{Header, Rows, Table};
use pcap_tools::report::json::{Document, Lines, Total};
use pcap_tools::report::rows::Counts;
use pcap_tools::report::text::{Report, RowLimit, Style};
use pcap_tools::report::{json, text};
use pcap_tools::summary::{self, Capture};

use super::options::{self, Bar, FilterArg, PortArgs, Shown};

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

    #[command(flatten)]
    filter: FilterArg,

    #[command(flatten)]
    ports: PortArgs,
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
    let ports = args.ports.ports();
    let mut total = Total::default();
    let mut code = super::DONE;
    for (at, path) in args.files.iter().enumerate() {
        let reader = match options::open(path) {
            Ok(reader) => reader,
            Err(error) => {
                super::complain(&error);
                total.unreadable += 1;
                code = super::NOT_DONE;
                continue;
            }
        };
        let bar = Bar::show(&reader, if args.format == Format::Jsonl { Shown::AtOnce } else { Shown::AtTheEnd });
        let (capture, counts) = one(&args, ports.clone(), reader, path, at, &mut out)?;
        drop(bar);
        if capture.damage.is_some() {
            out.flush()?;
        }
        code = code.max(super::damage(path, capture.damage.as_ref()));
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
                width: options::width(),
                colour: options::colour(),
                rows: if args.all { RowLimit::All } else { RowLimit::Summarise },
            };
            let (capture, report) = read(args, reader, ports.clone(), Report::new(ports, style));
            if at > 0 {
                writeln!(out)?;
            }
            let counts = report.write(&name, &capture, out)?;
            (capture, counts)
        }
        Format::Json => {
            let (capture, document) = read(args, reader, ports.clone(), Document::new(ports));
            let counts = document.write(&name, &capture, out)?;
            (capture, counts)
        }
        Format::Jsonl => {
            let (capture, lines) = read(args, reader, ports.clone(), Lines::new(ports, out));
            if let Some(error) = lines.error {
                return Err(error);
            }
            (capture, lines.counts)
        }
        Format::Csv => {
            let (capture, rows) = read(args, reader, ports.clone(), Rows::new(args.table, &name, ports));
            let counts = rows.write(if at == 0 { Header::Written } else { Header::Left }, out)?;
            (capture, counts)
        }
    })
}

/// Reads a capture into a sink; with a filter, what it selects.
fn read<S: Sink>(args: &Args, reader: Reader, ports: Ports, sink: S) -> (Capture, S) {
    match &args.filter.filter {
        None => summary::run(reader, ports, sink),
        Some(filter) => {
            let (mut capture, selected) = summary::run(reader, ports, Select::new(filter.clone(), sink));
            let (selection, sink) = selected.finish();
            capture.selection = Some(selection);
            (capture, sink)
        }
    }
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
