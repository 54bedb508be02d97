//! What happened in a packet capture: connections, handshakes and request/response pairs.
//!
//! The stages can be used one by one, each handing plain data to the next:
//!
//! 1. [`capture`]: bytes → frames, numbered as Wireshark numbers them
//! 2. [`packet`]: frame → TCP segment
//! 3. [`connection`]: segments → connections and ordered bytes
//! 4. [`message`]: ordered bytes → HTTP and HTCPCP messages
//! 5. [`exchange`]: messages → request/response pairs
//! 6. [`summary`]: all of it over a whole capture
//!
//! [`filter`] is Wireshark's display filters: which frames, and with them which connections and exchanges, are wanted.
//!
//! [`lab`] answers the questions of a networking lab from what a summary finds.
//!
//! [`dissect`] shows frames as Wireshark's dissectors do, those in Lua included.
//!
//! [`diagram`] lays out who said what to whom, and when.
//!
//! [`waterfall`] tells what each exchange was doing when.
//!
//! [`craft`] makes captures by hand, for tests and benchmarks.

pub mod capture;
pub mod connection;
pub mod craft;
pub mod diagram;
pub mod dissect;
pub mod exchange;
pub mod filter;
pub mod finding;
pub mod lab;
pub mod message;
pub mod packet;
mod pieces;
mod random;
pub mod report;
mod spelling;
pub mod summary;
pub mod time;
pub mod waterfall;
