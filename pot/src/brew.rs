//! One pot's state machine: orders and the time come in, how a brew ended goes out. It reads no clock and keeps
//! no record.
//!
//! ```text
//!          start            brew_end, no milk
//!  Idle ──────────▶ Brewing ─────────────────▶ Ready ──start──▶ Brewing …
//!    ▲                │  │ brew_end, milk        ▲
//!    │     stop       │  ▼                       │ WHEN, or the jug is empty
//!    └────────────────┴─ PouringMilk ────────────┘
//! ```

use jiff::Timestamp;

use crate::menu::Beverage;

/// A brew under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brew {
    /// Its number in the log.
    pub id: i64,
    /// What it is.
    pub beverage: Beverage,
    /// What goes in, by the protocol's names, each once.
    pub additions: Vec<&'static str>,
    /// When it was started.
    pub started: Timestamp,
    /// When it is strong enough. Milk, if there is any, is poured from then on.
    pub brew_end: Timestamp,
    /// When the milk jug will be empty if nobody says WHEN; `None` without milk.
    pub milk_end: Option<Timestamp>,
}

impl Brew {
    /// When it is over, if nobody stops it.
    pub fn end(&self) -> Timestamp {
        self.milk_end.unwrap_or(self.brew_end)
    }

    /// How strong it is by `now`, in percent of what it should become.
    pub fn strength_percent(&self, now: Timestamp) -> u8 {
        let (all, gone) = (self.brew_end.duration_since(self.started), now.duration_since(self.started));
        let percent = (100.0 * gone.as_secs_f64() / all.as_secs_f64()).clamp(0.0, 100.0);
        percent as u8
    }
}

/// How a brew ended, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its number in the log.
    pub id: i64,
    /// When; `None` for a pot that was switched off without a word.
    pub at: Option<Timestamp>,
    /// How.
    pub outcome: Outcome,
    /// Whether somebody said WHEN.
    pub when_said: bool,
}

/// The ways to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was brewed, and its milk poured.
    Ready,
    /// Somebody stopped it. Tea is served as strong as it was by then.
    Stopped,
    /// The pot was switched off.
    Lost,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 3] = [Outcome::Ready, Outcome::Stopped, Outcome::Lost];

    /// The word for it in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ready => "ready",
            Outcome::Stopped => "stopped",
            Outcome::Lost => "lost",
        }
    }
}

/// What a pot is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing was brewed yet, or it was stopped.
    #[default]
    Idle,
    /// Not yet strong enough.
    Brewing(Brew),
    /// Strong enough; the milk runs until WHEN (RFC 2324 §2.1.4).
    PouringMilk(Brew),
    /// The last brew is done.
    Ready,
}

impl State {
    /// The brew under way.
    pub fn brew(&self) -> Option<&Brew> {
        match self {
            State::Brewing(brew) | State::PouringMilk(brew) => Some(brew),
            State::Idle | State::Ready => None,
        }
    }

    /// When the state changes by itself next.
    pub fn deadline(&self) -> Option<Timestamp> {
        match self {
            State::Brewing(brew) => Some(brew.brew_end),
            State::PouringMilk(brew) => brew.milk_end,
            State::Idle | State::Ready => None,
        }
    }

    /// Lets time pass up to `now`, and tells of the brew that became ready meanwhile.
    pub fn advance(&mut self, now: Timestamp) -> Option<Ended> {
        if let State::Brewing(brew) = self
            && brew.milk_end.is_some()
            && now >= brew.brew_end
        {
            *self = State::PouringMilk(brew.clone());
        }
        let brew = self.brew()?;
        if now < brew.end() {
            return None;
        }
        let ended = Ended { id: brew.id, at: Some(brew.end()), outcome: Outcome::Ready, when_said: false };
        *self = State::Ready;
        Some(ended)
    }

    /// Begins a brew.
    ///
    /// Panics if one is under way: whoever calls has asked [`State::brew`].
    pub fn start(&mut self, brew: Brew) {
        assert!(self.brew().is_none(), "a pot brews one thing at a time");
        *self = State::Brewing(brew);
    }

    /// Ends the brew under way, poured milk and all; `None` if there is none.
    pub fn stop(&mut self, now: Timestamp, outcome: Outcome) -> Option<Ended> {
        let id = self.brew()?.id;
        *self = State::Idle;
        Some(Ended { id, at: Some(now), outcome, when_said: false })
    }

    /// Ends the pouring of milk, and with it the brew; `None` if no milk is being poured.
    pub fn when(&mut self, now: Timestamp) -> Option<Ended> {
        let State::PouringMilk(brew) = self else { return None };
        let ended = Ended { id: brew.id, at: Some(now), outcome: Outcome::Ready, when_said: true };
        *self = State::Ready;
        Some(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::BEANS;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// From second 0: strong enough at 30, with milk until 90.
    fn brew(milk_end: Option<i64>) -> Brew {
        Brew {
            id: 7,
            beverage: Beverage::Coffee(BEANS[0]),
            additions: Vec::new(),
            started: at(0),
            brew_end: at(30),
            milk_end: milk_end.map(at),
        }
    }

    fn brewing(milk_end: Option<i64>) -> State {
        let mut state = State::default();
        state.start(brew(milk_end));
        state
    }

    #[track_caller]
    fn check(mut state: State, now: i64, ended: Option<i64>, expected: State) {
        let told = ended.map(|second| Ended { id: 7, at: Some(at(second)), outcome: Outcome::Ready, when_said: false });
        assert_eq!(state.advance(at(now)), told);
        assert_eq!(state, expected);
    }

    #[test]
    fn black_coffee_is_ready_when_it_is_strong() {
        check(State::Idle, 1000, None, State::Idle);
        check(brewing(None), 29, None, State::Brewing(brew(None)));
        check(brewing(None), 30, Some(30), State::Ready);
        check(brewing(None), 5000, Some(30), State::Ready);
        check(State::Ready, 5000, None, State::Ready);
    }

    #[test]
    fn milk_pours_until_the_jug_is_empty() {
        check(brewing(Some(90)), 29, None, State::Brewing(brew(Some(90))));
        check(brewing(Some(90)), 30, None, State::PouringMilk(brew(Some(90))));
        check(brewing(Some(90)), 90, Some(90), State::Ready);
    }

    #[test]
    fn when_stops_only_milk_that_runs() {
        let mut state = brewing(Some(90));
        assert_eq!(state.when(at(10)), None);
        state.advance(at(40));
        let ended = Ended { id: 7, at: Some(at(40)), outcome: Outcome::Ready, when_said: true };
        assert_eq!(state.when(at(40)), Some(ended));
        assert_eq!(state, State::Ready);
        assert_eq!(state.when(at(41)), None);
    }

    #[test]
    fn stop_ends_any_brew_and_nothing_else() {
        for mut state in [brewing(None), State::PouringMilk(brew(Some(90)))] {
            let ended = Ended { id: 7, at: Some(at(40)), outcome: Outcome::Stopped, when_said: false };
            assert_eq!(state.stop(at(40), Outcome::Stopped), Some(ended));
            assert_eq!(state, State::Idle);
        }
        assert_eq!(State::Ready.stop(at(40), Outcome::Stopped), None);
    }

    #[test]
    fn strength_grows_with_time_and_never_beyond_all() {
        let percent = |second| brew(None).strength_percent(at(second));
        assert_eq!([-5, 0, 15, 30, 60].map(percent), [0, 0, 50, 100, 100]);
    }
}
