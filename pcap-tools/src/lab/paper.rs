//! What a student wrote: TOML in, an answer for each name out.
//!
//! Names are joined by dots, so that `[3.1]` and `["3.1"]` say the same. Nothing in a paper is an error but what is no
//! TOML at all: what cannot be an answer is marked as one that is wrong.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Bytes of a paper; more are read by nobody.
pub const MAX_BYTES: u64 = 1 << 20;

/// What a student wrote.
#[derive(Clone, PartialEq, Debug)]
pub struct Paper {
    /// Whose it is, if it says so.
    pub student: Option<String>,
    /// In the order of the paper.
    pub given: Vec<Given>,
}

/// A value with its name.
#[derive(Clone, PartialEq, Debug)]
pub struct Given {
    /// Such as `3.1.handshakes`.
    pub id: String,
    /// The line of the paper, from 1.
    pub line: usize,
    /// What stands there.
    pub value: Value,
}

/// What can be written as an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Text, and numbers as they were written.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A number with a fraction.
    Fraction(f64),
    /// True or false.
    Claim(bool),
    /// Several.
    List(Vec<Value>),
}

impl Value {
    /// Whether nothing was written.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::List(values) => values.iter().all(Self::is_blank),
            Self::Number(_) | Self::Fraction(_) | Self::Claim(_) => false,
        }
    }
}

/// Why a paper is no TOML, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Error {}

impl Paper {
    /// Reads a paper.
    ///
    /// Errors: what is no TOML (of version 1.1), or no UTF-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let (line, column) = place(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]));
            Error { line, column, message: "this is no UTF-8".to_owned() }
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let table = DeTable::parse(text).map_err(|error| {
            let (line, column) = place(&text[..error.span().map_or(0, |span| span.start).min(text.len())]);
            Error { line, column, message: error.message().replace('\n', ", ") }
        })?;
        let mut paper = Self { student: None, given: Vec::new() };
        let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        paper.read("", table.get_ref(), &lines);
        paper.given.sort_by_key(|given| given.line);
        let student = paper.given.iter().position(|given| given.id == "student");
        if let Some(Given { value: Value::Text(name), .. }) = student.map(|at| paper.given.remove(at)) {
            paper.student = Some(name).filter(|name| !name.trim().is_empty());
        }
        Ok(paper)
    }

    fn read(&mut self, above: &str, table: &DeTable<'_>, lines: &[usize]) {
        for (key, value) in table {
            let id = if above.is_empty() { key.get_ref().to_string() } else { format!("{above}.{}", key.get_ref()) };
            match value.get_ref() {
                DeValue::Table(table) => self.read(&id, table, lines),
                _ => {
                    let line = 1 + lines.partition_point(|end| *end < key.span().start);
                    self.given.push(Given { id, line, value: read(value) });
                }
            }
        }
    }
}

fn read(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| Value::Text(number.to_string()), Value::Number)
        }
        DeValue::Float(number) => number.as_str().parse().map_or_else(|_| Value::Text(number.to_string()), Value::Fraction),
        DeValue::Boolean(claim) => Value::Claim(*claim),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(values) => Value::List(values.iter().map(read).collect()),
        DeValue::Table(_) => Value::Text("{…}".to_owned()),
    }
}

/// Line and column behind a text.
fn place(before: &str) -> (usize, usize) {
    let line = before.rsplit('\n').next().unwrap_or_default();
    (1 + before.matches('\n').count(), 1 + line.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, usize, Value)]) {
        let paper = Paper::parse(text.as_bytes()).expect("it is TOML");
        let given: Vec<_> = paper.given.iter().map(|given| (given.id.as_str(), given.line, given.value.clone())).collect();
        assert_eq!(given, expected);
    }

    #[test]
    fn names_are_joined_by_dots() {
        let five = Value::Number(5);
        check("[3.1]\na = 5\n", &[("3.1.a", 2, five.clone())]);
        check("[\"3.1\"]\na = 0x5\n", &[("3.1.a", 2, five.clone())]);
        check("6.200 = [[5, 5]]", &[("6.200", 1, Value::List(vec![Value::List(vec![five.clone(), five.clone()])]))]);
        check("a = 99999999999999999999", &[("a", 1, Value::Text("99999999999999999999".to_owned()))]);
    }

    #[test]
    fn errors_name_the_place() {
        let error = |text: &[u8]| Paper::parse(text).map_err(|error| (error.line, error.column)).expect_err("it is no TOML");
        assert_eq!(error("a = 1\nb = \"é\" ]".as_bytes()), (2, 9));
        assert_eq!(error(b"a = 1\na = 2\n"), (2, 1));
        assert_eq!(error(b"a = 1\nb = \"\xff\""), (2, 6));
    }

    #[test]
    fn hostile_papers_end() {
        assert!(Paper::parse(format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes()).is_err());
        assert!(Paper::parse(format!("{}a = 1", "a.".repeat(100_000)).as_bytes()).is_err());
        let many = format!("a = [{}]", "1,".repeat(400_000));
        assert_eq!(Paper::parse(many.as_bytes()).expect("it is TOML").given.len(), 1);
    }
}
