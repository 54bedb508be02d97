//! Exchanges as pcap-tools finds them, on the lab's captures and on fuzzed ones: tshark with the dissector has to show
//! the same, in both versions, and no error ever.

use std::path::PathBuf;

use pcap_tools::capture::Reader;
use pcap_tools::connection::Tracker;
use pcap_tools::craft::{self, Conversation, Endian, NULL, Pcapng, Random, START_NS, Side, frame, interleave};
use pcap_tools::exchange::{self, Exchange, Exchanges, Ports, Protocol};
use pcap_tools::packet::{Decoder, Packet};
use pcap_tools::report::Collect;

use super::judge::{Field, Frames, workspace};
use super::{TWICE, agreed, chosen, talk_from};

/// Segments in another order are put into theirs, as pcap-tools does.
const IN_ORDER: [&str; 5] = ["-2", "-Y", "htcpcp", "-o", "tcp.reassemble_out_of_order:TRUE"];

/// What pcap-tools finds, in the order of the capture.
fn exchanges(capture: &[u8]) -> Vec<Exchange> {
    let mut reader = Reader::new(std::io::Cursor::new(capture.to_vec())).expect("a capture");
    let (mut decoder, mut tracker) = (Decoder::default(), Tracker::<exchange::Conversation>::default());
    let mut out = Exchanges::new(Ports::default(), Collect::default());
    while let Some(frame) = reader.next_frame().expect("a sound capture") {
        if let Packet::Tcp(segment) = decoder.decode(&frame) {
            tracker.push(&segment, &mut out);
        }
    }
    tracker.finish(&mut out);
    let mut exchanges = out.sink.exchanges;
    exchanges.sort_by_key(Exchange::first_frame);
    exchanges
}

/// `frame: BREW` and `frame: 200 to frame`, for each message that is complete, in the frame of its last byte.
fn found(exchanges: &[Exchange]) -> Vec<String> {
    let mut lines = Vec::new();
    for exchange in exchanges {
        let request = exchange.complete_request();
        if let Some(request) = request {
            lines.push(format!("{:>5}: {}", request.last.frame, String::from_utf8_lossy(request.head.method())));
        }
        for response in exchange.interim.iter().chain(exchange.complete_response()) {
            let to = request.map_or("nobody".to_owned(), |request| request.last.frame.to_string());
            lines.push(format!("{:>5}: {} to {to}", response.last.frame, response.head.status().unwrap_or(0)));
        }
    }
    lines.sort();
    lines
}

/// The same lines of what tshark shows.
fn shown(frames: &Frames) -> Vec<String> {
    let mut lines = Vec::new();
    for (frame, fields) in frames {
        // The request of a response stands behind its code, in the same message.
        for message in fields.split(|field| field.name == "htcpcp") {
            let value = |name: &str| message.iter().find(|field: &&Field| field.name == name).map(|field| field.show.clone());
            if let Some(method) = value("request.method") {
                lines.push(format!("{frame:>5}: {method}"));
            }
            if let Some(code) = value("response.code") {
                lines.push(format!("{frame:>5}: {code} to {}", value("request_in").unwrap_or("nobody".to_owned())));
            }
        }
    }
    lines.sort();
    lines
}

/// The lines that are only in the first list.
fn missing(these: &[String], those: &[String]) -> Vec<String> {
    let mut those = those.to_vec();
    let mut missing = Vec::new();
    for line in these {
        match those.iter().position(|other| other == line) {
            Some(at) => drop(those.swap_remove(at)),
            None => missing.push(line.clone()),
        }
    }
    missing
}

// ---- The lab's captures ----

/// One of the lab's captures, if it is there.
fn lab_capture(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("SHARED_CAPTURES").map_or_else(|| workspace().join("../shared/captures"), PathBuf::from);
    let path = folder.join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("skipped: no {} here", path.display());
    }
    bytes
}

#[track_caller]
fn check_lab(name: &str, expected: &[&str]) {
    let Some(capture) = lab_capture(name) else { return };
    let found = check_capture(&capture);
    assert_eq!(found.iter().map(|line| line.trim()).collect::<Vec<_>>(), expected, "pcap-tools");
}

/// Holds what the dissector shows of a capture against what pcap-tools finds in it, which is returned.
#[track_caller]
fn check_capture(capture: &[u8]) -> Vec<String> {
    let coffee: Vec<_> = exchanges(capture).into_iter().filter(|exchange| exchange.protocol == Protocol::Htcpcp).collect();
    let found = found(&coffee);
    let Some(frames) = agreed(capture, &TWICE) else { return found };
    assert_eq!(shown(&frames), found);
    // The nanoseconds of pcap-tools are those of `time`.
    for exchange in coffee {
        let response = exchange.complete_response().expect("all are complete").last.frame;
        let nanos = exchange.response_time().expect("all are answered");
        assert_eq!(chosen(&frames, response, &["time"]), format!("time={}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000));
    }
    found
}

#[test]
fn the_sample_captures_are_shown_as_pcap_tools_reads_them() {
    for (name, messages) in [("homepage_coffee", 2), ("coffee_brew", 10), ("coffee_418_406", 8), ("homepage_https", 2)] {
        let path = workspace().join("sample_capture").join(name).with_extension("pcapng");
        let capture = std::fs::read(path).expect("the sample captures are there");
        assert_eq!(check_capture(&capture).len(), messages, "{name}");
    }
}

#[test]
fn the_labs_captures_have_their_true_answers() {
    check_lab("homepage_coffee.pcapng", &["11: GET", "13: 200 to 11"]);
    let expected =
        ["90: BREW", "92: 200 to 90", "116: GET", "118: 200 to 116", "172: PROPFIND", "174: 200 to 172", "210: GET", "212: 200 to 210"];
    check_lab("coffee_brew.pcapng", &expected);
}

/// What the lab's first dissector showed as lines of text: the lines of the messages and what it read out of them.
#[test]
fn what_the_labs_first_dissector_showed_is_shown() {
    let Some(capture) = lab_capture("coffee_brew.pcapng") else { return };
    let Some(frames) = agreed(&capture, &TWICE) else { return };
    let names = ["request.method", "request.uri", "request.version", "accept_additions", "use_pot", "content_type", "command"];
    let brew = "request.method=BREW request.uri=coffee://ducky request.version=HTTP/1.1 content_type=application/coffee-pot-command \
                accept_additions=coconut milk; almond milk use_pot=ducky command=start";
    assert_eq!(chosen(&frames, 90, &names), brew);
    let names = ["response.version", "response.code", "response.phrase", "server", "content_type", "date"];
    let ok = "response.version=HTCPCP/1.1 response.code=200 response.phrase=OK server=CoffeePot content_type=message/coffeepot \
              date=Tue, 27 Jun 2023 12:26:59";
    assert_eq!(chosen(&frames, 92, &names), ok);
}

// ---- Fuzz ----

const REQUESTS: [&str; 9] = [
    "BREW coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\nAccept-Additions: cream; vanilla\r\n\r\nstart",
    "POST coffee://ducky HTTP/1.1\r\nUse-Pot: ducky\r\n\r\nstop",
    "GET coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\r\n",
    "PROPFIND %E5%92%96%E5%95%A1://ducky/pot-1?cream;1 HTTP/1.1\r\n\r\n",
    "WHEN caf\u{e9}://ducky HTCPCP/1.0\r\nX-Other: \u{e9}\r\n\r\n",
    "BREW /earl-grey HTCPCP-TEA/1.0\r\nContent-Type: message/teapot\r\nContent-Length: 5\r\n\r\nstart",
    "BREW / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nst\r\n3\r\nart\r\n0\r\n\r\n",
    "MILK caffeine://ducky HTTP/1.1\nUse-Pot: tea\n\n",
    "HEAD coffee://ducky HTTP/1.1\r\n\r\n",
];

const RESPONSES: [&str; 8] = [
    "HTCPCP/1.1 200 OK\r\nServer: CoffeePot\r\nContent-Type: message/coffeepot\r\nContent-Length: 27\r\n\r\n{\"beverage_type\": \"Coffee\"}",
    "HTCPCP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "HTCPCP/1.1 406 Not Acceptable\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ncream\r\n7\r\n, vanil\r\n0\r\n\r\n",
    "HTCPCP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n",
    "HTCPCP-TEA/1.0 300 Multiple Options\r\nAlternates: {\"/earl-grey\" {type message/teapot}}\r\nContent-Length: 0\r\n\r\n",
    "HTCPCP/1.0 404 Not Found\nContent-Length: 4\n\nnone",
    "HTCPCP/1.1 102 Processing\r\n\r\nHTCPCP/1.1 503 Service Unavailable\r\nSafe: no\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: message/coffeepot\r\nContent-Length: 3\r\n\r\n[1]",
];

/// The last response of a connection may be as the lab's are.
const LAST_RESPONSES: [&str; 4] = [
    "HTCPCP/1.1 200 OK\r\nServer: CoffeePot\r\n\r\n{\"coffee_bean\": {\"roast\": \"Medium\"}, \"pour_milk_stop\": false}",
    "HTCPCP/1.1 406 Not Acceptable\r\n\r\nPot is busy",
    "HTCPCP/1.1 418 I'm a teapot\r\n\r\n",
    "HTCPCP/1.1 200 OK\r\n\r\n",
];

fn pick<'a>(random: &mut Random, choices: &[&'a str]) -> &'a str {
    choices[random.below(choices.len())]
}

/// A connection with some exchanges, each message in segments of any size, and before that changed by `change`.
fn exchange_some(random: &mut Random, port: u16, change: fn(&mut Random, &mut Vec<u8>)) -> Conversation {
    let mut talk = talk_from(port).starting_at(random.number() as u32, random.number() as u32);
    talk.segments.clear();
    talk.handshake();
    for left in (0..1 + random.below(4)).rev() {
        let request = pick(random, &REQUESTS);
        let response = if request.starts_with("HEAD") {
            "HTCPCP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
        } else if left == 0 {
            pick(random, &LAST_RESPONSES)
        } else {
            pick(random, &RESPONSES)
        };
        let [mut request, mut response] = [request, response].map(|text| text.as_bytes().to_vec());
        change(random, &mut request);
        change(random, &mut response);
        talk.client_in(request, 1 + random.below(90)).ack(Side::Server);
        talk.server_in(response, 1 + random.below(200)).ack(Side::Client);
    }
    talk.close(Side::Server);
    talk
}

/// The same with one segment for each message.
fn whole_messages(random: &mut Random, port: u16) -> Conversation {
    let mut talk = talk_from(port);
    for _ in 0..1 + random.below(4) {
        talk.client(pick(random, &REQUESTS[..8])).server(pick(random, &RESPONSES));
    }
    talk.close(Side::Server);
    talk
}

/// A capture of many connections that take turns, ten at a time.
fn capture_of(mut next: impl FnMut(u16) -> Conversation) -> Vec<u8> {
    let groups = (20_000..20_300).step_by(10).map(|first| {
        let talks: Vec<_> = (first..first + 10).map(|port| next(port).packets()).collect();
        interleave(&talks)
    });
    craft::capture(&groups.collect::<Vec<_>>().concat())
}

#[test]
fn random_splits_lose_nothing() {
    let mut random = Random::new(1);
    let capture = capture_of(|port| exchange_some(&mut random, port, |_, _| {}));
    let found = found(&exchanges(&capture));
    assert!(found.len() > 1_000);
    let Some(frames) = agreed(&capture, &TWICE) else { return };
    let shown = shown(&frames);
    assert_eq!((missing(&found, &shown), missing(&shown, &found)), (vec![], vec![]));
}

/// Only methods and codes. A message of unknown length may be shown when its first segments are there.
fn without_frames(lines: &[String]) -> Vec<String> {
    lines.iter().filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect()
}

#[test]
fn reordered_and_repeated_segments_lose_nothing() {
    let mut random = Random::new(2);
    let capture = capture_of(|port| {
        let mut talk = exchange_some(&mut random, port, |_, _| {});
        for _ in 0..1 + random.below(3) {
            let at = 3 + random.below(talk.segments.len() - 6);
            if random.below(2) == 0 {
                let again = talk.segments[at].clone();
                talk.segments.insert(at + 1, again);
            } else if talk.segments[at].from == talk.segments[at + 1].from {
                talk.segments.swap(at, at + 1);
            }
        }
        talk
    });
    let found = without_frames(&found(&exchanges(&capture)));
    assert!(found.len() > 1_000);
    let Some(frames) = agreed(&capture, &IN_ORDER) else { return };
    let shown = without_frames(&shown(&frames));
    assert_eq!((missing(&found, &shown), missing(&shown, &found)), (vec![], vec![]));
}

/// Bytes that are changed, gone or doubled, in one of four messages.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    if random.below(4) > 0 {
        return;
    }
    let at = random.below(bytes.len());
    match random.below(5) {
        0 => bytes[at] = random.number() as u8,
        1 => bytes[at] = b"\r\n :;,\0\xFF{}0"[random.below(11)],
        2 => drop(bytes.remove(at)),
        3 => bytes.insert(at, b"\r\n :\0\xE5"[random.below(6)]),
        _ => bytes.truncate(at + 1),
    }
}

#[test]
fn mutated_messages_cause_no_error_and_hide_no_message() {
    let mut random = Random::new(3);
    let capture = capture_of(|port| exchange_some(&mut random, port, mutate));
    let found = without_frames(&found(&exchanges(&capture)));
    assert!(found.len() > 800);
    let Some(frames) = agreed(&capture, &TWICE) else { return };
    let shown = without_frames(&shown(&frames));
    // A command behind which the next request's line is joined: pcap-tools takes both for a method.
    let missing: Vec<_> = missing(&found, &shown).into_iter().filter(|word| !word.starts_with("stop")).collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// Whether a message survives is up to TCP here: both versions have to agree about it, and nobody may stumble.
#[test]
fn lost_and_damaged_segments_cause_no_error() {
    let mut random = Random::new(5);
    let capture = capture_of(|port| {
        let mut talk = exchange_some(&mut random, port, mutate);
        talk.segments.remove(3 + random.below(talk.segments.len() - 3));
        let at = 3 + random.below(talk.segments.len() - 3);
        let payload = &mut talk.segments[at].payload;
        if !payload.is_empty() {
            mutate(&mut random, payload);
        }
        talk
    });
    let Some(frames) = agreed(&capture, &IN_ORDER) else { return };
    assert!(shown(&frames).len() > 800);
}

/// Each message has a segment of its own: Wireshark puts nothing together that was cut.
#[test]
fn snap_lengths_cause_no_error_and_hide_no_message() {
    let mut random = Random::new(4);
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[]);
    let mut ticks = START_NS / 1_000;
    for port in 20_000..20_300 {
        let talk = whole_messages(&mut random, port);
        let kept = 44 + random.below(120);
        for packet in talk.packets() {
            let frame = frame(NULL, &packet);
            file.packet_cut(0, ticks, &frame, frame.len().min(kept));
            ticks += 100;
        }
    }
    let found = without_frames(&found(&exchanges(file.bytes())));
    assert!(found.len() > 100);
    let Some(frames) = agreed(file.bytes(), &TWICE) else { return };
    let shown = without_frames(&shown(&frames));
    assert_eq!(missing(&found, &shown), Vec::<String>::new());
}
