//! What the pot says: the outcome of an order comes in, a response goes out.
//!
//! In HTCPCP every answer has the lab's head: Server, Content-Type `message/coffeepot`, Date in the lab's format, in
//! this order, and what the RFCs add behind them. In HTTP the content type tells what the body is, and the date is HTTP's.

use std::sync::LazyLock;

use bytes::Bytes;
use htcpcp::conn::Dialect;
use htcpcp::header::{COFFEEPOT, Field, TEAPOT};
use htcpcp::{Method, Status};
use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};
use http_body_util::Full;
use hyper::ext::ReasonPhrase;

use crate::clock::Clock;
use crate::kitchen::Refused;
use crate::menu::Tea;
use crate::order::Refusal;

/// The value of the Server field.
pub const SERVER: &str = "CoffeePot";

/// What an answer can be, in HTCPCP and in HTTP.
const CONTENT_TYPES: [&str; 4] = [COFFEEPOT, TEAPOT, "application/json", "text/plain"];

static SAFE: LazyLock<HeaderName> = LazyLock::new(|| name(Field::Safe));
static ALTERNATES: LazyLock<HeaderName> = LazyLock::new(|| name(Field::Alternates));

/// The fields of an answer to a safe method, for each of [`CONTENT_TYPES`]; the date has yet to be filled in. To copy a
/// head costs less than to put it together.
static HEADS: LazyLock<[HeaderMap; 4]> = LazyLock::new(|| {
    CONTENT_TYPES.map(|kind| {
        let mut head = HeaderMap::new();
        head.insert(header::SERVER, HeaderValue::from_static(SERVER));
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        head.insert(header::DATE, HeaderValue::from_static(""));
        head.insert(SAFE.clone(), HeaderValue::from_static("yes"));
        head
    })
});

/// An answer before it is written in either dialect.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// The body.
    pub body: Bytes,
    /// What the body is.
    pub content: Content,
    /// Whether the answer says which teas there are.
    pub alternates: bool,
    /// Whether the connection closes after it.
    pub closes: bool,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// JSON about a brew, or nothing.
    Brew,
    /// JSON about a tea.
    Tea,
    /// A sentence.
    Text,
}

impl Answer {
    /// 200 with `body`.
    pub fn ok(content: Content, body: Bytes) -> Answer {
        Answer { code: 200, body, content, alternates: false, closes: false }
    }

    /// A sentence.
    pub fn text(code: u16, text: impl Into<Bytes>) -> Answer {
        Answer { code, body: text.into(), content: Content::Text, alternates: false, closes: false }
    }

    /// A sentence, and the connection closes.
    pub fn last(code: u16, text: impl Into<Bytes>) -> Answer {
        Answer { closes: true, ..Answer::text(code, text) }
    }

    /// Which teas there are.
    pub fn which_tea() -> Answer {
        let names = Tea::ALL.map(|tea| tea.name).join("; ");
        Answer { alternates: true, ..Answer::text(300, names) }
    }

    /// The response to a request with `method`.
    pub fn write(self, method: &http::Method, dialect: Dialect, clock: &Clock) -> http::Response<Full<Bytes>> {
        let status = Status::find(self.code).expect("the pot answers with statuses of the protocol");
        let [coffeepot, teapot, json, text] = &*HEADS;
        let (head, date) = match (dialect, self.content) {
            (Dialect::Htcpcp, Content::Tea) => (teapot, clock.lab_date()),
            (Dialect::Htcpcp, _) => (coffeepot, clock.lab_date()),
            (Dialect::Http, Content::Text) => (text, clock.http_date()),
            (Dialect::Http, _) => (json, clock.http_date()),
        };
        let mut response = http::Response::new(Full::new(self.body));
        *response.status_mut() = http::StatusCode::from_u16(status.code).expect("statuses have three digits");
        if response.status().canonical_reason() != Some(status.reason) {
            response.extensions_mut().insert(ReasonPhrase::from_static(status.reason.as_bytes()));
        }
        *response.headers_mut() = head.clone();
        let headers = response.headers_mut();
        headers.insert(header::DATE, date);
        let known = Method::from_bytes(method.as_str().as_bytes());
        let is_safe = known.map_or(method.is_safe(), Method::is_safe);
        if !is_safe {
            headers.insert(SAFE.clone(), HeaderValue::from_static("no"));
        }
        if known.is_some_and(Method::is_deprecated) {
            // The day of RFC 2324, in the form of RFC 9745 §2.1.
            headers.insert(HeaderName::from_static("deprecation"), HeaderValue::from_static("@891388800"));
        }
        if self.alternates {
            headers.insert(ALTERNATES.clone(), HeaderValue::try_from(Tea::alternates()).expect("teas have ASCII names"));
        }
        if self.closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// What answers have in common that hyper gives by itself, to requests it refuses before the pot sees them.
pub fn refusal_fields() -> HeaderMap {
    let fields = [(header::SERVER, SERVER), (header::CONTENT_TYPE, COFFEEPOT)];
    fields.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

/// The name of a field that `http` does not know. It is leaked, once for each field: a name that is static has no
/// reference count, which all connections would have to change for each answer.
pub(crate) fn name(field: Field) -> HeaderName {
    HeaderName::from_static(field.as_str().to_ascii_lowercase().leak())
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        match refusal {
            Refusal::NoCoffeeScheme => Answer::text(400, "That URI has no coffee scheme"),
            Refusal::OtherHost => Answer::text(404, "Another host is asked for; this is ducky"),
            Refusal::NotFound => Answer::text(404, "There is no such pot, tea or page here"),
            Refusal::UnknownMethod => Answer::text(501, "The methods are BREW, POST, GET, HEAD, PROPFIND and WHEN"),
            Refusal::ContentType => Answer::text(
                415,
                "A BREW has the Content-Type application/coffee-pot-command or message/coffeepot; for tea, message/teapot",
            ),
            Refusal::Teapot => Answer::text(418, "I'm short and stout"),
            Refusal::Additions(pot) => Answer::text(406, pot.menu()),
            Refusal::UnsuitableAddition(tea) => Answer::text(403, format!("No {} with that", tea.name)),
            Refusal::Body => Answer::text(400, "The body of a BREW is start or stop"),
        }
    }
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Answer {
        match refused {
            Refused::Busy => Answer::text(406, "Pot is busy"),
            Refused::NoCoffee => Answer::text(503, "There are no beans left"),
            Refused::NothingBrews => Answer::text(409, "Nothing is being brewed"),
            Refused::NoMilkRuns => Answer::text(409, "No milk is being poured"),
            Refused::Log(_) => Answer::text(503, "The pot cannot use its log, and brews nothing that it could not remember"),
        }
    }
}
