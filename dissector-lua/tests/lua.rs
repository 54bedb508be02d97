//! The generated Lua by itself, without tshark: well-formed, without globals, and in the words that Lua 5.2 and 5.4 share.
//!
//! mlua holds Lua 5.4; what 5.2 does not have is looked for in the text, conservatively: comments and strings are taken
//! out, and what is left is read as a list of words.

use std::collections::BTreeSet;

use dissector_lua::generate::{VERSION, dissector, field_reference};
use mlua::Lua;

/// What Wireshark 4.0 and 4.4 both give to Lua, as far as it is used.
const WIRESHARK: &str = "ByteArray DESEGMENT_ONE_MORE_SEGMENT Dissector DissectorTable ENC_UTF_8 Field Listener MENU_STAT_UNSORTED NSTime \
                         Pref Proto ProtoExpert ProtoField TextWindow UInt64 base expert frametype gui_enabled register_menu \
                         register_stat_cmd_arg retap_packets set_plugin_info";
/// What Lua 5.2 and 5.4 have alike.
const LUA: &str = "ipairs math pairs print string table tonumber tostring";
const MEMBERS: &str = "string.byte string.char string.find string.format string.gmatch string.gsub string.lower string.match string.sub \
                       table.concat table.sort math.floor math.max math.min";
const KEYWORDS: &str = "and break do else elseif end false for function if in local nil not or repeat return then true until while";

/// The Lua without comments and what stands in strings.
fn code() -> String {
    let mut code = String::new();
    for line in dissector().lines() {
        let mut quoted = false;
        let mut chars = line.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\\' if quoted => drop(chars.next()),
                '"' => {
                    quoted = !quoted;
                    code.push('"');
                }
                '-' if !quoted && chars.peek() == Some(&'-') => break,
                _ if !quoted => code.push(char),
                _ => {}
            }
        }
        assert!(!quoted, "a string goes on beyond its line: {line}");
        code.push('\n');
    }
    assert!(!code.contains('\''), "strings are in double quotes");
    code
}

/// Names and numbers with the byte before them and the bytes after them.
fn words(code: &str) -> Vec<(char, String, String)> {
    let mut words = Vec::new();
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut rest = code;
    let mut before = ' ';
    while let Some(char) = rest.chars().next() {
        if is_word(char) {
            let len = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
            words.push((before, rest[..len].to_owned(), rest[len..].chars().take(3).collect()));
            rest = &rest[len..];
            before = 'w';
        } else {
            rest = &rest[char.len_utf8()..];
            if !char.is_whitespace() {
                before = char;
            }
        }
    }
    words
}

fn set(words: &str) -> BTreeSet<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

/// Everything that is declared somewhere: by `local`, as a parameter, by `for`.
fn declared(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("local ") {
        let rest = &code[at + 6..];
        let rest = rest.strip_prefix("function ").unwrap_or(rest);
        let list = rest.split(['=', '(', '\n']).next().unwrap_or_default();
        // A list of names may go on over lines, up to its `=`.
        let list = if list.trim_end().ends_with(',') { rest.split('=').next().unwrap_or_default() } else { list };
        names.extend(list.split(',').map(|name| name.trim().to_owned()));
    }
    for (at, _) in code.match_indices("function") {
        let Some((_, rest)) = code[at..].split_once('(') else { continue };
        names.extend(rest.split(')').next().unwrap_or_default().split(',').map(|name| name.trim().to_owned()));
    }
    for (at, _) in code.match_indices("for ") {
        let list = code[at + 4..].split(['=', '\n']).next().unwrap_or_default();
        names.extend(list.split(" in ").next().unwrap_or_default().split(',').map(|name| name.trim().to_owned()));
    }
    names
}

#[test]
fn the_committed_files_are_what_the_generator_writes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, generated) in [("htcpcp.lua", dissector()), ("FIELDS.md", field_reference())] {
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(committed == generated, "{name} is out of date: cargo run -p dissector-lua -- generate dissector-lua");
    }
}

#[test]
fn the_dissector_says_its_version() {
    let lua = dissector();
    assert!(lua.lines().next().unwrap().ends_with(&format!("version {VERSION}.")));
    assert!(lua.contains(&format!("local VERSION = \"{VERSION}\"\n")));
}

#[test]
fn the_dissector_is_well_formed() {
    Lua::new().load(dissector()).set_name("=htcpcp.lua").into_function().expect("it is Lua");
}

#[test]
fn only_names_that_both_versions_know_are_used() {
    let code = code();
    let known: BTreeSet<_> = [declared(&code), set(WIRESHARK), set(LUA), set(KEYWORDS)].into_iter().flatten().collect();
    for (before, word, after) in words(&code) {
        let is_key = after.trim_start().starts_with('=') && !after.trim_start().starts_with("==");
        let is_number = word.starts_with(|char: char| char.is_ascii_digit());
        // A member's name; `..` joins strings, and its second dot is not told apart here, so that both sides are checked
        // only where they stand alone.
        if is_number || before == '.' || before == ':' || (is_key && (before == '{' || before == ',')) {
            continue;
        }
        assert!(known.contains(&word), "`{word}` is no name that is declared or known");
    }
}

#[test]
fn only_library_functions_that_both_versions_have_are_used() {
    let code = code();
    let allowed = set(MEMBERS);
    for library in ["string", "table", "math"] {
        for (at, _) in code.match_indices(&format!("{library}.")) {
            if code[..at].ends_with(|char: char| char.is_ascii_alphanumeric() || char == '_' || char == '.') {
                continue;
            }
            let member: String = code[at + library.len() + 1..].chars().take_while(char::is_ascii_alphanumeric).collect();
            let full = format!("{library}.{member}");
            assert!(allowed.contains(&full) || full == "math.huge", "{full}");
        }
    }
}

/// Bit operators, integer division and attributes came with 5.3 and 5.4; 5.4 has no `bit32`, `unpack` or `loadstring`.
#[test]
fn only_operators_that_both_versions_have_are_used() {
    let code = code();
    for operator in ["//", "<<", ">>", "&", "|", "<const>", "<close>", "goto ", "::"] {
        assert!(!code.contains(operator), "{operator}");
    }
    for (at, _) in code.match_indices('~') {
        assert!(code[at..].starts_with("~="), "a lone ~");
    }
}

/// A stand-in for everything of Wireshark's: whatever is asked of it, it answers with itself.
const STAND_IN: &str = r#"
local anything = {}
setmetatable(anything, {
    __index = function() return anything end,
    __newindex = function() end,
    __call = function() return anything end,
    __tostring = function() return "5030" end,
})
local globals = setmetatable({}, {
    __index = function(_, name) return STANDARD[name] or anything end,
    __newindex = function(_, name) error("writes the global " .. name) end,
})
STANDARD.gui_enabled = function() return GUI end
local chunk = assert(load(SOURCE, "=htcpcp.lua", "t", globals))
chunk()
"#;

#[test]
fn loading_it_writes_no_global() {
    for gui in [false, true] {
        let lua = Lua::new();
        let standard = lua.create_table().unwrap();
        for name in LUA.split_whitespace() {
            standard.set(name, lua.globals().get::<mlua::Value>(name).unwrap()).unwrap();
        }
        lua.globals().set("STANDARD", standard).unwrap();
        lua.globals().set("SOURCE", dissector()).unwrap();
        lua.globals().set("GUI", gui).unwrap();
        lua.load(STAND_IN).exec().unwrap();
    }
}
