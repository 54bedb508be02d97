//! The Wireshark dissector of HTCPCP: written from the protocol's vocabulary, and put where Wireshark finds it.
//!
//! - [`generate`]: the vocabulary of `htcpcp` → `htcpcp.lua` and `FIELDS.md`, as text
//! - [`install`]: that text → the personal folders of Wireshark, on Linux, macOS and Windows

pub mod generate;
pub mod install;
