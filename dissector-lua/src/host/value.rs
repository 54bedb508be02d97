//! What an item of the tree holds, apart from the field that says what it means.
//!
//! A value is small and is copied: text and bytes of their own stand in the tree's store and are named by their place
//! there, so that nothing is allocated for a field.

/// Where text or bytes stand in the tree's store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// How many bytes.
    pub len: u32,
}

impl Span {
    /// As a range of indices.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

/// The value of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Value {
    /// There is none: a line of text, a field of no type.
    #[default]
    None,
    /// Unsigned integers, booleans, characters, frame numbers, IPX networks.
    Unsigned(u64),
    /// Signed integers.
    Signed(i64),
    /// Floating point numbers.
    Float(f64),
    /// Text in the tree's store, in UTF-8.
    Text(Span),
    /// Bytes in the tree's store.
    Bytes(Span),
    /// The bytes where the item stands: what protocols and byte fields usually are.
    Place,
    /// A time since the epoch, or a duration; `nanos` has the sign of `secs`.
    Time {
        /// Whole seconds.
        secs: i64,
        /// The rest, in nanoseconds.
        nanos: i32,
    },
    /// An address of IPv4, in network order.
    Ipv4([u8; 4]),
    /// An address of IPv6.
    Ipv6([u8; 16]),
    /// An address of Ethernet.
    Ether([u8; 6]),
    /// An EUI-64, or a Fibre Channel name.
    Eui64([u8; 8]),
    /// A GUID, as it is written: the first three parts in big-endian order.
    Guid([u8; 16]),
}
