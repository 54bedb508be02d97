//! Display filters: Wireshark's language in, a decision for each frame out.
//!
//! A filter is compiled once. What it asks for is computed and nothing else, and no packet is allocated for: values
//! are looked at where they stand. Fields of messages belong to the frame that completed the message.
//!
//! ```
//! use pcap_tools::filter::Filter;
//!
//! assert!(Filter::compile("tcp.port == 5031 && http.request.method in {\"GET\", \"POST\"}").is_ok());
//! let error = Filter::compile("tcp.prot == 5031").unwrap_err();
//! assert!(error.to_string().contains("did you mean \"tcp.port\"?"));
//! ```

pub(crate) mod analysis;
mod evaluate;
mod facts;
mod field;
mod lexer;
mod parser;
mod record;
mod screen;
mod spoken;
mod tree;
mod value;

use std::fmt;
use std::ops::Range;

use field::{Field, Said, Source, Table, TcpOption};
use parser::{How, Node, Operand};

pub(crate) use facts::{Facts, Tcp, options};
pub(crate) use screen::Screen;
pub use screen::{Select, Selection};
pub(crate) use spoken::Spoken;
pub use tree::TreeFilter;

/// Why a text is no filter, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    text: String,
    /// The place in the text, in bytes.
    pub span: Range<usize>,
    /// What is wrong there.
    pub message: String,
}

impl Error {
    fn new(text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { text: text.to_owned(), span, message: message.into() }
    }
}

/// The sentence, then the filter, then a line that points at the place.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text[..self.span.start].chars().count();
        let marked = self.text[self.span.clone()].chars().count().max(1);
        let line: String = self.text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        write!(f, "{}\n  {line}\n  {}{}", self.message, " ".repeat(before), "^".repeat(marked))
    }
}

impl std::error::Error for Error {}

/// What a filter has to know beside a frame's headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Needs {
    /// Messages of HTTP and HTCPCP.
    pub messages: bool,
    /// What a response answers.
    pub requests: bool,
    /// The frames of a request's response, which come later.
    pub answers: bool,
    /// Bodies.
    pub bodies: bool,
    /// Their beginnings, where a BREW's command stands.
    pub commands: bool,
    /// Records of TLS.
    pub tls: bool,
    /// What is known of a connection's segments before this one.
    pub sequences: bool,
}

impl Needs {
    /// All that a packet list shows.
    pub(crate) fn of_a_list(self) -> Self {
        Self { messages: true, requests: true, commands: true, tls: true, sequences: true, ..self }
    }

    /// All that a diagram of segments shows.
    pub(crate) fn of_a_diagram(self) -> Self {
        Self { messages: true, sequences: true, ..self }
    }
}

/// A filter, compiled.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    root: Option<Node<&'static Field>>,
    needs: Needs,
}

impl Filter {
    /// A filter that every frame passes.
    pub fn all() -> Self {
        Self { text: String::new(), root: None, needs: Needs::default() }
    }

    /// Compiles a filter; an empty one lets every frame through.
    ///
    /// Errors: what is wrong with it, and where; for an unknown field the name that is most like it.
    pub fn compile(text: &str) -> Result<Self, Error> {
        let root = parser::parse(text, &Table)?;
        let mut needs = Needs::default();
        if let Some(root) = &root {
            note_needs(root, &mut needs);
        }
        Ok(Self { text: text.to_owned(), root, needs })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn needs(&self) -> Needs {
        self.needs
    }

    /// Whether a frame passes.
    pub(crate) fn accepts(&self, facts: &Facts<'_>) -> bool {
        self.root.as_ref().is_none_or(|root| evaluate::passes(root, facts))
    }
}

fn note_needs(node: &Node<&'static Field>, needs: &mut Needs) {
    match node {
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| note_needs(node, needs)),
        Node::Not(node) => note_needs(node, needs),
        Node::Test(test) => {
            note_operand(&test.left, needs);
            // A protocol's own bytes are its message's.
            let looks_inside = !matches!((&test.left, &test.how), (Operand::Field(..), How::Present));
            needs.bodies |= looks_inside && matches!(test.left.field().source, Source::Http(Said::Message) | Source::Htcpcp(Said::Message));
            if let How::OrderOf(_, right) = &test.how {
                note_operand(right, needs);
            }
        }
    }
}

fn note_operand(operand: &Operand<&'static Field>, needs: &mut Needs) {
    match operand.field().source {
        Source::Http(said) | Source::Htcpcp(said) => {
            needs.messages = true;
            match said {
                Said::RequestIn | Said::Time | Said::ResponseFor => needs.requests = true,
                Said::ResponseIn => needs.answers = true,
                Said::FileData => needs.bodies = true,
                Said::Command => needs.commands = true,
                _ => {}
            }
        }
        Source::Tls(_) => needs.tls = true,
        Source::Segment(field::Segment::Stream) => {}
        Source::Segment(_) | Source::Option(TcpOption::SackEdges(_)) | Source::Analysis(_) => needs.sequences = true,
        Source::Record(field::Record::Protocols) => (needs.messages, needs.tls) = (true, true),
        Source::Bits(..) | Source::Piece(..) | Source::Layer(_) | Source::Record(_) | Source::Network(_) | Source::Option(_) => {}
    }
}
