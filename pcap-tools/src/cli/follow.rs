//! `pcap-tools follow`: the bytes of one connection.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pcap_tools::report::follow::{self, Wanted};
use pcap_tools::report::rows::End;

use super::options::{self, PortArgs};

/// Show the bytes of one connection
///
/// Both directions in the order in which they were sent, whatever the order in which they were captured.
/// Bytes that were never captured are marked.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools follow coffee_brew.pcapng --stream 7
  pcap-tools follow coffee_brew.pcapng --stream 7 --format hex
  pcap-tools follow coffee_brew.pcapng --stream 3 --side server --format raw > response

Exit status: 0 done; 1 done, but a capture was damaged or cut short; 2 not done.")]
pub struct Args {
    /// A capture; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The connection's number: Wireshark's tcp.stream
    #[arg(long, value_name = "N")]
    stream: u64,

    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Only what this end sent
    #[arg(long, value_enum)]
    side: Option<Side>,

    #[command(flatten)]
    ports: PortArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// As text
    Text,
    /// In hexadecimal, with offsets
    Hex,
    /// The bytes themselves
    Raw,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    /// Who began the connection
    Client,
    /// The other end
    Server,
}

/// Shows them.
pub fn run(args: Args) -> io::Result<u8> {
    let reader = options::open(&args.file).map_err(io::Error::other)?;
    let mut out = BufWriter::new(io::stdout());
    let wanted = Wanted {
        stream: args.stream,
        side: args.side.map(|side| match side {
            Side::Client => End::Client,
            Side::Server => End::Server,
        }),
        format: match args.format {
            Format::Text => follow::Format::Text,
            Format::Hex => follow::Format::Hex,
            Format::Raw => follow::Format::Raw,
        },
        colour: options::colour(),
        ports: args.ports.ports(),
    };
    let followed = follow::follow(reader, wanted, &mut out)?;
    if args.format == Format::Text && args.stream < followed.streams {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    let mut code = super::damage(&args.file, followed.damage.as_ref());
    if args.stream >= followed.streams {
        super::say(&format!("{} has no stream {}: its {} connections count from 0", args.file.display(), args.stream, followed.streams));
        code = super::NOT_DONE;
    } else if args.format == Format::Raw && followed.missing_bytes > 0 {
        super::say(&format!("{} bytes of stream {} are missing", followed.missing_bytes, args.stream));
    }
    Ok(code)
}
