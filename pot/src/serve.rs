//! The server: a bound listener, a kitchen and a shutdown come in; connections are served until the shutdown, and what
//! runs is answered.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use htcpcp::conn::listen::{self, Accepted, Admission};
use htcpcp::conn::{self, Asked, Dialect, server};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::net::TcpListener;

use crate::answer::Answer;
use crate::handler;
use crate::kitchen::Kitchen;

/// What clients may take of the pot's patience.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many connections there may be, and how long they may go on after the shutdown.
    pub listen: listen::Limits,
    /// Limits of one connection.
    pub connection: server::Options,
    /// How long a body may take.
    pub body_time: Duration,
}

/// How long those who find no place may take for a head: a place in the lobby is for those who want to know.
const HURRY: Duration = Duration::from_secs(1);

/// Serves `listener` until `shutdown` resolves and what runs by then is answered.
///
/// Logs one line an exchange.
pub async fn run(listener: TcpListener, kitchen: Arc<Kitchen>, limits: Limits, shutdown: impl Future<Output = ()>) {
    let listen = limits.listen;
    let hurried = server::Options { head_time: HURRY, idle_time: HURRY, drain_time: HURRY, ..limits.connection.clone() };
    let (options, hurried, body_time) = (Arc::new(limits.connection), Arc::new(hurried), limits.body_time);
    let serve = |accepted: Accepted| {
        let options = if accepted.admission == Admission::Admitted { &options } else { &hurried };
        serve(accepted, Arc::clone(&kitchen), Arc::clone(options), body_time)
    };
    let complain = |error: &std::io::Error| tracing::warn!("cannot accept a connection: {error}");
    tokio::select! {
        () = listen::run(listener, listen, shutdown, serve, complain) => {}
        () = kitchen.keep_time() => {}
    }
    if let Err(error) = kitchen.close() {
        tracing::error!("what was under way is not in the log as lost: {error:?}");
    }
}

async fn serve(accepted: Accepted, kitchen: Arc<Kitchen>, options: Arc<server::Options>, body_time: Duration) {
    let Accepted { stream, peer, admission, closing } = accepted;
    let handler = |request: Request<Incoming>, asked: Asked| {
        let kitchen = &kitchen;
        async move {
            let line = tracing::enabled!(tracing::Level::INFO).then(|| Line::begin(&request, &asked));
            let response = match admission {
                Admission::Admitted => handler::answer(kitchen, body_time, request, asked).await,
                Admission::TurnedAway => no_place(kitchen, &request, asked.dialect),
            };
            if let Some(line) = line {
                line.end(peer, &response);
            }
            response
        }
    };
    if let Err(error) = server::serve(stream, &options, handler, closing.wait()).await {
        match error {
            conn::Error::Refused { .. } => tracing::info!("{} {peer}", conn::chain(&error)),
            _ => tracing::debug!("{} {peer}", conn::chain(&error)),
        }
    }
}

fn no_place(kitchen: &Kitchen, request: &Request<Incoming>, dialect: Dialect) -> Response<Full<Bytes>> {
    Answer::last(503, "All places at the pot are taken; try again").write(request.method(), dialect, kitchen.clock())
}

/// A line of the log.
struct Line {
    request: String,
    begun: Instant,
}

impl Line {
    fn begin(request: &Request<Incoming>, asked: &Asked) -> Line {
        Line { request: format!("{} {}", request.method(), asked.target), begun: Instant::now() }
    }

    fn end(self, peer: SocketAddr, response: &Response<Full<Bytes>>) {
        let ms = self.begun.elapsed().as_secs_f64() * 1e3;
        tracing::info!("{} → {} {ms:.1} ms {peer}", self.request, response.status().as_u16());
    }
}
