//! Both pots and their log, shared by all connections: orders come in, what is there to read goes out.
//!
//! Reading what brews costs no lock that a brew holds: writing to the disk takes its time, and GETs do not wait for it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use crate::brew::{Brew, Ended, Outcome, State};
use crate::clock::Clock;
use crate::menu::{BEANS, Beverage, Pot, Tea};
use crate::record;
use crate::store::{self, Store};

/// How brews go.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a brew takes.
    pub brew_time: Duration,
    /// How long the milk runs if nobody says WHEN.
    pub milk_time: Duration,
    /// For how many coffees there are beans; `None` if they never run out.
    pub servings: Option<u32>,
}

/// The pots, their log and the clock on the wall.
pub struct Kitchen {
    clock: Clock,
    settings: Settings,
    work: Mutex<Work>,
    /// What is read about each pot, by its number.
    shown: [Shown; 2],
    /// Rings when a brew begins, since then there is a new deadline to wait for.
    begun: Notify,
}

struct Work {
    states: [State; 2],
    store: Store,
    /// Endings that are not in the log yet: they wait there while the disk fails.
    unwritten: Vec<Ended>,
    servings_left: Option<u32>,
    /// How many coffees were ever begun: the beans are taken in turn.
    coffees: i64,
}

impl Work {
    /// Writes down how brews ended.
    fn note(&mut self, ended: impl IntoIterator<Item = Ended>) -> Result<(), store::Error> {
        self.unwritten.extend(ended);
        while let Some(ended) = self.unwritten.first() {
            self.store.end(*ended)?;
            self.unwritten.remove(0);
        }
        Ok(())
    }
}

/// What there is to read about a pot until an instant; after it, or before the first brew, there is nothing.
///
/// The instant stands apart from the rest, so that those who ask a pot that brews nothing do not wait for each other.
struct Shown {
    /// In microseconds since the Unix epoch; [`Shown::NEVER`] if nothing is brewed.
    until_us: AtomicI64,
    records: RwLock<Records>,
}

struct Records {
    current: Bytes,
    properties: Bytes,
}

impl Shown {
    const NEVER: i64 = i64::MIN;

    fn nothing() -> Shown {
        let records = Records { current: record::NOTHING, properties: record::NOTHING };
        Shown { until_us: AtomicI64::new(Shown::NEVER), records: RwLock::new(records) }
    }

    fn is_over(&self, clock: &Clock) -> bool {
        let until_us = self.until_us.load(Ordering::Acquire);
        until_us == Shown::NEVER || clock.now().as_microsecond() >= until_us
    }

    fn set(&self, until_us: i64, records: Records) {
        *self.records.write().unwrap_or_else(PoisonError::into_inner) = records;
        self.until_us.store(until_us, Ordering::Release);
    }
}

/// What is to be brewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Of the next bean.
    Coffee,
    /// Of this variety.
    Tea(Tea),
}

/// Why an order was not carried out.
#[derive(Debug)]
pub enum Refused {
    /// The pot is brewing.
    Busy,
    /// There are no beans left.
    NoCoffee,
    /// There is no brew to stop.
    NothingBrews,
    /// There is a brew, perhaps, but no milk runs.
    NoMilkRuns,
    /// The log cannot be read or written.
    Log(store::Error),
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Refused {
        Refused::Log(error)
    }
}

impl Kitchen {
    /// A kitchen with idle pots.
    ///
    /// Errors: the log cannot be read.
    pub fn new(store: Store, settings: Settings, clock: Clock) -> Result<Kitchen, store::Error> {
        let coffees = store.count_of(Pot::Ducky)?;
        let work = Work { states: Default::default(), store, unwritten: Vec::new(), servings_left: settings.servings, coffees };
        let shown = [Shown::nothing(), Shown::nothing()];
        Ok(Kitchen { clock, settings, work: Mutex::new(work), shown, begun: Notify::new() })
    }

    /// The clock on the wall.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What is brewed, as JSON; `{}` if nothing is.
    pub fn current(&self, pot: Pot) -> Bytes {
        self.shown(pot, |records| &records.current)
    }

    /// What is known about what is brewed, as JSON; `{}` if nothing is.
    pub fn properties(&self, pot: Pot) -> Bytes {
        self.shown(pot, |records| &records.properties)
    }

    fn shown(&self, pot: Pot, which: impl FnOnce(&Records) -> &Bytes) -> Bytes {
        let shown = &self.shown[pot.number() as usize];
        if shown.is_over(&self.clock) {
            return record::NOTHING;
        }
        which(&shown.records.read().unwrap_or_else(PoisonError::into_inner)).clone()
    }

    /// Begins a brew. It is in the log, for good, when this returns. Writes to the disk.
    pub fn start(&self, wish: Wish, additions: Vec<&'static str>, milk: bool) -> Result<(), Refused> {
        let mut work = self.settled()?;
        let beverage = match wish {
            Wish::Coffee => Beverage::Coffee(BEANS[(work.coffees % BEANS.len() as i64) as usize]),
            Wish::Tea(tea) => Beverage::Tea(tea),
        };
        let pot = beverage.pot();
        if work.states[pot.number() as usize].brew().is_some() {
            return Err(Refused::Busy);
        }
        if wish == Wish::Coffee && work.servings_left == Some(0) {
            return Err(Refused::NoCoffee);
        }
        let started = self.clock.now();
        let brew_end = started.saturating_add(self.settings.brew_time).expect("a time of day and a Duration add up");
        let milk_end = milk.then(|| brew_end.saturating_add(self.settings.milk_time).expect("a time of day and a Duration add up"));
        let mut brew = Brew { id: 0, beverage, additions, started, brew_end, milk_end };
        brew.id = work.store.begin(&brew)?;
        if wish == Wish::Coffee {
            work.coffees += 1;
            work.servings_left = work.servings_left.map(|left| left - 1);
        }
        self.show(pot, Some(&brew));
        work.states[pot.number() as usize].start(brew);
        self.begun.notify_one();
        Ok(())
    }

    /// Stops the brew under way. What there is to say about it: nothing of coffee, its strength of tea.
    pub fn stop(&self, pot: Pot) -> Result<Bytes, Refused> {
        let mut work = self.settled()?;
        let now = self.clock.now();
        let state = &mut work.states[pot.number() as usize];
        let brew = state.brew().cloned().ok_or(Refused::NothingBrews)?;
        let ended = state.stop(now, Outcome::Stopped).expect("a brew is under way");
        self.show(pot, None);
        work.note([ended])?;
        Ok(match pot {
            Pot::Ducky => Bytes::new(),
            Pot::Tea => record::stopped_tea(&brew, now, &self.clock),
        })
    }

    /// Stops the milk.
    pub fn when(&self, pot: Pot) -> Result<(), Refused> {
        let mut work = self.settled()?;
        let ended = work.states[pot.number() as usize].when(self.clock.now()).ok_or(Refused::NoMilkRuns)?;
        self.show(pot, None);
        Ok(work.note([ended])?)
    }

    /// A page of the log of both pots as JSON: up to `most` brews with numbers below `before`. Reads from the disk.
    pub fn log(&self, before: i64, most: u32) -> Result<Bytes, Refused> {
        let work = self.settled()?;
        let mut entries = work.store.page(before, most + 1)?;
        let more = entries.len() > most as usize;
        entries.truncate(most as usize);
        Ok(record::page(&entries, work.store.count()?, more, &self.clock))
    }

    /// Notes brews that have become ready, as they do, until dropped.
    pub async fn keep_time(&self) {
        loop {
            let deadline = self.settled().map(|work| work.states.iter().filter_map(State::deadline).min());
            let begun = self.begun.notified();
            match deadline {
                Ok(Some(deadline)) => {
                    // Never zero, should the clock and the timer disagree by less than a millisecond.
                    let left = deadline.duration_since(self.clock.now()).unsigned_abs() + Duration::from_millis(1);
                    tokio::select! {
                        () = tokio::time::sleep(left) => {}
                        () = begun => {}
                    }
                }
                Ok(None) => begun.await,
                Err(error) => {
                    tracing::error!("{error:?}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Switches the pots off: what is under way is lost, and the log says so.
    pub fn close(&self) -> Result<(), Refused> {
        let mut work = self.settled()?;
        let now = self.clock.now();
        let lost: Vec<Ended> = work.states.iter_mut().filter_map(|state| state.stop(now, Outcome::Lost)).collect();
        Ok(work.note(lost)?)
    }

    /// The pots as they are by now.
    fn settled(&self) -> Result<MutexGuard<'_, Work>, Refused> {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let ready: Vec<Ended> = work.states.iter_mut().filter_map(|state| state.advance(now)).collect();
        work.note(ready)?;
        Ok(work)
    }

    fn show(&self, pot: Pot, brew: Option<&Brew>) {
        let (until_us, records) = match brew {
            Some(brew) => {
                let records = Records { current: record::current(brew, &self.clock), properties: record::properties(brew) };
                (brew.end().as_microsecond(), records)
            }
            None => (Shown::NEVER, Records { current: record::NOTHING, properties: record::NOTHING }),
        };
        self.shown[pot.number() as usize].set(until_us, records);
    }
}
