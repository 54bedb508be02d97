//! Captures made by hand, for tests and benchmarks.
//!
//! In: addresses, bytes, and what shall go wrong. Out: TCP segments, IP packets, link-layer frames and whole capture
//! files, as bytes.
//! Left to others: reading any of it back. Nothing in the pipeline uses this module, so a misunderstanding of a
//! format has to be made twice before a test passes; and tshark judges the module itself.
//!
//! From the inside out: a [`Conversation`] collects [`Segment`]s and turns them into IP packets; [`frame`] wraps a
//! packet into a link layer; [`Pcapng`] and [`Pcap`] put frames into a file. [`capture`] does the last two at once.
//!
//! ```
//! use pcap_tools::craft::{self, Conversation, Random, Side};
//!
//! let browser = "127.0.0.1:55433".parse().unwrap();
//! let web_app = "127.0.0.1:5031".parse().unwrap();
//! let mut page = Conversation::new(browser, web_app).starting_at(u32::MAX - 10, 7);
//! page.handshake()
//!     .client("GET / HTTP/1.1\r\nHost: ducky\r\n\r\n")
//!     .ack(Side::Server)
//!     .server_in("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ncoffee", 20)
//!     .close(Side::Server);
//! assert_eq!(page.segments.len(), 12);
//!
//! // The network now repeats one segment and delivers the response in any order.
//! page.segments.push(page.segments[3].clone());
//! Random::new(1).shuffle(&mut page.segments[5..8]);
//! let file = craft::capture(&page.packets());
//!
//! // The same, with more to say about the file.
//! let mut pcapng = craft::Pcapng::new(craft::Endian::Big);
//! pcapng.interface(craft::ETHERNET, 0, &[(9, vec![9])]);
//! for (packet, ticks) in page.packets().iter().zip(craft::START_NS..) {
//!     pcapng.packet(0, ticks, &craft::ethernet(&[(0x8100, 42)], packet));
//! }
//! assert!(pcapng.bytes().len() > file.len());
//! ```

mod file;
mod ip;
mod link;
mod tcp;
mod udp;

pub use crate::random::Random;
pub use file::{Endian, Pcap, Pcapng, Precision};
pub use ip::{Extension, checksum, ip, ipv4_fragments, ipv4_with_options, ipv6_fragments, ipv6_with_extension_headers, transport_checksum};
pub use link::{ETHERNET, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, LOOP, LinkType, NULL, RAW, ethernet, frame, null};
pub use tcp::{ACK, Conversation, FIN, PSH, RST, SYN, Segment, Side, URG};
pub use udp::datagram;

/// When a crafted capture begins: 2023-06-27T09:39:59.342121Z, in ns since the Unix epoch.
pub const START_NS: u64 = 1_687_858_799_342_121_000;

/// IP packets as a capture file of the lab's kind: little-endian pcapng, one loopback interface ([`NULL`]).
///
/// Time: µs; the first packet at [`START_NS`], each of the others 1 ms after the one before.
pub fn capture(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(NULL, 0, &[]);
    for (packet, ticks) in packets.iter().zip((START_NS / 1_000..).step_by(1_000)) {
        file.packet(0, ticks, &frame(NULL, packet));
    }
    file.into_bytes()
}

/// One list of packets out of several, taking one from each in turn; none changes its order.
pub fn interleave(conversations: &[Vec<Vec<u8>>]) -> Vec<Vec<u8>> {
    let longest = conversations.iter().map(Vec::len).max().unwrap_or(0);
    let round = |turn| conversations.iter().filter_map(move |packets| packets.get(turn));
    (0..longest).flat_map(round).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const REQUEST: &str = "GET /beans HTTP/1.1\r\nHost: ducky\r\n\r\n";
    const RESPONSE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\nsingle origin, roasted";

    fn conversation(client: &str, server: &str) -> Conversation {
        let mut conversation = Conversation::new(client.parse().unwrap(), server.parse().unwrap());
        conversation.handshake().client(REQUEST).ack(Side::Server).server_in(RESPONSE, 32).ack(Side::Client).close(Side::Server);
        conversation
    }

    fn over_ipv4(port: u16) -> Conversation {
        conversation(&format!("192.0.2.1:{port}"), "192.0.2.2:80")
    }

    fn over_ipv6(port: u16) -> Conversation {
        conversation(&format!("[2001:db8::1]:{port}"), "[2001:db8::2]:80")
    }

    /// A file that is there while the value is.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(bytes: &[u8]) -> Self {
            static COUNT: AtomicUsize = AtomicUsize::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("craft-{}-{number}.cap", std::process::id()));
            std::fs::write(&path, bytes).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            // A file left behind in the temporary folder harms nobody.
            let _ = std::fs::remove_file(&self.0);
        }
    }

    /// One row per frame with these fields, as tshark prints them; `None` if there is no tshark to ask.
    fn tshark(path: &Path, fields: &[&str]) -> Option<Vec<Vec<String>>> {
        let mut command = Command::new("tshark");
        command.args(["-n", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-T", "fields"]);
        for field in fields {
            command.args(["-e", field]);
        }
        let Ok(output) = command.arg("-r").arg(path).output() else {
            eprintln!("skipped: no tshark here");
            return None;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rows = String::from_utf8(output.stdout).unwrap();
        Some(rows.lines().map(|row| row.split('\t').map(str::to_owned).collect()).collect())
    }

    /// What tshark shall have seen in a capture.
    #[derive(Debug, PartialEq, Default)]
    struct Judgement {
        frames: usize,
        streams: usize,
        /// Frames with a checksum that is wrong, or that tshark did not come to check.
        unsound: usize,
        /// Frames with "retransmission", "previous segment lost" and the like.
        remarks: usize,
        requests: usize,
        paired_responses: usize,
    }

    /// Asks tshark about a capture file and compares.
    fn check(file: &[u8], expected: &Judgement) {
        let scratch = Scratch::new(file);
        let fields = [
            "tcp.stream",
            "ip.checksum.status",
            "tcp.checksum.status",
            "tcp.analysis.flags",
            "http.request.method",
            "http.request_in",
            "ipv6.src",
        ];
        let Some(rows) = tshark(&scratch.0, &fields) else {
            return;
        };
        let count = |test: fn(&[String]) -> bool| rows.iter().filter(|row| test(row)).count();
        // 0 is bad, 1 is good, 2 is unverified; IPv6 has no header checksum.
        let seen = Judgement {
            frames: rows.len(),
            streams: rows.iter().filter_map(|row| row[0].parse().ok()).max().map_or(0, |last: usize| last + 1),
            unsound: count(|row| row[2] != "1" || (row[1] != "1" && row[6].is_empty())),
            remarks: count(|row| !row[3].is_empty()),
            requests: count(|row| !row[4].is_empty()),
            paired_responses: count(|row| !row[5].is_empty()),
        };
        assert_eq!(seen, *expected);
    }

    /// A capture of `conversations` that were made as [`conversation`] makes them.
    fn sound(conversations: usize) -> Judgement {
        Judgement {
            frames: conversations * 12,
            streams: conversations,
            requests: conversations,
            paired_responses: conversations,
            ..Judgement::default()
        }
    }

    #[test]
    fn interleaved_conversations_satisfy_tshark() {
        let conversations = [over_ipv4(40_001), over_ipv6(40_002), over_ipv4(40_003)];
        let packets: Vec<_> = conversations.iter().map(Conversation::packets).collect();
        check(&capture(&interleave(&packets)), &sound(3));
    }

    #[test]
    fn tshark_sees_a_flipped_bit_and_a_missing_segment() {
        let mut conversation = over_ipv4(40_000);
        conversation.segments.remove(5);
        let mut packets = conversation.packets();
        packets[3][60] ^= 1;
        let expected = Judgement {
            frames: 11,
            unsound: 1,
            // At the segment after the missing one, and at the acknowledgement of both.
            remarks: 2,
            paired_responses: 0,
            ..sound(1)
        };
        check(&capture(&packets), &expected);
    }

    #[test]
    fn wrapped_sequence_numbers_satisfy_tshark() {
        let mut conversation =
            Conversation::new("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:80".parse().unwrap()).starting_at(u32::MAX - 5, u32::MAX - 20);
        conversation.handshake().client(REQUEST).ack(Side::Server).server_in(RESPONSE, 32);
        conversation.ack(Side::Client).close(Side::Client);
        check(&capture(&conversation.packets()), &sound(1));
    }

    #[test]
    fn every_link_type_satisfies_tshark_in_both_byte_orders() {
        let mut file = Pcapng::new(Endian::Little);
        for (endian, port) in [(Endian::Little, 40_000), (Endian::Big, 50_000)] {
            if endian == Endian::Big {
                file.section(endian);
            }
            let link_types = [NULL, ETHERNET, RAW, LOOP, LINUX_SLL, LINUX_SLL2, IPV4, IPV6];
            for (interface, link_type) in (0_u32..).zip(link_types) {
                file.interface(link_type, 0, &[(9, vec![9])]);
                let port = port + interface as u16;
                let conversation = if link_type == IPV6 { over_ipv6(port) } else { over_ipv4(port) };
                for (packet, time_ns) in conversation.packets().iter().zip(START_NS..) {
                    file.packet(interface, time_ns, &frame(link_type, packet));
                }
            }
        }
        check(&file.into_bytes(), &sound(16));
    }

    #[test]
    fn tagged_frames_and_old_packet_blocks_satisfy_tshark() {
        let mut file = Pcapng::new(Endian::Big);
        file.interface(ETHERNET, 0, &[]);
        for packet in over_ipv6(40_000).packets() {
            file.simple_packet(&ethernet(&[(0x8100, 7)], &packet));
        }
        for packet in over_ipv4(40_000).packets() {
            file.obsolete_packet(0, START_NS / 1_000, &ethernet(&[(0x88A8, 7), (0x8100, 8)], &packet));
        }
        file.block(0x8000_0001, b"nobody knows this one");
        check(&file.into_bytes(), &sound(2));
    }

    #[test]
    fn pcap_files_satisfy_tshark() {
        for endian in [Endian::Little, Endian::Big] {
            for precision in [Precision::Micros, Precision::Nanos] {
                let mut file = Pcap::new(endian, precision, LINUX_SLL);
                for packet in over_ipv4(40_000).packets() {
                    file.packet(START_NS, &frame(LINUX_SLL, &packet));
                }
                check(file.bytes(), &sound(1));
            }
        }
    }

    #[test]
    fn options_and_extension_headers_satisfy_tshark() {
        let conversation = over_ipv4(40_000);
        let (a, b) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
        let mut packets = Vec::new();
        for segment in &conversation.segments {
            let tcp = segment.to_tcp(conversation.client, conversation.server);
            let (src, dst) = if segment.from == Side::Client { (a, b) } else { (b, a) };
            packets.push(ipv4_with_options(src, dst, 6, &[7, 7, 4, 0, 0, 0, 0], &tcp));
        }
        let conversation = over_ipv6(40_000);
        let extensions = [Extension::HopByHop(vec![]), Extension::Routing, Extension::DestinationOptions(vec![0x1E, 0])];
        for segment in &conversation.segments {
            let tcp = segment.to_tcp(conversation.client, conversation.server);
            let (src, dst) = ipv6_ends(&conversation, segment.from);
            packets.push(ipv6_with_extension_headers(src, dst, &extensions, 6, &tcp));
        }
        check(&capture(&packets), &sound(2));
    }

    fn ipv6_ends(conversation: &Conversation, from: Side) -> (Ipv6Addr, Ipv6Addr) {
        let address = |end: SocketAddr| match end.ip() {
            IpAddr::V6(address) => address,
            IpAddr::V4(address) => panic!("{address} is not of version 6"),
        };
        let (client, server) = (address(conversation.client), address(conversation.server));
        if from == Side::Client { (client, server) } else { (server, client) }
    }

    #[test]
    fn fragments_are_put_together_by_tshark() {
        let fragments = |packets: Vec<Vec<u8>>, split: fn(&[u8], u16) -> Vec<Vec<u8>>| -> Vec<Vec<u8>> {
            packets.iter().zip(1..).flat_map(|(packet, identification)| split(packet, identification)).collect()
        };
        let v4 = fragments(over_ipv4(40_000).packets(), |packet, id| ipv4_fragments(packet, 52, id));
        let v6 = fragments(over_ipv6(40_001).packets(), |packet, id| ipv6_fragments(packet, 80, id.into()));
        let scratch = Scratch::new(&capture(&[v4, v6].concat()));
        let fields = ["tcp.checksum.status", "http.request_in", "ip.checksum.status"];
        let Some(rows) = tshark(&scratch.0, &fields) else {
            return;
        };
        let column = |at: usize, value: &str| rows.iter().filter(|row| row[at] == value).count();
        assert_eq!((column(0, "1"), column(0, "0")), (24, 0), "TCP checksums good and bad");
        assert_eq!(rows.iter().filter(|row| !row[1].is_empty()).count(), 2, "paired responses");
        assert_eq!(column(2, "0"), 0, "bad IPv4 headers");
    }

    #[test]
    fn datagrams_satisfy_tshark() {
        let [a, b] = ["192.0.2.1:4000", "192.0.2.2:5000"].map(|end| end.parse().unwrap());
        let [a6, b6] = ["[2001:db8::1]:4000", "[2001:db8::2]:5000"].map(|end| end.parse().unwrap());
        let scratch = Scratch::new(&capture(&[datagram(a, b, b"odd"), datagram(a6, b6, b"even")]));
        let rows = tshark(&scratch.0, &["udp.srcport", "udp.dstport", "udp.length", "udp.payload"]);
        let Some(rows) = rows else { return };
        assert_eq!(rows, [["4000", "5000", "11", "6f6464"], ["4000", "5000", "12", "6576656e"]]);
    }

    #[test]
    fn capture_begins_when_the_lab_did() {
        let scratch = Scratch::new(&capture(&over_ipv4(40_000).packets()));
        let Some(rows) = tshark(&scratch.0, &["frame.time_epoch", "frame.time_delta"]) else {
            return;
        };
        assert_eq!(rows[0][0], "1687858799.342121000");
        assert!(rows[1..].iter().all(|row| row[1] == "0.001000000"));
    }

    #[test]
    fn interleave_takes_turns() {
        let list = |text: &str| text.bytes().map(|byte| vec![byte]).collect::<Vec<_>>();
        assert_eq!(interleave(&[list("ad"), list("b"), list("cef")]), list("abcdef"));
        assert_eq!(interleave(&[]), list(""));
    }
}
