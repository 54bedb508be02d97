//! One exchange with a pot: a request goes out, its answer comes back.
//!
//! The lab's pots take a request in one segment, with Title-Case names, and answer one request on each connection; so
//! connections are not kept, and head and body leave in one write.

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::{Method, Request, Response, Uri};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::dialect::{self, WireHead};
use super::{Dialect, Error, Target};

/// The longest head of an answer, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

/// Begins a request whose target goes out exactly as given: `coffee://ducky`, without a slash that `http::Uri` adds.
///
/// Errors: as the builder's, when the request is built, for a method that is none.
pub fn request<M>(method: M, target: &[u8]) -> http::request::Builder
where
    M: TryInto<Method>,
    M::Error: Into<http::Error>,
{
    Request::builder().method(method).uri(Uri::from_static("/")).extension(Target::new(target.to_vec()))
}

/// Sends one request over a fresh stream and returns its answer as soon as the head is there.
///
/// The request's [`Target`] goes out if it has one, its `Uri` otherwise; no field is added but Content-Length. Status
/// lines of HTTP, HTCPCP and HTCPCP-TEA are read, with line ends of CRLF or LF; the answer's [`Dialect`] is among its
/// extensions. How long all this may take is left to the caller.
///
/// Errors: [`Error::Unsendable`], [`Error::NoAnswer`], [`Error::Connection`].
pub async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Response<Body<S>>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let target = request.extensions().get::<Target>().cloned();
    if let Some(target) = target.as_ref().filter(|target| !dialect::is_sendable(target.as_bytes())) {
        return Err(Error::Unsendable(target.clone()));
    }
    let seen = Arc::new(Seen::default());
    let adapter = Adapter::new(stream, target, seen.clone());
    let (mut sender, mut connection) =
        http1::Builder::new().title_case_headers(true).handshake(adapter).await.map_err(Error::Connection)?;
    let mut answer = pin!(sender.send_request(request));
    let mut is_over = false;
    let answer = std::future::poll_fn(|cx| {
        is_over = is_over || Pin::new(&mut connection).poll(cx).is_ready();
        answer.as_mut().poll(cx)
    })
    .await;
    match (answer, seen.garbage.get()) {
        (Ok(answer), _) => Ok(answer.map(|incoming| Body { incoming, connection, is_over })).map(|mut answer| {
            if let Some(dialect) = seen.dialect.get() {
                answer.extensions_mut().insert(*dialect);
            }
            answer
        }),
        (Err(_), Some(garbage)) => Err(Error::NoAnswer(garbage.clone())),
        (Err(error), None) => Err(Error::Connection(error)),
    }
}

/// The body of an answer. It owns the connection and drives it when it is read: dropping it closes the stream.
///
/// Without a length it ends when the pot closes.
pub struct Body<S: AsyncRead + AsyncWrite + Unpin> {
    incoming: Incoming,
    connection: http1::Connection<Adapter<S>, Full<Bytes>>,
    is_over: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Body<S> {
    /// Whether more has been read than the answer, once it has been read to its end: a pot that answers twice, say.
    pub fn has_surplus(self) -> bool {
        let parts = self.connection.into_parts();
        !parts.read_buf.is_empty() || !parts.io.input.is_empty()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> HttpBody for Body<S> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.incoming).poll_frame(cx);
        if frame.is_ready() {
            return frame;
        }
        // How the connection ended is told by the body, too.
        self.is_over = self.is_over || Pin::new(&mut self.connection).poll(cx).is_ready();
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// What the adapter has seen of the answer.
#[derive(Debug, Default)]
struct Seen {
    dialect: OnceLock<Dialect>,
    /// The first bytes, if they are no status line.
    garbage: OnceLock<Bytes>,
}

/// The stream as hyper sees it.
struct Adapter<S> {
    stream: S,
    seen: Arc<Seen>,
    input: BytesMut,
    reading: Reading,
    /// What stands in the request line, until it has been written.
    target: Option<Target>,
    output: Vec<u8>,
}

/// What is read from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Heads: interim ones, and the answer's.
    Heads,
    /// So many bytes of `input` that have been translated, and then further heads.
    Interim(usize),
    /// Everything as it is.
    Rest,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Adapter<S> {
    fn new(stream: S, target: Option<Target>, seen: Arc<Seen>) -> Self {
        Adapter { stream, seen, input: BytesMut::new(), reading: Reading::Heads, target, output: Vec::new() }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        const READ_LEN: usize = 8 * 1024;
        self.input.reserve(READ_LEN);
        pin!(self.stream.read_buf(&mut self.input)).poll(cx)
    }

    /// Translates the head at the beginning of `input`, as soon as it is there.
    fn translate_head(&mut self) -> Option<Reading> {
        const SHOWN_LEN: usize = 64;
        self.input.advance(dialect::empty_lines_len(&self.input));
        match WireHead::parse(&self.input) {
            Ok(Some(head)) => {
                let rest = self.input.split_off(head.len);
                let wire = self.input.split();
                head.translate(&wire, &mut self.input);
                let http_len = self.input.len();
                self.input.unsplit(rest);
                if head.is_interim {
                    return Some(Reading::Interim(http_len));
                }
                let _ = self.seen.dialect.set(head.dialect);
                Some(Reading::Rest)
            }
            Ok(None) if self.input.len() < HEAD_LIMIT => None,
            Ok(None) => Some(Reading::Rest),
            Err(_) => {
                let shown = self.input.len().min(SHOWN_LEN);
                let _ = self.seen.garbage.set(Bytes::copy_from_slice(&self.input[..shown]));
                Some(Reading::Rest)
            }
        }
    }

    fn poll_write_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let len = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.output))?;
            if len == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.drain(..len);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Read for Adapter<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut cursor: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.reading == Reading::Heads {
            if let Some(reading) = this.translate_head() {
                this.reading = reading;
            } else if ready!(this.poll_fill(cx))? == 0 {
                this.reading = Reading::Rest;
            }
        }
        if this.input.is_empty() {
            ready!(this.poll_fill(cx))?;
        }
        let left = if let Reading::Interim(left) = this.reading { left } else { usize::MAX };
        let len = left.min(this.input.len()).min(cursor.remaining());
        cursor.put_slice(&this.input[..len]);
        this.input.advance(len);
        if let Reading::Interim(left) = &mut this.reading {
            *left -= len;
            if *left == 0 {
                this.reading = Reading::Heads;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Write for Adapter<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_write_output(cx))?;
        let Some(target) = this.target.take() else {
            return Pin::new(&mut this.stream).poll_write(cx, bytes);
        };
        // hyper writes the head and what it has of the body at once.
        let line_len = dialect::put_target(bytes, target.as_bytes(), &mut this.output);
        this.output.extend_from_slice(&bytes[line_len..]);
        match this.poll_write_output(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_write_output(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_write_output(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use tokio::io::AsyncWriteExt;

    /// What a pot writes, once it has been asked; the body that comes of it, and whether there was more.
    async fn check(written: &str, body: &str, has_surplus: bool) {
        let (mut pot, drinker) = tokio::io::duplex(4096);
        let pouring = async {
            pot.read_u8().await.unwrap();
            pot.write_all(written.as_bytes()).await.unwrap();
            pot.shutdown().await.unwrap();
        };
        let drinking = async {
            let request = request("GET", b"coffee://ducky").body(Full::default()).unwrap();
            let mut answer = send(drinker, request).await.unwrap().into_body();
            ((&mut answer).collect().await.unwrap().to_bytes(), answer)
        };
        let ((), (read, answer)) = tokio::join!(pouring, drinking);
        assert_eq!((&*read, answer.has_surplus()), (body.as_bytes(), has_surplus), "{written:?}");
    }

    #[tokio::test]
    async fn a_second_answer_does_not_go_unnoticed() {
        let head = "HTCPCP/1.1 200 OK\r\n";
        let sized = format!("{head}Content-Length: 2\r\n\r\n{{}}");
        let empty = format!("{head}Content-Length: 0\r\n\r\n");
        let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
        for (answer, body) in [(&sized, "{}"), (&empty, ""), (&chunked, "{}")] {
            check(answer, body, false).await;
            check(&format!("{answer}{sized}"), body, true).await;
            check(&format!("{answer}\r\n"), body, true).await;
        }
    }

    #[tokio::test]
    async fn a_body_without_a_length_takes_everything() {
        check("HTCPCP/1.1 200 OK\r\n\r\n{}HTCPCP/1.1 200 OK\r\n\r\n", "{}HTCPCP/1.1 200 OK\r\n\r\n", false).await;
        check("HTCPCP/1.1 200 OK\r\n\r\n", "", false).await;
    }
}
