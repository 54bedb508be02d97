//! What can be asked of a capture, and what is true: a notebook in, tables of facts out.
//!
//! A table has a row for each thing (a connection, a request …) and a column for each question about such a thing. A
//! cell that the capture does not decide is empty. Quizzes ask for single cells, the sheet of a class for whole columns.

mod facts;
mod wording;

use std::collections::{BTreeMap, BTreeSet};

use super::Notebook;

/// Something that is true of one thing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fact {
    /// A frame, a port, a count …
    Number(u64),
    /// A duration in nanoseconds.
    Nanos(i64),
    /// Text, often the capture's.
    Word(String),
    /// Whether a statement holds.
    Claim(bool),
}

/// A fact, and what is wrong but looks like it.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub fact: Fact,
    pub lures: Vec<Fact>,
}

impl Cell {
    fn number(number: impl Into<u64>) -> Self {
        Self { fact: Fact::Number(number.into()), lures: Vec::new() }
    }

    fn word(word: impl Into<String>) -> Self {
        Self { fact: Fact::Word(word.into()), lures: Vec::new() }
    }

    fn claim(claim: bool) -> Self {
        Self { fact: Fact::Claim(claim), lures: Vec::new() }
    }

    fn luring(mut self, lures: impl IntoIterator<Item = Fact>) -> Self {
        self.lures.extend(lures);
        self
    }
}

/// What a column's facts are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A frame number: the next frames look like it.
    Frame,
    /// Another number.
    Number,
    /// A duration.
    Micros,
    /// Text that may be typed.
    Typed,
    /// Text to be chosen.
    Chosen,
    /// A statement.
    Claim,
}

/// A question about each row of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// The task and a name, such as `3.1.syn`.
    pub id: &'static str,
    pub kind: Kind,
    /// The question, in which `{}` stands for the row; empty where a quiz does not ask.
    pub ask: &'static str,
    /// One sentence that teaches.
    pub why: &'static str,
    /// What is asked of several rows at once; empty where that makes no sense.
    pub matching: &'static str,
    /// Wrong answers that are plausible in every capture.
    pub lures: &'static [&'static str],
}

impl Column {
    const fn new(id: &'static str, kind: Kind, ask: &'static str, why: &'static str) -> Self {
        Self { id, kind, ask, why, matching: "", lures: &[] }
    }

    /// A column for sheets only.
    const fn silent(id: &'static str) -> Self {
        Self::new(id, Kind::Frame, "", "")
    }

    const fn matching(mut self, matching: &'static str) -> Self {
        self.matching = matching;
        self
    }

    const fn luring(mut self, lures: &'static [&'static str]) -> Self {
        self.lures = lures;
        self
    }
}

/// A thing of which things are asked.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// As it stands in a question: `the request in frame 5 (…)`.
    pub name: String,
    /// As it stands in a list.
    pub label: String,
    /// Where to see it.
    pub frames: Vec<u64>,
    pub filter: String,
    /// As many as there are columns.
    pub cells: Vec<Option<Cell>>,
}

/// Things of one kind.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub columns: &'static [Column],
    pub rows: Vec<Row>,
}

/// Frames of one kind among others.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub id: &'static str,
    pub ask: &'static str,
    pub why: &'static str,
    pub filter: String,
    pub members: BTreeSet<u64>,
    pub strangers: BTreeSet<u64>,
}

/// All that is asked of a capture.
#[derive(Debug)]
pub(super) struct Truth {
    pub tables: Vec<Table>,
    pub classes: Vec<Class>,
    /// The last frame of TCP.
    pub last_frame: u64,
}

impl Truth {
    /// What is true of a capture.
    pub fn of(notebook: &Notebook) -> Self {
        let mut tables = facts::tables(notebook);
        for table in &mut tables {
            assert!(table.rows.iter().all(|row| row.cells.len() == table.columns.len()), "a row has a cell for each column");
            table.keep_unique();
        }
        let last_frame = notebook.connections.iter().map(|link| link.connection.last.frame).max().unwrap_or(0);
        Self { tables, classes: facts::classes(notebook), last_frame }
    }

    /// The cells of these columns of one table, row by row.
    pub fn rows<'a>(&'a self, ids: &[&str]) -> impl Iterator<Item = (&'a Row, Vec<Option<&'a Fact>>)> + use<'a> {
        let (table, _) = self.column(ids[0]);
        let place = |id: &&str| table.columns.iter().position(|column| column.id == *id).expect("the columns are in one table");
        let places: Vec<usize> = ids.iter().map(place).collect();
        table.rows.iter().map(move |row| (row, places.iter().map(|at| row.cells[*at].as_ref().map(|cell| &cell.fact)).collect()))
    }

    /// A column, and its table.
    pub fn column(&self, id: &str) -> (&Table, &'static Column) {
        let of = |table: &Table| table.columns.iter().find(|column| column.id == id);
        self.tables.iter().find_map(|table| Some((table, of(table)?))).expect("the column is in a table")
    }
}

impl Table {
    /// Two things of one name cannot be asked for, as two requests for the same in one frame.
    fn keep_unique(&mut self) {
        let mut seen = BTreeMap::<String, usize>::new();
        for row in &self.rows {
            *seen.entry(row.name.clone()).or_default() += 1;
        }
        for row in self.rows.iter_mut().filter(|row| seen[&row.name] > 1) {
            row.name.clear();
        }
    }
}
