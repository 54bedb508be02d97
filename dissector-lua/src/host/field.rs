//! Protocols and their fields: what a dissector declares before it sees a packet.
//!
//! As in Wireshark every protocol is a field, too, of [`Kind::Protocol`]; and an expert info is a field of [`Kind::None`].

use std::collections::HashMap;
use std::rc::Rc;

/// A protocol of the [`Registry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProtocolId(pub u32);

/// A field of the [`Registry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub u32);

/// A kind of expert info of the [`Registry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExpertId(pub u32);

/// The type of a field (Wireshark's `ftenum`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // They are their names.
pub enum Kind {
    None,
    Protocol,
    Boolean,
    Char,
    Uint8,
    Uint16,
    Uint24,
    Uint32,
    Uint40,
    Uint48,
    Uint56,
    Uint64,
    Int8,
    Int16,
    Int24,
    Int32,
    Int40,
    Int48,
    Int56,
    Int64,
    Float,
    Double,
    AbsoluteTime,
    RelativeTime,
    String,
    Stringz,
    UintString,
    StringzPad,
    StringzTrunc,
    Ether,
    Bytes,
    UintBytes,
    Ipv4,
    Ipv6,
    IpxNet,
    Framenum,
    Guid,
    Oid,
    RelOid,
    SystemId,
    Eui64,
    Vines,
    Fcwwn,
}

/// How a value is written (Wireshark's `field_display_e`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // They are their names.
pub enum Base {
    #[default]
    None,
    Dec,
    Hex,
    Oct,
    DecHex,
    HexDec,
    Dot,
    Dash,
    Colon,
    Space,
    Netmask,
    PortUdp,
    PortTcp,
    PortDccp,
    PortSctp,
    Oui,
    Local,
    Utc,
    DoyUtc,
    NtpUtc,
    Unix,
}

/// What the values of a field mean in words.
#[derive(Clone, Debug, Default)]
pub enum Strings {
    /// Nothing.
    #[default]
    None,
    /// A name for each of some values.
    Values(Rc<[(u64, Box<str>)]>),
    /// A name for each of some ranges, ends included.
    Ranges(Rc<[(u64, u64, Box<str>)]>),
    /// What true and false are called.
    TrueFalse(Rc<(Box<str>, Box<str>)>),
    /// A unit: for one, and for any other number.
    Unit(Rc<(Box<str>, Box<str>)>),
    /// What the frame is, whose number this is.
    Frame(FrameType),
    /// The field's children name its protocol.
    Protocol(ProtocolId),
}

/// What the number of a frame points to (Wireshark's `ft_framenum_type_t`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // They are their names.
pub enum FrameType {
    #[default]
    None,
    Request,
    Response,
    Ack,
    DupAck,
    RetransPrev,
    RetransNext,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// What filters call it: `tcp.port`.
    pub abbreviation: Box<str>,
    /// What the tree calls it: `Source or Destination Port`.
    pub name: Box<str>,
    /// A sentence about it; may be empty.
    pub description: Box<str>,
    /// Its type.
    pub kind: Kind,
    /// How it is written.
    pub base: Base,
    /// What its values mean.
    pub strings: Strings,
    /// The bits that are its own; 0 if all are. For a boolean without a mask the base is its width in bits, see `width`.
    pub mask: u64,
    /// The width in bits of what a boolean's bits are shown in; 0 otherwise.
    pub width: u32,
    /// Whose it is.
    pub protocol: ProtocolId,
}

/// A protocol.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// Its whole name: `Transmission Control Protocol`.
    pub name: Box<str>,
    /// Its short name, which columns show: `TCP`.
    pub short_name: Box<str>,
    /// What filters call it: `tcp`.
    pub abbreviation: Box<str>,
    /// Its field of [`Kind::Protocol`].
    pub field: FieldId,
}

/// How serious an expert info is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // They are their names.
pub enum Severity {
    Comment = 0x0010_0000,
    Chat = 0x0020_0000,
    Note = 0x0040_0000,
    Warning = 0x0060_0000,
    Error = 0x0080_0000,
}

/// What an expert info is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // They are their names.
pub enum Group {
    Checksum = 0x0100_0000,
    Sequence = 0x0200_0000,
    Response = 0x0300_0000,
    Request = 0x0400_0000,
    Undecoded = 0x0500_0000,
    Reassemble = 0x0600_0000,
    Malformed = 0x0700_0000,
    Debug = 0x0800_0000,
    Protocol = 0x0900_0000,
    Security = 0x0a00_0000,
    Comments = 0x0b00_0000,
    Decryption = 0x0c00_0000,
    Assumption = 0x0d00_0000,
    Deprecated = 0x0e00_0000,
    Receive = 0x0f00_0000,
    Interface = 0x1000_0000,
    DissectorBug = 0x1100_0000,
}

/// A kind of expert info.
#[derive(Clone, Debug)]
pub struct Expert {
    /// Its field.
    pub field: FieldId,
    /// What it says, unless it is told otherwise.
    pub text: Box<str>,
    /// How serious it is.
    pub severity: Severity,
    /// What it is about.
    pub group: Group,
}

/// Everything that is declared.
#[derive(Debug, Default)]
pub struct Registry {
    fields: Vec<Field>,
    protocols: Vec<Protocol>,
    experts: Vec<Expert>,
    names: HashMap<Box<str>, Vec<FieldId>>,
    protocol_names: HashMap<Box<str>, ProtocolId>,
    wanted: Vec<bool>,
}

impl Registry {
    /// Declares a protocol; `abbreviation` in lower case is what filters call it.
    pub fn add_protocol(&mut self, name: &str, short_name: &str, abbreviation: &str) -> ProtocolId {
        let id = ProtocolId(self.protocols.len() as u32);
        let field = self.add_field(Field {
            abbreviation: abbreviation.into(),
            name: name.into(),
            description: "".into(),
            kind: Kind::Protocol,
            base: Base::None,
            strings: Strings::Protocol(id),
            mask: 0,
            width: 0,
            protocol: id,
        });
        self.protocols.push(Protocol { name: name.into(), short_name: short_name.into(), abbreviation: abbreviation.into(), field });
        self.protocol_names.insert(abbreviation.into(), id);
        id
    }

    /// Declares a field; several may have one abbreviation.
    pub fn add_field(&mut self, field: Field) -> FieldId {
        let id = FieldId(self.fields.len() as u32);
        self.names.entry(field.abbreviation.clone()).or_default().push(id);
        self.fields.push(field);
        self.wanted.push(false);
        id
    }

    /// Declares a field in short: what built-in protocols mostly have.
    pub fn add(&mut self, protocol: ProtocolId, abbreviation: &str, name: &str, kind: Kind, base: Base) -> FieldId {
        self.add_field(Field {
            abbreviation: abbreviation.into(),
            name: name.into(),
            description: "".into(),
            kind,
            base,
            strings: Strings::None,
            mask: 0,
            width: 0,
            protocol,
        })
    }

    /// Declares a kind of expert info.
    pub fn add_expert(&mut self, protocol: ProtocolId, abbreviation: &str, text: &str, group: Group, severity: Severity) -> ExpertId {
        let field = self.add(protocol, abbreviation, text, Kind::None, Base::None);
        let id = ExpertId(self.experts.len() as u32);
        self.experts.push(Expert { field, text: text.into(), severity, group });
        id
    }

    /// A field.
    pub fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.0 as usize]
    }

    /// A protocol.
    pub fn protocol(&self, id: ProtocolId) -> &Protocol {
        &self.protocols[id.0 as usize]
    }

    /// A kind of expert info.
    pub fn expert(&self, id: ExpertId) -> &Expert {
        &self.experts[id.0 as usize]
    }

    /// The fields of that name; none, one or several.
    pub fn named(&self, abbreviation: &str) -> &[FieldId] {
        self.names.get(abbreviation).map_or(&[], Vec::as_slice)
    }

    /// The protocol that filters call by this name.
    pub fn protocol_named(&self, abbreviation: &str) -> Option<ProtocolId> {
        self.protocol_names.get(abbreviation).copied()
    }

    /// All fields, in the order of their declaration; their index is their [`FieldId`].
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// All protocols.
    pub fn protocols(&self) -> &[Protocol] {
        &self.protocols
    }

    /// Notes that somebody looks for a field (a filter, a column, a `Field.new`) even if the tree is not shown.
    pub fn want(&mut self, id: FieldId) {
        self.wanted[id.0 as usize] = true;
    }

    /// Whether somebody looks for a protocol or for a field of it.
    pub fn is_protocol_wanted(&self, id: ProtocolId) -> bool {
        let of_it = |(field, wanted): (&Field, &bool)| *wanted && field.protocol == id;
        self.fields.iter().zip(&self.wanted).any(of_it)
    }

    /// Whether somebody looks for a field.
    pub fn is_wanted(&self, id: FieldId) -> bool {
        self.wanted[id.0 as usize]
    }
}
