//! Rust values as Lua literals that Lua 5.2 and 5.4 read alike.

use std::fmt::Write;

/// A string literal of any text.
pub(super) fn text(text: &str) -> String {
    bytes(text.as_bytes())
}

/// A string literal of any bytes: UTF-8 is written as it is, all else in decimal escapes.
pub(super) fn bytes(bytes: &[u8]) -> String {
    let mut literal = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '"' | '\\' => literal.extend(['\\', char]),
                // Three digits, so that a digit may follow.
                _ if char.is_ascii_control() => write!(literal, "\\{:03}", char as u32).expect("a String takes all"),
                _ => literal.push(char),
            }
        }
        for byte in chunk.invalid() {
            write!(literal, "\\{byte:03}").expect("a String takes all");
        }
    }
    literal.push('"');
    literal
}

/// `local NAME = { … }` with one entry a line.
pub(super) fn table(name: &str, entries: impl IntoIterator<Item = String>) -> String {
    let lines: String = entries.into_iter().map(|entry| format!("    {entry},\n")).collect();
    format!("local {name} = {{\n{lines}}}\n")
}

/// `["key"] = value`.
pub(super) fn entry(key: &str, value: &str) -> String {
    format!("[{}] = {value}", text(key))
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[track_caller]
    fn check(input: &[u8], expected: &str) {
        assert_eq!(bytes(input), expected);
    }

    #[test]
    fn strings_are_escaped_where_lua_would_misread_them() {
        check(b"coffee", r#""coffee""#);
        check(br#"a"b\c"#, r#""a\"b\\c""#);
        check(b"a\n1", r#""a\0101""#);
        check("咖啡".as_bytes(), "\"咖啡\"");
        check(b"caf\xC3\xE8", r#""caf\195\232""#);
    }
}
