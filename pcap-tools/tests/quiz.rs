//! Quizzes: captures in, questions out, held against tshark and against a parser of GIFT that somebody else made.
//!
//! `tests/golden` holds one quiz as a page and as GIFT, to be read before they are changed: `UPDATE_GOLDEN=1` writes
//! them anew. A seed gives the same quiz for ever: if they change without a change of words, something is wrong.

#[path = "common/judges.rs"]
mod judges;
#[path = "common/tshark.rs"]
mod tshark;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use pcap_tools::capture::Reader;
use pcap_tools::craft::{self, Conversation, Side};
use pcap_tools::exchange::Ports;
use pcap_tools::filter::Filter;
use pcap_tools::lab::Lab;
use pcap_tools::lab::quiz::{Answer, Question};
use pcap_tools::report::quiz::{gift, text};
use pcap_tools::report::text::{Colour, RowLimit, Style};
use pcap_tools::summary;
use serde_json::Value;
use tshark::tshark;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

fn quiz(capture: Vec<u8>, seed: u64, count: usize) -> Vec<Question> {
    let reader = Reader::new(Cursor::new(capture)).expect("a capture");
    let questions = summary::run(reader, Ports::default(), Lab::new(Ports::default())).1.quiz(seed, count);
    questions.iter().for_each(check_shape);
    questions
}

/// What holds of every question, whatever the capture.
#[track_caller]
fn check_shape(question: &Question) {
    let Question { text, title, filter, .. } = question;
    assert!(!text.contains("{}") && text.ends_with(['?', '.', ')']), "{text}");
    assert!(title.chars().all(|char| char.is_ascii_alphanumeric() || " .,()'-".contains(char)), "{title}");
    assert!(Filter::compile(filter).is_ok(), "{text}: {filter}");
    assert!(!question.frames.is_empty() && !question.why.is_empty(), "{text}");
    match &question.answer {
        Answer::Choice { options, right } => {
            let different: BTreeSet<String> = options.iter().map(|option| option.to_lowercase()).collect();
            assert!((3..=4).contains(&options.len()) && *right < options.len() && different.len() == options.len(), "{text}: {options:?}");
        }
        Answer::Matching(pairs) => {
            let left: BTreeSet<&String> = pairs.iter().map(|(left, _)| left).collect();
            let right: BTreeSet<&String> = pairs.iter().map(|(_, right)| right).collect();
            assert!((3..=5).contains(&pairs.len()) && left.len() == pairs.len() && right.len() > 1, "{text}: {pairs:?}");
        }
        Answer::Word(word) => assert!(word.trim() == word && !word.is_empty(), "{text}: {word}"),
        Answer::Number { .. } | Answer::Claim(_) => {}
    }
}

fn samples() -> Vec<PathBuf> {
    let folder = workspace().join("sample_capture");
    let names = ["homepage_coffee.pcapng", "coffee_brew.pcapng", "coffee_418_406.pcapng", "homepage_https.pcapng"];
    let shared = std::env::var_os("SHARED_CAPTURES").map_or_else(|| workspace().join("../shared/captures"), PathBuf::from);
    let of_the_lab = ["homepage_coffee.pcapng", "coffee_brew.pcapng"].map(|name| shared.join(name));
    let here = of_the_lab.into_iter().filter(|path| path.exists() || !matches!(eprintln!("skipped: no {}", path.display()), ()));
    names.iter().map(|name| folder.join(name)).chain(here).collect()
}

// ---- GIFT ----

/// What the judge's parser should have read.
#[track_caller]
fn check_gift(questions: &[Question]) {
    let mut document = Vec::new();
    gift("a\n::b::{}.pcapng", questions, &mut document).expect("memory takes everything");
    let Some(verdict) = judges::judge("gift.mjs", &document) else { return };
    assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stderr));
    let parsed: Vec<Value> = serde_json::from_slice(&verdict.stdout).expect("the judge prints JSON");
    assert_eq!(parsed.len(), questions.len(), "questions are neither lost nor made up");
    for (parsed, question) in parsed.iter().zip(questions) {
        assert_eq!(parsed["title"], question.title);
        assert_eq!(parsed["stem"]["format"], "plain");
        assert_eq!(parsed["hasEmbeddedAnswers"], false);
        assert_eq!(parsed["stem"]["text"], shown(&question.text));
        let feedback = parsed["globalFeedback"]["text"].as_str().expect("there is feedback");
        assert!(feedback.starts_with(question.why) && feedback.ends_with(&shown(&question.filter)), "{feedback}");
        let read: Vec<(bool, String)> = parsed["choices"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|choice| (choice["isCorrect"] == true, choice["text"]["text"].as_str().expect("text").to_owned()))
            .collect();
        let weights = parsed["choices"].as_array().into_iter().flatten().all(|choice| choice["weight"].is_null());
        assert!(weights, "nothing that is quoted is a weight: {parsed}");
        match &question.answer {
            Answer::Number { value, tolerance } => {
                assert_eq!(parsed["type"], "Numerical");
                assert_eq!((&parsed["choices"]["number"], &parsed["choices"]["range"]), (&Value::from(*value), &Value::from(*tolerance)));
            }
            Answer::Word(word) => {
                assert_eq!(parsed["type"], "Short");
                assert_eq!(read, [(true, word.clone())]);
            }
            Answer::Choice { options, right } => {
                assert_eq!(parsed["type"], "MC");
                let expected: Vec<_> = options.iter().enumerate().map(|(at, option)| (at == *right, arrowless(option))).collect();
                assert_eq!(read, expected);
            }
            Answer::Claim(claim) => assert_eq!((&parsed["type"], &parsed["isTrue"]), (&"TF".into(), &(*claim).into())),
            Answer::Matching(pairs) => {
                assert_eq!(parsed["type"], "Matching");
                let read: Vec<(String, String)> = parsed["matchPairs"]
                    .as_array()
                    .expect("pairs")
                    .iter()
                    .map(|pair| (pair["subquestion"]["text"].as_str().unwrap().to_owned(), pair["subanswer"].as_str().unwrap().to_owned()))
                    .collect();
                let expected: Vec<_> = pairs.iter().map(|(left, right)| (arrowless(left), arrowless(right))).collect();
                assert_eq!(read, expected);
            }
        }
    }
}

/// As it is shown: without what acts on a terminal or in GIFT; the parser makes one space of several.
fn shown(text: &str) -> String {
    let text = pcap_tools::report::text::printable(text).replace("&&0", "& &0");
    let mut single = String::new();
    for char in text.chars() {
        if char != ' ' || !single.ends_with(' ') {
            single.push(char);
        }
    }
    single.trim().to_owned()
}

/// As an answer is shown: GIFT has no escape for the arrow of matching questions.
fn arrowless(text: &str) -> String {
    shown(text).replace("->", "- >")
}

#[test]
fn another_parser_reads_the_same_questions() {
    for path in samples() {
        let capture = std::fs::read(&path).expect("it is there");
        let questions: Vec<Question> = (0..3).flat_map(|seed| quiz(capture.clone(), seed, 1000)).collect();
        assert!(questions.len() > 60, "{}: {}", path.display(), questions.len());
        check_gift(&questions);
    }
}

#[test]
fn hostile_messages_are_asked_about_and_nothing_of_them_is_gift() {
    const NASTY: [&str; 12] = [
        "//",
        "::t::",
        "$CATEGORY:x",
        "[html]<script>alert(1)</script>",
        "[markdown]*x*",
        "%50%=",
        "{=a~b#c}",
        "a->b->c",
        "\\n\\=\\",
        "####",
        "&&058;&&010",
        "a\u{202e}b",
    ];
    let mut packets = Vec::new();
    for (port, nasty) in (50_000..).step_by(2).zip(NASTY) {
        let mut browser = Conversation::new(at(port), at(5031));
        browser.handshake().client(format!(
            "GET /{nasty}?{nasty}={nasty}&method={nasty}&additions={nasty} HTTP/1.1\r\nIf-None-Match: {nasty}\r\n{nasty}: {nasty}\r\n\r\n"
        ));
        let mut pot = Conversation::new(at(port + 1), at(5030));
        pot.handshake()
            .client(format!("BREW {nasty} HTTP/1.1\r\nAccept-Additions: {nasty}\r\nUse-Pot: {nasty}\r\nX: [html]\r\n\r\n{nasty}"))
            .server(format!("HTCPCP/1.1 418 {nasty}\r\n\r\n{nasty}"))
            .close(Side::Server);
        let before = browser.packets();
        let status = if port % 4 == 0 { "304 N" } else { "302 F" };
        browser.server(format!("HTTP/1.1 {status}\r\nLocation: {nasty}\r\nContent-Length: 0\r\n\r\n")).close(Side::Server);
        packets.extend([&before[..], &pot.packets(), &browser.packets()[before.len()..]].concat());
    }
    let capture = craft::capture(&packets);
    let questions: Vec<Question> = (0..10).flat_map(|seed| quiz(capture.clone(), seed, 500)).collect();
    assert!(questions.iter().any(|question| question.text.contains("[html]<script>")), "they are asked about");
    check_gift(&questions);
    let mut page = Vec::new();
    text("x", &questions, STYLE, &mut page).expect("memory takes everything");
    assert!(!String::from_utf8(page).expect("pages are UTF-8").contains('\u{202e}'));
}

// ---- What is drawn ----

const STYLE: Style = Style { width: 80, colour: Colour::Off, rows: RowLimit::Summarise };

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[test]
fn a_seed_gives_the_same_quiz_for_ever() {
    let capture = std::fs::read(workspace().join("sample_capture/coffee_418_406.pcapng")).expect("it is there");
    let questions = quiz(capture.clone(), 1, 20);
    assert_eq!(questions.len(), 20);
    assert_ne!(questions, quiz(capture, 2, 20));
    let mut page = Vec::new();
    text("coffee_418_406.pcapng", &questions, STYLE, &mut page).expect("memory takes everything");
    let mut document = Vec::new();
    gift("coffee_418_406.pcapng", &questions, &mut document).expect("memory takes everything");
    for (name, found) in [("quiz.txt", page), ("quiz.gift", document)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &found).expect("it is written");
        }
        let found = String::from_utf8(found).expect("it is UTF-8");
        assert!(found.lines().all(|line| name.ends_with("gift") || line.chars().count() <= 80), "{found}");
        assert_eq!(found, std::fs::read_to_string(&path).unwrap_or_default(), "read {} and the difference", path.display());
    }
}

#[test]
fn every_task_is_asked_about_in_many_ways() {
    let kinds = |name: &str| {
        let capture = std::fs::read(workspace().join("sample_capture").join(name)).expect("it is there");
        quiz(capture, 1, 1000).iter().map(|question| question.id).collect::<BTreeSet<_>>()
    };
    let brew = kinds("coffee_brew.pcapng");
    assert!(brew.len() > 40, "{brew:?}");
    for task in ["3.1", "3.2", "3.3", "3.4", "3.5", "4.1", "4.2", "4.4", "5.1", "5.2", "5.3", "5.4", "5.5", "6", "7"] {
        assert!(brew.iter().any(|id| id.rsplit_once('.').is_some_and(|(of, _)| of == task)), "{task}: {brew:?}");
    }
    assert!(kinds("homepage_https.pcapng").contains("8.version"));
    // Few questions are as different as can be.
    let few = quiz(std::fs::read(workspace().join("sample_capture/coffee_brew.pcapng")).expect("it is there"), 7, 30);
    assert_eq!(few.iter().map(|question| question.id).collect::<BTreeSet<_>>().len(), 30);
}

fn ids(packets: &[Vec<u8>]) -> BTreeSet<&'static str> {
    quiz(craft::capture(packets), 1, 1000).iter().map(|question| question.id).collect()
}

#[test]
fn nothing_is_asked_that_the_capture_does_not_decide() {
    assert!(ids(&[]).is_empty());
    let mut talk = Conversation::new(at(50_000), at(5031));
    talk.handshake()
        .client("GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n")
        .server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    talk.server("body").close(Side::Server);
    let all = ids(&talk.packets());
    let expect = |without: &BTreeSet<&str>, gone: &[&str]| {
        for id in gone {
            assert!(all.contains(id) && !without.contains(id), "{id}\nall     {all:?}\nwithout {without:?}");
        }
    };
    let without = |segments: std::ops::Range<usize>| {
        let mut talk = talk.clone();
        talk.segments.drain(segments);
        ids(&talk.packets())
    };
    expect(&without(0..3), &["3.1.syn", "3.1.syn_ack", "3.1.ack", "3.1.rtt", "3.1.count", "5.3.requests"]);
    expect(&without(0..1), &["3.1.syn", "3.1.rtt"]);
    // A response of which the end is missing, and a FIN that no longer need be the first.
    expect(
        &without(5..6),
        &["3.4.response", "3.4.response_count", "3.4.request_count", "6.status", "6.count", "5.3.closer", "5.3.first_fin"],
    );
    // The request is missing: the response answers nothing that could be named.
    expect(&without(3..4), &["3.4.response", "3.4.request_count", "5.1.first", "6.status"]);
}

#[test]
fn a_cause_that_may_be_another_is_not_asked() {
    let get = |port: u16| {
        let mut talk = Conversation::new(at(port), at(5031));
        talk.handshake().client("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        talk
    };
    let mut pot = Conversation::new(at(50_100), at(5030));
    pot.handshake().client("GET coffee://ducky HTTP/1.1\r\n\r\n").server("HTCPCP/1.1 200 OK\r\n\r\n{}").close(Side::Server);
    let asked = |mut talks: Vec<Conversation>| {
        let before = talks.iter().flat_map(Conversation::packets).collect::<Vec<_>>();
        let mut after = Vec::new();
        for talk in &mut talks {
            let begin = talk.segments.len();
            talk.server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").close(Side::Server);
            after.extend(talk.packets().split_off(begin));
        }
        ids(&[before, pot.packets(), after].concat())
    };
    assert!(asked(vec![get(50_000)]).contains("5.5.coffee"));
    let two = asked(vec![get(50_000), get(50_002)]);
    assert!(!two.contains("5.5.coffee") && !two.contains("5.5.cause"), "{two:?}");
}

#[test]
fn requests_that_cannot_be_told_apart_are_not_asked_about() {
    let mut talk = Conversation::new(at(50_000), at(5031));
    talk.handshake().client("GET /a HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2));
    talk.server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let asked = ids(&talk.packets());
    assert!(asked.contains("3.4.request_count") && !asked.contains("6.status") && !asked.contains("3.4.response"), "{asked:?}");
}

#[test]
fn traps_are_answered_as_they_should_be() {
    let mut talk = Conversation::new(at(50_000), at(5031));
    talk.handshake()
        .ack(Side::Server)
        .client("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        .server("body");
    talk.fin(Side::Server).fin(Side::Client);
    let client_fin = talk.segments.last_mut().expect("a FIN");
    client_fin.ack = client_fin.ack.wrapping_sub(1);
    talk.ack(Side::Server).ack(Side::Client);
    let capture = craft::capture(&talk.packets());
    let mut answers = BTreeMap::<&str, BTreeSet<String>>::new();
    let mut lures = BTreeSet::new();
    for question in (0..40).flat_map(|seed| quiz(capture.clone(), seed, 1000)) {
        let right = match question.answer {
            Answer::Number { value, .. } => value.to_string(),
            Answer::Choice { options, right } => {
                lures.extend(options.iter().filter(|_| question.id == "3.1.ack").cloned());
                options[right].clone()
            }
            _ => continue,
        };
        answers.entry(question.id).or_default().insert(right);
    }
    let check = |id: &str, expected: &str| assert_eq!(answers[id], BTreeSet::from([expected.to_owned()]), "{id}");
    check("3.1.ack", "3");
    assert!(lures.contains("4"), "the window update behind the ACK lures: {lures:?}");
    check("3.4.response", "7");
    check("3.4.first_byte", "6");
    check("5.3.first_fin", "8");
    check("5.3.closer", "both ends at once: each sends its FIN before it has the other's");
}

#[test]
fn of_a_syn_that_is_sent_again_the_first_one_is_right() {
    let mut talk = Conversation::new(at(50_000), at(5031));
    talk.handshake();
    talk.segments.insert(1, talk.segments[0].clone());
    let capture = craft::capture(&talk.packets());
    let asked = (0..20).flat_map(|seed| quiz(capture.clone(), seed, 1000)).filter(|question| question.id == "3.1.syn");
    for question in asked {
        match question.answer {
            Answer::Number { value, .. } => assert_eq!(value, 1),
            Answer::Choice { options, right } => assert!(options[right] == "1" && options.contains(&"2".to_owned()), "{options:?}"),
            other => panic!("{other:?}"),
        }
    }
}

// ---- tshark ----

/// What tshark says about each thing that a question can name, by the question's id and the thing's number.
fn theirs(path: &Path) -> Option<BTreeMap<(&'static str, u64), String>> {
    let mut facts = BTreeMap::new();
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("`{text}` is a number"));
    let mut clients = BTreeMap::new();
    for row in tshark(path, "tcp", &["tcp.stream", "frame.number", "tcp.srcport", "tcp.flags", "tcp.dstport", "tcp.analysis.initial_rtt"])?
    {
        let stream = number(&row[0]);
        let flags = u32::from_str_radix(row[3].trim_start_matches("0x"), 16).expect("flags are hexadecimal");
        let mut note = |id: &'static str, value: &str| {
            facts.entry((id, stream)).or_insert(value.to_owned());
        };
        match (flags & 2 != 0, flags & 16 != 0) {
            (true, false) => {
                note("3.1.syn", &row[1]);
                clients.insert(stream, row[2].clone());
                note(if row[4] == "5030" { "3.3.client_port" } else { "3.2.client_port" }, &row[2]);
            }
            (true, true) => note("3.1.syn_ack", &row[1]),
            _ if clients.get(&stream) == Some(&row[2]) => {
                note("3.1.ack", &row[1]);
                if let Ok(seconds) = row[5].parse::<f64>() {
                    note("3.1.rtt", &((seconds * 1e6).round() as u64).to_string());
                }
            }
            _ => {}
        }
        if flags & 1 != 0 {
            note("5.3.first_fin", &row[1]);
        }
    }
    for row in tshark(path, "http.request && !(tcp.port == 5030)", &["frame.number", "tcp.stream"])? {
        facts.insert(("5.4.stream", number(&row[0])), row[1].clone());
        *facts.entry(("5.3.requests", number(&row[1]))).or_insert_with(|| "0".to_owned()) =
            (number(facts.get(&("5.3.requests", number(&row[1]))).map_or("0", String::as_str)) + 1).to_string();
    }
    for row in tshark(path, "http.response && tcp.port == 5031", &["http.request_in", "frame.number", "http.response.code", "http.time"])? {
        let request = number(&row[0]);
        facts.insert(("3.4.response", request), row[1].clone());
        facts.insert(("6.status", request), row[2].clone());
        let seconds: f64 = row[3].parse().expect("a time");
        facts.insert(("3.4.time", request), ((seconds * 1e6).round() as u64).to_string());
    }
    let mut requests = BTreeMap::new();
    for row in tshark(path, "tcp.port == 5030 && tcp.len > 0", &["tcp.stream", "frame.number", "tcp.dstport", "tcp.payload"])? {
        if row[2] == "5030" {
            let method: String = row[3]
                .as_bytes()
                .chunks(2)
                .map(|pair| char::from(u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()))
                .take_while(|char| *char != ' ')
                .collect();
            facts.insert(("4.4.method", number(&row[1])), method);
            requests.insert(row[0].clone(), number(&row[1]));
        } else if let Some(request) = requests.get(&row[0]) {
            facts.insert(("3.5.response", *request), row[1].clone());
        }
    }
    Some(facts)
}

/// The number of the stream or frame that a question names.
fn named(text: &str) -> Option<u64> {
    let behind = ["TCP stream ", "frame "].into_iter().flat_map(|word| text.split(word).skip(1));
    behind.filter_map(|rest| rest.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()).next()
}

#[test]
fn answers_are_those_of_tshark() {
    for path in samples() {
        let Some(theirs) = theirs(&path) else { return };
        let capture = std::fs::read(&path).expect("it is there");
        let mut compared = BTreeMap::<&str, usize>::new();
        let known: BTreeSet<&str> = theirs.keys().map(|(id, _)| *id).collect();
        for question in (0..4).flat_map(|seed| quiz(capture.clone(), seed, 1000)).filter(|question| known.contains(question.id)) {
            let pairs = match &question.answer {
                Answer::Number { value, .. } => vec![(named(&question.text), value.to_string())],
                Answer::Choice { options, right } => vec![(named(&question.text), options[*right].clone())],
                Answer::Word(word) => vec![(named(&question.text), word.clone())],
                Answer::Matching(pairs) => pairs.iter().map(|(left, right)| (named(left), right.clone())).collect(),
                Answer::Claim(_) => continue,
            };
            for (thing, ours) in pairs {
                let thing = thing.unwrap_or_else(|| panic!("{} names a thing", question.text));
                assert_eq!(theirs.get(&(question.id, thing)), Some(&ours), "{}: {}", path.display(), question.text);
                *compared.entry(question.id).or_default() += 1;
            }
        }
        let all: usize = compared.values().sum();
        assert!(compared.len() >= 6 && all > 30, "{}: {compared:?}", path.display());
    }
}

#[test]
fn frames_of_a_kind_are_those_of_tshark() {
    for path in samples() {
        let capture = std::fs::read(&path).expect("it is there");
        for (id, filter) in
            [("3.4.which_request", "http.request && tcp.dstport == 5031"), ("3.4.which_response", "http.response && tcp.srcport == 5031")]
        {
            let Some(rows) = tshark(&path, filter, &["frame.number"]) else { return };
            let members: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
            for question in (0..4).flat_map(|seed| quiz(capture.clone(), seed, 1000)).filter(|question| question.id == id) {
                let Answer::Choice { options, right } = question.answer else { panic!("{id} is a choice") };
                let are_members: Vec<bool> = options.iter().map(|option| members.contains(option.as_str())).collect();
                assert!((0..options.len()).all(|at| are_members[at] == (at == right)), "{}: {options:?}", path.display());
            }
        }
    }
}
