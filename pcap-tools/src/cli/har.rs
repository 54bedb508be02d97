//! `pcap-tools har`: the exchanges of a capture as an HTTP archive.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pcap_tools::report::har::Archive;

use super::options::{self, FilterArg, PortArgs};

/// Write the exchanges of a capture as HAR, the HTTP archive that browsers read
///
/// HAR 1.2, with frame and stream numbers beside it in fields that begin with an underscore. HTCPCP is
/// there, too, under its coffee: URLs. What the capture does not show is -1 or absent. Bodies are as they
/// were sent: compressed ones are not decoded.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools har coffee_brew.pcapng > brew.har        (open it in the network tab of a browser's tools)
  pcap-tools har -Y http coffee_brew.pcapng           (without HTCPCP)
  pcap-tools har -Y 'http.response.code >= 400' day.pcapng.gz
  pcap-tools har brew.pcapng | jq '.log.entries[] | [._requestFrame, .request.url, .time]'

Exit status: 0 done; 1 done, but a capture was damaged or cut short; 2 not done.")]
pub struct Args {
    /// A capture; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Leave out bodies that are longer
    #[arg(long, value_name = "BYTES", default_value_t = 65536)]
    max_body: usize,

    #[command(flatten)]
    filter: FilterArg,

    #[command(flatten)]
    ports: PortArgs,
}

/// Writes it.
pub fn run(args: Args) -> io::Result<u8> {
    let archive = Archive::new(args.max_body);
    let (capture, archive) = options::read(&args.file, args.ports.ports(), args.filter.filter, archive)?;
    let mut out = BufWriter::new(io::stdout());
    archive.write(&mut out)?;
    out.flush()?;
    Ok(super::damage(&args.file, capture.damage.as_ref()))
}
