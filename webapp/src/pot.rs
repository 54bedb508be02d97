//! The pot at the other end: an [`Ask`] goes out on a connection of its own, an [`Answer`] comes in, within a time
//! limit and a size limit. What the answer means is left to [`crate::handler`].

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use htcpcp::conn::{self, client};
use htcpcp::header::{COFFEE_POT_COMMAND, Field};
use htcpcp::{Command, HOST, Method};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::net::TcpStream;
use tokio::time;

use crate::record::Time;

/// The longest body of an answer, in bytes. A page of the log with every addition in every brew has a quarter of it.
const BODY_LIMIT: usize = 64 * 1024;

/// What is asked of the pot: one HTCPCP request.
///
/// Only names of this program go in. The types say so: whatever a browser sends does not live as long as the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// BREW, usually.
    pub method: &'static str,
    /// The coffee URI.
    pub target: String,
    /// The value of Content-Type, which the lab's requests always have.
    pub content_type: &'static str,
    /// The list of Accept-Additions.
    pub additions: Vec<&'static str>,
    /// The list of Use-Pot.
    pub pots: Vec<&'static str>,
    /// What to do, in the body.
    pub body: Option<Command>,
}

impl Ask {
    /// The request with this method that says nothing else.
    pub fn new(method: &'static str) -> Ask {
        Ask {
            method,
            target: format!("coffee://{HOST}"),
            content_type: COFFEE_POT_COMMAND,
            additions: Vec::new(),
            pots: Vec::new(),
            body: None,
        }
    }

    /// Asks for a page of the log.
    pub fn log(before: Option<u64>, limit: u32) -> Ask {
        let before = before.map(|before| format!("before={before}&")).unwrap_or_default();
        Ask { target: format!("coffee://{HOST}/log?{before}limit={limit}"), ..Ask::new(Method::Get.as_str()) }
    }

    /// Whether asking changes nothing.
    pub fn is_safe(&self) -> bool {
        Method::from_bytes(self.method.as_bytes()).is_some_and(Method::is_safe)
    }

    /// In the order of the lab's fields.
    fn to_request(&self) -> Request<Full<Bytes>> {
        let mut request = client::request(self.method, self.target.as_bytes()).header(header::CONTENT_TYPE, self.content_type);
        for (field, list) in [(Field::AcceptAdditions, &self.additions), (Field::UsePot, &self.pots)] {
            if !list.is_empty() {
                request = request.header(field.as_str(), list.join("; "));
            }
        }
        let body = self.body.map_or("", Command::as_str);
        request.body(Full::from(body)).expect("methods and names of the protocol can be sent")
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

/// What the pot answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The pot's time, if it says so.
    pub date: Option<Time>,
    /// The body.
    pub body: Bytes,
}

/// Where the pot is, and how long it may take.
#[derive(Clone, Debug)]
pub struct Pot {
    /// Host and port.
    pub address: String,
    /// How long an exchange may take, from connecting to the last byte.
    pub time: Duration,
}

impl Pot {
    /// Asks, on a fresh connection, as the lab shows it.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, Error> {
        time::timeout(self.time, self.exchange(ask)).await.unwrap_or(Err(Error::Silent(self.time)))
    }

    async fn exchange(&self, ask: &Ask) -> Result<Answer, Error> {
        let stream = TcpStream::connect(&self.address).await.map_err(Error::Unreachable)?;
        // Only delays: head and body leave in one write. It fails for a connection that is gone, and sending fails then.
        let _ = stream.set_nodelay(true);
        let (head, mut body) = client::send(stream, ask.to_request()).await.map_err(Error::NoAnswer)?.into_parts();
        let bytes = match Limited::new(&mut body, BODY_LIMIT).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Error::TooLong),
            Err(error) => return Err(Error::Broken(error)),
        };
        if body.has_surplus() {
            return Err(Error::Surplus);
        }
        let date = head.headers.get(header::DATE).and_then(|date| Time::parse(date.to_str().ok()?));
        Ok(Answer { status: head.status, date, body: bytes })
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Error {
    /// Nobody listens there.
    Unreachable(io::Error),
    /// It took longer than this.
    Silent(Duration),
    /// What came is no answer.
    NoAnswer(conn::Error),
    /// The answer began, and did not end.
    Broken(Box<dyn std::error::Error + Send + Sync>),
    /// The answer is longer than any that a pot gives.
    TooLong,
    /// More than one answer came.
    Surplus,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreachable(_) => f.write_str("nobody answers there"),
            Error::Silent(time) => write!(f, "no answer within {} s", time.as_secs_f32()),
            Error::NoAnswer(_) => f.write_str("what came is no answer"),
            Error::Broken(_) => f.write_str("the answer broke off"),
            Error::TooLong => write!(f, "the answer is longer than {BODY_LIMIT} bytes"),
            Error::Surplus => f.write_str("more came than one answer"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Unreachable(source) => Some(source),
            Error::NoAnswer(source) => Some(source),
            Error::Broken(source) => Some(&**source),
            Error::Silent(_) | Error::TooLong | Error::Surplus => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of a request, each in a line, and its body.
    #[track_caller]
    fn check(ask: &Ask, expected: &str) {
        let request = ask.to_request();
        let mut shown = String::new();
        for (name, value) in request.headers() {
            shown += &format!("{name}: {}\n", value.to_str().unwrap());
        }
        shown += ask.body.map_or("", Command::as_str);
        assert_eq!(shown, expected);
    }

    #[test]
    fn requests_are_the_labs() {
        let brew = Ask {
            additions: vec!["cream", "oat milk"],
            pots: vec!["ducky", "tea"],
            body: Some(Command::Start),
            ..Ask::new(Method::Brew.as_str())
        };
        check(&brew, "content-type: application/coffee-pot-command\naccept-additions: cream; oat milk\nuse-pot: ducky; tea\nstart");
        check(&Ask::new(Method::Get.as_str()), "content-type: application/coffee-pot-command\n");
    }

    #[test]
    fn the_log_is_asked_for_page_by_page() {
        assert_eq!(Ask::log(None, 20).to_string(), "GET coffee://ducky/log?limit=20");
        assert_eq!(Ask::log(Some(7), 20).to_string(), "GET coffee://ducky/log?before=7&limit=20");
    }

    #[test]
    fn only_get_and_propfind_change_nothing() {
        let safe: Vec<_> =
            ["BREW", "POST", "GET", "PROPFIND", "WHEN", "MILK"].into_iter().filter(|method| Ask::new(method).is_safe()).collect();
        assert_eq!(safe, ["GET", "PROPFIND"]);
    }
}
