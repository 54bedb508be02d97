//! `pcap-tools dissect`: what Wireshark's Lua dissectors make of a capture.

mod setup;
mod worker;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use dissector_lua::host::core::Fault;
use dissector_lua::host::{Host, ListenerId, Options, Shown};
use pcap_tools::capture::Reader;
use pcap_tools::dissect::{self, Displayed, Passes};
use pcap_tools::filter::TreeFilter;
use pcap_tools::report::dissect::fields::{Fields, Style};
use pcap_tools::report::dissect::json::Json;
use pcap_tools::report::dissect::pdml::Pdml;
use pcap_tools::report::dissect::tree::{Extent, Tree};
use pcap_tools::report::dissect::{Format, golden};
use pcap_tools::report::text::Colour;

use super::options;
use setup::Setup;
use worker::{Page, To, Watch};

/// Show what Lua dissectors make of a capture
///
/// Runs dissectors written for Wireshark's Lua API, without Wireshark, and shows what tshark would show. The
/// dissector of HTCPCP is built in; it makes way for a script that declares HTCPCP itself.
///
/// A script reads no file, starts no program and reaches no network. What it may use up is limited.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools dissect coffee_brew.pcapng
  pcap-tools dissect -O htcpcp -Y 'htcpcp.response.code >= 400' coffee_brew.pcapng
  pcap-tools dissect --lua my.lua -Y myproto -2 mine.pcapng
  pcap-tools dissect --lua my.lua -d tcp.port==7000,myproto -o myproto.check:TRUE mine.pcapng
  pcap-tools dissect -e frame.number -e htcpcp.request.method -e _ws.col.Info -Y htcpcp coffee_brew.pcapng
  pcap-tools dissect --format json -Y htcpcp coffee_brew.pcapng | jq '.[]._source.layers.htcpcp'

A test of a dissector, and how its golden file is written:
  pcap-tools dissect --lua my.lua --bless mine.golden mine.pcapng
  pcap-tools dissect --lua my.lua --expect mine.golden mine.pcapng

Exit status: 0 done; 1 done, but a dissector failed, the capture was damaged, or the output is not the expected one; 2 not done.")]
pub struct Args {
    /// A capture; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// A script with a dissector; may be repeated
    #[arg(long = "lua", value_name = "SCRIPT")]
    scripts: Vec<PathBuf>,

    /// Only frames that a display filter of Wireshark's lets through, on any field that a dissector declares
    #[arg(short = 'Y', long = "display-filter", value_name = "FILTER")]
    filter: Option<String>,

    /// Read the capture twice: dissectors then know what comes later, such as the response to a request
    #[arg(short = '2', long)]
    two_pass: bool,

    /// Set a preference of a dissector, such as htcpcp.desegment:FALSE
    #[arg(short = 'o', long = "preference", value_name = "NAME:VALUE")]
    preferences: Vec<String>,

    /// Decode As: give the bytes of a port to a protocol, such as tcp.port==8080,htcpcp
    #[arg(short = 'd', long, value_name = "TABLE==VALUE,PROTOCOL")]
    decode_as: Vec<String>,

    /// Run a statistic of a dissector, such as htcpcp,stat; it is drawn behind the frames
    #[arg(short = 'z', long = "statistic", value_name = "STATISTIC")]
    statistics: Vec<String>,

    /// What is written [default: tree; fields, with -e]
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,

    /// Of all other protocols show only the first line (tree)
    #[arg(short = 'O', long = "only", value_name = "PROTOCOLS", value_delimiter = ',')]
    only: Vec<String>,

    /// A field to write, or _ws.col.Protocol, _ws.col.Info (fields); may be repeated
    #[arg(short = 'e', long = "field", value_name = "FIELD")]
    fields: Vec<String>,

    /// How fields are written: header=y|n, separator=X, aggregator=X, occurrence=f|l|a, quote=d|s|n, bom=y|n
    #[arg(short = 'E', long = "field-style", value_name = "KEY=VALUE")]
    field_style: Vec<String>,

    /// Compare the output with a golden file instead of writing it
    #[arg(long, value_name = "GOLDEN")]
    expect: Option<PathBuf>,

    /// Write the output to a golden file
    #[arg(long, value_name = "GOLDEN", conflicts_with = "expect")]
    bless: Option<PathBuf>,

    /// How long the dissectors may take for one frame
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    time_limit: Duration,

    /// How much memory scripts may hold
    #[arg(long, value_name = "MIB", default_value_t = (Options::default().memory_limit >> 20) as u32, value_parser = clap::value_parser!(u32).range(1..))]
    memory_limit: u32,

    /// How many instructions of Lua a dissector may take for one frame
    #[arg(long, value_name = "COUNT", default_value_t = Options::default().instruction_limit, value_parser = clap::value_parser!(u64).range(1..))]
    instruction_limit: u64,

    /// Only for this program: run as the worker of that process
    #[arg(long, hide = true, value_name = "PARENT")]
    worker: Option<u32>,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum OutputFormat {
    /// The tree as text, as tshark -V writes it
    Tree,
    /// The values of some fields, a line for each frame, as tshark -T fields
    Fields,
    /// An array of objects, as tshark -T json --no-duplicate-keys
    Json,
    /// The tree as XML, as tshark -T pdml
    Pdml,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds was expected".to_owned())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero()).ok_or_else(|| "more than 0 seconds were expected".to_owned())
}

impl Args {
    fn format(&self) -> OutputFormat {
        self.format.unwrap_or(if self.fields.is_empty() { OutputFormat::Tree } else { OutputFormat::Fields })
    }

    fn golden(&self) -> Option<&Path> {
        self.expect.as_deref().or(self.bless.as_deref())
    }

    /// Options that do not go together.
    fn check(&self) -> Result<(), String> {
        if self.two_pass && self.file == Path::new("-") {
            return Err("standard input can be read once only, so -2 needs a file".to_owned());
        }
        match self.format() {
            OutputFormat::Fields if self.fields.is_empty() => Err("--format fields needs a field: -e NAME".to_owned()),
            OutputFormat::Fields | OutputFormat::Tree if !self.only.is_empty() && !self.fields.is_empty() => {
                Err("-O is for --format tree".to_owned())
            }
            OutputFormat::Fields => Ok(()),
            _ if !self.fields.is_empty() || !self.field_style.is_empty() => Err("-e and -E are for --format fields".to_owned()),
            OutputFormat::Json | OutputFormat::Pdml if !self.only.is_empty() => Err("-O is for --format tree".to_owned()),
            _ => Ok(()),
        }
    }
}

/// What the process may hold in bytes beside what Lua holds: trees, connections, and what scripts have it keep for them.
const HOST_MEMORY: u64 = 2 << 30;

/// Shows it.
pub fn run(args: Args) -> io::Result<u8> {
    args.check().map_err(io::Error::other)?;
    match args.worker {
        Some(parent) => {
            worker::limit_memory(HOST_MEMORY + (u64::from(args.memory_limit) << 20))?;
            work(&args, parent)
        }
        None => worker::supervise(),
    }
}

fn work(args: &Args, parent: u32) -> io::Result<u8> {
    let page = Page::new(match args.golden() {
        Some(_) => To::Memory(String::new()),
        None => To::Stdout(io::BufWriter::new(io::stdout())),
    });
    let watch = Watch::begin(args.time_limit, parent, &page);
    let Setup { mut host, own } = Setup::make(args, &watch).map_err(io::Error::other)?;
    let filter = filter(args, &host, &own)?;
    let format = format(args, &mut host, &own)?;
    let listeners = listeners(&mut host)?;
    let mut reader = Some(options::open(&args.file).map_err(io::Error::other)?);
    {
        let mut registry = host.core().registry.borrow_mut();
        let filters = listeners.iter().map(|(_, filter)| filter).chain([&filter]);
        let wanted: Vec<_> = filters.flat_map(|filter| filter.fields(&registry)).collect();
        wanted.into_iter().for_each(|field| registry.want(field));
    }
    let documents = matches!(args.format(), OutputFormat::Json | OutputFormat::Pdml);
    let mut show = Show { filter, listeners, format, page, faults: Faults::default(), text: String::new(), documents };
    show.begin()?;
    let passes = if args.two_pass { Passes::Two } else { Passes::One };
    let open = || reader.take().map_or_else(|| Reader::open(&args.file), Ok);
    let reading = dissect::run(open, &mut host, passes, |host| show.frame(host)).map_err(|error| match error {
        dissect::Error::Open(_) => io::Error::other(error),
        dissect::Error::Output(error) => error,
    })?;
    host.finish();
    show.rest(&mut host)?;
    let text = show.page.finish()?;
    let failed = show.faults.count_up();
    let code = super::damage(&args.file, reading.damage.as_ref()).max(if failed { super::DAMAGED } else { super::DONE });
    match (&args.expect, &args.bless) {
        (Some(golden), _) => compare(golden, &text).map(|code| code.max(if failed { super::DAMAGED } else { super::DONE })),
        (None, Some(golden)) => bless(golden, &text).map(|()| code),
        (None, None) => Ok(code),
    }
}

/// The filter; for a golden file without one, all frames that show one of the protocols that are tested, or an error.
fn filter(args: &Args, host: &Host, own: &[String]) -> io::Result<TreeFilter> {
    let registry = host.core().registry.borrow();
    let errors = (!registry.named(LUA_ERROR).is_empty()).then_some(LUA_ERROR);
    let text = match &args.filter {
        Some(text) => text.clone(),
        None if args.golden().is_some() => own.iter().map(String::as_str).chain(errors).collect::<Vec<_>>().join(" or "),
        None => String::new(),
    };
    TreeFilter::compile(&text, &registry).map_err(io::Error::other)
}

/// The expert info of an error in a script.
const LUA_ERROR: &str = "_ws.lua.error";

/// The format; what it has to be told of the fields is looked for in the host, which is told how much of them is shown.
fn format(args: &Args, host: &mut Host, own: &[String]) -> io::Result<Box<dyn Format>> {
    let colour = if args.golden().is_some() { Colour::Off } else { options::colour() };
    host.show_trees(if args.format() == OutputFormat::Fields { Shown::Wanted } else { Shown::Whole });
    Ok(match args.format() {
        OutputFormat::Tree if args.only.iter().any(|name| host.core().registry.borrow().protocol_named(name).is_none()) => {
            return Err(io::Error::other(format!(
                "-O {}: not all of these are protocols of the dissectors that run here",
                args.only.join(",")
            )));
        }
        OutputFormat::Tree if !args.only.is_empty() => Box::new(Tree::new(Extent::Opened(args.only.iter().cloned().collect()), colour)),
        OutputFormat::Tree if args.golden().is_some() => Box::new(Tree::new(Extent::Only(own.iter().cloned().collect()), colour)),
        OutputFormat::Tree => Box::new(Tree::new(Extent::Whole, colour)),
        OutputFormat::Json => Box::new(Json::default()),
        OutputFormat::Pdml => Box::new(Pdml::new(&args.file.file_name().unwrap_or(args.file.as_os_str()).to_string_lossy())),
        OutputFormat::Fields => {
            let mut style = Style::default();
            args.field_style.iter().try_for_each(|setting| style.set(setting)).map_err(io::Error::other)?;
            let mut registry = host.core().registry.borrow_mut();
            let fields = Fields::new(args.fields.clone(), style, &registry);
            let fields = fields.map_err(|name| io::Error::other(format!("-e {}", TreeFilter::unknown(&name, &registry))))?;
            fields.wanted().for_each(|field| registry.want(field));
            host.core().packet.borrow_mut().columns.built |= fields.wants_columns();
            Box::new(fields)
        }
    })
}

/// The listeners, with their filters.
fn listeners(host: &mut Host) -> io::Result<Vec<(Tap, TreeFilter)>> {
    let registry = host.core().registry.borrow();
    let listeners = host.listeners().into_iter().map(|listener| {
        let filter = TreeFilter::compile(&listener.filter, &registry).map_err(io::Error::other)?;
        Ok((Tap { id: listener.id, name: listener.tap }, filter))
    });
    listeners.collect()
}

/// What a listener listens to.
struct Tap {
    id: ListenerId,
    name: String,
}

/// What becomes of the frames.
struct Show {
    filter: TreeFilter,
    listeners: Vec<(Tap, TreeFilter)>,
    format: Box<dyn Format>,
    page: Arc<Page>,
    faults: Faults,
    /// Kept for its room.
    text: String,
    /// Whether the output is a document, in which there is no place for what scripts print.
    documents: bool,
}

impl Show {
    fn begin(&mut self) -> io::Result<()> {
        self.format.begin(&mut self.text);
        self.page.write(&self.text, self.format.end())
    }

    /// Shows a frame, if it passes.
    fn frame(&mut self, host: &mut Host) -> io::Result<Displayed> {
        // What a dissector has made of a frame is watched, too, but nobody's reading.
        let at_work_on = host.at_work_on();
        at_work_on.store(host.look(|view| view.packet.number).into(), Relaxed);
        self.taps(host);
        self.text.clear();
        self.take(host)?;
        let passes = host.look(|view| {
            let passes = self.filter.accepts(view);
            if passes {
                self.format.frame(view, &mut self.text);
            }
            passes
        });
        at_work_on.store(0, Relaxed);
        self.page.write(&self.text, self.format.end())?;
        Ok(if passes { Displayed::Yes } else { Displayed::No })
    }

    fn taps(&self, host: &mut Host) {
        for (tap, filter) in &self.listeners {
            let hits = host.core().taps.borrow().iter().filter(|name| **name == tap.name).count();
            if hits > 0 && host.look(|view| filter.accepts(view)) {
                (0..hits).for_each(|_| host.tap(tap.id));
            }
        }
    }

    /// What scripts have printed and done wrong since the last time.
    fn take(&mut self, host: &mut Host) -> io::Result<()> {
        let printed = host.take_output();
        if self.documents {
            io::stderr().write_all(printed.as_bytes())?;
        } else {
            self.text.push_str(&printed);
        }
        host.take_faults().into_iter().for_each(|fault| self.faults.add(fault));
        Ok(())
    }

    /// What is left behind the last frame.
    fn rest(&mut self, host: &mut Host) -> io::Result<()> {
        self.text.clear();
        self.take(host)?;
        self.page.write(&self.text, self.format.end())
    }
}

/// Errors in scripts, by their places.
#[derive(Default)]
struct Faults {
    places: BTreeMap<(String, Option<u32>), (u64, Option<u32>)>,
}

impl Faults {
    /// Says where a place failed for the first time.
    fn add(&mut self, fault: Fault) {
        let (count, last) = self.places.entry((fault.script, fault.line)).or_default();
        *count += 1;
        *last = fault.frame;
        if *count == 1 {
            let frame = fault.frame.map_or(String::new(), |frame| format!("frame {frame}: "));
            super::say(&format!("{frame}{}", fault.message));
        }
    }

    /// Says how often places failed that failed again; whether any did.
    fn count_up(&self) -> bool {
        for ((script, line), (count, last)) in self.places.iter().filter(|(_, (count, _))| *count > 1) {
            let line = line.map_or(String::new(), |line| format!(":{line}"));
            let last = last.map_or(String::new(), |last| format!(", the last in frame {last}"));
            super::say(&format!("{script}{line}: {count} errors{last}"));
        }
        !self.places.is_empty()
    }
}

/// Compares with a golden file; the exit status.
fn compare(golden: &Path, text: &str) -> io::Result<u8> {
    let expected =
        std::fs::read_to_string(golden).map_err(|error| io::Error::other(format!("cannot read {}: {error}", golden.display())))?;
    let Some(difference) = golden::difference(&expected, text, options::colour()) else { return Ok(super::DONE) };
    let mut out = io::stdout();
    writeln!(out, "--- {} (expected)\n+++ shown now", golden.display())?;
    out.write_all(difference.as_bytes())?;
    out.flush()?;
    Ok(super::DAMAGED)
}

fn bless(golden: &Path, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Err(io::Error::other(format!(
            "there is nothing to write to {}: no frame shows a protocol of the scripts (is --lua, -d or another filter missing?)",
            golden.display()
        )));
    }
    std::fs::write(golden, text).map_err(|error| io::Error::other(format!("cannot write {}: {error}", golden.display())))
}
