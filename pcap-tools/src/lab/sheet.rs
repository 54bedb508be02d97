//! The sheet of a class: tables of facts in, the questions that everybody is asked out, with their answers.
//!
//! Each has a name that stays, such as `3.1.handshakes`. A question that the capture does not decide, or to which the
//! answer is "none", is not on the sheet.

use std::collections::BTreeSet;

use super::truth::{Fact, Kind, Truth};

/// An answer, typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A number.
    Number(u64),
    /// A time in nanoseconds, asked for in microseconds.
    Micros(i64),
    /// Yes or no.
    Claim(bool),
    /// A word.
    Word(String),
    /// Numbers in any order.
    Numbers(BTreeSet<u64>),
    /// Words in any order.
    Words(BTreeSet<String>),
    /// Rows of so many frames, in any order.
    Rows(usize, BTreeSet<Vec<u64>>),
}

/// A question of the sheet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The task and a name: `3.1.handshakes`.
    pub id: String,
    /// The question.
    pub text: String,
    /// The right answer.
    pub answer: Answer,
    /// Frames that show it.
    pub frames: Vec<u64>,
    /// A display filter that shows it in Wireshark.
    pub filter: String,
}

impl Item {
    /// The task: `3.1`.
    pub fn task(&self) -> &str {
        self.id.rsplit_once('.').map_or(&self.id, |(task, _)| task)
    }

    /// The name within the task: `handshakes`.
    pub fn name(&self) -> &str {
        self.id.rsplit_once('.').map_or(&self.id, |(_, name)| name)
    }

    /// The group of tasks: `3`.
    pub fn group(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }
}

/// The questions, by task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sheet {
    /// In the order of the tasks.
    pub items: Vec<Item>,
}

/// Collects the items that have an answer.
struct Collector<'a> {
    truth: &'a Truth,
    items: Vec<Item>,
}

impl Sheet {
    pub(super) fn new(truth: &Truth) -> Self {
        let mut on = Collector { truth, items: Vec::new() };
        let ports = |connections: &str| truth.rows(&[connections]).next().map_or(String::new(), |(row, _)| row.filter.clone());
        let (web_app, pot) = (ports("3.2.connections"), ports("3.3.connections"));
        on.rows(
            "3.1.handshakes",
            "The frames of the first SYN, the first SYN-ACK and the ACK of each connection whose whole handshake was captured",
            &["3.1.syn", "3.1.syn_ack", "3.1.ack"],
            "tcp.flags.syn == 1 || (tcp.seq == 1 && tcp.ack == 1 && tcp.len == 0)",
        );
        on.first_rtt();
        on.single("3.2.server_port", "The port on which the web app listens");
        on.numbers(
            "3.2.client_ports",
            "The ports that the browser uses towards the web app",
            "3.2.client_port",
            &format!("tcp.flags.syn == 1 && ({web_app})"),
        );
        on.single("3.3.server_port", "The port on which the coffee pot listens");
        on.numbers(
            "3.3.client_ports",
            "The ports that the web app uses towards the pot",
            "3.3.client_port",
            &format!("tcp.flags.syn == 1 && ({pot})"),
        );
        for (task, protocol, server, ports) in [("3.4", "HTTP", "the web app", &web_app), ("3.5", "HTCPCP", "the coffee pot", &pot)] {
            on.single(&format!("{task}.request_count"), &format!("How many {protocol} requests {server} gets"));
            on.single(&format!("{task}.response_count"), &format!("How many {protocol} responses {server} sends (1xx does not count)"));
            for (kind, way) in [("request", "to"), ("response", "of")] {
                let id = format!("{task}.{kind}s");
                let text = format!("The frames that complete the {protocol} {kind}s {way} {server}");
                on.numbers(&id, &text, &id, &format!("{}.{kind} && ({ports})", protocol.to_lowercase()));
            }
        }
        on.common("4.1.request_version", "The version in the first line of the HTCPCP requests");
        on.common("4.1.response_version", "The version in the first line of the HTCPCP responses");
        on.single("4.2.same_port", "Does the web app use one port of its own for all connections to the pot?");
        on.words("4.4.methods", "The HTCPCP methods that the capture shows", "4.4.method", "htcpcp.request");
        on.words("4.4.headers", "The header fields that the HTCPCP requests have", "4.4.headers", "htcpcp.request");
        on.numbers(
            "5.1.base",
            "The frames of the requests for the base HTML page (the root, without a command for the pot)",
            "5.1.base",
            &format!("http.request && ({web_app})"),
        );
        on.single("5.2.same_port", "Does the browser use one port of its own for all connections to the web app?");
        on.common("5.3.version", "The version of HTTP that the browser speaks with the web app");
        on.persistent();
        on.numbers(
            "5.3.first_fins",
            "Of each connection that was closed by FIN: the frame of the FIN that came first",
            "5.3.first_fin",
            "tcp.flags.fin == 1",
        );
        on.rows(
            "5.4.assets",
            "Request and response of each file that a page needs (style sheets, scripts, pictures, icons)",
            &["5.4.assets", "5.4.responses"],
            &format!("http && ({web_app})"),
        );
        on.rows(
            "5.5.chains",
            "Of each HTCPCP exchange: the browser's request, the request to the pot, the pot's response, the response to the browser",
            &["5.5.browser_request", "5.5.pot_request", "5.5.pot_response", "5.5.browser_response"],
            "http || htcpcp",
        );
        for status in [200, 302, 304] {
            on.rows_with(
                &format!("6.{status}"),
                &format!("Request and response of each exchange of browser and web app with the status {status}"),
                ("6.status", status),
                &["3.4.requests", "3.4.response"],
                &format!("http.response.code == {status} && ({web_app})"),
            );
        }
        for status in [406, 418] {
            on.rows_with(
                &format!("7.{status}"),
                &format!("The HTCPCP request and response with the status {status}, and the browser's request and response around them"),
                ("7.code", status),
                &["7.pot_request", "7.pot_response", "7.browser_request", "7.browser_response"],
                &format!("htcpcp.response.code == {status} || http.response.code == {status}"),
            );
        }
        on.numbers("8.streams", "The numbers (tcp.stream) of the connections that carry TLS", "8.streams", "tls");
        on.words("8.server_names", "The server names (SNI) that the ClientHellos name", "8.server_name", "tls.handshake.type == 1");
        Self { items: on.items }
    }
}

impl<'a> Collector<'a> {
    fn add(&mut self, id: &str, text: &str, answer: Answer, mut frames: Vec<u64>, filter: &str) {
        frames.sort_unstable();
        frames.dedup();
        self.items.push(Item { id: id.to_owned(), text: text.to_owned(), answer, frames, filter: filter.to_owned() });
    }

    /// The one cell of a table with one row.
    fn single(&mut self, id: &str, text: &str) {
        let found = self.truth.rows(&[id]).next().and_then(|(row, cells)| Some((row, answer(cells[0]?))));
        if let Some((row, answer)) = found {
            let (frames, filter) = (row.frames.clone(), row.filter.clone());
            self.add(id, text, answer, frames, &filter);
        }
    }

    /// What all rows have in common.
    fn common(&mut self, id: &str, text: &str) {
        let (facts, frames) = self.column(id);
        if let Some(first) = facts.first()
            && facts.iter().all(|fact| fact == first)
        {
            let answer = answer(first);
            self.add(id, text, answer, frames, "http || htcpcp");
        }
    }

    /// A column's numbers.
    fn numbers(&mut self, id: &str, text: &str, column: &str, filter: &str) {
        let (facts, frames) = self.column(column);
        let number = |fact: &Fact| if let Fact::Number(number) = fact { Some(*number) } else { None };
        let numbers: BTreeSet<u64> = facts.into_iter().filter_map(number).collect();
        if !numbers.is_empty() {
            let are_frames = self.truth.column(column).1.kind == Kind::Frame;
            let frames = if are_frames { numbers.iter().copied().collect() } else { frames };
            self.add(id, text, Answer::Numbers(numbers), frames, filter);
        }
    }

    /// A column's words.
    fn words(&mut self, id: &str, text: &str, column: &str, filter: &str) {
        let (facts, frames) = self.column(column);
        let word = |fact: &Fact| if let Fact::Word(word) = fact { Some(word.clone()) } else { None };
        let words: BTreeSet<String> = facts.into_iter().filter_map(word).collect();
        if !words.is_empty() {
            self.add(id, text, Answer::Words(words), frames, filter);
        }
    }

    /// A column's facts, and the frames that show them.
    fn column(&self, column: &str) -> (Vec<&'a Fact>, Vec<u64>) {
        let known = self.truth.rows(&[column]).filter_map(|(row, cells)| Some((cells[0]?, row.frames.clone()))).collect::<Vec<_>>();
        let frames = known.iter().flat_map(|(_, frames)| frames.clone()).collect();
        (known.into_iter().map(|(fact, _)| fact).collect(), frames)
    }

    /// Rows of which all of these columns are known.
    fn rows(&mut self, id: &str, text: &str, columns: &[&str], filter: &str) {
        let rows = self.truth.rows(columns).filter_map(|(_, cells)| numbers_of(&cells)).collect();
        self.add_rows(id, text, columns.len(), rows, filter);
    }

    /// Those of them whose first column is that number.
    fn rows_with(&mut self, id: &str, text: &str, (column, number): (&str, u64), columns: &[&str], filter: &str) {
        let all = [&[column], columns].concat();
        let rows = self.truth.rows(&all).filter_map(|(_, cells)| numbers_of(&cells)).filter(|row| row[0] == number);
        let rows = rows.map(|row| row[1..].to_vec()).collect();
        self.add_rows(id, text, columns.len(), rows, filter);
    }

    fn add_rows(&mut self, id: &str, text: &str, width: usize, rows: BTreeSet<Vec<u64>>, filter: &str) {
        if !rows.is_empty() {
            let frames = rows.iter().flatten().copied().collect();
            self.add(id, text, Answer::Rows(width, rows), frames, filter);
        }
    }

    /// The handshake's time of the first connection that shows it.
    fn first_rtt(&mut self) {
        let mut rows = self.truth.rows(&["3.1.rtt"]);
        if let Some((row, Fact::Nanos(nanos))) = rows.find_map(|(row, cells)| Some((row, cells[0]?))) {
            let text = format!("Microseconds from the SYN to the ACK of {}", row.name);
            let (frames, filter) = (row.frames.clone(), row.filter.clone());
            self.add("3.1.rtt_us", &text, Answer::Micros(*nanos), frames, &filter);
        }
    }

    /// The streams that are persistent.
    fn persistent(&mut self) {
        let (mut streams, mut frames) = (BTreeSet::new(), Vec::new());
        for (row, cells) in self.truth.rows(&["5.3.stream", "5.3.persistent"]) {
            if let [Some(Fact::Number(stream)), Some(Fact::Claim(true))] = cells[..] {
                streams.insert(*stream);
                frames.extend(&row.frames);
            }
        }
        if !streams.is_empty() {
            let text = "The numbers (tcp.stream) of the connections with HTTP that are persistent";
            self.add("5.3.persistent", text, Answer::Numbers(streams), frames, "http.connection || tcp.flags.fin == 1");
        }
    }
}

fn answer(fact: &Fact) -> Answer {
    match fact {
        Fact::Number(number) => Answer::Number(*number),
        Fact::Nanos(nanos) => Answer::Micros(*nanos),
        Fact::Word(word) => Answer::Word(word.clone()),
        Fact::Claim(claim) => Answer::Claim(*claim),
    }
}

/// The numbers of a row of which all are known.
fn numbers_of(cells: &[Option<&Fact>]) -> Option<Vec<u64>> {
    let number = |cell: &Option<&Fact>| match cell {
        Some(Fact::Number(number)) => Some(*number),
        _ => None,
    };
    cells.iter().map(number).collect()
}
