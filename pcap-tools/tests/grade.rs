//! Grading: a capture and papers in; points, what is missing, and an exit code out. tshark fills in one of the papers.

#[path = "common/tshark.rs"]
mod tshark;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pcap_tools::craft::{self, Conversation, Side};
use serde_json::{Value, json};
use tempfile::TempDir;
use tshark::tshark;

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcap-tools"));
    let output = command.arg("grade").args(arguments).env_remove("COLUMNS").stdin(Stdio::null()).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[track_caller]
fn check(arguments: &[&str], code: i32) -> Run {
    let run = run(arguments);
    assert_eq!(run.code, Some(code), "{arguments:?}: {}{}", run.out, run.err);
    run
}

fn sample(name: &str) -> String {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace");
    workspace.join("sample_capture").join(name).to_str().expect("paths are UTF-8").to_owned()
}

/// A folder with papers, and their paths.
fn papers(texts: &[(&str, &[u8])]) -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |(name, text): &(&str, &[u8])| {
        let path: PathBuf = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.to_str().expect("paths are UTF-8").to_owned()
    };
    let paths = texts.iter().map(write).collect();
    (folder, paths)
}

/// The marks of one paper, as JSON.
#[track_caller]
fn marked(capture: &str, paper: &str) -> Value {
    let (_folder, paths) = papers(&[("ada.toml", paper.as_bytes())]);
    let run = check(&[capture, &paths[0], "--format", "json"], 0);
    let papers: Value = serde_json::from_str(&run.out).expect("it is JSON");
    papers[0].clone()
}

fn mark<'a>(marked: &'a Value, id: &str) -> &'a Value {
    let questions = marked["questions"].as_array().expect("a list");
    questions.iter().find(|question| question["id"] == id).unwrap_or_else(|| panic!("{id} is on the sheet: {marked}"))
}

const BREW: &str = "coffee_brew.pcapng";

/// The right answers, as JSON says them, written into a template.
fn filled(capture: &str) -> String {
    let template = check(&["--template", capture], 0).out;
    let right = marked(capture, &template);
    let mut task = String::new();
    let mut paper = String::new();
    for line in template.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            task = name.to_owned();
        }
        match line.split_once(" = ") {
            Some((name, _)) if !line.starts_with('#') && name != "student" => {
                let answer = &mark(&right, &format!("{task}.{name}"))["right"];
                paper.push_str(&format!("{name} = {answer}\n"));
            }
            _ => paper.push_str(&format!("{line}\n")),
        }
    }
    paper
}

#[test]
fn a_blank_template_has_no_points_and_a_filled_one_all() {
    for name in [BREW, "coffee_418_406.pcapng", "homepage_coffee.pcapng", "homepage_https.pcapng"] {
        let capture = sample(name);
        let template = check(&["--template", &capture], 0).out;
        assert!(template.lines().all(|line| line.chars().count() <= 80), "{template}");
        let blank = marked(&capture, &template);
        assert_eq!((&blank["points"], &blank["notes"]), (&json!(0.0), &json!([])), "{name}");
        assert!(blank["questions"].as_array().expect("a list").iter().all(|question| question["verdict"] == "blank"));
        let full = marked(&capture, &filled(&capture));
        assert_eq!(full["points"].as_f64(), full["max_points"].as_f64(), "{name}: {full}");
    }
}

#[test]
fn what_tshark_says_is_right() {
    let capture = sample(BREW);
    let tshark = |filter: &str, fields: &[&str]| tshark(Path::new(&capture), filter, fields);
    let column = |filter: &str, field: &str| Some(tshark(filter, &[field])?.into_iter().flatten().collect::<Vec<_>>().join(", "));
    let rows = |filter: &str, fields: &[&str]| {
        let rows = tshark(filter, fields)?;
        Some(rows.iter().map(|row| format!("[{}]", row.join(", "))).collect::<Vec<_>>().join(", "))
    };
    let Some(syns) = tshark("tcp.flags == 2", &["tcp.stream", "frame.number"]) else { return };
    let first = |filter: String| tshark(&filter, &["frame.number"]).expect("it was here")[0][0].clone();
    let handshakes: Vec<String> = syns
        .iter()
        .map(|row| {
            let ack = first(format!("tcp.stream == {} && tcp.flags == 0x10 && tcp.seq == 1 && tcp.ack == 1", row[0]));
            format!("[{}, {}, {ack}]", row[1], first(format!("tcp.stream == {} && tcp.flags == 0x12", row[0])))
        })
        .collect();
    let fins: Vec<String> = syns.iter().map(|row| first(format!("tcp.stream == {} && tcp.flags.fin == 1", row[0]))).collect();
    let paper = format!(
        "[3.1]\nhandshakes = [{}]\n[3.2]\nserver_port = 5031\nclient_ports = [{}]\n[3.3]\nserver_port = \"5030\"\nclient_ports = [{}]\n\
         [3.4]\nrequests = [{}]\nresponses = [{}]\n[5.3]\nversion = \"http/1.1\"\nfirst_fins = [{}]\n\
         [6]\n200 = [{}]\n302 = [{}]\n304 = [{}]\n",
        handshakes.join(", "),
        column("tcp.flags == 2 && tcp.dstport == 5031", "tcp.srcport").expect("it was here"),
        column("tcp.flags == 2 && tcp.dstport == 5030", "tcp.srcport").expect("it was here"),
        column("http.request && tcp.dstport == 5031", "frame.number").expect("it was here"),
        column("http.response && tcp.srcport == 5031", "frame.number").expect("it was here"),
        fins.join(", "),
        rows("http.response.code == 200 && tcp.srcport == 5031", &["http.request_in", "frame.number"]).expect("it was here"),
        rows("http.response.code == 302", &["http.request_in", "frame.number"]).expect("it was here"),
        rows("http.response.code == 304", &["http.request_in", "frame.number"]).expect("it was here"),
    );
    let marked = marked(&capture, &paper);
    assert_eq!(marked["points"], 12.0, "{paper}\n{marked}");
}

#[test]
fn answers_that_are_partly_right_say_what_is_missing_and_too_many() {
    let capture = sample("homepage_coffee.pcapng");
    let paper = "[3.1]\nhandshakes = [[1, 2, 4], [6, 7, 8], [13, 14, 15], [21, 22, 23]]\n[3.4]\nrequests = [4, 24, 25, 31, 9]\n\
                 request_count = 6\n[3.5]\nrequests = [9]\n";
    let (_folder, paths) = papers(&[("ada.toml", paper.as_bytes())]);
    let run = check(&[&capture, &paths[0]], 0);
    for expected in [
        "partly  0.83  3.1.handshakes – missing: [1, 2, 3]; too many: [1, 2, 4]; see",
        "partly   0.6  3.4.requests – missing: 35; too many: 9; see http.request",
        "wrong      0  3.4.request_count – right is 5; given: 6; see frames 4, 24,",
        "right      1  3.5.requests\n",
    ] {
        assert!(run.out.contains(expected), "{expected}\n{}", run.out);
    }
    assert!(run.out.starts_with("ada: 2.43 of 26 points\n"), "{}", run.out);
    assert!(run.out.lines().all(|line| line.chars().count() <= 80), "{}", run.out);
}

#[test]
fn a_class_is_a_table_and_a_broken_paper_stops_nobody() {
    let capture = sample(BREW);
    let full = filled(&capture).replace("student = \"\"", "student = \"Ada, \\\"A\\\"\"");
    let (_folder, paths) = papers(&[
        ("1.toml", full.as_bytes()),
        ("broken.toml", b"[3.1]\nhandshakes = [[1, 2\n"),
        ("bob.toml", b"[3.2]\nserver_port = 5031\n"),
    ]);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let run = check(&[&[&capture, "--format", "csv"], &paths[..]].concat(), 2);
    let mut reader = csv::Reader::from_reader(run.out.as_bytes());
    let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    assert_eq!(header[..5], ["file", "student", "points", "max_points", "3.1.handshakes"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.iter().map(|row| (&row[1], &row[2])).collect::<Vec<_>>(), [("Ada, \"A\"", &rows[0][3]), ("bob", "1")]);
    let server_port = header.iter().position(|name| name == "3.2.server_port").expect("a column");
    assert_eq!((&rows[1][server_port], &rows[1][server_port + 1]), ("1", "0"));
    assert!(run.err.contains("broken.toml: line 2, column 20: unclosed array"), "{}", run.err);
    let text = check(&[&[capture.as_str()], &paths[..]].concat(), 2).out;
    let table: Vec<&str> = text.lines().rev().take(3).collect();
    assert!(table[2].starts_with("Student") && table[2].ends_with("Points"), "{text}");
    assert!(table[0].starts_with("bob") && table[0].ends_with('1'), "{text}");
}

#[test]
fn exit_codes() {
    let capture = sample(BREW);
    let (_folder, paths) =
        papers(&[("a.toml", b"[3.2]\nserver_port = 5031\n"), ("long.toml", &vec![b'#'; 10 << 20]), ("latin.toml", b"a = \"\xe9\"")]);
    check(&[&capture, &paths[0]], 0);
    check(&[&capture, &paths[0], "--pass", "1"], 0);
    check(&[&capture, &paths[0], "--pass", "1.5"], 1);
    assert!(check(&[&capture, &paths[1]], 2).err.contains("longer than 1048576 bytes"));
    assert!(check(&[&capture, &paths[2]], 2).err.contains("line 1, column 6: this is no UTF-8"));
    assert!(check(&[&capture, "nowhere.toml"], 2).err.contains("nowhere.toml: "));
    check(&["nowhere.pcapng", &paths[0]], 2);
    check(&[&capture], 2);
    check(&["--template", &capture, &paths[0]], 2);
    let cut = tempfile::NamedTempFile::new().expect("a temporary file");
    let bytes = std::fs::read(&capture).expect("it is there");
    std::fs::write(cut.path(), &bytes[..bytes.len() / 2]).expect("it is written");
    check(&[cut.path().to_str().expect("paths are UTF-8"), &paths[0]], 1);
}

#[test]
fn hostile_papers_are_marked() {
    let capture = sample(BREW);
    let huge = format!("[3.1]\nhandshakes = [{}]\nrtt_us = 1e400\n", "[0, 2, 99999999999999999999], [1, 1, 1], ".repeat(20_000));
    let paper = format!(
        "{huge}[3.2]\nserver_port = -5031\nclient_ports = {{ a = 1 }}\n[3.4]\nrequests = [[[[4]]], 2026-01-01, nan]\n\
         [4.1]\nrequest_version = [\"HTTP/1.1\"]\n[4.2]\nsame_port = 0\n[\"\\u001b[31m\\n\"]\nx = 1\n"
    );
    let marked = marked(&capture, &paper);
    assert_eq!(marked["points"], 0.0, "{marked}");
    let (_folder, paths) = papers(&[("a.toml", paper.as_bytes())]);
    let text = check(&[&capture, &paths[0]], 0).out;
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_is_not_decided_is_not_asked() {
    let mut talk = Conversation::new(([127, 0, 0, 1], 50_000).into(), ([127, 0, 0, 1], 5031).into());
    talk.handshake().client("GET / HTTP/1.1\r\nHost: x\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").server("body");
    talk.close(Side::Server);
    let asked = |talk: &Conversation| {
        let (_folder, paths) = papers(&[("a.pcapng", &craft::capture(&talk.packets()))]);
        let template = check(&["--template", &paths[0]], 0).out;
        let (_folder, papers) = papers(&[("a.toml", template.as_bytes())]);
        let run = check(&[&paths[0], &papers[0], "--format", "csv"], 0);
        run.out.lines().next().expect("a header").split(',').skip(4).map(str::to_owned).collect::<Vec<_>>()
    };
    let whole = asked(&talk);
    assert!(whole.contains(&"3.1.handshakes".to_owned()) && whole.contains(&"3.4.request_count".to_owned()), "{whole:?}");
    assert!(!whole.iter().any(|id| id.starts_with("3.3") || id.starts_with("4.") || id.starts_with('8')), "{whole:?}");
    let mut later = talk.clone();
    later.segments.drain(..3);
    let cut = asked(&later);
    assert!(!cut.iter().any(|id| id.starts_with("3.1")) && cut.contains(&"3.4.requests".to_owned()), "{cut:?}");
    talk.segments.remove(4);
    let lossy = asked(&talk);
    assert!(!lossy.contains(&"3.4.request_count".to_owned()), "{lossy:?}");
}

/// What `answer` says of a question, as the sheet would.
fn answered(facts: &[Value], id: &str) -> Option<Value> {
    let of = |task: &str, name: &str| facts.iter().find(|answer| answer["task"] == task).expect("it is answered")["facts"][name].clone();
    let list = |task: &str, name: &str| of(task, name).as_array().expect("a list").clone();
    let column = |task: &str, name: &str, of_row: &dyn Fn(&Value) -> Value| list(task, name).iter().map(of_row).collect::<Vec<_>>();
    let port = |end: &Value| end.as_str().and_then(|end| end.rsplit(':').next()?.parse::<u64>().ok());
    let keys = |task: &str, name: &str| of(task, name).as_object().expect("an object").keys().cloned().map(Value::from).collect::<Vec<_>>();
    let refusals = |status: &str| {
        let row =
            |row: &Value| [row["htcpcp"].as_array().expect("a pair").clone(), row["http"].as_array().cloned().unwrap_or_default()].concat();
        column("7", status, &|refusal| row(refusal).into())
    };
    let mut rows = match id {
        "3.1.handshakes" => column("3.1", "handshakes", &|row| json!([row["syn"], row["syn_ack"], row["ack"]])),
        "3.2.client_ports" => column("3.2", "connections", &|row| port(&row["client"]).into()),
        "3.3.client_ports" => column("3.3", "connections", &|row| port(&row["client"]).into()),
        "3.4.requests" => of("3.4", "web_app")["requests"].as_array().expect("a list").clone(),
        "3.4.responses" => of("3.4", "web_app")["responses"].as_array().expect("a list").clone(),
        "3.5.requests" => list("3.5", "requests"),
        "3.5.responses" => list("3.5", "responses"),
        "4.4.methods" => keys("4.4", "methods"),
        "4.4.headers" => keys("4.4", "headers"),
        "5.1.base" => list("5.1", "frames"),
        "5.3.persistent" => {
            list("5.3", "connections").iter().filter(|row| row["persistent"] == true).map(|row| row["stream"].clone()).collect()
        }
        "5.4.assets" => column("5.4", "assets", &|row| json!([row["request"], row["response"]])),
        "5.5.chains" => {
            let chain = |chain: &Value| {
                let coffees = chain["htcpcp"].as_array().expect("a list").clone();
                let row = move |coffee: Value| json!([chain["http"][0], coffee[0], coffee[1], chain["http"][1]]);
                coffees.into_iter().map(row).collect::<Vec<_>>()
            };
            list("5.5", "chains").iter().flat_map(chain).collect()
        }
        "6.200" | "6.302" | "6.304" => of("6", "statuses")[&id[2..]].as_array().expect("a list").clone(),
        "7.406" | "7.418" => refusals(&id[2..]),
        "8.streams" => column("8", "tls", &|row| row["stream"].clone()),
        _ => return None,
    };
    rows.retain(|row| !row.is_null() && row.as_array().is_none_or(|row| row.iter().all(|cell| !cell.is_null())));
    rows.sort_by_key(|row| {
        let number = |cell: &Value| cell.as_u64().unwrap_or(0);
        (row.as_array().map_or_else(|| vec![number(row)], |row| row.iter().map(number).collect()), row.to_string())
    });
    rows.dedup();
    Some(rows.into())
}

#[test]
fn the_sheet_says_what_the_answers_say() {
    for name in [BREW, "coffee_418_406.pcapng", "homepage_coffee.pcapng", "homepage_https.pcapng"] {
        let capture = sample(name);
        let output = Command::new(env!("CARGO_BIN_EXE_pcap-tools")).args(["answer", "--format", "json", &capture]).output();
        let facts: Vec<Value> = serde_json::from_slice(&output.expect("the program starts").stdout).expect("it is JSON");
        let sheet = marked(&capture, "");
        let mut compared = 0;
        for question in sheet["questions"].as_array().expect("a list") {
            let id = question["id"].as_str().expect("text");
            if let Some(expected) = answered(&facts, id) {
                assert_eq!(question["right"], expected, "{name}: {id}");
                compared += 1;
            }
        }
        assert!(compared >= 8, "{name}: {compared}");
    }
}
