//! A pot in this process on a port of its own, with a clock that stands until a test moves it; a client that speaks raw
//! bytes; the program itself (`process`); and chance that is the same in every run (`random`).

#![allow(dead_code, reason = "each test file uses its part")]

pub mod process;
pub mod random;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use htcpcp::conn::{listen, server};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pot::clock::Clock;
use pot::kitchen::{Kitchen, Settings};
use pot::serve::{self, Limits};
use pot::store::Store;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Long enough for a loaded machine; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running pot. It ends when dropped.
pub struct Pot {
    pub address: SocketAddr,
    now_ms: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    _folder: TempDir,
}

/// How a pot of a test differs from the usual one.
pub struct Setup {
    pub limits: Limits,
    pub settings: Settings,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            limits: Limits {
                listen: listen::Limits { connections: 64, turned_away: 8, drain_time: Duration::from_secs(10) },
                connection: server::Options { refusal_fields: pot::answer::refusal_fields(), ..server::Options::default() },
                body_time: Duration::from_secs(10),
            },
            settings: Settings { brew_time: Duration::from_secs(30), milk_time: Duration::from_secs(300), servings: None },
        }
    }
}

impl Pot {
    pub fn start() -> Pot {
        Pot::with(Setup::default())
    }

    pub fn with(setup: Setup) -> Pot {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("log.sqlite3")).expect("a new log opens");
        // Tue, 27 Jun 2023 12:26:59.
        let now_ms = Arc::new(AtomicI64::new(1_687_868_819_000));
        let shown = Arc::clone(&now_ms);
        let now = move || Timestamp::from_millisecond(shown.load(Ordering::SeqCst)).expect("tests stay in our time");
        let kitchen = Arc::new(Kitchen::new(store, setup.settings, Clock::new(now, TimeZone::UTC)).expect("the log is empty"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = oneshot::channel();
        let server = std::thread::spawn(move || {
            runtime.block_on(serve::run(listener, kitchen, setup.limits, async { drop(stopped.await) }));
        });
        Pot { address, now_ms, stop: Some(stop), server: Some(server), _folder: folder }
    }

    /// Moves the clock.
    pub fn pass(&self, time: Duration) {
        self.now_ms.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// The answer to `request` on a connection of its own.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        ask(self.address, request)
    }

    /// Sends `request`, says that nothing more comes, and returns all that the pot says until it closes.
    pub fn all_answers(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_ref()).expect("the pot reads");
        stream.shutdown(Shutdown::Write).expect("we can stop");
        read_all(&mut stream)
    }

    pub fn begin_shutdown(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Shuts down and waits for the end.
    pub fn end(&mut self) {
        self.begin_shutdown();
        if let Some(server) = self.server.take() {
            server.join().expect("the server does not panic");
        }
    }
}

impl Drop for Pot {
    fn drop(&mut self) {
        self.end();
    }
}

/// A connection to the pot at `address`.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the pot listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time is set");
    stream.set_nodelay(true).expect("small writes leave at once");
    stream
}

/// The answer of the pot at `address` to `request` on a connection of its own.
pub fn ask(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut stream = connect(address);
    stream.write_all(request.as_ref()).expect("the pot reads");
    read_answer(&mut stream, request.as_ref().starts_with(b"HEAD "))
}

/// Waits until `is_so`, which has to become true in time.
#[track_caller]
pub fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "it does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Everything until the pot closes.
pub fn read_all(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("the pot closes");
    String::from_utf8(all).expect("the pot speaks ASCII")
}

/// An answer, cut into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status_line: String,
    /// Names as they were written, in order.
    pub fields: Vec<(String, String)>,
    pub body: String,
    pub len_bytes: usize,
}

impl Answer {
    pub fn code(&self) -> u16 {
        self.status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line has a code")
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    pub fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// The answers that `all` consists of, none of them to a HEAD.
pub fn split_answers(all: &str) -> Vec<Answer> {
    let mut rest = all.as_bytes();
    std::iter::from_fn(|| (!rest.is_empty()).then(|| read_answer(&mut rest, false))).collect()
}

/// Reads one answer, by its Content-Length; one to a HEAD has no body.
#[track_caller]
pub fn read_answer(stream: &mut impl Read, to_head: bool) -> Answer {
    try_read_answer(stream, to_head).unwrap_or_else(|error| panic!("no answer: {error}"))
}

/// The same of a pot that may end in the middle of it.
pub fn try_read_answer(stream: &mut impl Read, to_head: bool) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        let read = stream.read_exact(&mut byte);
        read.map_err(|error| io::Error::new(error.kind(), format!("after `{}`: {error}", bytes.escape_ascii())))?;
        bytes.extend(byte);
    }
    let head = String::from_utf8(bytes).expect("a head is ASCII");
    let mut lines = head.trim_end().split("\r\n");
    let status_line = lines.next().expect("a head has a line").to_string();
    let fields = lines.map(|line| line.split_once(": ").expect("a field has a colon"));
    let fields = fields.map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let mut answer = Answer { status_line, fields, body: String::new(), len_bytes: head.len() };
    if !to_head {
        let len = answer.field("Content-Length").expect("answers have a length").parse().expect("which is a number");
        let mut body = vec![0; len];
        stream.read_exact(&mut body)?;
        answer.body = String::from_utf8(body).expect("a body is ASCII");
        answer.len_bytes += len;
    }
    Ok(answer)
}

/// A BREW as the lab's web app sends it.
pub fn lab_brew(more_fields: &str, body: &str) -> String {
    format!("BREW coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n{more_fields}\r\n{body}")
}

/// A GET as the lab's web app sends it.
pub const LAB_GET: &str = "GET coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\r\n";

pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}
