//! `pcap-tools dissect`, held against tshark: the scripts that measure Wireshark's Lua API, and dissectors in the style of
//! public ones.
//!
//! In: scripts, captures and golden files of `dissector-lua/tests`, which tshark has written. Out: where our output is
//! another, `different/4.0` (Lua 5.2) and `different/4.4` (Lua 5.4) have it, line by line; a file that is not there
//! means that nothing differs. `BLESS=1` writes them anew, `ONLY=tvb` takes one.
//!
//! What scripts print is compared by itself, since it does not stand between the frames; and so are the trees. A boolean
//! shows as 1 or as True.

#[path = "../../../dissector-lua/tests/api/capture.rs"]
mod capture;
#[path = "../../../dissector-lua/tests/dissectors/cases.rs"]
mod cases;
#[path = "../../../dissector-lua/tests/judge/kept.rs"]
mod kept;
#[path = "../../../dissector-lua/tests/api/probe.rs"]
mod probe;
mod table;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use similar::{ChangeTag, TextDiff};

/// The tshark whose Lua ours is.
const VERSION: &str = if cfg!(feature = "lua52") { "4.0" } else { "4.4" };

fn judged() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace").join("dissector-lua/tests")
}

/// What `pcap-tools dissect` writes: standard output and standard error.
fn dissect(script: &str, code: &[u8], capture: &[u8], arguments: &[&str]) -> [String; 2] {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join(script), code).expect("a script is written");
    std::fs::write(folder.path().join("a.pcapng"), capture).expect("a capture is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcap-tools"));
    command.current_dir(&folder).args(["dissect", "a.pcapng", "--lua", script]);
    command.args(arguments.iter().map(|&argument| if argument == "-T" { "--format" } else { argument }));
    let output = command.output().expect("pcap-tools starts");
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    // tshark writes these into attributes as they are, where a reader of XML takes them for spaces.
    [out.replace("&#xA;", "\n").replace("&#xD;", "\r").replace("&#x9;", "\t"), err]
}

/// Trees, what scripts print, and columns, each with a heading.
///
/// Left out: what tshark says on its own account; the hidden items that hold a place in its tree for what Lua may add; how
/// far its closing tags are indented. A boolean shows as 1, and of bytes a label has as many as in 4.0.
fn sorted(text: &str) -> String {
    let (mut trees, mut printed, mut columns) = (String::new(), String::new(), String::new());
    let mut in_columns = false;
    for line in text.lines() {
        if line.starts_with("stderr: ") || (line.contains("_ws.lua.fake") && line.ends_with("/>")) {
            continue;
        }
        in_columns |= line == "columns:";
        let tree = line.trim_start().starts_with('<') || (line.starts_with("frame ") && line.ends_with(':'));
        let part = if in_columns {
            &mut columns
        } else if tree {
            &mut trees
        } else {
            &mut printed
        };
        let line = if line.trim_start().starts_with("</") { line.trim_start() } else { line };
        let line = line.replace("show=\"True\"", "show=\"1\"").replace("show=\"False\"", "show=\"0\"");
        writeln!(part, "{}", shortened(&line)).expect("a string takes everything");
    }
    format!("trees:\n{trees}printed:\n{printed}{columns}")
}

/// A line with at most so many bytes in a label as tshark 4.0 has there.
fn shortened(line: &str) -> String {
    const DIGITS: usize = 72;
    let Some((before, rest)) = line.split_once("showname=\"") else { return line.to_owned() };
    let (label, behind) = rest.split_once('"').unwrap_or((rest, ""));
    let text = label.trim_end_matches('…');
    let digits = text.len() - text.trim_end_matches(|char: char| char.is_ascii_hexdigit()).len();
    if digits <= DIGITS {
        return line.to_owned();
    }
    format!("{before}showname=\"{}…\"{behind}", &text[..text.len() - digits + DIGITS])
}

/// The lines that only tshark has, with `-`, and those that only we have, with `+`.
fn difference(tshark: &str, ours: &str) -> String {
    let (tshark, ours) = (sorted(tshark), sorted(ours));
    let mut lines = String::new();
    for change in TextDiff::from_lines(tshark.as_str(), ours.as_str()).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => continue,
        };
        lines.push(sign);
        lines.push_str(change.value());
    }
    lines
}

/// Compares each of these with tshark's golden file, and the difference with what is known of it.
#[track_caller]
fn check<'a>(kind: &str, cases: impl Iterator<Item = (&'a str, Box<dyn Fn() -> String + 'a>)>) {
    let known = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/different").join(VERSION).join(kind);
    let only = std::env::var("ONLY").ok();
    let mut wrong = Vec::new();
    for (name, ours) in cases.filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)) {
        let golden = judged().join(kind).join("golden").join(VERSION).join(name).with_extension("txt");
        let tshark = std::fs::read_to_string(&golden).expect("a golden file is read");
        let seen = difference(&tshark, &ours());
        let path = known.join(name).with_extension("diff");
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(&known).expect("a folder is made");
            let done = if seen.is_empty() { std::fs::remove_file(&path).or(Ok(())) } else { std::fs::write(&path, &seen) };
            done.expect("what differs is written");
        } else if seen != expected {
            wrong.push(format!("{name} (- tshark, + ours), where it is not what was known:\n{}", difference(&expected, &seen)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the scripts print, when it goes to standard error.
fn printed(err: &str) -> String {
    err.lines().filter(|line| !line.starts_with("pcap-tools: ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_api_answers_as_in_tshark() {
    let probes = probe::all(&judged().join("api"));
    let run = |probe: &probe::Probe| {
        let mut arguments: Vec<_> = probe.arguments().collect();
        if !arguments.contains(&"-T") {
            arguments.extend(["-T", "pdml"]);
        }
        let [out, err] = dissect(&probe.name, probe.script(VERSION).as_bytes(), &capture::bytes(probe.frames()), &arguments);
        kept::kept(&format!("{}{out}", printed(&err)), "")
    };
    let cases = probes.iter().map(|probe| (probe.name.trim_end_matches(".lua"), Box::new(move || run(probe)) as Box<dyn Fn() -> String>));
    check("api", cases);
}

#[test]
fn dissectors_show_what_they_show_in_tshark() {
    let run = |case: &cases::Case| {
        let script = format!("{}.lua", case.script);
        let code = std::fs::read(judged().join("dissectors").join(&script)).expect("a script is read");
        let capture = (case.capture)();
        let [out, err] = dissect(&script, &code, &capture, &[case.arguments, &["-T", "pdml"]].concat());
        let fields = ["-T", "fields", "-e", "frame.number", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info"];
        let [columns, _] = dissect(&script, &code, &capture, &[case.arguments, &fields].concat());
        let columns = columns.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
        let columns: String = columns.map(|line| format!("{line}\n")).collect();
        format!("{}columns:\n{columns}", kept::kept(&format!("{}{out}", printed(&err)), ""))
    };
    check("dissectors", cases::CASES.iter().map(|case| (case.name, Box::new(move || run(case)) as Box<dyn Fn() -> String>)));
}
