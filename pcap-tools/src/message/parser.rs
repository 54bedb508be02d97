//! Messages of one direction: ordered bytes and gaps in, heads and ends of messages out.
//!
//! The parser finds where messages begin and end; how a body is framed is told by its owner, who knows the
//! request that a response belongs to. Bodies are counted, not kept.
//! Source: RFC 9112 §6, §7.

use htcpcp::{Command, Sniff, sniff_request, sniff_response};
use memchr::{memchr, memmem};

use super::head::{self, MAX_HEAD, Parsed, Role, Strict, Until};
use crate::connection::{Chunk, End, EndKind};
use crate::finding::Kind;
use crate::time::Mark;

/// Trailers beyond this are no trailers.
const MAX_TRAILERS: usize = 64 << 10;

/// How a body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// There is none, or it has this many bytes.
    Length(u64),
    /// It comes in chunks.
    Chunked,
    /// It ends with the connection.
    UntilClose,
    /// As above, of an HTCPCP server: complete with its last byte, since the lab's clients do not wait for
    /// the FIN, and a pot that keeps the connection may send its next answer.
    UntilCloseCoffee,
    /// `start` or `stop` may follow without a length: the lab's BREW.
    Legacy,
    /// Nobody can tell.
    Unknown,
    /// What follows is not HTTP any more.
    Tunnel,
}

/// Where a message begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Begin {
    /// The frame of its first byte.
    pub mark: Mark,
    /// Bytes of this direction before it.
    pub offset: u64,
    /// Bytes of the other direction that its sender had received.
    pub acked: Option<i64>,
}

/// What the parser found.
#[derive(Debug)]
pub(crate) enum Event {
    /// A head; [`Parser::frame`] must be called before the next event is asked for.
    Head { begin: Begin, parsed: Parsed },
    /// The message is complete.
    Complete { body_bytes: u64, mark: Mark },
    /// The message is not complete and never will be; its head may not have been seen.
    Lost { why: Kind, body_bytes: u64, begin: Begin },
    /// These bytes belong to no message, for the first time since one.
    Stray { mark: Mark, offset: u64 },
}

/// A head, or what may become one, over several segments.
#[derive(Debug)]
struct Partial {
    bytes: Vec<u8>,
    /// No blank line begins before here.
    scanned: usize,
    /// At this length it is looked at again, even without a line end.
    look_at: usize,
}

#[derive(Debug)]
enum State {
    /// Between messages.
    Start,
    Head(Box<Partial>),
    /// The head was handed out, and the owner has not framed the body yet.
    Framing,
    Length(u64),
    Chunked(Chunked),
    UntilClose {
        coffee: bool,
    },
    Legacy(Vec<u8>),
    /// Looking for the next start line.
    Searching,
    /// Not HTTP.
    Opaque,
}

/// Where in a chunked body (RFC 9112 §7.1).
#[derive(Clone, Copy, Debug)]
enum Chunked {
    Size {
        value: u64,
        digits: u8,
        extension: bool,
    },
    Data(u64),
    /// Behind a chunk's data; whether a CR was seen.
    DataEnd(bool),
    Trailer {
        line: usize,
        total: usize,
    },
}

impl Chunked {
    const BEGIN: Self = Self::Size { value: 0, digits: 0, extension: false };
}

/// Finds the messages of one direction.
#[derive(Debug)]
pub(crate) struct Parser {
    state: State,
    begin: Begin,
    /// The latest frame that brought a byte of the message at hand.
    mark: Mark,
    body_bytes: u64,
    /// The message at hand was hit by a gap, but its end is known.
    lost: bool,
    /// Empty lines before the message.
    leading: bool,
    /// A message was found in this direction.
    found: bool,
    /// Stray bytes were reported since the last message.
    strayed: bool,
    /// The body at hand, as far as it is asked for.
    kept: Vec<u8>,
    /// Bytes of a body that are asked for.
    pub keep: usize,
    pub role: Option<Role>,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            state: State::Start,
            begin: Begin { mark: Mark::NONE, offset: 0, acked: None },
            mark: Mark::NONE,
            body_bytes: 0,
            lost: false,
            leading: false,
            found: false,
            strayed: false,
            kept: Vec::new(),
            keep: 0,
            role: None,
        }
    }
}

/// The rest of a chunk.
pub(crate) struct Input<'a> {
    chunk: Chunk<'a>,
    used: usize,
}

impl<'a> Input<'a> {
    pub fn new(chunk: Chunk<'a>) -> Self {
        Self { chunk, used: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        &self.chunk.bytes[self.used..]
    }

    fn begin(&self) -> Begin {
        Begin { mark: self.chunk.mark, offset: self.chunk.offset + self.used as u64, acked: self.chunk.acked }
    }
}

impl Parser {
    /// Whether this direction was seen to carry messages.
    pub fn found(&self) -> bool {
        self.found
    }

    /// Whether a body is at hand whose end will be recognised.
    pub fn in_body(&self) -> bool {
        matches!(self.state, State::Length(_) | State::UntilClose { .. })
    }

    /// Whether a body is at hand that may be complete already: only the end of the connection or the next message
    /// would tell.
    pub fn may_be_complete(&self) -> bool {
        matches!(self.state, State::UntilClose { coffee: true } | State::Legacy(_))
    }

    /// The beginning of the last body, if it was asked for.
    pub fn take_body(&mut self) -> Box<[u8]> {
        std::mem::take(&mut self.kept).into_boxed_slice()
    }

    #[cold]
    fn keep(&mut self, bytes: &[u8]) {
        let room = self.keep.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Whether the beginning of the next message is known.
    pub fn in_step(&self) -> bool {
        !matches!(self.state, State::Searching)
    }

    /// Stops reading: what follows is not HTTP.
    pub fn stop(&mut self) {
        self.state = State::Opaque;
    }

    /// The next event in `input`, or `None` when all of it is used.
    ///
    /// `more_expected`: whether another message of this direction is waited for.
    pub fn next(&mut self, input: &mut Input<'_>, more_expected: bool) -> Option<Event> {
        while input.used < input.chunk.bytes.len() {
            let event = match &mut self.state {
                State::Opaque => {
                    input.used = input.chunk.bytes.len();
                    None
                }
                State::Start => self.start(input),
                State::Head(_) => self.continue_head(input),
                State::Framing => unreachable!("the owner frames a head before it goes on"),
                State::Length(left) => {
                    let step = (*left).min(input.rest().len() as u64);
                    *left -= step;
                    let done = *left == 0;
                    self.body(input, step as usize);
                    done.then(|| self.complete())
                }
                State::Chunked(_) => self.chunked(input),
                State::UntilClose { coffee } => {
                    if *coffee && input.used == 0 && more_expected && sniff_response(input.rest()) == Sniff::Yes {
                        Some(self.complete())
                    } else {
                        self.body(input, input.rest().len());
                        None
                    }
                }
                State::Legacy(_) => self.legacy(input),
                State::Searching => {
                    self.search(input);
                    None
                }
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Says how the body behind the last head ends; returns the end if there is nothing to wait for.
    pub fn frame(&mut self, framing: Framing) -> Option<Event> {
        debug_assert!(matches!(self.state, State::Framing), "a head was handed out");
        self.lost = false;
        self.state = match framing {
            Framing::Length(0) => return Some(self.complete()),
            Framing::Length(bytes) => State::Length(bytes),
            Framing::Chunked => State::Chunked(Chunked::BEGIN),
            Framing::UntilClose => State::UntilClose { coffee: false },
            Framing::UntilCloseCoffee => State::UntilClose { coffee: true },
            Framing::Legacy => State::Legacy(Vec::new()),
            Framing::Unknown => {
                let event = self.complete();
                self.state = State::Searching;
                return Some(event);
            }
            Framing::Tunnel => {
                let event = self.complete();
                self.state = State::Opaque;
                return Some(event);
            }
        };
        None
    }

    /// The other direction has answered: what might have followed without a length does not.
    pub fn settle(&mut self) -> Option<Event> {
        matches!(self.state, State::Legacy(_)).then(|| self.complete())
    }

    /// Bytes were never captured.
    pub fn gap(&mut self, len: u64) -> Option<Event> {
        let tentative = !self.found && self.tentative();
        match &mut self.state {
            State::Opaque | State::Searching | State::Framing => None,
            State::Start => {
                self.state = State::Searching;
                None
            }
            State::Head(_) if tentative => {
                self.state = State::Searching;
                None
            }
            State::Length(left) if len <= *left => {
                *left -= len;
                self.lost = true;
                if *left == 0 { Some(self.complete()) } else { None }
            }
            State::UntilClose { .. } => {
                self.lost = true;
                None
            }
            State::Legacy(_) => {
                let event = self.complete();
                self.state = State::Searching;
                Some(event)
            }
            State::Head(_) | State::Length(_) | State::Chunked(_) => Some(self.lose(Kind::Gap)),
        }
    }

    /// The capture kept no more of this segment: its last `len` bytes are unknown but were there.
    pub fn cut(&mut self, input: &Input<'_>) -> Option<Event> {
        let len = u64::from(input.chunk.cut);
        if len == 0 {
            return None;
        }
        match &mut self.state {
            State::Opaque | State::Searching | State::Framing => None,
            State::Start => {
                self.state = State::Searching;
                None
            }
            State::Head(partial) => {
                let whole_lines = memchr::memrchr(b'\n', &partial.bytes).map_or(0, |at| at + 1);
                let parsed = self.role.and_then(|role| head::parse(&partial.bytes[..whole_lines], role, Until::LastLine));
                match parsed {
                    Some(mut parsed) => {
                        parsed.oddities.add(Kind::CutHead);
                        self.found = true;
                        self.state = State::Framing;
                        Some(Event::Head { begin: self.begin, parsed })
                    }
                    None if self.found => Some(self.lose(Kind::CutHead)),
                    None => {
                        self.state = State::Searching;
                        None
                    }
                }
            }
            State::Length(left) => {
                let known = len.min(*left);
                *left -= known;
                self.body_bytes += known;
                if *left > 0 {
                    return None;
                }
                let event = self.complete();
                if known < len {
                    self.state = State::Searching;
                }
                Some(event)
            }
            State::Chunked(Chunked::Data(left)) if len <= *left => {
                *left -= len;
                self.body_bytes += len;
                if *left == 0 {
                    self.state = State::Chunked(Chunked::DataEnd(false));
                }
                None
            }
            State::Chunked(_) => Some(self.lose(Kind::LostMessage)),
            State::UntilClose { .. } => {
                self.body_bytes += len;
                None
            }
            State::Legacy(_) => {
                self.body_bytes += len;
                let event = self.complete();
                self.state = State::Searching;
                Some(event)
            }
        }
    }

    /// The direction has ended.
    pub fn end(&mut self, end: End) -> Option<Event> {
        let event = match &self.state {
            State::UntilClose { coffee: true } => Some(self.complete()),
            State::UntilClose { .. } if end.kind != EndKind::Unseen => {
                self.mark = self.mark.max(end.mark);
                Some(self.complete())
            }
            State::Legacy(_) => Some(self.complete()),
            State::Head(_) if !self.tentative() || self.found => Some(self.lose(Kind::UnfinishedMessage)),
            State::UntilClose { .. } | State::Length(_) | State::Chunked(_) => Some(self.lose(Kind::UnfinishedMessage)),
            State::Start | State::Head(_) | State::Framing | State::Searching | State::Opaque => None,
        };
        self.state = State::Opaque;
        event
    }

    /// Whether the head at hand has no start line yet.
    fn tentative(&self) -> bool {
        matches!(&self.state, State::Head(partial) if memchr(b'\n', &partial.bytes).is_none())
    }

    fn body(&mut self, input: &mut Input<'_>, count: usize) {
        if self.keep > 0 {
            self.keep(&input.rest()[..count]);
        }
        input.used += count;
        self.body_bytes += count as u64;
        self.mark = self.mark.max(input.chunk.mark);
    }

    fn complete(&mut self) -> Event {
        self.state = State::Start;
        if self.lost {
            return Event::Lost { why: Kind::Gap, body_bytes: self.body_bytes, begin: self.begin };
        }
        Event::Complete { body_bytes: self.body_bytes, mark: self.mark }
    }

    fn lose(&mut self, why: Kind) -> Event {
        self.state = State::Searching;
        Event::Lost { why, body_bytes: self.body_bytes, begin: self.begin }
    }

    /// Between messages: empty lines, then a start line.
    fn start(&mut self, input: &mut Input<'_>) -> Option<Event> {
        while let [b'\r' | b'\n', ..] = input.rest() {
            input.used += 1;
            self.leading = true;
        }
        let rest = input.rest();
        if rest.is_empty() {
            return None;
        }
        self.begin = input.begin();
        self.mark = input.chunk.mark;
        self.body_bytes = 0;
        self.kept.clear();
        // Most heads come whole.
        if let Some(parsed) = self.parse(&rest[..rest.len().min(MAX_HEAD)]) {
            input.used += parsed.head.bytes().len();
            return Some(self.hand_out(parsed));
        }
        match self.sniff(rest) {
            Sniff::No => self.stray(input),
            Sniff::Yes | Sniff::More => {
                self.state = State::Head(Box::new(Partial { bytes: Vec::new(), scanned: 0, look_at: 0 }));
                self.continue_head(input)
            }
        }
    }

    fn continue_head(&mut self, input: &mut Input<'_>) -> Option<Event> {
        let State::Head(partial) = &mut self.state else { unreachable!("a head is at hand") };
        let before = partial.bytes.len();
        let rest = input.rest();
        let taken = &rest[..rest.len().min(MAX_HEAD + 4 - before)];
        partial.bytes.extend_from_slice(taken);
        let line_end = memchr(b'\n', taken).is_some();
        let scanned = std::mem::replace(&mut partial.scanned, partial.bytes.len().saturating_sub(2));
        let look = line_end || partial.bytes.len() >= partial.look_at;
        if look {
            partial.look_at = 2 * partial.bytes.len();
        }
        self.mark = self.mark.max(input.chunk.mark);
        if let Some(len) = head::length(&partial.bytes, scanned) {
            let bytes = std::mem::take(&mut partial.bytes);
            let Some(parsed) = self.parse(&bytes[..len]) else {
                return self.stray_before(input, before);
            };
            input.used += len - before;
            return Some(self.hand_out(parsed));
        }
        if partial.bytes.len() > MAX_HEAD {
            input.used += taken.len();
            return Some(self.lose(Kind::LongHead));
        }
        // The first line decides whether it is a head at all; later ones need not be looked at.
        if look && memchr(b'\n', &partial.bytes[..before]).is_none() {
            let bytes = std::mem::take(&mut partial.bytes);
            let verdict = self.sniff(&bytes);
            if verdict == Sniff::No {
                return self.stray_before(input, before);
            }
            if self.role.is_none() && verdict == Sniff::Yes {
                self.role = Some(self.role_of(&bytes));
            }
            let State::Head(partial) = &mut self.state else { unreachable!("a head is at hand") };
            partial.bytes = bytes;
        }
        input.used += taken.len();
        None
    }

    fn parse(&mut self, bytes: &[u8]) -> Option<Parsed> {
        let mut parsed = head::parse(bytes, self.role_of(bytes), Until::BlankLine)?;
        if std::mem::take(&mut self.leading) {
            parsed.oddities.add(Kind::LeadingCrlf);
        }
        Some(parsed)
    }

    fn hand_out(&mut self, parsed: Parsed) -> Event {
        self.found = true;
        self.strayed = false;
        self.state = State::Framing;
        Event::Head { begin: self.begin, parsed }
    }

    /// What these bytes would begin: told by the connection, or by how a status line begins.
    fn role_of(&self, bytes: &[u8]) -> Role {
        self.role.unwrap_or_else(|| {
            let response = bytes.starts_with(b"HTTP/") || bytes.starts_with(b"HTCPCP");
            if response { Role::Response } else { Role::Request }
        })
    }

    fn sniff(&self, bytes: &[u8]) -> Sniff {
        match self.role {
            Some(Role::Request) => sniff_request(bytes),
            Some(Role::Response) => sniff_response(bytes),
            None => match (sniff_response(bytes), sniff_request(bytes)) {
                (Sniff::No, request) => request,
                (response, _) => response,
            },
        }
    }

    /// These bytes begin no message; the search takes segments from their beginnings, so that the rest of
    /// this one is passed over.
    fn stray(&mut self, input: &mut Input<'_>) -> Option<Event> {
        let begin = input.begin();
        input.used = input.chunk.bytes.len();
        self.report_stray(begin)
    }

    /// What was held of earlier segments does not go on as a message: this segment may begin one.
    fn stray_before(&mut self, input: &mut Input<'_>, held: usize) -> Option<Event> {
        if held == 0 { self.stray(input) } else { self.report_stray(self.begin) }
    }

    fn report_stray(&mut self, begin: Begin) -> Option<Event> {
        self.state = State::Searching;
        self.leading = false;
        (!std::mem::replace(&mut self.strayed, true)).then_some(Event::Stray { mark: begin.mark, offset: begin.offset })
    }

    /// Looks for a start line: at the beginning of a segment or, on a connection that is known to speak
    /// HTTP, for a whole head inside of one.
    fn search(&mut self, input: &mut Input<'_>) {
        let rest = input.rest();
        if input.used == 0 && self.is_plausible(rest) {
            self.state = State::Start;
            return;
        }
        let begin = if self.found { self.inside(rest) } else { None };
        match begin {
            Some(at) => {
                input.used += at;
                self.state = State::Start;
            }
            None => input.used = input.chunk.bytes.len(),
        }
    }

    /// Whether a segment behind something lost begins a message.
    ///
    /// The rest of a lost body often looks like the beginning of a method, and would swallow the next request's.
    fn is_plausible(&self, bytes: &[u8]) -> bool {
        match self.sniff(bytes) {
            Sniff::Yes => true,
            Sniff::More => {
                self.role == Some(Role::Response) || {
                    let method = bytes.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
                    method.iter().all(u8::is_ascii_uppercase)
                }
            }
            Sniff::No => false,
        }
    }

    /// Where in these bytes a whole, strictly formed head begins.
    fn inside(&self, bytes: &[u8]) -> Option<usize> {
        let role = self.role?;
        let strict = |candidates: &mut dyn Iterator<Item = usize>| {
            let mut from = 0;
            for at in candidates {
                if at < from {
                    continue;
                }
                match head::strict(&bytes[at..], role) {
                    Strict::Head => return Some(at),
                    Strict::No { resume } => from = at + resume,
                    Strict::Unfinished => return None,
                }
            }
            None
        };
        match role {
            Role::Response => {
                [&b"HTTP/1."[..], b"HTCPCP"].into_iter().find_map(|name| strict(&mut memmem::find_iter(bytes, name).take(64)))
            }
            Role::Request => strict(
                &mut memchr::memchr_iter(b'\n', bytes).take(1024).map(|at| at + 1).filter(|&at| sniff_request(&bytes[at..]) == Sniff::Yes),
            ),
        }
    }

    fn chunked(&mut self, input: &mut Input<'_>) -> Option<Event> {
        let State::Chunked(mut place) = self.state else { unreachable!("a chunked body is at hand") };
        self.mark = self.mark.max(input.chunk.mark);
        while let [byte, ..] = *input.rest() {
            match &mut place {
                Chunked::Data(left) => {
                    let step = (*left).min(input.rest().len() as u64);
                    *left -= step;
                    let done = *left == 0;
                    if self.keep > 0 {
                        self.keep(&input.rest()[..step as usize]);
                    }
                    input.used += step as usize;
                    self.body_bytes += step;
                    if done {
                        place = Chunked::DataEnd(false);
                    }
                    continue;
                }
                Chunked::Size { value, digits, extension } => match byte {
                    b'\n' if *digits == 0 => return Some(self.lose(Kind::BadChunk)),
                    b'\n' if *value == 0 => place = Chunked::Trailer { line: 0, total: 0 },
                    b'\n' => place = Chunked::Data(*value),
                    _ if *extension => {}
                    b';' | b' ' | b'\t' | b'\r' if *digits > 0 => *extension = true,
                    _ => match (byte as char).to_digit(16) {
                        Some(digit) if *digits < 16 => {
                            *value = *value << 4 | u64::from(digit);
                            *digits += 1;
                        }
                        _ => return Some(self.lose(Kind::BadChunk)),
                    },
                },
                Chunked::DataEnd(cr) => match byte {
                    b'\r' if !*cr => *cr = true,
                    b'\n' => place = Chunked::BEGIN,
                    _ => return Some(self.lose(Kind::BadChunk)),
                },
                Chunked::Trailer { line, total } => match byte {
                    b'\n' if *line == 0 => {
                        input.used += 1;
                        return Some(self.complete());
                    }
                    b'\n' => *line = 0,
                    b'\r' => {}
                    _ if *total > MAX_TRAILERS => return Some(self.lose(Kind::BadChunk)),
                    _ => {
                        *line += 1;
                        *total += 1;
                    }
                },
            }
            input.used += 1;
        }
        self.state = State::Chunked(place);
        None
    }

    /// Behind the head of a BREW without a length: `start`, `stop`, something else in the same segment, or
    /// the next request.
    fn legacy(&mut self, input: &mut Input<'_>) -> Option<Event> {
        let State::Legacy(held) = &mut self.state else { unreachable!("a BREW's body is at hand") };
        let rest = input.rest();
        let before = held.len();
        held.extend_from_slice(&rest[..rest.len().min(MAX_HEAD)]);
        let bytes = &held[..];
        let body = match Command::match_start(bytes) {
            Some((_, len)) if bytes.len() == len || sniff_request(&bytes[len..]) != Sniff::No => len,
            _ if Command::is_prefix(bytes) => {
                self.mark = self.mark.max(input.chunk.mark);
                input.used += rest.len();
                return None;
            }
            _ if before == 0 && is_next_request(bytes) => 0,
            _ => before + rest.len(),
        };
        if body > before {
            self.mark = self.mark.max(input.chunk.mark);
        }
        self.body_bytes = body as u64;
        if self.keep > 0 {
            let State::Legacy(held) = std::mem::replace(&mut self.state, State::Start) else { unreachable!("a BREW's body is at hand") };
            self.keep(&held[..body.min(held.len())]);
        }
        input.used += body.saturating_sub(before);
        Some(self.complete())
    }
}

/// Whether bytes behind a BREW's head are a request rather than a strange body.
fn is_next_request(bytes: &[u8]) -> bool {
    match sniff_request(bytes) {
        Sniff::Yes => true,
        Sniff::More => bytes.iter().position(|&byte| byte == b' ').is_some_and(|space| bytes[..space].iter().all(u8::is_ascii_uppercase)),
        Sniff::No => matches!(bytes, [b'\r' | b'\n', ..]),
    }
}
