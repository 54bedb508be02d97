//! The vocabulary of HTCPCP, said once: methods, coffee URIs, additions, statuses, header fields, bodies and
//! start lines of RFC 2324 (HTCPCP/1.0), RFC 7168 (HTCPCP-TEA) and the lab dialect.
//!
//! Bytes come in and values go out. Nothing here reads a file or a socket, and no input makes it panic.
//! Where a message begins and ends, and what to answer, is left to the crates that speak or watch the protocol.
//! Those that speak it find hyper's HTTP/1 connections, taught the dialect, in `conn`, behind the feature of that name.
//!
//! ```
//! use htcpcp::{Command, CoffeeUri, Method, RequestLine, is_coffee, parse_accept_additions};
//!
//! let (line, oddities) = RequestLine::parse(b"BREW coffee://ducky/pot-1 HTTP/1.1")?;
//! assert_eq!(Method::from_bytes(line.method), Some(Method::Brew));
//! assert!(oddities.is_empty());
//! assert!(is_coffee(&line));
//!
//! let uri = CoffeeUri::parse(line.target).unwrap();
//! assert_eq!(uri.scheme.languages[0].name, "English");
//! assert_eq!((uri.host, uri.pot_number()), (Some(&b"ducky"[..]), Some(1)));
//!
//! let names: Vec<_> = parse_accept_additions(b"cream; vanilla").map(|a| a.name).collect();
//! assert_eq!(names, [&b"cream"[..], b"vanilla"]);
//!
//! assert_eq!(Command::parse(b"start\r\n"), Some(Command::Start));
//! # Ok::<(), htcpcp::NotAStartLine>(())
//! ```

pub mod addition;
pub mod body;
#[cfg(feature = "conn")]
pub mod conn;
pub mod header;
pub mod method;
#[cfg(test)]
mod mutation;
pub mod start_line;
pub mod status;
pub mod uri;

pub use addition::{Addition, Kind, parse_accept_additions};
pub use body::Command;
pub use header::is_coffee_content_type;
pub use method::Method;
pub use start_line::{NotAStartLine, Oddities, Protocol, RequestLine, Sniff, StatusLine, Version, sniff_request, sniff_response};
pub use status::Status;
pub use uri::{CoffeeUri, Scheme, has_coffee_scheme};

/// The TCP port of the lab's coffee pot.
pub const POT_PORT: u16 = 5030;

/// The TCP port of the lab's web app.
pub const WEBAPP_PORT: u16 = 5031;

/// The host name of the lab's pot, as in `coffee://ducky`.
pub const HOST: &str = "ducky";

/// Whether the request line alone shows that the request is HTCPCP: a coffee URI, or an HTCPCP version token.
///
/// `BREW /pot-1 HTTP/1.1` has neither: ask [`Method::is_coffee_only`] and [`is_coffee_content_type`] too.
///
/// Source: RFC 2324 §3; lab dialect.
pub fn is_coffee(request: &RequestLine<'_>) -> bool {
    request.version.protocol != Protocol::Http || has_coffee_scheme(request.target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &[u8], expected: bool) {
        let (request, _) = RequestLine::parse(line).expect("the test gives a request line");
        assert_eq!(is_coffee(&request), expected);
    }

    #[test]
    fn the_request_line_tells_coffee() {
        check(b"BREW coffee://ducky HTTP/1.1", true);
        check(b"GET KAFFEE:/pot-1 HTTP/1.0", true);
        check(b"BREW /pot-1 HTCPCP/1.0", true);
        check(b"BREW / HTCPCP-TEA/1.0", true);
        check(b"BREW /pot-1 HTTP/1.1", false);
        check(b"BREW caffeine://ducky HTTP/1.1", false);
        check(b"GET /coffee:// HTTP/1.1", false);
    }
}
