//! Messages as filters see them: a message of HTTP or HTCPCP in, the values of its fields out.
//!
//! Source: Wireshark's `packet-http.c` fields by their documented meaning; `dissector-lua/FIELDS.md`.

use htcpcp::{CoffeeUri, Command, Method, Status};

use super::field::{FIELDS, Said, Source};
use super::value::Value;
use crate::exchange::{Heard, Protocol};
use crate::message::{Head, Message};
use crate::time::{Mark, Time};

/// A message, and what it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Spoken {
    pub stream: u64,
    pub protocol: Protocol,
    pub message: Message,
    /// What a response answers, if it is asked for, and the frame that completed it.
    pub request: Option<(Mark, Head)>,
    /// The frame that completed a request's response.
    pub answered_in: Option<u64>,
}

impl Spoken {
    pub fn new(heard: Heard<'_>) -> Self {
        Self {
            stream: heard.stream,
            protocol: heard.protocol,
            message: heard.message.clone(),
            request: heard.request.map(|request| (request.last, request.head.clone())),
            answered_in: None,
        }
    }

    pub fn is_http(&self) -> bool {
        self.protocol != Protocol::Htcpcp
    }

    /// From the request's frame to this one, in nanoseconds.
    pub fn time(&self) -> Option<i64> {
        let asked: Time = self.request.as_ref()?.0.time;
        self.message.last.time.since(asked)
    }

    /// Shows every value of a field.
    pub(super) fn each(&self, said: Said, visit: &mut dyn FnMut(Value<'_>)) {
        let head = &self.message.head;
        let request = head.is_request();
        let mut show = |bytes: &[u8]| visit(Value::Bytes(bytes));
        match said {
            Said::Message => show(&[head.bytes(), &self.message.body].concat()),
            Said::Request if request => visit(Value::Number(1)),
            Said::Response if !request => visit(Value::Number(1)),
            Said::RequestLines if request => self.each_line(&mut show),
            Said::ResponseLines if !request => self.each_line(&mut show),
            Said::Method if request => show(head.method()),
            Said::Uri if request => show(head.target()),
            Said::UriPath if request && self.query().is_some() => show(self.path()),
            Said::UriQuery => self.query().into_iter().for_each(show),
            Said::UriParameter => self.query().into_iter().for_each(|query| query.split(|&byte| byte == b'&').for_each(&mut show)),
            Said::FullUri if request => full_uri(head).into_iter().for_each(|uri| show(&uri)),
            Said::RequestVersion if request => show(head.version()),
            Said::ResponseVersion if !request => show(head.version()),
            Said::Code => head.status().into_iter().for_each(|code| visit(Value::Number(i128::from(code)))),
            Said::CodeDescription => self.description().into_iter().for_each(|text| show(text.as_bytes())),
            Said::Phrase if !request && !head.reason().is_empty() => show(head.reason()),
            Said::ResponseFor => self.request.iter().filter_map(|(_, head)| full_uri(head)).for_each(|uri| show(&uri)),
            Said::Header(name) => {
                head.fields().iter().filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes())).for_each(|(_, value)| show(value));
            }
            Said::ContentLength => {
                let value = head.field("Content-Length").and_then(|value| std::str::from_utf8(value).ok()?.parse::<u64>().ok());
                value.into_iter().for_each(|length| visit(Value::Number(i128::from(length))));
            }
            Said::UnknownHeader => self.each_unknown_header(&mut show),
            Said::FileData if !self.message.body.is_empty() => show(&self.message.body),
            Said::RequestIn => self.request.iter().for_each(|(mark, _)| visit(Value::Number(i128::from(mark.frame)))),
            Said::ResponseIn => self.answered_in.into_iter().for_each(|frame| visit(Value::Number(i128::from(frame)))),
            Said::Time => self.time().into_iter().for_each(|nanos| visit(Value::Number(i128::from(nanos)))),
            Said::CookiePair => {
                for (_, value) in head.fields().iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"cookie")) {
                    value.split(|&byte| byte == b';').for_each(|pair| show(pair.trim_ascii()));
                }
            }
            Said::Scheme => {
                let end = head.target().iter().position(|byte| b":/?#".contains(byte));
                end.filter(|&end| head.target()[end] == b':' && end > 0).into_iter().for_each(|end| show(&head.target()[..end]));
            }
            Said::SchemeLanguage => {
                let uri = CoffeeUri::parse(head.target());
                uri.into_iter().flat_map(|uri| uri.scheme.languages).for_each(|language| show(language.name.as_bytes()));
            }
            Said::Host => self.uri().and_then(|uri| uri.host).filter(|host| !host.is_empty()).into_iter().for_each(show),
            Said::Pot => self.uri().and_then(|uri| uri.pot).filter(|pot| is_pot(pot)).into_iter().for_each(show),
            Said::Variety => {
                let path = self.uri().and_then(|uri| uri.pot).or_else(|| head.target().strip_prefix(b"/"));
                path.filter(|path| request && !path.is_empty() && !is_pot(path)).into_iter().for_each(show);
            }
            Said::Addition => {
                let values = head.field("Accept-Additions").into_iter().flat_map(htcpcp::parse_accept_additions);
                values.for_each(|addition| show(addition.name));
            }
            Said::Command if request => {
                let starts = matches!(Method::from_bytes(head.method()), Some(Method::Brew | Method::Post));
                let command = Command::parse(&self.message.body).filter(|_| starts);
                command.into_iter().for_each(|command| show(command.as_str().as_bytes()));
            }
            _ => {}
        }
    }

    fn uri(&self) -> Option<CoffeeUri<'_>> {
        CoffeeUri::parse(self.message.head.target())
    }

    fn path(&self) -> &[u8] {
        self.message.head.target().split(|&byte| byte == b'?').next().unwrap_or_default()
    }

    fn query(&self) -> Option<&[u8]> {
        let target = self.message.head.target();
        let question = target.iter().position(|&byte| byte == b'?')?;
        Some(&target[question + 1..])
    }

    /// What the protocol calls the status.
    fn description(&self) -> Option<&'static str> {
        let code = self.message.head.status()?;
        if self.is_http() { reason(code) } else { Status::find(code).map(|status| status.reason) }
    }

    /// The lines of the header: HTTP's with their line ends, as Wireshark has them.
    fn each_line(&self, show: &mut dyn FnMut(&[u8])) {
        let head = &self.message.head;
        let lines = head.bytes().split_inclusive(|&byte| byte == b'\n').skip(1).filter(|line| !line.trim_ascii().is_empty());
        lines.for_each(|line| show(if self.is_http() { line } else { line.trim_ascii_end() }));
    }

    fn each_unknown_header(&self, show: &mut dyn FnMut(&[u8])) {
        let known = |name: &[u8]| {
            FIELDS.iter().any(|field| match field.source {
                Source::Htcpcp(Said::Header(header)) => header.as_bytes().eq_ignore_ascii_case(name),
                _ => false,
            })
        };
        self.each_line(&mut |line| {
            let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
            if name.len() < line.len() && !known(name) {
                show(line);
            }
        });
    }
}

fn is_pot(designator: &[u8]) -> bool {
    designator.strip_prefix(b"pot-").is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

/// The absolute URI of a request, where Host tells one.
fn full_uri(head: &Head) -> Option<Vec<u8>> {
    let target = head.target();
    if target.starts_with(b"http://") || target.starts_with(b"https://") {
        return Some(target.to_vec());
    }
    let host = head.field("Host")?;
    Some([b"http://", host, target].concat())
}

/// What Wireshark calls a status of HTTP.
fn reason(code: u16) -> Option<&'static str> {
    Some(match code {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Time-out",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Request Range Not Satisfiable",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Time-out",
        505 => "HTTP Version not supported",
        _ => return None,
    })
}
