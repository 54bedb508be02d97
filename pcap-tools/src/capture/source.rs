//! Where the bytes come from: a file, a pipe, gzip or zstd of either.
//!
//! In comes a path or any reader, out goes a window of consecutive bytes that grows on demand.
//! A plain file is read by whoever asks: a second thread only moves the bytes to another processor's cache
//! (measured: a tenth slower). A thread of its own decompresses, and reads where the other end may still
//! write, to tell "nothing yet" from "nothing more".
//! Formats are left to the siblings.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};

/// One read's worth: small enough to stay in the processor's cache, large enough to make reads rare.
const PIECE: usize = 256 * 1024;
/// Room before each piece for what was not used up of the one before: nearly always less than a record.
const HEADROOM: usize = 64 * 1024;
/// So many pieces are read ahead.
const AHEAD: usize = 3;

/// How far the reading of a file has come; shared with a progress bar.
#[derive(Clone, Default, Debug)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Bytes read from the file so far, before decompression.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.progress.0.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

enum Input {
    /// Read when bytes are needed.
    Here(Box<dyn Read + Send>),
    /// Read ahead by a thread.
    Ahead { pieces: Receiver<io::Result<Piece>>, used: Sender<Vec<u8>> },
}

/// Whether a reader keeps its caller waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// Never for long.
    Steady,
    /// The other end may be still writing: what comes is handed over at once.
    Live,
}

/// A buffer with `HEADROOM` bytes of room, and then bytes up to `end`.
struct Piece {
    buffer: Vec<u8>,
    end: usize,
}

/// Reads pieces until the input ends or fails, or nobody takes them any more.
fn read_ahead(mut input: impl Read, pieces: &SyncSender<io::Result<Piece>>, used: &Receiver<Vec<u8>>) {
    loop {
        let mut buffer = used.try_recv().unwrap_or_default();
        buffer.resize(HEADROOM + PIECE, 0);
        let piece = match input.read(&mut buffer[HEADROOM..]) {
            Ok(0) => return,
            Ok(count) => Ok(Piece { buffer, end: HEADROOM + count }),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = piece.is_err();
        if pieces.send(piece).is_err() || failed {
            return;
        }
    }
}

impl Input {
    fn ahead(input: impl Read + Send + 'static) -> Self {
        let (full, pieces) = sync_channel(AHEAD);
        let (used, empty) = channel();
        std::thread::spawn(move || read_ahead(input, &full, &empty));
        Self::Ahead { pieces, used }
    }
}

/// What [`Source::fill`] achieved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fill {
    /// At least that many bytes are in the window.
    Enough,
    /// The input ended first.
    End,
    /// A live input has nothing at the moment; the next call waits for it.
    Waiting,
}

/// A window over the (decompressed) bytes.
pub(crate) struct Source {
    input: Input,
    pace: Pace,
    window: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset of `window[start]` from the beginning.
    pub offset: u64,
    /// Why reading stopped, if not at the end.
    pub error: Option<io::Error>,
    announced: bool,
    /// `gzip` or `zstd`, where the input is compressed.
    pub compression: Option<&'static str>,
    /// Size of a regular file, for progress.
    pub total: Option<u64>,
    pub progress: Progress,
}

impl Source {
    /// Opens a file; `-` is standard input.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Self::new(io::stdin(), Pace::Live);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        if !metadata.is_file() {
            return Self::new(file, Pace::Live);
        }
        let progress = Progress::default();
        let mut source = Self::new(Counted { inner: file, progress: progress.clone() }, Pace::Steady)?;
        source.total = Some(metadata.len());
        source.progress = progress;
        Ok(source)
    }

    /// Any reader; what it yields is decompressed if its first bytes ask for that.
    pub fn new(mut input: impl Read + Send + 'static, pace: Pace) -> io::Result<Self> {
        let mut first = Vec::new();
        input.by_ref().take(4).read_to_end(&mut first)?;
        let compression = match first[..] {
            [0x1f, 0x8b, ..] => Some("gzip"),
            [0x28, 0xb5, 0x2f, 0xfd] => Some("zstd"),
            _ => None,
        };
        let whole = Cursor::new(first).chain(input);
        let input = match compression {
            Some("gzip") => Input::ahead(flate2::read::MultiGzDecoder::new(whole)),
            Some(_) => Input::ahead(zstd::stream::read::Decoder::new(whole)?),
            None if pace == Pace::Live => Input::ahead(whole),
            None => Input::Here(Box::new(whole)),
        };
        Ok(Self {
            input,
            pace,
            window: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            error: None,
            announced: false,
            compression,
            total: None,
            progress: Progress::default(),
        })
    }

    /// The bytes in the window.
    pub fn bytes(&self) -> &[u8] {
        &self.window[self.start..self.end]
    }

    /// Takes `count` bytes out of the window, which must hold them.
    pub fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Brings `need` bytes into the window.
    ///
    /// Memory follows the bytes that really arrive, not the number asked for.
    pub fn fill(&mut self, need: usize) -> Fill {
        while self.end - self.start < need {
            if !self.read() {
                return if self.announced { Fill::Waiting } else { Fill::End };
            }
        }
        Fill::Enough
    }

    /// Brings more bytes into the window; false if there are none, or none yet, which is announced once.
    fn read(&mut self) -> bool {
        let Input::Ahead { pieces, .. } = &self.input else { return self.read_here() };
        let next = match pieces.try_recv() {
            Ok(piece) => Some(piece),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) if self.pace == Pace::Live && !self.announced => {
                self.announced = true;
                return false;
            }
            Err(TryRecvError::Empty) => pieces.recv().ok(),
        };
        self.announced = false;
        match next {
            Some(Ok(piece)) => self.take(piece),
            Some(Err(error)) => self.error = Some(error),
            None => return false,
        }
        true
    }

    fn read_here(&mut self) -> bool {
        self.window.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end == self.window.len() {
            self.window.resize((2 * self.end).max(PIECE), 0);
        }
        let Input::Here(input) = &mut self.input else { return false };
        match input.read(&mut self.window[self.end..]) {
            Ok(0) => return false,
            Ok(count) => self.end += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.error = Some(error);
                return false;
            }
        }
        true
    }

    /// Goes on to the next piece: what is left of the window moves into the room before it or, if that is
    /// too much, the piece is added to the window.
    fn take(&mut self, mut piece: Piece) {
        let left = self.end - self.start;
        if left <= HEADROOM {
            let start = HEADROOM - left;
            piece.buffer[start..HEADROOM].copy_from_slice(&self.window[self.start..self.end]);
            std::mem::swap(&mut self.window, &mut piece.buffer);
            (self.start, self.end) = (start, piece.end);
        } else {
            self.window.truncate(self.end);
            self.window.drain(..self.start);
            self.window.extend_from_slice(&piece.buffer[HEADROOM..piece.end]);
            (self.start, self.end) = (0, self.window.len());
        }
        // A buffer that grew for a large record is not kept; if the thread has ended, none is.
        if piece.buffer.capacity() <= 2 * (HEADROOM + PIECE)
            && let Input::Ahead { used, .. } = &self.input
        {
            let _ = used.send(piece.buffer);
        }
    }
}
