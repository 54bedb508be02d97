//! `pcap-tools diagram`: the space-time diagram of a capture.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pcap_tools::capture::Reader;
use pcap_tools::diagram::{Messages, Picture, Scope, Segments};
use pcap_tools::filter::{Filter, Select};
use pcap_tools::report::diagram;
use pcap_tools::report::text::{RowLimit, Style};
use pcap_tools::summary::{self, Capture};

use super::options::{self, Bar, FilterArg, PortArgs, Shown};

/// Draw who said what to whom, and when
///
/// A lane for each program: browser, web app and coffee pot are told apart by their ports, also where all share
/// one address. Time goes downwards, and long waits are folded. An arrow is a message, from its first frame to the
/// one that completed it, or a TCP segment with its flags and relative numbers. Handshakes, closes and what was
/// sent again look different. Frame and stream numbers are Wireshark's.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools diagram homepage_coffee.pcapng
  pcap-tools diagram --level segment --stream 1 homepage_coffee.pcapng
  pcap-tools diagram --format svg coffee_brew.pcapng > brew.svg
  pcap-tools diagram --format svg --level segment -Y 'tcp.port == 5030' coffee_brew.pcapng > pot.svg
  pcap-tools diagram --format mermaid coffee_brew.pcapng > brew.mmd

Exit status: 0 done; 1 done, but a capture was damaged or cut short; 2 not done.")]
pub struct Args {
    /// A capture; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Only this connection: Wireshark's tcp.stream; may be repeated
    #[arg(long = "stream", value_name = "N")]
    streams: Vec<u64>,

    /// What an arrow is
    #[arg(long, value_enum, default_value_t = Level::Message)]
    level: Level,

    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// So many arrows at the most, the first ones
    #[arg(long, value_name = "COUNT", default_value_t = 5_000)]
    limit: usize,

    #[command(flatten)]
    filter: FilterArg,

    #[command(flatten)]
    ports: PortArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    /// A request or response; handshakes and closes are shown beside them
    Message,
    /// A TCP segment
    Segment,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// For a terminal
    Text,
    /// For a browser, in light and dark
    Svg,
    /// A sequence diagram for documents that mermaid draws
    Mermaid,
}

/// Draws it.
pub fn run(args: Args) -> io::Result<u8> {
    let reader = options::open(&args.file).map_err(io::Error::other)?;
    let bar = Bar::show(&reader, Shown::AtTheEnd);
    let (capture, picture) = picture(&args, reader);
    drop(bar);
    let code = super::damage(&args.file, capture.damage.as_ref());
    if let Some(stream) = args.streams.iter().find(|stream| **stream >= capture.connections) {
        super::say(&format!("{} has no stream {stream}: its {} connections count from 0", args.file.display(), capture.connections));
        return Ok(super::NOT_DONE);
    }
    let mut out = BufWriter::new(io::stdout());
    match args.format {
        Format::Text => {
            let style = Style { width: options::width(), colour: options::colour(), rows: RowLimit::All };
            diagram::text(&picture, style, &mut out)?;
        }
        Format::Svg => diagram::svg(&picture, "", &mut out)?,
        Format::Mermaid => diagram::mermaid(&picture, &mut out)?,
    }
    out.flush()?;
    if picture.omitted > 0 {
        super::say(&format!("{} more arrows are not shown: see --limit, --stream and -Y", picture.omitted));
    }
    Ok(code)
}

/// Reads the capture into a picture. A filter chooses segments one by one, but messages by their exchange.
fn picture(args: &Args, reader: Reader) -> (Capture, Picture) {
    let ports = args.ports.ports();
    let scope = Scope { streams: args.streams.clone(), limit: args.limit };
    let filter = args.filter.filter.clone();
    match (args.level, filter) {
        (Level::Segment, filter) => {
            let (capture, found) = summary::run(reader, ports.clone(), Segments::new(scope, filter.unwrap_or_else(Filter::all)));
            let picture = found.finish(&ports, capture.first_time);
            (capture, picture)
        }
        (Level::Message, None) => {
            let (capture, found) = summary::run(reader, ports.clone(), Messages::new(scope));
            let picture = found.finish(&ports, capture.first_time);
            (capture, picture)
        }
        (Level::Message, Some(filter)) => {
            let (capture, selected) = summary::run(reader, ports.clone(), Select::new(filter, Messages::new(scope)));
            let picture = selected.finish().1.finish(&ports, capture.first_time);
            (capture, picture)
        }
    }
}
