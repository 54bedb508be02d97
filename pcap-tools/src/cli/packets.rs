//! `pcap-tools packets`: the packet list.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pcap_tools::filter::Filter;
use pcap_tools::report::packets::{self, List};
use pcap_tools::summary;

use super::options::{self, Bar, FilterArg, PortArgs, Shown};

/// List the packets of a capture
///
/// Number, time, source, destination, protocol, length and a line about each, as in Wireshark. A display
/// filter chooses among them, in Wireshark's language: fields of frame, eth, null, ip, ipv6, tcp, http,
/// htcpcp and tls. A message's fields belong to the frame that completed it.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools packets coffee_brew.pcapng
  pcap-tools packets -Y '(tcp.port == 5030) or (tcp.port == 5031)' coffee_brew.pcapng
  pcap-tools packets -Y 'htcpcp or (tcp.port == 5031)' coffee_brew.pcapng
  pcap-tools packets -Y 'htcpcp.response.code >= 400' coffee_brew.pcapng
  pcap-tools packets -Y 'http.request.uri contains \"brew\" && ip.addr in {127.0.0.1, 10.0.0.0/8}' lab.pcapng
  dumpcap -i lo -w - | pcap-tools packets -Y 'tcp.flags.syn == 1' -

Exit status: 0 done; 1 done, but a capture was damaged or cut short; 2 not done.")]
pub struct Args {
    /// A capture; - is standard input, which may be still being written
    #[arg(value_name = "FILE")]
    file: PathBuf,

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
    /// Columns for people
    Text,
    /// An array of objects
    Json,
    /// One table
    Csv,
}

/// Lists them.
pub fn run(args: Args) -> io::Result<u8> {
    let reader = options::open(&args.file).map_err(io::Error::other)?;
    let bar = Bar::show(&reader, Shown::AtOnce);
    let mut out = BufWriter::new(io::stdout());
    let format = match args.format {
        Format::Text => packets::Format::Text(options::colour()),
        Format::Json => packets::Format::Json,
        Format::Csv => packets::Format::Csv,
    };
    let filter = args.filter.filter.clone().unwrap_or_else(Filter::all);
    let (capture, list) = summary::run(reader, args.ports.ports(), List::new(filter, format, &mut out));
    list.finish()?;
    out.flush()?;
    drop(bar);
    Ok(super::damage(&args.file, capture.damage.as_ref()))
}
