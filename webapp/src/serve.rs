//! The server: a bound listener, a site and a shutdown come in; connections are served until the shutdown, and what runs
//! is answered.
//!
//! Connections are those of the pot, `htcpcp::conn::server`: hyper's, with time limits for idle clients and for those
//! that take nothing, and an end that loses no answer. hyper alone has none of these. That such a connection would
//! answer an HTCPCP request in HTCPCP does no harm: it is told 405.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use htcpcp::conn::listen::{self, Accepted, Admission, Closing};
use htcpcp::conn::{Asked, server};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time;

use crate::handler::Site;
use crate::tls::Acceptor;

/// What browsers may take of the site's patience.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many connections there may be, and how long they may go on after the shutdown.
    pub listen: listen::Limits,
    /// Limits of one connection.
    pub connection: server::Options,
    /// How long a TLS handshake may take.
    pub handshake_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            // Each connection has another one to the pot, and most systems allow a process 1,024 files.
            listen: listen::Limits { connections: 256, turned_away: 32, drain_time: Duration::from_secs(10) },
            connection: server::Options::default(),
            handshake_time: Duration::from_secs(10),
        }
    }
}

/// Serves `listener` until `shutdown` resolves and what runs by then is answered; over TLS if there is an acceptor.
///
/// Logs one line an exchange.
pub async fn run(listener: TcpListener, site: Arc<Site>, tls: Option<Acceptor>, limits: Limits, shutdown: impl Future<Output = ()>) {
    let places = limits.listen;
    let limits = Arc::new(limits);
    let serve = |accepted| serve(accepted, Arc::clone(&site), tls.clone(), Arc::clone(&limits));
    let complain = |error: &std::io::Error| tracing::warn!("cannot accept a connection: {error}");
    listen::run(listener, places, shutdown, serve, complain).await;
}

async fn serve(accepted: Accepted, site: Arc<Site>, tls: Option<Acceptor>, limits: Arc<Limits>) {
    let Accepted { stream, peer, admission, closing } = accepted;
    let visit = Visit { site, peer, admission, closing };
    match tls {
        None => visit.serve(stream, &limits.connection).await,
        Some(tls) => match time::timeout(limits.handshake_time, tls.accept(stream)).await {
            Ok(Ok(stream)) => visit.serve(stream, &limits.connection).await,
            Ok(Err(error)) => tracing::info!("no TLS handshake with {peer}: {error}"),
            Err(_) => tracing::info!("no TLS handshake with {peer}: it took too long"),
        },
    }
}

/// One connection of a browser.
struct Visit {
    site: Arc<Site>,
    peer: SocketAddr,
    admission: Admission,
    closing: Closing,
}

impl Visit {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S, options: &server::Options) {
        let Visit { site, peer, admission, closing } = self;
        let handler = |request: Request<Incoming>, asked: Asked| {
            let site = &site;
            async move {
                let begun = Instant::now();
                let response = match admission {
                    Admission::Admitted => site.answer(&request, asked.fault).await,
                    Admission::TurnedAway => site.turn_away(),
                };
                log(&request, &response, peer, begun.elapsed());
                response
            }
        };
        if let Err(error) = server::serve(stream, options, handler, closing.wait()).await {
            tracing::debug!("{} {peer}", htcpcp::conn::chain(&error));
        }
    }
}

fn log(request: &Request<Incoming>, response: &Response<Full<Bytes>>, peer: SocketAddr, time: Duration) {
    let ms = time.as_secs_f64() * 1e3;
    tracing::info!("{} {} → {} {ms:.1} ms {peer}", request.method(), request.uri(), response.status().as_u16());
}
