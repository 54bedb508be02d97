//! A bare hyper server: what `scripts/benchmark-pot` measures the pot against.
//!
//! It answers everything with the bytes that an idle pot says to a GET in HTTP: the same fields, the same body. hyper
//! writes the Date by itself, and so last. It has no limits, no timers, no log and no HTCPCP.

use std::convert::Infallible;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SERVER};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("Listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.half_close(true).title_case_headers(true).header_read_timeout(None);
            // Clients go away as they like.
            let _ = http.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        });
    }
}

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("CoffeePot"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(HeaderName::from_static("safe"), HeaderValue::from_static("yes"));
    Ok(response)
}
