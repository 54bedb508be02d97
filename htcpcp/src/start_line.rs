//! Request lines and status lines: a line without its end comes in, its parts and what is odd about them go out.
//! Before there is a whole line, the sniffers tell whether a stream may begin with one.
//!
//! The reading is lenient, because captures hold what was sent and not what should have been; every leniency that
//! was needed is said in [`Oddities`]. Finding line ends, and skipping empty lines before a message, is left to
//! the caller; so is judging the method and the target.

use std::fmt;

/// The first line of a request.
///
/// Shape: slices of the line; neither method nor target is empty.
/// Source: RFC 9112 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// A token, not necessarily a [`crate::Method`].
    pub method: &'a [u8],
    /// Everything between method and version, even if it holds spaces.
    pub target: &'a [u8],
    /// The last token of the line.
    pub version: Version<'a>,
}

impl<'a> RequestLine<'a> {
    /// Reads a request line whose line end has been removed.
    ///
    /// Errors: [`NotAStartLine`] if the method is not a token, the target is missing, or the last token is not a
    /// version.
    pub fn parse(line: &'a [u8]) -> Result<(Self, Oddities), NotAStartLine> {
        let (method, first_gap, rest) = cut_token(line);
        let (before, version, after) = cut_last_token(rest);
        let target = trim_blanks_end(before);
        let version = Version::parse(version).ok_or(NotAStartLine)?;
        if !is_token(method) || target.is_empty() {
            return Err(NotAStartLine);
        }
        let second_gap = &before[target.len()..];
        let oddities = Oddities {
            extra_space: first_gap != b" " || second_gap != b" " || !after.is_empty(),
            space_in_target: target.iter().any(|byte| is_blank(*byte)),
            ..Oddities::of_text(target)
        };
        let line = RequestLine { method, target, version };
        Ok((line, oddities))
    }
}

/// The first line of a response.
///
/// Shape: slices of the line; the reason may be empty.
/// Source: RFC 9112 §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusLine<'a> {
    /// `HTCPCP/1.1` from the lab's pot.
    pub version: Version<'a>,
    /// 100 to 999.
    pub code: u16,
    /// The reason phrase, without surrounding blanks.
    pub reason: &'a [u8],
}

impl<'a> StatusLine<'a> {
    /// Reads a status line whose line end has been removed.
    ///
    /// Errors: [`NotAStartLine`] if it does not begin with a version and a code of three digits from 100.
    pub fn parse(line: &'a [u8]) -> Result<(Self, Oddities), NotAStartLine> {
        let (version, version_gap, rest) = cut_token(line);
        let (code, code_gap, reason_and_blanks) = cut_token(rest);
        let reason = trim_blanks_end(reason_and_blanks);
        let line =
            StatusLine { version: Version::parse(version).ok_or(NotAStartLine)?, code: status_code(code).ok_or(NotAStartLine)?, reason };
        let oddities = Oddities {
            extra_space: version_gap != b" " || !matches!(code_gap, b"" | b" ") || reason.len() != reason_and_blanks.len(),
            missing_reason: reason.is_empty(),
            ..Oddities::of_text(reason)
        };
        Ok((line, oddities))
    }
}

/// What had to be overlooked to read a start line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Between the parts stands something other than one space, or blanks follow the last one.
    pub extra_space: bool,
    /// The target holds a space or a tab.
    pub space_in_target: bool,
    /// There is no reason phrase, with or without the space that belongs before it.
    pub missing_reason: bool,
    /// The target or the reason holds bytes above 0x7F.
    pub obs_text: bool,
    /// The target or the reason holds control bytes, such as a lone CR.
    pub control: bool,
}

impl Oddities {
    fn of_text(text: &[u8]) -> Oddities {
        Oddities { obs_text: !text.is_ascii(), control: text.iter().any(|byte| is_control(*byte)), ..Oddities::default() }
    }

    /// Whether the line follows the grammar.
    pub fn is_empty(&self) -> bool {
        *self == Oddities::default()
    }

    /// What is odd, each in a few words.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + use<> {
        [
            (self.extra_space, "blanks other than one space around the parts"),
            (self.space_in_target, "blank in the request target"),
            (self.missing_reason, "no reason phrase"),
            (self.obs_text, "bytes that are not ASCII"),
            (self.control, "control bytes"),
        ]
        .into_iter()
        .filter_map(|(there, what)| there.then_some(what))
    }
}

/// The line is neither a request line nor a status line, whichever was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAStartLine;

impl fmt::Display for NotAStartLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the line is not a start line of HTTP or HTCPCP")
    }
}

impl std::error::Error for NotAStartLine {}

/// A version token: `HTTP/1.1`, `HTCPCP/1.0`.
///
/// Source: RFC 9112 §2.3, `HTTP-version`; the names of HTCPCP are the lab's and the wild's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version<'a> {
    /// What stands before the slash.
    pub protocol: Protocol,
    /// The digit before the dot.
    pub major: u8,
    /// The digit after the dot.
    pub minor: u8,
    /// The whole token; always ASCII.
    pub bytes: &'a [u8],
}

impl<'a> Version<'a> {
    /// The version that makes up all of `bytes`. Names are case-sensitive (RFC 9112 §2.3).
    pub fn parse(bytes: &'a [u8]) -> Option<Version<'a>> {
        let slash = bytes.iter().position(|byte| *byte == b'/')?;
        let (name, numbers) = bytes.split_at(slash);
        let [_, major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] = numbers else {
            return None;
        };
        Some(Version { protocol: Protocol::from_bytes(name)?, major: major - b'0', minor: minor - b'0', bytes })
    }
}

/// The protocol that a version names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `HTTP`: ordinary, and in the requests of the lab dialect.
    Http,
    /// `HTCPCP`: the status lines of the lab dialect, and the requests of some clients.
    Htcpcp,
    /// `HTCPCP-TEA`.
    HtcpcpTea,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Protocol; 3] = [Protocol::Http, Protocol::Htcpcp, Protocol::HtcpcpTea];

    /// The name before the slash of a version token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Protocol::Http => "HTTP",
            Protocol::Htcpcp => "HTCPCP",
            Protocol::HtcpcpTea => "HTCPCP-TEA",
        }
    }

    fn from_bytes(name: &[u8]) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|protocol| protocol.as_str().as_bytes() == name)
    }
}

/// Whether the first bytes of a stream begin a start line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sniff {
    /// They do.
    Yes,
    /// They do not, whatever follows.
    No,
    /// They may: ask again with more bytes.
    More,
}

/// The longest method that a sniffed request may have.
pub const MAX_METHOD_BYTES: usize = 32;

/// The longest start line that is sniffed, its line end included.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// Whether `bytes` begin with a request line. `Yes` once the line is there up to its LF and can be parsed.
///
/// Stricter than [`RequestLine::parse`], because nothing is known about the stream yet: the method has at most
/// [`MAX_METHOD_BYTES`], the line at most [`MAX_LINE_BYTES`], and control bytes mean that it is something else.
///
/// ```
/// use htcpcp::{Sniff, sniff_request};
///
/// assert_eq!(sniff_request(b"BREW coffee://ducky HTTP/1.1\r\n"), Sniff::Yes);
/// assert_eq!(sniff_request(b"BREW coff"), Sniff::More);
/// assert_eq!(sniff_request(b"\x16\x03\x01"), Sniff::No);
/// ```
pub fn sniff_request(bytes: &[u8]) -> Sniff {
    let method_len = bytes.iter().take(MAX_METHOD_BYTES + 1).take_while(|byte| is_token_byte(**byte)).count();
    if method_len > MAX_METHOD_BYTES {
        return Sniff::No;
    }
    match bytes.get(method_len) {
        None => Sniff::More,
        Some(blank) if method_len > 0 && is_blank(*blank) => sniff_line_end(bytes, method_len),
        Some(_) => Sniff::No,
    }
}

/// The verdict on `bytes` that hold a method and a blank, from their first control byte: a line end after a
/// request line, or a reason for `No`.
fn sniff_line_end(bytes: &[u8], method_len: usize) -> Sniff {
    let window = &bytes[..bytes.len().min(MAX_LINE_BYTES)];
    let unfinished = if window.len() < MAX_LINE_BYTES { Sniff::More } else { Sniff::No };
    let controls = window[method_len..].iter();
    let Some(len) = controls.copied().position(is_control) else {
        return unfinished;
    };
    let (line, end) = window.split_at(method_len + len);
    let verdict = match end {
        [b'\n', ..] | [b'\r', b'\n', ..] => Sniff::Yes,
        [b'\r'] => unfinished,
        _ => Sniff::No,
    };
    match RequestLine::parse(line) {
        Ok(_) => verdict,
        Err(NotAStartLine) => Sniff::No,
    }
}

/// Whether `bytes` begin with a status line. `Yes` once version and code are there and a blank, LF or CRLF follows
/// them; [`StatusLine::parse`] then reads the line, whatever its reason phrase turns out to be.
///
/// ```
/// use htcpcp::{Sniff, sniff_response};
///
/// assert_eq!(sniff_response(b"HTCPCP/1.1 418 I'm"), Sniff::Yes);
/// assert_eq!(sniff_response(b"H"), Sniff::More);
/// assert_eq!(sniff_response(b"{}"), Sniff::No);
/// ```
pub fn sniff_response(bytes: &[u8]) -> Sniff {
    match skip_version_and_code(bytes) {
        Ok(()) => Sniff::Yes,
        Err(verdict) => verdict,
    }
}

/// Errors: the verdict, if it is not `Yes`.
fn skip_version_and_code(bytes: &[u8]) -> Result<(), Sniff> {
    let numbers = skip_protocol(bytes)?;
    let code = skip(numbers, &[is_digit, |byte| byte == b'.', is_digit, is_blank])?;
    let blanks = code.iter().take_while(|byte| is_blank(**byte)).count();
    if bytes.len() - code.len() + blanks >= MAX_LINE_BYTES {
        return Err(Sniff::No);
    }
    let not_zero = |byte| matches!(byte, b'1'..=b'9');
    match skip(&code[blanks..], &[not_zero, is_digit, is_digit])? {
        [] | [b'\r'] => Err(Sniff::More),
        [b' ' | b'\t' | b'\n', ..] | [b'\r', b'\n', ..] => Ok(()),
        _ => Err(Sniff::No),
    }
}

/// What follows the protocol's name and slash.
fn skip_protocol(bytes: &[u8]) -> Result<&[u8], Sniff> {
    let mut verdict = Sniff::No;
    for protocol in Protocol::ALL {
        let name = protocol.as_str().as_bytes();
        match bytes.strip_prefix(name) {
            Some([b'/', rest @ ..]) => return Ok(rest),
            Some([]) => verdict = Sniff::More,
            None if name.starts_with(bytes) => verdict = Sniff::More,
            _ => {}
        }
    }
    Err(verdict)
}

/// What follows one byte of each class.
fn skip<'a>(mut bytes: &'a [u8], classes: &[fn(u8) -> bool]) -> Result<&'a [u8], Sniff> {
    for class in classes {
        bytes = match bytes {
            [] => return Err(Sniff::More),
            [byte, rest @ ..] if class(*byte) => rest,
            _ => return Err(Sniff::No),
        };
    }
    Ok(bytes)
}

/// The bytes before the first blanks, those blanks, and the rest.
fn cut_token(bytes: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let token_len = bytes.iter().take_while(|byte| !is_blank(**byte)).count();
    let (token, rest) = bytes.split_at(token_len);
    let gap_len = rest.iter().take_while(|byte| is_blank(**byte)).count();
    let (gap, rest) = rest.split_at(gap_len);
    (token, gap, rest)
}

/// What stands before the last token (blanks included), the token, and the blanks after it.
fn cut_last_token(bytes: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let end = trim_blanks_end(bytes).len();
    let start = bytes[..end].iter().rposition(|byte| is_blank(*byte)).map_or(0, |blank| blank + 1);
    (&bytes[..start], &bytes[start..end], &bytes[end..])
}

fn trim_blanks_end(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    &bytes[..len]
}

fn status_code(digits: &[u8]) -> Option<u16> {
    let [hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = digits else {
        return None;
    };
    let value = |digit: &u8| u16::from(digit - b'0');
    Some(value(hundreds) * 100 + value(tens) * 10 + value(ones))
}

fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

/// Source: RFC 9110 §5.6.2, `tchar`.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// A control byte other than the tab, which is a blank.
fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutation;

    const REQUESTS: [&str; 9] = [
        "BREW coffee://ducky HTTP/1.1",
        "POST coffee://ducky HTCPCP/1.0",
        "GET /pot-1 HTCPCP/1.1",
        "PROPFIND pot-1 HTTP/1.0",
        "WHEN * HTCPCP-TEA/1.0",
        "MILK / HTTP/1.1",
        "BREW \t coffee://ducky   HTTP/1.1 \t",
        "BREW /earl grey\tplease HTTP/1.1",
        "BREW コーヒー://ducky HTTP/1.1",
    ];

    const RESPONSES: [&str; 8] = [
        "HTCPCP/1.1 200 OK",
        "HTCPCP/1.0 418 I'm a teapot",
        "HTCPCP-TEA/1.0 300 Multiple Options",
        "HTTP/1.0 404 Not Found",
        "HTTP/1.1 406",
        "HTTP/1.1 406 ",
        "HTTP/1.1  \t999\tno",
        "HTTP/1.1 503 pas de café",
    ];

    /// `expected`: the parts between bars, then the oddities; or nothing if the line is no start line.
    #[track_caller]
    fn check(line: impl AsRef<[u8]>, expected: &str) {
        let line = line.as_ref();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let odd = |oddities: Oddities| oddities.iter().collect::<Vec<_>>().join(", ");
        let shown = match (RequestLine::parse(line), StatusLine::parse(line)) {
            (Ok((line, oddities)), Err(NotAStartLine)) => {
                format!("{}|{}|{}|{}", text(line.method), text(line.target), text(line.version.bytes), odd(oddities))
            }
            (Err(NotAStartLine), Ok((line, oddities))) => {
                format!("{}|{}|{}|{}", text(line.version.bytes), line.code, text(line.reason), odd(oddities))
            }
            (Err(NotAStartLine), Err(NotAStartLine)) => String::new(),
            both => panic!("no line is both: {both:?}"),
        };
        assert_eq!(shown, expected, "{}", line.escape_ascii());
    }

    const SPACE: &str = "blanks other than one space around the parts";

    #[test]
    fn request_lines_are_read() {
        check(REQUESTS[0], "BREW|coffee://ducky|HTTP/1.1|");
        check(REQUESTS[1], "POST|coffee://ducky|HTCPCP/1.0|");
        check(REQUESTS[2], "GET|/pot-1|HTCPCP/1.1|");
        check(REQUESTS[3], "PROPFIND|pot-1|HTTP/1.0|");
        check(REQUESTS[4], "WHEN|*|HTCPCP-TEA/1.0|");
        check(REQUESTS[5], "MILK|/|HTTP/1.1|");
    }

    #[test]
    fn odd_request_lines_are_read_and_say_so() {
        check(REQUESTS[6], &format!("BREW|coffee://ducky|HTTP/1.1|{SPACE}"));
        check("GET / HTTP/1.1 ", &format!("GET|/|HTTP/1.1|{SPACE}"));
        check("GET\t/ HTTP/1.1", &format!("GET|/|HTTP/1.1|{SPACE}"));
        check(REQUESTS[7], "BREW|/earl grey\tplease|HTTP/1.1|blank in the request target");
        check(REQUESTS[8], "BREW|コーヒー://ducky|HTTP/1.1|bytes that are not ASCII");
        check(b"GET /\xff HTTP/1.1", "GET|/\u{fffd}|HTTP/1.1|bytes that are not ASCII");
        check("GET /\r\0 HTTP/1.1", "GET|/\r\0|HTTP/1.1|control bytes");
        check("GET HTTP/1.1 HTTP/1.1", "GET|HTTP/1.1|HTTP/1.1|");
    }

    #[test]
    fn status_lines_are_read() {
        check(RESPONSES[0], "HTCPCP/1.1|200|OK|");
        check(RESPONSES[1], "HTCPCP/1.0|418|I'm a teapot|");
        check(RESPONSES[2], "HTCPCP-TEA/1.0|300|Multiple Options|");
        check(RESPONSES[3], "HTTP/1.0|404|Not Found|");
    }

    #[test]
    fn odd_status_lines_are_read_and_say_so() {
        check(RESPONSES[4], "HTTP/1.1|406||no reason phrase");
        check(RESPONSES[5], "HTTP/1.1|406||no reason phrase");
        check("HTTP/1.1 406  ", &format!("HTTP/1.1|406||{SPACE}, no reason phrase"));
        check(RESPONSES[6], &format!("HTTP/1.1|999|no|{SPACE}"));
        check("HTTP/1.1 200 OK ", &format!("HTTP/1.1|200|OK|{SPACE}"));
        check(RESPONSES[7], "HTTP/1.1|503|pas de café|bytes that are not ASCII");
        check("HTTP/1.1 200 O\rK", "HTTP/1.1|200|O\rK|control bytes");
    }

    #[test]
    fn other_lines_are_neither() {
        for line in [
            "",
            " ",
            "GET",
            "GET ",
            "GET /",
            "GET HTTP/1.1",
            "GET  HTTP/1.1",
            " GET / HTTP/1.1",
            "G@T / HTTP/1.1",
            "GÄT / HTTP/1.1",
            "GET / HTTP/1",
            "GET / HTTP/1.1.1",
            "GET / HTTP/11.1",
            "GET / http/1.1",
            "GET / HTCPCP-COFFEE/1.0",
            "OPTIONS sip:ducky SIP/2.0",
            "GET / /1.1",
            "HTTP/1.1",
            "HTTP/1.1 ",
            "HTTP/1.1 99",
            "HTTP/1.1 099 OK",
            "HTTP/1.1 1000",
            "HTTP/1.1 200OK",
            "HTTP/1.1 2x0",
            " HTTP/1.1 200",
            "HTTP/1.x 200",
            "ICY 200 OK",
            "220 ducky ESMTP",
            "SSH-2.0-ducky",
            "start",
        ] {
            check(line, "");
        }
    }

    #[test]
    fn versions_have_numbers() {
        let version = Version::parse(b"HTCPCP-TEA/1.0").expect("it is a version");
        assert_eq!((version.protocol, version.major, version.minor), (Protocol::HtcpcpTea, 1, 0));
        assert_eq!(version.bytes, b"HTCPCP-TEA/1.0");
    }

    #[test]
    fn every_prefix_of_a_request_asks_for_more_until_its_line_ends() {
        for request in REQUESTS {
            for end in ["\r\n", "\n"] {
                let stream = format!("{request}{end}Use-Pot: ducky\r\n\r\nstart");
                for len in 0..=stream.len() {
                    let whole = len >= request.len() + end.len();
                    let expected = if whole { Sniff::Yes } else { Sniff::More };
                    assert_eq!(sniff_request(&stream.as_bytes()[..len]), expected, "{request} {len}");
                }
            }
        }
    }

    #[test]
    fn every_prefix_of_a_response_asks_for_more_until_its_code_ends() {
        for response in RESPONSES {
            for end in ["\r\n", "\n"] {
                let stream = format!("{response}{end}Server: CoffeePot\r\n\r\n{{}}");
                let (version, gap, code) = cut_token(stream.as_bytes());
                let after_code_len = if code[3..].starts_with(b"\r\n") { 2 } else { 1 };
                let telling = version.len() + gap.len() + 3 + after_code_len;
                for len in 0..=stream.len() {
                    let expected = if len >= telling { Sniff::Yes } else { Sniff::More };
                    assert_eq!(sniff_response(&stream.as_bytes()[..len]), expected, "{response} {len}");
                }
            }
        }
    }

    #[test]
    fn other_streams_are_refused_at_the_first_byte_that_tells() {
        for (bytes, telling) in [
            ("\x16\x03\x01", 1),
            ("\r\nGET / HTTP/1.1", 1),
            (" GET / HTTP/1.1", 1),
            ("SSH-2.0-ducky\r\n", 14),
            ("HTTP/1.1 200 OK\r\n", 5),
            ("GET / HTTP/1\r\n", 13),
            ("GET /\0", 6),
            ("220 ducky ESMTP\r\n", 16),
            ("GET / HTTP/1.1\rX", 16),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 33),
        ] {
            assert_eq!(sniff_request(&bytes.as_bytes()[..telling - 1]), Sniff::More, "{bytes:?}");
            assert_eq!(sniff_request(&bytes.as_bytes()[..telling]), Sniff::No, "{bytes:?}");
            assert_eq!(sniff_request(bytes.as_bytes()), Sniff::No, "{bytes:?}");
        }
        for (bytes, telling) in [
            ("{}", 1),
            ("HTML", 3),
            ("HTTPS", 5),
            ("HTCPCP-CUP", 8),
            ("HTTP/x", 6),
            ("HTTP/1.1/", 9),
            ("HTTP/1.1 099", 10),
            ("HTTP/1.1 200OK", 13),
            ("HTTP/1.1 200\rOK", 14),
            ("GET / HTTP/1.1\r\n", 1),
        ] {
            assert_eq!(sniff_response(&bytes.as_bytes()[..telling - 1]), Sniff::More, "{bytes:?}");
            assert_eq!(sniff_response(&bytes.as_bytes()[..telling]), Sniff::No, "{bytes:?}");
            assert_eq!(sniff_response(bytes.as_bytes()), Sniff::No, "{bytes:?}");
        }
    }

    #[test]
    fn lines_longer_than_the_limit_are_refused() {
        let fixed = "GET / HTTP/1.1\r\n".len();
        for (extra, expected) in [(0, Sniff::Yes), (1, Sniff::No)] {
            let line = format!("GET /{} HTTP/1.1\r\n", "a".repeat(MAX_LINE_BYTES - fixed + extra));
            assert_eq!(sniff_request(line.as_bytes()), expected);
        }
        let endless = format!("GET /{}", "a".repeat(MAX_LINE_BYTES));
        assert_eq!(sniff_request(&endless.as_bytes()[..MAX_LINE_BYTES - 1]), Sniff::More);
        assert_eq!(sniff_request(&endless.as_bytes()[..MAX_LINE_BYTES]), Sniff::No);
        let blanks = format!("HTTP/1.1{}", " ".repeat(MAX_LINE_BYTES));
        assert_eq!(sniff_response(&blanks.as_bytes()[..MAX_LINE_BYTES - 1]), Sniff::More);
        assert_eq!(sniff_response(blanks.as_bytes()), Sniff::No);
    }

    #[test]
    fn a_verdict_stands_whatever_follows_and_a_yes_can_be_parsed() {
        for sample in REQUESTS.iter().chain(&RESPONSES) {
            mutation::each(format!("{sample}\r\n").as_bytes(), |stream| {
                let line = stream.split(|byte| *byte == b'\n').next().unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                for sniff in [sniff_request, sniff_response] {
                    let verdicts = (0..=stream.len()).map(|len| sniff(&stream[..len]));
                    let settled: Vec<_> = verdicts.skip_while(|v| *v == Sniff::More).collect();
                    assert!(settled.windows(2).all(|pair| pair[0] == pair[1]), "{stream:?}");
                }
                assert!(sniff_request(stream) != Sniff::Yes || RequestLine::parse(line).is_ok());
                assert!(sniff_response(stream) != Sniff::Yes || StatusLine::parse(line).is_ok());
            });
        }
    }
}
