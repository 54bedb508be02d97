//! What a browser asks for: a path and a query come in, a route goes out.
//!
//! The paths and parameters are the lab's, since students read them in captures:
//!
//! ```text
//! /?method=brew&message=start&pots=ducky&additions=cream&additions=vanilla
//! ```
//!
//! Whatever is not known here is refused. So a route holds no text of the browser's, only names of this program, and
//! nothing else can reach the pot.

use std::fmt;

use htcpcp::addition::Kind;
use htcpcp::{Command, HOST, Method};

use crate::asset::Asset;
use crate::pot::Ask;

/// A pot that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pot {
    /// What `Use-Pot` carries. Source: lab dialect.
    pub name: &'static str,
    /// What the page calls it.
    pub title: &'static str,
}

impl Pot {
    /// Every pot.
    pub const ALL: [Pot; 2] = [Pot { name: HOST, title: "Ducky's Coffee Pot" }, Pot { name: "tea", title: "Ducky's Tea Pot" }];

    /// The pot called `name`.
    pub fn find(name: &str) -> Option<Pot> {
        Pot::ALL.into_iter().find(|pot| pot.name == name)
    }
}

/// The addition that no pot of coffee has. The page offers it all the same, for the sake of the 406.
pub const CHAMOMILE: &str = "tea";

/// A place of this website.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The base page: what the pot is doing, and the form.
    Home,
    /// About the beans of what is brewed.
    Beans,
    /// The brews, the latest first.
    Log {
        /// Only brews with lower numbers.
        before: Option<u64>,
    },
    /// Something to be asked of the pot; the page is its answer, or the base page if that is a success.
    Order(Ask),
    /// A file.
    Asset(&'static Asset),
}

impl Route {
    /// The place that a path and a query name.
    ///
    /// Errors: [`Wrong::NoPage`] for a path, everything else for a query.
    pub fn find(path: &str, query: Option<&str>) -> Result<Route, Wrong> {
        let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let parameters = || parameters.map(|(name, value)| Parameter { name: name.into(), value: value.into() });
        match path {
            "/" => {
                let mut form = Form::default();
                parameters().try_for_each(|parameter| form.read(parameter))?;
                form.route()
            }
            "/log" => {
                let mut before = None;
                parameters().try_for_each(|parameter| match &*parameter.name {
                    "before" => parameter.once(&mut before, |value| value.parse().ok()),
                    _ => Err(Wrong::Unknown(parameter)),
                })?;
                Ok(Route::Log { before })
            }
            _ => match (probe(path), Asset::find(path)) {
                (Some(ask), _) => Ok(Route::Order(ask)),
                (None, Some(asset)) => Ok(Route::Asset(asset)),
                (None, None) => Err(Wrong::NoPage),
            },
        }
    }
}

/// The requests by which the lab gets a pot to refuse: each is wrong in one way.
fn probe(path: &str) -> Option<Ask> {
    match path {
        "/test-400" => Some(Ask { target: format!("caffeine://{HOST}"), ..Ask::new(Method::Get.as_str()) }),
        "/test-404" => Some(Ask { target: "coffee://psyduck".to_owned(), ..Ask::new(Method::Get.as_str()) }),
        "/test-501" => Some(Ask::new("MILK")),
        "/test-415" => Some(Ask { content_type: "text/plain", body: Some(Command::Start), ..Ask::new(Method::Brew.as_str()) }),
        _ => None,
    }
}

/// One `name=value` of a query, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    name: String,
    value: String,
}

impl Parameter {
    fn known<T>(self, known: impl FnOnce(&str) -> Option<T>) -> Result<T, Wrong> {
        known(&self.value).ok_or(Wrong::Value(self))
    }

    fn once<T>(self, place: &mut Option<T>, known: impl FnOnce(&str) -> Option<T>) -> Result<(), Wrong> {
        if place.is_some() {
            return Err(Wrong::Repeated(self));
        }
        *place = Some(self.known(known)?);
        Ok(())
    }

    fn each<T: PartialEq>(self, list: &mut Vec<T>, known: impl FnOnce(&str) -> Option<T>) -> Result<(), Wrong> {
        let value = self.known(known)?;
        // The pot's answer lists each one, and the lab's clients read 1,024 bytes.
        if !list.contains(&value) {
            list.push(value);
        }
        Ok(())
    }
}

/// The query of the base page.
#[derive(Default)]
struct Form {
    method: Option<Method>,
    message: Option<Command>,
    pots: Vec<&'static str>,
    additions: Vec<&'static str>,
}

impl Form {
    fn read(&mut self, parameter: Parameter) -> Result<(), Wrong> {
        match &*parameter.name {
            "method" => parameter.once(&mut self.method, method),
            "message" => parameter.once(&mut self.message, message),
            "pots" => parameter.each(&mut self.pots, |name| Pot::find(name).map(|pot| pot.name)),
            "additions" => parameter.each(&mut self.additions, addition),
            _ => Err(Wrong::Unknown(parameter)),
        }
    }

    fn route(self) -> Result<Route, Wrong> {
        let is_order = self.message.is_some() || !self.pots.is_empty() || !self.additions.is_empty();
        match self.method {
            None if is_order => Err(Wrong::Missing("method")),
            Some(method @ (Method::Get | Method::Propfind | Method::When)) if is_order => Err(Wrong::Surplus(method)),
            None | Some(Method::Get) => Ok(Route::Home),
            Some(Method::Propfind) => Ok(Route::Beans),
            Some(Method::When) => Ok(Route::Order(Ask::new(Method::When.as_str()))),
            Some(method @ (Method::Brew | Method::Post)) => Ok(Route::Order(Ask {
                additions: self.additions,
                pots: self.pots,
                body: Some(self.message.ok_or(Wrong::Missing("message"))?),
                ..Ask::new(method.as_str())
            })),
        }
    }
}

fn method(value: &str) -> Option<Method> {
    Method::ALL.into_iter().find(|method| method.as_str().to_ascii_lowercase() == value)
}

fn message(value: &str) -> Option<Command> {
    Command::ALL.into_iter().find(|command| command.as_str() == value)
}

fn addition(value: &str) -> Option<&'static str> {
    let mut known = Kind::ALL.iter().flat_map(|kind| kind.values()).copied().chain([CHAMOMILE]);
    known.find(|name| *name == value)
}

/// Why there is no such place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing is at that path.
    NoPage,
    /// No parameter has this name.
    Unknown(Parameter),
    /// The parameter cannot have this value.
    Value(Parameter),
    /// The parameter is there twice.
    Repeated(Parameter),
    /// The parameter is not there.
    Missing(&'static str),
    /// The method takes no message, pots or additions.
    Surplus(Method),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::NoPage => f.write_str("There is no such page."),
            Wrong::Unknown(parameter) => write!(f, "There is no parameter “{}”.", Shown(&parameter.name)),
            Wrong::Value(Parameter { name, value }) => write!(f, "The parameter “{name}” cannot be “{}”.", Shown(value)),
            Wrong::Repeated(parameter) => write!(f, "The parameter “{}” can be there only once.", parameter.name),
            Wrong::Missing(name) => write!(f, "The parameter “{name}” is missing."),
            Wrong::Surplus(method) => write!(f, "A {method} takes no message, pots or additions."),
        }
    }
}

impl std::error::Error for Wrong {}

/// Somebody else's text: not too much of it, and control characters escaped.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST_CHARS: usize = 60;
        for (at, character) in self.0.chars().enumerate() {
            match character {
                _ if at == LONGEST_CHARS => return f.write_str("…"),
                _ if character.is_control() => write!(f, "{}", character.escape_default())?,
                _ => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use htcpcp::header::COFFEE_POT_COMMAND;

    /// The route of a request-target, in short.
    #[track_caller]
    fn check(target: &str, expected: &str) {
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let shown = match Route::find(path, query) {
            Ok(Route::Home) => "home".to_owned(),
            Ok(Route::Beans) => "beans".to_owned(),
            Ok(Route::Log { before }) => format!("log {before:?}"),
            Ok(Route::Asset(asset)) => format!("asset {}", asset.path),
            Ok(Route::Order(ask)) => {
                let body = ask.body.map_or("", Command::as_str);
                let command = if ask.content_type == COFFEE_POT_COMMAND { "" } else { ask.content_type };
                let parts = [ask.method, &ask.target, command, &ask.pots.join("+"), &ask.additions.join("+"), body];
                parts.map(str::to_owned).into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
            }
            Err(wrong) => wrong.to_string(),
        };
        assert_eq!(shown, expected, "{target}");
    }

    #[test]
    fn the_labs_queries_become_the_labs_requests() {
        check(
            "/?method=brew&message=start&pots=ducky&additions=coconut+milk&additions=vanilla",
            "BREW coffee://ducky ducky coconut milk+vanilla start",
        );
        check("/?method=brew&message=start&pots=ducky&pots=tea", "BREW coffee://ducky ducky+tea start");
        check("/?message=stop&method=brew", "BREW coffee://ducky stop");
        check("/?method=post&message=start", "POST coffee://ducky start");
        check("/?method=when", "WHEN coffee://ducky");
        check("/?method=brew&message=start&additions=tea", "BREW coffee://ducky tea start");
        check("/?method=brew&message=start&additions=half%2Dand%2Dhalf", "BREW coffee://ducky half-and-half start");
    }

    #[test]
    fn pages_have_their_places() {
        check("/", "home");
        check("/?", "home");
        check("/?method=get", "home");
        check("/?method=propfind", "beans");
        check("/log", "log None");
        check("/log?before=12", "log Some(12)");
        check("/assets/styles.css", "asset /assets/styles.css");
        check("/assets/styles.css?v=1", "asset /assets/styles.css");
    }

    #[test]
    fn probes_are_wrong_in_one_way_each() {
        check("/test-400", "GET caffeine://ducky");
        check("/test-404", "GET coffee://psyduck");
        check("/test-501", "MILK coffee://ducky");
        check("/test-415", "BREW coffee://ducky text/plain start");
    }

    #[test]
    fn whatever_is_not_known_is_refused() {
        check("/teapot", "There is no such page.");
        check("/log/", "There is no such page.");
        check("/assets/../src/main.rs", "There is no such page.");
        check("/?metod=brew", "There is no parameter “metod”.");
        check("/?method=BREW", "The parameter “method” cannot be “BREW”.");
        check("/?method=head", "The parameter “method” cannot be “head”.");
        check("/?method=brew", "The parameter “message” is missing.");
        check("/?method=brew&message=pause", "The parameter “message” cannot be “pause”.");
        check("/?method=brew&method=brew&message=start", "The parameter “method” can be there only once.");
        check("/?message=start", "The parameter “method” is missing.");
        check("/?method=when&message=stop", "A WHEN takes no message, pots or additions.");
        check("/?method=get&pots=ducky", "A GET takes no message, pots or additions.");
        check("/?method=brew&message=start&pots=psyduck", "The parameter “pots” cannot be “psyduck”.");
        check("/?method=brew&message=start&additions=", "The parameter “additions” cannot be “”.");
        check("/?method=brew&message=start&additions=%FF", "The parameter “additions” cannot be “\u{fffd}”.");
        check("/log?before=-1", "The parameter “before” cannot be “-1”.");
        check("/log?before=99999999999999999999", "The parameter “before” cannot be “99999999999999999999”.");
    }

    #[test]
    fn line_ends_are_refused_and_shown_escaped() {
        check(
            "/?method=brew&message=start&additions=cream%0d%0aUse-Pot:%20tea",
            "The parameter “additions” cannot be “cream\\r\\nUse-Pot: tea”.",
        );
        check(&format!("/?{}=1", "a".repeat(1000)), &format!("There is no parameter “{}…”.", "a".repeat(60)));
    }

    #[test]
    fn what_is_chosen_twice_is_sent_once() {
        check("/?method=brew&message=start&pots=tea&pots=tea&additions=rum&additions=rum", "BREW coffee://ducky tea rum start");
    }
}
