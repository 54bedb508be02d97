//! Pots that are no pots: each becomes a page with the status 502, in bounded time and memory.

mod common;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use common::{PATIENCE, Script, ScriptedPot, Web};

const HEAD: &str = "HTCPCP/1.1 200 OK\r\nDate: Tue, 27 Jun 2023 12:26:59\r\n";
const BREW: &str =
    r#"{"date":"Tue, 27 Jun 2023 12:26:59","beverage_type":"Coffee","additions":[],"brew_time_end":"Tue, 27 Jun 2023 12:27:29"}"#;
const ORDER: &str = "/?method=brew&message=start&pots=ducky";

/// What the pages say, before a pot that says this, to a question and to an order.
#[track_caller]
fn check(answer: impl Into<Vec<u8>>, says: &str) {
    let answer = answer.into();
    let pot = ScriptedPot::start(Script::Say(answer));
    let web = Web::before(pot.address);
    web.check("/", 502, &["not how a pot talks", says]);
}

#[test]
fn a_pot_that_is_not_there_can_be_started() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let web = Web::before(free);
    for target in ["/", ORDER, "/log", "/test-404"] {
        web.check(target, 502, &["The pot is not there", &format!("cargo run --release -p pot -- --listen {free}")]);
    }
}

#[test]
fn silence_ends() {
    let trickle = Script::Repeat(format!("{HEAD}\r\n{{").into(), Duration::from_millis(50));
    for script in [Script::SayAndStay(vec![]), Script::SayAndStay(format!("{HEAD}Content-Length: 9\r\n\r\n{{").into()), trickle] {
        let pot = ScriptedPot::start(script);
        let web = Web::with(pot.address, Duration::from_millis(300), None);
        let begun = Instant::now();
        web.check("/", 502, &["no answer within 0.3 s"]);
        web.check(ORDER, 502, &["no answer within 0.3 s"]);
        assert!(begun.elapsed() < PATIENCE / 2);
    }
}

#[test]
fn an_answer_that_breaks_off_is_none() {
    check("", "what came is no answer");
    check("HTCPCP/1.1 200", "what came is no answer");
    check(format!("{HEAD}Content-Length: 9\r\n\r\n{{}}"), "the answer broke off");
}

#[test]
fn nonsense_is_told_from_answers() {
    check("SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2");
    check("{}", "does not begin with a status line");
    check(format!("{HEAD}\r\n<!doctype html>"), "expected value");
    check(format!("{HEAD}\r\nnull"), "invalid type: null");
    check(format!("{HEAD}\r\n[]"), "invalid type: sequence");
    check(format!("{HEAD}\r\n{{\"date\":\"today\"}}"), "is no time");
    check(format!("{HEAD}\r\n{}", "{\"date\":".repeat(5000)), "recursion limit");
    check(format!("HTCPCP/1.1 200 OK\r\n\r\n{BREW}"), "its answer has no date");
    check("HTCPCP/1.1 204 No Content\r\n\r\n", "204");
    check("HTCPCP/1.1 302 Found\r\nLocation: http://example.com/\r\n\r\n", "302");
}

#[test]
fn a_megabyte_is_too_much() {
    check(format!("{HEAD}\r\n{{\"date\":\"{}\"}}", "a".repeat(1 << 20)), "longer than 65536 bytes");
    let endless = ScriptedPot::start(Script::Repeat(format!("{HEAD}\r\n{}", "a".repeat(1 << 16)).into(), Duration::ZERO));
    Web::before(endless.address).check("/", 502, &["longer than 65536 bytes"]);
    let fields = format!("HTCPCP/1.1 200 OK\r\n{}\r\n", "X-Coffee: hot\r\n".repeat(100_000));
    check(fields, "no answer");
}

#[test]
fn two_answers_are_one_too_many() {
    let sized = format!("{HEAD}Content-Length: 2\r\n\r\n{{}}");
    check(format!("{sized}{sized}"), "more came than one answer");
    check(format!("{HEAD}\r\n{{}}{sized}"), "trailing characters");
    // An order has no use for a body, and is not fooled all the same.
    let pot = ScriptedPot::start(Script::Say(format!("{sized}{sized}").into()));
    Web::before(pot.address).check(ORDER, 502, &["more came than one answer"]);
}

#[test]
fn a_page_does_not_wait_for_a_pot_that_stays() {
    let pot = ScriptedPot::start(Script::SayAndStay(format!("{HEAD}Content-Length: 2\r\n\r\n{{}}").into()));
    Web::before(pot.address).check("/", 200, &["What will it be?"]);
}

#[test]
fn silent_pots_hold_up_nobody_else() {
    let pot = ScriptedPot::start(Script::SayAndStay(vec![]));
    let web = Web::with(pot.address, PATIENCE, None);
    let mut waiting: Vec<_> = (0..50).map(|_| web.connect()).collect();
    for stream in &mut waiting {
        std::io::Write::write_all(stream, b"GET / HTTP/1.1\r\nHost: ducky\r\n\r\n").unwrap();
    }
    web.check("/assets/styles.css", 200, &[]);
}
