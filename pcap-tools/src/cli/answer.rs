//! `pcap-tools answer`: the lab's questions, answered from a capture.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pcap_tools::lab::{Detail, Lab, Tasks};
use pcap_tools::report::answers;

use super::options::{self, FilterArg, PortArgs};

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
    let ports = args.ports.ports();
    let (capture, lab) = options::read(&args.file, ports.clone(), args.filter.filter, Lab::new(ports))?;
    let detail = if args.format == Format::Json { Detail::Facts } else { Detail::Page };
    let answers = lab.answers(args.task.unwrap_or_default(), detail);
    let mut out = BufWriter::new(io::stdout());
    let path = args.file.to_string_lossy();
    match args.format {
        Format::Text => answers::text(&path, &answers, options::style(), &mut out)?,
        Format::Json => answers::json(&answers, &mut out)?,
        Format::Markdown => answers::markdown(&path, &answers, &mut out)?,
    }
    out.flush()?;
    Ok(super::damage(&args.file, capture.damage.as_ref()))
}
