//! A web app in this process, before a real pot or a scripted one, each on a port of its own; and a client that speaks
//! raw bytes.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use htcpcp::conn::{listen, server};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pot::clock::Clock;
use pot::kitchen::{Kitchen, Settings};
use pot::store::Store;
use tempfile::TempDir;
use tokio::sync::oneshot;
use webapp::handler::Site;
use webapp::serve::Limits;
use webapp::tls::Acceptor;

/// Long enough for a loaded machine; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server on a thread. It shuts down when dropped.
struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Runs what `serve` makes of a listener and a shutdown.
    fn start<F: Future<Output = ()>>(serve: impl FnOnce(tokio::net::TcpListener, oneshot::Receiver<()>) -> F + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("it can be made so");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
            runtime.block_on(async { serve(tokio::net::TcpListener::from_std(listener).expect("it is non-blocking"), stopped).await });
        });
        Server { address, stop: Some(stop), thread: Some(thread) }
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server does not panic");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The pot, on a clock that a test can move.
pub struct Pot {
    server: Server,
    ahead_ms: Arc<AtomicI64>,
    _folder: TempDir,
}

impl Pot {
    /// Its clock stands.
    pub fn start() -> Pot {
        // Tue, 27 Jun 2023 12:26:59.
        Pot::with(|| Timestamp::constant(1_687_868_819, 0), Duration::from_secs(30))
    }

    /// Its clock runs.
    pub fn ticking(brew_time: Duration) -> Pot {
        Pot::with(Timestamp::now, brew_time)
    }

    fn with(now: fn() -> Timestamp, brew_time: Duration) -> Pot {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("log.sqlite3")).expect("a new log opens");
        let ahead_ms = Arc::new(AtomicI64::new(0));
        let shown = Arc::clone(&ahead_ms);
        let clock = Clock::new(move || now() + Duration::from_millis(shown.load(Ordering::SeqCst) as u64), TimeZone::UTC);
        let settings = Settings { brew_time, milk_time: Duration::from_secs(300), servings: None };
        let kitchen = Arc::new(Kitchen::new(store, settings, clock).expect("the log is empty"));
        let limits = pot::serve::Limits {
            listen: listen::Limits { connections: 64, turned_away: 8, drain_time: Duration::from_secs(10) },
            connection: server::Options::default(),
            body_time: Duration::from_secs(10),
        };
        let server = Server::start(|listener, stopped| async move {
            pot::serve::run(listener, kitchen, limits, async { drop(stopped.await) }).await;
        });
        Pot { server, ahead_ms, _folder: folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Moves the clock.
    pub fn pass(&self, time: Duration) {
        self.ahead_ms.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
    }
}

/// What a scripted pot does when it has been asked.
#[derive(Clone)]
pub enum Script {
    /// Writes this and closes.
    Say(Vec<u8>),
    /// Writes this and stays.
    SayAndStay(Vec<u8>),
    /// Writes this, again and again, as long as it is taken.
    Repeat(Vec<u8>, Duration),
}

impl Script {
    /// A whole answer in the lab's form.
    pub fn answer(status: &str, body: &str) -> Script {
        Script::Say(format!("HTCPCP/1.1 {status}\r\nServer: CoffeePot\r\nDate: Tue, 27 Jun 2023 12:26:59\r\n\r\n{body}").into())
    }
}

/// A pot that follows a script, and remembers what it was asked. Its threads end with the process.
pub struct ScriptedPot {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ScriptedPot {
    pub fn start(script: Script) -> ScriptedPot {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, asked) = (script.clone(), Arc::clone(&noted));
                std::thread::spawn(move || follow(&script, stream.expect("a client connects"), &asked));
            }
        });
        ScriptedPot { address, asked }
    }

    /// The requests so far, byte for byte.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no thread has panicked").clone()
    }
}

fn follow(script: &Script, mut stream: TcpStream, asked: &Mutex<Vec<String>>) {
    // What the web app has not taken when it closes is its business.
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let mut bytes = vec![0; 4096];
    let len = stream.read(&mut bytes).unwrap_or(0);
    asked.lock().expect("no thread has panicked").push(String::from_utf8_lossy(&bytes[..len]).into_owned());
    match script {
        Script::Say(answer) => {
            let _ = stream.write_all(answer);
        }
        Script::SayAndStay(answer) => {
            let _ = stream.write_all(answer);
            let _ = stream.read(&mut bytes);
        }
        Script::Repeat(piece, pause) => {
            while stream.write_all(piece).is_ok() {
                std::thread::sleep(*pause);
            }
        }
    }
}

/// The web app.
pub struct Web {
    server: Server,
}

impl Web {
    /// Before the pot at this address.
    pub fn before(pot: SocketAddr) -> Web {
        Web::with(pot, PATIENCE, None)
    }

    pub fn with(pot: SocketAddr, pot_time: Duration, tls: Option<Acceptor>) -> Web {
        let mut limits = Limits::default();
        // Some tests leave connections to pots that never answer.
        limits.listen.drain_time = Duration::from_secs(1);
        Web::limited(pot, pot_time, tls, limits)
    }

    pub fn limited(pot: SocketAddr, pot_time: Duration, tls: Option<Acceptor>, limits: Limits) -> Web {
        let started = "2023-06-27T00:00:00Z".parse().expect("it is a time");
        let site = Arc::new(Site { pot: webapp::pot::Pot { address: pot.to_string(), time: pot_time }, started });
        let server = Server::start(|listener, stopped| async move {
            webapp::serve::run(listener, site, tls, limits, async { drop(stopped.await) }).await;
        });
        Web { server }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.address())
    }

    /// The response to a GET of `target` with these field lines.
    pub fn get_with(&self, target: &str, fields: &str) -> Response {
        self.ask(&format!("GET {target} HTTP/1.1\r\nHost: ducky\r\n{fields}\r\n"))
    }

    pub fn get(&self, target: &str) -> Response {
        self.get_with(target, "")
    }

    /// The response to these bytes.
    pub fn ask(&self, request: &str) -> Response {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("the web app reads");
        read_response(&mut stream, request.starts_with("HEAD "))
    }

    /// Checks the status of `target` and that its page says all of `says`. Returns the response.
    #[track_caller]
    pub fn check(&self, target: &str, status: u16, says: &[&str]) -> Response {
        let response = self.get(target);
        assert_eq!(response.status, status, "{target}: {}", response.body);
        for text in says {
            assert!(response.body.contains(text), "{target} does not say `{text}`: {}", response.body);
        }
        response
    }

    /// Shuts down and waits for the end.
    pub fn end(&mut self) {
        self.server.end();
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time is set");
    stream
}

/// A response, cut into its parts.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Response {
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Reads one response, by its Content-Length.
pub fn read_response(stream: &mut impl Read, is_to_head: bool) -> Response {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).expect("the response goes on"), 1, "it ends after `{}`", bytes.escape_ascii());
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).expect("a head is ASCII").trim_end().to_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line has a code");
    let mut response = Response { status, head, body: String::new() };
    if !is_to_head && status != 304 {
        let len = response.field("Content-Length").expect("responses have a length").parse().expect("which is a number");
        let mut body = vec![0; len];
        stream.read_exact(&mut body).expect("the body is as long as it says");
        response.body = String::from_utf8_lossy(&body).into_owned();
    }
    response
}
