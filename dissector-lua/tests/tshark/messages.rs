//! Messages: where they begin and end in segments, and which response answers which request.

use pcap_tools::craft::{self, Conversation, Endian, NULL, Pcapng, START_NS, Segment, Side, frame};

use super::{TWICE, check, check_packets, talk, talk_from};

const GET: &str = "GET coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\r\n";
const BREW: &str = "BREW coffee://ducky HTTP/1.1\r\nAccept-Additions: cream; vanilla\r\nUse-Pot: ducky\r\n\r\nstart";
const EMPTY: &str = "HTCPCP/1.1 200 OK\r\nServer: CoffeePot\r\nContent-Length: 2\r\n\r\n{}";
const TEAPOT: &str = "HTCPCP/1.1 418 I'm a teapot\r\nServer: CoffeePot\r\n\r\n";
const PAIRS: &str = "request.method response.code request_in response_in";

/// One exchange in segments of these sizes; the frames of its last segments.
fn in_segments(port: u16, request: &str, response: &str, size: usize) -> (Conversation, usize, usize) {
    let mut talk = talk_from(port);
    talk.client_in(request, size);
    let asked = talk.segments.len();
    talk.ack(Side::Server).server_in(response, size);
    let answered = talk.segments.len();
    talk.ack(Side::Client).close(Side::Server);
    (talk, asked, answered)
}

#[test]
fn a_message_is_shown_in_the_frame_of_its_last_segment_however_it_is_split() {
    for (request, response) in [(GET, EMPTY), (BREW, TEAPOT), (BREW, "HTCPCP/1.1 200 OK\r\n\r\n{\"beverage_type\": \"Coffee\"}")] {
        let (mut packets, mut expected) = (Vec::new(), Vec::new());
        for (port, size) in (40_000..).zip([1, 2, 3, 7, 20, 33, 34, 76, 77, 1000]) {
            let (talk, asked, answered) = in_segments(port, request, response, size);
            let [asked, answered] = [asked, answered].map(|frame| frame + packets.len());
            let (method, code) = (request.split(' ').next().unwrap(), response.split(' ').nth(1).unwrap());
            expected.push(format!("{asked}: request.method={method} response_in={answered}"));
            expected.push(format!("{answered}: response.code={code} request_in={asked}"));
            packets.extend(talk.packets());
        }
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        check_packets(&packets, &TWICE, PAIRS, &expected);
    }
}

#[test]
fn several_messages_in_one_segment_are_all_shown() {
    let mut talk = talk();
    talk.client([GET, GET, BREW].concat()).server([EMPTY, EMPTY, TEAPOT].concat()).close(Side::Server);
    let requests = "4: request.method=GET response_in=5 request.method=GET response_in=5 request.method=BREW response_in=5";
    let responses = "5: response.code=200 request_in=4 response.code=200 request_in=4 response.code=418 request_in=4";
    check(&talk, PAIRS, &[requests, responses]);
}

#[test]
fn messages_that_end_within_segments_are_all_shown() {
    let mut talk = talk();
    talk.client_in([GET, GET, GET].concat(), 60).server_in([EMPTY, EMPTY, EMPTY].concat(), 40).close(Side::Server);
    let expected = [
        "5: request.method=GET response_in=9",
        "6: request.method=GET response_in=11",
        "7: request.method=GET response_in=12",
        "9: response.code=200 request_in=5",
        "11: response.code=200 request_in=6",
        "12: response.code=200 request_in=7",
    ];
    check(&talk, PAIRS, &expected);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut talk = talk();
    talk.client(GET).client(BREW).client(GET).server(EMPTY).server(TEAPOT).close(Side::Server);
    let expected = [
        "4: request.method=GET response_in=7",
        "5: request.method=BREW response_in=8",
        "6: request.method=GET",
        "7: response.code=200 request_in=4",
        "8: response.code=418 request_in=5",
    ];
    check(&talk, PAIRS, &expected);
}

#[test]
fn a_request_whose_response_was_not_captured_does_not_take_the_next_one() {
    let mut talk = talk();
    talk.client(GET).server(EMPTY).client(BREW).server(TEAPOT).close(Side::Server);
    talk.segments.remove(4);
    let expected = ["4: request.method=GET", "5: request.method=BREW response_in=6", "6: response.code=418 request_in=5"];
    check(&talk, PAIRS, &expected);
}

#[test]
fn an_interim_response_does_not_answer() {
    let mut talk = talk();
    talk.client(GET).server("HTCPCP/1.1 102 Processing\r\n\r\n").server(EMPTY).close(Side::Server);
    let expected = ["4: request.method=GET response_in=6", "5: response.code=102 request_in=4", "6: response.code=200 request_in=4"];
    check(&talk, PAIRS, &expected);
}

#[test]
fn a_response_without_a_request_says_so() {
    let mut talk = talk();
    talk.server(EMPTY).client(GET).server(TEAPOT).close(Side::Server);
    let expected = ["4: response.code=200 no_request", "5: request.method=GET response_in=6", "6: response.code=418 request_in=5"];
    check(&talk, &format!("{PAIRS} no_request"), &expected);
}

#[test]
fn connections_with_the_same_ports_are_kept_apart() {
    let mut first = talk();
    first.client(GET).close(Side::Server);
    let mut second = talk().starting_at(700_000, 800_000);
    second.segments.clear();
    second.handshake().client(BREW).server(TEAPOT).close(Side::Server);
    let packets = [first.packets(), second.packets()].concat();
    let expected = ["4: request.method=GET", "12: request.method=BREW response_in=13", "13: response.code=418 request_in=12"];
    check_packets(&packets, &TWICE, PAIRS, &expected);
}

#[test]
fn conversations_that_interleave_are_kept_apart() {
    let talks: Vec<_> = (41_000..41_003).map(|port| in_segments(port, GET, EMPTY, 30).0.packets()).collect();
    let expected = [
        "16: request.method=GET response_in=28",
        "17: request.method=GET response_in=29",
        "18: request.method=GET response_in=30",
        "28: response.code=200 request_in=16",
        "29: response.code=200 request_in=17",
        "30: response.code=200 request_in=18",
    ];
    check_packets(&craft::interleave(&talks), &TWICE, PAIRS, &expected);
}

#[test]
fn a_retransmitted_message_counts_once() {
    let mut talk = talk();
    talk.client(GET).ack(Side::Server).server(EMPTY).client(BREW).server(TEAPOT).close(Side::Server);
    let again: Vec<Segment> = [3, 5].map(|at| talk.segments[at].clone()).into();
    talk.segments.splice(6..6, again);
    let expected = [
        "4: request.method=GET response_in=6",
        "6: response.code=200 request_in=4",
        "9: request.method=BREW response_in=10",
        "10: response.code=418 request_in=9",
    ];
    check(&talk, PAIRS, &expected);
}

#[test]
fn segments_in_another_order_are_put_in_order_if_tcp_is_asked_to() {
    let (mut talk, asked, answered) = in_segments(42_000, BREW, EMPTY, 20);
    talk.segments.swap(4, 5);
    let at = answered - 2;
    talk.segments.swap(at - 1, at);
    let expected =
        [format!("{asked}: request.method=BREW response_in={answered}"), format!("{answered}: response.code=200 request_in={asked}")];
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check_packets(&talk.packets(), &[&TWICE[..], &["-o", "tcp.reassemble_out_of_order:TRUE"]].concat(), PAIRS, &expected);
}

#[test]
fn the_response_time_has_nanoseconds() {
    let mut talk = talk();
    talk.client(GET).server(EMPTY);
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[(9, vec![9])]);
    for (packet, after) in talk.packets().iter().zip([0, 1, 2, 999_999_999, 1_000_000_123]) {
        file.packet(0, START_NS / 1_000_000_000 * 1_000_000_000 + after, &frame(NULL, packet));
    }
    let Some(frames) = super::agreed(file.bytes(), &[]) else { return };
    assert_eq!(super::chosen(&frames, 5, &["time"]), "time=0.000000124");
}

/// Without a filter, tshark gives Lua no fields in the first of two passes.
#[test]
fn two_passes_without_a_filter_find_responses_and_times_too() {
    let mut talk = talk();
    talk.client(BREW).server(TEAPOT).client(GET).server(EMPTY).close(Side::Server);
    let expected = [
        "4: request.method=BREW response_in=5",
        "5: response.code=418 request_in=4 time=0.001000000",
        "6: request.method=GET response_in=7",
        "7: response.code=200 request_in=6 time=0.001000000",
    ];
    check_packets(&talk.packets(), &["-2"], &format!("{PAIRS} time"), &expected);
}

#[test]
fn the_first_pass_shows_all_but_where_the_response_will_be() {
    let mut talk = talk();
    talk.client_in([BREW, GET, GET].concat(), 50).server_in([EMPTY, EMPTY, TEAPOT].concat(), 45).close(Side::Server);
    let capture = craft::capture(&talk.packets());
    let (Some(mut twice), Some(once)) = (super::agreed(&capture, &TWICE), super::agreed(&capture, &["-Y", "htcpcp"])) else { return };
    twice.values_mut().for_each(|fields| fields.retain(|field| field.name != "response_in"));
    assert_eq!(once, twice);
}
