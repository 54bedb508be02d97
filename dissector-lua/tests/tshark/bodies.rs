//! Bodies: by length, in chunks, until the connection closes, and the lab's, whose length nobody states.

use pcap_tools::craft::{self, Conversation, Side};

use super::judge::judges;
use super::{TWICE, agreed, check, check_packets, chosen, talk, talk_from};

const GET: &str = "GET coffee://ducky HTTP/1.1\r\n\r\n";
const BREW: &str = "BREW coffee://ducky HTTP/1.1\r\n\r\n";
const BODY: &str = "response.code request_in file_data body_without_length continues";

/// A conversation in which a GET is answered like this; the answer comes in frame 5.
fn answered(response: &str) -> Conversation {
    let mut talk = talk();
    talk.client(GET).server(response);
    talk
}

#[test]
fn a_body_ends_with_its_length() {
    let mut talk = talk();
    talk.client("BREW / HTCPCP/1.1\r\nContent-Length: 5\r\n\r\nstartGET / HTCPCP/1.1\r\n\r\n");
    talk.server("HTCPCP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTCPCP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    let names = "request.method response.code content_length command file_data";
    let expected = [
        "4: request.method=BREW content_length=5 command=start file_data=73:74:61:72:74 request.method=GET",
        "5: response.code=200 content_length=0 response.code=404 content_length=2 file_data=6e:6f",
    ];
    check(&talk, names, &expected);
}

#[test]
fn the_commands_of_clients_that_state_no_length() {
    let mut packets = Vec::new();
    for (port, body) in (40_000..).zip(["start", "stop\r\n", "coffee-message-body=start", "coffee-message-body=stop\n", "now"]) {
        let mut talk = talk_from(port);
        talk.client([BREW, body].concat());
        packets.extend(talk.packets());
    }
    let expected = [
        "4: command=start file_data=73:74:61:72:74 body_without_length",
        "8: command=stop file_data=73:74:6f:70:0d:0a body_without_length",
        "12: command=start file_data=63:6f:66:66:65:65:2d:6d:65:73:73:61:67:65:2d:62:6f:64:79:3d:73:74:61:72:74 body_without_length",
        "16: command=stop file_data=63:6f:66:66:65:65:2d:6d:65:73:73:61:67:65:2d:62:6f:64:79:3d:73:74:6f:70:0a body_without_length",
        "20: file_data=6e:6f:77 body_without_length",
    ];
    check_packets(&packets, &TWICE, "command file_data body_without_length", &expected);
}

/// The legacy client sends the body in a write of its own.
#[test]
fn a_command_that_comes_later_belongs_to_its_brew() {
    let mut talk = talk();
    talk.client(BREW).client("start").server("HTCPCP/1.1 200 OK\r\n\r\n").client(GET);
    let names = "request.method command continues response.code request_in time";
    let expected = [
        "4: request.method=BREW",
        "5: continues=4 command=start",
        "6: response.code=200 request_in=4 time=0.001000000",
        "7: request.method=GET",
    ];
    check(&talk, names, &expected);
}

#[test]
fn a_brew_without_a_body_is_followed_by_the_next_request() {
    let mut talk = talk();
    talk.client(BREW).client(GET).client([BREW, GET, BREW, "start", BREW, "stop"].concat());
    let six = "request.method=BREW request.method=GET request.method=BREW command=start request.method=BREW command=stop";
    check(&talk, "request.method command", &["4: request.method=BREW", "5: request.method=GET", &format!("6: {six}")]);
}

#[test]
fn a_response_without_a_length_is_shown_as_soon_as_it_looks_complete() {
    check(&answered("HTCPCP/1.1 200 OK\r\n\r\n{}"), BODY, &["5: response.code=200 request_in=4 file_data=7b:7d body_without_length"]);
    let list = "5: response.code=406 request_in=4 file_data=72:75:6d body_without_length";
    check(&answered("HTCPCP/1.1 406 Not Acceptable\r\n\r\nrum"), BODY, &[list]);
    check(&answered("HTCPCP/1.1 418 I'm a teapot\r\n\r\n"), BODY, &["5: response.code=418 request_in=4"]);
}

#[test]
fn json_that_does_not_end_waits_for_the_fin() {
    let mut talk = answered("HTCPCP/1.1 200 OK\r\n\r\n{\"a\":");
    talk.server(" 1}").close(Side::Server);
    let expected = ["7: response.code=200 request_in=4 file_data=7b:22:61:22:3a:20:31:7d body_without_length"];
    check(&talk, BODY, &expected);
}

/// tshark 4.4 does not wait for the FIN once it was asked for one more segment.
#[test]
fn json_that_does_not_end_in_several_segments_is_shown_at_once() {
    let mut talk = talk();
    talk.client(GET).server_in("HTCPCP/1.1 200 OK\r\n\r\n{\"a\":", 20).server("1}").close(Side::Server);
    let expected = ["6: response.code=200 request_in=4 file_data=7b:22:61:22:3a body_without_length", "7: continues=6 file_data=31:7d"];
    check(&talk, BODY, &expected);
}

#[test]
fn what_follows_a_response_without_a_length_continues_it() {
    let mut talk = answered("HTCPCP/1.1 406 Not Acceptable\r\n\r\nrum");
    talk.server(", HTCPCP/1.1 200 OK\r\n").server("HTCPCP/1.1 200 OK\r\n\r\n").close(Side::Server);
    let expected = [
        "5: response.code=406 request_in=4 file_data=72:75:6d body_without_length",
        "6: continues=5 file_data=2c:20:48:54:43:50:43:50:2f:31:2e:31:20:32:30:30:20:4f:4b:0d:0a",
        // A status line inside of a body is no response: nobody has asked.
        "7: continues=5 file_data=48:54:43:50:43:50:2f:31:2e:31:20:32:30:30:20:4f:4b:0d:0a:0d:0a",
    ];
    check(&talk, BODY, &expected);
}

#[test]
fn a_pot_that_keeps_the_connection_is_understood() {
    let mut talk = answered("HTCPCP/1.1 200 OK\r\n\r\n{}");
    talk.client(GET).server("HTCPCP/1.1 404 Not Found\r\n\r\n");
    let expected = ["5: response.code=200 request_in=4 file_data=7b:7d body_without_length", "7: response.code=404 request_in=6"];
    check(&talk, BODY, &expected);
}

#[test]
fn waiting_for_the_fin_can_be_chosen() {
    let response = "HTCPCP/1.1 406 Not Acceptable\r\n\r\nrum";
    let mut alone = talk();
    alone.client(GET).server(response).close(Side::Server);
    let mut with_data = talk_from(40_000);
    with_data.client(GET).server(response).server(", tea").fin(Side::Server);
    let last = with_data.segments.pop().unwrap();
    with_data.segments.last_mut().unwrap().flags |= last.flags;
    let mut split = talk_from(40_001);
    split.client(GET).server_in(response, 10).close(Side::Server);
    let packets = [alone.packets(), with_data.packets(), split.packets()].concat();
    let arguments = [&TWICE[..], &["-o", "htcpcp.wait_for_fin:TRUE"]].concat();
    let expected = [
        "6: response.code=406 request_in=4 file_data=72:75:6d",
        "15: response.code=406 request_in=13 file_data=72:75:6d:2c:20:74:65:61",
        "24: response.code=406 request_in=19 file_data=72:75:6d",
    ];
    check_packets(&packets, &arguments, "response.code request_in file_data", &expected);
}

#[test]
fn chunks_are_put_together_wherever_they_are_split() {
    let response = "HTCPCP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nbeans\r\nA\r\n, roasted!\r\n0\r\nX: y\r\n\r\n";
    let (mut packets, mut expected) = (Vec::new(), Vec::new());
    for (port, at) in (40_000..).zip(1..response.len()) {
        let mut talk = talk_from(port);
        talk.client(GET).server(&response[..at]).server(&response[at..]);
        packets.extend(talk.packets());
        let frame = packets.len();
        let data = "62:65:61:6e:73:2c:20:72:6f:61:73:74:65:64:21";
        expected.push(format!("{frame}: response.code=200 chunk_size=5 chunk_size=10 file_data={data}"));
    }
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check_packets(&packets, &TWICE, "response.code chunk_size file_data bad_chunk", &expected);
}

#[test]
fn broken_chunks_are_noted() {
    let talk = answered("HTCPCP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbeansbeans\r\nxyz\r\n");
    check(&talk, "response.code bad_chunk", &["5: response.code=200 bad_chunk"]);
}

#[test]
fn statuses_and_methods_that_have_no_body() {
    let mut talk = talk();
    talk.client("HEAD / HTTP/1.1\r\n\r\n").server("HTCPCP/1.1 406 Not Acceptable\r\nContent-Length: 9\r\n\r\n");
    talk.client(GET)
        .server("HTCPCP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")
        .client(GET)
        .server("HTCPCP/1.1 204 No Content\r\n\r\n");
    let expected = ["5: response.code=406 request_in=4", "7: response.code=304 request_in=6", "9: response.code=204 request_in=8"];
    check(&talk, BODY, &expected);
}

#[test]
fn reassembly_can_be_switched_off() {
    let mut talk = talk();
    talk.client("BREW / HTTP/1.1\r\nContent-Length: 5\r\n\r\nst").client("art").client(GET).server("HTCPCP/1.1 200 OK\r\n\r\n");
    for preference in ["htcpcp.desegment:FALSE", "tcp.desegment_tcp_streams:FALSE"] {
        let arguments = [&TWICE[..], &["-o", preference]].concat();
        let expected =
            ["4: request.method=BREW file_data=73:74", "5: continues=4 file_data=61:72:74", "6: request.method=GET", "7: request_in=4"];
        check_packets(&talk.packets(), &arguments, "request.method request_in continues file_data", &expected);
    }
}

#[test]
fn json_goes_to_the_json_dissector() {
    let mut talk = talk();
    talk.client([GET, GET].concat());
    talk.server(["HTCPCP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\": 10}", "HTCPCP/1.1 200 OK\r\n\r\n[{\"b\": \"咖啡\"}]"].concat());
    for judge in judges() {
        let shown =
            judge.print(&craft::capture(&talk.packets()), &["-Y", "json", "-T", "fields", "-e", "json.key", "-e", "_ws.col.Protocol"]);
        assert_eq!(shown, "a,b\tHTCPCP/JSON\n", "{judge:?}");
    }
}

#[test]
fn what_the_snap_length_cuts_off_is_left_out_and_noted() {
    let response = "HTCPCP/1.1 200 OK\r\nServer: CoffeePot\r\nContent-Length: 400\r\n\r\n".to_owned() + &"x".repeat(400);
    let mut talk = answered(&response);
    talk.client(GET).server("HTCPCP/1.1 404 Not Found\r\n\r\n");
    let packets = talk.packets();
    // Within the status line, the header, the body.
    for (kept, expected) in [
        (16, "5: response.code=200 request_in=4 cut"),
        (50, "5: response.code=200 request_in=4 server=CoffeePot cut"),
        (58, "5: response.code=200 request_in=4 server=CoffeePot cut"),
        (120, "5: response.code=200 request_in=4 server=CoffeePot content_length=400"),
    ] {
        let mut file = craft::Pcapng::new(craft::Endian::Little);
        file.interface(craft::NULL, 0, &[]);
        for (packet, ticks) in packets.iter().zip((craft::START_NS / 1_000..).step_by(1_000)) {
            let frame = craft::frame(craft::NULL, packet);
            file.packet_cut(0, ticks, &frame, if frame.len() > 300 { 44 + kept } else { frame.len() });
        }
        let Some(frames) = agreed(file.bytes(), &TWICE) else { return };
        let names = ["response.code", "request_in", "server", "content_length", "cut"];
        let order = |text: &str| {
            let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            words.sort();
            words
        };
        assert_eq!(order(&format!("5: {}", chosen(&frames, 5, &names))), order(expected), "{kept} bytes kept");
        assert_eq!(chosen(&frames, 7, &names[..2]), "response.code=404 request_in=6");
    }
}
