//! The diagram for a terminal: a line for each row, in as many columns as there are.
//!
//! Words stand on their arrows where most of them fit there; otherwise lanes move together, and words stand beside them.

use std::io::{self, Write};

use textwrap::core::display_width;

use super::{cut, frames, omission, seconds, tag, wait, words};
use crate::diagram::{Kind, Level, Picture, Row, Step};
use crate::report::text::{Colour, Style, printable};

/// From this width on, there is a column of times.
const WITH_TIMES: usize = 60;
/// Columns between lanes that stand together.
const NARROW: usize = 4;
/// Columns of an arrow around its words: an end and a blank at either side, and the head.
const AROUND: usize = 5;
/// Words that are worth having.
const LEAST: usize = 12;
/// Heads are repeated after so many rows.
const HEAD_EVERY: usize = 40;

/// Writes it: no line is wider than the style says.
pub fn text(picture: &Picture, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let width = usize::from(style.width);
    let page = Page::of(picture, style);
    let lanes = picture.lanes.iter().zip(1..).map(|(lane, number)| {
        let number = if page.names == Names::Numbers { format!("{number} ") } else { String::new() };
        printable(&format!("{number}{} ({})", lane.name, lane.place))
    });
    let about = lanes.collect::<Vec<_>>().join(", ");
    let about = if about.is_empty() { "There is no TCP connection to show.".to_owned() } else { about };
    writeln!(out, "{}", textwrap::fill(&about, width))?;
    for (row, at) in picture.rows.iter().zip(0..) {
        if at % HEAD_EVERY == 0 {
            writeln!(out, "\n{}", page.heads(picture))?;
        }
        let line = match row {
            Row::Fold(nanos) => page.fold(*nanos),
            Row::Step(step) => page.step(picture, step),
        };
        writeln!(out, "{}", line.trim_end())?;
    }
    match omission(picture) {
        Some(omission) => writeln!(out, "{}", textwrap::fill(&omission, width)),
        None => Ok(()),
    }
}

/// What stands above the lanes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Whole,
    Numbers,
}

/// Where the words of a step stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    OnArrows,
    Beside,
    /// There are more lanes than columns: who is concerned is said in words.
    Alone,
}

/// Where everything is, in columns.
struct Page {
    width: usize,
    colour: Colour,
    /// Width of the column of times; 0 where there is none.
    times: usize,
    /// Width of the column of frames.
    frames: usize,
    lanes: Vec<usize>,
    names: Names,
    words: Words,
}

impl Page {
    fn of(picture: &Picture, style: Style) -> Self {
        let width = usize::from(style.width);
        let longest = |texts: &mut dyn Iterator<Item = String>| texts.map(|text| display_width(&text)).max().unwrap_or(0);
        let times = if width < WITH_TIMES { 0 } else { longest(&mut picture.steps().map(|step| seconds(picture, step))).max(7) };
        let frames = longest(&mut picture.steps().map(frames)).clamp(5, width / 4);
        let mut page = Self { width, colour: style.colour, times, frames, lanes: Vec::new(), names: Names::Whole, words: Words::OnArrows };
        let left = page.left();
        let spread = Spread::of(picture, width.saturating_sub(left));
        let numbered: Vec<usize> = (0..picture.lanes.len()).map(|lane| lane * NARROW).collect();
        let lanes = if let Some(lanes) = spread.wide() {
            lanes
        } else if let Some(lanes) = spread.close() {
            page.words = Words::Beside;
            lanes
        } else if numbered.last().is_none_or(|last| left + last + LEAST + 4 <= width) {
            (page.names, page.words) = (Names::Numbers, Words::Beside);
            numbered
        } else {
            page.words = Words::Alone;
            Vec::new()
        };
        page.lanes = lanes.into_iter().map(|lane| left + lane).collect();
        page
    }

    /// The first column of the lanes' part.
    fn left(&self) -> usize {
        self.frames + if self.times > 0 { self.times + 4 } else { 2 }
    }

    fn gutter(&self, time: &str, frames: &str) -> String {
        let frames = cut(frames, self.frames);
        let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(display_width(text))) + text;
        let time = if self.times > 0 { pad(time, self.times) + "  " } else { String::new() };
        time + &pad(&frames, self.frames) + "  "
    }

    fn heads(&self, picture: &Picture) -> String {
        let mut line = self.gutter("time", "frame");
        for ((lane, at), number) in picture.lanes.iter().zip(&self.lanes).zip(1..) {
            let name = if self.names == Names::Numbers { number.to_string() } else { printable(&lane.name) };
            let from = at.saturating_sub(display_width(&name) / 2);
            line += &" ".repeat(from.saturating_sub(display_width(&line)));
            line += &name;
        }
        let line = cut(&line, self.width);
        let [on, off] = self.colours("1");
        format!("{on}{line}{off}")
    }

    fn colours(&self, code: &'static str) -> [String; 2] {
        if self.colour == Colour::On { [format!("\x1b[{code}m"), "\x1b[0m".to_owned()] } else { Default::default() }
    }

    /// The lanes of a row, and nothing between them.
    fn blank(&self, lane: char) -> Vec<char> {
        let mut cells = vec![' '; self.lanes.last().map_or(0, |last| last + 1)];
        self.lanes.iter().for_each(|&at| cells[at] = lane);
        cells
    }

    fn fold(&self, nanos: i64) -> String {
        let mut cells = self.blank('⋮');
        cells.resize(cells.len().max(LEAST), ' ');
        for (cell, char) in cells.iter_mut().zip(format!("⋮ {}", wait(nanos)).chars()) {
            *cell = char;
        }
        let [on, off] = self.colours("2");
        format!("{on}{}{off}", cells.into_iter().collect::<String>())
    }

    fn step(&self, picture: &Picture, step: &Step) -> String {
        let gutter = self.gutter(&seconds(picture, step), &frames(step));
        if self.words == Words::Alone {
            let [from, to] = step.lanes.map(|lane| &*picture.lanes[lane].name);
            let line = Line::of(picture.level, step);
            return cut(&format!("{gutter}{from} {}{} {to}  {} {}", line.body, line.heads[1], tag(step), step.text), self.width);
        }
        let mut cells = self.blank('│');
        let [from, to] = step.lanes.map(|lane| self.lanes[lane]);
        let [left, right] = [from.min(to), from.max(to)];
        if step.kind != Kind::Note {
            let line = Line::of(picture.level, step);
            let inside = left + 1..right;
            cells[inside.clone()].iter_mut().for_each(|cell| *cell = if *cell == ' ' { line.body } else { '┼' });
            let right_head = (inside.end.saturating_sub(1), line.heads[1]);
            let left_head = (inside.start, line.heads[0]);
            let ((head, char), start) = if to > from { (right_head, '├') } else { (left_head, '┤') };
            (cells[head], cells[from]) = (char, start);
            if step.kind == Kind::Fin {
                cells[to] = '┃';
            }
        }
        let [on, off] = self.colours(colour(step));
        let (start, end) = (self.left(), cells.len());
        let cells = |range: std::ops::Range<usize>| cells[range].iter().collect::<String>();
        if self.words == Words::Beside {
            let columns = self.width.saturating_sub(end + 2);
            let label = label(step, columns);
            return format!("{gutter}{}{on}{}{off}{}  {label}", cells(start..left), cells(left..right + 1), cells(right + 1..end));
        }
        let label = label(step, right - left - AROUND);
        let label_width = display_width(&label);
        // A blank before and behind the words, and something of the arrow before them, too.
        let at = if to > from { left + 2 } else { right - 3 - label_width };
        format!(
            "{gutter}{}{on}{}{off} {label} {on}{}{off}{}",
            cells(start..left),
            cells(left..at),
            cells(at + label_width + 2..right + 1),
            cells(right + 1..end)
        )
    }
}

/// Tag, text and aside of a step.
fn label(step: &Step, columns: usize) -> String {
    let tag = tag(step) + " ";
    let [text, aside] = words(step, columns.saturating_sub(display_width(&tag)));
    let blank = if aside.is_empty() { "" } else { " " };
    cut(&format!("{tag}{text}{blank}{aside}"), columns)
}

/// What decides how far lanes are apart.
struct Spread {
    room: usize,
    names: Vec<usize>,
    /// The gap and the columns of each step's words.
    words: Vec<(usize, usize)>,
}

impl Spread {
    fn of(picture: &Picture, room: usize) -> Self {
        let words = picture.steps().map(|step| {
            let [from, to] = step.lanes;
            (from.min(to), display_width(&printable(&step.text)) + display_width(&tag(step)) + 1)
        });
        let names = picture.lanes.iter().map(|lane| display_width(&printable(&lane.name)));
        Self { room, names: names.collect(), words: words.collect() }
    }

    /// Gaps that have room for the names above the lanes.
    fn gaps(&self) -> Vec<usize> {
        self.names.windows(2).map(|pair| pair[0] / 2 + pair[1] / 2 + 2).collect()
    }

    /// Columns up to the end of the last name.
    fn columns(&self, gaps: &[usize]) -> usize {
        let ends = [self.names.first(), self.names.last()].into_iter().flatten();
        ends.map(|name| name / 2).sum::<usize>() + 1 + gaps.iter().sum::<usize>()
    }

    fn lanes(&self, gaps: &[usize]) -> Vec<usize> {
        let first = self.names.first().map(|name| name / 2);
        first.into_iter().flat_map(|first| (0..=gaps.len()).map(move |lane| first + gaps[..lane].iter().sum::<usize>())).collect()
    }

    /// Whether most of the words find as much room as `columns` says.
    fn fits(&self, columns: impl Fn(usize) -> usize) -> bool {
        self.words.iter().filter(|(gap, words)| *words <= columns(*gap)).count() * 4 >= self.words.len() * 3
    }

    /// Lanes with room for most of the words between them.
    fn wide(&self) -> Option<Vec<usize>> {
        let mut gaps = self.gaps();
        let mut left = self.room.checked_sub(self.columns(&gaps))?;
        let mut needs = gaps.clone();
        for &(gap, words) in &self.words {
            needs[gap] = needs[gap].max(words + AROUND + 2 * LEAST);
        }
        // Who has least gets the next column, until nobody needs one.
        while left > 0 {
            let Some(gap) = (0..gaps.len()).filter(|&gap| gaps[gap] < needs[gap]).min_by_key(|&gap| gaps[gap]) else { break };
            gaps[gap] += 1;
            left -= 1;
        }
        let bare = self.words.iter().any(|(gap, _)| gaps[*gap] < AROUND + LEAST);
        (!bare && self.fits(|gap| gaps[gap] - AROUND)).then(|| self.lanes(&gaps))
    }

    /// Lanes under their names, with room for most of the words beside them.
    fn close(&self) -> Option<Vec<usize>> {
        let gaps = self.gaps();
        let left = self.room.checked_sub(self.columns(&gaps) + 2)?;
        self.fits(|_| left).then(|| self.lanes(&gaps))
    }
}

/// What an arrow is made of.
struct Line {
    body: char,
    /// To the left and to the right.
    heads: [char; 2],
}

impl Line {
    fn of(level: Level, step: &Step) -> Self {
        let heads = match step.kind {
            Kind::Rst => ['✕', '✕'],
            _ if !step.whole => ['┈', '┈'],
            // There, back, and there again.
            Kind::Handshake if level == Level::Message => ['⇄', '⇄'],
            Kind::Handshake | Kind::Ack | Kind::Fin => ['◁', '▷'],
            Kind::Request | Kind::Response(_) | Kind::Data | Kind::Note => ['◀', '▶'],
        };
        let body = match step.kind {
            _ if step.again => '╍',
            Kind::Handshake | Kind::Ack => '┄',
            _ if !step.whole => '┈',
            _ => '─',
        };
        Self { body, heads }
    }
}

/// The colour of an arrow.
fn colour(step: &Step) -> &'static str {
    const CONNECTIONS: [&str; 6] = ["34", "35", "36", "94", "95", "96"];
    match step.kind {
        Kind::Rst => "31",
        _ if step.again => "33",
        Kind::Handshake => "32",
        Kind::Fin | Kind::Note => "2",
        _ => CONNECTIONS[step.stream as usize % CONNECTIONS.len()],
    }
}
