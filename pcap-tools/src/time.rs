//! Capture time: a point on the capturing host's clock, which a record may lack.

use std::fmt;

/// When a frame was captured: nanoseconds since the Unix epoch.
///
/// Shape: `i64` nanoseconds (years 1677 to 2262), or unknown: a Simple Packet Block has no time.
/// Finer resolutions are cut to the nanosecond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Time(i64);

impl Time {
    /// A record that carries no time.
    pub const UNKNOWN: Time = Time(i64::MIN);

    /// A known point in time; values beyond the range of `i64` are clamped.
    pub fn from_nanos(nanos: i128) -> Self {
        Self(nanos.clamp(i128::from(i64::MIN) + 1, i128::from(i64::MAX)) as i64)
    }

    /// Nanoseconds since the Unix epoch, or `None` if unknown.
    pub fn nanos(self) -> Option<i64> {
        (self != Self::UNKNOWN).then_some(self.0)
    }

    /// Nanoseconds from `earlier` to `self`; negative if the clock went back, `None` if either is unknown.
    pub fn since(self, earlier: Time) -> Option<i64> {
        self.nanos()?.checked_sub(earlier.nanos()?)
    }
}

impl From<i64> for Time {
    /// Nanoseconds since the Unix epoch; the least value of all is the unknown time.
    fn from(nanos: i64) -> Self {
        Self(nanos)
    }
}

/// RFC 3339 in UTC with microseconds, or with nanoseconds where they are not zero.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(nanos) = self.nanos() else {
            return f.write_str("unknown");
        };
        match jiff::Timestamp::from_nanosecond(i128::from(nanos)) {
            Ok(stamp) if nanos % 1000 == 0 => write!(f, "{stamp:.6}"),
            Ok(stamp) => write!(f, "{stamp:.9}"),
            Err(_) => f.write_str("unknown"),
        }
    }
}

/// A place in a capture: which frame, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Wireshark's frame number, from 1.
    pub frame: u64,
    /// When that frame was captured.
    pub time: Time,
}

impl Mark {
    /// Before any frame: number 0, which no frame has.
    pub const NONE: Mark = Mark { frame: 0, time: Time::UNKNOWN };

    /// The later of two marks, by frame number.
    pub fn max(self, other: Mark) -> Mark {
        if other.frame > self.frame { other } else { self }
    }
}

/// A duration with the unit that suits it.
pub fn duration(nanos: i64) -> String {
    let micros = nanos as f64 / 1000.0;
    match nanos.unsigned_abs() {
        0..1_000_000 if nanos % 1000 == 0 => format!("{} µs", nanos / 1000),
        0..1_000_000 => format!("{micros:.3} µs"),
        1_000_000..1_000_000_000 => format!("{:.3} ms", micros / 1000.0),
        _ => format!("{:.3} s", micros / 1_000_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_rfc_3339() {
        assert_eq!(Time::from_nanos(1_687_858_799_342_121_000).to_string(), "2023-06-27T09:39:59.342121Z");
        assert_eq!(Time::from_nanos(1_000_000_001).to_string(), "1970-01-01T00:00:01.000000001Z");
        assert_eq!(Time::UNKNOWN.to_string(), "unknown");
    }

    #[test]
    fn differences_are_unknown_where_a_time_is() {
        let (a, b) = (Time::from_nanos(5), Time::from_nanos(12));
        assert_eq!(b.since(a), Some(7));
        assert_eq!(a.since(b), Some(-7));
        assert_eq!(b.since(Time::UNKNOWN), None);
    }
}
