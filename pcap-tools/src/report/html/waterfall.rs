//! The waterfall on the page: bars and their scales in percent of a panel's width.

use super::links::exchange_id;
use crate::exchange::{Exchange, Protocol};
use crate::report::text::lines::ExchangeLine;
use crate::time::{Time, duration};
use crate::waterfall::{Bar, Panel, Phase};

/// The narrowest piece of a bar, in percent: what takes no time is to be seen, too.
const MIN_WIDTH: f64 = 0.35;
/// About so many ticks in the whole width.
const TICKS: f64 = 8.0;
/// Labels are no closer than this, in percent.
const LABEL_WIDTH: f64 = 12.0;

/// Bars that share a scale.
pub(super) struct PanelView {
    pub title: String,
    pub ticks: Vec<Tick>,
    pub folds: Vec<Fold>,
    pub rows: Vec<RowView>,
}

/// A line of the scale.
pub(super) struct Tick {
    pub left: String,
    /// Empty where there is no room for it.
    pub label: String,
}

/// A pause.
pub(super) struct Fold {
    pub left: String,
    pub width: String,
    pub label: String,
}

/// A bar and what it is of.
pub(super) struct RowView {
    /// Of the exchange, from 1.
    pub number: usize,
    /// The id of the exchange's row.
    pub target: String,
    pub is_coffee: bool,
    pub request: String,
    pub status: Option<u16>,
    pub time: String,
    /// Phases and their lengths, in words.
    pub phases: String,
    pub pieces: Vec<Piece>,
}

/// A phase.
pub(super) struct Piece {
    pub phase: &'static str,
    pub left: String,
    pub width: String,
}

/// All panels.
pub(super) fn panels(exchanges: &[Exchange], bars: &[Bar], start: Time) -> Vec<PanelView> {
    let view = |panel: Panel| PanelView {
        title: title(&panel, start),
        ticks: ticks(&panel, start),
        folds: folds(&panel),
        rows: panel.bars.clone().map(|at| row(at, &exchanges[at], &bars[at], &panel)).collect(),
    };
    Panel::of(bars).into_iter().map(view).collect()
}

/// Phases that took a time that is known, with it.
pub(super) fn phases(bar: &Bar) -> String {
    let known = |phase: Phase| {
        let span = bar.phases[phase as usize].filter(|span| !span.is_empty())?;
        Some(format!("{} {}", phase.as_str(), duration(span.len())))
    };
    Phase::ALL.into_iter().filter_map(known).collect::<Vec<_>>().join(", ")
}

fn title(panel: &Panel, start: Time) -> String {
    let (first, last) = (panel.bars.start + 1, panel.bars.end);
    let exchanges = if first == last { format!("Exchange {first}") } else { format!("Exchanges {first} to {last}") };
    let since = panel.bursts.first().and_then(|burst| Time::from(burst.span.from).since(start));
    let len = panel.bursts.first().zip(panel.bursts.last()).map(|(first, last)| last.span.to.saturating_sub(first.span.from));
    match since.zip(len) {
        Some((since, len)) => format!("{exchanges}, at {}, for {}", duration(since), duration(len)),
        None => format!("{exchanges}, at unknown times"),
    }
}

fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

fn row(at: usize, exchange: &Exchange, bar: &Bar, panel: &Panel) -> RowView {
    let line = ExchangeLine::new(exchange);
    let piece = |phase: Phase| {
        let span = bar.phases[phase as usize]?;
        // What took no time is shown where nothing else is.
        let is_shown = !span.is_empty() || matches!(phase, Phase::Wait | Phase::Receive) || bar.phases[Phase::Wait as usize].is_none();
        let (left, right) = (panel.place(span.from), panel.place(span.to));
        let width = (right - left).max(MIN_WIDTH / 100.0);
        is_shown.then(|| Piece { phase: phase.as_str(), left: percent(left.min(1.0 - width)), width: percent(width) })
    };
    RowView {
        number: at + 1,
        target: exchange_id(at),
        is_coffee: exchange.protocol == Protocol::Htcpcp,
        request: line.request,
        status: line.status,
        time: line.time.map_or("–".to_owned(), duration),
        phases: phases(bar),
        pieces: Phase::ALL.into_iter().filter_map(piece).collect(),
    }
}

/// A round number of nanoseconds, of which about [`TICKS`] fill the width.
fn step(panel: &Panel) -> i64 {
    let scale = panel.bursts.iter().map(|burst| burst.span.len().max(1) as f64 / burst.width).fold(0.0, f64::max);
    let rough = (scale / TICKS).max(1.0);
    let power = 10_f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough).unwrap_or(10.0);
    (round * power) as i64
}

/// Lines at round times since the beginning of each burst; that of the first line of a burst is since the capture's.
fn ticks(panel: &Panel, start: Time) -> Vec<Tick> {
    let step = step(panel);
    let mut ticks = Vec::new();
    let mut free = 0.0;
    for burst in &panel.bursts {
        let count = burst.span.len() / step;
        for (at, nanos) in (0..=count).map(|at| (at, burst.span.from + at * step)) {
            let left = panel.place(nanos) * 100.0;
            let text = match Time::from(nanos).since(start) {
                Some(since) if at == 0 => short(since),
                _ => format!("+{}", short(at * step)),
            };
            let label = if left >= free && left < 100.0 - LABEL_WIDTH * 0.8 { text } else { String::new() };
            if !label.is_empty() {
                free = left + LABEL_WIDTH;
            }
            ticks.push(Tick { left: format!("{left:.2}%"), label });
        }
    }
    ticks
}

/// A duration without zeros behind the point.
fn short(nanos: i64) -> String {
    let text = duration(nanos);
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.')),
        _ => text,
    }
}

fn folds(panel: &Panel) -> Vec<Fold> {
    let fold = |pair: &[crate::waterfall::Burst]| {
        let left = pair[0].left + pair[0].width;
        Fold {
            left: percent(left),
            width: percent(pair[1].left - left),
            label: format!("a pause of {}", duration(pair[1].span.from.saturating_sub(pair[0].span.to))),
        }
    };
    panel.bursts.windows(2).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn ticks_are_short() {
        let check = |nanos: i64, expected: &str| assert_eq!(short(nanos), expected);
        check(0, "0 µs");
        check(20_000, "20 µs");
        check(1_500_000, "1.5 ms");
        check(10_000_000_000, "10 s");
    }
}
