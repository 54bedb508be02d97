//! Capture files: pcapng and pcap, in either byte order.
//!
//! In: frames and times. Out: the file's bytes, as right or as wrong as the caller asks.
//! Left to others: what is inside a frame (`link`, `ip`, `tcp`), and writing to a disk.
//!
//! Sources: draft-ietf-opsawg-pcapng §3 and §4, draft-ietf-opsawg-pcap §4 and §5.

use super::LinkType;

/// The byte order of the machine that is said to have written the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    pub(super) fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub(super) fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }
}

/// The unit of the time stamps in a pcap file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Microseconds, magic number `a1b2c3d4`.
    Micros,
    /// Nanoseconds, magic number `a1b23c4d`.
    Nanos,
}

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// A pcapng file under construction. Each method adds one block.
///
/// Shape: a Section Header first, then whatever was asked for, in that order.
/// Time: `ticks` are counted since the Unix epoch in the interface's resolution, µs unless an option says otherwise.
/// Errors: none; only slice bounds are checked, so that faulty files can be made too.
#[derive(Debug, Clone)]
pub struct Pcapng {
    bytes: Vec<u8>,
    endian: Endian,
    /// Interface 0's, once there is one: a Simple Packet Block depends on it.
    first_snaplen: Option<u32>,
}

impl Pcapng {
    /// A file with one section and nothing in it yet.
    pub fn new(endian: Endian) -> Self {
        let mut file = Self { bytes: Vec::new(), endian, first_snaplen: None };
        file.section(endian);
        file
    }

    /// Begins another section (version 1.0, length unknown). Interfaces are counted from 0 again.
    pub fn section(&mut self, endian: Endian) -> &mut Self {
        self.endian = endian;
        self.first_snaplen = None;
        let mut body = Vec::from(endian.u32(0x1A2B_3C4D));
        body.extend(endian.u16(1));
        body.extend(endian.u16(0));
        body.extend([0xFF; 8]);
        self.block(SECTION_HEADER, &body)
    }

    /// Describes the section's next interface. `snaplen` is in bytes, 0 for no limit.
    ///
    /// `options` are (code, value) pairs, for instance `(9, vec![9])` for nanosecond ticks (`if_tsresol`);
    /// padding and the end-of-options mark are added.
    pub fn interface(&mut self, link_type: LinkType, snaplen: u32, options: &[(u16, Vec<u8>)]) -> &mut Self {
        self.first_snaplen.get_or_insert(snaplen);
        let mut body = Vec::from(self.endian.u16(link_type));
        body.extend(self.endian.u16(0));
        body.extend(self.endian.u32(snaplen));
        body.extend(self.options(options));
        self.block(INTERFACE_DESCRIPTION, &body)
    }

    /// Adds an Enhanced Packet Block with the whole of `data`.
    pub fn packet(&mut self, interface: u32, ticks: u64, data: &[u8]) -> &mut Self {
        self.packet_cut(interface, ticks, data, data.len())
    }

    /// Adds an Enhanced Packet Block with the first `captured_len` bytes of `data`; the original length is `data`'s.
    pub fn packet_cut(&mut self, interface: u32, ticks: u64, data: &[u8], captured_len: usize) -> &mut Self {
        let head = [interface, (ticks >> 32) as u32, ticks as u32, captured_len as u32, data.len() as u32];
        let head = head.map(|field| self.endian.u32(field));
        self.put_block(ENHANCED_PACKET, head.as_flattened(), &data[..captured_len])
    }

    /// Adds a Simple Packet Block: no time, interface 0, cut to that interface's `snaplen`.
    pub fn simple_packet(&mut self, data: &[u8]) -> &mut Self {
        let captured_len = match self.first_snaplen {
            None | Some(0) => data.len(),
            Some(snaplen) => data.len().min(snaplen as usize),
        };
        let head = self.endian.u32(data.len() as u32);
        self.put_block(SIMPLE_PACKET, &head, &data[..captured_len])
    }

    /// Adds a Packet Block, as writers did before the Enhanced one; its count of drops is "not known".
    pub fn obsolete_packet(&mut self, interface: u16, ticks: u64, data: &[u8]) -> &mut Self {
        let mut head = Vec::from(self.endian.u16(interface));
        head.extend(self.endian.u16(0xFFFF));
        let len = data.len() as u32;
        for field in [(ticks >> 32) as u32, ticks as u32, len, len] {
            head.extend(self.endian.u32(field));
        }
        self.put_block(OBSOLETE_PACKET, &head, data)
    }

    /// Adds a block of any type, its body padded to 4 bytes.
    pub fn block(&mut self, block_type: u32, body: &[u8]) -> &mut Self {
        self.put_block(block_type, &[], body)
    }

    /// Adds bytes as they are: half a block, a wrong length, rubbish.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// The file so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What was added since the last call, so that a file larger than memory can be written piece by piece.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        let next = Vec::with_capacity(self.bytes.len());
        std::mem::replace(&mut self.bytes, next)
    }

    /// pcapng §3.1: type, total length, body, padding, total length again.
    fn put_block(&mut self, block_type: u32, head: &[u8], data: &[u8]) -> &mut Self {
        let padding_len = padding_len(head.len() + data.len());
        let total_len = self.endian.u32((12 + head.len() + data.len() + padding_len) as u32);
        self.bytes.extend(self.endian.u32(block_type));
        self.bytes.extend(total_len);
        self.bytes.extend_from_slice(head);
        self.bytes.extend_from_slice(data);
        self.bytes.extend_from_slice(&[0; 3][..padding_len]);
        self.bytes.extend(total_len);
        self
    }

    /// pcapng §3.5: code, length, value, padding; the list ends with code 0, and is left out if it is empty.
    fn options(&self, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (code, value) in options {
            bytes.extend(self.endian.u16(*code));
            bytes.extend(self.endian.u16(value.len() as u16));
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(&[0; 3][..padding_len(value.len())]);
        }
        if !options.is_empty() {
            bytes.extend([0; 4]);
        }
        bytes
    }
}

/// Bytes missing to the next multiple of 4.
fn padding_len(len: usize) -> usize {
    len.wrapping_neg() % 4
}

/// A pcap file under construction: one link type, one unit of time, packets.
///
/// Time: ns since the Unix epoch, rounded down to the file's precision.
#[derive(Debug, Clone)]
pub struct Pcap {
    bytes: Vec<u8>,
    endian: Endian,
    precision: Precision,
}

impl Pcap {
    /// A file with its header (version 2.4, snap length 262,144) and no packets yet.
    pub fn new(endian: Endian, precision: Precision, link_type: LinkType) -> Self {
        let magic = match precision {
            Precision::Micros => 0xA1B2_C3D4,
            Precision::Nanos => 0xA1B2_3C4D,
        };
        let mut bytes = Vec::from(endian.u32(magic));
        bytes.extend(endian.u16(2));
        bytes.extend(endian.u16(4));
        for field in [0, 0, 262_144, u32::from(link_type)] {
            bytes.extend(endian.u32(field));
        }
        Self { bytes, endian, precision }
    }

    /// Adds a packet with the whole of `data`.
    pub fn packet(&mut self, time_ns: u64, data: &[u8]) -> &mut Self {
        self.packet_cut(time_ns, data, data.len())
    }

    /// Adds a packet with the first `captured_len` bytes of `data`; the original length is `data`'s.
    pub fn packet_cut(&mut self, time_ns: u64, data: &[u8], captured_len: usize) -> &mut Self {
        let fraction_ns = (time_ns % 1_000_000_000) as u32;
        let fraction = match self.precision {
            Precision::Micros => fraction_ns / 1_000,
            Precision::Nanos => fraction_ns,
        };
        let seconds = (time_ns / 1_000_000_000) as u32;
        for field in [seconds, fraction, captured_len as u32, data.len() as u32] {
            self.bytes.extend(self.endian.u32(field));
        }
        self.bytes.extend_from_slice(&data[..captured_len]);
        self
    }

    /// The file so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ETHERNET, NULL};
    use super::{Endian, Pcap, Pcapng, Precision};

    const SECTION_LEN: usize = 28;

    /// Compares what follows the file's first Section Header with `expected`, hexadecimal with spaces.
    fn check(file: &Pcapng, expected: &str) {
        assert_eq!(hex(&file.bytes()[SECTION_LEN..]), expected.replace(' ', ""));
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn section_header_in_both_byte_orders() {
        let little = "0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000";
        let big = "0a0d0d0a0000001c1a2b3c4d00010000ffffffffffffffff0000001c";
        assert_eq!(hex(Pcapng::new(Endian::Little).bytes()), little);
        assert_eq!(hex(Pcapng::new(Endian::Big).bytes()), big);
        check(Pcapng::new(Endian::Big).section(Endian::Little), little);
    }

    #[test]
    fn interface_options_are_padded_and_ended() {
        check(
            Pcapng::new(Endian::Big).interface(ETHERNET, 96, &[(9, vec![6])]),
            "00000001 00000020 0001 0000 00000060 0009 0001 06000000 0000 0000 00000020",
        );
        check(Pcapng::new(Endian::Little).interface(ETHERNET, 0, &[]), "01000000 14000000 0100 0000 00000000 14000000");
    }

    #[test]
    fn packet_blocks() {
        check(
            Pcapng::new(Endian::Big).packet_cut(2, 0x1_0000_0002, b"abcdefg", 5),
            "00000006 00000028 00000002 00000001 00000002 00000005 00000007 6162636465000000 00000028",
        );
        check(
            Pcapng::new(Endian::Little).obsolete_packet(1, 3, b"abcd"),
            "02000000 24000000 0100 ffff 00000000 03000000 04000000 04000000 61626364 24000000",
        );
    }

    #[test]
    fn simple_packet_is_cut_to_the_first_interface() {
        let mut file = Pcapng::new(Endian::Big);
        file.interface(NULL, 2, &[]).interface(NULL, 9, &[]);
        let interfaces_len = file.bytes().len() - SECTION_LEN;
        file.simple_packet(b"abcd");
        assert_eq!(hex(&file.bytes()[SECTION_LEN + interfaces_len..]), "00000003000000140000000461620000".to_owned() + "00000014");
    }

    #[test]
    fn other_blocks_and_raw_bytes() {
        check(Pcapng::new(Endian::Big).block(0x8000_0001, b"x").raw(b"yz"), "80000001 00000010 78000000 00000010 797a");
    }

    #[test]
    fn taken_pieces_make_up_the_file() {
        let mut pieces = Pcapng::new(Endian::Little);
        let mut taken = pieces.take_bytes();
        pieces.interface(NULL, 0, &[]).packet(0, 1, b"a");
        taken.extend(pieces.take_bytes());
        let mut whole = Pcapng::new(Endian::Little);
        whole.interface(NULL, 0, &[]).packet(0, 1, b"a");
        assert_eq!(taken, whole.into_bytes());
    }

    #[test]
    fn pcap_in_its_four_forms() {
        let file = |endian, precision| {
            let mut file = Pcap::new(endian, precision, ETHERNET);
            hex(file.packet_cut(2_000_003_004, b"abc", 1).bytes())
        };
        let little = "020004000000000000000000000004000100000002000000";
        let big = "000200040000000000000000000400000000000100000002";
        assert_eq!(file(Endian::Little, Precision::Micros), format!("d4c3b2a1{little}03000000010000000300000061"));
        assert_eq!(file(Endian::Little, Precision::Nanos), format!("4d3cb2a1{little}bc0b0000010000000300000061"));
        assert_eq!(file(Endian::Big, Precision::Micros), format!("a1b2c3d4{big}00000003000000010000000361"));
        assert_eq!(file(Endian::Big, Precision::Nanos), format!("a1b23c4d{big}00000bbc000000010000000361"));
    }
}
