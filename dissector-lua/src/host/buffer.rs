//! The bytes of the current frame: the frame itself, and what was put together of several or made of it.
//!
//! All of them stand one behind the other in one store, which is emptied for every frame and keeps its room.

use super::value::Span;

/// The largest store: what a script makes of one frame has to fit.
pub const MAX_LEN: usize = 256 << 20;

/// Bytes of one origin.
#[derive(Clone, Debug)]
pub struct Source {
    /// What the tree and the hex dump call them: `Frame`, `Reassembled TCP`; without their length.
    pub name: String,
    place: Span,
}

/// A view of a part of a source: what a dissector is handed.
///
/// All in bytes. `len` of them are there; `reported_len` there would be if nothing had been cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tvb {
    /// Which source.
    pub source: u32,
    /// Where it begins in the source.
    pub offset: u32,
    /// How many bytes are there.
    pub len: u32,
    /// How many bytes there were on the wire.
    pub reported_len: u32,
}

impl Tvb {
    /// The part from `offset` on, which may be beyond what is there.
    pub fn from(self, offset: u32) -> Self {
        let skipped = offset.min(self.len);
        Self { offset: self.offset + skipped, len: self.len - skipped, reported_len: self.reported_len.saturating_sub(offset), ..self }
    }

    /// The part from `offset` on, as far as `len` goes on the wire.
    pub fn part(self, offset: u32, len: u32) -> Self {
        let rest = self.from(offset);
        Self { len: rest.len.min(len), reported_len: rest.reported_len.min(len), ..rest }
    }
}

/// The sources of the current frame.
#[derive(Debug, Default)]
pub struct Buffers {
    store: Vec<u8>,
    sources: Vec<Source>,
}

impl Buffers {
    /// Forgets all sources.
    pub fn clear(&mut self) {
        self.store.clear();
        self.sources.clear();
    }

    /// Adds a source; a view of all of it, `reported_len` bytes long on the wire. None if there is no room.
    pub fn add(&mut self, name: &str, bytes: &[u8], reported_len: u32) -> Option<Tvb> {
        if self.store.len() + bytes.len() > MAX_LEN {
            return None;
        }
        let place = Span { start: self.store.len() as u32, len: bytes.len() as u32 };
        self.store.extend_from_slice(bytes);
        let source = self.sources.len() as u32;
        self.sources.push(Source { name: name.to_owned(), place });
        Some(Tvb { source, offset: 0, len: place.len, reported_len })
    }

    /// All sources, in their order.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The bytes of a source.
    pub fn source(&self, source: u32) -> &[u8] {
        self.sources.get(source as usize).map_or(&[], |source| &self.store[source.place.range()])
    }

    /// The bytes of a view.
    pub fn bytes(&self, tvb: Tvb) -> &[u8] {
        self.place(tvb.source, tvb.offset, tvb.len)
    }

    /// The bytes of a place; fewer if it reaches beyond the source.
    pub fn place(&self, source: u32, offset: u32, len: u32) -> &[u8] {
        let bytes = self.source(source);
        let from = (offset as usize).min(bytes.len());
        let to = (offset as usize + len as usize).min(bytes.len());
        &bytes[from..to]
    }
}
