//! Values: what a field holds in a frame, and what a filter compares it with.

use std::cmp::Ordering;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What kind of values a field has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    /// None: it is there or not.
    Presence,
    /// A protocol: its bytes in the frame.
    Protocol,
    /// 0 or 1.
    Bool,
    /// A number of so many bits.
    Unsigned(u8),
    /// A number of so many bits, its sign being one of them.
    Signed(u8),
    /// A number with a fraction.
    Float,
    /// A number of a frame.
    Frame,
    /// Text, in whatever bytes were sent.
    Text,
    /// Bytes.
    Bytes,
    /// An address of Ethernet.
    Ether,
    /// Eight bytes that are an extended unique identifier.
    Eui64,
    /// Sixteen bytes that are a globally unique identifier.
    Guid,
    /// An object identifier, in the bytes of ASN.1.
    Oid,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A duration.
    Duration,
    /// A point in time.
    Time,
}

impl Type {
    /// Whether its values are bytes: they have slices, and can contain or match something.
    pub fn has_bytes(self) -> bool {
        matches!(self, Self::Protocol | Self::Text | Self::Bytes | Self::Ether | Self::Oid | Self::Ipv4 | Self::Ipv6)
    }

    /// Whether its values are whole numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Bool | Self::Unsigned(_) | Self::Signed(_) | Self::Frame)
    }

    /// As an error message calls it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Presence => "a field without values",
            Self::Protocol => "a protocol",
            Self::Bool => "a boolean",
            Self::Unsigned(_) => "an unsigned number",
            Self::Signed(_) => "a number",
            Self::Float => "a number with a fraction",
            Self::Frame => "a frame number",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Ether => "an Ethernet address",
            Self::Eui64 => "an EUI-64",
            Self::Guid => "a GUID",
            Self::Oid => "an object identifier",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Duration => "a duration in seconds",
            Self::Time => "a point in time",
        }
    }
}

/// One value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// The field is there.
    Present,
    /// Numbers, durations and times (in nanoseconds).
    Number(i128),
    /// A number with a fraction.
    Float(f64),
    /// Text, bytes, identifiers, Ethernet addresses, protocols.
    Bytes(&'a [u8]),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
}

impl Value<'_> {
    /// Its bytes, for slices and for what looks into them.
    pub fn with_bytes<R>(&self, then: impl FnOnce(&[u8]) -> R) -> Option<R> {
        match self {
            Self::Bytes(bytes) => Some(then(bytes)),
            Self::Ipv4(address) => Some(then(&address.octets())),
            Self::Ipv6(address) => Some(then(&address.octets())),
            Self::Present | Self::Number(_) | Self::Float(_) => None,
        }
    }
}

/// What a value is compared with.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Constant {
    Number(i128),
    Float(f64),
    Bytes(Vec<u8>),
    /// An address, and how many of its bits count.
    Ipv4(Ipv4Addr, u8),
    /// An address, and how many of its bits count.
    Ipv6(Ipv6Addr, u8),
}

impl Constant {
    /// The value that it is; without a mask.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Ipv4(address, _) => Value::Ipv4(*address),
            Self::Ipv6(address, _) => Value::Ipv6(*address),
        }
    }

    /// How `value` compares with it; `None` if the two cannot be compared.
    pub fn order(&self, value: Value<'_>) -> Option<Ordering> {
        match (value, self) {
            (Value::Ipv4(address), Self::Ipv4(other, bits)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(*bits)).unwrap_or(0);
                Some((address.to_bits() & mask).cmp(&(other.to_bits() & mask)))
            }
            (Value::Ipv6(address), Self::Ipv6(other, bits)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(*bits)).unwrap_or(0);
                Some((address.to_bits() & mask).cmp(&(other.to_bits() & mask)))
            }
            (value, constant) => order(value, constant.value()),
        }
    }
}

/// How two values compare; `None` if they cannot.
pub(super) fn order(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Some(left.cmp(&right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(&right),
        (Value::Bytes(left), Value::Bytes(right)) => Some(left.cmp(right)),
        (Value::Ipv4(left), Value::Ipv4(right)) => Some(left.cmp(&right)),
        (Value::Ipv6(left), Value::Ipv6(right)) => Some(left.cmp(&right)),
        _ => None,
    }
}

/// What a word or a string means as a value of that type; an error says what was expected.
pub(super) fn constant(kind: Type, text: &str) -> Result<Constant, String> {
    let expected = |what: &str| format!("\"{text}\" is not {what}");
    match kind {
        Type::Presence => Err("this field has no values to compare with".to_owned()),
        Type::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "set" | "1" => Ok(Constant::Number(1)),
            "false" | "not set" | "0" => Ok(Constant::Number(0)),
            _ => number(text).map(|number| Constant::Number(i128::from(number != 0))).ok_or_else(|| expected("true or false")),
        },
        Type::Unsigned(bits) => within(text, i128::MIN, (1 << bits) - 1),
        Type::Frame => within(text, i128::MIN, (1 << 32) - 1),
        Type::Signed(bits) => within(text, -(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        Type::Float => text.parse().map(Constant::Float).map_err(|_| expected("a number")),
        Type::Text => Ok(Constant::Bytes(text.as_bytes().to_vec())),
        Type::Protocol | Type::Bytes => match bytes(text) {
            Some(bytes) => Ok(Constant::Bytes(bytes)),
            None if text.starts_with("0x") => Err(expected("a string of whole bytes")),
            None => Ok(Constant::Bytes(text.as_bytes().to_vec())),
        },
        Type::Ether => bytes(text).filter(|bytes| bytes.len() == 6).map(Constant::Bytes).ok_or_else(|| expected("an Ethernet address")),
        Type::Eui64 => bytes(text).filter(|bytes| bytes.len() == 8).map(Constant::Bytes).ok_or_else(|| expected("an EUI-64")),
        Type::Guid => guid(text).map(Constant::Bytes).ok_or_else(|| expected("a GUID")),
        Type::Oid => oid(text).map(Constant::Bytes).ok_or_else(|| expected("an object identifier")),
        Type::Ipv4 => {
            let (address, bits) = prefix(text, 32).ok_or_else(|| expected("an IPv4 address"))?;
            address.parse().map(|address| Constant::Ipv4(address, bits)).map_err(|_| expected("an IPv4 address"))
        }
        Type::Ipv6 => {
            let (address, bits) = prefix(text, 128).ok_or_else(|| expected("an IPv6 address"))?;
            address.parse().map(|address| Constant::Ipv6(address, bits)).map_err(|_| expected("an IPv6 address"))
        }
        Type::Duration => seconds(text).map(Constant::Number).ok_or_else(|| expected("a number of seconds")),
        Type::Time => time(text).map(Constant::Number).ok_or_else(|| expected("a time such as 2023-06-27 09:39:59.342121Z")),
    }
}

fn within(text: &str, min: i128, max: i128) -> Result<Constant, String> {
    let number = number(text).ok_or_else(|| format!("\"{text}\" is not a number"))?;
    if number > max {
        return Err(format!("{text} is too large for this field, whose maximum is {max}"));
    }
    if number < min {
        return Err(format!("{text} is too small for this field, whose minimum is {min}"));
    }
    Ok(Constant::Number(number))
}

/// A number: decimal, 0x…, 0b…, or octal with a leading 0, as in C.
pub(super) fn number(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_str() {
        digits if digits.starts_with("0x") => (16, &digits[2..]),
        digits if digits.starts_with("0b") => (2, &digits[2..]),
        digits if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        digits => (10, digits),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok().map(|number| sign * i128::from(number))
}

/// Bytes such as `01:02`, `01-02`, `01.02`, `0102` or `0x0102` of whole pairs of digits, or one of a single digit, as tshark 4.0
/// reads them.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let separator = [':', '-', '.'].into_iter().find(|separator| text.contains(*separator));
    let pair = |digits: &str| {
        let sound = (1..=2).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| sound)
    };
    let text = text.strip_prefix("0x").filter(|digits| digits.len() > 1).unwrap_or(text);
    match separator {
        Some(separator) => text.split(separator).map(pair).collect(),
        None if text.len() == 1 => pair(text).map(|byte| vec![byte]),
        None if text.len() >= 2 && text.len().is_multiple_of(2) && text.is_ascii() => {
            (0..text.len()).step_by(2).map(|at| pair(&text[at..at + 2])).collect()
        }
        None => None,
    }
}

/// A GUID such as `47455420-636f-6666-6565-3a2f2f647563`.
fn guid(text: &str) -> Option<Vec<u8>> {
    let groups = text.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12]).then(|| bytes(&text.replace('-', ""))).flatten()
}

/// An object identifier such as `1.3.6.1`, in the bytes of ASN.1 (X.690 §8.19).
fn oid(text: &str) -> Option<Vec<u8>> {
    let mut arcs = text.split('.').map(|arc| arc.parse::<u64>().ok());
    let (first, second) = (arcs.next()??, arcs.next()??);
    let mut encoded = Vec::new();
    for arc in std::iter::once(first.checked_mul(40)?.checked_add(second)).chain(arcs) {
        let arc = arc?;
        let digits = (1..=9).rev().filter(|digit| arc >> (7 * digit) != 0).map(|digit| (arc >> (7 * digit)) as u8 | 0x80);
        encoded.extend(digits.chain([arc as u8 & 0x7f]));
    }
    Some(encoded)
}

/// An address and the length of its prefix in bits.
fn prefix(text: &str, all: u8) -> Option<(&str, u8)> {
    match text.split_once('/') {
        None => Some((text, all)),
        Some((address, bits)) => bits.parse().ok().filter(|bits| *bits <= all).map(|bits| (address, bits)),
    }
}

/// Seconds with a fraction, as nanoseconds.
fn seconds(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { i128::from(whole.parse::<u64>().ok()?) };
    let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
    Some(sign * (whole * 1_000_000_000 + fraction))
}

/// A date with a time, ISO 8601; UTC, unless it says otherwise. Nanoseconds since the Unix epoch.
fn time(text: &str) -> Option<i128> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Some(stamp.as_nanosecond());
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Type, text: &str, expected: Option<Constant>) {
        assert_eq!(constant(kind, text).ok(), expected, "{text}");
    }

    #[test]
    fn numbers_in_every_base() {
        for (text, number) in [("80", 80), ("0x50", 80), ("0b101", 5), ("010", 8), ("-1", -1), ("0", 0)] {
            check(Type::Unsigned(16), text, Some(Constant::Number(number)));
        }
        for text in ["65536", "", "abc", "--1", "0x"] {
            check(Type::Unsigned(16), text, None);
        }
    }

    #[test]
    fn bytes_in_every_spelling() {
        for text in ["01:02:ff", "01-02-FF", "01.02.ff", "0102ff"] {
            assert_eq!(bytes(text), Some(vec![1, 2, 255]), "{text}");
        }
        assert_eq!(bytes("GET"), None);
        check(Type::Bytes, "2", Some(Constant::Bytes(vec![2])));
        check(Type::Bytes, "0x0800", Some(Constant::Bytes(vec![8, 0])));
        check(Type::Bytes, "0x2", None);
        check(Type::Protocol, "GET", Some(Constant::Bytes(b"GET".to_vec())));
        check(Type::Ether, "00:00:5e:00:53", None);
    }

    #[test]
    fn addresses_with_prefixes() {
        let constant = constant(Type::Ipv4, "10.1.0.0/16").unwrap();
        assert_eq!(constant.order(Value::Ipv4(Ipv4Addr::new(10, 1, 2, 3))), Some(Ordering::Equal));
        assert_eq!(constant.order(Value::Ipv4(Ipv4Addr::new(10, 2, 0, 0))), Some(Ordering::Greater));
        check(Type::Ipv6, "::1/129", None);
        check(Type::Ipv6, "::/0", Some(Constant::Ipv6(Ipv6Addr::UNSPECIFIED, 0)));
    }

    #[test]
    fn durations_and_times() {
        check(Type::Duration, "0.5", Some(Constant::Number(500_000_000)));
        check(Type::Duration, "-1", Some(Constant::Number(-1_000_000_000)));
        check(Type::Time, "2023-06-27 09:39:59.342121", Some(Constant::Number(1_687_858_799_342_121_000)));
        check(Type::Time, "2023-06-27T09:39:59.342121Z", Some(Constant::Number(1_687_858_799_342_121_000)));
        check(Type::Time, "yesterday", None);
    }
}
