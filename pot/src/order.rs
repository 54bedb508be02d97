//! What a request asks of the pot: a request comes in, an order or a refusal goes out. Whether the pot can
//! carry the order out just now is the kitchen's business.
//!
//! The checks come in the order of the lab's table: scheme, host, method, content type, teapot, additions, body.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;

use htcpcp::addition::{Addition, Kind, Parameter};
use htcpcp::header::{COFFEE_POT_COMMAND, COFFEEPOT, Field, TEAPOT};
use htcpcp::{CoffeeUri, Command, HOST, Method, parse_accept_additions};
use http::HeaderMap;
use http::header::HeaderName;
use percent_encoding::percent_decode;

use crate::answer;
use crate::kitchen::Wish;
use crate::menu::{Pot, Tea};

/// How many brews a page of the log has, unless the client says otherwise.
const PAGE: u32 = 20;
/// How many it may ask for.
const LONGEST_PAGE: u32 = 100;

static USE_POT: LazyLock<HeaderName> = LazyLock::new(|| answer::name(Field::UsePot));
static ACCEPT_ADDITIONS: LazyLock<HeaderName> = LazyLock::new(|| answer::name(Field::AcceptAdditions));

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Order {
    /// BREW or POST with `start`.
    Start {
        /// What to brew.
        wish: Wish,
        /// What to put in, each once, as the menu spells it.
        additions: Vec<&'static str>,
        /// Whether milk is among them.
        milk: bool,
        /// Whether the answer says which teas there are, too: RFC 7168 §2.1.1 wants that of `message/coffeepot` to `/`.
        alternates: bool,
    },
    /// BREW or POST with `stop`.
    Stop(Pot),
    /// A BREW of `/` for tea: it starts nothing, and the answer says which teas there are (RFC 7168 §2.1.1).
    WhichTea,
    /// GET or HEAD.
    Current(Pot),
    /// PROPFIND.
    Properties(Pot),
    /// WHEN.
    When(Pot),
    /// GET of the log.
    Log {
        /// Only brews with lower numbers.
        before: i64,
        /// How many at most.
        most: u32,
    },
}

/// Why a request is no order.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The URI has a scheme, and it means no coffee.
    NoCoffeeScheme,
    /// Another host is asked for.
    OtherHost,
    /// There is no such pot, tea or page.
    NotFound,
    /// The method is none of the protocol.
    UnknownMethod,
    /// The content type is none of the protocol, or tea is asked of the coffee pot.
    ContentType,
    /// Coffee is asked of a teapot.
    Teapot,
    /// The pot does not have an addition; it has these.
    Additions(Pot),
    /// The variety does not go with an addition.
    UnsuitableAddition(Tea),
    /// The body is neither `start` nor `stop`.
    Body,
}

/// A request, whole.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method as it was sent.
    pub method: &'a [u8],
    /// The request-target as it was sent.
    pub target: &'a [u8],
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

impl Order {
    /// What `request` asks.
    pub fn read(request: Request<'_>) -> Result<Order, Refusal> {
        let target = Target::read(request.target)?;
        // HTTP's HEAD is a GET whose answer has no body (RFC 9110 §9.3.2), and RFC 2324 §2.3.1 speaks of it.
        let method = match request.method {
            b"HEAD" => Method::Get,
            method => Method::from_bytes(method).ok_or(Refusal::UnknownMethod)?,
        };
        let content = Content::read(request.headers)?;
        let chosen = chosen_pots(request.headers)?;
        let place = Place::read(&target.path)?;
        let pot = place.pot().or(chosen.first().copied()).unwrap_or(Pot::Ducky);
        match method {
            Method::Brew | Method::Post => brew(request, &target, place, &chosen, content.ok_or(Refusal::ContentType)?),
            Method::Get if place == Place::Log => Ok(log_page(target.query)),
            _ if place == Place::Log => Err(Refusal::NotFound),
            Method::Get => {
                additions(pot, request.headers, target.query)?;
                Ok(Order::Current(pot))
            }
            Method::Propfind => Ok(Order::Properties(pot)),
            Method::When => Ok(Order::When(pot)),
        }
    }
}

fn brew(request: Request<'_>, target: &Target<'_>, place: Place, chosen: &[Pot], content: Content) -> Result<Order, Refusal> {
    let pot = match (content, place) {
        (_, Place::Log) => return Err(Refusal::NotFound),
        (Content::Tea, Place::Root | Place::Pot(Pot::Tea)) => return Ok(Order::WhichTea),
        (Content::Tea, Place::Pot(Pot::Ducky)) => return Err(Refusal::ContentType),
        (Content::Tea, Place::Tea(_)) => Pot::Tea,
        (_, Place::Pot(Pot::Tea) | Place::Tea(_)) => return Err(Refusal::Teapot),
        _ if chosen.contains(&Pot::Tea) => return Err(Refusal::Teapot),
        (_, Place::Root | Place::Pot(Pot::Ducky)) => Pot::Ducky,
    };
    match Command::parse(request.body) {
        Some(Command::Stop) => Ok(Order::Stop(pot)),
        command => {
            let additions = additions(pot, request.headers, target.query)?;
            let wish = if let Place::Tea(tea) = place { Wish::Tea(tea) } else { Wish::Coffee };
            if let Wish::Tea(tea) = wish
                && !additions.iter().all(|(kind, _)| tea.takes.contains(kind))
            {
                return Err(Refusal::UnsuitableAddition(tea));
            }
            command.ok_or(Refusal::Body)?;
            let milk = additions.iter().any(|(kind, _)| *kind == Kind::Milk);
            let alternates = content == Content::CoffeeMessage && place == Place::Root;
            Ok(Order::Start { wish, additions: additions.into_iter().map(|(_, name)| name).collect(), milk, alternates })
        }
    }
}

/// Where a request goes: the host has been checked and is gone.
struct Target<'a> {
    path: Cow<'a, [u8]>,
    query: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// Reads a coffee URI (RFC 2324 §3), an `http://` URI, a path, with or without its slash, or `*`.
    fn read(target: &'a [u8]) -> Result<Target<'a>, Refusal> {
        let (host, path, query) = if let Some(uri) = CoffeeUri::parse(target) {
            (uri.host, uri.pot.unwrap_or_default(), uri.additions)
        } else if let Some(rest) = after_web_scheme(target) {
            let (whole, query) = cut(rest, b'?');
            let (host, path) = cut(whole, b'/');
            (Some(host), path.unwrap_or_default(), query)
        } else {
            let (path, query) = cut(target, b'?');
            if is_uri(path) {
                return Err(Refusal::NoCoffeeScheme);
            }
            (None, if path == b"*" { b"" } else { path }, query)
        };
        if host.is_some_and(|host| !is_ours(host)) {
            return Err(Refusal::OtherHost);
        }
        Ok(Target { path: percent_decode(path).into(), query })
    }
}

fn after_web_scheme(target: &[u8]) -> Option<&[u8]> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
    })
}

/// Whether there is a colon before any slash: a scheme. Source: RFC 3986 §4.2.
fn is_uri(path: &[u8]) -> bool {
    path.iter().find(|byte| matches!(byte, b':' | b'/')) == Some(&b':')
}

/// Whether a host, perhaps with a port, is this pot: by its name, or by any address at which it was reached.
fn is_ours(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case(HOST) || name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `/`, which leaves the choice to Use-Pot.
    Root,
    /// `/pot-1` (RFC 2324 §3), or `/ducky`.
    Pot(Pot),
    /// `/earl-grey` or `/pot-0/earl-grey` (RFC 7168 §2.1).
    Tea(Tea),
    /// `/log`.
    Log,
}

impl Place {
    fn read(path: &[u8]) -> Result<Place, Refusal> {
        let mut segments = path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty());
        let place = match (segments.next(), segments.next(), segments.next()) {
            (None, _, _) => Some(Place::Root),
            (Some(b"log"), None, _) => Some(Place::Log),
            (Some(name), None, _) => designated_pot(name).map(Place::Pot).or_else(|| Tea::find(name).map(Place::Tea)),
            (Some(pot), Some(name), None) if designated_pot(pot) == Some(Pot::Tea) => Tea::find(name).map(Place::Tea),
            _ => None,
        };
        place.ok_or(Refusal::NotFound)
    }

    fn pot(self) -> Option<Pot> {
        match self {
            Place::Pot(pot) => Some(pot),
            Place::Tea(_) => Some(Pot::Tea),
            Place::Root | Place::Log => None,
        }
    }
}

/// The pot that a designator names: `pot-1`, or the pot's name.
fn designated_pot(name: &[u8]) -> Option<Pot> {
    let numbered = || {
        let number = CoffeeUri { pot: Some(name), ..CoffeeUri::parse(b"coffee:")? }.pot_number()?;
        Pot::numbered(number)
    };
    Pot::named(name).or_else(numbered)
}

/// What a content type asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// `application/coffee-pot-command`.
    CoffeeCommand,
    /// `message/coffeepot`.
    CoffeeMessage,
    /// `message/teapot`.
    Tea,
}

impl Content {
    /// The content type, if there is one. Its parameters do not matter.
    fn read(headers: &HeaderMap) -> Result<Option<Content>, Refusal> {
        let Some(value) = headers.get(http::header::CONTENT_TYPE) else { return Ok(None) };
        let essence = cut(value.as_bytes(), b';').0.trim_ascii();
        let is = |name: &str| essence.eq_ignore_ascii_case(name.as_bytes());
        if is(COFFEE_POT_COMMAND) {
            Ok(Some(Content::CoffeeCommand))
        } else if is(COFFEEPOT) {
            Ok(Some(Content::CoffeeMessage))
        } else if is(TEAPOT) {
            Ok(Some(Content::Tea))
        } else {
            Err(Refusal::ContentType)
        }
    }
}

/// The pots of the Use-Pot fields: the lab's web app sends `ducky; tea` when both are chosen.
fn chosen_pots(headers: &HeaderMap) -> Result<Vec<Pot>, Refusal> {
    let values = headers.get_all(&*USE_POT).iter();
    let names = values.flat_map(|value| value.as_bytes().split(|byte| matches!(byte, b';' | b',')));
    let names = names.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty());
    names.map(|name| Pot::named(name).ok_or(Refusal::NotFound)).collect()
}

/// The additions of the Accept-Additions fields and of the URI, each once, if `pot` has them all.
///
/// `*` leaves the choice to the pot, which adds nothing; `q=0` means "not this" (RFC 9110 §12.4.2).
fn additions(pot: Pot, headers: &HeaderMap, query: Option<&[u8]>) -> Result<Vec<(Kind, &'static str)>, Refusal> {
    let mut found = Vec::new();
    let mut take = |list: &[u8]| {
        for addition in parse_accept_additions(list).filter(|addition| !addition.is_any() && is_wanted(addition)) {
            let known = Kind::find(addition.name).filter(|(kind, _)| pot.stock().contains(kind));
            let known = known.ok_or(Refusal::Additions(pot))?;
            if !found.contains(&known) {
                found.push(known);
            }
        }
        Ok(())
    };
    for value in headers.get_all(&*ACCEPT_ADDITIONS) {
        take(value.as_bytes())?;
    }
    if let Some(query) = query {
        take(&Cow::from(percent_decode(query)))?;
    }
    Ok(found)
}

fn is_wanted(addition: &Addition<'_>) -> bool {
    !addition.parameters().any(|parameter| match parameter {
        Parameter::Pair(key, value) => key.eq_ignore_ascii_case(b"q") && value.iter().all(|byte| matches!(byte, b'0' | b'.')),
        Parameter::Number(_) => false,
    })
}

/// The page that a query such as `before=120&limit=20` names; what it does not understand is as if it were not there.
fn log_page(query: Option<&[u8]>) -> Order {
    let query = String::from_utf8_lossy(query.unwrap_or_default());
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.rev().find_map(|(key, value)| (key == name).then_some(value)?.parse::<i64>().ok())
    };
    let most = value("limit").map_or(PAGE, |limit| limit.clamp(1, LONGEST_PAGE.into()) as u32);
    Order::Log { before: value("before").unwrap_or(i64::MAX), most }
}

/// What stands before the first `at`, and what behind it.
fn cut(bytes: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|byte| *byte == at) {
        Some(place) => (&bytes[..place], Some(&bytes[place + 1..])),
        None => (bytes, None),
    }
}
