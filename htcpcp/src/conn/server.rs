//! One connection of a pot: a stream comes in, requests go to the handler and its answers out again.
//!
//! Towards hyper the adapter is a stream that holds one request at a time: the next one is handed over when the
//! answer to the one before has been written. So there is only ever one dialect to answer in, and what surrounds a
//! request (target, dialect, fault) waits in one place for the handler to be called.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body::Body as HttpBody;
use hyper::body::Incoming;
use hyper::rt::ReadBufCursor;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::alarm::{self, Alarm};
use super::dialect::{self, AnswerHead, Body, CLOSE, FAULTY, Follows, Remaining, RequestHead};
use super::{Asked, Dialect, Error, Fault, Target};

/// What a client may demand of a connection.
#[derive(Clone, Debug)]
pub struct Options {
    /// The longest head, in bytes.
    pub head_limit: usize,
    /// How long a head may take, from its first byte.
    pub head_time: Duration,
    /// How long a connection may wait for the first byte of a request.
    pub idle_time: Duration,
    /// How long a command that no length announced may stay behind its head.
    pub grace_time: Duration,
    /// How long the client may take nothing of what is written.
    pub write_time: Duration,
    /// How many bytes a client may still send after the last answer, so that it is not lost to a reset. What comes
    /// then is read and dropped.
    pub drain_limit: usize,
    /// How long a client may take to close after the last answer.
    pub drain_time: Duration,
    /// What is added to the answers that hyper gives by itself, when it refuses a request.
    pub refusal_fields: HeaderMap,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            head_limit: 8 * 1024,
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            grace_time: Duration::from_millis(200),
            write_time: Duration::from_secs(10),
            drain_limit: 1024 * 1024,
            drain_time: Duration::from_secs(2),
            refusal_fields: HeaderMap::new(),
        }
    }
}

/// Serves one connection until it ends, or until `shutdown` resolves and what runs has been answered.
///
/// The handler is given each request with what was [`Asked`], and is called for one request after the other. Its time
/// is its own: it has to bound how long it reads a body.
///
/// After `shutdown`, requests whose heads have been received completely are answered, and nothing more is read.
///
/// Errors: [`Error::Refused`], [`Error::Stalled`], [`Error::Connection`]. A client that goes away between two
/// requests, or stays idle too long, is none.
///
/// Panics: if the tokio runtime has no timer.
pub async fn serve<S, H, F, B>(stream: S, options: &Options, handler: H, shutdown: impl Future<Output = ()>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Fn(Request<Incoming>, Asked) -> F,
    F: Future<Output = Response<B>>,
    B: HttpBody + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let shared = Shared::default();
    let service = service_fn(|request: Request<Incoming>| {
        // Without, hyper has read a request out of what was no head for us: it must not be answered.
        let asked = shared.take_asked().ok_or_else(|| io::Error::other("a request was read that had not been handed over"));
        let answer = asked.map(|asked| handler(request, asked));
        async move {
            let mut answer = answer?.await;
            // hyper panics at versions that it cannot write; this one is fitted to the request's.
            *answer.version_mut() = Version::HTTP_11;
            Ok::<_, io::Error>(answer)
        }
    });
    let mut connection = http1::Builder::new()
        .half_close(true)
        .title_case_headers(true)
        .header_read_timeout(None)
        .max_header_size(options.head_limit + ADDED_LIMIT)
        .serve_connection(Adapter::new(stream, options, &shared), service);
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = shutdown => {
            shared.is_closing.store(true, Ordering::Relaxed);
            (&mut connection).await
        }
    };
    connection.into_parts().io.close(ended).await
}

/// The most that the adapter adds to a head, in bytes.
const ADDED_LIMIT: usize = 64;

/// What passes beside hyper.
#[derive(Debug, Default)]
struct Shared {
    /// Of the request that hyper has been given and the handler has not.
    asked: Mutex<Option<Asked>>,
    is_closing: AtomicBool,
}

impl Shared {
    fn lock_asked(&self) -> MutexGuard<'_, Option<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_asked(&self) -> Option<Asked> {
        self.lock_asked().take()
    }
}

/// The stream as hyper sees it.
struct Adapter<'a, S> {
    stream: S,
    options: &'a Options,
    shared: &'a Shared,

    /// Read from the stream, and not yet looked at by hyper.
    input: BytesMut,
    /// Whether nothing more is to be read from the stream.
    is_input_over: bool,
    /// What hyper reads next, before anything of `input`.
    handed: Bytes,
    /// Where translated heads are made.
    scratch: BytesMut,
    reading: Reading,
    wait: Wait,
    wait_end: Instant,
    read_alarm: Alarm,
    /// hyper, if it reads on before it has answered.
    reader: Option<Waker>,

    /// The request that has been handed over and not been answered.
    exchange: Option<Exchange>,
    remaining: Remaining,
    /// Taken from hyper, and not yet by the stream.
    output: Vec<u8>,
    write_end: Option<Instant>,
    write_alarm: Alarm,
    is_stalled: bool,
    refusal: Option<(StatusCode, Target)>,
}

/// What hyper reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// The next head.
    Head,
    /// So many bytes of a body as they are.
    Body(u64),
    /// The end of the stream.
    End,
}

/// What the client has to send next, and has a limited time for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wait {
    /// Nothing: hyper has something to do.
    None,
    /// The first byte of a head.
    Idle,
    /// The rest of a head.
    Head,
    /// The command behind this head.
    Command(RequestHead),
}

/// A request, as far as its answer depends on it.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    dialect: Dialect,
    is_bodyless: bool,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Adapter<'a, S> {
    fn new(stream: S, options: &'a Options, shared: &'a Shared) -> Self {
        Adapter {
            stream,
            options,
            shared,
            input: BytesMut::new(),
            is_input_over: false,
            handed: Bytes::new(),
            scratch: BytesMut::new(),
            reading: Reading::Head,
            wait: Wait::None,
            wait_end: Instant::now(),
            read_alarm: Alarm::default(),
            reader: None,
            exchange: None,
            remaining: Remaining::Nothing,
            output: Vec::new(),
            write_end: None,
            write_alarm: Alarm::default(),
            is_stalled: false,
            refusal: None,
        }
    }

    /// Reads some bytes of the stream into `input`; 0 at its end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        const READ_LEN: usize = 8 * 1024;
        if self.is_input_over {
            return Poll::Ready(Ok(0));
        }
        self.input.reserve(READ_LEN);
        let len = ready!(pin!(self.stream.read_buf(&mut self.input)).poll(cx))?;
        self.is_input_over = len == 0;
        Poll::Ready(Ok(len))
    }

    /// Ready when there is a head to hand over, or none will come.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.exchange.is_some() {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        loop {
            let wait = self.next_head();
            let has_head = matches!(wait, Wait::None | Wait::Command(_));
            if self.shared.is_closing.load(Ordering::Relaxed) && !has_head {
                self.stop_reading();
                return Poll::Ready(Ok(()));
            }
            if wait == Wait::None {
                return Poll::Ready(Ok(()));
            }
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) => self.give_up(wait, Fault::HeadCut),
                Poll::Ready(Ok(_)) => continue,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.begin_wait(&wait);
                    ready!(self.read_alarm.poll(cx, self.wait_end));
                    self.give_up(wait, Fault::HeadTimeout);
                }
            }
            return Poll::Ready(Ok(()));
        }
    }

    /// Hands over the head at the beginning of `input`, or says what has to be waited for.
    fn next_head(&mut self) -> Wait {
        self.input.advance(dialect::empty_lines_len(&self.input));
        if self.input.is_empty() {
            return Wait::Idle;
        }
        match RequestHead::parse(&self.input, self.options.head_limit) {
            Ok(None) => return Wait::Head,
            Ok(Some(head)) => match head.body {
                Body::Sized(len) => {
                    self.hand_over(&head, b"");
                    self.reading = if len == 0 { Reading::Head } else { Reading::Body(len) };
                }
                Body::Encoded => {
                    // A reader of chunks of our own would have to agree with hyper's to the last byte, or a request
                    // could hide in a body. So hyper reads what follows, and no further request.
                    self.hand_over(&head, CLOSE);
                    self.reading = Reading::Body(u64::MAX);
                }
                Body::Unclear => {
                    self.hand_over(&head, b"");
                    self.reading = Reading::End;
                }
                Body::Command => match Follows::of(&self.input[head.len..]) {
                    Follows::Unsettled => return Wait::Command(head),
                    Follows::Other => self.hand_over(&head, b""),
                    Follows::Command(range) => {
                        let command = range.start + head.len..range.end + head.len;
                        self.hand_over_command(&head, command);
                    }
                },
            },
            Err(fault) => self.hand_over_fault(fault),
        }
        Wait::None
    }

    /// Keeps the end of a wait that has begun already.
    fn begin_wait(&mut self, wait: &Wait) {
        if self.wait == *wait {
            return;
        }
        let time = match wait {
            Wait::None => return,
            Wait::Idle => self.options.idle_time,
            Wait::Head => self.options.head_time,
            Wait::Command(_) => self.options.grace_time,
        };
        self.wait_end = alarm::after(time);
        self.wait = wait.clone();
    }

    /// Goes on without what was waited for.
    fn give_up(&mut self, wait: Wait, fault: Fault) {
        match wait {
            Wait::None => {}
            Wait::Idle => self.stop_reading(),
            Wait::Head => self.hand_over_fault(fault),
            Wait::Command(head) => self.hand_over(&head, b""),
        }
    }

    fn stop_reading(&mut self) {
        self.reading = Reading::End;
        self.is_input_over = true;
    }

    /// Takes the head off `input` and hands it to hyper, with `added` field lines.
    fn hand_over(&mut self, head: &RequestHead, added: &[u8]) {
        let bytes = self.input.split_to(head.len).freeze();
        let target = Target(bytes.slice(head.target.clone()));
        if head.is_ordinary() && added.is_empty() {
            self.handed = bytes;
        } else {
            head.translate(&bytes, added, &mut self.scratch);
            self.handed = self.scratch.split().freeze();
        }
        self.begin_exchange(Asked { target, dialect: head.dialect, fault: None }, head.is_bodyless);
    }

    /// Hands over a head and the command behind it, as the last request: what follows the command was sent by a
    /// client that does not say where its messages end, and must not be taken for a request.
    fn hand_over_command(&mut self, head: &RequestHead, command: std::ops::Range<usize>) {
        let command = Bytes::copy_from_slice(&self.input[command]);
        let added = format!("Content-Length: {}\r\nConnection: close\r\n", command.len());
        debug_assert!(added.len() <= ADDED_LIMIT);
        self.hand_over(head, added.as_bytes());
        self.scratch.extend_from_slice(&self.handed);
        self.scratch.extend_from_slice(&command);
        self.handed = self.scratch.split().freeze();
        self.reading = Reading::End;
    }

    fn hand_over_fault(&mut self, fault: Fault) {
        let (dialect, target) = Dialect::guess(&self.input);
        let target = Target(Bytes::copy_from_slice(&self.input[target]));
        self.handed = Bytes::from_static(FAULTY);
        self.reading = Reading::End;
        self.begin_exchange(Asked { target, dialect, fault: Some(fault) }, false);
    }

    fn begin_exchange(&mut self, asked: Asked, is_bodyless: bool) {
        self.wait = Wait::None;
        self.exchange = Some(Exchange { dialect: asked.dialect, is_bodyless });
        *self.shared.lock_asked() = Some(asked);
    }

    /// Takes a head and what follows it from hyper, translated, so that both leave in one write. Returns how many of
    /// its bytes that were.
    fn take_head(&mut self, bytes: &[u8]) -> usize {
        let Some(exchange) = self.exchange else {
            return self.take_as_it_is(bytes);
        };
        let Some(head) = AnswerHead::parse(bytes, exchange.is_bodyless) else {
            return self.take_as_it_is(bytes);
        };
        let mut added = Vec::new();
        if let Some(asked) = self.shared.take_asked() {
            // The handler has not been called.
            self.refusal = StatusCode::from_u16(head.status).ok().map(|status| (status, asked.target));
            dialect::write_fields(&self.options.refusal_fields, &mut added);
        }
        if self.is_last_answer() && !head.is_interim() && !head.names_connection {
            added.extend_from_slice(CLOSE);
        }
        head.translate(bytes, exchange.dialect, &added, &mut self.output);
        self.remaining = head.remaining;
        let body_len = self.remaining.advance(&bytes[head.len..]);
        self.output.extend_from_slice(&bytes[head.len..head.len + body_len]);
        if !head.is_interim() {
            self.end_exchange();
        }
        head.len + body_len
    }

    /// Whether the connection closes after the answer that runs, and hyper does not know it yet.
    fn is_last_answer(&self) -> bool {
        let has_next = || matches!(RequestHead::parse(&self.input, self.options.head_limit), Ok(Some(_)));
        self.shared.is_closing.load(Ordering::Relaxed) && !has_next()
    }

    /// What is no head, though one was expected: it is hyper's to know what it writes.
    fn take_as_it_is(&mut self, bytes: &[u8]) -> usize {
        self.output.extend_from_slice(bytes);
        self.remaining = Remaining::Everything;
        bytes.len()
    }

    /// Lets the next request in, if the answer is complete.
    fn end_exchange(&mut self) {
        if self.remaining == Remaining::Nothing {
            self.exchange = None;
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
    }

    fn poll_write_stream(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, bytes) {
            self.write_end = None;
            return Poll::Ready(written);
        }
        let end = *self.write_end.get_or_insert_with(|| alarm::after(self.options.write_time));
        ready!(self.write_alarm.poll(cx, end));
        self.is_stalled = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Ready when the stream has taken all of `output`.
    fn poll_write_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut output = std::mem::take(&mut self.output);
        let mut written = 0;
        let result = loop {
            if written == output.len() {
                break Poll::Ready(Ok(()));
            }
            match self.poll_write_stream(cx, &output[written..]) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(len)) => written += len,
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        output.drain(..written);
        self.output = output;
        result
    }

    /// Closes the connection so that the last answer arrives, and says how it ended.
    async fn close(mut self, ended: Result<(), hyper::Error>) -> Result<(), Error> {
        if self.is_stalled {
            return Err(Error::Stalled);
        }
        // What fails here, or is not done in time, is the client's loss: the connection is over in any case.
        let _ = timeout(self.options.drain_time, self.drain()).await;
        ended.map_err(|source| match self.refusal {
            Some((status, target)) => Error::Refused { status, target, source },
            None => Error::Connection(source),
        })
    }

    async fn drain(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.output).await?;
        self.stream.shutdown().await?;
        let mut drained = 0;
        while !self.is_input_over && drained < self.options.drain_limit {
            self.input.clear();
            drained += std::future::poll_fn(|cx| self.poll_fill(cx)).await?;
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Read for Adapter<'_, S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut cursor: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.handed.is_empty() {
                let len = this.handed.len().min(cursor.remaining());
                cursor.put_slice(&this.handed.split_to(len));
                return Poll::Ready(Ok(()));
            }
            match this.reading {
                Reading::End => return Poll::Ready(Ok(())),
                Reading::Head => ready!(this.poll_head(cx))?,
                Reading::Body(_) if this.input.is_empty() => {
                    if ready!(this.poll_fill(cx))? == 0 {
                        this.reading = Reading::End;
                    }
                }
                Reading::Body(left) => {
                    let len = usize::try_from(left).unwrap_or(usize::MAX).min(this.input.len()).min(cursor.remaining());
                    cursor.put_slice(&this.input[..len]);
                    this.input.advance(len);
                    let left = left - len as u64;
                    this.reading = if left == 0 { Reading::Head } else { Reading::Body(left) };
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Write for Adapter<'_, S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_write_output(cx))?;
        if this.remaining == Remaining::Nothing {
            let taken = this.take_head(bytes);
            // What the stream does not take now, it takes when hyper writes or flushes again.
            if let Poll::Ready(Err(error)) = this.poll_write_output(cx) {
                return Poll::Ready(Err(error));
            }
            return Poll::Ready(Ok(taken));
        }
        let mut remaining = this.remaining;
        let len = remaining.advance(bytes);
        let written = ready!(this.poll_write_stream(cx, &bytes[..len]))?;
        this.remaining.advance(&bytes[..written]);
        this.end_exchange();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_write_output(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    /// Leaves the closing to [`Adapter::close`], which hyper does not call after errors and upgrades.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
