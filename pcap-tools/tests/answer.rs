//! The lab's questions, answered from captures: bytes in, facts and pages out.
//!
//! The lab's own captures (`SHARED_CAPTURES`, or `../shared/captures` beside the workspace) are answered as their description
//! says; where they are missing, a line on standard error says so. For each trap there is a capture made here.
//! `tests/golden` holds one whole page, to be read before it is changed: `UPDATE_GOLDEN=1` writes it anew.

use std::io::Cursor;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use pcap_tools::capture::Reader;
use pcap_tools::craft::{self, Conversation, Side, interleave};
use pcap_tools::exchange::Ports;
use pcap_tools::filter::Filter;
use pcap_tools::lab::{Answer, Detail, Lab, Tasks};
use pcap_tools::{report, summary};
use serde_json::{Value, json};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

fn answers_by(capture: Vec<u8>, ports: Ports) -> Vec<Answer> {
    let reader = Reader::new(Cursor::new(capture)).expect("a capture");
    let answers = summary::run(reader, ports.clone(), Lab::new(ports)).1.answers(Tasks::All, Detail::Facts);
    assert_eq!(answers.len(), 17, "every question is answered");
    for answer in &answers {
        assert!(!answer.answer.is_empty() && !answer.question.is_empty());
        Filter::compile(&answer.filter).unwrap_or_else(|error| panic!("{}: {error}", answer.task));
    }
    answers
}

fn answers(packets: &[Vec<u8>]) -> Vec<Answer> {
    answers_by(craft::capture(packets), Ports::default())
}

fn of<'a>(answers: &'a [Answer], task: &str) -> &'a Answer {
    answers.iter().find(|answer| answer.task == task).unwrap_or_else(|| panic!("no answer to {task}"))
}

/// Compares facts; what the answer has beside them is not looked at.
#[track_caller]
fn check(answers: &[Answer], task: &str, name: &str, expected: &Value) {
    fn holds(value: &Value, expected: &Value) -> bool {
        match (value, expected) {
            (Value::Object(value), Value::Object(expected)) => {
                expected.iter().all(|(key, expected)| value.get(key).is_some_and(|value| holds(value, expected)))
            }
            (Value::Array(value), Value::Array(expected)) => {
                value.len() == expected.len() && value.iter().zip(expected).all(|(value, expected)| holds(value, expected))
            }
            (value, expected) => value == expected,
        }
    }
    let facts = &of(answers, task).facts[name];
    assert!(holds(facts, expected), "{task} {name}\nfound    {facts}\nexpected {expected}");
}

/// The answer's sentence, or a piece of its evidence, has these words.
#[track_caller]
fn says(answers: &[Answer], task: &str, words: &str) {
    let answer = of(answers, task);
    let evidence: Vec<&str> = answer.evidence.iter().map(|evidence| evidence.text.as_str()).collect();
    assert!(
        answer.answer.contains(words) || evidence.iter().any(|text| text.contains(words)),
        "{words} is not in\n{}\n{evidence:#?}",
        answer.answer
    );
}

fn lab(name: &str) -> Option<Vec<Answer>> {
    let folder = std::env::var_os("SHARED_CAPTURES").map_or_else(|| workspace().join("../shared/captures"), PathBuf::from);
    match std::fs::read(folder.join(name)) {
        Ok(bytes) => Some(answers_by(bytes, Ports::default())),
        Err(_) => {
            eprintln!("skipped: no {name} in {}", folder.display());
            None
        }
    }
}

#[test]
fn the_labs_homepage() {
    let Some(answers) = lab("homepage_coffee.pcapng") else { return };
    check(
        &answers,
        "3.1",
        "handshakes",
        &json!([
            {"stream": 0, "syn": 1, "syn_ack": 2, "ack": 3, "rtt_us": 161},
            {"stream": 1, "syn": 7, "syn_ack": 8, "ack": 9, "rtt_us": 72},
            {"stream": 2, "syn": 27, "syn_ack": 28, "ack": 29, "rtt_us": 173},
        ]),
    );
    let browser =
        json!([{"client": "127.0.0.1:55433", "server": "127.0.0.1:5031"}, {"client": "127.0.0.1:55435", "server": "127.0.0.1:5031"}]);
    check(&answers, "3.2", "connections", &browser);
    check(&answers, "5.2", "connections", &browser);
    check(&answers, "3.3", "connections", &json!([{"client": "127.0.0.1:55434", "server": "127.0.0.1:5030"}]));
    check(&answers, "3.4", "requests", &json!([5, 31]));
    check(&answers, "3.4", "responses", &json!([21, 35]));
    says(&answers, "3.4", "response in frame 21 (begins in frame 19)");
    check(&answers, "3.5", "requests", &json!([11]));
    check(&answers, "3.5", "responses", &json!([13]));
    check(&answers, "5.1", "frames", &json!([5]));
    check(
        &answers,
        "5.3",
        "connections",
        &json!([
            {"stream": 0, "version": "HTTP/1.1", "persistent": false, "closed_first_by": "server"},
            {"stream": 2, "version": "HTTP/1.1", "persistent": false, "closed_first_by": "server"},
        ]),
    );
    check(&answers, "5.5", "chains", &json!([{"http": [5, 21], "htcpcp": [[11, 13]]}]));
}

#[test]
fn the_labs_brew() {
    let Some(answers) = lab("coffee_brew.pcapng") else { return };
    let facts = |task: &str, name: &str| of(&answers, task).facts[name].as_array().expect("a list").clone();
    assert_eq!(facts("3.1", "handshakes").len(), 19);
    assert_eq!(facts("3.1", "handshakes")[4]["syn"], Value::Null);
    assert_eq!(["3.2", "3.3", "4.2", "5.2"].map(|task| facts(task, "connections").len()), [13, 4, 4, 13]);
    assert_eq!([facts("3.4", "requests").len(), facts("3.4", "responses").len()], [19, 19]);
    check(&answers, "3.5", "requests", &json!([90, 116, 172, 210]));
    check(&answers, "3.5", "responses", &json!([92, 118, 174, 212]));
    check(&answers, "4.4", "methods", &json!({"BREW": [90], "GET": [116, 210], "PROPFIND": [172]}));
    check(&answers, "4.4", "headers", &json!({"Accept-Additions": [90], "Use-Pot": [90], "Content-Type": [90, 116, 172, 210]}));
    check(&answers, "5.1", "frames", &json!([110, 204]));
    let persistent: Vec<u64> = facts("5.3", "connections")
        .iter()
        .filter(|row| row["persistent"] == true)
        .map(|row| row["stream"].as_u64().expect("a number"))
        .collect();
    assert_eq!(persistent, [4, 5], "both go to a third server");
    says(&answers, "5.3", "On streams 0, 8 and 18 both sides sent a FIN before they saw the other's");
    says(&answers, "5.3", "offered an upgrade to `h2c`");
    assert_eq!(facts("5.4", "assets").len(), 9);
    assert_eq!(facts("5.4", "assets").iter().filter(|asset| asset["status"] == 304).count(), 5);
    check(
        &answers,
        "5.5",
        "chains",
        &json!([
            {"http": [84, 100], "htcpcp": [[90, 92]]},
            {"http": [110, 126], "htcpcp": [[116, 118]]},
            {"http": [166, 182], "htcpcp": [[172, 174]]},
            {"http": [204, 220], "htcpcp": [[210, 212]]},
        ]),
    );
    says(&answers, "5.5", "`additions=almond milk` became `Accept-Additions: coconut milk; almond milk`");
    let statuses = of(&answers, "6").facts["statuses"].as_object().expect("an object").clone();
    let counts: Vec<(&str, usize)> =
        statuses.iter().map(|(status, pairs)| (status.as_str(), pairs.as_array().map_or(0, Vec::len))).collect();
    assert_eq!(counts, [("200", 4), ("302", 1), ("304", 5), ("404", 3)]);
    check(&answers, "7", "406", &json!([]));
    check(&answers, "8", "tls", &json!([]));
}

// ---- Captures made here ----

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn browser(port: u16) -> Conversation {
    let mut talk = Conversation::new(at(port), at(5031));
    talk.handshake();
    talk
}

fn web_app(port: u16) -> Conversation {
    let mut talk = Conversation::new(at(port), at(5030));
    talk.handshake();
    talk
}

fn document(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:5031\r\nSec-Fetch-Dest: document\r\nAccept: text/html,*/*;q=0.8\r\nConnection: keep-alive\r\n\r\n"
    )
}

fn asset(target: &str, more: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:5031\r\nAccept: */*\r\nReferer: http://127.0.0.1:5031/\r\n{more}\r\n")
}

fn page(status: &str, more: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n{more}\r\n{body}", body.len())
}

fn brew(pot: &str, additions: &str) -> String {
    format!(
        "BREW coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\nAccept-Additions: {additions}\r\nUse-Pot: {pot}\r\n\r\nstart"
    )
}

fn answer_of_pot(status: &str, body: &str) -> String {
    format!("HTCPCP/1.1 {status}\r\nServer: CoffeePot\r\nContent-Type: message/coffeepot\r\nDate: Tue, 27 Jun 2023 17:39:59\r\n\r\n{body}")
}

/// A browser's request, and inside of it what the web app says to the pot.
fn chain(port: u16, target: &str, coffee: &str, answer: &str, response: &str) -> Vec<Vec<u8>> {
    let mut browser = browser(port);
    browser.client(document(target)).ack(Side::Server).server(response).ack(Side::Client).close(Side::Server);
    let mut web_app = web_app(port + 1);
    web_app.client(coffee).ack(Side::Server).server(answer).ack(Side::Client).close(Side::Server);
    let (before, after) = (&browser.packets()[..5], &browser.packets()[5..]);
    [before, &web_app.packets(), after].concat()
}

const GET: &str = "GET coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\r\n";
const CLOSE: &str = "Connection: close\r\n";

/// A session with everything that the lab asks about: coffee, the page with its files, a refused addition, a teapot.
fn session() -> Vec<Vec<u8>> {
    let mut style = browser(55_435);
    style
        .client(asset("/assets/styles.css", "If-None-Match: \"1\"\r\n"))
        .server(format!("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n{CLOSE}\r\n"));
    style.fin(Side::Server).fin(Side::Client).ack(Side::Server).ack(Side::Client);
    let mut picture = browser(55_436);
    picture
        .client(asset("/assets/pot.gif", ""))
        .server(format!("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n{CLOSE}\r\n"))
        .close(Side::Client);
    [
        chain(
            55_431,
            "/?method=brew&message=start&pots=ducky&additions=cream&additions=vanilla",
            &brew("ducky", "cream; vanilla"),
            &answer_of_pot("200 OK", ""),
            &page("302 FOUND", &format!("Location: /\r\n{CLOSE}"), ""),
        ),
        chain(55_433, "/", GET, &answer_of_pot("200 OK", "{\"beverage_type\": \"Coffee\"}"), &page("200 OK", CLOSE, "<h1>Coffee</h1>")),
        interleave(&[style.packets(), picture.packets()]),
        chain(
            55_437,
            "/?method=brew&message=start&pots=ducky&additions=tea",
            &brew("ducky", "tea"),
            &answer_of_pot("406 Not Acceptable", "cream, vanilla"),
            &page("406 NOT ACCEPTABLE", CLOSE, "<h1>Not acceptable</h1>"),
        ),
        chain(
            55_439,
            "/?method=brew&message=start&pots=tea",
            &brew("tea", ""),
            &answer_of_pot("418 I'm a teapot", ""),
            &page("418 I'M A TEAPOT", CLOSE, "<h1>A teapot</h1>"),
        ),
    ]
    .concat()
}

#[test]
fn a_whole_page_is_as_it_was_read() {
    let answers = answers(&session());
    let mut page = Vec::new();
    report::answers::markdown("session.pcapng", &answers, &mut page).expect("memory takes everything");
    let page = String::from_utf8(page).expect("pages are UTF-8");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/session.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &page).expect("the page is written");
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(page, expected, "read {} and the difference", golden.display());
}

#[test]
fn refusals_are_linked_with_what_the_browser_got() {
    let answers = answers(&session());
    let rows = |status: &str| of(&answers, "7").facts[status].as_array().expect("a list").clone();
    for (status, shown) in [("406", "`cream, vanilla`"), ("418", "418 I'M A TEAPOT")] {
        assert_eq!(rows(status).len(), 1);
        assert!(rows(status)[0]["http"].as_array().is_some_and(|frames| frames.iter().all(Value::is_u64)), "{:?}", rows(status));
        says(&answers, "7", shown);
    }
}

#[test]
fn a_capture_that_begins_in_the_middle() {
    let mut talk = browser(50_001);
    talk.client(document("/")).server(page("200 OK", CLOSE, "hi")).close(Side::Server);
    talk.segments.drain(..3);
    let answers = answers(&talk.packets());
    check(&answers, "3.1", "handshakes", &json!([{"stream": 0, "syn": null, "syn_ack": null, "ack": null, "rtt_us": null}]));
    says(&answers, "3.1", "it began before the capture did");
    check(&answers, "3.2", "connections", &json!([{"client": "127.0.0.1:50001", "server": "127.0.0.1:5031"}]));
    says(&answers, "3.2", "the known port tells who is the server");
}

#[test]
fn addresses_of_version_6() {
    let mut talk = Conversation::new("[::1]:50002".parse().unwrap(), "[::1]:5031".parse().unwrap());
    talk.handshake().client(document("/")).server(page("200 OK", CLOSE, "hi")).close(Side::Server);
    let answers = answers(&talk.packets());
    check(&answers, "3.2", "connections", &json!([{"client": "[::1]:50002", "server": "[::1]:5031"}]));
    check(&answers, "5.1", "frames", &json!([4]));
}

#[test]
fn a_connection_that_is_kept_alive() {
    let mut talk = browser(50_003);
    talk.client(document("/")).server(page("200 OK", "Connection: keep-alive\r\n", "hi"));
    talk.client(asset("/assets/a.css", "")).server(page("200 OK", "", "b")).close(Side::Client);
    let answers = answers(&talk.packets());
    check(
        &answers,
        "5.3",
        "connections",
        &json!([{"stream": 0, "version": "HTTP/1.1", "persistent": true, "exchanges": 2, "closed_first_by": "client"}]),
    );
    says(&answers, "5.2", "stream 0 carries more than one request");
    check(&answers, "5.4", "assets", &json!([{"target": "/assets/a.css", "request": 6, "response": 7, "status": 200}]));
}

#[test]
fn verdicts_follow_version_headers_and_who_hangs_up() {
    let verdict = |request: &str, response: &str, first: Side| {
        let mut talk = browser(50_004);
        talk.client(request).server(response).close(first);
        of(&answers(&talk.packets()), "5.3").facts["connections"][0]["persistent"].clone()
    };
    let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(verdict(get, ok, Side::Client), true);
    assert_eq!(verdict(get, ok, Side::Server), false, "the server hangs up at once");
    assert_eq!(verdict("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", ok, Side::Client), false);
    assert_eq!(verdict(get, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Side::Client), false);
    assert_eq!(verdict(get, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", Side::Client), true);
}

#[test]
fn pipelined_and_chunked_messages() {
    let mut talk = browser(50_005);
    talk.client([document("/"), asset("/assets/a.js", "")].concat());
    talk.server("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n").server("0\r\n\r\n");
    talk.server(page("200 OK", "", "b")).close(Side::Client);
    let answers = answers(&talk.packets());
    check(&answers, "3.4", "requests", &json!([4, 4]));
    check(&answers, "3.4", "responses", &json!([6, 7]));
    check(&answers, "6", "statuses", &json!({"200": [[4, 6], [4, 7]]}));
}

#[test]
fn interim_responses_are_not_counted() {
    let mut talk = browser(50_006);
    talk.client("POST /a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n").server("HTTP/1.1 100 Continue\r\n\r\n");
    talk.client("hi").server(page("200 OK", "", "")).close(Side::Client);
    let answers = answers(&talk.packets());
    check(&answers, "3.4", "responses", &json!([7]));
    says(&answers, "3.4", "1 response with a status of 1xx came in between");
}

#[test]
fn a_status_line_inside_of_a_body_is_no_response() {
    let mut talk = web_app(50_007);
    talk.client(GET).server(answer_of_pot("200 OK", "HTCPCP/1.1 418 I'm a teapot\r\n\r\n")).close(Side::Server);
    let answers = answers(&talk.packets());
    check(&answers, "3.5", "responses", &json!([5]));
    check(&answers, "7", "418", &json!([]));
}

#[test]
fn requests_that_are_not_answered() {
    let mut talk = browser(50_008);
    talk.client(document("/?method=when")).ack(Side::Server);
    let mut pot = web_app(50_009);
    pot.client("WHEN coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\r\n").ack(Side::Server);
    let answers = answers(&[talk.packets(), pot.packets()].concat());
    check(&answers, "3.4", "responses", &json!([]));
    check(&answers, "5.5", "chains", &json!([{"http": [4, null], "htcpcp": [[9, null]]}]));
    check(&answers, "5.3", "connections", &json!([{"stream": 0, "persistent": true, "closed_first_by": null}]));
}

#[test]
fn a_syn_that_is_sent_again() {
    let mut talk = browser(50_010);
    talk.segments.insert(1, talk.segments[0].clone());
    let answers = answers(&talk.packets());
    check(&answers, "3.1", "handshakes", &json!([{"syn": 1, "syn_ack": 3, "ack": 4, "rtt_us": 3000, "repeated_syns": [2]}]));
    says(&answers, "3.1", "the SYN was sent again in 2 (the first one counts)");
}

#[test]
fn a_close_from_both_sides_loses_nothing() {
    let mut talk = browser(50_011);
    talk.client(document("/")).server(page("200 OK", CLOSE, "hi"));
    talk.fin(Side::Server);
    let server_fin = talk.segments.last().expect("a FIN").clone();
    talk.fin(Side::Client);
    // The client's FIN was on its way before the server's came.
    let client_fin = talk.segments.last_mut().expect("a FIN");
    client_fin.ack = client_fin.ack.wrapping_sub(1);
    let client_fin = client_fin.clone();
    talk.segments.extend([client_fin, server_fin]);
    talk.ack(Side::Client).ack(Side::Server);
    let answers = answers(&talk.packets());
    says(&answers, "5.3", "both sides closed at once (FINs in frames 6 and 7)");
    says(&answers, "5.3", "no data was lost");
}

#[test]
fn ports_by_flag() {
    let mut talk = Conversation::new(at(50_012), at(8000));
    talk.handshake().client(document("/")).server(page("200 OK", CLOSE, "hi")).close(Side::Server);
    let mut pot = Conversation::new(at(50_013), at(6030));
    pot.handshake().client(GET).server(answer_of_pot("200 OK", "{}")).close(Side::Server);
    let packets = [&talk.packets()[..4], &pot.packets()[..], &talk.packets()[4..]].concat();
    let told = answers_by(craft::capture(&packets), Ports { http: vec![8000], pot: vec![6030] });
    check(&told, "3.3", "connections", &json!([{"client": "127.0.0.1:50013", "server": "127.0.0.1:6030"}]));
    assert_eq!(of(&told, "5.5").facts["chains"].as_array().map(Vec::len), Some(1));
    let untold = answers(&packets);
    says(&untold, "3.2", "If the web app listens elsewhere, say so by --http-port");
    check(&untold, "3.2", "connections", &json!([]));
}

#[test]
fn traffic_to_third_servers_is_told_apart() {
    let mut talk = Conversation::new(at(50_014), at(57_664));
    talk.handshake().client("GET /status HTTP/1.1\r\nHost: x\r\n\r\n").server(page("200 OK", "", "hi"));
    let mut web = browser(50_015);
    web.client(document("/")).server(page("200 OK", CLOSE, "hi")).close(Side::Server);
    let answers = answers(&[talk.packets(), web.packets()].concat());
    check(&answers, "3.2", "connections", &json!([{"client": "127.0.0.1:50015", "server": "127.0.0.1:5031"}]));
    says(&answers, "3.2", "Connections to other servers (127.0.0.1:57664) are no part of this");
    check(&answers, "3.4", "requests", &json!([4, 9]));
    check(&answers, "3.4", "web_app", &json!({"requests": [9], "responses": [10]}));
    check(&answers, "5.1", "frames", &json!([9]));
    check(&answers, "6", "statuses", &json!({"200": [[9, 10]]}));
}

#[test]
fn browsers_that_wait_at_the_same_time() {
    let mut one = browser(50_016);
    one.client(document("/?method=brew&message=start&pots=ducky&additions=cream"));
    let mut two = browser(50_017);
    two.client(document("/?method=brew&message=start&pots=ducky&additions=vanilla"));
    let mut three = browser(50_018);
    three.client(document("/"));
    let asked = [one.packets(), two.packets(), three.packets()].concat();
    let mut coffees = Vec::new();
    // The pot is asked in another order.
    for (port, coffee) in [(50_019, brew("ducky", "vanilla")), (50_020, GET.to_owned()), (50_021, brew("ducky", "cream"))] {
        let mut pot = web_app(port);
        pot.client(coffee).server(answer_of_pot("200 OK", "")).close(Side::Server);
        coffees.extend(pot.packets());
    }
    let mut answered = Vec::new();
    for talk in [&mut three, &mut one, &mut two] {
        let before = talk.segments.len();
        talk.server(page("200 OK", CLOSE, "hi")).close(Side::Server);
        answered.extend(talk.packets().split_off(before));
    }
    let answers = answers(&[asked, coffees, answered].concat());
    // Each exchange with the pot takes nine frames from 13 on; its request is the fourth.
    check(
        &answers,
        "5.5",
        "chains",
        &json!([{"http": [4, 45], "htcpcp": [[34, 35]]}, {"http": [8, 50], "htcpcp": [[16, 17]]}, {"http": [12, 40], "htcpcp": [[25, 26]]}]),
    );
    says(&answers, "5.5", "`additions=vanilla` became `Accept-Additions: vanilla`");
}

#[test]
fn https_leaves_coffee_to_be_read() {
    let name = b"\x00\x00\x00\x12\x00\x10\x00\x00\x0dducky.example";
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &(name.len() as u16).to_be_bytes(), name].concat();
    let handshake = [&[1, 0, 0, body.len() as u8][..], &body].concat();
    let hello = [&[22, 3, 1, 0, handshake.len() as u8][..], &handshake].concat();
    let mut talk = browser(50_022);
    talk.client(hello).server([&[23, 3, 3, 0, 5][..], b"*****"].concat());
    let mut pot = web_app(50_023);
    pot.client(GET).server(answer_of_pot("200 OK", "{}")).close(Side::Server);
    let answers = answers(&[talk.packets(), pot.packets()].concat());
    check(&answers, "8", "tls", &json!([{"stream": 0, "version": "TLS 1.2", "server_name": "ducky.example"}]));
    says(&answers, "3.4", "What stream 0 carries cannot be counted: TLS encrypts it");
    says(&answers, "8", "The 1 HTCPCP exchange behind it can be read all the same");
    says(&answers, "5.5", "what the browser said may be encrypted");
    check(&answers, "5.3", "connections", &json!([]));
}

#[test]
fn an_empty_capture_is_answered_without_guessing() {
    let answers = answers(&[]);
    says(&answers, "3.1", "no TCP connection");
    for (task, name) in [("3.1", "handshakes"), ("3.4", "requests"), ("5.1", "frames"), ("5.5", "chains"), ("7", "418"), ("8", "tls")] {
        check(&answers, task, name, &json!([]));
    }
}
