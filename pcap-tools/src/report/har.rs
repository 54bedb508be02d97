//! HAR 1.2, the HTTP archive that browsers and proxies read and write: exchanges in, one document out.
//!
//! What a capture does not show is −1 or absent, as the format has it. Names that begin with `_` are ours; FORMATS.md
//! lists them. Bodies are as they were sent: chunks are joined, encodings are not undone.
//! Source: <http://www.softwareishard.com/blog/har-12-spec/>.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use serde::{Serialize, Serializer};

use crate::connection::{Connection, Handshake};
use crate::exchange::{Exchange, Protocol, Sink, Talk};
use crate::finding::{Finding, Kind};
use crate::message::{Fate, Head, Message, text};
use crate::packet::Endpoint;
use crate::time::{Mark, Time};

/// Bytes that stand in no URL (RFC 3986 §2).
const NOT_IN_URLS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');
/// What browsers write where no Content-Type tells.
const UNKNOWN_TYPE: &str = "x-unknown";

/// Collects exchanges for an archive.
#[derive(Debug)]
pub struct Archive {
    max_body_bytes: usize,
    exchanges: Vec<Exchange>,
    links: BTreeMap<u64, Link>,
    encrypted: u64,
}

/// What an entry says of its connection.
#[derive(Debug)]
struct Link {
    server: Endpoint,
    handshake: Handshake,
}

impl Archive {
    /// An empty one, which will have the bodies that are no longer than that.
    pub fn new(max_body_bytes: usize) -> Self {
        Self { max_body_bytes, exchanges: Vec::new(), links: BTreeMap::new(), encrypted: 0 }
    }

    /// Writes the document, an entry on each line, in the order of the capture.
    pub fn write(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.exchanges.sort_by_cached_key(Exchange::first_frame);
        let version = env!("CARGO_PKG_VERSION");
        write!(
            out,
            "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"pcap-tools\",\"version\":\"{version}\"}},\"pages\":[],\"entries\":["
        )?;
        let entries = self.exchanges.iter().filter_map(|exchange| self.entry(exchange));
        for (at, entry) in entries.enumerate() {
            out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, &entry)?;
        }
        write!(out, "\n],\"comment\":{}}}}}\n", serde_json::Value::from(self.comment()))
    }

    /// What the entries do not tell.
    fn comment(&self) -> String {
        let orphans = self.exchanges.iter().filter(|exchange| exchange.request.is_none()).count() as u64;
        let mut comment = "read from a packet capture".to_owned();
        for (count, what) in [(orphans, "responses whose requests were not captured"), (self.encrypted, "encrypted connections")] {
            if count > 0 {
                comment.push_str(&format!("; {what}, left out: {count}"));
            }
        }
        comment
    }

    /// `None` without a request, which an entry cannot do without.
    fn entry<'a>(&'a self, exchange: &'a Exchange) -> Option<Entry<'a>> {
        let request = exchange.request.as_ref()?;
        let link = self.links.get(&exchange.stream)?;
        let response = exchange.response.as_ref();
        let timings = Timings::new(request, response, &link.handshake);
        let start = request.first.time.nanos().map_or(0, |nanos| nanos.saturating_sub(timings.connect.unwrap_or(0)));
        let is_first = timings.connect.is_some();
        Some(Entry {
            started: Time::from(start).to_string(),
            time: timings.sum(),
            request: Request::new(exchange.protocol, request, link.server, self.max_body_bytes),
            response: response.map_or_else(Response::missing, |response| Response::new(response, self.max_body_bytes)),
            cache: Cache {},
            timings,
            server_ip: link.server.ip.to_string(),
            connection: exchange.stream.to_string(),
            stream: exchange.stream,
            handshake_frames: is_first.then(|| [link.handshake.syn, link.handshake.syn_ack, link.handshake.ack].map(frame)),
            request_first_frame: request.first.frame,
            request_frame: exchange.complete_request().map(|message| message.last.frame),
            response_first_frame: response.map(|message| message.first.frame),
            response_frame: exchange.complete_response().map(|message| message.last.frame),
            error: error(request, response),
        })
    }
}

fn frame(mark: Option<Mark>) -> Option<u64> {
    mark.map(|mark| mark.frame)
}

/// What is missing of an exchange.
fn error(request: &Message, response: Option<&Message>) -> Option<String> {
    let missing = |what: &str, message: &Message| match message.fate {
        Fate::Complete => None,
        Fate::Lost(kind) => Some(format!("the {what} was not captured as a whole ({})", kind.name())),
        Fate::Unfinished => Some(format!("the {what} had not ended when its connection or the capture did")),
    };
    missing("request", request).or_else(|| match response {
        None => Some("no response was captured".to_owned()),
        Some(response) => missing("response", response),
    })
}

impl Sink for Archive {
    fn exchange(&mut self, mut exchange: Exchange) {
        // The beginning of a body that is too long is of no use.
        for message in [&mut exchange.request, &mut exchange.response].into_iter().flatten() {
            if message.body_bytes > self.max_body_bytes as u64 {
                message.body = Box::default();
            }
        }
        self.exchanges.push(exchange);
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.encrypted += u64::from(talk.protocol == Some(Protocol::Tls));
        let server = connection.ends[talk.client.other()];
        self.links.insert(connection.stream, Link { server, handshake: connection.handshake });
    }

    fn finding(&mut self, _: Finding) {}

    fn body_limit(&self, _: Protocol) -> usize {
        self.max_body_bytes
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(rename = "startedDateTime")]
    started: String,
    #[serde(serialize_with = "millis")]
    time: i64,
    request: Request<'a>,
    response: Response<'a>,
    cache: Cache,
    timings: Timings,
    #[serde(rename = "serverIPAddress")]
    server_ip: String,
    connection: String,
    #[serde(rename = "_stream")]
    stream: u64,
    #[serde(rename = "_handshakeFrames", skip_serializing_if = "Option::is_none")]
    handshake_frames: Option<[Option<u64>; 3]>,
    #[serde(rename = "_requestFirstFrame")]
    request_first_frame: u64,
    #[serde(rename = "_requestFrame", skip_serializing_if = "Option::is_none")]
    request_frame: Option<u64>,
    #[serde(rename = "_responseFirstFrame", skip_serializing_if = "Option::is_none")]
    response_first_frame: Option<u64>,
    #[serde(rename = "_responseFrame", skip_serializing_if = "Option::is_none")]
    response_frame: Option<u64>,
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A capture knows nothing of caches.
#[derive(Serialize)]
struct Cache {}

/// Phases of an exchange in nanoseconds, written as milliseconds; `None` is −1.
#[derive(Serialize)]
struct Timings {
    #[serde(serialize_with = "known_millis")]
    blocked: Option<i64>,
    #[serde(serialize_with = "known_millis")]
    dns: Option<i64>,
    #[serde(serialize_with = "known_millis")]
    connect: Option<i64>,
    #[serde(serialize_with = "known_millis")]
    ssl: Option<i64>,
    #[serde(serialize_with = "known_millis")]
    send: Option<i64>,
    #[serde(serialize_with = "known_millis")]
    wait: Option<i64>,
    #[serde(serialize_with = "known_millis")]
    receive: Option<i64>,
}

impl Timings {
    /// The handshake is the first exchange's; of a response that came before the request was complete, the rest counts.
    fn new(request: &Message, response: Option<&Message>, handshake: &Handshake) -> Self {
        let between = |from: Mark, to: Mark| to.time.since(from.time).map(|nanos| nanos.max(0));
        let asked = request.last;
        Self {
            blocked: None,
            dns: None,
            connect: handshake.rtt().filter(|&nanos| request.offset == 0 && nanos >= 0),
            ssl: None,
            send: between(request.first, asked),
            wait: response.and_then(|response| between(asked, response.first)),
            receive: response.and_then(|response| between(response.first.max(asked), response.last)),
        }
    }

    fn sum(&self) -> i64 {
        [self.connect, self.send, self.wait, self.receive].into_iter().flatten().fold(0, i64::saturating_add)
    }
}

fn millis<S: Serializer>(nanos: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(*nanos as f64 / 1e6)
}

fn known_millis<S: Serializer>(nanos: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match nanos {
        Some(nanos) => millis(nanos, serializer),
        None => serializer.serialize_i64(-1),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    method: Cow<'a, str>,
    url: String,
    http_version: Cow<'a, str>,
    cookies: Vec<Cookie>,
    headers: Vec<Named>,
    query_string: Vec<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<PostData>,
    headers_size: i64,
    body_size: i64,
}

impl<'a> Request<'a> {
    fn new(protocol: Protocol, message: &'a Message, server: Endpoint, max_body_bytes: usize) -> Self {
        let head = &message.head;
        Self {
            method: text(head.method()),
            url: url(protocol, head, server),
            http_version: text(head.version()),
            cookies: values(head, "Cookie").flat_map(|value| Cookie::all(&value)).collect(),
            headers: headers(head),
            query_string: head.query().into_iter().map(|(name, value)| Named { name, value }).collect(),
            post_data: (message.body_bytes > 0).then(|| PostData::new(message, max_body_bytes)),
            headers_size: headers_size(message),
            body_size: body_size(message),
        }
    }
}

/// Where a request went (RFC 9112 §3.3): the target, or what Host or else the address and the port make of it.
fn url(protocol: Protocol, head: &Head, server: Endpoint) -> String {
    let encoded = |bytes: &[u8]| percent_encode(bytes, NOT_IN_URLS).to_string();
    let target = encoded(head.target());
    let is_absolute = target.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|char: char| char.is_ascii_alphabetic())
            && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
    });
    if is_absolute {
        return target;
    }
    let scheme = if protocol == Protocol::Htcpcp { "coffee" } else { "http" };
    if head.method() == b"CONNECT" {
        return format!("{scheme}://{target}");
    }
    let host = head.field("Host").filter(|host| !host.is_empty()).map_or_else(|| server.to_string(), encoded);
    format!("{scheme}://{host}{}{target}", if target.starts_with('/') { "" } else { "/" })
}

fn headers(head: &Head) -> Vec<Named> {
    head.fields().iter().map(|(name, value)| Named { name: text(name).into_owned(), value: text(value).into_owned() }).collect()
}

/// The values of all fields of that name.
fn values<'a>(head: &'a Head, name: &'a str) -> impl Iterator<Item = String> + use<'a> {
    let fields = head.fields().into_iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
    fields.map(|(_, value)| text(&value).into_owned())
}

/// Blank line included; −1 where the snap length cut it.
fn headers_size(message: &Message) -> i64 {
    if message.oddities.iter().any(|kind| kind == Kind::CutHead) { -1 } else { message.head.bytes().len() as i64 }
}

/// As sent, but for the framing of chunks; −1 where not all of it was captured.
fn body_size(message: &Message) -> i64 {
    if message.fate == Fate::Complete { i64::try_from(message.body_bytes).unwrap_or(-1) } else { -1 }
}

#[derive(Serialize)]
struct Named {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

impl PostData {
    fn new(message: &Message, max_body_bytes: usize) -> Self {
        let mime_type = mime_type(&message.head);
        // The format has no encoding for what is sent.
        let text = kept_body(message, max_body_bytes)
            .and_then(|body| std::str::from_utf8(body).map_err(|_| "no text: left out".to_owned()).map(str::to_owned));
        let (text, comment) = text.map_or_else(|why| (None, Some(why)), |text| (Some(text), None));
        Self { mime_type, text, comment }
    }
}

fn mime_type(head: &Head) -> String {
    head.field("Content-Type").map_or(UNKNOWN_TYPE.to_owned(), |value| text(value).into_owned())
}

/// A body, if it is there as a whole; otherwise why it is not.
fn kept_body(message: &Message, max_body_bytes: usize) -> Result<&[u8], String> {
    if message.fate != Fate::Complete {
        Err("not captured as a whole".to_owned())
    } else if message.body_bytes > max_body_bytes as u64 {
        Err(format!("longer than {max_body_bytes} bytes: left out"))
    } else if message.body.len() as u64 != message.body_bytes {
        Err("cut off by the snap length".to_owned())
    } else {
        Ok(&message.body)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    status: u16,
    status_text: Cow<'a, str>,
    http_version: Cow<'a, str>,
    cookies: Vec<Cookie>,
    headers: Vec<Named>,
    content: Content,
    #[serde(rename = "redirectURL")]
    redirect_url: String,
    headers_size: i64,
    body_size: i64,
}

impl<'a> Response<'a> {
    fn new(message: &'a Message, max_body_bytes: usize) -> Self {
        let head = &message.head;
        Self {
            status: head.status().unwrap_or(0),
            status_text: text(head.reason()),
            http_version: text(head.version()),
            cookies: values(head, "Set-Cookie").filter_map(|value| Cookie::set(&value)).collect(),
            headers: headers(head),
            content: Content::new(message, max_body_bytes),
            redirect_url: head.field("Location").map_or(String::new(), |value| text(value).into_owned()),
            headers_size: headers_size(message),
            body_size: body_size(message),
        }
    }

    /// Status 0 says that there was none.
    fn missing() -> Self {
        Self {
            status: 0,
            status_text: "".into(),
            http_version: "".into(),
            cookies: Vec::new(),
            headers: Vec::new(),
            content: Content { size: -1, mime_type: UNKNOWN_TYPE.to_owned(), text: None, encoding: None, comment: None },
            redirect_url: String::new(),
            headers_size: -1,
            body_size: -1,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    size: i64,
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

impl Content {
    fn new(message: &Message, max_body_bytes: usize) -> Self {
        let mut content = Self { size: body_size(message), mime_type: mime_type(&message.head), text: None, encoding: None, comment: None };
        let coding = message.head.field("Content-Encoding").filter(|coding| !coding.eq_ignore_ascii_case(b"identity"));
        if let Some(coding) = coding.filter(|_| message.body_bytes > 0) {
            // The size and the text are those of the decoded body.
            content.size = -1;
            content.comment = Some(format!("sent as {}, which is not decoded here", text(coding)));
        } else if message.body_bytes > 0 {
            match kept_body(message, max_body_bytes).map(|body| (std::str::from_utf8(body), body)) {
                Ok((Ok(text), _)) => content.text = Some(text.to_owned()),
                Ok((Err(_), body)) => (content.text, content.encoding) = (Some(STANDARD.encode(body)), Some("base64")),
                Err(why) => content.comment = Some(why),
            }
        }
        content
    }
}

/// A cookie (RFC 6265 §4).
#[derive(Serialize, Default, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Cookie {
    name: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secure: Option<bool>,
}

impl Cookie {
    /// Those of a Cookie field.
    fn all(field: &str) -> Vec<Self> {
        field.split(';').filter_map(Self::pair).collect()
    }

    fn pair(text: &str) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        Some(Self { name: name.trim().to_owned(), value: value.trim().to_owned(), ..Self::default() })
    }

    /// That of a Set-Cookie field; a date that cannot be read is left out.
    fn set(field: &str) -> Option<Self> {
        let (pair, attributes) = field.split_once(';').unwrap_or((field, ""));
        let mut cookie = Self { http_only: Some(false), secure: Some(false), ..Self::pair(pair)? };
        for attribute in attributes.split(';') {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "path" => cookie.path = Some(value.to_owned()),
                "domain" => cookie.domain = Some(value.to_owned()),
                "expires" => cookie.expires = jiff::fmt::rfc2822::parse(value).ok().map(|date| date.timestamp().to_string()),
                "httponly" => cookie.http_only = Some(true),
                "secure" => cookie.secure = Some(true),
                _ => {}
            }
        }
        Some(cookie)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_with_their_attributes() {
        let all = Cookie::all("a=1; b=x=y;bad; c=");
        let pairs: Vec<_> = all.iter().map(|cookie| (&*cookie.name, &*cookie.value)).collect();
        assert_eq!(pairs, [("a", "1"), ("b", "x=y"), ("c", "")]);
        let cookie = Cookie::set("id=7; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/; HttpOnly").expect("a cookie");
        assert_eq!((cookie.expires.as_deref(), cookie.path.as_deref()), (Some("2026-10-21T07:28:00Z"), Some("/")));
        assert_eq!((cookie.http_only, cookie.secure), (Some(true), Some(false)));
        assert_eq!(Cookie::set("id=7; expires=soon").expect("a cookie").expires, None);
        assert_eq!(Cookie::set("nonsense"), None);
    }

    #[test]
    fn urls_name_what_was_asked_for() {
        let server = Endpoint { ip: [127, 0, 0, 1].into(), port: 5031 };
        let check = |protocol: Protocol, head: &str, expected: &str| {
            let head = Head::parse(head.as_bytes(), crate::message::Role::Request).expect("a head");
            assert_eq!(url(protocol, &head, server), expected);
        };
        check(Protocol::Http, "GET /?a=b HTTP/1.1\r\nHost: localhost:5031\r\n\r\n", "http://localhost:5031/?a=b");
        check(Protocol::Http, "GET / HTTP/1.1\r\n\r\n", "http://127.0.0.1:5031/");
        check(Protocol::Http, "GET http://x/y HTTP/1.1\r\n\r\n", "http://x/y");
        check(Protocol::Http, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "http://x/*");
        check(Protocol::Http, "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", "http://x:443");
        check(Protocol::Http, "GET /é\"<> HTTP/1.1\r\nHost: a b\r\n\r\n", "http://a%20b/%C3%A9%22%3C%3E");
        check(Protocol::Htcpcp, "BREW coffee://ducky HTTP/1.1\r\n\r\n", "coffee://ducky");
        check(Protocol::Htcpcp, "GET /pot-0 HTCPCP/1.1\r\n\r\n", "coffee://127.0.0.1:5031/pot-0");
    }
}
