//! The log of every brew, in one SQLite file: brews and how they ended come in, pages of entries go out.
//!
//! What [`Store::begin`] has returned from is on the disk: the write-ahead log is synced at each commit, so that
//! neither a killed pot nor a power cut takes back a brew that was answered with 200. The file is locked while it
//! is open, since a second pot would take the first one's brews for lost.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use serde_json::value::RawValue;

use crate::brew::{Brew, Ended, Outcome};
use crate::menu::{Beverage, Pot};

/// The version of the tables, kept in the file as `user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE brews (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        pot          TEXT NOT NULL,
        tea          TEXT,             -- the variety; NULL for coffee
        bean         TEXT,             -- a JSON object; NULL for tea
        additions    TEXT NOT NULL,    -- a JSON array
        started_ms   INTEGER NOT NULL, -- since the Unix epoch, as all times here
        brew_end_ms  INTEGER NOT NULL,
        milk_end_ms  INTEGER,          -- NULL without milk
        when_said    INTEGER NOT NULL DEFAULT 0,
        ended_ms     INTEGER,          -- NULL while it runs, or if nobody knows
        outcome      TEXT              -- 'ready', 'stopped', 'lost'; NULL while it runs
    ) STRICT;
    CREATE INDEX running ON brews (id) WHERE outcome IS NULL;
    PRAGMA user_version = 1;";

/// An open log.
pub struct Store {
    path: PathBuf,
    connection: Connection,
}

/// One brew of the log.
#[derive(Debug)]
pub struct Entry {
    /// Its number; later ones have higher numbers.
    pub id: i64,
    /// The pot's name.
    pub pot: String,
    /// The variety of tea; `None` for coffee.
    pub tea: Option<String>,
    /// The bean, a JSON object; `None` for tea.
    pub bean: Option<Box<RawValue>>,
    /// The additions, a JSON array of strings.
    pub additions: Box<RawValue>,
    /// When it was started.
    pub started: Timestamp,
    /// When it was, or would have been, strong enough.
    pub brew_end: Timestamp,
    /// When the milk would have run out; `None` without milk.
    pub milk_end: Option<Timestamp>,
    /// Whether somebody said WHEN.
    pub when_said: bool,
    /// When it ended, if it has and somebody knows.
    pub ended: Option<Timestamp>,
    /// How it ended; `None` while it runs.
    pub outcome: Option<Outcome>,
}

impl Store {
    /// Opens the log at `path`, makes it if there is none, and notes that whatever was under way in it is lost.
    ///
    /// Errors: the file cannot be opened, is no log of ours, or another pot uses it.
    pub fn open(path: &Path) -> Result<Store, Error> {
        let fail = |cause| Error { path: path.into(), attempt: "open", cause };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| fail(Cause::Folder(error)))?;
        }
        let connection = Connection::open(path).map_err(|error| fail(error.into()))?;
        prepare(&connection).map_err(fail)?;
        Ok(Store { path: path.into(), connection })
    }

    /// A log in memory, for tests.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Store {
        let connection = Connection::open_in_memory().expect("SQLite opens a database in memory");
        connection.execute_batch(TABLES).expect("the tables are well-formed");
        Store { path: PathBuf::new(), connection }
    }

    /// Writes down that a brew begins, for good, and gives it its number. `brew.id` is not read.
    pub fn begin(&self, brew: &Brew) -> Result<i64, Error> {
        let (tea, bean) = match brew.beverage {
            Beverage::Coffee(bean) => (None, Some(json(&bean))),
            Beverage::Tea(tea) => (Some(tea.name), None),
        };
        self.attempt("write to", || {
            self.connection
                .prepare_cached(
                    "INSERT INTO brews (pot, tea, bean, additions, started_ms, brew_end_ms, milk_end_ms)
                     VALUES (?, ?, ?, ?, ?, ?, ?)",
                )?
                .insert(params![
                    brew.beverage.pot().name(),
                    tea,
                    bean,
                    json(&brew.additions),
                    brew.started.as_millisecond(),
                    brew.brew_end.as_millisecond(),
                    brew.milk_end.map(Timestamp::as_millisecond),
                ])
        })
    }

    /// Writes down how a brew ended.
    pub fn end(&self, ended: Ended) -> Result<(), Error> {
        self.attempt("write to", || {
            let at = ended.at.map(Timestamp::as_millisecond);
            self.connection
                .prepare_cached("UPDATE brews SET ended_ms = ?, outcome = ?, when_said = ? WHERE id = ?")?
                .execute(params![at, ended.outcome.as_str(), ended.when_said, ended.id])
                .map(drop)
        })
    }

    /// Up to `most` brews with numbers below `before`, the latest first.
    pub fn page(&self, before: i64, most: u32) -> Result<Vec<Entry>, Error> {
        self.attempt("read", || {
            self.connection
                .prepare_cached(
                    "SELECT id, pot, tea, bean, additions, started_ms, brew_end_ms, milk_end_ms, when_said, ended_ms, outcome
                     FROM brews WHERE id < ? ORDER BY id DESC LIMIT ?",
                )?
                .query_map(params![before, most], entry)?
                .collect()
        })
    }

    /// How many brews there are.
    pub fn count(&self) -> Result<i64, Error> {
        self.attempt("read", || self.connection.query_row("SELECT count(*) FROM brews", [], |row| row.get(0)))
    }

    /// How many brews of coffee or tea this pot has begun.
    pub fn count_of(&self, pot: Pot) -> Result<i64, Error> {
        self.attempt("read", || self.connection.query_row("SELECT count(*) FROM brews WHERE pot = ?", [pot.name()], |row| row.get(0)))
    }

    fn attempt<T>(&self, attempt: &'static str, work: impl FnOnce() -> rusqlite::Result<T>) -> Result<T, Error> {
        work().map_err(|error| Error { path: self.path.clone(), attempt, cause: error.into() })
    }
}

fn prepare(connection: &Connection) -> Result<(), Cause> {
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: Option<String> = connection.query_row("SELECT name FROM sqlite_master LIMIT 1", [], |row| row.get(0)).optional()?;
    let new = match (version, tables) {
        (VERSION, Some(_)) => false,
        (0, None) => true,
        _ => return Err(Cause::Foreign),
    };
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    if new {
        connection.execute_batch(&format!("BEGIN;{TABLES}COMMIT;"))?;
    }
    connection.execute("UPDATE brews SET outcome = ? WHERE outcome IS NULL", [Outcome::Lost.as_str()])?;
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let time = |column| -> rusqlite::Result<Option<Timestamp>> {
        let ms: Option<i64> = row.get(column)?;
        ms.map(Timestamp::from_millisecond).transpose().map_err(|error| wrong(column, error))
    };
    let known = |column| time(column)?.ok_or(rusqlite::Error::InvalidColumnType(column, "time".into(), rusqlite::types::Type::Null));
    let raw = |column| -> rusqlite::Result<Option<Box<RawValue>>> {
        let text: Option<String> = row.get(column)?;
        text.map(RawValue::from_string).transpose().map_err(|error| wrong(column, error))
    };
    let outcome: Option<String> = row.get(10)?;
    Ok(Entry {
        id: row.get(0)?,
        pot: row.get(1)?,
        tea: row.get(2)?,
        bean: raw(3)?,
        additions: raw(4)?.ok_or(rusqlite::Error::InvalidColumnType(4, "additions".into(), rusqlite::types::Type::Null))?,
        started: known(5)?,
        brew_end: known(6)?,
        milk_end: time(7)?,
        when_said: row.get(8)?,
        ended: time(9)?,
        outcome: outcome.and_then(|word| Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word)),
    })
}

fn wrong(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("strings become JSON")
}

/// Why the log cannot be used.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    attempt: &'static str,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Folder(std::io::Error),
    Sqlite(rusqlite::Error),
    Foreign,
}

impl From<rusqlite::Error> for Cause {
    fn from(error: rusqlite::Error) -> Cause {
        Cause::Sqlite(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} the log of brews {}", self.attempt, self.path.display())?;
        match &self.cause {
            Cause::Foreign => write!(f, ": it is a database of something else, or of a later version"),
            Cause::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                write!(f, ": another pot uses it; give this one another with --store")
            }
            Cause::Folder(_) | Cause::Sqlite(_) => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Folder(error) => Some(error),
            Cause::Sqlite(error) => Some(error),
            Cause::Foreign => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::{BEANS, Tea};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn brew(beverage: Beverage, started: i64) -> Brew {
        let additions = vec!["cream", "vanilla"];
        Brew { id: 0, beverage, additions, started: at(started), brew_end: at(started + 30), milk_end: Some(at(started + 90)) }
    }

    #[track_caller]
    fn check(path: &Path, expected: &[(i64, Option<Outcome>)]) {
        let entries = Store::open(path).unwrap().page(i64::MAX, 100).unwrap();
        let seen: Vec<_> = entries.iter().map(|entry| (entry.id, entry.outcome)).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn brews_are_kept_and_what_was_under_way_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("log.sqlite3");
        let store = Store::open(&path).unwrap();
        let first = store.begin(&brew(Beverage::Coffee(BEANS[0]), 0)).unwrap();
        let second = store.begin(&brew(Beverage::Tea(Tea::ALL[0]), 5)).unwrap();
        store.end(Ended { id: first, at: Some(at(40)), outcome: Outcome::Ready, when_said: true }).unwrap();
        drop(store);
        check(&path, &[(second, Some(Outcome::Lost)), (first, Some(Outcome::Ready))]);
    }

    #[test]
    fn an_entry_has_all_that_was_brewed() {
        let store = Store::in_memory();
        let id = store.begin(&brew(Beverage::Coffee(BEANS[1]), 1_000)).unwrap();
        let entry = store.page(id + 1, 1).unwrap().remove(0);
        assert_eq!((entry.id, entry.pot.as_str(), entry.tea, entry.outcome), (id, "ducky", None, None));
        assert_eq!(entry.additions.get(), r#"["cream","vanilla"]"#);
        assert!(entry.bean.unwrap().get().contains("Yirgacheffe"));
        assert_eq!((entry.started, entry.brew_end, entry.milk_end), (at(1_000), at(1_030), Some(at(1_090))));
        assert_eq!((store.count().unwrap(), store.count_of(Pot::Tea).unwrap()), (1, 0));
        assert!(store.page(id, 1).unwrap().is_empty());
    }

    #[test]
    fn a_second_pot_is_told_that_the_log_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.sqlite3");
        let _first = Store::open(&path).unwrap();
        let error = Store::open(&path).err().expect("the log is locked").to_string();
        assert!(error.ends_with("another pot uses it; give this one another with --store"), "{error}");
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("letter.txt");
        std::fs::write(&text, "Dear coffee, ".repeat(1000)).unwrap();
        assert!(Store::open(&text).is_err());
        assert_eq!(std::fs::read_to_string(&text).unwrap().len(), 13_000);

        let other = folder.path().join("other.sqlite3");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE tea (leaf TEXT)").unwrap();
        let error = Store::open(&other).err().expect("the tables are another's").to_string();
        assert!(error.ends_with("something else, or of a later version"), "{error}");
    }
}
