//! Bytes as text and as times: Wireshark's encodings (`ENC_…`), and how it writes bytes in hexadecimal digits.

/// `ENC_LITTLE_ENDIAN`.
pub(crate) const LITTLE_ENDIAN: u32 = 0x8000_0000;
/// `ENC_UTF_8`.
pub(crate) const UTF_8: u32 = 2;
/// `ENC_UTF_16`.
pub(crate) const UTF_16: u32 = 4;
const UCS_2: u32 = 6;
const UCS_4: u32 = 8;
const ISO_8859_1: u32 = 10;
const WINDOWS_1252: u32 = 58;
/// `ENC_CHARENCODING_MASK`, but for what it shares with times.
pub(crate) const CHARACTERS: u32 = 0xfffc;
const ENCODINGS: u32 = 0xfffe;
/// `ENC_STR_TIME_MASK`.
pub(crate) const STR_TIME: u32 = 0x001f_0000;
/// `ENC_STR_HEX`.
pub(crate) const STR_HEX: u32 = 0x0200_0000;
/// `ENC_STR_NUM`.
pub(crate) const STR_NUM: u32 = 0x0100_0000;

/// What Windows-1252 has where ISO 8859-1 has control characters, from 0x80 on.
const WINDOWS_1252_CHARACTERS: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”',
    '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
];

/// How many bytes a unit of an encoding takes.
pub(crate) fn width(encoding: u32) -> usize {
    match encoding & ENCODINGS {
        UTF_16 | UCS_2 => 2,
        UCS_4 => 4,
        _ => 1,
    }
}

/// Text of bytes; what is no text becomes U+FFFD.
pub(crate) fn decode(bytes: &[u8], encoding: u32) -> String {
    let little = encoding & LITTLE_ENDIAN != 0;
    match encoding & ENCODINGS {
        UTF_8 => String::from_utf8_lossy(bytes).into_owned(),
        UTF_16 | UCS_2 => {
            let units = bytes.chunks_exact(2).map(|unit| {
                let unit = [unit[0], unit[1]];
                if little { u16::from_le_bytes(unit) } else { u16::from_be_bytes(unit) }
            });
            let mut text: String = char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            if bytes.len() % 2 == 1 {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            text
        }
        UCS_4 => bytes
            .chunks_exact(4)
            .map(|unit| {
                let unit = [unit[0], unit[1], unit[2], unit[3]];
                let code = if little { u32::from_le_bytes(unit) } else { u32::from_be_bytes(unit) };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            })
            .collect(),
        ISO_8859_1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        WINDOWS_1252 => bytes
            .iter()
            .map(|byte| match byte {
                0x80..=0x9f => WINDOWS_1252_CHARACTERS[usize::from(byte - 0x80)],
                _ => char::from(*byte),
            })
            .collect(),
        _ => bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER }).collect(),
    }
}

/// Whether a text has control characters, told by its bytes: those beyond ASCII begin with C2.
pub fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' || byte == 0x7f || byte == 0xc2) && text.contains(char::is_control)
}

/// Bytes in hexadecimal digits, at most `most` of them, with something between them if wanted.
pub(crate) fn hex(bytes: &[u8], between: Option<char>, most: usize) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len().min(most) * 3);
    for (at, byte) in bytes.iter().take(most).enumerate() {
        if let Some(between) = between.filter(|_| at > 0) {
            text.push(between);
        }
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    if bytes.len() > most {
        text.push('…');
    }
    text
}

/// Bytes that are written in hexadecimal digits, and how long they are so.
pub(crate) fn hex_digits(text: &[u8], encoding: u32) -> Option<(Vec<u8>, usize)> {
    let separator = match encoding & 0x001f_0000 {
        0x0002_0000 => Some(b':'),
        0x0004_0000 => Some(b'-'),
        0x0008_0000 => Some(b'.'),
        0x0010_0000 => Some(b' '),
        _ => None,
    };
    let mut bytes = Vec::new();
    let mut at = text.iter().position(|byte| *byte != b' ')?;
    while let [high, low, ..] = text[at..] {
        let (Some(high), Some(low)) = (char::from(high).to_digit(16), char::from(low).to_digit(16)) else { break };
        bytes.push((high * 16 + low) as u8);
        at += 2;
        if separator.is_some() && text.get(at) == separator.as_ref() && text.get(at + 1).is_some_and(u8::is_ascii_hexdigit) {
            at += 1;
        }
    }
    (!bytes.is_empty()).then_some((bytes, at))
}

/// A time that is written or coded in bytes: seconds, nanoseconds, and how many bytes it took.
pub(crate) fn time(bytes: &[u8], encoding: u32) -> Option<(i64, i32, usize)> {
    const DATE_TIME: u32 = 0x0003_0000;
    if encoding & 0x001f_0000 == DATE_TIME {
        return iso_8601(bytes);
    }
    let little = encoding & LITTLE_ENDIAN != 0;
    let number = |bytes: &[u8]| super::lua::unsigned(bytes, little);
    match (encoding & 0x3e, bytes.len()) {
        (18, 1..=8) => Some((number(bytes) as i64, 0, bytes.len())),
        (0, 8) => Some((number(&bytes[..4]) as i64, number(&bytes[4..]) as i32, 8)),
        (16, 8) => Some((number(&bytes[..4]) as i64, (number(&bytes[4..]) as i32).wrapping_mul(1000), 8)),
        (2, 8) => {
            let secs = number(&bytes[..4]) as i64;
            let secs = if secs & 0x8000_0000 == 0 { secs + 0x1_0000_0000 - 2_208_988_800 } else { secs - 2_208_988_800 };
            Some((secs, ((number(&bytes[4..]) as f64 / 4_294_967_296.0) * 1e9).round() as i32, 8))
        }
        (20, 1..=8) => Some((number(bytes) as i64 / 1000, (number(bytes) % 1000) as i32 * 1_000_000, bytes.len())),
        (48, 1..=8) => Some((number(bytes) as i64 / 1_000_000, (number(bytes) % 1_000_000) as i32 * 1000, bytes.len())),
        (40, 1..=8) => Some((number(bytes) as i64 / 1_000_000_000, (number(bytes) % 1_000_000_000) as i32, bytes.len())),
        _ => None,
    }
}

/// `2023-06-27T09:39:59.5Z`.
fn iso_8601(bytes: &[u8]) -> Option<(i64, i32, usize)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let start = text.len() - text.trim_start().len();
    let text = text.trim_start();
    let digits = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
    let mut at = 19;
    let mut nanos = 0;
    if text[at..].starts_with('.') {
        let fraction: String = text[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        at += 1 + fraction.len();
        nanos = format!("{fraction:0<9}")[..9].parse().ok()?;
    }
    let mut offset = 0;
    match text.as_bytes().get(at) {
        Some(b'Z') => at += 1,
        Some(sign @ (b'+' | b'-')) => {
            let hours = digits(at + 1..at + 3)?;
            let minutes = digits(at + 4..at + 6)?;
            offset = (hours * 60 + minutes) * 60 * if *sign == b'-' { -1 } else { 1 };
            at += 6;
        }
        _ => {}
    }
    let days = days_from_civil(year, month, day);
    Some((days * 86400 + hour * 3600 + minute * 60 + second - offset, nanos, start + at))
}

/// The days from 1970-01-01 to a date of the Gregorian calendar.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as u32, day)
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Jun 27, 2023 09:39:59.342121000 UTC`.
pub(crate) fn date(secs: i64, nanos: i32) -> String {
    let (year, month, day) = civil_from_days(secs.div_euclid(86400));
    let of_day = secs.rem_euclid(86400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{} {day:2}, {year} {hour:02}:{minute:02}:{second:02}.{nanos:09} UTC", MONTHS[month as usize - 1])
}

/// `2023/178:09:39:59.342121000 UTC`: by the day of the year.
pub(crate) fn day_of_year(secs: i64, nanos: i32) -> String {
    let days = secs.div_euclid(86400);
    let (year, ..) = civil_from_days(days);
    let of_year = days - days_from_civil(year, 1, 1) + 1;
    let of_day = secs.rem_euclid(86400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year}/{of_year:03}:{hour:02}:{minute:02}:{second:02}.{nanos:09} UTC")
}
