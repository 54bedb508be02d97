//! hyper's connections that speak HTCPCP, from outside: raw bytes go in, raw bytes come out.

mod client;
mod differential;
#[path = "../../src/mutation.rs"]
#[expect(dead_code, reason = "the library's tests need all of it")]
mod mutation;
mod server;
mod shutdown;
mod splits;
mod table;
mod wire;
