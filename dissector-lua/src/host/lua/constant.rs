//! The numbers that Wireshark gives names to in Lua: types and bases of fields, encodings, severities and groups.

use mlua::{Lua, Result, Table};

use super::super::field::{Base, FrameType, Kind};

/// `base.RANGE_STRING`.
pub(crate) const RANGE_STRING: i64 = 256;
/// `base.UNIT_STRING`.
pub(crate) const UNIT_STRING: i64 = 4096;

const KINDS: [(Kind, &str, i64); 42] = [
    (Kind::None, "NONE", 0),
    (Kind::Protocol, "PROTOCOL", 1),
    (Kind::Boolean, "BOOLEAN", 2),
    (Kind::Char, "CHAR", 3),
    (Kind::Uint8, "UINT8", 4),
    (Kind::Uint16, "UINT16", 5),
    (Kind::Uint24, "UINT24", 6),
    (Kind::Uint32, "UINT32", 7),
    (Kind::Uint40, "UINT40", 8),
    (Kind::Uint48, "UINT48", 9),
    (Kind::Uint56, "UINT56", 10),
    (Kind::Uint64, "UINT64", 11),
    (Kind::Int8, "INT8", 12),
    (Kind::Int16, "INT16", 13),
    (Kind::Int24, "INT24", 14),
    (Kind::Int32, "INT32", 15),
    (Kind::Int40, "INT40", 16),
    (Kind::Int48, "INT48", 17),
    (Kind::Int56, "INT56", 18),
    (Kind::Int64, "INT64", 19),
    (Kind::Float, "FLOAT", 22),
    (Kind::Double, "DOUBLE", 23),
    (Kind::AbsoluteTime, "ABSOLUTE_TIME", 24),
    (Kind::RelativeTime, "RELATIVE_TIME", 25),
    (Kind::String, "STRING", 26),
    (Kind::Stringz, "STRINGZ", 27),
    (Kind::UintString, "UINT_STRING", 28),
    (Kind::Ether, "ETHER", 29),
    (Kind::Bytes, "BYTES", 30),
    (Kind::UintBytes, "UINT_BYTES", 31),
    (Kind::Ipv4, "IPv4", 32),
    (Kind::Ipv6, "IPv6", 33),
    (Kind::IpxNet, "IPXNET", 34),
    (Kind::Framenum, "FRAMENUM", 35),
    (Kind::Guid, "GUID", 36),
    (Kind::Oid, "OID", 37),
    (Kind::Eui64, "EUI64", 38),
    (Kind::Vines, "VINES", 40),
    (Kind::RelOid, "REL_OID", 41),
    (Kind::SystemId, "SYSTEM_ID", 42),
    (Kind::StringzPad, "STRINGZPAD", 43),
    (Kind::Fcwwn, "FCWWN", 44),
];

const BASES: [(Base, &str, i64); 21] = [
    (Base::None, "NONE", 0),
    (Base::Dec, "DEC", 1),
    (Base::Hex, "HEX", 2),
    (Base::Oct, "OCT", 3),
    (Base::DecHex, "DEC_HEX", 4),
    (Base::HexDec, "HEX_DEC", 5),
    (Base::Dot, "DOT", 8),
    (Base::Dash, "DASH", 9),
    (Base::Colon, "COLON", 10),
    (Base::Space, "SPACE", 11),
    (Base::Netmask, "NETMASK", 12),
    (Base::PortUdp, "PT_UDP", 13),
    (Base::PortTcp, "PT_TCP", 14),
    (Base::PortDccp, "PT_DCCP", 15),
    (Base::PortSctp, "PT_SCTP", 16),
    (Base::Oui, "OUI", 17),
    (Base::Local, "LOCAL", 18),
    (Base::Utc, "UTC", 19),
    (Base::DoyUtc, "DOY_UTC", 20),
    (Base::NtpUtc, "NTP_UTC", 21),
    (Base::Unix, "UNIX", 22),
];

const FRAMES: [(FrameType, &str, i64); 7] = [
    (FrameType::None, "NONE", 0),
    (FrameType::Request, "REQUEST", 1),
    (FrameType::Response, "RESPONSE", 2),
    (FrameType::Ack, "ACK", 3),
    (FrameType::DupAck, "DUP_ACK", 4),
    (FrameType::RetransPrev, "RETRANS_PREV", 5),
    (FrameType::RetransNext, "RETRANS_NEXT", 6),
];

/// The base of a number, without its flags.
pub(crate) fn base(number: i64) -> Option<Base> {
    BASES.iter().find(|(.., known)| *known == number).map(|(base, ..)| *base)
}

/// The number of a base.
pub(crate) fn base_number(base: Base) -> i64 {
    BASES.iter().find(|(known, ..)| *known == base).map_or(0, |(.., number)| *number)
}

/// What `tostring` calls a base.
pub(crate) fn base_name(base: Base) -> String {
    format!("base.{}", BASES.iter().find(|(known, ..)| *known == base).map_or("", |(_, name, _)| name))
}

/// The type of a number.
pub(crate) fn kind(number: i64) -> Option<Kind> {
    KINDS.iter().find(|(.., known)| *known == number).map(|(kind, ..)| *kind)
}

/// The number of a type.
pub(crate) fn kind_number(kind: Kind) -> i64 {
    KINDS.iter().find(|(known, ..)| *known == kind).map_or(0, |(.., number)| *number)
}

/// What `tostring` calls a type; it does not know protocols.
pub(crate) fn kind_name(kind: Kind) -> String {
    match KINDS.iter().find(|(known, ..)| *known == kind) {
        Some((known, name, _)) if *known != Kind::Protocol => format!("ftypes.{name}"),
        _ => "(null)".to_owned(),
    }
}

/// The frame type of a number.
pub(crate) fn frame_type(number: i64) -> Option<FrameType> {
    FRAMES.iter().find(|(.., known)| *known == number).map(|(frame, ..)| *frame)
}

/// Whether a type is of whole numbers.
pub(crate) fn is_integral(kind: Kind) -> bool {
    (3..=19).contains(&kind_number(kind))
}

/// Names of flags of a base and of what else stands in the tables of types.
const MORE_BASES: &[(&str, i64)] = &[
    ("CUSTOM", 6),
    ("EXP", 7),
    ("STR_WSP", 23),
    ("RANGE_STRING", 256),
    ("EXT_STRING", 512),
    ("VAL64_STRING", 1024),
    ("ALLOW_ZERO", 2048),
    ("UNIT_STRING", 4096),
    ("NO_DISPLAY_VALUE", 8192),
    ("PROTOCOL_INFO", 16384),
    ("SPECIAL_VALS", 32768),
    ("SHOW_ASCII_PRINTABLE", 65536),
    ("SHOW_UTF_8_PRINTABLE", 131_072),
];

const GROUPS: &[(&str, i64)] = &[
    ("CHECKSUM", 0x0100_0000),
    ("SEQUENCE", 0x0200_0000),
    ("RESPONSE_CODE", 0x0300_0000),
    ("REQUEST_CODE", 0x0400_0000),
    ("UNDECODED", 0x0500_0000),
    ("REASSEMBLE", 0x0600_0000),
    ("MALFORMED", 0x0700_0000),
    ("DEBUG", 0x0800_0000),
    ("PROTOCOL", 0x0900_0000),
    ("SECURITY", 0x0a00_0000),
    ("COMMENTS_GROUP", 0x0b00_0000),
    ("DECRYPTION", 0x0c00_0000),
    ("ASSUMPTION", 0x0d00_0000),
    ("DEPRECATED", 0x0e00_0000),
    ("RECEIVE", 0x0f00_0000),
    ("INTERFACE", 0x1000_0000),
    ("DISSECTOR_BUG", 0x1100_0000),
];

const SEVERITIES: &[(&str, i64)] =
    &[("COMMENT", 0x0010_0000), ("CHAT", 0x0020_0000), ("NOTE", 0x0040_0000), ("WARN", 0x0060_0000), ("ERROR", 0x0080_0000)];

/// Global numbers.
const GLOBALS: &[(&str, i64)] = &[
    ("DESEGMENT_ONE_MORE_SEGMENT", 0x0fff_ffff),
    ("ENC_BIG_ENDIAN", 0),
    ("ENC_LITTLE_ENDIAN", -0x8000_0000),
    ("ENC_HOST_ENDIAN", -0x8000_0000),
    ("ENC_ANTI_HOST_ENDIAN", 0),
    ("ENC_NA", 0),
    ("ENC_BOM", 0x2000_0000),
    ("ENC_ZIGBEE", 0x4000_0000),
    ("ENC_CHARENCODING_MASK", 0xfffe),
    ("ENC_ASCII", 0),
    ("ENC_ISO_646_IRV", 0),
    ("ENC_UTF_8", 2),
    ("ENC_UTF_16", 4),
    ("ENC_UCS_2", 6),
    ("ENC_UCS_4", 8),
    ("ENC_ISO_8859_1", 10),
    ("ENC_ISO_8859_2", 12),
    ("ENC_ISO_8859_3", 14),
    ("ENC_ISO_8859_4", 16),
    ("ENC_ISO_8859_5", 18),
    ("ENC_ISO_8859_6", 20),
    ("ENC_ISO_8859_7", 22),
    ("ENC_ISO_8859_8", 24),
    ("ENC_ISO_8859_9", 26),
    ("ENC_ISO_8859_10", 28),
    ("ENC_ISO_8859_11", 30),
    ("ENC_ISO_8859_13", 34),
    ("ENC_ISO_8859_14", 36),
    ("ENC_ISO_8859_15", 38),
    ("ENC_ISO_8859_16", 40),
    ("ENC_WINDOWS_1250", 42),
    ("ENC_3GPP_TS_23_038_7BITS", 44),
    ("ENC_3GPP_TS_23_038_7BITS_PACKED", 44),
    ("ENC_EBCDIC", 46),
    ("ENC_MAC_ROMAN", 48),
    ("ENC_CP437", 50),
    ("ENC_ASCII_7BITS", 52),
    ("ENC_T61", 54),
    ("ENC_EBCDIC_CP037", 56),
    ("ENC_WINDOWS_1252", 58),
    ("ENC_WINDOWS_1251", 60),
    ("ENC_CP855", 62),
    ("ENC_CP866", 64),
    ("ENC_ISO_646_BASIC", 66),
    ("ENC_BCD_DIGITS_0_9", 68),
    ("ENC_KEYPAD_ABC_TBCD", 70),
    ("ENC_KEYPAD_BC_TBCD", 72),
    ("ENC_3GPP_TS_23_038_7BITS_UNPACKED", 76),
    ("ENC_ETSI_TS_102_221_ANNEX_A", 78),
    ("ENC_GB18030", 80),
    ("ENC_EUC_KR", 82),
    ("ENC_APN_STR", 84),
    ("ENC_DECT_STANDARD_8BITS", 86),
    ("ENC_DECT_STANDARD_4BITS_TBCD", 88),
    ("ENC_EBCDIC_CP500", 96),
    ("ENC_STR_NUM", 0x0100_0000),
    ("ENC_STR_HEX", 0x0200_0000),
    ("ENC_STRING", 0x0300_0000),
    ("ENC_STR_MASK", 0xfffe),
    ("ENC_NUM_PREF", 0x0020_0000),
    ("ENC_SEP_NONE", 0x0001_0000),
    ("ENC_SEP_COLON", 0x0002_0000),
    ("ENC_SEP_DASH", 0x0004_0000),
    ("ENC_SEP_DOT", 0x0008_0000),
    ("ENC_SEP_SPACE", 0x0010_0000),
    ("ENC_SEP_MASK", 0x001f_0000),
    ("ENC_ISO_8601_DATE", 0x0001_0000),
    ("ENC_ISO_8601_TIME", 0x0002_0000),
    ("ENC_ISO_8601_DATE_TIME", 0x0003_0000),
    ("ENC_RFC_822", 0x0004_0000),
    ("ENC_RFC_1123", 0x0004_0000),
    ("ENC_IMF_DATE_TIME", 0x0004_0000),
    ("ENC_ISO_8601_DATE_TIME_BASIC", 0x0010_0000),
    ("ENC_STR_TIME_MASK", 0x001f_0000),
    ("ENC_BCD_ODD_NUM_DIG", 0x0001_0000),
    ("ENC_BCD_SKIP_FIRST", 0x0002_0000),
    ("ENC_TIME_SECS_NSECS", 0),
    ("ENC_TIME_TIMESPEC", 0),
    ("ENC_TIME_NTP", 2),
    ("ENC_TIME_TOD", 4),
    ("ENC_TIME_RTPS", 8),
    ("ENC_TIME_NTP_BASE_ZERO", 8),
    ("ENC_TIME_SECS_USECS", 16),
    ("ENC_TIME_TIMEVAL", 16),
    ("ENC_TIME_SECS", 18),
    ("ENC_TIME_MSECS", 20),
    ("ENC_TIME_SECS_NTP", 24),
    ("ENC_TIME_RFC_3971", 32),
    ("ENC_TIME_MSEC_NTP", 34),
    ("ENC_TIME_MIP6", 36),
    ("ENC_TIME_MP4_FILE_SECS", 38),
    ("ENC_TIME_CLASSIC_MAC_OS_SECS", 38),
    ("ENC_TIME_NSECS", 40),
    ("ENC_TIME_USECS", 48),
    ("ENC_TIME_ZBEE_ZCL", 50),
    ("ENC_VARINT_PROTOBUF", 2),
    ("ENC_VARINT_QUIC", 4),
    ("ENC_VARINT_ZIGZAG", 8),
    ("ENC_VARINT_SDNV", 16),
    ("ENC_VARINT_MASK", 30),
    ("P2P_DIR_UNKNOWN", -1),
    ("P2P_DIR_SENT", 0),
    ("P2P_DIR_RECV", 1),
    ("PI_SEVERITY_MASK", 0x00f0_0000),
    ("PI_GROUP_MASK", -0x0100_0000),
    ("MENU_PACKET_ANALYZE_UNSORTED", 0),
    ("MENU_ANALYZE_UNSORTED", 0),
    ("MENU_ANALYZE_CONVERSATION", 1),
    ("MENU_ANALYZE_CONVERSATION_FILTER", 1),
    ("MENU_PACKET_STAT_UNSORTED", 2),
    ("MENU_STAT_UNSORTED", 2),
    ("MENU_STAT_GENERIC", 3),
    ("MENU_STAT_CONVERSATION", 4),
    ("MENU_STAT_CONVERSATION_LIST", 4),
    ("MENU_STAT_ENDPOINT", 5),
    ("MENU_STAT_ENDPOINT_LIST", 5),
    ("MENU_STAT_RESPONSE", 6),
    ("MENU_STAT_RESPONSE_TIME", 6),
    ("MENU_STAT_RSERPOOL", 7),
    ("MENU_STAT_TELEPHONY", 8),
    ("MENU_TELEPHONY_UNSORTED", 8),
    ("MENU_STAT_TELEPHONY_ANSI", 9),
    ("MENU_TELEPHONY_ANSI", 9),
    ("MENU_STAT_TELEPHONY_GSM", 10),
    ("MENU_TELEPHONY_GSM", 10),
    ("MENU_STAT_TELEPHONY_3GPP_UU", 11),
    ("MENU_TELEPHONY_3GPP_UU", 11),
    ("MENU_STAT_TELEPHONY_MTP3", 12),
    ("MENU_TELEPHONY_MTP3", 12),
    ("MENU_STAT_TELEPHONY_SCTP", 13),
    ("MENU_TELEPHONY_SCTP", 13),
    ("MENU_TOOLS_UNSORTED", 14),
    ("MENU_LOG_ANALYZE_UNSORTED", 15),
    ("MENU_LOG_STAT_UNSORTED", 16),
];

fn fill(table: &Table, names: impl IntoIterator<Item = (&'static str, i64)>) -> Result<()> {
    names.into_iter().try_for_each(|(name, number)| table.raw_set(name, number))
}

/// Puts them where scripts look.
pub(crate) fn register(lua: &Lua) -> Result<()> {
    let globals = lua.globals();
    fill(&globals, GLOBALS.iter().copied())?;
    for (name, number) in GROUPS.iter().chain(SEVERITIES) {
        globals.raw_set(format!("PI_{name}"), *number)?;
    }
    let ftypes = lua.create_table()?;
    fill(&ftypes, KINDS.iter().map(|(_, name, number)| (*name, *number)))?;
    globals.raw_set("ftypes", ftypes)?;
    let base = lua.create_table()?;
    fill(&base, BASES.iter().map(|(_, name, number)| (*name, *number)))?;
    fill(&base, MORE_BASES.iter().copied())?;
    // They are nil in Wireshark, too: dissectors write them, and get the default.
    globals.raw_set("base", base)?;
    let frames = lua.create_table()?;
    fill(&frames, FRAMES.iter().map(|(_, name, number)| (*name, *number)))?;
    frames.raw_set("NUM_TYPES", FRAMES.len())?;
    globals.raw_set("frametype", frames)?;
    let expert = lua.create_table()?;
    let (group, severity) = (lua.create_table()?, lua.create_table()?);
    fill(&group, GROUPS.iter().copied())?;
    group.raw_set("GROUP_MASK", -0x0100_0000)?;
    fill(&severity, SEVERITIES.iter().copied())?;
    severity.raw_set("SEVERITY_MASK", 0x00f0_0000)?;
    expert.raw_set("group", group)?;
    expert.raw_set("severity", severity)?;
    globals.raw_set("expert", expert)
}
