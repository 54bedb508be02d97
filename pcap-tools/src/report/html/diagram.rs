//! The space-time diagram on the page: in parts, since a picture of everything would be too tall to be used.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;

use crate::connection::Connection;
use crate::diagram::{Messages, Picture, Scope, Step};
use crate::exchange::{Exchange, Ports, Sink, Talk};
use crate::report::diagram::{STYLE, svg};
use crate::report::text::number;
use crate::time::{Time, duration};

/// Steps that are drawn.
const MAX_STEPS: usize = 1_500;
/// Steps of a part: what fits a printed page.
const PART: usize = 40;
/// Programs that a picture has room for; of more, each connection has its own.
const MAX_LANES: usize = 6;
/// Parts that are open at first.
const OPEN: usize = 5;

/// The drawn parts.
pub(super) struct Diagram {
    pub parts: Vec<Part>,
    /// Steps that are left out.
    pub omitted: u64,
    arrows: HashMap<u64, String>,
}

/// A part of it.
pub(super) struct Part {
    pub title: String,
    pub is_open: bool,
    /// An `<svg>` element.
    pub svg: String,
}

impl Diagram {
    pub fn new(exchanges: &[Exchange], connections: &[(&Connection, &Talk)], ports: &Ports, start: Time) -> io::Result<Self> {
        let mut messages = Messages::new(Scope { limit: MAX_STEPS, ..Scope::default() });
        for exchange in exchanges {
            messages.exchange(exchange.clone());
        }
        for (connection, talk) in connections {
            messages.connection((*connection).clone(), (*talk).clone());
        }
        let picture = messages.finish(ports, start);
        let mut arrows = HashMap::new();
        let mut parts = Vec::new();
        for (at, steps) in split(&picture).into_iter().enumerate() {
            let place = Cell::new(0);
            let is_wanted = |_: &Step| steps.binary_search_by_key(&place.replace(place.get() + 1), |(at, _)| *at).is_ok();
            let scope = format!("d{}-", at + 1);
            let mut drawn = Vec::new();
            svg(&picture.only(is_wanted), &scope, &mut drawn)?;
            // The page has the style once, for all.
            let svg = String::from_utf8_lossy(&drawn).replacen(&format!("<style>{STYLE}</style>"), "", 1);
            for frame in steps.iter().flat_map(|(_, step)| &step.frames) {
                arrows.entry(*frame).or_insert_with(|| format!("{scope}frame-{frame}"));
            }
            parts.push(Part { title: title(&picture, &steps), is_open: at < OPEN, svg });
        }
        Ok(Self { parts, omitted: picture.omitted, arrows })
    }

    /// Ids of arrows, by frame.
    pub fn anchors(&self) -> HashMap<u64, String> {
        self.arrows.clone()
    }
}

/// Steps of each part, with their places in the picture: so many after each other or, if many programs stand beside each
/// other, those of a connection.
fn split(picture: &Picture) -> Vec<Vec<(usize, &Step)>> {
    let mut steps: Vec<(usize, &Step)> = picture.steps().enumerate().collect();
    if picture.lanes.len() > MAX_LANES {
        steps.sort_by_key(|(_, step)| step.stream);
    }
    let belong = |one: &(usize, &Step), two: &(usize, &Step)| picture.lanes.len() <= MAX_LANES || one.1.stream == two.1.stream;
    steps.chunk_by(belong).flat_map(|steps| steps.chunks(PART)).map(<[_]>::to_vec).collect()
}

/// Which frames a part is of, and when they were.
fn title(picture: &Picture, steps: &[(usize, &Step)]) -> String {
    let frames = || steps.iter().flat_map(|(_, step)| [step.first.frame, step.last.frame]);
    let (first, last) = (frames().min().unwrap_or(0), frames().max().unwrap_or(0));
    let since = |(_, step): &(usize, &Step)| step.first.time.since(picture.start);
    let connection = match steps.first() {
        Some((_, step)) if picture.lanes.len() > MAX_LANES => format!("Connection {}: frames", step.stream),
        _ => "Frames".to_owned(),
    };
    let since = steps.first().and_then(since).map_or(String::new(), |nanos| format!(", from {}", duration(nanos)));
    format!("{connection} {} to {}{since}", number(first), number(last))
}
