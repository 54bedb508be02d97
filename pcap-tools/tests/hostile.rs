//! Hostile captures: mutated files and rearranged segments in; reports that still stand, and unchanged exchanges, out.
//!
//! Every case comes from a fixed seed. What an ordinary capture means is left to the other tests.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pcap_tools::capture::Reader;
use pcap_tools::craft::{self, Conversation, Endian, Extension, FIN, Pcap, Pcapng, Precision, Random, Segment, Side};
use pcap_tools::exchange::Ports;
use pcap_tools::filter::{Filter, Select};
use pcap_tools::lab::{Detail, Lab, Tasks};
use pcap_tools::message::Message;
use pcap_tools::report::csv::{Header, Rows, Table};
use pcap_tools::report::har::Archive;
use pcap_tools::report::json::{Document, Lines};
use pcap_tools::report::packets::{Format, List};
use pcap_tools::report::text::{Colour, Report, RowLimit, Style};
use pcap_tools::report::{Collect, rows::Counts};
use pcap_tools::summary::{self, Capture};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;

const SEED: u64 = 2324;
/// No crafted capture takes a hundredth of it, not even in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a terminal must not get to see of a file's name either.
const NAME: &str = "a\u{1b}[31m\n\u{202e}.pcapng";
/// The Ethernet type of a VLAN tag.
const VLAN: u16 = 0x8100;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        max_shrink_time: 20_000,
        ..ProptestConfig::default()
    }
}

// ---------------------------------------------------------------------------------------------------------
// Captures of every kind.

fn ends(v6: bool, client_port: u16, port: u16) -> (SocketAddr, SocketAddr) {
    let address = |last: u16, port: u16| match v6 {
        true => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], port)),
        false => SocketAddr::from(([192, 0, 2, last as u8], port)),
    };
    (address(1, client_port), address(2, port))
}

fn client_hello() -> Vec<u8> {
    let name = b"ducky.example";
    let mut server_name = vec![0, 0, 0, name.len() as u8 + 5, 0, name.len() as u8 + 3, 0, 0, name.len() as u8];
    server_name.extend(name);
    let versions = [0, 43, 0, 5, 4, 3, 4, 3, 3];
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(((server_name.len() + versions.len()) as u16).to_be_bytes());
    body.extend(server_name);
    body.extend(versions);
    let mut hello = vec![22, 3, 1];
    hello.extend((body.len() as u16 + 4).to_be_bytes());
    hello.extend([1, 0, 0, body.len() as u8]);
    hello.extend(body);
    hello
}

/// Conversations of every kind that is told apart.
fn talks(v6: bool) -> Vec<Conversation> {
    let talk = |number: u16, port: u16| {
        let (client, server) = ends(v6, 40_000 + number, port);
        let mut talk = Conversation::new(client, server).starting_at(u32::MAX - 40, u32::from(number));
        talk.handshake();
        talk
    };
    let mut plain = talk(0, 5031);
    plain
        .client("GET /?a=b HTTP/1.1\r\nHost: ducky\r\n\r\n")
        .server_in("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n".to_owned() + &"x".repeat(40), 30);
    plain.client("HEAD / HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n").close(Side::Server);
    let mut brew = talk(1, 5030);
    brew.client("BREW coffee://ducky HTTP/1.1\r\nContent-Type: message/coffeepot\r\n\r\n").client("start");
    brew.server("HTCPCP/1.1 418 I'm a teapot\r\n\r\n{}").close(Side::Server);
    let mut secret = talk(2, 443);
    secret.client_in(client_hello(), 11).server([22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3]).client([23, 3, 3, 0, 1, 9]).rst(Side::Server);
    let mut chunked = talk(3, 80);
    chunked.client_in("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nTrailer: x\r\n\r\n", 9);
    chunked
        .server("HTTP/1.1 100 Continue\r\n\r\n")
        .server_in("HTTP/1.1 200\r\nTransfer-Encoding: gzip, chunked\r\n\r\nff\r\n".to_owned() + &"y".repeat(255) + "\r\n0\r\n\r\n", 70);
    let mut pipelined = talk(4, 8080);
    pipelined.client_in("\r\nGET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\nOdd : x\n folded\n\nGET  /3 HTTP/1.0\r\nbad\r\n\r\n", 25);
    pipelined
        .server_in("HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 204 \u{e9}\r\n\r\nHTTP/1.0 500 No\r\n\r\nuntil close", 25)
        .close(Side::Server);
    let mut tunnel = talk(5, 3128);
    tunnel.client("CONNECT a:1 HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 Go\r\n\r\n").client("opaque").ack(Side::Server);
    let mut two = talk(6, 80);
    two.client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").server([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    let mut lossy = talk(7, 80);
    lossy.client_in("POST /1 HTTP/1.1\r\nContent-Length: 50\r\n\r\n".to_owned() + &"z".repeat(50), 40).ack(Side::Server);
    lossy.server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").client("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    lossy.server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n");
    lossy.segments.remove(4);
    lossy.segments.push(lossy.segments[3].clone());
    vec![plain, brew, secret, chunked, pipelined, tunnel, two, lossy]
}

fn packets(v6: bool) -> Vec<Vec<u8>> {
    let talks: Vec<_> = talks(v6).iter().map(Conversation::packets).collect();
    craft::interleave(&talks)
}

/// Packets in fragments, and behind IP options and extension headers.
fn odd_packets() -> Vec<Vec<u8>> {
    let mut odd: Vec<Vec<u8>> = Vec::new();
    for (packet, number) in packets(false).iter().zip(1_u16..) {
        match (packet.len() > 60, <[u8; 4]>::try_from(&packet[12..16]), <[u8; 4]>::try_from(&packet[16..20])) {
            (true, ..) => odd.extend(craft::ipv4_fragments(packet, 44, number)),
            (false, Ok(from), Ok(to)) => {
                odd.push(craft::ipv4_with_options(from.into(), to.into(), 6, &[7, 7, 4, 0, 0, 0, 0], &packet[20..]))
            }
            _ => unreachable!("a packet has addresses"),
        }
    }
    let extensions = [Extension::HopByHop(vec![]), Extension::Routing, Extension::DestinationOptions(vec![0x1e, 0])];
    for (packet, number) in packets(true).iter().zip(1_u32..) {
        match (packet.len() > 90, <[u8; 16]>::try_from(&packet[8..24]), <[u8; 16]>::try_from(&packet[24..40])) {
            (true, ..) => odd.extend(craft::ipv6_fragments(packet, 72, number)),
            (false, Ok(from), Ok(to)) => {
                odd.push(craft::ipv6_with_extension_headers(from.into(), to.into(), &extensions, 6, &packet[40..]));
            }
            _ => unreachable!("a packet has addresses"),
        }
    }
    odd
}

/// A capture file in the pieces that make it up: headers, blocks, records.
type Blocks = Vec<Vec<u8>>;

fn pcapng(endian: Endian) -> Blocks {
    let mut file = Pcapng::new(endian);
    let mut blocks = vec![file.take_bytes()];
    let links = [craft::NULL, craft::ETHERNET, craft::RAW, craft::LOOP, craft::LINUX_SLL, craft::LINUX_SLL2, craft::IPV4, craft::IPV6, 147];
    for (link, resolution) in links.into_iter().zip([6, 9, 0x8a, 0, 3, 12, 0xff, 6, 6]) {
        file.interface(link, 262_144, &[(2, b"lo\x1b0".to_vec()), (9, vec![resolution]), (14, vec![0; 8])]);
        blocks.push(file.take_bytes());
    }
    let packets = [packets(false), odd_packets(), packets(true)].concat();
    for (at, (packet, ticks)) in packets.iter().zip((craft::START_NS / 1_000..).step_by(1_000)).enumerate() {
        let interface = at % links.len();
        let link = if links[interface] == 147 { craft::RAW } else { links[interface] };
        match at % 17 {
            3 => file.simple_packet(&craft::frame(craft::NULL, packet)),
            5 => file.obsolete_packet(1, ticks, &craft::ethernet(&[(VLAN, 7), (VLAN, 8)], packet)),
            7 => file.block([0xbad, 9, 0x77, 5, 0x204][at % 5], packet),
            11 => file.packet_cut(interface as u32, ticks, &craft::frame(link, packet), packet.len() / 2),
            _ => file.packet(interface as u32, ticks, &craft::frame(link, packet)),
        };
        blocks.push(file.take_bytes());
        if at == packets.len() / 2 {
            file.section(if endian == Endian::Big { Endian::Little } else { Endian::Big });
            file.interface(craft::NULL, 0, &[]);
            file.interface(craft::ETHERNET, 96, &[]);
            blocks.push(file.take_bytes());
        }
    }
    blocks
}

fn pcap(endian: Endian, precision: Precision, link: craft::LinkType, packets: &[Vec<u8>]) -> Blocks {
    let mut file = Pcap::new(endian, precision, link);
    let mut blocks = vec![file.bytes().to_vec()];
    for (packet, time) in packets.iter().zip((craft::START_NS..).step_by(1_000_000)) {
        let before = file.bytes().len();
        file.packet(time, &craft::frame(link, packet));
        blocks.push(file.bytes()[before..].to_vec());
    }
    blocks
}

fn captures() -> Vec<Blocks> {
    let (v4, v6) = (packets(false), packets(true));
    vec![
        pcapng(Endian::Little),
        pcapng(Endian::Big),
        pcap(Endian::Little, Precision::Micros, craft::ETHERNET, &v4),
        pcap(Endian::Big, Precision::Nanos, craft::NULL, &v6),
        pcap(Endian::Big, Precision::Micros, craft::LINUX_SLL, &odd_packets()),
        pcap(Endian::Little, Precision::Nanos, craft::RAW, &odd_packets()),
    ]
}

// ---------------------------------------------------------------------------------------------------------
// What is done to them.

#[derive(Clone, Debug)]
enum Mutation {
    Flip {
        at: Index,
        bit: u8,
    },
    Set {
        at: Index,
        byte: u8,
    },
    /// A number written over four bytes, in either byte order.
    Number {
        at: Index,
        value: u32,
        big: bool,
    },
    Truncate {
        at: Index,
    },
    Insert {
        at: Index,
        bytes: Vec<u8>,
    },
    Remove {
        at: Index,
        count: usize,
    },
}

#[derive(Clone, Debug)]
enum Rearrangement {
    Repeat {
        block: Index,
        at: Index,
    },
    Swap {
        one: Index,
        two: Index,
    },
    Drop {
        block: Index,
    },
    /// A number in the block's first 32 bytes, where its lengths are.
    Header {
        block: Index,
        word: usize,
        value: u32,
        big: bool,
    },
    /// A bit anywhere behind them: in the frame.
    Frame {
        block: Index,
        at: Index,
        bit: u8,
    },
}

#[derive(Clone, Copy, Debug)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        0_u32..100,
        select(vec![u32::MAX, u32::MAX - 3, 1 << 31, 1 << 24, (16 << 20) + 4, 262_144, 262_145, 65_535, 0x0a0d_0d0a, 0x1a2b_3c4d, 0xbad]),
    ]
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), 0_u8..8).prop_map(|(at, bit)| Mutation::Flip { at, bit }),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set { at, byte }),
        2 => (at(), number(), any::<bool>()).prop_map(|(at, value, big)| Mutation::Number { at, value, big }),
        1 => at().prop_map(|at| Mutation::Truncate { at }),
        1 => (at(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Mutation::Insert { at, bytes }),
        1 => (at(), 1_usize..40).prop_map(|(at, count)| Mutation::Remove { at, count }),
    ]
}

fn rearrangement() -> impl Strategy<Value = Rearrangement> {
    let at = any::<Index>;
    prop_oneof![
        2 => (at(), at()).prop_map(|(block, at)| Rearrangement::Repeat { block, at }),
        2 => (at(), at()).prop_map(|(one, two)| Rearrangement::Swap { one, two }),
        1 => at().prop_map(|block| Rearrangement::Drop { block }),
        1 => (at(), 0_usize..8, number(), any::<bool>()).prop_map(|(block, word, value, big)| Rearrangement::Header { block, word, value, big }),
        6 => (at(), at(), 0_u8..8).prop_map(|(block, at, bit)| Rearrangement::Frame { block, at, bit }),
    ]
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip { at, bit } => *at.get_mut(bytes) ^= 1 << bit,
            Self::Set { at, byte } => *at.get_mut(bytes) = *byte,
            Self::Number { at, value, big } => {
                let at = at.index(bytes.len()) & !3;
                write_number(bytes, at, *value, *big);
            }
            Self::Truncate { at } => bytes.truncate(at.index(bytes.len())),
            Self::Insert { at, bytes: more } => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Remove { at, count } => {
                let at = at.index(bytes.len());
                bytes.drain(at..(at + count).min(bytes.len()));
            }
        }
    }
}

impl Rearrangement {
    fn apply(&self, blocks: &mut Blocks) {
        if blocks.is_empty() {
            return;
        }
        match self {
            Self::Repeat { block, at } => {
                let copy = block.get(blocks).clone();
                blocks.insert(at.index(blocks.len()), copy);
            }
            Self::Swap { one, two } => {
                let count = blocks.len();
                blocks.swap(one.index(count), two.index(count));
            }
            Self::Drop { block } => {
                blocks.remove(block.index(blocks.len()));
            }
            Self::Header { block, word, value, big } => {
                let block: &mut Vec<u8> = block.get_mut(blocks);
                write_number(block, 4 * word, *value, *big);
            }
            Self::Frame { block, at, bit } => {
                if let Some(frame @ [_, ..]) = block.get_mut(&mut blocks[..]).get_mut(28..) {
                    *at.get_mut(frame) ^= 1 << bit;
                }
            }
        }
    }
}

fn write_number(bytes: &mut [u8], at: usize, value: u32, big: bool) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&if big { value.to_be_bytes() } else { value.to_le_bytes() });
    }
}

fn pack(bytes: Vec<u8>, packing: Packing) -> Vec<u8> {
    match packing {
        Packing::Plain => bytes,
        Packing::Gzip => {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(&bytes).and_then(|()| packer.finish()).expect("memory takes everything")
        }
        Packing::Zstd => zstd::encode_all(&bytes[..], 1).expect("memory takes everything"),
    }
}

// ---------------------------------------------------------------------------------------------------------
// What must hold all the same.

/// Runs it in a thread of its own, so that a loop without an end fails the test instead of stopping it.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, result) = channel();
    let thread = std::thread::spawn(move || sender.send(work()));
    match result.recv_timeout(PATIENCE) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("no end after {PATIENCE:?}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(_) => unreachable!("a result was sent"),
        },
    }
}

fn read<S: pcap_tools::exchange::Sink>(bytes: &[u8], sink: S) -> Option<(Capture, S)> {
    let reader = Reader::new(Cursor::new(bytes.to_vec())).ok()?;
    Some(summary::run(reader, Ports::default(), sink))
}

/// Every report of these bytes is written, can be read, and says the same as the others.
fn check(bytes: &[u8]) {
    let Some((capture, found)) = read(bytes, Collect::default()) else { return };
    check_frames(&capture, &found);
    let rows = found.connections.len() + found.exchanges.len();

    let json = json(bytes);
    let document: serde_json::Value = serde_json::from_slice(&json).expect("the document is JSON");
    for (list, len) in [("connections", found.connections.len()), ("exchanges", found.exchanges.len())] {
        assert_eq!(document[list].as_array().map(Vec::len), Some(len), "{list}");
    }
    assert_eq!(document["capture"]["packets"], capture.packets);
    assert_eq!(json.iter().filter(|&&byte| byte == b'\n').count(), 1, "a document is a line");

    let mut lines = Vec::new();
    let (_, sink) = read(bytes, Lines::new(Ports::default(), &mut lines)).expect("it was read before");
    let counts = sink.counts;
    let lines = String::from_utf8(lines).expect("JSON is UTF-8");
    assert_eq!(lines.lines().count(), rows, "a line for each connection and exchange");
    lines.lines().for_each(|line| drop(serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON")));

    for (table, len) in [
        (Table::Connections, found.connections.len()),
        (Table::Handshakes, found.connections.len()),
        (Table::Exchanges, found.exchanges.len()),
    ] {
        check_csv(bytes, table, len, &counts);
    }
    for (width, rows) in [(40, RowLimit::Summarise), (80, RowLimit::All), (200, RowLimit::All)] {
        check_text(bytes, Style { width, colour: Colour::Off, rows }, &counts);
    }
}

fn json(bytes: &[u8]) -> Vec<u8> {
    let mut json = Vec::new();
    let (capture, document) = read(bytes, Document::new(Ports::default())).expect("it was read before");
    document.write(NAME, &capture, &mut json).expect("memory takes everything");
    json
}

/// No frame counts twice, and nothing lies outside of the capture. Stragglers of a connection that has been summarised
/// count nowhere.
fn check_frames(capture: &Capture, found: &Collect) {
    let segments: u64 = found.connections.iter().flat_map(|(connection, _)| connection.flows.0).map(|flow| flow.packets).sum();
    let others: u64 = capture.others.values().map(|others| others.packets).sum();
    assert!(segments + others <= capture.packets, "{segments} segments and {others} others of {} frames", capture.packets);
    assert_eq!(found.connections.len() as u64, capture.connections);
    let streams: BTreeSet<u64> = found.connections.iter().map(|(connection, _)| connection.stream).collect();
    assert!(streams.into_iter().eq(0..capture.connections), "streams are numbered in a row");
    for exchange in &found.exchanges {
        assert!(exchange.stream < capture.connections);
        assert!(exchange.request.is_some() || exchange.response.is_some());
        for message in exchange.request.iter().chain(&exchange.interim).chain(&exchange.response) {
            assert!((1..=capture.packets).contains(&message.first.frame), "{message:?}");
            assert!((message.first.frame..=capture.packets).contains(&message.last.frame), "{message:?}");
        }
    }
    assert!(found.findings.iter().all(|finding| finding.frame.is_none_or(|frame| frame <= capture.packets + 1)));
    assert!(capture.damage.as_ref().is_none_or(|damage| damage.frame == capture.packets + 1));
}

fn check_csv(bytes: &[u8], table: Table, len: usize, counts: &Counts) {
    let mut csv = Vec::new();
    let (_, rows) = read(bytes, Rows::new(table, NAME, Ports::default())).expect("it was read before");
    assert_eq!(rows.write(Header::Written, &mut csv).expect("memory takes everything"), *counts);
    let records: Vec<_> = csv::Reader::from_reader(&csv[..]).into_records().collect::<Result<_, _>>().expect("each row has all columns");
    assert_eq!(records.len(), len, "{table:?}");
}

fn check_text(bytes: &[u8], style: Style, counts: &Counts) {
    let mut text = Vec::new();
    let (capture, report) = read(bytes, Report::new(Ports::default(), style)).expect("it was read before");
    assert_eq!(report.write(NAME, &capture, &mut text).expect("memory takes everything"), *counts);
    let text = String::from_utf8(text).expect("text is UTF-8");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    assert!(!text.contains('\u{202e}'), "{text:?}");
}

#[test]
fn captures_are_what_they_claim_to_be() {
    for blocks in captures() {
        let bytes = blocks.concat();
        let (capture, found) = read(&bytes, Collect::default()).expect("a capture");
        assert_eq!(capture.damage, None);
        assert!(found.exchanges.len() >= 8, "{} exchanges", found.exchanges.len());
        check(&bytes);
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn mutated_captures_are_reported(
        which in any::<Index>(),
        rearrangements in vec(rearrangement(), 0..40),
        mutations in vec(mutation(), 0..3),
        packing in prop_oneof![6 => Just(Packing::Plain), 1 => Just(Packing::Gzip), 1 => Just(Packing::Zstd)],
        late in vec(mutation(), 0..2),
    ) {
        let captures = captures();
        let mut blocks = which.get(&captures).clone();
        rearrangements.iter().for_each(|rearrangement| rearrangement.apply(&mut blocks));
        let mut bytes = blocks.concat();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        let mut bytes = pack(bytes, packing);
        if !matches!(packing, Packing::Plain) {
            late.iter().for_each(|mutation| mutation.apply(&mut bytes));
        }
        in_time(move || check(&bytes));
    }

    /// Segments whose every field may be wrong, in frames that are right.
    #[test]
    fn mutated_conversations_are_reported(edits in vec((any::<Index>(), 0_u8..9, number(), any::<Index>()), 1..60), v6 in any::<bool>()) {
        let mut talks = talks(v6);
        for (place, what, value, other) in &edits {
            let talk = other.get_mut(&mut talks);
            if !talk.segments.is_empty() {
                edit(&mut talk.segments, *place, *what, *value);
            }
        }
        let packets = craft::interleave(&talks.iter().map(Conversation::packets).collect::<Vec<_>>());
        in_time(move || check(&craft::capture(&packets)));
    }

    /// Bytes that an HTTP parser reacts to, in any order and in segments of any length.
    #[test]
    fn any_bytes_are_reported(
        client in vec(token(), 0..60),
        server in vec(token(), 0..60),
        size in 1_usize..50,
        port in select(vec![80_u16, 5030, 5031, 443]),
        lost in vec(any::<Index>(), 0..4),
    ) {
        let (a, b) = ends(false, 40_000, port);
        let mut talk = Conversation::new(a, b);
        talk.handshake();
        let (client, server) = (client.concat(), server.concat());
        let half = [client.len() / 2, server.len() / 2];
        talk.client_in(&client[..half[0]], size).server_in(&server[..half[1]], size).client_in(&client[half[0]..], size).server_in(&server[half[1]..], size);
        talk.close(Side::Server);
        for index in &lost {
            talk.segments.remove(index.index(talk.segments.len()));
        }
        in_time(move || check(&craft::capture(&talk.packets())));
    }
}

fn edit(segments: &mut Vec<Segment>, place: Index, what: u8, value: u32) {
    let count = segments.len();
    let segment = place.get_mut(segments);
    match what {
        0 => segment.seq = segment.seq.wrapping_add(value),
        1 => segment.seq = segment.seq.wrapping_sub(value),
        2 => segment.ack = segment.ack.wrapping_add(value),
        3 => segment.flags = value as u8,
        4 => segment.payload.truncate(value as usize % 50),
        5 => segment.payload.extend(std::iter::repeat_n(value as u8, value as usize % 3000)),
        6 => segment.window = value as u16,
        7 => segments.swap(place.index(count), value as usize % count),
        _ => {
            let copy = segment.clone();
            segments.insert(value as usize % count, copy);
        }
    }
}

fn token() -> impl Strategy<Value = &'static [u8]> {
    select(vec![
        &b"GET / HTTP/1.1\r\n"[..],
        b"BREW coffee://ducky HTTP/1.1\r\n",
        b"POST / HTTP/1.0\n",
        b"HEAD / HTTP/1.1\r\n",
        b"CONNECT a HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n",
        b"HTTP/1.1 101 Switch\r\n",
        b"HTTP/1.0 204\r\n",
        b"HTCPCP/1.1 418 I'm a teapot\r\n",
        b"HTTP/1.",
        b"Content-Length: 5\r\n",
        b"Content-Length: 18446744073709551615\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length: x\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Content-Type: message/coffeepot\r\n",
        b" folded\r\n",
        b"no field\r\n",
        b": no name\r\n",
        b"\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\xff\xfe",
        b"\x1b[31m",
        b"start",
        b"stop",
        b"sta",
        b"0\r\n",
        b"5\r\nhello\r\n",
        b"ffffffffffffffff\r\n",
        b"1;a=b\r\nx\r\n",
        b"hello",
        b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
        b"\x16\x03\x03\x40\x00",
        b"\x17\x03\x03\x00\x01x",
    ])
}

// ---------------------------------------------------------------------------------------------------------
// Segments in any order.

/// What bodies are made of.
const FILLERS: [&[u8]; 4] = [b"x", b"{\"beans\": 7}, ", b"a b ", b"a\r\nb\n"];

/// How a message says where its body ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Framing {
    NoBody,
    Length,
    Chunked,
    /// Of the last response only.
    UntilClose,
}

/// A request and its response, before they are written.
#[derive(Clone, Debug)]
struct Pair {
    request: Framing,
    response: Framing,
    interim: bool,
    head: bool,
    body: usize,
}

/// A message as written: which bytes of its direction it takes.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Written {
    side: Side,
    number: usize,
    start: usize,
    end: usize,
    body: usize,
    until_close: bool,
    /// Of what is behind the head, or nothing: a gap in here leaves the next message in its place.
    interim: bool,
}

/// What was said: a conversation and the messages on it.
struct Script {
    talk: Conversation,
    messages: Vec<Written>,
    said: [Vec<u8>; 2],
    starts: [u32; 2],
}

fn pair() -> impl Strategy<Value = Pair> {
    let framing = || select(vec![Framing::NoBody, Framing::Length, Framing::Chunked, Framing::UntilClose]);
    (framing(), framing(), any::<bool>(), any::<bool>(), 0_usize..200).prop_map(|(request, response, interim, head, body)| Pair {
        request,
        response,
        interim,
        head,
        body,
    })
}

/// The bytes of a message and the length of its body.
fn message(start_line: &str, framing: Framing, body: usize) -> (Vec<u8>, usize) {
    let mut bytes = format!("{start_line}\r\nPadding: abc\r\n").into_bytes();
    let text: Vec<u8> = FILLERS[body % FILLERS.len()].iter().copied().cycle().take(body).collect();
    match framing {
        Framing::NoBody => {
            bytes.extend(b"Content-Length: 0\r\n\r\n");
            return (bytes, 0);
        }
        Framing::Length => bytes.extend(format!("Content-Length: {body}\r\n\r\n").bytes()),
        Framing::UntilClose => bytes.extend(b"\r\n"),
        Framing::Chunked => {
            bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in text.chunks(60) {
                bytes.extend(format!("{:x};a=b\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\nTrailer: x\r\n\r\n");
            return (bytes, body);
        }
    }
    bytes.extend(text);
    (bytes, body)
}

/// Plays the pairs: one after the other, or all requests before all responses.
fn play(pairs: &[Pair], pipelined: bool, size: usize, seq: [u32; 2]) -> Script {
    let (client, server) = ends(false, 40_000, 80);
    let mut script = Script {
        talk: Conversation::new(client, server).starting_at(seq[0], seq[1]),
        messages: Vec::new(),
        said: [Vec::new(), Vec::new()],
        starts: seq.map(|seq| seq.wrapping_add(1)),
    };
    script.talk.handshake();
    let last = pairs.len() - 1;
    let mut flights = [Vec::new(), Vec::new()];
    for (number, pair) in pairs.iter().enumerate() {
        let framing = if pair.request == Framing::UntilClose { Framing::NoBody } else { pair.request };
        let method = if pair.head { "HEAD" } else { "POST" };
        let (bytes, body) = message(&format!("{method} /{number} HTTP/1.1"), framing, pair.body);
        script.note(Side::Client, number, &bytes, body);
        flights[0].push(bytes);
        if pair.interim {
            let bytes = b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n".to_vec();
            script.note(Side::Server, number, &bytes, 0);
            script.messages.last_mut().expect("it was noted").interim = true;
            flights[1].push(bytes);
        }
        let framing = if pair.response == Framing::UntilClose && number < last { Framing::Length } else { pair.response };
        let (mut bytes, mut body) = message(&format!("HTTP/1.1 200 /{number}"), framing, pair.body);
        if pair.head {
            bytes.truncate(bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head ends") + 4);
            body = 0;
        }
        script.note(Side::Server, number, &bytes, body);
        script.messages.last_mut().expect("it was noted").until_close = framing == Framing::UntilClose && !pair.head;
        flights[1].push(bytes);
        if !pipelined {
            script.send(&mut flights, size, false);
        }
    }
    script.send(&mut flights, size, pipelined);
    script.talk.close(Side::Server);
    script
}

impl Script {
    fn note(&mut self, side: Side, number: usize, bytes: &[u8], body: usize) {
        let said = &mut self.said[side as usize];
        let start = said.len();
        said.extend_from_slice(bytes);
        self.messages.push(Written { side, number, start, end: said.len(), body, until_close: false, interim: false });
    }

    /// Sends what has been written: messages in segments of their own, or all bytes in a row.
    fn send(&mut self, flights: &mut [Vec<Vec<u8>>; 2], size: usize, joined: bool) {
        for (side, flight) in [Side::Client, Side::Server].into_iter().zip(flights) {
            let flight = std::mem::take(flight);
            for bytes in if joined { vec![flight.concat()] } else { flight } {
                match side {
                    Side::Client => self.talk.client_in(bytes, size),
                    Side::Server => self.talk.server_in(bytes, size),
                };
            }
        }
    }

    /// Which bytes of its direction a segment carries.
    fn range(&self, segment: &Segment) -> std::ops::Range<usize> {
        let start = segment.seq.wrapping_sub(self.starts[segment.from as usize]) as usize;
        start..start + segment.payload.len()
    }

    /// The frame that first carried each byte, by direction; `None` where none did.
    fn frames(&self) -> [Vec<Option<u64>>; 2] {
        let mut frames = [0, 1].map(|side| vec![None; self.said[side].len()]);
        for (segment, frame) in self.talk.segments.iter().zip(1..) {
            if !segment.payload.is_empty() {
                let range = self.range(segment);
                frames[segment.from as usize][range].iter_mut().for_each(|place| *place = place.or(Some(frame)));
            }
        }
        frames
    }

    /// Brings the data segments of one direction into another order.
    fn shuffle(&mut self, side: Side, random: &mut Random) {
        let places: Vec<usize> = (0..self.talk.segments.len()).filter(|&at| self.is_data(at, side)).collect();
        let mut order = places.clone();
        random.shuffle(&mut order);
        let before = self.talk.segments.clone();
        for (place, from) in places.into_iter().zip(order) {
            self.talk.segments[place] = before[from].clone();
        }
    }

    fn is_data(&self, at: usize, side: Side) -> bool {
        self.talk.segments[at].from == side && !self.talk.segments[at].payload.is_empty()
    }

    /// Puts another copy of some bytes of a segment, and of the segments that follow it with the same
    /// acknowledgment, anywhere behind the handshake. Where it is not the first copy of a byte, that is another byte.
    fn overlap(&mut self, random: &mut Random) {
        let data: Vec<usize> = (0..self.talk.segments.len()).filter(|&at| !self.talk.segments[at].payload.is_empty()).collect();
        let original = self.talk.segments[data[random.below(data.len())]].clone();
        let mut whole = original.clone();
        let first = self.range(&original);
        for _ in 0..random.below(3) {
            let end = first.start + whole.payload.len();
            let next = self.talk.segments.iter().find(|segment| {
                segment.from == original.from
                    && segment.ack == original.ack
                    && !segment.payload.is_empty()
                    && self.range(segment).start == end
            });
            let Some(next) = next else { break };
            whole.payload.extend_from_slice(&next.payload.clone());
        }
        let skipped = random.below(whole.payload.len());
        let len = 1 + random.below(whole.payload.len() - skipped);
        whole.seq = whole.seq.wrapping_add(skipped as u32);
        let range = self.range(&whole).start..self.range(&whole).start + len;
        whole.payload = self.said[whole.from as usize][range].to_vec();
        let at = 3 + random.below(self.talk.segments.len() - 2);
        let range = self.range(&whole);
        for segment in &self.talk.segments[..at] {
            if segment.from == whole.from && !segment.payload.is_empty() {
                let there = self.range(segment);
                for byte in there.start.max(range.start)..there.end.min(range.end) {
                    whole.payload[byte - range.start] = b'#';
                }
            }
        }
        self.talk.segments.insert(at, whole.clone());
        // Later copies of what this one brings first are the ones that are different now.
        let range = self.range(&whole);
        let later: Vec<_> = (at + 1..self.talk.segments.len()).filter(|&at| self.is_data(at, whole.from)).collect();
        for at in later {
            let there = self.range(&self.talk.segments[at]);
            for byte in there.start.max(range.start)..there.end.min(range.end) {
                self.talk.segments[at].payload[byte - there.start] = b'#';
            }
        }
    }

    /// What shall be reported of the messages of which each byte was captured, interim ones aside.
    fn expected(&self) -> impl Iterator<Item = Seen> {
        let frames = self.frames();
        self.messages.iter().filter(|message| !message.interim).filter_map(move |message| {
            let frames = &frames[message.side as usize][message.start..message.end];
            let close = if message.until_close { self.fin_frame(message.side) } else { 0 };
            let last = frames.iter().copied().collect::<Option<Vec<_>>>()?.into_iter().max()?.max(close);
            Some((message.side, message.number, frames[0]?, last, message.body as u64))
        })
    }

    fn fin_frame(&self, side: Side) -> u64 {
        let mut frames = self.talk.segments.iter().zip(1..).filter(|(segment, _)| segment.from == side && segment.flags & FIN != 0);
        frames.next().expect("it was closed").1
    }
}

/// A message as reported: who, which, its frames and its body.
type Seen = (Side, usize, u64, u64, u64);

fn seen(side: Side, message: &Message) -> Seen {
    let number = match side {
        Side::Client if !matches!(message.head.method(), b"POST" | b"HEAD") => b"",
        Side::Client => message.head.target(),
        Side::Server => message.head.reason(),
    };
    let number = std::str::from_utf8(number).ok().and_then(|number| number.strip_prefix('/')).and_then(|number| number.parse().ok());
    (side, number.unwrap_or(usize::MAX), message.first.frame, message.last.frame, message.body_bytes)
}

fn exchanges(script: &Script) -> Collect {
    let (_, mut found) = read(&craft::capture(&script.talk.packets()), Collect::default()).expect("a capture");
    found.exchanges.sort_by_key(|exchange| exchange.request.as_ref().map(|request| request.offset));
    found
}

proptest! {
    #![proptest_config(config(2000))]

    /// Whatever the order of segments, each message is there, with the frame of its first byte and the last of the
    /// frames that brought its bytes, and paired as it was sent.
    #[test]
    fn any_order_of_segments_gives_the_same_exchanges(
        pairs in vec(pair(), 1..5),
        pipelined in any::<bool>(),
        size in 1_usize..120,
        seq in prop_oneof![Just([1000, 5000]), Just([u32::MAX, u32::MAX - 1]), (u32::MAX - 300.., u32::MAX - 300..).prop_map(|(a, b)| [a, b])],
        shuffled in any::<[bool; 2]>(),
        overlaps in 0_usize..8,
        seed in any::<u64>(),
    ) {
        let mut script = play(&pairs, pipelined, size, seq);
        let mut random = Random::new(seed);
        for (side, shuffled) in [Side::Client, Side::Server].into_iter().zip(shuffled) {
            if shuffled {
                script.shuffle(side, &mut random);
            }
        }
        for _ in 0..overlaps {
            script.overlap(&mut random);
        }
        let expected: Vec<Seen> = script.expected().collect();
        let found = exchanges(&script);
        let mut all = Vec::new();
        for exchange in &found.exchanges {
            let (request, response) = (exchange.complete_request(), exchange.complete_response());
            prop_assert!(request.is_some() && response.is_some(), "{exchange:?}");
            all.extend(request.map(|message| seen(Side::Client, message)));
            prop_assert!(exchange.interim.iter().all(|interim| interim.head.status() == Some(100)));
            all.extend(response.map(|message| seen(Side::Server, message)));
        }
        prop_assert_eq!(all, expected);
        let interim: usize = found.exchanges.iter().map(|exchange| exchange.interim.len()).sum();
        prop_assert_eq!(interim, pairs.iter().filter(|pair| pair.interim).count());
        for side in [Side::Client, Side::Server] {
            let flow = found.connections[0].0.flows.0[side as usize];
            prop_assert_eq!((flow.payload_bytes, flow.lost_segments), (script.said[side as usize].len() as u64, 0));
        }
    }

    /// A segment that was never captured takes the messages that it carried, and no others; none is paired with
    /// another's counterpart. Answers to HEAD are left out: without their requests nobody knows that they have no body.
    #[test]
    fn a_lost_segment_loses_no_more_than_it_carried(pairs in vec(pair(), 1..6), size in 4_usize..120, seed in any::<u64>(), seq in any::<[u32; 2]>()) {
        let pairs: Vec<Pair> = pairs.into_iter().map(|pair| Pair { head: false, ..pair }).collect();
        let mut script = play(&pairs, false, size, seq);
        let data: Vec<usize> = (0..script.talk.segments.len()).filter(|&at| !script.talk.segments[at].payload.is_empty()).collect();
        let at = data[Random::new(seed).below(data.len())];
        let lost = script.talk.segments.remove(at);
        let found = exchanges(&script);
        let mut complete = Vec::new();
        for exchange in &found.exchanges {
            let request = exchange.request.as_ref().map(|message| seen(Side::Client, message));
            let response = exchange.response.as_ref().map(|message| seen(Side::Server, message));
            if let (Some(request), Some(response)) = (request, response) {
                prop_assert_eq!(request.1, response.1, "a request and its response");
            }
            complete.extend(exchange.complete_request().map(|message| seen(Side::Client, message)));
            complete.extend(exchange.complete_response().map(|message| seen(Side::Server, message)));
        }
        complete.sort_unstable_by_key(|message| (message.1, message.0 as u8));
        let expected: Vec<Seen> = script.expected().collect();
        prop_assert_eq!(complete, expected, "frame {} would have brought bytes {:?}", at + 1, script.range(&lost));
    }
}

// ---------------------------------------------------------------------------------------------------------
// Floods: what once took time by the square of its bytes.

/// A server that has answered, so that both directions are known to speak HTTP.
fn answered() -> Conversation {
    let (client, server) = ends(false, 40_000, 80);
    let mut talk = Conversation::new(client, server);
    talk.handshake().client("GET / HTTP/1.1\r\nA: b\r\n\r\n").server("HTTP/1.1 204 x\r\n\r\n");
    talk
}

#[test]
fn a_search_for_heads_reads_each_byte_about_once() {
    let floods = [
        (Side::Client, "\0\n".to_owned() + &"GET / HTTP/1.1\r\n".repeat(1_000) + &"a:b\r\n".repeat(8_000)),
        (Side::Client, "\0\n".to_owned() + &"GET / HTTP/1.1\r\n".repeat(3_500)),
        (Side::Server, "\0\n".to_owned() + &"HTTP/1.1 200 OK\r\n".repeat(100) + &"a:b\r\n".repeat(10_000)),
        (Side::Server, "\0\n".to_owned() + &"a: HTTP/1.1 200 OK\r\n".repeat(3_000) + "\r\n"),
    ];
    for (side, flood) in floods {
        let mut talk = answered();
        for _ in 0..100 {
            match side {
                Side::Client => talk.client(&flood),
                Side::Server => talk.server(&flood),
            };
        }
        let capture = craft::capture(&talk.packets());
        in_time(move || drop(read(&capture, Collect::default())));
    }
}

#[test]
fn many_pieces_behind_a_gap_do_not_slow_what_repeats_them() {
    let mut talk = answered();
    let begin = talk.segments.len();
    talk.server_in(vec![b'x'; 40_000], 1);
    talk.segments.remove(begin);
    let small = talk.packets();
    let mut again = talk.segments[begin].clone();
    again.payload = vec![b'x'; 39_999];
    let again = again.to_packet(talk.client, talk.server);
    let mut file = Pcapng::new(Endian::Little);
    file.interface(craft::RAW, 0, &[]);
    for packet in &small {
        file.packet(0, craft::START_NS, packet);
    }
    for _ in 0..60_000 {
        file.packet_cut(0, craft::START_NS, &again, 40);
    }
    let capture = file.into_bytes();
    in_time(move || drop(read(&capture, Collect::default())));
}

#[test]
fn filters_of_any_text_are_read_or_refused() {
    const PIECES: [&str; 40] = [
        "tcp.port",
        "http",
        "ip.addr",
        "frame",
        "eth.src",
        "==",
        "!=",
        "===",
        "<=",
        "in",
        "not",
        "any",
        "all",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "..",
        ",",
        ":",
        "-",
        "&",
        "80",
        "0x1f",
        "-1",
        "10.0.0.0/8",
        "::1",
        "\"a\\x41\"",
        "\"",
        "'",
        "\\",
        "matches",
        "contains",
        "r\"(\"",
        "é",
        "len(",
        "&&",
        "or",
    ];
    let mut random = Random::new(4);
    let mut sound = 0;
    for _ in 0..20_000 {
        let text: String =
            (0..random.below(9)).map(|_| [PIECES[random.below(PIECES.len())], [" ", ""][random.below(2)]].concat()).collect();
        match Filter::compile(&text) {
            Ok(_) => sound += 1,
            // The place lies in the text, and the sentence can be written.
            Err(error) => assert!(text.get(error.span.clone()).is_some() && !error.to_string().is_empty(), "{text}"),
        }
    }
    assert!(sound > 500, "{sound} filters were sound");
    let deep = format!("{}tcp{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Filter::compile(&deep).is_err());
}

#[test]
fn hostile_captures_are_filtered_answered_and_asked_about() {
    let filter = "http.file_data contains \"a\" || htcpcp.response_in || tls.handshake.type == 1 || tcp.analysis.flags || ipv6.fraghdr.more == 1 || http.time > 1";
    let filter = Filter::compile(filter).expect("a filter");
    let mut random = Random::new(6);
    for _ in 0..100 {
        let mut talk =
            Conversation::new("127.0.0.1:50000".parse().unwrap(), format!("127.0.0.1:{}", [5030, 5031][random.below(2)]).parse().unwrap());
        talk.handshake().client("BREW coffee://ducky HTTP/1.1\r\n\r\nstart").server("HTCPCP/1.1 200 OK\r\n\r\n{}");
        talk.client("GET /?method=brew&a=%zz HTTP/1.1\r\nHost: x\r\n\r\n")
            .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
        talk.close(Side::Server);
        random.shuffle(&mut talk.segments);
        talk.segments.truncate(random.below(talk.segments.len() + 1));
        let mut packets = talk.packets();
        for packet in &mut packets {
            for _ in 0..random.below(3) {
                let at = 1 + random.below(packet.len() - 1);
                packet[at] = random.number() as u8;
            }
        }
        let capture = craft::capture(&packets);
        let reader = || Reader::new(Cursor::new(capture.clone())).expect("a capture");
        let mut out = Vec::new();
        let list = List::new(filter.clone(), Format::Json, &mut out);
        summary::run(reader(), Ports::default(), list).1.finish().expect("memory takes everything");
        let all = List::new(Filter::all(), Format::Csv, &mut out);
        assert_eq!(summary::run(reader(), Ports::default(), all).1.finish().expect("memory takes everything"), packets.len() as u64);
        let selected = Select::new(filter.clone(), Lab::new(Ports::default()));
        let (_, lab) = summary::run(reader(), Ports::default(), selected).1.finish();
        assert_eq!(lab.answers(Tasks::All, Detail::Facts).len(), 17);
        let lab = || summary::run(reader(), Ports::default(), Lab::new(Ports::default())).1;
        assert!(lab().quiz(random.number(), 1000).iter().all(|question| !question.frames.is_empty()));
        assert!(lab().sheet().items.iter().all(|item| !item.frames.is_empty()));
        let mut archive = Vec::new();
        summary::run(reader(), Ports::default(), Archive::new(100)).1.write(&mut archive).expect("memory takes everything");
        serde_json::from_slice::<serde_json::Value>(&archive).expect("an archive is JSON");
    }
}
