//! The pot that the tests talk to: it answers with what it was asked, and remembers it.

use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use htcpcp::conn::{Asked, Error, Fault, server};
use http::header::{CONTENT_TYPE, DATE, SERVER};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::mutation::Lcg;

/// Runs `future` with a clock that jumps as soon as nobody has anything to do. What hangs fails after a virtual hour.
#[track_caller]
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("the runtime starts");
    let hour = Duration::from_secs(60 * 60);
    runtime.block_on(async { tokio::time::timeout(hour, future).await }).expect("nothing hangs")
}

/// What the pot's handler was called with, in words.
pub async fn describe(request: Request<Incoming>, asked: Asked) -> String {
    let (parts, body) = request.into_parts();
    let Asked { target, dialect, fault } = asked;
    let mut text = format!("{} {target} {dialect:?}", parts.method);
    if let Some(fault) = fault {
        write!(text, " {fault:?}").expect("a string takes everything");
    }
    let body = tokio::time::timeout(Duration::from_secs(5), Limited::new(body, 1 << 20).collect());
    match body.await {
        Ok(Ok(body)) => write!(text, " [{}]", body.to_bytes().escape_ascii()),
        Ok(Err(_)) => write!(text, " [broken]"),
        Err(_) => write!(text, " [late]"),
    }
    .expect("a string takes everything");
    text
}

/// An answer of the lab's kind.
pub fn answer(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(SERVER, HeaderValue::from_static("CoffeePot"));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("message/coffeepot"));
    answer.headers_mut().insert(DATE, HeaderValue::from_static("Tue, 27 Jun 2023 17:39:59"));
    answer
}

/// Answers with the description of the request, and a fault with its status.
pub async fn echo(request: Request<Incoming>, asked: Asked) -> Response<Full<Bytes>> {
    let status = asked.fault.map_or(StatusCode::OK, Fault::status);
    answer(status, describe(request, asked).await)
}

/// The default limits; what hyper refuses says who refused it.
pub fn options() -> server::Options {
    let mut refusal_fields = HeaderMap::new();
    refusal_fields.insert(SERVER, HeaderValue::from_static("CoffeePot"));
    refusal_fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    server::Options { refusal_fields, ..server::Options::default() }
}

/// One connection to the pot: sends `pieces`, a millisecond apart, and waits until the pot closes. Returns all it
/// said, and how the serving ended.
pub async fn converse(pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Error>) {
    let (pot, mut client) = tokio::io::duplex(1 << 20);
    // A task of its own, so that nothing wakes the pot but what it waits for.
    let serving = tokio::spawn(async move { server::serve(pot, &options(), echo, std::future::pending()).await });
    for piece in pieces {
        client.write_all(piece).await.expect("the pot reads");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let said = read_all(&mut client).await;
    (said, serving.await.expect("nothing panics"))
}

/// Reads until the pot closes.
pub async fn read_all(client: &mut DuplexStream) -> Vec<u8> {
    let mut said = Vec::new();
    client.read_to_end(&mut said).await.expect("the pot closes in order");
    said
}

/// The answers in `said`: of each its first line, `close` if it says so, and its body.
///
/// Knows the two framings that hyper writes, and takes no notice of a request's method.
pub fn answers(mut said: &[u8]) -> Vec<String> {
    let mut answers = Vec::new();
    while !said.is_empty() {
        let end = said.windows(4).position(|four| four == b"\r\n\r\n").expect("a head ends") + 4;
        let head = std::str::from_utf8(&said[..end]).expect("a head is ASCII");
        said = &said[end..];
        let mut lines = head.lines();
        let mut line = lines.next().expect("a head has a first line").to_owned();
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if field("Connection:").is_some_and(|value| value == "close") {
            line.push_str(" close");
        }
        let body;
        (body, said) = match (field("Content-Length:"), field("Transfer-Encoding:")) {
            (Some(len), None) => said.split_at(len.parse().expect("a length is a number")),
            (None, Some("chunked")) => {
                let end = said.windows(5).position(|five| five == b"0\r\n\r\n").expect("chunks end") + 5;
                said.split_at(end)
            }
            _ if line.contains(" 100 ") || line.contains(" 204 ") || line.contains(" 304 ") => (&said[..0], said),
            _ => (said, &said[said.len()..]),
        };
        if !body.is_empty() {
            write!(line, ": {}", String::from_utf8_lossy(body)).expect("a string takes everything");
        }
        answers.push(line);
    }
    answers
}

/// A stream of what an iterator holds, one item each time the connection asks.
pub struct Frames<I>(pub I);

impl<I: Iterator + Unpin> Stream for Frames<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

/// One of `items`.
pub fn pick<'a>(random: &mut Lcg, items: &[&'a str]) -> &'a str {
    items[random.below(items.len())]
}
