//! What several subcommands have in common: ports, filters, captures, colours, progress.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use pcap_tools::capture::{OpenError, Progress, Reader};
use pcap_tools::exchange::{Ports, Sink};
use pcap_tools::filter::{Filter, Select};
use pcap_tools::report::text::{Colour, RowLimit, Style};
use pcap_tools::summary::{self, Capture};

/// Columns of a page where no terminal tells.
const WIDTH: u16 = 80;
/// A file below this is read before a progress bar could be looked at.
const LONG: u64 = 64 << 20;

/// Which programs listen where.
#[derive(clap::Args, Debug)]
pub(super) struct PortArgs {
    /// A port of the web app; may be repeated
    #[arg(long, value_name = "PORT", default_values_t = [htcpcp::WEBAPP_PORT])]
    http_port: Vec<u16>,

    /// A port of the coffee pot; may be repeated
    #[arg(long, value_name = "PORT", default_values_t = [htcpcp::POT_PORT])]
    pot_port: Vec<u16>,
}

impl PortArgs {
    pub(super) fn ports(&self) -> Ports {
        Ports { http: self.http_port.clone(), pot: self.pot_port.clone() }
    }
}

/// A display filter.
#[derive(clap::Args, Debug)]
pub(super) struct FilterArg {
    /// Only what a display filter of Wireshark's lets through, such as 'http.response.code >= 400'
    #[arg(short = 'Y', long = "display-filter", value_name = "FILTER", value_parser = |text: &str| Filter::compile(text))]
    pub(super) filter: Option<Filter>,
}

/// Opens a capture.
///
/// Errors: with the path.
pub(super) fn open(path: &Path) -> Result<Reader, CannotRead> {
    Reader::open(path).map_err(|error| CannotRead { path: path.to_owned(), error })
}

/// A capture of which nothing could be read.
#[derive(Debug)]
pub(super) struct CannotRead {
    path: PathBuf,
    error: OpenError,
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

/// Reads a capture into a sink; with a filter, what it selects. Results are shown at the end.
///
/// Errors: the capture cannot be read at all.
pub(super) fn read<S: Sink>(path: &Path, ports: Ports, filter: Option<Filter>, sink: S) -> io::Result<(Capture, S)> {
    let reader = open(path).map_err(io::Error::other)?;
    let _bar = Bar::show(&reader, Shown::AtTheEnd);
    Ok(match filter {
        None => summary::run(reader, ports, sink),
        Some(filter) => {
            let (capture, selected) = summary::run(reader, ports, Select::new(filter, sink));
            (capture, selected.finish().1)
        }
    })
}

/// Whether standard output takes colours: on a terminal, unless `NO_COLOR` says otherwise.
pub(super) fn colour() -> Colour {
    let wanted = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted { Colour::On } else { Colour::Off }
}

/// Columns to fill: the terminal's, or what `COLUMNS` says, or 80.
pub(super) fn width() -> u16 {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|&columns| columns > 0);
    let terminal = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    terminal.or(columns).unwrap_or(WIDTH).max(40)
}

/// How text is laid out here.
pub(super) fn style() -> Style {
    Style { width: width(), colour: colour(), rows: RowLimit::Summarise }
}

/// When results are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    /// At the end.
    AtTheEnd,
    /// As soon as they are known.
    AtOnce,
}

/// A progress bar, drawn by a thread of its own until it is dropped.
pub(super) struct Bar {
    done: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Bar {
    /// Shows a bar for a long file, if standard error is a terminal and standard output is not being read
    /// there line by line.
    pub(super) fn show(reader: &Reader, shown: Shown) -> Option<Self> {
        let (total, progress) = reader.progress()?;
        let streams = shown == Shown::AtOnce && io::stdout().is_terminal();
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

/// What a capture is called on pages that are handed on: not where it lies.
pub fn name_of(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
}
