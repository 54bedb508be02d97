//! The dissector in our own host, which has to make of every capture what tshark makes of it.

use dissector_lua::host::item::Item;
use dissector_lua::host::{Host, Options, Shown};
use pcap_tools::capture::Reader;
use pcap_tools::craft::{self, Side};
use pcap_tools::dissect::{self, Displayed, Passes};

use super::fuzz::{cut_short, lab_capture, lost_and_damaged, mutated, random_splits, reordered_and_repeated};
use super::judge::{Field, Frames, Judge, hexadecimal, judges, workspace};
use super::{TWICE, talk};

/// The tshark that has the same Lua; `None`, with a word about it, if it is not here.
fn judge() -> Option<Judge> {
    let version = if cfg!(feature = "lua52") { "4.0" } else { "4.4" };
    judges().into_iter().find(|judge| judge.version() == version)
}

/// A host with our dissector and these preferences.
fn host(preferences: &[(&str, &str)]) -> Host {
    let mut host = Host::new(&Options::default()).expect("a host");
    host.load("htcpcp.lua", dissector_lua::generate::dissector().as_bytes()).expect("our dissector");
    for (name, value) in preferences {
        host.set_preference(name, value).expect("a preference");
    }
    host
}

/// The fields of our own protocol, as our host shows them. Panics if Lua fails.
fn hosted(capture: &[u8], passes: Passes, preferences: &[(&str, &str)]) -> Frames {
    let mut host = host(preferences);
    host.show_trees(Shown::Whole);
    let mut frames = Frames::new();
    let open = || Reader::new(std::io::Cursor::new(capture.to_vec()));
    dissect::run(open, &mut host, passes, |host| {
        assert_eq!(host.take_faults(), []);
        host.look(|view| {
            for protocol in view.protocols().filter(|item| is_ours(*item)) {
                collect(protocol, frames.entry(view.packet.number.into()).or_default());
            }
        });
        Ok(Displayed::Yes)
    })
    .expect("a capture");
    frames
}

fn is_ours(item: Item<'_>) -> bool {
    item.field().is_some_and(|field| &*field.abbreviation == "htcpcp")
}

/// An item and all that hangs on it, as PDML has them.
fn collect(item: Item<'_>, fields: &mut Vec<Field>) {
    let label = hexadecimal(&item.plain_label());
    fields.push(match item.field() {
        None => Field { name: String::new(), show: label, label: String::new() },
        Some(_) if is_ours(item) => Field { name: "htcpcp".to_owned(), show: String::new(), label },
        Some(field) => {
            let name = field.abbreviation.strip_prefix("htcpcp.").unwrap_or(&field.abbreviation).to_owned();
            Field { name, show: escaped(&item.show()).replace("True", "1"), label }
        }
    });
    // What is marked as malformed is a protocol inside of ours, which the judge's fields leave out.
    let children = item.children().filter(|child| child.field().is_none_or(|field| &*field.abbreviation != "_ws.malformed"));
    children.for_each(|child| collect(child, fields));
}

/// As PDML writes what cannot stand in XML.
fn escaped(text: &str) -> String {
    let escape = |char: char| match char {
        '\r' | '\n' | '\t' => char.to_string(),
        char if char.is_ascii_control() => format!("\\x{:x}", char as u32),
        char => char.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Compares host and tshark, in one pass and in two.
///
/// In a first pass tshark knows the fields of other protocols only if there is a filter; our host always does.
#[track_caller]
fn check(capture: &[u8], preferences: &[(&str, &str)]) {
    let Some(judge) = judge() else { return };
    let settings: Vec<_> = preferences.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    let settings: Vec<_> = settings.iter().flat_map(|setting| ["-o", setting]).collect();
    for (passes, twice) in [(Passes::One, &[][..]), (Passes::Two, &TWICE)] {
        let expected = judge.frames(capture, &[twice, &settings].concat());
        let seen = hosted(capture, passes, preferences);
        for (frame, fields) in expected.iter().chain(&seen) {
            let [theirs, ours] = [&expected, &seen].map(|frames| frames.get(frame).map_or(&[][..], Vec::as_slice));
            let differs = theirs.iter().zip(ours).position(|(a, b)| a != b).unwrap_or(theirs.len().min(ours.len()));
            assert!(
                theirs == ours,
                "{passes:?} {preferences:?}, frame {frame}, field {differs} of {}: tshark {:?}, we {:?}",
                fields.len(),
                theirs.get(differs),
                ours.get(differs)
            );
        }
    }
}

const WAIT: [(&str, &str); 1] = [("htcpcp.wait_for_fin", "TRUE")];
const AS_THEY_COME: [(&str, &str); 1] = [("htcpcp.desegment", "FALSE")];

#[test]
fn the_sample_captures_are_shown_as_tshark_does() {
    for name in ["homepage_coffee", "coffee_brew", "coffee_418_406", "homepage_https"] {
        let path = workspace().join("sample_capture").join(name).with_extension("pcapng");
        let capture = std::fs::read(path).expect("the sample captures are there");
        for preferences in [&[][..], &WAIT, &AS_THEY_COME, &[("htcpcp.ports", "5031")]] {
            check(&capture, preferences);
        }
    }
}

#[test]
fn the_labs_captures_are_shown_as_tshark_does() {
    for name in ["homepage_coffee.pcapng", "coffee_brew.pcapng"] {
        if let Some(capture) = lab_capture(name) {
            check(&capture, &[]);
            check(&capture, &WAIT);
        }
    }
}

#[test]
fn random_splits_are_put_together_as_tshark_does() {
    let capture = random_splits();
    check(&capture, &[]);
    check(&capture, &WAIT);
    check(&capture, &AS_THEY_COME);
}

#[test]
fn reordered_and_repeated_segments_are_taken_as_tshark_takes_them() {
    check(&reordered_and_repeated(), &[]);
    check(&reordered_and_repeated(), &WAIT);
}

#[test]
fn mutated_messages_are_shown_as_tshark_does() {
    check(&mutated(), &[]);
    // API.md says what is not as in 4.0.
    if cfg!(feature = "lua54") {
        check(&mutated(), &WAIT);
    }
}

#[test]
fn lost_and_damaged_segments_are_taken_as_tshark_takes_them() {
    // API.md says what is not as in 4.0.
    if cfg!(feature = "lua54") {
        check(&lost_and_damaged(), &[]);
    }
}

#[test]
fn frames_cut_short_are_shown_as_tshark_does() {
    check(&cut_short(), &[]);
}

/// Heuristics, other ports, and a message behind which the connection closes.
#[test]
fn other_ports_are_recognised_as_tshark_does() {
    let mut packets = Vec::new();
    for (port, text) in [(7_130, "GET coffee://ducky HTTP/1.1\r\n\r\n"), (7_131, "BREW /pot HTTP/1.1\r\n\r\nstart")] {
        let mut talk = super::talk_on(40_000 + port % 100, port);
        talk.client(text).server("HTCPCP/1.1 200 OK\r\n\r\n{}").fin(Side::Server);
        packets.extend(talk.packets());
    }
    let capture = craft::capture(&packets);
    check(&capture, &[]);
    check(&capture, &[("htcpcp.heuristic", "FALSE")]);
    check(&capture, &[("htcpcp.ports", "7131")]);
}

/// The FIN brings a response's last bytes, or comes alone, or is lost.
#[test]
fn a_body_until_the_close_ends_as_in_tshark() {
    for bytes in ["HTCPCP/1.1 200 OK\r\n\r\n{\"a\": 1}", "HTCPCP/1.1 200 OK\r\n\r\n", "HTCPCP/1.1 2"] {
        for close in [false, true] {
            let mut talk = talk();
            talk.client("GET coffee://ducky HTTP/1.1\r\n\r\n").server_in(bytes, 9);
            if close {
                talk.close(Side::Server);
            }
            check(&craft::capture(&talk.packets()), &WAIT);
            check(&craft::capture(&talk.packets()), &[]);
        }
    }
}
