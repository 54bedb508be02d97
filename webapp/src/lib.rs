//! The website of the coffee pot: a browser's requests come in, HTCPCP requests go to the pot, and pages go out.
//!
//! ```text
//! serve ─▶ handler ─▶ route      what the browser asks for
//!             ├─────▶ pot        what the pot answers to it ─▶ record (what is brewed)
//!             ├─────▶ page       how it looks
//!             └─────▶ asset      files inside the program
//! ```
//!
//! Nothing a browser sends is passed on: [`route`] reads it into names that are already known here, and only those are
//! put into a request to the pot. Connections are `htcpcp::conn`'s.

pub mod asset;
pub mod handler;
pub mod page;
pub mod pot;
pub mod record;
pub mod route;
pub mod serve;
pub mod tls;
