//! `dissector-lua/API.md` says what of Wireshark's API is here; this holds it against what was measured.
//!
//! Every member that Wireshark 4.4 has is in the table. What is `absent` is not there, or only says so; what is `same` or
//! `different` is.
//! What is `same` is used by a script of `dissector-lua/tests/api`, and no line that uses it prints anything else; what is
//! `different` says how.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::judged;

/// The scripts about a class; the empty name is that of the functions without one.
const TOPICS: [(&str, &str); 22] = [
    ("", "utilities desegmentation listener prefs field"),
    ("Address", "address"),
    ("ByteArray", "bytearray"),
    ("Column", "columns"),
    ("Dir", "utilities"),
    ("Dissector", "dissector"),
    ("DissectorTable", "dissectortable"),
    ("Field", "field"),
    ("FieldInfo", "field"),
    ("Int64", "int64"),
    ("Listener", "listener"),
    ("NSTime", "nstime"),
    ("Pinfo", "pinfo"),
    ("Pref", "prefs"),
    ("Proto", "proto heuristics"),
    ("ProtoExpert", "expert"),
    ("ProtoField", "protofield"),
    ("Struct", "struct"),
    ("TreeItem", "treeitem expert"),
    ("Tvb", "tvb"),
    ("TvbRange", "tvbrange_integers tvbrange_strings tvb"),
    ("UInt64", "int64"),
];

/// `Tvb:len`, `Pinfo.number`, `format_date`: what `members.lua` prints.
fn members<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut members = BTreeSet::new();
    for line in lines {
        if let Some((class, names)) = line.strip_prefix("class ").and_then(|rest| rest.split_once(": ")) {
            let names = names.split(' ').filter(|name| *name != "__typeof");
            members.extend(names.map(|name| format!("{class}:{name}")));
        } else if let Some((class, names)) =
            line.get(8..).filter(|_| line.get(1..8) == Some("etters ")).and_then(|rest| rest.strip_prefix("of ")?.split_once(": "))
        {
            members.extend(names.split(' ').map(|name| format!("{class}.{name}")));
        } else if let Some(name) = line.strip_prefix("function ") {
            members.insert(name.to_owned());
        }
    }
    members
}

/// Whether a line of Lua uses a member: its name behind `.` or `:`, or that of a function without a class not behind one.
fn uses(line: &str, member: &str) -> bool {
    let (function, name) = match member.rsplit_once([':', '.']) {
        Some((_, name)) => (false, name),
        None => (true, member),
    };
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back().unwrap_or(' ');
        let after = line[at + name.len()..].chars().next().unwrap_or(' ');
        !word(before) && !word(after) && (function != (before == '.' || before == ':'))
    })
}

/// Rows of the tables: member, state, how it differs.
fn rows(text: &str) -> BTreeMap<String, (String, String)> {
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.trim_end_matches(" |").split(" | ");
        let name = cells.next()?.trim_end_matches('`').to_owned();
        Some((name, (cells.next()?.trim_end_matches(" |").to_owned(), cells.next().unwrap_or_default().to_owned())))
    });
    rows.collect()
}

#[test]
fn the_table_of_the_api_is_true() {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let different = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/different/4.4/api");
    let golden = read(&judged().join("api/golden/4.4/members.txt"));
    let changes = read(&different.join("members.diff"));
    let gone: BTreeSet<_> = changes.lines().filter_map(|line| line.strip_prefix('-')).collect();
    let theirs = members(golden.lines());
    let ours = members(golden.lines().filter(|line| !gone.contains(line)).chain(changes.lines().filter_map(|line| line.strip_prefix('+'))));
    let rows = rows(&read(&judged().parent().expect("the crate").join("API.md")));
    assert!(theirs.len() > 300, "Wireshark has members");

    let mut wrong = Vec::new();
    for member in theirs.difference(&rows.keys().cloned().collect()) {
        let class = member.split([':', '.']).next().unwrap_or_default();
        if rows.get(class).is_none_or(|(state, _)| state != "absent") {
            wrong.push(format!("{member} is not in the table"));
        }
    }
    for (member, (state, how)) in &rows {
        let here =
            ours.contains(member) || ours.iter().any(|one| one.strip_prefix(member.as_str()).is_some_and(|rest| rest.starts_with(':')));
        let attribute = member.contains('.');
        let class = member.rsplit_once([':', '.']).map_or("", |(class, _)| class);
        let topics = TOPICS.iter().find(|(name, _)| *name == class).map_or("", |(_, topics)| topics);
        let lines = |path: &dyn Fn(&str) -> std::path::PathBuf, is: &dyn Fn(&str) -> bool| -> Vec<String> {
            let all = topics.split(' ').filter(|topic| !topic.is_empty()).map(|topic| read(&path(topic)));
            all.flat_map(|text| text.lines().filter(|line| is(line)).map(str::to_owned).collect::<Vec<_>>()).collect()
        };
        match state.as_str() {
            "absent" if here && how.is_empty() => wrong.push(format!("{member} is there")),
            "absent" => {}
            "same" | "different" if !here && !attribute => wrong.push(format!("{member} is absent")),
            "different" if how.is_empty() => wrong.push(format!("{member}: how is it different?")),
            "different" => {}
            "same" => {
                let used = lines(&|topic| judged().join("api").join(topic).with_extension("lua"), &|line| uses(line, member));
                let probed = |line: &str| line.starts_with("-? ") || line.starts_with("+? ");
                let expression = |line: &str| line.split(" = ").next().is_some_and(|expression| uses(expression, member));
                let differs = lines(&|topic| different.join(topic).with_extension("diff"), &|line| probed(line) && expression(line));
                if used.is_empty() {
                    wrong.push(format!("{member}: no script uses it"));
                }
                wrong.extend(differs.first().map(|line| format!("{member}: {line}")));
            }
            other => wrong.push(format!("{member} is {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
