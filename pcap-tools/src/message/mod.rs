//! Messages: ordered bytes of a connection in, HTTP and HTCPCP messages out.
//!
//! Framing is RFC 9112's; which response belongs to which request is left to
//! [`exchange`](crate::exchange).
//!
//! ```
//! use pcap_tools::message::{Head, Role};
//!
//! let head = Head::parse(b"BREW coffee://ducky HTTP/1.1\r\nUse-Pot: ducky\r\n\r\nstart", Role::Request).unwrap();
//! assert_eq!(head.method(), b"BREW");
//! assert_eq!(head.field("use-pot"), Some(&b"ducky"[..]));
//! ```

mod head;
mod parser;
pub mod tls;

use crate::finding::Kind;
use crate::time::Mark;

pub(crate) use head::{ContentLength, Lengths, Parsed, TransferEncoding};
pub use head::{Head, Oddities, Role, text};
pub use parser::Framing;
pub(crate) use parser::{Begin, Event, Input, Parser};

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// All of it was captured.
    Complete,
    /// It was hit by a gap, or broke the framing: the finding that says so.
    Lost(Kind),
    /// Its connection, or the capture, ended first.
    Unfinished,
}

/// A request or response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Start line and header fields.
    pub head: Head,
    /// The frame that brought its first byte.
    pub first: Mark,
    /// The frame that completed it; the latest one that was seen of it, if nothing did.
    ///
    /// That is the frame with its last missing byte, or with the FIN or RST where the body ends with the
    /// connection. The bodies of HTCPCP servers that send no length are complete with their last byte: the
    /// lab's clients do not wait for the FIN.
    pub last: Mark,
    /// Bytes of the body, without chunk framing.
    pub body_bytes: u64,
    /// The beginning of the body, as far as whoever collects messages asks for it; none of a lost message's.
    pub body: Box<[u8]>,
    /// Bytes of this direction before it.
    pub offset: u64,
    /// Whether all of it is there.
    pub fate: Fate,
    /// What was odd about it.
    pub oddities: Oddities,
}
