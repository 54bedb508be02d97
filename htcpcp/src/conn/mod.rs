//! hyper's HTTP/1 connections, made to speak HTCPCP: a stream comes in, `http` requests and responses go out.
//!
//! hyper refuses `HTCPCP/1.1` and most coffee URIs, and always writes `HTTP/1.1`. So an adapter stands between it
//! and the stream and translates the heads: [`server`] for a pot, [`client`] for those who ask one. Everything
//! else about HTTP/1 (fields, framing, keeping alive) is hyper's; sockets, accepting and answering are the caller's.
//!
//! Whoever wants to see the bytes of the wire wraps the stream before handing it over: the adapter reads and writes
//! nothing else.
//!
//! ```
//! use htcpcp::conn::{Asked, Dialect, client, server};
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use hyper::body::{Bytes, Incoming};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! # runtime.block_on(async {
//! let (pot, drinker) = tokio::io::duplex(1024);
//! let handler = |_: Request<Incoming>, asked: Asked| async move {
//!     assert_eq!(asked.target.as_bytes(), b"coffee://ducky");
//!     Response::new(Full::new(Bytes::from("{}")))
//! };
//! let options = server::Options::default();
//! let serving = server::serve(pot, &options, handler, std::future::pending());
//!
//! let asking = async {
//!     let request = client::request("BREW", b"coffee://ducky").body(Full::new(Bytes::from("start")))?;
//!     let answer = client::send(drinker, request).await?;
//!     assert_eq!(answer.extensions().get(), Some(&Dialect::Htcpcp));
//!     Ok::<_, Box<dyn std::error::Error>>(answer.into_body().collect().await?.to_bytes())
//! };
//!
//! let (served, asked) = tokio::join!(serving, asking);
//! served?;
//! assert_eq!(asked?, "{}");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod alarm;
pub mod client;
mod dialect;
pub mod listen;
pub mod server;

use std::fmt;

use bytes::Bytes;
use http::StatusCode;

/// What a server's handler has to know of a request beside what `http` can say.
///
/// It comes beside the request and not among its extensions: nothing a client sends can get there either, but those are
/// a map on the heap, with a value on the heap for each type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What was asked for.
    pub target: Target,
    /// What the answer will be written in.
    pub dialect: Dialect,
    /// Why there is no request, if there is none: the one beside it is a made-up `GET /`, and its target is there as
    /// far as it was read.
    pub fault: Option<Fault>,
}

/// How an answer's status line begins. A server finds it in [`Asked`], a client among a response's extensions.
///
/// An HTCPCP version token or a target that no HTTP server knows asks for HTCPCP; a path, `*`, a URI of `http` or
/// `https` and the method CONNECT ask for HTTP. So the lab's client, which sends `BREW coffee://ducky HTTP/1.1`, is
/// answered in HTCPCP, and curl in HTTP.
///
/// The number is the one of the request: `HTCPCP/1.0` and `HTCPCP-TEA/1.0` are answered with `HTCPCP/1.0`, because
/// the answer is then framed as HTTP/1.0 frames it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `HTTP/1.1 200 OK`.
    Http,
    /// `HTCPCP/1.1 200 OK`.
    Htcpcp,
}

/// The target of a request exactly as it stands in the request line: a coffee URI, a path, `pot-1`, any bytes.
///
/// A server finds it in [`Asked`]. The request's `Uri` is the same for an ordinary path, and `/` for everything else,
/// because `http::Uri` refuses `coffee:/pot-1`, loses what follows a `#` and takes no byte that is not UTF-8.
///
/// Cost: shares the bytes of the head that was read; no copy.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target(Bytes);

impl Target {
    /// The target made up of `bytes`. Servers need this in tests only.
    pub fn new(bytes: impl Into<Bytes>) -> Target {
        Target(bytes.into())
    }

    /// The bytes as they are on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

impl fmt::Display for Target {
    /// What is not printable ASCII is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_ascii(), f)
    }
}

/// Why there is no request to answer, but a client to tell so.
///
/// The server's handler is called with a made-up `GET /` and finds this in [`Asked`]. It answers what it likes,
/// [`Fault::status`] for example; the connection closes after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The head did not end in time.
    HeadTimeout,
    /// The head is longer than the limit.
    HeadTooLarge,
    /// The client stopped sending in the middle of the head.
    HeadCut,
    /// The first line is no request line: method, target and a version from 1.0 to 1.1, between single spaces.
    RequestLine,
}

impl Fault {
    /// The status that says it.
    ///
    /// Source: RFC 9110 §15.5.1, §15.5.9; RFC 6585 §5.
    pub const fn status(self) -> StatusCode {
        match self {
            Fault::HeadTimeout => StatusCode::REQUEST_TIMEOUT,
            Fault::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Fault::HeadCut | Fault::RequestLine => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Fault::HeadTimeout => "the head of the request did not end in time",
            Fault::HeadTooLarge => "the head of the request is too large",
            Fault::HeadCut => "the head of the request is not complete",
            Fault::RequestLine => "the first line is not a request line",
        })
    }
}

/// Why a connection ended early.
#[derive(Debug)]
pub enum Error {
    /// hyper refused a request before the handler saw it, and told the client so.
    Refused {
        /// What it answered.
        status: StatusCode,
        /// What was asked for.
        target: Target,
        /// What it did not like.
        source: hyper::Error,
    },
    /// The peer took nothing off the connection for too long.
    Stalled,
    /// The target holds bytes that would end it: blanks or control bytes.
    Unsendable(Target),
    /// What came does not begin with a status line. Holds its first bytes.
    NoAnswer(Bytes),
    /// The connection failed, or what came over it is not HTTP/1.
    Connection(hyper::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused { status, target, .. } => write!(f, "the request for {target} was refused with {}", status.as_u16()),
            Error::Stalled => f.write_str("the peer does not read what is sent to it"),
            Error::Unsendable(target) => write!(f, "the target `{target}` cannot stand in a request line"),
            Error::NoAnswer(bytes) => write!(f, "the answer does not begin with a status line but with `{}`", bytes.escape_ascii()),
            Error::Connection(_) => f.write_str("the connection failed"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Refused { source, .. } | Error::Connection(source) => Some(source),
            Error::Stalled | Error::Unsendable(_) | Error::NoAnswer(_) => None,
        }
    }
}

/// An error with its causes, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
