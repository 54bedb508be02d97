//! The program: arguments in; standard output, standard error and exit code out.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pcap_tools::craft::{self, Conversation, Side};
use serde_json::Value;
use tempfile::TempDir;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcap-tools"));
    command.args(arguments).env_remove("COLUMNS").env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn finish(output: Output) -> Run {
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn run(arguments: &[&str]) -> Run {
    finish(command(arguments).output().expect("the program starts"))
}

fn check(arguments: &[&str], code: i32) -> Run {
    let run = run(arguments);
    assert_eq!(run.code, Some(code), "{arguments:?}: {}{}", run.out, run.err);
    run
}

/// A folder with one capture; its path.
fn capture(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.pcapng");
    std::fs::write(&path, bytes).expect("the capture is written");
    (folder, path)
}

fn talk(port: u16) -> Conversation {
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let mut talk = Conversation::new(at(50000), at(port));
    talk.handshake();
    talk
}

/// One exchange with the web app, closed by the server.
fn one_exchange() -> Vec<u8> {
    let mut talk = talk(5031);
    talk.client("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").close(Side::Server);
    craft::capture(&talk.packets())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("a JSON document")
}

#[test]
fn json_keeps_the_contract() {
    let (_folder, path) = capture(&one_exchange());
    let document = json(&check(&["summarize", "--format", "json", path.to_str().unwrap()], 0).out);
    assert_eq!(document["schema"], "pcap-tools/summary/1");
    assert_eq!(document["capture"]["packets"], 9);
    assert_eq!(document["capture"]["first_time"], "2023-06-27T09:39:59.342121Z");
    assert_eq!(document["capture"]["interfaces"][0]["link_type"], "NULL");
    assert_eq!(document["capture"]["damage"], Value::Null);
    let connection = &document["connections"][0];
    assert_eq!(connection["client"], json(r#"{"ip": "127.0.0.1", "port": 50000}"#));
    let handshake = &connection["handshake"];
    assert_eq!([&handshake["syn"], &handshake["syn_ack"], &handshake["ack"], &handshake["rtt_us"]], [1, 2, 3, 2000]);
    assert_eq!(connection["close"]["kind"], "fin");
    assert_eq!(connection["close"]["first_by"], "server");
    assert_eq!(connection["close"]["frames"], json("[6, 8]"));
    let exchange = &document["exchanges"][0];
    assert_eq!(exchange["request"]["headers"], json(r#"[["Host", "x"]]"#));
    assert_eq!(exchange["response"]["body_bytes"], 2);
    assert_eq!(exchange["response_time_us"], 1000);
    assert_eq!(exchange["interim"], json("[]"));
    assert_eq!(document["counts"]["http"], json(r#"{"requests": 1, "responses": 1}"#));
    assert_eq!(document["findings"], json("[]"));
}

/// Every key of a document, wherever it stands.
fn keys(value: &Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            found.insert(key.clone());
            keys(value, found);
        }),
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn every_key_is_documented() {
    let mut talk = talk(5031);
    talk.client("GET /a HTTP/1.1\r\n\r\n")
        .server("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi")
        .close(Side::Server);
    let mut bytes = craft::capture(&talk.packets());
    bytes.truncate(bytes.len() - 5);
    let (_folder, path) = capture(&bytes);
    let path = path.to_str().unwrap();
    let documentation = std::fs::read_to_string(workspace().join("pcap-tools/FORMATS.md")).unwrap();
    let mut found = std::collections::BTreeSet::new();
    let run = check(&["summarize", "--format", "json", path, path], 1);
    for line in run.out.lines() {
        let mut document = json(line);
        // Its keys are the kinds, which have a table of their own.
        document.as_object_mut().unwrap().remove("finding_counts");
        keys(&document, &mut found);
    }
    assert!(found.len() > 60, "{found:?}");
    for key in found {
        assert!(documentation.contains(&format!("`{key}`")) || documentation.contains(&format!("\"{key}\"")), "{key} is not in FORMATS.md");
    }
}

#[test]
fn json_lines_are_the_same_rows() {
    let (_folder, path) = capture(&one_exchange());
    let path = path.to_str().unwrap();
    let document = json(&check(&["summarize", "--format", "json", path], 0).out);
    let lines = check(&["summarize", "--format", "jsonl", path], 0).out;
    let mut rows: Vec<Value> = lines.lines().map(json).collect();
    assert_eq!(rows.len(), 2);
    for (row, kind, list) in [(0, "exchange", "exchanges"), (1, "connection", "connections")] {
        let row = rows[row].as_object_mut().unwrap();
        assert_eq!(row.remove("type"), Some(kind.into()));
        row.remove("findings");
        assert_eq!(Value::from(row.clone()), document[list][0]);
    }
}

#[test]
fn csv_tables_have_a_header_and_a_row_each() {
    let (_folder, path) = capture(&one_exchange());
    let path = path.to_str().unwrap();
    for (table, column, value) in [("exchanges", "target", "/a"), ("connections", "close_kind", "fin"), ("handshakes", "rtt_us", "2000")] {
        let out = check(&["summarize", "--format", "csv", "--table", table, path], 0).out;
        let mut reader = csv::Reader::from_reader(out.as_bytes());
        let at = reader.headers().unwrap().iter().position(|name| name == column).expect(column);
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(&rows[0][at], value);
        let empty = craft::capture(&[]);
        let (_folder, path) = capture(&empty);
        let none = check(&["summarize", "--format", "csv", "--table", table, path.to_str().unwrap()], 0).out;
        assert_eq!(none.lines().next(), out.lines().next());
        assert_eq!(none.lines().count(), 1);
    }
}

#[test]
fn several_captures_are_reported_each_and_in_total() {
    let (_folder, path) = capture(&one_exchange());
    let path = path.to_str().unwrap();
    let run = check(&["summarize", "--format", "json", path, "absent.pcapng", path], 2);
    let documents: Vec<Value> = run.out.lines().map(json).collect();
    assert_eq!(documents.len(), 3);
    let total = &documents[2];
    assert_eq!(total["schema"], "pcap-tools/total/1");
    assert_eq!([&total["captures"], &total["unreadable"], &total["packets"], &total["connections"]], [2, 1, 18, 2]);
    assert!(run.err.contains("absent.pcapng"));
    let text = check(&["summarize", path, path], 0).out;
    assert!(text.contains("Total of 2 captures: 18 packets, 2 connections"), "{text}");
}

#[test]
fn a_capture_that_is_cut_is_read_and_its_damage_named() {
    let bytes = one_exchange();
    let (_folder, path) = capture(&bytes[..bytes.len() - 10]);
    let path = path.to_str().unwrap();
    let run = check(&["summarize", "--format", "json", path], 1);
    let document = json(&run.out);
    assert_eq!(document["capture"]["packets"], 8);
    assert_eq!(document["exchanges"][0]["response"]["status"], 200);
    let damage = &document["capture"]["damage"];
    assert_eq!([&damage["kind"], &damage["frame"]], [&Value::from("cut"), &Value::from(9)]);
    let offset = damage["offset"].as_u64().unwrap().to_string();
    for part in [path, "frame 9", &format!("byte offset {offset}")] {
        assert!(run.err.contains(part), "{}", run.err);
    }
}

#[test]
fn what_is_no_capture_is_refused() {
    let (folder, path) = capture(b"GET / HTTP/1.1");
    let run = check(&["summarize", path.to_str().unwrap()], 2);
    assert!(run.err.contains("is no pcapng or pcap capture") && run.out.is_empty(), "{}", run.err);
    std::fs::write(&path, b"").unwrap();
    assert!(check(&["summarize", path.to_str().unwrap()], 2).err.contains("is empty"));
    assert!(check(&["summarize", folder.path().to_str().unwrap()], 2).err.contains("directory"));
    check(&["summarize"], 2);
    check(&["no-such-command"], 2);
}

#[test]
fn standard_input_is_read() {
    let mut child = command(&["summarize", "--format", "json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&one_exchange()).unwrap();
    let document = json(&finish(child.wait_with_output().unwrap()).out);
    assert_eq!(document["capture"]["path"], "-");
    assert_eq!(document["counts"]["http"]["responses"], 1);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let (_folder, path) = capture(&one_exchange());
    let mut child = command(&["summarize", path.to_str().unwrap()]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = finish(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
}

#[test]
fn ports_can_be_told() {
    let mut talk = talk(6030);
    talk.client("BREW / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (_folder, path) = capture(&craft::capture(&talk.packets()));
    let path = path.to_str().unwrap();
    let protocol = |arguments: &[&str]| {
        json(&check(&[&["summarize", "--format", "json", path], arguments].concat(), 0).out)["exchanges"][0]["protocol"].clone()
    };
    assert_eq!(protocol(&[]), "http");
    assert_eq!(protocol(&["--pot-port", "6030"]), "htcpcp");
    let text = check(&["summarize", "--http-port", "6030", path], 0).out;
    assert!(text.contains("browser:50000 → web app:6030"), "{text}");
}

#[test]
fn text_fits_the_width_and_shows_nothing_that_a_terminal_obeys() {
    let mut talk = talk(5031);
    let target = format!("/\u{1b}[2J\u{202e}{}", "long/".repeat(60));
    talk.client(format!("GET {target} HTTP/1.1\r\n\r\n")).server("HTTP/1.1 200 \u{1b}]0;title\u{7}\r\nContent-Length: 0\r\n\r\n");
    let (_folder, path) = capture(&craft::capture(&talk.packets()));
    for columns in [40, 60, 80, 100, 200] {
        let out = command(&["summarize", path.file_name().unwrap().to_str().unwrap()])
            .current_dir(path.parent().unwrap())
            .env("COLUMNS", columns.to_string())
            .output()
            .unwrap();
        let out = finish(out).out;
        for line in out.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= columns, "{columns}: {line}");
            assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
    }
}

#[test]
fn a_large_capture_is_summarised_unless_all_is_asked_for() {
    let mut packets = Vec::new();
    for port in 0..150 {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut talk = Conversation::new(at(20000 + port), at(5031));
        let status = if port % 50 == 49 { "503 Busy" } else { "200 OK" };
        talk.handshake()
            .client("GET /a HTTP/1.1\r\n\r\n")
            .server(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
            .close(Side::Client);
        packets.extend(talk.packets());
    }
    let (_folder, path) = capture(&craft::capture(&packets));
    let path = path.to_str().unwrap();
    let text = check(&["summarize", path], 0).out;
    for part in ["150 connections", "Largest connections", "Slowest exchanges", "Failed exchanges (3 of 3)", "200: 147, 503: 3"] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert!(text.lines().count() < 100);
    let all = check(&["summarize", "--all", path], 0).out;
    assert!(all.lines().count() > 300);
    assert!(all.contains("browser:20149"));
}

/// The numbers of a packet list in JSON.
fn numbers(text: &str) -> Vec<u64> {
    json(text).as_array().expect("an array").iter().map(|row| row["number"].as_u64().expect("a number")).collect()
}

#[test]
fn packets_are_listed_in_each_format() {
    let (_folder, path) = capture(&one_exchange());
    let path = path.to_str().unwrap();
    let rows = json(&check(&["packets", "--format", "json", path], 0).out);
    assert_eq!(rows.as_array().unwrap().len(), 9);
    let row = &rows[3];
    assert_eq!([&row["number"], &row["length"], &row["relative_time_us"], &row["stream"]], [4, 72, 3000, 0]);
    assert_eq!([&row["source"], &row["protocol"], &row["info"]], ["127.0.0.1", "HTTP", "GET /a HTTP/1.1"]);
    assert_eq!(rows[0]["info"], "50000 → 5031 [SYN] Seq=0 Win=65535 Len=0 MSS=1460 WS=64 SACK_PERM");
    let text = check(&["packets", "-Y", "http.response", path], 0).out;
    assert!(text.lines().count() == 2 && text.contains("HTTP/1.1 200 OK"), "{text}");
    let csv = check(&["packets", "--format", "csv", "-Y", "tcp.flags.syn == 1", path], 0).out;
    assert_eq!(csv.lines().map(|line| line.split(',').next().unwrap()).collect::<Vec<_>>(), ["number", "1", "2"]);
    for (format, nothing) in [("json", "[]\n"), ("text", "")] {
        assert_eq!(check(&["packets", "--format", format, "-Y", "udp", path], 0).out, nothing);
    }
    assert_eq!(check(&["packets", "--format", "csv", "-Y", "udp", path], 0).out.lines().next(), csv.lines().next());
}

#[test]
fn a_filter_that_is_none_is_pointed_at() {
    let (_folder, path) = capture(&one_exchange());
    for (filter, parts) in [
        ("tcp.prot == 80", &["did you mean \"tcp.port\"?", "  tcp.prot == 80\n  ^^^^^^^^\n"][..]),
        ("tcp.port == 80 andd ip", &["  tcp.port == 80 andd ip\n                 ^^^^\n"]),
        ("tcp.port == ", &["the filter ends"]),
        ("tcp.port == coffee", &["\"coffee\" is not a number", "              ^^^^^^"]),
        ("tcp.port == 65536", &["65535"]),
        ("(http", &["\")\" was expected"]),
        ("ip.ttl contains \"a\"", &["looks into text or bytes"]),
        ("http.host matches \"(\"", &["regular expression"]),
        ("tcp.analysis.retransmission == 1", &["there or not"]),
    ] {
        for command in ["packets", "summarize"] {
            let run = check(&[command, "-Y", filter, path.to_str().unwrap()], 2);
            assert!(run.out.is_empty() && parts.iter().all(|part| run.err.contains(part)), "{}", run.err);
        }
    }
}

#[test]
fn an_answer_is_told_in_the_frame_of_its_request() {
    let (_folder, path) = capture(&one_exchange());
    let frames = |filter: &str| numbers(&check(&["packets", "--format", "json", "-Y", filter, path.to_str().unwrap()], 0).out);
    assert_eq!(frames("http.response_in == 5"), [4]);
    assert_eq!(frames("http.response_in || tcp.flags.fin == 1"), [4, 6, 8]);
}

#[test]
fn a_summary_of_what_a_filter_selects() {
    let mut packets = Vec::new();
    for (port, status) in [(50001, "200 OK"), (50002, "404 Not Found")] {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut talk = Conversation::new(at(port), at(5031));
        talk.handshake().client("GET /a HTTP/1.1\r\n\r\n").server(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        packets.extend(talk.client("GET /b HTTP/1.1\r\n\r\n").server("HTTP/1.1 204 No Content\r\n\r\n").packets());
    }
    let (_folder, path) = capture(&craft::capture(&packets));
    let path = path.to_str().unwrap();
    let summary = |filter: &str| json(&check(&["summarize", "--format", "json", "-Y", filter, path], 0).out);
    let document = summary("http.response.code == 404");
    assert_eq!(document["capture"]["selection"], json(r#"{"filter": "http.response.code == 404", "packets": 1, "bytes": 89}"#));
    assert_eq!(document["capture"]["packets"], 14);
    let list = |document: &Value, name: &str| document[name].as_array().unwrap().len();
    assert_eq!([list(&document, "connections"), list(&document, "exchanges")], [1, 1]);
    assert_eq!(document["connections"][0]["stream"], 1);
    assert_eq!(document["exchanges"][0]["request"]["target"], "/a");
    assert_eq!(document["counts"]["http"], json(r#"{"requests": 1, "responses": 1}"#));
    let document = summary("tcp.flags.syn == 1");
    assert_eq!([list(&document, "connections"), list(&document, "exchanges")], [2, 0]);
    let text = check(&["summarize", "-Y", "tcp.stream == 0", path], 0).out;
    assert!(text.contains("7 packets pass the filter tcp.stream == 0") && !text.contains("404"), "{text}");
}

#[test]
fn a_connection_is_followed() {
    let (_folder, path) = capture(&one_exchange());
    let path = path.to_str().unwrap();
    let text = check(&["follow", path, "--stream", "0"], 0).out;
    assert!(text.contains("── client, frame 4\nGET /a HTTP/1.1\n") && text.contains("── server, frame 5\nHTTP/1.1 200 OK\n"), "{text}");
    let raw = check(&["follow", path, "--stream", "0", "--format", "raw", "--side", "server"], 0).out;
    assert_eq!(raw, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let run = check(&["follow", path, "--stream", "1"], 2);
    assert!(run.err.contains("no stream 1: its 1 connections count from 0") && run.out.is_empty(), "{}", run.err);
}

#[test]
fn answers_keep_the_contract() {
    let (_folder, path) = capture(&one_exchange());
    let path = path.to_str().unwrap();
    let answers = json(&check(&["answer", "--format", "json", path], 0).out);
    let tasks: Vec<&str> = answers.as_array().unwrap().iter().map(|answer| answer["task"].as_str().unwrap()).collect();
    let all = "3.1 3.2 3.3 3.4 3.5 4.1 4.2 4.3 4.4 5.1 5.2 5.3 5.4 5.5 6 7 8".split(' ');
    assert_eq!(tasks, all.collect::<Vec<_>>());
    assert_eq!(answers[0]["facts"]["handshakes"][0]["rtt_us"], 2000);
    let documentation = std::fs::read_to_string(workspace().join("pcap-tools/FORMATS.md")).unwrap();
    for answer in answers.as_array().unwrap() {
        for key in answer.as_object().unwrap().keys().chain(answer["facts"].as_object().unwrap().keys()) {
            let quoted = documentation.contains(&format!("`{key}`")) || documentation.contains(&format!("\"{key}\""));
            assert!(quoted, "{key} is not in FORMATS.md");
        }
    }
    let some = |task: &str| json(&check(&["answer", "--format", "json", "--task", task, path], 0).out).as_array().unwrap().len();
    assert_eq!(["3", "5", "5.3", "6"].map(some), [5, 5, 1, 1]);
    assert!(check(&["answer", "--task", "9", path], 2).err.contains("there is no such question"));
    let text = check(&["answer", "--task", "3.4", path], 0).out;
    assert!(text.contains("The capture has 1 request and 1 response of HTTP.") && text.contains("filter: http"), "{text}");
    assert!(check(&["answer", "--format", "markdown", path], 0).out.contains("## 3.4 How many"));
    let selected = json(&check(&["answer", "--format", "json", "-Y", "tcp.port == 5030", path], 0).out);
    assert_eq!(selected[3]["facts"]["requests"], json("[]"));
}

#[test]
fn help_teaches_and_completions_and_pages_are_made() {
    let help = check(&["summarize", "--help"], 0).out;
    assert!(help.contains("dumpcap -i lo -w - | pcap-tools summarize"), "{help}");
    let examples = [
        ("packets", "-Y 'htcpcp or (tcp.port == 5031)'"),
        ("follow", "--format hex"),
        ("answer", "--task 5.3"),
        ("diagram", "--level segment --stream 1"),
    ];
    for (command, example) in examples {
        let help = check(&[command, "--help"], 0).out;
        assert!(help.contains(example), "{help}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(check(&["completions", shell], 0).out.contains("summarize"));
    }
    assert!(check(&["man"], 0).out.contains(".TH pcap-tools"));
    let folder = tempfile::tempdir().unwrap();
    check(&["man", folder.path().to_str().unwrap()], 0);
    assert!(folder.path().join("pcap-tools-summarize.1").exists());
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    for command_line in [
        "summarize sample_capture/homepage_coffee.pcapng",
        "answer --task 7 sample_capture/coffee_418_406.pcapng",
        "diagram --stream 0 --stream 1 sample_capture/homepage_coffee.pcapng",
        "dissect -2 -Y htcpcp -e frame.number -e htcpcp.response_in -e _ws.col.Info sample_capture/coffee_brew.pcapng",
    ] {
        let arguments: Vec<_> = command_line.split(' ').collect();
        let printed = finish(command(&arguments).current_dir(workspace()).output().unwrap()).out;
        let shown = format!("$ pcap-tools {command_line}\n{printed}```");
        assert!(readme.contains(&shown), "the README should show:\n{shown}");
    }
    assert!(readme.contains("cargo run --release -p pcap-tools -- summarize sample_capture/homepage_coffee.pcapng\n"));
}
