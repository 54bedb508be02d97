//! Heads of messages: bytes in, start line, header fields and what framing needs out.
//!
//! Reads leniently and says what was odd. Start lines are `htcpcp`'s; how long a body is, is the
//! [`parser`](super::parser)'s matter.
//! Source: RFC 9112 §2–§6.

use std::borrow::Cow;
use std::ops::Range;

use htcpcp::{Protocol, RequestLine, StatusLine};
use memchr::memchr;

use crate::finding::Kind;

/// Heads beyond this are not kept.
pub(super) const MAX_HEAD: usize = 64 << 10;

/// Which kind of message a direction carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The client's direction.
    Request,
    /// The server's.
    Response,
}

/// A set of oddities, by the finding that each becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Oddities(u32);

impl Oddities {
    const KINDS: [Kind; 12] = [
        Kind::BareLf,
        Kind::LeadingCrlf,
        Kind::OddSpace,
        Kind::MissingReason,
        Kind::ObsText,
        Kind::ObsFold,
        Kind::ControlByte,
        Kind::BadHeader,
        Kind::BadContentLength,
        Kind::LengthConflict,
        Kind::BadTransferEncoding,
        Kind::CutHead,
    ];

    /// Adds one; kinds that are no oddity of a message are ignored.
    pub fn add(&mut self, kind: Kind) {
        if let Some(bit) = Self::KINDS.iter().position(|&other| other == kind) {
            self.0 |= 1 << bit;
        }
    }

    /// Those that are there.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Self::KINDS.into_iter().enumerate().filter(move |(bit, _)| self.0 & 1 << bit != 0).map(|(_, kind)| kind)
    }
}

/// Text for a person: UTF-8, or else ISO 8859-1, as HTTP once meant it (RFC 9110 §5.5).
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into(),
    }
}

/// A name or value of a form: `+` is a space, and `%` begins the two digits of a byte.
fn form_decoded(bytes: &[u8]) -> String {
    let spaced: Vec<u8> = bytes.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    String::from_utf8_lossy(&percent_encoding::percent_decode(&spaced).collect::<Vec<u8>>()).into_owned()
}

/// Where the parts of the start line are.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Start {
    Request { method: Range<u32>, target: Range<u32> },
    Response { code: u16, reason: Range<u32> },
}

/// The head of a message: its start line and header fields, as captured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    raw: Box<[u8]>,
    start: Start,
    version: Range<u32>,
    protocol: Protocol,
    major_version: u8,
    fields: u32,
}

impl Head {
    /// Reads the head at the beginning of `bytes`; `None` if it is not there as a whole.
    pub fn parse(bytes: &[u8], role: Role) -> Option<Self> {
        Some(parse(bytes, role, Until::BlankLine)?.head)
    }

    /// Whether it is a request's.
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The method; empty for a response.
    pub fn method(&self) -> &[u8] {
        match &self.start {
            Start::Request { method, .. } => self.part(method),
            Start::Response { .. } => b"",
        }
    }

    /// The request target as sent; empty for a response.
    pub fn target(&self) -> &[u8] {
        match &self.start {
            Start::Request { target, .. } => self.part(target),
            Start::Response { .. } => b"",
        }
    }

    /// Names and values of the target's query, decoded (the form of HTML, WHATWG URL §5.1); none for a response.
    pub fn query(&self) -> Vec<(String, String)> {
        let target = self.target();
        let Some(question) = target.iter().position(|&byte| byte == b'?') else { return Vec::new() };
        let pairs = target[question + 1..].split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let equals = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
                (form_decoded(&pair[..equals]), form_decoded(pair.get(equals + 1..).unwrap_or_default()))
            })
            .collect()
    }

    /// The status code; `None` for a request.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { code, .. } => Some(code),
        }
    }

    /// The reason phrase; empty for a request, and where there is none.
    pub fn reason(&self) -> &[u8] {
        match &self.start {
            Start::Request { .. } => b"",
            Start::Response { reason, .. } => self.part(reason),
        }
    }

    /// The version as sent, such as `HTTP/1.1`.
    pub fn version(&self) -> &[u8] {
        self.part(&self.version)
    }

    /// The protocol that the version names.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The digit before the dot of the version.
    pub fn major_version(&self) -> u8 {
        self.major_version
    }

    /// The start line without its line end.
    pub fn start_line(&self) -> &[u8] {
        without_line_end(&self.raw[..self.fields as usize])
    }

    /// The start line as text for a person.
    pub fn start_line_text(&self) -> Cow<'_, str> {
        text(self.start_line())
    }

    /// The whole head as captured, blank line included.
    pub fn bytes(&self) -> &[u8] {
        &self.raw
    }

    /// Names and values of the header fields in order; lines that are none are left out.
    ///
    /// A folded field's lines are joined by a space (RFC 9112 §5.2).
    pub fn fields(&self) -> Vec<(&[u8], Cow<'_, [u8]>)> {
        let mut fields: Vec<(&[u8], Cow<'_, [u8]>)> = Vec::new();
        for line in Lines(&self.raw[self.fields as usize..]) {
            let line = without_line_end(line);
            match Field::parse(line) {
                Field::Folded(more) => {
                    if let Some((_, value)) = fields.last_mut() {
                        let value = value.to_mut();
                        value.push(b' ');
                        value.extend_from_slice(more);
                    }
                }
                Field::Named { name, value, .. } => fields.push((name, value.into())),
                Field::Bad | Field::End => {}
            }
        }
        fields
    }

    /// The value of the first field of that name, in any case.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        Lines(&self.raw[self.fields as usize..]).find_map(|line| match Field::parse(without_line_end(line)) {
            Field::Named { name: other, value, .. } if other.eq_ignore_ascii_case(name.as_bytes()) => Some(value),
            _ => None,
        })
    }

    fn part(&self, range: &Range<u32>) -> &[u8] {
        &self.raw[range.start as usize..range.end as usize]
    }
}

/// What a head says of the length of its body (RFC 9112 §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Lengths {
    pub content_length: ContentLength,
    pub transfer_encoding: TransferEncoding,
    /// A media type of the coffee pot's.
    pub coffee_content: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum ContentLength {
    #[default]
    Absent,
    Bytes(u64),
    Bad,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum TransferEncoding {
    #[default]
    Absent,
    Chunked,
    Other,
}

/// A head as read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub head: Head,
    pub lengths: Lengths,
    pub oddities: Oddities,
}

/// Length of the head at the beginning of `bytes`, blank line included, if all of it is there.
///
/// `from`: where to begin, at or before the last line end that was seen without a blank line after it.
pub(super) fn length(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(line_end) = memchr(b'\n', &bytes[at..]) {
        at += line_end + 1;
        match &bytes[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// Whether a whole head without any oddity is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Strict {
    /// It is, with at least one field.
    Head,
    /// It is not, nor does one begin before this place.
    No { resume: usize },
    /// No blank line follows, neither here nor behind.
    Unfinished,
}

/// Looks for a strictly formed head at the beginning of `bytes`, up to the first line that is not.
pub(super) fn strict(bytes: &[u8], role: Role) -> Strict {
    let Some(line) = Lines(bytes).next() else { return Strict::Unfinished };
    let start_line = without_line_end(line);
    let odd = match role {
        Role::Request => RequestLine::parse(start_line).map(|(_, odd)| odd),
        Role::Response => StatusLine::parse(start_line).map(|(_, odd)| odd),
    };
    if !odd.is_ok_and(|odd| !(odd.extra_space || odd.space_in_target || odd.missing_reason || odd.control)) {
        return Strict::No { resume: 1 };
    }
    let mut len = line.len();
    for line in Lines(&bytes[len..]) {
        let field = Field::parse(without_line_end(line));
        let plain = line.ends_with(b"\r\n") && line.is_ascii();
        match field {
            Field::Named { odd_space: false, .. } if plain => len += line.len(),
            Field::End if plain => {
                len += line.len();
                let parsed = parse(&bytes[..len], role, Until::BlankLine);
                let strict = parsed.is_some_and(|parsed| parsed.oddities == Oddities::default() && !parsed.head.fields().is_empty());
                return if strict { Strict::Head } else { Strict::No { resume: len } };
            }
            _ => return Strict::No { resume: len },
        }
    }
    Strict::Unfinished
}

/// Where a head ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    /// With the blank line.
    BlankLine,
    /// With the last whole line: the capture kept no more.
    LastLine,
}

/// Reads the head at the beginning of `bytes`, in one pass.
///
/// `None` if it does not begin with a start line of that role, or is not there as a whole.
pub(super) fn parse(bytes: &[u8], role: Role, until: Until) -> Option<Parsed> {
    let line = Lines(bytes).next()?;
    let fields = line.len() as u32;
    let start_line = without_line_end(line);
    let place = |part: &[u8]| {
        let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        // An empty part may point anywhere.
        if part.is_empty() { 0..0 } else { start as u32..(start + part.len()) as u32 }
    };
    let (start, version, odd) = match role {
        Role::Request => {
            let (line, odd) = RequestLine::parse(start_line).ok()?;
            (Start::Request { method: place(line.method), target: place(line.target) }, line.version, odd)
        }
        Role::Response => {
            let (line, odd) = StatusLine::parse(start_line).ok()?;
            (Start::Response { code: line.code, reason: place(line.reason) }, line.version, odd)
        }
    };
    let version_place = place(version.bytes);
    let mut oddities = Oddities::default();
    let (fields_len, blank_line, lengths) = read_fields(&bytes[line.len()..], &mut oddities);
    if until == Until::BlankLine && !blank_line {
        return None;
    }
    let bytes = &bytes[..line.len() + fields_len];
    for (there, kind) in [
        (odd.extra_space || odd.space_in_target, Kind::OddSpace),
        (odd.missing_reason, Kind::MissingReason),
        (odd.control, Kind::ControlByte),
        (!bytes.is_ascii(), Kind::ObsText),
        (!line.ends_with(b"\r\n"), Kind::BareLf),
    ] {
        if there {
            oddities.add(kind);
        }
    }
    let head = Head { raw: bytes.into(), start, version: version_place, protocol: version.protocol, major_version: version.major, fields };
    Some(Parsed { head, lengths, oddities })
}

/// Reads the fields up to the blank line: their length with it, whether it is there, and what they say.
fn read_fields(bytes: &[u8], oddities: &mut Oddities) -> (usize, bool, Lengths) {
    let mut lengths = Lengths::default();
    let mut len = 0;
    let mut blank_line = false;
    for line in Lines(bytes) {
        let content = without_line_end(line);
        len += line.len();
        if line.len() == content.len() + 1 {
            oddities.add(Kind::BareLf);
        }
        match Field::parse(content) {
            Field::End => {
                blank_line = true;
                break;
            }
            Field::Bad => oddities.add(Kind::BadHeader),
            Field::Folded(_) => oddities.add(Kind::ObsFold),
            Field::Named { name, value, odd_space } => {
                if odd_space {
                    oddities.add(Kind::OddSpace);
                }
                lengths.read(name, value, oddities);
            }
        }
    }
    if lengths.transfer_encoding != TransferEncoding::Absent && lengths.content_length != ContentLength::Absent {
        oddities.add(Kind::LengthConflict);
    }
    if lengths.transfer_encoding == TransferEncoding::Other {
        oddities.add(Kind::BadTransferEncoding);
    }
    (len, blank_line, lengths)
}

impl Lengths {
    /// Only three fields matter; their lengths tell most others apart at once.
    fn read(&mut self, name: &[u8], value: &[u8], oddities: &mut Oddities) {
        match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                self.content_length = self.content_length.and(value);
                if self.content_length == ContentLength::Bad {
                    oddities.add(Kind::BadContentLength);
                }
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                let last = value.rsplit(|&byte| byte == b',').next().unwrap_or_default().trim_ascii();
                let chunked = last.eq_ignore_ascii_case(b"chunked");
                self.transfer_encoding = if chunked { TransferEncoding::Chunked } else { TransferEncoding::Other };
            }
            12 if name.eq_ignore_ascii_case(b"content-type") => {
                self.coffee_content = htcpcp::is_coffee_content_type(value);
            }
            _ => {}
        }
    }
}

impl ContentLength {
    /// Several values count if they are the same (RFC 9110 §8.6).
    fn and(self, value: &[u8]) -> Self {
        value.split(|&byte| byte == b',').fold(self, |before, value| {
            let value = value.trim_ascii();
            let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let bytes = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
            match (before, bytes) {
                (Self::Absent, Some(bytes)) => Self::Bytes(bytes),
                (Self::Bytes(before), Some(bytes)) if before == bytes => Self::Bytes(bytes),
                _ => Self::Bad,
            }
        })
    }
}

/// A line of a head behind the start line.
enum Field<'a> {
    /// The blank line.
    End,
    Named {
        name: &'a [u8],
        value: &'a [u8],
        odd_space: bool,
    },
    Folded(&'a [u8]),
    Bad,
}

impl<'a> Field<'a> {
    fn parse(line: &'a [u8]) -> Self {
        let name_len = line.iter().position(|&byte| !TOKEN[usize::from(byte)]).unwrap_or(line.len());
        let (name, rest) = line.split_at(name_len);
        match (name, rest) {
            ([], []) => Self::End,
            ([_, ..], [b':', value @ ..]) => Self::Named { name, value: value.trim_ascii(), odd_space: false },
            ([], [b' ' | b'\t', more @ ..]) => Self::Folded(more.trim_ascii()),
            ([_, ..], rest) => match rest.trim_ascii_start() {
                [b':', value @ ..] => Self::Named { name, value: value.trim_ascii(), odd_space: true },
                _ => Self::Bad,
            },
            _ => Self::Bad,
        }
    }
}

/// A token's characters (RFC 9110 §5.6.2).
const TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let marks = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < 256 {
        token[at] = (at as u8).is_ascii_alphanumeric();
        at += 1;
    }
    let mut at = 0;
    while at < marks.len() {
        token[marks[at] as usize] = true;
        at += 1;
    }
    token
};

/// Lines with their line ends; an unfinished last line is left out.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (line, rest) = self.0.split_at(memchr(b'\n', self.0)? + 1);
        self.0 = rest;
        Some(line)
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    match line {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
        line => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], role: Role, lengths: Lengths, oddities: &[Kind]) -> Head {
        assert_eq!(length(bytes, 0), Some(bytes.len()));
        let parsed = parse(bytes, role, Until::BlankLine).expect("a head");
        assert_eq!(parsed.lengths, lengths, "{}", String::from_utf8_lossy(bytes));
        assert_eq!(parsed.oddities.iter().collect::<Vec<_>>(), oddities, "{}", String::from_utf8_lossy(bytes));
        parsed.head
    }

    fn bytes(count: u64) -> Lengths {
        Lengths { content_length: ContentLength::Bytes(count), ..Lengths::default() }
    }

    #[test]
    fn a_plain_request_is_read() {
        let head = check(b"GET /?a=b HTTP/1.1\r\nHost: x\r\nAccept: a,\r\n\r\n", Role::Request, Lengths::default(), &[]);
        assert_eq!((head.method(), head.target(), head.version()), (&b"GET"[..], &b"/?a=b"[..], &b"HTTP/1.1"[..]));
        assert_eq!(head.start_line(), b"GET /?a=b HTTP/1.1");
        assert_eq!(head.field("host"), Some(&b"x"[..]));
        assert_eq!(head.fields().len(), 2);
    }

    #[test]
    fn a_status_line_of_the_pot_is_read() {
        let head = check(b"HTCPCP/1.1 418 I'm a teapot\r\n\r\n", Role::Response, Lengths::default(), &[]);
        assert_eq!((head.status(), head.reason()), (Some(418), &b"I'm a teapot"[..]));
    }

    #[test]
    fn lengths_follow_rfc_9112() {
        let response = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").into_bytes();
        let bad = Lengths { content_length: ContentLength::Bad, ..Lengths::default() };
        let chunked = Lengths { transfer_encoding: TransferEncoding::Chunked, ..Lengths::default() };
        check(&response("content-length: 12"), Role::Response, bytes(12), &[]);
        check(&response("Content-Length: 5, 5"), Role::Response, bytes(5), &[]);
        check(&response("Content-Length: 5\r\nContent-Length: 5"), Role::Response, bytes(5), &[]);
        check(&response("Content-Length: 5\r\nContent-Length: 6"), Role::Response, bad, &[Kind::BadContentLength]);
        check(&response("Content-Length: -1"), Role::Response, bad, &[Kind::BadContentLength]);
        check(&response("Content-Length:"), Role::Response, bad, &[Kind::BadContentLength]);
        check(&response("Content-Length: 99999999999999999999"), Role::Response, bad, &[Kind::BadContentLength]);
        check(&response("Transfer-Encoding: gzip, Chunked"), Role::Response, chunked, &[]);
        let other = Lengths { transfer_encoding: TransferEncoding::Other, ..Lengths::default() };
        check(&response("Transfer-Encoding: gzip"), Role::Response, other, &[Kind::BadTransferEncoding]);
        let both = Lengths { content_length: ContentLength::Bytes(3), ..chunked };
        check(&response("Content-Length: 3\r\nTransfer-Encoding: chunked"), Role::Response, both, &[Kind::LengthConflict]);
    }

    #[test]
    fn odd_heads_are_read_and_said() {
        let none = Lengths::default();
        check(b"GET / HTTP/1.1\nHost: x\n\n", Role::Request, none, &[Kind::BareLf]);
        check(b"GET  / HTTP/1.1\r\n\r\n", Role::Request, none, &[Kind::OddSpace]);
        check(b"HTTP/1.1 200\r\n\r\n", Role::Response, none, &[Kind::MissingReason]);
        check(b"HTTP/1.1 200 caf\xe9\r\n\r\n", Role::Response, none, &[Kind::ObsText]);
        check(b"GET / HTTP/1.1\r\nnonsense\r\n\r\n", Role::Request, none, &[Kind::BadHeader]);
        check(b"GET / HTTP/1.1\r\nContent-Length : 4\r\n\r\n", Role::Request, bytes(4), &[Kind::OddSpace]);
        let head = check(b"GET / HTTP/1.1\r\nA: 1\r\n  2\r\nB: 3\r\n\r\n", Role::Request, none, &[Kind::ObsFold]);
        let fields = head.fields();
        assert_eq!(fields[0], (&b"A"[..], Cow::from(&b"1 2"[..])));
        assert_eq!(fields[1], (&b"B"[..], Cow::from(&b"3"[..])));
    }

    #[test]
    fn what_is_no_start_line_is_refused() {
        let parse = |bytes, role| parse(bytes, role, Until::BlankLine);
        assert!(parse(b"220 mail ESMTP\r\n\r\n", Role::Request).is_none());
        assert!(parse(b"GET / HTTP/1.1\r\n\r\n", Role::Response).is_none());
        assert!(parse(b"", Role::Request).is_none());
    }
}
