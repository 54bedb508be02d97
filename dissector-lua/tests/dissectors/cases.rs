//! The dissectors beside this file, each with a capture that has what it is about.

use std::net::SocketAddr;

use pcap_tools::craft::{self, Conversation, ETHERNET, Endian, FIN, Pcapng, Random, START_NS, Side, interleave};

/// One run.
pub struct Case {
    /// What the golden file is called.
    pub name: &'static str,
    /// The script, without `.lua`.
    pub script: &'static str,
    /// Further arguments for tshark.
    pub arguments: &'static [&'static str],
    /// The capture file.
    pub capture: fn() -> Vec<u8>,
}

const fn case(name: &'static str, capture: fn() -> Vec<u8>) -> Case {
    Case { name, script: name, arguments: &[], capture }
}

const fn with(name: &'static str, script: &'static str, arguments: &'static [&'static str], capture: fn() -> Vec<u8>) -> Case {
    Case { name, script, arguments, capture }
}

/// Two passes, the second of which knows what the first has seen.
const TWICE: &[&str] = &["-2"];

pub const CASES: &[Case] = &[
    case("bits", || datagrams(9101, &BITS)),
    case("records", records),
    case("framed", || rough(9103, &framed_orders())),
    with("framed_without_reassembly", "framed", &["-o", "tcp.desegment_tcp_streams:FALSE"], || smooth(9103, &framed_orders())),
    with("framed_decode_as", "framed", &["-d", "tcp.port==9203,orders"], || smooth(9203, &framed_orders())),
    case("carried", || rough(9104, &carried_orders())),
    with("carried_twice", "carried", TWICE, || rough(9104, &carried_orders())),
    case("lines", || rough(9105, &LINES)),
    with("lines_twice", "lines", TWICE, || rough(9105, &LINES)),
    case("until_close", || rough(9106, &LINES)),
    case("dispatch", || datagrams(9107, &ENVELOPES)),
    with("dispatch_decode_as", "dispatch", &["-d", "udp.port==9207,envelope"], || datagrams(9207, &ENVELOPES)),
    case("settings", shops),
    with("settings_set", "settings", &SETTINGS, shops),
    case("guess", guesses),
    case("strings", || datagrams(9110, &MENUS)),
    case("complaints", || datagrams(9111, &REPORTS)),
    case("tally", || datagrams(9112, &TALLIES)),
    case("after", guesses),
    case("state", asks),
    with("state_twice", "state", TWICE, asks),
    case("nested", || datagrams(9115, &NESTED)),
    case("old", || rough(9116, &[b"BREW coffee://ducky HTTP/1.1\r\nUse-Pot: ducky\r\n\r\nstart"])),
    case("bitops", || datagrams(9117, &PACKED)),
    case("kinds", || datagrams(9118, &KINDS)),
    case("pieces", || datagrams(9119, &PIECES)),
    with("pieces_twice", "pieces", TWICE, || datagrams(9119, &PIECES)),
    case("errs", || datagrams(9120, &ERRS)),
    case("tlv", || datagrams(9121, &TLVS)),
];

const SETTINGS: [&str; 10] =
    ["-o", "shop.ports:9300-9301", "-o", "shop.prices:FALSE", "-o", "shop.factor:10", "-o", "shop.currency:CHF", "-o", "shop.unit:Cups"];

const BITS: [&[u8]; 7] = [
    b"\x11\xE0\x4A\x12\x12\x34\x56\x78\xFE\xDC",
    b"\x10\x00\x80\xFF\x00\x00\x00\x01",
    b"\x2F\x9F\xC0\x00",
    b"\x14\x40\x3F\x10\xFF\xFF\xFF\xFF\x7F\xF0\x01\x02\x03\x04",
    b"\x11\x20\x00\x00\x00\x00\x00",
    b"\x11\x20",
    b"\xFE\x01\x02\x03\x04\x05\x06\x07\x00\x10",
];

const ENVELOPES: [&[u8]; 8] = [
    b"\x01beans\0Ethiopia",
    b"\x02steam\0Java",
    b"\x0Bmilk\0\x01\x02\x03",
    b"\x0Csteam\0\x07",
    b"\x07none\0what is this",
    b"\x01\0\x05",
    b"\x02beans\0",
    b"\x02beans",
];

const MENUS: [&[u8]; 4] = [
    b"\x01\x02\xFF\x01\0\x01\0\0\0\x01S\x3F\x80\0\0Kenya   T\0e\0a\0\0\0fresh\0",
    b"\xFF\x45\x01\0\0\x02\xFF\xFF\xFF\xFFL\x40\x20\0\0Caf\xC3\xA9 \t\0t\0e\0a\0\xE9\0a \"note\" <&>\0more",
    b"\x07\xFF\x05\x02\x01\x00\x00\x00\x00\x02\x09\x3D\xCC\xCC\xCDA\xFFB\0C  D\0\0\xD8\0\0\0\0\0",
    b"\x01\x00",
];

const REPORTS: [&[u8]; 6] =
    [b"\x04\x00\x5A\x5E", b"\x04\x00\x14\x18", b"\x04\x00\x78\x00", b"\x05\xFF\xF6\xFA", b"\x04\x00", b"\x04\x00\x5A\x5E\x01\x02"];

const TALLIES: [&[u8]; 3] = [b"\x07\x02coffee\x04\x01tea", b"\x04\x03tea", b"\x07\x05coffee"];

const NESTED: [&[u8]; 6] = [
    b"\x01{\"cups\": 2, \"hot\": true, \"milk\": null, \"with\": [\"oat\", 1.5, {}], \"name\": \"caf\xC3\xA9\"}",
    b"\x02one\r\ntwo\r\n\r\nthree",
    b"\x03just data",
    b"\x04\x04\x02deep\n",
    b"\x01[1, \"not closed",
    b"\x04\x01{}",
];

const PACKED: [&[u8]; 3] = [
    b"\x56\xDB\x01\x02\x03\x04bme|\x3B\x9A\xAC\x02",
    b"\x00\x21\xFF\xFF\xFF\xFF\x9C\x90\x99\x9A\x00\x00\x00",
    b"\xFF\xFF\x80\x00\x00\x01cofx\x12\x34\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F",
];

const KINDS: [&[u8]; 2] = [
    b"\x01\x23\x45\x67\x89\xAB\xCD\xEF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE\x12\x34\x56\x78\x9A\xBC\xDE\xF0\x3F\xC0\x00\x00\x40\x09\x21\xFB\x54\x44\x2D\x18\
      \x64\x9A\xB2\xDF\x00\x00\x03\xE8\x00\x00\x00\x01\x00\x00\x00\x05\x1D\xCD\x65\x00\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF\
      \xC0\x00\x02\x07\x20\x01\x0D\xB8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07\x02\x00\x5E\x10\x00\x01\x2B\x06\x01\x04\x01\x02\x00\x5E\xFF\xFE\x10\x00\x01\
      \xFF\xEE\xDD\xFF\xEE\xDDhello\x00\x00",
    b"\0\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x80\x00\x00\xFF\xEF\xFF\xFF\xFF\xFF\xFF\xFF\
      \0\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF\0\x01\x51\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
      \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xFF\xFF\xFF\xFF\xFF\xFF\x55\x04\x03\x88\x37\0\0\0\0\0\0\0\0\0\
      \0\0\x01\x7F\xFF\xFF\0\0\0\0\0\x01\x02",
];

const PIECES: [&[u8]; 8] =
    [b"\x01\x00cof", b"\x02\x00te", b"\x01\x81fee", b"\x02\x82!", b"\x02\x01a", b"\x03\x80alone", b"\x04\x00never", b"\x01\x00again"];

const ERRS: [&[u8]; 10] = [b"\x01\0\0\0\x05", b"\x01\0", b"\x02", b"\x03", b"\x04xyz", b"\x05xyz", b"\x06", b"\x07", b"\x08", b"\x09"];

const TLVS: [&[u8]; 5] = [
    b"\x01\x02\x12\x34\x02\x06coffee\x03\x06\0T\0e\0a\x04\x04\xC0\0\x02\x01",
    b"\x05\x0C\x01\x01\x05\x05\x07\x02\x02hi\x07\x01\x01\x07\x01\0\x06\x04\x64\x9A\xB2\xDF",
    b"\x02\xFFtoo short",
    b"\x63\x03\x01\x02\x03\x02\0",
    b"\x01\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02\x05caf\xC3\xA9\x02\x03A\xFFB\x01",
];

/// Three lines and a beginning.
const LINES: [&[u8]; 4] = [b"one espresso\r\n", b"two\r\n", b"\r\nthree cups of tea \r\n", b"and"];

fn at(port: u16, host: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host], port))
}

/// Ethernet frames, 1 ms apart, of these IP packets.
fn ethernet(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(ETHERNET, 0, &[]);
    for (packet, ticks) in packets.iter().zip((START_NS / 1_000..).step_by(1_000)) {
        file.packet(0, ticks, &craft::frame(ETHERNET, packet));
    }
    file.into_bytes()
}

fn datagrams(port: u16, payloads: &[&[u8]]) -> Vec<u8> {
    let packets: Vec<_> = payloads.iter().map(|payload| craft::datagram(at(40_000, 1), at(port, 2), payload)).collect();
    ethernet(&packets)
}

/// The messages, each in a segment.
fn smooth(port: u16, messages: &[&[u8]]) -> Vec<u8> {
    let mut talk = Conversation::new(at(40_000, 1), at(port, 2));
    talk.handshake();
    for message in messages {
        talk.client(message).ack(Side::Server);
    }
    ethernet(&talk.close(Side::Client).packets())
}

/// The same messages in eleven conversations, to each of which something else happens.
fn rough(port: u16, messages: &[&[u8]]) -> Vec<u8> {
    let whole = messages.concat();
    let mut talks = Vec::new();
    let talk = |number: u16| {
        let mut talk = Conversation::new(at(40_000 + number, 1), at(port, 2));
        talk.handshake();
        talk
    };
    // The segments with bytes of the client are behind the handshake.
    const FIRST: usize = 3;

    // A message in each segment; and the same from the server.
    let mut plain = talk(0);
    for message in messages {
        plain.client(message).ack(Side::Server);
    }
    plain.server(&whole).close(Side::Client);
    talks.push(plain);
    // All in one segment.
    talks.push(talk(1).client(&whole).close(Side::Client).clone());
    // In small segments, and in very small ones.
    talks.push(talk(2).client_in(&whole, 7).close(Side::Client).clone());
    talks.push(talk(3).client_in(&whole[..whole.len().min(12)], 1).client(&whole[whole.len().min(12)..]).close(Side::Server).clone());
    // The second segment twice, and once more at the end.
    let mut again = talk(4);
    again.client_in(&whole, 10);
    let second = again.segments[FIRST + 1].clone();
    again.segments.insert(FIRST + 2, second.clone());
    again.segments.push(second);
    talks.push(again.close(Side::Client).clone());
    // The second and the third in the other order.
    let mut swapped = talk(5);
    swapped.client_in(&whole, 10);
    swapped.segments.swap(FIRST + 1, FIRST + 2);
    talks.push(swapped.close(Side::Client).clone());
    // The second never.
    let mut gap = talk(6);
    gap.client_in(&whole, 10);
    gap.segments.remove(FIRST + 1);
    talks.push(gap.close(Side::Client).clone());
    // The FIN with the last bytes.
    let mut fin = talk(7);
    fin.client_in(&whole, 16);
    fin.segments.last_mut().expect("a segment").flags |= FIN;
    talks.push(fin);
    // Sequence numbers that wrap, and segments that overlap.
    let mut wrapped = Conversation::new(at(40_008, 1), at(port, 2)).starting_at(u32::MAX - 15, 7);
    wrapped.handshake().client_in(&whole, 9);
    let mut overlap = wrapped.segments[FIRST + 1].clone();
    overlap.seq = overlap.seq.wrapping_sub(4);
    overlap.payload = whole[5..(overlap.payload.len() + 9).min(whole.len())].to_vec();
    wrapped.segments[FIRST + 1] = overlap;
    talks.push(wrapped.close(Side::Client).clone());
    // Broken off in the middle.
    talks.push(talk(9).client(&whole[..whole.len() / 2]).rst(Side::Server).clone());
    // All shuffled.
    let mut shuffled = talk(10);
    shuffled.client_in(&whole, 8);
    let end = shuffled.segments.len();
    Random::new(8).shuffle(&mut shuffled.segments[FIRST..end]);
    talks.push(shuffled.close(Side::Client).clone());

    let packets: Vec<_> = talks.iter().map(Conversation::packets).collect();
    // Two of them at the same time, the others one after the other.
    let (together, alone) = packets.split_at(2);
    ethernet(&[interleave(together), alone.concat()].concat())
}

/// A length of two bytes in front that does not count itself and the kind.
fn framed_orders() -> Vec<&'static [u8]> {
    vec![b"\x00\x0A\x01one cup", b"\x00\x03\x03", b"\x00\x15\x02confirmed: one cup", b"\x00\x08\x04later"]
}

fn carried_orders() -> Vec<&'static [u8]> {
    vec![b"\x00\x0A\x01one cup", b"\x00\x03\x03", b"\x00\x15\x02confirmed: one cup", b"\x00\x07\x04late", b"\x00\x09\x01cut"]
}

fn records() -> Vec<u8> {
    let record =
        |id: u16, temperature: i16, serial: u32, weight: f32, total: u64, balance: i64, time: u32, name: &[u8; 10], precise: f64| {
            let parts: [&[u8]; 9] = [
                &id.to_le_bytes(),
                &temperature.to_le_bytes(),
                &serial.to_le_bytes()[..3],
                &weight.to_le_bytes(),
                &total.to_le_bytes(),
                &balance.to_le_bytes(),
                &time.to_le_bytes(),
                name,
                &precise.to_le_bytes(),
            ];
            parts.concat()
        };
    let one = record(0x0102, -1, 0x00AB_CDEF, 18.25, 1 << 40, -5, 1_687_858_799, b"left\0\0\0\0\0\0", 18.251_25);
    let two = record(0xFFFF, 93, 1, 0.1, u64::MAX, i64::MIN, 0, b"right\0left", -0.0);
    let file = [[&[2, 0][..], &one, &two].concat(), [&[2, 0][..], &one, &two[..20]].concat(), vec![0, 0]];
    datagrams(9102, &file.each_ref().map(Vec::as_slice))
}

fn shops() -> Vec<u8> {
    let to = |port| craft::datagram(at(40_000, 1), at(port, 2), b"\x00\x05\x01\xC2");
    ethernet(&[9108, 9208, 9209, 9300, 9301].map(to))
}

fn guesses() -> Vec<u8> {
    let payloads: [&[u8]; 5] = [b"BEAN\x03abc", b"BEAN\x04abc", b"TEA\0\0", b"BEAN\0", b"BE"];
    let mut packets: Vec<_> = payloads.iter().map(|payload| craft::datagram(at(40_000, 1), at(9_109, 2), payload)).collect();
    let mut talk = Conversation::new(at(40_001, 1), at(9_109, 2));
    talk.handshake().client(b"something else").client(b"BEAN\x02hi").server(b"BEAN\x00").client(b"not it any more").close(Side::Client);
    packets.extend(talk.packets());
    ethernet(&packets)
}

fn asks() -> Vec<u8> {
    let (one, other, server) = (at(40_000, 1), at(40_001, 3), at(9114, 2));
    let there = |from, payload: &[u8]| craft::datagram(from, server, payload);
    let back = |to, payload: &[u8]| craft::datagram(server, to, payload);
    ethernet(&[
        there(one, b"\x01coffee?"),
        there(other, b"\x01tea?"),
        there(one, b"\x02milk?"),
        back(one, b"\x81yes"),
        there(one, b"\x02milk?"),
        back(other, b"\x81no"),
        back(one, b"\x82oat"),
        back(one, b"\x83unasked"),
        there(other, b"\x04unanswered?"),
    ])
}
