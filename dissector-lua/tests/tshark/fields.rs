//! Fields, expert infos, columns, preferences, the heuristic and the statistics: what people look at.

use std::collections::BTreeSet;

use htcpcp::{Scheme, Status, header};
use pcap_tools::craft::{self, Conversation, Side};

use super::judge::{Judge, judges, workspace};
use super::{TWICE, agreed, check, check_packets, talk, talk_from, talk_on};

fn asked(request: impl AsRef<[u8]>) -> Conversation {
    let mut talk = talk();
    talk.client(request);
    talk
}

/// A BREW with one additional header line.
fn brew_with(line: &str) -> Conversation {
    asked(format!("BREW coffee://ducky HTTP/1.1\r\n{line}\r\nContent-Length: 0\r\n\r\n"))
}

#[test]
fn the_parts_of_the_start_lines() {
    let mut talk = asked("BREW koffie://ducky/pot-1?cream;1,rum HTCPCP/1.0\r\n\r\n");
    talk.server("HTCPCP-TEA/1.0 300 Multiple Options\r\n\r\n");
    let names = "request request.method request.uri request.uri.scheme request.uri.scheme.language request.uri.host \
                 request.uri.pot addition request.version response response.version response.code response.code.desc response.phrase";
    let request = "4: request.method=BREW request.uri=koffie://ducky/pot-1?cream;1,rum request.uri.scheme=koffie \
                   request.uri.scheme.language=Afrikaans request.uri.scheme.language=Dutch request.uri.host=ducky \
                   request.uri.pot=pot-1 addition=cream;1 addition=rum request.version=HTCPCP/1.0 request=1";
    let response = "5: response.version=HTCPCP-TEA/1.0 response.code=300 response.code.desc=Multiple Options \
                    response.phrase=Multiple Options response=1";
    check(&talk, names, &[request, response]);
}

#[test]
fn every_scheme_has_its_languages_in_every_form() {
    let (mut packets, mut expected) = (Vec::new(), Vec::new());
    for (port, scheme) in (40_000..).zip(Scheme::ALL) {
        let encoded: String = scheme.spelling.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let forms =
            [scheme.printed.to_owned(), scheme.printed.to_lowercase(), scheme.spelling.to_owned(), scheme.spelling.to_uppercase(), encoded];
        let mut talk = talk_from(port);
        for form in forms {
            talk.client(format!("GET {form}://ducky HTTP/1.1\r\n\r\n"));
            let languages: Vec<_> =
                scheme.languages.iter().map(|language| format!("request.uri.scheme.language={}", language.name)).collect();
            expected.push(format!("{}: {}", packets.len() + talk.segments.len(), languages.join(" ")));
        }
        packets.extend(talk.packets());
    }
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check_packets(&packets, &TWICE, "request.uri.scheme.language unknown_scheme", &expected);
}

#[test]
fn a_scheme_is_shown_as_the_word_it_means() {
    let talk = asked("BREW %E5%92%96%E5%95%A1://ducky HTTP/1.1\r\n\r\n");
    let Some(frames) = agreed(&craft::capture(&talk.packets()), &[]) else { return };
    let labels: Vec<_> = frames[&4].iter().map(|field| field.label.as_str()).collect();
    assert!(labels.contains(&"Scheme: %E5%92%96%E5%95%A1 (咖啡)"), "{labels:?}");
    assert!(labels.contains(&"Language: Chinese"), "{labels:?}");
}

/// The RFC's own spelling is not UTF-8 once it is decoded, and may come raw.
#[test]
fn bytes_that_are_not_utf8_are_shown_the_same_everywhere() {
    let mut talk = asked(b"GET caf\xC3\xE8://d\xC3\xA9\xFF\0\x1B HTTP/1.1\r\nUse-Pot: A\xFFB\0C\r\nX-\xFF: 1\r\n\r\n");
    talk.server(b"HTCPCP/1.1 406 Non \xE9\0!\r\n\r\nA\xFFB\0C");
    let expected = [
        "4: request.uri.scheme.language=Catalan request.uri.scheme.language=French request.uri.scheme.language=Galician",
        "5: response.code=406 file_data=41:ff:42:00:43",
    ];
    check(&talk, "request.uri.scheme.language response.code file_data", &expected);
}

#[test]
fn additions_are_fields_of_their_own() {
    for (value, additions) in [
        ("cream; vanilla", "cream vanilla"),
        ("oat milk;kahlua , half-and-half", "oat_milk kahlua half-and-half"),
        ("Cream;q=0.8;level=2, *;q=0", "Cream;q=0.8;level=2 *;q=0"),
        ("#Almond;2#Vanilla;5", "Almond;2 Vanilla;5"),
        ("milk-type=Cream; Syrup-Type = Vanilla;2", "milk-type=Cream Syrup-Type_=_Vanilla;2"),
        (" ;,; ,;;", ""),
        ("1;cream", "1 cream"),
    ] {
        let additions = additions.split(' ').filter(|name| !name.is_empty()).map(|name| format!(" addition={}", name.replace('_', " ")));
        let expected = format!("4: accept_additions={}{}", value.trim(), additions.collect::<String>());
        check(&brew_with(&format!("Accept-Additions: {value}")), "accept_additions addition", &[&expected]);
    }
}

/// Patterns that go back and forth would not come to an end with these.
#[test]
fn long_values_are_read_in_one_go() {
    let values = [
        "1".repeat(20_000) + "x",
        "a".to_owned() + &" ".repeat(20_000) + "b",
        "a=".to_owned() + &" ".repeat(20_000) + "b",
        "x;".repeat(5_000),
    ];
    let talks = (40_000..).zip(&values).map(|(port, value)| {
        let mut talk = talk_from(port);
        talk.client_in(format!("GET {value}: HTTP/1.1\r\nAccept-Additions: {value}\r\nContent-Length: {value}\r\n\r\n"), 1_400);
        talk.packets()
    });
    let capture = craft::capture(&talks.collect::<Vec<_>>().concat());
    // Each version cuts long labels in its own way.
    for judge in judges() {
        let frames = judge.frames(&capture, &["-Y", "htcpcp"]);
        let additions = frames.values().flatten().filter(|field| field.name == "addition");
        assert_eq!(additions.count(), 1 + 1 + 1 + 5_000, "{judge:?}");
    }
}

#[test]
fn additions_say_what_they_are() {
    let talk = brew_with("Accept-Additions: Almond, ALMOND MILK, Chamomile");
    let Some(frames) = agreed(&craft::capture(&talk.packets()), &[]) else { return };
    let labels: Vec<_> = frames[&4].iter().filter(|field| field.name == "addition").map(|field| field.label.as_str()).collect();
    assert_eq!(labels, ["Addition: Almond (syrup)", "Addition: ALMOND MILK (milk)", "Addition: Chamomile"]);
}

#[test]
fn every_header_of_the_vocabulary_has_a_field_in_any_case() {
    for header in header::Field::ALL {
        let field = match header {
            header::Field::ContentLength => "content_length_header".to_owned(),
            _ => header.as_str().to_lowercase().replace('-', "_"),
        };
        let line = format!("{}:  0 \r\nX-Other: 1", header.as_str().to_uppercase());
        let expected = format!("4: {field}=0 unknown_header=X-Other: 1");
        check(&asked(format!("GET / HTTP/1.1\r\n{line}\r\n\r\n")), &format!("{field} unknown_header"), &[&expected]);
    }
}

#[test]
fn every_header_line_is_there_as_a_whole() {
    let mut talk = asked("GET / HTTP/1.1\r\nUse-Pot: tea\r\n X: y\r\n\r\n");
    talk.server("HTCPCP/1.1 200 OK\r\nSafe: yes\r\nContent-Length: 0\r\n\r\n");
    let expected = ["4: request.line=Use-Pot: tea request.line= X: y", "5: response.line=Safe: yes response.line=Content-Length: 0"];
    check(&talk, "request.line response.line", &expected);
}

#[test]
fn tea_is_dissected_too() {
    let mut talk = asked("BREW / HTCPCP-TEA/1.0\r\nContent-Type: message/teapot\r\nContent-Length: 5\r\n\r\nstart");
    talk.server(
        "HTCPCP-TEA/1.0 300 Multiple Options\r\n\
         Alternates: {\"/darjeeling\" {type message/teapot}}, {\"/earl-grey\" {type message/teapot}}\r\nContent-Length: 0\r\n\r\n",
    );
    talk.client(
        "BREW /earl-grey HTTP/1.1\r\nAccept-Additions: sugar\r\nContent-Type: Message/Teapot;a=b\r\nContent-Length: 5\r\n\r\nstart",
    );
    talk.client("BREW /pot-0/darjeeling HTCPCP-TEA/1.0\r\nContent-Length: 4\r\n\r\nstop");
    let expected = [
        "4: command=start",
        "5: alternate=/darjeeling alternate=/earl-grey",
        "6: request.uri.variety=earl-grey addition=sugar command=start",
        "7: request.uri.pot=pot-0 request.uri.variety=darjeeling command=stop",
    ];
    check(&talk, "alternate request.uri.pot request.uri.variety addition command", &expected);
}

#[test]
fn odd_requests_are_noted() {
    for (request, expected) in [
        ("BREW coffee://ducky HTTP/1.1\r\nUse-Pot: ducky\r\n\r\n", ""),
        ("BREW coffee://ducky HTTP/1.1\r\nUse Pot: ducky\r\n\r\n", "bad_header_name"),
        ("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "bad_content_length"),
        ("GET / HTTP/1.1\r\nContent-Length: 0, 1\r\n\r\n", "bad_content_length"),
        ("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "bad_content_length"),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", "te_and_length"),
        ("MILK coffee://ducky HTTP/1.1\r\n\r\n", "unknown_method"),
        ("POST coffee://ducky HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "deprecated_method"),
        ("GET caffeine://ducky HTTP/1.1\r\n\r\n", "unknown_scheme"),
        ("\r\n\r\nGET / HTTP/1.1\r\n\r\n", "leading_crlf"),
        ("GET / HTTP/1.1\n\n", "bare_lf"),
        ("GET / HTTP/1.1\r\n\r\nwhat is this?\r\n", "excess_data"),
        ("brewing coffee\r\n", "bad_start_line"),
        ("\u{1}\u{2}\u{3}", "bad_start_line"),
        ("\r\n", "leading_crlf"),
    ] {
        let names = "bad_header_name bad_content_length te_and_length unknown_method deprecated_method unknown_scheme leading_crlf \
                     bare_lf excess_data bad_start_line cut";
        let expected = if expected.is_empty() { vec![] } else { vec![format!("4: {expected}")] };
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        check(&asked(request), names, &expected);
    }
}

#[test]
fn odd_responses_are_noted() {
    for (status, expected) in [
        ("200 OK", "5: response.code=200"),
        ("418 I'm a teapot", "5: response.code=418 response_error"),
        ("503 Service Unavailable", "5: response.code=503 response_error"),
        ("299 Odd", "5: response.code=299 bad_status"),
    ] {
        let mut talk = asked("GET / HTTP/1.1\r\n\r\n");
        talk.server(format!("HTCPCP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        check(&talk, "response.code response_error bad_status", &[expected]);
    }
}

#[test]
fn every_status_of_the_vocabulary_is_described() {
    let mut talk = talk();
    let mut expected = Vec::new();
    for status in Status::ALL {
        talk.client("GET / HTTP/1.1\r\n\r\n").server(format!("HTCPCP/1.1 {} x\r\nContent-Length: 0\r\n\r\n", status.code));
        expected.push(format!("{}: response.code={} response.code.desc={}", talk.segments.len(), status.code, status.reason));
    }
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check(&talk, "response.code response.code.desc", &expected);
}

/// Protocol and Info of every frame that the dissector calls its own.
#[track_caller]
fn check_columns(talk: &Conversation, expected: &[&str]) {
    for judge in judges() {
        let columns =
            ["-Y", "htcpcp", "-T", "fields", "-E", "separator=|", "-e", "frame.number", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info"];
        let shown = judge.print(&craft::capture(&talk.packets()), &columns);
        assert_eq!(shown.lines().collect::<Vec<_>>(), expected, "{judge:?}");
        // Without fields to look at, the dissector takes a shorter way to the same columns.
        let lines = judge.print(&craft::capture(&talk.packets()), &[]);
        for line in expected {
            let info = line.rsplit('|').next().unwrap();
            assert!(lines.contains(info), "{judge:?}: no `{info}` in\n{lines}");
        }
    }
}

#[test]
fn the_info_column_reads_like_a_sentence() {
    let mut talk = asked("BREW coffee://ducky HTTP/1.1\r\nAccept-Additions: cream; vanilla\r\n\r\nstart");
    talk.server("HTCPCP/1.1 418 I'm a teapot\r\n\r\n");
    talk.client("GET coffee://ducky HTTP/1.1\r\n\r\n").server("HTCPCP/1.1 200 OK\r\n\r\n{\"a\": 1}");
    talk.client("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n").server("HTCPCP/1.1 404 Not Found\r\n\r\nnone");
    talk.server(", sorry").client("what?").close(Side::Server);
    let expected = [
        "4|HTCPCP|BREW coffee://ducky with cream, vanilla: start",
        "5|HTCPCP|418 I'm a teapot to BREW coffee://ducky after 1.000 ms",
        "6|HTCPCP|GET coffee://ducky",
        "7|HTCPCP/JSON|200 OK to GET coffee://ducky after 1.000 ms",
        "8|HTCPCP|GET /a; GET /b",
        "9|HTCPCP|404 Not Found to GET /a after 1.000 ms",
        "10|HTCPCP|More of the body of 404 Not Found in frame 9",
        "11|HTCPCP|5 bytes that belong to no message",
    ];
    check_columns(&talk, &expected);
}

#[test]
fn messages_that_share_a_frame_share_its_info_column() {
    let mut talk = talk();
    talk.client_in("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n123456789GET /b HTTP/1.1\r\n\r\n", 45);
    check_columns(&talk, &["5|HTCPCP|POST /; GET /b"]);
}

// ---- Ports and preferences ----

#[test]
fn other_ports_are_recognised_by_what_only_coffee_has() {
    let mut packets = Vec::new();
    let mut expected = Vec::new();
    for (port, request) in (40_000..).zip([
        "GET coffee://ducky HTTP/1.1\r\n\r\n",
        "PROPFIND %4Baffee:/pot-1 HTTP/1.0\r\n\r\n",
        "BREW /pot-1 HTTP/1.1\r\n\r\n",
        "GET / HTCPCP-TEA/1.0\r\n\r\n",
    ]) {
        let mut talk = talk_on(port, 7_130);
        talk.client(request).server("HTCPCP/1.1 200 OK\r\n\r\n{}");
        let at = packets.len();
        expected.push(format!("{}: request.method={} response_in={}", at + 4, request.split(' ').next().unwrap(), at + 5));
        expected.push(format!("{}: response.code=200 request_in={}", at + 5, at + 4));
        packets.extend(talk.packets());
    }
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    let names = "request.method response.code request_in response_in";
    check_packets(&packets, &TWICE, names, &expected);
    check_packets(&packets, &[&TWICE[..], &["-o", "htcpcp.heuristic:FALSE"]].concat(), names, &[]);
}

#[test]
fn http_is_left_to_http() {
    let mut packets = Vec::new();
    for (port, server) in (40_000..).zip([80, 8080, 5031, 7_130]) {
        let mut talk = talk_on(port, server);
        talk.client("GET /?method=brew&x=coffee:// HTTP/1.1\r\nHost: ducky\r\n\r\n")
            .server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        talk.client("POST http://ducky/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        packets.extend(talk.packets());
    }
    for judge in judges() {
        let columns = ["-T", "fields", "-e", "frame.number", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info"];
        let [with, without] = [Judge::print, Judge::print_plainly].map(|print| print(&judge, &craft::capture(&packets), &columns));
        assert!(without.matches("HTTP").count() > 8, "{without}");
        assert_eq!(with, without, "{judge:?}");
    }
}

#[test]
fn ports_are_chosen_by_preference_or_decode_as() {
    let mut talk = talk_on(40_000, 7_130);
    talk.client("GET / HTTP/1.1\r\n\r\n");
    let mut usual = talk_on(40_001, 5_030);
    usual.client("GET / HTTP/1.1\r\n\r\n");
    let packets = [talk.packets(), usual.packets()].concat();
    for (arguments, expected) in [
        (vec![], vec!["8: request.method=GET"]),
        (vec!["-o", "htcpcp.ports:7130-7131"], vec!["4: request.method=GET"]),
        (vec!["-o", "htcpcp.ports:5030,7130"], vec!["4: request.method=GET", "8: request.method=GET"]),
        (vec!["-d", "tcp.port==7130,htcpcp"], vec!["4: request.method=GET", "8: request.method=GET"]),
        (vec!["-d", "tcp.port==5030,http"], vec![]),
    ] {
        check_packets(&packets, &arguments, "request.method", &expected);
    }
}

// ---- Statistics and the reference ----

#[test]
fn statistics_count_methods_statuses_additions_and_times() {
    let mut talk = asked("BREW coffee://ducky HTTP/1.1\r\nAccept-Additions: cream; vanilla\r\n\r\nstart");
    talk.server("HTCPCP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    talk.client("BREW coffee://ducky HTTP/1.1\r\nAccept-Additions: cream\r\n\r\nstart").ack(Side::Server);
    talk.server("HTCPCP/1.1 406 Not Acceptable\r\nContent-Length: 0\r\n\r\n");
    talk.client("GET coffee://ducky HTTP/1.1\r\n\r\n");
    let expected = [
        "HTCPCP statistics",
        "Requests by method",
        "BREW 2",
        "GET 1",
        "Responses by status",
        "200 OK 1",
        "406 Not Acceptable 1",
        "Additions asked for",
        "cream 2",
        "vanilla 1",
        "Response times",
        "answered requests 2",
        "least 1.000 ms",
        "mean 1.500 ms",
        "most 2.000 ms",
    ];
    for judge in judges() {
        let shown = judge.print(&craft::capture(&talk.packets()), &["-q", "-z", "htcpcp,stat"]);
        let lines: Vec<_> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines.iter().filter(|line| !line.is_empty()).collect::<Vec<_>>(), expected, "{judge:?}");
        let some = judge.print(&craft::capture(&talk.packets()), &["-q", "-z", "htcpcp,stat,htcpcp.response.code >= 400"]);
        assert!(some.contains("406 Not Acceptable") && !some.contains("200 OK"), "{judge:?}: {some}");
    }
}

#[test]
fn the_reference_names_every_field_and_its_filters_are_understood() {
    let fields = dissector_lua::generate::fields();
    let examples: Vec<_> = fields.iter().map(|field| field.example.clone()).collect();
    let names =
        fields.iter().map(|field| field.name.clone()).chain(dissector_lua::generate::EXPERTS.iter().map(|expert| expert.name.to_owned()));
    let expected: BTreeSet<_> = names.map(|name| format!("htcpcp.{name}")).collect();
    for judge in judges() {
        let home = judge.home();
        let declared = judge.text(home.path(), &["-G", "fields"]);
        let rows = declared.lines().map(|line| line.split('\t').collect::<Vec<_>>()).filter(|row| row[0] == "F" && row[4] == "htcpcp");
        assert_eq!(rows.map(|row| row[2].to_owned()).collect::<BTreeSet<_>>(), expected, "{judge:?}");
        judge.print(&craft::capture(&[]), &["-Y", &examples.join(" or ")]);
    }
    assert_eq!(dissector_lua::generate::field_reference(), std::fs::read_to_string(workspace().join("dissector-lua/FIELDS.md")).unwrap());
}

/// Every message part is shown once, as a protocol of its own in the tree.
#[test]
fn the_protocol_alone_is_a_filter() {
    let mut talk = asked("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    talk.server("HTCPCP/1.1 200 OK\r\n\r\n{}").close(Side::Server);
    check(&talk, "htcpcp", &["4: htcpcp htcpcp", "5: htcpcp"]);
}
