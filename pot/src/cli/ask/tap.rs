//! A stream that shows what crosses it: bytes pass through unchanged, and each line of them is written to standard
//! error behind `>` (sent) or `<` (received).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The stream.
pub struct Tap<S>(S);

impl<S> Tap<S> {
    /// Shows what crosses `stream`.
    pub fn new(stream: S) -> Tap<S> {
        Tap(stream)
    }
}

/// Shows bytes line by line, with the line ends written out, since they are part of what a student should see.
fn show(arrow: char, bytes: &[u8]) {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        eprintln!("{arrow} {}", super::visible(line));
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.0).poll_read(cx, buffer))?;
        show('<', &buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let len = ready!(Pin::new(&mut self.0).poll_write(cx, bytes))?;
        show('>', &bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
