//! What goes out over the wire for a request, and which answers are read.

use std::time::Duration;

use htcpcp::conn::{Dialect, Error, Target, client, server};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::table::{echo, options};
use crate::wire::{Log, Tap};

const ANSWER: &str = "HTCPCP/1.1 200 OK\r\nServer: CoffeePot\r\nContent-Type: message/coffeepot\r\n\r\n{}";

fn brew() -> Request<Full<Bytes>> {
    client::request("BREW", b"coffee://ducky")
        .header("content-type", "application/coffee-pot-command")
        .header("accept-additions", "cream; vanilla")
        .header("use-pot", "ducky")
        .body(Full::from("start"))
        .expect("the parts are right")
}

/// What `request` is on the wire, write by write.
async fn writes(request: Request<Full<Bytes>>) -> Vec<String> {
    let (mut pot, client) = tokio::io::duplex(1 << 16);
    let log = Log::default();
    let client = Tap { stream: client, log: log.clone() };
    let answer = async {
        let mut buffer = [0; 1024];
        let _ = pot.read(&mut buffer).await.expect("the client asks");
        pot.write_all(ANSWER.as_bytes()).await.expect("the client reads");
        drop(pot);
    };
    let (sent, ()) = tokio::join!(client::send(client, request), answer);
    sent.expect("the answer is one").into_body().collect().await.expect("the body ends");
    assert_eq!(log.read.lock().expect("no test panicked").as_slice(), ANSWER.as_bytes());
    log.writes()
}

#[tokio::test]
async fn a_brew_leaves_in_one_write_as_the_lab_writes_it() {
    let expected = "BREW coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\
        Accept-Additions: cream; vanilla\r\nUse-Pot: ducky\r\nContent-Length: 5\r\n\r\nstart";
    assert_eq!(writes(brew()).await, [expected]);
}

#[tokio::test]
async fn targets_go_out_exactly_as_given() {
    for target in [
        &b"coffee://ducky"[..],
        b"coffee://ducky/",
        b"coffee:?#Almond;2",
        b"caf%C3%E8://ducky",
        b"caf\xc3\xa9:",
        b"pot-1",
        b"*",
        b"/",
        b"{",
    ] {
        let request = client::request(Method::GET, target).body(Full::default()).expect("the parts are right");
        let expected = format!("GET {} HTTP/1.1\r\n\r\n", String::from_utf8_lossy(target));
        assert_eq!(writes(request).await, [expected]);
    }
    let ordinary = Request::get("/log?page=2").body(Full::default()).expect("the parts are right");
    assert_eq!(writes(ordinary).await, ["GET /log?page=2 HTTP/1.1\r\n\r\n"]);
}

#[tokio::test]
async fn targets_that_would_end_the_line_are_not_sent() {
    for target in [&b""[..], b"coffee://a b", b"/ HTTP/1.1\r\nX: y", b"a\tb", b"\x7f", b"\0"] {
        let (_pot, stream) = tokio::io::duplex(64);
        let request = client::request("GET", target).body(Full::default()).expect("the parts are right");
        let error = client::send(stream, request).await.err().expect("it cannot be sent");
        assert!(matches!(&error, Error::Unsendable(unsendable) if *unsendable == Target::new(target)), "{error}");
    }
    assert!(client::request("BR EW", b"coffee:").body(Full::<Bytes>::default()).is_err());
}

/// What the client makes of `pieces`, after which the pot closes: status, dialect, and body.
async fn read(pieces: &[&[u8]]) -> Result<String, Error> {
    let (mut pot, stream) = tokio::io::duplex(1 << 16);
    let answer = async {
        let mut buffer = [0; 1024];
        let _ = pot.read(&mut buffer).await.expect("the client asks");
        for piece in pieces {
            // The client may have had enough.
            let _ = pot.write_all(piece).await;
            tokio::task::yield_now().await;
        }
        drop(pot);
    };
    let listen = async {
        let answer = client::send(stream, brew()).await?;
        let (status, dialect) = (answer.status().as_u16(), answer.extensions().get::<Dialect>().copied());
        let body = answer.into_body().collect().await.map_err(Error::Connection)?.to_bytes();
        Ok(format!("{status} {dialect:?} [{}]", body.escape_ascii()))
    };
    tokio::join!(listen, answer).0
}

/// Gives `answer` to the client whole, cut in two at every byte, and byte by byte.
#[track_caller]
fn check(answer: &str, expected: &str) {
    let answer = answer.as_bytes();
    let mut cuts: Vec<Vec<&[u8]>> = (0..=answer.len()).map(|at| vec![&answer[..at], &answer[at..]]).collect();
    cuts.push(answer.chunks(1).collect());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("the runtime starts");
    for pieces in cuts {
        let read = runtime.block_on(read(&pieces)).unwrap_or_else(|error| error.to_string());
        assert_eq!(read, expected, "{} in {pieces:?}", answer.escape_ascii());
    }
}

#[test]
fn answers_of_every_kind_of_pot_are_read() {
    check(ANSWER, "200 Some(Htcpcp) [{}]");
    check("HTCPCP/1.0 418 I'm a teapot\r\nContent-Length: 2\r\n\r\nno", "418 Some(Htcpcp) [no]");
    check("HTCPCP-TEA/1.0 300 Multiple Options\nAlternates: {}\n\n", "300 Some(Htcpcp) []");
    check("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404 Some(Http) []");
    check("HTTP/1.0 406\n\noat milk", "406 Some(Http) [oat milk]");
    check("HTCPCP/1.1 503\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnow\r\n0\r\n\r\n", "503 Some(Htcpcp) [now]");
    check("\r\nHTCPCP/1.1 200 OK\r\nContent-Type: message/coffepot\r\n\r\n", "200 Some(Htcpcp) []");
    check("HTCPCP/1.1 200 OK\r\n\r\nHTCPCP/1.1 400 no\r\n\r\n", "200 Some(Htcpcp) [HTCPCP/1.1 400 no\\r\\n\\r\\n]");
}

#[test]
fn interim_answers_are_passed_over() {
    check("HTCPCP/1.1 100 Continue\r\n\r\nHTCPCP/1.1 102 Brewing\r\nA: b\r\n\r\nHTCPCP/1.1 200 OK\r\n\r\n{}", "200 Some(Htcpcp) [{}]");
    check("HTTP/1.1 100 Continue\n\nHTCPCP/1.0 200 OK\n\n{}", "200 Some(Htcpcp) [{}]");
}

#[test]
fn what_is_no_answer_is_shown() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("the runtime starts");
    for answer in ["{}", "{\"date\": null}", "SSH-2.0-ducky\r\n", "HTCPCP/9\r\n\r\n"] {
        let error = runtime.block_on(read(&[answer.as_bytes()])).expect_err("it is no answer");
        let begin = answer.as_bytes().escape_ascii();
        assert_eq!(error.to_string(), format!("the answer does not begin with a status line but with `{begin}`"));
    }
    for cut in ["", "HTCP", "HTCPCP/1.1 200 OK\r\nServer:"] {
        check(cut, "the connection failed");
    }
    check("HTCPCP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", "the connection failed");
}

#[tokio::test]
async fn the_body_streams_and_dropping_it_closes_the_connection() {
    let (mut pot, stream) = tokio::io::duplex(1 << 16);
    let answering = tokio::spawn(async move {
        let mut buffer = [0; 1024];
        let _ = pot.read(&mut buffer).await.expect("the client asks");
        pot.write_all(b"HTCPCP/1.1 200 OK\r\n\r\nfirst").await.expect("the client reads");
        pot.read(&mut buffer).await
    });
    let mut body = client::send(stream, brew()).await.expect("the answer is one").into_body();
    let frame = body.frame().await.expect("there is a body").expect("it is whole");
    assert_eq!(frame.into_data().ok(), Some(Bytes::from("first")));
    drop(body);
    let read = tokio::time::timeout(Duration::from_secs(10), answering).await.expect("the connection closes");
    assert_eq!(read.expect("nothing panics").expect("the stream ends in order"), 0);
}

#[tokio::test]
async fn a_pot_and_a_client_understand_each_other_over_tcp() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("the loopback is there");
    let address = listener.local_addr().expect("it is bound");
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("the client comes");
        server::serve(stream, &options(), echo, std::future::pending()).await
    });
    let stream = tokio::net::TcpStream::connect(address).await.expect("the pot listens");
    let answer = client::send(stream, brew()).await.expect("the pot answers");
    assert_eq!(answer.extensions().get(), Some(&Dialect::Htcpcp));
    let body = answer.into_body().collect().await.expect("the body ends").to_bytes();
    assert_eq!(body, "BREW coffee://ducky Htcpcp [start]");
    let served = tokio::time::timeout(Duration::from_secs(10), serving).await.expect("the connection closes");
    served.expect("nothing panics").expect("nothing is wrong");
}
