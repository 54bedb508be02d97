//! The protocol's words as Lua tables, each with where it comes from.

use std::collections::{BTreeMap, BTreeSet};

use htcpcp::{Kind, Method, Protocol, Scheme, Status, body, header, start_line, uri};

use super::lua;

/// All tables, in the order in which the template needs them.
pub(super) fn tables() -> String {
    [ports_and_limits(), versions(), methods(), commands(), statuses(), schemes(), additions()].join("\n")
}

fn ports_and_limits() -> String {
    format!(
        "\
local POT_PORT = {}
local TEAPOT = {}
-- What only a version of tea has in its name.
local TEA_VERSION = {}
-- The longest method and start line by which an unknown stream is recognised, and the longest scheme as it is spelled.
local MAX_METHOD, MAX_LINE, MAX_SCHEME = {}, {}, {}
",
        lua::text(&htcpcp::POT_PORT.to_string()),
        lua::text(header::TEAPOT),
        lua::text(&format!("{}/", Protocol::HtcpcpTea.as_str())),
        start_line::MAX_METHOD_BYTES,
        start_line::MAX_LINE_BYTES,
        3 * uri::LONGEST_BYTES,
    )
}

fn versions() -> String {
    lua::table("VERSIONS", Protocol::ALL.map(|protocol| lua::entry(protocol.as_str(), "true")))
}

fn methods() -> String {
    let those = |name: &str, is: fn(Method) -> bool| {
        let names: Vec<_> = Method::ALL.into_iter().filter(|method| is(*method)).map(|method| format!("{method} = true")).collect();
        format!("local {name} = {{ {} }}\n", names.join(", "))
    };
    let sections = Method::ALL.map(|method| format!("{method} = {}", lua::text(method.section())));
    [
        lua::table("METHODS", sections),
        those("COFFEE_ONLY", Method::is_coffee_only),
        those("DEPRECATED", Method::is_deprecated),
        "-- Their bodies are commands, which the lab's clients send without a length.\n".to_owned(),
        those("COMMAND_METHODS", |method| matches!(method, Method::Brew | Method::Post)),
    ]
    .concat()
}

fn commands() -> String {
    let forms = body::FORMS.iter().map(|(form, command)| lua::entry(form, &lua::text(command.as_str())));
    format!("-- The body of a BREW in every form, RFC 2324 section 4 and the wild.\n{}", lua::table("COMMANDS", forms))
}

fn statuses() -> String {
    let entries = Status::ALL.iter().map(|status| format!("[{}] = {}, -- {}", status.code, lua::text(status.reason), status.section));
    // The comma stands before the comment here.
    let lines: String = entries.map(|entry| format!("    {entry}\n")).collect();
    format!("local STATUSES = {{\n{lines}}}\n")
}

/// Decoded and in lower case: what stands in a message is brought into this form before it is looked up.
fn schemes() -> String {
    let mut letters = BTreeSet::new();
    let mut entries = Vec::new();
    for scheme in Scheme::ALL {
        let languages: Vec<_> = scheme.languages.iter().map(|language| lua::text(language.name)).collect();
        let value = format!("{{ word = {}, {} }}", lua::text(scheme.spelling), languages.join(", "));
        let forms: BTreeSet<_> = scheme.forms().map(lower).collect();
        for form in forms {
            letters.extend(String::from_utf8_lossy(&form).chars().filter(|letter| !letter.is_ascii()));
            entries.push(format!("[{}] = {value}", lua::bytes(&form)));
        }
    }
    format!(
        "-- The schemes of coffee URIs, decoded and in lower case, with their languages (RFC 2324 section 3).\n{}\n\
         -- The capitals of the letters in them beyond ASCII.\n{}",
        lua::table("SCHEMES", entries),
        lua::table("FOLD", capitals(&letters).iter().map(|(capital, small)| lua::entry(capital, &lua::text(small)))),
    )
}

fn lower(word: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(word) {
        Ok(word) => word.to_lowercase().into_bytes(),
        Err(_) => word.to_ascii_lowercase(),
    }
}

/// Every other letter whose lower case is one of `letters` in the same number of bytes, as `htcpcp` compares words.
fn capitals(letters: &BTreeSet<char>) -> BTreeMap<String, String> {
    let mut capitals = BTreeMap::new();
    for capital in '\u{80}'..=char::MAX {
        let small: Vec<char> = capital.to_lowercase().collect();
        if let [small] = small[..]
            && small != capital
            && small.len_utf8() == capital.len_utf8()
            && letters.contains(&small)
        {
            capitals.insert(capital.to_string(), small.to_string());
        }
    }
    capitals
}

/// Names are looked up in lower case, with hyphens for spaces.
fn additions() -> String {
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| format!("{} = true", kind.as_str())).collect();
    let mut entries = Vec::new();
    for kind in Kind::ALL {
        for value in kind.values() {
            entries.push(lua::entry(&value.to_lowercase().replace(' ', "-"), &lua::text(kind.as_str())));
        }
    }
    format!(
        "-- The kinds of additions and what there is of each (RFC 2324 section 2.2.2.1, RFC 7168 section 2.2.1, the lab).\n\
         local KINDS = {{ {} }}\n{}",
        kinds.join(", "),
        lua::table("ADDITIONS", entries)
    )
}
