//! How it looks: what is to be said comes in, HTML goes out. The templates are compiled in, and escape what is put into
//! them.

use askama::Template;
use htcpcp::addition::Kind;
use http::StatusCode;

use crate::record::{Bean, Brew, Log, Time};
use crate::route::CHAMOMILE;

/// A page of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Pot,
    Beans,
    Log,
    /// None of them.
    Elsewhere,
}

/// The navigation: places, where they are, what they are called.
pub(crate) const PLACES: &[(Place, &str, &str)] =
    &[(Place::Pot, "/", "Pot"), (Place::Beans, "/?method=propfind", "Beans"), (Place::Log, "/log", "Log")];

/// What the form offers: legends, and additions with what they are called.
pub(crate) fn offered() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let kinds = [("Milk", Kind::Milk), ("Syrup", Kind::Syrup), ("Spirit", Kind::Alcohol)];
    let known = kinds.map(|(legend, kind)| (legend, kind.values().iter().map(|name| (*name, *name)).collect()));
    known.into_iter().chain([("If you must", vec![(CHAMOMILE, "Chamomile")])]).collect()
}

/// The base page.
#[derive(Template)]
#[template(path = "home.html", whitespace = "minimize")]
pub(crate) struct Home {
    here: Place,
    brew: Option<Now>,
}

impl Home {
    /// While nothing brews.
    pub(crate) fn idle() -> Home {
        Home { here: Place::Pot, brew: None }
    }

    /// At the time `now` of a brew.
    pub(crate) fn brewing(record: Brew, now: Time) -> Home {
        let seconds_total = record.end.seconds_since(record.started).max(0);
        Home { here: Place::Pot, brew: Some(Now { seconds_left: record.end.seconds_since(now), seconds_total, record }) }
    }
}

/// A brew at some time.
struct Now {
    record: Brew,
    /// Until it is ready; negative if it is, and milk runs.
    seconds_left: i64,
    seconds_total: i64,
}

impl Now {
    /// Whether the brew is not ready. The pot cuts its times to whole seconds, so at 0 it may be either.
    fn is_brewing(&self) -> bool {
        self.seconds_left >= 0
    }

    fn has_milk(&self) -> bool {
        self.record.milk_start.is_some()
    }

    fn seconds_done(&self) -> i64 {
        (self.seconds_total - self.seconds_left).max(0)
    }

    fn clock(&self) -> String {
        let left = self.seconds_left.max(0);
        format!("{}:{:02}", left / 60, left % 60)
    }

    fn title(&self) -> &'static str {
        if self.is_brewing() { "Brewing" } else { self.title_after() }
    }

    fn title_after(&self) -> &'static str {
        if self.has_milk() { "Say when" } else { "It is ready" }
    }

    /// The fragment of the picture that moves.
    fn picture(&self) -> &'static str {
        if self.is_brewing() { "brewing" } else { self.picture_after() }
    }

    fn picture_after(&self) -> &'static str {
        if self.has_milk() { "pouring" } else { "ready" }
    }
}

/// About the beans.
#[derive(Template)]
#[template(path = "beans.html", whitespace = "minimize")]
pub(crate) struct Beans {
    here: Place,
    bean: Option<Bean>,
}

impl Beans {
    pub(crate) fn new(bean: Option<Bean>) -> Beans {
        Beans { here: Place::Beans, bean }
    }
}

/// A page of the log.
#[derive(Template)]
#[template(path = "log.html", whitespace = "minimize")]
pub(crate) struct LogPage {
    here: Place,
    log: Log,
    is_first: bool,
}

impl LogPage {
    /// The page of the brews with lower numbers than `before`.
    pub(crate) fn new(log: Log, before: Option<u64>) -> LogPage {
        LogPage { here: Place::Log, log, is_first: before.is_none() }
    }
}

/// Something that did not work. Boxed, since it is what errors are made of.
#[derive(Template)]
#[template(path = "problem.html", whitespace = "minimize")]
pub(crate) struct Problem {
    here: Place,
    pub(crate) status: StatusCode,
    reason: &'static str,
    picture: Option<&'static str>,
    title: &'static str,
    text: String,
    /// The pot's own words.
    said: Option<String>,
    /// What there is, when something else was wanted.
    menu: Vec<String>,
    /// What helps, on the command line.
    command: Option<String>,
}

impl Problem {
    /// Said by this program itself.
    pub(crate) fn new(status: StatusCode, title: &'static str, text: impl Into<String>) -> Box<Problem> {
        Box::new(Problem {
            here: Place::Elsewhere,
            status,
            reason: status.canonical_reason().unwrap_or("It went wrong"),
            picture: None,
            title,
            text: text.into(),
            said: None,
            menu: Vec::new(),
            command: None,
        })
    }

    /// What the pot answered with `status` and the text `said`.
    pub(crate) fn of_pot(status: StatusCode, said: &str) -> Box<Problem> {
        let said = said.trim();
        let (title, text) = match status.as_u16() {
            400 => ("The pot is puzzled", "It could not make sense of what it was asked."),
            403 => ("Not with that", "The pot refuses, as a matter of taste."),
            404 => ("No such pot", "The pot that was asked for is not here."),
            406 if is_menu(said) => ("That is not on the menu", "The pot does not have everything that you asked for."),
            406 => ("Not now", "The pot cannot do that at the moment."),
            409 => ("There is nothing to stop", "It may just have ended by itself."),
            415 => ("Lost in translation", "The pot does not read that type of content."),
            418 => ("No coffee from this one", "Coffee was asked of a teapot, and teapots have principles."),
            501 => ("The pot cannot do that", "It does not know that method. Milk is an addition, not a verb."),
            503 => ("No coffee now", "The pot cannot serve anyone at the moment."),
            _ => ("The pot refuses", "It has its reasons."),
        };
        let mut problem = Problem::new(status, title, text);
        problem.here = Place::Pot;
        problem.picture = (status == StatusCode::IM_A_TEAPOT).then_some("teapot");
        if status == StatusCode::NOT_ACCEPTABLE && is_menu(said) {
            problem.menu = said.split(';').map(|name| name.trim().to_owned()).collect();
        } else if !said.is_empty() && said != "{}" {
            problem.said = Some(said.to_owned());
        }
        problem
    }

    /// Adds the command that helps.
    pub(crate) fn with_command(mut self: Box<Self>, command: String) -> Box<Problem> {
        self.command = Some(command);
        self
    }
}

/// Whether the pot lists what it has.
fn is_menu(said: &str) -> bool {
    said.contains(';')
}
