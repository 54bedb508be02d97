//! The time of day, for those who must say it: an instant comes in, the lab's and HTTP's ways of writing it go out.
//! The pot asks a [`Clock`] and nobody else, so that a test decides what time it is.

use std::sync::Mutex;

use http::HeaderValue;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Where the time comes from.
pub struct Clock {
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    zone: TimeZone,
    dates: Mutex<Dates>,
}

/// The values of the Date field in the second in which they were last asked for: making them costs more than
/// the rest of an answer.
struct Dates {
    second: i64,
    lab: HeaderValue,
    http: HeaderValue,
}

impl Clock {
    /// The clock of this machine, in its time zone.
    pub fn system() -> Clock {
        Clock::new(Timestamp::now, TimeZone::system())
    }

    /// A clock that shows what `now` says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static, zone: TimeZone) -> Clock {
        let never = Dates { second: i64::MIN, lab: HeaderValue::from_static(""), http: HeaderValue::from_static("") };
        Clock { now: Box::new(now), zone, dates: Mutex::new(never) }
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// `%a, %d %b %Y %H:%M:%S`, in local time: how the lab's records and its Date field write an instant.
    ///
    /// Source: lab dialect.
    pub fn lab_time(&self, instant: Timestamp) -> String {
        instant.to_zoned(self.zone.clone()).strftime("%a, %d %b %Y %H:%M:%S").to_string()
    }

    /// The Date field of an answer in HTCPCP, in the lab's way.
    pub fn lab_date(&self) -> HeaderValue {
        self.dates(|dates| dates.lab.clone())
    }

    /// The Date field of an answer in HTTP. Source: RFC 9110 §5.6.7.
    pub fn http_date(&self) -> HeaderValue {
        self.dates(|dates| dates.http.clone())
    }

    fn dates(&self, which: impl FnOnce(&Dates) -> HeaderValue) -> HeaderValue {
        let now = self.now();
        let mut dates = self.dates.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if dates.second != now.as_second() {
            let text = |text: String| HeaderValue::try_from(text).expect("a date is visible ASCII");
            *dates = Dates {
                second: now.as_second(),
                lab: text(self.lab_time(now)),
                http: text(now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            };
        }
        which(&dates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lab_writes_local_time_and_http_writes_gmt() {
        let instant: Timestamp = "2023-06-27T10:26:59Z".parse().unwrap();
        let clock = Clock::new(move || instant, TimeZone::fixed(jiff::tz::offset(2)));
        assert_eq!(clock.lab_date(), "Tue, 27 Jun 2023 12:26:59");
        assert_eq!(clock.http_date(), "Tue, 27 Jun 2023 10:26:59 GMT");
    }
}
