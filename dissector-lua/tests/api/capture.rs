//! The capture that the scripts are run on.
//!
//! Frames 1 to 30: UDP over IPv4 to port 7777. 31: UDP over IPv6. 32 to 34: a TCP handshake with port 7777; 35 to 38:
//! four segments of the client; 39: an answer; 40 to 43: the close. Ethernet, µs, 1 ms between two frames.

use pcap_tools::craft::{self, Conversation, ETHERNET, Endian, Pcapng, START_NS, Side};

/// What every UDP datagram carries: bytes that count up, some text with a NUL, bytes that are no UTF-8, and four of 0xff.
pub const PAYLOAD: &[u8] = b"\x01\x23\x45\x67\x89\xab\xcd\xefcoffee\0pot\0\x41\xff\x42\0\xff\xff\xff\xff\x80\x00\x00\x00";

/// The capture up to a frame.
pub fn bytes(frames: usize) -> Vec<u8> {
    let [a, b] = ["192.0.2.1:40000", "192.0.2.2:7777"].map(|end| end.parse().expect("an address"));
    let [a6, b6] = ["[2001:db8::1]:40000", "[2001:db8::2]:7777"].map(|end| end.parse().expect("an address"));
    let mut packets = vec![craft::datagram(a, b, PAYLOAD); 30];
    packets.push(craft::datagram(a6, b6, PAYLOAD));
    let mut talk = Conversation::new(a, b);
    talk.handshake().client(b"\x00\x06coffee\x00\x03tea\x00\x04").client(b"milk\x00").client(b"\x05cream").client(PAYLOAD);
    talk.server(b"\x00\x02ok").close(Side::Client);
    packets.extend(talk.packets());
    let mut file = Pcapng::new(Endian::Little);
    file.interface(ETHERNET, 0, &[]);
    for (packet, ticks) in packets.iter().take(frames).zip((START_NS / 1_000..).step_by(1_000)) {
        file.packet(0, ticks, &craft::frame(ETHERNET, packet));
    }
    file.into_bytes()
}
