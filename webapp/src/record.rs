//! What the pot says about its brews: JSON comes in, brews go out. How they are shown is left to [`crate::page`].
//!
//! Unknown keys are passed over, since pots differ in what else they tell.

use std::fmt;

use jiff::civil::DateTime;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::{Map, Value};

/// How the lab writes times: local, without a zone. A `GMT` behind it does no harm, as all that counts is differences.
const TIME: &str = "%a, %d %b %Y %H:%M:%S";

/// A time of the pot's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(DateTime);

impl Time {
    /// The time that `text` says: `Tue, 27 Jun 2023 17:39:59`.
    pub fn parse(text: &str) -> Option<Time> {
        let text = text.strip_suffix(" GMT").unwrap_or(text);
        DateTime::strptime(TIME, text).ok().map(Time)
    }

    /// Seconds from `earlier` to this time; negative if it is later.
    pub fn seconds_since(self, earlier: Time) -> i64 {
        self.0.duration_since(earlier.0).as_secs()
    }

    /// The time of day, `17:39:59`.
    pub fn of_day(self) -> String {
        self.0.strftime("%H:%M:%S").to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime(TIME))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::parse(&text).ok_or_else(|| D::Error::custom(format_args!("`{}` is no time", text.escape_debug())))
    }
}

/// What an object describes; `None` of `{}`, which stands for nothing.
///
/// Errors: it is no object, or describes something else.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<Option<T>, serde_json::Error> {
    let object: Map<String, Value> = serde_json::from_slice(json)?;
    if object.is_empty() { Ok(None) } else { serde_json::from_value(object.into()).map(Some) }
}

/// What is brewed.
///
/// Source: lab dialect.
#[derive(Debug, Deserialize)]
pub struct Brew {
    /// When it began.
    #[serde(rename = "date")]
    pub started: Time,
    /// `Coffee` or `Tea`.
    pub beverage_type: String,
    /// What is in it.
    #[serde(default)]
    pub additions: Vec<String>,
    /// When it is ready, but for the milk.
    #[serde(rename = "brew_time_end")]
    pub end: Time,
    /// When the milk begins to pour, if there is milk. The lab's first pots called it `pouring_milk`.
    #[serde(rename = "pour_milk_start", alias = "pouring_milk")]
    pub milk_start: Option<Time>,
    /// What it is made of.
    #[serde(rename = "coffee_bean")]
    pub bean: Option<Bean>,
    /// What it is made of, if it is tea.
    pub tea: Option<String>,
}

/// What PROPFIND says.
///
/// Source: lab dialect.
#[derive(Debug, Deserialize)]
pub struct Bean {
    /// What it is sold as.
    pub name: String,
    /// What it tastes of.
    pub profile: String,
    /// Where it grew.
    pub origin: String,
    /// From one place, or a blend.
    #[serde(rename = "type")]
    pub sort: String,
    /// Out of five, `3/5`.
    pub strength: String,
    /// How dark it is.
    pub roast: String,
}

impl Bean {
    /// The strength and what it is out of, if both are numbers.
    pub fn strength_of(&self) -> Option<(u8, u8)> {
        let (value, most) = self.strength.split_once('/')?;
        Some((value.parse().ok()?, most.parse().ok()?))
    }
}

/// A page of the log.
#[derive(Debug, Deserialize)]
pub struct Log {
    /// How many brews there ever were.
    pub total: u64,
    /// The brews of this page, the latest first.
    pub brews: Vec<Entry>,
    /// The `before` of the next page, if there is one.
    pub next: Option<u64>,
}

/// A brew of the log.
#[derive(Debug, Deserialize)]
pub struct Entry {
    /// Its number.
    pub id: u64,
    /// Which pot made it.
    pub pot: String,
    /// How it ended; `None` while it is under way.
    pub outcome: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub brew: Brew,
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREW: &str = r#"{"date":"Tue, 27 Jun 2023 12:26:59","beverage_type":"Coffee","additions":["coconut milk"],"brew_time_end":"Tue, 27 Jun 2023 12:27:29","pour_milk_start":null,"coffee_bean":{"name":"Para\u00edso Gold","profile":"Nutty","origin":"Brazil","type":"Single Origin","strength":"2/5","roast":"Medium light"},"pour_milk_stop":false}"#;

    #[track_caller]
    fn check(json: &str, expected: Option<Option<&str>>) {
        let names = read::<Brew>(json.as_bytes()).ok().map(|brew| brew.map(|brew| brew.bean.map_or_else(String::new, |bean| bean.name)));
        assert_eq!(names, expected.map(|name| name.map(str::to_owned)), "{json}");
    }

    #[test]
    fn a_brew_nothing_and_nonsense_are_told_apart() {
        check(BREW, Some(Some("Paraíso Gold")));
        check("{}", Some(None));
        check(r#" { } "#, Some(None));
        for nonsense in ["", "null", "[]", "{", "42", r#"{"date":"today"}"#, r#"{"brew":{}}"#, "{}{}", "<html>"] {
            check(nonsense, None);
        }
        check(&BREW.replace("12:27:29", "25:27:29"), None);
    }

    #[test]
    fn the_labs_first_pots_are_understood() {
        let first = BREW.replace("\"pour_milk_start\":null", "\"pouring_milk\":\"Tue, 27 Jun 2023 12:27:29\"");
        let brew: Brew = serde_json::from_str(&first).unwrap();
        assert_eq!(brew.milk_start, Some(brew.end));
        assert_eq!(brew.end.seconds_since(brew.started), 30);
        assert_eq!(brew.end.of_day(), "12:27:29");
    }

    #[test]
    fn a_log_page_is_read() {
        let entry = BREW.replacen('{', r#"{"id":7,"pot":"ducky","outcome":null,"ended":null,"#, 1);
        let log: Log = serde_json::from_str(&format!(r#"{{"total":9,"brews":[{entry}],"next":7}}"#)).unwrap();
        assert_eq!((log.total, log.next, log.brews[0].id), (9, Some(7), 7));
        assert_eq!(log.brews[0].brew.additions, ["coconut milk"]);
    }

    #[test]
    fn times_are_the_labs() {
        assert!(Time::parse("Tue, 27 Jun 2023 12:26:59 GMT").is_some());
        for nonsense in ["", "2023-06-27T12:26:59", "Tue, 27 Jun 2023 12:26", "Tue, 32 Jun 2023 12:26:59"] {
            assert_eq!(Time::parse(nonsense), None, "{nonsense}");
        }
    }
}
