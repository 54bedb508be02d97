//! The coffee pot: requests come in over HTCPCP (RFC 2324, RFC 7168) or HTTP, coffee and tea go out, and every brew
//! stays in a log. The connections themselves are `htcpcp::conn`'s.
//!
//! ```text
//! serve ─▶ handler ─▶ order      what is asked
//!             │  └──▶ kitchen    what becomes of it ─▶ brew (state machine), store (the log)
//!             └─────▶ answer     how it is said
//! ```

pub mod answer;
pub mod brew;
pub mod clock;
pub mod handler;
pub mod kitchen;
pub mod menu;
pub mod order;
pub mod record;
pub mod serve;
pub mod store;
