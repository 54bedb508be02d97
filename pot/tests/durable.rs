//! What the pot has answered with 200 it does not forget, however it ends: the program itself is killed, stopped and
//! robbed of its disk, and asked over HTCPCP what it remembers.

#![cfg(unix)]

mod common;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use common::process::{Process, refused, serve_args};
use common::random::Random;
use common::{LAB_GET, lab_brew, try_read_answer};
use pot::menu::Pot as Which;
use rustix::process::Signal;

/// How often the pot is killed.
const KILLS: usize = 100;
/// How many clients brew meanwhile.
const CLIENTS: usize = 3;

/// One brew of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    id: i64,
    /// Which brew of this test it is.
    number: u32,
    outcome: Option<String>,
    has_end: bool,
}

/// The additions that tell a brew from all others: those of the menu whose bit is set in its number.
fn additions(number: u32) -> String {
    let menu = Which::Ducky.menu();
    let chosen: Vec<_> = menu.split("; ").enumerate().filter(|(bit, _)| number >> bit & 1 == 1).map(|(_, name)| name).collect();
    chosen.join("; ")
}

fn number(additions: &serde_json::Value) -> u32 {
    let menu = Which::Ducky.menu();
    let chosen = additions.as_array().expect("additions are an array").iter();
    chosen.map(|name| 1 << menu.split("; ").position(|known| name == known).expect("it is on the menu")).sum()
}

/// The entries with ids above `after`, the latest first, page by page.
fn log(address: SocketAddr, after: i64) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut before = i64::MAX;
    loop {
        let page = common::ask(address, format!("GET coffee://ducky/log?before={before}&limit=100 HTTP/1.1\r\n\r\n")).json();
        let brews = page["brews"].as_array().expect("a page has brews");
        entries.extend(brews.iter().map(|brew| Entry {
            id: brew["id"].as_i64().expect("brews have numbers"),
            number: number(&brew["additions"]),
            outcome: brew["outcome"].as_str().map(str::to_string),
            has_end: brew["ended"].is_string(),
        }));
        match page["next"].as_i64() {
            Some(next) if next > after => before = next,
            _ => break,
        }
    }
    assert!(entries.is_sorted_by(|one, next| one.id > next.id), "the latest first, each once");
    entries.retain(|entry| entry.id > after);
    entries
}

/// What a client was told before the pot ended.
#[derive(Default)]
struct Told {
    started: HashSet<u32>,
    stopped: HashSet<u32>,
}

/// Starts a brew and stops it, again and again, until the pot is gone.
fn brew_on(address: SocketAddr, numbers: &AtomicU32) -> Told {
    let mut told = Told::default();
    let Ok(mut stream) = TcpStream::connect(address) else { return told };
    stream.set_read_timeout(Some(common::PATIENCE)).expect("a time is set");
    let mut ask = |fields: String, body: &str| {
        let request = lab_brew(&format!("{fields}Content-Length: {}\r\n", body.len()), body);
        stream.write_all(request.as_bytes())?;
        try_read_answer(&mut stream, false)
    };
    loop {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let Ok(start) = ask(format!("Accept-Additions: {}\r\n", additions(number)), "start") else { return told };
        if start.code() != 200 {
            assert_eq!(start.body, "Pot is busy");
            continue;
        }
        told.started.insert(number);
        let Ok(stop) = ask(String::new(), "stop") else { return told };
        match stop.code() {
            200 => drop(told.stopped.insert(number)),
            code => assert_eq!(code, 409, "it may be ready by now"),
        }
    }
}

#[test]
fn what_was_answered_with_200_survives_a_hundred_kills() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("log");
    let (mut random, numbers) = (Random::new(2324), AtomicU32::new(1));
    let mut remembered: Vec<Entry> = Vec::new();
    for kill in 0..KILLS {
        // Brews that end by themselves and brews that are stopped, by turns.
        let end_by_themselves = kill % 2 == 0;
        let brew_time = if end_by_themselves { "1ms" } else { "1h" };
        let mut pot = Process::start(&store, &["--brew-time", brew_time, "--milk-time", "1ms"]);
        let told: Vec<Told> = thread::scope(|scope| {
            let (address, numbers) = (pot.address, &numbers);
            let clients = [(); CLIENTS].map(|()| scope.spawn(move || brew_on(address, numbers)));
            thread::sleep(Duration::from_micros(random.below(60_000) as u64));
            pot.kill();
            clients.map(|client| client.join().expect("clients do not panic")).into()
        });

        let pot = Process::start(&store, &[]);
        let newest = remembered.first().map_or(0, |entry| entry.id);
        let brews = log(pot.address, newest);
        let outcome_of = |number: &u32| {
            let found = brews.iter().find(|entry| entry.number == *number);
            found.unwrap_or_else(|| panic!("brew {number} was answered with 200 and is forgotten")).outcome.as_deref()
        };
        for client in &told {
            assert!(client.started.iter().all(|number| outcome_of(number).is_some()));
            // What ends by itself may be over by then, and another client's brew be stopped.
            let is_over = |outcome| outcome == Some("stopped") || end_by_themselves && outcome == Some("ready");
            assert!(client.stopped.iter().all(|number| is_over(outcome_of(number))));
        }
        // Only what was under way can be lost, and nobody knows when it was.
        for (age, brew) in brews.iter().enumerate() {
            assert_eq!(brew.outcome.as_deref() == Some("lost"), !brew.has_end, "{brew:?}");
            assert!(brew.has_end || age == 0, "{brew:?} was over, and {:?} came after it", brews[0]);
        }
        let told: usize = told.iter().map(|client| client.started.len()).sum();
        assert!(brews.len() <= told + CLIENTS, "{} brews, of which {told} were told of", brews.len());
        remembered.splice(0..0, brews);
    }

    let pot = Process::start(&store, &[]);
    assert_eq!(log(pot.address, 0), remembered, "no later kill has changed what came before it");
    let numbers: HashSet<_> = remembered.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers.len(), remembered.len(), "each is there once");
    let lost = remembered.iter().filter(|entry| !entry.has_end).count();
    assert!(remembered.len() > KILLS && lost > 0, "{} brews, {lost} lost: too few to tell anything", remembered.len());
}

/// What the log says of a brew that is under way when the pot is ended.
#[track_caller]
fn check_restart(end: impl Fn(&mut Process), has_end: bool) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("log");
    let mut pot = Process::start(&store, &[]);
    assert_eq!(pot.ask(lab_brew("Accept-Additions: cream\r\n", "start")).code(), 200);
    assert_eq!(log(pot.address, 0)[0].outcome, None);
    end(&mut pot);

    let pot = Process::start(&store, &[]);
    assert_eq!(pot.ask(LAB_GET).body, "{}", "the coffee is gone");
    let lost = Entry { id: 1, number: number(&serde_json::json!(["cream"])), outcome: Some("lost".into()), has_end };
    assert_eq!(log(pot.address, 0), [lost]);
    assert_eq!(pot.ask(lab_brew("", "start")).code(), 200, "there can be another");
}

#[test]
fn a_brew_in_a_killed_pot_is_lost_and_nobody_knows_when() {
    check_restart(Process::kill, false);
}

#[test]
fn a_brew_in_a_pot_that_is_switched_off_is_lost_and_the_log_says_when() {
    check_restart(
        |pot| {
            pot.signal(Signal::TERM);
            assert_eq!(pot.exit_code(), Some(0));
        },
        true,
    );
}

/// Lets the system refuse to write to a pot's files beyond so many bytes, as a full disk does.
#[cfg(target_os = "linux")]
fn limit_files(pot: &Process, bytes: Option<u64>) {
    use rustix::process::{Resource, Rlimit, prlimit};
    prlimit(Some(pot.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).expect("it is ours");
}

#[test]
#[cfg(target_os = "linux")]
fn a_pot_with_a_full_disk_says_so_and_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    // The signal that comes with the refusal would end the pot; a full disk sends none.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#, env!("CARGO_BIN_EXE_pot")]);
    let pot = Process::spawn(shell.args(serve_args(&folder.path().join("log"))).args(["--brew-time", "1h"]));
    let code = |request: &str| pot.ask(request).code();
    let (start, stop) = (lab_brew("", "start"), lab_brew("", "stop"));

    limit_files(&pot, Some(0));
    let answer = pot.ask(&start);
    assert_eq!(answer.status_line, "HTCPCP/1.1 503 Service Unavailable");
    assert_eq!(answer.body, "The pot cannot use its log, and brews nothing that it could not remember");
    assert_eq!(pot.ask(LAB_GET).body, "{}", "it brews nothing");
    limit_files(&pot, None);
    assert_eq!(code(&start), 200);

    limit_files(&pot, Some(0));
    assert_eq!(code(&stop), 503);
    assert_eq!((code(&start), code(LAB_GET)), (503, 200));
    limit_files(&pot, None);
    assert_eq!(code(&stop), 409, "it was stopped when that could not be written down");
    let brews = log(pot.address, 0);
    assert_eq!((brews.len(), brews[0].outcome.as_deref(), brews[0].has_end), (1, Some("stopped"), true));
    assert_eq!(code(&start), 200);
}

/// A pot that cannot have its log at `store` says so, and serves nobody.
#[track_caller]
fn check_refused(store: &Path) {
    let (code, said) = refused(&serve_args(store));
    assert_eq!(code, Some(2));
    let expected = format!("pot: cannot open the log of brews {}: ", store.display());
    assert!(said.starts_with(&expected) && said.len() > expected.len() + 1, "{said}");
}

#[test]
fn a_log_that_cannot_be_had_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "Dear coffee, ".repeat(1000)).unwrap();
    check_refused(folder.path());
    check_refused(&file);
    check_refused(&file.join("log"));
    check_refused(OsStr::new("/dev/null/log").as_ref());
}
