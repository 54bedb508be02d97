//! Where the code implements the RFCs, and which frames show it: task 4.3.
//!
//! The tables are the pot's and the web app's own `RFC.md`, which tests keep true; here they are only read.

use htcpcp::{CoffeeUri, Command, Method};
use serde_json::json;

use super::words::list;
use super::{Answer, Evidence, Notebook, Proof};
use crate::exchange::Exchange;
use crate::message::Message;

/// The pot's table, and the web app's, whose numbers go on from there.
const TABLES: [&str; 2] = [include_str!("../../../pot/RFC.md"), include_str!("../../../webapp/RFC.md")];

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Row<'a> {
    number: u32,
    section: &'a str,
    requirement: &'a str,
    place: &'a str,
    test: &'a str,
}

/// The rows whose first cell is a number.
fn rows() -> impl Iterator<Item = Row<'static>> {
    TABLES.into_iter().flat_map(str::lines).filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [number, section, requirement, place, test] = cells[..] else { return None };
        Some(Row { number: number.parse().ok()?, section, requirement, place, test })
    })
}

/// 4.3
pub(super) fn table(notebook: &Notebook) -> Answer {
    let exchanges: Vec<&Exchange> = notebook.htcpcp().collect();
    let rows: Vec<(Row<'_>, Vec<u64>)> = rows().map(|row| (row, shown_in(row.number, &exchanges))).collect();
    let shown: Vec<u32> = rows.iter().filter(|(_, frames)| !frames.is_empty()).map(|(row, _)| row.number).collect();
    let mut answer = format!(
        "The pot and the web app keep tables of {} requirements: the section of the RFC, the place in the code, the test that holds \
         it. A test fails if a place or a test of a table does not exist.",
        rows.len()
    );
    answer.push_str(&match shown.len() {
        0 => " This capture shows none of them at work.".to_owned(),
        count => format!(" This capture shows {count} of them at work: numbers {}.", list(&shown)),
    });
    answer
        .push_str(" The tables are about this project's programs; a capture of others shows what was asked and answered, not their code.");
    let proof = Proof::of(&rows, |(row, frames)| {
        let place = if frames.len() == 1 { "frame" } else { "frames" };
        let seen = if frames.is_empty() { String::new() } else { format!("; seen in {place} {}", list(frames)) };
        let Row { number, section, requirement, place, test } = row;
        Evidence::new(frames.iter().copied(), format!("{number}. {section}, {requirement}: {place}, test {test}{seen}"))
    });
    Answer::new(notebook, answer, proof, "htcpcp", || {
        let fact = |(row, frames): &(Row<'_>, Vec<u64>)| {
            json!({
                "number": row.number,
                "section": row.section,
                "requirement": row.requirement,
                "place": row.place.replace('`', ""),
                "test": row.test.replace('`', ""),
                "frames": frames,
            })
        };
        json!({ "requirements": rows.iter().map(fact).collect::<Vec<_>>() })
    })
}

/// The frames that show a requirement at work; of those that no message can show, none.
fn shown_in(number: u32, exchanges: &[&Exchange]) -> Vec<u64> {
    let requests = |test: &dyn Fn(&Message) -> bool| {
        frames(exchanges.iter().filter_map(|exchange| exchange.complete_request()).filter(|message| test(message)))
    };
    let responses = |test: &dyn Fn(&Message) -> bool| {
        frames(exchanges.iter().filter_map(|exchange| exchange.complete_response()).filter(|message| test(message)))
    };
    let method = |wanted: Method| requests(&|message| Method::from_bytes(message.head.method()) == Some(wanted));
    let status = |wanted: u16| responses(&|message| message.head.status() == Some(wanted));
    let content = |wanted: &str| requests(&|message| field_starts(message, "Content-Type", wanted));
    let additions = |message: &Message| message.head.field("Accept-Additions").is_some_and(|value| !value.trim_ascii().is_empty());
    match number {
        1 => method(Method::Brew),
        2 | 3 | 46 => method(Method::Post),
        4 | 55 => content(htcpcp::header::COFFEE_POT_COMMAND),
        5 => content(htcpcp::header::COFFEEPOT),
        6 => status(415),
        7 => requests(&|message| Command::parse(&message.body).is_some()),
        8 => status(400),
        9 | 47 => method(Method::Get),
        10 | 48 => method(Method::Propfind),
        11 | 49 => method(Method::When),
        12 => status(409),
        13 => status(501),
        14 => responses(&|message| message.head.field("Safe").is_some()),
        16 | 51 => requests(&additions),
        24 | 25 | 52 => status(406),
        26 | 43 | 53 => status(418),
        27 | 28 | 54 => requests(&|message| CoffeeUri::parse(message.head.target()).is_some()),
        31 => content(htcpcp::header::TEAPOT),
        33 => responses(&|message| message.head.field("Alternates").is_some()),
        36 => status(300),
        41 => status(403),
        42 => status(503),
        44 => responses(&|message| ["Server", "Content-Type", "Date"].iter().all(|name| message.head.field(name).is_some())),
        45 => {
            requests(&|message| Method::from_bytes(message.head.method()) == Some(Method::Brew) && Command::parse(&message.body).is_some())
        }
        56 => requests(&|message| message.head.field("Use-Pot").is_some()),
        _ => Vec::new(),
    }
}

fn frames<'a>(messages: impl Iterator<Item = &'a Message>) -> Vec<u64> {
    messages.map(|message| message.last.frame).collect()
}

fn field_starts(message: &Message, name: &str, wanted: &str) -> bool {
    message
        .head
        .field(name)
        .is_some_and(|value| value.get(..wanted.len()).is_some_and(|value| value.eq_ignore_ascii_case(wanted.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_both_tables_is_read() {
        let numbers: Vec<u32> = rows().map(|row| row.number).collect();
        assert_eq!(numbers, (1..=56).collect::<Vec<_>>());
        let first = rows().next().expect("a row");
        assert_eq!((first.section, first.test), ("RFC 2324 §2.1.1", "`r01_brew_starts_a_brew`"));
    }
}
