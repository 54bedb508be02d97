//! What a pot's clients get, message by message.

use std::time::Duration;

use htcpcp::conn::{Asked, Error, server};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::table::{Frames, answer, answers, converse, echo, options, read_all, run};
use crate::wire::{Log, Tap};

const LAB_BREW: &str = "BREW coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\
    Accept-Additions: cream; vanilla\r\nUse-Pot: ducky\r\n\r\n";

/// Sends `pieces` a millisecond apart. `expected`: the answers, as [`answers`] writes them.
#[track_caller]
fn check<T: AsRef<[u8]>>(pieces: &[T], expected: &[&str]) {
    let pieces: Vec<_> = pieces.iter().map(AsRef::as_ref).collect();
    let said = run(async { converse(&pieces).await.0 });
    assert_eq!(answers(&said), expected, "{}", pieces.concat().escape_ascii());
}

#[test]
fn the_lab_client_is_answered_in_htcpcp() {
    let request = format!("{LAB_BREW}start");
    let said = run(async { converse(&[request.as_bytes()]).await.0 });
    let expected = "HTCPCP/1.1 200 OK\r\nServer: CoffeePot\r\nContent-Type: message/coffeepot\r\n\
        Date: Tue, 27 Jun 2023 17:39:59\r\nConnection: close\r\nContent-Length: 37\r\n\r\nBREW coffee://ducky Htcpcp [start]";
    let expected = expected.replace("37", "34");
    assert_eq!(String::from_utf8_lossy(&said), expected);
}

#[test]
fn ordinary_clients_are_answered_in_http() {
    check(&["GET / HTTP/1.1\r\n\r\n"], &["HTTP/1.1 200 OK: GET / Http []"]);
    check(&["GET /pot-1?cream HTTP/1.1\nHost: ducky\n\n"], &["HTTP/1.1 200 OK: GET /pot-1?cream Http []"]);
    check(&["OPTIONS * HTTP/1.1\r\n\r\n"], &["HTTP/1.1 200 OK: OPTIONS * Http []"]);
    check(&["GET http://ducky/a HTTP/1.1\r\n\r\n"], &["HTTP/1.1 200 OK: GET http://ducky/a Http []"]);
    check(&["GET HTTPS://ducky HTTP/1.0\r\n\r\n"], &["HTTP/1.0 200 OK: GET HTTPS://ducky Http []"]);
    check(&["CONNECT ducky:80 HTTP/1.0\r\n\r\n"], &["HTTP/1.0 200 OK"]);
    check(&["BREW / HTTP/1.1\r\nContent-Length: 5\r\n\r\nstart"], &["HTTP/1.1 200 OK: BREW / Http [start]"]);
}

#[test]
fn every_version_is_understood() {
    for (version, answered) in [
        ("HTTP/1.1", "HTTP/1.1"),
        ("HTTP/1.0", "HTTP/1.0"),
        ("HTCPCP/1.1", "HTCPCP/1.1"),
        ("HTCPCP/1.0", "HTCPCP/1.0"),
        ("HTCPCP-TEA/1.1", "HTCPCP/1.1"),
        ("HTCPCP-TEA/1.0", "HTCPCP/1.0"),
    ] {
        let dialect = if answered.starts_with("HTTP") { "Http" } else { "Htcpcp" };
        check(&[format!("GET /pot-1 {version}\r\n\r\n")], &[&format!("{answered} 200 OK: GET /pot-1 {dialect} []")]);
    }
    for version in ["HTTP/2.0", "HTCPCP/2.0", "HTTP/1.2", "http/1.1", "HTCPCP", "COFFEE/1.0"] {
        let answered = if version.starts_with("HTCPCP") { "HTCPCP/1.1" } else { "HTTP/1.1" };
        let dialect = if answered.starts_with("HTTP") { "Http" } else { "Htcpcp" };
        check(
            &[format!("GET /pot-1 {version}\r\n\r\n")],
            &[&format!("{answered} 400 Bad Request close: GET /pot-1 {dialect} RequestLine []")],
        );
    }
}

#[test]
fn every_target_reaches_the_handler_as_it_was_written() {
    let utf8 = "コーヒー://ducky".as_bytes();
    for target in [
        b"coffee://ducky".as_slice(),
        b"coffee://ducky/",
        b"coffee:/pot-1",
        b"coffee:?x",
        b"coffee:?#Almond;2#Vanilla;5",
        b"coffee:",
        b"caf%C3%E8://ducky",
        b"CaF%c3%a9://ducky",
        b"caffeine://ducky",
        b"caf\xe9://ducky",
        b"pot-1",
        b"ducky:5030",
        b"x",
        b"?",
        b"#",
        b"{}|\\^`\"<>",
        utf8,
    ] {
        let request = [b"GET ", target, b" HTTP/1.1\r\n\r\n"].concat();
        check(&[request], &[&format!("HTCPCP/1.1 200 OK: GET {} Htcpcp []", target.escape_ascii())]);
    }
    for target in ["/", "//", "/pot-1", "/coffee://ducky", "/a?b?c", "/#", "/?q#f", "/{}", "/%", "/%zz", "*"] {
        check(&[format!("GET {target} HTTP/1.1\r\n\r\n")], &[&format!("HTTP/1.1 200 OK: GET {target} Http []")]);
    }
    check(&[b"GET /\xff HTTP/1.1\r\n\r\n"], &["HTTP/1.1 200 OK: GET /\\xff Http []"]);
}

#[test]
fn the_uri_is_the_target_of_ordinary_paths_only() {
    let handler = |request: Request<Incoming>, _: Asked| async move { answer(StatusCode::OK, request.uri().to_string()) };
    for (line, uri) in [
        ("/pot-1?a=b&c;1 HTTP/1.1", "/pot-1?a=b&c;1"),
        ("/earl-grey HTCPCP-TEA/1.0", "/earl-grey"),
        ("coffee://ducky HTTP/1.1", "/"),
        ("/a#b HTTP/1.1", "/"),
        ("/a|b HTTP/1.1", "/"),
        ("http://ducky/a HTTP/1.1", "/"),
        ("* HTTP/1.1", "/"),
    ] {
        let said = run(async {
            let (pot, mut client) = tokio::io::duplex(4096);
            let options = options();
            let talk = async {
                let request = format!("GET {line}\r\nConnection: close\r\n\r\n");
                client.write_all(request.as_bytes()).await.expect("the pot reads");
                read_all(&mut client).await
            };
            tokio::join!(talk, server::serve(pot, &options, handler, std::future::pending())).0
        });
        assert!(said.ends_with(format!("\r\n\r\n{uri}").as_bytes()), "{line}: {}", said.escape_ascii());
    }
}

#[test]
fn no_field_of_a_client_is_taken_for_a_target() {
    check(&["GET / HTTP/1.1\r\nTarget: coffee://ducky\r\nX-Target: a\r\n:target: b\r\n\r\n"], &["HTTP/1.1 400 Bad Request close"]);
    check(&["GET / HTTP/1.1\r\nTarget: coffee://ducky\r\n\r\n"], &["HTTP/1.1 200 OK: GET / Http []"]);
}

#[test]
fn what_is_no_request_line_is_told_so_at_once() {
    for (line, described) in [
        ("hello\r\n", "GET  Http"),
        ("GET\r\n", "GET  Http"),
        ("GET /\r\n", "GET / Http"),
        ("GET  / HTTP/1.1\r\n", "GET  Http"),
        ("GET / x HTTP/1.1\r\n", "GET / Http"),
        ("GET /\tx HTTP/1.1\r\n", "GET /\\tx Http"),
        ("GET coffee:\x01 HTTP/1.1\r\n", "GET coffee:\\x01 Htcpcp"),
        (" GET / HTTP/1.1\r\n", "GET GET Htcpcp"),
        ("G@T / HTTP/1.1\r\n", "GET / Http"),
        ("BREW coffee://ducky\r\n", "GET coffee://ducky Htcpcp"),
        ("BREW\n", "GET  Htcpcp"),
        ("WHEN \n", "GET  Htcpcp"),
        ("\x16\x03\x01\x02", "GET  Http"),
        ("GET / HTTP/1.1\rX", "GET / Http"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET * Http"),
    ] {
        let begin = Instant::now;
        let (said, took) = run(async {
            let begin = begin();
            (converse(&[line.as_bytes()]).await.0, begin.elapsed())
        });
        let dialect = if described.ends_with("Htcpcp") { "HTCPCP" } else { "HTTP" };
        let expected = [format!("{dialect}/1.1 400 Bad Request close: {described} RequestLine []")];
        assert_eq!(answers(&said), expected, "{line:?}");
        assert!(took < Duration::from_secs(3), "{line:?}: {took:?}");
    }
}

#[test]
fn empty_lines_before_a_request_are_skipped() {
    check(&["\r\n\n\r\nGET / HTTP/1.1\r\n\r\n"], &["HTTP/1.1 200 OK: GET / Http []"]);
    check(&["\r", "\n", "\n", "GET / HTTP/1.1\r\n\r\n"], &["HTTP/1.1 200 OK: GET / Http []"]);
    check(&["\r\rGET / HTTP/1.1\r\n\r\n"], &["HTTP/1.1 400 Bad Request close: GET / Http RequestLine []"]);
}

#[test]
fn a_command_without_a_length_is_the_body() {
    let answered = |command: &str| format!("HTCPCP/1.1 200 OK close: BREW coffee://ducky Htcpcp [{command}]");
    for (sent, command) in [
        ("start", "start"),
        ("stop", "stop"),
        ("start\r\n", "start"),
        ("stop\n", "stop"),
        ("coffee-message-body=start", "coffee-message-body=start"),
        ("coffee-message-body=stop\r\n", "coffee-message-body=stop"),
        ("startGET /smuggled HTTP/1.1\r\n\r\n", "start"),
        ("stop\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n", "stop"),
    ] {
        let whole = format!("{LAB_BREW}{sent}");
        check(&[&whole], &[&answered(command)]);
        check(&[LAB_BREW, sent], &[&answered(command)]);
        let single: Vec<_> = whole.bytes().map(|byte| vec![byte]).collect();
        check(&single, &[&answered(command)]);
        for at in 1..whole.len() {
            check(&[&whole[..at], &whole[at..]], &[&answered(command)]);
        }
    }
}

#[test]
fn a_command_may_follow_what_no_http_client_sends() {
    let close = |line: &str, body: &str| format!("{line}: {body}");
    for (head, expected) in [
        ("POST coffee://ducky HTTP/1.1", close("HTCPCP/1.1 200 OK close", "POST coffee://ducky Htcpcp [start]")),
        ("POST /pot-1 HTCPCP/1.0", close("HTCPCP/1.0 200 OK", "POST /pot-1 Htcpcp [start]")),
        ("POST /pot-1 HTTP/1.0", close("HTTP/1.0 200 OK", "POST /pot-1 Http [start]")),
        ("BREW /pot-1 HTTP/1.1", close("HTTP/1.1 200 OK close", "BREW /pot-1 Http [start]")),
        ("BREW pot-1 HTTP/1.1", close("HTCPCP/1.1 200 OK close", "BREW pot-1 Htcpcp [start]")),
    ] {
        check(&[format!("{head}\r\n\r\nstart")], &[&expected]);
    }
    for (head, expected) in [
        ("POST / HTTP/1.1", "HTTP/1.1 200 OK: POST / Http []"),
        ("WHEN coffee://ducky HTTP/1.1", "HTCPCP/1.1 200 OK: WHEN coffee://ducky Htcpcp []"),
        ("GET coffee://ducky HTTP/1.1", "HTCPCP/1.1 200 OK: GET coffee://ducky Htcpcp []"),
        ("MILK coffee://ducky HTTP/1.1", "HTCPCP/1.1 200 OK: MILK coffee://ducky Htcpcp []"),
    ] {
        check(&[format!("{head}\r\n\r\nstart\r\n")], &[expected, "HTTP/1.1 400 Bad Request close: GET  Http RequestLine []"]);
    }
}

#[test]
fn a_command_that_does_not_come_is_not_waited_for_long() {
    let bodyless = "HTCPCP/1.1 200 OK: BREW coffee://ducky Htcpcp []";
    check(&[LAB_BREW], &[bodyless]);
    check(&[LAB_BREW, "sta"], &[bodyless, "HTTP/1.1 408 Request Timeout close: GET  Http HeadTimeout []"]);
    check(&[LAB_BREW, "brew!"], &[bodyless, "HTTP/1.1 408 Request Timeout close: GET  Http HeadTimeout []"]);
    check(&[LAB_BREW, "brew!\n"], &[bodyless, "HTTP/1.1 400 Bad Request close: GET  Http RequestLine []"]);
    check(&[LAB_BREW, "GET / HTTP/1.1\r\n\r\n"], &[bodyless, "HTTP/1.1 200 OK: GET / Http []"]);
    check(&[LAB_BREW, "s", "GET / HTTP/1.1\r\n\r\n"], &[bodyless, "HTTP/1.1 200 OK: sGET / Http []"]);
}

/// `expected`: after how many milliseconds the first byte of an answer comes.
#[track_caller]
fn check_wait(request: &str, expected: u128) {
    let took = run(async {
        let (pot, mut client) = tokio::io::duplex(4096);
        let options = options();
        let ask = async {
            let begin = Instant::now();
            client.write_all(request.as_bytes()).await.expect("the pot reads");
            let _ = client.read_u8().await.expect("the pot answers");
            begin.elapsed().as_millis()
        };
        tokio::select! {
            _ = server::serve(pot, &options, echo, std::future::pending()) => panic!("the answer comes first"),
            took = ask => took,
        }
    });
    assert_eq!(took, expected, "{request:?}");
}

#[test]
fn only_commands_are_waited_for() {
    check_wait(LAB_BREW, 200);
    check_wait(&format!("{LAB_BREW}coffee-message"), 200);
    check_wait(&format!("{LAB_BREW}start"), 0);
    check_wait(&format!("{LAB_BREW}x"), 0);
    for request in [
        "GET coffee://ducky HTTP/1.1\r\n\r\n",
        "PROPFIND coffee://ducky HTTP/1.1\r\n\r\n",
        "WHEN coffee://ducky HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\n\r\n",
        "BREW coffee://ducky HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "BREW coffee://ducky HTTP/1.1\r\nContent-Length: 4\r\n\r\nstop",
    ] {
        check_wait(request, 0);
    }
}

#[test]
fn connections_are_kept_and_dialects_may_change() {
    check(
        &[
            "GET / HTTP/1.1\r\n\r\nGET coffee://ducky HTTP/1.1\r\n\r\nWHEN / HTCPCP/1.1\r\n\r\n",
            "BREW kaffe://ducky HTTP/1.1\r\ncontent-length:\t5 \r\n\r\nsta",
            "rtPUT /a HTTP/1.1\nContent-Length: 14\n\nGET / HTTP/1.1GET /b HTTP/1.0\r\n\r\n",
        ],
        &[
            "HTTP/1.1 200 OK: GET / Http []",
            "HTCPCP/1.1 200 OK: GET coffee://ducky Htcpcp []",
            "HTCPCP/1.1 200 OK: WHEN / Htcpcp []",
            "HTCPCP/1.1 200 OK: BREW kaffe://ducky Htcpcp [start]",
            "HTTP/1.1 200 OK: PUT /a Http [GET / HTTP/1.1]",
            "HTTP/1.0 200 OK: GET /b Http []",
        ],
    );
}

#[test]
fn bodies_that_look_like_messages_are_left_alone() {
    let body = "HTTP/1.1 200 OK\r\n\r\nHTCPCP/1.1 200 OK\r\n\r\nBREW coffee://ducky HTCPCP/1.1\r\n\r\n";
    let request = format!("PUT coffee://ducky HTCPCP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let escaped = body.escape_default().to_string();
    check(&[&request], &[&format!("HTCPCP/1.1 200 OK: PUT coffee://ducky Htcpcp [{escaped}]")]);
}

#[test]
fn a_request_with_a_transfer_encoding_is_the_last() {
    let chunked = "PUT coffee://ducky HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstart\r\n0\r\n\r\n";
    let answered = "HTCPCP/1.1 200 OK close: PUT coffee://ducky Htcpcp [start]";
    check(&[chunked], &[answered]);
    check(&[&format!("{chunked}GET /smuggled HTTP/1.1\r\n\r\n")], &[answered]);
    check(
        &[
            "BREW /a HTTP/1.1\r\nTRANSFER-ENCODING:chunked\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ],
        &["HTTP/1.1 200 OK close: BREW /a Http []"],
    );
    check(&["BREW /a HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"], &["HTTP/1.1 400 Bad Request close"]);
}

#[test]
fn contradictory_lengths_are_refused_and_nothing_is_smuggled() {
    for fields in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: 99999999999999999999",
        "Content-Length:",
    ] {
        for dialect in ["HTTP", "HTCPCP"] {
            check(
                &[format!("PUT / {dialect}/1.1\r\n{fields}\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")],
                &[&format!("{dialect}/1.1 400 Bad Request close")],
            );
        }
    }
    check(&["PUT / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 05\r\n\r\nstart"], &["HTTP/1.1 200 OK: PUT / Http [start]"]);
}

#[test]
fn refusals_of_hyper_look_like_answers_of_the_pot_and_are_reported() {
    let request = b"BREW coffee://ducky HTTP/1.1\r\nUse-Pot : ducky\r\n\r\nstart";
    let (said, served) = run(async { converse(&[request]).await });
    let said = String::from_utf8(said).expect("the answer is ASCII");
    assert!(said.starts_with("HTCPCP/1.1 400 Bad Request\r\n"), "{said}");
    assert!(said.ends_with("\r\nServer: CoffeePot\r\nContent-Type: text/plain\r\n\r\n"), "{said}");
    assert!(said.contains("\r\nContent-Length: 0\r\n") && said.contains("\r\nDate: "), "{said}");
    let Err(Error::Refused { status, target, source }) = served else { panic!("not reported: {served:?}") };
    assert_eq!((status, target.as_bytes()), (StatusCode::BAD_REQUEST, &b"coffee://ducky"[..]));
    assert!(source.is_parse());

    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101));
    check(&[many], &["HTTP/1.1 431 Request Header Fields Too Large close"]);
}

#[test]
fn a_head_that_does_not_end_is_answered() {
    let timeout = |described: &str| format!("408 Request Timeout close: GET {described} HeadTimeout []");
    for (begin, dialect, described) in [
        ("BREW coffee://ducky HTTP/1.1\r\nUse-Pot: ducky\r\n", "HTCPCP", "coffee://ducky Htcpcp"),
        ("GET /pot-1 HTCPCP/1.0\r\n", "HTCPCP", "/pot-1 Htcpcp"),
        ("GET /pot-1 HT", "HTTP", "/pot-1 Http"),
        ("GET cof", "HTCPCP", "cof Htcpcp"),
        ("WHEN", "HTCPCP", " Htcpcp"),
        ("G", "HTTP", " Http"),
        ("\r\n\r\n\r", "HTTP", " Http"),
    ] {
        check(&[begin], &[&format!("{dialect}/1.1 {}", timeout(described))]);
    }
    let answered = "HTTP/1.1 200 OK: GET / Http []";
    check(&["GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n"], &[answered, &format!("HTTP/1.1 {}", timeout("/ Http"))]);
}

#[test]
fn a_client_that_trickles_is_not_waited_for_longer() {
    let (answered, took) = run(async {
        let (pot, mut client) = tokio::io::duplex(4096);
        let options = options();
        let begin = Instant::now();
        let talk = async {
            let (mut reader, mut writer) = tokio::io::split(&mut client);
            let trickle = async {
                writer.write_all(b"GET / HTTP/1.1\r\nA: ").await.expect("the pot reads");
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if writer.write_all(b"a").await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            };
            let mut said = Vec::new();
            tokio::select! {
                () = trickle => {}
                read = reader.read_to_end(&mut said) => { read.expect("the pot closes"); }
            }
            (said, begin.elapsed())
        };
        tokio::join!(talk, server::serve(pot, &options, echo, std::future::pending())).0
    });
    assert_eq!(answers(&answered), ["HTTP/1.1 408 Request Timeout close: GET / Http HeadTimeout []"]);
    assert_eq!(took.as_secs(), 10);
}

#[test]
fn a_head_over_the_limit_is_answered() {
    let limit = options().head_limit;
    let fixed = "BREW coffee: HTTP/1.1\r\nContent-Length: 0\r\nA: \r\n\r\n".len();
    let request = |len: usize| format!("BREW coffee: HTTP/1.1\r\nContent-Length: 0\r\nA: {}\r\n\r\n", "a".repeat(len - fixed));
    check(&[request(limit)], &["HTCPCP/1.1 200 OK: BREW coffee: Htcpcp []"]);
    let command = request(limit).replace("Content-Length: 0", "X-Not-Length: 000") + "coffee-message-body=start";
    check(&[command], &["HTCPCP/1.1 200 OK close: BREW coffee: Htcpcp [coffee-message-body=start]"]);
    let refused = "HTCPCP/1.1 431 Request Header Fields Too Large close: GET coffee: Htcpcp HeadTooLarge []";
    check(&[request(limit + 1)], &[refused]);
    check(&[request(3 * limit)], &[refused]);
    check(&[&request(limit)[..limit - 1]], &["HTCPCP/1.1 408 Request Timeout close: GET coffee: Htcpcp HeadTimeout []"]);
    check(&[&request(limit + 1)[..limit]], &[refused]);
    let endless = "a".repeat(limit);
    check(&[&endless[1..]], &["HTTP/1.1 408 Request Timeout close: GET  Http HeadTimeout []"]);
    check(&[endless], &["HTTP/1.1 431 Request Header Fields Too Large close: GET  Http HeadTooLarge []"]);
}

#[test]
fn each_head_has_its_own_time() {
    let said = run(async {
        let (pot, mut client) = tokio::io::duplex(4096);
        let options = options();
        let talk = async {
            for piece in ["GET / HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n"] {
                client.write_all(piece.as_bytes()).await.expect("the pot reads");
                tokio::time::sleep(Duration::from_secs(9)).await;
            }
            read_all(&mut client).await
        };
        tokio::join!(talk, server::serve(pot, &options, echo, std::future::pending())).0
    });
    let answered = "HTTP/1.1 200 OK: GET / Http []";
    assert_eq!(answers(&said), [answered, answered, "HTTP/1.1 408 Request Timeout close: GET / Http HeadTimeout []"]);
}

#[test]
fn an_idle_connection_closes_quietly() {
    for request in ["", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"] {
        let (said, took) = run(async {
            let begin = Instant::now();
            let (said, served) = converse(&[request.as_bytes()]).await;
            assert!(served.is_ok(), "{served:?}");
            (said, begin.elapsed())
        });
        assert_eq!(answers(&said).len(), usize::from(request.starts_with("GET")));
        assert_eq!(took.as_secs(), 60);
    }
}

/// Sends `request` and shuts down the writing side.
fn half_close(request: &str) -> Vec<u8> {
    run(async {
        let (pot, mut client) = tokio::io::duplex(4096);
        let options = options();
        let talk = async {
            client.write_all(request.as_bytes()).await.expect("the pot reads");
            client.shutdown().await.expect("the pot reads");
            read_all(&mut client).await
        };
        tokio::join!(talk, server::serve(pot, &options, echo, std::future::pending())).0
    })
}

#[test]
fn clients_that_shut_down_their_writing_side_are_answered() {
    for (request, expected) in [
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK: GET / Http []"),
        ("BREW coffee:/ HTTP/1.1\r\n\r\nstop", "HTCPCP/1.1 200 OK close: BREW coffee:/ Htcpcp [stop]"),
        ("BREW coffee:/ HTTP/1.1\r\n\r\n", "HTCPCP/1.1 200 OK: BREW coffee:/ Htcpcp []"),
        ("BREW coffee:/ HTTP/1.1\r\n", "HTCPCP/1.1 400 Bad Request close: GET coffee:/ Htcpcp HeadCut []"),
        ("PUT / HTTP/1.1\r\nContent-Length: 62\r\n\r\n1234567", "HTTP/1.1 200 OK: PUT / Http [broken]"),
    ] {
        assert_eq!(answers(&half_close(request)), [expected], "{request:?}");
    }
    assert_eq!(half_close(""), b"");
    assert_eq!(half_close("\r\n"), b"");
}

#[test]
fn a_promised_body_that_does_not_come_keeps_nobody() {
    check(&["PUT / HTTP/1.1\r\nContent-Length: 62\r\n\r\n1234567"], &["HTTP/1.1 200 OK: PUT / Http [late]"]);
}

/// The writes by which the pot answers `request`.
fn writes<F, B>(request: &str, handler: impl Fn(Request<Incoming>, Asked) -> F) -> Vec<String>
where
    F: Future<Output = Response<B>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    run(async {
        let (pot, mut client) = tokio::io::duplex(1 << 20);
        let (options, log) = (options(), Log::default());
        let pot = Tap { stream: pot, log: log.clone() };
        let talk = async {
            client.write_all(request.as_bytes()).await.expect("the pot reads");
            read_all(&mut client).await
        };
        let (said, served) = tokio::join!(talk, server::serve(pot, &options, handler, std::future::pending()));
        served.expect("nothing is wrong");
        assert_eq!(log.writes().concat().as_bytes(), said);
        log.writes()
    })
}

#[test]
fn head_and_body_leave_in_one_write() {
    for request in [&format!("{LAB_BREW}start"), "GET / HTTP/1.1\r\n\r\n", "GET coffee://ducky HTTP/1.1\r\n\r\n", "hello\r\n"] {
        let writes = writes(request, echo);
        assert_eq!(writes.len(), 1, "{writes:?}");
    }
    let pipelined = writes("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", echo);
    assert_eq!(pipelined.len(), 2, "{pipelined:?}");
}

#[test]
fn answers_without_a_body_do_not_confuse_the_next_ones() {
    let handler = |request: Request<Incoming>, _: Asked| async move {
        let status = request.uri().path().trim_start_matches('/').parse().unwrap_or(StatusCode::OK);
        let body = if status == StatusCode::OK { "HTTP/1.1 200 OK\r\n\r\n" } else { "" };
        answer(status, body)
    };
    let request = "HEAD / HTCPCP/1.1\r\n\r\nGET /204 HTCPCP/1.1\r\n\r\nGET /304 HTCPCP/1.1\r\n\r\nGET /404 HTCPCP/1.1\r\n\r\nGET / HTCPCP/1.1\r\n\r\n";
    let writes = writes(request, handler);
    let lines: Vec<_> = writes.iter().map(|write| write.lines().next().expect("there is a line")).collect();
    assert_eq!(
        lines,
        ["HTCPCP/1.1 200 OK", "HTCPCP/1.1 204 No Content", "HTCPCP/1.1 304 Not Modified", "HTCPCP/1.1 404 Not Found", "HTCPCP/1.1 200 OK"]
    );
    assert!(writes[0].contains("Content-Length: 19\r\n") && writes[0].ends_with("\r\n\r\n"));
    assert!(writes[4].ends_with("\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"));
}

#[test]
fn streamed_bodies_keep_their_bytes() {
    const CHUNKS: [&str; 4] = ["HTTP/1.1 200 OK\r\n\r\n", "0\r\n\r\n", "HTTP/1.1 ", "\r\n0\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n"];
    let handler = |request: Request<Incoming>, _: Asked| async move {
        let sized = request.uri().path() == "/sized";
        let frames = CHUNKS.map(|chunk| Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(chunk.as_bytes()))));
        let mut answer = Response::new(StreamBody::new(Frames(frames.into_iter())));
        if sized {
            answer.headers_mut().insert("content-length", CHUNKS.concat().len().into());
        }
        answer
    };
    let written =
        writes("GET / HTCPCP/1.1\r\n\r\nGET /sized HTCPCP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTCPCP/1.0\r\n\r\n", handler).concat();
    let chunked: String = CHUNKS.iter().map(|chunk| format!("{:X}\r\n{chunk}\r\n", chunk.len())).collect::<String>() + "0\r\n\r\n";
    let sized = CHUNKS.concat();
    for (begin, body) in
        [("HTCPCP/1.1 200 OK", &chunked), ("HTCPCP/1.1 200 OK", &sized), ("HTTP/1.1 200 OK", &chunked), ("HTCPCP/1.0 200 OK", &sized)]
    {
        let whole = format!("\r\n\r\n{body}");
        assert!(written.contains(begin) && written.contains(&whole), "{written}");
    }
    assert_eq!(written.matches("HTCPCP/1.").count(), 3, "{written}");
    assert_eq!(written.matches("HTTP/1.1 404").count(), 4, "{written}");
}

#[test]
fn a_client_that_expects_to_continue_is_told_to() {
    let request = "PUT coffee://ducky HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    check(&[request, "stop"], &["HTCPCP/1.1 100 Continue", "HTCPCP/1.1 200 OK: PUT coffee://ducky Htcpcp [stop]"]);
    check(
        &["PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", "stopGET coffee: HTTP/1.1\r\n\r\n"],
        &["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK: PUT / Http [stop]", "HTCPCP/1.1 200 OK: GET coffee: Htcpcp []"],
    );
    let refusing = |_: Request<Incoming>, _: Asked| async { answer(StatusCode::PAYLOAD_TOO_LARGE, "too much") };
    let refused = writes(request, refusing).concat();
    assert_eq!(answers(refused.as_bytes()), ["HTCPCP/1.1 413 Payload Too Large close: too much"]);
}

#[test]
fn a_handler_may_answer_before_the_body_is_there() {
    let handler = |_: Request<Incoming>, _: Asked| async { answer(StatusCode::OK, "done") };
    let whole = "PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nstopGET coffee: HTTP/1.1\r\n\r\n";
    assert_eq!(answers(writes(whole, handler).concat().as_bytes()), ["HTTP/1.1 200 OK: done", "HTCPCP/1.1 200 OK: done"]);
}

#[test]
fn a_request_waits_until_the_answer_before_it_has_left() {
    const LONG: usize = 500_000;
    // The first answer is given while its request is still on its way, is more than hyper buffers, and the client is
    // slow to take it: hyper reads the second request while the end of the first answer is still with it.
    let handler = |request: Request<Incoming>, asked: Asked| async move {
        if request.uri().path() != "/long" {
            return echo(request, asked).await.map(BodyExt::boxed_unsync);
        }
        tokio::spawn(request.into_body().collect());
        let frames = ["a".repeat(LONG), "b".to_owned()].map(|text| Ok(Frame::data(Bytes::from(text))));
        answer(StatusCode::OK, "").map(|_| StreamBody::new(Frames(frames.into_iter())).boxed_unsync())
    };
    let (said, took) = run(async {
        let begin = Instant::now();
        let (pot, mut client) = tokio::io::duplex(1000);
        // A task of its own, so that nothing wakes it but what it waits for.
        tokio::spawn(async move { server::serve(pot, &options(), handler, std::future::pending()).await });
        client.write_all(b"PUT /long HTTP/1.1\r\nContent-Length: 5\r\n\r\nst").await.expect("the pot reads");
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.write_all(b"artGET coffee: HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n").await.expect("the pot reads");
        tokio::time::sleep(Duration::from_secs(1)).await;
        (read_all(&mut client).await, begin.elapsed())
    });
    let long = format!("HTTP/1.1 200 OK: {LONG:X}\r\n{}\r\n1\r\nb\r\n0\r\n\r\n", "a".repeat(LONG));
    assert_eq!(answers(&said), [&long, "HTCPCP/1.1 200 OK: GET coffee: Htcpcp []", "HTTP/1.1 200 OK: GET / Http []"]);
    assert_eq!(took, Duration::from_secs(2) + options().idle_time);
}

#[test]
fn a_version_that_hyper_cannot_write_does_no_harm() {
    let handler = |_: Request<Incoming>, _: Asked| async {
        let mut answer = answer(StatusCode::OK, "");
        *answer.version_mut() = http::Version::HTTP_3;
        answer
    };
    assert_eq!(answers(writes("GET / HTTP/1.1\r\n\r\n", handler).concat().as_bytes()), ["HTTP/1.1 200 OK"]);
}

#[test]
fn a_client_that_reads_nothing_is_dropped() {
    for dialect in ["HTTP", "HTCPCP"] {
        let (served, took) = run(async {
            let (pot, mut client) = tokio::io::duplex(1000);
            let options = options();
            let begin = Instant::now();
            let handler = |_: Request<Incoming>, _: Asked| async { answer(StatusCode::OK, "a".repeat(100_000)) };
            client.write_all(format!("GET / {dialect}/1.1\r\n\r\n").as_bytes()).await.expect("the pot reads");
            let served = server::serve(pot, &options, handler, std::future::pending()).await;
            drop(client);
            (served, begin.elapsed())
        });
        assert!(matches!(served, Err(Error::Stalled)), "{served:?}");
        assert_eq!(took.as_secs(), 10);
    }
}

#[test]
fn a_client_that_reads_slowly_gets_everything() {
    for dialect in ["HTTP", "HTCPCP"] {
        let said = run(async {
            let (pot, mut client) = tokio::io::duplex(1000);
            let options = options();
            let handler = |_: Request<Incoming>, _: Asked| async { answer(StatusCode::OK, "a".repeat(20_000)) };
            let talk = async {
                client.write_all(format!("GET / {dialect}/1.1\r\nConnection: close\r\n\r\n").as_bytes()).await.expect("the pot reads");
                let mut said = Vec::new();
                let mut buffer = [0; 700];
                loop {
                    tokio::time::sleep(Duration::from_secs(9)).await;
                    match client.read(&mut buffer).await.expect("the pot writes") {
                        0 => break said,
                        len => said.extend_from_slice(&buffer[..len]),
                    }
                }
            };
            tokio::join!(talk, server::serve(pot, &options, handler, std::future::pending())).0
        });
        assert!(said.starts_with(format!("{dialect}/1.1 200 OK\r\n").as_bytes()));
        assert!(said.ends_with("a".repeat(20_000).as_bytes()));
    }
}

#[tokio::test]
async fn the_last_answer_is_not_lost_while_the_client_still_sends() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("the loopback is there");
    let address = listener.local_addr().expect("it is bound");
    for _ in 0..20 {
        let serving = async {
            let (stream, _) = listener.accept().await.expect("the client comes");
            let handler = |_: Request<Incoming>, _: Asked| async { answer(StatusCode::PAYLOAD_TOO_LARGE, "enough") };
            server::serve(stream, &options(), handler, std::future::pending()).await
        };
        let asking = async {
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("the pot listens");
            stream.write_all(b"PUT coffee: HTTP/1.1\r\nContent-Length: 500000\r\n\r\n").await.expect("the pot reads");
            for _ in 0..10 {
                stream.write_all(&[b'a'; 50_000]).await.expect("the pot drains");
            }
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await.expect("nothing is reset");
            said
        };
        let (said, _) = tokio::join!(asking, serving);
        assert_eq!(answers(&said), ["HTCPCP/1.1 413 Payload Too Large close: enough"]);
    }
}

#[test]
fn what_is_drained_is_limited_in_bytes_and_time() {
    let handler = |_: Request<Incoming>, _: Asked| async { answer(StatusCode::PAYLOAD_TOO_LARGE, "enough") };
    let request = "PUT coffee: HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n";
    let (sent, took) = run(async {
        let (pot, mut client) = tokio::io::duplex(1 << 10);
        let options = options();
        let talk = async {
            client.write_all(request.as_bytes()).await.expect("the pot reads");
            let mut sent = 0;
            while client.write_all(&[b'a'; 1000]).await.is_ok() {
                sent += 1000;
            }
            sent
        };
        let begin = Instant::now();
        (tokio::join!(talk, server::serve(pot, &options, handler, std::future::pending())).0, begin.elapsed())
    });
    let limit = options().drain_limit;
    assert!((limit..limit + 20_000).contains(&sent), "{sent}");
    assert_eq!(took.as_secs(), 0);

    let took = run(async {
        let (pot, mut client) = tokio::io::duplex(1 << 10);
        client.write_all(request.as_bytes()).await.expect("the pot reads");
        let begin = Instant::now();
        let _ = server::serve(pot, &options(), handler, std::future::pending()).await;
        begin.elapsed()
    });
    assert_eq!(took, options().drain_time);
}

#[tokio::test]
async fn a_connection_can_be_spawned() {
    let (pot, mut client) = tokio::io::duplex(4096);
    let serving = tokio::spawn(async move { server::serve(pot, &options(), echo, std::future::pending()).await });
    client.write_all(b"GET coffee: HTTP/1.1\r\nConnection: close\r\n\r\n").await.expect("the pot reads");
    assert_eq!(answers(&read_all(&mut client).await), ["HTCPCP/1.1 200 OK close: GET coffee: Htcpcp []"]);
    drop(client);
    serving.await.expect("it does not panic").expect("nothing is wrong");
}

#[test]
fn a_body_is_streamed_to_the_handler() {
    let handler = |request: Request<Incoming>, _: Asked| async move {
        let mut body = request.into_body();
        let first = body.frame().await.expect("there is a frame").expect("nothing is wrong");
        answer(StatusCode::OK, first.into_data().unwrap_or_default())
    };
    let said = run(async {
        let (pot, mut client) = tokio::io::duplex(4096);
        let options = options();
        let talk = async {
            client.write_all(b"PUT coffee: HTTP/1.1\r\nContent-Length: 10\r\n\r\nstart").await.expect("the pot reads");
            let mut said = [0; 17];
            client.read_exact(&mut said).await.expect("the pot answers before the rest is there");
            said
        };
        tokio::select! {
            said = talk => said,
            _ = server::serve(pot, &options, handler, std::future::pending()) => panic!("the answer comes first"),
        }
    });
    assert_eq!(&said, b"HTCPCP/1.1 200 OK");
}
