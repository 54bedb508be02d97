//! What is known of the current frame beside its bytes and its tree: what Wireshark's `pinfo` shows, and the columns.

use std::collections::BTreeMap;
use std::fmt;

use super::field::ProtocolId;
use super::table::HandleId;

/// An address of any layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// There is none.
    #[default]
    None,
    /// Of Ethernet.
    Ether([u8; 6]),
    /// Of IPv4.
    Ipv4([u8; 4]),
    /// Of IPv6.
    Ipv6([u8; 16]),
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Ether([first, rest @ ..]) => {
                write!(out, "{first:02x}")?;
                rest.iter().try_for_each(|byte| write!(out, ":{byte:02x}"))
            }
            Self::Ipv4(bytes) => std::net::Ipv4Addr::from(*bytes).fmt(out),
            Self::Ipv6(bytes) => std::net::Ipv6Addr::from(*bytes).fmt(out),
        }
    }
}

/// Of which protocol the ports are (Wireshark's `port_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // They are their names.
pub enum PortType {
    #[default]
    None = 0,
    Sctp = 1,
    Tcp = 2,
    Udp = 3,
}

/// A conversation, as far as a dissector can be set for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conversation {
    /// A connection of TCP by its `tcp.stream`.
    Tcp(u32),
    /// The same of UDP.
    Udp(u32),
}

/// A column of the packet list.
#[derive(Clone, Debug, Default)]
pub struct Column {
    text: String,
    fence: usize,
    frozen: bool,
}

impl Column {
    /// All of its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Replaces what stands behind the fence.
    pub fn set(&mut self, text: &str) {
        self.clear();
        self.append(text);
    }

    /// Removes what stands behind the fence.
    pub fn clear(&mut self) {
        if !self.frozen {
            self.text.truncate(self.fence);
        }
    }

    /// Lets nobody write into it for a while.
    pub fn freeze(&mut self) {
        self.frozen = true;
    }

    /// Lets everybody write into it again.
    pub fn thaw(&mut self) {
        self.frozen = false;
    }

    /// Adds text to the end.
    pub fn append(&mut self, text: &str) {
        if self.frozen {
            return;
        }
        // Wireshark's COL_MAX_INFO_LEN and COL_MAX_LEN; whole characters only.
        let room = 4096_usize.saturating_sub(self.text.len());
        let mut len = text.len().min(room);
        while !text.is_char_boundary(len) {
            len -= 1;
        }
        self.text.push_str(&text[..len]);
    }

    /// Puts text before what stands behind the fence.
    pub fn prepend(&mut self, text: &str) {
        if !self.frozen {
            self.text.insert_str(self.fence, text);
        }
    }

    /// Keeps what stands there from `set` and `clear`.
    pub fn fence(&mut self) {
        self.fence = self.text.len();
    }

    /// Takes the fence away, and leaves the text.
    pub fn clear_fence(&mut self) {
        self.fence = 0;
    }

    fn reset(&mut self) {
        self.text.clear();
        (self.fence, self.frozen) = (0, false);
    }
}

/// The columns of the packet list.
#[derive(Debug, Default)]
pub struct Columns {
    /// Whether they are built at all: if nothing shows them, dissectors read their names in parentheses.
    pub built: bool,
    /// Protocol.
    pub protocol: Column,
    /// Info.
    pub info: Column,
    /// What dissectors write into other columns, by Lua's name of the column.
    pub others: BTreeMap<&'static str, Column>,
}

/// Facts about the current frame.
#[derive(Debug, Default)]
pub struct Packet {
    /// Its number, from 1.
    pub number: u32,
    /// Whether it was dissected before.
    pub visited: bool,
    /// When it was captured, in ns since the epoch.
    pub time: Option<i64>,
    /// Since the first frame, in ns.
    pub relative_time: Option<i64>,
    /// Since the frame before, in ns.
    pub delta_time: Option<i64>,
    /// Since the displayed frame before, in ns.
    pub displayed_delta_time: Option<i64>,
    /// The name of the interface that it was captured on.
    pub interface_name: Option<String>,
    /// Its length on the wire.
    pub wire_len: u32,
    /// Its length in the capture.
    pub captured_len: u32,
    /// Source and destination: of the link layer, of the network layer, and the innermost of both.
    pub link_source: Address,
    #[allow(missing_docs)]
    pub link_destination: Address,
    #[allow(missing_docs)]
    pub network_source: Address,
    #[allow(missing_docs)]
    pub network_destination: Address,
    #[allow(missing_docs)]
    pub source: Address,
    #[allow(missing_docs)]
    pub destination: Address,
    /// The ports, and of which protocol they are.
    pub source_port: u32,
    #[allow(missing_docs)]
    pub destination_port: u32,
    #[allow(missing_docs)]
    pub port_type: PortType,
    /// The number of the protocol in the IP packet.
    pub ip_protocol: u32,
    /// The number, or the text, by which the current dissector was found in a table.
    pub match_uint: u32,
    #[allow(missing_docs)]
    pub match_string: String,
    /// The protocol that is at work.
    pub current: Option<ProtocolId>,
    /// The conversation of which the frame is part.
    pub conversation: Option<Conversation>,
    /// More than 0 if a dissector may ask for more bytes (Wireshark's `can_desegment`; TCP sets 2, and a call into a
    /// sub-dissector takes one).
    pub can_desegment: u32,
    /// What `can_desegment` was for the dissector that called.
    pub saved_can_desegment: u32,
    /// Where the bytes begin that are to be handed over again.
    pub desegment_offset: u32,
    /// How many more are needed; or `ONE_MORE_SEGMENT`, or `UNTIL_FIN`.
    pub desegment_len: u32,
    /// Whether TCP's checks let sub-dissectors reassemble (`fragmented`).
    pub fragmented: bool,
    /// Whether the packet stands in an error message of another protocol.
    pub in_error_packet: bool,
    /// Wireshark's `p2p_dir`: -1 if it is not known.
    pub direction: i32,
    /// The seconds and words that dissectors leave for each other (`pinfo.private`).
    pub private: BTreeMap<String, String>,
    /// How deep dissectors have called each other.
    pub depth: u32,
    /// The protocols in the order in which they came up, for `frame.protocols`.
    pub layers: Vec<ProtocolId>,
    /// The dissector that a script set for the conversation (`pinfo.conversation`).
    pub conversation_dissector: Option<HandleId>,
    /// The columns.
    pub columns: Columns,
}

/// `desegment_len`: whatever the next segment brings.
pub const ONE_MORE_SEGMENT: u32 = 0x0fff_ffff;
/// `desegment_len`: everything until the connection closes.
pub const UNTIL_FIN: u32 = 0x0fff_fffe;

impl Packet {
    /// Makes ready for another frame; the room of the texts is kept.
    pub fn clear(&mut self) {
        let mut columns = std::mem::take(&mut self.columns);
        let mut layers = std::mem::take(&mut self.layers);
        columns.protocol.reset();
        columns.info.reset();
        columns.others.values_mut().for_each(Column::reset);
        layers.clear();
        *self = Self { columns, layers, direction: -1, ..Self::default() };
    }
}
