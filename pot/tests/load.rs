//! A thousand clients at once, honest ones and others: the honest ones all get their answers, in bounded time.

#![cfg(unix)]

mod common;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::process::Process;
use common::{Answer, LAB_GET, PATIENCE, split_answers, try_read_answer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::time::{sleep, timeout};

const CLIENTS: usize = 1000;
/// How many requests an honest client has.
const ROUNDS: usize = 20;
/// How long a pot of these tests waits for a head, or for anything. Nobody who is honest pauses for so long.
const LIMIT: &str = "8s";

/// Requests with the only answer that there is to each, whatever the others do.
const HONEST: [(&str, &str, &str); 4] = [
    ("PROPFIND coffee://ducky/pot-0 HTTP/1.1\r\n\r\n", "HTCPCP/1.1 200 OK", "{}"),
    ("GET /pot-0 HTTP/1.1\r\nHost: ducky\r\n\r\n", "HTTP/1.1 200 OK", "{}"),
    ("GET coffee://psyduck HTTP/1.1\r\n\r\n", "HTCPCP/1.1 404 Not Found", "Another host is asked for; this is ducky"),
    (
        "POST / HTTP/1.1\r\nContent-Type: message/coffeepot\r\nContent-Length: 3\r\n\r\ntea",
        "HTTP/1.1 400 Bad Request",
        "The body of a BREW is start or stop",
    ),
];

/// What a client is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Asks one thing after the other on one connection.
    Steady,
    /// Connects for each request, as the lab's web app does.
    Fickle,
    /// Sends one byte after the other.
    Slow,
    /// Says nothing.
    Silent,
    /// Begins a request and does not go on.
    Unfinished,
    /// Sends what is no request.
    Garbage,
    /// Asks for much and reads nothing.
    Deaf,
    /// Goes away in the middle.
    Gone,
}

/// Of ten clients five are honest.
const MIX: [Manner; 10] = [
    Manner::Steady,
    Manner::Silent,
    Manner::Fickle,
    Manner::Unfinished,
    Manner::Steady,
    Manner::Garbage,
    Manner::Fickle,
    Manner::Deaf,
    Manner::Slow,
    Manner::Gone,
];

/// What the honest ones were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    /// Answers that say what there is to say.
    right: usize,
    /// Answers that there is no place.
    no_place: usize,
}

impl Told {
    #[track_caller]
    fn note(&mut self, answer: &Answer, (request, line, body): (&str, &str, &str)) {
        if answer.code() == 503 {
            assert_eq!(answer.status_line.split(' ').next(), line.split(' ').next(), "{request:?}");
            self.no_place += 1;
        } else {
            assert_eq!((answer.status_line.as_str(), answer.body.as_str()), (line, body), "{request:?}");
            self.right += 1;
        }
    }
}

/// Reads one answer.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    while stream.read_buf(&mut bytes).await? > 0 {
        if let Ok(answer) = try_read_answer(&mut bytes.as_slice(), false) {
            return Ok(answer);
        }
    }
    Err(io::Error::other(format!("nothing comes after `{}`", bytes.escape_ascii())))
}

/// Sends `request` and reads the codes of all that comes until the pot closes.
async fn last_words(stream: &mut TcpStream, request: &[u8]) -> io::Result<Vec<u16>> {
    stream.write_all(request).await?;
    let mut all = String::new();
    stream.read_to_string(&mut all).await?;
    Ok(split_answers(&all).iter().map(Answer::code).collect())
}

/// A client's visit to the pot. `stream` is connected, as those of all others are.
async fn visit(manner: Manner, address: SocketAddr, mut stream: TcpStream) -> io::Result<Told> {
    let mut told = Told::default();
    match manner {
        Manner::Steady | Manner::Fickle => {
            for round in 0..ROUNDS {
                let asked = HONEST[round % HONEST.len()];
                stream.write_all(asked.0.as_bytes()).await?;
                let answer = read(&mut stream).await?;
                told.note(&answer, asked);
                if manner == Manner::Fickle || answer.code() == 503 {
                    stream = TcpStream::connect(address).await?;
                }
            }
        }
        Manner::Slow => {
            let (mut from, mut to) = stream.split();
            let send = async {
                for byte in LAB_GET.bytes() {
                    to.write_all(&[byte]).await?;
                    sleep(Duration::from_millis(20)).await;
                }
                std::future::pending::<io::Result<()>>().await
            };
            // Whoever sends for so long listens meanwhile: an answer may come before the end.
            let answer = tokio::select! {
                biased;
                answer = read(&mut from) => answer?,
                sent = send => return sent.map(|()| told),
            };
            told.note(&answer, (LAB_GET, "HTCPCP/1.1 200 OK", "{}"));
        }
        Manner::Silent => assert!(last_words(&mut stream, b"").await?.is_empty()),
        Manner::Unfinished => {
            let codes = last_words(&mut stream, &LAB_GET.as_bytes()[..40]).await?;
            assert!(codes == [408] || codes == [503], "{codes:?}");
        }
        Manner::Garbage => {
            let codes = last_words(&mut stream, b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\n").await?;
            assert!(codes == [400] || codes == [503], "{codes:?}");
        }
        Manner::Deaf => {
            let requests = LAB_GET.repeat(10_000);
            // It is stopped before it has said all, or cut off.
            let _ = timeout(Duration::from_secs(3), stream.write_all(requests.as_bytes())).await;
        }
        Manner::Gone => stream.write_all(&LAB_GET.as_bytes()[..40]).await?,
    }
    Ok(told)
}

/// Lets all clients visit the pot at once, and returns what the honest ones were told.
fn visit_all(address: SocketAddr) -> Told {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let all_are_there = Arc::new(Barrier::new(CLIENTS));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (manner, all_are_there) = (MIX[client % MIX.len()], Arc::clone(&all_are_there));
                let visit = async move {
                    let stream = TcpStream::connect(address).await?;
                    all_are_there.wait().await;
                    visit(manner, address, stream).await
                };
                (manner, tokio::spawn(timeout(PATIENCE, visit)))
            })
            .collect();
        let mut all = Told::default();
        for (manner, client) in clients {
            let told = client.await.expect("clients do not panic");
            let told = told.unwrap_or_else(|_| panic!("a client waits for ever: {manner:?}"));
            match told {
                Ok(told) => {
                    all.right += told.right;
                    all.no_place += told.no_place;
                }
                // It has not earned anything better.
                Err(_) if matches!(manner, Manner::Deaf | Manner::Gone) => {}
                Err(error) => panic!("{manner:?}: {error}"),
            }
        }
        all
    })
}

/// How many answers the honest ones are owed.
fn owed() -> usize {
    let of = |manner| MIX.iter().filter(|each| **each == manner).count() * CLIENTS / MIX.len();
    (of(Manner::Steady) + of(Manner::Fickle)) * ROUNDS + of(Manner::Slow)
}

/// Lets a thousand clients visit a pot with this many places. `None`, and said, where the system does not allow so many.
fn check(places: &str) -> Option<Told> {
    // Both tests may run at once.
    let needed = 2 * CLIENTS as u64 + 500;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let raised = Rlimit { current: Some(needed), ..limit };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            eprintln!("skipped: the system does not allow {needed} open files: {error}");
            return None;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let pot = Process::start(&folder.path().join("log"), &["--connections", places, "--idle-time", LIMIT, "--head-time", LIMIT]);
    let told = visit_all(pot.address);
    assert_eq!(told.right + told.no_place, owed(), "{told:?}");
    Some(told)
}

#[test]
fn a_thousand_clients_at_once_and_the_honest_ones_are_answered() {
    if let Some(told) = check("1200") {
        assert_eq!(told.no_place, 0, "there was a place for each of them");
    }
}

#[test]
fn twice_as_many_clients_as_places_and_nobody_waits_for_ever() {
    if let Some(told) = check("500") {
        assert!(told.right > 0 && told.no_place > 0, "{told:?}");
    }
}
