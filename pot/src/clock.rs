//! The time of day, for those who must say it: an instant comes in, the lab's and HTTP's ways of writing it go out.
//! The pot asks a [`Clock`] and nobody else, so that a test decides what time it is.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Where the time comes from.
pub struct Clock {
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    zone: TimeZone,
    /// No other clock of this process has it.
    id: u64,
}

/// The values of the Date field in the second in which a clock was last asked for them: making them costs more than the
/// rest of an answer. Each thread has its own, because threads that share them wait for each other with every answer.
struct Dates {
    clock: u64,
    second: i64,
    lab: HeaderValue,
    http: HeaderValue,
}

thread_local! {
    static DATES: RefCell<Option<Dates>> = const { RefCell::new(None) };
}

impl Clock {
    /// The clock of this machine, in its time zone.
    pub fn system() -> Clock {
        Clock::new(Timestamp::now, TimeZone::system())
    }

    /// A clock that shows what `now` says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static, zone: TimeZone) -> Clock {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        Clock { now: Box::new(now), zone, id: NEXT_ID.fetch_add(1, Ordering::Relaxed) }
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
        DATES.with_borrow_mut(|dates| {
            let current = dates.take().filter(|dates| dates.clock == self.id && dates.second == now.as_second());
            which(dates.insert(current.unwrap_or_else(|| self.dates_at(now))))
        })
    }

    fn dates_at(&self, now: Timestamp) -> Dates {
        let value = |text: String| HeaderValue::try_from(text).expect("a date is visible ASCII");
        let http = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        Dates { clock: self.id, second: now.as_second(), lab: value(self.lab_time(now)), http: value(http) }
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
