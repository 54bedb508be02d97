//! How fast the home page is, beside a bare hyper server that answers the same bytes.
//!
//! `home_page bare ADDR` fetches the page once and serves it from memory; `home_page load SECONDS ROUNDS NAME=ADDR/PATH...`
//! measures servers in turn. `scripts/benchmark-webapp` runs both, around the pot and the web app.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Response, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How many connections ask at once, each for one page after the other.
const CONNECTIONS: usize = 16;

fn request(path: &str) -> String {
    format!("GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bare", address] => bare(address).await,
        ["load", seconds, rounds, ref servers @ ..] => load(seconds, rounds, servers).await,
        _ => Err("usage: home_page bare ADDR | home_page load SECONDS ROUNDS NAME=ADDR/PATH...".into()),
    };
    if let Err(error) = outcome {
        eprintln!("home_page: {error}");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Serves what `address` answers now.
async fn bare(address: &str) -> Outcome {
    let mut connection = Connection::open(address.parse()?).await?;
    connection.ask(request("").as_bytes()).await?;
    let (head, body) = connection.last();
    let fields: Vec<_> =
        head.lines().skip(1).filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let body = Bytes::copy_from_slice(body);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("Listening on {}", listener.local_addr()?);
    io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (fields, body) = (fields.clone(), body.clone());
        tokio::spawn(async move {
            let service = service_fn(|_| {
                let mut response = Response::new(Full::new(body.clone()));
                for (name, value) in &fields {
                    let name = header::HeaderName::from_bytes(name.as_bytes()).expect("it was a name");
                    response.headers_mut().insert(name, value.parse().expect("it was a value"));
                }
                async { Ok::<_, io::Error>(response) }
            });
            let _ = http1::Builder::new().title_case_headers(true).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Measures each server in each round, and prints a table. The first one is what the others are compared with.
async fn load(seconds: &str, rounds: &str, servers: &[&str]) -> Outcome {
    let (time, rounds) = (Duration::from_secs_f64(seconds.parse()?), rounds.parse::<usize>()?);
    let mut measured = Vec::new();
    for server in servers {
        let (name, place) = server.split_once('=').ok_or("a server is NAME=ADDR/PATH")?;
        let (address, path) = place.split_once('/').ok_or("a place is ADDR/PATH")?;
        measured.push((name, address.parse()?, request(path), Vec::new()));
    }
    for _ in 0..rounds {
        for (_, address, request, results) in &mut measured {
            results.push(measure(*address, request, time).await?);
        }
    }
    println!("{:<12} {:>6} {:>10} {:>9} {:>9} {:>6}", "server", "rounds", "pages_s", "p50_us", "p99_us", "/bare");
    let mut first = None;
    for (name, _, _, results) in &mut measured {
        results.sort_by(|a, b| a.pages_s.total_cmp(&b.pages_s));
        let median = results[results.len() / 2];
        let ratio = median.pages_s / *first.get_or_insert(median.pages_s);
        println!("{name:<12} {rounds:>6} {:>10.0} {:>9} {:>9} {ratio:>6.2}", median.pages_s, median.p50_us, median.p99_us);
    }
    Ok(())
}

/// What one round gave.
#[derive(Clone, Copy)]
struct Round {
    pages_s: f64,
    p50_us: u128,
    p99_us: u128,
}

async fn measure(address: SocketAddr, request: &str, time: Duration) -> Result<Round, Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let clients = (0..CONNECTIONS).map(|_| {
        let request = request.to_owned();
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut times = Vec::new();
            while begun.elapsed() < time {
                let asked = Instant::now();
                connection.ask(request.as_bytes()).await?;
                times.push(asked.elapsed().as_micros());
            }
            io::Result::Ok(times)
        })
    });
    let mut times = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        times.extend(client.await??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    Ok(Round { pages_s: times.len() as f64 / seconds, p50_us: times[times.len() / 2], p99_us: times[times.len() * 99 / 100] })
}

/// A connection to a server, and what it said last.
struct Connection {
    stream: TcpStream,
    bytes: Vec<u8>,
    head_len: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, bytes: Vec::new(), head_len: 0 })
    }

    /// Sends a request, and reads the response to its end.
    async fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request).await?;
        self.bytes.clear();
        let mut len = usize::MAX;
        while self.bytes.len() < len {
            if self.stream.read_buf(&mut self.bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if len == usize::MAX
                && let Some(head_len) = self.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")
            {
                self.head_len = head_len + 4;
                let (head, _) = self.last();
                if !head.starts_with("HTTP/1.1 200 ") {
                    return Err(io::Error::other(head));
                }
                let field = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
                len = self.head_len + field.and_then(|len| len.parse::<usize>().ok()).ok_or(io::ErrorKind::InvalidData)?;
            }
        }
        Ok(())
    }

    fn last(&self) -> (String, &[u8]) {
        let (head, body) = self.bytes.split_at(self.head_len);
        (String::from_utf8_lossy(head).into_owned(), body)
    }
}
