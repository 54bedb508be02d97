//! One connection's bytes: both directions in the order in which they were sent, gaps marked.

use std::io::{self, Write};

use htcpcp::Sniff;

use super::rows::End;
use super::text::{Colour, printable};
use crate::capture::{Damage, Next, Reader};
use crate::connection::{self, Chunk, Connection, Consumer, Context, Gap, Side, Tracker};
use crate::exchange::Ports;
use crate::packet::{Decoder, Packet};

/// Bytes in a line of the hex format.
const LINE: usize = 16;

/// How bytes are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// As text, a heading for each turn.
    Text,
    /// With offsets in hexadecimal; the server's lines are indented.
    Hex,
    /// As they are.
    Raw,
}

/// What shall be written.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// As Wireshark's `tcp.stream`.
    pub stream: u64,
    /// Only what this end sent.
    pub side: Option<End>,
    /// How.
    pub format: Format,
    /// Whether the two ends are told apart by colours.
    pub colour: Colour,
    /// Which ports tell a server, where nothing else does.
    pub ports: Ports,
}

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Followed {
    /// How many connections the capture has: the wanted one is there if its number is less.
    pub streams: u64,
    /// Bytes that were never captured, of the ends that were asked for.
    pub missing_bytes: u64,
    /// Why the capture could not be read to its end.
    pub damage: Option<Damage>,
}

/// Writes the bytes of a connection.
///
/// Errors: where `out` takes no more.
pub fn follow(mut reader: Reader, wanted: Wanted, out: &mut dyn Write) -> io::Result<Followed> {
    let mut decoder = Decoder::default();
    let mut tracker = Tracker::<Ear>::default();
    let mut page = Page { wanted, out, client: None, turn: None, missing_bytes: 0, error: None };
    let damage = loop {
        match reader.poll_frame() {
            Ok(Next::Frame(frame)) => {
                if let Packet::Tcp(segment) = decoder.decode(&frame) {
                    tracker.push(&segment, &mut page);
                }
            }
            Ok(Next::Waiting) => page.out.flush()?,
            Ok(Next::End) => break None,
            Err(damage) => break Some(damage),
        }
        if let Some(error) = page.error {
            return Err(error);
        }
    };
    tracker.finish(&mut page);
    match page.error {
        Some(error) => Err(error),
        None => Ok(Followed { streams: tracker.streams(), missing_bytes: page.missing_bytes, damage }),
    }
}

/// Listens to every connection; the page knows which one is wanted.
#[derive(Default)]
struct Ear;

struct Page<'a> {
    wanted: Wanted,
    out: &'a mut dyn Write,
    client: Option<Side>,
    /// Who sent the bytes that were written last.
    turn: Option<End>,
    missing_bytes: u64,
    error: Option<io::Error>,
}

impl Consumer<Page<'_>> for Ear {
    fn chunk(&mut self, context: &Context, side: Side, chunk: Chunk<'_>, page: &mut Page<'_>) {
        if let Some(end) = page.listens(context, side, chunk.bytes) {
            page.error = page.error.take().or(page.chunk(end, &chunk).err());
        }
    }

    fn gap(&mut self, context: &Context, side: Side, gap: Gap, page: &mut Page<'_>) {
        if let Some(end) = page.listens(context, side, &[]) {
            page.error = page.error.take().or(page.missing(end, gap.len, "never captured").err());
        }
    }

    fn end(&mut self, _: &Context, _: Side, _: connection::End, _: &mut Page<'_>) {}

    fn closed(&mut self, _: Connection, _: &mut Page<'_>) {}
}

impl Page<'_> {
    /// Which end speaks, if it is wanted. The client is told by the SYN, by who asks, or by the ports.
    fn listens(&mut self, context: &Context, side: Side, bytes: &[u8]) -> Option<End> {
        if context.stream != self.wanted.stream {
            return None;
        }
        let guess = || match (htcpcp::sniff_response(bytes), htcpcp::sniff_request(bytes)) {
            (Sniff::Yes, _) => side.other(),
            (_, Sniff::Yes) => side,
            _ => self.wanted.ports.client_of(&context.ends),
        };
        let client = context.client.or(self.client).unwrap_or_else(guess);
        if self.client.is_none() && self.wanted.format == Format::Text {
            let (one, two) = (context.ends[client], context.ends[client.other()]);
            self.error = writeln!(self.out, "stream {}: client {one}, server {two}", context.stream).err();
        }
        self.client = Some(client);
        let end = if side == client { End::Client } else { End::Server };
        self.wanted.side.is_none_or(|wanted| wanted == end).then_some(end)
    }

    fn chunk(&mut self, end: End, chunk: &Chunk<'_>) -> io::Result<()> {
        match self.wanted.format {
            Format::Raw => self.out.write_all(chunk.bytes)?,
            Format::Hex => self.hex(end, chunk)?,
            Format::Text => {
                self.heading(end, chunk.mark.frame)?;
                let (on, off) = self.colours(end);
                let text = String::from_utf8_lossy(chunk.bytes).replace("\r\n", "\n");
                for line in text.split_inclusive('\n') {
                    let (line, line_end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
                    let line: String = line.chars().map(|char| if char.is_control() && char != '\t' { '.' } else { char }).collect();
                    // What turns a terminal's text around is no control character.
                    let line = line.split('\t').map(printable).collect::<Vec<_>>().join("\t");
                    write!(self.out, "{on}{line}{off}{line_end}")?;
                }
            }
        }
        match chunk.cut {
            0 => Ok(()),
            cut => self.missing(end, u64::from(cut), "cut off by the snap length"),
        }
    }

    /// Says whose turn begins.
    fn heading(&mut self, end: End, frame: u64) -> io::Result<()> {
        if self.turn.replace(end) == Some(end) {
            return Ok(());
        }
        let (on, off) = self.colours(end);
        writeln!(self.out, "\n{on}── {}, frame {frame}{off}", name(end))
    }

    fn hex(&mut self, end: End, chunk: &Chunk<'_>) -> io::Result<()> {
        let (on, off) = self.colours(end);
        let indent = if end == End::Server { "    " } else { "" };
        for (line, at) in chunk.bytes.chunks(LINE).zip((chunk.offset..).step_by(LINE)) {
            let digits = line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            let text: String = line.iter().map(|&byte| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' }).collect();
            writeln!(self.out, "{indent}{on}{at:08x}  {digits:<47}  {text}{off}")?;
        }
        Ok(())
    }

    /// Marks bytes that are not there; in raw bytes there is no place for a mark.
    fn missing(&mut self, end: End, len: u64, why: &str) -> io::Result<()> {
        self.missing_bytes += len;
        let (on, off) = if self.wanted.colour == Colour::On { ("\x1b[33m", "\x1b[0m") } else { ("", "") };
        match self.wanted.format {
            Format::Raw => Ok(()),
            Format::Text | Format::Hex => writeln!(self.out, "\n{on}[{len} bytes from the {} {why}]{off}", name(end)),
        }
    }

    fn colours(&self, end: End) -> (&'static str, &'static str) {
        match (self.wanted.colour, end) {
            (Colour::Off, _) => ("", ""),
            (Colour::On, End::Client) => ("\x1b[31m", "\x1b[0m"),
            (Colour::On, End::Server) => ("\x1b[34m", "\x1b[0m"),
        }
    }
}

fn name(end: End) -> &'static str {
    match end {
        End::Client => "client",
        End::Server => "server",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{self, Conversation};

    fn check(talk: &Conversation, format: Format, side: Option<End>, expected: &str) {
        let reader = Reader::new(io::Cursor::new(craft::capture(&talk.packets()))).expect("a capture");
        let mut out = Vec::new();
        let wanted = Wanted { stream: 0, side, format, colour: Colour::Off, ports: Ports::default() };
        follow(reader, wanted, &mut out).expect("memory takes everything");
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    fn talk() -> Conversation {
        let mut talk = Conversation::new("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:5031".parse().unwrap());
        talk.handshake().client("GET / HTTP/1.1\r\n").client("\r\n").server("HTTP/1.1 200 OK\r\n\r\nhi\u{1}");
        talk
    }

    #[test]
    fn both_sides_take_turns() {
        let expected = "stream 0: client 127.0.0.1:50000, server 127.0.0.1:5031\n\n── client, frame 4\nGET / HTTP/1.1\n\n\
                        \n── server, frame 6\nHTTP/1.1 200 OK\n\nhi.";
        check(&talk(), Format::Text, None, expected);
        check(&talk(), Format::Raw, Some(End::Client), "GET / HTTP/1.1\r\n\r\n");
        check(&talk(), Format::Raw, None, "GET / HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhi\u{1}");
    }

    #[test]
    fn bytes_in_hexadecimal_have_offsets() {
        let expected = "00000000  47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1..\n\
                        00000010  0d 0a                                            ..\n";
        check(&talk(), Format::Hex, Some(End::Client), expected);
    }

    #[test]
    fn a_gap_is_marked_where_it_is() {
        let mut talk = talk();
        talk.segments.remove(3);
        let expected = "stream 0: client 127.0.0.1:50000, server 127.0.0.1:5031\n\n\
                        [16 bytes from the client never captured]\n\n── client, frame 4\n\n";
        check(&talk, Format::Text, Some(End::Client), expected);
    }

    #[test]
    fn the_client_is_who_asks_where_no_syn_was_captured() {
        let mut talk = talk();
        talk.segments.drain(..3);
        talk.server = "127.0.0.1:60000".parse().unwrap();
        check(&talk, Format::Raw, Some(End::Client), "GET / HTTP/1.1\r\n\r\n");
    }
}
