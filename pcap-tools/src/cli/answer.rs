//! `pcap-tools answer`: the lab's questions, answered from a capture.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pcap_tools::filter::Select;
use pcap_tools::lab::{Detail, Lab, Tasks};
use pcap_tools::report::answers;
use pcap_tools::report::text::{RowLimit, Style};
use pcap_tools::summary;

use super::options::{self, Bar, FilterArg, PortArgs, Shown};

/// Answer the lab's questions from a capture
///
/// Tasks 3 to 8: handshakes, ports, requests and responses, the format of HTCPCP, the page and its files,
/// persistence, how a form becomes coffee, statuses, and what HTTPS leaves to be read. Each answer comes
/// with its evidence and a display filter that shows it in Wireshark. What the capture cannot show is said.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools answer coffee_brew.pcapng
  pcap-tools answer --task 5 coffee_brew.pcapng
  pcap-tools answer --task 5.3 --format markdown coffee_brew.pcapng > persistence.md
  pcap-tools answer --format json lab.pcapng | jq '.[] | select(.task == \"5.5\").facts.chains'
  pcap-tools answer --http-port 8000 --pot-port 6030 mine.pcapng

Exit status: 0 done; 1 done, but a capture was damaged or cut short; 2 not done.")]
pub struct Args {
    /// A capture; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Only a task (5) or a question (5.3)
    #[arg(long, value_name = "TASK")]
    task: Option<Tasks>,

    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    filter: FilterArg,

    #[command(flatten)]
    ports: PortArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// For people
    Text,
    /// An array with an object for each question
    Json,
    /// For a report
    Markdown,
}

/// Answers them.
pub fn run(args: Args) -> io::Result<u8> {
    let reader = options::open(&args.file).map_err(io::Error::other)?;
    let bar = Bar::show(&reader, Shown::AtTheEnd);
    let ports = args.ports.ports();
    let lab = Lab::new(ports.clone());
    let (capture, lab) = match args.filter.filter {
        None => summary::run(reader, ports, lab),
        Some(filter) => {
            let (capture, selected) = summary::run(reader, ports, Select::new(filter, lab));
            (capture, selected.finish().1)
        }
    };
    let detail = if args.format == Format::Json { Detail::Facts } else { Detail::Page };
    let answers = lab.answers(args.task.unwrap_or_default(), detail);
    drop(bar);
    let mut out = BufWriter::new(io::stdout());
    let path = args.file.to_string_lossy();
    match args.format {
        Format::Text => {
            let style = Style { width: options::width(), colour: options::colour(), rows: RowLimit::Summarise };
            answers::text(&path, &answers, style, &mut out)?;
        }
        Format::Json => answers::json(&answers, &mut out)?,
        Format::Markdown => answers::markdown(&path, &answers, &mut out)?,
    }
    out.flush()?;
    Ok(super::damage(&args.file, capture.damage.as_ref()))
}
