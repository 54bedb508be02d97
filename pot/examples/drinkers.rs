//! Asks a server the same thing again and again, in raw bytes, and prints how many seconds that took. wrk and its like
//! cannot read HTCPCP.
//!
//! `cargo run --release --example drinkers -- ADDR:PORT http|htcpcp kept|fresh CONNECTIONS REQUESTS`
//!
//! `kept`: all requests of a connection one after the other. `fresh`: a connection for each request, as the lab's web
//! app has it. Every answer has to begin with 200 and to be as long as the first one.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// What is asked, and how often yet.
struct Order {
    address: SocketAddr,
    request: &'static [u8],
    /// How every answer begins.
    begin: &'static [u8],
    is_kept: bool,
    left: Cell<usize>,
    /// The length of the first answer, in bytes.
    answer_len: Cell<Option<usize>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let Some((order, connections)) = read(&args) else {
        eprintln!("usage: drinkers ADDR:PORT http|htcpcp kept|fresh CONNECTIONS REQUESTS");
        std::process::exit(2);
    };
    let (order, tasks) = (Rc::new(order), LocalSet::new());
    let begun = Instant::now();
    for _ in 0..connections {
        let order = Rc::clone(&order);
        tasks.spawn_local(async move { drink(&order).await.expect("the server answers") });
    }
    tasks.await;
    println!("{:.6}", begun.elapsed().as_secs_f64());
    Ok(())
}

fn read(args: &[String]) -> Option<(Order, usize)> {
    let [address, dialect, manner, connections, requests] = args else { return None };
    let (request, begin): (&[u8], &[u8]) = match dialect.as_str() {
        "http" => (b"GET / HTTP/1.1\r\nHost: ducky\r\n\r\n", b"HTTP/1.1 200 "),
        "htcpcp" => (b"GET coffee://ducky HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n\r\n", b"HTCPCP/1.1 200 "),
        _ => return None,
    };
    let is_kept = match manner.as_str() {
        "kept" => true,
        "fresh" => false,
        _ => return None,
    };
    let (address, left) = (address.parse().ok()?, Cell::new(requests.parse().ok()?));
    Some((Order { address, request, begin, is_kept, left, answer_len: Cell::new(None) }, connections.parse().ok()?))
}

async fn drink(order: &Order) -> io::Result<()> {
    let mut stream = TcpStream::connect(order.address).await?;
    stream.set_nodelay(true)?;
    while let Some(left) = order.left.get().checked_sub(1) {
        order.left.set(left);
        ask(order, &mut stream).await?;
        if !order.is_kept && left > 0 {
            stream = TcpStream::connect(order.address).await?;
            stream.set_nodelay(true)?;
        }
    }
    Ok(())
}

async fn ask(order: &Order, stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    stream.write_all(order.request).await?;
    let mut len = stream.read(&mut buffer).await?;
    if order.answer_len.get().is_none() {
        order.answer_len.set(Some(len));
    }
    while order.answer_len.get().is_some_and(|all| len < all) {
        match stream.read(&mut buffer[len..]).await? {
            0 => break,
            more => len += more,
        }
    }
    let is_right = buffer.starts_with(order.begin) && order.answer_len.get() == Some(len);
    if is_right { Ok(()) } else { Err(io::Error::other(format!("an answer of another kind: {}", buffer[..len].escape_ascii()))) }
}
