//! tshark as the judge of connections, handshakes, pairs and counts.
//!
//! In: the lab's captures (`SHARED_CAPTURES`, or `../shared/captures` beside the workspace), and conversations made
//! here under fixed seeds. Out: the same numbers from tshark and from this crate, or a failure that shows both.
//! Where tshark or a capture is missing, a line on standard error says what was skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use pcap_tools::capture::Reader;
use pcap_tools::connection::{CloseKind, Connection, Side as End, Tracker};
use pcap_tools::craft::{ACK, Conversation, Endian, FIN, NULL, Pcapng, RST, Random, START_NS, SYN, Segment, Side, frame, interleave};
use pcap_tools::exchange::{self, Exchange, Exchanges, Ports, Protocol};
use pcap_tools::packet::{Decoder, Packet};
use pcap_tools::report::Collect;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;

// ---- Ours ----

/// What this crate makes of a capture.
struct Ours {
    /// The connection of each frame; `None` for what is no TCP.
    streams: Vec<Option<u64>>,
    /// By stream number.
    connections: Vec<Connection>,
    /// In the order in which they began.
    exchanges: Vec<Exchange>,
}

fn ours(reader: Reader, ports: Ports) -> Ours {
    let mut reader = reader;
    let mut decoder = Decoder::default();
    let mut tracker = Tracker::<exchange::Conversation>::default();
    let mut out = Exchanges::new(ports, Collect::default());
    let mut streams = Vec::new();
    while let Some(frame) = reader.next_frame().expect("a sound capture") {
        streams.push(match decoder.decode(&frame) {
            Packet::Tcp(segment) => Some(tracker.push(&segment, &mut out).stream),
            Packet::Other(_) => None,
        });
    }
    tracker.finish(&mut out);
    let mut connections: Vec<_> = out.sink.connections.into_iter().map(|(connection, _)| connection).collect();
    connections.sort_by_key(|connection| connection.stream);
    let mut exchanges = out.sink.exchanges;
    exchanges.sort_by_key(Exchange::first_frame);
    Ours { streams, connections, exchanges }
}

// ---- tshark ----

const FIELDS: [&str; 19] = [
    "frame.time_epoch",
    "tcp.stream",
    "tcp.dstport",
    "tcp.flags",
    "tcp.analysis.initial_rtt",
    "http.request.method",
    "http.response.code",
    "http.request_in",
    "http.time",
    "tcp.segment",
    "tcp.srcport",
    "tcp.analysis.zero_window",
    "tcp.analysis.keep_alive",
    "tcp.analysis.lost_segment",
    "tcp.analysis.retransmission",
    "tcp.analysis.fast_retransmission",
    "tcp.analysis.spurious_retransmission",
    "tcp.analysis.out_of_order",
    "tcp.len",
];

/// tshark's row of a frame.
struct Row(Vec<String>);

impl Row {
    /// The text of a field, empty where the frame has none.
    fn text(&self, field: &str) -> &str {
        let at = FIELDS.iter().position(|&name| name == field).expect("a field that is asked for");
        &self.0[at]
    }

    /// All values of a field.
    fn all<'a>(&'a self, field: &str) -> impl Iterator<Item = &'a str> {
        self.text(field).split(',').filter(|value| !value.is_empty())
    }

    fn has(&self, field: &str) -> bool {
        !self.text(field).is_empty()
    }

    fn flags(&self) -> u8 {
        u16::from_str_radix(self.text("tcp.flags").trim_start_matches("0x"), 16).map_or(0, |flags| flags as u8)
    }

    /// What tshark takes for HTTP there is none.
    fn is_to_or_from_the_pot(&self) -> bool {
        [self.text("tcp.srcport"), self.text("tcp.dstport")].contains(&"5030")
    }

    fn stream(&self) -> Option<u64> {
        self.text("tcp.stream").parse().ok()
    }
}

/// Seconds with a fraction, as nanoseconds.
fn nanos(text: &str) -> i64 {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: i64 = format!("{fraction:0<9}").parse().expect("a fraction in digits");
    seconds.parse::<i64>().expect("seconds in digits") * 1_000_000_000 + fraction
}

/// tshark's rows, one a frame, or `None` where there is no tshark. No configuration of this machine counts.
fn tshark(path: &Path) -> Option<Vec<Row>> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new("tshark");
    command.env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
    command.args(["-n", "-o", "tcp.analyze_sequence_numbers:TRUE", "-T", "fields", "-E", "occurrence=a", "-r"]).arg(path);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let Ok(output) = command.output() else {
        eprintln!("skipped: no tshark here, so it is not asked");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("tshark prints text");
    Some(text.lines().map(|line| Row(line.split('\t').map(str::to_owned).collect())).collect())
}

// ---- Comparing ----

/// What tshark and this crate have to agree on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Topic {
    /// The number of each frame's connection.
    Streams,
    /// First SYN, first SYN-ACK, the ACK that completes, the round-trip time.
    Handshakes,
    /// Who sent which FIN or RST.
    Closes,
    /// First and last frames of requests and responses.
    Messages,
    /// The same, with who answers whom and after how long.
    Pairs,
    /// Zero windows, keep-alives, lost segments of each direction.
    Analysis,
    /// Retransmitted and reordered segments that carry data.
    Repeats,
}

/// Compares on these topics, and hands ours on for more.
fn check(capture: &[u8], topics: &[Topic]) -> Ours {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), capture).expect("the capture is written");
    let reader = Reader::new(std::io::Cursor::new(capture.to_vec())).expect("a capture");
    let ports = Ports { http: vec![80], pot: vec![5030] };
    check_file(file.path(), ours(reader, ports), topics)
}

fn check_file(path: &Path, ours: Ours, topics: &[Topic]) -> Ours {
    let Some(rows) = tshark(path) else { return ours };
    assert_eq!(rows.len(), ours.streams.len(), "frames");
    for topic in topics {
        let (theirs, mine) = match topic {
            Topic::Streams => (streams_of(&rows), streams(&ours)),
            Topic::Handshakes => (handshakes_of(&rows), handshakes(&ours)),
            Topic::Closes => (closes_of(&rows), closes(&ours)),
            Topic::Messages => (alone(pairs_of(&rows)), alone(pairs(&ours))),
            Topic::Pairs => (pairs_of(&rows), pairs(&ours)),
            Topic::Analysis => (analysis_of(&rows), analysis(&ours)),
            Topic::Repeats => (repeats_of(&rows), repeats(&ours)),
        };
        compare(*topic, &theirs, &mine);
    }
    ours
}

/// Fails with the lines that only one of the two has.
fn compare(topic: Topic, theirs: &[String], mine: &[String]) {
    let only = |name: &str, these: &[String], those: &[String]| -> Vec<String> {
        let mut left = BTreeMap::<&String, i64>::new();
        those.iter().for_each(|line| *left.entry(line).or_default() += 1);
        let mut extra = these.iter().filter(|line| {
            let left = left.entry(line).or_default();
            *left -= 1;
            *left < 0
        });
        let shown = extra.by_ref().take(20).map(|line| format!("{name} {line}")).collect::<Vec<_>>();
        let more = extra.count();
        if more > 0 { [shown, vec![format!("{name} and {more} more")]].concat() } else { shown }
    };
    let different = [only("tshark", theirs, mine), only("  ours", mine, theirs)].concat();
    assert!(different.is_empty(), "{topic:?}: of {} lines, these differ\n{}", theirs.len(), different.join("\n"));
}

fn streams_of(rows: &[Row]) -> Vec<String> {
    (1..).zip(rows).map(|(number, row)| format!("frame {number}: stream {:?}", row.stream())).collect()
}

fn streams(ours: &Ours) -> Vec<String> {
    (1..).zip(&ours.streams).map(|(number, stream)| format!("frame {number}: stream {stream:?}")).collect()
}

/// tshark's rows by stream, with their frame numbers.
fn by_stream(rows: &[Row]) -> BTreeMap<u64, Vec<(u64, &Row)>> {
    let mut streams = BTreeMap::<u64, Vec<(u64, &Row)>>::new();
    for (number, row) in (1..).zip(rows) {
        if let Some(stream) = row.stream() {
            streams.entry(stream).or_default().push((number, row));
        }
    }
    streams
}

fn handshakes_of(rows: &[Row]) -> Vec<String> {
    let time = |row: &Row| nanos(row.text("frame.time_epoch"));
    let line = |(stream, rows): (u64, Vec<(u64, &Row)>)| {
        let first = |wanted: u8| rows.iter().find(|(_, row)| row.flags() & (SYN | ACK) == wanted);
        let rtt = rows.iter().find(|(_, row)| row.has("tcp.analysis.initial_rtt"));
        let rtt = rtt.map(|(_, row)| nanos(row.text("tcp.analysis.initial_rtt")));
        // tshark does not name the frame that completes the handshake, but says when it came.
        let end = first(SYN).and_then(|(_, syn)| Some(time(syn) + rtt?));
        let ack = rows.iter().find(|(_, row)| Some(time(row)) == end).map(|(number, _)| *number);
        let [syn, syn_ack] = [SYN, SYN | ACK].map(|wanted| first(wanted).map(|(number, _)| *number));
        format!("stream {stream}: {syn:?} {syn_ack:?} {ack:?} {rtt:?}")
    };
    by_stream(rows).into_iter().map(line).collect()
}

fn handshakes(ours: &Ours) -> Vec<String> {
    let line = |connection: &Connection| {
        let handshake = &connection.handshake;
        let [syn, syn_ack, ack] = [handshake.syn, handshake.syn_ack, handshake.ack].map(|mark| mark.map(|mark| mark.frame));
        format!("stream {}: {syn:?} {syn_ack:?} {ack:?} {:?}", connection.stream, handshake.rtt())
    };
    ours.connections.iter().map(line).collect()
}

fn closes_of(rows: &[Row]) -> Vec<String> {
    let line = |(stream, rows): (u64, Vec<(u64, &Row)>)| {
        let one = rows[0].1.text("tcp.srcport");
        let fin = |first_end: bool| {
            let mut fins = rows.iter().filter(|(_, row)| row.flags() & FIN != 0 && (row.text("tcp.srcport") == one) == first_end);
            fins.next().map(|(number, _)| *number)
        };
        let rst = rows.iter().find(|(_, row)| row.flags() & RST != 0).map(|(number, _)| *number);
        format!("stream {stream}: FIN {:?} {:?}, RST {rst:?}", fin(true), fin(false))
    };
    by_stream(rows).into_iter().map(line).collect()
}

fn closes(ours: &Ours) -> Vec<String> {
    let line = |connection: &Connection| {
        let [one, two] = connection.close.fins.0.map(|mark| mark.map(|mark| mark.frame));
        let rst = connection.close.rst.map(|(_, mark)| mark.frame);
        format!("stream {}: FIN {one:?} {two:?}, RST {rst:?}", connection.stream)
    };
    ours.connections.iter().map(line).collect()
}

fn pairs_of(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, row) in (1_u64..).zip(rows).filter(|(_, row)| !row.is_to_or_from_the_pot()) {
        // Of the messages that end in a frame, only the first can have begun in an earlier one.
        let begun = row.all("tcp.segment").filter_map(|frame| frame.parse().ok()).min();
        let mut firsts = begun.into_iter().chain(std::iter::repeat(number));
        let mut next = || firsts.next().expect("an endless list");
        for method in row.all("http.request.method") {
            lines.push(format!("frame {number:>5}: {method} from {}", next()));
        }
        let (mut asked, mut times) = (row.all("http.request_in"), row.all("http.time"));
        for code in row.all("http.response.code") {
            let (asked, time) = (asked.next().and_then(|frame| frame.parse().ok()), times.next().map(nanos));
            lines.push(response((next(), number), code, asked, time));
        }
    }
    lines.sort();
    lines
}

fn response((first, last): (u64, u64), status: &str, asked: Option<u64>, time: Option<i64>) -> String {
    format!("frame {last:>5}: {status} from {first} to {asked:?} after {time:?}")
}

fn pairs(ours: &Ours) -> Vec<String> {
    let mut lines = Vec::new();
    for exchange in ours.exchanges.iter().filter(|exchange| exchange.protocol == Protocol::Http) {
        if let Some(request) = exchange.complete_request() {
            let method = String::from_utf8_lossy(request.head.method());
            lines.push(format!("frame {:>5}: {method} from {}", request.last.frame, request.first.frame));
        }
        if let Some(answer) = exchange.complete_response() {
            let asked = exchange.complete_request().map(|request| request.last.frame);
            let status = answer.head.status().map_or(String::new(), |status| status.to_string());
            lines.push(response((answer.first.frame, answer.last.frame), &status, asked, exchange.response_time()));
        }
    }
    lines.sort();
    lines
}

/// The lines of [`pairs`] without what they say of the other message.
fn alone(lines: Vec<String>) -> Vec<String> {
    lines.iter().map(|line| line.split(" to ").next().unwrap_or_default().to_owned()).collect()
}

/// A line for each direction of each stream; the first direction is that of the stream's first frame.
fn by_direction(rows: &[Row], line: impl Fn(&[&Row]) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    for (stream, rows) in by_stream(rows) {
        let one = rows[0].1.text("tcp.srcport");
        for (name, first_end) in [("one", true), ("two", false)] {
            let rows: Vec<&Row> = rows.iter().map(|(_, row)| *row).filter(|row| (row.text("tcp.srcport") == one) == first_end).collect();
            lines.push(format!("stream {stream} side {name}: {}", line(&rows)));
        }
    }
    lines
}

fn count(rows: &[&Row], fields: &[&str]) -> usize {
    rows.iter().filter(|row| fields.iter().any(|field| row.has(field))).count()
}

fn analysis_of(rows: &[Row]) -> Vec<String> {
    by_direction(rows, |rows| {
        let [zero, keep, lost] =
            ["tcp.analysis.zero_window", "tcp.analysis.keep_alive", "tcp.analysis.lost_segment"].map(|field| count(rows, &[field]));
        format!("{zero} zero windows, {keep} keep-alives, {lost} gaps")
    })
}

fn analysis(ours: &Ours) -> Vec<String> {
    directions(ours, |stats| {
        format!("{} zero windows, {} keep-alives, {} gaps", stats.zero_windows, stats.keep_alives, stats.lost_segments)
    })
}

fn directions(ours: &Ours, line: impl Fn(&pcap_tools::connection::FlowStats) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    for connection in &ours.connections {
        for (name, end) in [("one", End::One), ("two", End::Two)] {
            lines.push(format!("stream {} side {name}: {}", connection.stream, line(&connection.flows[end])));
        }
    }
    lines
}

fn repeats_of(rows: &[Row]) -> Vec<String> {
    by_direction(rows, |rows| {
        let data: Vec<&Row> = rows.iter().copied().filter(|row| row.text("tcp.len") != "0").collect();
        let again =
            count(&data, &["tcp.analysis.retransmission", "tcp.analysis.fast_retransmission", "tcp.analysis.spurious_retransmission"]);
        format!("{again} again, {} reordered", count(&data, &["tcp.analysis.out_of_order"]))
    })
}

fn repeats(ours: &Ours) -> Vec<String> {
    directions(ours, |stats| format!("{} again, {} reordered", stats.retransmissions, stats.out_of_order))
}

// ---- Conversations ----

/// A capture of packets that come `step_ns` after one another.
fn capture(packets: &[Vec<u8>], step_ns: u64) -> Vec<u8> {
    timed(packets.iter().zip((0..).map(|number| number * step_ns)))
}

/// A capture of packets, each so many nanoseconds after the start.
fn timed<'a>(packets: impl Iterator<Item = (&'a Vec<u8>, u64)>) -> Vec<u8> {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[(9, vec![9])]);
    for (packet, after_ns) in packets {
        file.packet(0, START_NS + after_ns, &frame(NULL, packet));
    }
    file.into_bytes()
}

/// A conversation over IPv4 (even numbers) or IPv6 (odd ones), between ends of its own.
fn numbered(number: usize) -> Conversation {
    let (client, port) = (number / 20_000 + 1, number % 20_000 + 20_000);
    if number.is_multiple_of(2) {
        Conversation::new(format!("192.0.2.{client}:{port}").parse().unwrap(), "198.51.100.1:80".parse().unwrap())
    } else {
        Conversation::new(format!("[2001:db8::{client}]:{port}").parse().unwrap(), "[2001:db8::100]:80".parse().unwrap())
    }
}

const REQUEST: &str = "GET /beans HTTP/1.1\r\nHost: ducky\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\nsingle origin, roasted";

/// How a connection begins, as the capture has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Opening {
    Whole,
    SynAgain,
    SynAckAgain,
    SynAckFirst,
    MidStream,
    MidStreamByServer,
    NoSynAck,
    NoSyn,
    NoAck,
    Refused,
    Simultaneous,
    SynCarriesData,
}

impl Opening {
    const ALL: [Self; 12] = [
        Self::Whole,
        Self::SynAgain,
        Self::SynAckAgain,
        Self::SynAckFirst,
        Self::MidStream,
        Self::MidStreamByServer,
        Self::NoSynAck,
        Self::NoSyn,
        Self::NoAck,
        Self::Refused,
        Self::Simultaneous,
        Self::SynCarriesData,
    ];
}

/// How it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Closing {
    Open,
    Fin,
    FinByOne,
    BothAtOnce,
    Rst,
    RstAfterFin,
    Stragglers,
    StragglersAfterRst,
}

impl Closing {
    const ALL: [Self; 8] =
        [Self::Open, Self::Fin, Self::FinByOne, Self::BothAtOnce, Self::Rst, Self::RstAfterFin, Self::Stragglers, Self::StragglersAfterRst];
}

/// One connection's segments.
fn connection(mut talk: Conversation, opening: Opening, closing: Closing) -> Vec<Segment> {
    talk.handshake().client(REQUEST).ack(Side::Server).server_in(RESPONSE, 32).ack(Side::Client);
    let data = talk.segments[3].clone();
    match closing {
        Closing::Open => {}
        Closing::Fin => drop(talk.close(Side::Server)),
        Closing::FinByOne => drop(talk.fin(Side::Client).ack(Side::Server)),
        Closing::BothAtOnce => {
            talk.fin(Side::Server).fin(Side::Client);
            // The client has not seen the other FIN yet.
            let last = talk.segments.len() - 1;
            talk.segments[last].ack -= 1;
            talk.ack(Side::Client).ack(Side::Server);
        }
        Closing::Rst => drop(talk.rst(Side::Server)),
        Closing::RstAfterFin => drop(talk.fin(Side::Client).rst(Side::Server)),
        Closing::Stragglers => {
            talk.close(Side::Client).ack(Side::Server);
            talk.segments.push(data);
        }
        Closing::StragglersAfterRst => {
            talk.rst(Side::Client).ack(Side::Server);
            talk.segments.push(data);
        }
    }
    let segments = &mut talk.segments;
    let after_data = 5;
    match opening {
        Opening::Whole => {}
        Opening::SynAgain => segments.insert(1, segments[0].clone()),
        Opening::SynAckAgain => segments.insert(2, segments[1].clone()),
        Opening::SynAckFirst => segments.swap(0, 1),
        Opening::MidStream => drop(segments.drain(..3)),
        Opening::MidStreamByServer => drop(segments.drain(..after_data)),
        Opening::NoSynAck => drop(segments.remove(1)),
        Opening::NoSyn => drop(segments.remove(0)),
        Opening::NoAck => drop(segments.remove(2)),
        Opening::Refused => {
            let refusal = Segment { flags: RST | ACK, seq: 0, options: Vec::new(), ..segments[1].clone() };
            *segments = vec![segments[0].clone(), refusal];
        }
        Opening::Simultaneous => {
            let mut other = segments[1].clone();
            (other.flags, other.ack) = (SYN, 0);
            let mut mine = segments[0].clone();
            (mine.flags, mine.ack) = (SYN | ACK, segments[1].seq.wrapping_add(1));
            segments.insert(1, other);
            segments.insert(2, mine);
        }
        Opening::SynCarriesData => {
            segments[0].payload = REQUEST.into();
            let end = segments[0].seq.wrapping_add(1 + REQUEST.len() as u32);
            segments[1].ack = end;
            segments.remove(3);
            segments[2].seq = end;
        }
    }
    talk.segments
}

/// How the next connection follows on the same addresses and ports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reuse {
    NewNumbers,
    SameNumbers,
    SameClientNumber,
    SameServerNumber,
    OtherDirection,
    OtherDirectionSameNumbers,
}

impl Reuse {
    const ALL: [Self; 6] = [
        Self::NewNumbers,
        Self::SameNumbers,
        Self::SameClientNumber,
        Self::SameServerNumber,
        Self::OtherDirection,
        Self::OtherDirectionSameNumbers,
    ];

    /// The conversation that follows one with these initial sequence numbers, and its own numbers.
    fn follow(self, first: &Conversation, (mine, theirs): (u32, u32)) -> (Conversation, (u32, u32)) {
        let (client, server) = (first.client, first.server);
        let fresh = (mine.wrapping_add(700_001), theirs.wrapping_add(900_001));
        let (client, server, numbers) = match self {
            Self::NewNumbers => (client, server, fresh),
            Self::SameNumbers => (client, server, (mine, theirs)),
            Self::SameClientNumber => (client, server, (mine, fresh.1)),
            Self::SameServerNumber => (client, server, (fresh.0, theirs)),
            Self::OtherDirection => (server, client, (fresh.1, fresh.0)),
            Self::OtherDirectionSameNumbers => (server, client, (theirs, mine)),
        };
        (Conversation::new(client, server).starting_at(numbers.0, numbers.1), numbers)
    }
}

/// Two connections on one tuple, as packets.
fn two_on_one_tuple(number: usize, first: (Opening, Closing), reuse: Reuse, second: Opening) -> Vec<Vec<u8>> {
    let numbers = if number.is_multiple_of(3) { (u32::MAX - 20, u32::MAX - 30) } else { (1_000, 5_000) };
    let talk = numbered(number).starting_at(numbers.0, numbers.1);
    let (next, _) = reuse.follow(&talk, numbers);
    let mut all = packets(&talk, &connection(talk.clone(), first.0, first.1));
    all.extend(packets(&next, &connection(next.clone(), second, Closing::Fin)));
    all
}

/// Takes a packet from one of the lists at random until all are empty; none changes its order.
fn merge(random: &mut Random, lists: Vec<Vec<Vec<u8>>>) -> Vec<Vec<u8>> {
    let mut lists: Vec<_> = lists.into_iter().map(std::collections::VecDeque::from).collect();
    let mut merged = Vec::new();
    while !lists.is_empty() {
        let at = random.below(lists.len());
        merged.extend(lists[at].pop_front());
        lists.retain(|list| !list.is_empty());
    }
    merged
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.below(from.len())]
}

fn packets(talk: &Conversation, segments: &[Segment]) -> Vec<Vec<u8>> {
    segments.iter().map(|segment| segment.to_packet(talk.client, talk.server)).collect()
}

// ---- The lab's captures ----

/// One of the lab's captures, or `None`, said on standard error, where it is not here.
fn lab_capture(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    let path = std::env::var_os("SHARED_CAPTURES").map_or(beside, PathBuf::from).join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here; SHARED_CAPTURES names its folder", path.display());
    None
}

/// Ours of one of the lab's captures, after tshark has agreed.
fn lab(name: &str) -> Option<Ours> {
    let path = lab_capture(name)?;
    let reader = Reader::open(&path).expect("a capture of the lab");
    let topics = [Topic::Streams, Topic::Handshakes, Topic::Closes, Topic::Pairs, Topic::Analysis, Topic::Repeats];
    Some(check_file(&path, ours(reader, Ports::default()), &topics))
}

/// Frames in which requests and their responses are complete, of one protocol.
fn paired(ours: &Ours, protocol: Protocol) -> Vec<(u64, u64)> {
    let exchanges = ours.exchanges.iter().filter(|exchange| exchange.protocol == protocol);
    exchanges.filter_map(|exchange| Some((exchange.complete_request()?.last.frame, exchange.complete_response()?.last.frame))).collect()
}

/// Port of a connection's server, where a SYN tells it.
fn server_port(connection: &Connection) -> Option<u16> {
    Some(connection.ends[connection.client?.other()].port)
}

fn handshake_frames(connection: &Connection) -> Vec<u64> {
    let handshake = &connection.handshake;
    [handshake.syn, handshake.syn_ack, handshake.ack].into_iter().flatten().map(|mark| mark.frame).collect()
}

#[test]
fn homepage_coffee_is_read_as_the_lab_and_tshark_read_it() {
    let Some(ours) = lab("homepage_coffee.pcapng") else { return };
    assert_eq!(ours.streams.len(), 40);
    let handshakes: Vec<_> = ours.connections.iter().map(|one| (handshake_frames(one), one.handshake.rtt())).collect();
    assert_eq!(handshakes, [(vec![1, 2, 3], Some(161_000)), (vec![7, 8, 9], Some(72_000)), (vec![27, 28, 29], Some(173_000))]);
    let ends: Vec<_> = ours.connections.iter().map(|one| (one.ends[one.client.unwrap()].port, server_port(one).unwrap())).collect();
    assert_eq!(ends, [(55433, 5031), (55434, 5030), (55435, 5031)]);
    let fins =
        |end: fn(&Connection) -> End| -> Vec<u64> { ours.connections.iter().map(|one| one.close.fins[end(one)].unwrap().frame).collect() };
    assert_eq!(fins(|one| one.client.unwrap().other()), [23, 15, 37]);
    assert_eq!(fins(|one| one.client.unwrap()), [25, 17, 39]);
    assert!(ours.connections.iter().all(|one| one.close.first_by() == one.client.map(End::other)));
    assert_eq!(paired(&ours, Protocol::Http), [(5, 21), (31, 35)]);
    assert_eq!(paired(&ours, Protocol::Htcpcp), [(11, 13)]);
    let starts: Vec<_> = ours.exchanges.iter().map(|exchange| exchange.complete_response().unwrap().first.frame).collect();
    assert_eq!(starts, [19, 13, 33]);
}

#[test]
fn coffee_brew_is_read_as_the_lab_and_tshark_read_it() {
    let Some(ours) = lab("coffee_brew.pcapng") else { return };
    assert_eq!(ours.streams.len(), 259);
    let not_tcp: Vec<_> = (1..).zip(&ours.streams).filter(|(_, stream)| stream.is_none()).map(|(frame, _)| frame).collect();
    assert_eq!(not_tcp, [65, 66, 67]);
    let to = |port| ours.connections.iter().filter(|one| one.ends.0.iter().any(|end| end.port == port)).count();
    assert_eq!((ours.connections.len(), to(5031), to(5030), to(57664)), (19, 13, 4, 2));
    let of = |protocol, port: u16| -> Vec<(u16, (u64, u64))> {
        let on_port = |exchange: &&Exchange| ours.connections[exchange.stream as usize].ends.0.iter().any(|end| end.port == port);
        let exchanges = ours.exchanges.iter().filter(|exchange| exchange.protocol == protocol).filter(on_port);
        let row = |exchange: &Exchange| {
            let (request, response) = (exchange.complete_request().unwrap(), exchange.complete_response().unwrap());
            (response.head.status().unwrap(), (request.last.frame, response.last.frame))
        };
        exchanges.map(row).collect()
    };
    assert_eq!(paired(&ours, Protocol::Http).len(), 19);
    let web = of(Protocol::Http, 5031);
    let statuses = [200, 302, 304, 404].map(|status| web.iter().filter(|(seen, _)| *seen == status).count());
    assert_eq!((web.len(), statuses), (13, [4, 1, 5, 3]));
    for pair in [(84, 100), (110, 126), (166, 182), (204, 220)] {
        assert!(web.iter().any(|(_, seen)| *seen == pair), "{pair:?}");
    }
    assert_eq!(paired(&ours, Protocol::Htcpcp), [(90, 92), (116, 118), (172, 174), (210, 212)]);
    let coffee = ours.exchanges.iter().filter(|exchange| exchange.protocol == Protocol::Htcpcp);
    let methods: Vec<_> = coffee.map(|exchange| exchange.request.as_ref().unwrap().head.method()).collect();
    assert_eq!(methods, [&b"BREW"[..], b"GET", b"PROPFIND", b"GET"]);
    let on = |stream| -> Vec<(u64, u64)> {
        let exchanges = ours.exchanges.iter().filter(|exchange| exchange.stream == stream);
        exchanges.map(|exchange| (exchange.request.as_ref().unwrap().last.frame, exchange.response.as_ref().unwrap().last.frame)).collect()
    };
    assert_eq!((on(4), handshake_frames(&ours.connections[4])), (vec![(57, 59), (61, 63)], vec![]));
    assert_eq!((on(5), ours.connections[5].close.kind()), (vec![(76, 78), (158, 160), (252, 254), (256, 258)], CloseKind::Open));
    for stream in [0, 8, 18] {
        assert!(ours.connections[stream].flows.0.iter().all(|flow| flow.retransmissions == 0), "stream {stream} lost no data");
    }
}

// ---- Conversations made here ----

#[test]
fn two_connections_on_one_tuple_get_the_stream_numbers_of_tshark() {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[(9, vec![9])]);
    let (mut tuple, mut time) = (0, START_NS);
    for opening in Opening::ALL {
        for closing in Closing::ALL {
            for (reuse, second) in Reuse::ALL.into_iter().flat_map(|reuse| Opening::ALL.map(|second| (reuse, second))) {
                // Some go on after the connection was summarised, some before.
                let step = if tuple % 5 == 4 { 2 * SECOND } else { MILLISECOND };
                for packet in two_on_one_tuple(tuple, (opening, closing), reuse, second) {
                    file.packet(0, time, &frame(NULL, &packet));
                    time += step;
                }
                tuple += 1;
            }
        }
    }
    check(file.bytes(), &[Topic::Streams]);
}

/// A few connections one after another on one tuple, with some packets lost, repeated or swapped.
fn history(random: &mut Random, tuple: usize) -> Vec<Vec<u8>> {
    let mut numbers = (random.number() as u32, random.number() as u32);
    let mut talk = numbered(tuple).starting_at(numbers.0, numbers.1);
    let mut all = Vec::new();
    for _ in 0..2 + random.below(3) {
        let mut segments = connection(talk.clone(), pick(random, &Opening::ALL), pick(random, &Closing::ALL));
        for _ in 0..random.below(3) {
            let at = random.below(segments.len());
            match random.below(3) {
                0 if segments.len() > 1 => drop(segments.remove(at)),
                1 => segments.push(segments[at].clone()),
                _ => {
                    let to = (at + 1 + random.below(3)).min(segments.len() - 1);
                    let late = segments.remove(at);
                    segments.insert(to, late);
                }
            }
        }
        all.extend(packets(&talk, &segments));
        (talk, numbers) = pick(random, &Reuse::ALL).follow(&talk, numbers);
    }
    all
}

#[test]
fn interleaved_histories_get_the_stream_numbers_of_tshark() {
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let histories = (0..400).map(|tuple| history(&mut random, tuple)).collect();
        let packets = merge(&mut random, histories);
        check(&capture(&packets, MILLISECOND), &[Topic::Streams]);
    }
}

#[test]
fn handshakes_have_the_frames_and_round_trip_times_of_tshark() {
    use Opening::{MidStream, MidStreamByServer, NoAck, SynAckAgain, SynAckFirst, SynCarriesData, Whole};
    let openings = [Whole, SynAckAgain, SynAckFirst, MidStream, MidStreamByServer, NoAck, SynCarriesData];
    let mut random = Random::new(5);
    let mut lists = Vec::new();
    for tuple in 0..300 {
        let numbers = (random.number() as u32, random.number() as u32);
        let talk = numbered(tuple).starting_at(numbers.0, numbers.1);
        let mut list = packets(&talk, &connection(talk.clone(), pick(&mut random, &openings), pick(&mut random, &Closing::ALL)));
        let (next, _) = pick(&mut random, &[Reuse::NewNumbers, Reuse::OtherDirection]).follow(&talk, numbers);
        list.extend(packets(&next, &connection(next.clone(), Whole, Closing::Fin)));
        lists.push(list);
    }
    let packets = merge(&mut random, lists);
    check(&capture(&packets, 37_001), &[Topic::Streams, Topic::Handshakes, Topic::Closes]);
}

/// What tshark takes for a handshake and the lab does not, as `(opening, ours, tshark's)` round-trip times in ms.
#[test]
fn handshakes_follow_the_lab_where_tshark_does_not() {
    for (opening, expected) in [
        // "A SYN sent again: list all; the first one counts": tshark measures from the last.
        (Opening::SynAgain, ([Some(1), Some(3), Some(4)], Some(3))),
        // "Say not captured, never guess": tshark takes the third frame for the end of a handshake without a SYN-ACK.
        (Opening::NoSynAck, ([Some(1), None, None], None)),
        (Opening::NoSyn, ([None, Some(1), Some(2)], None)),
        // tshark takes the RST that refuses for the acknowledgment.
        (Opening::Refused, ([Some(1), None, None], None)),
        (Opening::Simultaneous, ([Some(1), Some(3), Some(5)], Some(4))),
    ] {
        let talk = numbered(0);
        let ours = check(&capture(&packets(&talk, &connection(talk.clone(), opening, Closing::Fin)), MILLISECOND), &[Topic::Streams]);
        let handshake = &ours.connections[0].handshake;
        let frames = [handshake.syn, handshake.syn_ack, handshake.ack].map(|mark| mark.map(|mark| mark.frame));
        let seen = (frames, handshake.rtt().map(|rtt| rtt / MILLISECOND as i64));
        assert_eq!(seen, expected, "{opening:?}");
        let again = if opening == Opening::SynAgain { vec![2] } else { vec![] };
        if opening != Opening::Simultaneous {
            assert_eq!(handshake.repeated_syns, again, "{opening:?}");
        }
    }
}

/// RFC 9293 §3.5.1: the server still knows an old connection and acknowledges it; the client resets that, and sends
/// its SYN again, at once or after a second and a half.
#[test]
fn a_syn_sent_again_after_a_reset_opens_the_connection() {
    for pause in [0, 1_500 * MILLISECOND] {
        let mut talk = numbered(0);
        talk.handshake().client(REQUEST).server_in(RESPONSE, 32).ack(Side::Client).close(Side::Server);
        let syn = talk.segments[0].clone();
        let old = Segment { flags: ACK, seq: 999_999, ack: 77, options: Vec::new(), ..talk.segments[1].clone() };
        let reset = Segment { flags: RST, seq: 77, options: Vec::new(), ..syn.clone() };
        talk.segments.splice(..0, [syn, old, reset]);
        let packets = talk.packets();
        let times = (0..).map(|number| number * MILLISECOND + if number > 2 { pause } else { 0 });
        let ours = check(&timed(packets.iter().zip(times)), &[Topic::Streams]);
        assert_eq!(response_frames(&ours), [(8, 9)], "after {pause} ns");
        assert_eq!(ours.connections.iter().map(|one| one.flows.0[0].packets + one.flows.0[1].packets).sum::<u64>(), 14);
        assert_eq!(ours.connections.last().unwrap().close.kind(), CloseKind::Fin);
    }
}

// ---- Exchanges ----

/// What a client asks and a server answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Page,
    Chunked,
    Upload,
    ChunkedUpload,
    Head,
    NoContent,
    NotModified,
    Missing,
    Empty,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Page,
        Self::Chunked,
        Self::Upload,
        Self::ChunkedUpload,
        Self::Head,
        Self::NoContent,
        Self::NotModified,
        Self::Missing,
        Self::Empty,
    ];

    fn request(self, number: usize) -> Vec<u8> {
        let (method, rest) = match self {
            Self::Upload => ("POST", "Content-Length: 11\r\n\r\nwhole beans".to_owned()),
            Self::ChunkedUpload => ("PUT", "Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n6\r\n beans\r\n0\r\n\r\n".to_owned()),
            Self::Head => ("HEAD", "\r\n".to_owned()),
            _ => ("GET", format!("Referer: http://ducky/{}\r\n\r\n", "x".repeat(number % 40))),
        };
        format!("{method} /asset/{number} HTTP/1.1\r\nHost: ducky\r\n{rest}").into_bytes()
    }

    fn response(self, number: usize) -> Vec<u8> {
        let body = "0123456789abcdef".repeat(number % 30 + 1);
        let head =
            |status: &str, fields: &str, body: &str| format!("HTTP/1.1 {status}\r\nX-Asset: {number}\r\n{fields}\r\n{body}").into_bytes();
        match self {
            Self::Page | Self::Upload => head("200 OK", &format!("Content-Length: {}\r\n", body.len()), &body),
            Self::Chunked | Self::ChunkedUpload => {
                let (one, two) = body.split_at(body.len() / 3);
                let body = format!("{:x}\r\n{one}\r\n{:X};ext=1\r\n{two}\r\n0\r\nTrailer: yes\r\n\r\n", one.len(), two.len());
                head("200 OK", "Transfer-Encoding: chunked\r\n", &body)
            }
            Self::Head => head("200 OK", "Content-Length: 5000\r\n", ""),
            Self::NoContent => head("204 No Content", "", ""),
            Self::NotModified => head("304 Not Modified", "Content-Length: 5000\r\n", ""),
            Self::Missing => head("404 Not Found", "Content-Length: 9\r\n", "not here\n"),
            Self::Empty => head("200 OK", "Content-Length: 0\r\n", ""),
        }
    }
}

/// Sends `bytes` in pieces of `size`, but the end of a chunked body in one: see
/// `a_chunked_body_is_whole_where_tshark_calls_its_split_end_malformed`.
fn send(talk: &mut Conversation, from: Side, bytes: &[u8], size: usize) {
    let end = bytes.windows(5).rposition(|window| window == b"\r\n0\r\n").unwrap_or(bytes.len());
    let (most, end) = bytes.split_at(end);
    for (part, size) in [(most, size), (end, end.len().max(1))] {
        match from {
            Side::Client => drop(talk.client_in(part, size)),
            Side::Server => drop(talk.server_in(part, size)),
        }
    }
}

#[test]
fn exchanges_on_kept_alive_connections_are_those_of_tshark() {
    let mut random = Random::new(6);
    let mut lists = Vec::new();
    for tuple in 0..60 {
        let mut talk = numbered(tuple).starting_at(random.number() as u32, random.number() as u32);
        talk.handshake();
        for _ in 0..12 {
            let (kind, number) = (pick(&mut random, &Kind::ALL), random.below(200));
            send(&mut talk, Side::Client, &kind.request(number), random.below(90) + 10);
            talk.ack(Side::Server);
            send(&mut talk, Side::Server, &kind.response(number), random.below(300) + 20);
            talk.ack(Side::Client);
        }
        talk.close(pick(&mut random, &[Side::Client, Side::Server]));
        lists.push(talk.packets());
    }
    let packets = merge(&mut random, lists);
    let topics = [Topic::Streams, Topic::Handshakes, Topic::Closes, Topic::Pairs, Topic::Analysis, Topic::Repeats];
    check(&capture(&packets, 10_000), &topics);
}

#[test]
fn pipelined_messages_have_the_frames_of_tshark_and_pair_in_order() {
    // tshark 4.0 takes every response for one to the latest request, so it can only judge the messages; and it reads
    // no body correctly whose framing depends on the request (HEAD), nor what follows a pipelined 304 with a
    // Content-Length.
    let kinds = [Kind::Page, Kind::Upload, Kind::NoContent, Kind::Missing, Kind::Empty];
    let mut random = Random::new(7);
    let mut lists = Vec::new();
    for tuple in 0..60 {
        let mut talk = numbered(tuple).starting_at(random.number() as u32, random.number() as u32);
        talk.handshake();
        for _ in 0..4 {
            let batch: Vec<(usize, Kind)> = (0..3).map(|_| (random.below(200), pick(&mut random, &kinds))).collect();
            let requests: Vec<u8> = batch.iter().flat_map(|(number, kind)| kind.request(*number)).collect();
            let responses: Vec<u8> = batch.iter().flat_map(|(number, kind)| kind.response(*number)).collect();
            talk.client_in(requests, random.below(90) + 10).ack(Side::Server);
            talk.server_in(responses, random.below(300) + 20).ack(Side::Client);
        }
        talk.close(Side::Client);
        lists.push(talk.packets());
    }
    let packets = merge(&mut random, lists);
    let ours = check(&capture(&packets, 10_000), &[Topic::Streams, Topic::Messages]);
    let by_stream = |stream| ours.exchanges.iter().filter(move |exchange| exchange.stream == stream);
    for stream in 0..60 {
        let order: Vec<_> = by_stream(stream).map(|exchange| exchange.complete_response().unwrap().offset).collect();
        assert!(order.is_sorted() && order.len() == 12, "stream {stream}: {order:?}");
        for exchange in by_stream(stream) {
            let (request, response) = (exchange.complete_request().unwrap(), exchange.complete_response().unwrap());
            let asset = [b"/asset/", response.head.field("X-Asset").unwrap()].concat();
            assert_eq!(request.head.target(), asset, "stream {stream}");
        }
    }
}

/// A connection on which the server sends this in segments of `size` bytes, acknowledged by the client.
fn answered(tuple: usize, response: &str, size: usize) -> Conversation {
    let mut talk = numbered(tuple);
    talk.handshake().client(REQUEST).ack(Side::Server).server_in(response, size).ack(Side::Client);
    talk
}

fn response_frames(ours: &Ours) -> Vec<(u64, u64)> {
    let responses = ours.exchanges.iter().filter_map(Exchange::complete_response);
    responses.map(|response| (response.first.frame, response.last.frame)).collect()
}

#[test]
fn a_body_until_close_is_complete_in_the_frame_with_the_fin() {
    let response = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(300));
    let mut one = answered(0, &response, 100);
    one.close(Side::Server);
    let mut both = answered(1, &response, 100);
    both.fin(Side::Server).fin(Side::Client).ack(Side::Client).ack(Side::Server);
    let packets = interleave(&[one.packets(), both.packets()]);
    let ours = check(&capture(&packets, MILLISECOND), &[Topic::Streams, Topic::Pairs]);
    assert_eq!(response_frames(&ours), [(11, 21), (12, 22)]);
}

/// tshark does not show such a response at all.
#[test]
fn a_body_until_close_is_complete_in_the_frame_with_the_rst() {
    let mut talk = answered(0, &format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(300)), 100);
    talk.rst(Side::Server);
    let ours = check(&capture(&talk.packets(), MILLISECOND), &[Topic::Streams, Topic::Closes]);
    assert_eq!(response_frames(&ours), [(6, 11)]);
}

/// lab.md: "a chunk whose last line feed comes in the next segment makes it drop the request".
#[test]
fn a_chunked_body_is_whole_where_tshark_calls_its_split_end_malformed() {
    let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbeans\r\n0\r\n\r\n";
    for tail in 1..5 {
        let mut talk = answered(0, response, response.len() - tail);
        talk.close(Side::Server);
        let ours = check(&capture(&talk.packets(), MILLISECOND), &[Topic::Streams]);
        assert_eq!(response_frames(&ours), [(6, 7)], "{tail} bytes in the next segment");
    }
}

// ---- Loss, repetition, waiting ----

/// A download in many segments, acknowledged now and then, in order.
fn download(random: &mut Random, tuple: usize) -> Conversation {
    let mut talk = numbered(tuple).starting_at(random.number() as u32, u32::MAX - random.below(3_000) as u32);
    talk.handshake().client(REQUEST).ack(Side::Server);
    let body = "x".repeat(4_000);
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    for part in response.as_bytes().chunks(400) {
        talk.server_in(part, 100).ack(Side::Client);
    }
    talk
}

/// Whether a segment is one of the download's, but not the last.
fn carries_body(segment: &Segment) -> bool {
    segment.from == Side::Server && segment.payload.len() == 100
}

#[test]
fn lost_segments_are_counted_as_tshark_counts_them() {
    let mut random = Random::new(8);
    let mut lists = Vec::new();
    for tuple in 0..100 {
        let mut talk = download(&mut random, tuple);
        talk.close(Side::Server);
        for _ in 0..random.below(4) {
            let at = random.below(talk.segments.len());
            if carries_body(&talk.segments[at]) {
                talk.segments.remove(at);
            }
        }
        lists.push(talk.packets());
    }
    let packets = merge(&mut random, lists);
    check(&capture(&packets, 10_000), &[Topic::Streams, Topic::Analysis, Topic::Repeats]);
}

#[test]
fn zero_windows_and_keep_alives_are_counted_as_tshark_counts_them() {
    let mut random = Random::new(9);
    let mut lists = Vec::new();
    for tuple in 0..100 {
        let mut talk = download(&mut random, tuple);
        for _ in 0..random.below(3) {
            talk.ack(Side::Client);
            talk.segments.last_mut().unwrap().window = 0;
        }
        for length in 0..random.below(3) {
            talk.ack(Side::Server);
            let probe = talk.segments.last_mut().unwrap();
            probe.seq = probe.seq.wrapping_sub(1);
            probe.payload = vec![b'x'; length];
            talk.ack(Side::Client);
        }
        talk.close(Side::Server);
        lists.push(talk.packets());
    }
    let packets = merge(&mut random, lists);
    check(&capture(&packets, 10_000), &[Topic::Streams, Topic::Analysis, Topic::Repeats]);
}

#[test]
fn reordered_and_retransmitted_segments_are_told_apart_as_tshark_does() {
    let mut random = Random::new(10);
    let mut lists = Vec::new();
    for tuple in 0..100 {
        let mut talk = download(&mut random, tuple);
        talk.close(Side::Server);
        for _ in 0..2 {
            let at = random.below(talk.segments.len() - 1);
            if carries_body(&talk.segments[at]) && carries_body(&talk.segments[at + 1]) {
                talk.segments.swap(at, at + 1);
            }
        }
        let last = talk.segments.len() - 6;
        talk.segments.insert(last, talk.segments[last - 1].clone());
        lists.push(talk.packets());
    }
    // One after the other, so that a segment arrives within the round-trip time after the one it follows.
    let packets = lists.concat();
    check(&capture(&packets, MILLISECOND), &[Topic::Streams, Topic::Repeats]);
}
