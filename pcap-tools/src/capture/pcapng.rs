//! pcapng: any number of sections and interfaces, both byte orders.
//!
//! Block framing is `pcap-file`'s ([`RawBlock`]). Its parsed blocks serve as the strict judge of Section
//! Header and Interface Description blocks: what it refuses becomes a finding, and the few fixed fields
//! that frames need are read here, as leniently as Wireshark reads them. Packets never become parsed
//! blocks, which would allocate for each.
//! Source: draft-ietf-opsawg-pcapng.

use byteorder_slice::{BigEndian, LittleEndian};
use pcap_file::pcapng::blocks as block_type;
use pcap_file::pcapng::{PcapNgFormatError, PcapNgState, RawBlock, RawBlockParseError};

use super::{Content, Interface, LinkType, MAX_FRAME, Record, Resolution, Step, finding};
use crate::finding::Finding;
use crate::time::Time;

/// The longest block that is held in memory (Wireshark's limit); longer ones that hold no frame are skipped.
const MAX_BLOCK: usize = 16 << 20;
/// Bytes of an interface's name that are kept.
const MAX_NAME: usize = 256;
/// Findings that are kept from one frame to the next.
const MAX_FINDINGS: usize = 1000;
/// Before the body: type and length.
const BLOCK_HEADER_LEN: usize = 8;

/// Where the block at hand begins.
pub(super) struct Place {
    pub frame: u64,
    pub offset: u64,
}

/// The section being read.
#[derive(Default)]
pub(super) struct Section {
    big_endian: bool,
    /// `interfaces[first_interface..]` are this section's.
    first_interface: usize,
    begun: bool,
}

impl Section {
    pub(super) fn step(&mut self, bytes: &[u8], place: Place, interfaces: &mut Vec<Interface>, findings: &mut Vec<Finding>) -> Step {
        let parsed = if self.big_endian { RawBlock::from_slice::<BigEndian>(bytes) } else { RawBlock::from_slice::<LittleEndian>(bytes) };
        let block = match parsed {
            Ok((_, block)) => block,
            Err(RawBlockParseError::InvalidFormat(PcapNgFormatError::BlockNotAligned(len))) if len > 12 => match self.unaligned(bytes, len)
            {
                Ok(block) => {
                    note(findings, finding(place.frame, place.offset, format!("a block of {len} bytes, which is no multiple of 4")));
                    block
                }
                Err(step) => return step,
            },
            Err(error) => return self.not_a_block(bytes, &error),
        };
        let len = BLOCK_HEADER_LEN + block.body.len() + 4;
        let body = &block.body[..];
        match block.type_ {
            type_ @ (block_type::ENHANCED_PACKET_BLOCK | block_type::PACKET_BLOCK) => self.packet(type_, body, len, interfaces),
            block_type::SIMPLE_PACKET_BLOCK => self.simple_packet(body, len, interfaces),
            block_type::SECTION_HEADER_BLOCK => {
                self.big_endian = body.first_chunk() == Some(&[0x1a, 0x2b, 0x3c, 0x4d]);
                self.first_interface = interfaces.len();
                self.begun = true;
                if self.u16(body, 4) != Some(1) {
                    return Step::Corrupt("a Section Header with an unknown major version".to_owned());
                }
                self.judge(&block, &place, findings);
                Step::Skip(len as u64)
            }
            block_type::INTERFACE_DESCRIPTION_BLOCK => {
                match self.interface(body) {
                    Some(interface) => interfaces.push(interface),
                    None => return Step::Corrupt(format!("an Interface Description of only {} bytes", body.len())),
                }
                self.judge(&block, &place, findings);
                Step::Skip(len as u64)
            }
            type_ if is_record(type_) => {
                let data = BLOCK_HEADER_LEN..BLOCK_HEADER_LEN + body.len();
                let original_len = match type_ {
                    // Wireshark does not count the enterprise number.
                    block_type::CUSTOM_BLOCK_COPIABLE | block_type::CUSTOM_BLOCK_NON_COPIABLE => body.len().saturating_sub(4),
                    block_type::SYSTEMD_JOURNAL_EXPORT_BLOCK => body.len(),
                    _ => 0,
                } as u32;
                let record = Record { time: Time::UNKNOWN, content: Content::Record(type_), interface: None, original_len, data };
                Step::Record { record, len }
            }
            _ => Step::Skip(len as u64),
        }
    }

    /// A block whose length is no multiple of 4: padded to one, as Wireshark reads it.
    fn unaligned<'a>(&self, bytes: &'a [u8], claimed: usize) -> Result<RawBlock<'a>, Step> {
        let len = claimed.next_multiple_of(4);
        if len > MAX_BLOCK {
            return Err(Step::Corrupt(format!("a block claims {claimed} bytes")));
        }
        let (Some(body), Some(trailer_len)) = (bytes.get(BLOCK_HEADER_LEN..len - 4), self.u32(bytes, len - 4)) else {
            return Err(Step::Need(len));
        };
        if trailer_len as usize != claimed {
            return Err(Step::Corrupt(format!("a block begins with the length {claimed} and ends with {trailer_len}")));
        }
        let type_ = self.u32(bytes, 0).expect("the block is there");
        Ok(RawBlock { type_, initial_len: len as u32, body: body.into(), trailer_len: len as u32 })
    }

    /// More bytes are needed, or the block is not framed as it should be.
    fn not_a_block(&self, bytes: &[u8], error: &RawBlockParseError) -> Step {
        let (Some(type_), Some(len)) = (self.u32(bytes, 0), self.u32(bytes, 4)) else {
            return Step::Need(if bytes.is_empty() { 1 } else { 12 });
        };
        let is_section = type_ == block_type::SECTION_HEADER_BLOCK;
        match error {
            RawBlockParseError::IncompleteBuffer(..) if bytes.len() < 12 => Step::Need(12),
            RawBlockParseError::IncompleteBuffer(..) => {
                let len = match bytes.get(8..12) {
                    Some([0x1a, 0x2b, 0x3c, 0x4d]) if is_section => u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
                    Some(_) if is_section => u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
                    _ => len,
                } as usize;
                if len <= MAX_BLOCK {
                    Step::Need(len)
                } else if holds_state(type_) || is_record(type_) {
                    Step::Corrupt(format!("a block of type {type_:#x} claims {len} bytes"))
                } else {
                    Step::Skip(len as u64)
                }
            }
            RawBlockParseError::InvalidFormat(rule) => Step::Corrupt(format!("a block of type {type_:#x} is not framed as pcapng: {rule}")),
        }
    }

    /// An Enhanced Packet Block, or the obsolete Packet Block that it replaced.
    ///
    /// Both hold the interface, then time, captured and original length at the same places; only the
    /// interface's number is shorter in the old one.
    fn packet(&self, type_: u32, body: &[u8], len: usize, interfaces: &[Interface]) -> Step {
        let Some((fixed, room)) = body.split_first_chunk::<20>() else {
            return Step::Corrupt(format!("a packet block of only {} bytes", body.len()));
        };
        let number = |at: usize| {
            let bytes = [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]];
            if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let id = match (type_, self.big_endian) {
            (block_type::PACKET_BLOCK, true) => number(0) >> 16,
            (block_type::PACKET_BLOCK, false) => number(0) & 0xffff,
            _ => number(0),
        };
        let captured = number(12) as usize;
        if captured > room.len() {
            return Step::Corrupt(format!("a packet block with room for {} bytes claims {captured}", room.len()));
        }
        if captured > MAX_FRAME {
            return Step::Corrupt(format!("a packet of {captured} captured bytes, more than the {MAX_FRAME} that a frame can have"));
        }
        let ticks = u64::from(number(4)) << 32 | u64::from(number(8));
        let interface = self.first_interface + id as usize;
        let (time, content) = match interfaces.get(interface) {
            Some(interface) => (interface.time(ticks), Content::Packet(interface.link_type)),
            None => (Time::UNKNOWN, Content::UnknownInterface),
        };
        let start = BLOCK_HEADER_LEN + fixed.len();
        let record = Record { time, content, interface: Some(interface as u32), original_len: number(16), data: start..start + captured };
        Step::Record { record, len }
    }

    /// A Simple Packet Block: no time, the section's first interface, length by its snap length.
    fn simple_packet(&self, body: &[u8], len: usize, interfaces: &[Interface]) -> Step {
        let Some(original_len) = self.u32(body, 0) else {
            return Step::Corrupt("a Simple Packet Block without a length".to_owned());
        };
        let interface = interfaces.get(self.first_interface);
        let snap_len = interface.and_then(|interface| interface.snap_len).unwrap_or(u32::MAX);
        let captured = (original_len.min(snap_len) as usize).min(body.len() - 4);
        if captured > MAX_FRAME {
            return Step::Corrupt(format!("a packet of {captured} captured bytes, more than the {MAX_FRAME} that a frame can have"));
        }
        let content = interface.map_or(Content::UnknownInterface, |interface| Content::Packet(interface.link_type));
        let start = BLOCK_HEADER_LEN + 4;
        let interface = Some(self.first_interface as u32);
        let record = Record { time: Time::UNKNOWN, content, interface, original_len, data: start..start + captured };
        Step::Record { record, len }
    }

    fn interface(&self, body: &[u8]) -> Option<Interface> {
        let mut interface = Interface {
            name: None,
            link_type: LinkType(self.u16(body, 0)?),
            snap_len: Some(self.u32(body, 4)?).filter(|&len| len > 0),
            resolution: Resolution::Decimal(6),
            offset_seconds: 0,
        };
        let mut options = &body[8..];
        while let (Some(code @ 1..), Some(len)) = (self.u16(options, 0), self.u16(options, 2)) {
            let Some(value) = options.get(4..4 + usize::from(len)) else { break };
            match (code, value) {
                (2, name) => {
                    let name = &name[..name.len().min(MAX_NAME)];
                    interface.name = Some(String::from_utf8_lossy(name).trim_end_matches('\0').to_owned());
                }
                (9, [n @ 0..=127]) => interface.resolution = Resolution::Decimal(*n),
                (9, [n]) => interface.resolution = Resolution::Binary(n & 0x7f),
                (14, value) => {
                    if let Ok(value) = <[u8; 8]>::try_from(value) {
                        interface.offset_seconds = if self.big_endian { i64::from_be_bytes(value) } else { i64::from_le_bytes(value) };
                    }
                }
                _ => {}
            }
            options = options.get(4 + usize::from(len).next_multiple_of(4)..).unwrap_or_default();
        }
        Some(interface)
    }

    /// Has `pcap-file` read the block strictly, and keeps what it says.
    fn judge(&self, block: &RawBlock<'_>, place: &Place, findings: &mut Vec<Finding>) {
        let state = PcapNgState::default();
        let verdict = if self.big_endian {
            block.clone().try_into_block_with_byteorder::<BigEndian>(&state)
        } else {
            block.clone().try_into_block_with_byteorder::<LittleEndian>(&state)
        };
        if let Err(error) = verdict {
            let name = if block.type_ == block_type::SECTION_HEADER_BLOCK { "Section Header" } else { "Interface Description" };
            note(findings, finding(place.frame, place.offset, format!("the {name} Block departs from the format: {}", chain(&error))));
        }
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }
}

/// Keeps a finding; blocks that are no frames can bring any number before anybody asks for them.
fn note(findings: &mut Vec<Finding>, finding: Finding) {
    if findings.len() < MAX_FINDINGS {
        findings.push(finding);
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Blocks without which later ones cannot be read.
fn holds_state(type_: u32) -> bool {
    matches!(
        type_,
        block_type::SECTION_HEADER_BLOCK
            | block_type::INTERFACE_DESCRIPTION_BLOCK
            | block_type::ENHANCED_PACKET_BLOCK
            | block_type::SIMPLE_PACKET_BLOCK
            | block_type::PACKET_BLOCK
    )
}

/// Blocks without a packet that Wireshark numbers as frames all the same: Custom Blocks, the systemd
/// journal's, and Sysdig's events (checked with tshark 4.0).
fn is_record(type_: u32) -> bool {
    matches!(
        type_,
        block_type::SYSTEMD_JOURNAL_EXPORT_BLOCK
            | block_type::CUSTOM_BLOCK_COPIABLE
            | block_type::CUSTOM_BLOCK_NON_COPIABLE
            | 0x204
            | 0x216
            | 0x221
    )
}
