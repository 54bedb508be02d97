//! What can be read: files, pipes and damage, format by format, with tshark as the second judge.
//!
//! In: captures made by `craft`. Out: the frames that the library delivers, what the command prints and its exit
//! code. What is inside of the frames is judged by `tshark.rs`.
//! Where tshark is missing, a line on standard error says that its half of a check was skipped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use pcap_tools::capture::{Damage, DamageKind, OpenError, Reader};
use pcap_tools::craft::{
    self, Conversation, ETHERNET, Endian, Extension, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, LOOP, NULL, Pcap, Pcapng, Precision, RAW, Random,
    START_NS, Side, frame,
};
use pcap_tools::packet::{Decoder, Packet};
use serde_json::Value;

const REQUEST: &str = "GET /beans HTTP/1.1\r\nHost: ducky\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\nsingle origin, roasted";
const ENDIANS: [Endian; 2] = [Endian::Little, Endian::Big];

// ---- What is seen of a capture ----

/// What a reader tells of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    /// In ns; `None` where the record has no time.
    time: Option<i64>,
    original_len: u32,
    captured_len: u32,
    /// Sequence number and payload on the wire of the segment that the frame completes.
    tcp: Option<(u32, u32)>,
}

impl Seen {
    /// A whole frame that holds no TCP.
    fn other(time: u64, len: usize) -> Self {
        Self { time: Some(time as i64), original_len: len as u32, captured_len: len as u32, tcp: None }
    }

    fn cut(self, captured_len: usize) -> Self {
        Self { captured_len: captured_len as u32, ..self }
    }

    fn timeless(self) -> Self {
        Self { time: None, ..self }
    }
}

/// One conversation's frames in a link layer, with what shall be seen of each; one nanosecond apart.
fn sound(talk: &Conversation, wrap: impl Fn(&[u8]) -> Vec<u8>) -> Vec<(u64, Vec<u8>, Seen)> {
    let row = |((segment, packet), time): ((&craft::Segment, Vec<u8>), u64)| {
        let data = wrap(&packet);
        let seen = Seen { tcp: Some((segment.seq, segment.payload.len() as u32)), ..Seen::other(time, data.len()) };
        (time, data, seen)
    };
    talk.segments.iter().zip(talk.packets()).zip(START_NS..).map(row).collect()
}

/// A request and its response, and a close; over IPv6 where `v6` says so.
fn talk(v6: bool, port: u16) -> Conversation {
    let (client, server) = if v6 { ("[2001:db8::1]", "[2001:db8::2]:80") } else { ("192.0.2.1", "192.0.2.2:80") };
    let mut talk = Conversation::new(format!("{client}:{port}").parse().unwrap(), server.parse().unwrap());
    talk.handshake().client(REQUEST).ack(Side::Server).server_in(RESPONSE, 32).ack(Side::Client).close(Side::Server);
    talk
}

/// All that the library reads, and the damage that ended it.
fn read(file: &[u8]) -> Result<(Vec<Seen>, Option<Damage>), OpenError> {
    let mut reader = Reader::new(std::io::Cursor::new(file.to_vec()))?;
    let mut decoder = Decoder::default();
    let mut seen = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => {
                assert_eq!(frame.number, seen.len() as u64 + 1);
                let tcp = match decoder.decode(&frame) {
                    Packet::Tcp(segment) => Some((segment.seq.0, segment.payload_len)),
                    Packet::Other(_) => None,
                };
                let captured_len = frame.data.len() as u32;
                seen.push(Seen { time: frame.time.nanos(), original_len: frame.original_len, captured_len, tcp });
            }
            Ok(None) => return Ok((seen, None)),
            Err(damage) => {
                assert!(reader.next_frame().unwrap().is_none(), "damage is told once");
                return Ok((seen, Some(damage)));
            }
        }
    }
}

/// All that tshark reads, or `None` where there is no tshark. No configuration of this machine counts.
fn tshark(path: &Path) -> Option<Vec<Seen>> {
    const FIELDS: [&str; 5] = ["frame.time_epoch", "frame.len", "frame.cap_len", "tcp.seq_raw", "tcp.len"];
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new("tshark");
    command.env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path()).args(["-n", "-T", "fields", "-r"]).arg(path);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let Ok(output) = command.output() else {
        eprintln!("skipped: no tshark here, so it is not asked");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| fields[at].parse::<u32>().ok();
        let tcp = number(3).zip(number(4));
        Seen { time: nanos(fields[0]), original_len: number(1).unwrap(), captured_len: number(2).unwrap(), tcp }
    });
    Some(rows.collect())
}

/// Seconds with a fraction, as nanoseconds.
fn nanos(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.')?;
    let sign = if seconds.starts_with('-') { -1 } else { 1 };
    let fraction: i64 = format!("{fraction:0<9}").parse().unwrap();
    Some(seconds.parse::<i64>().unwrap() * 1_000_000_000 + sign * fraction)
}

/// Reads a sound capture with the library and with tshark; each has to see what is expected.
fn check(file: &[u8], expected: &[Seen]) {
    let (seen, damage) = read(file).unwrap();
    assert_eq!(damage, None);
    same("the library", &seen, expected);
    if let Some(seen) = tshark(scratch(file).path()) {
        same("tshark", &seen, expected);
    }
}

fn same(who: &str, seen: &[Seen], expected: &[Seen]) {
    for (number, (seen, expected)) in (1..).zip(seen.iter().zip(expected)) {
        assert_eq!(seen, expected, "{who} at frame {number}");
    }
    assert_eq!(seen.len(), expected.len(), "frames that {who} sees");
}

/// A file that is there while the value is.
fn scratch(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

// ---- The command ----

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcap-tools"));
    command.arg("summarize").args(arguments);
    command
}

/// `pcap-tools summarize --format json` of a file with these bytes.
fn summarize(file: &[u8]) -> Output {
    let file = scratch(file);
    command(&["--format", "json", file.path().to_str().unwrap()]).output().unwrap()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

// ---- pcapng ----

#[test]
fn sections_of_both_byte_orders_with_interfaces_of_different_kinds() {
    let mut file = Pcapng::new(Endian::Big);
    let mut expected = Vec::new();
    let mut port = 40_000;
    for endian in [Endian::Big, Endian::Little, Endian::Big, Endian::Little] {
        if port > 40_000 {
            file.section(endian);
        }
        // Power of ten of the ticks, and the divisor that makes them from nanoseconds.
        let kinds = [(ETHERNET, 9, 1), (NULL, 6, 1_000), (RAW, 3, 1_000_000), (LINUX_SLL, 9, 1), (IPV6, 0, 1_000_000_000)];
        for (link_type, power, _) in kinds {
            file.interface(link_type, 0, &[(2, b"some0".to_vec()), (9, vec![power])]);
        }
        for (interface, (link_type, _, divisor)) in (0..).zip(kinds) {
            port += 1;
            for (time, data, seen) in sound(&talk(link_type == IPV6, port), |packet| frame(link_type, packet)) {
                file.packet(interface, time / divisor, &data);
                expected.push(Seen { time: Some((time / divisor * divisor) as i64), ..seen });
            }
        }
    }
    check(file.bytes(), &expected);
    let interfaces = document(&summarize(file.bytes()))["capture"]["interfaces"].clone();
    assert_eq!(interfaces.as_array().unwrap().len(), 20);
    assert_eq!((&interfaces[0]["link_type"], &interfaces[1]["link_type"]), (&"ETHERNET".into(), &"NULL".into()));
    assert_eq!(interfaces[0]["name"], "some0");
}

#[test]
fn time_stamps_of_any_resolution() {
    for endian in ENDIANS {
        let mut file = Pcapng::new(endian);
        let mut expected = Vec::new();
        let data = frame(ETHERNET, &talk(false, 40_000).packets()[0]);
        let tcp = Some((1_000, 0));
        let seconds = 1_687_858_799;
        for (interface, (resolution, ticks, time)) in (0..).zip([
            (0, seconds, seconds * 1_000_000_000),
            (1, seconds * 10 + 3, seconds * 1_000_000_000 + 300_000_000),
            (3, seconds * 1_000 + 342, seconds * 1_000_000_000 + 342_000_000),
            (6, seconds * 1_000_000 + 342_121, seconds * 1_000_000_000 + 342_121_000),
            (7, seconds * 10_000_000 + 3_421_219, seconds * 1_000_000_000 + 342_121_900),
            (9, seconds * 1_000_000_000 + 342_121_987, seconds * 1_000_000_000 + 342_121_987),
            // Finer than 64 bits of ticks can be since 1970: cut to the nanosecond.
            (12, 5_000_000_000_123_456, 5_000_000_000_123),
            (0x80, seconds, seconds * 1_000_000_000),
            (0x80 | 10, seconds << 10 | 512, seconds * 1_000_000_000 + 500_000_000),
            (0x80 | 20, seconds << 20 | 1 << 18, seconds * 1_000_000_000 + 250_000_000),
            (0x80 | 32, seconds << 32 | 1 << 29, seconds * 1_000_000_000 + 125_000_000),
            // One tick is 0.93 ns.
            (0x80 | 30, seconds << 30 | 3, seconds * 1_000_000_000 + 2),
        ]) {
            file.interface(ETHERNET, 0, &[(9, vec![resolution])]);
            file.packet(interface, ticks, &data);
            expected.push(Seen { tcp, ..Seen::other(time, data.len()) });
        }
        check(file.bytes(), &expected);
    }
}

#[test]
fn time_stamps_with_an_offset() {
    for endian in ENDIANS {
        let mut file = Pcapng::new(endian);
        let mut expected = Vec::new();
        let data = frame(ETHERNET, &talk(false, 40_000).packets()[0]);
        for (interface, offset) in (0..).zip([0_i64, 86_400, -86_400, 1_687_858_799]) {
            let bytes = if endian == Endian::Big { offset.to_be_bytes() } else { offset.to_le_bytes() };
            file.interface(ETHERNET, 0, &[(14, bytes.to_vec()), (9, vec![9])]);
            file.packet(interface, 200_000_000_000_007, &data);
            let time = (200_000_000_000_007 + offset * 1_000_000_000) as u64;
            expected.push(Seen { tcp: Some((1_000, 0)), ..Seen::other(time, data.len()) });
        }
        check(file.bytes(), &expected);
    }
}

#[test]
fn enhanced_simple_and_obsolete_packet_blocks() {
    for endian in ENDIANS {
        let mut file = Pcapng::new(endian);
        file.interface(ETHERNET, 60, &[]).interface(RAW, 0, &[(9, vec![9])]);
        let mut expected = Vec::new();
        for (_, data, seen) in sound(&talk(true, 40_000), |packet| frame(ETHERNET, packet)) {
            // The simple block is cut to its interface's snap length, which leaves the IPv6 header and no TCP header.
            file.simple_packet(&data);
            expected.push(Seen { tcp: None, ..seen.timeless() }.cut(60));
        }
        for (time, data, seen) in sound(&talk(false, 40_001), |packet| frame(RAW, packet)) {
            file.obsolete_packet(1, time, &data);
            expected.push(seen);
        }
        for (time, data, seen) in sound(&talk(false, 40_002), |packet| frame(RAW, packet)) {
            file.packet(1, time, &data);
            expected.push(seen);
        }
        check(file.bytes(), &expected);
    }
}

#[test]
fn simple_packet_blocks_without_a_snap_length() {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[]);
    let rows = sound(&talk(true, 40_000), |packet| frame(NULL, packet));
    for (_, data, _) in &rows {
        file.simple_packet(data);
    }
    let expected: Vec<Seen> = rows.iter().map(|(_, _, seen)| seen.timeless()).collect();
    check(file.bytes(), &expected);
    let document = document(&summarize(file.bytes()));
    assert_eq!(document["exchanges"][0]["response"]["frame"], 7);
    // Unknown is null, never zero.
    assert_eq!((&document["capture"]["first_time"], &document["exchanges"][0]["response_time_us"]), (&Value::Null, &Value::Null));
}

#[test]
fn blocks_of_every_other_type_are_skipped_by_their_length() {
    for endian in ENDIANS {
        let mut file = Pcapng::new(endian);
        file.block(0x0000_0BAC, b"before any interface");
        file.interface(NULL, 0, &[(9, vec![9])]);
        let mut expected = Vec::new();
        // Name Resolution, Interface Statistics (empty here), Decryption Secrets, and types that nobody knows.
        let types = [4, 5, 10, 0x0000_0BAC, 0x8000_0001, 0xFFFF_FFFF];
        for ((time, data, seen), kind) in sound(&talk(false, 40_000), |packet| frame(NULL, packet)).into_iter().zip(types.iter().cycle()) {
            let body: &[u8] = match kind {
                4 => &[0; 4],
                5 => &[0; 12],
                10 => &[0; 8],
                _ => b"nobody knows what this says",
            };
            file.block(*kind, body).packet(0, time, &data);
            expected.push(seen);
        }
        check(file.bytes(), &expected);
    }
}

#[test]
fn an_unknown_block_longer_than_any_buffer_is_skipped() {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[(9, vec![9])]);
    let rows = sound(&talk(false, 40_000), |packet| frame(NULL, packet));
    for (at, (time, data, _)) in rows.iter().enumerate() {
        if at == 3 {
            file.block(0x0000_0BAC, &vec![7; 20 << 20]);
        }
        file.packet(0, *time, data);
    }
    // tshark refuses a block above 16 MiB, and is not asked.
    let (seen, damage) = read(file.bytes()).unwrap();
    assert_eq!(damage, None);
    same("the library", &seen, &rows.iter().map(|(_, _, seen)| *seen).collect::<Vec<_>>());
    let cut = &file.bytes()[..10 << 20];
    let (seen, damage) = read(cut).unwrap();
    assert_eq!((seen.len(), damage.unwrap().frame), (3, 4));
}

#[test]
fn records_that_wireshark_shows_take_a_number() {
    for endian in ENDIANS {
        let mut file = Pcapng::new(endian);
        file.interface(NULL, 0, &[(9, vec![9])]);
        let mut expected = Vec::new();
        let journal = b"__REALTIME_TIMESTAMP=1687858799342121\nMESSAGE=hi\n";
        let custom = [&32_473_u32.to_le_bytes()[..], b"private!"].concat();
        for (at, (time, data, seen)) in sound(&talk(false, 40_000), |packet| frame(NULL, packet)).into_iter().enumerate() {
            let record = [None, Some((9, &journal[..])), Some((0x0000_0BAD, &custom)), Some((0x4000_0BAD, &custom))][at % 4];
            if let Some((block_type, body)) = record {
                file.block(block_type, body);
                expected.push(None);
            }
            file.packet(0, time, &data);
            expected.push(Some(seen));
        }
        // What a record's length is, is a matter of taste; which frames hold packets is not.
        let packets =
            |all: Vec<Seen>| -> Vec<Option<Seen>> { all.into_iter().map(|seen| Some(seen).filter(|seen| seen.tcp.is_some())).collect() };
        let (seen, damage) = read(file.bytes()).unwrap();
        assert_eq!((packets(seen), damage), (expected.clone(), None));
        if let Some(seen) = tshark(scratch(file.bytes()).path()) {
            assert_eq!(packets(seen), expected, "tshark");
        }
        let others = document(&summarize(file.bytes()))["capture"]["other_packets"].clone();
        assert_eq!(others.as_array().unwrap().iter().map(|other| other["packets"].as_u64().unwrap()).sum::<u64>(), 9);
    }
}

// ---- pcap, compression ----

#[test]
fn pcap_in_both_byte_orders_and_precisions() {
    for endian in ENDIANS {
        for (precision, unit) in [(Precision::Micros, 1_000), (Precision::Nanos, 1)] {
            let mut file = Pcap::new(endian, precision, LINUX_SLL2);
            let mut expected = Vec::new();
            for (time, data, seen) in sound(&talk(true, 40_000), |packet| frame(LINUX_SLL2, packet)) {
                let time = time + 123_456_789;
                file.packet(time, &data);
                expected.push(Seen { time: Some((time / unit * unit) as i64), ..seen });
            }
            check(file.bytes(), &expected);
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A pcapng file of one conversation, and what shall be seen of it.
fn sample(port: u16) -> (Vec<u8>, Vec<Seen>) {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[(9, vec![9])]);
    let rows = sound(&talk(false, port), |packet| frame(NULL, packet));
    for (time, data, _) in &rows {
        file.packet(0, *time, data);
    }
    (file.into_bytes(), rows.into_iter().map(|(_, _, seen)| seen).collect())
}

#[test]
fn gzip_and_zstd_of_both_formats() {
    let (pcapng, expected) = sample(40_000);
    let mut pcap = Pcap::new(Endian::Big, Precision::Nanos, NULL);
    for (time, data, _) in sound(&talk(false, 40_000), |packet| frame(NULL, packet)) {
        pcap.packet(time, &data);
    }
    for (name, file) in [("pcapng", pcapng), ("pcap", pcap.bytes().to_vec())] {
        for (compression, bytes) in [("gzip", gzip(&file)), ("zstd", zstd::encode_all(&file[..], 3).unwrap())] {
            check(&bytes, &expected);
            let document = document(&summarize(&bytes));
            assert_eq!((&document["capture"]["format"], &document["capture"]["compression"]), (&name.into(), &compression.into()));
            assert_eq!(document["exchanges"][0]["response"]["frame"], 7);
        }
    }
}

#[test]
fn several_gzip_members_and_zstd_frames_one_after_another() {
    let (file, expected) = sample(40_000);
    let (head, tail) = file.split_at(file.len() / 2);
    check(&[gzip(head), gzip(tail)].concat(), &expected);
    let both = [zstd::encode_all(head, 3).unwrap(), zstd::encode_all(tail, 3).unwrap()].concat();
    let (seen, damage) = read(&both).unwrap();
    assert_eq!(damage, None);
    same("the library", &seen, &expected);
}

// ---- Standard input ----

/// The lines of a running command's standard output, as they come.
fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}

fn next_row(lines: &Receiver<String>) -> Value {
    let line = lines.recv_timeout(Duration::from_secs(20)).expect("a row is written while the pipe is open");
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_file_on_standard_input() {
    let (file, _) = sample(40_000);
    for bytes in [file.clone(), gzip(&file), zstd::encode_all(&file[..], 3).unwrap()] {
        let file = scratch(&bytes);
        let output = command(&["--format", "json", "-"]).stdin(std::fs::File::open(file.path()).unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
        let document = document(&output);
        assert_eq!((&document["capture"]["path"], &document["capture"]["packets"]), (&"-".into(), &12.into()));
    }
}

#[test]
fn rows_come_out_of_a_pipe_that_is_still_being_written() {
    let mut pcap = Pcap::new(Endian::Little, Precision::Micros, NULL);
    let mut parts = vec![pcap.bytes().len()];
    let (mut pcapng, mut marks) = (Pcapng::new(Endian::Little), Vec::new());
    pcapng.interface(NULL, 0, &[(9, vec![9])]);
    for port in [40_000, 40_001] {
        for (time, data, _) in sound(&talk(false, port), |packet| frame(NULL, packet)) {
            pcap.packet(time, &data);
            pcapng.packet(0, time, &data);
        }
        parts.push(pcap.bytes().len());
        marks.push(pcapng.bytes().len());
    }
    for (bytes, [one, two]) in [(pcap.bytes(), [parts[1], parts[2]]), (pcapng.bytes(), [marks[0], marks[1]])] {
        let mut child = command(&["--format", "jsonl", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let mut pipe = child.stdin.take().unwrap();
        // The first connection and a part of the next record; then the rest.
        pipe.write_all(&bytes[..one + 7]).unwrap();
        pipe.flush().unwrap();
        let (exchange, connection) = (next_row(&lines), next_row(&lines));
        assert_eq!((&exchange["type"], &exchange["response"]["frame"]), (&"exchange".into(), &7.into()));
        assert_eq!((&connection["type"], &connection["close"]["kind"]), (&"connection".into(), &"fin".into()));
        pipe.write_all(&bytes[one + 7..two]).unwrap();
        pipe.flush().unwrap();
        assert_eq!((&next_row(&lines)["stream"], &next_row(&lines)["stream"]), (&1.into(), &1.into()));
        drop(pipe);
        assert!(child.wait().unwrap().success());
        assert_eq!(lines.iter().count(), 0, "every row was written once");
    }
}

#[test]
fn an_exchange_comes_out_while_its_connection_is_open() {
    let mut talk = Conversation::new("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:5031".parse().unwrap());
    talk.handshake().client(REQUEST).server(RESPONSE);
    let mut child = command(&["--format", "jsonl", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = lines_of(child.stdout.take().unwrap());
    let mut pipe = child.stdin.take().unwrap();
    // As slowly as packets come.
    for piece in craft::capture(&talk.packets()).chunks(100) {
        pipe.write_all(piece).unwrap();
        pipe.flush().unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(next_row(&lines)["request"]["target"], "/beans");
    drop(pipe);
    let connection = next_row(&lines);
    assert_eq!((&connection["type"], &connection["close"]["kind"]), (&"connection".into(), &"open".into()));
    assert!(child.wait().unwrap().success());
}

// ---- Link types ----

#[test]
fn link_types_with_both_versions_of_ip() {
    let mut file = Pcapng::new(Endian::Little);
    let mut expected = Vec::new();
    let kinds = [
        (ETHERNET, false),
        (ETHERNET, true),
        (NULL, false),
        (NULL, true),
        (LOOP, false),
        (LOOP, true),
        (LINUX_SLL, false),
        (LINUX_SLL, true),
        (LINUX_SLL2, false),
        (LINUX_SLL2, true),
        (RAW, false),
        (RAW, true),
        (IPV4, false),
        (IPV6, true),
    ];
    for (interface, (link_type, v6)) in (0_u16..).zip(kinds) {
        file.interface(link_type, 0, &[(9, vec![9])]);
        for (time, data, seen) in sound(&talk(v6, 40_000 + interface), |packet| frame(link_type, packet)) {
            file.packet(interface.into(), time, &data);
            expected.push(seen);
        }
    }
    check(file.bytes(), &expected);
    let document = document(&summarize(file.bytes()));
    assert_eq!(document["counts"]["http"]["responses"], 14);
    let names: Vec<&str> =
        document["capture"]["interfaces"].as_array().unwrap().iter().map(|one| one["link_type"].as_str().unwrap()).collect();
    assert_eq!(names[..2], ["ETHERNET"; 2]);
    assert_eq!(names[4..], ["LOOP", "LOOP", "LINUX_SLL", "LINUX_SLL", "LINUX_SLL2", "LINUX_SLL2", "RAW", "RAW", "IPV4", "IPV6"]);
}

#[test]
fn vlan_tags_and_padding_of_ethernet() {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(ETHERNET, 0, &[(9, vec![9])]);
    let mut expected = Vec::new();
    let tags: [&[(u16, u16)]; 5] = [
        &[(0x8100, 7)],
        &[(0x88A8, 7), (0x8100, 8)],
        &[(0x8100, 1), (0x8100, 2)],
        &[(0x9100, 3), (0x8100, 4)],
        &[(0x8100, 1), (0x8100, 2), (0x8100, 3)],
    ];
    for (number, tags) in (0..).zip(tags) {
        for v6 in [false, true] {
            for (time, data, seen) in sound(&talk(v6, 40_000 + number), |packet| craft::ethernet(tags, packet)) {
                file.packet(0, time, &data);
                expected.push(seen);
            }
        }
    }
    // An Ethernet frame has at least 60 bytes; what fills it up is not payload.
    let pad = |packet: &[u8]| {
        let mut data = frame(ETHERNET, packet);
        data.resize(data.len().max(60), 0);
        data
    };
    for (time, data, seen) in sound(&talk(false, 50_000), pad) {
        file.packet(0, time, &data);
        expected.push(seen);
    }
    check(file.bytes(), &expected);
}

/// Conversations with each of these address families: over NULL in both byte orders, and over LOOP.
fn loopback(families: &[(u32, bool)]) -> (Vec<u8>, Vec<Seen>) {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[(9, vec![9])]).interface(LOOP, 0, &[(9, vec![9])]);
    let mut expected = Vec::new();
    let ways = [(0, Endian::Little), (0, Endian::Big), (1, Endian::Big)];
    let all = families.iter().flat_map(|family| ways.map(|way| (family, way)));
    for (port, ((family, v6), (interface, endian))) in (40_000..).zip(all) {
        for (time, data, seen) in sound(&talk(*v6, port), |packet| craft::null(*family, endian, packet)) {
            file.packet(interface, time, &data);
            expected.push(seen);
        }
    }
    (file.into_bytes(), expected)
}

#[test]
fn loopback_families_of_macos_and_the_bsds_in_both_byte_orders() {
    // IPv4 is 2 everywhere; IPv6 is 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
    let (file, expected) = loopback(&[(2, false), (24, true), (28, true), (30, true)]);
    check(&file, &expected);
}

#[test]
fn loopback_families_of_linux_and_windows_in_both_byte_orders() {
    // IPv6 is 10 and 23 there, which tshark does not know: it is not asked.
    let (file, expected) = loopback(&[(2, false), (10, true), (23, true)]);
    let (seen, damage) = read(&file).unwrap();
    assert_eq!(damage, None);
    same("the library", &seen, &expected);
}

#[test]
fn another_link_type_is_counted_and_named() {
    let mut file = Pcapng::new(Endian::Little);
    let mut expected = Vec::new();
    for link_type in [105, 147, 9_999] {
        file.interface(link_type, 0, &[(9, vec![9])]);
    }
    file.interface(NULL, 0, &[(9, vec![9])]);
    for interface in [0, 1, 1, 2, 2, 2] {
        file.packet(interface, START_NS, &[0xD4; 10]);
        expected.push(Seen::other(START_NS, 10));
    }
    for (time, data, seen) in sound(&talk(false, 40_000), |packet| frame(NULL, packet)) {
        file.packet(3, time, &data);
        expected.push(seen);
    }
    let (seen, damage) = read(file.bytes()).unwrap();
    assert_eq!(damage, None);
    same("the library", &seen, &expected);
    let output = summarize(file.bytes());
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let document = document(&output);
    let others: Vec<(u64, &str)> = document["capture"]["other_packets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|other| (other["packets"].as_u64().unwrap(), other["kind"].as_str().unwrap()))
        .collect();
    for (count, name) in [(1, "IEEE802_11"), (2, "USER0"), (3, "9999")] {
        assert!(others.iter().any(|(packets, kind)| *packets == count && kind.contains(name)), "{name} in {others:?}");
    }
    assert_eq!(document["counts"]["http"], serde_json::json!({"requests": 1, "responses": 1}));
}

// ---- IP ----

/// An IP packet, and the segment that it completes.
type Carried = (Vec<u8>, Option<(u32, u32)>);

/// Frames of packets over [`NULL`], one nanosecond apart, where packet and segment are known to belong together.
fn packets_file(rows: &[Carried]) -> (Vec<u8>, Vec<Seen>) {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[(9, vec![9])]);
    let mut expected = Vec::new();
    for ((packet, tcp), time) in rows.iter().zip(START_NS..) {
        let data = frame(NULL, packet);
        file.packet(0, time, &data);
        expected.push(Seen { tcp: *tcp, ..Seen::other(time, data.len()) });
    }
    (file.into_bytes(), expected)
}

fn v4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(address) => panic!("{address} is not of version 4"),
    }
}

fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V6(address) => address,
        IpAddr::V4(address) => panic!("{address} is not of version 6"),
    }
}

/// Addresses of sender and receiver, and the segment's bytes.
fn on_the_wire(talk: &Conversation, segment: &craft::Segment) -> (IpAddr, IpAddr, Vec<u8>) {
    let tcp = segment.to_tcp(talk.client, talk.server);
    let (client, server) = (talk.client.ip(), talk.server.ip());
    if segment.from == Side::Client { (client, server, tcp) } else { (server, client, tcp) }
}

#[test]
fn ipv4_options_and_ipv6_extension_headers_are_stepped_over() {
    let mut rows = Vec::new();
    let talk4 = talk(false, 40_000);
    for segment in &talk4.segments {
        let (from, to, tcp) = on_the_wire(&talk4, segment);
        let packet = craft::ipv4_with_options(v4(from), v4(to), 6, &[7, 7, 4, 0, 0, 0, 0, 1, 1], &tcp);
        rows.push((packet, Some((segment.seq, segment.payload.len() as u32))));
    }
    let chains: [&[Extension]; 4] = [
        &[Extension::HopByHop(vec![])],
        &[Extension::Routing],
        &[Extension::DestinationOptions(vec![0x1E, 0])],
        &[Extension::HopByHop(vec![]), Extension::DestinationOptions(vec![]), Extension::Routing, Extension::DestinationOptions(vec![])],
    ];
    for (port, chain) in (40_001..).zip(chains) {
        let talk6 = talk(true, port);
        for segment in &talk6.segments {
            let (from, to, tcp) = on_the_wire(&talk6, segment);
            let packet = craft::ipv6_with_extension_headers(v6(from), v6(to), chain, 6, &tcp);
            rows.push((packet, Some((segment.seq, segment.payload.len() as u32))));
        }
    }
    let (file, expected) = packets_file(&rows);
    check(&file, &expected);
}

/// A conversation whose packets come in fragments, in an order of their own.
fn fragmented(v6: bool, mut order: impl FnMut(&mut Vec<Vec<u8>>)) -> Vec<Carried> {
    let talk = talk(v6, 40_000);
    let mut rows = Vec::new();
    for ((segment, packet), id) in talk.segments.iter().zip(talk.packets()).zip(1_u16..) {
        let mut fragments =
            if v6 { craft::ipv6_fragments(&packet, 64, 0x0102_0000 | u32::from(id)) } else { craft::ipv4_fragments(&packet, 36, id) };
        order(&mut fragments);
        let last = fragments.len() - 1;
        let tcp = (segment.seq, segment.payload.len() as u32);
        rows.extend(fragments.into_iter().enumerate().map(|(at, fragment)| (fragment, (at == last).then_some(tcp))));
    }
    assert!(rows.len() >= 2 * talk.segments.len(), "packets are in fragments");
    rows
}

#[test]
fn fragments_become_packets_in_whatever_order_they_come() {
    let mut random = Random::new(11);
    for version in [false, true] {
        for order in ["sent", "reversed", "shuffled"] {
            let (file, expected) = packets_file(&fragmented(version, |fragments| match order {
                "sent" => {}
                "reversed" => fragments.reverse(),
                _ => random.shuffle(fragments),
            }));
            check(&file, &expected);
            let document = document(&summarize(&file));
            assert_eq!(document["counts"]["http"], serde_json::json!({"requests": 1, "responses": 1}), "{order}");
        }
    }
}

#[test]
fn the_first_copy_of_a_fragments_bytes_counts() {
    let mut talk = talk(false, 40_000);
    talk.segments.truncate(4);
    let packets = talk.packets();
    let mut fragments = craft::ipv4_fragments(&packets[3], 44, 9);
    // The second fragment again, with other bytes, before the packet is whole.
    let mut forged = fragments[1].clone();
    forged[20..].fill(b'?');
    fragments.insert(2, forged);
    let all = [packets[..3].to_vec(), fragments].concat();
    let mut file = Pcapng::new(Endian::Little);
    file.interface(RAW, 0, &[]);
    for packet in &all {
        file.packet(0, START_NS / 1_000, packet);
    }
    let exchange = &document(&summarize(file.bytes()))["exchanges"][0];
    assert_eq!((&exchange["request"]["target"], &exchange["request"]["frame"]), (&"/beans".into(), &(all.len() as u64).into()));
}

#[test]
fn overlapping_fragments_become_one_packet() {
    let packet = &talk(false, 40_000).packets()[3];
    // The same packet cut in two ways: the second fragment of each begins elsewhere.
    let (wide, narrow) = (craft::ipv4_fragments(packet, 52, 9), craft::ipv4_fragments(packet, 36, 9));
    let last = wide.last().unwrap().clone();
    let fragments = [narrow[0].clone(), wide[0].clone(), narrow[2].clone(), wide[1].clone(), last];
    let rows: Vec<_> =
        fragments.into_iter().enumerate().map(|(at, fragment)| (fragment, (at == 4).then_some((1_001, REQUEST.len() as u32)))).collect();
    let (file, expected) = packets_file(&rows);
    let (seen, _) = read(&file).unwrap();
    let done = seen.iter().position(|seen| seen.tcp.is_some());
    assert!(done.is_some(), "{seen:?}");
    assert_eq!(seen[done.unwrap()].tcp, expected[4].tcp);
    assert_eq!(seen.iter().filter(|seen| seen.tcp.is_some()).count(), 1);
}

#[test]
fn a_fragment_that_never_came_is_reported() {
    let mut rows = fragmented(false, |_| {});
    rows.remove(1);
    let (file, _) = packets_file(&rows);
    let output = summarize(&file);
    assert_eq!(output.status.code(), Some(0));
    let findings = document(&output)["findings"].clone();
    assert!(findings.as_array().unwrap().iter().any(|finding| finding["kind"] == "fragment"), "{findings}");
}

// ---- Lengths ----

#[test]
fn a_frame_cut_by_the_snap_length_counts_with_its_original_length() {
    for kept in [66, 70, 100] {
        let mut file = Pcapng::new(Endian::Little);
        file.interface(ETHERNET, kept as u32, &[(9, vec![9])]);
        let mut pcap = Pcap::new(Endian::Big, Precision::Nanos, ETHERNET);
        let mut expected = Vec::new();
        for (time, data, seen) in sound(&talk(false, 40_000), |packet| frame(ETHERNET, packet)) {
            file.packet_cut(0, time, &data, kept.min(data.len()));
            pcap.packet_cut(time, &data, kept.min(data.len()));
            expected.push(seen.cut(kept.min(data.len())));
        }
        check(file.bytes(), &expected);
        check(pcap.bytes(), &expected);
        let document = document(&summarize(file.bytes()));
        let total: u64 = expected.iter().map(|seen| u64::from(seen.original_len)).sum();
        assert_eq!((&document["capture"]["bytes"], &document["connections"][0]["bytes"]), (&total.into(), &total.into()));
        let flows = ["from_client", "from_server"].map(|side| document["connections"][0][side]["payload_bytes"].as_u64().unwrap());
        assert_eq!(flows, [REQUEST.len() as u64, RESPONSE.len() as u64]);
    }
}

#[test]
fn an_ipv4_total_length_of_zero_means_the_rest_of_the_frame() {
    let offload = |packet: &[u8]| {
        let mut packet = packet.to_vec();
        packet[2..4].fill(0);
        packet[10..12].fill(0);
        let sum = craft::checksum(&packet[..20]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        frame(ETHERNET, &packet)
    };
    let mut file = Pcapng::new(Endian::Little);
    file.interface(ETHERNET, 0, &[(9, vec![9])]);
    let mut expected = Vec::new();
    for (time, data, seen) in sound(&talk(false, 40_000), offload) {
        file.packet(0, time, &data);
        expected.push(seen);
    }
    check(file.bytes(), &expected);
    assert_eq!(document(&summarize(file.bytes()))["exchanges"][0]["response"]["body_bytes"], 22);
}

// ---- Damage ----

/// A small capture, and where each of its records ends.
fn records(pcapng: bool) -> (Vec<u8>, Vec<usize>) {
    let rows = sound(&talk(false, 40_000), |packet| frame(NULL, packet));
    let mut ends = Vec::new();
    if pcapng {
        let mut file = Pcapng::new(Endian::Big);
        file.interface(NULL, 0, &[(9, vec![9])]);
        ends.push(file.bytes().len());
        for (time, data, _) in &rows[..8] {
            file.packet(0, *time, data);
            ends.push(file.bytes().len());
        }
        return (file.into_bytes(), ends);
    }
    let mut file = Pcap::new(Endian::Little, Precision::Nanos, NULL);
    ends.push(file.bytes().len());
    for (time, data, _) in &rows[..8] {
        file.packet(*time, data);
        ends.push(file.bytes().len());
    }
    (file.bytes().to_vec(), ends)
}

#[test]
fn a_capture_cut_at_any_byte_brings_the_frames_before_and_names_the_place() {
    for pcapng in [true, false] {
        let (file, ends) = records(pcapng);
        let first_header = if pcapng { 28 } else { 24 };
        for cut in 0..file.len() {
            let outcome = read(&file[..cut]);
            if cut < 4 {
                assert!(matches!(outcome, Err(OpenError::Empty | OpenError::NotACapture(_))), "cut at {cut}");
                continue;
            }
            let (seen, damage) = outcome.unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
            let whole = ends.iter().filter(|&&end| end <= cut).count().saturating_sub(1);
            assert_eq!(seen.len(), whole, "cut at {cut}");
            let between = ends.contains(&cut) || cut == first_header;
            assert_eq!(damage.is_none(), between, "cut at {cut}: {damage:?}");
            if let Some(damage) = damage {
                assert_eq!((damage.kind, damage.frame), (DamageKind::Cut, whole as u64 + 1), "cut at {cut}");
                let begin = ends.iter().copied().filter(|&end| end <= cut).max();
                let begin = begin.unwrap_or(if cut > first_header { first_header } else { 0 });
                assert!(damage.offset == begin as u64 || cut < ends[0], "cut at {cut}: {damage}, not {begin}");
            }
        }
    }
}

#[test]
fn the_command_survives_a_cut_at_any_byte() {
    for pcapng in [true, false] {
        let (file, ends) = records(pcapng);
        // Around the ends of records, and every few bytes: a process for each byte takes longer than it teaches.
        for cut in (4..file.len()).filter(|cut| cut % 7 == 0 || ends.iter().any(|end| end.abs_diff(*cut) < 3)) {
            let output = summarize(&file[..cut]);
            let code = output.status.code();
            let document = document(&output);
            let damage = &document["capture"]["damage"];
            assert_eq!(code, Some(if damage.is_null() { 0 } else { 1 }), "cut at {cut}: {}", complaint(&output));
            let whole = ends.iter().filter(|&&end| end <= cut).count().saturating_sub(1) as u64;
            assert_eq!(document["capture"]["packets"], whole, "cut at {cut}");
            if !damage.is_null() {
                let (frame, offset) = (damage["frame"].as_u64().unwrap(), damage["offset"].as_u64().unwrap());
                let said = complaint(&output);
                assert!(said.contains(&format!("frame {frame}, byte offset {offset}")) && said.contains("tmp"), "cut at {cut}: {said}");
            }
        }
    }
}

#[test]
fn tshark_reads_as_many_frames_of_a_cut_capture() {
    for pcapng in [true, false] {
        let (file, ends) = records(pcapng);
        for cut in [ends[2] + 1, ends[4] - 1, file.len() - 5] {
            let (seen, damage) = read(&file[..cut]).unwrap();
            assert!(damage.is_some());
            if let Some(theirs) = tshark(scratch(&file[..cut]).path()) {
                same("tshark", &theirs, &seen);
            }
        }
    }
}

#[test]
fn a_record_that_contradicts_itself_is_damage_after_all_frames_before_it() {
    let (good, ends) = records(true);
    let at = ends[3];
    let spoiled = |place: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at + place..at + place + bytes.len()].copy_from_slice(bytes);
        file
    };
    let pcap = {
        let (mut file, ends) = records(false);
        // A captured length of 2³¹.
        file[ends[3] + 8..ends[3] + 12].copy_from_slice(&0x8000_0000_u32.to_le_bytes());
        (file, ends[3])
    };
    for (what, file, offset) in [
        ("total length of 0", spoiled(4, &[0; 4]), at),
        ("total length of 11", spoiled(4, &[0, 0, 0, 11]), at),
        ("captured length above the block", spoiled(8 + 12, &[0, 0, 0xFF, 0xFF]), at),
        (
            "trailing length differs",
            {
                let mut file = good.clone();
                file[ends[4] - 1] ^= 4;
                file
            },
            at,
        ),
        ("captured length above any frame", pcap.0, pcap.1),
    ] {
        let output = summarize(&file);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", complaint(&output));
        let document = document(&output);
        assert_eq!(document["capture"]["packets"], 3, "{what}");
        let damage = &document["capture"]["damage"];
        assert_eq!((&damage["frame"], &damage["offset"]), (&4.into(), &(offset as u64).into()), "{what}");
        assert!(complaint(&output).contains(&format!("frame 4, byte offset {offset}")), "{what}: {}", complaint(&output));
        if let Some(theirs) = tshark(scratch(&file).path()) {
            assert_eq!(theirs.len(), 3, "{what}: tshark");
        }
    }
}

#[test]
fn damaged_compression_brings_what_was_before_it() {
    let (file, ends) = records(true);
    for (what, bytes) in [
        ("gzip cut", {
            let all = gzip(&file);
            all[..all.len() * 2 / 3].to_vec()
        }),
        ("gzip without its trailer", {
            let all = gzip(&file);
            all[..all.len() - 8].to_vec()
        }),
        ("gzip with a wrong sum", {
            let mut all = gzip(&file);
            let at = all.len() - 6;
            all[at] ^= 1;
            all
        }),
        ("rubbish after the first member", [gzip(&file[..ends[5]]), b"rubbish".to_vec()].concat()),
        ("gzip of a cut capture", gzip(&file[..ends[5] + 9])),
        ("zstd of a cut capture", zstd::encode_all(&file[..ends[5] + 9], 3).unwrap()),
    ] {
        let output = summarize(&bytes);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", complaint(&output));
        let damage = &document(&output)["capture"]["damage"];
        assert!(damage["frame"].as_u64().unwrap() >= 1, "{what}");
        if what.ends_with("of a cut capture") {
            assert_eq!((&damage["frame"], &damage["offset"]), (&6.into(), &(ends[5] as u64).into()), "{what}");
        }
    }
}

#[test]
fn a_long_compressed_capture_that_is_cut_brings_many_frames() {
    let mut random = Random::new(12);
    let mut file = Pcapng::new(Endian::Little);
    file.interface(ETHERNET, 0, &[]);
    for time in 0..4_000 {
        let noise: Vec<u8> = (0..50).flat_map(|_| random.number().to_le_bytes()).collect();
        file.packet(0, time, &noise);
    }
    for whole in [gzip(file.bytes()), zstd::encode_all(file.bytes(), 3).unwrap()] {
        let output = summarize(&whole[..whole.len() * 2 / 3]);
        assert_eq!(output.status.code(), Some(1), "{}", complaint(&output));
        let capture = &document(&output)["capture"];
        let packets = capture["packets"].as_u64().unwrap();
        assert!((2_000..3_000).contains(&packets), "{packets}");
        assert_eq!(capture["damage"]["frame"], packets + 1);
    }
}

#[test]
fn what_is_no_capture_is_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: Option<&[u8]>| {
        let path = folder.path().join(name);
        bytes.iter().for_each(|bytes| std::fs::write(&path, bytes).unwrap());
        path.to_str().unwrap().to_owned()
    };
    for (file, said) in [
        (path("empty", Some(b"")), "empty"),
        (path("text", Some(b"This is a text about coffee.\n")), "no pcapng or pcap"),
        (path("three-bytes", Some(b"\x0a\x0d\x0d")), "no pcapng or pcap"),
        (path("gzip-of-text", Some(&gzip(b"This is a text about coffee.\n"))), "no pcapng or pcap"),
        (path("missing", None), "No such file"),
        (folder.path().to_str().unwrap().to_owned(), "directory"),
    ] {
        for format in ["text", "json", "jsonl", "csv"] {
            let output = command(&["--format", format, &file]).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{file}");
            assert!(complaint(&output).contains(&file) && complaint(&output).contains(said), "{file}: {}", complaint(&output));
            assert!(output.stdout.is_empty(), "{file}: {:?}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

#[test]
fn one_file_that_cannot_be_read_does_not_keep_the_others_from_being_read() {
    let (file, _) = sample(40_000);
    let (good, cut) = (scratch(&file), scratch(&file[..file.len() - 1]));
    let [good, cut] = [&good, &cut].map(|file| file.path().to_str().unwrap());
    for (files, code, documents) in [(vec![good, good], 0, 3), (vec![good, cut], 1, 3), (vec!["/nowhere/at.all", cut, good], 2, 3)] {
        let arguments = [vec!["--format", "json"], files].concat();
        let output = command(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", complaint(&output));
        let lines = String::from_utf8(output.stdout).unwrap();
        assert_eq!(lines.lines().count(), documents, "a document a line, and a total");
        assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    }
}
