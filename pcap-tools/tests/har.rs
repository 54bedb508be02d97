//! HAR: captures in, archives out, which the published schema accepts (`scripts/judges` brings it).

#[path = "common/judges.rs"]
mod judges;

use std::io::Cursor;
use std::net::SocketAddr;
use std::path::Path;

use pcap_tools::capture::Reader;
use pcap_tools::craft::{self, Conversation, Side};
use pcap_tools::exchange::Ports;
use pcap_tools::filter::{Filter, Select};
use pcap_tools::report::har::Archive;
use pcap_tools::summary;
use serde_json::{Value, json};

/// The archive of a capture, and its entries, once the schema has accepted it.
fn entries_by(capture: Vec<u8>, archive: Archive, filter: &str) -> Vec<Value> {
    let reader = Reader::new(Cursor::new(capture)).expect("a capture");
    let filter = Filter::compile(filter).expect("a filter");
    let archive = summary::run(reader, Ports::default(), Select::new(filter, archive)).1.finish().1;
    let mut document = Vec::new();
    archive.write(&mut document).expect("memory takes everything");
    if let Some(verdict) = judges::judge("har.mjs", &document) {
        assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stderr));
    }
    let document: Value = serde_json::from_slice(&document).expect("it is JSON");
    assert_eq!(document["log"]["version"], "1.2");
    document["log"]["entries"].as_array().expect("a list").clone()
}

fn entries(packets: &[Vec<u8>]) -> Vec<Value> {
    entries_by(craft::capture(packets), Archive::new(1000), "")
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn talk(port: u16) -> Conversation {
    let mut talk = Conversation::new(at(port), at(5031));
    talk.handshake();
    talk
}

#[test]
fn an_exchange_with_everything() {
    let mut talk = talk(50_000);
    talk.client(
        "POST /a?x=1&y=a+b%21 HTTP/1.1\r\nHost: ducky:5031\r\nCookie: a=1; b=2\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nhi",
    )
    .client("ho")
    .server("HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: c=3; Path=/; Secure\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n")
    .server("tea!")
    .close(Side::Server);
    let entry = &entries(&talk.packets())[0];
    assert_eq!(entry["startedDateTime"], "2023-06-27T09:39:59.343121Z", "so early that the handshake ends where the request begins");
    let timings = json!({"blocked": -1, "dns": -1, "connect": 2.0, "ssl": -1, "send": 1.0, "wait": 1.0, "receive": 1.0});
    assert_eq!((&entry["timings"], &entry["time"]), (&timings, &json!(5.0)));
    let request = &entry["request"];
    assert_eq!(request["url"], "http://ducky:5031/a?x=1&y=a+b%21");
    assert_eq!(request["queryString"], json!([{"name": "x", "value": "1"}, {"name": "y", "value": "a b!"}]));
    assert_eq!(request["cookies"], json!([{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]));
    assert_eq!(request["postData"], json!({"mimeType": "text/plain", "text": "hiho"}));
    assert_eq!((&request["headersSize"], &request["bodySize"]), (&json!(114), &json!(4)));
    let response = &entry["response"];
    assert_eq!((&response["status"], &response["redirectURL"]), (&json!(302), &json!("/b")));
    assert_eq!(response["cookies"], json!([{"name": "c", "value": "3", "path": "/", "httpOnly": false, "secure": true}]));
    assert_eq!(response["content"], json!({"size": 4, "mimeType": "text/html", "text": "tea!"}));
    for (name, expected) in [
        ("_handshakeFrames", json!([1, 2, 3])),
        ("_requestFirstFrame", json!(4)),
        ("_requestFrame", json!(5)),
        ("_responseFirstFrame", json!(6)),
        ("_responseFrame", json!(7)),
        ("_stream", json!(0)),
        ("connection", json!("0")),
        ("serverIPAddress", json!("127.0.0.1")),
    ] {
        assert_eq!(entry[name], expected, "{name}");
    }
    assert_eq!(entry.get("_error"), None);
}

#[test]
fn only_the_first_exchange_of_a_connection_has_its_handshake() {
    let mut talk = talk(50_001);
    for _ in 0..2 {
        talk.client("GET / HTTP/1.1\r\nHost: x\r\n\r\n").server("HTTP/1.1 304 Not Modified\r\n\r\n");
    }
    let connects = |entries: Vec<Value>| entries.iter().map(|entry| entry["timings"]["connect"].clone()).collect::<Vec<_>>();
    assert_eq!(connects(entries(&talk.packets())), [json!(2.0), json!(-1)]);
    let second = entries_by(craft::capture(&talk.packets()), Archive::new(0), "frame.number > 5");
    assert_eq!(connects(second), [json!(-1)], "also where a filter hides the first");
    talk.segments.remove(0);
    assert_eq!(connects(entries(&talk.packets())), [json!(-1), json!(-1)], "without the SYN, nobody knows");
}

#[test]
fn what_was_not_captured_is_not_made_up() {
    let mut silent = talk(50_002);
    silent.client("GET /silent HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut cut = talk(50_003);
    cut.client("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    let mut orphan = talk(50_004);
    orphan.client("GET /orphan HTTP/1.1\r\nHost: x\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").close(Side::Server);
    orphan.segments.remove(3);
    let found = entries(&[silent.packets(), cut.packets(), orphan.packets()].concat());
    let urls: Vec<&str> = found.iter().map(|entry| entry["request"]["url"].as_str().expect("text")).collect();
    assert_eq!(urls, ["http://x/silent", "http://x/cut"], "a response alone is no entry");
    assert_eq!(found[0]["_error"], "no response was captured");
    assert_eq!((&found[0]["response"]["status"], &found[0]["timings"]["wait"]), (&json!(0), &json!(-1)));
    assert!(found[1]["_error"].as_str().is_some_and(|why| why.starts_with("the response had not ended")), "{}", found[1]);
    assert_eq!((&found[1]["response"]["status"], &found[1]["response"]["bodySize"]), (&json!(200), &json!(-1)));
    assert_eq!(found[1]["response"]["content"], json!({"size": -1, "mimeType": "x-unknown", "comment": "not captured as a whole"}));
}

#[test]
fn bodies_are_text_or_base64_or_left_out() {
    let content = |more: &str, body: &[u8]| {
        let mut talk = talk(50_005);
        let head = format!("HTTP/1.1 200 OK\r\n{more}Content-Length: {}\r\n\r\n", body.len());
        talk.client("GET / HTTP/1.1\r\nHost: x\r\n\r\n").server([head.as_bytes(), body].concat());
        entries(&talk.packets())[0]["response"]["content"].clone()
    };
    assert_eq!(content("", "caf\u{e9}".as_bytes())["text"], "café");
    assert_eq!(content("", b"\xff\0"), json!({"size": 2, "mimeType": "x-unknown", "text": "/wA=", "encoding": "base64"}));
    assert_eq!(content("", &[b'a'; 1001])["comment"], "longer than 1000 bytes: left out");
    assert_eq!(
        content("Content-Encoding: gzip\r\n", b"\x1f\x8b"),
        json!({"size": -1, "mimeType": "x-unknown", "comment": "sent as gzip, which is not decoded here"})
    );
}

#[test]
fn coffee_is_there_and_can_be_left_out() {
    let mut pot = Conversation::new(at(50_006), at(5030));
    pot.handshake().client("BREW coffee://ducky HTTP/1.1\r\nContent-Length: 5\r\n\r\nstart").server("HTCPCP/1.1 418 I'm a teapot\r\n\r\n");
    let found = entries(&pot.close(Side::Server).packets());
    assert_eq!((&found[0]["request"]["url"], &found[0]["response"]["httpVersion"]), (&json!("coffee://ducky"), &json!("HTCPCP/1.1")));
    assert_eq!(entries_by(craft::capture(&pot.packets()), Archive::new(0), "http"), [Value::Null; 0]);
}

#[test]
fn a_capture_without_times() {
    let mut talk = talk(50_007);
    talk.client("GET / HTTP/1.1\r\nHost: x\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let mut file = craft::Pcapng::new(craft::Endian::Little);
    file.interface(craft::NULL, 0, &[]);
    for packet in talk.packets() {
        file.simple_packet(&craft::frame(craft::NULL, &packet));
    }
    let entry = &entries_by(file.into_bytes(), Archive::new(0), "")[0];
    assert_eq!((&entry["startedDateTime"], &entry["time"]), (&json!("1970-01-01T00:00:00.000000Z"), &json!(0.0)));
    assert_eq!((&entry["timings"]["connect"], &entry["timings"]["wait"]), (&json!(-1), &json!(-1)));
}

#[test]
fn hostile_messages_keep_to_the_schema() {
    let mut packets = Vec::new();
    let heads: [&[u8]; 8] = [
        b"GET /\xff\xfe\"\\<script>{}|^` HTTP/1.1\r\nHost: \xff \"x\"\r\n\r\n",
        b"GET ?%zz=%&&=&a=%ff HTTP/1.1\r\nCookie: ;;=;a\xff=\x01\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET 1://x HTTP/1.1\r\n\r\n",
        b"GET javascript:alert(1) HTTP/1.1\r\nHost: </script>\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Type: \xff\r\nContent-Length: 2\r\n\r\n\xff\xfe",
        b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX\x80: \"\\\xe2\x80\xa8\r\n\r\n",
    ];
    for (port, head) in (50_100..).zip(heads) {
        let mut talk = talk(port);
        let answer = b"HTTP/1.1 999 \xff\"\r\nSet-Cookie: \xff=;expires=\xff;Expires=Thu, 99 Jan 2026 00:00:00 GMT\r\nLocation: \xff\r\nContent-Length: 0\r\n\r\n";
        talk.client(head).server(answer).close(Side::Client);
        packets.extend(talk.packets());
    }
    assert_eq!(entries(&packets).len(), 8);
}

#[test]
fn captures_of_the_lab_keep_to_the_schema() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace");
    let shared = std::env::var_os("SHARED_CAPTURES").map_or_else(|| workspace.join("../shared/captures"), Into::into);
    for (folder, name, count) in [
        (&workspace.join("sample_capture"), "homepage_coffee.pcapng", 6),
        (&workspace.join("sample_capture"), "coffee_brew.pcapng", 22),
        (&workspace.join("sample_capture"), "coffee_418_406.pcapng", 20),
        (&workspace.join("sample_capture"), "homepage_https.pcapng", 1),
        (&shared, "homepage_coffee.pcapng", 3),
        (&shared, "coffee_brew.pcapng", 23),
    ] {
        let Ok(bytes) = std::fs::read(folder.join(name)) else {
            assert_eq!(folder, &shared, "{name} is in the project");
            eprintln!("skipped: no {name} in {}", shared.display());
            continue;
        };
        let found = entries_by(bytes, Archive::new(65_536), "");
        assert_eq!(found.len(), count, "{name}");
        let complete = |entry: &&Value| entry["_requestFrame"].is_u64() && entry["_responseFrame"].is_u64();
        assert_eq!(found.iter().filter(complete).count(), count, "{name}");
    }
}
