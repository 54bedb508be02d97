//! Messages and exchanges of crafted conversations: segments in, pairs and findings out.

use std::io::Cursor;
use std::net::SocketAddr;

use pcap_tools::capture::Reader;
use pcap_tools::craft::{self, Conversation, Random, Side};
use pcap_tools::exchange::{Exchange, Ports, Protocol};
use pcap_tools::finding::Kind;
use pcap_tools::message::Message;
use pcap_tools::report::Collect;
use pcap_tools::summary;

const WEB: u16 = 5031;
const POT: u16 = 5030;
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

fn to(port: u16) -> Conversation {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    Conversation::new(address(55433), address(port))
}

/// A conversation behind its handshake: data begins in frame 4.
fn open(port: u16) -> Conversation {
    let mut talk = to(port);
    talk.handshake();
    talk
}

fn read(talk: &Conversation) -> Collect {
    let reader = Reader::new(Cursor::new(craft::capture(&talk.packets()))).expect("a capture");
    let (capture, mut found) = summary::run(reader, Ports::default(), Collect::default());
    assert_eq!(capture.packets, talk.segments.len() as u64);
    found.exchanges.sort_by_key(Exchange::first_frame);
    found
}

fn side(message: Option<&Message>) -> String {
    let Some(message) = message else { return "–".to_owned() };
    let frames = match (message.first.frame, message.last.frame) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    let what = match message.head.status() {
        Some(status) => status.to_string(),
        None => message.head.start_line_text().split(' ').take(2).collect::<Vec<_>>().join(" "),
    };
    format!("{frames} {what} +{}", message.body_bytes)
}

/// Each exchange as `frames request +body → frames status +body`, then the kinds of findings.
fn show(found: &Collect) -> Vec<String> {
    let mut lines: Vec<String> = found
        .exchanges
        .iter()
        .map(|exchange| {
            let interim: Vec<String> = exchange.interim.iter().map(|message| side(Some(message))).collect();
            let interim = if interim.is_empty() { String::new() } else { format!("({}) ", interim.join(", ")) };
            format!("{} → {interim}{}", side(exchange.complete_request()), side(exchange.complete_response()))
        })
        .collect();
    let mut kinds: Vec<&str> = found.findings.iter().map(|finding| finding.kind.name()).collect();
    kinds.dedup();
    if !kinds.is_empty() {
        lines.push(kinds.join(" "));
    }
    lines
}

#[track_caller]
fn check(talk: &Conversation, expected: &[&str]) -> Collect {
    let found = read(talk);
    assert_eq!(show(&found), expected, "{:#?}", found.findings);
    found
}

#[test]
fn one_request_and_its_response() {
    let found = check(open(WEB).client("GET / HTTP/1.1\r\n\r\n").server(OK), &["4 GET / +0 → 5 200 +2"]);
    assert_eq!(found.exchanges[0].response_time(), Some(1_000_000));
}

#[test]
fn a_message_begins_with_its_first_byte_and_is_complete_with_its_last() {
    let mut talk = open(WEB);
    talk.client("GET / HT").client("TP/1.1\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").server("ab").server("cd");
    check(&talk, &["4-5 GET / +0 → 6-8 200 +4"]);
}

/// Says the same in segments of every size, from one byte on.
fn check_splits(port: u16, request: &str, response: &str, expected: impl Fn(&str, &str) -> String) {
    for size in 1..=request.len().max(response.len()) {
        let mut talk = open(port);
        talk.client_in(request, size);
        let middle = talk.segments.len() + 1;
        talk.server_in(response, size);
        let end = talk.segments.len() + 1;
        talk.close(Side::Server);
        let range = |first: usize, end: usize| if first + 1 == end { first.to_string() } else { format!("{first}-{}", end - 1) };
        assert_eq!(show(&read(&talk)), [expected(&range(4, middle), &range(middle, end))], "in segments of {size}");
    }
}

#[test]
fn messages_in_segments_of_every_size() {
    let request = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde";
    let response = "HTTP/1.1 201 Created\r\nContent-Length: 3\r\nX: y\r\n\r\nxyz";
    check_splits(WEB, request, response, |asked, answered| format!("{asked} POST /a +5 → {answered} 201 +3"));
}

#[test]
fn chunks_with_extensions_and_trailers_in_segments_of_every_size() {
    let request = "GET /a HTTP/1.1\r\n\r\n";
    let response =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n00a\r\n0123456789\r\n0\r\nExpires: never\r\n\r\n";
    check_splits(WEB, request, response, |asked, answered| format!("{asked} GET /a +0 → {answered} 200 +15"));
}

#[test]
fn a_brew_without_length_in_segments_of_every_size() {
    let request = "BREW coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\r\nstart";
    let response = "HTCPCP/1.1 200 OK\r\nServer: CoffeePot\r\n\r\n{}";
    check_splits(POT, request, response, |asked, answered| format!("{asked} BREW coffee://ducky +5 → {answered} 200 +2"));
}

#[test]
fn a_brews_body_may_come_in_the_next_segment_or_not_at_all() {
    let brew = "BREW coffee://ducky HTTP/1.1\r\n\r\n";
    let answer = "HTCPCP/1.1 200 OK\r\n\r\n";
    check(open(POT).client(brew).client("stop").server(answer), &["4-5 BREW coffee://ducky +4 → 6 200 +0"]);
    check(open(POT).client(brew).client("start\r\n").server(answer), &["4-5 BREW coffee://ducky +7 → 6 200 +0"]);
    check(open(POT).client(brew).server(answer), &["4 BREW coffee://ducky +0 → 5 200 +0"]);
    check(open(POT).client(format!("{brew}coffee-message-body=start")).server(answer), &["4 BREW coffee://ducky +25 → 5 200 +0"]);
    check(open(POT).client(format!("{brew}brew it!")).server(answer), &["4 BREW coffee://ducky +8 → 5 200 +0"]);
}

#[test]
fn a_pipelined_brew_does_not_swallow_the_next_request() {
    let requests = "BREW coffee://ducky HTTP/1.1\r\n\r\nstartGET coffee://ducky HTTP/1.1\r\n\r\n";
    let answer = "HTCPCP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    check(
        open(POT).client(requests).server(answer).server(answer),
        &["4 BREW coffee://ducky +5 → 5 200 +2", "4 GET coffee://ducky +0 → 6 200 +2"],
    );
}

#[test]
fn bodies_that_look_like_messages_are_bodies() {
    let body = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut talk = open(WEB);
    talk.client("GET / HTTP/1.1\r\n\r\n").server(response).server(body).client("GET /b HTTP/1.1\r\n\r\n").server(OK);
    check(&talk, &["4 GET / +0 → 5-6 200 +58", "7 GET /b +0 → 8 200 +2"]);
}

#[test]
fn some_responses_have_no_body() {
    let mut talk = open(WEB);
    talk.client("HEAD / HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n");
    talk.client("GET /b HTTP/1.1\r\n\r\n").server("HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n");
    talk.client("GET /c HTTP/1.1\r\n\r\n").server("HTTP/1.1 204 No Content\r\n\r\n");
    talk.client("GET /d HTTP/1.1\r\n\r\n").server(OK);
    check(&talk, &["4 HEAD / +0 → 5 200 +0", "6 GET /b +0 → 7 304 +0", "8 GET /c +0 → 9 204 +0", "10 GET /d +0 → 11 200 +2"]);
}

#[test]
fn interim_responses_belong_to_their_final_one() {
    let mut talk = open(WEB);
    talk.client("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").server("HTTP/1.1 100 Continue\r\n\r\n");
    talk.client("ab").server("HTTP/1.1 103 Early Hints\r\n\r\n").server(OK);
    check(&talk, &["4-6 POST / +2 → (5 100 +0, 7 103 +0) 8 200 +2"]);
}

#[test]
fn an_upgrade_or_a_tunnel_ends_http() {
    let mut talk = open(WEB);
    talk.client("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").server("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    talk.client("GET /not-http HTTP/1.1\r\n\r\n").server(OK);
    check(&talk, &["4 GET /ws +0 → 5 101 +0"]);
    let connect = "CONNECT a:443 HTTP/1.1\r\n\r\n";
    let mut talk = open(8080);
    talk.client(connect).server("HTTP/1.1 200 Established\r\n\r\n").client("GET / HTTP/1.1\r\n\r\n");
    check(&talk, &["4 CONNECT a:443 +0 → 5 200 +0"]);
    let mut talk = open(8080);
    talk.client(connect).server("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").client("GET / HTTP/1.1\r\n\r\n").server(OK);
    check(&talk, &["4 CONNECT a:443 +0 → 5 403 +0", "6 GET / +0 → 7 200 +2"]);
}

#[test]
fn a_body_until_close_is_complete_with_the_fin_or_rst() {
    let response = "HTTP/1.0 200 OK\r\n\r\nabc";
    let request = "GET / HTTP/1.0\r\n\r\n";
    check(open(WEB).client(request).server(response).server("def").fin(Side::Server), &["4 GET / +0 → 5-7 200 +6"]);
    check(open(WEB).client(request).server(response).ack(Side::Client).rst(Side::Server), &["4 GET / +0 → 5-7 200 +3"]);
    check(open(WEB).client(request).server(response), &["4 GET / +0 → –", "unfinished_message"]);
}

#[test]
fn a_pots_answer_without_length_is_complete_with_its_last_byte() {
    let request = "GET coffee://ducky HTTP/1.1\r\n\r\n";
    let mut talk = open(POT);
    talk.client(request).server("HTCPCP/1.1 200 OK\r\n\r\n{").server("}").close(Side::Server);
    let found = check(&talk, &["4 GET coffee://ducky +0 → 5-6 200 +2"]);
    assert_eq!(found.exchanges[0].protocol, Protocol::Htcpcp);
    let mut kept = open(POT);
    kept.client(request).server("HTCPCP/1.1 200 OK\r\n\r\n{}").client(request).server("HTCPCP/1.1 406 Not Acceptable\r\n\r\nmilk");
    check(&kept, &["4 GET coffee://ducky +0 → 5 200 +2", "6 GET coffee://ducky +0 → 7 406 +4"]);
}

#[test]
fn protocols_are_told_by_content_and_by_the_pots_port() {
    for (port, request, response, protocol) in [
        (9999, "GET coffee://ducky HTTP/1.1", "HTTP/1.0 200 OK", Protocol::Htcpcp),
        (9999, "GET koffie://ducky HTTP/1.1", "HTTP/1.0 200 OK", Protocol::Htcpcp),
        (9999, "GET /pot-1 HTCPCP/1.0", "HTTP/1.0 200 OK", Protocol::Htcpcp),
        (9999, "GET /pot-1 HTTP/1.1", "HTCPCP/1.0 200 OK", Protocol::Htcpcp),
        (9999, "GET /pot-1 HTTP/1.1", "HTCPCP-TEA/1.0 200 OK", Protocol::Htcpcp),
        (POT, "BREW / HTTP/1.1", "HTTP/1.1 200 OK", Protocol::Htcpcp),
        (POT, "POST / HTTP/1.1\r\nContent-Type: application/coffee-pot-command", "HTTP/1.1 200 OK", Protocol::Htcpcp),
        (POT, "GET / HTTP/1.1", "HTTP/1.1 200 OK", Protocol::Http),
        (POT, "GET / HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Type: message/coffeepot", Protocol::Htcpcp),
        (9999, "GET / HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Type: message/coffeepot", Protocol::Http),
        (9999, "BREW / HTTP/1.1\r\nContent-Type: application/coffee-pot-command", "HTTP/1.1 200 OK", Protocol::Http),
        (9999, "GET /?q=coffee://ducky HTTP/1.1", "HTTP/1.1 418 I'm a teapot", Protocol::Http),
    ] {
        let mut talk = open(port);
        talk.client(format!("{request}\r\n\r\n")).server(format!("{response}\r\n\r\n")).close(Side::Server);
        let found = read(&talk);
        assert_eq!(found.exchanges.len(), 1, "{request}");
        assert_eq!(found.exchanges[0].protocol, protocol, "{request} on {port}");
        assert_eq!(found.connections[0].1.protocol, Some(protocol));
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let requests: String = (0..5).map(|at| format!("GET /{at} HTTP/1.1\r\n\r\n")).collect();
    let responses: String = (0..5).map(|at| format!("HTTP/1.1 40{at} No\r\nContent-Length: {at}\r\n\r\n{}", "x".repeat(at))).collect();
    for size in [7, 33, 1000] {
        let mut talk = open(WEB);
        talk.client_in(&requests, size).server_in(&responses, size);
        let found = read(&talk);
        let pairs: Vec<_> = found
            .exchanges
            .iter()
            .map(|exchange| (exchange.request.as_ref().unwrap().head.target(), exchange.response.as_ref().unwrap().head.status()))
            .collect();
        assert_eq!(pairs, [(&b"/0"[..], Some(400)), (b"/1", Some(401)), (b"/2", Some(402)), (b"/3", Some(403)), (b"/4", Some(404))]);
        assert!(found.findings.is_empty());
    }
}

#[test]
fn an_unanswered_request_is_kept() {
    check(open(WEB).client("GET /a HTTP/1.1\r\n\r\n").close(Side::Client), &["4 GET /a +0 → –", "unanswered_request"]);
}

#[test]
fn a_response_without_a_request_is_kept() {
    check(open(WEB).server(OK), &["– → 4 200 +2", "unrequested_response"]);
}

#[test]
fn an_early_answer_to_an_unfinished_request_is_kept() {
    let mut talk = open(WEB);
    talk.client("POST / HTTP/1.1\r\nContent-Length: 62\r\n\r\n1234567").server("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    talk.close(Side::Server);
    check(&talk, &["– → 5 408 +0", "unfinished_message"]);
}

#[test]
fn odd_messages_are_read_and_found() {
    let get = "GET / HTTP/1.1\r\n\r\n";
    for (request, response, kind) in [
        ("GET / HTTP/1.1\nHost: x\n\n", OK, Kind::BareLf),
        ("\r\n\r\nGET / HTTP/1.1\r\n\r\n", OK, Kind::LeadingCrlf),
        ("GET  /  HTTP/1.1\r\n\r\n", OK, Kind::OddSpace),
        ("GET /a b HTTP/1.1\r\n\r\n", OK, Kind::OddSpace),
        ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", OK, Kind::OddSpace),
        (get, "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", Kind::MissingReason),
        (get, "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", Kind::MissingReason),
        ("GET / HTTP/1.1\r\nA: 1\r\n 2\r\n\r\n", OK, Kind::ObsFold),
        ("GET / HTTP/1.1\r\nnothing\r\n\r\n", OK, Kind::BadHeader),
        (get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nhi\r\n0\r\n\r\n", Kind::LengthConflict),
    ] {
        let found = read(open(WEB).client(request).server(response));
        let exchange = &found.exchanges[0];
        assert!(exchange.complete_request().is_some(), "{request:?}");
        assert_eq!(exchange.complete_response().map(|response| response.body_bytes), Some(2), "{response:?}");
        assert_eq!(found.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [kind], "{request:?} {response:?}");
    }
    let mut talk = open(WEB);
    talk.client(b"GET /caf\xe9 HTTP/1.1\r\n\r\n").server(OK);
    let found = read(&talk);
    assert_eq!(found.findings[0].kind, Kind::ObsText);
    assert_eq!(found.exchanges[0].request.as_ref().unwrap().head.start_line_text(), "GET /café HTTP/1.1");
}

#[test]
fn a_broken_chunk_loses_its_message_and_the_next_one_is_found() {
    let mut talk = open(WEB);
    talk.client("GET /a HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
    talk.client("GET /b HTTP/1.1\r\n\r\n").server(OK);
    check(&talk, &["4 GET /a +0 → –", "6 GET /b +0 → 7 200 +2", "bad_chunk"]);
}

/// Each side's data segments in any order, one of them twice, sequence numbers wrapping: the same exchanges.
#[test]
fn shuffled_and_repeated_segments_change_nothing() {
    let request = "POST /a HTTP/1.1\r\nContent-Length: 30\r\n\r\n012345678901234567890123456789";
    let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\nabcdefghijabcdefghij\r\n0\r\n\r\n";
    let mut random = Random::new(2324);
    for round in 0..300 {
        let mut talk = to(WEB).starting_at(u32::MAX - round % 70, u32::MAX - round % 90);
        talk.handshake();
        for _ in 0..2 {
            let from = talk.segments.len();
            talk.client_in(request, 1 + random.below(20));
            let middle = talk.segments.len();
            random.shuffle(&mut talk.segments[from..]);
            talk.server_in(response, 1 + random.below(20));
            random.shuffle(&mut talk.segments[middle..]);
            let again = talk.segments[from + random.below(talk.segments.len() - from)].clone();
            talk.segments.push(again);
        }
        talk.close(Side::Client);
        let found = read(&talk);
        assert!(found.findings.is_empty(), "round {round}: {:?}", found.findings);
        assert_eq!(found.exchanges.len(), 2, "round {round}");
        for exchange in &found.exchanges {
            assert_eq!(exchange.complete_request().map(|request| request.body_bytes), Some(30), "round {round}");
            assert_eq!(exchange.complete_response().map(|response| response.body_bytes), Some(20), "round {round}");
        }
    }
}

#[test]
fn a_response_captured_before_its_request_is_paired() {
    let mut talk = open(WEB);
    talk.client("HEAD / HTTP/1.1\r\n\r\n")
        .server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        .client("GET /b HTTP/1.1\r\n\r\n")
        .server(OK);
    talk.segments.swap(3, 4);
    check(&talk, &["5 HEAD / +0 → 4 200 +0", "6 GET /b +0 → 7 200 +2"]);
}

#[test]
fn the_first_copy_of_a_byte_counts() {
    let mut talk = open(WEB);
    talk.client("GET /first HTTP/1.1\r\n\r\n");
    let mut copy = talk.segments[3].clone();
    copy.payload = b"GET /other HTTP/1.1\r\n\r\n".to_vec();
    talk.segments.push(copy);
    talk.server(OK);
    let found = check(&talk, &["4 GET /first +0 → 6 200 +2"]);
    let stats = found.connections[0].0.flows.0[0];
    assert_eq!((stats.retransmissions, stats.out_of_order), (1, 0));
}

/// Frames 4 to 12: three exchanges on one connection, each response in two segments.
fn three_exchanges() -> Conversation {
    let mut talk = open(WEB);
    for path in ["/a", "/b", "/c"] {
        talk.client(format!("GET {path} HTTP/1.1\r\n\r\n")).server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab").server("cd");
    }
    talk.close(Side::Client);
    talk
}

#[test]
fn a_gap_loses_the_message_that_it_hits_and_no_other() {
    let lose = |frame: usize, expected: &[&str]| {
        let mut talk = three_exchanges();
        talk.segments.remove(frame - 1);
        check(&talk, expected);
    };
    let (a, b, c) = ("GET /a +0", "GET /b +0", "GET /c +0");
    let last = format!("9 {c} → 10-11 200 +4");
    let first = format!("4 {a} → 5-6 200 +4");
    lose(4, &["– → 4-5 200 +4", &format!("6 {b} → 7-8 200 +4"), &last, "gap unrequested_response"]);
    lose(7, &[&first, "– → 7-8 200 +4", &last, "gap unrequested_response"]);
    lose(8, &[&first, &format!("7 {b} → –"), &last, "gap unanswered_request"]);
    lose(9, &[&first, &format!("7 {b} → –"), &last, "gap lost_message"]);
    lose(12, &[&first, &format!("7 {b} → 8-9 200 +4"), &format!("10 {c} → –"), "gap lost_message"]);
}

#[test]
fn a_gap_of_whole_messages_shifts_no_pair() {
    let mut talk = three_exchanges();
    talk.segments.drain(4..9); // the first response and the second exchange
    check(&talk, &["4 GET /a +0 → –", "5 GET /c +0 → 6-7 200 +4", "gap unanswered_request"]);
}

#[test]
fn a_capture_that_begins_in_a_body_finds_the_next_head() {
    let mut talk = to(WEB);
    talk.client("GET /a HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n0123456789");
    talk.server("0123456789").server("01234567890123456789").client("GET /b HTTP/1.1\r\n\r\n").server(OK);
    talk.segments.drain(..2);
    let found = check(&talk, &["3 GET /b +0 → 4 200 +2"]);
    assert!(!found.connections[0].0.handshake.complete());
}

#[test]
fn a_segment_cut_by_the_snap_length_counts_in_full() {
    let mut talk = open(WEB);
    talk.client("GET /a HTTP/1.1\r\n\r\n").server(format!("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}", "x".repeat(500)));
    talk.client("GET /b HTTP/1.1\r\n\r\n").server(OK);
    check_cut(&talk, 120, &["4 GET /a +0 → 5 200 +500", "6 GET /b +0 → 7 200 +2"]);
}

#[test]
fn heads_cut_by_the_snap_length_are_still_paired() {
    let head = format!("Host: x\r\nCookie: {}\r\n\r\n", "c".repeat(200));
    let mut talk = open(WEB);
    for path in ["/a", "/b"] {
        talk.client(format!("GET {path} HTTP/1.1\r\n{head}")).server(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{head}hi"));
    }
    check_cut(&talk, 120, &["4 GET /a +0 → 5 200 +0", "6 GET /b +0 → 7 200 +0", "cut_head"]);
}

/// The same with a capture that keeps so many bytes of each frame.
fn check_cut(talk: &Conversation, snap_len: usize, expected: &[&str]) {
    let mut file = craft::Pcapng::new(craft::Endian::Little);
    file.interface(craft::NULL, snap_len as u32, &[]);
    for (tick, packet) in talk.packets().iter().enumerate() {
        let frame = craft::frame(craft::NULL, packet);
        file.packet_cut(0, tick as u64, &frame, frame.len().min(snap_len));
    }
    let (_, found) = summary::run(Reader::new(Cursor::new(file.into_bytes())).unwrap(), Ports::default(), Collect::default());
    assert_eq!(show(&found), expected);
}

#[test]
fn tls_is_named_and_not_counted() {
    let hello = client_hello("coffee.example");
    for size in [1, 3, 5, 40, 1000] {
        let mut talk = open(443);
        talk.client_in(&hello, size).server(server_hello());
        let found = read(&talk);
        assert!(found.exchanges.is_empty());
        let talk = &found.connections[0].1;
        assert_eq!(talk.protocol, Some(Protocol::Tls), "in segments of {size}");
        let tls = talk.tls.as_ref().unwrap();
        assert_eq!(tls.server_name.as_deref(), Some("coffee.example"), "in segments of {size}");
        assert_eq!(tls.version().unwrap().to_string(), "TLS 1.3");
        assert_eq!(tls.protocols, ["h2", "http/1.1"]);
    }
    let mut talk = to(443);
    talk.client(b"\x17\x03\x03\x00\x04abcd");
    assert_eq!(read(&talk).connections[0].1.protocol, Some(Protocol::Tls));
}

fn prefixed(bytes: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - bytes..], content].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes(), &prefixed(2, content)[..]].concat()
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let message = [&[kind], &prefixed(3, body)[..]].concat();
    [&[22, 3, 1], &prefixed(2, &message)[..]].concat()
}

fn client_hello(name: &str) -> Vec<u8> {
    let host = [&[0], &prefixed(2, name.as_bytes())[..]].concat();
    let protocols = [prefixed(1, b"h2"), prefixed(1, b"http/1.1")].concat();
    let extensions = [
        extension(0, &prefixed(2, &host)),
        extension(16, &prefixed(2, &protocols)),
        extension(43, &prefixed(1, &[0x0a, 0x0a, 3, 4, 3, 3])),
    ]
    .concat();
    let body = [&[3, 3][..], &[7; 32], &prefixed(1, &[9; 32]), &prefixed(2, &[0x13, 1]), &[1, 0], &prefixed(2, &extensions)].concat();
    record(1, &body)
}

fn server_hello() -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &prefixed(1, &[9; 32]), &[0x13, 1, 0], &prefixed(2, &extension(43, &[3, 4]))].concat();
    record(2, &body)
}
