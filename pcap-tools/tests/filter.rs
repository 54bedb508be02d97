//! tshark as the judge of display filters: the same frames for every filter on every capture.
//!
//! In: the lab's captures (`SHARED_CAPTURES`, or `../shared/captures` beside the workspace) and captures made here. One run of
//! tshark counts the frames of all filters at once: the captures are written anew with a millisecond between two
//! frames, so that a statistic by milliseconds is one by frames. HTCPCP is judged by the project's own dissector.
//! Where tshark, a capture or the dissector is missing, a line on standard error says what was skipped.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use pcap_tools::capture::{Content, Reader};
use pcap_tools::craft::{
    self, ACK, Conversation, ETHERNET, Endian, NULL, Pcapng, START_NS, Segment, Side, ethernet, frame, interleave, ip, ipv4_fragments,
    ipv6_fragments,
};
use pcap_tools::exchange::Ports;
use pcap_tools::filter::Filter;
use pcap_tools::lab::{Detail, Lab, Tasks};
use pcap_tools::report::packets::{Format, List};
use pcap_tools::summary;

/// Filters of frames, Ethernet, IP, TCP and TLS, and everything that the language has.
const HEADERS: &[&str] = &[
    "frame.number == 5",
    "frame.number >= 3 && frame.number <= 6",
    "frame.number == 0x4 or frame.number eq 07",
    "frame.len > 100",
    "frame.cap_len < frame.len",
    "frame.cap_len le 60",
    "frame.time_relative > 0.005",
    "frame.time_delta > 0.0005",
    "frame.time >= \"2023-06-27 09:39:59.350Z\"",
    "frame.time_epoch < 1687858799.35",
    "frame contains \"Host\"",
    "frame contains 47:45:54",
    "frame matches \"coffee|html\"",
    "frame[0:4] == 02:00:00:00",
    "frame[-2:] != 0d:0a",
    "frame.protocols contains \"tcp\"",
    "eth",
    "eth.type == 0x0800",
    "eth.addr == 02:00:00:00:00:01",
    "eth.src[0:3] == 02:00:00",
    "eth.dst.lg == 1",
    "vlan",
    "vlan.id == 42",
    "null",
    "null.family == 2",
    "arp or udp or icmp",
    "udp.port == 53",
    "ip",
    "ipv6",
    "ip or ipv6",
    "not ip",
    "ip.version == 4 && !ipv6",
    "ip.hdr_len == 20",
    "ip.len > 60",
    "ip.ttl == 64",
    "ip.proto == 6",
    "ip.flags.mf == 1",
    "ip.frag_offset > 0",
    "ip.addr == 127.0.0.1",
    "ip.addr != 127.0.0.1",
    "ip.addr == 127.0.0.0/8",
    "ip.src == 192.0.2.0/24 && ip.dst == 192.0.2.2",
    "ip.src == ip.dst",
    "ip.src_host == \"127.0.0.1\"",
    "ipv6.addr == 2001:db8::1",
    "ipv6.src == 2001:db8::/32",
    "ipv6.hlim > 1",
    "ipv6.nxt == 6",
    "ipv6.plen > 40",
    "ipv6.fraghdr.more == 1",
    "tcp",
    "tcp.port == 5031",
    "(tcp.port == 5030) or (tcp.port == 5031)",
    "tcp.port != 5031",
    "tcp.port !== 5031",
    "tcp.port ~= 5031",
    "tcp.port === 5031",
    "any tcp.port > 50000",
    "all tcp.port > 5030",
    "tcp.port any_ne 5031 && tcp.port all_ne 80",
    "tcp.srcport < tcp.dstport",
    "not tcp.port == 5031",
    "!(tcp.srcport == 5031)",
    "tcp.port in {5030..5031}",
    "tcp.port not in {5000..6000}",
    "tcp.stream == 0",
    "tcp.stream eq 1 or tcp.stream eq 0 and tcp.len > 0",
    "tcp.len > 0",
    "tcp.seq == 1",
    "tcp.seq_raw > 1000",
    "tcp.nxtseq > 30",
    "tcp.ack == 1",
    "tcp.ack_raw == 0",
    "tcp.hdr_len > 20",
    "tcp.flags == 0x018",
    "tcp.flags.syn == 1 && tcp.flags.ack == 0",
    "tcp.flags.syn == True",
    "tcp.flags.fin == 1 || tcp.flags.reset == 1",
    "tcp.flags & 0x02",
    "tcp.flags.str contains \"P\"",
    "tcp.window_size == 408256",
    "tcp.window_size_value == 6379",
    "tcp.window_size_scalefactor == 64",
    "tcp.window_size_scalefactor == -1",
    "tcp.options.mss_val == 1460",
    "tcp.options.wscale.shift == 6",
    "tcp.options.sack_perm",
    "tcp.option_kind == 3",
    "tcp.payload[0:3] == \"GET\"",
    "tcp.payload matches \"^(get|http)\"",
    "tcp contains \"GET\"",
    "len(tcp.payload) > 100",
    "count(tcp.port) == 2",
    "tcp.time_relative > 0.004",
    "tcp.time_delta > 0.001",
    "tcp.completeness == 7",
    "tcp.analysis.flags",
    "tcp.analysis.retransmission",
    "tcp.analysis.fast_retransmission",
    "tcp.analysis.spurious_retransmission",
    "tcp.analysis.out_of_order",
    "tcp.analysis.lost_segment",
    "tcp.analysis.ack_lost_segment",
    "tcp.analysis.duplicate_ack",
    "tcp.analysis.duplicate_ack_num > 1",
    "tcp.analysis.window_update",
    "tcp.analysis.zero_window",
    "tcp.analysis.keep_alive",
    "tcp.analysis.keep_alive_ack",
    "tcp.analysis.initial_rtt > 0.001",
    "tcp.analysis.initial_rtt > 0.002",
    "tls",
    "tls.record.content_type == 22",
    "tls.record.version == 0x0301",
    "tls.handshake",
    "tls.handshake.type == 1",
    "tls.handshake.version == 0x0303",
    "tls.handshake.extensions_server_name == \"ducky.example\"",
    "tls.handshake.extensions_server_name contains \"example\"",
    "tls.handshake.extensions_alpn_str == \"h2\"",
    "tls.handshake.extensions.supported_version == 0x0304",
    "tls.handshake.ciphersuite == 0x1301",
    "tls.app_data",
    "tls.alert_message",
];

/// Filters of messages.
const MESSAGES: &[&str] = &[
    "http",
    "http.request",
    "http.response",
    "not http and tcp.len > 0",
    "http.request.method == \"GET\"",
    "http.request.method == POST",
    "http.request.method != \"GET\"",
    "http.request.method matches \"^(g|p)\"",
    "lower(http.request.method) == \"get\"",
    "http.request.method[0:1] == \"G\"",
    "http.request.uri == \"/\"",
    "http.request.uri contains \"/a\"",
    "len(http.request.uri) > 5",
    "http.request.uri.query",
    "http.request.uri.query.parameter == \"method=brew\"",
    "http.request.full_uri contains \"ducky\"",
    "http.request.version == \"HTTP/1.1\"",
    "http.request.line contains \"Host\"",
    "http.response.code == 200",
    "http.response.code >= 300 && http.response.code < 500",
    "http.response.code.desc == \"Not Modified\"",
    "http.response.phrase matches \"^ok$\"",
    "http.response_for.uri contains \"/b\"",
    "http.request_in",
    "http.request_in == 4",
    "http.time > 0.001",
    "http.host",
    "http.content_type contains \"html\"",
    "http.content_length > 10",
    "http.transfer_encoding == \"chunked\"",
    "http.connection == \"close\"",
    "http.file_data contains \"hello\"",
    "http contains \"GET\"",
    "http && tcp.port == 5031",
    "htcpcp",
    "htcpcp or (tcp.port == 5031)",
    "htcpcp.request",
    "htcpcp.response && !http",
    "htcpcp.request.method == \"BREW\"",
    "htcpcp.request.uri.scheme == \"coffee\"",
    "htcpcp.request.uri.scheme.language == \"English\"",
    "htcpcp.request.uri.host == \"ducky\"",
    "htcpcp.request.version == \"HTTP/1.1\"",
    "htcpcp.request.line contains \"Use-Pot\"",
    "htcpcp.accept_additions contains \"cream\"",
    "htcpcp.addition == \"vanilla\"",
    "htcpcp.use_pot == \"tea\"",
    "htcpcp.content_type == \"message/coffeepot\"",
    "htcpcp.command == \"start\"",
    "htcpcp.response.version == \"HTCPCP/1.1\"",
    "htcpcp.response.code >= 400",
    "htcpcp.response.code.desc == \"I'm a teapot\"",
    "htcpcp.response.phrase contains \"tea\"",
    "htcpcp.file_data contains \"cream\"",
    "htcpcp.request_in == 4",
    "htcpcp.time > 0.0005",
    "htcpcp.server == \"CoffeePot\"",
];

/// Filters that tshark's statistic cannot take: with commas, or of what is displayed.
const ALONE: &[&str] = &[
    "frame.time_delta_displayed > 0.001 or tcp.flags.syn == 1",
    "tcp.port in {80, 443, 5030..5031}",
    "tcp.len in {0, 1..50}",
    "ip.addr in {10.0.0.0/8, 127.0.0.1}",
    "http.response.code in {200, 302, 404} && tcp",
    "http.request.method not in {\"GET\", \"HEAD\"}",
];

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

/// The project's dissector, if it is there.
fn dissector() -> Option<PathBuf> {
    let path = workspace().join("dissector-lua/htcpcp.lua");
    let there = path.exists();
    if !there {
        eprintln!("skipped: no dissector at {}, so filters of messages are not judged where a pot speaks", path.display());
    }
    there.then_some(path)
}

/// tshark without any configuration of this machine; the folder is its home.
fn tshark(home: &Path, capture: &Path) -> Command {
    let mut command = Command::new("tshark");
    command.env("HOME", home).env("XDG_CONFIG_HOME", home).arg("-n");
    if let Some(dissector) = dissector() {
        command.arg("-X").arg(format!("lua_script:{}", dissector.display()));
    }
    command.arg("-r").arg(capture);
    command
}

/// The frames of each filter, by tshark; `None` where there is no tshark.
fn judge(capture: &[u8], filters: &[&str]) -> Option<Vec<Vec<u64>>> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let path = home.path().join("a.pcapng");
    std::fs::write(&path, capture).expect("the capture is written");
    let statistic = format!("io,stat,0.001,{}", filters.join(","));
    let Ok(output) = tshark(home.path(), &path).args(["-q", "-z", &statistic]).output() else {
        eprintln!("skipped: no tshark here, so filters are not judged");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("tshark prints text");
    let mut frames = vec![Vec::new(); filters.len()];
    // A row for each millisecond: its interval, then frames and bytes of each filter.
    for (number, row) in (1..).zip(text.lines().filter(|line| line.contains("<>"))) {
        let cells: Vec<&str> = row.split('|').skip(2).step_by(2).map(str::trim).collect();
        for (frames, cell) in frames.iter_mut().zip(cells) {
            if cell != "0" {
                frames.push(number);
            }
        }
    }
    Some(frames)
}

/// The frames of a filter, by tshark's own `-Y`; `passes` may ask for a second pass (`-2`).
fn judge_one(capture: &[u8], filter: &str, passes: &[&str]) -> Option<Vec<u64>> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let path = home.path().join("a.pcapng");
    std::fs::write(&path, capture).expect("the capture is written");
    let output = tshark(home.path(), &path).args(passes).args(["-Y", filter, "-T", "fields", "-e", "frame.number"]).output().ok()?;
    assert!(output.status.success(), "{filter}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("tshark prints text").lines().map(|line| line.parse().expect("a number")).collect())
}

/// The frames of a filter, by this crate.
fn ours(capture: &[u8], filter: &str) -> Vec<u64> {
    let filter = Filter::compile(filter).unwrap_or_else(|error| panic!("{error}"));
    let reader = Reader::new(Cursor::new(capture.to_vec())).expect("a capture");
    let ports = Ports { http: vec![80, 5031], pot: vec![5030] };
    let mut out = Vec::new();
    let (_, list) = summary::run(reader, ports, List::new(filter, Format::Csv, &mut out));
    list.finish().expect("memory takes everything");
    let text = String::from_utf8(out).expect("a list is UTF-8");
    text.lines().skip(1).map(|line| line.split(',').next().and_then(|number| number.parse().ok()).expect("a number")).collect()
}

/// A capture with a millisecond between its frames.
fn evenly(frames: &[(craft::LinkType, Vec<u8>)]) -> Vec<u8> {
    let mut file = Pcapng::new(Endian::Little);
    let link_type = frames.first().map_or(NULL, |(link_type, _)| *link_type);
    file.interface(link_type, 0, &[]);
    // tshark's statistic leaves out the last row: an empty frame has it.
    let empty = Vec::new();
    let frames = frames.iter().map(|(_, frame)| frame).chain([&empty]);
    for (frame, ticks) in frames.zip((START_NS / 1_000..).step_by(1_000)) {
        file.packet(0, ticks, frame);
    }
    file.into_bytes()
}

fn of_packets(packets: &[Vec<u8>]) -> Vec<u8> {
    evenly(&packets.iter().map(|packet| (NULL, frame(NULL, packet))).collect::<Vec<_>>())
}

/// Compares every filter; those in `different` are known to be told apart, for the reason that stands beside them.
fn check(name: &str, capture: &[u8], different: &[(&str, &str)]) {
    let pot = !ours(capture, "tcp.port == 5030").is_empty();
    let messages = if pot && dissector().is_none() { &[] } else { MESSAGES };
    let htcpcp = dissector().is_some();
    let filters: Vec<&str> = HEADERS.iter().chain(messages).copied().filter(|filter| htcpcp || !filter.contains("htcpcp")).collect();
    let Some(judged) = judge(capture, &filters) else { return };
    let mut wrong = Vec::new();
    let last = ours(capture, "").len() as u64;
    for (filter, theirs) in filters.iter().zip(judged) {
        let mut mine = ours(capture, filter);
        mine.retain(|frame| *frame < last);
        let known = different.iter().any(|(known, _)| known == filter);
        if (mine == theirs) == known {
            let what = if known { "are said to differ, and do not" } else { "differ" };
            wrong.push(format!("{filter}: {what}\n  tshark {theirs:?}\n  ours   {mine:?}"));
        }
    }
    assert!(wrong.is_empty(), "{name}: {} of {} filters\n{}", wrong.len(), filters.len(), wrong.join("\n"));
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: ducky:5031\r\nAccept: text/html\r\n\r\n")
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A conversation with the web app behind its handshake.
fn web(port: u16) -> Conversation {
    let mut talk = Conversation::new(at(port), at(5031));
    talk.handshake();
    talk
}

/// One of the lab's captures, if it is there.
fn lab_capture(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("SHARED_CAPTURES").map_or_else(|| workspace().join("../shared/captures"), PathBuf::from);
    let bytes = std::fs::read(folder.join(name)).ok();
    if bytes.is_none() {
        eprintln!("skipped: no {name} in {}", folder.display());
    }
    bytes
}

fn lab(name: &str) {
    let Some(bytes) = lab_capture(name) else { return };
    let mut reader = Reader::new(Cursor::new(bytes)).expect("a capture");
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame().expect("a sound capture") {
        assert!(matches!(frame.content, Content::Packet(_)));
        frames.push((NULL, frame.data.to_vec()));
    }
    check(name, &evenly(&frames), &[]);
}

#[test]
fn the_labs_homepage() {
    lab("homepage_coffee.pcapng");
}

#[test]
fn the_labs_brew() {
    lab("coffee_brew.pcapng");
}

#[test]
fn ipv6() {
    let mut talk = Conversation::new("[2001:db8::1]:50000".parse().unwrap(), "[2001:db8::2]:5031".parse().unwrap());
    talk.handshake().client(get("/a")).ack(Side::Server).server_in(ok("hello hello"), 30).ack(Side::Client).close(Side::Client);
    check("ipv6", &of_packets(&talk.packets()), &[]);
}

#[test]
fn begun_in_the_middle() {
    let mut talk = Conversation::new(at(50_001), at(5031));
    talk.client(get("/a")).ack(Side::Server).server(ok("hello")).ack(Side::Client);
    talk.client(get("/b")).server_in(ok("<h1>hello</h1>"), 40).ack(Side::Client).close(Side::Server);
    check("mid-stream", &of_packets(&talk.packets()), &[]);
}

#[test]
fn kept_alive_and_closed_at_once() {
    let mut talk = web(50_002);
    talk.client(get("/")).server(ok("hello")).client(get("/a?method=brew&x=1")).ack(Side::Server);
    talk.server("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n")
        .client("POST /b HTTP/1.1\r\nHost: ducky\r\nContent-Length: 5\r\n\r\nhello");
    talk.server("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    talk.fin(Side::Server).fin(Side::Client).ack(Side::Server).ack(Side::Client);
    let mut other = web(50_003);
    other.client(get("/c")).rst(Side::Server);
    check("kept alive", &of_packets(&interleave(&[talk.packets(), other.packets()])), &[]);
}

#[test]
fn pipelined() {
    let mut talk = web(50_004);
    talk.client([get("/a"), get("/b"), get("/c")].concat()).ack(Side::Server).server([ok("hello"), ok("b")].concat()).ack(Side::Client);
    talk.server_in(ok("the third one"), 50).ack(Side::Client).close(Side::Client);
    // tshark links a response to a request only where they take turns.
    let why = "tshark pairs one of the three";
    let pairs = ["http.response_for.uri contains \"/b\"", "http.request_in", "http.request_in == 4", "http.time > 0.001"];
    check("pipelined", &of_packets(&talk.packets()), &pairs.map(|filter| (filter, why)));
}

#[test]
fn chunked_and_until_close() {
    let mut talk = web(50_005);
    talk.client(get("/a")).server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").ack(Side::Client);
    talk.server("3\r\nabc\r\n0\r\n\r\n").ack(Side::Client).client(get("/b"));
    talk.server("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhello until the end").ack(Side::Client).close(Side::Server);
    check("chunked", &of_packets(&talk.packets()), &[]);
}

#[test]
fn sent_again() {
    let mut talk = web(50_006);
    talk.client(get("/a")).ack(Side::Server).server_in(ok(&"hello ".repeat(40)), 60).ack(Side::Client).close(Side::Server);
    let segments = &mut talk.segments;
    // The SYN, the request, and a piece of the response come twice; a FIN is repeated as in a simultaneous close.
    segments.insert(1, segments[0].clone());
    segments.insert(6, segments[4].clone());
    segments.insert(9, segments[7].clone());
    let fin = segments.iter().position(|segment| segment.flags & craft::FIN != 0).expect("a FIN");
    segments.insert(fin + 1, segments[fin].clone());
    check("sent again", &of_packets(&talk.packets()), &[]);
}

#[test]
fn odd_acknowledgments_and_windows() {
    let mut talk = web(50_007);
    talk.client(get("/a")).ack(Side::Server).server_in(ok(&"hello ".repeat(40)), 60).ack(Side::Client);
    for _ in 0..3 {
        talk.ack(Side::Client);
    }
    let zero = Segment { window: 0, ..talk.segments.last().expect("segments").clone() };
    talk.segments.push(zero);
    talk.ack(Side::Client);
    let alive = talk.segments.iter().rfind(|segment| segment.from == Side::Server).expect("the server spoke");
    let behind = alive.seq.wrapping_add(alive.payload.len() as u32);
    let alive = Segment { seq: behind.wrapping_sub(1), payload: Vec::new(), flags: ACK, ..alive.clone() };
    talk.segments.push(alive);
    talk.ack(Side::Client);
    talk.close(Side::Client);
    // A piece of the response was never captured.
    let lost = talk.segments.iter().position(|segment| segment.from == Side::Server && segment.payload.len() == 60).expect("a piece");
    talk.segments.remove(lost + 2);
    check("odd acknowledgments", &of_packets(&talk.packets()), &[]);
}

#[test]
fn fragments() {
    let over = |talk: &mut Conversation| {
        talk.handshake().client(get("/a")).ack(Side::Server).server(ok("hello fragments")).ack(Side::Client).close(Side::Client);
        talk.packets()
    };
    let v4 = over(&mut Conversation::new("192.0.2.1:50008".parse().unwrap(), "192.0.2.2:5031".parse().unwrap()));
    let v6 = over(&mut Conversation::new("[2001:db8::1]:50009".parse().unwrap(), "[2001:db8::2]:5031".parse().unwrap()));
    let v4 = v4.iter().zip(1..).flat_map(|(packet, id)| ipv4_fragments(packet, 60, id));
    let v6 = v6.iter().zip(1..).flat_map(|(packet, id)| ipv6_fragments(packet, 100, id));
    check("fragments", &of_packets(&v4.chain(v6).collect::<Vec<_>>()), &[]);
}

/// A record of TLS.
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1][..], &(content.len() as u16).to_be_bytes(), content].concat()
}

fn prefixed(len_bytes: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - len_bytes..], content].concat()
}

fn hello(kind: u8, suites: Vec<u8>, extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let extensions: Vec<u8> =
        extensions.iter().flat_map(|(kind, value)| [kind.to_be_bytes().to_vec(), prefixed(2, value)].concat()).collect();
    let body = [vec![3, 3], vec![7; 32], vec![0], suites, prefixed(2, &extensions)].concat();
    record(22, &[vec![kind], prefixed(3, &body)].concat())
}

#[test]
fn tls() {
    let name = prefixed(2, &[vec![0], prefixed(2, b"ducky.example")].concat());
    let client = hello(
        1,
        [prefixed(2, &[0x13, 1, 0x13, 2]), vec![1, 0]].concat(),
        &[(0, name), (16, prefixed(2, &prefixed(1, b"h2"))), (43, prefixed(1, &[3, 4, 3, 3]))],
    );
    let server = hello(2, vec![0x13, 1, 0], &[(43, vec![3, 4])]);
    let mut talk = Conversation::new(at(50_010), at(443));
    talk.handshake().client_in(&client, 70).ack(Side::Server).server([server, record(20, &[1])].concat()).ack(Side::Client);
    talk.client([record(20, &[1]), record(23, &[9; 50])].concat()).server_in(record(23, &[8; 300]), 100).ack(Side::Client);
    talk.close(Side::Client);
    check("tls", &of_packets(&talk.packets()), &[]);
}

#[test]
fn ethernet_with_tags_and_other_protocols() {
    let mut talk = Conversation::new("192.0.2.1:50011".parse().unwrap(), "192.0.2.2:5031".parse().unwrap());
    talk.handshake().client(get("/a?b")).ack(Side::Server).server(ok("hello")).close(Side::Client);
    let mut frames: Vec<_> = talk.packets().iter().map(|packet| (ETHERNET, ethernet(&[(0x8100, 42)], packet))).collect();
    let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
    let udp = [&[0xc3, 0x50, 0, 53, 0, 12, 0, 0][..], b"ping"].concat();
    frames.insert(3, (ETHERNET, ethernet(&[], &ip(a, b, 17, &udp))));
    frames.insert(4, (ETHERNET, ethernet(&[], &ip(b, a, 1, &[8, 0, 0xf7, 0xfe, 0, 1, 0, 0]))));
    let arp = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &[0; 20]].concat();
    frames.push((ETHERNET, arp));
    check("ethernet", &evenly(&frames), &[]);
}

#[test]
fn cut_by_the_snap_length() {
    let mut talk = web(50_012);
    talk.client(get("/a")).ack(Side::Server).server(ok(&"hello ".repeat(20))).ack(Side::Client);
    talk.client(get("/b")).server("HTTP/1.1 304 Not Modified\r\n\r\n").close(Side::Client);
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 120, &[]);
    for (packet, ticks) in talk.packets().iter().zip((START_NS / 1_000..).step_by(1_000)) {
        let whole = frame(NULL, packet);
        file.packet_cut(0, ticks, &whole, whole.len().min(120));
    }
    file.packet(0, START_NS / 1_000 + 1_000_000, &[]);
    check("snap length", &file.into_bytes(), &[]);
}

#[test]
fn a_pots_refusals() {
    let brew = |pot: &str, additions: &str| {
        format!(
            "BREW coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\nAccept-Additions: {additions}\r\nUse-Pot: {pot}\r\n\r\nstart"
        )
    };
    let answer = |status: &str, body: &str| {
        format!(
            "HTCPCP/1.1 {status}\r\nServer: CoffeePot\r\nContent-Type: message/coffeepot\r\nDate: Tue, 27 Jun 2023 17:39:59\r\n\r\n{body}"
        )
    };
    let mut pot = Conversation::new(at(50_013), at(5030));
    pot.handshake()
        .client(brew("tea", "cream; vanilla"))
        .ack(Side::Server)
        .server(answer("418 I'm a teapot", ""))
        .ack(Side::Client)
        .close(Side::Server);
    let mut second = Conversation::new(at(50_014), at(5030));
    second
        .handshake()
        .client(brew("ducky", "tea"))
        .ack(Side::Server)
        .server(answer("406 Not Acceptable", "cream, vanilla"))
        .close(Side::Server);
    let mut browser = web(50_015);
    browser.client(get("/?method=brew")).server("HTTP/1.1 418 I'M A TEAPOT\r\nContent-Length: 0\r\n\r\n").close(Side::Server);
    check("pot", &of_packets(&interleave(&[pot.packets(), second.packets(), browser.packets()])), &[]);
}

#[test]
fn filters_that_are_judged_alone() {
    let mut talk = web(50_016);
    talk.client(get("/a")).server(ok("hello")).client("POST /b HTTP/1.1\r\nHost: ducky\r\nContent-Length: 0\r\n\r\n");
    talk.server("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n").close(Side::Client);
    let capture = of_packets(&talk.packets());
    for filter in ALONE {
        let mine = ours(&capture, filter);
        if let Some(theirs) = judge_one(&capture, filter, &[]) {
            assert_eq!(mine, theirs, "{filter}");
        }
    }
}

#[test]
fn answers_have_filters_that_wireshark_takes() {
    let Some(capture) = lab_capture("coffee_brew.pcapng").filter(|_| dissector().is_some()) else { return };
    let reader = Reader::new(Cursor::new(capture.clone())).expect("a capture");
    let lab = summary::run(reader, Ports::default(), Lab::new(Ports::default())).1;
    let filters: BTreeSet<String> = lab.answers(Tasks::All, Detail::Page).into_iter().map(|answer| answer.filter).collect();
    for filter in filters {
        let mine = ours(&capture, &filter);
        if let Some(theirs) = judge_one(&capture, &filter, &[]) {
            assert_eq!(mine, theirs, "{filter}");
        }
    }
}

#[test]
fn answers_are_linked_as_in_a_second_pass() {
    let Some(capture) = lab_capture("coffee_brew.pcapng").filter(|_| dissector().is_some()) else { return };
    for filter in ["http.response_in", "http.response_in == 100", "htcpcp.response_in == 92"] {
        let mine = ours(&capture, filter);
        if let Some(theirs) = judge_one(&capture, filter, &["-2"]) {
            assert_eq!(mine, theirs, "{filter}");
        }
    }
}
