//! Where everything in the SVG is: a picture in; rows, lanes and bars in pixels out.
//!
//! Every row has the same height, and lanes are as far apart as their labels need.

use std::collections::BTreeMap;

use textwrap::core::display_width;

use super::super::{cut, frames, seconds, tag};
use crate::diagram::{Kind, Level, Picture, Row, Step};
use crate::report::text::printable;

/// Width of a column of the labels, in pixels: 12 px of a monospaced font. Fonts differ a little.
pub(super) const COLUMN: f64 = 7.3;
/// … of the words in a head.
const HEAD_COLUMN: f64 = 8.6;
/// Height of a row. Its arrow leaves at the bottom of it, its label stands above.
pub(super) const ROW: f64 = 34.0;
/// Height of a folded wait.
const FOLD: f64 = 40.0;
/// Height of the lanes' heads.
pub(super) const HEAD: f64 = 46.0;
/// Heads are repeated after so many rows: a screen's height.
const HEAD_EVERY: usize = 24;
/// Columns of a label.
const LABEL: std::ops::RangeInclusive<f64> = 14.0..=62.0;
/// Room for labels between lanes that no arrow joins.
const APART: f64 = 10.0;
/// Bars of connections beside a lane: width, distance, and how many stand side by side.
pub(super) const BAR: f64 = 3.5;
const BAR_PITCH: f64 = 5.0;
const MAX_BARS: usize = 16;
pub(super) const MARGIN: f64 = 16.0;

/// A connection's bars.
#[derive(Clone, Copy)]
pub(super) struct Bar {
    /// Its place beside the lanes, from within.
    pub slot: usize,
    pub from: f64,
    pub to: f64,
}

/// Where everything is.
pub(super) struct Layout {
    pub width: f64,
    pub height: f64,
    /// Right ends of the columns of times and frames.
    pub gutter: [f64; 2],
    /// Middle of each lane, and how far its bars reach to the left and right.
    pub lanes: Vec<(f64, [f64; 2])>,
    /// Half of each head's width.
    pub heads: Vec<f64>,
    /// Top of each row of heads.
    pub head_rows: Vec<f64>,
    /// Line of each row.
    pub rows: Vec<f64>,
    /// Frames at which steps begin, and their lines.
    lines: Vec<(u64, f64)>,
    /// By the place of the connection.
    pub bars: Vec<Bar>,
    pub legend: Vec<Vec<(&'static str, &'static str)>>,
}

impl Layout {
    pub fn of(picture: &Picture) -> Self {
        let columns = |texts: &mut dyn Iterator<Item = String>| texts.map(|text| display_width(&text)).max().unwrap_or(0) as f64 * COLUMN;
        let times = columns(&mut picture.steps().map(|step| seconds(picture, step))).max(5.0 * COLUMN);
        let numbers = columns(&mut picture.steps().map(frames)).max(6.0 * COLUMN);
        let gutter = [MARGIN + times, MARGIN + times + 14.0 + numbers];
        let mut layout = Self {
            width: 0.0,
            height: 0.0,
            gutter,
            lanes: Vec::new(),
            heads: Vec::new(),
            head_rows: Vec::new(),
            rows: Vec::new(),
            lines: Vec::new(),
            bars: Vec::new(),
            legend: Vec::new(),
        };
        layout.place_legend(picture);
        layout.place_rows(picture);
        layout.place_bars(picture);
        layout.place_lanes(picture);
        layout
    }

    /// Lines of the legend, in as many as fit beside each other.
    fn place_legend(&mut self, picture: &Picture) {
        let has = |test: fn(&Step) -> bool| picture.steps().any(test);
        let message = if picture.level == Level::Message { "request, response" } else { "data" };
        let entries = [
            (has(|step| step.kind == Kind::Handshake), "handshake", "handshake"),
            (has(|step| matches!(step.kind, Kind::Request | Kind::Response(_) | Kind::Data)), "request", message),
            (has(|step| step.kind == Kind::Ack), "ack", "ACK only"),
            (has(|step| step.kind == Kind::Fin), "fin", "FIN"),
            (has(|step| step.kind == Kind::Rst), "rst", "RST"),
            (has(|step| step.again) && picture.level == Level::Segment, "again", "↻ sent again"),
            (has(|step| !step.whole), "rest", "not all captured"),
        ];
        let shown: Vec<_> = entries.into_iter().filter(|(shown, ..)| *shown).map(|(_, class, words)| (class, words)).collect();
        self.legend = shown.chunks(3).map(<[_]>::to_vec).collect();
    }

    fn place_rows(&mut self, picture: &Picture) {
        let mut y = MARGIN + self.legend.len() as f64 * 22.0;
        self.head_rows.push(y);
        y += HEAD;
        let mut since = 0;
        for (row, left) in picture.rows.iter().zip((1..=picture.rows.len()).rev()) {
            if since >= HEAD_EVERY && left > HEAD_EVERY / 3 {
                self.head_rows.push(y + 16.0);
                y += HEAD + 16.0;
                since = 0;
            }
            since += 1;
            match row {
                Row::Step(step) => {
                    y += ROW;
                    self.lines.push((step.first.frame, y));
                    self.rows.push(y);
                }
                Row::Fold(_) => {
                    self.rows.push(y + FOLD / 2.0 + 8.0);
                    y += FOLD;
                }
            }
        }
        let omission = if picture.omitted > 0 { 24.0 } else { 0.0 };
        self.height = y + ROW + omission + MARGIN / 2.0;
    }

    /// The height of a frame that need not begin anything.
    pub fn line_of(&self, frame: u64) -> f64 {
        let behind = self.lines.partition_point(|(first, _)| *first <= frame);
        let Some(&(before, y)) = behind.checked_sub(1).and_then(|at| self.lines.get(at)) else { return 0.0 };
        if before == frame {
            return y;
        }
        let next = self.lines.get(behind).map_or(frame + 1, |(next, _)| *next);
        y + (0.3 + 0.4 * (frame - before) as f64 / (next - before) as f64) * ROW
    }

    /// Each connection has a bar from its first step to its last, beside those that are there at the same time.
    fn place_bars(&mut self, picture: &Picture) {
        let (top, bottom) = (self.head_rows[0] + HEAD, self.height - ROW / 2.0);
        let mut spans: Vec<[f64; 2]> = picture.links.iter().map(|_| [bottom, top]).collect();
        for (row, &y) in picture.rows.iter().zip(&self.rows) {
            let Row::Step(step) = row else { continue };
            let Ok(at) = picture.links.binary_search_by_key(&step.stream, |link| link.stream) else { continue };
            let end = if step.kind == Kind::Handshake { y } else { self.line_of(step.last.frame) };
            spans[at] = [spans[at][0].min(y), spans[at][1].max(y).max(end)];
        }
        for (span, link) in spans.iter_mut().zip(&picture.links) {
            span[0] = if link.began_before { top } else { span[0] - 3.0 };
            span[1] = if link.still_open { bottom } else { span[1] + 3.0 };
        }
        let mut order: Vec<usize> = (0..spans.len()).collect();
        order.sort_by(|&one, &two| spans[one][0].total_cmp(&spans[two][0]));
        self.bars = spans.iter().map(|&[from, to]| Bar { slot: 0, from, to }).collect();
        let mut ends: BTreeMap<[usize; 2], Vec<f64>> = BTreeMap::new();
        for at in order {
            let mut lanes = picture.links[at].lanes;
            lanes.sort_unstable();
            let ends = ends.entry(lanes).or_default();
            let free = ends.iter().position(|&end| end < spans[at][0]);
            let slot = free.unwrap_or(ends.len()).min(MAX_BARS - 1);
            if slot == ends.len() {
                ends.push(0.0);
            }
            ends[slot] = ends[slot].max(spans[at][1]);
            self.bars[at].slot = slot;
        }
    }

    fn place_lanes(&mut self, picture: &Picture) {
        let lanes = picture.lanes.len();
        let mut reach = vec![[8.0_f64; 2]; lanes];
        for (link, bar) in picture.links.iter().zip(&self.bars) {
            let [client, server] = link.lanes;
            let needed = 8.0 + bar.slot as f64 * BAR_PITCH + BAR;
            for (lane, other) in [(client, server), (server, client)] {
                let side = usize::from(other > lane);
                reach[lane][side] = reach[lane][side].max(needed);
            }
        }
        // What the labels beside each lane need, on the side to which they go.
        let mut room = vec![APART; lanes.saturating_sub(1)];
        for step in picture.steps() {
            let [from, to] = step.lanes;
            let gap = if to > from { from } else { from - 1 };
            let columns = display_width(&tag(step)) + display_width(&printable(&step.text)) + display_width(&printable(&step.aside)) + 3;
            room[gap] = room[gap].max((columns as f64).clamp(*LABEL.start(), *LABEL.end()));
        }
        self.heads = picture
            .lanes
            .iter()
            .map(|lane| {
                let name = display_width(&cut(&lane.name, 40)) as f64 * HEAD_COLUMN;
                name.max(display_width(&cut(&lane.place, 40)) as f64 * COLUMN) / 2.0 + 14.0
            })
            .collect();
        let mut x = self.gutter[1] + 22.0;
        for lane in 0..lanes {
            x = match self.lanes.last() {
                None => x + self.heads[0].max(reach[0][0]),
                Some(&(before, [_, right])) => {
                    let labels = before + right + room[lane - 1] * COLUMN + 16.0 + reach[lane][0];
                    labels.max(before + self.heads[lane - 1] + 20.0 + self.heads[lane])
                }
            };
            self.lanes.push((x, reach[lane]));
        }
        let right = self.heads.last().zip(self.lanes.last()).map_or(x, |(head, (x, [_, right]))| x + head.max(*right));
        self.width = (right + MARGIN).max(640.0);
    }

    /// Middle of a connection's bar beside a lane on which the other lane is at that side.
    pub fn bar_at(&self, lane: usize, other: usize, slot: usize) -> f64 {
        let away = 6.0 + slot as f64 * BAR_PITCH;
        self.lanes[lane].0 + if other > lane { away } else { -away }
    }
}
