//! The diagram as SVG: one element, for a file of its own and for a page.
//!
//! `layout` says where things are; a label is cut before it reaches the next lane. All that it looks like is said by classes and one style, in light and in dark. Nothing is a script, nothing
//! refers to anything, and what comes out of the capture is escaped.

mod layout;

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};

use textwrap::core::display_width;

use super::{cut, frames, name, omission, seconds, tag, wait, words};
use crate::diagram::{Kind, Level, Picture, Row, Step, Way};
use crate::report::text::printable;
use layout::{BAR, COLUMN, HEAD, Layout, MARGIN, ROW};

/// The text of the one `<style>` element: a page with a strict policy allows it by its hash.
pub const STYLE: &str = include_str!("style.css");

/// Colours of connections, each a class of the style.
const COLOURS: u64 = 8;

/// Writes one `<svg>` element.
///
/// `scope` stands before every id, so that several pictures can be in one page.
pub fn svg(picture: &Picture, scope: &str, out: &mut dyn Write) -> io::Result<()> {
    let layout = Layout::of(picture);
    let (width, height) = (layout.width, layout.height);
    let about = about(picture);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"d-picture\" role=\"img\" aria-label=\"{about}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">",
        about = Escaped(&about)
    )?;
    writeln!(out, "<title>Space-time diagram</title>\n<desc>{}</desc>\n<style>{STYLE}</style>", Escaped(&about))?;
    writeln!(out, "<rect class=\"d-page\" width=\"{width:.0}\" height=\"{height:.0}\"/>")?;
    layout.legend(picture, out)?;
    layout.lanes(picture, out)?;
    layout.bars(picture, out)?;
    let mut anchors = Anchors::new(picture, scope);
    for (row, &y) in picture.rows.iter().zip(&layout.rows) {
        match row {
            Row::Fold(nanos) => layout.fold(*nanos, y, out)?,
            Row::Step(step) => layout.step(picture, step, y, &mut anchors, out)?,
        }
    }
    layout.heads(picture, out)?;
    if let Some(omission) = omission(picture) {
        text(out, "d-remark", MARGIN, height - MARGIN, "start", &omission)?;
    }
    writeln!(out, "</svg>")
}

/// What the picture is about, for who does not see it.
fn about(picture: &Picture) -> String {
    let (what, rows) = match picture.level {
        Level::Message => ("messages", picture.steps().filter(|step| matches!(step.kind, Kind::Request | Kind::Response(_))).count()),
        Level::Segment => ("TCP segments", picture.steps().count()),
    };
    let lanes: Vec<&str> = picture.lanes.iter().map(|lane| &*lane.name).collect();
    format!("Space-time diagram of {rows} {what} on {} connections between {}", picture.links.len(), lanes.join(", "))
}

/// Text in XML.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in printable(self.0).chars() {
            match char {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // XML 1.0 has no place for them, not even as references.
                '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}")?,
                char => write!(f, "{char}")?,
            }
        }
        Ok(())
    }
}

fn text(out: &mut dyn Write, class: &str, x: f64, y: f64, anchor: &str, words: &str) -> io::Result<()> {
    writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", Escaped(words))
}

/// Ids of frames: each once.
struct Anchors<'a> {
    scope: &'a str,
    /// Frames that belong to a message: a FIN in the same frame has no claim.
    messages: HashSet<u64>,
    taken: HashSet<u64>,
}

impl<'a> Anchors<'a> {
    fn new(picture: &Picture, scope: &'a str) -> Self {
        let messages = picture.steps().filter(|step| matches!(step.kind, Kind::Request | Kind::Response(_)));
        Self { scope, messages: messages.flat_map(|step| step.frames.iter().copied()).collect(), taken: HashSet::new() }
    }

    /// The frames of a step that are its own to name.
    fn claim(&mut self, step: &Step) -> Vec<String> {
        let message = matches!(step.kind, Kind::Request | Kind::Response(_));
        // Wireshark lists a message at its last frame.
        let frames = step.frames.iter().rev().filter(|frame| message || !self.messages.contains(frame));
        let claimed: Vec<u64> = frames.copied().filter(|&frame| self.taken.insert(frame)).collect();
        claimed.into_iter().map(|frame| format!("{}frame-{frame}", self.scope)).collect()
    }
}

impl Layout {
    fn legend(&self, picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
        for (line, y) in self.legend.iter().zip((0..).map(|line| MARGIN + 10.0 + f64::from(line) * 22.0)) {
            for ((class, words), x) in line.iter().zip((0..).map(|at| MARGIN + f64::from(at) * 208.0)) {
                writeln!(out, "<g class=\"d-{class} d-c{}\">", COLOURS - 1)?;
                let ends = if *class == "handshake" && picture.level == Level::Message { Ends::Whole } else { Ends::of(class) };
                arrow(out, [x, x + 44.0], [y; 2], ends)?;
                text(out, "d-remark", x + 54.0, y + 4.0, "start", words)?;
                writeln!(out, "</g>")?;
            }
        }
        Ok(())
    }

    /// The columns behind everything.
    fn lanes(&self, picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
        let (top, height) = (self.head_rows[0] + HEAD / 2.0, self.height - self.head_rows[0] - HEAD / 2.0 - ROW / 4.0);
        for (x, [left, right]) in &self.lanes {
            let (from, width) = (x - left - 2.0, left + right + 4.0);
            writeln!(out, "<rect class=\"d-lane\" x=\"{from:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>")?;
            writeln!(out, "<path class=\"d-axis\" d=\"M{x:.1} {top:.1}v{height:.1}\"/>")?;
        }
        if picture.lanes.is_empty() {
            text(out, "d-remark", MARGIN, self.head_rows[0] + HEAD / 2.0, "start", "There is no TCP connection to show.")?;
        }
        Ok(())
    }

    /// The lanes' names: again and again, so that they are found from everywhere.
    fn heads(&self, picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
        for &y in &self.head_rows {
            if !picture.lanes.is_empty() {
                text(out, "d-column", self.gutter[0], y + 28.0, "end", "time")?;
                text(out, "d-column", self.gutter[1], y + 28.0, "end", "frame")?;
            }
            for ((lane, (x, _)), half) in picture.lanes.iter().zip(&self.lanes).zip(&self.heads) {
                let (left, width) = (x - half, half * 2.0);
                writeln!(out, "<rect class=\"d-head\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"40\" rx=\"8\"/>")?;
                text(out, "d-name", *x, y + 17.0, "middle", &cut(&lane.name, 40))?;
                text(out, "d-place", *x, y + 32.0, "middle", &cut(&lane.place, 40))?;
            }
        }
        Ok(())
    }

    fn bars(&self, picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
        for (link, bar) in picture.links.iter().zip(&self.bars) {
            let [client, server] = link.lanes;
            writeln!(out, "<g class=\"d-c{}\" data-stream=\"{}\">", link.stream % COLOURS, link.stream)?;
            writeln!(out, "<title>stream {}: {} → {}</title>", link.stream, link.client, link.server)?;
            for (lane, other) in [(client, server), (server, client)] {
                let (x, height) = (self.bar_at(lane, other, bar.slot) - BAR / 2.0, bar.to - bar.from);
                writeln!(
                    out,
                    "<rect class=\"d-bar\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{BAR}\" height=\"{height:.1}\" rx=\"2\"/>",
                    bar.from
                )?;
            }
            writeln!(out, "</g>")?;
        }
        Ok(())
    }

    fn fold(&self, nanos: i64, y: f64, out: &mut dyn Write) -> io::Result<()> {
        let (Some((first, [left, _])), Some((last, [_, right]))) = (self.lanes.first(), self.lanes.last()) else { return Ok(()) };
        let (from, to) = (first - left - 8.0, last + right + 8.0);
        let teeth = ((to - from) / 12.0).ceil() as usize;
        let tear = "l6-4 6 4".repeat(teeth);
        let back = "l-6-4-6 4".repeat(teeth);
        writeln!(out, "<g class=\"d-fold\">\n<path class=\"d-gap\" d=\"M{from:.1} {:.1}{tear}v16{back}z\"/>", y - 8.0)?;
        text(out, "d-wait", self.gutter[1], y + 2.0, "end", &format!("⋮ {}", wait(nanos)))?;
        writeln!(out, "</g>")
    }

    fn step(&self, picture: &Picture, step: &Step, y: f64, anchors: &mut Anchors<'_>, out: &mut dyn Write) -> io::Result<()> {
        let as_one = step.kind == Kind::Handshake && picture.level == Level::Message;
        let class = if step.again && !as_one { "again" } else { name(step.kind) };
        let mut ids = anchors.claim(step).into_iter();
        let id = ids.next().map_or(String::new(), |id| format!(" id=\"{}\"", Escaped(&id)));
        let frame = step.frames.last().map_or(String::new(), |frame| format!(" data-frame=\"{frame}\""));
        let colour = step.stream % COLOURS;
        writeln!(out, "<g{id} class=\"d-step d-{class} d-c{colour}\"{frame} data-stream=\"{}\">", step.stream)?;
        writeln!(out, "<title>{}</title>", Escaped(&about_step(picture, step)))?;
        for id in ids {
            writeln!(out, "<g id=\"{}\"/>", Escaped(&id))?;
        }
        let [from, to] = step.lanes;
        let slot = picture.links.binary_search_by_key(&step.stream, |link| link.stream).map_or(0, |at| self.bars[at].slot);
        let right = to > from;
        let edge = |lane: usize, other: usize| self.bar_at(lane, other, slot) + if other > lane { BAR / 2.0 } else { -BAR / 2.0 };
        let xs = [edge(from, to), edge(to, from)];
        if step.kind != Kind::Note {
            writeln!(out, "<path class=\"d-guide\" d=\"M{:.1} {y:.1}H{:.1}\"/>", self.gutter[1] + 6.0, xs[0].min(xs[1]) - 4.0)?;
            let end = if as_one { y } else { self.line_of(step.last.frame).max(y) };
            let ends = match step.kind {
                Kind::Handshake if as_one => Ends::Whole,
                _ if !step.whole => Ends::Fading,
                kind => Ends::of(name(kind)),
            };
            arrow(out, xs, [y, end], ends)?;
            text(out, "d-time", self.gutter[0], y + 4.0, "end", &seconds(picture, step))?;
            text(out, "d-frame", self.gutter[1], y + 4.0, "end", &frames(step))?;
        }
        self.label(step, y, right, out)?;
        writeln!(out, "</g>")
    }

    /// The words above an arrow, beside who sends it.
    fn label(&self, step: &Step, y: f64, right: bool, out: &mut dyn Write) -> io::Result<()> {
        let [from, _] = step.lanes;
        let (x, reach) = self.lanes[from];
        let next = if right { from + 1 } else { from - 1 };
        let (next_x, next_reach) = self.lanes[next];
        let room = (x - next_x).abs() - reach[usize::from(right)] - next_reach[usize::from(!right)] - 16.0;
        let columns = ((room / COLUMN) as usize).saturating_sub(display_width(&tag(step)) + 1);
        let [words, aside] = words(step, columns);
        let (x, anchor) = if right { (x + reach[1] + 8.0, "start") } else { (x - reach[0] - 8.0, "end") };
        let aside = if aside.is_empty() { aside } else { format!(" <tspan class=\"d-aside\">{}</tspan>", Escaped(&aside)) };
        let again = if step.again { " <tspan class=\"d-turn\">↻</tspan>" } else { "" };
        writeln!(
            out,
            "<text class=\"d-label\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\"><tspan class=\"d-tag\">#{}</tspan>{again} \
             <tspan class=\"d-words{}\">{}</tspan>{aside}</text>",
            y - 7.0,
            step.stream,
            trouble(step.kind),
            Escaped(&words)
        )
    }
}

/// The class of responses that say that something went wrong.
fn trouble(kind: Kind) -> &'static str {
    match kind {
        Kind::Response(400..) => " d-trouble",
        _ => "",
    }
}

fn about_step(picture: &Picture, step: &Step) -> String {
    let [from, to] = step.lanes.map(|lane| &*picture.lanes[lane].name);
    let frames = match step.frames.len() {
        0 => String::new(),
        1 => format!("frame {}: ", step.frames[0]),
        _ => format!("frames {}: ", frames(step)),
    };
    let ports = picture.link(step.stream).map_or(String::new(), |link| {
        let [client, server] = [link.client.port, link.server.port];
        let [from, to] = if step.way == Way::ToServer { [client, server] } else { [server, client] };
        format!(", port {from} → {to}")
    });
    let aside = if step.aside.is_empty() { String::new() } else { format!(" ({})", step.aside) };
    format!("{frames}{}{aside}; {from} → {to}{ports}, stream {}", step.text, step.stream)
}

/// How an arrow ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// A filled head.
    Full,
    /// An open head.
    Open,
    /// A head in front of a bar: nothing more comes.
    Barred,
    /// A cross.
    Crossed,
    /// There, back, and there again.
    Whole,
    /// Dots: the rest was not captured.
    Fading,
}

impl Ends {
    fn of(class: &str) -> Self {
        match class {
            "handshake" | "ack" => Self::Open,
            "fin" => Self::Barred,
            "rst" => Self::Crossed,
            "rest" => Self::Fading,
            _ => Self::Full,
        }
    }
}

/// An arrow from the first to the second of each.
fn arrow(out: &mut dyn Write, [x0, x1]: [f64; 2], [y0, y1]: [f64; 2], ends: Ends) -> io::Result<()> {
    if ends == Ends::Whole {
        // The three segments of a handshake as flat as they are quick.
        let [y1, y2, y3] = [4.0, 8.0, 12.0].map(|down| y0 + down);
        writeln!(out, "<path class=\"d-line\" d=\"M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}L{x0:.1} {y2:.1}L{x1:.1} {y3:.1}\"/>")?;
        return head(out, [x1, y3], (y3 - y2).atan2(x1 - x0), Ends::Open);
    }
    if ends == Ends::Fading {
        let [x, y] = [x0 + (x1 - x0) * 0.6, y0 + (y1 - y0) * 0.6];
        writeln!(out, "<path class=\"d-line\" d=\"M{x0:.1} {y0:.1}L{x:.1} {y:.1}\"/>")?;
        return writeln!(out, "<path class=\"d-line d-rest\" d=\"M{x:.1} {y:.1}L{x1:.1} {y1:.1}\"/>");
    }
    let angle = (y1 - y0).atan2(x1 - x0);
    let stop = match ends {
        Ends::Full => 7.0,
        Ends::Barred => 3.0,
        _ => 1.0,
    };
    writeln!(out, "<path class=\"d-line\" d=\"M{x0:.1} {y0:.1}L{:.1} {:.1}\"/>", x1 - angle.cos() * stop, y1 - angle.sin() * stop)?;
    head(out, [x1, y1], angle, ends)
}

/// The head of an arrow that comes in at an angle.
fn head(out: &mut dyn Write, [x, y]: [f64; 2], angle: f64, ends: Ends) -> io::Result<()> {
    // From the tip: so far back along the arrow, so far beside it.
    let at = |back: f64, beside: f64| {
        format!("{:.1} {:.1}", x - angle.cos() * back - angle.sin() * beside, y - angle.sin() * back + angle.cos() * beside)
    };
    match ends {
        Ends::Full => writeln!(out, "<path class=\"d-tip\" d=\"M{}L{}L{}z\"/>", at(0.0, 0.0), at(9.0, 4.0), at(9.0, -4.0)),
        Ends::Open | Ends::Whole | Ends::Fading => {
            writeln!(out, "<path class=\"d-mark\" d=\"M{}L{}L{}\"/>", at(7.0, 4.0), at(0.5, 0.0), at(7.0, -4.0))
        }
        Ends::Barred => writeln!(
            out,
            "<path class=\"d-mark\" d=\"M{}L{}L{}M{}L{}\"/>",
            at(10.0, 4.0),
            at(3.5, 0.0),
            at(10.0, -4.0),
            at(1.5, 6.0),
            at(1.5, -6.0)
        ),
        Ends::Crossed => {
            writeln!(out, "<path class=\"d-mark\" d=\"M{}L{}M{}L{}\"/>", at(11.0, 5.0), at(1.0, -5.0), at(11.0, -5.0), at(1.0, 5.0))
        }
    }
}
