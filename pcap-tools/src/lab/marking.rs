//! Marks: a sheet and a student's paper in, points and what is missing out.
//!
//! Every question is worth one point. A list gets (right − wrong) / expected of it, and never less than nothing; of
//! rows each number counts, at its place in the row that is most like it.

use std::collections::{BTreeMap, BTreeSet};

use super::paper::{Given, Paper, Value};
use super::sheet::{Answer, Item, Sheet};
use crate::spelling;

/// A time may be so much off, in nanoseconds: what is asked for are microseconds.
const TOLERANCE_NANOS: f64 = 1000.0;
/// Rows that share a number: so many of them are compared with one that was given.
const MAX_ALIKE: usize = 100;

/// How good an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All of it.
    Right,
    /// Some of it.
    Partly,
    /// Nothing of it.
    Wrong,
    /// Nothing was written.
    Blank,
}

/// What an answer is worth.
#[derive(Clone, PartialEq, Debug)]
pub struct Mark {
    /// How good it is.
    pub verdict: Verdict,
    /// From 0 to 1.
    pub points: f64,
    /// What belongs to the answer and was not given.
    pub missing: Vec<String>,
    /// What was given and does not belong to it.
    pub surplus: Vec<String>,
}

/// A paper, marked.
#[derive(Clone, PartialEq, Debug)]
pub struct Marked {
    /// Whose it is, if it says so.
    pub student: Option<String>,
    /// One for each question of the sheet.
    pub marks: Vec<Mark>,
    /// Names that are not on the sheet: lines, and what may have been meant.
    pub notes: Vec<String>,
}

impl Marked {
    /// The sum.
    pub fn points(&self) -> f64 {
        self.marks.iter().map(|mark| mark.points).sum()
    }
}

impl Sheet {
    /// Marks a paper.
    pub fn mark(&self, paper: &Paper) -> Marked {
        let mut given = BTreeMap::<&str, &Value>::new();
        let mut notes = Vec::new();
        for Given { id, line, value } in &paper.given {
            if !self.items.iter().any(|item| item.id == *id) {
                let near = spelling::nearest(id, self.items.iter().map(|item| item.id.as_str()));
                let meant = near.map_or(String::new(), |name| format!("; did you mean {name}?"));
                notes.push(format!("line {line}: {id} is not asked of this capture{meant}"));
            } else if given.insert(id, value).is_some() {
                notes.push(format!("line {line}: {id} is there twice; one of them counts"));
            }
        }
        let marks = self.items.iter().map(|item| mark(item, given.get(item.id.as_str()).copied())).collect();
        Marked { student: paper.student.clone(), marks, notes }
    }
}

fn mark(item: &Item, given: Option<&Value>) -> Mark {
    let Some(given) = given.filter(|given| !given.is_blank()) else {
        return Mark { verdict: Verdict::Blank, points: 0.0, missing: Vec::new(), surplus: Vec::new() };
    };
    let single = |right: bool| if right { Count::new(1, 0, 1) } else { Count::new(0, 1, 1).surplus([shown(given)]) };
    let count = match &item.answer {
        Answer::Number(number) => single(whole(given) == Some(*number)),
        Answer::Micros(nanos) => single(micros(given).is_some_and(|micros| (micros * 1000.0 - *nanos as f64).abs() <= TOLERANCE_NANOS)),
        Answer::Claim(claim) => single(yes_or_no(given) == Some(*claim)),
        Answer::Word(word) => single(matches!(given, Value::Text(text) if lenient(text) == lenient(word))),
        Answer::Numbers(numbers) => {
            let expected = numbers.iter().map(|number| (Ok(*number), number.to_string())).collect();
            sets(&expected, pieces(given).iter().map(|value| (cell(value), shown(value))).collect())
        }
        Answer::Words(words) => {
            let expected = words.iter().map(|word| (lenient(word), word.clone())).collect();
            sets(&expected, pieces(given).iter().map(|value| (lenient(&shown(value)), shown(value))).collect())
        }
        Answer::Rows(width, expected) => rows(*width, expected, given),
    };
    count.into_mark()
}

/// What was right and what was not.
struct Count {
    right: usize,
    wrong: usize,
    expected: usize,
    missing: Vec<String>,
    surplus: Vec<String>,
}

impl Count {
    fn new(right: usize, wrong: usize, expected: usize) -> Self {
        Self { right, wrong, expected, missing: Vec::new(), surplus: Vec::new() }
    }

    fn missing(mut self, missing: impl IntoIterator<Item = String>) -> Self {
        self.missing.extend(missing);
        self
    }

    fn surplus(mut self, surplus: impl IntoIterator<Item = String>) -> Self {
        self.surplus.extend(surplus);
        self
    }

    fn into_mark(self) -> Mark {
        let points = self.right.saturating_sub(self.wrong) as f64 / self.expected.max(1) as f64;
        let verdict = match points {
            _ if self.right == self.expected && self.wrong == 0 => Verdict::Right,
            points if points > 0.0 => Verdict::Partly,
            _ => Verdict::Wrong,
        };
        Mark { verdict, points, missing: self.missing, surplus: self.surplus }
    }
}

/// Sets of things in the form that is compared, each with how it is shown.
fn sets<T: Ord>(expected: &BTreeMap<T, String>, given: BTreeMap<T, String>) -> Count {
    let right = given.keys().filter(|key| expected.contains_key(key)).count();
    let missing = expected.iter().filter(|(key, _)| !given.contains_key(key)).map(|(_, shown)| shown.clone());
    let surplus = given.iter().filter(|(key, _)| !expected.contains_key(key)).map(|(_, shown)| shown.clone());
    Count::new(right, given.len() - right, expected.len()).missing(missing).surplus(surplus)
}

/// Each row that was given against the one that is most like it.
fn rows(width: usize, expected: &BTreeSet<Vec<u64>>, given: &Value) -> Count {
    let given = match given {
        // One row needs no brackets around it.
        Value::List(values) if values.iter().all(|value| !matches!(value, Value::List(_))) => vec![values.as_slice()],
        Value::List(values) => values.iter().map(std::slice::from_ref).map(row).collect(),
        other => vec![std::slice::from_ref(other)],
    };
    let given: BTreeSet<Vec<Cell>> = given.into_iter().map(|row| row.iter().map(cell).collect()).collect();
    let expected: BTreeSet<Vec<Cell>> = expected.iter().map(|row| row.iter().copied().map(Ok).collect()).collect();
    let right = given.intersection(&expected).count();
    let other: Vec<&Vec<Cell>> = given.difference(&expected).collect();
    let mut left: BTreeSet<&Vec<Cell>> = expected.difference(&given).collect();
    let missing: Vec<String> = left.iter().map(|row| row_text(row)).collect();
    let mut by_cell = BTreeMap::<(usize, &Cell), Vec<&Vec<Cell>>>::new();
    for row in &left {
        for (place, cell) in row.iter().enumerate() {
            by_cell.entry((place, cell)).or_default().push(row);
        }
    }
    let (mut good, mut bad) = (right * width, 0);
    for row in &other {
        let alike = row.iter().enumerate().filter_map(|cell| by_cell.get(&cell)).flat_map(|rows| rows.iter().take(MAX_ALIKE));
        let equal = |candidate: &Vec<Cell>| candidate.iter().zip(*row).filter(|(right, given)| right == given).count();
        let best = alike.copied().filter(|candidate| left.contains(candidate)).max_by_key(|candidate| equal(candidate));
        let equal = best.map_or(0, equal);
        best.map(|best| left.remove(best));
        good += equal;
        bad += row.len().max(1) - equal;
    }
    let surplus = other.iter().map(|row| row_text(row));
    Count::new(good, bad, expected.len() * width).missing(missing).surplus(surplus)
}

/// The values of a row.
fn row(value: &[Value]) -> &[Value] {
    match value {
        [Value::List(values)] => values,
        other => other,
    }
}

fn row_text(row: &[Cell]) -> String {
    let cells: Vec<String> = row.iter().map(|cell| cell.as_ref().map_or_else(String::clone, u64::to_string)).collect();
    format!("[{}]", cells.join(", "))
}

/// A number of a list, or what stands in its place.
type Cell = Result<u64, String>;

fn cell(value: &Value) -> Cell {
    whole(value).ok_or_else(|| shown(value))
}

/// The members of a list; a text with commas is one, too.
fn pieces(value: &Value) -> Vec<Value> {
    match value {
        Value::List(values) => values.clone(),
        Value::Text(text) => {
            text.split([',', ';']).map(|piece| Value::Text(piece.trim().to_owned())).filter(|piece| !piece.is_blank()).collect()
        }
        other => vec![other.clone()],
    }
}

/// A whole number, or a text with one number in it (`200 OK`).
fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => u64::try_from(*number).ok(),
        Value::Fraction(number) => (*number >= 0.0 && number.fract() == 0.0 && *number < 2f64.powi(53)).then_some(*number as u64),
        Value::Text(text) => {
            let mut numbers = text.split(|char: char| !char.is_ascii_digit()).filter(|digits| !digits.is_empty());
            let (Some(number), None) = (numbers.next(), numbers.next()) else { return None };
            number.parse().ok()
        }
        Value::Claim(_) | Value::List(_) => None,
    }
}

/// A number of microseconds; the unit may stand behind it.
fn micros(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number as f64),
        Value::Fraction(number) => Some(*number),
        Value::Text(text) => text.trim().trim_end_matches(|char: char| !char.is_ascii_digit()).parse().ok(),
        Value::Claim(_) | Value::List(_) => None,
    }
}

fn yes_or_no(value: &Value) -> Option<bool> {
    match value {
        Value::Claim(claim) => Some(*claim),
        Value::Text(text) => match lenient(text).as_str() {
            "yes" | "true" => Some(true),
            "no" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// As it is compared: without case, quotes around it, and more than one space.
fn lenient(text: &str) -> String {
    let bare = text.trim().trim_matches(['"', '\'', '`']);
    bare.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// As it was written, more or less.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Fraction(number) => number.to_string(),
        Value::Claim(claim) => claim.to_string(),
        Value::List(_) => "a list".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let item =
            |id: &str, answer: Answer| Item { id: id.to_owned(), text: String::new(), answer, frames: Vec::new(), filter: String::new() };
        Sheet {
            items: vec![
                item("1.number", Answer::Number(200)),
                item("1.time", Answer::Micros(161_400)),
                item("1.claim", Answer::Claim(false)),
                item("1.word", Answer::Word("HTCPCP/1.1".to_owned())),
                item("1.frames", Answer::Numbers([4, 9, 12, 20].into())),
                item("1.words", Answer::Words(["BREW".to_owned(), "GET".to_owned()].into())),
                item("1.rows", Answer::Rows(3, [vec![1, 2, 3], vec![7, 8, 9]].into())),
            ],
        }
    }

    #[track_caller]
    fn check(paper: &str, id: &str, points: f64) -> Mark {
        let sheet = sheet();
        let marked = sheet.mark(&Paper::parse(format!("1.{paper}").as_bytes()).expect("it is TOML"));
        let at = sheet.items.iter().position(|item| item.id == id).expect("it is on the sheet");
        assert!((marked.marks[at].points - points).abs() < 1e-9, "{paper}: {:?}", marked.marks[at]);
        marked.marks[at].clone()
    }

    #[test]
    fn single_answers_are_read_kindly() {
        for (paper, points) in [
            ("200", 1.0),
            ("\"200 OK\"", 1.0),
            ("200.0", 1.0),
            ("[200]", 0.0),
            ("\"2 or 200\"", 0.0),
            ("-200", 0.0),
            ("true", 0.0),
            ("nan", 0.0),
        ] {
            check(&format!("number = {paper}"), "1.number", points);
        }
        for (paper, points) in
            [("161", 1.0), ("162", 1.0), ("163", 0.0), ("161.4", 1.0), ("\"161 µs\"", 1.0), ("\"0.161 ms\"", 0.0), ("inf", 0.0)]
        {
            check(&format!("time = {paper}"), "1.time", points);
        }
        for (paper, points) in [("false", 1.0), ("\"No\"", 1.0), ("true", 0.0), ("\"perhaps\"", 0.0)] {
            check(&format!("claim = {paper}"), "1.claim", points);
        }
        for (paper, points) in [("\" htcpcp/1.1\"", 1.0), ("\"`HTCPCP/1.1`\"", 1.0), ("\"HTTP/1.1\"", 0.0), ("1.1", 0.0)] {
            check(&format!("word = {paper}"), "1.word", points);
        }
    }

    #[test]
    fn what_is_too_much_costs_what_is_right() {
        let mark = check("frames = [4, 9, 10]", "1.frames", 0.25);
        assert_eq!(
            (mark.verdict, mark.missing, mark.surplus),
            (Verdict::Partly, vec!["12".to_owned(), "20".to_owned()], vec!["10".to_owned()])
        );
        check("frames = [4, 9, 12, 20, 20]", "1.frames", 1.0);
        check("frames = [1, 2, 3, 4]", "1.frames", 0.0);
        check("frames = 4", "1.frames", 0.25);
        check("frames = \"4, 9, 12, 20\"", "1.frames", 1.0);
        check("frames = [\"x\", [4]]", "1.frames", 0.0);
        check("frames = [4, 9, 12, \"x\", \"y\"]", "1.frames", 0.25);
        check("words = [\"get\", \"Brew\"]", "1.words", 1.0);
        check("words = \"GET, WHEN\"", "1.words", 0.0);
        assert_eq!(check("frames = [ ]", "1.frames", 0.0).verdict, Verdict::Blank);
        assert_eq!(check("frames = \"\"", "1.frames", 0.0).verdict, Verdict::Blank);
    }

    #[test]
    fn rows_count_number_by_number() {
        check("rows = [[7, 8, 9], [1, 2, 3]]", "1.rows", 1.0);
        // The frame behind the ACK, a window update, in place of the ACK.
        let mark = check("rows = [[1, 2, 4], [7, 8, 9]]", "1.rows", 4.0 / 6.0);
        assert_eq!((mark.missing, mark.surplus), (vec!["[1, 2, 3]".to_owned()], vec!["[1, 2, 4]".to_owned()]));
        check("rows = [1, 2, 3]", "1.rows", 0.5);
        check("rows = [[3, 2, 1]]", "1.rows", 0.0);
        check("rows = [[1, 2, 3, 4], []]", "1.rows", 1.0 / 6.0);
        check("rows = [[1, 2, 3], [1, 2, 3]]", "1.rows", 0.5);
        check("rows = [[1, 2, \"?\"], [1, 2, 5]]", "1.rows", 0.0);
    }

    #[test]
    fn names_that_nobody_asked_for_are_noted() {
        let paper = Paper::parse(b"student = \"Ada\"\n[1]\nframe = [4]\nnonsense = 5\n").expect("it is TOML");
        let marked = sheet().mark(&paper);
        assert_eq!(marked.student.as_deref(), Some("Ada"));
        assert_eq!(
            marked.notes,
            ["line 3: 1.frame is not asked of this capture; did you mean 1.frames?", "line 4: 1.nonsense is not asked of this capture"]
        );
    }
}
