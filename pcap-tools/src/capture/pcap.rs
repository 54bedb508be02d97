//! Classic pcap: micro- and nanoseconds, both byte orders.
//!
//! The file header is read by `pcap-file`; record headers are four numbers, read here, since the crate
//! refuses records that Wireshark reads (an original length below the captured one).
//! Source: draft-ietf-opsawg-pcap.

use pcap_file::pcap::{PcapHeader, PcapTsResolution};

use super::{Content, Interface, LinkType, MAX_FRAME, Record, Resolution, Step};

pub(super) const HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;

/// Whether these bytes begin a pcap file.
pub(super) fn is_magic(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xa1, 0xb2, 0xc3, 0xd4, ..] | [0xa1, 0xb2, 0x3c, 0x4d, ..] | [0xd4, 0xc3, 0xb2, 0xa1, ..] | [0x4d, 0x3c, 0xb2, 0xa1, ..]
    )
}

pub(super) struct Header {
    big_endian: bool,
    nanos_a_tick: i128,
    pub(super) interface: Interface,
}

/// What stands in for a header that was cut; no record follows it.
impl Default for Header {
    fn default() -> Self {
        let interface =
            Interface { name: None, link_type: LinkType::NULL, snap_len: None, resolution: Resolution::Decimal(6), offset_seconds: 0 };
        Self { big_endian: false, nanos_a_tick: 1000, interface }
    }
}

impl Header {
    /// Reads the file header, or `None` if it is cut.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (_, header) = PcapHeader::from_slice(bytes).ok()?;
        let nanos = header.ts_resolution == PcapTsResolution::NanoSecond;
        // The upper half of the field tells the length of a frame check sequence.
        let link_type = LinkType(u32::from(header.datalink) as u16);
        let interface = Interface {
            name: None,
            link_type,
            snap_len: (header.snaplen > 0).then_some(header.snaplen),
            resolution: Resolution::Decimal(if nanos { 9 } else { 6 }),
            offset_seconds: 0,
        };
        Some(Self { big_endian: header.endianness.is_big(), nanos_a_tick: if nanos { 1 } else { 1000 }, interface })
    }

    pub(super) fn step(&self, bytes: &[u8]) -> Step {
        let Some(header) = bytes.first_chunk::<RECORD_HEADER_LEN>() else {
            return Step::Need(if bytes.is_empty() { 1 } else { RECORD_HEADER_LEN });
        };
        let number = |at: usize| {
            let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let captured = number(8) as usize;
        if captured > MAX_FRAME {
            return Step::Corrupt(format!("a record claims {captured} captured bytes, more than the {MAX_FRAME} that a frame can have"));
        }
        let len = RECORD_HEADER_LEN + captured;
        if bytes.len() < len {
            return Step::Need(len);
        }
        let nanos = i128::from(number(0)) * 1_000_000_000 + i128::from(number(4)) * self.nanos_a_tick;
        let record = Record {
            time: crate::time::Time::from_nanos(nanos),
            content: Content::Packet(self.interface.link_type),
            interface: None,
            original_len: number(12),
            data: RECORD_HEADER_LEN..len,
        };
        Step::Record { record, len }
    }
}
