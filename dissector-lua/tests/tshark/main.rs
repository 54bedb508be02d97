//! The dissector in tshark 4.0 and 4.4: conversations made by hand go in, fields come out, and they have to be the same
//! in both.

#[path = "../judge/mod.rs"]
mod asked;
mod bodies;
mod exchanges;
mod fields;
mod fuzz;
mod hosted;
mod installed;
mod judge;
mod messages;
mod readme;

use std::net::SocketAddr;

use judge::{Frames, agreed};
use pcap_tools::craft::{self, Conversation};

/// Arguments for two passes: in the second one it is known where a request's response is.
const TWICE: [&str; 3] = ["-2", "-Y", "htcpcp"];

/// A conversation with the pot that has been opened.
fn talk() -> Conversation {
    talk_from(50_000)
}

fn talk_from(client_port: u16) -> Conversation {
    talk_on(client_port, htcpcp::POT_PORT)
}

fn talk_on(client_port: u16, port: u16) -> Conversation {
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let mut talk = Conversation::new(at(client_port), at(port));
    talk.handshake();
    talk
}

/// The fields of these names that a frame shows, as `name=value`; expert infos have no value.
fn chosen(frames: &Frames, frame: u64, names: &[&str]) -> String {
    let fields = frames.get(&frame).into_iter().flatten().filter(|field| names.contains(&field.name.as_str()));
    let shown: Vec<_> =
        fields.map(|field| if field.show.is_empty() { field.name.clone() } else { format!("{}={}", field.name, field.show) }).collect();
    shown.join(" ")
}

/// Asks both versions of tshark about these packets, and compares the fields named in `names` in every frame that has
/// one of them: `4: request.method=BREW command=start`.
#[track_caller]
fn check_packets(packets: &[Vec<u8>], arguments: &[&str], names: &str, expected: &[&str]) {
    let Some(frames) = agreed(&craft::capture(packets), arguments) else { return };
    let names: Vec<_> = names.split(' ').collect();
    let lines = frames.keys().map(|&frame| (frame, chosen(&frames, frame, &names)));
    let seen: Vec<_> = lines.filter(|(_, line)| !line.is_empty()).map(|(frame, line)| format!("{frame}: {line}")).collect();
    assert_eq!(seen, expected);
}

/// The same for a conversation, in two passes.
#[track_caller]
fn check(talk: &Conversation, names: &str, expected: &[&str]) {
    check_packets(&talk.packets(), &TWICE, names, expected);
}
