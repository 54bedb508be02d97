//! What the driver knows of a frame and hands in as plain data: the host tracks no connections and reads no files.

/// A frame of a capture.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// When it was captured, in ns since the epoch.
    pub time: Option<i64>,
    /// Since the first frame, in ns.
    pub relative_time: Option<i64>,
    /// Since the frame before, in ns.
    pub delta_time: Option<i64>,
    /// Since the last frame that was displayed, in ns.
    pub displayed_delta_time: Option<i64>,
    /// Its bytes, as far as they were captured.
    pub captured: &'a [u8],
    /// Its length on the wire.
    pub wire_len: u32,
    /// The type of its link layer: a number of the pcap format's list.
    pub link_type: u16,
    /// Which interface of the capture, if it says so.
    pub interface: Option<u32>,
    /// The name of that interface.
    pub interface_name: Option<&'a str>,
    /// What TCP knows of it, if it is of TCP.
    pub segment: Option<Segment>,
    /// The whole packet, if it is the one of some IP fragments that makes it whole.
    pub datagram: Option<Datagram<'a>>,
}

/// A packet put together of IP fragments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Datagram<'a> {
    /// What IP carries.
    pub bytes: &'a [u8],
    /// Its fragments in their order.
    pub fragments: &'a [Fragment],
}

/// A fragment of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The frame that brought it.
    pub frame: u32,
    /// Where it begins in the packet.
    pub offset: u32,
    /// How many bytes it brought.
    pub len: u32,
}

/// What connection tracking knows of a segment of TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Segment {
    /// The connection's number in the capture, from 0 (`tcp.stream`).
    pub stream: u32,
    /// Which end sent it: 0 or 1.
    pub side: u8,
    /// The server's port, where a SYN told it.
    pub server_port: Option<u16>,
    /// The sequence number of its first byte, counted from the connection's first.
    pub relative_sequence: u32,
    /// The number behind it.
    pub next_sequence: u32,
    /// The same of what it acknowledges.
    pub relative_acknowledgment: u32,
    /// What the other direction begins with: SACK blocks count from it.
    pub other_base: u32,
    /// The window in bytes.
    pub window: u32,
    /// What the window field is multiplied by: -1 unknown, -2 not at all, `None` for a SYN.
    pub scale_factor: Option<i32>,
    /// What of the conversation was seen before: 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST.
    pub completeness: u8,
    /// Since the connection's first frame, in ns.
    pub relative_time: Option<i64>,
    /// Since its frame before, in ns.
    pub delta_time: Option<i64>,
    /// From SYN to ACK, in ns, where it is shown.
    pub initial_rtt: Option<i64>,
    /// What is remarked about it.
    pub remarks: Remarks,
    /// Which repetition of which frame's acknowledgment it is.
    pub duplicate_ack: Option<(u32, u32)>,
}

/// What sequence analysis remarks about a segment, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remarks(pub u16);

#[allow(missing_docs)] // They are their names.
impl Remarks {
    pub const RETRANSMISSION: Self = Self(1 << 1);
    pub const FAST_RETRANSMISSION: Self = Self(1 << 2);
    pub const SPURIOUS_RETRANSMISSION: Self = Self(1 << 3);
    pub const OUT_OF_ORDER: Self = Self(1 << 4);
    pub const LOST_SEGMENT: Self = Self(1 << 5);
    pub const ACK_LOST_SEGMENT: Self = Self(1 << 6);
    pub const WINDOW_UPDATE: Self = Self(1 << 7);
    pub const WINDOW_FULL: Self = Self(1 << 8);
    pub const KEEP_ALIVE: Self = Self(1 << 9);
    pub const KEEP_ALIVE_ACK: Self = Self(1 << 10);
    pub const DUPLICATE_ACK: Self = Self(1 << 11);
    pub const ZERO_WINDOW_PROBE: Self = Self(1 << 12);
    pub const ZERO_WINDOW: Self = Self(1 << 13);
    pub const ZERO_WINDOW_PROBE_ACK: Self = Self(1 << 14);

    /// Whether one of these is among them.
    pub fn any(self, of: &[Self]) -> bool {
        of.iter().any(|remark| self.0 & remark.0 != 0)
    }
}
