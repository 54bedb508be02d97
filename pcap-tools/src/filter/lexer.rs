//! Tokens: a filter's text in, words, strings and signs with their places out.
//!
//! What a word means (a field, a number, an address) is left to the parser.
//! Source: the Wireshark User's Guide, §6.4, and wireshark-filter(4) of Wireshark 4.0.

use std::ops::Range;

use super::Error;

/// What a token is.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Kind {
    /// A name, number or address, as written.
    Word(String),
    /// What stood between quotes, without its escapes.
    Text(Vec<u8>),
    /// A character between single quotes.
    Char(u8),
    /// An operator or a bracket.
    Sign(&'static str),
    /// Behind the last token.
    End,
}

/// A token and its place in the text, in bytes.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
}

/// Longer ones first, since the first that fits is taken.
const SIGNS: [&str; 24] =
    ["===", "!==", "==", "!=", "~=", ">=", "<=", "&&", "||", "..", ">", "<", "!", "~", "&", "(", ")", "{", "}", "[", "]", ",", "-", ":"];

/// The tokens of a filter, the last being [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let mut at = 0;
    // Inside of square brackets, `:` and `-` are signs, not parts of words.
    let mut in_slice = false;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            tokens.push(Token { kind: Kind::End, span: at..at });
            return Ok(tokens);
        };
        let raw = rest.starts_with("r\"") || rest.starts_with("R\"");
        let (kind, len) = if first == '"' || raw {
            let (bytes, len) = quoted(text, at + usize::from(raw), '"', if raw { Escapes::Kept } else { Escapes::Read })?;
            (Kind::Text(bytes), len + usize::from(raw))
        } else if first == '\'' {
            let (bytes, len) = quoted(text, at, '\'', Escapes::Read)?;
            let [byte] = bytes[..] else {
                return Err(Error::new(text, at..at + len, "one character belongs between single quotes"));
            };
            (Kind::Char(byte), len)
        } else {
            let len = word_len(rest, in_slice, matches!(tokens.last(), Some(Token { kind: Kind::Word(_), span }) if span.end == at));
            match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                _ if len > 0 => (Kind::Word(rest[..len].to_owned()), len),
                Some(sign) => (Kind::Sign(sign), sign.len()),
                None => return Err(Error::new(text, at..at + first.len_utf8(), format!("\"{first}\" has no meaning in a filter"))),
            }
        };
        match kind {
            Kind::Sign("[") => in_slice = true,
            Kind::Sign("]") => in_slice = false,
            _ => {}
        }
        tokens.push(Token { kind, span: at..at + len });
        at += len;
    }
}

/// Length of the word at the beginning of `rest`; 0 if there is none.
///
/// A range's `..` ends a word, and `-` begins a number only where it does not stand behind a word.
fn word_len(rest: &str, in_slice: bool, behind_word: bool) -> usize {
    let bytes = rest.as_bytes();
    let mut len = 0;
    while let Some(&byte) = bytes.get(len) {
        let belongs = match byte {
            b'.' if bytes[len..].starts_with(b"..") => false,
            b'-' if len == 0 => !behind_word && bytes.get(1).is_some_and(u8::is_ascii_digit),
            b':' if in_slice => false,
            b'-' if in_slice => false,
            b':' => bytes.get(len + 1).is_some_and(|next| next.is_ascii_hexdigit() || *next == b':') || len > 0 && bytes[len - 1] == b':',
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'/' | b'+' => true,
            128.. => true,
            _ => false,
        };
        if !belongs {
            break;
        }
        len += 1;
    }
    len
}

/// Whether a backslash means anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Read,
    Kept,
}

/// What stands between quotes at `at`, and its length with them.
fn quoted(text: &str, at: usize, quote: char, escapes: Escapes) -> Result<(Vec<u8>, usize), Error> {
    let bytes = text.as_bytes();
    let mut value = Vec::new();
    let mut place = at + 1;
    loop {
        match bytes.get(place) {
            None => return Err(Error::new(text, at..text.len(), "this string has no end")),
            Some(&byte) if byte == quote as u8 => return Ok((value, place + 1 - at)),
            Some(b'\\') if escapes == Escapes::Read => {
                let (byte, len) = escape(text, place)?;
                value.extend_from_slice(byte.encode(&mut [0; 4]));
                place += len;
            }
            Some(&byte) => {
                value.push(byte);
                place += 1;
            }
        }
    }
}

/// What an escape stands for.
enum Escaped {
    Byte(u8),
    Char(char),
}

impl Escaped {
    fn encode<'a>(&self, buffer: &'a mut [u8; 4]) -> &'a [u8] {
        match self {
            Self::Byte(byte) => {
                buffer[0] = *byte;
                &buffer[..1]
            }
            Self::Char(char) => char.encode_utf8(buffer).as_bytes(),
        }
    }
}

/// The escape at `at`, and its length.
fn escape(text: &str, at: usize) -> Result<(Escaped, usize), Error> {
    let rest = &text[at + 1..];
    let number = |from: usize, count: usize, radix: u32| {
        let digits: String = rest.chars().skip(from).take(count).take_while(|digit| digit.is_digit(radix)).collect();
        Some((u32::from_str_radix(&digits, radix).ok()?, 1 + from + digits.len()))
    };
    let simple = |byte: u8| Ok((Escaped::Byte(byte), 2));
    let escaped = rest.chars().next().map_or(0, char::len_utf8);
    let bad = || Error::new(text, at..at + 1 + escaped, "this escape has no meaning");
    match rest.chars().next() {
        Some('a') => simple(7),
        Some('b') => simple(8),
        Some('f') => simple(12),
        Some('n') => simple(b'\n'),
        Some('r') => simple(b'\r'),
        Some('t') => simple(b'\t'),
        Some('v') => simple(11),
        Some(char @ ('\\' | '"' | '\'')) => simple(char as u8),
        Some('x') => number(1, 2, 16).map(|(value, len)| (Escaped::Byte(value as u8), len)).ok_or_else(bad),
        Some('u') => number(1, 4, 16).and_then(|(value, len)| Some((Escaped::Char(char::from_u32(value)?), len))).ok_or_else(bad),
        Some('0'..='7') => number(0, 3, 8).map(|(value, len)| (Escaped::Byte(value as u8), len)).ok_or_else(bad),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[Kind]) {
        let kinds: Vec<Kind> = tokens(text).expect(text).into_iter().map(|token| token.kind).collect();
        assert_eq!(kinds[..kinds.len() - 1], *expected, "{text}");
    }

    fn word(text: &str) -> Kind {
        Kind::Word(text.to_owned())
    }

    #[test]
    fn words_strings_and_signs() {
        check("tcp.port==5031", &[word("tcp.port"), Kind::Sign("=="), word("5031")]);
        check("ip.addr != 10.0.0.0/8", &[word("ip.addr"), Kind::Sign("!="), word("10.0.0.0/8")]);
        check("ipv6.src==2001:db8::1", &[word("ipv6.src"), Kind::Sign("=="), word("2001:db8::1")]);
        check("ipv6.src == ::1", &[word("ipv6.src"), Kind::Sign("=="), word("::1")]);
        check("{80..90,443}", &[Kind::Sign("{"), word("80"), Kind::Sign(".."), word("90"), Kind::Sign(","), word("443"), Kind::Sign("}")]);
        check("eth.src[0:3]", &[word("eth.src"), Kind::Sign("["), word("0"), Kind::Sign(":"), word("3"), Kind::Sign("]")]);
        check("a[1-2]", &[word("a"), Kind::Sign("["), word("1"), Kind::Sign("-"), word("2"), Kind::Sign("]")]);
        check("x > -1", &[word("x"), Kind::Sign(">"), word("-1")]);
        check("01:02-03", &[word("01:02-03")]);
    }

    #[test]
    fn escapes() {
        check(r#""a\"b\x41\101\r\n\u00e9""#, &[Kind::Text("a\"bAA\r\né".as_bytes().to_vec())]);
        check(r#"r"a\d""#, &[Kind::Text(b"a\\d".to_vec())]);
        check(r"'\n'", &[Kind::Char(b'\n')]);
    }

    #[test]
    fn what_has_no_meaning_is_pointed_at() {
        for (text, place) in [("tcp $ ip", 4..5), ("x == \"abc", 5..9), (r#""\q""#, 1..3), (r#""\é""#, 1..4), ("'ab'", 0..4)] {
            assert_eq!(tokens(text).expect_err(text).span, place, "{text}");
        }
    }
}
