//! A stream that notes what crosses it, write by write: what `strace` would show.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What crossed, in both directions.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub read: Arc<Mutex<Vec<u8>>>,
    /// Each write for itself.
    pub written: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Log {
    /// The writes, in order.
    pub fn writes(&self) -> Vec<String> {
        let written = self.written.lock().expect("no test panicked while writing");
        written.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

/// Notes what crosses `stream`.
pub struct Tap<S> {
    pub stream: S,
    pub log: Log,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.log.read.lock().expect("no test panicked").extend_from_slice(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let len = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.log.written.lock().expect("no test panicked").push(bytes[..len].to_vec());
        Poll::Ready(Ok(len))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
