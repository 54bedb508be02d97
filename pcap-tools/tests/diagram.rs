//! Space-time diagrams: captures in; lanes, arrows and pictures out.
//!
//! The captures of `sample_capture/`, the lab's own (`SHARED_CAPTURES`, or `../shared/captures` beside the workspace; where
//! they are missing, a line on standard error says so), and conversations made here under fixed seeds. `tests/golden/diagram`
//! holds the pictures of the samples, to be read before they are changed: `UPDATE_GOLDEN=1` writes them anew.

#[path = "common/chromium.rs"]
mod chromium;
#[path = "common/judges.rs"]
mod judges;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pcap_tools::capture::Reader;
use pcap_tools::craft::{self, Conversation, Random, Side, interleave};
use pcap_tools::diagram::{Kind, Level, Messages, Picture, Row, Scope, Segments, Step};
use pcap_tools::exchange::Ports;
use pcap_tools::filter::Filter;
use pcap_tools::packet::{Decoder, Packet};
use pcap_tools::report::text::{Colour, RowLimit, Style};
use pcap_tools::report::{self, Collect};
use pcap_tools::summary;
use unicode_width::UnicodeWidthStr;

const SAMPLES: [&str; 4] = ["homepage_coffee", "coffee_brew", "coffee_418_406", "homepage_https"];
const LEVELS: [Level; 2] = [Level::Message, Level::Segment];
/// What svg takes a column of 12 px of a monospaced font for; fonts are a little narrower.
const COLUMN: f64 = 7.25;

// ---- Captures ----

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

fn sample(name: &str) -> PathBuf {
    workspace().join("sample_capture").join(name).with_extension("pcapng")
}

/// The lab's own captures that are here.
fn lab() -> Vec<Vec<u8>> {
    let folder = std::env::var_os("SHARED_CAPTURES").map_or_else(|| workspace().join("../shared/captures"), PathBuf::from);
    let read = |name: &str| std::fs::read(folder.join(name)).inspect_err(|_| eprintln!("skipped: no {name} in {}", folder.display()));
    ["homepage_coffee.pcapng", "coffee_brew.pcapng"].into_iter().filter_map(|name| read(name).ok()).collect()
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address and a port")
}

fn local(client: u16, server: u16) -> Conversation {
    Conversation::new(SocketAddr::from(([127, 0, 0, 1], client)), SocketAddr::from(([127, 0, 0, 1], server)))
}

/// Twenty connections at the same time, of browsers and of the web app.
fn twenty() -> Vec<u8> {
    let talks: Vec<_> = (0..20)
        .map(|number| {
            let to_pot = number % 4 == 3;
            let mut talk = local(40_000 + number, if to_pot { 5030 } else { 5031 });
            talk.handshake();
            for round in 0..1 + number % 3 {
                if to_pot {
                    talk.client("GET coffee://ducky HTTP/1.1\r\n\r\n").server("HTCPCP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                } else {
                    let body = vec![b'x'; 900 * usize::from(round) + 20];
                    talk.client(format!("GET /page/{number}/{round}?cups={round} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
                    talk.server_in([format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat(), 700);
                }
            }
            talk.close(if number % 2 == 0 { Side::Server } else { Side::Client }).packets()
        })
        .collect();
    craft::capture(&interleave(&talks))
}

/// A SYN that is sent again, a segment that is lost and sent again, one that was never captured, and a reset.
fn losses() -> Vec<u8> {
    let response = [&b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n"[..], &[b'x'; 3000]].concat();
    let mut page = local(50_000, 5031);
    page.handshake().client("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").ack(Side::Server).server_in(&response, 1000);
    // The second of the response's segments does not arrive, and each of the others is answered by what is missing.
    let lost = page.segments[6].clone();
    page.ack(Side::Client).ack(Side::Client).ack(Side::Client);
    page.segments[9..].iter_mut().for_each(|segment| segment.ack = lost.seq);
    page.segments.push(lost);
    page.ack(Side::Client).close(Side::Server);
    page.segments.insert(1, page.segments[0].clone());
    let mut hit = local(50_001, 5031);
    hit.handshake().client("GET /lost HTTP/1.1\r\n\r\n").server_in(&response, 1000).ack(Side::Client);
    hit.segments.remove(5);
    hit.rst(Side::Client);
    let millis = |at: usize| match at {
        1 => 1_000,
        13 => 250,
        _ => 1,
    };
    let packets = [page.packets(), hit.packets()].concat();
    timed(&packets.into_iter().zip((0..).map(millis)).collect::<Vec<_>>())
}

/// A capture of packets, each so many milliseconds after the one before.
fn timed(packets: &[(Vec<u8>, u64)]) -> Vec<u8> {
    let mut file = craft::Pcapng::new(craft::Endian::Little);
    file.interface(craft::NULL, 0, &[]);
    let mut micros = craft::START_NS / 1_000;
    for (packet, millis) in packets {
        micros += millis * 1_000;
        file.packet(0, micros, &craft::frame(craft::NULL, packet));
    }
    file.into_bytes()
}

/// Somebody tries two hundred ports.
fn scan() -> Vec<u8> {
    let talks: Vec<_> = (1..=200).map(|port| local(50_000, 10_000 + port).fin(Side::Client).packets()).collect();
    craft::capture(&talks.concat())
}

/// What nobody should put into a start line, and the words of every language that a picture is written in.
const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "</svg><img/src=x/onerror=alert(1)>",
    "\"'><b>&amp;&lt;&#x3c;]]>",
    "\u{1b}[31mred\u{7}\u{0}\u{1}",
    "\u{202e}txt.exe\u{2066}\u{200f}",
    "end",
    "/;/#35;#quot;%%{init:{}}%%",
    "Note over L0,L1: said",
    "wrap:L0->>L1:x",
    "participant x as y",
    "界面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面面",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "🫖\u{fffe}\u{ffff}\u{feff}\u{2028}",
    "$x${}`~|\\<br/>",
];

fn hostile() -> Vec<u8> {
    let talks: Vec<_> = HOSTILE
        .iter()
        .zip(50_000..)
        .map(|(line, port)| {
            let mut talk = local(port, 5031);
            talk.handshake().client(format!("GET {line} HTTP/1.1\r\n\r\n"));
            talk.server(format!("HTTP/1.1 404 {line}\r\nContent-Length: 0\r\n\r\n")).close(Side::Server).packets()
        })
        .collect();
    craft::capture(&talks.concat())
}

/// Conversations to which things happen: segments are lost, sent again, swapped; ends fall silent or break off.
fn mishaps(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let talks: Vec<_> = (0..1 + random.below(6))
        .map(|number| {
            let mut talk = local(50_000 + number as u16, [5031, 5030, 8080][random.below(3)]);
            if random.below(5) > 0 {
                talk.handshake();
            }
            for round in 0..random.below(4) {
                let size = 1 + random.below(60);
                talk.client_in(format!("GET /{round} HTTP/1.1\r\nHost: {}\r\n\r\n", "x".repeat(random.below(60))), size);
                if random.below(4) == 0 {
                    talk.server("HTTP/1.1 103 Early Hints\r\n\r\n");
                }
                talk.server_in(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n{}", "y".repeat(size)), 1 + random.below(90));
            }
            match random.below(4) {
                0 => talk.rst(Side::Server),
                1 => talk.fin(Side::Client),
                2 => talk.close(Side::Client),
                _ => &mut talk,
            };
            for _ in 0..random.below(4) {
                let segments = &mut talk.segments;
                if segments.len() < 2 {
                    break;
                }
                let (one, other) = (random.below(segments.len()), random.below(segments.len()));
                match random.below(3) {
                    0 => drop(segments.remove(one)),
                    1 => segments.insert(one, segments[other].clone()),
                    _ => segments.swap(one, other),
                }
            }
            talk.packets()
        })
        .collect();
    craft::capture(&interleave(&talks))
}

/// Every capture that there is, by name.
fn captures() -> Vec<(String, Vec<u8>)> {
    let samples = SAMPLES.map(|name| (name.to_owned(), std::fs::read(sample(name)).expect("a sample")));
    let crafted = [("twenty", twenty()), ("losses", losses()), ("hostile", hostile()), ("scan", scan())];
    let lab = lab().into_iter().map(|capture| ("the lab's".to_owned(), capture));
    samples.into_iter().chain(crafted.map(|(name, capture)| (name.to_owned(), capture))).chain(lab).collect()
}

// ---- Pictures ----

fn reader(capture: &[u8]) -> Reader {
    Reader::new(Cursor::new(capture.to_vec())).expect("a capture")
}

fn scoped(capture: &[u8], level: Level, scope: Scope) -> Picture {
    let ports = Ports::default();
    match level {
        Level::Message => {
            let (facts, found) = summary::run(reader(capture), ports.clone(), Messages::new(scope));
            found.finish(&ports, facts.first_time)
        }
        Level::Segment => {
            let (facts, found) = summary::run(reader(capture), ports.clone(), Segments::new(scope, Filter::all()));
            found.finish(&ports, facts.first_time)
        }
    }
}

fn picture(capture: &[u8], level: Level) -> Picture {
    scoped(capture, level, Scope::default())
}

fn svg(picture: &Picture) -> String {
    let mut out = Vec::new();
    report::diagram::svg(picture, "", &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("pictures are UTF-8")
}

fn text(picture: &Picture, width: u16) -> String {
    let mut out = Vec::new();
    let style = Style { width, colour: Colour::Off, rows: RowLimit::All };
    report::diagram::text(picture, style, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("pictures are UTF-8")
}

fn mermaid(picture: &Picture) -> String {
    let mut out = Vec::new();
    report::diagram::mermaid(picture, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("pictures are UTF-8")
}

fn lanes(picture: &Picture) -> Vec<&str> {
    picture.lanes.iter().map(|lane| &*lane.name).collect()
}

// ---- Nothing is missing, and nothing is there twice ----

fn is_message(kind: Kind) -> bool {
    matches!(kind, Kind::Request | Kind::Response(_))
}

fn is_close(kind: Kind) -> bool {
    matches!(kind, Kind::Fin | Kind::Rst)
}

/// How often each is there.
fn counted<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    items.into_iter().for_each(|item| *counts.entry(item).or_default() += 1);
    counts
}

/// Frames that steps of a kind name.
fn frames_of(picture: &Picture, is_it: fn(Kind) -> bool) -> BTreeMap<(u64, u64), usize> {
    let steps = picture.steps().filter(|step| is_it(step.kind));
    counted(steps.flat_map(|step| step.frames.iter().map(|frame| (step.stream, *frame))))
}

/// What the summary names is on the picture once, and nothing else is.
fn check_whole(name: &str, capture: &[u8]) {
    let (_, found) = summary::run(reader(capture), Ports::default(), Collect::default());
    let messages = picture(capture, Level::Message);
    let said = found.exchanges.iter().flat_map(|exchange| {
        let messages = exchange.request.iter().chain(&exchange.interim).chain(&exchange.response);
        messages.map(|message| (exchange.stream, message.first.frame, message.last.frame, message.head.is_request()))
    });
    let drawn = messages.steps().filter(|step| is_message(step.kind));
    let drawn = drawn.map(|step| (step.stream, step.first.frame, step.last.frame, step.kind == Kind::Request));
    assert_eq!(counted(drawn), counted(said), "{name}: messages");

    let mut handshakes = Vec::new();
    let mut closes = Vec::new();
    for (connection, _) in &found.connections {
        let handshake = &connection.handshake;
        let marks = [handshake.syn, handshake.syn_ack, handshake.ack].into_iter().flatten().map(|mark| mark.frame);
        let frames = marks.chain(handshake.repeated_syns.iter().chain(&handshake.repeated_syn_acks).copied());
        handshakes.extend(frames.map(|frame| (connection.stream, frame)));
        let close = &connection.close;
        let marks = close.fins.0.into_iter().flatten().chain(close.rst.map(|(_, mark)| mark));
        closes.extend(marks.map(|mark| (connection.stream, mark.frame)));
    }
    assert_eq!(frames_of(&messages, |kind| kind == Kind::Handshake), counted(handshakes.clone()), "{name}: handshakes");
    assert_eq!(frames_of(&messages, is_close), counted(closes.clone()), "{name}: closes");

    let segments = picture(capture, Level::Segment);
    let mut tcp = Vec::new();
    let (mut frames, mut decoder) = (reader(capture), Decoder::default());
    while let Ok(Some(frame)) = frames.next_frame() {
        if let Packet::Tcp(segment) = decoder.decode(&frame) {
            tcp.push(segment.mark.frame);
        }
    }
    assert_eq!(segments.steps().map(|step| step.frames[0]).collect::<Vec<_>>(), tcp, "{name}: segments, in order");
    let drawn: BTreeSet<(u64, u64)> = frames_of(&segments, |_| true).into_keys().collect();
    let named = frames_of(&messages, |_| true).into_keys().chain(handshakes).chain(closes);
    named.for_each(|(stream, frame)| assert!(drawn.contains(&(stream, frame)), "{name}: frame {frame} of stream {stream}"));

    for picture in [&messages, &segments] {
        check_drawn(name, picture);
    }
}

/// What is in the picture is drawn once in each format.
fn check_drawn(name: &str, picture: &Picture) {
    let drawing = svg(picture);
    let document = roxmltree::Document::parse(&drawing).unwrap_or_else(|error| panic!("{name}: {error}"));
    let ids = counted(document.descendants().filter_map(|node| node.attribute("id")));
    let frames: BTreeSet<String> = picture.steps().flat_map(|step| &step.frames).map(|frame| format!("frame-{frame}")).collect();
    assert_eq!(ids.keys().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>(), frames, "{name}: every frame can be linked to");
    assert!(ids.values().all(|&count| count == 1), "{name}: {ids:?}");
    let steps = document.descendants().filter(|node| node.attribute("class").is_some_and(|class| class.starts_with("d-step ")));
    assert_eq!(steps.count(), picture.steps().count(), "{name}: arrows of the SVG");

    let rows = picture.rows.len();
    let heads = rows.div_ceil(40);
    let lines = text(picture, 100).lines().skip_while(|line| !line.is_empty()).count();
    assert_eq!(lines, rows + 2 * heads, "{name}: lines of the text");
    let lines = mermaid(picture).lines().count();
    assert_eq!(lines, 1 + picture.lanes.len() + rows, "{name}: lines of mermaid");
}

#[test]
fn everything_is_on_the_picture_once() {
    for (name, capture) in captures() {
        check_whole(&name, &capture);
    }
    for seed in 0..150 {
        check_whole(&format!("seed {seed}"), &mishaps(seed));
    }
}

// ---- Lanes ----

#[track_caller]
fn check_lanes(talks: &[(&str, &str)], expected: &[&str]) {
    let packets = talks.iter().map(|(client, server)| {
        let mut talk = Conversation::new(at(client), at(server));
        talk.handshake().client("GET / HTTP/1.1\r\n\r\n").server("HTTP/1.1 204 No Content\r\n\r\n").packets()
    });
    let capture = craft::capture(&packets.collect::<Vec<_>>().concat());
    for level in LEVELS {
        assert_eq!(lanes(&picture(&capture, level)), expected);
    }
}

#[test]
fn programs_have_lanes_where_they_share_an_address() {
    let pot = ("127.0.0.1:50003", "127.0.0.1:5030");
    check_lanes(&[pot, ("127.0.0.1:50001", "127.0.0.1:5031"), ("127.0.0.1:50002", "127.0.0.1:5031")], &["browser", "web app", "pot"]);
    check_lanes(&[("[::1]:50001", "[::1]:5031"), pot], &["browser", "web app", "pot"]);
}

#[test]
fn programs_on_several_hosts_have_lanes_of_their_own() {
    let web_app = "192.0.2.9:5031";
    let pot = ("127.0.0.1:50003", "127.0.0.1:5030");
    // The only web app is the one that asks the pot, from whichever of its addresses.
    check_lanes(
        &[("192.0.2.1:50001", web_app), ("192.0.2.2:50001", web_app), pot],
        &["browser 192.0.2.1", "browser 192.0.2.2", "web app", "pot"],
    );
}

#[test]
fn others_are_named_by_address() {
    let third = ("127.0.0.1:50002", "127.0.0.1:57664");
    check_lanes(&[third, ("127.0.0.1:50001", "127.0.0.1:5031")], &["browser", "web app", "127.0.0.1", "127.0.0.1:57664"]);
}

#[test]
fn a_scan_has_lanes_that_can_be_looked_at() {
    let picture = picture(&scan(), Level::Message);
    assert_eq!((lanes(&picture).len(), lanes(&picture).last()), (25, Some(&"other servers")));
    assert_eq!(picture.links.len(), 200);
}

#[test]
fn the_labs_brew_has_five_lanes_and_its_chain() {
    let Some(capture) = lab().into_iter().nth(1) else { return };
    let picture = picture(&capture, Level::Message);
    assert_eq!(lanes(&picture), ["browser", "web app", "pot", "127.0.0.1", "127.0.0.1:57664"]);
    let step =
        |frame: u64| picture.steps().find(|step| step.frames.last() == Some(&frame) && !step.frames.is_empty()).expect("it is there");
    assert_eq!([84, 90, 92, 100].map(|frame| step(frame).lanes), [[0, 1], [1, 2], [2, 1], [1, 0]]);
    // Two segments: the arrow falls.
    assert_eq!((&*step(100).frames, step(100).took().is_some()), (&[98, 100][..], true));
}

// ---- Time ----

#[test]
fn long_waits_are_folded() {
    let mut talk = local(50_000, 5031);
    talk.handshake().client("GET / HTTP/1.1\r\n\r\n").server("HTTP/1.1 204 No Content\r\n\r\n");
    let capture = timed(&talk.packets().into_iter().zip([0, 1, 1, 1, 1_500]).collect::<Vec<_>>());
    for level in LEVELS {
        let folds = picture(&capture, level).rows.into_iter().filter_map(|row| if let Row::Fold(nanos) = row { Some(nanos) } else { None });
        assert_eq!(folds.collect::<Vec<_>>(), [1_500_000_000]);
    }
    assert!(text(&picture(&capture, Level::Message), 80).contains("⋮ 1.50 s"));
}

#[test]
fn a_response_in_several_segments_falls() {
    let picture = picture(&twenty(), Level::Message);
    let slanted: Vec<&Step> = picture.steps().filter(|step| matches!(step.kind, Kind::Response(_)) && step.took().is_some()).collect();
    assert!(!slanted.is_empty() && slanted.iter().all(|step| step.frames.len() == 2), "{slanted:?}");
}

// ---- What happened is told apart ----

#[test]
fn what_was_sent_again_is_marked() {
    let capture = losses();
    let segments = picture(&capture, Level::Segment);
    let again: Vec<Kind> = segments.steps().filter(|step| step.again).map(|step| step.kind).collect();
    assert!(again.contains(&Kind::Handshake) && again.contains(&Kind::Data), "{again:?}");
    // Of a SYN or a FIN nothing is lost.
    let lossy = segments.steps().filter(|step| step.aside.contains("Retransmission"));
    assert!(lossy.map(|step| step.kind).all(|kind| kind == Kind::Data));
    assert!(text(&segments, 120).lines().filter(|line| line.contains('↻')).count() == again.len());
    let messages = picture(&capture, Level::Message);
    let notes: Vec<&str> = messages.steps().filter(|step| step.kind == Kind::Note).map(|step| &*step.text).collect();
    assert!(notes.iter().any(|note| note.contains("sent again")) && notes.iter().any(|note| note.contains("never captured")), "{notes:?}");
    let broken: Vec<(&str, &[u64])> = messages.steps().filter(|step| !step.whole).map(|step| (&*step.aside, &*step.frames)).collect();
    assert_eq!(broken, [("lost", &[24][..])]);
    assert_eq!(svg(&messages).matches("class=\"d-line d-rest\"").count(), 2, "in the legend, too");
    assert!(messages.steps().any(|step| step.kind == Kind::Rst));
}

// ---- Hostile captures ----

#[test]
fn nothing_of_a_capture_becomes_markup() {
    let capture = hostile();
    for level in LEVELS {
        let drawing = svg(&picture(&capture, level));
        let document = roxmltree::Document::parse(&drawing).expect("it is XML");
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            let tag = node.tag_name().name();
            assert!(["svg", "title", "desc", "style", "rect", "path", "g", "text", "tspan"].contains(&tag), "{tag}");
            for attribute in node.attributes() {
                let name = attribute.name();
                let known = "class role aria-label width height viewBox x y rx d text-anchor id data-frame data-stream";
                assert!(known.split(' ').any(|known| known == name), "{name}");
            }
            if tag == "style" {
                assert_eq!(node.text(), Some(report::diagram::STYLE));
            }
        }
        let words: String = document.descendants().filter_map(|node| node.text()).collect();
        assert!(words.contains("<script>alert(1)</script>") && words.contains("\\u{202e}txt.exe\\u{2066}"), "{words}");
        assert!(!words.chars().any(|char| char.is_control() && char != '\n' || matches!(char, '\u{202e}' | '\u{2066}' | '\u{200f}')));
        for text in [text(&picture(&capture, level), 80), mermaid(&picture(&capture, level))] {
            assert!(!text.chars().any(|char| char.is_control() && char != '\n' || matches!(char, '\u{202e}' | '\u{2066}' | '\u{200f}')));
        }
    }
}

#[test]
fn mermaid_accepts_every_picture() {
    for (name, capture) in captures() {
        for level in LEVELS {
            let drawing = mermaid(&picture(&capture, level));
            let Some(verdict) = judges::judge("mermaid.mjs", drawing.as_bytes()) else { return };
            let words = String::from_utf8_lossy(&verdict.stderr);
            assert!(verdict.status.success() && verdict.stdout.starts_with(b"sequence"), "{name}: {words}\n{drawing}");
        }
    }
}

// ---- Labels have room ----

/// A piece of text in a picture, and the box that it fills.
struct Label {
    left: f64,
    right: f64,
    baseline: f64,
    words: String,
}

fn labels(drawing: &str) -> Vec<Label> {
    let document = roxmltree::Document::parse(drawing).expect("it is XML");
    let texts = document.descendants().filter(|node| node.tag_name().name() == "text");
    let labels = texts.map(|node| {
        let number = |name: &str| node.attribute(name).expect("it has a place").parse::<f64>().expect("a number");
        let words: String = node.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect();
        let width = words.width() as f64 * COLUMN;
        let left = number("x")
            - match node.attribute("text-anchor") {
                Some("end") => width,
                Some("middle") => width / 2.0,
                _ => 0.0,
            };
        Label { left, right: left + width, baseline: number("y"), words }
    });
    labels.collect()
}

#[test]
fn no_label_covers_another() {
    for (name, capture) in captures() {
        for level in LEVELS {
            let drawing = svg(&picture(&capture, level));
            let width: f64 = roxmltree::Document::parse(&drawing).unwrap().root_element().attribute("width").unwrap().parse().unwrap();
            let mut labels = labels(&drawing);
            labels.sort_by(|one, other| one.baseline.total_cmp(&other.baseline));
            for (at, label) in labels.iter().enumerate() {
                assert!(label.left >= 0.0 && label.right <= width, "{name}: {} is not in the picture", label.words);
                // Lines of 12 px.
                for other in labels[at + 1..].iter().take_while(|other| other.baseline - label.baseline < 12.0) {
                    let apart = label.right < other.left || other.right < label.left;
                    assert!(apart, "{name}: {} and {}", label.words, other.words);
                }
            }
        }
    }
}

/// What a page says of its pictures: texts that cover each other or leave the picture, and the colour behind everything.
const MEASURE: &str = "
    const found = [...document.querySelectorAll('svg')].map(svg => {
        const edge = svg.getBoundingClientRect();
        // Boxes of lines are higher than letters.
        const boxes = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()])
            .map(([words, box]) => ({ words, left: box.left, right: box.right, top: box.top + 2, bottom: box.bottom - 3 }));
        boxes.sort((one, other) => one.top - other.top);
        const bad = boxes.filter(box => box.left < edge.left || box.right > edge.right).map(box => box.words);
        boxes.forEach((one, at) => {
            for (const other of boxes.slice(at + 1)) {
                if (other.top >= one.bottom) break;
                if (one.left < other.right && other.left < one.right) bad.push(one.words + ' and ' + other.words);
            }
        });
        return { texts: boxes.length, bad, page: getComputedStyle(svg.querySelector('.d-page')).fill };
    });
    const said = document.createElement('pre');
    said.textContent = JSON.stringify(found);
    document.body.replaceChildren(said);";

#[test]
fn chromium_finds_room_for_every_label_in_light_and_dark() {
    let captures = captures();
    let drawings = captures.iter().flat_map(|(_, capture)| LEVELS.map(|level| svg(&picture(capture, level))));
    let page = format!("<!doctype html><meta charset=utf-8><body>{}<script>{MEASURE}</script>", drawings.collect::<String>());
    let mut pages = BTreeSet::new();
    for scheme in [chromium::Scheme::Light, chromium::Scheme::Dark] {
        let Some(dom) = chromium::dom(&page, scheme) else { return };
        let said = dom.split_once("<pre>").and_then(|(_, rest)| rest.split_once("</pre>")).expect("the page has measured").0;
        let said = said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let found: Vec<serde_json::Value> = serde_json::from_str(&said).expect("it is JSON");
        assert_eq!(found.len(), captures.len() * LEVELS.len());
        for picture in &found {
            assert!(picture["texts"].as_u64() > Some(10));
            assert_eq!(picture["bad"], serde_json::json!([]));
            assert_eq!(picture["page"], found[0]["page"]);
        }
        pages.insert(found[0]["page"].to_string());
    }
    assert_eq!(pages.len(), 2, "{pages:?}");
}

#[test]
fn text_is_no_wider_than_the_terminal() {
    for (name, capture) in captures() {
        for level in LEVELS {
            let picture = picture(&capture, level);
            for width in [40, 60, 80, 120, 240] {
                for line in text(&picture, width).lines() {
                    assert!(line.width() <= usize::from(width), "{name} at {width}: {line}");
                }
            }
        }
    }
}

// ---- Parts ----

#[test]
fn a_part_has_only_what_it_needs() {
    let whole = picture(&std::fs::read(sample("homepage_coffee")).expect("a sample"), Level::Message);
    let part = whole.only(|step| step.stream == 1);
    assert_eq!(lanes(&part), ["web app", "pot"]);
    assert_eq!(part.links.iter().map(|link| (link.stream, link.lanes)).collect::<Vec<_>>(), [(1, [0, 1])]);
    assert!(part.steps().all(|step| step.stream == 1 && step.lanes.iter().all(|&lane| lane < 2)));
    let of_stream =
        scoped(&std::fs::read(sample("homepage_coffee")).unwrap(), Level::Message, Scope { streams: vec![1], ..Scope::default() });
    assert_eq!(part.rows, of_stream.rows);
}

#[test]
fn the_first_steps_are_kept() {
    for level in LEVELS {
        for capture in [twenty(), losses()] {
            let whole = picture(&capture, level);
            for limit in [0, 1, 7, 30] {
                let first = scoped(&capture, level, Scope { limit, ..Scope::default() });
                let frames =
                    |picture: &Picture, count: usize| picture.steps().take(count).map(|step| step.frames.clone()).collect::<Vec<_>>();
                assert_eq!(frames(&first, usize::MAX), frames(&whole, limit));
                assert_eq!(first.omitted, whole.steps().count() as u64 - first.steps().count() as u64);
                let says = |drawing: String| drawing.contains("which are not shown") == (first.omitted > 0);
                assert!(says(svg(&first)) && says(text(&first, 80)) && (first.lanes.is_empty() || says(mermaid(&first))));
            }
        }
    }
}

// ---- The program ----

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(arguments: &[&str], input: Stdio) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcap-tools"));
    let output = command.arg("diagram").args(arguments).env("COLUMNS", "80").stdin(input).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn pictures_of_the_samples() {
    for name in SAMPLES {
        for level in ["message", "segment"] {
            for (format, ending) in [("text", "txt"), ("mermaid", "mmd")] {
                check_golden(name, level, format, ending);
            }
        }
    }
    // The README shows it.
    check_golden("homepage_coffee", "message", "svg", "svg");
}

/// A sample's picture is the golden one.
fn check_golden(name: &str, level: &str, format: &str, ending: &str) {
    let path = sample(name);
    let run = run(&["--format", format, "--level", level, path.to_str().expect("a path in UTF-8")], Stdio::null());
    assert_eq!((run.code, &*run.err), (Some(0), ""));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/diagram/{name}.{level}.{ending}"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(golden.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(&golden, &run.out).expect("the picture is written");
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(run.out, expected, "read {} and the difference", golden.display());
}

#[test]
fn a_filter_chooses_segments_and_exchanges() {
    let path = sample("homepage_coffee");
    let path = path.to_str().expect("a path in UTF-8");
    let run = |arguments: &[&str]| run(&[arguments, &[path]].concat(), Stdio::null()).out;
    let segments = run(&["--level", "segment", "-Y", "tcp.flags.syn == 1", "--format", "mermaid"]);
    assert_eq!(segments.lines().filter(|line| line.contains("SYN")).count(), 8, "{segments}");
    assert_eq!(segments.lines().filter(|line| line.contains(">>")).count(), 8, "{segments}");
    let messages = run(&["-Y", "htcpcp", "--format", "mermaid"]);
    assert!(messages.contains("HTCPCP/1.1 200 OK") && !messages.contains("HTTP/1.1 200 OK ·"), "{messages}");
}

#[test]
fn exit_codes_and_complaints() {
    let path = sample("homepage_coffee");
    let path = path.to_str().expect("a path in UTF-8");
    let missing = run(&["--stream", "4", path], Stdio::null());
    assert_eq!((missing.code, &*missing.out), (Some(2), ""));
    assert!(missing.err.contains("has no stream 4"), "{}", missing.err);
    let file = std::fs::File::open(path).expect("a sample");
    let piped = run(&["--stream", "1", "-"], Stdio::from(file));
    assert_eq!((piped.code, piped.out.lines().next()), (Some(0), Some("web app (127.0.0.1), pot (127.0.0.1:5030)")));
    let limited = run(&["--limit", "3", path], Stdio::null());
    assert_eq!(limited.code, Some(0));
    assert!(limited.err.contains("more arrows are not shown"), "{}", limited.err);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cut = folder.path().join("cut.pcapng");
    let bytes = std::fs::read(path).expect("a sample");
    std::fs::write(&cut, &bytes[..bytes.len() - 20]).expect("it is written");
    let cut = run(&["--format", "svg", cut.to_str().expect("a path in UTF-8")], Stdio::null());
    assert_eq!((cut.code, cut.err.is_empty()), (Some(1), false));
    assert!(cut.out.ends_with("</svg>\n"));
}
