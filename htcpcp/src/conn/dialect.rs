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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutation;

    const LIMIT: usize = 8 * 1024;

    /// `expected`: the dialect, the target, the body and the head as hyper is given it; or the fault.
    #[track_caller]
    fn check(head: impl AsRef<[u8]>, expected: &str) {
        let head = head.as_ref();
        let rest = [head, b"start GET / HTTP/1.1\r\n\r\n"].concat();
        let shown = match RequestHead::parse(&rest, LIMIT) {
            Ok(Some(found)) => {
                assert_eq!(found.len, head.len(), "{}", head.escape_ascii());
                let mut http = BytesMut::new();
                found.translate(&rest, b"", &mut http);
                assert!(!found.is_ordinary() || http == head);
                format!("{:?} {} {:?} {}", found.dialect, rest[found.target].escape_ascii(), found.body, http.escape_ascii())
            }
            Ok(None) => "more".to_owned(),
            Err(fault) => format!("{fault:?}"),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn request_heads_become_http() {
        check("GET /pot-1 HTTP/1.1\r\n\r\n", r"Http /pot-1 Sized(0) GET /pot-1 HTTP/1.1\r\n\r\n");
        check("GET /pot-1 HTTP/1.0\n\n", r"Http /pot-1 Sized(0) GET /pot-1 HTTP/1.0\n\n");
        check("GET /pot-1 HTCPCP/1.1\r\n\r\n", r"Htcpcp /pot-1 Sized(0) GET /pot-1 HTTP/1.1\r\n\r\n");
        check("GET / HTCPCP-TEA/1.0\nA: b\n\n", r"Htcpcp / Sized(0) GET / HTTP/1.0\nA: b\n\n");
        check("GET coffee://ducky HTTP/1.1\r\nA: b\r\n\r\n", r"Htcpcp coffee://ducky Sized(0) GET / HTTP/1.1\r\nA: b\r\n\r\n");
        check("WHEN pot-1 HTCPCP/1.0\r\n\n", r"Htcpcp pot-1 Sized(0) WHEN / HTTP/1.0\r\n\n");
        check(b"GET caf\xc3\xe8: HTTP/1.1\r\n\r\n", r"Htcpcp caf\xc3\xe8: Sized(0) GET / HTTP/1.1\r\n\r\n");
        check("GET /a#b HTTP/1.1\r\n\r\n", r"Http /a#b Sized(0) GET / HTTP/1.1\r\n\r\n");
        check("OPTIONS * HTTP/1.1\r\n\r\n", r"Http * Sized(0) OPTIONS / HTTP/1.1\r\n\r\n");
        check("CONNECT a:1 HTTP/1.1\r\n\r\n", r"Http a:1 Sized(0) CONNECT / HTTP/1.1\r\n\r\n");
        check("HTTP/1.1 HTTP/1.1 HTTP/1.1\r\n\r\n", "RequestLine");
        check("G HTTP/1.1 HTTP/1.1\r\n\r\n", r"Htcpcp HTTP/1.1 Sized(0) G / HTTP/1.1\r\n\r\n");
    }

    #[test]
    fn fields_tell_how_long_the_body_is() {
        let sized = |fields: &str, body: &str| {
            let head = format!("GET / HTTP/1.1\r\n{fields}\r\n");
            check(&head, &format!("Http / {body} {}", head.as_bytes().escape_ascii()));
        };
        sized("Content-Length: 5\r\n", "Sized(5)");
        sized("content-length:5 \t\n", "Sized(5)");
        sized("CONTENT-LENGTH: 05\r\nContent-Length: 5\r\n", "Sized(5)");
        sized("Content-Length: 18446744073709551615\r\n", "Sized(18446744073709551615)");
        for value in ["", "+5", "-5", "5 5", "5,5", "5, 5", "0x5", "5.", "18446744073709551616", "five"] {
            sized(&format!("Content-Length: {value}\r\n"), "Unclear");
        }
        sized("Content-Length: 5\r\nContent-Length: 6\r\n", "Unclear");
        sized("Transfer-Encoding: chunked\r\n", "Encoded");
        sized("transfer-encoding:\r\nContent-Length: 5\r\n", "Encoded");
        sized("Content-Length: x\r\nTransfer-Encoding: gzip\r\n", "Encoded");
        for other in
            ["Content-Length : 5", " Content-Length: 5", "Content-Lengt: 5", "Content-Lengths: 5", "X-Content-Length: 5", "Content-Length"]
        {
            sized(&format!("{other}\r\n"), "Sized(0)");
        }
    }

    #[test]
    fn commands_may_follow_some_heads() {
        let body = |line: &str, expected: Body| {
            let head = RequestHead::parse(format!("{line}\r\n\r\n").as_bytes(), LIMIT);
            assert_eq!(head.map(|head| head.map(|head| head.body)), Ok(Some(expected)), "{line}");
        };
        for line in ["BREW coffee: HTTP/1.1", "BREW / HTTP/1.1", "POST coffee: HTTP/1.1", "POST / HTCPCP/1.1", "POST / HTTP/1.0"] {
            body(line, Body::Command);
            body(&format!("{line}\r\nContent-Length: 0"), Body::Sized(0));
            body(&format!("{line}\r\nTransfer-Encoding: chunked"), Body::Encoded);
        }
        for line in ["POST / HTTP/1.1", "GET coffee: HTTP/1.1", "WHEN coffee: HTTP/1.0", "PROPFIND / HTCPCP/1.0", "brew coffee: HTTP/1.1"] {
            body(line, Body::Sized(0));
        }
        assert_eq!(Follows::of(b""), Follows::Unsettled);
        assert_eq!(Follows::of(b"sto"), Follows::Unsettled);
        assert_eq!(Follows::of(b"stop\r\nGET"), Follows::Command(0..4));
        assert_eq!(Follows::of(b"stow"), Follows::Other);
    }

    #[test]
    fn every_prefix_of_a_head_asks_for_more() {
        let head = b"BREW coffee://ducky HTCPCP/1.1\r\nContent-Length: 5\r\nA:\r\n\r\n";
        for len in 0..head.len() {
            assert_eq!(RequestHead::parse(&head[..len], LIMIT), Ok(None), "{len}");
            assert_eq!(RequestHead::parse(&head[..len], len), Err(Fault::HeadTooLarge), "{len}");
        }
        assert!(matches!(RequestHead::parse(head, head.len()), Ok(Some(_))));
        assert_eq!(RequestHead::parse(head, head.len() - 1), Err(Fault::HeadTooLarge));
    }

    #[test]
    fn faults_are_told_at_the_first_byte_or_line_that_is_one() {
        for (bytes, telling) in
            [("\x16\x03", 1), ("GET \x01", 5), ("GET / HTTP/1.1\rA", 16), ("GET /\n", 6), ("GET  / HTTP/1.1\n", 16), ("G\tA", 2)]
        {
            assert_eq!(RequestHead::parse(&bytes.as_bytes()[..telling - 1], LIMIT), Ok(None), "{bytes:?}");
            assert_eq!(RequestHead::parse(&bytes.as_bytes()[..telling], LIMIT), Err(Fault::RequestLine), "{bytes:?}");
        }
    }

    #[test]
    fn the_dialect_is_guessed_from_what_is_there() {
        for (bytes, dialect, target) in [
            ("", Dialect::Http, ""),
            ("GET", Dialect::Http, ""),
            ("BREW", Dialect::Htcpcp, ""),
            ("WHEN ", Dialect::Htcpcp, ""),
            ("BREW /", Dialect::Http, "/"),
            ("BREW / HTCPCP", Dialect::Htcpcp, "/"),
            ("GET coff", Dialect::Htcpcp, "coff"),
            ("GET http://", Dialect::Http, "http://"),
            ("GET * x\r\ncoffee:", Dialect::Http, "*"),
        ] {
            let (guessed, range) = Dialect::guess(bytes.as_bytes());
            assert_eq!((guessed, &bytes[range]), (dialect, target), "{bytes:?}");
        }
    }

    #[test]
    fn damaged_heads_do_not_panic_and_are_read_as_hyper_reads_them_or_not_at_all() {
        mutation::each(b"BREW coffee://ducky HTCPCP/1.1\r\nContent-Length: 5\r\n\r\nstart", |bytes| {
            let bytes = &bytes[empty_lines_len(bytes)..];
            Dialect::guess(bytes);
            if let Ok(Some(head)) = RequestHead::parse(bytes, LIMIT) {
                let mut http = BytesMut::new();
                head.translate(bytes, CLOSE, &mut http);
                let line_len = memchr(b'\n', &http).expect("there is a line");
                assert!(read_request_line(without_cr(&http[..line_len])).is_some(), "{}", http.escape_ascii());
            }
        });
    }

    /// `head` is followed by `body`, of which so much belongs to the answer as `expected` says, and by another head.
    #[track_caller]
    fn check_answer(head: &str, is_bodyless: bool, body: &[u8], expected: usize) {
        const NEXT: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
        let output = [head.as_bytes(), body, NEXT].concat();
        let found = AnswerHead::parse(&output, is_bodyless).expect("it is a head");
        assert_eq!(found.len, head.len());
        let rest = &output[head.len()..];
        for piece_len in [1, 2, 7, rest.len()] {
            let mut remaining = found.remaining;
            let mut len = 0;
            for piece in rest.chunks(piece_len) {
                let advanced = remaining.advance(piece);
                len += advanced;
                if advanced < piece.len() {
                    assert_eq!(remaining, Remaining::Nothing);
                    break;
                }
            }
            assert_eq!(len, expected, "{head:?} in pieces of {piece_len}");
        }
    }

    #[test]
    fn answers_end_where_hyper_ends_them() {
        let sized = "HTTP/1.1 200 OK\r\nServer: CoffeePot\r\nContent-Length: 21\r\n\r\n";
        check_answer(sized, false, b"HTTP/1.1 404 no\r\n\r\nab", 21);
        check_answer(sized, true, b"", 0);
        check_answer("HTTP/1.1 406 no\r\nContent-Length: 0\r\n\r\n", false, b"", 0);
        check_answer("HTTP/1.1 204 No Content\r\n\r\n", false, b"", 0);
        check_answer("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, b"", 0);
        check_answer("HTTP/1.1 100 Continue\r\n\r\n", false, b"", 0);
        check_answer("HTTP/1.0 200 OK\r\n\r\n", false, b"ab", 2 + 19);
        check_answer("HTTP/1.1 101 Switching Protocols\r\n\r\n", false, b"ab", 2 + 19);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        check_answer(chunked, true, b"", 0);
        check_answer(chunked, false, b"0\r\n\r\n", 5);
        check_answer(chunked, false, b"1\r\na\r\n0\r\n\r\n", 11);
        check_answer(chunked, false, b"A\r\n0\r\n\r\nHTTP/\r\n1b\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n123\r\n0\r\nA: b\r\nCd: e\r\n\r\n", 66);
    }

    #[test]
    fn answer_heads_change_their_protocol_and_nothing_else() {
        let output = b"HTTP/1.1 418 I'm a teapot\r\nServer: HTTP\r\nconnection: close\r\n\r\nHTTP";
        let head = AnswerHead::parse(output, false).expect("it is a head");
        assert_eq!((head.status, head.names_connection, head.is_interim()), (418, true, false));
        let mut wire = Vec::new();
        head.translate(output, Dialect::Htcpcp, b"A: b\r\n", &mut wire);
        head.translate(output, Dialect::Http, b"", &mut wire);
        let expected = "HTCPCP/1.1 418 I'm a teapot\r\nServer: HTTP\r\nconnection: close\r\nA: b\r\n\r\n\
            HTTP/1.1 418 I'm a teapot\r\nServer: HTTP\r\nconnection: close\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&wire), expected);
        assert!(AnswerHead::parse(b"HTTP/1.1 100 Continue\r\n\r\n", false).is_some_and(|head| head.is_interim()));
        assert_eq!(AnswerHead::parse(b"HTTP/1.1 200 OK\r\n", false), None);
    }
}
