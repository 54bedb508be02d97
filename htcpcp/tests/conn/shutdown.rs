//! What becomes of a connection when the pot is shut down.

use std::time::Duration;

use htcpcp::conn::{Asked, server};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::table::{answers, echo, options, read_all, run};

/// Answers what begins with `/slow` after a second.
async fn handler(request: Request<Incoming>, asked: Asked) -> Response<Full<Bytes>> {
    if request.uri().path().starts_with("/slow") {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    echo(request, asked).await
}

/// Sends `before`, shuts down 100 ms later, and sends `after` 1 ms after that, without ever closing. `expected`: the
/// answers, and how many milliseconds after the shutdown the connection was closed.
#[track_caller]
fn check(before: &str, after: &str, expected: &[&str], closed_ms: u128) {
    let (said, took) = run(async {
        let (pot, mut client) = tokio::io::duplex(4096);
        let begin = Instant::now();
        let serving = tokio::spawn(async move {
            let shutdown = tokio::time::sleep(Duration::from_millis(100));
            server::serve(pot, &options(), handler, shutdown).await
        });
        client.write_all(before.as_bytes()).await.expect("the pot reads");
        tokio::time::sleep(Duration::from_millis(101)).await;
        // The pot may be gone.
        let _ = client.write_all(after.as_bytes()).await;
        let said = (read_all(&mut client).await, begin.elapsed());
        serving.await.expect("nothing panics").expect("a shutdown is no error");
        said
    });
    assert_eq!(answers(&said), expected);
    let fields = String::from_utf8_lossy(&said).matches("Connection:").count();
    assert!(fields <= 1, "{}", said.escape_ascii());
    assert_eq!(took.as_millis().saturating_sub(101), closed_ms);
}

#[test]
fn idle_connections_close_at_once() {
    check("", "", &[], 0);
    check("\r\n", "", &[], 0);
    check("GET / HTTP/1.1\r\n\r\n", "", &["HTTP/1.1 200 OK: GET / Http []"], 0);
}

#[test]
fn a_head_that_is_not_complete_is_not_waited_for() {
    check("GET / HTTP/1.1\r\n", "\r\n", &[], 0);
    check("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n", "\r\n", &["HTTP/1.1 200 OK: GET / Http []"], 0);
}

#[test]
fn what_runs_is_answered_and_says_that_it_is_the_last() {
    check("GET /slow HTTP/1.1\r\n\r\n", "", &["HTTP/1.1 200 OK close: GET /slow Http []"], 899);
    check("GET /slow HTCPCP/1.0\r\n\r\n", "", &["HTCPCP/1.0 200 OK close: GET /slow Htcpcp []"], 899);
    check("GET /slow HTTP/1.1\r\nConnection: close\r\n\r\n", "", &["HTTP/1.1 200 OK close: GET /slow Http []"], 899);
    check("GET /slow HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", &["HTTP/1.1 200 OK close: GET /slow Http []"], 899);
}

#[test]
fn a_body_that_is_on_its_way_is_received() {
    check("PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nst", "art", &["HTTP/1.1 200 OK close: PUT / Http [start]"], 0);
}

#[test]
fn an_interim_answer_is_not_the_last() {
    check(
        "PUT /slow HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        "start",
        &["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK close: PUT /slow Http [start]"],
        899,
    );
}

#[test]
fn requests_that_have_been_received_are_answered() {
    check(
        "GET /slow HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET /slow/2 HTTP/1.1\r\n\r\nGET / HT",
        "TP/1.1\r\n\r\n",
        &["HTTP/1.1 200 OK: GET /slow Http []", "HTTP/1.1 200 OK: GET / Http []", "HTTP/1.1 200 OK close: GET /slow/2 Http []"],
        1899,
    );
}

#[test]
fn a_head_that_waits_for_its_command_is_answered() {
    check("BREW coffee: HTTP/1.1\r\n\r\n", "start", &["HTCPCP/1.1 200 OK close: BREW coffee: Htcpcp [start]"], 0);
    check("BREW coffee: HTTP/1.1\r\n\r\n", "", &["HTCPCP/1.1 200 OK close: BREW coffee: Htcpcp []"], 99);
}
