//! The adapter against plain hyper: malformed and contradictory messages go through both, and what the handlers see
//! and the clients get must be the same.
//!
//! What may differ, and why:
//!
//! - A target that is not UTF-8 or that `http::Uri` refuses reaches the handler; plain hyper answers 400.
//! - A head that the client breaks off is answered with 400; plain hyper closes without a word, even where what has
//!   come is malformed.
//! - Where such a target comes together with another fault, the other one is told.
//! - A request with a Transfer-Encoding is the last of its connection.
//! - A BREW or POST without a length may be followed by a command. These messages are neither.

use std::cell::RefCell;
use std::convert::Infallible;

use htcpcp::conn::{Asked, Fault, Target, server};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::mutation::{Lcg, damage};
use crate::table::{options, pick, run};

/// A request that reached a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    method: String,
    /// Nothing if it was broken off.
    body: Option<Bytes>,
    is_encoded: bool,
    /// Whether plain hyper could see it.
    has_uri: bool,
}

/// What became of one connection.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    seen: Vec<Seen>,
    fault: Option<Fault>,
    /// Of all final answers.
    statuses: Vec<String>,
}

/// Notes the request and answers it. Plain hyper knows nothing but the request.
async fn answer(outcome: &RefCell<Outcome>, request: Request<Incoming>, asked: Option<Asked>) -> Response<Full<Bytes>> {
    if let Some(fault) = asked.as_ref().and_then(|asked| asked.fault) {
        outcome.borrow_mut().fault = Some(fault);
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = fault.status();
        return answer;
    }
    let is_uri = |target: &Target| str::from_utf8(target.as_bytes()).is_ok_and(|target| Uri::try_from(target).is_ok());
    let has_uri = asked.is_none_or(|asked| is_uri(&asked.target));
    let method = request.method().to_string();
    let is_encoded = request.headers().contains_key("transfer-encoding");
    let body = request.into_body().collect().await.ok().map(Collected::to_bytes);
    outcome.borrow_mut().seen.push(Seen { method, body, is_encoded, has_uri });
    Response::new(Full::default())
}

/// Sends `pieces`, shuts down the writing side, and reads to the end.
async fn talk(mut client: DuplexStream, pieces: &[&[u8]]) -> Vec<u8> {
    for piece in pieces {
        // Whoever has refused the beginning need not read the rest.
        if client.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let _ = client.shutdown().await;
    let mut said = Vec::new();
    client.read_to_end(&mut said).await.expect("a duplex stream ends in order");
    said
}

/// The codes of the status lines in `said`, which has no bodies.
fn statuses(said: &[u8]) -> Vec<String> {
    let lines = std::str::from_utf8(said).expect("answers are ASCII").lines();
    let codes = lines.filter(|line| line.starts_with("HT")).filter_map(|line| line.split(' ').nth(1));
    codes.filter(|code| *code != "100").map(str::to_owned).collect()
}

async fn through_adapter(pieces: &[&[u8]]) -> Outcome {
    let (pot, client) = tokio::io::duplex(1 << 16);
    let outcome = RefCell::default();
    let options = options();
    let serving = server::serve(pot, &options, |request, asked| answer(&outcome, request, Some(asked)), std::future::pending());
    let (said, _) = tokio::join!(talk(client, pieces), serving);
    Outcome { statuses: statuses(&said), ..outcome.into_inner() }
}

async fn through_hyper(pieces: &[&[u8]]) -> Outcome {
    let (pot, client) = tokio::io::duplex(1 << 16);
    let outcome = RefCell::default();
    let service = service_fn(|request| async { Ok::<_, Infallible>(answer(&outcome, request, None).await) });
    let serving = async {
        http1::Builder::new()
            .half_close(true)
            .title_case_headers(true)
            .header_read_timeout(None)
            .max_header_size(options().head_limit)
            .serve_connection(TokioIo::new(pot), service)
            .await
    };
    let (said, _) = tokio::join!(talk(client, pieces), serving);
    Outcome { statuses: statuses(&said), ..outcome.into_inner() }
}

/// `has_other_lines`: the adapter was given other request lines of the same length, which may stand in bodies, too.
///
/// Errors: how the outcomes differ, but may not.
fn compare(adapter: &Outcome, hyper: &Outcome, has_other_lines: bool) -> Result<(), &'static str> {
    let both = adapter.seen.len().min(hyper.seen.len());
    for (ours, theirs) in adapter.seen.iter().zip(&hyper.seen) {
        let bodies = (&ours.body, &theirs.body);
        let have_same_len = bodies.0.as_ref().map(Bytes::len) == bodies.1.as_ref().map(Bytes::len);
        if ours.method != theirs.method || !have_same_len || !(has_other_lines || bodies.0 == bodies.1) {
            return Err("a handler sees another request");
        }
    }
    if adapter.statuses[..both.min(adapter.statuses.len())] != hyper.statuses[..both.min(hyper.statuses.len())] {
        return Err("requests are answered differently");
    }
    let last_is_encoded = both > 0 && adapter.seen[both - 1].is_encoded;
    if let Some(further) = adapter.seen.get(both) {
        let is_refused = hyper.statuses.get(both).is_some_and(|status| status == "400");
        return if is_refused && !further.has_uri { Ok(()) } else { Err("the adapter lets a request through") };
    }
    if last_is_encoded && adapter.seen.len() == both && adapter.fault.is_none() {
        return Ok(());
    }
    if hyper.seen.len() > both {
        return Err("the adapter loses a request");
    }
    match (adapter.statuses.get(both), hyper.statuses.get(both)) {
        (None, None) => Ok(()),
        (Some(_), None) if adapter.fault.is_some() => Ok(()),
        (Some(_), Some(_)) => Ok(()),
        _ => Err("the end is answered differently"),
    }
}

/// `ours` goes through the adapter and `theirs` through hyper, cut in pieces at the same share of their lengths.
async fn check(ours: &[u8], theirs: &[u8], random: &mut Lcg) {
    let cuts = [random.below(ours.len() + 1), random.below(ours.len() + 1)];
    let pieces = |bytes: &[u8]| {
        let mut cuts = cuts.map(|cut| cut.min(bytes.len()));
        cuts.sort_unstable();
        [bytes[..cuts[0]].to_vec(), bytes[cuts[0]..cuts[1]].to_vec(), bytes[cuts[1]..].to_vec()]
    };
    let (our_pieces, their_pieces) = (pieces(ours), pieces(theirs));
    let adapter = through_adapter(&our_pieces.each_ref().map(Vec::as_slice)).await;
    let hyper = through_hyper(&their_pieces.each_ref().map(Vec::as_slice)).await;
    if let Err(difference) = compare(&adapter, &hyper, ours != theirs) {
        panic!("{difference}:\n{}\n{}\nadapter {adapter:#?}\nhyper {hyper:#?}", ours.escape_ascii(), theirs.escape_ascii());
    }
}

/// A request line for the adapter and the one of the same length that plain hyper is given instead.
const LINES: [(&str, &str); 9] = [
    ("GET / HTTP/1.1", "GET / HTTP/1.1"),
    ("PUT /a?b HTTP/1.1", "PUT /a?b HTTP/1.1"),
    ("PUT /a HTTP/1.0", "PUT /a HTTP/1.0"),
    ("HEAD / HTTP/1.1", "HEAD / HTTP/1.1"),
    ("OPTIONS / HTTP/1.1", "OPTIONS / HTTP/1.1"),
    ("PUT coffee://ducky HTTP/1.1", "PUT /offee://ducky HTTP/1.1"),
    ("PUT /pot-1 HTCPCP/1.1", "PUT /pot-111 HTTP/1.1"),
    ("WHEN pot-1 HTCPCP-TEA/1.0", "WHEN /pot-111111 HTTP/1.0"),
    ("GET caf%C3%E8://ducky HTCPCP/1.0", "GET /af%C3%E8://ducky/t HTTP/1.0"),
];
const NAMES: [&str; 16] = [
    "Content-Length:",
    "content-length: ",
    "CONTENT-LENGTH:\t",
    "Content-Length :",
    "Content-Length",
    "Content-Lengt:",
    " Content-Length: ",
    "Transfer-Encoding: ",
    "transfer-encoding:",
    "Transfer-Encoding\t:",
    "Connection: ",
    "connection:",
    "Expect:",
    "Host: ",
    "X:",
    ":",
];
const VALUES: [&str; 24] = [
    "0",
    "4",
    "5",
    "5",
    "26",
    "26",
    "05",
    "+5",
    "-1",
    "5 ",
    "5\t",
    "5, 5",
    "0x5",
    "",
    "18446744073709551615",
    "99999999999999999999",
    "chunked",
    "chunked",
    "Chunked",
    "gzip, chunked",
    "chunked, gzip",
    "close",
    "keep-alive",
    "100-continue",
];
const LINE_ENDS: [&str; 8] = ["\r\n", "\r\n", "\r\n", "\r\n", "\n", "\n", "\r\r\n", "\r"];
const BODIES: [&str; 16] = [
    "",
    "",
    "stop",
    "start",
    "GET /smuggled HTTP/1.1\r\n\r\n",
    "GET /smuggled HTTP/1.1\r\n\r\n",
    "5\r\nstart\r\n0\r\n\r\n",
    "5\r\nstart\r\n0\r\n\r\n",
    "5;a=\"b\"\r\nstart\r\n0\r\nA: b\r\n\r\n",
    "05\r\nstart\r\n000\r\n\r\n",
    "5\nstart\n0\n\n",
    "5 \r\nstart\r\n0\r\n\r\n",
    "5\r\nstart0\r\n\r\n",
    "ffffffffffffffffff\r\n",
    "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    "\r\n\r\n",
];

/// Up to four messages of these parts, for the adapter and for hyper.
fn generate(random: &mut Lcg) -> (String, String) {
    let (mut ours, mut theirs) = (String::new(), String::new());
    for _ in 0..=random.below(4) {
        let (our_line, their_line) = LINES[random.below(LINES.len())];
        assert_eq!(our_line.len(), their_line.len());
        let body = pick(random, &BODIES);
        let mut rest = pick(random, &["\r\n", "\r\n", "\n"]).to_owned();
        if random.below(2) == 0 {
            rest += &format!("Content-Length: {}\r\n", body.len());
        } else {
            for _ in 0..random.below(4) {
                rest += pick(random, &NAMES);
                rest += pick(random, &VALUES);
                rest += pick(random, &LINE_ENDS);
            }
        }
        rest += pick(random, &["\r\n", "\r\n", "\n"]);
        rest += body;
        ours += our_line;
        ours += &rest;
        theirs += their_line;
        theirs += &rest;
    }
    (ours, theirs)
}

/// How many connections each of the tests makes.
const ROUNDS: usize = 6000;

#[test]
fn malformed_framing_is_read_as_hyper_reads_it() {
    let mut random = Lcg(1);
    run(async {
        for _ in 0..ROUNDS {
            let (ours, theirs) = generate(&mut random);
            check(ours.as_bytes(), theirs.as_bytes(), &mut random).await;
        }
    });
}

#[test]
fn damaged_requests_are_read_as_hyper_reads_them() {
    let mut random = Lcg(2);
    run(async {
        for _ in 0..ROUNDS {
            let mut bytes = generate(&mut random).1.into_bytes();
            for _ in 0..=random.below(3) {
                damage(&mut bytes, &mut random);
            }
            check(&bytes, &bytes, &mut random).await;
        }
    });
}
