//! The lab's questions: connections and exchanges of a capture in, answers with their evidence out.
//!
//! Every answer is derived from the capture at hand; what it cannot show is said. Nobody is told apart by address,
//! since all programs of the lab share one: the ports say who is who. How answers are written is left to
//! [`report`](crate::report).
//!
//! ```
//! use pcap_tools::{capture::Reader, craft, exchange::Ports, lab::{self, Lab}, summary};
//!
//! let mut talk = craft::Conversation::new("127.0.0.1:55434".parse()?, "127.0.0.1:5030".parse()?);
//! talk.handshake().client("GET coffee://ducky HTTP/1.1\r\n\r\n").server("HTCPCP/1.1 200 OK\r\n\r\n{}").close(craft::Side::Server);
//! let reader = Reader::new(std::io::Cursor::new(craft::capture(&talk.packets())))?;
//! let (_, lab) = summary::run(reader, Ports::default(), Lab::new(Ports::default()));
//! let answers = lab.answers(lab::Tasks::All, lab::Detail::Facts);
//! assert_eq!(answers[4].task, "3.5");
//! assert_eq!(answers[4].facts["requests"], serde_json::json!([4]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chain;
pub mod marking;
mod messages;
mod page;
pub mod paper;
mod ports;
mod protocol;
pub mod quiz;
mod requirement;
pub mod sheet;
mod statuses;
mod truth;
mod verdict;
mod words;

pub use chain::{Chain, Parameter};

use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use crate::connection::{Connection, Side};
use crate::exchange::{Exchange, Ports, Protocol, Sink, Talk};
use crate::finding::Finding;
use crate::message::{Head, Message};
use crate::packet::Endpoint;
use sheet::Sheet;
use truth::Truth;

/// Bytes that are kept of each body of HTCPCP: a 406 lists what the pot has.
const MAX_BODY: usize = 4096;
/// Pieces of evidence that an answer lists; its facts have all.
const MAX_EVIDENCE: usize = 100;

/// A question of the lab.
#[derive(Clone, Copy, Debug)]
struct Question {
    task: &'static str,
    text: &'static str,
    answer: fn(&Notebook) -> Answer,
}

const QUESTIONS: [Question; 17] = [
    question("3.1", "Which packets are the TCP handshakes (SYN, SYN-ACK, ACK), and when is a handshake needed?", ports::handshakes),
    question("3.2", "Which ports do the browser and the web app use?", ports::browser),
    question("3.3", "Which ports do the web app and the coffee pot use?", ports::pot),
    question("3.4", "How many HTTP requests and responses are there, which is which, and how can one tell?", messages::http),
    question("3.5", "How many HTCPCP requests and responses are there, which is which, and how can one tell?", messages::htcpcp),
    question("4.1", "What do an HTCPCP request and an HTCPCP response look like?", protocol::formats),
    question("4.2", "Do the ports between the web app and the coffee pot stay the same?", ports::pot_again),
    question("4.3", "Where does the code implement the RFC?", requirement::table),
    question("4.4", "Which methods are implemented, and which header fields are accepted?", protocol::methods),
    question("5.1", "Which packet asks for the base HTML page?", page::base),
    question("5.2", "Do the ports between the browser and the web app stay the same?", ports::browser_again),
    question("5.3", "Which version of HTTP is spoken, and are the connections persistent? Why?", verdict::persistence),
    question("5.4", "How does the browser ask for the other files that a page needs?", page::assets),
    question("5.5", "How is the web app told which HTCPCP message to send?", chain::parameters),
    question("6", "Which requests were answered by 200, 302 and 304, and why?", statuses::reasons),
    question("7", "Where do 406 and 418 appear, and what did the browser get for each?", statuses::refusals),
    question("8", "With HTTPS in front, what can still be read?", statuses::encrypted),
];

const fn question(task: &'static str, text: &'static str, answer: fn(&Notebook) -> Answer) -> Question {
    Question { task, text, answer }
}

/// Which questions are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tasks {
    /// All of them.
    #[default]
    All,
    /// Those of a task (`5`), or a single one (`5.3`).
    Of(&'static str),
}

impl Tasks {
    fn holds(self, task: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(wanted) => task == wanted || task.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.')),
        }
    }
}

impl FromStr for Tasks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = QUESTIONS.iter().flat_map(|question| [question.task, question.task.split('.').next().unwrap_or_default()]);
        names.into_iter().find(|name| *name == text).map(Self::Of).ok_or_else(|| {
            let tasks: Vec<&str> = QUESTIONS.iter().map(|question| question.task).collect();
            format!("there is no such question; there are 3, 4 and 5, and {}", tasks.join(", "))
        })
    }
}

/// An answer.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Answer {
    /// The number of the question, such as `5.3`.
    pub task: &'static str,
    /// The question.
    pub question: &'static str,
    /// The answer in a few sentences.
    pub answer: String,
    /// Where to see it.
    pub evidence: Vec<Evidence>,
    /// How many more pieces of evidence there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_evidence: usize,
    /// A display filter that shows it in Wireshark.
    pub filter: String,
    /// The same for programs, by names that stay; null unless they are asked for.
    pub facts: Value,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Something that can be looked up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Evidence {
    /// Frame numbers.
    pub frames: Vec<u64>,
    /// What is to be seen there.
    pub text: String,
}

impl Evidence {
    fn new(frames: impl IntoIterator<Item = u64>, text: impl Into<String>) -> Self {
        Self { frames: frames.into_iter().collect(), text: text.into() }
    }
}

/// Evidence, as much of it as is listed.
struct Proof {
    shown: Vec<Evidence>,
    more: usize,
}

impl Proof {
    /// A piece of evidence for each item; of those that are not listed none is made.
    fn of<T>(items: impl IntoIterator<Item = T>, describe: impl FnMut(T) -> Evidence) -> Self {
        let mut items = items.into_iter();
        let shown = items.by_ref().take(MAX_EVIDENCE).map(describe).collect();
        Self { shown, more: items.count() }
    }
}

impl Answer {
    /// An answer whose question is still to be filled in.
    fn new(notebook: &Notebook, answer: impl Into<String>, proof: Proof, filter: impl Into<String>, facts: impl FnOnce() -> Value) -> Self {
        Self {
            task: "",
            question: "",
            answer: answer.into(),
            evidence: proof.shown,
            more_evidence: proof.more,
            filter: filter.into(),
            facts: if notebook.detail == Detail::Facts { facts() } else { Value::Null },
        }
    }
}

/// How much of an answer is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// What a person reads.
    Page,
    /// The facts, too.
    Facts,
}

/// Collects what the questions are about.
#[derive(Debug)]
pub struct Lab {
    notebook: Notebook,
}

/// What a capture holds for the lab, in order.
#[derive(Debug)]
pub struct Notebook {
    ports: Ports,
    /// By stream.
    connections: Vec<Link>,
    /// By first frame.
    exchanges: Vec<Exchange>,
    /// Streams and places of the exchanges, by both.
    by_stream: Vec<(u64, usize)>,
    detail: Detail,
}

/// A connection.
#[derive(Debug)]
struct Link {
    connection: Connection,
    talk: Talk,
}

impl Link {
    fn client(&self) -> Endpoint {
        self.connection.ends[self.talk.client]
    }

    fn server(&self) -> Endpoint {
        self.connection.ends[self.talk.client.other()]
    }

    fn stream(&self) -> u64 {
        self.connection.stream
    }

    /// Whether a SYN or SYN-ACK told who the client is.
    fn role_is_seen(&self) -> bool {
        self.connection.client.is_some()
    }

    fn end_name(&self, side: Side) -> &'static str {
        if side == self.talk.client { "client" } else { "server" }
    }
}

impl Lab {
    /// An empty notebook.
    pub fn new(ports: Ports) -> Self {
        Self { notebook: Notebook { ports, connections: Vec::new(), exchanges: Vec::new(), by_stream: Vec::new(), detail: Detail::Facts } }
    }

    /// Answers the questions, in their order.
    pub fn answers(self, tasks: Tasks, detail: Detail) -> Vec<Answer> {
        self.into_notebook(detail).answers(tasks)
    }

    /// What was collected, in order; its answers are as detailed as `detail` says.
    pub fn into_notebook(mut self, detail: Detail) -> Notebook {
        self.notebook.detail = detail;
        self.notebook.connections.sort_by_cached_key(Link::stream);
        self.notebook.exchanges.sort_by_cached_key(Exchange::first_frame);
        self.notebook.by_stream = self.notebook.exchanges.iter().map(|exchange| exchange.stream).zip(0..).collect();
        self.notebook.by_stream.sort_unstable();
        self.notebook
    }

    /// Questions with their answers, `count` at the most, chosen by `seed` alone.
    pub fn quiz(self, seed: u64, count: usize) -> Vec<quiz::Question> {
        quiz::draw(&Truth::of(&self.into_notebook(Detail::Page)), seed, count)
    }

    /// The questions that a class is asked, with their answers.
    pub fn sheet(self) -> Sheet {
        Sheet::new(&Truth::of(&self.into_notebook(Detail::Page)))
    }
}

impl Sink for Lab {
    fn exchange(&mut self, exchange: Exchange) {
        self.notebook.exchanges.push(exchange);
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.notebook.connections.push(Link { connection, talk });
    }

    fn finding(&mut self, _: Finding) {}

    fn body_limit(&self, protocol: Protocol) -> usize {
        if protocol == Protocol::Htcpcp { MAX_BODY } else { 0 }
    }
}

impl Notebook {
    /// Answers the questions, in their order.
    pub fn answers(&self, tasks: Tasks) -> Vec<Answer> {
        let asked = QUESTIONS.iter().filter(|question| tasks.holds(question.task));
        asked.map(|question| Answer { task: question.task, question: question.text, ..(question.answer)(self) }).collect()
    }

    /// The connections, by stream.
    pub fn connections(&self) -> impl ExactSizeIterator<Item = (&Connection, &Talk)> {
        self.connections.iter().map(|link| (&link.connection, &link.talk))
    }

    /// The exchanges, by their first frame.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// What browsers' requests caused at the pot, by the browser's request.
    pub fn chains(&self) -> Vec<Chain<'_>> {
        chain::chains(self)
    }

    fn link(&self, stream: u64) -> Option<&Link> {
        let at = self.connections.binary_search_by_key(&stream, Link::stream).ok()?;
        self.connections.get(at)
    }

    /// The exchanges of a connection, in order.
    fn exchanges_of(&self, stream: u64) -> impl Iterator<Item = &Exchange> {
        let first = self.by_stream.partition_point(|(other, _)| *other < stream);
        self.by_stream[first..].iter().take_while(move |(other, _)| *other == stream).map(|(_, at)| &self.exchanges[*at])
    }

    /// Connections to the web app.
    fn browser_links(&self) -> impl Iterator<Item = &Link> {
        self.connections.iter().filter(|link| self.ports.http.contains(&link.server().port))
    }

    /// Connections to the pot.
    fn pot_links(&self) -> impl Iterator<Item = &Link> {
        self.connections.iter().filter(|link| self.ports.pot.contains(&link.server().port))
    }

    /// Connections to anybody else.
    fn other_links(&self) -> impl Iterator<Item = &Link> {
        self.connections.iter().filter(|link| {
            let port = link.server().port;
            !self.ports.http.contains(&port) && !self.ports.pot.contains(&port)
        })
    }

    fn http(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|exchange| exchange.protocol != Protocol::Htcpcp)
    }

    fn htcpcp(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|exchange| exchange.protocol == Protocol::Htcpcp)
    }

    /// Whether an exchange is one of a browser with the web app.
    fn is_browsers(&self, exchange: &Exchange) -> bool {
        exchange.protocol != Protocol::Htcpcp
            && self.link(exchange.stream).is_some_and(|link| self.ports.http.contains(&link.server().port))
    }

    /// Exchanges of browsers with the web app.
    fn browser_exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|exchange| self.is_browsers(exchange))
    }

    /// Connections on which everything is encrypted.
    fn tls_links(&self) -> impl Iterator<Item = &Link> {
        self.connections.iter().filter(|link| link.talk.protocol == Some(Protocol::Tls))
    }

    /// A filter for the ports of one of the two servers.
    fn filter_of(ports: &[u16]) -> String {
        ports.iter().map(|port| format!("tcp.port == {port}")).collect::<Vec<_>>().join(" || ")
    }
}

/// Frames of a complete request and response; null where there is none.
fn pair(exchange: &Exchange) -> [Option<u64>; 2] {
    [exchange.complete_request(), exchange.complete_response()].map(|message| message.map(|message| message.last.frame))
}

/// The value of a header field as text.
fn field(head: &Head, name: &str) -> Option<String> {
    head.field(name).map(words::quoted_text)
}

/// The path of a request target, without its query.
fn path(message: &Message) -> &[u8] {
    message.head.target().split(|&byte| byte == b'?').next().unwrap_or_default()
}
