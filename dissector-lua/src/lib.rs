//! The Wireshark dissector of HTCPCP: written from the protocol's vocabulary, put where Wireshark finds it, and run here.
//!
//! - [`generate`]: the vocabulary of `htcpcp` → `htcpcp.lua` and `FIELDS.md`, as text
//! - [`install`]: that text → the personal folders of Wireshark, on Linux, macOS and Windows
//! - [`host`]: Wireshark's Lua API without Wireshark

pub mod generate;
pub mod host;
pub mod install;

/// The dissector of HTCPCP as it is committed, `htcpcp.lua`: what [`generate`] writes, and what [`host`] can run.
pub const HTCPCP: &str = include_str!("../htcpcp.lua");
