//! `pcap-tools report`: a capture as one page for a browser.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use pcap_tools::filter::Select;
use pcap_tools::report::html::Page;
use pcap_tools::summary;

use super::options::{self, Bar, FilterArg, PortArgs, Shown};

/// Write a report on a capture: one page for a browser
///
/// The summary, the lab's answers, a waterfall of the exchanges, the chains from browser to pot, the space-time diagram,
/// and all connections and exchanges with the heads of their messages, linked to each other. The page is one file
/// and asks nobody for anything: it can be mailed, printed and read without a network.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools report coffee_brew.pcapng -o report.html
  pcap-tools report -Y 'htcpcp || http.response.code >= 400' coffee_brew.pcapng -o refusals.html
  pcap-tools report --http-port 8000 --pot-port 6030 mine.pcapng -o mine.html
  ssh lab dumpcap -i lo -a duration:30 -w - | pcap-tools report - > lab.html

Exit status: 0 done; 1 done, but a capture was damaged or cut short; 2 not done.")]
pub struct Args {
    /// A capture; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where the page goes; - is standard output, which is what is meant without this, unless it is a terminal
    #[arg(short, long, value_name = "PAGE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    filter: FilterArg,

    #[command(flatten)]
    ports: PortArgs,
}

/// Writes it.
pub fn run(args: Args) -> io::Result<u8> {
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if args.output.is_none() && io::stdout().is_terminal() {
        return Err(io::Error::other(
            "a page is no text for a terminal: say where it goes, such as -o report.html, or -o - to see it here",
        ));
    }
    if let Some(path) = output.filter(|path| is_same(path, &args.file)) {
        return Err(io::Error::other(format!("{} is the capture itself, which the page would replace", path.display())));
    }
    let reader = options::open(&args.file).map_err(io::Error::other)?;
    let bar = Bar::show(&reader, Shown::AtTheEnd);
    let ports = args.ports.ports();
    let page = Page::new(ports.clone());
    let (capture, page) = match args.filter.filter {
        None => summary::run(reader, ports, page),
        Some(filter) => {
            let (mut capture, selected) = summary::run(reader, ports, Select::new(filter, page));
            let (selection, page) = selected.finish();
            capture.selection = Some(selection);
            (capture, page)
        }
    };
    drop(bar);
    let name = options::name_of(&args.file);
    match output {
        None => {
            let mut out = BufWriter::new(io::stdout());
            page.write(&name, &capture, &mut out)?;
            out.flush()?;
        }
        Some(path) => {
            let failed = |error: io::Error| io::Error::new(error.kind(), format!("{} cannot be written: {error}", path.display()));
            let mut out = BufWriter::new(File::create(path).map_err(failed)?);
            page.write(&name, &capture, &mut out).and_then(|()| out.flush()).map_err(failed)?;
        }
    }
    Ok(super::damage(&args.file, capture.damage.as_ref()))
}

fn is_same(one: &Path, two: &Path) -> bool {
    matches!((one.canonicalize(), two.canonicalize()), (Ok(one), Ok(two)) if one == two)
}
