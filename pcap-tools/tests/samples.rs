//! The captures of `sample_capture/`: what its README says of each is what pcap-tools says, and what tshark says.
//!
//! Where tshark is missing, a line on standard error says that it was not asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What happened in a capture, as far as the README tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts {
    packets: u64,
    /// By stream: the ports, the handshake's frames, who closed first.
    connections: BTreeMap<u64, (u64, u64, [u64; 3], String)>,
    /// By the request's frame: stream, request line without its version, the answer's frame and its status.
    exchanges: BTreeMap<u64, (u64, String, u64, u64)>,
}

impl Facts {
    /// As the README writes them.
    fn to_markdown(&self) -> String {
        let mut text = format!("{} packets.\n\n", self.packets);
        text += "| Stream | From port | To port | SYN, SYN-ACK, ACK | Closed first by |\n|---|---|---|---|---|\n";
        for (stream, (from, to, [syn, syn_ack, ack], closer)) in &self.connections {
            text += &format!("| {stream} | {from} | {to} | {syn}, {syn_ack}, {ack} | {closer} |\n");
        }
        text += "\n| Stream | Frame | Request | Frame | Status |\n|---|---|---|---|---|\n";
        for (frame, (stream, request, answer_frame, status)) in &self.exchanges {
            text += &format!("| {stream} | {frame} | `{request}` | {answer_frame} | {status} |\n");
        }
        text
    }

    /// Only the exchanges of these streams.
    fn only(mut self, streams: &[u64]) -> Facts {
        self.exchanges.retain(|_, (stream, ..)| streams.contains(stream));
        self
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace").join("sample_capture")
}

/// What pcap-tools says, and the streams that it can read.
fn ours(path: &Path) -> (Facts, Vec<u64>) {
    let output = Command::new(env!("CARGO_BIN_EXE_pcap-tools")).args(["summarize", "--format", "json"]).arg(path).output();
    let output = output.expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{value} is a number"));
    let rows = |key: &str| document[key].as_array().expect("it is a list").clone();

    let mut facts = Facts { packets: number(&document["capture"]["packets"]), ..Facts::default() };
    let mut readable = Vec::new();
    for connection in rows("connections") {
        let stream = number(&connection["stream"]);
        let handshake = ["syn", "syn_ack", "ack"].map(|frame| number(&connection["handshake"][frame]));
        let closer = connection["close"]["first_by"].as_str().expect("it was closed").to_owned();
        facts.connections.insert(stream, (number(&connection["client"]["port"]), number(&connection["server"]["port"]), handshake, closer));
        if connection["tls"].is_null() {
            readable.push(stream);
        }
    }
    for exchange in rows("exchanges") {
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let line = format!("{} {}", request["method"].as_str().unwrap(), request["target"].as_str().unwrap());
        let answer = (number(&response["frame"]), number(&response["status"]));
        facts.exchanges.insert(number(&request["frame"]), (number(&exchange["stream"]), line, answer.0, answer.1));
    }
    (facts, readable)
}

/// The facts of the answer to a question.
fn answered(path: &Path, task: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_pcap-tools")).args(["answer", "--format", "json", "--task", task]).arg(path).output();
    let answers: Value = serde_json::from_slice(&output.expect("the program starts").stdout).expect("it is JSON");
    answers[0]["facts"].clone()
}

/// The lab's questions about handshakes and messages are answered with what the README says.
#[track_caller]
fn check_answers(path: &Path, facts: &Facts) {
    let handshakes: Vec<_> = facts.connections.iter().map(|(stream, row)| (*stream, row.2)).collect();
    let frames = |row: &Value| (row["stream"].as_u64().unwrap(), ["syn", "syn_ack", "ack"].map(|frame| row[frame].as_u64().unwrap()));
    let said = answered(path, "3.1");
    assert_eq!(said["handshakes"].as_array().unwrap().iter().map(frames).collect::<Vec<_>>(), handshakes);
    for (task, is_coffee) in [("3.4", false), ("3.5", true)] {
        let of_protocol = || facts.exchanges.iter().filter(|(_, row)| row.1.contains(" coffee://") == is_coffee);
        let said = answered(path, task);
        assert_eq!(said["requests"], of_protocol().map(|(frame, _)| *frame).collect::<Value>(), "{task}");
        let mut responses: Vec<_> = of_protocol().map(|(_, row)| row.2).collect();
        responses.sort_unstable();
        assert_eq!(said["responses"], responses.into_iter().collect::<Value>(), "{task}");
    }
}

/// The fields that tshark prints of the packets that a filter lets through; `None` if it is not here.
fn tshark(path: &Path, filter: &str, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(path).args(["-Y", filter, "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let Ok(output) = command.output() else {
        eprintln!("skipped: no tshark here, so it is not asked");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("tshark prints text");
    Some(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// What tshark says. It has no word for HTCPCP, so that those messages are told by their bytes.
fn theirs(path: &Path) -> Option<Facts> {
    let number = |text: &String| text.parse::<u64>().unwrap_or_else(|_| panic!("`{text}` is a number"));
    let mut facts = Facts { packets: tshark(path, "frame", &["frame.number"])?.len() as u64, ..Facts::default() };

    let segments = tshark(path, "tcp", &["tcp.stream", "frame.number", "tcp.srcport", "tcp.dstport", "tcp.flags"])?;
    for row in &segments {
        let [stream, frame, source, destination] = [0, 1, 2, 3].map(|at| number(&row[at]));
        let flags = u32::from_str_radix(row[4].trim_start_matches("0x"), 16).expect("flags are hexadecimal");
        let (fin, syn, ack) = (flags & 0x01 != 0, flags & 0x02 != 0, flags & 0x10 != 0);
        let connection = facts.connections.entry(stream).or_insert((source, destination, [0; 3], String::new()));
        let is_client = source == connection.0;
        let step = match (syn, ack) {
            (true, false) => 0,
            (true, true) => 1,
            _ => 2,
        };
        if connection.2[step] == 0 && (step < 2 || is_client) {
            connection.2[step] = frame;
        }
        if fin && connection.3.is_empty() {
            connection.3 = if is_client { "client" } else { "server" }.to_owned();
        }
    }

    for row in tshark(path, "http.request && tcp.port == 5031", &["frame.number", "tcp.stream", "http.request.method", "http.request.uri"])?
    {
        facts.exchanges.insert(number(&row[0]), (number(&row[1]), format!("{} {}", row[2], row[3]), 0, 0));
    }
    for row in tshark(path, "http.response && tcp.port == 5031", &["http.request_in", "frame.number", "http.response.code"])? {
        let exchange = facts.exchanges.get_mut(&number(&row[0])).expect("responses follow requests");
        (exchange.2, exchange.3) = (number(&row[1]), number(&row[2]));
    }
    for row in tshark(path, "tcp.port == 5030 && tcp.len > 0", &["tcp.stream", "frame.number", "tcp.payload"])? {
        let (stream, frame) = (number(&row[0]), number(&row[1]));
        let bytes: Vec<u8> = (0..row[2].len() / 2).map(|at| u8::from_str_radix(&row[2][2 * at..2 * at + 2], 16).unwrap()).collect();
        let message = String::from_utf8(bytes).expect("the lab speaks ASCII");
        let line = message.lines().next().expect("a message has a first line");
        if let Some(request) = line.strip_suffix(" HTTP/1.1") {
            facts.exchanges.insert(frame, (stream, request.to_owned(), 0, 0));
        } else {
            let status = line.strip_prefix("HTCPCP/1.1 ").and_then(|rest| rest[..3].parse().ok()).expect("an answer has a status");
            let exchange = facts.exchanges.values_mut().find(|exchange| exchange.0 == stream).expect("answers follow requests");
            (exchange.2, exchange.3) = (frame, status);
        }
    }
    Some(facts)
}

/// Compares what is said of a capture; returns its streams that can be read without its secrets.
#[track_caller]
fn check(name: &str) -> (Facts, Vec<u64>) {
    let path = folder().join(name);
    let (ours, readable) = ours(&path);
    check_answers(&path, &ours);
    let theirs = theirs(&path);
    let decrypted = if let Some(theirs) = theirs { theirs } else { return (ours, readable) };
    let readme = std::fs::read_to_string(folder().join("README.md")).expect("there is a README");
    let expected = format!("\n{}", decrypted.to_markdown());
    let section = readme.split("\n## ").find(|section| section.starts_with(&format!("`{name}`"))).expect("it has a section");
    assert!(section.contains(&expected), "the README should say of {name}:\n{expected}");
    assert_eq!(ours, decrypted.only(&readable), "{name}");
    (ours, readable)
}

#[test]
fn the_home_page_is_one_question_to_the_pot() {
    let (facts, _) = check("homepage_coffee.pcapng");
    let pot: Vec<_> = facts.exchanges.values().filter(|exchange| exchange.1.contains("coffee://")).collect();
    assert_eq!(pot.len(), 1);
}

#[test]
fn a_brew_has_everything_that_the_lab_asks_for() {
    let (facts, _) = check("coffee_brew.pcapng");
    let requests: Vec<_> = facts.exchanges.values().map(|exchange| (&*exchange.1, exchange.3)).collect();
    for expected in [("BREW coffee://ducky", 200), ("PROPFIND coffee://ducky", 200), ("GET /assets/styles.css", 304)] {
        assert!(requests.contains(&expected), "{expected:?}: {requests:?}");
    }
    assert!(requests.iter().any(|(line, status)| line.starts_with("GET /?method=brew&message=start") && *status == 302));
    // What the browser asked, and what the web app asked the pot for it: each has its line in the README.
    let chains = answered(&folder().join("coffee_brew.pcapng"), "5.5")["chains"].clone();
    let brew = facts.exchanges.iter().find(|(_, row)| row.1 == "BREW coffee://ducky").expect("it is there");
    let page = facts.exchanges.iter().find(|(_, row)| row.1.starts_with("GET /?method=brew")).expect("it is there");
    let (http, htcpcp) = (serde_json::json!([page.0, page.1.2]), serde_json::json!([[brew.0, brew.1.2]]));
    assert!(chains.as_array().unwrap().iter().any(|chain| chain["http"] == http && chain["htcpcp"] == htcpcp), "{chains}");
}

#[test]
fn refusals_reach_the_browser() {
    let (facts, _) = check("coffee_418_406.pcapng");
    for status in [418, 406] {
        let with_status: Vec<_> = facts.exchanges.values().filter(|exchange| exchange.3 == status).map(|exchange| &*exchange.1).collect();
        assert!(matches!(with_status[..], [http, "BREW coffee://ducky"] if http.starts_with("GET /?method=brew")), "{with_status:?}");
    }
}

#[test]
fn behind_tls_the_pot_can_still_be_read() {
    let (facts, readable) = check("homepage_https.pcapng");
    assert!(readable.len() < facts.connections.len(), "the browser's connections are encrypted");
    assert!(facts.exchanges.values().all(|exchange| exchange.1 == "GET coffee://ducky"), "{:?}", facts.exchanges);
    assert_eq!(facts.exchanges.len(), 1);
}

#[test]
fn nothing_is_there_but_the_lab() {
    for name in ["homepage_coffee", "coffee_brew", "coffee_418_406", "homepage_https"] {
        let path = folder().join(format!("{name}.pcapng"));
        let Some(others) = tshark(&path, "!(tcp.port == 5030 || tcp.port == 5031)", &["frame.number"]) else { return };
        assert_eq!(others, [[""; 0]; 0], "{name}");
    }
}
