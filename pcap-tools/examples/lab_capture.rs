//! Writes a small made-up capture of the lab: a browser brews coffee through the web app, then asks for tea.
//!
//! `cargo run -p pcap-tools --example lab_capture -- lab.pcapng`

use std::net::SocketAddr;

use pcap_tools::craft::{self, Conversation, Side};

fn main() -> std::io::Result<()> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "lab.pcapng".into());
    std::fs::write(path, craft::capture(&packets()))
}

/// A browser's request and, inside of it, the exchange with the pot that it causes.
fn chain(client_port: u16, request: &str, coffee: &str, answer: &str, response: &str) -> Vec<Vec<u8>> {
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let mut browser = Conversation::new(at(client_port), at(5031));
    browser.handshake().client(request).ack(Side::Server).server(response).ack(Side::Client).close(Side::Server);
    let mut web_app = Conversation::new(at(client_port + 1), at(5030));
    web_app.handshake().client(coffee).ack(Side::Server).server(answer).ack(Side::Client).close(Side::Server);
    let (before, after) = (&browser.packets()[..5], &browser.packets()[5..]);
    [before, &web_app.packets(), after].concat()
}

fn packets() -> Vec<Vec<u8>> {
    let get =
        |target: &str| format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:5031\r\nAccept: text/html\r\nConnection: keep-alive\r\n\r\n");
    let brew = |pot: &str, additions: &str| {
        format!(
            "BREW coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\nAccept-Additions: {additions}\r\nUse-Pot: {pot}\r\n\r\nstart"
        )
    };
    let ask = "GET coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\r\n";
    let answer = |status: &str, body: &str| {
        format!(
            "HTCPCP/1.1 {status}\r\nServer: CoffeePot\r\nContent-Type: message/coffeepot\r\nDate: Tue, 27 Jun 2023 17:39:59\r\n\r\n{body}"
        )
    };
    let page = |status: &str, fields: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    [
        chain(
            55433,
            &get("/?method=brew&message=start&pots=ducky&additions=cream"),
            &brew("ducky", "cream"),
            &answer("200 OK", ""),
            &page("302 FOUND", "Location: /\r\n", ""),
        ),
        chain(
            55435,
            &get("/"),
            ask,
            &answer("200 OK", "{\"beverage_type\": \"Coffee\", \"additions\": [\"cream\"]}"),
            &page("200 OK", "", "<h1>Your coffee is brewing</h1>"),
        ),
        chain(
            55437,
            &get("/?method=brew&message=start&pots=tea"),
            &brew("tea", ""),
            &answer("418 I'm a teapot", ""),
            &page("418 I'M A TEAPOT", "", "<h1>I'm a teapot</h1>"),
        ),
    ]
    .concat()
}
