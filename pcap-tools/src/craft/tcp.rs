//! TCP segments, and conversations made of them.
//!
//! In: who says what in which order. Out: segments with right sequence numbers, open to every mischief, and then
//! the IP packets that carry them.
//! Left to others: IP (`ip`), what the bytes mean.
//!
//! Source: RFC 9293 §3.1 (header), §3.5 (opening), §3.6 (closing).

use std::net::SocketAddr;

use super::ip::{ip, transport_checksum};

/// "No more data from sender."
pub const FIN: u8 = 0x01;
/// "Synchronize sequence numbers."
pub const SYN: u8 = 0x02;
/// "Reset the connection."
pub const RST: u8 = 0x04;
/// "Push function."
pub const PSH: u8 = 0x08;
/// "Acknowledgment field is significant."
pub const ACK: u8 = 0x10;
/// "Urgent pointer field is significant."
pub const URG: u8 = 0x20;

const TCP: u8 = 6;
const HEADER_LEN: usize = 20;

/// What a SYN offers: segments of 1460 bytes, a window scale of 6, selective acknowledgement; with padding.
const SYN_OPTIONS: [u8; 12] = [2, 4, 0x05, 0xB4, 1, 3, 3, 6, 4, 2, 1, 1];
/// As a Mac announces it on its loopback interface: unscaled in a SYN, then 6,379 · 2⁶ = 408,256 bytes.
const SYN_WINDOW: u16 = 65_535;
const WINDOW: u16 = 6_379;

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The end that sent the first SYN.
    Client,
    /// The end that answered it.
    Server,
}

impl Side {
    /// The other end.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// One TCP segment, before addresses and checksum. Every field may be edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The end that sends it.
    pub from: Side,
    /// Sequence number of the first byte.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// [`FIN`], [`SYN`], [`RST`], [`PSH`], [`ACK`] and [`URG`], or-ed together.
    pub flags: u8,
    /// The window field as sent, not scaled.
    pub window: u16,
    /// Option bytes, at most 40; filled up to a multiple of 4 with End of Option List.
    pub options: Vec<u8>,
    /// The bytes carried.
    pub payload: Vec<u8>,
}

impl Segment {
    /// The segment's bytes, with the checksum that is right between these two ends.
    pub fn to_tcp(&self, client: SocketAddr, server: SocketAddr) -> Vec<u8> {
        let (src, dst) = self.ends(client, server);
        let header_len = HEADER_LEN + self.options.len().next_multiple_of(4);
        assert!(header_len <= 60, "{} bytes of TCP options", self.options.len());
        let mut bytes = Vec::with_capacity(header_len + self.payload.len());
        bytes.extend(src.port().to_be_bytes());
        bytes.extend(dst.port().to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.ack.to_be_bytes());
        // The length in words of 4 bytes, in the upper 4 bits.
        bytes.extend([(header_len * 4) as u8, self.flags]);
        bytes.extend(self.window.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend_from_slice(&self.options);
        bytes.resize(header_len, 0);
        bytes.extend_from_slice(&self.payload);
        let checksum = transport_checksum(src.ip(), dst.ip(), TCP, &bytes);
        bytes[16..18].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// The IP packet that carries the segment between these two ends.
    pub fn to_packet(&self, client: SocketAddr, server: SocketAddr) -> Vec<u8> {
        let (src, dst) = self.ends(client, server);
        ip(src.ip(), dst.ip(), TCP, &self.to_tcp(client, server))
    }

    /// Source and destination.
    fn ends(&self, client: SocketAddr, server: SocketAddr) -> (SocketAddr, SocketAddr) {
        match self.from {
            Side::Client => (client, server),
            Side::Server => (server, client),
        }
    }
}

/// A connection, told step by step.
///
/// Shape: `segments` in the order in which they were sent. Each acknowledges all that the other end has sent so far.
/// A conversation that does not begin with [`handshake`](Self::handshake) is one whose beginning was not captured.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The client's address.
    pub client: SocketAddr,
    /// The server's address.
    pub server: SocketAddr,
    /// What was sent: shuffle, drop, repeat and edit it at will before asking for packets.
    pub segments: Vec<Segment>,
    client_next: u32,
    server_next: u32,
}

impl Conversation {
    /// A conversation in which nothing was said yet; the initial sequence numbers are 1,000 and 5,000.
    ///
    /// Panics if the addresses are of two IP versions.
    pub fn new(client: SocketAddr, server: SocketAddr) -> Self {
        assert_eq!(client.is_ipv4(), server.is_ipv4(), "{client} cannot reach {server}");
        Self { client, server, segments: Vec::new(), client_next: 1_000, server_next: 5_000 }
    }

    /// Sets the initial sequence numbers, near `u32::MAX` to see them wrap around.
    pub fn starting_at(mut self, client_seq: u32, server_seq: u32) -> Self {
        self.client_next = client_seq;
        self.server_next = server_seq;
        self
    }

    /// SYN, SYN-ACK, ACK.
    pub fn handshake(&mut self) -> &mut Self {
        self.send(Side::Client, SYN, &[]);
        self.send(Side::Server, SYN | ACK, &[]);
        self.ack(Side::Client)
    }

    /// The client sends `bytes` in one segment.
    pub fn client(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.send(Side::Client, PSH | ACK, bytes.as_ref())
    }

    /// The server sends `bytes` in one segment.
    pub fn server(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.send(Side::Server, PSH | ACK, bytes.as_ref())
    }

    /// The client sends `bytes` in segments of at most `size` bytes. Panics if `size` is 0.
    pub fn client_in(&mut self, bytes: impl AsRef<[u8]>, size: usize) -> &mut Self {
        self.send_in(Side::Client, bytes.as_ref(), size)
    }

    /// The server sends `bytes` in segments of at most `size` bytes. Panics if `size` is 0.
    pub fn server_in(&mut self, bytes: impl AsRef<[u8]>, size: usize) -> &mut Self {
        self.send_in(Side::Server, bytes.as_ref(), size)
    }

    /// `side` acknowledges and says nothing.
    pub fn ack(&mut self, side: Side) -> &mut Self {
        self.send(side, ACK, &[])
    }

    /// `side` will send no more.
    pub fn fin(&mut self, side: Side) -> &mut Self {
        self.send(side, FIN | ACK, &[])
    }

    /// `side` breaks off.
    pub fn rst(&mut self, side: Side) -> &mut Self {
        self.send(side, RST | ACK, &[])
    }

    /// FIN, ACK, FIN, ACK; `first` sends the first of them.
    pub fn close(&mut self, first: Side) -> &mut Self {
        let second = first.other();
        self.fin(first).ack(second).fin(second).ack(first)
    }

    /// The segments as IP packets, in their present order.
    pub fn packets(&self) -> Vec<Vec<u8>> {
        let packet = |segment: &Segment| segment.to_packet(self.client, self.server);
        self.segments.iter().map(packet).collect()
    }

    /// PSH only on the last segment, as hosts do that are given all the bytes at once.
    fn send_in(&mut self, from: Side, bytes: &[u8], size: usize) -> &mut Self {
        let mut pieces = bytes.chunks(size).peekable();
        while let Some(piece) = pieces.next() {
            let flags = if pieces.peek().is_some() { ACK } else { PSH | ACK };
            self.send(from, flags, piece);
        }
        self
    }

    fn send(&mut self, from: Side, flags: u8, payload: &[u8]) -> &mut Self {
        let (next, other_next) = match from {
            Side::Client => (&mut self.client_next, self.server_next),
            Side::Server => (&mut self.server_next, self.client_next),
        };
        let seq = *next;
        // SYN and FIN occupy a sequence number each (RFC 9293 §3.4).
        let counted = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
        *next = seq.wrapping_add(payload.len() as u32).wrapping_add(counted);
        let opening = flags & SYN != 0;
        self.segments.push(Segment {
            from,
            seq,
            ack: if flags & ACK != 0 { other_next } else { 0 },
            flags,
            window: if opening { SYN_WINDOW } else { WINDOW },
            options: if opening { SYN_OPTIONS.to_vec() } else { Vec::new() },
            payload: payload.to_vec(),
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Side::{Client, Server};
    use super::{ACK, Conversation, FIN, PSH, RST, SYN, Side, TCP, transport_checksum};
    use std::net::SocketAddr;

    fn conversation() -> Conversation {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        Conversation::new(at("192.0.2.1:50000"), at("192.0.2.2:80")).starting_at(100, 500)
    }

    /// Compares sender, flags, sequence and acknowledgement number, and payload length.
    fn check(conversation: &Conversation, expected: &[(Side, u8, u32, u32, usize)]) {
        let seen: Vec<_> = conversation.segments.iter().map(|s| (s.from, s.flags, s.seq, s.ack, s.payload.len())).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn handshake_data_and_close() {
        check(
            conversation().handshake().client("ping").server(b"pong!").close(Server),
            &[
                (Client, SYN, 100, 0, 0),
                (Server, SYN | ACK, 500, 101, 0),
                (Client, ACK, 101, 501, 0),
                (Client, PSH | ACK, 101, 501, 4),
                (Server, PSH | ACK, 501, 105, 5),
                (Server, FIN | ACK, 506, 105, 0),
                (Client, ACK, 105, 507, 0),
                (Client, FIN | ACK, 105, 507, 0),
                (Server, ACK, 507, 106, 0),
            ],
        );
    }

    #[test]
    fn sequence_numbers_wrap_around() {
        check(
            conversation().starting_at(u32::MAX, u32::MAX - 2).handshake().server_in([0; 5], 2).ack(Client),
            &[
                (Client, SYN, u32::MAX, 0, 0),
                (Server, SYN | ACK, u32::MAX - 2, 0, 0),
                (Client, ACK, 0, u32::MAX - 1, 0),
                (Server, ACK, u32::MAX - 1, 0, 2),
                (Server, ACK, 0, 0, 2),
                (Server, PSH | ACK, 2, 0, 1),
                (Client, ACK, 0, 3, 0),
            ],
        );
    }

    #[test]
    fn begun_in_the_middle_and_broken_off() {
        check(conversation().client_in("abc", 3).rst(Server), &[(Client, PSH | ACK, 100, 500, 3), (Server, RST | ACK, 500, 103, 0)]);
    }

    #[test]
    fn header_bytes_of_both_directions() {
        let mut conversation = conversation();
        conversation.client("x").server("y");
        conversation.segments[0].options = vec![1, 1, 1];
        let (client, server) = (conversation.client, conversation.server);
        let there = conversation.segments[0].to_tcp(client, server);
        assert_eq!(there[..16], [0xC3, 0x50, 0, 80, 0, 0, 0, 100, 0, 0, 1, 0xF4, 0x60, 0x18, 0x18, 0xEB]);
        assert_eq!(there[18..], [0, 0, 1, 1, 1, 0, b'x']);
        assert_eq!(transport_checksum(client.ip(), server.ip(), TCP, &there), 0);
        let back = conversation.segments[1].to_tcp(client, server);
        assert_eq!(back[..4], [0, 80, 0xC3, 0x50]);
        assert_eq!(transport_checksum(server.ip(), client.ip(), TCP, &back), 0);
    }

    #[test]
    fn packets_follow_the_edited_segments() {
        let mut conversation = conversation();
        conversation.client("one").client("two");
        conversation.segments.swap(0, 1);
        let ends: Vec<_> = conversation.packets().iter().map(|p| p[p.len() - 3..].to_vec()).collect();
        assert_eq!(ends, [b"two", b"one"]);
    }
}
