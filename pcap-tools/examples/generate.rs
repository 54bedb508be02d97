//! Writes a large capture of made-up traffic, to measure readers with.
//!
//! In: a kind of traffic, a size, a path. Out: a pcapng file (Ethernet, IPv4, µs), and on standard output what it holds.
//! Left to others: measuring (`scripts/benchmark`), and captures with a meaning (`sample_capture/`).
//!
//! The same arguments give the same bytes on every machine. Only the open connections are held in memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use pcap_tools::craft::{self, Conversation, Endian, Pcapng, Random, Segment, Side};

const SEED: u64 = 2324;
/// Connections that are open at the same time.
const OPEN_AT_ONCE: usize = 75;
/// Payload bytes of a full segment.
const SEGMENT_LEN: usize = 1_448;
const BODY_LEN: usize = 1_000_000;
/// What one *bulk* exchange takes up in the file: 691 segments, 346 acknowledgements, a request.
const BULK_EXCHANGE_LEN: u64 = 1_092_500;
const BULK_CONNECTIONS_PER_GB: u64 = 300;
/// A *bulk* body is handed out in pieces of this length, so that open connections stay small.
const PIECE_LEN: usize = 32 * SEGMENT_LEN;
/// Bodies are cut out of a text of this length, at places of their own.
const TEXT_LEN: usize = BODY_LEN + 65_536;
/// Link, network and transport header without options, and the Enhanced Packet Block around them.
const HEADERS_LEN: usize = 14 + 20 + 20;
const BLOCK_LEN: usize = 32;
const IF_NAME: u16 = 2;

/// Client addresses; a prime, so that neighbours in time differ. Each counts its ports upwards like an operating system.
const CLIENTS: u64 = 4_093;
const PORTS: Range<u64> = 32_768..61_000;
/// Beyond this, clients would run out of ports and pairs of addresses and ports would come again.
const MAX_LEN: u64 = 100_000_000_000;

/// Write a large capture of made-up traffic, to measure readers of captures with.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// What the connections carry
    kind: Kind,
    /// About how large the file becomes: a number and kB, MB, GB, KiB, MiB, GiB or nothing for bytes; at most 100GB
    #[arg(value_parser = parse_len)]
    size: u64,
    /// Where to write it (pcapng); an existing file is replaced
    path: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  generate small 1GB small.pcapng         2 million packets, 120,000 connections
  generate bulk 1GB bulk.pcapng           1 million packets, 300 connections
  generate htcpcp 10MB htcpcp.pcapng      83,000 packets, 7,400 connections

Everything is Ethernet and IPv4 with right lengths and checksums, 75 connections open at a time, 10 to 20 µs from \
packet to packet, and no pair of addresses and ports comes twice. The same arguments give the same bytes.

Standard output says what was made, one `key: value` a line. Except in mixed-losses, a reader should find \
every exchange:
  tshark -r small.pcapng -Y http -T fields -e http.request_in | grep -c .";

/// The kinds of traffic.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Short HTTP/1.1 connections: one browser's request, an answer of a few segments (200, 302, 304 or 404), closed
    Small,
    /// Few long ones: keep-alive connections, each with several responses of 1 MB; at least 3 MB, whatever the size
    Bulk,
    /// As small, but of 100 segments the capture lost one, has one twice, and has one behind its successor
    MixedLosses,
    /// The lab's coffee dialect on port 5030: one exchange a connection, no Content-Length, the body ends at FIN
    Htcpcp,
    /// The same exchanges in words of plain HTTP on port 80, of the same lengths: for what HTCPCP costs beside HTTP
    HtcpcpAsHttp,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has had enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate: cannot write {}: {error}", arguments.path.display());
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let made = write_capture(arguments, File::create(&arguments.path)?)?;
    made.print(&mut io::stdout().lock())
}

fn write_capture(arguments: &Arguments, to: impl Write) -> io::Result<Made> {
    let mut traffic = Traffic::new(arguments.kind, arguments.size);
    let mut capture = Capture::new(BufWriter::with_capacity(1 << 18, to))?;
    while let Some((client, server, segment)) = traffic.next_segment(capture.time_us) {
        capture.write(&segment.to_packet(client, server))?;
    }
    capture.out.flush()?;
    Ok(Made { packets: capture.packets, len_bytes: capture.len_bytes, ..traffic.made })
}

fn parse_len(text: &str) -> Result<u64, String> {
    let digits_len = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, unit) = text.split_at(digits_len);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => {
            return Err(format!("`{unit}` is not a unit; write for instance 100MB or 1GiB"));
        }
    };
    let number: u64 = digits.parse().map_err(|_| "begin with a whole number, as in 100MB".to_owned())?;
    match number.checked_mul(factor) {
        Some(len) if len <= MAX_LEN => Ok(len),
        _ => Err("100GB is the most: larger captures would run out of client ports".to_owned()),
    }
}

/// What a capture holds.
#[derive(Default)]
struct Made {
    len_bytes: u64,
    packets: u64,
    connections: u64,
    exchanges: u64,
    dropped: u64,
    repeated: u64,
    swapped: u64,
}

impl Made {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let rows = [
            ("len_bytes", self.len_bytes),
            ("packets", self.packets),
            ("connections", self.connections),
            ("exchanges", self.exchanges),
            ("dropped", self.dropped),
            ("repeated", self.repeated),
            ("swapped", self.swapped),
        ];
        rows.iter().try_for_each(|(key, value)| writeln!(out, "{key}: {value}"))
    }
}

/// The file: packets get a time and an Ethernet header, and leave memory at once.
struct Capture<W: Write> {
    out: W,
    pcapng: Pcapng,
    random: Random,
    /// Of the next packet, since the Unix epoch.
    time_us: u64,
    packets: u64,
    len_bytes: u64,
}

impl<W: Write> Capture<W> {
    fn new(mut out: W) -> io::Result<Self> {
        let mut pcapng = Pcapng::new(Endian::Little);
        pcapng.interface(craft::ETHERNET, 0, &[(IF_NAME, b"made-up".to_vec())]);
        let head = pcapng.take_bytes();
        out.write_all(&head)?;
        Ok(Self { out, pcapng, random: Random::new(SEED), time_us: craft::START_NS / 1_000, packets: 0, len_bytes: head.len() as u64 })
    }

    fn write(&mut self, packet: &[u8]) -> io::Result<()> {
        self.pcapng.packet(0, self.time_us, &craft::ethernet(&[], packet));
        let bytes = self.pcapng.take_bytes();
        self.time_us += 10 + self.random.below(11) as u64;
        self.packets += 1;
        self.len_bytes += bytes.len() as u64;
        self.out.write_all(&bytes)
    }
}

/// All connections of a capture: those open now, and the means to open more.
struct Traffic {
    kind: Kind,
    random: Random,
    text: Vec<u8>,
    open: Vec<Open>,
    /// What is still to be opened.
    budget: Budget,
    made: Made,
}

/// What is left to be made.
enum Budget {
    /// Bytes in the file, for connections of one exchange.
    Bytes(u64),
    /// Connections, and exchanges to be shared out evenly among them.
    Exchanges { connections: u64, exchanges: u64 },
}

/// A connection: segments that are ready, and how to get more.
struct Open {
    conversation: Conversation,
    ready: VecDeque<Segment>,
    stage: Stage,
    exchanges_left: u64,
}

/// What an open connection does once its ready segments have been sent.
enum Stage {
    /// Ask for another body, or close if enough were fetched.
    Request,
    /// Send this part of the text.
    Body(Range<usize>),
    /// Nothing.
    Done,
}

impl Traffic {
    fn new(kind: Kind, len_bytes: u64) -> Self {
        let mut random = Random::new(SEED);
        let budget = match kind {
            Kind::Bulk => {
                let connections = (len_bytes * BULK_CONNECTIONS_PER_GB / 1_000_000_000).max(3);
                let exchanges = (len_bytes / BULK_EXCHANGE_LEN).max(connections);
                Budget::Exchanges { connections, exchanges }
            }
            Kind::Small | Kind::MixedLosses | Kind::Htcpcp | Kind::HtcpcpAsHttp => Budget::Bytes(len_bytes),
        };
        Self { kind, text: text(&mut random, TEXT_LEN), random, open: Vec::with_capacity(OPEN_AT_ONCE), budget, made: Made::default() }
    }

    /// A segment of one of the open connections, with the addresses of client and server; `None` at the end.
    fn next_segment(&mut self, time_us: u64) -> Option<(SocketAddr, SocketAddr, Segment)> {
        loop {
            while self.open.len() < OPEN_AT_ONCE
                && let Some(next) = self.next_connection(time_us)
            {
                self.open.push(next);
            }
            if self.open.is_empty() {
                return None;
            }
            let chosen = self.random.below(self.open.len());
            let open = &mut self.open[chosen];
            if open.ready.is_empty() {
                open.proceed(&self.text, &mut self.random, time_us);
            }
            match open.ready.pop_front() {
                Some(segment) => {
                    return Some((open.conversation.client, open.conversation.server, segment));
                }
                None => drop(self.open.swap_remove(chosen)),
            }
        }
    }

    fn next_connection(&mut self, time_us: u64) -> Option<Open> {
        let exchanges = match &mut self.budget {
            Budget::Bytes(0) | Budget::Exchanges { connections: 0, .. } => return None,
            Budget::Bytes(_) => 1,
            Budget::Exchanges { connections, exchanges } => {
                let share = exchanges.div_ceil(*connections);
                *connections -= 1;
                *exchanges -= share;
                share
            }
        };
        let mut open = Open::new(self.made.connections, self.kind, exchanges, &mut self.random);
        self.made.connections += 1;
        self.made.exchanges += exchanges;
        match self.kind {
            Kind::Bulk => return Some(open),
            Kind::Small | Kind::MixedLosses => browse(&mut open.conversation, &self.text, &mut self.random, time_us),
            Kind::Htcpcp => brew(&mut open.conversation, &mut self.random, time_us),
            Kind::HtcpcpAsHttp => {
                brew(&mut open.conversation, &mut self.random, time_us);
                open.conversation.segments.iter_mut().for_each(|segment| say_in_http(&mut segment.payload));
            }
        }
        if self.kind == Kind::MixedLosses {
            self.harm(&mut open.conversation.segments);
        }
        open.finish();
        if let Budget::Bytes(left) = &mut self.budget {
            *left = left.saturating_sub(open.ready.iter().map(len_in_file).sum());
        }
        Some(open)
    }

    /// Drops, repeats, and swaps with its successor one segment in a hundred each.
    fn harm(&mut self, segments: &mut Vec<Segment>) {
        let mut harmed = Vec::with_capacity(segments.len() + 1);
        let mut intact = std::mem::take(segments).into_iter().peekable();
        while let Some(segment) = intact.next() {
            match self.random.below(100) {
                0 => self.made.dropped += 1,
                1 => {
                    self.made.repeated += 1;
                    harmed.extend([segment.clone(), segment]);
                }
                2 if intact.peek().is_some() => {
                    self.made.swapped += 1;
                    harmed.extend(intact.next());
                    harmed.push(segment);
                }
                _ => harmed.push(segment),
            }
        }
        *segments = harmed;
    }
}

impl Open {
    fn new(index: u64, kind: Kind, exchanges: u64, random: &mut Random) -> Self {
        let port = if kind == Kind::Htcpcp { 5030 } else { 80 };
        let server = Ipv4Addr::new(198, 51, 100, 1 + random.below(8) as u8);
        let sequence = random.number();
        let mut conversation =
            Conversation::new(client(index), (server, port).into()).starting_at(sequence as u32, (sequence >> 32) as u32);
        conversation.handshake();
        Self { conversation, ready: VecDeque::new(), stage: Stage::Request, exchanges_left: exchanges }
    }

    /// Takes over what the conversation holds as all that there will be.
    fn finish(&mut self) {
        self.ready.extend(self.conversation.segments.drain(..));
        self.stage = Stage::Done;
    }

    /// Makes the next piece of a *bulk* connection ready.
    fn proceed(&mut self, text: &[u8], random: &mut Random, time_us: u64) {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Done => {}
            Stage::Request if self.exchanges_left == 0 => {
                self.conversation.close(Side::Client);
                self.finish();
            }
            Stage::Request => {
                self.exchanges_left -= 1;
                let body = place(text, BODY_LEN, random);
                let request = download_request(&self.conversation, random);
                let head = download_head(time_us);
                let split = body.start + PIECE_LEN - head.len();
                self.conversation.client(request).ack(Side::Server);
                answer(&mut self.conversation, &[head.as_bytes(), &text[body.start..split]].concat());
                self.ready.extend(self.conversation.segments.drain(..));
                self.stage = Stage::Body(split..body.end);
            }
            Stage::Body(rest) => {
                let split = rest.end.min(rest.start + PIECE_LEN);
                answer(&mut self.conversation, &text[rest.start..split]);
                self.ready.extend(self.conversation.segments.drain(..));
                self.stage = if split == rest.end { Stage::Request } else { Stage::Body(split..rest.end) };
            }
        }
    }
}

/// The client of the connection with this index: no two have one address and port.
fn client(index: u64) -> SocketAddr {
    let host = index % CLIENTS;
    let ports = PORTS.end - PORTS.start;
    let port = PORTS.start + (host * 7_919 + index / CLIENTS) % ports;
    let address = Ipv4Addr::new(10, 1 + (host >> 8) as u8, host as u8, 2 + (host % 250) as u8);
    (address, port as u16).into()
}

fn len_in_file(segment: &Segment) -> u64 {
    let frame_len = HEADERS_LEN + segment.options.len() + segment.payload.len();
    (BLOCK_LEN + frame_len.next_multiple_of(4)) as u64
}

/// The server sends `bytes` in full segments; the client acknowledges every second one, and the last.
fn answer(conversation: &mut Conversation, bytes: &[u8]) {
    for pair in bytes.chunks(2 * SEGMENT_LEN) {
        conversation.server_in(pair, SEGMENT_LEN).ack(Side::Client);
    }
}

/// One exchange of a *small* connection, and its end.
fn browse(conversation: &mut Conversation, text: &[u8], random: &mut Random, time_us: u64) {
    let status = pick(random, &[(74, 200), (5, 302), (12, 304), (9, 404)]);
    let page = random.below(100_000);
    let (path, content_type, destination) = pick(
        random,
        &[
            (40, (format!("/menu/page-{page}.html"), "text/html; charset=utf-8", "document")),
            (20, (format!("/assets/style-{page}.css"), "text/css; charset=utf-8", "style")),
            (25, (format!("/assets/script-{page}.js"), "text/javascript; charset=utf-8", "script")),
            (15, (format!("/assets/picture-{page}.bin"), "application/octet-stream", "image")),
        ],
    );
    let host = conversation.server.ip();
    let date = date(time_us);
    let validator = format!("\"{:016x}\"", random.number());
    let mut request = browser_head(&path, &host.to_string(), destination);
    if status == 304 {
        request += &format!("If-None-Match: {validator}\r\nIf-Modified-Since: Mon, 26 Jun 2023 08:00:00 GMT\r\n");
    }
    request += "\r\n";
    let body_len = match status {
        200 => 500 + random.below(16_100),
        404 => 200 + random.below(400),
        _ => 0,
    };
    let head = format!("Server: made-up/1.0\r\nDate: {date} GMT\r\nConnection: close\r\n");
    let head = match status {
        200 => format!(
            "HTTP/1.1 200 OK\r\n{head}ETag: {validator}\r\nCache-Control: max-age=3600\r\n\
             Content-Type: {content_type}\r\nContent-Length: {body_len}\r\n\r\n"
        ),
        302 => format!("HTTP/1.1 302 Found\r\n{head}Location: /menu/page-{page}.html\r\nContent-Length: 0\r\n\r\n"),
        304 => format!("HTTP/1.1 304 Not Modified\r\n{head}ETag: {validator}\r\n\r\n"),
        _ => format!(
            "HTTP/1.1 404 Not Found\r\n{head}Content-Type: text/html; charset=utf-8\r\n\
             Content-Length: {body_len}\r\n\r\n"
        ),
    };
    conversation.client(request).ack(Side::Server);
    answer(conversation, &[head.as_bytes(), &text[place(text, body_len, random)]].concat());
    hang_up(conversation, random);
}

/// Mostly the server closes, and mostly the other end's FIN carries the acknowledgement of the first.
fn hang_up(conversation: &mut Conversation, random: &mut Random) {
    let first = pick(random, &[(85, Side::Server), (15, Side::Client)]);
    match random.below(5) {
        0 => conversation.close(first),
        _ => conversation.fin(first).fin(first.other()).ack(first),
    };
}

/// A browser's request head, up to the blank line that is still to come.
fn browser_head(path: &str, host: &str, destination: &str) -> String {
    let mode = if destination == "document" { "navigate" } else { "no-cors" };
    format!(
        "GET {path} HTTP/1.1\r\n\
         Host: {host}\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n\
         Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n\
         Accept-Encoding: gzip, deflate\r\n\
         Referer: http://{host}/menu/\r\n\
         Sec-Fetch-Dest: {destination}\r\n\
         Sec-Fetch-Mode: {mode}\r\n\
         Sec-Fetch-Site: same-origin\r\n\
         Connection: keep-alive\r\n"
    )
}

fn download_request(conversation: &Conversation, random: &mut Random) -> String {
    let path = format!("/archive/part-{}.bin", random.below(1_000_000));
    browser_head(&path, &conversation.server.ip().to_string(), "empty") + "\r\n"
}

fn download_head(time_us: u64) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n\
         Server: made-up/1.0\r\n\
         Date: {} GMT\r\n\
         Content-Type: application/octet-stream\r\n\
         Content-Length: {BODY_LEN}\r\n\
         Connection: keep-alive\r\n\r\n",
        date(time_us)
    )
}

/// One exchange of the lab's dialect; the pot closes after its answer.
fn brew(conversation: &mut Conversation, random: &mut Random, time_us: u64) {
    let order = pick(random, ORDERS);
    let request = format!("{}\r\nContent-Type: {}\r\n{}\r\n", order.start_line, order.content_type, order.headers);
    match (order.body, random.below(2)) {
        // The legacy client sends the body in the same segment or in the next one.
        (Some(body), 0) => conversation.client(request).client(body),
        (Some(body), _) => conversation.client(request + body),
        (None, _) => conversation.client(request),
    };
    let response = format!(
        "HTCPCP/1.1 {}\r\nServer: CoffeePot\r\nContent-Type: message/coffeepot\r\nDate: {}\r\n\r\n{}",
        order.status,
        date(time_us),
        order.answer
    );
    conversation.ack(Side::Server);
    answer(conversation, response.as_bytes());
    conversation.close(Side::Server);
}

/// The words of HTCPCP that HTTP does not know, and others of the same length; what the version lacks, the server has.
const IN_HTTP: [(&str, &str); 7] = [
    ("HTCPCP/1.1 ", "HTTP/1.1 "),
    ("Server: CoffeePot\r", "Server: CoffeePot/2\r"),
    ("BREW ", "POST "),
    ("WHEN ", "LOCK "),
    ("MILK ", "COPY "),
    ("coffee://ducky", "http://ducky/x"),
    ("coffee://psyduck", "http://psyduck/x"),
];

fn say_in_http(payload: &mut Vec<u8>) {
    let text = String::from_utf8(std::mem::take(payload)).expect("the pot's words are text");
    *payload = IN_HTTP.iter().fold(text, |text, (coffee, http)| text.replacen(coffee, http, 1)).into_bytes();
}

/// A request to the pot, and what the pot says to it.
#[derive(Clone, Copy)]
struct Order {
    start_line: &'static str,
    content_type: &'static str,
    headers: &'static str,
    body: Option<&'static str>,
    status: &'static str,
    answer: &'static str,
}

const BREW: Order = Order {
    start_line: "BREW coffee://ducky HTTP/1.1",
    content_type: "application/coffee-pot-command",
    headers: "Accept-Additions: cream; vanilla\r\nUse-Pot: ducky\r\n",
    body: Some("start"),
    status: "200 OK",
    answer: "{}",
};
const GET: Order = Order {
    start_line: "GET coffee://ducky HTTP/1.1",
    headers: "",
    body: None,
    answer: r#"{"date": "Tue, 27 Jun 2023 09:39:59", "beverage_type": "Coffee", "additions": ["cream", "vanilla"], "brew_time_end": "Tue, 27 Jun 2023 09:40:29", "pour_milk_start": "Tue, 27 Jun 2023 09:40:29", "coffee_bean": {"name": "Made-up Beans", "profile": "Nutty, Sweet", "origin": "Nowhere", "type": "Blend", "strength": "3/5", "roast": "Medium"}, "pour_milk_stop": false}"#,
    ..BREW
};

/// With how often, of a hundred, each is sent.
const ORDERS: &[(usize, Order)] = &[
    (30, BREW),
    (30, GET),
    (5, Order { answer: "{}", ..GET }),
    (
        8,
        Order {
            start_line: "PROPFIND coffee://ducky HTTP/1.1",
            answer: r#"{"name": "Made-up Beans", "profile": "Nutty, Sweet", "origin": "Nowhere", "type": "Blend", "strength": "3/5", "roast": "Medium"}"#,
            ..GET
        },
    ),
    (4, Order { start_line: "WHEN coffee://ducky HTTP/1.1", answer: "{}", ..GET }),
    (4, Order { start_line: "POST coffee://ducky HTTP/1.1", body: Some("stop"), ..BREW }),
    (5, Order { status: "406 Not Acceptable", answer: "Pot is busy", ..BREW }),
    (
        4,
        Order {
            headers: "Accept-Additions: tea\r\nUse-Pot: ducky\r\n",
            status: "406 Not Acceptable",
            answer: "cream, half-and-half, whole-milk, part-skim, skim, vanilla, almond, raspberry, whisky, rum",
            ..BREW
        },
    ),
    (4, Order { headers: "Use-Pot: tea\r\n", status: "418 I'm a teapot", answer: "", ..BREW }),
    (2, Order { start_line: "BREW caffeine://ducky HTTP/1.1", status: "400 Bad Request", answer: "", ..BREW }),
    (2, Order { start_line: "BREW coffee://psyduck HTTP/1.1", status: "404 Not Found", answer: "", ..BREW }),
    (1, Order { content_type: "text/plain", status: "415 Unsupported Media Type", answer: "", ..BREW }),
    (1, Order { start_line: "MILK coffee://ducky HTTP/1.1", status: "501 Not Implemented", answer: "", ..BREW }),
];

/// One of `choices`, each as often as its weight says; the weights' sum is 100.
fn pick<T: Clone>(random: &mut Random, choices: &[(usize, T)]) -> T {
    let mut left = random.below(100);
    for (weight, choice) in choices {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return choice.clone(),
        }
    }
    unreachable!("the weights sum up to 100")
}

/// Where a body of this length is cut out of the text.
fn place(text: &[u8], len: usize, random: &mut Random) -> Range<usize> {
    let start = random.below(text.len() - len + 1);
    start..start + len
}

/// Lines of made-up words, of exactly `len` bytes.
fn text(random: &mut Random, len: usize) -> Vec<u8> {
    const SYLLABLES: [&str; 16] = ["ka", "fe", "mo", "cha", "lat", "te", "bra", "si", "lo", "ro", "sta", "bea", "ns", "cre", "ma", "pot"];
    let mut text = Vec::with_capacity(len + 8);
    while text.len() < len {
        for _ in 0..1 + random.below(4) {
            text.extend_from_slice(SYLLABLES[random.below(SYLLABLES.len())].as_bytes());
        }
        text.push(if random.below(10) == 0 { b'\n' } else { b' ' });
    }
    text.truncate(len);
    text
}

/// The time of a message, as its `Date` says it, without the zone. A capture never lasts beyond its day.
fn date(time_us: u64) -> String {
    let second = time_us / 1_000_000 % 86_400;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("Tue, 27 Jun 2023 {hour:02}:{minute:02}:{second:02}")
}
