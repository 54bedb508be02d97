//! The lab's web app as the pot's client: what it was seen to send, byte for byte, and what it bears as an answer. It
//! takes what one `recv(1024)` gives it, and nothing else.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use common::{Answer, LAB_GET, Pot, lab_brew, read_answer, workspace};
use jiff::civil::DateTime;
use pcap_tools::capture::Reader;
use pcap_tools::packet::{Decoder, Packet};
use pot::menu::{BEANS, Pot as Which};

/// What an answer may have, so that a client with `recv(1024)` gets all of it with room to spare.
const MOST_BYTES: usize = 768;

/// How often each answer is asked for: one in two segments might reach a client in one piece by luck.
const REPLAYS: usize = 10;

/// A request and the lab's own answer to it, as a capture has them.
struct Exchange {
    client_port: u16,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Exchange {
    /// Where the body begins in the request.
    fn body_start(&self) -> usize {
        let blank_line = self.request.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        blank_line.expect("the lab's heads end") + 4
    }
}

/// The exchanges with the lab's pot in the order of their requests. The lab sends each message in one segment.
fn exchanges(capture: &Path) -> Vec<Exchange> {
    let (mut reader, mut decoder) = (Reader::open(capture).expect("it is a capture"), Decoder::default());
    let mut exchanges: Vec<Exchange> = Vec::new();
    while let Some(frame) = reader.next_frame().expect("it is not damaged") {
        let Packet::Tcp(segment) = decoder.decode(&frame) else { continue };
        let bytes = segment.payload.to_vec();
        if bytes.is_empty() {
            continue;
        }
        if segment.destination.port == htcpcp::POT_PORT {
            exchanges.push(Exchange { client_port: segment.source.port, request: bytes, answer: Vec::new() });
        } else if segment.source.port == htcpcp::POT_PORT {
            let asked = exchanges.iter_mut().find(|exchange| exchange.client_port == segment.destination.port);
            asked.expect("an answer has a request").answer = bytes;
        }
    }
    exchanges
}

/// Sends the segments and returns what one `recv(1024)` gives: all of an answer, in one segment, not too long.
#[track_caller]
fn recv(pot: &Pot, segments: &[&[u8]]) -> (String, Answer) {
    let mut stream = pot.connect();
    for segment in segments {
        stream.write_all(segment).unwrap();
        // The next one is another segment if the pot has taken this one by then.
        thread::sleep(Duration::from_millis(if segments.len() > 1 { 5 } else { 0 }));
    }
    let mut buffer = [0; 1024];
    let len = loop {
        match stream.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read.unwrap(),
        }
    };
    assert!(len <= MOST_BYTES, "{len} bytes");
    let text = String::from_utf8(buffer[..len].to_vec()).expect("the lab's web app reads ASCII");
    let answer = read_answer(&mut text.as_bytes(), false);
    assert_eq!(answer.len_bytes, len, "one answer, and all of it");
    (text, answer)
}

/// The keys of JSON in the order in which they stand there.
fn keys(json: &str) -> Vec<&str> {
    let pieces: Vec<_> = json.split('"').collect();
    let keys = pieces.windows(2).skip(1).step_by(2).filter(|pair| pair[1].trim_start().starts_with(':'));
    keys.map(|pair| pair[0]).collect()
}

/// The keys that the lab's later versions have where its captures have `keys`.
fn later_keys(mut keys: Vec<&str>) -> Vec<&str> {
    if let Some(key) = keys.iter_mut().find(|key| **key == "pouring_milk") {
        *key = "pour_milk_start";
        keys.push("pour_milk_stop");
    }
    keys
}

/// Replays a capture's requests at the times of the lab's answers.
#[track_caller]
fn check(exchanges: &[Exchange], cut: impl Fn(&Exchange) -> Vec<&[u8]>) {
    let pot = Pot::start();
    let mut now = "2023-06-27T12:26:59".parse::<DateTime>().unwrap();
    for exchange in exchanges {
        let lab = std::str::from_utf8(&exchange.answer).unwrap();
        let (lab_head, lab_body) = lab.split_once("\r\n\r\n").unwrap();
        let (_, date) = lab_head.rsplit_once("Date: ").unwrap();
        let then = DateTime::strptime("%a, %d %b %Y %H:%M:%S", date).unwrap();
        pot.pass(then.duration_since(now).unsigned_abs());
        now = then;

        let (text, answer) = recv(&pot, &cut(exchange));
        assert!(text.starts_with(&format!("{lab_head}\r\n")), "{text}");
        if lab_body.is_empty() {
            assert_eq!(answer.body, "");
            continue;
        }
        assert_eq!(keys(&answer.body), later_keys(keys(lab_body)));
        let (ours, labs) = (answer.json(), serde_json::from_str::<serde_json::Value>(lab_body).unwrap());
        for (ours, labs) in [
            (&ours["date"], &labs["date"]),
            (&ours["brew_time_end"], &labs["brew_time_end"]),
            (&ours["pour_milk_start"], &labs["pouring_milk"]),
        ] {
            assert_eq!(ours, labs);
        }
    }
}

#[test]
fn the_labs_own_requests_are_answered_as_the_lab_does() {
    for capture in ["coffee_brew.pcapng", "homepage_coffee.pcapng"] {
        let path = workspace().join("../shared/captures").join(capture);
        if !path.exists() {
            eprintln!("skipped: {} is not there", path.display());
            continue;
        }
        let exchanges = exchanges(&path);
        assert!(!exchanges.is_empty());
        for _ in 0..REPLAYS {
            check(&exchanges, |exchange| vec![&exchange.request]);
            check(&exchanges, |exchange| {
                let (head, body) = exchange.request.split_at(exchange.body_start());
                vec![head, body]
            });
        }
    }
}

#[test]
fn an_order_for_everything_fits_into_one_answer_with_every_bean() {
    let pot = Pot::start();
    let menu = Which::Ducky.menu();
    let names: Vec<_> = menu.split("; ").collect();
    let brew = lab_brew(&format!("Accept-Additions: {menu}; {menu}\r\nUse-Pot: ducky\r\n"), "start");
    assert!(brew.len() <= 1024, "the lab's pot could not read it");
    for bean in BEANS {
        assert_eq!(recv(&pot, &[brew.as_bytes()]).1.code(), 200);
        let (_, answer) = recv(&pot, &[LAB_GET.as_bytes()]);
        let brew = answer.json();
        assert_eq!((&brew["coffee_bean"]["name"], &brew["additions"]), (&bean.name.into(), &serde_json::json!(names)));
        assert_eq!(recv(&pot, &[lab_brew("", "stop").as_bytes()]).1.code(), 200);
    }
}

/// The body of the answer to a row of the table of answers, asked as the lab's web app asks: without a Content-Length.
#[track_caller]
fn check_row(pot: &Pot, request: &str, status: &str) -> String {
    let (_, answer) = recv(pot, &[request.as_bytes()]);
    assert_eq!(answer.status_line, format!("HTCPCP/1.1 {status}"), "{request}");
    assert_eq!(answer.names()[..3], ["Server", "Content-Type", "Date"], "{request}");
    answer.body
}

#[test]
fn every_row_of_the_table_of_answers() {
    let pot = Pot::start();
    let start = lab_brew("", "start");
    check_row(&pot, &start.replace("coffee://ducky", "caffeine://ducky"), "400 Bad Request");
    check_row(&pot, &start.replace("coffee://ducky", "coffee://psyduck"), "404 Not Found");
    check_row(&pot, &start.replace("BREW", "MILK"), "501 Not Implemented");
    check_row(&pot, &start.replace("application/coffee-pot-command", "text/plain"), "415 Unsupported Media Type");
    check_row(&pot, &lab_brew("Use-Pot: tea\r\n", "start"), "418 I'm a teapot");
    assert_eq!(check_row(&pot, &lab_brew("Accept-Additions: tea\r\n", "start"), "406 Not Acceptable"), Which::Ducky.menu());
    for body in ["sip", ""] {
        check_row(&pot, &lab_brew("", body), "400 Bad Request");
    }
    check_row(&pot, &LAB_GET.replace("GET", "WHEN"), "409 Conflict");
    assert_eq!(check_row(&pot, LAB_GET, "200 OK"), "{}");
    assert_eq!(check_row(&pot, &start, "200 OK"), "");
    assert_eq!(check_row(&pot, &start, "406 Not Acceptable"), "Pot is busy");
    assert_eq!(check_row(&pot, &lab_brew("", "stop"), "200 OK"), "");
    assert_eq!(check_row(&pot, &LAB_GET.replace("GET", "PROPFIND"), "200 OK"), "{}");
}
