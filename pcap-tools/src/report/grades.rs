//! Sheets and marks: a template to fill in as TOML; points as text, JSON or CSV.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::text::{Style, fill, printable};
use crate::lab::marking::{Mark, Marked, Verdict};
use crate::lab::sheet::{Answer, Item, Sheet};

/// Columns of a template.
const WIDTH: usize = 80;
/// Numbers, rows or words that a line lists.
const MAX_LISTED: usize = 12;

/// A paper with its marks.
#[derive(Clone, PartialEq, Debug)]
pub struct Graded {
    /// The file.
    pub path: String,
    /// What became of it.
    pub marked: Marked,
}

impl Graded {
    /// Whose it is: by what it says, or else by the file.
    fn name(&self) -> String {
        let stem = || std::path::Path::new(&self.path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        self.marked.student.clone().or_else(stem).unwrap_or_default()
    }
}

/// Writes a paper to fill in: TOML with a comment for each question.
pub fn template(path: &str, sheet: &Sheet, out: &mut dyn Write) -> io::Result<()> {
    let comment = |text: &str| textwrap::fill(&printable(text), textwrap::Options::new(WIDTH).initial_indent("# ").subsequent_indent("# "));
    writeln!(out, "{}", comment(&format!("Answers from {path}")))?;
    writeln!(
        out,
        "#\n{}\n",
        comment(
            "Frames have Wireshark's numbers; a message counts in the frame that completes it, where Wireshark lists it. Write each answer \
             behind its =. What stays as it is counts as not answered. Order does not matter in lists; what is too much costs points."
        )
    )?;
    writeln!(out, "student = \"\"")?;
    let mut task = "";
    for item in &sheet.items {
        if item.task() != task {
            task = item.task();
            writeln!(out, "\n[{task}]")?;
        }
        let (how, blank) = match &item.answer {
            Answer::Number(_) | Answer::Micros(_) => ("a number".to_owned(), "\"\""),
            Answer::Claim(_) => ("true or false".to_owned(), "\"\""),
            Answer::Word(_) => ("text, in quotes".to_owned(), "\"\""),
            Answer::Numbers(_) => ("numbers: [1, 2]".to_owned(), "[]"),
            Answer::Words(_) => ("texts: [\"one\", \"two\"]".to_owned(), "[]"),
            Answer::Rows(width, _) => {
                let row = |from: usize| format!("[{}]", (from..from + width).map(|n| n.to_string()).collect::<Vec<_>>().join(", "));
                (format!("a row of {width} frames each: [{}, {}]", row(1), row(1 + width)), "[]")
            }
        };
        writeln!(out, "\n{}\n# ({how})\n{} = {blank}", comment(&item.text), item.name())?;
    }
    Ok(())
}

/// Writes marks for people: each paper, then a table if there are several.
pub fn text(sheet: &Sheet, graded: &[Graded], style: Style, out: &mut dyn Write) -> io::Result<()> {
    for (at, paper) in graded.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        let title = format!("{}: {} of {} points", paper.name(), points(paper.marked.points()), sheet.items.len());
        writeln!(out, "{}\n", fill(&title, "", "", style))?;
        for (item, mark) in sheet.items.iter().zip(&paper.marked.marks) {
            let line = format!("{:<6}  {:>4}  {}{}", word(mark.verdict), points(mark.points), item.id, remark(item, mark));
            writeln!(out, "{}", fill(&line, "", "              ", style))?;
        }
        for note in &paper.marked.notes {
            writeln!(out, "{}", fill(note, "note    ", "        ", style))?;
        }
    }
    if graded.len() > 1 {
        writeln!(out, "\n{}", table(sheet, graded, style))?;
    }
    Ok(())
}

/// What is missing or too much, what is right, and where to see it.
fn remark(item: &Item, mark: &Mark) -> String {
    if mark.verdict == Verdict::Right {
        return String::new();
    }
    let mut remarks = Vec::new();
    let is_list = matches!(item.answer, Answer::Numbers(_) | Answer::Words(_) | Answer::Rows(..));
    if !is_list || mark.verdict == Verdict::Blank {
        remarks.push(format!("right is {}", right(&item.answer)));
    }
    if !mark.missing.is_empty() {
        remarks.push(format!("missing: {}", list(&mark.missing)));
    }
    if !mark.surplus.is_empty() {
        remarks.push(format!("{}: {}", if is_list { "too many" } else { "given" }, list(&mark.surplus)));
    }
    if is_list {
        remarks.push(format!("see {}", item.filter));
    } else {
        let place = if item.frames.len() == 1 { "frame" } else { "frames" };
        remarks.push(format!("see {place} {}", list(&item.frames)));
    }
    format!(" – {}", remarks.join("; "))
}

fn list<T: ToString>(items: &[T]) -> String {
    let mut shown: Vec<String> = items.iter().take(MAX_LISTED).map(T::to_string).collect();
    if items.len() > MAX_LISTED {
        shown.push(format!("… ({} in all)", items.len()));
    }
    shown.join(", ")
}

fn right(answer: &Answer) -> String {
    match answer {
        Answer::Number(number) => number.to_string(),
        Answer::Micros(nanos) => format!("{} µs", *nanos as f64 / 1000.0),
        Answer::Claim(claim) => claim.to_string(),
        Answer::Word(word) => word.clone(),
        Answer::Numbers(numbers) => list(&numbers.iter().collect::<Vec<_>>()),
        Answer::Words(words) => list(&words.iter().collect::<Vec<_>>()),
        Answer::Rows(_, rows) => list(&rows.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>()),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Right => "right",
        Verdict::Partly => "partly",
        Verdict::Wrong => "wrong",
        Verdict::Blank => "blank",
    }
}

/// With two digits behind the point, where they are needed.
fn points(points: f64) -> String {
    let text = format!("{points:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A row a student: the points of each group of tasks, and all.
fn table(sheet: &Sheet, graded: &[Graded], style: Style) -> String {
    let mut groups: Vec<&str> = sheet.items.iter().map(Item::group).collect();
    groups.dedup();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(style.width);
    let header = ["Student".to_owned()].into_iter().chain(groups.iter().map(|group| format!("Task {group}"))).chain(["Points".to_owned()]);
    table.set_header(header.collect::<Vec<_>>());
    for paper in graded {
        let of_group = |group: &&str| {
            let marks = sheet.items.iter().zip(&paper.marked.marks).filter(|(item, _)| item.group() == *group);
            points(marks.map(|(_, mark)| mark.points).sum())
        };
        let row = [printable(&paper.name())].into_iter().chain(groups.iter().map(of_group)).chain([points(paper.marked.points())]);
        table.add_row(row.collect::<Vec<_>>());
    }
    for column in table.column_iter_mut() {
        let alignment = if column.index == 0 { CellAlignment::Left } else { CellAlignment::Right };
        column.set_padding((0, 2)).set_cell_alignment(alignment);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Writes marks as an array, a paper on each line.
pub fn json(sheet: &Sheet, graded: &[Graded], out: &mut dyn Write) -> io::Result<()> {
    for (at, paper) in graded.iter().enumerate() {
        out.write_all(if at == 0 { b"[\n" } else { b",\n" })?;
        let questions: Vec<Value> = sheet
            .items
            .iter()
            .zip(&paper.marked.marks)
            .map(|(item, mark)| {
                json!({
                    "id": item.id,
                    "verdict": mark.verdict,
                    "points": mark.points,
                    "right": right_value(&item.answer),
                    "missing": mark.missing,
                    "surplus": mark.surplus,
                    "frames": item.frames,
                    "filter": item.filter,
                })
            })
            .collect();
        let row = json!({
            "file": paper.path,
            "student": paper.name(),
            "points": paper.marked.points(),
            "max_points": sheet.items.len(),
            "questions": questions,
            "notes": paper.marked.notes,
        });
        serde_json::to_writer(&mut *out, &row)?;
    }
    out.write_all(if graded.is_empty() { b"[]\n" } else { b"\n]\n" })
}

fn right_value(answer: &Answer) -> Value {
    match answer {
        Answer::Number(number) => json!(number),
        Answer::Micros(nanos) => json!(super::rows::Micros(*nanos)),
        Answer::Claim(claim) => json!(claim),
        Answer::Word(word) => json!(word),
        Answer::Numbers(numbers) => json!(numbers),
        Answer::Words(words) => json!(words),
        Answer::Rows(_, rows) => json!(rows),
    }
}

/// A name that a student chose, for a spreadsheet: what would be a formula is text.
fn harmless(name: String) -> String {
    if name.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{name}") } else { name }
}

/// Writes marks as a table, a row a paper: file, student, points, those that can be had, and those of each question.
pub fn csv(sheet: &Sheet, graded: &[Graded], out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let header = ["file", "student", "points", "max_points"].into_iter().chain(sheet.items.iter().map(|item| item.id.as_str()));
    table.write_record(header)?;
    for paper in graded {
        let begin = [paper.path.clone(), harmless(paper.name()), points(paper.marked.points()), sheet.items.len().to_string()];
        table.write_record(begin.into_iter().chain(paper.marked.marks.iter().map(|mark| points(mark.points))))?;
    }
    table.flush()
}
