//! TLS as far as it is readable: the first bytes of a connection in, version and server name out.
//!
//! Nothing is decrypted. What follows the hellos is left alone.
//! Source: RFC 8446 §4.1, §5.1; RFC 6066 §3; RFC 7301.

use htcpcp::Sniff;

/// Handshake bytes kept for a hello; a longer one is not read.
const MAX_HELLO: usize = 64 << 10;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// Type, version and length of a record.
const RECORD_HEADER_LEN: usize = 5;

/// A TLS version by its number on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version(pub u16);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0x0300 => f.write_str("SSL 3.0"),
            0x0301 => f.write_str("TLS 1.0"),
            0x0302 => f.write_str("TLS 1.1"),
            0x0303 => f.write_str("TLS 1.2"),
            0x0304 => f.write_str("TLS 1.3"),
            other => write!(f, "TLS {other:#06x}"),
        }
    }
}

/// What the hellos of a TLS connection say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tls {
    /// The highest version that the client offered.
    pub offered: Option<Version>,
    /// The version that the server chose.
    pub chosen: Option<Version>,
    /// `server_name` (SNI) of the ClientHello.
    pub server_name: Option<String>,
    /// Protocols that the client offered (ALPN), such as `h2`.
    pub protocols: Vec<String>,
}

impl Tls {
    /// The version spoken: chosen by the server or, where its hello was not captured, offered.
    pub fn version(&self) -> Option<Version> {
        self.chosen.or(self.offered)
    }

    fn read(&mut self, message: &[u8]) {
        let Some((&[kind, _, _, _], content)) = message.split_first_chunk() else { return };
        let hello = Hello::parse(kind, content);
        if kind == CLIENT_HELLO {
            self.server_name = hello.server_name;
            self.protocols = hello.protocols;
        }
        let versions = hello.supported_versions.iter().copied().filter(|version| (0x0300..=0x03ff).contains(version));
        let version = versions.max().or(hello.legacy_version).filter(|_| hello.whole).map(Version);
        let place = if kind == CLIENT_HELLO { &mut self.offered } else { &mut self.chosen };
        *place = version.or(*place);
    }
}

/// A ClientHello or ServerHello, as far as it is of interest here (RFC 8446 §4.1).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Hello {
    /// The version in its old place.
    pub legacy_version: Option<u16>,
    /// Offered by the client, or the one chosen by the server.
    pub cipher_suites: Vec<u16>,
    /// Types of the extensions.
    pub extensions: Vec<u16>,
    /// `supported_versions`: offered by the client, GREASE (RFC 8701) included, or the one chosen by the server.
    pub supported_versions: Vec<u16>,
    /// `server_name` (SNI).
    pub server_name: Option<String>,
    /// ALPN.
    pub protocols: Vec<String>,
    /// Whether it could be read to its end.
    pub whole: bool,
}

impl Hello {
    /// Reads a handshake message of that type, without its header; what is malformed has fewer fields.
    pub fn parse(kind: u8, content: &[u8]) -> Self {
        let mut hello = Self::default();
        hello.whole = hello.read(kind, Reader(content)).is_some();
        hello
    }

    fn read(&mut self, kind: u8, mut hello: Reader<'_>) -> Option<()> {
        self.legacy_version = Some(hello.u16()?);
        hello.take(32)?;
        hello.prefixed_8()?;
        let client = kind == CLIENT_HELLO;
        if client {
            self.cipher_suites = numbers(hello.prefixed_16()?);
            hello.prefixed_8()?;
        } else {
            self.cipher_suites = vec![hello.u16()?];
            hello.take(1)?;
        }
        let mut extensions = Reader(hello.prefixed_16().unwrap_or_default());
        while let (Some(kind), Some(value)) = (extensions.u16(), extensions.prefixed_16()) {
            self.extensions.push(kind);
            let mut value = Reader(value);
            match kind {
                0 if client => self.server_name = server_name(value),
                16 => self.protocols = protocols(value),
                43 if client => self.supported_versions = numbers(value.prefixed_8()?),
                43 => self.supported_versions = vec![value.u16()?],
                _ => {}
            }
        }
        Some(())
    }
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|&bytes| u16::from_be_bytes(bytes)).collect()
}

/// `ServerNameList` (RFC 6066 §3): the first host name.
fn server_name(mut value: Reader<'_>) -> Option<String> {
    let mut names = Reader(value.prefixed_16()?);
    loop {
        let kind = names.take(1)?[0];
        let name = names.prefixed_16()?;
        if kind == 0 {
            return Some(String::from_utf8_lossy(name).into_owned());
        }
    }
}

/// `ProtocolNameList` (RFC 7301 §3.1).
fn protocols(mut value: Reader<'_>) -> Vec<String> {
    let mut names = Reader(value.prefixed_16().unwrap_or_default());
    std::iter::from_fn(|| names.prefixed_8()).map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// Reads big-endian lengths and values; `None` where the bytes end.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn prefixed_8(&mut self) -> Option<&'a [u8]> {
        let len = self.take(1)?[0];
        self.take(usize::from(len))
    }

    fn prefixed_16(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }
}

/// Could these first bytes of a segment be a TLS record (RFC 8446 §5.1)?
pub(crate) fn sniff(bytes: &[u8]) -> Sniff {
    let fits = |at: usize, range: std::ops::RangeInclusive<u8>| bytes.get(at).is_none_or(|byte| range.contains(byte));
    if bytes.is_empty() || !fits(0, 20..=23) || !fits(1, 3..=3) || !fits(2, 0..=4) || !fits(3, 0..=0x48) {
        Sniff::No
    } else if bytes.len() < RECORD_HEADER_LEN {
        Sniff::More
    } else if bytes[3..5] == [0, 0] {
        Sniff::No
    } else {
        Sniff::Yes
    }
}

/// Collects one direction's hello from its records.
#[derive(Debug, Default)]
pub(crate) struct HelloReader {
    /// The header of the record at hand, as far as it came.
    header: Vec<u8>,
    /// Bytes of the record at hand that are still to come.
    left: usize,
    message: Vec<u8>,
    /// Bytes taken so far, headers included.
    taken: usize,
    done: bool,
}

impl HelloReader {
    /// Takes the next bytes; reads the hello into `tls` once it is whole.
    pub fn push(&mut self, mut bytes: &[u8], tls: &mut Tls) {
        while !self.done && !bytes.is_empty() {
            let wanted = if self.left > 0 { self.left } else { RECORD_HEADER_LEN - self.header.len() };
            let (taken, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            self.taken += taken.len();
            if self.left > 0 {
                self.left -= taken.len();
                self.message.extend_from_slice(taken);
                self.read_message(tls);
            } else {
                self.header.extend_from_slice(taken);
                self.read_header();
            }
            if self.taken >= MAX_HELLO {
                self.finish();
            }
        }
    }

    fn read_header(&mut self) {
        if self.header[0] != HANDSHAKE {
            self.finish();
        } else if let [_, _, _, high, low] = self.header[..] {
            self.left = usize::from(u16::from_be_bytes([high, low]));
            self.header.clear();
        }
    }

    fn read_message(&mut self, tls: &mut Tls) {
        let Some(&[kind, high, middle, low]) = self.message.first_chunk() else { return };
        let len = 4 + u32::from_be_bytes([0, high, middle, low]) as usize;
        if !matches!(kind, 1 | 2) {
            self.finish();
        } else if self.message.len() >= len {
            tls.read(&self.message[..len]);
            self.finish();
        }
    }

    /// Stops: the hello was read, or cannot be.
    pub fn finish(&mut self) {
        *self = Self { done: true, ..Self::default() };
    }
}
