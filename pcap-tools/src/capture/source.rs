//! Where the bytes come from: a file, a pipe, gzip or zstd of either.
//!
//! In comes a path or any reader, out goes a window of consecutive bytes that grows on demand.
//! Formats are left to the siblings.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

/// One read's worth: small enough to stay in the processor's cache, large enough to make reads rare.
const WINDOW: usize = 256 * 1024;
/// What a pipe's thread reads ahead: this many pieces of this size.
const PIECE: usize = 64 * 1024;
const PIECES: usize = 16;

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

/// A pipe, read by a thread of its own, so that the reader can tell "nothing yet" from "nothing more".
struct Pipe {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    used: usize,
}

impl Pipe {
    fn new(mut input: impl Read + Send + 'static) -> Self {
        let (sender, pieces) = sync_channel(PIECES);
        std::thread::spawn(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let message = match input.read(&mut piece) {
                    Ok(0) => return,
                    Ok(count) => {
                        piece.truncate(count);
                        Ok(piece)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = message.is_err();
                if sender.send(message).is_err() || failed {
                    return;
                }
            }
        });
        Self { pieces, piece: Vec::new(), used: 0 }
    }

    /// Whether a read would have to wait for the other end.
    fn would_wait(&mut self) -> bool {
        if self.used < self.piece.len() {
            return false;
        }
        match self.pieces.try_recv() {
            Ok(Ok(piece)) => {
                (self.piece, self.used) = (piece, 0);
                false
            }
            Ok(Err(_)) | Err(TryRecvError::Disconnected) => false,
            Err(TryRecvError::Empty) => true,
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.used == self.piece.len() {
            match self.pieces.recv() {
                Ok(piece) => (self.piece, self.used) = (piece?, 0),
                Err(_) => return Ok(0),
            }
        }
        let count = (&self.piece[self.used..]).read(into)?;
        self.used += count;
        Ok(count)
    }
}

enum Input {
    Steady(Box<dyn Read>),
    Live(Pipe),
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
    window: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset of `window[start]` from the beginning.
    pub offset: u64,
    /// Why reading stopped, if not at the end.
    pub error: Option<io::Error>,
    ended: bool,
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
            return Ok(Self::live(io::stdin()));
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        if !metadata.is_file() {
            return Ok(Self::live(file));
        }
        let progress = Progress::default();
        let counted = Counted { inner: file, progress: progress.clone() };
        let mut source = Self::steady(counted);
        source.total = Some(metadata.len());
        source.progress = progress;
        Ok(source)
    }

    /// Any reader that never makes its caller wait long.
    pub fn steady(input: impl Read + 'static) -> Self {
        Self::with(Input::Steady(Box::new(input)))
    }

    /// A reader that may be still written at its other end.
    pub fn live(input: impl Read + Send + 'static) -> Self {
        Self::with(Input::Live(Pipe::new(input)))
    }

    fn with(input: Input) -> Self {
        Self {
            input,
            window: vec![0; WINDOW],
            start: 0,
            end: 0,
            offset: 0,
            error: None,
            ended: false,
            announced: false,
            compression: None,
            total: None,
            progress: Progress::default(),
        }
    }

    /// Puts a decompressor in front, if the first bytes ask for one.
    pub fn decompress(self) -> io::Result<Self> {
        let compression = match self.bytes() {
            [0x1f, 0x8b, ..] => "gzip",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
            _ => return Ok(self),
        };
        let seen = io::Cursor::new(self.bytes().to_vec());
        let rest: Box<dyn Read> = match self.input {
            Input::Steady(input) => input,
            Input::Live(pipe) => Box::new(pipe),
        };
        let whole = seen.chain(rest);
        let plain: Box<dyn Read> = match compression {
            "gzip" => Box::new(flate2::read::MultiGzDecoder::new(whole)),
            _ => Box::new(zstd::stream::read::Decoder::new(whole)?),
        };
        let mut source = Self::with(Input::Steady(plain));
        source.compression = Some(compression);
        source.total = self.total;
        source.progress = self.progress;
        Ok(source)
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

    /// Reads until the window holds `need` bytes.
    ///
    /// Memory follows the bytes that really arrive, not the number asked for.
    pub fn fill(&mut self, need: usize) -> Fill {
        while self.end - self.start < need {
            if self.ended {
                return Fill::End;
            }
            if let Input::Live(pipe) = &mut self.input
                && !self.announced
                && pipe.would_wait()
            {
                self.announced = true;
                return Fill::Waiting;
            }
            self.announced = false;
            self.make_room();
            let input: &mut dyn Read = match &mut self.input {
                Input::Steady(input) => input,
                Input::Live(pipe) => pipe,
            };
            match input.read(&mut self.window[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error);
                    self.ended = true;
                }
            }
        }
        Fill::Enough
    }

    fn make_room(&mut self) {
        self.window.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.window.len() {
            self.window.resize(2 * self.end, 0);
        }
    }
}
