//! Clients that a pot meets in the wild, and some that one would rather not meet: raw bytes in, raw bytes out. Whatever
//! they do, they are answered or left alone in bounded time, and the pot lives on.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::random::Random;
use common::{LAB_GET, PATIENCE, Pot, Setup, lab_brew, read_all, read_answer, split_answers, wait_until};

/// What the client of a limit's test has to wait for: longer than a loaded machine pauses, shorter than a reader's patience.
const LIMIT: Duration = Duration::from_millis(300);

/// A pot that waits for as long as a test does: what is sent in pieces arrives, however slow the machine is.
fn patient() -> Setup {
    let mut setup = Setup::default();
    setup.limits.connection.grace_time = PATIENCE;
    setup
}

/// A pot that waits for nothing longer than [`LIMIT`].
fn impatient() -> Setup {
    let mut setup = Setup::default();
    let connection = &mut setup.limits.connection;
    (connection.head_time, connection.idle_time, connection.write_time) = (LIMIT, LIMIT, LIMIT);
    setup.limits.body_time = LIMIT;
    setup
}

/// The status lines of all that a new pot answers to `request`, after which nothing comes.
#[track_caller]
fn check(request: impl AsRef<[u8]>, expected: &[&str]) {
    let request = request.as_ref();
    let answers = split_answers(&Pot::with(patient()).all_answers(request));
    let lines: Vec<_> = answers.iter().map(|answer| answer.status_line.as_str()).collect();
    assert_eq!(lines, expected, "{}", request.escape_ascii());
}

/// The status line that an impatient pot answers to `request` when the limit is over, before it closes. The client
/// waits, and does not say that nothing more will come.
#[track_caller]
fn check_limit(request: impl AsRef<[u8]>, expected: &str) {
    let pot = Pot::with(impatient());
    let begun = Instant::now();
    let mut stream = pot.connect();
    stream.write_all(request.as_ref()).expect("the pot reads");
    let answers = split_answers(&read_all(&mut stream));
    assert!(begun.elapsed() >= LIMIT, "it was answered before its time was over");
    let lines: Vec<_> = answers.iter().map(|answer| answer.status_line.as_str()).collect();
    assert_eq!(lines, [expected], "{}", request.as_ref().escape_ascii());
}

/// A command of `len` bytes, of which `body` is sent.
fn sized(target: &str, len: usize, body: &str) -> String {
    format!("BREW {target} HTTP/1.1\r\nContent-Type: message/coffeepot\r\nContent-Length: {len}\r\n\r\n{body}")
}

const CHUNKED: &str =
    "POST / HTTP/1.1\r\nContent-Type: message/coffeepot\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nst\r\n2\r\nop\r\n0\r\n\r\n";

// How bytes come.

#[test]
fn messages_may_be_split_at_every_byte() {
    let pot = Pot::with(patient());
    let requests = [
        LAB_GET.to_string(),
        lab_brew("Use-Pot: ducky\r\n", "stop"),
        "\r\nGET /pot-1 HTTP/1.1\r\nHost: ducky\r\n\r\n".into(),
        "GET caf%C3%E8://ducky HTCPCP/1.0\nX: y\n\n".into(),
        sized("coffee://ducky", 4, "stop"),
        CHUNKED.into(),
    ];
    for request in requests {
        let whole = pot.ask(&request);
        for at in 1..request.len() {
            let mut stream = pot.connect();
            stream.write_all(&request.as_bytes()[..at]).unwrap();
            thread::sleep(Duration::from_millis(1));
            stream.write_all(&request.as_bytes()[at..]).unwrap();
            assert_eq!(read_answer(&mut stream, false), whole, "{request:?} at {at}");
        }
        let mut stream = pot.connect();
        for byte in request.bytes() {
            stream.write_all(&[byte]).unwrap();
        }
        assert_eq!(read_answer(&mut stream, false), whole, "{request:?} byte by byte");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order_each_in_its_dialect() {
    let requests = [
        (LAB_GET.to_string(), "HTCPCP/1.1 200 OK"),
        ("GET / HTTP/1.1\r\n\r\n".into(), "HTTP/1.1 200 OK"),
        (sized("/", 5, "start"), "HTTP/1.1 200 OK"),
        (sized("coffee://ducky", 5, "start"), "HTCPCP/1.1 406 Not Acceptable"),
        ("GET coffee://psyduck HTTP/1.1\r\n\r\n".into(), "HTCPCP/1.1 404 Not Found"),
        ("MILK / HTTP/1.1\r\n\r\n".into(), "HTTP/1.1 501 Not Implemented"),
        ("WHEN * HTCPCP/1.1\r\n\r\n".into(), "HTCPCP/1.1 409 Conflict"),
        (sized("coffee://ducky", 4, "stop"), "HTCPCP/1.1 200 OK"),
        // It ends the connection, and comes last for that.
        (CHUNKED.to_string(), "HTTP/1.1 409 Conflict"),
    ];
    let (all, expected): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
    check(all.concat(), &expected);
}

#[test]
fn a_thousand_pipelined_requests_are_all_answered() {
    let requests = ["GET coffee:?cream HTTP/1.1\r\n\r\n", "GET /pot-0 HTTP/1.1\r\n\r\n", "GET coffee:/pot-9 HTTP/1.1\r\n\r\n"];
    let expected = ["HTCPCP/1.1 200 OK", "HTTP/1.1 200 OK", "HTCPCP/1.1 404 Not Found"];
    check(requests.repeat(333).concat(), &expected.repeat(333));
}

#[test]
fn a_connection_is_kept_for_many_requests() {
    let pot = Pot::start();
    let mut stream = pot.connect();
    for round in 0..100 {
        let (command, brewing) = if round % 2 == 0 { (sized("coffee:", 5, "start"), true) } else { (sized("/", 4, "stop"), false) };
        stream.write_all(command.as_bytes()).unwrap();
        assert_eq!(read_answer(&mut stream, false).code(), 200, "round {round}");
        stream.write_all(LAB_GET.as_bytes()).unwrap();
        assert_eq!(read_answer(&mut stream, false).body != "{}", brewing, "round {round}");
    }
}

#[test]
fn bodies_that_look_like_messages_are_bodies() {
    let (bad, ok) = ("HTCPCP/1.1 400 Bad Request", "HTCPCP/1.1 200 OK");
    for body in
        ["HTCPCP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", LAB_GET, "start\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"]
    {
        check(sized("coffee://ducky", body.len(), body) + LAB_GET, &[bad, ok]);
    }
    // Behind a command that no length announced nothing is a request: who sends so does not know where messages end.
    check(lab_brew("", &format!("start{LAB_GET}")), &[ok]);
    check(lab_brew("", "start\r\nHTCPCP/1.1 200 OK\r\n\r\n"), &[ok]);
}

#[test]
fn a_client_that_stops_sending_is_answered() {
    check(LAB_GET, &["HTCPCP/1.1 200 OK"]);
    check(lab_brew("", "start"), &["HTCPCP/1.1 200 OK"]);
    check(lab_brew("", ""), &["HTCPCP/1.1 400 Bad Request"]);
    // What has not become a command was the begin of another request.
    check(lab_brew("", "sta"), &["HTCPCP/1.1 400 Bad Request", "HTTP/1.1 400 Bad Request"]);
    check("", &[]);
    check("\r\n\r\n", &[]);
}

// What clients in the wild send.

#[test]
fn versions_in_the_wild_are_answered_as_they_ask() {
    check("GET coffee://ducky HTCPCP/1.0\r\n\r\n", &["HTCPCP/1.0 200 OK"]);
    check("GET / HTCPCP/1.0\r\n\r\n", &["HTCPCP/1.0 200 OK"]);
    check("GET / HTCPCP/1.1\r\n\r\n", &["HTCPCP/1.1 200 OK"]);
    check("GET /pot-0 HTCPCP-TEA/1.0\r\n\r\n", &["HTCPCP/1.0 200 OK"]);
    check("GET coffee://ducky HTTP/1.0\r\n\r\n", &["HTCPCP/1.0 200 OK"]);
    check("GET / HTTP/1.0\r\n\r\n", &["HTTP/1.0 200 OK"]);
    check("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n", &["HTTP/1.0 200 OK"; 2]);
    check("BREW /pot-1 HTCPCP/1.0\r\nContent-Type: message/coffeepot\r\n\r\nstart", &["HTCPCP/1.0 200 OK"]);
    check("POST / HTTP/1.0\r\nContent-Type: message/coffeepot\r\n\r\nstart", &["HTTP/1.0 200 OK"]);
}

#[test]
fn targets_in_the_wild_are_the_coffee_pot() {
    let line = |target: &str| format!("{}/1.1 200 OK", if target == "pot-1" { "HTCPCP" } else { "HTTP" });
    for target in ["/pot-1", "pot-1", "*", "/"] {
        check(format!("GET {target} HTTP/1.1\r\n\r\n"), &[&line(target)]);
        check(format!("BREW {target} HTTP/1.1\r\nContent-Type: message/coffeepot\r\n\r\nstart"), &[&line(target)]);
        check(sized(target, 5, "start"), &[&line(target)]);
    }
}

#[test]
fn bare_line_feeds_end_lines() {
    let ok = "HTCPCP/1.1 200 OK";
    check(LAB_GET.replace("\r\n", "\n").repeat(2), &[ok, ok]);
    check(lab_brew("Use-Pot: ducky\r\n", "start\r\n").replace("\r\n", "\n"), &[ok]);
    check("GET / HTTP/1.1\nHost: ducky\r\n\n", &["HTTP/1.1 200 OK"]);
}

#[test]
fn a_head_without_a_blank_line_is_answered_when_its_time_is_over() {
    check_limit("GET coffee://ducky HTTP/1.1\r\nUse-Pot: ducky\r\n", "HTCPCP/1.1 408 Request Timeout");
    check_limit("GET / HTTP/1.1\r\nHost: ducky\r\n", "HTTP/1.1 408 Request Timeout");
    check_limit("BREW coffee://ducky HTTP/1.1\r\nContent-Type: message/coffeepot\r\nstart", "HTCPCP/1.1 408 Request Timeout");
    check_limit("GE", "HTTP/1.1 408 Request Timeout");
    check("GET coffee://ducky HTTP/1.1\r\nUse-Pot: ducky\r\n", &["HTCPCP/1.1 400 Bad Request"]);
}

#[test]
fn seven_bytes_of_sixty_two_are_answered_when_their_time_is_over() {
    check_limit(sized("coffee://ducky", 62, "start\r\n"), "HTCPCP/1.1 408 Request Timeout");
    check_limit(sized("/", 62, "start\r\n"), "HTTP/1.1 408 Request Timeout");
    check_limit(CHUNKED.strip_suffix("0\r\n\r\n").unwrap(), "HTTP/1.1 408 Request Timeout");
    check(sized("coffee://ducky", 62, "start\r\n"), &["HTCPCP/1.1 400 Bad Request"]);
}

#[test]
fn additions_in_the_wild_are_understood() {
    for (value, expected) in [
        ("cream;1,whisky;3", ["cream", "whisky"]),
        ("#Almond;2#Vanilla;5", ["almond", "vanilla"]),
        ("milk-type=Cream; syrup-type=Vanilla", ["cream", "vanilla"]),
    ] {
        let pot = Pot::start();
        assert_eq!(pot.ask(lab_brew(&format!("Accept-Additions: {value}\r\n"), "start")).code(), 200, "{value}");
        assert_eq!(pot.ask(LAB_GET).json()["additions"], serde_json::json!(expected), "{value}");
    }
}

#[test]
fn curl_brews_coffee() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no curl here");
        return;
    }
    let pot = Pot::start();
    let command = ["-H", "Content-Type: application/coffee-pot-command"];
    let large = "start".repeat(500_000);
    let long = ["-H", "Expect: 100-continue", "-d", "@-"];
    for (args, code, body) in [
        ([&["-X", "BREW", "-d", "start"], &command[..]].concat(), "200", ""),
        ([&["-X", "BREW", "-d", "start"], &command[..]].concat(), "406", "Pot is busy"),
        (vec!["-X", "WHEN"], "409", "No milk is being poured"),
        (vec!["--head"], "200", ""),
        ([&["-d", "stop", "-H", "Transfer-Encoding: chunked"], &command[..]].concat(), "200", ""),
        (vec![], "200", "{}"),
        (vec!["--http1.0"], "200", "{}"),
        (vec!["-X", "PROPFIND"], "200", "{}"),
        (vec!["-X", "MILK"], "501", "The methods are BREW, POST, GET, HEAD, PROPFIND and WHEN"),
        ([&long, &command[..]].concat(), "413", "The body is too large"),
    ] {
        let mut child = Command::new("curl")
            .args(["--silent", "--noproxy", "*", "--max-time", "30", "--write-out", "\n%{http_code}"])
            .args(&args)
            .arg(format!("http://{}/", pot.address))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("curl runs");
        // It need not read all of it, or any.
        let _ = child.stdin.take().unwrap().write_all(large.as_bytes());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let said = said.split_once("\r\n\r\n").map_or(said.as_str(), |(_, body)| body);
        assert_eq!((output.status.code(), said.trim_start()), (Some(0), format!("{body}\n{code}").trim_start()), "curl {args:?}");
    }
}

// What a client may demand.

#[test]
fn a_head_is_as_large_as_the_limit_and_no_larger() {
    let limit = Setup::default().limits.connection.head_limit;
    let head = |target: &str, len: usize| {
        let (begin, end) = (format!("GET {target} HTTP/1.1\r\nX: "), "\r\n\r\n");
        format!("{begin}{}{end}", "x".repeat(len - begin.len() - end.len()))
    };
    for (target, protocol) in [("coffee://ducky", "HTCPCP"), ("/", "HTTP")] {
        check(head(target, limit), &[&format!("{protocol}/1.1 200 OK")]);
        for len in [limit + 1, 2 * limit, 100 * limit] {
            check(head(target, len), &[&format!("{protocol}/1.1 431 Request Header Fields Too Large")]);
        }
    }
    check(format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(limit)), &["HTTP/1.1 431 Request Header Fields Too Large"]);
    check("X".repeat(limit), &["HTTP/1.1 431 Request Header Fields Too Large"]);
    check(format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(500)), &["HTTP/1.1 431 Request Header Fields Too Large"]);
}

#[test]
fn a_large_body_is_413() {
    check(sized("coffee://ducky", 2000, &"s".repeat(2000)), &["HTCPCP/1.1 413 Content Too Large"]);
    check(sized("/", 500_000, &"s".repeat(500_000)), &["HTTP/1.1 413 Content Too Large"]);
    let (head, _) = CHUNKED.split_at(CHUNKED.len() - "0\r\n\r\n".len());
    check(format!("{head}1000\r\n{}\r\n0\r\n\r\n", "p".repeat(0x1000)), &["HTTP/1.1 413 Content Too Large"]);
    check_unsent_body_is_refused();
}

/// Who promises more than anybody could send is told so when that much has come, and not at the end.
#[track_caller]
fn check_unsent_body_is_refused() {
    let pot = Pot::start();
    let mut stream = pot.connect();
    stream.write_all(sized("coffee://ducky", usize::MAX / 2, &"s".repeat(2000)).as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream, false).code(), 413);
}

#[test]
fn a_silent_client_is_left_quietly() {
    let pot = Pot::with(impatient());
    for (request, answers) in [("", 0), (LAB_GET, 1), ("\r\n", 0)] {
        let begun = Instant::now();
        let mut stream = pot.connect();
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(split_answers(&read_all(&mut stream)).len(), answers, "{request:?}");
        assert!(begun.elapsed() >= LIMIT, "{request:?}");
    }
}

#[test]
fn a_slow_client_is_answered_if_it_is_fast_enough_and_not_for_ever() {
    let mut setup = impatient();
    setup.limits.connection.head_time = LIMIT * 10;
    let pot = Pot::with(setup);
    let mut stream = pot.connect();
    for byte in "GET / HTTP/1.1\r\n\r\n".bytes() {
        stream.write_all(&[byte]).unwrap();
        thread::sleep(LIMIT / 10);
    }
    assert_eq!(read_answer(&mut stream, false).code(), 200);
    // One byte after the other does not prolong a head's time.
    let begun = Instant::now();
    let mut dripping = stream.try_clone().unwrap();
    let drip = thread::spawn(move || {
        while dripping.write_all(b"X").is_ok() && begun.elapsed() < PATIENCE {
            thread::sleep(LIMIT / 10);
        }
    });
    let last = read_answer(&mut stream, false);
    assert_eq!(last.code(), 408);
    assert!((LIMIT * 10..PATIENCE).contains(&begun.elapsed()));
    drop(stream);
    drip.join().unwrap();
}

#[test]
fn a_client_that_never_reads_loses_its_place() {
    let mut setup = impatient();
    (setup.limits.listen.connections, setup.limits.listen.turned_away) = (1, 1);
    let pot = Pot::with(setup);
    let mut stream = pot.connect();
    stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let requests = LAB_GET.repeat(1000);
    while stream.write_all(requests.as_bytes()).is_ok() {}
    wait_until(|| pot.ask(LAB_GET).code() == 200);
}

/// A connection that has a place, because it has been answered.
fn admitted(pot: &Pot) -> TcpStream {
    let mut stream = pot.connect();
    stream.write_all(LAB_GET.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream, false).code(), 200);
    stream
}

#[test]
fn who_finds_no_place_is_told_so_and_finds_one_when_it_is_free() {
    let mut setup = Setup::default();
    (setup.limits.listen.connections, setup.limits.listen.turned_away) = (2, 2);
    let pot = Pot::with(setup);
    let (first, mut second) = (admitted(&pot), admitted(&pot));
    for (request, line) in [
        (LAB_GET.to_string(), "HTCPCP/1.1 503 Service Unavailable"),
        (lab_brew("", "start"), "HTCPCP/1.1 503 Service Unavailable"),
        ("GET / HTTP/1.1\r\n\r\n".into(), "HTTP/1.1 503 Service Unavailable"),
    ] {
        let mut stream = pot.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let answers = split_answers(&read_all(&mut stream));
        assert_eq!((answers.len(), answers[0].status_line.as_str()), (1, line));
        assert_eq!(answers[0].field("Connection"), Some("close"));
    }
    drop(first);
    wait_until(|| pot.ask(LAB_GET).code() == 200);
    second.write_all(LAB_GET.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut second, false).body, "{}", "who has a place keeps it");
}

#[test]
fn more_clients_than_places_and_lobby_are_all_told_in_bounded_time() {
    let mut setup = Setup::default();
    (setup.limits.listen.connections, setup.limits.listen.turned_away) = (2, 2);
    let pot = Pot::with(setup);
    let _seated = [admitted(&pot), admitted(&pot)];
    // The lobby is full of people who have nothing to say.
    let _silent: Vec<_> = (0..4).map(|_| pot.connect()).collect();
    let mut waiting: Vec<_> = (0..20).map(|_| pot.connect()).collect();
    for stream in &mut waiting {
        stream.write_all(LAB_GET.as_bytes()).unwrap();
    }
    for stream in &mut waiting {
        assert_eq!(read_answer(stream, false).status_line, "HTCPCP/1.1 503 Service Unavailable");
    }
}

// What no client should send.

#[test]
fn connecting_and_going_away_harms_nobody() {
    let pot = Pot::start();
    for _ in 0..200 {
        drop(pot.connect());
    }
    for _ in 0..50 {
        // What is not read when a socket is closed makes it a reset.
        let mut stream = pot.connect();
        stream.write_all(LAB_GET.repeat(3).as_bytes()).unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
    for part in ["B", "BREW coffee://ducky HT", &lab_brew("", "sta"), &sized("/", 100, "start")] {
        pot.connect().write_all(part.as_bytes()).unwrap();
    }
    assert_eq!(pot.ask(LAB_GET).body, "{}");
}

#[test]
fn what_is_no_request_is_told_so_at_once() {
    // The begin of a TLS 1.3 ClientHello.
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x9a\x8b\x0a\x0d";
    let socks = b"\x05\x01\x00";
    let http_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let garbage: Vec<u8> = (0..=255).cycle().take(5000).collect();
    for bytes in [&hello[..], socks, http_2, &garbage, b"\0", b"GET\r\n\r\n", b" / HTTP/1.1\r\n\r\n"] {
        // Without saying that nothing more will come.
        let pot = Pot::start();
        let mut stream = pot.connect();
        stream.write_all(bytes).unwrap();
        let answers = split_answers(&read_all(&mut stream));
        let lines: Vec<_> = answers.iter().map(|answer| answer.status_line.as_str()).collect();
        assert_eq!(lines, ["HTTP/1.1 400 Bad Request"], "{}", bytes.escape_ascii());
    }
    check("GET coffee://ducky HTCPCP/2.0\r\n\r\n", &["HTCPCP/1.1 400 Bad Request"]);
    check("HTTP/1.1 200 OK\r\n\r\n", &["HTCPCP/1.1 400 Bad Request"]);
    check("GET coffee://ducky /pot-1 HTTP/1.1\r\n\r\n", &["HTCPCP/1.1 400 Bad Request"]);
}

/// Good requests, some of which are sent one after the other, with damage.
fn mutant(random: &mut Random) -> Vec<u8> {
    let good = [
        LAB_GET,
        &lab_brew("Accept-Additions: cream; vanilla\r\nUse-Pot: ducky\r\n", "start"),
        &lab_brew("", "coffee-message-body=stop\r\n"),
        &sized("caf%C3%E8://ducky/pot-1?oat%20milk", 5, "start"),
        "WHEN pot-1 HTCPCP/1.0\n\n",
        "PROPFIND http://ducky:5030/pot-0 HTTP/1.1\r\nHost: ducky\r\nConnection: close\r\n\r\n",
        "GET /log?before=3&limit=5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        CHUNKED,
    ];
    const TELLING: [&[u8]; 16] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b" ",
        b":",
        b";",
        b",",
        b"%",
        b"\0",
        b"\xff",
        b"0",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"HTCPCP/1.1",
        b"coffee://",
    ];
    let mut bytes: Vec<u8> = (0..=random.below(3)).flat_map(|_| random.pick(&good).bytes()).collect();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = at + random.below((bytes.len() - at).min(20));
        match random.below(5) {
            0 => bytes.truncate(at + 1),
            1 => bytes[at] = random.below(256) as u8,
            2 => drop(bytes.splice(at..end, random.pick(&TELLING).iter().copied())),
            3 => drop(bytes.drain(at..end.min(bytes.len() - 1))),
            _ => bytes.extend_from_within(at..end),
        }
    }
    bytes
}

#[test]
fn ten_thousand_damaged_requests_are_answered_or_left() {
    let mut setup = Setup::default();
    setup.limits.connection.grace_time = Duration::from_millis(10);
    let pot = Pot::with(setup);
    thread::scope(|scope| {
        for seed in 0..4 {
            let pot = &pot;
            scope.spawn(move || {
                let mut random = Random::new(seed);
                for _ in 0..2500 {
                    let bytes = mutant(&mut random);
                    let (begin, end) = bytes.split_at(random.below(bytes.len()));
                    let mut stream = pot.connect();
                    stream.write_all(begin).unwrap();
                    // The pot may have heard enough by then.
                    let _ = stream.write_all(end);
                    if random.below(10) == 0 {
                        continue;
                    }
                    let _ = stream.shutdown(Shutdown::Write);
                    let answers = split_answers(&read_all(&mut stream));
                    assert!(answers.iter().all(|answer| answer.field("Server").is_some()), "{}", bytes.escape_ascii());
                }
            });
        }
    });
    let answer = pot.ask(LAB_GET);
    assert_eq!((answer.code(), answer.json().is_object()), (200, true));
}

/// The program: what it does at a signal, and when it cannot serve.
#[cfg(unix)]
mod program {
    use super::*;
    use common::process::{Process, refused, serve_args};
    use rustix::process::Signal;

    const UPLOAD: &str = "BREW / HTTP/1.1\r\nContent-Type: message/coffeepot\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

    /// A BREW that is being answered: the pot waits for its body, and says so.
    fn begin_upload(pot: &Process) -> TcpStream {
        let mut stream = common::connect(pot.address);
        stream.write_all(UPLOAD.as_bytes()).unwrap();
        let mut line = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream
    }

    fn wait_until_nobody_listens(pot: &Process) {
        wait_until(|| TcpStream::connect(pot.address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused));
    }

    #[test]
    fn at_a_signal_running_answers_finish_and_the_pot_ends() {
        for signal in [Signal::INT, Signal::TERM] {
            let folder = tempfile::tempdir().unwrap();
            let mut pot = Process::start(&folder.path().join("log"), &["--body-time", "30s", "--head-time", "30s"]);
            let mut running = begin_upload(&pot);
            // An answer tells that the pot has accepted the connection.
            let mut idle = common::connect(pot.address);
            idle.write_all(LAB_GET.as_bytes()).unwrap();
            read_answer(&mut idle, false);
            let mut unfinished = common::connect(pot.address);
            unfinished.write_all(format!("{LAB_GET}GET / HTTP/1.1\r\n").as_bytes()).unwrap();
            read_answer(&mut unfinished, false);

            pot.signal(signal);
            wait_until_nobody_listens(&pot);
            assert_eq!(read_all(&mut idle), "");
            assert_eq!(read_all(&mut unfinished), "");
            running.write_all(b"start").unwrap();
            let answers = split_answers(&read_all(&mut running));
            assert_eq!((answers.len(), answers[0].code()), (1, 200));
            assert_eq!(pot.exit_code(), Some(0));
        }
    }

    #[test]
    fn nobody_can_keep_a_pot_from_ending() {
        let folder = tempfile::tempdir().unwrap();
        let mut pot = Process::start(&folder.path().join("log"), &["--body-time", "1h"]);
        let _running = begin_upload(&pot);
        let begun = Instant::now();
        pot.signal(Signal::TERM);
        assert_eq!(pot.exit_code(), Some(0));
        assert!(begun.elapsed() < PATIENCE);
    }

    #[test]
    fn a_second_signal_ends_a_pot_that_still_waits() {
        let folder = tempfile::tempdir().unwrap();
        let mut pot = Process::start(&folder.path().join("log"), &["--body-time", "1h"]);
        let _running = begin_upload(&pot);
        pot.signal(Signal::TERM);
        wait_until_nobody_listens(&pot);
        let begun = Instant::now();
        pot.signal(Signal::TERM);
        assert_eq!(pot.exit_code(), Some(2));
        assert!(begun.elapsed() < Duration::from_secs(5), "it waits for as long as after the first");
    }

    #[test]
    fn a_second_pot_with_the_same_log_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("log");
        let first = Process::start(&store, &[]);
        let (code, said) = refused(&serve_args(&store));
        assert_eq!(code, Some(2));
        let expected =
            format!("pot: cannot open the log of brews {}: another pot uses it; give this one another with --store", store.display());
        assert!(said.starts_with(&expected), "{said}");
        assert_eq!(first.ask(LAB_GET).code(), 200);
    }

    #[test]
    fn a_port_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = Process::start(&folder.path().join("log"), &[]);
        let (store, listen) = (folder.path().join("other"), first.address.to_string());
        let (code, said) = refused(&["-q".as_ref(), "--store".as_ref(), store.as_ref(), "--listen".as_ref(), listen.as_ref()]);
        assert_eq!(code, Some(2));
        assert!(said.starts_with(&format!("pot: cannot listen on {listen}: Address already in use")), "{said}");
    }
}
