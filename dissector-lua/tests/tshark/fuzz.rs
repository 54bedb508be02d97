//! Captures to look at: the lab's, and conversations made at random, whole and damaged, under a fixed seed.

use std::path::PathBuf;

use pcap_tools::craft::{self, Conversation, Endian, NULL, Pcapng, Random, START_NS, Side, frame, interleave};

use super::judge::workspace;
use super::talk_from;

/// One of the lab's captures, if it is there.
pub fn lab_capture(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("SHARED_CAPTURES").map_or_else(|| workspace().join("../shared/captures"), PathBuf::from);
    let path = folder.join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("skipped: no {} here", path.display());
    }
    bytes
}

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

/// Messages in segments of any size.
pub fn random_splits() -> Vec<u8> {
    let mut random = Random::new(1);
    capture_of(|port| exchange_some(&mut random, port, |_, _| {}))
}

/// Segments that come twice, or before the one that was sent before them.
pub fn reordered_and_repeated() -> Vec<u8> {
    let mut random = Random::new(2);
    capture_of(|port| {
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
    })
}

/// Messages with errors in them.
pub fn mutated() -> Vec<u8> {
    let mut random = Random::new(3);
    capture_of(|port| exchange_some(&mut random, port, mutate))
}

/// Segments that are missing, and others that are damaged.
pub fn lost_and_damaged() -> Vec<u8> {
    let mut random = Random::new(5);
    capture_of(|port| {
        let mut talk = exchange_some(&mut random, port, mutate);
        talk.segments.remove(3 + random.below(talk.segments.len() - 3));
        let at = 3 + random.below(talk.segments.len() - 3);
        let payload = &mut talk.segments[at].payload;
        if !payload.is_empty() {
            mutate(&mut random, payload);
        }
        talk
    })
}

/// Frames of which only the first bytes were kept, each with a message of its own.
pub fn cut_short() -> Vec<u8> {
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
    file.into_bytes()
}
