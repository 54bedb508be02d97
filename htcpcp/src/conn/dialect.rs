//! Heads of HTCPCP to heads of HTTP and back, and where the answers that hyper writes end. Bytes come in, bytes go
//! out; who reads and writes them is left to [`super::server`] and [`super::client`].
//!
//! Only what has to be known is read: the first line, and the fields that frame a body. Everything else about a head
//! is hyper's to judge, so a line is read here in the one way in which hyper accepts it, or not at all.

use std::ops::Range;

use bytes::BytesMut;
use http::HeaderMap;
use memchr::memchr;

use super::{Dialect, Fault};
use crate::{Command, Method, Protocol, RequestLine, StatusLine};

/// A request's head, as far as it has to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    /// In bytes, with the blank line.
    pub(super) len: usize,
    pub(super) dialect: Dialect,
    pub(super) target: Range<usize>,
    pub(super) body: Body,
    /// Whether the answer has no body, whatever its fields say: HEAD.
    pub(super) is_bodyless: bool,
    has_ordinary_path: bool,
    protocol: Protocol,
    /// Where the protocol's name stands.
    protocol_range: Range<usize>,
    blank_line: Range<usize>,
}

/// How long a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Sized(u64),
    /// The head does not say, and a command may follow all the same. Source: lab dialect.
    Command,
    /// As a Transfer-Encoding says. Only hyper knows where such a body ends.
    Encoded,
    /// The head contradicts itself; hyper refuses it.
    Unclear,
}

impl RequestHead {
    /// The head at the beginning of `input`, which has no empty lines before it.
    ///
    /// Errors: the fault as soon as it is certain.
    pub(super) fn parse(input: &[u8], limit: usize) -> Result<Option<RequestHead>, Fault> {
        let unfinished = || if input.len() < limit { Ok(None) } else { Err(Fault::HeadTooLarge) };
        let Some(line_len) = memchr(b'\n', input) else {
            return if may_become_line(input) { unfinished() } else { Err(Fault::RequestLine) };
        };
        let line = without_cr(&input[..line_len]);
        let parts = read_request_line(line).ok_or(Fault::RequestLine)?;

        let mut fields = Framing::default();
        let mut at = line_len + 1;
        let blank_line = loop {
            let Some(len) = memchr(b'\n', &input[at..]) else {
                return unfinished();
            };
            let (field, next) = (without_cr(&input[at..at + len]), at + len + 1);
            if field.is_empty() {
                break at..next;
            }
            fields.read(field);
            at = next;
        };
        let len = blank_line.end;
        if len > limit {
            return Err(Fault::HeadTooLarge);
        }

        let dialect = Dialect::of(parts.method, parts.target, parts.version.bytes);
        let protocol = parts.version.protocol;
        let protocol_start = line.len() - parts.version.bytes.len();
        let target_start = parts.method.len() + 1;
        Ok(Some(RequestHead {
            len,
            dialect,
            target: target_start..target_start + parts.target.len(),
            body: fields.body(may_have_command(&parts, dialect)),
            is_bodyless: parts.method == b"HEAD",
            has_ordinary_path: is_ordinary_path(parts.target),
            protocol,
            protocol_range: protocol_start..protocol_start + protocol.as_str().len(),
            blank_line,
        }))
    }

    /// Whether hyper can read the head as it stands.
    pub(super) fn is_ordinary(&self) -> bool {
        self.has_ordinary_path && self.protocol == Protocol::Http
    }

    /// Appends the head to `http` as hyper reads it, with `added` field lines at its end.
    pub(super) fn translate(&self, input: &[u8], added: &[u8], http: &mut BytesMut) {
        let target = if self.has_ordinary_path { &input[self.target.clone()] } else { b"/" };
        http.reserve(self.len + added.len());
        http.extend_from_slice(&input[..self.target.start]);
        http.extend_from_slice(target);
        http.extend_from_slice(&input[self.target.end..self.protocol_range.start]);
        http.extend_from_slice(Protocol::Http.as_str().as_bytes());
        http.extend_from_slice(&input[self.protocol_range.end..self.blank_line.start]);
        http.extend_from_slice(added);
        http.extend_from_slice(&input[self.blank_line.clone()]);
    }
}

/// The head that stands for a request that could not be read. hyper closes after its answer.
pub(super) const FAULTY: &[u8] = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n";

/// The field that makes hyper close after the answer.
pub(super) const CLOSE: &[u8] = b"Connection: close\r\n";

/// What follows a head that does not say how long its body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// A command, which stands in this range, without its line end.
    Command(Range<usize>),
    /// What may become one.
    Unsettled,
    /// Another request.
    Other,
}

impl Follows {
    pub(super) fn of(rest: &[u8]) -> Follows {
        match Command::match_start(rest) {
            Some((_, len)) => Follows::Command(0..rest[..len].trim_ascii_end().len()),
            None if Command::is_prefix(rest) => Follows::Unsettled,
            None => Follows::Other,
        }
    }
}

/// The length in bytes of the empty lines at the beginning of `input`, which are no part of a request.
///
/// Source: RFC 9112 §2.2.
pub(super) fn empty_lines_len(input: &[u8]) -> usize {
    let mut rest = input;
    while let [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] = rest {
        rest = after;
    }
    input.len() - rest.len()
}

impl Dialect {
    /// The dialect of a request line, of which target and version may be missing yet.
    fn of(method: &[u8], target: &[u8], version: &[u8]) -> Dialect {
        if version.starts_with(b"HTCPCP") {
            return Dialect::Htcpcp;
        }
        let is_http = match target {
            [] => !Method::from_bytes(method).is_some_and(Method::is_coffee_only),
            [b'/', ..] | b"*" => true,
            _ => has_http_scheme(target) || method == b"CONNECT",
        };
        if is_http { Dialect::Http } else { Dialect::Htcpcp }
    }

    /// The dialect that the beginning of a head lets expect, and the range of its target as far as there is one.
    pub(super) fn guess(input: &[u8]) -> (Dialect, Range<usize>) {
        let line = without_cr(&input[..memchr(b'\n', input).unwrap_or(input.len())]);
        let (method, rest) = cut_at_space(line);
        let (target, version) = cut_at_space(rest);
        let start = line.len() - rest.len();
        (Dialect::of(method, target, version), start..start + target.len())
    }
}

fn cut_at_space(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b' ', bytes) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, b""),
    }
}

fn has_http_scheme(target: &[u8]) -> bool {
    let begins_with = |prefix: &[u8]| target.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    begins_with(b"http://") || begins_with(b"https://")
}

/// Bytes that could only be another protocol, TLS for example, are told at once and not after a timeout.
fn may_become_line(bytes: &[u8]) -> bool {
    !without_cr(bytes).iter().any(u8::is_ascii_control)
}

/// The parts of a line that hyper would accept if it knew the target and the protocol; otherwise nothing.
fn read_request_line(line: &[u8]) -> Option<RequestLine<'_>> {
    let (parts, oddities) = RequestLine::parse(line).ok()?;
    let is_known = parts.version.major == 1 && parts.version.minor <= 1;
    (is_known && !oddities.extra_space && !oddities.space_in_target && !oddities.control).then_some(parts)
}

/// Whether `http::Uri` keeps the target whole: a path of the characters of RFC 3986.
fn is_ordinary_path(target: &[u8]) -> bool {
    target.first() == Some(&b'/') && target.iter().all(|byte| is_path_byte(*byte))
}

/// Source: RFC 3986 §3.3, `pchar`, and the slash and the question mark of §3.4.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/?".contains(&byte)
}

/// Whether a command may follow a head that names no length: after a BREW, which no HTTP client sends, and after a
/// POST of a client that is no HTTP/1.1 client either.
fn may_have_command(line: &RequestLine<'_>, dialect: Dialect) -> bool {
    match Method::from_bytes(line.method) {
        Some(Method::Brew) => true,
        Some(Method::Post) => dialect == Dialect::Htcpcp || line.version.minor == 0,
        _ => false,
    }
}

/// The fields of a head that tell how long the body is.
///
/// Source: RFC 9112 §6.3.
#[derive(Debug, Default)]
struct Framing {
    length: Option<u64>,
    is_encoded: bool,
    is_unclear: bool,
}

impl Framing {
    fn read(&mut self, field: &[u8]) {
        if let Some(value) = value_of(field, b"content-length") {
            match (parse_length(value), self.length) {
                (Some(length), None) => self.length = Some(length),
                (Some(length), Some(before)) if length == before => {}
                _ => self.is_unclear = true,
            }
        } else if value_of(field, b"transfer-encoding").is_some() {
            self.is_encoded = true;
        }
    }

    fn body(&self, may_have_command: bool) -> Body {
        match self.length {
            _ if self.is_encoded => Body::Encoded,
            _ if self.is_unclear => Body::Unclear,
            Some(length) => Body::Sized(length),
            None if may_have_command => Body::Command,
            None => Body::Sized(0),
        }
    }
}

/// The value of a field line whose name is `name`, given in lower case.
fn value_of<'a>(field: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (begin, rest) = field.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    begin.eq_ignore_ascii_case(name).then(|| trim_blanks(value))
}

fn trim_blanks(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Digits only: no sign, no list.
fn parse_length(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit).then_some(value)?;
    str::from_utf8(digits).ok()?.parse().ok()
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The head of an answer that hyper has written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AnswerHead {
    /// In bytes, with the blank line.
    pub(super) len: usize,
    /// Three digits.
    pub(super) status: u16,
    /// What hyper will write after it.
    pub(super) remaining: Remaining,
    /// Whether there is a Connection field.
    pub(super) names_connection: bool,
}

impl AnswerHead {
    /// The head at the beginning of `output`, all of which is there because hyper writes whole heads.
    ///
    /// `is_bodyless`: as [`RequestHead`] says it. `None`: it is no head.
    pub(super) fn parse(output: &[u8], is_bodyless: bool) -> Option<AnswerHead> {
        let line_len = memchr(b'\n', output)?;
        let status = str::from_utf8(output.get(9..12)?).ok()?.parse().ok()?;
        let mut fields = Framing::default();
        let mut names_connection = false;
        let mut at = line_len + 1;
        let len = loop {
            let line_len = memchr(b'\n', &output[at..])?;
            let field = without_cr(&output[at..at + line_len]);
            at += line_len + 1;
            if field.is_empty() {
                break at;
            }
            fields.read(field);
            names_connection |= value_of(field, b"connection").is_some();
        };
        let remaining = match status {
            101 => Remaining::Everything,
            100..=199 | 204 | 304 => Remaining::Nothing,
            _ if is_bodyless => Remaining::Nothing,
            _ if fields.is_encoded => Remaining::Chunks(Chunks::default()),
            _ => fields.length.map_or(Remaining::Everything, Remaining::of_len),
        };
        Some(AnswerHead { len, status, remaining, names_connection })
    }

    /// Whether the answer itself is still to come.
    ///
    /// Source: RFC 9110 §15.2.
    pub(super) fn is_interim(&self) -> bool {
        matches!(self.status, 100..=199) && self.status != 101
    }

    /// Appends the head to `wire` in `dialect`, with `added` field lines at its end.
    pub(super) fn translate(&self, output: &[u8], dialect: Dialect, added: &[u8], wire: &mut Vec<u8>) {
        const BLANK_LINE: &[u8] = b"\r\n";
        let fields_end = self.len - BLANK_LINE.len();
        wire.extend_from_slice(dialect.protocol().as_str().as_bytes());
        wire.extend_from_slice(&output[Protocol::Http.as_str().len()..fields_end]);
        wire.extend_from_slice(added);
        wire.extend_from_slice(BLANK_LINE);
    }
}

/// Appends `fields` to `lines`, with names in Title-Case as hyper writes them for us.
pub(super) fn write_fields(fields: &HeaderMap, lines: &mut Vec<u8>) {
    for (name, value) in fields {
        for (at, word) in name.as_str().split('-').enumerate() {
            let (first, rest) = word.split_at(word.len().min(1));
            lines.extend_from_slice(if at == 0 { b"" } else { b"-" });
            lines.extend_from_slice(first.to_ascii_uppercase().as_bytes());
            lines.extend_from_slice(rest.as_bytes());
        }
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value.as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
}

impl Dialect {
    const fn protocol(self) -> Protocol {
        match self {
            Dialect::Http => Protocol::Http,
            Dialect::Htcpcp => Protocol::Htcpcp,
        }
    }
}

/// What hyper has yet to write of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remaining {
    /// Nothing: a head comes next.
    Nothing,
    /// So many bytes, at least one.
    Bytes(u64),
    /// Chunks up to the last one and its trailers.
    Chunks(Chunks),
    /// Whatever comes until the connection closes.
    Everything,
}

impl Remaining {
    fn of_len(len: u64) -> Remaining {
        if len == 0 { Remaining::Nothing } else { Remaining::Bytes(len) }
    }

    /// Moves past as many of `bytes` as belong to the answer, and returns how many.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        match self {
            Remaining::Nothing => 0,
            Remaining::Bytes(left) => {
                let len = shorter(bytes, *left);
                *self = Remaining::of_len(*left - len as u64);
                len
            }
            Remaining::Chunks(chunks) => {
                let len = chunks.advance(bytes);
                if *chunks == Chunks::End {
                    *self = Remaining::Nothing;
                }
                len
            }
            Remaining::Everything => bytes.len(),
        }
    }
}

fn shorter(bytes: &[u8], limit: u64) -> usize {
    usize::try_from(limit).map_or(bytes.len(), |limit| bytes.len().min(limit))
}

/// Where in a chunked body that hyper writes, and so without a mistake.
///
/// Source: RFC 9112 §7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In the line of a size, of which so much is read.
    Size(u64),
    /// In a chunk: so many bytes of it and of the line end after it are to come.
    Data(u64),
    /// Behind the last chunk, in a trailer line of so many bytes.
    Trailer(usize),
    /// Behind everything.
    End,
}

impl Default for Chunks {
    fn default() -> Chunks {
        Chunks::Size(0)
    }
}

impl Chunks {
    const LINE_END_LEN: u64 = 2;

    fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() && *self != Chunks::End {
            let len = match self {
                Chunks::Data(left) => shorter(&bytes[at..], *left),
                _ => 1,
            };
            *self = self.after(&bytes[at..at + len]);
            at += len;
        }
        at
    }

    /// What comes after one byte of a line, or after some bytes of a chunk.
    fn after(self, bytes: &[u8]) -> Chunks {
        match (self, bytes) {
            (Chunks::Data(left), _) if left > bytes.len() as u64 => Chunks::Data(left - bytes.len() as u64),
            (Chunks::Data(_), _) => Chunks::Size(0),
            (Chunks::Size(0), b"\n") => Chunks::Trailer(0),
            (Chunks::Size(size), b"\n") => Chunks::Data(size + Chunks::LINE_END_LEN),
            (Chunks::Trailer(0), b"\n") => Chunks::End,
            (Chunks::Trailer(_), b"\n") => Chunks::Trailer(0),
            (_, b"\r") => self,
            (Chunks::Size(size), _) => Chunks::Size(size * 16 + hex_digit(bytes[0])),
            (Chunks::Trailer(len), _) => Chunks::Trailer(len + 1),
            (Chunks::End, _) => Chunks::End,
        }
    }
}

fn hex_digit(byte: u8) -> u64 {
    char::from(byte).to_digit(16).map_or(0, u64::from)
}

/// Appends the request head that hyper's client has written at the beginning of `output` to `wire`, with `target` in
/// the place of its own. Returns how many bytes of `output` that was: the request line up to its version.
pub(super) fn put_target(output: &[u8], target: &[u8], wire: &mut Vec<u8>) -> usize {
    let (method, rest) = cut_at_space(output);
    let (own_target, _) = cut_at_space(rest);
    wire.extend_from_slice(method);
    wire.extend_from_slice(b" ");
    wire.extend_from_slice(target);
    method.len() + 1 + own_target.len()
}

/// Whether `target` can stand in a request line.
pub(super) fn is_sendable(target: &[u8]) -> bool {
    !target.is_empty() && !target.iter().any(|byte| byte.is_ascii_control() || *byte == b' ')
}

/// The head of an answer that has come over the wire.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WireHead {
    /// In bytes, with the blank line.
    pub(super) len: usize,
    pub(super) dialect: Dialect,
    /// Whether the answer itself is still to come.
    pub(super) is_interim: bool,
    protocol_len: usize,
}

impl WireHead {
    /// The head at the beginning of `input`, which has no empty lines before it. `None`: not all of it is there.
    ///
    /// Errors: it does not begin with a status line.
    pub(super) fn parse(input: &[u8]) -> Result<Option<WireHead>, crate::NotAStartLine> {
        if crate::sniff_response(input) == crate::Sniff::No {
            return Err(crate::NotAStartLine);
        }
        let Some(line_len) = memchr(b'\n', input) else {
            return Ok(None);
        };
        let (line, _) = StatusLine::parse(without_cr(&input[..line_len]))?;
        let mut at = line_len + 1;
        loop {
            let Some(len) = memchr(b'\n', &input[at..]) else {
                return Ok(None);
            };
            let is_blank = without_cr(&input[at..at + len]).is_empty();
            at += len + 1;
            if is_blank {
                break;
            }
        }
        let dialect = if line.version.protocol == Protocol::Http { Dialect::Http } else { Dialect::Htcpcp };
        let protocol_len = line.version.protocol.as_str().len();
        Ok(Some(WireHead { len: at, dialect, is_interim: matches!(line.code, 100..=199) && line.code != 101, protocol_len }))
    }

    /// Appends the head to `http` as hyper reads it.
    pub(super) fn translate(&self, input: &[u8], http: &mut BytesMut) {
        http.extend_from_slice(Protocol::Http.as_str().as_bytes());
        http.extend_from_slice(&input[self.protocol_len..self.len]);
    }
}
