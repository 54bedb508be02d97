//! The commands that ask a pot: arguments in; standard output, standard error and exit code out.

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::{Pot, read_all};

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(address: &str, arguments: &[&str]) -> Run {
    let (command, rest) = arguments.split_first().expect("a command");
    let output = Command::new(env!("CARGO_BIN_EXE_pot")).arg(command).args(["--pot", address]).args(rest).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[track_caller]
fn check(pot: &Pot, arguments: &[&str], code: i32, out: &str, err: &str) {
    let run = run(&pot.address.to_string(), arguments);
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(code), out, err), "{arguments:?}");
}

#[test]
fn a_coffee_from_the_order_to_the_log() {
    let pot = Pot::start();
    check(&pot, &["status"], 0, "Nothing is being brewed.\n", "");
    check(&pot, &["beans"], 0, "No coffee is being brewed.\n", "");
    check(&pot, &["log"], 0, "Nothing was brewed.\n", "");
    check(&pot, &["brew", "--addition", "cream", "--addition", "vanilla"], 0, "Your coffee is being brewed.\n", "");
    pot.pass(Duration::from_secs(10));
    check(&pot, &["status"], 0, "Coffee (Para\u{ed}so Gold) with cream, vanilla. Ready in 20 s, at 12:27:29.\n", "");
    let beans = "Bean      Para\u{ed}so Gold\nProfile   Chocolate, Nutty\nOrigin    Brazil\nType      Single Origin\nStrength  2/5\nRoast     Medium light\n";
    check(&pot, &["beans"], 0, beans, "");
    check(&pot, &["brew"], 1, "", "pot: 406 Not Acceptable: Pot is busy\n");
    pot.pass(Duration::from_secs(20));
    check(&pot, &["status"], 0, "Coffee (Para\u{ed}so Gold) with cream, vanilla. Milk is being poured: say when, with pot when.\n", "");
    check(&pot, &["when"], 0, "The milk has stopped.\n", "");
    check(&pot, &["when"], 1, "", "pot: 409 Conflict: No milk is being poured\n");
    let log = "\
#  Started                    What                                       Outcome  Ended
1  Tue, 27 Jun 2023 12:26:59  Coffee (Para\u{ed}so Gold) with cream, vanilla  ready    Tue, 27 Jun 2023 12:27:29

1 of 1 brews
";
    check(&pot, &["log"], 0, log, "");
}

#[test]
fn tea_is_chosen_brewed_and_stopped() {
    let pot = Pot::start();
    check(&pot, &["brew", "--tea"], 0, "Your earl-grey is being brewed.\n", "");
    check(&pot, &["status", "--use-pot", "tea"], 0, "Tea (earl-grey). Ready in 30 s, at 12:27:29.\n", "");
    pot.pass(Duration::from_secs(15));
    check(&pot, &["stop", "--tea", "earl-grey"], 0, "Stopped; it is 50 % strong.\n", "");
    check(&pot, &["brew", "--use-pot", "tea"], 1, "", "pot: 418 I'm a teapot: I'm short and stout\n");
    check(&pot, &["stop"], 1, "", "pot: 409 Conflict: Nothing is being brewed\n");
}

#[test]
fn json_is_the_pots_own() {
    let pot = Pot::start();
    check(&pot, &["status", "--format", "json"], 0, "{}\n", "");
    check(&pot, &["log", "--format", "json"], 0, "{\"total\":0,\"brews\":[],\"next\":null}\n", "");
}

#[test]
fn the_log_is_read_page_by_page() {
    let pot = Pot::start();
    for _ in 0..5 {
        assert_eq!(run(&pot.address.to_string(), &["brew"]).code, Some(0));
        pot.pass(Duration::from_secs(30));
    }
    let numbers = |arguments: &[&str]| {
        let run = run(&pot.address.to_string(), arguments);
        let first = |line: &str| line.split(' ').next().and_then(|number| number.parse().ok());
        let rows: Vec<u32> = run.out.lines().take_while(|line| !line.is_empty()).filter_map(first).collect();
        (rows, run.out.lines().last().unwrap_or_default().to_string())
    };
    assert_eq!(numbers(&["log", "--limit", "2"]), (vec![5, 4], "Older ones: pot log --before 4".into()));
    assert_eq!(numbers(&["log", "--limit", "2", "--before", "4"]), (vec![3, 2], "Older ones: pot log --before 2".into()));
    assert_eq!(numbers(&["log", "--limit", "2", "--before", "2"]), (vec![1], "1 of 5 brews".into()));
}

#[test]
fn verbose_shows_the_bytes_of_the_wire() {
    let pot = Pot::start();
    let wire = "\
> BREW coffee://ducky HTTP/1.1\\r\\n
> Content-Type: application/coffee-pot-command\\r\\n
> Accept-Additions: cream\\r\\n
> Content-Length: 5\\r\\n
> \\r\\n
> start
< HTCPCP/1.1 200 OK\\r\\n
< Server: CoffeePot\\r\\n
< Content-Type: message/coffeepot\\r\\n
< Date: Tue, 27 Jun 2023 12:26:59\\r\\n
< Safe: no\\r\\n
< Content-Length: 0\\r\\n
< \\r\\n
";
    check(&pot, &["brew", "-v", "--addition", "cream"], 0, "Your coffee is being brewed.\n", wire);
}

/// Runs a command against a pot that sends `answer` and closes.
fn against(answer: &'static [u8], arguments: &[&str]) -> Run {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let len = stream.read(&mut request).unwrap();
        assert!(len > 0);
        stream.write_all(answer).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        read_all(&mut stream);
    });
    let run = run(&address, arguments);
    server.join().unwrap();
    run
}

#[test]
fn the_labs_old_pot_is_understood() {
    let answer = b"HTCPCP/1.1 200 OK\r\nServer: CoffeePot\r\nContent-Type: message/coffeepot\r\nDate: Tue, 27 Jun 2023 12:27:03\r\n\r\n\
        {\"date\": \"Tue, 27 Jun 2023 12:26:59\", \"beverage_type\": \"Coffee\", \"additions\": [\"coconut milk\"], \
        \"brew_time_end\": \"Tue, 27 Jun 2023 12:27:29\", \"pouring_milk\": \"Tue, 27 Jun 2023 12:27:29\", \"coffee_bean\": {\"name\": \"Gold\"}}";
    let run = against(answer, &["status"]);
    assert_eq!((run.code, run.out.as_str()), (Some(0), "Coffee (Gold) with coconut milk. Ready in 26 s, at 12:27:29.\n"));
}

#[test]
fn a_pot_that_talks_nonsense_is_an_error_of_one_line() {
    for answer in [&b"{}"[..], b"", b"HTCPCP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"HTCPCP/1.1 200 OK\r\n\r\n[1, \x1b[31m"] {
        let run = against(answer, &["status"]);
        assert_eq!((run.code, run.out.as_str(), run.err.lines().count()), (Some(2), "", 1), "{:?}: {}", answer.escape_ascii(), run.err);
        assert!(run.err.starts_with("pot: ") && !run.err.contains('\x1b'), "{}", run.err);
    }
}

#[test]
fn words_of_a_pot_do_not_move_the_terminal() {
    let answer = b"HTCPCP/1.1 200 OK\r\n\r\n{\"name\": \"Gold\\u001b[2J\"}";
    assert_eq!(against(answer, &["beans"]).out, "Bean      Gold\u{fffd}[2J\n");
    let answer = b"HTCPCP/1.1 200 OK\r\n\r\n\x1b[2J";
    assert_eq!(against(answer, &["beans", "--format", "json"]).code, Some(2));
}

#[test]
fn a_pot_that_is_not_there_is_an_error_with_advice() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = run(&format!("127.0.0.1:{port}"), &["status"]);
    assert_eq!((run.code, run.out.as_str()), (Some(2), ""));
    assert!(run.err.contains("is it running? start it with: pot"), "{}", run.err);
}
