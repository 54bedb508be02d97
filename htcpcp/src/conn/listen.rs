//! The accept loop of a server: a bound listener and a shutdown come in, accepted streams go out, each with a
//! place. What is said on a stream is left to whoever takes it.
//!
//! Memory grows with the places only: a connection is accepted when there is a place for it, and waits in the
//! system's queue until then. When all places are taken, a few more connections are let in to be turned away with
//! an answer.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{self, JoinSet};
use tokio::time;

/// How many connections may wait to be accepted. The system may allow fewer.
const QUEUE: u32 = 4096;
/// How long to wait when the system has no file descriptor left, say.
const BREATH: Duration = Duration::from_millis(50);

/// A listener with a long queue.
///
/// That of `TcpListener::bind` has 128 places, and when they are taken Linux makes clients believe in a connection that
/// nobody ever sees: those who wait for the first word then wait for ever.
///
/// Errors: the address cannot be listened on; the message names it.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // So that a server can come back at once. On Windows it can, and the option would let two share a port.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(QUEUE)
    };
    listen().map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

/// Resolves at the first SIGINT or SIGTERM, or Ctrl+C elsewhere. The second one ends the process at once with `exit_code`:
/// the system's own handling is gone for good once these signals are listened to.
///
/// Errors: the system does not let us listen to them.
#[cfg(unix)]
pub fn shutdown_signal(exit_code: u8) -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        either(&mut interrupt, &mut terminate).await;
        tokio::spawn(async move {
            either(&mut interrupt, &mut terminate).await;
            std::process::exit(exit_code.into());
        });
    })
}

/// Resolves at Ctrl+C; the second one ends the process at once with `exit_code`.
///
/// Errors: none here.
#[cfg(not(unix))]
pub fn shutdown_signal(exit_code: u8) -> io::Result<impl Future<Output = ()>> {
    async fn pressed() {
        // Without a signal to wait for, nothing but its end ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    Ok(async move {
        pressed().await;
        tokio::spawn(async move {
            pressed().await;
            std::process::exit(exit_code.into());
        });
    })
}

/// How many connections there may be, and how they end.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many are served at once.
    pub connections: usize,
    /// How many more are let in at once, to be told that there is no place.
    pub turned_away: usize,
    /// How long connections may go on after the shutdown.
    pub drain_time: Duration,
}

/// Whether a connection has a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is to be served.
    Admitted,
    /// It is to be told that there is no place, quickly.
    TurnedAway,
}

/// One accepted connection.
#[derive(Debug)]
pub struct Accepted {
    /// The stream; small writes leave at once (`TCP_NODELAY`).
    pub stream: TcpStream,
    /// Who connected.
    pub peer: SocketAddr,
    /// Whether it has a place.
    pub admission: Admission,
    /// Tells when the server shuts down.
    pub closing: Closing,
}

/// Tells a connection when the server shuts down.
#[derive(Clone, Debug)]
pub struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Returns when the server shuts down.
    pub async fn wait(mut self) {
        let seen = self.0.clone();
        // Not by halves: a notice that was put off for the sake of other tasks would count as asked for.
        let mut notice = pin!(task::unconstrained(self.0.wait_for(|closing| *closing)));
        let mut asked_by: Option<Waker> = None;
        std::future::poll_fn(|cx| {
            // A connection looks here with each request. Asking for the notice takes a lock that all connections share,
            // and once is enough.
            let is_asked_for = asked_by.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            if is_asked_for && matches!(seen.has_changed(), Ok(false)) {
                return Poll::Pending;
            }
            asked_by = Some(cx.waker().clone());
            // An error means that the accept loop is gone, and the server with it.
            notice.as_mut().poll(cx).map(|_| ())
        })
        .await;
    }
}

/// Accepts connections until `shutdown` resolves, then waits for those that there are, up to the drain time.
///
/// `serve` is run as a task for each connection; its place is free again when it ends. `complain` hears of
/// connections that could not be accepted; none of them ends the loop.
pub async fn run<S, F>(listener: TcpListener, limits: Limits, shutdown: impl Future<Output = ()>, serve: S, complain: impl Fn(&io::Error))
where
    S: Fn(Accepted) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (tell, closing) = watch::channel(false);
    let mut tasks = JoinSet::new();
    {
        let accepting = accept(&listener, limits, &mut tasks, closing, serve, complain);
        tokio::pin!(accepting, shutdown);
        tokio::select! {
            () = &mut accepting => {}
            () = &mut shutdown => {}
        }
    }
    drop(listener);
    tell.send_replace(true);
    // Dropping the set ends those who take longer.
    let _ = time::timeout(limits.drain_time, async { while tasks.join_next().await.is_some() {} }).await;
}

async fn accept<S, F>(
    listener: &TcpListener,
    limits: Limits,
    tasks: &mut JoinSet<()>,
    closing: watch::Receiver<bool>,
    serve: S,
    complain: impl Fn(&io::Error),
) where
    S: Fn(Accepted) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let lobby = Arc::new(Semaphore::new(limits.turned_away));
    loop {
        while tasks.try_join_next().is_some() {}
        let mut place = place(&places, &lobby).await;
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                complain(&error);
                time::sleep(BREATH).await;
                continue;
            }
        };
        // A place may have become free while nobody came.
        if place.1 == Admission::TurnedAway
            && let Ok(permit) = Arc::clone(&places).try_acquire_owned()
        {
            place = (permit, Admission::Admitted);
        }
        let (permit, admission) = place;
        // It fails for a connection that is gone already, and whoever reads from it will see that.
        let _ = stream.set_nodelay(true);
        let connection = serve(Accepted { stream, peer, admission, closing: Closing(closing.clone()) });
        tasks.spawn(async move {
            connection.await;
            drop(permit);
        });
    }
}

async fn place(places: &Arc<Semaphore>, lobby: &Arc<Semaphore>) -> (OwnedSemaphorePermit, Admission) {
    tokio::select! {
        biased;
        permit = Arc::clone(places).acquire_owned() => (permit.expect("never closed"), Admission::Admitted),
        permit = Arc::clone(lobby).acquire_owned() => (permit.expect("never closed"), Admission::TurnedAway),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;

    /// Serves `A` or `T` to each connection, and holds those with a place until the shutdown.
    async fn say_admission(accepted: Accepted) {
        let Accepted { mut stream, admission, closing, .. } = accepted;
        let letter: &[u8] = if admission == Admission::Admitted { b"A" } else { b"T" };
        stream.write_all(letter).await.unwrap();
        if admission == Admission::Admitted {
            let mut end = [0];
            tokio::select! {
                () = closing.wait() => {}
                _ = stream.read(&mut end) => {}
            }
        }
    }

    async fn letter(address: SocketAddr) -> (TcpStream, u8) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let letter = stream.read_u8().await.unwrap();
        (stream, letter)
    }

    #[tokio::test]
    async fn who_finds_no_place_is_told_so_and_places_become_free() {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = Limits { connections: 2, turned_away: 1, drain_time: Duration::from_secs(10) };
        let server = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            run(listener, limits, shutdown, say_admission, |error| panic!("{error}")).await;
        });

        let (first, a) = letter(address).await;
        let (_second, b) = letter(address).await;
        let (_third, c) = letter(address).await;
        let (_fourth, d) = letter(address).await;
        assert_eq!([a, b, c, d], *b"AATT");
        drop(first);
        // The place is free when the server has seen the end of the connection, which is soon.
        while letter(address).await.1 != b'A' {}

        stop.send(()).unwrap();
        server.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }
}
