//! Quizzes: tables of facts and a seed in, questions with their answers out.
//!
//! The same capture, seed and count give the same quiz, on every machine. Wrong answers come out of the same capture
//! where it has some, and none of them is right by accident: each question has one right answer.
//!
//! ```
//! use pcap_tools::{capture::Reader, craft, exchange::Ports, lab::Lab, summary};
//!
//! let mut talk = craft::Conversation::new("127.0.0.1:55433".parse()?, "127.0.0.1:5031".parse()?);
//! talk.handshake().client("GET / HTTP/1.1\r\n\r\n").server("HTTP/1.1 204 No Content\r\n\r\n").close(craft::Side::Server);
//! let reader = Reader::new(std::io::Cursor::new(craft::capture(&talk.packets())))?;
//! let (_, lab) = summary::run(reader, Ports::default(), Lab::new(Ports::default()));
//! let questions = lab.quiz(1, 5);
//! assert_eq!(questions.len(), 5);
//! assert!(questions.iter().all(|question| !question.frames.is_empty()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeSet, HashSet};

use super::truth::{Class, Fact, Kind, Row, Table, Truth};
use crate::random::Random;

/// Wrong answers of a choice: so many at the most.
const MAX_WRONG: usize = 3;
/// … and so many at the least.
const MIN_WRONG: usize = 2;
/// Pairs of a matching question.
const PAIRS: std::ops::RangeInclusive<usize> = 3..=5;
/// Characters of an answer that is typed.
const MAX_TYPED: usize = 60;
/// Frames that a question names as its evidence.
const MAX_FRAMES: usize = 20;

/// A question, its answer, and where to see that it is true.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// What is asked, such as `3.1.syn`; several questions of a quiz may have it.
    pub id: &'static str,
    /// A short name without any text of the capture's.
    pub title: String,
    /// The question. What it quotes of the capture stands in backticks.
    pub text: String,
    /// How it is answered, and the answer.
    pub answer: Answer,
    /// Why that is so.
    pub why: &'static str,
    /// Frames that show it; of many, the first ones.
    pub frames: Vec<u64>,
    /// A display filter that shows it in Wireshark.
    pub filter: String,
}

/// The ways in which questions are answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// By a number, which may be so much off.
    Number {
        /// What is right.
        value: u64,
        /// 0 but for a time that had to be rounded.
        tolerance: u64,
    },
    /// By a word that is typed.
    Word(String),
    /// By one of several.
    Choice {
        /// In the order in which they are shown.
        options: Vec<String>,
        /// Which of them is right.
        right: usize,
    },
    /// Each of the left by one of the right.
    Matching(Vec<(String, String)>),
    /// By true or false.
    Claim(bool),
}

impl Question {
    /// The task that it belongs to, such as `3.1`.
    pub fn task(&self) -> &'static str {
        self.id.rsplit_once('.').map_or(self.id, |(task, _)| task)
    }
}

/// Draws questions: of as many kinds as there are, then more of each kind.
pub(super) fn draw(truth: &Truth, seed: u64, count: usize) -> Vec<Question> {
    let mut random = Random::new(seed);
    let mut kinds: Vec<Source<'_>> = Vec::new();
    for table in &truth.tables {
        kinds.extend((0..table.columns.len()).map(|column| Source::Column(table, column)));
    }
    kinds.extend(truth.classes.iter().map(Source::Class));
    random.shuffle(&mut kinds);
    let mut kinds: Vec<(Source<'_>, Vec<usize>)> = kinds.into_iter().map(|kind| (kind, kind.places(&mut random))).collect();
    let (mut questions, mut asked) = (Vec::new(), HashSet::new());
    while questions.len() < count && kinds.iter().any(|(_, places)| !places.is_empty()) {
        for (kind, places) in &mut kinds {
            if questions.len() == count {
                break;
            }
            if let Some(question) = places.pop().and_then(|place| kind.question(place, truth, &mut random))
                && asked.insert(question.text.clone())
            {
                questions.push(question);
            }
        }
    }
    questions.sort_by_key(Question::task);
    questions
}

/// Where questions of one kind come from.
#[derive(Clone, Copy)]
enum Source<'a> {
    Column(&'a Table, usize),
    Class(&'a Class),
}

impl Source<'_> {
    /// The rows that can be asked about, or the members, in a random order.
    fn places(self, random: &mut Random) -> Vec<usize> {
        let mut places: Vec<usize> = match self {
            Self::Column(table, column) if table.columns[column].ask.is_empty() => Vec::new(),
            Self::Column(table, column) => {
                (0..table.rows.len()).filter(|at| table.rows[*at].cells[column].is_some() && !table.rows[*at].name.is_empty()).collect()
            }
            Self::Class(class) if class.strangers.len() < MIN_WRONG => Vec::new(),
            Self::Class(class) => (0..class.members.len()).collect(),
        };
        random.shuffle(&mut places);
        places
    }

    fn question(self, place: usize, truth: &Truth, random: &mut Random) -> Option<Question> {
        match self {
            Self::Column(table, column) => {
                let matching = !table.columns[column].matching.is_empty() && random.below(3) == 0;
                let matched = if matching { matched(table, column, place, random) } else { None };
                matched.or_else(|| about(table, column, place, truth, random))
            }
            Self::Class(class) => {
                let member = *class.members.iter().nth(place)?;
                let wrong = class.strangers.iter().map(|frame| Fact::Number(*frame)).collect();
                Some(Question {
                    id: class.id,
                    title: title(class.id),
                    text: class.ask.to_owned(),
                    answer: choice(Fact::Number(member), wrong, Vec::new(), random)?,
                    why: class.why,
                    frames: vec![member],
                    filter: class.filter.clone(),
                })
            }
        }
    }
}

/// `3.1 syn ack` of `3.1.syn_ack`.
fn title(id: &str) -> String {
    let (task, name) = id.rsplit_once('.').unwrap_or((id, ""));
    format!("{task} {}", name.replace('_', " "))
}

/// A question about one row.
fn about(table: &Table, column: usize, place: usize, truth: &Truth, random: &mut Random) -> Option<Question> {
    let (asks, row) = (&table.columns[column], &table.rows[place]);
    let cell = row.cells[column].as_ref()?;
    let chosen = |random: &mut Random| {
        let (near, far) = lures(table, column, place, truth);
        choice(cell.fact.clone(), near, far, random)
    };
    let answer = match (&cell.fact, asks.kind) {
        (Fact::Nanos(nanos), _) => Some(rounded(*nanos)),
        (Fact::Claim(claim), _) => Some(Answer::Claim(*claim)),
        (Fact::Number(value), _) => {
            let typed = Answer::Number { value: *value, tolerance: 0 };
            if random.below(2) == 0 { Some(typed) } else { chosen(random).or(Some(typed)) }
        }
        (Fact::Word(word), Kind::Typed) if is_tame(word) && random.below(2) == 0 => Some(Answer::Word(word.clone())),
        (Fact::Word(_), _) => chosen(random),
    }?;
    let about = if row.label.is_empty() { String::new() } else { format!(" ({})", row.label.split(':').next().unwrap_or_default()) };
    Some(Question {
        id: asks.id,
        title: title(asks.id) + &about,
        text: asks.ask.replace("{}", &row.name),
        answer,
        why: asks.why,
        frames: row.frames.iter().copied().take(MAX_FRAMES).collect(),
        filter: row.filter.clone(),
    })
}

/// Whole microseconds, and 1 of tolerance where they had to be rounded.
fn rounded(nanos: i64) -> Answer {
    let nanos = nanos.unsigned_abs();
    Answer::Number { value: nanos.saturating_add(500) / 1000, tolerance: u64::from(!nanos.is_multiple_of(1000)) }
}

/// Whether a word can be typed as it is: short, and without anything that a form might read in another way.
fn is_tame(word: &str) -> bool {
    let tame = |char: char| char.is_ascii_alphanumeric() || " -_./:".contains(char);
    !word.is_empty() && word.len() <= MAX_TYPED && word.chars().all(tame) && word.trim() == word && !word.contains("  ")
}

/// What is wrong: first what looks most like the right answer, then the rest.
fn lures(table: &Table, column: usize, place: usize, truth: &Truth) -> (Vec<Fact>, Vec<Fact>) {
    let (asks, row) = (&table.columns[column], &table.rows[place]);
    let Some(cell) = row.cells[column].as_ref() else { return Default::default() };
    let fixed = asks.lures.iter().map(|word| Fact::Word((*word).to_owned()));
    let mut near: Vec<Fact> = cell.lures.iter().cloned().chain(fixed).collect();
    let mut far: Vec<Fact> = Vec::new();
    if asks.kind == Kind::Frame {
        let beside = row.cells.iter().zip(table.columns).filter(|(_, other)| other.kind == Kind::Frame);
        near.extend(beside.filter_map(|(cell, _)| Some(cell.as_ref()?.fact.clone())));
        if let Fact::Number(frame) = cell.fact {
            near.extend([frame + 1].into_iter().filter(|frame| *frame <= truth.last_frame).map(Fact::Number));
        }
    }
    // Lines of other requests may well say the same of this one.
    if asks.kind != Kind::Chosen {
        far.extend(table.rows.iter().filter_map(|row| Some(row.cells[column].as_ref()?.fact.clone())));
    }
    (near, far)
}

/// The right answer among wrong ones, first of all from `near`; `None` if there are too few.
fn choice(right: Fact, mut near: Vec<Fact>, mut far: Vec<Fact>, random: &mut Random) -> Option<Answer> {
    random.shuffle(&mut near);
    random.shuffle(&mut far);
    let text = |fact: &Fact| match fact {
        Fact::Number(number) => number.to_string(),
        Fact::Word(word) => word.clone(),
        Fact::Nanos(_) | Fact::Claim(_) => String::new(),
    };
    let shown = text(&right);
    let mut seen = BTreeSet::from([shown.to_lowercase()]);
    let mut options = vec![right];
    for wrong in near.into_iter().chain(far) {
        // What differs in case only might be taken for right, and an empty line for nothing.
        if options.len() <= MAX_WRONG && !text(&wrong).is_empty() && seen.insert(text(&wrong).to_lowercase()) {
            options.push(wrong);
        }
    }
    if options.len() <= MIN_WRONG {
        return None;
    }
    random.shuffle(&mut options);
    if matches!(options[0], Fact::Number(_)) {
        options.sort();
    }
    let options: Vec<String> = options.iter().map(text).collect();
    let right = options.iter().position(|option| *option == shown)?;
    Some(Answer::Choice { options, right })
}

/// Several rows, each with its answer; `None` if there are too few that can be told apart.
fn matched(table: &Table, column: usize, place: usize, random: &mut Random) -> Option<Question> {
    let asks = &table.columns[column];
    let shown = |row: &Row| match &row.cells[column].as_ref()?.fact {
        Fact::Number(number) => Some(number.to_string()),
        Fact::Word(word) if is_tame(word) => Some(word.clone()),
        _ => None,
    };
    let mut others: Vec<usize> = (0..table.rows.len()).filter(|at| *at != place).collect();
    random.shuffle(&mut others);
    let mut labels = BTreeSet::new();
    let can_be_told = |at: &usize| {
        let row = &table.rows[*at];
        !row.name.is_empty() && shown(row).is_some() && labels.insert(&row.label)
    };
    let mut places: Vec<usize> = std::iter::once(place).chain(others).filter(can_be_told).take(*PAIRS.end()).collect();
    places.sort_unstable();
    let rows: Vec<&Row> = places.into_iter().map(|at| &table.rows[at]).collect();
    let pairs: Vec<(String, String)> = rows.iter().filter_map(|row| Some((row.label.clone(), shown(row)?))).collect();
    let answers: BTreeSet<&String> = pairs.iter().map(|(_, answer)| answer).collect();
    if pairs.len() < *PAIRS.start() || answers.len() < 2 {
        return None;
    }
    let filters: BTreeSet<String> = rows.iter().map(|row| format!("({})", row.filter)).collect();
    Some(Question {
        id: asks.id,
        title: format!("{} (matching)", title(asks.id)),
        text: asks.matching.to_owned(),
        answer: Answer::Matching(pairs),
        why: asks.why,
        frames: rows.iter().flat_map(|row| &row.frames).copied().take(MAX_FRAMES).collect(),
        filter: filters.into_iter().collect::<Vec<_>>().join(" || "),
    })
}
