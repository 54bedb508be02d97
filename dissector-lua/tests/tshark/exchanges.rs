//! Exchanges as pcap-tools finds them, on the lab's captures and on fuzzed ones: tshark with the dissector has to show
//! the same, in both versions, and no error ever.

use pcap_tools::capture::Reader;
use pcap_tools::connection::Tracker;
use pcap_tools::exchange::{self, Exchange, Exchanges, Ports, Protocol};
use pcap_tools::packet::{Decoder, Packet};
use pcap_tools::report::Collect;

use super::fuzz::{cut_short, lab_capture, lost_and_damaged, mutated, random_splits, reordered_and_repeated};
use super::judge::{Field, Frames, workspace};
use super::{TWICE, agreed, chosen};

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

#[test]
fn random_splits_lose_nothing() {
    let capture = random_splits();
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
    let capture = reordered_and_repeated();
    let found = without_frames(&found(&exchanges(&capture)));
    assert!(found.len() > 1_000);
    let Some(frames) = agreed(&capture, &IN_ORDER) else { return };
    let shown = without_frames(&shown(&frames));
    assert_eq!((missing(&found, &shown), missing(&shown, &found)), (vec![], vec![]));
}

#[test]
fn mutated_messages_cause_no_error_and_hide_no_message() {
    let capture = mutated();
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
    let capture = lost_and_damaged();
    let Some(frames) = agreed(&capture, &IN_ORDER) else { return };
    assert!(shown(&frames).len() > 800);
}

/// Each message has a segment of its own: Wireshark puts nothing together that was cut.
#[test]
fn snap_lengths_cause_no_error_and_hide_no_message() {
    let capture = cut_short();
    let found = without_frames(&found(&exchanges(&capture)));
    assert!(found.len() > 100);
    let Some(frames) = agreed(&capture, &TWICE) else { return };
    let shown = without_frames(&shown(&frames));
    assert_eq!(missing(&found, &shown), Vec::<String>::new());
}
