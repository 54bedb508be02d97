//! Captures: bytes of a file or pipe in, frames out, numbered as Wireshark numbers them.
//!
//! pcapng and classic pcap, both byte orders, gzip and zstd of them. What is in a frame is left to
//! [`packet`](crate::packet).
//!
//! ```
//! use pcap_tools::{capture::{self, Reader}, craft};
//!
//! let bytes = craft::capture(&[vec![0x45, 0, 0, 20], vec![0x60, 0, 0, 0]]);
//! let mut reader = Reader::new(std::io::Cursor::new(bytes))?;
//! let mut numbers = Vec::new();
//! while let Some(frame) = reader.next_frame()? {
//!     numbers.push((frame.number, frame.original_len));
//! }
//! assert_eq!(numbers, [(1, 8), (2, 8)]); // the NULL link layer adds four bytes to each
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod pcap;
mod pcapng;
mod source;

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use crate::finding::{self, Finding};
use crate::time::Time;
use source::{Fill, Pace, Source};

pub use source::Progress;

/// The longest frame that Wireshark reads (`WTAP_MAX_PACKET_SIZE_STANDARD`); a longer one is damage.
const MAX_FRAME: usize = 262_144;

/// A link-layer type by its number in the registry of tcpdump.org.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: address family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Bare IP, version told by its first four bits.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Bare IPv4.
    pub const IPV4: Self = Self(228);
    /// Bare IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::LINUX_SLL2 => f.write_str("LINUX_SLL2"),
            Self(number) => write!(f, "{:?}", pcap_file::DataLink::from(u32::from(number))),
        }
    }
}

/// An interface that frames were captured on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// `if_name`, where the capture has it.
    pub name: Option<String>,
    /// What its frames begin with.
    pub link_type: LinkType,
    /// The longest piece of a frame that was kept; `None` for no limit.
    pub snap_len: Option<u32>,
    resolution: Resolution,
    offset_seconds: i64,
}

/// Ticks of a time stamp in a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Resolution {
    /// 10⁻ⁿ seconds.
    Decimal(u8),
    /// 2⁻ⁿ seconds.
    Binary(u8),
}

impl Interface {
    fn time(&self, ticks: u64) -> Time {
        // Nearly every capture: whole nanoseconds in a tick, no offset, this century.
        if let (Resolution::Decimal(n @ 0..=9), 0) = (self.resolution, self.offset_seconds)
            && let Some(nanos) = ticks.checked_mul(10_u64.pow(9 - u32::from(n)))
            && let Ok(nanos) = i64::try_from(nanos)
        {
            return Time::from(nanos);
        }
        let offset = i128::from(self.offset_seconds) * 1_000_000_000;
        let ticks = u128::from(ticks);
        let nanos = match self.resolution {
            Resolution::Decimal(n) if n <= 9 => ticks * 10_u128.pow(9 - u32::from(n)),
            // From 10^-48 seconds on, any number of ticks is no nanosecond.
            Resolution::Decimal(n) => 10_u128.checked_pow(u32::from(n) - 9).map_or(0, |divisor| ticks / divisor),
            Resolution::Binary(n) => (ticks * 1_000_000_000).checked_shr(u32::from(n)).unwrap_or(0),
        };
        Time::from_nanos(nanos as i128 + offset)
    }
}

/// What a record of the capture is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Content {
    /// A packet that begins with this link layer.
    Packet(LinkType),
    /// A record that Wireshark numbers but that holds no packet: the pcapng block type.
    Record(u32),
    /// A packet of an interface that the capture does not describe.
    UnknownInterface,
}

/// One record of a capture, as Wireshark would number it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// From 1.
    pub number: u64,
    /// When it was captured.
    pub time: Time,
    /// What `data` begins with.
    pub content: Content,
    /// Which interface of the capture it was captured on, from 0; a pcap file does not say.
    pub interface: Option<(u32, &'a Interface)>,
    /// Length on the wire in bytes; `data` may be shorter.
    pub original_len: u32,
    /// The bytes that were kept.
    pub data: &'a [u8],
}

/// What the reader has next.
#[derive(Debug)]
pub enum Next<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// Nothing at the moment: the other end of a pipe is still writing. The next call waits for it.
    Waiting,
    /// The end of the capture.
    End,
}

/// Why nothing could be read at all.
#[derive(Debug)]
pub enum OpenError {
    /// The operating system refused.
    Io(io::Error),
    /// There is not a single byte.
    Empty,
    /// The first bytes belong to no capture format that is read here.
    NotACapture(Vec<u8>),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(_) => f.write_str("cannot be read"),
            Self::Empty => f.write_str("is empty"),
            Self::NotACapture(bytes) => {
                write!(f, "is no pcapng or pcap capture: it begins with the bytes")?;
                bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
                match std::str::from_utf8(bytes) {
                    Ok(text) if !text.contains(char::is_control) => write!(f, " (\"{text}\")"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What kind of damage ended the reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DamageKind {
    /// The capture ends inside of a record.
    Cut,
    /// A record contradicts itself.
    Corrupt,
    /// The operating system or the decompressor failed.
    Unreadable,
}

/// Where and why a capture could not be read to its end; all frames before it were delivered.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Damage {
    /// What kind of damage.
    pub kind: DamageKind,
    /// The number that the broken record would have had.
    pub frame: u64,
    /// Where the broken record begins, in bytes from the beginning of the (decompressed) capture.
    pub offset: u64,
    /// One sentence for a person.
    pub message: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "frame {}, byte offset {}: {}", self.frame, self.offset, self.message)
    }
}

impl std::error::Error for Damage {}

enum Format {
    Pcapng(pcapng::Section),
    Pcap(pcap::Header),
}

/// What a format found at the beginning of the window.
enum Step {
    /// That many bytes are needed to tell.
    Need(usize),
    /// Nothing to show: go on behind that many bytes, which need not be in the window.
    Skip(u64),
    /// A record of `len` bytes with a frame in it.
    Record { record: Record, len: usize },
    /// The record contradicts itself, and what follows cannot be found.
    Corrupt(String),
}

/// A frame that lies in the window, but for the borrow.
struct Record {
    time: Time,
    content: Content,
    interface: Option<u32>,
    original_len: u32,
    data: std::ops::Range<usize>,
}

/// Reads a capture, record by record, in bounded memory.
pub struct Reader {
    source: Source,
    format: Format,
    interfaces: Vec<Interface>,
    findings: Vec<Finding>,
    frames: u64,
    /// What the last frame still holds of the window.
    held: usize,
    /// What is still to be skipped.
    skipping: u64,
    done: bool,
}

impl Reader {
    /// Opens a capture file; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::from_source(Source::open(path)?)
    }

    /// Reads a capture from memory, or from anything that does not keep its reader waiting.
    pub fn new(input: impl Read + Send + 'static) -> Result<Self, OpenError> {
        Self::from_source(Source::new(input, Pace::Steady)?)
    }

    /// Reads a capture that may be still being written at the other end.
    pub fn live(input: impl Read + Send + 'static) -> Result<Self, OpenError> {
        Self::from_source(Source::new(input, Pace::Live)?)
    }

    fn from_source(mut source: Source) -> Result<Self, OpenError> {
        fill(&mut source, 8);
        if let Some(error) = source.error.take() {
            return Err(OpenError::Io(error));
        }
        let mut interfaces = Vec::new();
        let first = &source.bytes()[..source.bytes().len().min(8)];
        let format = match first {
            [] => return Err(OpenError::Empty),
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => Format::Pcapng(pcapng::Section::default()),
            first if pcap::is_magic(first) => {
                fill(&mut source, pcap::HEADER_LEN);
                let header = pcap::Header::parse(source.bytes());
                source.consume(source.bytes().len().min(pcap::HEADER_LEN));
                interfaces.extend(header.as_ref().map(|header| header.interface.clone()));
                Format::Pcap(header.unwrap_or_default())
            }
            first => return Err(OpenError::NotACapture(first.to_vec())),
        };
        Ok(Self { source, format, interfaces, findings: Vec::new(), frames: 0, held: 0, skipping: 0, done: false })
    }

    /// `pcapng` or `pcap`.
    pub fn format(&self) -> &'static str {
        match self.format {
            Format::Pcapng(_) => "pcapng",
            Format::Pcap(_) => "pcap",
        }
    }

    /// `gzip` or `zstd`, where the capture is compressed.
    pub fn compression(&self) -> Option<&'static str> {
        self.source.compression
    }

    /// The interfaces described so far, of all sections.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// The interfaces, when nothing more is to be read.
    pub fn into_interfaces(self) -> Vec<Interface> {
        self.interfaces
    }

    /// How many frames were read so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// What was odd in the file since the last call.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Size of a regular file in bytes, and how much of it was read.
    pub fn progress(&self) -> Option<(u64, Progress)> {
        Some((self.source.total?, self.source.progress.clone()))
    }

    /// The next frame, or `None` at the end; waits for a pipe that is still being written.
    ///
    /// Errors: [`Damage`] once, where the capture cannot be read further; then `None`.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Damage> {
        while !self.done {
            match self.advance()? {
                Advance::Record(record) => return Ok(Some(self.frame(record))),
                Advance::Waiting => {}
                Advance::End => break,
            }
        }
        Ok(None)
    }

    /// The next frame, or that there is none at the moment.
    ///
    /// Errors: as [`next_frame`](Self::next_frame).
    pub fn poll_frame(&mut self) -> Result<Next<'_>, Damage> {
        if self.done {
            return Ok(Next::End);
        }
        Ok(match self.advance()? {
            Advance::Record(record) => Next::Frame(self.frame(record)),
            Advance::Waiting => Next::Waiting,
            Advance::End => Next::End,
        })
    }

    fn frame(&self, record: Record) -> Frame<'_> {
        Frame {
            number: self.frames,
            time: record.time,
            content: record.content,
            interface: record.interface.and_then(|id| Some((id, self.interfaces.get(id as usize)?))),
            original_len: record.original_len,
            data: &self.source.bytes()[record.data],
        }
    }

    /// Goes to the next record.
    fn advance(&mut self) -> Result<Advance, Damage> {
        self.source.consume(std::mem::take(&mut self.held));
        loop {
            if self.skipping > 0 && !self.skip() {
                if self.source.fill(1) == Fill::Waiting {
                    return Ok(Advance::Waiting);
                }
                if self.source.bytes().is_empty() {
                    return self.end(1);
                }
                continue;
            }
            let step = match &mut self.format {
                Format::Pcapng(section) => {
                    let place = pcapng::Place { frame: self.frames + 1, offset: self.source.offset };
                    section.step(self.source.bytes(), place, &mut self.interfaces, &mut self.findings)
                }
                Format::Pcap(header) => header.step(self.source.bytes()),
            };
            match step {
                Step::Record { record, len } => {
                    self.held = len;
                    self.frames += 1;
                    return Ok(Advance::Record(record));
                }
                Step::Skip(len) => self.skipping = len,
                Step::Need(need) => match self.source.fill(need) {
                    Fill::Enough => {}
                    Fill::Waiting => return Ok(Advance::Waiting),
                    Fill::End => return self.end(need),
                },
                Step::Corrupt(message) => return self.damage(DamageKind::Corrupt, message),
            }
        }
    }

    /// Skips what is in the window; true when nothing is left to be skipped.
    fn skip(&mut self) -> bool {
        let count = self.skipping.min(self.source.bytes().len() as u64);
        self.source.consume(count as usize);
        self.skipping -= count;
        self.skipping == 0
    }

    /// The input ended while `need` bytes were asked for.
    fn end(&mut self, need: usize) -> Result<Advance, Damage> {
        let have = self.source.bytes().len();
        if let Some(error) = self.source.error.take() {
            let kind = match error.kind() {
                io::ErrorKind::UnexpectedEof => DamageKind::Cut,
                _ => DamageKind::Unreadable,
            };
            return self.damage(kind, format!("reading failed: {error}"));
        }
        let header_missing = matches!(&self.format, Format::Pcap(_)) && self.interfaces.is_empty();
        if have == 0 && self.skipping == 0 && !header_missing {
            self.done = true;
            return Ok(Advance::End);
        }
        let message = match (header_missing, self.skipping) {
            (true, _) => "the capture is cut inside of its file header".to_owned(),
            (_, 0) => format!("the capture is cut: a record needs {need} bytes, and {have} are left"),
            (_, missing) => format!("the capture is cut: {missing} bytes of a block are missing"),
        };
        self.damage(DamageKind::Cut, message)
    }

    fn damage(&mut self, kind: DamageKind, message: String) -> Result<Advance, Damage> {
        self.done = true;
        Err(Damage { kind, frame: self.frames + 1, offset: self.source.offset, message })
    }
}

enum Advance {
    Record(Record),
    Waiting,
    End,
}

/// Fills the window and waits for as long as it takes.
fn fill(source: &mut Source, need: usize) {
    while source.fill(need) == Fill::Waiting {}
}

/// A finding about the file format.
fn finding(frame: u64, offset: u64, message: String) -> Finding {
    Finding { kind: finding::Kind::Capture, frame: Some(frame), stream: None, offset: Some(offset), message }
}
