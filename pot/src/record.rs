//! What clients read about brews: brews and log entries come in, JSON goes out.
//!
//! The JSON is ASCII on one line, with `'` written as `\u0027`: the lab's web app takes quotation marks and
//! non-ASCII characters badly. Its keys are the lab's.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::brew::Brew;
use crate::clock::Clock;
use crate::menu::{Bean, Beverage};
use crate::store::Entry;

/// What GET returns while nothing is brewed.
pub const NOTHING: Bytes = Bytes::from_static(b"{}");

/// What is brewed, as GET returns it.
#[derive(Serialize)]
struct Current<'a> {
    date: String,
    beverage_type: &'static str,
    additions: &'a [&'static str],
    brew_time_end: String,
    pour_milk_start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coffee_bean: Option<Bean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tea: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strength_percent: Option<u8>,
    pour_milk_stop: bool,
}

impl<'a> Current<'a> {
    fn new(brew: &'a Brew, clock: &Clock) -> Current<'a> {
        let (beverage_type, coffee_bean, tea) = match brew.beverage {
            Beverage::Coffee(bean) => ("Coffee", Some(bean), None),
            Beverage::Tea(tea) => ("Tea", None, Some(tea.name)),
        };
        Current {
            date: clock.lab_time(brew.started),
            beverage_type,
            additions: &brew.additions,
            brew_time_end: clock.lab_time(brew.brew_end),
            pour_milk_start: brew.milk_end.map(|_| clock.lab_time(brew.brew_end)),
            coffee_bean,
            tea,
            strength_percent: None,
            pour_milk_stop: false,
        }
    }
}

/// The brew under way, as GET returns it.
pub fn current(brew: &Brew, clock: &Clock) -> Bytes {
    ascii_json(&Current::new(brew, clock))
}

/// The tea that was stopped at `now`, as strong as it got by then (RFC 7168 §2.1.1).
pub fn stopped_tea(brew: &Brew, now: Timestamp, clock: &Clock) -> Bytes {
    ascii_json(&Current { strength_percent: Some(brew.strength_percent(now)), ..Current::new(brew, clock) })
}

/// What PROPFIND returns about a brew: the bean, or the variety of tea.
pub fn properties(brew: &Brew) -> Bytes {
    match brew.beverage {
        Beverage::Coffee(bean) => ascii_json(&bean),
        Beverage::Tea(tea) => ascii_json(&serde_json::json!({ "tea": tea.name })),
    }
}

#[derive(Serialize)]
struct Page<'a> {
    total: i64,
    brews: Vec<Line<'a>>,
    /// The `before` of the next page.
    next: Option<i64>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: i64,
    pot: &'a str,
    date: String,
    beverage_type: &'static str,
    additions: &'a RawValue,
    brew_time_end: String,
    pour_milk_start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coffee_bean: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tea: Option<&'a str>,
    pour_milk_stop: bool,
    outcome: Option<&'static str>,
    ended: Option<String>,
}

/// A page of the log.
///
/// Shape: `{"total", "brews": [...], "next"}`, the latest brew first; `next` is the `before` of the page that
/// follows, null on the last one. `outcome` is null while a brew runs, and `ended` too if nobody knows when.
pub fn page(entries: &[Entry], total: i64, more: bool, clock: &Clock) -> Bytes {
    let next = entries.last().filter(|_| more).map(|entry| entry.id);
    ascii_json(&Page { total, brews: entries.iter().map(|entry| Line::new(entry, clock)).collect(), next })
}

impl<'a> Line<'a> {
    fn new(entry: &'a Entry, clock: &Clock) -> Line<'a> {
        Line {
            id: entry.id,
            pot: &entry.pot,
            date: clock.lab_time(entry.started),
            beverage_type: if entry.tea.is_some() { "Tea" } else { "Coffee" },
            additions: &entry.additions,
            brew_time_end: clock.lab_time(entry.brew_end),
            pour_milk_start: entry.milk_end.map(|_| clock.lab_time(entry.brew_end)),
            coffee_bean: entry.bean.as_deref(),
            tea: entry.tea.as_deref(),
            pour_milk_stop: entry.when_said,
            outcome: entry.outcome.map(|outcome| outcome.as_str()),
            ended: entry.ended.map(|at| clock.lab_time(at)),
        }
    }
}

fn ascii_json(value: &impl Serialize) -> Bytes {
    let json = serde_json::to_string(value).expect("records become JSON");
    let mut ascii = String::with_capacity(json.len());
    // Outside of strings JSON is ASCII and has no apostrophe, so that an escape is right wherever one is needed.
    for character in json.chars() {
        if character.is_ascii() && character != '\'' {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::BEANS;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        let json = ascii_json(&value);
        assert_eq!(json, expected.as_bytes());
        assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), value);
    }

    #[test]
    fn strings_are_ascii_without_apostrophes() {
        check("Para\u{ed}so", r#""Para\u00edso""#);
        check("Ducky's \"best\"", r#""Ducky\u0027s \"best\"""#);
        check("\u{2615}\u{1f986}", r#""\u2615\ud83e\udd86""#);
    }

    #[test]
    fn a_brew_reads_as_the_lab_writes_it() {
        let instant = |text: &str| text.parse::<Timestamp>().unwrap();
        let brew = Brew {
            id: 1,
            beverage: Beverage::Coffee(BEANS[0]),
            additions: vec!["coconut milk"],
            started: instant("2023-06-27T12:26:59Z"),
            brew_end: instant("2023-06-27T12:27:29Z"),
            milk_end: Some(instant("2023-06-27T12:32:29Z")),
        };
        let clock = Clock::new(|| unreachable!("times are given"), jiff::tz::TimeZone::UTC);
        assert_eq!(
            current(&brew, &clock),
            concat!(
                r#"{"date":"Tue, 27 Jun 2023 12:26:59","beverage_type":"Coffee","additions":["coconut milk"],"#,
                r#""brew_time_end":"Tue, 27 Jun 2023 12:27:29","pour_milk_start":"Tue, 27 Jun 2023 12:27:29","#,
                r#""coffee_bean":{"name":"Para\u00edso Gold","profile":"Chocolate, Nutty","origin":"Brazil","#,
                r#""type":"Single Origin","strength":"2/5","roast":"Medium light"},"pour_milk_stop":false}"#
            )
        );
    }
}
