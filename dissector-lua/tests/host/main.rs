//! The host by itself: what a script may not do.
//!
//! What it shows is held against tshark where it is shown, in `pcap-tools/tests/host`.

mod limits;
